"""The model at work: a batch of readings → tone and stance probabilities."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from nlp import features
from nlp.bayes import Voice
from nlp.convolution import Convolution, tokens_of, words_in
from nlp.features import (
    BITS,
    FIELDS,
    GATE_BITS,
    SHARES,
    STANCE_BITS,
    STEPS,
    UNIT,
    Batch,
    Columns,
    Ints,
    Weights,
)
from nlp.grams import chains, codes_of
from nlp.heads import Column, Head, head_of, sigmoid, softmax, to_ten_thousandths
from nlp.second import Second, doubt_of
from nlp.stance import LEFT, Regions
from nlp.text import normal
from nlp.wordgrams import Words

FAST = ("lean", "flat", "strength", "length", "asks", "post", "lean_post", "flat_post", "strength_post")
VOICES = ("tone", "tone_post", "tone_review", "neutral", "neutral_post")  # tables of each kind of gram, packed as one
OWN = ("none", "side", "tone", "neutral")  # log-odds that the head of a single target reads besides its grams
TONE = (*FAST, "bayes", "bayes_strength")
NONE = (
    "tone", "lean_own", "lean_rival", "lean_near", "flat", "flat_own", "flat_rival", "flat_near", "share_own", "share_near",
    "named", "names", "tagged_rival", "length", "clauses", "asks", "overlap", "target_length", "claim", "place", "strength",
    "post", "listed", "place_last", "density", "times", "seeks", "news",
)  # fmt: skip
SIDE = (  # nothing here tells one corpus from another but by what it says
    "tone", "lean", "lean_own", "lean_rival", "lean_near", "lean_last", "leaning", "agrees", "agrees_overlap", "lean_claim",
    "overlap_claim", "lean_short", "claim", "tone_post", "lean_since", "lean_before",
)  # fmt: skip
BESIDE_NAMES = 0.2  # how far the stance head is believed beside the tone of the target's own clauses, where it is a brand
_REMEMBERED = 10_000  # targets whose own words' tone is kept
_WIN = 2.5  # log-odds that a comparison by rule adds to the side it ranks first
_RANKED = 4.0  # log-odds that a comparison takes from "none"
MIXED_NOT = (1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)  # of a model without a convolution: see `mixed`
_FOREIGN = 3.0  # log-odds of "none" where every clause is a rival's


class Model:
    """Tables and heads of a model file; of one still being made, what is not there yet weighs nothing."""

    def __init__(self, arrays: Mapping[str, NDArray[np.generic]], second: Second | None = None) -> None:
        self._second = second
        self.tone_table = _table(arrays, "tone", 1 << BITS)
        self._chars = _packed(arrays, VOICES)
        self._words = _packed(arrays, tuple(f"{name}_words" for name in VOICES))
        self._fast = _packed(arrays, tuple(name.replace("tone", "fast") for name in VOICES))
        self._gate = _table(arrays, "gate_post", 1 << GATE_BITS).astype(np.int64)
        self._gate += _table(arrays, "gate_review", 1 << GATE_BITS).astype(np.int64) << 32
        self._gate_bias = [float(bias) for bias in arrays.get("gate_bias", np.zeros(2)).astype(np.float64)]
        both = _stances(arrays)
        self.none_table, self.side_table = both[:, 0], both[:, 1]
        self._stances = both.view(np.int32)[:, 0]
        self.stance_bits = len(self.none_table).bit_length() - 1
        self._adapted = np.sort(arrays["adapted"].astype(np.uint64)) if "adapted" in arrays else np.zeros(0, np.uint64)
        self._own_heads = arrays.get("own_heads", np.zeros((0, 2, len(OWN) + 1))).astype(np.float64)
        self._leanings: dict[str, float] = {}
        vocabulary = words_in(arrays["bayes_words"])
        self.voice = Voice(vocabulary, arrays["bayes_counts"].astype(np.uint32))
        self.priors = to_ten_thousandths(arrays.get("tone_priors", np.full(3, 1 / 3)).astype(np.float64)[None])[0]
        self.convolution = Convolution(arrays)
        self.mixes = arrays.get("conv_mix", np.array([MIXED_NOT, MIXED_NOT])).astype(np.float64)
        self._tone_heads = _heads(arrays, "tone_head", TONE)
        self._fast_heads = _heads(arrays, "fast_head", FAST)
        self._none_head = _head(arrays, "none_head", NONE)
        self._side_head = _head(arrays, "side_head", SIDE)

    def tone_weights(self, batch: Batch, words: Words | None) -> Weights:
        """At each character the weights of the grams that start there: tone, neutral, how many; words: None in fast mode."""
        buckets, counts = features.tone_buckets(batch), features.grams_at(batch)
        total = features.weights_at(self._fast if words is None else self._chars, buckets)
        if words is not None:
            features.add_words(total, self._words, features.word_buckets(words))
        shares = self.kinds(batch, buckets[:2])
        tone, neutral = features.blended(total, shares, batch)
        return Weights(tone, neutral, counts, shares[0] / SHARES)

    def kinds(self, batch: Batch, buckets: Sequence[NDArray[np.intp]]) -> tuple[Ints, Ints, Ints]:
        """How much each text is a post, a review, or neither: whole parts, 256 in all. buckets: of one and two characters."""
        at = features.weights_at(self._gate, [one >> (BITS - GATE_BITS) for one in buckets])
        total = np.add.reduceat(at, batch.starts[:-1])
        low = (total << 32) >> 32
        grams = sum(batch.sums((chain != 0).astype(np.int64)) for chain in batch.chains[:2])
        root = np.sqrt(np.maximum(grams, 1.0)) * STEPS
        post = sigmoid(low / root + self._gate_bias[0])
        review = (1.0 - post) * sigmoid(((total - low) >> 32) / root + self._gate_bias[1])
        parts = np.rint(post * SHARES).astype(np.int64), np.rint(review * SHARES).astype(np.int64)
        return parts[0], parts[1], SHARES - parts[0] - parts[1]

    def tone_columns(self, batch: Batch, words: Words | None, weights: Weights | None = None) -> Columns:
        """What the tone heads read; words: None in fast mode, which does without the retrained Bayes."""
        columns = features.tone_columns(batch, weights or self.tone_weights(batch, words))
        if words is not None:
            said = features.bayes_column(batch, words, self.voice)
            columns |= {"bayes": said, "bayes_strength": np.abs(said)}
        return columns

    def tones(self, columns: Columns, *, fast: bool = False) -> NDArray[np.float64]:
        """Probabilities of neg, neu, pos; shape (texts, 3)."""
        flat, lively = self._fast_heads if fast else self._tone_heads
        return softmax(flat.logits(columns), lively.logits(columns))

    def keys_of(self, targets: Sequence[str]) -> NDArray[np.uint64]:
        """The salt of each target that has weights of its own; 0 for others."""
        if not len(self._adapted):
            return np.zeros(len(targets), np.uint64)
        key_of = {target: features.target_key(target) for target in set(targets)}
        keys = np.array([key_of[target] for target in targets], np.uint64)
        return np.where(np.isin(keys, self._adapted), keys, np.uint64(0))

    def stance_columns(self, batch: Batch, regions: Regions, targets: Sequence[str], weights: Weights, words: Words) -> Columns:
        """What the stance heads read besides grams; weights: of `tone_weights`."""
        asked = {normal(target) for target in set(targets)}
        if len(self._leanings) > _REMEMBERED:
            self._leanings.clear()
        for word in asked - self._leanings.keys():
            self._leanings[word] = self._leaning(word)
        leanings = {word: self._leanings[word] for word in asked}
        columns = features.stance_columns(batch, regions, weights, targets, leanings)
        said = features.bayes_column(batch, words, self.voice, regions.rival)
        own = {
            "lean": columns["lean_own"], "flat": columns["flat_own"], "strength": columns["strength"],
            "length": columns["length_own"], "asks": columns["asks"], "bayes": said, "bayes_strength": np.abs(said),
            **features.in_posts(columns["lean_own"], columns["flat_own"], weights.post),
        }  # fmt: skip
        columns["tone"] = self.lively_head.logits(own)
        columns["tone_post"] = columns["tone"] * weights.post
        columns["neutral"] = self._tone_heads[0].logits(own)
        return columns

    def stances(
        self, batch: Batch, regions: Regions, targets: Sequence[str], weights: Weights, words: Words
    ) -> NDArray[np.float64]:
        """Probabilities of favor, against, none; shape (texts, 3)."""
        columns, none, side = self.stance_logits(batch, regions, targets, weights, words)
        more = self.second_thoughts(batch, regions, targets, columns, none, side)
        return _shares(columns, regions, none + more[0], side + more[1])[0]

    def second_thoughts(
        self, batch: Batch, regions: Regions, targets: Sequence[str], columns: Columns, none: Column, side: Column
    ) -> tuple[Column, Column]:
        """What a second reading adds to the log-odds of none and of favor: nothing where the linear model is sure, where a rule
        has decided, toward a claim that has no weights of its own, and without embeddings."""
        if self._second is None:
            return np.zeros(batch.size), np.zeros(batch.size)
        shares, ruled = _shares(columns, regions, none, side)
        keys = self.keys_of(targets)
        doubt = np.where(ruled | ((columns["claim"] > 0) & (keys == 0)), 0.0, doubt_of(shares))
        return self._second.added(batch.readings, keys, none, side, doubt)

    def stance_logits(
        self, batch: Batch, regions: Regions, targets: Sequence[str], weights: Weights, words: Words
    ) -> tuple[Columns, NDArray[np.float64], NDArray[np.float64]]:
        """The columns; log-odds of none over a stance; log-odds of favor over against, comparisons counted."""
        columns = self.stance_columns(batch, regions, targets, weights, words)
        general = np.zeros((2, batch.size))
        kinds = features.stance_grams(batch, regions, columns["claim"] > 0, self.stance_bits)
        for found, scale in zip(kinds, features.scales_of(batch, kinds, weights.counts), strict=True):
            general += np.stack(self._gram_sums(batch, found, UNIT / scale))
        none = self.none_head.logits({**columns, "_": general[0]})
        side = self.side_head.logits({**columns, "_": general[1]})
        trust = self.trust(columns)
        side = trust * side + (1.0 - trust) * columns["tone"]
        said = self.convolution.log_odds(tokens_of(batch, regions, words))
        none, side = mixed(self.mixes[0], none, said[0], columns), mixed(self.mixes[1], side, said[1], columns)
        keys = self.keys_of(targets)
        if keys.any():
            root = np.sqrt(np.maximum(batch.sums(weights.counts), 1.0)) * UNIT
            own = self._gram_sums(batch, features.target_grams(batch, words, keys, self.stance_bits), root)
            known = self._own_logits(keys, {**columns, "none": none, "side": side})
            none = np.where(keys != 0, known[0] + own[0], none)
            side = np.where(keys != 0, known[1] + own[1], side)
        return columns, none, side + _WIN * ranked_of(columns, regions)

    def _gram_sums(
        self, batch: Batch, found: Iterable[features.Found], root: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        none_at, side_at = np.zeros(len(batch.raw)), np.zeros(len(batch.raw))
        for buckets, at in found:
            held = self._stances[buckets].view(np.int16).reshape(-1, 2)
            none_at += np.bincount(at, held[:, 0], len(batch.raw))
            side_at += np.bincount(at, held[:, 1], len(batch.raw))
        return batch.sums(none_at) / root, batch.sums(side_at) / root

    @property
    def lively_head(self) -> Head:
        """The head that parts pos from neg."""
        return self._tone_heads[1]

    @property
    def none_head(self) -> Head:
        """The head that parts none from a stance."""
        return self._none_head

    @property
    def side_head(self) -> Head:
        """The head that parts favor from against."""
        return self._side_head

    def trust(self, columns: Columns) -> NDArray[np.float64]:
        """How far the stance head is believed beside the tone of the target's own words: in reviews of a name the least."""
        in_reviews = np.where(columns["claim"] > 0, 1.0, BESIDE_NAMES)
        return np.asarray(in_reviews + (1.0 - in_reviews) * columns["post"])

    def own_head(self, key: np.uint64) -> list[float]:
        """How far each of the log-odds in `OWN` is believed for favor toward a target with weights of its own."""
        return [float(value) for value in self._own_heads[np.searchsorted(self._adapted, key), 1, :-1]]

    def _own_logits(self, keys: NDArray[np.uint64], columns: Columns) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Log-odds of none and of favor that the heads of single targets give; what they give for others means nothing."""
        place = np.minimum(np.searchsorted(self._adapted, keys), len(self._adapted) - 1)
        logits = []
        for which in (0, 1):
            heads = self._own_heads[place, which]
            total = heads[:, -1].copy()
            for index, name in enumerate(OWN):
                total += heads[:, index] * columns[name]
            logits.append(total)
        return logits[0], logits[1]

    def _leaning(self, words: str) -> float:
        """The tone of a target's own words."""
        codes, _ = codes_of([words])
        held = chains(codes)
        total = int(features.weights_at(self.tone_table, [features.bucket(chain) for chain in held]).sum())
        return float(total / STEPS / max(sum(int((chain != 0).sum()) for chain in held), 1) ** 0.5)


