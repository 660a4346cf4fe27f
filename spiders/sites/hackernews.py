"""Hacker News: searches and timelines by Algolia's index, single stories as trees; or all of it from the official Firebase."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from functools import partial
from typing import Any, ClassVar, Literal
from urllib.parse import parse_qs, urlencode, urlsplit

from pydantic import BaseModel, ConfigDict

from spiders.errors import Changed, Failed, Gone
from spiders.homes import HomeSpider, Reading, part_of, read_each
from spiders.items import Item, ItemMedia
from spiders.paging import Found, Page, split_subject
from spiders.sites.feed_pages import joined
from spiders.values import count_of, link_of, text_of, time_of

PLATFORM = "hackernews"
SITE = "https://news.ycombinator.com"
HOMES = {"algolia": "https://hn.algolia.com", "firebase": "https://hacker-news.firebaseio.com"}
HITS, MOST_HITS = 100, 1000
ITEMS = 20
"""Posts that a page from Firebase holds: each costs a request."""

Json = Mapping[str, Any]


# ------------------------------------------------------------------------------------------------------------ pages


def hits_of(page: Any, reading: Reading) -> tuple[list[Item], list[str], list[int]]:
    """The posts of a page of Algolia's search, what could not be read, and the seconds of all."""
    hits = part_of(page, "hits", kind=list)
    items, faults = read_each(hits, partial(hit_of, reading=reading))
    return items, faults, [one["created_at_i"] for one in hits if isinstance(one.get("created_at_i"), int)]


def hit_of(hit: Any, reading: Reading) -> Item | None:
    """A story or comment as Algolia's search shows it. Raises Changed."""
    own, is_comment = part_of(hit, "objectID", kind=str), hit.get("parent_id") is not None
    return _item(
        reading,
        raw={key: value for key, value in hit.items() if key != "_highlightResult"},
        own=own,
        author=part_of(hit, "author", kind=str),
        at=hit.get("created_at_i"),
        title=str(hit.get("title") or ""),
        html=str((hit.get("comment_text") if is_comment else hit.get("story_text")) or ""),
        link=hit.get("url"),
        parent=hit.get("parent_id"),
        root=hit.get("story_id") if is_comment else None,
        points=hit.get("points"),
        answers=None if is_comment else hit.get("num_comments"),
    )


def tree_of(node: Any, reading: Reading, root: int | None = None) -> Iterator[Item]:
    """A post and all that hangs under it, as Algolia's ``items`` shows it; deleted ones are left out. Raises Changed."""
    own, children = part_of(node, "id", kind=int), part_of(node, "children", kind=list)
    parent = node.get("parent_id")
    if node.get("author"):
        item = _item(
            reading,
            raw={key: value for key, value in node.items() if key != "children"},
            own=str(own),
            author=part_of(node, "author", kind=str),
            at=node.get("created_at_i"),
            title=str(node.get("title") or ""),
            html=str(node.get("text") or ""),
            link=node.get("url"),
            parent=parent,
            root=node.get("story_id") or root if parent is not None else None,
            points=node.get("points"),
            answers=sum(1 for _ in _living(node)) - 1,
        )
        if item is not None:
            yield item
    for child in children:
        yield from tree_of(child, reading, root or own)


def _living(node: Json) -> Iterator[Json]:
    if node.get("author"):
        yield node
    for child in node.get("children") or ():
        yield from _living(child)


def fire_of(entry: Any, reading: Reading, root: int | None = None) -> Item | None:
    """A post as Firebase shows it; None of one that is deleted, dead or no post (a poll's option). Raises Changed."""
    own = part_of(entry, "id", kind=int)
    if entry.get("deleted") or entry.get("dead") or entry.get("type") not in ("story", "comment", "job", "poll"):
        return None
    is_comment = entry.get("type") == "comment"
    return _item(
        reading,
        raw=entry,
        own=str(own),
        author=part_of(entry, "by", kind=str),
        at=entry.get("time"),
        title=str(entry.get("title") or ""),
        html=str(entry.get("text") or ""),
        link=entry.get("url"),
        parent=entry.get("parent"),
        root=root if is_comment else None,
        points=entry.get("score"),
        answers=len(entry.get("kids") or ()) if is_comment else entry.get("descendants"),
    )


