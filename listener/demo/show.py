"""What the demo tells on the terminal: the crawls, the board, the alerts, and where everything was received."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from listener.board import Row
from listener.text.quotes import line_of
from listener.text.story import Story, story_of
from listener.text.views import AlertView
from listener.text.words import word

WIDTH = 100
QUOTES = 5
MAILS = 4
STYLES = {
    "critic": "bold red",
    "wavering": "yellow",
    "recovered": "green",
    "advocate": "green",
    "silent": "blue",
    "not-covered": "magenta",
    "candidate": "dim",
}
QUIET = timedelta(days=60)  # covered time without a post that is worth a second look


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that was received."""

    subject: str
    path: Path


def title(console: Console, brand: str, days: int, people: int) -> None:
    """What is about to be seen."""
    words = Text.assemble(
        ("听一季，看谁在变\n", "bold"),
        f"虚构品牌「{line_of(brand)}」的 {people} 位 KOC，{days} 天的微博、论坛和用户圈；平台、邮箱、Webhook 都真的开在本机，",
        "爬虫真的去抓，不连外网。\n",
        (
            f"One season of an invented brand: {people} KOCs, {days} days; all real, all on this machine.",
            "dim",
        ),
    )
    console.print(
        Panel(words, title="koc-listener · 演示 demo", title_align="left", border_style="cyan", width=_width(console))
    )


def crawled(console: Console, number: int, at: datetime, brought: Mapping[str, int], told: Text) -> None:
    """One line for a round of crawls: when it was, how many new posts each source brought, what followed."""
    line = Text.assemble(" ", (f"第 {number} 轮", "cyan"), "  ", (f"{at:%m-%d %H:%M}", "dim"), "  ")
    for name, count in brought.items():
        line.append_text(Text.assemble(f"{line_of(name)} ", (f"+{count:,}", "bold"), "  "))
    console.print(Text.assemble(line, ("→ ", "dim"), told))


def board(console: Console, rows: Sequence[Row], now: datetime, timezone: str) -> None:
    """The KOC board: those who need eyes first."""
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("态度", no_wrap=True)
    table.add_column("KOC", no_wrap=True)
    table.add_column("级", no_wrap=True)
    table.add_column("对接人", no_wrap=True)
    table.add_column("提及", justify="right", no_wrap=True)
    table.add_column("平时 → 近 10 条", justify="right", no_wrap=True)
    table.add_column("最近提及", no_wrap=True, justify="right")
    table.add_column("最后听到", no_wrap=True, justify="right")
    table.add_column("覆盖", no_wrap=True)
    for row in rows:
        table.add_row(*_cells(row, now, timezone))
    _heading(console, "KOC 看板", "the board: stance −1…+1, those who need eyes first")
    console.print(Padding(table, (0, 0, 0, 1)))


def _cells(row: Row, now: datetime, timezone: str) -> list[RenderableType]:
    style = STYLES[row.status]
    moved: RenderableType = ""
    if row.baseline is not None and row.recent is not None:
        moved = Text.assemble((f"{row.baseline:+.2f}", _tint(row.baseline)), " → ", (f"{row.recent:+.2f}", _tint(row.recent)))
    spoke = Text(_ago(row.last_mention_at, now, timezone) if row.last_mention_at else "—")
    if row.quiet is not None and row.quiet >= QUIET:
        spoke.stylize("blue")
    return [
        Text("● " + word("status", row.status), style),
        Text(line_of(row.name)),
        Text(line_of(row.tier), "dim"),
        Text(line_of(row.owner), "dim"),
        str(row.mentions),
        moved,
        spoke,
        Text(_ago(row.last_heard_at, now, timezone) if row.last_heard_at else "从未", "" if row.last_heard_at else "magenta"),
        Text("未覆盖", "magenta") if row.reach == "not-covered" else Text(word("reach", row.reach), "dim"),
    ]


def _tint(stance: float) -> str:
    return "red" if stance < -0.2 else "green" if stance > 0.2 else "yellow"


def _ago(at: datetime, now: datetime, timezone: str) -> str:
    """
    >>> from datetime import UTC
    >>> _ago(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 9, tzinfo=UTC), "Asia/Shanghai")
    '8 天前'
    """
    zone = ZoneInfo(timezone)
    days = (now.astimezone(zone).date() - at.astimezone(zone).date()).days
    if now - at < timedelta(hours=1):
        return "刚刚"
    return ("今天", "昨天")[days] if days < 2 else f"{days} 天前"


