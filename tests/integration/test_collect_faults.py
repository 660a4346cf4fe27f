"""A platform that misbehaves: blocked, changed and failed look different, and none of them looks empty."""

from __future__ import annotations

import stat
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from listener.demo.platform import Fault, FaultKind, PlatformComment, PlatformPost, PlatformServer
from spiders.collect import Collected, CollectJob, Covered, Ended, Event, Reached, Trouble, collect

START = datetime(2026, 1, 1, tzinfo=UTC)
POSTS = [
    PlatformPost(
        f"{author}{number:04d}",
        author,
        "小鹿",
        START + timedelta(hours=number),
        f"晴川第 {number} 天" + "，很长" * 60 * (number == 3),
    )
    for author in ("7001", "7002", "7003", "7004", "7005")
    for number in range(15)
]
COMMENTS = [
    PlatformComment(f"c{number}", "70010014", "7009", "路人", START + timedelta(days=2, minutes=number), f"评论 {number}")
    for number in range(25)
]
INDEX = "/api/container/getIndex"


def crawl(server: PlatformServer, **changed: object) -> list[Event]:
    asked = CollectJob("weibo", accounts=("7001",), base_url=server.url, delay_seconds=0, timeout_seconds=2, retries=1)
    return list(collect(replace(asked, **changed)))  # type: ignore[arg-type]


def troubles(events: list[Event]) -> list[tuple[str, str]]:
    return [(event.kind, event.subject) for event in events if isinstance(event, Trouble)]


def message(events: list[Event]) -> str:
    return next(event.message for event in events if isinstance(event, Trouble))


def outcome(events: list[Event]) -> str:
    assert isinstance(events[-1], Ended)
    return events[-1].outcome


def ids(events: list[Event]) -> list[str]:
    return [event.item.post_id for event in events if isinstance(event, Collected)]


@pytest.mark.parametrize(
    ("kind", "trouble", "words"),
    [
        ("captcha", "blocked", "验证码"),
        ("login", "blocked", "登录"),
        ("login-page", "blocked", "登录"),
        ("offsite", "blocked", "登录"),
        ("throttled", "blocked", "432"),
        ("forbidden", "blocked", "403"),
        ("too-many", "blocked", "429"),
        ("changed", "changed", "ok"),
        ("garbage", "changed", "JSON"),
        ("odd-card", "changed", "没有作者"),
        ("error", "failed", "500"),
        ("truncated", "failed", "一半"),
        ("reset", "failed", "连不上"),
        ("hang", "failed", "2 秒"),
        ("drip", "failed", "2 秒"),
        ("huge", "failed", "太大"),
        ("loop", "failed", "跳转"),
    ],
)
def test_what_goes_wrong_is_told_as_what_it_is(kind: FaultKind, trouble: str, words: str, tmp_path: Path) -> None:
    with PlatformServer(POSTS, faults=[Fault(kind, INDEX, after=1)]) as server:
        events = crawl(server, pages_dir=str(tmp_path / "pages"))
    assert troubles(events) == [(trouble, "timeline:7001")]
    assert words in message(events)
    assert " / " in message(events)
    assert outcome(events) == ("blocked" if trouble == "blocked" else "failed")
    assert not any(isinstance(event, (Reached, Covered)) for event in events)
    assert len(ids(events)) == 10  # what the first page had stands
    kept = list((tmp_path / "pages").glob("*"))
    assert len(kept) == (trouble == "changed")
    for page in kept:
        assert stat.S_IMODE(page.stat().st_mode) == 0o600


@pytest.mark.parametrize("kind", ["error", "truncated", "reset", "too-many"])
def test_a_passing_fault_is_tried_again_and_costs_nothing(kind: FaultKind) -> None:
    with PlatformServer(POSTS, faults=[Fault(kind, INDEX, after=1, times=1)]) as server:
        events = crawl(server)
    assert outcome(events) == "done"
    assert len(ids(events)) == 15


