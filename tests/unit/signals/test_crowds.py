"""Storms found by place: what the next replay adds is what one replay of everything would find."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from listener.signals.crowds import storm_finds, storms_in
from listener.signals.storms import Storm
from storage.records import CrowdFind, PostKey, Voice

ZONE = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 1, 1, tzinfo=UTC)


class Threads:
    """Answers to posts in memory, with what was found of them, as `storage.crowds.Crowd` gives them."""

    starts: Mapping[str, datetime] = {}

    def __init__(self) -> None:
        self.by_place: dict[str, list[Voice]] = {}
        self.changes: dict[str, datetime] = {}
        self.finds: tuple[CrowdFind, ...] = ()

    def change(self, place: str, at: datetime) -> None:
        self.changes[place] = min(at, self.changes.get(place, at))

    def say(self, thread: str, day: float, author: str) -> None:
        at = START + timedelta(days=day)
        self.by_place.setdefault(f"t:f:{thread}", []).append(Voice(at, PostKey("f", f"{thread}{day}{author}"), author, 0, 0.9))
        self.change(f"t:f:{thread}", at)

    def erase(self, author: str) -> None:
        for place, some in self.by_place.items():
            for one in [voice for voice in some if voice.author == author]:
                some.remove(one)
                self.change(place, one.at)

    def voices(self, since: Mapping[str, datetime]) -> dict[str, list[Voice]]:
        found = {
            place: sorted((one for one in self.by_place.get(place, ()) if one.at >= at), key=lambda one: (one.at, one.key))
            for place, at in since.items()
        }
        return {place: some for place, some in found.items() if some}

    def answers(self, since: datetime) -> list[tuple[str, datetime, str]]:
        every = [(place, one.at, one.author) for place, some in self.by_place.items() for one in some if one.at >= since]
        return sorted(every, key=lambda one: (one[1], one[0], one[2]))

    def replay(self) -> dict[str, tuple[Storm, ...]]:
        self.finds = storm_finds(self, zone=ZONE, promised=0.2)  # type: ignore[arg-type]
        self.changes = {}
        return {find.place: storms_in(find) for find in self.finds if storms_in(find)}

    def replay_everything(self) -> dict[str, tuple[Storm, ...]]:
        self.finds = ()
        self.changes = {place: min(one.at for one in some) for place, some in self.by_place.items() if some}
        return self.replay()


def quarrel(crowd: Threads, thread: str, day: float, authors: Sequence[str]) -> None:
    for n, author in enumerate(authors):
        crowd.say(thread, day + n / 100, author)


def test_a_thread_that_was_loud_without_a_storm_becomes_one_when_the_others_before_it_go() -> None:
    crowd = Threads()
    for thread in "abc":
        quarrel(crowd, thread, 1, [f"{thread}{n}" for n in range(5)])
    quarrel(crowd, "x", 10, [f"x{n}" for n in range(9)])
    assert crowd.replay() == {}
    crowd.say("x", 300, "late")
    assert crowd.replay() == {}
    for n in range(3):
        crowd.erase(f"c{n}")
    assert list(crowd.replay()) == ["t:f:x"]


def test_answers_in_any_order_and_erased_at_any_time_leave_the_storms_that_one_replay_finds() -> None:
    rng = random.Random(4)
    found = 0
    for _ in range(60):
        crowd = Threads()
        said: list[tuple[str, float, str]] = []
        for thread in "abcdef":
            for _ in range(rng.randint(1, 3)):
                day = rng.choice((3, 5, 20, 100, 190, 260)) + rng.random()
                said += [(thread, day + n / 30, f"{rng.randint(0, 40)}") for n in range(rng.randint(3, 16))]
        rng.shuffle(said)
        for n, one in enumerate(said):
            crowd.say(*one)
            if rng.random() < 0.1:
                crowd.replay()
            if n > 30 and rng.random() < 0.03:
                crowd.replay()
                crowd.erase(f"{rng.randint(0, 40)}")
        told = crowd.replay()
        found += len(told)
        assert told == crowd.replay_everything()
    assert found > 20


def test_where_no_storms_are_told_those_found_before_go() -> None:
    crowd = Threads()
    quarrel(crowd, "x", 10, [f"x{n}" for n in range(9)])
    assert list(crowd.replay()) == ["t:f:x"]
    assert storm_finds(crowd, zone=ZONE, promised=0) == ()  # type: ignore[arg-type]
