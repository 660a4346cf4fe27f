"""Who is covered, and why not: blocked, changed, never heard and truly empty differ; silence needs a listener."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from listener.coverage import Why, coverage_of
from storage.records import Account, AccountCoverage, Crawl, CrawlOutcome, Heard, Koc, KocCoverage, Listening

NOW = datetime(2026, 5, 1, 8, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ME = ("weibo", "1001")


def koc(*accounts: tuple[str, str]) -> Koc:
    return Koc("K1", "小满", tuple(Account(p, a, "ab" * 32) for p, a in accounts))


def timelines(every: timedelta | None = HOUR, **more: object) -> Listening:
    return Listening("w-timelines", "weibo", roster=True, every=every, **more)  # type: ignore[arg-type]


def search(**more: object) -> Listening:
    return Listening("w-search", "weibo", searches=True, every=HOUR, **more)  # type: ignore[arg-type]


def crawl(ago: timedelta, outcome: CrawlOutcome = "done", *covered: tuple[str, str], source: str = "w-timelines") -> Crawl:
    at = NOW - ago
    return Crawl(at.isoformat(), source, "weibo", at, at + timedelta(minutes=5), outcome, 9, "", covered)


def heard(posts: int = 3, last_post: timedelta = DAY, seen: timedelta = HOUR, covered: timedelta | None = None) -> Heard:
    return Heard(*ME, NOW - seen, NOW - last_post, posts, None if covered is None else NOW - covered)


def of(
    listenings: list[Listening], crawls: list[Crawl], heards: list[Heard], *accounts: tuple[str, str]
) -> tuple[KocCoverage, AccountCoverage]:
    found = coverage_of([koc(*(accounts or (ME,)))], listenings, crawls, heards, now=NOW)["K1"]
    return found, found.accounts[0]


def verdict(listenings: list[Listening], crawls: list[Crawl], heards: list[Heard]) -> tuple[str, str]:
    _, one = of(listenings, crawls, heards)
    return one.reach, one.why


def test_a_timeline_read_to_the_end_is_covered_and_known_up_to_the_start_of_that_crawl() -> None:
    _, one = of([timelines()], [crawl(HOUR, "done", ME)], [heard()])
    assert (one.reach, one.why, one.source) == ("covered", Why.TIMELINE, "w-timelines")
    assert one.heard_to == one.last_heard_at == NOW - HOUR
    assert one.next_at == NOW
    assert one.quiet == DAY - HOUR


def test_a_timeline_read_to_the_end_without_a_post_is_truly_empty() -> None:
    assert verdict([timelines()], [crawl(HOUR, "done", ME)], []) == ("covered", Why.EMPTY)


@pytest.mark.parametrize("outcome", ["blocked", "changed", "failed", "cut"])
def test_a_crawl_that_did_not_work_is_told_from_an_empty_timeline(outcome: CrawlOutcome) -> None:
    assert verdict([timelines()], [crawl(HOUR, outcome)], [heard()]) == ("not-covered", outcome)


def test_a_source_that_failed_just_now_is_named_while_what_it_heard_is_fresh() -> None:
    _, one = of([timelines()], [crawl(3 * HOUR, "done", ME), crawl(HOUR, "blocked")], [heard()])
    assert (one.reach, one.why, one.heard_to) == ("covered", Why.BLOCKED, NOW - 3 * HOUR)


def test_what_a_blocked_source_heard_long_ago_covers_nobody_now() -> None:
    crawls = [crawl(9 * DAY, "done", ME), crawl(HOUR, "blocked")]
    _, one = of([timelines()], crawls, [heard(last_post=10 * DAY)])
    assert (one.reach, one.why, one.heard_to) == ("not-covered", Why.BLOCKED, NOW - 9 * DAY)
    assert one.quiet == DAY  # not ten days: nobody listened since


def test_a_timeline_read_before_its_crawl_was_blocked_counts() -> None:
    assert verdict([timelines()], [crawl(HOUR, "blocked", ME)], [heard()]) == ("covered", Why.TIMELINE)


def test_a_crawl_that_ended_well_without_this_timeline_did_not_reach_it() -> None:
    assert verdict([timelines()], [crawl(HOUR, "done", ("weibo", "2"))], [heard()]) == ("not-covered", Why.NOT_REACHED)


def test_a_source_that_never_ran_has_heard_nobody() -> None:
    _, one = of([timelines(next_at=NOW + HOUR)], [], [])
    assert (one.reach, one.why, one.heard_to, one.next_at) == ("not-covered", Why.NEVER_HEARD, None, NOW + HOUR)
    assert verdict([timelines()], [crawl(HOUR, "running")], []) == ("not-covered", Why.NEVER_HEARD)


def test_a_source_that_has_not_run_for_long_is_not_heard() -> None:
    assert verdict([timelines()], [crawl(2 * DAY, "done", ME)], [heard()]) == ("not-covered", Why.NOT_HEARD)
    assert verdict([timelines(every=DAY)], [crawl(2 * DAY, "done", ME)], [heard()]) == ("covered", Why.TIMELINE)


def test_a_source_run_by_hand_covers_for_a_week() -> None:
    _, one = of([timelines(every=None)], [crawl(6 * DAY, "done", ME)], [heard()])
    assert (one.reach, one.next_at) == ("covered", None)
    assert verdict([timelines(every=None)], [crawl(8 * DAY, "done", ME)], [heard()])[0] == "not-covered"


def test_the_store_remembers_a_timeline_that_an_earlier_crawl_read() -> None:
    _, one = of([timelines()], [crawl(HOUR, "failed")], [heard(covered=2 * HOUR)])
    assert (one.reach, one.why, one.heard_to) == ("covered", Why.FAILED, NOW - 2 * HOUR)


def test_an_account_named_by_its_source_is_read_without_the_roster() -> None:
    named = Listening("w-some", "weibo", accounts=("1001",), every=HOUR)
    assert verdict([named], [crawl(HOUR, "done", ME, source="w-some")], [heard()]) == ("covered", Why.TIMELINE)
    other = Listening("w-some", "weibo", accounts=("7",), every=HOUR)
    assert verdict([other], [crawl(HOUR, "done", source="w-some")], []) == ("not-covered", Why.NO_SOURCE)


def test_a_brand_search_hears_only_part_of_an_account_and_never_its_silence() -> None:
    found, one = of([search()], [crawl(HOUR, source="w-search")], [heard()])
    assert (one.reach, one.why, one.heard_to) == ("partly", Why.SEARCH_ONLY, None)
    assert one.quiet is None
    assert found.quiet is None


def test_a_feed_hears_only_part_too() -> None:
    feed = Listening("f", "weibo", feeds=True, every=HOUR)
    assert verdict([feed], [crawl(HOUR, source="f")], []) == ("partly", Why.FEED_ONLY)


@pytest.mark.parametrize("home", ["bbs.example", "www.bbs.example", "bbs.example:8080"])
def test_a_feed_hears_the_authors_of_its_own_host(home: str) -> None:
    feed = Listening("f", "feed", feeds=True, every=HOUR, hosts=(home,))
    crawls = [crawl(HOUR, source="f")]
    _, own = of([feed], crawls, [], ("feed", f"{home}:小满"))
    assert (own.reach, own.why) == ("partly", Why.FEED_ONLY)
    other = ("feed", "elsewhere.example:小满")
    _, one = of([feed], crawls, [], other)
    assert (one.reach, one.why) == ("not-covered", Why.NO_SOURCE)
    _, one = of([feed], crawls, [Heard(*other, NOW - HOUR, NOW - DAY, 2)], other)  # it gathers posts of other hosts too
    assert (one.reach, one.why) == ("partly", Why.FEED_ONLY)


def test_a_blocked_timeline_with_a_working_search_is_partly_covered_and_says_what_is_broken() -> None:
    crawls = [crawl(HOUR, "blocked"), crawl(HOUR, source="w-search")]
    assert verdict([timelines(), search()], crawls, []) == ("partly", Why.BLOCKED)


@pytest.mark.parametrize("source", [timelines(), search()])
def test_posts_that_are_here_before_the_first_crawl_were_imported(source: Listening) -> None:
    assert verdict([source], [], [heard()]) == ("imported", Why.NEVER_HEARD)
    assert verdict([source], [], []) == ("not-covered", Why.NEVER_HEARD)


@pytest.mark.parametrize(
    ("crawls", "why"),
    [
        ([crawl(HOUR, "blocked", source="w-search")], Why.BLOCKED),
        ([crawl(9 * DAY, source="w-search")], Why.NOT_HEARD),
    ],
)
def test_a_search_that_does_not_work_hears_nobody(crawls: list[Crawl], why: Why) -> None:
    assert verdict([search()], crawls, [heard()]) == ("not-covered", why)


def test_posts_that_only_a_file_brought_are_imported() -> None:
    _, one = of([], [], [heard()])
    assert (one.reach, one.why, one.heard_to, one.quiet) == ("imported", Why.IMPORT_ONLY, None, None)
    assert one.last_heard_at == NOW - HOUR


def test_without_source_and_posts_nobody_is_heard() -> None:
    assert verdict([], [], []) == ("not-covered", Why.NO_SOURCE)
    assert verdict([Listening("b", "bilibili", roster=True, every=HOUR)], [], []) == ("not-covered", Why.NO_SOURCE)


def test_a_source_that_is_switched_off_is_named() -> None:
    assert verdict([timelines(enabled=False)], [], []) == ("not-covered", Why.SOURCE_OFF)
    assert verdict([timelines(enabled=False)], [crawl(HOUR, "done", ME)], [heard()]) == ("imported", Why.IMPORT_ONLY)


def test_a_koc_without_accounts_cannot_be_heard() -> None:
    found = coverage_of([Koc("K1", "小满", ())], [timelines()], [], [], now=NOW)["K1"]
    assert (found.reach, found.why, found.accounts) == ("not-covered", Why.NO_ACCOUNT, ())


def test_a_person_is_covered_only_where_every_account_is() -> None:
    other = ("bilibili", "7")
    found, _ = of([timelines()], [crawl(HOUR, "done", ME)], [heard()], ME, other)
    assert (found.reach, found.why) == ("partly", Why.NO_SOURCE)
    assert found.heard_to is None  # of the other account nothing is known
    assert found.last_heard_at == NOW - HOUR
    assert [one.reach for one in found.accounts] == ["covered", "not-covered"]


def test_the_silence_of_a_person_is_known_up_to_the_account_heard_least_lately() -> None:
    other = ("weibo", "1002")
    crawls = [crawl(5 * HOUR, "done", ME, other), crawl(HOUR, "done", ME)]
    found, _ = of([timelines()], crawls, [heard(last_post=2 * DAY)], ME, other)
    assert found.heard_to == NOW - 5 * HOUR
    assert found.quiet == 2 * DAY - 5 * HOUR


def test_imported_and_unheard_accounts_make_an_imported_person() -> None:
    found, _ = of([], [], [heard()], ME, ("bilibili", "7"))
    assert found.reach == "imported"
    assert found.quiet is None


def test_an_account_listed_twice_counts_once() -> None:
    found, _ = of([], [], [], ME, ME)
    assert len(found.accounts) == 1


def test_a_post_seen_after_the_last_full_reading_ends_the_quiet() -> None:
    _, one = of([timelines()], [crawl(HOUR, "done", ME)], [heard(last_post=timedelta(minutes=5), seen=timedelta(minutes=1))])
    assert one.quiet is None
    assert one.last_heard_at == NOW - timedelta(minutes=1)
