"""What the team said by hand, beside what the detector said: drifts and marks → which drifts were true, which false.

A mark that turned speaks of every drift from a fortnight before its day on: nobody dates a turn to the day. A false alarm, or
mild criticism, speaks of the drifts within 90 days, because under other promises the same posts raise an alert on another day;
of two marks that fit, the one that names the very drift wins, then the turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta, tzinfo

from storage.records import Drift, History, KocMark

EARLY = timedelta(days=14)
NEAR = timedelta(days=90)
Pair = tuple[str, str]  # KOC, brand


def by_koc(marks: Iterable[KocMark]) -> dict[Pair, list[KocMark]]:
    """The marks of each KOC and brand, in order of time."""
    found: dict[Pair, list[KocMark]] = {}
    for mark in sorted(marks, key=lambda one: (one.at, one.key)):
        found.setdefault((mark.koc_id, mark.brand), []).append(mark)
    return found


def mark_of(drift: Drift, marks: Sequence[KocMark]) -> KocMark | None:
    """The mark that says what a drift was, out of its KOC's; None where nobody said."""
    denied = [m for m in marks if m.kind != "turned" and abs(drift.fired_at - m.at) <= NEAR]
    exact = next((m for m in denied if m.alert_key and m.at == drift.fired_at), None)
    turned = [m for m in marks if m.kind == "turned" and m.at - EARLY <= drift.fired_at]
    if exact is not None or not turned:
        return exact or min(denied, key=lambda m: (abs(drift.fired_at - m.at), m.key), default=None)
    return turned[-1]


def contradicted(mark: KocMark, marks: Iterable[KocMark], zone: tzinfo) -> KocMark | None:
    """The mark that says another thing of the same alert, or of the same local day, of the same KOC and brand."""
    same = [m for m in marks if (m.koc_id, m.brand) == (mark.koc_id, mark.brand) and m.kind != mark.kind]
    day = mark.at.astimezone(zone).date()
    return next(
        (m for m in same if m.at.astimezone(zone).date() == day or (m.alert_key and m.alert_key == mark.alert_key)), None
    )


def loyal_part(history: History, marks: Sequence[KocMark]) -> History:
    """A history up to the first turn that the team confirmed: what of it may teach how loyal advocates write."""
    turned = min((m.at for m in marks if m.kind == "turned"), default=None)
    if turned is None:
        return history
    return replace(history, mentions=tuple(m for m in history.mentions if m.posted_at < turned))


def false_alarms(drifts: Mapping[Pair, Sequence[Drift]], marks: Mapping[Pair, Sequence[KocMark]]) -> dict[str, int]:
    """KOCs on whom a level is raised that the team called false or mild, by level; whoever is red is amber too."""
    counts = {"amber": 0, "red": 0}
    for pair, said in marks.items():
        found = ((drift, mark_of(drift, said)) for drift in drifts.get(pair, ()))
        levels = {drift.level for drift, mark in found if mark is not None and mark.kind != "turned"}
        counts["red"] += "red" in levels
        counts["amber"] += bool(levels)
    return counts
