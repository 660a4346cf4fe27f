"""A score → the words and clauses that carried it, with weights that add up to its log-odds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nlp import features, segment
from nlp.clauses import Clause, clauses_of
from nlp.features import TONE_UNIT, UNIT, Batch, Columns, Weights
from nlp.results import Explanation, Part, Score
from nlp.scorer import OWN, Model
from nlp.stance import Regions
from nlp.wordgrams import words_of

Floats = NDArray[np.float64]


def explain_tone(model: Model, batch: Batch, score: Score) -> Explanation:
    """Why the text reads positive or negative; batch: that one text."""
    words = segment.cut(batch.readings.bodies[0])
    hashed = words_of(batch.raw, [words])
    weights = model.tone_weights(batch, hashed)
    columns = model.tone_columns(batch, hashed, weights)
    head = model.lively_head
    weight = dict(zip(head.names, head.weights, strict=True))
    root = float(np.sqrt(np.maximum(batch.sums(weights.counts), 1.0))[0])
    lean = weight["lean"] + weight["lean_post"] * float(weights.post[0])
    per_character = weights.tone.astype(np.float64) * (lean / (root * TONE_UNIT))
    per_word = model.voice.odds_of(hashed.hashes[:-1]) * weight["bayes"] / (len(words) + 1) ** 0.5
    at = 0
    for word, said in zip(words, per_word, strict=True):
        per_character[at : at + len(word)] += said / len(word)
        at += len(word)
    return _explanation(score, "tone", float(head.logits(columns)[0]), batch, per_character, words)


def explain_stance(model: Model, batch: Batch, regions: Regions, target: str, score: Score) -> Explanation:
    """Why the text is for or against the target."""
    words = segment.cut(batch.readings.bodies[0])
    hashed = words_of(batch.raw, [words])
    weights = model.tone_weights(batch, hashed)
    columns, none, side = model.stance_logits(batch, regions, [target], weights, hashed)
    again = float(model.second_thoughts(batch, regions, [target], columns, none, side)[1][0])
    keys = model.keys_of([target])
    own = dict(zip(OWN, model.own_head(keys[0]), strict=True)) if keys.any() else {}
    trust = float(model.trust(columns)[0])
    believed, of_tone = (own["side"], own["tone"]) if own else (trust, 1.0 - trust)
    weight = {name: believed * value for name, value in zip(model.side_head.names, model.side_head.weights, strict=True)}
    post = float(weights.post[0])
    weight["tone"] += weight["tone_post"] * post + of_tone
    tone = dict(zip(model.lively_head.names, model.lively_head.weights, strict=True))
    lean = tone["lean"] + tone["lean_post"] * post
    per_character = weights.tone * _tone_share(batch, regions, columns, weight, lean, weights)
    odds = model.voice.odds_of(hashed.hashes[:-1])
    starts = np.cumsum([0, *map(len, words)])
    ours = [not regions.rival[start] for start in starts[:-1]]
    rate = weight["tone"] * tone["bayes"] / (sum(ours) + 1) ** 0.5
    for start, word, said, is_own in zip(starts, words, odds, ours, strict=False):
        per_character[start : start + len(word)] += rate * said * is_own / len(word)
    root = float(np.sqrt(np.maximum(batch.sums(weights.counts), 1.0))[0]) * UNIT
    kinds = features.stance_grams(batch, regions, columns["claim"] > 0, model.stance_bits)
    for found, scale in zip(kinds, features.scales_of(batch, kinds, weights.counts), strict=True):
        for buckets, at in found:
            np.add.at(per_character, at, model.side_table[buckets] * (weight["_"] * scale[0] / UNIT))
    if keys.any():
        for buckets, at in features.target_grams(batch, hashed, keys, model.stance_bits):
            np.add.at(per_character, at, model.side_table[buckets] / root)
    return _explanation(score, "stance", float(side[0]), batch, per_character, words, again)


def _tone_share(
    batch: Batch, regions: Regions, columns: Columns, weight: dict[str, float], lean: float, weights: Weights
) -> Floats:
    """What one unit of tone at each character adds to the stance's log-odds, through the columns that are linear in it."""
    whole = weight["lean"] + weight["agrees"] * columns["leaning"][0]
    whole += weight["agrees_overlap"] * columns["leaning"][0] * columns["overlap"][0]
    short = float(columns["length"][0] * 5 < np.log(features.SHORT))
    own = weight["tone"] * lean + weight["lean_own"] + weight["lean_claim"] * columns["claim"][0] + weight["lean_short"] * short
    share = np.zeros(len(batch.raw))
    for mask, rate in (
        (np.ones(len(batch.raw), bool), whole),
        (~regions.rival, own),
        (regions.rival, weight["lean_rival"]),
        (regions.near, weight["lean_near"]),
        (regions.last, weight["lean_last"]),
        (~regions.rival & regions.since, weight["lean_since"]),
        (~regions.rival & ~regions.since, weight["lean_before"]),
    ):
        share += mask * rate / (np.sqrt(max(float((weights.counts * mask).sum()), 1.0)) * TONE_UNIT)
    return share


def _explanation(
    score: Score, of: str, log_odds: float, batch: Batch, per_character: Floats, words: Sequence[str], again: float = 0.0
) -> Explanation:
    """log_odds: of the linear model; again: what a second reading adds to them."""
    body, readings = batch.readings.bodies[0], batch.readings
    found = clauses_of(body, rival_first=readings.tagged_rival[0] and not readings.tagged_target[0])
    spans = [span for span in found if body[span.start : span.end].strip(" .")] or [Clause(0, len(body), "target")]
    bounds = [*(span.start for span in spans[1:]), len(body)]
    clauses, start = [], 0
    for span, stop in zip(spans, bounds, strict=True):
        clauses.append(Part(body[start:stop].strip(), round(float(per_character[start:stop].sum()), 6), span.owner))
        start = stop
    parts, at = [], 0
    for word in words:
        said = float(per_character[at : at + len(word)].sum())
        owner = next((span.owner for span in reversed(spans) if span.start <= at), spans[0].owner)
        parts.append(Part(word, round(said, 6), owner))
        at += len(word)
    carried = sum(part.weight for part in parts)
    log_odds += again
    rest = round(log_odds - carried, 6)
    return Explanation(score, of, round(log_odds, 6), tuple(clauses), tuple(parts), rest, round(again, 6))
