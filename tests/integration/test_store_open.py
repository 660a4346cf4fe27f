"""The store opens what it knows, fills what is new, and refuses the rest with a way out."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

from storage import schema
from storage.database import Database, url_of
from storage.records import PostKey, StoreError
from storage.store import Store, upgrade
from storage.tables import metadata
from tests.stored import NOW, post


def said_of(error: BaseException) -> str:
    """All that is said of an error and its causes, without the lines of code."""
    lines = "".join(traceback.format_exception(error)).splitlines()
    return "\n".join(line for line in lines if not line.startswith("    "))


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    engine = create_engine(url_of(url))
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def test_migrations_and_tables_agree(database_url: str) -> None:
    upgrade(database_url)
    with connected(database_url) as connection:
        options = {"compare_type": True, "compare_server_default": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []


def test_the_files_of_the_steps_are_named_by_their_revisions() -> None:
    scripts = ScriptDirectory.from_config(schema.config_of())
    assert {step.revision for step in scripts.walk_revisions()} == schema.known()
    assert scripts.get_current_head() == schema.head()


def test_every_step_can_be_undone(database_url: str) -> None:
    upgrade(database_url)
    database = Database(database_url)
    from alembic import command

    database.write(lambda c: command.downgrade(schema.config_of(c), "base"))
    with connected(database_url) as connection:
        assert set(schema.inspect(connection).get_table_names()) <= {"alembic_version"}
    database.close()
    assert upgrade(database_url) == schema.head()


def test_a_new_sqlite_file_is_filled(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / '新 库.db'}") as store:
        assert store.counts()["posts"] == 0


@pytest.mark.skipif(os.name != "posix", reason="modes of files are a thing of POSIX")
def test_a_new_sqlite_file_is_for_its_owner_alone_and_an_old_one_keeps_its_mode(tmp_path: Path) -> None:
    def modes() -> dict[str, int]:
        return {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}

    file = tmp_path / "x.db"
    with Store.open(f"sqlite:///{file}") as store:
        store.add([post(1)], stored_at=NOW)
        assert modes() == {"x.db": 0o600, "x.db-wal": 0o600, "x.db-shm": 0o600}
    file.chmod(0o640)
    with Store.open(f"sqlite:///{file}") as store:
        store.add([post(1)], stored_at=NOW)
        assert modes() == {"x.db": 0o640, "x.db-wal": 0o640, "x.db-shm": 0o640}


def test_a_relative_path_is_relative_to_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Store.open("sqlite:///here.db").close()
    assert (tmp_path / "here.db").is_file()


def test_an_empty_postgresql_is_refused_unless_asked_for(postgres_url: str) -> None:
    with pytest.raises(StoreError, match="is empty; run: listener db upgrade"):
        Store.open(postgres_url)
    with Store.open(postgres_url, migrate=True) as store:
        assert store.kocs() == []
    Store.open(postgres_url).close()


def test_what_is_stored_outlives_a_second_upgrade(database_url: str) -> None:
    with Store.open(database_url, migrate=True) as store:
        store.add([post(1)], stored_at=NOW)
    assert upgrade(database_url) == schema.head()
    with Store.open(database_url) as store:
        assert list(store.posts_of([PostKey("forum", "1")])) == [PostKey("forum", "1")]


def test_a_newer_schema_is_refused(database_url: str) -> None:
    upgrade(database_url)
    with connected(database_url) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for act in (Store.open, upgrade):
        with pytest.raises(StoreError, match=r"newer version of this program \(schema 9999.*update koc-listener"):
            act(database_url)


def test_an_older_schema_is_refused_until_it_is_upgraded(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    upgrade(database_url)
    monkeypatch.setattr(schema, "head", lambda: "9000")
    with pytest.raises(StoreError, match=r"of an older version .*run: listener db upgrade"):
        Store.open(database_url)


def test_a_database_of_something_else_is_left_alone(database_url: str) -> None:
    with connected(database_url) as connection:
        connection.execute(text("CREATE TABLE theirs (x INTEGER)"))
    with pytest.raises(StoreError, match="tables of something else"):
        Store.open(database_url, migrate=True)
    with pytest.raises(StoreError, match="tables of something else"):
        upgrade(database_url)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_text("not a database at all, but long enough to be read as a header" * 10)
    with pytest.raises(StoreError, match=r"x\.db: file is not a database"):
        Store.open(f"sqlite:///{path}")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"there is no folder .*nowhere"):
        Store.open(f"sqlite:///{tmp_path / 'nowhere' / 'x.db'}")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite://", "in memory is lost"),
        ("sqlite:///:memory:", "in memory is lost"),
        ("mysql://u@h/d", "unknown database 'mysql'"),
        ("no url at all", "can't be read"),
    ],
)
def test_an_address_that_can_not_be_used_says_what_can(url: str, words: str) -> None:
    with pytest.raises(StoreError, match=words):
        Store.open(url)


def test_an_unknown_time_zone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="unknown time zone 'Asia/Nowhere'"):
        Store.open(f"sqlite:///{tmp_path / 'x.db'}", timezone="Asia/Nowhere")


def test_a_server_that_does_not_answer_is_a_store_error_without_the_password() -> None:
    password = "Pa55" + "%2Fword"
    with pytest.raises(StoreError) as caught:
        Store.open(f"postgresql://someone:{password}@127.0.0.1:9/koc")
    assert "someone:***@127.0.0.1:9/koc" in str(caught.value)
    assert "Pa55%2F" not in said_of(caught.value)
    assert "Pa55/word" not in said_of(caught.value)


def test_a_wrong_password_is_a_store_error_without_the_password(postgres_server: str) -> None:
    password = "S3cret" + "-word"
    with pytest.raises(StoreError) as caught:
        Store.open(f"postgresql://nobody-here:{password}@/postgres?host={postgres_server}")
    assert "nobody-here" in str(caught.value)
    assert password not in said_of(caught.value)


def test_an_error_does_not_quote_what_people_wrote(database_url: str) -> None:
    with Store.open(database_url, migrate=True) as store:
        with connected(database_url) as connection:
            connection.execute(text("DROP TABLE post_texts"))
        with pytest.raises(StoreError) as caught:
            store.add([post(1, "很私人的话"), post(1, "更私人的话", seen_at=NOW)], stored_at=NOW)
        assert store.counts()["posts"] == 0
    assert "post_texts" in str(caught.value)
    assert "很私人的话" not in said_of(caught.value)


def _open(url: str) -> int:
    with Store.open(url, migrate=True) as store:
        return store.counts()["posts"]


def test_many_processes_may_open_a_new_database_at_once(database_url: str) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert pool.map(_open, [database_url] * 8) == [0] * 8


def test_opening_says_nothing_on_the_terminal(tmp_path: Path) -> None:
    script = f"from storage.store import Store; Store.open('sqlite:///{tmp_path}/x.db').close()"
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""


def test_sqlite_keeps_a_log_ahead_and_its_references(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'x.db'}") as store, store._database.reading() as connection:
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 1
    connection = sqlite3.connect(tmp_path / "x.db")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_a_refused_connection_string_of_psycopg_is_ours(postgres_server: str) -> None:
    with psycopg.connect(host=postgres_server, user="postgres") as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    with pytest.raises(StoreError, match='database "there-is-none" does not exist'):
        Store.open(f"postgres://postgres@/there-is-none?host={postgres_server}")


def test_opening_an_up_to_date_database_does_not_load_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'x.db'}"
    upgrade(url)
    script = f"import sys; from storage.store import Store; Store.open({url!r}).close(); print('alembic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
