"""Tables whose rows are only added: the database itself refuses to change or take one, but for an erasure.

An erasure (see `storage.erasure`) writes the fact `ERASING` first and takes it away at the end of its transaction, so that
nobody else ever sees it. Rows may then be taken, never changed.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, text

ERASING = "erasing"  # a key of `meta`

_FUNCTION = f"""
CREATE OR REPLACE FUNCTION koc_only_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND EXISTS (SELECT 1 FROM meta WHERE key = '{ERASING}') THEN RETURN OLD; END IF;
  RAISE EXCEPTION 'rows of % are only added', TG_TABLE_NAME;
END $$
"""  # noqa: S608


def guard(connection: Connection, tables: Iterable[str]) -> None:
    """Have the database hold these tables append-only; for migrations."""
    names = list(tables)
    if connection.dialect.name == "postgresql":
        connection.execute(text(_FUNCTION))
        for name in names:
            trigger = f"CREATE TRIGGER only_added BEFORE UPDATE OR DELETE ON {name} FOR EACH ROW"
            connection.execute(text(f"{trigger} EXECUTE FUNCTION koc_only_added()"))
        return
    for name in names:
        refusal = f"BEGIN SELECT RAISE(ABORT, 'rows of {name} are only added'); END"
        connection.exec_driver_sql(f"CREATE TRIGGER only_added_{name}_update BEFORE UPDATE ON {name} {refusal}")
        unless = f"WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = '{ERASING}')"  # noqa: S608
        connection.exec_driver_sql(f"CREATE TRIGGER only_added_{name}_delete BEFORE DELETE ON {name} {unless} {refusal}")


def unguard(connection: Connection, tables: Iterable[str]) -> None:
    """Take the guards away again; for migrations that are undone. The function stays while a table has it."""
    for name in tables:
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"DROP TRIGGER IF EXISTS only_added ON {name}"))
        else:
            for event in ("update", "delete"):
                connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS only_added_{name}_{event}")
