"""Labelled texts → the tables and heads of tone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp import bayes, features, fit, segment, wordgrams
from nlp.corpora import CHECK, TEST, WRITTEN, Corpus, balance_of, batches_of, part_of
from nlp.features import BITS, GATE_BITS, LARGEST, STEPS
from nlp.scorer import FAST, TONE, Model

COUNTS = {"written_review": 0.5, "written_post": 0.4}  # how much a group counts beside what its size gives it
UNLIKE = ("written_review",)  # harder than those in the wild: no table of reviews learns from them, nor of neutral posts
EXPERTS = ("", "_post", "_review")  # tables of all texts, of posts, of short reviews
EXPERT = 0.5  # how much the table of a kind of text counts beside the table of all
JOINT = 0.6  # how much the tables of characters and words fit together count beside the table of characters alone
RELIEF = 5.0  # inverse of the L2 penalty on what grams of denied troubles say
NEUTRAL_KNOWN = 4.0  # only corpora that know a neutral class can teach how likely it is
UNREAD = (0.3333, 0.3334, 0.3333)  # neg, neu, pos of a text in which nothing can be read
Bools = NDArray[np.bool_]
Say = Callable[[str], None]
Arrays = dict[str, NDArray[np.generic]]
Raw = dict[str, fit.Floats]


@dataclass(frozen=True, slots=True)
class Partial:
    """Tables and heads of tone that have not learnt from some folds. halves: learnt on the odd folds, and on the even ones;
    held_out: on none up to `CHECK`."""

    halves: tuple[Arrays, Arrays]
    held_out: Arrays


def train_tone(tone: Corpus, say: Say = lambda line: None, *, refit: bool = True) -> tuple[Arrays, Partial]:
    """The arrays of tone; and the same as learnt from fewer folds."""
    grams = _grams_of(tone)
    folds = np.array(tone.folds)
    learn = (folds != TEST) & (folds != CHECK)
    gate = _gate(tone, learn, grams.short)
    arrays, raw = _voices(tone, learn, grams)
    arrays = _with_relief(tone, learn, {**arrays, **gate})
    say("tone: tables made")
    heads = {**gate, **_tone_heads(tone, arrays)}
    halves: list[Arrays] = []
    for half in (1, 0):
        mine = (folds % 2 == half) & (folds != TEST)
        half_tables = {**_tables(_joint(tone, mine, grams, 45), None), **_bayes(tone, mine, grams.cut)}
        halves.append(_with_relief(tone, mine, {**half_tables, **gate}))
    say("tone: halves made")
    held_out = {**arrays, **heads}
    if refit:
        again, _ = _voices(tone, folds != TEST, grams, raw)
        arrays = _with_relief(tone, folds != TEST, {**again, **gate})
    odd, even = ({**heads, **half} for half in halves)
    return {**arrays, **heads}, Partial((odd, even), held_out)


@dataclass(frozen=True, slots=True)
class Grams:
    """Of each text of a corpus, as CSR: its character grams, both them and its word grams, its grams of one and two characters;
    and its words."""

    chars: Any
    both: Any
    short: Any
    cut: list[list[str]]


def _grams_of(corpus: Corpus) -> Grams:
    from scipy.sparse import hstack, vstack  # type: ignore[import-untyped,unused-ignore]

    chars, words, short, cut = [], [], [], []
    for part in batches_of(corpus):
        batch = features.batch_of(part.readings, as_they_stand=True)
        whose = np.repeat(np.arange(batch.size), np.diff(batch.starts))
        buckets, kept = features.tone_buckets(batch), [chain != 0 for chain in batch.chains]
        roots = np.sqrt(np.maximum(batch.sums(features.grams_at(batch)), 1.0))
        chars.append(_counts(buckets, kept, whose, roots, BITS))
        few = np.sqrt(np.maximum(batch.sums(np.sum(kept[:2], axis=0, dtype=np.int64)), 1.0))
        short.append(_counts([one >> (BITS - GATE_BITS) for one in buckets[:2]], kept[:2], whose, few, GATE_BITS))
        cut += (these := segment.cut_all(part.readings.bodies))
        found = features.word_buckets(wordgrams.words_of(batch.raw, these))
        rows = np.concatenate([whose[at] for _, at in found])
        words.append(fit.matrix(rows, np.concatenate([b for b, _ in found]), roots / wordgrams.LIFT, 1 << BITS))
    both = hstack([vstack(chars), vstack(words)]).tocsr()
    return Grams(vstack(chars).tocsr(), both, vstack(short).tocsr(), cut)


def _counts(buckets: list[Any], kept: list[Bools], whose: NDArray[np.intp], roots: NDArray[np.float64], bits: int) -> Any:
    rows = np.concatenate([whose[keep] for keep in kept])
    return fit.matrix(rows, np.concatenate([b[k] for b, k in zip(buckets, kept, strict=True)]), roots, 1 << bits)


def _gate(corpus: Corpus, learn: Bools, short: Any) -> Arrays:
    """What tells posts from all reviews, and short reviews from long ones by parts; nothing where kinds are unknown."""
    kinds = np.array([row.kind or "" for row in corpus.rows])
    made: Arrays = {}
    biases = []
    for name, use in (("post", learn & (kinds != "")), ("review", learn & np.isin(kinds, ("review", "owner")))):
        yes = kinds == name
        if not (yes & use).any() or (yes | ~use).all():
            biases.append(0.0)
            continue
        weight = balance_of(kinds.tolist(), 0.5)
        weights, _, bias = fit.fit(short[use], yes[use], weight[use], strength=1.0, steps=25)
        made[f"gate_{name}"] = stepped(weights)
        biases.append(bias)
    return {**made, "gate_bias": np.array(biases, np.float64)}


def _voices(tone: Corpus, learn: Bools, grams: Grams, before: Raw | None = None) -> tuple[Arrays, Raw]:
    """All that the heads of tone read, and the weights as fitted. before: weights to start from.

    The default's table of characters is a mean with the fast one's: two voices in one sum.
    """
    raw = _joint(tone, learn, grams, 80, before)
    use, positive, weight = _lively(tone, learn)
    for kind, steps in (("", 100), ("_post", 60), ("_review", 60)):
        mine = use & _of_kind(tone, kind)
        name = f"fast{kind}"
        raw[name] = fit.fit(grams.chars[mine], positive[mine], weight[mine], **_from(steps, before, name))[0]
    fast = {f"fast{kind}": stepped(_beside(raw, "fast", kind)) for kind in EXPERTS}
    return {**_tables(raw, raw), **_bayes(tone, learn, grams.cut), **fast}, raw


def _with_relief(tone: Corpus, learn: Bools, arrays: Arrays) -> Arrays:
    """The arrays with weights for the grams of denied troubles, learnt while all others stay as they are.

    Masked in the corpus from the start, 不 and 没 themselves would lose what they say beside other words.
    """
    model, leans, parts = Model(arrays), [], []
    for part in batches_of(tone):
        batch = features.batch_of(part.readings)
        words = wordgrams.words_of(batch.raw, segment.cut_all(part.readings.bodies))
        leans.append(model.tone_columns(batch, words)["lean"])
        found = features.relief_grams(batch)
        roots = np.sqrt(np.maximum(batch.sums(features.grams_at(batch)), 1.0))
        whose = np.repeat(np.arange(batch.size), np.diff(batch.starts))
        parts.append(fit.counted(found, whose, 1.0 / roots, BITS))
    from scipy.sparse import vstack  # type: ignore[import-untyped,unused-ignore]

    use, positive, weight = _lively(tone, learn)
    lean = np.concatenate(leans)[:, None].astype(np.float32)
    weights, scale, _ = fit.fit(vstack(parts).tocsr()[use], positive[use], weight[use], lean[use], strength=RELIEF, steps=60)
    added = stepped(weights / max(float(scale[0]), 0.1))
    made = dict(arrays)
    for name in (name + kind for name in ("tone", "fast") for kind in EXPERTS):
        if name in arrays:
            made[name] = np.clip(arrays[name].astype(np.int16) + added, -LARGEST, LARGEST).astype(np.int16)
    return made


def _from(steps: int, before: Raw | None, name: str) -> dict[str, Any]:
    """How long to fit, and where from: a third of the way where most of it has been gone."""
    return {"steps": steps} if before is None else {"steps": steps // 3, "start": before[name]}


def _of_kind(corpus: Corpus, kind: str) -> Bools:
    """The rows that an expert of this kind learns from: all of them where none from the wild is known to be of it."""
    if not kind or kind[1:] not in {row.kind for row in corpus.rows if row.group not in WRITTEN}:
        return np.ones(len(corpus.rows), bool)
    return np.array([row.kind in (None, kind[1:]) and row.group not in UNLIKE for row in corpus.rows])


def _lively(corpus: Corpus, learn: Bools) -> tuple[Bools, Bools, NDArray[np.float64]]:
    """The rows that are not neutral, which are positive, and the importance of each row."""
    labels = np.array([row.label for row in corpus.rows])
    return learn & (labels != "neu"), labels == "pos", importance_of(corpus)


def importance_of(corpus: Corpus) -> NDArray[np.float64]:
    """Of each row: domains count by a root of their size; what was written for training counts as one domain a group."""
    domains = [row.group if row.group in WRITTEN else row.domain for row in corpus.rows]
    counts: NDArray[np.float64] = balance_of(domains, 0.25) * np.array([COUNTS.get(row.group, 1.0) for row in corpus.rows])
    return counts


def _joint(corpus: Corpus, learn: Bools, grams: Grams, steps: int, before: Raw | None = None) -> Raw:
    """What parts pos from neg, and neutral from both, in all texts and in those of a kind: of characters, then of words."""
    use, positive, weight = _lively(corpus, learn)
    raw: Raw = {}
    for kind in EXPERTS:
        name, mine = f"tone{kind}", use & _of_kind(corpus, kind)
        how = _from(steps if not kind else min(steps, 60), before, name)
        raw[name] = fit.fit(grams.both[mine], positive[mine], weight[mine], voided=1 << BITS, **how)[0]
    if before is not None:  # how likely neutral is rests on its head, and that on these very weights
        return {**raw, "neutral": before["neutral"], "neutral_post": before["neutral_post"]}
    flat, known = np.array([row.label == "neu" for row in corpus.rows]), _with_neutral(corpus)
    unlike = np.array([row.group in UNLIKE for row in corpus.rows])
    calm = learn & ~unlike & (known | (np.arange(len(flat)) % 4 == 0))
    raw["neutral"] = fit.fit(grams.both[calm], flat[calm], weight[calm], voided=1 << BITS, steps=30)[0]
    calm = learn & known & _of_kind(corpus, "_post")
    raw["neutral_post"] = raw["neutral"]
    if (flat & calm).any():
        raw["neutral_post"] = fit.fit(grams.both[calm], flat[calm], None, voided=1 << BITS, steps=40)[0]
    return raw


def _beside(raw: Raw, name: str, kind: str) -> fit.Floats:
    """An expert's weights, averaged with what holds for all texts."""
    return raw[name] if not kind else (1 - EXPERT) * raw[name] + EXPERT * raw[f"{name}{kind}"]


