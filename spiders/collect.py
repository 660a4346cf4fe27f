"""The door of the pillar: a job in, a stream of events out. The spider runs in a process of its own."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import IO, Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from spiders.errors import CollectError
from spiders.events import (
    JOBS,
    Answered,
    Asks,
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
    event_of,
)

__all__ = [
    "Answered",
    "CollectError",
    "CollectJob",
    "Collected",
    "Covered",
    "Ended",
    "Event",
    "Left",
    "Noted",
    "Reached",
    "Refused",
    "SubjectMark",
    "Trouble",
    "Turn",
    "Vanished",
    "collect",
    "groups_of",
    "options_faults",
    "platforms",
]

GROUP = "koc_listener.spiders"
GRACE_SECONDS = 5.0
LAST_LINES = 20

logger = logging.getLogger(__name__)

_FAULTS = {"extra_forbidden": "没有这一项 / no such option", "missing": "必须写明 / must be given"}


def platforms() -> list[str]:
    """The names that spiders are installed under, ours and others'."""
    return sorted({found.name for found in entry_points(group=GROUP)})


def options_faults(platform: str, options: Mapping[str, Any]) -> list[str]:
    """What is wrong with a platform's options, by its spider's own model; nothing where it has none."""
    for found in entry_points(group=GROUP, name=platform):
        model = getattr(found.load(), "Options", None)
        if model is not None:
            try:
                model.model_validate(dict(options))
            except ValidationError as error:
                faults = error.errors(include_url=False, include_input=False)
                return [f"options.{'.'.join(map(str, one['loc']))}: {_words_of(one['type'], one['msg'])}" for one in faults]
    return []


def _words_of(kind: str, message: str) -> str:
    return _FAULTS.get(kind, message.removeprefix("Value error, "))


def groups_of(job: CollectJob) -> list[list[str]]:
    """The job's subjects, those of one host together: what may be read by several crawls at once (``CollectJob.only``). Nothing
    where that can't be told beforehand: a spider that reads no subjects, or a job that it can't read; it is left whole."""
    from spiders.subjects import SubjectSpider  # brings Scrapy, which nobody else here has need of

    for found in entry_points(group=GROUP, name=job.platform):
        kind = found.load()
        if isinstance(kind, type) and issubclass(kind, SubjectSpider) and kind.start is SubjectSpider.start:
            try:
                return kind(job).groups()
            except (CollectError, ValueError) as error:
                logger.debug("%s: %s", job.source, error)
    return []


def _at_once(host: str, delay_seconds: float) -> Turn:
    """Nobody else crawls."""
    return Turn()


def collect(
    job: CollectJob,
    stopping: Callable[[], bool] = lambda: False,
    turn: Callable[[str, float], Turn] = _at_once,
) -> Generator[Event, None, None]:
    """Run the job's spider and yield its events as they come; the last one is always Ended.

    Nothing starts before the first ``next``. Closing the iterator ends the child, and so does the death of this process.
    stopping: asked a few times a second, also while the platform says nothing; True ends the crawl as ``cut``.
    turn: asked with a host and the seconds between requests there, before each request (once a host where there is no delay),
    so that all crawls together keep to what one may; by default this crawl is alone.
    Raises CollectError at once where the job can't be run.
    """
    _check(job)
    return _events(job, stopping, turn)


def _check(job: CollectJob) -> None:
    known = platforms()
    if job.platform not in known:
        raise CollectError(f"没有这个平台的爬虫 / unknown platform {job.platform!r}; there are: {', '.join(known) or '–'}")
    try:
        ZoneInfo(job.timezone)
    except (ValueError, OSError, KeyError) as error:  # ZoneInfoNotFoundError is a KeyError
        raise CollectError(f"没有这个时区 / unknown time zone {job.timezone!r}") from error
    for name in ("since", "until"):
        at = getattr(job, name)
        if at is not None and at.tzinfo is None:
            raise CollectError(f"{name} 没有时区 / {name} has no time zone: {at.isoformat()}")
    if not (job.queries or job.accounts or job.urls or job.posts or job.looks or job.options.get("routes")):
        raise CollectError(f"来源 {job.source!r} 没有要读的东西：queries、accounts、urls、posts 都是空的 / nothing to read")


