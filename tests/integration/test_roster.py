"""Rosters as operations teams keep them: every encoding and shape, nothing good lost, nothing guessed."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest

from listener.roster import REASONS, Change, RosterError, RosterPreview, derived_id, read_roster
from storage.records import Account, Koc

XHS = "5f0000000000000001abcdef"


def keys_of(platform: str, account_id: str) -> tuple[str, str]:
    return f"key:{platform}:{account_id}", f"hashed:{platform}:{account_id}"


def roster_of(tmp_path: Path, text: str, *, encoding: str = "utf-8", existing=(), name: str = "名单.csv") -> RosterPreview:
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return read_roster(path, existing, keys_of)


def sheet_of(tmp_path: Path, *rows, merge: str = "", extra=None) -> RosterPreview:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in rows:
        sheet.append(row)
    if merge:
        sheet.merge_cells(merge)
    if extra:
        extra(book)
    path = tmp_path / "名单.xlsx"
    book.save(path)
    return read_roster(path, (), keys_of)


def accounts_in(preview: RosterPreview) -> dict[str, list[str]]:
    return {koc.name: [f"{a.platform}:{a.account_id}" for a in koc.accounts] for koc in preview.kocs}


def codes_in(preview: RosterPreview) -> set[tuple[tuple[int, ...], str]]:
    return {(f.rows, f.code) for f in (*preview.unresolved, *preview.ambiguous)}


def koc(koc_id: str, name: str, *accounts: str, nickname: str = "", **more) -> Koc:
    pairs = [account.split(":") for account in accounts]
    held = tuple(Account(p, i, keys_of(p, i)[0], nickname, other_keys=keys_of(p, i)[1:]) for p, i in pairs)
    return Koc(koc_id, name, held, **more)


def test_of_who_asked_to_be_kept_out_nothing_is_taken_and_a_koc_with_another_account_stays(tmp_path: Path) -> None:
    path = tmp_path / "名单.csv"
    path.write_text(
        "koc_id,name,platform,account_id\nK1,甲,forum,a1\nK2,乙,forum,a2\nK2,乙,forum,a3\nK3,丙,forum,a4\n,丁,forum,a5\n",
        encoding="utf-8",
    )
    out = {"key:forum:a1", "hashed:forum:a3", "key:forum:a5"}
    existing = (koc("K2", "乙", "forum:a2"),)
    preview = read_roster(path, existing, keys_of, lambda keys: out.intersection(keys))
    assert accounts_in(preview) == {"丙": ["forum:a4"]}
    assert preview.unchanged == ("K2",)
    assert [(one.rows, one.code, one.value) for one in preview.unresolved] == [
        ((2,), "kept-out", "forum"),
        ((3, 4), "kept-out", "forum"),
        ((6,), "kept-out", "forum"),
    ]


# ----------------------------------------------------------------------------------------------- files and encodings

CHINESE = "昵称,主页链接,对接人,等级\n小红🌸,https://weibo.com/u/1234567890,陈,A\n小明,https://space.bilibili.com/7,李,B\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_csv_is_read_in_the_encodings_that_spreadsheets_write(tmp_path: Path, encoding: str):
    preview = roster_of(tmp_path, CHINESE, encoding=encoding)
    assert accounts_in(preview) == {"小红🌸": ["weibo:1234567890"], "小明": ["bilibili:7"]}
    assert [k.owner for k in preview.kocs] == ["陈", "李"]
    assert codes_in(preview) == set()


@pytest.mark.parametrize("separator", ["\t", ";", "，", "|"])
def test_other_separators_are_seen(tmp_path: Path, separator: str):
    assert len(roster_of(tmp_path, CHINESE.replace(",", separator)).kocs) == 2


def test_line_ends_quotes_and_line_breaks_in_cells_are_read(tmp_path: Path):
    text = '姓名,备注,微博UID\r\n"王, 一","两行\n备注 ""好""",1234567890\r\n李二,,1234567891\r\n'
    preview = roster_of(tmp_path, text)
    assert accounts_in(preview) == {"王, 一": ["weibo:1234567890"], "李二": ["weibo:1234567891"]}
    assert preview.kocs[0].note == '两行 备注 "好"'


def test_a_quote_that_is_never_closed_swallows_nobody(tmp_path: Path):
    preview = roster_of(tmp_path, '姓名,微博UID\n"王一,1234567890\n李二,1234567891\n')
    assert list(accounts_in(preview).values()) == [["weibo:1234567890"], ["weibo:1234567891"]]


