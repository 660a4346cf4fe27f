"""The platform's posts and comments as RSS, Atom and JSON Feed."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import Protocol


class _Post(Protocol):
    @property
    def post_id(self) -> str: ...
    @property
    def author_id(self) -> str: ...
    @property
    def author_name(self) -> str: ...
    @property
    def posted_at(self) -> datetime: ...
    @property
    def text(self) -> str: ...


class _Comment(Protocol):
    @property
    def comment_id(self) -> str: ...
    @property
    def post_id(self) -> str: ...
    @property
    def author_name(self) -> str: ...
    @property
    def posted_at(self) -> datetime: ...
    @property
    def text(self) -> str: ...


def feed_of(
    kind: str, query: Mapping[str, str], home: str, posts: Sequence[_Post], comments: Sequence[_Comment]
) -> tuple[int, str, bytes]:
    """Status, content type and body of ``/feed/rss``, ``/feed/atom``, ``/feed/json`` or ``/feed/comments``.

    Parameters: ``q`` (words in the text), ``author`` (an id), ``limit``, ``encoding`` (of RSS, as its declaration says)."""
    words, author, limit = query.get("q", ""), query.get("author"), int(query.get("limit", "20"))
    found = [post for post in posts if words in post.text and author in (None, post.author_id)][:limit]
    encoding = query.get("encoding", "utf-8")
    if kind == "rss":
        return 200, "application/rss+xml", _rss(found, home, encoding).encode(encoding, "xmlcharrefreplace")
    if kind == "atom":
        return 200, "application/atom+xml; charset=utf-8", _atom(found, home).encode()
    if kind == "json":
        return 200, "application/feed+json", json.dumps(_json(found, home), ensure_ascii=False).encode()
    if kind == "comments":
        return 200, "application/rss+xml; charset=utf-8", _comments(comments[:limit], home).encode()
    return 404, "text/html", b""


def _rss(posts: Sequence[_Post], home: str, encoding: str) -> str:
    items = "".join(
        f"<item><title>{html.escape(post.text[:20])}</title><link>{home}/detail/{post.post_id}</link>"
        f'<guid isPermaLink="false">{post.post_id}</guid><dc:creator>{html.escape(post.author_name)}</dc:creator>'
        f"<pubDate>{format_datetime(post.posted_at)}</pubDate><description>{html.escape(_html(post))}</description></item>"
        for post in posts
    )
    return (
        f'<?xml version="1.0" encoding="{encoding}"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<channel><title>平台</title><link>{home}</link><description>平台</description>{items}</channel></rss>"
    )


def _atom(posts: Sequence[_Post], home: str) -> str:
    entries = "".join(
        f"<entry><title>{html.escape(post.text[:20])}</title><id>{home}/detail/{post.post_id}</id>"
        f'<link href="{home}/detail/{post.post_id}"/><author><name>{html.escape(post.author_name)}</name></author>'
        f"<published>{post.posted_at.isoformat()}</published><updated>{post.posted_at.isoformat()}</updated>"
        f'<content type="html">{html.escape(_html(post))}</content></entry>'
        for post in posts
    )
    return (
        f'<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom"><title>平台</title>{entries}</feed>'
    )


def _json(posts: Sequence[_Post], home: str) -> dict[str, object]:
    items = [
        {
            "id": post.post_id,
            "url": f"{home}/detail/{post.post_id}",
            "content_html": _html(post),
            "date_published": post.posted_at.isoformat(),
            "authors": [{"name": post.author_name, "url": f"{home}/u/{post.author_id}"}],
        }
        for post in posts
    ]
    return {"version": "https://jsonfeed.org/version/1.1", "title": "平台", "home_page_url": home, "items": items}


def _comments(comments: Sequence[_Comment], home: str) -> str:
    items = "".join(
        f"<item><title>评论</title><link>{home}/detail/{comment.post_id}#comment-{comment.comment_id}</link>"
        f'<guid isPermaLink="false">{comment.comment_id}</guid><dc:creator>{html.escape(comment.author_name)}</dc:creator>'
        f'<thr:in-reply-to ref="{comment.post_id}" href="{home}/detail/{comment.post_id}"/>'
        f"<pubDate>{format_datetime(comment.posted_at)}</pubDate>"
        f"<description>{html.escape(html.escape(comment.text, quote=False))}</description></item>"
        for comment in comments
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:thr="http://purl.org/syndication/thread/1.0">'
        f"<channel><title>评论</title><link>{home}</link><description>评论</description>{items}</channel></rss>"
    )


def _html(post: _Post) -> str:
    return "".join(f"<p>{html.escape(line, quote=False)}</p>" for line in post.text.split("\n"))
