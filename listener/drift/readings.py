"""Mentions of many KOCs → what the turn filter reads of each post: evidence, repetition, market, cues.

A post weighs nothing, and is left out here, when it was not scored, has no words of its own, or repeats what the same KOC
wrote within 30 days (content fingerprints a few bits apart, whatever the platform). The same words from *others* are no
discount: that is spread, another signal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from listener.drift.moods import UNIT, Floats, Moods, market_of, now_and_base, own_moods
from listener.drift.rules import Parameters
from storage.records import History, KocMention

Weights = NDArray[np.float32]
Flags = NDArray[np.bool_]

DAY_SECONDS = 86_400.0
WORD = (1 << 64) - 1  # fingerprints are 64 bits, signed


@dataclass(frozen=True, slots=True)
class Readings:
    """K KOCs with up to T posts that weigh, the KOC with most posts first, so that at post t the first ``active[t]`` KOCs
    have one. Arrays are (T, K) or (T, 4, K), classes in the order against, none, favor, mild; what lies beyond a KOC's
    last post is never read.

    evidence: see `evidence_of_classes`. repeat: ρ, the chance that the post repeats the stance of the one before. market:
    factors for a loading of 1, or None where nothing shifted at post t. per_year: the KOC's mentions per year as known at
    the post. stance: favor − against.
    """

    active: tuple[int, ...]
    evidence: Weights
    repeat: Weights
    market: tuple[Weights | None, ...]
    per_year: Floats
    stance: Floats


@dataclass(frozen=True, slots=True)
class Counted:
    """One KOC's posts that weigh, in order, with their numbers: (n,) or (n, 3) arrays. copying: a copy of something the
    KOC wrote was left out within the days before the post. cue: likelihood ratio of the post's cues."""

    mentions: tuple[KocMention, ...]
    days: Floats
    probabilities: Floats
    constructive: Flags
    copying: Flags
    cue: Floats
    market: Floats


def counted_of(history: History, moods: Moods, p: Parameters, zone: ZoneInfo) -> Counted:
    """The posts of a history that weigh, with the market factor each of them was written under."""
    read = sorted((m for m in history.mentions if m.mention.unscored is None and m.mention.own_words), key=_order)
    local = np.array([m.posted_at.astimezone(zone).toordinal() for m in read], dtype=np.int64)
    rows = np.array([_mood_row(m) for m in read], dtype=np.int64).reshape(len(read), 4)
    days = [days_of(m.posted_at) for m in read]
    kept, copying = _first_of_copies(read, days, p)
    now, base = now_and_base(moods, own_moods(local, rows), local[kept])
    mentions = tuple(read[i] for i in kept)
    ratios = dict(p.cues)
    return Counted(
        mentions=mentions,
        days=np.array([days[i] for i in kept], dtype=np.float64),
        probabilities=np.array([(m.mention.against, m.mention.none, m.mention.favor) for m in mentions]).reshape(-1, 3),
        constructive=np.array([m.mention.constructive for m in mentions], dtype=np.bool_),
        copying=np.array(copying, dtype=np.bool_),
        cue=np.array([_cue_ratio(m, ratios, p.cue_bound) for m in mentions], dtype=np.float64),
        market=market_of(now, base, half=p.market_half, errors=p.market_errors, least=p.market_least),
    )


def readings_of(block: Sequence[Counted], p: Parameters) -> Readings:
    """What the filter reads of a block of KOCs, which must come with the most posts first."""
    width = len(block)
    length = len(block[0].days) if block else 0
    shape = (length, width)
    q = np.ones((length, 4, width), dtype=np.float32)
    market = np.ones((length, 4, width), dtype=np.float32)
    repeat = np.zeros(shape, dtype=np.float32)
    per_year, stance = np.full(shape, p.per_year), np.zeros(shape)
    for k, c in enumerate(block):
        n = len(c.days)
        if not n:
            continue
        sharp = tempered(c.probabilities, p.temperature)
        q[:n, :, k] = evidence_of_classes(sharp, c.constructive, c.cue, p)
        market[:n, :3, k] = c.market
        market[:n, 3, k] = np.round(np.sqrt(c.market[:, 0] * c.market[:, 1]), 4)
        repeat[:n, k] = _repeats(c, sharp, p)
        per_year[:n, k] = rates_of(c.days, p)
        stance[:n, k] = c.probabilities[:, 2] - c.probabilities[:, 0]
    active = tuple(int(x) for x in (np.array([len(c.days) for c in block])[None, :] > np.arange(length)[:, None]).sum(axis=1))
    shifted = tuple(m if (m != 1).any() else None for m in market)
    return Readings(active, q, repeat, shifted, per_year, stance)


