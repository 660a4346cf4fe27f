"""The whole program in its order: collect → normalize → score → watch → alert → respond. Each step reads here as one line."""

from __future__ import annotations

import hashlib
import logging
import time
import zlib
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from listener import health, mentions, normalize, politeness, revisits
from listener.alerts.attempts import failed, handed_back, told
from listener.alerts.owing import Ladder, owed
from listener.alerts.planning import moot
from listener.alerts.policy import ALWAYS, Known, Policy, decide
from listener.alerts.reconcile import reconcile
from listener.alerts.reminding import reminders
from listener.alerts.routing import Directory, channels_of
from listener.alerts.severities import severity_by_now
from listener.cases.accidents import accident_in
from listener.cases.acts import escalate
from listener.cases.clocks import Targets
from listener.cases.clocks import due_alerts as due_alerts_of_cases
from listener.cases.following import follow
from listener.cases.steps import is_answered
from listener.channels.door import Channel, ChannelError
from listener.channels.resting import rest_of
from listener.drift.brand_shifts import brand_shifts
from listener.drift.detect import detect
from listener.drift.rules import Rule, default_calibration
from listener.relations import promises
from listener.signals import unresolved_feedbacks
from listener.signals.crowds import Promise, crowd_signals
from listener.signals.deliveries import failing_channels, others_of
from listener.signals.moods import brand_verdict
from listener.signals.sources import Expected, silent_sources
from listener.signals.together import signals_of
from listener.text.phrases import went_out
from listener.text.views import AlertView
from nlp.results import Request, Score
from spiders.collect import (
    Answered,
    Collected,
    CollectJob,
    Covered,
    Ended,
    Event,
    Left,
    Noted,
    Reached,
    Refused,
    SubjectMark,
    Trouble,
    Turn,
    Vanished,
    collect,
)
from spiders.files import BadLine
from spiders.items import Item
from storage.policy_records import Acknowledgement
from storage.records import (
    Alert,
    Brand,
    Calibration,
    Changes,
    Crawl,
    CrawlOutcome,
    Delivery,
    History,
    Koc,
    Mark,
    Message,
    MoodDay,
    Post,
    PostKey,
    Reminders,
    Severity,
    StoredAlert,
    StoreError,
    Verdict,
)
from storage.store import Store
from storage.watching import Watch

log = logging.getLogger(__name__)
T = TypeVar("T")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
AHEAD = timedelta(days=1)  # a post may be dated so far behind its sighting: clocks differ, zones are forgotten
FLUSH_SECONDS = 5.0  # a slow crawl is stored at least this often
CLAIMED = 2000  # deliveries at a time: what comes as one storm should be seen as one
SEND_LEASE = timedelta(minutes=10)  # of what one process has claimed: nobody else sends it meanwhile
LONGEST_WAIT = timedelta(days=1)  # that a receiver may ask for
AHEAD_OF_FAILED = timedelta(seconds=10)  # what waits behind a message that failed is tried again before it
BEHIND = timedelta(seconds=30)  # so much later than its channel's rest ends a message is tried that failed last
LONGEST_SEND = timedelta(minutes=2)  # longer than any channel takes for one message


class Interrupted(Exception):  # noqa: N818
    """Somebody wants to stop; what was under way was not written."""


class Report(Protocol):
    """Told how far a step is: its name, how many done, of how many (None: nobody knows)."""

    def __call__(self, step: str, done: int, total: int | None) -> None: ...


class ScoreMany(Protocol):
    """The scorer behind an executor: requests in, their scores out, in the same order."""

    def __call__(self, requests: Sequence[Request]) -> list[Score]: ...


class CollectMany(Protocol):
    """`spiders.collect.collect`, by this process or behind an executor: a job in, its events out."""

    def __call__(
        self, job: CollectJob, stopping: Callable[[], bool], turn: Callable[[str, float], Turn]
    ) -> Generator[Event, None, None]: ...


class ReplayMany(Protocol):
    """The detector behind an executor: KOCs of one brand in, a verdict for each out, in the same order.

    read: their histories; an executor whose workers reach the database has no need of it."""

    def __call__(
        self,
        pairs: Sequence[tuple[str, str]],
        read: Callable[[Sequence[tuple[str, str]]], list[History]],
        moods: Sequence[MoodDay],
        calibration: Calibration,
        rule: Rule,
    ) -> list[Verdict]: ...


