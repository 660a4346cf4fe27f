"""What the detector is told: the promise (`Rule`), and its numbers for one brand (`Parameters`, read from a `Calibration`)."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from listener.drift.profiles import ADVOCATE, COOLED, CRITIC, NEVER, Profile
from storage.records import Calibration


@dataclass(frozen=True, slots=True)
class Rule:
    """The promise and its frame.

    false_alarms_red, false_alarms_amber: promised false alarms per 1000 KOC-years of loyal advocates. expected_turn_rate:
    true turns per KOC-year, only for the posterior that is told. timezone: where the days of the mood begin.
    min_mentions: below it nobody is called an advocate. first_negatives: promised notices of a first negative post per 1000
    KOC-years of loyal advocates, 0 = none are raised. silent_days: the least time without a mention that is called silence,
    0 = none is; both for the signals beside the drift. storms: promised false opinion storms per place and year; spreads:
    posts in 1000 against the brand that are falsely said to go far; contagions: false ones per brand and year; 0 = none are
    told.
    """

    timezone: str = "Asia/Shanghai"
    false_alarms_red: float = 1.0
    false_alarms_amber: float = 10.0
    expected_turn_rate: float = 0.02
    min_mentions: int = 3
    first_negatives: float = 1000.0
    silent_days: float = 60.0
    storms: float = 0.2
    spreads: float = 1.0
    contagions: float = 0.05


@dataclass(frozen=True, slots=True)
class Parameters:
    """The numbers of the turn filter; see `listener.drift.turn_filter` for the equations they stand in.

    Priors. advocate, never, cooled, critic: weights of the sentiment profiles of each branch, each sums to 1. never_share:
    prior chance that a KOC never was an advocate. loadings: prior of following the market 0, 1, 2 times.

    The scorer. class_prior: (against, none, favor) shares it was calibrated at. temperature: probabilities are raised to
    its inverse first (1 = calibrated). mild: weight of the evidence for mild criticism, mild·√(q_against·q_none).
    constructive: how much likelier a post flagged constructive is mild criticism than opposition. doubt: ω, the chance that
    a post says nothing (bounds its evidence). cues: code → how much likelier the cue makes opposition than the
    scorer's probability says alone; unknown codes weigh nothing. cue_bound: no post's cues weigh more, as a factor.

    Repetition. repeat, repeat_days: ρ = repeat·exp(−Δt/repeat_days). copy, copy_days, copy_nats: the same for posts whose
    evidence is like the last one's (log odds within copy_nats) while the KOC is seen copying. duplicate_bits,
    duplicate_days: what counts as the same content. again: in simulated advocates, the
    chance that a post soon after another is of the same class because of it.

    Hazards, per post. cool: A → C; blur: A forgets; rewarm: C → A; convert: B → A; relapse: a latched critic's profile
    forgets. cooled_source: weight of a turn that starts from C against one that starts from A. before_turn: posts that come
    before any turn.

    The market. market_half: power n/(n + market_half). market_errors, market_least: standard errors and
    mean stance a brand-wide shift must exceed.

    Bars. intercept, slope: ln(false alarms per 1000 KOC-years) = intercept − slope·bar. pace: nats more for e times the
    mentions a year, so that slow and fast posters are promised the same. per_year, per_year_weight: mentions per KOC-year
    the bars were set at, and pseudo-mentions a KOC's own rate is shrunk by. never_less, cooled_less: how many nats less is
    asked against these rivals; never_more: and how many more of it again for an amber, whose lower bar those who never were
    advocates reach more easily. recover_bar: nats for recovery. hysteresis: nats below its bar where amber ends. quiet:
    posts from recovered to advocate.
    """

    advocate: tuple[float, ...]
    never: tuple[float, ...]
    cooled: tuple[float, ...]
    critic: tuple[float, ...]
    never_share: float = 0.25
    loadings: tuple[float, ...] = (0.25, 0.5, 0.25)
    class_prior: tuple[float, ...] = (0.25, 0.35, 0.40)
    temperature: float = 1.0
    mild: float = 3.0
    constructive: float = 8.0
    doubt: float = 0.03
    cues: tuple[tuple[str, float], ...] = ()
    cue_bound: float = 3.0
    repeat: float = 0.85
    repeat_days: float = 0.25
    copy: float = 0.95
    copy_days: float = 3.0
    copy_nats: float = 2.5
    again: float = 0.5
    duplicate_bits: int = 3
    duplicate_days: float = 30.0
    cool: float = 0.004
    blur: float = 0.002
    rewarm: float = 0.003
    convert: float = 0.0003
    relapse: float = 0.02
    cooled_source: float = 0.2
    before_turn: float = 3.0
    market_half: float = 20.0
    market_errors: float = 2.0
    market_least: float = 0.2
    intercept: float = 11.69
    slope: float = 1.706
    pace: float = 0.9
    per_year: float = 27.5
    per_year_weight: float = 3.0
    never_less: float = 0.3
    never_more: float = 0.0
    cooled_less: float = 0.4
    recover_bar: float = 5.0
    hysteresis: float = 2.5
    quiet: int = 10

    def bar(self, false_alarms: float) -> float:
        """Evidence of a turn, in nats, that keeps this many false alarms per 1000 KOC-years.

        >>> p = parameters_of(default_calibration())
        >>> p.bar(1) > p.bar(10) > 0
        True
        """
        return (self.intercept - math.log(false_alarms)) / self.slope

    def expected(self, bar: float) -> float:
        """False alarms per 1000 KOC-years that a bar is expected to give: the inverse of `bar`."""
        return math.exp(self.intercept - self.slope * bar)


def parameters_of(calibration: Calibration) -> Parameters:
    """The typed numbers of a calibration row; what the row leaves out keeps its default, unknown names are refused.

    >>> len(parameters_of(default_calibration()).critic)
    12
    """
    return Parameters(**{k: _frozen(v) for k, v in calibration.parameters.items()})


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping):
        return tuple(sorted((str(k), float(v)) for k, v in value.items()))
    if isinstance(value, (list, tuple)):
        return tuple(float(v) for v in value)
    return value


def default_calibration() -> Calibration:
    """The calibration of a cold start, for every brand: broad priors, so that a wrong guess costs posts and not promises;
    class prior, temperature and bars are those of the scorer that ships, as seen on real reviews it never learned from.

    Before a deployment's own history calibrates it, the promise of 1 red holds on such texts (0.95 in 1000 years, 3,152 years)
    and not in every simulated world: 1.34, 1.22, 1.25 and 0.56 in four of them, ambers 10.0, 10.3, 9.7 and 5.7 for 10. A bar of
    7.5 nats would hold there too, and cost 34 of 1000 turns on real texts; 7.35 costs 14."""
    parameters = _defaults()
    return Calibration(version_of("default", parameters), "", datetime(1970, 1, 1, tzinfo=UTC), parameters)


def version_of(kind: str, parameters: Mapping[str, Any]) -> str:
    """A version that names the numbers: the kind and 12 hex digits of their SHA-256.

    >>> version_of("default", {"slope": 1.5}) == version_of("default", {"slope": 1.5})
    True
    """
    return f"{kind}-{hashlib.sha256(repr(sorted(parameters.items())).encode()).hexdigest()[:12]}"


# Ratios left over beside the scorer's own probability: logistic regression on real reviews it never learned from, bounded. The
# scorer reads most cues by itself: let-downs, after-sales and unanswered complaints add nothing to what it says.
CUES = (
    ("defection", 1.3),
    ("dissuasion", 2.5),
    ("irony", 1.2),
    ("price-grievance", 1.3),
    ("product-grievance", 2.3),
)


def _defaults() -> dict[str, Any]:
    return {
        "advocate": _tilted(ADVOCATE, against=-8.0, favor=2.0),
        "never": _tilted(NEVER, against=1.0),
        "cooled": _tilted(COOLED, none=2.3, least=-0.15),
        "critic": _tilted(CRITIC, against=3.4),
        "never_share": 0.2,
        "cool": 0.002,
        "class_prior": [0.28, 0.20, 0.52],
        "temperature": 1.0,
        "mild": 1.0,
        "never_less": 1.2,
        "never_more": 0.1,
        "intercept": 11.05,
        "slope": 1.535,
        "cues": dict(CUES),
    }


def _tilted(
    profiles: tuple[Profile, ...], against: float = 0.0, none: float = 0.0, favor: float = 0.0, least: float = -1.0
) -> list[float]:
    """Prior weights ∝ exp(against·g_against + none·g_none + favor·g_favor) over some profiles, rounded to 1e-6; a thousandth
    of that where the mean stance is below ``least``."""
    weights = [
        math.exp(against * g[0] + none * g[1] + favor * g[2]) * (1.0 if g[2] - g[0] >= least else 1e-3) for g in profiles
    ]
    total = sum(weights)
    return [round(w / total, 6) for w in weights]
