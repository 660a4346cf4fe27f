"""Names of templates and values → text, by the program's own templates or those that a team puts over them one by one.

A team's folder may hold any of `OWN` under its own name, for both languages, or in ``zh-CN/`` or ``en/`` for one. They run in a
sandbox: they see values and can change nothing. Where one fails, the program's own takes its place and says so in the message,
so that no alert is lost by a typing mistake; `faults_of` finds the mistakes before.
"""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import BaseLoader, ChoiceLoader, FileSystemLoader, PackageLoader, PrefixLoader, StrictUndefined, Template
from jinja2.exceptions import TemplateError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from listener.text.views import Language

log = logging.getLogger(__name__)

LANGUAGES: Final[tuple[Language, ...]] = ("zh-CN", "en")
KINDS: Final = ("alert", "summary", "digest", "storm", "escalation", "correction", "test")
FORMS: Final = ("txt", "html", "chat")
PARTS: Final = ("subject.txt.j2", "frame.html.j2", "parts.html.j2", "rows.txt.j2")
OWN: Final = frozenset({*PARTS, *(f"{kind}.{form}.j2" for kind in KINDS for form in FORMS)})
# Drafts of what is said at the steps of a case; they are filled by `listener.casework.drafting`.
DRAFTS: Final = frozenset({"acknowledge", "route", "follow-up", "thank", "support", "publish", "contact", "fix"})
_NAMES: Final = OWN | {f"draft.{step}.txt.j2" for step in DRAFTS}
# What a template of somebody else may raise when it is filled: its own mistakes, and those of the values it asks for.
_MISTAKES: Final = (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError, OSError, RecursionError)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a template of the team. line: None where it is the file as a whole."""

    file: str
    line: int | None
    message: str


class Marked(str):
    """Words of the chat's markup that were made on purpose, such as a link."""

    __slots__ = ()


_SAFE: Final = str.maketrans({"<": "＜", ">": "＞", "[": "［", "]": "］", "*": "＊", "`": "｀", "@": "＠"})


def chat_safe(value: object) -> object:
    """Any value as words that mean nothing to a chat: no markup, no mention, no heading.

    >>> chat_safe("<@all> **x** [y](http://z)"), chat_safe("# 标题")
    ('＜＠all＞ ＊＊x＊＊ ［y］(http://z)', '＃ 标题')
    """
    if isinstance(value, Marked) or not isinstance(value, str):
        return value
    text = value.translate(_SAFE)
    return re.sub(r"(?m)^#", "＃", text)


def link(words: str, url: str) -> Marked:
    """A link in the chat's markup; nothing without an address.

    >>> link("原文", "https://a.cn/x(1)"), link("原文", "")
    ('[原文](https://a.cn/x%281%29)', '')
    """
    href = url.replace("(", "%28").replace(")", "%29")
    return Marked(f"[{chat_safe(words)}]({href})" if href else "")


def rendered(name: str, values: Mapping[str, Any], language: Language, folder: str = "") -> tuple[str, str]:
    """What a template makes of the values, and what was wrong with the team's own if the program's had to take its place."""
    if not folder:
        return _template(name, language, "").render(values), ""
    try:
        return _template(name, language, folder).render(values), ""
    except _MISTAKES as error:
        fault = _fault_of(error, folder, name)
        told = f"{fault.file}:{fault.line or 1}: {fault.message}"
        log.error("团队模板有错，改用内置模板 / a template of the team fails, the program's own is used: %s", told)
        words = (
            f"团队模板有错，本条用内置模板：{told}"
            if language == "zh-CN"
            else f"the team's template fails, this is the built-in: {told}"
        )
        return _template(name, language, "").render({**values, "trouble": words}), words


def faults_of(folder: str) -> Iterator[Fault]:
    """What is wrong with the files of a team's folder, without filling them: names that mean nothing, mistakes of syntax."""
    root = Path(folder)
    if not root.is_dir():
        yield Fault(folder, None, "没有这个文件夹 / there is no such folder")
        return
    for path in sorted(root.rglob("*")):
        if path.is_dir() or any(part.startswith(".") for part in path.relative_to(root).parts):
            continue
        where = path.relative_to(root)
        if where.name not in _NAMES or (len(where.parts) > 1 and (len(where.parts) > 2 or where.parts[0] not in LANGUAGES)):
            words = f"没有这个模板名 / no template is named so; there are: {', '.join(sorted(_NAMES))}"
            yield Fault(str(path), None, words)
            continue
        try:
            _environment("zh-CN", "", where.name.endswith(".chat.j2")).parse(path.read_text("utf-8"), filename=str(path))
        except TemplateSyntaxError as error:
            yield Fault(str(path), error.lineno, error.message or "syntax")
        except (OSError, UnicodeDecodeError) as error:
            yield Fault(str(path), None, f"读不了 / can't be read: {error}")


def names_in(folder: str) -> list[tuple[Language, str]]:
    """The templates that a team's folder holds, with the languages that they are for."""
    return [
        (language, name)
        for language in LANGUAGES
        for name in sorted(OWN)
        if any((Path(folder) / place / name).is_file() for place in ("", language))
    ]


def _fault_of(error: Exception, folder: str, name: str) -> Fault:
    """Where in the team's folder a mistake lies."""
    if isinstance(error, TemplateSyntaxError) and error.filename:
        return Fault(error.filename, error.lineno, error.message or "syntax")
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(str(Path(folder)))]
    words = f"{type(error).__name__}: {error}"
    return Fault(frames[-1].filename, frames[-1].lineno, words) if frames else Fault(str(Path(folder) / name), None, words)


def fault_in(name: str, values: Mapping[str, Any], language: Language, folder: str) -> Fault | None:
    """What goes wrong when a template of the team is filled; None: nothing."""
    try:
        _template(name, language, folder).render(values)
    except _MISTAKES as error:
        return _fault_of(error, folder, name)
    return None


def _template(name: str, language: Language, folder: str) -> Template:
    return _environment(language, folder, name.endswith(".chat.j2")).get_template(name)


@cache
def _environment(language: Language, folder: str, is_chat: bool) -> ImmutableSandboxedEnvironment:
    own = PackageLoader("listener", "text")
    loaders: list[BaseLoader] = [own, PrefixLoader({"builtin": own})]
    if folder:
        loaders = [FileSystemLoader(str(Path(folder) / language)), FileSystemLoader(folder), *loaders]
    made = ImmutableSandboxedEnvironment(
        loader=ChoiceLoader(loaders),
        autoescape=lambda name: bool(name and ".html" in name),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=chat_safe if is_chat else None,
    )
    made.globals["link"] = link
    return made
