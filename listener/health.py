"""Crawls of a source and its posts a day → how it fares: its usual pace, its errors, whether it has fallen silent; pure.

A source that used to speak and says nothing any more is more often broken than quiet: a changed address, a search that a
platform has switched off, an account that moved. It is called silent by its own measure: once the days without a post outlast
twice the longest pause of the four weeks before, in which it spoke enough to have a pace at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from storage.records import Crawl

DAYS = 28  # whose pace is the usual one
LEAST_POSTS = 10  # fewer in those days are no pace
LEAST_DAYS = 2  # of silence, however busy the source is
ERRORS_OVER = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Health:
    """How a source fares. usual: posts on a day, the mean of four weeks before the silence, if there is one. recent: posts on a
    day, the mean of the last seven days. silent_days: whole days without a post, today not counted. is_silent: these
    outlast what is usual. errors: share of the last seven days' crawls that did not reach their end; None without crawls."""

    usual: float | None
    recent: float
    silent_days: int
    is_silent: bool
    errors: float | None
    last_done_at: datetime | None


def health_of(posts: Mapping[int, int], crawls: Sequence[Crawl], *, today: int, now: datetime) -> Health:
    """posts: how many by day (a number that counts days); crawls: of the last weeks at least."""
    silent = _silent_days(posts, today)
    before = [posts.get(day, 0) for day in range(today - silent - DAYS, today - silent)]
    ended = [one for one in crawls if one.outcome != "running"]
    done = [one.started_at for one in ended if one.outcome == "done"]
    judged = [one for one in ended if one.started_at >= now - ERRORS_OVER]
    has_pace = sum(before) >= LEAST_POSTS
    return Health(
        usual=sum(before) / DAYS if has_pace else None,
        recent=sum(posts.get(day, 0) for day in range(today - 7, today)) / 7,
        silent_days=silent,
        is_silent=has_pace and silent >= max(LEAST_DAYS, 2 * _longest_pause(before) + 1),
        errors=sum(one.outcome not in ("done", "cut") for one in judged) / len(judged) if judged else None,
        last_done_at=max(done, default=None),
    )


def _silent_days(posts: Mapping[int, int], today: int) -> int:
    if posts.get(today, 0):
        return 0
    newest = max((day for day, count in posts.items() if count and day <= today), default=None)
    return 0 if newest is None else today - 1 - newest


def _longest_pause(counts: Sequence[int]) -> int:
    """The most days in a row without a post, from the first day that had one.

    >>> _longest_pause([0, 0, 3, 0, 1, 0, 0, 2])
    2
    """
    longest = run = 0
    has_begun = False
    for count in counts:
        has_begun = has_begun or count > 0
        run = run + 1 if has_begun and not count else 0
        longest = max(longest, run)
    return longest


def words_of(health: Health, language: str) -> str:
    """What there is to say of it, in one line; "" where nothing is out of the ordinary."""
    zh, parts = language == "zh-CN", []
    if health.is_silent:
        usual = f"{health.usual:.1f}"
        parts.append(
            f"已 {health.silent_days} 天没有新内容，平时每天约 {usual} 条：来源可能已失效，请打开它看看"
            if zh
            else f"no posts for {health.silent_days} days, usually about {usual} a day: it may be broken, open it and look"
        )
    elif health.usual is not None:
        parts.append(
            f"每天约 {health.recent:.1f} 条（平时 {health.usual:.1f}）"
            if zh
            else f"about {health.recent:.1f} posts a day (usually {health.usual:.1f})"
        )
    if health.errors:
        share = f"{health.errors:.0%}"
        parts.append(f"近 7 天 {share} 的抓取出错" if zh else f"{share} of the last 7 days' crawls went wrong")
    return ("；" if zh else "; ").join(parts)
