"""Patterns → which of them can stand in which text, from the pairs of characters they can't do without.

Most texts hold no pair of most patterns, so most expressions are never run.
"""

from __future__ import annotations

from collections.abc import Sequence
from re import _parser  # type: ignore[attr-defined]  # the tree of an expression; re shows it nowhere else
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SLOTS = 1 << 16
_STEP = np.uint32(2654435761)


class Triggers:
    """For expressions: ``candidates`` tells for each text which of them may match."""

    def __init__(self, expressions: Sequence[str]) -> None:
        pairs: dict[int, set[int]] = {}
        singles: dict[int, set[int]] = {}
        self._always: list[int] = []
        for place, expression in enumerate(expressions):
            literals = _needed(_parser.parse(expression))
            if not literals:
                self._always.append(place)
            for literal in literals:
                codes = np.array([ord(c) for c in literal[:2]], np.uint32)
                if len(codes) == 2:
                    pairs.setdefault(int(_slots(codes)[0]), set()).add(place)
                else:
                    singles.setdefault(int(codes[0]) & 0xFFFF, set()).add(place)
        self._groups: list[tuple[int, ...]] = [()]
        self._pairs, self._singles = self._table(pairs), self._table(singles)

    def _table(self, places: dict[int, set[int]]) -> NDArray[np.uint16]:
        """For each slot the number of the group of expressions it lets through; 0: none."""
        table = np.zeros(_SLOTS, np.uint16)
        for slot, group in places.items():
            table[slot] = len(self._groups)
            self._groups.append(tuple(sorted(group)))
        return table

    def candidates(self, codes: NDArray[np.uint32], starts: NDArray[np.int64]) -> list[list[int]]:
        """codes: of all texts, each followed by a 0; starts: of each text, and the end. The places of the expressions that
        may match, in order, for each text."""
        found: list[set[int]] = [set(self._always) for _ in starts[1:]]
        for groups in (self._singles[codes & 0xFFFF], self._pairs[_slots(codes)]):
            hits = np.flatnonzero(groups)
            whose = np.searchsorted(starts, hits, side="right") - 1
            seen = np.unique(whose * len(self._groups) + groups[hits])
            for text, group in zip((seen // len(self._groups)).tolist(), (seen % len(self._groups)).tolist(), strict=True):
                found[text].update(self._groups[group])
        return [sorted(one) for one in found]


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