def replay_here(
    pairs: Sequence[tuple[str, str]],
    read: Callable[[Sequence[tuple[str, str]]], list[History]],
    moods: Sequence[MoodDay],
    calibration: Calibration,
    rule: Rule,
) -> list[Verdict]:
    """`ReplayMany` in this process."""
    return verdicts_of(read(pairs), moods, calibration, rule)


def verdicts_of(histories: Sequence[History], moods: Sequence[MoodDay], calibration: Calibration, rule: Rule) -> list[Verdict]:
    """What is said of KOCs of one brand: their drifts, and the signals beside."""
    shifted, zone = {mood.day for mood in moods if mood.is_shifted}, ZoneInfo(rule.timezone)

    def in_shift(at: datetime) -> bool:
        return bool(shifted) and at.astimezone(zone).date() in shifted

    found = detect(histories, moods, calibration, rule)
    return [signalled(*one, rule, in_shift) for one in zip(histories, found, strict=True)]


def signalled(history: History, verdict: Verdict, rule: Rule, in_shift: Callable[[datetime], bool]) -> Verdict:
    """The verdict with the signals of the same history, in order of time."""
    signals, held, silent_from = signals_of(
        history, verdict.state, first_negative=rule.first_negatives, silent_days=rule.silent_days, in_shift=in_shift
    )
    return replace(
        verdict,
        state=replace(verdict.state, silent_from=silent_from),
        signals=signals,
        held=tuple(sorted((*verdict.held, *held), key=lambda one: (one.at, one.kind, one.key))),
    )


@dataclass(frozen=True)
class Desk:
    """What the steps work with: plain values and open doors, wired by `listener.app`; a test wires its own.

    finder: finds the brands in a post. key: what author ids are hashed with. sources: those that should be heard. media: author
    keys of each brand's media list. channels: names of those that alerts go to.
    channel: one of them, open; None where the settings name it no more. view: an alert with all it takes to be shown.
    watch_size: KOCs that one transaction replays. reminding, targets: when somebody is reminded of promises and cases.
    policy: what is sent when. directory: whom there is to tell, None: each channel gets all. ladder: who hears of what nobody
    takes on.
    stopping: asked between two units of work; True ends the step early and cleanly.
    """

    store: Store
    brands: tuple[Brand, ...]
    finder: mentions.Finder
    key: bytes
    rule: Rule
    channels: tuple[str, ...]
    channel: Callable[[str], Channel | None]
    score: ScoreMany
    now: Callable[[], datetime]
    view: Callable[[StoredAlert], AlertView]
    sources: tuple[Expected, ...] = ()
    media: Mapping[str, frozenset[str]] = field(default_factory=dict)
    batch_size: int = 1000
    watch_size: int = 200
    reminding: promises.Reminding = field(default_factory=promises.Reminding)
    targets: Targets = field(default_factory=Targets)
    policy: Policy = field(default_factory=Policy)
    directory: Directory | None = None
    ladder: Ladder = field(default_factory=Ladder)
    replay: ReplayMany = replay_here
    collect: CollectMany = collect
    stopping: Callable[[], bool] = field(default=lambda: False)
    report: Report = field(default=lambda step, done, total: None)


@dataclass(frozen=True, slots=True)
class Listened:
    """What became of items: new posts, posts seen again, posts whose text was edited, items set aside."""

    new: int = 0
    again: int = 0
    edited: int = 0
    rejected: int = 0


