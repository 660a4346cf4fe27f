"""`listener start`: at most five questions → a workspace, and what the brand's history shows. Nothing is sent."""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from config import edit
from config.settings import FILE, ConfigError, Problem
from listener import workspace
from listener.app import App
from listener.roster import RosterPreview
from listener.text.story import story_of
from listener.text.words import word
from spiders.collect import platforms
from storage.records import DriftState, Koc, StoredAlert

NEEDED = 8  # posts of one KOC, before a change can be told from chance (the bench's detector knows a baseline after 8)
MOST_ALERTS = 3
MOST_QUOTES = 3
MOST_DOUBTS = 8  # rows of the roster that have to be looked at
WIDTH = 100
MAIL, HOOK, WEIBO = "mail", "hook", "weibo"


@dataclass(frozen=True, slots=True)
class Answers:
    """What was asked. Empty: skipped."""

    names: tuple[str, ...]
    rivals: tuple[str, ...]
    roster: Path | None
    posts: Path | None
    send_to: str


def start(
    folder: Annotated[Path, typer.Argument(help="工作区的文件夹 / folder of the workspace", metavar="[DIR]")] = Path(
        "口碑监听"
    ),
    brand: Annotated[str | None, typer.Option(help="品牌和别名，逗号分隔 / the brand and its aliases")] = None,
    rivals: Annotated[str | None, typer.Option(help="竞品，逗号分隔 / rivals")] = None,
    roster: Annotated[str | None, typer.Option(help="KOC 名单，CSV 或 .xlsx / the roster", metavar="FILE")] = None,
    posts: Annotated[str | None, typer.Option(help="过去内容的导出，JSON Lines / past posts", metavar="FILE")] = None,
    send_to: Annotated[str | None, typer.Option(help="邮箱或 https 地址 / a mail address or a webhook")] = None,
) -> None:
    """五个问题以内，看看您的历史会报什么；什么都不发送 / at most five questions, then what your history shows; sends nothing"""
    console = Console()
    given = {"brand": brand, "rivals": rivals, "roster": roster, "posts": posts, "send_to": send_to}
    answers = asked(console, given, is_interactive=sys.stdin.isatty())
    path = prepare(folder, answers)
    with App.open(path, os.environ) as app:
        preview = _take_roster(app, answers.roster)
        imported = _take_posts(console, app, answers.posts)
        tell(console, app, answers, preview, imported)
        add_source(path, answers.names, app.store.kocs())
    add_channel(path, answers.send_to)
    console.print(closing(folder, answers))


# ------------------------------------------------------------------------------------------------------- questions

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
    if not text or re.fullmatch(r"https?://\S+", text) or re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text):
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


# ------------------------------------------------------------------------------------------------------- workspace


def prepare(folder: Path, answers: Answers) -> Path:
    """The workspace's settings with the brand in them; a workspace that is there already is gone on with."""
    path = folder / FILE
    if not path.is_file():
        path = workspace.create(folder)
    brand: dict[str, Any] = {"name": answers.names[0], "aliases": list(answers.names[1:])}
    edit.put_brand(path, brand | {"rivals": [{"name": name} for name in answers.rivals]})
    return path


def _take_roster(app: App, file: Path | None) -> RosterPreview | None:
    if file is None:
        return None
    preview = app.read_roster(file)
    app.store.save_kocs(preview.kocs)
    return preview


def _take_posts(console: Console, app: App, file: Path | None) -> Any:
    if file is None:
        app.catch_up()
        return None
    with console.status("读取、评分、观察 / reading, scoring, watching …"):
        listened, aside = app.import_file(file)
    return listened, aside


def add_source(path: Path, names: Sequence[str], kocs: Sequence[Koc]) -> None:
    """Write down the source that would hear the roster on Weibo; switched off, so that nothing is asked of it yet."""
    if any(account.platform == WEIBO for koc in kocs for account in koc.accounts):
        source = {"name": "微博", "platform": WEIBO, "enabled": False, "every": "2h", "accounts": "roster"}
        edit.put_source(path, source | {"queries": list(names[:1])})