def _item(
    reading: Reading,
    *,
    raw: Json,
    own: str,
    author: str,
    at: Any,
    title: str,
    html: str,
    link: Any,
    parent: Any,
    root: Any,
    points: Any,
    answers: Any,
) -> Item | None:
    posted_at = time_of(at, now=reading.now, zone=reading.zone)
    if posted_at is None:
        raise Changed(f"{own} 没有时间 / a post without a time")
    target = link_of(link)
    parent_id = str(parent) if parent is not None else None
    return Item(
        platform=PLATFORM,
        post_id=own,
        author_id=author,
        author_name=author,
        posted_at=posted_at,
        seen_at=reading.now,
        text=joined(text_of(title), text_of(html)),
        url=f"{SITE}/item?id={own}",
        kind="comment" if parent_id else "post",
        parent_id=parent_id,
        root_id=str(root) if root is not None else parent_id,
        likes=count_of(points),
        comments=count_of(answers),
        media=(ItemMedia("card", target),) if target else (),
        raw=raw,
    )


def before_of(seconds: list[int], cursor: str | None) -> str | None:
    """The cursor of the page after a full one, ``<second>|<page>``: what is no younger than that, page by page. The search
    shows but its first MOST_HITS, so that the second moves on wherever it can.

    >>> before_of([9, 8, 7], None), before_of([9] + [8] * (HITS - 1), None), before_of([8] * HITS, "8|0")
    (None, '8|0', '8|1')
    >>> before_of([8] * HITS, None), before_of([8] * HITS, "8|9")
    ('8|1', '7|0')
    """
    if len(seconds) < HITS:
        return None
    last, (asked, number) = min(seconds), (cursor or "|0").split("|")
    if max(seconds) > last:
        return f"{last}|0"
    # nothing but one second, whose first page this was
    page = int(number) + 1 if asked == str(last) else 1
    return f"{last}|{page}" if page * HITS < MOST_HITS else f"{last - 1}|0"


# ------------------------------------------------------------------------------------------------------------ spider


