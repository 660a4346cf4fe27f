"""import, crawl, backfill, run: how posts come in."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from listener.commands import output
from listener.commands.context import FAILED, opened, time_of


def add_to(app: typer.Typer) -> None:
    """Put the commands of this family on the command line."""
    app.command(name="import", no_args_is_help=True)(import_file)
    app.command()(crawl)
    app.command(no_args_is_help=True)(backfill)
    app.command()(run)


def import_file(
    context: typer.Context,
    files: Annotated[
        list[Path], typer.Argument(help="JSON Lines 文件，可 .gz；- 为标准输入 / files, or - for stdin", metavar="FILE…")
    ],
    source: Annotated[str, typer.Option(help="记为哪个来源的内容 / the source they count as")] = "import",
    batch_size: Annotated[int | None, typer.Option(min=1, help="每批条数 / posts a transaction")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="评分进程数 / scoring processes")] = None,
) -> None:
    """导入本程序的 JSON Lines 格式；结束时一切已评分、已观察 / import; returns when nothing is left to do"""
    from spiders.files import BadLine

    empty = False
    with opened(context) as app, output.reporting() as report:
        for file in files:
            reasons: Counter[str] = Counter()

            def note(line: BadLine, reasons: Counter[str] = reasons) -> None:
                reasons[line.reason] += 1

            done, quarantine = app.import_file(file, source, report, batch_size=batch_size, workers=workers, bad=note)
            output.say(
                f"{file}：新 {done.new}，再次见到 {done.again}（其中改过 {done.edited}），隔离 {done.rejected}"
                f" / new {done.new}, seen again {done.again} (edited {done.edited}), set aside {done.rejected}"
            )
            for reason, times in reasons.most_common(3):
                output.warn(f"  {times} × {reason}")
            if quarantine:
                output.warn(f"坏行、行号与原因 / the bad lines, their numbers and why: {quarantine}")
            if not done.new + done.again:
                output.warn(f"{file}：没有读到任何内容 / nothing was read")
                empty = True
        app.upkeep()
    if empty:
        raise typer.Exit(FAILED)


def crawl(
    context: typer.Context,
    sources: Annotated[
        list[str] | None, typer.Argument(help="来源名；不写则全部 / sources, all if none is named", metavar="[SOURCE…]")
    ] = None,
) -> None:
    """现在把来源抓取一次 / crawl sources once, now"""
    from listener.commands import showing

    with opened(context) as app, output.reporting() as report:
        ended = [app.crawl(name, report=report) for name in sources or app.source_names()]
        app.catch_up(report)
        app.upkeep()
    for crawled in ended:
        output.say(showing.words_of_crawl(crawled))
    if not ended:
        output.warn("listener.toml 里没有来源；在 [[sources]] 里写一个 / no source stands in listener.toml: add a [[sources]]")
        raise typer.Exit(FAILED)
    if any(crawled.outcome != "done" for crawled in ended):
        raise typer.Exit(FAILED)


def backfill(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="来源名 / the source", metavar="SOURCE")],
    since: Annotated[str, typer.Option(help="从哪天起（含）：2026-01-01 / from this day on")],
    until: Annotated[str | None, typer.Option(help="到哪天止（不含），默认现在 / up to this day, now if left out")] = None,
) -> None:
    """按日期范围回溯一个来源；不动它的抓取进度 / read a source over a date range; its marks stay as they are"""
    from listener.commands import showing

    with opened(context) as app, output.reporting() as report:
        start = time_of(since, "--since", app.timezone)
        end = time_of(until, "--until", app.timezone) if until else app.now()
        if end <= start:
            raise typer.BadParameter(f"--until 要晚于 --since / must be later than --since: {until}", param_hint="--until")
        crawled = app.crawl(source, since=start, until=end, report=report)
        app.catch_up(report)
    output.say(showing.words_of_crawl(crawled))
    if crawled.outcome != "done":
        raise typer.Exit(FAILED)


def run(
    context: typer.Context,
    wait: Annotated[bool, typer.Option("--wait", help="排队接替正在运行的那个 / queue behind the one that runs")] = False,
) -> None:
    """定时运行：抓取 → 评分 → 观察 → 预警 → 推送，直到 Ctrl-C 或 SIGTERM / run on schedule"""
    from listener import schedule

    stop = threading.Event()
    with opened(context) as app:
        if not app.source_names():
            output.warn(
                "没有来源，只推送与整理；在 [[sources]] 里写一个 / no source is switched on: only deliveries and upkeep run"
            )
        app.stop_on(stop)
        app.prepare()
        has_ended = schedule.run(
            schedule.jobs_of(app),
            app.store,
            holder=app.holder(),
            timezone=app.timezone,
            now=app.now,
            stop=stop,
            wait=wait,
        )
    output.say("已停止 / stopped")
    if not has_ended:  # Python would wait for the threads of what hangs
        logging.shutdown()
        sys.stdout.flush()
        os._exit(FAILED)
