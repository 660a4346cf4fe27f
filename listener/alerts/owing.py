"""Alerts that nobody has taken on, and the clock → deliveries that are owed besides: to whoever is on call, up the ladder."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from listener.alerts.policy import Kept, Policy
from listener.alerts.routing import Directory, channels_of, named
from listener.alerts.severities import is_at_once
from listener.keys import delivery_key
from storage.policy_records import Mute
from storage.records import Alert, Delivery, DeliveryKind, Koc, Severity, StoredAlert

ON_CALL_WITHIN = timedelta(days=1)  # what has waited longer than a night waits for the morning

CLOSED = frozenset({Kept.QUIET_HOURS, Kept.REST_DAY, Kept.WEEKEND})


class Freed(StrEnum):
    """Why somebody is told of an alert after all while people may not be disturbed; a delivery is marked with it."""

    STAND_IN = "stand-in"  # whoever is on call can't be reached
    GRAVER = "graver"  # it has become urgent since


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
    down: Collection[str] = (),
) -> list[Delivery]:
    """Deliveries that these alerts, current and taken on by nobody, need besides those they have; one that they have is among
    them where it waits for the morning no more, marked with the reason.

    What is told at any hour goes to whoever is on call, where people of its own channels may not be disturbed now; to the next
    one of the rota where these channels are ``down``, and to everybody where nobody else can be reached. One that has become
    graver since it was made (its posts have spread) goes to whom routes send the graver one. One that nobody heard, and
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
        woken = _woken(alert, rank, told, now, policy, directory, down)
        channels = _graver(alert, rank, koc, directory)
        if not any(row.state in ("sent", "summarized") or row.channel in directory.channels for row in told):
            channels += channels_of(alert, koc, directory, rank)
        known = {row.channel for row in (*told, *woken)}
        made += woken
        made += [_delivery(alert, name, "alert", now) for name in dict.fromkeys(channels) if name not in known]
        made += _escalated(alert, rank, rows, now, policy, directory, ladder, koc)
    return made


def _woken(
    alert: Alert,
    rank: Severity,
    told: Sequence[Delivery],
    now: datetime,
    policy: Policy,
    directory: Directory,
    down: Collection[str],
) -> list[Delivery]:
    """What goes out at this hour all the same: new deliveries, and such as were to wait until people may be disturbed."""
    waits = [row for row in told if row.state == "pending" and not policy.hours_of(row.channel).is_open(now)]
    was_grave = is_at_once(alert.kind, alert.level, alert.severity)
    is_old = was_grave and min(row.created_at for row in told) < now - ON_CALL_WITHIN
    if not waits or is_old or not is_at_once(alert.kind, alert.level, rank):
        return []
    unheard = {*down, *(row.channel for row in told if row.state == "dead")}
    first, names = policy.on_call(now), policy.awake(now, unheard)
    is_unreached = bool(first) and all(name in unheard for name in first)
    if not names and (is_unreached or not was_grave):
        here = [row.channel for row in told if row.channel not in unheard]
        names = tuple(here or (name for name in directory.channels if name not in unheard))
    why = Freed.STAND_IN if is_unreached else "" if was_grave else Freed.GRAVER
    rows, made = {row.channel: row for row in told}, []
    for name in names:
        row, reason = rows.get(name), "" if is_unreached and name in first else why
        if row is None:
            made.append(replace(_delivery(alert, name, "alert", now), held=reason))
        elif reason and row.state == "pending" and row.held in CLOSED:
            made.append(replace(row, held=reason, next_try_at=now))
    return made


def _graver(alert: Alert, rank: Severity, koc: Koc | None, directory: Directory) -> list[str]:
    if rank == alert.severity or not directory.routes:
        return []
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
