"""koc set, show, history, account, contact, log, exit: what the team does for one KOC, each with who and when."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from listener.commands import output
from listener.commands.context import ByOption, opened, time_of, who_of
from listener.commands.output import Format, FormatOption

if TYPE_CHECKING:
    from listener.app import App
    from storage.roster_records import LogEntry

account = typer.Typer(no_args_is_help=True, help="KOC 的账号 / a KOC's accounts")
KocArgument = Annotated[str, typer.Argument(metavar="KOC", help="编号或名字 / id or name")]
WhyOption = Annotated[str, typer.Option("--reason", help="原因 / the reason")]
AtOption = Annotated[str | None, typer.Option("--at", help="何时（默认现在）/ when (default: now)")]


def add_to(koc: typer.Typer) -> None:
    """Put the commands of this family on `listener koc`."""
    koc.command("set", no_args_is_help=True)(koc_set)
    koc.command("show", no_args_is_help=True)(koc_show)
    koc.command("history", no_args_is_help=True)(koc_history)
    koc.command("contact", no_args_is_help=True)(koc_contact)
    koc.command("log", no_args_is_help=True)(koc_log)
    koc.command("exit", no_args_is_help=True)(koc_exit)
    koc.add_typer(account, name="account")


def koc_set(
    context: typer.Context,
    who: KocArgument,
    tier: Annotated[str | None, typer.Option(help="等级 / tier")] = None,
    owner: Annotated[str | None, typer.Option(help="对接人 / owner")] = None,
    domain: Annotated[str | None, typer.Option(help="公域 public | 私域 private")] = None,
    name: Annotated[str | None, typer.Option(help="名字 / name")] = None,
    note: Annotated[str | None, typer.Option(help="备注 / note")] = None,
    title: Annotated[str | None, typer.Option(help="荣誉称号 / honorary title")] = None,
    standing: Annotated[str | None, typer.Option(help="active：荣誉身份者回归 / who left in friendship comes back")] = None,
    why: WhyOption = "",
    by: ByOption = None,
) -> None:
    """更改 KOC 的等级、对接人、公私域、备注；谁、何时、从什么到什么都留下记录 / change a KOC: every change stays on record"""
    from listener.commands import showing
    from listener.tending import people
    from storage.roster_records import By

    given = {"tier": tier, "owner": owner, "domain": domain, "name": name, "note": note, "title": title, "standing": standing}
    values = {field: value for field, value in given.items() if value is not None}
    if not values:
        raise typer.BadParameter("没有要改的：--tier、--owner、--domain、--note… / nothing to change")
    with opened(context) as app, output.reporting() as report:
        old = showing.koc_of(app, who)
        new = people.change(app, old.koc_id, values, By(who_of(by), app.now(), note=why))
        app.catch_up(report)
    changed = [f"{field} {getattr(old, field) or '–'} → {getattr(new, field) or '–'}" for field in values]
    output.say(f"{new.koc_id}：{'；'.join(changed)}")


def koc_show(
    context: typer.Context,
    who: KocArgument,
    form: FormatOption = Format.table,
) -> None:
    """一位 KOC 的全部：态度、承诺与约定、联系与答复时间、荣誉、退出、建议的接替者 / all that is kept of one KOC"""
    from listener.commands import files, showing

    with opened(context) as app:
        files.print_file(app, showing.koc_of(app, who), form)


def koc_history(context: typer.Context, who: KocArgument, form: FormatOption = Format.table) -> None:
    """名单上的每次改动：谁、何时、从什么到什么 / every change of a KOC: who, when, from what to what"""
    from listener.commands import files

    with opened(context) as app:
        files.print_changes(app, who, form)


@account.command("add", no_args_is_help=True)
def account_add(
    context: typer.Context,
    who: KocArgument,
    platform: Annotated[str, typer.Argument(help="平台 / platform")],
    text: Annotated[str, typer.Argument(metavar="ACCOUNT", help="账号ID或主页链接 / account id or profile link")],
    why: WhyOption = "",
    by: ByOption = None,
) -> None:
    """给 KOC 加一个账号；它已有的内容随即归他 / give a KOC an account: its stored posts are the KOC's at once"""
    from listener.commands import showing
    from listener.tending import people
    from storage.roster_records import By

    with opened(context) as app, output.reporting() as report:
        koc = showing.koc_of(app, who)
        made = people.add_account(app, koc.koc_id, platform, text, By(who_of(by), app.now(), note=why))
        app.catch_up(report)
    output.say(f"{koc.koc_id} + {made.platform}:{made.account_id}")


@account.command("remove", no_args_is_help=True)
def account_remove(
    context: typer.Context,
    who: KocArgument,
    platform: Annotated[str, typer.Argument(help="平台 / platform")],
    account_id: Annotated[str, typer.Argument(metavar="ACCOUNT", help="账号ID / account id")],
    why: WhyOption = "",
    by: ByOption = None,
) -> None:
    """从 KOC 去掉一个账号；内容保留，不再算他的 / take one account from a KOC: its posts stay, nobody's on the roster"""
    from listener.commands import showing
    from listener.tending import people
    from storage.roster_records import By

    with opened(context) as app, output.reporting() as report:
        koc = showing.koc_of(app, who)
        gone = people.remove_account(app, koc.koc_id, platform, account_id, By(who_of(by), app.now(), note=why))
        app.catch_up(report)
    output.say(f"{koc.koc_id} − {gone.platform}:{gone.account_id}")


