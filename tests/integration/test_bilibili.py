"""The bilibili spider against its interfaces as they are on this machine: spaces, single posts, what guests see of comments."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from spiders.collect import Covered
from tests.local_site import Answer, Asked, Site, as_json, crawled, items_of, marks_of, outcome_of, troubles_of

PAGES = Path(__file__).parents[1] / "pages" / "bilibili"
NOW = int((datetime.now(UTC) - timedelta(hours=1)).timestamp())
DAY = 86400
FIRST = 990000000000000000


@dataclass
class Api:
    """guests: how many comments a guest is shown, None for all."""

    size: int = 25
    comments: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    guests: int | None = None
    code: int = 0

    def dynamic(self, n: int) -> dict[str, Any]:
        total = sum(1 + len(one["replies"]) for one in self.comments.get(n, []))
        author = {"mid": 501, "name": "小鹿", "pub_ts": NOW - (self.size - n) * DAY}
        return {
            "id_str": str(FIRST + n),
            "basic": {"comment_id_str": str(FIRST + n), "comment_type": 17},
            "modules": {
                "module_author": author,
                "module_dynamic": {"desc": {"text": f"晴川第 {n} 天"}},
                "module_stat": {name: {"count": total if name == "comment" else 1} for name in ("comment", "like", "forward")},
            },
        }

    def comment(self, n: int, rpid: int, answers: int = 0) -> None:
        def one(own: int, parent: int) -> dict[str, Any]:
            about = {"content": {"message": f"评论 {own}"}, "member": {"mid": "7", "uname": "路人"}, "ctime": NOW - 60}
            return {"rpid": own, "mid": 7, "parent": parent, "root": parent, "rcount": 0, **about}

        below = [one(rpid * 1000 + at, rpid) for at in range(answers)]
        self.comments.setdefault(n, []).append({**one(rpid, 0), "rcount": answers, "replies": below})

    def answer(self, asked: Asked) -> Answer | None:
        if self.code and "reply" not in asked.path:
            return as_json({"code": self.code, "message": "风控校验失败"})
        query = asked.query
        if asked.path.endswith("/feed/space"):
            newest = list(range(self.size - 1, -1, -1))
            start = newest.index(int(query["offset"]) - FIRST) + 1 if "offset" in query else 0
            shown = newest[start : start + 12]
            more = {"has_more": start + 12 < len(newest), "offset": str(FIRST + shown[-1]) if shown else ""}
            return as_json({"code": 0, "data": {"items": [self.dynamic(n) for n in shown], **more}})
        if asked.path.endswith("/detail"):
            return as_json({"code": 0, "data": {"item": self.dynamic(int(query["id"]) - FIRST)}})
        if asked.path.endswith("/view"):
            known = query.get("bvid") == "BV1xx411c7mD" or query.get("aid") == "77001"
            return as_json(
                json.loads((PAGES / "video.json").read_text("utf-8")) if known else {"code": -404, "message": "啥都木有"}
            )
        if asked.path == "/x/v2/reply":
            return self._roots(self.comments.get(int(query["oid"]) - FIRST, []), int(query["pn"]))
        if asked.path == "/x/v2/reply/reply":
            roots = self.comments[int(query["oid"]) - FIRST]
            below = next(one for one in roots if one["rpid"] == int(query["root"]))["replies"]
            at = int(query["pn"])
            return as_json(
                {"code": 0, "data": {"replies": below[(at - 1) * 20 : at * 20], "page": {"size": 20, "count": len(below)}}}
            )
        return None

    def _roots(self, roots: list[dict[str, Any]], number: int) -> Answer:
        shown = roots[(number - 1) * 20 : number * 20] if self.guests is None else roots[: self.guests] if number == 1 else []
        cut = [{**one, "replies": one["replies"][:3]} for one in shown]
        about = {"num": number, "size": 20, "count": len(roots), "acount": sum(1 + len(one["replies"]) for one in roots)}
        return as_json({"code": 0, "data": {"replies": cut or None, "page": about, "upper": {"top": None}}})


def season(guests: int | None = None) -> Api:
    api = Api(guests=guests)
    for at in range(30):
        api.comment(20, 100 + at, answers=45 if at == 2 else 0)
    return api


def test_a_space_is_read_to_its_end_with_all_comments_where_they_are_shown() -> None:
    api = season()
    with Site(api.answer) as site:
        events = crawled("bilibili", accounts=("501",), base_url=site.url)
    found = items_of(events)
    assert outcome_of(events) == "done"
    assert len(found) == len({item.post_id for item in found}) == 25 + 30 + 45
    assert Covered("bilibili", "501") in events
    assert {item.parent_id for item in found if item.kind == "comment"} == {str(FIRST + 20), "102"}
    assert troubles_of(events) == []


def test_guests_who_are_shown_the_first_comments_alone_are_told_so() -> None:
    with Site(season(guests=3).answer) as site:
        events = crawled("bilibili", posts=(f"https://t.bilibili.com/{FIRST + 20}",), base_url=site.url)
    assert len(items_of(events)) == 1 + 3 + 45
    (trouble,) = troubles_of(events)
    assert (trouble.kind, "the first few only" in trouble.message) == ("limited", True)
    assert outcome_of(events) == "done"


def test_crawled_again_comments_are_asked_for_only_where_their_number_changed() -> None:
    api = season()
    with Site(api.answer) as site:
        first = crawled("bilibili", accounts=("501",), base_url=site.url)
        api.comment(22, 999)
        site.asked.clear()
        again = crawled("bilibili", accounts=("501",), base_url=site.url, marks=marks_of(first), overlap_hours=24 * 8)
        asked = [one.query["oid"] for one in site.asked if one.path == "/x/v2/reply"]
    assert asked == [str(FIRST + 22)]
    assert "999" in {item.post_id for item in items_of(again)}


@pytest.mark.parametrize("ref", ["BV1xx411c7mD", "https://www.bilibili.com/video/BV1xx411c7mD/?p=1", "av77001"])
def test_a_video_is_read_by_any_of_its_names(ref: str) -> None:
    with Site(season().answer) as site:
        events = crawled("bilibili", posts=(ref,), base_url=site.url, comments=False)
    assert [item.post_id for item in items_of(events)] == ["77001"]


def test_risk_control_a_deleted_video_and_an_empty_space_look_different() -> None:
    with Site(Api(code=-352).answer) as strict, Site(Api(size=0).answer) as empty:
        blocked = crawled("bilibili", accounts=("501",), base_url=strict.url)
        nothing = crawled("bilibili", urls=("https://space.bilibili.com/501/dynamic",), base_url=empty.url)
        gone = crawled("bilibili", posts=("BV1yy411c7mE",), base_url=empty.url)
        signed = crawled("bilibili", queries=("晴川",), base_url=empty.url)
        odd = crawled("bilibili", urls=("https://www.bilibili.com/v/popular",), posts=("x",), base_url=empty.url)
    assert [outcome_of(one) for one in (blocked, nothing, gone, signed)] == ["blocked", "done", "failed", "blocked"]
    assert "-352" in troubles_of(blocked)[0].message
    assert items_of(nothing) == []
    assert "signature" in troubles_of(signed)[0].message
    assert [one.kind for one in troubles_of(odd)] == ["failed", "failed"]
