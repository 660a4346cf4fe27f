"""Keeping the promise: a brand's stored history → its calibration; what it lets expect of this roster."""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from apscheduler.triggers.cron import CronTrigger

from listener.app import App
from listener.drift.calibrate import NULL_YEARS
from listener.drift.deployment import CHECK_YEARS, Expected, Fit, Material, fit
from listener.drift.rules import Rule, default_calibration
from listener.pipeline import Desk, Interrupted, batches, watch
from storage.records import Calibration, CalibrationRun, Drift, History, PostKey, RunOutcome, SettingsChanged

log = logging.getLogger(__name__)

MOST_KOCS = 5000  # that a calibration is made from: more teach it nothing new, and cost memory
READ_AT_ONCE = 500
YEAR = timedelta(days=365)
Found = tuple[str, str]  # KOC, level


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What a try to calibrate came to. before: what was in effect; fit: what was found, None where nothing is stored.

    is_in_effect: at once; else only when posts are stored at its effective_at or later. appear, vanish: turns that it raises or
    takes back, as KOC and level; moved: turns that it tells by another post than before."""

    brand: str
    outcome: RunOutcome
    before: Calibration
    material: Material
    fit: Fit | None
    is_in_effect: bool
    appear: tuple[Found, ...] = ()
    vanish: tuple[Found, ...] = ()
    moved: int = 0


def calibrate(
    app: App,
    brand: str,
    desk: Desk,
    *,
    effective_at: datetime | None = None,
    dry_run: bool = False,
    only_if_needed: bool = False,
    years: tuple[float, float] = (NULL_YEARS, CHECK_YEARS),
) -> Calibrated:
    """Calibrate a brand from what is stored, and replay whom it judges anew; dry_run: write nothing.

    only_if_needed: keep what is in effect while it keeps the promise, since each new row moves turns that were told already.
    effective_at: from when the row judges (default: when posts were last stored, so at once, and the same for the same store).
    Raises Interrupted where somebody wants to stop before anything was written."""
    store, rule = app.store, app.rule()
    before = store.calibration(brand) or default_calibration()
    data_time = store.data_time()
    histories = _sample(app, brand, desk)
    found = None
    if data_time is not None:
        desk.report("拟合，约一分钟 fit, about a minute", 0, None)
        at = effective_at or data_time
        found = fit(histories, store.moods(brand), store.koc_marks(brand=brand), before, rule, effective_at=at, years=years)
    if desk.stopping():
        raise Interrupted
    new = found.calibration if found else None
    outcome: RunOutcome = "too-little" if new is None else "unchanged" if new.version == before.version else "fitted"
    if found and outcome == "fitted" and only_if_needed and before != default_calibration() and keeps_promise(found.before):
        outcome = "kept"
    done = Calibrated(
        brand,
        outcome,
        before,
        found.material if found else Material(0, 0, 0.0, 0),
        found,
        new is not None and data_time is not None and before.effective_at <= new.effective_at <= data_time,
    )
    if outcome == "fitted" and new is not None and (dry_run or done.is_in_effect):
        appear, vanish, moved = _changed(app, brand, new, desk)
        done = replace(done, appear=appear, vanish=vanish, moved=moved)
    if not dry_run:
        version = new.version if new is not None and outcome != "kept" else before.version
        run = CalibrationRun(brand, app.now(), outcome, version, facts_of(done))
        store.record_calibration(run, new if outcome == "fitted" else None)
        watch(desk)
    return done


def keeps_promise(expected: Mapping[str, Expected]) -> bool:
    """Whether bars give what was promised: not clearly more, and not so little that they are deaf.

    >>> keeps_promise({"red": Expected(1.0, 1.1, 0.8, 1.5, 6.4)}), keeps_promise({"red": Expected(1.0, 0.2, 0.1, 0.4, 9.9)})
    (True, False)
    """
    return all(one.low <= one.promised and 0.5 * one.promised <= one.high for one in expected.values())


def facts_of(done: Calibrated) -> dict[str, object]:
    """What the log keeps of a try: what it was made from, and what it lets expect."""
    counted = {} if done.fit is None else done.fit.before if done.outcome == "kept" else done.fit.expected
    expected = {level: asdict(one) for level, one in counted.items()}
    return {"material": asdict(done.material), "expected": expected, "before": done.before.version}


def _sample(app: App, brand: str, desk: Desk) -> list[History]:
    """The histories that a calibration is made from: everybody's, or of very many KOCs those with the least hashes."""
    ids = [koc.koc_id for koc in app.store.kocs()]
    if len(ids) > MOST_KOCS:
        ids = sorted(ids, key=lambda koc_id: hashlib.sha256(koc_id.encode()).digest())[:MOST_KOCS]
    histories: list[History] = []
    for some in batches(sorted(ids), READ_AT_ONCE):
        if desk.stopping():
            raise Interrupted
        histories += app.store.histories([(koc_id, brand) for koc_id in some])
        desk.report("读取历史 read", len(histories), len(ids))
    return histories


