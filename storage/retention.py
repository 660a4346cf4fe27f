"""Retention: what is past its horizon goes, what was found in it stays.

A raw record goes after some days; strangers' sooner than KOCs'. A text goes with its revisions and with the words of its
media, but its mentions stay, so that every history, mood and alert is as before. A post without its text is never made
stale again: there is nothing to make mentions from, and it keeps those it has, of the model that made them.

What is due is found page by page, each from where the last one ended, by readers that keep nobody waiting: writers touch only
the rows that they are given, and look at them again.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, exists, select, update

from storage.codec import cues_of, dumps, media_of
from storage.database import among, chunks, lock
from storage.tables import account_keys, mentions, post_raws, post_texts, posts

_ON_ROSTER = exists().where(account_keys.c.author_key == posts.c.author_key)
_MAY_GO = (posts.c.text_purged.is_(False), posts.c.version == posts.c.scored_version)


def due_raws(connection: Connection, before: int, after: int, limit: int, *, kocs: bool) -> list[int]:
    """The first posts with a greater row than ``after`` whose raw record was stored before that: of authors on the roster, or
    of all others."""
    query = select(post_raws.c.post).join(posts, posts.c.id == post_raws.c.post)
    query = query.where(post_raws.c.post > after, post_raws.c.stored_at < before, _ON_ROSTER if kocs else ~_ON_ROSTER)
    return list(connection.execute(query.order_by(post_raws.c.post).limit(limit)).scalars())


def purge_raws(connection: Connection, rows: Sequence[int], *, kocs: bool) -> int:
    """Take the raw records of these posts, if their authors are still on the roster, or still not. Returns how many."""
    lock(connection, "roster", shared=True)  # or somebody who joins it meanwhile would lose as a stranger what a KOC keeps
    taken = 0
    for ids in chunks(rows):
        of_those = select(posts.c.id).where(among(posts.c.id, ids), _ON_ROSTER if kocs else ~_ON_ROSTER)
        taken += connection.execute(delete(post_raws).where(post_raws.c.post.in_(of_those))).rowcount
    return taken


def due_texts(connection: Connection, before: int, after: int, limit: int) -> list[int]:
    """The first posts with a greater row than ``after`` that were stored before that and still have their text. A stale post
    keeps it until its mentions are made."""
    query = select(posts.c.id).where(posts.c.id > after, posts.c.stored_at < before, *_MAY_GO)
    return list(connection.execute(query.order_by(posts.c.id).limit(limit)).scalars())


def purge_texts(connection: Connection, rows: Sequence[int]) -> int:
    """Take the texts of these posts, but of those that became stale meanwhile. Returns how many."""
    taken = 0
    for some in chunks(rows):
        query = select(posts.c.id, posts.c.media).where(among(posts.c.id, some), *_MAY_GO).order_by(posts.c.id)
        found = connection.execute(query.with_for_update(key_share=True)).all()
        ids = [row.id for row in found]
        connection.execute(update(posts).where(among(posts.c.id, ids)).values(text="", text_purged=True))
        for row in found:
            if row.media != "[]":
                wordless = dumps([(media.kind, media.url, "", "") for media in media_of(row.media)])
                connection.execute(update(posts).where(posts.c.id == row.id).values(media=wordless))
        connection.execute(update(post_texts).where(among(post_texts.c.post, ids)).values(text=""))
        _take_cue_words(connection, ids)
        taken += len(ids)
    return taken


def _take_cue_words(connection: Connection, ids: Sequence[int]) -> None:
    """Of the cues that texts gave, the codes stay, which judgments stand on; the quoted words go with the text."""
    key = (mentions.c.post, mentions.c.brand, mentions.c.target)
    for row in connection.execute(
        select(*key, mentions.c.cues).where(among(mentions.c.post, ids), mentions.c.cues != "[]")
    ).all():
        wordless = dumps([(cue.code, "") for cue in cues_of(row.cues)])
        this = (mentions.c.post == row.post, mentions.c.brand == row.brand, mentions.c.target == row.target)
        connection.execute(update(mentions).where(*this).values(cues=wordless))
