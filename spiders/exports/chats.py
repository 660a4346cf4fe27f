"""Group chats that their operator exported, as text or as a table → items that name nobody.

Text as WeChat mails a chat, and as export tools write it:

    —————  2026-03-01  —————      2026-03-01 12:05:06 小北(wxid_1)      小北 2026/3/1 下午 2:05
    小北  12:05                    好用                                  好用
    好用                           [2026-03-01 12:05] 小北: 好用

Of a member an item carries the group and the name as its author's id alone, which is stored under a keyed hash; neither its raw
record nor its text keeps the names of members where a chat program writes them (behind an @, above a quoted message, in its own
notices), and mobile numbers in texts are struck out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from spiders.errors import CollectError
from spiders.exports.rows import Row
from spiders.exports.shapes import Reading, RowError, id_in, number_in, text_in
from spiders.exports.sheets import sheets_of
from spiders.exports.texts import Lines, TooLongError, decoded, encoding_of, opened
from spiders.files import BadLine
from spiders.items import Item, ItemMedia, fault_of
from spiders.values import tidy, time_of

PLATFORM = "group"
LONGEST_MESSAGE, MOST_SIGNS = 1000, 100_000  # lines, characters of one message

_DATE = r"\d{4}\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}\s*日?(?:\s*(?:星期|周)[一二三四五六日天])?"
_CLOCK = r"(?:(?:凌晨|早上|上午|中午|下午|晚上)\s*)?\d{1,2}:\d{2}(?::\d{2})?(?:\s*[AaPp][Mm]\b)?"
_DAY_LINE = re.compile(rf"^[\s—–\-•·*=]*({_DATE})[\s—–\-•·*=]*$")
_SAID = re.compile(rf"^\[?({_DATE}\s+{_CLOCK})\]?[\s-]+(\S[^:：]{{0,60}}?)\s*[:：]\s*(\S.*)$")
_TIME_FIRST = re.compile(rf"^\[?({_DATE}\s+{_CLOCK})\]?\s+(\S.{{0,60}}?)\s*[:：]?\s*$")
_NAME_FIRST = re.compile(rf"^(\S.{{0,60}}?)\s+\[?({_DATE}\s+{_CLOCK})\]?\s*$")
_CLOCK_ONLY = re.compile(rf"^(\S.{{0,60}}?)\s+({_CLOCK})\s*$")
_WITH_ID = re.compile(r"^(.+?)\s*[(（<\[]([A-Za-z0-9_@.-]{4,})[)）>\]]$")
_WEEKDAY = re.compile(r"\s*(?:星期|周)[一二三四五六日天]")
_HALF = re.compile(r"(凌晨|早上|上午|中午|下午|晚上|\s[AaPp][Mm])")
_LATE, _EARLY = {"中午", "下午", "晚上", "pm"}, {"凌晨", "早上", "上午", "am"}
_NO_WORD = re.compile(r"\W")
_AT_NAME = re.compile(r"@([^@\n\u2005]{1,32})\u2005")  # how WeChat ends a name behind an @
_NOTICE = re.compile(r"系统(?:消息|提示|通知)(?:\(10000\))?")
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

_BEGINS = re.compile("|".join(f"(?:{one.pattern})" for one in (_DAY_LINE, _SAID, _TIME_FIRST, _NAME_FIRST)))

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
    found = {message.name for message in messages_of(path, reading) if isinstance(message, Message)}
    if not found:
        raise CollectError(f"{path}：没有认出群聊记录 / no chat was recognized: a line must show a name and a time")
    names = sorted(found, key=lambda name: (-len(name), name))
    seen: Counter[bytes] = Counter()
    for message in messages_of(path, reading):
        if isinstance(message, BadLine):
            yield message
        elif _NOTICE.fullmatch(message.name):
            yield BadLine(message.number, "系统消息，不是谁说的话 / a notice of the program, nobody's words", b"")
        else:
            item = _item_of(message, group, names, seen)
            fault = fault_of(item)
            yield BadLine(message.number, fault, b"") if fault else item


def _item_of(message: Message, group: str, names: Sequence[str], seen: Counter[bytes]) -> Item:
    text, media = message.text, tuple[ItemMedia, ...]()
    if match := _ONLY_MEDIA.match(text.strip()):
        text, media = "", (ItemMedia(_MEDIA[match[1]]),)
    said = "\0".join((group, message.member or message.name, message.at.isoformat(), text)).encode(errors="replace")
    digest = sha256(said).digest()
    seen[digest] += 1  # the same words twice in a minute are two messages
    made = sha256(said + b"\0%d" % seen[digest]).hexdigest()[:24]
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
    """The text with mobile numbers struck out and the names of the group that a chat program wrote into it each made one word
    behind an ``@``, as the masking of names takes it. names: the longest first.

    >>> unnamed("@小 北 加我 138 0013 8000", ["小 北"])
    '@小北 加我 [手机号]'
    >>> unnamed("「小 北：好用」\\n- - - - -\\n小 北说得对", ["小 北"])
    '「@小北：好用」\\n- - - - -\\n小 北说得对'
    """
    for name in names:
        if name in text:
            text = _written_by_program(name).sub("@" + (_NO_WORD.sub("", name) or "某人"), text)
    if "\u2005" in text:
        text = _AT_NAME.sub(lambda match: f"@{_NO_WORD.sub('', match[1]) or '某人'}\u2005", text)
    return _PHONE.sub("[手机号]", text)


@lru_cache(maxsize=4096)
def _written_by_program(name: str) -> re.Pattern[str]:
    """Where a name stands that a chat program wrote: behind an @, before what is quoted, in notices. Anywhere else it may be a
    word like any other."""
    own = re.escape(name)
    quoted = rf"(?<=[「『“\"‘【\[]){own}(?=\s*[:：])" + (rf"|(?<=[「『“\"‘]){own}(?=[」』”\"’])" if len(name) > 1 else "")
    notice = (
        rf"^{own}(?=\s*(?:[:：]|撤回了|邀请|加入了|拍了拍|修改群名|退出了))|(?<=拍了拍)\s*{own}|(?<=^回复)\s*{own}(?=\s*[:：])"
    )
    return re.compile(f"[@＠]{own}|{quoted}|{notice}", re.MULTILINE)


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
            for row in sheet.rows:
                yield replace(row, line=b"") if isinstance(row, BadLine) else _message_in(row, named, reading)


def is_text(path: Path) -> bool:
    """Whether a file is text that is no table: one of its first lines begins a message or names a day."""
    with opened(path) as stream:
        head = stream.read(64 * 1024)
    if head.startswith((b"PK\x03\x04", b"SQLite format 3\0", b"{")):
        return False
    wide = head[:2] in (b"\xff\xfe", b"\xfe\xff")
    text = head.decode("utf-16", "replace") if wide else "\n".join(decoded(line, "gb18030") for line in head.split(b"\n"))
    return any(_BEGINS.match(line) for line in text.lstrip("\ufeff").split("\n")[:200])


def _message_in(row: Row, named: Mapping[str, Sequence[str]], reading: Reading) -> Message | BadLine:
    def one(field: str) -> str:
        return next(filter(None, (text_in(row.cells, name) for name in named[field])), "")

    try:
        own = next(filter(None, (id_in(row.cells, name) for name in named["id"])), "")
    except RowError:
        own = ""  # one is made of what was said
    at = time_of(number_in(one("at")), now=reading.now, zone=reading.zone)
    if at is None or not one("name"):
        lacking = "时间 / time" if at is None else "发送者 / sender"
        return BadLine(row.number, f"没有{lacking} / is missing", b"")
    return Message(row.number, at, one("name"), one("member"), tidy(one("text")), own)


def _written(path: Path, reading: Reading) -> Iterator[Message | BadLine]:
    encoding = encoding_of(path)
    with opened(path) as stream:
        yield from _messages_in(Lines(stream, encoding), reading)


def _messages_in(lines: Lines, reading: Reading) -> Iterator[Message | BadLine]:
    day, is_after_gap = "", True
    message: _Begun | None = None
    before = _Begun(1, reading.now, "")
    while True:
        lines.taken.clear()
        try:
            line = next(lines).rstrip("\r\n")
        except StopIteration:
            break
        except TooLongError as error:
            yield BadLine(lines.number, str(error), b"")
            continue
        if match := _DAY_LINE.match(line):
            day, is_after_gap = match[1], True
            continue
        begun = _begun(line, lines.number, day if is_after_gap else "", reading)
        is_after_gap = not line.strip()
        if begun is None:
            (message or before).add(line)
            continue
        if message:
            yield message.ended()
        elif any(one.strip() for one in before.lines):
            yield BadLine(1, "第一条消息之前的文字 / words before the first message", "\n".join(before.lines).encode()[:4096])
        message = begun
    if message:
        yield message.ended()
    if lines.fault:
        yield BadLine(lines.number + 1, f"文件在这里断了，前面的已读 / the file breaks off here: {lines.fault}", b"")


@dataclass(slots=True)
class _Begun:
    """A message whose lines are still coming. name: as it stands there, with the account's id if it is told."""

    number: int
    at: datetime
    name: str
    lines: list[str] = field(default_factory=list)
    signs: int = 0

    def add(self, line: str) -> None:
        """One more line, unless it is too long by then."""
        self.signs += len(line)
        if not self.is_too_long():
            self.lines.append(line)

    def is_too_long(self) -> bool:
        return len(self.lines) >= LONGEST_MESSAGE or self.signs > MOST_SIGNS

    def ended(self) -> Message | BadLine:
        """The message, whole."""
        if self.is_too_long():
            return BadLine(self.number, f"一条消息超过 {LONGEST_MESSAGE} 行或 {MOST_SIGNS} 字 / message too long", b"")
        match = _WITH_ID.match(self.name)
        shown, member = (match[1], match[2]) if match else (self.name, "")
        return Message(self.number, self.at.astimezone(UTC), shown, member, tidy("\n".join(self.lines)))


