"""Defection (转向竞品): a KOC leaves for a named rival, by their own words or by where their praise goes.

*Said.* A post that is no praise of the brand (probability of favor < .5) and has a cue, either of moving to a rival (换成墨羽,
清一色墨羽), told by itself unless it is surely against that rival (≥ .8), or of leaving (再也不买, 脱粉), told with praise of
one named rival (≥ .5) in the same post or in another one within 14 days, before or after; it fires with the later of the two.
Held back where the rival is named and not praised, and where five or more mentions before show that the KOC never was with the
brand (mean stance < 0).

*Shown.* Praise that used to go to the brand goes to one rival: m praises of that rival in a row, without one of the brand
between them, that last 30 days at least, where this KOC, staying as it was, would write such a row hardly ever:

    m ≥ 4, n ≥ 5 praises before, most of them of the brand, and r·Π (k + i + 0.5)/(n + i + 2) ≤ 0.02 a year,  i = 0 … m − 1

k: how many of the n praised the rival (the chance of such a row is Pólya's: the rival's share is not known, it is learned); r:
praises a year. Because praise of the brand in a timeline that
nobody read would be missing, this is judged over covered time only. Both are over when the KOC has spoken well of the brand
three times in a row, and may come again after that.

On simulated seasons (tests/bench/bench_koc_signals.py, 1,207 KOC-years) one was told without an event, none of 22 look-alikes,
all 46 KOCs whose praise had moved, and all 23 who said so in words that the lists know; in words that nobody prepared for it
is two in ten (nlp/data/CUES.md).

>>> from storage.records import History
>>> defections(History("K1", "星澜", ()))
((), (), None)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from listener.signals.pasts import covered, mean_of, read_of, settled_at
from storage.records import HeldBack, History, KocMention, Signal

KIND = "defection"
LEAVES, MOVES = "defection", "switch"  # codes of the cues
PRAISE, SURELY = 0.5, 0.8  # probabilities of being in favor, against
NEAR = timedelta(days=14)
LEAST_BEFORE, LEAST_ROW = 5, 4
ROW_DAYS = timedelta(days=30)
PER_YEAR = 0.02  # such rows a year, of a KOC who stays as it was
YEAR = timedelta(days=365)


def defections(history: History) -> tuple[tuple[Signal, ...], tuple[HeldBack, ...], datetime | None]:
    """The defections of one KOC in order of time; farewells that were none, with the reason; the instant up to which the KOC
    must be heard for one more (None: there is none). One that is told by words is not told again by where the praise goes, nor
    the other way round, before it is over."""
    said, held = _said(history)
    shown, next_at = covered(_shown(history), history.heard_to)
    signals: list[Signal] = []
    for one in sorted((*said, *shown), key=lambda one: (one.at, one.tipped_by)):
        if not signals or (signals[-1].ended_at is not None and signals[-1].ended_at < one.at):
            signals.append(one)
    return tuple(signals), tuple(held), next_at


# ------------------------------------------------------------------------------------------------------------ by words


def _said(history: History) -> tuple[list[Signal], list[HeldBack]]:
    read = read_of(history)
    signals: list[Signal] = []
    held: list[HeldBack] = []
    for i, one in enumerate(read):
        cues = {cue.code: cue.words for cue in reversed(one.mention.cues) if cue.code in (LEAVES, MOVES)}
        if not cues or one.mention.favor >= PRAISE:
            continue
        near = [r for r in history.rivals if abs(r.posted_at - one.posted_at) <= NEAR]
        to = _moved_to(one, near) if MOVES in cues else _praised(one, near)
        if to is None:
            if near:
                held.append(HeldBack(KIND, None, one.posted_at, one.mention.key, "rival-not-praised"))
            continue
        if i >= LEAST_BEFORE and mean_of(read[:i]) < 0:
            held.append(HeldBack(KIND, None, one.posted_at, one.mention.key, "no-favorable-baseline"))
            continue
        code = MOVES if MOVES in cues else LEAVES
        signals.append(_signal_said(history, read, i, code, cues[code], to))
    return signals, held


def _moved_to(one: KocMention, near: Sequence[KocMention]) -> KocMention | None:
    """The rival to whom a post says that it moves: the best liked that it names, unless it is surely against all of them."""
    named = [r for r in near if r.mention.key == one.mention.key and r.mention.against < SURELY]
    return max(named, key=lambda r: (r.mention.favor, r.mention.target), default=None) or _praised(one, near)


def _praised(one: KocMention, near: Sequence[KocMention]) -> KocMention | None:
    """The praise of a rival that stands nearest to a post."""
    return min((r for r in near if _praises(r)), key=lambda r: (abs(r.posted_at - one.posted_at), _order(r)), default=None)


def _signal_said(history: History, read: Sequence[KocMention], at: int, code: str, words: str, praise: KocMention) -> Signal:
    one, before = read[at], read[:at]
    evidence = {
        "rival": praise.mention.target,
        "cue": code,
        "words": words,
        "row_n": 0,
        "praised_n": sum(_praises(m) for m in before),
        "before_n": len(before),
        "before_mean": mean_of(before),
    }
    both = sorted({_order(m): m for m in (one, praise)}.items())
    posts = tuple(m.mention.key for _, m in both)
    last = both[-1][1]
    after = [m for m in read[at + 1 :] if m.posted_at > last.posted_at]
    return Signal(KIND, history.koc_id, history.brand, last.posted_at, posts[-1], evidence, posts, settled_at(after))


# ------------------------------------------------------------------------------------------------- by where praise goes


def _shown(history: History) -> list[Signal]:
    if len(history.rivals) < LEAST_ROW:
        return []
    read = read_of(history)
    ours = [m for m in read if _praises(m)]
    theirs = [m for m in history.rivals if _praises(m)]
    both = {m.mention.key for m in ours} & {m.mention.key for m in theirs}  # praises both: moves from neither
    praises = sorted((m for m in (*ours, *theirs) if m.mention.key not in both), key=_order)
    signals: list[Signal] = []
    start, is_told = 0, False
    for i, one in enumerate(praises):
        if not one.mention.is_rival or (i > start and one.mention.target != praises[start].mention.target):
            start, is_told = i + (not one.mention.is_rival), False
            continue
        if not is_told and _is_row(praises[:start], praises[start : i + 1]):
            is_told = True
            signals.append(_signal_shown(history, read, praises[:start], praises[start : i + 1]))
    return signals


def _is_row(before: Sequence[KocMention], row: Sequence[KocMention]) -> bool:
    if len(before) < LEAST_BEFORE or len(row) < LEAST_ROW or row[-1].posted_at - row[0].posted_at < ROW_DAYS:
        return False
    target = row[0].mention.target
    ours, rival = sum(not m.mention.is_rival for m in before), sum(m.mention.target == target for m in before)
    if 2 * ours <= len(before):
        return False
    years = max((row[-1].posted_at - before[0].posted_at) / YEAR, 0.1)
    chance = math.prod((rival + i + 0.5) / (len(before) + i + 2) for i in range(len(row)))
    return (len(before) + len(row)) / years * chance <= PER_YEAR


def _signal_shown(
    history: History, read: Sequence[KocMention], before: Sequence[KocMention], row: Sequence[KocMention]
) -> Signal:
    at = row[-1].posted_at
    past = [m for m in read if m.posted_at < row[0].posted_at]
    evidence = {
        "rival": row[0].mention.target,
        "cue": "",
        "words": "",
        "row_n": len(row),
        "praised_n": sum(not m.mention.is_rival for m in before),
        "before_n": len(past),
        "before_mean": mean_of(past),
    }
    posts = tuple(m.mention.key for m in row)
    ended = settled_at([m for m in read if m.posted_at > at])
    return Signal(KIND, history.koc_id, history.brand, at, posts[-1], evidence, posts, ended)


def _praises(one: KocMention) -> bool:
    return one.mention.favor >= PRAISE and one.mention.unscored is None and one.mention.own_words


def _order(one: KocMention) -> tuple[datetime, str, str, str]:
    key = one.mention.key
    return one.posted_at, key.platform, key.post_id, one.mention.target
