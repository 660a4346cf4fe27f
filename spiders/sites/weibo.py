"""Weibo's mobile pages, as far as a visitor is shown them: timelines, searches, long texts, comments."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict
from scrapy.http import Response

from spiders.errors import Blocked, Changed, Failed
from spiders.events import CollectJob
from spiders.items import Item
from spiders.paging import Found, Page, PagedSpider, split_subject
from spiders.sites import weibo_pages as pages

_HEADERS = {"Accept": "application/json, text/plain, */*"}
_COMMENTS = "{{count}} 条内容的评论没有读全：{} / the comments of {{count}} posts were not read to their end: {}"
_LONG_TEXTS = "{{count}} 条长文只读到开头：{} / of {{count}} long texts only the start was read: {}"
_REPOSTS = "{{count}} 条内容的转发没有读全：{} / the reposts of {{count}} posts were not read to their end: {}"
_LOGIN = ("要登录才能看", "a log-in is wanted")
_ROBOTS = ("网站的 robots.txt 不允许", "forbidden by the site's robots.txt")

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Found(Found):
    """A found post as its card shows it."""

    status: pages.Status | None = None


class WeiboOptions(BaseModel):
    """reposts: also ask who passed on each post of timelines and searches (of single posts that is asked anyway). Guests are
    mostly refused, so it is off."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reposts: bool = False


