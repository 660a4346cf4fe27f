"""What an AppView of the AT Protocol answers → items, and where the next page is. No network here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from spiders.errors import Blocked, Changed, Failed, Gone
from spiders.homes import part_of
from spiders.items import Item, ItemMedia, Kind
from spiders.paging import Found
from spiders.values import count_of, link_of, tidy, time_of

PLATFORM = "atproto"
WEB = "https://bsky.app"

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """When a page was read, and where people look at posts."""

    now: datetime
    zone: tzinfo
    web: str = WEB


@dataclass(frozen=True, slots=True)
class Shown:
    """faults: posts that could not be read. next: the cursor of the next page, None at the end."""

    found: tuple[Found, ...]
    faults: tuple[str, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Thread:
    """What is answered under a post. more: posts whose answers go deeper than was asked for. hidden: how many answers are there
    but not shown (blocked by somebody, or taken away)."""

    answers: tuple[Item, ...]
    faults: tuple[str, ...]
    more: tuple[str, ...]
    hidden: int


def item_of(view: Any, reading: Reading) -> Item:
    """One post as the AppView shows it. Ids are global: ``at://…`` and DIDs. A quote is a repost with words of its own.

    A post's time is its author's word for it, unless that lies behind the moment when the server first saw it. Raises Changed.
    """
    uri, record, author = part_of(view, "uri", kind=str), _record_of(view), part_of(view, "author", kind=dict)
    did, posted_at = part_of(author, "did", kind=str), _posted_at(view, record, reading)
    kind, parent_id, root_id = _place_of(record)
    shared = [count for count in (count_of(view.get("repostCount")), count_of(view.get("quoteCount"))) if count is not None]
    return Item(
        platform=PLATFORM,
        post_id=uri,
        author_id=did,
        author_name=tidy(str(author.get("displayName") or author.get("handle") or "")),
        posted_at=posted_at,
        seen_at=reading.now,
        text=tidy(str(record.get("text") or "")),
        url=f"{reading.web}/profile/{did}/post/{uri.rpartition('/')[2]}",
        kind=kind,
        parent_id=parent_id,
        root_id=root_id,
        likes=count_of(view.get("likeCount")),
        comments=count_of(view.get("replyCount")),
        reposts=sum(shared) if shared else None,
        media=tuple(_media_of(view.get("embed") or (view.get("embeds") or [None])[0])),
        raw={key: value for key, value in view.items() if key not in ("embed", "embeds")},
    )


def _record_of(view: Any) -> Json:
    """What the author wrote: ``record`` of a post, ``value`` of a quoted one."""
    return part_of(view, "record" if "record" in view else "value", kind=dict)


def _posted_at(view: Json, record: Json, reading: Reading) -> datetime:
    claimed, indexed = (
        time_of(at, now=reading.now, zone=reading.zone) for at in (record.get("createdAt"), view.get("indexedAt"))
    )
    times = [at for at in (claimed, indexed) if at is not None]
    if not times:
        raise Changed(f"{view.get('uri')} 没有时间 / a post without a time")
    return min(times)


def _place_of(record: Json) -> tuple[Kind, str | None, str | None]:
    """Kind, parent and root. What answers a post is a comment, also where it quotes another."""
    reply = record.get("reply")
    if isinstance(reply, Mapping):
        parent, root = (part_of(reply, name, "uri", kind=str) for name in ("parent", "root"))
        return "comment", parent, root
    quoted = _quoted_uri(record.get("embed"))
    return ("repost", quoted, quoted) if quoted else ("post", None, None)


def _quoted_uri(embed: Any) -> str | None:
    """The post that a record's embed quotes; lists, feeds and starter packs are embedded the same way, and are none."""
    record = embed.get("record") if isinstance(embed, Mapping) else None
    if isinstance(record, Mapping) and isinstance(record.get("record"), Mapping):
        record = record["record"]  # with pictures
    uri = record.get("uri") if isinstance(record, Mapping) else None
    return uri if isinstance(uri, str) and "/app.bsky.feed.post/" in uri else None


def quoted_of(view: Json, reading: Reading) -> Item | None:
    """The post that this one quotes, where it is shown with it."""
    embed = view.get("embed")
    record = embed.get("record") if isinstance(embed, Mapping) else None
    if isinstance(record, Mapping) and isinstance(record.get("record"), Mapping):
        record = record["record"]
    is_post = isinstance(record, Mapping) and record.get("$type") == "app.bsky.embed.record#viewRecord"
    return item_of(record, reading) if is_post and "/app.bsky.feed.post/" in str(record.get("uri")) else None  # type: ignore[union-attr]


def _media_of(embed: Any) -> Iterator[ItemMedia]:
    if not isinstance(embed, Mapping):
        return
    if isinstance(embed.get("media"), Mapping):
        yield from _media_of(embed["media"])
    for image in embed.get("images") or ():
        if link := link_of(image.get("fullsize") or image.get("thumb")):
            yield ItemMedia("image", link, tidy(str(image.get("alt") or "")))
    if link := link_of(embed.get("playlist")):
        yield ItemMedia("video", link, tidy(str(embed.get("alt") or "")))
    card = embed.get("external")
    if isinstance(card, Mapping) and (link := link_of(card.get("uri"))):
        yield ItemMedia("card", link, tidy(str(card.get("title") or "")))


