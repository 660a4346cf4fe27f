"""drift calibrate, drift replay, backtest, koc mark, koc marks: the promise kept, tried out, and checked by the team."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from listener.commands import output
from listener.commands.context import FAILED, opened, time_of
from listener.commands.output import Format, FormatOption
from listener.commands.rostering import koc as koc_commands

drift = typer.Typer(no_args_is_help=True, help="态度转变的检测 / the detector of drift")


UPSIDE_DOWN = (
    "红色承诺（{red:g}）比黄色（{amber:g}）宽：多数转变会直接报红，黄色不再先行。是否把 --red 与 --amber 写反了？"
    " / red promises more false alarms ({red:g}) than amber ({amber:g}): most turns would be red at once, with no amber before"
)


class Report(StrEnum):
    """How a backtest answers."""

    text = "text"
    jsonl = "jsonl"
    csv = "csv"


def add_to(app: typer.Typer) -> None:
    """Put the commands of this family on the command line."""
    app.add_typer(drift, name="drift")
    app.command(no_args_is_help=True)(backtest)


BrandOption = Annotated[str | None, typer.Option(help="只看一个品牌（默认全部）/ one brand")]


@drift.command("calibrate")
def calibrate(
    context: typer.Context,
    brand: BrandOption = None,
    effective_at: Annotated[
        str | None, typer.Option("--effective-at", help="从何时起生效（默认立即）/ from when it judges: 2026-03-01")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只计算，不写入 / compute, write nothing")] = False,
) -> None:
    """用自己的历史校准阈值，使误报率守住承诺；不需要标注 / set the thresholds from your own, unlabelled history"""
    from listener import calibrating
    from listener.commands import promising, showing

    refused = False
    with opened(context) as app, output.reporting() as report:
        at = time_of(effective_at, "--effective-at", app.timezone) if effective_at else None
        names = promising.brands_of(app, brand)
        if not dry_run:
            app.prepare()
        showing.warn_if_behind(app)
        with app.desk(report) as desk:
            for name in names:
                done = calibrating.calibrate(app, name, desk, effective_at=at, dry_run=dry_run)
                promising.print_calibrated(done, app, dry_run=dry_run)
                refused = refused or done.outcome == "too-little"
    if refused:
        raise typer.Exit(FAILED)


@drift.command("replay")
def replay(
    context: typer.Context,
    kocs: Annotated[
        list[str] | None, typer.Argument(help="KOC 的 ID 或名字（默认全部）/ ids or names, all if none", metavar="[KOC…]")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=256, help="进程数 / processes")] = None,
) -> None:
    """把 KOC 的全部历史重看一遍；无论多少进程，结果逐字节相同 / replay everybody: the same bytes by any number of processes"""
    from listener import pipeline
    from listener.commands import promising, showing

    with opened(context) as app, output.reporting() as report:
        app.prepare()
        app.store.mark_dirty([showing.koc_of(app, who).koc_id for who in kocs] if kocs else None)
        before = {one.alert.key for one in app.store.alerts()}
        with app.desk(report, workers=workers) as desk:
            pipeline.score(desk)
            took = promising.Stopwatch()
            done = pipeline.watch(desk)
        after = {one.alert.key for one in app.store.alerts()}
    output.say(took.words(done))
    output.say(promising.moved(before, after))


def backtest(
    context: typer.Context,
    since: Annotated[str, typer.Option(help="从这天起 / from this day", metavar="2026-01-01")],
    until: Annotated[
        str | None, typer.Option(help="到这天为止，不含（默认现在）/ up to, not with", metavar="2026-07-01")
    ] = None,
    red: Annotated[float | None, typer.Option(min=0.01, max=1000, help="红色：每 1000 KOC·年误报 / promise for red")] = None,
    amber: Annotated[float | None, typer.Option(min=0.01, max=1000, help="黄色：同上 / promise for amber")] = None,
    brand: BrandOption = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="只用当时已收录的 / only what was stored and posted by then")
    ] = None,
    form: Annotated[Report, typer.Option("--format", "-f", help="text | jsonl | csv")] = Report.text,
) -> None:
    """用另一种承诺重放历史，与现行承诺并列；不改动任何预警 / replay history under other promises; no alert is touched"""
    from listener.backtesting import backtest as run
    from listener.backtesting import is_upside_down, promises
    from listener.commands import backtests, promising

    with opened(context) as app:
        known = time_of(as_of, "--as-of", app.timezone) if as_of else None
        start = time_of(since, "--since", app.timezone)
        end = time_of(until, "--until", app.timezone) if until else app.now()
        end = min(end, known or end)
        if start >= end:
            raise typer.BadParameter("应早于 --until 与 --as-of / must be before --until and --as-of", param_hint="--since")
        with output.reporting() as report, app.desk(report) as desk:
            other = promises(desk.rule, red, amber)
            if is_upside_down(other):
                output.warn(UPSIDE_DOWN.format(red=other.false_alarms_red, amber=other.false_alarms_amber))
            trials = [
                run(app, name, desk, other, since=start, until=end, as_of=known) for name in promising.brands_of(app, brand)
            ]
        backtests.write_trials(trials, app, form.value)


@koc_commands.command("mark", no_args_is_help=True)
def koc_mark(
    context: typer.Context,
    koc: Annotated[str | None, typer.Argument(help="KOC 的 ID 或名字 / id or name", metavar="[KOC]")] = None,
    turned: Annotated[
        str | None, typer.Option("--turned", help="这天起确实转变 / the stance did turn on that day", metavar="2026-03-04")
    ] = None,
    false_alarm: Annotated[
        str | None, typer.Option("--false-alarm", help="误报：预警键或日期 / an alert's key, or a day", metavar="ALERT|DATE")
    ] = None,
    mild: Annotated[
        str | None,
        typer.Option("--mild", help="只是温和、诚实的批评：预警键或日期 / mild, honest criticism", metavar="ALERT|DATE"),
    ] = None,
    take_back: Annotated[
        str | None, typer.Option("--take-back", help="撤回一个标记 / take a mark back", metavar="MARK")
    ] = None,
    brand: Annotated[str | None, typer.Option(help="哪个品牌（默认第一个）/ which brand")] = None,
    by: Annotated[str | None, typer.Option("--by", help="谁标的（默认登录名）/ who says so")] = None,
    note: Annotated[str, typer.Option("--note", help="备注 / a note")] = "",
) -> None:
    """人工核实：确已转变、误报、温和批评；校准与回测会用到 / what the team found: calibration and backtest learn from it"""
    from listener.commands import marking

    with opened(context) as app:
        marking.mark(app, koc, turned, false_alarm, mild, take_back, brand=brand, by=by, note=note)


@koc_commands.command("marks")
def koc_marks(
    context: typer.Context,
    koc: Annotated[str | None, typer.Argument(help="只看一位 / one KOC", metavar="[KOC]")] = None,
    history: Annotated[bool, typer.Option("--history", help="也列出已撤回的 / also those taken back")] = False,
    form: FormatOption = Format.table,
) -> None:
    """列出人工标记 / list the marks"""
    from listener.commands import marking

    with opened(context) as app:
        marking.print_marks(app, koc, form, history=history)
