"""First negative (首条负面): the first post against the brand by a KOC with an advocate's baseline. A quiet notice, no drift.

At two mentions a month an amber takes a quarter of a year; the owner of the KOC wants to read the first such post now. It
has its own promise: it is raised at most once in ``QUIET_DAYS``, only for posts that are surely against (or carry an
explicit defection cue), and only after a baseline that has been favorable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from storage.records import KocMention, PostKey

LEAST_POSTS = 5
FAVORABLE = 0.5  # mean stance of the baseline
SURELY = 0.8  # probability of being against
WITH_CUE = 0.5  # the same, where the post carries a defection cue
CUES = frozenset({"defection"})
QUIET_DAYS = 180.0


@dataclass(frozen=True, slots=True)
class FirstNegative:
    """The post, when it was posted, the baseline before it, and why: its probability of being against, or its cue."""

    key: PostKey
    at: datetime
    before_n: int
    before_mean: float
    against: float
    cue: str | None


def first_negatives(mentions: Sequence[KocMention]) -> tuple[FirstNegative, ...]:
    """The notices of one KOC's mentions of one brand, in order of time; each a function of the mentions before it alone.

    What was not scored or has no words of its own is left out, of copies the first counts because it comes first.
    """
    read = sorted(
        (m for m in mentions if m.mention.unscored is None and m.mention.own_words),
        key=lambda m: (m.posted_at, m.mention.key),
    )
    found: list[FirstNegative] = []
    total, last_against = 0.0, None
    for n, m in enumerate(read):
        cue = next((c.code for c in m.mention.cues if c.code in CUES), None)
        against = m.mention.against
        if against >= (WITH_CUE if cue else SURELY):
            rested = last_against is None or (m.posted_at - last_against).total_seconds() >= QUIET_DAYS * 86_400
            if rested and n >= LEAST_POSTS and total / n >= FAVORABLE:
                found.append(FirstNegative(m.mention.key, m.posted_at, n, round(total / n, 4), against, cue))
            last_against = m.posted_at
        total += m.mention.favor - against
    return tuple(found)
