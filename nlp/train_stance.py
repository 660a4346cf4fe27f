"""Labelled texts and finished tables of tone → the tables and heads of stance, and the voices of single targets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp import features, fit, segment, wordgrams
from nlp.corpora import CHECK, OURS, TEST, WRITTEN, Corpus, Labelled, balance_of, batches_of
from nlp.features import STANCE_BITS, UNIT, Batch
from nlp.scorer import MIXED_NOT, NONE, OWN, SIDE, Model, mixed
from nlp.train_convolution import log_odds_of, mix, train_convolution
from nlp.train_tone import Arrays, Bools, Partial, Say

EMPHASIS = {"recast": 2.0, "two": 2.0, "negfin": 3.0, "written": 6.0}  # what the product reads most counts most
HONEST = {"written": 0.2}  # and where log-odds become probabilities: texts hard on purpose would make it doubt all others
AGAINST = {"negfin": 3.0}  # beside that, where favor is parted from against: news of a disaster is rarely praise
ADAPTER = 3.0  # inverse of the L2 penalty on what is said of single targets
OWN_SCALE = 0.3  # of the general log-odds beside what is said of a single target
NONE_STRENGTH, SIDE_STRENGTH = 1.5, 0.1  # inverse of the L2 penalty on what is said of all targets
# How the sides of tables and convolution are mixed (see nlp.scorer.mixed): chosen on reviews of goods that neither had seen,
# seasons of the judges' that no figure of ours is taken from. Fitted on held-out texts of goods that both had seen, the
# convolution would count for more: it generalizes less.
SIDED = (0.75, 0.0, 0.35, 0.0, 0.1, 0.0, 0.0)
KNOWN_COUNT = 0.25  # how much a row toward a target with weights of its own says of how likely a stance is toward others
ADAPTED = 300  # labelled rows from which a target gets weights of its own


def train_stance(corpus: Corpus, tone: Corpus, arrays: Arrays, partial: Partial, say: Say = lambda line: None) -> Arrays:
    """The stance tables and heads over finished tone arrays, and the convolution beside them; then what is said of single
    targets, on top of both. tone: the texts without a target, which the convolution learns from too.

    Neither learns anything from targets that get weights of their own: what they say of those is then what they
    say of a target never seen, and the weights learn how far to believe it.
    """
    keys = np.array(sorted(int(features.target_key(target)) for target in adapted(corpus.rows)), np.uint64)
    matrix, columns, own = _stance_matrix(corpus, {**arrays, "adapted": keys}, partial)
    labels, folds = np.array([row.label for row in corpus.rows]), np.array(corpus.folds)
    general = own.getnnz(axis=1) == 0
    silent, sided = labels == "none", labels != "none"
    parts = (
        ("none", silent, NONE, np.ones(len(labels), bool), NONE_STRENGTH, 0.3),
        ("side", labels == "favor", SIDE, sided, SIDE_STRENGTH, 0.5),
    )
    weight = _stance_weights(corpus.rows, silent, even=False) * general
    words = train_convolution(corpus, weight, tone, say)
    said = log_odds_of(words, corpus)
    made: Arrays = {"adapted": keys, **words}
    honest = np.array([HONEST.get(group_of(row), 1.0) for row in corpus.rows])
    model = Model({**arrays, "adapted": keys})
    trust, named = model.trust(columns), columns["claim"] == 0
    tables, mixes = {}, np.zeros((2, len(MIXED_NOT)))
    for which, (name, yes, names, use, strength, dense_scale) in enumerate(parts):
        weight = _stance_weights(corpus.rows, yes, even=name == "side") * np.where(general, 1.0, KNOWN_COUNT)
        dense = np.stack([columns[column] for column in names], 1)
        check, learn = (folds == CHECK) & use & general, (folds > CHECK) & use & general
        table, head, logits = _stance_head(matrix, dense, yes, weight, learn, check, strength, dense_scale, honest)
        tables[name], made[f"{name}_head"] = table, head
        if name == "side":
            logits = trust * logits + (1.0 - trust) * columns["tone"]
        mixes[which] = SIDED if name == "side" else mix(logits, said[0], columns["post"], yes, weight * honest, check & named)
        logits = mixed(mixes[which], logits, said[which], columns)
        if name == "none":  # targets with weights of their own taught no table: all their rows may tell how likely a stance is
            known = ~general & (folds != TEST) & named
            shift = _shift_in_posts(logits, columns["post"], yes, weight * honest, check | known)
            mixes[which, -1] = shift
            logits += shift * columns["post"]
        columns[name] = logits
    made["conv_mix"] = mixes
    heads = np.zeros((len(keys), 2, len(OWN) + 1))
    whose = model.keys_of([row.target for row in corpus.rows])
    for which, (name, yes, _, use, _, _) in enumerate(parts):
        dense = np.stack([columns[column] for column in OWN], 1)
        extra, heads[:, which] = _own_voices(own, dense, yes, use & (folds != TEST), folds == CHECK, whose, keys)
        tables[name] = fixed(_to_float(tables[name]) + extra)
    made["stances"] = np.stack([tables["none"], tables["side"]], axis=1)
    made["own_heads"] = heads
    return made


def group_of(row: Labelled) -> str:
    """The group of a row; of one that was made of a text written for training, that of those."""
    return "written" if row.made_of and row.domain.partition("-")[2].startswith(WRITTEN) else row.group


def _stance_weights(rows: Sequence[Labelled], yes: Bools, *, even: bool) -> NDArray[np.float64]:
    """Importance: groups count by the root of their size; even: within a group both answers count the same."""
    groups = [row.group for row in rows]
    weight: NDArray[np.float64] = balance_of(groups, 0.5) * np.array([EMPHASIS.get(group, 1.0) for group in groups])
    if even:
        weight *= np.array([AGAINST.get(group, 1.0) for group in groups])
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
    honest: NDArray[np.float64],
) -> tuple[NDArray[np.int16], NDArray[np.float64], NDArray[np.float64]]:
    """Gram weights, the calibrated head (columns, grams, bias), and the log-odds it gives each row."""
    mean, spread = dense.mean(0), dense.std(0) + 1e-6
    scaled = ((dense - mean) / spread * scale).astype(np.float32)
    found, inner, bias = fit.fit(matrix[learn], yes[learn], weight[learn], scaled[learn], strength=strength, steps=50)
    table, weights = fixed(found), inner * scale / spread
    logits = matrix @ (_to_float(table)) + dense @ weights + bias - mean @ weights
    slope, shift = fit.fit_platt(logits[check], yes[check], (weight * honest)[check])
    return table, np.r_[weights * slope, slope, (bias - mean @ weights) * slope + shift], logits * slope + shift


def _shift_in_posts(
    logits: NDArray[np.float64], post: NDArray[np.float64], yes: Bools, weight: NDArray[np.float64], use: Bools
) -> float:
    """What to add to the log-odds of a post, as opposed to a review, so that they are right on the whole."""
    from scipy.optimize import minimize_scalar  # type: ignore[import-untyped,unused-ignore]

    sign = np.where(yes[use], -1.0, 1.0)

    def loss(shift: float) -> float:
        return float((np.logaddexp(0, sign * (logits[use] + shift * post[use])) * weight[use]).sum())

    return float(minimize_scalar(loss, bounds=(-3.0, 3.0), method="bounded").x) if use.any() else 0.0


def _own_voices(
    own: Any,
    dense: NDArray[np.float64],
    yes: Bools,
    learn: Bools,
    check: Bools,
    whose: NDArray[np.uint64],
    keys: NDArray[np.uint64],
) -> tuple[Any, NDArray[np.float64]]:
    """Weights of the grams salted with a target, and the head of each over the general log-odds (bias last).

    Learnt without the rows of `check` they tell how sure they may be; then they are learnt once more with them.
    """
    heads = np.zeros((len(keys), dense.shape[1] + 1))
    if not len(keys):
        return 0.0, heads
    tried = np.zeros(len(yes))
    for key in keys:
        weights, head = _own_voice(own, dense, yes, learn & ~check & (whose == key))
        held = check & (whose == key)
        tried[held] = own[held] @ weights + dense[held] @ head[:-1] + head[-1]
    held = check & learn & (whose != 0)
    both = held.any() and 0 < yes[held].sum() < held.sum()
    slope = fit.fit_platt(tried[held], yes[held], np.ones(int(held.sum())))[0] if both else 1.0
    total: Any = 0.0
    for place, key in enumerate(keys):
        weights, head = _own_voice(own, dense, yes, learn & (whose == key))
        total, heads[place] = total + weights * slope, head * slope
    return total, heads


def _own_voice(own: Any, dense: NDArray[np.float64], yes: Bools, use: Bools) -> tuple[fit.Floats, NDArray[np.float64]]:
    """Of one target: the weights of its grams, and its head."""
    mean, spread = dense[use].mean(0), dense[use].std(0) + 1e-6
    scaled = ((dense[use] - mean) / spread * OWN_SCALE).astype(np.float32)
    weights, inner, bias = fit.fit(own[use], yes[use], None, scaled, strength=ADAPTER, steps=60, at_least=2, by_rarity=True)
    head = inner * OWN_SCALE / spread
    return weights, np.r_[head, bias - mean @ head]


def _to_float(table: NDArray[np.int16]) -> NDArray[np.float64]:
    return table / UNIT


def adapted(rows: Sequence[Labelled]) -> list[str]:
    """Targets with enough posts of each stance to learn what is said for and against just them."""
    seen: dict[str, Counter[str]] = {}
    for row in rows:
        seen.setdefault(row.target, Counter())[row.label] += 1
    return sorted(
        target
        for target, labels in seen.items()
        if target != OURS and labels.total() >= ADAPTED and len(labels) == 3 and min(labels.values()) * 12 >= labels.total()
    )


def _stance_matrix(corpus: Corpus, arrays: Arrays, partial: Partial) -> tuple[Any, dict[str, NDArray[np.float64]], Any]:
    """General grams, columns, and grams of single targets; a text made of a tone row is read by tables that never saw it."""
    from scipy.sparse import vstack  # type: ignore[import-untyped,unused-ignore]

    full = Model(arrays)
    unread = [Model({**arrays, **tables}) for tables in (*partial.halves, partial.held_out)]
    parts: list[Any] = []
    own: list[Any] = []
    columns = []
    for part in batches_of(corpus):
        batch = features.batch_of(part.readings)
        regions = features.regions(batch)
        targets = [row.target for row in part.rows]
        whose = np.repeat(np.arange(batch.size), np.diff(batch.starts))
        counts = features.grams_at(batch)
        words = wordgrams.words_of(batch.raw, segment.cut_all(part.readings.bodies))
        columns.append(_columns_of(batch, regions, words, part, targets, full, unread))
        kinds = features.stance_grams(batch, regions, columns[-1]["claim"] > 0)
        scales = features.scales_of(batch, kinds, counts)
        parts.append(sum(fit.counted(found, whose, scale, STANCE_BITS) for found, scale in zip(kinds, scales, strict=True)))
        own.append(fit.counted(list(features.target_grams(batch, words, full.keys_of(targets))), whose, scales[0], STANCE_BITS))
    return vstack(parts).tocsr(), {name: np.concatenate([c[name] for c in columns]) for name in columns[0]}, vstack(own).tocsr()


def fixed(weights: NDArray[np.float32], step: int = 16) -> NDArray[np.int16]:
    """Weights of stance in fixed point, in steps of 1/64, so that the file packs well."""
    whole = np.rint(weights * UNIT / step) * step
    made: NDArray[np.int16] = np.clip(whole, -32_000, 32_000).astype(np.int16)
    made[0] = 0
    return made


def _columns_of(
    batch: Batch, regions: Any, words: wordgrams.Words, part: Corpus, targets: list[str], full: Model, unread: list[Model]
) -> dict[str, NDArray[np.float64]]:
    """unread: what learnt the odd folds, what the even ones, and what learnt all but those that are never learnt from."""
    columns = full.stance_columns(batch, regions, targets, full.tone_weights(batch, words), words)
    made, folds = np.array([bool(row.made_of) for row in part.rows]), np.array(part.folds)
    for which, model in enumerate(unread):
        its = made & ((folds <= CHECK) if which == 2 else (folds > CHECK) & (folds % 2 == which))
        if its.any():
            other = model.stance_columns(batch, regions, targets, model.tone_weights(batch, words), words)
            columns = {name: np.where(its, other[name], column) for name, column in columns.items()}
    return columns
