"""A crawl by several workers: a job → pieces for an executor → the events of one crawl, in an order that the marks allow.

Subjects of one host stay together, so that no host is asked by two workers at once; which are read is given out as workers
become free. A piece is bounded in time: a worker reads some hosts' subjects for a while, hands back all its events and what is
left, and the next piece goes on from where that was noted. So a worker that dies costs what its piece has read, no more.
"""

from __future__ import annotations

import logging
import os
import socket
import tempfile
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from listener import politeness
from listener.engines import Crew, Reach, deaths, program, store_of, unwanted
from spiders.collect import (
    Collected,
    CollectError,
    CollectJob,
    Covered,
    Ended,
    Event,
    Left,
    Noted,
    Reached,
    SubjectMark,
    Trouble,
    Turn,
    Vanished,
    collect,
    groups_of,
)

log = logging.getLogger(__name__)

FIRST_SECONDS, LONGEST_SECONDS = 15.0, 120.0  # of a piece: short at first, so that what is read is soon stored
MOST_ITEMS = 5000  # of a piece
HOSTS_AT_ONCE = 8  # that one spider reads at once
DEATHS_BORNE = 3  # of workers that read the same subjects, one after another
OUTAGES_BORNE = 5  # of the executor itself, one after another
PAGES_KEPT = 5
POLL_SECONDS = 0.2
WORKERLESS_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Part:
    """What a worker is told to read. places: where it finds the job's secrets by itself, by their path in the job: a variable
    of its environment (``env:NAME``) or a file (``file:PATH``). program: the version that must be installed there, "" any."""

    job: CollectJob
    places: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    program: str = ""


Seal = Callable[[CollectJob], Part]


@dataclass(frozen=True, slots=True)
class Piece:
    """What a worker has read: its events in their order, the last one `Ended`. pages: of unknown shape, by the path that the
    events name."""

    events: Sequence[Event]
    pages: Mapping[str, bytes] = field(default_factory=dict)


@dataclass
class Group:
    """Subjects of one host, still to be read. seconds: how long the next piece may take; deaths: of its workers so far."""

    subjects: list[str]
    seconds: float
    deaths: int = 0
    why: str = ""


# ------------------------------------------------------------------------------------------------------------- in a worker


def read_piece(part: Part, reach: Reach) -> Piece:
    """What a worker does: it reads a part's subjects and returns what it found. It takes its turns at the hosts
    from the shared database and writes nothing else. Raises CollectError, StoreError."""
    if part.program and part.program != program():
        words = f"{socket.gethostname()} 上的 koc-listener 是 {program()}，这里是 {part.program}：请装同一版本"
        raise CollectError(f"{words} / install the same version there")
    store = store_of(*reach)
    stopping, ahead = unwanted(), timedelta()
    if (server := store.server_time()) is not None:  # clocks of several machines differ, and a turn is a time
        ahead = server - datetime.now(UTC)

    def turn(host: str, delay_seconds: float) -> Turn:
        now = datetime.now(UTC) + ahead
        found, waits = store.take_turn(host, timedelta(seconds=delay_seconds), now)
        return Turn(waits.total_seconds(), politeness.words_of_pause(found, now, part.job.timezone))

    with tempfile.TemporaryDirectory(prefix="koc-pages-") as folder:
        job = replace(_unsealed(part), pages_dir=folder if part.job.pages_dir else "")
        with closing(collect(job, stopping, turn)) as found:
            events = tuple(found)
        return Piece(events, {str(page): page.read_bytes() for page in Path(folder).iterdir()})


def _unsealed(part: Part) -> CollectJob:
    """The job with its secrets, which this worker finds itself."""
    job = part.job
    for (first, *rest), place in part.places.items():
        secret = _secret_at(place)
        job = replace(job, options=_with(job.options, rest, secret)) if first == "options" else replace(job, proxy=secret)
    return job


def _with(options: Mapping[str, Any], path: Sequence[str], value: str) -> dict[str, Any]:
    """
    >>> _with({"app": {"id": "7"}}, ["app", "key"], "x")
    {'app': {'id': '7', 'key': 'x'}}
    """
    name, *rest = path
    return {**options, name: _with(options.get(name, {}), rest, value) if rest else value}


def _secret_at(place: str) -> str:
    kind, _, name = place.partition(":")
    try:
        found = os.environ.get(name, "") if kind == "env" else Path(name).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        found = ""
    if not found:
        what = f"环境变量 {name} / environment variable {name}" if kind == "env" else f"文件 {name} / file {name}"
        words = f"{socket.gethostname()} 上的 worker 没有{what}: a worker finds a source's secrets by itself, set it there"
        raise CollectError(words)
    return found


# ------------------------------------------------------------------------------------------------------------- in the parent


