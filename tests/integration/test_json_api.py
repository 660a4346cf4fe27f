"""The json_api spider against an interface on this machine, paged by cursor and by number."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from spiders.collect import options_faults
from spiders.events import Covered, Refused
from tests.sites import Answer, Query, Site, crawled, items_of, marks_of, outcome_of, troubles_of

FIELDS = {
    "post_id": "id", "author_id": "user.uid", "author_name": "user.name", "posted_at": "created", "title": "title",
    "text": "body", "url": "link", "likes": "stat.like", "parent_id": "reply_to", "images": "pics[].url",
}  # fmt: skip
OPTIONS: dict[str, Any] = {
    "platform": "xiaohongshu", "items": "data.list", "fields": FIELDS,
    "query": {"q": "{query}", "uid": "{account}", "p": "{page}"}, "page_size": 3, "ok": "code == `0`",
    "error": "msg", "headers": {"X-Key": "s3cret"},
}  # fmt: skip


def entry(n: int, **more: Any) -> dict[str, Any]:
    return {
        "id": n, "user": {"uid": f"u{n % 2}", "name": "小北"}, "created": 1772337906 + n, "title": f"标题{n}",
        "body": f"正文{n}", "link": f"https://p.example/{n}", "stat": {"like": "1.2万"},
        "pics": [{"url": f"https://p.example/{n}.jpg"}],
    } | more  # fmt: skip


class Interface:
    """Seven posts, newest first; by number or by cursor."""

    def __init__(self, *, by_cursor: bool = False) -> None:
        self.by_cursor = by_cursor
        self.posts = [entry(n) for n in range(7, 0, -1)]

    def answer(self, path: str, query: Query) -> Answer | None:
        asked = dict(query)
        if self.by_cursor:
            start = int(asked.get("c") or 0)
            after = start + 3 if start + 3 < len(self.posts) else None
            return 200, {}, {"code": 0, "data": {"list": self.posts[start : start + 3], "cursor": after}}
        start = 3 * (int(asked.get("p", 1)) - 1)
        return 200, {}, {"code": 0, "data": {"list": self.posts[start : start + 3]}}


def test_pages_by_number_are_read_to_the_first_that_is_not_full() -> None:
    with Site(Interface().answer) as site:
        events = crawled("json_api", urls=(f"{site.url}/v1/posts",), queries=("星澜",), options=OPTIONS)
        assert [dict(query)["p"] for _, query in site.requests] == ["1", "2", "3"]
        assert {dict(query)["q"] for _, query in site.requests} == {"星澜"}
    items = items_of(events)
    assert [item.post_id for item in items] == ["7", "6", "5", "4", "3", "2", "1"]
    first = items[0]
    assert (first.platform, first.author_id, first.text, first.likes) == ("xiaohongshu", "u1", "标题7\n正文7", 12000)
    assert first.posted_at == datetime(2026, 3, 1, 4, 5, 13, tzinfo=UTC)
    assert [one.url for one in first.media] == ["https://p.example/7.jpg"]
    assert outcome_of(events) == "done"


def test_pages_by_cursor_and_the_next_crawl_ends_at_the_mark() -> None:
    options = OPTIONS | {"next": "data.cursor", "query": {"c": "{cursor}"}}
    service = Interface(by_cursor=True)
    with Site(service.answer) as site:
        asked: dict[str, Any] = {"urls": (f"{site.url}/v1/posts",), "options": options, "overlap_hours": 0.0}
        events = crawled("json_api", **asked)
        assert len(items_of(events)) == 7
        assert [dict(query).get("c") for _, query in site.requests] == [None, "3", "6"]
        service.posts.insert(0, entry(8))
        again = crawled("json_api", **asked, marks=marks_of(events))
        assert items_of(again)[0].post_id == "8"
        assert [dict(query).get("c") for _, query in site.requests[3:]] == [None, "3"]  # a page behind the mark, no more


def test_an_account_is_covered_on_the_platform_that_its_posts_are_of() -> None:
    with Site(Interface().answer) as site:
        events = crawled("json_api", urls=(f"{site.url}/{{account}}/posts",), accounts=("u 1",), options=OPTIONS)
        assert site.requests[0][0] == "/u%201/posts"
    assert [event for event in events if isinstance(event, Covered)] == [Covered("xiaohongshu", "u 1")]


def test_an_answer_that_says_no_one_without_a_list_and_an_empty_one_look_different() -> None:
    answers: dict[str, Any] = {
        "/no": {"code": 7, "msg": "签名过期"},
        "/changed": {"code": 0, "data": {"rows": []}},
        "/empty": {"code": 0, "data": {"list": []}},
    }
    with Site(lambda path, query: (200, {}, answers[path])) as site:
        told = {path: crawled("json_api", urls=(site.url + path,), options=OPTIONS) for path in answers}
    assert outcome_of(told["/empty"]) == "done"
    assert troubles_of(told["/empty"]) == []
    ((kind, words),) = troubles_of(told["/no"])
    assert kind == "failed"
    assert "签名过期" in words
    ((kind, words),) = troubles_of(told["/changed"])
    assert kind == "changed"
    assert "data.list" in words


def test_a_post_that_can_not_be_read_is_told_and_the_others_are_there() -> None:
    service = Interface()
    service.posts = [entry(2, created="很久以前"), entry(1), entry(0, user={})]
    with Site(service.answer) as site:
        events = crawled("json_api", urls=(site.url,), options=OPTIONS)
    assert [item.post_id for item in items_of(events)] == ["1"]
    assert [kind for kind, _ in troubles_of(events)] == ["changed"]


def test_answers_name_what_they_answer() -> None:
    service = Interface()
    service.posts = [entry(2, reply_to=1), entry(1)]
    with Site(service.answer) as site:
        events = crawled("json_api", urls=(site.url,), options=OPTIONS)
    assert [(one.kind, one.parent_id, one.root_id) for one in items_of(events)] == [("comment", "1", "1"), ("post", None, None)]


def test_one_page_that_is_shut_on_a_host_that_shows_others_refuses_nothing_else() -> None:
    service = Interface()

    def answer(path: str, query: Query) -> Answer | None:
        return (403, {}, {}) if "private" in path else service.answer(path, query)

    with Site(answer) as site:
        asked: dict[str, Any] = {"urls": (f"{site.url}/{{account}}",), "options": OPTIONS}
        one = crawled("json_api", **asked, accounts=("a", "private", "b"))
        many = crawled("json_api", **asked, accounts=("a", "private1", "private2", "private3", "b"))
    assert [event.account_id for event in one if isinstance(event, Covered)] == ["a", "b"]
    assert not [event for event in one if isinstance(event, Refused)]
    assert [kind for kind, _ in troubles_of(one)] == ["blocked"]
    assert [event.account_id for event in many if isinstance(event, Covered)] == ["a"]
    assert len([event for event in many if isinstance(event, Refused)]) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fields": {**FIELDS, "colour": "x"}}, "no such fields: colour"),
        ({"fields": {"post_id": "id"}}, "fields lacks author_id"),
        ({"items": "data.[["}, "is no JMESPath"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_options_that_can_not_work_are_named(change: dict[str, Any], words: str) -> None:
    assert any(words in fault for fault in options_faults("json_api", OPTIONS | change))
    assert options_faults("json_api", OPTIONS) == []


KEYS: dict[str, Any] = OPTIONS | {
    "query": {"q": "{query}", "token": "s3cret/in address", "p": "{page}"},
    "headers": {"Authorization": "Bearer s3cret-header"},
}
FAR = {"Location": "http://127.0.0.2:1/x?token=s3cret/in+address"}
ECHO = {"code": 0, "data": {"x": "s3cret-header"}}


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (500, {}, {}), (403, {}, {}), (404, {}, {}), (400, {}, {}), (302, FAR, {}), (200, {}, "<html>"), (200, {}, ECHO),
        (200, {}, {"code": 1, "msg": "bad: s3cret-header"}),
    ],
)  # fmt: skip
def test_no_key_stands_in_messages_logs_or_kept_pages(
    status: int, headers: dict[str, str], body: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with Site(lambda path, query: (status, headers, body)) as site:
        events = crawled(
            "json_api", urls=(f"{site.url}/v1",), queries=("星澜",), options=KEYS, retries=1, pages_dir=str(tmp_path)
        )
        assert site.requests
    assert troubles_of(events)
    kept = "".join(path.read_text(encoding="utf-8") for path in tmp_path.iterdir())
    assert "s3cret" not in repr(events) + caplog.text + kept


def test_an_expression_that_does_not_apply_costs_its_post_alone() -> None:
    service = Interface()
    service.posts = [entry(2, stat=5), entry(1)]
    options = OPTIONS | {"fields": FIELDS | {"likes": "length(stat)"}}
    with Site(service.answer) as site:
        events = crawled("json_api", urls=(site.url,), options=options)
    assert [item.post_id for item in items_of(events)] == ["1"]
    ((kind, words),) = troubles_of(events)
    assert kind == "changed"
    assert "length(stat)" in words


@pytest.mark.parametrize("posts", [[], [entry(1)]])
def test_cursors_that_never_end_are_not_followed_for_ever(posts: list[dict[str, Any]]) -> None:
    asked: list[Query] = []

    def answer(path: str, query: Query) -> Answer:
        asked.append(query)
        return 200, {}, {"code": 0, "data": {"list": posts, "cursor": f"c{len(asked)}"}}

    options = OPTIONS | {"next": "data.cursor", "query": {"c": "{cursor}"}}
    with Site(answer) as site:
        events = crawled("json_api", urls=(site.url,), options=options, max_pages=7)
    assert len(asked) <= 7
    assert len(items_of(events)) == len(posts)
