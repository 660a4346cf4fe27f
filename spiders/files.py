"""JSON Lines in the program's own format, from a file or a stream, plain or gzip → items, and the lines that are none."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import IO, Any, Required, cast

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from spiders.errors import CollectError
from spiders.items import Item, ItemMedia, Kind, fault_of
from spiders.values import clean, cleaned, json_from

LONGEST_LINE = 8 * 1024 * 1024
CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is no item. number: from 1. reason: zh-CN, then English. line: as it came (the end of a very long one left
    out), which may hold personal data."""

    number: int
    reason: str
    line: bytes


@with_config(ConfigDict(extra="allow", coerce_numbers_to_str=True))
class _Media(TypedDict, total=False):
    kind: Required[str]
    url: str | None
    caption: str | None
    text: str | None


@with_config(ConfigDict(extra="allow", coerce_numbers_to_str=True))
class _Line(TypedDict, total=False):
    platform: Required[str]
    post_id: Required[str]
    author_id: Required[str]
    posted_at: Required[datetime]
    text: Required[str]
    url: str | None
    author_name: str | None
    seen_at: datetime | None
    kind: Kind
    parent_id: str | None
    root_id: str | None
    likes: int | None
    comments: int | None
    reposts: int | None
    views: int | None
    media: list[_Media] | None
    raw: dict[str, Any] | None


_LINES: TypeAdapter[_Line] = TypeAdapter(_Line)
_KNOWN = frozenset(_Line.__annotations__)
_IDS = ("platform", "post_id", "author_id", "parent_id", "root_id")


def read_items(source: str | PathLike[str] | IO[bytes]) -> Iterator[Item | BadLine]:
    """Items in the file's order, in constant memory, with a BadLine in place of each line that is none.

    source: a path, "-" for standard input, or a binary stream; gzip is known by its first bytes, whatever the name. Keys that
    the format does not know are kept in the item's ``raw``. A gzip that breaks off gives what was whole, then one BadLine.
    Raises CollectError where the file can't be opened or read.
    """
    if isinstance(source, (str, PathLike)) and str(source) == "-":
        yield from _read(sys.stdin.buffer)
    elif isinstance(source, (str, PathLike)):
        with _opened(source) as stream:
            yield from _read(stream)
    else:
        yield from _read(source)


def is_own(path: str | PathLike[str], within: int = 20) -> bool:
    """Whether a file is in this format: empty, or one of its first lines an item. Raises CollectError as `read_items`."""
    first = list(islice(read_items(path), within))
    return not first or any(isinstance(one, Item) for one in first)


def _opened(path: str | PathLike[str]) -> IO[bytes]:
    try:
        return Path(path).open("rb")
    except OSError as error:
        raise CollectError(f"打不开 {path} / can't open: {error.strerror}") from error


def _read(source: IO[bytes]) -> Iterator[Item | BadLine]:
    number = 0
    try:
        for line in _lines(_chunks(source)):
            number += 1
            if len(line) > LONGEST_LINE:
                yield BadLine(number, f"这一行超过 {LONGEST_LINE >> 20} MiB / line too long", line[:4096])
                continue
            if number == 1:
                line = _without_bom(line)
            line = line.strip()
            if line:
                yield item_of(line, number)
    except zlib.error as error:
        yield BadLine(number + 1, f"压缩文件在这里断了，前面的已读 / the gzip breaks off here: {error}", b"")
    except OSError as error:
        raise CollectError(f"读到第 {number + 1} 行时出错 / reading failed at line {number + 1}: {error}") from error


def _without_bom(line: bytes) -> bytes:
    if line.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise CollectError("文件是 UTF-16，请另存为 UTF-8 / the file is UTF-16; save it as UTF-8")
    return line.removeprefix(b"\xef\xbb\xbf")


