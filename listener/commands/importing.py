"""import: what other tools exported, and the program's own JSON Lines."""

from __future__ import annotations

import glob
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from listener.commands import output
from listener.commands.context import DONE, FAILED, opened

if TYPE_CHECKING:
    from listener.app import App
    from listener.pipeline import Listened, Report
    from spiders.exports.read import Export
    from spiders.files import BadLine

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
    ground = None if group is None else Ground(group, members, _asked("basis", basis), _asked("purpose", purpose))
    with opened(context) as app, output.reporting() as report:
        named = app.export_named(export) if export else None
        met: set[str] = set()

        def take(file: Path, *, is_named: bool) -> bool:
            if ground is not None:
                return import_chat_of(app, file, ground, source, report, met)
            tool = tool_of(file, named)
            if tool is None and not is_ours(file, is_named=is_named):
                return True  # told, and no more than lies beside what was meant
            return import_one(app, file, tool, source, report, met, batch_size=batch_size, workers=workers)

        is_done = take_all(files, take)
        tell_who_was_met(app, met)
        app.upkeep()
    raise typer.Exit(DONE if is_done else FAILED)


@dataclass(frozen=True, slots=True)
class Ground:
    """Of which group the chats are, who is who there, and why they may be read."""

    group: str
    members: Path | None
    basis: str
    purpose: str


class Take(Protocol):
    """Imports a file; whether anything was read. is_named: whether it was named itself, not its folder or a pattern."""

    def __call__(self, file: Path, *, is_named: bool) -> bool: ...


def take_all(names: Iterable[str], take: Take) -> bool:
    """Import what the names mean; whether something was read of each. What can't be read is told and holds up no other file."""
    from spiders.errors import CollectError

    is_done = True
    for name in names:
        files = [Path(name)] if name == "-" else files_of(name)
        if not files:
            output.warn(f"没有这样的文件 / no such file: {name}")
            is_done = False
        for file in files:
            try:
                is_done &= take(file, is_named=file == Path(name))
            except CollectError as error:
                output.warn(str(error))
                is_done = False
    return is_done


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


def import_chat_of(app: App, file: Path, ground: Ground, source: str, report: Report, met: set[str]) -> bool:
    """Import a group's chat and say what became of it; whether anything was read."""
    from listener.inlets import import_chat
    from spiders.errors import CollectError

    if str(file) == "-":
        raise CollectError("群聊要从文件导入，不能用标准输入 / chats are imported from files, not from stdin")
    reasons: Counter[str] = Counter()
    done, quarantine = import_chat(
        app, file, ground.group, members=ground.members, basis=ground.basis, purpose=ground.purpose, source=source,
        report=report, met=met, bad=lambda line: reasons.update([line.reason]),
    )  # fmt: skip
    tell(file, f"（群 / group {ground.group}）", done, quarantine, reasons)
    return bool(done.new + done.again)


def tool_of(file: Path, named: Export | None) -> Export | None:
    """The tool that wrote a file; None: nobody we know, or the format is our own."""
    from spiders.errors import CollectError
    from spiders.exports.read import recognized

    if str(file) != "-":
        return named or recognized(file)
    if named is not None:
        raise CollectError("标准输入只能是本程序的 JSON Lines，其他导出请给文件 / stdin is JSON Lines; name a file for --from")
    return None


def is_ours(file: Path, *, is_named: bool) -> bool:
    """Whether a file that no tool wrote is of our own format; told where it is not. Raises CollectError where it was named
    itself and is not: then lines that begin as JSON does are enough, to be set aside one by one."""
    from spiders.errors import CollectError
    from spiders.exports.read import EXPORTS
    from spiders.files import BadLine, is_own, read_items

    if str(file) == "-" or is_own(file):
        return True
    words = (
        f"{file}：认不出是什么导出，可用 --from 指明：{', '.join(EXPORTS)}；其他表格请在 listener.toml 的 [[exports]] 写列映射"
        " / not recognized; name it with --from, or map its columns in [[exports]] of listener.toml"
    )
    if not is_named:
        output.warn(words)
        return False
    first = next(read_items(file), None)
    if isinstance(first, BadLine) and first.line.lstrip()[:1] != b"{":
        raise CollectError(words)
    return True


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
