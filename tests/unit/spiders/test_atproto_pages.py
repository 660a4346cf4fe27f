"""Saved answers of an AppView → items: kinds, parents, times, pictures, and what is not shown."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from spiders.errors import Blocked, Changed, Failed, Gone
from spiders.items import ItemMedia, fault_of
from spiders.sites import atproto_pages as pages

PAGES = Path(__file__).parents[2] / "pages" / "atproto"
READING = pages.Reading(datetime(2026, 3, 2, tzinfo=UTC), UTC)
LU, QIU = "at://did:plc:xiaolu/app.bsky.feed.post/", "at://did:plc:aqiu/app.bsky.feed.post/"


def page(name: str) -> Any:
    return json.loads((PAGES / name).read_text(encoding="utf-8"))


def test_an_authors_feed_is_posts_answers_quotes_and_reposts() -> None:
    shown = pages.feed_of(page("author_feed.json"), READING)
    assert [(one.item.post_id.rpartition("/")[2], one.item.kind, one.pinned, one.answers) for one in shown.found] == [
        ("3a", "post", True, 0),
        ("3e", "post", False, 3),
        ("3b", "post", True, 0),  # what is passed on, for whoever reads that
        ("3dd", "repost", False, 0),
        ("3b", "post", True, 0),
        ("3d", "repost", False, 0),
        ("3c", "comment", False, 0),
        ("2z", "post", False, 0),
        ("2y", "post", False, 0),
    ]
    assert shown.next == "1772000000000__bafy"
    assert len(shown.faults) == 1
    assert [fault_of(one.item) for one in shown.found] == [None] * 9
    _, pics, original, boost, quoted, quote, answer, *_ = (one.item for one in shown.found)
    assert (pics.author_id, pics.author_name, pics.text) == ("did:plc:xiaolu", "小鹿", "瓶身掉漆，\n才用两周 😤")
    assert (pics.likes, pics.comments, pics.reposts, pics.views) == (30, 2, 2, None)
    assert pics.media == (ItemMedia("image", "https://cdn.example/f.jpg", "掉漆处"),)
    assert pics.url == "https://bsky.app/profile/did:plc:xiaolu/post/3e"
    assert (boost.author_id, boost.parent_id, boost.text) == (
        "did:plc:xiaolu",
        original.post_id,
        "//@aqiu.example: 晴川新款真香",
    )
    assert boost.posted_at == datetime(2026, 2, 28, 12, tzinfo=UTC)
    assert (quote.text, quote.parent_id, quote.root_id) == ("不太同意，留香太短", quoted.post_id, quoted.post_id)
    assert quote.media == (ItemMedia("card", "https://blog.example/7", "长测"),)
    assert (answer.parent_id, answer.root_id) == (f"{QIU}3bb", f"{QIU}3b")


def test_a_post_is_as_old_as_its_author_says_but_no_younger_than_the_server_saw_it() -> None:
    shown = {one.item.post_id: one.item.posted_at for one in pages.feed_of(page("author_feed.json"), READING).found}
    assert shown[f"{LU}2z"] == datetime(2025, 1, 1, tzinfo=UTC)
    assert shown[f"{LU}2y"] == datetime(2026, 2, 25, 2, tzinfo=UTC)


def test_a_thread_is_a_tree_whose_hidden_and_deeper_answers_are_told() -> None:
    thread = pages.thread_of(page("thread.json"), READING)
    assert [(one.post_id, one.parent_id, one.root_id) for one in thread.answers] == [
        (f"{QIU}4a", f"{LU}3e", f"{LU}3e"),
        (f"{QIU}4c", f"{LU}3e", f"{LU}3e"),
        (f"{LU}4b", f"{QIU}4a", f"{LU}3e"),
    ]
    assert {one.kind for one in thread.answers} == {"comment"}
    assert thread.more == (f"{QIU}4c",)
    assert thread.hidden == 2  # four are counted, two are shown: one is blocked, one is gone


def test_an_answer_that_can_not_be_read_is_told_and_costs_itself_alone() -> None:
    broken = page("thread.json")
    del broken["thread"]["replies"][0]["post"]["record"]
    thread = pages.thread_of(broken, READING)
    assert (len(thread.answers), len(thread.faults)) == (1, 1)


@pytest.mark.parametrize("kind", ["notFoundPost", "blockedPost"])
def test_a_thread_of_nothing_is_gone(kind: str) -> None:
    with pytest.raises(Gone):
        pages.thread_of({"thread": {"$type": f"app.bsky.feed.defs#{kind}", "uri": "at://x"}}, READING)


def test_another_shape_is_changed_and_an_empty_page_is_empty() -> None:
    assert pages.posts_of({"posts": []}, READING) == pages.Shown((), (), None)
    for odd in ({}, {"posts": None}, [], "x", {"feed": [1]}):
        with pytest.raises(Changed):
            pages.posts_of(odd, READING)
    assert len(pages.posts_of({"posts": [1, None, {"uri": "at://x"}]}, READING).faults) == 3
    with pytest.raises(Changed):
        pages.item_of({"uri": "at://x", "author": {"did": "did:plc:x"}, "record": {"text": "何时"}}, READING)


def test_a_list_or_a_feed_that_is_embedded_is_no_quote() -> None:
    view = page("thread.json")["thread"]["post"]
    view["record"]["embed"] = {"$type": "app.bsky.embed.record", "record": {"uri": "at://did:plc:x/app.bsky.graph.list/3"}}
    view["embed"] = {"record": {"$type": "app.bsky.graph.defs#listView", "uri": "at://did:plc:x/app.bsky.graph.list/3"}}
    assert pages.item_of(view, READING).kind == "post"
    assert pages.quoted_of(view, READING) is None


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"error": "InvalidRequest", "message": "Profile not found"}, Gone),
        ({"error": "NotFound", "message": "Post not found: at://x"}, Gone),
        ({"error": "BlockedActor", "message": "Requester has blocked actor"}, Blocked),
        ({"error": "AccountTakedown", "message": "Account has been suspended"}, Blocked),
        ({"error": "InvalidRequest", "message": "limit must be an integer"}, Failed),
        ({"what": 1}, Changed),
        ([], Changed),
    ],
)
def test_a_refusal_is_told_for_what_it_is(answer: Any, kind: type[Exception]) -> None:
    assert type(pages.refusal_of(answer, "https://x")) is kind


def test_a_video_is_media_too() -> None:
    view = page("thread.json")["thread"]["post"]
    view["embed"] = {"$type": "app.bsky.embed.video#view", "playlist": "https://v.example/p.m3u8", "alt": "开箱"}
    assert pages.item_of(view, READING).media == (ItemMedia("video", "https://v.example/p.m3u8", "开箱"),)
