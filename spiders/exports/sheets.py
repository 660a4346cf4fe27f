"""A file that another tool wrote → its tables, row by row in constant memory: CSV, JSON, JSON Lines, Excel, SQLite."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any, cast

from spiders.errors import CollectError
from spiders.exports.json_lists import BrokenOffError, beside_of, values_of
from spiders.exports.rows import HEADER_WITHIN, KNOWN_BY, LONGEST_KEPT, Row, Sheet
from spiders.exports.texts import BREAKS, SNIFFED, Lines, TooLongError, encoding_of, opened
from spiders.files import LONGEST_LINE, BadLine
from spiders.values import check_depth, cleaned, json_from

_SEPARATORS = (",", "\t", ";", "|", "，")
_NO_OBJECT = "不是一个 JSON 对象 / not a JSON object"


def sheets_of(path: Path) -> Iterator[Sheet]:
    """The tables of a file, known by its first bytes, whatever its name. Raises CollectError where it is none of these."""
    try:
        with opened(path) as stream:
            head = stream.read(SNIFFED)
    except BREAKS as error:
        raise CollectError(f"打不开 {path} / can't open: {getattr(error, 'strerror', None) or error}") from error
    if head.startswith(b"SQLite format 3\0"):
        return _sqlite(path)
    if head.startswith(b"PK\x03\x04"):
        from spiders.exports.workbooks import workbook_sheets  # here, since openpyxl is slow to load and seldom wanted

        return workbook_sheets(path)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise CollectError(f"{path}：旧式或加密的 Excel，请另存为 .xlsx 或 CSV / old or encrypted Excel: save it as .xlsx")
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(b"[") or (text.startswith(b"{") and not _is_line(text)):
        return _json(path, is_list=text.startswith(b"["))
    if text.startswith(b"{"):
        return _json_lines(path)
    return _csv(path)


def _is_line(text: bytes) -> bool:
    """Whether the first line is a whole JSON object by itself, or longer than what was read of it."""
    line, newline, _ = text.partition(b"\n")
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return not newline


# ------------------------------------------------------------------------------------------------------------------ CSV


def _csv(path: Path) -> Iterator[Sheet]:
    csv.field_size_limit(LONGEST_LINE)
    encoding = encoding_of(path)
    with opened(path) as stream:
        lines = Lines(stream, encoding)
        header, separator = _header_of(path, lines)
        columns = [name.strip() for name in header]
        yield Sheet("", frozenset(columns), _csv_rows(lines, columns, separator))


def _header_of(path: Path, lines: Lines) -> tuple[list[str], str]:
    """The first row of several cells, past titles and Excel's ``sep=``; and what parts its cells."""
    try:
        for line in islice(lines, HEADER_WITHIN):
            separator = max(_SEPARATORS, key=line.count)
            if separator not in line or line.lower().startswith("sep="):
                continue
            lines.give_back([line])
            row = next(csv.reader(lines, delimiter=separator))
            if sum(map(bool, row)) > 1:
                return row, separator
    except (csv.Error, TooLongError, StopIteration) as error:
        raise CollectError(f"{path}：不是表格 / no table: {error}") from error
    if lines.number == 0 and not lines.fault:
        raise CollectError(f"{path}：文件是空的 / the file is empty")
    return [], ","


def _csv_rows(lines: Lines, columns: list[str], separator: str) -> Iterator[Row | BadLine]:
    reader = csv.reader(lines, delimiter=separator, strict=True)
    while True:
        lines.taken.clear()
        start = lines.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            break
        except (csv.Error, TooLongError) as error:
            # one wrong quote must not swallow the rows behind it: they are read again, each from its own line
            first, *after = lines.taken or [""]
            lines.give_back(after)
            alone = _alone(first, separator, len(columns))
            reader = csv.reader(lines, delimiter=separator, strict=True)
            if isinstance(error, TooLongError):
                yield BadLine(lines.number + len(after), str(error), b"")
            if alone is None and first:
                yield BadLine(start, f"不是完整的一行，引号可能坏了 / no whole row: {error}", first.encode()[:LONGEST_KEPT])
            cells = alone or []
        if any(cells):
            beyond = tuple(filter(None, cells[len(columns) :]))
            yield Row(start, dict(zip(columns, cells, strict=False)), len(cells) != len(columns), beyond)
    if lines.fault:
        yield BadLine(lines.number + 1, f"文件在这里断了，前面的已读 / the file breaks off here: {lines.fault}", b"")


