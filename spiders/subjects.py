"""A spider that reads subjects: each one straight down to its mark, those of one host after one another."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from functools import partial
from gzip import BadGzipFile
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit
from zlib import error as ZlibError  # noqa: N812
from zoneinfo import ZoneInfo

import scrapy
from scrapy import exceptions as wire_errors
from scrapy.core.downloader.handlers.http11 import TunnelError
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK

from spiders.errors import Blocked, Changed, Failed, Forbidden, Gone, Paused, UnreadError
from spiders.events import (
    Answered,
    Collected,
    CollectJob,
    Event,
    Left,
    Noted,
    Reached,
    Refused,
    SubjectMark,
    Trouble,
    TroubleKind,
)
from spiders.items import Item
from spiders.middlewares import host_of, retry_after_seconds
from spiders.values import is_login, json_from

logger = logging.getLogger(__name__)

HOSTS_AT_ONCE = 8
PAGES_KEPT = 5
NOTED_AT_LEAST = 3
"""So often a subject is noted before it is left: two pages may be ones that were read before, and each crawl has to get on."""
PAGES_SHUT = 3
"""A host that showed pages in this crawl refuses us once so many in a row are shut: one may be a post that was made private."""
_REFUSALS = {
    401: "要登录 / log-in wanted",
    403: "平台拒绝访问 / forbidden",
    418: "平台认为是爬虫，已拒绝 / taken for a robot",
    429: "请求太频繁 / too many requests",
    432: "平台限流 / throttled",
}


class _Out:
    """The way out for events, in their order: straight into the pipe to the parent, past Scrapy's machinery for items, which
    takes longer than all else that is done for a post; through Scrapy where there is no such pipe."""

    def __init__(self, crawler: Any) -> None:
        self._wire = getattr(crawler, "wire", None)
        self._stats = crawler.stats
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue(maxsize=64)

    async def put(self, event: Event | None) -> None:
        if event is None or self._wire is None:
            await self._queue.put(event)
            return
        self._wire.hand_over(event)
        self._stats.inc_value("item_scraped_count")

    async def get(self) -> Event | None:
        """The next event that goes through Scrapy; None at the end."""
        return await self._queue.get()


class SubjectSpider(scrapy.Spider):
    """Platforms derive from this and write ``subjects`` and ``read``.

    ``read`` is an asynchronous generator for one subject: it fetches page by page with ``fetch`` and yields Collected, then
    Reached (and Covered) once all is handed over. That it is one straight line is what makes the promise of Reached easy to
    keep: long texts and comments are awaited where they are needed. It raises Blocked, Changed or Failed where it can't go on.
    """

    def __init__(self, job: CollectJob, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.job = job
        self.zone = ZoneInfo(job.timezone)
        self.allowed_domains = sorted(self.hosts())
        self._emitted: set[tuple[str, str]] = set()
        self._pages_kept = 0
        self._limits: dict[str, set[str]] = {}
        self._answered: set[str] = set()
        self._served: set[str] = set()  # hosts that showed a page in this crawl
        self._refused: set[str] = set()
        self._ends_at = float("inf")

    def subjects(self) -> Sequence[str]:
        raise NotImplementedError

    def read(self, subject: str) -> AsyncIterator[Event]:
        raise NotImplementedError

    def hosts(self) -> set[str]:
        """The hosts that this job may ask."""
        raise NotImplementedError

    def host_of(self, subject: str) -> str:
        """Subjects with the same answer are read one after another."""
        return ""

    def mark_of(self, subject: str) -> SubjectMark:
        return self.job.marks.get(subject) or SubjectMark()

    def cut_of(self, subject: str) -> datetime | None:
        """Posts older than this need not be read: the job's since, or the mark less the overlap."""
        if self.job.since or self.job.until:
            return self.job.since
        marked = self.mark_of(subject).posted_at
        return marked - timedelta(hours=self.job.overlap_hours) if marked else None

    def is_whole(self, subject: str) -> bool:
        """Whether the job asks for all that came after the subject's mark: not one with ``until``, nor one whose ``since`` lies
        behind the mark, between which and it posts are left out."""
        since, marked = self.job.since, self.mark_of(subject).posted_at
        return self.job.until is None and not (since and marked and since > marked)

    def reached(self, subject: str, newest: datetime | None, state: Mapping[str, Any]) -> Reached:
        """The subject's new mark; the old one after a job that did not ask for all that came after it."""
        mark = self.mark_of(subject)
        if not self.is_whole(subject):
            return Reached(subject, mark.posted_at, mark.state)
        times = [at for at in (mark.posted_at, newest) if at is not None]
        return Reached(subject, min(max(times), datetime.now(UTC)) if times else None, state)

    def too_far(self, subject: str) -> Failed:
        """The error of a subject whose pages come to their limit before its mark."""
        return Failed(
            f"读了 {self.job.max_pages} 页还没有读到 {self.cut_of(subject)}，请抓得更勤或调大 max_pages / "
            f"{self.job.max_pages} pages did not reach back that far; crawl oftener or raise max_pages",
            patience=0,
        )

    def limited(self, words: str, what: str) -> None:
        """Note that there is more of ``what`` than this crawl reads: no failure, but told at the end. words: zh-CN and English,
        with ``{count}`` for how many there were of this limit."""
        self._limits.setdefault(words, set()).add(what)

    def short(self, subject: str) -> None:
        """Note that the pages of a subject without a mark came to their limit before their end."""
        pages = self.job.max_pages
        self.limited(
            f"{{count}} 个查询、时间线或网址只读了最近 {pages} 页（max_pages），更早的没有读 / "
            f"{{count}} searches, timelines or addresses were read {pages} pages deep (max_pages), not to their end",
            subject,
        )

    def wants(self, posted_at: datetime) -> bool:
        """Whether the job asks for a post of that time."""
        job = self.job
        return not (job.since and posted_at < job.since) and not (job.until and posted_at >= job.until)

    def fresh(self, items: Sequence[Item]) -> list[Collected]:
        """The items that this crawl has not handed over yet."""
        found = []
        for item in items:
            if (item.platform, item.post_id) not in self._emitted:
                self._emitted.add((item.platform, item.post_id))
                found.append(Collected(item))
        return found

    def groups(self) -> list[list[str]]:
        """The job's subjects; those of one host, which are read one after another, stand together."""
        groups, only = dict[str, list[str]](), set(self.job.only)
        for subject in self.subjects():
            if not only or subject in only:
                groups.setdefault(self.host_of(subject), []).append(subject)
        return list(groups.values())

    def is_over(self) -> bool:
        """Whether what is left is to be handed back."""
        most = self.job.most
        return time.monotonic() >= self._ends_at or (most is not None and len(self._emitted) >= most)

    async def start(self) -> AsyncIterator[Any]:
        groups = self.groups()
        waiting = list(groups)
        if self.job.seconds is not None:
            self._ends_at = time.monotonic() + self.job.seconds
        queue = _Out(self.crawler)

        async def work() -> None:
            while waiting:
                await self._read_group(waiting.pop(0), queue)

        async def work_all() -> None:
            try:
                await asyncio.gather(*(work() for _ in range(min(HOSTS_AT_ONCE, len(groups)))))
            finally:
                await queue.put(None)

        working = asyncio.ensure_future(work_all())
        try:
            while (event := await queue.get()) is not None:
                yield event
            await working
            for words, found in self._limits.items():
                yield Trouble("limited", words.format(count=len(found)), words=words, count=len(found))
            for host in sorted(self._answered - self._refused):
                yield Answered(host)
        finally:
            working.cancel()

    async def _read_group(self, subjects: list[str], queue: _Out) -> None:
        in_a_row = 0
        is_first = True
        while subjects:
            if not is_first and self.is_over():
                for left in subjects:
                    await queue.put(Left(left))
                return
            subject, is_first = subjects.pop(0), False
            try:
                await self._read_one(subject, queue)
                in_a_row = 0
            except UnreadError as error:
                await queue.put(self._trouble_of(error, subject))
                in_a_row += 1
                if refused := self._refusal_of(error, subject, in_a_row):
                    await queue.put(refused)
                    if self.job.seconds is not None:
                        self._ends_at = 0.0  # others must hear of it soon
                if error.patience and in_a_row >= error.patience:
                    for left in subjects:
                        message = f"没有再试：{error} / not tried after that"
                        await queue.put(Trouble(_kind_of(error), message, left))
                    return
            except Exception as error:  # noqa: BLE001 - a bug of ours, met in one odd page, costs that subject alone
                await queue.put(self._bug_of(error, subject))

    async def _read_one(self, subject: str, queue: _Out) -> None:
        noted = 0
        async with aclosing(cast("AsyncGenerator[Event, None]", self.read(subject))) as events:
            async for event in events:
                await queue.put(event)
                noted += isinstance(event, Noted)
                if noted >= NOTED_AT_LEAST and isinstance(event, Noted) and self.is_over():
                    await queue.put(Left(subject))
                    return

    def _refusal_of(self, error: UnreadError, subject: str, in_a_row: int) -> Refused | None:
        """What an error says of the host: that it refuses us, where asking on would be refused just the same."""
        if not isinstance(error, Blocked) or isinstance(error, (Paused, Forbidden)) or in_a_row < error.patience:
            return None
        hosts = self.hosts()
        host = error.host or self.host_of(subject) or (min(hosts) if len(hosts) == 1 else "")
        if not host:
            return None
        host = next((asked for asked in sorted(self._answered) if asked.partition(":")[0] == host), host)
        self._refused.add(host)
        return Refused(host, str(error), error.wait_seconds)

    def _bug_of(self, error: Exception, subject: str) -> Trouble:
        """The trace goes to the log; the message names the kind alone, for what an exception says may quote a post."""
        name = type(error).__name__
        logger.critical("%s: 爬虫程序出错 / a bug in the spider: %s", subject, name, exc_info=error)
        return Trouble("failed", f"爬虫程序出错（{name}），详情见日志 / a bug in the spider ({name}), see the log", subject)

    def _trouble_of(self, error: UnreadError, subject: str) -> Trouble:
        kept = self._keep(error.body) if isinstance(error, Changed) else ""
        return Trouble(_kind_of(error), str(error), subject, kept)

    def _keep(self, body: bytes) -> str:
        """Write a page of unknown shape down; where it lies, "" if nowhere. Readable by the owner alone: it may name people."""
        if not body or not self.job.pages_dir or self._pages_kept >= PAGES_KEPT:
            return ""
        self._pages_kept += 1
        kind = "json" if body.lstrip()[:1] in (b"{", b"[") else "html"
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        path = Path(self.job.pages_dir) / f"{self.job.platform}-{stamp}-{hashlib.sha256(body).hexdigest()[:8]}.{kind}"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_bytes(body)
        except OSError as error:
            logger.warning("没有存下看不懂的页面 / the page of unknown shape was not kept: %s", error)
            return ""
        return str(path)

    async def fetch(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        also: tuple[int, ...] = (),
        form: Mapping[str, str] | None = None,
    ) -> Response:
        """One page, past robots.txt, throttle and retries. also: statuses that are an answer too, beside 2xx. form: posted,
        where the address wants that.

        Raises Blocked or Failed."""
        assert self.crawler.engine is not None
        try:
            kind = scrapy.Request if form is None else partial(scrapy.FormRequest, formdata=dict(form))
            request = kind(url, headers=dict(headers or {}), callback=NO_CALLBACK)
            response = await self.crawler.engine.download_async(request)
            self._answered.add(host_of(response.url))
        except wire_errors.IgnoreRequest as error:
            raise _ignored(url, str(error)) from error
        except wire_errors.DownloadTimeoutError as error:
            seconds = f"{self.job.timeout_seconds:g}"
            raise Failed(f"{seconds} 秒内没有答完：{url} / no full answer within {seconds} s") from error
        except wire_errors.DownloadCancelledError as error:
            raise Failed(f"页面太大，没有读完：{url} / page too large", patience=0) from error
        except wire_errors.ResponseDataLossError as error:
            raise Failed(f"只收到一半：{url} / answer cut short") from error
        except (wire_errors.UnsupportedURLSchemeError, wire_errors.NotSupported, ValueError) as error:
            raise Failed(f"不是能抓取的网址：{url} / not an address that can be read", patience=0) from error
        except (BadGzipFile, EOFError, ZlibError) as error:
            raise Failed(f"回答的压缩是坏的：{url} / the answer's compression is broken", patience=0) from error
        except (
            wire_errors.CannotResolveHostError,
            wire_errors.DownloadConnectionRefusedError,
            wire_errors.DownloadFailedError,
            TunnelError,
            OSError,
        ) as error:
            raise Failed(f"连不上 {urlsplit(url).netloc}：{error or type(error).__name__} / can't connect") from error
        try:
            answer = _answer(url, response, also)
        except Blocked as error:
            error.host = host_of(response.url)
            if error.is_of_page and error.host in self._served:
                error.patience = PAGES_SHUT
            raise
        self._served.add(host_of(response.url))
        return answer

    def json_of(self, response: Response) -> Any:
        """The JSON of an answer, fit for UTF-8; raises Changed, or Blocked where a log-in page came in its place."""
        try:
            return json_from(response.body)
        except ValueError as error:
            start = response.body[:4096].lower()
            if any(word.encode() in start for word in ("visitor system", "passport.", "登录", "login")):
                raise Blocked(f"平台要求登录后才能看 / log-in wall: {response.url}", patience=3) from error
            raise Changed(f"回答不是 JSON / the answer is no JSON: {response.url}", body=response.body) from error


