"""What a reminder of a promise says: what was promised to whom, its day, and how it is settled."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from listener.text import phrases
from listener.text.quotes import line_of
from listener.text.signals.wording import Fact, Told
from listener.text.views import AlertView
from listener.text.words import word


def promise_due(view: AlertView, e: Mapping[str, Any], zh: bool) -> Told:
    """Evidence: promise, stage, what, by_whom, to_whom, is_ours, due, source."""
    due, what = phrases.day(date.fromisoformat(e["due"]), view.language), line_of(e["what"])
    stage = word("promise-stage", e["stage"], view.language)
    by, to = line_of(e["by_whom"]), line_of(e["to_whom"])
    headline = f"{view.name}：「{what}」{stage}（{due}）" if zh else f"{view.name}: {what!r} {stage} ({due})"
    return Told(headline, tuple(_facts(e, by, to, due, zh)), "", "", "", "amber" if "overdue" in e["stage"] else "calm")


def _facts(e: Mapping[str, Any], by: str, to: str, due: str, zh: bool) -> list[Fact]:
    key = e["promise"][:8]
    kept = f"listener promises keep {key}"
    if not e["is_ours"]:
        who = ("对方的承诺", f"{by} 答应 {to}；不必催，问一句是否需要帮助") if zh else ("Theirs", f"{by} to {to}; do not press")
        return [who, ("到期", due) if zh else ("Due", due)]
    if zh:
        return [
            ("谁的承诺", f"{by} 答应 {to}"),
            ("到期", due),
            ("来源", _source(e["source"], zh)),
            ("办好了", f"{kept}；改期：listener promises move {key} 新日期 --reason 原因"),
        ]
    return [
        ("Promised", f"by {by} to {to}"),
        ("Due", due),
        ("From", _source(e["source"], zh)),
        ("Once it is kept", f"{kept}; to move it: listener promises move {key} DAY --reason …"),
    ]


def _source(source: str, zh: bool) -> str:
    kind, _, key = source.partition(":")
    if kind == "agreement":
        return f"约定 {key[:8]}" if zh else f"agreement {key[:8]}"
    if kind == "case":
        return f"处置单 {key.partition('/')[0][:8]}" if zh else f"case {key.partition('/')[0][:8]}"
    return "手工记录" if zh else "written by hand"
