"""A replay of many KOCs, by 1 worker and by more: KOCs/s, memory, the same bytes.

    nice python -m tests.bench.bench_replay FOLDER [--kocs 20000] [--mentions 25] [--workers 1 2] [--dask 2] [--memory] [--keep]

Fills a SQLite store in FOLDER with synthetic mentions (a year of them, a fiftieth of the KOCs turns critic), then replays all
of it as `listener drift replay --workers N` does: dirty marks, histories, detector, alerts, cases; with --dask by so many Dask
workers too. The checksum is over states, drifts, current alerts and cases. With --memory the detector and signals alone judge
histories that are made in memory. Prints one JSON line for each number of workers.

Measured on two cores of which others used most, 25 mentions a KOC, SQLite:

    10,000 KOCs        1.0 ms CPU a KOC by one process (1.9 before a brand waited for its KOCs), 264 MiB; 2 processes and 2 Dask
                       workers: the same bytes
    in memory          10,000: 2,480 KOCs = 62,000 posts a CPU second, 153 MiB; 2 processes: the same bytes; 100,000 with five
                       other processes on the cores: 1,690 KOCs = 42,300 posts, 156 MiB
    1,000,000 KOCs     25.0 M mentions, 10.5 GiB, in order of time as they come, so that a KOC's lie far apart. `listener drift
                       replay --workers 2` was stopped after 596,000 KOCs for want of time: 2.4 ms CPU a KOC in the workers
                       (a quarter of it reading), 0.5 in the parent, 190 s to mark all and replay the brand; 184 MiB a worker,
                       1.7 GiB the parent. That makes 55 CPU minutes for all, half an hour on two cores of one's own.

What was stopped had 595,999 states and 404,001 marks left: nothing lost; `listener watch` goes on from there.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from listener import pipeline
from listener.app import replay_many
from listener.drift.rules import Rule, default_calibration
from listener.engines import Dask, Reach, collect_seldom, executor_of
from storage.codec import us
from storage.records import Account, Brand, History, Koc, KocMention, Mention, PostKey
from storage.store import Store
from tests.dask_cluster import Cluster, until

BRAND, START = "星澜", datetime(2025, 1, 1, tzinfo=UTC)
NOW = START + timedelta(days=400)
DAY_US = 86_400_000_000
PAGE, ROWS = 2000, 100_000  # KOCs, and posts, written in one transaction


def fill(url: str, kocs: int, mean: float, seed: int = 1, days: float = 365.0) -> int:
    """Write the roster and its mentions, in order of time as a deployment gets them, so that a KOC's lie far apart; returns how
    many. The database's own file is written to, its indexes made at the end: through the store it would take hours."""
    with Store.open(url) as store:
        for low in range(0, kocs, PAGE):
            store.save_kocs([person(i) for i in range(low, min(low + PAGE, kocs))])
    made = posts_of(np.random.default_rng(seed), kocs, mean, round(days * DAY_US))
    keys, on = [person(i).accounts[0].author_key for i in range(kocs)], made["at"] // DAY_US
    sums = [np.bincount(on), *(np.bincount(on, made[name]).astype(int) for name in ("against", "none", "favor"))]
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as file:
        file.execute("PRAGMA synchronous=OFF")
        known = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'posts' AND sql IS NOT NULL"
        indexes = file.execute(known).fetchall()
        for name, _ in indexes:
            file.execute(f"DROP INDEX {name}")
        for low in range(0, len(on), ROWS):
            columns = [made[name][low : low + ROWS].tolist() for name in made]
            rows = [
                (low + row, who, keys[who], us(START) + at, *rest)
                for row, (who, at, *rest) in enumerate(zip(*columns, strict=True), start=1)
            ]
            file.execute("BEGIN")
            insert_rows(file, "posts", [post_row(row, who, key, at) for row, who, key, at, *_ in rows])
            insert_rows(file, "mentions", [mention_row(row, at, *rest) for row, _, _, at, *rest in rows])
            file.execute("COMMIT")
        for _, statement in indexes:
            file.execute(statement)
        first = START.date().toordinal()
        insert_rows(
            file,
            "brand_days",
            [
                {"brand": BRAND, "day": first + day, "n": n, "against": against, "none": none, "favor": favor}
                for day, (n, against, none, favor) in enumerate(zip(*(one.tolist() for one in sums), strict=True))
            ],
        )
    return len(on)


def insert_rows(file: sqlite3.Connection, table: str, rows: list[dict[str, object]]) -> None:
    names = ", ".join(f'"{name}"' for name in rows[0])
    file.executemany(
        f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(rows[0]))})", [[*row.values()] for row in rows]
    )


def person(i: int) -> Koc:
    """A KOC with one account."""
    return Koc(f"K{i:07d}", f"K{i}", (Account("weibo", str(i), hashlib.sha256(f"author {i}".encode()).hexdigest()),))


