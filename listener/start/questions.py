"""At most five questions, or as many options → answers that can be used."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.text import Text

from config.settings import ConfigError, Problem

WIDTH = 100


@dataclass(frozen=True, slots=True)
class Answers:
    """What was asked. Empty: skipped."""

    names: tuple[str, ...]
    rivals: tuple[str, ...]
    roster: Path | None
    posts: Path | None
    send_to: str


_QUESTIONS: Mapping[str, tuple[str, str]] = {
    "brand": ("品牌叫什么？别名、产品名也写上，用逗号隔开", "Your brand? Aliases and products too, separated by commas"),
    "rivals": ("竞品有哪些？没有就回车", "Rivals? Enter to skip"),
    "roster": ("KOC 名单在哪个文件（CSV 或 Excel）？没有就回车", "The roster file (CSV or Excel)? Enter to skip"),
    "posts": (
        "过去的内容导出在哪个文件（JSON Lines，可 .gz）？没有就回车",
        "An export of past posts (JSON Lines)? Enter to skip",
    ),
    "send_to": ("以后预警发到哪里？邮箱，或 https:// 开头的 Webhook；以后再说就回车", "Where shall alerts go? Enter for later"),
}


def asked(console: Console, given: Mapping[str, str | None], *, is_interactive: bool) -> Answers:
    """The answers: options as given, the others by question on a terminal, skipped elsewhere. Raises ConfigError."""
    said = dict(given)
    open_questions = [name for name in _QUESTIONS if said[name] is None]
    if is_interactive and open_questions:
        console.print(_greeting(len(open_questions)))
        for number, name in enumerate(open_questions, 1):
            said[name] = _ask(console, number, name)
    names = words_of(said["brand"] or "")
    if not names:
        raise _refusal("brand", "要有品牌名：listener start --brand 品牌 / a brand is needed: listener start --brand NAME")
    return Answers(
        names,
        words_of(said["rivals"] or ""),
        _file_of("roster", said["roster"]),
        _file_of("posts", said["posts"]),
        _target_of(said["send_to"] or ""),
    )


def _ask(console: Console, number: int, name: str) -> str:
    """One question, again until its answer can be used."""
    zh, en = _QUESTIONS[name]
    while True:
        console.print(f"\n[bold cyan]{number}[/bold cyan]  [bold]{zh}[/bold]\n   [dim]{en}[/dim]")
        said = console.input("   › ").strip()
        try:
            if name in ("roster", "posts"):
                _file_of(name, said)
            if name == "send_to":
                _target_of(said)
        except ConfigError as error:
            console.print(f"   [yellow]{escape(error.problems[0].message)}[/yellow]")
            continue
        if name != "brand" or words_of(said):
            return said
        console.print("   [yellow]至少要有品牌名 / a name is needed[/yellow]")


def words_of(text: str) -> tuple[str, ...]:
    """
    >>> words_of("栗川、小栗家，Lichuan , 栗川")
    ('栗川', '小栗家', 'Lichuan')
    """
    words = (one.strip() for one in re.split(r"[,，、;；\n]+", text))
    return tuple(dict.fromkeys(one for one in words if one))


def _file_of(name: str, said: str | None) -> Path | None:
    text = (said or "").strip().strip("\"'")
    if not text:
        return None
    path = Path(text).expanduser()
    if not path.is_file():
        raise _refusal(name, f"没有这个文件：{path} / no such file")
    return path


def _target_of(said: str) -> str:
    """
    >>> _target_of(" pr@example.com ")
    'pr@example.com'
    """
    text = said.strip()
    if not text or re.fullmatch(r"https?://[^\s/]\S*", text) or re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text):
        return text
    raise _refusal("send_to", f"既不是邮箱也不是网址：{text} / neither a mail address nor an address of a webhook")


def _refusal(name: str, message: str) -> ConfigError:
    return ConfigError([Problem(None, name, message)])


def _greeting(questions: int) -> Panel:
    words = Text.assemble(
        (f"最多 {questions} 个问题，然后看您自己的历史会说什么。\n", "bold"),
        "不连网，不发送任何消息；随时 Ctrl-C 离开。\n",
        (f"At most {questions} questions, then what your own history shows. Nothing is sent.", "dim"),
    )
    return Panel(words, title="koc-listener · 开始 start", title_align="left", border_style="cyan", width=WIDTH, expand=False)
