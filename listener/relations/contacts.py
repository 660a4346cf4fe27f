"""The contact log and the steps of cases → when the team last spoke with a KOC, and how long its answers took. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from storage.records import Case, CaseStep
from storage.roster_records import LogEntry

ANSWERS = frozenset(
    {"acknowledge", "thank", "contact", "support", "follow-up", "publish"}
)  # steps of a case that speak to people
PROGRAM = "listener"  # who writes the entries of a case that nobody made by hand


@dataclass(frozen=True, slots=True)
class Answered:
    """What asked for an answer, and when one came. source: "inquiry" where the KOC wrote to the team, else the case's key.
    answered_at: None: not yet."""

    asked_at: datetime
    answered_at: datetime | None
    source: str

    @property
    def took(self) -> timedelta | None:
        """How long the answer took; None while there is none."""
        return self.answered_at - self.asked_at if self.answered_at else None


@dataclass(frozen=True, slots=True)
class Contacts:
    """When the team last got in touch, and who did; every inquiry and case with its first answer, oldest first."""

    last_at: datetime | None
    last_by: str
    answers: tuple[Answered, ...]

    @property
    def waiting_since(self) -> datetime | None:
        """Since when the KOC waits for an answer to what it wrote to the team; None: it does not."""
        waits = [one.asked_at for one in self.answers if one.source == "inquiry" and one.answered_at is None]
        return min(waits, default=None)

    @property
    def usual_reply(self) -> timedelta | None:
        """The middle one of the times that answers took; None where there was none."""
        took = sorted(one.took for one in self.answers if one.took is not None)
        return timedelta(seconds=median(span.total_seconds() for span in took)) if took else None


def contacts_of(
    entries: Iterable[LogEntry], cases: Iterable[tuple[Case, Sequence[CaseStep]]] = (), as_of: datetime | None = None
) -> Contacts:
    """What was said to a KOC, by the log and by its cases. as_of: what was known then: nothing written later counts."""
    known = [one for one in entries if as_of is None or one.made_at <= as_of]
    spoken = [(one.at, one.who) for one in known if one.kind == "contact"]
    followed = []
    for case, every in cases:
        steps = [step for step in every if step.step in ANSWERS and step.who != PROGRAM and (as_of is None or step.at <= as_of)]
        spoken += [(step.at, step.who) for step in steps]
        if as_of is None or case.opened_at <= as_of:
            followed.append(Answered(case.opened_at, min((step.at for step in steps), default=None), case.key))
    asked = [one.at for one in known if one.kind == "inquiry"]
    inquired = [Answered(at, min((then for then, _ in spoken if then >= at), default=None), "inquiry") for at in asked]
    last_at, last_by = max(spoken, default=(None, ""))
    return Contacts(last_at, last_by, tuple(sorted([*inquired, *followed], key=lambda one: (one.asked_at, one.source))))
