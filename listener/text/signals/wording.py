"""What the words of a signal are made of: the value every teller returns, and the sentences that several of them share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias
from zoneinfo import ZoneInfo

from listener.text import phrases
from listener.text.views import AlertView

Fact: TypeAlias = tuple[str, str]  # label, sentence


@dataclass(frozen=True, slots=True)
class Told:
    """The words of one kind of alert. before_title, quotes_title: what stands over the two groups of posts. chart_note: what
    the chart shows."""

    headline: str
    facts: tuple[Fact, ...]
    before_title: str
    quotes_title: str
    chart_note: str
    tone: Literal["red", "amber", "calm"] = "calm"


Teller: TypeAlias = Callable[[AlertView, Mapping[str, Any], bool], Told]
"""The alert, its evidence and whether it is told in zh-CN → its words; raises KeyError where the evidence lacks something."""


def before(view: AlertView, e: Mapping[str, Any], zh: bool) -> Fact:
    """What the KOC was like until then; evidence: before_n, before_mean."""
    tendency, mean = phrases.tendency(e["before_mean"], view.language), phrases.mean(e["before_mean"])
    if zh:
        return "此前", f"{e['before_n']} 条提及{tendency}（平均态度 {mean}）"
    return "Before", f"{e['before_n']} mentions, {tendency} (mean stance {mean})"


def ended(view: AlertView, what: str, zh: bool) -> list[Fact]:
    """When what the alert tells of was over, and by what; nothing where it goes on."""
    if view.alert.ended_at is None:
        return []
    at = phrases.day(view.alert.ended_at.astimezone(ZoneInfo(view.timezone)), view.language)
    return [("后来", f"{at} {what}") if zh else ("Then", f"{what} on {at}")]


def titles(zh_title: str, en_title: str, zh: bool) -> tuple[str, str]:
    """What stands over the posts from before, and over those of the evidence."""
    return ("此前怎么说", zh_title) if zh else ("What was said before", en_title)


def note(zh: bool) -> str:
    """What the chart of a KOC shows."""
    if zh:
        return "纵轴：对品牌的态度，+1 支持，−1 负面。● 原创提及　○ 转发"
    return "Vertical: stance toward the brand, +1 in favor, −1 against. ● own words, ○ reposts"


def local(view: AlertView, at: str) -> datetime:
    """A time of the evidence, in the time zone of the workspace."""
    return datetime.fromisoformat(at).astimezone(ZoneInfo(view.timezone))
