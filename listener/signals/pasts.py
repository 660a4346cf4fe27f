"""What a signal asks of a KOC's past: which mentions were read, their mean stance, whether a post repeats an earlier one, when
a complaint had settled, what was covered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import takewhile

from storage.records import DriftState, History, KocMention, Signal, Status

SETTLED = 3  # favorable mentions in a row after which a complaint is over
FAVORABLE = 0.5  # probability of being in favor
COPY_BITS, COPY_DAYS = 10, 30  # of two posts that differ so far 82 % are rewordings, and of different ones none was so near
YEAR_SECONDS = 365 * 86_400.0
PER_YEAR, PER_YEAR_WEIGHT = 27.5, 3.0  # mentions a year of a KOC not yet known, and how many mentions that weighs
_WORD = (1 << 64) - 1  # fingerprints are 64 bits, signed


def read_of(history: History) -> list[KocMention]:
    """The mentions that say something: scored, and in the KOC's own words."""
    return [one for one in history.mentions if one.mention.unscored is None and one.mention.own_words]


def mean_of(mentions: Sequence[KocMention]) -> float:
    """Their mean stance, −1…1, to 1e-4; 0 where there is none."""
    if not mentions:
        return 0.0
    return round(sum(one.mention.favor - one.mention.against for one in mentions) / len(mentions), 4)


def per_year_of(before: int, first_at: datetime, at: datetime) -> float:
    """Mentions a year as known at a post: those before it, shrunk to the usual pace.

    >>> from datetime import UTC
    >>> first = datetime(2026, 1, 1, tzinfo=UTC)
    >>> round(per_year_of(0, first, first), 1), round(per_year_of(100, first, first + timedelta(days=365)), 1)
    (27.5, 92.9)
    """
    years = (at - first_at).total_seconds() / YEAR_SECONDS
    return (before + PER_YEAR_WEIGHT) / (years + PER_YEAR_WEIGHT / PER_YEAR)


def is_copy(one: KocMention, earlier: Sequence[KocMention]) -> bool:
    """Whether it says again what one of these, in order of time, said within 30 days before: on another platform, or slightly
    reworded."""
    mine, since = one.mention.fingerprint & _WORD, one.posted_at - timedelta(days=COPY_DAYS)
    recent = takewhile(lambda e: e.posted_at >= since, reversed(earlier))
    return any((mine ^ (e.mention.fingerprint & _WORD)).bit_count() <= COPY_BITS for e in recent)


def settled_at(after: Sequence[KocMention]) -> datetime | None:
    """When so many favorable mentions in a row had followed."""
    favorable = 0
    for one in after:
        favorable = favorable + 1 if one.mention.favor >= FAVORABLE else 0
        if favorable == SETTLED:
            return one.posted_at
    return None


def covered(found: Sequence[Signal], heard_to: datetime | None) -> tuple[tuple[Signal, ...], datetime | None]:
    """Of signals that hold over covered time alone, those that fired while the KOC was heard without a gap; and when the first
    of the others would be, if everything up to then were heard and nothing else found."""
    told = tuple(one for one in found if heard_to is not None and one.at <= heard_to)
    return told, min((one.at for one in found if heard_to is None or one.at > heard_to), default=None)


def status_at(state: DriftState, at: datetime) -> Status:
    """Where the KOC stood then."""
    return next((change.status for change in reversed(state.changes) if change.at <= at), "candidate")
