"""Retention: what is past its horizon goes, what was found in it stays.

A raw record goes after some days; strangers' sooner than KOCs'. A text goes with its revisions and with the words of its
media, but its mentions stay, so that every history, mood and alert is as before. A post without its text is never made
stale again: there is nothing to make mentions from, and it keeps those it has, of the model that made them.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, exists, select, update

from storage.codec import cues_of, dumps, media_of
from storage.database import among, chunks
from storage.tables import accounts, mentions, post_raws, post_texts, posts

_ON_ROSTER = exists().where(accounts.c.author_key == posts.c.author_key)


def purge_raws(connection: Connection, before: int, limit: int, *, kocs: bool) -> int:
    """Take up to ``limit`` raw records stored before that: of authors on the roster, or of all others."""
    query = select(post_raws.c.post).join(posts, posts.c.id == post_raws.c.post).where(post_raws.c.stored_at < before)
    query = query.where(_ON_ROSTER if kocs else ~_ON_ROSTER).order_by(post_raws.c.post).limit(limit)
    rows = list(connection.execute(query).scalars())
    for ids in chunks(rows):
        connection.execute(delete(post_raws).where(among(post_raws.c.post, ids)))
    return len(rows)


def purge_texts(connection: Connection, before: int, limit: int) -> int:
    """Take the texts of up to ``limit`` posts stored before that; a stale post keeps its text until its mentions are made."""
    due = select(posts.c.id, posts.c.media).where(
        posts.c.text_purged.is_(False), posts.c.stored_at < before, posts.c.version == posts.c.scored_version
    )
    found = connection.execute(due.order_by(posts.c.id).limit(limit).with_for_update(key_share=True)).all()
    for some in chunks(found):
        ids = [row.id for row in some]
        connection.execute(update(posts).where(among(posts.c.id, ids)).values(text="", text_purged=True))
        for row in some:
            if row.media != "[]":
                wordless = dumps([(media.kind, media.url, "", "") for media in media_of(row.media)])
                connection.execute(update(posts).where(posts.c.id == row.id).values(media=wordless))
        connection.execute(update(post_texts).where(among(post_texts.c.post, ids)).values(text=""))
        _take_cue_words(connection, ids)
    return len(found)


def _take_cue_words(connection: Connection, ids: Sequence[int]) -> None:
    """Of the cues that texts gave, the codes stay, which judgments stand on; the quoted words go with the text."""
    key = (mentions.c.post, mentions.c.brand, mentions.c.target)
    for row in connection.execute(
        select(*key, mentions.c.cues).where(among(mentions.c.post, ids), mentions.c.cues != "[]")
    ).all():
        wordless = dumps([(cue.code, "") for cue in cues_of(row.cues)])
        this = (mentions.c.post == row.post, mentions.c.brand == row.brand, mentions.c.target == row.target)
        connection.execute(update(mentions).where(*this).values(cues=wordless))
