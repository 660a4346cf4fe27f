"""What people do with a case: each act a function of case, log and what is said → the case afterwards, and its entries.

Whatever is said passes the guard rail first (`listener.cases.guard`). An act that the case does not allow is a `CaseError` that
names the reason and what can be done instead.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from listener.cases.guard import refusal_of
from listener.cases.quality import CHECKS, REACTIONS, behind_in, checks_of
from listener.cases.steps import ANSWERS, ASIDE, PROGRAM, STEPS, CaseError, Variant, advance, done_in
from listener.keys import key_of
from listener.text.refusals import refusal
from listener.text.words import word
from storage.records import Case, CaseAct, CaseStep, Json, PostKey

CLOSING: Final = ("false-alarm", "mild", "duplicate", "withdrawn", "legal")  # verdicts that close without a public follow-up
VERDICTS: Final = ("turned", *CLOSING)
LEGAL_REASONS: Final = ("rumor", "infringement", "impersonation", "extortion")  # 谣言 侵权 冒充 敲诈
AGAIN: Final[dict[Variant, str]] = {"public": "verify", "private": "support", "care": "contact"}  # due when reopened
_LINK: Final = re.compile(r"https?://[^\s<>\"]+\.[^\s<>\"]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Said:
    """Who says something, when, and what. reply: the words that go, or went, to the other side. login: the account of the
    machine, kept beside the name."""

    who: str
    at: datetime
    note: str = ""
    link: str = ""
    reply: str = ""
    ticked: tuple[str, ...] = ()
    login: str = ""


def is_verified(log: Sequence[CaseStep]) -> bool:
    """Whether somebody has verified what was said."""
    return any(one.step == "verify" and one.who != PROGRAM for one in log)


def asked_by(log: Sequence[CaseStep]) -> CaseStep | None:
    """The request to hand the case to legal that waits for a second person; None where none does."""
    last = next((one for one in reversed(log) if one.step in ("legal-asked", "legal-refused", "approve", "reopen")), None)
    return last if last and last.step == "legal-asked" else None


def open_case(
    said: Said,
    *,
    brand: str,
    koc_id: str,
    variant: Variant,
    post: PostKey | None = None,
    urgent: bool = False,
    others: Iterable[Case] = (),
) -> CaseAct:
    """A case opened by hand, with a reason. others: the cases of the brand: there is one open case per KOC, and one per post of
    somebody off the roster."""
    _heard(said, ())
    if not said.note.strip():
        raise CaseError("要写明为什么开单：--reason / say why: --reason")
    if not koc_id and post is None:
        raise CaseError("要写明是哪位 KOC 或哪条内容 / name a KOC, or a post by its link")
    for case in others:
        same = case.koc_id == koc_id and (koc_id or case.post == post)
        if case.state == "open" and case.brand == brand and same:
            raise CaseError(
                f"已有处理中的处置单 {case.key[:12]}，请在那里继续 / there is an open case: go on with {case.key[:12]}"
            )
    key = key_of(
        "case", brand, koc_id, f"{post.platform}:{post.post_id}" if post else "", said.at.isoformat(), said.who, said.note
    )
    case = Case(
        key=key,
        brand=brand,
        koc_id=koc_id,
        variant=variant,
        state="open",
        opened_at=said.at,
        opened_by=said.who,
        next_step=STEPS[variant][0],
        reason=said.note.strip(),
        post=post,
        urgent=urgent,
    )
    return CaseAct(case, (_entry(case, "open", said, {"urgent": True} if urgent else {}),), None)


def take(case: Case, said: Said, owner: str = "") -> CaseAct:
    """Somebody takes the case, or gives it to ``owner``."""
    _open(case)
    _heard(said, ())
    new = owner.strip() or said.who.strip()
    changed = replace(case, owner=new)
    return CaseAct(changed, (_entry(case, "take", said, {"owner": new, "before": case.owner}),), case)


def share(case: Case, said: Said, members: Iterable[str]) -> CaseAct:
    """Let others see all of the case: the quotes of a private domain are for its owner and members."""
    _heard(said, ())
    new = [name.strip() for name in members if name.strip()]
    changed = replace(case, members=tuple(sorted({*case.members, *new})))
    return CaseAct(changed, (_entry(case, "share", said, {"members": new}),), case)


def do_step(case: Case, log: Sequence[CaseStep], step: str, said: Said) -> CaseAct:
    """Do the step that is due. Verifying may be done beside the steps of a private case or a care visit. Whoever does the first
    step of a case that nobody has taken takes it."""
    _heard(said, log, is_reply=step in (*ANSWERS, "support", "fix"))
    data = _data_of(said)
    if step == ASIDE and ASIDE not in STEPS[case.variant]:
        _open(case)
        _needs_words(step, said)
        return CaseAct(_owned(case, said), (_entry(case, step, said, data),), case)
    done, entry = advance(case, step, who=said.who, at=said.at, note=said.note)
    if step == "close":
        _check_closing(case, log)
    else:
        _needs_words(step, said)
    if step == "follow-up" and not _LINK.search(said.link):
        raise CaseError("公开跟进要附上链接：--link https://… / a public follow-up needs its link: --link")
    if step == "close":
        data = data | {"due": "close"}
    return CaseAct(done, (replace(entry, link=said.link.strip(), data=data),), case)


def _owned(case: Case, said: Said) -> Case:
    return case if case.owner else replace(case, owner=said.who.strip())


def _needs_words(step: str, said: Said) -> None:
    if not (said.note.strip() or said.reply.strip() or said.link.strip()):
        words = f"「{word('step', step)}」要写一句做了什么（--note、--reply 或 --link）"
        raise CaseError(f"{words} / say what was done in step {step!r}: --note, --reply or --link")


def _check_closing(case: Case, log: Sequence[CaseStep]) -> None:
    """A public case does not close without a public follow-up that can be looked at."""
    if case.variant != "public":
        return
    done = [n for n, one in enumerate(log) if one.step == "follow-up"]
    if not done or not any(_LINK.search(one.link) for one in log[done[0] :] if one.step in ("follow-up", "note")):
        words = "没有公开跟进的链接，公开处置单不能结案；补上：listener cases note … --link https://…"
        raise CaseError(f"{words} / a public case does not close without the link of its public follow-up")


def note(case: Case, log: Sequence[CaseStep], said: Said, corrects: int = 0) -> CaseAct:
    """A note, also in a closed case. corrects: number of the entry (from 1) that it puts right; what was written stays."""
    _heard(said, log)
    if not (said.note.strip() or said.link.strip()):
        raise CaseError("要写内容：--note 或 --link / say something: --note or --link")
    if corrects and not 0 < corrects <= len(log):
        raise CaseError(f"没有第 {corrects} 条记录；共 {len(log)} 条 / there is no entry {corrects}; there are {len(log)}")
    return CaseAct(case, (_entry(case, "note", said, {"corrects": corrects} if corrects else {}),), case)


def react(case: Case, said: Said, reaction: str) -> CaseAct:
    """How the other side took it; in their own words, so that the guard rail does not read them."""
    _named(said)
    if reaction not in REACTIONS:
        raise CaseError(f"没有这种反应 {reaction!r} / unknown reaction; there are: {', '.join(REACTIONS)}")
    return CaseAct(case, (_entry(case, "react", said, {"reaction": reaction}),), case)


def set_urgent(case: Case, said: Said, is_urgent: bool) -> CaseAct:
    """Say that this is an accident of safety or quality, or that it is none after all; that takes words."""
    _open(case)
    _heard(said, ())
    if not said.note.strip():
        raise CaseError("要写明依据：--reason / say why: --reason")
    changed = replace(case, urgent=is_urgent)
    return CaseAct(changed, (_entry(case, "urgent" if is_urgent else "not-urgent", said, {}),), case)


def give_verdict(
    case: Case, log: Sequence[CaseStep], verdict: str, said: Said, *, reason: str = "", into: Case | None = None
) -> tuple[CaseAct, ...]:
    """What the case turned out to be. ``turned`` closes nothing; ``legal`` asks a second person (`approve`) with one of
    `LEGAL_REASONS` after verifying; ``duplicate`` hands its alerts on to ``into``; the others close it by their name."""
    _open(case)
    _heard(said, log)
    if verdict == "turned":
        return (CaseAct(case, (_entry(case, "verdict", said, {"verdict": verdict}),), case),)
    if verdict not in CLOSING:
        raise CaseError(f"没有这种结论 {verdict!r} / unknown verdict; there are: {', '.join(VERDICTS)}")
    if verdict != "duplicate" and not said.note.strip():
        raise CaseError(f"结论 {verdict} 要写明依据：--note / say what it rests on: --note")
    if case.urgent and verdict == "mild":
        words = "安全或质量事故不能按温和批评结案；确认不是事故：listener cases urgent … --off"
        raise CaseError(f"{words} / an accident is no mild criticism; if it is none, take the mark away first")
    if verdict == "legal":
        return (_ask_legal(case, log, said, reason),)
    if verdict == "duplicate":
        return _merge(case, said, into)
    return (_close(case, verdict, said, {}),)


def _ask_legal(case: Case, log: Sequence[CaseStep], said: Said, reason: str) -> CaseAct:
    if reason not in LEGAL_REASONS:
        words = "转法务要写明是谣言、侵权、冒充还是敲诈：--reason"
        raise CaseError(f"{words} / legal needs a reason: {', '.join(LEGAL_REASONS)}")
    if not is_verified(log):
        due = f"，现在该做「{word('step', case.next_step)}」" if case.next_step != "verify" else ""
        words = f"先核实，再转法务{due}：listener cases step {case.key[:12]} {case.next_step} --note …"
        raise CaseError(f"{words} / verify first: a genuine criticism is nothing for legal")
    if asked_by(log):
        raise CaseError("已有人申请，等第二人批准：listener cases approve / it was asked for already, a second person approves")
    return CaseAct(case, (_entry(case, "legal-asked", said, {"reason": reason}),), case)


def approve(case: Case, log: Sequence[CaseStep], said: Said, *, refuse: bool = False) -> CaseAct:
    """A second person agrees that the case goes to legal, and it closes; or refuses, and it goes on."""
    _open(case)
    _heard(said, log)
    asked = asked_by(log)
    if asked is None:
        raise CaseError("没有等待批准的申请 / nothing waits for approval")
    if is_same_name(asked.who, said.who):
        raise CaseError(f"要由 {asked.who} 以外的人批准 / somebody other than {asked.who} has to approve")
    if refuse:
        return CaseAct(case, (_entry(case, "legal-refused", said, {}),), case)
    entry = _entry(case, "approve", said, {"reason": asked.data.get("reason", ""), "asked_by": asked.who})
    closed = _close(case, "legal", replace(said, note=asked.note, link=asked.link), {"reason": asked.data.get("reason", "")})
    return replace(closed, steps=(entry, *closed.steps))


def is_same_name(one: str, other: str) -> bool:
    """Whether two names are one person's: however wide, high or far apart their letters are written."""
    plain = ["".join(unicodedata.normalize("NFKC", name).casefold().split()) for name in (one, other)]
    return plain[0] == plain[1]


