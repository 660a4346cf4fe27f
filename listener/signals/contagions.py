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
    pairs = sorted(
        (at[follower], at[critic], _days(tie.at))
        for follower, led in first_ties(ties).items()
        for critic, tie in led.items()
        if critic in at and follower in at
    )
    ordered = sorted(turns, key=lambda one: (one.turned_at, one.koc_id))
    rng = np.random.RandomState(_seed(ordered, ties, people))
    follow = _Following(pairs, np.array([_days(one.turned_at) for one in ordered]))
    followed = np.concatenate([follow.count(who) for who in _deals(ordered, members, people, rng, len(pairs))])
    as_many = int((followed >= len(links)).sum())
    return Test(len(links), round(float(followed.mean()), 3), round((1 + as_many) / (DEALS + 1), 6))


def _deals(
    ordered: Sequence[Turned], members: Sequence[str], people: Mapping[str, str], rng: np.random.RandomState, pairs: int
) -> Iterator[NDArray[np.int64]]:
    """(deals, turns) the members to whom each turn is dealt, in blocks of so many deals that few MB are held at once."""
    inside: dict[str, list[int]] = {people[one.koc_id]: [] for one in ordered}
    for i, koc in enumerate(members):
        if people[koc] in inside:
            inside[people[koc]].append(i)
    some = [
        (np.array(inside[name]), [i for i, one in enumerate(ordered) if people[one.koc_id] == name]) for name in sorted(inside)
    ]
    step = max(1, CELLS // (4 * len(ordered) + 3 * pairs))
    for first in range(0, DEALS, step):
        who = np.zeros((min(step, DEALS - first), len(ordered)), dtype=np.int64)
        for those, of_it in some:
            who[:, of_it] = those[_distinct(rng, len(who), len(of_it), len(those))]
        yield who


def _distinct(rng: np.random.RandomState, rows: int, n: int, below: int) -> NDArray[np.int64]:
    """(rows, n) numbers, in each row distinct ones, every choice and order of them as likely as any other."""
    if below <= 4 * n:
        shuffled: NDArray[np.int64] = rng.rand(rows, below).argsort(axis=1)[:, :n]
        return shuffled
    found = rng.randint(below, size=(rows, n), dtype=np.int64)
    while True:
        order = found.argsort(axis=1, kind="stable")
        ranked = np.take_along_axis(found, order, axis=1)
        again = np.zeros(found.shape, dtype=np.bool_)
        np.put_along_axis(again, order[:, 1:], ranked[:, 1:] == ranked[:, :-1], axis=1)
        if not again.any():
            return found
        found[again] = rng.randint(below, size=int(again.sum()), dtype=np.int64)


class _Following:
    """Counts who follows whom. pairs: (follower, critic, when the tie led) in order, as members; turned: when, of each turn."""

    def __init__(self, pairs: Sequence[tuple[int, int, float]], turned: Floats) -> None:
        followers, critics, led = (np.array(column) for column in zip(*pairs, strict=True)) if pairs else (np.zeros(0),) * 3
        self._ends, where = np.unique(np.concatenate([followers, critics]), return_inverse=True)
        self._followers, self._critics = where[: len(pairs)], where[len(pairs) :]
        self._first = np.flatnonzero(np.diff(self._followers, prepend=-1))
        self._led, self._turned = led, turned

    def count(self, who: NDArray[np.int64]) -> NDArray[np.int64]:
        """(deals,) how many followed in each deal."""
        ends = len(self._ends)
        if not ends:
            return np.zeros(len(who), dtype=np.int64)
        seat = np.searchsorted(self._ends, who).clip(0, ends - 1)
        seat = np.where(self._ends[seat] == who, seat, ends)  # of all who are tied to nobody: the last
        at = np.full((len(who), ends + 1), np.nan)  # when each of the tied turned; nan: never
        np.put_along_axis(at, seat, np.broadcast_to(self._turned, who.shape), axis=1)
        at[:, -1] = np.nan
        then, gap = at[:, self._followers], at[:, self._followers] - at[:, self._critics]
        follows = (gap > 0) & (gap <= WINDOW / timedelta(days=1)) & (self._led < then)
        counted: NDArray[np.int64] = np.logical_or.reduceat(follows, self._first, axis=1).sum(axis=1)
        return counted


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
