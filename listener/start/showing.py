"""What a history shows, on the terminal: matched, covered, the alerts it would have raised, who needs how many more posts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from listener import board
from listener.app import App
from listener.pipeline import Listened
from listener.roster import RosterPreview
from listener.start.lacking import lacking
from listener.start.questions import WIDTH, Answers
from listener.start.written import Written
from listener.text.quotes import line_of
from listener.text.story import Line, story_of
from listener.text.words import word
from spiders.collect import platforms
from storage.records import Koc, StoredAlert

MOST_ALERTS = 3
MOST_QUOTES = 3
MOST_DOUBTS = 8  # rows of the roster that have to be looked at


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import came to, and where bad lines were set aside, if there were any."""

    listened: Listened
    aside: Path | None


def tell(console: Console, app: App, answers: Answers, preview: RosterPreview | None, imported: Imported | None) -> None:
    """Everything the history shows. Words of posts, rosters and settings are never read as markup, nor as orders to the
    terminal."""
    kocs = app.store.kocs()
    console.print(_heading("听到了什么", "what was matched"))
    console.print(_indented(_matched(app, answers, preview, imported, kocs)))
    if kocs:
        console.print(_heading("听得到谁", "what is covered"))
        console.print(_indented(_covered(app, kocs)))
    if imported is None:
        return
    console.print(_heading("这段历史会报什么（没有发送）", "alerts this history would have raised; nothing was sent"))
    for one in _told(app):
        console.print(_indented(one))
    if kocs:
        console.print(_heading("谁还差多少条", "who needs how many more posts"))
        console.print(_indented(lacking(app, answers.names[0], kocs)))


def _matched(
    app: App, answers: Answers, preview: RosterPreview | None, imported: Imported | None, kocs: Sequence[Koc]
) -> Table:
    grid = _grid()
    if preview is not None:
        words = f"{len(kocs)} 位 KOC，{sum(len(koc.accounts) for koc in kocs)} 个账号"
        grid.add_row("名单", words)
        for one in (*preview.unresolved, *preview.ambiguous)[:MOST_DOUBTS]:
            where = f"第 {'、'.join(map(str, one.rows))} 行 " if one.rows else "整张表 "
            told = f"· {where}{f'{one.who} {one.value}'.strip()}：{one.message}"
            grid.add_row("", _plain(told, "yellow"))
    if imported is None:
        grid.add_row("内容", Text("还没有：listener import 文件 / none yet", "dim"))
        return grid
    listened = imported.listened
    figures = app.store.counts()
    many = f"提及品牌或竞品 {figures['mentions']:,} 次（一条可提到几个，各自评分）"
    grid.add_row("内容", f"{listened.new + listened.again:,} 条，{many}")
    heard = [state for state in app.store.states(answers.names[0]) if state.mentions]
    spoken = sum(state.mentions for state in heard)
    grid.add_row("KOC", _plain(f"{len(heard)} 位说起过「{answers.names[0]}」，共 {spoken:,} 条"))
    if listened.rejected:
        grid.add_row("读不了", _plain(f"{listened.rejected} 行，原因见 {_shown(imported.aside)} / set aside", "yellow"))
        if not listened.new + listened.again:
            wanted = "要的是 JSON Lines，一行一条，格式见 README / JSON Lines are wanted: see the README"
            grid.add_row("", Text(wanted, "yellow"))
    return grid


def _shown(path: Path | None) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path and path.is_relative_to(here) else str(path)


def _covered(app: App, kocs: Sequence[Koc]) -> Table:
    """Accounts by platform: what can be crawled, what is only imported, what nobody hears."""
    crawlable = set(platforms())
    accounts = Counter(account.platform for koc in kocs for account in koc.accounts)
    heard = Counter(one.platform for one in app.store.heard() if one.posts)
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for title in ("平台", "账号", "历史里有发言", "以后怎么听"):
        table.add_column(title, justify="right" if title in ("账号", "历史里有发言") else "left")
    for platform, count in accounts.most_common():
        if platform in crawlable:
            way = Text("可自动抓取 / can be crawled", "green")
        elif heard[platform]:
            way = Text("只能导入 / by import only", "yellow")
        else:
            way = Text("未覆盖：听不到 / not covered", "magenta")
        table.add_row(_plain(word("platform", platform)), str(count), str(heard[platform]), way)
    if homeless := [koc.name for koc in kocs if not koc.accounts]:
        words = f"未覆盖：名单里没有能认出的账号（{'、'.join(homeless[:5])}） / no account"
        table.add_row("—", str(len(homeless)), "", _plain(words, "magenta"))
    return table