@dataclass(frozen=True, slots=True)
class Revisited:
    """What became of posts that were to be looked at again: how many, seen, gone; what went wrong, in words. is_able: whether
    the platform's spider can read single posts at all."""

    chosen: int = 0
    seen: int = 0
    gone: int = 0
    error: str = ""
    is_able: bool = True


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of deliveries that were due: sent alone, told with many others, to be tried again, given up, held back."""

    sent: int = 0
    summarized: int = 0
    retried: int = 0
    dead: int = 0
    held: int = 0

    def __str__(self) -> str:
        return went_out(sent=self.sent, summarized=self.summarized, retried=self.retried, dead=self.dead, held=self.held)


def listen(items: Iterable[Item | BadLine], source: str, desk: Desk, reject: Callable[[BadLine], None]) -> Listened:
    """Take items in; leave posts, mentions, drifts, alerts, deliveries and cases behind. Bad ones go to `reject`."""
    total, done = Listened(), 0
    for batch in batches(items, desk.batch_size):
        posts, bad = normalized(batch, source, desk)
        for line in bad:
            reject(line)
        added = desk.store.add(posts, stored_at=desk.now())
        total = Listened(
            total.new + added.new, total.again + added.again, total.edited + added.edited, total.rejected + len(bad)
        )
        done += len(batch)
        desk.report("收录 collect", done, None)
        score(desk)
        if desk.stopping():
            return total
    watch(desk)
    return total


def normalized(batch: Sequence[Item | BadLine], source: str, desk: Desk) -> tuple[list[Post], list[BadLine]]:
    """The posts of a batch, and what of it can't become one: whole, but by its line's number only where the file had it."""
    posts, bad, now = [], [], desk.now()
    for item in batch:
        if isinstance(item, BadLine):
            bad.append(item)
            continue
        which = f"{item.platform} {item.post_id}"
        try:
            post = normalize.normalize_item(item, source=source, key=desk.key)
        except normalize.NormalizeError as error:
            bad.append(BadLine(number=0, reason=f"{which}: {error}", line=which.encode()))
            continue
        if item.posted_at > (item.seen_at or now) + AHEAD:
            reason = (
                f"{which}: 发布时间晚于看到它的时间 / posted after it was seen, or in the future: {item.posted_at.isoformat()}"
            )
            bad.append(BadLine(number=0, reason=reason, line=zlib.decompress(post.raw)))
            continue
        posts.append(post)
    return posts, bad


def score(desk: Desk) -> int:
    """Make the mentions of every post that lacks them: new, changed at its root, or made for other brands or by another
    model. Scoring happens outside of transactions; a post that changes meanwhile is simply made again."""
    made = 0
    while stale := desk.store.stale(desk.batch_size):
        wanted = [desk.finder.requests_of(post) for post in stale]
        scores = iter(desk.score([one.request for many in wanted for one in many]))
        desk.store.put(
            [
                (post, [mentions.mention_of(post, one, next(scores)) for one in many])
                for post, many in zip(stale, wanted, strict=True)
            ]
        )
        made += len(stale)
        if made > desk.batch_size:
            desk.report("评分 score", made, None)
        if desk.stopping():
            break
    return made


def watch(desk: Desk) -> int:
    """Replay every KOC that new posts touched: drift → alerts, deliveries, case, in the transaction that clears the mark."""
    done, total = 0, desk.store.count_dirty()
    while not desk.stopping():
        with desk.store.watching(brands=[b.name for b in desk.brands], limit=desk.watch_size) as dirty:
            if dirty is None:
                break
            judge(dirty, desk)
            done += len(dirty.pairs)
        desk.report("观察 watch", done, max(done, total))
    return done


def judge(dirty: Watch, desk: Desk) -> None:
    """One transaction of `watch`: what the detector says of these KOCs, and what follows from it."""
    now = desk.now()
    for brand, pairs in by_brand(dirty.pairs).items():
        calibration = dirty.calibrations.get(brand) or default_calibration()
        for verdict in desk.replay(pairs, dirty.read, dirty.moods.get(brand, ()), calibration, desk.rule):
            dirty.record(consequences(verdict, dirty, desk, now), at=now)
    for brand in dirty.brands:
        verdict = verdict_of_brand(brand, dirty, desk.rule, desk.media.get(brand, frozenset()))
        dirty.record(consequences(verdict, dirty, desk, now), at=now)


def verdict_of_brand(brand: str, dirty: Watch, rule: Rule, media: frozenset[str]) -> Verdict:
    """What is said of a brand as a whole: its mood, and its crowds. media: author keys of its media list."""
    moods, zone = dirty.public_moods(brand), ZoneInfo(rule.timezone)
    verdict = brand_verdict(brand, brand_shifts(moods), dirty.loudest, zone)
    promise = Promise(rule.storms, rule.spreads, rule.contagions, media)
    found = crowd_signals(brand, dirty.crowd(brand), moods, zone=zone, promise=promise)
    signals = sorted((*verdict.signals, *found.signals), key=lambda one: (one.at, one.kind, one.tipped_by))
    return replace(verdict, signals=tuple(signals), finds=found.finds)


def consequences(verdict: Verdict, dirty: Watch, desk: Desk, now: datetime) -> Changes:
    """What a verdict on a KOC, or on a brand itself, changes: alerts, deliveries, cases."""
    who = (verdict.state.koc_id, verdict.state.brand)
    stored, koc = dirty.stored.get(who, ()), dirty.kocs.get(verdict.state.koc_id)
    changes = reconcile(
        verdict,
        stored=stored,
        deliveries=[row for one in stored for row in dirty.deliveries.get(one.alert.key, ())],
        channels=desk.channels,
        koc=koc,
        now=now,
        channels_of=lambda alert: routed(alert, koc, desk),
    )
    return follow(changes, cases=dirty.cases.get(who, ()), koc=koc, now=now)


def routed(alert: Alert, koc: Koc | None, desk: Desk) -> Sequence[str]:
    """The channels that an alert goes to."""
    return desk.channels if desk.directory is None else channels_of(alert, koc, desk.directory)


def by_brand(pairs: Iterable[tuple[str, str]]) -> dict[str, list[tuple[str, str]]]:
    """The (KOC, brand) pairs of each brand, in their order.

    >>> by_brand([("K1", "星澜"), ("K1", "墨羽"), ("K2", "星澜")])
    {'星澜': [('K1', '星澜'), ('K2', '星澜')], '墨羽': [('K1', '墨羽')]}
    """
    groups: dict[str, list[tuple[str, str]]] = {}
    for pair in pairs:
        groups.setdefault(pair[1], []).append(pair)
    return groups


# ---------------------------------------------------------------------------------------------------------- collect


def crawl(job: CollectJob, desk: Desk) -> Crawl:
    """Run a source once: its items are stored as they come, a mark only in the transaction of the last post it vouches for.

    A crawl that is cut leaves its marks where they were, so the next one reads again what was not surely stored.
    """
    started = desk.now()
    crawl_id = hashlib.sha256(f"{job.source}\0{started.isoformat()}".encode()).hexdigest()[:16]
    row = Crawl(crawl_id, job.source, job.platform, started, None, "running", 0, "")
    desk.store.start_crawl(row)
    marks = {subject: SubjectMark(mark.posted_at, mark.state) for subject, mark in desk.store.marks(job.source).items()}
    job = replace(job, marks=marks)
    intake = Intake(job, desk)
    try:
        with closing(desk.collect(job, desk.stopping, partial(turn_at, desk, job.timezone))) as events:
            for event in events:
                intake.take(event)
                if desk.stopping():
                    intake.outcome = "cut"
                    break
        intake.flush()
    except BaseException as error:
        desk.store.end_crawl(replace(row, ended_at=desk.now(), outcome="cut", items=intake.items, error=cut_by(error)))
        raise
    row = replace(
        row,
        ended_at=desk.now(),
        outcome=intake.outcome,
        items=intake.items,
        error=intake.told(),
        covered=tuple(intake.covered),
    )
    desk.store.end_crawl(row)
    score(desk)
    return row


def revisit(job: CollectJob, desk: Desk, budget: int) -> Revisited:
    """Look again at those posts of a source whose turn it is, at most ``budget``: their counts are stored as they are now, and
    posts that are gone are noted as gone."""
    now = desk.now()
    chosen = revisits.due(desk.store.watched(job.source, now - revisits.longest_age()), now, budget)
    if not chosen:
        return Revisited()
    keys = {one.url or one.post_id: PostKey(one.platform, one.post_id) for one in chosen}
    own = (*job.urls, *job.posts)
    job = replace(job, queries=(), accounts=(), urls=(), posts=(), looks=tuple(keys), own_urls=own, comments=False)
    intake, gone = Intake(job, desk), list[PostKey]()
    with closing(desk.collect(job, desk.stopping, partial(turn_at, desk, job.timezone))) as events:
        for event in events:
            if isinstance(event, Vanished):
                gone.append(keys[event.ref])
            intake.take(event)
            if desk.stopping():
                break
    intake.flush()
    desk.store.note_gone(gone, desk.now())
    if intake.kinds.isdisjoint({"blocked", "limited"}) and not desk.stopping():  # else the host is to blame, not the post
        desk.store.note_failed_looks(keys.values(), since=now, at=desk.now())
    score(desk)
    is_able = bool(intake.items or gone) or intake.kinds != {"limited"}
    return Revisited(len(chosen), intake.items, len(gone), intake.told() if intake.outcome != "done" else "", is_able)


def turn_at(desk: Desk, timezone: str, host: str, delay_seconds: float) -> Turn:
    """When a crawl's next request to a host may go out, among all that share the database; or why not now."""
    now = desk.now()
    found, wait = desk.store.take_turn(host, timedelta(seconds=delay_seconds), now)
    return Turn(wait.total_seconds(), politeness.words_of_pause(found, now, timezone))


