"""A folder that exports are dropped into, with a real workspace around it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

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


def test_a_file_that_changes_while_it_is_read_stays_for_the_next_turn(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = export(folder / "slow.csv")
    whole = inbox._import

    def slowly(*asked: Any) -> Any:
        done = whole(*asked)
        export(file, 3)
        return done

    monkeypatch.setattr(inbox, "_import", slowly)
    assert take().items == 2
    assert names(folder) == ["slow.csv"]
    monkeypatch.setattr(inbox, "_import", whole)
    assert take().items == 3
    assert names(folder) == ["done/slow.csv"]


def test_a_file_that_another_process_takes_meanwhile_is_no_failure(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.csv", "b.csv"):
        export(folder / name)
    whole = inbox._import

    def beside(app: App, source: Any, file: Path, report: Any) -> Any:
        if file.name == "a.csv":
            inbox.put_away(file, "done")
        return whole(app, source, file, report)

    monkeypatch.setattr(inbox, "_import", beside)
    crawled = take()
    assert (crawled.outcome, crawled.items, crawled.error) == ("done", 2, "")
    assert names(folder) == ["done/a.csv", "done/b.csv"]


def test_two_processes_at_once_on_one_folder_take_every_file_once(folder: Path) -> None:
    for n in range(12):
        export(folder / f"{n:02}.csv", 40)
    script = "import sys\nfrom listener import cli\nsys.exit(cli.run(['crawl', '投递']))"
    both = [subprocess.Popen([sys.executable, "-c", script], cwd=folder.parent) for _ in range(2)]
    assert [one.wait(120) for one in both] == [0, 0]
    assert names(folder) == [f"done/{n:02}.csv" for n in range(12)]
    with App.open(Path("listener.toml"), os.environ) as app:
        assert app.store.counts()["posts"] == 40
        assert {one.outcome for one in app.store.crawls()} == {"done"}


def test_a_file_that_can_not_be_moved_holds_up_no_other(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.csv", "b.csv"):
        export(folder / name)
    move = Path.replace

    def refuse(self: Path, target: Path) -> Path:
        if self.name == "a.csv":
            raise PermissionError(13, "Permission denied", str(self))
        return move(self, target)

    monkeypatch.setattr(Path, "replace", refuse)
    crawled = take()
    assert (crawled.outcome, crawled.items) == ("failed", 2)
    assert names(folder) == ["a.csv", "done/b.csv"]


def test_names_as_long_as_folders_take_them_are_put_away_too(folder: Path) -> None:
    long = "铁" * 83
    columns = MEDIACRAWLER["weibo_note"].split(",")
    drop(write_csv(folder / f"{long}.csv", columns, [a_row("weibo_note", 0), a_row("weibo_note", 1) | {"note_id": ""}]))
    (folder / f"{long}.txt").write_text("没有人说话\n", encoding="utf-8")
    drop(folder / f"{long}.txt")
    crawled = take()
    assert (crawled.outcome, crawled.items) == ("done", 1)
    assert [name.partition("/")[0] for name in names(folder)] == ["done", "rejected", "rejected"]


def test_our_own_format_is_taken_though_its_first_line_is_broken(folder: Path) -> None:
    good = '{"platform": "weibo", "post_id": "1", "author_id": "7", "posted_at": "2026-01-01T08:00Z", "text": "好"}\n'
    (folder / "a.jsonl").write_text('{"platform": "we\n' + good, encoding="utf-8")
    drop(folder / "a.jsonl")
    assert take().items == 1
    assert names(folder) == ["done/a.jsonl"]


def test_a_scheduled_turn_waits_for_what_was_just_dropped(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "QUIET_SECONDS", 0.5)
    export(folder / "new.csv", ago=0)
    with App.open(Path("listener.toml"), os.environ) as app:
        inbox.turn(app, "投递")
    assert names(folder) == ["done/new.csv"]


def test_check_names_a_mapping_that_import_would_refuse(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = Path("listener.toml")
    before = path.read_text(encoding="utf-8")
    mapping = '[[exports]]\nname = "我的表"\nplatform = "forum"\ncolumns = { posted_at = "时间", txt = "正文" }\n'
    path.write_text(before + mapping, encoding="utf-8")
    assert cli.run(["check"]) == 2
    assert "no such fields: txt" in capsys.readouterr().err
    path.write_text(before + mapping.replace("txt", "text"), encoding="utf-8")
    assert cli.run(["check"]) == 0
