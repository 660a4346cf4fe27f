"""Pages of any HTML forum, by the selectors of its configuration → topics, floors, where the next page is. No network here.

A *list* shows topics, a *topic* shows floors; the first floor is the topic's own text, the others are comments on it. Ids get
host and kind as prefix: ``bbs.example:topic:7``, ``bbs.example:floor:31``, ``bbs.example:user:5`` (``:name:小鹿`` without one).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from urllib.parse import urlsplit, urlunsplit

from parsel import Selector as Node

from spiders.errors import Blocked, Changed, Gone
from spiders.items import Item
from spiders.selectors import all_of, first, html_in, matches
from spiders.sites.feed_pages import joined, pictures_of
from spiders.sites.forum_options import FloorOptions, TopicOptions
from spiders.values import count_of, link_of, text_of, tidy, time_of

PLATFORM = "forum"


@dataclass(frozen=True, slots=True)
class Reading:
    """When, in which zone and from which address a page was read."""

    now: datetime
    zone: tzinfo
    url: str

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc.lower()


@dataclass(frozen=True, slots=True)
class Row:
    """A topic as a list shows it; what the list does not show is "" or None. sorted_at: the time that the list is sorted by."""

    url: str
    post_id: str
    title: str
    author_id: str
    author_name: str
    posted_at: datetime | None
    sorted_at: datetime | None
    answers: int | None
    likes: int | None
    pinned: bool
    html: str


@dataclass(frozen=True, slots=True)
class Listing:
    """faults: rows that could not be read. next: address of the page after it, "" at the end."""

    rows: tuple[Row, ...]
    faults: tuple[str, ...]
    next: str


@dataclass(frozen=True, slots=True)
class Floor:
    """One floor. floor_id: as an item's id."""

    floor_id: str
    author_id: str
    author_name: str
    posted_at: datetime
    html: str
    likes: int | None
    answers_id: str


@dataclass(frozen=True, slots=True)
class Topic:
    """One page of a topic. hidden: floors that show no text (banned authors)."""

    title: str
    floors: tuple[Floor, ...]
    faults: tuple[str, ...]
    hidden: int
    next: str


# ------------------------------------------------------------------------------------------------------------- lists


def listing_of(page: Node, options: TopicOptions, reading: Reading) -> Listing:
    """The topics of a list. Raises Changed, which names the selector that catches nothing, and Blocked."""
    nodes = _items(page, options.item, "topics.item", options.empty)
    named = ("link", "title", "author", "author_id", "time", "active", "answers", "text")
    for name in named if nodes else ():
        _check_catches(nodes, f"topics.{name}", getattr(options, name))
    for name in ("time", "active") if nodes else ():
        _check_times(nodes, f"topics.{name}", getattr(options, name), reading)
    rows: dict[str, Row] = {}
    faults = []
    for node in nodes:
        row = _row(node, options, reading)
        if row is None:
            faults.append("topics.link 在一行里没有选中网址 / topics.link catches no address in a row")
        else:
            rows.setdefault(row.post_id, row)
    if nodes and not rows:
        raise Changed(f"{_named('topics.link', options.link)} 没有选中网址 / catches no address")
    return Listing(tuple(rows.values()), tuple(faults), _next(page, options.next, reading))


def _row(node: Node, options: TopicOptions, reading: Reading) -> Row | None:
    url = next(filter(None, (link_of(one, reading.url) for one in links_of(node, options.link))), "")
    if not url:
        return None
    posted_at = time_in(first(node, options.time), reading)
    active_at = time_in(first(node, options.active), reading)
    author_id, author_name = _author(node, options.author, options.author_id, reading)
    return Row(
        url=url,
        post_id=topic_id_of(url, options, reading.host),
        title=first(node, options.title),
        author_id=author_id,
        author_name=author_name,
        posted_at=posted_at,
        sorted_at=active_at or posted_at,
        answers=count_of(first(node, options.answers)),
        likes=count_of(first(node, options.likes)),
        pinned=bool(options.pinned and html_in(node, options.pinned)),
        html=html_in(node, options.text),
    )


def topic_id_of(url: str, options: TopicOptions, host: str) -> str:
    """
    >>> topic_id_of("https://bbs.example/thread-7-1-1.html", TopicOptions(item="li", id=r"thread-(\\d+)"), "bbs.example")
    'bbs.example:topic:7'
    """
    match = re.search(options.id, url) if options.id else None
    if match:
        own = match[1] if match.re.groups else match[0]
    else:
        parts = urlsplit(url)
        own = urlunsplit(("", "", parts.path, parts.query, ""))
    return f"{host}:topic:{own}"


def item_of_row(row: Row, reading: Reading) -> Item | None:
    """The post that a list shows whole; None where it shows no time."""
    if row.posted_at is None:
        return None
    return Item(
        platform=PLATFORM,
        post_id=row.post_id,
        author_id=row.author_id or f"{reading.host}:anonymous",
        author_name=row.author_name,
        posted_at=row.posted_at,
        seen_at=reading.now,
        text=joined(row.title, text_of(row.html)),
        url=row.url,
        likes=row.likes,
        comments=row.answers,
        media=tuple(pictures_of(row.html, row.url)),
        raw={"title": row.title, "html": row.html, "author": row.author_name},
    )


