"""`listener run` as a process: crawls on its schedule, one at a time a database, ends when asked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config import edit
from listener import schedule, workspace
from listener.app import App
from listener.demo.platform import PlatformPost, PlatformServer

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def server() -> Iterator[PlatformServer]:
    at = datetime.now(UTC) - timedelta(days=1)
    posts = [PlatformPost(f"{i}", "77", "小林", at - timedelta(hours=i), f"青禾榨汁机第{i}次出汁，还是很稳") for i in range(12)]
    with PlatformServer(posts) as running:
        yield running


@pytest.fixture
def settings(tmp_path: Path, server: PlatformServer) -> Path:
    path = workspace.create(tmp_path / "工 作")
    edit.put_brand(path, {"name": "青禾榨汁机"})
    source = {
        "name": "微博",
        "platform": "weibo",
        "accounts": ["77"],
        "every": "2s",
        "delay_seconds": 0,
        "base_url": server.url,
    }
    edit.put_source(path, source)
    return path


def running(path: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "listener", "run", *words],
        cwd=path.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT), "LISTENER_CONFIG": str(path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def until(is_so: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it never came to it"
        time.sleep(0.1)


def holder(path: Path) -> str:
    with App.open(path, {}) as app:
        lease = app.store.lease(schedule.LEASE)
    return lease.holder if lease and lease.until > datetime.now(UTC) else ""


@pytest.mark.slow
def test_run_crawls_refuses_a_second_one_and_ends_within_ten_seconds_of_sigterm(settings: Path) -> None:
    first = running(settings)
    try:
        with App.open(settings, {}) as app:
            until(lambda: app.store.counts()["posts"] == 12 and any(c.outcome == "done" for c in app.store.crawls()))
        second = running(settings)
        said, _ = second.communicate(timeout=60)
        assert second.returncode == 1
        assert "另一个 listener run" in said
        asked_at = time.monotonic()
        first.send_signal(signal.SIGTERM)
        said, _ = first.communicate(timeout=30)
        assert first.returncode == 0, said
        assert time.monotonic() - asked_at < 10
        assert "已停止" in said
        assert "Traceback" not in said
    finally:
        first.kill()
    with App.open(settings, {}) as app:
        assert app.store.lease(schedule.LEASE) is None or not holder(settings)
        assert app.store.counts()["posts"] == 12
        assert {c.outcome for c in app.store.crawls(last=False)} <= {"done", "cut"}


@pytest.mark.slow
def test_a_run_that_waits_takes_over(settings: Path) -> None:
    first = running(settings)
    waiting = None
    try:
        until(lambda: bool(holder(settings)))
        before = holder(settings)
        waiting = running(settings, "--wait")
        time.sleep(3)
        assert waiting.poll() is None
        assert holder(settings) == before
        first.send_signal(signal.SIGTERM)
        first.communicate(timeout=30)
        until(lambda: holder(settings) not in ("", before))
        waiting.send_signal(signal.SIGINT)
        said, _ = waiting.communicate(timeout=30)
        assert waiting.returncode == 0, said
    finally:
        for one in filter(None, (first, waiting)):
            one.kill()
            one.communicate()


def test_turns_of_a_cron_line_are_in_the_workspaces_zone() -> None:
    job = schedule.Job("upkeep", print, cron="30 4 * * *")
    trigger = schedule.trigger_of(job, "Asia/Shanghai")
    turn = trigger.get_next_fire_time(None, datetime(2026, 3, 1, tzinfo=UTC))
    assert turn.isoformat() == "2026-03-02T04:30:00+08:00"


def test_jobs_are_every_enabled_source_the_deliveries_and_the_upkeep(settings: Path) -> None:
    edit.put_source(
        settings, {"name": "停用", "platform": "feed", "urls": ["http://127.0.0.1:9/feed"], "every": "1h", "enabled": False}
    )
    with App.open(settings, {}) as app:
        jobs = {job.name: job for job in schedule.jobs_of(app)}
    assert set(jobs) == {"crawl:微博", "deliver", "upkeep"}
    assert jobs["crawl:微博"].every == timedelta(seconds=2)
    assert not jobs["upkeep"].at_start


def test_a_job_that_fails_is_loud_and_runs_again(caplog: pytest.LogCaptureFixture) -> None:
    turns: list[int] = []

    def fails() -> None:
        turns.append(1)
        raise ZeroDivisionError("broken on purpose")

    scheduler = schedule.scheduler_of(
        [schedule.Job("odd", fails, every=timedelta(seconds=1))], "UTC", lambda: datetime.now(UTC)
    )
    scheduler.start()
    try:
        until(lambda: len(turns) >= 2, 20)
    finally:
        scheduler.shutdown()
    critical = [record for record in caplog.records if record.levelname == "CRITICAL"]
    assert "job odd failed" in critical[0].getMessage()
