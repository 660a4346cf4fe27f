"""A feed of very many pages on this machine, and crawls of it that are killed."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from config import edit
from listener import workspace
from listener.app import App

START = datetime(2026, 1, 1, tzinfo=UTC)
BRAND = {"name": "星澜"}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Whoever asked may be dead."""


@dataclass
class Timeline:
    """A JSON feed of ``pages`` pages of ``size`` posts, newest first, to which posts can be added while it is read.

    asked: how many pages were asked for. A context manager.
    """

    pages: int
    size: int = 10
    asked: int = 0
    posts: int = field(init=False)
    kept: dict[int, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.posts = self.pages * self.size
        timeline = self

        class Answer(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                body, status = b"", 404
                if parts.path == "/feed":
                    timeline.asked += 1
                    before = int(parse_qs(parts.query).get("before", [str(timeline.posts)])[0])
                    body, status = timeline.page(before), 200
                self.send_response(status)
                self.send_header("Content-Type", "application/feed+json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Answer)

    def __enter__(self) -> Timeline:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/feed"

    def page(self, before: int) -> bytes:
        """The posts before that number; written once, for benchmarks."""
        if before not in self.kept:
            self.kept[before] = self._page(before)
        return self.kept[before]

    def _page(self, before: int) -> bytes:
        numbers = range(before - 1, max(-1, before - 1 - self.size), -1)
        items = [
            {
                "id": str(number),
                "content_text": f"星澜用了第 {number} 天",
                "date_published": (START + timedelta(seconds=number)).isoformat(),
                "authors": [{"name": f"作者{number % 50}"}],
            }
            for number in numbers
        ]
        more = {"next_url": f"{self.url}?before={numbers[-1]}"} if numbers[-1] > 0 else {}
        return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "x", "items": items, **more}).encode()


@dataclass
class Killed:
    """What became of a crawl that was killed again and again. stored: posts after each kill; doubles: posts stored more than
    once; lost: posts of the timeline that are not stored."""

    kills: int = 0
    stored: list[int] = field(default_factory=list)
    asked: int = 0
    doubles: int = 0
    lost: int = 0
    extra: int = 0
    seconds: float = 0.0


def killed_crawl(folder: Path, timeline: Timeline, kills: int, rng: random.Random, *, batch_size: int = 100) -> Killed:
    """Crawl a timeline while the process is killed with SIGKILL ``kills`` times at random instants and people go on posting,
    then let it end."""
    path = workspace.create(folder / "workspace")
    at = path.parent
    edit.put_brand(path, BRAND)
    edit.put_section(path, "engine", {"batch_size": batch_size})
    source = {"name": "长", "platform": "feed", "every": "1h", "urls": [timeline.url], "delay_seconds": 0, "max_pages": 100_000}
    edit.put_source(path, source)
    with App.open(path, {}) as app:
        app.prepare()
    done, began = Killed(), time.monotonic()
    while done.kills < kills and (stored := stored_in(at)) < timeline.posts:
        process = _start(at)
        if rng.random() < 0.1:
            time.sleep(rng.random() * 3)  # while it starts
        else:
            left = (timeline.posts - stored) / timeline.size / (kills - done.kills)
            _wait_for_pages(timeline, process, round(left * 2 * rng.random()))
            time.sleep(rng.random() * 0.1)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            done.kills += 1
        process.wait()
        done.stored.append(stored_in(at))
        timeline.posts += rng.choice((0, 0, 1, 15))
    code = _start(at).wait(timeout=900)
    done.seconds, done.asked = time.monotonic() - began, timeline.asked
    assert code == 0, (at / "log").read_text("utf-8")[-3000:]
    with sqlite3.connect(at / "listener.db") as db:
        ids = [row[0].rpartition(":")[2] for row in db.execute("SELECT post_id FROM posts")]
        assert db.execute("SELECT count(*) FROM marks WHERE state LIKE '%open%'").fetchone() == (0,)
    db.close()
    wanted = {str(number) for number in range(timeline.posts)}
    done.doubles, done.lost, done.extra = len(ids) - len(set(ids)), len(wanted - set(ids)), len(set(ids) - wanted)
    return done


def stored_in(at: Path) -> int:
    """Posts in a workspace's database."""
    with sqlite3.connect(at / "listener.db", timeout=30) as db:
        (count,) = db.execute("SELECT count(*) FROM posts").fetchone()
    db.close()
    return int(count)


def _start(at: Path) -> subprocess.Popen[bytes]:
    with (at / "log").open("ab") as log:
        command = [sys.executable, "-m", "listener", "crawl"]
        return subprocess.Popen(command, cwd=at, stdout=log, stderr=log, start_new_session=True)


def _wait_for_pages(timeline: Timeline, process: subprocess.Popen[bytes], pages: int) -> None:
    """Wait until so many more pages are asked for, or the process has ended."""
    until = timeline.asked + pages
    while process.poll() is None and timeline.asked <= until:
        time.sleep(0.002)
