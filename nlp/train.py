"""Labelled texts → model: a pure function of its corpora.

One fold in ten is never learnt from: the heads are calibrated on it, and `judge` reports on it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp import bayes, features, fit, segment
from nlp.corpora import OURS, Corpus, Labelled, corpus_of, part_of, recast
from nlp.features import BITS, UNIT, Batch
from nlp.scorer import FAST, NONE, SIDE, TONE, Model

CHUNK = 4000
EMPHASIS = {"recast": 2.0, "two": 2.0, "autohome": 0.5}  # what the product reads most counts most; noisy labels less
ADAPTER = 8.0  # inverse of the L2 penalty on what is said of single targets
HELD_OUT = 0
ADAPTED = 300  # labelled rows from which a target gets weights of its own
Bools = NDArray[np.bool_]
Say = Callable[[str], None]
Arrays = dict[str, NDArray[np.generic]]


def train(rows: Sequence[Labelled], say: Say = lambda line: None, *, recasts: int = 45_000) -> Arrays:
    """The arrays of a model. rows: of tone and of stance, together; say: is told what is done."""
    tone = corpus_of(row for row in rows if not row.target)
    say(f"tone: {len(tone.rows)} texts")
    arrays, halves = train_tone(tone)
    stance = corpus_of([row for row in rows if row.target] + recast(tone, recasts))
    say(f"stance: {len(stance.rows)} texts")
    return {**arrays, **train_stance(stance, arrays, halves)}


def train_tone(tone: Corpus) -> tuple[Arrays, list[Arrays]]:
    """The arrays of tone; and twice its tables, learnt on the odd and on the even folds alone."""
    held = _tone_matrix(tone)
    learn = [fold != HELD_OUT for fold in tone.folds]
    arrays: Arrays = {**_tone_tables(tone, learn, held, steps=100), **_bayes(tone, learn)}
    halves: list[Arrays] = []
    for half in (1, 0):
        mine = [fold % 2 == half for fold in tone.folds]
        halves.append({**_tone_tables(tone, mine, held), **_bayes(tone, mine)})
    return {**arrays, **_tone_heads(tone, arrays)}, halves


# ------------------------------------------------------------------------------------------------------------ tone


def _batches(corpus: Corpus) -> list[Corpus]:
    return [part_of(corpus, range(i, min(i + CHUNK, len(corpus.rows)))) for i in range(0, len(corpus.rows), CHUNK)]


def _tone_matrix(corpus: Corpus) -> Any:
    from scipy.sparse import vstack  # type: ignore[import-untyped,unused-ignore]

    parts = []
    for part in _batches(corpus):
        batch = features.batch_of(part.readings)
        whose = np.repeat(np.arange(batch.size), np.diff(batch.starts))
        buckets = features.tone_buckets(batch)
        kept = [chain != 0 for chain in batch.chains]
        roots = np.sqrt(np.maximum(batch.sums(features.grams_at(batch)), 1.0))
        rows = np.concatenate([whose[keep] for keep in kept])
        parts.append(fit.matrix(rows, np.concatenate([b[k] for b, k in zip(buckets, kept, strict=True)]), roots, 1 << BITS))
    return vstack(parts).tocsr()


def _tone_tables(corpus: Corpus, learn: Sequence[bool], held: Any, steps: int = 45) -> Arrays:
    """The table that parts pos from neg, and the one that parts neutral from both."""
    matrix = held
    labels = np.array([row.label for row in corpus.rows])
    use = np.array(learn)
    weight = _balance([row.domain for row in corpus.rows], 0.25)
    lively = use & (labels != "neu")
    tone, _, _ = fit.fit(matrix[lively], (labels == "pos")[lively], weight[lively], steps=steps)
    has_neutral = {row.domain for row in corpus.rows if row.label == "neu"}
    of_those = np.array([row.domain in has_neutral for row in corpus.rows])
    every_second = np.arange(len(labels)) % 2 == 0
    calm = use & (of_those | every_second)
    neutral, _, _ = fit.fit(_halved(matrix)[calm], (labels == "neu")[calm], weight[calm], steps=30)
    return {"tone": fixed(tone), "neutral": fixed(neutral)}


def _halved(matrix: Any) -> Any:
    """The same with half as many buckets."""
    from scipy.sparse import csr_matrix  # type: ignore[import-untyped,unused-ignore]

    made = csr_matrix((matrix.data, matrix.indices >> 1, matrix.indptr), shape=(matrix.shape[0], matrix.shape[1] >> 1))
    made.sum_duplicates()
    return made


def fixed(weights: NDArray[np.float32], step: int = 16) -> NDArray[np.int16]:
    """Weights in fixed point, in steps of 1/64, so that the file packs well."""
    whole = np.rint(weights * UNIT / step) * step
    made: NDArray[np.int16] = np.clip(whole, -32_000, 32_000).astype(np.int16)
    made[0] = 0
    return made


def _balance(groups: Sequence[str], power: float) -> NDArray[np.float64]:
    """Importance of each row, so that a large group does not drown the small."""
    sizes = Counter(groups)
    mean = len(groups) / max(len(sizes), 1)
    return np.array([(mean / sizes[group]) ** power for group in groups])


def _bayes(corpus: Corpus, learn: Sequence[bool]) -> Arrays:
    rows = zip(corpus.readings.bodies, corpus.rows, learn, strict=True)
    sample = [(segment.cut(body), row.label) for body, row, use in rows if use and row.label != "neu"]
    words, counts = bayes.count(sample, at_least=3)
    return {"bayes_words": np.frombuffer("\n".join(words).encode(), np.uint8), "bayes_counts": counts}


def _tone_heads(corpus: Corpus, arrays: Arrays) -> Arrays:
    held = part_of(corpus, [i for i, fold in enumerate(corpus.folds) if fold == HELD_OUT])
    model = Model(arrays)
    columns = model.tone_columns(features.batch_of(held.readings), words=True)
    labels = np.array([("neg", "neu", "pos").index(row.label) for row in held.rows])
    weight = _balance([row.domain for row in held.rows], 0.25)
    shares = np.bincount(labels, minlength=3) / len(labels)
    return {
        "tone_head": fit.fit_softmax(np.stack([columns[n] for n in TONE], 1), labels, weight),
        "fast_head": fit.fit_softmax(np.stack([columns[n] for n in FAST], 1), labels, weight),
        "tone_priors": shares.astype(np.float32),
    }


# ---------------------------------------------------------------------------------------------------------- stance


def train_stance(corpus: Corpus, arrays: Arrays, halves: list[Arrays]) -> Arrays:
    """The stance tables and heads over finished tone arrays; then what is said of single targets, on top of them."""
    keys = np.array(sorted(int(features.target_key(target)) for target in _adapted(corpus.rows)), np.uint64)
    matrix, columns, own = _stance_matrix(corpus, {**arrays, "adapted": keys}, halves)
    labels = np.array([row.label for row in corpus.rows])
    learn = np.array(corpus.folds) != HELD_OUT
    made: Arrays = {"adapted": keys}
    scales = []
    for name, yes, names, use, strength, dense_scale in (
        ("none", labels == "none", NONE, np.ones(len(labels), bool), 1.0, 0.3),
        ("side", labels == "favor", SIDE, labels != "none", 0.1, 0.5),
    ):
        weight = _stance_weights(corpus.rows, yes, even=name == "side")
        dense = np.stack([columns[column] for column in names], 1)
        table, head, logits = _stance_head(matrix, dense, yes, weight, learn & use, ~learn & use, strength, dense_scale)
        extra, scale = _adapter(own, logits, yes, learn & use)
        made[name], made[f"{name}_head"] = fixed(_to_float(table) + extra), head
        scales.append(scale)
    made["adapted_scales"] = np.array(scales, np.float64)
    return made


def _stance_weights(rows: Sequence[Labelled], yes: Bools, *, even: bool) -> NDArray[np.float64]:
    """Importance: groups count by the root of their size; even: within a group both answers count the same."""
    groups = [row.group for row in rows]
    weight: NDArray[np.float64] = _balance(groups, 0.5) * np.array([EMPHASIS.get(group, 1.0) for group in groups])
    if even:
        answers = Counter(zip(groups, yes.tolist(), strict=True))
        sizes = Counter(groups)
        weight *= np.array([sizes[g] / 2 / answers[g, y] for g, y in zip(groups, yes.tolist(), strict=True)])
    return weight


def _stance_head(
    matrix: Any,
    dense: NDArray[np.float64],
    yes: Bools,
    weight: NDArray[np.float64],
    learn: Bools,
    check: Bools,
    strength: float,
    scale: float,
) -> tuple[NDArray[np.int16], NDArray[np.float64], NDArray[np.float64]]:
    """Gram weights, the calibrated head (columns, grams, bias), and the log-odds it gives each row."""
    mean, spread = dense.mean(0), dense.std(0) + 1e-6
    scaled = ((dense - mean) / spread * scale).astype(np.float32)
    found, inner, bias = fit.fit(matrix[learn], yes[learn], weight[learn], scaled[learn], strength=strength, steps=50)
    table, weights = fixed(found), inner * scale / spread
    logits = matrix @ (_to_float(table)) + dense @ weights + bias - mean @ weights
    slope, shift = fit.fit_platt(logits[check], yes[check], weight[check])
    return table, np.r_[weights * slope, slope, (bias - mean @ weights) * slope + shift], logits * slope + shift


def _adapter(own: Any, logits: NDArray[np.float64], yes: Bools, learn: Bools) -> tuple[Any, float]:
    """Weights of the grams salted with a target, and how far the general log-odds are to be believed beside them."""
    use = learn & (own.getnnz(axis=1) > 0)
    if not use.any():
        return 0.0, 1.0
    general = logits[use, None].astype(np.float32)
    weights, scale, _ = fit.fit(own[use], yes[use], None, general, strength=ADAPTER, steps=60, at_least=2)
    return weights, float(scale[0])


def _to_float(table: NDArray[np.int16]) -> NDArray[np.float64]:
    return table / UNIT


def _adapted(rows: Sequence[Labelled]) -> list[str]:
    """Targets with enough posts of each stance to learn what is said for and against just them."""
    seen: dict[str, Counter[str]] = {}
    for row in rows:
        seen.setdefault(row.target, Counter())[row.label] += 1
    return sorted(
        target
        for target, labels in seen.items()
        if target != OURS and labels.total() >= ADAPTED and len(labels) == 3 and min(labels.values()) * 12 >= labels.total()
    )


def _stance_matrix(corpus: Corpus, arrays: Arrays, halves: list[Arrays]) -> tuple[Any, dict[str, NDArray[np.float64]], Any]:
    """General grams, columns, and grams of single targets; a text made of a tone row is read by the half that never saw it."""
    from scipy.sparse import vstack  # type: ignore[import-untyped,unused-ignore]

    full = Model(arrays)
    half_models = [Model({**arrays, **tables}) for tables in halves]
    parts: list[Any] = []
    own: list[Any] = []
    columns = []
    for part in _batches(corpus):
        batch = features.batch_of(part.readings)
        regions = features.regions(batch)
        targets = [row.target for row in part.rows]
        whose = np.repeat(np.arange(batch.size), np.diff(batch.starts))
        roots = np.sqrt(np.maximum(batch.sums(features.grams_at(batch)), 1.0))
        for held, found in (
            (parts, list(features.stance_grams(batch, regions))),
            (own, list(features.target_grams(batch, full.keys_of(targets)))),
        ):
            rows = np.concatenate([whose[at] for _, at in found] or [np.zeros(0, np.intp)])
            held.append(
                fit.matrix(rows, np.concatenate([b for b, _ in found] or [np.zeros(0, np.intp)]), roots, 1 << (BITS - 1))
            )
        columns.append(_columns_of(batch, regions, part, targets, full, half_models))
    return vstack(parts).tocsr(), {name: np.concatenate([c[name] for c in columns]) for name in columns[0]}, vstack(own).tocsr()


def _columns_of(
    batch: Batch, regions: Any, part: Corpus, targets: list[str], full: Model, halves: list[Model]
) -> dict[str, NDArray[np.float64]]:
    words = segment.cut_all(part.readings.bodies)
    columns = full.stance_columns(batch, regions, targets, full.tone_weights(batch), words)
    made = np.array([row.domain.startswith(("recast-", "two-")) for row in part.rows])
    if made.any():
        odd = np.array([fold % 2 for fold in part.folds])
        for half, model in enumerate(halves):  # halves[0] learnt the odd folds
            unseen = made & (odd == half)
            other = model.stance_columns(batch, regions, targets, model.tone_weights(batch), words)
            columns = {name: np.where(unseen, other[name], column) for name, column in columns.items()}
    return columns
