"""A post as the platform showed it: item in, validated item out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

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


def fault_of(item: Item) -> str | None:
    """Why this can't be a post, in zh-CN and English; None where it can.

    >>> from datetime import UTC
    >>> fault_of(Item("weibo", "", "7", datetime(2026, 1, 1, tzinfo=UTC), "好"))
    'post_id 是空的 / post_id is empty'
    """
    for name in ("platform", "post_id", "author_id"):
        if not getattr(item, name).strip():
            return f"{name} 是空的 / {name} is empty"
    for name, at in (("posted_at", item.posted_at), ("seen_at", item.seen_at)):
        if at is None:
            continue
        if at.tzinfo is None:
            return f"{name} 没有时区 / {name} has no time zone: {at.isoformat()}"
        if not 1990 <= at.year < 2100:
            return f"{name} 不像发帖的时间 / {name} is no time to post at: {at.isoformat()}"
    for name in ("likes", "comments", "reposts", "views"):
        count = getattr(item, name)
        if count is not None and not 0 <= count < 2**53:
            return f"{name} 不是次数 / {name} is no count: {count}"
    return None
