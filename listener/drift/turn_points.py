"""A raised drift explained: the filter's trace of one KOC → the turn point with its uncertainty, shares, means, posterior."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from listener.drift.moods import Floats
from listener.drift.readings import Counted
from listener.drift.rules import Parameters, Rule
from listener.drift.turn_filter import Trace
from storage.records import Evidence, Share

Innocent = Literal["advocate", "never", "cooled"]
TAIL = 0.1  # turn_low … turn_high is the central 80 %


@dataclass(frozen=True, slots=True)
class Column:
    """One KOC's column of a block: its posts, its readings that are told, and where it stands in the trace."""

    counted: Counted
    trace: Trace
    k: int
    per_year: Floats
    stance: Floats

    @property
    def length(self) -> int:
        return len(self.counted.days)


def turn_weights(column: Column, since: int, at: int, p: Parameters) -> Floats:
    """Posterior over the post that was the first of the turn: weights of the posts ``since … at``, sum 1.

    P(s) ∝ (ΣA + ΣC before s) · Σ_h κ_h · Π_{i=s…at} f_h(i) / scale(i): the terms of the filter's mixture, kept apart.
    """
    k, trace = column.k, column.trace
    logs = np.log(trace.turned[since : at + 1, :, k].astype(np.float64))
    steps = logs - np.log(trace.scale[since : at + 1, k].astype(np.float64))[:, None]
    ahead = steps[::-1].cumsum(axis=0)[::-1] + np.log(np.array(p.critic))[None, :]
    top = ahead.max(axis=1)
    total = np.exp(ahead - top[:, None]).sum(axis=1)
    weight = np.log(np.maximum(trace.source[since : at + 1, k], 1e-30).astype(np.float64)) + top + np.log(total)
    weight = np.round(np.exp(weight - weight.max()), 9)
    posterior: Floats = weight / weight.sum()
    return posterior


def shown(weights: Floats, favor: NDArray[np.bool_]) -> Floats:
    """The same, over the posts that can show the turn: one that began at a post in favor is seen at the next that is not.

    >>> shown(np.array([0.1, 0.3, 0.2, 0.4]), np.array([False, True, True, False])).round(9).tolist()
    [0.1, 0.0, 0.0, 0.9]
    """
    seen = weights.copy()
    for i in np.flatnonzero(favor[:-1]).tolist():
        seen[i + 1] += seen[i]
        seen[i] = 0.0
    return seen


def turn_point(weights: Floats) -> tuple[int, int, int]:
    """Median of the turn point's posterior and the ends of its central 80 %, as offsets.

    >>> turn_point(np.array([0.05, 0.1, 0.7, 0.15]))
    (2, 1, 3)
    """
    below = np.round(weights.cumsum(), 6)
    low, middle, high = (int(np.searchsorted(below, x)) for x in (TAIL, 0.5, 1 - TAIL))
    return middle, low, min(high, len(weights) - 1)


def posterior_of(log_odds: float, per_year: float, turn_rate: float, p: Parameters) -> float:
    """Chance that a turn told with this evidence is true: true turns over all that would be told at it, each per KOC-year.

    The false ones come from the calibrated line that the bars come from (`Parameters.expected`, at the KOC's own pace), and not
    from the odds as they stand: doubt and temperature keep those small on purpose, so that as odds they would say too little.
    At a promise of 1 in 1000 and 20 true turns in 1000 KOC-years a red is true 20 times in 21.

    >>> from listener.drift.rules import default_calibration, parameters_of
    >>> p = parameters_of(default_calibration())
    >>> posterior_of(p.bar(1.0), p.per_year, 0.02, p), posterior_of(p.bar(10.0), p.per_year, 0.02, p)
    (0.9524, 0.6667)
    """
    false_alarms = p.expected(min(max(log_odds - p.pace * math.log(per_year / p.per_year), -50.0), 50.0)) / 1000
    return round(turn_rate / (turn_rate + false_alarms), 4)


def mean_of(stance: Floats) -> float:
    """Mean stance, rounded to 1e-4; 0 for no posts."""
    return round(math.fsum(stance.tolist()) / len(stance), 4) if len(stance) else 0.0


def evidence_of(
    column: Column, since: int, at: int, promise: float, version: str, p: Parameters, rule: Rule
) -> tuple[int, Evidence]:
    """Index of the turn point (never a post in favor) and the evidence of a drift raised at post ``at`` by a filter that was
    armed at post ``since``."""
    weights, read = turn_weights(column, since, at, p), column.counted.probabilities[since : at + 1]
    middle = since + turn_point(shown(weights, read[:, 2] > read[:, :2].max(axis=1)))[0]
    _, low, high = (since + i for i in turn_point(weights))
    k, trace, posts = column.k, column.trace, column.counted.mentions
    after = range(middle, at + 1)
    odds: dict[Innocent, float] = {
        "advocate": float(trace.advocate[at, k]),
        "never": float(trace.never[at, k]),
        "cooled": float(trace.cooled[at, k]),
    }
    return middle, Evidence(
        before_n=middle - since,
        before_mean=mean_of(column.stance[since:middle]),
        after_n=len(after),
        after_mean=mean_of(column.stance[middle : at + 1]),
        after_against=sum(_is_against(column.counted.probabilities[i]) for i in after),
        log_odds_advocate=round(odds["advocate"], 4),
        log_odds_never=round(odds["never"], 4),
        log_odds_cooled=round(odds["cooled"], 4),
        posterior=posterior_of(float(trace.odds[at, k]), float(column.per_year[at]), rule.expected_turn_rate, p),
        closest=min(odds, key=lambda name: odds[name]),
        turn_low=posts[low].posted_at,
        turn_high=posts[max(high, middle)].posted_at,
        shares=tuple(Share(posts[i].mention.key, round(float(trace.gain[i, k]), 4)) for i in after),
        promise_per_1000_koc_years=promise,
        calibration=version,
    )


def _is_against(probabilities: Floats) -> bool:
    against, none, favor = probabilities.tolist()
    return bool(against > none and against > favor)
