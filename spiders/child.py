"""The process that a crawl runs in: a job on stdin → events on stdout, log records on stderr."""

from __future__ import annotations

import asyncio
import atexit
import itertools
import json
import logging
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any

from pydantic import ValidationError
from scrapy import signals
from scrapy.crawler import AsyncCrawlerProcess

from spiders.events import (
    JOBS,
    Answered,
    Asks,
    Collected,
    Covered,
    Ended,
    Event,
    Left,
    Noted,
    Outcome,
    Reached,
    Refused,
    Trouble,
    Turn,
    Vanished,
    event_of,
    line_of,
)
from spiders.items import Item, fault_of
from spiders.settings import settings_of
from spiders.values import clean

GROUP = "koc_listener.spiders"
GRACE_SECONDS = 3.0


class Wire:
    """The pipe to the parent, and what went through it.

    Writes block while the parent is busy, which is how a crawl is held back to the pace of whoever stores it.
    delays: by host, what its robots.txt asks for beyond the job's delay.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.first_trouble: Trouble | None = None
        self.kinds: set[str] = set()
        self.delays: dict[str, float] = {}
        self._lost = False
        self._numbers = itertools.count()
        self._asked: dict[int, tuple[asyncio.AbstractEventLoop, asyncio.Future[Turn]]] = {}

    def send(self, event: Event) -> None:
        if isinstance(event, Trouble) and event.kind != "limited":
            self.first_trouble = self.first_trouble or event
            self.kinds.add(event.kind)
        if isinstance(event, (Reached, Noted, Covered)) and self._lost:
            return  # a mark must not pass an item that was lost
        view = memoryview(line_of(event))
        try:
            while view:
                view = view[os.write(self._descriptor, view) :]
        except BrokenPipeError:
            os._exit(1)  # nobody listens any more, and what was read is not marked as read

    async def turn(self, host: str, delay_seconds: float) -> Turn:
        """When the next request to a host may go out, as the parent says."""
        loop, number = asyncio.get_running_loop(), next(self._numbers)
        answer: asyncio.Future[Turn] = loop.create_future()
        self._asked[number] = (loop, answer)
        self.send(Asks(host, delay_seconds, number))
        return await answer

    def hear(self, line: bytes) -> None:
        """Take the parent's answer; called from the thread that listens."""
        number, wait_seconds, refused = json.loads(line)
        loop, answer = self._asked.pop(number)
        loop.call_soon_threadsafe(_settle, answer, Turn(wait_seconds, refused))

    def hand_over(self, event: Event) -> None:
        """Send what a spider found; a post only if it can be one."""
        if isinstance(event, Collected):
            self.send_item(event.item)
        else:
            self.send(event)

    def send_item(self, item: Item) -> None:
        fault = fault_of(item) or _unsendable(item)
        if fault is None:
            self.send(Collected(item))
            return
        self._lost = True
        self.send(Trouble("changed", clean(f"读出的内容不成立：{fault} ({item.platform}/{item.post_id})")))


def _settle(answer: asyncio.Future[Turn], turn: Turn) -> None:
    if not answer.done():
        answer.set_result(turn)


def _unsendable(item: Item) -> str | None:
    """Why the parent could not read this item: a spider may put into ``raw`` what is no JSON, or nests too deep."""
    try:
        event_of(line_of(Collected(item)))
    except ValueError:
        return "raw 不能写成 JSON / raw can't be written as JSON"
    return None


class ToParent:
    """The last pipeline: what a spider yields goes to the parent, in order."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    @classmethod
    def from_crawler(cls, crawler: Any) -> ToParent:
        return cls(crawler.wire)

    def process_item(self, item: Any) -> Any:
        if isinstance(item, Collected):
            self.wire.send_item(item.item)
        elif isinstance(item, Item):
            self.wire.send_item(item)
        elif isinstance(item, (Reached, Noted, Covered, Left, Vanished, Refused, Answered, Trouble)):
            self.wire.send(item)
        else:
            raise TypeError(f"a spider yields Item, Collected, Reached, Noted, Covered or Trouble, not {type(item).__name__}")
        return item


class _JsonLog(logging.Handler):
    """One record a line, for the parent's logging."""

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if record.exc_info:
            message += "\n" + logging.Formatter().formatException(record.exc_info)
        line = json.dumps({"level": record.levelno, "name": record.name, "message": message})
        sys.stderr.write(line + "\n")
        sys.stderr.flush()


