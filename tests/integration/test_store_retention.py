"""What is past its horizon goes; what was found in it stays."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from storage import retention
from storage import store as door
from storage.records import Counts, CueHit, Media, PostKey, Purged
from storage.store import Store
from tests.stored import BRAND, NOW, at, koc, listen, mentions_in, post, score_all, stance_of, watch_all

MEDIA = (Media("image", "https://i.example/1", "图说", "图中字"),)


@pytest.fixture
def store(store: Store) -> Store:
    store.prepare("b", "m")
    return store


def key(number: int) -> PostKey:
    return PostKey("forum", str(number))


def purge(store: Store, now: datetime, **days: int) -> Purged:
    values = {"raw_days_strangers": 10_000, "raw_days_kocs": 10_000, "text_days": 10_000} | days
    return store.purge(now, **values)


def test_strangers_raw_records_go_before_those_of_kocs(store: Store) -> None:
    store.save_kocs([koc("k1", "a")])
    mine, theirs, fresh = post(1), post(2, by="stranger"), post(3, by="stranger")
    store.add([mine, theirs], stored_at=NOW)
    store.add([fresh], stored_at=NOW + timedelta(days=20))
    assert purge(store, NOW + timedelta(days=31), raw_days_strangers=30, raw_days_kocs=365) == Purged(1, 0)
    assert [store.raw_of(one.key) for one in (mine, theirs, fresh)] == [mine.raw, None, fresh.raw]
    assert purge(store, NOW + timedelta(days=366), raw_days_strangers=30, raw_days_kocs=365) == Purged(2, 0)
    assert [store.raw_of(one.key) for one in (mine, theirs, fresh)] == [None] * 3
    assert store.posts_of([mine.key])[mine.key].raw_sha256 == mine.raw_sha256


def test_a_raw_record_that_went_does_not_come_back(store: Store) -> None:
    store.add([post(1, raw="晚", seen_at=at(2))], stored_at=NOW)
    purge(store, NOW + timedelta(days=2), raw_days_strangers=1)
    store.add([post(1, raw="早", seen_at=at(1)), post(1, raw="晚", seen_at=at(2))], stored_at=NOW)
    assert store.raw_of(key(1)) is None


def purged(store: Store) -> None:
    """A KOC with an edited post and one with a picture, both scored, whose texts go."""
    store.save_kocs([koc("k1", "a")])
    listen(
        store, [post(1, "星澜不好用啊", media=MEDIA), post(1, "星澜改了", seen_at=at(1)), post(2, "星澜好用", posted_at=at(3))]
    )
    watch_all(store)
    assert purge(store, NOW + timedelta(days=31), text_days=30) == Purged(0, 2)


def test_texts_go_with_their_revisions_and_the_words_of_their_media(store: Store) -> None:
    purged(store)
    view = store.posts_of([key(1)])[key(1)]
    assert (view.text, view.current_text, view.text_purged) == ("", "", True)
    assert [(r.text, r.first_seen_at) for r in view.revisions] == [("", at(0)), ("", at(1))]
    assert view.media == (Media("image", "https://i.example/1"),)
    assert purge(store, NOW + timedelta(days=31), text_days=30) == Purged(0, 0)


def test_what_was_found_in_purged_texts_stays(store: Store) -> None:
    store.save_kocs([koc("k1", "a")])
    listen(store, [post(n, f"星澜 {n}", posted_at=at(n)) for n in range(12)])
    watch_all(store)
    before, moods = store.history("k1", BRAND), store.moods(BRAND)
    cued = [entry for entry in before.mentions if entry.mention.cues]
    assert cued
    purge(store, NOW + timedelta(days=31), text_days=30)
    after = store.history("k1", BRAND)
    assert {entry.text for entry in after.mentions} == {""}
    assert [(e.posted_at, e.mention.against, e.mention.fingerprint) for e in after.mentions] == [
        (e.posted_at, e.mention.against, e.mention.fingerprint) for e in before.mentions
    ]
    assert [e.mention.cues for e in after.mentions if e.mention.cues] == [(CueHit("let-down", ""),)] * len(cued)
    assert store.moods(BRAND) == moods == store.moods(BRAND, as_of=NOW)
    assert store.count_dirty() == 0


def test_purged_posts_are_never_made_again(store: Store) -> None:
    purged(store)
    kept = mentions_in(store, [key(1), key(2)])
    assert store.prepare("other brands", "other model") == 0
    store.add(
        [post(1, "更早的话", seen_at=at(-1), source="group", counts=Counts(5)), post(1, "更晚的话", seen_at=at(9))],
        stored_at=NOW,
    )
    assert store.count_stale() == 0
    assert mentions_in(store, [key(1), key(2)]) == kept
    view = store.posts_of([key(1)])[key(1)]
    assert (view.text, view.current_text, len(view.revisions)) == ("", "", 2)
    assert (view.counts, view.last_seen_at, view.sources) == (Counts(5), at(9), ("file", "group"))


def test_a_late_parent_does_not_touch_a_purged_child(store: Store) -> None:
    listen(store, [post(1, "星澜同意", parent="9")])
    purge(store, NOW + timedelta(days=31), text_days=30)
    store.add([post(9)], stored_at=NOW)
    assert [one.key for one in store.stale()] == [key(9)]


def test_a_child_still_learns_what_its_purged_parent_spoke_of(store: Store) -> None:
    listen(store, [post(9, "星澜好用"), post(8, "别的事")])
    purge(store, NOW + timedelta(days=31), text_days=30)
    store.add([post(1, "同意", parent="9"), post(2, "同意", parent="8")], stored_at=NOW)
    one, two = store.stale()
    assert [(p.text, p.brands) for p in one.parents] == [("", (BRAND,))]
    assert [(p.text, p.brands) for p in two.parents] == [("", ())]
    assert [m.via for m in stance_of(one)] == ["parent"]


def test_a_text_that_is_not_scored_yet_waits(store: Store) -> None:
    store.add([post(1)], stored_at=NOW)
    assert purge(store, NOW + timedelta(days=31), text_days=30) == Purged(0, 0)
    score_all(store)
    assert purge(store, NOW + timedelta(days=31), text_days=30) == Purged(0, 1)


def test_a_purge_goes_in_small_transactions(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "PURGE_BATCH", 3)
    listen(store, [post(n) for n in range(10)])
    assert purge(store, NOW + timedelta(days=31), text_days=30, raw_days_strangers=30) == Purged(10, 10)


def test_what_changes_between_the_look_and_the_purge_stays(store: Store) -> None:
    listen(store, [post(1), post(2, by="b")])
    at_once = store._database.write
    assert at_once(lambda c: retention.purge_raws(c, [1], kocs=True)) == 0  # a stranger's
    store.save_kocs([koc("k2", "b")])
    assert at_once(lambda c: retention.purge_raws(c, [1, 2, 99], kocs=False)) == 1
    store.add([post(2, by="b", source="group")], stored_at=NOW)
    assert at_once(lambda c: retention.purge_texts(c, [1, 2, 99])) == 1
    assert [view.text_purged for view in store.posts_of([key(1), key(2)]).values()] == [True, False]


def test_a_purge_looks_at_each_post_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "PURGE_BATCH", 2)
    listen(store, [post(n) for n in range(5)])
    pages: list[list[int]] = []

    def due_texts(*args: Any, **kwargs: Any) -> list[int]:
        pages.append([kwargs["after"], *found(*args, **kwargs)])
        return pages[-1][1:]

    found = retention.due_texts
    monkeypatch.setattr(retention, "due_texts", due_texts)
    purge(store, NOW + timedelta(days=31), text_days=30)
    assert pages == [[0, 1, 2], [2, 3, 4], [4, 5], [5]]
