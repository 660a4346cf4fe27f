"""Words in their order → log-odds of none and of favor toward the target: a convolution over words, pooled by its largest
window (Kim 2014, doi 10.3115/v1/D14-1181).

A filter answers to one, two or three words in a row; words of a rival, and words near the target's name, answer otherwise.
Each word's share in each filter is looked up, not multiplied out, and all is summed in whole numbers: the same on any
machine and in any batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlp.features import Batch
from nlp.grams import mixed
from nlp.stance import Regions, at_edge
from nlp.text import NAME, RIVAL, TARGET
from nlp.wordgrams import Words, hash_of

WIDTHS = (1, 2, 3)  # words in a row that a filter reads
REACH = max(WIDTHS) - 1  # words after a window's first
SAID_OF = ("other", "rival", "near")  # whose a word is: nobody's that we know, a rival's, of a clause that names the target
UNIT = 1024  # whole steps in one of what a filter answers
OUT_UNIT = 4096  # whole steps in one of what a filter says
MOST = 5_400  # steps that a word, or whose it is, gives a filter at most: three of both fit 16 bits
_ROWS = 4096  # words whose shares are worked out at once
_AT_ONCE = 16  # texts whose windows fit the cache of a core
_WORDS_AT_ONCE = 16_384  # of them, filled up: short ones beside one of 100 kB would take a gigabyte
_SLOT_BITS = 20  # of the slots in which words are found by hash
_NAMES = np.array([ord(TARGET), ord(RIVAL), ord(NAME)], np.uint32)
Arrays = Mapping[str, NDArray[np.generic]]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Tokens:
    """The words of a batch that a window may hold, in order. hashes: of each; said_of: whose each is, a place in `SAID_OF`;
    at: the character each starts at; counts: how many each text has."""

    hashes: NDArray[np.uint64]
    said_of: NDArray[np.int8]
    at: NDArray[np.int64]
    counts: Ints


def tokens_of(batch: Batch, regions: Regions | None, words: Words) -> Tokens:
    """The words of a batch but for spaces and names at an edge, which may as well be tags; regions: None where no text has a
    target."""
    first = batch.raw[words.at]
    left_out = (first == 0) | (first == 0x20) | (first == 0x0A)
    left_out |= np.isin(first, _NAMES) & at_edge(batch.raw, batch.starts)[words.at]
    kept = np.flatnonzero(~left_out)
    at = words.at[kept]
    said_of = np.zeros(len(at), np.int8)
    if regions is not None:
        said_of[regions.near[at]] = 2
        said_of[regions.rival[at] | regions.foreign[at]] = 1
    return Tokens(words.hashes[kept], said_of, at, np.diff(np.searchsorted(at, batch.starts)))


class Convolution:
    """The filters of a model file; of a file that has none, nothing is said.

    Arrays: conv_words, newline-parted UTF-8; conv_vectors (words + 1, depth), row 0 of a word unknown, and conv_filters
    (depth, 6 × filters), the product of both in steps of conv_step; conv_said_of (3, 6 × filters) and conv_bias (3 × filters)
    in steps of 1 / `UNIT`; conv_out (3 × filters, 2) in steps of 1 / `OUT_UNIT`; conv_base (2): of a text that says nothing.
    """

    def __init__(self, arrays: Arrays) -> None:
        self.empty = "conv_vectors" not in arrays
        if self.empty:
            return
        vectors, filters = arrays["conv_vectors"], arrays["conv_filters"].astype(np.float32)
        step = np.float32(arrays["conv_step"].astype(np.float64)[0] * UNIT)
        self._shares = np.empty((len(vectors), filters.shape[1]), np.int16)
        for start in range(0, len(vectors), _ROWS):  # of whole numbers, so exact whatever the order
            product = vectors[start : start + _ROWS].astype(np.float32) @ filters
            self._shares[start : start + _ROWS] = np.clip(np.rint(product * step), -MOST, MOST)
        self._shares[0] = 0
        self._said_of = np.clip(arrays["conv_said_of"].astype(np.int64), -MOST, MOST).astype(np.int16)
        self._bias = arrays["conv_bias"].astype(np.int64)
        self._out = arrays["conv_out"].astype(np.float64)
        self._base = arrays["conv_base"].astype(np.float64)
        self.filters = len(self._bias) // len(WIDTHS)
        words = words_in(arrays["conv_words"])
        self._hashes = np.r_[np.uint64(0), hash_of(words)]
        self._slots = np.zeros(1 << _SLOT_BITS, np.min_scalar_type(len(words)))
        self._slots[slot_of(self._hashes[1:])] = np.arange(1, len(self._hashes))

    def log_odds(self, tokens: Tokens) -> NDArray[np.float64]:
        """Of none over a stance, and of favor over against; shape (2, texts)."""
        if self.empty:
            return np.zeros((2, len(tokens.counts)))
        answers = np.maximum(self._largest(tokens).astype(np.int64) + self._bias, 0)
        said = answers.astype(np.float64) @ self._out  # whole numbers below 2 ** 53: exact whatever the order
        made: NDArray[np.float64] = (said / (UNIT * OUT_UNIT) + self._base).T
        return made

    def _places(self, tokens: Tokens) -> NDArray[np.integer]:
        """The row of each word, 0 of one unknown."""
        found = self._slots[slot_of(tokens.hashes)]
        return np.where(self._hashes[found] == tokens.hashes, found, 0)

    def _largest(self, tokens: Tokens) -> NDArray[np.int16]:
        """What each filter answers to the window it likes best, at least 0; shape (texts, filters of all widths)."""
        largest = np.zeros((len(tokens.counts), len(self._bias)), np.int16)
        begins, places = np.cumsum(tokens.counts) - tokens.counts, self._places(tokens)
        by_length = np.argsort(tokens.counts, kind="stable")[np.count_nonzero(tokens.counts == 0) :]
        start = 0
        while start < len(by_length):
            mine = by_length[start : start + _AT_ONCE]
            filled = np.arange(1, len(mine) + 1) * (tokens.counts[mine] + REACH)
            mine = mine[: max(np.count_nonzero(filled <= _WORDS_AT_ONCE), 1)]
            start += len(mine)
            # filled up with words that say nothing, and after the last one as many as a window reaches over
            grid = np.arange(int(tokens.counts[mine[-1]]) + REACH)
            inside = grid < tokens.counts[mine][:, None]
            at = np.where(inside, begins[mine][:, None] + grid, 0)
            said_of = np.where(inside, tokens.said_of[at], 0)
            largest[mine] = self._windows(np.where(inside, places[at], 0), said_of).max(axis=1)
        return np.maximum(largest, 0)

    def _windows(self, places: NDArray[np.integer], said_of: NDArray[np.int8]) -> NDArray[np.int16]:
        """What each filter answers to the window that starts at each word: shape (texts, words − `REACH`, filters)."""
        shares, starts = self._shares.take(places, axis=0), places.shape[1] - REACH
        if (marked := np.nonzero(said_of))[0].size:
            shares[marked] += self._said_of[said_of[marked]]
        for step in range(1, REACH + 1):
            longer = slice(column_of(step, 0, self.filters), column_of(len(WIDTHS), 0, self.filters))
            further = slice(column_of(step, step, self.filters), column_of(len(WIDTHS), step, self.filters))
            shares[:, :starts, longer] += shares[:, step : starts + step, further]
        return np.asarray(shares[:, :starts, : len(self._bias)])

    def parts(self, tokens: Tokens, length: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Of one text the log-odds by the character that a word starts at, shape (2, length), and the rest, shape (2,)."""
        at, rest = np.zeros((2, length)), np.zeros(2)
        if self.empty:
            return at, rest
        rest += self._base
        count, out = int(tokens.counts[0]), self._out / (UNIT * OUT_UNIT)
        if count:
            places = np.r_[self._places(tokens), np.zeros(REACH, np.intp)]
            said_of = np.r_[tokens.said_of, np.zeros(REACH, np.int8)]
            shares = self._shares[places] + self._said_of[said_of]
            answers = self._windows(places[None], said_of[None])[0]
        for place, width in enumerate(WIDTHS):
            for filter_ in range(place * self.filters, (place + 1) * self.filters):
                best = int(answers[:, filter_].argmax()) if count else 0
                liked = max(int(answers[best, filter_]), 0) if count else 0
                if liked + self._bias[filter_] <= 0:
                    continue
                rest += self._bias[filter_] * out[filter_]
                for step in range(width if liked else 0):
                    if best + step < count:
                        column = column_of(place, step, self.filters) + filter_ % self.filters
                        at[:, tokens.at[best + step]] += shares[best + step, column] * out[filter_]
        return at, rest


def column_of(place: int, step: int, filters: int) -> int:
    """The first column of the filters of a width, by its place in `WIDTHS`, for a word so many steps after a window's first:
    all filters' for the first word, then those of more than one word for the second, and so on.

    >>> [column_of(place, step, 10) for place, step in ((0, 0), (2, 0), (1, 1), (2, 1), (2, 2))]
    [0, 20, 30, 40, 50]
    """
    return filters * (sum(len(WIDTHS) - earlier for earlier in range(step)) + place - step)


def slot_of(hashes: NDArray[np.uint64]) -> NDArray[np.intp]:
    """The slot in which a word is looked for: of those that share one, only one can be known."""
    return (mixed(hashes) >> np.uint64(64 - _SLOT_BITS)).astype(np.intp)


def as_words(words: Sequence[str]) -> NDArray[np.uint8]:
    """Words as an array of a model file."""
    return np.frombuffer("\n".join(words).encode(), np.uint8)


def words_in(array: NDArray[np.generic]) -> list[str]:
    """The words that an array of a model file holds.

    >>> words_in(as_words(["好用", "难用"])), words_in(as_words([]))
    (['好用', '难用'], [])
    """
    return bytes(array.astype(np.uint8)).decode().split("\n") if array.size else []
