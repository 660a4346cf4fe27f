"""What somebody does with promises and agreements, by the first letters of their keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeVar

from listener import pipeline
from listener.app import App
from listener.relations import agreements, promises
from listener.relations.errors import RelationError
from listener.relations.promises import PromiseStage, reminds_of, stage_of
from listener.tending.people import known, today_of
from storage.roster_records import About, Agreement, AgreementAct, Promise, PromiseAct

LEAST_KEY = 4  # letters of a key that name it
MOST_NAMED = 12  # keys that a message names
Keyed = TypeVar("Keyed", Promise, Agreement)


@dataclass(frozen=True, slots=True)
class Due:
    """A promise that somebody has to be reminded of. days: how many are left, below zero how many it is past."""

    promise: Promise
    stage: PromiseStage
    days: int


def named(every: Sequence[Keyed], key: str) -> Keyed:
    """The one whose key begins so; RelationError for none or several."""
    found = [one for one in every if one.key.startswith(key)] if len(key) >= LEAST_KEY else []
    if len(found) == 1:
        return found[0]
    there = [one.key[:8] for one in (found or every)[:MOST_NAMED]]
    if found:
        zh, en = f"有 {len(found)} 项以 {key!r} 开头，请写长一些", f"{len(found)} begin with {key!r}: write more of it"
    elif len(key) < LEAST_KEY:
        zh, en = (
            f"编号至少写 {LEAST_KEY} 位，{key!r} 太短",
            f"write at least {LEAST_KEY} letters of the key; {key!r} is too short",
        )
    else:
        zh, en = f"没有以 {key!r} 开头的", f"none begins with {key!r}"
    raise RelationError(f"{zh}；有：{'、'.join(there) or '–'} / {en}; there are: {', '.join(there) or '–'}")


def add_promise(
    app: App,
    koc_id: str,
    what: str,
    due: date,
    *,
    who: str,
    brand: str = "",
    by_whom: str = "",
    to_whom: str = "",
    is_ours: bool = True,
    source: str = "hand",
    about: About = "other",
    note: str = "",
) -> Promise:
    """Write a promise into the ledger; returns it with its key."""
    if due < today_of(app):
        raise RelationError(f"{due} 已经过去；承诺的日子要在今天或以后 / is past: a promise is for a day to come")
    made = promises.promise_of(
        known(app, koc_id),
        what,
        due,
        who=who,
        at=app.now(),
        brand=brand,
        by_whom=by_whom,
        to_whom=to_whom,
        is_ours=is_ours,
        source=source,
        about=about,
        note=note,
    )
    return app.store.ledger.add_promises([made])[0]


def source_of_case(app: App, key: str) -> str:
    """The source of a promise that was made in a case, by the first letters of the case's key."""
    found = [case for case in app.store.cases() if case.key.startswith(key)] if len(key) >= LEAST_KEY else []
    if len(found) != 1:
        if found:
            words = f"有 {len(found)} 张处置单以 {key!r} 开头，请写长一些：listener cases list"
            raise RelationError(f"{words} / {len(found)} cases begin with {key!r}: write more of it")
        words = f"没有以 {key!r} 开头的处置单（至少 {LEAST_KEY} 位）：listener cases list --all"
        raise RelationError(f"{words} / no case begins with {key!r} (at least {LEAST_KEY} letters)")
    return f"case:{found[0].key}/{found[0].next_step or 'close'}"


def note_promise(app: App, key: str, act: PromiseAct, *, who: str, reason: str = "", due: date | None = None) -> Promise:
    """Keep, break, move, waive or reopen a promise."""
    one = named(app.store.ledger.promises(), key)
    entry = promises.entry_of(one, act, who=who, at=app.now(), today=today_of(app), reason=reason, due=due)
    return app.store.ledger.note_promise(one, entry)


def due_now(app: App, koc_id: str | None = None) -> list[Due]:
    """What is to be kept soon or should have been, the most urgent first."""
    today, rule = today_of(app), app.reminding()
    kocs = {koc.koc_id: koc for koc in app.store.kocs()}
    found = []
    for one in app.store.ledger.promises(koc=koc_id):
        stage = stage_of(one, today, rule) if reminds_of(one, kocs.get(one.koc_id)) else None
        if stage is not None:
            found.append(Due(one, stage, (one.due - today).days))
    return sorted(found, key=lambda each: (each.days, each.promise.key))


def remind(app: App) -> tuple[int, list[Due]]:
    """Write the reminders that are due as alerts with their deliveries, as `listener run` does; returns how many are new."""
    with app.desk() as desk:
        return pipeline.remind(desk), due_now(app)


def add_agreement(
    app: App,
    koc_id: str,
    deliverables: str,
    amount: Decimal,
    *,
    who: str,
    brand: str = "",
    starts: date | None = None,
    ends: date | None = None,
    deliver_by: date | None = None,
    pay_by: date | None = None,
    note: str = "",
) -> tuple[Agreement, list[Promise]]:
    """Write an agreement, and what it promises into the ledger; returns both with their keys."""
    made, owed = agreements.agreement_of(
        known(app, koc_id),
        deliverables,
        amount,
        who=who,
        at=app.now(),
        brand=brand,
        starts=starts,
        ends=ends,
        deliver_by=deliver_by,
        pay_by=pay_by,
        note=note,
    )
    return app.store.ledger.add_agreement(made, owed)


def note_agreement(
    app: App, key: str, act: AgreementAct, *, who: str, amount: Decimal = Decimal(0), note: str = ""
) -> Agreement:
    """Note that an agreement was delivered, paid, ended, waived or reopened, and the promises that this settles."""
    one = named(app.store.ledger.agreements(), key)
    entry = agreements.entry_of(one, act, who=who, at=app.now(), amount=amount, note=note)
    held = app.store.ledger.promises(koc=one.koc_id)
    return app.store.ledger.note_agreement(one, entry, agreements.settled_by(one, entry, held))
