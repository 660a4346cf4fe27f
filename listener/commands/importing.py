"""import: what other tools exported, and the program's own JSON Lines."""

from __future__ import annotations

import glob
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from listener.commands import output
from listener.commands.context import DONE, FAILED, opened

if TYPE_CHECKING:
    from listener.app import App
    from listener.pipeline import Listened, Report
    from spiders.exports.read import Export

# What is looked for in a folder; a file that is named is read whatever its name.
ENDINGS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".txt", ".xlsx", ".db", ".sqlite", ".sqlite3")
MOST_NAMED = 10


def add_to(app: typer.Typer) -> None:
    """Put the command on the command line."""
    app.command(name="import", no_args_is_help=True)(import_files)


def import_files(
    context: typer.Context,
    files: Annotated[
        list[str],
        typer.Argument(help="文件、文件夹或通配符；- 为标准输入 / files, folders or patterns; - is stdin", metavar="FILE…"),
    ],
    export: Annotated[
        str | None, typer.Option("--from", help="哪个工具的导出；不写则自动识别 / whose export; recognized if left out")
    ] = None,
    group: Annotated[
        str | None, typer.Option(help="这是哪个群的聊天记录 / these are chats of this group; asks basis and purpose")
    ] = None,
    members: Annotated[
        Path | None, typer.Option(help="成员表：群昵称, KOC / who of the roster is who in the group", metavar="FILE")
    ] = None,
    basis: Annotated[str | None, typer.Option(help="凭什么可以导入 / on what ground: 群公告已告知 …")] = None,
    purpose: Annotated[str | None, typer.Option(help="用来做什么 / what for")] = None,
    source: Annotated[str, typer.Option(help="记为哪个来源的内容 / the source they count as")] = "import",
    batch_size: Annotated[int | None, typer.Option(min=1, help="每批条数 / posts a transaction")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="评分进程数 / scoring processes")] = None,
) -> None:
    """导入本程序的 JSON Lines 或其他工具的导出；结束时一切已评分、已观察 / import; returns when nothing is left to do"""
    with opened(context) as app, output.reporting() as report:
        named = app.export_named(export) if export else None
        met: set[str] = set()
        if group is not None:
            ground = _asked("basis", basis), _asked("purpose", purpose)
            empty = [
                file for file in map(Path, files) if not import_chats(app, file, group, members, ground, source, report, met)
            ]
            tell_who_was_met(app, met)
            app.upkeep()
            raise typer.Exit(FAILED if empty else DONE)
        empty = [
            file
            for file, tool in chosen(files, named)
            if not import_one(app, file, tool, source, report, met, batch_size=batch_size, workers=workers)
        ]
        tell_who_was_met(app, met)
        app.upkeep()
    if empty:
        raise typer.Exit(FAILED)


_QUESTIONS = {
    "basis": "凭什么可以导入这个群的记录（如：群公告已告知成员）/ on what ground may it be read",
    "purpose": "用来做什么（如：了解铁粉遇到的问题）/ what will it be used for",
}


def _asked(name: str, given: str | None) -> str:
    """What was given, else what somebody at the terminal says; refused where nobody can be asked."""
    if given is None and sys.stdin.isatty():
        given = str(typer.prompt(_QUESTIONS[name]))
    if given is None or not given.strip():
        raise typer.BadParameter(f"{_QUESTIONS[name]}? --{name} …", param_hint=f"--{name}")
    return given.strip()


def import_chats(
    app: App,
    file: Path,
    group: str,
    members: Path | None,
    ground: tuple[str, str],
    source: str,
    report: Report,
    met: set[str],
) -> bool:
    """Import a group's chat and say what became of it; whether anything was read."""
    from listener.inlets import import_chat

    basis, purpose = ground
    reasons: Counter[str] = Counter()
    done, quarantine = import_chat(
        app, file, group, members=members, basis=basis, purpose=purpose, source=source, report=report, met=met,
        bad=lambda line: reasons.update([line.reason]),
    )  # fmt: skip
    tell(file, f"（群 / group {group}）", done, quarantine, reasons)
    return bool(done.new + done.again)


