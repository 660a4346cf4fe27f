"""Routes of an RSSHub by name: read from whichever server the configuration names, with its key as each route's code."""

from __future__ import annotations

from dataclasses import replace
from hashlib import md5
from typing import Any
from urllib.parse import unquote

from tests.local_site import Answer, Asked, Site, crawled, items_of, marks_of, outcome_of, troubles_of

ENTRY = """<item><title>晴川用了一周</title><description>&lt;p&gt;掉漆了&lt;/p&gt;</description><guid>https://weibo.com/7/{0}</guid>
<link>https://weibo.com/7/{0}</link><pubDate>Sun, 01 Mar 2026 10:00:00 GMT</pubDate><author>小鹿</author></item>"""
FEED = """<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>小鹿的微博</title><link>https://weibo.com/7</link>
<generator>RSSHub</generator>{}</channel></rss>"""


class Hub:
    """Answers on two routes; with a key only to whoever knows a route's code."""

    def __init__(self, key: str = "") -> None:
        self.key = key

    def answer(self, asked: Asked) -> Answer | None:
        if asked.path == "/robots.txt":
            return None
        if self.key and asked.query.get("code") != md5(f"{asked.path}{self.key}".encode()).hexdigest():
            return Answer(b"Authentication failed. Access denied.", 403)
        found = {"/weibo/user/7": "Ha1 Ha2", "/weibo/keyword/星澜": "Ha2 Hb3", "/weibo/keyword/墨羽": "Hc4"}
        ids = found.get(asked.path)
        if ids is None:
            return Answer(b"<h1>Looks like something went wrong</h1><p>this route is empty</p>", 503)
        body = FEED.format("".join(ENTRY.format(one) for one in ids.split()))
        return Answer(
            body.encode(), headers={"Content-Type": "application/xml; charset=utf-8", "ETag": f'"{asked.path.count("/")}"'}
        )


class Paths(Hub):
    """Paths arrive percent-encoded."""

    def answer(self, asked: Asked) -> Answer | None:
        return super().answer(replace(asked, path=unquote(asked.path)))


def options(site: Site, **more: Any) -> dict[str, Any]:
    return {"rsshub": f"{site.url}/", "routes": ["weibo/user/7", "/weibo/keyword/{}"], **more}


def test_routes_are_read_by_name_and_one_with_a_gap_for_each_query() -> None:
    with Site(Paths().answer) as site:
        events = crawled("feed", queries=("星澜", "墨羽"), options=options(site))
        moved = crawled("feed", urls=("rsshub://weibo/user/7",), options={"rsshub": site.url})
    assert outcome_of(events) == "done"
    assert sorted(item.url.rpartition("/")[2] for item in items_of(events)) == ["Ha1", "Ha2", "Hb3", "Hc4"]
    assert {item.author_id for item in items_of(events)} == {"weibo.com:小鹿"}
    keyword = "rsshub://weibo/keyword/"
    # the marks do not know which server was asked
    assert set(marks_of(events)) == {"rsshub://weibo/user/7", f"{keyword}%E6%98%9F%E6%BE%9C", f"{keyword}%E5%A2%A8%E7%BE%BD"}
    assert len(items_of(moved)) == 2


def test_a_server_with_a_key_is_sent_the_code_of_the_route_alone() -> None:
    with Site(Paths("geheim").answer) as site:
        events = crawled("feed", queries=("星澜",), options=options(site, rsshub_key="geheim"))
        refused = crawled("feed", queries=("星澜",), options=options(site))
        assert not any("geheim" in str(one) for one in site.asked)
    assert (outcome_of(events), len(items_of(events))) == ("done", 3)
    assert outcome_of(refused) == "blocked"


def test_a_route_that_fails_and_a_route_without_a_server_are_told() -> None:
    with Site(Paths().answer) as site:
        broken = crawled("feed", options={"rsshub": site.url, "routes": ["weibo/user/404", "weibo/user/7"]})
    homeless = crawled("feed", options={"routes": ["weibo/user/7"]})
    assert [(one.kind, one.subject) for one in troubles_of(broken)] == [("failed", "rsshub://weibo/user/404")]
    assert len(items_of(broken)) == 2
    assert "options.rsshub" in troubles_of(homeless)[0].message
