"""A verdict → alerts: one for each drift and each signal, with the posts that make its evidence."""

from __future__ import annotations

from collections.abc import Sequence

from listener.alerts.severities import is_devoted, severity_of
from listener.keys import key_of
from storage.records import Alert, Drift, Evidence, Json, PostKey, Signal, Verdict

MOST_POSTS = 12  # of the evidence, in one alert: what a person reads on a phone


def alerts_of(verdict: Verdict, tier: str = "") -> tuple[Alert, ...]:
    """An alert for each drift and each signal, in their order; a function of the verdict and the KOC's tier alone."""
    return (*(_alert_of(drift, tier) for drift in verdict.drifts), *(_alert_of_signal(one, tier) for one in verdict.signals))


def _alert_of(drift: Drift, tier: str) -> Alert:
    tip = drift.tipped_by
    posts = posts_of(drift)
    evidence = evidence_json(drift.evidence, posts)
    return Alert(
        key=key_of("drift", drift.brand, drift.koc_id, drift.level, tip.platform, tip.post_id),
        kind="drift",
        level=drift.level,
        severity=severity_of("drift", drift.level, tier, devoted=is_devoted(evidence)),
        koc_id=drift.koc_id,
        brand=drift.brand,
        fired_at=drift.fired_at,
        turned_at=drift.turned_at,
        evidence=evidence,
        posts=posts,
    )


def goes_far(evidence: Json) -> bool:
    """Whether a signal itself says that a post goes far beyond its place: media or rivals took it up, or several platforms.

    >>> goes_far({"ways": ["press"]}), goes_far({"ways": ["fast"]}), goes_far({})
    (True, False, False)
    """
    return not {"press", "platforms"}.isdisjoint(evidence.get("ways", ()))


def _alert_of_signal(signal: Signal, tier: str) -> Alert:
    tip = signal.tipped_by
    over = {"ended_at": signal.ended_at.isoformat()} if signal.ended_at else {}
    return Alert(
        key=key_of(signal.kind, signal.brand, signal.koc_id, "", tip.platform, tip.post_id),
        kind=signal.kind,
        level=None,
        severity=severity_of(signal.kind, None, tier, spread=goes_far(signal.evidence)),
        koc_id=signal.koc_id,
        brand=signal.brand,
        fired_at=signal.at,
        turned_at=None,
        evidence={**signal.evidence, **over},
        posts=signal.posts[-MOST_POSTS:],
    )


def posts_of(drift: Drift, most: int = MOST_POSTS) -> tuple[PostKey, ...]:
    """The posts that make the evidence, in order of time: all since the turn, or those with the strongest shares.

    The post that tipped it is always among them: it is what the alert is about, though its own share may be small.
    """
    nats: dict[PostKey, float] = {}
    for share in drift.evidence.shares:
        nats[share.key] = nats.get(share.key, 0.0) + share.nats
    nats.setdefault(drift.tipped_by, 0.0)
    strongest = sorted(nats, key=lambda key: (key != drift.tipped_by, -nats[key], key))
    chosen = set(strongest[:most])
    return tuple(key for key in nats if key in chosen)


def evidence_json(evidence: Evidence, posts: Sequence[PostKey]) -> Json:
    """The evidence as JSON: times in ISO 8601 (UTC), numbers rounded to 1e-6, shares of the quoted posts only."""
    quoted = set(posts)
    return {
        "before_n": evidence.before_n,
        "before_mean": _rounded(evidence.before_mean),
        "after_n": evidence.after_n,
        "after_mean": _rounded(evidence.after_mean),
        "after_against": evidence.after_against,
        "log_odds_advocate": _rounded(evidence.log_odds_advocate),
        "log_odds_never": _rounded(evidence.log_odds_never),
        "log_odds_cooled": _rounded(evidence.log_odds_cooled),
        "posterior": _rounded(evidence.posterior),
        "closest": evidence.closest,
        "turn_low": evidence.turn_low.isoformat(),
        "turn_high": evidence.turn_high.isoformat(),
        "shares": [
            {"platform": share.key.platform, "post_id": share.key.post_id, "nats": _rounded(share.nats)}
            for share in evidence.shares
            if share.key in quoted
        ],
        "promise_per_1000_koc_years": _rounded(evidence.promise_per_1000_koc_years),
        "calibration": evidence.calibration,
    }


def _rounded(number: float) -> float:
    return round(float(number), 6) + 0.0  # no negative zero
