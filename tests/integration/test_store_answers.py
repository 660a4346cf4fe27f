"""What else a KOC's history holds: mentions of rivals, and what others answer to the KOC that accuses."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from storage.records import CueHit, Mention, Post, PostKey, StalePost
from storage.store import Store
from tests.stored import BRAND, at, koc, mention, post, watch_all

ACCUSED = (CueHit("accusation-paid", "收了多少钱"),)
PRAISE = post("p1", by="a", posted_at=at(1))
COMMENT = post("c1", "收了多少钱", by="x", parent="p1", root="p1", kind="comment", posted_at=at(2))
OWN = post("c2", "收了多少钱？没有", by="b", parent="p1", root="p1", kind="comment", posted_at=at(3))
NESTED = post("c3", "收了多少钱", by="y", parent="c1", root="p1", kind="comment", posted_at=at(4))
RIVAL = post("r1", "墨羽好用", by="a", posted_at=at(5))
CALM = post("c4", "好看", by="z", parent="p1", root="p1", kind="comment", posted_at=at(6))
EVERY = (PRAISE, COMMENT, OWN, NESTED, RIVAL, CALM)


def made_of(stale: StalePost) -> list[Mention]:
    """What the tests' scorer says: the brand by name or inherited, the accusation and the rival by their words."""
    found = []
    if BRAND in stale.text or any(BRAND in parent.text for parent in stale.parents):
        found.append(mention(stale.key, cues=ACCUSED if "收了多少钱" in stale.text else ()))
    if "墨羽" in stale.text:
        found.append(mention(stale.key, target="墨羽", is_rival=True))
    return found


def take(store: Store, posts: Sequence[Post]) -> None:
    store.add(posts, stored_at=at(30))
    while stale := store.stale(100):
        store.put([(one, made_of(one)) for one in stale])


def told(store: Store, **more: Any) -> tuple[list[str], list[str], list[tuple[str, str]]]:
    history = store.history("k1", BRAND, **more)
    return (
        [one.mention.key.post_id for one in history.mentions],
        [one.mention.key.post_id for one in history.rivals],
        [(one.said.mention.key.post_id, one.to.post_id) for one in history.accusations],
    )


def test_a_history_holds_rivals_and_what_others_answer_that_accuses_but_not_what_the_koc_says(store: Store) -> None:
    store.save_kocs([koc("k1", "a", "b")])
    take(store, EVERY)
    assert told(store) == (["p1", "c2"], ["r1"], [("c1", "p1")])
    (one,) = store.history("k1", BRAND).accusations
    assert (one.said.account[0], one.said.text, one.to) == ("forum", "收了多少钱", PostKey("forum", "p1"))
    assert told(store, as_of=at(1.5)) == ([], [], [])
    assert store.histories([("k1", BRAND), ("k1", "other")])[1].accusations == ()


@pytest.mark.parametrize("order", list(itertools.permutations((PRAISE, COMMENT, RIVAL))))
def test_whatever_comes_last_marks_the_koc_dirty(store: Store, order: tuple[Post, ...]) -> None:
    store.save_kocs([koc("k1", "a")])
    for one in order:
        watch_all(store)
        take(store, [one])
        if one is not COMMENT or PRAISE in order[: order.index(one)]:
            assert watch_all(store)[-1][0] == "k1", "the KOC is replayed"
    assert told(store) == (["p1"], ["r1"], [("c1", "p1")])


def test_an_answer_that_turns_out_to_answer_another_post_marks_the_one_it_left(store: Store) -> None:
    store.save_kocs([koc("k1", "a"), koc("k2", "b")])
    take(store, [PRAISE, post("p2", by="b", posted_at=at(1)), COMMENT])
    watch_all(store)
    take(store, [replace(COMMENT, parent_id="p2", root_id="p2", seen_at=at(1.9))])
    assert {koc_id for koc_id, *_ in watch_all(store)} >= {"k1", "k2"}
    assert told(store)[2] == []
    assert len(store.history("k2", BRAND).accusations) == 1


def test_an_accusation_that_is_scored_anew_and_is_none_marks_the_koc_too(store: Store) -> None:
    store.save_kocs([koc("k1", "a")])
    take(store, [PRAISE, COMMENT])
    watch_all(store)
    store.prepare("b", "m2")
    while stale := store.stale(100):
        store.put([(one, [replace(m, cues=()) for m in made_of(one)]) for one in stale if one.key.post_id == "c1"])
        if all(one.key.post_id != "c1" for one in stale):
            break
    assert [koc_id for koc_id, *_ in watch_all(store)][-1] == "k1"
    assert told(store)[2] == []
