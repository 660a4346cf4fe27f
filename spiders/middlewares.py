"""Manners between Scrapy and the wire: robots.txt taken seriously, retries that wait as long as they are told."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from scrapy import Request
from scrapy.downloadermiddlewares.retry import RetryMiddleware
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import NotConfigured
from scrapy.extensions.throttle import AutoThrottle
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK
from scrapy.utils.httpobj import urlparse_cached

from spiders.errors import Blocked, Failed, Forbidden, Paused

LONGEST_WAIT_SECONDS = 60.0
"""Told to wait longer than this, a crawl gives up and says when it may come again."""


class Turns:
    """Each request waits for its turn at its host, as all crawls that share the database have agreed, or hears that this host
    is left alone for a while. Where there is no delay to keep, a host is asked for once."""

    def __init__(self, crawler: Any) -> None:
        self.crawler = crawler
        self._heard: set[str] = set()

    @classmethod
    def from_crawler(cls, crawler: Any) -> Turns:
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        host = host_of(request.url)
        delay = self._delay(host)
        if delay <= 0 and host in self._heard:
            return
        turn = await self.crawler.wire.turn(host, delay)
        if turn.refused:
            raise Paused(turn.refused)
        self._heard.add(host)
        if turn.wait_seconds > 0:
            await asyncio.sleep(turn.wait_seconds)

    def _delay(self, host: str) -> float:
        """The job's delay, or a longer one that robots.txt asked for."""
        asked: dict[str, float] = self.crawler.wire.delays
        return max(float(self.crawler.settings.getfloat("DOWNLOAD_DELAY")), asked.get(_bare(host), 0.0))


class Guard:
    """No way from the public net into a private one. A source that names a private address itself may read that host; a page
    elsewhere, a redirect or a link, may not lead there, nor may the address that a post was said to have."""

    def __init__(self, crawler: Any) -> None:
        self.crawler = crawler
        self._private: dict[str, bool] = {}

    @classmethod
    def from_crawler(cls, crawler: Any) -> Guard:
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        name, came_from = _name_of(request.url), [_name_of(url) for url in request.meta.get("redirect_urls", ())]
        settings = self.crawler.settings
        named = set(getattr(self.crawler.spider, "allowed_domains", None) or ()) - set(settings.getlist("JOB_LOOKS"))
        named.update(settings.getlist("JOB_HOSTS"))
        led = any(host != name for host in came_from) if came_from else name not in named
        if led and await self._is_private(name) and not (came_from and await self._is_private(came_from[-1])):
            raise Failed(
                f"网页指向内网地址 {host_of(request.url)}，没有去读 / led to a private address, not followed", patience=0
            )

    async def process_response(self, request: Request, response: Response) -> Response:
        """A name that meant a public address before and a private one now."""
        name, address = _name_of(request.url), response.ip_address
        met_before = self._private.get(name) is False and not request.meta.get("proxy")
        if met_before and address is not None and is_private(address):
            raise Failed(f"{name} 突然指向内网地址，没有读 / turned into a private address, not read", patience=0)
        return response

    async def _is_private(self, name: str) -> bool:
        if name not in self._private:
            self._private[name] = await self._looked_up(name)
        return self._private[name]

    async def _looked_up(self, name: str) -> bool:
        try:
            return is_private(ip_address(name))
        except ValueError:
            if self._has_proxy():
                return False  # the proxy looks names up
        try:
            found = await asyncio.get_running_loop().getaddrinfo(name, None)
        except OSError:
            return False  # it can't be read either
        return any(is_private(ip_address(str(address[0]).partition("%")[0])) for *_, address in found)

    def _has_proxy(self) -> bool:
        return bool(self.crawler.settings.get("JOB_PROXY") or getproxies())


def is_private(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is of this machine or a local network.

    >>> [is_private(ip_address(each)) for each in ("10.1.2.3", "::ffff:127.0.0.1", "169.254.169.254", "93.184.216.34")]
    [True, True, True, False]
    """
    mapped = getattr(address, "ipv4_mapped", None)
    return not (mapped or address).is_global


def host_of(url: str) -> str:
    """Host and port of an address, as one budget of requests counts them.

    >>> host_of("https://me:secret@Forum.Example:8443/a?b")
    'forum.example:8443'
    """
    return urlsplit(url).netloc.rpartition("@")[2].lower()


def _bare(host: str) -> str:
    """The host without its port."""
    return _name_of(f"//{host}")


def _name_of(url: str) -> str:
    return urlsplit(url).hostname or ""


class Proxies:
    """Every request of a job with a proxy goes through it."""

    def __init__(self, proxy: str) -> None:
        self.proxy = proxy

    @classmethod
    def from_crawler(cls, crawler: Any) -> Proxies:
        proxy = crawler.settings.get("JOB_PROXY")
        if not proxy:
            raise NotConfigured
        return cls(proxy)

    async def process_request(self, request: Request) -> None:
        request.meta["proxy"] = self.proxy


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
            raise Forbidden(f"网站的 robots.txt 不允许抓取 {request.url} / forbidden by the site's robots.txt")

    async def _read(self, url: str) -> Any:
        """The site's rules; None where it has none. Failed where nobody can tell."""
        self._stats.inc_value("robotstxt/request_count")
        request = Request(url, priority=self.DOWNLOAD_PRIORITY, meta={"dont_obey_robotstxt": True}, callback=NO_CALLBACK)
        response = await self.crawler.engine.download_async(request)
        self._stats.inc_value(f"robotstxt/response_status_count/{response.status}")
        if response.status == 429:
            wait = retry_after_seconds(response.headers.get("Retry-After"), datetime.now(UTC))
            raise Blocked(f"请求太频繁，连 robots.txt 也不给读（HTTP 429） / {url} answers 429", wait_seconds=wait)
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
            self.crawler.wire.delays[host or ""] = delay  # type: ignore[attr-defined]
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
