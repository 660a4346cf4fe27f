"""A verdict and what is stored → what changes: alerts, those superseded, deliveries made and cancelled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from listener.alerts.making import alerts_of
from listener.keys import delivery_key
from storage.records import Alert, Changes, Delivery, DeliveryKind, Koc, StoredAlert, Verdict

HEARD = ("sent", "summarized")  # states of a delivery that somebody has received


def reconcile(
    verdict: Verdict,
    *,
    stored: Sequence[StoredAlert],
    deliveries: Sequence[Delivery],
    channels: Sequence[str],
    koc: Koc | None,
    now: datetime,
    channels_of: Callable[[Alert], Sequence[str]] | None = None,
) -> Changes:
    """What a replay of one KOC and brand changes in the store; cases are left to `listener.cases.following`.

    stored, deliveries: all of this KOC and brand, superseded, cancelled and sent ones too. channels: all that are switched on;
    channels_of: those that an alert goes to, None: all. Applied twice it changes nothing.
    It reads the states of what is stored, not the events that led there, so a process killed between any two transactions
    leaves nothing to repair:

    - An alert that is new, or back, gets a pending delivery on each of its channels. One that is old news for a channel that is
      added later gets none there, and neither does a quiet one that is over already, unless it turns out not to be.
    - An alert that is not wanted any more is superseded. What nobody received is cancelled; where somebody has received it,
      or is just receiving it, be it as an escalation, one correction follows on that channel, after the sending has ended.
    - An alert that is back: what was cancelled unsent is pending again under its own key, a correction that nobody received
      is cancelled, and where the correction was received the alert is told again, under a new key, since a receiver that
      drops what it has seen would drop the old one.
    """
    wanted = {alert.key: alert for alert in alerts_of(verdict, koc.tier if koc else "")}
    known = {one.alert.key: one for one in stored}
    rows = {one.key: one for one in deliveries}
    used: dict[str, set[str]] = {}
    for one in deliveries:
        used.setdefault(one.alert_key, set()).add(one.channel)
    made: list[Delivery] = []
    cancelled: list[str] = []
    for key in [*wanted, *sorted(known.keys() - wanted.keys())]:
        is_new = key in wanted and not wanted[key].is_over and _is_news(known.get(key))
        own = (channels_of(wanted[key]) if channels_of else channels) if key in wanted else ()
        for channel in [*own, *sorted(used.get(key, set()) - set(own))]:
            thread = _Thread(key, channel, rows)
            made += thread.renewed(is_new and channel in own, now) if key in wanted else thread.corrected(now)
            cancelled += thread.cancelled(key in wanted)
    return Changes(
        state=verdict.state,
        drifts=verdict.drifts,
        alerts=tuple(wanted.values()),
        superseded=tuple(sorted(key for key, one in known.items() if one.state == "current" and key not in wanted)),
        deliveries=tuple(one for one in made if one.channel in channels),
        cancelled=tuple(cancelled),
        cases=(),
        steps=(),
        shifts=verdict.shifts,
        finds=verdict.finds,
    )


def _is_news(known: StoredAlert | None) -> bool:
    """Whether an alert that stands, and of which this is stored, is yet to be told."""
    return known is None or known.state == "superseded" or known.alert.is_over


class _Thread:
    """What one channel was told of one alert: the last telling, and its correction if there is one."""

    def __init__(self, alert_key: str, channel: str, rows: Mapping[str, Delivery]) -> None:
        self.alert_key, self.channel = alert_key, channel
        self.turn = 0
        while delivery_key(alert_key, channel, "alert", self.turn + 1) in rows:
            self.turn += 1
        self.told = rows.get(delivery_key(alert_key, channel, "alert", self.turn))
        self.correction = rows.get(delivery_key(alert_key, channel, "correction", self.turn))
        # of the telling before: tried, so that nobody knows whether it was heard, and cancelled when the alert came back
        self.before = rows.get(delivery_key(alert_key, channel, "correction", self.turn - 1)) if self.turn else None
        same = (one for one in rows.values() if (one.alert_key, one.channel) == (alert_key, channel))
        self.escalations = sorted((one for one in same if one.kind == "escalation"), key=lambda one: one.key)

    def renewed(self, is_new: bool, now: datetime) -> Iterator[Delivery]:
        """What has to go out because the alert stands."""
        if self.told is None:
            if is_new:
                yield self._pending("alert", self.turn, now, None)
        elif self.told.state in (*HEARD, "cancelled"):
            if self.correction and self.correction.state in (*HEARD, "sending"):
                yield self._pending("alert", self.turn + 1, now, self.correction.claimed_until)
            elif self.told.state == "cancelled":
                after = self.before.claimed_until if self.before else None
                yield replace(self._pending("alert", self.turn, now, after), in_doubt=self.told.in_doubt)

    def corrected(self, now: datetime) -> Iterator[Delivery]:
        """What has to go out because the alert does not stand any more."""
        heard = [one for one in (self.told, *self.escalations) if one and (one.in_doubt or one.state in (*HEARD, "sending"))]
        if heard and (self.correction is None or self.correction.state == "cancelled"):
            after = max((one.claimed_until for one in heard if one.claimed_until), default=None)
            yield self._pending("correction", self.turn, now, after)
        if self.told and self.told.state in ("pending", "cancelled") and self.before and self.before.state == "cancelled":
            yield replace(self.before, state="pending", next_try_at=now, claimed_until=None)  # its alert was heard, and is gone

    def cancelled(self, is_wanted: bool) -> Iterator[str]:
        """What must not go out: an alert that does not stand, the correction of one that does, or that nobody heard of."""
        rows = [one for one in (self.told, *self.escalations) if one]
        is_unheard = all(one.state == "pending" and not one.in_doubt for one in rows)
        if not is_wanted:
            yield from (one.key for one in self.escalations if one.state == "pending")
        if self.told and self.told.state == "pending" and not is_wanted:
            yield self.told.key
        if self.correction and self.correction.state == "pending" and (is_wanted or is_unheard):
            yield self.correction.key
        if self.before and self.before.state == "pending" and is_wanted:
            yield self.before.key

    def _pending(self, kind: DeliveryKind, turn: int, now: datetime, after: datetime | None) -> Delivery:
        key = delivery_key(self.alert_key, self.channel, kind, turn)
        return Delivery(key, self.alert_key, self.channel, kind, "pending", now, next_try_at=max(now, after or now))
