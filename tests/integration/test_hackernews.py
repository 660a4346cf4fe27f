"""The Hacker News spider against an index and a Firebase on this machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.sites import Answer, Query, Site, crawled, items_of, marks_of, outcome_of, troubles_of

START = 1772600000


@dataclass
class Index:
    """Posts by id, oldest first. Searches show at most a thousand hits, as Algolia's do."""

    posts: dict[int, dict[str, Any]] = field(default_factory=dict)

    def write(self, author: str, text: str, parent: int | None = None, at: int | None = None) -> int:
        own = len(self.posts) + 1
        story = self.posts[parent]["story"] if parent else own
        self.posts[own] = {"author": author, "text": text, "parent": parent, "story": story, "at": at or START + 60 * own}
        return own

    def answer(self, path: str, query: Query) -> Answer | None:
        asked, parts = dict(query), path.removesuffix(".json").strip("/").split("/")
        if parts[:3] == ["api", "v1", "items"]:
            return (200, {}, self._tree(int(parts[3]))) if int(parts[3]) in self.posts else None
        if parts[:3] == ["api", "v1", "search_by_date"]:
            return 200, {}, self._search(asked)
        if parts[:2] == ["v0", "item"]:
            return 200, {}, self._fire(int(parts[2]))
        if parts[:2] == ["v0", "user"]:
            mine = [own for own, one in self.posts.items() if one["author"] == parts[2]]
            return 200, {}, {"id": parts[2], "submitted": mine[::-1]} if mine else None
        return (
            (200, {}, [own for own, one in self.posts.items() if not one["parent"]]) if parts == ["v0", "newstories"] else None
        )

    def _search(self, asked: dict[str, str]) -> Any:
        until = int(re.sub(r".*<=", "", asked["numericFilters"])) if "numericFilters" in asked else 2**40
        author = re.search(r"author_(\w+)", asked["tags"])
        kinds = asked["tags"].split(",author")[0].strip("()").split(",")
        found = [
            (own, one)
            for own, one in self.posts.items()
            if one["at"] <= until
            and asked.get("query", "") in one["text"]
            and (author is None or one["author"] == author[1])
            and ("comment" if one["parent"] else "story") in kinds
        ]
        found.sort(key=lambda pair: -pair[1]["at"])
        size, number = int(asked["hitsPerPage"]), int(asked.get("page", 0))
        return {"hits": [self._hit(own) for own, _ in found[:1000][size * number :][:size]], "nbHits": len(found)}

    def _hit(self, own: int) -> dict[str, Any]:
        one, is_comment = self.posts[own], self.posts[own]["parent"] is not None
        hit = {"objectID": str(own), "author": one["author"], "created_at_i": one["at"], "story_id": one["story"]}
        if is_comment:
            return {**hit, "parent_id": one["parent"], "comment_text": one["text"]}
        return {**hit, "title": one["text"], "num_comments": sum(post["story"] == own for post in self.posts.values()) - 1}

    def _kids(self, own: int) -> list[int]:
        return [other for other, one in self.posts.items() if one["parent"] == own]

    def _tree(self, own: int) -> dict[str, Any]:
        one = self.posts[own]
        node = {"id": own, "author": one["author"], "created_at_i": one["at"], "parent_id": one["parent"], "text": one["text"]}
        return {**node, "story_id": one["story"], "children": [self._tree(kid) for kid in self._kids(own)]}

    def _fire(self, own: int) -> dict[str, Any] | None:
        if own not in self.posts:
            return None
        one = self.posts[own]
        kind = {"type": "comment", "text": one["text"], "parent": one["parent"]} if one["parent"] else {"type": "story"}
        count = {} if one["parent"] else {"title": one["text"], "descendants": 7}
        return {"id": own, "by": one["author"], "time": one["at"], "kids": self._kids(own), **kind, **count}


@pytest.fixture
def index() -> Index:
    """1300 comments of one word, 180 of them of one second; a story with answers to answers."""
    made = Index()
    story = made.write("autumn", "Show: Qingchuan")
    first = made.write("deer", "peels", story)
    made.write("pine", "same here", made.write("fir", "mine not", first))
    other = made.write("oak", "Ask: cups")
    for number in range(1300):
        made.write(f"user{number % 4}", f"Qingchuan {number}", other, at=START + 90_000 if 500 <= number < 680 else None)
    return made


@pytest.fixture
def site(index: Index) -> Iterator[Site]:
    with Site(index.answer) as running:
        yield running


def test_a_search_goes_on_past_the_thousand_hits_that_the_index_shows(site: Site, index: Index) -> None:
    events = crawled("hackernews", queries=("Qingchuan",), base_url=site.url, comments=False)
    found = [item.post_id for item in items_of(events)]
    wanted = {str(own) for own, one in index.posts.items() if "Qingchuan" in one["text"]}
    assert sorted(found) == sorted(wanted)
    asked = {"marks": marks_of(events), "overlap_hours": 1}
    again = crawled("hackernews", queries=("Qingchuan",), base_url=site.url, comments=False, **asked)
    assert 180 <= len(items_of(again)) <= 300


@pytest.mark.parametrize("api", ["algolia", "firebase"])
def test_a_timeline_and_one_story_with_its_tree(site: Site, index: Index, api: str) -> None:
    asked: dict[str, Any] = {"base_url": site.url, "options": {"api": api}}
    events = crawled("hackernews", urls=("https://news.ycombinator.com/item?id=1",), accounts=("pine",), **asked)
    assert outcome_of(events) == "done"
    assert {(one.post_id, one.parent_id, one.root_id) for one in items_of(events)} == {
        ("1", None, None),
        ("2", "1", "1"),
        ("3", "2", "1"),
        ("4", "3", "1"),
    }
    assert marks_of(events)["timeline:pine"].posted_at is not None
    if api == "firebase":
        stories = crawled("hackernews", urls=("https://news.ycombinator.com/newest",), comments=False, **asked)
        assert {one.post_id for one in items_of(stories)} == {"1", "5"}


def test_what_is_not_to_be_had_is_told(site: Site) -> None:
    firebase = {"api": "firebase"}
    assert "Firebase" in troubles_of(crawled("hackernews", queries=("x",), base_url=site.url, options=firebase))[0][1]
    for asked in ({"accounts": ("nobody",)}, {"posts": ("999999",)}, {"posts": ("x",)}):
        assert [kind for kind, _ in troubles_of(crawled("hackernews", base_url=site.url, options=firebase, **asked))] == [
            "failed"
        ]
    assert [kind for kind, _ in troubles_of(crawled("hackernews", base_url=site.url, posts=("999999",)))] == ["failed"]
    wrong = crawled("hackernews", base_url=site.url, urls=("https://news.ycombinator.com/jobs",))
    assert "jobs" in troubles_of(wrong)[0][1]
