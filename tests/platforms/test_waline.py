"""Waline, from npm: what is written there through its own interface is what the listener reads."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.platforms.workshop import HOST, Seen, Workshop, Workspace, run
from tests.servers import free_port

# What Waline asks of the network otherwise (log-ins by other services, a spam filter) is answered here, or left out.
SERVE = """
const http = require('node:http');
const stub = http.createServer((_, answer) => answer.setHeader('content-type', 'application/json').end('{"services":[]}'));
stub.listen(0, '127.0.0.1', () => {
  process.env.OAUTH_URL = `http://127.0.0.1:${stub.address().port}/`;
  const application = require('@waline/vercel');
  http.createServer(application({ env: 'production' })).listen(Number(process.argv[2]), '127.0.0.1');
});
"""
# Waline makes no tables; these are those of its documentation.
TABLES = """
CREATE TABLE wl_Comment (id INTEGER PRIMARY KEY AUTOINCREMENT, user_id int, comment text,
  insertedAt datetime DEFAULT CURRENT_TIMESTAMP, ip varchar(100) DEFAULT '', link varchar(255), mail varchar(255),
  nick varchar(255), pid int, rid int, sticky numeric, status varchar(50) NOT NULL DEFAULT '', "like" int, ua text,
  url varchar(255), createdAt timestamp DEFAULT CURRENT_TIMESTAMP, updatedAt timestamp DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE wl_Counter (id INTEGER PRIMARY KEY AUTOINCREMENT, time int, reaction0 int, url varchar(255),
  createdAt timestamp DEFAULT CURRENT_TIMESTAMP, updatedAt timestamp DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE wl_Users (id INTEGER PRIMARY KEY AUTOINCREMENT, display_name varchar(255), email varchar(255),
  password varchar(255), type varchar(50), label varchar(255), url varchar(255), avatar varchar(255), github varchar(255),
  twitter varchar(255), facebook varchar(255), google varchar(255), weibo varchar(255), qq varchar(255), oidc varchar(255),
  huawei varchar(255), "2fa" varchar(32), createdAt timestamp DEFAULT CURRENT_TIMESTAMP,
  updatedAt timestamp DEFAULT CURRENT_TIMESTAMP);
"""
THREADS = ("/post/1/", "/评测.html")


class Waline:
    """A running Waline, what was written there, and its owner's key."""

    def __init__(self, home: str) -> None:
        self.home, self.site = home, home.removeprefix("http://")
        self.client = httpx.Client(base_url=f"{home}/api", timeout=60)
        self.live: dict[str, tuple[str, str | None, str]] = {}
        owner = {"email": "owner@brand.example", "password": "geheim", "display_name": "站长", "url": ""}
        self._data(self.client.post("/user", json=owner))
        token = self._data(self.client.post("/token", json=owner))["token"]
        self.owner = {"Authorization": f"Bearer {token}"}

    @staticmethod
    def _data(answer: httpx.Response) -> dict[str, object]:
        told = answer.raise_for_status().json()
        assert told["errno"] == 0, told
        return told["data"] or {}

    def write(self, path: str, nick: str, text: str, pid: int | None = None, rid: int | None = None) -> int:
        words = {"comment": text, "nick": nick, "mail": "", "link": "", "ua": "", "url": path}
        answers = {"pid": pid, "rid": rid, "at": nick} if pid else {}
        own = int(str(self._data(self.client.post("/comment", json=words | answers))["objectId"]))
        above = f"{self.site}:comment:{pid}" if pid else f"{self.site}:thread:{path}"
        self.live[f"{self.site}:comment:{own}"] = ("comment", above, text)
        return own

    def edit(self, own: int, text: str) -> None:
        self._data(self.client.put(f"/comment/{own}", json={"comment": text}, headers=self.owner))
        kind, above, _ = self.live[f"{self.site}:comment:{own}"]
        self.live[f"{self.site}:comment:{own}"] = (kind, above, text)

    def delete(self, own: int) -> None:
        """Waline takes the answers away with what they answer."""
        self._data(self.client.delete(f"/comment/{own}", headers=self.owner))
        key = f"{self.site}:comment:{own}"
        for gone in [key, *(one for one, (_, above, _) in self.live.items() if above == key)]:
            del self.live[gone]


@pytest.fixture
def waline(workshop: Workshop, tmp_path: Path) -> Iterator[Waline]:
    def install(folder: Path) -> None:
        run("npm", "install", "--no-audit", "--no-fund", "--silent", "@waline/vercel", cwd=folder)
        (folder / "serve.js").write_text(SERVE)

    place, port = workshop.installed("waline", install), free_port()
    with contextlib.closing(sqlite3.connect(tmp_path / "waline.sqlite")) as database:
        database.executescript(TABLES)
    env = {"SQLITE_PATH": str(tmp_path), "JWT_TOKEN": "geheim", "IPQPS": "0", "AKISMET_KEY": "false"}
    home = f"http://{HOST}:{port}"
    command = ("node", place / "serve.js", str(port))
    with workshop.running("waline", command, f"{home}/api/comment?type=count", cwd=tmp_path, env=env):
        server = Waline(home)
        yield server
        server.client.close()


def is_read(space: Workspace, expected: Seen) -> None:
    found = space.posts()
    assert (len(found), dict(found)) == (len(expected), dict(expected))


def test_what_is_written_is_read_twice_with_edits_deletions_and_new_comments_between(waline: Waline, tmp_path: Path) -> None:
    roots = [waline.write(THREADS[n % 2], f"网友{n % 7}", f"第 {n} 条，用了三天") for n in range(230)]
    first = [waline.write(THREADS[0], "小林", f"同感 {n}", roots[8], roots[8]) for n in range(30)]
    second = waline.write(THREADS[0], "老王", "回小林", first[0], roots[8])
    other = waline.write(THREADS[1], "路人", "回第一条", roots[1], roots[1])
    wanted: dict[str, object] = {"platform": "waline", "delay_seconds": 0.0, "posts": list(THREADS), "base_url": waline.home}
    space = Workspace.with_source(tmp_path / "first", **wanted)
    space.crawl()
    assert len(waline.live) == 262
    is_read(space, waline.live)

    before = dict(waline.live)
    waline.edit(roots[0], "第 0 条，改口了：一个月后掉漆")
    waline.edit(second, "回小林：改了")
    waline.delete(roots[1])
    assert f"{waline.site}:comment:{other}" not in waline.live
    waline.delete(first[3])
    waline.write(THREADS[1], "小林", "新的一条")
    waline.write(THREADS[0], "老王", "答很早的一条", roots[0], roots[0])
    space.crawl()
    is_read(space, {**before, **waline.live})  # what was deleted since stays as evidence

    again = Workspace.with_source(tmp_path / "second", **wanted)
    again.crawl()
    is_read(again, waline.live)


def test_the_newest_comments_of_a_whole_server_are_told_to_be_no_more_than_that(waline: Waline, tmp_path: Path) -> None:
    for number in range(60):
        waline.write(f"/post/{number % 5}/", f"网友{number % 7}", f"第 {number} 条")
    space = Workspace.with_source(tmp_path / "space", platform="waline", delay_seconds=0.0, urls=[waline.home])
    said = space.crawl()
    found = space.posts()
    assert len(found) == 50
    assert found.items() <= waline.live.items()
    assert "Waline" in said
    assert "50" in said
