"""What the team said by hand decides what an alert was: true, false, mild, or not known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta

import pytest

from listener.drift.marks import by_koc, contradicted, false_alarms, loyal_part, mark_of
from storage.records import Drift, KocMark, MarkKind, PostKey
from tests.stored import at, drift

DRIFT = replace(drift("K1", PostKey("forum", "1")), fired_at=at(100))


def mark(kind: MarkKind, day: float, koc: str = "K1", alert: str = "") -> KocMark:
    return KocMark(f"{koc}{kind}{day}{alert}", koc, DRIFT.brand, kind, at(day), alert, "李", at(300))


@pytest.mark.parametrize(
    ("marks", "kind"),
    [
        ([], None),
        ([mark("turned", 80)], "turned"),
        ([mark("turned", 113)], "turned"),  # dated a fortnight too late at most
        ([mark("turned", 115)], None),
        ([mark("false-alarm", 11)], "false-alarm"),
        ([mark("mild", 190)], "mild"),
        ([mark("false-alarm", 9)], None),  # more than 90 days away
        ([mark("turned", 80), mark("false-alarm", 99)], "turned"),
        ([mark("turned", 80), mark("false-alarm", 100, alert="a1")], "false-alarm"),  # names this very drift
        ([mark("mild", 30), mark("false-alarm", 90)], "false-alarm"),  # the nearer one
    ],
)
def test_a_drift_is_what_the_mark_that_fits_it_best_says(marks: list[KocMark], kind: MarkKind | None) -> None:
    found = mark_of(DRIFT, marks)
    assert (found.kind if found else None) == kind


def test_of_several_turns_the_last_before_the_drift_counts() -> None:
    found = mark_of(DRIFT, [mark("turned", 10), mark("turned", 95), mark("turned", 200)])
    assert found is not None
    assert found.at == at(95)


def test_only_what_was_said_before_a_confirmed_turn_is_loyal(make_history) -> None:
    history = make_history("f" * 10 + "a" * 10)
    day = (history.mentions[10].posted_at - at(0)) / timedelta(days=1)
    kept = loyal_part(history, [mark("turned", day + 30), mark("turned", day)])
    assert kept.mentions == history.mentions[:10]
    assert loyal_part(history, [mark("false-alarm", day)]) == history


def test_false_alarms_count_each_koc_once_and_a_red_one_as_amber_too() -> None:
    def raised(*levels: str) -> list[Drift]:
        return [replace(DRIFT, level=level) for level in levels]

    drifts = {
        ("K1", DRIFT.brand): raised("amber", "red", "red"),
        ("K2", DRIFT.brand): raised("red"),
        ("K3", DRIFT.brand): raised("red"),
    }
    marks = by_koc([mark("mild", 99), mark("false-alarm", 99, "K2"), mark("turned", 99, "K3"), mark("mild", 99, "K4")])
    assert false_alarms(drifts, marks) == {"amber": 2, "red": 2}


@pytest.mark.parametrize(
    ("known", "is_contradiction"),
    [
        (mark("false-alarm", 80.5), True),  # the same day
        (mark("turned", 80), False),  # says the same
        (mark("mild", 81), False),  # another day
        (mark("mild", 90, alert="a1"), True),  # the same alert
        (mark("mild", 90, alert="a2"), False),
        (mark("mild", 80, koc="K2"), False),
    ],
)
def test_another_thing_said_of_the_same_day_or_alert_is_a_contradiction(known: KocMark, is_contradiction: bool) -> None:
    assert (contradicted(mark("turned", 80, alert="a1"), [known], UTC) == known) == is_contradiction
