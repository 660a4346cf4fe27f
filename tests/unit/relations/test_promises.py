"""The promise ledger: what may follow on what, when somebody is reminded, and that the ledger is the sum of its entries."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.relations.errors import RelationError
from listener.relations.promises import PromiseStage, Reminding, due_alerts, entry_of, promise_of, stage_of, unmet, working_day
from storage.records import Koc
from storage.roster_records import Promise, PromiseAct

ZONE = ZoneInfo("Asia/Shanghai")
MADE = datetime(2026, 5, 20, 3, tzinfo=UTC)
DUE = date(2026, 6, 3)  # a Wednesday
KOC = Koc("K1", "阿澜", (), owner="小王", tier="A")
ACTS: tuple[PromiseAct, ...] = ("kept", "broken", "moved", "waived", "reopened")


def promise(due: date = DUE, koc: Koc = KOC, **fields: object) -> Promise:
    made = promise_of(koc, "寄新泵头", due, who="小王", at=MADE, brand="星澜")
    return Promise(**({name: getattr(made, name) for name in Promise.__dataclass_fields__} | {"key": "P1"} | fields))  # type: ignore[arg-type]


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12), ZONE).astimezone(UTC)


def alerts_on(day: date, *promises: Promise, kocs: tuple[Koc, ...] = (KOC,), **rule: object) -> list[str]:
    found = due_alerts(
        promises or (promise(),), noon(day), kocs={koc.koc_id: koc for koc in kocs}, rule=Reminding(ZONE, **rule)
    )  # type: ignore[arg-type]
    return [alert.evidence["stage"] for alert in found]


def test_who_promised_whom_is_filled_in_from_the_roster() -> None:
    ours, theirs = promise(), promise_of(KOC, "发一篇测评", DUE, who="小李", at=MADE, is_ours=False)
    assert (ours.by_whom, ours.to_whom) == ("小王", "阿澜")
    assert (theirs.by_whom, theirs.to_whom) == ("阿澜", "小王")


def test_a_promise_reminds_before_its_day_on_it_and_after_it() -> None:
    days = [DUE + timedelta(days=n) for n in range(-4, 9)]
    told = {day.isoformat(): alerts_on(day) for day in days}
    assert told == {
        "2026-05-30": [],
        "2026-05-31": [],
        "2026-06-01": ["soon"],
        "2026-06-02": ["soon"],
        "2026-06-03": ["today"],
        "2026-06-04": ["overdue"],
        "2026-06-05": ["overdue"],
        "2026-06-06": ["overdue"],
        "2026-06-07": ["overdue"],
        "2026-06-08": ["overdue"],
        "2026-06-09": ["overdue"],
        "2026-06-10": ["overdue"],
        "2026-06-11": ["long-overdue"],
    }


def test_reminders_go_by_working_days() -> None:
    holidays = {date(2026, 6, day) for day in (19, 20, 21)}  # 端午

    def is_working(day: date) -> bool:
        return day.weekday() < 5 and day not in holidays

    monday = promise(date(2026, 6, 22))
    assert alerts_on(date(2026, 6, 16), monday, is_working=is_working) == []
    assert alerts_on(date(2026, 6, 17), monday, is_working=is_working) == ["soon"]
    assert alerts_on(date(2026, 6, 17), monday) == []  # without the holiday two working days are Thursday and Friday
    assert working_day(date(2026, 6, 22), -2, is_working) == date(2026, 6, 17)


def test_a_calendar_without_working_days_ends_the_search() -> None:
    assert working_day(DUE, -2, lambda day: False) == DUE - timedelta(days=366)


def test_the_same_reminder_is_the_same_alert_all_through_its_stage() -> None:
    kocs = {"K1": KOC}
    first = due_alerts([promise()], noon(DUE - timedelta(days=2)), kocs=kocs, rule=Reminding(ZONE))
    second = due_alerts([promise()], noon(DUE - timedelta(days=1)), kocs=kocs, rule=Reminding(ZONE))
    third = due_alerts([promise()], noon(DUE), kocs=kocs, rule=Reminding(ZONE))
    assert first == second
    assert first[0].fired_at == datetime(2026, 5, 31, 16, tzinfo=UTC)  # the first instant of the day in Shanghai
    assert first[0].key != third[0].key


def test_a_promise_that_was_moved_reminds_of_its_new_day_from_when_it_was_moved() -> None:
    at = noon(DUE + timedelta(days=1))
    moved = promise().having(
        entry_of(promise(), "moved", who="小王", at=at, today=at.date(), reason="缺货", due=DUE + timedelta(days=2))
    )
    (alert,) = due_alerts([moved], at, kocs={"K1": KOC}, rule=Reminding(ZONE))
    assert (alert.evidence["stage"], alert.evidence["due"], alert.fired_at) == ("soon", "2026-06-05", at)


def test_what_is_settled_reminds_nobody() -> None:
    for act in ("kept", "broken", "waived"):
        entry = entry_of(promise(), act, who="小王", at=MADE, today=MADE.date(), reason="不再需要")  # type: ignore[arg-type]
        assert alerts_on(DUE + timedelta(days=3), promise().having(entry)) == []


def test_what_the_koc_promised_presses_nobody_before_it_is_past() -> None:
    theirs = promise(is_ours=False)
    told = [alerts_on(DUE + timedelta(days=n), theirs) for n in (-1, 0, 1, 30)]
    assert told == [[], [], ["overdue"], ["overdue"]]


def test_of_who_left_in_friendship_nothing_of_an_agreement_is_told_and_of_who_is_off_the_roster_nothing() -> None:
    alumna = Koc("K1", "阿澜", (), standing="alumni")
    paid, by_hand = promise(source="agreement:A1"), promise(key="P2")
    late = DUE + timedelta(days=1)
    assert len(alerts_on(late, paid, by_hand)) == 2
    assert len(alerts_on(late, paid, by_hand, kocs=(alumna,))) == 1
    assert alerts_on(late, paid, by_hand, kocs=()) == []


@pytest.mark.parametrize(
    ("act", "fields", "words"),
    [
        ("broken", {}, "原因"),
        ("waived", {}, "原因"),
        ("moved", {"reason": "缺货"}, "哪一天"),
        ("moved", {"reason": "缺货", "due": date(2026, 5, 1)}, "今天以后"),
        ("moved", {"reason": "缺货", "due": DUE}, "另一天"),
        ("kept", {"due": DUE}, "改期"),
        ("kept", {"who": " "}, "是谁"),
        ("reopened", {"reason": "记错"}, "未了"),
    ],
)
def test_an_entry_that_says_too_little_is_refused_with_what_lacks(
    act: PromiseAct, fields: dict[str, object], words: str
) -> None:
    with pytest.raises(RelationError, match=words):
        entry_of(promise(), act, **({"who": "小王", "at": MADE, "today": MADE.date()} | fields))  # type: ignore[arg-type]


def test_a_promise_needs_words_and_a_name() -> None:
    for what, who in ((" ", "小王"), ("寄新泵头", " ")):
        with pytest.raises(RelationError):
            promise_of(KOC, what, DUE, who=who, at=MADE)


def test_a_broken_promise_may_be_made_good_and_a_kept_one_stays_kept() -> None:
    broken = promise().having(entry_of(promise(), "broken", who="小王", at=MADE, today=DUE, reason="忘了"))
    assert broken.is_unmet(MADE.date())
    good = broken.having(entry_of(broken, "kept", who="小王", at=MADE, today=DUE))
    assert (good.state, good.is_unmet(DUE)) == ("kept", False)
    with pytest.raises(RelationError, match="已兑现"):
        entry_of(good, "broken", who="小王", at=MADE, today=DUE, reason="x")


def test_unmet_are_ours_alone_the_longest_past_first() -> None:
    late, later = promise(DUE, key="P2"), promise(DUE - timedelta(days=9), key="P3")
    theirs, future = promise(key="P4", is_ours=False), promise(DUE + timedelta(days=30), key="P5")
    assert [one.key for one in unmet([late, theirs, later, future], DUE + timedelta(days=1))] == ["P3", "P2"]


@given(st.lists(st.tuples(st.sampled_from(ACTS), st.integers(-5, 40)), max_size=12))
def test_a_ledger_only_grows_and_its_state_is_that_of_its_last_entry(tries: list[tuple[PromiseAct, int]]) -> None:
    one, day = promise(), MADE.date()
    for act, days in tries:
        before = one.events
        due = day + timedelta(days=days) if act == "moved" else None
        try:
            one = one.having(entry_of(one, act, who="小王", at=MADE, today=day, reason="原因", due=due))
        except RelationError:
            assert one.events == before
            continue
        assert one.events[:-1] == before
        assert one.state == ("open" if act in ("moved", "reopened") else act)
        assert one.due == (
            due or Promise(**{f: getattr(one, f) for f in Promise.__dataclass_fields__} | {"events": before}).due
        )
    assert one.first_due == DUE


@given(st.dates(date(2026, 1, 1), date(2026, 12, 31)), st.integers(0, 5), st.integers(1, 9))
def test_stages_follow_each_other_as_days_go_by(due: date, ahead: int, long_after: int) -> None:
    order = [None, *PromiseStage]
    stages = [
        stage_of(promise(due), due + timedelta(days=n), Reminding(ahead=ahead, long_after=long_after)) for n in range(-20, 40)
    ]
    ranks = [order.index(stage) for stage in stages]
    assert ranks == sorted(ranks)
    assert stages[20] is PromiseStage.TODAY
    assert {None, PromiseStage.TODAY, PromiseStage.OVERDUE, PromiseStage.LONG_OVERDUE} <= set(stages)
