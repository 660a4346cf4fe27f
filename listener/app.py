"""The one wiring place: settings → store, scorer, channels, desk. Beside the command line nobody else reads settings."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from functools import cached_property, partial
from itertools import chain, repeat
from pathlib import Path
from types import TracebackType
from typing import TypeAlias
from zoneinfo import ZoneInfo

from config import settings as config
from listener import engines, mentions, normalize, pipeline, quarantine
from listener.accounts import platform_named, resolve_link
from listener.cases.clocks import Target, Targets
from listener.channels.door import Channel, ChannelError
from listener.crawling import Part, collect_many
from listener.dispatching import directory_of, hours_of, ladder_of, policy_of, settled_by
from listener.drift.rules import Rule
from listener.engines import Dask, Processes, Reach, executor_of, public_reach, store_of
from listener.relations.promises import Reminding
from listener.relations.standing import Standing, standing_of
from listener.roster import RosterPreview, read_roster
from listener.signals.crowds import found_with
from listener.signals.sources import Expected
from listener.text.relations import facts_of
from listener.text.views import AlertView, view_of
from listener.upkeep import expire_files, put_away_of
from listener.wiring import channel_of
from listener.working_days import Hours
from nlp import score as scorer
from nlp.results import Request, Score, ScoreError
from spiders.collect import CollectError, CollectJob, collect
from spiders.exports.mapped import mapped
from spiders.exports.read import Export, Tally, export_named, read_export
from spiders.files import BadLine, read_items
from spiders.items import Item, hashed_id
from storage.records import (
    Account,
    Brand,
    Calibration,
    Crawl,
    History,
    MoodDay,
    Purged,
    Rival,
    SettingsChanged,
    StoredAlert,
    Verdict,
)
from storage.store import Store

log = logging.getLogger(__name__)

CHUNK = 500  # requests that one worker takes at a time
KOCS = 250  # KOCs that one worker replays at a time; fewer than that are not worth a process
WATCHED, MANY_WATCHED = 200, 4000  # KOCs that one transaction replays: in this process alone, and by several
Pair: TypeAlias = tuple[str, str]  # KOC, brand
IMPORT = "import"  # the source of what was imported without naming one


def _author_in(platform: str, url: str) -> str:
    """The account in the address of a profile, where it is one of that platform."""
    found = resolve_link(url) if url else None
    return found.account_id if found and found.platform == platform else ""


def _nothing(step: str, done: int, total: int | None) -> None:
    """Report to nobody."""


class App:
    """A workspace that is open: its settings, and what they are wired to, each made when first asked for."""

    def __init__(self, settings: config.Settings, path: Path, environ: Mapping[str, str]) -> None:
        self.settings, self.path, self._environ = settings, path, environ
        self.folder = path.parent
        self.timezone = settings.listener.timezone
        self._stop = threading.Event()
        self._open_things = ExitStack()
        self._refreshing = threading.Lock()
        self._unable: set[str] = set()  # sources whose spiders read no single posts
        self._read_at = _changed_at(path)

    @classmethod
    def open(cls, path: Path, environ: Mapping[str, str]) -> App:
        """The workspace of a settings file; raises ConfigError, StoreError."""
        engines.collect_seldom()
        return cls(config.load(path, environ), path.absolute(), environ)

    def __enter__(self) -> App:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._open_things.close()

    # ------------------------------------------------------------------------------------------------------ wired

    @cached_property
    def store(self) -> Store:
        """The database of the workspace."""
        store = Store.open(self.settings.listener.database, timezone=self.timezone)
        return self._open_things.enter_context(store)

    @cached_property
    def brands(self) -> tuple[Brand, ...]:
        """What we listen for."""
        return brands_of(self.settings)

    @cached_property
    def key(self) -> bytes:
        """What author ids are hashed with, from the workspace's 0600 file."""
        return config.read_key(self.settings)

    @cached_property
    def finder(self) -> mentions.Finder:
        """Finds the brands in posts."""
        about = {source.name: source.about for source in self.settings.sources if source.about}
        owners: list[Brand | Rival] = [*self.brands, *(rival for brand in self.brands for rival in brand.rivals)]
        names = [name for owner in owners for name in mentions.at_names_of(owner)]
        unmask = {normalize.at_token(self.key, name): name for name in names}
        own = {
            author_key: brand.name
            for brand in self.brands
            for platform, account in brand.accounts
            for author_key in normalize.author_keys_of(self.key, platform, account)
        }
        return mentions.finder_of(self.brands, about, unmask, own)

    @property
    def media(self) -> dict[str, frozenset[str]]:
        """Author keys of the accounts of each brand's media list."""
        return {
            brand.name: frozenset(key for one in brand.media for key in normalize.author_keys_of(self.key, *one))
            for brand in self.settings.brands
        }

    def channel(self, name: str) -> Channel | None:
        """A channel by name, None where there is none. ChannelError, to be tried again, where it is switched off, its secret
        can't be read, or its settings make no channel."""
        found = next((one for one in self.settings.channels if one.name == name), None)
        if found is not None and not found.enabled:
            raise ChannelError(f"渠道 {name} 已停用 / channel {name!r} is switched off")
        try:
            return None if found is None else self._channel_of(found)
        except (config.ConfigError, ValueError) as error:
            raise ChannelError(str(error)) from error

    def known_channel(self, name: str) -> Channel:
        """A channel by name, switched on or not; ConfigError, which names those that there are, for any other."""
        found = next((one for one in self.settings.channels if one.name == name), None)
        if found is None:
            known = ", ".join(one.name for one in self.settings.channels) or "–"
            problem = f"没有名为 {name!r} 的渠道；现有：{known} / unknown channel {name!r}; there are: {known}"
            raise config.ConfigError([config.Problem(None, "channels", problem)])
        return self._channel_of(found)

    def _channel_of(self, one: config.Channel) -> Channel:
        own = self.settings.listener
        return channel_of(
            one,
            language=own.language,
            timezone=own.timezone,
            templates=own.templates,
            people=[person.name for person in self.settings.people if one.name in person.channels],
            take_slots=lambda *asked: self.store.take_slots(*asked),
            key=self.key,
        )

    def rule(self) -> Rule:
        """What the detector promises."""
        rules = self.settings.rules
        return Rule(
            timezone=self.timezone,
            false_alarms_red=rules.false_alarms_red,
            false_alarms_amber=rules.false_alarms_amber,
            expected_turn_rate=rules.expected_turn_rate,
            min_mentions=rules.min_mentions,
            first_negatives=rules.first_negatives,
            silent_days=rules.silent_days,
            storms=rules.storms,
            spreads=rules.spreads,
            contagions=rules.contagions,
        )

    def now(self) -> datetime:
        """The clock."""
        return datetime.now(UTC)

    def holder(self) -> str:
        """Who this process is, for the lease of `listener run`."""
        return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"

    def stop_on(self, stop: threading.Event) -> None:
        """Let an event end what runs, between two units of work."""
        self._stop = stop

    @contextmanager
    def desk(
        self,
        report: pipeline.Report = _nothing,
        *,
        batch_size: int | None = None,
        workers: int | None = None,
    ) -> Iterator[pipeline.Desk]:
        """What the steps work with."""
        with nullcontext(self.executor) if workers is None else executor_of(workers) as executor:
            yield pipeline.Desk(
                store=self.store,
                brands=self.brands,
                finder=self.finder,
                key=self.key,
                rule=self.rule(),
                media=self.media,
                sources=tuple(
                    Expected(one.name, one.platform, one.every, one.about) for one in self.settings.sources if one.enabled
                ),
                channels=tuple(one.name for one in self.settings.channels if one.enabled),
                channel=self.channel,
                score=partial(
                    score_many, executor, model=self.settings.engine.model, embeddings=self.settings.engine.embeddings
                ),
                replay=partial(replay_many, executor, self.reach),
                collect=self._collect,
                watch_size=WATCHED if executor is None else MANY_WATCHED,
                now=self.now,
                view=self.view_of,
                batch_size=batch_size or self.settings.engine.batch_size,
                policy=policy_of(self.settings),
                directory=directory_of(self.settings),
                ladder=ladder_of(self.settings),
                reminding=self.reminding(),
                targets=self.case_targets(),
                stopping=self._stop.is_set,
                report=report,
            )

    @cached_property
    def executor(self) -> Executor | None:
        """The workers of the scorer and the detector, kept while the workspace is open; None: this process does it alone."""
        return self.dask or self._open_things.enter_context(executor_of(self.settings.engine.workers))

    @cached_property
    def dask(self) -> Dask | None:
        """The Dask cluster of the settings, connected when first used."""
        address = self.settings.engine.dask
        return self._open_things.enter_context(Dask(address)) if address else None

    @property
    def reach(self) -> Reach:
        """How workers reach the database."""
        url = self.settings.listener.database
        return Reach(url, self.timezone) if self.dask is None else public_reach(url, self.timezone)

    @property
    def _collect(self) -> pipeline.CollectMany:
        """What reads sources: this process, several of this machine, or Dask workers."""
        workers = self.settings.engine.crawl_workers
        if self.dask is not None:
            return partial(collect_many, crew_of=self._dask_crew, reach=self.reach, seal=self.sealed, alone=False)
        if workers > 1:
            return partial(collect_many, crew_of=lambda hosts: Processes(min(workers, hosts)), reach=self.reach)
        return collect

    def _dask_crew(self, hosts: int) -> AbstractContextManager[Dask]:
        assert self.dask is not None
        return nullcontext(self.dask)  # it stays connected after one crawl

    def sealed(self, job: CollectJob) -> Part:
        """What travels of a job to workers of other machines: where its secrets are found there, not the secrets themselves.
        CollectError for one that stands in the settings."""
        source = next(one for one in self.settings.sources if one.name == job.source)
        options, places = config.sealed(source.options, ("options",))
        if source.proxy:
            places["proxy",] = source.proxy.place
        if named := next((path for path, place in places.items() if not place), None):
            name = ".".join(named)
            words = f"来源 {source.name} 的 {name} 不会发给 Dask worker：用 {name}_env 或 {name}_file 写"
            raise CollectError(
                f"{words} / a secret is not sent to workers: write {name}_env or {name}_file, provide it there too"
            )
        return Part(replace(job, options=options, proxy=""), places, engines.program())

    # ------------------------------------------------------------------------------------------------------- work

    def refresh(self) -> bool:
        """Read the settings again if their file has changed, as a `listener brand import` beside a `listener run` does it. The
        sources and their times stay those that the run began with. Returns whether there was something new."""
        with self._refreshing:
            changed_at = _changed_at(self.path)
            if changed_at == self._read_at:
                return False
            self._read_at = changed_at
            try:
                self.settings = config.load(self.path, self._environ)
            except config.ConfigError as error:
                log.error("listener.toml 有错，沿用先前的设置 / has mistakes, the settings from before stay: %s", error)
                return False
            log.info("已重新读取 listener.toml；新来源与新时间要重启后生效 / settings read again; new sources need a restart")
            for name in ("brands", "key", "finder"):
                self.__dict__.pop(name, None)
            self.prepare()
            self.store.release_held(self.now())  # by other hours and routes it may be due
            return True

    def prepare(self) -> int:
        """See that mentions are made for these brands, by this model; returns how many posts wait for theirs."""
        self._complete_keys()
        about = {source.name: source.about for source in self.settings.sources if source.about}
        before, model = self.store.made_with().get("model"), self.model_version()
        left = self.store.prepare(mentions.brands_fingerprint(self.brands, about), model)
        self.store.prepare_crowds(found_with(self.rule().storms, self.rule().spreads, self.media))
        if left and before not in (None, model):
            words = "评分模型已换（%s → %s），%d 条将重新评分；listener rescore 可看进度 / the scorer changed: run it"
            log.warning(words, before, model, left)
        return left

    def model_version(self) -> str:
        """The version of the scorer that this workspace scores with."""
        return scorer.loaded(self.settings.engine.model, self.settings.engine.embeddings).version

    def _complete_keys(self) -> None:
        """Give accounts that an older version wrote the keys of what other tools hash."""
        lacking = self.store.kocs_without_other_keys()
        self.store.save_kocs([replace(koc, accounts=tuple(map(self._with_keys, koc.accounts))) for koc in lacking])

    def _with_keys(self, account: Account) -> Account:
        _, *others = normalize.author_keys_of(self.key, account.platform, account.account_id)
        return replace(account, other_keys=tuple(others))

    def catch_up(self, report: pipeline.Report = _nothing) -> tuple[int, int]:
        """Make what lacks, replay who is dirty; returns how many posts and KOCs."""
        self.prepare()
        with self.desk(report) as desk:
            return pipeline.score(desk), pipeline.watch(desk)

    def read_roster(self, file: Path) -> RosterPreview:
        """What importing a roster file would do; writes nothing."""
        keys_of = partial(normalize.author_keys_of, self.key)
        return read_roster(file, self.store.kocs(), keys_of, self.store.privacy.kept_out)

    def import_file(
        self,
        file: Path,
        source: str = IMPORT,
        report: pipeline.Report = _nothing,
        *,
        batch_size: int | None = None,
        workers: int | None = None,
        export: Export | None = None,
        bad: Callable[[BadLine], None] = lambda line: None,
        met: set[str] | None = None,
        tally: Tally | None = None,
    ) -> tuple[pipeline.Listened, Path | None]:
        """Import a file (`-` is stdin); returns the sums, and where bad lines were set aside if there were any.

        export: the tool that wrote it, None: our own JSON Lines. bad: told each bad line as well. met: gets the ids of the KOCs
        who wrote something in it. tally: counts the rows of an export.
        """
        items = read_items(file) if export is None else self._exported(file, export, tally)
        return self.import_items(items, file, source, report, batch_size=batch_size, workers=workers, bad=bad, met=met)

    def import_items(
        self,
        items: Iterable[Item | BadLine],
        file: Path,
        source: str,
        report: pipeline.Report,
        *,
        batch_size: int | None = None,
        workers: int | None = None,
        bad: Callable[[BadLine], None] = lambda line: None,
        met: set[str] | None = None,
    ) -> tuple[pipeline.Listened, Path | None]:
        """Import what was read of a file; see `import_file`."""
        self.prepare()
        with (
            self.desk(report, batch_size=batch_size, workers=workers) as desk,
            quarantine.opened(self.folder / "quarantine", file, self.now()) as aside,
        ):

            def reject(line: BadLine) -> None:
                aside.put(line)
                bad(line)

            done = pipeline.listen(items if met is None else self._noting(items, met), source, desk, reject)
        return done, aside.path if aside.count else None

    def _exported(self, file: Path, export: Export, tally: Tally | None) -> Iterator[Item | BadLine]:
        return read_export(file, export, platform_named=platform_named, author_in=_author_in, tally=tally)

    def export_named(self, name: str) -> Export:
        """The tool of that name, a mapping of the settings first; CollectError for any other."""
        own = {one.name: mapped(one.name, one.columns, one.platform, one.kind) for one in self.settings.exports}
        return export_named(name, own)

    def _noting(self, items: Iterable[Item | BadLine], met: set[str]) -> Iterator[Item | BadLine]:
        """The items, passed on; `met` gets the KOCs among their authors."""
        kocs = {
            (account.platform, author_id): koc.koc_id
            for koc in self.store.kocs()
            for account in koc.accounts
            for author_id in (account.account_id, hashed_id(account.account_id))
        }
        for item in items:
            if isinstance(item, Item) and (koc_id := kocs.get((item.platform, item.author_id))):
                met.add(koc_id)
            yield item

    def source_names(self) -> list[str]:
        """The sources that are crawled, in the order of the settings."""
        return [source.name for source in self.settings.sources if source.enabled]

    def job_of(self, name: str, since: datetime | None = None, until: datetime | None = None) -> CollectJob:
        """What the spider of a source is told, without its marks."""
        source = next((one for one in self.settings.sources if one.name == name), None)
        if source is None:
            known = ", ".join(one.name for one in self.settings.sources) or "–"
            problem = f"没有名为 {name!r} 的来源；现有：{known} / unknown source {name!r}; there are: {known}"
            raise config.ConfigError([config.Problem(None, "sources", problem)])
        if source.accounts == "roster":
            accounts = [a.account_id for koc in self.store.kocs() for a in koc.accounts if a.platform == source.platform]
        else:
            accounts = list(source.accounts)
        return CollectJob(
            platform=source.platform,
            source=source.name,
            queries=source.queries,
            accounts=tuple(dict.fromkeys(accounts)),
            urls=source.urls,
            posts=source.posts,
            options=config.revealed(source.options),
            since=since,
            until=until,
            comments=source.comments,
            overlap_hours=source.overlap_hours,
            delay_seconds=source.delay_seconds,
            timeout_seconds=source.timeout_seconds,
            retries=source.retries,
            max_pages=source.max_pages,
            max_comment_pages=source.max_comment_pages,
            user_agent=source.user_agent,
            contact=source.contact,
            base_url=source.base_url,
            timezone=self.timezone,
            pages_dir=str(self.folder / "pages"),
            proxy=source.proxy.reveal(),
        )

    def crawl(
        self,
        name: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        report: pipeline.Report = _nothing,
    ) -> Crawl:
        """Crawl a source once, from its marks on, or over a date range that leaves the marks as they are."""
        job = self.job_of(name, since, until)
        with self.desk(report) as desk:
            return pipeline.crawl(job, desk)

    def revisit(self, name: str, budget: int | None = None, report: pipeline.Report = _nothing) -> pipeline.Revisited:
        """Look again at posts of a source whose turn it is; budget: how many at most, None for the source's own."""
        job = self.job_of(name)
        limit = next(source.revisits for source in self.settings.sources if source.name == name) if budget is None else budget
        with self.desk(report) as desk:
            return pipeline.revisit(job, desk, limit)

    def look_again(self, name: str) -> None:
        """One scheduled look at a source's posts."""
        self.refresh()
        if name in self._unable:
            return
        done = self.revisit(name)
        if not done.is_able:
            self._unable.add(name)
        elif done.chosen:
            log.info("%s: 回访 / looked again at %d: %d seen, %d gone %s", name, done.chosen, done.seen, done.gone, done.error)

    def turn(self, name: str) -> None:
        """One turn of a scheduled source: crawl → score → watch."""
        self.refresh()
        try:
            crawled = self.crawl(name)
            with self.desk() as desk:
                pipeline.score(desk)
                watched = pipeline.watch(desk)
        except SettingsChanged:
            if not self.refresh():  # not by the file: another program's model or environment; this process can't go on
                raise
            log.info("%s: 设置在途中改变，下次继续 / the settings changed on the way, the next turn goes on", name)
            return
        log.info("%s: %s, %d 条 / items, %d KOC", name, crawled.outcome, crawled.items, watched)

    def deliver(self) -> pipeline.Delivered:
        """Send what is due. What was held back by settings that have changed since is looked at again."""
        self.refresh()
        self.store.decide_anew(settled_by(self.settings), self.now())
        with self.desk() as desk:
            done = pipeline.deliver(desk)
        if done != pipeline.Delivered():
            log.info("推送 / deliveries: %s", done)
        return done

    def reminding(self) -> Reminding:
        """When somebody is reminded of what was promised."""
        days, zone = self.settings.promises, ZoneInfo(self.timezone)
        hours = replace(hours_of(self.settings), holidays=days.holidays)
        return Reminding(
            zone,
            is_working=lambda day: hours.day_of(datetime.combine(day, time(12), zone)).is_worked,
            ahead=days.remind_days_before,
            long_after=days.remind_again_days_after,
        )

    def case_targets(self) -> Targets:
        """How soon cases are to be answered."""
        own = self.settings.cases
        begins, ends = own.working_hours
        return Targets(
            common=Target(own.found, own.answered, own.step),
            tiers={name: Target(one.found, one.answered, one.step) for name, one in own.tiers.items()},
            urgent=own.urgent,
            ahead=own.remind_ahead,
            hours=Hours(self.timezone, (ends, begins), own.holidays),
        )

    def remind(self) -> None:
        """Make the alerts of what is due or has stopped working, by the clock, and take away what is settled."""
        self.refresh()
        with self.desk() as desk:
            if made := pipeline.remind(desk):
                log.info("提醒 / reminders: %d", made)

    def upkeep(self) -> Purged:
        """What is done once a day, and after each import: what privacy rules allow no longer is removed, what lacks is made."""
        privacy, now = self.settings.privacy, self.now()
        gone = self.store.purge(
            now,
            raw_days_strangers=privacy.raw_days_strangers,
            raw_days_kocs=privacy.raw_days_kocs,
            text_days=privacy.text_days,
        )
        put_away = [folder for source in self.settings.sources for folder in put_away_of(self.folder, source.options)]
        files = expire_files(self.folder, now - timedelta(days=privacy.raw_days_strangers), put_away)
        log.debug("upkeep: %s, %d files", gone, files)
        return gone

    def daily(self) -> None:
        """The daily upkeep of `listener run`; what was left undone is done as well."""
        self.refresh()
        self.upkeep()
        self.catch_up()

    def standing_with(self, koc_id: str, as_of: datetime | None = None) -> Standing:
        """How things are between the team and a KOC: unmet promises, contacts; as_of: as far as it was known then."""
        cases = [(case, self.store.steps(case.key)) for case in self.store.cases(koc=koc_id)]
        entries = self.store.ledger.entries(koc=koc_id, kinds=["contact", "inquiry"])
        today = (as_of or self.now()).astimezone(ZoneInfo(self.timezone)).date()
        return standing_of(self.store.ledger.promises(koc=koc_id), entries, cases, today, as_of)

    def _beside(self, koc_id: str) -> tuple[tuple[str, str], ...]:
        """What an alert of a KOC says of promises and contacts."""
        found = self.standing_with(koc_id)
        contacts = found.contacts
        return facts_of(
            found.unmet,
            last_at=contacts.last_at,
            last_by=contacts.last_by,
            usual_reply=contacts.usual_reply,
            waiting_since=contacts.waiting_since,
            language=self.settings.listener.language,
            timezone=self.timezone,
        )

    def graded(self, found: Sequence[StoredAlert]) -> list[StoredAlert]:
        """Alerts with the severity that they have by now: the posts of some have spread since they were made."""
        with self.desk() as desk:
            ranks = pipeline.severities_by_now([one.alert for one in found], desk)
        return [replace(one, alert=replace(one.alert, severity=rank)) for one, rank in zip(found, ranks, strict=True)]

    def view_of(self, stored: StoredAlert) -> AlertView:
        """An alert with all it takes to be shown."""
        return self.views_of([stored])[0]

    def views_of(self, found: Sequence[StoredAlert]) -> list[AlertView]:
        """Alerts with all it takes to be shown, in their order; each KOC's history is read once."""
        kocs = {koc.koc_id: koc for koc in self.store.kocs()} if found else {}
        case_of = {key: case for case in self.store.cases() for key in case.alerts} if found else {}
        whose = {(one.alert.koc_id, one.alert.brand) for one in found}
        histories = {who: self.store.history(*who) for who in sorted(whose) if who[0]}
        beside = {koc_id: self._beside(koc_id) for koc_id in sorted({koc_id for koc_id, _ in whose if koc_id})}
        moods: dict[str, list[MoodDay]] = {}
        for brand in sorted({brand for koc_id, brand in whose if not koc_id}):  # of the whole brand: its posts are the public's
            quoted = [key for one in found if (one.alert.koc_id, one.alert.brand) == ("", brand) for key in one.alert.posts]
            histories["", brand] = History("", brand, tuple(self.store.said(quoted, brand)))
            moods[brand] = self.store.public_moods(brand)
        return [
            view_of(
                one,
                histories[one.alert.koc_id, one.alert.brand],
                koc=kocs.get(one.alert.koc_id),
                case=case_of.get(one.alert.key),
                language=self.settings.listener.language,
                timezone=self.timezone,
                case_url=self.settings.listener.case_url,
                moods=moods.get(one.alert.brand, ()) if not one.alert.koc_id else (),
                departments=self.settings.departments.by_cause,
                beside=beside.get(one.alert.koc_id, ()),
            )
            for one in found
        ]


