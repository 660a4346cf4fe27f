"""Items of one post → what is stored of it. Joining is commutative, associative and idempotent, so no order of arrival shows.

The post's fields are those of its *first* item: least (seen_at, text hash, raw hash), then the fields themselves. Sources
are a union; each text has the span in which it was seen; counters of one instant are joined by their greatest values.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from storage.codec import clean, media_text, names_of, names_text, us
from storage.records import Post

Row: TypeAlias = dict[str, Any]
Tally: TypeAlias = tuple[int | None, int | None, int | None, int | None]  # likes, comments, reposts, views

# What the mentions of a post are made from, besides its parents: a change makes it stale.
FIRST = (
    "first_seen_at", "text_hash", "raw_sha256", "kind", "url", "author_key", "posted_at", "parent_id", "root_id", "media",
    "text",
)  # fmt: skip
# What the mentions of its children are made from.
SEEN_BY_CHILDREN = ("text", "author_key", "sources")


@dataclass(slots=True)
class Text:
    """A text of a post and the span in which it was seen, microseconds UTC."""

    text: str
    first_seen_at: int
    last_seen_at: int


@dataclass(slots=True)
class Joined:
    """What several items say together of one post. ``first``: columns of the posts table, ``raw``: of the first item."""

    first: Row
    raw: bytes
    sources: set[str]
    texts: dict[str, Text] = field(default_factory=dict)
    counts: dict[int, Tally] = field(default_factory=dict)
    items: int = 1

    @property
    def last_seen_at(self) -> int:
        return max(text.last_seen_at for text in self.texts.values())


def order_of(row: Row) -> tuple[Any, ...]:
    """What decides which of two items is the first: no secret, no order of arrival."""
    return tuple([row[name] or "" for name in FIRST])


def greatest(a: int | None, b: int | None) -> int | None:
    """
    >>> greatest(None, 3), greatest(4, 3), greatest(None, None)
    (3, 4, None)
    """
    if a is None or b is None:
        return b if a is None else a
    return max(a, b)


def joined_counts(a: Tally, b: Tally) -> Tally:
    return (greatest(a[0], b[0]), greatest(a[1], b[1]), greatest(a[2], b[2]), greatest(a[3], b[3]))


def row_of(post: Post) -> Row:
    """The columns of the posts table that come from an item."""
    key = post.key
    return {
        "platform": clean(key.platform),
        "post_id": clean(key.post_id),
        "kind": post.kind,
        "author_key": post.author_key,
        "url": clean(post.url),
        "posted_at": us(post.posted_at),
        "parent_id": clean(post.parent_id) if post.parent_id else None,
        "root_id": clean(post.root_id) if post.root_id else None,
        "text": clean(post.text),
        "text_hash": post.text_hash,
        "media": media_text(post.media),
        "raw_sha256": post.raw_sha256,
        "first_seen_at": us(post.seen_at),
    }


def joined(posts: Iterable[Post]) -> dict[tuple[str, str], Joined]:
    """Items by post, in key order, the items of each joined."""
    found: dict[tuple[str, str], Joined] = {}
    for post in posts:
        row = row_of(post)
        key = (row["platform"], row["post_id"])
        item = Joined(row, post.raw, {post.source})
        seen_at = row["first_seen_at"]
        item.texts[row["text_hash"]] = Text(row["text"], seen_at, seen_at)
        counts = post.counts
        tally = (counts.likes, counts.comments, counts.reposts, counts.views)
        if tally != (None, None, None, None):
            item.counts[seen_at] = tally
        found[key] = join(found[key], item) if key in found else item
    return dict(sorted(found.items()))


def join(a: Joined, b: Joined) -> Joined:
    """Both together."""
    first = a if order_of(a.first) <= order_of(b.first) else b
    both = Joined(first.first, first.raw, a.sources | b.sources, dict(a.texts), dict(a.counts), a.items + b.items)
    for text_hash, text in b.texts.items():
        both.texts[text_hash] = span_of(both.texts.get(text_hash), text)
    for seen_at, tally in b.counts.items():
        both.counts[seen_at] = joined_counts(both.counts[seen_at], tally) if seen_at in both.counts else tally
    return both


def span_of(a: Text | None, b: Text) -> Text:
    if a is None:
        return b
    return Text(a.text, min(a.first_seen_at, b.first_seen_at), max(a.last_seen_at, b.last_seen_at))


@dataclass(frozen=True, slots=True)
class Step:
    """What a stored post becomes: columns that change, whether it is stale then, whether its children are, texts to write."""

    columns: Row
    stale: bool
    children_stale: bool
    new_raw: bool
    texts: dict[str, Text]


def step_of(stored: Row, item: Joined) -> Step:
    """What a stored post (a row of the posts table) becomes with what was seen of it again."""
    columns: Row = {}
    last_seen_at = max(stored["last_seen_at"], item.last_seen_at)
    if last_seen_at != stored["last_seen_at"]:
        columns["last_seen_at"] = last_seen_at
    sources = names_text(frozenset(names_of(stored["sources"])) | item.sources)
    if sources != stored["sources"]:
        columns["sources"] = sources
    if stored["text_purged"]:  # its texts' time is over: nothing brings them back, and without them nothing is made again
        return Step(columns, False, False, False, {})
    newly_first = order_of(item.first) < order_of(stored)
    if newly_first:
        columns |= {name: item.first[name] for name in FIRST if item.first[name] != stored[name]}
    texts: dict[str, Text] = {}
    newly_edited = not stored["edited"] and item.texts.keys() != {stored["text_hash"]}
    if newly_edited:
        columns["edited"] = True
        texts[stored["text_hash"]] = Text(stored["text"], stored["first_seen_at"], stored["last_seen_at"])
    if stored["edited"] or newly_edited:
        for text_hash, text in item.texts.items():
            texts[text_hash] = span_of(texts.get(text_hash), text)
    moved = columns.keys() - {"last_seen_at", "edited", "first_seen_at", "raw_sha256"}
    return Step(columns, bool(moved), not moved.isdisjoint(SEEN_BY_CHILDREN), newly_first, texts)
