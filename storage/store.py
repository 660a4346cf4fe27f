"""The door of the store: values in, values out; every table and every transaction lies behind it.

    with Store.open("sqlite:///listener.db") as store:
        store.add(posts, stored_at=now)
        while stale := store.stale():
            store.put([(post, mentions_of(post)) for post in stale])

No clock is read here: times come as arguments (`server_time` asks the database's). Every method that writes is one transaction
(`purge` several small ones): a process killed at any instant leaves all of it or nothing. Any refusal of the database is
a `StoreError`.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from types import TracebackType
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Connection

from storage import (
    calibrations,
    cases,
    channel_states,
    crawls,
    crowds,
    dirty,
    histories,
    hosts,
    koc_marks,
    leases,
    looks,
    mentions,
    moods,
    outbox,
    policies,
    posts,
    prepare,
    retention,
    roster,
    schema,
    shifts,
    tables,
    ties,
    unsent,
    views,
    watching,
)
from storage.codec import us, us_or_none, when
from storage.database import Database
from storage.erasure import Privacy
from storage.ledger import Ledger, write_log, write_nomination
from storage.policy_records import Acknowledgement, Hold, Mute, Sent
from storage.records import (
    Added,
    Calibration,
    CalibrationRun,
    Case,
    CaseAct,
    CaseAudit,
    CaseStep,
    ChannelState,
    Counts,
    Crawl,
    Delivery,
    DeliveryState,
    Drift,
    DriftState,
    Heard,
    History,
    Host,
    Imported,
    Koc,
    KocMark,
    KocMention,
    Lease,
    Mark,
    Mention,
    MoodDay,
    Post,
    PostKey,
    PostView,
    Purged,
    Reminders,
    Reply,
    StalePost,
    StoredAlert,
    StoreError,
    Unsent,
    Watched,
)
from storage.roster_records import By, KocChange, LogEntry, Nomination
from storage.strangers import Strangers
from storage.watching import Watch

PURGE_BATCH = 2000  # posts in one transaction of a purge: others wait no longer than for an import's batch
CRAWL_DAYS = 90
OWN_ROWS = 200_000


def upgrade(url: str) -> str:
    """Bring the database's schema up to date. Returns its revision; raises StoreError for one of a newer program."""
    database = Database(url)
    try:
        return schema.upgrade(database)
    finally:
        database.close()


