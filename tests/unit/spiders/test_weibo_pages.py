"""Saved pages of m.weibo.cn, read with the clock stopped."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from spiders.errors import Blocked, Changed, Failed, Gone
from spiders.items import ItemMedia, fault_of
from spiders.sites import weibo_pages as pages

PAGES = Path(__file__).parents[2] / "pages" / "weibo"
NOW = datetime(2026, 3, 7, 4, 30, tzinfo=UTC)
READING = pages.Reading(NOW, ZoneInfo("Asia/Shanghai"))


def saved(name: str) -> Any:
    return json.loads((PAGES / f"{name}.json").read_bytes())


@pytest.fixture(scope="module")
def timeline() -> pages.Page:
    return pages.posts_of(saved("timeline"), READING)


def post(page: pages.Page, end: str) -> pages.Status:
    return next(status for status in page.posts if status.item.post_id.endswith(end))


def test_a_timeline_gives_its_posts_in_order_and_the_next_page(timeline: pages.Page) -> None:
    assert [status.item.post_id[-2:] for status in timeline.posts] == ["01", "09", "08", "07", "06"]
    assert timeline.next == {"since_id": "4999999999999999"}
    assert timeline.faults == ()
    assert all(fault_of(status.item) is None for status in timeline.posts)


def test_only_the_pinned_post_is_pinned(timeline: pages.Page) -> None:
    assert [status.item.post_id[-1] for status in timeline.posts if status.pinned] == ["1"]


def test_a_post_keeps_topic_emoji_name_counts_and_pictures(timeline: pages.Page) -> None:
    item = post(timeline, "09").item
    assert item.text == "#春日洗护# 晴川洗发水用到第三瓶了，头皮不痒了[太开心]\n推荐给 @阿秋 & 大家"
    assert (item.likes, item.comments, item.reposts, item.views) == (1_000_000, 12_000, 12, None)
    assert item.posted_at == datetime(2026, 3, 3, 13, 10, 4, tzinfo=UTC)
    assert (item.author_id, item.author_name, item.kind) == ("7001", "小鹿测评日记", "post")
    assert item.url == "https://m.weibo.cn/detail/5000000000000009"
    assert item.media == (
        ItemMedia("image", "https://wx1.sinaimg.cn/large/p1.jpg"),
        ItemMedia("video", "https://video.weibo.com/p2.mov"),
    )
    assert item.raw is not None
    assert item.raw["region_name"] == "发布于 广东"
    assert item.seen_at == NOW


def test_a_long_post_waits_for_its_text(timeline: pages.Page) -> None:
    status = post(timeline, "08")
    assert status.needs_text
    whole = pages.with_text(status, saved("extend"))
    assert whole.item.text.endswith("最后讲我退货的经过。\n客服三天没回，退款倒是快。")
    assert not whole.needs_text
    assert whole.item.raw is not None
    assert whole.item.raw["longText"]["longTextContent"].startswith("说说")
    assert whole.item.media == (ItemMedia("video", "https://f.video.weibocdn.com/1.mp4", "改版开箱"),)
    assert whole.item.views == 35_000


def test_a_long_text_that_is_not_shown_leaves_the_short_one_without_its_link(timeline: pages.Page) -> None:
    status = pages.with_text(post(timeline, "08"), saved("empty"))
    assert status.item.text.endswith("最后讲我退货的经过…")


def test_an_answer_without_long_text_is_a_changed_page(timeline: pages.Page) -> None:
    with pytest.raises(Changed, match="longTextContent"):
        pages.with_text(post(timeline, "08"), {"ok": 1, "data": {}})


def test_a_repost_brings_the_post_that_it_passes_on(timeline: pages.Page) -> None:
    status = post(timeline, "07")
    assert status.item.kind == "repost"
    assert status.item.parent_id == status.item.root_id == "5000000000000003"
    assert status.item.text == "转发微博//@洗护研究员:数据在图里"
    assert status.quoted is not None
    assert status.quoted.item.text.endswith("全在这里")
    assert not status.quoted.needs_text
    assert status.quoted.item.author_id == "7002"
    assert status.quoted.item.media == (ItemMedia("card", "https://card.weibo.com/article/1", "十款对比"),)


def test_the_evidence_of_a_post_holds_no_other_peoples_words(timeline: pages.Page) -> None:
    raw = post(timeline, "07").item.raw
    assert raw is not None
    assert raw["retweeted_status"] == {"id": "5000000000000003"}
    comment = pages.hotflow_of(saved("hotflow"), "5", READING).comments[0]
    assert comment.raw is not None
    assert "comments" not in comment.raw


def test_a_repost_of_a_deleted_post_still_names_its_parent(timeline: pages.Page) -> None:
    status = post(timeline, "06")
    assert (status.item.kind, status.item.parent_id, status.quoted) == ("repost", "5000000000000002", None)


def test_the_older_page_is_read_with_its_short_times() -> None:
    page = pages.posts_of(saved("timeline_by_page"), READING)
    assert [status.item.posted_at.isoformat() for status in page.posts] == [
        "2025-06-13T16:00:00+00:00",
        "2026-03-07T04:25:00+00:00",
    ]
    assert page.next == {"page": "2"}
    assert pages.posts_of(saved("timeline_by_page"), READING, {"page": "2"}).next == {"page": "3"}


def test_a_search_gives_posts_alone_and_in_groups() -> None:
    page = pages.posts_of(saved("search"), READING)
    assert [status.item.text for status in page.posts] == ["晴川的新瓶身好看", "晴川？没听过[doge]"]
    assert page.posts[0].item.likes is None
    assert page.next == {"page": "2"}


@pytest.mark.parametrize(
    ("info", "asked", "following"),
    [
        ({"since_id": 7}, {}, {"since_id": "7"}),
        ({}, {"since_id": "7"}, {}),
        ({"page": None}, {"page": "3"}, {}),
        ({}, {}, {}),
        ({"page": 2}, {}, {"page": "2"}),
        ({"containerid": "100103type=61&q=x"}, {"page": "4"}, {"page": "5"}),
    ],
)
def test_the_next_page_is_asked_for_as_the_page_says(info: Any, asked: Any, following: Any) -> None:
    page = {**saved("search"), "data": {"cardlistInfo": info, "cards": saved("search")["data"]["cards"]}}
    assert pages.posts_of(page, READING, asked).next == following


def test_a_page_without_cards_is_the_last() -> None:
    assert pages.posts_of({"ok": 1, "data": {"cardlistInfo": {"since_id": 1}, "cards": []}}, READING).next == {}
    assert pages.posts_of({"ok": 1, "data": {"cards": saved("search")["data"]["cards"]}}, READING).next == {}


def test_a_truly_empty_page_is_empty() -> None:
    page = pages.posts_of(saved("empty"), READING)
    assert (page.posts, page.faults, page.next) == ((), (), {})


@pytest.mark.parametrize(
    ("page", "error", "words"),
    [
        (saved("captcha"), Blocked, "验证码"),
        (saved("login"), Blocked, "登录"),
        ({"ok": -100, "msg": "请先登录"}, Blocked, "登录"),
        ({"ok": 0, "msg": "登录后查看更多"}, Blocked, "登录"),
        ({"ok": 0, "msg": "请求过于频繁，歇歇吧"}, Blocked, "频繁"),
        (saved("nobody"), Failed, "账号"),
        ({"ok": 7, "msg": "?"}, Changed, "看不懂"),
        ({"ok": 0, "msg": "系统升级"}, Changed, "看不懂"),
        ([], Changed, "ok"),
        ({"code": 1}, Changed, "ok"),
        ({"ok": 1}, Changed, "cards"),
        ({"ok": 1, "data": {"cards": {}}}, Changed, "cards"),
        ({"ok": 1, "data": {"cards": [{"card_type": 777}]}}, Changed, "没有一张卡片"),
        ({"ok": 1, "data": {"cards": ["?"]}}, Changed, "没有一张卡片"),
    ],
)
def test_blocked_failed_and_changed_are_told_apart(page: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        pages.posts_of(page, READING)


def test_a_captcha_ends_it_all_and_a_log_in_wall_only_after_three() -> None:
    with pytest.raises(Blocked) as captcha:
        pages.gate(saved("captcha"))
    with pytest.raises(Blocked) as login:
        pages.gate(saved("login"))
    assert (captcha.value.patience, login.value.patience) == (1, 3)


def test_an_empty_answer_without_words_is_empty() -> None:
    assert pages.gate({"ok": 0, "data": {}}) == "empty"
    assert pages.gate({"ok": "1"}) == "ok"


def test_notices_alone_are_no_change_of_shape() -> None:
    assert pages.posts_of({"ok": 1, "data": {"cards": [{"card_type": 4}, {"card_type": 11}]}}, READING).posts == ()


@pytest.mark.parametrize(
    "damage",
    [
        {"id": None, "mid": None},
        {"id": {"is": "a record"}},
        {"user": None},
        {"user": {"screen_name": "无号"}},
        {"created_at": "改天"},
        {"text": None},
        {"text": {"words": "x"}},
        {"retweeted_status": {"text": "没有号"}},
    ],
)
def test_one_unreadable_card_is_a_fault_and_the_others_are_read(damage: Any) -> None:
    page = saved("timeline")
    page["data"]["cards"][1]["mblog"] |= damage
    found = pages.posts_of(page, READING)
    assert len(found.faults) == 1
    assert len(found.posts) == 4


def cards_of(page: Any) -> list[Any]:
    cards = page["data"]["cards"]
    inner = [card for group in cards for card in group.get("card_group", ())]
    return [card for card in (*cards, *inner) if "mblog" in card]


GONE = [
    {"user": None, "deleted": "1", "text": "抱歉，此微博已被作者删除。查看帮助：网页链接"},
    {"user": None, "text": "抱歉，由于作者设置，你暂时没有这条微博的查看权限哦。"},
    {"user": {}, "text": "该微博因被多人投诉，暂时不予显示"},
    {"user": None, "text": "该微博仅粉丝可见"},
    {"deleted": 1},
    {"deleted": True, "created_at": None, "text": None},
]


@pytest.mark.parametrize("gone", GONE)
def test_a_post_that_was_taken_away_is_counted_and_no_fault(gone: Any) -> None:
    page = saved("timeline")
    page["data"]["cards"][1]["mblog"] |= gone
    found = pages.posts_of(page, READING)
    assert (len(found.posts), found.faults, found.hidden) == (4, (), ("5000000000000009", "5000000000000005"))


def test_a_page_of_nothing_but_deleted_posts_is_known_and_has_a_next_one() -> None:
    page = saved("timeline")
    for card in cards_of(page):
        card["mblog"] = {"id": card["mblog"]["id"], **GONE[0]}
    found = pages.posts_of(page, READING)
    assert (found.posts, found.faults, len(found.hidden)) == ((), (), 6)
    assert found.next == {"since_id": "4999999999999999"}


def test_a_quoted_post_that_was_taken_away_is_not_read_though_its_author_is_named() -> None:
    page = saved("timeline")
    quoting = next(card["mblog"] for card in cards_of(page) if str(card["mblog"]["id"]).endswith("07"))
    quoting["retweeted_status"] |= {"deleted": "1", "text": "抱歉，此微博已被作者删除。"}
    status = post(pages.posts_of(page, READING), "07")
    assert (status.quoted, status.item.parent_id) == (None, "5000000000000003")


def test_a_comment_that_was_taken_away_is_no_fault_and_its_answers_are_read() -> None:
    body = saved("hotflow")
    body["data"]["data"][0] |= {"user": None, "text": "该评论已被删除"}
    page = pages.hotflow_of(body, "5000000000000008", READING)
    assert page.faults == ()
    assert [(item.post_id[-1], item.parent_id and item.parent_id[-2:]) for item in page.comments] == [("2", "01"), ("4", "08")]
    assert page.more == (("5100000000000001", 3),)


def test_a_card_without_its_post_is_a_fault() -> None:
    page = saved("timeline")
    del page["data"]["cards"][1]["mblog"]
    assert pages.posts_of(page, READING).faults == ("卡片里没有 mblog / a card without mblog",)


def test_a_post_with_odd_extras_is_read_without_them() -> None:
    page = saved("timeline")
    page["data"]["cards"][1]["mblog"] |= {
        "pics": [{"url": "javascript:x"}, "?", {"url": "//wx.example/s.jpg", "large": 5}],
        "page_info": {"type": "place", "page_title": "", "page_url": ""},
        "longText": "?",
        "reads_count": 77,
        "title": "?",
    }
    item = pages.posts_of(page, READING).posts[1].item
    assert item.media == (ItemMedia("image", "https://wx.example/s.jpg"),)
    assert item.views == 77


def test_comments_come_with_the_answers_shown_under_them() -> None:
    page = pages.hotflow_of(saved("hotflow"), "5000000000000008", READING)
    shown = [
        (item.post_id[-1], item.parent_id and item.parent_id[-2:], item.root_id and item.root_id[-2:]) for item in page.comments
    ]
    assert shown == [("1", "08", "08"), ("2", "01", "08"), ("4", "08", "08")]
    assert page.more == (("5100000000000001", 3),)
    assert page.next == {"max_id": "138984", "max_id_type": "1"}
    first = page.comments[0]
    assert (first.kind, first.text, first.likes, first.author_name) == ("comment", "我也退了[怒]", 11_000, "芒果")
    assert page.comments[2].media == (ItemMedia("image", "https://wx1.sinaimg.cn/large/c1.jpg"),)
    assert page.comments[1].text == "回复@芒果:他们认账吗"


def test_the_rest_of_the_answers_know_whom_they_answer() -> None:
    page = pages.children_of(saved("hotflow_child"), "5000000000000008", "5100000000000001", READING)
    assert [(item.post_id[-1], item.parent_id and item.parent_id[-1]) for item in page.comments] == [("2", "1"), ("3", "2")]
    assert page.next == {}
    assert page.more == ()


def test_the_older_comments_are_read_with_the_best_ones_last() -> None:
    page = pages.shown_comments_of(saved("comments_show"), "5000000000000008", READING, 1)
    assert [(item.text, item.likes, item.posted_at.isoformat()) for item in page.comments] == [
        ("前排[太开心]", 0, "2026-03-07T04:30:00+00:00"),
        ("我也退了", 5389, "2026-03-01T16:00:00+00:00"),
    ]
    assert page.comments[0].parent_id == "5100000000000001"
    assert page.next == {"page": "2"}
    assert pages.shown_comments_of(saved("comments_show"), "5", READING, 2).next == {}


@pytest.mark.parametrize("body", [{"ok": 1}, {"ok": 1, "data": []}, {"ok": 1, "data": {"data": {}}}])
def test_comments_of_another_shape_are_changed(body: Any) -> None:
    with pytest.raises(Changed, match=r"data\.data"):
        pages.hotflow_of(body, "5", READING)
    with pytest.raises(Changed, match=r"data\.data"):
        pages.shown_comments_of(body, "5", READING, 1)
    with pytest.raises(Changed, match="data"):
        pages.children_of({"ok": 1, "data": "?"}, "5", "6", READING)


def test_no_comments_are_no_change() -> None:
    nothing = {"ok": 0, "msg": "快来发表你的评论吧，还没有人评论"}
    for page in (
        pages.hotflow_of(nothing, "5", READING),
        pages.children_of(nothing, "5", "6", READING),
        pages.shown_comments_of(nothing, "5", READING, 1),
    ):
        assert page.comments == ()
        assert page.next == {}


def test_one_unreadable_comment_is_a_fault_and_the_others_are_read() -> None:
    body = saved("hotflow")
    body["data"]["data"][0]["user"] = None
    body["data"]["data"].append("?")
    page = pages.hotflow_of(body, "5000000000000008", READING)
    assert len(page.faults) == 2
    assert [item.post_id[-1] for item in page.comments] == ["4"]


def test_a_reply_comment_record_names_the_parent_where_no_reply_id_does() -> None:
    body = saved("hotflow_child")
    record = body["data"][1]
    del record["reply_id"]
    record["reply_comment"] = {"id": "5100000000000002"}
    assert pages.comment_of(record, "5", READING, "5100000000000001").parent_id == "5100000000000002"
    del record["reply_comment"]
    record["rootid"] = "0"
    assert pages.comment_of(record, "5", READING, "5100000000000001").parent_id == "5100000000000001"


def test_a_post_shown_by_itself_and_one_that_is_gone() -> None:
    mblog = {
        "id": "4400",
        "created_at": "5分钟前",
        "text": "掉漆",
        "user": {"id": 7, "screen_name": "小鹿"},
        "reposts_count": "1.2万",
    }
    assert pages.shown_of({"ok": 1, "data": mblog}, READING).item.reposts == 12000
    for gone in (
        {"ok": 0, "msg": "微博不存在或暂无查看权限!"},
        {"ok": 1, "data": {**mblog, "deleted": "1"}},
        {"ok": 0, "msg": ""},
    ):
        with pytest.raises(Gone):
            pages.shown_of(gone, READING)


def test_reposts_hang_on_the_post_whose_page_they_stand_on() -> None:
    own = {"id": "45", "created_at": "06-14", "text": "转", "user": {"id": 8, "screen_name": "路人"}}
    taken = {"id": "46", "text": "抱歉，此微博已被作者删除。", "user": None, "deleted": "1"}
    page = {"ok": 1, "data": {"data": [own, taken, {"id": "47"}], "max": 3}}
    shared = pages.reposts_of(page, "4400", READING, 1)
    assert [(one.item.kind, one.item.parent_id, one.item.root_id) for one in shared.posts] == [("repost", "4400", "4400")]
    assert (shared.next, shared.hidden, len(shared.faults)) == ({"page": "2"}, ("46",), 1)
    assert pages.reposts_of({"ok": 0, "msg": "还没有人转发"}, "4400", READING, 1) == pages.Page((), (), {})
    with pytest.raises(Changed):
        pages.reposts_of({"ok": 1, "data": {}}, "4400", READING, 1)
    with pytest.raises(Blocked):
        pages.reposts_of({"ok": -100, "url": "https://passport.weibo.com/sso/signin"}, "4400", READING, 1)
    with pytest.raises(Failed):
        pages.own_of("https://weibo.com/")
