"""Waline, a comment server for other people's pages: single threads, or the newest comments of all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, ClassVar
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from pydantic import BaseModel, ConfigDict

from spiders.errors import Changed, Failed, Gone
from spiders.events import CollectJob
from spiders.homes import HomeSpider, Reading, home_of, part_of, read_each
from spiders.items import Item
from spiders.paging import Found, Page, split_subject
from spiders.sites.feed_pages import pictures_of
from spiders.values import count_of, text_of, tidy, time_of

PLATFORM = "waline"
THREAD = "thread:"
SIZE = 100
MOST_RECENT = 50
"""So many comments are all that Waline gives of the newest."""

Json = Mapping[str, Any]


# ------------------------------------------------------------------------------------------------------------ pages


def comment_of(entry: Any, reading: Reading, path: str, pages: str = "") -> Item | None:
    """A comment; None of one that waits for a moderator or is spam. path: its thread. pages: the site that is commented."""
    own, html = entry.get("objectId") if isinstance(entry, Mapping) else None, part_of(entry, "comment", kind=str)
    if not isinstance(own, (int, str)):
        raise Changed("评论没有 objectId / a comment without objectId")
    if entry.get("status", "approved") != "approved":
        return None
    at = time_of(entry.get("time") or entry.get("insertedAt"), now=reading.now, zone=reading.zone)
    if at is None:
        raise Changed(f"评论 {own} 没有时间 / a comment without a time")
    name, parent, root = tidy(str(entry.get("nick") or "")), entry.get("pid"), reading.local("thread", path)
    return Item(
        platform=PLATFORM,
        post_id=reading.local("comment", own),
        author_id=_author_of(entry, name, own, reading),
        author_name=name,
        posted_at=at,
        seen_at=reading.now,
        text=text_of(html),
        url=address_of(reading.home, path, own, pages),
        kind="comment",
        parent_id=reading.local("comment", parent) if parent else root,
        root_id=root,
        likes=count_of(entry.get("like")),
        comments=len(entry["children"]) if isinstance(entry.get("children"), list) else None,
        media=tuple(pictures_of(html, pages or reading.home)),
        raw={key: value for key, value in entry.items() if key != "children"},
    )


def _author_of(entry: Json, name: str, own: object, reading: Reading) -> str:
    if entry.get("user_id"):
        return reading.local("user", entry["user_id"])
    is_named = name and name.casefold() not in ("anonymous", "匿名")
    return reading.local("guest", name) if is_named else reading.local("nameless", own)


def address_of(home: str, path: str, own: object, pages: str = "") -> str:
    """Where a comment is read: on its page, or, where nobody told whose pages these are, in Waline's own answer.

    >>> address_of("https://c.example", "/post/1/", 7, "https://blog.example")
    'https://blog.example/post/1/#7'
    """
    return f"{pages}{path}#{own}" if pages else f"{home}/api/comment?path={quote(path, safe='')}#{own}"


def data_of(page: Any) -> Any:
    """What an answer holds. Raises Failed where the server says that it failed, Changed where it is none."""
    if not isinstance(page, Mapping) or "errno" not in page:
        raise Changed("回答的形状变了：没有 errno / the answer has no errno")
    if page["errno"] != 0:
        raise Failed(f"服务器出错：{page.get('errmsg')} / the server failed ({page['errno']})", patience=0)
    return page.get("data")


def thread_of(page: Any) -> tuple[list[Json], int]:
    """The comments of a page of a thread, answers after what they answer, and how many pages there are."""
    data = data_of(page)
    roots = part_of(data, "data", kind=list)
    entries = [one for root in roots for one in (root, *(root.get("children") or ()))]
    return entries, part_of(data, "totalPages", kind=int)


def recent_of(page: Any) -> list[Json]:
    """The newest comments of all threads."""
    return part_of(data_of(page), kind=list)


# ------------------------------------------------------------------------------------------------------------ spider


class WalineOptions(BaseModel):
    """pages: the address of the site whose pages are commented (``https://blog.example``), so that links lead there; the server
    is then named by ``base_url``, which is where such a link is looked up."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pages: str = ""


class WalineSpider(HomeSpider):
    """Addresses: a Waline server (the newest comments of all threads), one with ``?path=…`` (a thread). Posts: a thread's path
    (``/post/1/``), or the address of a comment. It has no search and no timelines for guests."""

    name = PLATFORM
    Options: ClassVar[type[BaseModel] | None] = WalineOptions
    MARKS: ClassVar[tuple[str, ...]] = ("/api/comment/", "/ui/")

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

    def _pages(self) -> str:
        return str(self.options.pages).rstrip("/") if self.job.base_url else ""

    async def page_of(self, subject: str, cursor: str | None) -> Page:
        home = self.home(subject)
        if subject.startswith(THREAD):
            return await self._thread(home, subject.removeprefix(THREAD))
        kind, what = split_subject(subject)
        if kind != "url":
            raise self.no_such_subject(subject)
        if path := parse_qs(urlsplit(what).query).get("path"):
            return await self._thread(home, path[0])
        return await self._recent(subject, home)

    async def _recent(self, subject: str, home: str) -> Page:
        response = await self.fetch(f"{home}/api/comment?type=recent&count={MOST_RECENT}")
        entries = self.parsed(response, recent_of)
        page = self._read(home, [(one, str(one.get("url") or "")) for one in entries])
        cut, oldest = self.cut_of(subject), min((one.item.posted_at for one in page.found), default=None)
        if len(entries) >= MOST_RECENT and (cut is None or oldest is None or oldest > cut):
            self.limited(_RECENT_END, home)  # asking again would bring no more
        return Page(page.found, None, page.faults, response.body)

    async def _thread(self, home: str, path: str) -> Page:
        """All of a thread at once: an answer to an old comment is as new as one to a new one."""
        return self._read(home, [(entry, path) async for entry in self._entries(home, path)])

    def _read(self, home: str, entries: Iterable[tuple[Json, str]]) -> Page:
        reading, pages = self.reading(home), self._pages()
        items, faults = read_each(entries, lambda one: comment_of(one[0], reading, one[1], pages))
        return Page([Found(one, answers=0) for one in sorted(items, key=lambda one: one.posted_at, reverse=True)], None, faults)

    async def _entries(self, home: str, path: str) -> AsyncIterator[Json]:
        asked = {"path": path, "pageSize": str(SIZE), "sortBy": "insertedAt_desc"}
        for number in range(1, self.job.max_comment_pages + 1):
            url = f"{home}/api/comment?{urlencode({**asked, 'page': number})}"
            entries, pages = await self.ask(url, thread_of)
            for entry in entries:
                yield entry
            if number >= pages:
                return
        self.limited(_THREAD_CUT, path)

    async def post_of(self, ref: str) -> Item:
        home, (address, _, own), pages = self.home(f"post:{ref}"), ref.rpartition("#"), self._pages()
        paths = parse_qs(urlsplit(address).query).get("path")
        path = address.removeprefix(pages) if pages and address.startswith(pages) else paths[0] if paths else ""
        if not path or not own:
            raise Failed(f"不是 Waline 评论的网址：{ref} / no address of a comment", patience=0)
        if (home, path) not in self._threads:
            self._threads[home, path] = [one async for one in self._entries(home, path)]
        for entry in self._threads[home, path]:
            if str(entry.get("objectId")) == own and (item := comment_of(entry, self.reading(home), path, pages)):
                return item
        raise Gone(f"这条评论已不在：{ref} / this comment is there no more")


_THREAD_CUT = "{count} 个页面的评论没有读全（max_comment_pages） / the comments of {count} pages go on past max_comment_pages"
_RECENT_END = (
    f"{{count}} 个 Waline 只给最新 {MOST_RECENT} 条，更早的没有读到；抓得更勤，或在 posts 里写出页面路径 / "
    f"{{count}} Waline servers gave their newest {MOST_RECENT} comments and no more: crawl oftener, or name threads under posts"
)


def _named(subject: str) -> str:
    """Posts that are no single comments are threads.

    >>> _named("post:/post/1/"), _named("post:https://blog.example/post/1/#7")
    ('thread:/post/1/', 'post:https://blog.example/post/1/#7')
    """
    kind, what = split_subject(subject)
    return f"{THREAD}{what}" if kind in ("post", "look") and "#" not in what else subject
