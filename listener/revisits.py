"""Posts and when each was last looked at → which to look at again now: engagement becomes curves, deletions are noticed; pure.

A post is looked at again ever less often: while it is fresh after minutes, then hours, then days. A post that speaks ill of a
brand of ours is followed for longer, since that is what spreads. Within a budget, the one that is most overdue comes first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from storage.records import Watched

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
STEPS = (20 * MINUTE, HOUR, 3 * HOUR, 8 * HOUR, DAY, 3 * DAY, 7 * DAY)
"""Ages at which every post is looked at again."""
STEPS_NEGATIVE = (
    *(10 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 16 * HOUR),
    *(days * DAY for days in (1, 2, 3, 5, 7, 14, 30)),
)
"""Ages at which a post against a brand of ours is."""


FIRST_PAUSE, LAST_PAUSE = 20 * MINUTE, 2 * DAY
"""How long a post is left alone after its first look that failed, and at most."""


def due_at(post: Watched) -> datetime | None:
    """When a post is to be looked at again; None once it is too old, or gone.

    Looks that were missed are made up by one: what counts is the first age after the last look. After a look that failed the
    post is left alone for a while, twice as long each time, so that posts which can't be read do not take the whole budget.
    """
    if post.gone_at is not None:
        return None
    steps = STEPS_NEGATIVE if post.is_negative else STEPS
    at = next((post.posted_at + step for step in steps if post.posted_at + step > post.looked_at), None)
    if at is None or post.failed_at is None:
        return at
    return max(at, post.failed_at + min(FIRST_PAUSE * (1 << min(post.failures - 1, 10)), LAST_PAUSE))


def due(posts: Iterable[Watched], now: datetime, budget: int) -> Sequence[Watched]:
    """Whom to look at now: at most ``budget``, negative posts before others, then whose look is overdue by the largest part of
    the pause since its last one."""
    waiting = [(post, at) for post in posts if (at := due_at(post)) is not None and at <= now]

    def urgency(pair: tuple[Watched, datetime]) -> tuple[bool, float, str, str]:
        post, at = pair
        pause = max((at - post.looked_at).total_seconds(), 60.0)
        return not post.is_negative, -(now - post.looked_at).total_seconds() / pause, post.platform, post.post_id

    return [post for post, _ in sorted(waiting, key=urgency)[: max(0, budget)]]


def longest_age() -> timedelta:
    """Posts older than this are never looked at again."""
    return max(*STEPS, *STEPS_NEGATIVE)
