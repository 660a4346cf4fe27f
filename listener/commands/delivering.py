"""deliver, channel: what goes out, what was given up, how the ways out do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from listener.commands import output
from listener.commands.context import FAILED, opened
from listener.commands.output import Format, FormatOption
from listener.text.quotes import line_of
from listener.text.words import word

if TYPE_CHECKING:
    from listener.app import App
    from listener.outlets import Dead, Outlet

channels = typer.Typer(no_args_is_help=True, help="推送渠道 / channels")


def add_to(app: typer.Typer) -> None:
    """Put the commands of this family on the command line."""
    app.command()(deliver)
    app.add_typer(channels, name="channel")


def deliver(
    context: typer.Context,
    keys: Annotated[
        list[str] | None, typer.Argument(help="只重发这几条（推送键）/ these alone, with --retry", metavar="[KEY]...")
    ] = None,
    retry: Annotated[bool, typer.Option("--retry", help="把已放弃的重新排队 / queue again what was given up")] = False,
    dead: Annotated[bool, typer.Option("--dead", help="只列出已放弃的，不发送 / list what was given up, send nothing")] = False,
    form: FormatOption = Format.table,
) -> None:
    """发送到期的推送，先看有什么该提醒 / send what is due, reminders among it"""
    from listener import outlets

    if (dead and (retry or keys)) or (keys and not retry):
        raise typer.BadParameter("--dead 只列出；KEY 和 --retry 一起用 / KEY goes with --retry, --dead with neither")
    with opened(context) as app:
        if dead:
            _print_dead(app, outlets.dead_letters(app), form)
            return
        if retry:
            output.say(f"重新排队 {(n := outlets.bring_back(app, keys or ()))} 条 / {n} queued again")
        app.remind()
        done = app.deliver()
        resting, unable = outlets.resting(app, app.now()), outlets.unable(app)
    output.say(str(done))
    if done.held:
        output.say("为什么暂存、到何时：listener alerts held / why and until when")
    for one in resting:
        words = "连续失败，休息中，推送都留着；见 listener channel list / it rests after failures, nothing is lost"
        output.warn(f"{one}：{words}")
    for one, why in unable:
        output.warn(f"{one} 不能用，推送都留着 / can't send, nothing is lost: {why}")
    if done.retried or done.dead or resting or unable:
        raise typer.Exit(FAILED)


@channels.command("list")
def channel_list(context: typer.Context, form: FormatOption = Format.table) -> None:
    """每个渠道的状况：在休息、在失败、欠多少、放弃多少 / how each channel does, what it owes"""
    from listener import outlets

    with opened(context) as app:
        found = outlets.outlets(app, app.now())
        language, timezone = app.settings.listener.language, app.timezone
        rows = [_row_of(one) if form is not Format.table else _line_of(one, language, timezone) for one in found]
    columns = (
        ("name", "渠道 / channel"),
        ("type", "类型 / type"),
        ("doing", "状况 / state"),
        ("shows", "显示 / shows"),
        ("waiting", "待发 / waiting"),
        ("dead", "放弃 / given up"),
        ("sent", "最近送达 / last taken"),
        ("error", "原因 / why"),
    )
    output.write_rows(rows, form, columns=columns, empty="没有渠道：listener.toml 里加 [[channels]] / no channels yet")


@channels.command("test", no_args_is_help=True)
def channel_test(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="渠道名 / the channel's name", metavar="NAME")] = None,
    every: Annotated[bool, typer.Option("--all", help="每个启用的渠道 / every channel that is on")] = False,
) -> None:
    """向一个渠道（或全部）发一条测试消息 / send a test message through a channel, or all"""
    from listener import outlets

    if (name is None) != every:
        raise typer.BadParameter("写一个渠道名，或 --all / give a channel's name, or --all")
    with opened(context) as app:
        names = [name] if name is not None else [one.name for one in app.settings.channels if one.enabled]
        done = outlets.test_message(app, names)
    for one in done:
        if one.error:
            output.warn(f"{one.name} 没有接收：{one.error} / {one.name} did not take it")
        else:
            output.say(f"测试消息已被 {one.name} 接收 / {one.name} took the test message")
    if any(one.error for one in done):
        raise typer.Exit(FAILED)


def _row_of(one: Outlet) -> dict[str, Any]:
    return {
        "name": one.name,
        "type": one.type,
        "doing": one.doing,
        "shows": one.shows,
        "waiting": one.waiting,
        "dead": one.dead,
        "failures": one.state.failures,
        "rests_until": _iso(one.state.rests_until),
        "sent_at": _iso(one.state.sent_at),
        "failed_at": _iso(one.state.failed_at),
        "error": line_of(one.lacking or one.state.error),
    }


def _line_of(one: Outlet, language: Any, timezone: str) -> dict[str, Any]:
    from listener.text.phrases import minute

    until = f" → {minute(one.state.rests_until, timezone)}" if one.doing == "resting" and one.state.rests_until else ""
    return {
        **_row_of(one),
        "doing": word("outlet", one.doing, language) + until,
        "shows": word("shows", one.shows, language) if one.shows else "",
        "sent": minute(one.state.sent_at, timezone) if one.state.sent_at else "",
        "type": word("channel-type", one.type, language),
    }


def _print_dead(app: App, found: list[Dead], form: Format) -> None:
    columns = (
        ("key", "推送键 / key"),
        ("channel", "渠道 / channel"),
        ("kind", "种类 / kind"),
        ("koc", "KOC"),
        ("brand", "品牌 / brand"),
        ("attempts", "次数 / attempts"),
        ("error", "原因 / why"),
    )
    rows = _dead_rows(found, short=form is Format.table)
    output.write_rows(rows, form, columns=columns, empty="没有已放弃的推送 / nothing was given up")


def _dead_rows(found: list[Dead], *, short: bool) -> Iterator[dict[str, Any]]:
    for one in found:
        row, about = one.delivery, one.about
        yield {
            "key": row.key[:12] if short else row.key,
            "channel": line_of(row.channel),
            "kind": row.kind,
            "alert_key": row.alert_key,
            "alert_kind": about.alert.kind if about else "",
            "koc": line_of(about.alert.koc_id) if about else "",
            "brand": line_of(about.alert.brand) if about else "",
            "attempts": row.attempts,
            "created_at": _iso(row.created_at),
            "error": line_of(row.error),
        }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
