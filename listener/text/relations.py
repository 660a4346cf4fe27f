"""What the team owes a KOC and when it last spoke with them → facts beside an alert, in zh-CN and English."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from listener.text import phrases
from listener.text.quotes import line_of
from listener.text.views import Language
from storage.roster_records import Promise


def facts_of(
    unmet: Sequence[Promise],
    *,
    last_at: datetime | None,
    last_by: str,
    usual_reply: timedelta | None,
    waiting_since: datetime | None,
    language: Language,
    timezone: str,
) -> tuple[tuple[str, str], ...]:
    """Label and sentence of each: promises that were not kept, the last contact, an inquiry that waits. Dates, not spans: the
    same words at every try of a message."""
    zh, zone, facts = language == "zh-CN", ZoneInfo(timezone), []
    for one in unmet:
        due = phrases.day(one.due, language)
        facts.append(
            ("未兑现的承诺", f"{line_of(one.what)}（应于 {due}）")
            if zh
            else ("Unmet promise", f"{line_of(one.what)} (due {due})")
        )
    if last_at is not None:
        day, by = phrases.day(last_at.astimezone(zone).date(), language), line_of(last_by)
        usual = span_of(usual_reply, zh) if usual_reply else ""
        reply = (f"，通常 {usual} 内答复" if zh else f"; replies usually take {usual}") if usual else ""
        facts.append(("最近联系", f"{day} 由{by}{reply}") if zh else ("Last contact", f"{day} by {by}{reply}"))
    if waiting_since is not None:
        day = phrases.day(waiting_since.astimezone(zone).date(), language)
        facts.append(("来询未答复", f"自 {day} 起") if zh else ("Unanswered inquiry", f"since {day}"))
    return tuple(facts)


def span_of(span: timedelta, zh: bool) -> str:
    """A span in its largest unit.

    >>> span_of(timedelta(hours=50), True), span_of(timedelta(minutes=90), False)
    ('2 天', '1 h')
    """
    if span >= timedelta(days=1):
        return f"{span.days} 天" if zh else f"{span.days} d"
    hours, minutes = divmod(int(span.total_seconds()) // 60, 60)
    return (f"{hours} 小时" if zh else f"{hours} h") if hours else (f"{minutes} 分钟" if zh else f"{minutes} min")
