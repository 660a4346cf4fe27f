"""Calibrations in a workspace: what is written when, who is replayed, and what the status tells of it; replays by processes."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from config import edit
from listener import backtesting, calibrating, pipeline, workspace
from listener.app import App, executor_of, replay_many
from listener.drift.rules import Rule, default_calibration
from listener.pipeline import Interrupted
from nlp.results import ScoreError
from storage.records import Brand, Calibration, CalibrationRun, KocMark, SettingsChanged
from storage.store import Store
from tests.desks import Bench
from tests.stored import BRAND, koc, mention, post

START = datetime(2025, 1, 1, 4, tzinfo=UTC)
STORED = datetime(2026, 2, 1, tzinfo=UTC)
YEARS = (2000.0, 2000.0)
STANCES = {"f": (0.03, 0.90), "a": (0.90, 0.03), "n": (0.07, 0.07)}  # against, favor


def fill(store: Store, stances: Sequence[str], stored_at: datetime = STORED, first: int = 0) -> None:
    """KOCs that post every ten days, each letter a stance."""
    said = {
        (i, j): post(f"{i}-{j}", f"星澜 {i} {j}", by=f"u{i}", posted_at=START + timedelta(days=10 * j, minutes=i))
        for i, letters in enumerate(stances, first)
        for j in range(len(letters))
    }
    store.save_kocs([koc(f"K{i:03d}", f"u{i}") for i in range(first, first + len(stances))])
    store.add(list(said.values()), stored_at=stored_at)
    letters_of = {one.key: stances[i - first][j] for (i, j), one in said.items()}
    while stale := store.stale():
        made = []
        for one in stale:
            against, favor = STANCES[letters_of[one.key]]
            content = int.from_bytes(hashlib.sha256(one.key.post_id.encode()).digest()[:8], "big", signed=True)
            made.append((one, [mention(one.key, against=against, favor=favor, fingerprint=content)]))
        store.put(made)


def people(n: int, seed: int = 1) -> list[str]:
    rng = random.Random(seed)
    return ["".join(rng.choices("fna", (85, 8, 7), k=24)) for _ in range(n)]


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = workspace.create(tmp_path / "工 作")
    edit.put_brand(path, {"name": BRAND})
    return path


@pytest.fixture
def app(settings: Path) -> Iterator[App]:
    with App.open(settings, {}) as app:
        app.prepare()
        yield app


def calibrate(app: App, **how: object) -> calibrating.Calibrated:
    with app.desk() as desk:
        return calibrating.calibrate(app, BRAND, desk, years=YEARS, **how)  # type: ignore[arg-type]


def test_with_too_little_history_the_cold_start_stays_and_the_try_is_kept(app: App) -> None:
    assert calibrate(app).outcome == "too-little"  # nothing stored at all
    fill(app.store, people(10))
    done = calibrate(app)
    assert done.outcome == "too-little"
    assert (done.material.kocs, done.material.posts) == (10, 240)
    assert app.store.calibration(BRAND) is None
    assert [run.outcome for run in app.store.calibration_runs(BRAND)] == ["too-little", "too-little"]


def test_a_dry_run_writes_nothing_and_says_what_would_change(app: App) -> None:
    fill(app.store, [*people(40), "f" * 12 + "a" * 12])
    with app.desk() as desk:
        pipeline.watch(desk)
    before = app.store.alerts(history=True)
    done = calibrate(app, dry_run=True)
    assert done.outcome == "fitted"
    assert done.is_in_effect
    assert app.store.calibration(BRAND) is None
    assert app.store.calibration_runs(BRAND) == []
    assert app.store.alerts(history=True) == before
    assert app.store.count_dirty() == 0
    really = calibrate(app)
    assert (really.appear, really.vanish, really.moved) == (done.appear, done.vanish, done.moved)


def test_a_calibration_is_in_effect_at_once_and_everybody_is_replayed_by_it(app: App) -> None:
    fill(app.store, [*people(40), "f" * 12 + "a" * 12])
    done = calibrate(app)
    new = app.store.calibration(BRAND)
    assert new is not None
    assert done.fit is not None
    assert new == done.fit.calibration
    assert new.effective_at == STORED
    assert app.store.count_dirty() == 0
    assert {state.calibration for state in app.store.states(BRAND)} == {new.version}
    (run,) = app.store.calibration_runs(BRAND)
    assert (run.outcome, run.version, run.facts["before"]) == ("fitted", new.version, default_calibration().version)


def test_the_same_history_calibrates_to_the_same_bytes_and_changes_nothing(app: App) -> None:
    fill(app.store, people(40))
    first = calibrate(app)
    row, alerts = app.store.calibrations(BRAND), app.store.alerts(history=True)
    again = calibrate(app)
    assert again.outcome == "unchanged"
    assert again.fit is not None
    assert first.fit is not None
    assert again.fit.calibration == first.fit.calibration
    assert app.store.calibrations(BRAND) == row
    assert app.store.alerts(history=True) == alerts


def test_one_that_takes_effect_later_judges_nobody_yet(app: App) -> None:
    fill(app.store, people(40))
    later = STORED + timedelta(days=3)
    done = calibrate(app, effective_at=later)
    assert not done.is_in_effect
    assert app.store.calibration(BRAND) is None
    fill(app.store, people(1, seed=9), stored_at=later + timedelta(days=1), first=90)
    with app.desk() as desk:
        pipeline.watch(desk)
    found = app.store.calibration(BRAND)
    assert found is not None
    assert {state.calibration for state in app.store.states(BRAND)} == {found.version}


def test_a_mark_made_after_a_calibration_makes_another_that_is_in_effect(app: App) -> None:
    fill(app.store, [*people(40), *["f" * 12 + "a" * 12] * 4])
    first = calibrate(app)
    for i in range(40, 44):
        at = START + timedelta(days=120)
        app.store.mark_koc(KocMark("", f"K{i:03d}", BRAND, "turned", at, "", "李", STORED))
    second = calibrate(app)
    assert second.outcome == "fitted"
    assert second.material.turned == 4
    assert second.before == (first.fit.calibration if first.fit else None)
    found = app.store.calibration(BRAND)
    assert found is not None
    assert second.fit is not None
    assert found == second.fit.calibration


def test_the_schedule_keeps_what_keeps_the_promise(app: App) -> None:
    fill(app.store, [*people(40), *["f" * 12 + "a" * 12] * 4])
    calibrate(app)
    row = app.store.calibration(BRAND)
    app.store.mark_koc(KocMark("", "K041", BRAND, "turned", START + timedelta(days=120), "", "李", STORED))
    done = calibrate(app, only_if_needed=True)
    assert done.outcome == "kept"
    assert app.store.calibration(BRAND) == row
    assert app.store.calibration_runs(BRAND)[-1].version == (row.version if row else "")


def test_the_schedule_replaces_what_does_not_keep_the_promise(app: App) -> None:
    fill(app.store, people(40))
    loose = {**default_calibration().parameters, "intercept": 6.0}
    run = CalibrationRun(BRAND, STORED, "fitted", "loose", {})
    app.store.record_calibration(run, Calibration("loose", BRAND, STORED, loose))
    assert calibrate(app, only_if_needed=True).outcome == "fitted"


def test_the_schedules_turn_goes_over_every_brand_and_stops_when_asked(app: App, caplog: pytest.LogCaptureFixture) -> None:
    fill(app.store, people(3))
    with caplog.at_level("INFO"):
        calibrating.monthly(app)
    assert "too little history" in caplog.text
    app._stop.set()
    calibrating.monthly(app)
    assert len(app.store.calibration_runs(BRAND)) == 1
    with app.desk() as desk, pytest.raises(Interrupted):
        calibrating.calibrate(app, BRAND, desk)
    with app.desk() as desk, pytest.raises(Interrupted):
        backtesting.backtest(app, BRAND, desk, desk.rule, since=START, until=STORED)


def test_the_schedule_is_overdue_when_its_time_passed_while_nobody_ran(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not calibrating.is_overdue(app)  # never tried: the first turn is the schedule's own
    fill(app.store, people(3))
    calibrate(app)
    assert not calibrating.is_overdue(app)
    monkeypatch.setattr(app, "now", lambda: datetime.now(UTC) + timedelta(days=40))
    assert calibrating.is_overdue(app)


def test_the_status_tells_what_the_promise_means_for_this_roster(app: App) -> None:
    fill(app.store, people(40))
    with app.desk() as desk:
        pipeline.watch(desk)
    cold = calibrating.keeping_of(app, BRAND)
    assert cold.expected == {}
    assert (cold.kocs, cold.tried) == (40, None)
    assert cold.per_year == pytest.approx(36.5, abs=1.5)
    assert cold.a_year("red") == pytest.approx(0.04)
    done = calibrate(app)
    app.store.mark_koc(KocMark("", "K001", BRAND, "mild", START, "", "李", app.now()))
    app.store.mark_koc(KocMark("", "K002", BRAND, "turned", START, "", "李", app.now()))
    kept = calibrating.keeping_of(app, BRAND)
    assert done.fit is not None
    assert kept.expected == done.fit.expected
    assert kept.a_year("amber") == pytest.approx(done.fit.expected["amber"].expected * 40 / 1000)
    assert (kept.denied, kept.confirmed) == (1, 1)
    assert kept.calibration == done.fit.calibration
    assert kept.due is not None
    assert kept.due > app.now()


def test_other_promises_make_the_old_expectation_say_nothing(app: App, settings: Path) -> None:
    fill(app.store, people(40))
    calibrate(app)
    with App.open(settings, {"LISTENER_RULES_FALSE_ALARMS_RED": "3.0"}) as other:
        assert set(calibrating.keeping_of(other, BRAND).expected) == {"amber"}


# ----------------------------------------------------------------------------------------------------------- replay


def everything(store: Store) -> list[object]:
    return [store.states(), store.drifts(), [(one.alert, one.state) for one in store.alerts(history=True)], store.cases()]


@pytest.mark.slow
def test_any_number_of_workers_leaves_the_same_bytes(store: Store, store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("listener.app.KOCS", 7)
    desk = Bench(store, (Brand(BRAND),)).desk()
    fill(store, [*people(40), *["f" * 12 + "a" * 12] * 4])
    pipeline.watch(desk)
    alone = everything(store)
    assert store.drifts()
    database = (store_url, "Asia/Shanghai")
    for reached in (database, None):  # workers that read the database themselves, and workers that are sent the histories
        with executor_of(2) as executor:
            store.mark_dirty()
            pipeline.watch(replace(desk, replay=partial(replay_many, executor, reached), watch_size=30))
        assert everything(store) == alone
        assert store.count_dirty() == 0


class Dying:
    """An executor whose workers are killed."""

    def map(self, *what: object) -> Iterator[object]:
        from concurrent.futures.process import BrokenProcessPool

        raise BrokenProcessPool("killed")


def test_workers_that_die_leave_the_kocs_dirty_and_say_what_to_do(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("listener.app.KOCS", 2)
    fill(app.store, people(5))
    dirty = app.store.count_dirty()

    def replay(*what: object) -> object:
        return replay_many(Dying(), None, *what)  # type: ignore[arg-type]

    with app.desk() as desk, pytest.raises(ScoreError, match="run it again"):
        pipeline.watch(replace(desk, replay=replay))  # type: ignore[arg-type]
    assert app.store.count_dirty() >= min(dirty, 5)
    assert app.store.states() == []


# --------------------------------------------------------------------------------------------------------- backtest


@pytest.fixture
def trial(app: App) -> Callable[..., backtesting.Trial]:
    fill(app.store, [*people(10), "f" * 12 + "a" * 12])
    app.store.mark_koc(KocMark("", "K010", BRAND, "turned", START + timedelta(days=120), "", "李", STORED))

    def run(other: Rule | None = None, **how: object) -> backtesting.Trial:
        span = {"since": START, "until": STORED} | how
        with app.desk() as desk:
            return backtesting.backtest(app, BRAND, desk, other or desk.rule, **span)  # type: ignore[arg-type]

    return run


def test_a_backtest_leaves_alerts_states_and_marks_of_dirt_alone(app: App, trial: Callable[..., backtesting.Trial]) -> None:
    with app.desk() as desk:
        pipeline.watch(desk)
    before = everything(app.store)
    found = trial(backtesting.promises(app.rule(), 3.0, 30.0))
    assert everything(app.store) == before
    assert app.store.count_dirty() == 0
    assert sum(len(one.raised) for one in found.tried) >= sum(len(one.raised) for one in found.in_force) > 0


def test_under_the_promises_in_force_a_backtest_raises_what_stands(app: App, trial: Callable[..., backtesting.Trial]) -> None:
    with app.desk() as desk:
        pipeline.watch(desk)
    found = trial()
    raised = {(r.koc_id, r.level, r.tipped_by) for one in found.in_force for r in one.raised}
    assert raised == {(d.koc_id, d.level, d.tipped_by) for d in app.store.drifts()}
    (turn,) = [t for one in found.in_force for t in one.turns]
    assert turn.told["red"] is not None


def test_as_of_knows_only_what_was_stored_and_posted_by_then(trial: Callable[..., backtesting.Trial]) -> None:
    earlier = trial(as_of=STORED - timedelta(seconds=1))
    assert earlier.late == 11 * 24
    assert all(not one.raised for one in earlier.in_force)
    assert trial(as_of=STORED).late == 0
    half = trial(until=START + timedelta(days=120))
    assert all(r.fired_at < START + timedelta(days=120) for one in half.in_force for r in one.raised)
    assert all(r.koc_id != "K010" for one in half.in_force for r in one.raised)


def test_settings_that_change_on_the_way_end_the_schedules_turn_only_where_the_file_says_so(
    app: App, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changed(*what: object, **how: object) -> None:
        raise SettingsChanged

    monkeypatch.setattr(calibrating, "calibrate", changed)
    with pytest.raises(SettingsChanged):
        calibrating.monthly(app)
    refreshed = iter([False, True])
    monkeypatch.setattr(app, "refresh", lambda: next(refreshed))
    calibrating.monthly(app)
