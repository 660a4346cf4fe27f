"""What a team does for its KOCs on the command line: the roster, promises, agreements, contacts, an exit; with frozen time."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine

from config import edit
from listener import cli, workspace
from listener.app import App
from storage.records import Alert

BRAND = "星澜"
START = datetime(2026, 6, 1, 2, tzinfo=UTC)  # a Monday, 10:00 in Shanghai
Run = Callable[..., Any]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = workspace.create(tmp_path / "工 作")
    edit.put_brand(path, {"name": BRAND})
    monkeypatch.chdir(path.parent)
    (path.parent / "名单.csv").write_text(
        "koc_id,name,platform,account_id,owner,tier\nK1,阿澜,forum,u1,小王,B\nK2,小明,forum,u2,小李,A\n", encoding="utf-8"
    )
    return path.parent


@pytest.fixture
def clock() -> Iterator[time_machine.Coordinates]:
    with time_machine.travel(START, tick=False) as frozen:
        yield frozen


@pytest.fixture
def run(folder: Path, clock: time_machine.Coordinates, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command; returns what it wrote, as JSON where that was asked for. code: the exit code it must have."""

    def work(*words: str, code: int = 0) -> Any:
        capsys.readouterr()
        got = cli.run(list(words))
        said = capsys.readouterr()
        assert got == code, said.out + said.err
        return json.loads(said.out) if "json" in words else said.out + said.err

    assert cli.run(["koc", "import", "名单.csv", "--yes", "--by", "小王"]) == 0
    return work


def alerts_in(folder: Path) -> list[Alert]:
    with App.open(folder / "listener.toml", {}) as app:
        return [one.alert for one in app.store.alerts()]


def test_what_is_changed_of_a_koc_stays_on_record(run: Run, folder: Path) -> None:
    assert "tier B → S" in run("koc", "set", "阿澜", "--tier", "S", "--domain", "私域", "--reason", "季度评估", "--by", "小张")
    history = run("koc", "history", "K1", "-f", "json")
    assert [(one["field"], one["before"], one["after"], one["who"], one["via"]) for one in history[-2:]] == [
        ("tier", "B", "S", "小张", "command"),
        ("domain", "public", "private", "小张", "command"),
    ]
    assert history[0]["via"] == "import"
    (folder / "名单.csv").write_text("koc_id,name,等级,对接人\nK1,阿澜,A,小李\n", encoding="utf-8")
    run("koc", "import", "名单.csv", "--yes", "--by", "小李")
    assert [one["field"] for one in run("koc", "history", "K1", "-f", "json")[-2:]] == ["owner", "tier"]
    run("koc", "remove", "K1", "--reason", "本人要求")
    assert run("koc", "history", "K1", "-f", "json")[-1]["field"] == "account"
    assert "移出" in run("koc", "history", "K1")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("koc", "set", "K1"), "没有要改的"),
        (("koc", "set", "K1", "--domain", "海外"), "公域"),
        (("koc", "set", "K1", "--standing", "gone"), "active"),
        (("koc", "set", "K1", "--standing", "alumni"), "有序退出"),
        (("koc", "set", "K1", "--name", " "), "空"),
        (("koc", "set", "K9", "--tier", "A"), "没有"),
        (("koc", "log", "K1", "--kind", "bribe", "--note", "x"), "honor"),
        (("koc", "log", "K1", "--kind", "honor"), "经过"),
        (("koc", "contact", "K1", "--note", "x", "--at", "2027-01-01"), "还没有到"),
        (("koc", "exit", "K1", "--asked-by", "boss"), "koc 或 brand"),
        (("koc", "exit", "K1", "--stop", "--finish"), "一次一步"),
        (("koc", "account", "add", "K1", "小红书", "9501234567"), "不是内容里的账号ID"),
        (("koc", "account", "add", "K1", "forum", "u2"), "属于 K2"),
        (("koc", "account", "remove", "K1", "forum", "nope"), "没有账号"),
        (("promises", "add", "K1", "--what", "x", "--due", "明天"), "不是日期"),
        (("promises", "add", "K1", "--what", "x", "--due", "2026-05-01"), "已经过去"),
        (("promises", "add", "K1", "--what", "x", "--due", "2026-07-01", "--case", "abcd"), "处置单"),
        (("promises", "keep", "abcd"), "没有以"),
        (("agreements", "add", "K1", "--deliverables", "x", "--pay", "1.234"), "看不懂金额"),
    ],
)
def test_what_can_not_be_done_is_refused_with_the_way_out(run: Run, words: tuple[str, ...], said: str) -> None:
    code = 2 if said in ("没有要改的", "没有", "honor", "koc 或 brand", "一次一步", "不是日期") else 1
    assert said in run(*words, code=code)


