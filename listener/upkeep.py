"""What a workspace's folders may keep no longer: quarantined lines and saved pages hold people's words and names."""

from __future__ import annotations

import logging
import stat
from datetime import datetime
from pathlib import Path

log = logging.getLogger(__name__)

FOLDERS = ("quarantine", "pages")


def expired(folder: Path, before: datetime) -> list[Path]:
    """The files of the workspace's `quarantine` and `pages`, and of folders in them, last changed before then, in order.

    A link is none of them, nor what it leads to: only what this program wrote there is its own to delete."""
    found = []
    for name in FOLDERS:
        if (folder / name).is_symlink():
            continue
        for path in sorted((folder / name).rglob("*")):
            try:
                about = path.lstat()
            except FileNotFoundError:  # another upkeep was here first
                continue
            if stat.S_ISREG(about.st_mode) and about.st_mtime < before.timestamp():
                found.append(path)
    return found


def expire_files(folder: Path, before: datetime) -> int:
    """Delete them; returns how many. One that can't be deleted is logged as an error and keeps no other."""
    gone = 0
    for path in expired(folder, before):
        try:
            path.unlink()
            gone += 1
        except FileNotFoundError:
            continue
        except OSError as error:
            log.error("删不掉过期的文件 / an expired file can't be deleted: %s: %s", path, error.strerror)
    return gone
