"""The model at work: a batch of readings → tone and stance probabilities."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from nlp import features
from nlp.bayes import Voice
from nlp.features import BITS, STANCE_BITS, UNIT, Batch, Columns, Ints
from nlp.grams import chains, codes_of
from nlp.heads import Head, head_of, sigmoid, softmax, to_ten_thousandths
from nlp.stance import Regions
from nlp.text import normal
from nlp.wordgrams import Words

Weights = tuple[Ints, Ints, Ints]
FAST = ("lean", "flat", "strength", "length", "asks")
TONE = (*FAST, "bayes", "bayes_strength")
NONE = (
    "tone", "lean_own", "lean_rival", "lean_near", "flat", "flat_own", "flat_rival", "flat_near", "share_own", "share_near",
    "named", "names", "tagged_rival", "length", "clauses", "asks", "overlap", "target_length", "claim", "place", "strength",
)  # fmt: skip
SIDE = (  # nothing here tells one corpus from another but by what it says
    "tone", "lean", "lean_own", "lean_rival", "lean_near", "lean_last", "leaning", "agrees", "agrees_overlap", "lean_claim",
    "overlap_claim", "lean_short", "claim",
)  # fmt: skip
BESIDE_NAMES = 0.3  # how far the stance head is believed beside the tone of the target's own clauses, where it is a brand
_WIN = 2.5  # log-odds that a comparison by rule adds to the side it ranks first
_RANKED = 4.0  # log-odds that a comparison takes from "none"
_FOREIGN = 3.0  # log-odds of "none" where every clause is a rival's


class Model:
    """Tables and heads of a model file; of one still being made, what is not there yet weighs nothing."""

    def __init__(self, arrays: Mapping[str, NDArray[np.generic]]) -> None:
        self._arrays = arrays
        self.fast_table = _table(arrays, "fast", 1 << BITS)
        self.tone_table = _table(arrays, "tone", 1 << BITS)
        self.word_table = _table(arrays, "tone_words", 1 << BITS)
        self.neutral_table = _table(arrays, "neutral", 1 << (BITS - 1))
        self.neutral_words = _table(arrays, "neutral_words", 1 << (BITS - 1))
        self.none_table = _table(arrays, "none", 1 << STANCE_BITS)
        self.side_table = _table(arrays, "side", 1 << STANCE_BITS)
        self.stance_bits = len(self.none_table).bit_length() - 1
        self._adapted = np.sort(arrays["adapted"].astype(np.uint64)) if "adapted" in arrays else np.zeros(0, np.uint64)
        self._adapted_scales = [float(scale) for scale in arrays.get("adapted_scales", np.ones(2)).astype(np.float64)]
        self._leanings: dict[str, float] = {}
        vocabulary = bytes(arrays["bayes_words"].astype(np.uint8)).decode().split("\n")
        self.voice = Voice(vocabulary, arrays["bayes_counts"].astype(np.uint32))
        self.priors = to_ten_thousandths(arrays.get("tone_priors", np.full(3, 1 / 3)).astype(np.float64)[None])[0]
        self._tone_heads = _heads(arrays, "tone_head", TONE)
        self._fast_heads = _heads(arrays, "fast_head", FAST)
        self._none_head = _head(arrays, "none_head", NONE)
        self._side_head = _head(arrays, "side_head", SIDE)

    def tone_weights(self, batch: Batch, words: Words | None) -> Weights:
        """At each character the weights of the grams that start there: tone, neutral, how many; words: None in fast mode."""
        buckets = features.tone_buckets(batch)
        neutral, counts = features.weights_at(self.neutral_table, buckets, 1), features.grams_at(batch)
        if words is None:
            return features.weights_at(self.fast_table, buckets), neutral, counts
        tone, found = features.weights_at(self.tone_table, buckets), features.word_buckets(words)
        features.add_words(tone, self.word_table, found)
        features.add_words(neutral, self.neutral_words, found, 1)
        return tone, neutral, counts

    def tone_columns(self, batch: Batch, words: Words | None, weights: Weights | None = None) -> Columns:
        """What the tone heads read; words: None in fast mode, which does without the retrained Bayes."""
        columns = features.tone_columns(batch, *(weights or self.tone_weights(batch, words)))
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
        for word in asked - self._leanings.keys():
            if len(self._leanings) > 10_000:
                self._leanings.clear()
            self._leanings[word] = self._leaning(word)
        leanings = {word: self._leanings.get(word, 0.0) for word in asked}
        columns = features.stance_columns(batch, regions, *weights, targets, leanings)
        said = features.bayes_column(batch, words, self.voice, regions.rival)
        own = {
            "lean": columns["lean_own"], "flat": columns["flat_own"], "strength": columns["strength"],
            "length": columns["length_own"], "asks": columns["asks"], "bayes": said, "bayes_strength": np.abs(said),
        }  # fmt: skip
        columns["tone"] = self.lively_head.logits(own)
        return columns

    def stances(
        self, batch: Batch, regions: Regions, targets: Sequence[str], weights: Weights, words: Words
    ) -> NDArray[np.float64]:
        """Probabilities of favor, against, none; shape (texts, 3)."""
        columns, none, side = self.stance_logits(batch, regions, targets, weights, words)
        ranked = np.clip(regions.wins, -1, 1).astype(np.float64)
        foreign = (columns["share_own"] == 0) & (ranked == 0) & (columns["share_rival"] > 0)
        none = np.where(foreign, np.maximum(none, 0.0) + _FOREIGN, none - _RANKED * np.abs(ranked))
        none_share = sigmoid(none)
        side_share = sigmoid(side)
        return np.stack([(1 - none_share) * side_share, (1 - none_share) * (1 - side_share), none_share], axis=1)

    def stance_logits(
        self, batch: Batch, regions: Regions, targets: Sequence[str], weights: Weights, words: Words
    ) -> tuple[Columns, NDArray[np.float64], NDArray[np.float64]]:
        """The columns; log-odds of none over a stance; log-odds of favor over against, comparisons counted."""
        columns = self.stance_columns(batch, regions, targets, weights, words)
        root = np.sqrt(np.maximum(batch.sums(weights[2]), 1.0)) * UNIT
        general = np.zeros((2, batch.size))
        kinds = features.stance_grams(batch, regions, columns["claim"] > 0, self.stance_bits)
        for found, scale in zip(kinds, features.scales_of(batch, kinds, weights[2]), strict=True):
            general += np.stack(self._gram_sums(batch, found, UNIT / scale))
        none = self.none_head.logits({**columns, "_": general[0]})
        side = self.side_head.logits({**columns, "_": general[1]})
        keys = self.keys_of(targets)
        if keys.any():
            own = self._gram_sums(batch, features.target_grams(batch, keys, self.stance_bits), root)
            none = np.where(keys != 0, none * self._adapted_scales[0] + own[0], none)
            side = np.where(keys != 0, side * self._adapted_scales[1] + own[1], side)
        trust = np.where((keys != 0) | (columns["claim"] > 0), 1.0, BESIDE_NAMES)
        side = trust * side + (1.0 - trust) * columns["tone"]
        return columns, none, side + _WIN * np.clip(regions.wins, -1, 1)

    def _gram_sums(
        self, batch: Batch, found: Iterable[features.Found], root: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        none_at, side_at = np.zeros(len(batch.raw)), np.zeros(len(batch.raw))
        for buckets, at in found:
            none_at += np.bincount(at, self.none_table[buckets], len(batch.raw))
            side_at += np.bincount(at, self.side_table[buckets], len(batch.raw))
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

    @property
    def adapted_scale(self) -> float:
        """How far the general log-odds of favor are believed for a target with weights of its own."""
        return self._adapted_scales[1]

    def _leaning(self, words: str) -> float:
        """The tone of a target's own words."""
        codes, _ = codes_of([words])
        held = chains(codes)
        total = int(features.weights_at(self.tone_table, [features.bucket(chain) for chain in held]).sum())
        return float(total / UNIT / max(sum(int((chain != 0).sum()) for chain in held), 1) ** 0.5)


def _table(arrays: Mapping[str, NDArray[np.generic]], name: str, size: int) -> NDArray[np.int16]:
    return arrays[name].astype(np.int16, copy=False) if name in arrays else np.zeros(size, np.int16)


def _head(arrays: Mapping[str, NDArray[np.generic]], name: str, names: tuple[str, ...]) -> Head:
    return head_of(arrays.get(name, np.zeros(len(names) + 2)), (*names, "_"))


def _heads(arrays: Mapping[str, NDArray[np.generic]], name: str, names: tuple[str, ...]) -> tuple[Head, Head]:
    table = arrays.get(name, np.zeros((2, len(names) + 1)))
    return head_of(table[0], names), head_of(table[1], names)
