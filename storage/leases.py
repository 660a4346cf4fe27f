"""Leases: who may do a thing that only one process may do at a time, until when."""

from __future__ import annotations

from sqlalchemy import Connection, delete, or_, select

from storage.codec import us, when
from storage.database import insert
from storage.records import Lease
from storage.tables import leases


def take(connection: Connection, lease: Lease, now: int) -> bool:
    """Take or renew a lease; False while somebody else holds it."""
    statement = insert(connection.dialect.name, leases).values(name=lease.name, holder=lease.holder, until=us(lease.until))
    free = or_(leases.c.holder == lease.holder, leases.c.until <= now)
    new = {"holder": statement.excluded.holder, "until": statement.excluded.until}
    taken = statement.on_conflict_do_update(index_elements=["name"], set_=new, where=free).returning(leases.c.name)
    return connection.execute(taken).first() is not None


def drop(connection: Connection, name: str, holder: str) -> None:
    connection.execute(delete(leases).where(leases.c.name == name, leases.c.holder == holder))


def load(connection: Connection, name: str) -> Lease | None:
    row = connection.execute(select(leases).where(leases.c.name == name)).first()
    return None if row is None else Lease(row.name, row.holder, when(row.until))
