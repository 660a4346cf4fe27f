"""`listener start`: five questions or five options, then what the history shows; nothing is sent."""

from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path

import pytest
from rich.console import Console

from config.settings import ConfigError
from listener import start
from listener.demo.compose import compose

NAMES = "栗川，小栗家、云朵机, 早八机，小灶锅，栗磨"


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the season as an export (with one bad line) and a roster with a row that has no account."""
    folder = tmp_path_factory.mktemp("资料 material")
    season = compose(date.today())
    heard = [item for item in season.items if item.platform != "xiaohongshu"]
    lines = [
        json.dumps(
            {
                "platform": item.platform,
                "post_id": item.post_id,
                "author_id": item.author_id,
                "author_name": item.author_name,
                "posted_at": item.posted_at.isoformat(),
                "text": item.text,
                "kind": item.kind,
                "parent_id": item.parent_id,
            },
            ensure_ascii=False,
        )
        for item in heard
    ]
    (folder / "内容.jsonl").write_text("\n".join([*lines, '{"post_id": "1"}']) + "\n", encoding="utf-8")
    rows = ["编号,昵称,平台,账号ID,对接人,等级"]
    rows += [
        f"{p.koc_id},{p.name},{place},{account},{p.owner},{p.tier}" for p in season.people for place, account in p.accounts
    ]
    (folder / "名单.csv").write_text("\n".join([*rows, "K99,没账号的人,微博,,林溪,C"]) + "\n", encoding="gb18030")
    return folder


def listener(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command, run from a folder as a person would."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("LISTENER_")} | {"COLUMNS": "100", "PYTHONUTF8": "1"}
    command = [sys.executable, "-m", "listener", *words]
    return subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, timeout=180, stdin=subprocess.DEVNULL
    )


@pytest.fixture(scope="module")
def started(material: Path) -> tuple[Path, str]:
    """A workspace made by options alone, and what was told on the way."""
    folder = material / "工作区 ws"
    options = [
        "--brand",
        NAMES,
        "--rivals",
        "鲸渡",
        "--roster",
        "名单.csv",
        "--posts",
        "内容.jsonl",
        "--send-to",
        "pr@example.com",
    ]
    done = listener(material, "start", str(folder), *options)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def test_the_history_shows_what_it_matched_and_what_was_set_aside(started: tuple[Path, str]) -> None:
    _, told = started
    assert "43 位 KOC，44 个账号" in told
    assert "1 行，原因见" in told


def test_what_is_covered_is_told_by_platform(started: tuple[Path, str]) -> None:
    _, told = started
    rows = {line.split()[0]: line for line in told.splitlines() if "/" in line and line.split()}
    assert "可自动抓取" in rows["微博"]
    assert "只能导入" in rows["kitchenforum"]
    assert "未覆盖" in rows["小红书"]
    assert "没账号的人" in told


def test_alerts_are_told_with_quotes_and_nothing_is_sent(started: tuple[Path, str]) -> None:
    folder, told = started
    assert "红色预警" in told
    assert "▼" in told
    alerts = listener(folder, "alerts", "--format", "jsonl").stdout.splitlines()
    assert {json.loads(line)["koc_id"] for line in alerts} >= {"K28", "K19"}
    assert "已送达 0" in listener(folder, "deliver").stdout


def test_who_lacks_posts_is_told_with_how_many(started: tuple[Path, str]) -> None:
    _, told = started
    assert "还差 2 条" in told
    assert any("还差 8 条" in line and "薯条蘸冰淇淋" in line for line in told.splitlines())


def test_source_and_channel_are_written_down_and_switched_off(started: tuple[Path, str]) -> None:
    folder, _ = started
    settings = tomllib.loads((folder / "listener.toml").read_text(encoding="utf-8"))
    assert settings["brands"][0]["rivals"] == [{"name": "鲸渡"}]
    assert [(s["platform"], s["enabled"], s["accounts"]) for s in settings["sources"]] == [("weibo", False, "roster")]
    assert [(c["type"], c["enabled"], c["to"]) for c in settings["channels"]] == [("email", False, ["pr@example.com"])]
    assert listener(folder, "check").returncode == 0


def test_starting_again_goes_on_with_the_same_workspace(material: Path, started: tuple[Path, str]) -> None:
    folder, _ = started
    again = listener(material, "start", str(folder), "--brand", "栗川，小栗家，云朵机，早八机，小灶锅，栗磨，Lichuan")
    assert again.returncode == 0, again.stderr
    assert "还没有：listener import" in again.stdout
    assert "43 位" not in again.stdout
    assert "Lichuan" in (folder / "listener.toml").read_text(encoding="utf-8")


def test_without_a_brand_and_without_a_terminal_it_says_what_is_wanted(tmp_path: Path) -> None:
    done = listener(tmp_path, "start", "ws")
    assert done.returncode == 2
    assert "--brand" in done.stderr
    assert not (tmp_path / "ws").exists()


def test_a_file_that_is_not_there_is_wrong_use_and_leaves_nothing_behind(tmp_path: Path) -> None:
    done = listener(tmp_path, "start", "ws", "--brand", "栗川", "--posts", "没有.jsonl")
    assert done.returncode == 2
    assert "没有这个文件" in done.stderr
    assert not (tmp_path / "ws").exists()


def test_a_webhook_is_signed_with_a_secret_that_only_its_owner_reads(tmp_path: Path) -> None:
    done = listener(tmp_path, "start", "ws", "--brand", "栗川", "--send-to", "https://hooks.example.com/koc")
    assert done.returncode == 0, done.stderr
    secret = tmp_path / "ws" / "webhook.secret"
    assert secret.read_text(encoding="ascii").startswith("whsec_")
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert listener(tmp_path / "ws", "check").returncode == 0


# ------------------------------------------------------------------------------------------ questions, in this process


def answers_to(monkeypatch: pytest.MonkeyPatch, typed: list[str], **given: str) -> tuple[start.Answers, str]:
    """What the questions make of typed lines, and what they print."""
    lines = iter(typed)
    monkeypatch.setattr("builtins.input", lambda *_: next(lines))
    out = io.StringIO()
    every = dict.fromkeys(("brand", "rivals", "roster", "posts", "send_to")) | given
    return start.asked(Console(file=out, width=100), every, is_interactive=True), out.getvalue()


def test_there_are_five_questions_and_enter_skips_all_but_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    answers, printed = answers_to(monkeypatch, ["栗川，小栗家", "", "", "", ""])
    assert answers == start.Answers(("栗川", "小栗家"), (), None, None, "")
    assert "最多 5 个问题" in printed


def test_what_was_given_as_an_option_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    answers, printed = answers_to(monkeypatch, ["鲸渡", "", ""], brand="栗川", send_to="")
    assert answers.rivals == ("鲸渡",)
    assert "最多 3 个问题" in printed


def test_an_answer_that_cannot_be_used_is_asked_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "内容 posts.jsonl"
    file.touch()
    typed = ["", "栗川", "", "没有.csv", "", f"'{file}'", "不是邮箱", "pr@example.com"]
    answers, printed = answers_to(monkeypatch, typed)
    assert answers.posts == file
    assert answers.send_to == "pr@example.com"
    assert "至少要有品牌名" in printed
    assert "没有这个文件" in printed
    assert "既不是邮箱也不是网址" in printed


def test_an_option_that_cannot_be_used_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="neither a mail address"):
        start.asked(
            Console(file=io.StringIO()),
            {"brand": "栗川", "rivals": None, "roster": None, "posts": None, "send_to": "微信"},
            is_interactive=False,
        )
