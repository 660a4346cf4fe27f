"""Douban, as far as guests are shown it: a group's discussions with their answers, the short comments and reviews of a work."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from zoneinfo import ZoneInfo

from parsel import Selector as Node
from scrapy.http import Response

from spiders.errors import Blocked, Changed, Failed, Gone
from spiders.events import CollectJob
from spiders.items import Item
from spiders.paging import Found, Page, PagedSpider, split_subject
from spiders.selectors import html_of, page_of
from spiders.sites import douban_pages as pages

_GROUP = re.compile(r"/group/(?P<group>[^/]+)(?:/discussion|/new_topic)?/?$")
_TOPIC = re.compile(r"/group/topic/(?P<topic>\d+)/?$")
_WORK = re.compile(r"/subject/(?P<work>\d+)/(?P<kind>comments|reviews)/?$")
_FIRST_PAGES = "豆瓣只给访客看前几页，{count} 处没有读完 / Douban shows guests first pages only: {count} lists are cut short"


class DoubanSpider(PagedSpider):
    """Addresses: ``www.douban.com/group/…/discussion`` and ``…/subject/…/comments`` or ``…/reviews``; posts: topics of a group.
    Searches and what a person posts are behind a log-in."""

    name = pages.PLATFORM

    def __init__(self, job: CollectJob, **kwargs: Any) -> None:
        super().__init__(job, **kwargs)
        self.zone = ZoneInfo("Asia/Shanghai")
        self._opened: dict[str, tuple[Response, Node, pages.Reading]] = {}

    def hosts(self) -> set[str]:
        return {
            urlsplit(one).hostname or "" for one in (*self.job.urls, *self.job.posts, *self.job.looks, self.job.base_url)
        } - {""}

    def host_of(self, subject: str) -> str:
        what = split_subject(subject)[1]
        return urlsplit(what).hostname or "" if "://" in what else ""

    async def page_of(self, subject: str, cursor: str | None) -> Page:
        kind, what = split_subject(subject)
        if kind != "url":
            raise Blocked(
                f"豆瓣的搜索和个人页要登录 / searches and people's pages are behind Douban's log-in: {what}", patience=0
            )
        path = urlsplit(what).path
        try:
            if _GROUP.search(path):
                return await self._discussions(cursor or what, subject)
            if work := _WORK.search(path):
                return await self._opinions(cursor or self._newest(what), work["kind"])
        except Blocked as error:
            if cursor is None or error.patience == 1:
                raise
            self.limited(_FIRST_PAGES, subject)
            return Page([])
        raise Failed(f"不是小组讨论或作品短评、影评的网址：{what} / no list of a group or of a work", patience=0)

    def _newest(self, url: str) -> str:
        parts = urlsplit(url)
        return urlunsplit(
            parts._replace(query="sort=time&status=P" if parts.path.rstrip("/").endswith("comments") else "sort=time")
        )

    async def _discussions(self, url: str, subject: str) -> Page:
        self._opened.clear()
        response, page, reading = await self._open(url)
        listing = self._parsed(response, lambda: pages.discussions_of(page, reading))
        cut = self.cut_of(subject)
        fresh = [row for row in listing.rows if not (cut and row.answered_at and row.answered_at < cut)]
        known = self.mark_of(subject).state.get("answers") or {} if self.is_crawl() else {}
        found = []
        for row in fresh:
            if known.get(row.post_id) == row.answers and row.answers is not None:
                continue
            try:
                item = await self.post_of(row.url)
            except Gone:
                continue
            found.append(Found(item, answers=row.answers, sorted_at=row.answered_at))
        # the list is sorted by the last answer, and topics that nothing happened to are not opened: so it tells the end itself
        is_down = bool(listing.rows) and len(fresh) * 2 < len(listing.rows)
        return Page(found, None if is_down else listing.next or None, listing.faults, response.body)

    async def _opinions(self, url: str, kind: str) -> Page:
        response, page, reading = await self._open(url)
        read = pages.comments_of if kind == "comments" else pages.reviews_of
        shown = self._parsed(response, lambda: read(page, reading))
        return Page([Found(one, answers=0) for one in shown.items], shown.next or None, shown.faults, response.body)

    async def post_of(self, ref: str) -> Item:
        if not _TOPIC.search(urlsplit(ref).path):
            raise Failed(f"不是小组话题的网址：{ref} / no address of a group's topic", patience=0)
        opened = response, page, reading = await self._open(ref)
        item: Item = self._parsed(response, lambda: pages.topic_of(page, reading))
        self._opened[item.url] = opened
        return item

    async def under(self, item: Item) -> AsyncIterator[Item]:
        """The answers of a topic, page by page."""
        url = item.url
        for _ in range(self.job.max_comment_pages):
            try:
                response, page, reading = await self._page_at(url)
            except Blocked as error:
                if url == item.url or error.patience == 1:
                    raise
                self.limited(_FIRST_PAGES, item.post_id)
                return
            answers = self._parsed(response, lambda page=page, reading=reading: pages.answers_of(page, item, reading))
            for one in answers.items:
                yield one
            if answers.faults:
                raise Changed(
                    f"{len(answers.faults)} 条回复读不出来：{answers.faults[0]} / unreadable answers", body=response.body
                )
            if not answers.next or answers.next == url:
                return
            url = answers.next
        self.limited(_FIRST_PAGES, item.post_id)

    async def _page_at(self, url: str) -> tuple[Response, Node, pages.Reading]:
        """A page that was opened for its topic, or is opened now."""
        return self._opened.pop(url) if url in self._opened else await self._open(url)

    async def _open(self, url: str) -> tuple[Response, Node, pages.Reading]:
        response = await self.fetch(url)
        content_type = (response.headers.get("Content-Type") or b"").decode("latin-1")
        return (
            response,
            page_of(html_of(response.body, content_type)),
            pages.Reading(datetime.now(UTC), self.zone, response.url),
        )

    def _parsed(self, response: Response, read: Any) -> Any:
        """What a page says; Changed with the page where its shape is unknown."""
        try:
            return read()
        except Changed as error:
            raise Changed(f"{error}: {response.url}", body=response.body) from error
