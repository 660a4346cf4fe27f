"""Items of one post join to the same, in every order and grouping."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import reduce
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from storage.merge import Joined, greatest, join, joined, joined_counts, step_of
from storage.records import Counts, Media, Post
from tests.stored import at, post

tallies = st.tuples(*[st.none() | st.integers(0, 3)] * 4)


@st.composite
def sightings(draw: st.DrawFn) -> Post:
    """One sighting of the same post; few values, so that ties are common."""
    seen = draw(st.integers(0, 2))
    return post(
        1,
        draw(st.sampled_from(["星澜好用", "星澜不好用", "改了"])),
        by=draw(st.sampled_from("ab")),
        posted_at=at(),
        seen_at=at() + timedelta(days=seen),
        counts=Counts(*draw(tallies)),
        source=draw(st.sampled_from(["file", "search"])),
        parent=draw(st.sampled_from([None, "9"])),
        media=draw(st.sampled_from([(), (Media("image", "u"),)])),
        raw=draw(st.sampled_from(["x", "y"])),
    )


def one(*items: Post) -> Joined:
    return joined(items)[("forum", "1")]


def stored(item: Joined) -> dict[str, Any]:
    """The row that a first sighting makes."""
    row = dict(item.first) | {"id": 1, "version": 1, "scored_version": 0, "stored_at": 0, "text_purged": False}
    return row | {"last_seen_at": item.last_seen_at, "sources": '["file"]', "edited": len(item.texts) > 1}


@given(st.lists(sightings(), min_size=1, max_size=6), st.randoms())
def test_items_join_to_the_same_in_every_order(items: list[Post], random: Any) -> None:
    shuffled = list(items)
    random.shuffle(shuffled)
    a, b = one(*items), one(*shuffled)
    assert replace_raw(a) == replace_raw(b)


@given(st.lists(sightings(), min_size=3, max_size=6), st.data())
def test_items_join_to_the_same_in_every_grouping(items: list[Post], data: st.DataObject) -> None:
    cut = data.draw(st.integers(1, len(items) - 1))
    assert join(one(*items[:cut]), one(*items[cut:])) == reduce(join, [one(item) for item in items])


@given(sightings())
def test_an_item_seen_twice_says_nothing_new(item: Post) -> None:
    twice = one(item, item)
    assert twice.items == 2
    twice.items = 1
    assert twice == one(item)


def replace_raw(item: Joined) -> Joined:
    # Of two items that are equal in every field the first in the batch gives its raw bytes: they are equal too.
    return replace(item, counts=dict(sorted(item.counts.items())), texts=dict(sorted(item.texts.items())))


@given(tallies, tallies, tallies)
def test_counters_of_one_instant_join_by_their_greatest(a: Any, b: Any, c: Any) -> None:
    assert joined_counts(a, b) == joined_counts(b, a)
    assert joined_counts(a, joined_counts(b, c)) == joined_counts(joined_counts(a, b), c)
    assert joined_counts(a, a) == a
    assert greatest(a[0], b[0]) == greatest(b[0], a[0])


def test_a_post_without_counters_has_no_series() -> None:
    assert one(post(1)).counts == {}
    assert list(one(post(1, counts=Counts(likes=0))).counts.values()) == [(0, None, None, None)]


def test_a_later_sighting_moves_only_when_it_was_last_seen() -> None:
    first, later = one(post(1, seen_at=at(1))), one(post(1, seen_at=at(2)))
    step = step_of(stored(first), later)
    assert step.columns == {"last_seen_at": later.last_seen_at}
    assert not step.stale
    assert not step.children_stale
    assert step.texts == {}


def test_an_earlier_sighting_with_the_same_words_makes_nothing_stale() -> None:
    row = stored(one(post(1, seen_at=at(2))))
    step = step_of(row, one(post(1, seen_at=at(1))))
    assert step.columns.keys() == {"first_seen_at"}
    assert step.new_raw
    assert not step.stale


def test_an_earlier_text_becomes_the_first_and_makes_the_post_and_its_children_stale() -> None:
    row = stored(one(post(1, "后来的话", seen_at=at(2))))
    step = step_of(row, one(post(1, "先前的话", seen_at=at(1))))
    assert step.columns["text"] == "先前的话"
    assert step.columns["edited"] is True
    assert step.stale
    assert step.children_stale
    assert {text.text for text in step.texts.values()} == {"先前的话", "后来的话"}


def test_a_later_text_is_a_revision_and_makes_nothing_stale() -> None:
    row = stored(one(post(1, "先前的话", seen_at=at(1))))
    step = step_of(row, one(post(1, "后来的话", seen_at=at(2))))
    assert step.columns.keys() == {"last_seen_at", "edited"}
    assert not step.stale
    assert len(step.texts) == 2


def test_another_source_makes_the_post_and_its_children_stale() -> None:
    row = stored(one(post(1)))
    step = step_of(row, one(post(1, source="group")))
    assert step.columns == {"sources": '["file","group"]'}
    assert step.stale
    assert step.children_stale


def test_a_changed_link_of_the_first_makes_the_post_stale_but_not_its_children() -> None:
    row = stored(one(post(1, seen_at=at(2))))
    step = step_of(row, one(post(1, seen_at=at(1), url="https://elsewhere.example")))
    assert step.stale
    assert not step.children_stale


def test_nothing_brings_a_purged_text_back() -> None:
    row = stored(one(post(1, seen_at=at(2)))) | {"text": "", "text_purged": True}
    step = step_of(row, one(post(1, "更早的话", seen_at=at(1), source="group")))
    assert step.columns == {"sources": '["file","group"]'}
    assert not step.stale
    assert not step.new_raw
    assert step.texts == {}
