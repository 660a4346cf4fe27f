"""Texts as words, whose they are, and what they say → the filters of a convolution, by Adam (Kingma & Ba 2015) in numpy.

The same texts make the same filters. Words that start from sentence embeddings of multilingual-e5-small instead of at random
were right in half a point more of posts: not worth a file of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlp.convolution import MOST, OUT_UNIT, REACH, SAID_OF, UNIT, WIDTHS, as_words, column_of, slot_of
from nlp.wordgrams import hash_of

FILTERS = 64  # of each width
DEPTH = 64  # of a word's vector
ROUNDS = 4  # times that every text is read; the last one in smaller steps
AT_ONCE = 64  # texts of usual length in one step
RATE, LAST_RATE = 1e-3, 3e-4  # of Adam
UNHEARD, UNASKED = 0.1, 0.5  # share of the words that a step does not hear, and of the filters that it does not ask
LONGEST = 200  # words of a text that are learnt from
LEAST = 4  # times that a word stands in the texts, at least, to have a vector of its own
SPREAD = 0.1  # of vectors that start at random
_LARGEST = 127
Floats = NDArray[np.float32]
Arrays = dict[str, NDArray[np.generic]]


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts as words. words: the place of each in a vocabulary, from 1 on, 0 of one that has none; said_of: whose each is, a
    place in `SAID_OF`; counts: how many words each text has."""

    words: NDArray[np.int32]
    said_of: NDArray[np.int8]
    counts: NDArray[np.int64]


def vocabulary_of(words: Sequence[str], counts: NDArray[np.int64]) -> list[str]:
    """The words seen often enough, in order; of two that share a slot the one seen more often."""
    often = [(word, int(count)) for word, count in zip(words, counts, strict=True) if count >= LEAST]
    often.sort(key=lambda one: (-one[1], one[0]))
    slots = slot_of(hash_of([word for word, _ in often])) if often else np.zeros(0, np.intp)
    _, first = np.unique(slots, return_index=True)
    return sorted(often[place][0] for place in first)


def fit_convolution(
    vocabulary: Sequence[str],
    texts: Texts,
    answers: Floats,
    importance: Floats,
    say: Callable[[str], None] = lambda line: None,
    seed: int = 0,
) -> Arrays:
    """The arrays of `Convolution`.

    answers: whether each text takes no stance, whether it is in favor, 0 or 1, shape (texts, 2); importance: of each of these,
    0 where it says nothing.
    """
    net = _Net(len(vocabulary), np.random.default_rng(seed))
    use = np.flatnonzero(importance.any(axis=1))
    for round_ in range(ROUNDS):
        rate, loss = (RATE if round_ < ROUNDS - 1 else LAST_RATE), 0.0
        for rows in _parts(texts.counts, use, net.random):
            loss += net.learn(*_padded(texts, rows), answers[rows], importance[rows], rate)
        say(f"convolution: {round_ + 1}/{ROUNDS}, loss {loss / max(len(use), 1):.4f}")
    return {"conv_words": as_words(vocabulary), **net.stored()}


