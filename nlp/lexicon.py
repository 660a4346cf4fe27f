"""A list of patterns, as written in data/*.tsv → patterns that can be looked for, one for each alternative of a line.

A line: code, from which harm on, expression, what voids it. `…6` is up to six characters of one clause; a line
`=名<tab>expression` names an expression that later lines use as `<名>`. Alternatives are patterns of their own, so that
only those whose literals a text holds are ever run on it (see triggers); each is compiled when it is first needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from re import _parser  # type: ignore[attr-defined]  # checks an expression without the time it takes to compile it

from nlp.results import ScoreError

_GAP = re.compile("…([0-9]+)")
_NAMED = re.compile("<([\u4e00-\u9fff]+)>")


@dataclass(frozen=True)
class Void:
    """What takes a hit back where it stands in the same clause."""

    source: str

    @cached_property
    def expression(self) -> re.Pattern[str]:
        return re.compile(self.source)


@dataclass(frozen=True)
class Pattern:
    """One alternative of a line: what it means, from which harm on, what is looked for, what voids it nearby."""

    code: str
    harm: float
    source: str
    void: Void | None = field(repr=False)

    @cached_property
    def words(self) -> re.Pattern[str]:
        return re.compile(self.source)


Lexicon = tuple[Pattern, ...]


def lexicon_of(lines: Iterable[str]) -> Lexicon:
    """Read a list of patterns; raises ScoreError with the line's number where one can't be read.

    >>> [pattern.source for pattern in lexicon_of(["# origin", "=心\\t心|情", "let-down\\t0.4\\t失望|伤…2<心>\\t不失望"])]
    ['失望', '伤[^，。！？；,!?;\\\\n]{0,2}(?:心|情)']
    """
    patterns: list[Pattern] = []
    named: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            if line.startswith("="):
                name, expression = line[1:].rstrip("\n").split("\t")
                named[name] = _checked(f"(?:{_written_out(expression, named)})")
                continue
            code, harm, words, void = (*line.rstrip("\n").split("\t"), "")[:4]
            voids = Void(_checked(_written_out(void, named))) if void else None
            parts = _alternatives(_checked(_written_out(words, named)))
            patterns += [Pattern(code, float(harm), part, voids) for part in parts]
        except (re.error, ValueError, KeyError) as error:
            raise ScoreError(f"word list, line {number}: {error}") from error
    return tuple(patterns)


def _checked(expression: str) -> str:
    _parser.parse(expression)
    return expression


def _written_out(expression: str, named: dict[str, str]) -> str:
    """The expression in the language of ``re``."""
    expression = _NAMED.sub(lambda found: named[found.group(1)], expression)
    return _GAP.sub(r"[^，。！？；,!?;\\n]{0,\1}", expression)


def _alternatives(expression: str) -> Iterator[str]:
    """The parts between the `|` that stand in no bracket.

    >>> list(_alternatives("a(?:b|c)|[|]d"))
    ['a(?:b|c)', '[|]d']
    """
    depth, start, in_set, at = 0, 0, False, 0
    while at < len(expression):
        sign = expression[at]
        if sign == "\\":
            at += 1
        elif in_set:
            in_set = sign != "]"
        elif sign == "[":
            in_set = True
        elif sign in "()":
            depth += 1 if sign == "(" else -1
        elif sign == "|" and depth == 0:
            yield expression[start:at]
            start = at + 1
        at += 1
    yield expression[start:]
