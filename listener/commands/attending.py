"""`listener alerts`: the list, who takes what on, what is muted, what is held back and why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from listener.commands import output
from listener.commands.context import ByOption, opened, time_of, who_of
from listener.commands.output import Format, FormatOption

alerts = typer.Typer(help="预警：列表、接手、免打扰、暂存 / alerts: the list, who takes them on, mutes, what is held back")


def add_to(app: typer.Typer) -> None:
    """Put the commands of this family on the command line."""
    app.add_typer(alerts, name="alerts")


@alerts.callback(invoke_without_command=True)
def listed(
    context: typer.Context,
    form: FormatOption = Format.table,
    history: Annotated[bool, typer.Option("--history", help="也列出已撤回的 / the superseded too")] = False,
    brand: Annotated[str | None, typer.Option(help="只看一个品牌 / one brand")] = None,
    koc: Annotated[str | None, typer.Option(help="只看一位 KOC（ID 或名字）/ one KOC, by id or name")] = None,
    full: Annotated[bool, typer.Option("--full", help="连同原文与下一步 / with the posts and the next step")] = False,
    html: Annotated[Path | None, typer.Option(help="另存为一个网页文件 / write them as one page", metavar="FILE")] = None,
) -> None:
    """当前预警，按时间排列 / the current alerts, in order of (fired_at, key)"""
    if context.invoked_subcommand is not None:
        return
    from listener.commands import showing

    with opened(context) as app:
        showing.warn_if_behind(app)
        if brand is not None:
            showing.known_brand(app, brand)
        who = showing.koc_of(app, koc).koc_id if koc is not None else None
        found = app.graded(app.store.alerts(history=history, brand=brand, koc=who))
        if html and not found:
            output.warn("当前没有预警，未写文件 / no alerts, nothing written")
        elif html:
            showing.write_page(app, found, html)
            output.warn(f"已写入 / written: {html}")
        elif form is Format.table:
            showing.print_alerts(app, found, full=full)
        else:
            output.write_rows(showing.alert_rows(app, found, with_state=history), form, columns=(), empty="")


@alerts.command(no_args_is_help=True)
def ack(
    context: typer.Context,
    keys: Annotated[list[str], typer.Argument(help="预警编号（前几位即可）/ keys, or how they begin", metavar="KEY…")],
    by: ByOption = None,
    note: Annotated[str, typer.Option("--note", help="备注 / a note")] = "",
) -> None:
    """接手预警：不再升级，也不再单独打扰别人 / take alerts on: they are not escalated, and disturb nobody else"""
    from listener import attending

    with opened(context) as app:
        who = who_of(by)
        for one in attending.take_on(app, keys, who, note):
            at = one.at.astimezone(ZoneInfo(app.timezone)).strftime("%Y-%m-%d %H:%M")
            output.say(f"{one.alert_key[:12]}：{one.who} {at} 接手 / taken on by {one.who}, {at}")


@alerts.command(no_args_is_help=True)
def mute(
    context: typer.Context,
    until: Annotated[str, typer.Option("--until", help="到何时（必填）：2026-10-08 或带时刻 / until when (needed)")],
    reason: Annotated[str, typer.Option("--reason", help="为什么（必填）/ why (needed)")],
    koc: Annotated[str | None, typer.Option(help="哪位 KOC（ID 或名字）/ which KOC")] = None,
    brand: Annotated[str | None, typer.Option(help="哪个品牌 / which brand")] = None,
    kind: Annotated[str | None, typer.Option(help="哪种预警，如 silence / which kind of alert, like silence")] = None,
    by: ByOption = None,
) -> None:
    """免打扰：到时之前不发，到时进摘要；不会丢 / mute: held back until then, told in the digest after it, never lost"""
    from listener import attending
    from listener.commands import showing
    from listener.text.words import WORDS

    with opened(context) as app:
        if brand is not None:
            showing.known_brand(app, brand)
        kinds = WORDS["alert-kind"]
        if kind is not None and kind not in kinds:
            raise typer.BadParameter(f"没有这种预警 {kind!r}；现有 / there are: {', '.join(kinds)}", param_hint="--kind")
        made = attending.mute(
            app,
            koc_id=showing.koc_of(app, koc).koc_id if koc is not None else "",
            brand=brand or "",
            kind=kind or "",
            until=time_of(until, "--until", app.timezone),
            reason=reason,
            who=who_of(by),
        )
        output.say(f"已免打扰，编号 {made.key}；listener alerts unmute {made.key} 可提前解除 / muted as {made.key}")


@alerts.command(no_args_is_help=True)
def unmute(
    context: typer.Context,
    key: Annotated[str, typer.Argument(help="免打扰的编号 / the mute's key", metavar="KEY")],
    by: ByOption = None,
) -> None:
    """提前解除免打扰 / end a mute early"""
    with opened(context) as app:
        ended = app.store.unmute(key, who=who_of(by), at=app.now())
        output.say(f"已解除：{ended.reason} / ended: {ended.key}")


@alerts.command()
def mutes(
    context: typer.Context,
    form: FormatOption = Format.table,
    history: Annotated[bool, typer.Option("--history", help="也列出结束的 / those that are over too")] = False,
) -> None:
    """免打扰一览 / what is muted, until when, why, and by whom"""
    from listener import attending
    from listener.text.words import word

    with opened(context) as app:
        zone, is_table, language = ZoneInfo(app.timezone), form is Format.table, app.settings.listener.language
        names = {koc.koc_id: koc.name for koc in app.store.kocs()}
        rows = [
            {
                "key": one.key,
                "koc_id": one.koc_id,
                "koc": names.get(one.koc_id) or one.koc_id,
                "brand": one.brand,
                "kind": word("alert-kind", one.kind, language) if is_table and one.kind else one.kind,
                "from": _time(one.at, zone, is_table),
                "until": _time(one.ends_at, zone, is_table),
                "reason": one.reason,
                "who": one.who,
                "lifted_by": one.lifted_by,
            }
            for one in attending.mutes(app, history=history)
        ]
        columns = (
            ("key", "编号 key"),
            ("koc", "KOC"),
            ("brand", "品牌 brand"),
            ("kind", "种类 kind"),
            ("until", "到 until"),
            ("reason", "原因 reason"),
            ("who", "谁 who"),
        )
        output.write_rows(rows, form, columns=columns, empty="没有免打扰 / nothing is muted")


@alerts.command()
def held(context: typer.Context, form: FormatOption = Format.table) -> None:
    """还没有发出的推送：为什么、到何时 / what has not gone out yet, why, and until when"""
    from listener import attending
    from listener.text.words import word

    with opened(context) as app:
        zone, is_table, language = ZoneInfo(app.timezone), form is Format.table, app.settings.listener.language
        names = {koc.koc_id: koc.name for koc in app.store.kocs()}
        rows: list[dict[str, Any]] = [
            {
                "alert": one.alert.key[:12] if is_table else one.alert.key,
                "kind": word("alert-kind", one.alert.kind, language) if is_table else one.alert.kind,
                "severity": word("severity", one.alert.severity, language) if is_table else one.alert.severity,
                "koc": (names.get(one.alert.koc_id) or one.alert.koc_id) if is_table else one.alert.koc_id,
                "brand": one.alert.brand,
                "channel": one.delivery.channel,
                "reason": word("kept", one.delivery.held, language) if is_table else one.delivery.held,
                "since": _time(one.since, zone, is_table),
                "until": _time(one.delivery.next_try_at, zone, is_table) if one.delivery.next_try_at else None,
            }
            for one in attending.held(app)
        ]
        columns = (
            ("alert", "预警 alert"),
            ("kind", "种类 kind"),
            ("severity", "级别 severity"),
            ("koc", "KOC"),
            ("channel", "渠道 channel"),
            ("reason", "为什么 why"),
            ("until", "到 until"),
        )
        output.write_rows(rows, form, columns=columns, empty="没有等着发出的推送 / nothing waits to go out")


def _time(at: Any, zone: ZoneInfo, is_table: bool) -> str:
    local = at.astimezone(zone)
    return str(local.strftime("%Y-%m-%d %H:%M") if is_table else local.isoformat())
