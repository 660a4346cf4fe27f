"""The end-to-end judge with true labels in place of the scorer: what the detector alone reaches on real posting gaps.

    python tests/bench/bench_koc_turns_oracle.py JUDGE_FOLDER DIR [DIR …] [--error .1]

JUDGE_FOLDER holds the judge's judge.py and reviews.csv.gz; each DIR is what its make.py wrote. The label of a post is that
of the review it was made from. --error flips that share of the labels and softens the probabilities to match: a scorer of
known quality. Prints the judge's JSON for red and amber, and the pooled figures.
"""

from __future__ import annotations

import argparse
import collections
import csv
import gzip
import hashlib
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from listener.drift.calibrate import calibrate
from listener.drift.detect import detect
from listener.drift.rules import Rule, default_calibration
from storage.records import Calibration, History, KocMention, Mention, MoodDay, PostKey, Verdict

UNIT = 10_000


def read_items(folder: Path) -> list[dict[str, Any]]:
    """Each post once, with the first text seen, in order of time."""
    first: dict[tuple[str, str], dict[str, Any]] = {}
    with gzip.open(folder / "items.jsonl.gz", "rt", encoding="utf-8") as f:
        for it in map(json.loads, f):
            key = it["platform"], it["post_id"]
            if key not in first or it["seen_at"] < first[key]["seen_at"]:
                first[key] = it
    return sorted(first.values(), key=lambda i: (i["posted_at"], i["post_id"]))


def labels(judge: Path) -> dict[str, str]:
    with gzip.open(judge / "reviews.csv.gz", "rt", encoding="utf-8", newline="") as f:
        return {r["text"]: r["polarity"][:3] for r in csv.DictReader(f)}


def label_of(text: str, names: list[str], known: dict[str, str]) -> str:
    for name in sorted(names, key=len, reverse=True):
        for head, tail in (
            (f"#{name}# ", ""),
            (f"{name}:", ""),
            ("", f" #{name}#"),
            (f"{name}用了有段时间了,", ""),
            ("", f"(说的是{name})"),
        ):
            if text.startswith(head) and text.endswith(tail):
                inner = text[len(head) : len(text) - len(tail)]
                if inner in known:
                    return known[inner]
    return "neu"


def probabilities(label: str, error: float, rng: random.Random) -> tuple[float, float, float]:
    """(against, none, favor) of a scorer that is wrong with the given chance, and knows it."""
    if label == "neu":
        return 0.1, 0.8, 0.1
    if rng.random() < error:
        label = "pos" if label == "neg" else "neg"
    sure, unsure = round(1 - max(error, 0.01) - 0.005, 4), round(max(error, 0.01), 4)
    return (sure, 0.005, unsure) if label == "neg" else (unsure, 0.005, sure)


def histories_of(folder: Path, judge: Path, error: float) -> tuple[list[History], list[MoodDay]]:
    brand = json.loads((folder / "brand.json").read_text(encoding="utf-8"))
    names = [brand["name"], *brand["aliases"], *brand["products"]]
    with (folder / "roster.csv").open(encoding="utf-8") as f:
        koc_of = {(r["platform"], r["account_id"]): r["koc_id"] for r in csv.DictReader(f)}
    known, rng, zone = labels(judge), random.Random(7), ZoneInfo("Asia/Shanghai")
    mine: dict[str, list[KocMention]] = {k: [] for k in sorted(set(koc_of.values()))}
    days: dict[Any, list[int]] = collections.defaultdict(lambda: [0, 0, 0, 0])
    for it in read_items(folder):
        if not any(n in it["text"] for n in names):
            continue
        against, none, favor = probabilities(label_of(it["text"], names, known), error, rng)
        at = datetime.fromisoformat(it["posted_at"])
        for i, x in enumerate((1, against * UNIT, none * UNIT, favor * UNIT)):
            days[at.astimezone(zone).date()][i] += round(x)
        account = it["platform"], it["author_id"]
        if account in koc_of:
            finger = int.from_bytes(hashlib.sha256(it["text"].encode()).digest()[:8], "big", signed=True)
            key = PostKey(it["platform"], it["post_id"])
            m = Mention(
                key, brand["name"], brand["name"], False, "named", against, none, favor, favor, against, none,
                (), False, True, None, finger, "oracle",
            )  # fmt: skip
            mine[koc_of[account]].append(KocMention(at, m, "post", it["url"], it["text"], account))
    histories = [History(k, brand["name"], tuple(v)) for k, v in mine.items()]
    return histories, [MoodDay(d, *v) for d, v in sorted(days.items())]


def alert_lines(verdicts: list[Verdict]) -> Iterator[str]:
    for v in verdicts:
        for d in v.drifts:
            yield json.dumps({"kind": "drift", "level": d.level, "koc_id": d.koc_id, "fired_at": d.fired_at.isoformat()})


def judged(judge: Path, folder: Path, lines: str, level: str) -> dict[str, Any]:
    command = [sys.executable, str(judge / "judge.py"), str(folder), "--level", level]
    done: dict[str, Any] = json.loads(subprocess.run(command, input=lines, capture_output=True, text=True, check=True).stdout)
    return done


def pooled(results: list[dict[str, Any]]) -> dict[str, Any]:
    turned, found = (sum(r[k] for r in results) for k in ("turned", "found"))
    spent = sum((r["delay_mentions_mean"] or 0) * r["found"] for r in results)
    false, years = sum(r["false_alarms"] for r in results), sum(r["koc_years"] for r in results)
    by: collections.Counter[str] = collections.Counter()
    for r in results:
        for scenario, words in r["false_by_scenario"].items():
            by[scenario] += int(words.split()[0])
    return {
        "recall": round(found / turned, 3), "mentions": round(spent / max(found, 1), 2),
        "misses_as_25": round((spent + 25 * (turned - found)) / turned, 2), "false": false,
        "false_per_1000": round(1000 * false / years, 2), "by": dict(by),
    }  # fmt: skip


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("judge", type=Path)
    ap.add_argument("folder", type=Path, nargs="+")
    ap.add_argument("--error", type=float, default=0.0)
    ap.add_argument("--calibrate", action="store_true", help="fit the calibration on the same unlabelled histories first")
    a = ap.parse_args()
    results: dict[str, list[dict[str, Any]]] = {"red": [], "amber": []}
    for folder in a.folder:
        histories, moods = histories_of(folder, a.judge, a.error)
        started = time.perf_counter()
        calibration: Calibration = default_calibration()
        if a.calibrate:
            calibration = calibrate(histories, moods, calibration, Rule())
        verdicts = detect(histories, moods, calibration, Rule())
        print(f"{folder.name}: {sum(len(h.mentions) for h in histories)} mentions in {time.perf_counter() - started:.1f} s")
        lines = "\n".join(alert_lines(verdicts))
        for level, found in results.items():
            found.append(judged(a.judge, folder, lines, level))
            if len(a.folder) == 1:
                print(json.dumps(found[-1], ensure_ascii=False, indent=1))
    for level, found in results.items():
        print(level, json.dumps(pooled(found), ensure_ascii=False))


if __name__ == "__main__":
    main()
