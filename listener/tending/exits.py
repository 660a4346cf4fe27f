"""An orderly exit, led step by step; each step is an entry of the KOC's log."""

from __future__ import annotations

from dataclasses import replace

from listener.app import App
from listener.relations.errors import RelationError
from listener.relations.exits import AskedBy, Exit, Matter, exit_of, matters_of, refusal_of, require
from listener.tending.people import known
from storage.records import Koc
from storage.roster_records import By, ExitAct, LogEntry


def exit_with(app: App, koc: Koc) -> Exit:
    """Where a KOC's exit stands now."""
    entries = app.store.ledger.entries(koc=koc.koc_id)
    return exit_of(entries, open_matters(app, koc.koc_id), is_alumni=koc.standing == "alumni")


def open_matters(app: App, koc_id: str) -> list[Matter]:
    """What is open between the brand and a KOC."""
    ledger, store = app.store.ledger, app.store
    return matters_of(ledger.promises(koc=koc_id), ledger.agreements(koc=koc_id), store.cases(koc=koc_id))


def ask(app: App, koc_id: str, asked_by: AskedBy, who: str, note: str = "") -> Exit:
    """Begin an exit. RelationError where it would answer criticism; that it was asked for, and refused, is in the log."""
    koc = known(app, koc_id)
    require(exit_with(app, koc), "ask")
    alerts = [one.alert for one in app.store.alerts(koc=koc_id)]
    keys = {alert.key for alert in alerts}
    cases = [case for case in app.store.cases() if case.koc_id == koc_id or keys.intersection(case.alerts)]  # merged ones too
    refusal = refusal_of(asked_by, cases, alerts)
    if refusal:
        _write(app, koc_id, "exit-refused", who, note, asked_by)
        raise RelationError(refusal)
    _write(app, koc_id, "exit-asked", who, note, asked_by)
    return exit_with(app, koc)


def thank(app: App, koc_id: str, words: str, who: str) -> Exit:
    """Note how the KOC was thanked."""
    return _step(app, koc_id, "exit-thanks", who, words)


def waive(app: App, koc_id: str, key: str, reason: str, who: str) -> Exit:
    """Leave an open matter as it is, with a reason: it holds the exit no more."""
    koc = known(app, koc_id)
    found = exit_with(app, koc)
    require(found, "settle")
    matter = next((one for one in found.matters if key and one.key.startswith(key)), None)
    if matter is None:
        open_ = "、".join(f"{one.kind} {one.key[:8]}" for one in found.matters) or "–"
        raise RelationError(f"没有未了的 {key!r}；有：{open_} / nothing open begins so; there are: {open_}")
    return _step(app, koc_id, "exit-waived", who, reason, matter.key)


def honor(app: App, koc_id: str, title: str, who: str) -> Exit:
    """Note the honorary title."""
    return _step(app, koc_id, "exit-title", who, title)


def stop(app: App, koc_id: str, reason: str, who: str) -> Exit:
    """Give an exit up: the KOC stays."""
    return _step(app, koc_id, "exit-stopped", who, reason)


def finish(app: App, koc_id: str, who: str, note: str = "") -> Koc:
    """End the exit: the KOC is an alumnus with the title, and watched on. RelationError while a step is missing or a matter
    open."""
    koc = known(app, koc_id)
    found = exit_with(app, koc)
    require(found, "finish")
    new = replace(koc, standing="alumni", title=found.title)
    done = _entry(app, koc_id, "exit-done", who, note, found.asked_by)
    app.store.save_kocs([new], by=By(who, done.made_at, "exit", note), entries=[done])
    return new


def _step(app: App, koc_id: str, kind: ExitAct, who: str, note: str, about: str = "") -> Exit:
    koc = known(app, koc_id)
    require(exit_with(app, koc), "settle")
    if not note.strip():
        raise RelationError("写一句话 / write a line")
    _write(app, koc_id, kind, who, note, about)
    return exit_with(app, koc)


def _write(app: App, koc_id: str, kind: ExitAct, who: str, note: str, about: str) -> None:
    app.store.ledger.log([_entry(app, koc_id, kind, who, note, about)])


def _entry(app: App, koc_id: str, kind: ExitAct, who: str, note: str, about: str) -> LogEntry:
    if not who.strip():
        raise RelationError("写明是谁 / say who")
    now = app.now()
    return LogEntry(koc_id, now, kind, who.strip(), now, note.strip(), "", about)
