"""Saved pages of an Isso server, read with the clock stopped."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from spiders.errors import Changed
from spiders.homes import Reading, read_each
from spiders.items import fault_of
from spiders.sites import isso as pages

PAGES = Path(__file__).parents[2] / "pages" / "isso"
READING = Reading(datetime(2026, 3, 7, 4, 30, tzinfo=UTC), UTC, "https://c.example/isso")


def saved(name: str) -> Any:
    return json.loads((PAGES / f"{name}.json").read_bytes())


def test_a_threads_comments_are_read_and_deleted_ones_left_out() -> None:
    roots = pages.thread_of(saved("thread"))
    entries = [one for root in roots for one in (root, *root.get("replies", ()))]
    items, faults = read_each(entries, lambda one: pages.comment_of(one, READING, "/post/1/", "https://blog.example"))
    site = "c.example/isso"
    assert [(one.post_id, one.parent_id, one.author_id) for one in items] == [
        (f"{site}:comment:1", f"{site}:thread:/post/1/", f"{site}:guest:小林"),
        (f"{site}:comment:4", f"{site}:comment:1", f"{site}:guest:数码老王"),
        (f"{site}:comment:5", f"{site}:comment:2", f"{site}:nameless:5"),
    ]
    first = items[0]
    assert (first.text, first.likes, first.comments, first.url) == (
        "用了三天就发烫",
        3,
        2,
        "https://blog.example/post/1/#isso-1",
    )
    assert first.posted_at == datetime.fromtimestamp(1772697600.6361063, UTC)
    assert {one.root_id for one in items} == {f"{site}:thread:/post/1/"}
    assert all(fault_of(item) is None for item in items)
    assert len(faults) == 1


def test_the_newest_comments_name_their_threads() -> None:
    items, faults = pages.latest_of(saved("latest"), READING)
    assert [(one.root_id, one.url) for one in items] == [
        ("c.example/isso:thread:/post/3/", "https://c.example/isso/?uri=%2Fpost%2F3%2F#isso-30"),
        ("c.example/isso:thread:/post/3/", "https://c.example/isso/?uri=%2Fpost%2F3%2F#isso-33"),
    ]
    assert faults == []


def test_another_shape_is_a_changed_page() -> None:
    with pytest.raises(Changed, match="replies"):
        pages.thread_of({"message": "x"})
    with pytest.raises(Changed):
        pages.latest_of({"replies": []}, READING)
