"""The door: histories of one brand, its mood, a calibration, a rule → a verdict for every history.

Pure and indifferent to order: the verdict on a KOC is a function of that KOC's posts, the mood of closed days, the
calibration and the rule, byte for byte the same alone or among a million, whatever came first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

import numpy as np

from listener.drift.lifecycle import Life, life_of
from listener.drift.moods import Floats, Moods
from listener.drift.readings import Counted, counted_of, readings_of
from listener.drift.rules import Parameters, Rule, parameters_of
from listener.drift.turn_filter import TurnFilter
from listener.drift.turn_points import Column, evidence_of, mean_of, posterior_of
from storage.records import Calibration, Drift, DriftState, HeldBack, History, MoodDay, Status, Verdict

BLOCK = 1024  # KOCs side by side: their weights fit the processor's cache
RECENT = 10  # posts that make DriftState.recent


def detect(histories: Sequence[History], moods: Sequence[MoodDay], calibration: Calibration, rule: Rule) -> list[Verdict]:
    """A verdict for every history, in the order given; all must be of one brand, whose mood ``moods`` is.

    >>> from listener.drift.rules import default_calibration
    >>> [v.state.status for v in detect([History("K1", "星澜", ())], [], default_calibration(), Rule())]
    ['candidate']
    """
    if len({h.brand for h in histories}) > 1:
        raise ValueError("detect() judges one brand at a time; it got " + ", ".join(sorted({h.brand for h in histories})))
    p, mood, zone = parameters_of(calibration), Moods(moods), ZoneInfo(rule.timezone)
    shifted = {m.day for m in moods if m.is_shifted}
    turn_filter = TurnFilter(p)
    counted = [counted_of(h, mood, p, zone) for h in histories]
    order = sorted(range(len(histories)), key=lambda i: -len(counted[i].days))
    verdicts: dict[int, Verdict] = {}
    for first in range(0, len(order), BLOCK):
        block = order[first : first + BLOCK]
        for i, column in zip(block, _columns([counted[i] for i in block], turn_filter, rule), strict=True):
            stormy = [bool(shifted) and m.posted_at.astimezone(zone).date() in shifted for m in column.counted.mentions]
            verdicts[i] = _verdict(histories[i], column, stormy, calibration, p, rule)
    return [verdicts[i] for i in range(len(histories))]


def bars(per_year: Floats, false_alarms: float, p: Parameters) -> Floats:
    """The bar for each post: the promise's, and more for those who post more. Nats, rounded to 1e-6."""
    more: Floats = np.round(p.bar(false_alarms) + p.pace * np.log(per_year / p.per_year), 6)
    return more


def _columns(block: Sequence[Counted], turn_filter: TurnFilter, rule: Rule) -> Iterator[Column]:
    readings = readings_of(block, turn_filter.p)
    bar = bars(readings.per_year, rule.false_alarms_red, turn_filter.p)
    _, trace = turn_filter.run(readings, bar)
    for k, c in enumerate(block):
        n = len(c.days)
        yield Column(c, trace, k, readings.per_year[:n, k], readings.stance[:n, k])


def _verdict(
    history: History, column: Column, stormy: list[bool], calibration: Calibration, p: Parameters, rule: Rule
) -> Verdict:
    amber = bars(column.per_year, rule.false_alarms_amber, p)
    life = life_of(column, amber.tolist(), stormy, p, rule)
    promised = {"red": rule.false_alarms_red, "amber": rule.false_alarms_amber}
    drifts, turned = [], None
    posts = column.counted.mentions
    for raised in life.raised:
        promise = promised[raised.level]
        turn, evidence = evidence_of(column, raised.since, raised.at, promise, calibration.version, p, rule)
        turned = turn
        tipped = posts[raised.at]
        drifts.append(
            Drift(
                koc_id=history.koc_id,
                brand=history.brand,
                level=raised.level,
                fired_at=tipped.posted_at,
                tipped_by=tipped.mention.key,
                turned_at=posts[turn].posted_at,
                evidence=evidence,
            )
        )
    return Verdict(_state(history, column, life, turned, calibration, p, rule), tuple(drifts), held=_held(column, life))


def _held(column: Column, life: Life) -> tuple[HeldBack, ...]:
    """The ambers that a brand-wide shift held back, each with the post that would have raised it."""
    posts = column.counted.mentions
    return tuple(
        HeldBack(
            kind="drift",
            level="amber",
            at=posts[one.at].posted_at,
            key=posts[one.at].mention.key,
            reason="brand-shift",
            released_at=None if one.released is None else posts[one.released].posted_at,
        )
        for one in life.held
    )


def _state(
    history: History, column: Column, life: Life, turned: int | None, calibration: Calibration, p: Parameters, rule: Rule
) -> DriftState:
    """Where the KOC stands after the last post. baseline: up to the turn that stands, else over all posts."""
    n, last = column.length, life.changes[-1] if life.changes else None
    status: Status = last.status if last else "candidate"
    stands = turned if turned is not None and status in ("wavering", "critic") else n
    posterior, at = 0.0, n - 1
    if n and status == "critic":
        at = max(r.at for r in life.raised)
    if n:
        odds, pace = float(column.trace.odds[at, column.k]), float(column.per_year[at])
        posterior = posterior_of(odds, pace, rule.expected_turn_rate, p)
    return DriftState(
        koc_id=history.koc_id,
        brand=history.brand,
        status=status,
        mentions=n,
        baseline=mean_of(column.stance[:stands]),
        recent=mean_of(column.stance[max(0, n - RECENT) :]),
        last_at=column.counted.mentions[-1].posted_at if n else None,
        posterior=posterior,
        reason=last.reason if last else "no-mentions",
        changes=life.changes,
        calibration=calibration.version,
    )
