"""SnowNLP's naive Bayes, retrained by us: the same arithmetic as snownlp.classification.bayes, as one sum over a table.

words → log-odds of positive over negative.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from nlp.grams import mixed
from nlp.wordgrams import hash_of

_SLOT_BITS = 20  # of the slots in which words are found by hash


@dataclass(frozen=True, slots=True)
class Bayes:
    """What each word says. log_odds: of a word known; unknown: of every other; prior: of a text without words."""

    log_odds: dict[str, float]
    unknown: float
    prior: float

    def score(self, words: Iterable[str]) -> float:
        """Log-odds of positive: log P(pos | words) − log P(neg | words).

        >>> train([(["好"], "pos"), (["坏"], "neg")]).score(["好"]) > 0
        True
        """
        get, unknown = self.log_odds.get, self.unknown
        return self.prior + sum([get(word, unknown) for word in words])


def count(texts: Iterable[tuple[Sequence[str], str]], at_least: int = 1) -> tuple[list[str], NDArray[np.uint32]]:
    """Words seen at least so often in labelled texts (neg or pos), in order, and how often in each: shape (words, 2)."""
    seen: dict[str, Counter[str]] = {"neg": Counter(), "pos": Counter()}
    for words, label in texts:
        seen[label].update(words)
    kept = sorted(word for word in seen["neg"].keys() | seen["pos"].keys() if seen["neg"][word] + seen["pos"][word] >= at_least)
    return kept, np.array([(seen["neg"][word], seen["pos"][word]) for word in kept], np.uint32).reshape(-1, 2)


def of_counts(words: Sequence[str], counts: NDArray[np.uint32]) -> Bayes:
    """The classifier of those counts; add-one smoothing as SnowNLP does it: a seen word counts one more, an unseen one 1."""
    seen = counts.astype(np.int64)
    totals = np.maximum(seen.sum(axis=0) + (seen > 0).sum(axis=0), 1)  # of no word: both sides say the same
    raised = np.where(seen > 0, seen + 1, 1)
    spread = log(totals[0]) - log(totals[1])
    odds = np.log(raised[:, 1]) - np.log(raised[:, 0]) + spread
    return Bayes(dict(zip(words, odds.tolist(), strict=True)), unknown=spread, prior=-spread)


def train(texts: Iterable[tuple[Sequence[str], str]]) -> Bayes:
    """The classifier of labelled texts."""
    return of_counts(*count(texts))


class Voice:
    """A classifier that finds words by hash. Of words that share a slot the first keeps it: `keep_apart` before training."""

    def __init__(self, words: Sequence[str], counts: NDArray[np.uint32]) -> None:
        self.bayes = of_counts(words, counts)
        self.prior = self.bayes.prior
        self._hashes = np.r_[hash_of(words), np.uint64(0)]
        self._odds = np.r_[np.array([self.bayes.log_odds[word] for word in words], np.float64), self.bayes.unknown]
        self._slots = np.full(1 << _SLOT_BITS, len(words), np.min_scalar_type(len(words)))
        self._slots[_slot(self._hashes[:-1])[::-1]] = np.arange(len(words))[::-1]

    def odds_of(self, hashes: NDArray[np.uint64]) -> NDArray[np.float64]:
        """Log-odds of each word by its hash."""
        found = self._slots[_slot(hashes)]
        return np.where(self._hashes[found] == hashes, self._odds[found], self.bayes.unknown)


def keep_apart(words: Sequence[str], counts: NDArray[np.uint32]) -> tuple[list[str], NDArray[np.uint32]]:
    """The words and counts without those that would share a slot with a word seen more often."""
    order = np.lexsort((np.arange(len(words)), -counts.sum(axis=1, dtype=np.int64)))
    _, first = np.unique(_slot(hash_of(words))[order], return_index=True)
    kept = np.sort(order[first])
    return [words[i] for i in kept], counts[kept]


def _slot(hashes: NDArray[np.uint64]) -> NDArray[np.intp]:
    return (mixed(hashes) >> np.uint64(64 - _SLOT_BITS)).astype(np.intp)
