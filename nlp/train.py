"""Labelled texts → model: a pure function of its corpora.

One fold in ten (`corpora.TEST`) is never learnt from: `judge` reports on it. Another (`CHECK`) calibrates the heads over tables
that have not seen it; then the tables of tone are learnt once more with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from nlp import bayes, features, fit, segment, wordgrams
from nlp.corpora import OURS, TEST, Corpus, Labelled, corpus_of, owner_review, part_of, recast
from nlp.features import BITS, STANCE_BITS, UNIT, Batch
from nlp.scorer import FAST, NONE, SIDE, TONE, Model

CHUNK = 4000
CHECK = 1  # the fold that calibrates
EMPHASIS = {"recast": 2.0, "two": 2.0, "negfin": 2.0}  # what the product reads most counts most
JOINT = 0.6  # how much the tables of characters and words fit together count beside the table of characters alone
NEUTRAL_KNOWN = 4.0  # only corpora that know a neutral class can teach how likely it is
ADAPTER = 10.0  # inverse of the L2 penalty on what is said of single targets
NONE_STRENGTH, SIDE_STRENGTH = 1.5, 0.1  # inverse of the L2 penalty on what is said of all targets
ADAPTED = 300  # labelled rows from which a target gets weights of its own
Bools = NDArray[np.bool_]
Say = Callable[[str], None]
Arrays = dict[str, NDArray[np.generic]]
Raw = dict[str, fit.Floats]


def train(rows: Sequence[Labelled], say: Say = lambda line: None, *, recasts: int = 45_000, refit: bool = True) -> Arrays:
    """The arrays of a model. rows: of tone and of stance, together; say: is told what is done.

    refit: learn the tables of tone once more with the fold that calibrated their heads.

    The linear algebra runs in one thread, since several add numbers up in an order of their own each time. On all of the
    shipped corpora two runs still differ a little in `side` and its head (the card counts it); on small ones they do not.
    """
    with threadpool_limits(limits=1):
        return _train(rows, say, recasts, refit=refit)


def _train(rows: Sequence[Labelled], say: Say, recasts: int, *, refit: bool) -> Arrays:
    owners = [made for row in rows if (made := owner_review(row))]
    tone = corpus_of([row for row in rows if not row.target] + owners)
    say(f"tone: {len(tone.rows)} texts")
    arrays, halves = train_tone(tone, say, refit=refit)
    stance = corpus_of([row for row in rows if row.target and not owner_review(row)] + recast(tone, recasts))
    say(f"stance: {len(stance.rows)} texts")
    return {**arrays, **train_stance(stance, arrays, halves)}


def train_tone(tone: Corpus, say: Say = lambda line: None, *, refit: bool = True) -> tuple[Arrays, list[Arrays]]:
    """The arrays of tone; and twice its tables, learnt on the odd and on the even folds alone."""
    chars, words, cut = _tone_matrices(tone)
    learn = np.array([fold not in (TEST, CHECK) for fold in tone.folds])
    arrays, raw = _voices(tone, learn, chars, words, cut)
    say("tone: tables made")
    heads = _tone_heads(tone, arrays)
    halves: list[Arrays] = []
    for half in (1, 0):
        mine = np.array([fold % 2 == half for fold in tone.folds]) & (np.array(tone.folds) != TEST)
        halves.append({**_tables(_tone_weights(tone, mine, chars, words, 45)), **_bayes(tone, mine, cut)})
    say("tone: halves made")
    if refit:
        learn = np.array(tone.folds) != TEST
        arrays, _ = _voices(tone, learn, chars, words, cut, raw)
    return {**arrays, **heads}, [{**heads, **half} for half in halves]


# ------------------------------------------------------------------------------------------------------------ tone


def _batches(corpus: Corpus) -> list[Corpus]:
    return [part_of(corpus, range(i, min(i + CHUNK, len(corpus.rows)))) for i in range(0, len(corpus.rows), CHUNK)]


def _tone_matrices(corpus: Corpus) -> tuple[Any, Any, list[list[str]]]:
    """Character grams and word grams of each text, as CSR, and its words."""
    from scipy.sparse import vstack  # type: ignore[import-untyped,unused-ignore]

    chars, words, cut = [], [], []
    for part in _batches(corpus):
        batch = features.batch_of(part.readings)
        whose = np.repeat(np.arange(batch.size), np.diff(batch.starts))
        buckets = features.tone_buckets(batch)
        kept = [chain != 0 for chain in batch.chains]
        roots = np.sqrt(np.maximum(batch.sums(features.grams_at(batch)), 1.0))
        rows = np.concatenate([whose[keep] for keep in kept])
        chars.append(fit.matrix(rows, np.concatenate([b[k] for b, k in zip(buckets, kept, strict=True)]), roots, 1 << BITS))
        cut += (these := segment.cut_all(part.readings.bodies))
        found = features.word_buckets(wordgrams.words_of(batch.raw, these))
        rows = np.concatenate([whose[at] for _, at in found])
        words.append(fit.matrix(rows, np.concatenate([b for b, _ in found]), roots / wordgrams.LIFT, 1 << BITS))
    return vstack(chars).tocsr(), vstack(words).tocsr(), cut


def _voices(
    tone: Corpus, learn: Bools, chars: Any, words: Any, cut: list[list[str]], before: Raw | None = None
) -> tuple[Arrays, Raw]:
    """All that the heads of tone read, and the weights as fitted. before: weights to start from.

    The default's table of characters is a mean with the fast one's: two voices in one sum.
    """
    raw = _tone_weights(tone, learn, chars, words, 80, before)
    use, positive, weight = _lively(tone, learn)
    raw["fast"] = fit.fit(chars[use], positive[use], weight[use], **_from(100, before, "fast"))[0]
    made = {**_tables(raw), **_bayes(tone, learn, cut), "fast": fixed(raw["fast"])}
    made["tone"] = fixed(JOINT * raw["tone"][: 1 << BITS] + (1 - JOINT) * raw["fast"])
    made["tone_words"] = fixed(JOINT * raw["tone"][1 << BITS :] * wordgrams.LIFT)
    return made, raw


def _from(steps: int, before: Raw | None, name: str) -> dict[str, Any]:
    """How long to fit, and where from: a third of the way where most of it has been gone."""
    return {"steps": steps} if before is None else {"steps": steps // 3, "start": before[name]}


def _lively(corpus: Corpus, learn: Bools) -> tuple[Bools, Bools, NDArray[np.float64]]:
    """The rows that are not neutral, which are positive, and the importance of each row."""
    labels = np.array([row.label for row in corpus.rows])
    return learn & (labels != "neu"), labels == "pos", _balance([row.domain for row in corpus.rows], 0.25)


def _tone_weights(corpus: Corpus, learn: Bools, chars: Any, words: Any, steps: int, before: Raw | None = None) -> Raw:
    """What parts pos from neg, and what parts neutral from both: weights of characters, then of words."""
    from scipy.sparse import hstack  # type: ignore[import-untyped,unused-ignore]

    use, positive, weight = _lively(corpus, learn)
    both = hstack([chars[use], words[use]]).tocsr()
    tone = fit.fit(both, positive[use], weight[use], voided=1 << BITS, **_from(steps, before, "tone"))[0]
    if before is not None:  # how likely neutral is rests on its head, and that on these very weights
        return {"tone": tone, "neutral": before["neutral"]}
    flat = np.array([row.label == "neu" for row in corpus.rows])
    calm = learn & (_with_neutral(corpus) | (np.arange(len(flat)) % 4 == 0))
    both = hstack([_halved(chars[calm]), _halved(words[calm])]).tocsr()
    neutral = fit.fit(both, flat[calm], weight[calm], voided=1 << (BITS - 1), steps=30)[0]
    return {"tone": tone, "neutral": neutral}


def _tables(raw: Raw) -> Arrays:
    half = 1 << (BITS - 1)
    return {
        "tone": fixed(raw["tone"][: 1 << BITS]),
        "tone_words": fixed(raw["tone"][1 << BITS :] * wordgrams.LIFT),
        "neutral": fixed(raw["neutral"][:half]),
        "neutral_words": fixed(raw["neutral"][half:] * wordgrams.LIFT),
    }


def _with_neutral(corpus: Corpus) -> Bools:
    """Rows of domains where neutral is a label."""
    has_neutral = {row.domain for row in corpus.rows if row.label == "neu"}
    return np.array([row.domain in has_neutral for row in corpus.rows])


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


def _bayes(corpus: Corpus, learn: Bools, cut: list[list[str]]) -> Arrays:
    sample = [(words, row.label) for words, row, use in zip(cut, corpus.rows, learn, strict=True) if use and row.label != "neu"]
    words, counts = bayes.keep_apart(*bayes.count(sample, at_least=3))
    return {"bayes_words": np.frombuffer("\n".join(words).encode(), np.uint8), "bayes_counts": counts}


def _tone_heads(corpus: Corpus, arrays: Arrays) -> Arrays:
    held = part_of(corpus, [i for i, fold in enumerate(corpus.folds) if fold == CHECK])
    model, batch = Model(arrays), features.batch_of(held.readings)
    words = wordgrams.words_of(batch.raw, segment.cut_all(held.readings.bodies))
    labels = np.array([("neg", "neu", "pos").index(row.label) for row in held.rows])
    weight = _balance([row.domain for row in held.rows], 0.25) * np.where(_with_neutral(held), NEUTRAL_KNOWN, 1.0)
    shares = np.bincount(labels, minlength=3) / len(labels)
    made: Arrays = {"tone_priors": shares.astype(np.float32)}
    for name, names, columns in (
        ("tone_head", TONE, model.tone_columns(batch, words)),
        ("fast_head", FAST, model.tone_columns(batch, None)),
    ):
        made[name] = fit.fit_softmax(np.stack([columns[n] for n in names], 1), labels, weight)
    return made


# ---------------------------------------------------------------------------------------------------------- stance


def train_stance(corpus: Corpus, arrays: Arrays, halves: list[Arrays]) -> Arrays:
    """The stance tables and heads over finished tone arrays; then what is said of single targets, on top of them.

    The general tables learn nothing from targets that get weights of their own: what they say of those is then what they
    say of a target never seen, and the weights learn how far to believe it.
    """
    keys = np.array(sorted(int(features.target_key(target)) for target in _adapted(corpus.rows)), np.uint64)
    matrix, columns, own = _stance_matrix(corpus, {**arrays, "adapted": keys}, halves)
    labels, folds = np.array([row.label for row in corpus.rows]), np.array(corpus.folds)
    general = own.getnnz(axis=1) == 0
    made: Arrays = {"adapted": keys}
    scales = []
    for name, yes, names, use, strength, dense_scale in (
        ("none", labels == "none", NONE, np.ones(len(labels), bool), NONE_STRENGTH, 0.3),
        ("side", labels == "favor", SIDE, labels != "none", SIDE_STRENGTH, 0.5),
    ):
        weight = _stance_weights(corpus.rows, yes, even=name == "side")
        dense = np.stack([columns[column] for column in names], 1)
        check, learn = (folds == CHECK) & use, (folds > CHECK) & use
        table, head, logits = _stance_head(matrix, dense, yes, weight, learn & general, check & general, strength, dense_scale)
        extra, scale = _adapter(own, logits, yes, learn, check)
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


def _adapter(own: Any, logits: NDArray[np.float64], yes: Bools, learn: Bools, check: Bools) -> tuple[Any, float]:
    """Calibrated weights of the grams salted with a target, and how far the general log-odds are believed beside them."""
    mine = own.getnnz(axis=1) > 0
    if not (learn & mine).any():
        return 0.0, 1.0
    general = logits[:, None].astype(np.float32)
    use = learn & mine
    weights, scale, _ = fit.fit(own[use], yes[use], None, general[use], strength=ADAPTER, steps=60, at_least=2)
    total = own @ weights + logits * scale[0]
    check = check & mine
    slope = fit.fit_platt(total[check], yes[check], np.ones(int(check.sum())))[0] if check.any() else 1.0
    return weights * slope, float(scale[0]) * slope


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
        counts = features.grams_at(batch)
        columns.append(_columns_of(batch, regions, part, targets, full, half_models))
        kinds = features.stance_grams(batch, regions, columns[-1]["claim"] > 0)
        scales = features.scales_of(batch, kinds, counts)
        parts.append(sum(_counted(found, whose, scale) for found, scale in zip(kinds, scales, strict=True)))
        own.append(_counted(list(features.target_grams(batch, full.keys_of(targets))), whose, scales[0]))
    return vstack(parts).tocsr(), {name: np.concatenate([c[name] for c in columns]) for name in columns[0]}, vstack(own).tocsr()


def _counted(found: list[features.Found], whose: NDArray[np.intp], scale: NDArray[np.float64]) -> Any:
    rows = np.concatenate([whose[at] for _, at in found] or [np.zeros(0, np.intp)])
    return fit.matrix(rows, np.concatenate([b for b, _ in found] or [np.zeros(0, np.intp)]), 1.0 / scale, 1 << STANCE_BITS)


def _columns_of(
    batch: Batch, regions: Any, part: Corpus, targets: list[str], full: Model, halves: list[Model]
) -> dict[str, NDArray[np.float64]]:
    words = wordgrams.words_of(batch.raw, segment.cut_all(part.readings.bodies))
    columns = full.stance_columns(batch, regions, targets, full.tone_weights(batch, words), words)
    made = np.array([bool(row.made_of) for row in part.rows])
    if made.any():
        odd = np.array([fold % 2 for fold in part.folds])
        for half, model in enumerate(halves):  # halves[0] learnt the odd folds
            unseen = made & (odd == half)
            other = model.stance_columns(batch, regions, targets, model.tone_weights(batch, words), words)
            columns = {name: np.where(unseen, other[name], column) for name, column in columns.items()}
    return columns
