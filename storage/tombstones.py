"""Authors who are kept out: nothing of theirs is stored."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from storage.database import among, chunks
from storage.tables import tombstones


def kept_out(connection: Connection, keys: Sequence[str]) -> set[str]:
    """Which of these authors are to be kept out."""
    found: set[str] = set()
    if connection.execute(select(tombstones.c.author_key).limit(1)).first() is None:  # as mostly
        return found
    for some in chunks(sorted(set(keys))):
        found.update(connection.execute(select(tombstones.c.author_key).where(among(tombstones.c.author_key, some))).scalars())
    return found
