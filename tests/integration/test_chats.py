"""Group chats as their operators export them: who said what when, and that nobody's name stays."""

from __future__ import annotations

import csv
import sqlite3
import zlib
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from listener.members import MembersError, read_members
from spiders.errors import CollectError
from spiders.exports.chats import read_chat, unnamed
from spiders.exports.read import CHINA
from spiders.exports.shapes import Reading
from spiders.files import BadLine
from spiders.items import Item
from storage.records import Koc

READING = Reading(CHINA, datetime(2026, 3, 9, tzinfo=UTC))
AT = datetime(2026, 3, 1, 4, 5, tzinfo=UTC)

MAILED = """—————  2026-03-01  —————


小 北  12:05

好用，@老王 13800138000
明天 12:30
见

阿南  12:06

[图片]


—————  2026-03-02  —————


小 北  8:00

早
"""
TIME_FIRST = "2026-03-01 12:05:00 小 北(wxid_1)\n好用\n第二行\n\n2026-03-01 12:06:00 阿南(wxid_2)\n同感\n"
NAME_FIRST = "小 北 2026/3/1 12:05\n好用\n阿南 2026年3月1日 12:06:30\n同感\n"


def read(path: Path, text: str, encoding: str = "utf-8") -> list[Item]:
    path.write_bytes(text.encode(encoding))
    found = list(read_chat(path, "护发群", READING))
    assert not [one for one in found if isinstance(one, BadLine)]
    return [one for one in found if isinstance(one, Item)]


def test_a_chat_as_wechat_mails_it(tmp_path: Path) -> None:
    first, second, third = read(tmp_path / "群聊.txt", MAILED)
    assert (first.platform, first.author_id, first.posted_at) == ("group", "护发群/小 北", AT)
    assert first.text == "好用，@老王 [手机号]\n明天 12:30\n见"
    assert (second.text, [one.kind for one in second.media]) == ("", ["image"])
    assert (third.posted_at, third.text) == (datetime(2026, 3, 2, tzinfo=UTC), "早")
    assert {item.author_name for item in (first, second, third)} == {""}
    assert all("小 北" not in str(item.raw) for item in (first, second, third))


@pytest.mark.parametrize(("text", "author"), [(TIME_FIRST, "护发群/wxid_1"), (NAME_FIRST, "护发群/小 北")])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_chats_of_other_tools(tmp_path: Path, text: str, author: str, encoding: str) -> None:
    first, second = read(tmp_path / "x.txt", text, encoding)
    assert (first.author_id, first.posted_at) == (author, AT)
    assert first.text.startswith("好用")
    assert second.text == "同感"


@pytest.mark.parametrize(
    "header",
    [
        "localId,TalkerId,Type,SubType,IsSender,CreateTime,Status,StrContent,StrTime,Remark,NickName,Sender",
        "消息ID,时间,昵称,微信号,内容",
    ],
)
def test_chats_in_tables(tmp_path: Path, header: str) -> None:
    values: dict[str, Any] = {
        "localId": "1", "消息ID": "1", "StrTime": "2026-03-01 12:05:00", "时间": "2026-03-01 12:05",
        "NickName": "小北", "昵称": "小北",
        "Sender": "wxid_1", "微信号": "wxid_1", "StrContent": "好用", "内容": "好用", "CreateTime": "1772337900",
    }  # fmt: skip
    path = tmp_path / "x.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, header.split(","), restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows([values, values | {"StrTime": "", "时间": "", "CreateTime": ""}])
    item, bad = read_chat(path, "护发群", READING)
    assert isinstance(item, Item)
    assert (item.post_id, item.author_id, item.posted_at, item.text) == ("护发群/1", "护发群/wxid_1", AT, "好用")
    assert isinstance(bad, BadLine)
    assert bad.line == b""


