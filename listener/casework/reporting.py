"""A workspace's cases → the figures of `listener.cases.reports`."""

from __future__ import annotations

from datetime import datetime

from listener.app import App
from listener.cases.reports import CaseReport, Told, report_of
from listener.casework.finding import CaseFile, cases_of


def report(app: App, *, brand: str | None = None, since: datetime | None = None) -> CaseReport:
    """The figures of the cases that were opened since then."""
    now = app.now()
    return report_of([_told(one, now) for one in cases_of(app, brand=brand, since=since)], now)


def _told(one: CaseFile, now: datetime) -> Told:
    has_reply = any("reply" in entry.data or entry.data.get("ticked") for entry in one.log)
    overdue = one.due is not None and one.due.due_at <= now
    return Told(one.case, one.clock, one.quality if has_reply else None, one.reaction, overdue)
