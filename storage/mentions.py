"""Stale posts out, their mentions in: one mechanism for new posts, late parents, edited firsts, new brands and a new model.

A post is stale while its ``version`` is not its ``scored_version``. Mentions are stored only if the version they were made
for is still the post's; with them go the differences of the brand's mood and the marks of the KOCs they touch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, and_, delete, func, select, update

from storage import crowds, moods, prepare
from storage.codec import cues_text, media_of, names_of, units, when
from storage.database import AnyRow, among, chunks, insert_all, lock
from storage.dirty import kocs_by_author, mark
from storage.records import ACCUSATION, Mention, ParentPost, PostKey, StalePost
from storage.tables import mentions, posts

_STALE = posts.c.version != posts.c.scored_version
_FIELDS = (
    posts.c.id, posts.c.version, posts.c.platform, posts.c.post_id, posts.c.kind, posts.c.author_key, posts.c.posted_at,
    posts.c.text, posts.c.media, posts.c.sources, posts.c.parent_id, posts.c.root_id,
)  # fmt: skip


def stale(connection: Connection, limit: int, first: Sequence[int] = ()) -> list[StalePost]:
    """Up to ``limit`` stale posts with what their mentions are made from; of the rows ``first`` if these hold any."""
    found: list[AnyRow] = []
    for rows in chunks(first[:limit]):
        found += connection.execute(select(*_FIELDS).where(_STALE, among(posts.c.id, rows)).order_by(posts.c.id)).all()
    if not found:
        found = list(connection.execute(select(*_FIELDS).where(_STALE).order_by(posts.c.id).limit(limit)).all())
    parents = _parents(connection, found)
    return [
        StalePost(
            row.id,
            row.version,
            PostKey(row.platform, row.post_id),
            row.kind,
            row.author_key,
            when(row.posted_at),
            row.text,
            media_of(row.media),
            names_of(row.sources),
            tuple(parents[key] for key in _parent_keys(row) if key in parents),
        )
        for row in found
    ]


def count_stale(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(posts).where(_STALE)).scalar_one()


def _parent_keys(row: AnyRow) -> list[tuple[str, str]]:
    """Keys of a post's parent and root, each once, never itself."""
    ids = [i for i in dict.fromkeys((row.parent_id, row.root_id)) if i is not None and i != row.post_id]
    return [(row.platform, post_id) for post_id in ids]


def _parents(connection: Connection, children: Iterable[AnyRow]) -> dict[tuple[str, str], ParentPost]:
    wanted: dict[str, set[str]] = {}
    for child in children:
        for platform, post_id in _parent_keys(child):
            wanted.setdefault(platform, set()).add(post_id)
    fields = (
        posts.c.id,
        posts.c.platform,
        posts.c.post_id,
        posts.c.text,
        posts.c.author_key,
        posts.c.sources,
        posts.c.text_purged,
    )
    found: list[AnyRow] = []
    for platform, ids in sorted(wanted.items()):
        for some in chunks(sorted(ids)):
            found += connection.execute(select(*fields).where(posts.c.platform == platform, among(posts.c.post_id, some))).all()
    brands = _brands_of(connection, [row.id for row in found if row.text_purged])
    return {
        (row.platform, row.post_id): ParentPost(
            PostKey(row.platform, row.post_id), row.text, row.author_key, names_of(row.sources), tuple(brands.get(row.id, ()))
        )
        for row in found
    }


def _brands_of(connection: Connection, rows: Sequence[int]) -> dict[int, list[str]]:
    """The brands that posts were found to speak of themselves; what they only inherited they pass on to nobody."""
    brands: dict[int, list[str]] = {}
    for ids in chunks(rows):
        is_own = and_(mentions.c.is_rival.is_(False), mentions.c.via != "parent")
        query = select(mentions.c.post, mentions.c.brand).where(among(mentions.c.post, ids), is_own)
        for row, brand in connection.execute(query.order_by(mentions.c.post, mentions.c.brand)):
            brands.setdefault(row, []).append(brand)
    return brands


def put(
    connection: Connection,
    made: Sequence[tuple[StalePost, Sequence[Mention]]],
    zone: ZoneInfo,
    made_with: dict[str, str] | None,
) -> None:
    """Store the mentions of posts whose version is still the one they were made for; the others stay stale.

    made_with: the brands, model and time zone that this process works with. Raises SettingsChanged where others hold by now."""
    # Shared with other writers of mentions, against changes of the roster: whoever holds an account now is marked below.
    lock(connection, "roster", shared=True)
    current = _lock_posts(connection, sorted({post.row for post, _ in made}))
    # Read after the posts are locked: a process that changes the settings makes every post stale before it says so.
    prepare.refuse_others(connection, made_with)
    valid = {post.row: (post, new) for post, new in made if _is_awaited(current.get(post.row), post)}
    if not valid:
        return
    ids = sorted(valid)
    differences: moods.Differences = {}
    turnover = crowds.Turnover(connection, current)
    turnover.take([row for row in ids if current[row].scored_version])
    touched, accusing = _take_old(connection, [row for row in ids if current[row].scored_version], current, differences)
    rows: list[dict[str, Any]] = []
    for row in ids:
        post, new = valid[row]
        day = when(current[row].posted_at).astimezone(zone).toordinal()
        for mention in new:
            values = _row_of(row, mention, day)
            rows.append(values)
            turnover.bring(row, mention)
            touched.add((post.author_key, mention.brand))
            if any(cue.code.startswith(ACCUSATION) for cue in mention.cues):
                accusing.add((row, mention.brand))
            if values["day"] is not None:
                moods.add(differences, (mention.brand, day), (1, values["against"], values["none"], values["favor"]))
    insert_all(connection, mentions, rows)
    turnover.write()
    for some in chunks(ids):
        connection.execute(update(posts).where(among(posts.c.id, some)).values(scored_version=posts.c.version))
    moods.write(connection, differences)
    touched |= _accused(connection, accusing)
    who = kocs_by_author(connection, (author for author, _ in touched))
    mark(connection, ((who[author], brand) for author, brand in touched if author in who))


