"""One post of Weibo by its address: with its comments as a tree, and its reposts where a guest is told them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from listener.demo.platform import PlatformComment, PlatformPost, PlatformServer
from spiders.collect import Reached, Vanished
from tests.local_site import crawled, items_of, outcome_of, troubles_of

START = datetime(2026, 1, 1, tzinfo=UTC)
POST = PlatformPost("4400", "7001", "小鹿", START, "晴川用了一周，" + "细说。" * 100, likes=3, reposts=25)
REPOSTS = [
    PlatformPost(f"45{n:02}", f"81{n:02}", "路人", START + timedelta(hours=n), f"转发 {n}，" + "长" * 200, repost_of="4400")
    for n in range(24)
]
COMMENTS = [
    PlatformComment(f"c{n}", "4400", "9", "网友", START + timedelta(minutes=n), f"评论 {n}", parent_id="c3" if n > 20 else None)
    for n in range(40)
]


@pytest.mark.parametrize("ref", ["4400", "https://m.weibo.cn/detail/4400", "https://weibo.com/7001/4400?type=comment"])
def test_a_post_is_read_whole_with_its_tree_and_its_reposts(ref: str) -> None:
    with PlatformServer([POST, *REPOSTS], COMMENTS) as server:
        events = crawled("weibo", posts=(ref,), base_url=server.url)
    found = {item.post_id: item for item in items_of(events)}
    assert outcome_of(events) == "done"
    assert set(found) == {"4400", *(one.post_id for one in REPOSTS), *(one.comment_id for one in COMMENTS)}
    assert found["4400"].text == POST.text
    assert found["c30"].parent_id == "c3"
    assert {(item.kind, item.parent_id, item.root_id) for item in found.values() if item.post_id.startswith("45")} == {
        ("repost", "4400", "4400")
    }
    assert all(found[one.post_id].text == one.text for one in REPOSTS)
    assert [event.subject for event in events if isinstance(event, Reached)] == [f"post:{ref}"]


def test_where_a_guest_is_not_told_the_reposts_that_is_a_limit_and_no_failure() -> None:
    with PlatformServer([POST, *REPOSTS], COMMENTS, shows_reposts=False) as server:
        events = crawled("weibo", posts=("4400",), base_url=server.url)
    assert len(items_of(events)) == 41
    (trouble,) = troubles_of(events)
    assert (trouble.kind, "reposts of 1 posts" in trouble.message) == ("limited", True)
    assert outcome_of(events) == "done"


def test_reposts_of_a_timeline_are_read_where_that_is_asked_for_and_a_wall_is_asked_once() -> None:
    posts = [PlatformPost(f"46{n}", "7001", "小鹿", START + timedelta(days=n), "晴川", reposts=2) for n in range(3)]
    shared = [PlatformPost(f"47{n}", "8", "路人", START + timedelta(days=5), "转", repost_of="460") for n in range(2)]
    with PlatformServer([*posts, *shared]) as server:
        without = items_of(crawled("weibo", accounts=("7001",), base_url=server.url))
        asked = items_of(crawled("weibo", accounts=("7001",), base_url=server.url, options={"reposts": True}))
    assert (len(without), len(asked)) == (3, 5)
    posts = [PlatformPost(f"46{n}", "7001", "小鹿", START + timedelta(days=n), "晴川", reposts=2, comments=1) for n in range(3)]
    with PlatformServer([*posts, *shared], shows_reposts=False) as server:
        events = crawled("weibo", accounts=("7001",), base_url=server.url, options={"reposts": True})
        walls = [path for path, _ in server.requests if path.endswith("repostTimeline")]
    assert len(walls) == 1
    assert "reposts of 3 posts" in troubles_of(events)[0].message


def test_a_post_that_was_taken_away_is_gone_and_one_that_is_no_address_is_refused() -> None:
    with PlatformServer([POST]) as server:
        gone = crawled("weibo", posts=("4999",), base_url=server.url)
        odd = crawled("weibo", posts=("https://weibo.com/",), base_url=server.url)
        looked = crawled("weibo", looks=("4999", f"{server.url}/detail/4400"), base_url=server.url)
    assert [outcome_of(one) for one in (gone, odd)] == ["failed", "failed"]
    assert "no such post" in troubles_of(gone)[0].message
    assert Vanished("4999") in looked
    assert [item.post_id for item in items_of(looked)] == ["4400"]
