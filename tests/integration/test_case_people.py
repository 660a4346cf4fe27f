"""Who may own a case, and what a command on it says: the real commands on a small workspace."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from listener.app import App
from listener.cli import run
from listener.text.discretion import alias_of
from listener.workspace import create
from storage.store import Store
from tests.stored import BRAND, koc, watch_all

Said = Callable[..., str]
PEOPLE = """
[[channels]]
name = "mail"
type = "email"
host = "127.0.0.1"
sender = "a@b.example"
to = ["c@d.example"]
[[people]]
name = "王敏"
channels = ["mail"]
[[people]]
name = "李雷"
channels = ["mail"]
"""


@pytest.fixture
def said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Said:
    """Runs a command of a workspace with a KOC; gives what it said, both ways."""
    settings = create(tmp_path)
    settings.write_text(settings.read_text("utf-8") + f'[[brands]]\nname = "{BRAND}"\n', "utf-8")
    with Store.open(f"sqlite:///{tmp_path / 'listener.db'}") as store:
        store.save_kocs([koc("k1", "a1")])
        watch_all(store, brands=(BRAND,))

    def call(*words: str, code: int = 0) -> str:
        assert run(["-c", str(settings), *words]) == code
        answer = capsys.readouterr()
        return answer.out + answer.err.replace("\n", "")

    return call


def opened(said: Said) -> str:
    """A care visit, opened by hand; the beginning of its key."""
    return str(json.loads(said("cases", "open", "k1", "--reason", "有两周没联系", "-f", "json"))[0]["key"][:12])


def stored(said: Said, key: str) -> dict[str, Any]:
    return dict(json.loads(said("cases", "show", key, "-f", "json"))[0])


def with_people(tmp_path: Path) -> None:
    settings = tmp_path / "listener.toml"
    settings.write_text(settings.read_text("utf-8") + PEOPLE, "utf-8")


def test_a_name_that_nobody_of_the_team_has_owns_no_case(said: Said, tmp_path: Path) -> None:
    key = opened(said)
    with_people(tmp_path)
    for words in (
        ("take", key, "--to", "王民", "--by", "李雷"),
        ("take", key, "--by", "王民"),
        ("share", key, "王敏", "王民", "--by", "李雷"),
        ("approve", key, "--by", "王民"),
        ("step", key, "--note", "打了电话", "--by", "王民"),
    ):
        told = said("cases", *words, code=1)
        assert "'王民'" in told, words
        assert "王敏、李雷" in told, "it names who there is"
        assert "[[people]]" in told, "it names the way out"
        assert "nobody of [[people]] is called '王民'; there are: 王敏, 李雷" in told
    untouched = stored(said, key)
    assert (untouched["owner"], untouched["members"], len(untouched["log"])) == ("", [], 1)
    said("cases", "take", key, "--to", " 王 敏", "--by", "李雷")
    said("cases", "share", key, "李雷", "--by", "王敏")
    taken = stored(said, key)
    assert (taken["owner"], taken["members"]) == ("王敏", ["李雷"]), "as the settings write the name"


def test_where_no_people_are_configured_every_name_will_do(said: Said) -> None:
    key = opened(said)
    said("cases", "take", key, "--to", "小周", "--by", "阿宁")
    said("cases", "share", key, "阿宁", "--by", "小周")
    assert stored(said, key)["owner"] == "小周"


def test_a_step_tells_what_was_written_and_the_next_one_not_the_whole_page(said: Said) -> None:
    key = opened(said)
    told = said("cases", "step", key, "--note", "打了电话，他说瓶盖漏", "--by", "阿宁")
    assert "✓ 关怀回访" in told
    assert "接手 阿宁" in told
    assert "打了电话，他说瓶盖漏" in told
    assert f"$ listener cases step {key} fix" in told, "the next step, with its command"
    assert f"listener cases show {key}" in told
    for head in ("发生了什么", "时钟", "步骤", "记录"):
        assert head in said("cases", "show", key)
        assert head not in told
    told = said("cases", "verdict", key, "mild", "--note", "只是建议", "--by", "阿宁")
    assert "温和批评" in told
    assert "已结案" in told
    assert f"listener cases reopen {key} --reason …" in told
    assert "--reason" in said("cases", "reopen", key, "--by", "阿宁", code=1)
    assert "又有人提到" in said("cases", "reopen", key, "--reason", "又有人提到", "--by", "阿宁")
    said("cases", "urgent", key, "--note", "瓶身炸裂", "--by", "阿宁")


def test_options_go_by_one_name_and_the_old_ones_still_do(said: Said) -> None:
    key = opened(said)
    said("cases", "take", key, "--who", "阿宁")
    assert stored(said, key)["owner"] == "阿宁"
    said("koc", "set", "k1", "--tier", "S", "--why", "季度评估")
    assert "季度评估" in said("koc", "history", "k1")
    for words in (("cases", "take"), ("alerts", "ack"), ("alerts", "mute"), ("promises", "move"), ("koc", "exit")):
        told = said(*words, "--help")
        assert "--by" in told, words
        assert "--who" not in told, words
        assert "--why" not in told, words


def test_what_a_koc_is_called_abroad_is_known_at_home(said: Said, tmp_path: Path) -> None:
    with App.open(tmp_path / "listener.toml", {}) as app:
        alias = alias_of(app.key, "k1")
    assert "k1" in said("koc", "show", alias)
    assert "k1" in said("explain", alias)
    assert "KOC-0000000000" in said("explain", "KOC-0000000000", code=2)


def test_names_stand_where_ids_did_and_the_next_command_is_named(said: Said) -> None:
    day = f"{datetime.now(UTC) + timedelta(days=9):%Y-%m-%d}"
    said("alerts", "mute", "--koc", "k1", "--kind", "silence", "--until", day, "--reason", "出差")
    told = said("alerts", "mutes")
    assert "某k1" in told
    assert "久未提及" in told
    assert json.loads(said("alerts", "mutes", "-f", "json"))[0]["koc_id"] == "k1"
    assert "$ listener koc exit k1 --asked-by koc|brand" in said("koc", "exit", "k1")
    assert "$ listener koc exit k1 --thanks …" in said("koc", "exit", "k1", "--asked-by", "koc")
    said("promises", "add", "k1", "--what", "寄样", "--due", day)
    key = json.loads(said("promises", "list", "-f", "json"))[0]["key"]
    settle = said("koc", "exit", "k1", "--thanks", "谢谢")
    assert f"$ listener promises keep {key}" in settle
    assert f"$ listener koc exit k1 --waive {key} --reason …" in settle
    assert "$ listener koc exit k1 --title …" in said("koc", "exit", "k1", "--waive", key, "--reason", "本人不要")
    assert "$ listener koc exit k1 --finish" in said("koc", "exit", "k1", "--title", "荣誉体验官")


def test_a_key_that_is_none_is_told_from_one_that_is_too_short_and_one_of_several(said: Said) -> None:
    for what in ("寄样", "回访"):
        said("promises", "add", "k1", "--what", what, "--due", "2099-01-01")
    known = [one["key"] for one in json.loads(said("promises", "list", "-f", "json"))]
    told = said("promises", "keep", "zzzz", code=1)
    assert "没有以 'zzzz' 开头的" in told
    assert all(key in told for key in known)
    assert "至少写 4 位" in said("promises", "keep", "zzz", code=1)


def test_the_log_of_a_case_says_who_was_added_and_how_it_was_taken(said: Said) -> None:
    key = opened(said)
    said("cases", "share", key, "李雷", "王敏", "--by", "阿宁")
    said("cases", "react", key, "部分满意", "--by", "阿宁")
    log = said("cases", "show", key).partition("记录\n")[2]
    assert "李雷、王敏" in log
    assert "部分满意" in log
    assert "还没有联系记录：listener koc contact k1 --note …" in said("koc", "show", "k1")