def _merge(case: Case, said: Said, into: Case | None) -> tuple[CaseAct, ...]:
    if into is None:
        raise CaseError("要写明与哪张重复：--of / name the case that it is a duplicate of: --of")
    if into.key == case.key or into.brand != case.brand or into.state != "open":
        words = "只能并入同品牌的另一张处理中的处置单"
        raise CaseError(f"{words} / it can only be merged into another open case of the same brand")
    alerts = tuple(dict.fromkeys((*into.alerts, *case.alerts)))
    members = tuple(sorted({*into.members, *case.members, *([case.owner] if case.owner not in ("", into.owner) else [])}))
    joined = replace(into, alerts=alerts, members=members, urgent=into.urgent or case.urgent)
    note = _entry(into, "merge", replace(said, note=""), {"from": case.key})
    closed = _close(case, "duplicate", said, {"into": into.key})
    closed = replace(closed, case=replace(closed.case, merged_into=into.key))
    return (closed, CaseAct(joined, (note,), into))


def _close(case: Case, verdict: str, said: Said, data: Json) -> CaseAct:
    done = replace(_owned(case, said), state="closed", next_step="", verdict=verdict, closed_at=said.at)
    entry = _entry(case, "verdict", said, {"verdict": verdict, "due": case.next_step} | dict(data))
    return CaseAct(done, (entry,), case)