# ------------------------------------------------------------------------------------------------------------ topics


def topic_of(page: Node, options: FloorOptions, reading: Reading) -> Topic:
    """The floors of a page of a topic. Raises Changed, which names the selector that catches nothing, and Blocked."""
    nodes = _items(page, options.item, "floors.item", ())
    for name in ("text", "time", "id", "author", "author_id"):
        _check_catches(nodes, f"floors.{name}", getattr(options, name))
    _check_times(nodes, "floors.time", options.time, reading)
    floors, faults, hidden = [], [], 0
    for node in nodes:
        html, shown = html_in(node, options.text, options.drop), first(node, options.time)
        posted_at = time_in(shown, reading)
        if posted_at is not None and html:
            floors.append(_floor(node, options, reading, posted_at, html))
        elif html:
            faults.append(f"floors.time 在一层里读不出时间 / no time in a floor: {shown[:40]!r}")
        else:
            hidden += bool(shown)  # what has neither text nor time is no floor but an advertisement
    return Topic(first(page, options.title), tuple(floors), tuple(faults), hidden, _next(page, options.next, reading))


def _floor(node: Node, options: FloorOptions, reading: Reading, posted_at: datetime, html: str) -> Floor:
    author_id, author_name = _author(node, options.author, options.author_id, reading)
    own = first(node, options.id)
    if not own:
        words = "\n".join((author_id, posted_at.isoformat(), text_of(html)))
        own = hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()[:16]
    answered = first(node, options.parent)
    return Floor(
        floor_id=f"{reading.host}:floor:{own}",
        author_id=author_id or f"{reading.host}:anonymous",
        author_name=author_name,
        posted_at=posted_at,
        html=html,
        likes=count_of(first(node, options.likes)),
        answers_id=f"{reading.host}:floor:{answered}" if answered else "",
    )


def opener_of(topic: Topic, row: Row, reading: Reading) -> Item:
    """The topic itself: title and first floor. Raises Changed where there is no floor, Gone where the
    first one is somebody else's."""
    if not topic.floors:
        raise Changed(f"主题页上没有能读的楼层 / no floor on the topic's page: {row.url}")
    floor = topic.floors[0]
    is_named = not floor.author_id.endswith(":anonymous")
    if is_named and ":user:" in row.author_id and ":user:" in floor.author_id and row.author_id != floor.author_id:
        raise Gone(
            f"主题的首楼不再显示 / the topic's first floor is shown no more: {row.url}"
        )  # nobody else's words in its place
    title = row.title or topic.title
    return Item(
        platform=PLATFORM,
        post_id=row.post_id,
        author_id=floor.author_id if is_named else row.author_id or floor.author_id,
        author_name=floor.author_name or row.author_name,
        posted_at=floor.posted_at,
        seen_at=reading.now,
        text=joined(title, text_of(floor.html)),
        url=row.url,
        likes=floor.likes if row.likes is None else row.likes,
        comments=row.answers,
        media=tuple(pictures_of(floor.html, row.url)),
        raw={"title": title, "html": floor.html, "author": floor.author_name},
    )


def comment_of(floor: Floor, topic: Item, opener_id: str, reading: Reading) -> Item:
    """A floor below the first. opener_id: of the first floor, which is the topic."""
    answers_topic = floor.answers_id in ("", opener_id, floor.floor_id)
    return Item(
        platform=PLATFORM,
        post_id=floor.floor_id,
        author_id=floor.author_id,
        author_name=floor.author_name,
        posted_at=floor.posted_at,
        seen_at=reading.now,
        text=text_of(floor.html),
        url=topic.url,
        kind="comment",
        parent_id=topic.post_id if answers_topic else floor.answers_id,
        root_id=topic.post_id,
        likes=floor.likes,
        media=tuple(pictures_of(floor.html, topic.url)),
        raw={"html": floor.html, "author": floor.author_name},
    )


# ------------------------------------------------------------------------------------------------------------ fields


def _author(node: Node, names: Sequence[str], ids: Sequence[str], reading: Reading) -> tuple[str, str]:
    name, own = first(node, names), first(node, ids)
    if own:
        return f"{reading.host}:user:{own}", name
    return (f"{reading.host}:name:{name}" if name else ""), name


def account_in(account: str) -> str:
    """What a forum calls an account, of the id that the roster has.

    >>> account_in("bbs.example:8080:user:5"), account_in("bbs.example:name:小鹿"), account_in("5")
    ('5', '小鹿', '5')
    """
    return re.sub(r"^.*:(?:user|name):", "", account)


