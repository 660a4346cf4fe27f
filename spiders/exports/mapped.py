"""Any table by a mapping of its columns, from the settings or of a vendor: which column holds which field of an item."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, get_args
from urllib.parse import urlsplit

from spiders.errors import CollectError
from spiders.exports.shapes import ROOTS, Reading, RowError, id_in, media_of, text_in
from spiders.items import Item, Kind
from spiders.values import count_of, link_of, tidy, time_of

FIELDS = (
    "post_id", "author_id", "author_name", "author_url", "posted_at", "title", "text", "url", "seen_at", "parent_id", "root_id",
    "likes", "comments", "reposts", "views", "images", "videos", "platform",
)  # fmt: skip
NEEDED = ("text", "posted_at")
_NOBODY = frozenset({"", "匿名", "匿名用户", "匿名买家", "-", "--", "***"})
_NO_ID = frozenset((*ROOTS, "-", "--", "/", "无"))
_TWO_AND_STARS = re.compile(r".?\*+.?")

# The id in a post's address, as the platform's own posts carry it.
_IN_URL: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("weibo", re.compile(r"weibo\.(?:com|cn)/(?:detail|status)/(\d{12,})|m\.weibo\.cn/\d+/(\d{12,})")),
    ("xiaohongshu", re.compile(r"xiaohongshu\.com/(?:explore|discovery/item|search_result)/([0-9a-f]{24})")),
    ("douyin", re.compile(r"douyin\.com/(?:video|note)/(\d+)")),
    ("kuaishou", re.compile(r"kuaishou\.com/short-video/(3x[0-9a-z]+)")),
    ("tieba", re.compile(r"tieba\.baidu\.com/p/(\d+)")),
)
_BID = re.compile(r"weibo\.com/\d+/([0-9A-Za-z]{9})(?:[/?#]|$)")
_BASE62 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Mapped:
    """A table read by a mapping. columns: field → the names that its column may have. platform: "" where a column names it."""

    columns: Mapping[str, Sequence[str]]
    platform: str = ""
    kind: Kind = "post"
    is_ragged: bool = True

    def fits(self, columns: frozenset[str]) -> bool:
        """Whether the needed fields, and a column that names the platform if none is given, are there."""
        wanted = NEEDED if self.platform else (*NEEDED, "platform")
        return all(any(name in columns for name in self.columns.get(one, ())) for one in wanted)

    def items_of(self, cells: Mapping[str, Any], reading: Reading) -> Sequence[Item]:
        """The row's item; RowError where a needed value is missing or makes no sense."""
        platform = self.platform or reading.platform_named(self._one(cells, "platform"))
        if not platform:
            raise RowError("没有平台 / no platform is named")
        url = link_of(self._one(cells, "url"))
        seen = time_of(self._one(cells, "seen_at"), now=reading.now, zone=reading.zone)
        posted = time_of(self._one(cells, "posted_at"), now=seen or reading.now, zone=reading.zone)
        if posted is None:
            raise RowError(f"没有读得懂的发布时间（{self._named('posted_at')}） / no time of posting that can be read")
        text = self._text(cells)
        author = self._author(cells, platform, reading)
        own = (
            self._id(cells, "post_id")
            or id_in_link(platform, url)
            or _made_of(url or f"{platform}\0{author}\0{posted}\0{text}")
        )
        root = self._id(cells, "root_id")
        parent = self._id(cells, "parent_id") or root
        is_answer = self.kind != "post" or bool(parent and parent != own)
        return (
            Item(
                platform=platform,
                post_id=own,
                author_id=author or f"unknown:{own}",
                posted_at=posted,
                text=text,
                url=url,
                author_name=self._one(cells, "author_name"),
                seen_at=seen,
                kind=self.kind if self.kind != "post" or not is_answer else "comment",
                parent_id=(parent or None) if is_answer else None,
                root_id=(root or parent or None) if is_answer else None,
                likes=count_of(self._one(cells, "likes")),
                comments=count_of(self._one(cells, "comments")),
                reposts=count_of(self._one(cells, "reposts")),
                views=count_of(self._one(cells, "views")),
                media=tuple(media_of(cells, dict.fromkeys(self.columns.get("images", ()), "image")))
                + tuple(media_of(cells, dict.fromkeys(self.columns.get("videos", ()), "video"))),
                raw={key: value for key, value in cells.items() if key},
            ),
        )

    def _named(self, field: str) -> str:
        return ", ".join(self.columns.get(field, ()))

    def _one(self, cells: Mapping[str, Any], field: str) -> str:
        return next(filter(None, (text_in(cells, name) for name in self.columns.get(field, ()))), "")

    def _id(self, cells: Mapping[str, Any], field: str) -> str:
        found = next(filter(None, (id_in(cells, name) for name in self.columns.get(field, ()))), "")
        return "" if found in _NO_ID else found

    def _text(self, cells: Mapping[str, Any]) -> str:
        names = (*self.columns.get("title", ()), *self.columns.get("text", ()))
        parts = [part for part in dict.fromkeys(tidy(text_in(cells, name)) for name in names) if part]
        return "\n".join(one for n, one in enumerate(parts) if not any(later.startswith(one) for later in parts[n + 1 :]))

    def _author(self, cells: Mapping[str, Any], platform: str, reading: Reading) -> str:
        """The author's id: as it stands there, else from the profile's address, else made of the name; "" of somebody unnamed,
        of whom no two posts are known to be of the same person."""
        if found := self._id(cells, "author_id"):
            return found
        if found := reading.author_in(platform, link_of(self._one(cells, "author_url"))):
            return found
        name = self._one(cells, "author_name")
        return "" if name in _NOBODY or _TWO_AND_STARS.fullmatch(name) else f"name:{name}"


