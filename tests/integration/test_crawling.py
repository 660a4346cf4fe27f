"""A crawl by several workers leaves what one leaves: processes of this machine, killed ones too, parts read in pieces."""

from __future__ import annotations

import itertools
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import create_engine, select

from config import edit
from listener import crawling, pipeline, workspace
from listener.app import App
from listener.crawling import Part, collect_many, read_piece
from listener.engines import Crew, Processes, Reach
from spiders.collect import Collected, CollectError, CollectJob, Ended, Event, Left, Reached, Trouble, Turn, collect, groups_of
from storage.database import url_of
from storage.records import Brand, Crawl
from storage.store import Store
from storage.tables import brand_days, mentions, post_counts, post_texts, posts
from tests.dask_cluster import until
from tests.desks import NOW, Bench
from tests.feeds import Feeds

ZONE = "Asia/Shanghai"
NEVER_ALIKE = {"id", "post", "stored_at", "version", "scored_version", "seen_at", "first_seen_at", "last_seen_at"}


@pytest.fixture
def feeds() -> Iterator[Feeds]:
    with Feeds() as made:
        yield made


def job_of(feeds: Feeds, **more: Any) -> CollectJob:
    return CollectJob("feed", "订阅", urls=feeds.urls, **{"delay_seconds": 0.0, "retries": 0, **more})


def never() -> bool:
    return False


def at_once(host: str, delay_seconds: float) -> Turn:
    return Turn()


