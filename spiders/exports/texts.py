"""A file's bytes, unpacked, and its lines of text, in whatever encoding people saved it."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, cast

from spiders.files import LONGEST_LINE

SNIFFED = 64 * 1024
BREAKS = (OSError, EOFError, zlib.error)
"""What reading raises where a file, or its gzip, breaks off."""

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class TooLongError(ValueError):
    """A line longer than any row is."""


def opened(path: Path) -> IO[bytes]:
    """The file's bytes, unpacked where they are gzip. Reading it raises one of BREAKS where it breaks off."""
    with path.open("rb") as stream:
        is_packed = stream.read(2) == b"\x1f\x8b"
    return cast(IO[bytes], gzip.open(path)) if is_packed else path.open("rb")


def encoding_of(path: Path) -> str:
    """utf-16 by its mark; else gb18030 (which GBK and GB2312 are part of) where more lines are none of UTF-8 than are; else
    utf-8. Reads the whole file: what tells them apart may stand far down."""
    utf8 = other = 0
    with opened(path) as stream:
        try:
            if stream.read(2) in _UTF16:
                return "utf-16"
            is_rest = False
            while line := stream.readline(SNIFFED):
                is_cut = len(line) == SNIFFED and not line.endswith(b"\n")
                if not line.isascii():
                    is_utf8 = _is_utf8(line.lstrip(_INSIDE) if is_rest else line, is_cut=is_cut)
                    utf8, other = utf8 + is_utf8, other + (not is_utf8)
                is_rest = is_cut
        except BREAKS:
            pass  # told by whoever reads the lines
    return "gb18030" if other > utf8 else "utf-8"


_INSIDE = bytes(range(0x80, 0xC0))  # of UTF-8, never a character's first byte


def _is_utf8(line: bytes, *, is_cut: bool) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(line, final=not is_cut)
    except UnicodeDecodeError:
        return False
    return True


def decoded(line: bytes, encoding: str) -> str:
    """One line as text: in UTF-8 or GB18030, whichever it is itself. encoding: that of most lines, for one that could be both.

    Files are mixed where two programs wrote to them; one broken character does not make a line another encoding's.

    >>> decoded("国标".encode("gb18030"), "utf-8"), decoded("中文".encode(), "gb18030"), decoded("中文".encode()[:-1], "utf-8")
    ('国标', '中文', '中�')
    """
    if encoding == "utf-8" or line.isascii():
        try:
            return line.decode()
        except UnicodeDecodeError:
            pass
    text = line.decode("utf-8", "replace")
    wrong = text.count("\ufffd")
    right = sum(sign > "\u07ff" for sign in text) - wrong
    if wrong > right or (encoding == "gb18030" and not right):
        return line.decode("gb18030", "replace")
    return text


class Lines:
    """A file's lines, each with its end, one at a time: only ``\\n`` ends one, for U+2028 and the like stand in posts.

    number: of the last line that was handed out, from 1. taken: those handed out since it was last cleared. fault: why the file
    breaks off, once it has. A NUL is replaced. Raises TooLongError in place of a line longer than LONGEST_LINE.
    """

    def __init__(self, stream: IO[bytes], encoding: str) -> None:
        self.number, self.taken, self.fault = 0, list[str](), ""
        self._again: deque[str] = deque()
        self._read = _read_utf16(stream) if encoding == "utf-16" else _read_bytes(stream, encoding)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._again:
            line: str | None = self._again.popleft()
        else:
            try:
                line = next(self._read)
            except BREAKS as error:
                self.fault = str(error)
                raise StopIteration from error
        self.number += 1
        if line is None:
            raise TooLongError(f"这一行超过 {LONGEST_LINE >> 20} MiB / line too long")
        self.taken.append(line)
        return line

    def give_back(self, lines: Sequence[str]) -> None:
        """Hand out again the last lines that were handed out."""
        self._again.extendleft(reversed(lines))
        self.number -= len(lines)


def _read_bytes(stream: IO[bytes], encoding: str) -> Iterator[str | None]:
    is_first = True
    while line := stream.readline(LONGEST_LINE + 1):
        if is_first:
            line, is_first = line.removeprefix(codecs.BOM_UTF8), False
        if len(line) > LONGEST_LINE and not line.endswith(b"\n"):
            while (more := stream.readline(LONGEST_LINE)) and not more.endswith(b"\n"):
                pass
            yield None
        else:
            yield decoded(line, encoding).replace("\0", "�")


def _read_utf16(stream: IO[bytes]) -> Iterator[str | None]:
    with io.TextIOWrapper(stream, "utf-16", errors="replace", newline="\n") as text:
        while line := text.readline(LONGEST_LINE + 1):
            if len(line) > LONGEST_LINE and not line.endswith("\n"):
                while (more := text.readline(LONGEST_LINE)) and not more.endswith("\n"):
                    pass
                yield None
            else:
                yield line.replace("\0", "�")
