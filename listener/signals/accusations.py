"""Accusation (KOC 被质疑): others say that a KOC's praise is bought (收了多少钱, 品牌的托) or one-sided (报喜不报忧, 恰饭).

Accusing is what somebody else answers to a post of the KOC that speaks of the brand, under it or reposting it, with a cue of
accusation. The alert asks to stand by the KOC in private, not to argue with the crowd, and fires when

    two authors have accused the KOC within 30 days;  or
    one says so with weight: that money was paid, in a post of its own (a repost), or under two posts of the KOC

What one author repeats is one voice, and a joke under a single post by a single stranger is recorded and not told. After an
alert further voices are the same matter until 30 days have passed without any.

Of simulated accusations (tests/bench/bench_koc_signals.py) 23 of 25 were told, the two missed because one of the voices spoke
in words that the lists do not know; none of 47 posts with harmless comments, or with one voice alone. How often comments of a
real crowd are taken for accusations is not known: those of one real Weibo sample hold none.

>>> from storage.records import History
>>> accusations(History("K1", "星澜", ()))
((), ())
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from storage.records import Answer, HeldBack, History, Signal

KIND = "accusation"
PAID = "accusation-paid"  # code of the cue that says money was paid
CODES = ("accusation-paid", "accusation")
WINDOW = timedelta(days=30)
LEAST_AUTHORS = 2


def accusations(history: History) -> tuple[tuple[Signal, ...], tuple[HeldBack, ...]]:
    """The accusations that a KOC met, in order of time, and the single voices that were not told, with the reason."""
    signals: list[Signal] = []
    held: list[HeldBack] = []
    heard: list[Answer] = []
    open_to: datetime | None = None
    for one in history.accusations:
        at = one.said.posted_at
        if open_to is not None and at <= open_to:
            open_to = at + WINDOW
            continue
        open_to = None
        heard = [before for before in heard if at - before.said.posted_at <= WINDOW] + [one]
        if _is_weighty(heard):
            signals.append(_signal(history, heard))
            heard, open_to = [], at + WINDOW
        else:
            held.append(HeldBack(KIND, None, at, one.said.mention.key, "single-voice"))
    return tuple(signals), tuple(held)


def _is_weighty(heard: Sequence[Answer]) -> bool:
    last = heard[-1]
    mine = [one for one in heard if one.said.account == last.said.account]
    if len({one.said.account for one in heard}) >= LEAST_AUTHORS or len({one.to for one in mine}) > 1:
        return True
    return last.said.kind == "repost" and _code(last) == PAID


def _code(one: Answer) -> str:
    codes = {cue.code for cue in one.said.mention.cues}
    return next(code for code in CODES if code in codes)


def _signal(history: History, heard: Sequence[Answer]) -> Signal:
    last = heard[-1].said
    words = dict.fromkeys(cue.words for one in heard for cue in one.said.mention.cues if cue.code in CODES and cue.words)
    evidence = {
        "authors_n": len({one.said.account for one in heard}),
        "voices_n": len(heard),
        "posts_n": len({one.to for one in heard}),
        "paid": any(_code(one) == PAID for one in heard),
        "words": list(words)[:6],
    }
    posts = tuple(dict.fromkeys(one.said.mention.key for one in heard))
    return Signal(KIND, history.koc_id, history.brand, last.posted_at, last.mention.key, evidence, posts)
