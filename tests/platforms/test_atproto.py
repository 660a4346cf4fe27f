"""An AT Protocol network, from npm: what people post there through their PDS is what the listener reads from the AppView."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.platforms.workshop import HOST, Seen, Workshop, Workspace, run, unpacked
from tests.servers import free_port

PACKAGE = "@atproto/dev-env@0.3.215"  # the last line that runs on Node 20
POST, REPOST = "app.bsky.feed.post", "app.bsky.feed.repost"
SCRIPT = Path(__file__).with_name("atproto_network.cjs")
AS_NOBODY = ("runuser", "-u", "nobody", "--") if os.geteuid() == 0 else ()  # PostgreSQL does not run as root
START = datetime.now(UTC).replace(microsecond=0) - timedelta(days=20)


def install(place: Path) -> None:
    run("npm", "install", "--no-audit", "--no-fund", PACKAGE, cwd=place)
    run("npm", "rebuild", "better-sqlite3", cwd=place)  # where npm does not run a package's own build
    if not _postgres(Path("/")):
        unpacked(place, "postgresql")


def _postgres(root: Path) -> Path | None:
    """The programs of a PostgreSQL with its extensions, which the AppView wants (pg_trgm)."""
    return next(iter(sorted(root.glob("usr/lib/postgresql/*/bin"), reverse=True)), None)


@pytest.fixture
def database(workshop: Workshop) -> Iterator[str]:
    place = workshop.installed("atproto", install)
    programs = _postgres(Path("/")) or _postgres(place / "root")
    assert programs is not None
    folder, port = Path(tempfile.mkdtemp(prefix="koc-atp-")), free_port()
    if AS_NOBODY:
        shutil.chown(folder, "nobody")
    data = folder / "data"
    try:
        run(*AS_NOBODY, programs / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync", cwd=folder)
        command = (*AS_NOBODY, programs / "postgres", "-D", data, "-p", str(port), "-k", folder, "-h", HOST, "-F")

        def is_up() -> bool:
            try:
                run(programs / "pg_isready", "-h", HOST, "-p", str(port), cwd=folder)
            except RuntimeError:
                return False
            return True

        with workshop.running("postgres", command, is_up, cwd=folder):
            yield f"postgresql://postgres@{HOST}:{port}/postgres"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Network:
    """A running network, and what was posted: by uri (kind, parent, text)."""

    def __init__(self, pds: str, appview: str) -> None:
        self.appview = appview
        self._pds, self._app = (httpx.Client(base_url=f"{url}/xrpc/", timeout=30) for url in (pds, appview))
        self._sessions: dict[str, dict[str, Any]] = {}
        self._cids: dict[str, str] = {}
        self._at = START
        self.live: dict[str, tuple[str, str | None, str]] = {}

    def close(self) -> None:
        self._pds.close()
        self._app.close()

    def join(self, name: str) -> str:
        words = {"handle": f"{name}.test", "email": f"{name}@mail.test", "password": "geheim-geheim"}
        session = self._pds.post("com.atproto.server.createAccount", json=words).raise_for_status().json()
        self._sessions[session["did"]] = session
        self._write(session["did"], "app.bsky.actor.profile", {"displayName": name}, rkey="self")
        return str(session["did"])

    def _write(self, did: str, collection: str, record: dict[str, Any], **more: str) -> str:
        self._at += timedelta(minutes=3)
        record = {"$type": collection, "createdAt": self._at.isoformat().replace("+00:00", "Z"), **record}
        answer = self._call(did, "com.atproto.repo.createRecord", {"collection": collection, "record": record, **more})
        self._cids[answer["uri"]] = answer["cid"]
        return str(answer["uri"])

    def _call(self, did: str, method: str, words: dict[str, Any]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._sessions[did]['accessJwt']}"}
        answer = self._pds.post(method, json={"repo": did, **words}, headers=headers)
        assert answer.is_success, answer.text
        return dict(answer.json())

    def _ref(self, uri: str) -> dict[str, str]:
        return {"uri": uri, "cid": self._cids[uri]}

    def post(self, did: str, text: str) -> str:
        uri = self._write(did, POST, {"text": text, "langs": ["zh"]})
        self.live[uri] = ("post", None, text)
        return uri

    def answer(self, did: str, parent: str, root: str, text: str) -> str:
        uri = self._write(did, POST, {"text": text, "reply": {"root": self._ref(root), "parent": self._ref(parent)}})
        self.live[uri] = ("comment", parent, text)
        return uri

    def quote(self, did: str, quoted: str, text: str) -> str:
        embed = {"$type": "app.bsky.embed.record", "record": self._ref(quoted)}
        uri = self._write(did, POST, {"text": text, "embed": embed})
        self.live[uri] = ("repost", quoted, text)
        return uri

    def repost(self, did: str, original: str) -> str:
        uri = self._write(did, REPOST, {"subject": self._ref(original)})
        self.live[uri] = ("repost", original, f"//@: {self.live[original][2]}")
        return uri

    def delete(self, uri: str) -> None:
        _, _, did, collection, rkey = uri.split("/")
        self._call(did, "com.atproto.repo.deleteRecord", {"collection": collection, "rkey": rkey})
        del self.live[uri]

    def edit(self, uri: str, text: str) -> None:
        """Bluesky has no edits: a client that wants one deletes the post and writes it anew, under the same key."""
        _, _, did, collection, rkey = uri.split("/")
        self._call(did, "com.atproto.repo.deleteRecord", {"collection": collection, "rkey": rkey})
        self.settle(gone=[uri])
        self._write(did, POST, {"text": text, "langs": ["zh"]}, rkey=rkey)
        self.live[uri] = ("post", None, text)

    def settle(self, shown: list[str] | None = None, gone: list[str] | None = None) -> None:
        """Wait until the AppView has indexed what was written."""
        wanted = shown if shown is not None else [uri for uri in self.live if f"/{POST}/" in uri]
        _until(lambda: len(self._known(wanted)) == len(wanted))
        _until(lambda: not self._known(gone or []))

    def _known(self, uris: list[str]) -> set[str]:
        found: set[str] = set()
        for at in range(0, len(uris), 25):
            answer = self._app.get("app.bsky.feed.getPosts", params={"uris": uris[at : at + 25]}).raise_for_status()
            found |= {one["uri"] for one in answer.json()["posts"]}
        return found


def _until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < end, "the AppView did not follow"
        time.sleep(0.3)


@pytest.fixture
def network(workshop: Workshop, database: str, tmp_path: Path) -> Iterator[Network]:
    place, addresses = workshop.folder / "atproto", tmp_path / "addresses.json"
    command = ("node", SCRIPT, place / "node_modules", database, str(free_port()), str(free_port()), addresses)
    with workshop.running("atproto", command, addresses.exists, cwd=tmp_path):
        found = json.loads(addresses.read_text())
        running = Network(found["pds"].replace("localhost", HOST), found["appview"].replace("localhost", HOST))
        yield running
        running.close()


def seed(network: Network) -> tuple[list[str], list[str]]:
    """Four people; more posts of one than a page holds; answers as chains and as fans, quotes and reposts."""
    people = [network.join(name) for name in ("xiaolu", "aqiu", "beiyu", "laowang")]
    posts = [network.post(people[0], f"星澜洗发水第 {n} 天，头皮还行") for n in range(130)]
    posts += [network.post(people[n % 3 + 1], f"今天天气第 {n} 号") for n in range(20)]
    answers = []
    for n in range(12):
        above = posts[n]
        for depth in range(n % 5 + 1):
            above = network.answer(people[(n + depth) % 4], above, posts[n], f"同感 {n}.{depth}")
            answers.append(above)
    answers += [network.answer(people[n % 4], posts[40], posts[40], f"扇形回复 {n}") for n in range(15)]
    for n in range(6):
        network.quote(people[3], posts[n], f"引用第 {n} 条：不太同意")
    for n in range(9):
        network.repost(people[1 + n % 3], posts[60 + n])
    network.settle()
    return people, posts


def is_read(space: Workspace, expected: Seen) -> None:
    found = {uri: (kind, parent, re.sub("//@[^:]*:", "//@:", text)) for uri, (kind, parent, text) in space.posts().items()}
    assert (len(found), dict(found)) == (len(expected), dict(expected))


def test_what_people_post_is_read_twice_with_edits_deletions_and_new_answers_between(network: Network, tmp_path: Path) -> None:
    people, posts = seed(network)
    wanted: dict[str, object] = {"platform": "atproto", "base_url": network.appview, "accounts": people, "delay_seconds": 0.0}
    space = Workspace.with_source(tmp_path / "first", **wanted)
    space.crawl()
    assert len(network.live) == 130 + 20 + 33 + 15 + 6 + 9
    is_read(space, network.live)

    before = dict(network.live)
    network.edit(posts[129], "星澜洗发水第 129 天，改口了")
    network.delete(posts[128])
    gone = next(uri for uri, (kind, _, text) in network.live.items() if kind == "comment" and text == "扇形回复 3")
    network.delete(gone)
    late = network.answer(people[2], posts[45], posts[45], "后来才说的一句")
    network.quote(people[2], late, "再引用一次")
    network.repost(people[2], posts[100])
    network.post(people[3], "星澜，老王也来说一句")
    network.settle(gone=[posts[128], gone])
    space.crawl()
    is_read(space, {**before, **network.live})  # what was deleted since stays as evidence

    again = Workspace.with_source(tmp_path / "second", **wanted)
    again.crawl()
    is_read(again, network.live)


def test_a_search_brings_what_is_answered_and_quoted_under_its_posts(network: Network, tmp_path: Path) -> None:
    seed(network)
    wanted: dict[str, object] = {"platform": "atproto", "base_url": network.appview, "queries": ["星澜"], "delay_seconds": 0.0}
    space = Workspace.with_source(tmp_path / "first", **wanted)
    space.crawl()
    is_read(space, {uri: one for uri, one in network.live.items() if "天气" not in one[2] and f"/{REPOST}/" not in uri})
