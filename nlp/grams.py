"""Cleaned texts → hashed character n-grams, a whole batch at once and without a loop over grams.

A gram never spans two posts nor a brand's placeholder, so a name between words is a wall and adds nothing of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nlp.text import NAME, RIVAL, TARGET

LONGEST = 4  # characters in a gram

_K = np.uint64(0x9E3779B97F4A7C15)
_K2 = np.uint64(0xC2B2AE3D27D4EB4F)
_32 = np.uint64(32)
_29 = np.uint64(29)

_FOLD = np.arange(0x110000, dtype=np.uint32)  # what counts as the same character
_FOLD[0x30:0x3A] = 0x30
for _wide in range(0xFF01, 0xFF5F):
    _FOLD[_wide] = _wide - 0xFEE0
for _one, _other in zip("。、【】“”‘’《》～…—\n\t", ".,[]\"\"''<>~.-  ", strict=True):
    _FOLD[ord(_one)] = ord(_other)
_FOLD[[ord(TARGET), ord(RIVAL), ord(NAME)]] = 0


def codes_of(bodies: Sequence[str]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Folded code points of all texts, each followed by a 0, and where each text starts; shapes (characters), (texts + 1)."""
    codes = _FOLD[np.frombuffer("\0".join((*bodies, "")).encode("utf-32-le"), np.uint32)]
    starts = np.zeros(len(bodies) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, bodies), np.int64, len(bodies)) + 1, out=starts[1:])
    return codes, starts


def chains(codes: NDArray[np.uint32]) -> list[NDArray[np.uint64]]:
    """Unmixed hashes of the 1- to 4-grams that start at each character; 0 where a wall stands within."""
    wide = codes.astype(np.uint64)
    held = [wide * _K]
    open_ = codes != 0
    for reach in range(1, LONGEST):
        longer = np.zeros_like(held[0])
        n = len(codes) - reach
        if n > 0:
            open_ = open_[:n] & (codes[reach:] != 0)
            longer[:n] = ((held[-1][:n] ^ (held[-1][:n] >> _29)) + wide[reach:]) * _K
            longer[:n][~open_] = 0
        held.append(longer)
    return held


def mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread the bits; 0 stays 0."""
    values = (values ^ (values >> _32)) * _K2
    return values ^ (values >> _29)