def cut_by(error: BaseException) -> str:
    """What cut a crawl, for its row.

    >>> cut_by(KeyboardInterrupt())
    '已中断，再次运行会接着读 / interrupted; the next run goes on'
    """
    if isinstance(error, KeyboardInterrupt):
        return "已中断，再次运行会接着读 / interrupted; the next run goes on"
    return repr(error)


class Intake:
    """What a running crawl has brought and not yet stored."""

    def __init__(self, job: CollectJob, desk: Desk) -> None:
        self.job, self.desk = job, desk
        self.items = 0
        self.outcome: CrawlOutcome = "failed"
        self.troubles: dict[str, list[str]] = {}
        self.kinds: set[str] = set()
        self.covered: list[tuple[str, str]] = []
        self._waiting: list[Item] = []
        self._marks: dict[str, Mark] = {}
        self._began_at = desk.now()
        self._flushed_at = time.monotonic()

    def take(self, event: Event) -> None:
        """Take what the spider says, in its order: a mark is stored with all items before it."""
        match event:
            case Collected(item):
                self._waiting.append(item if item.seen_at else replace(item, seen_at=self.desk.now()))
            case Reached(subject, posted_at, state):
                self._marks[subject] = Mark(self.job.source, subject, posted_at, state)
            case Noted(subject, state):
                mark = self.job.marks.get(subject)
                self._marks[subject] = Mark(self.job.source, subject, mark.posted_at if mark else None, state)
            case Refused(host, message, wait_seconds):
                asked = None if wait_seconds is None else timedelta(seconds=wait_seconds)
                pause = partial(politeness.pause_of, asked=asked)
                now = self.desk.now()
                found = self.desk.store.host_refused(host, self.job.source, message, now, pause)
                self.troubles[politeness.words_of_pause(found, now, self.job.timezone)] = []
            case Answered(host):
                self.desk.store.host_answered(host, since=self._began_at)
            case Covered(platform, account_id):
                self.covered.append((platform, account_id))
            case Trouble(kind, message, subject, page):
                self.kinds.add(kind)
                if message not in self.troubles:
                    log.warning("%s: %s: %s %s", self.job.source, kind, message, page)
                self.troubles.setdefault(message, []).append(subject)
            case Ended(outcome, error):
                graver = self.kinds - {"limited"}  # what a visitor is not shown is told, and holds nothing back
                self.outcome = "changed" if outcome == "failed" and graver == {"changed"} else outcome
                if outcome != "done" and not graver:  # a child that died could not say which subject it was at
                    self.troubles[error] = []
        late = time.monotonic() - self._flushed_at > FLUSH_SECONDS or isinstance(event, Left)
        if late or len(self._waiting) >= self.desk.batch_size:
            self.flush()

    def told(self) -> str:
        """What went wrong, each thing once, with the subjects that it hit."""
        lines = []
        for message, subjects in self.troubles.items():
            named = ", ".join(filter(None, subjects[:3]))
            more = f" … ({len(subjects)})" if len(subjects) > 3 else ""
            lines.append(f"{message} [{named}{more}]" if named else message)
        return "\n".join(lines)

    def flush(self) -> None:
        """Store what waits, with the marks that vouch for it, in one transaction."""
        marks = tuple(self._marks.values())
        posts, bad = normalized(self._waiting, self.job.source, self.desk)
        for line in bad:
            log.error("%s: item set aside: %s", self.job.source, line.reason)  # not the line: it holds people's words
        if posts or marks:
            self.desk.store.add(posts, stored_at=self.desk.now(), marks=marks)
        self.items += len(posts)
        self._waiting, self._marks, self._flushed_at = [], {}, time.monotonic()
        self.desk.report("抓取 crawl", self.items, None)


