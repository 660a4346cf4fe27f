"""Posts as they are seen, again, edited, in any order and in batches of any size."""

from __future__ import annotations

import random
import zlib
from datetime import timedelta
from pathlib import Path

import pytest

from storage.records import Added, Counts, Mark, Media, PostKey, Revision
from storage.store import Store
from tests.stored import NOW, at, author, contents, koc, listen, mention, post, score_all, stance_of, watch_all


def key(number: int | str, platform: str = "forum") -> PostKey:
    return PostKey(platform, str(number))


def test_a_batch_says_what_it_brought(store: Store) -> None:
    assert store.add([post(1), post(2), post(2, platform="weibo")], stored_at=NOW) == Added(3, 0, 0)
    assert store.add([post(1), post(1, "改", seen_at=at(1)), post(3)], stored_at=NOW) == Added(1, 2, 1)
    assert store.add([post(1, "改", seen_at=at(2))], stored_at=NOW) == Added(0, 1, 0)
    assert store.add([post(1, "再改", seen_at=at(3))], stored_at=NOW) == Added(0, 1, 1)
    assert store.add([post(4), post(4, "改", seen_at=at(1))], stored_at=NOW) == Added(1, 1, 1)
    assert store.add([], stored_at=NOW) == Added(0, 0, 0)
    assert store.counts()["posts"] == 5


def test_a_post_is_read_back_as_it_was_seen(store: Store) -> None:
    media = (Media("image", "https://i.example/1", "配图", "图中字"),)
    seen = post(1, "星澜好用 😀", media=media, parent="7", root="8", kind="comment", counts=Counts(3, 2, 1, 9), seen_at=at(1))
    store.add([seen], stored_at=NOW)
    view = store.posts_of([seen.key])[seen.key]
    assert (view.kind, view.author_key, view.url, view.posted_at) == (seen.kind, seen.author_key, seen.url, seen.posted_at)
    assert (view.text, view.current_text, view.media, view.counts) == (seen.text, seen.text, media, seen.counts)
    assert (view.first_seen_at, view.last_seen_at, view.counts_at, view.stored_at) == (at(1), at(1), at(1), NOW)
    assert (view.parent_id, view.root_id, view.sources, view.raw_sha256) == ("7", "8", ("file",), seen.raw_sha256)
    assert view.revisions == ()
    assert not view.text_purged
    assert store.raw_of(seen.key) == seen.raw
    assert zlib.decompress(seen.raw)


def test_posts_that_are_not_stored_are_not_answered(store: Store) -> None:
    assert store.posts_of([key(1)]) == {}
    assert store.raw_of(key(1)) is None
    assert store.counts_of(key(1)) == []
    assert store.mentions_of([key(1)], "星澜") == {}


def test_counters_are_a_series_and_of_one_instant_the_greatest_stay(store: Store) -> None:
    store.add([post(1, counts=Counts(likes=1, views=7), seen_at=at(1))], stored_at=NOW)
    store.add([post(1, counts=Counts(likes=5), seen_at=at(2)), post(1, seen_at=at(4))], stored_at=NOW)
    store.add([post(1, counts=Counts(likes=0, comments=2), seen_at=at(1))], stored_at=NOW)
    assert store.counts_of(key(1)) == [(at(1), Counts(1, 2, None, 7)), (at(2), Counts(likes=5))]
    view = store.posts_of([key(1)])[key(1)]
    assert view.counts == Counts(5, 2, None, 7)
    assert view.counts_at == at(2)
    assert view.last_seen_at == at(4)


def test_the_first_text_is_read_and_the_latest_is_current(store: Store) -> None:
    for text, day in (("三", 3), ("一", 1), ("二", 2), ("一", 4), ("二", 2.5)):
        store.add([post(1, text, seen_at=at(day))], stored_at=NOW)
    view = store.posts_of([key(1)])[key(1)]
    assert (view.text, view.current_text) == ("一", "一")
    assert view.revisions == (
        Revision("一", at(1), at(4)),
        Revision("二", at(2), at(2.5)),
        Revision("三", at(3), at(3)),
    )


def test_the_raw_record_is_that_of_the_first_item(store: Store) -> None:
    later, earlier = post(1, raw="晚", seen_at=at(2)), post(1, raw="早", seen_at=at(1))
    store.add([later], stored_at=NOW)
    store.add([earlier], stored_at=NOW)
    assert store.raw_of(key(1)) == earlier.raw
    assert store.posts_of([key(1)])[key(1)].raw_sha256 == earlier.raw_sha256


def test_what_a_database_can_not_hold_does_not_stop_a_batch(store: Store) -> None:
    bad = post("x\x00y\ud800", "零\x00字节与\udc00半个字符", url="u\x00")
    store.add([bad, post(2)], stored_at=NOW)
    (view,) = [view for k, view in store.posts_of([key("xy\ufffd"), key(2)]).items() if k != key(2)]
    assert view.text == "零字节与\ufffd半个字符"
    assert store.add([bad], stored_at=NOW) == Added(0, 1, 0)
    assert score_all(store) == 2


def test_signs_that_mean_something_to_a_database_are_kept_as_they_are(store: Store) -> None:
    odd = [post("a\tb", "一\t二\n三\r\n\\N \\. \\x41 'quoted' \"双\" %s %(x)s {y} ?"), post("\\N", "\\."), post("", "")]
    store.add(odd, stored_at=NOW)
    views = store.posts_of([one.key for one in odd])
    assert {view.key: view.text for view in views.values()} == {one.key: one.text for one in odd}