def add_channel(path: Path, send_to: str) -> None:
    """Write down where alerts shall go; switched off, so that nothing is sent before a person has looked at it."""
    if send_to.startswith(("http://", "https://")):
        secret = path.parent / "webhook.secret"
        workspace.make_webhook_secret(secret)
        edit.put_channel(path, {"name": HOOK, "type": "webhook", "enabled": False, "url": send_to, "secret_file": secret.name})
    elif send_to:
        host = "smtp." + send_to.rpartition("@")[2]
        mail = {"name": MAIL, "type": "email", "enabled": False, "host": host, "sender": send_to, "to": [send_to]}
        edit.put_channel(path, mail | {"user": send_to, "password_env": "SMTP_PASSWORD"})


# ------------------------------------------------------------------------------------------------- what it shows


def tell(console: Console, app: App, answers: Answers, preview: RosterPreview | None, imported: Any) -> None:
    """Everything the history shows: matched, covered, alerts it would have raised, who needs how many more posts."""
    kocs = app.store.kocs()
    states = {state.koc_id: state for state in app.store.states(answers.names[0])}
    console.print(_heading("听到了什么", "what was matched"))
    console.print(_indented(_matched(app, answers, preview, imported, kocs)))
    if kocs:
        console.print(_heading("听得到谁", "what is covered"))
        console.print(_indented(_covered(app, kocs)))
    if imported is None:
        return
    console.print(_heading("这段历史会报什么（没有发送）", "alerts this history would have raised; nothing was sent"))
    for one in _told(console, app, kocs):
        console.print(_indented(one))
    if kocs:
        console.print(_heading("谁还差多少条", "who needs how many more posts"))
        console.print(_indented(_lacking(kocs, states)))


def _matched(app: App, answers: Answers, preview: RosterPreview | None, imported: Any, kocs: Sequence[Koc]) -> Table:
    grid = _grid()
    if preview is not None:
        words = f"{len(kocs)} 位 KOC，{sum(len(koc.accounts) for koc in kocs)} 个账号"
        grid.add_row("名单", words)
        for one in (*preview.unresolved, *preview.ambiguous)[:MOST_DOUBTS]:
            told = f"· 第 {'、'.join(map(str, one.rows))} 行 {one.who} {one.value}：{one.message}"
            grid.add_row("", Text(told, "yellow"))
    if imported is None:
        grid.add_row("内容", Text("还没有：listener import 文件 / none yet", "dim"))
        return grid
    listened, aside = imported
    figures = app.store.counts()
    grid.add_row("内容", f"{listened.new + listened.again:,} 条，其中提到品牌或竞品的评分 {figures['mentions']:,} 条")
    states = app.store.states(answers.names[0])
    heard = [state for state in states if state.mentions]
    grid.add_row("KOC", f"{len(heard)} 位说起过「{answers.names[0]}」，共 {sum(state.mentions for state in heard):,} 条")
    if listened.rejected:
        grid.add_row("读不了", Text(f"{listened.rejected} 行，原因见 {_shown(aside)} / set aside", "yellow"))
        if not listened.new + listened.again:
            grid.add_row(
                "", Text("要的是 JSON Lines，一行一条，格式见 README / JSON Lines are wanted: see the README", "yellow")
            )
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
        table.add_row(_platform(platform), str(count), str(heard[platform]), way)
    if homeless := [koc.name for koc in kocs if not koc.accounts]:
        words = f"未覆盖：名单里没有能认出的账号（{'、'.join(homeless[:5])}） / no account"
        table.add_row("—", str(len(homeless)), "", Text(words, "magenta"))
    return table


def _platform(code: str) -> str:
    try:
        return word("platform", code)
    except KeyError:
        return code


