"""The feed spider against feeds on this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from listener.demo.platform import Fault, PlatformComment, PlatformPost, PlatformServer
from spiders.collect import Collected, CollectJob, Ended, Event, Reached, SubjectMark, Trouble, collect
from spiders.items import Item

START = datetime(2026, 1, 1, tzinfo=UTC)
POSTS = [PlatformPost(str(n), "7001", "小鹿", START + timedelta(hours=n), f"晴川第 {n} 天\n还<行> & 好") for n in range(12)]
COMMENTS = [PlatformComment(f"c{n}", str(n), "9", "路人", START + timedelta(days=1, hours=n), f"评论 <{n}>") for n in range(5)]


def crawl(*urls: str, **changed: object) -> list[Event]:
    asked = CollectJob("feed", urls=urls, delay_seconds=0, retries=1, timeout_seconds=5)
    return list(collect(replace(asked, **changed)))  # type: ignore[arg-type]


def items(events: list[Event]) -> list[Item]:
    return [event.item for event in events if isinstance(event, Collected)]


def marks(events: list[Event]) -> dict[str, SubjectMark]:
    return {event.subject: SubjectMark(event.posted_at, event.state) for event in events if isinstance(event, Reached)}


@pytest.fixture(scope="module")
def server() -> Iterator[PlatformServer]:
    with PlatformServer(POSTS, COMMENTS) as running:
        yield running


@contextmanager
def pages(answers: Mapping[str, tuple[int, dict[str, str], bytes]]) -> Iterator[str]:
    """A server that gives fixed answers by path and query; anything else is 404."""

    class Fixed(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = answers.get(self.path, (404, {}, b"<rss version='2.0'><channel/></rss>"))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value.replace("HOST", f"127.0.0.1:{port}"))
            self.send_header("Content-Length", str(len(body.replace(b"HOST", f"127.0.0.1:{port}".encode()))))
            self.end_headers()
            self.wfile.write(body.replace(b"HOST", f"127.0.0.1:{port}".encode()))

        def log_message(self, format: str, *args: object) -> None:
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Fixed)
    port = running.server_address[1]
    threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        running.shutdown()
        running.server_close()


def rss(*ids: int, generator: str = "") -> bytes:
    entries = "".join(
        f"<item><guid>{n}</guid><title>第 {n} 篇</title><pubDate>2026-01-{n:02d}T00:00:00Z</pubDate></item>" for n in ids
    )
    named = f"<generator>{generator}</generator>" if generator else ""
    return f"<rss version='2.0'><channel><title>小站</title>{named}{entries}</channel></rss>".encode()


@pytest.mark.parametrize(
    "kind", ["rss", "atom", "json", *(f"rss?encoding={name}" for name in ("gb18030", "big5hkscs", "utf-16"))]
)
def test_a_feed_of_each_kind_gives_the_same_posts(server: PlatformServer, kind: str) -> None:
    events = crawl(f"{server.url}/feed/{kind}")
    assert [item.text for item in items(events)] == [post.text for post in reversed(POSTS)]
    assert {item.posted_at for item in items(events)} == {post.posted_at for post in POSTS}
    assert marks(events)[f"{server.url}/feed/{kind}"].posted_at == POSTS[-1].posted_at


def test_comments_of_a_feed_know_what_they_answer(server: PlatformServer) -> None:
    found = items(crawl(f"{server.url}/feed/comments"))
    host = server.url.removeprefix("http://")
    assert [(item.kind, item.text, item.parent_id) for item in found] == [
        ("comment", f"评论 <{n}>", f"{host}:post:{n}") for n in reversed(range(5))
    ]


def test_a_feed_that_has_not_changed_costs_one_small_answer(server: PlatformServer) -> None:
    first = crawl(f"{server.url}/feed/rss")
    again = crawl(f"{server.url}/feed/rss", marks=marks(first))
    assert items(again) == []
    assert marks(again) == marks(first)
    ended = again[-1]
    assert isinstance(ended, Ended)
    assert (ended.outcome, ended.stats["downloader/response_status_count/304"]) == ("done", 1)


def test_a_backfill_asks_for_what_is_there_changed_or_not(server: PlatformServer) -> None:
    first = crawl(f"{server.url}/feed/rss")
    again = crawl(
        f"{server.url}/feed/rss", marks=marks(first), since=START + timedelta(hours=3), until=START + timedelta(hours=6)
    )
    assert [item.posted_at.hour for item in items(again)] == [5, 4, 3]
    assert marks(again) == marks(first)


def test_one_dead_feed_stops_no_other(server: PlatformServer) -> None:
    dead = "http://127.0.0.1:9/feed"
    events = crawl(dead, f"{server.url}/feed/none", f"{server.url}/detail/3", f"{server.url}/feed/rss")
    assert len(items(events)) == 12
    kinds = {event.subject.rsplit("/", 1)[-1]: event.kind for event in events if isinstance(event, Trouble)}
    assert kinds == {"feed": "failed", "none": "failed", "3": "changed"}


def test_one_odd_feed_stops_no_other() -> None:
    odd = b'{"version": "https://jsonfeed.org/version/1", "items": [{"id": "1", "content_text": "x", "attachments": 5}]}'
    deep = b'{"version": "https://jsonfeed.org/version/1", "items": ' + b"[" * 9000 + b"]" * 9000 + b"}"
    with pages({"/odd": (200, {}, odd), "/deep": (200, {}, deep), "/feed": (200, {}, rss(3))}) as home:
        events = crawl("http://[no-address/feed", f"{home}/odd", f"{home}/deep", f"{home}/feed")
    assert [item.text for item in items(events)] == ["x", "第 3 篇"]
    assert sorted((event.subject.rsplit("/", 1)[-1], event.kind) for event in events if isinstance(event, Trouble)) == [
        ("deep", "changed"),
        ("feed", "failed"),
    ]


def test_later_pages_are_read_down_to_the_mark() -> None:
    wordpress = "https://wordpress.org/?v=6"
    answers: dict[str, tuple[int, dict[str, str], bytes]] = {
        "/feed/": (200, {}, rss(20, 19, generator=wordpress)),
        "/feed/?paged=2": (200, {}, rss(18, 17, generator=wordpress)),
        "/feed/?paged=3": (200, {}, rss(16, 15, generator=wordpress)),
    }
    with pages(answers) as home:
        url = f"{home}/feed/"
        assert len(items(crawl(url))) == 6
        marked = {url: SubjectMark(datetime(2026, 1, 19, tzinfo=UTC))}
        assert len(items(crawl(url, marks=marked, overlap_hours=1))) == 4
        cut = crawl(url, marks={url: SubjectMark(datetime(2026, 1, 2, tzinfo=UTC))}, max_pages=2)
    assert marks(cut) == {}
    assert len(items(cut)) == 4


def test_a_json_feed_is_paged_by_its_next_url() -> None:
    def page(number: int, following: str) -> bytes:
        entry = f'{{"id": "{number}", "content_text": "第 {number} 篇", "date_published": "2026-01-0{number}T00:00:00Z"}}'
        return f'{{"version": "https://jsonfeed.org/version/1.1", "items": [{entry}], "next_url": "{following}"}}'.encode()

    first, last = "http://HOST/1", "http://HOST/2"
    with pages({"/1": (200, {}, page(2, last)), "/2": (200, {}, page(1, first))}) as home:
        assert [item.text for item in items(crawl(f"{home}/1"))] == ["第 2 篇", "第 1 篇"]


def test_a_feed_that_moved_to_another_host_says_where() -> None:
    with pages({"/feed": (301, {"Location": "http://elsewhere.example/feed"}, b"")}) as home:
        events = crawl(f"{home}/feed")
    (trouble,) = (event for event in events if isinstance(event, Trouble))
    assert trouble.kind == "failed"
    assert "elsewhere.example" in trouble.message


def test_a_feed_that_moved_on_its_host_is_followed() -> None:
    with pages({"/old": (301, {"Location": "http://HOST/new"}, b""), "/new": (200, {}, rss(3))}) as home:
        assert len(items(crawl(f"{home}/old"))) == 1


def test_a_feed_that_sends_one_to_a_log_in_page_is_blocked() -> None:
    with pages(
        {"/feed": (302, {"Location": "http://HOST/login?next=feed"}, b""), "/login?next=feed": (200, {}, b"<html>")}
    ) as home:
        events = crawl(f"{home}/feed")
    assert [event.kind for event in events if isinstance(event, Trouble)] == ["blocked"]


def test_half_a_feed_gives_what_was_whole_and_no_mark() -> None:
    with pages({"/feed": (200, {}, rss(3, 2, 1)[:-60])}) as home:
        events = crawl(f"{home}/feed")
    assert [event.kind for event in events if isinstance(event, Trouble)] == ["failed"]
    assert [item.text for item in items(events)] == ["第 3 篇", "第 2 篇"]
    assert marks(events) == {}


def test_a_wrong_charset_in_the_header_is_not_believed() -> None:
    with pages({"/feed": (200, {"Content-Type": "text/xml; charset=iso-8859-1"}, rss(3))}) as home:
        assert [item.text for item in items(crawl(f"{home}/feed"))] == ["第 3 篇"]


def test_undated_entries_make_no_mark() -> None:
    body = b"<rss version='2.0'><channel><item><guid>1</guid><title>x</title></item></channel></rss>"
    with pages({"/feed": (200, {"Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT"}, body)}) as home:
        events = crawl(f"{home}/feed")
    assert marks(events)[f"{home}/feed"] == SubjectMark(None, {"told": {"modified": "Thu, 01 Jan 2026 00:00:00 GMT"}})
    assert len(items(events)) == 1


def test_a_later_page_that_fails_keeps_the_mark_back() -> None:
    wordpress = "https://wordpress.org/?v=6"
    answers: dict[str, tuple[int, dict[str, str], bytes]] = {
        "/feed/": (200, {}, rss(20, 19, generator=wordpress)),
        "/feed/?paged=2": (500, {}, b""),
    }
    with pages(answers) as home:
        events = crawl(f"{home}/feed/")
    assert marks(events) == {}
    assert len(items(events)) == 2


def test_a_slow_host_holds_up_no_other(server: PlatformServer) -> None:
    with PlatformServer(POSTS, faults=[Fault("hang", "/feed/")]) as slow:
        # two names of this machine are two hosts
        events = crawl(
            f"{slow.url.replace('127.0.0.1', 'localhost')}/feed/rss", f"{server.url}/feed/rss", timeout_seconds=3, retries=0
        )
    assert [type(event).__name__ for event in events[:12]] == ["Collected"] * 12
    assert [event.kind for event in events if isinstance(event, Trouble)] == ["failed"]
