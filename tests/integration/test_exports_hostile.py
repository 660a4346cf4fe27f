"""Files as they come: cut, mixed, re-saved by spreadsheets, wrongly quoted, packed too well. Nothing is wrong in silence."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import json
import re
import sqlite3
import tracemalloc
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from spiders.errors import CollectError
from spiders.exports.mapped import mapped
from spiders.exports.read import EXPORTS, Export, read_export
from spiders.files import BadLine
from spiders.items import Item
from tests.exports import WRITERS, columns_of, write_csv, write_json, write_jsonl, write_sqlite, write_xlsx
from tests.integration.test_exports import TOOL, a_row

COLUMNS = columns_of("weibo_note", before=False)
OWN = Export(
    "own", "own", (mapped("own", {"post_id": "id", "text": "内容", "posted_at": "时间", "author_name": "作者"}, "weibo"),)
)


def note(n: int, **change: Any) -> dict[str, Any]:
    return a_row("weibo_note", n) | {"content": f"第{n}条"} | change


def read(path: Path, tool: Export = TOOL) -> tuple[list[Item], list[BadLine]]:
    found = list(read_export(path, tool))
    return [one for one in found if isinstance(one, Item)], [one for one in found if isinstance(one, BadLine)]


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("ending", ["csv", "json", "jsonl"])
def test_a_packed_file_that_breaks_off_gives_what_was_whole_and_says_so(tmp_path: Path, ending: str) -> None:
    rows = [note(n, content=f"{n * 7919 % 100_003}") for n in range(4000)]
    plain = WRITERS[ending](tmp_path / f"x.{ending}", COLUMNS, rows)
    packed = tmp_path / f"x.{ending}.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes())[:-2000])
    items, bad = read(packed)
    assert 3000 < len(items) < 4000
    assert ["breaks off here" in one.reason for one in bad] == [True]


def test_a_quote_that_is_never_closed_costs_its_own_line_alone(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "x.csv", COLUMNS, [note(0)])
    with path.open("a", encoding="utf-8", newline="") as file:
        file.write('9,"never closed,1\n')
        csv.DictWriter(file, COLUMNS).writerows([note(n) for n in range(1, 100)])
    items, bad = read(path)
    assert [one.text for one in items] == [f"第{n}条" for n in range(100)]
    assert [(one.number, b"never closed" in one.line) for one in bad] == [(3, True)]


def test_a_quote_that_opens_inside_one_row_and_closes_in_another_makes_no_post_of_both(tmp_path: Path) -> None:
    rows = ["1,a,好,{}", '2,b,"坏,{}', '3,c,"好",{}', '4,d,他说"好",{}', '5,e,"他"说,{}', ""]
    text = "id,作者,内容,时间\n" + "\n".join(rows).replace("{}", "2026-03-01")
    items, bad = read(written(tmp_path / "x.csv", text), OWN)
    assert [(one.post_id, one.text) for one in items] == [("1", "好"), ("3", "好"), ("4", '他说"好"'), ("5", "他说")]
    assert [one.number for one in bad] == [3]


def test_a_mapped_row_of_more_cells_than_columns_is_out_of_place(tmp_path: Path) -> None:
    items, bad = read(
        written(tmp_path / "x.csv", "id,内容,时间,作者\n1,好,2026-03-01,a,,\n2,好，但,是,2026-03-01,b\n3,好,2026-03-01\n"), OWN
    )
    assert [one.post_id for one in items] == ["1", "3"]
    assert ["not as many cells" in one.reason for one in bad] == [True]


def test_lines_of_two_encodings_in_one_file_are_each_read_in_their_own(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    for most, other in (("utf-8", "gb18030"), ("gb18030", "utf-8")):
        lines = [f"{n},小北,2026-03-01,中文的内容{n}\n".encode(other if n == 7 else most) for n in range(20)]
        path.write_bytes("id,作者,时间,内容\n".encode(most) + b"".join(lines))
        items, bad = read(path, OWN)
        assert [one.text for one in items] == [f"中文的内容{n}" for n in range(20)]
        assert not bad


def test_one_broken_character_makes_no_other_encoding_of_a_file(tmp_path: Path) -> None:
    lines = [f"{n},小北,2026-03-01,中文的内容\n".encode() for n in range(20)]
    lines[3] = lines[3][:-2] + b"\n"
    path = tmp_path / "x.csv"
    path.write_bytes("id,作者,时间,内容\n".encode() + b"".join(lines))
    items, _ = read(path, OWN)
    assert [one.text for one in items].count("中文的内容") == 19
    assert items[3].text == "中文的内�"


@pytest.mark.parametrize(
    "text",
    [
        "sep=;\nid;作者;时间;内容\n1;a;2026-03-01;好\n",
        "\n\nid,作者,时间,内容\n1,a,2026-03-01,好\n",
        "导出时间：2026年3月1日\n\nid\t作者\t时间\t内容\n1\ta\t2026-03-01\t好\n",
        "\ufeffid|作者|时间|内容\r\n1|a|2026-03-01|好\r\n",
    ],
)
def test_titles_and_other_separators_stand_above_and_between(tmp_path: Path, text: str) -> None:
    items, bad = read(written(tmp_path / "x.csv", text), OWN)
    assert [(one.post_id, one.text) for one in items] == [("1", "好")]
    assert not bad


def test_a_file_on_one_endless_line_is_no_table_and_fills_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    with path.open("wb") as file:
        for _ in range(48):
            file.write(b"x," * (1 << 19))
    tracemalloc.start()
    with pytest.raises(CollectError, match="too long"):
        read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 << 20


def test_a_line_too_long_among_others_is_set_aside(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "x.csv", COLUMNS, [note(0)])
    with path.open("a", encoding="utf-8", newline="") as file:
        file.write("x" * (9 << 20) + "\n")
        csv.DictWriter(file, COLUMNS).writerow(note(1))
    items, bad = read(path)
    assert [one.text for one in items] == ["第0条", "第1条"]
    assert [(one.number, "too long" in one.reason) for one in bad] == [(3, True)]


# ------------------------------------------------------------------------------------------------------------ numbers


@pytest.mark.parametrize("ending", WRITERS)
@pytest.mark.parametrize("column", ["note_id", "user_id"])
def test_an_id_that_lost_digits_is_refused_and_never_another_id(tmp_path: Path, ending: str, column: str) -> None:
    before = columns_of("weibo_note", before=True)
    rows = [a_row("weibo_note", n, before=True) for n in range(2)]
    cut = "4.64575E+15" if ending == "csv" else 4.64574801929984e18
    path = WRITERS[ending](tmp_path / f"x.{ending}", before, [rows[0], rows[1] | {column: cut}])
    items, bad = read(path)
    assert len(items) == 1
    assert [f"{column} " in one.reason and "has cut its digits" in one.reason for one in bad] == [True]


def test_excels_numbers_of_more_than_fifteen_digits_are_believed_where_another_program_wrote_them(tmp_path: Path) -> None:
    ids = [4645748019299849, 4645748019299840]
    by_excel = write_xlsx(tmp_path / "x.xlsx", COLUMNS, [note(n, note_id=ids[1]) for n in range(2)])
    assert [len(found) for found in read(by_excel)] == [0, 2]
    by_python = write_xlsx(tmp_path / "y.xlsx", COLUMNS, [note(n, note_id=ids[n]) for n in range(2)])
    assert [one.post_id for one in read(by_python)[0]] == [str(one) for one in ids]


def test_an_id_that_pandas_made_a_float_is_the_same_id(tmp_path: Path) -> None:
    (item,), _ = read(write_csv(tmp_path / "x.csv", COLUMNS, [note(0, note_id="4645748019299849.0")]))
    assert item.post_id == "4645748019299849"


def test_a_mapped_table_refuses_lost_digits_too(tmp_path: Path) -> None:
    items, bad = read(written(tmp_path / "x.csv", "id,作者,时间,内容\n1.23E+15,a,2026-03-01,好\n"), OWN)
    assert not items
    assert "1.23E+15" in bad[0].reason


@pytest.mark.parametrize("value", ["9" * 5000, 10**30, True, [1], {"a": 1}, float("inf"), "\u2028", "\0", -1])
def test_odd_values_in_every_cell_make_a_row_a_post_or_set_it_aside(tmp_path: Path, value: Any) -> None:
    for write in (write_json, write_jsonl):
        for column in COLUMNS:
            path = write(tmp_path / "x", COLUMNS, [note(0), note(1, **{column: value}), note(2)])
            items, bad = read(path)
            assert len(items) + len(bad) == 3, column


# --------------------------------------------------------------------------------------------------------------- JSON


@pytest.mark.parametrize("depth", [200, 50_000])
def test_json_that_nests_deep_costs_little_and_is_told(tmp_path: Path, depth: int) -> None:
    path = written(
        tmp_path / "x.json", f'[{json.dumps(note(0))}, {{"note_id": {"[" * depth}{"]" * depth}}}, {json.dumps(note(1))}]'
    )
    tracemalloc.start()
    items, bad = read(path)
    assert tracemalloc.get_traced_memory()[1] < 20 << 20
    tracemalloc.stop()
    assert items
    assert ["nested too deep" in one.reason for one in bad] == [True]


def test_a_long_json_list_is_read_whole_wherever_its_values_are_cut(tmp_path: Path) -> None:
    rows = [note(n, content="长" * (n * 37 % 70_000)) for n in range(60)]
    items, bad = read(write_json(tmp_path / "x.json", COLUMNS, rows))
    assert [len(one.text) for one in items] == [len(row["content"]) for row in rows]
    assert not bad


def test_json_in_gb18030_is_read(tmp_path: Path) -> None:
    path = written(tmp_path / "x.json", json.dumps([note(0, content="国标的内容")], ensure_ascii=False), "gb18030")
    assert [one.text for one in read(path)[0]] == ["国标的内容"]


@pytest.mark.parametrize(
    "data",
    [
        None, "x", [1], {"aweme_info": "x"}, {"note_card": "x"}, {"note": [1]},
        {"aweme_id": "1", "create_time": 1772337906, "statistics": [1], "author": "y"},
        {"note_card": {"interact_info": "x", "user": [1], "image_list": ["a"]}},
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", ["douyin.com", "xiaohongshu.com", None, 5])
def test_a_capture_of_another_shape_is_set_aside(tmp_path: Path, data: Any, place: Any) -> None:
    row = {"item_id": 1, "timestamp_collected": 1772337906000, "source_platform": place, "data": data}
    items, bad = read(write_jsonl(tmp_path / "x.ndjson", [], [row]), EXPORTS["zeeschuimer"])
    assert (len(items), len(bad)) == (0, 1)


# --------------------------------------------------------------------------------------------------- Excel and SQLite


def rezipped(path: Path, edit: Callable[[str, bytes], bytes]) -> Path:
    out = path.with_name(f"edited {path.name}")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for one in old.infolist():
            new.writestr(one.filename, edit(one.filename, old.read(one.filename)))
    return out


def sheet(edit: Callable[[bytes], bytes]) -> Callable[[str, bytes], bytes]:
    return lambda name, data: edit(data) if "sheet1" in name else data


def test_what_a_sheet_says_of_its_own_size_is_not_believed(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "x.xlsx", COLUMNS, [note(n) for n in range(3)])
    small = rezipped(path, sheet(lambda data: re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1"', data)))
    assert len(read(small)[0]) == 3


def test_a_workbook_that_breaks_off_gives_what_was_whole(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "x.xlsx", COLUMNS, [note(n) for n in range(30)])
    items, bad = read(rezipped(path, sheet(lambda data: data[: len(data) // 2])))
    assert 5 < len(items) < 25
    assert ["breaks off here" in one.reason for one in bad] == [True]


def test_a_workbook_that_unpacks_to_a_thousand_times_its_size_is_refused(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "x.xlsx", COLUMNS, [note(0)])
    bomb = rezipped(path, sheet(lambda data: data.replace(b"</sheetData>", b" " * (80 << 20) + b"</sheetData>")))
    assert bomb.stat().st_size < 1 << 20
    with pytest.raises(CollectError, match="save it as CSV"):
        read(bomb)


def test_titles_above_a_sheets_table_dates_and_times_in_cells_and_empty_sheets(tmp_path: Path) -> None:
    row = note(
        0, create_date_time=dt.datetime(2026, 3, 1, 12, 5, 6), shared_count=dt.time(1, 2), source_keyword=dt.timedelta(1)
    )
    import openpyxl

    book = openpyxl.Workbook()
    book.create_sheet("数据")
    for line in (["某某平台导出"], [], COLUMNS, [row[column] for column in COLUMNS]):
        book["数据"].append(line)
    book.save(tmp_path / "x.xlsx")
    (item,), bad = read(tmp_path / "x.xlsx")
    assert item.posted_at == dt.datetime(2026, 3, 1, 4, 5, 6, tzinfo=dt.UTC)
    assert not bad
    assert json.dumps(item.raw)


def test_a_damaged_database_gives_what_was_whole_and_one_in_use_says_what_to_do(tmp_path: Path) -> None:
    path = write_sqlite(tmp_path / "x.db", COLUMNS, [note(n) for n in range(3000)], "weibo_note")
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2 : len(whole) // 2 + 4096] = b"\xff" * 4096
    damaged = tmp_path / "y.db"
    damaged.write_bytes(whole)
    items, bad = read(damaged)
    assert 500 < len(items) < 3000
    assert ["breaks off here" in one.reason for one in bad] == [True]
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(CollectError, match="close the program that writes it"):
            read(path)
        other.rollback()


def test_bytes_in_a_database_are_text(tmp_path: Path) -> None:
    path = write_sqlite(
        tmp_path / "x.db", COLUMNS, [note(0, note_id=b"123", content="好".encode(), source_keyword=b"\xff")], "weibo_note"
    )
    (item,), _ = read(path)
    assert (item.post_id, item.text) == ("123", "好")
    assert json.dumps(item.raw)
