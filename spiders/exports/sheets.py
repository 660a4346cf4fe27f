"""A file that another tool wrote → its tables, row by row in constant memory: CSV, JSON, JSON Lines, Excel, SQLite."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import sqlite3
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any, cast

import ijson
import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from spiders.errors import CollectError
from spiders.files import LONGEST_LINE, BadLine
from spiders.values import cleaned, json_from

Cells = Mapping[str, Any]
"""A row's cells by column. The key ``None`` stands where there are more or fewer than columns: with those beyond the last."""

_SNIFFED = 64 * 1024
_KNOWN_BY = 50  # rows of a JSON table whose keys name its columns
_SEPARATORS = (",", "\t", ";", "，", "|")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Row:
    """number: the line it begins at (files of lines), the row as a spreadsheet shows it, or its place in a list; from 1."""

    number: int
    cells: Cells

    def line(self) -> bytes:
        """The row as one line of JSON, for the quarantine."""
        return json.dumps(dict(_named(self.cells)), ensure_ascii=False, default=str).encode(errors="backslashreplace")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table of a file.

    name: of a sheet, a database's table or a JSON list, "" where there is but one. rows: to be read once, before the next sheet
    is asked for; a BadLine stands where the file itself is broken.
    """

    name: str
    columns: frozenset[str]
    rows: Iterator[Row | BadLine]


def sheets_of(path: Path) -> Iterator[Sheet]:
    """The tables of a file, known by its first bytes, whatever its name. Raises CollectError where it is none of these."""
    try:
        with opened(path) as stream:
            head = stream.read(_SNIFFED)
    except (OSError, EOFError) as error:
        raise CollectError(f"打不开 {path} / can't open: {getattr(error, 'strerror', None) or error}") from error
    if head.startswith(b"SQLite format 3\0"):
        return _sqlite(path)
    if head.startswith(b"PK\x03\x04"):
        return _excel(path)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise CollectError(f"{path}：旧式或加密的 Excel，请另存为 .xlsx 或 CSV / old or encrypted Excel: save it as .xlsx")
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(b"[") or (text.startswith(b"{") and not _is_line(text)):
        return _json(path, is_list=text.startswith(b"["))
    if text.startswith(b"{"):
        return _json_lines(path)
    return _csv(path)


def opened(path: Path) -> IO[bytes]:
    """The file's bytes, unpacked where they are gzip."""
    with path.open("rb") as stream:
        is_packed = stream.read(2) == b"\x1f\x8b"
    return cast(IO[bytes], gzip.open(path)) if is_packed else path.open("rb")


def _is_line(text: bytes) -> bool:
    """Whether the first line is a whole JSON object by itself, or longer than what was read of it."""
    line, newline, _ = text.partition(b"\n")
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return not newline


def _named(cells: Cells) -> Iterator[tuple[str, Any]]:
    for key, value in cells.items():
        yield (key if key is not None else "…"), value


# ------------------------------------------------------------------------------------------------------------------ CSV


def encoding_of(path: Path) -> str:
    """UTF-8 where all of it is, UTF-16 by its mark, else GB18030, which takes GBK and GB2312 too. Reads the whole file."""
    with opened(path) as stream:
        head = stream.read(4)
        if head[:2] in _UTF16:
            return "utf-16"
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            decoder.decode(head)
            while chunk := stream.read(_SNIFFED):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "gb18030"
    return "utf-8-sig"


def _csv(path: Path) -> Iterator[Sheet]:
    csv.field_size_limit(LONGEST_LINE)
    encoding = encoding_of(path)
    # only \n ends a line, whatever else Python would cut at: U+2028 stands in posts
    with opened(path) as stream, io.TextIOWrapper(stream, encoding, errors="replace", newline="\n") as text:
        lines = (line.replace("\0", "�") for line in text)
        first = list(islice(lines, 20))
        if not first:
            raise CollectError(f"{path}：文件是空的 / the file is empty")
        separator = max(_SEPARATORS, key=first[0].count)
        reader = csv.reader(chain(first, lines), delimiter=separator)
        header = next(reader, [])
        columns = [name.strip() for name in header]
        yield Sheet("", frozenset(columns), _csv_rows(reader, columns))


def _csv_rows(reader: Any, columns: list[str]) -> Iterator[Row | BadLine]:
    start = reader.line_num + 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield BadLine(start, f"不是完整的一行 / no whole row: {error}", b"")
            start = reader.line_num + 1
            continue
        if any(cells):
            row: dict[Any, Any] = dict(zip(columns, cells, strict=False))
            if len(cells) != len(columns):
                row[None] = cells[len(columns) :]
            yield Row(start, row)
        start = reader.line_num + 1


# ----------------------------------------------------------------------------------------------------------------- JSON


def _json_lines(path: Path) -> Iterator[Sheet]:
    with opened(path) as stream:
        rows = _line_rows(stream)
        first = list(islice(rows, _KNOWN_BY))
        yield Sheet("", _keys_of(first), chain(first, rows))


