"""Accuracy floors, speed ratios, start-up and memory of the scorer.

    python tests/bench/bench_nlp.py DATA [--pin] [--lower]

DATA is the folder of the labelled corpora (polarity.csv.gz, stance.csv.gz); only the tenth that training never sees is
judged. Floors stand in nlp_floors.json: --pin raises those that got better; one that a figure is really below, by more than
chance of the machine, is lowered with --lower as well, and told.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from nlp.corpora import Labelled
    from nlp.judge import Verdict

FLOORS = Path(__file__).with_name("nlp_floors.json")
OURS = Path(__file__).parents[2] / "nlp" / "data"
WRITTEN = ("written.csv.gz", "written_tone.csv.gz")  # hard on purpose, so judged apart
HIT_RECALL = 0.85  # at which entities named but not hit are counted
SLACK = 0.005  # how far below its floor a figure may lie: rounding and the order of sums of other machines


def figures_of(data: Path) -> dict[str, float]:
    """Accuracy, macro-F1 and calibration of each group of domains."""
    from nlp.corpora import TEST, fold_of, read_corpus
    from nlp.judge import judge
    from nlp.score import load

    def held_out(*paths: Path) -> list[Labelled]:
        return [row for path in paths for row in read_corpus(path) if fold_of(row.text) == TEST]

    rows = held_out(data / "polarity.csv.gz", data / "stance.csv.gz")
    found = {**three_way(rows), **toward_targets(rows), **names_move(rows)}
    for verdict in judge(load(), held_out(*(OURS / name for name in WRITTEN)), by=lambda row: row.group):
        if verdict.domain != "all":
            found |= _told(f"{verdict.kind} {verdict.domain}", verdict)
    for fast in (False, True):
        held = [row for row in rows if not (fast and row.target)]
        binary = [row for row in held if row.label != "neu"]
        for kind, part in (("", held), ("binary ", [row for row in binary if not row.target])):
            for verdict in judge(load(), part, by=lambda row: row.group, fast=fast):
                found |= _told(f"{kind}{'fast ' if fast else ''}{verdict.kind} {verdict.domain}", verdict)
    return found


def _told(name: str, verdict: Verdict) -> dict[str, float]:
    return {
        f"{name} accuracy": round(verdict.accuracy, 4),
        f"{name} macro-F1": round(verdict.macro_f1, 4),
        f"{name} at 80 %": round(verdict.at_80, 4),
        f"{name} honest": round(1 - verdict.ece, 4),
    }


def three_way(rows: list[Labelled]) -> dict[str, float]:
    """On the Weibo corpora that know a neutral class, together and apart: macro-F1 and how many negative posts are told."""
    from nlp.judge import f1
    from nlp.results import Request
    from nlp.score import load

    found = {}
    for name, domains in (("", ("weibo-virus", "weibo-usual")), ("-usual", ("weibo-usual",)), ("-virus", ("weibo-virus",))):
        held = list({row.text: row for row in rows if row.domain in domains}.values())
        scores = load().score([Request(row.text) for row in held])
        chosen = np.array([int(np.argmax((score.neg, score.neu, score.pos))) for score in scores])
        truth = np.array([("neg", "neu", "pos").index(row.label) for row in held])
        found[f"three-way weibo{name} macro-F1"] = round(float(np.mean([f1(truth == i, chosen == i) for i in range(3)])), 4)
        found[f"three-way weibo{name} negative recall"] = round(float((chosen[truth == 0] == 0).mean()), 4)
    return found


def toward_targets(rows: list[Labelled]) -> dict[str, float]:
    """Where tone and stance disagree (NLPCC2016 tells both), and entities named but not hit in negative posts (BDCI2019)."""
    from nlp.judge import f1
    from nlp.results import Request, Target
    from nlp.score import load

    held = [row for row in rows if row.group in ("nlpcc2016", "negfin")]
    scores = load().score([Request(row.text, Target(row.target, (row.target,))) for row in held])
    shares = np.array([(s.stance.favor, s.stance.against, s.stance.none) for s in scores if s.stance])
    right = shares.argmax(axis=1) == [("favor", "against", "none").index(row.label) for row in held]
    split = [(row.domain[-8:], row.label) in (("positive", "against"), ("negative", "favor")) for row in held]
    hit = np.array([row.domain.endswith("post_negative=1") and row.label == "against" for row in held])
    spared = np.array([row.domain.endswith("post_negative=1") and row.label == "none" for row in held])
    line = np.quantile(shares[hit, 1], 1 - HIT_RECALL)
    phone = np.array([row.target == "IphoneSE" for row in held])
    truth, chosen = np.array([row.label for row in held])[phone], shares.argmax(axis=1)[phone]
    return {
        "known target IphoneSE F": round((f1(truth == "favor", chosen == 0) + f1(truth == "against", chosen == 1)) / 2, 4),
        "tone against stance accuracy": round(float(right[split].mean()), 4),
        "named but not hit told": round(float((shares[spared, 1] < line).mean()), 4),
    }


def names_move(rows: list[Labelled]) -> dict[str, float]:
    """The share of real posts whose probabilities a name moves by no more than .02: added, swapped, tagged where it stands."""
    from nlp.results import Request, Target
    from nlp.score import load

    def shares(texts: list[str], name: str) -> Any:
        scores = load().score([Request(text, Target(name, (name,))) for text in texts])
        return np.array([(s.neg, s.neu, s.pos, s.stance.favor, s.stance.against, s.stance.none) for s in scores if s.stance])

    plain = [row.text for row in rows if not row.target][:1500]
    free = [row for row in rows if len(row.target) > 1 and row.target in row.text and not set("#@") & set(row.text)]
    named = [row.text.replace(row.target, "星澜") for row in free][:1500]
    before, within = shares(plain, "星澜"), shares(named, "星澜")
    pairs = {
        "added": (before, shares([f"星澜 {text}" for text in plain], "星澜")),
        "added as a tag before": (before, shares([f"#星澜#{text}" for text in plain], "星澜")),
        "added as a tag behind": (before, shares([f"{text} #星澜#" for text in plain], "星澜")),
        "added as an @name": (before, shares([f"@星澜 {text}" for text in plain], "星澜")),
        "swapped": (within, shares([text.replace("星澜", "墨羽坊") for text in named], "墨羽坊")),
        "tagged where it stands": (within, shares([text.replace("星澜", "#星澜#") for text in named], "星澜")),
    }
    return {f"name {how}": round(float((np.abs(a - b).max(axis=1) <= 0.02).mean()), 4) for how, (a, b) in pairs.items()}


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
        "from nlp.score import load;from nlp.results import *;"
        "load().score([Request('太好用了', Target('星澜', ('星澜',)))]);"
        "print(next(int(line.split()[1])/1024 for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ))
    return {"start-up s": round(time.perf_counter() - started, 2), "start-up MB": round(float(done.stdout), 1)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--pin", action="store_true", help="write the floors that got better")
    parser.add_argument("--lower", action="store_true", help="with --pin: also those that a figure is below")
    asked = parser.parse_args()
    found = figures_of(asked.data)
    floors = json.loads(FLOORS.read_text(encoding="utf-8")) if FLOORS.exists() else {}
    for name, value in {**found, **start_up(), **speed_of(asked.data)}.items():
        print(f"{name:48} {value}")
    print(f"{'peak MB of this run':48} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}")
    below = below_of(found, floors)
    for name, (floor, figure) in below.items():
        print(f"below its floor: {name} {'is not made any more' if figure is None else figure} < {floor}", file=sys.stderr)
    if asked.pin:
        pinned = pinned_of(found, floors, lower=asked.lower)
        for name, (floor, figure) in below.items():
            if asked.lower:
                print(f"floor lowered: {name} {floor} -> {'none' if figure is None else figure}")
        FLOORS.write_text(json.dumps(pinned, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return 1 if below and not (asked.pin and asked.lower) else 0


def below_of(found: Mapping[str, float], floors: Mapping[str, float]) -> dict[str, tuple[float, float | None]]:
    """The floors that figures are below by more than `SLACK`: floor and figure, None where it is not made any more."""
    return {name: (floor, found.get(name)) for name, floor in floors.items() if found.get(name, -1.0) < floor - SLACK}


def pinned_of(found: Mapping[str, float], floors: Mapping[str, float], *, lower: bool) -> dict[str, float]:
    """The floors from now on: raised to every better figure, others as they were; lower: those below theirs lowered."""
    below = below_of(found, floors) if lower else {}
    kept = {name: floor for name, floor in floors.items() if name not in below}
    pinned = {name: max(value, kept.get(name, value)) for name, value in found.items()}
    return pinned | {name: floor for name, floor in kept.items() if name not in found}


if __name__ == "__main__":
    raise SystemExit(main())
