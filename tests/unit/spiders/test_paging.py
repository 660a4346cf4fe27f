"""Pages down to a mark: what is read again, what goes on, what holds a mark back."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from pydantic import BaseModel, ValidationError

from spiders.errors import Blocked, Changed, Failed, Gone
from spiders.events import Collected, CollectJob, Covered, Event, Noted, Reached, SubjectMark, Trouble
from spiders.items import Item
from spiders.paging import SPANS_KEPT, Found, Page, PagedSpider
from spiders.spans import Span, span_of, written

START = datetime(2026, 1, 1, tzinfo=UTC)
SUBJECT = "timeline:7"
SIZE = 10


def post(number: int, comments: int | None = None) -> Item:
    return Item("town", f"p{number}", "7", START + timedelta(hours=number), f"第 {number} 条", comments=comments)


@dataclass
class Platform:
    """A platform in memory. by_number: cursors count pages, which move when somebody posts; else a cursor names a post.
    before: called before each page, to fail or to post in between."""

    posts: list[Item]
    by_number: bool = False
    before: Callable[[str | None], None] = lambda cursor: None
    answers: dict[str, int] = field(default_factory=dict)
    asked: list[str | None] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    pinned: Item | None = None

    def newest_first(self) -> list[Item]:
        return sorted(self.posts, key=lambda one: one.posted_at, reverse=True)

    def page(self, cursor: str | None) -> Page:
        self.before(cursor)
        self.asked.append(cursor)
        posts = self.newest_first()
        if self.by_number:
            at = int(cursor or 0)
            here, following = posts[at * SIZE : (at + 1) * SIZE], str(at + 1)
            more = len(posts) > (at + 1) * SIZE
        else:
            behind = [one for one in posts if cursor is None or one.posted_at < datetime.fromisoformat(cursor)]
            here, more = behind[:SIZE], len(behind) > SIZE
            following = here[-1].posted_at.isoformat() if here else ""
        found = [Found(replace(one, comments=self.answers.get(one.post_id))) for one in here]
        if self.pinned and cursor is None:
            found.insert(0, Found(self.pinned, pinned=True))
        return Page(found, following if more else None)


class TownSpider(PagedSpider):
    name = "town"
    platform: Platform

    def hosts(self) -> set[str]:
        return {"town.example"}

    async def page_of(self, subject: str, cursor: str | None) -> Page:
        return self.platform.page(cursor)

    async def under(self, item: Item) -> AsyncIterator[Item]:
        self.platform.answered.append(item.post_id)
        if item.post_id in self.platform.broken:
            raise Failed("没有回答 / no answer")
        for number in range(item.comments or 0):
            yield replace(item, post_id=f"{item.post_id}c{number}", kind="comment", parent_id=item.post_id)

    async def post_of(self, ref: str) -> Item:
        for one in self.platform.posts:
            if one.post_id == ref:
                return replace(one, comments=self.platform.answers.get(ref))
        raise Gone("没有 / gone")


@dataclass
class Memory:
    """What a store keeps of crawls: marks go in with the items before them, and what is not flushed is lost."""

    items: Counter[str] = field(default_factory=Counter)
    mark: SubjectMark = field(default_factory=SubjectMark)
    troubles: list[str] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def crawl(self, platform: Platform, cut: int | None = None, flush: int = 1, **asked: object) -> bool:
        """One crawl, cut after so many events if told; whether it reached its end."""
        changed = {"accounts": ("7",), "overlap_hours": 0.0, "marks": {SUBJECT: self.mark}, **asked}
        spider = TownSpider(replace(CollectJob("town"), **changed))  # type: ignore[arg-type]
        spider.platform = platform
        self.events, waiting = [], list[Event]()

        async def read() -> None:
            async for event in spider.read(spider.subjects()[0]):
                self.events.append(event)
                waiting.append(event)
                if len(waiting) >= flush:
                    self.take(waiting)
                if cut is not None and len(self.events) >= cut:
                    raise KeyboardInterrupt
            self.take(waiting)

        self.limits = []
        try:
            asyncio.run(read())
        except KeyboardInterrupt:
            return False
        except (Blocked, Changed, Failed) as error:
            self.take(waiting)
            self.troubles.append(str(error))
            return False
        self.limits = list(spider._limits)
        return any(isinstance(event, Reached) for event in self.events)

    def take(self, events: list[Event]) -> None:
        for event in events:
            match event:
                case Collected(item):
                    self.items[item.post_id] += 1
                case Reached(_, posted_at, state):
                    self.mark = SubjectMark(posted_at, state)
                case Noted(_, state):
                    self.mark = SubjectMark(self.mark.posted_at, state)
                case Trouble(_, message):
                    self.troubles.append(message)
        events.clear()

    def open(self) -> Sequence[object]:
        found = self.mark.state.get("open", ())
        assert isinstance(found, Sequence)
        return found


def town(count: int, **kinds: object) -> Platform:
    return Platform([post(number) for number in range(count)], **kinds)  # type: ignore[arg-type]


def names(*numbers: int) -> set[str]:
    return {f"p{number}" for number in numbers}


def test_a_first_crawl_reads_to_the_end_and_marks_the_newest() -> None:
    memory = Memory()
    assert memory.crawl(town(25))
    assert memory.items == Counter(dict.fromkeys(names(*range(25)), 1))
    assert memory.mark == SubjectMark(START + timedelta(hours=24), {})
    assert memory.events[-1] == Covered("town", "7")


def test_the_next_crawl_reads_down_to_the_mark_and_its_overlap() -> None:
    platform, memory = town(95), Memory()
    memory.crawl(platform)
    platform.posts += [post(number) for number in range(95, 110)]
    platform.asked.clear()
    assert memory.crawl(platform, overlap_hours=5)
    assert len(platform.asked) == 3
    assert set(memory.items) == names(*range(110))


def test_a_crawl_that_max_pages_stops_goes_on_next_time() -> None:
    platform, memory = town(10), Memory()
    memory.crawl(platform)
    platform.posts += [post(number) for number in range(10, 100)]
    for open_pages in (3, 6):
        assert not memory.crawl(platform, max_pages=3)
        assert memory.mark.posted_at == START + timedelta(hours=9)
        assert memory.limits
        assert not memory.troubles
        assert not any(isinstance(event, Covered) for event in memory.events)
        (span,) = memory.open()
        assert span["pages"] in (open_pages, open_pages - 1)  # type: ignore[index]
    while not memory.crawl(platform, max_pages=3):
        pass
    assert memory.mark == SubjectMark(START + timedelta(hours=99), {})
    assert set(memory.items) == names(*range(100))


def test_new_posts_are_read_before_what_is_left_open_goes_on() -> None:
    platform, memory = town(10), Memory()
    memory.crawl(platform)
    platform.posts += [post(number) for number in range(10, 60)]
    memory.crawl(platform, max_pages=2)
    platform.posts += [post(number) for number in range(60, 62)]
    memory.crawl(platform, max_pages=2)
    assert names(60, 61) <= set(memory.items)
    assert len(memory.open()) == 1
    platform.posts += [post(number) for number in range(62, 95)]
    memory.crawl(platform, max_pages=2)
    assert len(memory.open()) == 2
    for _ in range(20):
        if memory.crawl(platform, max_pages=2):
            break
    assert set(memory.items) == names(*range(95))
    assert memory.mark.posted_at == START + timedelta(hours=94)


def test_a_first_crawl_goes_max_pages_deep_however_often_it_is_cut() -> None:
    platform, memory = town(200), Memory()
    for _ in range(40):
        if memory.crawl(platform, cut=45, max_pages=8):
            break
    else:
        pytest.fail("it never came to its end")
    assert set(memory.items) == names(*range(120, 200))


@pytest.mark.parametrize("by_number", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_cut_at_any_event_while_people_post_and_delete_nothing_is_missed(by_number: bool, seed: int) -> None:
    dice = random.Random(seed)
    platform, memory = town(300, by_number=by_number), Memory()
    next_number = 300
    deleted: set[str] = set()
    for turn in range(60):
        for _ in range(dice.choice((0, 0, 1, 25))):
            platform.posts.append(post(next_number))
            next_number += 1
        if by_number and dice.random() < 0.3:
            gone = dice.sample(platform.posts, k=dice.choice((1, 12)))
            deleted |= {one.post_id for one in gone}
            platform.posts = [one for one in platform.posts if one not in gone]
        deep = 999 if memory.mark.posted_at is None else dice.choice((3, 99))
        if memory.crawl(platform, cut=dice.randrange(1, 90), flush=dice.choice((1, 7, 30)), max_pages=deep):
            assert {one.post_id for one in platform.posts} <= set(memory.items), turn
    while not memory.crawl(platform, max_pages=999):
        pass
    assert {one.post_id for one in platform.posts} <= set(memory.items)
    assert set(memory.items) | deleted == names(*range(next_number))


def test_a_cursor_that_the_server_forgot_is_begun_again() -> None:
    platform, memory = town(100), Memory()
    memory.crawl(platform, cut=45)

    def forget(cursor: str | None) -> None:
        if cursor is not None and not forgotten:
            forgotten.append(cursor)
            raise Failed("HTTP 400", patience=0)

    forgotten: list[str] = []
    platform.before = forget
    assert memory.crawl(platform)
    assert forgotten
    assert set(memory.items) == names(*range(100))


def test_a_server_that_is_down_is_not_taken_for_a_forgotten_cursor() -> None:
    platform, memory = town(100), Memory()
    memory.crawl(platform, cut=45)
    before = memory.mark

    def fall(cursor: str | None) -> None:
        if cursor is not None:
            raise Failed("连不上 / can't connect")

    platform.before = fall
    assert not memory.crawl(platform)
    assert memory.mark.posted_at is None
    assert memory.mark.state["open"] == before.state["open"]


def test_open_intervals_do_not_pile_up() -> None:
    platform, memory = town(5), Memory()
    memory.crawl(platform)
    number = 5
    for _ in range(SPANS_KEPT + 8):
        platform.posts += [post(number + more) for more in range(30)]
        number += 30
        memory.crawl(platform, max_pages=1)
        assert len(memory.open()) <= SPANS_KEPT + 1
    assert memory.crawl(platform, max_pages=500)
    assert set(memory.items) == names(*range(number))


def test_a_pinned_post_ends_no_timeline_and_moves_no_mark() -> None:
    platform, memory = town(40), Memory()
    memory.crawl(platform)
    platform.posts += [post(number) for number in range(40, 62)]
    platform.pinned = post(3)
    assert memory.crawl(platform)
    assert set(memory.items) == names(*range(62))


def test_answers_are_read_when_their_number_has_changed() -> None:
    platform, memory = town(5), Memory()
    platform.answers = {"p1": 2, "p3": 1}
    memory.crawl(platform, overlap_hours=100)
    assert sorted(platform.answered) == ["p0", "p1", "p2", "p3", "p4"]  # nobody says that the others have none
    platform.answers["p1"] = 3
    platform.answers |= {"p0": 0, "p2": 0, "p4": 0}
    platform.answered.clear()
    memory.crawl(platform, overlap_hours=100)
    assert platform.answered == ["p1"]
    assert memory.items["p1c2"] == 1


def test_answers_that_fail_hold_the_mark_back_for_a_day_and_are_told_then() -> None:
    platform, memory = town(30), Memory()
    platform.answers = {"p12": 1}
    platform.broken = {"p12"}
    with time_machine.travel(START + timedelta(days=10), tick=False) as clock:
        assert not memory.crawl(platform)
        assert set(memory.items) == names(*range(30))
        assert memory.mark.posted_at is None
        clock.shift(timedelta(hours=5))
        assert not memory.crawl(platform)
        clock.shift(timedelta(hours=20))
        assert memory.crawl(platform)
        assert memory.mark.posted_at == START + timedelta(hours=29)
        assert len(memory.troubles) == 3
    platform.broken.clear()
    memory.crawl(platform, overlap_hours=100)
    assert memory.items["p12c0"] == 1


def test_many_posts_that_fail_hold_the_mark_back_no_longer_than_one() -> None:
    platform, memory = town(30), Memory()
    platform.answers = {f"p{number}": 1 for number in range(10, 20)}
    platform.broken = set(platform.answers)
    with time_machine.travel(START + timedelta(days=10), tick=False) as clock:
        assert not memory.crawl(platform)
        assert memory.mark.posted_at is None
        assert "p5" not in memory.items, "a server that fails again and again is asked no more"
        clock.shift(timedelta(hours=25))
        memory.troubles.clear()
        assert memory.crawl(platform)
    assert set(memory.items) == names(*range(30))
    assert memory.mark.posted_at == START + timedelta(hours=29)
    assert 0 < len(memory.troubles) <= 4, "told, but not once for each"


def test_a_timeline_that_passed_something_unread_is_not_covered() -> None:
    platform, memory = town(30), Memory()
    platform.answers = {"p12": 1}
    platform.broken = {"p12"}
    with time_machine.travel(START + timedelta(days=10), tick=False) as clock:
        assert not memory.crawl(platform)
        clock.shift(timedelta(hours=25))
        assert memory.crawl(platform)
    assert not any(isinstance(event, Covered) for event in memory.events)


def test_a_single_post_is_read_with_its_answers() -> None:
    platform, memory = town(5), Memory()
    platform.answers = {"p2": 2}
    assert memory.crawl(platform, accounts=(), posts=("p2",), marks={})
    assert set(memory.items) == {"p2", "p2c0", "p2c1"}
    assert not any(isinstance(event, Covered) for event in memory.events)
    assert not memory.crawl(platform, accounts=(), posts=("p99",), marks={})
    assert memory.troubles == ["没有 / gone"]


def test_a_date_range_leaves_mark_and_open_intervals_alone() -> None:
    platform, memory = town(100), Memory()
    memory.crawl(platform, cut=45)
    before = memory.mark
    since, until = START + timedelta(hours=20), START + timedelta(hours=60)
    assert memory.crawl(platform, since=since, until=until)
    assert names(*range(20, 60)) <= set(memory.items)
    assert memory.mark == before
    assert not any(isinstance(event, (Covered, Noted)) for event in memory.events)
    assert not memory.crawl(platform, since=since, until=until, max_pages=3)
    assert "max_pages" in memory.troubles[-1]


def test_a_page_that_has_not_changed_reaches_and_covers() -> None:
    class Unchanged(Platform):
        def page(self, cursor: str | None) -> Page:
            return Page([], unchanged=True)

    memory = Memory(mark=SubjectMark(START, {"told": {"etag": "x"}}))
    assert memory.crawl(Unchanged([]))
    assert memory.events == [Reached(SUBJECT, START, {"told": {"etag": "x"}}), Covered("town", "7")]


def test_what_the_server_wants_to_hear_again_is_asked_with_only_where_all_is_read() -> None:
    def conditions(state: dict[str, object], **asked: object) -> dict[str, str]:
        job = CollectJob("town", accounts=("7",), marks={SUBJECT: SubjectMark(START, state)})
        return TownSpider(replace(job, **asked)).conditions(SUBJECT)  # type: ignore[arg-type]

    told = {"told": {"etag": "x", "modified": "y"}}
    assert conditions(told) == {"If-None-Match": "x", "If-Modified-Since": "y"}
    assert conditions({}) == {}
    assert conditions({**told, "open": [{"pages": 1}]}) == {}
    assert conditions(told, since=START) == {}


def test_a_server_that_repeats_its_last_page_for_ever_comes_to_an_end() -> None:
    class Stuck(Platform):
        def page(self, cursor: str | None) -> Page:
            return replace(super().page(None), next=str(int(cursor or 0) + 1))

    platform = Stuck([post(number) for number in range(10)])
    assert Memory().crawl(platform)
    assert len(platform.asked) == 2


def test_a_list_too_short_to_meet_the_mark_covers_nothing_and_says_so() -> None:
    platform, memory = town(8), Memory()
    assert memory.crawl(platform)
    platform.posts = [post(number) for number in range(30, 36)]
    assert memory.crawl(platform)
    assert memory.mark.posted_at == START + timedelta(hours=35)
    assert [words for words in memory.limits if "漏" in words]
    assert not any(isinstance(event, Covered) for event in memory.events)
    assert memory.crawl(platform)
    assert any(isinstance(event, Covered) for event in memory.events), "it meets what was read before again"


def test_a_timeline_that_shows_nothing_any_more_is_not_taken_for_silence() -> None:
    platform, memory = town(8), Memory()
    assert memory.crawl(platform)
    platform.posts = []
    assert memory.crawl(platform)
    assert memory.mark.posted_at == START + timedelta(hours=7)
    assert [words for words in memory.limits if "一条也没有" in words]
    assert not any(isinstance(event, Covered) for event in memory.events)


def test_a_new_timeline_without_a_post_is_truly_empty_and_covered() -> None:
    memory = Memory()
    assert memory.crawl(town(0))
    assert (memory.limits, memory.troubles) == ([], [])
    assert memory.events == [Reached(SUBJECT, None, {}), Covered("town", "7")]


def test_options_are_checked_by_the_spiders_own_model() -> None:
    class Wanted(BaseModel, extra="forbid"):
        limit: int = 5

    class Choosy(TownSpider):
        Options = Wanted

    assert Choosy(CollectJob("town", options={"limit": "7"})).options.limit == 7
    with pytest.raises(ValidationError):
        Choosy(CollectJob("town", options={"limitt": 7}))


def test_an_interval_survives_being_written() -> None:
    span = Span(START + timedelta(days=1), START, "cursor", START + timedelta(hours=3), 7)
    assert span_of(written(span)) == span
    assert span_of(written(Span())) == Span()
