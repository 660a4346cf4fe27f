"""Calibration: a deployment's own unlabelled histories → its detector's numbers. Promise in, bars out.

Everything is learned without a label, and deterministic: the random draws are seeded by the histories. Counted are each KOC's
posts before the turn that the cold start suspects, if any, at most 40: true turns must not teach what loyalty looks like.

1. **Temperature** of the scorer's probabilities: the same author's posts resemble each other by as much as the scorer tells
   classes apart, so that the right temperature makes the posts likeliest, given that they come from authors, against the
   same posts shuffled among all: max over T of  Σ_KOC ln Σ_g w_g Π_i ⟨g,q_i⟩ − Σ_i ln⟨s,q_i⟩,  w and s fitted by EM at each T
   (the profile likelihood of a density-ratio model). Held within a factor of 1.18 of the cold start's: on simulated worlds it
   finds the truth, but where a deployment hardly has one of the classes, the fit leans to higher temperatures. Another one
   than the cold start's has to explain the posts by a nat in a thousand better, and by more than ln n: on simulated worlds
   whose scorer is too sure it does so by two to three, while seasons of real texts that differ by chance alone found .85 and
   1.18 by less than a fifth.
2. **Profiles** (empirical Bayes). The mixture of the sentiment profiles over KOCs is estimated by nonparametric maximum
   likelihood, by EM, held toward the cold start by 10 pseudo-KOCs. From it come the share of those who never were advocates,
   and half of the critics' profiles. The filter's prior of the *advocates* stays broad: a sharp one takes the slips of the
   mildly critical for a turn, and on simulated worlds cost two posts of delay at the same false alarms. So does the prior of
   those who *never* were: turns that nobody suspected yet put spikes between advocate and critic, and a filter that believes
   in these takes a turn for somebody who always wrote like that (on real texts it cost a twentieth of the turns).
3. **Repetition**: how often a post soon after another is of the same class because of it, by maximum likelihood, as a share
   of ρ with a time of half a day: twice the filter's own, so that repeats which the filter takes for news are simulated too.
4. **Never advocates**: how much less evidence is asked against this rival, such that all who never were advocates together
   raise no more reds in 1000 KOC-years of the roster than loyal advocates are promised to: simulated like those of 5.
5. **Bars** (parametric bootstrap of the null). Loyal advocates are simulated: a profile g from a mixture of fine ones, fitted
   like those of 2 (`loyal_shares`; the filter's own, with their fixed share of mild criticism, made the simulated ones more
   critical than the real ones, and the bars too high), the times of
   a real KOC, classes by g, some repeated, and for each class c real posts, drawn with weight q_c over ⟨s,q⟩. The filter runs
   over them; the bars are where 10 and 1 false alarms per 1000 KOC-years would remain, less a margin of 35 % for what the
   simulation does not know (at 25 % real texts gave 10.8 ambers for a promise of 10, a simulated world 1.15 reds for 1). In
   between and beyond, ln(false alarms) is linear in the bar.

Papers: Kiefer & Wolfowitz (1956) and Laird (1978) on the NPMLE; Anderson (1979), Qin (1998) on density ratios; Saerens et al.
(2002) on class shares; Efron & Tibshirani (1993) on the parametric bootstrap.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from listener.drift.moods import Floats, Moods
from listener.drift.profiles import ADVOCATE, COOLED, LOYAL, NEVER, PROFILES, STEPS, Profile, with_mild
from listener.drift.readings import Counted, counted_of, evidence_of_classes, readings_of, tempered
from listener.drift.rules import Parameters, Rule, parameters_of, version_of
from listener.drift.turn_filter import Trace, TurnFilter
from listener.drift.turn_points import Column, turn_point, turn_weights
from storage.records import Calibration, History, MoodDay

BASELINE_POSTS = 40  # of a KOC, at most, make its profile
PSEUDO_KOCS = 10.0
UNIFORM = 0.03
LEAST_KOCS, LEAST_POSTS = 30, 300  # below that the cold start stays
POSTS_OF_A_KOC = 5
AGAIN_DAYS = 0.5  # in which repetition fades, in simulated advocates
NULL_YEARS = 40_000.0
SUSPECTED = 10.0  # false alarms per 1000 KOC-years at which a turn is suspected
SAFETY = 0.65  # the bars aim at this share of the promise
TEMPERATURES = (0.85, 0.92, 1.0, 1.08, 1.18)  # times the cold start's
TEMPERATURE_WORTH = 0.001  # nats a post by which another one has to explain the posts better
SAMPLE = 3000  # KOCs that the temperature is learned from, at most
NEVER_PROMISE = 1.0  # red alerts on those who never were advocates, per 1000 KOC-years of the whole roster
NEVER_LESS = (0.0, 2.0)  # nats
NEVER_YEARS = 6_000.0
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
    """Numbers with temperature, profiles, repetition and bars fitted to the posts that weigh."""
    p = with_temperature(counted, p)
    mixture = mixture_of(log_likelihoods(counted, p), prior_mixture(p))
    loyal = loyal_shares(counted, p)
    p = with_profiles(p, mixture)
    p = replace(p, again=repetition(counted, p))
    p = with_bars(p, *null_maxima(counted, loyal, p, seed=seed, years=null_years / 3))
    p = with_never_less(counted, mixture, p, seed=seed, years=min(NEVER_YEARS, null_years))
    return with_bars(p, *null_maxima(counted, loyal, p, seed=seed, years=null_years))


def with_temperature(counted: Sequence[Counted], p: Parameters) -> Parameters:
    """Numbers with the temperature at which authors explain their posts best; see the top of the module."""
    some = counted[:: max(1, math.ceil(len(counted) / SAMPLE))]
    early = [_first(c, n) for c, n in zip(some, baseline_lengths(some, p), strict=True) if n]
    tried = [replace(p, temperature=round(p.temperature * factor, 4)) for factor in TEMPERATURES]
    fits = [_gain_from_authors(early, one) for one in tried]
    best = max(range(len(fits)), key=lambda i: fits[i])
    posts = max(1, sum(len(c.days) for c in early))
    worth = max(TEMPERATURE_WORTH * posts, math.log(posts))
    return tried[best] if fits[best] - fits[TEMPERATURES.index(1.0)] > worth else p


def _gain_from_authors(early: Sequence[Counted], p: Parameters) -> float:
    """ln likelihood of the posts, written by authors with profiles, over that of the same posts shuffled among all. The
    profiles are all of the simplex here, (i, j, k)/8 with a mild share of 0, .1 or .25: the filter's own keep off its edges."""
    evidence = np.concatenate([_evidence_of(c, p) for c in early])
    first = np.cumsum([0] + [len(c.days) for c in early[:-1]])
    eighths = [(i / STEPS, (STEPS - i - k) / STEPS, k / STEPS) for i in range(STEPS + 1) for k in range(STEPS + 1 - i)]
    profiles = [with_mild(point, mild) for mild in (0.0, 0.1, 0.25) for point in eighths]
    each = np.stack([np.add.reduceat(np.log(_doubted(evidence, np.array(g), p)), first) for g in profiles])
    top = each.max(axis=0)
    weights = mixture_of(each, np.full(len(profiles), 1 / len(profiles)), steps=80, pseudo=0.0)
    by_authors = np.log((weights[:, None] * np.exp(each - top)).sum(axis=0)) + top
    shuffled = np.log(_doubted(evidence, class_shares(evidence), p))
    return math.fsum(by_authors.tolist()) - math.fsum(shuffled.tolist())


