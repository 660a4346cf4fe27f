"""What changed among the posts against a brand → the signals of crowds, and what was found by place, for the next replay.

Only places that changed are read again, from where they changed on; what stands from the replay before is kept beside. Whatever
came first, the sum of it is what one replay of everything would find.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, time
from itertools import pairwise
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from listener.keys import key_of
from listener.signals import contagions, stories, storms
from listener.signals.stories import spread_finds, spread_signals
from listener.signals.storms import Storm, storms_of_place, storms_of_thread
from storage.records import CrowdFind, MoodDay, PostKey, Signal, Tie, Turned, Voice

RULES = 1  # raise it when the rules of a signal of crowds change: everything is then found anew
STORM = "opinion-storm"
WHOLE = ""  # the KOC of a signal that is of the whole brand
THREAD = "t:"  # places that are the answers to one post begin so
KINDS: Mapping[str, str] = {"s": "source", "g": "group", "t": "thread"}
RANK = {"group": 0, "source": 1, "thread": 2}
Answer = tuple[str, datetime, str]  # place, time, author


class Crowd(stories.Crowd, Protocol):
    """What is read of a brand's crowds: see `storage.crowds.Crowd`."""

    @property
    def starts(self) -> Mapping[str, datetime]: ...
    def voices(self, since: Mapping[str, datetime]) -> Mapping[str, Sequence[Voice]]: ...
    def answers(self, since: datetime) -> Sequence[Answer]: ...
    def turned(self) -> Sequence[Turned]: ...
    def ties(self) -> Sequence[Tie]: ...
    def people(self) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True)
class Promise:
    """storms: false storms per place and year; spreads: posts in 1000 that are falsely said to go far; contagions: false ones
    a year; 0 = none are told. media: author keys of the accounts whose taking up a post is news."""

    storms: float = 0.2
    spreads: float = 1.0
    contagions: float = 0.05
    media: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Found:
    """What the signals of crowds say of a brand: the signals, and what was found by place."""

    signals: tuple[Signal, ...]
    finds: tuple[CrowdFind, ...]


def found_with(storms_promised: float, spreads_promised: float, media: Mapping[str, frozenset[str]]) -> str:
    """What the finds are made with, as a fingerprint: where it changes, all are found anew.

    >>> found_with(0.2, 1.0, {}) == found_with(0.2, 1.0, {"星澜": frozenset()}) != found_with(0.1, 1.0, {})
    True
    """
    accounts = {brand: sorted(keys) for brand, keys in sorted(media.items()) if keys}
    return key_of(str(RULES), repr(float(storms_promised)), repr(float(spreads_promised)), repr(accounts))


def crowd_signals(brand: str, crowd: Crowd, moods: Sequence[MoodDay], *, zone: ZoneInfo, promise: Promise) -> Found:
    """All signals of crowds of a brand. moods: the public's, whose last day begins when it was surely still heard."""
    heard_to = max((datetime.combine(mood.day, time(), zone) for mood in moods), default=None)
    storming = storm_finds(crowd, zone=zone, promised=promise.storms)
    spreading = spread_finds(crowd, media=promise.media, promised=promise.spreads)
    told = (
        *storm_signals(brand, storming, heard_to, promise.storms),
        *spread_signals(brand, crowd, spreading, heard_to, promise.spreads),
        *_contagions(brand, crowd, heard_to, promise.contagions),
    )
    return Found(told, (*storming, *spreading))


def _contagions(brand: str, crowd: Crowd, heard_to: datetime | None, promised: float) -> tuple[Signal, ...]:
    turns = crowd.turned()
    times = sorted({one.turned_at for one in turns})
    if promised <= 0 or not any(b - a <= contagions.WINDOW for a, b in pairwise(times)):
        return ()
    return contagions.contagions(brand, turns, crowd.ties(), crowd.people(), heard_to, promised=promised)


def storm_finds(crowd: Crowd, *, zone: ZoneInfo, promised: float) -> tuple[CrowdFind, ...]:
    """The storms by place: those of the places that changed found anew, the others as they were; none where none are told."""
    if promised <= 0:
        return ()
    before = {one.place: one for one in crowd.finds if one.kind == STORM}
    changed = {place: at for place, at in crowd.changes.items() if place[:1] in KINDS}
    threads = {place: at for place, at in changed.items() if place.startswith(THREAD)}
    new = _of_places(crowd, {p: at for p, at in changed.items() if p not in threads}, before, zone, promised)
    if threads:
        first = min(threads.values())  # what a thread is measured by are the others before it
        touched = {place: first for place, one in before.items() if place.startswith(THREAD) and one.at >= first}
        new |= _of_threads(crowd, {**threads, **touched}, before)
    kept = {place: one for place, one in before.items() if place not in new}
    return tuple(one for _, one in sorted((kept | {p: f for p, f in new.items() if f}).items()) if one)


def storm_signals(brand: str, finds: Sequence[CrowdFind], heard_to: datetime | None, promised: float) -> tuple[Signal, ...]:
    """One signal for each storm. Of one that was seen in several places, since they share posts, the first one tells.

    heard_to: up to when anything was heard of the brand: it ends no storm that nobody listened to."""
    told: list[tuple[CrowdFind, Storm, list[CrowdFind]]] = []
    every = [(find, storm) for find in finds if find.kind == STORM for storm in storms_in(find)]
    for find, storm in sorted(every, key=lambda pair: (pair[1].fired_at, RANK[_kind_of(pair[0].place)], pair[0].place)):
        same = next((one for one in told if _is_same(one[1], storm)), None)
        if same:
            same[2].append(find)
        else:
            told.append((find, storm, []))
    return tuple(_signal(brand, find, storm, also, heard_to, promised) for find, storm, also in told)


