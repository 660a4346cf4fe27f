"""Claimed deliveries → messages: what is sent together, and in which order."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast

from listener.alerts.severities import URGENCY
from storage.records import Delivery, Message, MessageKind, StoredAlert

MOST_ROWS = 100  # in one summary or correction

Claimed = Sequence[tuple[Delivery, StoredAlert]]


def moot(claimed: Claimed, acknowledged: Collection[str] = ()) -> list[Delivery]:
    """Those of the claimed that must not be sent any more, cancelled: the alert was superseded, its correction is untrue, or
    somebody has taken on (``acknowledged``: keys of such alerts) what was to be escalated, since the delivery was made."""
    return [
        replace(one, state="cancelled", claimed_until=None, held="")
        for one, about in claimed
        if not _holds(one, about) or (one.kind == "escalation" and about.alert.key in acknowledged)
    ]


def plan(claimed: Claimed, *, now: datetime, deliver_within: timedelta, most_rows: int = MOST_ROWS) -> list[Message]:
    """What to send together, in this order, one after another. Moot deliveries (see `moot`) are left out.

    On one channel all news of one KOC and brand share a message, so that an amber can't arrive behind its red; a correction
    goes right before the news of its KOC, so that what was heard last is true. The most urgent KOC comes first. Turns older
    than `deliver_within`, by event time, are told in a summary, in order of time, after everything else; corrections of
    old ones share a message too. An old amber whose red is fresh goes along with it. What nobody has taken on is escalated in a
    message of its own.
    """
    valid = [pair for pair in claimed if _holds(*pair)]
    since = now - deliver_within
    messages: list[Message] = []
    for channel in sorted({one.channel for one, _ in valid}):
        here = [pair for pair in valid if pair[0].channel == channel]
        groups: dict[tuple[str, str], list[tuple[Delivery, StoredAlert]]] = {}
        for pair in sorted(here, key=_by_time):
            groups.setdefault((pair[1].alert.brand, pair[1].alert.koc_id), []).append(pair)
        fresh = [group for group in groups.values() if any(about.alert.fired_at >= since for _, about in group)]
        old = [pair for group in groups.values() if group not in fresh for pair in group]
        for group in sorted(fresh, key=_urgency):
            messages += messages_of(channel, group, "alert", len(group))
        messages += messages_of(channel, sorted(old, key=_by_time), "summary", most_rows)
    return messages


def messages_of(channel: str, pairs: Claimed, kind: MessageKind, most: int) -> Iterator[Message]:
    """Corrections first, then what is escalated, then the alerts in messages of that kind, at most so many in one."""
    for own, told_in in (("correction", "correction"), ("escalation", "escalation"), ("alert", kind)):
        rows = [one for one, _ in pairs if one.kind == own]
        for start in range(0, len(rows), most):
            yield Message(channel, cast("MessageKind", told_in), tuple(rows[start : start + most]))


def _holds(one: Delivery, about: StoredAlert) -> bool:
    return (one.kind != "correction") == (about.state == "current")


def _by_time(pair: tuple[Delivery, StoredAlert]) -> tuple[datetime, str, str]:
    one, about = pair
    return about.alert.fired_at, about.alert.key, one.key


def _urgency(group: Claimed) -> tuple[int, datetime, str]:
    alerts = [about.alert for _, about in group]
    return min(URGENCY[a.severity] for a in alerts), min(a.fired_at for a in alerts), alerts[0].key
