"""Alerts → cases, and what becomes of them as alerts come and go: opened with the alert, joined by the next ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from listener.cases.steps import PROGRAM, case_of, first_step, is_graver, is_untouched, strength_of, variant_of
from storage.records import Alert, Case, CaseStep, Changes, Koc, StatusChange


def end_of(alert: Alert, changes: Sequence[StatusChange]) -> datetime | None:
    """When what an alert tells of was over: a drift when the KOC was an advocate again, or one who has recovered."""
    if alert.kind != "drift":
        return alert.ended_at
    back = (change.at for change in changes if change.at > alert.fired_at and change.status in ("recovered", "advocate"))
    return next(back, None)


def follow(changes: Changes, *, cases: Sequence[Case], koc: Koc | None, now: datetime) -> Changes:
    """The changes of a replay, with what they mean for the cases of this KOC and brand, written in the same transaction.

    An alert that no case knows joins the open case, or opens one; there is one open case per KOC and brand at most. A
    withdrawn alert leaves an entry. A case that nobody has touched follows its current alerts: its variant is that of the
    strongest, and it closes when none is left or all were quiet ones that are over, to open again when one is back. One that
    somebody works on is never closed or eased by the program, only made more serious. When what all alerts of a case tell of
    is over, by the posts, the case says so: that is how the answer is seen to have worked. Applied twice it changes nothing.
    """
    desk = _Cases(cases, koc, now)
    for key in changes.superseded:
        desk.withdraw(key)
    for alert in sorted(changes.alerts, key=lambda a: (a.fired_at, strength_of(a), a.key)):
        desk.take(alert)
    current = {alert.key: alert for alert in changes.alerts}
    desk.recover(current, changes.state.changes)
    desk.settle(current)
    changed = [case for key, case in desk.cases.items() if desk.before.get(key) != case]
    return replace(changes, cases=tuple(changed), steps=tuple(desk.steps))


class _Cases:
    """The cases of one KOC and brand while a replay is followed, and the entries it makes."""

    def __init__(self, cases: Sequence[Case], koc: Koc | None, now: datetime) -> None:
        # One about a post by somebody off the roster goes its own way.
        ours = [case for case in cases if case.koc_id or case.post is None]
        self.cases = {case.key: case for case in sorted(ours, key=lambda c: (c.opened_at, c.key))}
        self.before = dict(self.cases)
        self.koc, self.now = koc, now
        self.steps: list[CaseStep] = []

    def withdraw(self, alert_key: str) -> None:
        """Note in every open case of this alert that it does not stand any more."""
        for case in self.cases.values():
            if case.state == "open" and alert_key in case.alerts:
                self._write(case, "superseded", alert_key)

    def take(self, alert: Alert) -> None:
        """See that a current alert has a case, unless somebody has closed the one it had, or it is quiet and over."""
        holders = [case for case in self.cases.values() if alert.key in case.alerts]
        # Closed by a person: no step is due any more. Closed because its alerts were withdrawn: it goes on where it was.
        if any(case.state == "open" or not case.next_step for case in holders):
            return
        open_case = next((case for case in self.cases.values() if case.state == "open"), None)
        if alert.is_over:
            return
        if open_case:
            self._write(replace(open_case, alerts=(*open_case.alerts, alert.key)), "alert", alert.key)
        elif holders:
            self._write(replace(holders[0], state="open", closed_at=None), "reopen", alert.key)
        else:
            self._write(case_of(alert, self.koc, self.now), "open", alert.key)

    def recover(self, current: Mapping[str, Alert], changes: Sequence[StatusChange]) -> None:
        """Note in every case when what its current alerts tell of was over, and when that does not hold any more."""
        for case in list(self.cases.values()):
            alerts = [current[key] for key in case.alerts if key in current]
            ends = [end_of(alert, changes) for alert in alerts]
            over = max((end for end in ends if end), default=None) if None not in ends else None
            if over == case.recovered_at or not alerts:
                continue
            self._write(replace(case, recovered_at=over), "recovered" if over else "relapsed", over.isoformat() if over else "")

    def settle(self, current: Mapping[str, Alert]) -> None:
        """Bring every open case in line with those of its alerts that are current."""
        for case in [one for one in self.cases.values() if one.state == "open"]:
            alerts = [current[key] for key in case.alerts if key in current]
            if all(alert.is_over for alert in alerts):
                if is_untouched(case):
                    self._write(
                        replace(case, state="closed", closed_at=self.now), "close", "recovered" if alerts else "superseded"
                    )
                continue
            strongest = max(alerts, key=strength_of)
            variant = variant_of(strongest, self.koc)
            changed = replace(case, variant=variant, next_step=first_step(strongest, variant))
            is_ours = is_untouched(case)
            if (variant != case.variant and is_graver(variant, case.variant)) or (is_ours and changed != case):
                self._write(changed, "variant", variant)

    def _write(self, case: Case, step: str, note: str = "") -> None:
        self.cases[case.key] = case
        self.steps.append(CaseStep(case.key, self.now, PROGRAM, step, note))
