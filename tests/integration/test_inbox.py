"""A folder that exports are dropped into, with a real workspace around it."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from listener import cli, inbox
from listener.app import App
from storage.records import Crawl
from tests.exports import MEDIACRAWLER, write_csv
from tests.integration.test_chats import MAILED
from tests.integration.test_exports import a_row

SOURCE = '[[sources]]\nname = "投递"\nplatform = "folder"\nevery = "1m"\noptions = {{ path = "inbox"{} }}\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    assert cli.run(["init", "."]) == 0
    declare("")
    (tmp_path / "inbox").mkdir()
    return tmp_path / "inbox"


def declare(options: str) -> None:
    path = Path("listener.toml")
    text = path.read_text(encoding="utf-8").partition("# == test\n")[0]
    path.write_text(f"{text}# == test\n{SOURCE.format(options)}", encoding="utf-8")


def drop(path: Path, *, ago: float = 60) -> Path:
    os.utime(path, (time.time() - ago,) * 2)
    return path


def export(path: Path, count: int = 2, *, ago: float = 60) -> Path:
    columns = MEDIACRAWLER["weibo_note"].split(",")
    return drop(write_csv(path, columns, [a_row("weibo_note", n) for n in range(count)]), ago=ago)


def take() -> Crawl:
    with App.open(Path("listener.toml"), os.environ) as app:
        return inbox.crawl(app, "投递", lambda step, done, total: None)


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_what_is_dropped_is_imported_and_put_away(folder: Path) -> None:
    export(folder / "一.csv")
    crawled = take()
    assert (crawled.outcome, crawled.items, crawled.error) == ("done", 2, "")
    assert names(folder) == ["done/一.csv"]
    export(folder / "一.csv", 3)
    assert take().items == 3
    assert names(folder) == ["done/一 (2).csv", "done/一.csv"]
    with App.open(Path("listener.toml"), os.environ) as app:
        assert app.store.counts()["posts"] == 3
        assert [one.source for one in app.store.crawls()] == ["投递"]


def test_what_nobody_can_read_is_rejected_with_the_reason_and_holds_up_nothing(folder: Path) -> None:
    (folder / "a.csv").write_text("品名,价格\n洗发水,9\n", encoding="utf-8")
    drop(folder / "a.csv")
    export(folder / "b.csv")
    crawled = take()
    assert (crawled.outcome, crawled.items) == ("done", 2)
    assert "a.csv" in crawled.error
    assert names(folder) == ["done/b.csv", "rejected/a.csv", "rejected/a.csv.reason.txt"]
    assert "not recognized" in (folder / "rejected/a.csv.reason.txt").read_text(encoding="utf-8")


def test_what_is_still_written_hidden_or_a_link_is_left_alone(folder: Path) -> None:
    export(folder / "new.csv", ago=0)
    export(folder / ".hidden.csv")
    export(folder / "half.csv.part")
    outside = export(folder.parent / "outside.csv")
    (folder / "link.csv").symlink_to(outside)
    assert take().items == 0
    assert len(names(folder)) == 4
    drop(folder / "new.csv")
    assert take().items == 2


def test_a_folder_of_a_groups_chats_names_its_ground(folder: Path) -> None:
    declare(', group = "护发群"')
    assert cli.run(["check"]) == 2
    declare(', group = "护发群", basis = "群公告", purpose = "了解问题"')
    assert cli.run(["check"]) == 0
    (folder / "群聊.txt").write_text(MAILED, encoding="utf-8")
    drop(folder / "群聊.txt")
    assert take().items == 3
    with App.open(Path("listener.toml"), os.environ) as app:
        assert [(one.source, one.basis, one.file) for one in app.store.imports()] == [("投递", "群公告", "群聊.txt")]


@pytest.mark.parametrize("options", [', colour = "red"', ", from = 3"])
def test_options_that_make_no_sense_are_named(folder: Path, options: str, capsys: pytest.CaptureFixture[str]) -> None:
    declare(options)
    assert cli.run(["check"]) == 2
    assert "options" in capsys.readouterr().err


def test_a_folder_that_can_not_be_written_is_a_failure(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export(folder / "a.csv")

    def refuse(self: Path, target: Path) -> Path:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "replace", refuse)
    crawled = take()
    assert crawled.outcome == "failed"
    assert "Permission denied" in crawled.error
    assert names(folder) == ["a.csv"]


def test_what_was_put_away_goes_when_its_days_are_over(folder: Path) -> None:
    export(folder / "old.csv")
    take()
    long_ago = (datetime.now(UTC) - timedelta(days=40)).timestamp()
    os.utime(folder / "done/old.csv", (long_ago, long_ago))
    assert cli.run(["upkeep"]) == 0
    assert names(folder) == []