# ---------------------------------------------------------------------------------------------------------- respond


def due_alerts(desk: Desk, now: datetime) -> tuple[Alert, ...]:
    """Every operational alert that is wanted now: what is due, and what has stopped working. Each kind's own pure function says
    so of what is stored; one line a kind."""
    kocs = {koc.koc_id: koc for koc in desk.store.kocs()}
    return (
        *promises.due_alerts(desk.store.ledger.promises(), now, kocs=kocs, rule=desk.reminding),
        *due_cases(desk, now, kocs),
        *unheard_sources(desk, now),
        *failing_channels(desk.store.channel_states(), desk.store.unsent(), desk.channels, now),
    )


def unheard_sources(desk: Desk, now: datetime) -> tuple[Alert, ...]:
    """Sources that used to be heard and are not any more."""
    if not desk.sources:
        return ()
    zone = ZoneInfo(desk.rule.timezone)
    offset = now.astimezone(zone).utcoffset() or timedelta()
    crawls = desk.store.crawls(last=False, since=now - timedelta(days=health.DAYS))
    posts = desk.store.posts_by_day(now - timedelta(days=health.DAYS * 4), offset)
    today = (now - EPOCH + offset) // timedelta(days=1)
    fares = {
        one.name: health.health_of(
            posts.get(one.name, {}), [each for each in crawls if each.source == one.name], today=today, now=now
        )
        for one in desk.sources
    }
    return silent_sources(desk.sources, crawls, fares, now, zone)


