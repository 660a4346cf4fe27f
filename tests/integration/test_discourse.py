"""The Discourse spider against a forum on this machine that pages as Discourse does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from spiders.events import Vanished
from tests.sites import Answer, Query, Site, crawled, items_of, marks_of, outcome_of, troubles_of

START = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass
class Forum:
    """Posts by id; hidden ones take an id and are shown to no guest."""

    posts: dict[int, dict[str, Any]] = field(default_factory=dict)
    titles: dict[int, str] = field(default_factory=dict)
    hidden: set[int] = field(default_factory=set)

    def write(self, topic: int, user: str, text: str, answers: int | None = None, *, hidden: bool = False) -> int:
        own = len(self.posts) + 1
        number = 1 + sum(one["topic_id"] == topic for one in self.posts.values())
        at = START + timedelta(minutes=own)
        self.titles.setdefault(topic, f"主题 {topic}")
        self.posts[own] = {
            "id": own, "username": user, "created_at": at.isoformat(), "cooked": f"<p>{text}</p>", "post_number": number,
            "post_type": 1, "reply_to_post_number": answers, "reply_count": 0, "reads": 1, "topic_id": topic,
            "category_id": 6 if topic % 2 else 5, "actions_summary": [], "hidden": False,
        }  # fmt: skip
        self.hidden |= {own} if hidden else set()
        for one in self.posts.values():
            one["reply_count"] += one["topic_id"] == topic and one["post_number"] == answers
        return own

    def seen(self, topic: int | None = None) -> list[dict[str, Any]]:
        return [one for own, one in self.posts.items() if own not in self.hidden and topic in (None, one["topic_id"])]

    def answer(self, path: str, query: Query) -> Answer | None:
        asked, parts = dict(query), path.strip("/").removesuffix(".json").split("/")
        if parts == ["posts"]:
            last = int(asked.get("before") or len(self.posts))
            window = [
                {**one, "topic_title": self.titles[one["topic_id"]]} for one in self.seen() if last - 50 < one["id"] <= last
            ]
            return 200, {}, {"latest_posts": window[::-1]}
        if parts == ["site"]:
            return 200, {}, {"categories": [{"id": 4}, {"id": 6, "parent_category_id": 4}, {"id": 5}]}
        if parts == ["latest"]:
            topics = sorted({one["topic_id"] for one in self.seen()}, reverse=True)
            return 200, {}, {"topic_list": {"topics": [{"id": one} for one in topics]}}
        if parts[0] == "t" and parts[2:] == ["posts"]:
            wanted = [int(value) for name, value in query if name == "post_ids[]"]
            assert len(wanted) <= 20
            return 200, {}, {"post_stream": {"posts": [self.posts[one] for one in wanted]}, "id": int(parts[1])}
        if parts[0] == "t":
            return self._topic(int(parts[1]), int(parts[2]) if len(parts) > 2 else 1)
        if parts[0] == "posts":
            above, after = self.posts[int(parts[1])], int(asked["after"])
            replies = [one for one in self.seen(above["topic_id"]) if one["reply_to_post_number"] == above["post_number"]]
            return 200, {}, [one for one in replies if one["post_number"] > after][:20]
        return self._lists(parts[0], asked)

    def _topic(self, topic: int, near: int) -> Answer | None:
        posts = self.seen(topic)
        if not posts:
            return None
        at = max(0, near - 6) if near > 1 else 0
        stream = {"posts": posts[at : at + 20], "stream": [one["id"] for one in posts]}
        return 200, {}, {"id": topic, "title": self.titles[topic], "posts_count": len(posts), "post_stream": stream}

    def _lists(self, what: str, asked: dict[str, str]) -> Answer | None:
        newest = self.seen()[::-1]
        if what == "search":
            found = [one for one in newest if asked["q"].removesuffix(" order:latest") in one["cooked"]]
            number = int(asked["page"])
            page = [
                {"id": one["id"], "topic_id": one["topic_id"], "blurb": "…"} for one in found[50 * number - 50 : 50 * number]
            ]
            topics = [{"id": one, "title": title, "posts_count": len(self.seen(one))} for one, title in self.titles.items()]
            about = {"more_full_page_results": True if len(found) > 50 * number else None}
            return 200, {}, {"posts": page, "topics": topics, "grouped_search_result": about}
        if what == "user_actions":
            at = int(asked["offset"])
            found = [one for one in newest if one["username"] == asked["username"]][at : at + 30]
            actions = [{"topic_id": one["topic_id"], "post_id": one["id"], "title": "主题", "excerpt": "…"} for one in found]
            return 200, {}, {"user_actions": actions}
        return None


@pytest.fixture
def forum() -> Forum:
    """Nine topics; one of 131 posts; 120 posts on end that no guest may see."""
    made = Forum()
    for topic in range(1, 9):
        made.write(topic, "xiaolu", f"晴川 {topic}，用了一周")
        for number in range(topic * 3):
            made.write(topic, f"user{number % 5}", f"第 {number} 条", 1 if number % 3 == 0 else None)
    for number in range(120):
        made.write(99, "staff", f"私下 {number}", hidden=True)
    made.write(9, "aqiu", "掉漆怎么办")
    for number in range(130):
        made.write(9, f"user{number % 5}", f"晴川楼层 {number}", 3 if number > 100 else None)
    return made


@pytest.fixture
def site(forum: Forum) -> Iterator[Site]:
    with Site(forum.answer) as running:
        yield running


def ids(site: Site, posts: list[dict[str, Any]]) -> set[str]:
    return {f"{site.site}:topic:{one['topic_id']}:{one['post_number']}" for one in posts}


def test_a_whole_forum_is_read_each_post_once_past_those_that_nobody_may_see(site: Site, forum: Forum) -> None:
    events = crawled("discourse", urls=(f"{site.url}/",))
    counted = Counter(item.post_id for item in items_of(events))
    assert set(counted) == ids(site, forum.seen())
    assert set(counted.values()) == {1}
    assert outcome_of(events) == "done"
    by_id = {item.post_id: item for item in items_of(events)}
    assert by_id[f"{site.site}:topic:9:120"].parent_id == f"{site.site}:topic:9:3"
    assert by_id[f"{site.site}:topic:9:1"].text == "主题 9\n掉漆怎么办"


def test_the_next_crawl_reads_what_is_new_and_no_further(site: Site, forum: Forum) -> None:
    first = crawled("discourse", urls=(site.url,))
    forum.write(1, "xiaolu", "一个月后：改口了", 2)
    site.requests.clear()
    again = crawled("discourse", urls=(site.url,), marks=marks_of(first), overlap_hours=0.2)
    assert items_of(again)[0].text == "一个月后：改口了"
    assert items_of(again)[0].parent_id == f"{site.site}:topic:1:2"
    assert len(site.requests) == 1


def test_a_forum_whose_newest_posts_are_all_hidden_is_read_below_them(forum: Forum) -> None:
    for number in range(60):
        forum.write(99, "staff", f"私下 {number}", hidden=True)
    with Site(forum.answer) as site:
        events = crawled("discourse", urls=(site.url,))
        assert {item.post_id for item in items_of(events)} == ids(site, forum.seen())


def test_a_category_has_those_below_it_and_no_others(site: Site, forum: Forum) -> None:
    events = crawled("discourse", urls=(f"{site.url}/c/ce-ping/4",))
    assert {item.post_id for item in items_of(events)} == ids(site, [one for one in forum.seen() if one["topic_id"] % 2])


def test_searches_and_timelines_are_read_whole(site: Site, forum: Forum) -> None:
    asked = {"queries": ("晴川",), "accounts": (f"{site.site}:user:user3",), "base_url": site.url, "comments": False}
    events = crawled("discourse", **asked)
    wanted = [one for one in forum.seen() if "晴川" in one["cooked"] or one["username"] == "user3"]
    assert {item.post_id for item in items_of(events)} == ids(site, wanted)
    assert all("…" not in item.text for item in items_of(events))
    assert outcome_of(events) == "done"


def test_one_topic_is_read_as_a_tree_beyond_its_first_page(site: Site, forum: Forum) -> None:
    events = crawled("discourse", posts=(f"{site.url}/t/zhu-ti/9",))
    assert {item.post_id for item in items_of(events)} == ids(site, forum.seen(9))
    assert {item.root_id for item in items_of(events)[1:]} == {f"{site.site}:topic:9:1"}
    again = crawled("discourse", urls=(f"{site.url}/t/zhu-ti/9",))
    assert [item.posted_at for item in items_of(again)] == sorted((item.posted_at for item in items_of(events)), reverse=True)


def test_one_answer_is_read_with_those_that_answer_it(site: Site) -> None:
    events = crawled("discourse", posts=(f"{site.site}:topic:9:3",), base_url=site.url)
    assert [item.text for item in items_of(events)] == ["晴川楼层 1", *(f"晴川楼层 {n}" for n in range(101, 130))]


def test_what_is_there_no_more_and_what_is_no_topic_are_told(site: Site) -> None:
    events = crawled("discourse", posts=(f"{site.url}/t/x/77", f"{site.url}/about"), urls=(f"{site.url}/tag/x",))
    kinds = troubles_of(events)
    assert [kind for kind, _ in kinds] == ["failed"] * 3
    assert "tag/x" in kinds[0][1]
    assert "404" in kinds[1][1]
    assert "about" in kinds[2][1]


def test_too_many_replies_are_told(site: Site) -> None:
    events = crawled("discourse", posts=(f"{site.site}:topic:9:1",), base_url=site.url, max_comment_pages=2)
    assert [kind for kind, _ in troubles_of(events)] == ["limited"]
    assert len(items_of(events)) == 40


def test_a_search_past_what_discourse_gives_is_told(site: Site, forum: Forum) -> None:
    for number in range(600):
        forum.write(9, "pine", f"星澜 {number}")
    events = crawled("discourse", queries=("星澜",), base_url=site.url, comments=False)
    assert (len(items_of(events)), [kind for kind, _ in troubles_of(events)]) == (500, ["limited"])


def test_a_person_is_read_by_address_and_a_post_that_is_gone_is_told(site: Site, forum: Forum) -> None:
    read = {item.author_id for item in items_of(crawled("discourse", urls=(f"{site.url}/u/user3",), comments=False))}
    assert read == {f"{site.site}:user:user3"}
    forum.hidden |= {own for own, one in forum.posts.items() if one["topic_id"] == 9 and one["post_number"] == 40}
    gone = f"{site.url}/t/zhu-ti/9/40"
    assert [one.ref for one in crawled("discourse", looks=(gone,), own_urls=(site.url,)) if isinstance(one, Vanished)] == [gone]
