"""A post as the platform showed it: item in, validated item out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal, get_args

Kind = Literal["post", "comment", "repost"]


@dataclass(frozen=True, slots=True)
class ItemMedia:
    """A picture, video or card of a post.

    kind: ``image``, ``video``, ``audio`` or ``card``; text: what OCR or subtitles read in it, where an export has that.
    """

    kind: str
    url: str = ""
    caption: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One post as a spider or a file showed it: the program's own import format, one field each.

    ``posted_at`` and ``seen_at`` carry a zone; ``seen_at`` left out means ``posted_at``. Ids are unique within a platform.
    Counts that the platform did not show are None, which is not zero. ``text`` is plain text (spiders turn HTML into text).
    ``raw`` is the record as the platform sent it, kept as evidence; None means the item itself is the record.
    """

    platform: str
    post_id: str
    author_id: str
    posted_at: datetime
    text: str
    url: str = ""
    author_name: str = ""
    seen_at: datetime | None = None
    kind: Kind = "post"
    parent_id: str | None = None
    root_id: str | None = None
    likes: int | None = None
    comments: int | None = None
    reposts: int | None = None
    views: int | None = None
    media: tuple[ItemMedia, ...] = ()
    raw: Mapping[str, Any] | None = field(default=None, hash=False)


HASHED = "hash:"
"""Begins the id of an author that a tool has hashed; the rest is the start of the SHA-256 of the platform's own id, in hex."""
HASH_DIGITS = 16


def hashed_id(author_id: str) -> str:
    """An author's id as MediaCrawler has hashed it since 2026-07: the first 16 hex digits of its SHA-256.

    >>> hashed_id("6279793937")
    'hash:84df174ff25b128a'
    """
    return HASHED + sha256(author_id.encode()).hexdigest()[:HASH_DIGITS]


_IDS = ("platform", "post_id", "author_id")
_KINDS = get_args(Kind)
_MOST = 2**53  # what every reader of JSON holds exactly
_IN_ID = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def fault_of(item: Item) -> str | None:
    """Why this can't be a post, in zh-CN and English; None where it can. Authors and texts are never quoted.

    >>> from datetime import UTC
    >>> fault_of(Item("weibo", "", "7", datetime(2026, 1, 1, tzinfo=UTC), "好"))
    'post_id 是空的 / post_id is empty'
    """
    if item.kind not in _KINDS:
        return "kind 只能是 post、comment 或 repost / kind is post, comment or repost"
    faults = (
        *(_id_fault(name, getattr(item, name)) for name in _IDS),
        *(_id_fault(name, value) for name in ("parent_id", "root_id") if (value := getattr(item, name)) is not None),
        *(_text_fault(name, getattr(item, name)) for name in ("text", "url", "author_name")),
        _time_fault("posted_at", item.posted_at),
        _time_fault("seen_at", item.seen_at) if item.seen_at is not None else None,
        *(_count_fault(name, getattr(item, name)) for name in ("likes", "comments", "reposts", "views")),
        *(_text_fault(f"media.{name}", getattr(one, name)) for one in item.media for name in _MEDIA),
    )
    return next(filter(None, faults), None)


_MEDIA = tuple(one.name for one in fields(ItemMedia))


def _text_fault(name: str, value: object) -> str | None:
    return None if isinstance(value, str) else f"{name} 应是文字 / {name} should be a string"


def _id_fault(name: str, value: object) -> str | None:
    if not isinstance(value, str):
        return _text_fault(name, value)
    if not value.strip() and name in _IDS:
        return f"{name} 是空的 / {name} is empty"
    if value == "NaN":  # how tables are exported that have a gap here: these authors are not one
        return f"{name} 是 NaN，不是编号 / {name} is NaN, no id"
    if _IN_ID.search(value.strip()):
        return f"{name} 里有控制字符 / {name} holds a control character"
    return None


def _time_fault(name: str, at: object) -> str | None:
    if not isinstance(at, datetime):
        return f"{name} 不是时间 / {name} is no time"
    if at.utcoffset() is None:
        return f"{name} 没有时区 / {name} has no time zone: {at.isoformat()}"
    if not 1990 <= at.year < 2100:
        return f"{name} 不像发帖的时间 / {name} is no time to post at: {at.isoformat()}"
    return None


def _count_fault(name: str, count: object) -> str | None:
    if count is None:
        return None
    if not isinstance(count, int) or isinstance(count, bool):
        return f"{name} 应是整数 / {name} should be a whole number"
    return None if 0 <= count < _MOST else f"{name} 不是次数 / {name} is no count"