def koc_contact(
    context: typer.Context,
    who: KocArgument,
    note: Annotated[str, typer.Option("--note", help="谈了什么 / what it was about")] = "",
    from_koc: Annotated[bool, typer.Option("--from-koc", help="是 KOC 来询 / it was the KOC who wrote to us")] = False,
    link: Annotated[str, typer.Option(help="链接 / a link")] = "",
    at: AtOption = None,
    by: ByOption = None,
) -> None:
    """记一次联系；KOC 来询写 --from-koc，之后的第一次联系算答复 / note a contact, or that the KOC wrote to us"""
    with opened(context) as app:
        _write(app, who, "inquiry" if from_koc else "contact", note, link, at, by)


def koc_log(
    context: typer.Context,
    who: KocArgument,
    kind: Annotated[
        str | None,
        typer.Option(help="honor 荣誉 | thanks 感谢 | event 活动 | adopted 内容被采用 | contribution 贡献"),
    ] = None,
    note: Annotated[str, typer.Option("--note", help="经过 / what happened")] = "",
    link: Annotated[str, typer.Option(help="链接 / a link")] = "",
    at: AtOption = None,
    by: ByOption = None,
    form: FormatOption = Format.table,
) -> None:
    """记一笔贡献或荣誉；不写 --kind 则列出 / note a contribution or a recognition; without --kind: list them"""
    from listener.commands import files
    from listener.tending.people import RECOGNITION

    with opened(context) as app:
        if kind is None:
            files.print_log(app, who, form)
            return
        if kind not in RECOGNITION:
            raise typer.BadParameter(f"有：{', '.join(RECOGNITION)} / there are these", param_hint="--kind")
        _write(app, who, kind, note, link, at, by)


def _write(app: App, who: str, kind: str, note: str, link: str, at: str | None, by: str | None) -> LogEntry:
    from listener.commands import showing
    from listener.tending import people
    from listener.text.words import word
    from storage.roster_records import LogEntry

    now = app.now()
    when: datetime = time_of(at, "--at", app.timezone) if at else now
    koc = showing.koc_of(app, who)
    made = people.write_down(app, LogEntry(koc.koc_id, when, kind, who_of(by), now, note.strip(), link))  # type: ignore[arg-type]
    output.say(f"{koc.koc_id} · {word('koc-log', kind, app.settings.listener.language)}：{made.note}")
    return made


def koc_exit(
    context: typer.Context,
    who: KocArgument,
    asked_by: Annotated[str | None, typer.Option("--asked-by", help="谁提出：koc | brand / who asks for it")] = None,
    thanks: Annotated[str | None, typer.Option(help="怎样致谢 / how the KOC was thanked")] = None,
    waive: Annotated[str | None, typer.Option(help="未了的事免除：键的开头 / leave an open matter: its key")] = None,
    title: Annotated[str | None, typer.Option(help="荣誉称号 / the honorary title")] = None,
    stop: Annotated[bool, typer.Option("--stop", help="中止退出 / give the exit up")] = False,
    done: Annotated[bool, typer.Option("--finish", help="完成：转为荣誉，继续聆听 / finish: alumni, watched on")] = False,
    why: WhyOption = "",
    by: ByOption = None,
    form: FormatOption = Format.table,
) -> None:
    """有序退出，一步一步：提出 → 致谢 → 办结未了的事 → 荣誉称号 → 完成；不写选项则显示进度 / an orderly exit, step by step"""
    from listener.commands import files, showing
    from listener.tending import exits

    acts = [asked_by is not None, thanks is not None, waive is not None, title is not None, stop, done]
    if sum(acts) > 1:
        raise typer.BadParameter("一次一步 / one step at a time")
    if asked_by not in (None, "koc", "brand"):
        raise typer.BadParameter("koc 或 brand / koc or brand", param_hint="--asked-by")
    with opened(context) as app:
        koc, person = showing.koc_of(app, who), who_of(by) if any(acts) else ""
        if asked_by is not None:
            exits.ask(app, koc.koc_id, asked_by, person, why)  # type: ignore[arg-type]
        elif thanks is not None:
            exits.thank(app, koc.koc_id, thanks, person)
        elif waive is not None:
            exits.waive(app, koc.koc_id, waive, why, person)
        elif title is not None:
            exits.honor(app, koc.koc_id, title, person)
        elif stop:
            exits.stop(app, koc.koc_id, why, person)
        elif done:
            koc = exits.finish(app, koc.koc_id, person, why)
            app.catch_up()
        files.print_exit(app, showing.koc_of(app, koc.koc_id), form)
