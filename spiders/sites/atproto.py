"""AT Protocol (Bluesky and what speaks its AppView): searches, an author's feed, a post with answers and quotes, reposts."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from pydantic import BaseModel, ConfigDict

from spiders.errors import Changed, Failed, Gone
from spiders.events import CollectJob
from spiders.homes import part_of
from spiders.items import Item
from spiders.paging import Page, PagedSpider, split_subject
from spiders.sites import atproto_pages as pages
from spiders.sites.atproto_pages import Reading

HOME = "https://public.api.bsky.app"
LIMIT = 100
DEPTH = 100
"""So many answers deep a thread is asked for at once; what goes deeper is asked for again from there."""

_T = TypeVar("_T")

_POST_LINK = re.compile(r"/profile/(?P<actor>[^/]+)/post/(?P<rkey>[^/?#]+)")
_PROFILE_LINK = re.compile(r"/profile/(?P<actor>[^/?#]+)")
_HIDDEN = "{count} 条内容的部分评论被屏蔽或已删除，访客看不到 / some answers under {count} posts are not shown to guests"


class AtprotoOptions(BaseModel):
    """web: where people look at posts, for links."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    web: str = pages.WEB


class AtprotoSpider(PagedSpider):
    """Accounts are DIDs (handles are read too, but authors are known by their DID); posts ``at://…`` or an address of a post;
    addresses are profiles. ``base_url`` is another AppView."""

    name = pages.PLATFORM
    Options: ClassVar[type[BaseModel] | None] = AtprotoOptions

    def __init__(self, job: CollectJob, **kwargs: Any) -> None:
        self.home = (job.base_url or HOME).rstrip("/")
        super().__init__(job, **kwargs)

    def hosts(self) -> set[str]:
        return {urlsplit(self.home).hostname or ""}

    async def page_of(self, subject: str, cursor: str | None) -> Page:
        kind, what = split_subject(subject)
        asked: dict[str, str | int] = {"limit": LIMIT} | ({"cursor": cursor} if cursor else {})
        reading = self._reading()
        if kind == "query":
            shown = await self._ask(
                "app.bsky.feed.searchPosts", {"q": what, "sort": "latest", **asked}, pages.posts_of, reading
            )
        else:
            query = {"actor": _actor_of(what), "filter": "posts_with_replies", **asked}
            shown = await self._ask("app.bsky.feed.getAuthorFeed", query, pages.feed_of, reading)
        return Page(shown.found, shown.next, shown.faults)

    async def post_of(self, ref: str) -> Item:
        uri = await self._uri_of(ref)
        shown = await self._ask("app.bsky.feed.getPosts", {"uris": uri}, pages.posts_of, self._reading())
        if shown.faults:
            raise Changed(shown.faults[0])
        found = next((one.item for one in shown.found if one.item.post_id == uri), None)
        if found is None:
            raise Gone(f"这条内容已不在：{ref} / this post is there no more")
        return found

    async def _uri_of(self, ref: str) -> str:
        if link := _POST_LINK.search(ref):
            actor, rkey = link["actor"], link["rkey"]
        elif parts := re.fullmatch(r"at://([^/]+)/app\.bsky\.feed\.post/([^/]+)", ref):
            actor, rkey = parts[1], parts[2]
        else:
            raise Failed(f"不是一条内容的网址或 at:// 地址：{ref} / no address of a post", patience=0)
        if not actor.startswith("did:"):
            profile = await self._ask("app.bsky.actor.getProfile", {"actor": actor}, lambda page, _: page, self._reading())
            actor = part_of(profile, "did", kind=str)
        return f"at://{actor}/app.bsky.feed.post/{rkey}"

    async def under(self, item: Item) -> AsyncIterator[Item]:
        """Answers as a tree, then posts that quote it. A repost without words has a time in its author's
        feed alone."""
        if item.kind == "repost" and "#repost:" in item.post_id:
            return
        waiting, seen = [item.post_id], set[str]()
        while waiting:
            uri = waiting.pop(0)
            if len(seen) >= self.job.max_comment_pages:
                self._too_many(item.post_id)
                break
            seen.add(uri)
            query: dict[str, str | int] = {"uri": uri, "depth": DEPTH, "parentHeight": 0}
            thread = await self._ask("app.bsky.feed.getPostThread", query, pages.thread_of, self._reading())
            for answer in thread.answers:
                yield answer
            if thread.faults:
                raise Changed(f"{len(thread.faults)} 条评论读不出来：{thread.faults[0]} / unreadable answers")
            if thread.hidden:
                self.limited(_HIDDEN, item.post_id)
            waiting += [one for one in thread.more if one not in seen]
        async for one in self._quotes(item):
            yield one

    async def _quotes(self, item: Item) -> AsyncIterator[Item]:
        asked: dict[str, str | int] = {}
        for _ in range(self.job.max_comment_pages):
            query = {"uri": item.post_id, "limit": LIMIT, **asked}
            shown = await self._ask("app.bsky.feed.getQuotes", query, pages.posts_of, self._reading())
            for one in shown.found:
                if one.item.post_id != item.post_id:
                    yield one.item
            if shown.faults:
                raise Changed(f"{len(shown.faults)} 条引用读不出来：{shown.faults[0]} / unreadable quotes")
            if not shown.next or shown.next == asked.get("cursor"):
                return
            asked = {"cursor": shown.next}
        self._too_many(item.post_id)

    def _too_many(self, post_id: str) -> None:
        pages = self.job.max_comment_pages
        self.limited(
            f"{{count}} 条内容的评论超过 {pages} 页（max_comment_pages），后面的没有读 / "
            f"the answers of {{count}} posts go on past {pages} pages",
            post_id,
        )

    def _reading(self) -> Reading:
        return Reading(datetime.now(UTC), self.zone, self.options.web.rstrip("/"))

    async def _ask(
        self, method: str, query: Mapping[str, str | int], parse: Callable[[Any, Reading], _T], reading: Reading
    ) -> _T:
        """What ``parse`` makes of a method's answer. Raises Blocked, Changed, Failed, Gone."""
        url = f"{self.home}/xrpc/{method}?{urlencode(query, quote_via=quote)}"
        response = await self.fetch(url, headers={"Accept": "application/json"}, also=(400,))
        page = self.json_of(response)
        if response.status == 400:
            raise pages.refusal_of(page, url)
        try:
            return parse(page, reading)
        except Changed as error:
            raise Changed(f"{error}: {url}", body=response.body) from error


def _actor_of(what: str) -> str:
    """
    >>> _actor_of("https://bsky.app/profile/xiaolu.example"), _actor_of("did:plc:7")
    ('xiaolu.example', 'did:plc:7')
    """
    link = _PROFILE_LINK.search(what) if "://" in what else None
    return link["actor"] if link else what
