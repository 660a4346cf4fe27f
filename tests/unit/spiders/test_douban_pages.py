"""Saved pages of Douban → topics, answers, short comments, reviews; walls and empty pages."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from spiders.errors import Blocked, Changed, Gone
from spiders.items import ItemMedia, fault_of
from spiders.selectors import page_of
from spiders.sites import douban_pages as pages

PAGES = Path(__file__).parents[2] / "pages" / "douban"
TOPIC = "https://www.douban.com/group/topic/3100071/"


def reading(url: str) -> pages.Reading:
    return pages.Reading(datetime(2026, 3, 2, 4, 0, tzinfo=UTC), ZoneInfo("Asia/Shanghai"), url)


def page(name: str) -> pages.Node:
    return page_of((PAGES / name).read_text(encoding="utf-8"))


def test_a_groups_list_names_topics_with_the_time_of_their_last_answer() -> None:
    listing = pages.discussions_of(page("group.html"), reading("https://www.douban.com/group/wash/discussion"))
    assert listing.rows == (
        pages.Row(TOPIC, "topic:3100071", 12, datetime(2026, 3, 2, 3, 30, tzinfo=UTC)),
        pages.Row("https://www.douban.com/group/topic/3100070/", "topic:3100070", 0, datetime(2025, 5, 31, 16, tzinfo=UTC)),
    )
    assert listing.next == "https://www.douban.com/group/wash/discussion?start=25"


def test_a_topic_and_its_answers_without_what_they_quote() -> None:
    topic = pages.topic_of(page("topic.html"), reading(TOPIC))
    assert topic.text == "晴川护发素有人用吗\n用了三周，发尾还是毛躁。\n有同感的吗"
    assert (topic.post_id, topic.author_id, topic.url) == ("topic:3100071", "xiaolu", TOPIC)
    assert topic.posted_at == datetime(2026, 3, 1, 2, 0, 1, tzinfo=UTC)
    assert topic.media == (ItemMedia("image", "https://img1.example/p1.jpg"),)
    answers = pages.answers_of(page("topic.html"), topic, reading(TOPIC))
    first, second = answers.items
    assert (first.post_id, first.parent_id, first.text, first.likes) == ("reply:501", "topic:3100071", "同感 & 已退", 3)
    assert first.posted_at == datetime(2026, 3, 1, 3, tzinfo=UTC)
    assert (second.parent_id, second.root_id, second.text, second.likes) == ("reply:501", "topic:3100071", "怎么退的？", None)
    assert len(answers.faults) == 1
    assert answers.next == f"{TOPIC}?start=100"
    assert [fault_of(one) for one in (topic, first, second)] == [None] * 3


def test_short_comments_are_read_and_the_template_beside_them_is_not() -> None:
    url = "https://movie.douban.com/subject/3500/comments?sort=time&status=P"
    shown = pages.comments_of(page("comments.html"), reading(url))
    (item,) = shown.items
    assert (item.post_id, item.author_id, item.text, item.likes) == ("comment:9001", "beiyu", "节奏拖沓，配乐不错。", 215)
    assert item.posted_at == datetime(2026, 2, 28, 14, 10, 9, tzinfo=UTC)
    assert item.url == "https://movie.douban.com/subject/3500/comments#9001"
    assert item.raw is not None
    assert item.raw["stars"] == 2
    assert shown.next == "https://movie.douban.com/subject/3500/comments?start=20&limit=20&sort=time&status=P"


def test_reviews_are_read_as_far_as_the_list_shows_them() -> None:
    (item,) = pages.reviews_of(page("reviews.html"), reading("https://movie.douban.com/subject/3500/reviews")).items
    assert (item.post_id, item.author_id, item.likes) == ("review:7001", "17", 33)
    assert item.text.startswith("值得二刷\n细节很多")
    assert "展开" not in item.text
    assert item.url == "https://movie.example/review/7001/"


@pytest.mark.parametrize(
    ("html", "kind"),
    [
        ("<title>登录跳转页</title><p>登录跳转</p>", Blocked),
        ("<p>检测到有异常请求从您的IP发出</p>", Blocked),
        ("<p>呃...你想访问的页面不存在</p>", Gone),
        ("<p>改版了</p>", Changed),
    ],
)
def test_a_wall_a_missing_page_and_a_new_shape_look_different(html: str, kind: type[Exception]) -> None:
    for read in (pages.discussions_of, pages.comments_of, pages.reviews_of, pages.topic_of):
        with pytest.raises(kind):
            read(page_of(html), reading(TOPIC))


def test_a_work_that_nobody_wrote_of_is_empty_and_a_topic_without_answers_too() -> None:
    empty = page_of("<p>还没有人写过短评</p>")
    assert pages.comments_of(empty, reading("https://movie.douban.com/subject/1/comments")) == pages.Shown((), (), "")
    topic = pages.topic_of(page("topic.html"), reading(TOPIC))
    assert pages.answers_of(page_of("<ul id=comments></ul>"), topic, reading(TOPIC)).items == ()
    with pytest.raises(Changed):
        pages.answers_of(page_of("<ul id=replies></ul>"), replace(topic, comments=3), reading(TOPIC))


def test_a_topic_without_author_or_a_row_without_a_topic_is_told() -> None:
    with pytest.raises(Changed, match="author or time"):
        pages.topic_of(page_of("<div class=topic-content><div class=topic-doc><p>x</p></div></div>"), reading(TOPIC))
    rows = page_of("<table class=olt><tr><td>广告</td></tr></table>")
    assert len(pages.discussions_of(rows, reading("https://www.douban.com/group/wash/discussion")).faults) == 1
