"""Praise withdrawn (不再称赞): a KOC who used to praise the brand goes on speaking of it, neither for nor against.

A mention without praise is a withdrawal when the run of m such mentions that it ends has lasted 60 days, and this KOC, staying
as it was, would have such a run hardly ever:

    m ≥ 4 and r·φ·(1 − φ)^m ≤ 0.02 a year      φ: share of praise among the mentions before the run, r: mentions a year

A mention against the brand ends the run: that is criticism, and drift. Judged over covered time only: praise in a timeline
that nobody read would be missing here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from storage.records import DriftState, History, KocMention, Signal

KIND = "praise-withdrawal"
LEAST_BEFORE, LEAST_RUN = 5, 4
PRAISE = 0.5  # probability of being in favor, or against
USUALLY = 0.5  # share of praise before
PER_YEAR = 0.02  # such runs a year, of a KOC who stays as it was
YEAR = timedelta(days=365)


def praise_withdrawals(history: History, state: DriftState, *, least_days: float) -> tuple[Signal, ...]:
    """The withdrawals of one KOC in order of time, each a function of the mentions before it; it is over with the next praise.

    state: where the KOC stood after each mention; who has turned critic withdraws nothing. least_days: how long a run lasts at
    least, 0 = none is told.
    """
    if least_days <= 0 or history.heard_to is None:
        return ()
    read = [
        m for m in history.mentions if m.mention.unscored is None and m.mention.own_words and m.posted_at <= history.heard_to
    ]
    found: list[Signal] = []
    praised, praise_at, start, told = 0, 0, 0, False
    for i, one in enumerate(read):
        if one.mention.favor >= PRAISE:
            praised, praise_at, start, told = praised + 1, i, i + 1, False
        elif one.mention.against >= PRAISE:
            start = i + 1
        run = read[start : i + 1]
        if told or start != praise_at + 1 or not _is_long(read[:start], run, praised, least_days):
            continue
        if _is_critic(state, one.posted_at):
            continue
        told = True
        found.append(_signal(history, read[:start], run, praised, _next_praise(read[i + 1 :])))
    return tuple(found)


def _is_long(before: Sequence[KocMention], run: Sequence[KocMention], praised: int, least_days: float) -> bool:
    if len(before) < LEAST_BEFORE or len(run) < LEAST_RUN or praised < USUALLY * len(before):
        return False
    if run[-1].posted_at - before[-1].posted_at < timedelta(days=least_days):
        return False
    share = (praised + 1) / (len(before) + 2)
    years = max((run[-1].posted_at - before[0].posted_at) / YEAR, 0.1)
    return (len(before) + len(run)) / years * share * math.exp(len(run) * math.log1p(-share)) <= PER_YEAR


def _is_critic(state: DriftState, at: datetime) -> bool:
    return next((change.status for change in reversed(state.changes) if change.at <= at), "candidate") == "critic"


def _next_praise(after: Sequence[KocMention]) -> datetime | None:
    return next((one.posted_at for one in after if one.mention.favor >= PRAISE), None)


def _signal(
    history: History, before: Sequence[KocMention], run: Sequence[KocMention], praised: int, ended: datetime | None
) -> Signal:
    stances = [one.mention.favor - one.mention.against for one in before]
    evidence = {
        "before_n": len(before),
        "before_mean": round(sum(stances) / len(stances), 4),
        "praised_n": praised,
        "run_n": len(run),
        "praised_at": before[-1].posted_at.isoformat(),
    }
    posts = tuple(one.mention.key for one in run)
    return Signal(KIND, history.koc_id, history.brand, run[-1].posted_at, posts[-1], evidence, posts, ended)
