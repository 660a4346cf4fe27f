"""Saved feeds, in several encodings, read with the clock stopped."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from spiders.errors import Changed
from spiders.items import ItemMedia, fault_of
from spiders.sites.feed_pages import Feed, Reading, decoded, feed_of

PAGES = Path(__file__).parents[2] / "pages" / "feed"
NOW = datetime(2026, 3, 9, 4, 30, tzinfo=UTC)
READING = Reading(NOW, ZoneInfo("Asia/Shanghai"), "https://blog.example/feed/")


def saved(name: str, url: str = "https://blog.example/feed/") -> Feed:
    return feed_of((PAGES / name).read_bytes(), "", Reading(NOW, ZoneInfo("Asia/Shanghai"), url))


def rss(item: str, *, head: str = '<?xml version="1.0" encoding="utf-8"?>', channel: str = "") -> str:
    names = 'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/"'
    return f'{head}<rss version="2.0" {names}><channel><title>小站</title>{channel}<item>{item}</item></channel></rss>'


def test_wordpress_comments_hang_under_their_post_and_the_comment_that_they_answer() -> None:
    feed = saved("comments.xml")
    first, second = feed.items
    assert (first.kind, first.post_id) == ("comment", "https://blog.example/?p=25#comment-144")
    assert (first.parent_id, first.root_id) == ("https://blog.example/?p=25#comment-143", "https://blog.example/?p=25")
    assert first.text == "我也退货了。"
    assert (second.parent_id, second.root_id, second.text) == (
        "https://blog.example/?p=25",
        "https://blog.example/?p=25",
        "味道变了。",
    )
    assert first.author_id == "blog.example:芒果"
    assert first.posted_at == datetime(2026, 3, 7, 10, 1, 3, tzinfo=UTC)
    assert feed.next == "https://blog.example/feed/?paged=2"
    assert not feed.undated
    assert all(fault_of(item) is None for item in feed.items)


def test_the_page_after_a_later_wordpress_page_is_counted_on() -> None:
    assert saved("comments.xml", "https://blog.example/feed/?paged=2&x=1").next.endswith("?paged=3&x=1")
    assert saved("comments.xml", "https://blog.example/feed/?paged=x").next.endswith("?paged=2")


def test_an_atom_feed_gives_posts_and_answers() -> None:
    feed = saved("posts.atom", "https://forum.example/all.atom")
    post, answer = feed.items
    assert (post.kind, post.post_id, post.text) == ("post", "tag:forum.example,2026:7", "晴川新瓶身\n好看 😀")
    assert post.posted_at == datetime(2026, 3, 7, 10, tzinfo=UTC)
    assert post.comments == 2
    assert post.media == (ItemMedia("image", "https://forum.example/i/7.jpg", "新瓶身"),)
    assert post.raw is not None
    assert post.raw["categories"] == ["洗发水"]
    assert (answer.kind, answer.parent_id, answer.root_id) == (
        "comment",
        "tag:forum.example,2026:7",
        "tag:forum.example,2026:7",
    )
    assert (answer.text, answer.author_name) == ("瓶子好看，按压头会漏", "版主")
    assert feed.next == "https://forum.example/all.atom?page=2"


def test_a_json_feed_of_both_versions_is_read() -> None:
    feed = saved("feed.json", "https://deer.example/feed.json")
    ninth, eighth, seventh = feed.items
    assert (ninth.post_id, ninth.author_id, ninth.text) == (
        "deer.example:post:9",
        "deer.example:小鹿",
        "晴川改版\n配方表变了，香精提前两位。",
    )
    assert ninth.media == (ItemMedia("video", "https://deer.example/9.mp4"), ItemMedia("image", "https://deer.example/9.jpg"))
    assert (eighth.post_id, eighth.text, eighth.author_name) == ("deer.example:post:8", "a < b\n第二行", "客座阿秋")
    assert (seventh.post_id, seventh.text, seventh.author_name) == ("https://deer.example/7", "只有摘要", "老格式")
    assert feed.next == "https://deer.example/feed.json?page=2"


def test_a_date_that_is_missing_or_lies_ahead_is_when_it_was_seen_and_says_so() -> None:
    feed = saved("feed.json", "https://deer.example/feed.json")
    assert feed.undated == {"deer.example:post:8", "https://deer.example/7"}
    assert [item.posted_at == NOW for item in feed.items] == [False, True, True]
    assert feed.items[1].raw is not None
    assert feed.items[1].raw["undated"] is True


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html><body>hello</body></html>", "RSS"),
        (b"", "RSS"),
        (b"\x00\x01\x02", "RSS"),
        (b'{"version": "https://jsonfeed.org/version/1", "items": [', "JSON Feed"),
        (b'{"version": 1, "items": []}', "JSON Feed"),
        (b'{"version": "https://jsonfeed.org/version/1"}', "JSON Feed"),
    ],
)
def test_what_is_no_feed_is_a_changed_page(body: bytes, words: str) -> None:
    with pytest.raises(Changed, match=words):
        feed_of(body, "", READING)


def test_an_empty_feed_is_empty() -> None:
    assert feed_of(b'<rss version="2.0"><channel><title>x</title></channel></rss>', "", READING).items == ()
    assert feed_of(b'<feed xmlns="http://www.w3.org/2005/Atom"/>', "", READING) == Feed((), frozenset())


@pytest.mark.parametrize(
    ("encoding", "declared", "header"),
    [
        ("utf-8", "utf-8", ""),
        ("utf-8", "gb2312", ""),
        ("utf-8", "utf-8", "text/xml; charset=iso-8859-1"),
        ("gb18030", "gb2312", ""),
        ("gbk", "GBK", "text/xml; charset=gbk"),
        ("gbk", "utf-8", ""),
        ("gbk", "utf-8", "text/xml; charset=gb2312"),
        ("gbk", "no-such-code", ""),
        ("big5hkscs", "big5", ""),
        ("utf-16", "utf-16", ""),
        ("utf-8-sig", "utf-8", ""),
    ],
)
def test_a_feed_is_read_in_whatever_encoding_it_comes(encoding: str, declared: str, header: str) -> None:
    words = "這瓶洗髮水很好用" if "big5" in encoding else "这瓶洗发水很好用，味道也不错"
    text = rss(f"<guid>1</guid><title>{words}</title>", head=f'<?xml version="1.0" encoding="{declared}"?>')
    body = text.encode(encoding)
    assert [item.text for item in feed_of(body, header, READING).items] == [words]


def test_bytes_of_no_encoding_are_read_as_far_as_they_go() -> None:
    assert decoded(b"ab\xff\xff\xff", "utf-8").startswith("ab")


def test_the_content_counts_more_than_the_summary() -> None:
    content = 'xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    item = (
        f"<guid>1</guid><description>短</description><content:encoded {content}><![CDATA[<p>长的全文</p>]]></content:encoded>"
    )
    assert feed_of(rss(item).encode(), "", READING).items[0].text == "长的全文"


def test_character_references_within_cdata_are_decoded() -> None:
    item = "<guid>1</guid><description><![CDATA[<p>&#x5c4f;&#24149;</p>]]></description>"
    assert feed_of(rss(item).encode(), "", READING).items[0].text == "屏幕"


def test_an_entry_without_guid_has_a_stable_id_of_its_own() -> None:
    body = rss("<title>甲</title><pubDate>Sat, 07 Mar 2026 10:01:03 +0000</pubDate>").encode()
    first, again = (feed_of(body, "", READING).items[0].post_id for _ in range(2))
    assert first == again
    assert first.startswith("blog.example:post:")
    assert len(first) < 100


def test_a_naive_date_is_of_the_jobs_zone() -> None:
    item = feed_of(rss("<guid>1</guid><title>甲</title><pubDate>2026-03-07 10:01:03</pubDate>").encode(), "", READING).items[0]
    assert item.posted_at == datetime(2026, 3, 7, 2, 1, 3, tzinfo=UTC)


@pytest.mark.parametrize("written", ["Sat, 07 Mar 2026 10:01 GMT", "2026-03-07T10:01:00.1234567Z", "2026-03-07T18:01+0800"])
def test_dates_that_leave_the_standard_a_little_are_read(written: str) -> None:
    item = feed_of(rss(f"<guid>1</guid><title>甲</title><pubDate>{written}</pubDate>").encode(), "", READING).items[0]
    assert item.posted_at.replace(microsecond=0) == datetime(2026, 3, 7, 10, 1, tzinfo=UTC)


def test_an_unknown_author_is_the_host_under_the_feeds_title() -> None:
    item = feed_of(rss("<guid>1</guid><title>甲</title>").encode(), "", READING).items[0]
    assert (item.author_id, item.author_name) == ("blog.example", "小站")


def test_enclosures_are_media_and_a_script_is_no_link() -> None:
    item = (
        '<guid>1</guid><link>javascript:alert(1)</link><enclosure url="https://a.example/1.mp3" type="audio/mpeg" length="1"/>'
        '<media:content url="https://a.example/2.jpg" medium="image"/><enclosure url="javascript:x" type="image/png"/>'
    )
    found = feed_of(rss(item).encode(), "", READING).items[0]
    assert found.url == ""
    assert found.media == (ItemMedia("audio", "https://a.example/1.mp3"), ItemMedia("image", "https://a.example/2.jpg"))


def test_a_reply_in_a_forums_topic_hangs_under_the_topic() -> None:
    body = rss(
        "<guid>https://forum.example/post/32</guid><title>Reply to 晴川怎么样 on Sat</title><description>拔草</description>",
        channel="<link>https://forum.example/topic/2</link>",
    )
    item = feed_of(body.encode(), "", READING).items[0]
    assert (item.kind, item.parent_id, item.text) == ("comment", "https://forum.example/topic/2", "拔草")


def test_a_bare_in_reply_to_names_the_parent() -> None:
    names = 'xmlns:thr="http://purl.org/syndication/thread/1.0"'
    item = f'<guid>https://a.example/2</guid><title>甲</title><thr:in-reply-to {names} href="https://a.example/1"/>'
    found = feed_of(rss(item).encode(), "", READING).items[0]
    assert (found.kind, found.parent_id) == ("comment", "https://a.example/1")


def test_a_feed_that_breaks_off_gives_what_was_whole() -> None:
    text = rss("<guid>1</guid><title>整的</title></item><item><guid>2</guid><title>这一条只来了一半，后面没有")
    cut = text.encode()[: -len("</title></item></channel></rss>")]
    feed = feed_of(cut, "", READING)
    assert feed.is_cut
    assert [item.text for item in feed.items] == ["整的"]


def test_a_careless_feed_is_read_all_the_same() -> None:
    feed = feed_of(rss("<guid>1</guid><title>A & B <b>粗</title>").encode(), "", READING)
    assert [item.post_id for item in feed.items] == ["blog.example:post:1"]


def test_an_entity_bomb_is_harmless() -> None:
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY e0 "ha">{levels}<!ENTITY f SYSTEM "file:///etc/passwd">]>'
    body = rss("<guid>1</guid><title>&e11;&f;</title>", head=bomb).encode()
    started = datetime.now(UTC)
    feed = feed_of(body, "", READING)
    assert (datetime.now(UTC) - started).total_seconds() < 5
    assert all(len(item.text) < 10_000 and "root:" not in item.text for item in feed.items)


def test_half_surrogates_of_a_json_feed_are_replaced() -> None:
    body = b'{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1", "content_text": "a\\ud83d"}, "?"]}'
    assert [item.text for item in feed_of(body, "", READING).items] == ["a�"]


def test_a_json_feed_that_nests_without_end_is_a_changed_page() -> None:
    body = b'{"version": "https://jsonfeed.org/version/1", "items": ' + b"[" * 9000 + b"]" * 9000 + b"}"
    with pytest.raises(Changed, match="JSON Feed"):
        feed_of(body, "", READING)


@pytest.mark.parametrize("attached", [["?", {"url": 5}], 5, True, "?", {"url": "https://a.example/1.jpg"}, None, [None, [1]]])
def test_odd_values_of_a_json_feed_break_nothing(attached: object) -> None:
    entry = {"id": 0, "authors": "?", "author": "?", "attachments": attached, "date_published": 5, "title": None}
    body = json.dumps({"version": "https://jsonfeed.org/version/1", "author": {"name": "甲"}, "items": [entry]}).encode()
    feed = feed_of(body, "", READING)
    assert [item.author_name for item in feed.items] == ["甲"]