class HackerNewsOptions(BaseModel):
    """api: ``algolia`` searches; ``firebase`` is the site's own, one request a post and without search. tags: what searches
    and timelines look for, ``story``, ``comment`` or both."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    api: Literal["algolia", "firebase"] = "algolia"
    tags: tuple[Literal["story", "comment"], ...] = ("story", "comment")


class HackerNewsSpider(HomeSpider):
    """Accounts: user names. Addresses: ``/newest`` (all stories), ``/item?id=…`` counts as a post, ``/user?id=…`` as a
    timeline. Algolia shows but the first 1000 hits of a search, so each page asks for what is older than the one before."""

    name = PLATFORM
    Options: ClassVar[type[BaseModel] | None] = HackerNewsOptions

    def home(self, subject: str) -> str:
        return self.job.base_url.rstrip("/") or HOMES[self.options.api]

    def subjects(self) -> list[str]:
        return list(dict.fromkeys(_named(subject) for subject in super().subjects()))

    async def page_of(self, subject: str, cursor: str | None) -> Page:
        kind, what = split_subject(subject)
        if kind == "url" and urlsplit(what).path.rstrip("/") != "/newest":
            raise self.no_such_subject(subject)
        if self.options.api == "firebase":
            return await self._listed(subject, kind, what, int(cursor) if cursor else None)
        tags = [f"({','.join(self.options.tags)})"] if kind != "url" else ["story"]
        query = {"hitsPerPage": str(HITS), "tags": ",".join([*tags, *([f"author_{what}"] if kind == "timeline" else [])])}
        if kind == "query":
            query |= {"query": what, "typoTolerance": "false"}
        if cursor:
            second, query["page"] = cursor.split("|")
            query["numericFilters"] = f"created_at_i<={second}"
        response = await self.fetch(f"{self.home(subject)}/api/v1/search_by_date?{urlencode(query)}")
        items, faults, seconds = self.parsed(response, partial(hits_of, reading=self.reading(self.home(subject))))
        # comments come by themselves, and Algolia tells of none how many answers it has
        found = [Found(one, answers=0 if one.kind == "comment" else None) for one in items]
        return Page(found, before_of(seconds, cursor), faults, response.body)

    async def _listed(self, subject: str, kind: str, what: str, before: int | None) -> Page:
        """A page of posts from Firebase. before: only ids below it."""
        if kind == "query":
            raise Failed("Firebase 不能搜索，请把 api 设为 algolia / Firebase has no search: set api = algolia", patience=0)
        home = self.home(subject)
        if kind == "timeline":
            about = await self._fire(home, f"user/{what}")
            if about is None:
                raise Gone(f"没有这个用户：{what} / no such user")
            listed = part_of(about, "submitted", kind=list) if "submitted" in about else []
        else:
            listed = part_of(await self._fire(home, "newstories"), kind=list)
        ids = sorted((one for one in listed if before is None or one < before), reverse=True)
        found: list[Found] = []
        faults: list[str] = []
        for own in ids[:ITEMS]:
            entry = await self._fire(home, f"item/{own}")
            root = await self._root(home, entry) if entry else None
            read, broken = read_each([entry] if entry else [], partial(fire_of, reading=self.reading(home), root=root))
            found += [Found(one) for one in read if one.kind == "post" or "comment" in self.options.tags]
            faults += broken
        return Page(found, str(ids[ITEMS - 1]) if len(ids) > ITEMS else None, faults)

    async def _fire(self, home: str, path: str) -> Any:
        """What Firebase knows of a path; None of what it does not know."""
        return await self.ask(f"{home}/v0/{path}.json", lambda page: page)

    async def _root(self, home: str, entry: Json) -> int | None:
        """The story that a comment stands under: up from parent to parent."""
        parent, up = entry.get("parent"), entry
        for _ in range(self.job.max_comment_pages):
            if up.get("parent") is None:
                return part_of(up, "id", kind=int) if up is not entry else None
            up = await self._fire(home, f"item/{up['parent']}") or {}
        return parent

    async def post_of(self, ref: str) -> Item:
        own = re.sub(r".*[?&]id=(\d+).*", r"\1", ref)
        if not own.isdecimal():
            raise Failed(f"不是 Hacker News 的编号或网址：{ref} / no id or address of a post", patience=0)
        home = self.home(ref)
        if self.options.api == "firebase":
            entry = await self._fire(home, f"item/{own}")
            item = fire_of(entry, self.reading(home), await self._root(home, entry)) if entry else None
        else:
            page = await self._tree(home, own)
            item = next((one for one in page if one.post_id == own), None)
        if item is None:
            raise Gone(f"这条内容已不在：{ref} / this post is there no more")
        return item

    async def _tree(self, home: str, own: str) -> list[Item]:
        return await self.ask(f"{home}/api/v1/items/{own}", lambda page: list(tree_of(page, self.reading(home))))

    async def under(self, item: Item) -> AsyncIterator[Item]:
        home = self.home("")
        if self.options.api == "algolia":
            for one in await self._tree(home, item.post_id):
                if one.post_id != item.post_id:
                    yield one
            return
        root = int(item.root_id or item.post_id)
        waiting, asked = list((item.raw or {}).get("kids") or ()), 0
        while waiting:
            if asked >= self.job.max_comment_pages * ITEMS:
                self.limited(_TREE_CUT, item.post_id)
                return
            entry = await self._fire(home, f"item/{waiting.pop(0)}") or {}
            asked += 1
            waiting += entry.get("kids") or ()
            answer = fire_of(entry, self.reading(home), root) if entry else None
            if answer is not None:
                yield answer


_TREE_CUT = "{count} 条内容的评论没有读全（max_comment_pages） / the comments of {count} posts go on past max_comment_pages"


def _named(subject: str) -> str:
    """The subject that an address of the site stands for.

    >>> _named("https://news.ycombinator.com/user?id=pg"), _named("https://news.ycombinator.com/item?id=8")
    ('timeline:pg', 'post:8')
    """
    parts = urlsplit(subject) if "://" in subject else None
    own = (parse_qs(parts.query).get("id") or [""])[0] if parts else ""
    if not parts or not own or split_subject(subject)[0] != "url":
        return subject
    return {"/user": f"timeline:{own}", "/item": f"post:{own}"}.get(parts.path, subject)