def _founds_of(view: Any, reading: Reading) -> list[Found]:
    """A post, after the one that it quotes. Quotes are counted as answers, because both are read under a post."""
    item, quoted = item_of(view, reading), quoted_of(view, reading)
    counted = [count_of(view.get(name)) for name in ("replyCount", "quoteCount")]
    answers = sum(one for one in counted if one is not None) if any(one is not None for one in counted) else None
    # the quoted post stands here for whoever reads the quote; its own answers are not ours, nor its age the page's
    before = [Found(quoted, pinned=True, answers=0)] if quoted else []
    return [*before, Found(item, answers=answers)]


def repost_of(entry: Json, reading: Reading) -> list[Found]:
    """A repost, after the post that it passes on, whose words it repeats behind ``//@``."""
    reason, view = part_of(entry, "reason", kind=dict), part_of(entry, "post", kind=dict)
    by, original = part_of(reason, "by", kind=dict), item_of(view, reading)
    did = part_of(by, "did", kind=str)
    at = time_of(reason.get("indexedAt"), now=reading.now, zone=reading.zone)
    if at is None:
        raise Changed(f"{did} 的转发没有时间 / a repost without a time")
    handle = tidy(str(view["author"].get("handle") or original.author_id))
    item = Item(
        platform=PLATFORM,
        post_id=str(reason.get("uri") or f"{original.post_id}#repost:{did}"),
        author_id=did,
        author_name=tidy(str(by.get("displayName") or by.get("handle") or "")),
        posted_at=at,
        seen_at=reading.now,
        text=f"//@{handle}: {original.text}",
        url=original.url,
        kind="repost",
        parent_id=original.post_id,
        root_id=original.root_id or original.post_id,
        media=original.media,
        raw={"reason": reason, "post": {"uri": original.post_id}},
    )
    return [Found(original, pinned=True, answers=0), Found(item, answers=0)]


def feed_of(page: Any, reading: Reading) -> Shown:
    """``app.bsky.feed.getAuthorFeed``: posts, answers and reposts of one author, newest first; a pinned post before them."""
    return _shown(part_of(page, "feed", kind=list), lambda entry: _entry_of(entry, reading), page)


def _entry_of(entry: Json, reading: Reading) -> list[Found]:
    reason = str((entry.get("reason") or {}).get("$type"))
    if reason.endswith("#reasonRepost"):
        return repost_of(entry, reading)
    founds = _founds_of(part_of(entry, "post", kind=dict), reading)
    is_pinned = reason.endswith("#reasonPin")
    return [*founds[:-1], Found(founds[-1].item, pinned=is_pinned, answers=founds[-1].answers)]


def posts_of(page: Any, reading: Reading) -> Shown:
    """``searchPosts``, ``getQuotes`` and ``getPosts``: posts under ``posts``."""
    return _shown(part_of(page, "posts", kind=list), lambda view: _founds_of(view, reading), page)


def _shown(entries: Iterable[Any], read: Callable[[Any], list[Found]], page: Json) -> Shown:
    found: list[Found] = []
    faults: list[str] = []
    for entry in entries:
        try:
            found += read(part_of(entry, kind=dict))
        except Changed as error:
            faults.append(str(error))
    cursor = page.get("cursor")
    return Shown(tuple(found), tuple(faults), str(cursor) if cursor else None)


def thread_of(page: Any, reading: Reading) -> Thread:
    """``getPostThread``: the answers under its post, parents before children. Raises Gone, Changed."""
    root = part_of(page, "thread", kind=dict)
    if str(root.get("$type")).endswith(("#notFoundPost", "#blockedPost")):
        raise Gone(f"这条内容已不在，或被屏蔽：{root.get('uri')} / this post is there no more")
    found, faults, more, hidden = list[Item](), list[str](), list[str](), 0
    waiting = [root]
    while waiting:
        node = waiting.pop(0)
        view = part_of(node, "post", kind=dict)
        replies = [one for one in node.get("replies") or () if isinstance(one, Mapping)]
        shown = [one for one in replies if str(one.get("$type")).endswith("#threadViewPost")]
        counted = count_of(view.get("replyCount")) or 0
        if counted and not replies and node is not root:
            more.append(part_of(view, "uri", kind=str))
        else:
            hidden += max(0, counted - len(shown))
        for one in shown:
            try:
                found.append(item_of(one.get("post"), reading))
            except Changed as error:
                faults.append(str(error))
                continue
            waiting.append(dict(one))
    return Thread(tuple(found), tuple(faults), tuple(more), hidden)


def refusal_of(page: Any, url: str) -> Failed | Blocked | Changed:
    """What a server means that answers 400: nobody and nothing of that name, a wall, or a mistake of ours."""
    if not isinstance(page, Mapping) or "error" not in page:
        return Changed(f"HTTP 400，回答的形状变了 / the answer names no error: {url}")
    error, message = str(page["error"]), str(page.get("message") or "")
    told = f"{error}: {message[:100]}"
    if error == "NotFound" or "not found" in message.lower():
        return Gone(f"没有这个账号或内容 / no such account or post ({told}): {url}")
    if error in ("BlockedActor", "BlockedByActor", "AuthMissing", "AccountTakedown", "AccountDeactivated"):
        return Blocked(f"平台不给访客看 / not shown to guests ({told}): {url}", patience=3)
    return Failed(f"服务器不接受 / the server refuses ({told}): {url}", patience=0)
