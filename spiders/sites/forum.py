"""Any HTML forum, by the selectors of its configuration: boards, searches, an author's topics, topics with their floors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from parsel import Selector as Node
from pydantic import BaseModel
from scrapy.http import Response

from spiders.errors import Blocked, Changed, Failed, Gone
from spiders.events import CollectJob
from spiders.items import Item
from spiders.paging import Found, Page, PagedSpider, split_subject
from spiders.selectors import html_of
from spiders.selectors import page_of as parsed
from spiders.sites import forum_pages as pages
from spiders.sites.forum_options import ForumOptions

_WALLED = "{count} 个主题登录后才能看 / {count} topics are shown after a log-in only"
_UNOPENED = (
    "{count} 个主题打不开（太大、跳到别的网站或不被接受），没有读 / "
    "{count} topics could not be opened (too large, moved to another site, refused) and were not read"
)
_MORE_FLOORS = (
    "{{count}} 个主题的楼层超过 {0} 页（max_comment_pages），后面的没有读 / floors of {{count}} topics go on past {0} pages"
)


@dataclass(frozen=True, slots=True)
class _Opened:
    """A topic whose first page was read."""

    page: pages.Topic
    url: str
    opener_id: str


class ForumSpider(PagedSpider):
    """Addresses are lists of topics; queries and accounts stand for lists by ``search`` and ``timeline``; posts are topics."""

    name = "forum"
    Options: ClassVar[type[BaseModel] | None] = ForumOptions

    def __init__(self, job: CollectJob, **kwargs: Any) -> None:
        super().__init__(job, **kwargs)
        if self.options.timezone:
            self.zone = ZoneInfo(self.options.timezone)
        self._opened: dict[str, _Opened] = {}

    def hosts(self) -> set[str]:
        addresses = [*self.job.urls, *self.job.posts, self.options.search, self.options.timeline, self.job.base_url]
        named = {urlsplit(one).hostname or "" for one in addresses if one}
        return (named | {f"www.{host}" for host in named} | {host.removeprefix("www.") for host in named}) - {"", "www."}

    def host_of(self, subject: str) -> str:
        try:
            return urlsplit(self._address(subject)).hostname or ""
        except (Failed, ValueError):  # asked for, it says so
            return ""

    def _address(self, subject: str) -> str:
        kind, what = split_subject(subject)
        if kind in ("query", "timeline"):
            name = "search" if kind == "query" else "timeline"
            template = getattr(self.options, name)
            if "{}" not in template:
                raise Failed(
                    f"没有写 options.{name}，不知道去哪里读 {subject} / without options.{name} nobody knows where to read that",
                    patience=0,
                )
            own = what if kind == "query" else pages.account_in(what)
            return str(template).replace("{}", quote(own, safe="", encoding=self.options.encoding or "utf-8", errors="replace"))
        return what if kind == "post" else subject

    async def page_of(self, subject: str, cursor: str | None) -> Page:
        response, page, reading = await self._open(cursor or self._address(subject))
        try:
            listing = pages.listing_of(page, self.options.topics, reading)
        except Changed as error:
            raise Changed(f"{error}: {response.url}", body=response.body) from error
        cut = self.cut_of(subject)
        old = [bool(cut and row.sorted_at and row.sorted_at < cut) for row in listing.rows]
        ages = [is_old for is_old, row in zip(old, listing.rows, strict=True) if not row.pinned]
        # rows that nothing has happened to need not be opened, so the end is told by the list itself
        is_down = bool(ages) and sum(ages) * 2 > len(ages)
        wanted = [row for is_old, row in zip(old, listing.rows, strict=True) if not is_old and not self._is_known(subject, row)]
        found, faults = await self._found(wanted, reading)
        kept = response.body if faults or listing.faults else b""
        left = [row for row in listing.rows if row not in wanted and not row.pinned]
        return Page(
            found,
            None if is_down else listing.next or None,
            (*listing.faults, *faults),
            kept,
            hidden=[row.post_id for row in left],
            passed=[at for row in left if (at := row.sorted_at or row.posted_at) is not None],
        )

    def _is_known(self, subject: str, row: pages.Row) -> bool:
        """Whether a topic is as it was when its floors were last read, or not in the range that is asked for."""
        if not self.is_crawl():
            return row.posted_at is not None and not self.wants(row.posted_at)
        known = self.mark_of(subject).state.get("answers") or {}
        return row.answers is not None and known.get(row.post_id) == row.answers

    async def _found(self, rows: list[pages.Row], reading: pages.Reading) -> tuple[list[Found], list[str]]:
        self._opened.clear()
        found, faults, walls = [], [], []
        for row in rows:
            try:
                item = pages.item_of_row(row, reading) if self.options.floors is None else await self._topic(row)
            except Blocked as error:
                if error.patience == 1:
                    raise
                walls.append(error)
                self.limited(_WALLED, row.post_id)
                continue
            except Changed as error:
                faults.append(str(error))
                continue
            except Gone:
                continue  # taken away between the list and now
            except Failed as error:
                if error.patience:
                    raise
                self.limited(_UNOPENED, row.post_id)
                continue
            if item is None:
                faults.append(f"topics.time 在一行里读不出时间 / no time in a row: {row.post_id}")
            else:
                found.append(Found(item, row.pinned, sorted_at=row.sorted_at))
        if walls and not found:
            raise walls[0]
        return found, faults

    async def _topic(self, row: pages.Row) -> Item:
        response, page, reading = await self._open(row.url)
        try:
            topic = pages.topic_of(page, self.options.floors, reading)
            item = pages.opener_of(topic, row, reading)
        except Changed as error:
            raise Changed(f"{error}: {response.url}", body=response.body) from error
        self._note(topic)
        self._opened[item.post_id] = _Opened(topic, response.url, topic.floors[0].floor_id)
        return item

    def _note(self, topic: pages.Topic) -> None:
        self.crawler.stats.inc_value("forum/hidden_floors", topic.hidden)
        if topic.faults:
            raise Changed(f"有 {len(topic.faults)} 层读不出来：{topic.faults[0]} / {len(topic.faults)} unreadable")

    async def under(self, item: Item) -> AsyncIterator[Item]:
        opened = self._opened.pop(item.post_id, None)
        if opened is None:
            return
        topic, url, asked = opened.page, opened.url, {opened.url}
        reading = pages.Reading(datetime.now(UTC), self.zone, url)
        for floor in topic.floors[1:]:
            yield pages.comment_of(floor, item, opened.opener_id, reading)
        for number in range(2, self.job.max_comment_pages + 2):
            if not topic.next or topic.next in asked:
                return
            if number > self.job.max_comment_pages:
                self.limited(_MORE_FLOORS.format(self.job.max_comment_pages), item.post_id)
                return
            asked.add(topic.next)
            response, page, reading = await self._open(topic.next)
            try:
                topic = pages.topic_of(page, self.options.floors, reading)
            except Changed as error:
                raise Changed(f"{error}: {response.url}", body=response.body) from error
            for floor in topic.floors:
                if floor.floor_id != opened.opener_id:  # some forums show the first floor on every page
                    yield pages.comment_of(floor, item, opened.opener_id, reading)
            self._note(topic)

    async def post_of(self, ref: str) -> Item:
        if self.options.floors is None:
            raise Failed("没有写 options.floors，不能读单个主题 / a topic can't be read without options.floors", patience=0)
        host = urlsplit(ref).netloc.lower()
        own = pages.topic_id_of(ref, self.options.topics, host)
        row = pages.Row(ref, own, "", "", "", None, None, None, None, pinned=False, html="")
        return await self._topic(row)

    async def _open(self, url: str) -> tuple[Response, Node, pages.Reading]:
        response = await self.fetch(url)
        content_type = (response.headers.get("Content-Type") or b"").decode("latin-1")
        reading = pages.Reading(datetime.now(UTC), self.zone, response.url)
        html = html_of(response.body, content_type, self.options.encoding)
        return response, parsed(html), reading