def forget(connection: Connection, rows: Sequence[int]) -> None:
    """Take posts away with all that was found in them: moods, crowds and KOCs are as if nobody had heard them."""
    for ids in chunks(sorted(rows)):
        current = _lock_posts(connection, ids)
        scored = [row for row in sorted(current) if current[row].scored_version]
        differences: moods.Differences = {}
        turnover = crowds.Turnover(connection, current)
        turnover.take(scored)
        touched, accusing = _take_old(connection, scored, current, differences)
        touched |= _accused(connection, accusing)
        connection.execute(delete(posts).where(among(posts.c.id, sorted(current))))
        turnover.write()
        moods.write(connection, differences)
        who = kocs_by_author(connection, (author for author, _ in touched))
        mark(connection, ((who[author], brand) for author, brand in touched if author in who))


def _lock_posts(connection: Connection, rows: Sequence[int]) -> dict[int, AnyRow]:
    fields = (
        posts.c.id, posts.c.platform, posts.c.post_id, posts.c.version, posts.c.scored_version, posts.c.posted_at,
        posts.c.author_key, *crowds.FIELDS,
    )  # fmt: skip
    found: dict[int, AnyRow] = {}
    for ids in chunks(rows):
        query = select(*fields).where(among(posts.c.id, ids)).order_by(posts.c.id).with_for_update(key_share=True)
        found.update((row.id, row) for row in connection.execute(query))
    return found


def _is_awaited(row: AnyRow | None, post: StalePost) -> bool:
    """Whether mentions made for this version of the post are still wanted: not deleted, not changed, not put by another."""
    return (
        row is not None
        and row.version == post.version
        and row.scored_version != row.version
        and (row.platform, row.post_id) == (post.key.platform, post.key.post_id)
    )


def _take_old(
    connection: Connection, rows: Sequence[int], current: dict[int, AnyRow], differences: moods.Differences
) -> tuple[set[tuple[str, str]], set[tuple[int, str]]]:
    """Delete earlier mentions and take them out of the moods. Returns (author, brand) of all, and (post, brand) of those that
    accused somebody."""
    touched: set[tuple[str, str]] = set()
    accusing: set[tuple[int, str]] = set()
    fields = (
        mentions.c.post,
        mentions.c.brand,
        mentions.c.day,
        mentions.c.against,
        mentions.c.none,
        mentions.c.favor,
        mentions.c.cues.contains(f'["{ACCUSATION}').label("accuses"),
    )
    for ids in chunks(rows):
        for old in connection.execute(select(*fields).where(among(mentions.c.post, ids))):
            touched.add((current[old.post].author_key, old.brand))
            if old.accuses:
                accusing.add((old.post, old.brand))
            if old.day is not None:
                moods.add(differences, (old.brand, old.day), (-1, -old.against, -old.none, -old.favor))
        connection.execute(delete(mentions).where(among(mentions.c.post, ids)))
    return touched, accusing


def _accused(connection: Connection, accusing: Iterable[tuple[int, str]]) -> set[tuple[str, str]]:
    """Whose posts these answer: (author, brand)."""
    brands: dict[int, set[str]] = {}
    for row, brand in accusing:
        brands.setdefault(row, set()).add(brand)
    answered, found = posts.alias("answered"), set[tuple[str, str]]()
    is_parent = and_(answered.c.platform == posts.c.platform, answered.c.post_id == posts.c.parent_id)
    for ids in chunks(sorted(brands)):
        query = select(posts.c.id, answered.c.author_key).join(answered, is_parent).where(among(posts.c.id, ids))
        found.update((author, brand) for row, author in connection.execute(query) for brand in brands[row])
    return found


def _row_of(row: int, mention: Mention, day: int) -> dict[str, Any]:
    counted = not mention.is_rival and mention.own_words and mention.unscored is None
    return {
        "post": row,
        "brand": mention.brand,
        "target": mention.target,
        "is_rival": mention.is_rival,
        "via": mention.via,
        "day": day if counted else None,
        "neg": units(mention.neg),
        "neu": units(mention.neu),
        "pos": units(mention.pos),
        "favor": units(mention.favor),
        "against": units(mention.against),
        "none": units(mention.none),
        "cues": cues_text(mention.cues),
        "constructive": mention.constructive,
        "own_words": mention.own_words,
        "unscored": mention.unscored,
        "fingerprint": mention.fingerprint,
        "model": mention.model,
        "causes": " ".join(mention.causes),
    }
