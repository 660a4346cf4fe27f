"""Which job runs when: every source at its own cron or interval, delivery, the daily upkeep. Jobs hold no logic.

One `listener run` a database: it holds a lease that it renews; another refuses, or waits, until the lease is free.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from types import FrameType

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from listener import inbox
from listener.app import App
from listener.calibrating import is_overdue, monthly
from listener.health import words_of
from listener.overview import health_by_source
from storage.records import SettingsChanged, StoreError
from storage.store import Store

log = logging.getLogger(__name__)

LEASE = "run"
LEASE_TTL = timedelta(seconds=60)  # after a crash the next `run` waits this long at most
LEASE_RENEWAL_SECONDS = 15.0


class BusyError(Exception):
    """Another `listener run` holds this database."""


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do again and again: its name, when, and what. `cron` has five fields in the workspace's time zone."""

    name: str
    what: Callable[[], object]
    every: timedelta | None = None
    cron: str | None = None
    at_start: bool = True


def jobs_of(app: App) -> list[Job]:
    """What `listener run` does, and when: every source's turn, deliveries, the daily upkeep, the monthly calibration."""
    turns = [
        Job(
            f"crawl:{source.name}",
            partial(inbox.turn, app, source.name) if inbox.is_folder(source) else partial(app.turn, source.name),
            every=source.every,
            cron=source.cron,
        )
        for source in app.settings.sources
        if source.enabled
    ]
    every = app.settings.schedule.revisit_every
    looks = [
        Job(f"revisit:{source.name}", partial(app.look_again, source.name), every=every, at_start=False)
        for source in app.settings.sources
        if source.enabled and source.revisits
    ]
    return [
        *turns,
        *looks,
        Job("deliver", app.deliver, every=app.settings.schedule.deliver_every),
        Job("remind", app.remind, every=app.settings.schedule.remind_every),
        Job("upkeep", app.daily, cron=app.settings.schedule.upkeep, at_start=False),
        Job("health", partial(tell_silent, app), cron=app.settings.schedule.upkeep),
        Job("calibrate", partial(monthly, app), cron=app.settings.schedule.calibrate, at_start=is_overdue(app)),
    ]


def tell_silent(app: App) -> None:
    """Warn of sources that used to speak and have fallen silent."""
    language = app.settings.listener.language
    for name, fares in health_by_source(app).items():
        if fares.is_silent:
            log.warning("%s: %s", name, words_of(fares, language))


def trigger_of(job: Job, timezone: str) -> BaseTrigger:
    """When APScheduler runs the job.

    >>> str(trigger_of(Job("a", print, every=timedelta(minutes=5)), "Asia/Shanghai"))
    'interval[0:05:00]'
    """
    if job.cron is not None:
        return CronTrigger.from_crontab(job.cron, timezone=timezone)
    assert job.every is not None, f"job {job.name!r} has neither every nor cron"
    return IntervalTrigger(seconds=int(job.every.total_seconds()), timezone=timezone)


def scheduler_of(
    jobs: Sequence[Job], timezone: str, now: Callable[[], datetime], told: Callable[[BaseException], None] = lambda error: None
) -> BackgroundScheduler:
    """A scheduler with the jobs: missed runs fall together into one, none runs twice at once. What fails is logged and `told`,
    and its job runs again at its next turn."""
    scheduler = BackgroundScheduler(
        timezone=timezone,
        executors={"default": ThreadPoolExecutor(max(4, len(jobs)))},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )
    for job in jobs:
        first = {"next_run_time": now()} if job.at_start else {}
        scheduler.add_job(job.what, trigger_of(job, timezone), id=job.name, name=job.name, **first)

    def failed(event: JobExecutionEvent) -> None:
        log.critical("job %s failed: %r", event.job_id, event.exception, exc_info=event.exception)
        told(event.exception)

    scheduler.add_listener(failed, EVENT_JOB_ERROR)
    scheduler.add_listener(
        lambda event: log.info("%s still runs; this turn falls to its next one", event.job_id), EVENT_JOB_MAX_INSTANCES
    )
    return scheduler


