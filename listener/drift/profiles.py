"""Sentiment profiles: how often an author's posts are against, silent on, or in favor of the brand.

A profile g = (g_against, g_none, g_favor) is a point of a lattice on the simplex: (i, j, k)/6 with i + j + k = 6, pulled
toward the middle so that no class has less than .04 (everybody slips now and then, and no post may be impossible).
28 points. The mean stance g_favor − g_against says which branch of the filter a profile belongs to.
"""

from __future__ import annotations

from typing import TypeAlias

Profile: TypeAlias = tuple[float, float, float]

STEPS = 6
FLOOR = 0.04
LOADINGS = (0, 1, 2)


def stance_of(profile: Profile) -> float:
    """Mean stance of a profile, −1…1.

    >>> stance_of((0.04, 0.04, 0.92))
    0.88
    """
    return round(profile[2] - profile[0], 9)


def _lattice() -> tuple[Profile, ...]:
    scale = 1 - 3 * FLOOR
    return tuple(
        (FLOOR + scale * i / STEPS, FLOOR + scale * (STEPS - i - k) / STEPS, FLOOR + scale * k / STEPS)
        for i in range(STEPS + 1)
        for k in range(STEPS + 1 - i)
    )


ADVOCATE = tuple(g for g in _lattice() if stance_of(g) >= 0.25)
COOLED = tuple(g for g in _lattice() if -0.30 < stance_of(g) < 0.25)
CRITIC = tuple(g for g in _lattice() if stance_of(g) <= -0.30)
NEVER = COOLED + CRITIC
PROFILES = ADVOCATE + NEVER
