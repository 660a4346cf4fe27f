"""A row of another tool's table → an item, by a shape that says which column means what."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from spiders.items import HASHED, Item, ItemMedia, Kind
from spiders.values import count_of, link_of, tidy, time_of

ROOTS = ("", "0", "-1", "None", "null")  # what tools write where a comment answers the post itself


_ID = re.compile(r"[\w.:=/+-]{1,256}", re.ASCII)
_CUT_NUMBER = re.compile(r"\d+(?:\.\d+)?[eE]\+\d+")
_WHOLE_NUMBER = re.compile(r"(\d+)\.0")


class RowError(ValueError):
    """This row can't become a post; the message says why, in zh-CN and English, and quotes no text."""


@dataclass(frozen=True, slots=True)
class Reading:
    """zone: of times that name none. now: when the file was written, for times told relative to it. stem: the file's name
    without its ending, where a tool puts whose posts they are. platform_named: what people call a platform → our name of it.
    author_in: (platform, address of a profile) → the account's id, "" where it shows none."""

    zone: tzinfo
    now: datetime
    stem: str = ""
    platform_named: Callable[[str], str] = str
    author_in: Callable[[str, str], str] = lambda platform, url: ""


@dataclass(frozen=True, slots=True)
class Shape:
    """Which column of a table means what; "" and () where it has none.

    needed: columns that every row's table has and by which it is known. text: columns that make the text, a title first.
    posted: the first of these that says a time is believed. author: ids as the platform has them; hashed: as a tool has hashed
    them. parent, root: of comments, ids of the same table (parent) and of the posts' table (root). prefix, root_prefix: what is
    put before ids that two tables of the platform may both use. typed: the column whose value and a colon come before the id of
    a post, where posts of several types are numbered apart. private: columns that no purpose of ours needs. is_rootless: the
    tool does not say which post its comments are on. platform_in: the column that names the platform, where there are several.
    """

    platform: str
    kind: Kind
    needed: frozenset[str]
    id: str
    author: Sequence[str] = ()
    hashed: str = ""
    name: str = ""
    text: Sequence[str] = ()
    posted: Sequence[str] = ()
    seen: str = ""
    url: str = ""
    parent: str = ""
    root: str = ""
    likes: str = ""
    comments: str = ""
    reposts: str = ""
    views: str = ""
    media: Mapping[str, str] = field(default_factory=dict)
    prefix: str = ""
    root_prefix: str = ""
    typed: str = ""
    private: frozenset[str] = frozenset()
    is_rootless: bool = False
    platform_in: str = ""
    clean: Callable[[str], str] = tidy
    author_in: Callable[[str], str] = str
    is_ragged: bool = False

    def fits(self, columns: frozenset[str]) -> bool:
        """Whether a table with these columns is one of this shape."""
        return self.needed <= columns

    def items_of(self, cells: Mapping[str, Any], reading: Reading) -> Sequence[Item]:
        """The row's item, alone; RowError as `item_of`."""
        return (self.item_of(cells, reading),)

    def item_of(self, cells: Mapping[str, Any], reading: Reading) -> Item:
        """The row's item; RowError where a needed value is missing or makes no sense."""
        own = id_in(cells, self.id)
        if not own:
            raise RowError(f"{self.id} 是空的 / {self.id} is empty")
        if not _ID.fullmatch(own):
            raise RowError(f"{self.id} 不像编号，这一行可能错位了 / {self.id} is no id: is the row out of place?")
        seen = time_of(cells.get(self.seen), now=reading.now, zone=reading.zone) if self.seen else None
        typed = f"{text_in(cells, self.typed)}:" if self.typed else ""
        root, parent = id_in(cells, self.root), id_in(cells, self.parent)
        if self.kind == "comment" and not root and not self.is_rootless:
            raise RowError(f"{self.root} 是空的，不知评论的是哪条 / {self.root} is empty: a comment on what?")
        root_id = typed + self.root_prefix + root
        answered = root_id if parent in ROOTS or parent == own else self.prefix + parent
        is_answer = self.kind != "post"
        return Item(
            platform=text_in(cells, self.platform_in) if self.platform_in else self.platform,
            post_id=self.prefix + own if self.kind == "comment" else typed + self.prefix + own,
            author_id=self.author_of(cells),
            posted_at=self.posted_of(cells, Reading(reading.zone, seen or reading.now)),
            text=self.text_of(cells),
            url=link_of(cells.get(self.url)) if self.url else "",
            author_name=text_in(cells, self.name),
            seen_at=seen,
            kind=self.kind,
            parent_id=(answered or None) if is_answer else None,
            root_id=(root_id or None) if is_answer else None,
            likes=count_of(cells.get(self.likes)),
            comments=count_of(cells.get(self.comments)),
            reposts=count_of(cells.get(self.reposts)),
            views=count_of(cells.get(self.views)),
            media=tuple(media_of(cells, self.media)),
            raw={key: value for key, value in cells.items() if key and key not in self.private},
        )

    def author_of(self, cells: Mapping[str, Any]) -> str:
        for column in self.author:
            if found := self.author_in(id_in(cells, column)):
                return found
        if found := text_in(cells, self.hashed):
            return HASHED + found
        columns = ", ".join(filter(None, (*self.author, self.hashed)))
        raise RowError(f"没有作者标识（{columns}） / no author id")

    def posted_of(self, cells: Mapping[str, Any], reading: Reading) -> datetime:
        for column in self.posted:
            value = cells.get(column)
            if found := time_of(number_in(value), now=reading.now, zone=reading.zone):
                return found
        raise RowError(f"没有读得懂的发布时间（{', '.join(self.posted)}） / no time of posting that can be read")

    def text_of(self, cells: Mapping[str, Any]) -> str:
        """The parts one under the other; a title that the text only repeats is left out."""
        parts = [part for part in (self.clean(text_in(cells, column)) for column in self.text) if part]
        kept = [one for n, one in enumerate(parts) if not any(later.startswith(one) for later in parts[n + 1 :])]
        return "\n".join(kept)


