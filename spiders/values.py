"""What platforms write → values: times → aware UTC, counts → int, HTML → text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

_MONTHS = {
    name: number
    for number, name in enumerate(("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1)
}
_EARLIEST, _LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)

_LABEL = re.compile(r"^(?:编辑于|发布于|更新于|發佈於|編輯於|回复于)\s*")
_AGO = re.compile(r"^(\d+|半)\s*个?\s*(秒|分钟|分鐘|分|小时|小時|天|日|周|週|星期)\s*(?:之?前|以前)$")
_AGO_UNITS = {
    "秒": timedelta(seconds=1),
    "分钟": timedelta(minutes=1),
    "分鐘": timedelta(minutes=1),
    "分": timedelta(minutes=1),
    "小时": timedelta(hours=1),
    "小時": timedelta(hours=1),
    "天": timedelta(days=1),
    "日": timedelta(days=1),
    "周": timedelta(weeks=1),
    "週": timedelta(weeks=1),
    "星期": timedelta(weeks=1),
}
_CLOCK = r"(\d{1,2})[:：](\d{2})(?:[:：](\d{2})(?:\.\d+)?)?"
_DAY = re.compile(rf"^(今天|昨天|前天)\s*(?:{_CLOCK})?$")
_DAYS_BACK = {"今天": 0, "昨天": 1, "前天": 2}
_DATE = re.compile(rf"^(?:(\d{{4}})\s*[-/.年]\s*)?(\d{{1,2}})\s*[-/.月]\s*(\d{{1,2}})\s*日?(?:[\sT]*{_CLOCK})?$")
_ASCTIME = re.compile(r"^[A-Za-z]{3},?\s+([A-Za-z]{3})\s+(\d{1,2})\s+(\d{1,2}):(\d{2}):(\d{2})(?:\s+(\S+))?\s+(\d{4})$")
_OFFSET = re.compile(r"^(?:GMT|UTC)?([+-])(\d{2}):?(\d{2})$")


def time_of(value: object, *, now: datetime, zone: tzinfo) -> datetime | None:
    """The instant that a platform's time means, aware UTC; None where it says none that can be.

    now: when the page was read, for what is told relative to it. zone: of times that name none.

    >>> from zoneinfo import ZoneInfo
    >>> read = lambda value: time_of(value, now=datetime(2026, 3, 1, 4, 30, tzinfo=UTC), zone=ZoneInfo("Asia/Shanghai"))
    >>> str(read("5分钟前")), str(read("昨天 12:00"))
    ('2026-03-01 04:25:00+00:00', '2026-02-28 04:00:00+00:00')
    >>> str(read("Tue Jun 08 09:35:04 +0800 2021")), str(read("06-14"))
    ('2021-06-08 01:35:04+00:00', '2025-06-13 16:00:00+00:00')
    >>> str(read(1623116104)), str(read("1623116104000")), read("明年见")
    ('2021-06-08 01:35:04+00:00', '2021-06-08 01:35:04+00:00', None)
    """
    try:
        if isinstance(value, datetime):
            found: datetime | None = value
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            found = _epoch(float(value))
        elif isinstance(value, str) and value.strip():
            found = _written(_LABEL.sub("", value.strip()), now, zone)
        else:
            return None
        if found is None:
            return None
        utc = (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return utc if _EARLIEST <= utc < _LATEST else None


def _epoch(number: float) -> datetime:
    for divisor, limit in ((1.0, 1e11), (1e3, 1e14), (1e6, 1e17)):
        if abs(number) < limit:
            return datetime.fromtimestamp(number / divisor, UTC)
    raise ValueError(number)


def _written(text: str, now: datetime, zone: tzinfo) -> datetime | None:
    if text in ("刚刚", "剛剛"):
        return now
    if text.replace(".", "", 1).isdecimal() and len(text.split(".")[0]) >= 9:
        return _epoch(float(text))
    if match := _AGO.match(text):
        amount = 0.5 if match[1] == "半" else int(match[1])
        return now - amount * _AGO_UNITS[match[2]]
    local = now.astimezone(zone)
    if match := _DAY.match(text):
        day = local.date() - timedelta(days=_DAYS_BACK[match[1]])
        return datetime(day.year, day.month, day.day, *_clock(match.groups()[1:]), tzinfo=zone)
    if match := _DATE.match(text):
        return _dated(match, local, zone)
    if match := _ASCTIME.match(text):
        return _asctime(match, zone)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        rfc822 = parsedate_to_datetime(text)
        # "-0000" means UTC with the place unknown, and comes back naive
        return rfc822 if rfc822.tzinfo else rfc822.replace(tzinfo=UTC)


def _clock(groups: tuple[str | None, ...]) -> tuple[int, int, int]:
    hour, minute, second = (int(part) if part else 0 for part in groups)
    return hour, minute, second


def _dated(match: re.Match[str], local: datetime, zone: tzinfo) -> datetime | None:
    month, day, clock = int(match[2]), int(match[3]), _clock(match.groups()[3:])
    if match[1]:
        return datetime(int(match[1]), month, day, *clock, tzinfo=zone)
    # no year: the last time that this day was; 02-29 may lie years back
    for year in range(local.year, local.year - 9, -1):
        try:
            found = datetime(year, month, day, *clock, tzinfo=zone)
        except ValueError:
            continue
        if found <= local + timedelta(days=1):
            return found
    return None


def _asctime(match: re.Match[str], zone: tzinfo) -> datetime:
    """``Tue Jun 08 09:35:04 +0800 2021``, by a table of our own: strptime's month names follow the machine's locale."""
    month, named = _MONTHS.get(match[1].lower(), 0), match[6] or ""
    found = datetime(int(match[7]), month, int(match[2]), int(match[3]), int(match[4]), int(match[5]), tzinfo=zone)
    if offset := _OFFSET.match(named):
        east = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        return found.replace(tzinfo=UTC) - (east if offset[1] == "+" else -east)
    return found.replace(tzinfo=UTC) if named in ("GMT", "UTC", "Z") else found


_COUNT = re.compile(r"^(\d+(?:\.\d+)?)\s*([万萬亿億千wWkK]?)\+?$")
_COUNT_UNITS = {"": 1, "千": 1_000, "k": 1_000, "万": 10_000, "萬": 10_000, "w": 10_000, "亿": 10**8, "億": 10**8}


def count_of(value: object) -> int | None:
    """How many; None where the platform does not say (which is not zero).

    >>> [count_of(shown) for shown in (17, "1.2万", "100万+", "3亿", "1,234", "", "赞", None)]
    [17, 12000, 1000000, 300000000, 1234, None, None, None]
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if 0 <= value < 2**53 else None
    if isinstance(value, float):
        return int(value) if 0 <= value < 2**53 else None
    if not isinstance(value, str):
        return None
    match = _COUNT.match(value.strip().replace(",", "").replace("，", ""))
    if not match:
        return None
    number = float(match[1]) * _COUNT_UNITS[match[2].lower()]
    return round(number) if number < 2**53 else None


