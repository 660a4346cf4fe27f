"""A score → the words and clauses that carried it, with weights that add up to its log-odds.

Every figure that a head reads is taken as a sum over characters and a rest that no character carries, and so is every sum of
such figures: what the heads do to them is done to the parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nlp import features, segment
from nlp.clauses import Clause, clauses_of
from nlp.convolution import tokens_of
from nlp.features import TONE_UNIT, UNIT, Batch, Columns, Weights
from nlp.heads import Head
from nlp.results import Explanation, Part, Score
from nlp.scorer import OWN, Model, ranked_of
from nlp.stance import Regions
from nlp.text import PLACEHOLDERS
from nlp.wordgrams import Words, words_of

Floats = NDArray[np.float64]
_RESTS = {"asks": "asking", "seeks": "asking", "news": "news"} | dict.fromkeys(
    (
        "named", "names", "tagged_rival", "place", "listed", "place_last", "density", "times", "overlap", "target_length",
        "claim", "leaning", "overlap_claim", "share_own", "share_near",
    ),
    "naming",
)  # fmt: skip
_USUAL = {"overlap": 1.0, "share_own": 1.0}  # of a text that is all about the target: that much says nothing of this one
_MARKS = frozenset("，。！？；、：,!?;:~…. \n")  # what starts here is about what follows


@dataclass(frozen=True, slots=True)
class Sum:
    """A figure in parts. at: what each character carries; rest: what none does, by what it comes from."""

    at: Floats
    rest: dict[str, float] = field(default_factory=dict)

    def times(self, factor: float) -> Sum:
        """Every part so many times."""
        return Sum(self.at * factor, {code: value * factor for code, value in self.rest.items()})

    def plus(self, other: Sum) -> Sum:
        """Both figures, added up."""
        codes = self.rest.keys() | other.rest.keys()
        return Sum(self.at + other.at, {code: self.rest.get(code, 0.0) + other.rest.get(code, 0.0) for code in sorted(codes)})

    def more(self, code: str, value: float) -> Sum:
        """With something that no character carries."""
        return self.plus(Sum(np.zeros(len(self.at)), {code: value}))


@dataclass(frozen=True, slots=True)
class Reading:
    """One text as the model reads it. names: what its placeholders stand for, in order."""

    model: Model
    batch: Batch
    cut: list[str]
    words: Words
    weights: Weights
    names: Sequence[str]

    @property
    def post(self) -> float:
        """How much of a post, rather than of a review, it is."""
        return float(self.weights.post[0])


def reading_of(model: Model, batch: Batch, names: Sequence[str]) -> Reading:
    """A batch of one text, read."""
    cut = segment.cut(batch.readings.bodies[0])
    words = words_of(batch.raw, [cut])
    return Reading(model, batch, cut, words, model.tone_weights(batch, words), names)


def explain_tone(text: Reading, score: Score) -> tuple[Explanation, Explanation]:
    """Why the text reads positive or negative, and why it reads neutral."""
    model, everywhere = text.model, np.ones(len(text.batch.raw), bool)
    columns = model.tone_columns(text.batch, text.words, text.weights)
    parts = _voices(text, everywhere, everywhere)
    lively, neutral = (_summed(head, parts, columns) for head in (model.lively_head, _neutral_head(model)))
    sure = [float(head.logits(columns)[0]) for head in (model.lively_head, _neutral_head(model))]
    return (
        _explanation(text, score, "tone", sure[0], lively),
        _explanation(text, score, "neutral", sure[1] - sure[0] / 2, neutral.plus(lively.times(-0.5))),
    )


def explain_stance(text: Reading, regions: Regions, target: str, score: Score) -> tuple[Explanation, Explanation]:
    """Why the text is for or against the target, and why it takes no stance."""
    model, batch, weights, words = text.model, text.batch, text.weights, text.words
    columns, none, side = model.stance_logits(batch, regions, [target], weights, words)
    more = [float(one[0]) for one in model.second_thoughts(batch, regions, [target], columns, none, side)]
    final = model.stances(batch, regions, [target], weights, words)[0]
    taking, siding = _stance_sums(text, regions, target, columns)
    siding = siding.more("again", more[1])
    ranked = float(ranked_of(columns, regions)[0])
    if ranked:
        siding = siding.more("comparison", float(side[0]) + more[1] - _total(siding))
    taking = taking.more("again", more[0])
    silent = float(np.log(final[2] / (1.0 - final[2])))
    if (by_rule := silent - float(none[0]) - more[0]) and abs(by_rule) > 1e-6:
        taking = taking.more("comparison" if ranked else "others", by_rule)
    return (
        _explanation(text, score, "stance", float(side[0]) + more[1], siding, more[1]),
        _explanation(text, score, "none", silent, taking, more[0]),
    )


def _stance_sums(text: Reading, regions: Regions, target: str, columns: Columns) -> tuple[Sum, Sum]:
    """The log-odds of none, and of favor, in parts; a comparison and a second reading not counted."""
    model, batch = text.model, text.batch
    own = _voices(text, ~regions.rival, ~regions.rival)
    tone, neutral = (_summed(head, own, _own_figures(text, columns)) for head in (model.lively_head, _neutral_head(model)))
    parts = _stance_parts(text, regions, columns, tone)
    grams = _gram_sums(text, regions, columns)
    general = [
        _summed(head, {**parts, "_": gram}, columns)
        for head, gram in zip((model.none_head, model.side_head), grams, strict=True)
    ]
    trust = float(model.trust(columns)[0])
    general[1] = general[1].times(trust).plus(tone.times(1.0 - trust))
    at, rest = model.convolution.parts(tokens_of(batch, regions, text.words), len(batch.raw))
    for which, how in enumerate(model.mixes.tolist()):
        said = Sum(at[which], {"base": float(rest[which])})
        general[which] = _mixed(how, general[which], said, float(columns["claim"][0]), text.post)
    keys = model.keys_of([target])
    if not keys.any():
        return general[0], general[1]
    root = float(np.sqrt(np.maximum(batch.sums(text.weights.counts), 1.0))[0]) * UNIT
    voices = dict(zip(OWN, (*general, tone, neutral), strict=True))
    known = []
    for which, table in enumerate((model.none_table, model.side_table)):
        at = np.zeros(len(batch.raw))
        for buckets, places in features.target_grams(batch, text.words, keys, model.stance_bits):
            np.add.at(at, places, table[buckets] / root)
        *believed, bias = _own_weights(model, keys[0], which)
        total = Sum(at, {"base": bias})
        for name, factor in zip(OWN, believed, strict=True):
            total = total.plus(voices[name].times(factor))
        known.append(total)
    return known[0], known[1]


def _mixed(how: list[float], table: Sum, said: Sum, claim: float, post: float) -> Sum:
    """As `nlp.scorer.mixed`."""
    tables, tables_in_posts, words, words_in_posts, more, more_in_posts, shift = how
    if claim:
        return table.more("base", shift * post)
    both = table.times(tables + tables_in_posts * post).plus(said.times(words + words_in_posts * post))
    return both.more("base", more + (more_in_posts + shift) * post)


def _neutral_head(model: Model) -> Head:
    """The head that parts neu from neg."""
    return model._tone_heads[0]


def _own_weights(model: Model, key: np.uint64, which: int) -> list[float]:
    """How far each of the log-odds in `OWN` is believed for none (0) or favor (1) toward a target of its own; the bias."""
    return [float(value) for value in model._own_heads[np.searchsorted(model._adapted, key), which]]


def _own_figures(text: Reading, columns: Columns) -> Columns:
    """What the tone heads read of the target's own words besides what characters carry."""
    return {"length": columns["length_own"], "asks": columns["asks"], "post": text.weights.post}


