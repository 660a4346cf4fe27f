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
    totals = seen.sum(axis=0) + (seen > 0).sum(axis=0)
    raised = np.where(seen > 0, seen + 1, 1)
    spread = log(totals[0]) - log(totals[1])
    odds = np.log(raised[:, 1]) - np.log(raised[:, 0]) + spread
    return Bayes(dict(zip(words, odds.tolist(), strict=True)), unknown=spread, prior=-spread)


def train(texts: Iterable[tuple[Sequence[str], str]]) -> Bayes:
    """The classifier of labelled texts."""
    return of_counts(*count(texts))
