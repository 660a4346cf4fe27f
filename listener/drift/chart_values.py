"""What a chart of a KOC's stance over time shows: a history and its verdict → points and lines, no drawing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from storage.records import History, PostKey, StatusChange, Verdict

RECENT = 5  # posts in the moving mean


@dataclass(frozen=True, slots=True)
class Point:
    """One mention: when, its stance −1…1, the moving mean of the last 5 that weigh, and whether it weighs."""

    key: PostKey
    at: datetime
    stance: float
    mean: float
    weighs: bool


@dataclass(frozen=True, slots=True)
class ChartValues:
    """points in order of time; baseline: mean stance before the turn; turned_at with its 80 % span, where a drift stands;
    changes: dated statuses."""

    points: tuple[Point, ...]
    baseline: float
    turned_at: datetime | None
    turn_low: datetime | None
    turn_high: datetime | None
    changes: tuple[StatusChange, ...]


def chart_values(history: History, verdict: Verdict) -> ChartValues:
    """Values for the chart of one KOC."""
    points: list[Point] = []
    recent: list[float] = []
    for m in sorted(history.mentions, key=lambda m: (m.posted_at, m.mention.key)):
        weighs = m.mention.unscored is None and m.mention.own_words
        stance = round(m.mention.favor - m.mention.against, 4)
        if weighs:
            recent = [*recent, stance][-RECENT:]
        mean = round(sum(recent) / len(recent), 4) if recent else 0.0
        points.append(Point(m.mention.key, m.posted_at, stance, mean, weighs))
    last = verdict.drifts[-1] if verdict.drifts and verdict.state.status in ("wavering", "critic") else None
    return ChartValues(
        points=tuple(points),
        baseline=verdict.state.baseline,
        turned_at=last.turned_at if last else None,
        turn_low=last.evidence.turn_low if last else None,
        turn_high=last.evidence.turn_high if last else None,
        changes=verdict.state.changes,
    )
