"""The forum spider against a small forum on this machine: GBK pages, sorted by the last answer, floors on several pages."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

from spiders.collect import Collected, Covered
from tests.local_site import Answer, Asked, Site, crawled, items_of, marks_of, outcome_of, page, troubles_of

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime.now(UTC).replace(microsecond=0)
TOPICS, FLOORS = 5, 4
OPTIONS: dict[str, Any] = {
    "topics": {
        "item": "li.topic",
        "link": "a.title",
        "id": r"thread-(\d+)-",
        "title": "a.title",
        "author": ".by",
        "author_id": ".by::attr(data-uid)",
        "time": ".begun",
        "active": ".active",
        "answers": ".answers",
        "pinned": ".top",
        "next": "a.next",
        "empty": ".nothing",
    },
    "floors": {
        "item": ".floor",
        "id": r"::attr(id) =~ p(\d+)",
        "author": ".by",
        "author_id": ".by::attr(data-uid)",
        "time": "time",
        "text": ".words",
        "parent": r"blockquote a::attr(href) =~ p(\d+)",
        "title": "h1",
        "next": "a.next",
    },
    "search": "/search?q={}",
    "timeline": "/space-{}.html",
}


@dataclass(frozen=True)
class Said:
    number: int
    uid: int
    words: str
    at: datetime
    answers: int | None = None


@dataclass(frozen=True)
class Thread:
    number: int
    title: str
    floors: tuple[Said, ...]
    pinned: bool = False
    walled: bool = False

    @property
    def active(self) -> datetime:
        return max(floor.at for floor in self.floors)


@dataclass
class Forum:
    threads: dict[int, Thread] = field(default_factory=dict)
    wall: bool = False
    relative: bool = True

    def answer(self, asked: Asked) -> Answer | None:
        if self.wall:
            return page("<p>您需要登录后才能继续</p>", "gbk")
        if asked.path.startswith("/thread-"):
            return self._thread(asked)
        if asked.path == "/board":
            return self._list(list(self.threads.values()), asked)
        if asked.path == "/search":
            words = parse_qs("q=" + asked.query["q"])["q"][0]
            return self._list([one for one in self.threads.values() if words in one.title], asked)
        if asked.path.startswith("/space-"):
            uid = int(asked.path.removeprefix("/space-").removesuffix(".html"))
            return self._list([one for one in self.threads.values() if one.floors[0].uid == uid], asked)
        return None

    def _list(self, threads: list[Thread], asked: Asked) -> Answer:
        number = int(asked.query.get("page", 1))
        threads = sorted(threads, key=lambda one: (one.pinned, one.active), reverse=True)
        shown = threads[(number - 1) * TOPICS : number * TOPICS]
        rows = "".join(
            f"<li class=topic>{'<b class=top>置顶</b>' * one.pinned}<a class=title href='/thread-{one.number}-1.html'>"
            f"{escape(one.title)}</a><i class=by data-uid={one.floors[0].uid}>网友{one.floors[0].uid}</i>"
            f"<i class=begun>{self._shown(one.floors[0].at)}</i><i class=active>最后回复 {self._shown(one.active)}</i>"
            f"<i class=answers>{len(one.floors) - 1}</i></li>"
            for one in shown
        )
        more = f"<a class=next href='?{query_of(asked, number + 1)}'>下一页</a>" if number * TOPICS < len(threads) else ""
        return page(f"<meta charset=gb2312><ul>{rows or '<p class=nothing>没有主题</p>'}</ul>{more}", "gbk")

    def _thread(self, asked: Asked) -> Answer | None:
        own, _, number = asked.path.removeprefix("/thread-").removesuffix(".html").partition("-")
        thread = self.threads.get(int(own))
        if thread is None:
            return None
        if thread.walled:
            return page("<p>抱歉，请先登录</p>", "gbk")
        at = int(number)
        floors = "".join(
            f"<div class=floor id=p{one.number}><i class=by data-uid={one.uid}>网友{one.uid}</i>"
            f"<time>发表于 {self._shown(one.at)}</time>"
            f"<div class=words>{f'<blockquote><a href=#p{one.answers}>别人的话</a></blockquote>' if one.answers else ''}"
            f"{escape(one.words)}</div></div>"
            for one in thread.floors[(at - 1) * FLOORS : at * FLOORS]
        )
        more = f"<a class=next href='/thread-{own}-{at + 1}.html'>下一页</a>" if at * FLOORS < len(thread.floors) else ""
        return page(f"<h1>{escape(thread.title)}</h1>{floors}{more}", "gbk", charset="gbk")

    def _shown(self, at: datetime) -> str:
        local = at.astimezone(ZONE)
        age = NOW - at
        if self.relative and age < timedelta(hours=1):
            return f"{int(age.total_seconds() // 60)} 分钟前"
        days = (NOW.astimezone(ZONE).date() - local.date()).days
        if self.relative and days in (1, 2):
            return f"{'昨天' if days == 1 else '前天'}&nbsp;{local:%H:%M}"
        return f"{local:%Y-%m-%d %H:%M}"

    def say(self, number: int, said: Said) -> None:
        self.threads[number] = replace(self.threads[number], floors=(*self.threads[number].floors, said))


def query_of(asked: Asked, number: int) -> str:
    return f"q={asked.query['q']}&page={number}" if "q" in asked.query else f"page={number}"


def forum(count: int = 17) -> Forum:
    """Topics a day apart, the older ones with more floors; the very first one pinned."""
    made = Forum()
    for number in range(1, count + 1):
        begun = NOW - timedelta(days=count - number, hours=2)
        floors = [Said(number * 100, number % 4 + 1, f"晴川第 {number} 天，<不错> & 好", begun)]
        for at in range(1, (count - number) % 10 + 1):
            floors.append(
                Said(number * 100 + at, at % 3 + 1, f"第 {at} 层", begun + timedelta(minutes=at), number * 100 + at - 1)
            )
        made.threads[number] = Thread(number, f"晴川体验 {number}", tuple(floors), pinned=number == 1)
    return made


def options(site: Site) -> dict[str, Any]:
    return {**OPTIONS, "search": site.url + OPTIONS["search"], "timeline": site.url + OPTIONS["timeline"]}


def everything(made: Forum, host: str) -> dict[str, tuple[str | None, str]]:
    """Parent and words of each post, by id."""
    found: dict[str, tuple[str | None, str]] = {}
    for thread in made.threads.values():
        topic = f"{host}:topic:{thread.number}"
        found[topic] = (None, f"{thread.title}\n{thread.floors[0].words}")
        for said in thread.floors[1:]:
            to_topic = said.answers in (None, thread.floors[0].number)
            found[f"{host}:floor:{said.number}"] = (topic if to_topic else f"{host}:floor:{said.answers}", said.words)
    return found


def test_a_board_is_read_whole_with_all_floors_each_once() -> None:
    made = forum()
    with Site(made.answer) as site:
        events = crawled("forum", urls=(f"{site.url}/board",), options=options(site))
        found = items_of(events)
    assert outcome_of(events) == "done"
    assert {item.post_id: (item.parent_id, item.text) for item in found} == everything(made, site.host)
    assert len(found) == len({item.post_id for item in found})
    by_id = {item.post_id: item for item in found}
    for thread in made.threads.values():
        for at, said in enumerate(thread.floors):
            item = by_id[f"{site.host}:floor:{said.number}" if at else f"{site.host}:topic:{thread.number}"]
            assert abs(item.posted_at - said.at) < timedelta(minutes=2)
            assert item.author_id == f"{site.host}:user:{said.uid}"
            assert item.root_id == (f"{site.host}:topic:{thread.number}" if at else None)
    # a pinned topic is begun long ago: the mark is the time of the newest answer
    mark = marks_of(events)[f"{site.url}/board"].posted_at
    assert mark is not None
    assert abs(mark - max(thread.active for thread in made.threads.values())) < timedelta(minutes=2)


def test_crawled_again_only_topics_with_new_floors_are_opened() -> None:
    made = forum()
    with Site(made.answer) as site:
        first = crawled("forum", urls=(f"{site.url}/board",), options=options(site))
        made.say(3, Said(999, 2, "后来才说", NOW - timedelta(minutes=5)))
        del made.threads[16]
        made.threads[18] = Thread(18, "晴川体验 18", (Said(1800, 1, "新来的", NOW - timedelta(minutes=30)),))
        site.asked.clear()
        again = crawled("forum", urls=(f"{site.url}/board",), options=options(site), marks=marks_of(first), overlap_hours=24)
        paths = site.paths()
    assert outcome_of(again) == "done"
    known = {item.post_id for item in items_of(first)}
    assert {item.post_id for item in items_of(again)} - known == {f"{site.host}:floor:999", f"{site.host}:topic:18"}
    assert paths.count("/board") == 2  # down to the mark, less the overlap
    # 17 has no answer yet, so nothing tells whether it was touched
    assert {path.split("-")[1] for path in paths if path.startswith("/thread-")} == {"3", "17", "18"}


def test_an_authors_topics_are_a_timeline_that_is_covered() -> None:
    made = forum()
    with Site(made.answer) as site:
        account = f"{site.host}:user:2"
        events = crawled("forum", accounts=(account,), options=options(site))
    topics = {item.post_id for item in items_of(events) if item.kind == "post"}
    assert topics == {f"{site.host}:topic:{number}" for number in made.threads if made.threads[number].floors[0].uid == 2}
    assert Covered("forum", account) in events


def test_a_quiet_board_crawled_again_tells_nothing_and_its_timelines_stay_covered() -> None:
    made = forum()
    with Site(made.answer) as site:
        asked: dict[str, Any] = {"urls": (f"{site.url}/board",), "accounts": (f"{site.host}:user:2",), "options": options(site)}
        first = crawled("forum", **asked)
        again = crawled("forum", **asked, marks=marks_of(first))
    assert (outcome_of(again), troubles_of(again)) == ("done", [])
    assert Covered("forum", f"{site.host}:user:2") in again


def test_a_search_and_one_topic_by_its_address() -> None:
    made = forum()
    with Site(made.answer) as site:
        found = items_of(crawled("forum", queries=("体验 5",), options=options(site), comments=False))
        assert [item.post_id for item in found] == [f"{site.host}:topic:5"]
        nothing = crawled("forum", queries=("没有的词",), options=options(site))
        assert (outcome_of(nothing), items_of(nothing)) == ("done", [])
        one = crawled("forum", posts=(f"{site.url}/thread-8-1.html",), options=options(site))
    wanted = {key for key in everything(made, site.host) if key.endswith((":topic:8",)) or ":floor:80" in key}
    assert {item.post_id for item in items_of(one)} == wanted
    assert [item.text.split("\n")[0] for item in items_of(one) if item.kind == "post"] == ["晴川体验 8"]


def test_a_topic_that_is_gone_is_told_and_one_behind_a_log_in_is_a_limit() -> None:
    made = forum()
    made.threads[9] = replace(made.threads[9], walled=True)
    with Site(made.answer) as site:
        events = crawled("forum", urls=(f"{site.url}/board",), options=options(site))
        gone = crawled("forum", posts=(f"{site.url}/thread-404-1.html",), options=options(site))
    assert outcome_of(events) == "done"
    assert [(one.kind, "1 topics are shown after a log-in" in one.message) for one in troubles_of(events)] == [
        ("limited", True)
    ]
    assert f"{site.host}:topic:9" not in {item.post_id for item in items_of(events)}
    assert (outcome_of(gone), items_of(gone)) == ("failed", [])


def test_a_topic_that_can_not_be_opened_is_told_and_one_taken_away_meanwhile_is_not() -> None:
    made = forum()
    answers = {"/thread-9-1.html": Answer(status=400), "/thread-8-1.html": Answer(status=404)}
    with Site(lambda asked: answers.get(asked.path) or made.answer(asked)) as site:
        events = crawled("forum", urls=(f"{site.url}/board",), options=options(site))
    assert outcome_of(events) == "done", "it holds nothing else back"
    (trouble,) = troubles_of(events)
    assert (trouble.kind, trouble.count) == ("limited", 1)
    assert "1 topics could not be opened" in trouble.message


def test_a_wall_a_changed_page_and_an_empty_board_look_different() -> None:
    made, empty = forum(), Forum()
    made.wall = True
    changed = {**OPTIONS, "topics": {**OPTIONS["topics"], "item": "tr.thread"}}
    with Site(made.answer) as walled, Site(empty.answer) as bare, Site(forum().answer) as fine:
        blocked = crawled("forum", urls=(f"{walled.url}/board",), options=OPTIONS)
        nothing = crawled("forum", urls=(f"{bare.url}/board",), options=OPTIONS)
        odd = crawled("forum", urls=(f"{fine.url}/board",), options=changed)
    assert [one.kind for one in troubles_of(blocked)] == ["blocked"]
    assert (outcome_of(nothing), troubles_of(nothing)) == ("done", [])
    assert marks_of(nothing)[f"{bare.url}/board"].posted_at is None
    (trouble,) = troubles_of(odd)
    assert trouble.kind == "changed"
    assert "topics.item = 'tr.thread'" in trouble.message


def test_floors_beyond_the_limit_are_told() -> None:
    made = forum()
    with Site(made.answer) as site:
        events = crawled("forum", posts=(f"{site.url}/thread-8-1.html",), options=options(site), max_comment_pages=2)
    assert len([event for event in events if isinstance(event, Collected)]) == 2 * FLOORS
    assert [one.kind for one in troubles_of(events)] == ["limited"]
    assert outcome_of(events) == "done"


def test_a_backfill_opens_the_topics_of_its_range_alone() -> None:
    made = forum()
    made.relative = False
    since, until = NOW - timedelta(days=8), NOW - timedelta(days=5)
    with Site(made.answer) as site:
        events = crawled("forum", urls=(f"{site.url}/board",), options=options(site), since=since, until=until)
        opened = {path.split("-")[1] for path in site.paths() if path.startswith("/thread-")}
    inside = {str(thread.number) for thread in made.threads.values() if since <= thread.floors[0].at < until}
    assert opened == inside
    assert {item.post_id.rpartition(":")[2] for item in items_of(events) if item.kind == "post"} == inside


def test_without_an_address_for_searches_the_operator_is_told_which_option_is_missing() -> None:
    with Site(forum().answer) as site:
        events = crawled(
            "forum", queries=("晴川",), urls=(f"{site.url}/board",), options={**OPTIONS, "search": "", "timeline": ""}
        )
    (trouble,) = troubles_of(events)
    assert (trouble.kind, "options.search" in trouble.message) == ("failed", True)
