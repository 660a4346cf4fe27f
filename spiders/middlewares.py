"""Manners between Scrapy and the wire: robots.txt taken seriously, retries that wait as long as they are told."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from scrapy import Request
from scrapy.downloadermiddlewares.retry import RetryMiddleware
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.extensions.throttle import AutoThrottle
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK
from scrapy.utils.httpobj import urlparse_cached

from spiders.errors import Blocked, Failed

LONGEST_WAIT_SECONDS = 60.0
"""Told to wait longer than this, a crawl gives up and says when it may come again."""


class Robots(RobotsTxtMiddleware):
    """Scrapy's own allows everything where robots.txt could not be read. RFC 9309 (2.3.1.4): a server that is in trouble has
    not allowed anything, so here that host's requests fail; 4xx means that there are no rules. Its crawl delay is kept."""

    def __init__(self, crawler: Any) -> None:
        super().__init__(crawler)
        self._rules: dict[str, asyncio.Future[Any]] = {}

    async def process_request(self, request: Request) -> None:  # type: ignore[override]
        if request.meta.get("dont_obey_robotstxt"):
            return
        parts = urlparse_cached(request)
        if parts.netloc not in self._rules:
            self._rules[parts.netloc] = asyncio.ensure_future(self._read(f"{parts.scheme}://{parts.netloc}/robots.txt"))
        rules = await self._rules[parts.netloc]
        if rules is not None and not rules.allowed(request.url, self._robotstxt_useragent):
            self._stats.inc_value("robotstxt/forbidden")
            raise Blocked(f"网站的 robots.txt 不允许抓取 {request.url} / forbidden by the site's robots.txt", patience=3)

    async def _read(self, url: str) -> Any:
        """The site's rules; None where it has none. Failed where nobody can tell."""
        self._stats.inc_value("robotstxt/request_count")
        request = Request(url, priority=self.DOWNLOAD_PRIORITY, meta={"dont_obey_robotstxt": True}, callback=NO_CALLBACK)
        response = await self.crawler.engine.download_async(request)
        self._stats.inc_value(f"robotstxt/response_status_count/{response.status}")
        if response.status == 429:
            raise Blocked(f"请求太频繁，连 robots.txt 也不给读（HTTP 429） / {url} answers 429")
        if response.status >= 500:
            raise Failed(f"读不到 robots.txt（HTTP {response.status}），先不抓取 / {url} answers {response.status}")
        if response.status >= 400:
            return None
        rules = self._parserimpl.from_crawler(self.crawler, response.body)
        self._slow_down(rules.crawl_delay(self._robotstxt_useragent or ""), urlparse_cached(request).hostname)
        return rules

    def _slow_down(self, delay: float | None, host: str | None) -> None:
        slot = self.crawler.engine.downloader.slots.get(host or "")
        if delay and slot is not None:
            delay = min(delay, LONGEST_WAIT_SECONDS)
            slot.delay = max(slot.delay, delay)
            # AutoThrottle pulls a slot's delay back to its own least one
            throttle = self.crawler.get_extension(AutoThrottle)
            if throttle is not None:
                throttle.mindelay = max(throttle.mindelay, delay)


class Retries(RetryMiddleware):
    """Scrapy's retries, but after a pause: as long as ``Retry-After`` says, else longer each time."""

    async def process_response(self, request: Request, response: Response) -> Request | Response:  # type: ignore[override]
        if request.meta.get("dont_retry") or response.status not in self.retry_http_codes:
            return response
        wait = retry_after_seconds(response.headers.get("Retry-After"), datetime.now(UTC))
        if wait is not None and wait > LONGEST_WAIT_SECONDS:
            return response
        again = self._retry(request, f"{response.status}")
        if again is None:
            return response
        await asyncio.sleep(self._pause(request) if wait is None else wait)
        return again

    async def process_exception(  # type: ignore[override]
        self, request: Request, exception: Exception
    ) -> Request | None:
        if not isinstance(exception, self.exceptions_to_retry) or request.meta.get("dont_retry"):
            return None
        again = self._retry(request, exception)
        if again is not None:
            await asyncio.sleep(self._pause(request))
        return again

    def _pause(self, request: Request) -> float:
        least = max(0.1, self.crawler.settings.getfloat("DOWNLOAD_DELAY"))
        return float(min(LONGEST_WAIT_SECONDS, least * 2 ** request.meta.get("retry_times", 0)))


def retry_after_seconds(header: bytes | None, now: datetime) -> float | None:
    """How long a server asks to wait, by either form of ``Retry-After``; None where it does not say.

    >>> retry_after_seconds(b"120", datetime(2026, 1, 1, tzinfo=UTC))
    120.0
    >>> retry_after_seconds(b"Thu, 01 Jan 2026 00:00:30 GMT", datetime(2026, 1, 1, tzinfo=UTC))
    30.0
    """
    if not header:
        return None
    text = header.decode("latin-1").strip()
    if text.isdecimal():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds())
