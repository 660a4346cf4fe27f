"""Saved pages of a forum (Discuz's shape, GBK and Big5) and its selectors → topics, floors, and what is told when they fail."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from spiders.errors import Blocked, Changed, Gone
from spiders.items import ItemMedia, fault_of
from spiders.selectors import html_of, page_of
from spiders.sites import forum_pages as pages
from spiders.sites.forum_options import FloorOptions, ForumOptions, TopicOptions
from spiders.sites.forum_trial import tried

NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
BOARD = "https://bbs.example/forum.php?mod=forumdisplay&fid=2"
PAGES = Path(__file__).parents[2] / "pages" / "forum"
OPTIONS = ForumOptions.model_validate(
    {
        "topics": {
            "item": "tbody[id^=normalthread], tbody[id^=stickthread]",
            "link": "a.xst",
            "id": r"tid=(\d+)",
            "title": "a.xst",
            "author": "td.by:nth-of-type(1) cite",
            "author_id": r"td.by cite a::attr(href) =~ uid=(\d+)",
            "time": ["td.by em span span::text", "td.by em span::text"],
            "active": ["td.num + td.by em span::attr(title)", "td.num + td.by em a"],
            "answers": "td.num a",
            "pinned": "tbody[id^=stickthread]",
            "next": "a.nxt",
        },
        "floors": {
            "item": "div[id^=post_]",
            "id": r"::attr(id) =~ post_(\d+)",
            "author": ".authi a",
            "author_id": r".authi a::attr(href) =~ uid=(\d+)",
            "time": ["em[id^=authorposton] span::attr(title)", "em[id^=authorposton]"],
            "text": "td.t_f",
            "parent": r"blockquote a::attr(href) =~ pid=(\d+)",
            "drop": ["blockquote", ".pstatus"],
            "title": "#thread_subject",
            "next": "a.nxt",
        },
    }
)
FLOORS = OPTIONS.floors
assert FLOORS is not None


def reading(url: str = BOARD) -> pages.Reading:
    return pages.Reading(NOW, ZoneInfo("Asia/Shanghai"), url)


def board(options: TopicOptions = OPTIONS.topics) -> pages.Listing:
    return pages.listing_of(page_of(html_of((PAGES / "board_gbk.html").read_bytes())), options, reading())


def topic(options: FloorOptions = FLOORS) -> pages.Topic:
    return pages.topic_of(page_of(html_of((PAGES / "topic_big5.html").read_bytes())), options, reading())


def test_a_board_in_gbk_shows_its_topics_with_the_times_it_is_sorted_by() -> None:
    pinned, newest, anonymous = board().rows
    assert (pinned.pinned, newest.pinned, anonymous.pinned) == (True, False, False)
    assert newest.post_id == "bbs.example:topic:71"
    assert newest.url == "https://bbs.example/forum.php?mod=viewthread&tid=71&extra=page%3D1"
    assert newest.title == "晴川控油款用了两周，说说感受"
    assert (newest.author_id, newest.author_name) == ("bbs.example:user:205", "北屿")
    assert newest.posted_at == datetime(2026, 3, 1, 1, 12, tzinfo=UTC)
    assert newest.sorted_at == datetime(2026, 3, 2, 3, 30, tzinfo=UTC)
    assert newest.answers == 3
    assert anonymous.title == "求推荐 <300 元的吹风机"
    assert anonymous.author_id == "bbs.example:name:匿名"
    assert anonymous.posted_at == datetime(2026, 2, 19, 16, 0, tzinfo=UTC)
    assert board().next == "https://bbs.example/forum.php?mod=forumdisplay&fid=2&page=2"
    assert board().faults == ()


def test_a_topic_in_big5_is_its_first_floor_and_the_others_are_comments_on_it() -> None:
    found, row = topic(), board().rows[1]
    opener = pages.opener_of(found, row, reading())
    assert opener.text == "晴川控油款用了两周，说说感受\n洗完很清爽，味道淡。\n第二週開始頭皮有點乾。"
    assert opener.posted_at == datetime(2026, 3, 1, 1, 12, 5, tzinfo=UTC)
    assert (opener.post_id, opener.author_id, opener.kind) == ("bbs.example:topic:71", "bbs.example:user:205", "post")
    assert (opener.comments, opener.likes, opener.views) == (3, None, None)
    assert opener.media == (ItemMedia("image", "https://bbs.example/pic/a.jpg", "瓶身"),)
    first, second = (pages.comment_of(floor, opener, found.floors[0].floor_id, reading()) for floor in found.floors[1:])
    assert (first.post_id, first.parent_id, first.root_id) == ("bbs.example:floor:901", opener.post_id, opener.post_id)
    assert (second.parent_id, second.root_id) == ("bbs.example:floor:901", opener.post_id)
    assert second.text == "先別急，搭配護髮素會好些 & 省錢。"  # less what it quotes
    assert second.posted_at == datetime(2026, 3, 1, 6, 10, tzinfo=UTC)
    assert [fault_of(item) for item in (opener, first, second)] == [None] * 3
    assert (found.hidden, found.faults) == (1, ())
    assert found.next == "https://bbs.example/forum.php?mod=viewthread&tid=71&page=2"


def test_a_floor_that_answers_the_first_one_answers_the_topic() -> None:
    options = FLOORS.model_copy(update={"parent": (r"::attr(id) =~ (90)\d",)})
    found, row = topic(options), board().rows[1]
    opener = pages.opener_of(found, row, reading())
    answer = pages.comment_of(found.floors[1], opener, "bbs.example:floor:90", reading())
    assert answer.parent_id == opener.post_id


def test_floors_without_ids_are_known_by_author_time_and_words() -> None:
    options = FLOORS.model_copy(update={"id": ()})
    once, again = topic(options).floors, topic(options).floors
    assert [floor.floor_id for floor in once] == [floor.floor_id for floor in again]
    assert len({floor.floor_id for floor in once}) == 3


def test_a_topic_read_by_its_address_takes_its_title_from_its_page() -> None:
    row = pages.Row(
        "https://bbs.example/t/71", "bbs.example:topic:71", "", "", "", None, None, None, None, pinned=False, html=""
    )
    opener = pages.opener_of(topic(), row, reading())
    assert opener.text.startswith("晴川控油款用了兩週，說說感受\n洗完")
    assert opener.author_name == "北嶼"


@pytest.mark.parametrize(
    ("name", "selector"),
    [
        ("item", "tr.thread"),
        ("link", "a.subject"),
        ("title", "h3"),
        ("author_id", r"cite a::attr(href) =~ user/(\d+)"),
        ("time", "time"),
    ],
)
def test_a_selector_of_a_list_that_catches_nothing_is_named(name: str, selector: str) -> None:
    options = OPTIONS.topics.model_copy(update={name: (selector,)})
    with pytest.raises(Changed, match=rf"topics\.{name} = .*catches") as told:
        board(options)
    assert repr(selector) in str(told.value)


@pytest.mark.parametrize(("name", "selector"), [("item", "li.post"), ("text", ".body"), ("time", "time"), ("author", "b")])
def test_a_selector_of_a_topic_that_catches_nothing_is_named(name: str, selector: str) -> None:
    with pytest.raises(Changed, match=rf"floors\.{name} = .*catches"):
        topic(FLOORS.model_copy(update={name: (selector,)}))


def test_a_selector_of_times_that_catches_none_says_what_it_caught() -> None:
    with pytest.raises(Changed, match=r"topics\.time = .*catches no time: '晴川控油款|topics\.time = .*'【公告】"):
        board(OPTIONS.topics.model_copy(update={"time": ("a.xst",)}))


def test_a_list_that_has_nothing_is_empty_only_where_it_says_so() -> None:
    nothing = page_of("<div class=emp>本版块或指定的范围内尚无主题</div>")
    options = OPTIONS.topics.model_copy(update={"empty": (".emp =~ 尚无主题",)})
    assert pages.listing_of(nothing, options, reading()) == pages.Listing((), (), "")
    with pytest.raises(Changed, match=r"topics\.item .*topics\.empty"):
        pages.listing_of(nothing, OPTIONS.topics, reading())
    with pytest.raises(Changed, match=r"topics\.item"):
        pages.listing_of(page_of("<p>改版了</p>"), options, reading())


@pytest.mark.parametrize("words", ["抱歉，您需要登录后才能查看", "您还没有登錄", "Please log in to view this page"])
def test_a_log_in_page_is_a_wall_and_not_empty(words: str) -> None:
    with pytest.raises(Blocked, match="log-in wall") as told:
        pages.listing_of(page_of(f"<div>{words}</div>"), OPTIONS.topics, reading())
    assert told.value.patience == 3


def test_a_captcha_is_blocked() -> None:
    with pytest.raises(Blocked, match="captcha"):
        pages.topic_of(page_of("<title>x</title><h1>Just a moment...</h1>"), FLOORS, reading())


def test_a_list_of_whole_posts_needs_no_pages_of_floors() -> None:
    html = (
        '<ul><li id="r1"><a href="/r/1">链接</a><i>鹿角</i><time>3天前</time><p>掉漆。<img src="/p.png"></p><b>12</b></li></ul>'
    )
    options = TopicOptions(item=("li",), author=("i",), time=("time",), text=("p",), likes=("b",), id=r"/r/(\d+)")
    (row,) = pages.listing_of(page_of(html), options, reading("https://shop.example/reviews")).rows
    item = pages.item_of_row(row, reading("https://shop.example/reviews"))
    assert item is not None
    assert (item.post_id, item.text, item.likes) == ("shop.example:topic:1", "掉漆。", 12)
    assert item.posted_at == datetime(2026, 2, 27, 4, 0, tzinfo=UTC)
    assert item.media == (ItemMedia("image", "https://shop.example/p.png"),)


def test_a_wrong_selector_is_refused_with_its_place() -> None:
    with pytest.raises(ValidationError, match=r"topics\.next\s.*no CSS selector: 'a\[href'"):
        ForumOptions.model_validate({"topics": {"item": "li", "next": "a[href"}})
    with pytest.raises(ValidationError, match=r"no regular expression: '\(uid'"):
        ForumOptions.model_validate({"topics": {"item": "li", "author_id": "a =~ (uid"}})
    with pytest.raises(ValidationError, match="no regular expression"):
        ForumOptions.model_validate({"topics": {"item": "li", "id": "("}})
    with pytest.raises(ValidationError, match="no such time zone"):
        ForumOptions.model_validate({"topics": {"item": "li"}, "timezone": "Mars/Base"})


def test_a_trial_tells_what_each_selector_caught_and_how_it_was_read() -> None:
    html = page_of(html_of((PAGES / "board_gbk.html").read_bytes()))
    found = {one.name: one for one in tried(html, OPTIONS, "topics", reading())}
    assert (found["topics.item"].count, found["topics.title"].example) == (3, "【公告】发帖前请看版规")
    assert found["topics.link"].read.endswith("→ bbs.example:topic:3")
    assert found["topics.time"].read == "2025-01-01 00:00:00+08:00"
    assert (found["topics.author_id"].count, found["topics.author_id"].of) == (2, 3)
    assert found["topics.pinned"].count == 1
    assert found["topics.next"].read == "https://bbs.example/forum.php?mod=forumdisplay&fid=2&page=2"
    assert "topics.id" not in found
    other = {one.name: one.count for one in tried(html, OPTIONS, "floors", reading())}
    assert other["floors.item"] == 0
    assert tried(html, OPTIONS.model_copy(update={"floors": None}), "floors", reading()) == []


@pytest.mark.parametrize(
    ("shown", "local"),
    [
        ("发表于 2026-3-1 09:12:05", "2026-03-01 09:12:05"),
        ("回复于：昨天&nbsp;10:00".replace("&nbsp;", "\xa0"), "2026-03-01 10:00:00"),
        ("3 小时前 来自 iPhone", "2026-03-02 09:00:00"),
        ("2026/02/28 PM", "2026-02-28 00:00:00"),
        ("2026-02-28 12:05 AM", "2026-02-28 00:05:00"),
        ("2026-02-28 1:05 pm", "2026-02-28 13:05:00"),
        ("2026年2月28日 晚上 8:30", "2026-02-28 20:30:00"),
        ("#12 楼 02-28 08:00", "2026-02-28 08:00:00"),
    ],
)
def test_times_are_read_out_of_what_stands_around_them(shown: str, local: str) -> None:
    found = pages.time_in(shown, reading())
    assert found is not None
    assert found.astimezone(reading().zone).strftime("%Y-%m-%d %H:%M:%S") == local


def test_where_the_first_floor_was_taken_away_nobody_elses_words_stand_in_its_place() -> None:
    row = board().rows[0]  # begun by another person
    with pytest.raises(Gone):
        pages.opener_of(topic(), row, reading())