def _changed_at(path: Path) -> tuple[int, int] | None:
    """When a file was last changed, and its size; None where it is gone."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size


def brands_of(settings: config.Settings) -> tuple[Brand, ...]:
    """The brands of the settings, as the steps know them."""
    return tuple(
        Brand(
            name=one.name,
            aliases=one.aliases,
            products=one.products,
            nicknames=one.nicknames,
            homophones=one.homophones,
            emoji=one.emoji,
            categories=one.categories,
            claims=one.claims,
            rivals=tuple(Rival(rival.name, rival.aliases, rival.products) for rival in one.rivals),
            accounts=one.accounts,
        )
        for one in settings.brands
    )


def score_many(
    executor: Executor | None, requests: Sequence[Request], *, model: Path | None = None, embeddings: bool = False
) -> list[Score]:
    """The scores of the requests, in order, by the executor or in this process: the same code, the same answers."""
    if executor is None:
        return scorer.score_batch(requests, model=model, embeddings=embeddings)
    chunks = [requests[start : start + CHUNK] for start in range(0, len(requests), CHUNK)]
    try:
        score = partial(scorer.score_batch, model=model, embeddings=embeddings)
        scores = list(chain.from_iterable(executor.map(score, chunks)))
    except engines.deaths() as error:
        words = "评分进程意外结束（内存不足？）；已收录的都在，再次运行会继续 / a scoring process died: run it again"
        raise ScoreError(f"{words} ({error})") from error
    ours = scorer.loaded(model, embeddings).version
    if others := {one.model for one in scores} - {ours}:
        words = (
            f"worker 上的评分模型是 {', '.join(sorted(others))}，这里是 {ours}：请装同一版本 / install the same version there"
        )
        raise ScoreError(words)
    return scores


def replay_many(
    executor: Executor | None,
    database: Reach | None,
    pairs: Sequence[Pair],
    read: Callable[[Sequence[Pair]], list[History]],
    moods: Sequence[MoodDay],
    calibration: Calibration,
    rule: Rule,
) -> list[Verdict]:
    """A verdict for each KOC of one brand, in order, by the executor or in this process: the same code, the same bytes.

    database: URL and time zone of the store, from which the workers read the histories themselves, half of the work; None
    where they can't reach it: then the histories travel."""
    if executor is None or len(pairs) <= KOCS:
        return pipeline.replay_here(pairs, read, moods, calibration, rule)
    chunks = [pairs[start : start + KOCS] for start in range(0, len(pairs), KOCS)]
    settled = (repeat(moods), repeat(calibration), repeat(rule))
    try:
        if database is None:
            return list(chain.from_iterable(executor.map(pipeline.verdicts_of, map(read, chunks), *settled)))
        return list(chain.from_iterable(executor.map(replay_stored, repeat(database), chunks, *settled)))
    except engines.deaths() as error:
        words = (
            "计算进程意外结束（内存不足？）；已写入的都在，再次运行会继续 / a worker died: run it again, it goes on from there"
        )
        raise ScoreError(words) from error


def replay_stored(
    database: Reach, pairs: Sequence[Pair], moods: Sequence[MoodDay], calibration: Calibration, rule: Rule
) -> list[Verdict]:
    """What a worker does: it reads the histories itself and writes nothing. The parent holds the KOCs' marks meanwhile, so that
    nobody can change what is read here before the verdicts are recorded."""
    return pipeline.verdicts_of(store_of(*database).histories(pairs), moods, calibration, rule)
