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
