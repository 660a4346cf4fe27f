"""Renews the hash-locked requirements: pyproject.toml → requirements.txt and requirements-dev.txt.

One resolution serves every platform and every Python from 3.11 on. The files hold names, versions, markers and hashes
alone: no index address, no --find-links, no path.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
HEADER = "# Locked from pyproject.toml; `make lock` renews it. Install with: pip install --require-hashes -r {name}\n"


def lock(name: str, *more: str) -> None:
    """Write the lock file `name`, at the newest versions that pyproject.toml allows."""
    command = [
        *(sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", *more),
        *("--universal", "--python-version", "3.11", "--generate-hashes", "--upgrade", "--quiet"),
        *("--no-header", "--no-annotate", "--no-sources", "--no-config", "--output-file", name),
    ]
    subprocess.run(command, cwd=ROOT, check=True)
    path = ROOT / name
    body = path.read_text(encoding="utf-8")
    options = ("-i ", "-f ", "--index", "--extra", "--find")
    addresses = [line for line in body.splitlines() if "://" in line or line.lstrip().startswith(options)]
    if addresses:
        raise SystemExit(f"{name} holds an address, which a lock must not: {addresses[0]}")
    path.write_text(HEADER.format(name=name) + body, encoding="utf-8")


if __name__ == "__main__":
    lock("requirements.txt", "--group", "build")
    lock("requirements-dev.txt", "--group", "build", "--group", "dev", "--constraint", "requirements.txt")
