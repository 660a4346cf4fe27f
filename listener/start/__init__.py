"""`listener start`: at most five questions → a workspace, and what the brand's history shows. Nothing is sent."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from rich.console import Console

from listener.app import App
from listener.roster import RosterPreview
from listener.start.questions import asked
from listener.start.showing import Imported, closing, tell
from listener.start.written import Written, add_channel, add_source, prepare
from storage.roster_records import By


def start(
    folder: Path,
    *,
    brand: str | None = None,
    rivals: str | None = None,
    roster: str | None = None,
    posts: str | None = None,
    send_to: str | None = None,
) -> None:
    """Ask what was not given, then make or go on with the workspace and tell what its history shows.

    Raises ConfigError, WorkspaceError, StoreError, RosterError."""
    console = Console()
    given = {"brand": brand, "rivals": rivals, "roster": roster, "posts": posts, "send_to": send_to}
    answers = asked(console, given, is_interactive=sys.stdin.isatty())
    path = prepare(folder, answers)
    with App.open(path, os.environ) as app:
        preview = _take_roster(app, answers.roster)
        imported = _take_posts(console, app, answers.posts)
        tell(console, app, answers, preview, imported)
        source = add_source(path, answers.names, app.store.kocs())
    console.print(closing(folder, answers, Written(source, add_channel(path, answers.send_to))))


def _take_roster(app: App, file: Path | None) -> RosterPreview | None:
    if file is None:
        return None
    preview = app.read_roster(file)
    app.store.save_kocs(preview.kocs, by=By("listener start", app.now(), "import", file.name))
    return preview


def _take_posts(console: Console, app: App, file: Path | None) -> Imported | None:
    if file is None:
        app.catch_up()
        return None
    with console.status("读取、评分、观察 / reading, scoring, watching …"):
        return Imported(*app.import_file(file))
