"""A new workspace: works as it is, keeps its key to itself, overwrites nothing."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.edit import put_section
from config.settings import load, read_key
from listener.workspace import WorkspaceError, create, make_key, make_webhook_secret
from storage.store import Store


def test_a_new_workspace_works_as_it_is(tmp_path: Path):
    path = create(tmp_path / "a" / "品牌 监听")
    settings = load(path, {})
    assert (settings.brands, settings.sources, settings.channels) == ((), (), ())
    assert len(read_key(settings)) == 32
    assert "listener.key" in (path.parent / ".gitignore").read_text("utf-8").splitlines()


def test_the_key_is_for_its_owner_alone_and_another_in_each_workspace(tmp_path: Path):
    one, other = create(tmp_path / "a"), create(tmp_path / "b")
    assert stat.S_IMODE((one.parent / "listener.key").stat().st_mode) == 0o600
    assert read_key(load(one, {})) != read_key(load(other, {}))


def test_what_holds_peoples_words_is_for_its_owner_alone(tmp_path: Path):
    path = create(tmp_path)
    with Store.open(load(path, {}).listener.database) as store:
        store.take_lease("x", "y", datetime(2026, 1, 1, tzinfo=UTC), timedelta(minutes=1))
        made = {each.name: stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir() if each.name != ".gitignore"}
    names = ["listener.db", "listener.db-shm", "listener.db-wal", "listener.key", "listener.toml"]
    assert made == dict.fromkeys(names, 0o600)
    put_section(path, "privacy", {"text_days": 90})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_database_that_lies_there_stays(tmp_path: Path):
    (tmp_path / "listener.db").write_bytes(b"mine")
    create(tmp_path)
    assert (tmp_path / "listener.db").read_bytes() == b"mine"


def test_a_workspace_is_never_overwritten(tmp_path: Path):
    path = create(tmp_path)
    path.write_text("# mine\n", "utf-8")
    key = (tmp_path / "listener.key").read_bytes()
    with pytest.raises(WorkspaceError, match="nothing was changed"):
        create(tmp_path)
    assert path.read_text("utf-8") == "# mine\n"
    assert (tmp_path / "listener.key").read_bytes() == key


def test_a_key_that_lies_there_is_kept(tmp_path: Path):
    (tmp_path / "listener.key").write_text("ab" * 32, "ascii")
    assert read_key(load(create(tmp_path), {})) == b"\xab" * 32


def test_what_git_ignores_already_stays(tmp_path: Path):
    (tmp_path / ".gitignore").write_text("mine\n*.db", "utf-8")
    create(tmp_path)
    lines = (tmp_path / ".gitignore").read_text("utf-8").splitlines()
    assert lines[:2] == ["mine", "*.db"]
    assert lines.count("*.db") == 1
    assert "listener.key" in lines


def test_nothing_is_added_where_git_ignores_all_of_it(tmp_path: Path):
    create(tmp_path)
    before = (tmp_path / ".gitignore").read_bytes()
    (tmp_path / "listener.toml").unlink()
    create(tmp_path)
    assert (tmp_path / ".gitignore").read_bytes() == before


def test_a_file_in_the_way_is_told(tmp_path: Path):
    (tmp_path / "file").write_text("x", "utf-8")
    with pytest.raises(WorkspaceError, match="file"):
        create(tmp_path / "file")
    with pytest.raises(WorkspaceError, match="file"):
        create(tmp_path / "file" / "below")


def test_a_key_made_meanwhile_by_another_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "listener.key"
    monkeypatch.setattr("listener.workspace.os.path.lexists", lambda _: False)
    path.write_text("theirs", "ascii")
    make_key(path)
    assert path.read_text("ascii") == "theirs"
    assert [p.name for p in tmp_path.iterdir()] == ["listener.key"]


def test_a_signing_secret_is_made_once(tmp_path: Path):
    path = tmp_path / "webhook.secret"
    secret = make_webhook_secret(path)
    assert secret.startswith("whsec_")
    assert make_webhook_secret(path) == secret
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
