"""What is due or has stopped working, by the clock → operational alerts, and their deliveries: made, and taken away unsent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from listener.alerts.severities import severity_of
from listener.keys import delivery_key
from storage.records import OPERATIONAL_KINDS, Alert, Delivery, Koc, Reminders, StoredAlert


def reminders(
    wanted: Sequence[Alert],
    *,
    stored: Sequence[StoredAlert],
    deliveries: Mapping[str, Sequence[Delivery]],
    channels_of: Callable[[Alert], Sequence[str]],
    kocs: Mapping[str, Koc],
    now: datetime,
) -> Reminders:
    """What these operational alerts, all that are due now, change. Applied twice it changes nothing.

    wanted: their severity is set here, by the table. stored: every operational alert ever made, deliveries: theirs, by alert.
    One that is new gets a delivery on each of its channels; one that is wanted again those that nobody received. One that is
    wanted no more is superseded and its unsent deliveries are cancelled; no correction follows, since it was true.
    """
    if strange := {alert.kind for alert in wanted} - OPERATIONAL_KINDS:
        raise ValueError(f"no operational kind: {min(strange)!r}; there are: {', '.join(sorted(OPERATIONAL_KINDS))}")
    current = {alert.key: _graded(alert, kocs.get(alert.koc_id)) for alert in sorted(wanted, key=lambda one: one.key)}
    known = {one.alert.key: one for one in stored}
    gone = sorted(key for key, one in known.items() if one.state == "current" and key not in current)
    made = [
        one
        for alert in current.values()
        if alert.key not in known or known[alert.key].state == "superseded"
        for one in _unsent(alert, channels_of(alert), deliveries.get(alert.key, ()), now)
    ]
    return Reminders(
        alerts=tuple(alert for key, alert in current.items() if key not in known or _differs(known[key], alert)),
        superseded=tuple(gone),
        deliveries=tuple(made),
        cancelled=tuple(one.key for key in gone for one in deliveries.get(key, ()) if one.state in ("pending", "dead")),
    )


def _graded(alert: Alert, koc: Koc | None) -> Alert:
    return replace(alert, severity=severity_of(alert.kind, alert.level, koc.tier if koc else ""))


def _differs(known: StoredAlert, alert: Alert) -> bool:
    return known.state != "current" or known.alert != alert


def _unsent(alert: Alert, channels: Sequence[str], told: Sequence[Delivery], now: datetime) -> list[Delivery]:
    """A pending delivery for each channel that was told nothing yet."""
    rows = {one.channel: one for one in told if one.kind == "alert"}
    keys = {name: delivery_key(alert.key, name, "alert") for name in channels}
    return [
        Delivery(key, alert.key, name, "alert", "pending", now, next_try_at=now, in_doubt=name in rows and rows[name].in_doubt)
        for name, key in keys.items()
        if name not in rows or rows[name].state == "cancelled"
    ]
