"""explain, status, watch, score: what was heard, and what goes out."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from listener.commands import output
from listener.commands.context import DONE, FAILED, opened, scoring_of, time_of
from listener.commands.output import Format, FormatOption
from listener.commands.rescoring import rescore


def add_to(app: typer.Typer) -> None:
    """Put the commands of this family on the command line."""
    for command in (explain, status, watch, upkeep, score):
        app.command(no_args_is_help=command is explain)(command)
    app.command()(rescore)


def explain(
    context: typer.Context,
    koc: Annotated[str, typer.Argument(help="KOC 的 ID 或名字 / id or name", metavar="KOC")],
    brand: Annotated[str | None, typer.Option(help="哪个品牌（默认第一个）/ which brand")] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="回到当时所知：2026-03-01 或带时区的时间 / what was known then")
    ] = None,
    form: FormatOption = Format.table,
    chart: Annotated[
        Path | None, typer.Option("--chart", help="另存态度走势图：.svg 或 .png / the chart as a file", metavar="FILE")
    ] = None,
) -> None:
    """一位 KOC 的完整经过：基线、提及、证据、为什么报或不报 / a KOC's whole story"""
    from listener.commands import stories

    with opened(context) as app:
        at = time_of(as_of, "--as-of", app.timezone) if as_of else None
        stories.print_story(app, koc, brand, at, form, chart)


def status(
    context: typer.Context,
    form: FormatOption = Format.table,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="来源失声、被拦截、出错，推送失败，或模型不可用，则退出码 1 / exit 1 where a source, channel or model fails",
        ),
    ] = False,
) -> None:
    """每个来源、KOC、账号：最后听到、是否覆盖；待处理与推送 / what is heard, what is covered, what waits"""
    from listener.commands import boards

    with opened(context) as app:
        boards.print_status(app, form)
        if check and boards.ails(app):
            raise typer.Exit(FAILED)


def watch(context: typer.Context) -> None:
    """补做未完成的评分与观察（设置改动或中断之后）/ make what lacks: after a change of settings, or a cut"""
    with opened(context) as app, output.reporting() as report:
        made, watched = app.catch_up(report)
    output.say(f"评分 {made} 条，重看 {watched} 位 KOC / scored {made} posts, replayed {watched} KOCs")


def upkeep(context: typer.Context) -> None:
    """删除已过保留期的原始记录、文本、隔离文件；`run` 每天做 / remove what may be kept no longer; `run` does it daily"""
    with opened(context) as app:
        gone = app.upkeep()
    output.say(f"删除原始记录 {gone.raws} 条、文本 {gone.texts} 条 / removed {gone.raws} raw records, {gone.texts} texts")


def score(
    context: typer.Context,
    fast: Annotated[bool, typer.Option("--fast", help="只评情感，不评态度 / tone alone, no stance")] = False,
) -> None:
    """标准输入的 JSON Lines（{"text", "target"?, "rivals"?}）逐条评分 / score JSON Lines from stdin, in order"""
    from listener.scoring import answers

    brands, model, embeddings = scoring_of(context)
    bad = 0
    for lines in _chunks(sys.stdin.fileno()):
        for answer in answers(lines, brands, fast=fast, model=model, embeddings=embeddings):
            bad += '"error"' in answer[:9]
            sys.stdout.write(answer + "\n")
        sys.stdout.flush()
    raise typer.Exit(FAILED if bad else DONE)


def _chunks(descriptor: int, size: int = 1 << 20) -> Iterator[list[bytes]]:
    """The complete lines that can be read at once, again and again: a slow writer is answered line by line, a file in bulk."""
    rest = b""
    while chunk := os.read(descriptor, size):
        *lines, rest = (rest + chunk).split(b"\n")
        if lines:
            yield lines
    if rest:
        yield [rest]