def test_the_same_words_twice_in_a_minute_are_two_messages_and_a_second_export_adds_none(tmp_path: Path) -> None:
    text = "小北 2026/3/1 12:05\n好\n小北 2026/3/1 12:05\n好\n"
    first, second = read(tmp_path / "x.txt", text)
    assert first.post_id != second.post_id
    longer = read(tmp_path / "y.txt", text + "小北 2026/3/1 12:07\n好\n")
    assert [one.post_id for one in longer[:2]] == [first.post_id, second.post_id]


def test_words_before_the_first_message_are_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("某某群的聊天记录\n" + NAME_FIRST, encoding="utf-8")
    bad, *items = read_chat(path, "护发群", READING)
    assert isinstance(bad, BadLine)
    assert len(items) == 2


def test_what_is_no_chat_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("一篇文章\n没有谁说话\n", encoding="utf-8")
    with pytest.raises(CollectError, match="no chat was recognized"):
        list(read_chat(path, "护发群", READING))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("@小 北\u2005加我 138 0013 8000", "@小北\u2005加我 [手机号]"),
        ("订单 13800138000123", "订单 13800138000123"),
        ("+86 13800138000", "[手机号]"),
        ("@🌸🌸 你好", "@某人 你好"),
    ],
)
def test_names_after_an_at_are_one_word_and_mobile_numbers_are_struck_out(text: str, masked: str) -> None:
    assert unnamed(text, ["小 北", "🌸🌸"]) == masked


ROSTER = [Koc("k1", "小北", ()), Koc("k2", "阿南", ()), Koc("k3", "阿南", ())]


def members(tmp_path: Path, text: str) -> Any:
    path = tmp_path / "成员.csv"
    path.write_text(text, encoding="utf-8")
    return read_members(path, ROSTER)


