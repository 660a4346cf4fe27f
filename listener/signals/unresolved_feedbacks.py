"""Unresolved feedback (反馈未解决): the same KOC raises the same cause again, in other words. That is how advocates are lost.

A piece of feedback is a post that is more likely against the brand than for it, or says that nobody solved it (cues
问题没解决, 反映了没人理), and names a cause (product, after-sales, delivery, price …). Mild, constructive feedback counts: it
is feedback all the more. Of one cause, k ≥ 2 pieces within 90 days, none of them a copy, are unresolved feedback where

    one of them says that it was not solved;  or
    c·P(N ≥ k − 1) ≤ 0.01 a year      N ~ Poisson(c·their span), c: this KOC's usual complaints of one cause a year

so that who writes a hard word now and then, some of them about the same, is not taken for somebody who waits for an answer:
the closer together, the less by chance. c is the KOC's own count before these, shrunk to the usual (0.4 a year, by two years).
A post that names price (or delivery, marketing, cooperation) and how service answered is about the price: it is no second
piece beside one about service alone. Product and after-sales are one matter where a post names both. A post that says that
nothing was solved and names no cause belongs to whatever was complained of last.

Once told, it is told again only after it has settled: three favorable mentions in a row, or 180 days without that cause.
Nothing is told of who has turned critic, which is answered as such, nor of who never was with the brand (five mentions or more
before, mean stance < 0); with fewer before, only what says that it was not solved is told.

Whether the team has answered is no matter of posts and is not asked here: messages show how long it is open, and what was
answered meanwhile holds them back when they are sent.

On simulated seasons (tests/bench/bench_koc_signals.py) 21 of 23 such events were told and 4 of 22 pairs of two causes, all four
beside a real post of the same cause; without an event it was 100 (75–131) in 1000 KOC-years of stable advocates, whose hard
posts there are of different customers, 345 of those who write a hard post in six, and more of those who are turning.

>>> from storage.records import DriftState, History
>>> unresolved_feedbacks(History("K1", "星澜", ()), DriftState("K1", "星澜", "candidate", 0, 0, 0, None, 0, "", (), ""))
((), ())
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from listener.signals.pasts import YEAR_SECONDS, is_copy, mean_of, read_of, settled_at, status_at
from storage.records import DriftState, HeldBack, History, KocMention, PostKey, Signal

KIND = "unresolved-feedback"
WINDOW = timedelta(days=90)
QUIET = timedelta(days=180)  # without the cause after which it is a new matter
LEAST_BEFORE = 5  # mentions that show where a KOC stood
ANSWERED, REPAIRED = "after-sales", "product"
UNSOLVED = frozenset({"unresolved", "ignored"})
USUAL, USUAL_YEARS = 0.4, 2.0  # complaints of one cause a year of a KOC not yet known, and how many years that weighs
PER_YEAR = 0.01  # such runs of one cause a year, of a KOC whose complaints come by chance


@dataclass(frozen=True, slots=True)
class _Piece:
    """One piece of feedback: its place among the mentions read, and whether it says that nothing was solved."""

    at: int
    one: KocMention
    unsolved: str | None


def unresolved_feedbacks(history: History, state: DriftState) -> tuple[tuple[Signal, ...], tuple[HeldBack, ...]]:
    """The unresolved feedback of one KOC in order of time, and where a cause came again and was none, with the reason.

    state: where the KOC stood after each mention. What is told is a function of the mentions up to it; when it was over, of
    those after."""
    read = read_of(history)
    found: list[Signal] = []
    held: list[HeldBack] = []
    for cause in sorted({code for one in read for code in one.mention.causes}):
        told, not_told = _of_cause(history, state, read, cause)
        found += told
        held += not_told
    signals: list[Signal] = []
    for one in sorted(found, key=_order):
        if not any(_is_told_by(one, before) for before in signals):
            signals.append(one)
        elif all(one.tipped_by != before.tipped_by for before in signals):
            held.append(HeldBack(KIND, None, one.at, one.tipped_by, "already-raised"))
    return tuple(signals), tuple(sorted(held, key=lambda one: (one.at, one.key)))


def _is_told_by(one: Signal, before: Signal) -> bool:
    """Whether the same posts, read for another of their causes, have been told, and that is not over."""
    is_open = before.ended_at is None or before.ended_at > one.at
    return is_open and not set(before.posts).isdisjoint(one.posts)


def _of_cause(
    history: History, state: DriftState, read: Sequence[KocMention], cause: str
) -> tuple[list[Signal], list[HeldBack]]:
    signals: list[Signal] = []
    held: list[HeldBack] = []
    pieces = _pieces(read, cause)
    open_to: datetime | None = None  # what was told is the same matter up to then
    for i, piece in enumerate(pieces):
        at = piece.one.posted_at
        if open_to is not None and at <= open_to:
            open_to = _open_to(read, piece)
            continue
        first = bisect_left(pieces, at - WINDOW, key=lambda p: p.one.posted_at)
        run = [p for p in pieces[first : i + 1] if open_to is None or p.one.posted_at > open_to]
        if len(run) < 2:
            continue
        told = _told_run(run, i + 1, read)
        before = read[: run[0].at]
        reason = None if told else "usual-for-this-koc"
        if len(before) >= LEAST_BEFORE and mean_of(before) < 0:
            reason = "no-favorable-baseline"
        elif len(before) < LEAST_BEFORE and not any(p.unsolved for p in run):
            reason = "too-few-mentions"
        if status_at(state, at) == "critic":
            reason = "already-critic"
        if reason:
            held.append(HeldBack(KIND, None, at, piece.one.mention.key, reason))
            continue
        signals.append(_signal(history, read, cause, told))
        open_to = _open_to(read, piece)
    return signals, held


def _pieces(read: Sequence[KocMention], cause: str) -> list[_Piece]:
    """The feedback of a cause, copies left out."""
    pieces: list[_Piece] = []
    posts: list[KocMention] = []
    last: frozenset[str] = frozenset()  # what was complained of last
    for i, one in enumerate(read):
        m = one.mention
        unsolved = next((cue.words for cue in m.cues if cue.code in UNSOLVED), None)
        matters = matters_of(m.causes) or (last if unsolved else frozenset())
        if not matters or not (m.against > m.favor or unsolved):
            continue
        last = matters
        if cause in matters and not is_copy(one, posts):
            pieces.append(_Piece(i, one, unsolved))
            posts.append(one)
    return pieces


def matters_of(causes: Sequence[str]) -> frozenset[str]:
    """What a post is about, by the causes it names: service beside price or delivery is only how that was answered.

    >>> sorted(matters_of(("price", "after-sales"))), sorted(matters_of(("product", "after-sales")))
    (['price'], ['after-sales', 'product'])
    """
    own = frozenset(causes)
    return own - {ANSWERED} if own - {ANSWERED, REPAIRED} else own


def _told_run(run: Sequence[_Piece], so_far: int, read: Sequence[KocMention]) -> Sequence[_Piece]:
    """Of the pieces in a window those that chance hardly makes, up to the last: as many as can be; nothing where it may.

    so_far: pieces of the cause up to the last."""
    if any(piece.unsolved for piece in run):
        return run
    for start in range(len(run) - 1):
        some = run[start:]
        years = (some[0].one.posted_at - read[0].posted_at).total_seconds() / YEAR_SECONDS
        usual = usual_rate(so_far - len(some), years)
        if chance_runs(usual, len(some), some[-1].one.posted_at - some[0].one.posted_at) <= PER_YEAR:
            return some
    return ()


def usual_rate(complaints: int, years: float) -> float:
    """Complaints of one cause a year, as known after so many in so many years.

    >>> usual_rate(0, 0.0), usual_rate(6, 2.0)
    (0.4, 1.7)
    """
    return (complaints + USUAL * USUAL_YEARS) / (years + USUAL_YEARS)


def chance_runs(rate: float, length: int, span: timedelta) -> float:
    """How often a year so many complaints, at this rate a year, fall into such a span by chance.

    >>> [round(chance_runs(0.4, 2, timedelta(days=days)), 3) for days in (1, 30, 90)]
    [0.0, 0.013, 0.038]
    >>> round(chance_runs(1.7, 2, timedelta(days=30)), 3), round(chance_runs(1.7, 3, timedelta(days=30)), 3)
    (0.222, 0.015)
    """
    mean = rate * (max(span, timedelta(days=1)) / timedelta(days=365))
    fewer = math.fsum(math.exp(-mean) * mean**k / math.factorial(k) for k in range(length - 1))
    return rate * (1 - fewer)


def _open_to(read: Sequence[KocMention], last: _Piece) -> datetime:
    """Up to when a further complaint is the same matter."""
    quiet = last.one.posted_at + QUIET
    settled = settled_at(read[last.at + 1 :])
    return quiet if settled is None else min(quiet, settled)


def _signal(history: History, read: Sequence[KocMention], cause: str, run: Sequence[_Piece]) -> Signal:
    first, last = run[0], run[-1]
    before = read[: first.at]
    evidence = {
        "cause": cause,
        "times": len(run),
        "first_at": first.one.posted_at.isoformat(),
        "days": (last.one.posted_at - first.one.posted_at).days,
        "unsolved": next((piece.unsolved for piece in reversed(run) if piece.unsolved), None),
        "before_n": len(before),
        "before_mean": mean_of(before),
    }
    posts = tuple(piece.one.mention.key for piece in run)
    ended = settled_at(read[last.at + 1 :])
    return Signal(KIND, history.koc_id, history.brand, last.one.posted_at, posts[-1], evidence, posts, ended)


def _order(one: Signal) -> tuple[datetime, PostKey, int, str]:
    return one.at, one.tipped_by, -len(one.posts), str(one.evidence["cause"])
