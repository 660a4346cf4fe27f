"""Delivery failing (推送失败): a channel that takes no messages any more → an operational alert, through the other channels.

A channel is failing when it has refused three times in a row and what it should have carried has waited for half an hour, or
when a message of this outage was given up. It is one alert an outage, dated by the oldest message that waits, and it is over
with the first message that the channel takes. The channel itself is never asked to say so: where there is no other, the status
and the exit code of `listener deliver` are all that can tell. No false alarm by chance: a channel that takes its messages has
no failures in a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from listener.keys import key_of
from storage.records import Alert, ChannelState, Unsent

KIND = "delivery-failing"
REFUSALS = 3  # in a row
WAITING = timedelta(minutes=30)


def failing_channels(
    states: Mapping[str, ChannelState], unsent: Mapping[str, Unsent], channels: Iterable[str], now: datetime
) -> tuple[Alert, ...]:
    """One alert for each of these channels that is failing now, by key. unsent: by channel, of the outage."""
    found = []
    for name in channels:
        state, owed = states.get(name), unsent.get(name)
        if state is None or owed is None or not state.failures:
            continue
        has_waited = state.failures >= REFUSALS and now - owed.oldest_at >= WAITING
        if has_waited or owed.dead:
            found.append(_alert(state, owed))
    return tuple(sorted(found, key=lambda one: one.key))


def others_of(alert: Alert, routed: Sequence[str], channels: Sequence[str]) -> tuple[str, ...]:
    """The channels that an alert goes to: of a failing channel the other ones of its route, else any other.

    >>> from storage.records import ChannelState, Unsent
    >>> at = datetime(2026, 1, 1)
    >>> (alert,) = failing_channels({"mail": ChannelState("mail", 3)}, {"mail": Unsent(1, 1, at)}, ["mail"], at)
    >>> others_of(alert, ["mail"], ["mail", "chat"])
    ('chat',)
    """
    if alert.kind != KIND:
        return tuple(routed)
    failing = alert.evidence["channel"]
    return tuple(name for name in routed if name != failing) or tuple(name for name in channels if name != failing)


def _alert(state: ChannelState, owed: Unsent) -> Alert:
    evidence = {
        "channel": state.name,
        "waiting": owed.waiting,
        "dead": owed.dead,
        "since": owed.oldest_at.isoformat(),
        "sent_at": state.sent_at.isoformat() if state.sent_at else None,
        "error": state.error.partition("\n")[0][:300],
    }
    key = key_of(KIND, state.name, state.sent_at.isoformat() if state.sent_at else "")
    return Alert(key, KIND, None, "important", "", "", owed.oldest_at, None, evidence, ())