def storms_in(find: CrowdFind) -> tuple[Storm, ...]:
    """The storms that were found in a place."""
    return tuple(_storm_of(one) for one in find.found["storms"])


def _of_places(
    crowd: Crowd, changed: Mapping[str, datetime], before: Mapping[str, CrowdFind], zone: ZoneInfo, promised: float
) -> dict[str, CrowdFind | None]:
    known = {place: storms_in(before[place]) if place in before else () for place in changed}
    since = {place: storms.restart_of(known[place], at) - storms.BACK for place, at in changed.items()}
    voices = crowd.voices(since)
    new: dict[str, CrowdFind | None] = {}
    for place, at in changed.items():
        some = voices.get(place, ())
        found: tuple[Storm, ...] = tuple(one for one in known[place] if one.last_at + storms.QUIET < at)
        if place in crowd.starts and storms.has_many(some, storms.WINDOW, storms.LEAST_AUTHORS):
            first_at = crowd.starts[place]
            found = storms_of_place(some, known[place], since=at, first_at=first_at, zone=zone, promised=promised)
        elif known[place]:
            start = storms.restart_of(known[place], at)
            found = tuple(one for one in known[place] if one.last_at + storms.QUIET < start)
        new[place] = _find(place, found, some)
    return new


def _of_threads(crowd: Crowd, changed: Mapping[str, datetime], before: Mapping[str, CrowdFind]) -> dict[str, CrowdFind | None]:
    known = {place: storms_in(before[place]) if place in before else () for place in changed}
    starts = {place: storms.restart_of(known[place], at) for place, at in changed.items()}
    voices = crowd.voices({place: start - storms.THREAD_WINDOW for place, start in starts.items()})
    # What was found before is kept without a storm too, and with its time: it may become one when an earlier post goes.
    new: dict[str, CrowdFind | None] = {
        place: CrowdFind(STORM, place, before[place].at, {"storms": []}) if place in before else None for place in changed
    }
    many = {p: some for p, some in voices.items() if storms.has_many(some, storms.THREAD_WINDOW, storms.LEAST_THREAD)}
    answers = crowd.answers(min(starts[p] for p in many) - storms.THREAD_DAYS * storms.DAY) if many else ()
    for place in sorted(many.keys() | {place for place, found in known.items() if found}):
        some = many.get(place, ())
        others = [one for one in answers if one[0] != place]
        found = storms_of_thread(some, others, known[place], since=changed[place])
        times = [one.at for one in some] + [one.last_at for one in found]
        if times:
            at = max([*times, before[place].at] if place in before else times)
            new[place] = CrowdFind(STORM, place, at, {"storms": [_json_of(one) for one in found]})
    return new


def _find(place: str, found: Sequence[Storm], voices: Sequence[Voice]) -> CrowdFind | None:
    if not found:
        return None
    last = max([one.at for one in voices] + [one.last_at for one in found])
    return CrowdFind(STORM, place, last, {"storms": [_json_of(one) for one in found]})


def _json_of(storm: Storm) -> dict[str, Any]:
    values = asdict(storm)
    values |= {name: values[name].isoformat() for name in ("from_at", "fired_at", "last_at")}
    values |= {"tipped_by": _pair(storm.tipped_by), "quoted": [_pair(key) for key in storm.quoted]}
    return values


def _storm_of(json: Mapping[str, Any]) -> Storm:
    values = {one.name: json[one.name] for one in fields(Storm)}
    values |= {name: datetime.fromisoformat(values[name]) for name in ("from_at", "fired_at", "last_at")}
    values |= {"tipped_by": PostKey(*values["tipped_by"]), "quoted": tuple(PostKey(*pair) for pair in values["quoted"])}
    return Storm(**values)


def _pair(key: PostKey) -> list[str]:
    return [key.platform, key.post_id]


def _is_same(one: Storm, other: Storm) -> bool:
    is_meanwhile = one.from_at <= other.last_at and other.from_at <= one.last_at
    return is_meanwhile and not set(one.quoted).isdisjoint(other.quoted)


def _kind_of(place: str) -> str:
    return KINDS[place[0]]


def _signal(
    brand: str, find: CrowdFind, storm: Storm, also: Sequence[CrowdFind], heard_to: datetime | None, promised: float
) -> Signal:
    over = storm.last_at + storms.QUIET
    evidence = {
        "place": find.place[2:],
        "place_kind": _kind_of(find.place),
        "also": sorted({one.place[2:] for one in also if _kind_of(one.place) != "thread"} - {find.place[2:]}),
        "usual": storm.usual,
        "first": storm.first,
        "peak": storm.peak,
        "authors": storm.authors,
        "posts": storm.posts,
        "copies": storm.copies,
        "from_at": storm.from_at.isoformat(),
        "last_at": storm.last_at.isoformat(),
        "promised_per_place_year": promised,
    }
    ended = over if heard_to is not None and heard_to >= over else None
    return Signal(STORM, WHOLE, brand, storm.fired_at, storm.tipped_by, evidence, storm.quoted, ended)
