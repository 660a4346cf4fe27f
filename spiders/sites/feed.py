"""RSS, Atom and JSON Feed by address: blogs, forums, comments, RSSHub."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from scrapy.http import Response

from spiders.errors import Failed
from spiders.events import CollectJob, Event, Reached
from spiders.sites import feed_pages as pages
from spiders.subjects import SubjectSpider

logger = logging.getLogger(__name__)

_ACCEPT = "application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5"


class FeedSpider(SubjectSpider):
    """Each address is a subject. What its server says of its state (ETag, Last-Modified) is kept with the mark, so that a feed
    that has not changed costs one small answer."""

    name = "feed"

    def __init__(self, job: CollectJob, **kwargs: Any) -> None:
        super().__init__(job, **kwargs)

    def subjects(self) -> Sequence[str]:
        return list(dict.fromkeys(self.job.urls))

    def hosts(self) -> set[str]:
        """The feeds' hosts, with and without ``www.``: that is how far a feed may move."""
        named = {_host_of(url) for url in self.job.urls}
        return named | {f"www.{host}" for host in named} | {host.removeprefix("www.") for host in named}

    def host_of(self, subject: str) -> str:
        return _host_of(subject)

    async def read(self, subject: str) -> AsyncIterator[Event]:
        mark = self.mark_of(subject)
        response = await self.fetch(subject, headers=self._conditions(subject), also=(304,))
        if response.status == 304:
            yield Reached(subject, mark.posted_at, mark.state)
            return
        state, newest, cut = _state_of(response), None, self.cut_of(subject)
        asked = {subject}
        for number in range(1, self.job.max_pages + 1):
            feed = self._parsed(response)
            for event in self.fresh([item for item in feed.items if self.wants(item.posted_at)]):
                yield event
            ages = [item.posted_at for item in feed.items if item.post_id not in feed.undated]
            newest = max([*ages, *([newest] if newest else [])], default=None)
            if feed.is_cut:
                raise Failed(f"文档不完整，完整的部分已读 / the document breaks off: {response.url}", patience=0)
            if not feed.next or feed.next in asked or not feed.items or (cut and ages and max(ages) < cut):
                break
            if number == self.job.max_pages:
                if cut is not None:
                    raise self.too_far(subject)
                self.short(subject)
                break
            asked.add(feed.next)
            try:
                response = await self.fetch(feed.next)
            except Failed as error:
                if error.patience:
                    raise
                break  # no page after the last one
        yield self.reached(subject, newest, state)

    def _conditions(self, subject: str) -> dict[str, str]:
        """A backfill wants what is there, changed or not."""
        headers = {"Accept": _ACCEPT}
        if self.job.since is None and self.job.until is None:
            state = self.mark_of(subject).state
            headers |= {name: str(state[key]) for key, name in _CONDITIONS.items() if state.get(key)}
        return headers

    def _parsed(self, response: Response) -> pages.Feed:
        content_type = (response.headers.get("Content-Type") or b"").decode("latin-1")
        reading = pages.Reading(datetime.now(UTC), self.zone, response.url)
        return pages.feed_of(response.body, content_type, reading)


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # no address at all; asked for, it says so
        return ""


_CONDITIONS = {"etag": "If-None-Match", "modified": "If-Modified-Since"}


def _state_of(response: Response) -> Mapping[str, str]:
    found = {"etag": response.headers.get("ETag"), "modified": response.headers.get("Last-Modified")}
    return {key: value.decode("latin-1") for key, value in found.items() if value}