def _begun(line: str, number: int, day: str, reading: Reading) -> _Begun | None:
    """The message that a line begins; None where it goes on with the one before. day: that of the last line that named one, if
    this line comes after a gap: elsewhere "明天 12:05" is what somebody said."""
    text = ""
    if match := _SAID.match(line):
        stamp, name, text = match[1], match[2], match[3]
    elif match := _TIME_FIRST.match(line):
        stamp, name = match[1], match[2]
    elif match := _NAME_FIRST.match(line):
        stamp, name = match[2], match[1]
    elif day and (match := _CLOCK_ONLY.match(line)):
        stamp, name = f"{day} {match[2]}", match[1]
    else:
        return None
    at = time_of(_in_24_hours(stamp), now=reading.now, zone=reading.zone)
    return _Begun(number, at, name, [text] if text else []) if at is not None else None


def _in_24_hours(stamp: str) -> str:
    """A time as clocks of half a day show it.

    >>> _in_24_hours("2026年3月1日 星期日 下午 2:05"), _in_24_hours("2026/3/1 12:05 AM"), _in_24_hours("2026/3/1 12:05")
    ('2026年3月1日 14:05', '2026/3/1 0:05', '2026/3/1 12:05')
    """
    halves = {found.strip().lower() for found in _HALF.findall(stamp)}
    day, _, clock = _HALF.sub("", _WEEKDAY.sub("", stamp)).strip().rpartition(" ")
    hour, _, rest = clock.partition(":")
    number = int(hour)
    if halves & _LATE and number < 12 and not (halves == {"中午"} and number > 9):
        number += 12
    elif halves & _EARLY and number == 12:
        number = 0
    return f"{day.strip()} {number}:{rest}" if halves else f"{day.strip()} {clock}"