def test_short_and_long_rows_are_read(tmp_path: Path):
    preview = roster_of(tmp_path, "姓名,微博UID,备注\n王一,1234567890\n李二,1234567891,好,多,了\n,,\n\n赵三,1234567892,\n")
    assert len(preview.kocs) == 3
    assert preview.rows == 3


def test_a_title_above_the_header_does_not_matter(tmp_path: Path):
    preview = roster_of(tmp_path, "2026 年 KOC 名单,,\n更新于 3 月,,\n姓名,微博UID,粉丝数\n王一,1234567890,10\n")
    assert accounts_in(preview) == {"王一": ["weibo:1234567890"]}
    assert preview.ignored == ("粉丝数",)
    assert preview.columns == {"姓名": "name", "微博UID": "weibo id"}


def test_an_excel_file_is_read(tmp_path: Path):
    preview = sheet_of(
        tmp_path,
        ["姓名", "微博UID", "B站", "加入", "等级", "备注", "在职"],
        ["王一", 1234567890, 7.0, date(2026, 1, 2), 1.5, datetime(2026, 1, 2, 3), True],
        ["李二", "'01234567", None, None, None, None, None],
    )
    assert accounts_in(preview) == {"王一": ["bilibili:7", "weibo:1234567890"], "李二": ["weibo:01234567"]}
    assert (preview.kocs[0].tier, preview.kocs[0].note) == ("1.5", "2026-01-02T03:00:00")


def test_a_number_that_excel_has_cut_is_told_and_never_guessed(tmp_path: Path):
    preview = sheet_of(
        tmp_path, ["姓名", "微博", "B站"], ["王一", 1234567890, 12345678901234567], ["李二", "1.23457E+15", None]
    )
    assert accounts_in(preview) == {"王一": ["weibo:1234567890"]}
    assert codes_in(preview) == {((2,), "damaged-number"), ((3,), "damaged-number"), ((3,), "no-account")}


def test_rows_under_one_merged_name_are_one_person(tmp_path: Path):
    preview = sheet_of(
        tmp_path, ["姓名", "平台", "账号ID"], ["王一", "微博", 1234567890], [None, "B站", 7], ["李二", "B站", 8], merge="A2:A3"
    )
    assert accounts_in(preview) == {"王一": ["bilibili:7", "weibo:1234567890"], "李二": ["bilibili:8"]}


def test_every_visible_sheet_is_read(tmp_path: Path):
    def extra(book) -> None:
        for title, uid in (("二月", 1234567891), ("隐藏", 1234567892), ("说明", None)):
            sheet = book.create_sheet(title)
            sheet.append(["姓名", "微博UID"] if uid else ["怎么填写"])
            sheet.append([title, uid])
        book["隐藏"].sheet_state = "hidden"

    preview = sheet_of(tmp_path, ["姓名", "微博UID"], ["王一", 1234567890], extra=extra)
    assert set(accounts_in(preview)) == {"王一", "二月"}


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "no header"),
        (b"a,b\n1,2\n", "no header"),
        ("姓名,城市\n王一,上海\n".encode(), "First row: 姓名 城市"),
        (b"\xd0\xcf\x11\xe0rest", r"\.xlsx"),
        (b"PK\x03\x04nonsense", "can't be opened"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "no table"),
        (b"a\xff\xff\xff\xff", "no table"),
    ],
)
def test_a_file_that_is_no_roster_is_told_with_the_way_out(tmp_path: Path, data: bytes, told: str):
    path = tmp_path / "x.csv"
    path.write_bytes(data)
    with pytest.raises(RosterError, match=told):
        read_roster(path)


def test_a_file_that_is_not_there_or_too_large_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(RosterError, match="can't be read"):
        read_roster(tmp_path / "none.csv")
    monkeypatch.setattr("listener.sheets.MAX_BYTES", 10)
    with pytest.raises(RosterError, match="too large"):
        roster_of(tmp_path, CHINESE)


def test_a_csv_with_a_cell_beyond_all_bounds_is_refused(tmp_path: Path):
    with pytest.raises(RosterError, match="can't be read"):
        roster_of(tmp_path, "姓名,微博UID\n" + "x" * 200_000 + ",1234567890\n")


# ------------------------------------------------------------------------------------------------- people and accounts