def due_cases(desk: Desk, now: datetime, kocs: Mapping[str, Koc]) -> tuple[Alert, ...]:
    """Cases whose step is due soon or past its time; those whose posts may tell of an accident are marked as such before."""
    mark_accidents(desk, now)
    cases = desk.store.cases(state="open")
    tiers = {koc_id: koc.tier for koc_id, koc in kocs.items()}
    return due_alerts_of_cases(cases, desk.store.logs([one.key for one in cases]), now, tiers=tiers, targets=desk.targets)


def mark_accidents(desk: Desk, now: datetime) -> None:
    """Make every open case urgent whose posts may tell of an accident of safety or quality, unless somebody has said that there
    was none. One that is changed at this very moment has its turn next time."""
    cases = [case for case in desk.store.cases(state="open") if not case.urgent]
    logs = desk.store.logs([case.key for case in cases])
    cases = [case for case in cases if all(one.step != "not-urgent" for one in logs.get(case.key, ()))]
    stored = desk.store.alerts_of({key for case in cases for key in case.alerts})
    alerts = {key: one.alert for key, one in stored.items() if one.state == "current"}
    posts_of = {
        case.key: {key for alert in case.alerts if alert in alerts for key in alerts[alert].posts}
        | ({case.post} if case.post else set())
        for case in cases
    }
    found = {key: accident_in(post.text) for key, post in desk.store.posts_of(set().union(*posts_of.values())).items()}
    for case in cases:
        words = next((found[key] for key in sorted(posts_of[case.key]) if found.get(key)), "")
        if words:
            try:
                desk.store.act([escalate(case, now, words)])
            except StoreError as error:
                log.warning("%s", error)


def remind(desk: Desk) -> int:
    """Bring the operational alerts in line with what is due now: new ones get deliveries, those that are settled go.
    Returns how many are new."""
    now = desk.now()
    wanted, kocs = due_alerts(desk, now), {koc.koc_id: koc for koc in desk.store.kocs()}
    made: set[str] = set()

    def decide(stored: Sequence[StoredAlert], deliveries: Mapping[str, Sequence[Delivery]]) -> Reminders:
        changes = reminders(
            wanted,
            stored=stored,
            deliveries=deliveries,
            channels_of=lambda alert: others_of(alert, routed(alert, kocs.get(alert.koc_id), desk), desk.channels),
            kocs=kocs,
            now=now,
        )
        made.update({one.key for one in changes.alerts} - {one.alert.key for one in stored})
        return changes

    desk.store.remind(decide, now)
    return len(made)


