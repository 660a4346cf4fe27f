"""Posts that weigh and profiles → simulated KOCs who never turn, what the filter says of them, and the bars that follow.

See `listener.drift.calibrate` for the idea.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from listener.drift.class_shares import class_shares, evidence_of_posts, weighted
from listener.drift.moods import Floats
from listener.drift.profile_weights import BLOCK
from listener.drift.profiles import ADVOCATE, LOYAL, NEVER, Profile
from listener.drift.readings import Counted, readings_of
from listener.drift.rules import Parameters
from listener.drift.temperatures import AGAIN_DAYS
from listener.drift.turn_filter import Trace, TurnFilter

SAFETY = 0.65  # the bars aim at this share of the promise
NEVER_PROMISE = 1.0  # red alerts on those who never were advocates, per 1000 KOC-years of the whole roster
NEVER_LESS = (0.0, 2.0)  # nats


def null_maxima(
    counted: Sequence[Counted],
    loyal: Floats,
    p: Parameters,
    *,
    seed: int,
    years: float,
    world: Parameters | None = None,
) -> tuple[Floats, float]:
    """The highest evidence (less what the pace adds to the bar) each of many simulated loyal advocates ever reached, and
    the KOC-years they were watched. loyal: weights of their profiles, `loyal_shares`. world: the numbers that they are
    simulated by (default: the filter's own), so that two filters can be judged on the same advocates."""
    maxima: list[Floats] = []
    watched = 0.0
    for trace, pace, block_years in _simulated(_Pool(counted, LOYAL, loyal, world or p), p, seed, years):
        maxima.append((trace.strength - pace).max(axis=0))
        watched += block_years
    return np.concatenate(maxima), watched


def with_never_less(counted: Sequence[Counted], mixture: Floats, p: Parameters, *, seed: int, years: float) -> Parameters:
    """Numbers that ask so much less evidence against "never was an advocate" that simulated ones keep `NEVER_PROMISE`.

    mixture: (45,) fitted weights of all profiles; those who never were advocates have the ones of `NEVER`.
    """
    allowed = NEVER_PROMISE / max(float(mixture[len(ADVOCATE) :].sum()), 0.02)
    tried = np.linspace(*NEVER_LESS, 41)
    alarms, watched = np.zeros(len(tried)), 0.0
    bar = p.bar(1.0)
    for trace, pace, block_years in _simulated(_Pool(counted, NEVER, mixture[len(ADVOCATE) :], p), p, seed, years):
        others = np.minimum(trace.advocate, trace.cooled + p.cooled_less) >= bar + pace
        needed = np.where(others, bar + pace - trace.never, np.inf).min(axis=0)
        alarms += (needed[None, :] <= tried[:, None]).sum(axis=1)
        watched += block_years
    kept = np.flatnonzero(alarms * 1000 / watched <= allowed)
    return replace(p, never_less=round(float(tried[kept[-1]]) if kept.size else NEVER_LESS[0], 4))


def _simulated(pool: _Pool, p: Parameters, seed: int, years: float) -> Iterator[tuple[Trace, Floats, float]]:
    """Blocks of simulated KOCs until so many KOC-years are watched: the filter's trace, what the pace adds to the bar at each
    post, the block's KOC-years."""
    rng = np.random.default_rng(seed)
    turn_filter = TurnFilter(p)
    watched = 0.0
    while watched < years:
        block = sorted((pool.draw(rng) for _ in range(BLOCK)), key=lambda c: -len(c.days))
        readings = readings_of(block, p)
        _, trace = turn_filter.run(readings, np.full(readings.per_year.shape, np.inf))
        more = math.fsum(_years(c.days) for c in block)
        watched += more
        yield trace, p.pace * np.log(readings.per_year / p.per_year), more


def with_bars(p: Parameters, maxima: Floats, years: float) -> Parameters:
    """Numbers with intercept and slope of ln(false alarms per 1000 KOC-years) through the bars at 10 and at 1.

    >>> maxima = np.sort(np.random.default_rng(1).exponential(0.6, 30_000))
    >>> p = with_bars(Parameters((1,), (1,), (1,), (1,)), maxima, 30_000.0)
    >>> expected_at = (maxima > p.bar(10)).sum() / 30
    >>> bool(0.75 < expected_at / (10 * SAFETY) < 1.25)
    True
    """
    ranked = np.sort(maxima)[::-1]
    loose, strict = (_exceeded(ranked, rate * SAFETY * years / 1000) for rate in (10.0, 1.0))
    slope = math.log(10.0) / max(strict - loose, 0.3)
    return replace(p, slope=round(slope, 4), intercept=round(slope * strict, 4))


def _exceeded(ranked: Floats, times: float) -> float:
    """The level that ``times`` of the maxima exceed, smoothed over the neighbors; extrapolated by nothing when too few."""
    at = max(1, min(round(times), len(ranked) - 1))
    wide = max(1, at // 5)
    near = ranked[max(0, at - wide) : at + wide]
    return float(near.mean())


class _Pool:
    """What simulated KOCs are drawn from: real times, profiles with their weights, and for each class c real posts with weight
    q_c/⟨s,q⟩, where s are the shares of the classes among all posts. A class that no post is sure of weighs less."""

    def __init__(self, counted: Sequence[Counted], profiles: Sequence[Profile], weights: Floats, p: Parameters) -> None:
        self._p = p
        self._times = [c.days - c.days[0] for c in counted]
        self._posts = np.concatenate([c.probabilities for c in counted])
        self._flags = np.concatenate([c.constructive for c in counted])
        self._cues = np.concatenate([c.cue for c in counted])
        evidence = np.concatenate([evidence_of_posts(c, p) for c in counted])
        by_class = evidence / weighted(evidence, class_shares(evidence))[:, None]
        self._by_class = [_cumulative(by_class[:, c]) for c in range(4)]
        sizes = by_class.mean(axis=0)
        self._classes = [_cumulative(np.array(g) * sizes) for g in profiles]
        self._profiles = _cumulative(weights)

    def draw(self, rng: np.random.Generator) -> Counted:
        days = self._times[int(rng.integers(len(self._times)))]
        n = len(days)
        mine = self._classes[_pick(self._profiles, rng.random())]
        classes = np.searchsorted(mine, rng.random(n), side="right").clip(0, 3)
        rho = self._p.repeat * np.exp(-np.diff(days, prepend=-np.inf) / AGAIN_DAYS)
        for i in np.flatnonzero(rng.random(n) < self._p.again * rho).tolist():
            classes[i] = classes[i - 1]
        at, spots = rng.random(n), np.zeros(n, dtype=np.int64)
        for c in range(4):
            spots[classes == c] = np.searchsorted(self._by_class[c], at[classes == c], side="right")
        spots = spots.clip(0, len(self._posts) - 1)
        plain = np.zeros(n, dtype=np.bool_)
        return Counted((), days, self._posts[spots], self._flags[spots], plain, self._cues[spots], np.ones((n, 3)))


def _cumulative(weights: Floats) -> Floats:
    total = weights.cumsum()
    scaled: Floats = total / total[-1]
    return scaled


def _pick(cumulative: Floats, u: float) -> int:
    return min(int(np.searchsorted(cumulative, u, side="right")), len(cumulative) - 1)


def _years(days: Floats) -> float:
    """Years watched: the span and one more mean gap."""
    span = float(days[-1] - days[0])
    return span * len(days) / (len(days) - 1) / 365.0
