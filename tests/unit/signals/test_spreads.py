"""How far posts against the brand go, against what is usual."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from listener.signals.spreads import fast_of, pickups_of, stories_of
from storage.records import Look, Pickup, PostKey, Reached

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def post(number: int, looks: list[tuple[float, int]], *, by: str = "", platform: str = "weibo", words: int = 0) -> Reached:
    """The number-th post, one an hour; looks: (hours after it, total)."""
    at = START + number * HOUR
    seen = tuple(Look(at + hours * HOUR, total) for hours, total in looks)
    return Reached(at, PostKey(platform, f"{number:04d}"), by or f"a{number}", words or number * 977, seen)


PEERS = [post(n, [(5, 10 + n % 30)]) for n in range(80)]
OWN = [(START - n * 24 * HOUR, (Look(START - n * 24 * HOUR + 5 * HOUR, 20 + n),)) for n in range(1, 15)]


def test_a_post_that_reaches_what_is_usual_is_not_told() -> None:
    assert fast_of(post(90, [(1, 8), (5, 30), (24, 60)]), PEERS, OWN, promised=1.0) is None


def test_a_post_that_stands_out_is_told_at_the_first_look_that_shows_it_with_the_usual_at_that_age() -> None:
    found = fast_of(post(90, [(1, 12), (4, 2400), (24, 9000)]), PEERS, OWN, promised=1.0)
    assert found is not None
    assert found.at == START + 94 * HOUR
    assert (found.total, found.last_total, found.own_n, found.age_hours) == (2400, 9000, 14, 4.0)
    assert 5 < found.usual < 40


def test_what_is_usual_for_a_loud_author_is_not_told_and_for_a_quiet_one_is() -> None:
    reach = [(5, 700)]
    loud = [(at, (Look(looks[0].at, 600 + 20 * n),)) for n, (at, looks) in enumerate(OWN)]
    assert fast_of(post(90, reach), PEERS, loud, promised=1.0) is None
    assert fast_of(post(90, reach), PEERS, OWN, promised=1.0) is not None


def test_others_are_known_as_they_were_at_the_look() -> None:
    later = [post(n, [(5, 20), (500, 90_000)]) for n in range(80)]
    assert fast_of(post(90, [(4, 2400)]), later, OWN, promised=1.0) == fast_of(
        post(90, [(4, 2400)]), PEERS_20, OWN, promised=1.0
    )


PEERS_20 = [post(n, [(5, 20)]) for n in range(80)]


def test_later_posts_do_not_count() -> None:
    after = [post(n, [(1, 1)]) for n in range(91, 200)]
    look = post(90, [(4, 2400)])
    assert fast_of(look, [*PEERS, *after], OWN, promised=1.0) == fast_of(look, PEERS, OWN, promised=1.0)


@pytest.mark.parametrize("looks", [[(0.1, 900)], [(24 * 40, 90_000)], [(4, 49)]])
def test_looks_too_early_too_late_or_too_small_say_nothing(looks: list[tuple[float, int]]) -> None:
    assert fast_of(post(90, looks), PEERS, OWN, promised=1000.0) is None


def test_where_nothing_is_known_only_what_is_far_beyond_is_told() -> None:
    assert fast_of(post(1, [(4, 900)]), [], [], promised=1.0) is None
    assert fast_of(post(1, [(4, 90_000)]), [], [], promised=1.0) is not None


def test_no_promise_no_signal() -> None:
    assert fast_of(post(90, [(4, 90_000)]), PEERS, OWN, promised=0.0) is None


def copies(*where: tuple[int, str, str]) -> list[Reached]:
    return [post(hour, [], by=by, platform=platform, words=42) for hour, by, platform in where]


def test_the_same_words_from_two_platforms_and_four_authors_are_one_story_of_the_first_post() -> None:
    (story,) = stories_of(copies((0, "a", "weibo"), (2, "b", "weibo"), (3, "c", "xhs"), (9, "d", "zhihu"), (10, "d", "zhihu")))
    assert story.first.key == PostKey("weibo", "0000")
    assert story.fired_at == START + 9 * HOUR
    assert (story.platforms, story.authors, len(story.keys)) == (("weibo", "xhs", "zhihu"), 4, 5)


def test_few_authors_one_platform_or_a_long_time_are_no_story() -> None:
    assert stories_of(copies((0, "a", "weibo"), (2, "b", "xhs"), (3, "c", "xhs"), (4, "a", "xhs"))) == []
    assert stories_of(copies((0, "a", "weibo"), (2, "b", "weibo"), (3, "c", "weibo"), (4, "d", "weibo"))) == []
    assert stories_of(copies((0, "a", "weibo"), (2, "b", "xhs"), (3, "c", "xhs"), (24 * 8, "d", "xhs"))) == []


def test_words_that_come_back_all_the_time_are_a_phrase_and_no_story() -> None:
    phrase = [(24 * 30 * n, f"a{n}", "weibo") for n in range(12)]
    again = [(24 * 30 * 12 + n, f"b{n}", "xhs" if n % 2 else "weibo") for n in range(6)]
    assert stories_of(copies(*phrase, *again)) == []
    assert len(stories_of(copies(*again))) == 1


def test_pick_ups_within_thirty_days_are_kept_by_post() -> None:
    of, by = PostKey("weibo", "1"), PostKey("weibo", "2")
    soon = Pickup(of, START, by, START + HOUR, "m")
    late = Pickup(of, START, PostKey("weibo", "3"), START + 24 * 31 * HOUR, "m")
    assert pickups_of([soon, late]) == {of: [soon]}
