"""Cases with what they took → figures: how many, how fast, whether the answers were kept on time and worked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from listener.cases.clocks import Clock
from listener.cases.quality import CHECKS
from storage.records import Case

LEAST_WAIT = timedelta(days=30)  # after an answer, before its failure to bring somebody back is counted


@dataclass(frozen=True, slots=True)
class Told:
    """A case as the report reads it. quality: of the four things a good answer holds those it had, None where no reply was
    kept."""

    case: Case
    clock: Clock
    quality: tuple[str, ...] | None
    reaction: str
    is_overdue: bool


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    n: int
    of: int

    @property
    def share(self) -> float | None:
        return self.n / self.of if self.of else None


@dataclass(frozen=True, slots=True)
class CaseReport:
    """How cases went.

    verdicts: of closed ones, "steps" where all steps were done. to_find, to_answer, to_close: medians. found_on_time,
    answered_on_time: of those that can be judged. overdue: steps past their time now. recovered: of the answered cases about
    a KOC, those whose KOC came back after the answer, of those that did or had `LEAST_WAIT` for it; unanswered: the same of
    cases that nobody had answered, counted from when they were opened. quality: of the cases with a kept reply, how many
    had each of the four."""

    cases: int
    states: Mapping[str, int]
    variants: Mapping[str, int]
    verdicts: Mapping[str, int]
    reactions: Mapping[str, int]
    urgent: int
    overdue: int
    to_find: timedelta | None
    to_answer: timedelta | None
    to_close: timedelta | None
    found_on_time: Share
    answered_on_time: Share
    recovered: Share
    unanswered: Share
    quality: Mapping[str, Share]


def report_of(told: Sequence[Told], now: datetime) -> CaseReport:
    """The figures of these cases."""
    kept = [one.quality for one in told if one.quality is not None]
    return CaseReport(
        cases=len(told),
        states=_counted([one.case.state for one in told]),
        variants=_counted([one.case.variant for one in told]),
        verdicts=_counted([one.case.verdict or "steps" for one in told if one.case.state == "closed"]),
        reactions=_counted([one.reaction for one in told if one.reaction]),
        urgent=sum(one.case.urgent for one in told),
        overdue=sum(one.is_overdue for one in told),
        to_find=_median([one.clock.to_find for one in told]),
        to_answer=_median([one.clock.to_answer for one in told]),
        to_close=_median([one.case.closed_at - one.case.opened_at if one.case.closed_at else None for one in told]),
        found_on_time=_share([one.clock.found_on_time for one in told]),
        answered_on_time=_share([one.clock.answered_on_time for one in told]),
        recovered=_share([came_back(one, now) for one in told if one.clock.answered_at]),
        unanswered=_share([came_back(one, now) for one in told if not one.clock.answered_at]),
        quality={code: Share(sum(code in one for one in kept), len(kept)) for code in CHECKS},
    )


def came_back(one: Told, now: datetime) -> bool | None:
    """Whether the KOC came back after the answer, or after the case was opened where there was none; None where that can't be
    said: too early, no KOC, or it was over before anybody answered."""
    since = one.clock.answered_at or one.case.opened_at
    if not one.case.koc_id or one.case.verdict in ("false-alarm", "duplicate"):
        return None
    if one.case.recovered_at:
        return True if one.case.recovered_at > since else None
    return False if now - since >= LEAST_WAIT else None


def _counted(codes: Sequence[str]) -> dict[str, int]:
    return dict(sorted(Counter(codes).items(), key=lambda pair: (-pair[1], pair[0])))


def _median(spans: Sequence[timedelta | None]) -> timedelta | None:
    known = [span.total_seconds() for span in spans if span is not None]
    return timedelta(seconds=round(median(known))) if known else None


def _share(values: Sequence[bool | None]) -> Share:
    known = [value for value in values if value is not None]
    return Share(sum(known), len(known))