def deliver(desk: Desk) -> Delivered:
    """Send what is due: at least once, claimed before it is sent, so that two processes never send the same at once."""
    total = Delivered()
    owe(desk)
    while not desk.stopping() and (claimed := desk.store.claim_due(desk.now(), lease=SEND_LEASE, limit=CLAIMED)):
        acknowledged = desk.store.acknowledgements(about.alert.key for _, about in claimed)
        answered = answered_among([about.alert for _, about in claimed], desk)
        desk.store.settle(gone := moot(claimed, {*acknowledged, *answered}))
        left = {one.key for one in gone}
        known = known_now(acknowledged, answered, desk)
        total = send_all([pair for pair in graded(claimed, desk) if pair[0].key not in left], total, known, desk)
    if desk.store.count_dirty():  # what was withdrawn while it was sent needs its correction
        watch(desk)
    return total


def known_now(acknowledged: Mapping[str, Acknowledgement], answered: Collection[str], desk: Desk) -> Known:
    """What the rows say besides the deliveries, as the policy wants it."""
    store = desk.store
    return Known(
        mutes=store.mutes(),
        acknowledged=acknowledged,
        sent=store.sent_since(desk.now() - desk.policy.memory),
        answered=answered,
        down=down_now(desk),
        dead={(one.alert_key, one.channel) for one in store.deliveries("dead")},
    )


def down_now(desk: Desk) -> frozenset[str]:
    """Channels that have failed so often in a row that they rest, and have taken nothing since."""
    return frozenset(name for name, state in desk.store.channel_states().items() if rest_of(state.failures) is not None)


def owe(desk: Desk) -> int:
    """Add the deliveries that are owed by now besides: to whoever is on call, and up the ladder where nobody took an alert on.
    Returns how many."""
    directory, now = desk.directory, desk.now()
    if directory is None:
        return 0
    may_grow = desk.policy.reach > 0 and desk.policy.hours != ALWAYS
    has_ways = directory.rota or directory.routes or desk.ladder.steps
    if not (has_ways or may_grow or desk.store.owing_channels() - set(directory.channels)):
        return 0
    since, kocs = now - desk.policy.deliver_within, {koc.koc_id: koc for koc in desk.store.kocs()}
    found = desk.store.unanswered(since)
    ranks = dict(zip([one.alert.key for one in found], severities_by_now([one.alert for one in found], desk), strict=True))
    decide = partial(
        owed,
        now=now,
        policy=desk.policy,
        directory=directory,
        ladder=desk.ladder,
        kocs=kocs,
        mutes=desk.store.mutes(),
        severity=lambda alert: ranks.get(alert.key, alert.severity),
        down=down_now(desk),
    )
    answered = answered_among([one.alert for one in found], desk)

    def unsettled(stored: Sequence[StoredAlert], told: Mapping[str, Sequence[Delivery]]) -> Sequence[Delivery]:
        return decide([one for one in stored if one.alert.key not in answered], told)

    return desk.store.owe(unsettled, since) if found else 0


def answered_among(alerts: Iterable[Alert], desk: Desk) -> frozenset[str]:
    """Keys of those that tell of a matter without an answer, though the log of a case holds one by now."""
    open_ones = [alert for alert in alerts if alert.kind == unresolved_feedbacks.KIND]
    cases = [case for koc_id in sorted({one.koc_id for one in open_ones}) for case in desk.store.cases(koc=koc_id)]
    logs = desk.store.logs([case.key for case in cases]) if cases else {}
    return frozenset(one.key for one in open_ones if is_answered(one, cases, logs))


def graded(claimed: Sequence[tuple[Delivery, StoredAlert]], desk: Desk) -> list[tuple[Delivery, StoredAlert]]:
    """What was claimed, with the severity that each alert has by now: its posts may have spread since it was made."""
    ranks = severities_by_now([about.alert for _, about in claimed], desk)
    pairs = zip(claimed, ranks, strict=True)
    return [(one, replace(about, alert=replace(about.alert, severity=rank))) for (one, about), rank in pairs]