def evidence_of_classes(probabilities: Floats, constructive: Flags, cue: Floats, p: Parameters) -> Floats:
    """(n, 4) evidence of posts for against, none, favor, mild.

        q_c = p_c / prior_c;   q_against × cue;   q_mild = mild·√(q_against·q_none)

    The scorer's probabilities over its prior are likelihoods up to a constant. A cue (explicit defection, an unresolved
    grievance …) says more than the scorer's number alone; its ratio is bounded. Mild criticism lies between against and
    none (the geometric mean of two densities is highest between them); a post flagged constructive is read as mild wherever
    it would be read as against, ``constructive`` times.

    >>> p = Parameters((1,), (1,), (1,), (1,), mild=3.0)
    >>> plain, kind = (np.array([flag]) for flag in (False, True))
    >>> evidence_of_classes(np.array([[0.5, 0.5, 0.0]]), plain, np.ones(1), p).round(2).tolist()
    [[2.0, 1.43, 0.0, 5.07]]
    >>> evidence_of_classes(np.array([[0.95, 0.05, 0.0]]), kind, np.ones(1), p).round(2).tolist()
    [[3.8, 0.14, 0.0, 30.4]]
    """
    q = probabilities / np.array(p.class_prior)
    mild = p.mild * np.sqrt(q[:, 0] * q[:, 1])
    against = q[:, 0] * cue
    mild = np.where(constructive, np.maximum(mild, against * p.constructive), mild)
    return np.stack([against, q[:, 1], q[:, 2], mild], axis=1)


def tempered(probabilities: Floats, temperature: float) -> Floats:
    """Probabilities (n, 3) with their over-confidence taken back: p^(1/temperature), normalized.

    >>> tempered(np.array([[0.8, 0.1, 0.1]]), 1.0).tolist()
    [[0.8, 0.1, 0.1]]
    """
    if temperature == 1.0:
        return probabilities
    powered = np.round(np.maximum(probabilities, 1e-4) ** (1 / temperature), 9)
    total = powered[:, 0] + powered[:, 1] + powered[:, 2]
    return powered / total[:, None]


def rates_of(days: Floats, p: Parameters) -> Floats:
    """Mentions per year as known at each post: the KOC's own count, shrunk to the usual one.

    >>> p = Parameters((1,), (1,), (1,), (1,))
    >>> rates_of(np.array([0.0, 365.0]), p).round(1).tolist()
    [36.7, 4.5]
    """
    n = np.arange(1, len(days) + 1)
    years = (days - days[:1]) / 365.0
    rates: Floats = (n + p.per_year_weight) / (years + p.per_year_weight / p.per_year)
    return rates


def days_of(at: datetime) -> float:
    """Days since 1970."""
    return at.timestamp() / DAY_SECONDS


def _repeats(c: Counted, probabilities: Floats, p: Parameters) -> Floats:
    """ρ of each post (0 for the first), multiples of 1e-6: high soon after another, and higher for evidence like the last
    one's while the KOC is copying, because then a copy may have slipped through the fingerprints."""
    out = np.zeros(len(c.days))
    gap = c.days[1:] - c.days[:-1]
    out[1:] = p.repeat * np.exp(-gap / p.repeat_days)
    odds = np.log(np.maximum(probabilities, 1e-5))
    odds = odds - odds[:, 1:2]
    alike = np.maximum(np.abs(odds[1:, 0] - odds[:-1, 0]), np.abs(odds[1:, 2] - odds[:-1, 2])) < p.copy_nats
    out[1:] = np.where(alike & c.copying[1:], np.maximum(out[1:], p.copy * np.exp(-gap / p.copy_days)), out[1:])
    rounded: Floats = np.round(out, 6)
    return rounded


def _first_of_copies(read: Sequence[KocMention], days: Sequence[float], p: Parameters) -> tuple[list[int], list[bool]]:
    """Indexes of the posts that are no near-duplicate of a counted post of the days before; and for each whether a copy
    was left out shortly before it."""
    kept: list[int] = []
    copying: list[bool] = []
    prints = [m.mention.fingerprint & WORD for m in read]
    start, copied_at, bits = 0, -math.inf, p.duplicate_bits
    for i, day in enumerate(days):
        while start < len(kept) and day - days[kept[start]] > p.duplicate_days:
            start += 1
        mine = prints[i]
        for j in kept[start:]:
            if (mine ^ prints[j]).bit_count() <= bits:
                copied_at = day
                break
        else:
            kept.append(i)
            copying.append(day - copied_at <= p.copy_days)
    return kept, copying


def _cue_ratio(m: KocMention, ratios: dict[str, float], bound: float) -> float:
    """How much likelier the post's cues are from a critic: a product over its codes, bounded; unknown codes weigh nothing."""
    ratio = 1.0
    for code in sorted({c.code for c in m.mention.cues}):
        ratio *= ratios.get(code, 1.0)
    return min(max(ratio, 1 / bound), bound)


def _mood_row(m: KocMention) -> tuple[int, int, int, int]:
    return 1, round(m.mention.against * UNIT), round(m.mention.none * UNIT), round(m.mention.favor * UNIT)


def _order(m: KocMention) -> tuple[datetime, str, str]:
    return m.posted_at, m.mention.key.platform, m.mention.key.post_id
