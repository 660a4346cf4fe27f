"""`listener import` of files, folders and patterns, as somebody at a terminal or a script gives them."""

from __future__ import annotations

import os
import pty
import sqlite3
import subprocess
import sys
import time
import zlib
from contextlib import closing
from pathlib import Path

import pytest

from listener import cli
from listener.commands.importing import files_of
from tests.exports import MEDIACRAWLER, write_csv
from tests.integration.test_chats import MAILED, NAME_FIRST
from tests.integration.test_exports import a_row

COLUMNS = MEDIACRAWLER["weibo_note"].split(",")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    assert cli.run(["init", "."]) == 0
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def export(path: Path, *numbers: int) -> Path:
    return write_csv(path, COLUMNS, [a_row("weibo_note", n) for n in numbers])


def posts() -> set[str]:
    with closing(sqlite3.connect("listener.db")) as database:
        return {post_id for (post_id,) in database.execute("SELECT post_id FROM posts")}


def test_what_can_not_be_read_in_a_folder_is_told_and_holds_up_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "a.csv").write_bytes(b"")
    export(folder / "b.csv", 1)
    (folder / "c.csv").write_text("品名,价格\n洗发水,9\n", encoding="utf-8")
    (folder / "package.json").write_text('{\n "name": "x"\n}\n', encoding="utf-8")
    (folder / "deep").mkdir()
    export(folder / "deep/d.csv", 2)
    assert cli.run(["import", "in"]) == 1
    assert posts() == {"901", "902"}
    told = capsys.readouterr().err
    for words in ("a.csv：文件是空的 / the file is empty", "c.csv：认不出", "package.json：认不出"):
        assert words in told


def test_one_file_of_another_tool_among_many_holds_up_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export(folder / "b.csv", 1)
    (folder / "a.csv").write_text("品名,价格\n洗发水,9\n", encoding="utf-8")
    assert cli.run(["import", "--from", "mediacrawler", "in", "nowhere.csv"]) == 1
    assert posts() == {"901"}
    told = capsys.readouterr().err
    assert "no export of mediacrawler" in told
    assert "no such file: nowhere.csv" in told


def test_a_name_with_the_signs_of_a_pattern_is_a_name_first(folder: Path) -> None:
    odd = export(folder / "[2026] 导出*?.csv", 1)
    export(folder / "2.csv", 2)
    assert files_of(str(odd)) == [odd]
    assert files_of(str(folder / "?.csv")) == [folder / "2.csv"]


def test_stdin_is_our_own_format_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["import", "--from", "mediacrawler", "-"]) == 1
    assert cli.run(["import", "--group", "g", "--basis", "b", "--purpose", "p", "-"]) == 1
    assert capsys.readouterr().err.count("stdin") == 2


def test_chats_of_a_folder_are_imported_and_what_is_none_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a.txt").write_text(MAILED, encoding="utf-8")
    (folder / "b.txt").write_text("一篇文章\n", encoding="utf-8")
    (folder / "c.txt").write_text(NAME_FIRST, encoding="utf-8")
    ground = ["--basis", "群公告已告知", "--purpose", "了解问题"]
    assert cli.run(["import", "--group", "护发群", *ground, "in"]) == 1
    assert len(posts()) == 5
    assert "b.txt：没有认出群聊记录" in capsys.readouterr().err


def test_nothing_of_a_member_off_the_roster_is_in_the_bytes_of_the_workspace(folder: Path) -> None:
    secrets = ("阿木木", "wxid_hidden42", "13912345678", "avatar.example")
    (folder / "群.csv").write_text(
        "消息ID,时间,昵称,微信号,内容,头像\n"
        "1,2026-03-01 12:05,阿木木,wxid_hidden42,星澜真好用 加我13912345678,https://avatar.example/1.jpg\n"
        "2,2026-03-01 12:06,小北,wxid_1,「阿木木：星澜真好用」@阿木木\u2005同感,\n"
        '3,2026-03-01 12:07,小北,wxid_1,"""阿木木""邀请了我",\n'
        ",明年,阿木木,wxid_hidden42,读不出来 13912345678,https://avatar.example/1.jpg\n",
        encoding="utf-8",
    )
    assert cli.run(["import", "--group", "护发群", "--basis", "群公告", "--purpose", "了解", "in/群.csv"]) == 0
    with closing(sqlite3.connect("listener.db")) as database:
        raws = b"".join(zlib.decompress(raw) for (raw,) in database.execute("SELECT raw FROM post_raws"))
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    kept = [path for path in Path().rglob("*") if path.is_file() and path.parent.name != "in"]
    everything = raws + b"".join(path.read_bytes() for path in kept)
    assert "星澜真好用".encode() in everything
    assert [secret for secret in secrets if secret.encode() in everything] == []


