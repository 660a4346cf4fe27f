"""Servers that nobody here wrote: installed once from package registries, started on 127.0.0.1, read with `listener crawl`."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

HOST = "127.0.0.1"
MARK = "built.json"
START_SECONDS = 60.0

Seen = Mapping[str, tuple[str, str | None, str]]
"""By post id: kind, parent id, text."""


@dataclass
class Cost:
    """What a server took: seconds and megabytes of its installation (as noted when it was made), seconds until it answered."""

    name: str
    install_seconds: float
    megabytes: float
    was_kept: bool
    start_seconds: float = 0.0
    resident_megabytes: float = 0.0

    def line(self) -> str:
        kept = " (kept from an earlier run)" if self.was_kept else ""
        return (
            f"{self.name:<12} installed in {self.install_seconds:6.1f} s, {self.megabytes:6.1f} MB{kept}; "
            f"answers after {self.start_seconds:.1f} s, {self.resident_megabytes:.0f} MB resident"
        )


@dataclass
class Workshop:
    """A folder that keeps what was installed, and what it all cost."""

    folder: Path
    costs: dict[str, Cost] = field(default_factory=dict)

    def installed(self, name: str, install: Callable[[Path], None]) -> Path:
        """The folder of a server, made by ``install`` where no earlier run has made it whole."""
        place = self.folder / name
        mark = place / MARK
        was_kept = mark.is_file()
        if not was_kept:
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir(parents=True)
            begun = time.monotonic()
            install(place)
            told = {"seconds": time.monotonic() - begun, "megabytes": _megabytes(place)}
            mark.write_text(json.dumps(told))
        told = json.loads(mark.read_text())
        self.costs[name] = Cost(name, told["seconds"], told["megabytes"], was_kept)
        return place

    @contextlib.contextmanager
    def running(
        self,
        name: str,
        command: Sequence[str | Path],
        answers: str | Callable[[], bool],
        *,
        cwd: Path,
        env: Mapping[str, str] | None = None,
    ) -> Iterator[None]:
        """A server while the block lasts. answers: an address that answers once it is up, or a function that says so."""
        begun, log = time.monotonic(), cwd / f"{name}.log"
        is_up = answers if callable(answers) else lambda: _answers(answers)
        with log.open("wb") as out:
            child = subprocess.Popen(
                [str(word) for word in command],
                cwd=cwd,
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
            try:
                while not is_up():
                    if child.poll() is not None or time.monotonic() - begun > START_SECONDS:
                        raise RuntimeError(f"{name} did not start:\n{log.read_text(errors='replace')[-3000:]}")
                    time.sleep(0.1)
                cost = self.costs.get(name.partition(" ")[0])
                if cost is not None:
                    cost.start_seconds += time.monotonic() - begun
                    cost.resident_megabytes += _resident(child.pid)
                yield
            finally:
                child.terminate()
                try:
                    child.wait(15)
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5):
            return True
    except URLError as error:
        return hasattr(error, "code")  # any HTTP answer is one
    except OSError:
        return False


def _megabytes(folder: Path) -> float:
    return sum(one.lstat().st_size for one in folder.rglob("*") if not one.is_dir()) / 1e6


def _resident(pid: int) -> float:
    status = Path(f"/proc/{pid}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1e3 for line in lines if line.startswith("VmRSS")), 0.0)


def run(*command: str | Path, cwd: Path, env: Mapping[str, str] | None = None, given: str | None = None) -> str:
    """What a command prints; its own words where it fails."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"[-4000:])
    return done.stdout


def venv(place: Path, *packages: str) -> Path:
    """An environment of its own with packages from PyPI; its interpreter."""
    run(sys.executable, "-m", "venv", place / "venv", cwd=place)
    python = place / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages, cwd=place)
    return python


def unpacked(place: Path, *packages: str) -> Path:
    """Debian packages and what this machine lacks of what they need, unpacked into a folder: nothing is installed, nobody has
    to be root. The names are asked of apt, so that the versions are this machine's."""
    wanted = run("apt-get", "install", "--simulate", "--no-install-recommends", *packages, cwd=place)
    names = [line.split()[1] for line in wanted.splitlines() if line.startswith("Inst ")]
    (debs := place / "debs").mkdir()
    run("apt-get", "download", *names, cwd=debs)
    for deb in debs.glob("*.deb"):
        run("dpkg", "-x", deb, place / "root", cwd=place)
    shutil.rmtree(debs)
    return place / "root"


@dataclass
class Workspace:
    """A workspace of the listener with one source, used as its operator does."""

    folder: Path

    @classmethod
    def with_source(cls, folder: Path, **source: object) -> Workspace:
        """source: what stands under ``[[sources]]``."""
        space = cls(folder)
        run(*LISTENER, "init", folder, cwd=folder.parent)
        lines = [f"{key} = {_toml(value)}" for key, value in {"name": "seeded", "every": "1h", **source}.items()]
        text = (folder / "listener.toml").read_text(encoding="utf-8").split("[[sources]]")[0]
        (folder / "listener.toml").write_text(f"{text}\n[[sources]]\n" + "\n".join(lines) + "\n", encoding="utf-8")
        return space

    def crawl(self) -> str:
        """What `listener crawl` says; RuntimeError where it does not end well."""
        return run(*LISTENER, "crawl", cwd=self.folder)

    def posts(self) -> Seen:
        """All that is stored, as it reads now."""
        with contextlib.closing(sqlite3.connect(self.folder / "listener.db")) as database:
            return {post_id: (kind, parent, text) for post_id, kind, parent, text in database.execute(_NOW)}


# the text that a post was last seen with; one that never changed is kept with the post alone
_NOW = """
SELECT post_id, kind, parent_id, coalesce((
    SELECT post_texts.text FROM post_texts WHERE post_texts.post = posts.id
    ORDER BY post_texts.last_seen_at DESC, post_texts.text_hash DESC LIMIT 1
), posts.text)
FROM posts
"""
LISTENER = (sys.executable, "-m", "listener")


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
