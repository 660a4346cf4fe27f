"""The words of signals of crowds and of the operator, in every case and both languages."""

from __future__ import annotations

from typing import Any

import pytest

from listener.text.signals.tellers import told_of
from listener.text.views import AlertView, Language
from storage.records import Alert
from tests.alerted import NOW

AT = "2026-06-05T04:00:00+00:00"
STORM = {
    "place": "妈妈群", "place_kind": "group", "also": [], "usual": 0.4, "first": 7, "peak": 14, "authors": 15, "posts": 22,
    "copies": 0, "from_at": AT, "last_at": AT, "promised_per_place_year": 0.2,
}  # fmt: skip
FAST = {"total": 930, "usual": 40, "own_n": 0, "age_hours": 5.0, "last_total": 930}
SPREAD = {"ways": ["fast"], "koc": "", "promised_per_1000_posts": 1.0, "fast": FAST}
LINK = {"critic": "K1", "follower": "K2", "tie": "answer", "tied_at": AT, "critic_turned_at": AT, "follower_turned_at": AT}
CONTAGION = {
    "chain": [LINK], "followers": 2, "by_chance": 0.2, "p": 0.0012, "deals": 4000, "people": 40,
    "promised_per_brand_year": 0.05,
}  # fmt: skip
SOURCE = {
    "source": "论坛",
    "platform": "forum",
    "what": "blocked",
    "since": AT,
    "crawls": 4,
    "done_at": None,
    "error": "captcha",
}
SILENT = {
    "source": "论坛",
    "platform": "forum",
    "what": "silent",
    "since": "2026-06-01",
    "silent_days": 5,
    "usual": 3.2,
    "done_at": AT,
}
CHANNEL = {"channel": "邮件", "waiting": 3, "dead": 1, "since": AT, "sent_at": None, "error": "connection refused"}


def words(kind: str, evidence: dict[str, Any], language: Language, *, is_over: bool = False) -> str:
    over = {"ended_at": AT} if is_over else {}
    brand = "" if kind in ("source-silent", "delivery-failing") else "星澜"
    alert = Alert("e" * 32, kind, None, "urgent", "", brand, NOW, None, evidence | over, ())
    told = told_of(AlertView(alert, None, (), language=language))
    assert told is not None
    return "\n".join([told.headline, *(f"{label} {fact}" for label, fact in told.facts)])


@pytest.mark.parametrize(
    ("kind", "evidence", "zh", "en"),
    [
        ("opinion-storm", STORM, "群「妈妈群」：6 小时内 7 人", "group “妈妈群”: 7 people"),
        ("opinion-storm", STORM | {"place_kind": "thread"}, "评论区：24 小时内 7 人", "within 24 hours"),
        ("opinion-storm", STORM | {"place_kind": "thread"}, "第三多的内容有 0.4 人", "third most"),
        ("opinion-storm", STORM | {"copies": 5, "also": ["别处"]}, "5 人的文字几乎相同", "5 of them wrote nearly the same"),
        ("opinion-storm", STORM | {"also": ["别处"]}, "同时见于 别处", "Seen in 别处"),
        ("spread", SPREAD, "发布 5 小时互动 930", "930 interactions after 5 hours"),
        ("spread", SPREAD | {"fast": FAST | {"own_n": 9, "last_total": 2000}}, "此后增至 2000；按该作者前 9 条", "2000 later"),
        ("spread", SPREAD | {"koc": "K7"}, "名单内的 KOC K7", "KOC K7 of the roster"),
        (
            "spread",
            {"ways": ["press"], "koc": "", "press": {"accounts": 2, "posts": 3, "at": AT}, "promised_per_1000_posts": 1.0},
            "被 2 个媒体或竞品账号",
            "taken up by 2 media",
        ),
        ("contagion", CONTAGION, "K1（2026年6月5日）→ K2（2026年6月5日）：回复过对方", "K1 (5 Jun 2026) → K2"),
        ("contagion", CONTAGION | {"chain": [LINK] * 8}, "另有 2 位", "2 more"),
        ("source-silent", SOURCE, "被平台拦截", "the platform refuses us"),
        ("source-silent", SOURCE | {"what": "changed", "done_at": AT, "error": ""}, "平台页面变了", "another shape"),
        ("source-silent", SOURCE | {"what": "failed"}, "抓取连续出错", "every crawl fails"),
        ("source-silent", SILENT, "每天约 3.2 条", "about 3.2 posts a day"),
        ("delivery-failing", CHANNEL, "渠道「邮件」推送失败", "channel “邮件” takes no messages"),
        ("delivery-failing", CHANNEL | {"sent_at": AT, "error": ""}, "最后送达 2026年6月5日", "Last sent 5 Jun 2026"),
    ],
)
def test_each_case_says_what_happened(kind: str, evidence: dict[str, Any], zh: str, en: str) -> None:
    assert zh in words(kind, evidence, "zh-CN")
    assert en in words(kind, evidence, "en")


@pytest.mark.parametrize(("kind", "evidence"), [("opinion-storm", STORM), ("spread", SPREAD), ("contagion", CONTAGION)])
def test_what_is_over_says_so(kind: str, evidence: dict[str, Any]) -> None:
    assert "后来" in words(kind, evidence, "zh-CN", is_over=True)
    assert "Then" in words(kind, evidence, "en", is_over=True)
    assert "后来" not in words(kind, evidence, "zh-CN")


def test_the_ways_out_of_an_outage_differ() -> None:
    ways = {
        words("source-silent", SOURCE | {"what": what}, "zh-CN").split("怎么办 ")[1]
        for what in ("blocked", "changed", "failed")
    }
    assert len(ways) == 3


def test_an_operators_alert_is_called_by_what_it_is_about() -> None:
    alert = Alert("e" * 32, "source-silent", None, "watch", "", "星澜", NOW, None, SOURCE, ())
    assert AlertView(alert, None, ()).name == "论坛"
