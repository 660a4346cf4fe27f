"""The steps of a case, in its three variants: which one is due, and what doing it makes of the case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal

from listener.keys import key_of
from listener.text.words import word
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
STAND_BY = "support"
ASIDE = "verify"  # may be done at any time in a case whose steps do not have it
ANSWERS = frozenset({"acknowledge", "thank", "support", "contact", "follow-up", "publish"})  # the other side hears of them
PRIVATE_DOMAINS = frozenset({"private", "私域"})
PROGRAM = "listener"  # who writes the entries that nobody made by hand

# Kinds of alert that are told of everybody, of somebody who said something that asks for an answer, and of somebody that others
# turn on. All else asks for a care visit: no post asks the brand for an answer.
_OF_EVERYBODY = frozenset({"brand-shift", "opinion-storm", "spread"})
_OF_WORDS = frozenset({"grave-post", "unresolved-feedback"})
_GRAVITY: Mapping[Variant, int] = {"care": 0, "private": 1, "public": 2}


class CaseError(Exception):
    """A step that this case does not allow now; the message says which one is due."""


def variant_of(alert: Alert, koc: Koc | None) -> Variant:
    """Which answer an alert asks for: a wavering or quiet KOC a care visit, since no post asks the brand for an answer; a
    critic an answer where it was said, in public or in the private domain; a public that is angry a public one; a KOC
    whom others call too close to the brand somebody who stands by them in private."""
    if alert.kind == "accusation":
        return "private"
    if alert.kind in _OF_EVERYBODY:
        return "private" if alert.evidence.get("domain") in PRIVATE_DOMAINS else "public"
    if alert.level != "red" and alert.kind not in _OF_WORDS:
        return "care"
    return "private" if koc and koc.domain.strip().casefold() in PRIVATE_DOMAINS else "public"


def first_step(alert: Alert, variant: Variant) -> str:
    """The step that a case opens with. Whoever is accused of being too close to the brand raised nothing to be thanked for:
    somebody stands by them in private."""
    return STAND_BY if alert.kind == "accusation" and STAND_BY in STEPS[variant] else STEPS[variant][0]


def strength_of(alert: Alert) -> int:
    """How strongly an alert asks for its variant, among those of one case."""
    if alert.kind in _OF_EVERYBODY or alert.kind == "grave-post" or alert.level == "red":
        return 3
    if alert.kind in ("accusation", "unresolved-feedback"):
        return 2
    return 1 if alert.level == "amber" else 0


def is_graver(variant: Variant, than: Variant) -> bool:
    """Whether an answer reaches further: to the KOC alone, to a group, to everybody."""
    return _GRAVITY[variant] > _GRAVITY[than]


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
        next_step=first_step(alert, variant),
        alerts=(alert.key,),
    )


def is_untouched(case: Case) -> bool:
    """Nobody has taken it, opened it by hand or done a step of it yet: whoever does a step takes it."""
    return case.next_step in (STEPS[case.variant][0], STAND_BY) and not case.owner and not case.reason


def advance(case: Case, step: str, *, who: str, at: datetime, note: str = "") -> tuple[Case, CaseStep]:
    """Do the step that is due, and take the case where nobody has; the last one closes it. `CaseError` for any other step: none
    is jumped, so that a public case can't close without its public follow-up."""
    steps = STEPS[case.variant]
    if case.state == "closed":
        words = f"处置单 {case.key[:12]} 已结案，要继续先重开"
        raise CaseError(f"{words} / case {case.key} is closed; a new alert opens a new one, or reopen it")
    if step not in steps:
        raise CaseError(f"没有这一步 {step!r} / unknown step {step!r} in a {case.variant} case; there are: {', '.join(steps)}")
    if step != case.next_step:
        words = f"「{word('step', step)}」还没轮到，现在该做「{word('step', case.next_step)}」（{case.next_step}）"
        raise CaseError(f"{words} / step {step!r} is not due in case {case.key[:12]}; due is {case.next_step!r}")
    if not who.strip():
        raise CaseError(f"要写明是谁做的 / step {step!r} needs a name: who did it?")
    rest = steps[steps.index(step) + 1 :]
    ours = replace(case, owner=case.owner or who.strip())
    done = replace(ours, next_step=rest[0]) if rest else replace(ours, next_step="", state="closed", closed_at=at)
    return done, CaseStep(case.key, at, who, step, note)


def is_answered(alert: Alert, cases: Iterable[Case], logs: Mapping[str, Sequence[CaseStep]]) -> bool:
    """Whether the log of a case of this KOC and brand holds an answer since what an alert tells of was first raised."""
    first_at = datetime.fromisoformat(str(alert.evidence.get("first_at") or alert.fired_at.isoformat()))
    ours = [case for case in cases if case.koc_id and (case.koc_id, case.brand) == (alert.koc_id, alert.brand)]
    steps = (one for case in ours for one in logs.get(case.key, ()))
    return any(one.step in ANSWERS and one.who != PROGRAM and one.at >= first_at for one in steps)


def done_in(case: Case, log: Sequence[CaseStep]) -> frozenset[str]:
    """The steps that a person has done since the case took its present variant, or was opened again."""
    began = max((n for n, one in enumerate(log) if one.step in ("open", "variant", "reopen")), default=-1)
    ladder = {*STEPS[case.variant], ASIDE}
    return frozenset(one.step for one in log[began + 1 :] if one.step in ladder and one.who != PROGRAM)
