"""RSS, Atom and JSON Feed by address: blogs, forums, comments, RSSHub."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import md5
from typing import ClassVar
from urllib.parse import quote, unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field
from scrapy.http import Response

from spiders.errors import Failed
from spiders.paging import Found, Page, PagedSpider, state_of
from spiders.sites import feed_pages as pages

logger = logging.getLogger(__name__)

_RSSHUB = "rsshub://"
_ACCEPT = "application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5"


class FeedOptions(BaseModel):
    """rsshub: the address of an RSSHub that you run or may use. routes: what to read there, as its manual names it
    (``weibo/user/1234567890``); in one with ``{}`` that stands for each query in turn. rsshub_key: its access key, if it has
    one; it is never sent itself, but as the code of each route."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    rsshub: str = ""
    routes: tuple[str, ...] = ()
    rsshub_key: str = Field("", repr=False)


class FeedSpider(PagedSpider):
    """Each address is a subject, and so is each route of an RSSHub, as ``rsshub://<route>`` whichever server is asked. What a
    server says of its state (ETag, Last-Modified) is kept with the mark, so that a feed that has not changed costs one small
    answer."""

    name = "feed"
    Options: ClassVar[type[BaseModel] | None] = FeedOptions

    def subjects(self) -> Sequence[str]:
        routes = (route.replace("{}", words) for route in self.options.routes for words in self._words_for(route))
        named = [*self.job.urls, *(f"{_RSSHUB}{route.strip('/')}" for route in routes)]
        return [*dict.fromkeys(named), *(f"look:{ref}" for ref in self.job.looks)]

    def _words_for(self, route: str) -> Sequence[str]:
        return [quote(words, safe="") for words in self.job.queries] if "{}" in route else [""]

    def _address_of(self, subject: str) -> str:
        """Where a subject is read. Raises Failed for a route without a server."""
        if not subject.startswith(_RSSHUB):
            return subject
        home, path = self.options.rsshub.rstrip("/"), "/" + subject.removeprefix(_RSSHUB).strip("/")
        if not home:
            words = f"没有写 options.rsshub，不知道去哪里读 {subject} / without options.rsshub nobody knows where to read that"
            raise Failed(words, patience=0)
        if not self.options.rsshub_key:
            return f"{home}{path}"
        code = md5(
            f"{unquote(path)}{self.options.rsshub_key}".encode(), usedforsecurity=False
        ).hexdigest()  # as RSSHub checks it
        return f"{home}{path}?code={code}"

    def hosts(self) -> set[str]:
        """The feeds' hosts, with and without ``www.``: that is how far a feed may move."""
        named = {_host_of(url) for url in (*self.job.urls, self.options.rsshub)} - {""}
        return named | {f"www.{host}" for host in named} | {host.removeprefix("www.") for host in named}

    def host_of(self, subject: str) -> str:
        return _host_of(self.options.rsshub if subject.startswith(_RSSHUB) else subject)

    async def page_of(self, subject: str, cursor: str | None) -> Page:
        if cursor is None:
            url = self._address_of(subject)
            response = await self.fetch(url, headers={"Accept": _ACCEPT, **self.conditions(subject)}, also=(304,))
            if response.status == 304:
                return Page([], unchanged=True)
        else:
            try:
                response = await self.fetch(cursor, headers={"Accept": _ACCEPT})
            except Failed as error:
                if error.patience:
                    raise
                return Page([])  # no page after the last one
        feed = self._parsed(response)
        return Page(
            [Found(item, dated=item.post_id not in feed.undated, answers=0) for item in feed.items],
            next=feed.next or None if feed.items else None,
            cut_short=f"文档不完整，完整的部分已读 / the document breaks off: {response.url}" if feed.is_cut else "",
            state=state_of(response),
        )

    def _parsed(self, response: Response) -> pages.Feed:
        content_type = (response.headers.get("Content-Type") or b"").decode("latin-1")
        reading = pages.Reading(datetime.now(UTC), self.zone, response.url)
        return pages.feed_of(response.body, content_type, reading)


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # no address at all; asked for, it says so
        return ""
