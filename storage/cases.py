"""Cases and their logs. A log is append-only: nothing here changes or deletes an entry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from storage.codec import clean, dumps, names_of, us, us_or_none, when, when_or_none
from storage.database import AnyRow, insert
from storage.records import Case, CaseStep, StoreError
from storage.tables import case_steps, cases


def write(connection: Connection, new: Iterable[Case], steps: Sequence[CaseStep]) -> None:
    """Add or change cases, and append to their logs."""
    rows = {case.key: _row_of(case) for case in new}
    if rows:
        statement = insert(connection.dialect.name, cases)
        values = {column.name: statement.excluded[column.name] for column in cases.c if column.name != "key"}
        connection.execute(
            statement.on_conflict_do_update(index_elements=["key"], set_=values), [rows[key] for key in sorted(rows)]
        )
    if steps:
        entries = [
            {"case_key": s.case_key, "at": us(s.at), "who": clean(s.who), "step": s.step, "note": clean(s.note)} for s in steps
        ]
        connection.execute(case_steps.insert(), entries)


def change(connection: Connection, case: Case, steps: Sequence[CaseStep], was: Case | None) -> None:
    """Write one case as somebody's act on what they saw; StoreError if it is not as they saw it any more."""
    found = load(connection, [cases.c.key == case.key], lock=True)
    if (found[0] if found else None) != was:
        raise StoreError(f"case {case.key} was changed by somebody else meanwhile; look at it again")
    write(connection, [case], steps)


def load(connection: Connection, where: Sequence[ColumnElement[bool]], *, lock: bool = False) -> list[Case]:
    """Cases in key order; locked until the transaction ends."""
    query = select(cases).where(*where).order_by(cases.c.key)
    return [_case_of(row) for row in connection.execute(query.with_for_update(key_share=True) if lock else query)]


def load_steps(connection: Connection, case_key: str) -> list[CaseStep]:
    """A case's log, oldest first."""
    query = select(case_steps).where(case_steps.c.case_key == case_key).order_by(case_steps.c.at, case_steps.c.id)
    return [CaseStep(row.case_key, when(row.at), row.who, row.step, row.note) for row in connection.execute(query)]


def _row_of(case: Case) -> dict[str, Any]:
    return {
        "key": case.key,
        "brand": case.brand,
        "koc_id": case.koc_id,
        "variant": case.variant,
        "state": case.state,
        "opened_at": us(case.opened_at),
        "opened_by": case.opened_by,
        "next_step": case.next_step,
        "alerts": dumps(list(case.alerts)),
        "recovered_at": us_or_none(case.recovered_at),
    }


def _case_of(row: AnyRow) -> Case:
    return Case(
        row.key,
        row.brand,
        row.koc_id,
        row.variant,
        row.state,
        when(row.opened_at),
        row.opened_by,
        row.next_step,
        names_of(row.alerts),
        when_or_none(row.recovered_at),
    )
