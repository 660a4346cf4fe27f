"""A folder → a workspace that works as it is: listener.toml, the key that authors are hashed with, a database, .gitignore."""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
from pathlib import Path

from config.edit import starter, write_whole
from config.settings import FILE, KEY_BYTES

KEY_FILE = "listener.key"
DATABASE = "listener.db"  # as the starter's settings name it
IGNORED = (KEY_FILE, "*.password", "*.secret", "*.db", "*.db-wal", "*.db-shm", "quarantine/", "pages/")


class WorkspaceError(Exception):
    """A workspace can't be made here."""


def create(folder: Path) -> Path:
    """Make a workspace; returns the path of its listener.toml. Never overwrites: WorkspaceError where there is one already.

    A key that lies there is kept, since what was stored under it could not be found again under another.
    """
    path = folder / FILE
    if os.path.lexists(path):
        raise WorkspaceError(f"这里已经有工作区了，没有改动 / there is a workspace already, nothing was changed: {path}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        make_key(folder / KEY_FILE)
        _ignore(folder / ".gitignore")
        keep_private(folder / DATABASE)
        with os.fdopen(_new(path), "w", encoding="utf-8", newline="\n") as file:  # last: with it the workspace is whole
            file.write(starter())
    except FileExistsError as error:
        raise WorkspaceError(f"挡路的文件，没有覆盖 / in the way, not overwritten: {error.filename}") from error
    except OSError as error:
        raise WorkspaceError(f"建不了工作区 / can't make a workspace: {error.filename}: {error.strerror}") from error
    return path


def keep_private(path: Path) -> None:
    """See that a SQLite database will be its owner's alone: an empty file is one without tables, and the files that SQLite
    lays beside it (-wal, -shm) take its permissions. One that is there stays as it is."""
    with contextlib.suppress(FileExistsError):
        os.close(_new(path))


def _new(path: Path) -> int:
    """A new file for its owner alone, open for writing; FileExistsError where there is one."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def make_key(path: Path) -> None:
    """Write a new random key, readable for its owner alone; a key that is there stays."""
    if not os.path.lexists(path):
        _write_secret(path, secrets.token_bytes(KEY_BYTES).hex())


def make_webhook_secret(path: Path) -> str:
    """Write a new key for signing webhooks, readable for its owner alone, and return it; one that is there stays."""
    if not os.path.lexists(path):
        _write_secret(path, "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode())
    return path.read_text("ascii").strip()


def _write_secret(path: Path, text: str) -> None:
    """In one stroke, and never for a moment readable by others."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = _new(temporary)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)  # unlike a rename, it never replaces a key that another process just made
    finally:
        temporary.unlink()


def _ignore(path: Path) -> None:
    """See that git leaves out what must not be shared; what stands there already stays."""
    present = path.read_text("utf-8") if path.exists() else ""
    lacking = [line for line in IGNORED if line not in present.splitlines()]
    if lacking:
        gap = "" if not present or present.endswith("\n") else "\n"
        write_whole(path, present + gap + "\n".join(lacking) + "\n")
