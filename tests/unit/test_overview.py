"""What a workspace knows of its KOCs: who is silent is said only where every timeline was read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from listener.overview import silent_of
from storage.records import DriftState, KocCoverage, Reach
from tests.alerted import history

DAY = timedelta(days=1)
SPOKEN = replace(history(before=6, after=0), koc_id="K1")  # a mention every nine days
LAST = SPOKEN.mentions[-1].posted_at


def silent(*, reach: Reach = "covered", heard_to: datetime | None, mentions: int = 6) -> tuple[dict[Any, datetime], int]:
    """Who is silent, and how many histories were read to find it out."""
    read: list[str] = []

    def load(koc_id: str, brand: str) -> Any:
        read.append(koc_id)
        return SPOKEN

    app: Any = SimpleNamespace(store=SimpleNamespace(history=load))
    state = DriftState("K1", "星澜", "advocate", mentions, 0.7, 0.7, LAST, 0.1, "loyal", (), "c1")
    known = KocCoverage("K1", reach, "timeline", heard_to, heard_to, LAST, None, ())
    return silent_of(app, [state], {"K1": known}), len(read)


def test_who_said_nothing_for_sixty_days_in_which_the_timeline_was_read_is_silent() -> None:
    assert silent(heard_to=LAST + 90 * DAY) == ({("K1", "星澜"): LAST + 60 * DAY}, 1)


def test_time_in_which_nobody_listened_is_no_silence() -> None:
    assert silent(heard_to=LAST + 59 * DAY) == ({}, 0)
    assert silent(heard_to=None) == ({}, 0)


@pytest.mark.parametrize("reach", ["partly", "imported", "not-covered"])
def test_of_who_is_not_read_to_the_end_nothing_can_be_said(reach: Reach) -> None:
    assert silent(reach=reach, heard_to=datetime(2027, 1, 1, tzinfo=UTC)) == ({}, 0)


def test_without_a_pace_of_ones_own_nobody_is_silent() -> None:
    assert silent(heard_to=LAST + 90 * DAY, mentions=2) == ({}, 0)
