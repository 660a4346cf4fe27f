"""The rows of a roster's sheet → people: which column holds what, and what a row says of accounts. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias
from unicodedata import normalize

from listener.accounts import Handle, handles_in, is_native, platform_named, split_header

if TYPE_CHECKING:
    from listener.sheets import Row, Sheet

HEADER_ROWS = 20  # a title and some notes may stand above the header

# ------------------------------------------------------------------------------------------------- header → columns

What: TypeAlias = Literal[
    "koc_id", "name", "nickname", "platform", "owner", "tier", "domain", "note", "id", "account", "link", "account_nickname"
]
ACCOUNT_COLUMNS = frozenset({"id", "account", "link", "account_nickname"})
_HEADERS: dict[What, tuple[str, ...]] = {
    "koc_id": ("kocid", "koc编号", "编号", "人员编号", "达人编号", "达人id", "personid"),
    "name": ("name", "姓名", "名字", "真实姓名", "称呼", "koc", "koc名称", "koc姓名", "达人", "达人姓名", "达人名称"),
    "nickname": ("nickname", "昵称", "网名", "账号昵称", "账号名称", "账号名", "用户名", "达人昵称", "koc昵称", "screenname"),
    "platform": ("platform", "平台", "所属平台", "发布平台", "渠道", "site"),
    "owner": ("owner", "对接人", "负责人", "运营", "对接运营", "跟进人", "维护人", "bd"),
    "tier": ("tier", "等级", "级别", "达人等级", "koc等级", "分级", "level"),
    "domain": ("domain", "公域私域", "公私域", "域", "公域/私域"),
    "note": ("note", "notes", "备注", "说明", "remark", "remarks", "comment"),
    "id": ("accountid", "账号id", "用户id", "uid", "userid", "authorid", "平台id", "平台账号id"),
    "account": ("account", "账号", "帐号", "平台账号", "账号信息", "id"),
    "link": (
        "link",
        "url",
        "链接",
        "主页",
        "主页链接",
        "个人主页",
        "主页地址",
        "账号链接",
        "账号主页",
        "达人主页",
        "homepage",
        "profile",
    ),
}
_CALLED = {called: what for what, names in _HEADERS.items() for called in names}
# What may follow a platform's name in a header: 小红书号, 微博昵称, B站主页链接 …
_AFTER_PLATFORM: tuple[tuple[What, re.Pattern[str]], ...] = (
    ("link", re.compile(r".*(?:链接|主页|地址|网址|url|link|homepage|profile)")),
    ("account_nickname", re.compile(r"(?:的)?(?:昵称|名称|账号名|账号名称|用户名|名字|名|nickname|name)")),
    ("id", re.compile(r"(?:uid|userid|用户id|mid|secuid|accountid|账号uid)")),
    ("account", re.compile(r"(?:|号|账号|帐号|id|账号id|号码|account)\d?")),
)


@dataclass(frozen=True, slots=True)
class Column:
    index: int
    header: str
    what: What
    platform: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet whose header was found."""

    sheet: str
    columns: tuple[Column, ...]
    ignored: tuple[str, ...]
    rows: tuple[Row, ...]


def column_of(index: int, header: str) -> Column | None:
    """What a column holds by its header; None where that is not known.

    >>> column_of(0, "小红书号（选填）"), column_of(1, "粉丝数")
    (Column(index=0, header='小红书号（选填）', what='account', platform='xiaohongshu'), None)
    """
    folded = normalize("NFKC", header).lower()
    folded = re.sub(r"\([^()]*\)|\[[^\[\]]*\]|[\s_\-:*.、]", "", folded)
    if folded in _CALLED:
        return Column(index, header, _CALLED[folded])
    platform, rest = split_header(folded)
    if platform:
        for what, pattern in _AFTER_PLATFORM:
            if pattern.fullmatch(rest):
                return Column(index, header, what, platform)
    return None


def table_of(sheet: Sheet) -> Table | None:
    """The sheet with the row that knows most headers as its header; None where none speaks of accounts."""
    best: tuple[int, int, list[Column]] | None = None
    for at, row in enumerate(sheet.rows[:HEADER_ROWS]):
        columns = [column for i, cell in enumerate(row.cells) if cell and (column := column_of(i, cell)) is not None]
        if any(c.what in ACCOUNT_COLUMNS or c.what == "koc_id" for c in columns) and (best is None or len(columns) > best[0]):
            best = (len(columns), at, columns)
    if best is None:
        return None
    _, at, columns = best
    known = {column.index for column in columns}
    ignored = tuple(cell for i, cell in enumerate(sheet.rows[at].cells) if cell and i not in known)
    return Table(sheet.name, tuple(columns), ignored, sheet.rows[at + 1 :])


# --------------------------------------------------------------------------------------------------- rows → people


@dataclass(frozen=True, slots=True)
class Missed:
    """An account that could not be taken: row, what is wrong, a code of `roster.REASONS`, the cell's text, what is known."""

    row: int
    code: str
    value: str
    handle: Handle


