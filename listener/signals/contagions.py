"""Contagion (连带转变): KOCs who answer, repost or share a tree or a group with a critic turn after them, more than by chance.

A follower is a KOC whose turn came within 45 days after that of another to whom a tie led before: it answered or reposted the
other, or both spoke of the brand under one post or in one group's chat. At each turn that makes a follower, and where there are
two at least, the followers S are counted among the turns of the year before, and counted again after the turns of each
community (the KOCs of the same platforms) were dealt out anew among its members 4000 times:

    p = (1 + how often as many or more followed) / 4001        fires: p ≤ promised / (n·(n + 1)), at the n-th test within a year

so that all tests of a year together keep the promise, in false contagions per brand and year. The times of the turns stay as
they are: a market in which all turn in one week deals out the same crowded week, and says nothing of ties. The dealing is
seeded from what it deals, so the same posts give the same p. What the ties cannot show is why: friends may have had the same
bad batch. Further followers join what stands, until 45 days have passed without one. Of a KOC the first turn counts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from storage.records import PostKey, Signal, Tie, Turned

KIND = "contagion"
WHOLE = ""  # the KOC of a signal that is of the whole brand
WINDOW, YEAR = timedelta(days=45), timedelta(days=365)
LEAST_FOLLOWERS = 2
DEALS = 4_000
AT_ONCE = 500  # deals that are held in memory
MOST_POSTS = 6
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Link:
    """One follower, and the last critic before to whom a tie led."""

    critic: Turned
    follower: Turned
    tie: Tie


@dataclass(frozen=True, slots=True)
class Test:
    """A permutation test: how many followed, how many did on average by chance, and the chance of as many or more."""

    followers: int
    by_chance: float
    p: float


def contagions(
    brand: str,
    turns: Sequence[Turned],
    ties: Sequence[Tie],
    people: Mapping[str, str],
    heard_to: datetime | None,
    *,
    promised: float,
) -> tuple[Signal, ...]:
    """The contagions of a brand in order of time. turns: the red drifts of its KOCs; people: every KOC who ever spoke of it,
    with the community they are dealt out in. Each is a function of what had turned by then."""
    if promised <= 0:
        return ()
    by_koc: dict[str, Turned] = {}
    for one in sorted(turns, key=lambda each: (each.fired_at, each.koc_id)):
        if one.koc_id in people:
            by_koc.setdefault(one.koc_id, one)
    known = list(by_koc.values())
    tests: list[datetime] = []
    found: list[_Standing] = []
    for i, turn in enumerate(known):
        year = [one for one in known[: i + 1] if one.fired_at > turn.fired_at - YEAR]
        links = links_of(year, ties)
        new = [link for link in links if turn.koc_id in (link.follower.koc_id, link.critic.koc_id)]
        if found and turn.fired_at <= found[-1].last_at + WINDOW:
            found[-1].join(new, turn.fired_at)
            continue
        if not new or len(links) < LEAST_FOLLOWERS:
            continue
        tests = [at for at in tests if at > turn.fired_at - YEAR] + [turn.fired_at]
        test = dealt(year, ties, people, links)
        if test.p <= promised / (len(tests) * (len(tests) + 1)):
            found.append(_Standing(turn, turn.fired_at, list(links), test))
    return tuple(one.signal(brand, len(people), heard_to, promised) for one in found)


def links_of(turns: Sequence[Turned], ties: Sequence[Tie]) -> list[Link]:
    """Who followed whom, in order of the followers' turns: one link for each follower."""
    to: dict[str, dict[str, Tie]] = {}
    for tie in ties:
        first = to.setdefault(tie.follower, {})
        if tie.critic not in first or tie.at < first[tie.critic].at:
            first[tie.critic] = tie
    ordered = sorted(turns, key=lambda one: (one.turned_at, one.koc_id))
    links = []
    for i, follower in enumerate(ordered):
        tied = to.get(follower.koc_id, {})
        for critic in reversed(ordered[:i]):
            led = tied.get(critic.koc_id)
            is_before = timedelta(0) < follower.turned_at - critic.turned_at <= WINDOW
            if led is not None and is_before and led.at < follower.turned_at:
                links.append(Link(critic, follower, led))
                break
    return links


