"""Alerts that nobody has taken on, and the clock → deliveries that are owed besides: to whoever is on call, up the ladder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from listener.alerts.policy import Policy
from listener.alerts.routing import Directory, channels_of, named
from listener.alerts.severities import is_at_once
from listener.keys import delivery_key
from storage.policy_records import Mute
from storage.records import Alert, Delivery, DeliveryKind, Koc, Severity, StoredAlert

ON_CALL_WITHIN = timedelta(days=1)  # what has waited longer than a night waits for the morning


@dataclass(frozen=True, slots=True)
class Ladder:
    """Who hears of what nobody takes on. clocks: how soon an alert of a severity must be taken on; what is told at any hour by
    the clock on the wall, the rest in hours at which people may be disturbed. steps: names for each step, one after another,
    each after the same time again."""

    clocks: Mapping[Severity, timedelta] = field(default_factory=dict)
    steps: tuple[tuple[str, ...], ...] = ()


def owed(
    stored: Sequence[StoredAlert],
    deliveries: Mapping[str, Sequence[Delivery]],
    *,
    now: datetime,
    policy: Policy,
    directory: Directory,
    ladder: Ladder,
    kocs: Mapping[str, Koc],
    mutes: Sequence[Mute] = (),
    severity: Callable[[Alert], Severity] = lambda alert: alert.severity,
) -> list[Delivery]:
    """Deliveries that these alerts, current and taken on by nobody, need besides those they have.

    What is told at any hour goes to whoever is on call, where people of its own channels may not be disturbed now. One that has
    become graver since it was made (its posts have spread) goes to whom routes send the graver one. One that nobody heard, and
    whose channels were all removed, renamed or switched off since, goes where it would go now. What nobody takes on in
    time is escalated: once for each alert and step, as a delivery of its own kind. severity: that of an alert by now.
    """
    made: list[Delivery] = []
    for one in stored:
        alert, rows = one.alert, deliveries.get(one.alert.key, ())
        told = [row for row in rows if row.kind == "alert"]
        if not told or any(mute.covers(alert, now) for mute in mutes):
            continue
        rank, koc = severity(alert), kocs.get(alert.koc_id)
        channels = [*_on_call(alert, rank, told, now, policy), *_graver(alert, rank, koc, directory)]
        if not any(row.state in ("sent", "summarized") or row.channel in directory.channels for row in told):
            channels += channels_of(alert, koc, directory, rank)
        known = {row.channel for row in told}
        made += [_delivery(alert, name, "alert", now) for name in dict.fromkeys(channels) if name not in known]
        made += _escalated(alert, rank, rows, now, policy, directory, ladder, koc)
    return made


def _on_call(alert: Alert, rank: Severity, told: Sequence[Delivery], now: datetime, policy: Policy) -> Sequence[str]:
    waits = [row for row in told if row.state == "pending" and not policy.hours_of(row.channel).is_open(now)]
    is_new = min(row.created_at for row in told) >= now - ON_CALL_WITHIN
    return policy.on_call(now) if waits and is_new and is_at_once(alert.kind, alert.level, rank) else ()


def _graver(alert: Alert, rank: Severity, koc: Koc | None, directory: Directory) -> Sequence[str]:
    if rank == alert.severity or not directory.routes:
        return ()
    before = channels_of(alert, koc, directory)
    return [name for name in channels_of(alert, koc, directory, rank) if name not in before]


def _escalated(
    alert: Alert,
    rank: Severity,
    rows: Sequence[Delivery],
    now: datetime,
    policy: Policy,
    directory: Directory,
    ladder: Ladder,
    koc: Koc | None,
) -> Iterator[Delivery]:
    """The step that is due, unless it was taken; what fell due while no process ran is made up for by the highest alone."""
    clock = ladder.clocks.get(rank)
    told = [row for row in rows if row.kind == "alert"]
    if clock is None or all(row.state == "cancelled" or row.told_in == "summary" for row in told):
        return
    start = min((row.sent_at for row in told if row.sent_at), default=min(row.created_at for row in told))
    taken = {row.key for row in rows if row.kind == "escalation"}
    for step in reversed(range(len(ladder.steps))):
        span = clock * (step + 1)
        at_once = is_at_once(alert.kind, alert.level, rank)
        if now < (start + span if at_once else policy.hours.after(start, span)):
            continue
        channels = named(ladder.steps[step], directory, koc, now) or directory.channels
        if not any(delivery_key(alert.key, name, "escalation", step) in taken for name in directory.channels):
            yield from (_delivery(alert, name, "escalation", now, step) for name in channels)
        return


def _delivery(alert: Alert, channel: str, kind: DeliveryKind, now: datetime, step: int = 0) -> Delivery:
    key = delivery_key(alert.key, channel, kind, step)
    return Delivery(key, alert.key, channel, kind, "pending", now, next_try_at=now)
