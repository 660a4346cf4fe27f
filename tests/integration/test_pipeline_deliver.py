"""From posts to messages that arrived: real scorer, detector, store, a real SMTP and a real HTTP receiver with faults."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from listener import pipeline
from listener.channels.mail import EmailChannel
from listener.channels.webhook import WebhookChannel
from spiders.items import Item
from storage.records import Account, Brand, Koc
from storage.store import Store
from tests.desks import Bench
from tests.servers import HttpServer, SmtpServer, free_port, hang

BRAND = Brand("青禾榨汁机")
NOW = datetime(2026, 9, 1, 4, tzinfo=UTC)
SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="
PRAISE = (
    "太好用了，强烈推荐给大家，每天早上都在用",
    "质量特别好，出汁又多又细，全家都非常喜欢",
    "客服态度很好，送货也快，好评，下次还会回购",
    "清洗方便，声音小，孩子爱喝，买得真值",
    "用了一年还像新的一样，性价比很高，满意",
)
BLAME = (
    "太差了，用两次就坏，找客服根本不理人，差评",
    "质量垃圾，杯底一直漏水，退货还不给退，气死了",
    "后悔买了，噪音大得吓人，千万别买，上当了",
    "售后敷衍，拖了一个月没修好，太失望了",
    "刀头生锈，果汁一股铁味，劣质产品，坑人",
)


def posts(koc: str, *, praised: int = 15, blamed: int = 15, last: datetime = NOW - timedelta(hours=3)) -> list[Item]:
    """A KOC who praised, then blames, two sentences a day, never the same twice, the last at `last`."""
    said = [(PRAISE[i % 5], PRAISE[(i + 1 + i // 5) % 5]) for i in range(praised)]
    said += [(BLAME[i % 5], BLAME[(i + 1 + i // 5) % 5]) for i in range(blamed)]
    first = last - timedelta(days=1) * (len(said) - 1)
    return [
        Item("forum", f"{koc}-{i:02d}", koc, first + timedelta(days=i), f"青禾榨汁机{one}。{two}")
        for i, (one, two) in enumerate(said)
    ]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'a.db'}") as opened:
        yield opened


def bench_of(store: Store, *channels: EmailChannel | WebhookChannel) -> Bench:
    bench = Bench(store, (BRAND,), {one.name: one for one in channels}, clock=NOW)
    bench.roster([Koc(name, name, (Account("forum", name, ""),)) for name in ("甲", "乙", "丙")])
    return bench


def mail_to(port: int, **more: object) -> EmailChannel:
    return EmailChannel(
        name="mail", host="127.0.0.1", port=port, security="none", sender="a@example.org", to=("pr@example.org",), **more
    )  # type: ignore[arg-type]


def hook_to(url: str, **more: object) -> WebhookChannel:
    return WebhookChannel(name="hook", url=url, secret=SECRET, **more)  # type: ignore[arg-type]


def states(store: Store) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in store.deliveries():
        found.setdefault(one.channel, []).append(one.state)
    return {channel: sorted(each) for channel, each in found.items()}


def test_a_fresh_turn_arrives_by_mail_and_webhook_once_with_its_key_and_posts(store: Store) -> None:
    with SmtpServer() as smtp, HttpServer([(204, {}, b"")]) as http:
        bench = bench_of(store, mail_to(smtp.port), hook_to(http.url))
        bench.take(posts("甲"))
        done = pipeline.deliver(bench.desk())
        again = pipeline.deliver(bench.desk())
    alerts = store.alerts()
    assert [one.alert.level for one in alerts if one.alert.kind == "drift"] == ["amber", "red"]
    assert done.sent == 2 * len(alerts)
    assert again == pipeline.Delivered()
    assert len(smtp.mails) == len(http.requests) == 1, "one KOC's news share a message"
    letter = json.loads(http.requests[0].body)
    assert sorted(letter["data"]["alert_keys"]) == sorted(one.alert.key for one in alerts)
    assert any("差评" in post["text"] for alert in letter["data"]["alerts"] for post in alert["posts"])
    mail = message_from_bytes(smtp.mails[0], policy=default)
    text = mail.get_body(("plain",)).get_content()  # type: ignore[attr-defined]
    assert all(one.alert.key in text for one in alerts)
    assert "差评" in text


def test_old_turns_are_told_in_one_summary_and_never_one_by_one(store: Store) -> None:
    with HttpServer([(204, {}, b"")]) as http:
        bench = bench_of(store, hook_to(http.url))
        for koc in ("甲", "乙"):
            bench.take(posts(koc, last=NOW - timedelta(days=60)))
        done = pipeline.deliver(bench.desk())
    assert done.summarized == len(store.alerts()) >= 2
    assert [json.loads(one.body)["type"] for one in http.requests] == ["alert.summarized"]


def test_what_was_sent_and_is_not_true_any_more_gets_one_correction(store: Store) -> None:
    with HttpServer([(204, {}, b"")]) as http:
        bench = bench_of(store, hook_to(http.url))
        items = posts("甲")
        bench.take(items[15:])  # the praise was not heard yet …
        bench.take(items[:5])
        pipeline.deliver(bench.desk())
        told = len(http.requests)
        store.remove_kocs(["甲"])
        bench.catch_up()
        pipeline.deliver(bench.desk())
        pipeline.deliver(bench.desk())
    assert store.alerts() == []
    assert [json.loads(one.body)["type"] for one in http.requests[told:]] == ["alert.corrected"] * bool(told)
    assert told, "without an alert that was sent nothing is shown here"


@pytest.mark.parametrize(
    ("answer", "state", "wait"),
    [
        ((500, {}, b""), "pending", timedelta(seconds=10)),
        ((429, {"Retry-After": "120"}, b""), "pending", timedelta(seconds=120)),
        ((410, {}, b""), "dead", None),
        (hang, "pending", timedelta(seconds=10)),
    ],
    ids=["500", "429", "410", "hanging"],
)
def test_a_webhook_that_fails_is_tried_again_or_given_up(
    store: Store, answer: object, state: str, wait: timedelta | None
) -> None:
    with HttpServer([answer, (204, {}, b"")]) as http:  # type: ignore[list-item]
        bench = bench_of(store, hook_to(http.url, timeout_seconds=1.0))
        bench.take(posts("甲"))
        pipeline.deliver(bench.desk())
        (first,) = {(one.state, one.next_try_at) for one in store.deliveries()}
        assert first[0] == state
        if wait is not None:
            assert first[1] is not None
            assert NOW + wait <= first[1] <= NOW + wait * 1.11
            assert pipeline.deliver(bench.desk()) == pipeline.Delivered(), "not before its time"
            bench.clock = first[1]
            assert pipeline.deliver(bench.desk()).sent == len(store.alerts())
            ids = {one.headers["webhook-id"] for one in http.requests}
            assert len(ids) == 1, "a second try carries the same key"
        else:
            assert store.retry_dead() == len(store.alerts())
            assert pipeline.deliver(bench.desk()).sent == len(store.alerts())


def test_mail_waits_through_an_outage_of_three_days_and_then_arrives_once_with_few_tries(store: Store) -> None:
    port = free_port()
    bench = bench_of(store, mail_to(port, timeout_seconds=1.0))
    bench.take(posts("甲"))
    tries = 0
    while bench.clock < NOW + timedelta(days=3):
        pipeline.deliver(bench.desk())
        assert set(states(store)["mail"]) == {"pending"}
        bench.clock = max(one.next_try_at for one in store.deliveries() if one.next_try_at)
        tries += 1
        if bench.clock > NOW + timedelta(hours=2):  # the rest of the outage is as its first hours
            assert tries <= 2 * 6 + 5, "one try in ten minutes, once the channel rests"
            bench.clock, tries = bench.clock + timedelta(hours=9), 0
    assert {one.attempts for one in store.deliveries()} == {3}, "an attempt that a resting channel is tried with is not spent"
    assert all("127.0.0.1" in one.error for one in store.deliveries())
    with SmtpServer(port=port) as smtp:
        done = pipeline.deliver(bench.desk())
    assert (done.sent, done.retried, len(smtp.mails)) == (len(store.alerts()), 0, 1)
    assert store.channel_states()["mail"].failures == 0


def test_a_claim_that_runs_out_of_time_is_handed_back_unsent(store: Store) -> None:
    with HttpServer([(204, {}, b"")]) as http:
        bench = bench_of(store, hook_to(http.url))
        for koc in ("甲", "乙"):
            bench.take(posts(koc))
        times = iter([NOW, NOW, NOW, NOW, NOW, NOW + timedelta(minutes=9)])
        desk = replace(bench.desk(), now=lambda: next(times, NOW + timedelta(minutes=9)))
        done = pipeline.deliver(desk)
    assert done.sent == len(store.alerts())
    assert len(http.requests) == 2, "one message a KOC, none twice"


def test_a_channel_that_left_the_settings_is_given_up_in_words(store: Store) -> None:
    with HttpServer([(204, {}, b"")]) as http:
        bench = bench_of(store, hook_to(http.url))
        bench.take(posts("甲"))
        desk = bench.desk()
        bench.channels = {}
        done = pipeline.deliver(bench.desk())
    assert desk.channels == ("hook",)
    assert done.dead == len(store.alerts())
    assert "hook" in store.deliveries()[0].error
