"""Silence, judged over covered time only: when a KOC was heard, and when somebody listened → silent since, or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

LEAST_DAYS = 60.0
GAPS = 6.0
MENTIONS = 3


@dataclass(frozen=True, slots=True)
class Silence:
    """A KOC fell silent: the covered time since the last mention passed ``allowed_days`` at ``since``."""

    since: datetime
    last_at: datetime
    allowed_days: float


def silence_of(mentioned_at: Sequence[datetime], covered: Sequence[tuple[datetime, datetime]], now: datetime) -> Silence | None:
    """Whether a KOC is silent at ``now``: no mention for max(60 d, 6 × own mean gap) of *covered* time.

    mentioned_at: times of the KOC's mentions. covered: spans of time in which the KOC's accounts were listened to, in any
    order; time outside of them is not counted, so that not hearing is never taken for silence. None with fewer than 3
    mentions: there is no own pace to compare with.

    >>> from datetime import UTC
    >>> day = lambda n: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=n)
    >>> silence_of([day(0), day(5), day(10)], [(day(0), day(200))], day(100)).since == day(70)
    True
    >>> silence_of([day(0), day(5), day(10)], [(day(0), day(20))], day(100)) is None
    True
    """
    times = sorted(t for t in mentioned_at if t <= now)
    if len(times) < MENTIONS:
        return None
    last = times[-1]
    mean_gap = (last - times[0]).total_seconds() / 86_400 / (len(times) - 1)
    allowed = max(LEAST_DAYS, GAPS * mean_gap)
    left = timedelta(days=allowed)
    for start, end in _merged(covered, last, now):
        if end - start >= left:
            return Silence(start + left, last, round(allowed, 2))
        left -= end - start
    return None


def _merged(covered: Sequence[tuple[datetime, datetime]], after: datetime, before: datetime) -> list[tuple[datetime, datetime]]:
    """Covered spans clipped to (after, before), in order, overlaps joined."""
    spans: list[tuple[datetime, datetime]] = []
    for start, end in sorted((max(s, after), min(e, before)) for s, e in covered):
        if end <= start:
            continue
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return spans
