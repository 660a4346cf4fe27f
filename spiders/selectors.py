"""HTML pages in any encoding, and what selectors catch on them. No network here.

A selector is CSS, with ``::attr(name)`` or ``::text`` where an element's text is not meant, and a regular expression after
``=~`` whose first group (or whole match) is what counts: ``"a.user::attr(href) =~ uid=(\\d+)"``. A list of them is tried in
order.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated

from cssselect.parser import SelectorError
from parsel import Selector as Node
from parsel.csstranslator import HTMLTranslator
from pydantic import AfterValidator, BeforeValidator

from spiders.values import text_of, tidy

_META = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9._:-]+)""", re.IGNORECASE)
_WIDER = {"gb2312": "gb18030", "gbk": "gb18030", "big5": "big5hkscs", "ascii": "utf-8", "iso8859-1": "cp1252"}
_ANYTHING = frozenset(("cp1252", "iso8859-15"))  # what decodes any bytes proves nothing
_CHARSET = re.compile(r"""charset\s*=\s*["']?([A-Za-z0-9._:-]+)""", re.IGNORECASE)


def html_of(body: bytes, content_type: str = "", encoding: str = "") -> str:
    """A page's text. encoding: where somebody knows better than the page; else its bytes are believed before its header and
    its ``<meta>``, which are often wrong. A page with some broken bytes keeps the rest.

    >>> html_of('<meta charset="gb2312"><p>續航不錯，镕</p>'.encode("gbk"))[-13:]
    '<p>續航不錯，镕</p>'
    >>> html_of("<p>續航不錯</p>".encode("big5"), "text/html; charset=big5")
    '<p>續航不錯</p>'
    >>> html_of('<meta charset="gbk"><p>好用'.encode("gbk") + bytes([255]) + "真的".encode("gbk"), "charset=utf-8")[-5:]
    '好用\ufffd真的'
    """
    for mark, name in ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if body.startswith(mark) and not encoding:
            return body[len(mark) :].decode(name, "replace")
    header, meta = _CHARSET.search(content_type), _META.search(body[:4096])
    named = [encoding] if encoding else [header[1] if header else "", meta[1].decode("ascii") if meta else ""]
    told = [name for name in map(_codec, named) if name]
    for name in [*told, "utf-8"] if encoding else ["utf-8", *sorted(told, key=_ANYTHING.__contains__), "gb18030", "big5hkscs"]:
        try:
            return body.decode(name)
        except UnicodeError:
            continue
    return body.decode(_likeliest(body, told), "replace")


def _codec(name: str) -> str:
    """A codec for a charset's name, the widest of its family; "" for a name that is none."""
    try:
        known = codecs.lookup(name).name
    except LookupError:
        return ""
    return _WIDER.get(known, known)


def _likeliest(body: bytes, told: Sequence[str]) -> str:
    """The codec that a broken page loses least in."""
    return min([*told, "utf-8"], key=lambda name: body.decode(name, "replace").count("\ufffd"))


def page_of(html: str) -> Node:
    """A page that selectors can be asked of.

    >>> first(page_of("<p>一<b>二</b></p>"), ("p",))
    '一二'
    """
    return Node(text=html.replace("\x00", "") or "<html></html>", type="html")


@lru_cache(maxsize=1024)
def parts_of(written: str) -> tuple[str, re.Pattern[str] | None]:
    """CSS and regular expression of a selector; raises ValueError, in words for whoever wrote it.

    >>> parts_of(r"a.user::attr(href) =~ uid=(\\d+)")[0]
    'a.user::attr(href)'
    >>> parts_of("a[href")
    Traceback (most recent call last):
    ValueError: 不是 CSS 选择器 / no CSS selector: 'a[href' (Operator expected, got <EOF at 6>)
    """
    css, _, pattern = written.partition("=~")
    css = css.strip()
    try:
        HTMLTranslator().css_to_xpath(css or "*")
    except (SelectorError, ValueError) as error:
        detail = " ".join(str(error).split())
        raise ValueError(f"不是 CSS 选择器 / no CSS selector: {css!r} ({detail})") from error
    try:
        return css, re.compile(pattern.strip()) if pattern.strip() else None
    except re.error as error:
        raise ValueError(f"不是正则表达式 / no regular expression: {pattern.strip()!r} ({error})") from error


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) and value.strip() else () if value == "" else value


def _checked(written: tuple[str, ...]) -> tuple[str, ...]:
    for one in written:
        parts_of(one)
    return written


Selectors = Annotated[tuple[str, ...], BeforeValidator(_listed), AfterValidator(_checked)]
"""A selector, or several in the order that they are tried; for pydantic models of options."""


def matches(page: Node, written: Sequence[str]) -> list[Node]:
    """The elements that the first selector catches that catches any."""
    found = (list(page.css(parts_of(one)[0])) for one in written)
    return next(filter(None, found), [])


def first(node: Node, written: Sequence[str]) -> str:
    """What the first selector that catches anything catches first, as a reader sees it; "" for nothing.

    >>> page = page_of('<li><a href="?uid=7&amp;x=1">小 鹿</a></li>')
    >>> first(page, ("li a",)), first(page, (r"li a::attr(href) =~ uid=(\\d+)",)), first(page, ("b", "a::text"))
    ('小 鹿', '7', '小 鹿')
    """
    return next(iter(all_of(node, written)), "")


def all_of(node: Node, written: Sequence[str]) -> list[str]:
    """All that the first selector catches that catches anything, as a reader sees it."""
    for one in written:
        css, pattern = parts_of(one)
        shown = (tidy(raw) if "::" in css else text_of(raw) for raw in node.css(css or "*").getall())
        found = [text for text in (_cut(text, pattern) for text in shown) if text]
        if found:
            return found
    return []


def _cut(text: str, pattern: re.Pattern[str] | None) -> str:
    match = pattern.search(text) if pattern else None
    if pattern is None or match is None:
        return "" if pattern else text
    return match[1] or "" if pattern.groups else match[0]


def html_in(node: Node, written: Sequence[str], drop: Sequence[str] = ()) -> str:
    """The HTML of all elements that the first selector catches that catches any, less what lies in ``drop``.

    >>> html_in(page_of("<p>a<q>b</q></p><p>c</p>"), ("p",), ("q",))
    '<p>a</p>\\n<p>c</p>'
    """
    for one in written:
        css, pattern = parts_of(one)
        if found := node.css(css).getall():
            whole = "\n".join(found)
            if "::" in css:
                return _escaped(_cut(whole, pattern))
            return _without(whole, drop) if drop else whole
    return ""


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("\n", "<br>")


def _without(html: str, drop: Sequence[str]) -> str:
    piece = Node(text=f"<body>{html}</body>", type="html")
    for one in drop:
        piece.css(parts_of(one)[0]).drop()
    body = piece.css("body").get() or ""
    return body.removeprefix("<body>").removesuffix("</body>")
