"""An orderly exit: its steps, what holds it, and that it is no answer to criticism."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from listener.relations.errors import RelationError
from listener.relations.exits import Matter, exit_of, matters_of, refusal_of, require
from storage.records import Alert, Case
from storage.roster_records import Agreement, AgreementEvent, LogEntry, LogKind, Promise, PromiseEvent

AT = datetime(2026, 6, 1, tzinfo=UTC)
MATTER = Matter("promise", "P1", "寄新泵头")


def entry(kind: LogKind, note: str = "", about: str = "", hours: int = 0) -> LogEntry:
    return LogEntry("K1", AT + timedelta(hours=hours), kind, "小王", AT, note, "", about)


def case(**fields: object) -> Case:
    values: dict[str, object] = {"variant": "public", "state": "open", "opened_by": "A1", "alerts": ("A1",)} | fields
    return Case(key="C1" * 16, brand="星澜", koc_id="K1", opened_at=AT, next_step="acknowledge", **values)  # type: ignore[arg-type]


def alert(kind: str) -> Alert:
    return Alert("A1", kind, "red" if kind == "drift" else None, "important", "K1", "星澜", AT, None, {}, ())


ASKED = entry("exit-asked", about="koc")
THANKED, TITLED = entry("exit-thanks", "谢谢你三年的陪伴"), entry("exit-title", "荣誉体验官")


def test_an_exit_is_led_from_step_to_step() -> None:
    so_far: list[LogEntry] = []
    seen = [exit_of(so_far, [MATTER], is_alumni=False).next]
    for one in (ASKED, THANKED, entry("exit-waived", "对方不要了", "P1"), TITLED):
        so_far.append(one)
        seen.append(exit_of(so_far, [MATTER], is_alumni=False).next)
    assert seen == ["ask", "thanks", "settle", "title", "finish"]
    found = exit_of(so_far, [MATTER], is_alumni=False)
    assert (found.progress, found.title, found.waived, found.asked_by) == ("going", "荣誉体验官", ("P1",), "koc")
    require(found, "finish")


def test_nothing_is_done_before_somebody_asked() -> None:
    for step in ("thanks", "settle", "title", "finish"):
        with pytest.raises(RelationError, match="谁提出退出"):
            require(exit_of([], [], is_alumni=False), step)  # type: ignore[arg-type]


def test_it_can_not_finish_while_something_is_open_and_names_it() -> None:
    with pytest.raises(RelationError, match=r"还有未了的事(?s:.*)承诺 promise P1  寄新泵头"):
        require(exit_of([ASKED, THANKED, TITLED], [MATTER], is_alumni=False), "finish")
    with pytest.raises(RelationError, match="荣誉称号"):
        require(exit_of([ASKED, THANKED], [], is_alumni=False), "finish")


def test_an_exit_that_was_stopped_begins_anew() -> None:
    stopped = exit_of([ASKED, THANKED, entry("exit-stopped", "改主意了")], [], is_alumni=False)
    assert (stopped.progress, stopped.next) == ("none", "ask")
    again = exit_of([ASKED, entry("exit-stopped"), ASKED], [], is_alumni=False)
    assert (again.progress, again.next) == ("going", "thanks")
    with pytest.raises(RelationError, match="已在进行"):
        require(again, "ask")


def test_who_left_may_come_back_and_leave_again() -> None:
    every = [ASKED, THANKED, TITLED, entry("exit-done")]
    done = exit_of(every, [], is_alumni=True)
    assert (done.progress, done.title) == ("done", "荣誉体验官")
    with pytest.raises(RelationError, match="已经有序退出"):
        require(done, "thanks")
    assert exit_of(every, [], is_alumni=False).next == "ask"


def test_what_is_open_is_listed_and_what_is_settled_is_not() -> None:
    promise = Promise("P1", "K1", "", "寄样", "小王", "阿澜", True, date(2026, 6, 3), "hand", "other", AT, "小王")
    agreed = Agreement("A1", "K1", "", "两篇测评", None, None, Decimal("100.50"), AT, "小李")
    found = matters_of([promise], [agreed], [case(), case(state="closed")])
    assert [(one.kind, one.key[:2]) for one in found] == [
        ("promise", "P1"),
        ("agreement", "A1"),
        ("payment", "A1"),
        ("case", "C1"),
    ]
    assert "100.50" in found[2].what
    kept = promise.having(PromiseEvent(AT, "小王", "kept"))
    broken = promise.having(PromiseEvent(AT, "小王", "broken", "忘了"))
    done = agreed.having(AgreementEvent(AT, "小李", "delivered")).having(AgreementEvent(AT, "小李", "paid", Decimal("100.50")))
    assert matters_of([kept], [done], []) == []
    assert len(matters_of([broken], [], [])) == 1


@pytest.mark.parametrize("kind", ["drift", "first-negative", "grave-post", "unresolved-feedback", "defection"])
def test_the_brand_can_not_answer_criticism_by_parting(kind: str) -> None:
    refusal = refusal_of("brand", [case()], [alert(kind)])
    assert "C1C1C1C1C1C1" in refusal
    assert "先按处置单诚实回应" in refusal
    assert refusal_of("koc", [case()], [alert(kind)]) == ""


def test_a_case_opened_by_hand_holds_the_brand_too() -> None:
    assert refusal_of("brand", [case(alerts=(), opened_by="小王")], [])
    assert refusal_of("brand", [case(alerts=(), opened_by="小王", variant="care")], []) == ""


def test_silence_or_an_answered_case_is_no_criticism() -> None:
    assert refusal_of("brand", [case(variant="care")], [alert("silence")]) == ""
    assert refusal_of("brand", [case(state="closed")], [alert("drift")]) == ""
