"""`listener run` as a process: crawls on its schedule, one at a time a database, ends when asked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config import edit
from listener import normalize, pipeline, schedule, workspace
from listener.app import App
from listener.demo.platform import Fault, PlatformPost, PlatformServer
from storage.records import Account, Koc
from tests.servers import HttpServer

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
def test_run_ends_within_ten_seconds_while_a_platform_says_nothing(settings: Path, server: PlatformServer) -> None:
    server.faults = (Fault("hang", "/api/", seconds=120),)
    one = running(settings)
    try:
        until(lambda: any(path.startswith("/api/") for path, _ in server.requests))
        asked_at = time.monotonic()
        one.send_signal(signal.SIGTERM)
        said, _ = one.communicate(timeout=30)
        assert time.monotonic() - asked_at < 10
        assert one.returncode == 0, said
    finally:
        one.kill()
    with App.open(settings, {}) as app:
        assert [crawl.outcome for crawl in app.store.crawls()] == ["cut"]
        assert app.store.lease(schedule.LEASE) is None


@pytest.mark.slow
def test_run_ends_within_ten_seconds_while_a_receiver_says_nothing_and_keeps_the_lease(settings: Path) -> None:
    workspace.make_webhook_secret(settings.parent / "hook.secret")
    asleep = threading.Event()

    def sleep(handler: object) -> None:
        asleep.set()
        time.sleep(40)

    with HttpServer([sleep]) as hook:
        hook_table = {"name": "钩", "type": "webhook", "url": hook.url, "secret_file": "hook.secret"}
        edit.put_channel(settings, hook_table | {"timeout_seconds": 60})
        with App.open(settings, {}) as app:
            due(app)
        one = running(settings)
        try:
            assert asleep.wait(60)
            asked_at = time.monotonic()
            one.send_signal(signal.SIGTERM)
            one.communicate(timeout=30)
            assert time.monotonic() - asked_at < 10
        finally:
            one.kill()
        with App.open(settings, {}) as app:
            assert {row.state for row in app.store.deliveries()} == {"sending"}, (
                "told again, with the same key, by the next run"
            )


def due(app: App) -> None:
    """An alert that waits to be sent."""
    from tests.integration.test_pipeline_deliver import posts

    app.store.save_kocs([Koc("甲", "甲", (Account("forum", "甲", normalize.author_key_of(app.key, "forum", "甲")),))])
    app.prepare()
    with app.desk() as desk:
        pipeline.listen(posts("甲", last=datetime.now(UTC) - timedelta(hours=2)), "import", desk, print)
    assert {row.state for row in app.store.deliveries()} == {"pending"}


@pytest.mark.slow
def test_a_run_hears_of_a_brand_that_another_process_brought_in(settings: Path) -> None:
    one = running(settings)
    try:
        with App.open(settings, {}) as app:
            until(lambda: any(c.outcome == "done" for c in app.store.crawls()))
        edit.put_brand(settings, {"name": "出汁"})  # a word of every post
        until(lambda: rows_of_mentions(settings) == {"青禾榨汁机": 12, "出汁": 12})
        one.send_signal(signal.SIGTERM)
        said, _ = one.communicate(timeout=30)
        assert one.returncode == 0, said
    finally:
        one.kill()


def rows_of_mentions(settings: Path) -> dict[str, int]:
    import sqlite3

    with sqlite3.connect(settings.parent / "listener.db") as database:
        return dict(database.execute("SELECT brand, count(*) FROM mentions GROUP BY brand"))


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


def test_jobs_are_every_enabled_source_the_deliveries_the_upkeep_and_the_calibration(settings: Path) -> None:
    edit.put_source(
        settings, {"name": "停用", "platform": "feed", "urls": ["http://127.0.0.1:9/feed"], "every": "1h", "enabled": False}
    )
    with App.open(settings, {}) as app:
        jobs = {job.name: job for job in schedule.jobs_of(app)}
    assert set(jobs) >= {"crawl:微博", "deliver", "upkeep", "calibrate"}
    assert not any("停用" in name for name in jobs)
    assert jobs["crawl:微博"].every == timedelta(seconds=2)
    assert not jobs["upkeep"].at_start
    assert not jobs["calibrate"].at_start


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
