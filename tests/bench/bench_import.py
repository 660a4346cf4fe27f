"""A season imported as `listener import` does it: posts/s of the whole and of each step, peak memory, the judge's verdict.

python tests/bench/bench_import.py                  the shared dev season (22 k items)
python tests/bench/bench_import.py --large          beside it five times as much (1,500 KOCs, 7,500 others)
python tests/bench/bench_import.py --workers 2      scoring in two processes
python tests/bench/bench_import.py --seeds 11 12 13 --kocs 1500     pooled seasons for the judge
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from listener import pipeline, workspace
from listener.app import App
from listener.commands import showing
from tests.bench.shared_data import need


def timed(spent: dict[str, float], name: str, work: Callable[..., Any]) -> Callable[..., Any]:
    def run(*args: Any, **more: Any) -> Any:
        start = time.perf_counter()
        try:
            return work(*args, **more)
        finally:
            spent[name] = spent.get(name, 0.0) + time.perf_counter() - start

    return run


def one(folder: Path, workers: int, level: str = "") -> None:
    """Import one season in this process and print its figures as JSON."""
    from config import edit

    with tempfile.TemporaryDirectory() as place:
        path = workspace.create(Path(place))
        edit.put_brand(path, edit.read_brand(folder / "brand.json"))
        with App.open(path, {}) as app:
            app.store.save_kocs(app.read_roster(folder / "roster.csv").kocs)
            spent: dict[str, float] = {}
            for name in ("add", "stale", "put"):
                setattr(app.store, name, timed(spent, name, getattr(app.store, name)))
            pipeline.normalized = timed(spent, "normalize", pipeline.normalized)  # type: ignore[assignment]
            pipeline.watch = timed(spent, "watch", pipeline.watch)  # type: ignore[assignment]
            import listener.app as wired

            wired.score_many = timed(spent, "score", wired.score_many)  # type: ignore[assignment]
            start, cpu = time.perf_counter(), time.process_time()
            done, _ = app.import_file(folder / "items.jsonl.gz", workers=workers)
            seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu
            items = done.new + done.again
            alerts = Path(place, "alerts.jsonl")
            rows = showing.alert_rows(app, app.store.alerts())
            alerts.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
            figures = {
                "items": items,
                "posts/s": round(items / seconds),
                "posts/CPU-s of this process": round(items / cpu_seconds),
                "seconds": round(seconds, 1),
                "steps": {name: round(value, 2) for name, value in spent.items()},
                "peak MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
                "database MB": round(sum(p.stat().st_size for p in Path(place).glob("*.db*")) / 1e6),
            }
            print(json.dumps(figures, ensure_ascii=False))
            for each in [level] if level else ["red", "amber"]:
                judge = [sys.executable, str(need("bench", "koc_turns", "judge.py")), str(folder), "--level", each]
                with alerts.open(encoding="utf-8") as found:
                    print(subprocess.run(judge, stdin=found, capture_output=True, text=True, check=True).stdout.strip())


def made(seed: int, kocs: int, crowd: int, where: Path) -> Path:
    """A season that the judges' maker makes."""
    bench = need("bench", "koc_turns")
    texts, chatter = bench / "reviews.csv.gz", need("data", "train", "polarity.csv.gz")
    order = [
        sys.executable,
        str(bench / "make.py"),
        "--texts",
        str(texts),
        "--chatter",
        str(chatter),
        "--brand",
        "星澜",
        "--rival",
        "墨羽",
    ]
    size = ["--seed", str(seed), "--kocs", str(kocs), "--crowd", str(crowd), "--out", str(where)]
    subprocess.run(order + size, check=True, capture_output=True)
    return where


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seeds", type=int, nargs="*", default=[])
    parser.add_argument("--kocs", type=int, default=300)
    options = parser.parse_args()
    if options.one:
        one(options.one, options.workers)
        return
    with tempfile.TemporaryDirectory() as place:
        seasons = [need("bench", "koc_turns", "dev")] if not options.seeds else []
        if options.large:
            seasons.append(made(1, 1500, 7500, Path(place, "large")))
        seasons += [made(seed, options.kocs, options.kocs * 5, Path(place, str(seed))) for seed in options.seeds]
        for season in seasons:
            print(f"== {season.name}")
            order = [sys.executable, __file__, "--one", str(season), "--workers", str(options.workers)]
            subprocess.run(order, check=True, env={**os.environ})


if __name__ == "__main__":
    main()
