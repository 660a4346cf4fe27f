"""A CSV or Excel file, as people keep them → rows of clean text cells."""

from __future__ import annotations

import csv
import io
import re
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Literal
from unicodedata import normalize

import openpyxl
import pandas as pd
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.worksheet import Worksheet

from listener.text.quotes import line_of

MAX_BYTES = 64 * 1024 * 1024
LONGEST_CELL = 128 * 1024
SURE_DIGITS = 15  # Excel keeps so many digits of a number; the rest of a longer id has become zeros
DAMAGED = "1E+15"  # what such a number is read as
_SPACES = re.compile(r"[\s\u00a0\u3000\u200b\ufeff]+")
_QUOTINGS: tuple[Literal[0, 3], ...] = (csv.QUOTE_MINIMAL, csv.QUOTE_NONE)
_SEPARATORS = (",", "\t", ";", "，", "|")


class SheetError(Exception):
    """The file is no table that can be read."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row. number: as the spreadsheet shows it, from 1. spans: column → first row of the merged cell it lies in."""

    number: int
    cells: tuple[str, ...]
    spans: dict[int, int]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table; ``name`` is "" for a CSV file."""

    name: str
    rows: tuple[Row, ...]


def read_sheets(path: Path) -> list[Sheet]:
    """The visible tables of a file; SheetError says what to do where it can't be read."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SheetError(f"读不了文件 / the file can't be read: {path} ({error.strerror})") from error
    if len(data) > MAX_BYTES:
        raise SheetError(f"文件太大 / the file is too large: {len(data) >> 20} MB > {MAX_BYTES >> 20} MB")
    if data.startswith(b"PK\x03\x04"):
        return list(_excel(data))
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        way = "另存为 .xlsx 或 CSV（有密码的先去掉） / save it as .xlsx or CSV, without a password"
        raise SheetError(f"旧式或加密的 Excel 文件 / an old or encrypted Excel file; {way}")
    return [Sheet("", tuple(_csv(_decoded(data))))]


def _decoded(data: bytes) -> str:
    """Text in UTF-8 with or without BOM, UTF-16 with BOM (Excel's "Unicode text") or GB18030."""
    encodings = ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise SheetError("不是表格，或编码不明；请存为 UTF-8 的 CSV / no table, or of unknown encoding: save it as CSV in UTF-8")


def _csv(text: str) -> Iterator[Row]:
    lines = [line for line in text.splitlines()[:50] if line.strip()]
    if not lines:
        return
    separator = max(_SEPARATORS, key=lambda each: sum(line.count(each) for line in lines))
    for quoting in _QUOTINGS:  # a quote that is never closed swallows the rest: then it is a letter
        try:
            frame = _frame_of(text, separator, quoting)
            break
        except (pd.errors.ParserError, csv.Error) as error:
            failure = error
    else:
        raise SheetError(f"读不懂的 CSV / this CSV can't be read: {failure}")
    for number, values in enumerate(frame.itertuples(index=False), start=1):
        cells = tuple(_text_of(value) for value in values)
        if any(cells):
            yield Row(number, cells, {})


def _frame_of(text: str, separator: str, quoting: Literal[0, 3]) -> pd.DataFrame:
    """Every cell as text; short rows are filled up, so no row is refused for its length."""
    csv.field_size_limit(LONGEST_CELL)  # one for the whole process, and exports of other tools may have raised it
    width = max(map(len, csv.reader(io.StringIO(text), delimiter=separator, quoting=quoting, strict=True)))
    return pd.read_csv(
        io.StringIO(text),
        sep=separator,
        header=None,
        names=list(range(width)),
        dtype=str,
        keep_default_na=False,
        skip_blank_lines=False,
        quoting=quoting,
        engine="python",  # the other one takes no separator beyond ASCII
    )


def _excel(data: bytes) -> Iterator[Sheet]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles and validations that openpyxl leaves out
            book = openpyxl.load_workbook(io.BytesIO(data), data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise SheetError(f"打不开的 Excel 文件 / this Excel file can't be opened: {error}") from error
    for sheet in book.worksheets:
        if sheet.sheet_state == "visible":
            yield Sheet(line_of(sheet.title), tuple(_rows_of(sheet)))


def _rows_of(sheet: Worksheet) -> Iterator[Row]:
    spans: dict[tuple[int, int], int] = {}
    for area in list(sheet.merged_cells.ranges):
        value = sheet.cell(area.min_row, area.min_col).value
        sheet.unmerge_cells(str(area))
        for row, column in area.cells:
            sheet.cell(row, column).value = value
            spans[row, column] = area.min_row
    frame = pd.DataFrame(sheet.values, dtype=object)
    for number, values in enumerate(frame.itertuples(index=False), start=1):
        cells = tuple(_text_of(value) for value in values)
        if any(cells):
            yield Row(number, cells, {c: spans[number, c + 1] for c in range(len(cells)) if (number, c + 1) in spans})


def _text_of(value: object) -> str:
    """A cell as text: whole numbers without a point, dates as dates, no spaces around, nothing that steers a terminal.

    >>> _text_of(1234567890.0), _text_of("'00123"), _text_of("123.0"), _text_of(None)
    ('1234567890', '00123', '123', '')
    """
    if value is None or value is pd.NaT or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float):
        if float(value).is_integer():
            return str(int(value)) if len(str(abs(int(value)))) <= SURE_DIGITS else DAMAGED
        return repr(value)
    if isinstance(value, datetime | date):
        return value.isoformat().removesuffix("T00:00:00")
    text = _SPACES.sub(" ", line_of(normalize("NFC", str(value)))).strip().lstrip("'")
    return text[:-2] if re.fullmatch(r"\d+\.0", text) else text
