"""The KOC board: what is shown, and who comes first."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from listener.board import Row, rows_of, status_of, strongest_of
from storage.records import Alert, Case, DriftState, Koc, KocCoverage, Level, Reach, Severity, Status, StoredAlert

NOW = datetime(2026, 5, 1, 8, tzinfo=UTC)
DAY = timedelta(days=1)


def koc(name: str) -> Koc:
    return Koc(name, f"网友{name}", (), owner="阿宁", tier="A")


def state(name: str, status: Status = "advocate", recent: float = 0.7, mentions: int = 12) -> DriftState:
    return DriftState(name, "星澜", status, mentions, 0.7, recent, NOW - DAY, 0.1, "loyal", (), "c1")


def coverage(name: str, reach: Reach = "covered", quiet: bool = True) -> KocCoverage:
    at = NOW if reach == "covered" else None
    return KocCoverage(name, reach, "timeline", at, NOW, NOW - DAY if quiet else None, NOW + DAY, ())


def alert(
    name: str, level: Level = "red", severity: Severity = "important", ago: timedelta = DAY, key: str = ""
) -> StoredAlert:
    one = Alert(key or f"{name}-{level}", "drift", level, severity, name, "星澜", NOW - ago, None, {}, ())
    return StoredAlert(one, "current", NOW, None)


def case(name: str, *keys: str, closed: bool = False) -> Case:
    return Case(
        f"case-{name}", "星澜", name, "public", "closed" if closed else "open", NOW, keys[0], "" if closed else "route", keys
    )


def board(*names: str, **more: object) -> list[Row]:
    values: dict[str, object] = {
        "states": [state(n) for n in names],
        "coverages": {n: coverage(n) for n in names},
        "alerts": [],
        "cases": [],
    }
    return rows_of([koc(n) for n in names], ["星澜"], **(values | more))  # type: ignore[arg-type]


def test_a_row_says_who_where_they_stand_and_when_they_were_heard() -> None:
    [row] = board("K1", alerts=[alert("K1")], cases=[case("K1", "K1-red")])
    assert (row.name, row.owner, row.tier, row.brand) == ("网友K1", "阿宁", "A", "星澜")
    assert (row.status, row.mentions, row.baseline, row.recent) == ("advocate", 12, 0.7, 0.7)
    assert (row.reach, row.last_heard_at, row.next_at, row.quiet) == ("covered", NOW, NOW + DAY, DAY)
    assert (row.alert_key, row.level, row.severity, row.fired_at) == ("K1-red", "red", "important", NOW - DAY)
    assert (row.case_key, row.next_step) == ("case-K1", "route")


def test_there_is_a_row_for_every_koc_and_brand_even_without_a_mention() -> None:
    rows = rows_of([koc("K1")], ["星澜", "墨羽"], states=[state("K1")], coverages={}, alerts=[], cases=[])
    assert {row.brand for row in rows} == {"星澜", "墨羽"}
    [bare] = [row for row in rows if row.brand == "墨羽"]
    assert (bare.mentions, bare.baseline, bare.recent, bare.reason, bare.trend) == (0, None, None, "no-mentions", 0)
    assert (bare.status, bare.reach, bare.why) == ("not-covered", "not-covered", "no-source")


def test_a_state_without_posts_that_weigh_has_no_means() -> None:
    [row] = board("K1", states=[state("K1", "candidate", mentions=0)])
    assert (row.baseline, row.recent) == (None, None)


@pytest.mark.parametrize("status", ["candidate", "advocate", "recovered", "silent"])
def test_nobody_is_stable_or_silent_on_time_that_nobody_listened_to(status: Status) -> None:
    assert status_of(state("K1", status), coverage("K1", "not-covered")) == "not-covered"


@pytest.mark.parametrize("status", ["critic", "wavering"])
def test_a_turn_that_was_heard_stays_true(status: Status) -> None:
    assert status_of(state("K1", status), coverage("K1", "not-covered")) == status


def test_silence_is_shown_only_where_somebody_listened_since() -> None:
    silent = state("K1", "silent")
    assert status_of(silent, coverage("K1")) == "silent"
    assert status_of(silent, coverage("K1", "imported")) == "not-covered"
    assert status_of(silent, coverage("K1", quiet=False)) == "not-covered"
    assert status_of(None, coverage("K1")) == "candidate"


def test_the_gravest_alert_that_nobody_closed_is_shown() -> None:
    found = [
        alert("K1", "amber", "watch", ago=2 * DAY),
        alert("K1", ago=9 * DAY, key="old"),
        alert("K1", ago=3 * DAY, key="new"),
    ]
    [row] = board("K1", alerts=found)
    assert row.alert_key == "new"
    [row] = board("K1", alerts=found, cases=[case("K1", "new", "old", closed=True)])
    assert row.alert_key == "K1-amber"
    gone = [replace(one, state="superseded") for one in found]
    [row] = board("K1", alerts=gone)
    assert (row.alert_key, row.level) == ("", None)


def test_an_alert_of_a_closed_case_that_another_case_took_up_is_shown() -> None:
    closed, again = case("K1", "K1-red", closed=True), replace(case("K1", "x", "K1-red"), key="again")
    [row] = board("K1", alerts=[alert("K1")], cases=[closed, again])
    assert (row.alert_key, row.case_key) == ("K1-red", "again")


def test_open_cases_come_first_by_severity_then_the_newest_turn() -> None:
    rows = board(
        "K1", "K2", "K3", "K4",
        states=[state("K1"), state("K2", "critic"), state("K3", "critic"), state("K4", "critic")],
        alerts=[alert("K2", ago=5 * DAY), alert("K3", severity="urgent", ago=9 * DAY), alert("K4", ago=2 * DAY)],
        cases=[case(n, f"{n}-red") for n in ("K2", "K3", "K4")],
    )  # fmt: skip
    assert [row.koc_id for row in rows] == ["K3", "K4", "K2", "K1"]


def test_without_a_case_the_order_is_critics_wavering_silent_not_covered_recovered_new_and_advocates() -> None:
    statuses: dict[str, Status] = {
        "K1": "advocate", "K2": "candidate", "K3": "recovered", "K4": "advocate", "K5": "silent", "K6": "wavering",
        "K7": "critic",
    }  # fmt: skip
    reaches = {n: coverage(n, "not-covered" if n == "K4" else "covered") for n in statuses}
    rows = board(*statuses, states=[state(n, s) for n, s in statuses.items()], coverages=reaches)
    assert [row.koc_id for row in rows] == ["K7", "K6", "K5", "K4", "K3", "K2", "K1"]


def test_among_advocates_whoever_falls_most_comes_first() -> None:
    rows = board("K1", "K2", "K3", states=[state("K1"), state("K2", recent=0.1), state("K3", recent=0.5)])
    assert [row.koc_id for row in rows] == ["K2", "K3", "K1"]
    assert rows[0].trend == pytest.approx(-0.6)


def test_who_is_silent_is_shown_so_with_since_when_unless_turned_or_not_covered() -> None:
    since = {(n, "星澜"): NOW - 9 * DAY for n in ("K1", "K2", "K3")}
    states = [state("K1"), state("K2", "critic"), state("K3"), state("K4")]
    heard = {n: coverage(n, "not-covered" if n == "K3" else "covered") for n in ("K1", "K2", "K3", "K4")}
    rows = {row.koc_id: row for row in board("K1", "K2", "K3", "K4", states=states, coverages=heard, silent=since)}
    assert {n: row.status for n, row in rows.items()} == {
        "K1": "silent", "K2": "critic", "K3": "not-covered", "K4": "advocate",
    }  # fmt: skip
    assert (rows["K1"].reason, rows["K1"].silent_since) == ("silent", NOW - 9 * DAY)
    assert [rows[n].silent_since for n in ("K2", "K3", "K4")] == [None] * 3


def test_of_each_koc_the_last_red_alert_is_the_strongest_or_else_the_last_amber_one() -> None:
    found = [
        alert("K1", "amber", ago=DAY),
        alert("K1", ago=9 * DAY, key="old"),
        alert("K1", ago=3 * DAY, key="new"),
        alert("K2", "amber", ago=2 * DAY, key="later"),
        alert("K2", "amber", ago=5 * DAY, key="early"),
    ]
    assert {n: one.alert.key for n, one in strongest_of(found).items()} == {"K1": "new", "K2": "later"}


def test_what_is_due_is_no_word_of_where_the_koc_stands() -> None:
    due = replace(alert("K1"), alert=replace(alert("K1").alert, key="d1", kind="case-due", level="red", severity="urgent"))
    [row] = board("K1", alerts=[due])
    assert (row.alert_key, row.level) == ("", None)
