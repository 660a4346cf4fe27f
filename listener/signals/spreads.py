"""Spread (负面扩散): a post against the brand goes farther than posts of its author and its platform do; a story is one signal.

Three ways, told together:

    fast        likes, comments and reposts stand out, against author and platform. x = ln(1 + total·(age + 8 h)/age):
                (x − m)/(s·√(1 + 1/n)) is beyond the (1 − promised/1000) quantile of Student's t (10 and more degrees of
                freedom) for the m, s of the last 60 posts against the brand on that platform (worth 5) and the author's own
                last 20; the upper tenth of the last 300 on the platform, whose x fall off exponentially (Hill 1975), reach it
                as seldom; total ≥ 50, and 5 times what is usual
    press       an account of the brand's ``media`` list (media, rivals) answers or reposts it
    platforms   the same words, new in half a year, come from two platforms and four authors within a week

promised: false ones in 1000 posts against the brand, of authors and platforms whose posts scatter as they always did. Counters
are observations: a look counts from when it was made, others' as they were known by then, none later than 30 days after the
post. Comments are not looked at, mild criticism neither.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from storage.records import Look, Pickup, PostKey, Reached

LEAST_TOTAL, TIMES = 50, 5.0
HALF_AGE, LEAST_AGE, LAST_AGE = timedelta(hours=8), timedelta(minutes=20), timedelta(days=30)
PEERS, NEAR, OWN, OWN_WEIGHT = 300, 60, 20, 5.0
TAIL, LEAST_PEERS, TAIL_WEIGHT = (
    10,
    50,
    5.0,
)  # the upper tenth, where so many are known; how steep it is before, worth so many posts
USUAL, SCATTER, WEIGHT = 3.0, 1.3, 5.0  # of x, before anything is known, worth so many posts
LEAST_SCATTER = 0.7
FREEDOM = 10.0
LEAST_PLATFORMS, LEAST_COPIERS = 2, 4
WITHIN, NEW = timedelta(days=7), timedelta(days=180)
BACK = LAST_AGE  # a change reaches posts that much older


@dataclass(frozen=True, slots=True)
class Fast:
    """A post whose reach stood out at a look: how many interactions then, how many were usual at that age, and how many at the
    last look at which it still stood out (30 days after the post at most)."""

    at: datetime
    total: int
    usual: int
    own_n: int
    age_hours: float
    last_at: datetime
    last_total: int


@dataclass(frozen=True, slots=True)
class Story:
    """The same words from several platforms: the first post, when it was so many, and who all posted them."""

    first: Reached
    fired_at: datetime
    last_at: datetime
    platforms: tuple[str, ...]
    authors: int
    keys: tuple[PostKey, ...]


def fast_of(
    post: Reached, peers: Sequence[Reached], own: Sequence[tuple[datetime, tuple[Look, ...]]], *, promised: float
) -> Fast | None:
    """Whether, and when, a post's reach stood out. peers: posts against the brand on its platform, in order of time; own: the
    author's posts before."""
    before = [one for one in peers if (one.at, one.key) < (post.at, post.key)][-PEERS:]
    found: Fast | None = None
    for look in post.looks:
        age = look.at - post.at
        if not LEAST_AGE <= age <= LAST_AGE or look.total < LEAST_TOTAL or promised <= 0:
            continue
        known = [x for one in before if (x := _known(one.at, one.looks, look.at)) is not None]
        mean, scatter, n, own_n = _usual(
            known[-NEAR:], [x for at, looks in own if (x := _known(at, looks, look.at)) is not None]
        )
        x = _grown(look.total, age)
        away = (x - mean) / (scatter * math.sqrt(1 + 1 / n))
        usual = math.expm1(mean) * (age / (age + HALF_AGE))
        seldom = max(tail_of_t(away, FREEDOM + n / 4), tail_of_peers(x, known))
        if look.total < TIMES * usual or seldom > promised / 1000:
            continue
        if found is None:
            hours = round(age / timedelta(hours=1), 1)
            found = Fast(look.at, look.total, max(round(usual), 0), own_n, hours, look.at, look.total)
        else:
            found = Fast(found.at, found.total, found.usual, found.own_n, found.age_hours, look.at, look.total)
    return found


