"""When posts are looked at again, and which first."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from listener.revisits import DAY, HOUR, MINUTE, STEPS, due, due_at, longest_age
from storage.records import Watched

START = datetime(2026, 1, 1, tzinfo=UTC)
POST = Watched("town", "1", "", START, START, None, False)


def looks(post: Watched) -> list[timedelta]:
    """The ages at which a post is looked at, when every look is made in time."""
    ages = []
    while (at := due_at(post)) is not None:
        ages.append(at - post.posted_at)
        post = replace(post, looked_at=at)
    return ages


def test_looks_grow_rarer_with_age_and_end() -> None:
    assert looks(POST) == list(STEPS)
    pauses = [later - earlier for earlier, later in itertools.pairwise(STEPS)]
    assert pauses == sorted(pauses)


def test_a_negative_post_is_followed_oftener_and_for_longer() -> None:
    ages = looks(replace(POST, is_negative=True))
    assert len(ages) > len(STEPS)
    assert ages[-1] == longest_age() == 30 * DAY


def test_looks_that_were_missed_are_made_up_by_one() -> None:
    late = replace(POST, looked_at=START + 9 * HOUR)
    assert due_at(late) == START + DAY


def test_a_post_that_is_gone_is_not_looked_for_again() -> None:
    assert due_at(replace(POST, gone_at=START + HOUR)) is None


def test_the_budget_goes_to_negative_posts_then_to_the_most_overdue() -> None:
    fresh = replace(POST, post_id="fresh", posted_at=START - 30 * MINUTE, looked_at=START - 30 * MINUTE)
    old = replace(POST, post_id="old", posted_at=START - 2 * DAY, looked_at=START - DAY - HOUR)
    bad = replace(POST, post_id="bad", posted_at=START - 2 * DAY, looked_at=START - 30 * HOUR, is_negative=True)
    later = replace(POST, post_id="later", posted_at=START, looked_at=START)
    assert [one.post_id for one in due([old, fresh, later, bad], START, 10)] == ["bad", "old", "fresh"]
    assert [one.post_id for one in due([old, fresh, later, bad], START, 2)] == ["bad", "old"]
    assert due([bad], START, 0) == []


@given(st.lists(st.tuples(st.integers(0, 40 * 24), st.integers(0, 40 * 24), st.booleans()), max_size=30), st.integers(0, 10))
def test_nothing_is_looked_at_that_was_seen_since_it_was_due(rows: list[tuple[int, int, bool]], budget: int) -> None:
    posts = [
        Watched("town", str(n), "", START - age * HOUR, START - min(age, seen) * HOUR, None, bad)
        for n, (age, seen, bad) in enumerate(rows)
    ]
    chosen = due(posts, START, budget)
    assert len(chosen) <= budget
    for post in chosen:
        at = due_at(post)
        assert at is not None
        assert post.looked_at < at <= START


def test_after_a_look_that_failed_a_post_waits_twice_as_long_each_time_and_others_have_their_turn() -> None:
    once = replace(POST, failed_at=START + HOUR, failures=1)
    assert due_at(once) == START + HOUR + 20 * MINUTE
    assert due_at(replace(once, failures=3)) == START + HOUR + 80 * MINUTE
    assert due_at(replace(once, failures=99)) == START + HOUR + 2 * DAY
    stuck = [replace(POST, post_id=f"stuck{n}", failed_at=START + 2 * HOUR, failures=2) for n in range(5)]
    other = replace(POST, post_id="other")
    assert [one.post_id for one in due([*stuck, other], START + 2 * HOUR + MINUTE, 5)] == ["other"]
    assert len(due([*stuck, other], START + 3 * HOUR, 9)) == 6


def test_a_failure_of_an_old_post_makes_no_look_that_was_not_due() -> None:
    assert due_at(replace(POST, looked_at=START + 8 * DAY, failed_at=START + 9 * DAY, failures=1)) is None
