"""Saved answers of Bilibili's interfaces → items; what a code means."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from spiders.errors import Blocked, Changed, Failed, Gone
from spiders.items import ItemMedia, fault_of
from spiders.sites import bilibili_pages as pages

PAGES = Path(__file__).parents[2] / "pages" / "bilibili"
READING = pages.Reading(datetime(2026, 3, 2, tzinfo=UTC), ZoneInfo("Asia/Shanghai"))


def page(name: str) -> Any:
    return json.loads((PAGES / name).read_text(encoding="utf-8"))


def test_a_space_is_words_pictures_videos_and_what_is_passed_on() -> None:
    space = pages.space_of(page("space.json"), READING)
    pin, draw, video, forward, lost = space.posts
    assert (space.next, len(space.faults)) == ("990000000000000006", 1)
    assert [one.pinned for one in space.posts] == [True, False, False, False, False]
    assert draw.item.text == "晴川护发素\n第三周 [doge]"
    assert [media.url for media in draw.item.media] == ["http://i0.example/a.jpg", "https://i0.example/b.jpg"]
    assert (draw.kind, draw.oid, draw.item.url) == ("11", "330001", "https://t.bilibili.com/990000000000000002")
    assert (draw.item.likes, draw.item.comments, draw.item.reposts, draw.item.views) == (9, 3, 2, None)
    assert draw.item.posted_at == datetime.fromtimestamp(1772330000, UTC)
    assert (video.item.post_id, video.kind, video.oid, video.item.views) == ("77001", "1", "77001", 12000)
    assert video.item.text == "头皮出油怎么办\n五款横评"
    assert video.item.media == (ItemMedia("video", "https://www.bilibili.com/video/BV1xx411c7mD/", "头皮出油怎么办"),)
    assert forward.quoted is not None
    assert (forward.item.kind, forward.item.parent_id, forward.item.text) == ("repost", "990000000000000004", "我那瓶也是")
    assert (forward.quoted.text, forward.quoted.author_id) == ("掉漆记\n瓶身掉漆，客服说正常", "601")
    assert (lost.quoted, lost.item.parent_id, lost.item.kind) == (None, "990000000000000009", "repost")
    assert [fault_of(one.item) for one in (pin, draw, video, forward, lost)] == [None] * 5


def test_a_video_and_its_comments_with_their_answers() -> None:
    video = pages.video_of(page("video.json"), READING)
    assert (video.post_id, video.comments, video.views, video.likes, video.reposts) == ("77001", 63, 12034, 310, 7)
    replies = pages.replies_of(page("replies.json"), video, READING)
    assert [(one.post_id, one.parent_id, one.root_id) for one in replies.comments] == [
        ("9100", "77001", "77001"),
        ("9101", "77001", "77001"),
        ("9102", "9101", "77001"),
        ("9103", "9102", "77001"),
        ("9104", "77001", "77001"),
    ]
    assert (replies.more, replies.count, replies.roots, len(replies.faults)) == (("9101",), 63, 3, 1)
    first = replies.comments[1]
    assert first.url == "https://www.bilibili.com/video/BV1xx411c7mD/#reply9101"
    assert first.media == (ItemMedia("image", "https://i0.example/d.jpg"),)
    assert [fault_of(one) for one in replies.comments] == [None] * 5


@pytest.mark.parametrize(
    ("code", "kind", "patience"),
    [(-352, Blocked, 1), (-412, Blocked, 1), (-101, Blocked, 3), (-404, Gone, 0), (62002, Gone, 0), (-500, Failed, 3)],
)
def test_a_code_is_told_for_what_it_is(code: int, kind: type[Failed], patience: int) -> None:
    with pytest.raises(kind) as told:
        pages.space_of({"code": code, "message": "不给看"}, READING)
    assert told.value.patience == patience


def test_closed_comments_are_none_and_no_comments_are_none_too() -> None:
    video = pages.video_of(page("video.json"), READING)
    assert pages.replies_of({"code": 12002, "message": "评论区已关闭"}, video, READING).comments == ()
    nothing = {
        "code": 0,
        "data": {"page": {"num": 1, "size": 20, "count": 0, "acount": 0}, "replies": None, "upper": {"top": None}},
    }
    assert pages.replies_of(nothing, video, READING) == pages.Replies((), (), (), 0, 0, 20)


@pytest.mark.parametrize("odd", [{}, [], {"code": "0"}, {"code": 0}, {"code": 0, "data": {}}])
def test_another_shape_is_changed(odd: Any) -> None:
    for read in (pages.space_of, pages.detail_of, pages.video_of):
        with pytest.raises(Changed):
            read(odd, READING)
    video = pages.video_of(page("video.json"), READING)
    with pytest.raises(Changed):
        pages.replies_of({"code": 0, "data": {"replies": {"a": 1}}}, video, READING)
