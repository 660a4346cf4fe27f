"""First negative (首条负面): the first post against the brand by a KOC with an advocate's baseline. A quiet notice, no drift.

At two mentions a month an amber takes a quarter of a year; the owner of the KOC wants to read the first such post now. Even
the most loyal advocates write a hard post now and then, so the notice keeps a promise of its own, in notices per 1000
KOC-years of loyal advocates. A hard post by a KOC who writes r mentions a year, a share p of them hard, is a notice when

    m ≥ 5 and r·p·(1 − p)^m ≤ promised / 1000      m: mentions since the last hard one (or the first mention)

which is how often this KOC, staying as it was, would get one. p = (k + 0.6)/(n + 10) of the n mentions before, r is shrunk
to 27.5 by 3 pseudo-mentions: slow posters are noticed at once, and who is often harsh is not. The young, who have not yet
written m mentions, get fewer than promised.

Hard is a post that is surely against (probability ≥ .8), or carries an explicit cue of defection and is more likely against
than not; such a cue needs no rarity. Posts that only lean against the brand hold no notice back (turns would bring one half
as often, and twice as late), but the notice says how many there were. Mild, constructive criticism is recorded and is neither
hard nor noticed. While the whole brand's mood has fallen (see `listener.drift.brand_shifts`) only a defection is noticed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from listener.signals.pasts import per_year_of, read_of, settled_at
from storage.records import HeldBack, History, KocMention, Signal

KIND = "first-negative"
LEAST_POSTS = 5
FAVORABLE = 0.35  # mean stance of the baseline, −1…1
SURELY, WITH_CUE = 0.8, 0.5  # probability of being against
CUES = frozenset({"defection"})
HARD, MILD = 0.6, 9.4  # pseudo-mentions of a KOC not yet known


def first_negatives(
    history: History, *, promised: float, in_shift: Callable[[datetime], bool] = lambda at: False
) -> tuple[tuple[Signal, ...], tuple[HeldBack, ...]]:
    """The notices of one KOC, in order of time, and the posts against the brand that were none, with the reason.

    promised: notices per 1000 KOC-years, 0 = none at all. in_shift: whether the whole brand's mood had fallen then. A notice is
    a function of the mentions before it; when it was over, of those up to then. What was not scored or has no words of its own
    is left out; of copies the first counts because it comes first.
    """
    if promised <= 0:
        return (), ()
    read = read_of(history)
    signals, held = [], []
    for post in _hard_posts(read):
        one = read[post.at]
        reason = _reason(post, promised, in_shift(one.posted_at))
        if reason:
            held.append(HeldBack(KIND, None, one.posted_at, one.mention.key, reason))
            continue
        evidence = {
            "before_n": post.at,
            "before_mean": round(post.mean, 4),
            "against": one.mention.against,
            "cue": post.cue,
            "since_last": post.clean,
            "leaning": post.leaning,
            "promised_per_1000_koc_years": promised,
        }
        ended = settled_at(read[post.at + 1 :])
        signals.append(
            Signal(KIND, history.koc_id, history.brand, one.posted_at, one.mention.key, evidence, (one.mention.key,), ended)
        )
    return tuple(signals), tuple(held)


@dataclass(frozen=True, slots=True)
class _Post:
    """A post against the brand at index ``at``: mean stance of those before it, how many of them were hard, how many came since
    the last hard one, and how many of these read against the brand more than not; mentions per year."""

    at: int
    mean: float
    hard: int
    clean: int
    per_year: float
    cue: str | None
    is_mild: bool
    leaning: int = 0

    def expected(self) -> float:
        """How many such notices this KOC would get in a year, staying as it was.

        >>> round(_Post(20, 0.8, 0, 20, 24.0, None, False).expected(), 2)
        0.32
        """
        share = (self.hard + HARD) / (self.at + HARD + MILD)
        return self.per_year * share * math.exp(self.clean * math.log1p(-share))


def _hard_posts(read: Sequence[KocMention]) -> Iterator[_Post]:
    total, hard, clean, leaning = 0.0, 0, 0, 0
    for at, one in enumerate(read):
        m = one.mention
        cue = next((c.code for c in m.cues if c.code in CUES), None)
        against = m.against >= (WITH_CUE if cue else SURELY)
        is_mild = m.constructive and cue is None
        if against:
            per_year = per_year_of(at, read[0].posted_at, one.posted_at)
            yield _Post(at, total / at if at else 0.0, hard, clean, per_year, cue, is_mild, leaning)
        if against and not is_mild:
            hard, clean, leaning = hard + 1, 0, 0
        else:
            clean, leaning = clean + 1, leaning + (not is_mild and m.against > max(m.none, m.favor))
        total += m.favor - m.against


def _reason(post: _Post, promised: float, in_shift: bool) -> str | None:
    """Why a post against the brand is no notice; None where it is one."""
    if post.is_mild:
        return "mild-criticism"
    if post.at < LEAST_POSTS:
        return "too-few-mentions"
    if post.mean < FAVORABLE:
        return "no-favorable-baseline"
    if post.clean < LEAST_POSTS:
        return "not-the-first"
    if post.cue:
        return None
    if in_shift:
        return "brand-shift"
    return "usual-for-this-koc" if post.expected() > promised / 1000 else None
