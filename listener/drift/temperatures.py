"""Posts that weigh → the temperature of the scorer's probabilities, and how often posts repeat the stance of the one before.

See `listener.drift.calibrate` for the idea.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from listener.drift.class_shares import POSTS_OF_A_KOC, class_shares, evidence_of_posts, first_posts, weighted
from listener.drift.moods import Floats
from listener.drift.profile_weights import baseline_lengths, mixture_of
from listener.drift.profiles import STEPS, with_mild
from listener.drift.readings import Counted
from listener.drift.rules import Parameters

AGAIN_DAYS = 0.5  # in which repetition fades
TEMPERATURES = (0.85, 0.92, 1.0, 1.08, 1.18)  # times the cold start's
TEMPERATURE_WORTH = 0.001  # nats a post by which another one has to explain the posts better
SAMPLE = 3000  # KOCs that the temperature is learned from, at most


def with_temperature(counted: Sequence[Counted], p: Parameters) -> Parameters:
    """Numbers with the temperature at which authors explain their posts best; see the top of the module."""
    some = counted[:: max(1, math.ceil(len(counted) / SAMPLE))]
    early = [first_posts(c, n) for c, n in zip(some, baseline_lengths(some, p), strict=True) if n]
    tried = [replace(p, temperature=round(p.temperature * factor, 4)) for factor in TEMPERATURES]
    fits = [_gain_from_authors(early, one) for one in tried]
    best = max(range(len(fits)), key=lambda i: fits[i])
    posts = max(1, sum(len(c.days) for c in early))
    worth = max(TEMPERATURE_WORTH * posts, math.log(posts))
    return tried[best] if fits[best] - fits[TEMPERATURES.index(1.0)] > worth else p


def _gain_from_authors(early: Sequence[Counted], p: Parameters) -> float:
    """ln likelihood of the posts, written by authors with profiles, over that of the same posts shuffled among all. The
    profiles are all of the simplex here, (i, j, k)/8 with a mild share of 0, .1 or .25: the filter's own keep off its edges."""
    evidence = np.concatenate([evidence_of_posts(c, p) for c in early])
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
    return (1 - p.doubt) * weighted(evidence, shares) + p.doubt


def repetition(counted: Sequence[Counted], p: Parameters) -> float:
    """How often, as a share of ρ, a post is of the class of the one before because it came soon after it: 0, 0.05 … 1.

    Each post is likely (1 − r·ρ)·⟨g,q⟩ + r·ρ·⟨g·v,q⟩/⟨g,v⟩, v: evidence of the post before, g: the KOC's own class shares.
    """
    fresh, again, rho = [np.ones(0)], [np.ones(0)], [np.zeros(0)]
    for c, n in zip(counted, baseline_lengths(counted, p), strict=True):
        one = first_posts(c, n)
        if n < POSTS_OF_A_KOC or len(one.days) < POSTS_OF_A_KOC:
            continue
        q = evidence_of_posts(one, p)
        g = class_shares(np.concatenate([q, np.ones((1, 4))]), steps=20)
        fresh.append(weighted(q[1:], g))
        again.append((q[1:] * q[:-1] * g).sum(axis=1) / weighted(q[:-1], g))
        rho.append(p.repeat * np.exp(-(one.days[1:] - one.days[:-1]) / AGAIN_DAYS))
    f, a, w = np.concatenate(fresh), np.concatenate(again), np.concatenate(rho)
    near = w > 0.05
    f, a, w = f[near], a[near], w[near]
    tried = [step / 20 for step in range(21)]
    return max(tried, key=lambda r: math.fsum(np.log(np.maximum((1 - r * w) * f + r * w * a, 1e-12)).tolist()))
