"""The brand's mood on closed days: the mood of each day → how far the whole market has moved before a mention.

    now_c   = (1 + Σ shares_c of the 7 days before) / (3 + n)
    base_c  = the same over the days from the KOC's first mention, but at least −180, up to −15
    market_c = (now_c / base_c)^(n/(n + 20)), only where the brand-wide shift exceeds 2 standard errors and 0.2, else 1

Only local days strictly before a mention's own local day are read, and the KOC's own mentions are taken out, so that
the mood is that of the *other* authors and no order of arrival within a day can change it. The base reaches back to the
KOC's first mention because the KOC's own profile was learned over that time: a base of a fixed half-year forgets the calm
before a long crisis while the crisis lasts, and would blame the KOC for it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from storage.records import MoodDay

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

NOW = (7, 1)  # days before the mention's local day, first and last
BASE = (180, 15)
UNIT = 10_000  # probabilities are stored as integers of 1e-4
CLIP = 8.0


class Moods:
    """Prefix sums over the days of one brand: the summed shares of any span of days at once."""

    def __init__(self, moods: Sequence[MoodDay]) -> None:
        days = sorted(moods, key=lambda m: m.day)
        self._days = np.array([m.day.toordinal() for m in days], dtype=np.int64)
        rows = np.array([(m.n, m.against, m.none, m.favor) for m in days], dtype=np.int64).reshape(len(days), 4)
        self._sums = np.concatenate([np.zeros((1, 4), dtype=np.int64), rows.cumsum(axis=0)])

    def span(self, first: Ints, last: Ints) -> Ints:
        """(M, 4) counts and summed shares of M spans of days, both ends (ordinals) included."""
        low = np.searchsorted(self._days, first, side="left")
        high = np.searchsorted(self._days, last, side="right")
        spans: Ints = self._sums[high] - self._sums[low]
        return spans


def now_and_base(mood: Moods, own: Moods, today: Ints) -> tuple[Ints, Ints]:
    """What was said before each of a KOC's mentions (days ``today``, ascending) by others: (M, 4) of the week before, and of
    the long time before that."""
    start = np.minimum(today[:1], today - BASE[0])
    spans = ((today - NOW[0], today - NOW[1]), (start, today - BASE[1]))
    now, base = (mood.span(first, last) - own.span(first, last) for first, last in spans)
    return now, base


def own_moods(days: Ints, rows: Ints) -> Moods:
    """The KOC's own part of the moods: its mentions' days (ascending ordinals) and (n, against, none, favor) rows."""
    own = Moods(())
    own._days = days
    own._sums = np.concatenate([np.zeros((1, 4), dtype=np.int64), rows.cumsum(axis=0)])
    return own


def market_of(now: Ints, base: Ints, *, half: float, errors: float, least: float = 0.0) -> Floats:
    """(M, 3) market factors (against, none, favor) for a loading of 1, multiples of 1e-4; exactly 1 where nothing shifted.

    now, base: (M, 4) from `Moods.span`, own mentions already taken out. half: mentions at which the factor counts half. errors,
    least: standard errors and mean stance that the shift must exceed.

    >>> calm = np.array([[50, 100_000, 100_000, 300_000]])
    >>> market_of(calm, calm * 20, half=20, errors=2).tolist()
    [[1.0, 1.0, 1.0]]
    >>> angry = np.array([[200, 1_500_000, 100_000, 400_000]])
    >>> market_of(angry, calm * 20, half=20, errors=2).round(2).tolist()
    [[3.29, 0.3, 0.37]]
    """
    n, share = _shares(now)
    n_base, share_base = _shares(base)
    shift, error = shift_of(now, base)
    power = n / (n + half)
    factor = np.exp(power[:, None] * np.log(share / share_base))
    factor = np.round(np.clip(factor, 1 / CLIP, CLIP), 4)
    shifted = (np.abs(shift) > np.maximum(errors * error, least)) & (n > 0) & (n_base > 0)
    return np.where(shifted[:, None], factor, 1.0)


def _shares(span: Ints) -> tuple[Floats, Floats]:
    """Counts and Laplace-smoothed class shares of a span, (M,) and (M, 3)."""
    n = np.maximum(span[:, 0], 0).astype(np.float64)
    sums = np.maximum(span[:, 1:], 0) / UNIT + 1.0
    total = sums[:, 0] + sums[:, 1] + sums[:, 2]
    return n, sums / total[:, None]


def shift_of(now: Ints, base: Ints) -> tuple[Floats, Floats]:
    """Shift of the mean stance (favor − against) and its standard error, both (M,), from spans (M, 4)."""
    n, share = _shares(now)
    n_base, share_base = _shares(base)
    mean = share[:, 2] - share[:, 0]
    mean_base = share_base[:, 2] - share_base[:, 0]
    variance = share_base[:, 2] + share_base[:, 0] - mean_base * mean_base
    error = np.sqrt(variance * (1 / np.maximum(n, 1) + 1 / np.maximum(n_base, 1)))
    return mean - mean_base, error
