"""The outbox: alerts and their deliveries as rows, claimed before they are sent, so that two processes never send the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, exists, func, or_, select, tuple_, update

from storage.channel_states import is_resting
from storage.codec import clean, json_of, json_text, keys_of, keys_text, us, us_or_none, when, when_or_none
from storage.database import AnyRow, among, chunks, insert, lock
from storage.dirty import mark_if_clear
from storage.records import OPERATIONAL_KINDS, Alert, Delivery, Reminders, StoredAlert, StoreError
from storage.tables import alerts, channels, deliveries, delivery_holds, meta

Pair = tuple[str, str]  # KOC, brand
Decide = Callable[[Sequence[StoredAlert], Mapping[str, Sequence[Delivery]]], Reminders]
DECIDED_WITH = "alerts"  # the fact of which settings what is held back was held by
STORM = "storm"  # the reason of what waits for the rest of its storm
_GROUP = tuple_(deliveries.c.channel, alerts.c.koc_id, alerts.c.brand)  # what is claimed, and sent, together
_LONGEST_WAIT = 2 * 86_400_000_000  # µs: longer than any back-off; what waits longer, not held, was put off by a wrong clock


def write_alerts(connection: Connection, current: Sequence[tuple[Alert, int]], superseded: Sequence[tuple[str, int]]) -> None:
    """Write alerts that are wanted (each with the time of recording) and supersede those that are not any more."""
    rows = {alert.key: _alert_row(alert, at) for alert, at in current}
    if rows:
        statement = insert(connection.dialect.name, alerts)
        new = statement.excluded
        kept = {"key", "recorded_at"}  # an alert that comes back keeps the time it was first recorded
        values = {column.name: new[column.name] for column in alerts.c if column.name not in kept}
        connection.execute(
            statement.on_conflict_do_update(index_elements=["key"], set_=values), [rows[key] for key in sorted(rows)]
        )
    gone = [{"gone": key, "at": at} for key, at in sorted(superseded)]
    if gone:
        statement = update(alerts).where(alerts.c.key == bindparam("gone"), alerts.c.state == "current")
        connection.execute(statement.values(state="superseded", superseded_at=bindparam("at")), gone)


def write_deliveries(connection: Connection, new: Sequence[Delivery], cancelled: Sequence[str]) -> None:
    """Add deliveries and cancel unsent ones. One that exists stays as it is, unless it was cancelled and is wanted again."""
    for keys in chunks(sorted(cancelled)):
        unsent = and_(among(deliveries.c.key, keys), deliveries.c.state.in_(("pending", "dead")))
        connection.execute(update(deliveries).where(unsent).values(state="cancelled", next_try_at=None, claimed_until=None))
    rows = [_delivery_row(delivery) for delivery in sorted(new, key=lambda delivery: delivery.key)]
    if rows:
        statement = insert(connection.dialect.name, deliveries)
        values = {column.name: statement.excluded[column.name] for column in deliveries.c if column.name != "key"}
        revived = deliveries.c.state == "cancelled"
        connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_=values, where=revived), rows)


def load_alerts(connection: Connection, where: Sequence[ColumnElement[bool]]) -> list[StoredAlert]:
    """Alerts ordered by (fired_at, key)."""
    query = select(alerts).where(*where).order_by(alerts.c.fired_at, alerts.c.key)
    return [stored_alert_of(row) for row in connection.execute(query)]


def load_deliveries(connection: Connection, keys: Iterable[str], *, lock: bool = False) -> dict[str, list[Delivery]]:
    """Deliveries by alert, in key order."""
    found: dict[str, list[Delivery]] = {}
    for some in chunks(sorted(set(keys))):
        query = select(deliveries).where(among(deliveries.c.alert_key, some)).order_by(deliveries.c.key)
        for row in connection.execute(query.with_for_update() if lock else query):
            found.setdefault(row.alert_key, []).append(delivery_of(row))
    return found


def deliveries_in(connection: Connection, state: str | None) -> list[Delivery]:
    query = select(deliveries).order_by(deliveries.c.created_at, deliveries.c.key)
    return [
        delivery_of(row) for row in connection.execute(query if state is None else query.where(deliveries.c.state == state))
    ]


def claim_due(connection: Connection, now: int, until: int, limit: int) -> list[tuple[Delivery, StoredAlert]]:
    """Take deliveries that are due: they are ``sending`` until the lease ends, then they are due again.

    What one channel is told of one KOC and brand is claimed together: what waits for a second try comes along with what is due,
    and nothing is claimed while another process sends of it, so that an amber can't arrive behind its red. An alert that was
    superseded is not sent any more, even if a process died while sending it. What was claimed for longer than twice this lease,
    or waits for a try longer than any back-off lasts, was so by a clock that ran ahead, and is due."""
    lock(connection, "deliveries")  # two that claim at once would share out what belongs together
    latest = until + (until - now)
    busy = and_(deliveries.c.state == "sending", deliveries.c.claimed_until.between(now, latest))
    held = _groups_of(busy).distinct().subquery()
    first = (
        select(deliveries.c.key)
        .join(alerts, alerts.c.key == deliveries.c.alert_key)
        .outerjoin(held, tuple_(held.c.channel, held.c.koc_id, held.c.brand) == _GROUP)
        .where(_is_due(deliveries.c, now, latest), held.c.channel.is_(None), deliveries.c.channel.not_in(_resting(now)))
        .order_by(func.coalesce(deliveries.c.next_try_at, 0), deliveries.c.key)
        .limit(limit)
    )
    due = list(connection.execute(first).scalars())
    query = (
        select(deliveries)
        .join(alerts, alerts.c.key == deliveries.c.alert_key)
        .where(deliveries.c.state.in_(("pending", "sending")), ~busy, _GROUP.in_(_groups_of(among(deliveries.c.key, due))))
        .order_by(func.coalesce(deliveries.c.next_try_at, 0), deliveries.c.key)
        .with_for_update(of=deliveries, skip_locked=True)
    )
    claimed = [delivery_of(row) for row in connection.execute(query)]
    about = alerts_by_key(connection, [delivery.alert_key for delivery in claimed])
    moot = {d.key for d in claimed if d.kind != "correction" and about[d.alert_key].state != "current"}
    wanted = [d for d in claimed if d.key not in moot]
    _update(connection, sorted(moot), state="cancelled", claimed_until=None, next_try_at=None)
    _update(connection, [d.key for d in claimed if d.state == "sending"], in_doubt=True)  # its sender is dead
    _update(connection, [d.key for d in wanted], state="sending", claimed_until=until, attempts=deliveries.c.attempts + 1)
    taken = {d.key: d for ds in load_deliveries(connection, {d.alert_key for d in wanted}).values() for d in ds}
    return [(taken[d.key], about[d.alert_key]) for d in wanted]


def _resting(now: int) -> Select[Any]:
    """Channels that nothing goes out through now: what waits for them waits, and no attempt is spent."""
    return select(channels.c.name).where(is_resting(now)).correlate(None)


def _is_due(one: Any, now: int, latest: int) -> ColumnElement[bool]:
    """Whether a delivery (its columns) may be claimed by itself. latest: when a claim made by a right clock ends."""
    is_lost = and_(one.held == "", one.next_try_at > now + _LONGEST_WAIT)
    waits = and_(one.state == "pending", or_(one.next_try_at.is_(None), one.next_try_at <= now, is_lost))
    return or_(waits, and_(one.state == "sending", or_(one.claimed_until < now, one.claimed_until > latest)))


def _groups_of(which: ColumnElement[bool]) -> Select[Any]:
    """The groups (see `_GROUP`) of these deliveries: found once for the whole statement, not once for each row."""
    own = select(deliveries.c.channel, alerts.c.koc_id, alerts.c.brand).join(alerts, alerts.c.key == deliveries.c.alert_key)
    return own.where(which).correlate(None)


def _update(connection: Connection, keys: Sequence[str], **values: Any) -> None:
    for some in chunks(sorted(keys)):
        connection.execute(update(deliveries).where(among(deliveries.c.key, some)).values(values))


def alerts_by_key(connection: Connection, keys: Iterable[str]) -> dict[str, StoredAlert]:
    """The alerts of these keys, also those that were superseded."""
    found: dict[str, StoredAlert] = {}
    for some in chunks(sorted(set(keys))):
        found.update((stored.alert.key, stored) for stored in load_alerts(connection, [among(alerts.c.key, some)]))
    return found


def settle(connection: Connection, done: Sequence[Delivery], at: int | None = None) -> None:
    """Write how claimed deliveries went; one attempt less and ``pending`` is a claim given back (see `_is_claim_of`). One whose
    lease ran out and that another process took is left to that process, unless it was sent: what is on the wire is true.
    What is held back is noted for good, as of ``at``. A failed one whose alert was superseded meanwhile is cancelled. Either
    way its KOC is dirty then, so that the next watch decides on the correction, which an operational alert has not."""
    by_key = {delivery.key: delivery for delivery in done}
    stored: dict[str, Delivery] = {}
    for some in chunks(sorted(by_key)):
        query = select(deliveries).where(among(deliveries.c.key, some)).order_by(deliveries.c.key).with_for_update()
        stored.update((row.key, delivery_of(row)) for row in connection.execute(query))
    if missing := by_key.keys() - stored.keys():
        raise StoreError(f"unknown delivery {min(missing)!r}")
    about = alerts_by_key(connection, [delivery.alert_key for delivery in done])
    rows: list[dict[str, Any]] = []
    holds: list[dict[str, Any]] = []
    late: set[Pair] = set()
    for key, new in sorted(by_key.items()):
        old, alert = stored[key], about[new.alert_key]
        arrived = new.state in ("sent", "summarized")
        if not _is_claim_of(old, new) and not (arrived and old.state != "sent"):
            continue
        withdrawn = new.kind != "correction" and alert.state == "superseded"
        row = _delivery_row(new)
        if arrived:  # of a claim that ran out it may be: the later attempts were made all the same
            row["attempts"] = old.attempts
        if withdrawn and new.state != "cancelled" and alert.alert.kind not in OPERATIONAL_KINDS:
            late.add((alert.alert.koc_id, alert.alert.brand))
        if withdrawn and not arrived:
            row |= {"state": "cancelled", "next_try_at": None}
        elif at is not None and new.held and (new.held, new.next_try_at) != (old.held, old.next_try_at):
            holds.append({"delivery_key": key, "at": at, "reason": new.held, "until": row["next_try_at"]})
        rows.append({f"new_{name}": value for name, value in row.items()})
    if rows:
        changed: dict[str, Any] = {
            name: bindparam(f"new_{name}")
            for name in ("state", "attempts", "next_try_at", "claimed_until", "sent_at", "error", "held", "told_in")
        }
        connection.execute(update(deliveries).where(deliveries.c.key == bindparam("new_key")).values(changed), rows)
    if holds:
        connection.execute(delivery_holds.insert(), holds)
    # No wait here: a mark that exists belongs to a watch that has not read these deliveries yet, as they are locked.
    mark_if_clear(connection, late)


def _is_claim_of(old: Delivery, new: Delivery) -> bool:
    """Whether the stored row is still claimed as it was for the one to be settled.

    One given back untried has an attempt less: the row of whoever claimed it first would look the same to the failure of one
    who claimed it before, so it must name the end of its claim too."""
    if old.state != "sending":
        return False
    is_given_back = new.state == "pending" and new.attempts == old.attempts - 1 and new.claimed_until == old.claimed_until
    return old.attempts == new.attempts or is_given_back


def remind(connection: Connection, decide: Decide, at: int) -> Reminders:
    """Write what ``decide`` makes of all operational alerts ever made, and their deliveries, and return it."""
    lock(connection, "reminders")
    known = load_alerts(connection, [alerts.c.kind.in_(sorted(OPERATIONAL_KINDS))])
    changes = decide(known, load_deliveries(connection, [one.alert.key for one in known], lock=True))
    write_alerts(connection, [(alert, at) for alert in changes.alerts], [(key, at) for key in changes.superseded])
    write_deliveries(connection, changes.deliveries, changes.cancelled)
    return changes


def is_decided(connection: Connection, decided_with: str) -> bool:
    return connection.execute(select(meta.c.value).where(meta.c.key == DECIDED_WITH)).scalar() == decided_with


def decide_anew(connection: Connection, decided_with: str, now: int) -> bool:
    """Have what is held back looked at again where it was held by other settings; returns whether it was so. What waits for the
    rest of its storm goes on waiting: its message is told together, whatever the settings."""
    if is_decided(connection, decided_with):
        return False
    statement = insert(connection.dialect.name, meta).values(key=DECIDED_WITH, value=decided_with)
    connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_={"value": decided_with}))
    held = and_(deliveries.c.state == "pending", deliveries.c.held.not_in(("", STORM)), deliveries.c.next_try_at > now)
    connection.execute(update(deliveries).where(held).values(next_try_at=now))
    return True


def retry_dead(connection: Connection, keys: Sequence[str] | None) -> int:
    """Deliveries that were given up are tried again. Returns how many."""
    dead = update(deliveries).where(deliveries.c.state == "dead")
    dead = dead.where(
        or_(
            deliveries.c.kind == "correction",
            exists().where(alerts.c.key == deliveries.c.alert_key, alerts.c.state == "current"),
        )
    )
    again = dead.values(state="pending", attempts=0, next_try_at=None, error="", held="")
    if keys is None:
        return connection.execute(again).rowcount
    return sum(connection.execute(again.where(among(deliveries.c.key, some))).rowcount for some in chunks(sorted(keys)))


def _alert_row(alert: Alert, at: int) -> dict[str, Any]:
    return {
        "key": alert.key,
        "kind": alert.kind,
        "level": alert.level,
        "severity": alert.severity,
        "koc_id": alert.koc_id,
        "brand": alert.brand,
        "fired_at": us(alert.fired_at),
        "turned_at": us_or_none(alert.turned_at),
        "evidence": json_text(alert.evidence),
        "posts": keys_text(alert.posts),
        "state": "current",
        "recorded_at": at,
        "superseded_at": None,
    }


def stored_alert_of(row: AnyRow) -> StoredAlert:
    alert = Alert(
        row.key,
        row.kind,
        row.level,
        row.severity,
        row.koc_id,
        row.brand,
        when(row.fired_at),
        when_or_none(row.turned_at),
        json_of(row.evidence),
        keys_of(row.posts),
    )
    return StoredAlert(alert, row.state, when(row.recorded_at), when_or_none(row.superseded_at))


def _delivery_row(delivery: Delivery) -> dict[str, Any]:
    return {
        "key": delivery.key,
        "alert_key": delivery.alert_key,
        "channel": delivery.channel,
        "kind": delivery.kind,
        "state": delivery.state,
        "created_at": us(delivery.created_at),
        "attempts": delivery.attempts,
        "next_try_at": us_or_none(delivery.next_try_at),
        "claimed_until": None if delivery.state != "sending" else us_or_none(delivery.claimed_until),
        "sent_at": us_or_none(delivery.sent_at),
        "error": clean(delivery.error),
        "in_doubt": delivery.in_doubt,
        "held": delivery.held,
        "told_in": delivery.told_in,
    }


def delivery_of(row: AnyRow) -> Delivery:
    return Delivery(
        row.key,
        row.alert_key,
        row.channel,
        row.kind,
        row.state,
        when(row.created_at),
        row.attempts,
        when_or_none(row.next_try_at),
        when_or_none(row.claimed_until),
        when_or_none(row.sent_at),
        row.error,
        row.in_doubt,
        row.held,
        row.told_in,
    )
