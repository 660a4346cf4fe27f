"""What a workspace knows of its KOCs: who is silent is said only where every timeline was read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from listener.overview import silent_of
from storage.records import KocCoverage, Reach, StoredAlert
from tests.stored import alert, at

SINCE = datetime(2026, 3, 1, tzinfo=UTC)
SILENT = StoredAlert(replace(alert("a" * 32, "K1", fired_at=SINCE), kind="silence", level=None), "current", at(9), None)


def known(reach: Reach = "covered") -> dict[str, KocCoverage]:
    return {"K1": KocCoverage("K1", reach, "timeline", at(9), at(9), at(1), None, ())}


def test_who_has_a_silence_that_stands_is_silent_since_it_fired() -> None:
    assert silent_of([SILENT], known()) == {("K1", SILENT.alert.brand): SINCE}


def test_a_silence_that_is_over_and_other_alerts_make_nobody_silent() -> None:
    over = replace(SILENT, alert=replace(SILENT.alert, evidence={"ended_at": SINCE.isoformat()}))
    drift = replace(SILENT, alert=replace(SILENT.alert, kind="drift", level="amber"))
    assert silent_of([over, drift], known()) == {}


@pytest.mark.parametrize("reach", ["partly", "imported", "not-covered"])
def test_of_who_is_not_read_to_the_end_nothing_can_be_said(reach: Reach) -> None:
    assert silent_of([SILENT], known(reach)) == {}
    assert silent_of([SILENT], {}) == {}