_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_BLOCKS = ("p", "div", "li", "ul", "ol", "tr", "dt", "dd", "table", "blockquote", "pre", "section", "article", "figure")
_BREAKS = frozenset(("br", "hr", *_HEADINGS, *_BLOCKS))
_SILENT = frozenset(("script", "style", "template", "noscript", "head", "title"))


class _Text(HTMLParser):
    """Gathers what a reader would see; a picture that is an emoji speaks by its alt text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self.silent += 1
        elif tag in _BREAKS:
            self.parts.append("\n")
        elif tag == "img":
            alt = (dict(attrs).get("alt") or "").strip()
            if alt.startswith("[") or _is_emoji(alt):
                self.parts.append(alt)

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self.silent = max(0, self.silent - 1)
        elif tag in _BREAKS and tag != "br":
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.parts.append(data)


def _is_emoji(alt: str) -> bool:
    return 0 < len(alt) <= 8 and all(ord(sign) > 0x2000 and not sign.isalpha() for sign in alt)


def text_of(html: str) -> str:
    """What a reader sees of a piece of HTML: emoji, topics and @names kept, one line for a paragraph.

    >>> text_of('真香<span class="url-icon"><img alt=[偷笑] src="//a/b.png"></span><br/>回头客 &amp; <a href="/n/x">@小北</a>')
    '真香[偷笑]\\n回头客 & @小北'
    """
    if "<" not in html and "&" not in html:
        return tidy(html)
    parser = _Text()
    parser.feed(html)
    parser.close()
    return tidy("".join(parser.parts))


_UNSEEN = {0x200B: None, 0xFEFF: None, 0x2060: None}
_SPACES = re.compile(r"[ \t\r\f\v\xa0]+")
_BLANK_LINES = re.compile(r" *\n[ \n]*")


def tidy(text: str) -> str:
    """One space for many, no empty lines, nothing that a database or UTF-8 refuses.

    >>> tidy(" 好 \\u00a0 用\\n \\n\\n是吧\\ud83d\\x00 ")
    '好 用\\n是吧��'
    """
    return _BLANK_LINES.sub("\n", _SPACES.sub(" ", clean(text).translate(_UNSEEN))).strip()


def clean(text: str) -> str:
    """The text with whole surrogate pairs joined, and half ones and NUL, which neither UTF-8 nor PostgreSQL takes, replaced.

    >>> clean("\\ud83d\\ude00"), clean("a\\ud83d")
    ('😀', 'a�')
    """
    if "\x00" in text:
        text = text.replace("\x00", "�")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def cleaned(value: object) -> object:
    """``clean`` for all texts in a piece of JSON."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [cleaned(one) for one in value]
    if isinstance(value, dict):
        return {clean(key): cleaned(one) for key, one in value.items()}
    return value