def collect_many(
    job: CollectJob,
    stopping: Callable[[], bool],
    turn: Callable[[str, float], Turn],
    *,
    crew_of: Callable[[int], AbstractContextManager[Crew]],
    reach: Reach,
    seal: Seal = Part,
    alone: bool = True,
    first_seconds: float = FIRST_SECONDS,
) -> Generator[Event, None, None]:
    """`spiders.collect.collect` by several workers: the same events, those of each subject in their order.

    crew_of: workers for so many hosts at most. seal: what travels of a job. alone: a job of one host is read by this process.
    A part whose worker died is read again from where it was last noted; what was handed over before is not handed over twice.
    """
    groups = groups_of(job)
    if alone and len(groups) < 2:
        return collect(job, stopping, turn)
    return _Fan(job, groups or [[]], stopping, seal, reach, first_seconds).events(crew_of)


class _Fan:
    """One crawl by several workers, while it runs."""

    def __init__(
        self,
        job: CollectJob,
        groups: Sequence[list[str]],
        stopping: Callable[[], bool],
        seal: Seal,
        reach: Reach,
        first_seconds: float,
    ) -> None:
        self._job, self._stopping, self._seal, self._reach = job, stopping, seal, reach
        self._is_whole = groups == [[]]  # what its subjects are can't be told: it is neither divided nor bounded
        self._left = deque(Group(list(subjects), first_seconds) for subjects in groups)
        self._running: dict[Future[Piece], tuple[list[Group], Executor]] = {}
        self._told = _Told(job)
        self._outages = 0
        self._worked_at = time.monotonic()

    def events(self, crew_of: Callable[[int], AbstractContextManager[Crew]]) -> Generator[Event, None, None]:
        with crew_of(len(self._left)) as crew:
            try:
                while self._left or self._running:
                    if self._stopping():
                        yield Ended("cut", "按要求停止 / stopped on request")
                        return
                    yield from self._given_up()
                    self._give_out(crew)
                    if not self._running:
                        time.sleep(POLL_SECONDS)
                        continue
                    done, _ = wait(self._running, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
                    for future in done:
                        yield from self._taken(future, crew)
                yield from self._told.ending()
            finally:
                for future in self._running:
                    future.cancel()

    def _give_out(self, crew: Crew) -> None:
        """Give what is left to workers that are free."""
        if not self._left:
            return
        executor: Executor | None = None
        try:
            slots = crew.slots()
            if slots or self._running:
                self._worked_at = time.monotonic()
            while self._left and (free := slots - len(self._running)) > 0:
                groups = list(self._left)[: min(HOSTS_AT_ONCE, -(-len(self._left) // free))]
                executor = crew.executor()
                self._running[executor.submit(read_piece, self._part(groups), self._reach)] = groups, executor
                for _ in groups:
                    self._left.popleft()
        except deaths() as error:
            self._outages += 1
            self._worked_at = time.monotonic()
            log.warning("%s: %s", self._job.source, error)
            for group in self._left:
                group.why = str(error)
            if executor is not None:
                crew.renew(executor)
            time.sleep(POLL_SECONDS * 2**self._outages)

    def _part(self, groups: Sequence[Group]) -> Part:
        if self._is_whole:
            return self._seal(self._job)
        subjects, marks = tuple(one for group in groups for one in group.subjects), self._told.marks
        return self._seal(
            replace(
                self._job,
                only=subjects,
                seconds=min(group.seconds for group in groups),
                most=MOST_ITEMS,
                marks={one: marks[one] for one in subjects if one in marks},
                # the first page is read again each time, to see what is new
                pages_read={one: read - 1 for one in subjects if (read := self._told.pages_read[one]) > 1},
            )
        )

    def _given_up(self) -> Iterator[Event]:
        """What nobody can read: there are no workers, or they die of it again and again."""
        words = ""
        if self._outages > OUTAGES_BORNE:
            words = self._left[0].why if self._left else ""
        elif time.monotonic() - self._worked_at > WORKERLESS_SECONDS:
            words = "Dask 调度器没有 worker / the Dask scheduler has no worker: start one with dask worker"
        given_up = [group for group in self._left if words or group.deaths > DEATHS_BORNE]
        for group in given_up:
            self._left.remove(group)
            yield from self._told.failure(words or group.why, group.subjects)

    def _taken(self, future: Future[Piece], crew: Crew) -> Iterator[Event]:
        """What came back from a worker; what is left of its part waits for the next one."""
        groups, executor = self._running.pop(future)
        try:
            piece = future.result()
        except deaths() as error:
            log.warning("%s: worker 意外结束，由别的接着读 / a worker died, another goes on: %r", self._job.source, error)
            crew.renew(executor)
            self._again(groups, f"worker 意外结束 / a worker died: {type(error).__name__}")
            return
        unread = {one for group in groups for one in group.subjects}
        before = {group.subjects[0]: self._told.marks.get(group.subjects[0]) for group in groups if group.subjects}
        for event in piece.events:
            yield from self._told.passed(event, piece)
        yield Left()
        self._told.count_pages(piece)
        finished, left, ended = _read_of(piece)
        is_cut = ended.outcome == "cut" or (ended.outcome == "failed" and not ended.stats)  # its process died
        for group in groups:
            group.subjects = [one for one in group.subjects if one in (unread - finished if is_cut else left)]
        groups = [group for group in groups if group.subjects or (self._is_whole and is_cut)]
        if is_cut:
            self._again(groups, ended.error)
            return
        self._told.endings.append(ended)
        self._outages = 0
        yield from self._stuck(groups, before, ended.error)
        groups = [group for group in groups if group.subjects]
        for group in groups:
            group.deaths, group.seconds = 0, min(2 * group.seconds, LONGEST_SECONDS)
        self._left.extend(groups)

    def _stuck(self, groups: Sequence[Group], before: Mapping[str, SubjectMark | None], why: str) -> Iterator[Event]:
        """Give up the subjects that a piece has read without getting on: the next one would read the same pages, for ever. A
        post that can't be passed on does that, as no mark may pass it."""
        for group in groups:
            first = group.subjects[0]
            if first in before and self._told.marks.get(first) == before[first]:
                group.subjects = group.subjects[1:]
                yield from self._told.failure(why or "没有读下去 / did not get on", [first])

    def _again(self, groups: Sequence[Group], why: str) -> None:
        for group in groups:
            group.deaths, group.why = group.deaths + 1, why
        self._left.extend(groups)


def _read_of(piece: Piece) -> tuple[set[str], set[str], Ended]:
    """The subjects of a piece that are done with, those that are left, and how it ended."""
    finished = {event.subject for event in piece.events if isinstance(event, (Reached, Trouble))}
    left = {event.subject for event in piece.events if isinstance(event, Left)}
    ended = piece.events[-1]
    assert isinstance(ended, Ended)
    return finished, left, ended


class _Told:
    """What was told of a crawl so far, and how it is told as one: nothing twice."""

    def __init__(self, job: CollectJob) -> None:
        self._job = job
        self.marks: dict[str, SubjectMark] = dict(job.marks)
        self.pages_read: Counter[str] = Counter()
        self.endings: list[Ended] = []
        self._once: set[object] = set()
        self._limits: Counter[str] = Counter()
        self._pages_kept = 0

    def passed(self, event: Event, piece: Piece) -> Iterator[Event]:
        """The event as it is handed on, if it is."""
        match event:
            case Collected(item):
                yield from self._first(event, (item.platform, item.post_id))
            case Covered() | Vanished():
                yield from self._first(event, event)
            case Reached(subject, posted_at, state):
                self.marks[subject] = SubjectMark(posted_at, state)
                yield event
            case Noted(subject, state):
                self.marks[subject] = replace(self.marks.get(subject) or SubjectMark(), state=state)
                yield event
            case Trouble(kind="limited", words=words) if words:
                self._limits[words] += event.count
            case Trouble():
                yield replace(event, page_path=self._kept(event.page_path, piece.pages))
            case Left() | Ended():
                pass
            case _:
                yield event

    def count_pages(self, piece: Piece) -> None:
        """Note how many pages each subject's piece has read that were new: one that went on has first noted where it met the
        interval it goes on in, and the page that was read again there."""
        for subject, noted in Counter(event.subject for event in piece.events if isinstance(event, Noted)).items():
            begun = self._job.marks.get(subject)
            goes_on = subject in self.pages_read or bool(begun and begun.state.get("open"))
            self.pages_read[subject] += max(0, noted - 2) if goes_on else noted

    def _first(self, event: Event, key: object) -> Iterator[Event]:
        if key not in self._once:
            self._once.add(key)
            yield event

    def _kept(self, path: str, pages: Mapping[str, bytes]) -> str:
        """Keep a page that a worker did not understand here, where it is looked for; readable by the owner alone."""
        if path not in pages or self._pages_kept >= PAGES_KEPT:
            return ""
        self._pages_kept += 1
        kept = Path(self._job.pages_dir) / Path(path).name
        try:
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.touch(mode=0o600)
            kept.write_bytes(pages[path])
        except OSError as error:
            log.warning("没有存下看不懂的页面 / the page of unknown shape was not kept: %s", error)
            return ""
        return str(kept)

    def failure(self, words: str, subjects: Sequence[str]) -> Iterator[Event]:
        """Subjects that no worker could read."""
        for subject in subjects or [""]:
            yield Trouble("failed", words, subject)
        self.endings.append(Ended("failed", words))

    def ending(self) -> Iterator[Event]:
        """The limits that were met, summed, and how all of it ended."""
        for words, count in self._limits.items():
            yield Trouble("limited", words.format(count=count), words=words, count=count)
        bad = [ended for ended in self.endings if ended.outcome != "done"]
        error = bad[0].error if bad else next((ended.error for ended in self.endings if ended.error), "")
        outcomes = {ended.outcome for ended in bad}
        stats = sum((Counter(_numbers(ended.stats)) for ended in self.endings), Counter())
        yield Ended("failed" if "failed" in outcomes else "blocked" if outcomes else "done", error, dict(stats))


def _numbers(stats: Mapping[str, Any]) -> dict[str, int]:
    return {name: value for name, value in stats.items() if isinstance(value, int)}
