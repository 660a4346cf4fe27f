"""What has stopped working, end to end: crawls and deliveries in the store, alerts through the channels that work."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from config import edit
from listener import pipeline, workspace
from listener.app import App
from listener.channels.door import ChannelError
from listener.cli import app as command_line
from listener.signals.sources import Expected
from listener.text.signals.tellers import told_of
from listener.text.views import AlertView, view_of
from storage.records import Alert, Crawl, Delivery, History, Reminders, StoredAlert
from storage.store import Store
from tests.desks import NOW, Bench


class Working:
    """A channel that keeps what it is given."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def send(self, message: object, views: Sequence[AlertView], now: object) -> None:
        self.sent += [view.alert.kind for view in views]


class Broken:
    """A channel that refuses."""

    def send(self, message: object, views: Sequence[AlertView], now: object) -> None:
        raise ChannelError("connection refused")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Store.open(f"sqlite:///{tmp_path / 'a.db'}") as store:
        yield Bench(store, ())


def crawled(store: Store, hours: float, outcome: str) -> None:
    at = NOW + timedelta(hours=hours)
    crawl = Crawl(f"c{hours}", "论坛", "forum", at, None, "running", 0, "")
    store.start_crawl(crawl)
    store.end_crawl(replace(crawl, ended_at=at, outcome=outcome, error="captcha"))  # type: ignore[arg-type]


def current(store: Store) -> list[StoredAlert]:
    return store.alerts()


def remind(bench: Bench) -> None:
    desk = replace(bench.desk(), sources=(Expected("论坛", "forum", timedelta(hours=1)),))
    pipeline.remind(desk)
    pipeline.deliver(desk)


def test_a_blocked_source_is_one_alert_until_it_is_heard_again(bench: Bench) -> None:
    channel = Working()
    bench.channels = {"mail": channel}  # type: ignore[dict-item]
    for hour in range(1, 8):
        crawled(bench.store, hour, "done" if hour == 1 else "blocked")
        bench.clock = NOW + timedelta(hours=hour + 0.5)
        remind(bench)
    assert current(bench.store) == []
    crawled(bench.store, 8, "blocked")
    for hour in (8.5, 8.6, 12.0):
        bench.clock = NOW + timedelta(hours=hour)
        remind(bench)
    (alert,) = current(bench.store)
    assert (alert.alert.kind, alert.alert.evidence["what"]) == ("source-silent", "blocked")
    assert channel.sent == ["source-silent"]
    told = told_of(view_of(alert, History("", "", ()), koc=None))
    assert told is not None
    assert "被平台拦截" in told.headline
    crawled(bench.store, 13, "done")
    remind(bench)
    assert current(bench.store) == []
    assert channel.sent == ["source-silent"], "nobody is sent a correction"


def test_a_failing_channel_is_told_through_the_other_one_and_settled_when_it_works(bench: Bench) -> None:
    works = Working()
    bench.channels = {"mail": Broken(), "chat": works}  # type: ignore[dict-item]
    crawled(bench.store, 0, "blocked")
    crawled(bench.store, 5, "blocked")
    crawled(bench.store, 6, "blocked")
    for minutes in range(400, 520, 20):
        bench.clock = NOW + timedelta(minutes=minutes)
        remind(bench)
    kinds = sorted(one.alert.kind for one in current(bench.store))
    assert kinds == ["delivery-failing", "source-silent"]
    assert sorted(works.sent) == ["delivery-failing", "source-silent"]
    failing = next(one for one in current(bench.store) if one.alert.kind == "delivery-failing")
    assert [one.channel for one in bench.store.deliveries() if one.alert_key == failing.alert.key] == ["chat"]
    bench.channels = {"mail": works, "chat": works}  # type: ignore[dict-item]
    bench.clock += timedelta(days=2)
    remind(bench)
    remind(bench)
    assert [one.alert.kind for one in current(bench.store)] == ["source-silent"]


def test_with_one_channel_alone_it_is_noted_and_sent_nowhere(bench: Bench) -> None:
    bench.channels = {"mail": Broken()}  # type: ignore[dict-item]
    for hour in (0, 5, 6):
        crawled(bench.store, hour, "blocked")
    for minutes in range(400, 520, 20):
        bench.clock = NOW + timedelta(minutes=minutes)
        remind(bench)
    failing = next(one for one in current(bench.store) if one.alert.kind == "delivery-failing")
    assert [one for one in bench.store.deliveries() if one.alert_key == failing.alert.key] == []


def test_the_status_shows_a_failing_channel_and_check_ends_with_one(tmp_path: Path) -> None:
    path = workspace.create(tmp_path / "workspace")
    edit.put_brand(path, {"name": "星澜"})
    mail = 'type = "email"\nname = "邮件"\nhost = "127.0.0.1"\nsender = "a@b.example"\nto = ["c@d.example"]\n'
    path.write_text(path.read_text("utf-8") + f"\n[[channels]]\n{mail}", "utf-8")

    def status() -> tuple[int, list[dict[str, object]]]:
        done = CliRunner().invoke(command_line, ["--config", str(path), "status", "--check", "--format", "jsonl"])
        found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        return done.exit_code, [row for row in found if row["kind"] == "channel"]

    assert status() == (0, [])
    with App.open(path, {}) as app:
        now = app.now() - timedelta(hours=2)
        alert = Alert("a" * 32, "case-due", None, "watch", "", "星澜", now, None, {}, ())
        unsent = Delivery("d" * 32, "a" * 32, "邮件", "alert", "dead", now, attempts=9, error="refused")
        app.store.remind(lambda stored, deliveries: Reminders((alert,), (), (unsent,), ()), now)
        app.store.channel_failed("邮件", "refused", now, lambda failures: None, None)
    code, (row,) = status()
    assert (code, row["channel"], row["dead"]) == (1, "邮件", 1)
    assert "推送失败" in str(row["note"])


def test_an_outage_of_months_stays_one_alert_also_when_its_crawls_are_forgotten(bench: Bench) -> None:
    store, expected = bench.store, (Expected("论坛", "forum", timedelta(hours=6)),)
    crawled(store, 0, "done")
    keys = set()
    for day in range(1, 70):
        crawled(store, day * 24, "blocked")
        if day % 10 == 9:
            bench.clock = NOW + timedelta(days=day, hours=1)
            pipeline.remind(replace(bench.desk(), sources=expected))
            keys |= {one.alert.key for one in current(store)}
            (one,) = current(store)
            assert (one.alert.evidence["what"], one.alert.evidence["since"]) == (
                "blocked",
                (NOW + timedelta(days=1)).isoformat(),
            )
            store.purge(bench.clock, raw_days_strangers=1, raw_days_kocs=1, text_days=1)
    assert len(keys) == len(store.alerts(history=True)) == 1