def posts_of(rng: np.random.Generator, kocs: int, mean: float, span: int) -> dict[str, NDArray[np.int64]]:
    """Posts within ``span`` µs in order of time: whose, when (µs), against, none, favor in 1e-4, fingerprint."""
    who = np.repeat(np.arange(kocs), rng.poisson(mean, kocs))
    at = rng.integers(0, span, len(who))
    turn = np.where(rng.random(kocs) < 0.02, rng.integers(0, span, kocs), span)
    order = at.argsort()
    who, at = who[order], at[order]
    shares = np.where((at >= turn[who])[:, None], (0.7, 0.2, 0.1), (0.06, 0.2, 0.74))
    drawn = rng.standard_gamma(0.3 + 4 * shares)
    against, favor = np.rint(drawn[:, ::2].T / drawn.sum(axis=1) * 10_000).astype(np.int64)
    prints = rng.integers(-(1 << 62), 1 << 62, len(who))
    return {"who": who, "at": at, "against": against, "none": 10_000 - against - favor, "favor": favor, "print": prints}


def post_row(row: int, author: int, key: str, at: int) -> dict[str, object]:
    return {
        "id": row, "platform": "weibo", "post_id": str(row), "kind": "post", "author_key": key, "url": "", "posted_at": at,
        "parent_id": None, "root_id": None, "text": f"{BRAND}第 {row} 次用，{author} 说说感受", "text_hash": f"{row:x}",
        "media": "[]", "raw_sha256": f"{row:x}", "first_seen_at": at, "last_seen_at": at, "stored_at": us(NOW),
        "sources": '["import"]', "edited": False, "text_purged": False, "version": 1, "scored_version": 1,
    }  # fmt: skip


def mention_row(row: int, at: int, against: int, none: int, favor: int, fingerprint: int) -> dict[str, object]:
    return {
        "post": row, "brand": BRAND, "target": BRAND, "is_rival": False, "via": "named",
        "day": datetime.fromtimestamp(at / 1e6, UTC).date().toordinal(), "neg": against, "neu": none, "pos": favor,
        "favor": favor, "against": against, "none": none, "cues": "[]", "constructive": False, "own_words": True,
        "unscored": None, "fingerprint": fingerprint, "model": "bench",
    }  # fmt: skip


@contextmanager
def dask_of(workers: int) -> Iterator[Executor]:
    """Dask workers on this machine."""
    with TemporaryDirectory() as place, Cluster(Path(place)) as cluster:
        for _ in range(workers):
            cluster.worker()
        with Dask(cluster.address) as dask:
            until(lambda: dask.slots() == workers)
            yield dask


def replay(url: str, workers: int, limit: int, by_dask: bool = False) -> dict[str, object]:
    """Replay everybody; what it took and what came of it. CPU seconds beside the clock: on a machine that others use the
    clock tells little. The parent's are what no number of workers makes less."""
    spent = cpu_seconds()
    with Store.open(url) as store, (dask_of if by_dask else executor_of)(workers) as executor:
        desk = desk_of(store, executor, url, limit)
        started = time.perf_counter()
        store.mark_dirty()
        marked = time.perf_counter()
        done = pipeline.watch(desk)
        seconds = time.perf_counter() - started
        parent = cpu_seconds()[0] - spent[0]
        checksum = checksum_of(store)
    children_seconds = cpu_seconds()[1] - spent[1]
    usage, children = (resource.getrusage(who).ru_maxrss // 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {
        "workers": f"{workers} of Dask" if by_dask else workers,
        "kocs": done,
        "seconds": round(seconds, 1),
        "marking": round(marked - started, 1),
        "kocs_per_s": round(done / seconds),
        "parent_cpu_s": round(parent, 1),
        "workers_cpu_s": round(children_seconds, 1),
        "parent_mib": usage,
        "largest_worker_mib": children,
        "checksum": checksum,
    }


def desk_of(store: Store, executor: Executor | None, url: str, limit: int) -> pipeline.Desk:
    """What a replay needs of a desk."""
    return pipeline.Desk(
        store=store,
        brands=(Brand(BRAND),),
        finder=None,  # type: ignore[arg-type]
        key=b"",
        rule=Rule(timezone="UTC"),
        channels=(),
        channel=lambda name: None,
        score=lambda requests: [],
        now=lambda: NOW,
        view=lambda stored: None,  # type: ignore[arg-type,return-value]
        replay=partial(replay_many, executor, Reach(url, "Asia/Shanghai")),
        watch_size=limit,
    )