def _voices(text: Reading, mask: NDArray[np.bool_], spoken: NDArray[np.bool_]) -> dict[str, Sum]:
    """What the tone heads read, in parts; mask: the characters that count; spoken: those whose words Bayes hears."""
    weights, post = text.weights, text.post
    found = {"lean": _lean(text, weights.tone, mask), "flat": _lean(text, weights.neutral, mask)}
    found["strength"] = found["lean"].times(float(np.sign(found["lean"].at.sum())))
    found |= {f"{name}_post": one.times(post) for name, one in found.items()}
    said, at = np.zeros(len(text.batch.raw)), 0
    heard = text.batch.raw[text.words.at] != 0
    heard &= spoken[text.words.at]
    root = float(np.sqrt(heard.sum() + 1.0))
    for word, odds, counts in zip(text.cut, text.model.voice.odds_of(text.words.hashes), heard, strict=False):
        said[at : at + len(word)] += odds * counts / len(word) / root
        at += len(word)
    found["bayes"] = Sum(said, {"base": text.model.voice.prior / root})
    found["bayes_strength"] = found["bayes"].times(float(np.sign(_total(found["bayes"]))))
    return found


def _lean(text: Reading, values: features.Ints, mask: NDArray[np.bool_]) -> Sum:
    held = float((text.weights.counts * mask).sum())
    return Sum(values * mask / (np.sqrt(max(held, 1.0)) * TONE_UNIT))


