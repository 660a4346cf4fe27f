"""A deployment's own histories and marks → its calibration, and the false alarms that it lets expect.

`listener.drift.calibrate` fits the numbers without labels. Here the team's marks come in: posts after a confirmed turn are left
out of what loyal advocates are learned from, and the false alarms that the new bars would still raise make them stricter:

    ln(false alarms) += max(0, ln((O + a) / (E + a))),   a = 3

O: KOCs on whom the new bars raise an alert that the team called false or mild; E: false alarms promised over the years at
hand. That is the mean of a Gamma(a, a) prior on the ratio between the true rate and the simulated one, after what was seen;
never below 1, since an alert that nobody judged is not known to be true.

What is expected is counted, not derived: new simulated loyal advocates, other draws than those the bars were set at, run
through the filter of the calibration, and the alarms are counted at its bars.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from listener.drift.calibrate import LEAST_KOCS, LEAST_POSTS, NULL_YEARS, calibrate
from listener.drift.class_shares import POSTS_OF_A_KOC
from listener.drift.detect import detect
from listener.drift.marks import Pair, by_koc, false_alarms, loyal_part
from listener.drift.moods import Floats, Moods
from listener.drift.profile_weights import loyal_shares
from listener.drift.readings import Counted, counted_of
from listener.drift.rules import Parameters, Rule, default_calibration, parameters_of, version_of
from listener.drift.simulations import null_maxima
from storage.records import Calibration, Drift, History, KocMark, MoodDay

PSEUDO_ALARMS = 3.0
CHECK_YEARS = 20_000.0  # KOC-years of simulated advocates that expectations are counted over
CHECK_SEED = 20_260_101
YEAR_DAYS = 365.0


@dataclass(frozen=True, slots=True)
class Material:
    """What a calibration was made from. kocs: with five posts or more that weigh; posts, koc_years: of these; turned: KOCs cut
    at a confirmed turn; false_alarms: KOCs with an alert that the team called false or mild, and the new bars raise again."""

    kocs: int
    posts: int
    koc_years: float
    turned: int
    false_alarms: int = 0

    @property
    def is_enough(self) -> bool:
        """Whether there is enough to calibrate."""
        return self.kocs >= LEAST_KOCS and self.posts >= LEAST_POSTS


NEEDED = Material(LEAST_KOCS, LEAST_POSTS, 0.0, 0)


@dataclass(frozen=True, slots=True)
class Expected:
    """False alarms per 1000 KOC-years of loyal advocates: promised, and counted over simulated ones, with its 90 % interval."""

    promised: float
    expected: float
    low: float
    high: float
    bar: float


@dataclass(frozen=True, slots=True)
class Fit:
    """What came of the histories. calibration: None where they are too few. expected, before: by level, of the new one and of
    the one before it, over the same simulated advocates."""

    material: Material
    calibration: Calibration | None
    expected: Mapping[str, Expected]
    before: Mapping[str, Expected]


def fit(
    histories: Sequence[History],
    moods: Sequence[MoodDay],
    marks: Sequence[KocMark],
    before: Calibration,
    rule: Rule,
    *,
    effective_at: datetime,
    years: tuple[float, float] = (NULL_YEARS, CHECK_YEARS),
) -> Fit:
    """Calibrate one brand. The same histories and marks give the same numbers: the cold start is the base, not ``before``.

    years: of simulated advocates that the bars are set by, and that the expectations are counted over."""
    base, said, zone = default_calibration(), by_koc(marks), ZoneInfo(rule.timezone)
    loyal = [loyal_part(h, said.get((h.koc_id, h.brand), ())) for h in histories]
    p, mood = parameters_of(base), Moods(moods)
    counted = [
        c for h in sorted(loyal, key=lambda h: h.koc_id) if len((c := counted_of(h, mood, p, zone)).days) >= POSTS_OF_A_KOC
    ]
    turned = sum(any(m.kind == "turned" for m in said.get((h.koc_id, h.brand), ())) for h in histories)
    material = Material(len(counted), sum(len(c.days) for c in counted), round(math.fsum(map(_years, counted)), 2), turned)
    if not material.is_enough:
        return Fit(material, None, {}, {})
    new = calibrate(loyal, moods, base, rule, effective_at=effective_at, null_years=years[0])
    new, again = learned(new, histories, moods, said, material.koc_years, rule)
    world = parameters_of(new)
    p = replace(p, temperature=world.temperature)
    loyal_ones = loyal_shares(counted, p)
    return Fit(
        replace(material, false_alarms=again),
        new,
        expected_of(counted, loyal_ones, world, world, rule, years=years[1]),
        expected_of(counted, loyal_ones, world, parameters_of(before), rule, years=years[1]),
    )


def learned(
    new: Calibration,
    histories: Sequence[History],
    moods: Sequence[MoodDay],
    marks: Mapping[Pair, Sequence[KocMark]],
    koc_years: float,
    rule: Rule,
) -> tuple[Calibration, int]:
    """The calibration made stricter by the false alarms that it would raise again, and on how many KOCs it would."""
    denied = {pair: said for pair, said in marks.items() if any(m.kind != "turned" for m in said)}
    some = [h for h in histories if (h.koc_id, h.brand) in denied]
    drifts: dict[Pair, Sequence[Drift]] = {(v.state.koc_id, v.state.brand): v.drifts for v in detect(some, moods, new, rule)}
    seen = false_alarms(drifts, denied)
    more = max(
        surplus(seen["amber"], rule.false_alarms_amber * koc_years / 1000),
        surplus(seen["red"], rule.false_alarms_red * koc_years / 1000),
    )
    if more == 0:
        return new, seen["amber"]
    parameters: dict[str, Any] = dict(new.parameters)
    parameters["intercept"] = round(parameters["intercept"] + more, 4)
    return replace(new, version=version_of("fitted", parameters), parameters=parameters), seen["amber"]


def surplus(seen: int, promised: float) -> float:
    """How much higher ln(false alarms) is than simulated, by what was seen; never below 0.

    >>> surplus(0, 2.0), round(surplus(3, 0.3), 3), round(surplus(8, 0.3), 3)
    (0.0, 0.598, 1.204)
    """
    return max(0.0, math.log((seen + PSEUDO_ALARMS) / (promised + PSEUDO_ALARMS)))


def expected_of(
    counted: Sequence[Counted], loyal: Floats, world: Parameters, p: Parameters, rule: Rule, *, years: float
) -> dict[str, Expected]:
    """By level, what the promise's bars of ``p`` give on advocates that are simulated by the numbers of ``world``.

    loyal: weights of their profiles, `loyal_shares`."""
    maxima, watched = null_maxima(counted, loyal, p, seed=CHECK_SEED, years=years, world=world)
    found = {}
    for level, promised in (("amber", rule.false_alarms_amber), ("red", rule.false_alarms_red)):
        bar = p.bar(promised)
        low, alarms, high = interval(int((maxima >= bar).sum()))
        per_1000 = 1000 / watched
        found[level] = Expected(
            promised, round(alarms * per_1000, 2), round(low * per_1000, 2), round(high * per_1000, 2), round(bar, 2)
        )
    return found


def interval(count: int, z: float = 1.645) -> tuple[float, int, float]:
    """A Poisson count with the ends of its central 90 % (Wilson and Hilferty's approximation).

    >>> [round(x, 1) for x in interval(10)], [round(x, 1) for x in interval(0)]
    ([5.4, 10, 17.0], [0.0, 0, 3.0])
    """
    low = 0.0 if count == 0 else count * (1 - 1 / (9 * count) - z / (3 * math.sqrt(count))) ** 3
    n = count + 1
    return low, count, n * (1 - 1 / (9 * n) + z / (3 * math.sqrt(n))) ** 3


def _years(c: Counted) -> float:
    """How long a KOC was heard: from its first post to its last, and one mean gap more."""
    n = len(c.days)
    return float(c.days[-1] - c.days[0]) * n / (n - 1) / YEAR_DAYS