def _line_rows(stream: IO[bytes]) -> Iterator[Row | BadLine]:
    number = 0
    while line := stream.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE and not line.endswith(b"\n"):
            while (more := stream.readline(LONGEST_LINE)) and not more.endswith(b"\n"):
                pass
            yield BadLine(number, f"这一行超过 {LONGEST_LINE >> 20} MiB / line too long", line[:4096])
            continue
        if not line.strip():
            continue
        try:
            found = json_from(line.removeprefix(b"\xef\xbb\xbf"))
        except ValueError as error:
            yield BadLine(number, f"不是完整的 JSON / no JSON: {error}", line)
            continue
        if isinstance(found, dict):
            yield Row(number, found)
        else:
            yield BadLine(number, "不是一个 JSON 对象 / not a JSON object", line)


def _json(path: Path, *, is_list: bool) -> Iterator[Sheet]:
    """One list, or an object whose lists are tables; values beside them are columns ``@key`` of each row, objects flattened
    once (``{"user": {"id": 1}}`` is ``@user.id``)."""
    if is_list:
        with opened(path) as stream:
            rows = _list_rows(stream, "item", {})
            first = list(islice(rows, _KNOWN_BY))
            yield Sheet("", _keys_of(first), chain(first, rows))
        return
    beside = dict(_beside(path))
    for name in [key for key, value in beside.items() if value is list]:
        with opened(path) as stream:
            rows = _list_rows(stream, f"{name}.item", {f"@{key}": value for key, value in beside.items() if value is not list})
            first = list(islice(rows, _KNOWN_BY))
            yield Sheet(name, _keys_of(first), chain(first, rows))


def _list_rows(stream: IO[bytes], prefix: str, beside: Mapping[str, Any]) -> Iterator[Row | BadLine]:
    number = 0
    try:
        for number, found in enumerate(ijson.items(stream, prefix, use_float=True), start=1):
            if isinstance(found, dict):
                yield Row(number, {**beside, **cast(dict[str, Any], cleaned(found))})
            else:
                yield BadLine(number, "不是一个 JSON 对象 / not a JSON object", json.dumps(found).encode())
    except (ijson.JSONError, UnicodeDecodeError, EOFError) as error:
        yield BadLine(number + 1, f"JSON 在这里断了，前面的已读 / the JSON breaks off here: {error}", b"")


def _beside(path: Path) -> Iterator[tuple[str, Any]]:
    """The values of an object beside its lists, at most two deep; ``list`` (the type) for each list."""
    with opened(path) as stream:
        try:
            for prefix, event, value in ijson.parse(stream, use_float=True):
                if event == "start_array" and prefix and "." not in prefix:
                    yield prefix, list
                elif event in ("string", "number", "boolean", "null") and prefix.count(".") <= 1 and ".item" not in prefix:
                    yield prefix, value
        except (ijson.JSONError, UnicodeDecodeError, EOFError):
            return  # told by the rows of the list that it breaks off in; without one there is no table at all


def _keys_of(rows: list[Row | BadLine]) -> frozenset[str]:
    return frozenset(key for row in rows if isinstance(row, Row) for key in row.cells)


# ------------------------------------------------------------------------------------------------------ Excel and SQLite


def _excel(path: Path) -> Iterator[Sheet]:
    with path.open("rb") as stream:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about styles and validations that openpyxl leaves out
                book = openpyxl.load_workbook(stream, read_only=True, data_only=True)
        except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
            raise CollectError(f"打不开的 Excel 文件 / this Excel file can't be opened: {path}: {error}") from error
        for sheet in book.worksheets:
            rows = sheet.iter_rows(values_only=True)
            columns = [str(value).strip() if value is not None else "" for value in next(rows, ())]
            if any(columns):
                yield Sheet(str(sheet.title), frozenset(filter(None, columns)), _excel_rows(rows, columns))


def _excel_rows(rows: Iterator[tuple[Any, ...]], columns: list[str]) -> Iterator[Row | BadLine]:
    for number, values in enumerate(rows, start=2):
        if any(value not in (None, "") for value in values):
            yield Row(number, {name: _cell_of(value) for name, value in zip(columns, values, strict=False) if name})


def _cell_of(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def _sqlite(path: Path) -> Iterator[Sheet]:
    """Every table. The file is opened read-only and is never changed."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            connection.text_factory = lambda data: data.decode(errors="replace")
            names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
            for (name,) in connection.execute(names).fetchall():
                quoted = '"' + name.replace('"', '""') + '"'
                cursor = connection.execute(f"SELECT * FROM {quoted}")  # noqa: S608 - a name from the file, quoted
                columns = [one[0] for one in cursor.description]
                rows = (Row(number, dict(zip(columns, values, strict=True))) for number, values in enumerate(cursor, start=1))
                yield Sheet(name, frozenset(columns), rows)
    except sqlite3.Error as error:
        raise CollectError(f"读不了这个 SQLite 文件 / this SQLite file can't be read: {path}: {error}") from error
