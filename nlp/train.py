"""Labelled texts → model: a pure function of its corpora.

One fold in ten (`corpora.TEST`) is never learnt from: `judge` reports on it. Another (`CHECK`) calibrates the heads over tables
that have not seen it; then the tables of tone are learnt once more with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from nlp import bayes, features, fit, segment, wordgrams
from nlp.corpora import (
    OURS,
    TEST,
    Corpus,
    Labelled,
    corpus_of,
    owner_review,
    part_of,
    recast,
)
from nlp.features import BITS, GATE_BITS, LARGEST, STANCE_BITS, STEPS, UNIT, Batch
from nlp.model import FORMAT
from nlp.scorer import FAST, NONE, OWN, SIDE, TONE, Model

CHUNK = 4000
CHECK = 1  # the fold that calibrates
EMPHASIS = {"recast": 2.0, "two": 2.0, "negfin": 2.0, "written": 4.0}  # what the product reads most counts most
AGAINST = {"negfin": 3.0}  # beside that, where favor is parted from against: news of a disaster is rarely praise
EXPERTS = ("", "_post", "_review")  # tables of all texts, of posts, of short reviews
EXPERT = 0.5  # how much the table of a kind of text counts beside the table of all
JOINT = 0.6  # how much the tables of characters and words fit together count beside the table of characters alone
RELIEF = 5.0  # inverse of the L2 penalty on what grams of denied troubles say
NEUTRAL_KNOWN = 4.0  # only corpora that know a neutral class can teach how likely it is
ADAPTER = 3.0  # inverse of the L2 penalty on what is said of single targets
OWN_SCALE = 0.3  # of the general log-odds beside what is said of a single target
NONE_STRENGTH, SIDE_STRENGTH = 1.5, 0.1  # inverse of the L2 penalty on what is said of all targets
KNOWN_COUNT = 0.25  # how much a row toward a target with weights of its own says of how likely a stance is toward others
ADAPTED = 300  # labelled rows from which a target gets weights of its own
Bools = NDArray[np.bool_]
Say = Callable[[str], None]
Arrays = dict[str, NDArray[np.generic]]
Raw = dict[str, fit.Floats]


def train(rows: Sequence[Labelled], say: Say = lambda line: None, *, recasts: int = 45_000, refit: bool = True) -> Arrays:
    """The arrays of a model. rows: of tone and of stance, together; say: is told what is done.

    refit: learn the tables of tone once more with the fold that calibrated their heads.

    The linear algebra runs in one thread, since several add numbers up in an order of their own each time: all of it is
    imported first, since only libraries that are loaded can be held to one thread. How far runs agree: the model card.
    """
    import scipy.optimize  # type: ignore[import-untyped,unused-ignore]
    import scipy.sparse  # type: ignore[import-untyped,unused-ignore]  # noqa: F401

    with threadpool_limits(limits=1):
        return _train(rows, say, recasts, refit=refit)


def _train(rows: Sequence[Labelled], say: Say, recasts: int, *, refit: bool) -> Arrays:
    owners = [made for row in rows if (made := owner_review(row))]
    tone = corpus_of([row for row in rows if not row.target] + owners)
    say(f"tone: {len(tone.rows)} texts")
    arrays, halves = train_tone(tone, say, refit=refit)
    stance = corpus_of([row for row in rows if row.target and not owner_review(row)] + recast(tone, recasts))
    say(f"stance: {len(stance.rows)} texts")
    return {"format": np.array([FORMAT]), **arrays, **train_stance(stance, arrays, halves)}


def train_tone(tone: Corpus, say: Say = lambda line: None, *, refit: bool = True) -> tuple[Arrays, list[Arrays]]:
    """The arrays of tone; and twice its tables, learnt on the odd and on the even folds alone."""
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
    if refit:
        again, _ = _voices(tone, folds != TEST, grams, raw)
        arrays = _with_relief(tone, folds != TEST, {**again, **gate})
    return {**arrays, **heads}, [{**heads, **half} for half in halves]


# ------------------------------------------------------------------------------------------------------------ tone


@dataclass(frozen=True, slots=True)
class Grams:
    """Of each text of a corpus, as CSR: its character grams, both them and its word grams, its grams of one and two characters;
    and its words."""

    chars: Any
    both: Any
    short: Any
    cut: list[list[str]]


def _batches(corpus: Corpus) -> list[Corpus]:
    return [part_of(corpus, range(i, min(i + CHUNK, len(corpus.rows)))) for i in range(0, len(corpus.rows), CHUNK)]


def _grams_of(corpus: Corpus) -> Grams:
    from scipy.sparse import hstack, vstack  # type: ignore[import-untyped,unused-ignore]

    chars, words, short, cut = [], [], [], []
    for part in _batches(corpus):
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
        weight = _balance(kinds.tolist(), 0.5)
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
    for part in _batches(tone):
        batch = features.batch_of(part.readings)
        words = wordgrams.words_of(batch.raw, segment.cut_all(part.readings.bodies))
        leans.append(model.tone_columns(batch, words)["lean"])
        found = features.relief_grams(batch)
        roots = np.sqrt(np.maximum(batch.sums(features.grams_at(batch)), 1.0))
        whose = np.repeat(np.arange(batch.size), np.diff(batch.starts))
        parts.append(_counted(found, whose, 1.0 / roots, BITS))
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
    """The rows that an expert of this kind learns from: all of them where the corpus has none that is known to be of it."""
    kinds = [row.kind for row in corpus.rows]
    if not kind or kind[1:] not in kinds:
        return np.ones(len(kinds), bool)
    return np.array([one in (None, kind[1:]) for one in kinds])


def _lively(corpus: Corpus, learn: Bools) -> tuple[Bools, Bools, NDArray[np.float64]]:
    """The rows that are not neutral, which are positive, and the importance of each row."""
    labels = np.array([row.label for row in corpus.rows])
    return learn & (labels != "neu"), labels == "pos", _balance([row.domain for row in corpus.rows], 0.25)


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
    calm = learn & (known | (np.arange(len(flat)) % 4 == 0))
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


def fixed(weights: NDArray[np.float32], step: int = 16) -> NDArray[np.int16]:
    """Weights of stance in fixed point, in steps of 1/64, so that the file packs well."""
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
    known = _with_neutral(held)
    weight = _balance([row.domain for row in held.rows], 0.25) * np.where(known, NEUTRAL_KNOWN, 1.0)
    closed = ~known & np.array([row.kind == "post" for row in held.rows])
    shares = np.bincount(labels, minlength=3) / len(labels)
    made: Arrays = {"tone_priors": shares.astype(np.float32)}
    for name, names, columns in (
        ("tone_head", TONE, model.tone_columns(batch, words)),
        ("fast_head", FAST, model.tone_columns(batch, None)),
    ):
        made[name] = fit.fit_softmax(np.stack([columns[n] for n in names], 1), labels, weight, closed)
    return made


# ---------------------------------------------------------------------------------------------------------- stance


def train_stance(corpus: Corpus, arrays: Arrays, halves: list[Arrays]) -> Arrays:
    """The stance tables and heads over finished tone arrays; then what is said of single targets, on top of them.

    The general tables learn nothing from targets that get weights of their own: what they say of those is then what they
    say of a target never seen, and the weights learn how far to believe it.
    """
    keys = np.array(sorted(int(features.target_key(target)) for target in adapted(corpus.rows)), np.uint64)
    matrix, columns, own = _stance_matrix(corpus, {**arrays, "adapted": keys}, halves)
    labels, folds = np.array([row.label for row in corpus.rows]), np.array(corpus.folds)
    general = own.getnnz(axis=1) == 0
    made: Arrays = {"adapted": keys}
    parts = (
        ("none", labels == "none", NONE, np.ones(len(labels), bool), NONE_STRENGTH, 0.3),
        ("side", labels == "favor", SIDE, labels != "none", SIDE_STRENGTH, 0.5),
    )
    tables = {}
    for name, yes, names, use, strength, dense_scale in parts:
        weight = _stance_weights(corpus.rows, yes, even=name == "side") * np.where(general, 1.0, KNOWN_COUNT)
        dense = np.stack([columns[column] for column in names], 1)
        check, learn = (folds == CHECK) & use & general, (folds > CHECK) & use & general
        table, head, logits = _stance_head(matrix, dense, yes, weight, learn, check, strength, dense_scale)
        if name == "none":  # targets with weights of their own taught no table: all their rows may tell how likely a stance is
            known = ~general & (folds != TEST) & (columns["claim"] == 0)
            shift = _shift_in_posts(logits, columns["post"], yes, weight, check | known)
            head[names.index("post")] += shift
            logits += shift * columns["post"]
        tables[name], made[f"{name}_head"], columns[name] = table, head, logits
    heads = np.zeros((len(keys), 2, len(OWN) + 1))
    whose = Model({**arrays, "adapted": keys}).keys_of([row.target for row in corpus.rows])
    for which, (name, yes, _, use, _, _) in enumerate(parts):
        dense = np.stack([columns[column] for column in OWN], 1)
        extra, heads[:, which] = _own_voices(own, dense, yes, use & (folds != TEST), folds == CHECK, whose, keys)
        made[name] = fixed(_to_float(tables[name]) + extra)
    made["own_heads"] = heads
    return made


def _stance_weights(rows: Sequence[Labelled], yes: Bools, *, even: bool) -> NDArray[np.float64]:
    """Importance: groups count by the root of their size; even: within a group both answers count the same."""
    groups = [row.group for row in rows]
    weight: NDArray[np.float64] = _balance(groups, 0.5) * np.array([EMPHASIS.get(group, 1.0) for group in groups])
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
) -> tuple[NDArray[np.int16], NDArray[np.float64], NDArray[np.float64]]:
    """Gram weights, the calibrated head (columns, grams, bias), and the log-odds it gives each row."""
    mean, spread = dense.mean(0), dense.std(0) + 1e-6
    scaled = ((dense - mean) / spread * scale).astype(np.float32)
    found, inner, bias = fit.fit(matrix[learn], yes[learn], weight[learn], scaled[learn], strength=strength, steps=50)
    table, weights = fixed(found), inner * scale / spread
    logits = matrix @ (_to_float(table)) + dense @ weights + bias - mean @ weights
    slope, shift = fit.fit_platt(logits[check], yes[check], weight[check])
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
        words = wordgrams.words_of(batch.raw, segment.cut_all(part.readings.bodies))
        columns.append(_columns_of(batch, regions, words, part, targets, full, half_models))
        kinds = features.stance_grams(batch, regions, columns[-1]["claim"] > 0)
        scales = features.scales_of(batch, kinds, counts)
        parts.append(sum(_counted(found, whose, scale) for found, scale in zip(kinds, scales, strict=True)))
        own.append(_counted(list(features.target_grams(batch, words, full.keys_of(targets))), whose, scales[0]))
    return vstack(parts).tocsr(), {name: np.concatenate([c[name] for c in columns]) for name in columns[0]}, vstack(own).tocsr()


def _counted(found: list[features.Found], whose: NDArray[np.intp], scale: NDArray[np.float64], bits: int = STANCE_BITS) -> Any:
    rows = np.concatenate([whose[at] for _, at in found] or [np.zeros(0, np.intp)])
    return fit.matrix(rows, np.concatenate([b for b, _ in found] or [np.zeros(0, np.intp)]), 1.0 / scale, 1 << bits)


def _columns_of(
    batch: Batch, regions: Any, words: wordgrams.Words, part: Corpus, targets: list[str], full: Model, halves: list[Model]
) -> dict[str, NDArray[np.float64]]:
    columns = full.stance_columns(batch, regions, targets, full.tone_weights(batch, words), words)
    made = np.array([bool(row.made_of) for row in part.rows])
    if made.any():
        odd = np.array([fold % 2 for fold in part.folds])
        for half, model in enumerate(halves):  # halves[0] learnt the odd folds
            unseen = made & (odd == half)
            other = model.stance_columns(batch, regions, targets, model.tone_weights(batch, words), words)
            columns = {name: np.where(unseen, other[name], column) for name, column in columns.items()}
    return columns
