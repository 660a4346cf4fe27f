"""Excel workbooks → their tables, row by row: what unpacks to too much is refused, numbers that Excel has cut are marked."""

from __future__ import annotations

import warnings
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from spiders.errors import CollectError
from spiders.exports.rows import HEADER_WITHIN, KNOWN_BY, Row, Sheet
from spiders.files import BadLine

_DIGITS_KEPT = 15  # by Excel, of any number
_PACKED_FROM, _MOST_PACKED = 64 << 20, 200  # bytes; real sheets are packed to a tenth or a thirtieth
_MOST_HELD = 512 << 20
_NO_EXCEL = (
    InvalidFileException,
    zipfile.BadZipFile,
    zlib.error,
    KeyError,
    ValueError,
    TypeError,
    IndexError,
    OSError,
    EOFError,
    RuntimeError,
    NotImplementedError,
    SyntaxError,
)


def workbook_sheets(path: Path) -> Iterator[Sheet]:
    """The sheets that hold a table. Raises CollectError where it is no workbook, or unpacks to too much."""
    with path.open("rb") as stream:
        try:
            _check_size(path, stream)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about styles and validations that openpyxl leaves out
                book = openpyxl.load_workbook(stream, read_only=True, data_only=True)
        except _NO_EXCEL as error:
            raise CollectError(f"打不开的 Excel 文件 / this Excel file can't be opened: {path}: {error}") from error
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # what a sheet says of its own size is often wrong
            rows = _numbered(sheet.iter_rows(values_only=True))
            for row in islice(rows, HEADER_WITHIN):
                columns = [] if isinstance(row, BadLine) else [str(_cell_of(one, "")).strip() for one in row[1]]
                if sum(map(bool, columns)) > 1:
                    yield Sheet(str(sheet.title), frozenset(filter(None, columns)), _excel_rows(rows, columns))
                    break


def _check_size(path: Path, stream: IO[bytes]) -> None:
    """Refuse an archive that unpacks to far more than any workbook does: sheets are streamed, the rest is held in memory."""
    with zipfile.ZipFile(stream) as archive:
        for one in archive.infolist():
            is_bomb = one.file_size > _PACKED_FROM and one.file_size > _MOST_PACKED * max(one.compress_size, 1)
            if is_bomb or (one.file_size > _MOST_HELD and "worksheets/" not in one.filename):
                raise CollectError(
                    f"{path}：解开后有 {one.file_size >> 20} MiB，请另存为 CSV / unpacks to that much: save it as CSV"
                )


def _numbered(rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[int, tuple[Any, ...]] | BadLine]:
    number = 0
    try:
        for number, values in enumerate(rows, start=1):
            yield number, values
    except _NO_EXCEL as error:
        yield BadLine(number + 1, f"Excel 文件在这里断了，前面的已读 / the workbook breaks off here: {error}", b"")


def _excel_rows(rows: Iterator[tuple[int, tuple[Any, ...]] | BadLine], columns: list[str]) -> Iterator[Row | BadLine]:
    first = list(islice(rows, KNOWN_BY))
    exact = {
        place
        for row in first
        if not isinstance(row, BadLine)
        for place, value in enumerate(row[1])
        if isinstance(value, int) and _has_all_digits(value)
    }
    for row in chain(first, rows):
        if isinstance(row, BadLine):
            yield row
        elif any(value not in (None, "") for value in row[1]):
            cells = enumerate(zip(columns, row[1], strict=False))
            yield Row(row[0], {name: _cell_of(value, is_exact=place in exact) for place, (name, value) in cells if name})


def _has_all_digits(value: int) -> bool:
    """Whether a number shows digits that Excel, which keeps fifteen, would have lost: another program wrote it."""
    return len(str(abs(value))) > _DIGITS_KEPT and bool(str(value)[_DIGITS_KEPT + (value < 0) :].strip("0"))


def _cell_of(value: Any, empty: Any = None, *, is_exact: bool = False) -> Any:
    """A cell's value. A number whose last digits Excel may have lost is written as Excel shows it, which is no id.

    >>> _cell_of(4645748019299849), _cell_of(4645748019299840), _cell_of(4645748019299840, is_exact=True), _cell_of(12.0)
    (4645748019299849, '4.64574801929984E+15', 4645748019299840, 12)
    """
    if value is None:
        return empty
    if isinstance(value, datetime | date):
        return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
    if isinstance(value, str | bool) or (isinstance(value, float) and not value.is_integer()):
        return value
    if not isinstance(value, int | float):
        return str(value)
    if abs(value) >= 10**_DIGITS_KEPT and not is_exact and not (isinstance(value, int) and _has_all_digits(value)):
        return f"{value:.14E}"
    return int(value)