def test_the_plain_format_is_taken_as_it_is(tmp_path: Path):
    text = "koc_id,name,platform,account_id\nK1,网友1,forum,koc1\nK1,网友1,weibo,koc1w\nK2,网友1,forum,koc2\n"
    preview = roster_of(tmp_path, text)
    assert [(k.koc_id, len(k.accounts)) for k in preview.kocs] == [("K1", 2), ("K2", 1)]
    account = preview.kocs[0].accounts[0]
    assert (account.author_key, account.other_keys) == ("key:forum:koc1", ("hashed:forum:koc1",))
    assert codes_in(preview) == set()
    assert preview.changes[0] == Change("K1", "网友1", ("new",))


def test_one_row_may_hold_accounts_on_several_platforms(tmp_path: Path):
    link = f"https://www.xiaohongshu.com/user/profile/{XHS}?t=1"
    text = f"姓名,昵称,微博主页,小红书号,小红书链接,B站\n王一,小一,weibo.com/u/1234567890,9501234567,{link},7\n"
    preview = roster_of(tmp_path, text)
    assert accounts_in(preview) == {"王一": ["bilibili:7", "weibo:1234567890", f"xiaohongshu:{XHS}"]}
    assert preview.kocs[0].accounts[2].url == f"https://www.xiaohongshu.com/user/profile/{XHS}"
    assert {a.nickname for a in preview.kocs[0].accounts} == {"小一"}
    assert codes_in(preview) == set()


def test_an_id_is_made_from_an_account_where_the_file_gives_none(tmp_path: Path):
    text = "姓名,微博,B站\n王一,1234567890,7\n"
    preview = roster_of(tmp_path, text)
    assert preview.kocs[0].koc_id == derived_id(("bilibili", "7"))
    turned = roster_of(tmp_path, "B站,姓名,微博\n7,王一,1234567890\n")
    assert turned.kocs[0].koc_id == preview.kocs[0].koc_id


def test_a_name_is_found_wherever_it_stands(tmp_path: Path):
    assert list(accounts_in(roster_of(tmp_path, "koc_id,微博\nK7,1234567890\n"))) == ["K7"]
    assert list(accounts_in(roster_of(tmp_path, "微博\n1234567890\n"))) == ["1234567890"]
    assert list(accounts_in(roster_of(tmp_path, "微博,微博昵称\n1234567890,小红\n"))) == ["小红"]


def test_all_columns_of_a_person_are_read(tmp_path: Path):
    text = "koc_id,姓名,微博,对接人,等级,域,备注\nK1,王一,1234567890,陈,S,私域,老用户\nK2,李二,1234567891,,,公域,\n"
    one, two = roster_of(tmp_path, text).kocs
    assert (one.owner, one.tier, one.domain, one.note) == ("陈", "S", "private", "老用户")
    assert two.domain == "public"


def test_bad_rows_are_listed_and_lose_nothing_that_is_good(tmp_path: Path):
    text = (
        "姓名,微博,小红书号,抖音链接,平台,主页链接\n"
        "王一,1234567890,9501234567,https://v.douyin.com/abc/,,\n"
        "李二,李二的微博,,,,\n"
        "赵三,,,,,https://example.com/u/1\n"
        "孙四,,,,,https://weibo.com/u/1234567893\n"
        ",,,,,\n"
    )
    preview = roster_of(tmp_path, text)
    assert accounts_in(preview) == {"王一": ["weibo:1234567890"], "孙四": ["weibo:1234567893"]}
    assert codes_in(preview) == {
        ((2,), "shown-number"),
        ((2,), "short-link"),
        ((3,), "nickname-only"),
        ((3,), "no-account"),
        ((4,), "unknown-site"),
        ((4,), "no-account"),
    }
    assert all(finding.message == REASONS[finding.code] for finding in preview.unresolved)


def test_a_platform_is_needed_and_may_come_from_the_link(tmp_path: Path):
    text = "姓名,账号ID,主页链接\n王一,1234567890,https://weibo.com/u/1234567890\n李二,77,\n"
    preview = roster_of(tmp_path, text)
    assert accounts_in(preview) == {"王一": ["weibo:1234567890"]}
    assert ((3,), "no-platform") in codes_in(preview)


def test_an_id_and_a_link_that_disagree_are_both_left_out(tmp_path: Path):
    text = "姓名,平台,账号,主页链接\n王一,微博,1234567890,https://weibo.com/u/1234567899\n李二,微博,李二,https://weibo.com/u/1234567898\n"
    preview = roster_of(tmp_path, text)
    assert accounts_in(preview) == {"李二": ["weibo:1234567898"]}
    assert preview.kocs[0].accounts[0].nickname == "李二"
    assert {((2,), "two-ids"), ((2,), "no-account")} == codes_in(preview)


