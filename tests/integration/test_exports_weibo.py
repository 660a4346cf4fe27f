"""weibo-crawler, weibo-search, WeiboSpider, Zeeschuimer and 4CAT: files with those tools' own columns and traps."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from spiders.exports.read import EXPORTS, Tally, read_export, recognized
from spiders.files import BadLine
from spiders.items import Item
from tests.exports import CRAWLER_COLUMNS, SEARCH_COLUMNS, crawler_row, write_csv, write_jsonl, write_sqlite

AT = datetime(2026, 3, 1, 4, 5, 6, tzinfo=UTC)
LOCAL = "2026-03-01 12:05:06"


def read(path: Path, name: str, tally: Tally | None = None) -> list[Item]:
    tool = EXPORTS[name]
    assert not tool.is_recognized or recognized(path) is tool
    found = list(read_export(path, tool, tally=tally))
    assert not [one for one in found if isinstance(one, BadLine)], found
    return [one for one in found if isinstance(one, Item)]


def crawler_csv(path: Path, *rows: list[str]) -> Path:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(CRAWLER_COLUMNS)
        writer.writerows(rows)
    return path


def test_weibo_crawlers_ragged_csv_names_its_author_by_the_files_name(tmp_path: Path) -> None:
    original = crawler_row("4645748019299849", "第一行\n第二行", LOCAL)
    source = crawler_row("4600000000000001", "原文", "2026-02-27 08:00:00")
    repost = [*crawler_row("4645748019299850", "转得好", LOCAL), "False", "1234567890", "某人", *source]
    tally = Tally()
    first, second, quoted = read(crawler_csv(tmp_path / "6279793937.csv", original, repost), "weibo-crawler", tally)
    assert (tally.rows, tally.quoted) == (2, 1)
    assert (first.post_id, first.author_id, first.kind, first.text) == (
        "4645748019299849", "6279793937", "post", "第一行\n第二行",
    )  # fmt: skip
    assert (first.posted_at, first.likes, first.comments, first.reposts, len(first.media)) == (AT, 5, 6, 7, 2)
    assert (second.kind, second.parent_id, second.root_id) == ("repost", "4600000000000001", "4600000000000001")
    assert (quoted.post_id, quoted.author_id, quoted.kind, quoted.text) == ("4600000000000001", "1234567890", "post", "原文")


def test_a_weibo_crawler_csv_whose_name_is_no_uid_is_set_aside_with_the_way_out(tmp_path: Path) -> None:
    path = crawler_csv(tmp_path / "导出.csv", crawler_row("1", "好", LOCAL))
    (bad,) = read_export(path, EXPORTS["weibo-crawler"])
    assert isinstance(bad, BadLine)
    assert "<uid>.csv" in bad.reason


def weibo(post_id: str, text: str, **more: Any) -> dict[str, Any]:
    return {
        "user_id": 6279793937, "screen_name": "小北", "id": int(post_id), "bid": "Kabc", "text": text, "article_url": "",
        "pics": "https://a.example/1.jpg", "video_url": "", "created_at": LOCAL[:10], "source": "", "attitudes_count": 5,
        "comments_count": 6, "reposts_count": 7, "topics": "", "at_users": "", "full_created_at": LOCAL,
    } | more  # fmt: skip


def test_weibo_crawlers_json_holds_the_posts_that_are_passed_on(tmp_path: Path) -> None:
    path = tmp_path / "6279793937.json"
    retweet = weibo("4600000000000001", "原文", user_id=1234567890)
    whole = {
        "user": {"id": "6279793937", "screen_name": "小北"},
        "weibo": [weibo("1", "好"), weibo("2", "转", retweet=retweet)],
    }
    path.write_text(json.dumps(whole, ensure_ascii=False, indent=4), encoding="utf-8")
    found = read(path, "weibo-crawler")
    assert [(one.post_id, one.author_id, one.kind, one.parent_id) for one in found] == [
        ("1", "6279793937", "post", None),
        ("2", "6279793937", "repost", "4600000000000001"),
        ("4600000000000001", "1234567890", "post", None),
    ]
    assert {one.posted_at for one in found} == {AT}


def test_weibo_crawlers_database_and_its_lists_of_comments(tmp_path: Path) -> None:
    path = tmp_path / "weibodata.db"
    rows = [weibo("1", "好"), weibo("2", "转", retweet_id="4600000000000001")]
    columns = [key for key in rows[1] if key != "id"]
    write_sqlite(path, columns, rows, "weibo")
    answer = {
        "bid": "", "weibo_id": "1", "root_id": "", "user_id": "77", "created_at": "Sun Mar 01 12:05:06 +0800 2026",
        "user_screen_name": "小南", "user_avatar_url": "", "text": "同感", "pic_url": "", "like_count": 3,
    }  # fmt: skip
    write_sqlite(path, list(answer), [answer], "comments")
    posts = read(path, "weibo-crawler")
    assert [(one.kind, one.author_id, one.parent_id, one.posted_at) for one in posts] == [
        ("comment", "77", "1", AT),
        ("post", "6279793937", None, AT),
        ("repost", "6279793937", "4600000000000001", AT),
    ]
    listed = {
        "id": "9",
        "weibo_id": "1",
        "created_at": LOCAL,
        "user_screen_name": "小南",
        "text": "同感",
        "pic_url": "",
        "like_count": "3",
    }
    (comment,) = read(write_csv(tmp_path / "小北_comments.csv", list(listed), [listed]), "weibo-crawler")
    assert (comment.kind, comment.author_id, comment.parent_id, comment.likes) == ("comment", "name:小南", "1", 3)


def test_weibo_search_marks_a_repost_by_the_id_of_what_it_passes_on(tmp_path: Path) -> None:
    row = dict.fromkeys(SEARCH_COLUMNS, "") | {
        "id": "2", "bid": "Kabc", "user_id": "77", "用户昵称": "小南", "微博正文": "转得好", "转发数": "1", "评论数": "2",
        "点赞数": "3", "发布时间": "2026-03-01 12:05", "retweet_id": "1",
    }  # fmt: skip
    original = row | {"id": "1", "retweet_id": "", "微博正文": "原文"}
    first, second = read(write_csv(tmp_path / "关键词.csv", SEARCH_COLUMNS, [original, row]), "weibo-search")
    assert (first.kind, first.parent_id, first.url) == ("post", None, "https://weibo.com/77/Kabc")
    assert (second.kind, second.parent_id, second.posted_at) == ("repost", "1", AT.replace(second=0))


def test_weibospider_writes_tweets_and_comments(tmp_path: Path) -> None:
    tweet = {
        "_id": "1", "mblogid": "Kabc", "created_at": LOCAL, "geo": None, "ip_location": "广东", "reposts_count": 1,
        "comments_count": 2, "attitudes_count": 3, "source": "", "content": "好", "pic_urls": ["https://a.example/1.jpg"],
        "pic_num": 1, "isLongText": False, "is_retweet": False, "user": {"_id": "77", "nick_name": "小南"},
        "url": "https://weibo.com/77/Kabc", "crawl_time": 1772409600,
    }  # fmt: skip
    comment = {
        "_id": "9", "created_at": LOCAL, "like_counts": 4, "ip_location": "广东", "content": "同感",
        "comment_user": {"_id": "78", "nick_name": "小西"}, "reply_comment": {"_id": "8", "text": "…", "user": {}},
    }  # fmt: skip
    (post,) = read(write_jsonl(tmp_path / "tweet_by_user.jsonl", [], [tweet]), "weibospider")
    assert (post.author_id, post.posted_at, post.seen_at, len(post.media)) == ("77", AT, datetime(2026, 3, 2, tzinfo=UTC), 1)
    first, second = read(
        write_jsonl(tmp_path / "comment.jsonl", [], [comment, comment | {"reply_comment": None}]), "weibospider"
    )
    assert (first.kind, first.author_id, first.parent_id, first.root_id) == ("comment", "78", "8", None)
    assert second.parent_id is None


def test_zeeschuimers_captures_of_douyin_and_xiaohongshu(tmp_path: Path) -> None:
    around = {"nav_index": "1", "item_id": "7", "timestamp_collected": 1772409600000, "source_url": "", "user_agent": ""}
    douyin = {
        "aweme_id": "7", "desc": "好用", "create_time": 1772337906,
        "author": {"uid": "5", "sec_uid": "MS4wLjABx", "nickname": "小东"},
        "statistics": {"digg_count": 1, "comment_count": 2, "share_count": 3},
    }  # fmt: skip
    note = {
        "note_id": "66", "title": "标题", "desc": "好用", "time": 1772337906000, "user": {"user_id": "u6", "nickname": "小红"},
        "interact_info": {"liked_count": "1.2万", "comment_count": "2", "share_count": "3"}, "image_list": [{"url_default": "https://a.example/1"}],
    }  # fmt: skip
    rows = [
        around | {"source_platform": "douyin.com", "data": douyin},
        around | {"source_platform": "xiaohongshu.com", "data": {"id": "66", "note_card": note}},
        around | {"source_platform": "instagram.com", "data": {}},
    ]
    one, two, bad = read_export(write_jsonl(tmp_path / "x.ndjson", [], rows), EXPORTS["zeeschuimer"])
    assert isinstance(one, Item)
    assert isinstance(two, Item)
    assert (one.platform, one.post_id, one.author_id, one.posted_at, one.reposts) == ("douyin", "7", "MS4wLjABx", AT, 3)
    assert (two.platform, two.post_id, two.text, two.likes, len(two.media)) == ("xiaohongshu", "66", "标题\n好用", 12000, 1)
    assert isinstance(bad, BadLine)
    assert "instagram.com" in bad.reason


def test_4cats_table_is_utc_and_its_platform_is_the_files_name(tmp_path: Path) -> None:
    columns = ["id", "thread_id", "author", "author_id", "body", "timestamp", "subject", "url", "likes"]
    row = {
        "id": "2",
        "thread_id": "1",
        "author": "小东",
        "author_id": "5",
        "body": "同感",
        "timestamp": "2026-03-01 04:05:06",
        "likes": 4,
    }
    rows = [row | {"id": "1", "subject": "标题"}, row]
    first, second = read(write_csv(tmp_path / "douyin-search.csv", columns, rows), "4cat")
    assert (first.platform, first.kind, first.text, first.posted_at) == ("douyin", "post", "标题\n同感", AT)
    assert (second.kind, second.parent_id, second.likes) == ("comment", "1", 4)
    assert recognized(tmp_path / "douyin-search.csv") is None


@pytest.mark.parametrize("name", EXPORTS)
def test_every_export_says_what_it_reads_in_both_languages(name: str) -> None:
    chinese, _, english = EXPORTS[name].title.partition(" / ")
    assert chinese
    assert english.isascii()
