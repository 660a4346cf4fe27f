"""The command line as people and scripts use it: the contract of the judges, exit codes, words for what is wrong."""

from __future__ import annotations

import gzip
import io
import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from listener.cli import run
from listener.demo.compose import Season, compose

SEASON = compose(date(2026, 10, 1))


@pytest.fixture
def listener(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Runs a command in a new folder; gives (exit code, stdout, stderr)."""
    folder = tmp_path / "品 牌"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in [n for n in os.environ if n.startswith("LISTENER_")]:
        monkeypatch.delenv(name)

    def call(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(words)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def write_season(folder: Path, season: Season = SEASON) -> None:
    """The demo's season as files: brand.json, roster.csv, items.jsonl.gz."""
    brand = {k: v for k, v in asdict(season.brand).items() if v}
    brand["rivals"] = [{k: v for k, v in rival.items() if v} for rival in brand.get("rivals", [])]
    brand["accounts"] = [f"{platform}:{account}" for platform, account in season.brand.accounts]
    (folder / "brand.json").write_text(json.dumps(brand, ensure_ascii=False), encoding="utf-8")
    rows = [f"{p.koc_id},{p.name},{platform},{account}" for p in season.people for platform, account in p.accounts]
    (folder / "roster.csv").write_text("koc_id,name,platform,account_id\n" + "\n".join(rows) + "\n", encoding="utf-8")
    with gzip.open(folder / "items.jsonl.gz", "wt", encoding="utf-8") as file:
        for item in season.items:
            row = {k: v for k, v in asdict(item).items() if v is not None and k != "raw"}
            row["posted_at"] = item.posted_at.isoformat()
            row["seen_at"] = item.seen_at.isoformat() if item.seen_at else item.posted_at.isoformat()
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def test_the_contract_from_init_to_alerts(listener: Callable[..., Any]) -> None:
    write_season(Path())
    assert listener("init", ".")[0] == 0
    assert listener("check")[0] == 0
    assert listener("alerts", "--format", "jsonl") == (0, "", "")
    assert listener("brand", "import", "brand.json")[0] == 0
    assert listener("koc", "import", "roster.csv")[0] == 0
    code, out, _ = listener("import", "items.jsonl.gz")
    assert code == 0
    assert str(len(SEASON.items)) in out
    code, out, _ = listener("alerts", "--format", "jsonl")
    alerts = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert len([alert for alert in alerts if alert["kind"] == "drift"]) >= 5
    assert [(a["fired_at"], a["key"]) for a in alerts] == sorted((a["fired_at"], a["key"]) for a in alerts)
    for alert in alerts:
        assert {"key", "kind", "level", "koc_id", "brand", "fired_at", "turned_at", "evidence", "posts"} <= alert.keys()
        assert (alert["kind"] == "drift") == (alert["level"] in ("amber", "red"))
        assert alert["fired_at"] == alert["posts"][-1]["posted_at"]
        for post in alert["posts"]:
            assert {"platform", "post_id", "url", "posted_at", "text", "stance", "probability"} <= post.keys()
            assert post["stance"] in ("favor", "against", "none")
            assert post["target"] in (SEASON.brand.name, alert["evidence"].get("rival"))
            assert "@~" not in post["text"]
    who = next(alert["koc_id"] for alert in reversed(alerts) if alert["kind"] == "drift")
    code, out, _ = listener("explain", who, "--format", "json")
    assert json.loads(out)["koc_id"] == who
    code, early, _ = listener("explain", who, "--as-of", "2026-01-01", "--format", "json")
    assert code == 0
    assert json.loads(early)["turns"] == []
    rows = json.loads(listener("status", "--format", "json")[1])
    assert rows[-1]["stale"] == rows[-1]["dirty"] == 0
    board = json.loads(listener("koc", "list", "--format", "json")[1])
    assert {row["koc_id"] for row in board} == {p.koc_id for p in SEASON.people}
    page = Path("alerts.html")
    assert listener("alerts", "--html", str(page))[0] == 0
    assert "<svg" in page.read_text(encoding="utf-8") or "image/svg+xml" in page.read_text(encoding="utf-8")
    for faces in (
        ("alerts",),
        ("alerts", "--full"),
        ("explain", who),
        ("status",),
        ("koc", "list"),
        ("brand", "list"),
        ("db", "status"),
    ):
        code, out, _ = listener(*faces)
        assert (code, bool(out.strip())) == (0, True), faces
    assert listener("koc", "remove", who)[0] == 0
    assert who not in listener("alerts", "--format", "jsonl")[1]
    assert who in listener("alerts", "--history", "--format", "jsonl")[1]


def test_bad_lines_are_set_aside_with_number_and_reason_and_lose_nothing(listener: Callable[..., Any]) -> None:
    listener("init", ".")
    good = {"platform": "forum", "post_id": "1", "author_id": "a", "posted_at": "2026-01-01T00:00:00+08:00", "text": "好"}
    lines = [good, {**good, "post_id": "2", "posted_at": "2026-01-01 00:00"}, {**good, "post_id": "3"}]
    Path("items.jsonl").write_text("\n".join([*map(json.dumps, lines), "{broken", ""]), encoding="utf-8")
    code, out, err = listener("import", "items.jsonl")
    assert code == 0
    assert "新 2" in out
    assert "隔离 2" in out
    (file,) = Path("quarantine").iterdir()
    assert file.name in err.replace("\n", "")
    assert file.stat().st_mode & 0o077 == 0
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [row["number"] for row in rows] == [2, 4]
    assert all(row["reason"] for row in rows)


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        (("import", "nosuch.jsonl"), 1, "nosuch.jsonl"),
        (("brand", "import", "nosuch.json"), 2, "nosuch.json"),
        (("koc", "import", "nosuch.csv"), 2, "nosuch.csv"),
        (("crawl", "nosuch"), 2, "nosuch"),
        (("explain", "nobody"), 2, "nobody"),
        (("backfill", "x", "--since", "soon"), 2, "soon"),
        (("channel", "test", "nosuch"), 2, "nosuch"),
        (("init", "."), 2, "listener.toml"),
        (("nosuch",), 2, "nosuch"),
        (("crawl",), 1, "sources"),
    ],
)
def test_what_is_wrong_is_named_and_the_exit_code_says_whose_fault_it_is(
    listener: Callable[..., Any], words: tuple[str, ...], code: int, named: str
) -> None:
    listener("init", ".")
    found, out, err = listener(*words)
    assert found == code, out + err
    assert named in out + err


