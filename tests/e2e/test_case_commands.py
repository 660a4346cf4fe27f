"""Cases as a person leads them, by the real commands: each variant to its end, the guard rail, drafts, the pack, the audit."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import time_machine

from listener.cli import run
from tests.e2e.test_commands import write_season

LINK = "https://weibo.example/p/1"
STRANGER = {
    "platform": "weibo", "post_id": "路人1", "author_id": "555", "author_name": "路人甲", "url": "https://weibo.example/555/a",
    "posted_at": "2026-03-01T08:00:00+08:00", "seen_at": "2026-03-01T09:00:00+08:00",
    "text": "=cmd|calc 栗川的空气炸锅太差了，充电时冒烟，再也不买，@小明 也坏了<script>alert(1)</script>",
}  # fmt: skip
Listener = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the demo's season imported."""
    folder = tmp_path_factory.mktemp("处 置")
    write_season(folder)
    (folder / "stranger.jsonl").write_text(json.dumps(STRANGER, ensure_ascii=False) + "\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in [n for n in os.environ if n.startswith("LISTENER_")]:
            patch.delenv(name)
        for words in (
            ["init", "."],
            ["brand", "import", "brand.json"],
            ["koc", "import", "roster.csv"],
            ["import", "items.jsonl.gz", "stranger.jsonl"],
        ):
            assert run(words) == 0
    return folder


@pytest.fixture
def listener(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Listener:
    """Runs a command in the workspace; gives (exit code, stdout, stderr)."""
    monkeypatch.chdir(folder)

    def call(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(words)
        said = capsys.readouterr()
        return code, said.out, said.err.replace("\n", "")

    return call


def rows(listener: Listener, *words: str) -> list[dict[str, Any]]:
    code, out, _ = listener(*words, "-f", "jsonl")
    assert code == 0
    return [json.loads(line) for line in out.splitlines()]


def an_open_one(listener: Listener, variant: str) -> str:
    """A case of that variant that nobody has touched."""
    every = rows(listener, "cases", "list")
    found = [row for row in every if row["variant"] == variant and row["koc_id"] and not row["owner"] and not row["urgent"]]
    return str(found[0]["key"][:10])


def stored(listener: Listener, key: str) -> dict[str, Any]:
    [row] = rows(listener, "cases", "show", key)
    return row


def test_a_public_case_is_led_from_its_alert_to_its_end(listener: Listener, folder: Path) -> None:
    key = an_open_one(listener, "public")
    code, shown, _ = listener("cases", "show", key)
    assert code == 0
    for words in (
        "发生了什么",
        "首条负面 → 发现",
        "发现 → 响应  还没有响应",
        "▶ 公开致谢",
        "现在该做",
        "不要",
        f"$ listener cases draft {key}",
    ):
        assert words in shown
    command = re.search(r"\$ (listener cases step \S+ acknowledge)", shown)
    assert command, "it names the very command"

    before = stored(listener, key)
    code, out, told = listener("cases", "step", key, "--note", "先让他把帖子删掉", "--by", "阿宁")
    assert (code, out) == (1, "")
    assert "不能写：「先让他把帖子删掉」" in told
    assert "原帖留着，在它下面公开致谢" in told
    assert stored(listener, key) == before, "nothing was written"

    code, draft, warned = listener("cases", "draft", key)
    assert code == 0
    assert "谢谢" in draft
    assert "【请填" in draft
    assert "由人发出" in warned
    (folder / "回复.txt").write_text(draft.replace("【请填：最晚哪天】", "5 月 8 日"), encoding="utf-8")
    done = ["cases", "step", key, "公开致谢", "--reply-file", "回复.txt", "--link", LINK, "--by", "阿宁"]
    assert listener("cases", "take", key, "--to", "小周", "--by", "阿宁")[0] == 0
    assert "阿宁 接手  → 小周" in listener("cases", "show", key)[1], "the log says whom it was given to"
    assert listener("cases", "take", key, "--by", "阿宁")[0] == 0
    assert listener(*done)[0] == 0
    code, _, told = listener("cases", "step", key, "close", "--by", "阿宁")
    assert code == 1
    assert "「结案」还没轮到，现在该做「转责任部门」（route）" in told
    assert listener("cases", "step", key, "route", "--note", "客服部，周五前", "--by", "阿宁")[0] == 0
    assert listener("cases", "step", key, "verify", "--note", "属实：三次未回访", "--by", "小李")[0] == 0
    assert listener("cases", "step", key, "resolve", "--note", "退款并更换", "--by", "阿宁")[0] == 0
    assert "属实：三次未回访" in listener("cases", "draft", key)[1]
    code, _, told = listener("cases", "step", key, "follow-up", "--note", "已公开说明", "--by", "阿宁")
    assert code == 1
    assert "公开跟进要附上链接" in told
    assert (
        listener(
            "cases", "step", key, "follow-up", "--note", "已公开说明", "--link", LINK, "--tick", "措施,期限", "--by", "阿宁"
        )[0]
        == 0
    )
    assert listener("cases", "react", key, "满意", "--note", "他说：还行，算你们有诚意")[0] == 0
    code, shown, _ = listener("cases", "step", key, "--by", "阿宁")
    assert code == 0
    assert "已结案" in shown
    after = stored(listener, key)
    with sqlite3.connect(folder / "listener.db") as db:
        heard = dict(db.execute("SELECT alert_key, who FROM acknowledgements"))
    assert {heard.get(alert) for alert in after["alerts"]} == {"阿宁"}, "whoever takes a case has heard of its alerts"
    assert (after["state"], after["owner"], after["reaction"], after["answered_on_time"]) == (
        "closed",
        "阿宁",
        "satisfied",
        True,
    )
    people = [one["step"] for one in after["log"] if one["who"] != "listener"]
    assert people[:3] == ["take", "take", "acknowledge"]
    assert listener("cases", "note", key, "--note", "应为四次未回访", "--corrects", "2", "--by", "小李")[0] == 0
    assert listener("cases", "reopen", key, "--note", "又有人说同样的问题", "--by", "阿宁")[0] == 0
    assert stored(listener, key)["next_step"] == "verify"


def test_a_private_case_is_opened_by_hand_and_led_to_its_end(listener: Listener) -> None:
    busy = {row["koc_id"] for row in rows(listener, "cases", "list", "--all")}
    koc = next(row["koc_id"] for row in rows(listener, "koc", "list") if row["koc_id"] not in busy)
    assert listener("cases", "open", koc, "--variant", "private", "--by", "阿宁")[0] == 1
    code, out, _ = listener(
        "cases", "open", koc, "--variant", "private", "--reason", "群里有人说泵头漏", "--by", "阿宁", "-f", "jsonl"
    )
    assert code == 0
    key = json.loads(out)["key"][:10]
    code, _, told = listener("cases", "open", koc, "--reason", "再来", "--by", "阿宁")
    assert (code, key in told) == (1, True)
    assert listener("cases", "take", key, "--by", "周宁")[0] == 0
    assert listener("cases", "share", key, "法务李", "--by", "周宁")[0] == 0
    for step, note in (("thank", "群里谢过"), ("support", "私下聊了"), ("resolve", "补寄泵头"), ("publish", "群里公布")):
        assert listener("cases", "draft", key, "--step", step)[0] == 0
        assert listener("cases", "step", key, step, "--note", note, "--by", "周宁")[0] == 0
    assert listener("cases", "step", key, "close", "--by", "周宁")[0] == 0
    row = stored(listener, key)
    assert (row["state"], row["members"], row["owner"]) == ("closed", ["法务李"], "周宁")


def test_a_care_visit_asks_and_never_speaks_of_monitoring(listener: Listener) -> None:
    key = an_open_one(listener, "care")
    shown = listener("cases", "show", key)[1]
    assert "不提监测、评分或预警" in shown
    draft = listener("cases", "draft", key)[1]
    assert not re.search("监测|评分|预警|系统|分数", draft)
    code, _, told = listener("cases", "step", key, "contact", "--reply", "系统发现您最近不活跃", "--by", "周宁")
    assert code == 1
    assert "监测、评分或预警" in told
    for step in ("contact", "fix", "record", "close"):
        assert listener("cases", "step", key, step, "--note", "聊了近况" if step != "close" else "", "--by", "周宁")[0] == 0
    assert stored(listener, key)["state"] == "closed"


def test_legal_needs_verifying_a_reason_and_a_second_person_and_verdicts_become_marks(listener: Listener) -> None:
    key = an_open_one(listener, "public")
    ask = ["cases", "verdict", key, "转法务", "--reason", "冒充", "--note", "账号冒充我们的客服", "--by", "阿宁"]
    assert listener(*ask)[0] == 1
    for step in ("acknowledge", "route", "verify"):
        assert listener("cases", "step", key, step, "--note", "做了", "--by", "阿宁")[0] == 0
    assert listener(*ask)[0] == 0
    assert "要另一个人批准" in listener("cases", "show", key)[1]
    assert listener("cases", "approve", key, "--by", "阿宁")[0] == 1
    assert listener("cases", "approve", key, "--by", "王总")[0] == 0
    assert stored(listener, key)["verdict"] == "legal"

    mild = an_open_one(listener, "public")
    about = stored(listener, mild)["koc_id"]
    alerts, about_these = rows(listener, "alerts", "--history"), stored(listener, mild)["alerts"]
    fired = next(row["fired_at"] for row in alerts if row["key"] in about_these and row["kind"] == "drift")
    assert listener("koc", "mark", about, "--turned", fired[:10], "--by", "李")[0] == 0
    (other,) = rows(listener, "koc", "marks", about)
    code, _, err = listener("cases", "verdict", mild, "误报", "--note", "只是玩梗", "--by", "阿宁")
    assert code == 0
    assert f"与 李 的标记相反，撤回其一：listener koc mark --take-back {other['key']}" in err
    assert listener("koc", "mark", "--take-back", other["key"], "--by", "李")[0] == 0
    marks = rows(listener, "koc", "marks", about)
    assert marks
    assert {mark["kind"] for mark in marks} == {"false-alarm"}
    assert {mark["who"] for mark in marks} == {"阿宁"}


def test_a_post_of_a_stranger_has_a_case_about_the_post_and_no_person(listener: Listener, folder: Path) -> None:
    platform, post_id, url = STRANGER["platform"], STRANGER["post_id"], STRANGER["url"]
    code, out, _ = listener("cases", "open", "--post", url, "--reason", "路人长文，转发很多", "--by", "阿宁", "-f", "jsonl")
    assert code == 0
    row = json.loads(out)
    assert (row["koc_id"], row["post"], row["variant"], len(row["posts"])) == ("", f"{platform}:{post_id}", "public", 1)
    assert listener("cases", "open", "--post", f"{platform}:{post_id}", "--reason", "又", "--by", "阿宁")[0] == 1
    assert listener("cases", "open", "--post", "https://nowhere.example/1", "--reason", "x", "--by", "阿宁")[0] == 1
    assert listener("cases", "pack", row["key"][:10], "--out", "路人.zip", "--by", "法务李")[0] == 0
    with zipfile.ZipFile(folder / "路人.zip") as packed:
        assert not [name for name in packed.namelist() if name.startswith("raw/")]
        table = list(csv.DictReader(io.StringIO(packed.read("内容.csv").decode("utf-8-sig"))))
        page = packed.read("index.html").decode()
        every = b"".join(packed.read(name) for name in packed.namelist()).decode()
    assert table[0]["作者"] == "名单外作者 1"
    assert table[0]["首次看到"] == "2026-03-01T09:00:00+08:00"
    assert "不导出" in table[0]["原始记录"]
    assert table[0]["首见文本"].startswith("'=cmd|calc"), "no spreadsheet takes it for a formula"
    assert "<script>" not in page
    assert "路人甲" not in every
    assert "小明" not in every


def test_the_pack_holds_what_is_known_with_sums_that_fit_and_the_same_state_makes_the_same_bytes(
    listener: Listener, folder: Path
) -> None:
    key = an_open_one(listener, "public")
    assert listener("cases", "pack", key, "--out", "一.zip", "--by", "法务李")[0] == 0
    assert listener("cases", "pack", key, "--out", "一.zip", "--by", "法务李")[0] == 1, "no file is overwritten"
    (folder / "二.zip").touch(mode=0o644)
    assert listener("cases", "pack", key, "--out", "二.zip", "--force", "--by", "王总")[0] == 0
    assert (folder / "二.zip").stat().st_mode & 0o077 == 0, "nor is one left open to others that was there before"
    assert listener("cases", "pack", key, "--out", "没有/三.zip", "--by", "无名")[0] == 1
    assert not list(folder.glob(".case-*"))
    assert (folder / "一.zip").read_bytes() == (folder / "二.zip").read_bytes()
    assert (folder / "一.zip").stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(folder / "一.zip") as packed:
        files = {name: packed.read(name) for name in packed.namelist()}
    assert all(data.decode("utf-8-sig").strip() for name, data in files.items() if name.endswith(".csv")), "no table is blank"
    sums = dict(reversed(line.split("  ", 1)) for line in files.pop("SHA256SUMS").decode().splitlines())  # type: ignore[arg-type,misc]
    assert sums == {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    page = files["index.html"].decode()
    assert "这是线索留存，不是公证证据" in page
    assert "http-equiv" in page
    table = list(csv.DictReader(io.StringIO(files["内容.csv"].decode("utf-8-sig"))))
    assert len(table) == len(stored(listener, key)["posts"])
    assert {row["首次看到"] == row["发布时间"] for row in table} == {False}, "what an import does not say is not made up"
    for row in table:
        assert (
            row["首见文本"] in page.replace("&#39;", "'").replace("&#34;", '"').replace("&amp;", "&") or "'" in row["首见文本"]
        )
        if row["原始记录"].endswith(".json") and ".masked." not in row["原始记录"]:
            assert sums[row["原始记录"]] == row["原始记录 SHA-256"]
    taken = [one for one in stored(listener, key)["log"] if one["step"] == "pack"]
    assert [one["who"] for one in taken] == ["法务李", "王总"]
    assert taken[0]["data"]["sha256"] == hashlib.sha256((folder / "一.zip").read_bytes()).hexdigest()


def test_the_audit_finds_what_somebody_did_behind_the_programs_back(listener: Listener, folder: Path) -> None:
    code, out, _ = listener("cases", "audit", "-f", "jsonl")
    assert code == 0
    first = json.loads(out.splitlines()[0])
    assert listener("cases", "audit", "--expect", first["head"])[0] == 0
    assert listener("cases", "audit", "--expect", "0" * 64)[0] == 1
    with sqlite3.connect(folder / "listener.db") as db, pytest.raises(sqlite3.Error, match="only added"):
        db.execute("UPDATE case_steps SET note = 'nothing'")
    copy = folder / "copy.db"
    copy.write_bytes(b"")
    with sqlite3.connect(folder / "listener.db") as source, sqlite3.connect(copy) as target:
        source.backup(target)
        target.execute("DROP TRIGGER only_added_case_steps_update")
        target.execute("UPDATE case_steps SET who = 'somebody else' WHERE id = (SELECT min(id) FROM case_steps)")
    os.environ["LISTENER_DATABASE"] = f"sqlite:///{copy}"
    try:
        code, out, _ = listener("cases", "audit")
    finally:
        del os.environ["LISTENER_DATABASE"]
    assert code == 1
    assert "被改过" in out


def test_who_waits_too_long_is_told_once_and_cron_can_ask(listener: Listener) -> None:
    opened = rows(listener, "cases", "list")
    assert listener("cases", "list", "--check")[0] == 0
    with time_machine.travel(max(row["due_at"] for row in opened), tick=False) as clock:
        clock.shift(60)
        assert listener("cases", "list", "--overdue", "--check")[0] == 1
        assert listener("promises", "remind")[0] == 0
        told = [row for row in rows(listener, "alerts") if row["kind"] == "case-due"]
        assert {row["evidence"]["case"] for row in told} == {row["key"] for row in rows(listener, "cases", "list")}
        assert {row["evidence"]["stage"] for row in told} <= {"urgent", "overdue", "long-overdue"}
        marked = [row for row in rows(listener, "cases", "list") if row["post"] and row["urgent"]]
        assert [one["note"] for row in marked for one in stored(listener, row["key"])["log"] if one["step"] == "urgent"] == [
            "冒烟"
        ]
        assert listener("promises", "remind")[0] == 0
        again = [row for row in rows(listener, "alerts") if row["kind"] == "case-due"]
        assert [row["key"] for row in again] == [row["key"] for row in told]
        assert "处置到期" in listener("alerts")[1] or "已过期" in listener("alerts")[1]


def test_an_accident_is_urgent_until_somebody_says_that_it_was_none(listener: Listener) -> None:
    key = an_open_one(listener, "public")
    assert listener("cases", "urgent", key, "--by", "阿宁")[0] == 1
    assert listener("cases", "urgent", key, "--note", "充电时冒烟", "--by", "阿宁")[0] == 0
    assert rows(listener, "cases", "list")[0]["key"].startswith(key), "it comes first"
    assert "安全/质量事故" in listener("cases", "show", key)[1]
    assert listener("promises", "remind")[0] == 0
    [told] = [row for row in rows(listener, "alerts") if row["kind"] == "case-due" and row["evidence"]["case"].startswith(key)]
    assert (told["severity"], told["evidence"]["stage"]) == ("urgent", "urgent")
    assert listener("cases", "urgent", key, "--off", "--note", "核实：是蒸汽", "--by", "阿宁")[0] == 0
    assert not stored(listener, key)["urgent"]


def test_the_report_counts_what_was_done(listener: Listener) -> None:
    code, out, _ = listener("cases", "report", "-f", "json")
    assert code == 0
    row = json.loads(out)
    assert row["cases"] == len(rows(listener, "cases", "list", "--all"))
    assert row["verdicts"]["steps"] >= 1
    assert row["answered_on_time"]["n"] >= 1
    assert row["reactions"] == {"satisfied": 1}
    assert "发现 → 响应" in listener("cases", "report")[1]
    assert listener("cases", "report", "--since", "2100-01-01", "-f", "json")[0] == 0


def test_what_nobody_knows_is_told_with_what_there_is(listener: Listener) -> None:
    for words, told in (
        (("cases", "show", "zzzz"), "没有以 'zzzz' 开头的处置单"),
        (("cases", "show", "a"), "至少 4 位"),
        (("cases", "show", ""), "没有以"),
    ):
        code, _, error = listener(*words)
        assert (code, told in error) == (1, True), error
    key = an_open_one(listener, "public")
    code, _, error = listener("cases", "step", key, "delete-post", "--note", "x")
    assert code == 2
    assert "acknowledge（公开致谢）" in error.replace(" ", "").replace("│", "")
    assert listener("cases", "verdict", key, "ignored", "--note", "x")[0] == 2
    assert listener("cases", "draft", key, "--language", "fr")[0] == 2
    assert listener("cases")[0] == 0


def test_every_step_where_something_is_said_has_a_draft_in_both_languages(listener: Listener) -> None:
    steps = {
        "public": ("acknowledge", "route", "verify", "resolve", "follow-up"),
        "private": ("thank", "support", "publish", "resolve"),
        "care": ("contact", "fix", "record"),
    }
    found = {row["variant"]: row["key"][:10] for row in rows(listener, "cases", "list", "--all")}
    assert set(found) == set(steps)
    for variant, names in steps.items():
        for step in names:
            for language in ("zh-CN", "en"):
                code, draft, _ = listener("cases", "draft", found[variant], "--step", step, "--language", language)
                assert code == 0, step
                assert ("【请填" in draft) is (language == "zh-CN" and "【请填" in draft)
                assert "{{" not in draft
                assert "None" not in draft
                assert not re.search(r"监测|评分|预警|舆情|转黑|\bmonitor|\bscore|\balert", draft), draft
    assert listener("cases", "draft", found["care"], "--step", "acknowledge")[0] == 1


def test_what_was_promised_and_found_stands_in_the_draft(listener: Listener) -> None:
    key = an_open_one(listener, "public")
    koc = stored(listener, key)["koc_id"]
    assert listener("promises", "add", koc, "--what", "寄新底座", "--due", "2030-06-10", "--by", "阿宁")[0] == 0
    for step, note in (("acknowledge", "谢过"), ("route", "品控"), ("verify", "系统显示他投诉三次"), ("resolve", "换新底座")):
        assert listener("cases", "step", key, step, "--note", note, "--by", "阿宁")[0] == 0
    draft = listener("cases", "draft", key)[1]
    assert "「寄新底座」，2030年6月10日 前办好" in draft
    assert "换新底座" in draft
    assert "系统显示" not in draft, "what was written for the team stays there"
    assert "寄新底座" in listener("cases", "show", key)[1]


def test_a_team_has_drafts_of_its_own_but_none_that_presses_or_speaks_of_monitoring(listener: Listener, folder: Path) -> None:
    settings, own = folder / "listener.toml", folder / "模板"
    own.mkdir()
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("[listener]\n", '[listener]\ntemplates = "模板"\n', 1), encoding="utf-8")
    key = an_open_one(listener, "public")
    try:
        file = own / "draft.acknowledge.txt.j2"
        file.write_text("{{ brand }}团队谢谢{{ who }}，{{ blank('日期') }}前答复\n", encoding="utf-8")
        code, draft, _ = listener("cases", "draft", key)
        assert (code, draft.startswith("栗川团队谢谢"), "【请填：日期】" in draft) == (0, True, True)
        for bad, told in (("请您尽快删除这条内容", "原帖留着"), ("我们的系统显示您的评分下降", "监测、评分或预警")):
            file.write_text(bad, encoding="utf-8")
            code, draft, error = listener("cases", "draft", key)
            assert (code, draft, told in error) == (1, "", True), error
        file.write_text("{{ nothing.of.this }}", encoding="utf-8")
        code, draft, error = listener("cases", "draft", key)
        assert code == 0
        assert "团队模板有错" in error
        assert "谢谢您把问题讲出来" in draft
    finally:
        settings.write_text(text, encoding="utf-8")
