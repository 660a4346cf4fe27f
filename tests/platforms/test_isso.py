"""Isso, from PyPI: what is written there through its own interface is what the listener reads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.platforms.workshop import HOST, Seen, Workshop, Workspace, venv
from tests.servers import free_port

CONFIG = """
[general]
dbpath = {folder}/comments.db
host = http://{host}:{pages}/
max-age = 24h
latest-enabled = {latest}
[server]
listen = http://{host}:{port}
[hash]
algorithm = none
[guard]
enabled = false
"""
THREADS = ("/post/1/", "/post/2/", "/评测/")


class Isso:
    """A running Isso, what was written there, and the keys that let its writers edit it."""

    def __init__(self, home: str, pages: str) -> None:
        self.home, self.site = home, home.removeprefix("http://")
        self.client = httpx.Client(base_url=home, headers={"Origin": pages}, timeout=30)
        self.live: dict[str, tuple[str, str | None, str]] = {}
        self._keys: dict[int, str] = {}

    def write(self, uri: str, author: str, text: str, parent: int | None = None) -> int:
        words = {"text": text, "author": author, "title": uri, "parent": parent}
        answer = self.client.post("/new", params={"uri": uri}, json=words).raise_for_status()
        own = int(answer.json()["id"])
        self._keys[own] = answer.headers["X-Set-Cookie"].split(";")[0].partition("=")[2]
        above = f"{self.site}:comment:{parent}" if parent else f"{self.site}:thread:{uri}"
        self.live[f"{self.site}:comment:{own}"] = ("comment", above, text)
        return own

    def edit(self, own: int, text: str) -> None:
        self._as_writer("PUT", own, json={"text": text})
        kind, above, _ = self.live[f"{self.site}:comment:{own}"]
        self.live[f"{self.site}:comment:{own}"] = (kind, above, text)

    def delete(self, own: int) -> None:
        self._as_writer("DELETE", own)
        del self.live[f"{self.site}:comment:{own}"]

    def _as_writer(self, method: str, own: int, **more: object) -> None:
        self.client.cookies.clear()
        cookie = {"Cookie": f"{own}={self._keys[own]}"}
        self.client.request(method, f"/id/{own}", headers=cookie, **more).raise_for_status()  # type: ignore[arg-type]


@pytest.fixture(params=[True, False], ids=["latest", "threads"])
def isso(request: pytest.FixtureRequest, workshop: Workshop, tmp_path: Path) -> Iterator[Isso]:
    place = workshop.installed("isso", lambda folder: venv(folder, "isso") and None)
    port, pages = free_port(), free_port()
    config = CONFIG.format(folder=tmp_path, host=HOST, port=port, pages=pages, latest=str(request.param).lower())
    (tmp_path / "isso.cfg").write_text(config)
    home = f"http://{HOST}:{port}"
    command = (place / "venv" / "bin" / "isso", "-c", "isso.cfg", "run")
    with workshop.running("isso", command, f"{home}/latest?limit=1", cwd=tmp_path):
        server = Isso(home, f"http://{HOST}:{pages}")
        yield server
        server.client.close()


def seed(isso: Isso) -> tuple[list[int], list[int]]:
    """More roots than a page holds, and under one of them more answers than are shown at once."""
    roots = [isso.write(THREADS[n % 3], f"网友{n % 7}", f"第 {n} 条，用了三天") for n in range(316)]
    many = [isso.write(THREADS[0], "小林", f"同感 {n}", roots[3]) for n in range(55)]
    some = [isso.write(THREADS[n % 3], f"路人{n}", f"回复 {n}", roots[n]) for n in range(0, 36, 4)]
    return roots, many + some


def is_read(space: Workspace, expected: Seen) -> None:
    found = space.posts()
    assert (len(found), dict(found)) == (len(expected), dict(expected))


def test_what_is_written_is_read_twice_with_edits_deletions_and_new_comments_between(isso: Isso, tmp_path: Path) -> None:
    roots, answers = seed(isso)
    has_latest = isso.client.get("/latest", params={"limit": 1}).status_code == 200
    source = {"urls": [isso.home]} if has_latest else {"posts": list(THREADS), "base_url": isso.home}
    wanted: dict[str, object] = {"platform": "isso", "delay_seconds": 0.0, **source}
    space = Workspace.with_source(tmp_path / "first", **wanted)
    space.crawl()
    assert len(isso.live) == 380
    is_read(space, isso.live)

    before = dict(isso.live)
    isso.edit(roots[0], "第 0 条，改口了：一个月后掉漆")
    isso.edit(answers[52], "不同感了")
    isso.delete(roots[3])  # its answers stay
    isso.delete(roots[310])
    isso.delete(answers[5])
    isso.write(THREADS[1], "小林", "新的一条")
    isso.write(THREADS[0], "老王", "答很早的一条", roots[0])
    space.crawl()
    is_read(space, {**before, **isso.live})  # what was deleted since stays as evidence

    again = Workspace.with_source(tmp_path / "second", **wanted)
    again.crawl()
    is_read(again, isso.live)
