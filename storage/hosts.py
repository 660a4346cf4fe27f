"""Hosts that are crawled: whose turn it is, among all processes that share the database, and who asked us to stay away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, case, func, select, update

from storage.codec import clean, when_or_none
from storage.database import AnyRow, insert, is_postgres
from storage.records import Host
from storage.tables import hosts

MOST_TURNS, FURTHEST = 100, timedelta(hours=1)
"""A next turn further ahead than so many delays and so long was taken by a clock that was wrong, and counts for nothing."""


def take_turn(connection: Connection, host: str, delay: timedelta, now: int) -> tuple[Host, int]:
    """The next request's turn at a host: the host as it stands, and in how many microseconds the turn comes."""
    delay_us = delay // timedelta(microseconds=1)
    statement = insert(connection.dialect.name, hosts)
    furthest = now + MOST_TURNS * delay_us + us_of(FURTHEST)
    waiting = case((hosts.c.next_at.between(now, furthest), hosts.c.next_at), else_=now)
    taken = (
        statement.values(host=clean(host), next_at=now + delay_us, refusals=0, reason="", source="")
        .on_conflict_do_update(index_elements=["host"], set_={"next_at": waiting + delay_us})
        .returning(*hosts.c)
    )
    row = connection.execute(taken).one()
    return _host_of(row), max(0, row.next_at - delay_us - now)


def server_time(connection: Connection) -> datetime | None:
    """What time it is where the database is."""
    if not is_postgres(connection):
        return None
    found: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return found.astimezone(UTC)


def refused(connection: Connection, host: str, source: str, reason: str, now: int, pause: Callable[[int], timedelta]) -> Host:
    """A host has refused us: nobody asks it again for ``pause(refusals in a row)``. What others hear meanwhile counts once."""
    statement = insert(connection.dialect.name, hosts)
    new = statement.values(host=clean(host), next_at=now, refusals=0, reason="", source="")
    connection.execute(new.on_conflict_do_nothing(index_elements=["host"]))
    row = connection.execute(select(hosts).where(hosts.c.host == clean(host)).with_for_update()).one()
    is_again = row.paused_until is not None and row.paused_until > now
    refusals = row.refusals if is_again else row.refusals + 1
    until = now + us_of(pause(refusals))
    values = {
        "refusals": refusals,
        "paused_until": max(until, row.paused_until or 0),
        "refused_at": now,
        "reason": clean(reason),
        "source": clean(source),
    }
    connection.execute(update(hosts).where(hosts.c.host == row.host).values(values))
    return _host_of(connection.execute(select(hosts).where(hosts.c.host == row.host)).one())


def answered(connection: Connection, host: str, since: int | None) -> None:
    """A host has answered as it should: it is not paused, and its refusals count no more; but for one that came ``since`` then,
    which that answer may be older than."""
    resting = {"refusals": 0, "paused_until": None, "refused_at": None, "reason": "", "source": ""}
    statement = update(hosts).where(hosts.c.host == clean(host), hosts.c.refusals > 0).values(resting)
    connection.execute(statement if since is None else statement.where(hosts.c.refused_at < since))


def load(connection: Connection) -> list[Host]:
    """Hosts that have refused us and not answered since, by name."""
    return [_host_of(row) for row in connection.execute(select(hosts).where(hosts.c.refusals > 0).order_by(hosts.c.host))]


def us_of(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def _host_of(row: AnyRow) -> Host:
    return Host(row.host, row.refusals, when_or_none(row.paused_until), when_or_none(row.refused_at), row.reason, row.source)