def test_an_account_comes_and_goes_by_itself(run: Run) -> None:
    run("koc", "account", "add", "K1", "微博", "https://weibo.com/u/1234567890?x=1", "--by", "小王")
    assert [(a["platform"], a["account_id"]) for a in run("koc", "show", "K1", "-f", "json")["koc"]["accounts"]] == [
        ("forum", "u1"),
        ("weibo", "1234567890"),
    ]
    run("koc", "account", "remove", "K1", "forum", "u1")
    shown = run("koc", "show", "K1", "-f", "json")
    assert [a["account_id"] for a in shown["koc"]["accounts"]] == ["1234567890"]
    assert [(c["field"], c["before"], c["after"]) for c in shown["changes"][-2:]] == [
        ("account", "", "weibo:1234567890"),
        ("account", "forum:u1", ""),
    ]


def test_deliver_reminds_by_itself_where_no_scheduler_runs(run: Run, folder: Path, clock: time_machine.Coordinates) -> None:
    run("promises", "add", "K2", "--what", "寄新泵头", "--due", "2026-06-10", "--by", "小王")
    run("deliver")
    assert alerts_in(folder) == []
    clock.move_to(datetime(2026, 6, 11, 2, tzinfo=UTC))
    run("deliver")
    assert [one.kind for one in alerts_in(folder)] == ["promise-due"]


def test_a_promise_reminds_through_the_outbox_before_and_after_its_day(
    run: Run, folder: Path, clock: time_machine.Coordinates
) -> None:
    run("promises", "add", "K2", "--what", "寄新泵头", "--due", "2026-06-10", "--by", "小王")
    (promise,) = run("promises", "list", "-f", "json")
    assert (promise["by_whom"], promise["to_whom"], promise["state"], promise["days"]) == ("小李", "小明", "open", 9)
    assert run("promises", "remind", "-f", "json") == []
    told = []
    for day in (8, 9, 10, 11, 18):
        clock.move_to(datetime(2026, 6, day, 2, tzinfo=UTC))
        told += [one["stage"] for one in run("promises", "remind", "-f", "json")]
        alerts = alerts_in(folder)
        assert [(one.kind, one.koc_id, one.severity) for one in alerts] == [("promise-due", "K2", "important")]
    assert told == ["soon", "soon", "today", "overdue", "long-overdue"]
    assert "未兑现的承诺" in run("koc", "show", "K2")
    run("promises", "move", promise["key"], "2026-06-30", "--reason", "缺货")
    assert run("promises", "remind", "-f", "json") == []
    assert alerts_in(folder) == []
    run("promises", "keep", promise["key"], "--note", "已签收")
    assert "没有未了的承诺" in run("promises", "list")
    (kept,) = run("promises", "list", "--all", "-f", "json")
    assert [(one["act"], one["due"]) for one in kept["events"]] == [("moved", "2026-06-30"), ("kept", None)]
    assert kept["moves"] == 1
    assert "已兑现" in run("promises", "keep", promise["key"], code=1)
    run("promises", "reopen", promise["key"], "--reason", "记错")
    run("promises", "break", promise["key"], "--reason", "停产")
    assert "未兑现" in run("promises", "list")
    run("promises", "waive", promise["key"], "--reason", "对方不要了")