def _stance_parts(text: Reading, regions: Regions, columns: Columns, tone: Sum) -> dict[str, Sum]:
    """What the stance heads read, in parts, but for what no character carries."""
    own, weights = ~regions.rival, text.weights
    found = {"lean": _lean(text, weights.tone, np.ones(len(own), bool)), "tone": tone, "tone_post": tone.times(text.post)}
    found["flat"] = _lean(text, weights.neutral, np.ones(len(own), bool))
    for region, mask in (
        ("own", own), ("rival", regions.rival), ("near", regions.near), ("last", regions.last),
        ("since", own & regions.since), ("before", own & ~regions.since),
    ):  # fmt: skip
        found[f"lean_{region}"] = _lean(text, weights.tone, mask)
        found[f"flat_{region}"] = _lean(text, weights.neutral, mask)
    figure: Callable[[str], float] = lambda name: float(columns[name][0])  # noqa: E731
    short = figure("lean_short") != 0
    return found | {
        "strength": found["lean_own"].times(float(np.sign(figure("lean_own")))),
        "lean_claim": found["lean_own"].times(figure("claim")),
        "lean_short": found["lean_own"].times(float(short)),
        "agrees": found["lean"].times(figure("leaning")),
        "agrees_overlap": found["lean"].times(figure("leaning") * figure("overlap")),
    }


def _gram_sums(text: Reading, regions: Regions, columns: Columns) -> tuple[Sum, Sum]:
    """The grams of stance, for none and for favor."""
    model, batch = text.model, text.batch
    none, side = np.zeros(len(batch.raw)), np.zeros(len(batch.raw))
    kinds = features.stance_grams(batch, regions, columns["claim"] > 0, model.stance_bits)
    for found, scale in zip(kinds, features.scales_of(batch, kinds, text.weights.counts), strict=True):
        for buckets, at in found:
            np.add.at(none, at, model.none_table[buckets] * (scale[0] / UNIT))
            np.add.at(side, at, model.side_table[buckets] * (scale[0] / UNIT))
    return Sum(none), Sum(side)


def _summed(head: Head, parts: dict[str, Sum], columns: Columns) -> Sum:
    """A head's log-odds in parts: of the figures that characters carry, and of all others."""
    total = Sum(np.zeros(len(next(iter(parts.values())).at)), {"base": head.bias})
    for name, weight in zip(head.names, head.weights, strict=True):
        if name in parts:
            total = total.plus(parts[name].times(weight))
        else:
            usual = _USUAL.get(name, 0.0)
            total = total.more(_RESTS.get(name, "base"), weight * (float(columns[name][0]) - usual)).more(
                "base", weight * usual
            )
    return total


def _total(sum_: Sum) -> float:
    return float(sum_.at.sum()) + sum(sum_.rest.values())


def _explanation(text: Reading, score: Score, of: str, log_odds: float, carried: Sum, again: float = 0.0) -> Explanation:
    """log_odds: what the parts add up to, by the model's own arithmetic."""
    body, readings = text.batch.readings.bodies[0], text.batch.readings
    found = clauses_of(body, rival_first=readings.tagged_rival[0] and not readings.tagged_target[0])
    spans = [span for span in found if body[span.start : span.end].strip(" .")] or [Clause(0, len(body), "target")]
    at = _forward(carried.at, body)
    names = iter(text.names)
    clauses, start = [], 0
    for span, stop in zip(spans, [*(span.start for span in spans[1:]), len(body)], strict=True):
        said = "".join(_spelled(body[start:stop], names)).strip()
        clauses.append(Part(said, round(float(at[start:stop].sum()), 6), span.owner))
        start = stop
    parts, start, names = [], 0, iter(text.names)
    for word in text.cut:
        owner = next((span.owner for span in reversed(spans) if span.start <= start), spans[0].owner)
        weight = round(float(at[start : start + len(word)].sum()), 6)
        parts.append(Part("".join(_spelled(word, names)), weight, owner))
        start += len(word)
    rest = round(log_odds - sum(part.weight for part in parts), 6)
    rests = tuple((code, round(value, 6)) for code, value in carried.rest.items() if abs(value) > 1e-6)
    return Explanation(score, of, round(log_odds, 6), tuple(clauses), tuple(parts), rest, round(again, 6), rests)


def _spelled(words: str, names: Iterator[str]) -> Iterator[str]:
    """The characters, each placeholder as the next name."""
    for sign in words:
        yield next(names, sign) if sign in PLACEHOLDERS else sign


def _forward(at: Floats, body: str) -> Floats:
    """What starts at a punctuation mark or a space given to the word behind it, of which it speaks."""
    moved = at.copy()
    for place in range(len(body) - 1):
        if body[place] in _MARKS:
            moved[place + 1] += moved[place]
            moved[place] = 0.0
    return moved
