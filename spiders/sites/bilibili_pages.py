"""What Bilibili's interfaces answer to guests, unsigned → items, and where the next page is. No network here.

Ids are the platform's own: a video's ``aid`` (as exports of other tools have it), a dynamic's ``id_str``, a comment's ``rpid``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, TypeVar

from spiders.errors import Blocked, Changed, Failed, Gone
from spiders.homes import part_of
from spiders.items import Item, ItemMedia
from spiders.sites.feed_pages import joined
from spiders.values import count_of, link_of, tidy, time_of

PLATFORM = "bilibili"
WEB = "https://www.bilibili.com"

Json = Mapping[str, Any]
_T = TypeVar("_T")

_GONE = (-404, 62002, 62004, 62012, 404, 500205, 4101131)
_WALLS = (-101, -403, -400403, 4101128)
_THROTTLES = (-352, -401, -412, -509, -799, -503)
_CLOSED = (12002, 12009, 12061)
"""Comments are switched off, or there is nothing of that kind to comment on: truly none."""


@dataclass(frozen=True, slots=True)
class Reading:
    """When and in which zone a page was read."""

    now: datetime
    zone: tzinfo


@dataclass(frozen=True, slots=True)
class Dynamic:
    """A post of somebody's space. kind, oid: what its comments hang on. quoted: the post that it passes on, if shown."""

    item: Item
    pinned: bool
    oid: str
    kind: str
    quoted: Item | None = None


