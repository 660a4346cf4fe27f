"""The atproto spider against an AppView on this machine: feeds, searches, threads deeper than one answer, quotes, walls."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from spiders.collect import Covered
from tests.local_site import Answer, Asked, Site, as_json, crawled, items_of, marks_of, outcome_of, troubles_of

NOW = datetime.now(UTC).replace(microsecond=0)
LU, QIU = "did:plc:xiaolu", "did:plc:aqiu"
SHOWN, DEEP = 10, 3


@dataclass
class AppView:
    posts: dict[str, dict[str, Any]] = field(default_factory=dict)
    walled: bool = False

    def post(self, did: str, key: str, text: str, at: datetime, parent: str = "", quoted: str = "") -> str:
        uri, record = f"at://{did}/app.bsky.feed.post/{key}", {"text": text, "createdAt": at.isoformat()}
        if parent:
            above = self.posts[parent]["record"].get("reply")
            root = above["root"]["uri"] if above else parent
            record["reply"] = {"root": {"uri": root}, "parent": {"uri": parent}}  # type: ignore[assignment]
        if quoted:
            record["embed"] = {"record": {"uri": quoted}}  # type: ignore[assignment]
        author = {"did": did, "handle": f"{did.rpartition(':')[2]}.example"}
        self.posts[uri] = {"uri": uri, "author": author, "record": record, "indexedAt": at.isoformat(), "likeCount": 1}
        return uri

    def _view(self, uri: str) -> dict[str, Any]:
        return {**self.posts[uri], "replyCount": len(self._under(uri)), "quoteCount": len(self._quoting(uri)), "repostCount": 0}

    def _under(self, uri: str) -> list[str]:
        return [key for key, one in self.posts.items() if one["record"].get("reply", {}).get("parent", {}).get("uri") == uri]

    def _quoting(self, uri: str) -> list[str]:
        return [key for key, one in self.posts.items() if one["record"].get("embed", {}).get("record", {}).get("uri") == uri]

    def _thread(self, uri: str, depth: int) -> dict[str, Any]:
        node = {"$type": "app.bsky.feed.defs#threadViewPost", "post": self._view(uri)}
        return node if not depth else {**node, "replies": [self._thread(one, depth - 1) for one in self._under(uri)]}

    def answer(self, asked: Asked) -> Answer | None:
        method, query = asked.path.removeprefix("/xrpc/"), asked.query
        newest = sorted(self.posts, key=lambda uri: self.posts[uri]["indexedAt"], reverse=True)
        if method == "app.bsky.feed.searchPosts":
            if self.walled:
                return Answer(b"<html>Forbidden</html>", 403)
            return self._page("posts", [one for one in newest if query["q"] in self.posts[one]["record"]["text"]], query)
        if method == "app.bsky.feed.getAuthorFeed":
            mine = [
                one
                for one in newest
                if query["actor"] in (self.posts[one]["author"]["did"], self.posts[one]["author"]["handle"])
            ]
            if not mine:
                return as_json({"error": "InvalidRequest", "message": "Profile not found"}, 400)
            return self._page("feed", mine, query)
        if method == "app.bsky.feed.getQuotes":
            return self._page("posts", self._quoting(query["uri"]), query)
        if method == "app.bsky.feed.getPosts":
            return as_json({"posts": [self._view(query["uris"])] if query["uris"] in self.posts else []})
        if method == "app.bsky.feed.getPostThread":
            return as_json({"thread": self._thread(query["uri"], min(DEEP, int(query["depth"])))})
        if method == "app.bsky.actor.getProfile":
            return as_json({"did": f"did:plc:{query['actor'].removesuffix('.example')}"})
        return None

    def _page(self, name: str, uris: list[str], query: Any) -> Answer:
        start = int(query.get("cursor", 0))
        views: list[Any] = [self._view(one) for one in uris[start : start + SHOWN]]
        more = {"cursor": str(start + SHOWN)} if start + SHOWN < len(uris) else {}
        return as_json({name: [{"post": one} for one in views] if name == "feed" else views, **more})


def season() -> AppView:
    view = AppView()
    for n in range(25):
        view.post(LU, f"p{n:02}", f"星澜第 {n} 天", NOW - timedelta(days=25 - n))
    above = f"at://{LU}/app.bsky.feed.post/p03"
    for depth in range(8):  # deeper than the server shows at once
        above = view.post(QIU, f"r{depth}", f"回复 {depth}", NOW - timedelta(days=20, hours=-depth), parent=above)
    view.post(QIU, "q1", "引用：不同意", NOW - timedelta(days=2), quoted=f"at://{LU}/app.bsky.feed.post/p20")
    return view


def test_a_search_is_read_to_its_end_with_whole_threads_and_quotes_each_once() -> None:
    view = season()
    with Site(view.answer) as site:
        events = crawled("atproto", queries=("星澜",), base_url=site.url)
    found = items_of(events)
    assert outcome_of(events) == "done"
    assert sorted(item.post_id for item in found) == sorted(view.posts)
    by_id = {item.post_id.rpartition("/")[2]: item for item in found}
    assert (by_id["r7"].parent_id, by_id["r7"].root_id) == (by_id["r6"].post_id, by_id["p03"].post_id)
    assert (by_id["q1"].kind, by_id["q1"].parent_id) == ("repost", by_id["p20"].post_id)


def test_crawled_again_only_threads_that_grew_are_read_again() -> None:
    view = season()
    with Site(view.answer) as site:
        first = crawled("atproto", accounts=(LU,), base_url=site.url)
        assert Covered("atproto", LU) in first
        view.post(QIU, "late", "后来才说", NOW, parent=f"at://{LU}/app.bsky.feed.post/p22")
        site.asked.clear()
        again = crawled("atproto", accounts=(LU,), base_url=site.url, marks=marks_of(first), overlap_hours=24 * 6)
        threads = [one.query["uri"] for one in site.asked if one.path.endswith("getPostThread")]
    known = {item.post_id for item in items_of(first)}
    assert {item.post_id for item in items_of(again)} - known == {f"at://{QIU}/app.bsky.feed.post/late"}
    assert threads == [f"at://{LU}/app.bsky.feed.post/p22"]


def test_one_post_is_read_by_its_address_with_a_handle() -> None:
    view = season()
    with Site(view.answer) as site:
        events = crawled("atproto", posts=("https://bsky.app/profile/xiaolu.example/post/p03",), base_url=site.url)
        gone = crawled("atproto", posts=(f"at://{LU}/app.bsky.feed.post/no",), base_url=site.url)
        odd = crawled("atproto", posts=("https://bsky.app/about",), base_url=site.url)
    assert len(items_of(events)) == 9
    assert [outcome_of(one) for one in (events, gone, odd)] == ["done", "failed", "failed"]
    assert "no address of a post" in troubles_of(odd)[0].message


def test_a_wall_an_unknown_account_and_an_empty_search_look_different() -> None:
    view = season()
    with Site(view.answer) as site:
        empty = crawled("atproto", queries=("没有的词",), base_url=site.url)
        nobody = crawled("atproto", accounts=("did:plc:nobody",), base_url=site.url)
        view.walled = True
        blocked = crawled("atproto", queries=("星澜",), base_url=site.url)
    assert (outcome_of(empty), items_of(empty)) == ("done", [])
    assert [(one.kind, "no such account" in one.message) for one in troubles_of(nobody)] == [("failed", True)]
    assert [one.kind for one in troubles_of(blocked)] == ["blocked"]


def test_more_answers_than_may_be_asked_for_are_told() -> None:
    with Site(season().answer) as site:
        events = crawled("atproto", posts=(f"at://{LU}/app.bsky.feed.post/p03",), base_url=site.url, max_comment_pages=1)
    assert len(items_of(events)) == 1 + DEEP
    assert [one.kind for one in troubles_of(events)] == ["limited"]


def test_a_profiles_address_is_its_feed() -> None:
    view = season()
    with Site(view.answer) as site:
        events = crawled("atproto", urls=("https://bsky.app/profile/aqiu.example",), base_url=site.url, comments=False)
    assert len([item for item in items_of(events) if item.author_id == QIU]) == 9
