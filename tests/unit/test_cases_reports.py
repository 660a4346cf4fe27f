"""Figures of cases, what a reply has, and whose names leave a raw record."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from listener.cases.clocks import Clock
from listener.cases.masking import masked
from listener.cases.quality import behind_in, checks_of
from listener.cases.reports import Share, Told, came_back, report_of
from storage.records import Case

NOW = datetime(2026, 6, 1, 8, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def told(find: float = 1, answer: float | None = 4, days: float = 60, **fields: Any) -> Told:
    opened = NOW - days * DAY
    values: dict[str, Any] = {"variant": "public", "state": "open", "next_step": "route"} | fields
    case = Case(key=f"c{days}", brand="星澜", koc_id=values.pop("koc_id", "K1"), opened_at=opened, opened_by="a", **values)
    answered = opened + answer * HOUR if answer is not None else None
    clock = Clock(
        opened - find * DAY, opened, answered, case.closed_at, find <= 1, answer <= 8 if answer is not None else False
    )
    return Told(case, clock, ("thanks", "facts") if answer is not None else None, "", False)


def test_the_figures_of_a_few_cases() -> None:
    closed = {"state": "closed", "next_step": "", "closed_at": NOW - 50 * DAY}
    cases = [
        told(find=0.5, answer=2, **closed),
        told(find=3, answer=10, verdict="mild", **closed),
        replace(told(find=1, answer=None, variant="care"), is_overdue=True),
        replace(told(find=2, answer=6, urgent=True), reaction="satisfied"),
    ]
    report = report_of(cases, NOW)
    assert (report.cases, report.urgent, report.overdue) == (4, 1, 1)
    assert report.states == {"closed": 2, "open": 2}
    assert report.variants == {"public": 3, "care": 1}
    assert report.verdicts == {"mild": 1, "steps": 1}
    assert report.reactions == {"satisfied": 1}
    assert (report.to_find, report.to_answer, report.to_close) == (1.5 * DAY, 6 * HOUR, 10 * DAY)
    assert (report.found_on_time, report.answered_on_time) == (Share(2, 4), Share(2, 4))
    assert report.quality["thanks"] == Share(3, 3)
    assert report.quality["date"] == Share(0, 3)


def test_no_case_has_no_figures() -> None:
    report = report_of([], NOW)
    assert (report.cases, report.to_find, report.found_on_time.share) == (0, None, None)


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (told(recovered_at=NOW - 40 * DAY), True),
        (told(), False),
        (told(days=10), None),  # too early to say
        (told(recovered_at=NOW - 60 * DAY), None),  # it was over before anybody answered
        (told(koc_id=""), None),
        (told(verdict="false-alarm"), None),
        (told(answer=None), False),
        (told(answer=None, recovered_at=NOW - 5 * DAY), True),
    ],
)
def test_an_answer_has_worked_where_the_koc_came_back_after_it(case: Told, expected: bool | None) -> None:
    assert came_back(case, NOW) is expected


def test_answered_cases_and_unanswered_ones_are_kept_apart() -> None:
    cases = [told(recovered_at=NOW - 40 * DAY), told(days=61), told(answer=None, days=62), told(days=5)]
    report = report_of(cases, NOW)
    assert (report.recovered, report.unanswered) == (Share(1, 2), Share(0, 1))
    assert report.recovered.share == 0.5


REPLIES = [
    ("谢谢您的反馈", ("thanks",)),
    ("非常抱歉，经核实是 3 月批次脱胶", ("thanks", "facts")),
    ("您好，已安排退款，三个工作日内到账", ("measure", "date")),
    ("查到了，是仓库发错货，明天给您补发", ("facts", "measure", "date")),
    ("这个问题我们很重视", ()),
    ("Sorry! We checked the batch; a new part ships within three days.", ("thanks", "facts", "measure", "date")),
]


@pytest.mark.parametrize(("reply", "expected"), REPLIES)
def test_what_a_reply_has_of_thanks_facts_measure_and_date(reply: str, expected: tuple[str, ...]) -> None:
    assert checks_of(reply) == expected


@pytest.mark.parametrize(
    "reply",
    [
        "系统显示您最近不活跃",
        "我们的舆情监测发现了您的帖子",
        "您的评分下降了",
        "预警里看到您",
        "our monitoring flagged you",
        "your sentiment score fell",
    ],
)
def test_a_reply_that_speaks_of_what_was_found_behind_somebodys_back_is_noticed(reply: str) -> None:
    assert behind_in(reply)


@pytest.mark.parametrize(
    "reply", ["看到您在原帖里说的漏液", "好久没聊，最近好吗", "监控摄像头的支架补寄给您", "We read your post about the hinge"]
)
def test_other_replies_are_not(reply: str) -> None:
    assert behind_in(reply) == ""


OWN = {"9900", "阿楠"}


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"user": {"id": 9900, "screen_name": "阿楠"}, "text": "好"}, None),
        ({"user": {"id": 1, "screen_name": "阿楠"}}, None),
        ({"text": "谢谢@阿楠"}, None),
        ({"text": "谢谢@路人甲 和@阿楠"}, {"text": "谢谢@用户 和@阿楠"}),
        (
            {"retweeted": {"user": {"id": 7, "screen_name": "路人"}, "text": "差"}},
            {"retweeted": {"user": "（已遮去）", "text": "差"}},
        ),
        ({"author_name": "路人", "author_id": "8"}, {"author_name": "（已遮去）", "author_id": "（已遮去）"}),
        ({"comments": [{"nickname": "路人", "text": "是"}]}, {"comments": [{"nickname": "（已遮去）", "text": "是"}]}),
        ({"likes": 3, "id": "5", "edited": False}, None),
    ],
)
def test_names_of_others_leave_a_raw_record_and_the_kocs_own_stay(
    record: dict[str, Any], expected: dict[str, Any] | None
) -> None:
    assert masked(record, OWN) == ((record, False) if expected is None else (expected, True))
