"""TOML text → the line of every key, so that a mistake can be shown where it stands. For text that is valid TOML."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping

Path = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"""(?:"{0,2})|' + r"'''.*?'''(?:'{0,2})|" + r""""(?:[^"\\\n]|\\.)*"|'[^'\n]*\'""", re.DOTALL
)
_BARE = re.compile(r"[^,\]}#\n\r]+")


def lines_of(text: str) -> Mapping[Path, int]:
    """The line, from 1, of every key, table and element of a list.

    >>> lines_of('[listener]\\ntimezone = "UTC"\\n\\n[[brands]]\\nname = "星澜"')[("brands", 0, "name")]
    5
    """
    return _Reader(text).read()


def line_of(lines: Mapping[Path, int], path: Path) -> int | None:
    """The line of a key, or of the nearest table around it that stands in the text."""
    while path:
        if path in lines:
            return lines[path]
        path = path[:-1]
    return None


class _Reader:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.lines: dict[Path, int] = {}
        self.sizes: dict[Path, int] = {}  # how many tables a list of tables has so far
        self._seen_at, self._seen_line = 0, 1

    def read(self) -> dict[Path, int]:
        table: Path = ()
        while self._skip(_BLANK):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
        return self.lines

    def _header(self) -> Path:
        is_list = self.text.startswith("[[", self.at)
        start = self.at
        self.at += 2 if is_list else 1
        keys = self._keys()
        self.at += 2 if is_list else 1
        path: Path = ()
        for key in keys[:-1]:
            path = self._inside((*path, key))
        path = (*path, keys[-1])
        if is_list:
            self.sizes[path] = self.sizes.get(path, 0) + 1
            self._mark(path, start)
            path = self._inside(path)
        self._mark(path, start)
        return path

    def _inside(self, path: Path) -> Path:
        """The last table of a list of tables; any other path as it is."""
        return (*path, self.sizes[path] - 1) if path in self.sizes else path

    def _pair(self, table: Path) -> None:
        start = self.at
        path = (*table, *self._keys())
        for end in range(len(table) + 1, len(path) + 1):
            self._mark(path[:end], start)
        self.at += 1  # "="
        self._skip(_SPACE)
        self._value(path)

    def _keys(self) -> list[str]:
        keys = []
        while True:
            self._skip(_SPACE)
            match = _KEY.match(self.text, self.at)
            assert match is not None, f"no key at {self.at}"
            keys.append(_plain(match[0]))
            self.at = match.end()
            self._skip(_SPACE)
            if self.text[self.at : self.at + 1] != ".":
                return keys
            self.at += 1

    def _value(self, path: Path) -> None:
        opening = self.text[self.at]
        if opening == "[":
            self._elements(path)
        elif opening == "{":
            self.at += 1
            while self._skip(_BLANK) and self.text[self.at] != "}":
                self._pair(path)
                self._skip(_BLANK)
                self.at += self.text[self.at] == ","
            self.at += 1
        else:
            match = (_STRING if opening in "\"'" else _BARE).match(self.text, self.at)
            assert match is not None, f"no value at {self.at}"
            self.at = match.end()

    def _elements(self, path: Path) -> None:
        self.at += 1
        index = 0
        while self._skip(_BLANK) and self.text[self.at] != "]":
            self._mark((*path, index), self.at)
            self._value((*path, index))
            index += 1
            self._skip(_BLANK)
            self.at += self.text[self.at] == ","
        self.at += 1

    def _skip(self, pattern: re.Pattern[str]) -> bool:
        """Move past what the pattern matches; whether there is more text."""
        match = pattern.match(self.text, self.at)
        assert match is not None
        self.at = match.end()
        return self.at < len(self.text)

    def _mark(self, path: Path, at: int) -> None:
        self._seen_line += self.text.count("\n", self._seen_at, at) if at >= self._seen_at else 0
        self._seen_at = max(self._seen_at, at)
        line = self._seen_line if at == self._seen_at else self.text.count("\n", 0, at) + 1
        self.lines.setdefault(path, line)


def _plain(key: str) -> str:
    return key if key[0] not in "\"'" else str(tomllib.loads(f"key = {key}")["key"])
