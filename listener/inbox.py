"""A folder that exports are dropped into: what lies there is imported and put away, read or rejected."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from config import settings as config
from listener import pipeline
from listener.app import App
from listener.inlets import import_chat
from listener.members import MembersError
from listener.upkeep import DONE, REJECTED
from spiders.errors import CollectError
from spiders.exports.read import EXPORTS, Export, recognized
from spiders.files import BadLine, read_items
from storage.records import Crawl

log = logging.getLogger(__name__)

PLATFORM = "folder"
QUIET_SECONDS = 5.0  # a file that has changed since may still be written
UNFINISHED = (".part", ".partial", ".tmp", ".crdownload", ".download", "~")


def is_folder(source: config.Source) -> bool:
    """Whether a source is a folder, read by this program itself."""
    return source.platform == PLATFORM


def source_of(app: App, name: str) -> config.Source | None:
    """The folder of that name; None where the source is none."""
    return next((one for one in app.settings.sources if one.name == name and is_folder(one)), None)


def crawl(app: App, name: str, report: pipeline.Report) -> Crawl:
    """Read a source once, whatever it is."""
    source = source_of(app, name)
    return take_in(app, source, report) if source is not None else app.crawl(name, report=report)


def turn(app: App, name: str) -> None:
    """One turn of a scheduled folder."""
    app.refresh()
    source = source_of(app, name)
    if source is not None:
        crawled = take_in(app, source)
        if crawled.items or crawled.error:
            log.info("%s: %s, %d 条 / items %s", name, crawled.outcome, crawled.items, crawled.error)


def take_in(app: App, source: config.Source, report: pipeline.Report = lambda step, done, total: None) -> Crawl:
    """Import every file that lies in the folder and is whole; then it is moved to ``done``, or to ``rejected`` with a file
    beside it that says why. A program that dies between the two imports it again, which adds nothing.

    What was rejected is told in the crawl's row; a folder that can't be read or written makes it ``failed``.
    """
    started = app.now()
    key = hashlib.sha256(f"{source.name}\0{started.isoformat()}".encode()).hexdigest()[:16]
    row = Crawl(key, source.name, PLATFORM, started, None, "running", 0, "")
    app.store.start_crawl(row)
    items, faults = 0, []
    try:
        for file in waiting(folder_of(app, source)):
            try:
                done, aside = _import(app, source, file, report)
            except (CollectError, MembersError) as error:
                put_away(file, REJECTED, str(error))
                faults.append(f"{file.name}: {str(error).partition(chr(10))[0]}")
                continue
            items += done.new + done.again
            put_away(file, DONE)
            if aside:
                faults.append(f"{file.name}：{done.rejected} 行隔离 / lines set aside: {aside.name}")
    except OSError as error:
        faults.append(f"{error.filename}: {error.strerror}")
        row = replace(row, outcome="failed")
    except BaseException as error:
        app.store.end_crawl(replace(row, ended_at=app.now(), outcome="cut", items=items, error=repr(error)))
        raise
    outcome = "done" if row.outcome == "running" else row.outcome
    row = replace(row, ended_at=app.now(), outcome=outcome, items=items, error="\n".join(faults))
    app.store.end_crawl(row)
    return row


def folder_of(app: App, source: config.Source) -> Path:
    """Where the source's files are dropped; relative to the settings' file."""
    return app.folder / Path(str(source.options["path"])).expanduser()


def waiting(folder: Path) -> list[Path]:
    """The files that lie in the folder itself, hidden and unfinished ones left out, in order of their names."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    quiet = time.time() - QUIET_SECONDS
    named = (one for one in sorted(folder.iterdir()) if not one.name.startswith(".") and not one.name.endswith(UNFINISHED))
    return [one for one in named if one.is_file() and not one.is_symlink() and one.stat().st_mtime <= quiet]


def put_away(file: Path, where: str, reason: str = "") -> Path:
    """Move a file to a folder beside it, under a name that is free there; the reason goes into ``<name>.reason.txt``."""
    folder = file.parent / where
    folder.mkdir(mode=0o700, exist_ok=True)
    target, number = folder / file.name, 1
    while target.exists():
        number += 1
        target = folder / f"{file.stem} ({number}){file.suffix}"
    file.replace(target)
    if reason:
        target.with_name(f"{target.name}.reason.txt").write_text(reason + "\n", encoding="utf-8")
    return target


def _import(app: App, source: config.Source, file: Path, report: pipeline.Report) -> tuple[pipeline.Listened, Path | None]:
    options = source.options
    if "group" in options:
        members = app.folder / str(options["members"]) if options.get("members") else None
        return import_chat(
            app, file, str(options["group"]), members=members, basis=str(options["basis"]), purpose=str(options["purpose"]),
            source=source.name, report=report,
        )  # fmt: skip
    tool = app.export_named(str(options["from"])) if "from" in options else recognized(file)
    if tool is None and isinstance(next(read_items(file), None), BadLine):
        known = ", ".join(EXPORTS)
        words = f"认不出是什么导出，可用 options.from 指明：{known} / not recognized; name it with options.from"
        raise CollectError(words)
    return app.import_file(file, source.name, report, export=tool)


def faults_of(options: Mapping[str, object]) -> list[tuple[str, str]]:
    """What is wrong with a folder's options: (key, words)."""
    found = []
    allowed = {"path": str, "from": str, "group": str, "members": str, "basis": str, "purpose": str}
    for key, value in options.items():
        if key not in allowed:
            found.append((key, f"没有这一项 / no such option; there are: {', '.join(allowed)}"))
        elif not isinstance(value, str) or not value.strip():
            found.append((key, "应为文字 / must be text"))
    if "path" not in options:
        found.append(("path", "缺少文件夹 / the folder is missing"))
    if "group" in options:
        found += [(key, "导入群聊要写明 / a group's chat needs it") for key in ("basis", "purpose") if key not in options]
    return found


__all__ = ["Export", "crawl", "faults_of", "folder_of", "is_folder", "put_away", "source_of", "take_in", "turn", "waiting"]
