"""Feeds on several hosts of this machine (127.0.0.2, 127.0.0.3 …): what a crawl by several workers is tried against."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from unittest import SkipTest
from urllib.parse import parse_qs, urlsplit

START = datetime(2026, 1, 1, tzinfo=UTC)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Whoever asked may be dead."""


@dataclass
class Feeds:
    """``hosts`` servers with ``feeds`` JSON feeds each, of ``pages`` pages of ``size`` posts, newest first; pages come after
    ``seconds``. before: told each request's host, before the answer.

    asked: (monotonic seconds, host, path) of each page. most_at_once: how many pages of one host were asked for at once.
    A context manager; a test is skipped where this machine has no such addresses.
    """

    hosts: int = 4
    feeds: int = 1
    pages: int = 5
    size: int = 4
    seconds: float = 0.0
    before: Callable[[str], object] = lambda host: None
    asked: list[tuple[float, str, str]] = field(default_factory=list)
    most_at_once: int = 0

    def __enter__(self) -> Feeds:
        self._lock, self._now = threading.Lock(), dict[str, int]()
        try:
            self._servers = [_Server((f"127.0.0.{number + 2}", 0), self._handler()) for number in range(self.hosts)]
        except OSError as error:  # macOS has the first of them alone
            raise SkipTest(f"no such address on this machine: {error}") from error
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()

    @property
    def posts(self) -> int:
        """How many posts there are in all."""
        return self.hosts * self.feeds * self.pages * self.size

    @property
    def urls(self) -> tuple[str, ...]:
        bases = [f"http://{server.server_address[0]}:{server.server_port}" for server in self._servers]  # type: ignore[str-bytes-safe]
        return tuple(f"{base}/{feed}" for base in bases for feed in range(self.feeds))

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        feeds = self

        class Answer(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                host = self.headers["Host"]
                is_page = self.path != "/robots.txt"
                if is_page:
                    feeds._begin(host, self.path)
                body = feeds._page(f"http://{host}", self.path) if is_page else b""
                with contextlib.suppress(OSError):
                    self.send_response(200 if is_page else 404)
                    self.send_header("Content-Type", "application/feed+json")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Answer

    def _begin(self, host: str, path: str) -> None:
        with self._lock:
            self.asked.append((time.monotonic(), host, path))
            self._now[host] = self._now.get(host, 0) + 1
            self.most_at_once = max(self.most_at_once, self._now[host])
        self.before(host)
        time.sleep(self.seconds)
        with self._lock:
            self._now[host] -= 1

    def _page(self, base: str, path: str) -> bytes:
        parts = urlsplit(path)
        first = int(parse_qs(parts.query).get("before", [str(self.pages * self.size)])[0])
        numbers = range(first - 1, first - 1 - self.size, -1)
        items = [
            {
                "id": f"{base}{parts.path}#{number}",
                "content_text": f"星澜用了第 {number} 天，挺好",
                "date_published": (START + timedelta(hours=number)).isoformat(),
                "authors": [{"name": f"作者{number % 7}"}],
            }
            for number in numbers
        ]
        more = {"next_url": f"{base}{parts.path}?before={numbers[-1]}"} if numbers[-1] > 0 else {}
        return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "x", "items": items, **more}).encode()
