"""Marks by hand are rows that stay; every try to calibrate is kept."""

from __future__ import annotations

import pytest

from storage.records import Calibration, CalibrationRun, KocMark, StoreError
from storage.store import Store
from tests.stored import BRAND, at, koc, listen, post


def mark(koc_id: str = "k1", day: float = 1, **fields: object) -> KocMark:
    return KocMark("", koc_id, BRAND, "turned", at(day), "", "李", at(9), **fields)  # type: ignore[arg-type]


def test_a_mark_is_kept_with_who_when_and_note(store: Store) -> None:
    kept = store.mark_koc(mark(note="电话确认"))
    assert kept.key
    assert store.koc_marks() == [kept]
    assert (kept.who, kept.made_at, kept.note, kept.taken_back_at) == ("李", at(9), "电话确认", None)


def test_the_same_mark_twice_is_one(store: Store) -> None:
    first = store.mark_koc(mark())
    assert store.mark_koc(KocMark("", "k1", BRAND, "turned", at(1), "", "王", at(10))) == first
    assert store.koc_marks(history=True) == [first]


def test_a_mark_that_is_taken_back_stays_in_the_history_and_may_be_made_again(store: Store) -> None:
    kept = store.mark_koc(mark())
    ended = store.take_back_mark(kept.key, who="王", at=at(11), note="看错了")
    assert (ended.taken_back_by, ended.taken_back_at) == ("王", at(11))
    assert store.koc_marks() == []
    assert store.koc_marks(history=True) == [ended]
    with pytest.raises(StoreError, match="王"):
        store.take_back_mark(kept.key, who="李", at=at(12))
    again = store.mark_koc(KocMark("", "k1", BRAND, "turned", at(1), "", "李", at(13)))
    assert again.key != kept.key
    assert store.koc_marks() == [again]


def test_nothing_that_is_no_mark_is_taken_back(store: Store) -> None:
    kept = store.mark_koc(mark())
    store.take_back_mark(kept.key, who="王", at=at(11))
    for key in ("unknown", f"{kept.key}-taken-back"):
        with pytest.raises(StoreError, match="no mark"):
            store.take_back_mark(key, who="王", at=at(12))


def test_marks_are_found_by_koc_and_brand_in_order_of_time(store: Store) -> None:
    store.mark_koc(mark("k2", 1))
    store.mark_koc(mark("k1", 5))
    store.mark_koc(mark("k1", 2))
    assert [(m.koc_id, m.at) for m in store.koc_marks()] == [("k1", at(2)), ("k1", at(5)), ("k2", at(1))]
    assert [m.koc_id for m in store.koc_marks(koc="k2")] == ["k2"]
    assert store.koc_marks(brand="别家") == []


def test_a_mark_makes_nobody_dirty(store: Store) -> None:
    store.save_kocs([koc("k1", "a")])
    before = store.count_dirty()
    store.mark_koc(mark())
    assert store.count_dirty() == before


def test_every_try_to_calibrate_is_kept_and_a_new_row_is_replayed(store: Store) -> None:
    store.save_kocs([koc("k1", "a")])
    listen(store, [post(1)], stored_at=at(5))
    with store.watching(brands=[BRAND]):
        pass
    new = Calibration("v1", BRAND, at(5), {"slope": 1.5})
    assert store.data_time() == at(5)
    store.record_calibration(CalibrationRun(BRAND, at(6), "too-little", "default", {"kocs": 3}), None)
    dirty = store.count_dirty()
    store.record_calibration(CalibrationRun(BRAND, at(7), "fitted", "v1", {"kocs": 30}), new)
    assert store.count_dirty() >= max(1, dirty)
    assert [(run.outcome, run.made_at, run.facts) for run in store.calibration_runs(BRAND)] == [
        ("too-little", at(6), {"kocs": 3}),
        ("fitted", at(7), {"kocs": 30}),
    ]
    assert store.calibration(BRAND) == new
    assert store.calibrations() == store.calibrations(BRAND) == [new]


def test_of_two_calibrations_that_take_effect_at_once_the_later_made_counts(store: Store) -> None:
    listen(store, [post(1)], stored_at=at(5))
    for number, version in enumerate(("z", "a")):
        run = CalibrationRun(BRAND, at(6 + number), "fitted", version, {})
        store.record_calibration(run, Calibration(version, BRAND, at(5), {}))
    found = store.calibration(BRAND)
    assert found is not None
    assert found.version == "a"


def test_an_empty_store_has_no_data_time_and_histories_come_in_the_order_asked(store: Store) -> None:
    assert store.data_time() is None
    store.save_kocs([koc("k1", "a"), koc("k2", "b")])
    listen(store, [post(1, by="b"), post(2, by="a", posted_at=at(1))], stored_at=at(5))
    found = store.histories([("k2", BRAND), ("k1", BRAND)])
    assert [(h.koc_id, len(h.mentions)) for h in found] == [("k2", 1), ("k1", 1)]
    assert store.histories([("k2", BRAND)], as_of=at(4))[0].mentions == ()
