"""`listener status` on the scorer: a model that can't be read, and what waits to be scored by a new one."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from config import edit
from listener import normalize, workspace
from listener.app import App
from listener.cli import app as command_line
from listener.mentions import brands_fingerprint
from spiders.items import Item

NOW = datetime(2026, 6, 1, 8, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = workspace.create(tmp_path / "workspace")
    edit.put_brand(path, {"name": "星澜"})
    with App.open(path, {}) as app:
        app.prepare()
        items = [Item("feed", str(number), "a", NOW, "星澜很好用") for number in range(3)]
        app.store.add([normalize.normalize_item(item, source="源", key=app.key) for item in items], stored_at=NOW)
        app.catch_up()
    return path


def status(settings: Path, *more: str) -> Result:
    return CliRunner().invoke(command_line, ["--config", str(settings), "status", *more])


def test_a_scorer_that_works_and_has_scored_everything_is_not_spoken_of(settings: Path) -> None:
    (row,) = [
        row for row in map(json.loads, status(settings, "--format", "jsonl").stdout.splitlines()) if row["kind"] == "model"
    ]
    assert (row["model"], row["left"], row["error"], row["note"]) == (row["stored_model"], 0, "", "")
    assert "模型" not in status(settings).output


def test_what_waits_for_a_new_scorer_is_told(settings: Path) -> None:
    with App.open(settings, {}) as app:
        app.store.prepare(brands_fingerprint(app.brands, {}), "older")
    told = status(settings)
    assert "评分模型已换，3 条内容还是旧模型的评分：listener rescore" in told.stderr.replace("\n", "")
    assert status(settings, "--check").exit_code == 0, "scores of an older model still hold"


def test_where_nothing_is_stored_no_score_waits_for_a_new_scorer(tmp_path: Path) -> None:
    path = workspace.create(tmp_path / "workspace")
    with App.open(path, {}) as app:
        app.prepare()
        app.store.prepare(brands_fingerprint(app.brands, {}), "older")
    assert "模型" not in status(path).output


@pytest.mark.parametrize("content", [None, b"no model"])
def test_a_model_that_is_missing_or_broken_is_told(settings: Path, content: bytes | None) -> None:
    words = settings.read_text(encoding="utf-8")
    settings.write_text(words.replace('#model = ""', 'model = "mine.npz"', 1), encoding="utf-8")
    if content is not None:
        (settings.parent / "mine.npz").write_bytes(content)
    told = status(settings)
    assert told.exit_code == 0
    assert "评分模型不可用" in told.stderr
    assert "mine.npz" in told.stderr
    assert status(settings, "--check").exit_code == 1
    assert CliRunner().invoke(command_line, ["--config", str(settings), "rescore", "--status"]).exit_code != 0
