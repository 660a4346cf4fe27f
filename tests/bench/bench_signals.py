"""Messages by kind on a season of the end-to-end judge, through the installed command: first negatives, silences, brand alerts.

    python tests/bench/bench_signals.py DIR [DIR …]       DIR: what the judge's make.py wrote

Each season is imported into a workspace of its own; then one crawl covers every timeline up to its end, so that silence can be
told. Prints, by scenario, how many of each kind and the first negatives per 1000 KOC-years (of who turned: before the turn),
and for those who turned how long it took from the turn to the first message of any kind.
"""

from __future__ import annotations

import argparse
import collections
import csv
import gzip
import json
import sys
import tempfile
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from storage.records import Crawl
from storage.store import Store
from tests.bench.bench_order import listener, workspace


def alerts_of(season: Path, folder: Path) -> list[dict[str, Any]]:
    """What `listener alerts` says of a season, with every timeline covered up to its end."""
    workspace(folder, season)
    (folder / "items.jsonl").write_bytes(gzip.decompress((season / "items.jsonl.gz").read_bytes()))
    listener(folder, "import", "items.jsonl")
    with Store.open(f"sqlite:///{folder / 'listener.db'}") as store:
        accounts = [(one.platform, one.account_id) for koc in store.kocs() for one in koc.accounts]
        at = max(one.last_post_at for one in store.heard() if one.last_post_at) + timedelta(days=1)
        crawl = Crawl("all", "all", "forum", at, None, "running", 0, "")
        store.start_crawl(crawl)
        store.end_crawl(replace(crawl, ended_at=at, outcome="done", covered=tuple(accounts)))
    listener(folder, "watch")
    return [json.loads(line) for line in listener(folder, "alerts", "--format", "jsonl").splitlines()]


def mentioned_at(season: Path) -> dict[str, list[datetime]]:
    """When each KOC spoke of the brand."""
    brand = json.loads((season / "brand.json").read_text(encoding="utf-8"))
    names = [brand["name"], *brand["aliases"], *brand["products"]]
    with (season / "roster.csv").open(encoding="utf-8") as file:
        koc_of = {(row["platform"], row["account_id"]): row["koc_id"] for row in csv.DictReader(file)}
    times: dict[str, dict[str, datetime]] = collections.defaultdict(dict)
    with gzip.open(season / "items.jsonl.gz", "rt", encoding="utf-8") as file:
        for item in map(json.loads, file):
            koc = koc_of.get((item["platform"], item["author_id"]))
            if koc and any(name in item["text"] for name in names):
                times[koc][item["post_id"]] = datetime.fromisoformat(item["posted_at"])
    return {koc: sorted(found.values()) for koc, found in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("season", type=Path, nargs="+")
    counts: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    years: collections.Counter[str] = collections.Counter()
    first: list[tuple[float, int]] = []
    turned, noticed = 0, 0
    for season in parser.parse_args().season:
        with tempfile.TemporaryDirectory() as place:
            alerts = alerts_of(season.resolve(), Path(place, "ws"))
        of_brand = [a for a in alerts if a["kind"] == "brand-shift"]
        print(f"{season.name}: {len(of_brand)} brand alerts", [a["evidence"]["first"] for a in of_brand], flush=True)
        times = mentioned_at(season)
        with (season / "truth.csv").open(encoding="utf-8") as file:
            truth = [row for row in csv.DictReader(file) if row["koc_id"] in times]
        for row in truth:
            spoken, at = times[row["koc_id"]], datetime.fromisoformat(row["turned_at"]) if row["turned_at"] else None
            scenario = "before the turn" if at else row["scenario"]
            years[scenario] += ((at or spoken[-1]) - spoken[0]).days / 365  # type: ignore[assignment]
            own = [(datetime.fromisoformat(a["fired_at"]), a) for a in alerts if a["koc_id"] == row["koc_id"]]
            for fired, alert in own:
                if at is None or fired < at:
                    counts[scenario][alert["level"] or alert["kind"]] += 1
            after = sorted((fired, a["kind"]) for fired, a in own if at and fired >= at and a["kind"] != "silence")
            turned += at is not None
            noticed += bool(after) and after[0][1] == "first-negative"
            if at and after:
                first.append(((after[0][0] - at) / timedelta(days=1), sum(at <= one <= after[0][0] for one in spoken)))
    for scenario in sorted(counts):
        rate = 1000 * counts[scenario]["first-negative"] / years[scenario]
        print(f"{scenario:16} {years[scenario]:6.1f} KOC-years  {dict(counts[scenario])}  first negatives / 1000: {rate:.0f}")
    days, posts = (sorted(values)[len(values) // 2] for values in zip(*first, strict=True))
    told = f"{len(first)} told, {noticed} of them first by a first negative"
    print(f"{turned} turned, {told}; median {days:.1f} days, {posts} mentions")


if __name__ == "__main__":
    main()
