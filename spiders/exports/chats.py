"""Group chats that their operator exported, as text or as a table → items that name nobody.

Text as WeChat mails a chat, and as export tools write it:

    —————  2026-03-01  —————              2026-03-01 12:05:06 小北(wxid_1)        小北 2026/3/1 12:05
    小北  12:05                            好用                                    好用
    好用

Of a member an item carries the group and the name as its author's id alone, which is stored under a keyed hash; neither its raw
record nor its text keeps the names of members, and mobile numbers in texts are struck out.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from spiders.errors import CollectError
from spiders.exports.shapes import Reading, text_in
from spiders.exports.sheets import Row, encoding_of, opened, sheets_of
from spiders.files import BadLine
from spiders.items import Item, ItemMedia, fault_of
from spiders.values import tidy, time_of

PLATFORM = "group"
LONGEST_MESSAGE = 1000  # lines

_DATE = r"\d{4}\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}\s*日?"
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2})?"
_DAY_LINE = re.compile(rf"^[\s—–\-•·*=]*({_DATE})[\s—–\-•·*=]*$")
_TIME_FIRST = re.compile(rf"^\[?({_DATE}\s+{_CLOCK})\]?\s+(\S.{{0,60}}?)\s*[:：]?\s*$")
_NAME_FIRST = re.compile(rf"^(\S.{{0,60}}?)\s+\[?({_DATE}\s+{_CLOCK})\]?\s*$")
_CLOCK_ONLY = re.compile(rf"^(\S.{{0,60}}?)\s+({_CLOCK})\s*$")
_WITH_ID = re.compile(r"^(.+?)\s*[(（<\[]([A-Za-z0-9_@.-]{4,})[)）>\]]$")
_NO_WORD = re.compile(r"\W")
_PHONE = re.compile(r"(?<!\d)(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)")
_MEDIA = {
    "图片": "image",
    "动画表情": "image",
    "表情": "image",
    "视频": "video",
    "语音": "audio",
    "文件": "card",
    "链接": "card",
}
_ONLY_MEDIA = re.compile(rf"^\[({'|'.join(_MEDIA)})\](?:\s*\S*)?$")

# What tables call their columns; of the first tool that has them all.
_TABLES: Sequence[Mapping[str, Sequence[str]]] = (
    {
        "id": ("MsgSvrID", "localId"),
        "at": ("StrTime", "CreateTime"),
        "name": ("NickName", "Remark", "Sender"),
        "member": ("Sender",),
        "text": ("StrContent",),
    },
    {
        "id": ("消息ID", "msgid", "编号"),
        "at": ("时间", "发送时间", "消息时间", "日期时间"),
        "name": ("发送者", "发送人", "昵称", "群昵称", "发言人", "成员"),
        "member": ("微信号", "wxid", "成员ID", "发送者ID"),
        "text": ("内容", "消息内容", "消息"),
    },
)


@dataclass(frozen=True, slots=True)
class Message:
    """One message. number: the line it begins at. member: the account's own id, "" where the export shows the name alone."""

    number: int
    at: datetime
    name: str
    member: str
    text: str
    message_id: str = ""


def author_of(group: str, member: str) -> str:
    """A member's id: what a roster's account in this group is called."""
    return f"{group}/{member}"


def read_chat(path: Path, group: str, reading: Reading) -> Iterator[Item | BadLine]:
    """The messages of a group's chat as items, in the file's order. A first pass gathers the names, so that no text keeps one.

    Raises CollectError where the file holds no message.
    """
    names = {message.name for message in messages_of(path, reading) if isinstance(message, Message)}
    if not names:
        raise CollectError(f"{path}：没有认出群聊记录 / no chat was recognized: a line must show a name and a time")
    seen: Counter[tuple[str, ...]] = Counter()
    for message in messages_of(path, reading):
        if isinstance(message, BadLine):
            yield message
            continue
        item = _item_of(message, group, names, seen)
        fault = fault_of(item)
        yield BadLine(message.number, fault, b"") if fault else item


def _item_of(message: Message, group: str, names: Collection[str], seen: Counter[tuple[str, ...]]) -> Item:
    text, media = message.text, tuple[ItemMedia, ...]()
    if match := _ONLY_MEDIA.match(text.strip()):
        text, media = "", (ItemMedia(_MEDIA[match[1]]),)
    said = (group, message.member or message.name, message.at.isoformat(), text)
    seen[said] += 1  # the same words twice in a minute are two messages
    made = sha256("\0".join((*said, str(seen[said]))).encode(errors="replace")).hexdigest()[:24]
    return Item(
        platform=PLATFORM,
        post_id=f"{group}/{message.message_id or made}",
        author_id=author_of(group, message.member or message.name),
        posted_at=message.at,
        text=unnamed(text, names),
        media=media,
        raw={"group": group, "at": message.at.isoformat()},
    )


