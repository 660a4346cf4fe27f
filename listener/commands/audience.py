"""What `listener explain` shows beside the story: who answered the KOC before and after a turn, posts that are gone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from listener.app import App
from listener.explain import Explanation
from listener.signals.commenters import Commenters, commenters_of
from listener.text import phrases
from listener.text.views import Language


def commenters(told: Explanation, app: App) -> list[tuple[datetime, Commenters]]:
    """Of each turn: when it was, and how those who answered the KOC stood before and after; as of the story's time."""
    answers = app.store.answers_to(told.koc_id, told.brand, as_of=told.as_of) if told.turns else []
    return [(turn.turned_at, commenters_of(answers, turn.turned_at)) for turn in told.turns]


def commenter_lines(told: Explanation, app: App) -> Iterator[str]:
    """The same in words, for the last turn that anybody answered around."""
    zh, zone = app.settings.listener.language == "zh-CN", ZoneInfo(app.timezone)
    found = [(at, one) for at, one in commenters(told, app) if one.before_n + one.after_n]
    for at, one in found[-1:]:
        day = at.astimezone(zone).date()
        before, after = (phrases.mean(mean) if mean is not None else "–" for mean in (one.before_mean, one.after_mean))
        yield (
            f"评论者的品牌态度：{day} 转折前 90 天 {before}（{one.before_n} 条），之后 90 天 {after}（{one.after_n} 条）"
            if zh
            else f"those who answered: {before} ({one.before_n}) in the 90 days before {day}, {after} ({one.after_n}) after it"
        )


def gone_lines(told: Explanation, app: App) -> Iterator[str]:
    """The posts of the story that are there no more, and as of when."""
    language: Language = app.settings.listener.language
    zone = ZoneInfo(app.timezone)
    posted = {line.key: line.posted_at for line in told.mentions}
    for key, at in sorted(app.store.gone(posted).items(), key=lambda pair: (posted[pair[0]], pair[0])):
        if told.as_of is not None and at > told.as_of:
            continue
        day, seen = posted[key].astimezone(zone), f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
        yield (
            f"× {day:%Y-%m-%d} {key.platform} {key.post_id}：已删除或不可见（{seen} 查看时）；存档仍在"
            if language == "zh-CN"
            else f"× {day:%Y-%m-%d} {key.platform} {key.post_id}: gone or not shown (looked for {seen}); what was stored stays"
        )


def audience_row(told: Explanation, app: App, zone: ZoneInfo) -> dict[str, Any]:
    """Both for machines: ``commenters`` by turn, ``gone`` by post."""
    gone = app.store.gone([line.key for line in told.mentions])
    return {
        "commenters": [
            {
                "turned_at": at.astimezone(zone).isoformat(),
                "before_n": one.before_n,
                "before_mean": one.before_mean,
                "after_n": one.after_n,
                "after_mean": one.after_mean,
            }
            for at, one in commenters(told, app)
        ],
        "gone": [
            {"platform": key.platform, "post_id": key.post_id, "gone_at": at.astimezone(zone).isoformat()}
            for key, at in gone.items()
            if told.as_of is None or at <= told.as_of
        ],
    }