class Store:
    """One database, opened. Several threads may use one at the same time, each call being a transaction on a connection of its
    own (more than 15 calls at a time wait for each other); between processes, open one in each."""

    def __init__(self, database: Database, zone: ZoneInfo) -> None:
        self._database = database
        self._zone = zone
        self.ledger = Ledger(database)
        self.privacy = Privacy(database)
        self.strangers = Strangers(database)
        # Rows that this process added: it scores them first, so that two importers share the work. A hint, no more.
        self._own: deque[int] = deque(maxlen=OWN_ROWS)
        self._own_lock = threading.Lock()
        self._made_with: dict[str, str] | None = None  # what this process last called `prepare` with

    @classmethod
    def open(cls, url: str, *, timezone: str = "Asia/Shanghai", migrate: bool = False) -> Store:
        """Open ``sqlite:///path`` or ``postgresql://…``. timezone: whose days the brands' moods are counted by.

        A new SQLite file is filled with tables, an empty PostgreSQL database only if ``migrate``."""
        try:
            zone = ZoneInfo(timezone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise StoreError(f"unknown time zone {timezone!r}; write one like Asia/Shanghai") from error
        database = Database(url)
        try:
            schema.ensure(database, migrate=migrate)
        except BaseException:
            database.close()
            raise
        return cls(database, zone)

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    # ------------------------------------------------------------------------------------------ collect, normalize

    def add(self, new: Sequence[Post], *, stored_at: datetime, marks: Sequence[Mark] = ()) -> Added:
        """Store what was seen, and the marks of the crawl that brought it; what it changes becomes stale."""
        added, rows = self._database.write(lambda c: posts.add(c, new, us(stored_at), marks))
        with self._own_lock:
            self._own.extend(rows)
        return added

    # ------------------------------------------------------------------------------------------------------- score

    def prepare(self, brands_fingerprint: str, model: str) -> int:
        """Say what mentions are to be made with. Where it differs from what they were made with, every post becomes stale
        (but those whose text is purged). Returns how many posts are stale.

        From then on `put` and `watching` hold this process to it. Raises SettingsChanged where it says the same as before,
        and another process has said something else meanwhile."""
        wanted = {"brands": brands_fingerprint, "model": model, "timezone": self._zone.key}
        if not self._database.read(lambda c: prepare.is_prepared(c, wanted)):
            before = self._made_with
            self._database.write(lambda c: prepare.prepare(c, wanted, before))
        self._made_with = wanted
        return self.count_stale()

    def made_with(self) -> dict[str, str]:
        """What mentions are made with, as `prepare` was last told: brands, model, timezone; empty before the first time."""
        return self._database.read(prepare.facts)

    def prepare_crowds(self, made_with: str) -> bool:
        """Say what the signals of crowds are found with. Where it differs from before, every brand's are found anew by the next
        watch; returns whether it does."""
        if self._database.read(lambda c: crowds.is_prepared(c, made_with)):
            return False
        return self._database.write(lambda c: crowds.prepare(c, made_with))

    def stale(self, limit: int = 1000) -> list[StalePost]:
        """Up to ``limit`` posts whose mentions have to be made (again), those that this process added first."""
        with self._own_lock:
            own = [self._own.popleft() for _ in range(min(limit, len(self._own)))]
        return self._database.read(lambda c: mentions.stale(c, limit, own))

    def count_stale(self) -> int:
        return self._database.read(mentions.count_stale)

    def put(self, made: Sequence[tuple[StalePost, Sequence[Mention]]]) -> None:
        """Store the mentions of stale posts, move the moods, mark the KOCs. A post that changed meanwhile stays stale.

        Raises SettingsChanged, and all stay stale, where another process has called `prepare` with something else."""
        self._database.write(lambda c: mentions.put(c, made, self._zone, self._made_with))

    # ------------------------------------------------------------------------------------------------------- watch

    def mark_dirty(self, koc_ids: Iterable[str] | None = None) -> None:
        """Have these KOCs replayed for every brand; None: all of the roster."""
        ids = None if koc_ids is None else list(koc_ids)
        self._database.write(lambda c: dirty.mark_kocs(c, ids))

    def count_dirty(self) -> int:
        """How many marks there are; 0 means that alerts and states are what the posts say."""
        return self._database.read(dirty.count)

    @contextmanager
    def watching(self, *, brands: Sequence[str], limit: int = 200) -> Iterator[Watch | None]:
        """Dirty KOCs under a lock, and all their replay needs; None when there is none left. In one transaction with what
        is recorded their marks are cleared; an exception leaves everything as it was.

        On SQLite nobody else can write meanwhile, this process neither. On PostgreSQL others watch other KOCs. Raises
        SettingsChanged where another process has called `prepare` with something else."""
        self._database.read(lambda c: prepare.refuse_others(c, self._made_with))
        while True:
            if self._database.read(dirty.needs_spreading):
                self._database.write(lambda c: dirty.spread(c, brands, self._zone))
            if not self._database.read(dirty.count):
                yield None
                return
            with self._database.writing() as connection:
                if pairs := dirty.take(connection, limit):
                    watch = watching.load(connection, pairs)
                    yield watch
                    watching.write(connection, watch)
                    return

    def history(self, koc_id: str, brand: str, *, as_of: datetime | None = None) -> History:
        """One KOC's mentions of a brand; as_of: those that were stored and posted until then."""
        return self._database.read(lambda c: histories.load(c, [(koc_id, brand)], _at(as_of))[0])

    def histories(self, pairs: Sequence[tuple[str, str]], *, as_of: datetime | None = None) -> list[History]:
        """The history of each (KOC, brand), in the order given; as_of: see `history`."""
        return self._database.read(lambda c: histories.load(c, pairs, _at(as_of)))

    def moods(self, brand: str, *, as_of: datetime | None = None) -> list[MoodDay]:
        """The brand's mood day by day; as_of: of what was stored and posted until then."""
        if as_of is None:
            return self._database.read(lambda c: moods.load(c, [brand])[brand])
        return self._database.read(lambda c: moods.count(c, brand, us(as_of)))

    def public_moods(self, brand: str, *, as_of: datetime | None = None) -> list[MoodDay]:
        """The same of the public alone: of everybody whose account is not on the roster."""
        return self._database.read(lambda c: shifts.public_moods(c, brand, _at(as_of)))

    def calibration(self, brand: str, *, at: datetime | None = None) -> Calibration | None:
        """The calibration in effect then: the brand's own, else that for every brand, else None. at: None is when posts were
        last stored, as for a watch."""
        return self._database.read(lambda c: histories.load_calibrations(c, [brand], _at(at)).get(brand))

    def save_calibration(self, calibration: Calibration) -> None:
        self._database.write(lambda c: histories.save_calibration(c, calibration))

    def record_calibration(self, run: CalibrationRun, new: Calibration | None) -> None:
        """Write a try to calibrate; new: what it made, saved in the same transaction. Whom it judges is marked dirty."""
        self._database.write(lambda c: calibrations.record(c, run, new))

    def calibrations(self, brand: str | None = None) -> list[Calibration]:
        """Every calibration there is, in effect or not, by (brand, effective_at)."""
        return self._database.read(lambda c: calibrations.load(c, brand))

    def calibration_runs(self, brand: str) -> list[CalibrationRun]:
        """Every try to calibrate a brand, oldest first."""
        return self._database.read(lambda c: calibrations.load_runs(c, brand))

    def data_time(self) -> datetime | None:
        """When posts were last stored; None where there is none."""
        at = self._database.read(dirty.data_time)
        return when(at) if at else None

    def states(self, brand: str | None = None) -> list[DriftState]:
        """Where each KOC stands with each brand, in key order."""
        return self._database.read(lambda c: watching.load_states(c, brand))

    def drifts(self, *, koc: str | None = None, brand: str | None = None) -> list[Drift]:
        """The drifts found by the last replays."""
        return self._database.read(lambda c: watching.load_drifts(c, koc, brand))

    # ------------------------------------------------------------------------------------------------------ roster

    def save_kocs(
        self,
        new: Sequence[Koc],
        *,
        by: By | None = None,
        entries: Sequence[LogEntry] = (),
        nomination: Nomination | None = None,
    ) -> None:
        """Add or replace KOCs. Stored posts of their accounts are theirs at once; who changes is marked dirty.

        by: who does it, under whose name what changes is noted for good; None for upkeep that changes nothing anybody wrote.
        entries, nomination: what led to it, written in the same transaction."""

        def work(connection: Connection) -> None:
            roster.save(connection, new, by)
            write_log(connection, entries)
            if nomination:
                write_nomination(connection, nomination)

        self._database.write(work)

    def remove_kocs(self, koc_ids: Iterable[str], *, by: By | None = None) -> None:
        """Take KOCs off the roster; the next watch takes their alerts back. by: as in `save_kocs`."""
        ids = list(koc_ids)
        self._database.write(lambda c: roster.remove(c, ids, by))

    def koc_changes(self, koc: str | None = None) -> list[KocChange]:
        """Every change of the roster that somebody made, oldest first."""
        return self._database.read(lambda c: roster.load_changes(c, koc))

    def kocs(self) -> list[Koc]:
        return list(self._database.read(roster.load).values())

    def kocs_without_other_keys(self) -> list[Koc]:
        """Those with an account that an older version wrote, without the keys of what other tools hash."""
        return list(self._database.read(lambda c: roster.load(c, roster.without_other_keys(c))).values())

    def mark_koc(self, mark: KocMark) -> KocMark:
        """Write what the team says of a KOC; returns it with its key, or the same mark if it stands already."""
        return self._database.write(lambda c: koc_marks.add(c, mark))

    def take_back_mark(self, key: str, *, who: str, at: datetime, note: str = "") -> KocMark:
        """End a mark; the row stays. Raises StoreError where no such mark stands."""
        return self._database.write(lambda c: koc_marks.take_back(c, key, who, at, note))

    def koc_marks(self, *, koc: str | None = None, brand: str | None = None, history: bool = False) -> list[KocMark]:
        """The marks that stand, by KOC and time; with ``history`` those taken back too."""
        return self._database.read(lambda c: koc_marks.load(c, koc, brand, history=history))

    # -------------------------------------------------------------------------------------- alert, deliver, respond

    def alerts(self, *, history: bool = False, brand: str | None = None, koc: str | None = None) -> list[StoredAlert]:
        """The current alerts ordered by (fired_at, key); with ``history`` the superseded too."""
        where = [] if history else [tables.alerts.c.state == "current"]
        if brand is not None:
            where.append(tables.alerts.c.brand == brand)
        if koc is not None:
            where.append(tables.alerts.c.koc_id == koc)
        return self._database.read(lambda c: outbox.load_alerts(c, where))

    def alerts_of(self, keys: Iterable[str]) -> dict[str, StoredAlert]:
        """The alerts of these keys, also those that were superseded; of a key that no alert has, none."""
        wanted = list(keys)
        return self._database.read(lambda c: outbox.alerts_by_key(c, wanted))

    def deliveries(self, state: DeliveryState | None = None) -> list[Delivery]:
        """Deliveries ordered by (created_at, key)."""
        return self._database.read(lambda c: outbox.deliveries_in(c, state))

    def claim_due(self, now: datetime, *, lease: timedelta, limit: int = 500) -> list[tuple[Delivery, StoredAlert]]:
        """Deliveries to send now, claimed until now + lease, with one attempt more; no other process gets them till then."""
        return self._database.write(lambda c: outbox.claim_due(c, us(now), us(now + lease), limit))

    def settle(self, deliveries: Sequence[Delivery], at: datetime | None = None) -> None:
        """Write how claimed deliveries went. One that was not tried is given back with an attempt less, its claim named. at:
        when those were held back that are; None notes none of them."""
        self._database.write(lambda c: outbox.settle(c, deliveries, us_or_none(at)))

    def acknowledge(self, alert_keys: Iterable[str], who: str, at: datetime, note: str = "") -> list[str]:
        """Note who took these alerts on (接手); returns the keys of those nobody had. StoreError for an unknown key."""
        keys = list(alert_keys)
        return self._database.write(lambda c: policies.acknowledge(c, keys, who, at, note))

    def acknowledgements(self, alert_keys: Iterable[str] | None = None) -> dict[str, Acknowledgement]:
        """Who took alerts on, by alert; None: all of them."""
        keys = None if alert_keys is None else list(alert_keys)
        return self._database.read(lambda c: policies.load_acknowledgements(c, keys))

    def mute(self, new: Mute) -> Mute:
        """Write a mute; returns it with its key."""
        return self._database.write(lambda c: policies.mute(c, new))

    def unmute(self, key: str, *, who: str, at: datetime) -> Mute:
        """End a mute now; what it held back is looked at again. StoreError where none of that key stands."""
        return self._database.write(lambda c: policies.unmute(c, key, who, at))

    def mutes(self) -> list[Mute]:
        """Every mute there ever was, in order of time."""
        return self._database.read(policies.load_mutes)

    def holds(self, delivery_keys: Iterable[str]) -> list[Hold]:
        """What was held back of these deliveries, when and why, oldest first."""
        keys = list(delivery_keys)
        return self._database.read(lambda c: policies.load_holds(c, keys))

    def release_held(self, at: datetime) -> int:
        """Let everything that is held back be looked at again now, as after a change of settings. Returns how many."""
        return self._database.write(lambda c: policies.release(c, us(at)))

    def sent_since(self, since: datetime) -> list[Sent]:
        """Deliveries that were received since then, oldest first."""
        return self._database.read(lambda c: policies.load_sent(c, us(since)))

    def unanswered(self, since: datetime) -> list[StoredAlert]:
        """Current alerts, fired since then, that nobody has taken on."""
        return self._database.read(lambda c: policies.unanswered(c, us(since)))

    def owe(self, decide: policies.Owed, since: datetime) -> int:
        """Add the deliveries that ``decide`` finds owed for current alerts, fired since then, that nobody has taken on. Returns
        how many are new."""
        return self._database.write(lambda c: policies.owe(c, decide, us(since)))

    def remind(self, decide: outbox.Decide, at: datetime) -> Reminders:
        """Write what ``decide`` makes of all operational alerts ever made, with their deliveries by alert, and return it.
        ``decide`` may be called again after a deadlock."""
        return self._database.write(lambda c: outbox.remind(c, decide, us(at)))

    def decide_anew(self, decided_with: str, now: datetime) -> bool:
        """Say by what settings deliveries are held back. Where they differ from before, what is held is looked at again at
        once; returns whether they do."""
        if self._database.read(lambda c: outbox.is_decided(c, decided_with)):
            return False
        return self._database.write(lambda c: outbox.decide_anew(c, decided_with, us(now)))

    def retry_dead(self, keys: Iterable[str] | None = None) -> int:
        """Try deliveries again that were given up; None: all. Returns how many."""
        some = None if keys is None else list(keys)
        return self._database.write(lambda c: outbox.retry_dead(c, some))

    def take_slots(self, channel: str, limits: Sequence[channel_states.Limit], n: int, now: datetime) -> timedelta:
        """Room for ``n`` messages through a channel, among all processes: nothing to wait, or how long until there is room."""
        wait = self._database.write(lambda c: channel_states.take_slots(c, channel, limits, n, us(now)))
        return timedelta(microseconds=wait)

    def channel_failed(
        self,
        channel: str,
        error: str,
        now: datetime,
        pause: Callable[[int], timedelta | None],
        asked: timedelta | None = None,
    ) -> ChannelState:
        """Note that a channel took nothing: it rests for ``pause(failures in a row)``, or as long as it ``asked``."""
        return self._database.write(lambda c: channel_states.failed(c, channel, error, us(now), pause, asked))

    def channel_answered(self, channel: str, now: datetime) -> None:
        """Note that a channel took a message."""
        self._database.write(lambda c: channel_states.answered(c, channel, us(now)))

    def unsent(self) -> dict[str, Unsent]:
        """What the channels owe since they last took a message, by name; those that owe nothing are left out."""
        return self._database.read(unsent.by_channel)

    def owing_channels(self) -> set[str]:
        """Names of channels that have deliveries which nobody received: waiting, or given up."""
        return self._database.read(unsent.owing)

    def channel_states(self) -> dict[str, ChannelState]:
        """How the channels do that were ever used, by name."""
        return self._database.read(channel_states.load)

    def cases(self, *, brand: str | None = None, koc: str | None = None, state: str | None = None) -> list[Case]:
        """Cases in key order."""
        given = {tables.cases.c.brand: brand, tables.cases.c.koc_id: koc, tables.cases.c.state: state}
        where = [column == value for column, value in given.items() if value is not None]
        return self._database.read(lambda c: cases.load(c, where))

    def steps(self, case_key: str) -> list[CaseStep]:
        """A case's log, oldest first."""
        return self._database.read(lambda c: cases.load_steps(c, [case_key])).get(case_key, [])

    def logs(self, case_keys: Sequence[str] | None = None) -> dict[str, list[CaseStep]]:
        """The logs of these cases (None: of all), each oldest first."""
        return self._database.read(lambda c: cases.load_steps(c, case_keys))

    def save_case(self, case: Case, steps: Sequence[CaseStep] = (), *, was: Case | None) -> None:
        """Write what somebody did with a case. was: the case as they saw it; StoreError if it is not so any more."""
        self.act([CaseAct(case, tuple(steps), was)])

    def act(self, acts: Sequence[CaseAct], marks: Sequence[KocMark] = (), *, taken_by: str = "") -> list[KocMark]:
        """Write what somebody did with cases, and what they found out of KOCs by it, in one transaction; StoreError, and
        nothing is written, where a case is not as they saw it. Returns the marks that stand. taken_by: who takes the cases'
        alerts on by it, "" nobody."""

        def work(connection: Connection) -> list[KocMark]:
            cases.act(connection, acts)
            for one in acts if taken_by else ():
                kept = policies.known_of(connection, one.case.alerts)
                policies.acknowledge(connection, kept, taken_by, one.steps[-1].at, one.case.key)
            return [koc_marks.add(connection, mark) for mark in marks]

        return self._database.write(work)

    def log_hashes(self, case_keys: Sequence[str] | None = None) -> list[str]:
        """The hash of every entry of the logs of cases (None: of all), in the order in which they were written."""
        return self._database.read(lambda c: cases.hashes(c, case_keys))

    def audit(self, case_keys: Sequence[str] | None = None) -> list[CaseAudit]:
        """Whether the logs of cases (None: of all) are as they were written, in key order."""
        return self._database.read(lambda c: cases.audit(c, case_keys))

    # -------------------------------------------------------------------------------------------------------- look

    def posts_of(self, keys: Iterable[PostKey]) -> dict[PostKey, PostView]:
        """The stored ones of these posts, in key order."""
        wanted = list(keys)
        return self._database.read(lambda c: views.load(c, wanted))

    def posts_at(self, link: str) -> list[PostKey]:
        """The stored posts of a link, or of ``platform:id``, in key order."""
        return self._database.read(lambda c: views.at_link(c, link))

    def mentions_of(self, keys: Iterable[PostKey], brand: str, rival: str | None = None) -> dict[PostKey, Mention]:
        """What these posts say of a brand of ours; rival: of this rival of it instead."""
        wanted = list(keys)
        return self._database.read(lambda c: histories.mentions_of(c, wanted, brand, rival))

    def said(self, keys: Iterable[PostKey], brand: str) -> list[KocMention]:
        """These posts with what they say of a brand of ours, whoever wrote them, in order of time."""
        wanted = list(keys)
        return self._database.read(lambda c: shifts.said(c, wanted, brand))

    def counts_of(self, key: PostKey) -> list[tuple[datetime, Counts]]:
        """A post's counters as they were seen, oldest first."""
        return self._database.read(lambda c: views.counts_of(c, key))

    def raw_of(self, key: PostKey) -> bytes | None:
        """A post's record as first seen, zlib-compressed; None past its horizon."""
        return self._database.read(lambda c: views.raw_of(c, key))

    def counts(self) -> dict[str, int]:
        """How much of everything there is: posts, mentions, kocs, …, deliveries.pending, cases.open, stale, dirty."""
        figures = self._database.read(views.counts)
        return figures | {"stale": self.count_stale(), "dirty": self.count_dirty()}

    # ------------------------------------------------------------------------------------------------------ crawls

    def log_import(self, done: Imported) -> None:
        """Note on what ground a group's chat was imported. What is noted stays."""
        self._database.write(lambda c: crawls.log_import(c, done))

    def imports(self) -> list[Imported]:
        """The chats that were imported, in order of time."""
        return self._database.read(crawls.imported)

    def start_crawl(self, crawl: Crawl) -> None:
        self._database.write(lambda c: crawls.start(c, crawl))

    def end_crawl(self, crawl: Crawl) -> None:
        """Write how a crawl ended and what it covered."""
        self._database.write(lambda c: crawls.end(c, crawl))

    def cut_crawls(self, at: datetime) -> int:
        """Crawls still ``running`` were cut by a killed process; call it holding the lease of crawling. Returns how many."""
        return self._database.write(lambda c: crawls.cut_running(c, us(at)))

    def crawls(self, source: str | None = None, *, last: bool = True, since: datetime | None = None) -> list[Crawl]:
        """Crawls by (source, started_at): the last of each source; with ``last=False`` also the last that ended and the last
        that was done, all that coverage is judged by. since: besides, all that started then or later."""
        return self._database.read(lambda c: crawls.load(c, source, last=last, since=_at(since)))

    def marks(self, source: str) -> dict[str, Mark]:
        """Where the next crawl of a source goes on, by subject."""
        return self._database.read(lambda c: crawls.load_marks(c, source))

    def posts_by_day(self, since: datetime, offset: timedelta) -> dict[str, dict[int, int]]:
        """How many posts (no comments) of each source were posted on which day since then. Days are counted from 1970-01-01 in
        a zone so far ahead of UTC."""
        return self._database.read(lambda c: crawls.posts_by_day(c, us(since), offset // timedelta(microseconds=1)))

    def heard(self) -> list[Heard]:
        """Each account of the roster, in key order, and when it was last heard; None: nobody listened to it yet."""
        return self._database.read(crawls.heard_accounts)

    def take_turn(self, host: str, delay: timedelta, now: datetime) -> tuple[Host, timedelta]:
        """The next request's turn at a host, among all processes: the host as it stands, and how long to wait."""
        found, wait = self._database.write(lambda c: hosts.take_turn(c, host, delay, us(now)))
        return found, timedelta(microseconds=wait)

    def server_time(self) -> datetime | None:
        """The database server's own clock, which all that share it can go by; None for a file, which has none."""
        return self._database.read(hosts.server_time)

    def host_refused(self, host: str, source: str, reason: str, now: datetime, pause: Callable[[int], timedelta]) -> Host:
        """Note that a host refused us; nobody asks it again for ``pause(refusals in a row)``."""
        return self._database.write(lambda c: hosts.refused(c, host, source, reason, us(now), pause))

    def host_answered(self, host: str, since: datetime | None = None) -> None:
        """Note that a host answers as it should, in a crawl that began ``since`` then: a refusal that came later stands."""
        self._database.write(lambda c: hosts.answered(c, host, us_or_none(since)))

    def answers_to(self, koc: str, brand: str, *, as_of: datetime | None = None) -> list[Reply]:
        """What others wrote of a brand under a KOC's posts, in order of time."""
        return self._database.read(lambda c: ties.answers_to(c, koc, brand, _at(as_of)))

    def watched(self, source: str, since: datetime) -> list[Watched]:
        """Posts and reposts of a source that were posted since then, newest first, as revisits are planned by."""
        return self._database.read(lambda c: looks.watched(c, source, us(since)))

    def note_gone(self, keys: Iterable[PostKey], at: datetime) -> int:
        """Note that these posts were looked for and were not there any more; returns how many are stored."""
        wanted = list(keys)
        return self._database.write(lambda c: looks.note_gone(c, wanted, us(at)))

    def note_failed_looks(self, keys: Iterable[PostKey], since: datetime, at: datetime) -> int:
        """Note that these posts were to be looked at since then, and which of them were neither seen nor found to be gone;
        returns how many."""
        wanted = list(keys)
        return self._database.write(lambda c: looks.note_failed(c, wanted, us(since), us(at)))

    def gone(self, keys: Iterable[PostKey]) -> dict[PostKey, datetime]:
        """When posts were found to be gone; those that are there, or never were looked for, are left out."""
        wanted = list(keys)
        return self._database.read(lambda c: looks.gone(c, wanted))

    def refusing_hosts(self) -> list[Host]:
        """Hosts that refused us the last time that they were asked."""
        return self._database.read(hosts.load)

    # ------------------------------------------------------------------------------------------------------ upkeep

    def take_lease(self, name: str, holder: str, now: datetime, ttl: timedelta) -> bool:
        """Take or renew a lease until now + ttl; False while another holder has it."""
        return self._database.write(lambda c: leases.take(c, Lease(name, holder, now + ttl), us(now)))

    def drop_lease(self, name: str, holder: str) -> None:
        self._database.write(lambda c: leases.drop(c, name, holder))

    def lease(self, name: str) -> Lease | None:
        """Who holds a lease, run out or not."""
        return self._database.read(lambda c: leases.load(c, name))

    def purge(self, now: datetime, *, raw_days_strangers: int, raw_days_kocs: int, text_days: int) -> Purged:
        """Take away what is past its horizon, counted from when it was stored, in small transactions; and crawls older than
        `CRAWL_DAYS`, but those that coverage is judged by."""
        raws = 0
        for days, kocs in ((raw_days_strangers, False), (raw_days_kocs, True)):
            before = us(now - timedelta(days=days))
            raws += self._in_pages(
                partial(retention.due_raws, before=before, kocs=kocs), partial(retention.purge_raws, kocs=kocs)
            )
        before = us(now - timedelta(days=text_days))
        texts = self._in_pages(partial(retention.due_texts, before=before), retention.purge_texts)
        crawls_before = us(now - timedelta(days=CRAWL_DAYS))
        return Purged(raws, texts, self._database.write(lambda c: crawls.prune(c, crawls_before)))

    def _in_pages(self, due: Callable[..., list[int]], work: Callable[..., int]) -> int:
        """Do the work on the rows that are due, page by page. Returns what was done."""
        total, rows = 0, [0]
        while rows := self._database.read(partial(due, after=rows[-1], limit=PURGE_BATCH)):
            total += self._database.write(partial(work, rows=rows))
        return total


def _at(as_of: datetime | None) -> int | None:
    return None if as_of is None else us(as_of)