def test_retry_after_is_waited_for() -> None:
    with PlatformServer(POSTS, faults=[Fault("too-many", INDEX, times=1, retry_after="2")]) as server:
        started = time.monotonic()
        events = crawl(server)
    assert outcome(events) == "done"
    assert time.monotonic() - started > 2


def test_told_to_come_back_in_an_hour_a_crawl_gives_up_and_says_so() -> None:
    with PlatformServer(POSTS, faults=[Fault("too-many", INDEX, retry_after="3600")]) as server:
        events = crawl(server)
    assert troubles(events) == [("blocked", "timeline:7001")]
    assert "3600" in message(events)
    assert len(server.requests) == 2


def test_after_a_captcha_nobody_else_is_asked_for() -> None:
    with PlatformServer(POSTS, faults=[Fault("captcha", INDEX, after=2)]) as server:
        events = crawl(server, accounts=("7001", "7002", "7003"))
    assert troubles(events) == [("blocked", "timeline:7002"), ("blocked", "timeline:7003")]
    assert len([path for path, _ in server.requests if path == INDEX]) == 3
    assert isinstance(events[-1], Ended)
    assert "验证码" in events[-1].error


def test_a_log_in_wall_ends_it_after_three_in_a_row() -> None:
    with PlatformServer(POSTS, faults=[Fault("login", INDEX)]) as server:
        events = crawl(server, accounts=("7001", "7002", "7003", "7004", "7005"))
    assert len(troubles(events)) == 5
    assert len([path for path, _ in server.requests if path == INDEX]) == 3


def test_one_unreadable_post_keeps_the_mark_back_but_not_the_other_posts() -> None:
    class Odd(PlatformServer):
        def _mblog(self, post: PlatformPost) -> dict[str, object]:
            found = super()._mblog(post)
            return {**found, "created_at": "改天"} if post.post_id == "70010012" else found

    with Odd(POSTS) as server:
        events = crawl(server)
    assert len(ids(events)) == 14
    assert troubles(events) == [("changed", "timeline:7001")]
    assert "70010012" in message(events)


def test_comments_that_fail_keep_the_mark_back_but_not_the_posts_after_them() -> None:
    with PlatformServer(POSTS, COMMENTS, faults=[Fault("error", "/comments/hotflow")]) as server:
        events = crawl(server)
    assert len(ids(events)) == 15
    assert troubles(events) == [("failed", "timeline:7001")]


def test_comments_that_always_fail_end_the_subject_at_last() -> None:
    commented = [replace(post, comments=3) for post in POSTS]
    with PlatformServer(commented, faults=[Fault("changed", "/comments/")]) as server:
        events = crawl(server)
    assert troubles(events) == [("changed", "timeline:7001")]
    assert len(ids(events)) == 4


def test_what_one_subject_failed_to_read_the_next_one_reads() -> None:
    with PlatformServer(POSTS, COMMENTS, faults=[Fault("error", "/comments/hotflow", times=2)]) as server:
        events = crawl(server, queries=("第",))
    assert troubles(events) == [("failed", "timeline:7001")]
    assert [event.subject for event in events if isinstance(event, Reached)] == ["query:第"]
    assert len(ids(events)) == len(set(ids(events))) == len(POSTS) + len(COMMENTS)


def test_a_captcha_before_the_comments_ends_it_all() -> None:
    with PlatformServer(POSTS, COMMENTS, faults=[Fault("captcha", "/comments/")]) as server:
        events = crawl(server, accounts=("7001", "7002"))
    assert troubles(events) == [("blocked", "timeline:7001"), ("blocked", "timeline:7002")]


def test_a_visitor_reads_the_comments_that_a_visitor_is_shown() -> None:
    with PlatformServer(POSTS, COMMENTS, visitor_comment_pages=1) as server:
        events = crawl(server)
    assert outcome(events) == "done"
    assert len(ids(events)) == 25
    assert troubles(events) == [("limited", "")]
    assert message(events).startswith("1 条内容的评论没有读全：要登录才能看 / the comments of 1 posts")
    assert isinstance(events[-1], Ended)
    assert events[-1].error == ""
    assert any(isinstance(event, Reached) for event in events)