def mapped(name: str, columns: Mapping[str, str | Sequence[str]], platform: str = "", kind: str = "post") -> Mapped:
    """A mapping as people write it; CollectError where it can't be one.

    >>> mapped("我的表", {"text": "内容", "posted_at": ["时间", "发布时间"]}, "weibo").fits(frozenset({"内容", "时间"}))
    True
    """
    if unknown := sorted(columns.keys() - set(FIELDS)):
        raise CollectError(f"{name}：没有这些字段 / no such fields: {', '.join(unknown)}; there are: {', '.join(FIELDS)}")
    if kind not in get_args(Kind):
        raise CollectError(f"{name}：kind 只能是 {', '.join(get_args(Kind))} / kind is one of these")
    listed = {field: (names,) if isinstance(names, str) else tuple(names) for field, names in columns.items()}
    lacking = [field for field in NEEDED if not listed.get(field)]
    if not platform and not listed.get("platform"):
        lacking.append("platform")
    if lacking:
        raise CollectError(f"{name}：缺少 {', '.join(lacking)} 对应的列 / no column is named for {', '.join(lacking)}")
    return Mapped(listed, platform, kind)  # type: ignore[arg-type]


def id_in_link(platform: str, url: str) -> str:
    """The post's own id in its address, so that what a spider sees of it is the same post; "" where it shows none.

    >>> id_in_link("weibo", "https://weibo.com/6279793937/Kjc77D1jz"), id_in_link("xiaohongshu", "https://www.xiaohongshu.com/user/x")
    ('4645748019299849', '')
    """
    for name, pattern in _IN_URL:
        if name == platform and (match := pattern.search(url)):
            return str(next(filter(None, match.groups())))
    if platform == "weibo" and (match := _BID.search(url)):
        return mid_of(match[1])
    return _typed_id(platform, url)


def _typed_id(platform: str, url: str) -> str:
    """Zhihu's ids are numbered by type.

    >>> id_in_link("zhihu", "https://www.zhihu.com/question/1/answer/22")
    'answer:22'
    """
    match = re.search(r"/(answer|p|zvideo|pin)/(\d+)", urlsplit(url).path) if platform == "zhihu" else None
    return f"{'article' if match[1] == 'p' else match[1]}:{match[2]}" if match else ""


def mid_of(bid: str) -> str:
    """The number of a Weibo post from the letters in its address: base 62, in groups of four letters from the right, seven
    digits each.

    >>> mid_of("Kjc77D1jz")
    '4645748019299849'
    """
    groups = [bid[max(0, end - 4) : end] for end in range(len(bid), 0, -4)]
    digits = []
    for group in groups:
        number = 0
        for sign in group:
            number = number * 62 + _BASE62.index(sign)
        digits.append(str(number))
    *rest, first = digits
    return first + "".join(one.zfill(7) for one in reversed(rest))


def _made_of(what: str) -> str:
    """An id for a post that has none, made of its address or of all that is known of it: the same in every export."""
    return f"made:{sha256(what.encode(errors='replace')).hexdigest()[:24]}"


AuthorIn = Callable[[str, str], str]
"""(platform, address of a profile) → the account's id there, "" where it shows none."""

__all__ = ["FIELDS", "AuthorIn", "Mapped", "id_in_link", "mapped", "mid_of"]
