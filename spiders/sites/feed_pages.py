"""RSS, Atom and JSON Feed, in any encoding → items. No network here.

Post ids are the entries' own where those are unique in the world (addresses, ``tag:``, ``urn:``), else prefixed by host and
kind. Author ids are ``<host>:<name>``: what a feed tells of its authors is a name, and names are local.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import feedparser

from spiders.errors import Changed
from spiders.items import Item, ItemMedia, Kind
from spiders.values import cleaned, count_of, json_from, link_of, text_of, tidy, time_of

PLATFORM = "feed"

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """When, in which zone and from which address a feed was read."""

    now: datetime
    zone: tzinfo
    url: str


@dataclass(frozen=True, slots=True)
class Feed:
    """items: in the feed's order. undated: ids of those whose time is only when they were seen. next: address of the page with
    older entries, "" where there is none. is_cut: the document breaks off; what was whole is there."""

    items: tuple[Item, ...]
    undated: frozenset[str]
    next: str = ""
    is_cut: bool = False


def feed_of(body: bytes, content_type: str, reading: Reading) -> Feed:
    """The entries of a feed of any kind. Raises Changed where it is none."""
    if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        return _json_feed(body, reading)
    text = decoded(body, charset_of(content_type))
    found = feedparser.parse(
        io.BytesIO(_DECLARATION.sub("", text, count=1).encode()),
        response_headers={"content-type": "application/xml; charset=utf-8"},  # no address: links are made absolute here
    )
    if not found.get("version") and not found.entries:
        raise Changed(f"不是 RSS、Atom 或 JSON Feed / no feed: {reading.url}", body=body)
    is_cut = not _CLOSED.search(text)
    entries = found.entries[:-1] if is_cut else found.entries  # the last one may have lost half of its text
    about = _about(dict(found.feed), reading)
    items = tuple(_item(_Entry.of_feedparser(entry), about, reading) for entry in entries)
    return Feed(*_dated(items), next=_next_of(found, reading), is_cut=is_cut)


# --------------------------------------------------------------------------------------------------------- encodings

_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._:-]+)["']""")
_CHARSET = re.compile(r"""charset\s*=\s*["']?([A-Za-z0-9._:-]+)""", re.IGNORECASE)
_CLOSED = re.compile(r"</(?:\w+:)?(?:rss|feed|RDF|channel)\s*>|<(?:\w+:)?(?:rss|feed)\b[^>]*/>\s*$", re.IGNORECASE)
_WIDER = {"gb2312": "gb18030", "gbk": "gb18030", "big5": "big5hkscs", "ascii": "utf-8", "iso8859-1": "cp1252"}


def charset_of(content_type: str) -> str:
    """
    >>> charset_of("text/xml; charset=GB2312")
    'GB2312'
    """
    match = _CHARSET.search(content_type)
    return match[1] if match else ""


def decoded(body: bytes, charset: str) -> str:
    """A document's text. Its bytes are believed before its header and its declaration, which are often wrong: what is valid
    UTF-8 beyond ASCII is UTF-8. charset: of the HTTP header.

    >>> decoded('<?xml version="1.0" encoding="gb2312"?><t>测试</t>'.encode("gbk"), "")[-9:]
    '<t>测试</t>'
    >>> decoded("<t>测试</t>".encode(), "iso-8859-1")
    '<t>测试</t>'
    """
    for mark, name in ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace")
    match = _DECLARED.match(body)
    declared = match[1].decode("ascii") if match else ""
    stateful = [name for name in (charset, declared) if name.lower().startswith(("iso-2022", "hz", "utf-16", "utf-32"))]
    if b"\0" not in body[:200]:  # markup in UTF-16 or UTF-32 is full of them
        stateful = [name for name in stateful if not name.lower().startswith("utf")]
    for name in (*stateful, "utf-8", charset, declared, "gb18030", "big5hkscs"):
        try:
            return body.decode(_codec(name))
        except (UnicodeError, LookupError):
            continue
    return body.decode("utf-8", "replace")


def _codec(name: str) -> str:
    known = codecs.lookup(name).name
    return _WIDER.get(known, known)


