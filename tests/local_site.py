"""A site on 127.0.0.1 that answers GETs and POSTs as a function says: what spiders of one platform are tried against."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from spiders.collect import Collected, CollectJob, Ended, Event, Reached, SubjectMark, Trouble, collect
from spiders.items import Item


@dataclass(frozen=True)
class Asked:
    """A request. query: the last value of each parameter."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""
    method: str = "GET"


@dataclass(frozen=True)
class Answer:
    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def page(text: str, encoding: str = "utf-8", *, status: int = 200, charset: str | None = None) -> Answer:
    """An HTML page. charset: what its header says, nothing by default."""
    kind = "text/html" + (f"; charset={charset}" if charset else "")
    return Answer(text.encode(encoding), status, {"Content-Type": kind})


def as_json(value: Any, status: int = 200) -> Answer:
    """A JSON answer."""
    return Answer(json.dumps(value, ensure_ascii=False).encode(), status, {"Content-Type": "application/json; charset=utf-8"})


@dataclass
class Site:
    """A context manager. answer: what is answered to a request; None is 404. robots.txt is 404 unless it answers that too."""

    answer: Callable[[Asked], Answer | None]
    asked: list[Asked] = field(default_factory=list)

    def __enter__(self) -> Site:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(parts.path, query, headers, body, self.command)
                site.asked.append(asked)
                answer = site.answer(asked) or Answer(b"not here", 404)
                with contextlib.suppress(OSError):
                    self.send_response(answer.status)
                    for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(answer.body)

            do_POST = do_GET  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"http://{self.host}"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def paths(self) -> list[str]:
        """The paths that were asked for, robots.txt left out."""
        return [one.path for one in self.asked if one.path != "/robots.txt"]


def crawled(platform: str, **changed: Any) -> list[Event]:
    """The events of a crawl without delays."""
    return list(collect(replace(CollectJob(platform, delay_seconds=0, retries=0, timeout_seconds=10), **changed)))


def items_of(events: list[Event]) -> list[Item]:
    return [event.item for event in events if isinstance(event, Collected)]


def marks_of(events: list[Event]) -> dict[str, SubjectMark]:
    return {event.subject: SubjectMark(event.posted_at, event.state) for event in events if isinstance(event, Reached)}


def troubles_of(events: list[Event]) -> list[Trouble]:
    return [event for event in events if isinstance(event, Trouble)]


def outcome_of(events: list[Event]) -> str:
    ended = events[-1]
    assert isinstance(ended, Ended)
    return ended.outcome
