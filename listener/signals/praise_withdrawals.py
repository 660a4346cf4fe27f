"""Praise withdrawn (不再称赞): a KOC who used to praise the brand goes on speaking of it, neither for nor against.

A mention without praise is a withdrawal when the run of m such mentions that it ends has lasted 60 days, and this KOC, staying
as it was, would have such a run hardly ever:

    m ≥ 4 and r·φ·(1 − φ)^m ≤ 0.02 a year      φ: share of praise among the mentions before the run, r: mentions a year

A mention surely against the brand (≥ .8) ends the run: that is criticism, and drift. Judged over covered time only: praise in
a timeline that nobody read would be missing here. On simulated seasons (tests/bench/bench_koc_signals.py, 1,207 KOC-years) one
was told without an event, and 20 of 25 KOCs who went on with mere mentions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from listener.signals.pasts import covered, read_of, status_at
from storage.records import DriftState, History, KocMention, Signal

KIND = "praise-withdrawal"
LEAST_BEFORE, LEAST_RUN = 5, 4
PRAISE, SURELY = 0.5, 0.8  # probabilities of being in favor, against: a mere mention is often read as mildly against
USUALLY = 0.5  # share of praise before
PER_YEAR = 0.02  # such runs a year, of a KOC who stays as it was
YEAR = timedelta(days=365)


def praise_withdrawals(history: History, state: DriftState, *, least_days: float) -> tuple[tuple[Signal, ...], datetime | None]:
    """The withdrawals of one KOC in order of time, each a function of the mentions before it, over with the next praise; and
    the instant up to which the KOC must be heard for one more (None: there is none).

    state: where the KOC stood after each mention; who has turned critic withdraws nothing. least_days: how long a run lasts at
    least, 0 = none is told.
    """
    if least_days <= 0:
        return (), None
    read = read_of(history)
    found: list[Signal] = []
    praised, praise_at, start, told = 0, 0, 0, False
    for i, one in enumerate(read):
        if one.mention.favor >= PRAISE:
            praised, praise_at, start, told = praised + 1, i, i + 1, False
        elif one.mention.against >= SURELY:
            start = i + 1
        run = read[start : i + 1]
        if told or start != praise_at + 1 or not _is_long(read[:start], run, praised, least_days):
            continue
        if status_at(state, one.posted_at) == "critic":
            continue
        told = True
        found.append(_signal(history, read[:start], run, praised, _next_praise(read[i + 1 :])))
    return covered(found, history.heard_to)


def _is_long(before: Sequence[KocMention], run: Sequence[KocMention], praised: int, least_days: float) -> bool:
    if len(before) < LEAST_BEFORE or len(run) < LEAST_RUN or praised < USUALLY * len(before):
        return False
    if run[-1].posted_at - before[-1].posted_at < timedelta(days=least_days):
        return False
    share = (praised + 1) / (len(before) + 2)
    years = max((run[-1].posted_at - before[0].posted_at) / YEAR, 0.1)
    return (len(before) + len(run)) / years * share * math.exp(len(run) * math.log1p(-share)) <= PER_YEAR


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
