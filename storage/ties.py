"""Who of the roster is tied to whom by what they wrote of a brand, who has turned, and who there is at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import permutations

from sqlalchemy import Connection, func, or_, select

from storage.codec import when
from storage.database import among, chunks
from storage.records import PostKey, Reply, Tie, Turned
from storage.tables import account_keys, accounts, drift_states, drifts, mentions, posts

GROUP = "group"
MOST_TOGETHER = 60  # KOCs of one tree or group: more are a crowd, and tie nobody
Place = tuple[str, str]  # platform, and the post or group that people stand around


def turned(connection: Connection, brand: str) -> list[Turned]:
    """The red drifts of a brand's KOCs, by (fired_at, KOC)."""
    query = select(drifts).where(drifts.c.brand == brand, drifts.c.level == "red")
    found = [
        Turned(row.koc_id, when(row.turned_at), when(row.fired_at), PostKey(row.platform, row.post_id))
        for row in connection.execute(query)
    ]
    return sorted(found, key=lambda one: (one.fired_at, one.koc_id, one.key))


def people(connection: Connection, brand: str) -> dict[str, str]:
    """Every KOC who ever spoke of a brand, with the platforms of their accounts, in words, as the community they belong to."""
    query = (
        select(drift_states.c.koc_id, accounts.c.platform)
        .join(accounts, accounts.c.koc_id == drift_states.c.koc_id)
        .where(drift_states.c.brand == brand, drift_states.c.mentions > 0)
    )
    found: dict[str, set[str]] = {}
    for koc_id, platform in connection.execute(query):
        found.setdefault(koc_id, set()).add(platform)
    return {koc_id: " ".join(sorted(platforms)) for koc_id, platforms in sorted(found.items())}


def ties(connection: Connection, brand: str) -> list[Tie]:
    """What ties KOCs by their mentions of a brand: each pair's first answer or repost, first tree, first group; in order."""
    query = (
        select(
            account_keys.c.koc_id, posts.c.platform, posts.c.post_id, posts.c.posted_at, posts.c.parent_id, posts.c.root_id,
            posts.c.kind,
        )
        .select_from(account_keys)
        .join(posts, posts.c.author_key == account_keys.c.author_key)
        .join(mentions, mentions.c.post == posts.c.id)
        .where(mentions.c.brand == brand, mentions.c.is_rival.is_(False))
        .where(or_(posts.c.parent_id.is_not(None), posts.c.root_id.is_not(None), posts.c.platform == GROUP))
    )  # fmt: skip
    rows = connection.execute(query).all()
    wrote = _writers(connection, {(row.platform, one) for row in rows for one in (row.parent_id, row.root_id) if one})
    found: dict[tuple[str, str, str], int] = {}
    present: dict[Place, dict[str, int]] = {}

    def tie(kind: str, critic: str, follower: str, at: int) -> None:
        if critic != follower:
            found[kind, critic, follower] = min(at, found.get((kind, critic, follower), at))

    for row in rows:
        for answered in {one for one in (row.parent_id, row.root_id) if one}:
            for critic in wrote.get((row.platform, answered), ()):
                tie("repost" if row.kind == "repost" else "answer", critic, row.koc_id, row.posted_at)
        place = row.root_id or row.parent_id or row.post_id.rpartition("/")[0]
        inside = present.setdefault((row.platform, place), {})
        inside[row.koc_id] = min(row.posted_at, inside.get(row.koc_id, row.posted_at))
    for (platform, _), inside in present.items():
        if len(inside) <= MOST_TOGETHER:
            for one, other in permutations(sorted(inside), 2):
                tie("group" if platform == GROUP else "tree", one, other, max(inside[one], inside[other]))
    return [Tie(kind, critic, follower, when(at)) for (kind, critic, follower), at in sorted(found.items())]  # type: ignore[arg-type]


def _writers(connection: Connection, keys: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], Sequence[str]]:
    """Which of these posts KOCs wrote, and who."""
    by_platform: dict[str, list[str]] = {}
    for platform, post_id in sorted(keys):
        by_platform.setdefault(platform, []).append(post_id)
    found: dict[tuple[str, str], list[str]] = {}
    for platform, post_ids in by_platform.items():
        for some in chunks(post_ids):
            query = select(posts.c.post_id, account_keys.c.koc_id)
            query = query.join(account_keys, account_keys.c.author_key == posts.c.author_key)
            for post_id, koc_id in connection.execute(query.where(posts.c.platform == platform, among(posts.c.post_id, some))):
                found.setdefault((platform, post_id), []).append(koc_id)
    return found


def red(connection: Connection, brands: Sequence[str]) -> dict[str, int]:
    """How many red drifts there are of each brand."""
    query = select(drifts.c.brand, func.count()).where(among(drifts.c.brand, brands), drifts.c.level == "red")
    return {row[0]: int(row[1]) for row in connection.execute(query.group_by(drifts.c.brand))}


def answers_to(connection: Connection, koc_id: str, brand: str, as_of: int | None = None) -> list[Reply]:
    """What others wrote of a brand under a KOC's posts, in order of time."""
    mine = select(account_keys.c.author_key).where(account_keys.c.koc_id == koc_id)
    by_platform: dict[str, list[str]] = {}
    for platform, post_id in connection.execute(
        select(posts.c.platform, posts.c.post_id).where(posts.c.author_key.in_(mine), posts.c.kind != "comment")
    ):
        by_platform.setdefault(platform, []).append(post_id)
    found: dict[int, Reply] = {}
    said = (mentions.c.brand == brand, mentions.c.is_rival.is_(False), mentions.c.own_words, mentions.c.unscored.is_(None))
    for platform, post_ids in sorted(by_platform.items()):
        for some in chunks(sorted(post_ids)):
            for column in (posts.c.parent_id, posts.c.root_id):
                query = (
                    select(posts.c.id, posts.c.posted_at, mentions.c.favor, mentions.c.against)
                    .join(mentions, mentions.c.post == posts.c.id)
                    .where(posts.c.platform == platform, among(column, some), column.is_not(None), *said)
                    .where(posts.c.author_key.not_in(mine))
                )
                if as_of is not None:
                    query = query.where(posts.c.stored_at <= as_of, posts.c.posted_at <= as_of)
                for row in connection.execute(query):
                    found[row.id] = Reply(when(row.posted_at), (row.favor - row.against) / 10_000)
    return sorted(found.values(), key=lambda one: (one.at, one.stance))