def test_a_nickname_in_the_column_of_ids_gives_way_to_the_link(tmp_path: Path):
    preview = roster_of(tmp_path, "姓名,平台,账号ID,主页链接\n李二,微博,李二呀,https://weibo.com/u/1234567898\n")
    assert accounts_in(preview) == {"李二": ["weibo:1234567898"]}
    assert codes_in(preview) == set()


def test_several_accounts_on_one_platform_are_all_taken(tmp_path: Path):
    preview = roster_of(tmp_path, "姓名,微博1,微博2\n王一,1234567890,1234567891\n")
    assert accounts_in(preview) == {"王一": ["weibo:1234567890", "weibo:1234567891"]}


def test_an_account_of_two_people_is_nobodys(tmp_path: Path):
    preview = roster_of(tmp_path, "姓名,微博,B站\n王一,1234567890,7\n李二,1234567890,\n")
    assert accounts_in(preview) == {"王一": ["bilibili:7"]}
    assert {((2,), "account-twice"), ((3,), "account-twice"), ((3,), "no-account")} == codes_in(preview)


def test_the_same_row_twice_is_one_person(tmp_path: Path):
    preview = roster_of(tmp_path, "姓名,微博,B站\n王一,1234567890,\n王一,1234567890,7\n")
    assert accounts_in(preview) == {"王一": ["bilibili:7", "weibo:1234567890"]}
    assert codes_in(preview) == set()


def test_one_name_on_two_rows_is_taken_apart_and_told(tmp_path: Path):
    preview = roster_of(tmp_path, "姓名,平台,账号ID\n王伟,微博,1234567890\n王伟,B站,7\n")
    assert len(preview.kocs) == 2
    assert codes_in(preview) == {((2, 3), "same-name")}


def test_one_id_with_two_names_is_told(tmp_path: Path):
    preview = roster_of(tmp_path, "koc_id,姓名,微博,对接人\nK1,王一,1234567890,\nK1,李二,1234567891,陈\n")
    assert [(k.name, k.owner, len(k.accounts)) for k in preview.kocs] == [("王一", "陈", 2)]
    assert codes_in(preview) == {((2, 3), "two-names")}


def test_one_id_on_two_sheets_is_one_person(tmp_path: Path):
    def extra(book) -> None:
        sheet = book.create_sheet("B站")
        sheet.append(["koc_id", "B站"])
        sheet.append(["K1", 7])

    preview = sheet_of(tmp_path, ["koc_id", "姓名", "微博"], ["K1", "王一", 1234567890], extra=extra)
    assert accounts_in(preview) == {"王一": ["bilibili:7", "weibo:1234567890"]}


def test_a_person_with_an_id_and_no_account_is_kept_and_not_covered(tmp_path: Path):
    preview = roster_of(tmp_path, "koc_id,姓名,微博\nK1,王一,\n")
    assert accounts_in(preview) == {"王一": []}


def test_what_would_steer_a_terminal_or_turn_a_line_around_is_read_as_nothing(tmp_path: Path):
    preview = roster_of(
        tmp_path,
        "姓名,对接人,等级,备注,微博,私\x1b域\n张\x1b[31m三,陈\u202e一,A\x07,\u2066注\x9b2J,1234567890,x\n李\x1b二,,,,,\n",
    )
    (one,) = preview.kocs
    assert (one.name, one.owner, one.tier, one.note) == ("张 [31m三", "陈一", "A", "注 2J")
    assert not re.search(r"\\[xu]", repr(preview))


def test_a_nickname_in_a_link_steers_no_terminal(tmp_path: Path):
    preview = roster_of(
        tmp_path, "昵称,主页链接\n,https://weibo.com/n/%E5%BC%A0%1B%5B31m\n,https://tieba.baidu.com/home/main?id=tb%1B1\n"
    )
    assert [f.who for f in preview.unresolved][:1] == ["张 [31m"]
    assert "\x1b" not in "".join(koc.name + koc.accounts[0].account_id for koc in preview.kocs)


# ------------------------------------------------------------------------------------------------- beside a roster


def test_importing_the_same_file_again_changes_nothing(tmp_path: Path):
    first = roster_of(tmp_path, CHINESE)
    again = roster_of(tmp_path, CHINESE, existing=first.kocs)
    assert (again.kocs, again.changes) == ((), ())
    assert set(again.unchanged) == {k.koc_id for k in first.kocs}


