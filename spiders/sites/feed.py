"""RSS, Atom and JSON Feed by address: blogs, forums, comments, RSSHub."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from scrapy.http import Response

from spiders.errors import Failed
from spiders.paging import Found, Page, PagedSpider, state_of
from spiders.sites import feed_pages as pages

logger = logging.getLogger(__name__)

_ACCEPT = "application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5"


class FeedSpider(PagedSpider):
    """Each address is a subject. What its server says of its state (ETag, Last-Modified) is kept with the mark, so that a feed
    that has not changed costs one small answer."""

    name = "feed"

    def subjects(self) -> Sequence[str]:
        return [*dict.fromkeys(self.job.urls), *(f"look:{ref}" for ref in self.job.looks)]

    def hosts(self) -> set[str]:
        """The feeds' hosts, with and without ``www.``: that is how far a feed may move."""
        named = {_host_of(url) for url in self.job.urls}
        return named | {f"www.{host}" for host in named} | {host.removeprefix("www.") for host in named}

    def host_of(self, subject: str) -> str:
        return _host_of(subject)

    async def page_of(self, subject: str, cursor: str | None) -> Page:
        if cursor is None:
            response = await self.fetch(subject, headers={"Accept": _ACCEPT, **self.conditions(subject)}, also=(304,))
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
