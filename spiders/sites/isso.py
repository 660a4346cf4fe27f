"""Isso, a comment server for other people's pages: single threads, or the newest comments of all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import Any, ClassVar
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from pydantic import BaseModel, ConfigDict

from spiders.errors import Failed, Gone
from spiders.events import CollectJob
from spiders.homes import HomeSpider, Reading, home_of, part_of, read_each
from spiders.items import Item
from spiders.paging import Found, Page, split_subject
from spiders.sites.feed_pages import pictures_of
from spiders.values import count_of, text_of, tidy, time_of

PLATFORM = "isso"
THREAD = "thread:"
ROOTS, ANSWERS = 100, 50
FIRST_LATEST, TIMES_MORE = 100, 5
SHOWN = 1  # 2 waits for a moderator, 4 is deleted and only still answered

Json = Mapping[str, Any]


# ------------------------------------------------------------------------------------------------------------ pages


def comment_of(entry: Any, reading: Reading, uri: str, pages: str = "") -> Item | None:
    """A comment; None of a deleted one. uri: its thread. pages: the address of the site whose pages are commented."""
    own, html = part_of(entry, "id", kind=int), entry.get("text")
    if entry.get("mode", SHOWN) != SHOWN or not html:
        return None
    at = time_of(part_of(entry, "created", kind=float), now=reading.now, zone=reading.zone) or reading.now
    name, parent, root = tidy(str(entry.get("author") or "")), entry.get("parent"), reading.local("thread", uri)
    return Item(
        platform=PLATFORM,
        post_id=reading.local("comment", own),
        author_id=reading.local("guest", name) if name else reading.local("nameless", own),
        author_name=name,
        posted_at=at,
        seen_at=reading.now,
        text=text_of(html),
        url=address_of(reading.home, uri, own, pages),
        kind="comment",
        parent_id=reading.local("comment", parent) if parent is not None else root,
        root_id=root,
        likes=count_of(entry.get("likes")),
        comments=count_of(entry.get("total_replies")),
        media=tuple(pictures_of(html, pages or reading.home)),
        raw={key: value for key, value in entry.items() if key != "replies"},
    )


def address_of(home: str, uri: str, own: int, pages: str = "") -> str:
    """Where a comment is read: on its page, or, where nobody told whose pages these are, in Isso's own answer.

    >>> address_of("https://c.example", "/post/1/", 7, "https://blog.example"), address_of("https://c.example", "/post/1/", 7)
    ('https://blog.example/post/1/#isso-7', 'https://c.example/?uri=%2Fpost%2F1%2F#isso-7')
    """
    return f"{pages}{uri}#isso-{own}" if pages else f"{home}/?uri={quote(uri, safe='')}#isso-{own}"


def thread_of(page: Any) -> list[Json]:
    """The comments of a page of a thread: roots, or the answers to one, as they were written."""
    return part_of(page, "replies", kind=list)


def latest_of(page: Any, reading: Reading, pages: str = "") -> tuple[list[Item], list[str]]:
    """The comments of ``/latest``, and what could not be read."""

    def read(entry: Any) -> Item | None:
        return comment_of(entry, reading, part_of(entry, "uri", kind=str), pages)

    return read_each(part_of(page, kind=list), read)


# ------------------------------------------------------------------------------------------------------------ spider


class IssoOptions(BaseModel):
    """pages: the address of the site whose pages are commented (``https://blog.example``), so that links lead there; the server
    is then named by ``base_url``, which is where such a link is looked up."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pages: str = ""


class IssoSpider(HomeSpider):
    """Addresses: an Isso server (the newest comments of all threads, if its owner lets them be shown), one with ``?uri=…`` (a
    thread). Posts: a thread's path (``/post/1/``), or the address of a comment. It has no search and no timelines."""

    name = PLATFORM
    Options: ClassVar[type[BaseModel] | None] = IssoOptions

    def __init__(self, job: CollectJob, **kwargs: Any) -> None:
        super().__init__(job, **kwargs)
        self._threads: dict[tuple[str, str], list[Json]] = {}  # those that single comments were looked for in

    def subjects(self) -> list[str]:
        return list(dict.fromkeys(_named(subject) for subject in super().subjects()))

    def home(self, subject: str) -> str:
        kind, what = split_subject(subject)
        if kind in ("post", "look") and self._pages() and what.startswith(self._pages()):
            return home_of(self.job.base_url)
        return super().home(subject)

    async def page_of(self, subject: str, cursor: str | None) -> Page:
        home = self.home(subject)
        if subject.startswith(THREAD):
            return await self._thread(home, subject.removeprefix(THREAD))
        kind, what = split_subject(subject)
        if kind != "url":
            raise self.no_such_subject(subject)
        if uri := parse_qs(urlsplit(what).query).get("uri"):
            return await self._thread(home, uri[0])
        return await self._latest(home, int(cursor or FIRST_LATEST))

    async def _latest(self, home: str, limit: int) -> Page:
        """The newest comments; there is no next page, only a longer one."""
        try:
            response = await self.fetch(f"{home}/latest?limit={limit}")
        except Gone as error:
            raise Failed(
                f"这个 Isso 没有打开 latest-enabled，请在 posts 里写出页面路径：{home} / "
                "its owner does not show the newest comments: name the threads under posts",
                patience=0,
            ) from error
        items, faults = self.parsed(response, partial(latest_of, reading=self.reading(home), pages=self._pages()))
        found = [Found(one, answers=0) for one in sorted(items, key=lambda one: one.posted_at, reverse=True)]
        following = str(limit * TIMES_MORE) if len(items) + len(faults) >= limit else None
        return Page(found, following, faults, response.body)

    async def _thread(self, home: str, uri: str) -> Page:
        """All of a thread at once: an answer to an old comment is as new as one to a new one."""
        entries = [one async for one in self._entries(home, uri)]
        read = partial(comment_of, reading=self.reading(home), uri=uri, pages=self._pages())
        items, faults = read_each(entries, read)
        return Page([Found(one, answers=0) for one in sorted(items, key=lambda one: one.posted_at, reverse=True)], None, faults)

    def _pages(self) -> str:
        return str(self.options.pages).rstrip("/") if self.job.base_url else ""

    async def _entries(self, home: str, uri: str) -> AsyncIterator[Json]:
        asked: dict[str, str] = {"uri": uri, "limit": str(ROOTS), "nested_limit": str(ANSWERS)}
        for _ in range(self.job.max_comment_pages):
            roots = await self.ask(f"{home}/?{urlencode(asked)}", thread_of)
            for root in roots:
                yield root
                shown = root.get("replies") or []
                for answer in shown:
                    yield answer
                if root.get("hidden_replies"):
                    async for answer in self._answers(home, uri, root, shown):
                        yield answer
            if len(roots) < ROOTS:  # what the server calls hidden counts those before this page too
                return
            asked["after"] = repr(part_of(roots[-1], "created", kind=float))
        self.limited(_THREAD_CUT, uri)

    async def _answers(self, home: str, uri: str, root: Json, shown: list[Json]) -> AsyncIterator[Json]:
        asked: dict[str, str] = {"uri": uri, "limit": str(ROOTS), "parent": str(part_of(root, "id", kind=int))}
        last: list[Json] = shown
        for _ in range(self.job.max_comment_pages):
            if last:
                asked["after"] = repr(part_of(last[-1], "created", kind=float))
            last = await self.ask(f"{home}/?{urlencode(asked)}", thread_of)
            for one in last:
                yield one
            if len(last) < ROOTS:
                return
        self.limited(_THREAD_CUT, uri)

    async def post_of(self, ref: str) -> Item:
        home, (address, _, own) = self.home(f"post:{ref}"), ref.partition("#isso-")
        pages = self._pages()
        uris = parse_qs(urlsplit(address).query).get("uri")
        uri = address.removeprefix(pages) if pages and address.startswith(pages) else uris[0] if uris else ""
        if not uri or not own:
            raise Failed(f"不是 Isso 评论的网址：{ref} / no address of a comment", patience=0)
        if (home, uri) not in self._threads:
            self._threads[home, uri] = [one async for one in self._entries(home, uri)]
        for entry in self._threads[home, uri]:
            if str(entry.get("id")) == own and (item := comment_of(entry, self.reading(home), uri, pages)):
                return item
        raise Gone(f"这条评论已不在：{ref} / this comment is there no more")


_THREAD_CUT = "{count} 个页面的评论没有读全（max_comment_pages） / the comments of {count} pages go on past max_comment_pages"


def _named(subject: str) -> str:
    """Posts that are no single comments are threads.

    >>> _named("post:/post/1/"), _named("post:https://blog.example/post/1/#isso-7")
    ('thread:/post/1/', 'post:https://blog.example/post/1/#isso-7')
    """
    kind, what = split_subject(subject)
    return f"{THREAD}{what}" if kind in ("post", "look") and "#isso-" not in what else subject