def mixed(how: NDArray[np.float64], table: Column, said: Column, columns: Columns) -> Column:
    """Log-odds of the tables and of the convolution together; toward a claim, whose words the convolution does not see, those
    of the tables alone. how: what the tables count, and in posts besides; what the convolution does, and in posts besides;
    what to add, and in posts besides; and in posts even toward a claim.
    """
    tables, tables_in_posts, words, words_in_posts, more, more_in_posts, shift = how.tolist()
    post = columns["post"]
    named = table * (tables + tables_in_posts * post) + said * (words + words_in_posts * post) + more + more_in_posts * post
    return np.asarray(np.where(columns["claim"] > 0, table, named) + shift * post)


def _shares(columns: Columns, regions: Regions, none: Column, side: Column) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Probabilities of favor, against, none, shape (texts, 3); and where a rule spoke: a comparison, or all is of a rival."""
    ranked = ranked_of(columns, regions)
    foreign = (columns["share_own"] == 0) & (ranked == 0) & (columns["share_rival"] > 0)
    taken = np.where(ranked == 0, none, np.minimum(none, 0.0)) - _RANKED * np.abs(ranked)
    none = np.where(foreign, np.maximum(none, 0.0) + _FOREIGN, taken)
    none_share, side_share = sigmoid(none), sigmoid(side)
    shares = np.stack([(1 - none_share) * side_share, (1 - none_share) * (1 - side_share), none_share], axis=1)
    return shares, foreign | (ranked != 0)


def ranked_of(columns: Columns, regions: Regions) -> Column:
    """How each text ranks its target; of a claim nobody is a fan who could leave."""
    return np.where((columns["claim"] > 0) & (regions.wins == LEFT), 0.0, regions.wins)


def _packed(arrays: Mapping[str, NDArray[np.generic]], names: Sequence[str]) -> Ints:
    assert len(names) == FIELDS
    return features.packed([_table(arrays, name, 1 << BITS) for name in names])


def _table(arrays: Mapping[str, NDArray[np.generic]], name: str, size: int) -> NDArray[np.int16]:
    return arrays[name].astype(np.int16, copy=False) if name in arrays else np.zeros(size, np.int16)


def _stances(arrays: Mapping[str, NDArray[np.generic]]) -> NDArray[np.int16]:
    """The weights of each gram for none and for favor, side by side, so that both are looked up at once: its place in memory
    costs more than they do. Older files hold two tables."""
    if "stances" in arrays:
        return np.ascontiguousarray(arrays["stances"].astype(np.int16, copy=False))
    return np.stack([_table(arrays, name, 1 << STANCE_BITS) for name in ("none", "side")], axis=1)


def _head(arrays: Mapping[str, NDArray[np.generic]], name: str, names: tuple[str, ...]) -> Head:
    return head_of(arrays.get(name, np.zeros(len(names) + 2)), (*names, "_"))


def _heads(arrays: Mapping[str, NDArray[np.generic]], name: str, names: tuple[str, ...]) -> tuple[Head, Head]:
    table = arrays.get(name, np.zeros((2, len(names) + 1)))
    return head_of(table[0], names), head_of(table[1], names)