def _alone(line: str, separator: str, count: int) -> list[str] | None:
    """The cells of one line whose quotes are wrong, where it is a whole row all the same.

    >>> _alone('1,"他说"好"很好"', ",", 2), _alone('1,"没完', ",", 2)
    (['1', '他说好"很好"'], None)
    """
    whole = line.rstrip("\r\n").replace("\r", " ")
    cells = next(csv.reader([f"{whole}\n"], delimiter=separator), [])
    return cells if len(cells) == count and not cells[-1].endswith("\n") else None


# ----------------------------------------------------------------------------------------------------------------- JSON


def _json_lines(path: Path) -> Iterator[Sheet]:
    with opened(path) as stream:
        rows = _line_rows(stream)
        first = list(islice(rows, KNOWN_BY))
        yield Sheet("", _keys_of(first), chain(first, rows))


def _line_rows(stream: IO[bytes]) -> Iterator[Row | BadLine]:
    number = 0
    try:
        while line := stream.readline(LONGEST_LINE + 1):
            number += 1
            if len(line) > LONGEST_LINE and not line.endswith(b"\n"):
                while (more := stream.readline(LONGEST_LINE)) and not more.endswith(b"\n"):
                    pass
                yield BadLine(number, f"这一行超过 {LONGEST_LINE >> 20} MiB / line too long", line[:LONGEST_KEPT])
            elif line.strip():
                yield _line_row(number, line)
    except BREAKS as error:
        yield BadLine(number + 1, f"文件在这里断了，前面的已读 / the file breaks off here: {error}", b"")


def _line_row(number: int, line: bytes) -> Row | BadLine:
    try:
        found = json_from(line.removeprefix(b"\xef\xbb\xbf"))
    except ValueError as error:
        return BadLine(number, f"不是完整的 JSON / no JSON: {error}", line)
    return Row(number, found) if isinstance(found, dict) else BadLine(number, _NO_OBJECT, line)


def _json(path: Path, *, is_list: bool) -> Iterator[Sheet]:
    """One list, or an object whose lists are tables; values beside them are columns ``@key`` of each row."""
    if is_list:
        rows = _list_rows(values_of(path), {})
        first = list(islice(rows, KNOWN_BY))
        yield Sheet("", _keys_of(first), chain(first, rows))
        return
    names, others = beside_of(path)
    beside = {f"@{key}": value for key, value in others.items()}
    for name in names:
        rows = _list_rows(values_of(path, name), beside)
        first = list(islice(rows, KNOWN_BY))
        yield Sheet(name, _keys_of(first), chain(first, rows))


def _list_rows(values: Iterator[Any], beside: Mapping[str, Any]) -> Iterator[Row | BadLine]:
    number = 0
    try:
        for number, found in enumerate(values, start=1):
            try:
                check_depth(found)
            except ValueError as error:
                yield BadLine(number, f"嵌套太深 / {error}", b"")
                continue
            if isinstance(found, dict):
                yield Row(number, {**beside, **cast(dict[str, Any], cleaned(found))})
            else:
                yield BadLine(number, _NO_OBJECT, json.dumps(found).encode()[:LONGEST_KEPT])
    except BrokenOffError as error:
        yield BadLine(number + 1, f"JSON 在这里断了，前面的已读 / the JSON breaks off here: {error}", b"")


def _keys_of(rows: list[Row | BadLine]) -> frozenset[str]:
    return frozenset(key for row in rows if isinstance(row, Row) for key in row.cells)


# ------------------------------------------------------------------------------------------------------ ---------- SQLite


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
                yield Sheet(name, frozenset(columns), _sqlite_rows(cursor, columns))
    except sqlite3.Error as error:
        way = "，请先关掉正在写它的程序 / close the program that writes it" if "locked" in str(error) else ""
        raise CollectError(f"读不了这个 SQLite 文件{way} / this SQLite file can't be read: {path}: {error}") from error


def _sqlite_rows(cursor: sqlite3.Cursor, columns: list[str]) -> Iterator[Row | BadLine]:
    number = 0
    try:
        for number, values in enumerate(cursor, start=1):
            cells = (value.decode(errors="replace") if isinstance(value, bytes) else value for value in values)
            yield Row(number, dict(zip(columns, cells, strict=True)))
    except sqlite3.Error as error:
        yield BadLine(number + 1, f"数据库在这里断了，前面的已读 / the database breaks off here: {error}", b"")
