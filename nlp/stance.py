"""Cleaned texts and their target → what a linear model reads of the stance: whose words these are, near the name or far.

A rival's clauses don't speak of the target; clauses that name the target are read once more as *near*; what a clause says
in comparing the two is read by rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlp.clauses import clauses_of, comparison
from nlp.text import RIVAL, TARGET, Readings

_T, _R = ord(TARGET), ord(RIVAL)
_CLOSES = np.zeros(0x110000, bool)
_CLOSES[[ord(c) for c in "\0，。！？；,!?;\n~…、：:"]] = True
_BUT = [(ord("但"), ord("是")), (ord("不"), ord("过")), (ord("可"), ord("是")), (ord("然"), ord("而")), (ord("反"), ord("而"))]


@dataclass(frozen=True, slots=True)
class Regions:
    """Of each character of a batch: is it a rival's, does its clause name the target, is it of the last clause.

    wins: for each text, how often the target is ranked above a rival less how often below. named: how often it is named.
    """

    rival: NDArray[np.bool_]
    near: NDArray[np.bool_]
    last: NDArray[np.bool_]
    wins: NDArray[np.int64]
    named: NDArray[np.int64]
    clauses: NDArray[np.int64]


def regions_of(readings: Readings, codes: NDArray[np.uint32], starts: NDArray[np.int64]) -> Regions:
    """The regions of a batch; codes: its unfolded code points, each text followed by a 0."""
    closes = _CLOSES[codes]
    opens = np.zeros(len(codes), bool)
    opens[starts[:-1]] = True
    opens[1:] |= closes[:-1]
    for one, other in _BUT:
        opens[:-1] |= (codes[:-1] == one) & (codes[1:] == other)
    begins = np.flatnonzero(opens)
    clause = np.cumsum(opens) - 1
    is_target = (codes == _T) & ~at_edge(codes, starts)
    near_clause = np.logical_or.reduceat(is_target, begins) if len(begins) else np.zeros(0, bool)
    near = near_clause[clause] if len(begins) else np.zeros(0, bool)
    first = clause[starts[:-1]]
    count = np.diff(np.r_[first, len(begins)])
    # the last clause with words: one before the closing 0's own, where the text ends in punctuation
    last = np.zeros(len(codes), bool)
    wordy = ~closes & (codes != 0x20)
    position = np.where(wordy, clause, -1)
    final = np.maximum.reduceat(position, starts[:-1]) if len(readings.bodies) else np.zeros(0, np.int64)
    last = clause == np.repeat(final, np.diff(starts))
    rival = np.zeros(len(codes), bool)
    wins = np.zeros(len(readings.bodies), np.int64)
    for index, body in enumerate(readings.bodies):
        tagged = readings.tagged_rival[index] and not readings.tagged_target[index]
        if tagged or RIVAL in body:
            for part in clauses_of(body, rival_first=tagged):
                at = slice(int(starts[index]) + part.start, int(starts[index]) + part.end)
                if part.owner == "rival":
                    rival[at] = True
                elif part.owner == "both":
                    ranked = comparison(body[part.start : part.end])
                    wins[index] += ranked
                    rival[at] = ranked != 0  # what is said of both in one breath is said of the target
    named = np.add.reduceat(is_target.astype(np.int64), starts[:-1]) if len(readings.bodies) else np.zeros(0, np.int64)
    return Regions(rival, near, last, wins, named, count)


def at_edge(codes: NDArray[np.uint32], starts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """The first and the last character of each text: a name there may as well be a tag, and says no more than one."""
    edge = np.zeros(len(codes), bool)
    edge[starts[:-1]] = True
    edge[np.maximum(starts[1:] - 2, starts[:-1])] = True
    return edge


def overlaps(bodies: Sequence[str], targets: Sequence[str]) -> NDArray[np.float64]:
    """How much of the target's words stands in the text: share of its character pairs; 1 for one that is named whole."""
    shares = np.zeros(len(bodies))
    for index, (body, target) in enumerate(zip(bodies, targets, strict=True)):
        pairs = {target[i : i + 2] for i in range(len(target) - 1)} or {target}
        shares[index] = sum(pair in body for pair in pairs) / len(pairs) if pairs else 0.0
    return shares