def _doubted(evidence: Floats, shares: Floats, p: Parameters) -> Floats:
    return (1 - p.doubt) * _weighted(evidence, shares) + p.doubt


def repetition(counted: Sequence[Counted], p: Parameters) -> float:
    """How often, as a share of ρ, a post is of the class of the one before because it came soon after it: 0, 0.05 … 1.

    Each post is likely (1 − r·ρ)·⟨g,q⟩ + r·ρ·⟨g·v,q⟩/⟨g,v⟩, v: evidence of the post before, g: the KOC's own class shares.
    """
    fresh, again, rho = [np.ones(0)], [np.ones(0)], [np.zeros(0)]
    for c, n in zip(counted, baseline_lengths(counted, p), strict=True):
        one = _first(c, n)
        if n < POSTS_OF_A_KOC or len(one.days) < POSTS_OF_A_KOC:
            continue
        q = _evidence_of(one, p)
        g = class_shares(np.concatenate([q, np.ones((1, 4))]), steps=20)
        fresh.append(_weighted(q[1:], g))
        again.append((q[1:] * q[:-1] * g).sum(axis=1) / _weighted(q[:-1], g))
        rho.append(p.repeat * np.exp(-(one.days[1:] - one.days[:-1]) / AGAIN_DAYS))
    f, a, w = np.concatenate(fresh), np.concatenate(again), np.concatenate(rho)
    near = w > 0.05
    f, a, w = f[near], a[near], w[near]
    tried = [step / 20 for step in range(21)]
    return max(tried, key=lambda r: math.fsum(np.log(np.maximum((1 - r * w) * f + r * w * a, 1e-12)).tolist()))


