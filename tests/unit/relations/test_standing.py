"""What stands beside the drift: promises that were not kept, the last contact; as it was known at a time, and in words."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from listener.relations.promises import Reminding, due_alerts
from listener.relations.standing import standing_of
from listener.text.discretion import Discretion, shown
from listener.text.faces import letter_html, letter_text
from listener.text.relations import facts_of
from listener.text.story import story_of
from listener.text.views import AlertView, Letter
from storage.records import Koc
from storage.roster_records import LogEntry, Promise, PromiseEvent

AT = datetime(2026, 6, 1, tzinfo=UTC)
KOC = Koc("K1", "阿澜", (), owner="小王")
PROMISE = Promise("P1" * 8, "K1", "星澜", "寄新泵头<b>", "小王", "阿澜", True, date(2026, 6, 3), "hand", "other", AT, "小王")


def test_as_of_a_day_only_what_was_written_by_then_is_known() -> None:
    kept = PROMISE.having(PromiseEvent(AT + timedelta(days=9), "小王", "kept"))
    spoken = LogEntry("K1", AT, "contact", "小王", AT + timedelta(days=8))
    then = standing_of([kept], [spoken], [], date(2026, 6, 6), AT + timedelta(days=5))
    assert ([one.key for one in then.unmet], then.contacts.last_at) == ([PROMISE.key], None)
    now = standing_of([kept], [spoken], [], date(2026, 6, 20))
    assert (now.unmet, now.contacts.last_at) == ((), AT)
    before = standing_of([kept], [], [], date(2026, 6, 6), AT - timedelta(days=1))
    assert before.unmet == ()


def test_facts_name_dates_so_that_a_message_tried_again_says_the_same() -> None:
    days = timedelta(days=2)
    told = facts_of(
        [PROMISE], last_at=AT, last_by="小王", usual_reply=days, waiting_since=AT, language="zh-CN", timezone="Asia/Shanghai"
    )
    assert told == (
        ("未兑现的承诺", "寄新泵头<b>（应于 2026年6月3日）"),
        ("最近联系", "2026年6月1日 由小王，通常 2 天 内答复"),
        ("来询未答复", "自 2026年6月1日 起"),
    )
    english = facts_of(
        [PROMISE], last_at=AT, last_by="小王", usual_reply=timedelta(hours=3), waiting_since=AT, language="en", timezone="UTC"
    )
    assert [label for label, _ in english] == ["Unmet promise", "Last contact", "Unanswered inquiry"]
    nothing = facts_of([], last_at=None, last_by="", usual_reply=None, waiting_since=None, language="en", timezone="UTC")
    assert nothing == ()


def reminder(language: str = "zh-CN") -> AlertView:
    (alert,) = due_alerts([PROMISE], AT + timedelta(days=3), kocs={"K1": KOC}, rule=Reminding())
    return AlertView(alert=alert, koc=KOC, quotes=(), language=language, beside=(("最近联系", "昨天"),))  # type: ignore[arg-type]


def test_a_reminder_says_how_to_settle_it_and_leads_no_case() -> None:
    story = story_of(reminder())
    assert story.headline == "阿澜：「寄新泵头<b>」已过期（2026年6月3日）"
    assert (story.steps, story.guard, story.next_word) == ((), "", "兑现、改期或说明")
    assert ("最近联系", "昨天") in story.facts
    assert "listener promises keep P1P1P1P1" in dict(story.facts)["办好了"]
    letter = Letter("alert", "mail", (), (reminder(),), AT)
    plain, page = letter_text(letter), letter_html(letter)
    for words in ("小王 答应 阿澜", "先告诉对方，再改期"):
        assert words in plain
        assert words in page
    assert "关怀回访" not in plain + page
    assert "<b>」" not in page
    assert "寄新泵头&lt;b&gt;" in page
    assert "is overdue (3 Jun 2026)" in story_of(reminder("en")).headline


def test_what_is_sent_abroad_names_no_promise() -> None:
    story = story_of(shown(reminder(), Discretion(is_abroad=True, is_group=True)))
    assert all("泵头" not in text for text in (story.headline, *(text for _, text in story.facts)))
    assert ("最近联系", "昨天") not in story.facts
