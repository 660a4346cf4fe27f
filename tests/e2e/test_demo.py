"""`listener demo`: the season plays for real, and tells what a PR person wants to see."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from rich.console import Console

from listener.demo.compose import compose
from listener.demo.play import MARKER, Played, StageError, clear, play
from storage.records import StoredAlert

QUIET = {"stable", "mild", "silent", "rival_fan", "burst", "grumpy", "rival_basher", "short", "never", "not_covered"}


@pytest.fixture(scope="module")
def performance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Played, str]]:
    """The demo, played in a folder with spaces and Chinese characters."""
    folder = tmp_path_factory.mktemp("演示") / "一 季"
    out = io.StringIO()
    yield folder, (played := play(folder, Console(file=out, width=100))), out.getvalue()
    assert played.seconds > 0


def turns(played: Played) -> list[StoredAlert]:
    return [one for one in played.alerts if one.alert.kind == "drift"]


def alerted(played: Played) -> set[str]:
    return {one.alert.koc_id for one in turns(played)}


@pytest.mark.slow
def test_who_turned_is_told_and_nobody_else(performance: tuple[Path, Played, str]) -> None:
    _, played, _ = performance
    truth = {person.koc_id: person.truth for person in played.season.people}
    false = {koc for koc in alerted(played) if truth[koc].alert is False}
    turners = {koc for koc, one in truth.items() if one.alert}
    assert not false
    assert len(turners & alerted(played)) >= 0.75 * len(turners)
    assert not {koc for koc, one in truth.items() if one.scenario in QUIET} & alerted(played)


@pytest.mark.slow
def test_the_nameless_turner_in_the_brands_own_group_is_heard(performance: tuple[Path, Played, str]) -> None:
    _, played, _ = performance
    assert "K40" in alerted(played)


@pytest.mark.slow
def test_no_alert_fires_before_its_turn(performance: tuple[Path, Played, str]) -> None:
    _, played, _ = performance
    turned = {person.koc_id: person.truth.turned_at for person in played.season.people}
    for one in turns(played):
        if (at := turned[one.alert.koc_id]) is not None:
            assert one.alert.fired_at >= at


@pytest.mark.slow
def test_mails_and_webhooks_were_received_with_the_alerts_keys(performance: tuple[Path, Played, str]) -> None:
    _, played, _ = performance
    keys, of_turns = {one.alert.key for one in played.alerts}, {one.alert.key for one in turns(played)}
    mails = [message_from_bytes(path.read_bytes(), policy=default) for path in played.mails]
    assert of_turns <= {key for mail in mails for key in mail.get_all("X-KOC-Alert-Key", [])} <= keys
    assert sum("汇总" in mail["Subject"] for mail in mails) >= 1
    assert sum("预警" in mail["Subject"] for mail in mails) >= 1
    bodies = [json.loads(path.read_text(encoding="utf-8")) for path in played.hooks]
    assert all(body["signature"] == "verified" for body in bodies)
    assert len(bodies) == len(mails)


@pytest.mark.slow
def test_the_page_needs_nothing_else_and_fits_a_phone(performance: tuple[Path, Played, str]) -> None:
    _, played, _ = performance
    page = played.pages[0].read_text(encoding="utf-8")
    assert 'name="viewport"' in page
    assert not re.search(r"""(?:src|href)=["'](?!data:|#|http://127\.0\.0\.1)""", page)


@pytest.mark.slow
def test_the_terminal_shows_board_alert_and_where_everything_arrived(performance: tuple[Path, Played, str]) -> None:
    _, played, told = performance
    for person in played.season.people:
        assert person.name in told
    for words in ("KOC 看板", "最后听到", "未覆盖", "红色预警", "下一步", "真的收到了", "received/mail/", "alert.html"):
        assert words in told
    assert max(map(_cells, told.splitlines())) <= 100


@pytest.mark.slow
def test_who_posts_where_nobody_listens_is_not_covered(performance: tuple[Path, Played, str]) -> None:
    _, _, told = performance
    (line,) = [line for line in told.splitlines() if "薯条蘸冰淇淋" in line]
    assert "未覆盖" in line
    assert "从未" in line


@pytest.mark.slow
def test_who_fell_silent_on_a_timeline_that_is_read_is_shown_so(performance: tuple[Path, Played, str]) -> None:
    _, played, told = performance
    (who,) = [one for one in played.season.people if one.koc_id == "K25"]
    (line,) = [line for line in told.splitlines() if who.name in line]
    assert "久未发声" in line


@pytest.mark.slow
def test_twice_in_a_row_works_from_the_command_line(tmp_path: Path) -> None:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("LISTENER_")} | {"PYTHONUTF8": "1", "COLUMNS": "100"}
    for _ in range(2):
        command = [sys.executable, "-m", "listener", "demo", "--folder", "demo"]
        done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        assert "demo/received/mail/" in done.stdout
    shown = subprocess.run(
        [sys.executable, "-m", "listener", "alerts", "--format", "jsonl"],
        cwd=tmp_path / "demo",
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert len(shown.stdout.splitlines()) >= 5


def test_a_folder_of_somebody_else_is_never_emptied(tmp_path: Path) -> None:
    (tmp_path / "论文.docx").touch()
    with pytest.raises(StageError, match="--folder"):
        clear(tmp_path)
    assert (tmp_path / "论文.docx").exists()


def test_an_earlier_performance_is_cleared(tmp_path: Path) -> None:
    clear(tmp_path / "demo")
    (tmp_path / "demo" / "listener.db").touch()
    clear(tmp_path / "demo")
    assert [path.name for path in (tmp_path / "demo").iterdir()] == [MARKER]


def test_the_season_ends_today_whatever_today_is() -> None:
    season = compose(date.today())
    assert (date.today() - max(item.posted_at for item in season.items).date()).days <= 1


def _cells(line: str) -> int:
    from rich.cells import cell_len

    return cell_len(line)
