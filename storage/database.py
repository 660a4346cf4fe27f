"""The database behind the store: a URL → read and write transactions, with every SQLAlchemy error turned into `StoreError`."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, cast

from sqlalchemy import URL, ColumnElement, Connection, Engine, Row, Table, bindparam, create_engine, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from storage.records import StoreError

T = TypeVar("T")
AnyRow: TypeAlias = "Row[*tuple[Any, ...]]"

CHUNK = 1000  # values in one IN list: far below SQLite's limit of variables, and large enough that statements cost little
BUSY_SECONDS = 60.0
ATTEMPTS = 8
_AGAIN = {"40001", "40P01"}  # PostgreSQL: serialization failure, deadlock


def url_of(url: str) -> URL:
    """The SQLAlchemy URL of what stands in the configuration: ``sqlite:///path`` or ``postgresql://…``.

    >>> url_of("postgresql://u:secret@h/db").drivername
    'postgresql+psycopg'
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        # The error quotes the URL, which may hold a password.
        raise StoreError("the database URL can't be read; write sqlite:///path or postgresql://user@host/name") from error
    backend = parsed.drivername.partition("+")[0]
    if backend == "sqlite":
        if parsed.database in (None, "", ":memory:"):
            raise StoreError("a database in memory is lost with the process; write sqlite:///path")
        return parsed.set(drivername="sqlite+pysqlite")
    if backend in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    raise StoreError(f"unknown database {backend!r}; there are: sqlite:///path, postgresql://user@host/name")


def without_password(url: str) -> str:
    """A database's address as others may see it.

    >>> without_password("postgresql://koc:s3cret@db/koc?password=again&sslmode=require")
    'postgresql://koc@db/koc?sslmode=require'
    """
    full = make_url(url).difference_update_query(["password", "sslpassword"])
    bare = URL.create(full.drivername, full.username, None, full.host, full.port, full.database, full.query)
    return bare.render_as_string(hide_password=False)


def chunks(values: Sequence[T], size: int = CHUNK) -> Iterator[Sequence[T]]:
    """
    >>> list(chunks("abcde", 2))
    ['ab', 'cd', 'e']
    """
    for start in range(0, len(values), size):
        yield values[start : start + size]


def among(column: ColumnElement[Any], values: Sequence[Any]) -> ColumnElement[bool]:
    """Whether the column holds one of these (at most `CHUNK`, see `chunks`): one parameter to build and to compile, not a
    thousand.

    >>> from storage.tables import posts
    >>> str(among(posts.c.id, [1, 2]))
    'posts.id IN (__[POSTCOMPILE_among_1])'
    """
    return column.in_(bindparam("among", values, expanding=True, unique=True))


def insert(dialect: str, table: Table) -> Any:
    """An INSERT that knows ON CONFLICT, for that dialect."""
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


def insert_all(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that are surely new, all with the same columns; on PostgreSQL by COPY, which takes a third of the time."""
    if not rows:
        return
    if not is_postgres(connection):
        connection.execute(table.insert(), rows)
        return
    import psycopg

    names = list(rows[0])
    quote = connection.dialect.identifier_preparer.quote
    statement = f"COPY {quote(table.name)} ({', '.join(map(quote, names))}) FROM STDIN"
    values = itemgetter(*names)
    driver = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
    try:
        with driver.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            for row in rows:
                copy.write_row(values(row))
    except psycopg.Error as error:
        raise DBAPIError(statement, None, error, hide_parameters=True) from error


def is_postgres(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"


def message_of(error: SQLAlchemyError, url: URL) -> str:
    """What to tell of an error: the driver's first line, never SQL, parameters (which hold people's words) or a password."""
    cause: BaseException = error
    if isinstance(error, DBAPIError) and error.orig is not None:
        cause = error.orig
    lines = str(cause).strip().splitlines()
    line = lines[0] if lines else type(cause).__name__
    if url.password:
        line = line.replace(str(url.password), "***")
    return line


class Database:
    """One database. ``read`` and ``write`` run a function in a transaction; a write may run it again after a deadlock."""

    def __init__(self, url: str) -> None:
        self.url = url_of(url)
        backend = self.url.get_backend_name()
        self.name = self.url.set(drivername=backend).render_as_string(hide_password=True)
        self.is_sqlite = backend == "sqlite"
        if self.is_sqlite and not Path(self.url.database or "").absolute().parent.is_dir():
            raise StoreError(f"{self.name}: there is no folder {Path(self.url.database or '').parent}; make it first")
        with self.errors():
            self.engine = self._engine()

    def _engine(self) -> Engine:
        if not self.is_sqlite:
            return create_engine(self.url, hide_parameters=True, pool_pre_ping=True)
        _make_private(self.url)
        engine = create_engine(
            self.url, hide_parameters=True, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False}
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine

    @contextmanager
    def errors(self) -> Iterator[None]:
        """SQLAlchemy's errors leave as `StoreError`."""
        try:
            yield
        except SQLAlchemyError as error:
            raise StoreError(f"{self.name}: {message_of(error, self.url)}") from error

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one instant of the database and writes nothing."""
        with self.errors(), self.engine.connect() as connection:
            if not self.is_sqlite:
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin():
                yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes: on SQLite it holds the write lock from its start, so that it never fails half-way."""
        with self.errors(), self.engine.connect() as connection:
            connection = connection.execution_options(koc_write=True)
            with connection.begin():
                yield connection

    def read(self, work: Callable[[Connection], T]) -> T:
        with self.reading() as connection:
            return work(connection)

    def write(self, work: Callable[[Connection], T]) -> T:
        """What ``work`` returns, committed. Of two writers that wait for each other PostgreSQL ends one: it is tried again."""
        for attempt in range(ATTEMPTS):
            try:
                with self.writing() as connection:
                    return work(connection)
            except StoreError as error:
                cause = error.__cause__
                state = getattr(cause.orig, "sqlstate", None) if isinstance(cause, DBAPIError) else None
                if state not in _AGAIN or attempt + 1 == ATTEMPTS:
                    raise
                time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311
        raise AssertionError("unreachable")  # pragma: no cover

    def close(self) -> None:
        self.engine.dispose()


def _make_private(url: URL) -> None:
    """Make a new file that only its owner can read: it will hold what people said. SQLite gives -wal and -shm the same mode.

    One that exists keeps the mode that somebody gave it; what can't be made is SQLite's to report."""
    if "uri" not in url.query:
        with suppress(OSError):
            os.close(os.open(url.database or "", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # We begin transactions ourselves: the driver would begin them late, and deferred.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    # A killed process loses nothing under NORMAL: what is committed is in the system's hands. Only a power cut may take the
    # last commits, whole ones and in order: a crawl then goes on from an older mark, a delivery is sent again. FULL would
    # cost a disk flush for each small batch.
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA secure_delete=FAST")  # what retention took is overwritten where the page is written anyway
    cursor.execute("PRAGMA cache_size=-65536")
    cursor.execute("PRAGMA temp_store=MEMORY")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    write = connection.get_execution_options().get("koc_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def lock(connection: Connection, name: str, *, shared: bool = False) -> None:
    """Hold the named lock until the transaction ends. On SQLite a writer holds the write lock anyway."""
    if is_postgres(connection):
        function = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
        connection.execute(text(f"SELECT {function}(hashtext('koc-listener'), hashtext(:name))"), {"name": name})
