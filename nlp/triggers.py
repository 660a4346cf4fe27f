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
_MOST = 256  # literals of one expression
_NOTHING = frozenset({""})
# Characters that stand in a great part of all posts: alone, or two of them, they tell little.
_COMMON = frozenset(
    "的一是了我不在人有他这中大来上个们到说就去得也和那要下看天时过出么起你都把好还多没为又可以家小心后自能会着给让太很啊吧呢吗她被什年生想知道真点里吃今日已做老"
    "现从最前高开"
)


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
                codes = np.array([ord(c) for c in _telling(literal)], np.uint32)
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
    """Literals one of which stands in every match, the rarest that can be told; nothing where none can.

    >>> sorted(_needed(_parser.parse("(?:被|给)删评|太?失望")))
    ['太失望', '失望', '给删评', '被删评']
    >>> sorted(_needed(_parser.parse("让我.{0,4}删")))
    ['删']
    """
    best: frozenset[str] = frozenset()
    run = _NOTHING
    for item in [*tree, None]:
        found = None if item is None else _strings(item)
        joined = None if found is None else _joined(run, found)
        if joined is not None:
            run = joined
            continue
        best = _rarer(best, run)
        run = _NOTHING if found is None else found
        if found is None and item is not None:
            best = _rarer(best, _needed_of(*item))
    return best


def _needed_of(kind: Any, value: Any) -> frozenset[str]:
    name = str(kind)
    if name == "SUBPATTERN":
        return _needed(value[-1])
    if name == "BRANCH":
        parts = [_needed(part) for part in value[1]]
        return frozenset().union(*parts) if all(parts) else frozenset()
    if name == "MAX_REPEAT" and value[0] >= 1:
        return _needed(value[2])
    return frozenset()


def _strings(item: Any) -> frozenset[str] | None:
    """All that one part of an expression can match, where those are few; None where they are not, or can't be told."""
    kind, value = item
    name = str(kind)
    if name == "LITERAL":
        return frozenset({chr(value)})
    if name in ("ASSERT", "ASSERT_NOT"):
        return _NOTHING
    if name == "IN" and all(str(one) == "LITERAL" for one, _ in value):
        return frozenset(chr(code) for _, code in value)
    if name == "SUBPATTERN":
        return _strings_of(value[-1])
    if name == "BRANCH":
        parts = [_strings_of(part) for part in value[1]]
        every = [part for part in parts if part is not None]
        return frozenset().union(*every) if len(every) == len(parts) else None
    if name == "MAX_REPEAT" and (value[0], value[1]) == (0, 1):
        once = _strings_of(value[2])
        return None if once is None else once | _NOTHING
    return None


def _strings_of(tree: Any) -> frozenset[str] | None:
    made: frozenset[str] | None = _NOTHING
    for item in tree:
        found = _strings(item)
        made = None if made is None or found is None else _joined(made, found)
    return made


def _joined(one: frozenset[str], other: frozenset[str]) -> frozenset[str] | None:
    """Each followed by each; None where those are too many."""
    if len(one) * len(other) > _MOST:
        return None
    return frozenset(a + b for a in one for b in other)


def _rarer(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    """The set whose most common literal is rarer, then the smaller one; a set that may be empty tells nothing."""
    if "" in other:
        return one
    if not one or not other:
        return one or other
    return max(one, other, key=lambda literals: (min(map(_rarity, literals)), -len(literals)))


def _rarity(literal: str) -> int:
    telling = _telling(literal)
    return 2 * sum(sign not in _COMMON for sign in telling) + (len(telling) == 2)


def _telling(literal: str) -> str:
    """The two neighbors in it that are rarest; the only one of one.

    >>> _telling("不好用啊")
    '好用'
    """
    pairs = [literal[at : at + 2] for at in range(max(1, len(literal) - 1))]
    return max(pairs, key=lambda pair: sum(sign not in _COMMON for sign in pair))