def _evidence_of(c: Counted, p: Parameters) -> Floats:
    return evidence_of_classes(tempered(c.probabilities, p.temperature), c.constructive, c.cue, p)


def prior_mixture(p: Parameters) -> Floats:
    """The cold start's weights over all profiles, (45,)."""
    share = p.never_share
    return np.concatenate([np.array(p.advocate) * (1 - share), np.array(p.never) * share])


def loyal_shares(counted: Sequence[Counted], p: Parameters) -> Floats:
    """Weights of the fine profiles of loyal advocates (`LOYAL`), sum 1: by EM, together with those who never were advocates, so
    that these do not pass for loyal; held by 10 pseudo-KOCs of whom a fifteenth of the posts is against and a tenth mild."""
    kind = np.array([math.exp(-g[0] / 0.07 - g[3] / 0.1) for g in LOYAL])
    prior = np.concatenate([kind / kind.sum() * (1 - p.never_share), np.array(p.never) * p.never_share])
    found = mixture_of(log_likelihoods(counted, p, LOYAL + NEVER), prior)[: len(LOYAL)]
    shares: Floats = found / found.sum()
    return shares


def log_likelihoods(counted: Sequence[Counted], p: Parameters, profiles: Sequence[Profile] = PROFILES) -> Floats:
    """(P, K) log likelihood of each KOC's baseline under each profile."""
    early = [_first(c, n) for c, n in zip(counted, baseline_lengths(counted, p), strict=True)]
    order = sorted(range(len(early)), key=lambda i: -len(early[i].days))
    turn_filter = TurnFilter(p)
    out = np.zeros((len(profiles), len(early)))
    for first in range(0, len(order), BLOCK):
        block = order[first : first + BLOCK]
        out[:, block] = turn_filter.profile_log_likelihoods(readings_of([early[i] for i in block], p), len(block), profiles)
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


def mixture_of(log_likelihood: Floats, prior: Floats, *, steps: int = 200, pseudo: float = PSEUDO_KOCS) -> Floats:
    """Mixture weights of the profiles by EM from ``prior``, which also counts as ``pseudo`` KOCs; (45,), sums to 1."""
    likelihood = np.exp(log_likelihood - log_likelihood.max(axis=0))
    weights = prior
    for _ in range(steps):
        joint = weights[:, None] * likelihood
        posterior = joint / joint.sum(axis=0)
        weights = (posterior.sum(axis=1) + pseudo * prior) / (likelihood.shape[1] + pseudo)
    return weights


def with_profiles(p: Parameters, mixture: Floats) -> Parameters:
    """Numbers with the fitted mixture: how many never were advocates, and half of the critics' weights from these."""
    uniform = UNIFORM / len(mixture)
    found = (1 - UNIFORM) * mixture[len(ADVOCATE) :] + uniform
    born = found[len(COOLED) :]
    critic = 0.5 * np.array(p.critic) + 0.5 * born / born.sum()
    share = round(float(min(max(found.sum(), 0.1), 0.5)), 4)
    return replace(p, critic=_weights(critic), never_share=share)


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
        evidence = np.concatenate([_evidence_of(c, p) for c in counted])
        by_class = evidence / _weighted(evidence, class_shares(evidence))[:, None]
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
