"""Saved pages of a WordPress site, read with the clock stopped."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from scrapy.http import Response

from spiders.errors import Blocked, Changed, Failed, Gone
from spiders.homes import Reading, read_each
from spiders.items import ItemMedia, fault_of
from spiders.sites import wordpress as pages

PAGES = Path(__file__).parents[2] / "pages" / "wordpress"
READING = Reading(datetime(2026, 3, 7, 4, 30, tzinfo=UTC), UTC, "https://blog.example")


def saved(name: str) -> Any:
    return json.loads((PAGES / f"{name}.json").read_bytes())


def answer(name: str, status: int) -> Response:
    return Response("https://blog.example/wp-json/wp/v2/posts", status=status, body=(PAGES / f"{name}.json").read_bytes())


def test_posts_are_read_with_author_time_and_pictures() -> None:
    items, faults = read_each(saved("posts"), lambda one: pages.post_of(one, READING))
    first, second = items
    assert (first.post_id, first.text) == ("blog.example:post:7", "晴川改版 – 测评\n用了一周，掉漆。")
    assert (first.author_id, first.author_name) == ("blog.example:user:2", "小鹿")
    assert first.posted_at == datetime(2026, 3, 5, 10, 1, 1, tzinfo=UTC)
    assert first.media == (ItemMedia("image", "https://blog.example/a.jpg", "掉漆处"),)
    assert (first.likes, first.comments, first.views) == (None, None, None)
    assert (second.author_id, second.author_name) == ("blog.example", "")
    assert all(fault_of(item) is None for item in items)
    assert len(faults) == 1  # and the one behind a password is none


def test_comments_know_what_they_answer_and_pings_are_none() -> None:
    items, faults = read_each(saved("comments"), lambda one: pages.comment_of(one, READING))
    assert [(one.post_id, one.parent_id, one.author_id) for one in items] == [
        ("blog.example:comment:149", "blog.example:comment:148", "blog.example:user:2"),
        ("blog.example:comment:148", "blog.example:post:7", "blog.example:guest:阿秋"),
        ("blog.example:comment:147", "blog.example:post:7", "blog.example:nameless:147"),
    ]
    assert items[1].text == "我也翻车了，避雷。\n第二行"
    assert {one.root_id for one in items} == {"blog.example:post:7"}
    assert faults == []


def test_a_page_past_the_end_a_shut_api_and_a_refusal_look_different() -> None:
    assert pages.gate(answer("past_the_end", 400)) == "end"
    assert pages.gate(answer("shut", 401)) == "none"
    assert pages.gate(Response("https://blog.example/x", status=404, body=b"<html>nothing here</html>")) == "none"
    refusals = [("rest_forbidden", 401, Blocked), ("rest_post_invalid_id", 404, Gone), ("rest_invalid_param", 400, Failed)]
    for code, status, error in refusals:
        with pytest.raises(error, match=code):
            pages.gate(Response("https://blog.example/x", status=status, body=json.dumps({"code": code}).encode()))


def test_a_page_names_its_place_in_the_api() -> None:
    pretty = '<https://blog.example/wp-json/>; rel="https://api.w.org/", <https://blog.example/wp-json/wp/v2/posts/7>'
    plain = "<https://blog.example/zh/index.php?rest_route=/wp/v2/posts/8>; rel=alternate"
    assert pages.api_link_of(Response("https://blog.example/a", headers={"Link": pretty})) == ("https://blog.example", "7")
    assert pages.api_link_of(Response("https://blog.example/a", headers={"Link": plain})) == ("https://blog.example/zh", "8")
    assert pages.api_link_of(Response("https://blog.example/a")) is None


def test_another_shape_is_a_changed_page() -> None:
    with pytest.raises(Changed, match=r"content|title"):
        pages.post_of(saved("posts")[3], READING)
    with pytest.raises(Changed, match="time"):
        pages.comment_of({**saved("comments")[0], "date_gmt": "soon"}, READING)