@dataclass(slots=True)
class Person:
    """Somebody of the file, gathered from one row or several. names: of the column of names, each once."""

    sheet: str
    rows: list[int]
    koc_id: str = ""
    nickname: str = ""
    owner: str = ""
    tier: str = ""
    domain: str = ""
    note: str = ""
    names: list[str] = field(default_factory=list)
    accounts: dict[tuple[str, str], Handle] = field(default_factory=dict)
    missed: list[Missed] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The name, or what is next to one."""
        handles = [*self.accounts.values(), *(missed.handle for missed in self.missed)]
        said = [*self.names, self.nickname, *(h.nickname for h in handles), self.koc_id, *(h.account_id for h in handles)]
        return next(filter(None, said), "")

    def absorb(self, other: Person) -> None:
        """Take over what another row, or sheet, says of the same person."""
        self.rows += [row for row in other.rows if other.sheet == self.sheet and row not in self.rows]
        self.names += [name for name in other.names if name not in self.names]
        for what in ("koc_id", "nickname", "owner", "tier", "domain", "note"):
            setattr(self, what, getattr(self, what) or getattr(other, what))
        self.accounts = {**other.accounts, **self.accounts}
        self.missed += other.missed


def people_of(table: Table) -> list[Person]:
    """The people of a table: rows of one koc_id, or of one merged name cell, are one person."""
    people: dict[object, Person] = {}
    by = {what: [c for c in table.columns if c.what == what and not c.platform] for what in _HEADERS}
    who = by["name"] or by["nickname"]
    for row in table.rows:
        cell = {what: next((row.cells[c.index] for c in columns if row.cells[c.index]), "") for what, columns in by.items()}
        top = row.spans.get(who[0].index) if who else None
        key: object = ("id", cell["koc_id"]) if cell["koc_id"] else ("merged", top) if top else ("row", row.number)
        person = people.setdefault(key, Person(table.sheet, []))
        person.rows.append(row.number)
        for what in ("koc_id", "owner", "tier", "domain", "note"):
            if not getattr(person, what):
                setattr(person, what, cell[what])
        if cell["name"] and cell["name"] not in person.names:
            person.names.append(cell["name"])
        person.nickname = person.nickname or cell["nickname"]
        for code, handle, value in _handles_of(row, table.columns, cell):
            if code:
                person.missed.append(Missed(row.number, code, value, handle))
            else:
                person.accounts.setdefault((handle.platform, handle.account_id), handle)
    return list(people.values())


def _handles_of(row: Row, columns: Sequence[Column], cell: Mapping[What, str]) -> Iterator[tuple[str, Handle, str]]:
    """(what is wrong, the account, the cell's text) for each account that a row speaks of; "" where nothing is."""
    spoken: dict[str, list[tuple[Column, Handle, str]]] = defaultdict(list)
    links = (
        handle.platform for c in columns if c.what == "link" and not c.platform for handle in handles_in(row.cells[c.index], "")
    )
    general = platform_named(cell["platform"]) or next(filter(None, links), "")
    for column in columns:
        text = row.cells[column.index]
        if not text or column.what not in ACCOUNT_COLUMNS:
            continue
        platform = column.platform or general
        for handle in handles_in(text, platform, is_id=column.what == "id", is_nickname=column.what == "account_nickname"):
            spoken[handle.platform or platform].append((column, handle, text))
    for platform, said in spoken.items():
        yield from _settled(platform, said, cell["nickname"] if platform == general or not general else "")


def _settled(platform: str, said: Sequence[tuple[Column, Handle, str]], nickname: str) -> Iterator[tuple[str, Handle, str]]:
    """What several cells say of one platform's account, as one: a native id by its own or by a link, and the nickname."""
    nickname = next((h.nickname for _, h, _ in said if h.nickname), "") or nickname
    url = next((h.url for _, h, _ in said if h.url), "")
    found = [(column, handle, text) for column, handle, text in said if handle.account_id]
    linked = {handle.account_id for column, handle, _ in found if handle.url}
    typed = {handle.account_id for column, handle, _ in found if not handle.url}
    if linked and typed and not typed <= linked:
        if any(is_native(platform, account_id) for account_id in typed):
            yield "two-ids", Handle(platform, nickname=nickname), " ≠ ".join(sorted(typed | linked))
            return
        typed = set()  # a nickname in the column of ids; the link knows better
    ids = linked or typed
    if not ids:
        _, handle, text = next((one for one in said if one[1].why != "nickname-only"), said[0])
        yield handle.why, Handle(platform, nickname=nickname, url=url), text
        return
    for account_id in sorted(ids):
        own = next((h.url for _, h, _ in found if h.account_id == account_id and h.url), url if len(ids) == 1 else "")
        handle = Handle(platform, account_id, nickname if len(ids) == 1 else "", own)
        yield ("" if platform else "no-platform"), handle, account_id