def test_more_comments_than_allowed_are_told_once_with_a_count() -> None:
    more = [replace(comment, comment_id=f"x{comment.comment_id}", post_id="70010013") for comment in COMMENTS]
    few = [replace(COMMENTS[0], comment_id="few", post_id="70010012")]
    with PlatformServer(POSTS, [*COMMENTS, *more, *few]) as server:
        events = crawl(server, max_comment_pages=2)
        whole = crawl(server, max_comment_pages=3)
    assert (outcome(events), troubles(events)) == ("done", [("limited", "")])
    assert message(events).startswith("2 条内容的评论没有读全：超过 2 页（max_comment_pages） / ")
    assert [type(event).__name__ for event in events[-5:]] == ["Reached", "Covered", "Trouble", "Answered", "Ended"]
    assert troubles(whole) == []


@pytest.mark.parametrize("has_hotflow", [True, False])
def test_more_comments_than_allowed_are_told_at_either_address(has_hotflow: bool) -> None:
    with PlatformServer(POSTS, COMMENTS, has_hotflow=has_hotflow) as server:
        assert troubles(crawl(server, max_comment_pages=1)) == [("limited", "")]


def test_answers_beyond_the_allowed_pages_count_as_comments_of_their_post() -> None:
    answers = [replace(one, comment_id=f"a{one.comment_id}", parent_id="c0") for one in COMMENTS]
    with PlatformServer(POSTS, [COMMENTS[0], *answers]) as server:
        events = crawl(server, max_comment_pages=2)
    assert troubles(events) == [("limited", "")]
    assert message(events).startswith("1 条内容的评论没有读全")


def test_comments_that_robots_txt_forbids_are_told_as_forbidden() -> None:
    with PlatformServer(POSTS, COMMENTS, robots="User-agent: *\nDisallow: /comments/\nDisallow: /api/comments/\n") as server:
        events = crawl(server)
    assert (outcome(events), troubles(events)) == ("done", [("limited", "")])
    assert "robots.txt" in message(events)


def test_comments_that_the_older_address_shows_are_no_limit() -> None:
    with PlatformServer(POSTS, COMMENTS, faults=[Fault("login", "/comments/hotflow")]) as server:
        events = crawl(server)
    assert (outcome(events), troubles(events)) == ("done", [])
    assert len(ids(events)) == 15 + 25


def test_a_first_crawl_that_does_not_reach_the_end_says_how_deep_it_went() -> None:
    with PlatformServer(POSTS) as server:
        events = crawl(server, accounts=("7001", "7002"), max_pages=1)
        whole = crawl(server, max_pages=2)
    assert (outcome(events), troubles(events)) == ("done", [("limited", "")])
    assert message(events).startswith("2 个查询、时间线或网址只读了最近 1 页（max_pages）")
    assert troubles(whole) == []


def test_a_limit_hides_no_failure() -> None:
    with PlatformServer(POSTS, COMMENTS, faults=[Fault("error", INDEX, after=3)]) as server:
        events = crawl(server, accounts=("7001", "7002"), max_comment_pages=1)
    assert outcome(events) == "failed"
    assert troubles(events) == [("failed", "timeline:7002"), ("limited", "")]
    assert isinstance(events[-1], Ended)
    assert "500" in events[-1].error


def test_a_long_text_behind_a_log_in_leaves_the_short_one() -> None:
    with PlatformServer(POSTS, faults=[Fault("login", "/statuses/extend")]) as server:
        events = crawl(server)
    assert outcome(events) == "done"
    (text,) = (event.item.text for event in events if isinstance(event, Collected) and event.item.post_id == "70010003")
    assert text.endswith("…")
    assert "全文" not in text
    assert troubles(events) == [("limited", "")]
    assert message(events).startswith("1 条长文只读到开头：要登录才能看 / of 1 long texts")


