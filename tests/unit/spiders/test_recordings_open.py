"""Recorded answers of real open servers, where they lie beside the checkout; their texts are nobody's business here."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from spiders.homes import Reading, read_each
from spiders.items import Item, fault_of
from spiders.sites import discourse, isso, mastodon, waline, wordpress

SHARED = Path(os.environ.get("KOC_SHARED") or Path(__file__).parents[4] / "shared")
RECORDED = SHARED / "data" / "platform"
READING = Reading(datetime(2026, 11, 22, tzinfo=UTC), UTC, "https://site.example")

pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="no recordings beside this checkout")


def recorded(name: str) -> Any:
    return json.loads((RECORDED / name).read_bytes())


def are_whole(items: list[Item], faults: list[str], count: int) -> None:
    assert (len(items), faults) == (count, [])
    for item in items:
        assert fault_of(item) is None
        assert item.text or item.media
        assert (item.kind == "comment") == (item.parent_id is not None)


def test_recorded_posts_of_discourse_are_read_whole() -> None:
    for name, count in (("posts_latest", 4), ("posts_before", 3)):
        posts, faults, _ = discourse.latest_of(recorded(f"discourse/discourse_api__{name}.json"), READING)
        are_whole(posts, faults, count)


def test_a_recorded_topic_of_discourse_is_read_whole() -> None:
    topic = discourse.topic_of(recorded("discourse/discourse_api__topic.json"), READING)
    are_whole(list(topic.posts), list(topic.faults), 4)
    assert (topic.about.answers, len(topic.stream)) == (3, 4)


def test_a_recorded_status_of_mastodon_is_read() -> None:
    are_whole([mastodon.item_of(recorded("mastodon/docs_Status.json"), READING, "mastodon.social")], [], 1)


def test_recorded_posts_and_comments_of_wordpress_are_read_whole() -> None:
    posts = recorded("servers/wp-json_wp_v2_posts_per_page_2__embed_author")
    are_whole(*read_each(posts, lambda one: wordpress.post_of(one, READING)), 2)
    for name in ("comments_per_page_2", "comments_per_page_2_post_5"):
        comments = recorded(f"servers/wp-json_wp_v2_{name}")
        are_whole(*read_each(comments, lambda one: wordpress.comment_of(one, READING)), 2)


def test_a_recorded_thread_of_isso_is_read_whole() -> None:
    roots = isso.thread_of(recorded("servers/thread.json"))
    entries = [one for root in roots for one in (root, *root["replies"])]
    are_whole(*read_each(entries, lambda one: isso.comment_of(one, READING, "/post/1/")), len(entries))
    are_whole(*isso.latest_of(recorded("servers/latest.json"), READING), 2)


def test_recorded_comments_of_waline_are_read_whole() -> None:
    for name in ("comments_p1", "comments_p2"):
        entries, pages = waline.thread_of(recorded(f"servers/{name}.json"))
        are_whole(*read_each(entries, lambda one: waline.comment_of(one, READING, "/post/1/")), len(entries))
        assert pages == 5
