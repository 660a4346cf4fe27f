"""Bad lines → a file of their own, each with its number and its reason."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

from spiders.files import BadLine


class Quarantine:
    """Where the bad lines of one import go; the file is made with the first of them, for its owner's eyes alone."""

    def __init__(self, path: Path) -> None:
        self.path, self.count = path, 0
        self._file: IO[str] | None = None

    def put(self, bad: BadLine) -> None:
        """Set a line aside: ``{"number": 3, "reason": "…", "line": "…"}``."""
        if self._file is None:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.fdopen(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8")
        row = {"number": bad.number, "reason": bad.reason, "line": bad.line.decode(errors="backslashreplace")}
        self._file.write(json.dumps(row, ensure_ascii=False) + "\n")
        self.count += 1

    def close(self) -> None:
        """Write out what was set aside."""
        if self._file is not None:
            self._file.close()


@contextmanager
def opened(folder: Path, file: Path, now: datetime) -> Iterator[Quarantine]:
    """The quarantine of one import: named after its file and the time, so that no import overwrites another's."""
    stem = "stdin" if str(file) == "-" else fitting(file.name)
    aside = Quarantine(folder / f"{stem}.{now:%Y%m%dT%H%M%S%f}.jsonl")
    try:
        yield aside
    finally:
        aside.close()


def fitting(name: str, longest: int = 200) -> str:
    """A file's name with room for what is put behind it: folders take names of 255 bytes.

    >>> fitting("铁" * 80, 10), fitting("a.csv")
    ('铁铁铁', 'a.csv')
    """
    return name.encode()[:longest].decode(errors="ignore")
