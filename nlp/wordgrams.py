"""Words of cleaned texts → their hashes, a whole batch at once, and those of pairs of words.

Cutting costs more than everything else that is done with words, so nothing here loops over them in Python.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlp.grams import mixed
from nlp.text import NAME, RIVAL, TARGET

LONGEST = 24  # characters of a word that count
LIFT = 1.75  # a text has fewer words than character grams: how much more one counts

_K = np.uint64(0xD6E8FEB86659FD93)
_PAIR = np.uint64(0xA0761D6478BD642F)
_29 = np.uint64(29)
_WALLS = np.zeros(0x110000, bool)  # no gram of words holds these
_WALLS[[0, 0x20, 0x0A, ord(TARGET), ord(RIVAL), ord(NAME)]] = True


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a batch, in order. at: the character each starts at; hashes: of each; open: it may stand in a gram."""

    at: NDArray[np.int64]
    hashes: NDArray[np.uint64]
    open: NDArray[np.bool_]


def words_of(raw: NDArray[np.uint32], cut: Sequence[Sequence[str]]) -> Words:
    """The words of texts as they lie in `raw`, their code points, each text followed by a 0 (which is a word here)."""
    lengths: list[int] = []
    for words in cut:
        lengths.extend(map(len, words))
        lengths.append(1)
    sizes = np.array(lengths, np.int64)
    at = np.cumsum(sizes) - sizes
    hashes = raw[at].astype(np.uint64) * _K
    left, reach = np.arange(len(at)), 1
    while reach < LONGEST and len(left := left[sizes[left] > reach]):
        held = hashes[left]
        hashes[left] = ((held ^ (held >> _29)) + raw[at[left] + reach]) * _K
        reach += 1
    return Words(at, hashes, ~_WALLS[raw[at]])


def pairs_of(words: Words) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """The places of words that another follows in the same text with no wall between, and the hash of each such pair."""
    first = np.flatnonzero(words.open[:-1] & words.open[1:])
    held = mixed(words.hashes)
    return first, (held[first] * _PAIR) ^ held[first + 1]


def hash_of(words: Sequence[str]) -> NDArray[np.uint64]:
    """The hash of each word of a list, as it has it in a text."""
    raw = np.frombuffer("\0".join((*words, "")).encode("utf-32-le"), np.uint32)
    return words_of(raw, [[word] for word in words]).hashes[::2]
