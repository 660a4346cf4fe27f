"""Cleaned texts and their target → what a linear model reads of the stance: whose words these are, near the name or far.

A rival's clauses don't speak of the target; clauses that name the target are read once more as *near*; what a clause says
in comparing the two is read by rule.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlp.clauses import clauses_of, may_quote, rank_of
from nlp.farewells import leaves
from nlp.text import NAME, RIVAL, TARGET, Readings

_T, _R = ord(TARGET), ord(RIVAL)
_CLOSES = np.zeros(0x110000, bool)
_CLOSES[[ord(c) for c in "\0，。！？；,!?;\n~…、：:"]] = True
_SPEAKS = re.compile(  # what may part clauses; begins with a class alone: so it searches fast,
    f"[{TARGET}{RIVAL}{NAME}某别其隔友竞同](?:(?<=[{TARGET}{RIVAL}{NAME}某])|(?<=别)家|(?<=[其别])[他它的]|(?<=隔)壁|(?<=友)商|(?<=竞)品|(?<=同)行)"
)
_SAYS = re.compile("[说讲吐骂黑喷吹夸]")  # beside what others say
LEFT = -2.0  # how a text ranks a target that its author leaves: a farewell is said with much praise of what was
_MEANT = 8  # characters of an end that says no more than whom the text is about: (说的是…)
_ALL_SAID = 12  # characters of a clause that says nothing but how it ranks
_BUT = [(ord("但"), ord("是")), (ord("不"), ord("过")), (ord("可"), ord("是")), (ord("然"), ord("而")), (ord("反"), ord("而"))]


@dataclass(frozen=True, slots=True)
class Regions:
    """Of each character of a batch: does it say nothing of the target by itself (a rival's, quoted, read by rule); does it
    speak of others (a rival's, a comparison); does its clause name the target; is it of the last clause; does it stand in
    the clause that first names the target or after it (everything where none does).

    wins: for each text, how it ranks the target above others, −1 … 1; `LEFT` where its author leaves the target. named: how
    often it is named.
    """

    rival: NDArray[np.bool_]
    foreign: NDArray[np.bool_]
    near: NDArray[np.bool_]
    last: NDArray[np.bool_]
    since: NDArray[np.bool_]
    wins: NDArray[np.float64]
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
    foreign = np.zeros(len(codes), bool)
    wins = np.zeros(len(readings.bodies))
    for index, body in enumerate(readings.bodies):
        tagged = readings.tagged_rival[index] and not readings.tagged_target[index]
        if tagged or _SPEAKS.search(body) or (_SAYS.search(body) and may_quote(body)):
            found = clauses_of(body, rival_first=tagged)
            wins[index] = rank_of(found)
            for part in found:  # what is said of both in one breath is said of the target
                at = slice(int(starts[index]) + part.start, int(starts[index]) + part.end)
                by_rule = part.rank != 0 and (part.owner == "both" or part.end - part.start <= _ALL_SAID)
                rival[at] = by_rule or part.owner in ("rival", "quoted")
                foreign[at] = part.owner == "rival" or (by_rule and part.owner == "both")
        if not tagged and leaves(body):
            wins[index] = LEFT
    named = np.add.reduceat(is_target.astype(np.int64), starts[:-1]) if len(readings.bodies) else np.zeros(0, np.int64)
    since = _since(is_target, clause, begins, starts)
    return Regions(rival, foreign, near, last, since, wins, named, count)


def _since(
    is_target: NDArray[np.bool_], clause: NDArray[np.int64], begins: NDArray[np.int64], starts: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """The characters from the clause on that first names the target; all of a text that names it only as it ends."""
    first = starts[:-1].copy()
    named = np.flatnonzero(is_target)
    whose, place = np.unique(np.searchsorted(starts, named, side="right") - 1, return_index=True)
    begun = begins[clause[named[place]]]
    first[whose] = np.where(starts[whose + 1] - begun > _MEANT, begun, first[whose])
    since: NDArray[np.bool_] = np.arange(len(is_target)) >= np.repeat(first, np.diff(starts))
    return since


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
