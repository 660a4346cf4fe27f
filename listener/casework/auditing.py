"""Whether the logs of cases are as they were written → a report, and a hash of them all to keep elsewhere."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from listener.app import App
from listener.casework.finding import case_named
from storage.records import CaseAudit

FAULTS = {
    "changed": "被改过 / was changed",
    "missing-before": "之前的记录不见了，或有插入 / what stood before it is gone, or something was put in",
    "cut-off": "末尾被截去或添加 / the end was cut off, or added to",
    "not-found": "记下的校验值不在其中 / the hash that was noted is not among them",
}


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What the check found. head: a hash over the heads of all logs that were checked. expected: whether a hash that was noted
    before is still there; None: none was asked for."""

    cases: tuple[CaseAudit, ...]
    head: str
    expected: bool | None

    @property
    def is_whole(self) -> bool:
        return self.expected is not False and not any(one.faults for one in self.cases)


def audit(app: App, key: str | None = None, expect: str = "") -> AuditReport:
    """Check one case's log, or all. expect: the hash of a log's last entry, noted before: an entry must still have it."""
    wanted = [case_named(app, key).key] if key else None
    found = app.store.audit(wanted)
    head = hashlib.sha256(json.dumps([[one.case_key, one.head] for one in found]).encode()).hexdigest()
    expected = None
    if expect:
        expected = head.startswith(expect) or any(each.startswith(expect) for each in app.store.log_hashes(wanted))
    return AuditReport(tuple(found), head, expected)


def rows_of(report: AuditReport) -> Iterator[dict[str, Any]]:
    for one in report.cases:
        faults = [f"{number}: {FAULTS[code]}" if number else FAULTS[code] for number, code in one.faults]
        yield {"case": one.case_key[:12], "entries": one.entries, "head": one.head, "faults": "；".join(faults)}


def words_of(report: AuditReport) -> str:
    """The end of the report: whole or not, and what to keep."""
    if report.expected is False:
        return FAULTS["not-found"]
    broken = sum(bool(one.faults) for one in report.cases)
    if broken:
        return f"{broken} 张处置单的记录对不上 / the logs of {broken} cases do not fit"
    words = f"{len(report.cases)} 张处置单的记录完整；总校验值 {report.head}"
    return f"{words}，记到别处，以后用 --expect 核对各单的校验值 / all logs are whole; keep the hashes elsewhere"
