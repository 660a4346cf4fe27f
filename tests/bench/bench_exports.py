"""A table of a million rows as another tool exports it: rows a second and memory, read alone and imported into a store.

    python tests/bench/bench_exports.py [--rows 1000000] [--import-rows 100000]

Memory is the greatest resident size of a process of its own, for a tenth of the rows and for all of them: constant memory shows
as two numbers that are the same.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
COLUMNS = (
    "note_id", "content", "create_time", "create_date_time", "liked_count", "comments_count", "shared_count", "last_modify_ts",
    "note_url", "creator_hash", "nickname", "source_keyword",
)  # fmt: skip
READ = """
import json, resource, sys, time
from pathlib import Path
from spiders.exports.read import read_export, recognized
from spiders.items import Item
path, began = Path(sys.argv[1]), time.perf_counter()
export = recognized(path)
items = bad = 0
for one in read_export(path, export):
    if isinstance(one, Item):
        items += 1
    else:
        bad += 1
print(json.dumps([items, bad, time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


def write(path: Path, rows: int) -> Path:
    """A CSV as MediaCrawler writes it; every thousandth row has no author, and some texts hold line breaks."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for n in range(rows):
            text = f"第{n}条，用了两周，发质有变化\n回购" if n % 7 == 0 else f"第{n}条，用了两周，发质有变化"
            author = "" if n % 1000 == 999 else f"{n % 50_000:016x}"
            writer.writerow(
                (
                    4_600_000_000_000_000 + n,
                    text,
                    0,
                    "2026-03-01 12:05:06+08:00",
                    n % 500,
                    "3",
                    "1",
                    1772409600000,
                    "",
                    author,
                    "*",
                    "",
                )
            )
    return path


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=1_000_000)
    arguments.add_argument("--import-rows", type=int, default=100_000)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for rows in (given.rows // 10, given.rows):
            path = write(Path(folder) / f"{rows}.csv", rows)
            told = subprocess.run([sys.executable, "-c", READ, path], cwd=ROOT, check=True, capture_output=True, text=True)
            items, bad, seconds, mib = json.loads(told.stdout)
            print(f"read    {rows:>9,} rows = {items:,} items + {bad:,} bad  {rows / seconds:>9,.0f} rows/s  {mib:,.0f} MiB")
            assert items + bad == rows
            path.unlink()
        path = write(Path(folder) / "import.csv", given.import_rows)
        listener = [sys.executable, "-m", "listener"]
        subprocess.run([*listener, "init", f"{folder}/w"], cwd=ROOT, check=True, capture_output=True)
        began = time.perf_counter()
        done = subprocess.run(
            [*listener, "-c", f"{folder}/w/listener.toml", "import", path], cwd=ROOT, check=True, capture_output=True, text=True
        )
        seconds = time.perf_counter() - began
        print(f"import  {given.import_rows:>9,} rows  {given.import_rows / seconds:>9,.0f} rows/s with start-up")
        print(done.stdout.strip())


if __name__ == "__main__":
    main()