def in_a_terminal(arguments: list[str], answers: list[str], **environment: str) -> tuple[int, str]:
    """Run the command in a pseudo-terminal; its exit code, and all that stood on the screen."""
    here, there = pty.openpty()
    script = "import sys\nfrom listener import cli\nsys.exit(cli.run(sys.argv[1:]))"
    child = subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        stdin=there, stdout=there, stderr=there, close_fds=True, env=os.environ | {"TERM": "xterm", **environment},
    )  # fmt: skip
    os.close(there)
    screen = b""
    while True:
        try:
            more = os.read(here, 4096)
        except OSError:  # Linux says so where the other end is closed
            break
        if not more:
            break
        screen += more
        if answers and screen.rstrip().endswith(b":"):
            os.write(here, f"{answers.pop(0)}\n".encode())
            screen += b"\n"
    os.close(here)
    return child.wait(60), screen.decode(errors="replace")


def test_at_a_terminal_ground_and_purpose_are_asked_for_and_progress_is_shown(folder: Path) -> None:
    (folder / "a.txt").write_text(MAILED, encoding="utf-8")
    code, screen = in_a_terminal(["import", "--group", "护发群", "in/a.txt"], ["群公告已告知", "了解问题"])
    assert code == 0, screen
    assert "凭什么可以导入" in screen
    assert "what will it be used for" in screen
    with closing(sqlite3.connect("listener.db")) as database:
        assert database.execute("SELECT basis, purpose FROM imports").fetchall() == [("群公告已告知", "了解问题")]
    export(folder / "b.csv", *range(3000))
    code, screen = in_a_terminal(["import", "in/b.csv"], [])
    assert code == 0, screen
    assert "━" in screen, "a bar"
    assert "3000" in screen


def test_an_import_that_is_killed_and_run_again_leaves_what_one_run_leaves(folder: Path, tmp_path: Path) -> None:
    export(folder / "b.csv", *range(3000))
    script = "import sys\nfrom listener import cli\nsys.exit(cli.run(['import', '--batch-size', '50', 'in/b.csv']))"
    for _ in range(3):
        child = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        before = len(posts()) if Path("listener.db").exists() else 0
        until = time.monotonic() + 60
        while child.poll() is None and time.monotonic() < until and len(posts()) < before + 200:
            time.sleep(0.02)
        child.kill()
        child.wait()
    assert 0 < len(posts()) < 3000
    assert cli.run(["import", "in/b.csv"]) == 0
    cut = contents()
    Path("listener.db").unlink()
    for rest in Path().glob("listener.db-*"):
        rest.unlink()
    assert cli.run(["import", "in/b.csv"]) == 0
    assert contents() == cut
    assert cli.run(["import", "in/b.csv"]) == 0
    assert contents() == cut


def contents() -> list[tuple[object, ...]]:
    """All that is kept of posts, but for when it was written and under which row."""
    with closing(sqlite3.connect("listener.db")) as database:
        left_out = ("id", "stored_at")
        columns = [f"p.{row[1]}" for row in database.execute("PRAGMA table_info(posts)") if row[1] not in left_out]
        kept = f"SELECT {', '.join(columns)}, r.raw FROM posts p LEFT JOIN post_raws r ON r.post = p.id"
        found = sorted(database.execute(kept).fetchall(), key=repr)
        assert len(found) == 3000
        assert database.execute("SELECT count(*) FROM post_texts").fetchone() == (0,)
        return found
