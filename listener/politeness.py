"""How long a host that refused us is left alone, and what is said of it; pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from storage.records import Host

FIRST_PAUSE = timedelta(minutes=15)
LONGEST_PAUSE = timedelta(days=1)
LONGEST_ASKED = timedelta(days=7)  # a server may ask for a longer pause than we would make by ourselves


def pause_of(refusals: int, asked: timedelta | None = None) -> timedelta:
    """How long to stay away after so many refusals in a row: twice as long each time, and at least as long as was asked.

    >>> str(pause_of(1)), str(pause_of(3)), str(pause_of(50)), str(pause_of(1, timedelta(hours=2)))
    ('0:15:00', '1:00:00', '1 day, 0:00:00', '2:00:00')
    """
    ours = min(LONGEST_PAUSE, FIRST_PAUSE * (1 << min(max(refusals - 1, 0), 20)))
    return max(ours, min(asked or timedelta(), LONGEST_ASKED))


def words_of_pause(host: Host, now: datetime, timezone: str) -> str:
    """Why a host is not asked now, until when, and what to do; "" where it may be asked."""
    if host.paused_until is None or host.paused_until <= now:
        return ""
    until = host.paused_until.astimezone(ZoneInfo(timezone)).strftime("%m-%d %H:%M")
    return (
        f"{host.host} 已连续 {host.refusals} 次拒绝我们，到 {until} 前不再请求，之后自动再试；"
        "若一直如此，请调大 delay_seconds、抓得更稀或停用来源"
        f" / {host.host} refused us {host.refusals} times in a row and is left alone until {until}, then tried again by itself;"
        " if it goes on, raise delay_seconds, crawl less often, or switch the source off"
    )