def reopen(case: Case, log: Sequence[CaseStep], said: Said, others: Iterable[Case] = ()) -> CaseAct:
    """A closed case goes on: where a verdict had ended it, or else with looking at the matter again."""
    _heard(said, log)
    if case.state != "closed":
        raise CaseError(f"处置单 {case.key[:12]} 还在处理中 / the case is open")
    if case.merged_into:
        raise CaseError(f"它已并入 {case.merged_into[:12]}，请在那里继续 / it was merged: go on with {case.merged_into[:12]}")
    if not said.note.strip():
        raise CaseError("要写明为什么重开：--reason / say why: --reason")
    for other in others:
        if other.state == "open" and other.koc_id and (other.koc_id, other.brand) == (case.koc_id, case.brand):
            raise CaseError(f"已有处理中的处置单 {other.key[:12]} / there is an open case: go on with {other.key[:12]}")
    ended = next((one for one in reversed(log) if one.step in ("verdict", "close") and "due" in one.data), None)
    due = case.next_step or (str(ended.data["due"]) if ended else "close")
    if due == "close" or due not in STEPS[case.variant]:
        due = AGAIN[case.variant]
    opened = replace(case, state="open", next_step=due, verdict="", closed_at=None)
    return CaseAct(opened, (_entry(case, "reopen", said, {"due": due, "verdict": case.verdict}),), case)


