"""Douban's pages as guests see them → items, and where the next page is. No network here.

Ids get their kind as prefix (``topic:7``, ``reply:9``, ``comment:3``, ``review:5``), because each kind counts by itself;
authors are known by the name in their page's address.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from parsel import Selector as Node

from spiders.errors import Blocked, Changed, Gone
from spiders.items import Item
from spiders.selectors import all_of, first, html_in
from spiders.sites.feed_pages import joined, pictures_of
from spiders.values import count_of, link_of, text_of, time_of

PLATFORM = "douban"


@dataclass(frozen=True, slots=True)
class Reading:
    """When, in which zone and from which address a page was read."""

    now: datetime
    zone: tzinfo
    url: str


@dataclass(frozen=True, slots=True)
class Row:
    """A topic as a group's list shows it."""

    url: str
    post_id: str
    answers: int | None
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Listing:
    """next: address of the next page, "" at the end."""

    rows: tuple[Row, ...]
    faults: tuple[str, ...]
    next: str


@dataclass(frozen=True, slots=True)
class Shown:
    items: tuple[Item, ...]
    faults: tuple[str, ...]
    next: str


_CAPTCHA = ("检测到有异常请求", "请输入验证码", "captcha", "sec.douban.com")
_LOGIN = ("登录跳转", "请登录", "需要登录", "登录后")
_NOTHING = ("还没有人写过", "暂无", "没有更多", "还没有短评", "还没有影评", "0 条")
_AWAY = ("页面不存在", "呃...你想访问的页面不存在", "话题已被", "已被删除", "根据相关法律法规")


def _nothing_there(page: Node, what: str) -> None:
    """Return for a page that says that it has nothing. Raises Blocked at a wall, Gone, Changed for any other."""
    shown = text_of(page.get() or "")[:20000]
    html = page.get() or ""
    if any(words in html for words in _CAPTCHA):
        raise Blocked("豆瓣要求输入验证码 / captcha")
    if any(words in shown for words in _AWAY):
        raise Gone("这个页面已不在 / there is no such page")
    if any(words in shown for words in _NOTHING):
        return
    if any(words in shown for words in _LOGIN):
        raise Blocked("平台要求登录后才能看 / log-in wall", patience=3)
    raise Changed(f"页面的形状变了：没有 {what} / the page has no {what}")


def _next(page: Node, reading: Reading) -> str:
    links = (link_of(one, reading.url) for one in all_of(page, ("span.next a::attr(href)", "#paginator a.next::attr(href)")))
    return next((link for link in links if link and link != reading.url), "")


def _person(link: str) -> str:
    """
    >>> _person("https://www.douban.com/people/xiaolu/")
    'xiaolu'
    """
    match = re.search(r"/people/([^/?#]+)", link)
    return match[1] if match else ""


def discussions_of(page: Node, reading: Reading) -> Listing:
    """``/group/…/discussion``: topics, the last answered first."""
    rows, faults = list[Row](), list[str]()
    nodes = page.css("table.olt tr:not(.th)")
    for node in nodes:
        link = link_of(first(node, ("td.title a::attr(href)",)), reading.url)
        topic = re.search(r"/group/topic/(\d+)", link)
        if topic is None:
            faults.append("一行没有话题 / a row without a topic")
            continue
        answers = first(node, ("td.r-count", "td:nth-child(3)"))
        shown = first(node, ("td.time", "td:nth-child(4)"))
        rows.append(
            Row(
                url=f"{link.partition('/topic/')[0]}/topic/{topic[1]}/",
                post_id=f"topic:{topic[1]}",
                answers=count_of(answers) if answers else 0,  # none are shown as nothing
                answered_at=time_of(shown, now=reading.now, zone=reading.zone),
            )
        )
    if not nodes:
        _nothing_there(page, "table.olt")
    return Listing(tuple(rows), tuple(faults), _next(page, reading))


def topic_of(page: Node, reading: Reading) -> Item:
    """``/group/topic/…``: the topic itself."""
    topic = re.search(r"/group/topic/(\d+)", reading.url)
    node = next(iter(page.css("#topic-content .topic-doc, .topic-content .topic-doc")), None)
    if node is None:
        _nothing_there(page, ".topic-doc")
    if node is None or topic is None:
        raise Changed("页面的形状变了：没有 .topic-doc / the page has no .topic-doc")
    shown = first(node, (".create-time", "h3 span.color-green"))
    at = time_of(shown, now=reading.now, zone=reading.zone)
    author, name = _person(first(node, (".from a::attr(href)",))), first(node, (".from a",))
    if at is None or not author:
        raise Changed(f"话题没有作者或时间 / a topic without author or time: {shown[:40]!r}")
    html = html_in(node, (".topic-richtext", ".topic-content"))
    return Item(
        platform=PLATFORM,
        post_id=f"topic:{topic[1]}",
        author_id=author,
        author_name=name,
        posted_at=at,
        seen_at=reading.now,
        text=joined(first(page, (".article h1", "h1")), text_of(html)),
        url=f"{reading.url.partition('/topic/')[0]}/topic/{topic[1]}/",
        media=tuple(pictures_of(html, reading.url)),
        raw={"html": html, "author": name},
    )


