"""Open intervals of a subject: what is read already, where it goes on, and how that is written into a mark's state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Span:
    """An open interval: read from ``newest`` down to ``oldest``, not yet from there to ``down_to`` (None: to the end).

    last: the cursor of the last page that was read, None for the first one; it is read again when the interval goes on, to see
    that nothing has slipped through between. pages: how many were read.
    """

    newest: datetime | None = None
    down_to: datetime | None = None
    last: str | None = None
    oldest: datetime | None = None
    pages: int = 0

    def over(self, older: Span) -> Span:
        """This interval once it has come down to the older one: what is left to read is that one's rest."""
        return replace(older, newest=self.newest or older.newest, pages=older.pages + max(0, self.pages - 1))

    def with_page(self, cursor: str | None, ages: Sequence[datetime]) -> Span:
        """The interval with one more page read. ages: times of the page's dated posts."""
        return replace(
            self,
            newest=max([*ages, *([self.newest] if self.newest else [])], default=None),
            oldest=min([*ages, *([self.oldest] if self.oldest else [])], default=None),
            last=cursor,
            pages=self.pages + 1,
        )


def written(span: Span) -> dict[str, Any]:
    """The interval as JSON.

    >>> span_of(written(Span(last="3", pages=2))).last
    '3'
    """
    times = {name: getattr(span, name) for name in ("newest", "down_to", "oldest")}
    found = {name: at.isoformat() for name, at in times.items() if at is not None}
    return {**found, "pages": span.pages, **({} if span.last is None else {"last": span.last})}


def span_of(row: Mapping[str, Any]) -> Span:
    times = {name: datetime.fromisoformat(row[name]) for name in ("newest", "down_to", "oldest") if row.get(name)}
    return Span(**times, last=row.get("last"), pages=int(row.get("pages", 0)))
