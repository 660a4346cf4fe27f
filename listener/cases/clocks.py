"""A case and its log → its clocks, when the next step is due, and who has to be reminded of it.

首条负面→发现 and 发现→响应 are kept apart. Targets are spans of working time (`listener.working_days`), an accident's of the
clock on the wall. A reminder is a function of the log, the targets and the calendar: the same at every minute of its stage,
so that it is told once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from listener.cases.acts import asked_by
from listener.cases.steps import ANSWERS, PROGRAM, STAND_BY, STEPS
from listener.keys import key_of
from listener.working_days import Hours
from storage.records import Alert, Case, CaseStep, Level

KIND = "case-due"


class CaseStage(StrEnum):
    """How near the time of a step is, or how long past. Codes; the words stand in listener/text."""

    URGENT = "urgent"  # an accident: told as soon as it is known
    SOON = "soon"
    OVERDUE = "overdue"
    LONG_OVERDUE = "long-overdue"  # once more, after the same span again


@dataclass(frozen=True, slots=True)
class Target:
    """What a team wants to keep. found: from the first negative post to the case. answered: from the case to the first answer.
    step: for each step after it."""

    found: timedelta = timedelta(hours=24)
    answered: timedelta = timedelta(hours=8)
    step: timedelta = timedelta(hours=16)


@dataclass(frozen=True, slots=True)
class Targets:
    """Targets of every tier, in lower case, and of KOCs of any other. urgent: of each step of an accident, by the clock on the
    wall. ahead: how long before a step is due its owner is reminded. hours: working time."""

    common: Target = Target()
    tiers: Mapping[str, Target] = field(default_factory=dict)
    urgent: timedelta = timedelta(hours=1)
    ahead: timedelta = timedelta(hours=2)
    hours: Hours = field(default_factory=Hours)

    def of(self, tier: str) -> Target:
        return self.tiers.get(tier.strip().casefold(), self.common)


@dataclass(frozen=True, slots=True)
class Due:
    """The step that is due. step: its code, "approve" where a second person has to. since: when it became due; soon_at,
    due_at, late_at: when its owner is reminded, when it should be done, and when it is told once more."""

    step: str
    since: datetime
    soon_at: datetime
    due_at: datetime
    late_at: datetime

    def stage(self, now: datetime) -> CaseStage | None:
        """Where it stands; None: there is time."""
        if now >= self.late_at:
            return CaseStage.LONG_OVERDUE
        if now >= self.due_at:
            return CaseStage.OVERDUE
        return CaseStage.SOON if now >= self.soon_at else None


@dataclass(frozen=True, slots=True)
class Clock:
    """What a case took. first_at: the first negative post, None where no post is known. found_at: when the case was opened;
    answered_at: when the other side first heard of us; closed_at. found_on_time, answered_on_time: None where that can't be
    said yet."""

    first_at: datetime | None
    found_at: datetime
    answered_at: datetime | None
    closed_at: datetime | None
    found_on_time: bool | None
    answered_on_time: bool | None

    @property
    def to_find(self) -> timedelta | None:
        """首条负面→发现."""
        return self.found_at - self.first_at if self.first_at else None

    @property
    def to_answer(self) -> timedelta | None:
        """发现→响应."""
        return self.answered_at - self.found_at if self.answered_at else None


def clock_of(
    case: Case, log: Sequence[CaseStep], first_at: datetime | None, now: datetime, tier: str, targets: Targets
) -> Clock:
    """The clocks of a case. first_at: when the first negative post of what it is about was posted."""
    target = targets.of(tier)
    answered_at = next((one.at for one in log if one.step in ANSWERS and one.who != PROGRAM), None)
    answer_by = _after(case.opened_at, target.answered, case.urgent, targets)
    first_at = min(first_at, case.opened_at) if first_at else None
    return Clock(
        first_at=first_at,
        found_at=case.opened_at,
        answered_at=answered_at,
        closed_at=case.closed_at,
        found_on_time=case.opened_at <= first_at + target.found if first_at else None,
        answered_on_time=answered_at <= answer_by
        if answered_at
        else False
        if now > answer_by and case.state == "open"
        else None,
    )


def due_of(case: Case, log: Sequence[CaseStep], tier: str, targets: Targets) -> Due | None:
    """What is due in an open case, and when; None in a closed one."""
    if case.state != "open":
        return None
    asked = asked_by(log)
    since = asked.at if asked else _since(case, log)
    target = targets.of(tier)
    is_begun = any(one.step in ANSWERS and one.who != PROGRAM for one in log)
    is_first = not asked and (case.next_step == STEPS[case.variant][0] or (case.next_step == STAND_BY and not is_begun))
    span = target.answered if is_first else target.step
    due_at = _after(since, span, case.urgent, targets)
    if case.urgent:
        began = max((one.at for one in log if one.step == "urgent"), default=case.opened_at)
        since = max(since, began)
        due_at = min(targets.hours.after(since, span), since + targets.urgent)
        return Due(_code(case, bool(asked)), since, since, due_at, due_at + targets.urgent)
    soon_at = targets.hours.after(since, max(span - targets.ahead, span / 2))
    return Due(_code(case, bool(asked)), since, soon_at, due_at, targets.hours.after(due_at, span))


def due_alerts(
    cases: Iterable[Case],
    logs: Mapping[str, Sequence[CaseStep]],
    now: datetime,
    *,
    tiers: Mapping[str, str],
    targets: Targets,
) -> tuple[Alert, ...]:
    """The reminders that are wanted now, by key: one for each case whose step is due soon or past its time. tiers: by KOC."""
    found = []
    for case in cases:
        log = logs.get(case.key, ())
        due = due_of(case, log, tiers.get(case.koc_id, ""), targets)
        stage = due.stage(now) if due else None
        if due and stage:
            found.append(_alert_of(case, due, CaseStage.URGENT if case.urgent and stage is CaseStage.SOON else stage))
    return tuple(sorted(found, key=lambda alert: alert.key))


def _alert_of(case: Case, due: Due, stage: CaseStage) -> Alert:
    fired = {CaseStage.OVERDUE: due.due_at, CaseStage.LONG_OVERDUE: due.late_at}.get(stage, due.soon_at)
    level: Level | None = "red" if case.urgent else None if stage is CaseStage.SOON else "amber"
    return Alert(
        key=key_of(KIND, case.key, due.step, stage, due.due_at.isoformat()),
        kind=KIND,
        level=level,
        severity="watch",  # set by the table when it is written
        koc_id=case.koc_id,
        brand=case.brand,
        fired_at=fired,
        turned_at=None,
        evidence={
            "case": case.key,
            "step": due.step,
            "stage": stage.value,
            "variant": case.variant,
            "owner": case.owner,
            "since": due.since.isoformat(),
            "due_at": due.due_at.isoformat(),
        },
        posts=(),
    )


def _code(case: Case, is_asked: bool) -> str:
    return "approve" if is_asked else case.next_step


def _since(case: Case, log: Sequence[CaseStep]) -> datetime:
    """When the step that is due became so: with the last one that was done, or when the case was opened or changed."""
    moves = {"open", "reopen", "variant", "legal-refused", *STEPS[case.variant]}
    return max((one.at for one in log if one.step in moves), default=case.opened_at)


def _after(since: datetime, span: timedelta, is_urgent: bool, targets: Targets) -> datetime:
    due_at = targets.hours.after(since, span)
    return min(due_at, since + targets.urgent) if is_urgent else due_at