# ----------------------------------------------------------------------------------------------------------- entries


@dataclass(frozen=True, slots=True)
class _About:
    """What the feed says of itself. is_comments: its entries answer something."""

    host: str
    title: str
    author: str
    link: str


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry, of whatever kind of feed. times: as written, best first. reply_ref, reply_href: what it says it answers."""

    entry_id: str
    link: str
    title: str
    html: str
    author: str
    times: tuple[Any, ...]
    raw: Json
    reply_ref: str = ""
    reply_href: str = ""
    comments: int | None = None
    media: tuple[ItemMedia, ...] = ()

    @classmethod
    def of_feedparser(cls, found: Any) -> _Entry:
        entry = dict(found)  # without feedparser's own answers for keys that are not there
        contents = [one.get("value") or "" for one in entry.get("content") or ()]
        reply = entry.get("thr_in-reply-to") or entry.get("in-reply-to") or {}
        reply = reply if isinstance(reply, Mapping) else {"ref": str(reply)}
        written = tuple(entry[key] for key in ("published", "created", "updated") if entry.get(key))
        return cls(
            entry_id=str(entry.get("id") or ""),
            link=str(entry.get("link") or ""),
            title=str(entry.get("title") or ""),
            html=max(contents, key=len, default="") or str(entry.get("summary") or ""),
            author=_name_of(entry),
            times=written,
            raw=_raw_of(entry),
            reply_ref=str(reply.get("ref") or ""),
            reply_href=str(reply.get("href") or ""),
            comments=count_of(entry.get("slash_comments") or entry.get("thr_total")),
            media=tuple(_enclosures(entry)),
        )

    @classmethod
    def of_json(cls, entry: Json) -> _Entry:
        authors = entry.get("authors") if isinstance(entry.get("authors"), list) else [entry.get("author")]
        names = [str(one["name"]) for one in authors or () if isinstance(one, Mapping) and one.get("name")]
        attached = entry.get("attachments")
        attached = attached if isinstance(attached, list) else ()
        media = [_media_of(one.get("mime_type"), one.get("url")) for one in attached if isinstance(one, Mapping)]
        media += [_media_of("image/", entry.get(key)) for key in ("image", "banner_image")]
        plain = entry.get("content_text")
        return cls(
            entry_id=str(entry.get("id") or ""),
            link=str(entry.get("url") or entry.get("external_url") or ""),
            title=str(entry.get("title") or ""),
            html=str(entry.get("content_html") or "") or _html_of(str(plain or entry.get("summary") or "")),
            author=names[0] if names else "",
            times=tuple(entry[key] for key in ("date_published", "date_modified") if entry.get(key)),
            raw=entry,
            media=tuple(one for one in media if one),
        )


def _name_of(entry: Any) -> str:
    detail = entry.get("author_detail")
    name = detail.get("name") if isinstance(detail, Mapping) else None
    return tidy(str(name or entry.get("author") or ""))


_KEPT = ("id", "link", "title", "author", "published", "updated", "created", "summary", "thr_in-reply-to", "slash_comments")


def _raw_of(entry: Any) -> Json:
    """The entry as evidence: what feedparser read, less what it derived."""
    raw = {key: entry[key] for key in _KEPT if isinstance(entry.get(key), (str, int, dict))}
    raw["content"] = [str(one.get("value") or "") for one in entry.get("content") or ()]
    raw["categories"] = [str(tag["term"]) for tag in entry.get("tags") or () if tag.get("term")]
    return {str(key): cleaned(value) for key, value in raw.items()}


def _html_of(plain: str) -> str:
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace("\n", "<br>")


def _about(feed: Any, reading: Reading) -> _About:
    host = urlsplit(reading.url).netloc.lower()
    return _About(host, text_of(str(feed.get("title") or "")), _name_of(feed), link_of(feed.get("link"), reading.url))


def _item(entry: _Entry, about: _About, reading: Reading) -> Item:
    link = link_of(entry.link, reading.url)
    host = urlsplit(link).netloc.lower() or about.host
    html, answered = _without_reply_note(entry.html)
    kind = _kind_of(entry, link, answered)
    title, body = text_of(entry.title), text_of(html)
    own = entry.entry_id or link
    post_id = id_of(own, host, kind) if own else id_of(f"{entry.times}{title}{body}", host, kind)
    parent_id, root_id = _parents(entry, about, host, answered, own, kind)
    posted_at = _posted_at(entry, reading)
    author = entry.author or about.author
    return Item(
        platform=PLATFORM,
        post_id=post_id,
        author_id=f"{host}:{author}" if author else host,
        author_name=author or about.title,
        posted_at=posted_at or reading.now,
        seen_at=reading.now,
        text=body if kind == "comment" and body else joined(title, body),
        url=link,
        kind=kind,
        parent_id=parent_id,
        root_id=root_id,
        comments=entry.comments,
        media=tuple(dict.fromkeys((*entry.media, *pictures_of(html, reading.url)))),
        raw=entry.raw if posted_at else {**entry.raw, "undated": True},
    )


def _posted_at(entry: _Entry, reading: Reading) -> datetime | None:
    """The first of its times that can be; one that lies ahead is a mistake of theirs."""
    for written in entry.times:
        at = time_of(written, now=reading.now, zone=reading.zone)
        if at is not None and at <= reading.now + timedelta(hours=1):
            return min(at, reading.now)
    return None


def _dated(items: tuple[Item, ...]) -> tuple[tuple[Item, ...], frozenset[str]]:
    return items, frozenset(item.post_id for item in items if item.raw and item.raw.get("undated"))


def id_of(own: str, host: str, kind: Kind) -> str:
    """
    >>> id_of("https://blog.example/7", "blog.example", "post"), id_of("7", "blog.example", "comment")
    ('https://blog.example/7', 'blog.example:comment:7')
    """
    own = tidy(own)
    return own if re.match(r"(?:https?://|tag:|urn:)", own) else f"{host}:{kind}:{own}"


_ANSWER_TITLE = re.compile(
    r"^\s*(?:reply to|comment on|comment #\d|\S+ commented on|by:|re:|回复|回覆|评论[:：]|[对對].*的(?:留言|评论))",
    re.IGNORECASE,
)
_REPLY_NOTE = re.compile(
    r"""^\s*(?:<p[^>]*>)?\s*(?:In reply to|回复给?|回覆)\s*<a[^>]+href=["']([^"']+)["'][^>]*>.*?</a>"""
    r"""\s*[.。:：]?\s*(?:</p>|<br\s*/?>)?""",
    re.IGNORECASE | re.DOTALL,
)
_FRAGMENT = re.compile(r"#(?:li-)?comment-?\d+$")


def _without_reply_note(html: str) -> tuple[str, str]:
    """A comment's own words, and the address of the comment that WordPress says it answers."""
    match = _REPLY_NOTE.match(html)
    return (html[match.end() :], match[1]) if match else (html, "")