class Threads:
    """A crew of threads, each of which has the spider's process of its own. deaths: pieces that are lost on their way back."""

    def __init__(self, workers: int = 2, deaths: int = 0) -> None:
        self.workers, self.deaths, self.parts, self.renewed = workers, deaths, list[Part](), 0
        self._pool = ThreadPoolExecutor(workers)

    def executor(self) -> Executor:
        crew = self

        class Mortal(ThreadPoolExecutor):
            def submit(self, fn: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
                crew.parts.append(given[0])
                crew.deaths -= 1
                return crew._pool.submit(_die if crew.deaths >= 0 else fn, *given)

        return Mortal(1)

    def renew(self, dead: Executor) -> None:
        self.renewed += 1

    def slots(self) -> int:
        return self.workers


def _die(*what: object) -> None:
    raise BrokenExecutor("killed")


def crawl(
    url: str, job: CollectJob, crew: Crew | None, *, seconds: float = crawling.FIRST_SECONDS, clock: datetime = NOW
) -> tuple[Crawl, Any]:
    """Crawl into a database; how it ended, and all that it left."""
    with Store.open(url) as store:
        desk = Bench(store, (Brand("星澜"),), clock=clock).desk()
        if crew is not None:
            many = partial(collect_many, crew_of=lambda hosts: nullcontext(crew), reach=Reach(url, ZONE), first_seconds=seconds)
            desk = replace(desk, collect=many)
        crawled = pipeline.crawl(job, desk)
        marks = {subject: (mark.posted_at, mark.state) for subject, mark in store.marks(job.source).items()}
        return replace(crawled, crawl_id=""), [left_in(url), marks]


def left_in(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """All that a crawl left, but when it was seen: posts, texts, counters, mentions, moods."""
    engine = create_engine(url_of(url))
    with engine.connect() as connection:
        found = {
            table.name: connection.execute(select(*[column for column in table.c if column.name not in NEVER_ALIKE])).all()
            for table in (posts, post_texts, post_counts, mentions, brand_days)
        }
    engine.dispose()
    return {name: sorted((tuple(row) for row in rows), key=repr) for name, rows in found.items()}


def test_subjects_of_one_host_stay_together() -> None:
    job = CollectJob(
        "feed", urls=("http://a.example/1", "http://b.example/1", "http://a.example/2"), options={"routes": ["/x/y"]}
    )
    groups = groups_of(job)
    assert groups[:2] == [["http://a.example/1", "http://a.example/2"], ["http://b.example/1"]]
    assert len(groups) == 3
    assert groups_of(replace(job, only=("http://b.example/1",))) == [["http://b.example/1"]]
    assert groups_of(replace(job, platform="nowhere")) == []
    assert groups_of(CollectJob("json_api", urls=("x",), options={"fields": 7})) == [], "the spider itself says what is wrong"


def test_pieces_of_no_length_bring_every_post_once(tmp_path: Path, feeds: Feeds) -> None:
    alone, left = crawl(f"sqlite:///{tmp_path}/1.db", job_of(feeds), None)
    assert alone.items == feeds.posts
    crew = Threads()
    done, found = crawl(f"sqlite:///{tmp_path}/2.db", job_of(feeds), crew, seconds=0.0)  # type: ignore[arg-type]
    assert len(crew.parts) > 4, "no subject is read in one piece"
    assert (done.outcome, done.items, done.error) == ("done", feeds.posts, "")
    assert found == left
    assert feeds.most_at_once == 1
    again, found = crawl(f"sqlite:///{tmp_path}/2.db", job_of(feeds), crew, clock=NOW + timedelta(hours=1))  # type: ignore[arg-type]
    assert (again.outcome, found) == ("done", left)


def test_a_subject_that_pieces_do_not_get_on_with_is_given_up_and_the_others_are_read(
    feeds: Feeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, stuck = list[str](), feeds.urls[0]

    def piece_of(part: Part, reach: Reach) -> crawling.Piece:
        assert len(read) < 50, "read for ever"
        read.extend(part.job.only)
        events = [Left(one) if one == stuck else Reached(one, NOW) for one in part.job.only]
        return crawling.Piece((Trouble("changed", "不成立"), *events, Ended("failed", "不成立", {"finish_reason": "finished"})))

    monkeypatch.setattr(crawling, "read_piece", piece_of)
    crew: Any = Threads()
    events = list(collect_many(job_of(feeds), never, at_once, crew_of=lambda hosts: nullcontext(crew), reach=Reach("", ZONE)))
    assert read.count(stuck) == 1
    assert {event.subject for event in events if isinstance(event, Reached)} == set(feeds.urls) - {stuck}
    assert [event.subject for event in events if isinstance(event, Trouble) and event.subject] == [stuck]
    assert isinstance(events[-1], Ended)
    assert events[-1].outcome == "failed"


@pytest.mark.slow
def test_processes_leave_what_one_leaves(tmp_path: Path, feeds: Feeds) -> None:
    _, left = crawl(f"sqlite:///{tmp_path}/1.db", job_of(feeds), None)
    with Processes(2) as crew:
        done, found = crawl(f"sqlite:///{tmp_path}/2.db", job_of(feeds), crew)
    assert (done.outcome, done.items) == ("done", feeds.posts)
    assert found == left


@pytest.mark.slow
def test_a_killed_worker_loses_and_doubles_nothing(tmp_path: Path) -> None:
    killed = list[int]()

    def kill(host: str) -> None:
        if len(feeds.asked) > 12 and not killed:
            mine = psutil.Process().children(recursive=True)
            readers = [one for one in mine if "spiders.child" in one.cmdline()]
            killed.append(readers[0].ppid())
            os.kill(killed[0], signal.SIGKILL)

    with Feeds() as feeds:
        _, left = crawl(f"sqlite:///{tmp_path}/1.db", job_of(feeds), None)
        feeds.asked.clear()
        feeds.before = kill
        with Processes(2) as crew:
            done, found = crawl(f"sqlite:///{tmp_path}/2.db", job_of(feeds), crew, seconds=0.0)
    assert killed
    assert (done.outcome, done.items) == ("done", feeds.posts)
    assert found == left


def test_a_part_whose_workers_die_again_and_again_is_told_as_failed(tmp_path: Path) -> None:
    with Feeds(hosts=2, pages=1) as feeds:
        crew = Threads(workers=1, deaths=100)
        done, _ = crawl(f"sqlite:///{tmp_path}/1.db", job_of(feeds), crew)  # type: ignore[arg-type]
    assert done.outcome == "failed"
    assert "a worker died" in done.error
    assert crew.renewed == crawling.DEATHS_BORNE + 1


def test_deaths_in_between_are_borne(tmp_path: Path, feeds: Feeds) -> None:
    done, _ = crawl(f"sqlite:///{tmp_path}/1.db", job_of(feeds), Threads(deaths=3))  # type: ignore[arg-type]
    assert (done.outcome, done.items) == ("done", feeds.posts)


def test_a_crew_that_cannot_be_reached_ends_the_crawl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Absent(Threads):
        def slots(self) -> int:
            raise BrokenExecutor("连不上")

    class Empty(Threads):
        def slots(self) -> int:
            return 0

    monkeypatch.setattr(crawling, "POLL_SECONDS", 0.001)
    monkeypatch.setattr(crawling, "WORKERLESS_SECONDS", 0.05)
    with Feeds(hosts=2, pages=1) as feeds:
        absent, _ = crawl(f"sqlite:///{tmp_path}/1.db", job_of(feeds), Absent())  # type: ignore[arg-type]
        empty, _ = crawl(f"sqlite:///{tmp_path}/2.db", job_of(feeds), Empty())  # type: ignore[arg-type]
    assert (absent.outcome, empty.outcome) == ("failed", "failed")
    assert "连不上" in absent.error
    assert "no worker" in empty.error


def test_hosts_that_refuse_and_pages_that_changed_are_told_as_by_one(tmp_path: Path) -> None:
    with Feeds(hosts=3, pages=2) as feeds:
        urls = (feeds.urls[0], "http://127.0.0.3:9/none", feeds.urls[2])
        job = replace(job_of(feeds), urls=urls, pages_dir=str(tmp_path / "pages"))
        page, feeds._page = feeds._page, lambda base, path: b"<html>x" if base in urls[2] else page(base, path)  # type: ignore[method-assign]
        alone, left = crawl(f"sqlite:///{tmp_path}/1.db", job, None)
        kept = len(list((tmp_path / "pages").iterdir()))
        done, found = crawl(f"sqlite:///{tmp_path}/2.db", job, Threads())  # type: ignore[arg-type]
    assert (alone.outcome, done.outcome) == ("failed", "failed")
    assert sorted(done.error.splitlines()) == sorted(alone.error.splitlines())
    assert found == left
    (_, changed) = sorted((tmp_path / "pages").iterdir()) if kept == 1 else (None, None)
    assert changed is not None
    assert changed.read_bytes() == b"<html>x"
    assert changed.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("most", [2, 4])
def test_limits_are_summed_over_the_parts_and_hold_for_all_pieces(tmp_path: Path, feeds: Feeds, most: int) -> None:
    alone, left = crawl(f"sqlite:///{tmp_path}/1.db", job_of(feeds, max_pages=most), None)
    assert "4 个" in alone.error
    done, found = crawl(f"sqlite:///{tmp_path}/2.db", job_of(feeds, max_pages=most), Threads(), seconds=0.0)  # type: ignore[arg-type]
    assert done.error == alone.error
    assert found == left


def test_one_budget_for_a_host_whoever_reads_it(tmp_path: Path) -> None:
    with Feeds(hosts=2, feeds=2, pages=2) as feeds:
        job, url = job_of(feeds, delay_seconds=0.4), f"sqlite:///{tmp_path / 'x.db'}"
        with Store.open(url):
            parts = [Part(replace(job, only=job.urls[number::2])) for number in (0, 1)]  # both hosts in each
            threads = [threading.Thread(target=read_piece, args=(part, Reach(url, ZONE))) for part in parts]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    for host in {host for _, host, _ in feeds.asked}:
        times = [at for at, asked, _ in feeds.asked if asked == host]
        assert len(times) == 4
        assert min(later - earlier for earlier, later in itertools.pairwise(times)) > 0.3, times


def test_asked_to_stop_it_ends_within_seconds(tmp_path: Path) -> None:
    with Feeds(hosts=2, pages=50, seconds=0.2) as feeds, Processes(2) as crew:
        started = time.monotonic()
        events = collect_many(
            job_of(feeds),
            lambda: len(feeds.asked) > 4,
            at_once,
            crew_of=lambda hosts: crew_once(crew),
            reach=Reach(_made(tmp_path), ZONE),
        )
        assert [event.outcome for event in events if isinstance(event, Ended)] == ["cut"]
        stopped = time.monotonic()
        crew.__exit__()
        assert time.monotonic() - stopped < 10
        asked = len(feeds.asked)
        time.sleep(0.5)
        assert len(feeds.asked) == asked, "nobody reads on"
    assert started < stopped


def crew_once(crew: Processes) -> AbstractContextManager[Processes]:
    return nullcontext(crew)


def _made(folder: Path) -> str:
    url = f"sqlite:///{folder / 'made.db'}"
    Store.open(url).close()
    return url


def test_a_source_of_one_host_is_read_by_this_process(tmp_path: Path) -> None:
    def nobody(hosts: int) -> AbstractContextManager[Crew]:
        raise AssertionError

    with Feeds(hosts=1, feeds=2, pages=1) as feeds:
        found = list(collect_many(job_of(feeds), never, at_once, crew_of=nobody, reach=Reach("", ZONE)))
    assert sum(isinstance(event, Collected) for event in found) == feeds.posts


def test_a_spider_that_cannot_be_divided_is_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crawling, "groups_of", lambda job: [])
    with Feeds(hosts=2, pages=2) as feeds:
        crew, url = Threads(deaths=1), _made(tmp_path)
        found = collect_many(
            job_of(feeds), never, at_once, crew_of=lambda hosts: nullcontext(crew), reach=Reach(url, ZONE), alone=False
        )
        events = list(found)
    assert [part.job.only for part in crew.parts] == [(), ()], "its worker died once"
    assert sum(isinstance(event, Collected) for event in events) == feeds.posts


def test_the_process_of_a_spider_that_died_is_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = list[int]()

    def dying(*given: Any) -> Generator[Event, None, None]:
        calls.append(1)
        if len(calls) == 1:
            yield from [one for one in collect(*given) if isinstance(one, Collected)][:3]
            yield Ended("failed", "the crawl's process died (-9)")
        else:
            yield from collect(*given)

    monkeypatch.setattr(crawling, "collect", dying)
    with Feeds(hosts=2, pages=2) as feeds:
        done, _ = crawl(f"sqlite:///{tmp_path}/1.db", job_of(feeds), Threads(workers=1))  # type: ignore[arg-type]
    assert (done.outcome, done.items) == ("done", feeds.posts)


# ------------------------------------------------------------------------------------------------------------- secrets


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    path = workspace.create(tmp_path / "site")
    (path.parent / "proxy").write_text("http://me:g3heim@127.0.0.1:9", "utf-8")
    edit.put_brand(path, {"name": "星澜"})
    options = {"rsshub": "http://127.0.0.9:9", "routes": ["/a/b"], "rsshub_key_env": "RSSHUB_KEY"}
    source = {
        "name": "订阅",
        "platform": "feed",
        "every": "1h",
        "urls": ["http://127.0.0.1:9/x"],
        "delay_seconds": 0,
        "retries": 0,
    }
    edit.put_source(path, {**source, "options": options, "proxy_file": "proxy"})
    edit.put_source(path, {**source, "name": "明文", "proxy": "http://me:g3heim@127.0.0.1:9"})
    with App.open(path, {"RSSHUB_KEY": "s3cret"}) as app:
        yield app


def test_secrets_do_not_travel_a_worker_finds_them_itself(app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = app.job_of("订阅")
    assert (job.options["rsshub_key"], job.proxy) == ("s3cret", "http://me:g3heim@127.0.0.1:9")
    part = app.sealed(job)
    parcel = pickle.dumps(part)
    assert b"s3cret" not in parcel
    assert b"g3heim" not in parcel
    assert app.key not in parcel
    monkeypatch.setenv("RSSHUB_KEY", "s3cret")
    assert crawling._unsealed(part) == job
    monkeypatch.delenv("RSSHUB_KEY")
    with pytest.raises(CollectError, match="environment variable RSSHUB_KEY"):
        read_piece(part, Reach(_made(tmp_path), ZONE))
    (app.folder / "proxy").unlink()
    monkeypatch.setenv("RSSHUB_KEY", "s3cret")
    with pytest.raises(CollectError, match=r"file .*proxy"):
        crawling._unsealed(part)


def test_a_secret_that_stands_in_the_settings_is_not_sent(app: App) -> None:
    with pytest.raises(CollectError, match="proxy_env or proxy_file"):
        app.sealed(app.job_of("明文"))


def test_a_worker_of_another_version_refuses(tmp_path: Path) -> None:
    reach = Reach(_made(tmp_path), ZONE)
    with pytest.raises(CollectError, match="install the same version"):
        read_piece(Part(CollectJob("feed", urls=("http://127.0.0.1:9/",)), program="0.0.1"), reach)


def test_the_setting_crawl_workers_is_what_reads(tmp_path: Path) -> None:
    path = workspace.create(tmp_path / "site")
    edit.put_brand(path, {"name": "星澜"})
    edit.put_section(path, "engine", {"crawl_workers": 2})
    with Feeds(hosts=2, pages=2) as feeds:
        source = {"name": "订阅", "platform": "feed", "every": "1h", "urls": list(feeds.urls), "delay_seconds": 0}
        edit.put_source(path, source)
        with App.open(path, {}) as app:
            crawled = app.crawl("订阅")
    assert (crawled.outcome, crawled.items) == ("done", feeds.posts)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_parent_leaves_no_process_and_is_made_up_for(tmp_path: Path, number: signal.Signals) -> None:
    path = workspace.create(tmp_path / "site")
    edit.put_brand(path, {"name": "星澜"})
    edit.put_section(path, "engine", {"crawl_workers": 2})
    source = {"name": "订阅", "platform": "feed", "every": "1h", "delay_seconds": 0}
    command = [sys.executable, "-m", "listener", "run" if number == signal.SIGTERM else "crawl"]
    with Feeds(hosts=3, pages=40, seconds=0.1) as feeds:
        edit.put_source(path, {**source, "urls": list(feeds.urls)})
        with (tmp_path / "log").open("wb") as log:
            process = subprocess.Popen(command, cwd=path.parent, stdout=log, stderr=log)
            until(lambda: len(feeds.asked) > 6)
            family = psutil.Process(process.pid).children(recursive=True)
            process.send_signal(number)
            started = time.monotonic()
            process.wait(10)
            gone, alive = psutil.wait_procs(family, timeout=10)
        assert len(gone) >= 4, "two workers, each with a spider's process"
        assert not alive, (tmp_path / "log").read_text("utf-8")
        assert time.monotonic() - started < 10
        feeds.seconds = 0.0
        with App.open(path, {}) as app:
            assert app.crawl("订阅").outcome == "done"
            assert app.store.counts()["posts"] == feeds.posts


def test_turns_go_by_the_servers_clock(store: Store) -> None:
    at = store.server_time()
    bench = Bench(store, ())
    assert at is None or abs(at - datetime.now(UTC)) < timedelta(minutes=1)
    assert bench.store is store


def test_troubles_without_limits_pass_unchanged() -> None:
    told = crawling._Told(CollectJob("feed"))
    trouble = Trouble("limited", "别的限制 / another limit")
    assert list(told.passed(trouble, crawling.Piece(()))) == [trouble]
    with closing(collect(CollectJob("feed", urls=("http://127.0.0.1:9/",)), never, at_once)):
        assert list(told.ending())[-1].event == "ended"
