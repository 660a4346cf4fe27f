"""Signals → alerts of their own kinds: keys, severity, and what is told of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from listener.alerts.making import alerts_of
from listener.alerts.reconcile import reconcile
from listener.alerts.severities import SEVERITIES, severity_of
from listener.keys import key_of
from listener.text.words import WORDS
from storage.records import (
    OPERATIONAL_KINDS,
    QUIET_KINDS,
    Changes,
    Delivery,
    DriftState,
    Koc,
    PostKey,
    Severity,
    Signal,
    StoredAlert,
    Verdict,
)

AT = datetime(2026, 4, 14, 8, tzinfo=UTC)
NOW = AT + timedelta(days=2)
KEY = PostKey("weibo", "p1")


def a_signal(kind: str = "first-negative", koc_id: str = "K1", ended_at: datetime | None = None) -> Signal:
    return Signal(kind, koc_id, "星澜", AT, KEY, {"before_n": 9}, (KEY,), ended_at)


def a_verdict(*signals: Signal) -> Verdict:
    koc_id = signals[0].koc_id if signals else "K1"
    return Verdict(DriftState(koc_id, "星澜", "advocate", 9, 0.8, 0.8, AT, 0.0, "loyal", (), "c1"), (), signals)


class Desk:
    """A store in memory."""

    def __init__(self) -> None:
        self.stored: dict[str, StoredAlert] = {}
        self.rows: dict[str, Delivery] = {}

    def watch(self, *signals: Signal) -> Changes:
        changes = reconcile(
            a_verdict(*signals),
            stored=list(self.stored.values()),
            deliveries=list(self.rows.values()),
            channels=("mail",),
            koc=None,
            now=NOW,
        )
        self.stored |= {alert.key: StoredAlert(alert, "current", NOW, None) for alert in changes.alerts}
        self.stored |= {key: replace(self.stored[key], state="superseded", superseded_at=NOW) for key in changes.superseded}
        self.rows |= {row.key: row for row in changes.deliveries}
        self.rows |= {key: replace(self.rows[key], state="cancelled") for key in changes.cancelled}
        return changes

    def states(self) -> list[tuple[str, str]]:
        return [(one.kind, one.state) for one in self.rows.values()]


def test_the_key_names_kind_brand_koc_and_the_mention_that_tipped_it() -> None:
    (alert,) = alerts_of(a_verdict(a_signal()))
    assert alert.key == key_of("first-negative", "星澜", "K1", "", "weibo", "p1")
    others = [a_signal("silence"), a_signal(koc_id="K2"), replace(a_signal(), tipped_by=PostKey("weibo", "p2"))]
    keys = {alerts_of(a_verdict(one))[0].key for one in (a_signal(), *others)}
    assert len(keys) == 4
    later = replace(a_signal(), evidence={"before_n": 10}, ended_at=NOW)
    assert alerts_of(a_verdict(later))[0].key == alert.key, "what is known of it may grow"


def test_an_alert_of_a_signal_carries_its_evidence_its_end_and_no_level() -> None:
    (alert,) = alerts_of(a_verdict(a_signal(ended_at=NOW)))
    assert (alert.level, alert.turned_at, alert.fired_at, alert.posts) == (None, None, AT, (KEY,))
    assert alert.evidence == {"before_n": 9, "ended_at": NOW.isoformat()}
    assert alert.ended_at == NOW


def test_drifts_and_signals_stand_side_by_side() -> None:
    desk = Desk()
    desk.watch(a_signal(), a_signal("silence"))
    assert desk.states() == [("alert", "pending")] * 2
    assert desk.watch(a_signal()).superseded == (alerts_of(a_verdict(a_signal("silence")))[0].key,)
    assert desk.states() == [("alert", "pending"), ("alert", "cancelled")]


@pytest.mark.parametrize("kind", sorted(QUIET_KINDS))
def test_a_quiet_one_that_is_over_before_it_was_recorded_is_recorded_and_told_to_nobody(kind: str) -> None:
    desk = Desk()
    changes = desk.watch(a_signal(kind, ended_at=NOW))
    assert len(changes.alerts) == 1
    assert desk.states() == []
    desk.watch(a_signal(kind, ended_at=NOW))
    assert desk.states() == []
    desk.watch(a_signal(kind))
    assert desk.states() == [("alert", "pending")], "a late post has shown that it goes on"


def test_one_that_was_told_and_is_over_is_neither_corrected_nor_told_again() -> None:
    desk = Desk()
    desk.watch(a_signal())
    (key,) = desk.rows
    desk.rows[key] = replace(desk.rows[key], state="sent", sent_at=NOW)
    desk.watch(a_signal(ended_at=NOW))
    desk.watch(a_signal())
    assert desk.states() == [("alert", "sent")]


def test_a_shift_of_the_whole_brand_is_told_though_it_is_over() -> None:
    desk = Desk()
    desk.watch(a_signal("brand-shift", koc_id="", ended_at=NOW))
    assert desk.states() == [("alert", "pending")]


def test_every_kind_of_the_table_has_words_and_severities_for_both_tiers() -> None:
    for kind, level in SEVERITIES:
        assert kind in WORDS["alert-kind"]
        for tier in ("", "核心"):
            assert severity_of(kind, level, tier) in get_args(Severity)
    assert {kind for kind, _ in SEVERITIES} == set(WORDS["alert-kind"]) > QUIET_KINDS | OPERATIONAL_KINDS


def test_the_tier_of_the_koc_makes_a_silence_graver_and_a_first_negative_not() -> None:
    top = Koc("K1", "小满", (), tier="S")
    made = reconcile(a_verdict(a_signal(), a_signal("silence")), stored=(), deliveries=(), channels=(), koc=top, now=NOW)
    assert [(one.kind, one.severity) for one in made.alerts] == [("first-negative", "info"), ("silence", "watch")]