def test_promises_remind_by_the_working_days_of_the_chinese_calendar(run: Run, clock: time_machine.Coordinates) -> None:
    run("promises", "add", "K2", "--what", "寄新泵头", "--due", "2026-10-09")  # the holidays end on the 7th, the 8th is worked
    stages = {}
    for day in (
        datetime(2026, 9, 29, 2, tzinfo=UTC),
        datetime(2026, 9, 30, 2, tzinfo=UTC),
        datetime(2026, 10, 12, 2, tzinfo=UTC),
    ):
        clock.move_to(day)
        stages[day.date().isoformat()] = [one["stage"] for one in run("promises", "remind", "-f", "json")]
    assert stages == {"2026-09-29": [], "2026-09-30": ["soon"], "2026-10-12": ["overdue"]}


def test_an_agreement_is_paid_to_the_fen_and_keeps_its_promises(run: Run) -> None:
    said = run(
        "agreements", "add", "K1", "--deliverables", "两篇测评", "--pay", "1,200.50", "--starts", "2026-06-01", "--ends",
        "2026-06-30", "--deliver-by", "2026-06-20", "--pay-by", "2026-06-30",
    )  # fmt: skip
    assert "1,200.50 元" in said
    (agreed,) = run("agreements", "list", "-f", "json")
    assert (agreed["amount"], agreed["owed"], agreed["ends"]) == ("1200.50", "1200.50", "2026-06-30")
    run("agreements", "pay", agreed["key"], "600.25")
    assert "超过应付余额 600.25" in run("agreements", "pay", agreed["key"], "600.26", code=1)
    run("agreements", "pay", agreed["key"], "600.25", "--by", "小李")
    assert [one["about"] for one in run("promises", "list", "K1", "-f", "json")] == ["delivery"]
    run("agreements", "deliver", agreed["key"])
    assert "没有履行中的约定" in run("agreements", "list")
    assert run("agreements", "list", "--all", "-f", "json")[0]["state"] == "done"
    assert run("promises", "list", "-f", "json") == []


def test_the_last_contact_and_the_usual_reply_stand_in_the_file(run: Run, clock: time_machine.Coordinates) -> None:
    assert "还没有联系记录" in run("koc", "show", "K1")
    run("koc", "contact", "K1", "--from-koc", "--note", "问赠品何时到")
    clock.move_to(datetime(2026, 6, 3, 3, tzinfo=UTC))
    assert "来询等了 2 天" in run("koc", "show", "K1")
    run("koc", "contact", "K1", "--note", "电话致歉，告知单号", "--by", "小王")
    run("koc", "log", "K1", "--kind", "adopted", "--note", "泵头改进建议被采用", "--link", "https://x.example/1")
    clock.move_to(datetime(2026, 6, 8, 3, tzinfo=UTC))
    said = run("koc", "show", "K1")
    for words in ("5 天前由 小王 联系；通常 2 天 内答复", "内容被采用 泵头改进建议被采用"):
        assert words in said
    shown = run("koc", "show", "K1", "-f", "json")
    assert shown["contacts"]["usual_reply_seconds"] == 2 * 86400 + 3600
    assert [one["link"] for one in run("koc", "log", "K1", "-f", "json")] == ["https://x.example/1"]


def test_what_is_owed_stands_beside_the_drift_as_it_was_known_then(run: Run, clock: time_machine.Coordinates) -> None:
    run("promises", "add", "K1", "--what", "寄新泵头", "--due", "2026-06-02")
    run("koc", "contact", "K1", "--note", "电话", "--by", "小王")
    clock.move_to(datetime(2026, 6, 5, 2, tzinfo=UTC))
    for words in ("未兑现的承诺", "4 天前由 小王 联系"):
        assert words in run("explain", "K1")
    run("promises", "keep", run("promises", "list", "-f", "json")[0]["key"])
    assert run("explain", "K1", "-f", "json")["relation"]["unmet"] == []
    then = run("explain", "K1", "-f", "json", "--as-of", "2026-06-04")["relation"]
    assert [one["what"] for one in then["unmet"]] == ["寄新泵头"]


def test_the_brand_can_not_ask_for_an_exit_while_criticism_waits_and_the_koc_can(run: Run, folder: Path) -> None:
    run("cases", "open", "K1", "--reason", "客服三周没回，在群里抱怨", "--variant", "public", "--by", "小王")
    refused = run("koc", "exit", "K1", "--asked-by", "brand", "--reason", "影响不好", "--by", "小张", code=1)
    assert "结束合作不是对批评的回应" in refused
    with App.open(folder / "listener.toml", {}) as app:
        assert [(one.kind, one.who, one.note) for one in app.store.ledger.entries(koc="K1")] == [
            ("exit-refused", "小张", "影响不好")
        ]
    run("koc", "exit", "K1", "--asked-by", "koc")
    assert run("koc", "exit", "K1", "-f", "json")["matters"][0]["kind"] == "case"


