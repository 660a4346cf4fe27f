"""`listener` and `python -m listener`: one command line in, one exit code out."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line; 0 done, 1 failed, 2 wrong use or configuration."""
    from listener.cli import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
