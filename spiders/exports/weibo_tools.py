"""Weibo by weibo-crawler (CSV, JSON, SQLite), weibo-search (CSV) and WeiboSpider (JSON Lines).

Their times are local (UTC+8) without a zone. weibo-crawler's CSV has fewer cells for an original than for a repost, ends ids
with a TAB, and names the author only by the file's name; its lists of comments name their authors by nickname alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from spiders.exports.shapes import Flattened, Reading, RowError, Shape, text_in

CRAWLER_TITLE = "weibo-crawler（CSV、JSON、SQLite） / weibo-crawler"
SEARCH_TITLE = "weibo-search（CSV） / weibo-search"
SPIDER_TITLE = "WeiboSpider（JSON Lines） / WeiboSpider"

Cells = Mapping[str, Any]

_POST = Shape(
    "weibo", "post", frozenset(), "id", author=("user",), name="name", text=("title", "text"), posted=("time", "day"),
    seen="seen", url="url", likes="likes", comments="comments", reposts="reposts",
    media={"pictures": "image", "videos": "video"},
)  # fmt: skip
_REPOST = Shape(
    "weibo", "repost", frozenset(), "id", author=("user",), name="name", text=("title", "text"), posted=("time", "day"),
    seen="seen", url="url", root="original", likes="likes", comments="comments", reposts="reposts",
    media={"pictures": "image", "videos": "video"},
)  # fmt: skip
_COMMENT = Shape(
    "weibo", "comment", frozenset(), "id", author=("user",), name="name", text=("text",), posted=("time",), seen="seen",
    parent="parent", root="post", likes="likes", media={"pictures": "image"},
)  # fmt: skip


def _columns(names: str) -> frozenset[str]:
    return frozenset(names.split())


def _name_of(nickname: str) -> str:
    """An author of whom only the nickname is known; it is no id of the platform, and no roster matches it."""
    return f"name:{nickname}" if nickname else ""


def _link(post_id: str) -> str:
    return f"https://m.weibo.cn/detail/{post_id}" if post_id else ""


# -------------------------------------------------------------------------------------------------------- weibo-crawler


def _crawled(cells: Cells, reading: Reading, *, source: str = "") -> Cells:
    """A row of its CSV. source: "源微博", the prefix of the columns of the post that is passed on."""
    post_id = text_in(cells, f"{source}id")
    user = text_in(cells, "源用户id") if source else reading.stem
    if not source and not user.isdecimal():
        raise RowError("这种 CSV 只在文件名里写作者：要叫 <用户id>.csv / the file's name must be the author's id: <uid>.csv")
    return {
        "id": post_id,
        "user": user,
        "name": text_in(cells, "源用户昵称") if source else "",
        "text": text_in(cells, f"{source}正文"),
        "time": text_in(cells, f"{source}完整日期"),
        "day": text_in(cells, f"{source}日期"),
        "url": _link(post_id),
        "original": "" if source else text_in(cells, "源微博id"),
        "likes": cells.get(f"{source}点赞数"),
        "comments": cells.get(f"{source}评论数"),
        "reposts": cells.get(f"{source}转发数"),
        "pictures": text_in(cells, f"{source}原始图片url"),
        "videos": text_in(cells, f"{source}视频url"),
    }


def _crawled_original(cells: Cells, reading: Reading) -> Cells | None:
    return _crawled(cells, reading, source="源微博") if text_in(cells, "源微博id") else None


def _listed(cells: Cells, reading: Reading) -> Cells:
    """A post of its JSON or of its database; ``retweet`` holds, or ``retweet_id`` names, what is passed on."""
    retweet = cells.get("retweet")
    post_id = text_in(cells, "id")
    return {
        "id": post_id,
        "user": text_in(cells, "user_id") or text_in(cells, "@user.id"),
        "name": text_in(cells, "screen_name"),
        "text": text_in(cells, "text"),
        "time": text_in(cells, "full_created_at") or text_in(cells, "created_at"),
        "url": _link(post_id),
        "original": text_in(retweet, "id") if isinstance(retweet, Mapping) else text_in(cells, "retweet_id"),
        "likes": cells.get("attitudes_count"),
        "comments": cells.get("comments_count"),
        "reposts": cells.get("reposts_count"),
        "pictures": text_in(cells, "pics"),
        "videos": text_in(cells, "video_url"),
    }


def _listed_original(cells: Cells, reading: Reading) -> Cells | None:
    retweet = cells.get("retweet")
    return _listed(retweet, reading) if isinstance(retweet, Mapping) and retweet.get("id") else None


def _answered(cells: Cells, reading: Reading) -> Cells:
    """A comment or a repost of its database, or of its CSV of comments, which has no ids of authors."""
    name = text_in(cells, "user_screen_name")
    return {
        "id": text_in(cells, "id"),
        "user": text_in(cells, "user_id") or _name_of(name),
        "name": name,
        "text": text_in(cells, "text"),
        "time": text_in(cells, "created_at"),
        "post": text_in(cells, "weibo_id"),
        "original": text_in(cells, "weibo_id"),
        "parent": text_in(cells, "root_id"),
        "likes": cells.get("like_count"),
        "pictures": text_in(cells, "pic_url"),
    }


CRAWLER = (
    Flattened(_columns("id bid 正文 日期 工具 点赞数 转发数"), _crawled, _POST, _REPOST, _crawled_original, is_ragged=True),
    Flattened(_columns("id bid text attitudes_count created_at user_id"), _listed, _POST, _REPOST, _listed_original),
    Flattened(_columns("id weibo_id created_at user_screen_name text pic_url like_count"), _answered, _COMMENT),
    Flattened(_columns("id weibo_id created_at user_id user_screen_name text"), _answered, _POST, _REPOST),
)
CRAWLER_OTHERS = (
    _columns("用户id 昵称 性别"),
    _columns("id screen_name gender statuses_count"),
    _columns("weibo_id ext data"),
)


# --------------------------------------------------------------------------------------------- weibo-search, WeiboSpider


def _searched(cells: Cells, reading: Reading) -> Cells:
    post_id = text_in(cells, "id")
    user, bid = text_in(cells, "user_id"), text_in(cells, "bid")
    return {
        "id": post_id,
        "user": user,
        "name": text_in(cells, "用户昵称"),
        "text": text_in(cells, "微博正文"),
        "time": text_in(cells, "发布时间"),
        "url": f"https://weibo.com/{user}/{bid}" if user and bid else _link(post_id),
        "original": text_in(cells, "retweet_id"),
        "likes": cells.get("点赞数"),
        "comments": cells.get("评论数"),
        "reposts": cells.get("转发数"),
        "pictures": text_in(cells, "微博图片url"),
        "videos": text_in(cells, "微博视频url"),
    }


SEARCH = (Flattened(_columns("id bid user_id 用户昵称 微博正文 发布时间 retweet_id"), _searched, _POST, _REPOST),)


def _tweeted(cells: Cells, reading: Reading, user: str = "user") -> Cells:
    """A tweet of WeiboSpider, or (user ``comment_user``) a comment, of which it does not say under which post it stands."""
    author = cells.get(user)
    author = author if isinstance(author, Mapping) else {}
    answered = cells.get("reply_comment")
    pictures = cells.get("pic_urls")
    return {
        "id": text_in(cells, "_id"),
        "user": text_in(author, "_id"),
        "name": text_in(author, "nick_name"),
        "text": text_in(cells, "content"),
        "time": cells.get("created_at"),
        "seen": cells.get("crawl_time"),
        "url": text_in(cells, "url"),
        "original": text_in(cells, "retweet_id"),
        "parent": text_in(answered, "_id") if isinstance(answered, Mapping) else "",
        "likes": cells.get("attitudes_count", cells.get("like_counts")),
        "comments": cells.get("comments_count"),
        "reposts": cells.get("reposts_count"),
        "pictures": ",".join(map(str, pictures)) if isinstance(pictures, list) else "",
    }


_LOOSE_COMMENT = Shape(
    "weibo", "comment", frozenset(), "id", author=("user",), name="name", text=("text",), posted=("time",), seen="seen",
    parent="parent", likes="likes", is_rootless=True,
)  # fmt: skip
SPIDER = (
    Flattened(_columns("_id mblogid created_at content attitudes_count user"), _tweeted, _POST, _REPOST),
    Flattened(_columns("_id created_at content comment_user"), partial(_tweeted, user="comment_user"), _LOOSE_COMMENT),
)