def test_a_long_text_that_fails_keeps_the_mark_back() -> None:
    with PlatformServer(POSTS, faults=[Fault("error", "/statuses/extend")]) as server:
        events = crawl(server)
    assert troubles(events) == [("failed", "timeline:7001")]
    assert len(ids(events)) == 14
    assert "70010003" not in ids(events)


def test_a_server_that_is_not_there_is_asked_three_times_and_no_more() -> None:
    server = PlatformServer([])
    server.close_unstarted()
    started = time.monotonic()
    events = crawl(server, accounts=tuple(str(number) for number in range(50)), retries=0)
    assert [kind for kind, _ in troubles(events)] == ["failed"] * 50
    assert "连不上" in message(events)
    assert time.monotonic() - started < 10


def test_an_unknown_host_is_a_failure_with_its_name() -> None:
    job = CollectJob("feed", urls=("http://no-such-host.invalid/feed",), delay_seconds=0, retries=0, timeout_seconds=3)
    events = list(collect(job))
    assert [kind for kind, _ in troubles(events)] == ["failed"]
    assert "no-such-host.invalid" in message(events)


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://a.example/x", "data:text/xml,<rss/>", "not an address", "s3://b/k"]
)
def test_no_scheme_but_http_is_read(url: str) -> None:
    events = list(collect(CollectJob("feed", urls=(url,), delay_seconds=0, retries=0, timeout_seconds=3)))
    assert [kind for kind, _ in troubles(events)] == ["failed"]
    assert ids(events) == []


def test_robots_txt_is_obeyed_and_named() -> None:
    robots = f"User-agent: *\nDisallow: {INDEX}\n"
    with PlatformServer(POSTS, robots=robots) as server:
        events = crawl(server)
    assert troubles(events) == [("blocked", "timeline:7001")]
    assert "robots.txt" in message(events)
    assert [path for path, _ in server.requests] == ["/robots.txt"]


def test_robots_txt_may_speak_to_us_by_name() -> None:
    robots = "User-agent: koc-listener\nDisallow: /\n\nUser-agent: *\nAllow: /\n"
    with PlatformServer(POSTS, robots=robots) as server:
        assert outcome(crawl(server)) == "blocked"


@pytest.mark.parametrize(("status", "trouble"), [(404, None), (401, None), (503, "failed"), (429, "blocked")])
def test_a_robots_txt_that_is_not_there_allows_and_one_that_fails_does_not(status: int, trouble: str | None) -> None:
    with PlatformServer(POSTS, robots=status) as server:
        events = crawl(server, retries=0)
    assert [kind for kind, _ in troubles(events)] == ([trouble] if trouble else [])
    assert any(path == INDEX for path, _ in server.requests) is (trouble is None)


def test_the_delay_that_robots_txt_asks_for_is_kept() -> None:
    with PlatformServer(POSTS, robots="User-agent: *\nCrawl-delay: 1.5\nAllow: /\n") as server:
        started = time.monotonic()
        events = crawl(server)
    assert outcome(events) == "done"
    assert len(server.requests) >= 3
    assert time.monotonic() - started > 1.5


def test_the_delay_of_the_job_is_kept() -> None:
    with PlatformServer(POSTS) as server:
        started = time.monotonic()
        crawl(server, accounts=("7001", "7002"), delay_seconds=0.5)
        assert time.monotonic() - started > 0.25 * (len(server.requests) - 1)


def test_pages_of_unknown_shape_do_not_fill_the_disk(tmp_path: Path) -> None:
    with PlatformServer(POSTS, faults=[Fault("changed", INDEX)]) as server:
        events = crawl(server, accounts=tuple(str(number) for number in range(8)), pages_dir=str(tmp_path))
    assert len(troubles(events)) == 8
    assert len(list(tmp_path.iterdir())) <= 5
