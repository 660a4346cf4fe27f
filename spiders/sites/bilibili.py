"""Bilibili, as far as a guest gets without a signature: what an account posts, one video or dynamic, its first comments."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo

from spiders.errors import Blocked, Changed, Failed
from spiders.events import CollectJob
from spiders.items import Item
from spiders.paging import Found, Page, PagedSpider, split_subject
from spiders.sites import bilibili_pages as pages

API = "https://api.bilibili.com"
SIZE = 20
_FIRST = "{count} 条内容的评论访客只能看到前几条 / of the comments under {count} posts guests are shown the first few only"

_T = TypeVar("_T")
_VIDEO = re.compile(r"(?:/video/|^)(?P<id>BV[A-Za-z0-9]{10}|av\d+)", re.IGNORECASE)
_DYNAMIC = re.compile(r"(?:t\.bilibili\.com/|/opus/|/dynamic/|^)(?P<id>\d{16,})")
_SPACE = re.compile(r"space\.bilibili\.com/(?P<mid>\d+)")


@dataclass(frozen=True, slots=True)
class _Found(Found):
    dynamic: pages.Dynamic | None = None


class BilibiliSpider(PagedSpider):
    """Accounts are ``mid`` numbers, addresses are spaces; posts are addresses or ids of videos and dynamics. Searches are
    signed, so there are none here."""

    name = pages.PLATFORM

    def __init__(self, job: CollectJob, **kwargs: Any) -> None:
        self.home = (job.base_url or API).rstrip("/")
        super().__init__(job, **kwargs)
        self.zone = ZoneInfo("Asia/Shanghai")
        self._threads: dict[str, tuple[str, str]] = {}

    def hosts(self) -> set[str]:
        return {urlsplit(self.home).hostname or ""}

    async def page_of(self, subject: str, cursor: str | None) -> Page:
        kind, what = split_subject(subject)
        if kind == "query":
            words = "B 站的搜索要签名，不做；可用 RSSHub 或导入 / searching Bilibili takes a signature, which we do not forge"
            raise Blocked(f"{words}: {what}", patience=0)
        if kind == "url":
            space = _SPACE.search(what)
            if space is None:
                raise Failed(f"不是个人空间的网址：{what} / no address of a space; videos go into posts", patience=0)
            what = space["mid"]
        query = {"host_mid": what, **({"offset": cursor} if cursor else {})}
        shown = await self._ask("/x/polymer/web-dynamic/v1/feed/space", query, pages.space_of)
        self._threads |= {one.item.post_id: (one.kind, one.oid) for one in shown.posts}
        return Page([_Found(one.item, pinned=one.pinned, dynamic=one) for one in shown.posts], shown.next, shown.faults)

    async def whole(self, found: Found) -> Sequence[Item]:
        """The post that this one passes on, and the post."""
        quoted = found.dynamic.quoted if isinstance(found, _Found) and found.dynamic else None
        return [quoted, found.item] if quoted else [found.item]

    async def post_of(self, ref: str) -> Item:
        ref = ref.partition("#")[0]
        if video := _VIDEO.search(ref):
            own = video["id"]
            query = {"aid": own[2:]} if own.lower().startswith("av") else {"bvid": own}
            item = await self._ask("/x/web-interface/view", query, pages.video_of)
            self._threads[item.post_id] = ("1", item.post_id)
            return item
        if dynamic := _DYNAMIC.search(ref):
            found = await self._ask("/x/polymer/web-dynamic/v1/detail", {"id": dynamic["id"]}, pages.detail_of)
            self._threads[found.item.post_id] = (found.kind, found.oid)
            return found.item
        raise Failed(f"不是视频或动态的网址、编号：{ref} / no address or id of a video or dynamic", patience=0)

    async def under(self, item: Item) -> AsyncIterator[Item]:
        """The comments that a guest is shown, newest first; that there are more is told."""
        kind, oid = self._threads.get(item.post_id, ("", ""))
        if not oid:
            return
        seen: set[str] = set()
        total: int | None = None
        for number in range(1, self.job.max_comment_pages + 1):
            query = {"type": kind, "oid": oid, "sort": "0", "pn": str(number), "ps": str(SIZE)}
            page = await self._ask("/x/v2/reply", query, lambda answer, reading: pages.replies_of(answer, item, reading))
            total = page.count if page.count is not None else total
            before = len(seen)
            async for one in self._shown(page, item, (kind, oid), seen):
                yield one
            if page.faults:
                raise Changed(f"{len(page.faults)} 条评论读不出来：{page.faults[0]} / unreadable comments")
            if len(seen) == before or page.roots == 0 or (total is not None and len(seen) >= total):
                break
        if total is not None and len(seen) < total:
            self.limited(_FIRST, item.post_id)

    async def _shown(self, page: pages.Replies, item: Item, thread: tuple[str, str], seen: set[str]) -> AsyncIterator[Item]:
        """A page's comments, and the answers that it leaves out."""
        for one in page.comments:
            seen.add(one.post_id)
            yield one
        for root in page.more:
            for number in range(1, self.job.max_comment_pages + 1):
                query = {"type": thread[0], "oid": thread[1], "root": root, "pn": str(number), "ps": str(SIZE)}
                answers = await self._ask(
                    "/x/v2/reply/reply", query, lambda page, reading: pages.replies_of(page, item, reading)
                )
                for one in answers.comments:
                    seen.add(one.post_id)
                    yield one
                if answers.roots < (answers.size or SIZE):
                    break

    async def _ask(self, path: str, query: Mapping[str, str], parse: Callable[[Any, pages.Reading], _T]) -> _T:
        """What ``parse`` makes of an answer. Raises Blocked, Changed, Failed, Gone."""
        url = f"{self.home}{path}?{urlencode(query)}"
        response = await self.fetch(url, headers={"Accept": "application/json"})
        try:
            return parse(self.json_of(response), pages.Reading(datetime.now(UTC), self.zone))
        except Changed as error:
            raise Changed(f"{error}: {url}", body=response.body) from error
