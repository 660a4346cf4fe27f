"""Posts → rows: a batch of items is joined with what is stored, in one transaction; what it changes becomes stale."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, bindparam, case, func, or_, select, update

from storage import crowds
from storage.codec import names_text
from storage.crawls import write_marks
from storage.database import among, chunks, insert, insert_all, is_postgres, lock
from storage.merge import Joined, Row, Step, Text, joined, step_of
from storage.records import Added, Mark, Post
from storage.roster import mark_authors_dirty
from storage.tables import post_counts, post_raws, post_texts, posts
from storage.tombstones import kept_out

Pair = tuple[str, str]  # platform, post id
OF_AUTHOR = {"author_key", "posted_at", "kind"}  # what says which posts are an author's last before another


def add(connection: Connection, new: Sequence[Post], stored_at: int, marks: Sequence[Mark]) -> tuple[Added, list[int]]:
    """Store a batch and the marks of the crawl that brought it. Returns what it was, and the rows of new posts."""
    # One adder at a time: a child and its parent that come in two transactions at once would not see each other.
    lock(connection, "posts")
    out = kept_out(connection, [post.author_key for post in new])
    new = [post for post in new if post.author_key not in out] if out else new
    batch = joined(new)
    stored = _stored(connection, batch)
    fresh = {key: item for key, item in batch.items() if key not in stored}
    rows = _insert(connection, fresh, stored_at)
    steps = {key: step_of(row, batch[key]) for key, row in stored.items()}
    _apply(connection, steps, stored, {key: batch[key].raw for key in steps}, stored_at)
    edited = _write_texts(connection, fresh, rows, steps, stored)
    _write_counts(connection, ((rows[key], item) for key, item in fresh.items()), fresh=True)
    _write_counts(connection, ((stored[key]["id"], batch[key]) for key in steps), fresh=False)
    crowds.count_again(connection, [stored[key]["id"] for key in steps if batch[key].counts])
    counted = (item.first for item in batch.values() if item.counts)
    moved = (row for key, step in steps.items() if OF_AUTHOR & step.columns.keys() for row in (stored[key], step.columns))
    crowds.note_authors(
        connection,
        [
            *(first["author_key"] for first in counted if first["kind"] != "comment"),
            *(row["author_key"] for row in moved if "author_key" in row),
        ],
    )
    changed = [*fresh, *(key for key, step in steps.items() if step.children_stale)]
    stale_children(connection, changed, set(rows.values()))
    write_marks(connection, marks)
    return Added(len(fresh), len(new) - len(fresh), edited), list(rows.values())


def _stored(connection: Connection, batch: Iterable[Pair]) -> dict[Pair, Row]:
    """The rows of those posts that are stored, by key, locked."""
    found: dict[Pair, Row] = {}
    for platform, keys in groupby(sorted(batch), key=lambda key: key[0]):
        for ids in chunks([post_id for _, post_id in keys]):
            query = select(posts).where(posts.c.platform == platform, among(posts.c.post_id, ids)).order_by(posts.c.id)
            for row in connection.execute(query.with_for_update(key_share=True)).mappings():
                found[(row["platform"], row["post_id"])] = dict(row)
    return found


def _insert(connection: Connection, fresh: dict[Pair, Joined], stored_at: int) -> dict[Pair, int]:
    """Insert posts never seen before; their new rows by key."""
    if not fresh:
        return {}
    last = connection.execute(select(func.coalesce(func.max(posts.c.id), 0))).scalar_one()
    rows = {key: last + number for number, key in enumerate(fresh, 1)}
    insert_all(connection, posts, [_new_row(rows[key], item, stored_at) for key, item in fresh.items()])
    raws = [{"post": rows[key], "stored_at": stored_at, "raw": item.raw} for key, item in fresh.items()]
    insert_all(connection, post_raws, raws)
    return rows


def _new_row(row: int, item: Joined, stored_at: int) -> Row:
    return item.first | {
        "id": row,
        "last_seen_at": item.last_seen_at,
        "stored_at": stored_at,
        "sources": names_text(frozenset(item.sources)),
        "edited": len(item.texts) > 1,
        "text_purged": False,
        "version": 1,
        "scored_version": 0,
    }


def _apply(
    connection: Connection, steps: dict[Pair, Step], stored: dict[Pair, Row], raws: dict[Pair, bytes], stored_at: int
) -> None:
    """Change the stored posts."""
    moved_authors = [stored[key]["author_key"] for key, step in steps.items() if "author_key" in step.columns]
    moved = [
        (platform, stored[platform, post_id]["parent_id"])
        for (platform, post_id), step in steps.items()
        if "parent_id" in step.columns
    ]
    mark_authors_dirty(connection, [*moved_authors, *_authors_of(connection, moved)])
    by_shape: dict[tuple[str, ...], list[Row]] = {}
    for key, step in steps.items():
        columns: dict[str, Any] = dict(step.columns)
        if step.stale:
            columns["version"] = stored[key]["version"] + 1
        if columns:
            by_shape.setdefault(tuple(sorted(columns)), []).append(
                {f"new_{n}": v for n, v in columns.items()} | {"row": stored[key]["id"]}
            )
    for names, rows in by_shape.items():
        statement = update(posts).where(posts.c.id == bindparam("row")).values({n: bindparam(f"new_{n}") for n in names})
        connection.execute(statement, rows)
    raw_rows = [{"row": stored[k]["id"], "new_raw": raws[k]} for k, step in steps.items() if step.new_raw]
    if raw_rows:  # a raw record that retention took stays away
        connection.execute(
            update(post_raws).where(post_raws.c.post == bindparam("row")).values(raw=bindparam("new_raw")), raw_rows
        )


def _authors_of(connection: Connection, keys: Iterable[tuple[str, str | None]]) -> list[str]:
    """Who wrote these posts, as far as they are stored: what others answer to them is part of their history."""
    found: list[str] = []
    given = sorted((platform, post_id) for platform, post_id in keys if post_id is not None)
    for platform, some in groupby(given, key=lambda key: key[0]):
        for ids in chunks([post_id for _, post_id in some]):
            query = select(posts.c.author_key).where(posts.c.platform == platform, among(posts.c.post_id, ids))
            found += connection.execute(query).scalars()
    return found


def _write_texts(
    connection: Connection,
    fresh: dict[Pair, Joined],
    rows: dict[Pair, int],
    steps: dict[Pair, Step],
    stored: dict[Pair, Row],
) -> int:
    """Write the revisions of edited posts. Returns how many posts got a text that they did not have."""
    written = {rows[key]: item.texts for key, item in fresh.items() if len(item.texts) > 1}
    edited = len(written)
    again = {stored[key]["id"]: step.texts for key, step in steps.items() if step.texts}
    known = _known_texts(connection, list(again))
    only = {stored[key]["id"]: stored[key]["text_hash"] for key in steps if not stored[key]["edited"]}
    edited += sum(1 for row, texts in again.items() if texts.keys() - known.get(row, {only.get(row)}))
    _upsert_texts(connection, written | again)
    return edited


def _known_texts(connection: Connection, rows: list[int]) -> dict[int, set[str | None]]:
    known: dict[int, set[str | None]] = {}
    for ids in chunks(rows):
        for row, text_hash in connection.execute(
            select(post_texts.c.post, post_texts.c.text_hash).where(among(post_texts.c.post, ids))
        ):
            known.setdefault(row, set()).add(text_hash)
    return known


def _upsert_texts(connection: Connection, texts: dict[int, dict[str, Text]]) -> None:
    rows = [
        {
            "post": row,
            "text_hash": text_hash,
            "text": text.text,
            "first_seen_at": text.first_seen_at,
            "last_seen_at": text.last_seen_at,
        }
        for row, spans in texts.items()
        for text_hash, text in spans.items()
    ]
    if rows:
        connection.execute(_widen_span(connection.dialect.name), rows)


@cache
def _widen_span(dialect: str) -> Any:
    statement = insert(dialect, post_texts)
    new, old = statement.excluded, post_texts.c
    span = {
        "first_seen_at": case((new.first_seen_at < old.first_seen_at, new.first_seen_at), else_=old.first_seen_at),
        "last_seen_at": case((new.last_seen_at > old.last_seen_at, new.last_seen_at), else_=old.last_seen_at),
    }
    return statement.on_conflict_do_update(index_elements=["post", "text_hash"], set_=span)


def _write_counts(connection: Connection, items: Iterable[tuple[int, Joined]], *, fresh: bool) -> None:
    """Add to the counters' series; of counters seen at the same instant the greatest stay."""
    rows = [
        {"post": row, "seen_at": seen_at, "likes": t[0], "comments": t[1], "reposts": t[2], "views": t[3]}
        for row, item in items
        for seen_at, t in item.counts.items()
    ]
    if fresh:
        insert_all(connection, post_counts, rows)
    elif rows:
        connection.execute(_keep_greatest(connection.dialect.name), rows)


