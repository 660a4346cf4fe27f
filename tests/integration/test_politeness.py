"""One budget of requests for each host, whoever crawls; hosts that refuse are left alone; no way into a private net."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Generator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from listener import pipeline, politeness
from spiders.collect import CollectJob, Ended, Event, Trouble, Turn, collect
from storage.records import Brand, Crawl
from storage.store import Store
from tests.desks import Bench
from tests.stored import post
from tests.town import Town, install

NOW = datetime(2026, 3, 1, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    folder = install(tmp_path / "site")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder))
    with Store.open(f"sqlite:///{tmp_path / 'listener.db'}") as store:
        yield Bench(store, (Brand("星澜"),), clock=NOW)


def crawl(bench: Bench, town: Town, **asked: object) -> Crawl:
    defaults = {"accounts": ("7",), "delay_seconds": 0.0, "retries": 0, "comments": False}
    job = CollectJob("town", base_url=town.url, **{**defaults, "source": "来源", **asked})  # type: ignore[arg-type]
    return pipeline.crawl(job, bench.desk())


def test_two_crawls_at_once_keep_to_one_budget(bench: Bench) -> None:
    with Town() as town:
        for number in range(30):
            town.post(number)
        asked = [{"delay_seconds": 0.4, "source": source} for source in ("甲", "乙")]
        threads = [threading.Thread(target=crawl, args=(bench, town), kwargs=one) for one in asked]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    times = sorted(at for at, _ in town.asked)
    assert len(times) == 6
    assert all(later - earlier > 0.3 for earlier, later in itertools.pairwise(times)), times


def test_a_host_that_refuses_is_left_alone_for_longer_each_time_and_as_long_as_it_asks(bench: Bench) -> None:
    with Town() as town:
        town.post(1)
        town.fault = lambda path: (429, {"Retry-After": "7200"}, b"") if "posts" in path else None
        first = crawl(bench, town)
        assert (first.outcome, len(town.asked)) == ("blocked", 1)
        assert "到 03-01 14:00 前不再请求" in first.error, "what to expect, and what to do"
        (host,) = bench.store.refusing_hosts()
        assert (host.host, host.refusals, host.source) == (town.host, 1, "来源")
        assert host.paused_until is not None
        assert timedelta() <= host.paused_until - (NOW + 2 * HOUR) < timedelta(minutes=1)

        bench.clock = NOW + HOUR
        second = crawl(bench, town)
        assert (second.outcome, len(town.asked)) == ("blocked", 1), "nobody asks before the pause is over"
        assert "14:00 前不再请求" in second.error
        assert "delay_seconds" in second.error
        assert bench.store.refusing_hosts() == [host], "what is not asked refuses nothing"

        bench.clock = NOW + 3 * HOUR
        town.fault = lambda path: (403, {}, b"") if "posts" in path else None
        assert crawl(bench, town).outcome == "blocked"
        (host,) = bench.store.refusing_hosts()
        assert (host.refusals, host.paused_until) == (2, bench.clock + timedelta(minutes=30))

        bench.clock = NOW + 4 * HOUR
        town.fault = lambda path: None
        assert crawl(bench, town).outcome == "done"
        assert bench.store.refusing_hosts() == []


def test_a_pause_holds_for_another_source_on_the_same_host(bench: Bench) -> None:
    with Town() as town:
        town.post(1)
        bench.store.host_refused(town.host, "别处", "HTTP 418", NOW, politeness.pause_of)
        feed = CollectJob("feed", "订阅", urls=(f"{town.url}/feed",), delay_seconds=0, retries=0)
        assert pipeline.crawl(feed, bench.desk()).outcome == "blocked"
        assert town.asked == []


def test_a_pause_that_begins_while_a_crawl_runs_outlasts_its_end(bench: Bench) -> None:
    with Town() as town:
        for number in range(30):
            town.post(number)

        def refuse_another(path: str) -> None:
            if "posts" in path:
                bench.clock = NOW + HOUR
                bench.store.host_refused(town.host, "别处", "HTTP 429", bench.clock, politeness.pause_of)

        town.fault = refuse_another
        assert crawl(bench, town, delay_seconds=0.05).outcome == "blocked", "its next page is not asked for"
        assert [host.refusals for host in bench.store.refusing_hosts()] == [1], "what answered before has not answered since"


def test_a_page_that_robots_txt_forbids_pauses_no_host(bench: Bench) -> None:
    with Town() as town:
        town.fault = lambda path: (200, {}, b"User-agent: *\nDisallow: /posts") if path == "/robots.txt" else None
        assert crawl(bench, town).outcome == "blocked"
    assert bench.store.refusing_hosts() == []


def test_refusals_that_come_during_a_pause_count_once(bench: Bench) -> None:
    for _ in range(5):
        host = bench.store.host_refused("a.example", "x", "403", NOW, politeness.pause_of)
    assert (host.refusals, host.paused_until) == (1, NOW + timedelta(minutes=15))


def test_turns_at_a_host_come_one_delay_after_another(bench: Bench) -> None:
    delay = timedelta(seconds=2)
    waits = [bench.store.take_turn("a.example", delay, NOW)[1] for _ in range(3)]
    assert waits == [timedelta(), delay, 2 * delay]
    assert bench.store.take_turn("b.example", delay, NOW)[1] == timedelta()
    assert bench.store.take_turn("a.example", delay, NOW + HOUR)[1] == timedelta()


# ------------------------------------------------------------------------------------------------------ private nets


class Proxy:
    """A web proxy before a pretended public net: it answers for every name, by path, and notes what it was asked."""

    def __init__(self, answers: dict[str, tuple[int, dict[str, str], bytes]]) -> None:
        self.asked: list[str] = []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                proxy.asked.append(self.path)
                status, headers, body = answers.get(self.path, (404, {}, b""))
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> Proxy:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"


FEED = b"<rss version='2.0'><channel><title>x</title><item><guid>1</guid><title>y</title></item></channel></rss>"


def feed_events(*urls: str, proxy: str) -> list[Event]:
    return list(collect(CollectJob("feed", urls=urls, delay_seconds=0, retries=0, timeout_seconds=5, proxy=proxy)))


def test_all_requests_of_a_source_go_through_its_proxy() -> None:
    with Proxy({"http://town.example/feed": (200, {"Content-Type": "application/rss+xml"}, FEED)}) as proxy:
        events = feed_events("http://town.example/feed", proxy=proxy.url)
    assert proxy.asked == ["http://town.example/robots.txt", "http://town.example/feed"]
    assert [event.event for event in events].count("collected") == 1


def test_a_public_page_leads_nobody_into_a_private_net() -> None:
    inside = "http://10.0.0.7/feed"  # a host that the source reads too: being allowed there is not enough
    answers = {
        "http://town.example/feed": (302, {"Location": inside}, b""),
        inside: (200, {"Content-Type": "application/rss+xml"}, FEED),
    }
    with Proxy(answers) as proxy:
        events = feed_events("http://town.example/feed", "http://10.0.0.7/other", proxy=proxy.url)
    assert inside not in proxy.asked
    assert any("内网地址" in event.message for event in events if isinstance(event, Trouble))


@pytest.mark.parametrize("platform", ["mastodon", "wordpress"])
def test_an_address_that_a_post_brought_leads_nobody_into_a_private_net(platform: str) -> None:
    with Town() as town:
        job = CollectJob(platform, looks=(f"{town.url}/@a/1",), delay_seconds=0, retries=0)
        (trouble,) = [event for event in collect(job) if isinstance(event, Trouble)]
        assert "内网地址" in trouble.message
        assert town.asked == [], "a server may say of its posts that they lie anywhere"
        list(collect(replace(job, own_urls=(town.url,))))
        assert town.asked, "where the source itself lies there, it may"


def test_posts_of_a_source_in_a_private_net_are_looked_at_again(bench: Bench) -> None:
    jobs = list[CollectJob]()

    def looked(job: CollectJob, stopping: object, turn: object) -> Generator[Event, None, None]:
        jobs.append(job)
        yield Ended("done")

    bench.store.add([post("1", posted_at=NOW - HOUR, source="来源")], stored_at=NOW - HOUR)
    job = CollectJob("wordpress", "来源", urls=("http://10.0.0.7/blog",), posts=("http://10.0.0.8/?p=2",))
    pipeline.revisit(job, replace(bench.desk(), collect=looked), 5)
    assert [one.own_urls for one in jobs] == [("http://10.0.0.7/blog", "http://10.0.0.8/?p=2")]


def test_a_source_of_a_private_net_may_move_within_it() -> None:
    answers = {
        "http://10.0.0.7/old": (302, {"Location": "http://10.0.0.8/feed"}, b""),
        "http://10.0.0.8/feed": (200, {"Content-Type": "application/rss+xml"}, FEED),
    }
    with Proxy(answers) as proxy:
        events = feed_events("http://10.0.0.7/old", "http://10.0.0.8/other", proxy=proxy.url)
    assert "http://10.0.0.8/feed" in proxy.asked
    assert [event.event for event in events].count("collected") == 1


def test_a_crawl_that_nobody_else_shares_asks_nobody_for_its_turn() -> None:
    turns: list[tuple[str, float]] = []

    def turn(host: str, delay_seconds: float) -> Turn:
        turns.append((host, delay_seconds))
        return Turn()

    with Proxy({"http://town.example/feed": (200, {}, FEED)}) as proxy:
        job = CollectJob("feed", urls=("http://town.example/feed",), delay_seconds=0, retries=0, proxy=proxy.url)
        list(collect(job, turn=turn))
        assert turns == [("town.example", 0.0)], "once a host, where there is no delay to keep"
        list(collect(job, turn=partial(lambda words, host, delay: Turn(refused=words), "不行")))
    assert len(proxy.asked) == 2
