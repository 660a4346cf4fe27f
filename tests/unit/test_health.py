"""How a source fares, by its own measure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from listener.health import Health, health_of, words_of
from storage.records import Crawl, CrawlOutcome

NOW = datetime(2026, 3, 1, tzinfo=UTC)
TODAY = 1000


def crawl(days_ago: float, outcome: CrawlOutcome) -> Crawl:
    return Crawl(f"{days_ago}{outcome}", "s", "weibo", NOW - timedelta(days=days_ago), NOW, outcome, 0, "")


def judged(posts: dict[int, int], *crawls: Crawl) -> Health:
    return health_of({TODAY + day: count for day, count in posts.items()}, crawls, today=TODAY, now=NOW)


def test_a_busy_source_that_says_nothing_for_two_days_is_silent() -> None:
    busy = dict.fromkeys(range(-40, -2), 12)
    found = judged(busy)
    assert (found.usual, found.silent_days, found.is_silent) == (12.0, 2, True)
    assert not judged(busy | {-2: 1}).is_silent
    assert not judged(busy | {0: 1}).is_silent, "it speaks again today"


@pytest.mark.parametrize(("silent", "expected"), [(9, False), (12, False), (13, True), (16, True)])
def test_a_source_that_often_pauses_is_given_twice_its_longest_pause(silent: int, expected: bool) -> None:
    weekly = {-silent - 1 - 7 * week: 4 for week in range(5)}
    assert judged(weekly).is_silent is expected


def test_a_source_that_hardly_ever_spoke_has_no_pace_to_fall_from() -> None:
    found = judged({-30: 3, -25: 4})
    assert (found.usual, found.is_silent) == (None, False)
    assert words_of(found, "en") == ""


def test_a_new_source_is_not_silent() -> None:
    assert judged({}) == Health(None, 0.0, 0, False, None, None)


def test_the_share_of_crawls_that_went_wrong_is_of_the_last_week() -> None:
    older = [crawl(20, "failed"), crawl(3, "done"), crawl(2, "blocked")]
    found = judged({}, *older, crawl(1, "cut"), crawl(0.5, "changed"), crawl(0, "running"))
    assert (found.errors, found.last_done_at) == (0.5, NOW - timedelta(days=3))
    assert words_of(found, "zh-CN") == "近 7 天 50% 的抓取出错"


def test_both_languages_say_what_to_do() -> None:
    found = judged(dict.fromkeys(range(-40, -5), 3), crawl(1, "failed"))
    assert words_of(found, "zh-CN").startswith("已 5 天没有新内容，平时每天约 3.0 条：来源可能已失效")
    assert words_of(found, "en").endswith("open it and look; 100% of the last 7 days' crawls went wrong")
    assert "usually 3.0" in words_of(judged(dict.fromkeys(range(-40, 0), 3)), "en")
