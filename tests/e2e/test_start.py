"""`listener start`: five questions or five options, then what the history shows; nothing is sent."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import stat
import subprocess
import sys
import tomllib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from config.settings import ConfigError
from listener.demo.compose import compose
from listener.start.questions import Answers, asked
from tests.alerted import HOSTILE

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
    assert "没有到期的推送" in listener(folder, "deliver").stdout


def test_who_lacks_posts_is_told_with_how_many(started: tuple[Path, str]) -> None:
    _, told = started
    (unheard,) = [line for line in told.splitlines() if "还没有说起品牌" in line]
    assert "基线还差 3 条" in unheard
    assert "薯条蘸冰淇淋" in unheard
    assert len(re.findall(r"若转为负面，约 \d+ 条后", told.split("谁还差多少条")[1])) >= 12
    assert re.search(r"其余 \d+ 位：.*若转为负面，约 \d+–\d+ 条后会有红色预警", told)


def test_source_and_channel_are_written_down_and_switched_off(started: tuple[Path, str]) -> None:
    folder, _ = started
    settings = tomllib.loads((folder / "listener.toml").read_text(encoding="utf-8"))
    assert settings["brands"][0]["rivals"] == [{"name": "鲸渡"}]
    assert [(s["platform"], s["enabled"], s["accounts"]) for s in settings["sources"]] == [("weibo", False, "roster")]
    assert [(c["type"], c["enabled"], c["to"]) for c in settings["channels"]] == [("email", False, ["pr@example.com"])]
    assert listener(folder, "check").returncode == 0


def test_starting_again_adds_to_what_is_there_and_takes_nothing_away(material: Path, started: tuple[Path, str]) -> None:
    folder, _ = started
    before = tomllib.loads((folder / "listener.toml").read_text(encoding="utf-8"))
    again = listener(material, "start", str(folder), "--brand", "栗川", "--send-to", "pr@example.com")
    assert again.returncode == 0, again.stderr
    assert "还没有：listener import" in again.stdout
    assert "写好了" not in again.stdout
    assert tomllib.loads((folder / "listener.toml").read_text(encoding="utf-8")) == before
    more = listener(material, "start", str(folder), "--brand", "栗川，Lichuan，小栗家", "--rivals", "青禾")
    assert more.returncode == 0, more.stderr
    (brand,) = tomllib.loads((folder / "listener.toml").read_text(encoding="utf-8"))["brands"]
    assert brand["aliases"] == [*before["brands"][0]["aliases"], "Lichuan"]
    assert [one["name"] for one in brand["rivals"]] == ["鲸渡", "青禾"]


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


def test_the_address_and_the_key_of_a_webhook_stand_in_files_that_only_their_owner_reads(tmp_path: Path) -> None:
    address = "https://hooks.example.com/koc?token=t0p"
    done = listener(tmp_path, "start", "ws", "--brand", "栗川", "--send-to", address)
    assert done.returncode == 0, done.stderr
    secret, url = tmp_path / "ws" / "webhook.secret", tmp_path / "ws" / "hook.url.secret"
    assert secret.read_text(encoding="ascii").startswith("whsec_")
    assert url.read_text(encoding="utf-8").strip() == address
    assert [stat.S_IMODE(file.stat().st_mode) for file in (secret, url)] == [0o600, 0o600]
    assert "t0p" not in (tmp_path / "ws" / "listener.toml").read_text(encoding="utf-8") + done.stdout
    assert listener(tmp_path / "ws", "check").returncode == 0
    assert "渠道「hook」写好了" in done.stdout
    assert "来源「" not in done.stdout


def test_words_of_posts_and_rosters_are_neither_markup_nor_orders_to_the_terminal(tmp_path: Path) -> None:
    rows = [("K[/b]", f"小{HOSTILE}", "w1"), ("K2", "[red]红人", "w2")]
    with (tmp_path / "名单.csv").open("w", encoding="utf-8", newline="") as file:
        written = csv.writer(file)
        written.writerow(["编号", "昵称", "平台", "账号ID", "对接人"])
        written.writerows([koc, name.replace("\x00", ""), "weibo", account, "[/b]王"] for koc, name, account in rows)
    (tmp_path / "内容.jsonl").write_text("\n".join(json.dumps(one) for one in turning("w1")), encoding="utf-8")
    options = ["--brand", "栗川，[/i]", "--roster", "名单.csv", "--posts", "内容.jsonl"]
    done = listener(tmp_path, "start", "ws", *options)
    assert done.returncode == 0, done.stderr
    assert "红色预警" in done.stdout
    assert "[doge]" in done.stdout
    assert "[red]红人" in done.stdout
    assert not re.search(BAD_CHARACTERS, done.stdout)
    for words in (("explain", "K[/b]"), ("explain", "K2")):
        shown = listener(tmp_path / "ws", *words)
        assert shown.returncode == 0, shown.stderr
        assert not re.search(BAD_CHARACTERS, shown.stdout)
    assert "[/b]" in listener(tmp_path / "ws", "explain", "K[/b]").stdout
    unheard = listener(tmp_path / "ws", "explain", "K2").stdout
    assert "未覆盖 · 0 条提及" in unheard
    assert "观察中" not in unheard


BAD_CHARACTERS = "[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]"


def turning(author: str) -> list[dict[str, str]]:
    """Thirty posts of one who turns, each with words that would break a terminal."""
    good, bad = "栗川真好用，全家都喜欢", "栗川太差了，用三天就坏，客服不理人，再也不买了，大家别买"
    return [
        {
            "platform": "weibo",
            "post_id": f"{n}",
            "author_id": author,
            "author_name": "[/b]",
            "posted_at": (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=7 * n)).isoformat(),
            "text": f"{good if n < 15 else bad}[/b] [doge] {chr(0x4E00 + 97 * n) * 9} {HOSTILE}",
        }
        for n in range(30)
    ]


# ------------------------------------------------------------------------------------------ questions, in this process


def answers_to(monkeypatch: pytest.MonkeyPatch, typed: list[str], **given: str) -> tuple[Answers, str]:
    """What the questions make of typed lines, and what they print."""
    lines = iter(typed)
    monkeypatch.setattr("builtins.input", lambda *_: next(lines))
    out = io.StringIO()
    every = dict.fromkeys(("brand", "rivals", "roster", "posts", "send_to")) | given
    return asked(Console(file=out, width=100), every, is_interactive=True), out.getvalue()


def test_there_are_five_questions_and_enter_skips_all_but_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    answers, printed = answers_to(monkeypatch, ["栗川，小栗家", "", "", "", ""])
    assert answers == Answers(("栗川", "小栗家"), (), None, None, "")
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
        asked(
            Console(file=io.StringIO()),
            {"brand": "栗川", "rivals": None, "roster": None, "posts": None, "send_to": "微信"},
            is_interactive=False,
        )
