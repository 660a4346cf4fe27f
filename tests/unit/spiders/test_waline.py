"""Saved pages of a Waline server, read with the clock stopped."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from spiders.errors import Changed, Failed
from spiders.homes import Reading, read_each
from spiders.items import fault_of
from spiders.sites import waline as pages

PAGES = Path(__file__).parents[2] / "pages" / "waline"
READING = Reading(datetime(2026, 3, 7, 4, 30, tzinfo=UTC), UTC, "https://c.example")


def saved(name: str) -> Any:
    return json.loads((PAGES / f"{name}.json").read_bytes())


def test_a_threads_comments_are_read_with_whom_they_answer() -> None:
    entries, count = pages.thread_of(saved("thread"))
    items, faults = read_each(entries, lambda one: pages.comment_of(one, READING, "/post/1/", "https://blog.example"))
    assert count == 5
    assert [(one.post_id, one.parent_id, one.author_id) for one in items] == [
        ("c.example:comment:19", "c.example:thread:/post/1/", "c.example:user:3"),
        ("c.example:comment:17", "c.example:thread:/post/1/", "c.example:guest:小林"),
        ("c.example:comment:18", "c.example:comment:17", "c.example:guest:数码老王"),
        ("c.example:comment:21", "c.example:comment:18", "c.example:nameless:21"),
    ]
    root = items[1]
    assert (root.text, root.likes, root.comments, root.url) == ("客服推脱不给退", 2, 3, "https://blog.example/post/1/#17")
    assert root.posted_at == datetime(2026, 3, 5, 8, 0, 0, 935000, tzinfo=UTC)
    assert items[0].text == "置顶：[doge] 先看说明"
    assert all(fault_of(item) is None for item in items)
    assert len(faults) == 1


def test_the_newest_comments_name_their_threads() -> None:
    entries = pages.recent_of(saved("recent"))
    assert [entry["url"] for entry in entries] == ["/post/1/", "/评测.html"]


def test_a_server_that_fails_and_a_changed_page_look_different() -> None:
    with pytest.raises(Failed, match="1000"):
        pages.thread_of(saved("failed"))
    with pytest.raises(Changed, match="errno"):
        pages.thread_of([])
    with pytest.raises(Changed, match="objectId"):
        pages.comment_of({"comment": "<p>x</p>"}, READING, "/")