def text_in(cells: Mapping[str, Any], column: str) -> str:
    """A cell as text; numbers that were ids as they were written, not as floats.

    >>> text_in({"id": 4645748019299849.0}, "id"), text_in({"id": None}, "id"), text_in({"id": "17\\t"}, "id")
    ('4645748019299849', '', '17')
    """
    value = cells.get(column) if column else None
    if value is None or isinstance(value, (dict, list)):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).strip()
    return "" if text.lower() == "nan" else text


def id_in(cells: Mapping[str, Any], column: str) -> str:
    """A cell that is an id, as it was before a spreadsheet took it for a number. RowError where digits of it are lost.

    >>> id_in({"id": "17.0"}, "id"), id_in({"id": "MS4wLjAB_x"}, "id")
    ('17', 'MS4wLjAB_x')
    >>> id_in({"id": "4.64575E+15"}, "id")
    Traceback (most recent call last):
    spiders.exports.shapes.RowError: id 被表格软件改成了 4.64575E+15，位数丢了，请用原始文件 / a spreadsheet has cut its digits
    """
    value = cells.get(column) if column else None
    if isinstance(value, float) and value.is_integer() and abs(value) >= 2**53:
        value = f"{value:.14E}"
    text = text_in({column: value}, column)
    if _CUT_NUMBER.fullmatch(text):
        raise RowError(f"{column} 被表格软件改成了 {text[:30]}，位数丢了，请用原始文件 / a spreadsheet has cut its digits")
    match = _WHOLE_NUMBER.fullmatch(text)
    return match[1] if match else text


def number_in(value: Any) -> Any:
    """A cell that may be a time in seconds or milliseconds since 1970, as a number where it is one.

    >>> number_in("1772337906 "), number_in("昨天"), number_in("9" * 5000) == "9" * 5000
    (1772337906, '昨天', True)
    """
    return int(value) if isinstance(value, str) and len(value) < 20 and value.strip().isdecimal() else value


def media_of(cells: Mapping[str, Any], columns: Mapping[str, str]) -> list[ItemMedia]:
    """Pictures and videos by column → kind; several addresses in one cell are parted by commas or semicolons."""
    cells_of = ((kind, text_in(cells, column).replace(";", ",").split(",")) for column, kind in columns.items())
    return [ItemMedia(kind, url) for kind, links in cells_of for link in links if (url := link_of(link.strip()))]


@dataclass(frozen=True, slots=True)
class Flattened:
    """A table whose rows are put into a shape's columns first.

    flat: a row → its columns; RowError where it makes no sense. quoted: a row → the columns of the post that it passes on, None
    where it does not hold one; the ids of ``quoted`` are those of `Shape.root`.
    """

    needed: frozenset[str]
    flat: Callable[[Mapping[str, Any], Reading], Mapping[str, Any]]
    shape: Shape
    repost: Shape | None = None
    quoted: Callable[[Mapping[str, Any], Reading], Mapping[str, Any] | None] = lambda cells, reading: None
    is_ragged: bool = False

    def fits(self, columns: frozenset[str]) -> bool:
        """Whether a table with these columns is one of these."""
        return self.needed <= columns

    def items_of(self, cells: Mapping[str, Any], reading: Reading) -> Sequence[Item]:
        """The row's item first; then the post that it passes on, if it holds that and it can be read."""
        row = self.flat(cells, reading)
        shape = self.repost if self.repost and text_in(row, self.repost.root) else self.shape
        own, original = shape.item_of(row, reading), self.quoted(cells, reading)
        if original is None:
            return (own,)
        try:
            return own, self.shape.item_of(original, reading)
        except RowError:
            return (own,)  # a deleted original has no author and no time