def _told(console: Console, app: App, kocs: Sequence[Koc]) -> list[RenderableType]:
    """The newest alerts with their quotes, the others in one line each."""
    best: dict[str, StoredAlert] = {}
    for one in app.store.alerts():
        held = best.get(one.alert.koc_id)
        if held is None or (one.alert.level == "red", one.alert.fired_at) > (held.alert.level == "red", held.alert.fired_at):
            best[one.alert.koc_id] = one
    if not best:
        return [Text("没有：没有谁的态度有证据充分的转变 / none", "green")]
    newest = sorted(best.values(), key=lambda one: (one.alert.level != "red", -one.alert.fired_at.timestamp()))
    shown = [_alert(app, one) for one in newest[:MOST_ALERTS]]
    rest = Table.grid(padding=(0, 2))
    for one in newest[MOST_ALERTS:]:
        story = story_of(app.view_of(one))
        rest.add_row(
            Text("●", "red" if story.tone == "red" else "yellow"), Text(story.fired, "dim"), story.name, story.headline
        )
    return [*shown, rest] if newest[MOST_ALERTS:] else [*shown]


def _alert(app: App, one: StoredAlert) -> Panel:
    view = app.view_of(one)
    story = story_of(view)
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for line in story.before[-1:]:
        grid.add_row(Text(f"{line.at[:10]} {line.mark}", "green"), line.text)
    for line in [line for line in story.quotes if line.stance == "against"][:MOST_QUOTES]:
        grid.add_row(Text(f"{line.at[:10]} {line.mark}", "red"), line.text)
    return Panel(
        Group(Text(story.headline, "bold"), Text(story.chance, "dim"), "", grid),
        title=Text(f" {story.badge} · {story.name} · {story.fired} "),
        title_align="left",
        border_style="red" if story.tone == "red" else "yellow",
        width=min(WIDTH - 2, 98),
        padding=(0, 2),
    )


def _lacking(kocs: Sequence[Koc], states: Mapping[str, DriftState]) -> Table:
    """How many KOCs can be judged, and what the others lack."""
    lacks = {koc.koc_id: max(0, NEEDED - (states[koc.koc_id].mentions if koc.koc_id in states else 0)) for koc in kocs}
    ready = sum(not lack for lack in lacks.values())
    grid = _grid()
    grid.add_row("够了", Text(f"{ready} 位已有 {NEEDED} 条以上提及，转变可以看得出来", "green"))
    by_lack: dict[int, list[str]] = {}
    for koc in kocs:
        if lacks[koc.koc_id]:
            by_lack.setdefault(lacks[koc.koc_id], []).append(koc.name)
    for lack, names in sorted(by_lack.items()):
        who = "、".join(names[:8]) + (f" 等 {len(names)} 位" if len(names) > 8 else "")
        grid.add_row(f"还差 {lack} 条", who if lack < NEEDED else f"{who}（还没有说起品牌 / no mention yet）")
    return grid


def closing(folder: Path, answers: Answers) -> RenderableType:
    """What to do next."""
    place = str(folder)
    grid = Table.grid(padding=(0, 3))
    rows = [(f'cd "{place}"' if " " in place else f"cd {place}", "")]
    rows += [("listener koc import 名单.csv", "补上名单 / add the roster")] if answers.roster is None else []
    rows += [("listener import 内容.jsonl", "补上过去的内容 / add past posts")] if answers.posts is None else []
    rows += (
        [("listener alerts", "全部预警 / all alerts"), ("listener koc list", "KOC 看板 / the board")] if answers.posts else []
    )
    rows += [("listener.toml", "来源和渠道写好了，看过再改 enabled = true / look, then switch them on")]
    rows += [("listener run", "定时抓取、观察、推送 / on schedule from now on")]
    for command, words in rows:
        grid.add_row(Text(command, "bold"), Text(words, "dim"))
    return Padding(Group(Text("下一步 / next", "bold"), Padding(grid, (0, 0, 0, 2))), (1, 0, 1, 0))


def _heading(zh: str, en: str) -> RenderableType:
    return Padding(Text.assemble((zh, "bold"), (f"  {en}", "dim")), (1, 0, 0, 0))


def _indented(what: RenderableType) -> Padding:
    return Padding(what, (0, 0, 0, 2))


def _grid() -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column(overflow="fold")
    return grid
