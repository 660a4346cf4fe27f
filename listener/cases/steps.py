"""The steps of a case, in its three variants: which one is due, and what doing it makes of the case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Literal

from listener.keys import key_of
from storage.records import Alert, Case, CaseStep, Koc

Variant = Literal["public", "private", "care"]

# The steps of each variant in order, as codes; the words stand in listener/text. Whoever answers a critic in public also
# tells the public what came of it; in a private group the one who raised it is thanked and the result is published there;
# a care visit asks and listens, and never speaks of monitoring.
STEPS: Mapping[Variant, tuple[str, ...]] = {
    "public": ("acknowledge", "route", "verify", "resolve", "follow-up", "close"),
    "private": ("thank", "support", "resolve", "publish", "close"),
    "care": ("contact", "fix", "record", "close"),
}
PRIVATE_DOMAINS = frozenset({"private", "私域"})
PROGRAM = "listener"  # who writes the entries that nobody made by hand


class CaseError(Exception):
    """A step that this case does not allow now; the message says which one is due."""


def variant_of(alert: Alert, koc: Koc | None) -> Variant:
    """Which answer an alert asks for: a wavering or quiet KOC a care visit, since no post asks the brand for an answer; a
    critic an answer where it was said, in public or in the private domain; a public that is angry a public one."""
    if alert.kind == "brand-shift":
        return "public"
    if alert.level != "red":
        return "care"
    return "private" if koc and koc.domain.strip().casefold() in PRIVATE_DOMAINS else "public"


def case_of(alert: Alert, koc: Koc | None, at: datetime) -> Case:
    """The case that an alert opens, its first step due. Its key is made of values alone, so it is opened once."""
    variant = variant_of(alert, koc)
    return Case(
        key=key_of("case", alert.brand, alert.koc_id, alert.key),
        brand=alert.brand,
        koc_id=alert.koc_id,
        variant=variant,
        state="open",
        opened_at=at,
        opened_by=alert.key,
        next_step=STEPS[variant][0],
        alerts=(alert.key,),
    )


def is_untouched(case: Case) -> bool:
    """No step of it has been done yet."""
    return case.next_step == STEPS[case.variant][0]


def advance(case: Case, step: str, *, who: str, at: datetime, note: str = "") -> tuple[Case, CaseStep]:
    """Do the step that is due; the last one closes the case. `CaseError` for any other step: none is jumped, so that a public
    case can't close without its public follow-up."""
    steps = STEPS[case.variant]
    if case.state == "closed":
        raise CaseError(f"case {case.key} is closed; a new alert opens a new one")
    if step not in steps:
        raise CaseError(f"unknown step {step!r} in a {case.variant} case; there are: {', '.join(steps)}")
    if step != case.next_step:
        raise CaseError(f"step {step!r} is not due in case {case.key}; due is {case.next_step!r}")
    if not who.strip():
        raise CaseError(f"step {step!r} needs a name: who did it?")
    rest = steps[steps.index(step) + 1 :]
    done = replace(case, next_step=rest[0]) if rest else replace(case, next_step="", state="closed")
    return done, CaseStep(case.key, at, who, step, note)