def escalate(case: Case, at: datetime, words: str) -> CaseAct:
    """The program's own act: a post of the case may tell of an accident."""
    entry = CaseStep(case.key, at, PROGRAM, "urgent", words)
    return CaseAct(replace(case, urgent=True), (entry,), case)


def read(case: Case, said: Said, step: str, data: Json) -> CaseAct:
    """Somebody took what is known of a case with them: noted, who and what."""
    _heard(said, ())
    return CaseAct(case, (_entry(case, step, said, data),), case)


def _entry(case: Case, step: str, said: Said, data: Json) -> CaseStep:
    more = {"login": said.login} if said.login and said.login != said.who.strip() else {}
    return CaseStep(case.key, said.at, said.who.strip(), step, said.note.strip(), said.link.strip(), dict(data) | more)


def _data_of(said: Said) -> dict[str, object]:
    """What an answer holds besides: its words, and what of the four they have."""
    data: dict[str, object] = {}
    if said.reply.strip():
        data |= {"reply": said.reply.strip(), "checks": list(checks_of(said.reply))}
    if said.ticked:
        data["ticked"] = [code for code in CHECKS if code in said.ticked]
    if said.login and said.login != said.who.strip():
        data["login"] = said.login
    return data


def _open(case: Case) -> None:
    if case.state == "closed":
        words = f"处置单 {case.key[:12]} 已结案；要继续先重开：listener cases reopen {case.key[:12]}"
        raise CaseError(f"{words} / the case is closed; to go on, reopen it")


def _named(said: Said) -> None:
    if not said.who.strip():
        raise CaseError("要写明是谁 / say who: --by")
    if said.link.strip() and not _LINK.fullmatch(said.link.strip()):
        raise CaseError(f"链接要以 http:// 或 https:// 开头 / a link begins with http:// or https://: {said.link!r}")
    if unknown := set(said.ticked) - set(CHECKS):
        raise CaseError(f"没有这一项 {min(unknown)!r} / unknown; there are: {', '.join(CHECKS)}")


def _heard(said: Said, log: Sequence[CaseStep], *, is_reply: bool = False) -> None:
    """See that somebody says it, and that it presses nobody. A reply, besides, speaks of nothing that was found behind
    somebody's back."""
    _named(said)
    verified, legal = is_verified(log), any(one.step == "approve" for one in log)
    for text in (said.note, said.reply):
        found = refusal_of(text, is_verified=verified, is_legal=legal)
        if found:
            raise CaseError(refusal(found.code, found.words))
    if is_reply and (words := behind_in(said.reply)):
        raise CaseError(refusal("cites-monitoring", words))


def missing_steps(case: Case, log: Sequence[CaseStep]) -> tuple[str, ...]:
    """The steps of its variant that nobody has done yet, in order."""
    done = done_in(case, log)
    return tuple(step for step in STEPS[case.variant] if step not in done)
