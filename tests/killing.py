"""Kill `listener` with SIGKILL while it works, start it again, and compare with a run that nobody disturbed.

A `Stage` has the demo's season on local platforms and a webhook receiver. A `Phase` is one command with a workspace in which
that command has work to do. After the kills the command runs to its end, what is due is delivered, and all that must not
depend on being killed is read: posts, mentions, moods, alerts, deliveries, cases, and what came over the wire.
"""

from __future__ import annotations

import dataclasses
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from config import edit
from listener import normalize, workspace
from listener.app import App
from listener.commands import showing
from listener.demo import town
from listener.demo.compose import FORUM, WEIBO, Season, compose
from tests.stored import contents

ENDS_ON = date(2025, 6, 1)
HOOK, IMPORTED = "hook", "items.jsonl"
LISTENER = (sys.executable, "-m", "listener")
ORPHAN_SECONDS = 15.0


class Wire:
    """A webhook receiver that takes its time and remembers what came, by path. A context manager."""

    def __init__(self, seconds: float = 0.1) -> None:
        self.came: list[tuple[str, str, dict[str, Any]]] = []  # path, webhook-id, body
        wire = self

        class Answer(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                wire.came.append((self.path, self.headers["webhook-id"], body))
                time.sleep(seconds)
                with suppress(OSError):  # whom we answer may be dead
                    self.send_response(204)
                    self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self._server.daemon_threads = True

    def __enter__(self) -> Wire:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"


@dataclass(frozen=True)
class Seen:
    """What must be the same whether a run was killed or not."""

    alerts: str
    stored: dict[str, list[Any]]
    deliveries: list[tuple[str, ...]]
    cases: list[tuple[str, ...]]
    told: list[tuple[str, str]]

    def differences(self, other: Seen) -> list[str]:
        """Names of what differs, with how many entries are lost and how many are too many."""
        found = [] if self.alerts == other.alerts else ["alerts differ"]
        parts: dict[str, tuple[list[Any], list[Any]]] = {
            name: (getattr(self, name), getattr(other, name)) for name in ("deliveries", "cases", "told")
        }
        parts |= {name: (rows, other.stored[name]) for name, rows in self.stored.items()}
        for name, (mine, theirs) in parts.items():
            lost, extra = Counter(map(repr, theirs)), Counter(map(repr, mine))
            if lost != extra:
                found.append(f"{name}: {(lost - extra).total()} lost, {(extra - lost).total()} too many")
        return found


@dataclass
class Killed:
    """What became of one workspace. instants: seconds after its first write at which a running process was killed; found: what
    the database held right after each: posts, mentions, alerts, deliveries sent and being sent. repeats: messages that came
    over the wire again, with the same key. orphans: processes that outlived their parent."""

    phase: str
    instants: list[float] = field(default_factory=list)
    found: list[tuple[int, ...]] = field(default_factory=list)
    repeats: int = 0
    orphans: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Phase:
    name: str
    command: tuple[str, ...]
    prepare: Callable[[Path], None]


class Stage:
    """The platforms, the wire and the folder that workspaces lie in. A context manager."""

    def __init__(self, folder: Path, *, only: frozenset[str] | None = None, batch_size: int = 50) -> None:
        self.folder, self.batch_size = folder, batch_size
        self.season = few(compose(ENDS_ON), only) if only else compose(ENDS_ON)
        self._stack = ExitStack()
        self.wire = self._stack.enter_context(Wire())
        self.town = self._stack.enter_context(town.running(self.season))
        self.phases = {
            phase.name: phase
            for phase in (
                Phase("import", ("import", IMPORTED), lambda at: None),
                Phase("crawl", ("crawl",), lambda at: None),
                Phase("watch", ("watch",), self._add_posts),
                Phase("deliver", ("deliver",), lambda at: self.run(at, "import", IMPORTED)),
            )
        }
        self._ready: dict[str, Path] = {}
        self._seen: dict[str, tuple[Seen, float]] = {}

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    # ------------------------------------------------------------------------------------------------- workspaces

    def _base(self) -> Path:
        """A workspace with brand, sources, channel, roster and a file to import."""
        at = self.folder / "base"
        if at.exists():
            return at
        path = workspace.create(at)
        town.write_settings(path, self.season.brand, self.town, smtp_port=9, hook_url=self.wire.url, secret_file="hook.secret")
        mail = {"name": town.MAIL, "type": "email", "host": "127.0.0.1", "sender": "a@b.example", "to": ["c@d.example"]}
        edit.put_channel(path, mail | {"enabled": False})
        edit.put_section(path, "rules", {"deliver_within": "3600d"})  # so that every alert is a message of its own
        edit.put_section(path, "engine", {"batch_size": self.batch_size})
        workspace.make_webhook_secret(at / "hook.secret")
        town.write_roster(at / "roster.csv", self.season.people, self.town)
        imported = [item for item in self.season.items if item.platform in (WEIBO, FORUM)]
        with (at / IMPORTED).open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(json_of(item), ensure_ascii=False) + "\n" for item in imported)
        self.run(at, "koc", "import", "roster.csv")
        return at

    def _add_posts(self, at: Path) -> None:
        """Posts as a crawl leaves them that was killed before it scored any."""
        with App.open(at / "listener.toml", os.environ) as app:
            items = [item for item in self.season.items if item.platform == WEIBO]
            posts = [normalize.normalize_item(item, source="import", key=app.key) for item in items]
            app.store.add(posts, stored_at=app.now())

    def ready(self, phase: Phase, name: str) -> Path:
        """A new workspace in which the phase's command has all of its work before it."""
        if phase.name not in self._ready:
            at = shutil.copytree(self._base(), self.folder / f"ready-{phase.name}")
            phase.prepare(at)
            self._ready[phase.name] = at
        at = shutil.copytree(self._ready[phase.name], self.folder / name)
        url = f"{self.wire.url}/{name}"
        edit.put_channel(at / "listener.toml", {"name": town.HOOK, "type": "webhook", "url": url, "secret_file": "hook.secret"})
        return at

    # -------------------------------------------------------------------------------------------------- processes

    def start(self, at: Path, *command: str) -> subprocess.Popen[bytes]:
        with (at / "log").open("ab") as log:
            return subprocess.Popen([*LISTENER, *command], cwd=at, stdout=log, stderr=log, start_new_session=True)

    def run(self, at: Path, *command: str) -> float:
        """Run a command to its end; returns the seconds from its first write on."""
        process = self.start(at, *command)
        began = first_write(at, process)
        code = process.wait(timeout=300)
        if code:
            raise RuntimeError(f"listener {' '.join(command)} ended with {code}:\n{(at / 'log').read_text()[-3000:]}")
        return time.monotonic() - began

    def kill(self, at: Path, command: tuple[str, ...], after: float, *, group: bool) -> tuple[bool, int]:
        """Start a command and SIGKILL it so many seconds after its first write, with its children or alone. Returns whether it
        still ran, and how many of its children outlived it by more than some seconds."""
        process = self.start(at, *command)
        first_write(at, process)
        try:
            code = process.wait(timeout=after)
        except subprocess.TimeoutExpired:
            (os.killpg if group else os.kill)(process.pid, signal.SIGKILL)
            process.wait()
            return True, orphans_of(process.pid)
        if code:
            raise RuntimeError(f"listener {' '.join(command)} ended with {code}:\n{(at / 'log').read_text()[-3000:]}")
        return False, 0

    # ----------------------------------------------------------------------------------------------------- judging

    def undisturbed(self, name: str) -> tuple[Seen, float]:
        """What a run that nobody kills leaves, and how long its command takes."""
        if name not in self._seen:
            phase = self.phases[name]
            at = self.ready(phase, f"undisturbed-{name}")
            seconds = self._finish(at, phase)
            self._seen[name] = self.seen(at), seconds
        return self._seen[name]

    def torture(self, name: str, number: int, kills: int, rng: random.Random) -> Killed:
        """Kill the phase's command so many times in one workspace, let it end, deliver, and compare."""
        phase, (reference, seconds) = self.phases[name], self.undisturbed(name)
        at = self.ready(phase, f"{name}-{number}")
        done = Killed(name)
        for _ in range(kills):
            after = rng.random() * seconds
            was_running, orphans = self.kill(at, phase.command, after, group=rng.random() < 0.5)
            done.orphans += orphans
            if was_running:
                done.instants.append(after)
                done.found.append(counts_of(at))
            leases_end(at)
        self._finish(at, phase)
        done.problems = self.seen(at).differences(reference)
        done.repeats, wrong = self.repeats(at.name)
        done.problems += wrong
        shutil.rmtree(at)
        return done

    def _finish(self, at: Path, phase: Phase) -> float:
        """Let the phase's command end, then deliver what is due; returns the command's seconds."""
        seconds = self.run(at, *phase.command)
        if phase.name != "deliver":
            self.run(at, "deliver")
        return seconds

    def seen(self, at: Path) -> Seen:
        """Read all that matters of a workspace."""
        found = contents(f"sqlite:///{at / 'listener.db'}")
        # A crawl sees what it sees when it runs: counters and times of seeing are left out.
        stored = {name: [tuple(row) for row in found[name]] for name in ("mentions", "moods")}
        stored["posts"] = [tuple(row[:2]) for row in found["posts"]]
        stored["texts"] = sorted({(row[0], str(row[1])) for row in found["post_texts"]}, key=repr)
        with sqlite3.connect(at / "listener.db") as db:
            deliveries = db.execute(
                "SELECT d.alert_key, d.channel, d.kind, d.state FROM deliveries d JOIN alerts a ON a.key = d.alert_key"
                " WHERE a.state = 'current' ORDER BY 1, 2, 3, 4"
            ).fetchall()
            cases = db.execute("SELECT koc_id, brand, state, variant FROM cases WHERE state = 'open' ORDER BY 1, 2").fetchall()
        db.close()
        with App.open(at / "listener.toml", os.environ) as app:
            alerts = "\n".join(json.dumps(row, ensure_ascii=False) for row in showing.alert_rows(app, app.store.alerts()))
        told = {
            (key, body["type"])
            for path, _, body in self.wire.came
            if path == f"/{at.name}"
            for key in body["data"]["alert_keys"]
        }
        return Seen(alerts, stored, deliveries, cases, sorted(told))

    def repeats(self, name: str) -> tuple[int, list[str]]:
        """Messages that came again under their key, and what came twice under different keys."""
        came = [(message_id, body) for path, message_id, body in self.wire.came if path == f"/{name}"]
        ids: dict[tuple[str, str], set[str]] = {}
        for message_id, body in came:
            for key in body["data"]["delivery_keys"]:
                ids.setdefault((body["type"], key), set()).add(message_id)
        wrong = [f"delivery {key} came under {len(found)} message ids" for (_, key), found in ids.items() if len(found) > 1]
        return len(came) - len({message_id for message_id, _ in came}), wrong


