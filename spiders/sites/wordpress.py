"""WordPress sites: posts and comments by the REST API, or by feeds where that is shut."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar, Literal
from urllib.parse import parse_qs, urlencode, urlsplit

from pydantic import BaseModel, ConfigDict
from scrapy.http import Response

from spiders.errors import Blocked, Changed, Failed, Gone
from spiders.events import CollectJob
from spiders.homes import HomeSpider, Reading, own_of, part_of, read_each, site_of
from spiders.items import Item
from spiders.paging import Found, Page, split_subject
from spiders.sites import feed_pages
from spiders.sites.feed_pages import joined, pictures_of
from spiders.values import count_of, json_from, link_of, text_of, tidy, time_of

PLATFORM = "wordpress"
SIZE = 100
COMMENTS = "#comments"
"""What is put behind a subject for its comments: they are read newest first by themselves, so that an answer to an old post
is heard as soon as one to a new post."""

Json = Mapping[str, Any]


# ------------------------------------------------------------------------------------------------------------ pages


def post_of(entry: Any, reading: Reading) -> Item | None:
    """A post as ``wp/v2/posts`` shows it; None of one behind a password. Raises Changed."""
    own, at = part_of(entry, "id", kind=int), _time_of(entry, reading)
    title, content = part_of(entry, "title", "rendered", kind=str), part_of(entry, "content", kind=dict)
    html = part_of(content, "rendered", kind=str)
    if content.get("protected"):
        return None
    author = count_of(entry.get("author"))
    embedded = (entry.get("_embedded") or {}).get("author") or [{}]
    return Item(
        platform=PLATFORM,
        post_id=reading.local("post", own),
        author_id=reading.local("user", author) if author else site_of(reading.home),
        author_name=tidy(str(embedded[0].get("name") or "")),
        posted_at=at,
        seen_at=reading.now,
        text=joined(text_of(title), text_of(html)),
        url=link_of(entry.get("link"), reading.home),
        media=tuple(pictures_of(html, reading.home)),
        raw={key: value for key, value in entry.items() if key != "_links"},
    )


def comment_of(entry: Any, reading: Reading) -> Item | None:
    """A comment as ``wp/v2/comments`` shows it; None of a ping from another site. Raises Changed."""
    own, post, at = part_of(entry, "id", kind=int), part_of(entry, "post", kind=int), _time_of(entry, reading)
    html, parent = part_of(entry, "content", "rendered", kind=str), count_of(entry.get("parent"))
    if entry.get("type", "comment") != "comment":
        return None
    author, name = count_of(entry.get("author")), tidy(str(entry.get("author_name") or ""))
    root = reading.local("post", post)
    return Item(
        platform=PLATFORM,
        post_id=reading.local("comment", own),
        author_id=reading.local("user", author) if author else guest_of(name, own, reading),
        author_name=name,
        posted_at=at,
        seen_at=reading.now,
        text=text_of(html),
        url=link_of(entry.get("link"), reading.home),
        kind="comment",
        parent_id=reading.local("comment", parent) if parent else root,
        root_id=root,
        media=tuple(pictures_of(html, reading.home)),
        raw={key: value for key, value in entry.items() if key not in ("_links", "author_avatar_urls")},
    )


def guest_of(name: str, own: object, reading: Reading) -> str:
    """Whom a comment is by that nobody logged in for; who gives no name is nobody's namesake."""
    return reading.local("guest", name) if name else reading.local("nameless", own)


def _time_of(entry: Any, reading: Reading) -> datetime:
    written = f"{part_of(entry, 'date_gmt', kind=str)}Z"
    at = time_of(written, now=reading.now, zone=reading.zone)
    if at is None:
        raise Changed(f"{entry.get('id')} 没有时间 / without a time: {written}")
    return at


