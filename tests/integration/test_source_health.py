"""`listener status` says how each source fares, and whether one that used to speak has fallen silent."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from config import edit
from listener import normalize, politeness, workspace
from listener.app import App
from listener.cli import app as command_line
from spiders.items import Item
from storage.records import Crawl

NOW = datetime.now(UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = workspace.create(tmp_path / "workspace")
    edit.put_brand(path, {"name": "星澜"})
    for name in ("吵", "静"):
        edit.put_source(path, {"name": name, "platform": "feed", "every": "1h", "urls": [f"https://{len(name)}.example/feed"]})
    with App.open(path, {}) as app:
        for name, ends in (("吵", 0), ("静", 4)):
            days = [day for day in range(30) if day >= ends]
            items = [
                Item("feed", f"{name}{day}-{number}", "a", NOW - timedelta(days=day, minutes=number), "今天天气")
                for day in days
                for number in range(3)
            ]
            posts = [normalize.normalize_item(item, source=name, key=app.key) for item in items]
            app.store.add(posts, stored_at=NOW)
            for number, outcome in enumerate(("done", "failed")):
                crawl = Crawl(f"{name}{number}", name, "feed", NOW - timedelta(days=2 - number), NOW, outcome, 3, "")  # type: ignore[arg-type]
                app.store.start_crawl(crawl)
    return path


def rows(settings: Path, *more: str) -> tuple[int, list[dict[str, object]]]:
    done = CliRunner().invoke(command_line, ["--config", str(settings), "status", "--format", "jsonl", *more])
    return done.exit_code, [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def test_a_source_that_used_to_speak_and_says_nothing_stands_out(settings: Path) -> None:
    code, found = rows(settings)
    sources = {row["source"]: row for row in found if row["kind"] == "source"}
    assert [sources[name]["is_silent"] for name in ("吵", "静")] == [False, True]
    assert 2.5 < float(str(sources["静"]["usual_posts_a_day"])) < 3.5
    assert sources["吵"]["error_rate"] == 0.5
    assert "没有新内容" in str(sources["静"]["note"])
    assert code == 0
    assert rows(settings, "--check")[0] == 1


def test_a_host_that_refuses_is_shown_with_when_and_what_next(settings: Path) -> None:
    with App.open(settings, {}) as app:
        app.store.host_refused("1.example", "吵", "HTTP 403", app.now(), politeness.pause_of)
    (host,) = (row for row in rows(settings)[1] if row["kind"] == "host")
    assert (host["host"], host["refusals"], host["source"]) == ("1.example", 1, "吵")
    assert "delay_seconds" in str(host["note"])


def test_a_paused_host_is_asked_again_at_once_if_somebody_says_so(settings: Path) -> None:
    with App.open(settings, {}) as app:
        app.store.host_refused("1.example", "吵", "HTTP 403", app.now(), politeness.pause_of)
    text = settings.read_text("utf-8").replace("https://1.example/feed", "file:///nowhere")  # nothing goes over the net here
    settings.write_text(text, "utf-8")
    done = CliRunner().invoke(command_line, ["--config", str(settings), "crawl", "吵", "--again"])
    assert done.exit_code == 1, "the address is none"
    with App.open(settings, {}) as app:
        assert app.store.refusing_hosts() == []
