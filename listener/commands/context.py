"""What every command starts from: where the settings are, and the application that is wired from them."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

if TYPE_CHECKING:
    from listener.app import App
    from storage.records import Brand

DONE, FAILED, MISUSED = 0, 1, 2


def remember(context: typer.Context, config: Path | None) -> None:
    """Keep the --config of the command line for the command."""
    context.obj = config


def config_path(context: typer.Context) -> Path:
    """The settings file: --config, else LISTENER_CONFIG, else listener.toml of the current folder."""
    given: Path | None = context.obj
    return given or Path(os.environ.get("LISTENER_CONFIG") or "listener.toml")


def scoring_of(context: typer.Context) -> tuple[tuple[Brand, ...], Path | None, bool]:
    """The workspace's brands, so that a target's other names are known, its model, and whether hard posts are read again;
    scoring works without one too."""
    from config import settings
    from listener.app import brands_of

    path = config_path(context)
    if not path.exists():
        return (), None, False
    found = settings.load(path, os.environ)
    return brands_of(found), found.engine.model, found.engine.embeddings


@contextmanager
def opened(context: typer.Context) -> Iterator[App]:
    """The application of the workspace that the command speaks of, closed at the end."""
    from listener.app import App

    with App.open(config_path(context), os.environ) as app:
        yield app


def errors_of_doors() -> tuple[type[Exception], ...]:
    """The errors that a person can do something about: one for each door."""
    from config.settings import ConfigError
    from listener.cases.steps import CaseError
    from listener.channels.door import ChannelError
    from listener.members import MembersError
    from listener.relations.errors import RelationError
    from listener.roster import RosterError
    from listener.schedule import BusyError
    from listener.workspace import WorkspaceError
    from nlp.results import ScoreError
    from spiders.errors import CollectError
    from storage.records import StoreError

    return (
        ConfigError,
        WorkspaceError,
        RosterError,
        MembersError,
        RelationError,
        StoreError,
        CollectError,
        ScoreError,
        ChannelError,
        CaseError,
        BusyError,
    )


def who_of(by: str | None) -> str:
    """Who does what a command does: --by, else the log-in name."""
    if by:
        return by
    try:
        return getpass.getuser()
    except (OSError, KeyError) as error:
        raise typer.BadParameter("认不出登录名，请写明 / no log-in name is known: say who", param_hint="--by") from error


def day_of(text: str, option: str) -> date:
    """A day as 2026-03-01.

    >>> day_of("2026-03-01", "--due").isoformat()
    '2026-03-01'
    """
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} 不是日期；写成 2026-03-01 / is no day: write it so", param_hint=option) from error
    if not 1970 <= day.year <= 9000:
        raise typer.BadParameter(f"{text!r} 超出范围 / is out of range", param_hint=option)
    return day


ByOption = Annotated[str | None, typer.Option("--by", help="谁（默认登录名）/ who does it (default: the log-in name)")]


def time_of(text: str, option: str, timezone: str) -> datetime:
    """A date (its first instant in that zone) or a time as ISO 8601, in UTC.

    >>> time_of("2026-03-01", "--since", "Asia/Shanghai").isoformat()
    '2026-02-28T16:00:00+00:00'
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        words = f"{text!r} 不是日期；写成 2026-03-01 或 2026-03-01T08:00+08:00 / is no date: write it so"
        raise typer.BadParameter(words, param_hint=option) from error
    if not 1970 <= at.year <= 9000:
        raise typer.BadParameter(f"{text!r} 超出范围 / is out of range", param_hint=option)
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(timezone))).astimezone(UTC)
