"""Kill a crawl of 3,000 pages with SIGKILL at 100 random instants; print what was lost or stored twice.

    python -m tests.bench.kill_crawl [--kills 100] [--pages 3000] [--seed 1]

Takes some minutes. Exit code 1 unless every post is stored once. Between the kills people go on posting.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

from tests.timeline import Timeline, killed_crawl


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--pages", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="koc-kill-") as folder, Timeline(options.pages) as timeline:
        done = killed_crawl(Path(folder), timeline, options.kills, random.Random(options.seed))
    print(f"kills {done.kills}; posts stored after each: {' '.join(map(str, done.stored))}")
    print(
        f"{timeline.posts} posts on {-(-timeline.posts // timeline.size)} pages; pages asked for {done.asked};"
        f" lost {done.lost}, doubles {done.doubles}, extra {done.extra}; {done.seconds:.0f} s"
    )
    return 1 if done.lost or done.doubles or done.extra or done.kills < options.kills else 0


if __name__ == "__main__":
    sys.exit(main())
