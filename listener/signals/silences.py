"""Silence (久未提及), judged over covered time only: a KOC's own rhythm and how far it was heard → since when it is silent.

A KOC is silent from the instant at which the time without a mention of the brand has become longer than

    max(60 days, 6 × own mean gap, 1.5 × own longest gap so far, g·(a − 1)·((365/(0.2·g))^(1/a) − 1))

The last is the gap that such a KOC, staying as it was, has once in five years: people post in bursts and pauses, so that
gaps have Lomax's heavy tail, P(gap > t) = (1 + t/(g·(a − 1)))^(−a), with a = 2.2, a little heavier than that of 187,000 real
ones; g: own mean gap, shrunk to the usual (27.5 mentions a year, by three gaps). On simulated seasons with real gaps that makes
260 silences per 1000 KOC-years of KOCs who go on, where the first three terms alone make 450, and finds 50 of 55 who stop for
good, where those find 51; half of them after 110 days instead of 64.

A KOC is silent only where all of the KOC's timelines were read to their ends at that instant or later: not hearing is not
silence. The clock is never asked: what was read, and up to when, is the clock. Who had turned critic, or was never seen to be
an advocate, is missed by nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from storage.records import DriftState, History, Signal, Status

KIND = "silence"
MENTIONS = 5
GAPS = 6.0
LONGEST = 1.5
TAIL = 2.2  # exponent of the gaps' tail: at 2.8 it would be that of the real gaps, at 1 there is no mean
PER_YEAR = 0.2  # pauses so long, of a KOC who stays as it was
USUAL_GAP, USUAL_GAPS = 365 / 27.5, 3  # days between mentions of a KOC not yet known, and how many gaps that weighs
MISSED: frozenset[Status] = frozenset({"advocate", "wavering", "recovered"})
DAY = timedelta(days=1)


def silences(history: History, state: DriftState, *, least_days: float) -> tuple[tuple[Signal, ...], datetime | None]:
    """The silences of one KOC in order of time, and the instant up to which the KOC must be heard for one more, if nothing more
    is found (None: there is none).

    state: where the KOC stood after each mention. least_days: the shortest silence, 0 = none is told.
    """
    times = [one.posted_at for one in history.mentions]
    if least_days <= 0:
        return (), None
    found: list[Signal] = []
    for i in range(MENTIONS - 1, len(times)):
        next_at = times[i + 1] if i + 1 < len(times) else None
        if next_at and next_at - times[i] <= least_days * DAY:  # no need to look at all gaps so far
            continue
        from_at = silent_from(times[: i + 1], least_days)
        if (next_at and next_at <= from_at) or _status_at(state, times[i]) not in MISSED:
            continue
        if history.heard_to is None or history.heard_to < from_at:
            return tuple(found), from_at
        found.append(_signal(history, i, from_at, next_at))
    return tuple(found), None


def silent_from(times: Sequence[datetime], least_days: float) -> datetime:
    """When the time after the last of these mentions becomes too long; times ascending, at least two.

    >>> from datetime import UTC
    >>> weekly = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=7 * i) for i in range(6)]
    >>> (silent_from(weekly, 60) - weekly[-1]).days
    112
    >>> (silent_from(weekly[::3], 60) - weekly[3]).days
    142
    """
    gaps = [b - a for a, b in pairwise(times)]
    span = times[-1] - times[0]
    usual = usual_pause((span / DAY + USUAL_GAP * USUAL_GAPS) / (len(gaps) + USUAL_GAPS))
    return times[-1] + max(least_days * DAY, GAPS * span / len(gaps), LONGEST * max(gaps), usual * DAY)


def usual_pause(mean_gap: float) -> float:
    """The pause, in days, that comes `PER_YEAR` times a year to who mentions the brand every so many days; to 1e-6.

    >>> [round(usual_pause(days)) for days in (3, 10, 30)]
    [63, 116, 197]
    """
    per_year = 365 / mean_gap
    times: float = (per_year / PER_YEAR) ** (1 / TAIL)
    return round(mean_gap * (TAIL - 1) * max(0.0, times - 1), 6)


def _status_at(state: DriftState, at: datetime) -> Status:
    return next((change.status for change in reversed(state.changes) if change.at <= at), "candidate")


def _signal(history: History, last: int, at: datetime, ended: datetime | None) -> Signal:
    mentions = history.mentions[: last + 1]
    days = (mentions[-1].posted_at - mentions[0].posted_at) / DAY
    read = [one.mention for one in mentions if one.mention.unscored is None and one.mention.own_words]
    evidence = {
        "last_at": mentions[-1].posted_at.isoformat(),
        "mean_gap_days": round(days / last, 2),
        "allowed_days": round((at - mentions[-1].posted_at) / DAY, 2),
        "before_n": len(mentions),
        "before_mean": round(sum(m.favor - m.against for m in read) / len(read), 4) if read else 0.0,
    }
    tipped_by = mentions[-1].mention.key
    return Signal(KIND, history.koc_id, history.brand, at, tipped_by, evidence, (tipped_by,), ended)
