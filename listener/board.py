"""Roster, states, coverage, alerts and cases → the rows of the KOC board, the most urgent first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from storage.records import (
    OPERATIONAL_KINDS,
    Alert,
    Case,
    DriftState,
    Koc,
    KocCoverage,
    Level,
    Reach,
    Severity,
    Status,
    StoredAlert,
)

Shown = Status | Literal["not-covered"]

SEVERITIES: Mapping[Severity, int] = {"urgent": 0, "important": 1, "watch": 2, "info": 3}
STATUSES: Mapping[Shown, int] = {
    "critic": 0,
    "wavering": 1,
    "silent": 2,
    "not-covered": 3,
    "recovered": 4,
    "candidate": 5,
    "advocate": 6,
}
# What a KOC seems to be while nobody listens: shown as not covered. That somebody has turned stays true.
UNSURE: frozenset[Shown] = frozenset({"candidate", "advocate", "recovered", "silent"})


@dataclass(frozen=True, slots=True)
class Row:
    """A KOC and a brand on the board.

    status: where the KOC stands, ``not-covered`` where that rests on time nobody listened to; reason: the detector's code.
    recent, baseline: mean stance −1…1, None without mentions. last_heard_at 最后听到, reach and why 覆盖. quiet: how long
    somebody listened and heard no post; None: nobody did. alert: the gravest one that nobody has closed, a quiet one only while
    what it tells of goes on; case: the open one.
    standing: alumni after an orderly exit, and watched all the same.
    silent_since: when the time that was listened to without a mention became too long for this KOC; None: not silent.
    """

    koc_id: str
    name: str
    tier: str
    owner: str
    brand: str
    status: Shown
    reason: str
    mentions: int
    baseline: float | None
    recent: float | None
    last_mention_at: datetime | None
    last_heard_at: datetime | None
    next_at: datetime | None
    reach: Reach
    why: str
    quiet: timedelta | None
    alert_key: str = ""
    level: Level | None = None
    severity: Severity | None = None
    fired_at: datetime | None = None
    case_key: str = ""
    next_step: str = ""
    silent_since: datetime | None = None
    alert_kind: str = ""
    standing: str = "active"

    @property
    def trend(self) -> float:
        """How far the recent stance lies from the baseline; below zero: it falls."""
        return (self.recent or 0.0) - (self.baseline or 0.0)


def rows_of(
    kocs: Iterable[Koc],
    brands: Sequence[str],
    *,
    states: Iterable[DriftState],
    coverages: Mapping[str, KocCoverage],
    alerts: Iterable[StoredAlert],
    cases: Iterable[Case],
    silent: Mapping[tuple[str, str], datetime] | None = None,
) -> list[Row]:
    """A row for each KOC and brand, in order of urgency: open cases by severity, the newest turn first; then critics and
    wavering ones without a case, silent, not covered, recovered, new ones, and advocates, whose stance falls most first.

    silent: since when who is silent, by KOC and brand, judged over covered time; who turned critical stays so in silence.
    """
    silent = silent or {}
    by_state = {(one.koc_id, one.brand): one for one in states}
    by_alert: dict[tuple[str, str], list[Alert]] = {}
    for stored in alerts:
        is_told = stored.state == "current" and not stored.alert.is_over
        if is_told and stored.alert.kind not in OPERATIONAL_KINDS:  # what is due is no word of where the KOC stands
            by_alert.setdefault((stored.alert.koc_id, stored.alert.brand), []).append(stored.alert)
    by_case: dict[tuple[str, str], list[Case]] = {}
    for case in cases:
        by_case.setdefault((case.koc_id, case.brand), []).append(case)
    rows = []
    for koc in kocs:
        for brand in brands:
            who = (koc.koc_id, brand)
            coverage = coverages.get(koc.koc_id) or _unheard(koc.koc_id)
            state = _silenced(by_state.get(who), who in silent)
            row = _row(koc, brand, state, coverage, by_alert.get(who, ()), by_case.get(who, ()))
            rows.append(replace(row, silent_since=silent.get(who) if row.status == "silent" else None))
    return sorted(rows, key=urgency)


def _silenced(state: DriftState | None, is_silent: bool) -> DriftState | None:
    """Silence over a state that rests on what was said; a turn that was heard outweighs it."""
    if state is None or not is_silent or state.status not in UNSURE:
        return state
    return replace(state, status="silent", reason="silent")


def strongest_of(alerts: Iterable[StoredAlert]) -> dict[str, StoredAlert]:
    """One alert of a turn a KOC, by koc_id: the last red one, else the last amber one."""
    best: dict[str, StoredAlert] = {}
    for one in (each for each in alerts if each.alert.kind == "drift"):
        held = best.get(one.alert.koc_id)
        if held is None or _strength(one) > _strength(held):
            best[one.alert.koc_id] = one
    return best


def _strength(one: StoredAlert) -> tuple[bool, datetime]:
    return one.alert.level == "red", one.alert.fired_at


def urgency(row: Row) -> tuple[int, int, float, float, str, str]:
    """What the board is sorted by; small is urgent."""
    fired = -row.fired_at.timestamp() if row.fired_at else 0.0
    first = 0 if row.case_key else 1
    severity = SEVERITIES[row.severity] if row.severity and row.case_key else 4
    return first, severity * 10 + STATUSES[row.status], fired, row.trend, row.koc_id, row.brand


def _row(
    koc: Koc, brand: str, state: DriftState | None, coverage: KocCoverage, alerts: Sequence[Alert], cases: Sequence[Case]
) -> Row:
    case = next((one for one in cases if one.state == "open"), None)
    answered = {key for one in cases if one.state == "closed" for key in one.alerts}
    standing = [one for one in alerts if one.key not in answered or (case and one.key in case.alerts)]
    alert = min(standing, key=lambda one: (SEVERITIES[one.severity], -one.fired_at.timestamp(), one.key), default=None)
    heard = state is not None and state.mentions > 0
    return Row(
        koc_id=koc.koc_id,
        name=koc.name,
        tier=koc.tier,
        owner=koc.owner,
        brand=brand,
        status=status_of(state, coverage),
        reason=state.reason if state else "no-mentions",
        mentions=state.mentions if state else 0,
        baseline=state.baseline if state and heard else None,
        recent=state.recent if state and heard else None,
        last_mention_at=state.last_at if state else None,
        last_heard_at=coverage.last_heard_at,
        next_at=coverage.next_at,
        reach=coverage.reach,
        why=coverage.why,
        quiet=coverage.quiet,
        alert_key=alert.key if alert else "",
        level=alert.level if alert else None,
        severity=alert.severity if alert else None,
        alert_kind=alert.kind if alert else "",
        fired_at=alert.fired_at if alert else None,
        case_key=case.key if case else "",
        next_step=case.next_step if case else "",
        standing=koc.standing,
    )


def status_of(state: DriftState | None, coverage: KocCoverage) -> Shown:
    """The status that may be shown: nobody is stable or silent on time that nobody listened to."""
    status: Shown = state.status if state else "candidate"
    if coverage.reach == "not-covered" and status in UNSURE:
        return "not-covered"
    if status == "silent" and coverage.quiet is None:
        return "not-covered"
    return status


def _unheard(koc_id: str) -> KocCoverage:
    return KocCoverage(koc_id, "not-covered", "no-source", None, None, None, None, ())