def _tables(raw: Raw, fast: Raw | None) -> Arrays:
    """Weights as stored. fast: those of characters fitted alone, where they are to be averaged with."""
    made: Arrays = {}
    for kind in EXPERTS:
        both = _beside(raw, "tone", kind)
        chars, words = both[: 1 << BITS], both[1 << BITS :] * wordgrams.LIFT
        if fast is not None:
            chars, words = JOINT * chars + (1 - JOINT) * _beside(fast, "fast", kind), JOINT * words
        made[f"tone{kind}"], made[f"tone{kind}_words"] = stepped(chars), stepped(words)
    for name in ("neutral", "neutral_post"):
        made[name] = stepped(raw[name][: 1 << BITS])
        made[f"{name}_words"] = stepped(raw[name][1 << BITS :] * wordgrams.LIFT)
    return made


def _with_neutral(corpus: Corpus) -> Bools:
    """Rows of domains where neutral is a label."""
    has_neutral = {row.domain for row in corpus.rows if row.label == "neu"}
    return np.array([row.domain in has_neutral for row in corpus.rows])


def stepped(weights: NDArray[np.float32]) -> NDArray[np.int16]:
    """Weights of tone in whole steps, small enough that their sums fit the fields of a packed table."""
    made: NDArray[np.int16] = np.clip(np.rint(weights * STEPS), -LARGEST, LARGEST).astype(np.int16)
    made[0] = 0
    return made