def few(season: Season, scenarios: frozenset[str]) -> Season:
    """The KOCs of some scenarios, and what they wrote, with the posts that these answer."""
    people = tuple(one for one in season.people if one.truth.scenario in scenarios)
    authors = {account for one in people for account in one.accounts}
    parents = {item.parent_id for item in season.items if (item.platform, item.author_id) in authors}
    items = [item for item in season.items if (item.platform, item.author_id) in authors or item.post_id in parents]
    return dataclasses.replace(season, people=people, items=tuple(items))


def json_of(item: Any) -> dict[str, Any]:
    """An item as a line of the import format."""
    told = {name: value for name, value in dataclasses.asdict(item).items() if value not in (None, "", ())}
    told["posted_at"] = item.posted_at.isoformat()
    return told


def first_write(at: Path, process: subprocess.Popen[bytes]) -> float:
    """Wait until a process has written to its database for the first time, or has ended; returns the time."""
    logs = [at / "listener.db-wal", at / "listener.db"]
    before = [log.stat().st_mtime_ns if log.exists() else 0 for log in logs]
    while process.poll() is None and before == [log.stat().st_mtime_ns if log.exists() else 0 for log in logs]:
        time.sleep(0.002)
    return time.monotonic()


def counts_of(at: Path) -> tuple[int, ...]:
    """Posts, mentions, current alerts, deliveries sent and being sent."""
    with sqlite3.connect(at / "listener.db", timeout=30) as db:
        counts = db.execute(
            "SELECT (SELECT count(*) FROM posts), (SELECT count(*) FROM mentions),"
            " (SELECT count(*) FROM alerts WHERE state = 'current'),"
            " (SELECT count(*) FROM deliveries WHERE state = 'sent'), (SELECT count(*) FROM deliveries WHERE state = 'sending')"
        ).fetchone()
    db.close()
    return tuple(counts)


def leases_end(at: Path) -> None:
    """The minutes pass after which what a dead process has claimed is free again."""
    past = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp() * 1e6)
    with sqlite3.connect(at / "listener.db", timeout=30) as db:
        db.execute("UPDATE deliveries SET claimed_until = ? WHERE state = 'sending'", (past,))
    db.close()


def orphans_of(group: int) -> int:
    """1 if processes of this group are alive long after their leader died (they are killed then)."""
    until = time.monotonic() + ORPHAN_SECONDS
    while time.monotonic() < until:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return 0
        time.sleep(0.05)
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
    return 1
