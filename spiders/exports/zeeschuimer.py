"""Zeeschuimer's captures of Douyin and Xiaohongshu (JSON Lines), and 4CAT's tables, of the same columns for any platform."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spiders.exports.shapes import Flattened, Reading, RowError, Shape, text_in

TITLE = "Zeeschuimer（抖音、小红书的 NDJSON） / Zeeschuimer: NDJSON of Douyin and Xiaohongshu"
FOURCAT_TITLE = "4CAT（CSV；文件名以平台开头） / 4CAT: CSV, the file's name begins with the platform"

Cells = Mapping[str, Any]


def _in(cells: Any, *path: str) -> Any:
    """What stands at the end of a path of keys; None where it breaks off.

    >>> _in({"a": {"b": 1}}, "a", "b"), _in({"a": None}, "a", "b")
    (1, None)
    """
    for key in path:
        cells = cells.get(key) if isinstance(cells, Mapping) else None
    return cells


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _captured(cells: Cells, reading: Reading) -> Cells:
    """A capture: what the platform's page was sent, with when and from where."""
    place, data = text_in(cells, "source_platform"), cells.get("data")
    if "douyin" in place:
        found = _douyin(data)
    elif "xiaohongshu" in place or "rednote" in place:
        found = _xiaohongshu(data)
    else:
        raise RowError(f"还不会读 {place} 的记录 / no captures of {place} are read yet")
    return {**found, "seen": cells.get("timestamp_collected")}


def _douyin(data: Any) -> Cells:
    post = _in(data, "aweme_info") or data
    post, counts, author = _object(post), _object(_in(post, "statistics")), _object(_in(post, "author"))
    post_id = text_in(post, "aweme_id")
    return {
        "platform": "douyin",
        "id": post_id,
        "user": text_in(author, "sec_uid") or text_in(author, "uid"),
        "name": text_in(author, "nickname"),
        "text": _in(post, "desc"),
        "time": _in(post, "create_time"),
        "url": f"https://www.douyin.com/video/{post_id}",
        "likes": counts.get("digg_count"),
        "comments": counts.get("comment_count"),
        "reposts": counts.get("share_count"),
        "video": _in(post, "share_url") or f"https://www.douyin.com/video/{post_id}",
    }


def _xiaohongshu(data: Any) -> Cells:
    note = _in(data, "note_card") or _in(data, "note") or data
    counts, author = _object(_in(note, "interact_info")), _object(_in(note, "user"))
    post_id = text_in(_object(note), "note_id") or text_in(_object(data), "id")
    pictures = _in(note, "image_list")
    listed = map(_object, pictures if isinstance(pictures, list) else ())
    links = [text_in(one, "url_default") or text_in(one, "url") for one in listed]
    return {
        "platform": "xiaohongshu",
        "id": post_id,
        "user": text_in(author, "user_id"),
        "name": text_in(author, "nickname"),
        "title": _in(note, "title") or _in(note, "display_title"),
        "text": _in(note, "desc"),
        "time": _in(note, "time"),
        "url": f"https://www.xiaohongshu.com/explore/{post_id}",
        "likes": counts.get("liked_count"),
        "comments": counts.get("comment_count"),
        "reposts": counts.get("share_count", counts.get("shared_count")),
        "pictures": ",".join(filter(None, links)),
    }


_SHAPE = Shape(
    "", "post", frozenset(), "id", author=("user",), name="name", text=("title", "text"), posted=("time",), seen="seen",
    url="url", likes="likes", comments="comments", reposts="reposts", media={"pictures": "image", "video": "video"},
    platform_in="platform",
)  # fmt: skip

TABLES = (Flattened(frozenset(("item_id", "timestamp_collected", "source_platform", "data")), _captured, _SHAPE),)


def _tabled(cells: Cells, reading: Reading) -> Cells:
    """A row of a 4CAT table: an answer where its thread is another post's."""
    post_id, thread = text_in(cells, "id"), text_in(cells, "thread_id")
    platform = reading.stem.partition("-")[0].lower()
    if not platform.isascii() or not platform:
        raise RowError("文件名要以平台开头，如 weibo-….csv / the file's name must begin with the platform: weibo-….csv")
    return {
        "platform": platform,
        "id": post_id,
        "thread": thread if thread != post_id else "",
        "user": text_in(cells, "author_id") or text_in(cells, "author"),
        "name": text_in(cells, "author"),
        "title": text_in(cells, "subject"),
        "text": text_in(cells, "body"),
        "time": _utc(text_in(cells, "timestamp")) or cells.get("unix_timestamp"),
        "url": text_in(cells, "url") or text_in(cells, "post_url"),
        "likes": cells.get("likes", cells.get("like_count")),
        "comments": cells.get("comments", cells.get("num_comments")),
        "reposts": cells.get("shares", cells.get("reposts")),
        "views": cells.get("views"),
    }


def _utc(stamp: str) -> str:
    """4CAT writes UTC without saying so.

    >>> _utc("2026-03-01 04:05:06"), _utc("1772337906")
    ('2026-03-01 04:05:06+00:00', '1772337906')
    """
    return f"{stamp}+00:00" if len(stamp) == len("2026-03-01 04:05:06") and stamp[4] == "-" else stamp


_TABLED = Shape(
    "", "post", frozenset(), "id", author=("user",), name="name", text=("title", "text"), posted=("time",), url="url",
    likes="likes", comments="comments", reposts="reposts", views="views", platform_in="platform",
)  # fmt: skip
_TABLED_ANSWER = Shape(
    "", "comment", frozenset(), "id", author=("user",), name="name", text=("text",), posted=("time",), url="url",
    root="thread", likes="likes", platform_in="platform",
)  # fmt: skip
FOURCAT = (Flattened(frozenset(("id", "thread_id", "body", "author", "timestamp")), _tabled, _TABLED, _TABLED_ANSWER),)
