"""The promise ledger: what was promised, how it stands, and what somebody has to be reminded of, before and after its day.

A reminder is a function of the promise and the calendar: the same at every minute of its stage, so that it is told once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import TypeAlias

from listener.keys import key_of
from listener.relations.errors import RelationError
from storage.records import Alert, Koc
from storage.roster_records import About, Promise, PromiseAct, PromiseEvent, PromiseState

KIND = "promise-due"
IsWorking: TypeAlias = Callable[[date], bool]

# What may follow on what: a broken promise may still be made good, one that is kept or waived stays so unless it was a mistake.
_FROM: Mapping[PromiseAct, frozenset[PromiseState]] = {
    "kept": frozenset({"open", "broken"}),
    "broken": frozenset({"open"}),
    "moved": frozenset({"open", "broken"}),
    "waived": frozenset({"open", "broken"}),
    "reopened": frozenset({"kept", "broken", "waived"}),
}


class PromiseStage(StrEnum):
    """How near the day of a promise is, or how long past. Codes; the words stand in listener/text."""

    SOON = "soon"
    TODAY = "today"
    OVERDUE = "overdue"
    LONG_OVERDUE = "long-overdue"


def is_weekday(day: date) -> bool:
    """Working days where no calendar of holidays is given."""
    return day.weekday() < 5


@dataclass(frozen=True, slots=True)
class Reminding:
    """When somebody is reminded. zone: whose days count. is_working: the calendar of working days. ahead: working days before a
    promise's day; long_after: working days after it, when it is told once more."""

    zone: tzinfo = UTC
    is_working: IsWorking = is_weekday
    ahead: int = 2
    long_after: int = 5


def promise_of(
    koc: Koc,
    what: str,
    due: date,
    *,
    who: str,
    at: datetime,
    brand: str = "",
    by_whom: str = "",
    to_whom: str = "",
    is_ours: bool = True,
    source: str = "hand",
    about: About = "other",
    note: str = "",
) -> Promise:
    """A promise to be written. by_whom, to_whom: default to the KOC's owner, or whoever writes it, and the KOC. RelationError
    without words or without a name."""
    if not what.strip():
        raise RelationError("写明承诺了什么 / say what was promised")
    if not who.strip():
        raise RelationError("写明是谁记的 / say who writes it down")
    ours, theirs = koc.owner or who, koc.name or koc.koc_id
    by, to = (ours, theirs) if is_ours else (theirs, ours)
    return Promise(
        "", koc.koc_id, brand, what.strip(), by_whom or by, to_whom or to, is_ours, due, source, about, at, who.strip(), note
    )


def entry_of(
    promise: Promise, act: PromiseAct, *, who: str, at: datetime, today: date, reason: str = "", due: date | None = None
) -> PromiseEvent:
    """The entry that an act adds. RelationError where the promise does not allow it, or a name, reason or day is missing."""
    if promise.state not in _FROM[act]:
        words = {"open": "未了", "kept": "已兑现", "broken": "未兑现", "waived": "已免除"}[promise.state]
        raise RelationError(f"承诺 {promise.key} {words}，不能再记「{act}」 / it is {promise.state}: {act} can't follow")
    if not who.strip():
        raise RelationError("写明是谁 / say who")
    if act != "kept" and not reason.strip():
        raise RelationError("写明原因 / give the reason")
    if act != "moved" and due is not None:
        raise RelationError("只有改期才有新日期 / only a promise that is moved gets a new day")
    if act == "moved":
        if due is None:
            raise RelationError("写明改到哪一天 / say to which day it is moved")
        if due < today or due == promise.due:
            raise RelationError(f"不能改到 {due}：要是今天以后的另一天 / a move leads to another day that is still to come")
    return PromiseEvent(at, who.strip(), act, reason.strip(), due)


def stage_of(promise: Promise, today: date, rule: Reminding) -> PromiseStage | None:
    """Where an open promise stands; None where nobody has to be reminded. What the KOC promised is only told once it is past:
    nobody is to be pressed."""
    found = [stage for stage, day in _starts(promise.due, rule) if day <= today]
    if promise.state != "open" or not found:
        return None
    if not promise.is_ours:
        return PromiseStage.OVERDUE if PromiseStage.OVERDUE in found else None
    return found[-1]


def _starts(due: date, rule: Reminding) -> list[tuple[PromiseStage, date]]:
    """The first day of each stage, in order."""
    return [
        (PromiseStage.SOON, working_day(due, -rule.ahead, rule.is_working)),
        (PromiseStage.TODAY, due),
        (PromiseStage.OVERDUE, due + timedelta(days=1)),
        (PromiseStage.LONG_OVERDUE, working_day(due, rule.long_after, rule.is_working) + timedelta(days=1)),
    ]


def working_day(day: date, count: int, is_working: IsWorking) -> date:
    """The day so many working days away; of 0 the day itself.

    >>> working_day(date(2026, 6, 1), -2, is_weekday).isoformat()
    '2026-05-28'
    """
    step = timedelta(days=1 if count > 0 else -1)
    left, tries = abs(count), 0
    while left and tries < 366:  # a calendar without working days ends it
        day, tries = day + step, tries + 1
        left -= is_working(day)
    return day


def due_alerts(promises: Iterable[Promise], now: datetime, *, kocs: Mapping[str, Koc], rule: Reminding) -> tuple[Alert, ...]:
    """What somebody has to be reminded of now, one alert a promise, sorted by key. Of who left in friendship nothing that an
    agreement holds, of who is off the roster nothing at all."""
    today, wanted = now.astimezone(rule.zone).date(), []
    for promise in promises:
        stage = stage_of(promise, today, rule) if reminds_of(promise, kocs.get(promise.koc_id)) else None
        if stage is not None:
            start = datetime.combine(dict(_starts(promise.due, rule))[stage], time(), rule.zone)
            wanted.append(_alert_of(promise, stage, start))
    return tuple(sorted(wanted, key=lambda alert: alert.key))


def reminds_of(promise: Promise, koc: Koc | None) -> bool:
    """Whether a promise to, or of, this KOC may be told of at all. koc: None where it is off the roster."""
    return koc is not None and not (koc.standing == "alumni" and promise.source.startswith("agreement:"))


def _alert_of(promise: Promise, stage: PromiseStage, start: datetime) -> Alert:
    written = max((event.at for event in promise.events), default=promise.made_at)  # moved into its stage: told from then on
    return Alert(
        key=key_of(KIND, promise.koc_id, promise.key, stage.value, promise.due.isoformat()),
        kind=KIND,
        level=None,
        severity="watch",
        koc_id=promise.koc_id,
        brand=promise.brand,
        fired_at=max(start.astimezone(written.tzinfo), written),
        turned_at=None,
        evidence={
            "promise": promise.key,
            "stage": stage.value,
            "what": promise.what,
            "by_whom": promise.by_whom,
            "to_whom": promise.to_whom,
            "is_ours": promise.is_ours,
            "due": promise.due.isoformat(),
            "source": promise.source,
        },
        posts=(),
    )


def unmet(promises: Iterable[Promise], today: date) -> list[Promise]:
    """What the team promised and did not keep so far, the longest past first: a known cause of turning."""
    return sorted((one for one in promises if one.is_ours and one.is_unmet(today)), key=lambda one: (one.due, one.key))