def _parts(counts: NDArray[np.int64], use: NDArray[np.intp], random: np.random.Generator) -> Iterator[NDArray[np.intp]]:
    """Texts of like length together, in random order."""
    lengths = np.minimum(counts[use], LONGEST)
    order = np.argsort(lengths + random.random(len(use)) * (2 + lengths * 0.1), kind="stable")
    bounds, start = [0], 0
    while start < len(order):
        longest = max(int(lengths[order[start]]), 1)
        start += AT_ONCE if longest < 60 else max(AT_ONCE // 4, AT_ONCE * 60 // longest)
        bounds.append(min(start, len(order)))
    for part in random.permutation(len(bounds) - 1).tolist():
        yield use[order[bounds[part] : bounds[part + 1]]]


def _padded(texts: Texts, rows: NDArray[np.intp]) -> tuple[NDArray[np.int32], NDArray[np.int8], NDArray[np.int64]]:
    """The words of those texts as rows that are filled up with words that say nothing; whose they are; how many there are."""
    counts = np.minimum(texts.counts[rows], LONGEST)
    begins = (np.cumsum(texts.counts) - texts.counts)[rows]
    grid = np.arange(int(counts.max()) + REACH)
    inside = grid < counts[:, None]
    at = np.where(inside, begins[:, None] + grid, 0)
    return np.where(inside, texts.words[at], 0), np.where(inside, texts.said_of[at], 0), counts


class _Net:
    """The convolution in floats, while it learns."""

    def __init__(self, words: int, random: np.random.Generator) -> None:
        columns, outs = sum(WIDTHS) * FILTERS, len(WIDTHS) * FILTERS
        self.random = random
        self.vectors = random.standard_normal((words + 1, DEPTH), np.float32) * np.float32(SPREAD)
        self.vectors[0] = 0
        self.filters = (random.standard_normal((DEPTH, columns)) * 0.5 * np.sqrt(2 / (DEPTH * 2.5))).astype(np.float32)
        self.said_of = np.zeros((len(SAID_OF), columns), np.float32)
        self.bias = np.zeros(outs, np.float32)
        self.out = (random.standard_normal((outs, 2)) * 0.1).astype(np.float32)
        self.base = np.zeros(2, np.float32)
        self._learnt = (self.vectors, self.filters, self.said_of, self.bias, self.out, self.base)
        self._mean = [np.zeros_like(one) for one in self._learnt]
        self._square = [np.zeros_like(one) for one in self._learnt]
        self._steps = 0

    def learn(
        self,
        words: NDArray[np.int32],
        said_of: NDArray[np.int8],
        counts: NDArray[np.int64],
        answers: Floats,
        importance: Floats,
        rate: float,
    ) -> float:
        """One step on some texts; their summed loss before it."""
        texts, width = words.shape
        heard = (self.random.random((texts, width, 1), dtype=np.float32) >= UNHEARD).astype(np.float32) / (1 - UNHEARD)
        vectors = self.vectors[words] * heard
        shares = (vectors.reshape(texts * width, -1) @ self.filters).reshape(texts, width, -1)
        shares += self.said_of[said_of]
        largest, best = self._largest(shares, width - REACH, counts)
        answered = np.maximum(largest + self.bias, 0)
        asked = (self.random.random(answered.shape, dtype=np.float32) >= UNASKED).astype(np.float32) / (1 - UNASKED)
        answered *= asked
        logits = np.clip(answered @ self.out + self.base, -30, 30)
        slope = (importance * (1 / (1 + np.exp(-logits)) - answers) / texts).astype(np.float32)
        back = (slope @ self.out.T) * asked * (answered > 0)
        at_shares = self._scattered(np.where(largest > 0, back, 0), best, shares.shape)
        by_owner = np.stack([at_shares[said_of == owner].sum(0) for owner in range(len(SAID_OF))])
        by_owner[0] = 0
        flat = at_shares.reshape(texts * width, -1)
        at_filters = vectors.reshape(texts * width, -1).T @ flat
        self._steps += 1
        self._learn_vectors(words.ravel(), (flat @ self.filters.T) * heard.reshape(-1, 1), rate)
        self._adam(
            (at_filters, by_owner.astype(np.float32), back.sum(0), answered.T @ slope, slope.sum(0)), rate * self._warmth()
        )
        return float((importance * (np.logaddexp(0, logits) - answers * logits)).sum())

    def _largest(self, shares: Floats, starts: int, counts: NDArray[np.int64]) -> tuple[Floats, list[NDArray[np.intp]]]:
        """What each filter answers to the window it likes best, at least 0, and where that starts."""
        beyond, largest, places = np.arange(starts) >= counts[:, None], [], []
        for place, width in enumerate(WIDTHS):
            answers = np.zeros((len(shares), starts, FILTERS), np.float32)
            for step in range(width):
                column = column_of(place, step, FILTERS)
                answers += shares[:, step : starts + step, column : column + FILTERS]
            answers[beyond] = 0
            best = answers.argmax(axis=1)
            largest.append(np.maximum(np.take_along_axis(answers, best[:, None], 1)[:, 0], 0))
            places.append(best)
        return np.concatenate(largest, axis=1), places

    def _scattered(self, back: Floats, best: list[NDArray[np.intp]], shape: tuple[int, ...]) -> Floats:
        """The slopes of the windows that were liked best, at the shares of their words."""
        made = np.zeros(shape, np.float32)
        texts, filters = np.arange(shape[0])[:, None], np.arange(FILTERS)
        for place, width in enumerate(WIDTHS):
            slope = back[:, place * FILTERS : (place + 1) * FILTERS]
            for step in range(width):
                made[texts, best[place] + step, column_of(place, step, FILTERS) + filters] = slope
        return made

    def _learn_vectors(self, words: NDArray[np.int32], slopes: Floats, rate: float) -> None:
        """Adam on the words that were read alone."""
        order = np.argsort(words, kind="stable")
        held = words[order]
        first = np.flatnonzero(np.r_[True, held[1:] != held[:-1]])
        summed, rows = np.add.reduceat(slopes[order], first, axis=0), held[first]
        known = rows > 0
        rows, summed = rows[known], summed[known]
        mean = self._mean[0][rows] = 0.9 * self._mean[0][rows] + 0.1 * summed
        square = self._square[0][rows] = 0.999 * self._square[0][rows] + 0.001 * summed**2
        self.vectors[rows] -= (rate * self._warmth() * mean / (np.sqrt(square) + 1e-8)).astype(np.float32)

    def _adam(self, slopes: Sequence[Floats], rate: float) -> None:
        for learnt, mean, square, slope in zip(self._learnt[1:], self._mean[1:], self._square[1:], slopes, strict=True):
            mean *= 0.9
            mean += 0.1 * slope
            square *= 0.999
            square += 0.001 * slope**2
            learnt -= (rate * mean / (np.sqrt(square) + 1e-8)).astype(np.float32)

    def _warmth(self) -> float:
        """Corrects that the means start at 0."""
        return float(np.sqrt(1 - 0.999**self._steps) / (1 - 0.9**self._steps))

    def stored(self) -> Arrays:
        """As whole numbers."""
        vectors, vector_step = _bytes_of(self.vectors)
        filters, filter_step = _bytes_of(self.filters)
        return {
            "conv_vectors": vectors,
            "conv_filters": filters,
            "conv_step": np.array([vector_step * filter_step], np.float64),
            "conv_said_of": np.clip(np.rint(self.said_of * UNIT), -MOST, MOST).astype(np.int16),
            "conv_bias": np.rint(self.bias * UNIT).astype(np.int32),
            "conv_out": np.rint(self.out * OUT_UNIT).astype(np.int32),
            "conv_base": np.round(self.base.astype(np.float64), 6),
        }


def _bytes_of(values: Floats) -> tuple[NDArray[np.int8], float]:
    """In 8 bits, and how much a step is: of a hundred thousand values the largest may be cut."""
    largest = max(float(np.quantile(np.abs(values), 0.99999)), 1e-6)
    return np.clip(np.rint(values * (_LARGEST / largest)), -_LARGEST, _LARGEST).astype(np.int8), largest / _LARGEST
