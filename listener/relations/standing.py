"""The ledger, the contact log and the cases of one KOC → what stands beside the drift: unmet promises, contacts. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from listener.relations.contacts import Contacts, contacts_of
from listener.relations.promises import unmet
from storage.records import Case, CaseStep
from storage.roster_records import LogEntry, Promise


@dataclass(frozen=True, slots=True)
class Standing:
    """How things are between the team and a KOC. unmet: what the team promised and did not keep, the longest past first."""

    unmet: tuple[Promise, ...]
    contacts: Contacts


def standing_of(
    promises: Iterable[Promise],
    entries: Iterable[LogEntry],
    cases: Iterable[tuple[Case, Sequence[CaseStep]]],
    today: date,
    as_of: datetime | None = None,
) -> Standing:
    """How things are on a day; as_of: as far as it was written down by then."""
    known = [_known(one, as_of) for one in promises if as_of is None or one.made_at <= as_of]
    return Standing(tuple(unmet(known, today)), contacts_of(entries, cases, as_of))


def _known(promise: Promise, as_of: datetime | None) -> Promise:
    return promise if as_of is None else replace(promise, events=tuple(one for one in promise.events if one.at <= as_of))
