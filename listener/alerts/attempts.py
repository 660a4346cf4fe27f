"""A delivery after the attempt to send it: arrived, to be tried again, handed back, or given up."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from listener.keys import key_of
from storage.records import Delivery, DeliveryState

BACK_OFF = (
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=12),
    timedelta(hours=24),
)
JITTER = 0.1


def told(one: Delivery, now: datetime, kind: str) -> Delivery:
    """The delivery after its message of this kind has arrived."""
    state: DeliveryState = "summarized" if kind in ("summary", "digest", "storm") else "sent"
    return replace(one, state=state, sent_at=now, next_try_at=None, claimed_until=None, error="", held="", told_in=kind)


def failed(
    one: Delivery, now: datetime, error: str, permanent: bool = False, retry_after: timedelta | float | None = None
) -> Delivery:
    """The delivery after an attempt that failed: to be tried again later, or given up (``dead``)."""
    at = None if permanent else next_try(one.channel, one.attempts, now, retry_after)
    if at is None:
        return given_up(one, error)
    return replace(one, state="pending", next_try_at=at, claimed_until=None, error=error)


def handed_back(one: Delivery) -> Delivery:
    """A claimed delivery that was not tried after all: due again at once, its attempt given back. It goes on to name the claim
    that it gives back, so that the store can tell it from a later one."""
    return replace(one, state="pending", attempts=max(one.attempts - 1, 0))


def given_up(one: Delivery, error: str) -> Delivery:
    """The delivery given up: `listener deliver --retry` may bring it back."""
    return replace(one, state="dead", next_try_at=None, claimed_until=None, error=error)


def next_try(channel: str, attempts: int, now: datetime, retry_after: timedelta | float | None = None) -> datetime | None:
    """When to try again after so many attempts (1, 2 …), None to give up. retry_after (seconds or a span): what the receiver
    asked for; it is obeyed up to a day.

    The jitter is up to a tenth more, by channel and attempt: channels spread out, while what failed together in one message is
    tried together in one message again.
    """
    if attempts > len(BACK_OFF):
        return None
    wait = BACK_OFF[max(attempts, 1) - 1]
    wait += wait * (JITTER * int(key_of(channel, str(attempts))[:8], 16) / 0xFFFFFFFF)
    if retry_after is not None:
        asked = retry_after if isinstance(retry_after, timedelta) else timedelta(seconds=retry_after)
        wait = max(wait, min(asked, BACK_OFF[-1]))
    return now + wait
