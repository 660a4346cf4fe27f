"""What a workspace knows of its KOCs, from its settings and store: what judges them, who is heard, who is silent, the board."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

from listener import board, coverage
from listener.app import App
from listener.drift.detect import detect
from listener.drift.moods import Moods
from listener.drift.readings import counted_of
from listener.drift.rules import Rule, default_calibration, parameters_of
from listener.drift.silence import LEAST_DAYS, MENTIONS, silence_of
from storage.records import Calibration, DriftState, History, KocCoverage, Listening, MoodDay, PostKey, Verdict


@dataclass(frozen=True, slots=True)
class Judge:
    """The detector with all its numbers bound, for one brand."""

    moods: Sequence[MoodDay]
    calibration: Calibration
    rule: Rule

    def replay(self, histories: Sequence[History]) -> list[Verdict]:
        """A verdict for every history."""
        return detect(histories, self.moods, self.calibration, self.rule)

    def counted(self, history: History) -> list[PostKey]:
        """The posts of a history that weigh."""
        parameters, zone = parameters_of(self.calibration), ZoneInfo(self.rule.timezone)
        return [one.mention.key for one in counted_of(history, Moods(self.moods), parameters, zone).mentions]


def judge_of(app: App, brand: str, as_of: datetime | None = None) -> Judge:
    """What judges a brand's KOCs, with the mood as it is known now, or as it was known at a time."""
    calibration = app.store.calibration(brand, at=as_of) or default_calibration()
    return Judge(app.store.moods(brand, as_of=as_of), calibration, app.rule())


def listenings_of(app: App) -> list[Listening]:
    """What each source of the settings promises to hear."""
    return [
        Listening(
            source=source.name,
            platform=source.platform,
            roster=source.accounts == "roster",
            accounts=() if source.accounts == "roster" else source.accounts,
            searches=bool(source.queries),
            feeds=bool(source.urls),
            hosts=tuple(dict.fromkeys(urlsplit(url).netloc for url in source.urls)),
            every=source.every or _longest_pause(source.cron, app),
            enabled=source.enabled,
        )
        for source in app.settings.sources
    ]


def _longest_pause(cron: str | None, app: App) -> timedelta | None:
    """The longest time between two of the next turns of a cron line; None where there is none."""
    if cron is None:
        return None
    trigger, at, pauses = CronTrigger.from_crontab(cron, timezone=app.timezone), app.now(), []
    for _ in range(30):
        after = trigger.get_next_fire_time(at, at + timedelta(seconds=1))
        if after is None:
            break
        pauses.append(after - at)
        at = after
    return max(pauses, default=None)


def coverage_of(app: App) -> dict[str, KocCoverage]:
    """Who is covered, up to when, and why not."""
    return coverage.coverage_of(
        app.store.kocs(), listenings_of(app), app.store.crawls(last=False), app.store.heard(), now=app.now()
    )


def board_of(app: App, brand: str | None = None) -> list[board.Row]:
    """The rows of the board, the most urgent first."""
    brands = [one.name for one in app.brands if brand in (None, one.name)]
    states, coverages = app.store.states(), coverage_of(app)
    return board.rows_of(
        app.store.kocs(),
        brands,
        states=states,
        coverages=coverages,
        alerts=app.store.alerts(),
        cases=app.store.cases(),
        silent=silent_of(app, [one for one in states if one.brand in brands], coverages),
    )


def silent_of(app: App, states: Iterable[DriftState], coverages: Mapping[str, KocCoverage]) -> dict[tuple[str, str], datetime]:
    """Since when who is silent about a brand, by KOC and brand: only where every timeline of the KOC is read to its end.

    What such a timeline held between the first mention and the last reading is stored, so that time was listened to; of a
    KOC who is heard by searches or in files alone nothing can be said.
    """
    silent = {}
    for state in states:
        heard_to = _heard_to(coverages.get(state.koc_id))
        if heard_to is None or state.last_at is None or state.mentions < MENTIONS:
            continue
        if heard_to - state.last_at < timedelta(days=LEAST_DAYS):
            continue  # spoke lately: no need to read all that was said
        times = [one.posted_at for one in app.store.history(state.koc_id, state.brand).mentions]
        if found := silence_of(times, [(min(times), heard_to)] if times else [], heard_to):
            silent[state.koc_id, state.brand] = found.since
    return silent


def _heard_to(known: KocCoverage | None) -> datetime | None:
    return known.heard_to if known and known.reach == "covered" else None
