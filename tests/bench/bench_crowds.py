"""Signals of crowds and of the operator: recall and false alarms against their promises, and what they cost a watch.

    python tests/bench/bench_crowds.py storms|spreads|contagions|sources [--seeds N]     simulated seasons, with and without
    python tests/bench/bench_crowds.py store [--posts 1000000]                            seconds of a watch, with and without
    KOC_SHARED=… python tests/bench/bench_crowds.py real                                  what real recordings give

Seasons are drawn from laws that the rules do not know: places whose days and quarters scatter by gamma factors of their own on
top of chance, authors of lasting loudness with heavy-tailed posts, KOCs in small groups. False alarms are given with their 95 %
Poisson interval, recall with its 95 % Wilson interval.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import math
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from listener import health
from listener.signals.contagions import contagions
from listener.signals.crowds import Promise, crowd_signals
from listener.signals.sources import Expected, silent_sources
from listener.signals.spreads import PEERS, fast_of
from listener.signals.storms import storms_of_place
from storage.records import Crawl, Look, PostKey, Reached, Tie, Turned, Voice

START = datetime(2025, 1, 1, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
PROFILE = np.roll(np.array([0.3] * 6 + [1.0] * 12 + [1.7] * 6), -8)  # of a local day, by hour UTC


def poisson_interval(n: int) -> tuple[float, float]:
    """95 % interval of a Poisson mean of which n were seen (Byar)."""
    low = n * (1 - 1 / (9 * n) - 1.96 / (3 * math.sqrt(n))) ** 3 if n else 0.0
    return low, (n + 1) * (1 - 1 / (9 * (n + 1)) + 1.96 / (3 * math.sqrt(n + 1))) ** 3


def wilson(hits: int, of: int) -> str:
    share, z = hits / of, 1.96
    middle, wide = share + z * z / (2 * of), z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return f"{share:.2f} ({(middle - wide) / (1 + z * z / of):.2f}–{(middle + wide) / (1 + z * z / of):.2f})"


def rate(n: int, years: float) -> str:
    low, high = poisson_interval(n)
    return f"{n / years:.3f} ({low / years:.3f}–{high / years:.3f})"


# ---------------------------------------------------------------------------------------------------------- storms


def place(g: Generator, per_day: float, scatter: float, days: int, authors: int = 400) -> list[Voice]:
    """A place whose days and quarters scatter, each by a gamma factor of that variance, on top of chance."""
    shape = (days, 4)
    by_day = g.gamma(1 / scatter, scatter, days) if scatter else np.ones(days)
    by_quarter = g.gamma(1 / scatter, scatter, shape) if scatter else np.ones(shape)
    hourly = per_day * (PROFILE / PROFILE.sum())[None, :] * by_day[:, None] * np.repeat(by_quarter, 6, axis=1)
    found: list[Voice] = []
    counts = g.poisson(hourly)
    for day, hour in zip(*np.nonzero(counts), strict=True):
        for _ in range(counts[day, hour]):
            at = START + timedelta(days=int(day), hours=float(hour + g.random()))
            found.append(_voice(len(found), at, f"a{g.integers(authors)}"))
    return sorted(found, key=lambda one: (one.at, one.key))


def _voice(number: int, at: datetime, author: str) -> Voice:
    return Voice(at, PostKey("forum", f"{author}-{number}"), author, number + 1, 0.9)


def storms(seeds: int, promised: float) -> None:
    print(f"opinion storms, promised {promised:g} false ones per place and year; recall of so many strangers within 5 hours")
    for per_day in (0.5, 3, 12, 40):
        for scatter in (0.0, 0.15, 0.3, 0.5):
            false, years, hits = 0, 0.0, {8: 0, 15: 0, 25: 0, 50: 0}
            for seed in range(seeds):
                g = np.random.default_rng([seed, int(per_day * 10), int(scatter * 100)])
                voices = place(g, per_day, scatter, 420)
                false += len(storms_of_place(voices, (), since=START, first_at=START, zone=ZONE, promised=promised))
                years += (420 - 8) / 365
                for strangers in hits:
                    at = START + timedelta(days=300, hours=float(g.uniform(0, 24)))
                    extra = [_voice(n, at + float(g.uniform(0, 5)) * HOUR, f"s{n}") for n in range(strangers)]
                    near = [one for one in voices if at - 60 * DAY < one.at < at + DAY]
                    stormy = sorted([*near, *extra], key=lambda one: (one.at, one.key))
                    told = storms_of_place(stormy, (), since=at, first_at=START, zone=ZONE, promised=promised)
                    hits[strangers] += any(storm.fired_at <= at + 6 * HOUR for storm in told)
            recall = "  ".join(f"{strangers}: {wilson(n, seeds)}" for strangers, n in hits.items())
            print(f"  {per_day:5} a day, scatter {scatter:4}: false {rate(false, years)}   recall {recall}", flush=True)


# --------------------------------------------------------------------------------------------------------- spreads


def posts_with_reach(
    g: Generator, number: int, between: float, within: float, power: float = 0.0
) -> list[tuple[Reached, float]]:
    """Posts of a platform: authors of lasting loudness, posts that scatter around it with heavy tails (t of 6), looks at ages
    of their own; each with its final reach. power: instead, all are alike and fall off as a power law of that exponent."""
    loudness = g.normal(2.5, between, 300)
    found = []
    for n in range(number):
        author = int(g.integers(300))
        final = math.expm1(max(loudness[author] + within * g.standard_t(6), 0.0)) if not power else float(g.pareto(power) * 5)
        at, half = START + n * 2 * HOUR, float(g.lognormal(2.0, 0.4))
        ages = [age for age in (0.5, 1, 2, 4, 8, 16, 24, 48, 120) if g.random() < 0.7]
        looks = tuple(Look(at + age * HOUR, int(final * age / (age + half))) for age in ages)
        found.append((Reached(at, PostKey("weibo", f"{n:06d}"), f"a{author}", n + 1, looks), final))
    return found


def spreads(seeds: int, promised: float) -> None:
    print(
        f"spread by reach, promised {promised:g} false ones in 1000 posts; recall of posts that reach so many times their due"
    )
    for between, within, power in ((1.0, 0.7, 0.0), (1.4, 0.7, 0.0), (1.0, 1.0, 0.0), (0.0, 0.0, 1.1)):
        false, of, hits, tried = 0, 0, {10: 0, 30: 0, 100: 0, 300: 0}, 0
        for seed in range(seeds):
            g = np.random.default_rng([seed, int(between * 10), int(within * 10), int(power * 10)])
            made = posts_with_reach(g, 1500, between, within, power)
            posts = [post for post, _ in made]
            own: dict[str, list[tuple[datetime, tuple[Look, ...]]]] = {}
            for i, post in enumerate(posts):
                before = own.setdefault(post.author, [])
                if i >= 60 and post.looks:
                    peers = posts[max(i - PEERS, 0) : i]
                    false += fast_of(post, peers, before[-20:], promised=promised) is not None
                    of += 1
                    if i % 10 == 0:
                        tried += 1
                        for times in hits:
                            big = tuple(Look(look.at, look.total * times + 20) for look in post.looks)
                            louder = Reached(post.at, post.key, post.author, post.fingerprint, big)
                            hits[times] += fast_of(louder, peers, before[-20:], promised=promised) is not None
                before.append((post.at, post.looks))
        recall = "  ".join(f"×{times}: {wilson(n, tried)}" for times, n in hits.items())
        print(
            f"  authors {between}, posts {within}, power {power}: false in 1000 {rate(false, of / 1000)}   recall {recall}",
            flush=True,
        )


# ------------------------------------------------------------------------------------------------------ contagions


def season_of_kocs(
    g: Generator, base: float, follow: float = 0.0, crisis: int = 0, number: int = 120
) -> tuple[list[Turned], list[Tie], dict[str, str]]:
    """KOCs in a dozen groups with many ties inside and few across; a share turns by itself, so many in one week of crisis, and
    each tie to a critic draws its follower along with some chance within five weeks."""
    people = {f"K{n:03d}": ("weibo", "weibo xhs")[n % 3 == 0] for n in range(number)}
    names, group = sorted(people), g.integers(0, 12, number)
    ties = [
        Tie("answer", names[i], names[j], START + float(g.uniform(-200, 365)) * DAY)
        for i in range(number)
        for j in range(number)
        if i != j and g.random() < (0.35 if group[i] == group[j] else 0.008)
    ]
    turned = {names[i]: float(g.uniform(0, 365)) for i in range(number) if g.random() < base}
    for i in g.choice(number, crisis, replace=False):
        turned.setdefault(names[int(i)], 150 + float(g.normal(0, 5)))
    led: dict[str, list[Tie]] = {}
    for tie in ties:
        led.setdefault(tie.critic, []).append(tie)
    waiting = sorted(turned.items(), key=lambda pair: pair[1])
    while waiting and follow:
        critic, day = waiting.pop(0)
        for tie in led.get(critic, ()):
            after = day + float(g.uniform(2, 35))
            if tie.follower not in turned and g.random() < follow and (tie.at - START) / DAY < after < 365:
                turned[tie.follower] = after
                waiting = sorted([*waiting, (tie.follower, after)], key=lambda pair: pair[1])
    turns = [
        Turned(koc, START + day * DAY, START + (day + float(g.uniform(3, 25))) * DAY, PostKey("weibo", f"p{koc}"))
        for koc, day in turned.items()
    ]
    return turns, ties, people


def all_contagions(seeds: int, promised: float) -> None:
    print(f"contagion, promised {promised:g} false ones per brand and year; a season is a year of 120 KOCs")
    worlds = (
        ("none, a tenth turn", {"base": 0.1}),
        ("none, a third turn", {"base": 0.33}),
        ("none, a week of crisis", {"base": 0.05, "crisis": 25}),
        ("each tie draws 5 %", {"base": 0.06, "follow": 0.05}),
        ("each tie draws 10 %", {"base": 0.06, "follow": 0.1}),
        ("each tie draws 25 %", {"base": 0.06, "follow": 0.25}),
    )
    for name, law in worlds:
        told, turns_n = 0, 0
        for seed in range(seeds):
            turns, ties, people = season_of_kocs(np.random.default_rng([seed, 7]), **law)  # type: ignore[arg-type]
            turns_n += len(turns)
            told += bool(contagions("b", turns, ties, people, None, promised=promised))
        print(f"  {name:24} {turns_n / seeds:5.1f} turns, told in a share of {wilson(told, seeds)} of {seeds}", flush=True)


# --------------------------------------------------------------------------------------------------------- sources


def sources(seeds: int) -> None:
    print("source silent: a year of days with so many posts a day by chance; then an end, told after so many days (median)")
    for per_day in (0.3, 1.0, 3.0, 10.0):
        false, delays = 0, []
        for seed in range(seeds):
            counts = np.random.default_rng([seed, int(per_day * 10)]).poisson(per_day, 400)
            counts[365:] = 0
            was_told = False
            for today in range(40, 400):
                posts = {day: int(n) for day, n in enumerate(counts[: today + 1]) if n}
                now = START + today * DAY + 12 * HOUR
                crawl = Crawl("c", "s", "forum", now - HOUR, now, "done", 0, "")
                fares = health.health_of(posts, [crawl], today=today, now=now)
                told = bool(silent_sources([Expected("s", "forum", HOUR)], [crawl], {"s": fares}, now, ZONE))
                if told and not was_told and today <= 365:
                    false += 1
                if told and today > 365:
                    delays.append(today - 365)
                    break
                was_told = told
        years = seeds * 325 / 365
        middle = sorted(delays)[len(delays) // 2] if delays else None
        print(
            f"  {per_day:5} a day: false a year {rate(false, years)}   told {len(delays)}/{seeds}, after {middle} days",
            flush=True,
        )


# ----------------------------------------------------------------------------------------------------------- store


@contextmanager
def clock(name: str) -> Iterator[None]:
    started, cpu = time.perf_counter(), time.process_time()
    yield
    print(f"  {name:60} {time.perf_counter() - started:8.3f} s, {time.process_time() - cpu:8.3f} s of processor", flush=True)


def fill(path: Path, number: int, kocs: int) -> None:
    """Posts of two years, written as rows: eight sources, a third of them answers, one of seven against the brand, half with
    counters; what the migration brings in of crowds is brought in by its own statements."""
    import sqlite3

    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from sqlalchemy import create_engine

    g = np.random.default_rng(1)
    end = int((START + 730 * DAY).timestamp() * 1e6)
    at = np.sort(g.integers(end - 730 * 86_400_000_000, end, number))
    author = np.where(g.random(number) < 0.1, g.integers(0, kocs, number), kocs + g.integers(0, number // 10, number))
    answers, source = g.random(number) < 0.33, g.integers(0, 8, number)
    root, against = g.integers(0, np.maximum(np.arange(number), 1)), np.where(g.random(number) < 1 / 7, 9000, 500)
    prints: NDArray[np.int64] = g.integers(-(2**62), 2**62, number)
    keys = {n: hashlib.sha256(f"{n}".encode()).hexdigest() for n in range(kocs + number // 10)}
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA synchronous=OFF")
        db.executemany(
            "INSERT INTO posts VALUES (?,'forum',?,?,?,'',?,?,?,'星澜','x','[]','x',?,?,?,?,0,0,1,1)",
            (
                (i + 1, str(i), "comment" if answers[i] else "post", keys[int(author[i])], int(at[i]))
                + ((str(root[i]),) * 2 if answers[i] else (None, None))
                + (int(at[i]), int(at[i]), int(at[i]), f'["源{source[i]}"]')
                for i in range(number)
            ),
        )
        db.executemany(
            "INSERT INTO mentions (post,brand,target,is_rival,via,day,neg,neu,pos,favor,against,none,cues,constructive,"
            "own_words,unscored,fingerprint,model,causes) "
            "VALUES (?,'星澜','星澜',0,'named',?,0,0,0,?,?,500,'[]',0,1,NULL,?,'m1','')",
            (
                (i + 1, 719_163 + int(at[i]) // 86_400_000_000, 9500 - int(against[i]), int(against[i]), int(prints[i]))
                for i in range(number)
            ),
        )
        shown = np.flatnonzero(~answers & (g.random(number) < 0.5))
        likes = np.exp(g.normal(2.5, 1.2, number)).astype(int)
        db.executemany(
            "INSERT INTO post_counts VALUES (?,?,?,NULL,NULL,NULL)",
            ((int(i) + 1, int(at[i]) + h * 3_600_000_000, int(likes[i] * h / (h + 8))) for i in shown for h in (2, 24)),
        )
        db.execute(
            "INSERT INTO brand_days "
            "SELECT brand, day, count(*), sum(against), sum(none), sum(favor) FROM mentions GROUP BY 1, 2"
        )
        for n in range(kocs):
            db.execute("INSERT INTO kocs (koc_id, name, owner, tier, domain, note) VALUES (?,'','','','','')", (f"K{n}",))
            db.execute("INSERT INTO accounts VALUES ('forum', ?, ?, ?, '', '')", (f"k{n}", f"K{n}", keys[n]))
            db.execute("INSERT INTO account_keys VALUES (?, 'forum', ?, ?)", (keys[n], f"k{n}", f"K{n}"))
    engine = create_engine(f"sqlite:///{path}")
    step = importlib.import_module("storage.migrations.versions.0011_crowds")
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)), clock("migration: crowds"):
        step._fill("sqlite")
    engine.dispose()
    with sqlite3.connect(path) as db:
        db.execute("ANALYZE")


def store(number: int, kocs: int) -> None:
    from listener import pipeline
    from listener.drift.brand_shifts import brand_shifts
    from listener.signals.moods import brand_verdict
    from storage.records import Brand
    from storage.store import Store
    from tests.desks import Bench
    from tests.stored import mention, post

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.db")
        with Store.open(f"sqlite:///{path}") as kept:
            wired = Bench(kept, (Brand("星澜"),)).desk()  # says what mentions are made with, before there are any
        with clock(f"{number} posts written"):
            fill(path, number, kocs)
        with Store.open(f"sqlite:///{path}") as kept:
            wired = Bench(kept, (Brand("星澜"),)).desk()

            def batch(first: int, size: int = 1000) -> None:
                """New posts of the last day, as a crawl brings them, scored."""
                g = np.random.default_rng(first)
                now = START + 730 * DAY
                posts = [
                    post(
                        f"n{first + i}",
                        f"星澜 {i}",
                        by=f"c{g.integers(5000)}",
                        source=f"源{g.integers(8)}",
                        posted_at=now - i * 80 * HOUR / 3600,
                    )
                    for i in range(size)
                ]
                kept.add(posts, stored_at=now + HOUR)
                while stale := kept.stale(1000):
                    made = [
                        (one, [mention(one.key, "星澜", against=0.9 if n % 7 == 0 else 0.05, favor=0.05)])
                        for n, one in enumerate(stale)
                    ]
                    kept.put(made)

            def brand_alone(crowds: bool) -> None:
                with kept.watching(brands=["星澜"], limit=1) as dirty:
                    assert dirty is not None
                    assert dirty.brands == ["星澜"], dirty.brands
                    moods = dirty.public_moods("星澜")
                    verdict = brand_verdict("星澜", brand_shifts(moods), dirty.loudest, ZONE)
                    if crowds:
                        found = crowd_signals("星澜", dirty.crowd("星澜"), moods, zone=ZONE, promise=Promise())
                        print(f"    {len(found.signals)} signals, {len(found.finds)} finds")
                    raise _LeaveAsItWas(verdict)

            def tried(crowds: bool) -> None:
                with suppress(_LeaveAsItWas):
                    brand_alone(crowds)

            kept.mark_dirty([])
            with clock("first replay of the brand, every place: whole watch"):
                pipeline.watch(wired)
            for round_ in range(3):
                with clock("a batch of 1000 posts added and scored (no model)"):
                    batch(round_ * 1000)
                with clock("  the brand's replay without crowds"):
                    tried(crowds=False)
                with clock("  the brand's replay with crowds"):
                    tried(crowds=True)
                with clock("  the whole watch, KOCs and crowds"):
                    pipeline.watch(wired)


def real() -> None:
    """A year of real posts and comments that mention one account, and the season of the end-to-end judge: real reviews on the
    clock of a real forum, with turns and two crises of the market put in."""
    import collections
    import gzip
    import json
    import os

    from spiders.items import Item
    from storage.records import Account, Brand, Koc
    from storage.store import Store
    from tests.bench.bench_weibo_sample import WORD, sample
    from tests.desks import Bench

    shared = Path(os.environ["KOC_SHARED"])
    posts, comments = sample(shared / "data/platform/weibo_sample")
    weibo = [
        Item(
            platform="weibo",
            post_id=one.post_id,
            author_id=one.author_id,
            text=one.text,
            posted_at=one.posted_at,
            likes=one.likes,
            seen_at=one.posted_at + 24 * HOUR,
        )
        for one in posts
    ] + [
        Item(
            platform="weibo",
            post_id=f"c{one.comment_id}",
            author_id=one.author_id,
            text=one.text,
            posted_at=one.posted_at,
            kind="comment",
            parent_id=one.post_id or None,
            root_id=one.post_id or None,
        )
        for one in comments
    ]
    season = shared / "bench/koc_turns/dev"
    law = json.loads((season / "brand.json").read_text("utf-8"))
    with gzip.open(season / "items.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    known = set(Item.__dataclass_fields__) - {"media", "raw"}
    turns = [
        Item(**{k: datetime.fromisoformat(v) if k.endswith("_at") and v else v for k, v in row.items() if k in known})  # type: ignore[arg-type]
        for row in rows
    ]
    import csv

    with (season / "roster.csv").open(encoding="utf-8") as file:
        people = [
            Koc(row["koc_id"], row["koc_id"], (Account(row["platform"], row["account_id"], ""),))
            for row in csv.DictReader(file)
        ]
    fields = {name: tuple(law.get(name, ())) for name in ("aliases", "products", "nicknames")}
    for name, brand, items, roster in (
        ("weibo sample", Brand(WORD, aliases=("罗伯特",)), weibo, []),
        ("koc_turns", Brand(law["name"], **fields), turns, people),
    ):
        with tempfile.TemporaryDirectory() as folder, Store.open(f"sqlite:///{folder}/a.db") as kept:
            bench = Bench(kept, (brand,))
            bench.roster(roster)
            bench.take(items, source="import")
            found = [one.alert for one in kept.alerts()]
            days = (max(one.posted_at for one in items) - min(one.posted_at for one in items)).days
            print(f"{name}: {len(items)} items over {days} days, {dict(collections.Counter(one.kind for one in found))}")
            for one in found:
                if one.kind in ("opinion-storm", "spread", "contagion"):
                    short = {k: v for k, v in one.evidence.items() if k not in ("chain", "also")}
                    print("   ", one.kind, one.fired_at.isoformat()[:16], json.dumps(short, ensure_ascii=False)[:300])


class _LeaveAsItWas(Exception):  # noqa: N818
    """Ends a watch without writing, so that it can be timed again."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("what", choices=("storms", "spreads", "contagions", "sources", "store", "real"))
    options.add_argument("--seeds", type=int, default=30)
    options.add_argument("--posts", type=int, default=1_000_000)
    options.add_argument("--kocs", type=int, default=300)
    given = options.parse_args()
    match given.what:
        case "storms":
            storms(given.seeds, 0.2)
        case "spreads":
            spreads(given.seeds, 1.0)
        case "contagions":
            all_contagions(given.seeds, 0.05)
        case "sources":
            sources(given.seeds)
        case "real":
            real()
        case _:
            store(given.posts, given.kocs)


if __name__ == "__main__":
    main()
