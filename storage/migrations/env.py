"""Alembic's entry: run the steps on the connection that `storage.schema` hands over, in its transaction."""

from __future__ import annotations

from alembic import context

from storage.tables import metadata


def run() -> None:
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=metadata,
        transactional_ddl=True,  # SQLite too: our transactions begin before the first statement
        render_as_batch=True,  # SQLite can't alter a column in place
    )
    with context.begin_transaction():
        context.run_migrations()


if __name__ == "env_py":  # the name that Alembic loads this file under
    run()
