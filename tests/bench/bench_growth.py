"""One KOC whose history grows: what a replay costs, and one more post for a filter that goes on from its state.

    nice python -m tests.bench.bench_growth [--posts 50 500 5000] [--days 365]

For each length, medians of CPU time over several runs, of synthetic posts over so many days:

    replay      all that a new post of that KOC sets off: its history read from SQLite, judged, what follows recorded
    judged      the same history in memory → its verdict with the signals beside: the whole of it, and a post of it
    one more    the turn filter alone, going on from its state by one post; bytes of that state, which is all it needs

Measured on one core of a machine that others used (50, 500, 5,000 posts in a year): replay 34, 169, 1295 ms, which is 678,
336, 259 µs a post; judged 211, 185, 217 µs a post; one more 179, 180, 277 µs; state 426 bytes each. 5,000 posts within 60
days 317 µs a post, over five years 226. So a post costs the same in a long history as in a short one, and a replay grows with
its length: a state is not stored, and who has 5,000 posts is replayed in 1.3 s when the next one comes. A lone KOC's 170 µs
are the calls of as many small array operations; 1,024 KOCs side by side take 0.85 µs a post of each.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

from listener import pipeline
from listener.drift.detect import bars
from listener.drift.moods import Moods
from listener.drift.readings import Readings, counted_of, readings_of
from listener.drift.rules import Rule, default_calibration, parameters_of
from listener.drift.turn_filter import TurnFilter
from storage.records import History, MoodDay
from storage.store import Store
from tests.bench.bench_replay import BRAND, desk_of, fill, person

RULE = Rule(timezone="UTC")


def seconds(work: Callable[[], object], *, least: float = 0.3) -> float:
    """Median CPU seconds of a call, over at least three calls and so many seconds."""
    took: list[float] = []
    while len(took) < 3 or sum(took) < least:
        started = time.process_time()
        work()
        took.append(time.process_time() - started)
    return statistics.median(took)


def one_more(history: History, moods: list[MoodDay]) -> tuple[float, int]:
    """Seconds that the filter takes for a KOC's last post, going on from its state, and that state's bytes."""
    p = parameters_of(default_calibration())
    readings = readings_of([counted_of(history, Moods(moods), p, ZoneInfo(RULE.timezone))], p)
    turn_filter, bar = TurnFilter(p), bars(readings.per_year, RULE.false_alarms_red, p)
    posts = len(readings.active)
    state, _ = turn_filter.run(rows(readings, 0, posts - 1), bar[: posts - 1])
    last = rows(readings, posts - 1, posts)
    took = seconds(lambda: turn_filter.run(last, bar[posts - 1 :], state), least=0.05)
    return took, state.bytes_per_koc


def rows(r: Readings, low: int, high: int) -> Readings:
    """The readings of some posts."""
    some = slice(low, high)
    return Readings(r.active[some], r.evidence[some], r.repeat[some], r.market[some], r.per_year[some], r.stance[some])


def measure(folder: Path, posts: int, days: float) -> str:
    url = f"sqlite:///{folder / f'{posts}.db'}"
    filled = fill(url, 1, posts, days=days)
    with Store.open(url) as store:
        desk = desk_of(store, None, url, 100)

        def replay() -> None:
            store.mark_dirty()
            assert pipeline.watch(desk) == 1

        replay()
        whole = seconds(replay)
        history, moods = store.history(person(0).koc_id, BRAND), store.moods(BRAND)
    cold = default_calibration()
    judged = seconds(lambda: pipeline.verdicts_of([history], moods, cold, RULE))
    more, size = one_more(history, moods)
    each = 1e6 / filled
    return (
        f"{filled:6d} posts   replay {1000 * whole:7.1f} ms = {each * whole:5.0f} µs a post   judged {1000 * judged:7.1f} ms"
        f" = {each * judged:5.0f} µs a post   one more {1e6 * more:5.0f} µs, state {size} bytes"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posts", type=int, nargs="+", default=[50, 500, 5000])
    parser.add_argument("--days", type=float, default=365.0, help="over which they are spread")
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for posts in a.posts:
            print(measure(Path(folder), posts, a.days), flush=True)


if __name__ == "__main__":
    main()
