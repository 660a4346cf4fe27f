"""Cleaned text → 64-bit content fingerprint; near-duplicates differ in few bits.

SimHash (Charikar 2002) over character pairs and triples: names, spaces, punctuation and figures do not count, so a copied
text with another name, price or closing mark is still the same text.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_MIX = np.uint64(0x9E3779B97F4A7C15)
_MIX_2 = np.uint64(0xBF58476D1CE4E5B9)
_SHIFT = np.uint64(29)
_WORDLIKE = np.zeros(0x110000, bool)
_WORDLIKE[0x61:0x7B] = True
_WORDLIKE[0x3400:0xA000] = True
_WORDLIKE[0x1F000:0x1FB00] = True

# The bits of each byte as eight bytes, so that many are summed at once.
_SPREAD = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).view(np.uint64).ravel()
_MOST = 255  # sums until a byte is full


def fingerprints(bodies: Sequence[str]) -> list[int]:
    """A signed 64-bit fingerprint for each text; 0 for a text without words.

    >>> same, other = fingerprints(["头皮好痒，再也不买了", "头皮好痒 再也不买了！！"])
    >>> distance(same, other)
    0
    """
    codes = np.frombuffer("\0".join((*bodies, "")).encode("utf-32-le"), np.uint32)
    post = np.cumsum(codes == 0)
    kept = _WORDLIKE[codes]
    post = post[kept]
    bits = np.zeros((len(bodies), 64), np.int32)
    for grams, whose in _grams(codes[kept].astype(np.uint64), post):
        if len(grams):
            starts = np.flatnonzero(np.r_[True, whose[1:] != whose[:-1]])
            held = np.diff(np.r_[starts, len(grams)])
            place = np.arange(len(grams)) - np.repeat(starts, held)
            parts = np.flatnonzero(place % _MOST == 0)
            spread = np.add.reduceat(_SPREAD[grams.view(np.uint8).reshape(-1, 8)], parts, axis=0)
            votes = np.add.reduceat(spread.view(np.uint8), np.flatnonzero(place[parts] == 0), axis=0, dtype=np.int32)
            bits[whose[starts]] += 2 * votes - held[:, None].astype(np.int32)
    words = np.packbits(bits > 0, axis=1).view(np.int64).ravel()
    return [int(word) for word in words.tolist()]


def distance(one: int, other: int) -> int:
    """How many of the 64 bits differ."""
    return ((one ^ other) & 0xFFFFFFFFFFFFFFFF).bit_count()


def _grams(codes: NDArray[np.uint64], post: NDArray[np.intp]) -> list[tuple[NDArray[np.uint64], NDArray[np.intp]]]:
    """Hashes of single characters, pairs and triples that lie within one post."""
    grams, state = [], codes
    for reach in range(3):
        if reach:
            state = _mixed(state[:-1]) + codes[reach:]
        inside = post[: len(state)] == post[reach : len(state) + reach]
        grams.append((_mixed(state[inside]), post[: len(state)][inside]))
    return grams


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    values = (values + _MIX) * _MIX_2
    values = (values ^ (values >> _SHIFT)) * _MIX
    return values ^ (values >> np.uint64(32))
