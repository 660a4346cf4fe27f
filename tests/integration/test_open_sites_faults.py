"""Of every open platform: a wall, a changed page and nothing to read look different, and none of them like another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.sites import Query, Site, crawled, items_of, outcome_of, troubles_of

EMPTY: dict[str, Any] = {
    "discourse": {"latest_posts": [], "topic_list": {"topics": []}},
    "wordpress": [],
    "mastodon": [],
    "hackernews": {"hits": [], "nbHits": 0},
    "isso": [],
    "waline": {"errno": 0, "errmsg": "", "data": []},
}
ASKED: dict[str, dict[str, Any]] = {"hackernews": {"queries": ("星澜",)}}


def asked_of(platform: str, site: Site) -> dict[str, Any]:
    return ASKED.get(platform) or {"urls": (site.url,)}


@pytest.fixture(params=sorted(EMPTY))
def platform(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_nothing_to_read_is_no_trouble(platform: str) -> None:
    with Site(lambda path, query: (200, {}, EMPTY[platform])) as site:
        events = crawled(platform, **asked_of(platform, site), base_url=site.url)
    assert (outcome_of(events), items_of(events), troubles_of(events)) == ("done", [], [])


@pytest.mark.parametrize(
    ("status", "headers"), [(403, {}), (429, {"Retry-After": "600"}), (302, {"Location": "/login"}), (200, {})]
)
def test_a_wall_is_blocked_and_says_so(platform: str, status: int, headers: dict[str, str]) -> None:
    wall = b"<html><title>Login</title>please log in</html>"

    def answer(path: str, query: Query) -> Any:
        return (200, {"Content-Type": "text/html"}, wall) if path == "/login" else (status, headers, wall)

    with Site(answer) as site:
        events = crawled(platform, **asked_of(platform, site), base_url=site.url, options=_rest(platform))
    assert outcome_of(events) == "blocked"
    assert {kind for kind, _ in troubles_of(events)} == {"blocked"}
    assert items_of(events) == []


def test_a_changed_page_is_told_and_kept(platform: str, tmp_path: Path) -> None:
    page = {"errno": 0, "data": {"something": "else"}} if platform == "waline" else {"something": "else"}
    with Site(lambda path, query: (200, {}, page)) as site:
        home = {"base_url": site.url, "pages_dir": str(tmp_path)}
        events = crawled(platform, **asked_of(platform, site), **home, options=_rest(platform))
    kinds = {kind for kind, _ in troubles_of(events)}
    if platform == "wordpress":  # no list of posts where the API should be: a site without one
        assert kinds == {"blocked"}
        return
    assert (outcome_of(events), kinds) == ("failed", {"changed"})
    assert [one.read_bytes() for one in tmp_path.iterdir()] != []


def test_one_entry_of_another_shape_costs_itself_alone(platform: str) -> None:
    pages: dict[str, Any] = {
        "discourse": {"latest_posts": [{"id": 3}, _POST]},
        "wordpress": [{"id": 3}, _WORDPRESS],
        "mastodon": [{"id": "3"}, _STATUS],
        "hackernews": {"hits": [{"objectID": "3"}, {"objectID": "4", "author": "a", "created_at_i": 1772600000}]},
        "isso": [{"id": 3, "text": "x", "uri": "/"}, {"id": 4, "text": "x", "uri": "/", "created": 1772600000.5}],
        "waline": {"errno": 0, "data": [{"objectId": 3}, {"objectId": 4, "comment": "x", "time": 1772600000000}]},
    }

    def answer(path: str, query: Query) -> Any:
        if path == "/api/v2/instance":
            return 404, {}, {}
        return 200, {}, (EMPTY if "before" in dict(query) else pages)[platform]

    with Site(answer) as site:
        events = crawled(platform, **asked_of(platform, site), base_url=site.url, comments=False)
    assert (len(items_of(events)), outcome_of(events)) == (1, "failed")
    assert [kind for kind, _ in troubles_of(events)] == ["changed"]
    assert "unreadable" in troubles_of(events)[0][1]


def _rest(platform: str) -> dict[str, str]:
    return {"api": "rest"} if platform == "wordpress" else {}


_AT = "2026-03-01T08:00:00"
_POST = {"id": 4, "topic_id": 1, "post_number": 1, "username": "a", "cooked": "<p>x</p>", "created_at": f"{_AT}Z"}
_WORDPRESS = {"id": 4, "date": _AT, "date_gmt": _AT, "title": {"rendered": "x"}, "content": {"rendered": "x"}, "author": 1}
_STATUS = {"id": "4", "uri": "https://m.example/4", "account": {"acct": "a"}, "content": "x", "created_at": f"{_AT}Z"}
