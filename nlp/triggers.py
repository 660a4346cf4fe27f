"""Patterns → which of them can stand in which text, from the pairs of characters they can't do without.

Most texts hold no pair of most patterns, so most expressions are never run.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from re import _parser  # type: ignore[attr-defined]  # the tree of an expression; re shows it nowhere else
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SLOTS = 1 << 16
_STEP = np.uint32(2654435761)


class Triggers:
    """For up to 64 expressions: ``masks`` tells for each text, as bits, which of them may match."""

    def __init__(self, patterns: Sequence[re.Pattern[str]]) -> None:
        self._pairs = np.zeros(_SLOTS, np.uint64)
        self._singles = np.zeros(_SLOTS, np.uint64)
        self._always = 0
        for place, pattern in enumerate(patterns):
            literals = _needed(_parser.parse(pattern.pattern))
            if not literals:
                self._always |= 1 << place
            for literal in literals:
                codes = np.array([ord(c) for c in literal[:2]], np.uint32)
                table = self._pairs if len(codes) == 2 else self._singles
                table[_slots(codes)[0] if len(codes) == 2 else codes[0] & 0xFFFF] |= np.uint64(1 << place)

    def masks(self, codes: NDArray[np.uint32], starts: NDArray[np.int64]) -> list[int]:
        """codes: of all texts, each followed by a 0; starts: of each text, and the end. One mask for each text."""
        seen = self._singles[codes & 0xFFFF]
        seen[:-1] |= self._pairs[_slots(codes)]
        masks: list[int] = (np.bitwise_or.reduceat(seen, starts[:-1]) | np.uint64(self._always)).tolist()
        return masks


def _slots(codes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """The slot of each pair of neighbors."""
    mixed: NDArray[np.uint32] = ((codes[:-1] * _STEP) ^ (codes[1:] * np.uint32(40503))) >> np.uint32(16)
    return mixed


def _needed(tree: Any) -> frozenset[str]:
    """Literals one of which stands in every match; nothing where that can't be told.

    >>> sorted(_needed(_parser.parse("(?:被|给)删评|太?失望")))
    ['删评', '失望']
    """
    best: frozenset[str] = frozenset()
    run = ""
    for name, value in [*tree, (None, None)]:
        if str(name) == "LITERAL":
            run += chr(value)
            continue
        if run:
            best = _better(best, frozenset({run}))
        run = ""
        if name is not None:
            best = _better(best, _needed_of(str(name), value))
    return best


def _needed_of(name: str, value: Any) -> frozenset[str]:
    if name == "SUBPATTERN":
        return _needed(value[-1])
    if name == "BRANCH":
        parts = [_needed(part) for part in value[1]]
        return frozenset().union(*parts) if all(parts) else frozenset()
    if name == "MAX_REPEAT" and value[0] >= 1:
        return _needed(value[2])
    if name == "IN" and all(str(kind) == "LITERAL" for kind, _ in value):
        return frozenset(chr(code) for _, code in value)
    return frozenset()


def _better(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    """The set whose shortest literal is longer, then the smaller one."""
    if not one or not other:
        return one or other
    return max(one, other, key=lambda literals: (min(2, *map(len, literals)), -len(literals)))
