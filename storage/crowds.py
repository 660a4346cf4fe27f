"""Posts clearly against a brand, by place and with their reach: written with the mentions, read by the signals of crowds.

A place is where people stand together, as a text: ``s:NAME`` a source, ``g:NAME`` a group's chat, ``t:PLATFORM:ID`` the answers
to one post. Which posts are hard, where they stand and how far they reach are functions of what is stored, whatever came first;
what changes is noted with the least time from which on it changes, so that the replay of a brand reads no more than that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, TypeAlias

from sqlalchemy import Connection, and_, bindparam, delete, func, or_, select, update

from storage import dirty, reach, ties
from storage.codec import dumps, json_of, json_text, names_of, units, us, when
from storage.database import AnyRow, among, chunks, insert, insert_all, lock
from storage.records import CrowdFind, Look, Mention, Pickup, PostKey, Reached, Tie, Turned, Voice
from storage.tables import crowd_changes, crowd_finds, crowd_posts, crowd_starts, hard_posts, mentions, meta, post_counts, posts

THREAD = "t:"
GROUP = "group"  # the platform of imported chats, whose post ids begin with the group's name
HARD = 5_000  # probability of being against, in units of 1e-4
ANY = ""  # the place of a change that is of reach and copies
TURNS = "k:"  # the place of a change that is of the KOCs' turns and ties
Changes: TypeAlias = Mapping[str, datetime]  # place → from when on
FIELDS = (posts.c.sources, posts.c.parent_id, posts.c.root_id, posts.c.kind)  # beside those that `storage.mentions.put` locks

_INTERACTIONS = (
    func.coalesce(post_counts.c.likes, 0) + func.coalesce(post_counts.c.comments, 0) + func.coalesce(post_counts.c.reposts, 0)
)
_SHOWN = or_(post_counts.c.likes.is_not(None), post_counts.c.comments.is_not(None), post_counts.c.reposts.is_not(None))


def is_hard(mention: Mention) -> bool:
    """Whether a mention is clearly against the brand, in own words, and no mild criticism."""
    return (
        not mention.is_rival
        and mention.own_words
        and mention.unscored is None
        and not mention.constructive
        and units(mention.against) >= HARD
    )


def homes_of(row: AnyRow) -> list[str]:
    """The sources or the group that a post (its row) stands in.

    >>> from types import SimpleNamespace as Row
    >>> homes_of(Row(platform="forum", post_id="7", sources='["论坛"]')), homes_of(Row(platform="group", post_id="妈妈群/3"))
    (['s:论坛'], ['g:妈妈群'])
    """
    if row.platform == GROUP:
        return ["g:" + row.post_id.rpartition("/")[0]]
    return ["s:" + name for name in names_of(row.sources)]


def places_of(row: AnyRow) -> list[str]:
    """All its places: where it stands, and the answers to one post that it belongs to.

    >>> from types import SimpleNamespace as Row
    >>> places_of(Row(platform="forum", post_id="7", sources='["论坛"]', parent_id="5", root_id="1"))
    ['s:论坛', 't:forum:1']
    """
    answered = row.root_id or row.parent_id
    return [*homes_of(row), *([f"t:{row.platform}:{answered}"] if answered and row.platform != GROUP else [])]


# ------------------------------------------------------------------------------------------------------------ write


class Turnover:
    """What a `put` changes of the crowds: the hard posts it takes away, those it brings, from when on which place changed."""

    def __init__(self, connection: Connection, current: Mapping[int, AnyRow]) -> None:
        self._connection, self._current = connection, current
        self._least: dict[tuple[str, str], int] = {}
        self._hard: list[dict[str, Any]] = []
        self._stands: list[dict[str, Any]] = []
        self._first: dict[tuple[str, str], tuple[int, int]] = {}  # brand, place → (time, post) of the first mention put
        self._taken: set[int] = set()

    def take(self, rows: Sequence[int]) -> None:
        """Take away what was found in these posts before; their mentions are there still."""
        self._taken.update(rows)
        for ids in chunks([row for row in rows if self._current[row].parent_id or self._current[row].root_id]):
            query = select(mentions.c.brand, mentions.c.post).where(among(mentions.c.post, ids), mentions.c.is_rival.is_(False))
            for brand, row in self._connection.execute(query):  # it may have taken up a post against the brand
                self._note(brand, ANY, self._current[row].posted_at)
        for ids in chunks(rows):
            for old in self._connection.execute(select(hard_posts).where(among(hard_posts.c.post, ids))):
                self._note(old.brand, ANY, old.at)
            for old in self._connection.execute(select(crowd_posts).where(among(crowd_posts.c.post, ids))):
                self._note(old.brand, old.place, old.at)
            for table in (hard_posts, crowd_posts):
                self._connection.execute(delete(table).where(among(table.c.post, ids)))

    def bring(self, row: int, mention: Mention) -> None:
        """Add a mention of a post."""
        if mention.is_rival:
            return
        post = self._current[row]
        for place in homes_of(post):
            pair, this = (mention.brand, place), (post.posted_at, row)
            self._first[pair] = min(this, self._first.get(pair, this))
        if post.parent_id or post.root_id:  # it may take up a post against the brand
            self._note(mention.brand, ANY, post.posted_at)
        if not is_hard(mention):
            return
        hard = {"brand": mention.brand, "post": row, "at": post.posted_at}
        self._stands += [hard | {"place": place} for place in places_of(post)]
        self._hard.append(
            hard
            | {
                "platform": post.platform,
                "author_key": post.author_key,
                "is_comment": post.kind == "comment",
                "fingerprint": mention.fingerprint,
                "against": units(mention.against),
                "reach": None,
            }
        )
        for place in (ANY, *places_of(post)):
            self._note(mention.brand, place, post.posted_at)

    def write(self) -> None:
        """Write it all; the mentions are there already."""
        reach = _reaches(self._connection, sorted({row["post"] for row in self._hard}))
        insert_all(self._connection, hard_posts, [row | {"reach": reach.get(row["post"])} for row in self._hard])
        insert_all(self._connection, crowd_posts, self._stands)
        self._write_starts()
        note(self._connection, self._least)

    def _note(self, brand: str, place: str, at: int) -> None:
        self._least[brand, place] = min(at, self._least.get((brand, place), at))

    def _write_starts(self) -> None:
        # One at a time: two may bring a place its first post, and who takes the first one away must see what others bring.
        lock(self._connection, "crowd starts")
        known = {(row.brand, row.place): (row.first_at, row.post) for row in self._connection.execute(select(crowd_starts))}
        changed: dict[tuple[str, str], tuple[int, int] | None] = {}
        for pair in sorted(known.keys() | self._first.keys()):
            old, new = known.get(pair), self._first.get(pair)
            if old is None or (new is not None and new < old):
                changed[pair] = new
            elif old[1] in self._taken and new != old:  # the first one is a first one no more
                changed[pair] = _first_of(self._connection, *pair)
        for (brand, place), first in changed.items():
            this = (crowd_starts.c.brand == brand, crowd_starts.c.place == place)
            self._connection.execute(delete(crowd_starts).where(*this))
            if first is not None:
                self._connection.execute(
                    crowd_starts.insert(), [{"brand": brand, "place": place, "first_at": first[0], "post": first[1]}]
                )
            if (old := known.get((brand, place))) is None or first is None or old[0] != first[0]:
                times = [one[0] for one in (old, first) if one]
                self._note(brand, place, min(times))


def _first_of(connection: Connection, brand: str, place: str) -> tuple[int, int] | None:
    """The first mention of a brand in a place, searched among all."""
    kind, name = place[0], place[2:]
    if kind == "g":
        stands = and_(posts.c.platform == GROUP, posts.c.post_id.startswith(name + "/", autoescape=True))
    else:
        stands = and_(posts.c.platform != GROUP, posts.c.sources.contains(dumps([name])[1:-1], autoescape=True))
    query = select(posts).join(mentions, mentions.c.post == posts.c.id).where(mentions.c.brand == brand, stands)
    query = query.where(mentions.c.is_rival.is_(False)).order_by(posts.c.posted_at, posts.c.id)
    return next(((row.posted_at, row.id) for row in connection.execute(query) if place in homes_of(row)), None)


def note(connection: Connection, least: Mapping[tuple[str, str], int]) -> None:
    """Note from when on the places of brands changed: rows are added and taken, never changed, so that nobody waits."""
    rows = [{"brand": brand, "place": place, "at": at} for (brand, place), at in sorted(least.items())]
    if rows:
        connection.execute(crowd_changes.insert(), rows)


def count_again(connection: Connection, rows: Iterable[int]) -> None:
    """The reach of posts whose counters were seen again."""
    least: dict[tuple[str, str], int] = {}
    for ids in chunks(sorted(set(rows))):
        hard = connection.execute(select(hard_posts).where(among(hard_posts.c.post, ids))).all()
        reach = _reaches(connection, [row.post for row in hard])
        moved = [{"row": row.post, "of": row.brand, "new": reach.get(row.post)} for row in hard]
        for row in hard:
            least[row.brand, ANY] = min(row.at, least.get((row.brand, ANY), row.at))
        if moved:
            this = and_(hard_posts.c.post == bindparam("row"), hard_posts.c.brand == bindparam("of"))
            connection.execute(update(hard_posts).where(this).values(reach=bindparam("new")), moved)
    note(connection, least)


def note_authors(connection: Connection, authors: Iterable[str], least: int = 50) -> None:
    """Note that counters of these authors' posts were seen: what is usual for them is what a post of theirs against a brand is
    measured by that has reached so many."""
    found: dict[tuple[str, str], int] = {}
    for some in chunks(sorted(set(authors))):
        query = select(hard_posts.c.brand, func.min(hard_posts.c.at)).where(among(hard_posts.c.author_key, some))
        query = query.where(hard_posts.c.reach >= least).group_by(hard_posts.c.brand)
        for brand, at in connection.execute(query):
            found[brand, ANY] = min(at, found.get((brand, ANY), at))
    note(connection, found)


def _reaches(connection: Connection, rows: Sequence[int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for ids in chunks(rows):
        query = select(post_counts.c.post, func.max(_INTERACTIONS)).where(among(post_counts.c.post, ids), _SHOWN)
        found.update((row, int(most)) for row, most in connection.execute(query.group_by(post_counts.c.post)))
    return found


# ------------------------------------------------------------------------------------------------------------- read


class Crowd:
    """What the replay of a brand reads of its crowds. changes: from when on each place changed, as far as ``rows`` note it;
    starts: when each source and group was first heard of the brand; finds: what was found by the replays before."""

    def __init__(self, connection: Connection, brand: str) -> None:
        self._connection, self.brand = connection, brand
        self.rows, self.changes = changed(connection, brand)

    @cached_property
    def starts(self) -> dict[str, datetime]:
        return starts(self._connection, self.brand)

    @cached_property
    def finds(self) -> list[CrowdFind]:
        return finds(self._connection, self.brand)

    def voices(self, since: Mapping[str, datetime]) -> dict[str, list[Voice]]:
        """The hard posts of places since then, in order of time; places without any are left out."""
        return voices(self._connection, self.brand, since)

    def reached(self, since: datetime, least: int) -> list[Reached]:
        """See `storage.reach.reached`."""
        return reach.reached(self._connection, self.brand, since, least)

    def peers(self, platform: str, first: datetime, last: datetime, before: int) -> list[Reached]:
        """See `storage.reach.peers`."""
        return reach.peers(self._connection, self.brand, platform, first, last, before)

    def of_author(self, author: str, before: datetime, most: int) -> list[tuple[datetime, tuple[Look, ...]]]:
        """See `storage.reach.of_author`."""
        return reach.of_author(self._connection, author, before, most)

    def pickups(self, who: Collection[str], since: datetime) -> list[Pickup]:
        """See `storage.reach.pickups`."""
        return reach.pickups(self._connection, self.brand, who, since)

    def copied(self, since: datetime, platforms: int, authors: int) -> list[list[Reached]]:
        """See `storage.reach.copied`."""
        return reach.copied(self._connection, self.brand, since, platforms, authors)

    def kocs(self, authors: Collection[str]) -> dict[str, str]:
        """Who of the roster these authors are."""
        return dirty.kocs_by_author(self._connection, authors)

    def turned(self) -> list[Turned]:
        """See `storage.ties.turned`."""
        return ties.turned(self._connection, self.brand)

    def ties(self) -> list[Tie]:
        """See `storage.ties.ties`."""
        return ties.ties(self._connection, self.brand)

    def people(self) -> dict[str, str]:
        """See `storage.ties.people`."""
        return ties.people(self._connection, self.brand)

    def answers(self, since: datetime) -> list[tuple[str, datetime, str]]:
        """Place, time and author of everything that was answered against the brand since then, in order of time."""
        return answers(self._connection, self.brand, since)


def changed(connection: Connection, brand: str) -> tuple[list[int], dict[str, datetime]]:
    """The rows that note changes of a brand's places, and from when on each place changed."""
    rows: list[int] = []
    least: dict[str, int] = {}
    query = select(crowd_changes).where(crowd_changes.c.brand == brand).order_by(crowd_changes.c.id)
    for row in connection.execute(query):
        rows.append(row.id)
        least[row.place] = min(row.at, least.get(row.place, row.at))
    return rows, {place: when(at) for place, at in sorted(least.items())}


