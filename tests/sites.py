"""A site on 127.0.0.1 whose answers are a function, and what a crawl of it says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from spiders.collect import Collected, CollectJob, Ended, Event, Reached, SubjectMark, Trouble, collect
from spiders.items import Item

Query: TypeAlias = list[tuple[str, str]]
Answer: TypeAlias = tuple[int, Mapping[str, str], Any]
"""Status, headers, and the body: bytes, or what becomes JSON."""


class Site:
    """Answers with what ``answer(path, query)`` gives; None is 404. robots.txt allows all. A context manager.

    requests: what was asked, with its query.
    """

    def __init__(self, answer: Callable[[str, Query], Answer | None]) -> None:
        self.answer = answer
        self.requests: list[tuple[str, Query]] = []

    def __enter__(self) -> Site:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = parse_qsl(parts.query, keep_blank_values=True)
                if parts.path == "/robots.txt":
                    status, headers, body = 404, {}, b""
                else:
                    site.requests.append((parts.path, query))
                    status, headers, body = site.answer(parts.path, query) or (404, {}, {"error": "not found"})
                said = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers, "Content-Length": str(len(said))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.site = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"http://{self.site}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


def crawled(platform: str, **asked: Any) -> list[Event]:
    """What a crawl says, from first to last."""
    return list(collect(replace(CollectJob(platform, delay_seconds=0, retries=0, timeout_seconds=10), **asked)))


def items_of(events: list[Event]) -> list[Item]:
    return [event.item for event in events if isinstance(event, Collected)]


def marks_of(events: list[Event]) -> dict[str, SubjectMark]:
    return {event.subject: SubjectMark(event.posted_at, event.state) for event in events if isinstance(event, Reached)}


def troubles_of(events: list[Event]) -> list[tuple[str, str]]:
    """Kind and message of each trouble."""
    return [(event.kind, event.message) for event in events if isinstance(event, Trouble)]


def outcome_of(events: list[Event]) -> str:
    assert isinstance(events[-1], Ended)
    return events[-1].outcome