_WHEN = re.compile(
    r"\d{4}\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}\s*日?(?:[\sT]*\d{1,2}[:：]\d{2}(?:[:：]\d{2})?)?"
    r"|(?:今天|昨天|前天)\s*(?:\d{1,2}[:：]\d{2}(?:[:：]\d{2})?)?"
    r"|(?:\d+|半)\s*个?\s*(?:秒|分钟|分鐘|分|小时|小時|天|日|周|週|星期)\s*(?:之?前|以前)|刚刚|剛剛"
    r"|\d{1,2}\s*[-/.月]\s*\d{1,2}\s*日?(?:\s*\d{1,2}[:：]\d{2}(?:[:：]\d{2})?)?"
)
_HALF = re.compile(
    r"(上午|下午|晚上|凌晨|中午)\s*(\d{1,2})(?=[:：])|(\d{1,2})([:：]\d{2}(?:[:：]\d{2})?)\s*([AP])M\b", re.IGNORECASE
)


def time_in(shown: str, reading: Reading) -> datetime | None:
    """The time in what a page shows beside it: 发表于 昨天 下午 3:20 | 只看楼主. None where there is none.

    >>> from datetime import UTC
    >>> from zoneinfo import ZoneInfo
    >>> at = Reading(datetime(2026, 3, 1, 4, 0, tzinfo=UTC), ZoneInfo("Asia/Shanghai"), "https://bbs.example/")
    >>> [str(time_in(shown, at)) for shown in ("发表于 昨天 15:20 | 只看楼主", "發表於 2026-2-1 下午 03:20", "1 小时前")]
    ['2026-02-28 07:20:00+00:00', '2026-02-01 07:20:00+00:00', '2026-03-01 03:00:00+00:00']
    """
    shown = _HALF.sub(_whole_day, tidy(shown))
    found = time_of(shown, now=reading.now, zone=reading.zone)
    if found is None and (match := _WHEN.search(shown)):
        found = time_of(match[0].strip(), now=reading.now, zone=reading.zone)
    return found


def _whole_day(match: re.Match[str]) -> str:
    if match[1]:
        hour, is_late, rest = int(match[2]), match[1] in ("下午", "晚上", "中午"), ""
        is_late = is_late and not (match[1] == "中午" and hour == 11)
    else:
        hour, is_late, rest = int(match[3]), match[5].upper() == "P", match[4]
    return f"{hour % 12 + 12 * is_late if hour <= 12 else hour}{rest}"


def links_of(page: Node, written: Sequence[str]) -> list[str]:
    for one in written:
        css, _, pattern = one.partition("=~")
        selector = one if "::" in one else f"{css.strip()}::attr(href) =~ {pattern}"
        if found := all_of(page, (selector,)):
            return found
    return []


def _next(page: Node, written: Sequence[str], reading: Reading) -> str:
    links = (link_of(link, reading.url) for link in links_of(page, written))
    return next((link for link in links if link and link != reading.url), "")


# ------------------------------------------------------------------------------------------------- what is not there

_LOGIN = re.compile(
    r"(?:需要|请先?|請先?|必须|尚未|您?还?没有?)\s*(?:登录|登錄|登陆|登入)|登录后|登錄後|请您登录"
    r"|log in to (?:view|continue|see)",
    re.IGNORECASE,
)
_CAPTCHA = re.compile(
    r"安全验证|人机验证|滑动验证|请输入验证码|访问过于频繁|verify you are human|just a moment|captcha|unusual traffic",
    re.IGNORECASE,
)
_EMPTY_HINT = "；列表没有内容时页面上有什么，写在 topics.empty / what an empty list shows goes into topics.empty"


def _items(page: Node, written: Sequence[str], name: str, empty: Sequence[str]) -> list[Node]:
    if found := matches(page, written):
        return found
    if empty and all_of(page, empty):
        return []
    shown = text_of(page.get() or "")[:20000]
    if _CAPTCHA.search(shown):
        raise Blocked("平台要求验证后才能看 / captcha")
    if _LOGIN.search(shown):
        raise Blocked("平台要求登录后才能看 / log-in wall", patience=3)
    hint = _EMPTY_HINT if name == "topics.item" else ""
    raise Changed(f"{_named(name, written)} 在这一页上没有选中任何东西 / catches nothing{hint}")


def _named(name: str, written: Sequence[str]) -> str:
    return f"选择器 {name} = {' , '.join(written)!r}"


def _check_catches(nodes: Sequence[Node], name: str, written: Sequence[str]) -> None:
    """A selector that catches nothing in any item is a page that changed, or a mistake."""
    kinds: dict[str, Callable[[Node, Sequence[str]], object]] = {"text": html_in, "link": links_of}
    read = kinds.get(name.rpartition(".")[2], first)
    if written and not any(read(node, written) for node in nodes):
        raise Changed(f"{_named(name, written)} 在 {len(nodes)} 项里都没有选中东西 / catches nothing in {len(nodes)} items")


def _check_times(nodes: Sequence[Node], name: str, written: Sequence[str], reading: Reading) -> None:
    shown = [text for text in (first(node, written) for node in nodes) if text]
    if shown and not any(time_in(text, reading) for text in shown):
        raise Changed(f"{_named(name, written)} 选中的不是时间 / catches no time: {shown[0][:40]!r}")
