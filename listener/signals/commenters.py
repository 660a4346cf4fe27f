"""The stance of those who answer a KOC, before and after its turn: shown beside the evidence, and raises nothing by itself.

Who answers a critic may be the crowd that it draws, so this is no proof of anybody's turn; but an audience that was for the
brand and is against it now is what contagion looks like from outside the roster.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from storage.records import Reply

SPAN = timedelta(days=90)  # before the turn, and after it


@dataclass(frozen=True, slots=True)
class Commenters:
    """Answers of others under a KOC's posts, and their mean stance toward the brand, −1…1; None where there are none."""

    before_n: int
    before_mean: float | None
    after_n: int
    after_mean: float | None


def commenters_of(answers: Sequence[Reply], turned_at: datetime) -> Commenters:
    """How those who answered stood in the 90 days before a turn, and in the 90 days from it on.

    >>> from datetime import UTC
    >>> at = datetime(2026, 1, 1, tzinfo=UTC)
    >>> commenters_of([Reply(at - SPAN / 2, 0.5), Reply(at - SPAN * 2, -1.0), Reply(at, -0.25)], at)
    Commenters(before_n=1, before_mean=0.5, after_n=1, after_mean=-0.25)
    """
    before = [one.stance for one in answers if turned_at - SPAN <= one.at < turned_at]
    after = [one.stance for one in answers if turned_at <= one.at < turned_at + SPAN]
    return Commenters(len(before), _mean(before), len(after), _mean(after))


def _mean(stances: Sequence[float]) -> float | None:
    return round(sum(stances) / len(stances), 4) if stances else None
