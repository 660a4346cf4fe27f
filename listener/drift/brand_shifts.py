"""Brand-wide shifts: the mood of each day → the spans of days on which the whole brand was worse off than before.

One brand alert for such a span says more than an amber for every advocate who goes along; `listener.drift.detect` holds
those ambers back (not the reds: whoever outlives the storm as a critic is told).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from listener.drift.moods import BASE, NOW, Moods, shift_of
from storage.records import MoodDay

ERRORS = 3.0
LEAST_SHIFT = 0.15  # mean stance, −1…1
GAP_DAYS = 7


@dataclass(frozen=True, slots=True)
class BrandShift:
    """Days on which the mood of the week before was significantly worse: first and last, the worst shift of the mean
    stance, and how many mentions made that week."""

    first: date
    last: date
    shift: float
    mentions: int


def brand_shifts(moods: Sequence[MoodDay]) -> tuple[BrandShift, ...]:
    """Spans of bad days, in order; spans less than a week apart are one. Only closed days are read for each day.

    >>> brand_shifts([])
    ()
    """
    if not moods:
        return ()
    days = sorted(m.day for m in moods)
    ordinals = np.arange(days[0].toordinal(), days[-1].toordinal() + 2, dtype=np.int64)
    sums = Moods(moods)
    now, base = (sums.span(ordinals - first, ordinals - last) for first, last in (NOW, BASE))
    shift, error = shift_of(now, base)
    bad = (shift < -LEAST_SHIFT) & (shift < -ERRORS * error) & (now[:, 0] > 0) & (base[:, 0] > 0)
    spans: list[BrandShift] = []
    for i in np.flatnonzero(bad).tolist():
        day, worst, n = date.fromordinal(int(ordinals[i])), round(float(shift[i]), 4), int(now[i, 0])
        if spans and day - spans[-1].last <= timedelta(days=GAP_DAYS):
            before = spans[-1]
            deeper = worst < before.shift
            spans[-1] = BrandShift(before.first, day, worst if deeper else before.shift, n if deeper else before.mentions)
        else:
            spans.append(BrandShift(day, day, worst, n))
    return tuple(spans)


def in_shift(day: date, shifts: Sequence[BrandShift]) -> bool:
    """Whether a local day lies in one of the spans."""
    return any(s.first <= day <= s.last for s in shifts)
