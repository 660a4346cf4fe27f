"""Listings of Reddit's API → items, and where the next page is. No network here.

Ids are fullnames (``t3_…``, ``t1_…``), authors are known by their names, which nobody can change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from spiders.errors import Changed
from spiders.homes import part_of, read_each
from spiders.items import Item, ItemMedia
from spiders.selectors import html_in, page_of
from spiders.sites.feed_pages import joined
from spiders.values import count_of, link_of, text_of, tidy, time_of

PLATFORM = "reddit"
WEB = "https://www.reddit.com"
_TAKEN_AWAY = ("[removed]", "[deleted]")

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """When a page was read."""

    now: datetime
    zone: tzinfo


@dataclass(frozen=True, slots=True)
class Listing:
    """items: newest first. next: the cursor of the next page, None at the end. hidden: ids of posts that were taken away.
    pinned: ids of those that stand above newer ones."""

    items: tuple[Item, ...]
    faults: tuple[str, ...]
    next: str | None
    hidden: tuple[str, ...] = ()
    pinned: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Tree:
    """Comments, parents before children. more: ids of comments that are left out. deeper: comments whose answers are."""

    items: tuple[Item, ...]
    faults: tuple[str, ...]
    more: tuple[str, ...]
    deeper: tuple[str, ...]


def listing_of(page: Any, reading: Reading) -> Listing:
    """A listing of posts and comments: ``/r/…/new``, ``/search``, ``/user/…/overview``. Raises Changed."""
    children = [part_of(child, kind=dict) for child in part_of(page, "data", "children", kind=list)]
    records = [part_of(child, "data", kind=dict) for child in children if child.get("kind") in ("t1", "t3")]
    if children and not records:
        raise Changed(f"没有一条是帖子或评论 / no entry is a post or comment: {children[0].get('kind')!r}")
    items, faults = read_each(records, lambda record: item_of(record, reading))
    after = page["data"].get("after")
    hidden = tuple(str(record.get("name")) for record in records if is_taken_away(record))
    pinned = frozenset(str(record.get("name")) for record in records if record.get("stickied") or record.get("pinned"))
    return Listing(tuple(items), tuple(faults), str(after) if after else None, hidden, pinned)


def thread_of(page: Any, reading: Reading) -> tuple[Item | None, Tree]:
    """``/comments/<id>``: the post (None where it was taken away) and what is answered under it. Raises Changed."""
    listings = part_of(page, kind=list)
    if len(listings) != 2:
        raise Changed(f"应有两个列表，有 {len(listings)} 个 / two listings are wanted")
    posts = part_of(listings[0], "data", "children", kind=list)
    record = part_of(posts[0] if posts else None, "data", kind=dict)
    return item_of(record, reading), tree_of(part_of(listings[1], "data", "children", kind=list), reading)


def tree_of(children: Iterable[Any], reading: Reading) -> Tree:
    """Comments with their answers; those that were taken away are left out, what is answered under them is not."""
    items, faults, more, deeper = list[Item](), list[str](), list[str](), list[str]()
    waiting = list(children)
    while waiting:
        child = waiting.pop(0)
        try:
            record = part_of(child, "data", kind=dict)
            if child.get("kind") == "more":
                own = [str(one) for one in record.get("children") or ()]
                more += own
                deeper += [] if own else [part_of(record, "parent_id", kind=str)]
                continue
            if (item := item_of(record, reading)) is not None:
                items.append(item)
            replies = record.get("replies")
            waiting += part_of(replies, "data", "children", kind=list) if replies else []
        except Changed as error:
            faults.append(str(error))
    return Tree(tuple(items), tuple(faults), tuple(dict.fromkeys(more)), tuple(dict.fromkeys(deeper)))


def is_taken_away(record: Json) -> bool:
    """
    >>> is_taken_away({"author": "[deleted]"}), is_taken_away({"author": "lu", "selftext": "[removed]"})
    (True, True)
    """
    text = record.get("body", record.get("selftext"))
    return record.get("author") == "[deleted]" or text in _TAKEN_AWAY or bool(record.get("removed_by_category"))


def item_of(record: Json, reading: Reading) -> Item | None:
    """A post (``t3``) or a comment (``t1``); None where it was taken away. Raises Changed."""
    own = part_of(record, "name", kind=str)
    if is_taken_away(record):
        return None
    author, at = part_of(record, "author", kind=str), time_of(record.get("created_utc"), now=reading.now, zone=reading.zone)
    if at is None:
        raise Changed(f"{own} 没有时间 / no created_utc")
    is_comment = own.startswith("t1_")
    words = _words_of(record, "body" if is_comment else "selftext")
    crossposted = str(record.get("crosspost_parent") or "")
    parent = str(record.get("parent_id") or "") if is_comment else crossposted
    root = str(record.get("link_id") or "") if is_comment else crossposted
    return Item(
        platform=PLATFORM,
        post_id=own,
        author_id=author,
        author_name=author,
        posted_at=at,
        seen_at=reading.now,
        text=words if is_comment else joined(tidy(part_of(record, "title", kind=str)), words),
        url=link_of(record.get("permalink"), WEB),
        kind="comment" if is_comment else "repost" if crossposted else "post",
        parent_id=parent or None,
        root_id=root or None,
        likes=count_of(record.get("score")),  # less those against; None where more are against
        comments=count_of(record.get("num_comments")),
        reposts=count_of(record.get("num_crossposts")),
        media=tuple(dict.fromkeys(_media_of(record))),
        raw={key: value for key, value in record.items() if key not in ("replies", "crosspost_parent_list")},
    )


def _words_of(record: Json, name: str) -> str:
    """The words without what they quote, which is somebody else's."""
    html = record.get(f"{name}_html")
    if isinstance(html, str) and html:
        return text_of(html_in(page_of(html), ("body",), ("blockquote",)))
    return tidy(str(record.get(name) or ""))


def _media_of(record: Json) -> Iterator[ItemMedia]:
    for one in (record.get("media_metadata") or {}).values() if isinstance(record.get("media_metadata"), Mapping) else ():
        source = one.get("s") if isinstance(one, Mapping) else None
        if isinstance(source, Mapping) and (link := link_of(source.get("u") or source.get("gif"))):
            yield ItemMedia("image", link)
    link = link_of(record.get("url_overridden_by_dest"))
    if link and "/gallery/" not in link:
        kind = "image" if record.get("post_hint") == "image" else "video" if record.get("is_video") else "card"
        yield ItemMedia(kind, link)
