"""crawl, backfill, run: how posts come in."""

from __future__ import annotations

import logging
import os
import sys
import threading
from typing import Annotated

import typer

from listener.commands import output
from listener.commands.context import FAILED, opened, time_of


def add_to(app: typer.Typer) -> None:
    """Put the commands of this family on the command line."""
    app.command()(crawl)
    app.command(no_args_is_help=True)(backfill)
    app.command()(revisit)
    app.command()(run)


def crawl(
    context: typer.Context,
    sources: Annotated[
        list[str] | None, typer.Argument(help="来源名；不写则全部 / sources, all if none is named", metavar="[SOURCE…]")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="暂停请求的站点也再试 / also ask hosts that are left alone for a while")
    ] = False,
) -> None:
    """现在把来源抓取一次 / crawl sources once, now"""
    from listener import inbox
    from listener.commands import showing

    with opened(context) as app, output.reporting() as report:
        for host in app.store.refusing_hosts() if again else ():
            app.store.host_answered(host.host)
        ended = [inbox.crawl(app, name, report) for name in sources or app.source_names()]
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


def revisit(
    context: typer.Context,
    sources: Annotated[
        list[str] | None, typer.Argument(help="来源名；不写则全部 / sources, all if none is named", metavar="[SOURCE…]")
    ] = None,
    budget: Annotated[int | None, typer.Option(min=1, help="每个来源最多几条 / at most so many posts of each source")] = None,
) -> None:
    """回访到时的内容：转评赞成曲线，已删除的记下来 / look again at posts: counts become curves, deletions are noted"""
    failed = False
    with opened(context) as app, output.reporting() as report:
        for name in sources or app.source_names():
            done = app.revisit(name, budget, report)
            output.say(
                f"{name}：到时 {done.chosen} 条，看到 {done.seen}，已不在 {done.gone}"
                f" / {done.chosen} due, {done.seen} seen, {done.gone} gone"
            )
            if done.error:
                output.warn(done.error)
                failed = True
        app.catch_up(report)
    if failed:
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