def unnamed(text: str, names: Iterable[str]) -> str:
    """The text with mobile numbers struck out and each ``@`` name of the group made one word, as the masking of names takes it.

    >>> unnamed("@小 北 加我 138 0013 8000", ["小 北"])
    '@小北 加我 [手机号]'
    """
    if "@" in text:
        for name in sorted(names, key=len, reverse=True):
            text = text.replace(f"@{name}", "@" + (_NO_WORD.sub("", name) or "某人"))
    return _PHONE.sub("[手机号]", text)


def messages_of(path: Path, reading: Reading) -> Iterator[Message | BadLine]:
    """The messages of a chat, from text or from a table."""
    if is_text(path):
        yield from _written(path, reading)
        return
    for sheet in sheets_of(path):
        named = next(
            (table for table in _TABLES if all(set(table[one]) & sheet.columns for one in ("at", "name", "text"))), None
        )
        if named is not None:
            yield from (row if isinstance(row, BadLine) else _message_in(row, named, reading) for row in sheet.rows)


def is_text(path: Path) -> bool:
    """Whether a file is text that is no table: one of its first lines begins a message or names a day."""
    with opened(path) as stream:
        head = stream.read(64 * 1024)
    if head.startswith((b"PK\x03\x04", b"SQLite format 3\0", b"[", b"{")):
        return False
    text = head.decode("utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", "replace")
    return any(_DAY_LINE.match(line) or _TIME_FIRST.match(line) or _NAME_FIRST.match(line) for line in text.splitlines()[:200])


def _message_in(row: Row, named: Mapping[str, Sequence[str]], reading: Reading) -> Message | BadLine:
    def one(field: str) -> str:
        return next(filter(None, (text_in(row.cells, name) for name in named[field])), "")

    at = time_of(int(one("at")) if one("at").isdecimal() else one("at"), now=reading.now, zone=reading.zone)
    if at is None or not one("name"):
        lacking = "时间 / time" if at is None else "发送者 / sender"
        return BadLine(row.number, f"没有{lacking} / is missing", b"")
    return Message(row.number, at, one("name"), one("member"), tidy(one("text")), one("id"))


def _written(path: Path, reading: Reading) -> Iterator[Message | BadLine]:
    day, lines, is_after_gap = "", list[str](), True
    head: tuple[int, datetime, str] | None = None
    with opened(path) as stream, io.TextIOWrapper(stream, encoding_of(path), errors="replace", newline="\n") as text:
        for number, line in enumerate((each.rstrip("\r\n") for each in text), start=1):
            if match := _DAY_LINE.match(line):
                day, is_after_gap = match[1], True
                continue
            begun = _begun(line, day if is_after_gap else "", reading)
            is_after_gap = not line.strip()
            if begun is None:
                lines.append(line)
                continue
            if head:
                yield _message(*head, lines)
            elif any(one.strip() for one in lines):
                yield BadLine(1, "第一条消息之前的文字 / words before the first message", "\n".join(lines).encode()[:4096])
            head, lines = (number, *begun), []
    if head:
        yield _message(*head, lines)


def _begun(line: str, day: str, reading: Reading) -> tuple[datetime, str] | None:
    """When and by whom, where a line begins a message. day: that of the last line that named one, if this line comes after a
    gap: elsewhere "明天 12:05" is what somebody said."""
    if match := _TIME_FIRST.match(line):
        stamp, name = match[1], match[2]
    elif match := _NAME_FIRST.match(line):
        stamp, name = match[2], match[1]
    elif day and (match := _CLOCK_ONLY.match(line)):
        stamp, name = f"{day} {match[2]}", match[1]
    else:
        return None
    at = time_of(stamp, now=reading.now, zone=reading.zone)
    return (at, name) if at is not None else None


def _message(number: int, at: datetime, name: str, lines: Sequence[str]) -> Message | BadLine:
    if len(lines) > LONGEST_MESSAGE:
        return BadLine(number, f"一条消息超过 {LONGEST_MESSAGE} 行 / message too long", b"")
    match = _WITH_ID.match(name)
    shown, member = (match[1], match[2]) if match else (name, "")
    return Message(number, at.astimezone(UTC), shown, member, tidy("\n".join(lines)))