class WeiboSpider(PagedSpider):
    """Accounts become ``timeline:<uid>``, queries ``query:<words>`` (the live search, newest first), posts ``post:<ref>``: an
    address or id, read with its comments, their answers, and its reposts."""

    name = "weibo"
    Options: ClassVar[type[BaseModel] | None] = WeiboOptions
    # a guest's session, for the length of one crawl
    custom_settings: ClassVar[dict[str, Any] | None] = {"COOKIES_ENABLED": True}  # type: ignore[misc]

    def __init__(self, job: CollectJob, **kwargs: Any) -> None:
        self.home = (job.base_url or pages.HOME).rstrip("/")
        super().__init__(job, **kwargs)
        self.zone = ZoneInfo("Asia/Shanghai")  # what Weibo means by 昨天 12:00, wherever the workspace is
        self._by_themselves: set[str] = set()
        self._reposts_wall: Blocked | None = None

    def hosts(self) -> set[str]:
        return {urlsplit(self.home).hostname or ""}

    async def page_of(self, subject: str, cursor: str | None) -> Page:
        kind, what = split_subject(subject)
        if kind == "url":
            raise Failed(f"微博来源不读网址，请写 accounts 或 queries / weibo reads no addresses: {what}", patience=0)
        query = {"containerid": f"107603{what}" if kind == "timeline" else f"100103type=61&q={what}"}
        if kind == "query":
            query["page_type"] = "searchall"
        asked = dict(parse_qsl(cursor or ""))
        response = await self._ask("/api/container/getIndex", query | asked)
        page = self._parsed(response, partial(pages.posts_of, reading=self._reading(), asked=asked))
        self.crawler.stats.inc_value("weibo/hidden_posts", len(page.hidden))
        return Page(
            found=[_Found(one.item, pinned=one.pinned, answers=self._answers_of(one.item), status=one) for one in page.posts],
            next=urlencode(page.next) or None,
            faults=page.faults,
            body=page.body,
            hidden=page.hidden,
        )

    def _answers_of(self, item: Item) -> int | None:
        """What is read under a post of a list: comments, and reposts where they are asked for."""
        return (
            (item.comments or 0) + (item.reposts or 0) if self.options.reposts and item.comments is not None else item.comments
        )

    async def whole(self, found: Found) -> Sequence[Item]:
        """The post that this one passes on, and the post, each with its long text."""
        status = found.status if isinstance(found, _Found) else None
        if status is None:
            return [found.item]
        return [(await self._whole(one) if one.needs_text else one).item for one in (status.quoted, status) if one]

    async def under(self, item: Item) -> AsyncIterator[Item]:
        faults: list[str] = []
        body = b""
        if item.comments != 0:
            async for page in self._comments(item.post_id):
                for comment in page.comments:
                    yield comment
                faults += page.faults
                body = body or page.body
        if item.reposts != 0 and (self.options.reposts or item.post_id in self._by_themselves):
            async for shared in self._reposts(item.post_id):
                for status in shared.posts:
                    yield (await self._whole(status) if status.needs_text else status).item
                faults += shared.faults
                body = body or shared.body
        if faults:
            raise Changed(f"有 {len(faults)} 条读不出来：{faults[0]} / {len(faults)} unreadable", body=body)

    async def post_of(self, ref: str) -> Item:
        response = await self._ask("/statuses/show", {"id": pages.own_of(ref)})
        status = self._parsed(response, partial(pages.shown_of, reading=self._reading()))
        item = (await self._whole(status) if status.needs_text else status).item
        self._by_themselves.add(item.post_id)
        return item

    async def _reposts(self, post_id: str) -> AsyncIterator[pages.Page]:
        """Who passed a post on, as far as a guest is told; at a wall the other posts' reposts are not asked for any more."""
        for number in range(1, self.job.max_comment_pages + 1):
            try:
                if self._reposts_wall is not None:
                    raise self._reposts_wall
                response = await self._ask("/api/statuses/repostTimeline", {"id": post_id, "page": str(number)})
                page = self._parsed(response, partial(pages.reposts_of, post_id=post_id, reading=self._reading(), asked=number))
            except Blocked as error:
                self._walled(_REPOSTS, post_id, error)
                self._reposts_wall = error
                return
            yield page
            if not page.next:
                return
        self._too_many(post_id, _REPOSTS)

    def _reading(self) -> pages.Reading:
        return pages.Reading(datetime.now(UTC), self.zone, self.home)

    async def _whole(self, status: pages.Status) -> pages.Status:
        response = await self._ask("/statuses/extend", {"id": status.item.post_id})
        try:
            return self._parsed(response, lambda body: pages.with_text(status, body))
        except Blocked as error:
            self._walled(_LONG_TEXTS, status.item.post_id, error)
            return pages.without_tail(status)

    def _walled(self, words: str, post_id: str, error: Blocked) -> None:
        """A log-in wall here is an end, not a failure: a visitor is shown no more. Anything else that blocks is raised."""
        if error.patience == 1:
            raise error
        self.limited(words.format(*(_ROBOTS if "robots.txt" in str(error) else _LOGIN)), post_id)

    def _too_many(self, post_id: str, words: str = _COMMENTS) -> None:
        pages = self.job.max_comment_pages
        reason = (f"超过 {pages} 页（max_comment_pages）", f"they go on past {pages} pages (max_comment_pages)")
        self.limited(words.format(*reason), post_id)

    async def _comments(self, post_id: str) -> AsyncIterator[pages.CommentPage]:
        """What is answered under a post: hotflow, or the older address where a visitor is not let there."""
        shown, gone, wall = False, False, None
        try:
            async for page in self._hotflow(post_id):
                shown = shown or bool(page.comments)
                yield page
        except Blocked as error:
            wall = error
        except Failed as error:
            if error.patience or shown:
                raise
            gone = True
        if wall is not None and (shown or wall.patience == 1):
            self._walled(_COMMENTS, post_id, wall)
        if not shown:
            async for page in self._shown(post_id, is_last_hope=gone):
                shown = shown or bool(page.comments)
                yield page
            if wall is not None and not shown:
                self._walled(_COMMENTS, post_id, wall)

    async def _hotflow(self, post_id: str) -> AsyncIterator[pages.CommentPage]:
        asked = {"max_id_type": "0"}
        for _ in range(self.job.max_comment_pages):
            response = await self._ask("/comments/hotflow", {"id": post_id, "mid": post_id, **asked})
            page = self._parsed(response, lambda body: pages.hotflow_of(body, post_id, self._reading()))
            yield page
            for root_comment, _total in page.more:
                async for answers in self._answers(post_id, root_comment):
                    yield answers
            if not page.next or page.next == asked:
                return
            asked = dict(page.next)
        self._too_many(post_id)

    async def _answers(self, post_id: str, root_comment: str) -> AsyncIterator[pages.CommentPage]:
        asked = {"max_id": "0", "max_id_type": "0"}
        for _ in range(self.job.max_comment_pages):
            response = await self._ask("/comments/hotFlowChild", {"cid": root_comment, **asked})
            page = self._parsed(response, lambda body: pages.children_of(body, post_id, root_comment, self._reading()))
            yield page
            if not page.next or page.next == asked:
                return
            asked = dict(page.next)
        self._too_many(post_id)

    async def _shown(self, post_id: str, *, is_last_hope: bool) -> AsyncIterator[pages.CommentPage]:
        for number in range(1, self.job.max_comment_pages + 1):
            try:
                response = await self._ask("/api/comments/show", {"id": post_id, "page": str(number)})
                page = self._parsed(
                    response, partial(pages.shown_comments_of, post_id=post_id, reading=self._reading(), asked=number)
                )
            except Blocked as error:
                self._walled(_COMMENTS, post_id, error)
                return
            except Failed as error:
                if error.patience or is_last_hope or number > 1:
                    raise
                return  # a server that no longer has the older address
            yield page
            if not page.next:
                return
        self._too_many(post_id)

    async def _ask(self, path: str, query: Mapping[str, str]) -> Response:
        return await self.fetch(f"{self.home}{path}?{urlencode(query)}", headers=_HEADERS)

    def _parsed(self, response: Response, parse: Callable[[Any], _T]) -> _T:
        try:
            page = parse(self.json_of(response))
        except Changed as error:
            raise Changed(str(error), body=response.body) from error
        if isinstance(page, (pages.Page, pages.CommentPage)) and page.faults:
            return replace(page, body=response.body)
        return page
