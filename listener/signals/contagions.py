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
from collections.abc import Iterator, Mapping, Sequence
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
CELLS = 2_000_000  # numbers that are held in memory at once
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
    known, tied = list(by_koc.values()), first_ties(ties)
    anyhow_tied = tied.keys() | {critic for led in tied.values() for critic in led}
    tests: list[datetime] = []
    found: list[_Standing] = []
    start = 0
    for i, turn in enumerate(known):
        while known[start].fired_at <= turn.fired_at - YEAR:
            start += 1
        if turn.koc_id not in anyhow_tied:
            continue
        year = known[start : i + 1]
        links = links_of([one for one in year if one.koc_id in anyhow_tied], tied)
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


def links_of(turns: Sequence[Turned], ties: Mapping[str, Mapping[str, Tie]]) -> list[Link]:
    """Who followed whom, in order of the followers' turns: one link for each follower, to the last critic before. ties: see
    `first_ties`."""
    turned = {one.koc_id: one for one in turns}
    links = []
    for follower in sorted(turns, key=lambda one: (one.turned_at, one.koc_id)):
        led = [
            (critic, tie)
            for koc_id, tie in ties.get(follower.koc_id, {}).items()
            if (critic := turned.get(koc_id)) is not None
            and timedelta(0) < follower.turned_at - critic.turned_at <= WINDOW
            and tie.at < follower.turned_at
        ]
        if led:
            critic, tie = max(led, key=lambda pair: (pair[0].turned_at, pair[0].koc_id))
            links.append(Link(critic, follower, tie))
    return links


def first_ties(ties: Sequence[Tie]) -> dict[str, dict[str, Tie]]:
    """The first tie of each pair, by follower and critic."""
    to: dict[str, dict[str, Tie]] = {}
    for tie in ties:
        first = to.setdefault(tie.follower, {})
        if tie.critic not in first or tie.at < first[tie.critic].at:
            first[tie.critic] = tie
    return to


def dealt(turns: Sequence[Turned], ties: Sequence[Tie], people: Mapping[str, str], links: Sequence[Link]) -> Test:
    """How many would follow by chance, the turns of each community dealt out among its members."""
    members = sorted(people, key=lambda koc: (people[koc], koc))
    at = {koc: i for i, koc in enumerate(members)}
    pairs = [
        (at[follower], at[critic], _days(tie.at))
        for follower, led in first_ties(ties).items()
        for critic, tie in led.items()
        if critic in at and follower in at
    ]
    ordered = sorted(turns, key=lambda one: (one.turned_at, one.koc_id))
    rng = np.random.RandomState(_seed(ordered, ties, people))
    days = np.array([_days(one.turned_at) for one in ordered])
    followed = _followers(_deals(ordered, members, people, rng), sorted(pairs), days)
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
        for some in _at_once(len(inside)):
            drawn = rng.rand(some.stop - some.start, len(inside))
            chosen = drawn.argpartition(len(of_it) - 1, axis=1)[:, : len(of_it)]  # the first of a shuffle, and no more of it
            order = np.take_along_axis(drawn, chosen, axis=1).argsort(axis=1)
            who[some, of_it] = inside[np.take_along_axis(chosen, order, axis=1)]
    return who


def _followers(who: NDArray[np.int64], pairs: Sequence[tuple[int, int, float]], turned: Floats) -> NDArray[np.int64]:
    """(DEALS,) how many followed in each deal. pairs: (follower, critic, when the tie led) in order, as members."""
    count = np.zeros(len(who), dtype=np.int64)
    if not pairs:
        return count
    followers, critics, led = (np.array(column) for column in zip(*pairs, strict=True))
    ends, where = np.unique(np.concatenate([followers, critics]), return_inverse=True)
    followers, critics = where[: len(pairs)], where[len(pairs) :]
    each = np.flatnonzero(np.diff(followers, prepend=-1))
    seat = np.full(int(who.max(initial=0)) + 1, len(ends))
    known = ends[ends < len(seat)]
    seat[known] = np.arange(len(known))
    for some in _at_once(len(ends) + 3 * len(pairs)):
        at = np.full(
            (some.stop - some.start, len(ends) + 1), np.nan
        )  # when each of those who are tied turned; who never did: nan
        np.put_along_axis(at, seat[who[some]], np.broadcast_to(turned, who[some].shape), axis=1)
        at[:, -1] = np.nan
        then, gap = at[:, followers], at[:, followers] - at[:, critics]
        follows = (gap > 0) & (gap <= WINDOW / timedelta(days=1)) & (led < then)
        count[some] = np.logical_or.reduceat(follows, each, axis=1).sum(axis=1)
    return count


def _at_once(width: int) -> Iterator[slice]:
    """The deals in parts, so that rows of so many numbers never take more than some MB."""
    step = max(1, CELLS // max(width, 1))
    for first in range(0, DEALS, step):
        yield slice(first, min(first + step, DEALS))


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
