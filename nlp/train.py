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
from nlp.scorer import FAST, SIDE, TONE, Model

CHUNK = 4000
HELD_OUT = 0
ADAPTED = 300  # labelled rows from which a target gets weights of its own
Say = Callable[[str], None]
Tables = dict[str, NDArray[np.int16]]


def train(rows: Sequence[Labelled], say: Say = lambda line: None, *, recasts: int = 45_000) -> dict[str, NDArray[np.generic]]:
    """The arrays of a model. rows: of tone and of stance, together; say: is told what is done."""
    tone = corpus_of(row for row in rows if not row.target)
    say(f"tone: {len(tone.rows)} texts")
    held = _tone_matrix(tone)
    made = _tone_tables(tone, [fold != HELD_OUT for fold in tone.folds], held, steps=100)
    halves = [_tone_tables(tone, [fold % 2 == half for fold in tone.folds], held) for half in (1, 0)]
    arrays: dict[str, NDArray[np.generic]] = dict(made)
    arrays |= _bayes(tone)
    arrays |= _tone_heads(tone, arrays)
    say("tone: done")
    labelled = [row for row in rows if row.target] + recast(tone, recasts)
    stance = corpus_of(labelled)
    say(f"stance: {len(stance.rows)} texts")
    arrays |= _stance(stance, arrays, halves)
    say("stance: done")
    return arrays


# ------------------------------------------------------------------------------------------------------------ tone


def _batches(corpus: Corpus) -> list[Corpus]:
    return [part_of(corpus, range(i, min(i + CHUNK, len(corpus.rows)))) for i in range(0, len(corpus.rows), CHUNK)]


def _tone_matrix(corpus: Corpus) -> Any:
    from scipy.sparse import vstack

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


def _tone_tables(corpus: Corpus, learn: Sequence[bool], held: Any = None, steps: int = 45) -> Tables:
    """The table that parts pos from neg, and the one that parts neutral from both."""
    matrix = _tone_matrix(corpus) if held is None else held
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
    from scipy.sparse import csr_matrix

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


def _bayes(corpus: Corpus) -> dict[str, NDArray[np.generic]]:
    sample = [
        (segment.cut(body), row.label)
        for body, row, fold in zip(corpus.readings.bodies, corpus.rows, corpus.folds, strict=True)
        if fold != HELD_OUT and row.label != "neu"
    ]
    words, counts = bayes.count(sample, at_least=3)
    return {"bayes_words": np.frombuffer("\n".join(words).encode(), np.uint8), "bayes_counts": counts}


def _tone_heads(corpus: Corpus, arrays: dict[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
    held = part_of(corpus, [i for i, fold in enumerate(corpus.folds) if fold == HELD_OUT])
    model = Model.bare(arrays)
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


def _stance(corpus: Corpus, arrays: dict[str, NDArray[np.generic]], halves: list[Tables]) -> dict[str, NDArray[np.generic]]:
    adapted = _adapted(corpus.rows)
    keys = np.array(sorted(int(features.target_key(target)) for target in adapted), np.uint64)
    matrix, columns = _stance_matrix(corpus, {**arrays, "adapted": keys}, halves)
    dense = np.stack([columns[name] for name in SIDE], 1)
    mean, spread = dense.mean(0), dense.std(0) + 1e-6
    scaled = ((dense - mean) / spread * 0.3).astype(np.float32)
    labels = np.array([row.label for row in corpus.rows])
    weight = _balance([row.group for row in corpus.rows], 0.5)
    learn = np.array(corpus.folds) != HELD_OUT
    made: dict[str, NDArray[np.generic]] = {"adapted": keys}
    for name, yes, use in (("none", labels == "none", learn), ("side", labels == "favor", learn & (labels != "none"))):
        table, inner, bias = fit.fit(matrix[use], yes[use], weight[use], scaled[use], strength=2.0, steps=40)
        table = fixed(table)
        weights = inner * 0.3 / spread
        logits = matrix @ (table / UNIT) + dense @ weights + bias - mean @ weights
        check = ~learn & ((labels != "none") | (name == "none"))
        slope, shift = fit.fit_platt(logits[check], yes[check], weight[check])
        made[name] = table
        head = np.r_[weights * slope, slope, (bias - mean @ weights) * slope + shift]  # columns, grams, bias
        made[f"{name}_head"] = head.astype(np.float64)
    return made


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


def _stance_matrix(
    corpus: Corpus, arrays: dict[str, NDArray[np.generic]], halves: list[Tables]
) -> tuple[Any, dict[str, NDArray[np.float64]]]:
    """Grams and columns of the stance rows; a text made of a tone row is read by the half that never saw it."""
    from scipy.sparse import vstack

    full = Model.bare(arrays)
    half_models = [Model.bare({**arrays, **tables}) for tables in halves]
    parts, columns = [], []
    for part in _batches(corpus):
        batch = features.batch_of(part.readings)
        regions = features.regions(batch)
        targets = [row.target for row in part.rows]
        whose = np.repeat(np.arange(batch.size), np.diff(batch.starts))
        found = [(buckets, whose[at]) for buckets, at in features.stance_grams(batch, regions, full.keys_of(targets))]
        roots = np.sqrt(np.maximum(batch.sums(features.grams_at(batch)), 1.0))
        rows = np.concatenate([rows for _, rows in found])
        parts.append(fit.matrix(rows, np.concatenate([b for b, _ in found]), roots, 1 << (BITS - 1)))
        columns.append(_columns_of(batch, regions, part, targets, full, half_models))
    return vstack(parts).tocsr(), {name: np.concatenate([c[name] for c in columns]) for name in columns[0]}


def _columns_of(
    batch: Batch, regions: Any, part: Corpus, targets: list[str], full: Model, halves: list[Model]
) -> dict[str, NDArray[np.float64]]:
    columns = full.stance_columns(batch, regions, targets)
    made = np.array([row.domain.startswith(("recast-", "two-")) for row in part.rows])
    if made.any():
        odd = np.array([fold % 2 for fold in part.folds])
        for half, model in enumerate(halves):  # halves[0] learnt the odd folds
            unseen = made & (odd == half)
            other = model.stance_columns(batch, regions, targets)
            columns = {name: np.where(unseen, other[name], column) for name, column in columns.items()}
    return columns
