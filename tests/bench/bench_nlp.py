"""Accuracy floors, speed ratios, start-up and memory of the scorer.

    python tests/bench/bench_nlp.py DATA [--pin] [--lower]

DATA is the folder of the labelled corpora (polarity.csv.gz, stance.csv.gz); only the tenth that training never sees is
judged. Floors stand in nlp_floors.json: --pin raises those that got better; a lower one needs --lower as well.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

FLOORS = Path(__file__).with_name("nlp_floors.json")
SLACK = 0.005  # how far below its floor a figure may lie: rounding and the order of sums of other machines


def figures_of(data: Path) -> dict[str, float]:
    """Accuracy, macro-F1 and calibration of each group of domains."""
    from nlp.corpora import fold_of, read_corpus
    from nlp.judge import judge
    from nlp.score import load

    rows = [row for name in ("polarity", "stance") for row in read_corpus(data / f"{name}.csv.gz") if fold_of(row.text) == 0]
    found = {}
    for fast in (False, True):
        held = [row for row in rows if not (fast and row.target)]
        binary = [row for row in held if row.label != "neu"]
        for kind, part in (("", held), ("binary ", [row for row in binary if not row.target])):
            for verdict in judge(load(), part, by=lambda row: row.group, fast=fast):
                name = f"{kind}{'fast ' if fast else ''}{verdict.kind} {verdict.domain}"
                found[f"{name} accuracy"] = round(verdict.accuracy, 4)
                found[f"{name} macro-F1"] = round(verdict.macro_f1, 4)
                found[f"{name} at 80 %"] = round(verdict.at_80, 4)
    return found


def speed_of(data: Path) -> dict[str, float]:
    """Posts a CPU second on Weibo-length texts: ours, jieba's cut alone, and stock SnowNLP, in one run on one core."""
    import jieba
    from snownlp import SnowNLP

    from nlp.corpora import read_corpus
    from nlp.results import Request, Target
    from nlp.score import load

    texts = [row.text for row in read_corpus(data / "polarity.csv.gz") if row.group == "weibo" and 60 <= len(row.text) <= 140][
        :4096
    ]
    engine = load()
    target, others = Target("星澜", ("星澜", "星澜控油洗发水")), (Target("墨羽", ("墨羽",)),)
    requests = [Request(text, target, others) for text in texts]
    engine.score(requests[:64])
    engine.score(requests[:64], fast=True)
    jieba.lcut("热身", HMM=False)
    default = _rate(lambda: engine.score(requests), len(texts))
    fast = _rate(lambda: engine.score(requests, fast=True), len(texts))
    cut = _rate(lambda: [jieba.lcut(text, HMM=False) for text in texts[:1000]], 1000)
    stock = _rate(lambda: [SnowNLP(text).sentiments for text in texts[:150]], 150, rounds=1)
    return {
        "characters a post": round(sum(map(len, texts)) / len(texts)),
        "default posts/s": round(default), "fast posts/s": round(fast),
        "jieba cut posts/s": round(cut), "snownlp posts/s": round(stock), "default x snownlp": round(default / stock, 1),
        "fast x snownlp": round(fast / stock, 1), "default x jieba cut": round(default / cut, 2),
    }  # fmt: skip


def _rate(work: Callable[[], object], posts: int, rounds: int = 3) -> float:
    best = float("inf")
    for _ in range(rounds):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return posts / best


def start_up() -> dict[str, float]:
    """Seconds from nothing to the first score in a new process, and the peak memory of it, in MB."""
    code = (
        "import resource;from nlp.score import load;from nlp.results import *;"
        "load().score([Request('太好用了', Target('星澜', ('星澜',)))]);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss/1024)"
    )
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ))
    return {"start-up s": round(time.perf_counter() - started, 2), "start-up MB": round(float(done.stdout), 1)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--pin", action="store_true", help="write the floors that got better")
    parser.add_argument("--lower", action="store_true", help="with --pin: also those that got worse")
    asked = parser.parse_args()
    found = figures_of(asked.data)
    floors = json.loads(FLOORS.read_text(encoding="utf-8")) if FLOORS.exists() else {}
    below = {name: (found.get(name, 0.0), floor) for name, floor in floors.items() if found.get(name, 0.0) < floor - SLACK}
    for name, value in {**found, **start_up(), **speed_of(asked.data)}.items():
        print(f"{name:48} {value}")
    print(f"{'peak MB of this run':48} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}")
    for name, (value, floor) in below.items():
        print(f"below its floor: {name} {value} < {floor}", file=sys.stderr)
    if asked.pin:
        pinned = {name: value if asked.lower else max(value, floors.get(name, 0.0)) for name, value in found.items()}
        FLOORS.write_text(json.dumps(pinned, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        return 0
    return 1 if below else 0


if __name__ == "__main__":
    raise SystemExit(main())
