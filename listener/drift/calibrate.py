"""Calibration: a deployment's own unlabelled histories → its detector's numbers. Promise in, bars out.

Two things are learned, both without a label, and both deterministic: the random draws are seeded by the histories.

1. **Profiles** (empirical Bayes). The mixture of the sentiment profiles over KOCs is estimated by nonparametric maximum
   likelihood, by EM on each KOC's posts before the turn that the cold start suspects, if any, held toward the cold start
   by 30 pseudo-KOCs. From it come the share and the profiles of those who never were advocates, and half of the critics'
   profiles. The *advocates'* prior in the filter stays broad: a sharp one takes the slips of the mildly critical for a
   turn, and on simulated worlds cost two posts of delay at the same false alarms.
2. **Bars** (parametric bootstrap of the null). Loyal advocates are simulated: a profile g from the fitted mixture, the
   times of a real KOC, and real posts, drawn with weight ⟨g,q⟩ over that of all posts. The filter runs over them; the bars
   are where 10 and 1 false alarms per 1000 KOC-years remain. In between and beyond, ln(false alarms) is linear in the bar.

Papers: Kiefer & Wolfowitz (1956) and Laird (1978) on the NPMLE; Efron & Tibshirani (1993) on the parametric bootstrap.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from listener.drift.moods import Floats, Moods
from listener.drift.profiles import ADVOCATE, COOLED, NEVER
from listener.drift.readings import Counted, counted_of, evidence_of_classes, readings_of, tempered
from listener.drift.rules import Parameters, Rule, parameters_of, version_of
from listener.drift.turn_filter import TurnFilter
from listener.drift.turn_points import Column, turn_point, turn_weights
from storage.records import Calibration, History, MoodDay

BASELINE_POSTS = 40  # of a KOC, at most, make its profile
PSEUDO_KOCS = 30.0
UNIFORM = 0.03
LEAST_KOCS, LEAST_POSTS = 30, 300  # below that the cold start stays
POSTS_OF_A_KOC = 5
NULL_YEARS = 30_000.0
SUSPECTED = 10.0  # false alarms per 1000 KOC-years at which a turn is suspected
SAFETY = 0.9  # the bars aim at this share of the promise
REPEATED = 0.5  # of ρ, the chance that a simulated post repeats the class of the one before
BLOCK = 1024


def calibrate(
    histories: Sequence[History],
    moods: Sequence[MoodDay],
    base: Calibration,
    rule: Rule,
    *,
    effective_at: datetime | None = None,
    null_years: float = NULL_YEARS,
) -> Calibration:
    """A calibration for the brand of the histories, valid from ``effective_at`` (default: their last mention).

    The same inputs give the same row, whatever their order. With fewer than 30 KOCs of 5 posts, or 300 posts, ``base`` is
    returned as it is. Seconds per 10,000 KOC-years of null: about 3.
    """
    ordered = sorted(histories, key=lambda h: h.koc_id)
    p, mood, zone = parameters_of(base), Moods(moods), ZoneInfo(rule.timezone)
    counted = [c for h in ordered if len((c := counted_of(h, mood, p, zone)).days) >= POSTS_OF_A_KOC]
    if len(counted) < LEAST_KOCS or sum(len(c.days) for c in counted) < LEAST_POSTS:
        return base
    p = fitted(counted, p, seed=_seed(counted), null_years=null_years)
    parameters = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(p).items()}
    parameters["cues"] = dict(p.cues)
    last = max(m.posted_at for h in ordered for m in h.mentions)
    return Calibration(version_of("fitted", parameters), ordered[0].brand, effective_at or last, parameters)


def fitted(counted: Sequence[Counted], p: Parameters, *, seed: int = 0, null_years: float = NULL_YEARS) -> Parameters:
    """Numbers with profiles and bars fitted to the posts that weigh."""
    mixture = mixture_of(log_likelihoods(counted, p), prior_mixture(p))
    p = with_profiles(p, mixture)
    return with_bars(p, *null_maxima(counted, mixture[: len(ADVOCATE)], p, seed=seed, years=null_years))


def prior_mixture(p: Parameters) -> Floats:
    """The cold start's weights over all profiles, (45,)."""
    share = p.never_share
    return np.concatenate([np.array(p.advocate) * (1 - share), np.array(p.never) * share])


def log_likelihoods(counted: Sequence[Counted], p: Parameters) -> Floats:
    """(45, K) log likelihood of each KOC's baseline under each profile."""
    early = [_first(c, n) for c, n in zip(counted, baseline_lengths(counted, p), strict=True)]
    order = sorted(range(len(early)), key=lambda i: -len(early[i].days))
    turn_filter = TurnFilter(p)
    out = np.zeros((len(ADVOCATE) + len(NEVER), len(early)))
    for first in range(0, len(order), BLOCK):
        block = order[first : first + BLOCK]
        out[:, block] = turn_filter.profile_log_likelihoods(readings_of([early[i] for i in block], p), len(block))
    return out


def baseline_lengths(counted: Sequence[Counted], p: Parameters) -> list[int]:
    """How many of each KOC's posts make its baseline: those before the turn the filter suspects at amber, at most 40."""
    bar = p.bar(SUSPECTED)
    out = [BASELINE_POSTS] * len(counted)
    order = sorted(range(len(counted)), key=lambda i: -len(counted[i].days))
    for first in range(0, len(order), BLOCK):
        block = order[first : first + BLOCK]
        readings = readings_of([counted[i] for i in block], p)
        _, trace = TurnFilter(p).run(readings, np.full(readings.per_year.shape, np.inf))
        for k, i in enumerate(block):
            n = len(counted[i].days)
            above = np.flatnonzero(trace.strength[:n, k] >= bar)
            if above.size:
                column = Column(counted[i], trace, k, readings.per_year[:n, k], readings.stance[:n, k])
                turn, _, _ = turn_point(turn_weights(column, 0, int(above[0]), p))
                out[i] = min(turn, BASELINE_POSTS)
    return out