def _chunks(source: IO[bytes]) -> Iterator[bytes]:
    """The stream's bytes, unpacked where they are gzip. Raises zlib.error where that is broken, after what was whole."""
    chunk = source.read(CHUNK)
    while len(chunk) < 2 and (more := source.read(CHUNK)):
        chunk += more
    if not chunk.startswith(b"\x1f\x8b"):
        while chunk:
            yield chunk
            chunk = source.read(CHUNK)
        return
    unpack = zlib.decompressobj(wbits=31)
    while chunk:
        yield unpack.decompress(chunk, CHUNK)
        chunk = unpack.unconsumed_tail
        if unpack.eof:
            # another member may follow, or padding, which gzip itself passes over
            chunk = unpack.unused_data.lstrip(b"\0") or source.read(CHUNK).lstrip(b"\0")
            unpack = zlib.decompressobj(wbits=31)
        elif not chunk:
            chunk = source.read(CHUNK)
            if not chunk:
                yield unpack.flush()
                raise zlib.error("ends before its end-of-stream marker")


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Lines without their ends; of one longer than LONGEST_LINE only its start. A half line at a break is not given."""
    rest, is_long = b"", False
    for chunk in chunks:
        *whole, last = chunk.split(b"\n")
        if whole:
            yield whole[0] if not rest else rest + whole[0]
            yield from whole[1:]
            rest, is_long = last, False
        elif not is_long:
            rest += last
            is_long = len(rest) > LONGEST_LINE
    if rest:
        yield rest


def item_of(line: bytes, number: int = 1) -> Item | BadLine:
    """One line's item.

    >>> item_of(b'{"platform": "weibo", "post_id": "1", "author_id": "7", "posted_at": "2026-01-01T08:00", "text": "x"}').reason
    'posted_at 没有时区 / posted_at has no time zone: 2026-01-01T08:00:00'
    """
    try:
        found = _LINES.validate_json(line)
    except ValidationError as error:
        repaired = _repaired(line)
        if repaired is None:
            return BadLine(number, _reason_of(error), line)
        try:
            found = _LINES.validate_python(repaired)
        except ValidationError as again:
            return BadLine(number, _reason_of(again), line)
    if b"\\u0000" in line:
        found = cast(_Line, _cleaned(found))
    item = _item(found)
    fault = fault_of(item)
    return BadLine(number, fault, line) if fault else item


def _item(found: _Line) -> Item:
    raw = found.get("raw")
    if raw is None and not _KNOWN.issuperset(found):
        raw = {key: value.isoformat() if isinstance(value, datetime) else value for key, value in found.items()}
    media = found.get("media")
    return Item(
        platform=found["platform"],
        post_id=found["post_id"],
        author_id=found["author_id"],
        posted_at=found["posted_at"],
        text=found["text"],
        url=found.get("url") or "",
        author_name=found.get("author_name") or "",
        seen_at=found.get("seen_at"),
        kind=found.get("kind") or "post",
        parent_id=found.get("parent_id") or None,
        root_id=found.get("root_id") or None,
        likes=found.get("likes"),
        comments=found.get("comments"),
        reposts=found.get("reposts"),
        views=found.get("views"),
        media=tuple(map(_media, media)) if media else (),
        raw=raw,
    )


def _media(found: _Media) -> ItemMedia:
    return ItemMedia(found["kind"], found.get("url") or "", found.get("caption") or "", found.get("text") or "")


def _repaired(line: bytes) -> Any:
    """The line's JSON with half surrogates replaced, where those were all that was wrong; a cut emoji spoils no post."""
    if b"\\ud" not in line.lower():
        return None
    try:
        found = json_from(line, clean=False)
    except ValueError:
        return None
    return _cleaned(found) if isinstance(found, dict) else found


def _cleaned(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """Half surrogates and NULs replaced but in ids, where two posts or authors would become one: those are refused."""
    return {clean(key): value if key in _IDS else cleaned(value) for key, value in found.items()}


_WRONG = "{key} 不对 / {key}: {message}"
_REASONS = {
    "missing": "缺少 {key} / {key} is missing",
    "json_invalid": "不是完整的 JSON / no JSON: {message}",
    "dict_type": "不是一个 JSON 对象 / not a JSON object",
    "literal_error": "{key} 只能是 post、comment 或 repost / {key} is post, comment or repost",
    "string_type": "{key} 应是文字 / {key} should be a string",
    "list_type": "{key} 应是列表 / {key} should be a list",
}


def _reason_of(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"].startswith("datetime"):
        return f"{key} 不是时间 / {key} is no time: {first['msg']}"
    if first["type"].startswith("int"):
        return f"{key} 应是整数 / {key} should be a whole number"
    reason = _WRONG if first["type"] == "dict_type" and key else _REASONS.get(first["type"], _WRONG)
    return reason.format(key=key, message=first.get("ctx", {}).get("error") or first["msg"])
