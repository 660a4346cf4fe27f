"""Brand-wide shifts: the public's mood of each day → the spans of days on which it was worse than before.

    now    the 7 days before the day, base the days −180 to −15; the public: everybody who is off the roster
    bad    now − base < −0.15 and < −3.5 standard errors, with at least 100 mentions in the base and 20 in the week
    shift  bad days, three days at most from one to the next; it is over when three days have passed without one

One brand alert for such a span says more than an amber for every advocate who goes along; `listener.drift.detect` holds
those ambers back (not the reds: whoever outlives the storm as a critic is told). The roster's own posts are left out: KOCs
who turn one by one through a season would pull the mood down and be taken for the market.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from listener.drift.moods import BASE, NOW, Floats, Moods, shift_of
from storage.records import QUIET_DAYS, BrandShift, MoodDay

ERRORS = 3.5
LEAST_SHIFT = 0.15  # mean stance, −1…1
LEAST_BASE, LEAST_NOW = 100, 20  # mentions


def brand_shifts(moods: Sequence[MoodDay]) -> tuple[BrandShift, ...]:
    """Spans of bad days of the public's moods, in order. Whether a day is bad depends on the days before it alone, and so
    does whether it lies in a shift or in the days after one.

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
    enough = (now[:, 0] >= LEAST_NOW) & (base[:, 0] >= LEAST_BASE)
    bad = np.flatnonzero(enough & (shift < -LEAST_SHIFT) & (shift < -ERRORS * error)).tolist()
    spans: list[list[int]] = []
    for i in bad:
        if spans and i - spans[-1][-1] <= QUIET_DAYS:
            spans[-1].append(i)
        else:
            spans.append([i])
    last = int(ordinals[-1])
    return tuple(_shift(span, ordinals.tolist(), shift, np.concatenate([now, base], axis=1).tolist(), last) for span in spans)


def _shift(span: list[int], ordinals: list[int], shift: Floats, sums: list[list[int]], last: int) -> BrandShift:
    worst = min(span, key=lambda i: (round(float(shift[i]), 9), i))
    n, against, _, favor, n_base, base_against, _, base_favor = sums[worst]
    return BrandShift(
        first=date.fromordinal(ordinals[span[0]]),
        last=date.fromordinal(ordinals[span[-1]]),
        before=round((base_favor - base_against) / n_base / 10_000, 4),
        worst=round((favor - against) / n / 10_000, 4),
        mentions=n,
        before_mentions=n_base,
        ended=last > ordinals[span[-1]] + QUIET_DAYS,
    )


def shifted(moods: Sequence[MoodDay], shifts: Sequence[BrandShift]) -> list[MoodDay]:
    """The moods with the days marked that lie in a shift, or in the `QUIET_DAYS` after one."""
    spans = [(shift.first, shift.last + timedelta(days=QUIET_DAYS)) for shift in shifts]
    return [
        MoodDay(m.day, m.n, m.against, m.none, m.favor, any(first <= m.day <= last for first, last in spans)) for m in moods
    ]
