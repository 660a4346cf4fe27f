"""When the team last spoke with a KOC, and how long its answers took."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from listener.relations.contacts import contacts_of
from storage.records import Case, CaseStep
from storage.roster_records import LogEntry, LogKind

DAY = datetime(2026, 6, 1, tzinfo=UTC)


def entry(days: float, kind: LogKind, who: str = "小王", written: float | None = None) -> LogEntry:
    at = DAY + timedelta(days=days)
    return LogEntry("K1", at, kind, who, at if written is None else DAY + timedelta(days=written))


def case(days: float = 0) -> Case:
    return Case("C1", "星澜", "K1", "care", "open", DAY + timedelta(days=days), "A1", "contact", ("A1",))


def step(days: float, code: str, who: str = "小王") -> CaseStep:
    return CaseStep("C1", DAY + timedelta(days=days), who, code)


def test_an_inquiry_is_answered_by_the_next_contact() -> None:
    found = contacts_of([entry(0, "inquiry"), entry(2, "contact"), entry(5, "inquiry"), entry(9, "honor")])
    assert [one.took for one in found.answers] == [timedelta(days=2), None]
    assert (found.last_at, found.last_by) == (DAY + timedelta(days=2), "小王")
    assert found.waiting_since == DAY + timedelta(days=5)
    assert found.usual_reply == timedelta(days=2)


def test_a_case_is_answered_by_its_first_step_that_speaks_to_people_and_never_by_the_program() -> None:
    steps = [
        step(0, "open", "listener"),
        step(1, "route"),
        step(2, "contact", "listener"),
        step(4, "contact", "小李"),
        step(6, "fix"),
    ]
    found = contacts_of([], [(case(), steps)])
    assert [(one.source, one.took) for one in found.answers] == [("C1", timedelta(days=4))]
    assert (found.last_by, found.waiting_since) == ("小李", None)


def test_nothing_said_is_no_contact_and_no_usual_time() -> None:
    found = contacts_of([], [(case(), [])])
    assert (found.last_at, found.usual_reply, found.answers[0].took) == (None, None, None)


def test_as_of_a_time_nothing_counts_that_was_written_later() -> None:
    entries = [entry(0, "contact"), entry(1, "contact", "小李", written=30)]
    found = contacts_of(entries, [(case(40), [step(41, "contact")])], as_of=DAY + timedelta(days=10))
    assert (found.last_by, found.answers) == ("小王", ())


def test_the_usual_reply_is_the_middle_one() -> None:
    entries = [one for n, took in enumerate((1, 2, 30)) for one in (entry(40 * n, "inquiry"), entry(40 * n + took, "contact"))]
    assert contacts_of(entries).usual_reply == timedelta(days=2)