def _bayes(corpus: Corpus, learn: Bools, cut: list[list[str]]) -> Arrays:
    sample = [(words, row.label) for words, row, use in zip(cut, corpus.rows, learn, strict=True) if use and row.label != "neu"]
    words, counts = bayes.keep_apart(*bayes.count(sample, at_least=3))
    return {"bayes_words": np.frombuffer("\n".join(words).encode(), np.uint8), "bayes_counts": counts}


def _tone_heads(corpus: Corpus, arrays: Arrays) -> Arrays:
    """The heads, calibrated on texts from the wild: those written for training are harder, and made up in other shares."""
    wild = {row.kind for row in corpus.rows if row.group not in WRITTEN}
    rows = enumerate(zip(corpus.rows, corpus.folds, strict=True))
    held = part_of(
        corpus,
        [i for i, (row, fold) in rows if fold == CHECK and (row.group not in WRITTEN or row.kind not in wild)],
    )
    model, batch = Model(arrays), features.batch_of(held.readings)
    words = wordgrams.words_of(batch.raw, segment.cut_all(held.readings.bodies))
    labels = np.array([("neg", "neu", "pos").index(row.label) for row in held.rows])
    known = _with_neutral(held)
    weight = importance_of(held) * np.where(known, NEUTRAL_KNOWN, 1.0)
    closed = ~known & np.array([row.kind == "post" for row in held.rows])
    made: Arrays = {"tone_priors": np.array(UNREAD, np.float32)}
    for name, names, columns in (
        ("tone_head", TONE, model.tone_columns(batch, words)),
        ("fast_head", FAST, model.tone_columns(batch, None)),
    ):
        made[name] = fit.fit_softmax(np.stack([columns[n] for n in names], 1), labels, weight, closed)
    return made
