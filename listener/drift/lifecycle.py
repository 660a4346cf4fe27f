"""Where a KOC stands: the filter's trace of one KOC → dated changes of status, and the drifts raised on the way.

    candidate → advocate    enough posts, and A holds 9 tenths of the rivals' weight
    advocate → wavering     amber; while the whole brand's mood has fallen it is held back, until the evidence stands out
                            against the market (``hysteresis`` nats above the bar) or the shift is over; back to advocate when
                            the evidence is ``hysteresis`` nats below the amber bar
    → critic                red, latched: one drift, however much evidence follows
    critic → recovered      the mirror filter; armed again, so that a second turn is a second drift
    recovered → advocate    after ``quiet`` posts that stay below the amber bar

Silent is not decided here: it needs to know what time was listened to (`listener.drift.silence`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from listener.drift.rules import Parameters, Rule
from listener.drift.turn_points import Column
from storage.records import Level, Status, StatusChange

LOYAL = 0.9  # share of A that makes an advocate


@dataclass(frozen=True, slots=True)
class Raised:
    """A drift raised at post ``at`` by a filter armed at post ``since``."""

    level: Level
    since: int
    at: int


@dataclass(frozen=True, slots=True)
class Held:
    """An amber that post ``at`` would have raised, had it not fallen into a brand-wide shift; released: the post at which a
    drift was raised after all, None where the evidence went before."""

    at: int
    released: int | None = None


@dataclass(frozen=True, slots=True)
class Life:
    """Statuses of one KOC over its posts, the drifts, and the ambers that were held back."""

    changes: tuple[StatusChange, ...]
    raised: tuple[Raised, ...]
    held: tuple[Held, ...] = ()


def life_of(column: Column, amber: list[float], stormy: list[bool], p: Parameters, rule: Rule) -> Life:
    """Walk a KOC's posts. amber: the amber bar at each post, nats. stormy: the post fell into a brand-wide shift, which holds
    ambers back."""
    changes: list[StatusChange] = []
    raised: list[Raised] = []
    held: list[Held] = []
    status: Status | None = None
    since, armed, calm_since = 0, 0, 0
    for t, step in enumerate(_steps(column, amber, stormy, p)):
        before, found, known = status, None, len(raised)
        if status is None:
            status, found = "candidate", "first-mention"
        if step.fired:
            status, found = "critic", "turned"
            raised.append(Raised("red", since, t))
        elif step.recovered:
            status, found = "recovered", "recovered"
            since = armed = t + 1
        elif status != "critic" and status != "wavering" and step.wavering:
            status, found = "wavering", "wavering"
            raised.append(Raised("amber", since, t))
        elif status == "wavering" and step.calm:
            status, found = "advocate", "settled"
        elif status == "candidate" and t + 1 >= rule.min_mentions and step.loyal >= LOYAL:
            status, found = "advocate", "loyal"
        elif status == "recovered" and step.calm and t + 1 - armed >= p.quiet:
            status, found = "advocate", "settled"
        if found is not None and status != before:
            post = column.counted.mentions[t]
            changes.append(StatusChange(post.posted_at, status, found, before, post.mention.key))
        waits = bool(held) and held[-1].released is None and held[-1].at >= calm_since
        if len(raised) > known and waits:
            held[-1] = Held(held[-1].at, released=t)
        elif step.held and status not in ("critic", "wavering") and not waits:
            held.append(Held(t))
        if step.calm:
            calm_since = t
    return Life(tuple(changes), tuple(raised), tuple(held))


class _Step(NamedTuple):
    fired: bool
    recovered: bool
    wavering: bool
    held: bool
    calm: bool
    loyal: float


def _steps(column: Column, amber: list[float], stormy: list[bool], p: Parameters) -> Iterator[_Step]:
    k, n, trace = column.k, column.length, column.trace
    bar, storm, critic = np.array(amber), np.array(stormy, dtype=np.bool_), trace.critic[:n, k]
    strength = np.minimum(trace.strength[:n, k], trace.never[:n, k] + p.never_less - p.never_more)
    reached = ~critic & (strength >= bar)
    held = reached & storm & (strength < bar + p.hysteresis)
    calm = ~critic & (strength < bar - p.hysteresis)
    columns = (trace.fired[:n, k], trace.recovered[:n, k], reached & ~held, held, calm, trace.loyal[:n, k])
    return map(_Step, *(each.tolist() for each in columns))
