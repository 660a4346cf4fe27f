"""Pages of m.weibo.cn, as far as a visitor is shown them → items, and where the next page is. No network here.

Shapes: ``api/container/getIndex`` (timelines and search), ``statuses/extend`` (long text), ``comments/hotflow`` and its
``hotFlowChild``, the older ``api/comments/show``. Each function takes the decoded JSON and raises Changed where it is of
another shape; an empty page is no change of shape.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from types import MappingProxyType
from typing import Any, Literal

from spiders.errors import Blocked, Changed, Failed, Gone
from spiders.items import Item, ItemMedia
from spiders.values import count_of, is_login, link_of, text_of, time_of

PLATFORM = "weibo"
HOME = "https://m.weibo.cn"

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """When, in which zone and from which server a page was read."""

    now: datetime
    zone: tzinfo
    home: str = HOME


@dataclass(frozen=True, slots=True)
class Status:
    """A post as a card shows it. needs_text: the card cuts its text short. quoted: the post that it passes on, if shown."""

    item: Item
    pinned: bool
    needs_text: bool
    quoted: Status | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """posts: in the page's order. faults: what could not be read as a post, told for whoever repairs it. next: the
    parameters of the next page, {} after the last one. hidden: ids of posts that were taken away. body: as it came, where
    there are faults."""

    posts: tuple[Status, ...]
    faults: tuple[str, ...]
    next: Mapping[str, str]
    hidden: tuple[str, ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class CommentPage:
    """comments: roots and the answers shown with them. more: (root comment id, how many answers there are) where not all
    are shown. next: as in Page."""

    comments: tuple[Item, ...]
    more: tuple[tuple[str, int], ...]
    faults: tuple[str, ...]
    next: Mapping[str, str]
    body: bytes = b""


# ------------------------------------------------------------------------------------------------------------ gates

_NOTHING = ("没有内容", "暂无", "没有更多", "还没有", "找不到", "未找到", "没有找到", "no content", "没有数据")
_NOBODY = ("用户不存在", "不存在", "账号异常", "帐号异常", "已注销", "已被封", "无法查看")


def gate(page: Any) -> Literal["ok", "empty"]:
    """Whether an answer has content. Raises Blocked at a captcha or log-in wall, Failed for an account that is none,
    Changed where it is no answer at all.

    >>> gate({"ok": 0, "msg": "这里还没有内容"})
    'empty'
    """
    if not isinstance(page, Mapping) or "ok" not in page:
        raise Changed("回答的形状变了：没有 ok / the answer has no 'ok'")
    ok, message, url = page["ok"], str(page.get("msg") or ""), str(page.get("url") or "")
    if ok in (1, "1", True):
        return "ok"
    if ok in (-100, "-100"):
        if is_login(url) or "登录" in message:
            raise Blocked(f"平台要求登录后才能看 / log-in wall: {url or message}", patience=3)
        raise Blocked(f"平台要求输入验证码 / captcha: {url or message}")
    if "登录" in message:
        raise Blocked(f"平台要求登录后才能看 / log-in wall: {message}", patience=3)
    if any(words in message for words in ("频繁", "频次", "稍后")):
        raise Blocked(f"请求太频繁 / too many requests: {message}")
    if any(words in message for words in _NOTHING):
        return "empty"
    if any(words in message for words in _NOBODY):
        raise Failed(f"没有这个账号，或它不公开 / no such account: {message}", patience=0)
    data = page.get("data")
    if ok in (0, "0", False) and not message and (not data or (isinstance(data, Mapping) and not data.get("cards"))):
        return "empty"
    raise Changed(f"看不懂的回答 / unknown answer: ok={ok!r} msg={message!r}")


# ------------------------------------------------------------------------------------------------------------ posts


def posts_of(page: Any, reading: Reading, asked: Mapping[str, str] = MappingProxyType({})) -> Page:
    """The posts of a page of a timeline or a search. asked: the paging parameters that it was asked for with."""
    if gate(page) == "empty":
        return Page((), (), {})
    data = page.get("data")
    cards = data.get("cards") if isinstance(data, Mapping) else None
    if not isinstance(cards, list):
        raise Changed("回答的形状变了：没有 data.cards / the answer has no data.cards")
    posts, faults, hidden = [], [], []
    for card in _post_cards(cards):
        mblog = card.get("mblog")
        if isinstance(mblog, Mapping) and _is_hidden(mblog):
            hidden.append(str(mblog.get("id") or mblog.get("mid") or ""))
            continue
        try:
            posts.append(status_of(mblog, reading, pinned=_is_pinned(card)))
        except Changed as error:
            faults.append(str(error))
    if cards and not (posts or faults or hidden) and not all(_is_known_card(card) for card in cards):
        raise Changed("回答的形状变了：没有一张卡片是微博 / no card of the page is a post")
    return Page(tuple(posts), tuple(faults), _next_of(data, cards, asked), tuple(hidden))


def _is_hidden(mblog: Json) -> bool:
    """A post that its author or the platform took away: the card stays, with a flag, or without an author and saying so."""
    if str(mblog.get("deleted") or "0") not in ("0", "False"):
        return True
    user = mblog.get("user")
    has_author = isinstance(user, Mapping) and user.get("id")
    return not has_author and any(words in str(mblog.get("text")) for words in _GONE)


_GONE = ("删除", "无法查看", "可见", "已设置", "权限", "不存在", "投诉", "屏蔽", "违反", "违规", "抱歉")


def _post_cards(cards: Sequence[Any]) -> Iterator[Json]:
    """Cards of type 9, also those inside groups (type 11)."""
    for card in cards:
        if not isinstance(card, Mapping):
            continue
        if str(card.get("card_type")) == "9":
            yield card
        elif isinstance(card.get("card_group"), list):
            yield from _post_cards(card["card_group"])


_KNOWN_CARDS = frozenset(
    (3, 4, 6, 7, 8, 10, 11, 16, 17, 19, 22, 25, 27, 30, 31, 32, 41, 42, 58, 59, 60, 89, 101, 102, 118, 156)
)


def _is_known_card(card: Any) -> bool:
    """Notices, lists of people, headlines: cards that are no posts, on a page that may have none."""
    return isinstance(card, Mapping) and count_of(card.get("card_type")) in _KNOWN_CARDS


def _is_pinned(card: Json) -> bool:
    mblog = card.get("mblog")
    if not isinstance(mblog, Mapping):
        return False
    title = mblog.get("title")
    return (
        mblog.get("isTop") in (1, "1", True)
        or str(mblog.get("mblogtype")) == "2"
        or str(card.get("profile_type_id") or mblog.get("profile_type_id") or "").startswith("proweibotop")
        or (isinstance(title, Mapping) and title.get("text") == "置顶")
    )


def _next_of(data: Json, cards: Sequence[Any], asked: Mapping[str, str]) -> dict[str, str]:
    """The parameters of the next page. Timelines count by since_id, and did by page; searches do by page, and tell the end
    only by an empty one. ``cardlistInfo.page`` is the number to ask for next, or the one asked for, or null at the end."""
    info = data.get("cardlistInfo")
    if not isinstance(info, Mapping) or not cards:
        return {}
    if info.get("since_id"):
        return {"since_id": str(info["since_id"])}
    is_search = str(info.get("containerid") or "").startswith("100103") or "page" in asked
    if "since_id" in asked or ("page" in info and not info["page"]) or ("page" not in info and not is_search):
        return {}
    return {"page": str(int(asked.get("page", "1")) + 1)}


def status_of(mblog: Any, reading: Reading, *, pinned: bool = False) -> Status:
    """One mblog, with the post that it passes on. Raises Changed."""
    if not isinstance(mblog, Mapping):
        raise Changed("卡片里没有 mblog / a card without mblog")
    post_id = _id_of(mblog)
    user = mblog.get("user")
    if not isinstance(user, Mapping) or not user.get("id"):
        raise Changed(f"微博 {post_id} 没有作者 / post without user")
    posted_at = time_of(mblog.get("created_at"), now=reading.now, zone=reading.zone)
    if posted_at is None:
        raise Changed(f"微博 {post_id} 的时间看不懂 / unknown time {mblog.get('created_at')!r}")
    html, whole = _html_of(mblog)
    quoted, parent_id = _quoted(mblog.get("retweeted_status"), reading)
    item = Item(
        platform=PLATFORM,
        post_id=post_id,
        author_id=str(user["id"]),
        author_name=text_of(str(user.get("screen_name") or "")),
        posted_at=posted_at,
        seen_at=reading.now,
        text=text_of(html),
        url=f"{reading.home}/detail/{post_id}",
        kind="repost" if parent_id else "post",
        parent_id=parent_id,
        root_id=parent_id,
        likes=count_of(mblog.get("attitudes_count")),
        comments=count_of(mblog.get("comments_count")),
        reposts=count_of(mblog.get("reposts_count")),
        views=_views_of(mblog),
        media=tuple(_media_of(mblog, reading.home)),
        raw=_own(mblog),
    )
    return Status(item, pinned, needs_text=not whole, quoted=quoted)


def _own(record: Json) -> Json:
    """The record less what other people wrote, which stands in records of its own."""
    own = {key: value for key, value in record.items() if key not in ("comments", "retweeted_status", "reply_comment")}
    quoted = record.get("retweeted_status")
    return own | {"retweeted_status": {"id": _id_of(quoted)}} if isinstance(quoted, Mapping) else own


def _id_of(record: Json) -> str:
    found = record.get("id") or record.get("idstr") or record.get("mid")
    if not found or isinstance(found, (dict, list)):
        raise Changed("一条内容没有 id / a record without id")
    return str(found)


def _html_of(mblog: Json) -> tuple[str, bool]:
    """The text as far as the card has it, and whether that is all."""
    text = mblog.get("text")
    if not isinstance(text, str):
        raise Changed(f"微博 {mblog.get('id')} 没有正文 / post without text")
    long_text = mblog.get("longText")
    if isinstance(long_text, Mapping) and isinstance(long_text.get("longTextContent"), str):
        return long_text["longTextContent"], True
    return text, not mblog.get("isLongText")


def _quoted(mblog: Any, reading: Reading) -> tuple[Status | None, str | None]:
    """The post that is passed on, and its id. A deleted or hidden one still has an id, but no author."""
    if not isinstance(mblog, Mapping):
        return None, None
    parent_id = _id_of(mblog)
    if _is_hidden(mblog) or not isinstance(mblog.get("user"), Mapping) or not mblog["user"].get("id"):
        return None, parent_id
    return status_of(mblog, reading), parent_id


_VIEWS = re.compile(r"([\d.,]+[万亿]?\+?)(?:次)?(?:观看|播放|阅读)")


def _views_of(mblog: Json) -> int | None:
    info = mblog.get("page_info")
    shown = info.get("play_count") if isinstance(info, Mapping) else None
    if shown is None:
        return count_of(mblog.get("reads_count"))
    match = _VIEWS.match(str(shown))
    return count_of(match[1] if match else shown)


def _media_of(record: Json, home: str) -> Iterator[ItemMedia]:
    pics = record.get("pics")
    for pic in pics if isinstance(pics, list) else ():
        if isinstance(pic, Mapping):
            large = pic.get("large")
            best = large.get("url") if isinstance(large, Mapping) else None
            is_video = pic.get("type") in ("video", "livephoto") and pic.get("videoSrc")
            url = link_of(pic.get("videoSrc") if is_video else best or pic.get("url"), home)
            if url:
                yield ItemMedia("video" if is_video else "image", url)
    pic = record.get("pic")
    if isinstance(pic, Mapping) and link_of(pic.get("url"), home):
        large = pic.get("large")
        yield ItemMedia("image", link_of((large.get("url") if isinstance(large, Mapping) else None) or pic.get("url"), home))
    info = record.get("page_info")
    if isinstance(info, Mapping):
        yield from _page_media(info, home)


def _page_media(info: Json, home: str) -> Iterator[ItemMedia]:
    is_video = info.get("type") == "video" or isinstance(info.get("media_info"), Mapping)
    link = link_of(info.get("page_url"), home)
    if is_video:
        streams = [info.get("urls"), info.get("media_info")]
        found = (link_of(url, home) for one in streams if isinstance(one, Mapping) for url in one.values())
        link = next(filter(None, found), link)
    caption = next((text_of(str(info[key])) for key in ("title", "page_title", "content2", "content1") if info.get(key)), "")
    if link or caption:
        yield ItemMedia("video" if is_video else "card", link, caption)


def with_text(status: Status, page: Any) -> Status:
    """The post with the long text that ``statuses/extend`` answered; as it is where that has none (deleted, or hidden)."""
    data = page.get("data") if isinstance(page, Mapping) and gate(page) == "ok" else None
    if data is None:
        return without_tail(status)
    long_text = data.get("longTextContent") if isinstance(data, Mapping) else None
    if not isinstance(long_text, str):
        raise Changed("回答的形状变了：没有 longTextContent / the answer has no longTextContent")
    item = status.item
    raw = {**(item.raw or {}), "longText": {"longTextContent": long_text}}
    return replace(status, item=replace(item, text=text_of(long_text), raw=raw), needs_text=False)


_TAIL = re.compile(r"\s*(?:\.{3}|…)?\s*全文$")


def without_tail(status: Status) -> Status:
    """The post with what the card has of its text, less the link to the rest of it."""
    return replace(status, item=replace(status.item, text=_TAIL.sub("…", status.item.text)), needs_text=False)


def shown_of(page: Any, reading: Reading) -> Status:
    """``statuses/show``: one post. Raises Gone where it was taken away, or is shown to some alone."""
    message = str(page.get("msg") or "") if isinstance(page, Mapping) else ""
    if any(words in message for words in _GONE):
        raise Gone(f"这条微博已不在或不公开 / there is no such post: {message}")
    data = page.get("data") if gate(page) == "ok" else None
    if data is None or (isinstance(data, Mapping) and _is_hidden(data)):
        raise Gone(f"这条微博已不在或不公开 / there is no such post: {message}")
    return status_of(data, reading)


def reposts_of(page: Any, post_id: str, reading: Reading, asked: int) -> Page:
    """``statuses/repostTimeline``: who passed a post on, newest first in ``data.data``, ``data.max`` pages."""
    if gate(page) == "empty":
        return Page((), (), {})
    data = page.get("data")
    listed = data.get("data") if isinstance(data, Mapping) else None
    if not isinstance(listed, list):
        raise Changed("转发的形状变了：没有 data.data / reposts without data.data")
    posts, faults, hidden = list[Status](), list[str](), list[str]()
    for record in listed:
        try:
            if isinstance(record, Mapping) and _is_hidden(record):
                hidden.append(_id_of(record))
                continue
            status = status_of(record, reading)
            # the page is that of one post, so a record need not repeat which
            item = replace(
                status.item, kind="repost", parent_id=status.item.parent_id or post_id, root_id=status.item.root_id or post_id
            )
            posts.append(replace(status, item=item, quoted=None))
        except Changed as error:
            faults.append(str(error))
    last = count_of(data.get("max")) or 0
    return Page(tuple(posts), tuple(faults), {"page": str(asked + 1)} if listed and asked < last else {}, tuple(hidden))


_OWN = re.compile(r"(?:/(?:detail|status)/|weibo\.com/\d+/|^)(?P<id>[A-Za-z0-9]+)/?(?:[?#]|$)")


def own_of(ref: str) -> str:
    """The id (or ``bid``) in a post's address.

    >>> own_of("https://weibo.com/1669879400/HyTZc60ew?type=comment"), own_of("https://m.weibo.cn/detail/438"), own_of("438")
    ('HyTZc60ew', '438', '438')
    """
    match = _OWN.search(ref)
    if match is None:
        raise Failed(f"不是微博的网址或编号：{ref} / no address or id of a post", patience=0)
    return match["id"]


# --------------------------------------------------------------------------------------------------------- comments


def hotflow_of(page: Any, post_id: str, reading: Reading) -> CommentPage:
    """``comments/hotflow``: roots in ``data.data``, the first answers of each in its ``comments``."""
    if gate(page) == "empty":
        return CommentPage((), (), (), {})
    data = page.get("data")
    roots = data.get("data") if isinstance(data, Mapping) else None
    if not isinstance(roots, list):
        raise Changed("评论的形状变了：没有 data.data / comments without data.data")
    comments, more, faults = _comments(roots, post_id, reading)
    return CommentPage(comments, more, faults, _next_comments(data))


def children_of(page: Any, post_id: str, root_comment: str, reading: Reading) -> CommentPage:
    """``comments/hotFlowChild``: the answers under one comment; ``data`` and ``max_id`` stand at the top."""
    if gate(page) == "empty":
        return CommentPage((), (), (), {})
    found = page.get("data")
    if not isinstance(found, list):
        raise Changed("回复的形状变了：data 不是列表 / answers without a list in data")
    comments, _, faults = _comments(found, post_id, reading, root_comment)
    return CommentPage(comments, (), faults, _next_comments(page))


def shown_comments_of(page: Any, post_id: str, reading: Reading, asked: int) -> CommentPage:
    """The older ``api/comments/show``: newest first in ``data.data``, the best in ``hot_data``, ``data.max`` pages."""
    if gate(page) == "empty":
        return CommentPage((), (), (), {})
    data = page.get("data")
    listed = data.get("data") if isinstance(data, Mapping) else None
    if not isinstance(listed, list):
        raise Changed("评论的形状变了：没有 data.data / comments without data.data")
    hot = data.get("hot_data")
    comments, more, faults = _comments([*listed, *(hot if isinstance(hot, list) else ())], post_id, reading)
    last = count_of(data.get("max")) or 0
    return CommentPage(comments, more, faults, {"page": str(asked + 1)} if listed and asked < last else {})


def _comments(
    found: Sequence[Any], post_id: str, reading: Reading, root_comment: str | None = None
) -> tuple[tuple[Item, ...], tuple[tuple[str, int], ...], tuple[str, ...]]:
    comments: dict[str, Item] = {}
    more, faults = [], []
    for record in found:
        try:
            root = _add(comments, record, post_id, reading, root_comment)
            answers = record.get("comments")
            answers = answers if isinstance(answers, list) else []
            for answer in answers:
                _add(comments, answer, post_id, reading, root)
        except Changed as error:
            faults.append(str(error))
            continue
        total = count_of(record.get("total_number")) or 0
        if root_comment is None and total > len(answers):
            more.append((root, total))
    return tuple(comments.values()), tuple(more), tuple(faults)


def _add(comments: dict[str, Item], record: Any, post_id: str, reading: Reading, root_comment: str | None) -> str:
    """Add a comment, unless it was taken away; its id. Raises Changed."""
    if isinstance(record, Mapping) and _is_hidden(record):
        return _id_of(record)
    item = comment_of(record, post_id, reading, root_comment)
    comments[item.post_id] = item
    return item.post_id


def comment_of(record: Any, post_id: str, reading: Reading, root_comment: str | None = None) -> Item:
    """One comment. A root's ``rootid`` is its own id; an answer's parent is whom it answers, else the root."""
    if not isinstance(record, Mapping):
        raise Changed("评论不是一条记录 / a comment that is no record")
    comment_id = _id_of(record)
    user = record.get("user")
    text = record.get("text")
    posted_at = time_of(record.get("created_at"), now=reading.now, zone=reading.zone)
    if not isinstance(user, Mapping) or not user.get("id") or not isinstance(text, str) or posted_at is None:
        raise Changed(f"评论 {comment_id} 缺作者、正文或时间 / comment without user, text or time")
    likes = record.get("like_count") if "like_count" in record else record.get("like_counts")
    return Item(
        platform=PLATFORM,
        post_id=comment_id,
        author_id=str(user["id"]),
        author_name=text_of(str(user.get("screen_name") or "")),
        posted_at=posted_at,
        seen_at=reading.now,
        text=text_of(text),
        url=f"{reading.home}/detail/{post_id}",
        kind="comment",
        parent_id=_answered(record, comment_id, post_id, root_comment),
        root_id=post_id,
        likes=count_of(likes),
        comments=count_of(record.get("total_number")),
        media=tuple(_media_of(record, reading.home)),
        raw=_own(record),
    )


def _answered(record: Json, comment_id: str, post_id: str, root_comment: str | None) -> str:
    reply = record.get("reply_comment")
    for answered in (
        record.get("reply_id"),
        reply.get("id") if isinstance(reply, Mapping) else None,
        record.get("rootid"),
        root_comment,
    ):
        if answered and str(answered) not in ("0", comment_id):
            return str(answered)
    return post_id


def _next_comments(data: Json) -> dict[str, str]:
    """hotflow ends with max_id 0; max_id_type changes on the way and has to be handed back."""
    max_id = data.get("max_id")
    if not max_id or str(max_id) == "0":
        return {}
    return {"max_id": str(max_id), "max_id_type": str(data.get("max_id_type") or 0)}
