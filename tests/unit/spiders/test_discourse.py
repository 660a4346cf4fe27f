"""Saved pages of a Discourse forum, read with the clock stopped."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from spiders.errors import Changed
from spiders.homes import Reading
from spiders.items import ItemMedia, fault_of
from spiders.sites import discourse as pages

PAGES = Path(__file__).parents[2] / "pages" / "discourse"
READING = Reading(datetime(2026, 3, 7, 4, 30, tzinfo=UTC), UTC, "https://bbs.example")


def saved(name: str) -> Any:
    return json.loads((PAGES / f"{name}.json").read_bytes())


def test_the_newest_posts_of_a_forum_are_read_but_for_hidden_ones_and_events() -> None:
    posts, faults, entries = pages.latest_of(saved("latest"), READING)
    assert [one.post_id for one in posts] == ["bbs.example:topic:12:5", "bbs.example:topic:13:1"]
    assert all(fault_of(one) is None for one in posts)
    assert len(faults) == 1
    assert len(entries) == 5


def test_an_answer_speaks_its_own_words_and_not_those_it_quotes_or_links() -> None:
    answer = pages.latest_of(saved("latest"), READING)[0][0]
    assert answer.text == "我的没掉， 可能批次不同。链接"
    assert (answer.kind, answer.parent_id, answer.root_id) == ("comment", "bbs.example:topic:12:3", "bbs.example:topic:12:1")
    assert (answer.author_id, answer.url) == ("bbs.example:user:aqiu", "https://bbs.example/t/12/5")
    assert (answer.likes, answer.comments, answer.views, answer.reposts) == (3, 0, 7, None)
    assert answer.posted_at == datetime(2026, 3, 5, 12, 30, 0, 478000, tzinfo=UTC)
    assert answer.seen_at == READING.now


def test_a_topics_first_post_has_its_title_and_pictures() -> None:
    first = pages.latest_of(saved("latest"), READING)[0][1]
    assert first.text == "晴川改版 & 配方\n改版后香精提前两位"
    assert first.media == (ItemMedia("image", "https://bbs.example/uploads/default/1.jpg", "配方表"),)
    assert (first.kind, first.parent_id, first.comments) == ("post", None, None)


def test_a_topic_tells_the_ids_of_all_its_posts_and_how_many_answers_it_has() -> None:
    topic = pages.topic_of(saved("topic"), READING)
    assert topic.stream == (101, 102, 103, 120, 121)
    assert [one.parent_id for one in topic.posts] == [None, "bbs.example:topic:12:1", "bbs.example:topic:12:2"]
    assert (topic.posts[0].text, topic.posts[0].comments) == ("掉漆怎么办\n第 1 楼", 4)


def test_lists_name_posts_and_what_is_known_of_their_topics() -> None:
    assert pages.search_of(saved("search")) == ([pages.Ref(13, 103, pages.About("晴川改版", 3))], True)
    assert [(ref.topic, ref.post) for ref in pages.actions_of(saved("user_actions"))] == [(13, 103), (12, 102)]


def test_a_search_without_hits_is_empty_and_another_shape_is_a_changed_page() -> None:
    assert pages.search_of(saved("search_empty")) == ([], False)
    with pytest.raises(Changed, match="grouped_search_result"):
        pages.search_of({"posts": []})
    with pytest.raises(Changed, match="latest_posts"):
        pages.latest_of({"errors": ["x"]}, READING)
