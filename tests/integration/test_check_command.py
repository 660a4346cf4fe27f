"""`listener check` names every mistake at once, with its line: of the shape, and what only trying shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from config import edit
from listener.cli import run
from listener.workspace import create

WRONG = """
[[brands]]
name = "星澜"
[[sources]]
name = "没了"
platform = "feed"
every = "不知道"
[[sources]]
name = "微博"
platform = "weibo"
every = "30m"
queries = ["星澜"]
options = { repost = true }
[[channels]]
name = "ntfy"
type = "apprise"
url_env = "NTFY"
[[channels]]
name = "hook"
type = "webhook"
url_env = "NOWHERE"
secret_env = "NOWHERE"
[[exports]]
name = "表"
platform = "weibo"
columns = { tex = "正文" }
[[people]]
name = "王敏"
channels = ["nfty"]
"""


def test_every_mistake_is_told_at_once_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = create(tmp_path)
    before = settings.read_text("utf-8")
    settings.write_text(before + WRONG, "utf-8")
    (tmp_path / "listener.key").unlink()
    monkeypatch.setenv("NTFY", "gibberish")
    monkeypatch.delenv("NOWHERE", raising=False)
    assert run(["-c", str(settings), "check"]) == 2
    told = capsys.readouterr().err
    first = before.count("\n")
    lines = {key: int(line) - first for line, key in re.findall(r"line (\d+): ([^:\s]+):", told)}
    assert lines["sources[0]"] == 4
    assert lines["sources[0].every"] == 7
    assert lines["sources[1].options.repost"] == 13, "found by trying, beside another source that can't be read"
    assert lines["channels[0]"] == 14
    assert lines["channels[1].url_env"] == 21
    assert lines["exports[0].columns"] == 26
    assert lines["people[0].channels"] == 29
    assert "privacy.key_file" in told
    assert told.splitlines()[0].startswith(f"{settings}: {len(told.splitlines()) - 1} 处错误")


def test_a_file_that_is_no_toml_is_told_alone_and_a_good_one_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = create(tmp_path)
    assert run(["-c", str(settings), "check"]) == 0
    settings.write_text("[[brands\n", "utf-8")
    capsys.readouterr()
    assert run(["-c", str(settings), "check"]) == 2
    assert "1 处错误" in capsys.readouterr().err


def test_a_model_that_is_not_there_is_a_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = create(tmp_path)
    edit.put_section(settings, "engine", {"model": "none.npz"})
    assert run(["-c", str(settings), "check"]) == 2
    told = capsys.readouterr().err
    assert "engine.model" in told
    assert "none.npz" in told