def test_without_a_workspace_the_way_out_is_told(listener: Callable[..., Any]) -> None:
    code, _, err = listener("alerts")
    assert code == 2
    assert "listener init" in err


def test_score_answers_each_line_in_order_and_needs_no_workspace(
    listener: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    against = '{"text": "客服太差了，再也不买", "target": "星澜"}'
    given = ['{"text": "真的很好用，强烈推荐"}', "not json", against, "", '{"text": ""}']
    code, out, _ = piped(listener, "\n".join(given), monkeypatch, tmp_path, "score")
    rows = [json.loads(line) for line in out.splitlines()]
    assert code == 1
    assert len(rows) == 4
    assert rows[0]["pos"] > rows[0]["neg"]
    assert abs(rows[0]["neg"] + rows[0]["neu"] + rows[0]["pos"] - 1) < 2e-3
    assert "error" in rows[1]
    assert rows[2]["stance"]["against"] > rows[2]["stance"]["favor"]
    assert rows[3]["unscored"] == "empty"
    code, out, _ = piped(listener, against + "\n", monkeypatch, tmp_path, "score", "--fast")
    assert code == 0
    assert "stance" not in json.loads(out)


def test_import_reads_stdin(listener: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    listener("init", ".")
    item = {"platform": "forum", "post_id": "1", "author_id": "a", "posted_at": "2026-01-01T00:00:00+08:00", "text": "好"}
    code, out, _ = piped(listener, json.dumps(item) + "\n", monkeypatch, tmp_path, "import", "-")
    assert code == 0
    assert "新 1" in out


def piped(
    listener: Callable[..., Any], text: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *words: str
) -> tuple[int, str, str]:
    """Runs a command with this text on its standard input."""
    path = tmp_path / "stdin"
    path.write_text(text, encoding="utf-8")
    with path.open("rb") as raw:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(raw, encoding="utf-8"))
        found: tuple[int, str, str] = listener(*words)
    return found
