"""Saved answers about Hacker News, read with the clock stopped."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from spiders.errors import Changed
from spiders.homes import Reading
from spiders.items import ItemMedia, fault_of
from spiders.sites import hackernews as pages

PAGES = Path(__file__).parents[2] / "pages" / "hackernews"
READING = Reading(datetime(2026, 3, 7, 4, 30, tzinfo=UTC), UTC, "https://hn.algolia.com")


def saved(name: str) -> Any:
    return json.loads((PAGES / f"{name}.json").read_bytes())


def test_hits_are_stories_and_comments() -> None:
    items, faults, seconds = pages.hits_of(saved("search_by_date"), READING)
    comment, story = items
    assert comment.text == "The case peels after a week.\nI returned mine & got no answer: https://shop.example"
    assert (comment.post_id, comment.kind, comment.parent_id, comment.root_id) == ("42", "comment", "41", "41")
    assert (comment.author_id, comment.likes, comment.comments) == ("deer", None, None)
    assert (story.text, story.likes, story.comments) == ("Show HN: Qingchuan\nWe made a cup.", 17, 2)
    assert story.media == (ItemMedia("card", "https://qingchuan.example/"),)
    assert (story.url, story.posted_at) == ("https://news.ycombinator.com/item?id=41", datetime(2026, 3, 5, 8, tzinfo=UTC))
    assert (len(faults), seconds) == (1, [1772701200, 1772697600])
    assert all(fault_of(item) is None for item in items)


def test_a_tree_keeps_who_answers_whom_and_leaves_out_what_is_deleted() -> None:
    items = list(pages.tree_of(saved("item"), READING))
    assert [(one.post_id, one.parent_id, one.root_id) for one in items] == [
        ("41", None, None),
        ("42", "41", "41"),
        ("44", "42", "41"),
        ("45", "43", "41"),
    ]
    assert [one.comments for one in items] == [3, 1, 0, 0]


def test_firebase_tells_the_same_posts_in_its_own_words() -> None:
    story, comment, deleted, option = saved("firebase")
    item = pages.fire_of(story, READING)
    assert item is not None
    assert (item.text, item.likes, item.comments, item.parent_id) == ("Show HN: Qingchuan\nWe made a cup.", 17, 2, None)
    answer = pages.fire_of(comment, READING, 41)
    assert answer is not None
    assert (answer.post_id, answer.parent_id, answer.root_id, answer.comments) == ("42", "41", "41", 1)
    assert (pages.fire_of(deleted, READING), pages.fire_of(option, READING)) == (None, None)


def test_another_shape_is_a_changed_page() -> None:
    with pytest.raises(Changed, match="hits"):
        pages.hits_of({"message": "limit"}, READING)
    with pytest.raises(Changed, match="children"):
        list(pages.tree_of({"id": 4}, READING))
