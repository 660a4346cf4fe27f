"""Mastodon (and what speaks its API): hashtags, public timelines, accounts, a post with its answers; boosts as reposts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from pydantic import BaseModel, ConfigDict
from scrapy.http import Response

from spiders.errors import Blocked, Changed, Failed, Gone
from spiders.events import CollectJob
from spiders.homes import HomeSpider, Reading, home_of, part_of, read_each, site_of
from spiders.items import Item, ItemMedia
from spiders.paging import Found, Page, split_subject
from spiders.sites.feed_pages import joined
from spiders.values import count_of, link_of, text_of, tidy, time_of

PLATFORM = "mastodon"
MOST_ANSWERS = 60
"""So many answers, 20 deep, are all that a visitor is shown of a thread at once."""
LIMIT = 40

Json = Mapping[str, Any]


# ------------------------------------------------------------------------------------------------------------ pages


@dataclass(frozen=True, slots=True)
class Place:
    """Where a post hangs: global ids of what it answers and of the thread's first post."""

    parent_id: str
    root_id: str


def item_of(status: Any, reading: Reading, domain: str, place: Place | None = None) -> Item:
    """One status. domain: what the server's own accounts are named after. place: of an answer. Raises Changed.

    Ids are ActivityPub's, the same on every server; authors are ``name@domain``. A boost quotes the whole post after ``//@``.
    The address is that on the server that was read, where the post can be looked at again.
    """
    uri, account = part_of(status, "uri", kind=str), part_of(status, "account", kind=dict)
    at = time_of(status.get("created_at"), now=reading.now, zone=reading.zone)
    if at is None:
        raise Changed(f"{uri} 没有时间 / a post without a time")
    boosted = status.get("reblog")
    answers = status.get("in_reply_to_id") is not None
    if boosted:
        original = item_of(boosted, reading, domain)
        text, media, place = (
            f"//@{original.author_id}: {original.text}",
            original.media,
            Place(original.post_id, original.post_id),
        )
    else:
        text, media = words_of(status), tuple(_media_of(status))
        if answers and place is None:
            unknown = reading.local("status", status["in_reply_to_id"])
            place = Place(unknown, unknown)
    return Item(
        platform=PLATFORM,
        post_id=uri,
        author_id=author_of(account, domain),
        author_name=tidy(str(account.get("display_name") or account.get("username") or "")),
        posted_at=at,
        seen_at=reading.now,
        text=text,
        url=f"{reading.home}/@{account.get('acct')}/{part_of(status, 'id', kind=str)}",
        kind="repost" if boosted else "comment" if answers else "post",
        parent_id=place.parent_id if place else None,
        root_id=place.root_id if place else None,
        likes=None if boosted else count_of(status.get("favourites_count")),
        comments=None if boosted else count_of(status.get("replies_count")),
        reposts=None if boosted else count_of(status.get("reblogs_count")),
        media=media,
        raw=status,
    )


def author_of(account: Json, domain: str) -> str:
    """
    >>> author_of({"acct": "xiaolu"}, "m.example"), author_of({"acct": "aqiu@other.example"}, "m.example")
    ('xiaolu@m.example', 'aqiu@other.example')
    """
    acct = part_of(account, "acct", kind=str)
    return acct if "@" in acct else f"{acct}@{domain}"


_QUOTE_LINK = re.compile(r"""<(p|span) class=["']quote-inline["']>.*?</\1>""", re.DOTALL)


def words_of(status: Json) -> str:
    """What a post says, its content warning before it; without the link that stands in for a quoted post.

    >>> words_of({"spoiler_text": "长文", "content": "<p>掉漆</p>", "poll": {"options": [{"title": "是"}, {"title": "否"}]}})
    '长文\\n掉漆\\n是\\n否'
    """
    body = text_of(_QUOTE_LINK.sub("", part_of(status, "content", kind=str)))
    options = (status.get("poll") or {}).get("options") or ()
    choices = [tidy(str(one.get("title") or "")) for one in options]
    return "\n".join([joined(tidy(str(status.get("spoiler_text") or "")), body), *choices]).strip()


def _media_of(status: Json) -> list[ItemMedia]:
    kinds = {"image": "image", "video": "video", "gifv": "video", "audio": "audio"}
    found = [
        ItemMedia(kinds.get(str(one.get("type")), "card"), link, tidy(str(one.get("description") or "")))
        for one in status.get("media_attachments") or ()
        if (link := link_of(one.get("url") or one.get("remote_url")))
    ]
    card = status.get("card")
    if card and (link := link_of(card.get("url"))):
        found.append(ItemMedia("card", link, tidy(str(card.get("title") or ""))))
    return found