def _changed(app: App, brand: str, new: Calibration, desk: Desk) -> tuple[tuple[Found, ...], tuple[Found, ...], int]:
    """The turns that another calibration raises, those that it takes back, and how many it tells by another post."""
    stands = _told(app.store.drifts(brand=brand))
    then: dict[Found, list[PostKey]] = {}
    done, pairs = 0, [(koc.koc_id, brand) for koc in app.store.kocs()]
    moods = app.store.moods(brand)
    for some in batches(pairs, desk.watch_size):
        if desk.stopping():
            raise Interrupted
        for verdict in desk.replay(some, app.store.histories, moods, new, desk.rule):
            then |= _told(verdict.drifts)
        done += len(some)
        desk.report("比较 compare", done, len(pairs))
    moved = sum(then[found] != stands[found] for found in then.keys() & stands.keys())
    return tuple(sorted(then.keys() - stands.keys())), tuple(sorted(stands.keys() - then.keys())), moved


def _told(drifts: Iterable[Drift]) -> dict[Found, list[PostKey]]:
    """The posts that tipped each KOC's turns, by KOC and level."""
    told: dict[Found, list[PostKey]] = {}
    for drift in drifts:
        told.setdefault((drift.koc_id, drift.level), []).append(drift.tipped_by)
    return told


# ------------------------------------------------------------------------------------------------------- by schedule


def monthly(app: App) -> None:
    """One turn of the schedule: every brand is calibrated where it no longer keeps its promise, and replayed."""
    app.refresh()
    with app.desk() as desk:
        for brand in app.brands:
            try:
                done = calibrate(app, brand.name, desk, only_if_needed=True)
            except Interrupted:
                return
            except SettingsChanged:
                if not app.refresh():  # not by the file: another program's model or environment; this process can't go on
                    raise
                log.info("%s: 设置在途中改变，下次继续 / the settings changed on the way, the next turn goes on", brand.name)
                return
            if done.outcome == "too-little":
                log.info(
                    "%s: 历史太少，沿用出厂默认 / too little history to calibrate, what was in effect stays: %d KOC, %d posts",
                    brand.name,
                    done.material.kocs,
                    done.material.posts,
                )
            else:
                words = "已校准 / calibrated: %s, %s; %d turns more, %d fewer"
                log.info(words, brand.name, done.outcome, len(done.appear), len(done.vanish))


def next_due(app: App, after: datetime) -> datetime | None:
    """When the schedule calibrates next after a time."""
    trigger = CronTrigger.from_crontab(app.settings.schedule.calibrate, timezone=app.timezone)
    found: datetime | None = trigger.get_next_fire_time(None, after)
    return found


def is_overdue(app: App) -> bool:
    """Whether the schedule's time has passed since a brand was last tried, as on a machine that was off."""
    now = app.now()
    for brand in app.brands:
        runs = app.store.calibration_runs(brand.name)
        if runs and (due := next_due(app, runs[-1].made_at)) is not None and due <= now:
            return True
    return False


# ----------------------------------------------------------------------------------------------------------- status


@dataclass(frozen=True, slots=True)
class Keeping:
    """How a brand's promise is kept.

    expected: by level, as a run counted it for the calibration in effect; empty for the cold start. kocs: with enough mentions
    to be judged; per_year: mentions of one of them in a year. denied, confirmed: KOCs whom the team marked in the last year,
    as false alarm or mild, and as turned. tried: the last run. due: when the next is."""

    brand: str
    promised: Mapping[str, float]
    expected: Mapping[str, Expected]
    kocs: int
    per_year: float
    calibration: Calibration
    denied: int
    confirmed: int
    tried: CalibrationRun | None
    due: datetime | None

    def a_year(self, level: str) -> float:
        """False alarms that a year of this roster lets expect: as counted, or else as promised."""
        rate = self.expected[level].expected if level in self.expected else self.promised[level]
        return rate * self.kocs / 1000


def keeping_of(app: App, brand: str) -> Keeping:
    """How the promise to a brand is kept, from what is stored."""
    store, rule, now = app.store, app.rule(), app.now()
    states = [s for s in store.states(brand) if s.mentions >= rule.min_mentions and s.last_at and s.changes]
    spans = [
        (s.last_at - s.changes[0].at) / YEAR * s.mentions / (s.mentions - 1) for s in states if s.last_at and s.mentions > 1
    ]
    years = math.fsum(spans)
    calibration = store.calibration(brand) or default_calibration()
    runs = store.calibration_runs(brand)
    told = next((run for run in reversed(runs) if run.version == calibration.version and run.facts.get("expected")), None)
    marks = [mark for mark in store.koc_marks(brand=brand) if now - mark.made_at <= YEAR]
    return Keeping(
        brand=brand,
        promised={"red": rule.false_alarms_red, "amber": rule.false_alarms_amber},
        expected=_expected(told, rule),
        kocs=len(states),
        per_year=round(sum(s.mentions for s in states) / years, 1) if years else 0.0,
        calibration=calibration,
        denied=len({mark.koc_id for mark in marks if mark.kind != "turned"}),
        confirmed=len({mark.koc_id for mark in marks if mark.kind == "turned"}),
        tried=runs[-1] if runs else None,
        due=next_due(app, now),
    )


def _expected(run: CalibrationRun | None, rule: Rule) -> dict[str, Expected]:
    """What a run counted, where it was for the promises that stand now."""
    if run is None:
        return {}
    promised = {"red": rule.false_alarms_red, "amber": rule.false_alarms_amber}
    found = {level: Expected(**one) for level, one in run.facts["expected"].items()}
    return {level: one for level, one in found.items() if one.promised == promised[level]}
