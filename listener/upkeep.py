"""What a workspace's folders may keep no longer: quarantined lines and saved pages hold people's words and names."""

from __future__ import annotations

import logging
import stat
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

log = logging.getLogger(__name__)

FOLDERS = ("quarantine", "pages")
DONE, REJECTED = "done", "rejected"  # in a folder that exports are dropped into


def expired(folder: Path, before: datetime, more: Sequence[Path] = ()) -> list[Path]:
    """The files of the workspace's `quarantine` and `pages`, of ``more``, and of folders in them, last changed before then, in
    order.

    A link is none of them, nor what it leads to: only what this program wrote there is its own to delete."""
    found = []
    for place in (*(folder / name for name in FOLDERS), *more):
        if place.is_symlink():
            continue
        for path in sorted(place.rglob("*")):
            try:
                about = path.lstat()
            except FileNotFoundError:  # another upkeep was here first
                continue
            if stat.S_ISREG(about.st_mode) and about.st_mtime < before.timestamp():
                found.append(path)
    return found


def expire_files(folder: Path, before: datetime, more: Sequence[Path] = ()) -> int:
    """Delete them; returns how many. One that can't be deleted is logged as an error and keeps no other."""
    gone = 0
    for path in expired(folder, before, more):
        try:
            path.unlink()
            gone += 1
        except FileNotFoundError:
            continue
        except OSError as error:
            log.error("删不掉过期的文件 / an expired file can't be deleted: %s: %s", path, error.strerror)
    return gone


def put_away_of(folder: Path, options: Mapping[str, object]) -> list[Path]:
    """Where a folder source keeps what it has read, and what it could not read; none of another source."""
    inbox = options.get("path")
    return [folder / Path(inbox).expanduser() / name for name in (DONE, REJECTED)] if isinstance(inbox, str) else []
