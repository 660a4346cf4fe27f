"""What a file of tables is read as: its tables, and their rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from spiders.files import BadLine

Cells = Mapping[str, Any]
"""A row's cells by column."""

LONGEST_KEPT = 4096  # bytes of what is set aside where a file itself is broken
HEADER_WITHIN = 10  # rows: exports of services put titles above their tables
KNOWN_BY = 50  # rows of a table by which it is known


@dataclass(frozen=True, slots=True)
class Row:
    """number: the line it begins at (files of lines), the row as a spreadsheet shows it, or its place in a list; from 1.
    is_ragged: whether it has more or fewer cells than there are columns. beyond: cells that stand behind the last column."""

    number: int
    cells: Cells
    is_ragged: bool = False
    beyond: tuple[str, ...] = ()

    def line(self) -> bytes:
        """The row as one line of JSON, for the quarantine."""
        cells = {**self.cells, "…": self.beyond} if self.beyond else self.cells
        return json.dumps(dict(cells), ensure_ascii=False, default=str).encode(errors="backslashreplace")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table of a file.

    name: of a sheet, a database's table or a JSON list, "" where there is but one. rows: to be read once, before the next sheet
    is asked for; a BadLine stands where the file itself is broken.
    """

    name: str
    columns: frozenset[str]
    rows: Iterator[Row | BadLine]
