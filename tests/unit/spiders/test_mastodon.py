"""Saved pages of a Mastodon server, read with the clock stopped."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from scrapy.http import Response

from spiders.errors import Changed
from spiders.homes import Reading
from spiders.items import ItemMedia, fault_of
from spiders.sites import mastodon as pages

PAGES = Path(__file__).parents[2] / "pages" / "mastodon"
READING = Reading(datetime(2026, 3, 7, 4, 30, tzinfo=UTC), UTC, "https://m.example")


def saved(name: str) -> Any:
    return json.loads((PAGES / f"{name}.json").read_bytes())


def test_a_post_has_its_warning_words_choices_and_pictures_but_no_link_to_what_it_quotes() -> None:
    item = pages.item_of(saved("timeline")[2], READING, "m.example")
    assert item.text == "长文\n第一行\n第二行 & https://shop.example/p/1\n退\n不退"
    assert (item.post_id, item.author_id) == ("https://m.example/users/xiaolu/statuses/1102", "xiaolu@m.example")
    assert (item.likes, item.comments, item.reposts, item.views) == (11, 3, 6, None)
    assert item.media == (
        ItemMedia("image", "https://files.m.example/1.jpg", "掉漆的杯子"),
        ItemMedia("video", "https://files.m.example/2.mp4"),
        ItemMedia("card", "https://shop.example/p/1", "杯子"),
    )
    assert (item.kind, item.parent_id, item.posted_at.hour, fault_of(item)) == ("post", None, 3, None)


def test_a_boost_is_a_repost_that_quotes_what_it_passes_on() -> None:
    item = pages.item_of(saved("timeline")[0], READING, "m.example")
    assert item.text == "//@aqiu@other.example: 晴川客服#星澜 三天没回"
    assert (item.kind, item.parent_id) == ("repost", "https://other.example/users/aqiu/statuses/1090")
    assert (item.author_id, item.likes, item.comments) == ("xiaolu@m.example", None, None)
    assert item.post_id == "https://m.example/users/xiaolu/statuses/1104/activity"
    assert item.url == "https://m.example/@xiaolu/1104"


def test_an_answer_learns_from_its_thread_where_it_hangs() -> None:
    status, root = saved("timeline")[1], "https://other.example/users/aqiu/statuses/1090"
    places = pages.places_of(status, saved("context"))
    assert places["1103"] == pages.Place(root, root)
    assert places["1106"] == pages.Place("https://other.example/users/aqiu/statuses/1105", root)
    item = pages.item_of(status, READING, "m.example", places["1103"])
    assert (item.kind, item.parent_id, item.root_id, item.text) == ("comment", root, root, "@aqiu 我的也掉漆")


def test_an_answer_to_a_post_that_is_gone_still_answers_something() -> None:
    item = pages.item_of(saved("timeline")[1], READING, "m.example")
    assert (item.kind, item.parent_id) == ("comment", "m.example:status:1090")


def test_a_post_without_a_time_is_a_changed_page() -> None:
    with pytest.raises(Changed, match="time"):
        pages.item_of(saved("timeline")[3], READING, "m.example")


def test_the_link_header_tells_the_next_page() -> None:
    link = '<https://m.example/api/v1/timelines/tag/x?max_id=1090>; rel="next", <https://m.example/x?min_id=2>; rel="prev"'
    assert pages.next_of(Response("https://m.example/x", headers={"Link": link})) == "1090"
    assert pages.next_of(Response("https://m.example/x")) is None