def run(
    jobs: Sequence[Job],
    store: Store,
    *,
    holder: str,
    timezone: str,
    now: Callable[[], datetime],
    stop: threading.Event,
    wait: bool = False,
    grace_seconds: float = 8.0,
) -> bool:
    """Run the jobs until `stop` is set (SIGTERM and SIGINT set it), then let them end for `grace_seconds` at most.

    Raises `BusyError` where another run holds the database, unless `wait` is True: then it takes over when that one ends.
    Returns whether all jobs have ended. If not, the caller should end the process without waiting for them; the lease is then
    left to run out by itself, so that no other run begins beside what still works.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        if threading.current_thread() is threading.main_thread():
            signal.signal(number, _stopper(stop))
    if not _take_lease(store, holder, now, stop, wait):
        return True
    has_ended = False
    fatal: list[BaseException] = []

    def told(error: BaseException) -> None:
        if isinstance(error, SettingsChanged):  # whatever this process still did would be thrown away
            fatal.append(error)
            stop.set()

    scheduler = scheduler_of(jobs, timezone, now, told)
    store.cut_crawls(now())  # what a killed process left running
    store.release_held(now())  # the settings may be others than those by which it was held
    try:
        scheduler.start()
        log.info("运行中：%d 个任务 / running: %d jobs", len(jobs), len(jobs))
        _keep_lease(store, holder, now, stop)
    finally:
        stop.set()
        has_ended = _ended(scheduler, grace_seconds)
        if has_ended:
            _drop_lease(store, holder)
        else:
            log.warning("有任务没有及时结束；它在做的事下次会重做 / a job did not end in time; it is done again next time")
    if fatal:
        raise fatal[0]
    return has_ended


def _ended(scheduler: BackgroundScheduler, grace_seconds: float) -> bool:
    """Ask the jobs to end and wait; whether they did."""
    scheduler.pause()
    ending = threading.Thread(target=scheduler.shutdown, daemon=True)
    ending.start()
    ending.join(grace_seconds)
    return not ending.is_alive()


def _take_lease(store: Store, holder: str, now: Callable[[], datetime], stop: threading.Event, wait: bool) -> bool:
    """Whether the lease is ours; False when `stop` was set while waiting for it."""
    told = False
    while not store.take_lease(LEASE, holder, now(), LEASE_TTL):
        if not wait:
            raise BusyError(
                "另一个 listener run 正在使用这个数据库；等它结束，或用 --wait 排队接替"
                " / another `listener run` holds this database: wait for its end, or queue behind it with --wait"
            )
        if not told:
            log.info("等待另一个 listener run 结束 / waiting for another `listener run` to end")
            told = True
        if stop.wait(1.0):
            return False
    return True


def _keep_lease(store: Store, holder: str, now: Callable[[], datetime], stop: threading.Event) -> None:
    """Renew the lease until `stop`. A database that does not answer for a while is asked again until the lease would end."""
    renewed_at = now()
    while not stop.wait(LEASE_RENEWAL_SECONDS):
        try:
            if not store.take_lease(LEASE, holder, now(), LEASE_TTL):
                raise BusyError("the lease went to another `listener run` (was this machine asleep?)")
            renewed_at = now()
        except StoreError as error:
            if now() - renewed_at > LEASE_TTL - timedelta(seconds=2 * LEASE_RENEWAL_SECONDS):
                raise
            log.warning("the lease could not be renewed, trying again: %s", error)


def _drop_lease(store: Store, holder: str) -> None:
    try:
        store.drop_lease(LEASE, holder)
    except StoreError as error:
        log.warning("the lease could not be given back; it runs out within a minute: %s", error)


def _stopper(stop: threading.Event) -> Callable[[int, FrameType | None], None]:
    def stopper(number: int, frame: FrameType | None) -> None:
        log.info("收到停止信号，正在结束 / asked to stop, ending")
        stop.set()

    return stopper
