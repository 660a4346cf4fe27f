"""Who is dirty, what their replay reads, and what it leaves."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import event

from storage.records import Calibration, PostKey, StoreError
from storage.store import Store
from tests.stored import (
    BRAND,
    NOW,
    alert,
    at,
    author,
    case,
    changes,
    delivery,
    drift,
    koc,
    listen,
    post,
    score_all,
    state,
    step,
    watch_all,
)


def record(store: Store, koc_id: str, **fields: object) -> None:
    """Replay one KOC, who has to be dirty and the only one, with this outcome."""
    store.mark_dirty([koc_id])
    with store.watching(brands=[BRAND]) as watch:
        assert watch is not None
        assert [(history.koc_id, history.brand) for history in watch.histories] == [(koc_id, BRAND)]
        watch.record(changes(koc_id, **fields), at=NOW)


def test_nothing_dirty_is_nothing_to_watch(store: Store) -> None:
    listen(store, [post(1)])
    assert watch_all(store) == []
    assert store.count_dirty() == 0


def test_a_koc_reads_all_accounts_in_event_order(store: Store) -> None:
    one = koc("k1", "a", "b")
    two = replace(one, accounts=(*one.accounts, *koc("k1", "a", platform="weibo").accounts))
    store.save_kocs([two])
    listen(
        store,
        [
            post(3, posted_at=at(2)),
            post(2, by="b", posted_at=at(2)),
            post(9, platform="weibo", posted_at=at(1)),
            post(1, platform="weibo", posted_at=at(2)),
            post(4, by="somebody"),
            post(5, "无关"),
        ],
    )
    with store.watching(brands=[BRAND]) as watch:
        assert watch is not None
        (history,) = watch.histories
        read = [(entry.account, entry.mention.key) for entry in history.mentions]
        assert [day.n for day in watch.moods[BRAND]] == [1, 1, 3]
        assert watch.kocs == {"k1": store.kocs()[0]}
        assert watch.calibrations == {}
    assert read == [
        (("weibo", "a"), PostKey("weibo", "9")),
        (("forum", "b"), PostKey("forum", "2")),
        (("forum", "a"), PostKey("forum", "3")),
        (("weibo", "a"), PostKey("weibo", "1")),
    ]
    first = history.mentions[0]
    assert (first.text, first.url, first.kind, first.posted_at) == ("星澜好用", "https://weibo.example/9", "post", at(1))
    assert store.history("k1", BRAND) == history


def test_a_mark_stays_until_something_is_recorded(store: Store) -> None:
    store.save_kocs([koc("k1", "a"), koc("k2", "b")])
    with store.watching(brands=[BRAND]) as watch:
        assert watch is not None
        watch.record(changes("k2"), at=NOW)
    assert watch_all(store) == [("k1", BRAND, ())]


def test_an_exception_leaves_everything_as_it_was(store: Store) -> None:
    store.save_kocs([koc("k1", "a")])

    def fail() -> None:
        with store.watching(brands=[BRAND]) as watch:
            assert watch is not None
            watch.record(changes("k1", alerts=(alert("A1", "k1"),)), at=NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert store.alerts() == []
    assert watch_all(store) == [("k1", BRAND, ())]


def test_dirty_kocs_come_in_key_order_and_in_batches(store: Store) -> None:
    store.save_kocs([koc(f"k{number:02}", f"n{number}") for number in range(25)][::-1])
    seen = watch_all(store, brands=["乙", "甲"], limit=7)
    assert [(koc_id, brand) for koc_id, brand, _ in seen] == [(f"k{n:02}", b) for n in range(25) for b in ("乙", "甲")]


def test_a_post_marks_only_its_koc_and_brand(store: Store) -> None:
    store.save_kocs([koc("k1", "a"), koc("k2", "b")])
    watch_all(store)
    listen(store, [post(1), post(2, by="stranger")])
    assert store.count_dirty() == 2  # the KOC, and a mood of which nobody reads the next days yet
    assert watch_all(store) == [("k1", BRAND, ("1",))]
    assert store.count_dirty() == 0


def test_a_late_post_of_anybody_marks_kocs_with_a_mention_on_a_later_day(store: Store) -> None:
    store.save_kocs([koc("k1", "a"), koc("k2", "b"), koc("k3", "c"), koc("k4", "d")])
    same_day = at(4, hours=11.9)
    listen(store, [post(1, posted_at=at(5)), post(2, by="b", posted_at=same_day), post(3, by="c", posted_at=at(3))])
    watch_all(store)
    listen(store, [post(4, by="stranger", posted_at=at(4))])
    assert watch_all(store) == [("k1", BRAND, ("1",))]
    listen(store, [post(5, by="stranger", posted_at=at(4, hours=12)), post(6, by="stranger", posted_at=at(2))])
    assert [koc_id for koc_id, _, _ in watch_all(store)] == ["k1", "k2", "k3"]


def test_a_mood_that_did_not_change_marks_nobody(store: Store) -> None:
    store.save_kocs([koc("k1", "a")])
    listen(store, [post(1, posted_at=at(5)), post(2, by="stranger", posted_at=at(1))])
    watch_all(store)
    store.add([post(2, by="stranger", posted_at=at(1), seen_at=at(2), source="search")], stored_at=NOW)
    score_all(store)
    marks = store.count_dirty()
    store.add([post(2, by="stranger", posted_at=at(1), seen_at=at(0.5), url="https://new.example")], stored_at=NOW)
    assert score_all(store) == 1
    assert store.count_dirty() == marks


def test_a_roster_that_comes_later_finds_the_posts(store: Store) -> None:
    listen(store, [post(1), post(2, by="b", platform="weibo")])
    store.save_kocs([koc("k1", "a")])
    assert watch_all(store) == [("k1", BRAND, ("1",))]
    both = koc("k1", "a")
    store.save_kocs([replace(both, accounts=(*both.accounts, *koc("k1", "b", platform="weibo").accounts))])
    assert watch_all(store) == [("k1", BRAND, ("1", "2"))]
    assert store.history("k1", BRAND).mentions[1].account == ("weibo", "b")


def test_saving_the_same_roster_again_marks_nobody(store: Store) -> None:
    one = koc("k1", "b", "a", owner="小王", tier="A", domain="private", note="备注")
    store.save_kocs([one])
    watch_all(store)
    store.save_kocs([replace(one, accounts=one.accounts[::-1])])
    assert store.count_dirty() == 0
    (saved,) = store.kocs()
    assert [account.account_id for account in saved.accounts] == ["a", "b"]
    assert replace(saved, accounts=()) == replace(one, accounts=())
    store.save_kocs([replace(one, tier="B")])
    assert store.count_dirty() == 1


def test_an_account_that_moves_marks_who_had_it_and_who_gets_it(store: Store) -> None:
    store.save_kocs([koc("k1", "a", "b"), koc("k2", "c")])
    listen(store, [post(1), post(2, by="b")])
    watch_all(store)
    store.save_kocs([koc("k2", "b", "c")])
    assert watch_all(store) == [("k1", BRAND, ("1",)), ("k2", BRAND, ("2",))]
    assert [[account.account_id for account in one.accounts] for one in store.kocs()] == [["a"], ["b", "c"]]


def test_an_account_given_to_two_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="account forum/a is given to both k1 and k2"):
        store.save_kocs([koc("k1", "a"), koc("k2", "a")])
    assert store.kocs() == []


def test_an_account_whose_author_key_changed_is_replaced(store: Store) -> None:
    store.save_kocs([koc("k1", "a")])
    (account,) = koc("k2", "a").accounts
    store.save_kocs([replace(koc("k2"), accounts=(replace(account, author_key=author("other")),))])
    assert [len(one.accounts) for one in store.kocs()] == [0, 1]


def test_somebody_taken_off_the_roster_is_replayed_once_more_and_then_gone(store: Store) -> None:
    store.save_kocs([koc("k1", "a")])
    listen(store, [post(1)])
    record(store, "k1", alerts=(alert("A1", "k1"),), drifts=(drift("k1", PostKey("forum", "1")),))
    assert [one.koc_id for one in store.states()] == ["k1"]
    assert len(store.drifts()) == 1
    store.remove_kocs(["k1", "unknown"])
    with store.watching(brands=[]) as watch:
        assert watch is not None
        assert [(h.koc_id, h.brand, h.mentions) for h in watch.histories] == [("k1", BRAND, ())]
        assert watch.kocs == {}
        assert [one.alert.key for one in watch.stored["k1", BRAND]] == ["A1"]
        watch.record(changes("k1", superseded=("A1",)), at=NOW)
        watch.record(changes("", BRAND, state=state("", BRAND)), at=NOW)  # whose public the KOC belongs to now
    assert store.states() == []
    assert store.drifts() == []
    assert store.alerts() == []
    assert [one.state for one in store.alerts(history=True)] == ["superseded"]
    assert store.count_dirty() == 0
    store.save_kocs([koc("k1", "a")])
    assert watch_all(store) == [("k1", BRAND, ("1",))]


def test_states_and_drifts_are_replaced_and_come_back_bit_by_bit(store: Store) -> None:
    store.save_kocs([koc("k1", "a")])
    found = (drift("k1", PostKey("forum", "1")), replace(drift("k1", PostKey("forum", "2")), level="amber"))
    record(store, "k1", drifts=found)
    assert store.drifts(koc="k1", brand=BRAND) == list(found)
    assert store.states(BRAND) == [state("k1")]
    record(store, "k1", drifts=found[1:], state=replace(state("k1"), last_at=None))
    assert store.drifts() == [found[1]]
    assert store.states() == [replace(state("k1"), last_at=None)]
    assert store.drifts(koc="k2") == []


def test_a_watch_brings_all_that_was_decided_before(store: Store) -> None:
    store.save_kocs([koc("k1", "a")])
    record(
        store,
        "k1",
        alerts=(alert("A1", "k1"), alert("A2", "k1")),
        deliveries=(delivery("D1", "A1"), delivery("D2", "A1", channel="hook")),
        cases=(case("C1", "k1"),),
        steps=(step("C1", "opened"),),
    )
    record(store, "k1", alerts=(alert("A1", "k1"),), superseded=("A2",))
    store.mark_dirty()
    with store.watching(brands=[BRAND]) as watch:
        assert watch is not None
        assert [(one.alert.key, one.state) for one in watch.stored["k1", BRAND]] == [("A1", "current"), ("A2", "superseded")]
        assert watch.deliveries == {"A1": [delivery("D1", "A1"), delivery("D2", "A1", channel="hook")]}
        assert watch.cases == {("k1", BRAND): [case("C1", "k1")]}


def test_a_calibration_is_the_brand_s_own_or_that_of_all_and_the_latest(store: Store) -> None:
    store.save_kocs([koc("k1", "a")])
    listen(store, [post(1)])
    watch_all(store)
    assert store.calibration(BRAND) is None
    general = Calibration("c1", "", at(0), {"threshold": 3.5})
    store.save_calibration(general)
    assert store.calibration(BRAND) == general
    assert [koc_id for koc_id, _, _ in watch_all(store)] == ["k1"]
    later = Calibration("c2", "", at(1), {"threshold": 4})
    store.save_calibration(later)
    store.save_calibration(replace(general, parameters={"threshold": 9}))
    assert store.calibration("another") == later
    own = Calibration("b1", BRAND, at(0), {})
    watch_all(store)
    store.save_calibration(own)
    with store.watching(brands=[BRAND]) as watch:
        assert watch is not None
        assert watch.calibrations == {BRAND: own}


def test_a_calibration_judges_from_when_it_takes_effect(store: Store) -> None:
    def judged() -> dict[str, str]:
        """Version by KOC of what the next watch is judged by."""
        found = {}
        with store.watching(brands=[BRAND]) as watch:
            for history in watch.histories if watch else ():
                found[history.koc_id] = watch.calibrations[BRAND].version
                watch.record(changes(history.koc_id), at=NOW)
            for brand in watch.brands if watch else ():
                watch.record(changes("", brand, state=state("", brand)), at=NOW)
        return found

    store.save_kocs([koc("k1", "a"), koc("k2", "b")])
    store.save_calibration(Calibration("now", "", at(1), {}))
    assert store.calibration(BRAND) is None, "no post was stored by then"
    watch_all(store)
    listen(store, [post(1)], stored_at=at(2))
    assert judged() == {"k1": "now", "k2": "now"}
    store.save_calibration(Calibration("later", BRAND, at(4), {}))
    store.save_calibration(Calibration("latest", "", at(6), {}))
    assert judged() == {"k1": "now", "k2": "now"}
    listen(store, [post(2, posted_at=at(0, hours=1))], stored_at=at(3))
    assert judged() == {"k1": "now"}
    listen(store, [post(3, by="stranger", posted_at=at(0, hours=1))], stored_at=at(4))
    assert judged() == {"k1": "later", "k2": "later"}, "judged anew though nothing of theirs is new"
    assert store.count_dirty() == 0
    listen(store, [post(4, "无关", by="stranger")], stored_at=at(6))
    assert store.count_dirty() == 1
    assert judged() == {"k1": "later", "k2": "later"}, "the brand's own goes before a newer one of every brand"
    assert judged() == {}
    versions = [store.calibration(BRAND, at=at(day)) for day in (0.5, 1, 3.9, 4, 9)]
    assert [one and one.version for one in versions] == [None, "now", "now", "later", "later"]
    assert [one and one.version for one in (store.calibration("x"), store.calibration("x", at=at(5)))] == ["latest", "now"]
    assert store.calibration(BRAND) == versions[-1]


def test_a_watch_of_many_asks_as_often_as_a_watch_of_few(store: Store) -> None:
    def queries(number: int) -> int:
        people = [koc(f"k{number}-{n:03}", f"n{number}-{n}") for n in range(number)]
        store.save_kocs(people)
        listen(store, [post(f"{number}-{n}", by=f"n{number}-{n}") for n in range(number)])
        asked = []
        engine = store._database.engine
        listener = lambda *args: asked.append(args[2])  # noqa: E731
        with store.watching(brands=[BRAND], limit=1):
            pass  # spreads the marks of the roster
        event.listen(engine, "before_cursor_execute", listener)
        with store.watching(brands=[BRAND], limit=200) as watch:
            assert watch is not None
            assert len(watch.histories) == number
            for history in watch.histories:
                made = f"A{history.koc_id}"
                watch.record(
                    changes(
                        history.koc_id,
                        alerts=(alert(made, history.koc_id),),
                        deliveries=(delivery(f"D{made}", made),),
                        cases=(case(f"C{made}", history.koc_id),),
                        steps=(step(f"C{made}", "opened"),),
                    ),
                    at=NOW,
                )
        event.remove(engine, "before_cursor_execute", listener)
        return len(asked)

    assert queries(2) == queries(150)


def test_posts_stored_under_the_hash_of_an_authors_id_are_his(store: Store) -> None:
    listen(store, [post(1, by="hash:a"), post(2)])
    one = koc("k1", "a")
    both = replace(one, accounts=(replace(one.accounts[0], other_keys=(author("hash:a"),)),))
    store.save_kocs([one, koc("k0", "z")])
    assert [each.koc_id for each in store.kocs_without_other_keys()] == ["k0", "k1"]
    store.save_kocs([both])
    assert [each.koc_id for each in store.kocs_without_other_keys()] == ["k0"]
    store.remove_kocs(["k0"])
    watch_all(store)
    store.mark_dirty()
    assert store.kocs() == [both]
    assert watch_all(store) == [("k1", BRAND, ("1", "2"))]
    assert [heard.posts for heard in store.heard()] == [2]
    listen(store, [post(3, by="hash:a")])
    assert watch_all(store) == [("k1", BRAND, ("1", "2", "3"))]
    store.save_kocs([one])
    assert watch_all(store) == [("k1", BRAND, ("2",))]
    store.remove_kocs(["k1"])
    store.save_kocs([koc("k2", "a")])
    assert store.kocs()[0].accounts[0].other_keys == ()