def _set_up_logging(level: int) -> None:
    logging.captureWarnings(True)
    root = logging.getLogger()
    root.handlers[:] = [_JsonLog()]
    root.setLevel(level)


def _quiet(level: int) -> None:
    """Scrapy's INFO lists settings and middlewares of every crawl; creating its process has set its level to DEBUG."""
    logging.getLogger("scrapy").setLevel(max(level, logging.WARNING) if level > logging.DEBUG else level)
    logging.getLogger("twisted").setLevel(max(level, logging.WARNING))


def _stop_with_parent(parent: int, hear: Callable[[bytes], None]) -> None:
    """Hear what the parent says on stdin, line by line. Stop when it closes (the parent let go of us, or died), or, where
    another process has inherited its other end, when we were given away. Linux could send a signal instead, but at the end of
    the parent's *thread*."""

    def watch() -> None:
        said = b""
        while os.getppid() == parent:
            ready, _, _ = select.select([0], [], [], 1.0)
            if not ready:
                continue
            more = os.read(0, 4096)
            if not more:
                break
            *lines, said = (said + more).split(b"\n")
            for line in lines:
                hear(line)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _read_line() -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        more = os.read(0, 65536)
        if not more:
            raise SystemExit("spiders.child is started by spiders.collect, with a job on stdin")
        line += more
    return line


def main() -> int:
    """Run one crawl. Exit status 0 when it came to its end, whatever that was; Ended says which."""
    wire = Wire(os.dup(1))
    os.dup2(2, 1)  # whatever prints must not speak into the pipe
    order = json.loads(_read_line())
    _set_up_logging(order["log_level"])
    _stop_with_parent(order["parent"], wire.hear)
    job = JOBS.validate_python(order["job"])
    (found,) = entry_points(group=GROUP, name=job.platform)
    process = AsyncCrawlerProcess(settings_of(job))
    _quiet(order["log_level"])
    crawler = process.create_crawler(found.load())
    crawler.wire = wire  # type: ignore[attr-defined]
    errors: list[str] = []

    def remember(failure: Any, **_: Any) -> None:
        errors.append(f"{type(failure.value).__name__}: {failure.value}")

    crawler.signals.connect(remember, signals.spider_error)
    crawler.signals.connect(remember, signals.item_error)
    crawl = process.crawl(crawler, job=job)
    process.start()
    if crawl.done() and not crawl.cancelled() and crawl.exception() is not None:
        errors.append(f"{type(crawl.exception()).__name__}: {crawl.exception()}")
    wire.send(_ending(wire, crawler, errors))
    return 0


def _ending(wire: Wire, crawler: Any, errors: list[str]) -> Ended:
    stats = dict(crawler.stats.get_stats()) if getattr(crawler, "_stats", None) is not None else {}
    outcome: Outcome = "done"
    error = errors[0] if errors else wire.first_trouble.message if wire.first_trouble else ""
    if stats.get("finish_reason") == "shutdown":
        outcome = "cut"
    elif errors or stats.get("finish_reason") != "finished":
        outcome, error = "failed", error or str(stats.get("finish_reason"))
    elif wire.first_trouble:
        outcome = "blocked" if wire.kinds == {"blocked"} else "failed"
    return Ended(outcome, error, stats)


if __name__ == "__main__":
    try:
        status = main()
    except ValidationError as error:
        # not what was wrong with it: whom to read may stand there
        sys.exit(str([(fault["loc"], fault["msg"]) for fault in error.errors(include_url=False, include_input=False)]))
    # all is handed over: skip taking the interpreter apart, a third of a second in which the parent would wait
    atexit._run_exitfuncs()
    sys.stderr.flush()
    os._exit(status)
