"""A case → the draft of what could be said at a step, its facts filled in, to be edited by a human; nothing here sends it.

What nobody knows yet stands as a blank to be filled in. A draft speaks of what the other side said in public and of what the
team does, never of monitoring or scores; a team's own templates are held to that too. They lie in the folder of message
templates, under the same names: ``draft.acknowledge.txt.j2`` and so on, or in ``zh-CN/`` or ``en/``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from listener.app import App
from listener.cases.guard import refusal_of
from listener.cases.quality import behind_in
from listener.cases.steps import PROGRAM, STEPS, CaseError
from listener.casework.finding import CaseFile
from listener.text import phrases
from listener.text.quotes import line_of, link_of, quote_of
from listener.text.refusals import refusal
from listener.text.templates import DRAFTS, rendered
from listener.text.views import Language
from listener.text.words import word

# Steps that are prepared with another's words.
INSTEAD = {"verify": "route", "resolve": "route", "record": "contact", "approve": "route"}
MOST_SAID = 4


@dataclass(frozen=True, slots=True)
class Draft:
    """Words to be edited. step: what they are for; trouble: what was wrong with the team's own template, "" nothing."""

    step: str
    text: str
    trouble: str


def draft_of(app: App, one: CaseFile, step: str = "", language: Language | None = None) -> Draft:
    """The draft for a step, the due one by default; CaseError for a step that nothing is said at, and for a template of the
    team that presses or speaks of monitoring."""
    language = language or app.settings.listener.language
    wanted = step or (one.due.step if one.due else "follow-up")
    known = {*STEPS[one.case.variant], "verify", "route"} & {*DRAFTS, *INSTEAD}
    if wanted not in known and wanted != "approve":
        raise CaseError(f"{wanted} 没有草稿；有：{', '.join(sorted(known))} / no draft for {wanted}")
    name = f"draft.{INSTEAD.get(wanted, wanted)}.txt.j2"
    values = facts_of(app, one, language)
    folder = app.settings.listener.templates
    text, trouble = rendered(name, values, language, folder)
    unquoted = values | {"said": [each | {"text": "…"} for each in values["said"]]}  # the words of others are their own
    _check(name, rendered(name, unquoted, language, folder)[0], wanted)
    return Draft(wanted, text.strip() + "\n", trouble)


def _check(name: str, text: str, step: str) -> None:
    """See that a draft presses nobody; and that one for the other side speaks of nothing behind their back."""
    found = refusal_of(text)
    words = "" if INSTEAD.get(step, step) == "route" else behind_in(text)
    if found or words:
        told = refusal(found.code, found.words) if found else refusal("cites-monitoring", words)
        raise CaseError(f"模板 {name} / template {name}: {told}")


def facts_of(app: App, one: CaseFile, language: Language) -> dict[str, Any]:
    """What a template may fill in: see README."""
    zh, zone = language == "zh-CN", ZoneInfo(app.timezone)
    today = app.now().astimezone(zone).date()
    departments = dict(app.settings.departments.by_cause)
    negative = [each for each in one.posts if each.is_against or each.view.key == one.case.post] or list(one.posts)
    said = [
        {
            "day": phrases.day(each.view.posted_at.astimezone(zone).date(), language, like=today),
            "text": quote_of(each.view.text, language),
            "url": link_of(each.view.url),
        }
        for each in negative[-MOST_SAID:]
        if not each.view.text_purged
    ]
    first = negative[0].view.posted_at if negative else one.case.opened_at
    return {
        "zh": zh,
        "blank": lambda words: f"【请填：{words}】" if zh else f"[fill in: {words}]",
        "case": one.case.key[:12],
        "brand": line_of(one.case.brand),
        "is_koc": one.koc is not None,
        "is_accused": any(each.alert.kind == "accusation" and each.state == "current" for each in one.alerts),
        "who": line_of(one.koc.name) if one.koc and one.koc.name else ("" if zh else "there"),
        "day": phrases.day(first.astimezone(zone).date(), language, like=today),
        "about": ("、" if zh else ", ").join(word("cause", code, language) for code in one.causes[:2]),
        "department": next((departments[code] for code in one.causes if departments.get(code)), ""),
        "owner": line_of(one.case.owner or (one.koc.owner if one.koc else "")),
        "due": _time(one.due.due_at if one.due else None, zone, zh),
        "said": said,
        "found": _last_note(one, "verify"),
        "measure": _last_note(one, "resolve") or _last_note(one, "fix"),
        "promises": [{"what": line_of(each.what), "due": phrases.day(each.due, language, like=today)} for each in one.promises],
    }


def _time(at: datetime | None, zone: ZoneInfo, zh: bool) -> str:
    if at is None:
        return ""
    local = at.astimezone(zone)
    return f"{local.month} 月 {local.day} 日 {local:%H:%M}" if zh else f"{local:%d %B %H:%M}"


def _last_note(one: CaseFile, step: str) -> str:
    """What was written at a step, to be put in words for others; "" where it speaks of what is not for them."""
    note = next((entry.note for entry in reversed(one.log) if entry.step == step and entry.who != PROGRAM), "")
    return "" if behind_in(note) else line_of(note).rstrip("。.")


def names() -> Mapping[str, str]:
    """The templates of drafts by step."""
    return {step: f"draft.{step}.txt.j2" for step in sorted(DRAFTS)}
