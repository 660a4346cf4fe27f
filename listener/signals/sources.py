"""Source silent (来源静默): a source that used to be heard and is not any more → an alert for whoever runs the program.

Not hearing has causes, and each its own way out, so each has its own word:

    blocked    the platform refuses us: a log-in, a captcha, too many requests
    changed    its pages have another shape: the spider reads nothing
    failed     it does not answer, or the spider breaks
    silent     it is read to its end and brings nothing, for longer than its own longest pause allows (`listener.health`)

The first three are told once no crawl has come to its end for three turns of the source, at least six hours: a bad night of a
platform that the next crawl makes good is nobody's work. What began is dated by the first crawl that failed, so an outage is
one alert whatever its outcome becomes, and it is over with the next crawl that is done, or the next post.

False alarms come from the silence alone. It is told when a source of that pace u (posts a day), whose posts fall at random,
would pause for d days no oftener than 365·u·exp(−u·d) ≤ 0.1 times a year, besides the measure of its own pauses, which keeps
those quiet whose posts come in bursts; tests/bench/bench_crowds.py counts them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from listener.keys import key_of
from storage.records import Alert, Crawl

KIND = "source-silent"
TURNS = 3
PROMISED = 0.1  # false silences a year of a source whose posts fall at random
LEAST, UNKNOWN = timedelta(hours=6), timedelta(days=1)  # the shortest outage told; a turn of what has no interval


@dataclass(frozen=True, slots=True)
class Expected:
    """A source that should be heard. every: its longest pause between two turns, None where nobody knows. brand: the one that
    all its posts speak of, "" none."""

    name: str
    platform: str
    every: timedelta | None = None
    brand: str = ""


class Fares(Protocol):
    """How a source fares: `listener.health.Health`."""

    @property
    def usual(self) -> float | None: ...
    @property
    def silent_days(self) -> int: ...
    @property
    def is_silent(self) -> bool: ...
    @property
    def last_done_at(self) -> datetime | None: ...


def silent_sources(
    expected: Iterable[Expected],
    crawls: Sequence[Crawl],
    fares: Mapping[str, Fares],
    now: datetime,
    zone: ZoneInfo,
) -> tuple[Alert, ...]:
    """One alert for each source that is not heard now, by key. crawls: of the last weeks, the last done one of each source
    among them; fares: how each source fares, by name."""
    by_source: dict[str, list[Crawl]] = {}
    for crawl in sorted(crawls, key=lambda one: (one.started_at, one.crawl_id)):
        by_source.setdefault(crawl.source, []).append(crawl)
    found = []
    for source in expected:
        alert = _outage(source, by_source.get(source.name, ()), now)
        if alert is None and source.name in fares:
            alert = _silence(source, fares[source.name], now, zone)
        found += [alert] if alert else []
    return tuple(sorted(found, key=lambda one: one.key))


def _outage(source: Expected, crawls: Sequence[Crawl], now: datetime) -> Alert | None:
    judged = [one for one in crawls if one.outcome not in ("running", "cut")]
    done = [i for i, one in enumerate(judged) if one.outcome == "done"]
    failed = judged[done[-1] + 1 :] if done else judged
    if not failed:
        return None
    since, last = failed[0].started_at, failed[-1]
    told_at = since + max(LEAST, TURNS * (source.every or UNKNOWN))
    if now < told_at or (last.started_at < since + (told_at - since) / 2 and len(failed) < TURNS):
        return None
    evidence = {
        "what": last.outcome,
        "since": since.isoformat(),
        "crawls": len(failed),
        "done_at": judged[done[-1]].started_at.isoformat() if done else None,
        "error": last.error.partition("\n")[0][:300],
    }
    return _alert(source, since.isoformat(), told_at, evidence)


def _silence(source: Expected, fares: Fares, now: datetime, zone: ZoneInfo) -> Alert | None:
    if not fares.is_silent or fares.usual is None or fares.last_done_at is None:
        return None
    if 365 * fares.usual * math.exp(-fares.usual * fares.silent_days) > PROMISED:
        return None
    last = now.astimezone(zone).date() - timedelta(days=fares.silent_days + 1)
    evidence = {
        "what": "silent",
        "since": last.isoformat(),
        "silent_days": fares.silent_days,
        "usual": round(fares.usual, 2),
        "done_at": fares.last_done_at.isoformat(),
    }
    return _alert(source, last.isoformat(), datetime.combine(last + timedelta(days=1), time(), zone), evidence)


def _alert(source: Expected, since: str, fired_at: datetime, evidence: dict[str, object]) -> Alert:
    about = {"source": source.name, "platform": source.platform}
    key = key_of(KIND, source.name, since)
    return Alert(key, KIND, None, "watch", "", source.brand, fired_at, None, {**about, **evidence}, ())
