"""Kill `listener` 50 times at random instants of crawl, import, watch and deliver; print what was lost or done twice.

    python -m tests.bench.kill_50 [--kills 50] [--seed 1]

Takes some minutes. Exit code 1 if anything differs from an undisturbed run. Instants count from the
process's first write, and only where it still ran.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.killing import Killed, Stage

PHASES = ("crawl", "import", "watch", "deliver")
IN_A_ROW = 3  # so often one workspace is killed before its command may end


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    console, rng = Console(width=140), random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="koc-kill-") as folder, Stage(Path(folder)) as stage:
        done = tortured(stage, options.kills, rng, console)
        seconds = {phase: stage.undisturbed(phase)[1] for phase in PHASES}
        told = {phase: len(stage.undisturbed(phase)[0].told) for phase in PHASES}
    console.print(instants_table(done))
    console.print(phases_table(done, seconds, told))
    for one in done:
        for problem in one.problems:
            console.print(f"{one.phase}: {problem}")
    return 1 if any(one.problems or one.orphans for one in done) else 0


def tortured(stage: Stage, kills: int, rng: random.Random, console: Console) -> list[Killed]:
    """Workspaces of all phases in turn, until so many processes were killed while they ran."""
    done: list[Killed] = []
    while (left := kills - sum(len(one.instants) for one in done)) > 0:
        phase = PHASES[len(done) % len(PHASES)]
        one = stage.torture(phase, len(done), min(IN_A_ROW, left), rng)
        done.append(one)
        console.print(f"{phase} {len(done)}: {len(one.instants)} killed, {'; '.join(one.problems) or 'the same'}")
    return done


def instants_table(done: list[Killed]) -> Table:
    """Every instant, with what the database held then: that they hit different places."""
    table = Table("phase", "killed at, s", "posts", "mentions", "alerts", "sent", "being sent")
    for one in done:
        for after, found in zip(one.instants, one.found, strict=True):
            table.add_row(one.phase, f"{after:.2f}", *map(str, found))
    return table


def phases_table(done: list[Killed], seconds: dict[str, float], told: dict[str, int]) -> Table:
    table = Table(
        "phase", "writes for, s", "workspaces", "killed", "differ", "told", "repeats on the wire (same key)", "orphans"
    )
    for phase in PHASES:
        own = [one for one in done if one.phase == phase]
        differ, repeats = sum(bool(one.problems) for one in own), sum(one.repeats for one in own)
        killed, orphans = sum(len(one.instants) for one in own), sum(one.orphans for one in own)
        table.add_row(
            phase, f"{seconds[phase]:.1f}", *map(str, (len(own), killed, differ, told[phase] * len(own), repeats, orphans))
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