def places_of(status: Json, context: Json) -> dict[str, Place]:
    """Where the posts of a thread hang, by their local ids: the status, what it answers and what answers it."""
    thread = [*part_of(context, "ancestors", kind=list), status, *part_of(context, "descendants", kind=list)]
    uris = {str(one["id"]): part_of(one, "uri", kind=str) for one in thread}
    root = part_of(thread[0], "uri", kind=str)
    parents = {str(one["id"]): str(one.get("in_reply_to_id")) for one in thread}
    return {own: Place(uris[parent], root) for own, parent in parents.items() if parent in uris}


def tag_of(words: str) -> str:
    """The hashtag that a query names; a tag holds neither spaces nor punctuation.

    >>> tag_of("#星澜"), tag_of("星澜 洗发水")
    ('星澜', '星澜洗发水')
    """
    return re.sub(r"[^\w·]", "", words)


# ------------------------------------------------------------------------------------------------------------ spider


class MastodonOptions(BaseModel):
    """local: of addresses and hashtags only what the server's own people post. boosts: timelines with what people pass on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    local: bool = False
    boosts: bool = True


_ADDRESS = re.compile(
    r"^/(?:tags/(?P<tag>[^/]+)|(?:web/)?@(?P<acct>[^/]+)(?:/(?P<id>\d+))?|users/[^/]+/statuses/(?P<own>\d+))/?$"
)
_PUBLIC = ("", "/public", "/public/local", "/explore", "/about")


class MastodonSpider(HomeSpider):
    """Queries are hashtags: searching texts takes an account there. Accounts: ``name@domain``, read from their own server.
    Addresses: a server (its public timeline), ``/public/local``, ``/tags/<tag>``, ``/@name``. Posts: an address."""

    name = PLATFORM
    Options: ClassVar[type[BaseModel] | None] = MastodonOptions
    MARKS: ClassVar[tuple[str, ...]] = ("/@", "/tags/", "/users/", "/web/", "/public/", "/explore/", "/about/")

    def __init__(self, job: CollectJob, **kwargs: Any) -> None:
        super().__init__(job, **kwargs)
        self._domains: dict[str, str] = {}
        self._accounts: dict[tuple[str, str], str] = {}
        self._places: dict[tuple[str, str], Place] = {}
        self._homes: dict[str, str] = {}  # by post id: where its local id counts

    def site_in(self, ref: str) -> str:
        return ref.rpartition("@")[2] if "@" in ref else ""

    async def page_of(self, subject: str, cursor: str | None) -> Page:
        home, (kind, what) = self.home(subject), split_subject(subject)
        path = urlsplit(what).path if "://" in what else ""
        found = _ADDRESS.match(path)
        name = what.removeprefix("@") if kind == "timeline" else found["acct"] if found and not found["id"] else None
        query: dict[str, str] = {"limit": str(LIMIT), **({"max_id": cursor} if cursor else {})}
        if name:
            if not self.options.boosts:
                query["exclude_reblogs"] = "true"
            return await self._statuses(home, f"accounts/{await self._account(home, name)}/statuses", query)
        if self.options.local or path.rstrip("/") == "/public/local":
            query["local"] = "true"
        tag = tag_of(what) if kind == "query" else found["tag"] if found else None
        if tag:
            return await self._statuses(home, f"timelines/tag/{quote(tag)}", query)
        if kind == "url" and path.rstrip("/") in _PUBLIC:
            return await self._statuses(home, "timelines/public", query)
        raise self.no_such_subject(subject)

    async def _statuses(self, home: str, path: str, query: Mapping[str, str]) -> Page:
        response = await self._asked(f"{home}/api/v1/{path}?{urlencode(query)}")
        statuses = self.parsed(response, lambda page: part_of(page, kind=list))
        reading, domain = self.reading(home), await self._domain(home)
        items, faults = [], list[str]()
        for status in statuses:
            place = await self._place(home, status)
            read, broken = read_each(_with_boosted(status), partial(item_of, reading=reading, domain=domain, place=place))
            items += read
            faults += broken
            self._homes |= {one.post_id: home for one in read}
        known = {str(one.get("uri")) for one in statuses if isinstance(one, dict)}
        # what was boosted is found with the boost, and its own age says nothing of the order
        found = [
            Found(one, pinned=one.post_id not in known, answers=None if one.post_id in known and one.kind != "repost" else 0)
            for one in items
        ]
        return Page(found, next_of(response) if statuses else None, faults, response.body)

    async def _asked(self, url: str) -> Response:
        """An answer; a server that shows nothing to visitors says 422, or 401."""
        response = await self.fetch(url, headers={"Accept": "application/json"}, also=(422,))
        if response.status == 422:
            raise Blocked(f"这个服务器不给访客看 / this server shows visitors nothing: {url}", patience=3)
        return response

    async def _domain(self, home: str) -> str:
        """What a server's accounts are named after, which may be another name than that of its address."""
        if home not in self._domains:
            try:
                told = await self.ask(f"{home}/api/v2/instance", lambda page: part_of(page, "domain", kind=str))
            except (Gone, Changed):  # older servers
                told = site_of(home)
            self._domains[home] = told.lower()
        return self._domains[home]

    async def _account(self, home: str, name: str) -> str:
        user, _, domain = name.partition("@")
        own = user if not domain or domain.lower() == site_of(home) else name
        if (home, own) not in self._accounts:
            url = f"{home}/api/v1/accounts/lookup?{urlencode({'acct': own})}"
            self._accounts[home, own] = await self.ask(url, lambda page: part_of(page, "id", kind=str))
        return self._accounts[home, own]

    async def _place(self, home: str, status: Any) -> Place | None:
        """Where an answer hangs; its server tells the id of what it answers only in its own counting."""
        own = str(status.get("id")) if isinstance(status, dict) else ""
        if not own or status.get("in_reply_to_id") is None:
            return None
        if (home, own) not in self._places:
            try:
                self._learn(home, status, await self._context(home, own))
            except Gone:  # deleted since it was listed
                return None
        return self._places.get((home, own))

    def _learn(self, home: str, status: Json, context: Json) -> None:
        for own, place in places_of(status, context).items():
            self._places.setdefault((home, own), place)

    async def _context(self, home: str, own: str) -> Json:
        return self.parsed(await self._asked(f"{home}/api/v1/statuses/{own}/context"), lambda page: part_of(page, kind=dict))

    async def post_of(self, ref: str) -> Item:
        home, found = home_of(ref, self.MARKS), _ADDRESS.match(urlsplit(ref).path)
        own = (found["id"] or found["own"]) if found else None
        if not own:
            raise Failed(f"不是一条嘟文的网址：{ref} / no address of a post", patience=0)
        status = await self.ask(f"{home}/api/v1/statuses/{own}", lambda page: part_of(page, kind=dict))
        place = await self._place(home, status)
        item = item_of(status, self.reading(home), await self._domain(home), place)
        self._homes[item.post_id] = home
        return item

    async def under(self, item: Item) -> AsyncIterator[Item]:
        """The answers to a post, also those that a visitor is not shown at once."""
        home = self._homes[item.post_id]
        reading, domain = self.reading(home), await self._domain(home)
        waiting, asked, seen, faults = [item.raw or {}], set[str](), set[str](), list[str]()
        while waiting:
            status = waiting.pop(0)
            asked.add(str(status["id"]))
            if len(asked) > self.job.max_comment_pages:
                self.limited(_ANSWERS_CUT, item.post_id)
                break
            context = await self._context(home, str(status["id"]))
            self._learn(home, status, context)
            answers = part_of(context, "descendants", kind=list)
            for one in answers:
                place = self._places.get((home, str(one.get("id"))))
                read, broken = read_each([one], partial(item_of, reading=reading, domain=domain, place=place))
                faults += broken
                for answer in read:
                    if answer.post_id not in seen:
                        seen.add(answer.post_id)
                        yield answer
            if len(answers) >= MOST_ANSWERS:
                shown = Counter(str(one.get("in_reply_to_id")) for one in answers)
                lacking = [one for one in answers if (count_of(one.get("replies_count")) or 0) > shown[str(one["id"])]]
                waiting += [one for one in lacking if str(one["id"]) not in asked]
                if (count_of(status.get("replies_count")) or 0) > shown[str(status["id"])]:
                    self.limited(_ANSWERS_HIDDEN, item.post_id)
        if faults:
            raise Changed(f"有 {len(faults)} 条读不出来：{faults[0]} / {len(faults)} unreadable")


_ANSWERS_HIDDEN = (
    f"{{count}} 条内容的回复太多，访客一次只能看到 {MOST_ANSWERS} 条 / "
    f"of the replies to {{count}} posts a visitor is shown {MOST_ANSWERS} at once, and no others"
)
_ANSWERS_CUT = "{count} 条内容的回复没有读全（max_comment_pages） / the replies to {count} posts go on past max_comment_pages"


def _with_boosted(status: Any) -> list[Any]:
    """A status, and before it the post that it boosts."""
    boosted = status.get("reblog") if isinstance(status, dict) else None
    return [boosted, status] if boosted else [status]


def next_of(response: Response) -> str | None:
    """The ``max_id`` of the next page, as the Link header tells it; pages may hold fewer posts than asked for."""
    header = (response.headers.get("Link") or b"").decode("latin-1")
    match = re.search(r'<([^>]+)>;\s*rel="next"', header)
    found = parse_qs(urlsplit(match[1]).query).get("max_id") if match else None
    return found[0] if found else None
