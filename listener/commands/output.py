"""What every command prints through: tables for people, JSON for machines, progress for whoever waits."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.logging import RichHandler
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from listener.pipeline import Report

# Where nobody watches (a pipe, a file), a table is as wide as it needs to be.
out = Console(highlight=False, width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else 200)
err = Console(stderr=True, highlight=False)
log = logging.getLogger("listener")


def say(words: str) -> None:
    """A plain line for whoever asked: nothing in it is taken for markup, no line is broken."""
    out.print(words, markup=False, soft_wrap=True)


def warn(words: str) -> None:
    """A plain line beside the answer, on stderr."""
    err.print(words, markup=False, soft_wrap=True)


class Format(StrEnum):
    """How a command answers."""

    table = "table"
    json = "json"
    jsonl = "jsonl"


FormatOption = Annotated[Format, typer.Option("--format", "-f", help="table | json | jsonl")]


def set_up_logging(verbose: bool) -> None:
    """Log lines on stderr: coloured on a terminal, plain with a time stamp elsewhere."""
    level = logging.DEBUG if verbose else logging.INFO
    if err.is_terminal:
        handler: logging.Handler = RichHandler(console=err, show_path=False, omit_repeated_times=False, markup=False)
        handler.setFormatter(logging.Formatter("%(message)s"))
    else:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for chatty in ("scrapy", "twisted", "apscheduler", "alembic", "httpx", "httpcore", "matplotlib", "asyncio", "mail.log"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def write_rows(rows: Iterable[Mapping[str, Any]], form: Format, *, columns: Sequence[tuple[str, str]], empty: str) -> None:
    """Rows as a table with the columns (key, heading), as one JSON array, or as JSON Lines."""
    if form is Format.jsonl:
        for row in rows:
            sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
        return
    if form is Format.json:
        sys.stdout.write(json.dumps(list(rows), ensure_ascii=False, indent=1) + "\n")
        return
    table = Table(*[heading for _, heading in columns], box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*[Text("" if row.get(key) is None else str(row.get(key))) for key, _ in columns])
    out.print(table if table.row_count else empty)


@contextmanager
def reporting() -> Iterator[Report]:
    """Progress of long work: a bar on a terminal, a plain log line every few seconds elsewhere.

    Yields a function (step, done, total): total None means that nobody knows how much there is.
    """
    if not err.is_terminal:
        yield _LogLines()
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        tasks: dict[str, Any] = {}

        def report(step: str, done: int, total: int | None) -> None:
            if step not in tasks:
                tasks[step] = bar.add_task(step, total=total)
            bar.update(tasks[step], completed=done, total=total)

        yield report


class _LogLines:
    """A line a step at most every 5 s, so that a log file stays readable."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}

    def __call__(self, step: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        if now - self._last.setdefault(step, now - 4) < 5:
            return
        self._last[step] = now
        log.info("%s: %d%s", step, done, "" if total is None else f" / {total}")


def refuse(error: Exception) -> int:
    """Say what is wrong and return the exit code: 2 where the configuration or the use is, else 1."""
    from config.settings import ConfigError
    from listener.roster import RosterError
    from listener.workspace import WorkspaceError

    err.print(str(error), markup=False, style="red" if err.is_terminal else None, soft_wrap=True)
    return 2 if isinstance(error, ConfigError | RosterError | WorkspaceError) else 1