def replay_in_memory(kocs: int, mean: float, workers: int) -> dict[str, object]:
    """The detector and the signals alone, in pieces of the same KOCs by one process or more; no store, and the making of the
    histories is not timed."""
    pieces = [(low, min(PAGE, kocs - low), mean) for low in range(0, kocs, PAGE)]
    with executor_of(workers) as executor:
        started = time.perf_counter()
        found = list((map if executor is None else executor.map)(judged_piece, pieces))
        took = time.perf_counter() - started
    digest, posts, seconds = hashlib.sha256(), sum(one.posts for one in found), sum(one.seconds for one in found)
    for one in found:
        digest.update(one.digest)
    return {
        "in_memory": True,
        "workers": workers,
        "kocs": kocs,
        "posts": posts,
        "cpu_s": round(seconds, 1),
        "kocs_per_cpu_s": round(kocs / seconds),
        "posts_per_cpu_s": round(posts / seconds),
        "seconds_with_making": round(took, 1),
        "largest_process_mib": max(one.mib for one in found),
        "reds": sum(one.reds for one in found),
        "checksum": digest.hexdigest()[:16],
    }


@dataclass(frozen=True, slots=True)
class Piece:
    """What came of some KOCs: a digest of their verdicts, their posts and reds, CPU seconds, the process's most memory."""

    digest: bytes
    posts: int
    reds: int
    seconds: float
    mib: int


def judged_piece(piece: tuple[int, int, float]) -> Piece:
    """Make some KOCs' histories and judge them."""
    low, kocs, mean = piece
    made = posts_of(np.random.default_rng((7, low)), kocs, mean, 365 * DAY_US)
    said: list[list[KocMention]] = [[] for _ in range(kocs)]
    for row, (who, at, *rest) in enumerate(zip(*(made[name].tolist() for name in made), strict=True)):
        said[who].append(spoken(f"{low}-{row}", START + timedelta(microseconds=at), *rest))
    histories = [History(f"K{low + i:07d}", BRAND, tuple(each)) for i, each in enumerate(said)]
    started = time.process_time()
    verdicts = pipeline.verdicts_of(histories, (), default_calibration(), Rule(timezone="UTC"))
    seconds = time.process_time() - started
    reds = sum(drift.level == "red" for verdict in verdicts for drift in verdict.drifts)
    digest = hashlib.sha256(repr(verdicts).encode()).digest()
    return Piece(digest, len(made["at"]), reds, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


def spoken(post_id: str, at: datetime, against: int, none: int, favor: int, fingerprint: int) -> KocMention:
    """One mention, as the store would bring it."""
    a, o, f = against / 10_000, none / 10_000, favor / 10_000
    mention = Mention(
        PostKey("weibo", post_id), BRAND, BRAND, False, "named", a, o, f, f, a, o, (), False, True, None, fingerprint, "bench"
    )
    return KocMention(at, mention, "post", "", "", ("weibo", "1"))


def cpu_seconds() -> tuple[float, float]:
    """CPU seconds of this process, and of its children that have ended."""
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime, children.ru_utime + children.ru_stime


def checksum_of(store: Store) -> str:
    """Over all that a replay leaves, but when it was recorded."""
    digest = hashlib.sha256()
    for state in store.states(BRAND):
        digest.update(repr(state).encode())
    for drift in store.drifts(brand=BRAND):
        digest.update(repr(drift).encode())
    for one in store.alerts(history=True):
        digest.update(repr((one.alert, one.state)).encode())
    for case in store.cases():
        digest.update(json.dumps(asdict(case), default=str, sort_keys=True).encode())
    return digest.hexdigest()[:16]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kocs", type=int, default=20_000)
    parser.add_argument("--mentions", type=float, default=25.0)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--dask", type=int, default=0, help="Dask workers of this machine, to replay once more by")
    parser.add_argument("--limit", type=int, default=2000, help="KOCs in one transaction")
    parser.add_argument("--memory", action="store_true", help="judge histories made in memory, no store")
    parser.add_argument("--keep", action="store_true", help="keep the database, and take it if it is there")
    a = parser.parse_args()
    collect_seldom()
    if a.memory:
        results = [replay_in_memory(a.kocs, a.mentions, workers) for workers in a.workers]
        for result in results:
            print(json.dumps(result), flush=True)
        assert len({result["checksum"] for result in results}) == 1, "the number of workers changed the result"
        return
    a.folder.mkdir(parents=True, exist_ok=True)
    file = a.folder / f"replay-{a.kocs}-{a.mentions:g}.db"
    url = f"sqlite:///{file}"
    if not file.exists():
        started = time.perf_counter()
        rows = fill(url, a.kocs, a.mentions)
        took = round(time.perf_counter() - started, 1)
        print(json.dumps({"mentions": rows, "mib": file.stat().st_size >> 20, "filled_in": took}), flush=True)
    checksums = set()
    for workers, by_dask in [*((n, False) for n in a.workers), *([(a.dask, True)] if a.dask else [])]:
        result = replay(url, workers, a.limit, by_dask)
        checksums.add(result["checksum"])
        print(json.dumps(result), flush=True)
    if not a.keep:
        for each in (file, *(file.with_name(file.name + end) for end in ("-wal", "-shm"))):
            each.unlink(missing_ok=True)
    assert len(checksums) == 1, "the number of workers changed the result"


if __name__ == "__main__":
    main()