def test_a_batch_larger_than_any_list_of_variables_is_stored_at_once(store: Store) -> None:
    many = [post(n, by=str(n), counts=Counts(n)) for n in range(2500)]
    assert store.add(many, stored_at=NOW) == Added(2500, 0, 0)
    assert store.add(many, stored_at=NOW) == Added(0, 2500, 0)
    assert len(store.posts_of([one.key for one in many])) == 2500
    assert score_all(store, limit=10_000) == 2500


def test_marks_are_written_with_the_posts_that_they_stand_for(store: Store) -> None:
    store.add([post(1)], stored_at=NOW, marks=[Mark("s", "query 星澜", at(1), {"page": 2}), Mark("s", "b", None, {})])
    store.add([], stored_at=NOW, marks=[Mark("s", "query 星澜", at(2), {"page": 3})])
    assert store.marks("s") == {"b": Mark("s", "b", None, {}), "query 星澜": Mark("s", "query 星澜", at(2), {"page": 3})}
    assert store.marks("t") == {}


def season() -> list:  # type: ignore[type-arg]
    """Posts with all that depends on order: edits both ways, ties, parents that come late, several sources, counters."""
    dice = random.Random(7)
    seen = []
    for number in range(60):
        posted = at(dice.randrange(20), hours=dice.randrange(24))
        parent = str(dice.randrange(60)) if dice.random() < 0.5 else None
        root = str(dice.randrange(60)) if dice.random() < 0.3 else None
        for _ in range(dice.choice((1, 1, 2, 4))):
            seen.append(
                post(
                    number,
                    dice.choice(("星澜好用", "今天下雨", f"星澜一般 {number}", "改过")),
                    by=str(number % 9) if dice.random() < 0.9 else "other",
                    posted_at=posted if dice.random() < 0.9 else posted + timedelta(days=1),
                    seen_at=posted + timedelta(hours=dice.randrange(3)),
                    counts=Counts(dice.randrange(3), None, dice.choice((None, 1)), dice.choice((None, 5))),
                    source=dice.choice(("file", "search", "group")),
                    parent=parent,
                    root=root,
                    kind="comment" if parent else "post",
                    raw=str(dice.randrange(2)),
                )
            )
    return seen


@pytest.mark.parametrize("size", [1, 7, 10_000])
@pytest.mark.parametrize("order", ["reversed", "shuffled"])
def test_what_is_stored_is_a_function_of_the_items(store_url: str, tmp_path: Path, size: int, order: str) -> None:
    items = season()
    usual = f"sqlite:///{tmp_path / 'usual.db'}"
    with Store.open(usual) as store:
        listen(store, items)
    changed = items[::-1] if order == "reversed" else random.Random(size).sample(items, len(items))
    with Store.open(store_url) as store:
        for start in range(0, len(changed), size):
            listen(store, changed[start : start + size])
        assert store.moods("星澜") == store.moods("星澜", as_of=at(10_000))
    assert contents(store_url) == contents(usual)


def test_a_late_parent_makes_its_children_stale(store: Store) -> None:
    listen(store, [post(1, "同意", parent="9"), post(2, "我也是", parent="1", root="9"), post(3, "无关")])
    assert store.mentions_of([key(1), key(2), key(3)], "星澜") == {}
    store.add([post(9, "星澜好用")], stored_at=NOW)
    assert [one.key.post_id for one in store.stale()] == ["9"]  # what this process added comes first
    assert sorted(one.key.post_id for one in store.stale()) == ["1", "2", "9"]
    score_all(store)
    assert {k.post_id for k in store.mentions_of([key(1), key(2), key(3)], "星澜")} == {"1", "2"}


def test_parents_of_another_platform_are_strangers(store: Store) -> None:
    listen(store, [post(1, "同意", parent="9")])
    store.add([post(9, platform="weibo")], stored_at=NOW)
    assert [one.key for one in store.stale()] == [key(9, "weibo")]


def test_a_stale_post_brings_its_parents_each_once_and_never_itself(store: Store) -> None:
    store.add([post(9, "父", by="b", source="group"), post(8, "根", by="c")], stored_at=NOW)
    store.add([post(1, parent="9", root="8"), post(2, parent="9", root="9"), post(3, parent="3", root="7")], stored_at=NOW)
    parents = {
        one.key.post_id: [(p.key.post_id, p.text, p.author_key, p.sources) for p in one.parents] for one in store.stale()
    }
    father = ("9", "父", author("b"), ("group",))
    assert parents == {"9": [], "8": [], "1": [father, ("8", "根", author("c"), ("file",))], "2": [father], "3": []}


def test_a_counter_that_moves_makes_nothing_stale(store: Store) -> None:
    listen(store, [post(9), post(1, parent="9")])
    store.add([post(9, counts=Counts(100), seen_at=at(1))], stored_at=NOW)
    assert store.stale() == []


def test_an_author_that_an_earlier_item_corrects_moves_from_one_koc_to_the_other(store: Store) -> None:
    store.save_kocs([koc("k1", "a"), koc("k2", "b")])
    listen(store, [post(1, by="a", seen_at=at(2))])
    watch_all(store)
    store.add([post(1, by="b", seen_at=at(1))], stored_at=NOW)
    score_all(store)
    assert watch_all(store) == [("k1", "星澜", ()), ("k2", "星澜", ("1",))]


def test_a_post_scored_by_two_keeps_one_set_of_mentions(store: Store) -> None:
    store.add([post(1)], stored_at=NOW)
    (mine,) = theirs = store.stale()
    store.put([(mine, stance_of(mine))])
    store.put([(theirs[0], [mention(mine.key, against=1.0, favor=0.0)])])
    assert store.mentions_of([key(1)], "星澜")[key(1)] == stance_of(mine)[0]
    assert [day.n for day in store.moods("星澜")] == [1]
