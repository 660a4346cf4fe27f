"""Channels that take no messages any more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from listener.signals.deliveries import failing_channels, others_of
from storage.records import Alert, ChannelState, Unsent

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
OLD = NOW - timedelta(hours=1)


def state(failures: int, sent_at: datetime | None = OLD) -> dict[str, ChannelState]:
    return {"mail": ChannelState("mail", failures, None, NOW, sent_at, "connection refused\nTraceback")}


def told(failures: int, unsent: Unsent | None) -> tuple[Alert, ...]:
    return failing_channels(state(failures), {"mail": unsent} if unsent else {}, ["mail", "chat"], NOW)


@pytest.mark.parametrize(
    ("failures", "unsent"),
    [
        (0, Unsent(3, 1, OLD)),  # it works again
        (5, None),  # it owes nothing
        (2, Unsent(1, 0, OLD)),  # a short trouble
        (5, Unsent(1, 0, NOW - timedelta(minutes=10))),
    ],
)
def test_a_short_trouble_is_not_told(failures: int, unsent: Unsent | None) -> None:
    assert told(failures, unsent) == ()


def test_a_channel_that_refuses_for_half_an_hour_is_told_with_what_waits() -> None:
    (alert,) = told(3, Unsent(4, 0, OLD))
    e = alert.evidence
    assert (e["channel"], e["waiting"], e["dead"], e["error"]) == ("mail", 4, 0, "connection refused")
    assert (alert.koc_id, alert.brand, alert.fired_at) == ("", "", OLD)


def test_a_message_that_was_given_up_is_told_at_once() -> None:
    assert len(told(1, Unsent(0, 1, NOW))) == 1


def test_an_outage_is_one_alert_and_the_next_one_another() -> None:
    (first,) = told(3, Unsent(4, 0, OLD))
    (same,) = told(9, Unsent(7, 2, OLD - timedelta(minutes=5)))
    (other,) = failing_channels(state(3, NOW), {"mail": Unsent(1, 1, NOW)}, ["mail"], NOW)
    (never,) = failing_channels(state(3, None), {"mail": Unsent(1, 1, NOW)}, ["mail"], NOW)
    assert first.key == same.key
    assert len({first.key, other.key, never.key}) == 3


def test_it_is_never_told_through_the_failing_channel() -> None:
    (alert,) = told(3, Unsent(4, 0, OLD))
    assert others_of(alert, ["mail", "chat"], ["mail", "chat", "hook"]) == ("chat",)
    assert others_of(alert, ["mail"], ["mail", "chat", "hook"]) == ("chat", "hook")
    assert others_of(alert, ["mail"], ["mail"]) == ()


def test_a_channel_that_is_switched_off_is_nobodys_trouble() -> None:
    assert failing_channels(state(5), {"mail": Unsent(1, 1, OLD)}, ["chat"], NOW) == ()
