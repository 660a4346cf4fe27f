"""Sources that are not heard any more."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from listener.health import health_of
from listener.signals.sources import Expected, silent_sources
from storage.records import Alert, Crawl, CrawlOutcome

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
HOURLY = Expected("论坛", "forum", timedelta(hours=1), "星澜")
ZONE = ZoneInfo("Asia/Shanghai")


def crawl(hours_ago: float, outcome: CrawlOutcome = "done", error: str = "") -> Crawl:
    at = NOW - timedelta(hours=hours_ago)
    return Crawl(f"c{hours_ago}", "论坛", "forum", at, at, outcome, 0, error)


def told(crawls: list[Crawl], posts: dict[int, int] | None = None, expected: Expected = HOURLY) -> tuple[Alert, ...]:
    fares = {"论坛": health_of(posts, crawls, today=100, now=NOW)} if posts is not None else {}
    return silent_sources([expected], crawls, fares, NOW, ZONE)


def test_a_source_that_is_read_to_its_end_and_speaks_is_well() -> None:
    assert told([crawl(n) for n in range(1, 30)], dict.fromkeys(range(60, 101), 3)) == ()


def test_an_outage_is_told_after_three_turns_and_six_hours_and_not_before() -> None:
    failing = [crawl(30), *(crawl(n, "failed", "Timeout\nmore") for n in (5.5, 4.5, 3.5, 2.5, 1.5))]
    assert told(failing) == ()
    (alert,) = told([crawl(30), crawl(6.5, "failed", "x"), *failing[1:]])
    assert alert.evidence["what"] == "failed"
    assert (alert.evidence["crawls"], alert.evidence["error"]) == (6, "Timeout")
    assert alert.fired_at == NOW - timedelta(hours=0.5)
    assert (alert.brand, alert.koc_id, alert.posts) == ("星澜", "", ())


def test_a_slow_source_waits_for_three_of_its_own_turns() -> None:
    daily = replace(HOURLY, every=timedelta(days=1))
    failing = [crawl(90), crawl(60, "failed"), crawl(36, "failed"), crawl(12, "failed")]
    assert told(failing, expected=daily) == ()
    assert len(told([crawl(110), crawl(84, "failed"), *failing[1:]], expected=daily)) == 1


def test_one_crawl_that_failed_long_ago_and_none_since_is_no_outage_yet() -> None:
    assert told([crawl(48), crawl(40, "failed")]) == ()


def test_blocked_and_changed_have_their_own_words_and_an_outage_stays_one_alert() -> None:
    failing = [crawl(30), *(crawl(n, "failed") for n in (9, 8, 7))]
    (first,) = told(failing)
    (blocked,) = told([*failing, crawl(6, "blocked")])
    (changed,) = told([*failing, crawl(6, "blocked"), crawl(5, "changed")])
    assert [one.evidence["what"] for one in (first, blocked, changed)] == ["failed", "blocked", "changed"]
    assert first.key == blocked.key == changed.key


def test_the_next_crawl_that_is_done_ends_it_and_the_next_outage_is_another() -> None:
    failing = [crawl(30), *(crawl(n, "failed") for n in (29, 28, 27))]
    (first,) = told(failing)
    assert told([*failing, crawl(26)]) == ()
    (second,) = told([*failing, crawl(26), *(crawl(n, "failed") for n in (9, 8, 7))])
    assert second.key != first.key


def test_crawls_that_run_or_were_cut_say_nothing() -> None:
    assert told([crawl(30), *(crawl(n, "cut") for n in (9, 8, 7)), crawl(1, "running")]) == ()


def test_a_source_that_was_never_read_to_its_end_is_told_too() -> None:
    (alert,) = told([crawl(n, "blocked") for n in (9, 8, 7)])
    assert alert.evidence["done_at"] is None


def test_a_source_that_is_read_and_brings_nothing_is_silent_with_its_usual_and_its_last_day() -> None:
    posts = dict.fromkeys(range(50, 95), 4)
    (alert,) = told([crawl(n) for n in range(1, 30)], posts)
    assert (alert.evidence["what"], alert.evidence["silent_days"], alert.evidence["usual"]) == ("silent", 5, 4.0)
    assert alert.evidence["since"] == "2026-06-04"
    assert alert.fired_at == datetime(2026, 6, 5, tzinfo=ZONE)
    (later,) = silent_sources(
        [HOURLY],
        [crawl(1)],
        {"论坛": health_of(posts, [crawl(1)], today=101, now=NOW + timedelta(days=1))},
        NOW + timedelta(days=1),
        ZONE,
    )
    assert later.key == alert.key


def test_silence_is_told_only_of_what_was_read_to_its_end() -> None:
    posts = dict.fromkeys(range(50, 95), 4)
    assert told([], posts) == ()


def test_sources_that_nobody_expects_are_left_alone() -> None:
    assert silent_sources([], [crawl(n, "blocked") for n in (9, 8, 7)], {}, NOW, ZONE) == ()


def test_a_slow_source_may_pause_for_as_long_as_chance_lets_it() -> None:
    every_third = dict.fromkeys(range(50, 91, 3), 1)
    quiet_for = {
        today: bool(silent_sources([HOURLY], [crawl(1)], {"论坛": fares}, NOW, ZONE))
        for today, fares in ((today, health_of(every_third, [crawl(1)], today=today, now=NOW)) for today in (96, 102, 108, 116))
    }
    assert quiet_for == {96: False, 102: False, 108: False, 116: True}
