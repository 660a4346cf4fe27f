"""The log of calibrations: every row there is, and every try to make one, also those that changed nothing."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select

from storage import histories
from storage.codec import json_of, json_text, us, when
from storage.database import insert
from storage.records import Calibration, CalibrationRun
from storage.tables import calibration_runs, calibrations


def load(connection: Connection, brand: str | None = None) -> list[Calibration]:
    """All calibrations by (brand, effective_at, version), of one brand or of all."""
    query = select(calibrations)
    if brand is not None:
        query = query.where(calibrations.c.brand == brand)
    found = [Calibration(r.version, r.brand, when(r.effective_at), json_of(r.parameters)) for r in connection.execute(query)]
    return sorted(found, key=lambda one: (one.brand, one.effective_at, one.version))


def record(connection: Connection, run: CalibrationRun, new: Calibration | None) -> None:
    """Write a try, and the calibration that it made, if any; it takes the place of one that takes effect at the same time."""
    row = {
        "brand": run.brand,
        "made_at": us(run.made_at),
        "outcome": run.outcome,
        "version": run.version,
        "facts": json_text(run.facts),
    }
    statement = insert(connection.dialect.name, calibration_runs).values(row)
    connection.execute(statement.on_conflict_do_update(index_elements=["brand", "made_at"], set_=row))
    if new is not None:
        same = (calibrations.c.brand == new.brand, calibrations.c.effective_at == us(new.effective_at))
        connection.execute(delete(calibrations).where(*same))
        histories.save_calibration(connection, new)


def load_runs(connection: Connection, brand: str) -> list[CalibrationRun]:
    """Every try for a brand, oldest first."""
    query = select(calibration_runs).where(calibration_runs.c.brand == brand).order_by(calibration_runs.c.made_at)
    return [
        CalibrationRun(row.brand, when(row.made_at), row.outcome, row.version, json_of(row.facts))
        for row in connection.execute(query)
    ]
