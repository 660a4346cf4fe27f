"""Tables read by a mapping of their columns: of the settings, of a vendor; ids from addresses, authors from profiles."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from listener.accounts import platform_named, resolve_link
from spiders.errors import CollectError
from spiders.exports.mapped import id_in_link, mapped, mid_of
from spiders.exports.read import EXPORTS, Export, export_named, read_export
from spiders.exports.vendors import VENDORS
from spiders.files import BadLine
from spiders.items import Item
from tests.exports import write_csv, write_xlsx

COLUMNS = {
    "post_id": "编号",
    "author_name": "昵称",
    "author_url": "主页",
    "posted_at": "时间",
    "text": ["标题", "正文"],
    "url": "链接",
}
ROW = {
    "编号": "66", "昵称": "小红", "主页": "https://www.xiaohongshu.com/user/profile/5f0000000000000001abcdef",
    "时间": "2026-03-01 12:05",
    "标题": "标题", "正文": "好用", "链接": "",
}  # fmt: skip
AT = datetime(2026, 3, 1, 4, 5, tzinfo=UTC)


def author_in(platform: str, url: str) -> str:
    return resolve_link(url).account_id if url else ""


def read(path: Path, export: Export) -> list[Any]:
    return list(read_export(path, export, platform_named=platform_named, author_in=author_in))


def test_a_mapping_of_the_settings_reads_a_table_and_comes_before_a_tool_of_that_name(tmp_path: Path) -> None:
    own = {"我的表": mapped("我的表", COLUMNS, "xiaohongshu"), "4cat": mapped("4cat", COLUMNS, "xiaohongshu")}
    (item,) = read(write_csv(tmp_path / "x.csv", list(ROW), [ROW]), export_named("我的表", own))
    assert isinstance(item, Item)
    assert (item.platform, item.post_id, item.author_id) == ("xiaohongshu", "66", "5f0000000000000001abcdef")
    assert (item.posted_at, item.text, item.kind) == (AT, "标题\n好用", "post")
    assert export_named("4cat", own).tables == (own["4cat"],)
    with pytest.raises(CollectError, match="现有：我的表, 4cat, mediacrawler"):
        export_named("nothing", own)


def test_who_is_only_named_is_told_by_name_and_who_is_not_is_nobody_twice(tmp_path: Path) -> None:
    table = Export("x", "x", (mapped("x", COLUMNS, "jd"),))
    rows = [
        ROW | {"主页": "", "编号": "1"},
        *(ROW | {"主页": "", "编号": n, "昵称": who} for n, who in (("2", "匿名用户"), ("3", "j***d"))),
    ]
    items = read(write_csv(tmp_path / "x.csv", list(ROW), rows), table)
    assert [item.author_id for item in items] == ["name:小红", "unknown:2", "unknown:3"]


def test_a_post_without_an_id_has_that_of_its_address_or_one_made_of_what_is_known(tmp_path: Path) -> None:
    table = Export("x", "x", (mapped("x", COLUMNS, "weibo"),))
    shown = ROW | {"编号": "", "链接": "https://weibo.com/6279793937/Kjc77D1jz?from=page"}
    other = ROW | {"编号": "", "链接": "https://news.example/1"}
    bare = ROW | {"编号": ""}
    first, second, third, again, changed = read(
        write_csv(tmp_path / "x.csv", list(ROW), [shown, other, bare, bare, bare | {"正文": "难用"}]), table
    )
    assert first.post_id == "4645748019299849"
    assert second.post_id.startswith("made:")
    assert third.post_id == again.post_id != changed.post_id
    assert third.post_id != second.post_id


def test_a_column_may_name_the_platform_as_people_call_it(tmp_path: Path) -> None:
    table = Export("x", "x", (mapped("x", COLUMNS | {"platform": ["平台"]}),))
    rows = [ROW | {"平台": name} for name in ("新浪微博", "小红书", "Forum", "")]
    *items, bad = read(write_xlsx(tmp_path / "x.xlsx", [*ROW, "平台"], rows), table)
    assert [item.platform for item in items] == ["weibo", "xiaohongshu", "forum"]
    assert isinstance(bad, BadLine)
    assert "no platform" in bad.reason


def test_an_answer_names_what_it_answers(tmp_path: Path) -> None:
    table = Export("x", "x", (mapped("x", COLUMNS | {"parent_id": "回复", "root_id": "主帖"}, "forum"),))
    rows = [
        ROW | {"回复": "", "主帖": ""},
        ROW | {"编号": "67", "回复": "", "主帖": "66"},
        ROW | {"编号": "68", "回复": "67", "主帖": "66"},
    ]
    items = read(write_csv(tmp_path / "x.csv", [*ROW, "回复", "主帖"], rows), table)
    assert [(item.kind, item.parent_id, item.root_id) for item in items] == [
        ("post", None, None),
        ("comment", "66", "66"),
        ("comment", "67", "66"),
    ]


def test_a_row_without_a_time_is_set_aside(tmp_path: Path) -> None:
    table = Export("x", "x", (mapped("x", COLUMNS, "forum"),))
    (bad,) = read(write_csv(tmp_path / "x.csv", list(ROW), [ROW | {"时间": "很久以前"}]), table)
    assert isinstance(bad, BadLine)
    assert "时间" in bad.reason


@pytest.mark.parametrize(
    ("columns", "platform", "kind", "words"),
    [
        ({"text": "a", "posted_at": "b", "colour": "c"}, "forum", "post", "no such fields: colour"),
        ({"text": "a"}, "forum", "post", "posted_at"),
        ({"text": "a", "posted_at": "b"}, "", "post", "platform"),
        ({"text": "a", "posted_at": "b"}, "forum", "tweet", "kind"),
    ],
)
def test_a_mapping_that_can_not_work_says_why(columns: dict[str, str], platform: str, kind: str, words: str) -> None:
    with pytest.raises(CollectError, match=words):
        mapped("我的表", columns, platform, kind)


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda one: one.name)
def test_a_table_of_a_vendors_own_columns_is_read(tmp_path: Path, vendor: Any) -> None:
    values = {
        "posted_at": "2026-03-01 12:05",
        "text": "好用",
        "platform": "微博",
        "url": "https://p.example/1",
        "likes": "1.2万",
    }
    row = {names[-1]: values.get(field, "") for field, names in vendor.table.columns.items()}
    row |= {names[0]: values[field] for field, names in vendor.table.columns.items() if field in values}
    (item,) = read(write_csv(tmp_path / "x.csv", list(row), [row]), EXPORTS[vendor.name])
    assert isinstance(item, Item)
    assert item.text == "好用"
    assert item.posted_at == AT
    assert not vendor.tried


@pytest.mark.parametrize(
    ("platform", "url", "post_id"),
    [
        ("weibo", "https://m.weibo.cn/detail/4645748019299849", "4645748019299849"),
        ("weibo", "https://m.weibo.cn/6279793937/4645748019299849", "4645748019299849"),
        ("weibo", "https://weibo.com/6279793937/Kjc77D1jz", "4645748019299849"),
        (
            "xiaohongshu",
            "https://www.xiaohongshu.com/explore/66696f98000000000d00f289?xsec_token=x",
            "66696f98000000000d00f289",
        ),
        ("douyin", "https://www.douyin.com/video/7300000000000000001", "7300000000000000001"),
        ("zhihu", "https://zhuanlan.zhihu.com/p/123", "article:123"),
        ("zhihu", "https://www.zhihu.com/question/1/answer/22", "answer:22"),
        ("forum", "https://forum.example/t/1", ""),
        ("weibo", "https://www.xiaohongshu.com/explore/66696f98000000000d00f289", ""),
    ],
)
def test_an_address_shows_the_posts_own_id(platform: str, url: str, post_id: str) -> None:
    assert id_in_link(platform, url) == post_id


def test_a_weibo_id_in_letters_keeps_the_zeros_within() -> None:
    assert mid_of("z0JH2lOMb") == "3501756485200075"
