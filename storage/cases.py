"""Cases and their logs. A log is append-only and chained: nothing here changes or deletes an entry, see `storage.chains`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, select, update

from storage.chains import FIELDS, data_text, hash_of
from storage.codec import clean, dumps, json_of, names_of, us, us_or_none, when, when_or_none
from storage.database import AnyRow, among, chunks, insert, lock
from storage.records import Case, CaseAct, CaseAudit, CaseStep, PostKey, StoreError
from storage.tables import case_steps, cases

OPENING = "cases"  # the lock of who opens cases by hand; held together by those who watch, who open them too
KEPT = {"key", "log_head", "entries"}  # a case's own, moved by its log alone


def write(connection: Connection, new: Iterable[Case], steps: Sequence[CaseStep]) -> None:
    """Add or change cases, and append to their logs. The rows of cases that exist are locked by whoever writes."""
    rows = {case.key: _row_of(case) for case in new}
    if rows:
        statement = insert(connection.dialect.name, cases)
        values = {column.name: statement.excluded[column.name] for column in cases.c if column.name not in KEPT}
        connection.execute(
            statement.on_conflict_do_update(index_elements=["key"], set_=values), [rows[key] for key in sorted(rows)]
        )
    if steps:
        _append(connection, steps)


def _append(connection: Connection, steps: Sequence[CaseStep]) -> None:
    """Add entries behind those that there are, each with the hash of the one before it."""
    heads: dict[str, tuple[str, int]] = {}
    for keys in chunks(sorted({step.case_key for step in steps})):
        query = select(cases.c.key, cases.c.log_head, cases.c.entries).where(among(cases.c.key, keys))
        heads.update((row.key, (row.log_head, row.entries)) for row in connection.execute(query))
    entries = []
    for step in steps:
        before, count = heads[step.case_key]
        entry = _entry_of(step)
        made = hash_of(before, entry)
        heads[step.case_key] = made, count + 1
        entries.append(entry | {"before": before, "hash": made})
    connection.execute(case_steps.insert(), entries)
    moved = [{"of": key, "head": head, "count": count} for key, (head, count) in sorted(heads.items())]
    statement = update(cases).where(cases.c.key == bindparam("of"))
    connection.execute(statement.values(log_head=bindparam("head"), entries=bindparam("count")), moved)


def act(connection: Connection, acts: Sequence[CaseAct]) -> None:
    """Write what somebody did with cases that they saw; StoreError, and nothing is written, if one is not as they saw it."""
    opening = [one.case for one in acts if one.case.state == "open" and (one.was is None or one.was.state != "open")]
    if opening:
        lock(connection, OPENING)
    keys = [one.case.key for one in acts]
    found = {case.key: case for case in load(connection, [cases.c.key.in_(keys)], lock=True)}
    for one in acts:
        if found.get(one.case.key) != one.was:
            words = f"处置单 {one.case.key[:12]} 刚被别人改过，请再看一次"
            raise StoreError(f"{words} / case {one.case.key} was changed by somebody else meanwhile; look at it again")
    for case in opening:
        _refuse_second(connection, case)
    write(connection, [one.case for one in acts], [step for one in acts for step in one.steps])


def _refuse_second(connection: Connection, case: Case) -> None:
    """There is one open case per KOC and brand, and one per post of somebody off the roster: somebody else may have opened it
    a moment ago."""
    row = _row_of(case)
    fields = ("brand", "koc_id") if case.koc_id else ("brand", "koc_id", "platform", "post_id")
    if not case.koc_id and case.post is None:
        return
    same = [cases.c[name] == row[name] for name in fields]
    other = connection.execute(select(cases.c.key).where(cases.c.state == "open", cases.c.key != case.key, *same)).scalar()
    if other is not None:
        words = f"刚有人开了处置单 {other[:12]}，请在那里继续"
        raise StoreError(f"{words} / somebody has opened a case meanwhile: go on with {other[:12]}")


def load(connection: Connection, where: Sequence[ColumnElement[bool]], *, lock: bool = False) -> list[Case]:
    """Cases in key order; locked until the transaction ends."""
    query = select(cases).where(*where).order_by(cases.c.key)
    return [_case_of(row) for row in connection.execute(query.with_for_update(key_share=True) if lock else query)]


def load_steps(connection: Connection, case_keys: Sequence[str] | None) -> dict[str, list[CaseStep]]:
    """The logs of cases (None: of all), oldest first."""
    found: dict[str, list[CaseStep]] = {}
    query = select(case_steps).order_by(case_steps.c.at, case_steps.c.id)
    if case_keys is None:
        rows = list(connection.execute(query))
    else:
        rows = [
            row for some in chunks(case_keys) for row in connection.execute(query.where(among(case_steps.c.case_key, some)))
        ]
    for row in rows:
        entry = CaseStep(row.case_key, when(row.at), row.who, row.step, row.note, row.link, json_of(row.data))
        found.setdefault(row.case_key, []).append(entry)
    return found


def audit(connection: Connection, case_keys: Sequence[str] | None) -> list[CaseAudit]:
    """Whether the logs of cases (None: of all) are as they were written, in key order."""
    query = select(cases.c.key, cases.c.log_head, cases.c.entries).order_by(cases.c.key)
    kept = {row.key: row for row in connection.execute(query) if case_keys is None or row.key in case_keys}
    logs: dict[str, list[AnyRow]] = {key: [] for key in kept}
    for row in connection.execute(select(case_steps).order_by(case_steps.c.id)):
        if row.case_key in logs:
            logs[row.case_key].append(row)
    return [_audited(key, logs[key], row.log_head, row.entries) for key, row in kept.items()]


def hashes(connection: Connection, case_keys: Sequence[str] | None) -> list[str]:
    """The hash of every entry of these cases (None: of all), in the order of writing."""
    rows = connection.execute(select(case_steps.c.case_key, case_steps.c.hash).order_by(case_steps.c.id))
    return [row.hash for row in rows if case_keys is None or row.case_key in case_keys]


def _audited(key: str, log: Sequence[AnyRow], head: str, entries: int) -> CaseAudit:
    faults: list[tuple[int, str]] = []
    before = ""
    for number, row in enumerate(log, 1):
        if row.before != before:
            faults.append((number, "missing-before"))  # what stood before it is gone, or something was put in
        if hash_of(row.before, {name: getattr(row, name) for name in FIELDS}) != row.hash:
            faults.append((number, "changed"))
        before = row.hash
    if before != head or len(log) != entries:
        faults.append((0, "cut-off"))
    return CaseAudit(key, len(log), before, tuple(faults))


def _entry_of(step: CaseStep) -> dict[str, Any]:
    return {
        "case_key": step.case_key,
        "at": us(step.at),
        "who": clean(step.who),
        "step": step.step,
        "note": clean(step.note),
        "link": clean(step.link),
        "data": clean(data_text(step.data)),
    }


def _row_of(case: Case) -> dict[str, Any]:
    return {
        "key": case.key,
        "brand": case.brand,
        "koc_id": case.koc_id,
        "variant": case.variant,
        "state": case.state,
        "opened_at": us(case.opened_at),
        "opened_by": clean(case.opened_by),
        "next_step": case.next_step,
        "alerts": dumps(list(case.alerts)),
        "recovered_at": us_or_none(case.recovered_at),
        "owner": clean(case.owner),
        "members": clean(dumps(list(case.members))),
        "reason": clean(case.reason),
        "platform": case.post.platform if case.post else "",
        "post_id": case.post.post_id if case.post else "",
        "urgent": case.urgent,
        "verdict": case.verdict,
        "merged_into": case.merged_into,
        "closed_at": us_or_none(case.closed_at),
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
        row.owner,
        names_of(row.members),
        row.reason,
        PostKey(row.platform, row.post_id) if row.post_id else None,
        row.urgent,
        row.verdict,
        row.merged_into,
        when_or_none(row.closed_at),
    )
