"""The Mastodon spider against a server on this machine that pages as Mastodon does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import pytest

from spiders.events import Vanished
from tests.sites import Answer, Query, Site, crawled, items_of, marks_of, outcome_of, troubles_of

START = datetime(2026, 3, 1, tzinfo=UTC)
DOMAIN = "brand.example"
"""What the server's accounts are named after; its address is another."""


@dataclass
class Server:
    """Statuses by id, oldest first."""

    statuses: dict[int, dict[str, Any]] = field(default_factory=dict)
    open: bool = True

    def write(self, user: str, text: str, *, answers: int | None = None, boosts: int | None = None) -> int:
        own = 100 + len(self.statuses)
        at = (START + timedelta(minutes=len(self.statuses))).isoformat()
        self.statuses[own] = {
            "id": str(own), "created_at": at, "in_reply_to_id": str(answers) if answers else None, "content": f"<p>{text}</p>",
            "uri": f"https://{DOMAIN}/users/{user}/statuses/{own}", "url": f"https://{DOMAIN}/@{user}/{own}",
            "replies_count": 0, "reblogs_count": 0, "favourites_count": 0, "account": {"id": f"7{user}", "acct": user},
            "reblog": self.statuses[boosts] if boosts else None,
        }  # fmt: skip
        if answers:
            self.statuses[answers]["replies_count"] += 1
        return own

    def below(self, own: str) -> list[dict[str, Any]]:
        found = [one for one in self.statuses.values() if one["in_reply_to_id"] == own]
        return [deeper for one in found for deeper in (one, *self.below(one["id"]))]

    def _above(self, own: str) -> list[dict[str, Any]]:
        parent = self.statuses[int(own)]["in_reply_to_id"]
        return [*self._above(parent), self.statuses[int(parent)]] if parent else []

    def answer(self, path: str, query: Query) -> Answer | None:
        asked, parts = dict(query), unquote(path).strip("/").split("/")[1:]
        if parts == ["v2", "instance"]:
            return 200, {}, {"domain": DOMAIN}
        if not self.open:
            return 422, {}, {"error": "This method requires an authenticated user"}
        if parts[1:] == ["accounts", "lookup"]:
            known = {one["account"]["acct"] for one in self.statuses.values()}
            return (200, {}, {"id": f"7{asked['acct']}"}) if asked["acct"] in known else None
        if parts[1] == "statuses" and int(parts[2]) not in self.statuses:
            return None
        if parts[1] == "statuses" and parts[3:] == ["context"]:
            thread = self.below(parts[2])
            return 200, {}, {"ancestors": self._above(parts[2]), "descendants": thread[:60]}
        if parts[1] == "statuses":
            return 200, {}, self.statuses[int(parts[2])]
        return self._page(path, parts, asked)

    def _page(self, path: str, parts: list[str], asked: dict[str, str]) -> Answer:
        found = [one for one in reversed(self.statuses.values()) if int(one["id"]) < int(asked.get("max_id", 10**9))]
        if parts[1] == "accounts":
            found = [one for one in found if one["account"]["id"] == parts[2]]
            found = [one for one in found if not (one["reblog"] and "exclude_reblogs" in asked)]
        elif parts[2] == "tag":
            found = [one for one in found if f"#{parts[3]}" in one["content"] and not one["reblog"]]
        page = found[:40]
        shown = [one for one in page if one["id"][-1] != "3"]  # what is filtered leaves a page short, and is no end
        link = {"Link": f'<http://{DOMAIN}{path}?max_id={page[-1]["id"]}>; rel="next"'} if len(found) > 40 else {}
        return 200, link, shown


@pytest.fixture
def server() -> Server:
    """130 posts of a tag, among them answers and boosts; a thread 150 answers deep, one 80 answers wide."""
    made = Server()
    for number in range(130):
        answers = 100 if number % 20 == 7 else 101 if number == 49 else None
        made.write("xiaolu" if number % 2 else "aqiu", f"#晴川 第 {number} 条", answers=answers)
    for boosted in (104, 111):
        made.write("xiaolu", "", boosts=boosted)
    above = made.write("pine", "一条很深的讨论")
    for number in range(150):
        above = made.write(f"user{number % 3}", f"第 {number} 层", answers=above)
    root = made.write("pine", "一条很宽的讨论")
    for number in range(80):
        made.write(f"user{number % 3}", f"第 {number} 楼", answers=root)
    return made


