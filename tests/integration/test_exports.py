"""Files of other tools, in every format they write: rows in = items + bad lines, ids, times and parents as they were meant."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from spiders.errors import CollectError
from spiders.exports.read import EXPORTS, read_export, recognized
from spiders.files import BadLine
from spiders.items import Item, hashed_id
from tests.exports import MEDIACRAWLER, WRITERS, columns_of, write_csv, write_json, write_jsonl, write_sqlite

AT = datetime(2026, 3, 1, 4, 5, 6, tzinfo=UTC)
SEEN = datetime(2026, 3, 2, tzinfo=UTC)
SECONDS, MILLIS = int(AT.timestamp()), int(AT.timestamp() * 1000)
TOOL = EXPORTS["mediacrawler"]


def a_row(table: str, n: int, *, before: bool = False) -> dict[str, Any]:
    """Row n of a MediaCrawler table, with the values that its platform writes."""
    user = f"user{n}"
    millis = table in ("xhs_note", "xhs_note_comment", "kuaishou_video", "kuaishou_video_comment")
    known: dict[str, Any] = {
        "content": f"第{n}条\n换行, 逗号和\"引号\"", "title": f"标题{n}", "desc": f"正文{n}", "text": f"动态{n}",
        "content_text": f"回答{n}", "content_type": "answer",
        "create_time": MILLIS if millis else SECONDS, "time": MILLIS, "created_time": SECONDS, "pub_ts": SECONDS,
        "create_date_time": "2026-03-01 12:05:06+08:00",
        "publish_time": "2026-03-01 12:05" if table.startswith("tieba") else SECONDS,
        "last_modify_ts": int(SEEN.timestamp() * 1000),
        "liked_count": "1.2万", "like_count": 3, "comment_like_count": "4", "voteup_count": 5, "total_liked": 6,
        "comments_count": "7", "comment_count": "8", "sub_comment_count": "9", "video_comment": "10",
        "creator_hash": sha256(user.encode()).hexdigest()[:16], "user_id": user, "sec_uid": f"MS4wLjAB{user}",
        "user_url_token": f"token{n}", "user_link": f"https://tieba.baidu.com/home/main?id=tb.1.{user}&fr=pb",
        "nickname": "小*", "user_nickname": "小*", "user_name": "小*", "avatar": "https://a.example/x.jpg",
        "parent_comment_id": "0", "note_url": f"https://p.example/{n}", "image_list": "https://a.example/1.jpg,https://a.example/2.jpg",
    }  # fmt: skip
    own = {"note_id", "comment_id", "video_id", "dynamic_id", "aweme_id", "content_id"}
    row = {column: known.get(column, "") for column in columns_of(table, before=before)}
    first = columns_of(table, before=before)[0]
    return row | {column: f"{900 + n}" if column == first else "77" for column in own & row.keys()}


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("table", MEDIACRAWLER)
def test_every_table_of_mediacrawler_is_read_from_every_format_of_both_generations(
    tmp_path: Path, table: str, before: bool
) -> None:
    columns = columns_of(table, before=before)
    rows = [a_row(table, n, before=before) for n in range(3)]
    found: dict[str, list[Item | BadLine]] = {}
    for ending, write in WRITERS.items():
        path = write(tmp_path / f"search.{ending}", columns, rows)
        assert recognized(path) is TOOL
        found[ending] = list(read_export(path, TOOL))
    items = found["json"]
    assert len(items) == 3
    for one in found.values():
        assert [_essence(item) for item in one] == [_essence(item) for item in items]


def _essence(item: Item | BadLine) -> tuple[Any, ...]:
    assert isinstance(item, Item), item
    return (
        item.platform, item.kind, item.post_id, item.author_id, item.posted_at, item.seen_at, item.text, item.parent_id,
        item.root_id, item.likes, item.comments, item.reposts, item.views, item.media, item.url,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("table", "post_id", "parent", "text"),
    [
        ("weibo_note", "900", None, '第0条\n换行, 逗号和"引号"'),
        ("weibo_note_comment", "900", "77", '第0条\n换行, 逗号和"引号"'),
        ("bilibili_video", "av900", None, "标题0\n正文0"),
        ("bilibili_video_comment", "reply:900", "av77", '第0条\n换行, 逗号和"引号"'),
        ("bilibili_up_dynamic", "900", None, "动态0"),
        ("xhs_note", "900", None, "标题0\n正文0"),
        ("kuaishou_video_comment", "comment:900", "77", '第0条\n换行, 逗号和"引号"'),
        ("tieba_note", "900", None, "标题0\n正文0"),
        ("zhihu_content", "answer:900", None, "标题0\n回答0"),
        ("zhihu_comment", "comment:900", "answer:77", '第0条\n换行, 逗号和"引号"'),
    ],
)
def test_ids_parents_and_texts_are_as_the_platform_means_them(
    tmp_path: Path, table: str, post_id: str, parent: str | None, text: str
) -> None:
    path = write_csv(tmp_path / "x.csv", columns_of(table, before=False), [a_row(table, 0)])
    (item,) = read_export(path, TOOL)
    assert isinstance(item, Item)
    assert (item.post_id, item.parent_id, item.root_id, item.text) == (post_id, parent, parent, text)
    assert item.author_id == hashed_id("user0")
    assert item.seen_at == SEEN
    assert item.posted_at in (AT, AT.replace(second=0))


def test_of_the_generation_before_the_author_is_the_platforms_id_and_no_more_of_him_is_kept(tmp_path: Path) -> None:
    wanted = {
        "weibo_note": "user0",
        "douyin_aweme": "MS4wLjABuser0",
        "tieba_comment": "tb.1.user0",
        "zhihu_content": "token0",
    }
    for table, author in wanted.items():
        path = write_csv(tmp_path / f"{table}.csv", columns_of(table, before=True), [a_row(table, 0, before=True)])
        (item,) = read_export(path, TOOL)
        assert isinstance(item, Item)
        assert item.author_id == author
        assert not {"avatar", "user_avatar", "ip_location", "gender", "user_link"} & set(item.raw or {})


def test_weibos_create_time_eight_hours_late_is_not_believed(tmp_path: Path) -> None:
    row = a_row("weibo_note", 0) | {"create_time": SECONDS + 28_800}
    (item,) = read_export(write_csv(tmp_path / "x.csv", columns_of("weibo_note", before=False), [row]), TOOL)
    assert isinstance(item, Item)
    assert item.posted_at == AT


@pytest.mark.parametrize("parent", ["", "0", "900", None])
def test_a_root_comment_however_its_parent_is_marked_answers_the_post(tmp_path: Path, parent: str | None) -> None:
    row = a_row("weibo_note_comment", 0) | {"parent_comment_id": parent}
    (item,) = read_export(write_jsonl(tmp_path / "x.jsonl", [], [row]), TOOL)
    assert isinstance(item, Item)
    assert (item.parent_id, item.root_id) == ("77", "77")
    (answer,) = read_export(write_jsonl(tmp_path / "x.jsonl", [], [row | {"parent_comment_id": "899"}]), TOOL)
    assert isinstance(answer, Item)
    assert (answer.parent_id, answer.root_id) == ("899", "77")


def test_integer_ids_of_old_tables_are_the_same_as_strings(tmp_path: Path) -> None:
    row = a_row("weibo_note", 0, before=True) | {"note_id": 4645748019299849, "user_id": 6279793937}
    for write in WRITERS.values():
        path = tmp_path / "x"
        path.unlink(missing_ok=True)
        (item,) = read_export(write(path, columns_of("weibo_note", before=True), [row]), TOOL)
        assert isinstance(item, Item)
        assert (item.post_id, item.author_id) == ("4645748019299849", "6279793937")


def test_what_is_no_post_is_set_aside_with_its_line_and_its_reason(tmp_path: Path) -> None:
    good = a_row("weibo_note", 0)
    bad: list[tuple[Mapping[str, Any], str]] = [
        ({"note_id": ""}, "note_id is empty"),
        ({"creator_hash": ""}, "no author id"),
        ({"create_date_time": "明年", "create_time": ""}, "no time of posting"),
    ]
    rows = [good, *(good | change for change, _ in bad), good]
    path = write_csv(tmp_path / "x.csv", columns_of("weibo_note", before=False), rows)
    found = list(read_export(path, TOOL))
    lines = [one for one in found if isinstance(one, BadLine)]
    assert len(found) == len(rows)
    assert [one.number for one in lines] == [4, 6, 8]  # each row's text has a line break
    for line, (_, reason) in zip(lines, bad, strict=True):
        assert reason in line.reason
        assert json.loads(line.line)["content"] == good["content"]


def test_a_row_with_more_cells_than_the_header_is_set_aside(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "x.csv", columns_of("weibo_note", before=False), [a_row("weibo_note", 0)])
    with path.open("a", encoding="utf-8") as file:
        file.write("1,2,3,4,5,6,7,8,9,10,11,12,13\n")
    _, bad = read_export(path, TOOL)
    assert isinstance(bad, BadLine)
    assert "not as many cells as columns" in bad.reason


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_csv_is_read_in_the_encodings_that_people_save_it_in(tmp_path: Path, encoding: str) -> None:
    path = write_csv(tmp_path / "x.csv", columns_of("weibo_note", before=False), [a_row("weibo_note", 0)], encoding)
    (item,) = read_export(path, TOOL)
    assert isinstance(item, Item)
    assert item.text.startswith("第0条")


def test_a_line_separator_in_a_post_does_not_end_its_row(tmp_path: Path) -> None:
    row = a_row("weibo_note", 0) | {"content": "一\u2028二\x0b三\r四"}
    (item,) = read_export(write_csv(tmp_path / "x.csv", columns_of("weibo_note", before=False), [row]), TOOL)
    assert isinstance(item, Item)
    assert all(word in item.text for word in "一二三四")


def test_packed_files_are_read(tmp_path: Path) -> None:
    plain = write_json(tmp_path / "x.json", [], [a_row("xhs_note", n) for n in range(3)])
    packed = tmp_path / "x.json.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert recognized(packed) is TOOL
    assert len(list(read_export(packed, TOOL))) == 3


def test_json_that_breaks_off_gives_what_was_whole_and_says_where(tmp_path: Path) -> None:
    path = write_json(tmp_path / "x.json", [], [a_row("xhs_note", n) for n in range(3)])
    path.write_bytes(path.read_bytes()[:-300])
    *whole, last = read_export(path, TOOL)
    assert [type(one) for one in whole] == [Item, Item]
    assert isinstance(last, BadLine)
    assert "breaks off" in last.reason


def test_a_database_with_several_tables_is_read_whole_and_profiles_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "sqlite_tables.db"
    for table in ("weibo_note", "weibo_note_comment", "zhihu_content"):
        write_sqlite(path, columns_of(table, before=False), [a_row(table, n) for n in range(2)], table)
    write_sqlite(path, ["user_id", "fans", "follows"], [{"user_id": "1"}], "weibo_creator")
    before = path.read_bytes()
    assert recognized(path) is TOOL
    found = list(read_export(path, TOOL))
    assert [(item.platform, item.kind) for item in found if isinstance(item, Item)] == [
        ("weibo", "post"), ("weibo", "post"), ("weibo", "comment"), ("weibo", "comment"), ("zhihu", "post"), ("zhihu", "post"),
    ]  # fmt: skip
    assert path.read_bytes() == before


def test_another_table_is_not_recognized_and_refused_with_its_columns(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "x.csv", ["品名", "价格"], [{"品名": "洗发水", "价格": "9.9"}])
    assert recognized(path) is None
    with pytest.raises(CollectError, match="these are its columns") as caught:
        list(read_export(path, TOOL))
    assert "品名" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("old.xls", b"\xd0\xcf\x11\xe0" + b"\0" * 600, "save it as .xlsx"),
        ("cut.xlsx", b"PK\x03\x04 no workbook", "can't be opened"),
        ("empty.csv", b"", "empty"),
        ("cut.db", b"SQLite format 3\0" + b"\0" * 100, "can't be read"),
    ],
)
def test_a_file_that_can_not_be_read_says_what_to_do(tmp_path: Path, name: str, body: bytes, words: str) -> None:
    path = tmp_path / name
    path.write_bytes(body)
    with pytest.raises(CollectError, match=words):
        list(read_export(path, TOOL))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CollectError, match="nowhere"):
        recognized(tmp_path / "nowhere.csv")


@pytest.mark.parametrize("ending", ["csv", "json", "jsonl"])
def test_a_large_file_is_read_in_constant_memory(tmp_path: Path, ending: str) -> None:
    columns = columns_of("weibo_note", before=False)
    peaks = []
    for count in (2_000, 8_000):
        path = WRITERS[ending](tmp_path / f"{count}.{ending}", columns, [a_row("weibo_note", n) for n in range(count)])
        tracemalloc.start()
        assert sum(isinstance(item, Item) for item in read_export(path, TOOL)) == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.5 + 200_000
