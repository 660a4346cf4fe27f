"""The WordPress spider against a site on this machine that pages as WordPress does."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.sites import Answer, Query, Site, crawled, items_of, marks_of, outcome_of, troubles_of

START = datetime(2026, 3, 1, tzinfo=UTC)
LOCAL = timedelta(hours=8)
PER_FEED = 10


@dataclass
class Blog:
    """Posts and comments by number. api: where it is: by pretty addresses, plain ones, or shut."""

    api: str = "pretty"
    url: str = ""
    posts: dict[int, dict[str, Any]] = field(default_factory=dict)
    comments: dict[int, dict[str, Any]] = field(default_factory=dict)

    def write(self, title: str, minutes: float, **more: Any) -> int:
        own = len(self.posts) + 1
        content = {"rendered": f"<p>正文 {own}</p>", "protected": False}
        named = {"title": {"rendered": title}, "content": content, "author": 2, "link": f"/archives/{own}"}
        self.posts[own] = {"id": own, **_times(minutes), **named, **more}
        return own

    def comment(self, post: int, name: str, minutes: float, parent: int = 0) -> int:
        own = len(self.comments) + 1
        said = {"content": {"rendered": f"<p>评论 {own}</p>"}, "link": f"/archives/{post}#comment-{own}"}
        tree = {"post": post, "parent": parent, "author": 0, "author_name": name}
        self.comments[own] = {"id": own, "type": "comment", **_times(minutes), **tree, **said}
        return own

    def answer(self, path: str, query: Query) -> Answer | None:
        asked = dict(query)
        rest = asked.get("rest_route", "") if self.api == "plain" else path.removeprefix("/wp-json")
        if rest.startswith("/wp/v2/") and self.api != "shut":
            return self._rest(rest.removeprefix("/wp/v2/").split("/"), asked)
        if path.startswith("/wp-json") and self.api == "shut":
            return 401, {}, {"code": "rest_cannot_access", "message": "Only authenticated users can access the REST API."}
        if page := re.fullmatch(r"/archives/(\d+)", path):
            link = f'<{self.url}/wp-json/wp/v2/posts/{page[1]}>; rel="alternate"; type="application/json"'
            return (200, {"Link": link, "Content-Type": "text/html"}, b"<p>page</p>") if int(page[1]) in self.posts else None
        feed = asked.get("feed") or {"/feed/": "rss2", "/comments/feed/": "comments-rss2"}.get(path, "")
        if feed and (self.api != "plain" or "feed" in asked):
            return self._feed(feed, asked)
        return (200, {"Content-Type": "text/html"}, b"<html>home</html>") if self.api == "plain" else None

    def _rest(self, parts: list[str], asked: dict[str, str]) -> Answer | None:
        known = self.posts if parts[0] == "posts" else self.comments
        if len(parts) > 1:
            found = known.get(int(parts[1]))
            return (200, {}, found) if found else (404, {}, {"code": "rest_post_invalid_id", "data": {"status": 404}})
        wanted = [one for one in known.values() if one["date"] < asked.get("before", "9")]
        wanted = [one for one in wanted if asked.get("search", "") in str(one)]
        for name in ("author", "post", "parent"):
            wanted = [one for one in wanted if name not in asked or one[name] == int(asked[name])]
        wanted.sort(key=lambda one: one["date"], reverse=True)
        size, number = int(asked["per_page"]), int(asked.get("page", 1))
        if number > 1 and size * (number - 1) >= len(wanted):
            return 400, {}, {"code": "rest_post_invalid_page_number", "message": "past the end", "data": {"status": 400}}
        return 200, {}, wanted[size * (number - 1) : size * number]

    def _feed(self, feed: str, asked: dict[str, str]) -> Answer | None:
        known, number = self.posts if feed == "rss2" else self.comments, int(asked.get("paged", 1))
        newest = sorted(known.values(), key=lambda one: one["date"], reverse=True)
        page = newest[PER_FEED * (number - 1) : PER_FEED * number]
        if not page or (feed != "rss2" and number > 1):
            return None
        body = "".join(self._entry(one) for one in page)
        channel = f"<title>博客</title><link>{self.url}</link><generator>https://wordpress.org/?v=6.1.9</generator>{body}"
        return 200, {"Content-Type": "application/rss+xml"}, f"<rss version='2.0'><channel>{channel}</channel></rss>".encode()

    def _entry(self, one: dict[str, Any]) -> str:
        is_comment = "post" in one
        guid = f"{self.url}/?p={one['post']}#comment-{one['id']}" if is_comment else f"{self.url}/?p={one['id']}"
        title = f"Comment on x by {one['author_name']}" if is_comment else one["title"]["rendered"]
        above = f"{self.url}/archives/{one.get('post')}#comment-{one.get('parent')}"
        note = f"In reply to <a href='{above}'>x</a>.\n" if one.get("parent") else ""
        author = one["author_name"] if is_comment else "小鹿"
        said = f"<![CDATA[{note}{one['content']['rendered']}]]>"
        return (
            f"<item><title>{title}</title><link>{self.url}{one['link']}</link><guid isPermaLink='false'>{guid}</guid>"
            f"<pubDate>{one['date_gmt']}Z</pubDate><author>{author}</author><description>{said}</description></item>"
        )


def _times(minutes: float) -> dict[str, str]:
    at = START + timedelta(minutes=minutes)
    return {"date": f"{at + LOCAL:%Y-%m-%dT%H:%M:%S}", "date_gmt": f"{at:%Y-%m-%dT%H:%M:%S}"}


@pytest.fixture
def blog() -> Blog:
    """330 posts, 250 of them of one second as after a move, one behind a password; 140 comments, some of them answers."""
    made = Blog()
    for number in range(330):
        made.write(f"评测 {number}", max(0, number - 250) * 10)
    locked = {"rendered": "", "protected": True}
    made.write("只给朋友看", 500, content=locked)
    for number in range(140):
        made.comment(1 + number % 30, "小林" if number % 2 else "", number, parent=number - 4 if number % 7 == 6 else 0)
    return made


@pytest.fixture
def site(blog: Blog) -> Iterator[Site]:
    with Site(blog.answer) as running:
        blog.url = running.url
        yield running


@pytest.mark.parametrize("api", ["pretty", "plain"])
def test_posts_and_comments_are_read_each_once_wherever_the_api_is(site: Site, blog: Blog, api: str) -> None:
    blog.api = api
    events = crawled("wordpress", urls=(f"{site.url}/",))
    counted = Counter(item.post_id for item in items_of(events))
    posts = {f"{site.site}:post:{own}" for own in blog.posts if own != 331}
    assert set(counted) == posts | {f"{site.site}:comment:{own}" for own in blog.comments}
    assert set(counted.values()) == {1}
    assert outcome_of(events) == "done"
    assert [kind for kind, _ in troubles_of(events)] == ["limited"]  # the one behind a password
    answer = next(item for item in items_of(events) if item.post_id == f"{site.site}:comment:7")
    assert (answer.parent_id, answer.root_id) == (f"{site.site}:comment:2", f"{site.site}:post:7")


def test_a_new_comment_under_an_old_post_is_heard_by_the_next_crawl(site: Site, blog: Blog) -> None:
    first = crawled("wordpress", urls=(site.url,))
    blog.comment(1, "老王", 10_000)
    site.requests.clear()
    again = crawled("wordpress", urls=(site.url,), marks=marks_of(first), overlap_hours=0.5)
    assert f"{site.site}:comment:141" in {item.post_id for item in items_of(again)}
    assert len(site.requests) == 3


def test_searches_timelines_and_single_posts_with_their_comments(site: Site, blog: Blog) -> None:
    blog.write("别人写的", 9_000, author=3)
    asked: dict[str, Any] = {"base_url": site.url}
    searched = crawled("wordpress", queries=("评测 32",), **asked)
    assert {item.text.partition("\n")[0] for item in items_of(searched)} == {"评测 32", *(f"评测 32{n}" for n in range(10))}
    timeline = crawled("wordpress", accounts=(f"{site.site}:user:3",), **asked)
    assert [item.text for item in items_of(timeline)] == ["别人写的\n正文 332"]
    for ref in (f"{site.url}/archives/7", f"{site.site}:post:7", "7"):
        found = items_of(crawled("wordpress", posts=(ref,), **asked))
        assert found[0].post_id == f"{site.site}:post:7"
        assert {item.post_id for item in found[1:]} == {
            f"{site.site}:comment:{own}" for own, one in blog.comments.items() if one["post"] == 7
        }
    for ref in (f"{site.url}/archives/7#comment-7", f"{site.site}:comment:7"):
        assert items_of(crawled("wordpress", posts=(ref,), **asked))[0].post_id == f"{site.site}:comment:7"


def test_what_is_gone_locked_or_no_post_is_told(site: Site) -> None:
    refs = (f"{site.site}:post:999", f"{site.site}:post:331", "x", f"{site.url}/archives/999")
    events = crawled("wordpress", posts=refs, base_url=site.url)
    assert [kind for kind, _ in troubles_of(events)] == ["failed", "blocked", "failed", "failed"]
    assert items_of(events) == []


def test_where_the_api_is_shut_feeds_tell_the_posts_and_the_newest_comments(site: Site, blog: Blog) -> None:
    blog.api = "shut"
    events = crawled("wordpress", urls=(site.url,))
    found = {item.post_id: item for item in items_of(events)}
    assert {one for one in found if ":post:" in one} == {f"{site.site}:post:{own}" for own in blog.posts}
    assert {one for one in found if ":comment:" in one} == {f"{site.site}:comment:{own}" for own in range(131, 141)}
    answer = found[f"{site.site}:comment:133"]
    assert (answer.parent_id, answer.root_id, answer.text) == (f"{site.site}:comment:128", f"{site.site}:post:13", "评论 133")
    assert [kind for kind, _ in troubles_of(events)] == ["limited"]
    timeline = crawled("wordpress", accounts=(f"{site.site}:user:3",), base_url=site.url)
    assert (outcome_of(timeline), "API is shut" in troubles_of(timeline)[0][1]) == ("blocked", True)
    no_feed = crawled("wordpress", urls=(site.url,), options={"api": "rest"})
    assert outcome_of(no_feed) == "blocked"


def test_feeds_of_a_site_without_pretty_addresses_are_read_by_plain_ones(site: Site, blog: Blog) -> None:
    blog.api = "plain"
    events = crawled("wordpress", urls=(site.url,), options={"api": "feed"})
    posts = {item.post_id for item in items_of(events) if item.kind == "post"}
    assert posts == {f"{site.site}:post:{own}" for own in blog.posts}
