"""Stored history under other promises: verdicts and marks → alerts, delays against confirmed turns, misses, false alarms."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from listener.drift.marks import EARLY, mark_of
from storage.records import Drift, History, KocMark, Level, PostKey, Verdict

MONTH = timedelta(days=365.25 / 12)
LEVELS: tuple[Level, ...] = ("red", "amber")
Judged = Literal["turned", "false-alarm", "mild", ""]


@dataclass(frozen=True, slots=True)
class Raised:
    """An alert that would have been raised. judged: what the team's mark says of it, "" where nobody said."""

    koc_id: str
    brand: str
    level: Level
    fired_at: datetime
    turned_at: datetime
    tipped_by: PostKey
    posterior: float
    judged: Judged


@dataclass(frozen=True, slots=True)
class Delay:
    """From a confirmed turn to an alert: mentions (1 = the first one after the turn tipped it) and days."""

    mentions: int
    days: float


@dataclass(frozen=True, slots=True)
class Turn:
    """A confirmed turn, and how late it was told at each level (amber: the first of either); None where it was missed.
    mentions: how many came after it at all."""

    koc_id: str
    brand: str
    at: datetime
    mentions: int
    told: Mapping[Level, Delay | None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one KOC's history gives under one pair of promises. told: the levels raised at any time until the end, red as amber
    too: whoever is told earlier, or at once by the graver alert, is not left out."""

    koc_id: str
    brand: str
    raised: tuple[Raised, ...]
    turns: tuple[Turn, ...]
    koc_months: float
    told: frozenset[Level]


def outcome_of(history: History, verdict: Verdict, marks: Sequence[KocMark], since: datetime, until: datetime) -> Outcome:
    """Alerts fired and turns confirmed in since … until. marks: of this KOC and brand."""
    raised = tuple(_raised(d, marks) for d in verdict.drifts if since <= d.fired_at < until)
    turns = tuple(_turn(history, verdict.drifts, m, until) for m in marks if m.kind == "turned" and since <= m.at < until)
    months = 0.0
    if history.mentions:
        months = max(timedelta(0), until - max(since, history.mentions[0].posted_at)) / MONTH
    levels = {d.level for d in verdict.drifts if d.fired_at < until}
    told = frozenset[Level]({"amber", "red"} if "red" in levels else levels)
    return Outcome(history.koc_id, history.brand, raised, turns, months, told)


def _raised(drift: Drift, marks: Sequence[KocMark]) -> Raised:
    mark = mark_of(drift, marks)
    return Raised(
        drift.koc_id,
        drift.brand,
        drift.level,
        drift.fired_at,
        drift.turned_at,
        drift.tipped_by,
        drift.evidence.posterior,
        mark.kind if mark else "",
    )


def _turn(history: History, drifts: Sequence[Drift], mark: KocMark, until: datetime) -> Turn:
    after = [m.posted_at for m in history.mentions if mark.at <= m.posted_at < until]
    fits = [d for d in drifts if mark.at - EARLY <= d.fired_at < until]
    told: dict[Level, Delay | None] = {}
    for level in LEVELS:
        first = min((d.fired_at for d in fits if level in (d.level, "amber")), default=None)
        if first is None:
            told[level] = None
        else:
            days = max(0.0, (first - mark.at) / timedelta(days=1))
            told[level] = Delay(sum(at <= first for at in after), round(days, 1))
    return Turn(history.koc_id, history.brand, mark.at, len(after), told)


@dataclass(frozen=True, slots=True)
class Delays:
    """Of the turns that were told: mean and 90th percentile of mentions and days; None where none was."""

    mean_mentions: float
    p90_mentions: float
    mean_days: float
    p90_days: float


@dataclass(frozen=True, slots=True)
class Side:
    """One pair of promises over all KOCs: by level the alerts, those that the team calls false, mild or true, the confirmed
    turns told and missed, and how late."""

    red: float
    amber: float
    koc_months: float
    alerts: Mapping[Level, int]
    false_alarms: Mapping[Level, int]
    mild: Mapping[Level, int]
    confirmed: Mapping[Level, int]
    turns: int
    told: Mapping[Level, int]
    missed: Mapping[Level, tuple[Turn, ...]]
    delays: Mapping[Level, Delays | None]

    def per_koc_month(self, level: Level) -> float:
        """Alerts of a level in a month of one KOC."""
        return self.alerts[level] / self.koc_months if self.koc_months else 0.0


def side_of(red: float, amber: float, outcomes: Iterable[Outcome]) -> Side:
    """The sums of one pair of promises (false alarms per 1000 KOC-years)."""
    every = list(outcomes)
    raised = [r for one in every for r in one.raised]
    turns = [t for one in every for t in one.turns]

    def count(judged: Judged) -> dict[Level, int]:
        return {level: sum(r.level == level and r.judged == judged for r in raised) for level in LEVELS}

    found = {level: [d for t in turns if (d := t.told[level]) is not None] for level in LEVELS}
    return Side(
        red=red,
        amber=amber,
        koc_months=round(math.fsum(one.koc_months for one in every), 2),
        alerts={level: sum(r.level == level for r in raised) for level in LEVELS},
        false_alarms=count("false-alarm"),
        mild=count("mild"),
        confirmed=count("turned"),
        turns=len(turns),
        told={level: len(found[level]) for level in LEVELS},
        missed={level: tuple(t for t in turns if t.told[level] is None) for level in LEVELS},
        delays={level: _delays(found[level]) for level in LEVELS},
    )


def _delays(found: Sequence[Delay]) -> Delays | None:
    if not found:
        return None
    mentions, days = sorted(d.mentions for d in found), sorted(d.days for d in found)
    return Delays(
        round(math.fsum(mentions) / len(mentions), 1),
        float(percentile(mentions, 0.9)),
        round(math.fsum(days) / len(days), 1),
        percentile(days, 0.9),
    )


def percentile(ordered: Sequence[float], share: float) -> float:
    """The least value that so many of them do not exceed.

    >>> percentile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.9), percentile([4], 0.9)
    (9, 4)
    """
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def only_in(these: Iterable[Outcome], those: Iterable[Outcome]) -> list[Raised]:
    """Alerts of the one side on KOCs whom the other side does not tell of at all, at that level."""
    told = {(one.koc_id, one.brand): one.told for one in those}
    return [r for one in these for r in one.raised if r.level not in told.get((one.koc_id, one.brand), frozenset())]
