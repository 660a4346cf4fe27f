"""Saved listings of Reddit's API → items."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from spiders.errors import Changed
from spiders.items import ItemMedia, fault_of
from spiders.sites import reddit_pages as pages

PAGES = Path(__file__).parents[2] / "pages" / "reddit"
READING = pages.Reading(datetime(2026, 3, 2, tzinfo=UTC), UTC)


def page(name: str) -> Any:
    return json.loads((PAGES / name).read_text(encoding="utf-8"))


def test_a_listing_is_posts_with_their_pictures_and_the_removed_ones_told() -> None:
    listing = pages.listing_of(page("new.json"), READING)
    pinned, picture, crosspost = listing.items
    assert listing.pinned == {pinned.post_id}
    assert (listing.hidden, listing.next, len(listing.faults)) == (("t3_p1",), "t3_p1", 1)
    assert (picture.post_id, picture.author_id, picture.kind) == ("t3_p3", "xiaolu", "post")
    assert picture.text == "晴川护发素三周后\n发尾还是毛躁 😤"
    assert picture.url == "https://www.reddit.com/r/haircare/comments/p3/slug/"
    assert picture.posted_at == datetime.fromtimestamp(1772400000, UTC)
    assert (picture.likes, picture.comments, picture.reposts) == (12, 3, 1)
    assert picture.media == (ItemMedia("image", "https://i.example/a.jpg"),)
    assert (crosspost.kind, crosspost.parent_id, crosspost.likes) == ("repost", "t3_x9", None)
    assert crosspost.media == (ItemMedia("image", "https://p.example/1.png"),)
    assert [fault_of(item) for item in listing.items] == [None] * 3


def test_a_thread_is_a_tree_without_quotations_and_tells_what_it_left_out() -> None:
    post, tree = pages.thread_of(page("thread.json"), READING)
    assert post is not None
    assert [(one.post_id, one.parent_id, one.root_id) for one in tree.items] == [
        ("t1_c1", "t3_p3", "t3_p3"),
        ("t1_c2", "t1_c1", "t3_p3"),
        ("t1_c4", "t1_c3", "t3_p3"),  # under a comment that was taken away
    ]
    assert tree.items[0].text == "我倒觉得 & 顺了不少"
    assert (tree.more, tree.deeper, tree.faults) == (("c5", "c6"), ("t1_c2",), ())


def test_a_post_that_was_taken_away_is_none() -> None:
    gone = page("thread.json")
    gone[0]["data"]["children"][0]["data"]["removed_by_category"] = "moderator"
    assert pages.thread_of(gone, READING)[0] is None


@pytest.mark.parametrize("odd", [{}, [], {"data": {}}, {"data": {"children": [{"kind": "t5", "data": {}}]}}, "x"])
def test_another_shape_is_changed(odd: Any) -> None:
    with pytest.raises(Changed):
        pages.listing_of(odd, READING)
    with pytest.raises(Changed):
        pages.thread_of(odd, READING)


def test_an_empty_listing_is_empty_and_a_broken_comment_costs_itself() -> None:
    assert pages.listing_of({"data": {"children": [], "after": None}}, READING) == pages.Listing((), (), None)
    broken = page("thread.json")
    del broken[1]["data"]["children"][0]["data"]["created_utc"]
    tree = pages.thread_of(broken, READING)[1]
    assert ([one.post_id for one in tree.items], len(tree.faults)) == (["t1_c4"], 1)
