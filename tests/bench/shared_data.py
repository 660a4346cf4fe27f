"""Where the shared data of the judges lies: the folder that KOC_SHARED names, else `shared` beside the checkout."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SHARED = Path(os.environ.get("KOC_SHARED") or ROOT.parent / "shared")


def need(*parts: str) -> Path:
    """A path below the shared folder; ends the benchmark, saying so, where it is not there."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        print(f"left out: {path} is not there; KOC_SHARED names the folder of the judges' data")
        sys.exit(0)
    return path