def stories_of(copies: Sequence[Reached]) -> list[Story]:
    """The stories in posts of the same words, in order of time: each begins where half a year was without them."""
    found = []
    for i, first in enumerate(copies):
        if i and first.at - copies[i - 1].at < NEW:
            continue
        told: list[Reached] = []
        fired_at = None
        for one in copies[i:]:
            if one.at - first.at > WITHIN:
                break
            told.append(one)
            is_spread = len({each.key.platform for each in told}) >= LEAST_PLATFORMS
            if fired_at is None and is_spread and len({each.author for each in told}) >= LEAST_COPIERS:
                fired_at = one.at
        if fired_at is not None:
            platforms = tuple(sorted({one.key.platform for one in told}))
            authors = len({one.author for one in told})
            found.append(Story(first, fired_at, told[-1].at, platforms, authors, tuple(one.key for one in told)))
    return found


def pickups_of(found: Sequence[Pickup]) -> dict[PostKey, list[Pickup]]:
    """The pick-ups of each post, in order of time; those within 30 days."""
    by_post: dict[PostKey, list[Pickup]] = {}
    for one in found:
        if one.at - one.of_at <= LAST_AGE:
            by_post.setdefault(one.of, []).append(one)
    return by_post


def tail_of_peers(x: float, peers: Sequence[float]) -> float:
    """How seldom others reach x: their upper tenth falls off exponentially; 0 where too few are known to say.

    >>> peers = [n / 50 for n in range(100)]
    >>> tail_of_peers(5.0, peers) < tail_of_peers(3.0, peers) < 0.1 == tail_of_peers(1.0, peers)
    True
    """
    if len(peers) < LEAST_PEERS:
        return 0.0
    upper = sorted(peers)[-(len(peers) // TAIL) :]
    steepness = (len(upper) + TAIL_WEIGHT) / (sum(one - upper[0] for one in upper) + TAIL_WEIGHT)
    return math.exp(-max(x - upper[0], 0.0) * steepness) / TAIL


def tail_of_t(t: float, freedom: float) -> float:
    """P(T ≥ t) of Student's t, by the regularized incomplete beta function.

    >>> round(tail_of_t(0.0, 10), 3), round(tail_of_t(2.764, 10), 3)
    (0.5, 0.01)
    """
    if t <= 0:
        return 1 - tail_of_t(-t, freedom) if t < 0 else 0.5
    return 0.5 * _incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t))


def _grown(total: int, age: timedelta) -> float:
    """x: the interactions, brought to the age at which a post has them all."""
    return math.log1p(total * ((age + HALF_AGE) / age))


def _known(at: datetime, looks: Sequence[Look], by: datetime) -> float | None:
    """x of another post as it was known at a time; None where nobody had looked at it late enough."""
    known = [one for one in looks if one.at <= by and one.at - at >= LEAST_AGE]
    return _grown(known[-1].total, min(known[-1].at - at, LAST_AGE)) if known else None


def _usual(peers: Sequence[float], own: Sequence[float]) -> tuple[float, float, float, int]:
    """Mean and scatter of x, what they are worth in posts, and how many were the author's own."""
    n = len(peers) + WEIGHT
    mean = (sum(peers) + WEIGHT * USUAL) / n
    variance = (sum((x - mean) ** 2 for x in peers) + WEIGHT * SCATTER**2) / n
    if own:
        weight = min(n, OWN_WEIGHT)
        n_own = len(own) + weight
        own_mean = (sum(own) + weight * mean) / n_own
        variance = (sum((x - own_mean) ** 2 for x in own) + weight * variance) / n_own
        mean, n = own_mean, n_own
    return mean, max(math.sqrt(variance), LEAST_SCATTER), n, len(own)


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """I_x(a, b) by its continued fraction (Lentz), as in Press et al., Numerical Recipes, 6.4."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(b, a, 1 - x)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    tiny, f, c, d = 1e-300, 1.0, 1.0, 0.0
    for i in range(200):
        m = i // 2
        if i == 0:
            numerator = 1.0
        elif i % 2 == 0:
            numerator = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        else:
            numerator = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1 / (d1 if abs(d1 := 1 + numerator * d) > tiny else tiny)
        c = c1 if abs(c1 := 1 + numerator / c) > tiny else tiny
        f *= c * d
        if abs(1 - c * d) < 1e-14:
            break
    return front * (f - 1)
