"""The state of the schema: a database → up to date, or a `StoreError` that says what to do.

Alembic is only loaded where there is something to do: every command opens the store.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, column, inspect, select, table

from storage.database import Database, lock
from storage.records import StoreError

if TYPE_CHECKING:
    from alembic.config import Config

_FOLDER = Path(__file__).parent / "migrations"


def config_of(connection: Connection | None = None) -> Config:
    """Alembic's configuration without a file: where the steps lie, and the connection that they run on."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def known() -> set[str]:
    """The revisions that this program knows: the numbers of the steps' files."""
    return {path.name.partition("_")[0] for path in (_FOLDER / "versions").glob("[0-9]*_*.py")}


def head() -> str:
    """The newest revision that this program knows."""
    return max(known())


def _state(connection: Connection) -> tuple[str | None, bool]:
    """The database's revision, and whether it holds no table at all."""
    names = set(inspect(connection).get_table_names())
    if "alembic_version" not in names:
        return None, not names
    revision = connection.execute(select(column("version_num")).select_from(table("alembic_version"))).scalar()
    return revision, names == {"alembic_version"}


def upgrade(database: Database) -> str:
    """Bring the schema up to date in one transaction, and return its revision. Raises StoreError for a newer one."""

    def work(connection: Connection) -> str:
        lock(connection, "schema")
        revision, empty = _state(connection)
        _refuse_foreign(database, revision, empty)
        if revision != head():
            from alembic import command

            command.upgrade(config_of(connection), "head")
        return head()

    return database.write(work)


def ensure(database: Database, *, migrate: bool) -> None:
    """Return if the schema is up to date. A new SQLite file is filled; else ``migrate`` decides between doing and refusing."""
    with database.reading() as connection:
        revision, empty = _state(connection)
    _refuse_foreign(database, revision, empty)
    if revision == head():
        return
    if migrate or (database.is_sqlite and empty):
        upgrade(database)
    elif empty:
        raise StoreError(f"{database.name} is empty; run: listener db upgrade")
    else:
        raise StoreError(f"{database.name} is of an older version ({revision}, now {head()}); run: listener db upgrade")


def _refuse_foreign(database: Database, revision: str | None, empty: bool) -> None:
    """Refuse what a newer program wrote, or another one."""
    if revision is None and not empty:
        raise StoreError(f"{database.name} holds tables of something else; give koc-listener a database of its own")
    if revision is not None and revision not in known():
        raise StoreError(
            f"{database.name} was written by a newer version of this program (schema {revision}, this one knows {head()}); "
            "update koc-listener"
        )
