"""The operator's commands around the promise, as they are typed: status, calibrate, mark, backtest, replay, explain."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from listener.cli import run
from tests.e2e.test_commands import write_season


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the demo's season imported."""
    folder = tmp_path_factory.mktemp("承 诺")
    write_season(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in [n for n in os.environ if n.startswith("LISTENER_")]:
            patch.delenv(name)
        for words in (
            ["init", "."],
            ["brand", "import", "brand.json"],
            ["koc", "import", "roster.csv"],
            ["import", "items.jsonl.gz"],
        ):
            assert run(words) == 0
    return folder


@pytest.fixture
def listener(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Runs a command in the workspace; gives (exit code, stdout, stderr)."""
    monkeypatch.chdir(folder)

    def call(*words: str, language: str = "zh-CN") -> tuple[int, str, str]:
        monkeypatch.setenv("LISTENER_LANGUAGE", language)
        capsys.readouterr()
        code = run(words)
        said = capsys.readouterr()
        return code, said.out, said.err.replace("\n", "")

    return call


@pytest.fixture
def turned(listener: Callable[..., Any]) -> dict[str, Any]:
    """A red alert of the season."""
    rows = [json.loads(line) for line in listener("alerts", "--format", "jsonl")[1].splitlines()]
    found: dict[str, Any] = next(row for row in rows if row["level"] == "red")
    return found


def promise(listener: Callable[..., Any]) -> dict[str, Any]:
    """The row of the status that tells of the brand's promise."""
    (row,) = [row for row in json.loads(listener("status", "--format", "json")[1]) if row["kind"] == "promise"]
    found: dict[str, Any] = row
    return found


def test_the_status_says_what_is_promised_and_what_it_means_here(listener: Callable[..., Any]) -> None:
    code, out, _ = listener("status")
    assert code == 0
    assert "承诺：每 1000 KOC·年误报 红 ≤ 1、黄 ≤ 10" in out
    assert "出厂默认" in out
    assert "年一次" in out
    english = listener("status", language="en")[1]
    assert "promised: at most 1 false red and 10 false amber alerts per 1000 KOC-years" in english
    assert "cold start" in english
    row = promise(listener)
    assert row["promised"] == {"red": 1.0, "amber": 10.0}
    assert row["expected"] is None
    assert row["false_alarms_a_year"]["red"] == pytest.approx(row["kocs"] / 1000, abs=0.01)
    assert row["next_at"]


def test_calibrate_refuses_too_little_history_and_says_how_much_is_needed(
    listener: Callable[..., Any], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert listener("init", ".")[0] == 0
    assert listener("brand", "import", str(folder / "brand.json"))[0] == 0
    code, out, _ = listener("drift", "calibrate", "--dry-run")
    assert code == 1
    assert "要有 30 位 KOC 各发过 5 条以上提及（现有 0 位）" in out
    assert "沿用出厂默认" in out
    assert "too little history" in listener("drift", "calibrate", "--dry-run", language="en")[1]
    assert promise(listener)["tried_at"] is None
    assert listener("drift", "calibrate", "--brand", "没有")[0] == 2
    assert listener("drift", "calibrate", "--effective-at", "soon")[0] == 2
    assert listener("drift", "calibrate")[0] == 1
    assert promise(listener)["outcome"] == "too-little"
    assert "历史太少" in listener("status")[1]


@pytest.mark.slow
def test_calibrate_shows_promised_beside_expected_before_it_is_written(listener: Callable[..., Any]) -> None:
    code, out, _ = listener("drift", "calibrate", "--dry-run")
    assert code == 0
    for words in ("试算，未写入：fitted-", "每 1000 KOC·年误报", "会新增", "会撤回"):
        assert words in out
    assert promise(listener)["tried_at"] is None


def test_a_mark_is_written_listed_used_and_taken_back(listener: Callable[..., Any], turned: dict[str, Any]) -> None:
    who, day = turned["koc_id"], turned["turned_at"][:10]
    alerts = listener("alerts", "--format", "jsonl")
    code, out, _ = listener("koc", "mark", who, "--turned", day, "--by", "李", "--note", "电话确认")
    assert code == 0
    assert f"{who} · {turned['brand']} · 确已转变 · {day}" in out
    assert "已有这个标记" in listener("koc", "mark", who, "--turned", day, "--by", "王")[1]
    (row,) = [json.loads(line) for line in listener("koc", "marks", "--format", "jsonl")[1].splitlines()]
    assert (row["kind"], row["who"], row["note"], row["at"][:10]) == ("turned", "李", "电话确认", day)
    assert "电话确认" in listener("explain", who)[1]
    assert json.loads(listener("explain", who, "--format", "json")[1])["marks"][0]["key"] == row["key"]
    code, out, _ = listener("backtest", "--since", "2026-01-01", "--format", "jsonl")
    (red,) = [r for r in map(json.loads, out.splitlines()) if r["row"] == "turn" and r["level"] == "red"]
    assert red["told"]
    assert red["mentions"] >= 1
    assert alerts == listener("alerts", "--format", "jsonl"), "a mark changes no alert"
    assert listener("koc", "mark", "--take-back", row["key"], "--by", "王")[0] == 0
    assert listener("koc", "marks", "--format", "jsonl")[1] == ""
    (gone,) = [json.loads(line) for line in listener("koc", "marks", who, "--history", "--format", "jsonl")[1].splitlines()]
    assert (gone["key"], gone["taken_back_by"]) == (row["key"], "王")
    assert "没有人工标记" in listener("koc", "marks")[1]
    assert listener("koc", "mark", "--take-back", row["key"])[0] == 1


def test_a_false_alarm_is_named_by_its_key_or_by_its_day(listener: Callable[..., Any], turned: dict[str, Any]) -> None:
    who = turned["koc_id"]
    for named in (turned["key"][:10], turned["fired_at"][:10]):
        assert listener("koc", "mark", who, "--false-alarm", named, "--by", "李")[0] == 0
        (row,) = [json.loads(line) for line in listener("koc", "marks", "--format", "jsonl")[1].splitlines()]
        assert row["alert_key"] == turned["key"]
        out = listener("backtest", "--since", "2026-01-01", "--format", "csv")[1]
        judged = {r["judged"] for r in csv.DictReader(io.StringIO(out)) if r["row"] == "alert" and r["koc_id"] == who}
        assert "false-alarm" in judged
        listener("koc", "mark", "--take-back", row["key"], "--by", "李")


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--turned", "2026-01-01", "--mild", "2026-01-01"), "exactly one"),
        ((), "exactly one"),
        (("--turned", "2999-01-01"), "future"),
        (("--turned", "soon"), "soon"),
        (("--mild", "0123456789ab"), "no such alert"),
        (("--turned", "2026-01-01", "--brand", "别家"), "别家"),
    ],
)
def test_a_mark_that_says_nothing_clear_is_refused(
    listener: Callable[..., Any], turned: dict[str, Any], words: tuple[str, ...], named: str
) -> None:
    code, _, err = listener("koc", "mark", turned["koc_id"], *words)
    assert code == 2
    assert named in err
    assert listener("koc", "mark", "--turned", "2026-01-01")[0] == 2


def test_a_mark_after_the_last_mention_is_warned_of(listener: Callable[..., Any], turned: dict[str, Any]) -> None:
    code, _, err = listener("koc", "mark", turned["koc_id"], "--turned", "2026-11-01", "--by", "李")
    key = json.loads(listener("koc", "marks", "--format", "jsonl")[1])["key"]
    listener("koc", "mark", "--take-back", key, "--by", "李")
    assert code == 0
    assert "no mention after that day" in err


def test_a_backtest_stands_beside_the_promises_in_force(listener: Callable[..., Any]) -> None:
    assert "写反" in listener("backtest", "--since", "2026-01-01", "--red", "20")[2]
    code, out, err = listener("backtest", "--since", "2026-01-01", "--red", "50", "--amber", "200")
    assert "写反" not in err
    assert code == 0
    for words in ("现行 · 红", "另一种 · 黄", "每千 KOC·月", "换成这一承诺会多报", "没有确认过的转变"):
        assert words in out
    rows = [
        json.loads(line)
        for line in listener("backtest", "--since", "2026-01-01", "--red", "0.1", "-f", "jsonl")[1].splitlines()
    ]
    sums = {(row["side"], row["level"]): row for row in rows if row["row"] == "sums"}
    assert sums["tried", "red"]["promise"] == 0.1
    assert sums["tried", "red"]["alerts"] <= sums["in-force", "red"]["alerts"]
    assert "in force" in listener("backtest", "--since", "2026-01-01", "--until", "2026-06-01", language="en")[1]
    assert listener("backtest", "--since", "2026-06-01", "--until", "2026-01-01")[0] == 2
    code, out, _ = listener("backtest", "--since", "2026-01-01", "--as-of", "2026-06-01")
    assert code == 0
    assert "当时尚未收录" in out


def test_a_replay_leaves_the_alerts_as_they_are(listener: Callable[..., Any], turned: dict[str, Any]) -> None:
    before = listener("alerts", "--history", "--format", "jsonl")
    code, out, _ = listener("drift", "replay")
    assert code == 0
    assert "新增 0，撤回 0" in out
    assert "重看 1 位 KOC" in listener("drift", "replay", turned["koc_id"], "--workers", "2")[1]
    assert listener("alerts", "--history", "--format", "jsonl") == before
    assert listener("drift", "replay", "nobody")[0] == 2


def test_explain_says_how_sure_it_is_in_words_first_and_draws(listener: Callable[..., Any], turned: dict[str, Any]) -> None:
    code, out, err = listener("explain", turned["koc_id"], "--chart", "走势.svg")
    assert code == 0
    assert "可能是真转变" in out or "几乎可以确定是真转变" in out
    assert "转折点: 约在" in out
    assert "最接近的无害解释" in out
    assert out.index("真转变") < out.index("证据比")
    assert "走势.svg" in err
    assert b"<svg" in Path("走势.svg").read_bytes()
    again = Path("走势.svg").read_bytes()
    listener("explain", turned["koc_id"], "--chart", "走势.svg")
    assert Path("走势.svg").read_bytes() == again
    assert "closest innocent explanation" in listener("explain", turned["koc_id"], language="en")[1]
    rows = json.loads(listener("koc", "list", "--format", "json")[1])
    calm = next(row["koc_id"] for row in rows if row["status"] == "advocate" and row["mentions"] > 5)
    assert listener("explain", calm, "--chart", "calm.png")[0] == 0
    assert Path("calm.png").read_bytes().startswith(b"\x89PNG")
    assert listener("explain", calm, "--chart", "calm.gif")[0] == 2
    assert listener("explain", calm, "--chart", "no/such/calm.png")[0] == 2


def test_marks_that_contradict_each_other_are_refused(listener: Callable[..., Any], turned: dict[str, Any]) -> None:
    who, day = turned["koc_id"], turned["fired_at"][:10]
    assert listener("koc", "mark", who, "--turned", day, "--by", "李")[0] == 0
    key = json.loads(listener("koc", "marks", "--format", "jsonl")[1])["key"]
    for words in (("--false-alarm", day), ("--false-alarm", turned["key"]), ("--mild", day)):
        code, _, err = listener("koc", "mark", who, *words, "--by", "王")
        assert code == 2
        assert f"--take-back {key}" in err.replace("\n", "")
    assert len(listener("koc", "marks", "--format", "jsonl")[1].splitlines()) == 1
    listener("koc", "mark", "--take-back", key, "--by", "李")
    assert listener("koc", "mark", who, "--mild", day, "--by", "王")[0] == 0
    listener("koc", "mark", "--take-back", json.loads(listener("koc", "marks", "--format", "jsonl")[1])["key"], "--by", "李")


@pytest.mark.parametrize(("days", "said"), [(-20, "会算到前后 90 天内的预警上"), (-200, "现在什么也不说明")])
def test_a_false_alarm_on_a_day_without_an_alert_is_warned_of(
    listener: Callable[..., Any], turned: dict[str, Any], days: int, said: str
) -> None:
    day = (datetime.fromisoformat(turned["fired_at"]) + timedelta(days=days)).date()
    code, _, err = listener("koc", "mark", turned["koc_id"], "--false-alarm", str(day), "--by", "李")
    key = json.loads(listener("koc", "marks", "--format", "jsonl")[1])["key"]
    listener("koc", "mark", "--take-back", key, "--by", "李")
    assert code == 0
    assert said in err
    assert (turned["key"][:12] in err) == (days == -20)
