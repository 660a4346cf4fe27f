"""Weibo's mobile pages, as far as a visitor is shown them: timelines, searches, long texts, comments."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo

from scrapy.http import Response

from spiders.errors import Blocked, Changed, Failed, UnreadError
from spiders.events import Collected, CollectJob, Covered, Event
from spiders.items import Item
from spiders.sites import weibo_pages as pages
from spiders.subjects import SubjectSpider

_HEADERS = {"Accept": "application/json, text/plain, */*"}
COUNTS_KEPT = 500  # the newest; what lies behind the overlap is not read again anyway
ERRORS_BORNE = 3

_COMMENTS = "{{count}} 条内容的评论没有读全：{} / the comments of {{count}} posts were not read to their end: {}"
_LONG_TEXTS = "{{count}} 条长文只读到开头：{} / of {{count}} long texts only the start was read: {}"
_LOGIN = ("要登录才能看", "a log-in is wanted")
_ROBOTS = ("网站的 robots.txt 不允许", "forbidden by the site's robots.txt")

_T = TypeVar("_T")


@dataclass
class _Progress:
    """What one reading of a subject gathers. known, counts: comments that a post had when its comments were last read, from
    the mark and from now: where that has not changed, they need not be read again."""

    known: dict[str, int]
    counts: dict[str, int] = field(default_factory=dict)
    errors: list[UnreadError] = field(default_factory=list)

    def note(self, page: pages.Page | pages.CommentPage) -> None:
        if page.faults:
            words = f"有 {len(page.faults)} 条读不出来：{page.faults[0]} / {len(page.faults)} unreadable"
            self.errors.append(Changed(words, body=page.body))


class WeiboSpider(SubjectSpider):
    """Accounts become ``timeline:<uid>``, queries ``query:<words>`` (the live search, newest first)."""

    name = "weibo"
    # a guest's session, for the length of one crawl
    custom_settings: ClassVar[dict[str, Any] | None] = {"COOKIES_ENABLED": True}  # type: ignore[misc]

    def __init__(self, job: CollectJob, **kwargs: Any) -> None:
        self.home = (job.base_url or pages.HOME).rstrip("/")
        super().__init__(job, **kwargs)
        self.zone = ZoneInfo("Asia/Shanghai")  # what Weibo means by 昨天 12:00, wherever the workspace is
        self._comments_read: set[str] = set()

    def hosts(self) -> set[str]:
        return {urlsplit(self.home).hostname or ""}

    def subjects(self) -> Sequence[str]:
        accounts = [f"timeline:{account}" for account in self.job.accounts]
        return [*dict.fromkeys(accounts), *dict.fromkeys(f"query:{words}" for words in self.job.queries)]

    async def read(self, subject: str) -> AsyncIterator[Event]:
        kind, _, what = subject.partition(":")
        progress, newest = _Progress(dict(self.mark_of(subject).state.get("comments") or {})), None
        async for page in self._pages(subject):
            for status in page.posts:
                newest = max(newest or status.item.posted_at, status.item.posted_at)
                if self.wants(status.item.posted_at):
                    async for event in self._post(status, progress):
                        yield event
            progress.note(page)
        if progress.errors:
            raise progress.errors[0]
        yield self.reached(subject, newest, {"comments": dict(list(progress.counts.items())[:COUNTS_KEPT])})
        if kind == "timeline" and self.is_whole(subject):
            yield Covered(pages.PLATFORM, what)

    async def _pages(self, subject: str) -> AsyncIterator[pages.Page]:
        """The pages of a subject down to its cut or its end. Raises Failed where max_pages lie before its mark."""
        kind, _, what = subject.partition(":")
        query = {"containerid": f"107603{what}" if kind == "timeline" else f"100103type=61&q={what}"}
        if kind == "query":
            query["page_type"] = "searchall"
        cut, asked, before = self.cut_of(subject), dict[str, str](), set[str]()
        for _ in range(self.job.max_pages):
            response = await self._ask("/api/container/getIndex", query | asked)
            page = self._parsed(response, partial(pages.posts_of, reading=self._reading(), asked=asked))
            self.crawler.stats.inc_value("weibo/hidden_posts", len(page.hidden))
            yield page
            here = {*(status.item.post_id for status in page.posts), *page.hidden}
            # an odd old post among new ones is no end, and a server may repeat its last page for ever
            old = [bool(cut and status.item.posted_at < cut) for status in page.posts if not status.pinned]
            if not page.next or not here - before or (old and sum(old) * 2 > len(old)):
                return
            asked, before = dict(page.next), here
        if cut is not None:
            raise self.too_far(subject)
        self.short(subject)

    def _reading(self) -> pages.Reading:
        return pages.Reading(datetime.now(UTC), self.zone, self.home)

    async def _post(self, status: pages.Status, progress: _Progress) -> AsyncIterator[Event]:
        """The post that this one passes on, the post, and what is answered under it.

        What fails here is noted: the posts after it are worth reading, but the subject is not reached. A post whose long text
        fails waits for the next crawl, because the first text that is seen of a post is the one that counts.
        """
        try:
            for one in filter(None, (status.quoted, status)):
                whole = await self._whole(one) if one.needs_text else one
                for event in self.fresh([whole.item]):
                    yield event
            async for comment in self._answered(status.item, progress):
                yield comment
        except (Changed, Failed) as error:
            progress.errors.append(error)
            if len(progress.errors) > ERRORS_BORNE:
                raise

    async def _answered(self, post: Item, progress: _Progress) -> AsyncIterator[Collected]:
        """The comments of a post, unless their number is what it was when they were last read."""
        count = post.comments
        if not self.job.comments or count == 0:
            return
        is_backfill = bool(self.job.since or self.job.until)
        is_known = count is not None and progress.known.get(post.post_id) == count and not is_backfill
        if not is_known and post.post_id not in self._comments_read:
            async for page in self._comments(post.post_id):
                for event in self.fresh(page.comments):
                    yield event
                progress.note(page)
        self._comments_read.add(post.post_id)
        if count is not None:
            progress.counts[post.post_id] = count

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

    def _too_many(self, post_id: str) -> None:
        pages = self.job.max_comment_pages
        reason = (f"超过 {pages} 页（max_comment_pages）", f"they go on past {pages} pages (max_comment_pages)")
        self.limited(_COMMENTS.format(*reason), post_id)

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
