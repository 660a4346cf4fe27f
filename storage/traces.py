"""What alerts of others, or of a brand, still say of a person who is erased: taken out, of those superseded as well."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Set
from typing import Any

from sqlalchemy import Connection, or_, select, update

from storage.codec import json_of, json_text, keys_of, keys_text
from storage.database import among, chunks
from storage.records import PostKey
from storage.tables import alerts, posts


def forget_in_alerts(connection: Connection, koc_id: str, author_keys: Collection[str]) -> int:
    """Take a person's posts and identity out of the evidence of every alert of others; returns how many had some."""
    own = _posts_of(connection, author_keys)
    marks = {*author_keys, *(f"{one.platform}:{one.post_id}" for one in own), *({koc_id} if koc_id else ())}
    found = []
    is_others = or_(alerts.c.koc_id == "", alerts.c.koc_id != koc_id)
    for row in connection.execute(select(alerts.c.key, alerts.c.evidence, alerts.c.posts).where(is_others)):
        told, quoted = json_of(row.evidence), keys_of(row.posts)
        left, others = _without(told, marks), tuple(key for key in quoted if key not in own)
        if left != told or others != quoted:
            found.append((row.key, json_text(left), keys_text(others)))
    for key, evidence, quoted_text in found:
        connection.execute(update(alerts).where(alerts.c.key == key).values(evidence=evidence, posts=quoted_text))
    return len(found)


def _posts_of(connection: Connection, author_keys: Collection[str]) -> frozenset[PostKey]:
    query = select(posts.c.platform, posts.c.post_id)
    return frozenset(
        PostKey(row.platform, row.post_id)
        for some in chunks(sorted(author_keys))
        for row in connection.execute(query.where(among(posts.c.author_key, some)))
    )


def _without(told: Mapping[str, Any], marks: Set[str]) -> dict[str, Any]:
    """Evidence in which nothing names the person: what is listed of them is left out, what else names them is empty.

    >>> _without({"chain": [{"critic": "K1"}, {"critic": "K2"}], "koc": "K1", "p": 0.01}, {"K1"})
    {'chain': [{'critic': 'K2'}], 'koc': '', 'p': 0.01}
    """
    return {key: _cleared(value, marks) for key, value in told.items()}


def _cleared(value: Any, marks: Set[str]) -> Any:
    if isinstance(value, dict):
        return _without(value, marks)
    if isinstance(value, list):
        return [_cleared(each, marks) for each in value if marks.isdisjoint(_words_in(each))]
    return "" if isinstance(value, str) and value in marks else value


def _words_in(value: Any) -> Iterator[str]:
    """Every text in a value; a pair of a platform and an id, as posts are named, counts as one as well."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _words_in(each)
    elif isinstance(value, list):
        if len(value) == 2 and all(isinstance(each, str) for each in value):
            yield f"{value[0]}:{value[1]}"
        for each in value:
            yield from _words_in(each)
