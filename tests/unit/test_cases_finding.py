"""Cases as they are listed: what asks most stands first."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from listener.cases.clocks import Clock, Due
from listener.casework.finding import CaseFile, urgency_of
from tests.alerted import NOW, case, history, stored


def file_of(key: str, *, kind: str = "drift", level: str | None = "red", hours: int = 4, urgent: bool = False) -> CaseFile:
    held = stored(history().mentions, key=key * 32, level=level)
    held = replace(held, alert=replace(held.alert, kind=kind))
    due = Due("acknowledge", NOW, NOW, NOW + timedelta(hours=hours), NOW + timedelta(hours=2 * hours))
    clock = Clock(None, NOW, None, None, None, None)
    ours = replace(case(held.alert), key=key * 32, urgent=urgent)
    return CaseFile(ours, (), None, (held,), (), (), due, clock, (), (), "")


def test_an_accident_then_what_is_due_first_then_what_asks_most() -> None:
    files = [
        file_of("a", kind="first-negative", level=None),
        file_of("b", level="amber"),
        file_of("c", level="red"),
        file_of("d", level="red", hours=2),
        file_of("e", kind="first-negative", level=None, hours=9, urgent=True),
    ]
    assert [one.case.key[0] for one in sorted(files, key=urgency_of)] == ["e", "d", "c", "b", "a"]
