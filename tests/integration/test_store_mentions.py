"""Mentions, the brand's mood, and what makes a post stale."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from storage.records import CueHit, MoodDay, PostKey, SettingsChanged, StoreError
from storage.store import Store
from tests.stored import (
    BRAND,
    MODEL,
    NOW,
    at,
    contents,
    koc,
    listen,
    mention,
    mentions_in,
    post,
    score_all,
    stance_of,
    watch_all,
)


def key(number: int | str) -> PostKey:
    return PostKey("forum", str(number))


def test_a_mention_is_read_back_as_it_was_made(store: Store) -> None:
    store.add([post(1)], stored_at=NOW)
    (one,) = store.stale()
    own = mention(
        one.key,
        neg=0.1234,
        favor=0.5,
        against=0.0001,
        cues=(CueHit("let-down", "失望"), CueHit("defection", "换牌子")),
        constructive=True,
        unscored="other-language",
        via="parent",
        fingerprint=-(2**63),
    )
    rival = mention(one.key, target="墨羽", is_rival=True, fingerprint=2**63 - 1)
    other = mention(one.key, "别的牌子")
    store.put([(one, [rival, own, other])])
    assert store.mentions_of([one.key], BRAND) == {one.key: own}
    assert mentions_in(store, [one.key]) == {one.key: [other, own, rival]}
    assert store.stale() == []


def test_two_mentions_of_one_target_are_refused_and_the_post_stays_stale(store: Store) -> None:
    store.add([post(1)], stored_at=NOW)
    (one,) = store.stale()
    with pytest.raises(StoreError, match=r"(?i)unique"):
        store.put([(one, [mention(one.key), mention(one.key)])])
    assert store.stale() == [one]


def test_mentions_for_an_older_version_of_a_post_are_not_stored(store: Store) -> None:
    store.add([post(1, "后", seen_at=at(2))], stored_at=NOW)
    (old,) = store.stale()
    store.add([post(1, "先", seen_at=at(1))], stored_at=NOW)
    store.put([(old, [mention(old.key)])])
    assert mentions_in(store, [key(1)]) == {}
    (new,) = store.stale()
    assert (new.text, new.version) == ("先", old.version + 1)
    store.put([(new, [])])
    assert store.count_stale() == 0


def test_mentions_for_a_row_that_is_another_post_are_not_stored(store: Store) -> None:
    store.add([post(1)], stored_at=NOW)
    (one,) = store.stale()
    store.put([(replace(one, key=key(2)), [mention(key(2))]), (replace(one, row=99), [mention(one.key)])])
    assert store.count_stale() == 1
    assert store.counts()["mentions"] == 0


def test_new_brands_or_another_model_make_every_post_stale(store: Store) -> None:
    assert store.prepare("brands 1", "m1") == 0
    listen(store, [post(1), post(2)])
    assert store.prepare("brands 1", "m1") == 0
    assert store.prepare("brands 2", "m1") == 2
    score_all(store)
    assert store.prepare("brands 2", "m2") == 2
    assert store.prepare("brands 2", "m2") == 2


def test_mentions_made_with_the_brands_of_before_are_not_stored(store: Store) -> None:
    store.prepare("brands 1", "m1")
    store.add([post(1)], stored_at=NOW)
    made = [(one, stance_of(one)) for one in store.stale()]
    store.prepare("brands 2", "m1")
    store.put(made)
    assert store.count_stale() == 1


def test_a_brand_that_goes_takes_its_mentions_and_mood_along(store: Store) -> None:
    store.save_kocs([koc("k1", "a")])
    listen(store, [post(1, "星澜和墨羽")], brands=["星澜", "墨羽"])
    assert watch_all(store, brands=["星澜", "墨羽"]) == [("k1", "墨羽", ("1",)), ("k1", "星澜", ("1",))]
    store.prepare("only 星澜", "m1")
    score_all(store)
    assert store.moods("墨羽") == []
    assert store.mentions_of([key(1)], "墨羽") == {}
    assert ("k1", "墨羽", ()) in watch_all(store)


def test_the_mood_counts_scored_mentions_with_own_words_of_every_author_by_local_day(store: Store) -> None:
    day = at(3)  # noon in Shanghai
    store.add(
        [
            post(1, posted_at=day),
            post(2, by="b", posted_at=day + timedelta(hours=11, minutes=59)),
            post(3, by="c", posted_at=day + timedelta(hours=12)),
            post(4, posted_at=day),
            post(5, posted_at=day),
            post(6, posted_at=day),
        ],
        stored_at=NOW,
    )
    made = {one.key.post_id: one for one in store.stale()}
    store.put(
        [
            (made["1"], [mention(key(1), favor=0.7, against=0.1), mention(key(1), target="墨羽", is_rival=True)]),
            (made["2"], [mention(key(2), favor=0.1, against=0.9)]),
            (made["3"], [mention(key(3), favor=1.0, against=0.0)]),
            (made["4"], [mention(key(4), own_words=False)]),
            (made["5"], [mention(key(5), unscored="no-words")]),
            (made["6"], []),
        ]
    )
    moods = [MoodDay(date(2026, 1, 4), 2, 10_000, 2000, 8000), MoodDay(date(2026, 1, 5), 1, 0, 0, 10_000)]
    assert store.moods(BRAND) == moods
    assert store.moods(BRAND, as_of=NOW) == moods
    assert store.moods(BRAND, as_of=day + timedelta(hours=11)) == []  # nothing was stored by then
    assert store.moods("墨羽") == []


def test_a_mood_as_of_a_time_counts_what_was_stored_and_posted_by_then(store: Store) -> None:
    listen(store, [post(1, posted_at=at(1)), post(2, posted_at=at(5))], stored_at=at(6))
    listen(store, [post(3, posted_at=at(1))], stored_at=at(8))
    store.save_kocs([koc("k1", "a")])

    def known(days: float) -> tuple[int, list[str]]:
        history = store.history("k1", BRAND, as_of=at(days))
        return sum(m.n for m in store.moods(BRAND, as_of=at(days))), [e.mention.key.post_id for e in history.mentions]

    assert known(5.5) == (0, [])
    assert known(7) == (2, ["1", "2"])
    assert known(9) == (3, ["1", "3", "2"])
    assert [e.mention.key.post_id for e in store.history("k1", BRAND).mentions] == ["1", "3", "2"]


def test_another_time_zone_counts_the_days_anew(store_url: str) -> None:
    late = at(3, hours=13)  # 01:00 of the next day in Shanghai
    with Store.open(store_url) as store:
        store.prepare("b", MODEL)
        store.save_kocs([koc("k1", "a")])
        listen(store, [post(1, posted_at=late), post(2, "墨羽", posted_at=late)])
        watch_all(store)
        assert [mood.day for mood in store.moods(BRAND)] == [date(2026, 1, 5)]
    with Store.open(store_url, timezone="UTC") as store:
        assert store.prepare("b", MODEL) == 0  # nothing is scored again
        assert [(mood.day, mood.n) for mood in store.moods(BRAND)] == [(date(2026, 1, 4), 1)]
        assert store.moods(BRAND) == store.moods(BRAND, as_of=NOW)
        assert watch_all(store) == [("k1", BRAND, ("1",))]
        store.add([post(1, "不提了", posted_at=late, seen_at=at(1))], stored_at=NOW)
        score_all(store)
        assert store.moods(BRAND) == []
    assert contents(store_url)["mentions"] == []


def test_a_process_with_the_settings_of_before_leaves_posts_to_the_one_with_the_new(store_url: str) -> None:
    with Store.open(store_url) as old, Store.open(store_url) as new:
        old.prepare("brands 1", "m1")
        old.add([post(1)], stored_at=NOW)
        for settings in (("brands 2", "m1"), ("brands 2", "m2")):
            new.prepare(*settings)
            made = [(one, stance_of(one)) for one in old.stale()]
            with pytest.raises(SettingsChanged, match=r"另一个进程.*restart this one"):
                old.put(made)
            with pytest.raises(SettingsChanged):
                old.prepare("brands 1", "m1")  # or the two would turn it back and forth
            with pytest.raises(SettingsChanged), old.watching(brands=[BRAND]):
                pass
            assert new.count_stale() == 1
            assert score_all(new) == 1
            assert list(new.mentions_of([key(1)], BRAND)) == [key(1)]
        assert old.prepare("brands 3", "m2") == 1  # but who has read new settings may say so
        score_all(old)
        with pytest.raises(SettingsChanged):
            new.put([])


def test_a_process_that_counts_by_days_of_another_time_zone_is_held_back_too(store_url: str) -> None:
    with Store.open(store_url) as old, Store.open(store_url, timezone="UTC") as new:
        old.prepare("b", MODEL)
        old.add([post(1)], stored_at=NOW)
        new.prepare("b", MODEL)
        with pytest.raises(SettingsChanged):
            score_all(old)
        assert score_all(new) == 1


def test_a_store_that_never_said_what_it_works_with_is_not_asked(store_url: str) -> None:
    with Store.open(store_url) as one, Store.open(store_url) as other:
        other.prepare("b", MODEL)
        listen(one, [post(1)])
        assert one.count_stale() == 0
