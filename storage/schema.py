"""The state of the schema: a database → up to date, or a `StoreError` that says what to do."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from storage.database import Database, lock
from storage.records import StoreError

_FOLDER = Path(__file__).parent / "migrations"


def config_of(connection: Connection | None = None) -> Config:
    """Alembic's configuration without a file: where the steps lie, and the connection that they run on."""
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def head() -> str:
    """The newest revision that this program knows."""
    revision = ScriptDirectory.from_config(config_of()).get_current_head()
    assert revision is not None
    return revision


def _known() -> set[str]:
    return {step.revision for step in ScriptDirectory.from_config(config_of()).walk_revisions()}


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _is_empty(connection: Connection) -> bool:
    return not inspect(connection).get_table_names()


def upgrade(database: Database) -> str:
    """Bring the schema up to date in one transaction, and return its revision. Raises StoreError for a newer one."""

    def work(connection: Connection) -> str:
        lock(connection, "schema")
        _refuse_newer(database, _revision(connection))
        command.upgrade(config_of(connection), "head")
        return head()

    return database.write(work)


def ensure(database: Database, *, migrate: bool) -> None:
    """Return if the schema is up to date. A new SQLite file is filled; else ``migrate`` decides between doing and refusing."""
    with database.reading() as connection:
        revision, empty = _revision(connection), _is_empty(connection)
    _refuse_newer(database, revision)
    if revision == head():
        return
    if revision is None and not empty:
        raise StoreError(f"{database.name} holds tables of something else; give koc-listener a database of its own")
    if migrate or (database.is_sqlite and empty):
        upgrade(database)
    elif empty:
        raise StoreError(f"{database.name} is empty; run: listener db upgrade")
    else:
        raise StoreError(f"{database.name} is of an older version ({revision}, now {head()}); run: listener db upgrade")


def _refuse_newer(database: Database, revision: str | None) -> None:
    if revision is not None and revision not in _known():
        raise StoreError(
            f"{database.name} was written by a newer version of this program (schema {revision}, this one knows {head()}); "
            "update koc-listener"
        )
