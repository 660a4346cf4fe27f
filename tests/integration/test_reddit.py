"""The reddit spider against an API on this machine: credentials, listings, whole comment trees."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from spiders.collect import Covered
from tests.local_site import Answer, Asked, Site, as_json, crawled, items_of, marks_of, outcome_of, troubles_of

NOW = datetime.now(UTC).replace(microsecond=0)
OPTIONS = {"client_id": "app", "client_secret": "geheim"}
SHOWN, DEEP, BROAD = 10, 2, 3


@dataclass
class Api:
    things: dict[str, dict[str, Any]] = field(default_factory=dict)

    def post(self, key: str, author: str, text: str, at: datetime, parent: str = "", root: str = "") -> None:
        name, post = f"{'t1' if parent else 't3'}_{key}", root or key
        words = {"body": text} if parent else {"title": text, "selftext": ""}
        about = {"parent_id": parent, "link_id": f"t3_{root}"} if parent else {}
        link = f"/r/hair/comments/{post}/slug/" + (f"{key}/" if parent else "")
        own = {"name": name, "id": key, "author": author, "created_utc": at.timestamp(), "permalink": link}
        self.things[name] = {**own, **words, **about, "score": 1}

    def _under(self, name: str) -> list[str]:
        return [key for key, one in self.things.items() if one.get("parent_id") == name]

    def _count(self, name: str) -> int:
        return sum(1 + self._count(one) for one in self._under(name))

    def _thing(self, name: str) -> dict[str, Any]:
        counted = {"num_comments": self._count(name)} if name.startswith("t3") else {}
        return {"kind": name[:2], "data": {**self.things[name], **counted}}

    def _tree(self, name: str, depth: int) -> list[dict[str, Any]]:
        below = self._under(name)
        if below and not depth:
            return [{"kind": "more", "data": {"id": "_", "parent_id": name, "children": []}}]
        shown = [self._thing(one) for one in below[:BROAD]]
        for one in shown:
            under = self._tree(one["data"]["name"], depth - 1)
            one["data"]["replies"] = {"data": {"children": under}} if under else ""
        rest = [one[3:] for one in below[BROAD:]]
        return [*shown, {"kind": "more", "data": {"id": rest[0], "children": rest}}] if rest else shown

    def answer(self, asked: Asked) -> Answer | None:
        if asked.path == "/robots.txt":
            return Answer(b"User-agent: *\nDisallow: /")
        if asked.path == "/api/v1/access_token":
            wanted = "Basic " + base64.b64encode(b"app:geheim").decode()
            is_right = asked.headers.get("authorization") == wanted and asked.method == "POST"
            is_right = is_right and parse_qs(asked.body.decode()) == {"grant_type": ["client_credentials"]}
            return as_json({"access_token": "token-1"}) if is_right else as_json({"error": 401}, 401)
        if asked.headers.get("authorization") != "bearer token-1":
            return as_json({"error": 403}, 403)
        return self._open(asked)

    def _open(self, asked: Asked) -> Answer | None:
        query, newest = asked.query, sorted(self.things, key=lambda name: self.things[name]["created_utc"], reverse=True)
        if asked.path == "/r/hair/new":
            return self._listing([one for one in newest if one.startswith("t3")], query)
        if asked.path in ("/search", "/r/hair+care/search"):
            return self._listing([one for one in newest if query["q"] in self.things[one].get("title", "")], query)
        if asked.path.startswith("/user/"):
            return self._listing([one for one in newest if self.things[one]["author"] == asked.path.split("/")[2]], query)
        if asked.path == "/api/info":
            return self._listing([query["id"]] if query["id"] in self.things else [], query)
        if asked.path == "/api/morechildren":
            return as_json({"json": {"data": {"things": [self._thing(f"t1_{one}") for one in query["children"].split(",")]}}})
        if asked.path.startswith("/comments/") and (name := f"t3_{asked.path.split('/')[2]}") in self.things:
            above = f"t1_{query['comment']}" if "comment" in query else ""
            tree = self._tree(above or name, DEEP)
            if above:
                thing = self._thing(above)
                thing["data"]["replies"] = {"data": {"children": tree}}
                tree = [thing]
            return as_json([{"data": {"children": [self._thing(name)]}}, {"data": {"children": tree}}])
        return None

    def _listing(self, names: list[str], query: Any) -> Answer:
        start = names.index(query["after"]) + 1 if query.get("after") else 0
        shown = names[start : start + SHOWN]
        after = shown[-1] if start + SHOWN < len(names) else None
        return as_json({"data": {"children": [self._thing(one) for one in shown], "after": after}})


def season() -> Api:
    api = Api()
    for n in range(23):
        api.post(f"p{n:02}", f"author{n % 3}", f"晴川第 {n} 天", NOW - timedelta(days=23 - n))
    above = "t3_p05"
    for depth in range(7):  # deeper than a page shows
        at = NOW - timedelta(days=18, minutes=-depth)
        api.post(f"d{depth}", "author1", f"深 {depth}", at, above, "p05")
        above = f"t1_d{depth}"
    for n in range(9):  # broader too
        api.post(f"b{n}", "author2", f"宽 {n}", NOW - timedelta(days=17, minutes=-n), "t3_p05", "p05")
    return api


def test_a_subreddit_is_read_to_its_end_with_whole_trees_each_once() -> None:
    api = season()
    with Site(api.answer) as site:
        events = crawled("reddit", urls=("https://www.reddit.com/r/hair/",), base_url=site.url, options=OPTIONS)
        paths = site.paths()
    found = items_of(events)
    assert outcome_of(events) == "done"
    assert sorted(item.post_id for item in found) == sorted(api.things)
    assert paths.count("/api/v1/access_token") == 1
    by_id = {item.post_id: item for item in found}
    assert (by_id["t1_d6"].parent_id, by_id["t1_d6"].root_id) == ("t1_d5", "t3_p05")


def test_crawled_again_only_trees_that_grew_are_read_again() -> None:
    api = season()
    urls = ("https://www.reddit.com/r/hair/new/",)
    with Site(api.answer) as site:
        first = crawled("reddit", urls=urls, base_url=site.url, options=OPTIONS)
        api.post("late", "author0", "后来才说", NOW, "t3_p20", "p20")
        site.asked.clear()
        again = crawled("reddit", urls=urls, base_url=site.url, options=OPTIONS, marks=marks_of(first), overlap_hours=24 * 4)
        threads = [path for path in site.paths() if path.startswith("/comments/")]
    known = {item.post_id for item in items_of(first)}
    assert {item.post_id for item in items_of(again)} - known == {"t1_late"}
    assert threads == ["/comments/p20"]


def test_people_searches_and_single_posts() -> None:
    api = season()
    with Site(api.answer) as site:
        person = crawled("reddit", accounts=("author1",), base_url=site.url, options=OPTIONS, comments=False)
        inside = {**OPTIONS, "subreddits": ["hair", "care"]}
        search = crawled("reddit", queries=("第 5 天",), base_url=site.url, options=inside)
        single = crawled("reddit", posts=("t3_p05",), base_url=site.url, options=OPTIONS)
        comment = crawled(
            "reddit", posts=("https://www.reddit.com/r/hair/comments/p05/slug/d3/",), base_url=site.url, options=OPTIONS
        )
        gone = crawled("reddit", posts=("t1_nothere",), base_url=site.url, options=OPTIONS)
    assert {item.author_id for item in items_of(person)} == {"author1"}
    assert len(items_of(person)) == 8 + 7
    assert Covered("reddit", "author1") in person
    assert len(items_of(search)) == len(items_of(single)) == 17
    assert [item.post_id for item in items_of(comment)] == ["t1_d3", "t1_d4", "t1_d5", "t1_d6"]
    assert (outcome_of(gone), items_of(gone)) == ("failed", [])


def test_wrong_credentials_are_blocked_and_say_which_settings_to_look_at() -> None:
    with Site(season().answer) as site:
        wrong = {**OPTIONS, "client_secret": "falsch"}
        events = crawled("reddit", queries=("晴川",), base_url=site.url, options=wrong)
    (trouble,) = troubles_of(events)
    assert trouble.kind == "blocked"
    assert "client_secret" in trouble.message
    assert "falsch" not in trouble.message


def test_without_credentials_the_crawl_fails_and_says_so() -> None:
    with Site(season().answer) as site:
        events = crawled("reddit", queries=("晴川",), base_url=site.url, options={"client_secret": "geheim"})
        assert site.asked == []
    assert outcome_of(events) == "failed"
    assert "client_id" in str(events[-1])
    assert "geheim" not in str(events[-1])


def test_more_comments_than_may_be_asked_for_are_told() -> None:
    with Site(season().answer) as site:
        events = crawled("reddit", posts=("p05",), base_url=site.url, options=OPTIONS, max_comment_pages=2)
    assert 1 < len(items_of(events)) < 17
    assert [one.kind for one in troubles_of(events)] == ["limited"]


def test_an_address_that_is_none_of_reddits_lists_is_refused() -> None:
    with Site(season().answer) as site:
        events = crawled("reddit", urls=("https://www.reddit.com/wiki/x",), base_url=site.url, options=OPTIONS)
        odd = crawled("reddit", posts=("https://example.com/?",), base_url=site.url, options=OPTIONS)
    assert ["no address" in troubles_of(one)[0].message for one in (events, odd)] == [True, True]