def mixture_of(log_likelihood: Floats, prior: Floats, *, steps: int = 200) -> Floats:
    """Mixture weights of the profiles by EM from ``prior``, which also counts as 30 KOCs; (45,), sums to 1."""
    likelihood = np.exp(log_likelihood - log_likelihood.max(axis=0))
    weights = prior
    for _ in range(steps):
        joint = weights[:, None] * likelihood
        posterior = joint / joint.sum(axis=0)
        weights = (posterior.sum(axis=1) + PSEUDO_KOCS * prior) / (likelihood.shape[1] + PSEUDO_KOCS)
    return weights


def with_profiles(p: Parameters, mixture: Floats) -> Parameters:
    """Numbers with the fitted mixture: who never was an advocate, and how; half of the critics' weights from these."""
    uniform = UNIFORM / len(mixture)
    never = (1 - UNIFORM) * mixture[len(ADVOCATE) :] + uniform
    born = never[len(COOLED) :]
    critic = 0.5 * np.array(p.critic) + 0.5 * born / born.sum()
    share = round(float(min(max(never.sum(), 0.1), 0.5)), 4)
    return replace(p, never=_weights(never), critic=_weights(critic), never_share=share)


def null_maxima(
    counted: Sequence[Counted], advocates: Floats, p: Parameters, *, seed: int, years: float
) -> tuple[Floats, float]:
    """The highest evidence (less what the pace adds to the bar) each of many simulated loyal advocates ever reached, and
    the KOC-years they were watched. advocates: (12,) weights of their profiles."""
    rng = np.random.default_rng(seed)
    pool = _Pool(counted, advocates, p)
    turn_filter = TurnFilter(p)
    maxima: list[Floats] = []
    watched = 0.0
    while watched < years:
        block = sorted((pool.draw(rng) for _ in range(BLOCK)), key=lambda c: -len(c.days))
        readings = readings_of(block, p)
        _, trace = turn_filter.run(readings, np.full(readings.per_year.shape, np.inf))
        strength = trace.strength - p.pace * np.log(readings.per_year / p.per_year)
        maxima.append(strength.max(axis=0))
        watched += math.fsum(_years(c.days) for c in block)
    return np.concatenate(maxima), watched


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
    """What simulated advocates are drawn from: real times, the fitted profiles, and real posts as an author of a profile g
    would write them: with weight ⟨g,q⟩/⟨w,q⟩, where w are the shares of the classes among all posts."""

    def __init__(self, counted: Sequence[Counted], advocates: Floats, p: Parameters) -> None:
        self._p = p
        self._times = [c.days - c.days[0] for c in counted]
        self._posts = np.concatenate([c.probabilities for c in counted])
        self._flags = np.concatenate([c.constructive for c in counted])
        self._cues = np.concatenate([c.cue for c in counted])
        evidence = evidence_of_classes(tempered(self._posts, p.temperature), self._flags, self._cues, p)
        whole = _weighted(evidence, class_shares(evidence))
        self._by_profile = [_cumulative(_weighted(evidence, np.array(g)) / whole) for g in ADVOCATE]
        self._profiles = _cumulative(advocates)

    def draw(self, rng: np.random.Generator) -> Counted:
        days = self._times[int(rng.integers(len(self._times)))]
        n = len(days)
        likely = self._by_profile[_pick(self._profiles, rng.random())]
        spots = np.searchsorted(likely, rng.random(n), side="right").clip(0, len(self._posts) - 1)
        gap = np.diff(days, prepend=-np.inf)
        again = rng.random(n) < REPEATED * self._p.repeat * np.exp(-gap / self._p.repeat_days)
        for i in np.flatnonzero(again).tolist():
            spots[i] = spots[i - 1]
        plain = np.zeros(n, dtype=np.bool_)
        return Counted((), days, self._posts[spots], self._flags[spots], plain, self._cues[spots], np.ones((n, 3)))


def class_shares(evidence: Floats, *, steps: int = 60) -> Floats:
    """Shares of the four classes among posts with evidence (n, 4), by EM (Saerens et al. 2002).

    >>> sure = np.array([[4.0, 0.0, 0.0, 0.0], [0.0, 0.0, 2.5, 0.0], [0.0, 0.0, 2.5, 0.0], [0.0, 0.0, 2.5, 0.0]])
    >>> class_shares(sure).round(3).tolist()
    [0.25, 0.0, 0.75, 0.0]
    """
    shares = np.full(4, 0.25)
    for _ in range(steps):
        joint = evidence * shares
        shares = (joint / _weighted(evidence, shares)[:, None]).mean(axis=0)
    return shares


def _weighted(evidence: Floats, weights: Floats) -> Floats:
    summed: Floats = np.maximum((evidence * weights).sum(axis=1), 1e-12)
    return summed


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


def _first(c: Counted, n: int) -> Counted:
    return Counted(c.mentions[:n], c.days[:n], c.probabilities[:n], c.constructive[:n], c.copying[:n], c.cue[:n], c.market[:n])


def _weights(x: Floats) -> tuple[float, ...]:
    return tuple(np.round(x / x.sum(), 6).tolist())


def _seed(counted: Sequence[Counted]) -> int:
    digest = hashlib.sha256()
    for c in counted:
        digest.update(c.days.tobytes())
        digest.update(c.probabilities.tobytes())
    return int.from_bytes(digest.digest()[:8], "big")
