"""Quarantined lines and saved pages go when their time is over; nothing else does."""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from listener.upkeep import expire_files, expired

NOW = datetime(2026, 4, 14, 12, 0, tzinfo=UTC)
BEFORE = NOW - timedelta(days=30)


def put(path: Path, days: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("张三", "utf-8")
    at = (NOW - timedelta(days=days)).timestamp()
    os.utime(path, (at, at))
    return path


def test_old_files_of_both_folders_go_and_young_ones_stay(tmp_path: Path):
    old = [put(tmp_path / "pages" / "a.html", 31), put(tmp_path / "quarantine" / "导出.jsonl", 400)]
    young = [put(tmp_path / "pages" / "b.html", 29), put(tmp_path / "quarantine" / "c.jsonl", 0)]
    assert expired(tmp_path, BEFORE) == [old[1], old[0]]
    assert expire_files(tmp_path, BEFORE) == 2
    assert [each.exists() for each in (*old, *young)] == [False, False, True, True]
    assert expire_files(tmp_path, BEFORE) == 0


def test_files_in_folders_below_go_too(tmp_path: Path):
    deep = put(tmp_path / "pages" / "2025" / "a.html", 31)
    assert expire_files(tmp_path, BEFORE) == 1
    assert not deep.exists()


def test_nothing_beside_these_folders_is_touched(tmp_path: Path):
    others = [put(tmp_path / name, 999) for name in ("listener.toml", "listener.key", "listener.db", "mine/pages/x.html")]
    assert expire_files(tmp_path, BEFORE) == 0
    assert all(each.exists() for each in others)


def test_what_a_link_leads_to_stays(tmp_path: Path):
    mine = put(tmp_path / "mine" / "a.html", 999)
    (tmp_path / "w" / "pages").mkdir(parents=True)
    (tmp_path / "w" / "pages" / "link").symlink_to(mine)
    (tmp_path / "w" / "pages" / "folder").symlink_to(mine.parent)
    (tmp_path / "w" / "quarantine").symlink_to(mine.parent)
    assert expire_files(tmp_path / "w", BEFORE) == 0
    assert mine.exists()


def test_a_file_that_cannot_be_deleted_keeps_no_other_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    stuck, gone, free = (put(tmp_path / "pages" / name, 31) for name in "abc")
    unlink = Path.unlink

    def deny(path: Path) -> None:
        if path == stuck:
            raise PermissionError(13, "Permission denied")
        if path == gone:
            unlink(path)  # by another process, just before us
        unlink(path)

    monkeypatch.setattr(Path, "unlink", deny)
    with caplog.at_level(logging.ERROR):
        assert expire_files(tmp_path, BEFORE) == 1
    assert stuck.exists()
    assert not free.exists()
    assert str(stuck) in caplog.text


def test_a_file_that_goes_while_they_are_listed_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    put(tmp_path / "pages" / "a.html", 31)

    def missing(path: Path) -> os.stat_result:
        raise FileNotFoundError(2, "No such file", str(path))

    monkeypatch.setattr(Path, "rglob", lambda self, pattern: iter([self / "a.html"]))
    monkeypatch.setattr(Path, "is_symlink", lambda self: False)
    monkeypatch.setattr(Path, "lstat", missing)
    assert expired(tmp_path, BEFORE) == []