def voices(connection: Connection, brand: str, since: Mapping[str, datetime]) -> dict[str, list[Voice]]:
    """The hard posts of places since then, in order of time; places without any are left out."""
    found: dict[str, list[Voice]] = {}
    joined = (
        select(crowd_posts.c.place, *_VOICE)
        .join(hard_posts, and_(hard_posts.c.post == crowd_posts.c.post, hard_posts.c.brand == crowd_posts.c.brand))
        .join(posts, posts.c.id == crowd_posts.c.post)
        .where(crowd_posts.c.brand == brand)
    )
    homes = [(place, us(at)) for place, at in since.items() if not place.startswith(THREAD)]
    threads = sorted(((place, us(at)) for place, at in since.items() if place.startswith(THREAD)), key=lambda one: one[1])
    for together in [*([one] for one in homes), *chunks(threads)]:  # threads are many and short, those of one time lie together
        least = dict(together)
        query = joined.where(among(crowd_posts.c.place, sorted(least)), crowd_posts.c.at >= min(least.values()))
        for row in connection.execute(query):
            if row.at >= least[row.place]:
                found.setdefault(row.place, []).append(voice_of(row))
    return {place: sorted(some, key=lambda one: (one.at, one.key)) for place, some in sorted(found.items())}


def answers(connection: Connection, brand: str, since: datetime) -> list[tuple[str, datetime, str]]:
    """See `Crowd.answers`."""
    query = (
        select(hard_posts.c.at, posts.c.platform, func.coalesce(posts.c.root_id, posts.c.parent_id), hard_posts.c.author_key)
        .join(posts, posts.c.id == hard_posts.c.post)
        .where(hard_posts.c.brand == brand, hard_posts.c.at >= us(since), posts.c.platform != GROUP)
        .where(or_(posts.c.root_id.is_not(None), posts.c.parent_id.is_not(None)))
    )
    found = [(f"t:{platform}:{to}", when(at), author) for at, platform, to, author in connection.execute(query)]
    return sorted(found, key=lambda one: (one[1], one[0], one[2]))


