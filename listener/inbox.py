"""A folder that exports are dropped into: what lies there is imported and put away, read or rejected."""

from __future__ import annotations

import hashlib
import logging
import stat
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from config import settings as config
from listener import pipeline
from listener.app import App
from listener.inlets import import_chat
from listener.members import MembersError
from listener.quarantine import fitting
from listener.upkeep import DONE, REJECTED
from spiders.errors import CollectError
from spiders.exports.read import EXPORTS, recognized
from spiders.files import is_own
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
    """One turn of a scheduled folder. What was being written when it began is waited for, so that none waits for two turns."""
    app.refresh()
    source = source_of(app, name)
    if source is None:
        return
    crawled = take_in(app, source)
    if (rest := unquiet_seconds(folder_of(app, source))) > 0:
        time.sleep(rest)
        crawled = take_in(app, source)
    if crawled.items or crawled.error:
        log.info("%s: %s, %d 条 / items %s", name, crawled.outcome, crawled.items, crawled.error)


def take_in(app: App, source: config.Source, report: pipeline.Report = lambda step, done, total: None) -> Crawl:
    """Import every file that lies in the folder and is whole; then it is moved to ``done``, or to ``rejected`` with a file
    beside it that says why. A program that dies between the two imports it again, which adds nothing.

    What was rejected is told in the crawl's row. What can't be read or moved makes it ``failed``, and holds up no other file.
    """
    started = app.now()
    key = hashlib.sha256(f"{source.name}\0{started.isoformat()}".encode()).hexdigest()[:16]
    row = Crawl(key, source.name, PLATFORM, started, None, "running", 0, "")
    app.store.start_crawl(row)
    items, faults = 0, list[str]()
    try:
        try:
            files = waiting(folder_of(app, source))
        except OSError as error:
            files, row = [], replace(row, outcome="failed")
            faults.append(_words_of(error))
        for file in files:
            try:
                items += _take_file(app, source, file, faults, report)
            except OSError as error:
                if not file.exists():  # another process took it
                    continue
                row = replace(row, outcome="failed")
                faults.append(_words_of(error))
    except BaseException as error:
        app.store.end_crawl(replace(row, ended_at=app.now(), outcome="cut", items=items, error=pipeline.cut_by(error)))
        raise
    outcome = "done" if row.outcome == "running" else row.outcome
    row = replace(row, ended_at=app.now(), outcome=outcome, items=items, error="\n".join(faults))
    app.store.end_crawl(row)
    return row


def _take_file(app: App, source: config.Source, file: Path, faults: list[str], report: pipeline.Report) -> int:
    """Import one file and put it away; returns how many items it held. One that another process takes meanwhile is passed over;
    one that changes meanwhile, or is another by then, stays for the next turn."""
    before = _state_of(file)
    if before is None:
        return 0
    try:
        done, aside = _import(app, source, file, report)
    except (CollectError, MembersError) as error:
        if _state_of(file) == before:
            put_away(file, REJECTED, str(error))
            faults.append(f"{file.name}: {str(error).partition(chr(10))[0]}")
        return 0
    if aside:
        faults.append(f"{file.name}：{done.rejected} 行隔离 / lines set aside: {aside.name}")
    if _state_of(file) == before:
        put_away(file, DONE)
    return done.new + done.again


def _state_of(file: Path) -> tuple[int, int, int] | None:
    """By which a file is known as the same, unchanged; None where it is gone."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _words_of(error: OSError) -> str:
    return f"{error.filename or PLATFORM}: {error.strerror or error}"


def folder_of(app: App, source: config.Source) -> Path:
    """Where the source's files are dropped; relative to the settings' file."""
    return app.folder / Path(str(source.options["path"])).expanduser()


def waiting(folder: Path) -> list[Path]:
    """The files that lie in the folder itself, hidden and unfinished ones left out, in order of their names."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    quiet = time.time() - QUIET_SECONDS
    return [file for file, changed_at in _lying(folder) if changed_at <= quiet]


def unquiet_seconds(folder: Path) -> float:
    """How long until every file there has been quiet, if none is written any more; 0 where all are, at most QUIET_SECONDS."""
    try:
        newest = max((changed_at for _, changed_at in _lying(folder)), default=0.0)
    except OSError:
        return 0.0  # told by `take_in`
    return min(QUIET_SECONDS, max(0.0, newest + QUIET_SECONDS - time.time()))


def _lying(folder: Path) -> Iterator[tuple[Path, float]]:
    """Files with when they were last changed."""
    for one in sorted(folder.iterdir()):
        if one.name.startswith(".") or one.name.endswith(UNFINISHED):
            continue
        try:
            about = one.lstat()
        except FileNotFoundError:  # another process was here first
            continue
        if stat.S_ISREG(about.st_mode):
            yield one, about.st_mtime


def put_away(file: Path, where: str, reason: str = "") -> Path:
    """Move a file to a folder beside it, under a name that is free there; the reason goes into ``<name>.reason.txt``."""
    folder = file.parent / where
    folder.mkdir(mode=0o700, exist_ok=True)
    stem, number = fitting(file.stem), 1
    target = folder / f"{stem}{file.suffix}"
    while target.exists():
        number += 1
        target = folder / f"{stem} ({number}){file.suffix}"
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
    if tool is None and not is_own(file):
        known = ", ".join(EXPORTS)
        words = (
            f"认不出是什么导出，可用 options.from 指明：{known}；"
            "其他表格请在 listener.toml 的 [[exports]] 写列映射，再用 options.from 指明"
            " / not recognized; name it with options.from, which may be an [[exports]] mapping of your own"
        )
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
