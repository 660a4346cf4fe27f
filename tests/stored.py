"""Short ways to make values for the tests of the store, and to see all that it holds."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import create_engine, select

from storage.database import url_of
from storage.histories import mention_columns, mention_of
from storage.records import (
    Account,
    Alert,
    Case,
    CaseStep,
    Changes,
    Counts,
    CueHit,
    Delivery,
    Drift,
    DriftState,
    Evidence,
    Koc,
    Media,
    Mention,
    Post,
    PostKey,
    Share,
    StalePost,
)
from storage.store import Store
from storage.tables import (
    brand_days,
    crowd_starts,
    hard_posts,
    mentions,
    post_counts,
    post_texts,
    posts,
)

BRAND = "星澜"
START = datetime(2026, 1, 1, 4, tzinfo=UTC)  # noon in Shanghai
NOW = datetime(2026, 12, 1, tzinfo=UTC)
MODEL = "m1"


def at(days: float = 0, *, hours: float = 0, minutes: float = 0) -> datetime:
    """A time after the start of the tests' year."""
    return START + timedelta(days=days, hours=hours, minutes=minutes)


def sha(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def author(name: str, platform: str = "forum") -> str:
    return sha(f"{platform}\n{name}")


def post(
    number: int | str,
    text: str = "星澜好用",
    *,
    by: str = "a",
    platform: str = "forum",
    posted_at: datetime | None = None,
    seen_at: datetime | None = None,
    counts: Counts = Counts(),  # noqa: B008
    source: str = "file",
    parent: str | None = None,
    root: str | None = None,
    kind: Any = "post",
    media: tuple[Media, ...] = (),
    url: str = "",
    raw: str | None = None,
) -> Post:
    posted_at = posted_at or at()
    record = (raw if raw is not None else f"{number} {text} {counts} {media}").encode("utf-8", "surrogatepass")
    return Post(
        PostKey(platform, str(number)),
        kind,
        author(by, platform),
        url or f"https://{platform}.example/{number}",
        posted_at,
        seen_at or posted_at,
        text,
        sha(text),
        parent,
        root,
        counts,
        media,
        source,
        zlib.compress(record),
        hashlib.sha256(record).hexdigest(),
    )


def mention(key: PostKey, brand: str = BRAND, *, against: float = 0.1, favor: float = 0.6, **fields: Any) -> Mention:
    """A mention of our brand; stance by ``favor`` and ``against``."""
    values: dict[str, Any] = {
        "target": brand,
        "is_rival": False,
        "via": "named",
        "neg": 0.1,
        "neu": 0.2,
        "pos": 0.7,
        "none": round(1 - favor - against, 4),
        "cues": (),
        "constructive": False,
        "own_words": True,
        "unscored": None,
        "fingerprint": -5,
        "model": MODEL,
    }
    return Mention(key=key, brand=brand, favor=favor, against=against, **(values | fields))


def stance_of(stale: StalePost, brand: str = BRAND) -> list[Mention]:
    """What the tests' scorer says: a function of all that a mention may be made from, and of nothing else.

    Ours by name, by source or by a parent; the stance from a hash of text, parents and sources."""
    named = brand in stale.text
    inherited = any(brand in parent.text or brand in parent.brands for parent in stale.parents)
    by_source = "group" in stale.sources
    if not (named or inherited or by_source):
        return []
    seed = int(sha(repr((stale.text, [(p.key, p.text) for p in stale.parents], stale.sources, stale.media)))[:6], 16)
    against = seed % 5000
    favor = 5000 - against
    return [
        mention(
            stale.key,
            brand,
            against=against / 10_000,
            favor=favor / 10_000,
            via="named" if named else "source" if by_source else "parent",
            cues=(CueHit("let-down", stale.text[:2]),) if against > 2500 else (),
            own_words=stale.kind != "repost",
        )
    ]


def score_all(store: Store, *, brands: Iterable[str] = (BRAND,), limit: int = 1000) -> int:
    """Make the mentions of every stale post. Returns how many posts that were."""
    done = 0
    while stale := store.stale(limit):
        store.put([(one, [m for brand in brands for m in stance_of(one, brand)]) for one in stale])
        done += len(stale)
    return done


def listen(store: Store, batch: Sequence[Post], *, stored_at: datetime = NOW, brands: Iterable[str] = (BRAND,)) -> None:
    store.add(batch, stored_at=stored_at)
    score_all(store, brands=brands)


def koc(koc_id: str, *names: str, platform: str = "forum", **fields: Any) -> Koc:
    """A KOC with the accounts of these names on one platform."""
    accounts = tuple(Account(platform, name, author(name, platform), nickname=f"昵称{name}") for name in names)
    return Koc(koc_id, f"某{koc_id}", accounts, **fields)


def state(koc_id: str, brand: str = BRAND, *, mentions: int = 0) -> DriftState:
    return DriftState(koc_id, brand, "advocate", mentions, 0.5, 0.25, at(1), 0.001, "stable", (), "c1")


def drift(koc_id: str, key: PostKey, brand: str = BRAND) -> Drift:
    evidence = Evidence(
        10, 0.7, 5, -0.4, 4, 3.25, 2.5, 1.125, 0.97, "cooled", at(1), at(2), (Share(key, 0.1 + 0.2),), 1.0, "c1"
    )
    return Drift(koc_id, brand, "red", at(3), key, at(1.5), evidence)


def alert(key: str, koc_id: str, brand: str = BRAND, *, fired_at: datetime | None = None, **fields: Any) -> Alert:
    values: dict[str, Any] = {
        "kind": "drift",
        "level": "red",
        "severity": "urgent",
        "turned_at": at(1),
        "evidence": {"after_n": 5, "log_odds": 0.1 + 0.2},
        "posts": (PostKey("forum", "1"),),
    }
    return Alert(key=key, koc_id=koc_id, brand=brand, fired_at=fired_at or at(3), **(values | fields))


def delivery(key: str, alert_key: str, **fields: Any) -> Delivery:
    values: dict[str, Any] = {"channel": "mail", "kind": "alert", "state": "pending", "created_at": NOW}
    return Delivery(key=key, alert_key=alert_key, **(values | fields))


def case(key: str, koc_id: str, brand: str = BRAND, **fields: Any) -> Case:
    values: dict[str, Any] = {
        "variant": "public",
        "state": "open",
        "opened_at": at(4),
        "opened_by": "listener",
        "next_step": "verify",
        "alerts": ("A1",),
    }
    return Case(key=key, koc_id=koc_id, brand=brand, **(values | fields))


def step(case_key: str, name: str, *, days: float = 4) -> CaseStep:
    return CaseStep(case_key, at(days), "小王", name, "备注")


def changes(koc_id: str, brand: str = BRAND, **fields: Any) -> Changes:
    values: dict[str, Any] = {"state": state(koc_id, brand)}
    for name in ("drifts", "alerts", "superseded", "deliveries", "cancelled", "cases", "steps"):
        values[name] = ()
    return Changes(**(values | fields))


def watch_all(store: Store, *, brands: Sequence[str] = (BRAND,), limit: int = 200) -> list[tuple[str, str, tuple[Any, ...]]]:
    """Replay every dirty KOC with a detector that writes what it read: (koc, brand, posts read) in the order of replay."""
    seen: list[tuple[str, str, tuple[Any, ...]]] = []
    while True:
        with store.watching(brands=brands, limit=limit) as watch:
            if watch is None:
                return seen
            for history in watch.histories:
                keys = tuple(entry.mention.key.post_id for entry in history.mentions)
                seen.append((history.koc_id, history.brand, keys))
                counted = state(history.koc_id, history.brand, mentions=len(keys))
                watch.record(changes(history.koc_id, history.brand, state=counted), at=NOW)
            for brand in watch.brands:
                watch.record(changes("", brand, state=state("", brand)), at=NOW)


def mentions_in(store: Store, keys: Iterable[PostKey]) -> dict[PostKey, list[Mention]]:
    """Every mention of these posts, of rivals too, ordered by (brand, is_rival, target)."""
    wanted = set(keys)
    found: dict[PostKey, list[Mention]] = {}
    with store._database.reading() as connection:
        for row in connection.execute(select(*mention_columns()).join(mentions, mentions.c.post == posts.c.id)):
            if (key := PostKey(row.post_platform, row.post_id)) in wanted:
                found.setdefault(key, []).append(mention_of(key, row))
    return {key: sorted(found[key], key=lambda m: (m.brand, m.is_rival, m.target)) for key in sorted(found)}


def contents(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """All that must not depend on the order of arrival: posts, texts, counters, mentions, moods and crowds, by key, sorted."""
    engine = create_engine(url_of(url))
    with engine.connect() as connection:
        keys = {row.id: (row.platform, row.post_id) for row in connection.execute(select(posts))}
        skip = {"id", "stored_at", "version", "scored_version"}
        names = [column for column in posts.c if column.name not in skip]
        found = {"posts": [tuple(row) for row in connection.execute(select(*names))]}
        for table in (post_texts, post_counts, mentions):
            rows = connection.execute(select(table)).all()
            found[table.name] = [(keys[row.post], *tuple(row)[1:]) for row in rows]
        moods = connection.execute(select(brand_days).where(brand_days.c.n != 0))
        found["moods"] = [tuple(row) for row in moods]
        found["starts"] = [tuple(row) for row in connection.execute(select(crowd_starts.c["brand", "place", "first_at"]))]
        hard = connection.execute(select(hard_posts.c["post", "brand", "at", "author_key", "against"]))
        found["hard"] = [(keys[row.post], *tuple(row)[1:]) for row in hard]
    engine.dispose()
    return {name: sorted(rows, key=repr) for name, rows in found.items()}