_VOICE = (
    hard_posts.c.at, hard_posts.c.platform, posts.c.post_id, hard_posts.c.author_key, hard_posts.c.fingerprint,
    hard_posts.c.against,
)  # fmt: skip


def voice_of(row: AnyRow) -> Voice:
    return Voice(when(row.at), PostKey(row.platform, row.post_id), row.author_key, row.fingerprint, row.against / 10_000)


def starts(connection: Connection, brand: str) -> dict[str, datetime]:
    """When each source and group was first heard to speak of a brand."""
    query = select(crowd_starts).where(crowd_starts.c.brand == brand)
    return {row.place: when(row.first_at) for row in connection.execute(query)}


def finds(connection: Connection, brand: str) -> list[CrowdFind]:
    """What was found of a brand by the replays before, by (kind, place, time)."""
    query = select(crowd_finds).where(crowd_finds.c.brand == brand)
    found = [CrowdFind(row.kind, row.place, when(row.at), json_of(row.found)) for row in connection.execute(query)]
    return sorted(found, key=lambda one: (one.kind, one.place, one.at))


def write_finds(connection: Connection, brand: str, new: Sequence[CrowdFind], seen: Sequence[int]) -> None:
    """Replace what was found of a brand, and take the notes of changes that it was found by."""
    before, after = ({(one.kind, one.place, one.at): one for one in some} for some in (finds(connection, brand), new))
    for kind, place, at in sorted(before.keys() - after.keys()):
        this = (crowd_finds.c.kind == kind, crowd_finds.c.place == place, crowd_finds.c.at == us(at))
        connection.execute(delete(crowd_finds).where(crowd_finds.c.brand == brand, *this))
    rows = [
        {"brand": brand, "kind": one.kind, "place": one.place, "at": us(one.at), "found": json_text(one.found)}
        for key, one in sorted(after.items())
        if before.get(key) != one
    ]
    if rows:
        statement = insert(connection.dialect.name, crowd_finds)
        key = ["brand", "kind", "place", "at"]
        connection.execute(statement.on_conflict_do_update(index_elements=key, set_={"found": statement.excluded.found}), rows)
    for ids in chunks(seen):
        connection.execute(delete(crowd_changes).where(among(crowd_changes.c.id, ids)))


MADE_WITH = "crowds"  # the fact of what the finds were made with


def is_prepared(connection: Connection, made_with: str) -> bool:
    return connection.execute(select(meta.c.value).where(meta.c.key == MADE_WITH)).scalar() == made_with


def prepare(connection: Connection, made_with: str) -> bool:
    """Have everything found anew where it was found with something else; returns whether it was so."""
    if is_prepared(connection, made_with):
        return False
    statement = insert(connection.dialect.name, meta).values(key=MADE_WITH, value=made_with)
    connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_={"value": made_with}))
    places = select(crowd_posts.c.brand, crowd_posts.c.place, func.min(crowd_posts.c.at)).group_by(
        crowd_posts.c.brand, crowd_posts.c.place
    )
    least = {(brand, place): at for brand, place, at in connection.execute(places)}
    brands = select(hard_posts.c.brand, func.min(hard_posts.c.at)).group_by(hard_posts.c.brand)
    least |= {(brand, ANY): at for brand, at in connection.execute(brands)}
    note(connection, least)
    return True
