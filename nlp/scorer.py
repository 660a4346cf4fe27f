"""The model at work: a batch of readings → tone and stance probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from nlp import features
from nlp.bayes import Bayes, of_counts
from nlp.features import BITS, UNIT, Batch, Columns, Ints
from nlp.grams import chains, codes_of
from nlp.heads import Head, head_of, sigmoid, softmax
from nlp.stance import Regions
from nlp.text import normal

FAST = ("lean", "flat", "strength", "length", "asks")
TONE = (*FAST, "bayes", "bayes_strength")
SIDE = (
    "lean", "lean_own", "lean_rival", "lean_near", "lean_last", "flat", "flat_own", "flat_rival", "flat_near", "flat_last",
    "share_own", "share_near", "named", "names", "tagged", "tagged_rival", "length", "clauses", "asks", "overlap",
    "target_length", "claim", "place", "leaning", "agrees", "agrees_overlap", "lean_claim", "lean_named", "strength",
)  # fmt: skip
_WIN = 2.5  # log-odds that a comparison by rule adds to the side it ranks first
_RANKED = 2.0  # log-odds that a comparison takes from "none"
_FOREIGN = 3.0  # log-odds of "none" where every clause is a rival's


class Model:
    """Tables and heads of a model file."""

    def __init__(self, arrays: Mapping[str, NDArray[np.generic]]) -> None:
        self._arrays = arrays
        self.tone_table = _table(arrays, "tone", 1 << BITS)
        self.neutral_table = _table(arrays, "neutral", 1 << (BITS - 1))
        self.none_table = _table(arrays, "none", 1 << (BITS - 1))
        self.side_table = _table(arrays, "side", 1 << (BITS - 1))
        self._adapted = np.sort(arrays["adapted"].astype(np.uint64)) if "adapted" in arrays else np.zeros(0, np.uint64)
        self._leanings: dict[str, float] = {}
        vocabulary = bytes(arrays["bayes_words"].astype(np.uint8)).decode().split("\n")
        self.bayes: Bayes = of_counts(vocabulary, arrays["bayes_counts"].astype(np.uint32))
        self.priors = [round(float(share), 4) for share in arrays.get("tone_priors", np.full(3, 1 / 3)).astype(np.float64)]
        self._tone_heads = _heads(arrays, "tone_head", TONE)
        self._fast_heads = _heads(arrays, "fast_head", FAST)
        self._none_head = head_of(arrays["none_head"], (*SIDE, "_")) if "none_head" in arrays else None
        self._side_head = head_of(arrays["side_head"], (*SIDE, "_")) if "side_head" in arrays else None

    @classmethod
    def bare(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Model:
        """A model that is still being made: what is not there yet weighs nothing."""
        return cls(arrays)

    def tone_weights(self, batch: Batch) -> tuple[Ints, Ints, Ints]:
        """At each character the weights of the grams that start there: tone, neutral, and how many."""
        buckets = features.tone_buckets(batch)
        tone = features.weights_at(self.tone_table, buckets)
        return tone, features.weights_at(self.neutral_table, buckets, 1), features.grams_at(batch)

    def tone_columns(self, batch: Batch, *, words: bool) -> Columns:
        """What the tone heads read; words: with the retrained Bayes."""
        columns = features.tone_columns(batch, *self.tone_weights(batch))
        return self.with_words(columns, batch) if words else columns

    def with_words(self, columns: Columns, batch: Batch) -> Columns:
        """The columns and what the retrained Bayes says of the words."""
        said = features.bayes_column(batch.readings.bodies, self.bayes)
        return {**columns, "bayes": said, "bayes_strength": np.abs(said)}

    def tones(self, columns: Columns, *, fast: bool = False) -> NDArray[np.float64]:
        """Probabilities of neg, neu, pos; shape (texts, 3)."""
        flat, lively = self._fast_heads if fast else self._tone_heads
        return softmax(flat.logits(columns), lively.logits(columns))

    def keys_of(self, targets: Sequence[str]) -> NDArray[np.uint64]:
        """The salt of each target that has weights of its own; 0 for others."""
        if not len(self._adapted):
            return np.zeros(len(targets), np.uint64)
        keys = np.array([features.target_key(target) for target in targets], np.uint64)
        return np.where(np.isin(keys, self._adapted), keys, np.uint64(0))

    def stance_columns(self, batch: Batch, regions: Regions, targets: Sequence[str]) -> Columns:
        """What the stance heads read besides grams."""
        tone, neutral, counts = self.tone_weights(batch)
        return self._stance_columns(batch, regions, targets, tone, neutral, counts)

    def _stance_columns(
        self, batch: Batch, regions: Regions, targets: Sequence[str], tone: Ints, neutral: Ints, counts: Ints
    ) -> Columns:
        words = {normal(target) for target in set(targets)}
        for word in words - self._leanings.keys():
            if len(self._leanings) > 10_000:
                self._leanings.clear()
            self._leanings[word] = self._leaning(word)
        return features.stance_columns(
            batch, regions, tone, neutral, counts, targets, {w: self._leanings.get(w, 0.0) for w in words}
        )

    def stances(
        self, batch: Batch, regions: Regions, targets: Sequence[str], weights: tuple[Ints, Ints, Ints]
    ) -> NDArray[np.float64]:
        """Probabilities of favor, against, none; shape (texts, 3). weights: of `tone_weights`."""
        columns, ranked, none, side = self._stance_logits(batch, regions, targets, weights)
        foreign = (columns["share_own"] == 0) & (ranked == 0) & (columns["share_rival"] > 0)
        none_share = sigmoid(none - _RANKED * np.abs(ranked) + _FOREIGN * foreign)
        side_share = sigmoid(side + _WIN * ranked)
        return np.stack([(1 - none_share) * side_share, (1 - none_share) * (1 - side_share), none_share], axis=1)

    def side_logits(
        self, batch: Batch, regions: Regions, targets: Sequence[str], weights: tuple[Ints, Ints, Ints]
    ) -> NDArray[np.float64]:
        """Log-odds of favor over against, before they are kept away from 0 and 1."""
        _, ranked, _, side = self._stance_logits(batch, regions, targets, weights)
        return side + _WIN * ranked

    @property
    def lively_head(self) -> Head:
        """The head that parts pos from neg."""
        return self._tone_heads[1]

    @property
    def side_head(self) -> Head:
        """The head that parts favor from against."""
        assert self._side_head is not None
        return self._side_head

    def _stance_logits(
        self, batch: Batch, regions: Regions, targets: Sequence[str], weights: tuple[Ints, Ints, Ints]
    ) -> tuple[Columns, NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        columns = self._stance_columns(batch, regions, targets, *weights)
        none_at, side_at = np.zeros(len(batch.raw)), np.zeros(len(batch.raw))
        for buckets, at in features.stance_grams(batch, regions, self.keys_of(targets)):
            none_at += np.bincount(at, self.none_table[buckets], len(batch.raw))
            side_at += np.bincount(at, self.side_table[buckets], len(batch.raw))
        root = np.sqrt(np.maximum(batch.sums(weights[2]), 1.0)) * UNIT
        assert self._none_head is not None
        assert self._side_head is not None
        ranked = np.clip(regions.wins, -1, 1).astype(np.float64)
        none = self._none_head.logits({**columns, "_": batch.sums(none_at) / root})
        side = self._side_head.logits({**columns, "_": batch.sums(side_at) / root})
        return columns, ranked, none, side

    def _leaning(self, words: str) -> float:
        """The tone of a target's own words."""
        codes, _ = codes_of([words])
        held = chains(codes)
        total = int(features.weights_at(self.tone_table, [features.bucket(chain) for chain in held]).sum())
        return float(total / UNIT / max(sum(int((chain != 0).sum()) for chain in held), 1) ** 0.5)


def _table(arrays: Mapping[str, NDArray[np.generic]], name: str, size: int) -> NDArray[np.int16]:
    return arrays[name].astype(np.int16, copy=False) if name in arrays else np.zeros(size, np.int16)


def _heads(arrays: Mapping[str, NDArray[np.generic]], name: str, names: tuple[str, ...]) -> tuple[Head, Head]:
    table = arrays.get(name, np.zeros((2, len(names) + 1)))
    return head_of(table[0], names), head_of(table[1], names)
