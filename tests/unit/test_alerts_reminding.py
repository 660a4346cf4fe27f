"""Operational alerts: made once by the clock, taken away unsent and without a correction, left alone by every replay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from listener.alerts.reminding import reminders
from listener.keys import delivery_key, key_of
from storage.records import Alert, Delivery, Koc, Reminders, StoredAlert

NOW = datetime(2026, 10, 5, 1, tzinfo=UTC)
KOCS = {"K1": Koc("K1", "苏苏", (), tier="核心")}


def due(what: str, *, koc: str = "", kind: str = "case-due") -> Alert:
    return Alert(key_of(kind, koc, what), kind, None, "info", koc, "星澜", NOW, None, {"step": what}, ())


@dataclass
class Book:
    """The rows as a store keeps them."""

    alerts: dict[str, StoredAlert] = field(default_factory=dict)
    rows: dict[str, Delivery] = field(default_factory=dict)
    now: datetime = NOW

    def remind(self, *wanted: Alert, channels: Sequence[str] = ("mail", "hook")) -> Reminders:
        told: dict[str, list[Delivery]] = {}
        for one in self.rows.values():
            told.setdefault(one.alert_key, []).append(one)
        stored = list(self.alerts.values())
        made = reminders(wanted, stored=stored, deliveries=told, channels_of=lambda _: channels, kocs=KOCS, now=self.now)
        self.alerts |= {one.key: StoredAlert(one, "current", self.now, None) for one in made.alerts}
        self.alerts |= {key: replace(self.alerts[key], state="superseded", superseded_at=self.now) for key in made.superseded}
        self.rows |= {one.key: one for one in made.deliveries}
        self.rows |= {key: replace(self.rows[key], state="cancelled") for key in made.cancelled}
        return made

    def states(self) -> Mapping[str, str]:
        return {one.channel: one.state for one in self.rows.values()}


def test_what_is_due_gets_one_delivery_a_channel_and_only_once() -> None:
    book = Book()
    made = book.remind(due("contact"), due("verify"))
    assert len(made.alerts) == 2
    assert len(made.deliveries) == 4
    assert {one.next_try_at for one in made.deliveries} == {NOW}
    assert book.remind(due("contact"), due("verify")) == Reminders((), (), (), ())


def test_the_table_gives_the_severity_whatever_the_maker_wrote() -> None:
    common, first = Book().remind(due("contact"), due("contact", koc="K1")).alerts
    assert {common.koc_id: common.severity, first.koc_id: first.severity} == {"": "watch", "K1": "important"}


def test_what_is_settled_is_taken_away_unsent_and_nobody_is_corrected() -> None:
    book = Book()
    book.remind(due("contact"))
    sent = delivery_key(due("contact").key, "mail", "alert")
    book.rows[sent] = replace(book.rows[sent], state="sent")
    made = book.remind()
    assert made.superseded == (due("contact").key,)
    assert made.deliveries == ()
    assert book.states() == {"mail": "sent", "hook": "cancelled"}
    assert book.remind() == Reminders((), (), (), ()), "a second time it changes nothing"


def test_what_is_due_again_reaches_those_who_heard_nothing() -> None:
    book = Book()
    book.remind(due("contact"))
    sent = delivery_key(due("contact").key, "mail", "alert")
    book.rows[sent] = replace(book.rows[sent], state="sent")
    book.remind()
    book.now += timedelta(hours=1)
    made = book.remind(due("contact"))
    assert [one.channel for one in made.deliveries] == ["hook"]
    assert book.states() == {"mail": "sent", "hook": "pending"}


def test_what_grows_is_written_anew_and_told_no_second_time() -> None:
    book = Book()
    book.remind(due("contact"))
    made = book.remind(replace(due("contact"), evidence={"step": "contact", "days": 3}))
    assert [one.evidence["days"] for one in made.alerts] == [3]
    assert made.deliveries == ()


def test_a_kind_that_replays_make_is_refused() -> None:
    with pytest.raises(ValueError, match="silence"):
        Book().remind(due("x", kind="silence"))