def test_an_account_added_later_joins_its_person(tmp_path: Path):
    there = koc("K1", "王一", "weibo:1234567890", owner="陈", tier="A")
    preview = roster_of(tmp_path, "姓名,微博,B站\n王一,1234567890,7\n", existing=[there])
    assert preview.changes == (Change("K1", "王一", ("accounts",)),)
    assert accounts_in(preview) == {"王一": ["bilibili:7", "weibo:1234567890"]}
    assert (preview.kocs[0].owner, preview.kocs[0].tier) == ("陈", "A")


def test_a_file_that_leaves_accounts_out_takes_none_away(tmp_path: Path):
    there = koc("K1", "王一", "weibo:1234567890", "bilibili:7")
    preview = roster_of(tmp_path, "koc_id,姓名,对接人\nK1,王一,新人\n", existing=[there])
    assert preview.changes == (Change("K1", "王一", ("owner",)),)
    assert len(preview.kocs[0].accounts) == 2


def test_rows_of_one_known_person_are_put_together(tmp_path: Path):
    there = koc("K1", "王伟", "weibo:1234567890", "bilibili:7")
    preview = roster_of(tmp_path, "姓名,平台,账号ID\n王伟,微博,1234567890\n王伟,B站,7\n", existing=[there])
    assert preview.unchanged == ("K1",)
    assert codes_in(preview) == set()


def test_an_account_of_somebody_else_is_not_taken_from_them(tmp_path: Path):
    there = koc("K1", "王一", "weibo:1234567890")
    preview = roster_of(tmp_path, "koc_id,姓名,微博,B站\nK2,李二,1234567890,7\n", existing=[there])
    assert accounts_in(preview) == {"李二": ["bilibili:7"]}
    assert codes_in(preview) == {((2,), "account-of-other")}
    assert "K1" in preview.ambiguous[0].value


def test_accounts_of_two_known_people_make_nobody(tmp_path: Path):
    there = [koc("K1", "王一", "weibo:1234567890"), koc("K2", "李二", "bilibili:7")]
    preview = roster_of(tmp_path, "姓名,微博,B站\n王一,1234567890,7\n", existing=there)
    assert preview.kocs == ()
    assert codes_in(preview) == {((2,), "two-people")}


def test_a_nickname_is_a_proposal_and_never_a_match(tmp_path: Path):
    there = koc("K1", "王一", "weibo:1234567890", nickname="小红")
    preview = roster_of(tmp_path, "姓名,微博昵称\n某人,小红\n某人,小明\n", existing=[there])
    assert preview.kocs == ()
    assert [(p.row, p.platform, p.nickname, p.koc_id) for p in preview.proposals] == [(2, "weibo", "小红", "K1")]


def test_the_nickname_and_link_that_a_file_adds_are_changes(tmp_path: Path):
    there = koc("K1", "小红", "weibo:1234567890")
    preview = roster_of(tmp_path, "昵称,主页链接\n小红,https://weibo.com/u/1234567890\n", existing=[there])
    assert preview.changes[0].what == ("accounts",)
    assert preview.kocs[0].accounts[0].nickname == "小红"
    assert preview.kocs[0].accounts[0].author_key == keys_of("weibo", "1234567890")[0]


def test_a_command_that_reads_no_sheet_loads_nothing_to_read_one_with() -> None:
    order = "import sys, listener.app; print(sorted({'pandas', 'openpyxl'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", order], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_roster_without_columns_of_accounts_names_what_is_missing(tmp_path: Path) -> None:
    preview = roster_of(tmp_path, "编号,名字,城市\nK1,小红,杭州\nK2,小明,上海\n")
    assert len(preview.kocs) == 2
    assert [(f.rows, f.code, f.value) for f in preview.unresolved] == [((), "no-account-columns", "编号, 名字, 城市")]
    for word in ("主页链接", "平台", "账号ID", "platform, account_id"):
        assert word in preview.unresolved[0].message
    known = [koc("K1", "小红", "weibo:1234567890"), koc("K2", "小明", "weibo:1234567891")]
    preview = roster_of(tmp_path, "编号,名字,等级\nK1,小红,A\nK2,小明,B\n", existing=known)
    assert preview.unresolved == (), "tiers of people whose accounts are known"


def test_whoever_has_no_account_is_told(tmp_path: Path) -> None:
    rows = "K1,小红,微博,1234567890\nK2,小明,微博,\nK3,小刚,微博,没有号码的人\n"
    preview = roster_of(tmp_path, "编号,名字,平台,账号\n" + rows)
    assert codes_in(preview) == {((3,), "no-account-yet"), ((4,), "nickname-only")}
    assert len(preview.kocs) == 3