def _kind_of(entry: _Entry, link: str, answered: str) -> Kind:
    is_answer = (
        entry.reply_ref
        or entry.reply_href
        or answered
        or _FRAGMENT.search(link)
        or _FRAGMENT.search(entry.entry_id)
        or _ANSWER_TITLE.match(entry.title)
    )
    return "comment" if is_answer else "post"


def _parents(entry: _Entry, about: _About, host: str, answered: str, own: str, kind: Kind) -> tuple[str | None, str | None]:
    """Ids of what an answer answers, and of what it all hangs under."""
    if kind != "comment":
        return None, None
    base, mark, _ = own.partition("#")
    root = id_of(base, host, "post") if mark and _FRAGMENT.search(own) else None
    if entry.reply_ref or entry.reply_href:
        parent = id_of(entry.reply_ref or entry.reply_href, host, "post")
        return parent, root or parent
    if answered and root:
        # the note has the comment's address, its id is made of the post's: https://blog.example/?p=25#comment-143
        fragment = _FRAGMENT.search(answered)
        return (base + fragment[0] if fragment else id_of(answered, host, "comment")), root
    return root or about.link or None, root or about.link or None


def joined(title: str, body: str) -> str:
    """Title and body as one text; a title that only repeats the body's start (microblogs) is left out.

    >>> joined("用了一周…", "用了一周，掉漆。"), joined("评测", "用了一周，掉漆。")
    ('用了一周，掉漆。', '评测\\n用了一周，掉漆。')
    """
    start = re.sub(r"\s+|(?:\.{3}|…)+$", "", title)
    if not body or not start:
        return body or title
    return body if re.sub(r"\s+", "", body).startswith(start) else f"{title}\n{body}"


