"""What the channels owe: deliveries that wait after a failure or were given up since their channel last took a message."""

from __future__ import annotations

from sqlalchemy import Connection, case, func, or_, select

from storage.codec import when
from storage.records import Unsent
from storage.tables import channels, deliveries


def by_channel(connection: Connection) -> dict[str, Unsent]:
    """See `Unsent`; channels that owe nothing are left out."""
    is_dead = deliveries.c.state == "dead"
    waits = (deliveries.c.state == "pending") & (deliveries.c.error != "")
    query = (
        select(
            deliveries.c.channel,
            func.sum(case((is_dead, 0), else_=1)),
            func.sum(case((is_dead, 1), else_=0)),
            func.min(deliveries.c.created_at),
        )
        .outerjoin(channels, channels.c.name == deliveries.c.channel)
        .where(or_(waits, is_dead & (deliveries.c.created_at > func.coalesce(channels.c.sent_at, 0))))
        .group_by(deliveries.c.channel)
    )
    return {name: Unsent(int(waiting), int(dead), when(oldest)) for name, waiting, dead, oldest in connection.execute(query)}


def owing(connection: Connection) -> set[str]:
    """Names of channels that have deliveries which wait or were given up."""
    query = select(deliveries.c.channel).where(deliveries.c.state.in_(("pending", "dead"))).distinct()
    return set(connection.execute(query).scalars())
