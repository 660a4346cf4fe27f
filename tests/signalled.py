"""Alerts that are of no drift, with all that belongs to them, for the tests of their faces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from listener.text.views import AlertView, Language, view_of
from storage.records import Alert, Answer, Case, History, MoodDay, Severity, StoredAlert
from tests.alerted import BAD, GOOD, KOC, NOW, START, mention

TALE = tuple(mention(at, GOOD, 0.9, 0.03) for at in range(9))
AGAINST = mention(9, BAD, 0.03, 0.93)
NEUTRAL = tuple(mention(at, "星澜新包装到了，先放着。", 0.1, 0.05) for at in range(9, 14))
CALM = {"before_n": 9, "before_mean": 0.87}
OVER = (NOW - timedelta(days=1)).isoformat()
FIRST_NEGATIVE = {**CALM, "against": 0.93, "cue": None, "since_last": 9, "promised_per_1000_koc_years": 1000.0}
SEEN: Mapping[str, dict[str, Any]] = {
    "first-negative": FIRST_NEGATIVE,
    "silence": {**CALM, "last_at": TALE[-1].posted_at.isoformat(), "mean_gap_days": 9.0, "allowed_days": 60.0},
    "praise-withdrawal": {**CALM, "praised_n": 9, "run_n": 5, "praised_at": TALE[-1].posted_at.isoformat()},
    "grave-post": {**CALM, "cue": "complaint", "words": "截图、3月12日", "against": 0.93},
    "defection": {**CALM, "rival": "Moyu", "cue": "defection", "words": "再也不买", "row_n": 0, "praised_n": 9},
    "unresolved-feedback": {
        **CALM,
        "cause": "after-sales",
        "times": 2,
        "first_at": TALE[-1].posted_at.isoformat(),
        "days": 9,
        "unsolved": "至今没解决",
    },
    "accusation": {"authors_n": 2, "voices_n": 3, "posts_n": 2, "paid": True, "words": ["收了多少钱", "报喜不报忧"]},
    "brand-shift": {
        "first": "2026-06-05",
        "last": "2026-06-12",
        "days": 8,
        "before_mean": 0.3477,
        "before_n": 4022,
        "worst_mean": -0.0674,
        "worst_n": 147,
    },
}
SEVERITIES: Mapping[str, Severity] = {"brand-shift": "important"}
HISTORIES = {
    "first-negative": (*TALE, AGAINST),
    "silence": TALE,
    "praise-withdrawal": (*TALE, *NEUTRAL),
    "grave-post": (*TALE, AGAINST),
    "defection": (*TALE, AGAINST),
    "unresolved-feedback": (*TALE, AGAINST),
    "accusation": TALE,
    "brand-shift": (AGAINST,),
}
ACCUSATIONS = tuple(
    Answer(replace(mention(at, "收了多少钱？", 0.1, 0.5), account=("weibo", f"{at:064d}")), TALE[0].mention.key)
    for at in (20, 21)
)


def signal_view(kind: str, language: Language = "zh-CN", *, is_over: bool = False, **more: Any) -> AlertView:
    """The alert of a signal of this kind. more: of its evidence."""
    evidence = {**SEEN[kind], **more, **({"ended_at": OVER} if is_over else {})}
    mentions = HISTORIES[kind]
    answers = tuple(one.said for one in ACCUSATIONS)
    quoted = {"silence": TALE[-1:], "praise-withdrawal": NEUTRAL, "accusation": answers}.get(kind, (AGAINST,))
    koc_id = "" if kind == "brand-shift" else "K017"
    alert = Alert(
        key="e" * 32,
        kind=kind,
        level=None,
        severity=SEVERITIES.get(kind, "info"),
        koc_id=koc_id,
        brand="星澜",
        fired_at=mentions[-1].posted_at,
        turned_at=None,
        evidence=evidence,
        posts=tuple(one.mention.key for one in quoted),
    )
    variant, step = ("public", "acknowledge") if kind == "brand-shift" else ("care", "contact")
    case = Case("c" * 32, "星澜", koc_id, variant, "open", NOW, alert.key, step, (alert.key,))  # type: ignore[arg-type]
    return view_of(
        StoredAlert(alert, "current", NOW, None),
        History(koc_id, "星澜", mentions, accusations=ACCUSATIONS if kind == "accusation" else ()),
        koc=KOC if koc_id else None,
        case=case,
        language=language,
        moods=moods() if kind == "brand-shift" else (),
    )


def moods() -> list[MoodDay]:
    """Forty days of a calm public, and a bad week."""
    first = START.date() + timedelta(days=45)
    return [mood(first + timedelta(days=n), bad=30 <= n < 37) for n in range(45)]


def mood(day: date, *, bad: bool) -> MoodDay:
    return MoodDay(day, 20, *((150_000, 10_000, 40_000) if bad else (20_000, 10_000, 170_000)))
