"""Mentions of many KOCs → what the turn filter reads of each post: evidence, repetition, market, doubt.

A post weighs nothing, and is left out here, when it was not scored, has no words of its own, or repeats what the same KOC
wrote within 30 days (content fingerprints a few bits apart, whatever the platform). The same words from *others* are no
discount: that is spread, another signal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from listener.drift.moods import BASE, NOW, UNIT, Floats, Ints, Moods, market_of, own_moods
from listener.drift.rules import Parameters
from storage.records import History, KocMention

Weights = NDArray[np.float32]

DAY_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Readings:
    """K KOCs with up to T posts that weigh, the KOC with most posts first, so that at post t the first ``active[t]`` KOCs
    have one. Arrays are (T, K) or (T, 3, K), classes in the order against, none, favor; what lies beyond a KOC's last
    post is never read.

    evidence: q_c = p_c / prior_c. repeat: ρ, the chance that the post repeats the stance of the one before. copied:
    same, where its evidence is nearly identical. doubt: ω. cue: likelihood ratio of its cues, turned against not.
    market: factors for a loading of 1, or None where nothing shifted at post t. per_year: the KOC's mentions per year as
    known at the post. stance: favor − against.
    """

    active: tuple[int, ...]
    evidence: Weights
    repeat: Weights
    doubt: Weights
    cue: Weights
    market: tuple[Weights | None, ...]
    per_year: Floats
    stance: Floats


@dataclass(frozen=True, slots=True)
class Counted:
    """One KOC's posts that weigh, in order, with their numbers: (n,) or (n, 3) arrays."""

    mentions: tuple[KocMention, ...]
    days: Floats
    probabilities: Floats
    constructive: NDArray[np.bool_]
    cue: Floats
    market: Floats


def counted_of(history: History, moods: Moods, p: Parameters, zone: ZoneInfo) -> Counted:
    """The posts of a history that weigh, with the market factor each of them was written under."""
    read = sorted((m for m in history.mentions if m.mention.unscored is None and m.mention.own_words), key=_order)
    local = np.array([m.posted_at.astimezone(zone).toordinal() for m in read], dtype=np.int64)
    rows = np.array([_mood_row(m) for m in read], dtype=np.int64).reshape(len(read), 4)
    kept = _first_of_copies(read, p.duplicate_bits, p.duplicate_days)
    own = own_moods(local, rows)
    today = local[kept]
    market = market_of(
        moods.span(today, NOW) - own.span(today, NOW),
        moods.span(today, BASE) - own.span(today, BASE),
        half=p.market_half,
        errors=p.market_errors,
    )
    mentions = tuple(read[i] for i in kept)
    return Counted(
        mentions=mentions,
        days=np.array([_days(m.posted_at) for m in mentions], dtype=np.float64),
        probabilities=np.array([(m.mention.against, m.mention.none, m.mention.favor) for m in mentions]).reshape(-1, 3),
        constructive=np.array([m.mention.constructive for m in mentions], dtype=np.bool_),
        cue=np.array([_cue_ratio(m, dict(p.cues), p.cue_bound) for m in mentions], dtype=np.float64),
        market=market,
    )


def readings_of(block: Sequence[Counted], p: Parameters) -> Readings:
    """What the filter reads of a block of KOCs, which must come with the most posts first."""
    width = len(block)
    length = len(block[0].days) if block else 0
    active = tuple(sum(len(c.days) > t for c in block) for t in range(length))
    shape = (length, width)
    q = np.ones((length, 3, width), dtype=np.float32)
    market = np.ones((length, 3, width), dtype=np.float32)
    repeat, doubt, cue = (np.zeros(shape, dtype=np.float32) for _ in range(3))
    per_year, stance = np.ones(shape), np.zeros(shape)
    for k, c in enumerate(block):
        n = len(c.days)
        if not n:
            continue
        sharp = tempered(c.probabilities, p.temperature)
        q[:n, :, k] = sharp / np.array(p.class_prior)
        market[:n, :, k] = c.market
        repeat[:n, k] = _repeats(c.days, sharp, p)
        doubt[:n, k] = np.where(c.constructive, p.doubt_constructive, p.doubt)
        cue[:n, k] = c.cue
        per_year[:n, k] = rates_of(c.days, p)
        stance[:n, k] = c.probabilities[:, 2] - c.probabilities[:, 0]
    shifted = [bool((market[t] != 1).any()) for t in range(length)]
    return Readings(
        active, q, repeat, doubt, cue, tuple(market[t] if s else None for t, s in enumerate(shifted)), per_year, stance
    )


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
    [30.2, 8.8]
    """
    n = np.arange(1, len(days) + 1)
    years = (days - days[:1]) / 365.0
    rates: Floats = (n + p.per_year_weight) / (years + p.per_year_weight / p.per_year)
    return rates


def _repeats(days: Floats, probabilities: Floats, p: Parameters) -> Floats:
    """ρ of each post (0 for the first), multiples of 1e-6."""
    out = np.zeros(len(days))
    gap = days[1:] - days[:-1]
    out[1:] = p.repeat * np.exp(-gap / p.repeat_days)
    if p.copy > 0:
        odds = np.log(np.maximum(probabilities, 1e-6))
        odds = odds - odds[:, 1:2]
        near = np.abs(odds[1:] - odds[:-1]).max(axis=1) < p.copy_nats
        out[1:] = np.where(near, np.maximum(out[1:], p.copy * np.exp(-gap / p.copy_days)), out[1:])
    rounded: Floats = np.round(out, 6)
    return rounded


def _first_of_copies(read: Sequence[KocMention], bits: int, days: float) -> list[int]:
    """Indexes of the posts that are no near-duplicate of a counted post of the days before."""
    kept: list[int] = []
    start = 0
    for i, m in enumerate(read):
        while start < len(kept) and (m.posted_at - read[kept[start]].posted_at).total_seconds() > days * DAY_SECONDS:
            start += 1
        mine = m.mention.fingerprint
        if all(((mine ^ read[j].mention.fingerprint) & _WORD).bit_count() > bits for j in kept[start:]):
            kept.append(i)
    return kept


_WORD = (1 << 64) - 1


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


def _days(at: datetime) -> float:
    """Days since 1970, exact to the microsecond."""
    return (at.timestamp()) / DAY_SECONDS


__all__ = ["Counted", "Floats", "Ints", "Readings", "Weights", "counted_of", "rates_of", "readings_of", "tempered"]
