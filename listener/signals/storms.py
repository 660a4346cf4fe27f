"""Opinion storm (舆论风暴): many distinct authors of one place speak against the brand within hours, against its own usual.

A place is a source, a group's chat, or the answers to one post. Counted are distinct authors of posts that are clearly against
the brand, in own words and not mild; the same words from different people count, and are told as such. In a source or group

    X    authors in the six hours up to a post       fires: X ≥ 6, X ≥ 3 μ, and P(NB(μ, κ) ≥ X) ≤ promised / 20 000
    μ    what is usual at that time of day: over the 56 days before, counted by (day, quarter of the day, author), the
         quarters shrunk to their mean by 14 days; days of a storm are left out
    κ    1.5 times how much more the quarters scatter than by chance (0.3 before anything is known), and how little of μ is
         known yet

promised: false storms per place and year of one that only scatters as it always did (negative binomial: a bad evening draws a
few more). 20 000 is what sliding the window over a year makes of its 1460 quarters, and 1.5 what two months know too little of
rare bad days, from simulation: tests/bench/bench_crowds.py.
A place of which nothing was heard for a week has no usual yet. The answers to one post have no usual of their own: there
24 hours count, and fires what reaches 8 authors and twice the third most that any other post got in the 180 days before.

A storm is over when 24 hours have passed without a time at which it would have fired; what lasts for two weeks becomes the
usual. It is a function of the posts up to then alone, so that later ones never take it back.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

from storage.records import PostKey, Voice

WINDOW, QUIET = timedelta(hours=6), timedelta(hours=24)
QUARTERS = 4  # of a day, as long as the window
DAYS, LEAST_DAYS, SHRINK_DAYS = 56, 7, 14
LEAST_AUTHORS, TIMES = 6, 3.0
SCATTER, SCATTER_WEIGHT = 0.3, 4.0  # κ before anything is known, and the Σμ² that this is worth
TESTS, CAUTION = 20_000.0, 1.5
THREAD_WINDOW, THREAD_DAYS = timedelta(hours=24), 180
LEAST_THREAD, THREAD_TIMES, THREAD_RANK = 8, 2.0, 3
SAME_BITS = 3
LONGEST = timedelta(days=14)  # what lasts longer becomes usual
DAY = timedelta(days=1)
BACK = (DAYS + 2) * DAY  # how far before a time its usual reaches
# time, authors in the window, since when a storm lasts already → what was usual; None: it is no storm
IsOne: TypeAlias = Callable[[datetime, int, datetime | None], float | None]


@dataclass(frozen=True, slots=True)
class Storm:
    """A storm in one place. from_at: where its first window began; fired_at, tipped_by: the post at which it was one. last_at:
    the last time that it was. usual: authors that were to be expected in the first window. peak: most authors in a window;
    authors, posts: of all from from_at to last_at; copies: how many of the authors wrote one same text, the most common one.
    quoted: posts to show, in order."""

    from_at: datetime
    fired_at: datetime
    tipped_by: PostKey
    last_at: datetime
    usual: float
    first: int
    peak: int
    authors: int
    posts: int
    copies: int
    quoted: tuple[PostKey, ...]


@dataclass(frozen=True, slots=True)
class Usual:
    """What is to be expected of a window: mean, and how much more than by chance it scatters."""

    mean: float
    scatter: float


def storms_of_place(
    voices: Sequence[Voice],
    before: Sequence[Storm],
    *,
    since: datetime,
    first_at: datetime,
    zone: ZoneInfo,
    promised: float,
) -> tuple[Storm, ...]:
    """The storms of a source or group, in order. voices: in order of time, all from `BACK` before ``restart_of`` on. before:
    those found by an earlier replay. since: nothing has changed before. first_at: when it was first heard there."""
    start = restart_of(before, since)
    kept = [storm for storm in before if storm.last_at + QUIET < start]
    chart = _Chart(voices, zone, first_at)

    def is_one(at: datetime, authors: int, lasting: datetime | None) -> float | None:
        if authors < LEAST_AUTHORS or promised <= 0:
            return None
        usual = chart.usual(at, kept, lasting)
        if usual is None or authors < TIMES * usual.mean or chance(authors, usual) > promised / TESTS:
            return None
        return usual.mean

    found: list[Storm] = []
    for storm in _scan(voices, start, WINDOW, is_one):
        found.append(storm)
        kept.append(storm)
    return (*[storm for storm in before if storm.last_at + QUIET < start], *found)


def storms_of_thread(
    voices: Sequence[Voice], others: Sequence[tuple[str, datetime, str]], before: Sequence[Storm], *, since: datetime
) -> tuple[Storm, ...]:
    """The storms in the answers to one post. others: (post, time, author) of all that was answered against the brand elsewhere,
    in order of time, from `THREAD_DAYS` before on."""
    start = restart_of(before, since)
    times = [at for _, at, _ in others]

    def is_one(at: datetime, authors: int, lasting: datetime | None) -> float | None:
        if authors < LEAST_THREAD:
            return None
        usual = _third_most(others[bisect_left(times, at - THREAD_DAYS * DAY) : bisect_left(times, at)])
        return usual if authors >= THREAD_TIMES * usual else None

    kept = [storm for storm in before if storm.last_at + QUIET < start]
    return (*kept, *_scan(voices, start, THREAD_WINDOW, is_one))


def restart_of(before: Sequence[Storm], since: datetime) -> datetime:
    """From when on a place has to be read again: from the change, or the beginning of the storm that it falls into."""
    start = since
    for storm in sorted(before, key=lambda one: one.fired_at, reverse=True):
        if storm.last_at + QUIET >= start:
            start = min(start, storm.from_at)
    return start


def has_many(voices: Sequence[Voice], window: timedelta, least: int) -> bool:
    """Whether any window holds so many authors: whatever does not, needs no further look.

    >>> has_many([], WINDOW, 1)
    False
    """
    return bool(voices) and any(len(inside) >= least for _, inside in _windows(voices, voices[0].at, window))


def chance(authors: int, usual: Usual) -> float:
    """How probable so many authors or more are: the upper tail of a negative binomial with mean μ and variance μ + κμ².

    >>> round(chance(0, Usual(1.0, 0.5)), 3), round(chance(1, Usual(1.0, 1.0)), 3)
    (1.0, 0.5)
    """
    size = 1 / usual.scatter
    log_p, log_q = -math.log1p(usual.scatter * usual.mean), math.log(usual.mean) - math.log(usual.mean + size)
    below, log_term = 0.0, size * log_p
    for k in range(authors):
        below += math.exp(log_term)
        log_term += math.log(size + k) - math.log(k + 1) + log_q
    if 1 - below > 1e-9:
        return 1 - below
    return math.exp(log_term)  # far out in the tail its first term is nearly all of it


def copies_in(voices: Sequence[Voice]) -> int:
    """How many authors wrote the most common of the texts, or one that is nearly the same.

    >>> from datetime import UTC
    >>> at = datetime(2026, 1, 1, tzinfo=UTC)
    >>> copies_in([Voice(at, PostKey("f", str(n)), str(n), words, 0.9) for n, words in enumerate([7, 7, 6, -99])])
    3
    """
    most = 0
    common = Counter(one.fingerprint for one in voices if one.fingerprint)
    for text, _ in sorted(common.most_common(50), key=lambda pair: (-pair[1], pair[0])):
        same = {one.author for one in voices if ((one.fingerprint ^ text) & 0xFFFFFFFFFFFFFFFF).bit_count() <= SAME_BITS}
        most = max(most, len(same))
    return most


def _windows(voices: Sequence[Voice], start: datetime, window: timedelta) -> Iterator[tuple[int, Counter[str]]]:
    """At each voice from ``start`` on: its index, and how often each author spoke in the window up to it."""
    inside: deque[Voice] = deque()
    authors: Counter[str] = Counter()
    first = bisect_left(voices, start - window, key=lambda one: one.at)
    for i in range(first, len(voices)):
        one = voices[i]
        inside.append(one)
        authors[one.author] += 1
        while inside[0].at <= one.at - window:
            gone = inside.popleft().author
            authors[gone] -= 1
            if not authors[gone]:
                del authors[gone]
        if one.at >= start:
            yield i, authors


def _scan(voices: Sequence[Voice], start: datetime, window: timedelta, is_one: IsOne) -> Iterator[Storm]:
    """The storms from ``start`` on."""
    tip: Voice | None = None
    last, peak, first, usual = start, 0, 0, 0.0
    for i, inside in _windows(voices, start, window):
        one, authors = voices[i], len(inside)
        if tip is not None and one.at > last + QUIET:
            yield _storm(voices, tip, last, usual, first, peak, window)
            tip = None
        expected = is_one(one.at, authors, None if tip is None else tip.at - window)
        if expected is None:
            continue
        if tip is None:
            tip, peak, first, usual = one, authors, authors, expected
        last, peak = one.at, max(peak, authors)
    if tip is not None:
        yield _storm(voices, tip, last, usual, first, peak, window)


def _storm(
    voices: Sequence[Voice], tip: Voice, last: datetime, usual: float, first: int, peak: int, window: timedelta
) -> Storm:
    from_at = tip.at - window
    held = [one for one in voices if from_at < one.at <= last]
    return Storm(
        from_at=from_at,
        fired_at=tip.at,
        tipped_by=tip.key,
        last_at=last,
        usual=round(usual, 2),
        first=first,
        peak=peak,
        authors=len({one.author for one in held}),
        posts=len(held),
        copies=copies_in(held),
        quoted=_quoted(held, tip),
    )


def _quoted(held: Sequence[Voice], tip: Voice, most: int = 6) -> tuple[PostKey, ...]:
    """The post that tipped it and those most surely against the brand, each text and each author once."""
    chosen: list[Voice] = []
    for one in sorted(held, key=lambda v: (v.key != tip.key, -v.against, v.at, v.key)):
        if all(one.author != other.author and one.fingerprint != other.fingerprint for other in chosen):
            chosen.append(one)
        if len(chosen) == most:
            break
    return tuple(one.key for one in sorted(chosen, key=lambda v: (v.at, v.key)))


def _third_most(others: Sequence[tuple[str, datetime, str]]) -> float:
    """How many authors the third of the other posts got, by how many they got."""
    authors: dict[str, set[str]] = {}
    for post, _, author in others:
        authors.setdefault(post, set()).add(author)
    most = sorted((len(who) for who in authors.values()), reverse=True)
    return float(most[THREAD_RANK - 1]) if len(most) >= THREAD_RANK else 0.0


class _Chart:
    """How many authors spoke in each quarter of each local day, and what is usual by that."""

    def __init__(self, voices: Sequence[Voice], zone: ZoneInfo, first_at: datetime) -> None:
        self._zone = zone
        self._first_day = first_at.astimezone(zone).toordinal() + 1  # the first whole day
        counted = {(*_quarter(one.at, zone), one.author) for one in voices}
        self._counts = Counter((day, quarter) for day, quarter, _ in counted)
        self._known: dict[tuple[int, int], tuple[list[float], float] | None] = {}  # by (last day, storms before)

    def usual(self, at: datetime, storms: Sequence[Storm], lasting: datetime | None) -> Usual | None:
        """What is usual in the window up to ``at``, a storm lasting since ``lasting``; None where too little is known of the
        place."""
        last = (at - WINDOW).astimezone(self._zone).toordinal() - 1
        if lasting is not None and at - lasting <= LONGEST:
            last = min(last, lasting.astimezone(self._zone).toordinal() - 1)
        key = (last, len(storms))
        if key not in self._known:
            self._known[key] = self._quarters(last, storms)
        known = self._known[key]
        if known is None:
            return None
        means, scatter = known
        return Usual(sum(share * means[q] for q, share in self._shares(at)), scatter)

    def _quarters(self, last: int, storms: Sequence[Storm]) -> tuple[list[float], float] | None:
        """The mean of each quarter over the days up to ``last``, and how much they scatter."""
        left_out = {day for storm in storms for day in self._days(storm)}
        days = [day for day in range(max(self._first_day, last - DAYS + 1), last + 1) if day not in left_out]
        if len(days) < LEAST_DAYS:
            return None
        counts = [[self._counts.get((day, quarter), 0) for quarter in range(QUARTERS)] for day in days]
        total = sum(map(sum, counts))
        mean = (total + 0.5) / (QUARTERS * (len(days) + 1))
        means = [(sum(row[q] for row in counts) + SHRINK_DAYS * mean) / (len(days) + SHRINK_DAYS) for q in range(QUARTERS)]
        more = sum((row[q] - means[q]) ** 2 - row[q] for row in counts for q in range(QUARTERS))
        squares = sum(m * m for m in means) * len(days)
        scatter = (max(more, 0.0) + SCATTER_WEIGHT * SCATTER) / (squares + SCATTER_WEIGHT)
        return means, CAUTION * (scatter + 1 / (total + 2))

    def _days(self, storm: Storm) -> range:
        first, last = (one.astimezone(self._zone).toordinal() for one in (storm.from_at, storm.last_at))
        return range(first, last + 1)

    def _shares(self, at: datetime) -> list[tuple[int, float]]:
        """Which quarters of the day the window up to ``at`` lies in, and how much of each."""
        local = at.astimezone(self._zone)
        hours = (local - datetime.combine(local.date(), time(), self._zone)) / timedelta(hours=24 / QUARTERS)
        quarter, into = min(int(hours), QUARTERS - 1), min(hours - int(hours), 1.0)
        return [(quarter, into), ((quarter - 1) % QUARTERS, 1 - into)]


def _quarter(at: datetime, zone: ZoneInfo) -> tuple[int, int]:
    local = at.astimezone(zone)
    return local.toordinal(), local.hour * QUARTERS // 24