def answers_of(page: Node, topic: Item, reading: Reading) -> Shown:
    """The answers on a page of a topic; what they quote is left out, but tells whom they answer."""
    nodes = page.css("#comments > li.comment-item")
    hot = {node.attrib.get("data-cid") for node in page.css("#popular-comments li.comment-item")}
    items, faults = _each(nodes, lambda node: _answer(node, topic, reading))
    if not nodes and not hot and (topic.comments or 0) > 0:
        _nothing_there(page, "#comments")
    return Shown(tuple(items), tuple(faults), _next(page, reading))


def _answer(node: Node, topic: Item, reading: Reading) -> Item:
    own, shown = node.attrib.get("data-cid", ""), first(node, (".pubtime",))
    at = time_of(
        re.sub(r"\s+\S*$", "", shown) if re.search(r"\d\s+[^\d\s]+$", shown) else shown, now=reading.now, zone=reading.zone
    )
    author, name = _person(first(node, ("h4 a::attr(href)",))), first(node, ("h4 a",))
    if not own or at is None or not author:
        raise Changed(f"一条回复没有编号、作者或时间 / an answer without id, author or time: {shown[:40]!r}")
    html = html_in(node, (".reply-content", "p.reply-content"))
    quoted = first(node, (".reply-quote::attr(data-ref-cid)", ".reply-quote-content::attr(data-ref-cid)"))
    return Item(
        platform=PLATFORM,
        post_id=f"reply:{own}",
        author_id=author,
        author_name=name,
        posted_at=at,
        seen_at=reading.now,
        text=text_of(html),
        url=f"{topic.url}#{own}",
        kind="comment",
        parent_id=f"reply:{quoted}" if quoted else topic.post_id,
        root_id=topic.post_id,
        likes=count_of((re.search(r"\d+", first(node, (".comment-vote", ".lnk-fav"))) or [None])[0]),
        media=tuple(pictures_of(html, reading.url)),
        raw={"html": html, "author": name},
    )


def comments_of(page: Node, reading: Reading) -> Shown:
    """``/subject/…/comments``: short comments on a work. Douban's templates in ``<script>`` are no comments."""
    return _opinions(page, "div.comment-item[data-cid]", lambda node: _comment(node, reading), reading)


def _comment(node: Node, reading: Reading) -> Item:
    shown = first(node, (".comment-time::attr(title)", ".comment-time"))
    return _opinion(node, "comment", ".comment-info a", html_in(node, (".short",)), shown, (".votes",), "", reading)


def reviews_of(page: Node, reading: Reading) -> Shown:
    """``/subject/…/reviews``: reviews as the list shows their start."""
    return _opinions(page, "div.review-item", lambda node: _review(node, reading), reading)


def _review(node: Node, reading: Reading) -> Item:
    html = html_in(node, (".short-content", ".review-short"), ("a.unfold", ".main-title-tip"))
    shown = first(node, (".main-meta",))
    return _opinion(node, "review", ".main-hd a.name", html, shown, (".action-btn.up span",), first(node, ("h2 a",)), reading)


def _opinions(page: Node, css: str, read: Callable[[Node], Item], reading: Reading) -> Shown:
    nodes = page.css(css)
    items, faults = _each(nodes, read)
    if not nodes:
        _nothing_there(page, css)
    return Shown(tuple(items), tuple(faults), _next(page, reading))


def _opinion(
    node: Node, kind: str, person: str, html: str, shown: str, votes: tuple[str, ...], title: str, reading: Reading
) -> Item:
    own, at = node.attrib.get("data-cid") or node.attrib.get("id", ""), time_of(shown, now=reading.now, zone=reading.zone)
    author, name = _person(first(node, (f"{person}::attr(href)",))), first(node, (person,))
    if not own or at is None or not author:
        raise Changed(f"一条没有编号、作者或时间 / one without id, author or time: {shown[:40]!r}")
    work = reading.url.partition("?")[0].rstrip("/").rpartition("/")[0]
    stars = re.search(r"allstar(\d)0", " ".join(node.css("[class*=allstar]::attr(class)").getall()))
    return Item(
        platform=PLATFORM,
        post_id=f"{kind}:{own}",
        author_id=author,
        author_name=name,
        posted_at=at,
        seen_at=reading.now,
        text=joined(title, text_of(html)),
        url=link_of(first(node, ("h2 a::attr(href)",)), reading.url) or f"{work}/comments#{own}",
        likes=count_of(first(node, votes)),
        raw={"html": html, "title": title, "author": name, "stars": int(stars[1]) if stars else None},
    )


def _each(nodes: Iterable[Any], read: Callable[[Node], Item]) -> tuple[list[Item], list[str]]:
    found, faults = [], []
    for node in nodes:
        try:
            found.append(read(node))
        except Changed as error:
            faults.append(str(error))
    return found, faults
