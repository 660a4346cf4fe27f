"""Recorded answers of real servers, where they lie beside the checkout; their texts are nobody's business here."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from spiders.items import fault_of
from spiders.sites import feed_pages, weibo_pages

SHARED = Path(os.environ.get("KOC_SHARED") or Path(__file__).parents[4] / "shared")
RECORDED = SHARED / "data" / "platform"
NOW = datetime(2026, 11, 21, tzinfo=UTC)
READING = weibo_pages.Reading(datetime(2019, 6, 16, 12, tzinfo=UTC), ZoneInfo("Asia/Shanghai"))

pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="no recordings beside this checkout")


def weibo(name: str) -> Any:
    return json.loads((RECORDED / "weibo" / f"gottaegbert_weiboAPI__old_response.{name}.json").read_bytes())


def test_a_recorded_timeline_is_read_whole() -> None:
    page = weibo_pages.posts_of(weibo("cards1"), READING)
    assert (len(page.posts), page.faults, page.next) == (10, (), {"page": "2"})
    for status in page.posts:
        assert fault_of(status.item) is None
        assert "<" not in status.item.text.replace("<3", "")
        assert status.item.posted_at.year in (2018, 2019)


def test_a_recorded_repost_brings_its_long_original() -> None:
    status = weibo_pages.status_of(weibo("retweet01")["data"], READING)
    assert status.item.kind == "repost"
    assert status.quoted is not None
    assert status.quoted.item.post_id == status.item.parent_id
    assert not status.quoted.needs_text
    assert len(status.quoted.item.text) > 140


def test_a_recorded_long_text_is_read() -> None:
    status = weibo_pages.status_of(weibo("retweet01")["data"], READING)
    assert len(weibo_pages.with_text(status, weibo("statuses1")).item.text) > 140


def test_recorded_comments_of_both_generations_are_read_whole() -> None:
    new = weibo_pages.hotflow_of(weibo("comments2"), "4383183661430868", READING)
    old = weibo_pages.shown_comments_of(weibo("comments1"), "4383183661430868", READING, 1)
    assert (len([item for item in new.comments if item.parent_id == "4383183661430868"]), new.faults) == (20, ())
    assert new.next["max_id"]
    assert (len(old.comments), old.faults, old.next) == (12, (), {"page": "2"})
    assert all(fault_of(item) is None for item in (*new.comments, *old.comments))


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("rss/feedparser__encoding_big5.xml", 0),
        ("rss/feedparser__encoding_http_application_atom_xml_gb2312_encoding.xml", 0),
        ("rss/feedparser__jsonfeed_example.json", 2),
        ("rss/nodebb_topic.xml", 24),
        ("rss/rsshub_complicated.xml", 9),
        ("rss/rsshub_jsonfeed.json", 5),
        ("rss/wordpress_atom.xml", 10),
        ("rss/wordpress_comments_feed.xml", 10),
        ("rss/wordpress_feed.xml", 10),
        ("servers/feed.atom", 11),
        ("servers/rss.xml", 20),
    ],
)
def test_a_recorded_feed_is_read_whole(name: str, count: int) -> None:
    reading = feed_pages.Reading(NOW, ZoneInfo("Asia/Shanghai"), "https://blog.example/feed/")
    feed = feed_pages.feed_of((RECORDED / name).read_bytes(), "", reading)
    assert len(feed.items) == count
    assert not feed.is_cut
    for item in feed.items:
        assert fault_of(item) is None
        assert item.text
        is_answer = "comment" in name or "nodebb" in name or name.startswith("servers/")
        assert item.kind == ("comment" if is_answer else "post")
