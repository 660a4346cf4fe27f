"""Channels that messages go out through: how often each may send, and whether it rests, among all that share the database."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, Connection, select, update

from storage.codec import clean, when_or_none
from storage.database import AnyRow, insert
from storage.hosts import us_of
from storage.records import ChannelState
from storage.tables import channels

Limit = tuple[int, timedelta]  # so many messages in any span of that length


def take_slots(connection: Connection, name: str, limits: Sequence[Limit], n: int, now: int) -> int:
    """Take room for ``n`` messages that are sent now, within every limit; returns 0, or in how many microseconds there will be
    room, when none was taken. Times that lie ahead were taken by a clock that was wrong and count for nothing."""
    row = _row(connection, name)
    taken = sorted(at for at in json.loads(row.slots) if at <= now)
    wait = max((_wait(taken, limit, n, now) for limit in limits), default=0)
    if wait > 0:
        return wait
    longest = max((us_of(span) for _, span in limits), default=0)
    kept = [at for at in taken if at > now - longest] + [now] * n
    connection.execute(update(channels).where(channels.c.name == row.name).values(slots=json.dumps(kept)))
    return 0


def _wait(taken: Sequence[int], limit: Limit, n: int, now: int) -> int:
    """Microseconds until ``n`` more fit; more than the limit itself holds fit as soon as it is empty."""
    most, span = limit[0], us_of(limit[1])
    recent = [at for at in taken if at > now - span]
    too_many = len(recent) + min(n, most) - most
    return recent[too_many - 1] + span - now if too_many > 0 else 0


def failed(
    connection: Connection, name: str, error: str, now: int, pause: Callable[[int], timedelta | None], asked: timedelta | None
) -> ChannelState:
    """A channel took nothing: one failure in a row more. It rests for ``pause(failures in a row)``, or as long as the receiver
    ``asked`` if that is longer; None: it does not."""
    row = _row(connection, name)
    failures = row.failures + 1
    spans = [us_of(span) for span in (pause(failures), asked) if span is not None]
    until = max([now + max(spans)] if spans else [], default=None)
    before = None if row.failed_at is not None and row.failed_at > now else row.rests_until  # else by a clock that was wrong
    resting = until if before is None or (until or 0) > before else before
    values = {"failures": failures, "failed_at": now, "error": clean(error), "rests_until": resting}
    connection.execute(update(channels).where(channels.c.name == row.name).values(values))
    return _state_of(_row(connection, name))


def answered(connection: Connection, name: str, now: int) -> None:
    """A channel took a message: it does not rest, and its failures count no more."""
    row = _row(connection, name)
    fine = {"failures": 0, "rests_until": None, "error": "", "sent_at": max(now, row.sent_at or now)}
    connection.execute(update(channels).where(channels.c.name == row.name).values(fine))


def load(connection: Connection) -> dict[str, ChannelState]:
    """The channels that were ever used, by name."""
    return {row.name: _state_of(row) for row in connection.execute(select(channels).order_by(channels.c.name))}


def is_resting(now: int) -> ColumnElement[bool]:
    """Of the rows of `channels`: nothing goes out through it now. A rest that began later than now was set by a clock that was
    wrong, and might last for years."""
    return channels.c.rests_until.is_not(None) & (channels.c.rests_until > now) & (channels.c.failed_at <= now)


def _row(connection: Connection, name: str) -> AnyRow:
    """The channel's row, made if it is not there, and held until the transaction ends."""
    new = insert(connection.dialect.name, channels).values(name=clean(name), failures=0, error="", slots="[]")
    connection.execute(new.on_conflict_do_nothing(index_elements=["name"]))
    return connection.execute(select(channels).where(channels.c.name == clean(name)).with_for_update()).one()


def _state_of(row: AnyRow) -> ChannelState:
    rests, failed_at, sent_at = when_or_none(row.rests_until), when_or_none(row.failed_at), when_or_none(row.sent_at)
    return ChannelState(row.name, row.failures, rests, failed_at, sent_at, row.error)