def test_a_member_list_says_who_of_the_roster_is_who(tmp_path: Path) -> None:
    found = members(tmp_path, "群昵称,KOC\n小 北,小北\nwxid_2,k2\n路人,\n")
    assert found.kocs == {"小 北": "k1", "wxid_2": "k2"}
    assert found.others == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("甲,乙\n小北,k1\n", "no header was found"),
        ("群昵称,KOC\n小北,没有这人\n", "is not on the roster"),
        ("群昵称,KOC\n阿南,阿南\n", "is the name of two"),
        ("群昵称,KOC\n小北,k1\n小北,k2\n", "is given to two"),
    ],
)
def test_a_member_list_that_can_not_be_used_says_what_to_mend(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(MembersError, match=words):
        members(tmp_path, text)


def test_a_chat_is_imported_with_its_ground_and_nobodys_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from listener import cli

    monkeypatch.chdir(tmp_path)
    assert cli.run(["init", "."]) == 0
    Path("brand.json").write_text('{"name": "星澜"}', encoding="utf-8")
    assert cli.run(["brand", "import", "brand.json"]) == 0
    Path("名单.csv").write_text("koc_id,name,platform,account_id\nk1,北,weibo,1234567890\n", encoding="utf-8")
    assert cli.run(["koc", "import", "名单.csv", "--yes"]) == 0
    Path("成员.csv").write_text("群昵称,KOC\n小 北,k1\n", encoding="utf-8")
    Path("群聊.txt").write_text(MAILED.replace("早", "星澜真好用，@阿南 你说呢"), encoding="utf-8")
    asked = ["import", "--group", "护发群", "--members", "成员.csv", "群聊.txt"]
    assert cli.run(asked) == 2
    ground = ["--basis", "群公告已告知", "--purpose", "了解问题"]
    assert cli.run([*asked, *ground]) == 0
    assert cli.run([*asked, *ground]) == 0
    with closing(sqlite3.connect("listener.db")) as database:
        rows = database.execute("SELECT basis, purpose, posts FROM imports").fetchall()
        assert rows == [("群公告已告知", "了解问题", 3)] * 2
        assert database.execute("SELECT count(*) FROM posts").fetchone() == (3,)
        assert database.execute("SELECT count(*) FROM mentions").fetchone() == (1,)
        assert database.execute("SELECT account_id FROM accounts WHERE platform = 'group'").fetchall() == [("护发群/小 北",)]
        dump = "\n".join(line for line in database.iterdump() if "INSERT INTO" in line and "account" not in line)
        dump += "".join(zlib.decompress(raw).decode() for (raw,) in database.execute("SELECT raw FROM post_raws"))
    assert "阿南" not in dump
    assert "小 北" not in dump
    assert "13800138000" not in dump


@pytest.mark.parametrize(
    "text",
    [
        "[2026-03-01 12:05:06] 小 北: 好用\n第二行\n[2026-03-01 12:06] 阿南：同感\n",
        "2026-03-01 12:05 小 北(wxid_1)：好用\n第二行\n2026-03-01 12:06 阿南(wxid_2)：同感\n",
        "2026/3/1 12:05 - 小 北: 好用\n第二行\n2026/3/1 12:06 - 阿南: 同感\n",
        "消息记录（此消息记录为文本格式）\n====\n消息对象:护发群\n====\n\n2026-03-01 12:05:06 小 北(12345678)\n好用\n第二行\n\n"
        "2026-03-01 12:06:06 阿南<a@b.example>\n同感\n",
        "小 北  2026年3月1日 星期日 中午 12:05\n好用\n第二行\n阿南  2026年3月1日 中午 12:06\n同感\n",
        "2026-03-01 12:05:06 PM 小 北\n好用\n第二行\n2026-03-01 12:06:06 PM 阿南\n同感\n",
    ],
)
def test_other_layouts_of_chats(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.txt"
    path.write_text(text, encoding="utf-8")
    first, second = [one for one in read_chat(path, "护发群", READING) if isinstance(one, Item)]
    assert first.author_id in ("护发群/小 北", "护发群/wxid_1", "护发群/12345678")
    assert second.author_id in ("护发群/阿南", "护发群/wxid_2", "护发群/a@b.example")
    assert (first.text, second.text) == ("好用\n第二行", "同感")
    assert [one.posted_at.replace(second=0) for one in (first, second)] == [AT, AT.replace(minute=6)]


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("「小 北：好用」\n- - - - -\n同感", "「@小北：好用」\n- - - - -\n同感"),
        ('"小 北"邀请"阿南"加入了群聊', '"@小北"邀请"@阿南"加入了群聊'),
        ("阿南撤回了一条消息", "@阿南撤回了一条消息"),
        ('我拍了拍 "阿南"', '我拍了拍 "@阿南"'),
        ("@没说过话 的人\u2005你好", "@没说过话的人\u2005你好"),
        ("阿南说得对", "阿南说得对"),
    ],
)
def test_names_that_the_chat_program_wrote_are_masked_too(text: str, masked: str) -> None:
    assert unnamed(text, ["小 北", "阿南"]) == masked


def test_notices_of_the_program_are_nobodys_posts(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text(NAME_FIRST + "系统消息(10000) 2026/3/1 12:07\n阿北加入了群聊\n", encoding="utf-8")
    found = list(read_chat(path, "护发群", READING))
    assert [isinstance(one, Item) for one in found] == [True, True, False]
    assert [one.line for one in found if isinstance(one, BadLine)] == [b""]


def test_a_message_without_an_end_costs_itself_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("小北 2026/3/1 12:05\n" + "很长\n" * 200_000 + "阿南 2026/3/1 12:06\n同感\n", encoding="utf-8")
    bad, item = read_chat(path, "护发群", READING)
    assert isinstance(bad, BadLine)
    assert isinstance(item, Item)
    assert item.text == "同感"


def test_message_ids_that_a_spreadsheet_cut_make_no_two_messages_one(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(
        "消息ID,时间,昵称,内容\n7.3E+18,2026-03-01 12:05,小北,好\n7.3E+18,2026-03-01 12:06,小北,用\n", encoding="utf-8"
    )
    first, second = read_chat(path, "护发群", READING)
    assert isinstance(first, Item)
    assert isinstance(second, Item)
    assert first.post_id != second.post_id
