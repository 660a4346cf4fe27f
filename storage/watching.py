"""A batch of dirty KOCs, loaded under a lock with all that their replay needs, and what the replay changed, written at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache, partial
from typing import Any

from sqlalchemy import Connection, delete, select, tuple_

from storage import cases as case_rows
from storage import crowds, dirty, histories, moods, outbox, roster, shifts, ties
from storage.codec import (
    changes_of,
    changes_text,
    evidence_of,
    evidence_text,
    us,
    us_or_none,
    when,
    when_or_none,
)
from storage.crowds import Crowd
from storage.database import AnyRow, among, chunks, insert, lock
from storage.records import (
    OPERATIONAL_KINDS,
    Calibration,
    Case,
    Changes,
    Delivery,
    Drift,
    DriftState,
    History,
    Koc,
    KocMention,
    MoodDay,
    PostKey,
    StoredAlert,
)
from storage.tables import alerts, cases, drift_states, drifts

Pair = tuple[str, str]  # KOC, brand


@dataclass(slots=True)
class Watch:
    """Dirty KOCs under a lock. ``record`` what each replay changes; on leaving, all is written and their marks cleared.

    pairs: the dirty (KOC, brand), in key order. read: the histories of some of them, one for each; it may hold no mention.
    brands: those that are dirty themselves; public_moods and loudest are what their replay reads (see `storage.shifts`), and
    crowd (see `storage.crowds`).
    stored, deliveries: every alert that replays ever raised for them, superseded ones too. kocs: those still on the roster.
    calibrations: of brands that have one."""

    pairs: list[Pair]
    read: Callable[[Sequence[Pair]], list[History]]
    moods: dict[str, list[MoodDay]]
    calibrations: dict[str, Calibration]
    stored: dict[Pair, list[StoredAlert]]
    deliveries: dict[str, list[Delivery]]
    cases: dict[Pair, list[Case]]
    kocs: dict[str, Koc]
    brands: list[str]
    public_moods: Callable[[str], list[MoodDay]]
    loudest: Callable[[str, date, date, int], list[KocMention]]
    crowd: Callable[[str], Crowd]
    recorded: list[tuple[Changes, int]] = field(default_factory=list)

    @property
    def histories(self) -> list[History]:
        """The history of every dirty (KOC, brand), in key order, read when asked for: whoever replays elsewhere needs none."""
        return self.read(self.pairs)

    def record(self, changes: Changes, *, at: datetime) -> None:
        """Take what a replay changes, to be written when the watch ends."""
        self.recorded.append((changes, us(at)))


def load(connection: Connection, pairs: Sequence[Pair]) -> Watch:
    """All that the replays of these need, in a number of queries that does not grow with them."""
    brands = sorted({brand for _, brand in pairs})
    koc_ids = sorted({koc_id for koc_id, _ in pairs})
    stored: dict[Pair, list[StoredAlert]] = {pair: [] for pair in pairs}
    opened: dict[Pair, list[Case]] = {pair: [] for pair in pairs}
    for ids in chunks(koc_ids):
        replayed = alerts.c.kind.not_in(sorted(OPERATIONAL_KINDS))
        for alert in outbox.load_alerts(connection, [among(alerts.c.koc_id, ids), among(alerts.c.brand, brands), replayed]):
            if (pair := (alert.alert.koc_id, alert.alert.brand)) in stored:
                stored[pair].append(alert)
        lock(connection, case_rows.OPENING, shared=True)
        for case in case_rows.load(connection, [among(cases.c.koc_id, ids), among(cases.c.brand, brands)], lock=True):
            if (pair := (case.koc_id, case.brand)) in opened:
                opened[pair].append(case)
    keys = [alert.alert.key for found in stored.values() for alert in found]
    return Watch(
        [pair for pair in pairs if pair[0] != dirty.WHOLE],
        partial(histories.load, connection),
        moods.load(connection, brands),
        histories.load_calibrations(connection, brands),
        stored,
        # Locked: nobody claims or settles them before what is decided here is written.
        outbox.load_deliveries(connection, keys, lock=True),
        opened,
        roster.load(connection, koc_ids),
        [brand for koc_id, brand in pairs if koc_id == dirty.WHOLE],
        partial(shifts.public_moods, connection),
        partial(shifts.loudest, connection),
        cache(partial(crowds.Crowd, connection)),
    )


def write(connection: Connection, watch: Watch) -> None:
    """Write what was recorded, in a few statements, and clear the marks of those it was recorded for."""
    recorded = {(changes.state.koc_id, changes.state.brand): (changes, at) for changes, at in watch.recorded}
    every = list(recorded.values())
    of_kocs = sorted({brand for koc_id, brand in recorded if koc_id != dirty.WHOLE})
    turned = ties.red(connection, of_kocs)
    _write_states(connection, [changes for changes, _ in every], watch.kocs)
    turned |= {brand: max(n, turned.get(brand, 0)) for brand, n in ties.red(connection, of_kocs).items()}
    crowds.note(connection, {(brand, crowds.TURNS): 0 for brand, n in turned.items() if n > 1})  # one may draw the other
    outbox.write_alerts(
        connection,
        [(alert, at) for changes, at in every for alert in changes.alerts],
        [(key, at) for changes, at in every for key in changes.superseded],
    )
    outbox.write_deliveries(
        connection,
        [delivery for changes, _ in every for delivery in changes.deliveries],
        [key for changes, _ in every for key in changes.cancelled],
    )
    case_rows.write(
        connection, [case for changes, _ in every for case in changes.cases], [s for changes, _ in every for s in changes.steps]
    )
    for changes, _ in every:
        if changes.state.koc_id == dirty.WHOLE:
            shifts.write(connection, changes.state.brand, changes.shifts)
            crowds.write_finds(connection, changes.state.brand, changes.finds, watch.crowd(changes.state.brand).rows)
    dirty.clear(connection, list(recorded))


def _write_states(connection: Connection, every: Sequence[Changes], kocs: dict[str, Koc]) -> None:
    """Replace the states and drifts. Somebody who left the roster has none."""
    pairs = sorted((changes.state.koc_id, changes.state.brand) for changes in every)
    for some in chunks(pairs, 400):
        connection.execute(delete(drifts).where(tuple_(drifts.c.koc_id, drifts.c.brand).in_(some)))
        connection.execute(delete(drift_states).where(tuple_(drift_states.c.koc_id, drift_states.c.brand).in_(some)))
    states = [_state_row(changes.state) for changes in every if changes.state.koc_id in kocs]
    found = [
        _drift_row(drift, number)
        for changes in every
        if changes.state.koc_id in kocs
        for number, drift in enumerate(changes.drifts)
    ]
    if states:
        connection.execute(insert(connection.dialect.name, drift_states), states)
    if found:
        connection.execute(insert(connection.dialect.name, drifts), found)


def load_states(connection: Connection, brand: str | None) -> list[DriftState]:
    query = select(drift_states)
    if brand is not None:
        query = query.where(drift_states.c.brand == brand)
    return sorted((_state_of(row) for row in connection.execute(query)), key=lambda s: (s.koc_id, s.brand))


def load_drifts(connection: Connection, koc_id: str | None, brand: str | None) -> list[Drift]:
    query = select(drifts)
    if koc_id is not None:
        query = query.where(drifts.c.koc_id == koc_id)
    if brand is not None:
        query = query.where(drifts.c.brand == brand)
    found = [(row.koc_id, row.brand, row.number, _drift_of(row)) for row in connection.execute(query)]
    return [drift for *_, drift in sorted(found, key=lambda entry: entry[:3])]


def _state_row(state: DriftState) -> dict[str, Any]:
    return {
        "koc_id": state.koc_id,
        "brand": state.brand,
        "status": state.status,
        "mentions": state.mentions,
        "baseline": state.baseline,
        "recent": state.recent,
        "last_at": us_or_none(state.last_at),
        "posterior": state.posterior,
        "reason": state.reason,
        "changes": changes_text(state.changes),
        "calibration": state.calibration,
        "silent_from": us_or_none(state.silent_from),
    }


def _state_of(row: AnyRow) -> DriftState:
    return DriftState(
        row.koc_id,
        row.brand,
        row.status,
        row.mentions,
        row.baseline,
        row.recent,
        when_or_none(row.last_at),
        row.posterior,
        row.reason,
        changes_of(row.changes),
        row.calibration,
        when_or_none(row.silent_from),
    )


def _drift_row(drift: Drift, number: int) -> dict[str, Any]:
    return {
        "koc_id": drift.koc_id,
        "brand": drift.brand,
        "number": number,
        "level": drift.level,
        "fired_at": us(drift.fired_at),
        "platform": drift.tipped_by.platform,
        "post_id": drift.tipped_by.post_id,
        "turned_at": us(drift.turned_at),
        "evidence": evidence_text(drift.evidence),
    }


def _drift_of(row: AnyRow) -> Drift:
    return Drift(
        row.koc_id,
        row.brand,
        row.level,
        when(row.fired_at),
        PostKey(row.platform, row.post_id),
        when(row.turned_at),
        evidence_of(row.evidence),
    )