def chosen(names: Iterable[str], named: Export | None) -> Iterator[tuple[Path, Export | None]]:
    """The files, each with the tool that wrote it; None: our own format. Of a folder those that some tool wrote; what else lies
    there is told and left out. Raises CollectError where a name leads to no file."""
    from spiders.errors import CollectError
    from spiders.exports.read import EXPORTS, recognized

    for name in names:
        if name == "-":
            yield Path(name), named
            continue
        found = files_of(name)
        if not found:
            raise CollectError(f"没有这样的文件 / no such file: {name}")
        for path in found:
            tool = named or recognized(path)
            if tool is None and not is_own(path):
                words = (
                    f"{path}：认不出是什么导出，可用 --from 指明：{', '.join(EXPORTS)} / not recognized; name it with --from"
                )
                if path == Path(name):
                    raise CollectError(words)
                output.warn(words)
                continue
            yield path, tool


def files_of(name: str) -> list[Path]:
    """The files that a name means: itself, those of a folder and its folders, or those that a pattern fits; in order.

    >>> files_of("no such/*.csv")
    []
    """
    path = Path(name)
    if path.is_dir():
        inside = (one for one in path.rglob("*") if one.name.removesuffix(".gz").lower().endswith(ENDINGS))
        return sorted(one for one in inside if one.is_file())
    if path.exists():
        return [path]
    return sorted(one for found in glob.glob(name, recursive=True) if (one := Path(found)).is_file())  # noqa: PTH207 - an absolute pattern


def is_own(path: Path) -> bool:
    """Whether a file may be of our own format: its first line is an item, or begins as JSON does, or there is none."""
    from spiders.files import BadLine, read_items

    first = next(read_items(path), None)
    return not isinstance(first, BadLine) or first.line.lstrip()[:1] == b"{"


def import_one(
    app: App,
    file: Path,
    tool: Export | None,
    source: str,
    report: Report,
    met: set[str],
    *,
    batch_size: int | None,
    workers: int | None,
) -> bool:
    """Import a file and say what became of it; whether anything was read. met: gets the KOCs that posted something in it."""
    from spiders.exports.read import Tally
    from spiders.files import BadLine

    reasons: Counter[str] = Counter()

    def note(line: BadLine) -> None:
        reasons[line.reason] += 1

    tally = Tally()
    done, quarantine = app.import_file(
        file, source, report, export=tool, batch_size=batch_size, workers=workers, bad=note, met=met, tally=tally
    )
    whose = f"（{tool.name}，{tally.rows} 行 / rows）" if tool else ""
    tell(file, whose, done, quarantine, reasons, tally.quoted)
    return bool(done.new + done.again)


def tell(file: Path, whose: str, done: Listened, quarantine: Path | None, reasons: Counter[str], quoted: int = 0) -> None:
    """Say what became of a file."""
    output.say(
        f"{file}{whose}：新 {done.new}，再次见到 {done.again}（其中改过 {done.edited}），隔离 {done.rejected}"
        f" / new {done.new}, seen again {done.again} (edited {done.edited}), set aside {done.rejected}"
    )
    if quoted:
        output.say(f"  其中 {quoted} 条是被转发的原文 / {quoted} of them are posts that rows passed on")
    for reason, times in reasons.most_common(3):
        output.warn(f"  {times} × {reason}")
    if quarantine:
        output.warn(f"坏行、行号与原因 / the bad lines, their numbers and why: {quarantine}")
    if not done.new + done.again:
        output.warn(f"{file}：没有读到任何内容 / nothing was read")


def tell_who_was_met(app: App, met: set[str]) -> None:
    """How many of the roster posted something in these files, and who did not."""
    names = {koc.koc_id: koc.name or koc.koc_id for koc in app.store.kocs()}
    if not names:
        return
    missed = [name for koc_id, name in names.items() if koc_id not in met]
    more = f" … ({len(missed)})" if len(missed) > MOST_NAMED else ""
    who = f"；没有见到 / not seen: {'、'.join(missed[:MOST_NAMED])}{more}" if missed else ""
    output.say(f"名单 {len(names)} 人中见到 {len(met)} 人 / {len(met)} of {len(names)} KOCs were met{who}")
