"""Posts that weigh → who the KOCs are before any turn: how long each baseline is, and the mixture of sentiment profiles, by EM.

See `listener.drift.calibrate` for what is done with it, and why.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from listener.drift.class_shares import first_posts
from listener.drift.moods import Floats
from listener.drift.profiles import ADVOCATE, COOLED, LOYAL, NEVER, PROFILES, Profile
from listener.drift.readings import Counted, readings_of
from listener.drift.rules import Parameters
from listener.drift.turn_filter import TurnFilter
from listener.drift.turn_points import Column, turn_point, turn_weights

BASELINE_POSTS = 40  # of a KOC, at most, make its profile
PSEUDO_KOCS = 10.0
UNIFORM = 0.03
SUSPECTED = 10.0  # false alarms per 1000 KOC-years at which a turn is suspected
BLOCK = 1024


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
    early = [first_posts(c, n) for c, n in zip(counted, baseline_lengths(counted, p), strict=True)]
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


def _weights(x: Floats) -> tuple[float, ...]:
    return tuple(np.round(x / x.sum(), 6).tolist())
