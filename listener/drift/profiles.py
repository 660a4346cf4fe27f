"""Sentiment profiles: how often an author's posts are against, silent on, in favor of the brand, or mild criticism.

A profile g = (against, none, favor, mild) is made from a point of a lattice on the simplex, (i, j, k)/8 with i + j + k = 8,
pulled toward the middle so that no class has less than .04 (everybody slips now and then, and no post may be impossible),
with a fixed share of mild criticism: even advocates criticize mildly in an eighth of their posts, and that is healthy; critics
more often. 45 profiles. The lattice point's mean stance, favor − against, says which branch of the filter a profile belongs to.
"""

from __future__ import annotations

from typing import TypeAlias

Profile: TypeAlias = tuple[float, float, float, float]

CLASSES = ("against", "none", "favor", "mild")
STEPS = 8
FLOOR = 0.04
ADVOCATE_FROM, CRITIC_TO = 0.25, -0.30  # mean stance of an advocate and of a critic; between them: cooled
MILD_ADVOCATE, MILD_COOLED, MILD_CRITIC = 0.12, 0.13, 0.18
LOADINGS = (0, 1, 2)  # how strongly an advocate may follow the whole market's mood


def lattice() -> tuple[tuple[float, float, float], ...]:
    """The lattice points as (against, none, favor) shares that sum to 1."""
    scale = 1 - 3 * FLOOR
    return tuple(
        (FLOOR + scale * i / STEPS, FLOOR + scale * (STEPS - i - k) / STEPS, FLOOR + scale * k / STEPS)
        for i in range(STEPS + 1)
        for k in range(STEPS + 1 - i)
    )


def with_mild(point: tuple[float, float, float], mild: float) -> Profile:
    """A lattice point with a share of mild criticism.

    >>> with_mild((0.04, 0.04, 0.92), 0.5)
    (0.02, 0.02, 0.46, 0.5)
    """
    against, none, favor = (x * (1 - mild) for x in point)
    return against, none, favor, mild


def _branch(low: float, high: float, mild: float) -> tuple[Profile, ...]:
    return tuple(with_mild(g, mild) for g in lattice() if low <= round(g[2] - g[0], 9) < high)


ADVOCATE = _branch(ADVOCATE_FROM, 1.01, MILD_ADVOCATE)
COOLED = _branch(CRITIC_TO, ADVOCATE_FROM, MILD_COOLED)
CRITIC = _branch(-1.01, CRITIC_TO, MILD_CRITIC)
NEVER = COOLED + CRITIC
PROFILES = ADVOCATE + NEVER

# Shares of loyal advocates in steps as fine as their histories can tell: what they are simulated with, so that the mildly
# critical and the one whom the scorer misreads are as frequent among the simulated as among the real ones.
LOYAL = tuple(
    with_mild((against, none * (1 - against), (1 - none) * (1 - against)), mild)
    for against in (0.01, 0.03, 0.05, 0.08, 0.12, 0.16, 0.21, 0.27, 0.34)
    for none in (0.02, 0.1, 0.2, 0.35, 0.5, 0.65)
    for mild in (0.01, 0.06, 0.12, 0.25)
    if (1 - none) * (1 - against) - against >= ADVOCATE_FROM
)