@dataclass(frozen=True, slots=True)
class Space:
    """next: the offset of the next page, None at the end."""

    posts: tuple[Dynamic, ...]
    faults: tuple[str, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Replies:
    """comments: roots and the answers shown with them. more: roots with more answers than are shown. count: how many comments
    there are, answers too, None where it isn't said. roots: how many of these are roots and not pinned. size: of a page."""

    comments: tuple[Item, ...]
    more: tuple[str, ...]
    faults: tuple[str, ...]
    count: int | None
    roots: int
    size: int


def gate(page: Any) -> Mapping[str, Any] | None:
    """An answer's ``data``; None where comments are closed. Raises Blocked, Changed, Failed or Gone by its ``code``.

    >>> gate({"code": 12002, "message": "评论区已关闭"})
    >>> gate({"code": -352, "message": "风控校验失败"})
    Traceback (most recent call last):
    spiders.errors.Blocked: 平台风控，访客暂时看不到 / refused by risk control: -352 风控校验失败
    """
    if not isinstance(page, Mapping) or not isinstance(page.get("code"), int):
        raise Changed("回答的形状变了：没有 code / the answer has no code")
    code, told = page["code"], f"{page['code']} {str(page.get('message') or '')[:60]}"
    if code == 0:
        return part_of(page, "data", kind=dict)
    if code in _CLOSED:
        return None
    if code in _GONE:
        raise Gone(f"这条内容已不在或不公开 / there is no such post: {told}")
    if code in _WALLS:
        raise Blocked(f"平台要求登录后才能看 / log-in wall: {told}", patience=3)
    if code in _THROTTLES:
        raise Blocked(f"平台风控，访客暂时看不到 / refused by risk control: {told}")
    raise Failed(f"平台回答出错 / the platform answers: {told}", patience=3)


# ------------------------------------------------------------------------------------------------------------- posts


def space_of(page: Any, reading: Reading) -> Space:
    """``x/polymer/web-dynamic/v1/feed/space``: what one account posts, newest first, its pinned post before."""
    data = gate(page) or {}
    posts, faults = _each(part_of(data, "items", kind=list), lambda entry: dynamic_of(entry, reading))
    offset = str(data.get("offset") or "")
    return Space(tuple(posts), tuple(faults), offset if data.get("has_more") and offset else None)


def detail_of(page: Any, reading: Reading) -> Dynamic:
    """``x/polymer/web-dynamic/v1/detail``."""
    return dynamic_of(part_of(gate(page), "item", kind=dict), reading)


def dynamic_of(entry: Any, reading: Reading) -> Dynamic:
    """One dynamic: words, pictures, a video, an article, or another's post passed on. Raises Changed."""
    own, modules = part_of(entry, "id_str", kind=str), part_of(entry, "modules", kind=dict)
    author, body = part_of(modules, "module_author", kind=dict), part_of(modules, "module_dynamic", kind=dict)
    at = time_of(count_of(author.get("pub_ts")) or author.get("pub_ts"), now=reading.now, zone=reading.zone)
    if not author.get("mid") or at is None:
        raise Changed(f"动态 {own} 没有作者或时间 / a dynamic without author or time")
    major = body.get("major") or {}
    video = major.get("archive") or {}
    post_id = str(video.get("aid") or own)
    original = _original_of(entry.get("orig"), reading)
    parent_id = str((entry.get("orig") or {}).get("id_str") or "") if original is None else original.post_id
    counts = {name: (modules.get("module_stat") or {}).get(name, {}).get("count") for name in ("like", "comment", "forward")}
    item = Item(
        platform=PLATFORM,
        post_id=post_id,
        author_id=str(author["mid"]),
        author_name=tidy(str(author.get("name") or "")),
        posted_at=at,
        seen_at=reading.now,
        text=_words_of(body, major),
        url=link_of(video.get("jump_url"), WEB) or f"https://t.bilibili.com/{own}",
        kind="repost" if entry.get("orig") else "post",
        parent_id=parent_id or None,
        root_id=parent_id or None,
        likes=count_of(counts["like"]),
        comments=count_of(counts["comment"]),
        reposts=count_of(counts["forward"]),
        views=count_of((video.get("stat") or {}).get("play")),
        media=tuple(_media_of(major)),
        raw={key: value for key, value in entry.items() if key != "orig"},
    )
    basic = entry.get("basic") or {}
    pinned = (modules.get("module_tag") or {}).get("text") == "置顶"
    return Dynamic(item, pinned, str(basic.get("comment_id_str") or ""), str(basic.get("comment_type") or ""), original)


def _original_of(entry: Any, reading: Reading) -> Item | None:
    """The post that is passed on; None where it was taken away, or is of a kind that nobody posts (a live room, a course)."""
    try:
        return dynamic_of(entry, reading).item if isinstance(entry, Mapping) else None
    except Changed:
        return None


def _words_of(body: Json, major: Json) -> str:
    """Title and words, wherever this kind of dynamic has them."""
    opus, holder = major.get("opus") or {}, major.get("archive") or major.get("article") or major.get("common") or {}
    words = [(body.get("desc") or {}).get("text"), (opus.get("summary") or {}).get("text"), holder.get("desc")]
    said = "\n".join(dict.fromkeys(tidy(str(one)) for one in words if one))
    return joined(tidy(str(opus.get("title") or holder.get("title") or "")), said)


def _media_of(major: Json) -> Iterator[ItemMedia]:
    pictures = [one.get("src") for one in (major.get("draw") or {}).get("items") or ()]
    pictures += [one.get("url") for one in (major.get("opus") or {}).get("pics") or ()]
    for one in pictures:
        if link := link_of(one, WEB):
            yield ItemMedia("image", link)
    for name, kind in (("archive", "video"), ("article", "card")):
        holder = major.get(name) or {}
        if link := link_of(holder.get("jump_url"), WEB):
            yield ItemMedia(kind, link, tidy(str(holder.get("title") or "")))


def video_of(page: Any, reading: Reading) -> Item:
    """``x/web-interface/view``: one video."""
    data = gate(page) or {}
    owner, stat = part_of(data, "owner", kind=dict), part_of(data, "stat", kind=dict)
    at = time_of(data.get("pubdate"), now=reading.now, zone=reading.zone)
    if at is None or not owner.get("mid") or not data.get("aid"):
        raise Changed("视频没有 aid、作者或时间 / a video without aid, owner or time")
    url = f"{WEB}/video/{part_of(data, 'bvid', kind=str)}/"
    return Item(
        platform=PLATFORM,
        post_id=str(data["aid"]),
        author_id=str(owner["mid"]),
        author_name=tidy(str(owner.get("name") or "")),
        posted_at=at,
        seen_at=reading.now,
        text=joined(tidy(str(data.get("title") or "")), tidy(str(data.get("desc") or ""))),
        url=url,
        likes=count_of(stat.get("like")),
        comments=count_of(stat.get("reply")),
        reposts=count_of(stat.get("share")),
        views=count_of(stat.get("view")),
        media=(ItemMedia("video", url, tidy(str(data.get("title") or ""))),),
        raw=data,
    )


# ---------------------------------------------------------------------------------------------------------- comments


def replies_of(page: Any, post: Item, reading: Reading) -> Replies:
    """``x/v2/reply`` and ``x/v2/reply/reply``: comments with up to three answers each; pinned ones apart."""
    data = gate(page)
    if data is None:
        return Replies((), (), (), 0, 0, 0)
    listed = data.get("replies") or []
    if not isinstance(listed, list):
        raise Changed("评论的形状变了：replies 不是列表 / replies is no list")
    upper = data.get("upper")
    pinned = [one for one in (upper or {}).values() if isinstance(one, Mapping) and one.get("rpid")]
    about = data.get("page") if isinstance(data.get("page"), Mapping) else {}
    comments: dict[str, Item] = {}
    more, faults = list[str](), list[str]()
    for record in [*pinned, *(data.get("top_replies") or ()), *listed]:
        try:
            root = comment_of(record, post, reading)
            answers = [comment_of(one, post, reading) for one in record.get("replies") or ()]
        except Changed as error:
            faults.append(str(error))
            continue
        for one in (root, *answers):
            comments.setdefault(one.post_id, one)
        if (count_of(record.get("rcount")) or 0) > len(answers) and root.post_id not in more:
            more.append(root.post_id)
    count = count_of(about.get("acount")) if about and "acount" in about else count_of((about or {}).get("count"))
    return Replies(
        tuple(comments.values()), tuple(more), tuple(faults), count, len(listed), count_of((about or {}).get("size")) or 0
    )


def comment_of(record: Any, post: Item, reading: Reading) -> Item:
    """One comment. ``parent`` and ``root`` are 0 on those that answer the post itself."""
    rpid, message = part_of(record, "rpid", kind=int), part_of(record, "content", "message", kind=str)
    member, at = part_of(record, "member", kind=dict), time_of(record.get("ctime"), now=reading.now, zone=reading.zone)
    mid = record.get("mid") or member.get("mid")
    if not mid or at is None:
        raise Changed(f"评论 {rpid} 没有作者或时间 / a comment without author or time")
    pictures = record["content"].get("pictures") or ()
    return Item(
        platform=PLATFORM,
        post_id=str(rpid),
        author_id=str(mid),
        author_name=tidy(str(member.get("uname") or "")),
        posted_at=at,
        seen_at=reading.now,
        text=tidy(message),
        url=f"{post.url}#reply{rpid}",
        kind="comment",
        parent_id=str(record.get("parent") or "") or post.post_id,
        root_id=post.post_id,
        likes=count_of(record.get("like")),
        comments=count_of(record.get("rcount")),
        media=tuple(ItemMedia("image", link) for one in pictures if (link := link_of(one.get("img_src"), WEB))),
        raw={key: value for key, value in record.items() if key != "replies"},
    )


def _each(entries: list[Any], read: Callable[[Any], _T]) -> tuple[list[_T], list[str]]:
    found, faults = [], []
    for entry in entries:
        try:
            found.append(read(entry))
        except Changed as error:
            faults.append(str(error))
    return found, faults