@pytest.fixture
def site(server: Server) -> Iterator[Site]:
    with Site(server.answer) as running:
        yield running


def shown(server: Server, word: str) -> list[dict[str, Any]]:
    return [one for one in server.statuses.values() if word in one["content"] and one["id"][-1] != "3" and not one["reblog"]]


def test_a_hashtag_is_read_to_its_end_with_what_answers_hang_on(site: Site, server: Server) -> None:
    events = crawled("mastodon", queries=("#晴川",), base_url=site.url, comments=False)
    found = {item.post_id: item for item in items_of(events)}
    assert set(found) == {one["uri"] for one in shown(server, "#晴川")}
    assert outcome_of(events) == "done"
    answer = found[f"https://{DOMAIN}/users/xiaolu/statuses/149"]
    assert answer.parent_id == f"https://{DOMAIN}/users/xiaolu/statuses/101"
    assert found[f"https://{DOMAIN}/users/xiaolu/statuses/127"].root_id == f"https://{DOMAIN}/users/aqiu/statuses/100"
    again = crawled(
        "mastodon", queries=("#晴川",), base_url=site.url, marks=marks_of(events), overlap_hours=0.1, comments=False
    )
    assert len(items_of(again)) < 45


def test_a_timeline_has_boosts_and_what_they_boost(site: Site) -> None:
    asked = {"accounts": (f"xiaolu@{site.site}",), "base_url": site.url, "comments": False}
    found = items_of(crawled("mastodon", **asked))
    boosts = [item for item in found if item.kind == "repost"]
    assert [(one.text, one.parent_id) for one in boosts] == [
        (f"//@xiaolu@{DOMAIN}: #晴川 第 11 条", f"https://{DOMAIN}/users/xiaolu/statuses/111"),
        (f"//@aqiu@{DOMAIN}: #晴川 第 4 条", f"https://{DOMAIN}/users/aqiu/statuses/104"),
    ]
    assert f"https://{DOMAIN}/users/aqiu/statuses/104" in {item.post_id for item in found}
    assert {item.author_id for item in found} == {f"xiaolu@{DOMAIN}", f"aqiu@{DOMAIN}"}
    without = items_of(crawled("mastodon", **asked, options={"boosts": False}))
    assert {item.kind for item in without} == {"post", "comment"}
    assert {item.author_id for item in without} == {f"xiaolu@{DOMAIN}"}


def test_one_post_is_read_with_all_that_answers_it_beyond_what_is_shown_at_once(site: Site, server: Server) -> None:
    root = next(one for one in server.statuses.values() if "很深" in one["content"])
    events = crawled("mastodon", posts=(f"{site.url}/@pine/{root['id']}",))
    assert {item.post_id for item in items_of(events)} == {root["uri"], *(one["uri"] for one in server.below(root["id"]))}
    assert {item.root_id for item in items_of(events)[1:]} == {root["uri"]}
    assert troubles_of(events) == []
    boost = next(own for own, one in server.statuses.items() if one["reblog"])
    looked = crawled("mastodon", looks=(f"{site.url}/@xiaolu/{boost}", f"{site.url}/@pine/999"), own_urls=(site.url,))
    assert [item.kind for item in items_of(looked)] == ["repost"]
    assert [one.ref for one in looked if isinstance(one, Vanished)] == [f"{site.url}/@pine/999"]


def test_answers_that_no_visitor_is_shown_are_told(site: Site, server: Server) -> None:
    root = next(one for one in server.statuses.values() if "很宽" in one["content"])
    events = crawled("mastodon", posts=(f"{site.url}/@pine/{root['id']}",))
    assert (len(items_of(events)), [kind for kind, _ in troubles_of(events)]) == (61, ["limited"])


def test_a_server_that_shows_visitors_nothing_is_blocked_and_one_nobody_knows_is_told(site: Site, server: Server) -> None:
    assert troubles_of(crawled("mastodon", accounts=(f"nobody@{site.site}",), base_url=site.url))[0][0] == "failed"
    server.open = False
    events = crawled("mastodon", urls=(f"{site.url}/public/local",), queries=("晴川",), base_url=site.url)
    assert outcome_of(events) == "blocked"
    assert {kind for kind, _ in troubles_of(events)} == {"blocked"}
