"""Post texts and links as they may be shown: masked, harmless, cut at sentence ends."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote, urlsplit

from listener.text.views import Language

_TOKEN = re.compile(r"@~[0-9a-f]{10}")
_SPACE = re.compile(r"\s+")
_END = re.compile(r"(?:[。！？!?…；;]|(?<=[^\d\s])\.(?=\s|$))+[”」』）)\"']*")
_PAUSE = re.compile(r"[，,、：:—\s]")
# Marks that turn the direction of what follows: in a quote they could turn our own words around.
_TURNING = dict.fromkeys([0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF])


def line_of(text: str) -> str:
    """Any text as one harmless line: no control characters, no marks that turn the direction, single spaces.

    >>> line_of('a\\r\\nBcc: b\\u202e\\x07 c')
    'a Bcc: b c'
    """
    text = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text.translate(_TURNING))
    text = text.encode("utf-8", "replace").decode()  # half of a surrogate pair can't be sent
    return _SPACE.sub(" ", text).strip()


def unmasked(text: str, language: Language) -> str:
    """Keyed @name tokens as words that name nobody.

    >>> unmasked('听@~0123456789 说', 'zh-CN')
    '听@用户 说'
    """
    return _TOKEN.sub("@用户" if language == "zh-CN" else "@user", text)


def cut(text: str, most: int = 140) -> str:
    """At most that many characters (and the ellipsis), cut at the end of a sentence, else at a pause, else anywhere.

    >>> cut('用了三年。这次真的失望，头皮很痒。以后不会再买了。', 20)
    '用了三年。这次真的失望，头皮很痒。……'
    >>> cut('一二三四五六七八九十', 4)
    '一二三四……'
    """
    if len(text) <= most:
        return text
    for stop in (_END, _PAUSE):
        ends = [found.end() for found in stop.finditer(text, 0, most) if found.end() * 5 >= most * 2]
        if ends:
            return text[: ends[-1]].rstrip("，,、：:— ") + "……"
    return text[:most].rstrip("\u200d") + "……"


def quote_of(text: str, language: Language, most: int = 140) -> str:
    """What is shown of a post's text."""
    return cut(line_of(unmasked(text, language)), most)


def link_of(url: str) -> str:
    """A link that is safe to follow and to print (http or https, ASCII, no blanks), else "".

    >>> link_of('https://m.weibo.cn/status/1'), link_of('javascript:alert(1)'), link_of('https://a.cn/例 b')
    ('https://m.weibo.cn/status/1', '', 'https://a.cn/%E4%BE%8B%20b')
    """
    url = line_of(url)
    try:
        parts = urlsplit(url)
    except ValueError:  # brackets that hold no address
        return ""
    if parts.scheme not in ("http", "https") or not parts.netloc or len(url) > 2000:
        return ""
    return quote(url, safe="%/:?#[]@!$&'()*+,;=~-._")
