"""What is wrong with a configuration: every mistake at once, each with its place and its way out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

MANY = 15  # more names than this are not listed


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake. line: in listener.toml, from 1, None where no line is to blame. key: as in ``sources[0].cron``."""

    line: int | None
    key: str
    message: str

    def __str__(self) -> str:
        place = f"第 {self.line} 行 / line {self.line}: " if self.line else ""
        return f"{place}{self.key}: {self.message}" if self.key else place + self.message


class ConfigError(Exception):
    """A configuration that can't be used. ``problems`` holds all of its mistakes, ordered by line."""

    def __init__(self, problems: Iterable[Problem], path: object = "") -> None:
        self.problems: Sequence[Problem] = sorted(problems, key=lambda p: (p.line or 0, p.key))
        self.path = str(path)
        head = [f"{self.path}: {len(self.problems)} 处错误 / {len(self.problems)} mistakes"] if self.path else []
        super().__init__("\n".join([*head, *map(str, self.problems)]))


def meant(word: str, known: Iterable[str]) -> str:
    """What to tell somebody who wrote a word that is not known.

    >>> meant("quries", ["queries", "urls"])
    '是不是 queries？ / did you mean queries?'
    >>> meant("x", ["queries", "urls"])
    '可用的有 / there are: queries, urls'
    """
    names = {name.lower(): name for name in sorted(known)}
    if close := get_close_matches(word.lower(), names, 1):
        return f"是不是 {names[close[0]]}？ / did you mean {names[close[0]]}?"
    if len(names) > MANY:
        return f"可用的见 listener.example.toml / for what there is see listener.example.toml ({len(names)})"
    return f"可用的有 / there are: {', '.join(names.values()) or '—'}"
