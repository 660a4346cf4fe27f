"""Grave post (重大负面): one post that a brand must answer today, whatever the KOC wrote before and after. No drift.

An exposé (爆料, 内部人士, 前员工自述 …) or a long complaint with evidence (控诉长文: an order of events, proof, a dispute, 140
characters or more), which the scorer's cues tell, is grave where it is

    in the KOC's own words, no calm proposal (`Mention.constructive`), and against the brand: a complaint by its stance
    (probability ≥ .5), an exposé, which is mostly told in a sober tone, where it is not praise (probability of favor < .5)

A cue stands only for what the author says of our brand as a fact: what is asked, supposed, told of others or said of a rival
makes none (`nlp.contexts`). Said again within 30 days, on another platform or reworded, it is the same alert. The post alone
decides: no baseline is needed, neither a bad mood of the whole public nor earlier alerts hold it back.

Cues are missed more often than invented. On simulated seasons (tests/bench/bench_koc_signals.py: real reviews, 1,207 KOC-years)
no post without an event was called grave (below 2 in 1000 KOC-years), nor any of 49 look-alikes; all 65 events were, whose
words the lists know. Of exposés in words that nobody prepared for one in fourteen is read (nlp/data/CUES.md).

>>> from storage.records import History
>>> grave_posts(History("K1", "星澜", ()))
((), ())
"""

from __future__ import annotations

from listener.signals.pasts import is_copy, mean_of, read_of, settled_at
from storage.records import HeldBack, History, KocMention, Signal

KIND = "grave-post"
GRAVE = ("expose", "complaint")  # codes of cues, the gravest first
AGAINST, PRAISE = 0.5, 0.5  # probabilities of being against, in favor


def grave_posts(history: History) -> tuple[tuple[Signal, ...], tuple[HeldBack, ...]]:
    """The grave posts of one KOC in order of time, and those that have the words of one and are none, with the reason. It is
    over when the KOC has spoken well of the brand three times in a row."""
    read = read_of(history)
    signals: list[Signal] = []
    held: list[HeldBack] = []
    told: list[KocMention] = []
    for i, one in enumerate(read):
        cue = _cue_of(one)
        if cue is None:
            continue
        reason = _reason(one, cue[0], told)
        if reason:
            held.append(HeldBack(KIND, None, one.posted_at, one.mention.key, reason))
        else:
            signals.append(_signal(history, read, i, *cue))
        if reason in (None, "copy"):
            told.append(one)
    return tuple(signals), tuple(held)


def _cue_of(one: KocMention) -> tuple[str, str] | None:
    """The gravest cue of a post and its words."""
    found = {cue.code: cue.words for cue in reversed(one.mention.cues)}
    return next(((code, found[code]) for code in GRAVE if code in found), None)


def _reason(one: KocMention, code: str, told: list[KocMention]) -> str | None:
    """Why a post with such words is not grave; None where it is."""
    if one.mention.constructive:
        return "mild-criticism"
    if (one.mention.favor >= PRAISE) if code == "expose" else (one.mention.against < AGAINST):
        return "not-against"
    return "copy" if is_copy(one, told) else None


def _signal(history: History, read: list[KocMention], at: int, code: str, words: str) -> Signal:
    one, before = read[at], read[:at]
    evidence = {
        "cue": code,
        "words": words,
        "against": one.mention.against,
        "before_n": len(before),
        "before_mean": mean_of(before),
    }
    key = one.mention.key
    return Signal(KIND, history.koc_id, history.brand, one.posted_at, key, evidence, (key,), settled_at(read[at + 1 :]))
