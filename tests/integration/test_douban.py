"""The douban spider against pages on this machine: a group with its topics and answers, short comments, walls."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.local_site import Answer, Asked, Site, crawled, items_of, marks_of, outcome_of, page, troubles_of

NOW = datetime.now(UTC).replace(second=0, microsecond=0)
WALL = "<title>登录跳转</title><p>登录跳转页面</p>"


def shown(at: datetime) -> str:
    return at.astimezone(ZoneInfo("Asia/Shanghai")).strftime("%Y-%m-%d %H:%M:%S")


@dataclass
class Douban:
    """topics: by number, the times of the topic and its answers. walled_from: lists ask for a log-in from this page on."""

    topics: dict[int, list[datetime]] = field(default_factory=dict)
    walled_from: int = 99

    def answer(self, asked: Asked) -> Answer | None:
        start = int(asked.query.get("start", 0))
        if asked.path == "/group/wash/discussion":
            return self._list(start)
        if asked.path.startswith("/group/topic/"):
            return self._topic(int(asked.path.split("/")[3]), start)
        if asked.path == "/subject/35/comments":
            return self._comments(start) if asked.query.get("sort") == "time" else None
        return None

    def _list(self, start: int) -> Answer:
        if start // 5 + 1 >= self.walled_from:
            return page(WALL)
        numbers = sorted(self.topics, key=lambda one: max(self.topics[one]), reverse=True)
        rows = "".join(
            f"<tr><td class=title><a href='/group/topic/{one}/?x=1'>话题 {one}</a></td><td></td>"
            f"<td class=r-count>{len(self.topics[one]) - 1 or ''}</td><td class=time>{shown(max(self.topics[one]))}</td></tr>"
            for one in numbers[start : start + 5]
        )
        more = f"<span class=next><a href='?start={start + 5}'>后页</a></span>" if start + 5 < len(numbers) else ""
        return page(f"<table class=olt><tr class=th><td>讨论</td></tr>{rows}</table>{more}")

    def _topic(self, number: int, start: int) -> Answer | None:
        if number not in self.topics:
            return None
        begun, *answers = self.topics[number]
        person = "<a href='https://www.douban.com/people/{0}/'>{0}</a>"
        items = "".join(
            f"<li class=comment-item data-cid={number * 1000 + at}><h4>{person.format(f'p{at}')}"
            f"<span class=pubtime>{shown(when)} 上海</span></h4><p class=reply-content>回复 {at}</p></li>"
            for at, when in list(enumerate(answers))[start : start + 10]
        )
        more = f"<span class=next><a href='?start={start + 10}'>后页</a></span>" if start + 10 < len(answers) else ""
        return page(
            f"<h1>话题 {number}</h1><div class=topic-content><div class=topic-doc>"
            f"<span class=from>{person.format('lou')}</span>"
            f"<span class=create-time>{shown(begun)}</span><div class=topic-richtext>晴川 {number}</div></div></div>"
            f"<ul id=comments>{items}</ul>{more}"
        )

    def _comments(self, start: int) -> Answer:
        if start >= 40:
            return page(WALL)
        items = "".join(
            f"<div class=comment-item data-cid={at}>"
            f"<span class=comment-info><a href='https://www.douban.com/people/p{at}/'>p</a>"
            f"<span class=comment-time title='{shown(NOW - timedelta(hours=at))}'></span></span>"
            f"<span class=short>短评 {at}</span></div>"
            for at in range(start, start + 20)
        )
        return page(f"{items}<div id=paginator><a class=next href='?start={start + 20}&sort=time'>后页</a></div>")


def season() -> Douban:
    made = Douban()
    for number in range(1, 13):
        begun = NOW - timedelta(days=13 - number)
        made.topics[number] = [begun, *(begun + timedelta(minutes=at) for at in range(1, number * 7 % 25))]
    return made


def test_a_group_is_read_to_its_end_with_all_answers_each_once() -> None:
    made = season()
    with Site(made.answer) as site:
        events = crawled("douban", urls=(f"{site.url}/group/wash/discussion",))
        topics = [path for path in site.paths() if path == "/group/topic/1/"]
    found = items_of(events)
    assert outcome_of(events) == "done"
    assert len(found) == len({item.post_id for item in found}) == sum(map(len, made.topics.values()))
    assert len(topics) == 1  # its first page is asked for once
    assert {item.root_id for item in found if item.kind == "comment"} == {
        f"topic:{n}" for n in made.topics if len(made.topics[n]) > 1
    }


def test_crawled_again_only_topics_with_new_answers_are_opened() -> None:
    made = season()
    with Site(made.answer) as site:
        url = f"{site.url}/group/wash/discussion"
        first = crawled("douban", urls=(url,))
        made.topics[2].append(NOW)
        del made.topics[1]
        site.asked.clear()
        again = crawled("douban", urls=(url,), marks=marks_of(first), overlap_hours=24 * 4)
        opened = {path for path in site.paths() if "/topic/" in path}
    assert opened == {"/group/topic/2/"}
    known = {item.post_id for item in items_of(first)}
    assert {item.post_id for item in items_of(again)} - known == {"reply:2013"}


def test_what_lies_behind_the_first_pages_is_a_limit_and_a_wall_at_once_is_blocked() -> None:
    made = season()
    made.walled_from = 2
    with Site(made.answer) as site:
        first_page = crawled("douban", urls=(f"{site.url}/group/wash/discussion",))
        opinions = crawled("douban", urls=(f"{site.url}/subject/35/comments",))
        made.walled_from = 1
        nothing = crawled("douban", urls=(f"{site.url}/group/wash/discussion",))
    assert len([item for item in items_of(first_page) if item.kind == "post"]) == 5
    assert len(items_of(opinions)) == 40
    for events in (first_page, opinions):
        assert outcome_of(events) == "done"
        assert [one.kind for one in troubles_of(events)] == ["limited"]
    assert outcome_of(nothing) == "blocked"


def test_one_topic_searches_and_what_is_no_list() -> None:
    with Site(season().answer) as site:
        one = crawled("douban", posts=(f"{site.url}/group/topic/3/",))
        gone = crawled("douban", posts=(f"{site.url}/group/topic/404/",))
        search = crawled("douban", queries=("晴川",), base_url=site.url)
        odd = crawled("douban", urls=(f"{site.url}/doulist/1/",), posts=(f"{site.url}/x",))
    assert len(items_of(one)) == 21
    assert [outcome_of(events) for events in (one, gone, search, odd)] == ["done", "failed", "blocked", "failed"]
