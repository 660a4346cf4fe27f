"""JSON that holds long lists → their values one by one, in memory for one value at a time."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import IO, Any

from spiders.exports.texts import BREAKS, SNIFFED, encoding_of, opened
from spiders.files import LONGEST_LINE

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODE = json.JSONDecoder().raw_decode
_MOST_BESIDE = 1000  # values beside a file's lists; an object of more is no such file


class BrokenOffError(ValueError):
    """The JSON goes on no further; the message says why."""


class _Scanner:
    """A window over the text of a stream, and where in it to go on."""

    def __init__(self, stream: IO[bytes], encoding: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8-sig" if encoding == "utf-8" else encoding)("replace")
        self._text, self._at, self._is_over = "", 0, False

    def peek(self) -> str:
        """The next sign that is no space; "" at the end."""
        while True:
            match = _SPACE.match(self._text, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def takes(self, sign: str) -> bool:
        """Whether that sign comes next, which is then passed."""
        is_next = self.peek() == sign
        self._at += is_next
        return is_next

    def value(self) -> Any:
        """The next value, whole. Raises BrokenOffError where there is none, or one too long or nested too deep."""
        self.peek()
        while True:
            try:
                value, end = _DECODE(self._text, self._at)
            except RecursionError as error:
                raise BrokenOffError("nested too deep") from error
            except ValueError as error:
                if len(self._text) - self._at > LONGEST_LINE or not self._more():
                    raise BrokenOffError(str(error).partition(": line")[0]) from error
                continue
            if end == len(self._text) and self._more():  # a number may go on in what comes next
                continue
            self._at = end
            return value

    def _more(self) -> bool:
        """Read on, twice as far as what is not passed yet: a long value is tried few times. False at the end."""
        if self._is_over:
            return False
        try:
            chunk = self._stream.read(max(SNIFFED, len(self._text) - self._at))
        except BREAKS as error:
            raise BrokenOffError(str(error)) from error
        self._is_over = not chunk
        self._text = self._text[self._at :] + self._decoder.decode(chunk, final=self._is_over)
        self._at = 0
        return True


def values_of(path: Path, key: str | None = None) -> Iterator[Any]:
    """The values of the list that a file is, or that its object has under a key. Raises BrokenOffError where it breaks off."""
    with closing(opened(path)) as stream:
        scanner = _Scanner(stream, encoding_of(path))
        if key is None:
            yield from _values(scanner)
            return
        for name in _names(scanner):
            if name == key and scanner.peek() == "[":
                yield from _values(scanner)
                return
            _pass(scanner)


def beside_of(path: Path) -> tuple[list[str], Mapping[str, Any]]:
    """The keys of an object's lists, and its other values, objects flattened once: ``{"user": {"id": 1}}`` is ``user.id``. What
    stands behind a break is not told."""
    lists, beside = list[str](), dict[str, Any]()
    with closing(opened(path)) as stream:
        scanner = _Scanner(stream, encoding_of(path))
        try:
            for name in _names(scanner):
                if scanner.peek() == "[":
                    lists.append(name)
                    _pass(scanner)
                else:
                    beside |= _flat(name, scanner.value())
                if len(beside) > _MOST_BESIDE:
                    break
        except BrokenOffError:
            pass  # told by the rows of the list that it breaks off in; without one there is no table at all
    return lists, beside


def _values(scanner: _Scanner) -> Iterator[Any]:
    scanner.takes("[")
    if scanner.takes("]"):
        return
    while True:
        yield scanner.value()
        if scanner.takes("]"):
            return
        if not scanner.takes(","):
            raise BrokenOffError("no comma, and no end of the list")


def _names(scanner: _Scanner) -> Iterator[str]:
    """The keys of an object; whoever asks for the next one has passed the value behind the last."""
    scanner.takes("{")
    if scanner.takes("}"):
        return
    while True:
        name = scanner.value()
        if not isinstance(name, str) or not scanner.takes(":"):
            raise BrokenOffError("no key")
        yield name
        if scanner.takes("}"):
            return
        if not scanner.takes(","):
            raise BrokenOffError("no comma, and no end of the object")


def _pass(scanner: _Scanner) -> None:
    if scanner.peek() == "[":
        for _ in _values(scanner):
            pass
    else:
        scanner.value()


def _flat(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        return {name: value}
    return {f"{name}.{key}": inner for key, inner in value.items() if not isinstance(inner, (dict, list))}