def before_of(entries: list[Any], cursor: str | None) -> str | None:
    """The cursor of the page after a full one, ``<local time>|<page>``: what is older than that time, page by page. By page
    numbers alone posts would slip through when others are deleted; by time alone many of one second could not be passed.

    >>> before_of([{"date": "2026-03-01T10:00:09"}, {"date": "2026-03-01T10:00:00"}], "2026-03-05T00:00:00|1")
    '2026-03-01T10:00:01|1'
    >>> before_of([{"date": "2026-03-01T10:00:00"}] * 2, "2026-03-01T10:00:01|2")
    '2026-03-01T10:00:01|3'
    >>> before_of([{"date": "2026-03-01T10:00:00"}] * 2, None), before_of([], None)
    ('2026-03-01T10:00:01|2', None)
    """
    if not entries:
        return None
    dates = [part_of(one, "date", kind=str) for one in (entries[0], entries[-1])]
    last = (datetime.fromisoformat(dates[1]) + timedelta(seconds=1)).isoformat()
    before, number = (cursor or "|1").split("|")
    if before == last:
        return f"{last}|{int(number) + 1}"
    # a page of nothing but one second was that second's first
    return f"{last}|{2 if dates[0] == dates[1] else 1}"


def feed_item_of(item: Item, reading: Reading) -> Item:
    """A feed's entry under the ids that the API gives it, as far as the feed tells their numbers.

    >>> at = datetime.fromisoformat("2026-03-01T10:00:00+08:00")
    >>> entry = Item("feed", "https://b.example/?p=7#comment-9", "b.example:小林", at, "好", kind="comment", author_name="小林")
    >>> item = feed_item_of(entry, Reading(at, at.tzinfo, "https://b.example"))
    >>> item.post_id, item.parent_id, item.author_id
    ('b.example:comment:9', 'b.example:post:7', 'b.example:guest:小林')
    """
    own, parent, root = (_number_of(ref, reading) for ref in (item.post_id, item.parent_id, item.root_id))
    if item.kind == "comment" and root is None:
        root = _number_of(item.post_id.partition("#")[0], reading)
    return replace(
        item,
        platform=PLATFORM,
        post_id=own or item.post_id,
        author_id=guest_of(item.author_name, own, reading),
        parent_id=parent or root,
        root_id=root,
    )


def _number_of(ref: str | None, reading: Reading) -> str | None:
    """The id that the API would give, of an address that a feed names something by."""
    if not ref:
        return None
    comment = re.search(r"#comment-(\d+)$", ref)
    post = parse_qs(urlsplit(ref).query).get("p")
    return reading.local("comment", comment[1]) if comment else reading.local("post", post[0]) if post else ref


def gate(response: Response) -> Literal["open", "none", "end"]:
    """What an answer of the API means: open, no API there, or a page past the last one. Raises Blocked, Gone."""
    if 200 <= response.status < 300:
        return "open"
    try:
        code = str(json_from(response.body)["code"])
    except (ValueError, TypeError, KeyError):
        return "none"
    if code.endswith("invalid_page_number"):
        return "end"
    if code in ("rest_no_route", "rest_disabled", "rest_cannot_access", "rest_not_logged_in", "rest_login_required"):
        return "none"
    if response.status in (401, 403):
        raise Blocked(f"网站不让访客读（{code}） / the site lets no visitor read this: {response.url}", patience=3)
    if response.status in (404, 410):
        raise Gone(f"没有这条内容（{code}） / no such post: {response.url}")
    raise Failed(f"网站不认这个请求（{code}） / the site refuses this request: {response.url}", patience=0)


# ------------------------------------------------------------------------------------------------------------ spider