@cache
def _keep_greatest(dialect: str) -> Any:
    statement = insert(dialect, post_counts)
    new, old = statement.excluded, post_counts.c
    greatest = {
        name: case((or_(old[name].is_(None), new[name] > old[name]), new[name]), else_=old[name])
        for name in ("likes", "comments", "reposts", "views")
    }
    return statement.on_conflict_do_update(index_elements=["post", "seen_at"], set_=greatest)


def stale_children(connection: Connection, parents: Sequence[Pair], fresh: set[int]) -> None:
    """Stored children of these posts become stale; those of this very batch are anyway."""
    children: set[int] = set()
    for platform, keys in groupby(sorted(parents), key=lambda key: key[0]):
        for ids in chunks([post_id for _, post_id in keys]):
            for column in (posts.c.parent_id, posts.c.root_id):
                query = select(posts.c.id).where(posts.c.platform == platform, among(column, ids), column.is_not(None))
                children.update(connection.execute(query).scalars())
    mark_stale(connection, sorted(children - fresh))


def mark_stale(connection: Connection, rows: Sequence[int]) -> None:
    """Their mentions have to be made again. Where the text is gone there is nothing to make them from: those stay."""
    for ids in chunks(rows):
        if is_postgres(connection):  # in one order, as everybody
            connection.execute(
                select(posts.c.id).where(among(posts.c.id, ids)).order_by(posts.c.id).with_for_update(key_share=True)
            )
        connection.execute(
            update(posts).where(among(posts.c.id, ids), posts.c.text_purged.is_(False)).values(version=posts.c.version + 1)
        )
