"""What the stored mentions were made with: brands, model, time zone. Another one makes posts stale, or days counted again."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select, update

from storage import moods
from storage.database import insert, lock
from storage.dirty import mark_kocs
from storage.records import SettingsChanged
from storage.tables import meta, posts


def facts(connection: Connection) -> dict[str, str]:
    return {row.key: row.value for row in connection.execute(select(meta))}


def is_prepared(connection: Connection, wanted: dict[str, str]) -> bool:
    return facts(connection).items() >= wanted.items()


def refuse_others(connection: Connection, made_with: dict[str, str] | None) -> None:
    """Raise SettingsChanged where the facts are not those any more that this process works with; None: it never said which."""
    if made_with is not None and not is_prepared(connection, made_with):
        raise SettingsChanged


def prepare(connection: Connection, wanted: dict[str, str], before: dict[str, str] | None) -> None:
    """``wanted``: brands (a fingerprint), model, timezone. What differs from it is made again.

    before: what this process wanted the last time. Where it wants nothing new, but finds something else, another process
    has changed it since; raises SettingsChanged, or the two would turn it back and forth."""
    lock(connection, "posts")
    if wanted == before:
        refuse_others(connection, before)
    known = facts(connection)
    if (known.get("brands"), known.get("model")) != (wanted["brands"], wanted["model"]):
        # Posts whose text is gone keep the mentions they have.
        connection.execute(update(posts).where(posts.c.text_purged.is_(False)).values(version=posts.c.version + 1))
    if "timezone" in known and known["timezone"] != wanted["timezone"]:
        moods.recount(connection, ZoneInfo(wanted["timezone"]))
        mark_kocs(connection, None)
    statement = insert(connection.dialect.name, meta)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["key"], set_={"value": statement.excluded.value}),
        [{"key": key, "value": value} for key, value in sorted(wanted.items())],
    )