def dealt(turns: Sequence[Turned], ties: Sequence[Tie], people: Mapping[str, str], links: Sequence[Link]) -> Test:
    """How many would follow by chance, the turns of each community dealt out among its members."""
    members = sorted(people, key=lambda koc: (people[koc], koc))
    at = {koc: i for i, koc in enumerate(members)}
    ends = sorted({at[koc] for tie in ties for koc in (tie.critic, tie.follower) if koc in at})
    place = np.full(len(members), len(ends))  # of all who are tied to nobody: the last
    place[ends] = np.arange(len(ends))
    tied = np.full((len(ends) + 1, len(ends) + 1), np.inf)
    for tie in ties:
        if tie.critic in at and tie.follower in at:
            where = place[at[tie.critic]], place[at[tie.follower]]
            tied[where] = min(tied[where], _days(tie.at))
    ordered = sorted(turns, key=lambda one: (one.turned_at, one.koc_id))
    rng = np.random.RandomState(_seed(ordered, ties, people))
    followed = _followers(
        place[_deals(ordered, members, people, rng)], tied, np.array([_days(one.turned_at) for one in ordered])
    )
    as_many = int((followed >= len(links)).sum())
    return Test(len(links), round(float(followed.mean()), 3), round((1 + as_many) / (DEALS + 1), 6))


def _deals(
    ordered: Sequence[Turned], members: Sequence[str], people: Mapping[str, str], rng: np.random.RandomState
) -> NDArray[np.int64]:
    """(DEALS, turns) the members to whom each turn is dealt."""
    who = np.zeros((DEALS, len(ordered)), dtype=np.int64)
    for community in sorted({people[one.koc_id] for one in ordered}):
        inside = np.array([i for i, koc in enumerate(members) if people[koc] == community])
        of_it = [i for i, one in enumerate(ordered) if people[one.koc_id] == community]
        for first in range(0, DEALS, AT_ONCE):
            drawn = rng.rand(AT_ONCE, len(inside))
            chosen = drawn.argpartition(len(of_it) - 1, axis=1)[:, : len(of_it)]  # the first of a shuffle, and no more of it
            order = np.take_along_axis(drawn, chosen, axis=1).argsort(axis=1)
            who[first : first + AT_ONCE, of_it] = inside[np.take_along_axis(chosen, order, axis=1)]
    return who


def _followers(who: NDArray[np.int64], tied: Floats, turned: Floats) -> NDArray[np.int64]:
    """(DEALS,) how many followed in each deal."""
    window = WINDOW / timedelta(days=1)
    count = np.zeros(len(who), dtype=np.int64)
    for b in range(len(turned)):
        follows = np.zeros(len(who), dtype=bool)
        for a in range(b):
            if 0 < turned[b] - turned[a] <= window:
                follows |= tied[who[:, a], who[:, b]] < turned[b]
        count += follows
    return count


def _seed(turns: Sequence[Turned], ties: Sequence[Tie], people: Mapping[str, str]) -> list[int]:
    dealt_out = [
        [[one.koc_id, one.turned_at.isoformat()] for one in turns],
        sorted([one.critic, one.follower, one.at.isoformat()] for one in ties),
        sorted(people.items()),
    ]
    digest = hashlib.sha256(json.dumps(dealt_out, ensure_ascii=False).encode()).digest()
    return [int.from_bytes(digest[i : i + 4], "big") for i in range(0, 16, 4)]


def _days(at: datetime) -> float:
    return (at - _EPOCH) / timedelta(days=1)


@dataclass(slots=True)
class _Standing:
    """A contagion that stands, and whom it takes along further."""

    tipped: Turned
    last_at: datetime
    links: list[Link]
    test: Test

    def join(self, new: Sequence[Link], at: datetime) -> None:
        known = {link.follower.koc_id for link in self.links}
        more = [link for link in new if link.follower.koc_id not in known]
        if more:
            self.links += more
            self.last_at = at

    def signal(self, brand: str, people: int, heard_to: datetime | None, promised: float) -> Signal:
        chain = [
            {
                "critic": link.critic.koc_id,
                "follower": link.follower.koc_id,
                "tie": link.tie.kind,
                "tied_at": link.tie.at.isoformat(),
                "critic_turned_at": link.critic.turned_at.isoformat(),
                "follower_turned_at": link.follower.turned_at.isoformat(),
            }
            for link in self.links
        ]
        evidence = {
            "chain": chain,
            "followers": self.test.followers,
            "by_chance": self.test.by_chance,
            "p": self.test.p,
            "deals": DEALS,
            "people": people,
            "promised_per_brand_year": promised,
        }
        keys = dict.fromkeys(key for link in self.links for key in (link.critic.key, link.follower.key))
        posts = tuple(keys)[-MOST_POSTS:]
        over = self.last_at + WINDOW
        ended = over if heard_to is not None and heard_to >= over else None
        tipped_by = PostKey(self.tipped.key.platform, self.tipped.key.post_id)
        return Signal(KIND, WHOLE, brand, self.tipped.fired_at, tipped_by, evidence, posts, ended)