def test_an_exit_is_led_to_its_end_and_the_koc_is_watched_on(run: Run, folder: Path, clock: time_machine.Coordinates) -> None:
    run("promises", "add", "K1", "--what", "寄新泵头", "--due", "2026-06-10")
    run("agreements", "add", "K1", "--deliverables", "两篇测评", "--pay", "100", "--pay-by", "2026-06-12")
    assert "谁提出退出" in run("koc", "exit", "K1", "--finish", code=1)
    run("koc", "exit", "K1", "--asked-by", "koc", "--reason", "要备考")
    run("koc", "exit", "K1", "--thanks", "谢谢你三年的陪伴")
    run("koc", "exit", "K1", "--title", "荣誉体验官")
    refused = run("koc", "exit", "K1", "--finish", code=1)
    assert refused.count("promise") == 2
    assert "agreement" in refused
    assert "应付 100.00 元" in refused
    (promise, payment) = run("promises", "list", "K1", "-f", "json")
    run("promises", "keep", promise["key"])
    agreed = run("agreements", "list", "-f", "json")[0]["key"]
    run("agreements", "deliver", agreed)
    assert run("koc", "exit", "K1", "-f", "json")["next"] == "settle"
    assert "写一句话" in run("koc", "exit", "K1", "--waive", payment["key"], code=1)
    run("koc", "exit", "K1", "--waive", payment["key"], "--reason", "本人不收")
    assert "没有未了的" in run("koc", "exit", "K1", "--waive", "zzzz", "--reason", "x", code=1)
    run("koc", "exit", "K1", "--waive", agreed, "--reason", "本人不收")
    assert "继续聆听" in run("koc", "exit", "K1", "--finish", "--by", "小王")
    shown = run("koc", "show", "K1", "-f", "json")
    assert (shown["koc"]["standing"], shown["koc"]["title"], shown["changes"][-1]["via"]) == ("alumni", "荣誉体验官", "exit")
    board = run("koc", "list", "-f", "json")  # on the board, watched on
    assert [(one["koc_id"], one["standing"]) for one in board] == [("K1", "alumni"), ("K2", "active")]
    assert "荣誉" in run("koc", "list")
    clock.move_to(datetime(2026, 7, 1, 2, tzinfo=UTC))
    assert run("promises", "remind", "-f", "json") == []
    assert alerts_in(folder) == []
    assert "已经有序退出" in run("koc", "exit", "K1", "--asked-by", "koc", code=1)
    run("koc", "set", "K1", "--standing", "active", "--reason", "回来了")
    run("koc", "exit", "K1", "--asked-by", "brand")
    run("koc", "exit", "K1", "--stop", "--reason", "误会")
    assert run("koc", "exit", "K1", "-f", "json")["progress"] == "none"


def test_what_cuts_the_end_of_an_exit_short_leaves_nothing_half_done(run: Run, folder: Path) -> None:
    for words in (("--asked-by", "koc"), ("--thanks", "谢谢"), ("--title", "荣誉体验官")):
        run("koc", "exit", "K1", *words)
    cut = "CREATE TRIGGER cut BEFORE UPDATE ON kocs BEGIN SELECT RAISE(ABORT, 'power cut'); END"
    with sqlite3.connect(folder / "listener.db") as database:
        database.execute(cut)
    run("koc", "exit", "K1", "--finish", code=1)
    with App.open(folder / "listener.toml", {}) as app:
        assert [one.kind for one in app.store.ledger.entries(koc="K1")][-1] == "exit-title"
    with sqlite3.connect(folder / "listener.db") as database:
        database.execute("DROP TRIGGER cut")
    run("koc", "exit", "K1", "--finish")
    assert run("koc", "show", "K1", "-f", "json")["koc"]["standing"] == "alumni"
