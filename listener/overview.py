"""What a workspace knows of its KOCs, from its settings and store: what judges them, who is heard, who is silent, the board."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

from listener import board, coverage, health
from listener.app import App
from listener.drift.brand_shifts import brand_shifts, shifted
from listener.drift.moods import Moods
from listener.drift.readings import counted_of
from listener.drift.rules import Rule, default_calibration, parameters_of
from listener.health import Health
from listener.pipeline import verdicts_of
from listener.signals.silences import KIND as SILENCE
from nlp.results import ScoreError
from storage.records import Calibration, History, KocCoverage, Listening, MoodDay, PostKey, StoredAlert, Verdict

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Judge:
    """The detector with all its numbers bound, for one brand."""

    moods: Sequence[MoodDay]
    calibration: Calibration
    rule: Rule

    def replay(self, histories: Sequence[History]) -> list[Verdict]:
        """A verdict for every history."""
        return verdicts_of(histories, self.moods, self.calibration, self.rule)

    def counted(self, history: History) -> list[PostKey]:
        """The posts of a history that weigh."""
        parameters, zone = parameters_of(self.calibration), ZoneInfo(self.rule.timezone)
        return [one.mention.key for one in counted_of(history, Moods(self.moods), parameters, zone).mentions]


@dataclass(frozen=True, slots=True)
class Scorer:
    """What scores, and how much of what is stored it has still to score. model: its version, "" where it can't be read, and
    then ``error`` says why; stored_model: of what is stored, None where nothing ever was made ready for it;
    to_replay: KOCs."""

    stored_model: str | None
    model: str
    posts: int
    left: int
    to_replay: int
    error: str = ""

    @property
    def is_changed(self) -> bool:
        """Whether what is stored was scored by another model."""
        return not self.error and self.stored_model not in (None, self.model)


def scorer_of(app: App) -> Scorer:
    """The workspace's scorer; one that can't be read is told, not raised."""
    counts, stored = app.store.counts(), app.store.made_with().get("model")
    try:
        model, error = app.model_version(), ""
    except ScoreError as unread:
        model, error = "", str(unread)
    is_changed = not error and stored is not None and stored != model
    left = counts["posts"] if is_changed else counts["stale"]
    return Scorer(stored, model, counts["posts"], left, counts["dirty"], error)


def judge_of(app: App, brand: str, as_of: datetime | None = None) -> Judge:
    """What judges a brand's KOCs, with the mood as it is known now, or as it was known at a time."""
    calibration = app.store.calibration(brand, at=as_of) or default_calibration()
    moods = app.store.moods(brand, as_of=as_of)
    if as_of is not None:  # the shifts that were known then
        moods = shifted(moods, brand_shifts(app.store.public_moods(brand, as_of=as_of)))
    return Judge(moods, calibration, app.rule())


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


def health_by_source(app: App) -> dict[str, Health]:
    """How each source of the settings fares."""
    now = app.now()
    offset = now.astimezone(ZoneInfo(app.timezone)).utcoffset() or timedelta()
    since = now - timedelta(days=health.DAYS * 4)
    crawls, posts = app.store.crawls(last=False, since=now - timedelta(days=health.DAYS)), app.store.posts_by_day(since, offset)
    today = (now - _EPOCH + offset) // timedelta(days=1)
    return {
        source.name: health.health_of(
            posts.get(source.name, {}), [one for one in crawls if one.source == source.name], today=today, now=now
        )
        for source in app.settings.sources
    }


def board_of(app: App, brand: str | None = None) -> list[board.Row]:
    """The rows of the board, the most urgent first."""
    brands = [one.name for one in app.brands if brand in (None, one.name)]
    coverages, alerts = coverage_of(app), app.store.alerts()
    return board.rows_of(
        app.store.kocs(),
        brands,
        states=app.store.states(),
        coverages=coverages,
        alerts=alerts,
        cases=app.store.cases(),
        silent=silent_of(alerts, coverages),
    )


def silent_of(alerts: Iterable[StoredAlert], coverages: Mapping[str, KocCoverage]) -> dict[tuple[str, str], datetime]:
    """Since when who is silent about a brand, by KOC and brand: by the silences that stand, and only while every timeline of
    the KOC is read to its end."""
    return {
        (one.alert.koc_id, one.alert.brand): one.alert.fired_at
        for one in alerts
        if one.alert.kind == SILENCE and one.alert.ended_at is None and _is_covered(coverages.get(one.alert.koc_id))
    }


def _is_covered(known: KocCoverage | None) -> bool:
    return known is not None and known.reach == "covered"
