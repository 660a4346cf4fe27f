"""How fast the store takes posts in and gives histories out; made-up posts, no scorer.

    python tests/bench/bench_store.py [--posts 22000] [--kocs 300] [--crowd 1500] [--batch 1000] [--url URL]

Prints posts per second of each step and of all together, for the given size and for five times as many, so that a step that
grows faster than its input shows. Without a URL it writes a SQLite file into a temporary folder.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from storage.records import Counts, Koc, Post
from storage.store import Store
from tests.stored import BRAND, NOW, at, changes, koc, mention, post

WORDS = ("洗完很蓬松", "味道好闻", "头屑少了不少", "有点干", "物流很快", "比上一瓶好", "出门携带方便", "价格合适", "泡沫细腻")


def season(number: int, kocs: int, crowd: int, seed: int = 1) -> list[Post]:
    """A year of posts as crawls bring them: a few days at a time, newest first, some seen again, a few edited, comments."""
    dice = random.Random(seed)
    posts = []
    for n in range(number):
        by = f"n{dice.randrange(kocs)}" if dice.random() < 0.4 else f"c{dice.randrange(crowd)}"
        posted = at(minutes=n * 525_600 / number)
        words = f"{BRAND}" * (dice.random() < 0.8) + "，".join(dice.choices(WORDS, k=4)) + f" {n}"
        parent = str(dice.randrange(n)) if n and dice.random() < 0.2 else None
        counts = Counts(dice.randrange(50), dice.randrange(5), 0)
        posts.append(post(n, words, by=by, posted_at=posted, seen_at=posted + timedelta(days=1), counts=counts, parent=parent))
        if dice.random() < 0.06:
            changed = words + "（改）" if dice.random() < 0.1 else words
            later = posted + timedelta(days=2)
            posts.append(post(n, changed, by=by, posted_at=posted, seen_at=later, counts=Counts(60, 9, 1), parent=parent))
    crawls = [posts[start : start + 400][::-1] for start in range(0, len(posts), 400)]
    dice.shuffle(crawls)
    return [one for crawl in crawls for one in crawl]


class Clock:
    """Seconds by step, of the wall clock or of this process's processor."""

    def __init__(self, *, of_processor: bool = False) -> None:
        self.of_processor = of_processor
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        started = time.process_time() if self.of_processor else time.perf_counter()
        yield
        ended = time.process_time() if self.of_processor else time.perf_counter()
        self.seconds[name] = self.seconds.get(name, 0) + ended - started


def take_in(store: Store, posts: list[Post], batch: int, clock: Clock) -> None:
    dice = random.Random(5)
    for start in range(0, len(posts), batch):
        with clock.step("add"):
            store.add(posts[start : start + batch], stored_at=NOW)
        while True:
            with clock.step("stale"):
                stale = store.stale(batch)
            if not stale:
                break
            made = []
            for one in stale:
                against = dice.randrange(5000)
                scored = mention(one.key, against=against / 10_000, favor=(5000 - against) / 10_000)
                made.append((one, [scored] if BRAND in one.text else []))
            with clock.step("put"):
                store.put(made)


def watch(store: Store, clock: Clock) -> int:
    read = 0
    with clock.step("watch"):
        while True:
            with store.watching(brands=[BRAND]) as dirty:
                if dirty is None:
                    return read
                for history in dirty.histories:
                    read += len(history.mentions)
                    dirty.record(changes(history.koc_id, history.brand), at=NOW)


def run(url: str, number: int, kocs: int, crowd: int, batch: int, of_processor: bool, tell: Callable[[str], None]) -> None:
    posts = season(number, kocs, crowd)
    people: list[Koc] = [koc(f"k{n:05}", f"n{n}") for n in range(kocs)]
    clock = Clock(of_processor=of_processor)
    with Store.open(url, migrate=True) as store:
        store.prepare("brands", "m1")
        with clock.step("roster"):
            store.save_kocs(people)
        take_in(store, posts, batch, clock)
        read = watch(store, clock)
        with clock.step("again"):
            take_in(store, posts[: len(posts) // 2], batch, Clock())
        with clock.step("purge"):
            store.purge(NOW + timedelta(days=400), raw_days_strangers=30, raw_days_kocs=365, text_days=365)
    seconds = clock.seconds
    share = seconds["add"] + seconds["stale"] + seconds["put"]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    tell(f"{len(posts)} items of {number} posts, {kocs} KOCs, batches of {batch}")
    for name in ("add", "stale", "put"):
        tell(f"  {name:8}{len(posts) / seconds[name]:10.0f} items/s")
    tell(f"  together{len(posts) / share:10.0f} items/s")
    tell(f"  again   {len(posts) / 2 / seconds['again']:10.0f} items/s")
    tell(f"  watch   {read / seconds['watch']:10.0f} mentions/s, {seconds['watch']:.2f} s; purge {seconds['purge']:.2f} s")
    tell(f"  peak memory {peak:.0f} MB")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--posts", type=int, default=22_000)
    options.add_argument("--kocs", type=int, default=300)
    options.add_argument("--crowd", type=int, default=1500)
    options.add_argument("--batch", type=int, default=1000)
    options.add_argument("--times", type=int, nargs="*", default=[1, 5])
    options.add_argument("--url", default="")
    options.add_argument("--cpu", action="store_true", help="seconds of this process's processor, not of the wall clock")
    given = options.parse_args()
    for times in given.times:
        with tempfile.TemporaryDirectory() as folder:
            url = given.url or f"sqlite:///{folder}/bench.db"
            run(url, given.posts * times, given.kocs * times, given.crowd * times, given.batch, given.cpu, print)


if __name__ == "__main__":
    main()