def alert(console: Console, view: AlertView) -> None:
    """An alert in full: what changed, in whose words, and what to do now."""
    story = story_of(view)
    told = Table.grid(padding=(0, 2))
    told.add_column(style="dim", no_wrap=True)
    told.add_column(overflow="fold")
    for label, sentence in story.facts:
        told.add_row(label, Text(sentence))
    parts: list[RenderableType] = [Text(story.headline, "bold"), Text(story.chance), "", told, ""]
    parts += [_quotes(story), ""]
    next_step = Text.assemble(
        (f"{story.next_title}  ", "bold cyan"), (story.next_word, "bold"), f"  {story.hint}\n", (story.guard, "dim")
    )
    parts.append(next_step)
    console.print(
        Panel(
            Group(*parts),
            title=Text(f" {story.badge} · {story.name}（对接人 {story.owner}） "),
            title_align="left",
            border_style="red" if story.tone == "red" else "yellow",
            width=_width(console),
            padding=(1, 2),
        )
    )


def _quotes(story: Story) -> Table:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for line in story.before[-1:]:
        grid.add_row(Text(f"{line.at[5:10]} {line.mark}", "green"), Text(line.text))
    for line in story.quotes[:QUOTES]:
        grid.add_row(Text(f"{line.at[5:10]} {line.mark}", "red" if line.stance == "against" else ""), Text(line.text))
    if len(story.quotes) > QUOTES or story.more_quotes:
        grid.add_row("", Text("…… 其余各条见邮件与网页，均附链接 / the rest, with links, in the mail and on the page", "dim"))
    return grid


def others(console: Console, views: Sequence[AlertView]) -> None:
    """The other alerts of the season, one line each."""
    table = Table.grid(padding=(0, 2))
    for view in views:
        story = story_of(view)
        colour = "red" if story.tone == "red" else "yellow"
        table.add_row(Text("●", colour), Text(story.fired, "dim"), Text(story.name, "bold"), Text(story.headline))
    _heading(console, "本季其余预警", "the season's other alerts")
    console.print(Padding(table, (0, 0, 1, 2)))


def received(console: Console, mails: Sequence[Mail], hooks: Sequence[Path], pages: Sequence[Path]) -> None:
    """Where everything arrived: the newest mails with their subjects, the requests, the pages."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for number, mail in enumerate(mails[-MAILS:]):
        label = f"邮件 {len(mails)} 封" if number == 0 else ""
        table.add_row(label, Text.assemble(line_of(mail.subject), "\n", (_shown(mail.path), "cyan")))
    for path in hooks[-1:]:
        table.add_row(f"Webhook {len(hooks)} 次", Text.assemble("签名已核对 / signature verified\n", (_shown(path), "cyan")))
    for number, path in enumerate(pages):
        table.add_row("手机网页" if number == 0 else "", Text(_shown(path), "cyan"))
    _heading(console, "真的收到了", "received by a real SMTP server and a real HTTP receiver")
    console.print(Padding(table, (0, 0, 0, 2)))


def further(console: Console, folder: Path, name: str, seconds: float) -> None:
    """What to type next, and how long this took."""
    listener = _command()
    commands = (
        (f"cd {_quoted(_shown(folder))}", ""),
        (f"{listener} explain {_quoted(line_of(name))}", "一位 KOC 的完整经过 / a KOC's whole story"),
        (f"{listener} alerts", "全部预警 / all alerts"),
        (f"{listener} start", "换成您的品牌和名单 / with your own brand and roster"),
    )
    grid = Table.grid(padding=(0, 3))
    for command, words in commands:
        grid.add_row(Text(command, "bold"), Text(words, "dim"))
    _heading(console, "接着看", f"go on · 用时 {seconds:.0f} 秒 / took {seconds:.0f} s")
    console.print(Padding(grid, (0, 0, 1, 2)))


def _command() -> str:
    """How this very program is called from any folder: by its name where that is on the path, else by its whole path."""
    beside = Path(sys.executable).with_name("listener")
    return "listener" if shutil.which("listener") or not beside.exists() else _quoted(str(beside))


def _heading(console: Console, zh: str, en: str) -> None:
    console.print(Padding(Text.assemble((zh, "bold"), (f"  {en}", "dim")), (1, 0, 0, 1)))


def _quoted(text: str) -> str:
    return f'"{text}"' if " " in text else text


def _shown(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _width(console: Console) -> int:
    return min(WIDTH, console.width)