def _kind_of(error: UnreadError) -> TroubleKind:
    return "blocked" if isinstance(error, Blocked) else "changed" if isinstance(error, Changed) else "failed"


def _ignored(url: str, reason: str) -> UnreadError:
    if "DOWNLOAD_MAXSIZE" in reason:  # a small answer that unpacks to a large one
        return Failed(f"页面太大，没有读完：{url} / page too large once unpacked", patience=0)
    if "offsite" not in reason:
        return Failed(f"跳转太多次：{url} / {reason}", patience=0)
    if is_login(reason):
        return Blocked(f"平台要求登录后才能看 / log-in wall: {url}", patience=3)
    return Failed(f"{url} 跳到了别的网站，请改来源里的网址 / {reason}; change the source's address", patience=0)


def _answer(url: str, response: Response, also: tuple[int, ...]) -> Response:
    status = response.status
    if status in also:
        return response
    if status in _REFUSALS:
        later = (response.headers.get("Retry-After") or b"").decode("latin-1")
        zh, en = (f"{later} 秒后", f"{later} s") if later.strip().isdecimal() else (f"{later} 之后", later)  # or a date
        hint = f"，对方要求 {zh}再来 / come back after {en}" if later else ""
        wait = retry_after_seconds(response.headers.get("Retry-After"), datetime.now(UTC))
        shut = Blocked(f"HTTP {status}：{_REFUSALS[status]}{hint}: {url}", wait_seconds=wait)
        shut.is_of_page = status in (401, 403)
        raise shut
    if response.url != url and is_login(urlsplit(response.url).path):
        raise Blocked(f"平台要求登录后才能看 / log-in wall: {url}", patience=3)
    if status in (404, 410):
        raise Gone(f"没有这个页面（HTTP {status}）：{url} / no such page")
    if 400 <= status < 500:
        raise Failed(f"服务器不认这个请求（HTTP {status}）：{url} / the server refuses this request", patience=0)
    if not 200 <= status < 300:
        raise Failed(f"服务器出错（HTTP {status}）：{url} / server error")
    return response