def _told(app: App) -> list[RenderableType]:
    """The newest alerts with their quotes, the others in one line each."""
    best = board.strongest_of(app.store.alerts())
    if not best:
        return [Text("没有：没有谁的态度有证据充分的转变 / none", "green")]
    newest = sorted(best.values(), key=lambda one: (one.alert.level != "red", -one.alert.fired_at.timestamp()))
    shown: list[RenderableType] = [_alert(app, one) for one in newest[:MOST_ALERTS]]
    rest = Table.grid(padding=(0, 2))
    for one in newest[MOST_ALERTS:]:
        story = story_of(app.view_of(one))
        dot = Text("●", "red" if story.tone == "red" else "yellow")
        rest.add_row(dot, Text(story.fired, "dim"), Text(story.name), Text(story.headline))
    return [*shown, rest] if rest.row_count else shown


def _alert(app: App, one: StoredAlert) -> Panel:
    story = story_of(app.view_of(one))
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    against = [line for line in story.quotes if line.stance == "against"]
    for line in story.before[-1:]:
        _add_quote(grid, line, "green")
    for line in against[:MOST_QUOTES]:
        _add_quote(grid, line, "red")
    return Panel(
        Group(Text(story.headline, "bold"), Text(story.chance, "dim"), "", grid),
        title=Text(f" {story.badge} · {story.name} · {story.fired} "),
        title_align="left",
        border_style="red" if story.tone == "red" else "yellow",
        width=min(WIDTH - 2, 98),
        padding=(0, 2),
    )


def _add_quote(grid: Table, line: Line, colour: str) -> None:
    grid.add_row(Text(f"{line.at[:10]} {line.mark}", colour), Text(line.text))


def closing(folder: Path, answers: Answers, written: Written) -> RenderableType:
    """What to do next; of the settings only what was written there."""
    place = str(folder)
    grid = Table.grid(padding=(0, 3))
    rows = [(f'cd "{place}"' if " " in place else f"cd {place}", "")]
    rows += [("listener koc import 名单.csv", "补上名单 / add the roster")] if answers.roster is None else []
    rows += [("listener import 内容.jsonl", "补上过去的内容 / add past posts")] if answers.posts is None else []
    rows += (
        [("listener alerts", "全部预警 / all alerts"), ("listener koc list", "KOC 看板 / the board")] if answers.posts else []
    )
    rows.append(("listener.toml", _advice(written)))
    rows += [("listener run", "定时抓取、观察、推送 / on schedule from now on")]
    for command, words in rows:
        grid.add_row(_plain(command, "bold"), _plain(words, "dim"))
    return Padding(Group(Text("下一步 / next", "bold"), Padding(grid, (0, 0, 0, 2))), (1, 0, 1, 0))


def _advice(written: Written) -> str:
    """
    >>> _advice(Written(channel="mail"))
    '渠道「mail」写好了，看过再改 enabled = true / look, then switch it on'
    """
    done = [f"来源「{written.source}」"] if written.source else []
    done += [f"渠道「{written.channel}」"] if written.channel else []
    if not done:
        return "在这里加来源和渠道，例子都在文件里 / add sources and channels, the file holds examples"
    return f"{'和'.join(done)}写好了，看过再改 enabled = true / look, then switch {'them' if len(done) > 1 else 'it'} on"


def _plain(text: str, style: str = "") -> Text:
    """Words of others: one line, no markup, nothing that moves the terminal."""
    return Text(line_of(text), style)


def _heading(zh: str, en: str) -> RenderableType:
    return Padding(Text.assemble((zh, "bold"), (f"  {en}", "dim")), (1, 0, 0, 0))


def _indented(what: RenderableType) -> Padding:
    return Padding(what, (0, 0, 0, 2))


def _grid() -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column(overflow="fold")
    return grid
