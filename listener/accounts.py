"""What a roster's cell says of an account → the platform and its native id, where the cell holds it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from unicodedata import normalize
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from listener.text.quotes import line_of

# Platform → what it is called in headers and cells.
PLATFORMS = {
    "weibo": ("weibo", "微博", "新浪微博", "sinaweibo", "wb"),
    "xiaohongshu": ("xiaohongshu", "小红书", "红书", "小红薯", "xhs", "rednote"),
    "douyin": ("douyin", "抖音", "dy"),
    "bilibili": ("bilibili", "b站", "哔哩哔哩", "哔哩", "bili"),
    "zhihu": ("zhihu", "知乎"),
    "kuaishou": ("kuaishou", "快手", "ks"),
    "douban": ("douban", "豆瓣"),
    "tieba": ("tieba", "贴吧", "百度贴吧"),
}
_CALLED = {called: platform for platform, names in PLATFORMS.items() for called in names}

# What a native id looks like where people also write other things (a nickname, a number that only the app knows).
_NATIVE = {
    "weibo": re.compile(r"\d{5,12}"),
    "xiaohongshu": re.compile(r"[0-9a-f]{24}"),
    "douyin": re.compile(r"MS4wLjAB[\w-]{20,}"),
    "bilibili": re.compile(r"\d{1,19}"),
    "zhihu": re.compile(r"[A-Za-z0-9_.-]+"),
    "kuaishou": re.compile(r"3x[0-9a-z]{10,}"),
    "douban": re.compile(r"\d{5,}"),
    "tieba": re.compile(r"tb\.1\.[\w.-]+"),
}
_SHOWN_NUMBER = frozenset({"xiaohongshu", "douyin", "kuaishou"})  # their 号 is not the id that posts carry
_SHORT = frozenset({"xhslink.com", "v.douyin.com", "b23.tv", "t.cn", "v.kuaishou.com", "bili2233.cn", "dwz.cn", "url.cn"})
_LINK = re.compile(r"(?:https?://)?(?:[a-z0-9-]+\.)+[a-z]{2,}/[^\s，。；、（）()<>\"'【】]*", re.IGNORECASE)
_DAMAGED = re.compile(r"\d(?:\.\d+)?E\+?\d+", re.IGNORECASE)
_UID = re.compile(r"^(?:uid|id|账号|用户)\s*[:：]?\s*(?=\w)", re.IGNORECASE)

# Site → pattern of the path that holds the id (first group).
_PATHS: tuple[tuple[str, str, re.Pattern[str]], ...] = (
    ("weibo.com", "weibo", re.compile(r"/(?:u/|profile/|p/100505)?(\d{5,12})(?:/.*)?")),
    ("weibo.cn", "weibo", re.compile(r"/(?:u/|profile/|p/100505)?(\d{5,12})(?:/.*)?")),
    ("xiaohongshu.com", "xiaohongshu", re.compile(r"/user/profile/([0-9a-f]{24})(?:/.*)?")),
    ("space.bilibili.com", "bilibili", re.compile(r"/(\d+)(?:/.*)?")),
    ("bilibili.com", "bilibili", re.compile(r"/space/(\d+)(?:/.*)?")),
    ("douyin.com", "douyin", re.compile(r"/(?:share/)?user/(MS4wLjAB[\w-]+)(?:/.*)?")),
    ("iesdouyin.com", "douyin", re.compile(r"/share/user/(MS4wLjAB[\w-]+)(?:/.*)?")),
    ("zhihu.com", "zhihu", re.compile(r"/(?:people|org)/([A-Za-z0-9_.-]+)(?:/.*)?")),
    ("kuaishou.com", "kuaishou", re.compile(r"/profile/(3x[0-9a-z]+)(?:/.*)?")),
    ("douban.com", "douban", re.compile(r"/people/([A-Za-z0-9_.-]+)(?:/.*)?")),
)


@dataclass(frozen=True, slots=True)
class Handle:
    """What is known of an account. account_id: native, "" where it is not known; then ``why`` says what was there instead:

    short-link, no-id-in-link, unknown-site, nickname-only, shown-number (a 小红书号 or 抖音号), damaged-number, odd-length
    (a number that is too short or too long for the platform's own).
    """

    platform: str
    account_id: str = ""
    nickname: str = ""
    url: str = ""
    why: str = ""


def resolve_link(url: str) -> Handle:
    """The account that a profile's address leads to.

    >>> resolve_link("https://weibo.com/u/1234567890?refer=x").account_id
    '1234567890'
    >>> resolve_link("https://xhslink.com/m/AbC").why
    'short-link'
    """
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
    except ValueError:
        return Handle("", url=url, why="unknown-site")
    host = (parts.hostname or "").removeprefix("www.")
    if host in _SHORT:
        return Handle("", url=url, why="short-link")
    for site, platform, pattern in _PATHS:
        if host == site or host.endswith(f".{site}"):
            if match := pattern.fullmatch(parts.path.rstrip("/")):
                return Handle(platform, match[1], url=f"https://{parts.netloc}{parts.path}")  # without the tokens behind "?"
            return _without_id(platform, parts, url)
    if host == "tieba.baidu.com":
        portrait = line_of(parse_qs(parts.query).get("id", [""])[0].partition("?")[0])
        return Handle("tieba", portrait, url=url) if portrait else _without_id("tieba", parts, url)
    return Handle("", url=url, why="unknown-site")


def _without_id(platform: str, parts: SplitResult, url: str) -> Handle:
    """A page of the platform whose address holds at most a nickname (weibo.com/n/…)."""
    match = re.fullmatch(r"/n/([^/]+)/?", unquote(parts.path))
    nickname = line_of(match[1] if match else parse_qs(parts.query).get("un", [""])[0])  # unquoted, it may hold anything
    return Handle(platform, nickname=nickname, url=url, why="nickname-only" if nickname else "no-id-in-link")


def links_in(text: str) -> list[str]:
    """The addresses in a cell, which may hold what an app's "share" button copied around them.

    >>> links_in("小红的主页 https://space.bilibili.com/7?x=1，复制打开")
    ['https://space.bilibili.com/7?x=1']
    """
    return [match[0] for match in _LINK.finditer(text)]


def handles_in(text: str, platform: str, *, is_id: bool = False, is_nickname: bool = False) -> list[Handle]:
    """The accounts that a cell speaks of, in a column of ``platform`` ("" for any).

    is_id: the column is said to hold native ids, so anything whole is one. is_nickname: it holds nicknames only.

    >>> handles_in("UID：1234567890", "weibo")[0].account_id
    '1234567890'
    >>> handles_in("9501234567", "xiaohongshu")[0].why
    'shown-number'
    """
    if links := links_in(text):
        found = [resolve_link(link) for link in links]
        return [h if h.platform else Handle(platform, url=h.url, why=h.why) for h in found]
    text = normalize("NFKC", text)
    if is_nickname:
        return [Handle(platform, nickname=text.lstrip("@"), why="nickname-only")]
    if _DAMAGED.fullmatch(text):
        return [Handle(platform, why="damaged-number")]
    bare = _UID.sub("", text)
    native = _NATIVE.get(platform)
    if is_id or native is None or native.fullmatch(bare):
        return [Handle(platform, bare)]
    if platform in _SHOWN_NUMBER and re.fullmatch(r"[\w.-]+", text, re.ASCII):
        return [Handle(platform, why="shown-number")]
    if bare.isdecimal():
        return [Handle(platform, why="odd-length")]
    return [Handle(platform, nickname=text.lstrip("@"), why="nickname-only")]


def is_native(platform: str, account_id: str) -> bool:
    """Whether an id has the shape of the platform's own, or the platform's shape is not known."""
    native = _NATIVE.get(platform)
    return native is None or native.fullmatch(account_id) is not None


def platform_named(text: str) -> str:
    """The platform that a cell or a header's beginning names; other names stay as they are, in lower case.

    >>> platform_named("小红书"), platform_named("Forum")
    ('xiaohongshu', 'forum')
    """
    name = normalize("NFKC", text).strip().lower()
    return _CALLED.get(name.replace(" ", ""), name)


def split_header(header: str) -> tuple[str, str]:
    """(platform, the rest) of a folded header; ("", header) where it names none.

    >>> split_header("小红书主页链接"), split_header("备注")
    (('xiaohongshu', '主页链接'), ('', '备注'))
    """
    for called in sorted(_CALLED, key=len, reverse=True):
        rest = header.removeprefix(called)
        if rest != header and not (called.isascii() and rest[:1].isascii() and rest[:1].isalpha() and len(called) < 3):
            return _CALLED[called], rest
    return "", header