def _events(job: CollectJob, stopping: Callable[[], bool], turn: Callable[[str, float], Turn]) -> Generator[Event, None, None]:
    child = _start(job)
    over = threading.Event()
    threading.Thread(target=_end_when, args=(child, stopping, over), daemon=True).start()
    last_lines: deque[str] = deque(maxlen=LAST_LINES)
    assert child.stdout is not None
    assert child.stderr is not None
    listening = threading.Thread(target=_forward, args=(child.stderr, last_lines), daemon=True)
    listening.start()
    ended = False
    try:
        for line in child.stdout:
            event = _read(line)
            if isinstance(event, Asks):
                _tell(child, event.number, turn(event.host, event.delay_seconds))
                continue
            ended = isinstance(event, Ended)
            yield event
        if not ended and stopping():
            yield Ended("cut", "按要求停止 / stopped on request")
        elif not ended:
            status = child.wait()
            listening.join(GRACE_SECONDS)
            words = "\n".join(last_lines)
            yield Ended("failed", f"爬虫进程中断（退出码 {status}） / the crawl's process died ({status})\n{words}".strip())
    finally:
        over.set()
        _stop(child)
        listening.join(GRACE_SECONDS)
        child.stderr.close()


def _start(job: CollectJob) -> subprocess.Popen[bytes]:
    order = {"job": JOBS.dump_python(job, mode="json"), "log_level": logger.getEffectiveLevel(), "parent": os.getpid()}
    # -P: a file of the user's folder must not pass for a module of ours
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", "spiders.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=_environment(),
    )
    assert child.stdin is not None
    try:
        child.stdin.write(json.dumps(order).encode() + b"\n")
        child.stdin.flush()
    except BrokenPipeError:
        logger.debug("the child died before it had its job; its last lines tell why")
    return child


def _tell(child: subprocess.Popen[bytes], number: int, turn: Turn) -> None:
    assert child.stdin is not None
    try:
        child.stdin.write(json.dumps([number, turn.wait_seconds, turn.refused]).encode() + b"\n")
        child.stdin.flush()
    except BrokenPipeError:
        logger.debug("the child died before it had its turn")


def _end_when(child: subprocess.Popen[bytes], stopping: Callable[[], bool], over: threading.Event) -> None:
    """End the child once `stopping` says so, gently first: nobody may wait for a platform that says nothing."""
    while not over.wait(0.2):
        if stopping():
            child.terminate()
            if not over.wait(GRACE_SECONDS):
                child.kill()
            return


def _environment() -> dict[str, str]:
    ours = str(Path(__file__).resolve().parent.parent)
    paths = [ours, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    no_proxy = ",".join(filter(None, [os.environ.get("no_proxy") or os.environ.get("NO_PROXY"), "127.0.0.1,localhost"]))
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONUTF8": "1",
        "no_proxy": no_proxy,
    }


def _read(line: bytes) -> Event:
    try:
        return event_of(line)
    except ValidationError as error:
        kind = error.errors(include_url=False, include_input=False)[0]["type"]
        message = (
            f"爬虫进程说了听不懂的话（{len(line)} 字节） / the crawl's process sent what is no event: {len(line)} bytes, {kind}"
        )
        # neither the line nor pydantic's words for it, which quote it: a post may stand there, with who wrote it
        raise CollectError(message) from None


def _forward(stream: IO[bytes], last_lines: deque[str]) -> None:
    """Hand the child's log records to our logging; what is no record (a traceback) too."""
    for line in stream:
        level, name, message = _record_of(line.decode("utf-8", "replace").rstrip("\n"))
        last_lines.append(message)
        logging.getLogger(name).log(level, "%s", message)


def _record_of(line: str) -> tuple[int, str, str]:
    """
    >>> _record_of('{"level": 30, "name": "spiders.subjects", "message": "慢"}')
    (30, 'spiders.subjects', '慢')
    >>> _record_of("Segmentation fault")
    (30, 'spiders.child', 'Segmentation fault')
    """
    try:
        record: Any = json.loads(line)
        return int(record["level"]), str(record["name"]), str(record["message"])
    except (ValueError, TypeError, KeyError):
        return logging.WARNING, "spiders.child", line


def _stop(child: subprocess.Popen[bytes]) -> None:
    """End the child and wait for it; first by closing its stdin, at last by force."""
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except BrokenPipeError:
                logger.debug("the child was gone before us")
    try:
        child.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
