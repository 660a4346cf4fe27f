"""Posts against the brand that go far → one signal for each story, and what was found of it, for the next replay."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from listener.signals import spreads
from storage.records import CrowdFind, Look, Pickup, PostKey, Reached, Signal

SPREAD = "spread"
WHOLE = ""  # the KOC of a signal that is of the whole brand
ANY = ""  # the place of a change of reach and copies
WAYS = ("press", "platforms", "fast")  # the gravest first
MOST_POSTS = 6


class Crowd(Protocol):
    """What is read of a brand's crowds: see `storage.crowds.Crowd`."""

    @property
    def changes(self) -> Mapping[str, datetime]: ...
    @property
    def finds(self) -> Sequence[CrowdFind]: ...
    def reached(self, since: datetime, least: int) -> Sequence[Reached]: ...
    def peers(self, platform: str, first: datetime, last: datetime, before: int) -> Sequence[Reached]: ...
    def of_author(self, author: str, before: datetime, most: int) -> Sequence[tuple[datetime, tuple[Look, ...]]]: ...
    def pickups(self, who: Collection[str], since: datetime) -> Sequence[Pickup]: ...
    def copied(self, since: datetime, platforms: int, authors: int) -> Sequence[Sequence[Reached]]: ...
    def kocs(self, authors: Collection[str]) -> Mapping[str, str]: ...


def spread_finds(crowd: Crowd, *, media: Collection[str], promised: float) -> tuple[CrowdFind, ...]:
    """What goes far, post by post: of posts that a change can reach found anew, of the others as it was. media: author keys."""
    before = [one for one in crowd.finds if one.kind == SPREAD]
    changed_at = crowd.changes.get(ANY)
    if changed_at is None:
        return tuple(before)
    since = changed_at - spreads.BACK
    found = [one for one in before if one.at < since]
    if promised > 0:
        found += [*_fast(crowd, since, promised), *_stories(crowd, since), *_picked(crowd, media, since)]
    return tuple(sorted(found, key=lambda one: (one.place, one.at)))


def spread_signals(
    brand: str, crowd: Crowd, finds: Sequence[CrowdFind], heard_to: datetime | None, promised: float
) -> tuple[Signal, ...]:
    """One signal for each story: a post with all the ways in which it goes far; copies of one text on several platforms belong
    to the first of them."""
    told: dict[PostKey, _Story] = {}
    own = [one for one in finds if one.kind == SPREAD]
    roots = {PostKey(*key): PostKey(*one.found["key"]) for one in own if _way(one) == "platforms" for key in one.found["keys"]}
    for one in own:
        key = PostKey(*one.found["key"])
        root = roots.get(key, key)
        told.setdefault(root, _Story(root)).ways.setdefault(_way(one), []).append(one)
    kocs = crowd.kocs({one.found["author"] for one in own if one.found["author"]})
    return tuple(story.signal(brand, kocs, heard_to, promised) for _, story in sorted(told.items()))


@dataclass
class _Story:
    root: PostKey
    ways: dict[str, list[CrowdFind]] = field(default_factory=dict)

    def signal(self, brand: str, kocs: Mapping[str, str], heard_to: datetime | None, promised: float) -> Signal:
        every = [one for way in WAYS for one in self.ways.get(way, ())]
        fired_at = min(datetime.fromisoformat(one.found["fired_at"]) for one in every)
        over = max(datetime.fromisoformat(one.found["last_at"]) for one in every) + spreads.WITHIN
        keys = dict.fromkeys([self.root, *(PostKey(*key) for one in every for key in one.found["keys"])])
        who = next((kocs[one.found["author"]] for one in every if one.found["author"] in kocs), "")
        evidence: dict[str, Any] = {"ways": [way for way in WAYS if way in self.ways], "koc": who}
        for way in WAYS:
            if way in self.ways:
                evidence[way] = self.ways[way][0].found["facts"]
        evidence["promised_per_1000_posts"] = promised
        ended = over if heard_to is not None and heard_to >= over else None
        return Signal(SPREAD, WHOLE, brand, fired_at, self.root, evidence, tuple(keys)[:MOST_POSTS], ended)


def _way(find: CrowdFind) -> str:
    return find.place.partition(":")[0]


def _fast(crowd: Crowd, since: datetime, promised: float) -> list[CrowdFind]:
    candidates = crowd.reached(since, spreads.LEAST_TOTAL)
    by_platform: dict[str, list[Reached]] = {}
    for one in candidates:
        by_platform.setdefault(one.key.platform, []).append(one)
    found = []
    for platform, posts in sorted(by_platform.items()):
        peers = crowd.peers(platform, posts[0].at, posts[-1].at, spreads.PEERS)
        for post in posts:
            own = crowd.of_author(post.author, post.at, spreads.OWN)
            if fast := spreads.fast_of(post, peers, own, promised=promised):
                facts = {
                    "total": fast.total,
                    "usual": fast.usual,
                    "own_n": fast.own_n,
                    "age_hours": fast.age_hours,
                    "last_total": fast.last_total,
                }
                found.append(_find("fast", post, fast.at, fast.last_at, facts, [post.key]))
    return found


def _stories(crowd: Crowd, since: datetime) -> list[CrowdFind]:
    found = []
    for copies in crowd.copied(since, spreads.LEAST_PLATFORMS, spreads.LEAST_COPIERS):
        for story in spreads.stories_of(copies):
            if story.first.at >= since:
                facts = {"platforms": list(story.platforms), "authors": story.authors, "posts": len(story.keys)}
                found.append(_find("platforms", story.first, story.fired_at, story.last_at, facts, story.keys))
    return found


def _picked(crowd: Crowd, media: Collection[str], since: datetime) -> list[CrowdFind]:
    found = []
    for of, some in sorted(spreads.pickups_of(crowd.pickups(media, since) if media else ()).items()):
        if some[0].of_at < since:
            continue
        facts = {"accounts": len({one.author for one in some}), "posts": len(some), "at": some[0].at.isoformat()}
        post = Reached(some[0].of_at, of, "", 0, ())
        found.append(_find("press", post, some[0].at, some[-1].at, facts, [of, *(one.by for one in some)]))
    return found


def _find(
    way: str, post: Reached, fired_at: datetime, last_at: datetime, facts: Mapping[str, Any], keys: Sequence[PostKey]
) -> CrowdFind:
    found = {
        "key": [post.key.platform, post.key.post_id],
        "author": post.author,
        "fired_at": fired_at.isoformat(),
        "last_at": last_at.isoformat(),
        "facts": dict(facts),
        "keys": [[key.platform, key.post_id] for key in keys],
    }
    return CrowdFind(SPREAD, f"{way}:{post.key.platform}:{post.key.post_id}", post.at, found)
