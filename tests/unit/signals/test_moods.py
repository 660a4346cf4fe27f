"""A brand-wide shift is one signal, with the posts of the public that made it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from listener.signals.moods import brand_verdict
from storage.records import BrandShift, KocMention, PostKey
from tests.unit.drift.conftest import START, mention_of

ZONE = ZoneInfo("Asia/Shanghai")
SHIFT = BrandShift(date(2026, 6, 5), date(2026, 6, 12), 0.35, -0.07, 147, 4022, ended=True)


class Posts:
    """Two loud posts on any days; remembers which were asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, date, date, int]] = []

    def __call__(self, brand: str, first: date, last: date, most: int) -> Sequence[KocMention]:
        self.asked.append((brand, first, last, most))
        return [mention_of(1, "a", START), mention_of(2, "a", START)]


def test_a_shift_fires_at_the_midnight_that_closed_its_first_bad_week_and_quotes_that_week() -> None:
    posts = Posts()
    (signal,) = brand_verdict("星澜", [SHIFT], posts, ZONE).signals
    assert posts.asked == [("星澜", date(2026, 5, 29), date(2026, 6, 4), 6)]
    assert signal.at == datetime(2026, 6, 4, 16, tzinfo=UTC)
    assert (signal.kind, signal.koc_id, signal.tipped_by) == ("brand-shift", "", PostKey("", "2026-06-05"))
    assert [key.post_id for key in signal.posts] == ["K1-0001", "K1-0002"]
    assert signal.evidence["days"] == 8


def test_its_end_is_a_dated_change_and_a_running_one_has_none() -> None:
    verdict = brand_verdict("星澜", [SHIFT], Posts(), ZONE)
    (change,) = verdict.state.changes
    assert (change.status, change.at) == ("recovered", datetime(2026, 6, 15, 16, tzinfo=UTC))
    assert verdict.signals[0].ended_at == change.at
    running = BrandShift(
        *[getattr(SHIFT, name) for name in ("first", "last", "before", "worst", "mentions", "before_mentions")], False
    )
    verdict = brand_verdict("星澜", [running], Posts(), ZONE)
    assert verdict.state.changes == ()
    assert verdict.signals[0].ended_at is None
    assert verdict.shifts == (running,)


def test_a_calm_brand_says_nothing() -> None:
    verdict = brand_verdict("星澜", [], Posts(), ZONE)
    assert (verdict.signals, verdict.drifts, verdict.state.koc_id) == ((), (), "")