# ------------------------------------------------------------------------------------------------------------- media


class _Pictures(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        is_emoji = values.get("alt", "").startswith("[") or "emoji" in values.get("class", "")
        if tag in ("img", "video", "audio") and values.get("src") and not is_emoji:
            kind = {"img": "image"}.get(tag, tag)
            self.found.append((kind, values["src"], values.get("alt") or values.get("title") or ""))


def pictures_of(html: str, base: str) -> Iterator[ItemMedia]:
    """Pictures, videos and sounds in a piece of HTML; emoji are none.

    >>> list(pictures_of('<img src="/a.jpg" alt="掉漆">', "https://blog.example"))
    [ItemMedia(kind='image', url='https://blog.example/a.jpg', caption='掉漆', text='')]
    """
    if "<" not in html:
        return
    parser = _Pictures()
    parser.feed(html)
    parser.close()
    for kind, source, caption in parser.found:
        if link := link_of(source, base):
            yield ItemMedia(kind, link, tidy(caption))


def _enclosures(entry: Any) -> Iterator[ItemMedia]:
    for one in (
        *(link for link in entry.get("links") or () if link.get("rel") == "enclosure"),
        *(entry.get("media_content") or ()),
    ):
        media = _media_of(one.get("type") or f"{one.get('medium') or ''}/", one.get("href") or one.get("url"))
        if media:
            yield media


def _media_of(mime: Any, url: Any) -> ItemMedia | None:
    kind, link = str(mime or "").split("/")[0], link_of(url)
    return ItemMedia(kind if kind in ("image", "video", "audio") else "card", link) if link else None


# ------------------------------------------------------------------------------------------------------------- paging


def _next_of(found: Any, reading: Reading) -> str:
    """RFC 5005's next page, or WordPress's."""
    for link in found.feed.get("links") or ():
        if link.get("rel") == "next":
            return link_of(link.get("href"), reading.url)
    if "wordpress" in str(found.feed.get("generator") or "").lower() and found.entries:
        parts = urlsplit(reading.url)
        query = dict(parse_qsl(parts.query))
        number = query.get("paged", "1")
        query["paged"] = str(int(number) + 1 if number.isdecimal() else 2)
        return urlunsplit(parts._replace(query=urlencode(query)))
    return ""


# ---------------------------------------------------------------------------------------------------------- JSON Feed


def _json_feed(body: bytes, reading: Reading) -> Feed:
    try:
        found = json_from(decoded(body, "").encode())
    except ValueError as error:
        raise Changed(f"不完整的 JSON Feed / broken JSON Feed: {reading.url}", body=body) from error
    entries = found.get("items") if isinstance(found, Mapping) else None
    if not isinstance(found, Mapping) or not isinstance(entries, list) or "jsonfeed.org" not in str(found.get("version")):
        raise Changed(f"是 JSON，但不是 JSON Feed / JSON, but no JSON Feed: {reading.url}", body=body)
    authors = found.get("authors") if isinstance(found.get("authors"), list) else [found.get("author")]
    names = [str(one["name"]) for one in authors or () if isinstance(one, Mapping) and one.get("name")]
    host = urlsplit(reading.url).netloc.lower()
    about = _About(host, tidy(str(found.get("title") or "")), names[0] if names else "", link_of(found.get("home_page_url")))
    items = tuple(_item(_Entry.of_json(entry), about, reading) for entry in entries if isinstance(entry, Mapping))
    return Feed(*_dated(items), next=link_of(found.get("next_url"), reading.url))
