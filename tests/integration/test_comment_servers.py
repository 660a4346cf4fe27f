"""The Isso and Waline spiders against comment servers on this machine that page as those do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from spiders.events import Vanished
from tests.sites import Answer, Query, Site, crawled, items_of, marks_of, outcome_of, troubles_of

START = 1772600000
URI = "/post/1/"


@dataclass
class Comments:
    """Comments by id, oldest first; ``deleted`` ones are there as long as somebody answers them."""

    written: dict[int, dict[str, Any]] = field(default_factory=dict)
    deleted: set[int] = field(default_factory=set)
    has_latest: bool = True

    def write(self, author: str, text: str, parent: int | None = None, uri: str = URI) -> int:
        own = len(self.written) + 1
        self.written[own] = {"author": author, "text": text, "parent": parent, "uri": uri, "at": START + 60.5 * own}
        return own

    def ids(self, uri: str | None = None) -> set[str]:
        return {str(own) for own, one in self.written.items() if own not in self.deleted and uri in (None, one["uri"])}

    def isso(self, path: str, query: Query) -> Answer | None:
        asked = dict(query)
        if path == "/latest":
            shown = [self._isso(own) for own in self.written if own not in self.deleted][-int(asked["limit"]) :]
            return (200, {}, shown) if self.has_latest else None
        after, limit = float(asked.get("after", 0)), int(asked["limit"])
        parent = int(asked["parent"]) if "parent" in asked else None
        found = [own for own in self._under(asked["uri"], parent) if self.written[own]["at"] > after][:limit]
        if parent is not None:
            return 200, {}, {"id": parent, "replies": [self._isso(own) for own in found], "hidden_replies": 0}
        roots = []
        for own in found:
            answers = self._under(asked["uri"], own)
            shown = answers[: int(asked["nested_limit"])]
            hidden = {"total_replies": len(answers), "hidden_replies": len(answers) - len(shown)}
            roots.append({**self._isso(own), **hidden, "replies": [self._isso(one) for one in shown]})
        # counts those before this page too, as Isso does
        return 200, {}, {"id": None, "replies": roots, "hidden_replies": len(self._under(asked["uri"], None)) - len(roots)}

    def _under(self, uri: str, parent: int | None) -> list[int]:
        def is_there(own: int) -> bool:
            return own not in self.deleted or any(one["parent"] == own for one in self.written.values())

        found = [own for own, one in self.written.items() if (one["uri"], one["parent"]) == (uri, parent)]
        return [own for own in found if is_there(own)]

    def _isso(self, own: int) -> dict[str, Any]:
        one, is_gone = self.written[own], own in self.deleted
        said = {"text": "", "author": None, "mode": 4} if is_gone else {"text": one["text"], "author": one["author"], "mode": 1}
        return {"id": own, "parent": one["parent"], "created": one["at"], "uri": one["uri"], "likes": 0, **said}

    def waline(self, path: str, query: Query) -> Answer | None:
        asked = dict(query)
        if path != "/api/comment":
            return None
        newest = [own for own in reversed(self.written) if own not in self.deleted]
        if asked.get("type") == "recent":
            return (
                200,
                {},
                {"errno": 0, "errmsg": "", "data": [self._waline(own) for own in newest[: min(50, int(asked["count"]))]]},
            )
        mine = [own for own in newest if self.written[own]["uri"] == asked["path"]]
        roots = [own for own in mine if self.written[own]["parent"] is None]
        size, number = int(asked["pageSize"]), int(asked["page"])
        page = [
            {**self._waline(own), "children": [self._waline(one) for one in mine if self._root(one) == own != one]}
            for own in roots[size * (number - 1) : size * number]
        ]
        data = {"page": number, "totalPages": -(-len(roots) // size), "pageSize": size, "count": len(mine), "data": page}
        return 200, {}, {"errno": 0, "errmsg": "", "data": data}

    def _root(self, own: int) -> int:
        parent = self.written[own]["parent"]
        return self._root(parent) if parent else own

    def _waline(self, own: int) -> dict[str, Any]:
        one = self.written[own]
        tree = {"pid": one["parent"], "rid": self._root(own) if one["parent"] else None, "url": one["uri"]}
        said = {"comment": f"<p>{one['text']}</p>", "nick": one["author"], "time": int(one["at"] * 1000), "like": 1}
        return {"objectId": own, "status": "approved", **said, **tree}


@pytest.fixture
def comments() -> Comments:
    """210 roots in one thread, one of them with 120 answers, and a few comments in another."""
    made = Comments()
    roots = [made.write(f"网友{number % 5}", f"第 {number} 条") for number in range(210)]
    for number in range(120):
        made.write("小林", f"同感 {number}", roots[7])
    for number in range(3):
        made.write("老王", f"别处 {number}", uri="/评测/")
    made.deleted |= {roots[7], roots[20]}
    return made


@pytest.fixture(params=["isso", "waline"])
def platform(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def site(platform: str, comments: Comments) -> Iterator[Site]:
    if platform == "waline":  # which takes answers away with what they answer
        comments.deleted |= {own for own, one in comments.written.items() if one["parent"] in comments.deleted}
        for number in range(120):
            comments.write("小林", f"又同感 {number}", 9)
    with Site(comments.isso if platform == "isso" else comments.waline) as running:
        yield running


def own_ids(site: Site) -> Callable[[list[Any]], list[str]]:
    return lambda events: [item.post_id.removeprefix(f"{site.site}:comment:") for item in items_of(events)]


def test_a_thread_is_read_whole_each_comment_once(platform: str, site: Site, comments: Comments) -> None:
    events = crawled(platform, posts=(URI,), base_url=site.url)
    found = own_ids(site)(events)
    assert len(found) == len(set(found))
    assert set(found) == comments.ids(URI)
    assert outcome_of(events) == "done"
    assert {item.root_id for item in items_of(events)} == {f"{site.site}:thread:{URI}"}
    by_address = crawled(platform, urls=(f"{site.url}/?{'uri' if platform == 'isso' else 'path'}={URI}",))
    assert set(own_ids(site)(by_address)) == comments.ids(URI)


def test_an_answer_to_an_old_comment_is_heard_by_the_next_crawl(platform: str, site: Site, comments: Comments) -> None:
    first = crawled(platform, posts=(URI,), base_url=site.url)
    new = comments.write("老王", "答很早的一条", 9)
    again = crawled(platform, posts=(URI,), base_url=site.url, marks=marks_of(first), overlap_hours=0)
    answer = next(item for item in items_of(again) if item.post_id == f"{site.site}:comment:{new}")
    assert answer.parent_id == f"{site.site}:comment:9"
    assert marks_of(again)[f"thread:{URI}"].posted_at == answer.posted_at


def test_a_thread_beyond_its_limit_of_pages_is_told(platform: str, site: Site) -> None:
    events = crawled(platform, posts=(URI,), base_url=site.url, max_comment_pages=1)
    assert [kind for kind, _ in troubles_of(events)] == ["limited"]


def test_the_newest_comments_of_all_threads_are_read(platform: str, site: Site, comments: Comments) -> None:
    events = crawled(platform, urls=(site.url,))
    found = set(own_ids(site)(events))
    if platform == "isso":
        assert (found, troubles_of(events)) == (comments.ids(), [])
    else:  # 50 are all that Waline gives
        assert found == set(sorted(comments.ids(), key=int)[-50:])
        assert [kind for kind, _ in troubles_of(events)] == ["limited"]
    comments.write("小林", "新的", uri="/评测/")
    again = crawled(platform, urls=(site.url,), marks=marks_of(events), overlap_hours=0.5)
    assert items_of(again)[0].text == "新的"
    assert troubles_of(again) == []


def test_one_comment_is_looked_at_again_until_it_is_gone(platform: str, site: Site, comments: Comments) -> None:
    pages = "https://blog.example"
    first = crawled(platform, posts=(URI,), base_url=site.url, options={"pages": pages})
    item = next(one for one in items_of(first) if one.post_id.endswith(":comment:12"))
    assert item.url.startswith(f"{pages}{URI}#")
    asked = {"posts": (item.url,), "base_url": site.url, "options": {"pages": pages}}
    assert [one.post_id for one in items_of(crawled(platform, **asked))] == [item.post_id]
    bare = next(one for one in items_of(crawled(platform, posts=(URI,), base_url=site.url)) if one.post_id == item.post_id)
    assert [one.post_id for one in items_of(crawled(platform, posts=(bare.url,)))] == [item.post_id]
    site.requests.clear()
    looked = crawled(platform, looks=(item.url, item.url.replace("12", "13")), base_url=site.url, options={"pages": pages})
    assert [one.post_id[-2:] for one in items_of(looked)] == ["12", "13"]
    asked_once = len(site.requests)
    comments.deleted.add(12)
    vanished = [one for one in crawled(platform, **{**asked, "posts": ()}, looks=(item.url,)) if isinstance(one, Vanished)]
    assert [one.ref for one in vanished] == [item.url]
    assert len(site.requests) == 2 * asked_once
    gone = crawled(platform, **asked)
    assert [kind for kind, _ in troubles_of(gone)] == ["failed"]
    assert "no more" in troubles_of(gone)[0][1]


def test_what_these_servers_do_not_show_is_told(platform: str, site: Site, comments: Comments) -> None:
    comments.has_latest = False
    asked = {"queries": ("星澜",), "accounts": (f"{site.site}:guest:小林",), "base_url": site.url}
    told = troubles_of(crawled(platform, **asked))
    assert [kind for kind, _ in told] == ["failed", "failed"]
    assert all("no search" in words or "no timelines" in words for _, words in told)
    wrong = crawled(platform, posts=("https://other.example/x#", f"{site.url}/#isso-1"), base_url=site.url)
    assert {kind for kind, _ in troubles_of(wrong)} == {"failed"}
    if platform == "isso":
        assert "latest-enabled" in troubles_of(crawled(platform, urls=(site.url,)))[0][1]
    nowhere = crawled(platform, posts=(URI,))
    assert "base_url" in troubles_of(nowhere)[0][1]
