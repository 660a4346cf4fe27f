"""Software that many sites run: which site a subject belongs to, and how ids that are local to it become unique."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlsplit, urlunsplit

from scrapy.http import Response

from spiders.errors import Changed, Failed
from spiders.paging import PagedSpider, split_subject

_T = TypeVar("_T")
_E = TypeVar("_E")
_LOCAL = re.compile(r"^(?P<site>.+?):(?P<kind>[a-z]+):(?P<own>.+)$")


@dataclass(frozen=True, slots=True)
class Reading:
    """When, in which zone and from which site (its address without the last ``/``) a page was read."""

    now: datetime
    zone: tzinfo
    home: str

    def local(self, kind: str, *own: object) -> str:
        """An id that is unique on the platform, of one that is unique on the site.

        >>> Reading(datetime(2026, 1, 1, tzinfo=UTC), UTC, "https://forum.example.com").local("topic", 12, 3)
        'forum.example.com:topic:12:3'
        """
        return ":".join((site_of(self.home), kind, *map(str, own)))


def site_of(home: str) -> str:
    """Host, port and folder of a site's address.

    >>> site_of("https://Blog.example:8080/zh/")
    'blog.example:8080/zh'
    """
    parts = urlsplit(home)
    return f"{parts.netloc.lower()}{parts.path.rstrip('/')}"


def home_of(url: str, marks: Sequence[str] = ()) -> str:
    """The address of the site that a page belongs to: all before the first of the ``marks`` that its program puts there.

    >>> home_of("https://a.example/forum/t/topic/12/3?x=1", ("/t/", "/c/"))
    'https://a.example/forum'
    """
    parts = urlsplit(url)
    ends = [at for mark in marks if (at := f"{parts.path}/".find(mark)) >= 0]
    path = parts.path[: min(ends)] if ends else parts.path
    return urlunsplit((parts.scheme, parts.netloc, path.rstrip("/"), "", ""))


def own_of(ref: str) -> tuple[str, str, str]:
    """Site, kind and own part of an id that `Reading.local` made; ("", "", ref) of any other.

    >>> own_of("127.0.0.1:8080:user:2"), own_of("小林")
    (('127.0.0.1:8080', 'user', '2'), ('', '', '小林'))
    """
    match = None if "://" in ref else _LOCAL.match(ref)
    return (match["site"], match["kind"], match["own"]) if match else ("", "", ref)


def part_of(page: Any, *path: str, kind: type[_T]) -> _T:
    """What lies at a path in a piece of JSON; raises Changed where nothing of that kind does.

    >>> part_of({"data": {"posts": []}}, "data", "posts", kind=list)
    []
    """
    found = page
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    if not isinstance(found, kind):
        raise Changed(f"回答的形状变了：没有 {'.'.join(path) or kind.__name__} / the answer has no such part")
    return found


def read_each(entries: Iterable[_E], read: Callable[[_E], _T | None]) -> tuple[list[_T], list[str]]:
    """What could be read (None: nothing to read there), and in words what could not."""
    found, faults = [], []
    for entry in entries:
        try:
            one = read(entry)
        except Changed as error:
            faults.append(str(error))
            continue
        if one is not None:
            found.append(one)
    return found, faults


class HomeSpider(PagedSpider):
    """A spider whose subjects may lie on many sites. An address names its site; so does an id that `Reading.local` made. What
    names none (a query, a bare id) is asked of ``base_url``, or of the only site among the addresses.

    MARKS: parts of paths that the software puts behind a site's home.
    """

    MARKS: ClassVar[tuple[str, ...]] = ()

    def hosts(self) -> set[str]:
        """The hosts of all subjects, with and without ``www.``: that is how far a site may move."""
        named = {self.host_of(subject) for subject in self.subjects()} - {""}
        return named | {f"www.{host}" for host in named} | {host.removeprefix("www.") for host in named}

    def host_of(self, subject: str) -> str:
        try:
            return urlsplit(self.home(subject)).hostname or ""
        except (Failed, ValueError):  # asked for, it says so
            return ""

    def home(self, subject: str) -> str:
        """The site that a subject is read from. Raises Failed where nothing tells."""
        kind, what = split_subject(subject)
        if "://" in what and kind != "query":
            return home_of(what, self.MARKS)
        known = [home_of(self.job.base_url)] if self.job.base_url else []
        known += dict.fromkeys(home_of(url, self.MARKS) for url in self.job.urls if "://" in url)
        if kind in ("timeline", "post", "look") and (site := self.site_in(what)):
            return next((home for home in known if site_of(home) == site), f"https://{site}")
        if known and (self.job.base_url or len(known) == 1):
            return known[0]
        raise Failed(f"不知道 {what} 在哪个网站，请写 base_url / no telling which site that is on: set base_url", patience=0)

    def site_in(self, ref: str) -> str:
        """The site that an id names, "" if none."""
        return own_of(ref)[0]

    def reading(self, home: str) -> Reading:
        return Reading(datetime.now(UTC), self.zone, home)

    async def ask(self, url: str, parse: Callable[[Any], _T]) -> _T:
        """What ``parse`` makes of the JSON at an address. Raises Blocked, Changed (with the page), Failed."""
        return self.parsed(await self.fetch(url, headers={"Accept": "application/json"}), parse)

    def parsed(self, response: Response, parse: Callable[[Any], _T]) -> _T:
        """What ``parse`` makes of an answer's JSON. Raises Changed, with the page."""
        try:
            return parse(self.json_of(response))
        except Changed as error:
            raise Changed(f"{error}: {response.url}", body=response.body) from error

    def no_such_subject(self, subject: str) -> Failed:
        """The error of a subject that this platform does not show to guests."""
        zh, en = _KINDS[split_subject(subject)[0]]
        name = self.job.platform
        return Failed(f"{name} 没有给访客看的{zh}：{subject} / {name} shows guests no {en}", patience=0)


_KINDS = {
    "timeline": ("个人时间线", "timelines"),
    "query": ("搜索", "search"),
    "post": ("单条内容", "single posts"),
    "look": ("单条内容", "single posts"),
    "url": ("这种网址", "such address"),
}