def severities_by_now(alerts: Sequence[Alert], desk: Desk) -> list[Severity]:
    """How fast somebody must act on each of these, by the counts that its posts have now."""
    reach = desk.policy.reach
    tiers = {koc.koc_id: koc.tier for koc in desk.store.kocs()} if reach else {}
    posts = desk.store.posts_of({key for alert in alerts for key in alert.posts}) if reach else {}
    counts = {key: post.counts for key, post in posts.items()}
    return [
        severity_by_now(alert, tiers.get(alert.koc_id, ""), [counts[key] for key in alert.posts if key in counts], reach)
        for alert in alerts
    ]


def send_all(claimed: Sequence[tuple[Delivery, StoredAlert]], total: Delivered, known: Known, desk: Desk) -> Delivered:
    """Send what was claimed and is to go out now, message by message; the rest is held, with a reason. What is not tried after
    all is handed back: when the claim runs out, when somebody wants to stop, behind a message that its channel could not take
    (the others go on), and if this fails itself."""
    until = desk.now() + SEND_LEASE - LONGEST_SEND
    stored = {one.alert.key: one for _, one in claimed}
    decision = decide(claimed, now=desk.now(), policy=desk.policy, known=known)
    desk.store.settle(decision.held, desk.now())
    total = replace(total, held=total.held + len(decision.held))
    waiting = list(decision.messages)
    closed: dict[str, datetime] = {}
    try:
        while waiting and not desk.stopping() and desk.now() <= until:
            message = waiting[0]
            if message.channel in closed:
                later = closed[message.channel]
                desk.store.settle([replace(handed_back(one), next_try_at=later) for one in message.deliveries])
            else:
                settled = send(message, stored, desk)
                desk.store.settle(settled)
                total = counted(total, settled)
                if any(one.state == "pending" for one in settled):
                    closed[message.channel] = desk.now() + AHEAD_OF_FAILED
            waiting.pop(0)
    finally:
        desk.store.settle([handed_back(one) for message in waiting for one in message.deliveries])
    return total


def send(message: Message, stored: Mapping[str, StoredAlert], desk: Desk) -> list[Delivery]:
    """Send one message; returns its deliveries as they stand afterwards."""
    now = desk.now()
    try:
        channel = desk.channel(message.channel)
        if channel is None:
            words = f"没有名为 {message.channel} 的渠道 / no channel is named {message.channel!r} in listener.toml any more"
            raise ChannelError(words, permanent=True)
        channel.send(message, [desk.view(stored[one.alert_key]) for one in message.deliveries], now)
    except ChannelError as error:
        settled = refused(message, error, now, desk)
        for one in settled:
            level = logging.ERROR if one.state == "dead" else logging.WARNING
            log.log(level, "%s: delivery %s %s: %s", one.channel, one.key, one.state, error)
        return settled
    desk.store.channel_answered(message.channel, now)
    return [told(one, now, message.kind) for one in message.deliveries]


def refused(message: Message, error: ChannelError, now: datetime, desk: Desk) -> list[Delivery]:
    """The deliveries of a message that did not go out. Where its channel rests, which all processes keep to, no attempt is
    spent, and a message that may be to blame itself comes behind what else waits there."""
    asked = None if error.retry_after is None else min(error.retry_after, LONGEST_WAIT)
    if error.is_untried:
        later = now + (asked or timedelta(0))
        return [replace(handed_back(one), next_try_at=later) for one in message.deliveries]
    if not error.permanent:
        state = desk.store.channel_failed(message.channel, str(error), now, rest_of, asked)
        if state.rests_until is not None and rest_of(state.failures) is not None:
            later = state.rests_until + BEHIND
            return [replace(handed_back(one), next_try_at=later, error=str(error)) for one in message.deliveries]
    return [failed(one, now, str(error), error.permanent, error.retry_after) for one in message.deliveries]


def counted(total: Delivered, settled: Sequence[Delivery]) -> Delivered:
    """The sums with these deliveries added."""
    states = [one.state for one in settled]
    return replace(
        total,
        sent=total.sent + states.count("sent"),
        summarized=total.summarized + states.count("summarized"),
        retried=total.retried + states.count("pending"),
        dead=total.dead + states.count("dead"),
    )


def batches(values: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of at most `size` values, in order.

    >>> list(batches("abcde", 2))
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    rest = iter(values)
    while batch := list(islice(rest, size)):
        yield batch
