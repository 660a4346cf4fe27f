"""The Weibo spider against a platform on this machine: everything, each once, no further than its mark."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from listener.demo.platform import PlatformComment, PlatformPost, PlatformServer
from spiders.collect import Collected, CollectJob, Covered, Ended, Event, Noted, Reached, SubjectMark, Trouble, collect
from spiders.items import Item, ItemMedia
from spiders.values import tidy

START = datetime(2026, 1, 1, tzinfo=UTC)
INDEX = "/api/container/getIndex"


def season(seed: int = 7, size: int = 150) -> tuple[list[PlatformPost], list[PlatformComment]]:
    """Posts and comments as a small platform has them; ids are strings of any kind, as in data that was made nameless."""
    chance = random.Random(seed)
    posts: list[PlatformPost] = []
    comments: list[PlatformComment] = []
    words = [
        "晴川真好用",
        "[doge]不过如此",
        "#春日洗护[超话]##打卡[doge]#",
        "问 @小鹿测评 一句",
        "<b>不是标签</b> & 也不是",
        "第一行\n第二行",
        "长" * 300,
    ]
    for number in range(size):
        at = START + timedelta(minutes=37 * number, seconds=chance.randrange(60))
        author = str(7001 + number % 9)
        text = f"晴川 {number}：" + "，".join(chance.sample(words, 3))
        quoted = chance.choice(posts).post_id if posts and chance.random() < 0.1 else None
        pics = ("https://wx1.example/a.jpg",) if chance.random() < 0.2 else ()
        posts.append(PlatformPost(f"{number:032x}", author, f"网友{author}", at, text, number, pics=pics, repost_of=quoted))
        mine: list[PlatformComment] = []
        for answer in range(chance.choice([0, 0, 1, 3, 45])):
            parent = chance.choice(mine).comment_id if mine and chance.random() < 0.5 else None
            when, who = at + timedelta(minutes=1 + answer), f"8{answer:03d}"
            own, text = f"{number:08x}-{answer:023x}", f"评论 {answer}[允悲]"
            comment = PlatformComment(own, posts[-1].post_id, who, "路人", when, text, answer % 5, parent)
            mine.append(comment)
        comments += mine
    return posts, comments


POSTS, COMMENTS = season()


def crawl(server: PlatformServer, **changed: object) -> list[Event]:
    asked = CollectJob("weibo", queries=("晴川",), base_url=server.url, delay_seconds=0)
    return list(collect(replace(asked, **changed)))  # type: ignore[arg-type]


def items(events: list[Event]) -> list[Item]:
    return [event.item for event in events if isinstance(event, Collected)]


def marks(events: list[Event]) -> dict[str, SubjectMark]:
    return {event.subject: SubjectMark(event.posted_at, event.state) for event in events if isinstance(event, Reached)}


def is_done(events: list[Event]) -> bool:
    return isinstance(events[-1], Ended) and events[-1].outcome == "done"


def test_a_search_reads_all_posts_and_comments_each_once() -> None:
    with PlatformServer(POSTS, COMMENTS) as server:
        found = items(crawl(server))
    counted = Counter(item.post_id for item in found)
    assert set(counted) == {post.post_id for post in POSTS} | {comment.comment_id for comment in COMMENTS}
    assert set(counted.values()) == {1}
    by_id = {item.post_id: item for item in found}
    for post in POSTS:
        item = by_id[post.post_id]
        assert (item.text, item.posted_at, item.author_id) == (tidy(post.text), post.posted_at, post.author_id)
        assert (item.kind, item.parent_id) == (("repost", post.repost_of) if post.repost_of else ("post", None))
        assert item.likes == post.likes
        assert item.media == tuple(ItemMedia("image", url) for url in post.pics)
    for comment in COMMENTS:
        item = by_id[comment.comment_id]
        assert (item.text, item.posted_at, item.kind) == (comment.text, comment.posted_at, "comment")
        assert (item.parent_id, item.root_id) == (comment.parent_id or comment.post_id, comment.post_id)


def test_timelines_and_a_search_together_give_each_post_once_and_cover_the_timelines() -> None:
    with PlatformServer(POSTS, COMMENTS) as server:
        events = crawl(server, accounts=tuple(str(7001 + number) for number in range(9)))
    counted = Counter(item.post_id for item in items(events))
    assert len(counted) == len(POSTS) + len(COMMENTS)
    assert set(counted.values()) == {1}
    assert len([event for event in events if isinstance(event, Covered)]) == 9
    assert list(marks(events)) == [*(f"timeline:{7001 + number}" for number in range(9)), "query:晴川"]


def test_crawled_again_with_its_marks_only_what_may_have_changed_is_read() -> None:
    with PlatformServer(POSTS, COMMENTS) as server:
        first = crawl(server)
        asked = len(server.requests)
        again = crawl(server, marks=marks(first), overlap_hours=10)
        assert len(server.requests) - asked < asked / 3
    assert is_done(again)
    before, after = marks(first)["query:晴川"], marks(again)["query:晴川"]
    assert after.posted_at == before.posted_at
    assert after.state["answers"].items() <= before.state["answers"].items()
    read = {item.post_id for item in items(again)}
    assert read < {item.post_id for item in items(first)}
    newest = max(post.posted_at for post in POSTS)
    assert {post.post_id for post in POSTS if post.posted_at > newest - timedelta(hours=10)} <= read


def test_a_season_crawled_as_time_passes_is_read_whole() -> None:
    seen: set[str] = set()
    known: dict[str, SubjectMark] = {}
    with PlatformServer(POSTS, COMMENTS) as server:
        for day in range(1, 6):
            server.visible_until = START + timedelta(days=day)
            events = crawl(server, marks=known, overlap_hours=24)
            assert is_done(events)
            known = marks(events)
            seen |= {item.post_id for item in items(events)}
            assert all(item.posted_at <= server.visible_until for item in items(events))
    assert seen == {post.post_id for post in POSTS} | {comment.comment_id for comment in COMMENTS}


def test_a_new_comment_on_a_post_behind_the_mark_is_heard() -> None:
    posts = [replace(POSTS[number], repost_of=None) for number in range(3)]
    late = PlatformComment("late", posts[0].post_id, "9", "路人", START + timedelta(days=1), "后来才说")
    with PlatformServer(posts) as server:
        first = crawl(server)
        server.comments = (late,)
        again = crawl(server, marks=marks(first))
    assert "late" in {item.post_id for item in items(again)}


def test_a_pinned_post_does_not_stop_a_timeline() -> None:
    posts = [PlatformPost(str(n), "7001", "小鹿", START + timedelta(days=n), f"第 {n} 天", pinned=n == 0) for n in range(40)]
    with PlatformServer(posts) as server:
        events = crawl(server, queries=(), accounts=("7001",), marks={"timeline:7001": SubjectMark(START + timedelta(days=20))})
    read = {int(item.post_id) for item in items(events)}
    assert set(range(20, 40)) | {0} <= read
    assert len(read) < 40
    assert marks(events)["timeline:7001"].posted_at == START + timedelta(days=39)


@pytest.mark.parametrize("paging", ["since_id", "page"])
def test_a_timeline_is_read_to_its_end_in_either_paging(paging: str) -> None:
    posts = [PlatformPost(str(n), "7001", "小鹿", START + timedelta(days=n), f"第 {n} 天") for n in range(40)]
    with PlatformServer(posts, paging=paging) as server:  # type: ignore[arg-type]
        events = crawl(server, queries=(), accounts=("7001",))
    assert len(items(events)) == 40
    assert is_done(events)


def test_a_backfill_reads_its_range_and_leaves_the_mark_alone() -> None:
    mark = {"query:晴川": SubjectMark(START + timedelta(days=30), {"answers": {"x": 1}})}
    since, until = START + timedelta(hours=10), START + timedelta(hours=20)
    with PlatformServer(POSTS, COMMENTS) as server:
        events = crawl(server, since=since, until=until, marks=mark)
    wanted = {post.post_id for post in POSTS if since <= post.posted_at < until}
    posts = [item for item in items(events) if item.kind != "comment"]
    assert wanted <= {item.post_id for item in posts}
    quoted = {post.repost_of for post in POSTS if post.post_id in wanted}
    assert {item.post_id for item in posts} - wanted <= quoted
    assert {item.root_id for item in items(events) if item.kind == "comment"} <= wanted
    assert marks(events) == mark


@pytest.mark.parametrize(
    ("since", "until", "mark", "is_whole"),
    [
        (None, None, None, True),
        (None, None, 20, True),
        (10, None, 20, True),
        (10, None, None, True),
        (30, None, 20, False),
        (None, 30, 20, False),
        (None, 30, None, False),
        (10, 30, None, False),
    ],
)
def test_only_a_timeline_read_from_now_to_its_mark_is_covered(
    since: int | None, until: int | None, mark: int | None, is_whole: bool
) -> None:
    posts = [PlatformPost(str(n), "7001", "小鹿", START + timedelta(days=n), f"第 {n} 天") for n in range(40)]

    def day(number: int | None) -> datetime | None:
        return None if number is None else START + timedelta(days=number)

    known = {} if mark is None else {"timeline:7001": SubjectMark(day(mark))}
    with PlatformServer(posts) as server:
        events = crawl(server, queries=(), accounts=("7001",), since=day(since), until=day(until), marks=known)
    assert is_done(events)
    assert (Covered("weibo", "7001") in events) is is_whole
    assert marks(events)["timeline:7001"].posted_at == (day(39) if is_whole else day(mark))


def test_weibo_speaks_of_chinas_days_wherever_the_workspace_is() -> None:
    posts = [PlatformPost(str(n), "7001", "小鹿", datetime.now(UTC) - timedelta(days=n), f"晴川 {n}") for n in range(1, 5)]
    with PlatformServer(posts, times="relative") as server:
        here, there = (
            {item.post_id: item.posted_at for item in items(crawl(server, timezone=zone))}
            for zone in ("Asia/Shanghai", "America/Los_Angeles")
        )
    assert len(here) == 4
    assert all(abs(here[post_id] - there[post_id]) < timedelta(minutes=2) for post_id in here)


class TakenAway(PlatformServer):
    """A platform that took posts away."""

    removed: frozenset[str] = frozenset()

    def _mblog(self, post: PlatformPost) -> dict[str, object]:
        if post.post_id not in self.removed:
            return super()._mblog(post)
        return {"id": post.post_id, "text": "抱歉，此微博已被作者删除。", "user": None, "deleted": "1"}


@pytest.mark.parametrize("paging", ["since_id", "page"])
def test_a_page_of_deleted_posts_is_passed_over(paging: str) -> None:
    posts = [PlatformPost(str(n), "7001", "小鹿", START + timedelta(days=n), f"第 {n} 天") for n in range(40)]
    platform = TakenAway(posts, paging=paging)  # type: ignore[arg-type]
    platform.removed = frozenset(str(n) for n in range(15, 35))  # newest first: a whole page among them
    with platform as server:
        events = crawl(server, queries=(), accounts=("7001",))
    assert is_done(events)
    assert {int(item.post_id) for item in items(events)} == {*range(15), *range(35, 40)}
    ended = events[-1]
    assert isinstance(ended, Ended)
    assert ended.stats["weibo/hidden_posts"] == 20


def test_without_comments_none_are_asked_for() -> None:
    with PlatformServer(POSTS, COMMENTS) as server:
        events = crawl(server, comments=False)
        assert {path for path, _ in server.requests} == {"/robots.txt", INDEX, "/statuses/extend"}
    assert {item.kind for item in items(events)} == {"post", "repost"}


def test_where_hotflow_is_gone_the_older_address_is_asked() -> None:
    with PlatformServer(POSTS[:20], COMMENTS, has_hotflow=False) as server:
        events = crawl(server)
    wanted = {comment.comment_id for comment in COMMENTS if comment.post_id in {post.post_id for post in POSTS[:20]}}
    assert {item.post_id for item in items(events) if item.kind == "comment"} == wanted
    assert is_done(events)


def test_where_both_addresses_of_comments_are_gone_that_is_a_failure() -> None:
    with PlatformServer(POSTS[:20], COMMENTS, has_hotflow=False, has_show=False) as server:
        events = crawl(server)
    assert [event.kind for event in events if isinstance(event, Trouble)] == ["failed"]
    assert marks(events) == {}


def test_more_pages_than_allowed_before_the_mark_keep_it_back() -> None:
    with PlatformServer(POSTS) as server:
        first = crawl(server, max_pages=2)
        assert is_done(first)
        assert len([item for item in items(first) if not item.parent_id]) <= 20
        cut = crawl(server, max_pages=2, marks={"query:晴川": SubjectMark(START)})
    assert [event.kind for event in cut if isinstance(event, Trouble)] == ["limited"]
    assert marks(cut) == {}
    assert any(isinstance(event, Noted) and event.state["open"] for event in cut)


def test_an_account_that_never_posted_is_covered_and_has_no_mark() -> None:
    with PlatformServer(POSTS) as server:
        events = crawl(server, queries=(), accounts=("123",))
    assert [type(event).__name__ for event in events] == ["Reached", "Covered", "Answered", "Ended"]
    assert events[0] == Reached("timeline:123", None, {})


def test_relative_times_are_read_from_the_moment_of_the_page() -> None:
    now = datetime.now(UTC)
    ages = [timedelta(seconds=5), timedelta(minutes=30), timedelta(hours=5), timedelta(days=40), timedelta(days=500)]
    posts = [PlatformPost(str(n), "7001", "小鹿", now - age, f"晴川 {n}") for n, age in enumerate(ages)]
    with PlatformServer(posts, times="relative") as server:
        found = {item.post_id: item.posted_at for item in items(crawl(server))}
    for post in posts:
        assert abs(found[post.post_id] - post.posted_at) < timedelta(days=1)
    assert abs(found["1"] - posts[1].posted_at) < timedelta(minutes=2)


def test_a_repost_of_a_deleted_post_keeps_its_parent() -> None:
    post = PlatformPost("2", "7001", "小鹿", START, "晴川 可惜", repost_of="gone")
    with PlatformServer([post]) as server:
        (item,) = items(crawl(server))
    assert (item.kind, item.parent_id) == ("repost", "gone")


def test_a_mark_never_lies_in_the_future() -> None:
    ahead = PlatformPost("1", "7001", "小鹿", datetime.now(UTC) + timedelta(days=300), "晴川 穿越")
    with PlatformServer([ahead]) as server:
        events = crawl(server)
    found = marks(events)["query:晴川"].posted_at
    assert found is not None
    assert found <= datetime.now(UTC)


def test_a_post_links_to_its_page_on_the_platform() -> None:
    with PlatformServer(POSTS[:1]) as server:
        (item,) = items(crawl(server))
        assert item.url == f"{server.url}/detail/{POSTS[0].post_id}"