DEEPEST = 100  # deeper than any page nests, and less than any reader of JSON on the way gives up at


def json_from(body: bytes, *, clean: bool = True) -> Any:
    """JSON in whatever UTF; ``clean``: half surrogates and NULs replaced. Raises ValueError, also where it nests too deep.

    >>> json_from(rb'{"text": "\\ud83d"}')
    {'text': '�'}
    >>> json_from(b"[" * 5000 + b"]" * 5000)
    Traceback (most recent call last):
    ValueError: nested too deep
    """
    try:
        value = json.loads(body)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    check_depth(value)
    return cleaned(value) if clean and (b"\\ud" in body.lower() or b"\\u0000" in body) else value


def check_depth(value: object) -> None:
    """Raises ValueError where a piece of JSON nests deeper than DEEPEST."""
    level = [value]
    for _ in range(DEEPEST):
        level = [child for one in level for child in _children(one)]
        if not level:
            return
    raise ValueError("nested too deep")


def _children(value: object) -> Iterable[object]:
    return value if isinstance(value, list) else value.values() if isinstance(value, dict) else ()


_LOGIN = ("passport", "login", "signin", "visitor")


def is_login(address: str) -> bool:
    """Whether an address is that of a log-in page.

    >>> is_login("https://passport.weibo.com/visitor?a=1"), is_login("/detail/7")
    (True, False)
    """
    return any(word in address.lower() for word in _LOGIN)


def link_of(value: object, base: str = "") -> str:
    """A web address, absolute; "" for what is none (``javascript:`` and the like).

    >>> link_of("//wx1.example/a.jpg", "https://m.weibo.cn"), link_of("javascript:alert(1)")
    ('https://wx1.example/a.jpg', '')
    """
    if not isinstance(value, str) or not value.strip():
        return ""
    try:
        link = urljoin(base, clean(value.strip()))
        parts = urlsplit(link)
    except ValueError:
        return ""
    return link if parts.scheme in ("http", "https") and parts.netloc else ""
