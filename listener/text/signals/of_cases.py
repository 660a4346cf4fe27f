"""What a reminder of a case says: which step is due and since when, and the very command that does it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from listener.text.quotes import line_of
from listener.text.signals.wording import Fact, Told
from listener.text.views import AlertView
from listener.text.words import word


def case_due(view: AlertView, e: Mapping[str, Any], zh: bool) -> Told:
    """Evidence: case, step, stage, variant, owner, since, due_at."""
    due = f"{datetime.fromisoformat(e['due_at']).astimezone(ZoneInfo(view.timezone)):%m-%d %H:%M}"
    step, stage = word("step", e["step"], view.language), word("case-stage", e["stage"], view.language)
    headline = f"「{step}」{stage}（{due}）" if zh else f"{step!r} {stage} ({due})"
    tone = "red" if view.alert.level == "red" else "amber" if view.alert.level else "calm"
    return Told(headline, tuple(_facts(e, step, due, zh)), "", "", "", tone)  # type: ignore[arg-type]


def _facts(e: Mapping[str, Any], step: str, due: str, zh: bool) -> list[Fact]:
    key, owner = e["case"][:12], line_of(e["owner"])
    done = f"listener cases step {key} {e['step']} --note …"
    if e["step"] == "approve":
        done = f"listener cases approve {key}"
    if zh:
        return [
            ("处置单", f"{key} · {owner or '还没有人接手'}"),
            ("该做", f"{step}，{due} 前"),
            ("怎么做", f"listener cases show {key}；做完：{done}"),
        ]
    return [
        ("Case", f"{key} · {owner or 'nobody has taken it'}"),
        ("Due", f"{step}, by {due}"),
        ("How", f"listener cases show {key}; once it is done: {done}"),
    ]
