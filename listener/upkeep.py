"""What a workspace's folders may keep no longer: quarantined lines and saved pages hold people's words and names."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

FOLDERS = ("quarantine", "pages")


def expire_files(folder: Path, before: datetime) -> int:
    """Delete the files of the workspace's `quarantine` and `pages` last changed before then; returns how many."""
    gone = 0
    for name in FOLDERS:
        for path in sorted((folder / name).glob("**/*")):
            if path.is_file() and not path.is_symlink() and path.stat().st_mtime < before.timestamp():
                path.unlink(missing_ok=True)
                gone += 1
    return gone
