"""Discourse forums: a whole forum or category newest first, topics, searches, what a person posts."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar
from urllib.parse import urlencode, urlsplit

from parsel import Selector

from spiders.errors import Changed, Failed, Gone
from spiders.events import CollectJob
from spiders.homes import HomeSpider, Reading, own_of, part_of, read_each
from spiders.items import Item
from spiders.paging import Found, Page, split_subject
from spiders.sites.feed_pages import joined, pictures_of
from spiders.values import count_of, text_of, time_of

PLATFORM = "discourse"
WINDOW = 50
"""``/posts.json?before=N`` shows the posts with the 50 ids up to N, less those that a guest may not see."""
CHUNK = 20
"""Posts that Discourse gives at once of a topic."""
MOST_SEARCH_PAGES = 10
_REGULAR = (1, 2)  # 3: "closed this topic" and the like, 4: whispers

Json = Mapping[str, Any]
ACCEPT = {"Accept": "application/json"}


# ------------------------------------------------------------------------------------------------------------ pages


@dataclass(frozen=True, slots=True)
class About:
    """What is known of a post's topic: its title, how many answers it has."""

    title: str = ""
    answers: int | None = None


@dataclass(frozen=True, slots=True)
class Ref:
    """A post that a list names without its whole text."""

    topic: int
    post: int
    about: About


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as ``/t/<id>.json`` shows it: some of its posts, and the ids of all."""

    posts: tuple[Item, ...]
    faults: tuple[str, ...]
    stream: tuple[int, ...]
    about: About


def post_of(entry: Any, reading: Reading, about: About = About()) -> Item | None:
    """One post; None where there is nothing to read: hidden, deleted, an event. Raises Changed."""
    topic, number = part_of(entry, "topic_id", kind=int), part_of(entry, "post_number", kind=int)
    name, html = part_of(entry, "username", kind=str), part_of(entry, "cooked", kind=str)
    if entry.get("hidden") or entry.get("deleted_at") or entry.get("user_deleted"):
        return None
    if entry.get("post_type", 1) not in _REGULAR:
        return None
    at = time_of(entry.get("created_at"), now=reading.now, zone=reading.zone)
    if at is None:
        raise Changed(f"帖子 {entry.get('id')} 没有时间 / a post without a time")
    text, first = text_of(own_words_of(html)), number == 1
    answered = entry.get("reply_to_post_number")
    return Item(
        platform=PLATFORM,
        post_id=reading.local("topic", topic, number),
        author_id=reading.local("user", name),
        author_name=name,
        posted_at=at,
        seen_at=reading.now,
        text=joined(text_of(about.title or entry.get("topic_title") or ""), text) if first else text,
        url=f"{reading.home}/t/{topic}/{number}",
        kind="post" if first else "comment",
        parent_id=None if first else reading.local("topic", topic, answered or 1),
        root_id=None if first else reading.local("topic", topic, 1),
        likes=likes_of(entry),
        comments=about.answers if first else count_of(entry.get("reply_count")),
        views=count_of(entry.get("reads")),
        media=tuple(pictures_of(html, reading.home)),
        raw=entry,
    )


def own_words_of(html: str) -> str:
    """A post without the posts it quotes and the previews of pages it links: those are others' words.

    >>> own_words_of('<aside class="quote"><blockquote>太差</blockquote></aside><p>我不觉得</p>')
    '<p>我不觉得</p>'
    """
    if "<aside" not in html:
        return html
    page = Selector(text=f"<body>{html}</body>", type="html")
    page.css("aside.quote, aside.onebox").drop()
    return "".join(page.css("body > *, body::text").getall())


def likes_of(entry: Json) -> int | None:
    """
    >>> likes_of({"actions_summary": [{"id": 2, "count": 3}]}), likes_of({"actions_summary": []}), likes_of({})
    (3, 0, None)
    """
    shown = entry.get("actions_summary")
    if not isinstance(shown, list):
        return None
    return next((count_of(one.get("count")) or 0 for one in shown if one.get("id") == 2), 0)


def latest_of(page: Any, reading: Reading) -> tuple[list[Item], list[str], list[Json]]:
    """The posts of ``/posts.json``, what could not be read, and all entries, those with nothing to read too."""
    entries = part_of(page, "latest_posts", kind=list)
    return *read_each(entries, partial(post_of, reading=reading)), entries


def stream_of(page: Any, reading: Reading, about: About) -> tuple[list[Item], list[str]]:
    """The posts of ``/t/<id>/posts.json``, and what could not be read."""
    posts = part_of(page, "post_stream", "posts", kind=list)
    return read_each(posts, partial(post_of, reading=reading, about=about))


def topic_of(page: Any, reading: Reading) -> Topic:
    """A topic with those of its posts that are on the page."""
    about = about_of(page)
    posts, faults = stream_of(page, reading, about)
    stream = [one for one in part_of(page, "post_stream", "stream", kind=list) if isinstance(one, int)]
    return Topic(tuple(posts), tuple(faults), tuple(stream), about)


def about_of(topic: Json) -> About:
    """
    >>> about_of({"title": "掉漆", "posts_count": 3})
    About(title='掉漆', answers=2)
    """
    count = count_of(topic.get("posts_count"))
    return About(part_of(topic, "title", kind=str), max(count - 1, 0) if count is not None else None)


def search_of(page: Any) -> tuple[list[Ref], bool]:
    """The posts that a page of a search names, and whether there is another page."""
    about = page.get("grouped_search_result") if isinstance(page, Mapping) else None
    if not isinstance(about, Mapping):
        raise Changed("回答的形状变了：没有 grouped_search_result / the answer has no grouped_search_result")
    topics = {one.get("id"): about_of(one) for one in page.get("topics") or ()}
    refs = [
        Ref(topic := part_of(one, "topic_id", kind=int), part_of(one, "id", kind=int), topics.get(topic, About()))
        for one in page.get("posts") or ()  # left out where nothing is found
    ]
    return refs, bool(about.get("more_full_page_results"))


def actions_of(page: Any) -> list[Ref]:
    """The posts that a page of what a person did names."""
    return [
        Ref(part_of(one, "topic_id", kind=int), part_of(one, "post_id", kind=int), About(str(one.get("title") or "")))
        for one in part_of(page, "user_actions", kind=list)
    ]


# ------------------------------------------------------------------------------------------------------------- spider

# a slug is never a number
_TOPIC = re.compile(r"/t/(?:(?!\d+/)[^/]+/)?(?P<topic>\d+)(?:/(?P<number>\d+))?/?$")
_CATEGORY = re.compile(r"/c/(?:[^/]+/)*(?P<category>\d+)(?:/|$)")
_PERSON = re.compile(r"/u/(?P<name>[^/]+)")


class DiscourseSpider(HomeSpider):
    """Addresses: a forum's home (all its posts), a category, a topic, a person. Accounts: ``<host>:user:<name>``. Posts: an
    address or an id. What lists name is read whole: searches and timelines show but the start of a post."""

    name = PLATFORM
    MARKS: ClassVar[tuple[str, ...]] = ("/t/", "/c/", "/u/", "/tag/", "/top/", "/latest/", "/posts.json/", "/latest.json/")

    def __init__(self, job: CollectJob, **kwargs: Any) -> None:
        super().__init__(job, **kwargs)
        self._categories: dict[tuple[str, int], set[int]] = {}

    async def page_of(self, subject: str, cursor: str | None) -> Page:
        home, (kind, what) = self.home(subject), split_subject(subject)
        path = urlsplit(what).path
        if kind == "timeline":
            return await self._timeline(home, own_of(what)[2], int(cursor or 0))
        if kind == "query":
            return await self._search(home, what, int(cursor or 1))
        if topic := _TOPIC.search(path):
            return await self._topic(home, int(topic["topic"]), cursor)
        if person := _PERSON.search(path):
            return await self._timeline(home, person["name"], int(cursor or 0))
        category = _CATEGORY.search(path)
        if category is None and path.removeprefix(urlsplit(home).path).rstrip("/") not in _ALL:
            raise self.no_such_subject(subject)
        return await self._latest(home, int(category["category"]) if category else None, cursor)

    async def _latest(self, home: str, category: int | None, cursor: str | None) -> Page:
        """All posts of a forum, newest first; of a category those that lie in it or in one below it."""
        response = await self.fetch(f"{home}/posts.json" + (f"?before={cursor}" if cursor else ""), headers=ACCEPT)
        posts, faults, entries = self.parsed(response, partial(latest_of, reading=self.reading(home)))
        wanted = await self._below(home, category) if category is not None else None
        found = [Found(one, answers=0) for one in posts if wanted is None or (one.raw or {}).get("category_id") in wanted]
        # a window whose posts are all hidden is no end: the ids go down to 1
        ids = [one["id"] for one in entries if isinstance(one, Mapping) and isinstance(one.get("id"), int)]
        if ids:
            below = min(ids) - 1
        else:
            below = await self._last_id(home) if cursor is None else int(cursor) - WINDOW
        return Page(found, str(below) if below > 0 else None, faults, response.body)

    async def _last_id(self, home: str) -> int:
        """The last post's id as far as the list of topics tells, where the newest posts are all hidden; 0 of an empty forum."""
        topics = await self.ask(f"{home}/latest.json", lambda page: part_of(page, "topic_list", "topics", kind=list))
        if not topics:
            return 0
        return max((await self._topic_of(home, part_of(topics[0], "id", kind=int))).stream, default=0)

    async def _below(self, home: str, category: int) -> set[int]:
        if (home, category) not in self._categories:
            known = await self.ask(f"{home}/site.json", lambda page: part_of(page, "categories", kind=list))
            self._categories[home, category] = categories_below(known, category)
        return self._categories[home, category]

    async def _timeline(self, home: str, name: str, offset: int) -> Page:
        query = urlencode({"username": name, "filter": "4,5", "offset": offset})  # topics and replies
        refs = await self.ask(f"{home}/user_actions.json?{query}", actions_of)
        return await self._whole(home, refs, str(offset + len(refs)) if refs else None)

    async def _search(self, home: str, words: str, number: int) -> Page:
        query = urlencode({"q": f"{words} order:latest", "page": number})
        refs, is_more = await self.ask(f"{home}/search.json?{query}", search_of)
        if is_more and number >= MOST_SEARCH_PAGES:
            self.limited(_SEARCH_ENDS, words)
            is_more = False
        return await self._whole(home, refs, str(number + 1) if is_more else None)

    async def _whole(self, home: str, refs: Sequence[Ref], following: str | None) -> Page:
        """The posts that a list names, each topic's asked for together, newest first."""
        topics: dict[int, list[Ref]] = {}
        for ref in refs:
            topics.setdefault(ref.topic, []).append(ref)
        items: list[Item] = []
        faults: list[str] = []
        for topic, named in topics.items():
            try:
                posts, broken = await self._named(home, topic, [ref.post for ref in named], named[0].about)
            except Gone:  # deleted since it was listed
                continue
            items += posts
            faults += broken
        return Page([Found(one) for one in newest_first(items)], following, faults)

    async def _named(self, home: str, topic: int, ids: Sequence[int], about: About) -> tuple[list[Item], list[str]]:
        """Posts of a topic by their ids, CHUNK at a time."""
        posts: list[Item] = []
        faults: list[str] = []
        read = partial(stream_of, reading=self.reading(home), about=about)
        for at in range(0, len(ids), CHUNK):
            query = urlencode([("post_ids[]", one) for one in ids[at : at + CHUNK]])
            found, broken = await self.ask(f"{home}/t/{topic}/posts.json?{query}", read)
            posts += found
            faults += broken
        return posts, faults

    async def _topic_of(self, home: str, topic: int, number: int = 1) -> Topic:
        near = f"/{number}" if number > 1 else ""
        return await self.ask(f"{home}/t/{topic}{near}.json", partial(topic_of, reading=self.reading(home)))

    async def _topic(self, home: str, topic: int, cursor: str | None) -> Page:
        """A topic from its last post up, CHUNK at a time. cursor: the id of the oldest post that was read."""
        whole = await self._topic_of(home, topic)
        left = whole.stream
        if cursor is not None:
            at = int(cursor)
            left = left[: left.index(at)] if at in left else tuple(one for one in left if one < at)
        chunk = left[-CHUNK:]
        if chunk == whole.stream:
            posts, faults = list(whole.posts), list(whole.faults)
        else:
            posts, faults = await self._named(home, topic, chunk, whole.about) if chunk else ([], [])
        following = str(chunk[0]) if len(left) > len(chunk) else None
        return Page([Found(one, answers=0) for one in newest_first(posts)], following, faults)

    async def post_of(self, ref: str) -> Item:
        home, topic, number = self._place_of(ref)
        wanted = self.reading(home).local("topic", topic, number)
        for one in (await self._topic_of(home, topic, number)).posts:
            if one.post_id == wanted:
                return one
        raise Gone(f"这个帖子已不在：{ref} / this post is there no more")

    def _place_of(self, ref: str) -> tuple[str, int, int]:
        """Home, topic and number of a post, by its address or id."""
        own = own_of(ref)[2]
        if re.fullmatch(r"\d+(?::\d+)?", own):
            topic, _, number = own.partition(":")
            return self.home(f"post:{ref}"), int(topic), int(number or 1)
        if found := _TOPIC.search(urlsplit(ref).path):
            return self.home(f"post:{ref}"), int(found["topic"]), int(found["number"] or 1)
        raise Failed(f"不是 Discourse 主题的网址或编号：{ref} / no address or id of a Discourse topic", patience=0)

    async def under(self, item: Item) -> AsyncIterator[Item]:
        """Under a topic's first post all others; under another post those that answer it."""
        home, topic, number = self._place_of(item.url)
        chunks = self._rest(home, topic) if number == 1 else self._replies(home, part_of(item.raw, "id", kind=int))
        pages, faults = 0, list[str]()
        async for posts, broken in chunks:
            if pages == self.job.max_comment_pages:
                self.limited(_REPLIES_CUT, item.post_id)
                break
            for one in posts:
                yield one
            pages, faults = pages + 1, faults + broken
        if faults:
            raise Changed(f"有 {len(faults)} 条读不出来：{faults[0]} / {len(faults)} unreadable")

    async def _rest(self, home: str, topic: int) -> AsyncIterator[tuple[list[Item], list[str]]]:
        whole = await self._topic_of(home, topic)
        yield list(whole.posts), list(whole.faults)
        shown = {(one.raw or {}).get("id") for one in whole.posts}
        left = [one for one in whole.stream if one not in shown]
        for at in range(0, len(left), CHUNK):
            yield await self._named(home, topic, left[at : at + CHUNK], whole.about)

    async def _replies(self, home: str, post: int) -> AsyncIterator[tuple[list[Item], list[str]]]:
        after = 1
        while True:
            url = f"{home}/posts/{post}/replies.json?after={after}"
            entries = await self.ask(url, lambda page: part_of(page, kind=list))
            last = max((part_of(one, "post_number", kind=int) for one in entries), default=0)
            if last <= after:
                return
            yield read_each(entries, partial(post_of, reading=self.reading(home)))
            after = last


_ALL = ("", "/latest", "/latest.json", "/posts.json")
_SEARCH_ENDS = (
    f"{{count}} 个搜索只读了最近 {MOST_SEARCH_PAGES} 页，Discourse 不再给更早的 / "
    f"{{count}} searches were read {MOST_SEARCH_PAGES} pages deep, which is all that Discourse gives"
)
_REPLIES_CUT = "{count} 条内容的回复没有读全（max_comment_pages） / the replies to {count} posts go on past max_comment_pages"


def newest_first(items: Iterable[Item]) -> list[Item]:
    return sorted(items, key=lambda one: one.posted_at, reverse=True)


def categories_below(known: Sequence[Json], category: int) -> set[int]:
    """A category's id and those of the ones below it.

    >>> below = categories_below([{"id": 5}, {"id": 6, "parent_category_id": 5}, {"id": 7, "parent_category_id": 6}], 5)
    >>> sorted(below)
    [5, 6, 7]
    """
    found = {category}
    while more := {int(one["id"]) for one in known if one.get("parent_category_id") in found} - found:
        found |= more
    return found