class WordPressOptions(BaseModel):
    """api: ``rest``, ``feed``, or ``auto``: feeds where the API is shut."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    api: Literal["auto", "rest", "feed"] = "auto"


class WordPressSpider(HomeSpider):
    """Addresses: a site's home (its posts, and all comments). Accounts: ``<site>:user:<number>``. Posts: an address or id."""

    name = PLATFORM
    Options: ClassVar[type[BaseModel] | None] = WordPressOptions
    MARKS: ClassVar[tuple[str, ...]] = ("/wp-json/", "/feed/", "/comments/feed/", "/index.php/", "/wp-login.php/")

    def __init__(self, job: CollectJob, **kwargs: Any) -> None:
        self._apis: dict[str, str | None] = {}
        self._plain: set[str] = set()  # sites whose feeds have plain addresses
        super().__init__(job, **kwargs)

    def subjects(self) -> list[str]:
        """Beside what is read of posts, what is read of comments."""
        found = list[str]()
        for subject in super().subjects():
            has_comments = self.job.comments and split_subject(subject)[0] in ("url", "query")
            found += [subject, f"{subject}{COMMENTS}"] if has_comments else [subject]
        return found

    async def page_of(self, subject: str, cursor: str | None) -> Page:
        home, (kind, what) = self.home(subject), split_subject(subject.removesuffix(COMMENTS))
        is_comments = subject.endswith(COMMENTS)
        query = {"per_page": str(SIZE), "orderby": "date", "order": "desc"}
        if not is_comments:
            query |= {"_embed": "author"}
        if kind == "timeline":
            query["author"] = own_of(what)[2]
        elif kind == "query":
            query["search"] = what
        if not await self._api(home):
            if kind == "timeline":
                raise Blocked(f"网站关闭了 REST 接口，没有个人时间线 / the site's API is shut: {subject}", patience=3)
            return await self._feed(subject, what if kind == "query" else "", int(cursor or 1))
        return await self._listed(home, "comments" if is_comments else "posts", query, cursor)

    async def _listed(self, home: str, what: str, query: Mapping[str, str], cursor: str | None) -> Page:
        before, number = (cursor or "|1").split("|")
        asked = {**query, "page": number, **({"before": before} if before else {})}
        response = await self._rest(home, what, asked)
        if (gated := gate(response)) != "open":
            if gated == "end":
                return Page([])
            raise Failed(f"接口不再回答 / the site's API no longer answers: {response.url}", patience=0)
        entries = self.parsed(response, lambda page: part_of(page, kind=list))
        read = partial(comment_of if what == "comments" else post_of, reading=self.reading(home))
        items, faults = read_each(entries, read)
        hidden = [one for one in entries if isinstance(one, dict) and (one.get("content") or {}).get("protected")]
        for one in hidden:
            self.limited(_PROTECTED, str(one.get("id")))
        following = before_of(entries, cursor) if len(entries) == SIZE else None
        # comments are a subject of their own, or (of a timeline) asked for under each post
        answers = None if "author" in query else 0
        return Page([Found(one, answers=answers) for one in items], following, faults, response.body)

    async def _api(self, home: str) -> str | None:
        """Where a site's API is, with ``{}`` for what is asked of it; None where it is shut."""
        if home not in self._apis:
            self._apis[home] = None if self.options.api == "feed" else await self._found_api(home)
        if self._apis[home] is None and self.options.api == "rest":
            raise Blocked(f"网站关闭了 REST 接口：{home} / the site's API is shut", patience=3)
        return self._apis[home]

    async def _found_api(self, home: str) -> str | None:
        for place in (f"{home}/wp-json/wp/v2/{{}}", f"{home}/?rest_route=/wp/v2/{{}}"):
            url = place.format("posts") + ("&" if "?" in place else "?") + "per_page=1"
            response = await self.fetch(url, headers={"Accept": "application/json"}, also=(400, 401, 403, 404))
            if gate(response) == "open" and response.body.lstrip()[:1] == b"[":
                return place
        return None

    async def _rest(self, home: str, what: str, query: Mapping[str, str]) -> Response:
        place = await self._api(home)
        if place is None:
            raise Failed(f"网站关闭了 REST 接口：{home} / the site's API is shut", patience=0)
        url = place.format(what) + ("&" if "?" in place else "?") + urlencode(query)
        return await self.fetch(url, headers={"Accept": "application/json"}, also=(400, 401, 403, 404, 410))

    async def _feed(self, subject: str, words: str, number: int) -> Page:
        """A page of a feed; past the last one WordPress answers 404. Its feed of comments has but one page."""
        home, is_comments = self.home(subject), subject.endswith(COMMENTS)
        query = {**({"s": words} if words else {}), **({"paged": str(number)} if number > 1 else {})}
        try:
            response, read = await self._parsed_feed(home, is_comments, query)
        except Gone:
            if number == 1:
                raise
            return Page([])
        reading = self.reading(home)
        found = [Found(feed_item_of(one, reading), dated=one.post_id not in read.undated, answers=0) for one in read.items]
        if is_comments:
            cut = self.cut_of(subject)
            if found and (cut is None or min(one.item.posted_at for one in found) > cut):
                self.limited(_FEED_ENDS, home)
            return Page(found, body=response.body)
        return Page(found, str(number + 1) if found else None)

    async def _parsed_feed(self, home: str, is_comments: bool, query: Mapping[str, str]) -> tuple[Response, feed_pages.Feed]:
        """A feed by its pretty address, or by the plain one where the site has no pretty ones."""
        if home not in self._plain:
            url = f"{home}/{'comments/' if is_comments else ''}feed/" + (f"?{urlencode(query)}" if query else "")
            try:
                return await self._feed_at(url)
            except (Gone, Changed):
                if "paged" in query:
                    raise
        plain = {"feed": "comments-rss2" if is_comments else "rss2", **query}
        answered = await self._feed_at(f"{home}/?{urlencode(plain)}")
        self._plain.add(home)
        return answered

    async def _feed_at(self, url: str) -> tuple[Response, feed_pages.Feed]:
        response = await self.fetch(url)
        reading = self.reading(url)
        return response, feed_pages.feed_of(response.body, "", feed_pages.Reading(reading.now, reading.zone, response.url))

    async def post_of(self, ref: str) -> Item:
        home, kind, own = await self._place_of(ref)
        response = await self._rest(home, f"{kind}s/{own}", {"_embed": "author"})
        if gate(response) != "open":
            raise Failed(f"网站不给读单条内容：{ref} / the site shows no single posts", patience=0)
        item = self.parsed(response, partial(comment_of if kind == "comment" else post_of, reading=self.reading(home)))
        if item is None:
            raise Blocked(f"内容有密码保护：{ref} / behind a password", patience=3)
        return item

    async def _place_of(self, ref: str) -> tuple[str, str, str]:
        """Home, kind and number of a post or comment. An address tells its comment's number, its page that of the post."""
        _, kind, own = own_of(ref)
        if kind in ("post", "comment") or own.isdecimal():
            return self.home(f"post:{ref}"), kind or "post", own
        if "://" not in ref:
            raise Failed(f"不是 WordPress 的网址或编号：{ref} / no address or id of a post", patience=0)
        response = await self.fetch(ref)
        place = api_link_of(response)
        if place is None:
            raise Changed(f"页面没有指向接口的链接 / the page names no place in the API: {ref}", body=response.body)
        home, number = place
        comment = re.search(r"#comment-(\d+)$", ref)
        return (home, "comment", comment[1]) if comment else (home, "post", number)

    async def under(self, item: Item) -> AsyncIterator[Item]:
        _, kind, own = own_of(item.post_id)
        home, cursor = self.home(f"post:{item.post_id}"), None
        query = {
            "per_page": str(SIZE),
            "orderby": "date",
            "order": "desc",
            **({"post": own} if kind == "post" else {"parent": own}),
        }
        for _ in range(self.job.max_comment_pages):
            page = await self._listed(home, "comments", query, cursor)
            for found in page.found:
                yield found.item
            if page.faults:
                raise Changed(f"有 {len(page.faults)} 条读不出来：{page.faults[0]} / unreadable", body=page.body)
            if page.next is None:
                return
            cursor = page.next
        self.limited(_COMMENTS_CUT, item.post_id)


_FEED_ENDS = (
    "{count} 个网站的评论源只给最新几条，更早的没有读到；请抓得更勤 / "
    "the comment feeds of {count} sites hold but the newest ones: crawl oftener"
)
_PROTECTED = "{count} 篇有密码保护的文章没有读 / {count} posts behind a password were not read"
_COMMENTS_CUT = "{count} 篇文章的评论没有读全（max_comment_pages） / the comments of {count} posts go on past max_comment_pages"


def api_link_of(response: Response) -> tuple[str, str] | None:
    """Home and number of the post that a page shows, by the link to the API that WordPress puts in its header."""
    for header in response.headers.getlist("Link"):
        for link in re.findall(r"<([^>]+)>", header.decode("latin-1")):
            if match := re.search(r"^(.*?)(?:/wp-json|/?(?:index\.php)?\?rest_route=)/wp/v2/posts/(\d+)", link):
                return match[1], match[2]
    return None
