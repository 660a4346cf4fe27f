"""An orderly exit, step by step: asked → thanked → settled what is open → honored with a title → done, and watched on. Pure.

It is a way of parting as friends. It is no answer to criticism: while a case of criticism is open, the brand can't ask for one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from listener.relations.errors import RelationError
from listener.text.words import word
from storage.records import Alert, Case
from storage.roster_records import Agreement, LogEntry, Promise

AskedBy: TypeAlias = Literal["koc", "brand"]
Step: TypeAlias = Literal["ask", "thanks", "settle", "title", "finish"]
Progress: TypeAlias = Literal["none", "going", "done"]

# Alerts whose posts criticize. Quiet ones (silence, no more praise) are no criticism: parting may be what the KOC wants.
CRITICAL_KINDS = frozenset(
    {"drift", "first-negative", "grave-post", "defection", "unresolved-feedback", "contagion", "spread", "opinion-storm"}
)
_END = ("exit-done", "exit-stopped", "exit-refused")


@dataclass(frozen=True, slots=True)
class Matter:
    """Something that is open between the brand and a KOC. kind, key: what it is, and which; what: in words."""

    kind: Literal["promise", "agreement", "payment", "case"]
    key: str
    what: str


@dataclass(frozen=True, slots=True)
class Exit:
    """How far an exit has come. next: the step that is due; matters: what is open and not waived, so that it can't finish;
    waived: keys of what is left open, each with a reason in the log. title: the honorary one, once given."""

    progress: Progress
    asked_by: str
    next: Step
    matters: tuple[Matter, ...]
    waived: tuple[str, ...]
    title: str
    entries: tuple[LogEntry, ...]


def matters_of(promises: Iterable[Promise], agreements: Iterable[Agreement], cases: Iterable[Case]) -> list[Matter]:
    """What is open: promises that nobody kept, waived or broke for good, agreements, what is still to be paid, cases."""
    found = [
        Matter("promise", one.key, f"{one.what}（{one.by_whom} → {one.to_whom}，{one.due}）")
        for one in promises
        if one.state in ("open", "broken")
    ]
    for one in agreements:
        if one.state == "active" and not one.is_delivered:
            found.append(Matter("agreement", one.key, one.deliverables))
        if one.owed:
            found.append(Matter("payment", one.key, f"应付 {one.owed:,.2f} 元 / {one.owed:,.2f} CNY to be paid"))
    return found + [
        Matter("case", one.key, f"{one.brand}：{word('variant', one.variant)}") for one in cases if one.state == "open"
    ]


def exit_of(entries: Sequence[LogEntry], matters: Iterable[Matter], *, is_alumni: bool) -> Exit:
    """Where the exit stands by its entries, those of an earlier one that was stopped or refused left out. is_alumni: whether
    the roster says that it is done: who came back may leave again."""
    now = _current([one for one in entries if one.kind.startswith("exit-")], is_alumni=is_alumni)
    kinds = {one.kind for one in now}
    waived = tuple(sorted({one.about for one in now if one.kind == "exit-waived"}))
    left = tuple(one for one in matters if one.key not in waived)
    steps: list[tuple[Step, bool]] = [
        ("ask", "exit-asked" in kinds),
        ("thanks", "exit-thanks" in kinds),
        ("settle", not left),
        ("title", "exit-title" in kinds),
    ]
    return Exit(
        progress="done" if is_alumni else "going" if "exit-asked" in kinds else "none",
        asked_by=next((one.about for one in now if one.kind == "exit-asked"), ""),
        next=next((step for step, is_done in steps if not is_done), "finish"),
        matters=left,
        waived=waived,
        title=next((one.note for one in reversed(now) if one.kind == "exit-title"), ""),
        entries=tuple(now),
    )


def _current(own: Sequence[LogEntry], *, is_alumni: bool) -> Sequence[LogEntry]:
    """The entries of the exit that is under way, or of the last that was done."""
    ends = [n for n, one in enumerate(own) if one.kind in _END]
    if is_alumni and ends:
        ends.pop()
    return own[ends[-1] + 1 :] if ends else own


def refusal_of(asked_by: AskedBy, cases: Sequence[Case], alerts: Iterable[Alert]) -> str:
    """Why an exit can't be asked for now, and what to do instead; "" where it can.

    A KOC may always leave. The brand can't ask it to while a case of criticism is open: that would answer criticism by parting.
    """
    critical = {alert.key for alert in alerts if alert.kind in CRITICAL_KINDS}
    by_hand = {case.key for case in cases if not case.alerts and case.variant != "care"}
    open_ones = [c for c in cases if c.state == "open" and (c.key in by_hand or critical.intersection(c.alerts))]
    if asked_by == "koc" or not open_ones:
        return ""
    keys = "、".join(case.key[:12] for case in open_ones)
    return (
        f"处置单 {keys} 还开着：有真实的批评没有回应。结束合作不是对批评的回应；请先按处置单诚实回应（listener cases show），"
        "结案后再谈；KOC 本人要求退出时写 --asked-by koc / a case of genuine criticism is open: parting is no answer to it. "
        "Answer it first, step by step; if the KOC wants to leave, say --asked-by koc"
    )


def require(found: Exit, step: Step) -> None:
    """RelationError unless this step may be done now; thanks, title and settling come in any order once it was asked for."""
    if found.progress == "done":
        raise RelationError("已经有序退出 / the exit is done")
    if step == "ask":
        if found.progress == "going":
            raise RelationError("退出已在进行 / the exit is under way already")
        return
    if found.progress == "none":
        raise RelationError("先说是谁提出退出：listener koc exit ID --asked-by koc / say first who asks for it")
    if step == "finish" and found.next != "finish":
        raise RelationError(_lacking(found))


def _lacking(found: Exit) -> str:
    if found.next == "settle":
        lines = "\n".join(f"  {word('matter', one.kind)} {one.kind} {one.key}  {one.what}" for one in found.matters)
        words = "还有未了的事，逐一办结，或用 --waive KEY --reason 原因 / still open: settle each, or waive it with a reason"
        return f"{words}:\n{lines}"
    lacks = {"thanks": "--thanks 感谢的话", "title": "--title 荣誉称号"}[found.next]
    return f"还差一步：{lacks} / one step is missing: {lacks}"
