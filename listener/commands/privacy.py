"""privacy: what is kept of one person, handed out, taken away, kept out; and who did so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from listener.commands import output
from listener.commands.context import ByOption, opened, who_of
from listener.commands.output import Format, FormatOption

if TYPE_CHECKING:
    from listener.app import App
    from storage.roster_records import By, Wish

privacy = typer.Typer(no_args_is_help=True, help="个人信息：查阅、删除、反对 / what is kept of a person")
WhoArgument = Annotated[
    str, typer.Argument(metavar="KOC|ACCOUNT", help="编号或名字；或账号ID、主页链接（写 --platform）/ id, name or account")
]
PlatformOption = Annotated[str, typer.Option(help="按账号：哪个平台 / by account: which platform")]
WhyOption = Annotated[str, typer.Option("--reason", help="原因：谁在何时要求 / who asked, and when")]


def add_to(app: typer.Typer) -> None:
    """Put the commands of this family on the command line."""
    app.add_typer(privacy, name="privacy")


@privacy.command("erase", no_args_is_help=True)
def privacy_erase(
    context: typer.Context,
    who: WhoArgument,
    platform: PlatformOption = "",
    why: WhyOption = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="不询问 / don't ask")] = False,
    by: ByOption = None,
) -> None:
    """删除一位 KOC 或一个账号的全部内容，之后不再收录；删了就没有了 / take away all that is kept of a person, for good"""
    _erase(context, who, platform, "erased", why, yes, by)


@privacy.command("object", no_args_is_help=True)
def privacy_object(
    context: typer.Context,
    who: WhoArgument,
    platform: PlatformOption = "",
    why: WhyOption = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="不询问 / don't ask")] = False,
    by: ByOption = None,
) -> None:
    """本人反对收录：删除已有内容，并留下标记不再收录 / a person objects: what is kept goes, nothing comes in again"""
    _erase(context, who, platform, "objected", why, yes, by)


def _erase(context: typer.Context, who: str, platform: str, wish: Wish, why: str, yes: bool, by: str | None) -> None:
    from listener.tending import privacy as acts

    with opened(context) as app:
        subject = acts.subject_of(app, who, platform)
        if not yes and not typer.confirm(f"删除 {who} 的全部内容，不能恢复？/ erase for good?", default=False, err=True):
            raise typer.Abort
        done = acts.erase(app, subject, wish, _by(app, by, why))
    said = "，".join(f"{name} {count}" for name, count in done.rows) or "没有存过内容 / nothing was kept"
    output.say(f"已删除并不再收录 / erased and kept out: {said}")
    words = "quarantine/、pages/、导入过的文件和备份里可能还有，请另行清理 / files that were imported, set aside or backed up"
    output.warn(f"{words} may still hold the name: see to them")


@privacy.command("export", no_args_is_help=True)
def privacy_export(
    context: typer.Context,
    who: WhoArgument,
    out: Annotated[Path, typer.Option("--out", help="新文件（仅本人可读）/ a new file, for its owner alone", metavar="FILE")],
    platform: PlatformOption = "",
    why: WhyOption = "",
    by: ByOption = None,
) -> None:
    """导出存有的一个人的全部内容（JSON），记入查阅日志 / write all that is kept of a person into a file; it is logged"""
    from listener.tending import privacy as acts

    with opened(context) as app:
        count = acts.export(app, acts.subject_of(app, who, platform), out, _by(app, by, why))
    output.say(f"已导出 {count} 行 / {count} rows: {out}")


@privacy.command("allow", no_args_is_help=True)
def privacy_allow(
    context: typer.Context,
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="账号ID或主页链接 / account id or profile")],
    platform: Annotated[str, typer.Option(help="哪个平台 / which platform")],
    why: WhyOption = "",
    by: ByOption = None,
) -> None:
    """本人改变主意，重新允许收录 / the person has agreed again: let the account in"""
    from listener.tending import privacy as acts

    with opened(context) as app:
        count = acts.allow(app, acts.subject_of(app, account, platform), _by(app, by, why))
    output.say("已重新允许收录 / let in again" if count else "本来就没有拦着 / was not kept out")


@privacy.command("list")
def privacy_list(
    context: typer.Context,
    kept_out: Annotated[bool, typer.Option("--kept-out", help="列出不再收录的作者 / who is kept out")] = False,
    form: FormatOption = Format.table,
) -> None:
    """查阅与删除的日志；`--kept-out` 列出不再收录的作者（只有散列）/ the log of who exported, erased, let in"""
    from listener.explain import json_of

    with opened(context) as app:
        store, zone = app.store.privacy, ZoneInfo(app.timezone)
        found = store.tombstones() if kept_out else store.log()
        rows = [json_of(one, zone) for one in found]
    heads = [("at", "何时"), ("who", "谁"), ("act", "做了什么"), ("subject", "作者"), ("reason", "原因"), ("counts", "行数")]
    if kept_out:
        heads = [("author_key", "作者"), ("platform", "平台"), ("at", "何时"), ("why", "原因"), ("who", "谁")]
    output.write_rows(rows, form, columns=heads, empty="还没有记录 / nothing on record")


def _by(app: App, by: str | None, why: str) -> By:
    from storage.roster_records import By

    return By(who_of(by), app.now(), note=why)
