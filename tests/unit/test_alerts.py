"""Verdict → alerts: keys, evidence, severity."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from listener.alerts.making import MOST_POSTS, alerts_of
from listener.alerts.reconcile import reconcile
from listener.keys import delivery_key, key_of
from storage.records import (
    Account,
    Changes,
    Delivery,
    Drift,
    DriftState,
    Evidence,
    Koc,
    Level,
    PostKey,
    Share,
    StoredAlert,
    Verdict,
)

DAY = timedelta(days=1)
TURN = datetime(2026, 4, 14, 8, tzinfo=UTC)
NOW = datetime(2026, 5, 1, 8, tzinfo=UTC)


def post(n: int) -> PostKey:
    return PostKey("weibo", f"p{n:03d}")


def a_drift(level: Level = "red", tip: int = 9, shares: int = 10, fired_at: datetime = TURN + 9 * DAY) -> Drift:
    evidence = Evidence(
        before_n=11,
        before_mean=0.75,
        after_n=shares,
        after_mean=-0.39,
        after_against=7,
        log_odds_advocate=9.5500004,
        log_odds_never=7.0,
        log_odds_cooled=6.4,
        posterior=0.91,
        closest="cooled",
        turn_low=TURN - DAY,
        turn_high=TURN + DAY,
        shares=tuple(Share(post(n), 1.0 - 0.01 * n) for n in range(shares)),
        promise_per_1000_koc_years=1.0,
        calibration="default-1",
    )
    return Drift("K1", "星澜", level, fired_at, post(tip), TURN, evidence)


def a_state() -> DriftState:
    return DriftState("K1", "星澜", "critic", 21, 0.75, -0.39, TURN + 9 * DAY, 0.91, "turned", (), "default-1")


def a_verdict(*drifts: Drift) -> Verdict:
    return Verdict(a_state(), drifts)


def a_koc(tier: str = "") -> Koc:
    return Koc("K1", "小满", (Account("weibo", "1001", "ab" * 32),), owner="阿宁", tier=tier)


class Desk:
    """A store in memory: applies changes as the real one does, one row a key."""

    def __init__(self, *channels: str) -> None:
        self.channels = channels or ("mail",)
        self.stored: dict[str, StoredAlert] = {}
        self.rows: dict[str, Delivery] = {}
        self.now = NOW

    def watch(self, *drifts: Drift) -> Changes:
        changes = self.decide(*drifts)
        for alert in changes.alerts:
            known = self.stored.get(alert.key)
            at = known.recorded_at if known else self.now
            self.stored[alert.key] = StoredAlert(alert, "current", at, None)
        for key in changes.superseded:
            self.stored[key] = replace(self.stored[key], state="superseded", superseded_at=self.now)
        for row in changes.deliveries:
            assert row.key not in self.rows or self.rows[row.key].state == "cancelled"
            self.rows[row.key] = row
        for key in changes.cancelled:
            assert self.rows[key].state == "pending"
            self.rows[key] = replace(self.rows[key], state="cancelled")
        return changes

    def decide(self, *drifts: Drift) -> Changes:
        return reconcile(
            a_verdict(*drifts),
            stored=list(self.stored.values()),
            deliveries=list(self.rows.values()),
            channels=self.channels,
            koc=a_koc(),
            now=self.now,
        )

    def set_state(self, kind: str, state: str, channel: str = "mail", **more: object) -> Delivery:
        row = [one for one in self.rows.values() if one.kind == kind and one.channel == channel][-1]
        self.rows[row.key] = replace(row, state=state, **more)  # type: ignore[arg-type]
        return self.rows[row.key]

    def states(self, channel: str = "mail") -> list[tuple[str, str]]:
        return [(one.kind, one.state) for one in self.rows.values() if one.channel == channel]


# ------------------------------------------------------------------------------------------------------ alerts_of


def test_an_alert_key_is_a_function_of_kind_brand_koc_level_and_tipping_post_alone() -> None:
    one, other = a_drift(), a_drift(shares=12, fired_at=TURN + 20 * DAY)
    [first], [second] = alerts_of(a_verdict(one)), alerts_of(a_verdict(other), tier="S")
    assert first.key == second.key
    assert first.key == key_of("drift", "星澜", "K1", "red", "weibo", "p009")
    assert len(first.key) == 32
    assert int(first.key, 16)


@pytest.mark.parametrize(
    "other",
    [replace(a_drift(), level="amber"), replace(a_drift(), koc_id="K2"), replace(a_drift(), brand="墨羽"), a_drift(tip=8)],
)
def test_another_level_koc_brand_or_tipping_post_is_another_alert(other: Drift) -> None:
    keys = {alert.key for alert in alerts_of(a_verdict(a_drift(), other))}
    assert len(keys) == 2


def test_every_drift_becomes_an_alert_in_order() -> None:
    made = alerts_of(a_verdict(a_drift("amber", tip=5), a_drift("red", tip=9)))
    assert [(one.kind, one.level, one.severity) for one in made] == [("drift", "amber", "watch"), ("drift", "red", "important")]


@pytest.mark.parametrize(("tier", "severity"), [("", "important"), ("B", "important"), (" s ", "urgent"), ("核心", "urgent")])
def test_a_red_of_the_first_tier_is_urgent(tier: str, severity: str) -> None:
    [alert] = alerts_of(a_verdict(a_drift()), tier)
    assert alert.severity == severity


def test_the_posts_are_all_since_the_turn_in_order_when_they_are_few() -> None:
    [alert] = alerts_of(a_verdict(a_drift()))
    assert alert.posts == tuple(post(n) for n in range(10))


def test_of_many_posts_the_strongest_are_kept_and_the_tipping_one_always() -> None:
    drift = a_drift(tip=39, shares=40)  # shares fall with time: the tipping post is the weakest
    [alert] = alerts_of(a_verdict(drift))
    assert alert.posts == (*(post(n) for n in range(MOST_POSTS - 1)), post(39))
    assert [share["post_id"] for share in alert.evidence["shares"]] == [one.post_id for one in alert.posts]
    assert alert.evidence["after_n"] == 40


def test_a_tipping_post_without_a_share_is_still_quoted() -> None:
    [alert] = alerts_of(a_verdict(a_drift(tip=77)))
    assert alert.posts[-1] == post(77)


def test_the_evidence_survives_json_unchanged() -> None:
    [alert] = alerts_of(a_verdict(a_drift()))
    assert json.loads(json.dumps(alert.evidence)) == alert.evidence
    assert alert.evidence["log_odds_advocate"] == 9.55
    assert alert.evidence["turn_low"] == "2026-04-13T08:00:00+00:00"


# ------------------------------------------------------------------------------------------------------ reconcile


def test_a_new_alert_is_pending_on_every_channel() -> None:
    desk = Desk("mail", "hook")
    desk.watch(a_drift())
    assert desk.states("mail") == desk.states("hook") == [("alert", "pending")]
    assert len({one.key for one in desk.rows.values()}) == 2
    assert all(one.next_try_at == NOW for one in desk.rows.values())


def test_reconciling_twice_changes_nothing() -> None:
    desk = Desk("mail", "hook")
    desk.watch(a_drift("amber", tip=5), a_drift())
    again = desk.decide(a_drift("amber", tip=5), a_drift())
    assert (again.deliveries, again.cancelled, again.superseded) == ((), (), ())
    assert len(again.alerts) == 2


def test_a_channel_added_later_hears_only_of_what_is_recorded_from_then_on() -> None:
    desk = Desk("mail")
    desk.watch(a_drift("amber", tip=5))
    desk.channels = ("mail", "hook")
    desk.watch(a_drift("amber", tip=5), a_drift())
    assert len(desk.states("mail")) == 2
    [row] = [one for one in desk.rows.values() if one.channel == "hook"]
    assert desk.stored[row.alert_key].alert.level == "red"


def test_without_channels_alerts_are_recorded_all_the_same() -> None:
    desk = Desk()
    desk.channels = ()
    assert len(desk.watch(a_drift()).alerts) == 1
    assert desk.rows == {}


def test_other_evidence_for_the_same_alert_tells_nobody_again() -> None:
    desk = Desk()
    desk.watch(a_drift())
    desk.set_state("alert", "sent")
    changes = desk.watch(a_drift(shares=14))
    assert changes.alerts[0].evidence["after_n"] == 14
    assert desk.states() == [("alert", "sent")]


def test_an_alert_that_vanished_unsent_is_superseded_and_cancelled() -> None:
    desk = Desk()
    desk.watch(a_drift())
    changes = desk.watch()
    assert changes.superseded == tuple(desk.stored)
    assert desk.states() == [("alert", "cancelled")]
    assert desk.decide().superseded == ()


@pytest.mark.parametrize("state", ["sent", "summarized"])
def test_an_alert_that_vanished_after_it_was_heard_is_corrected_once(state: str) -> None:
    desk = Desk()
    desk.watch(a_drift())
    desk.set_state("alert", state)
    desk.watch()
    desk.watch()
    assert desk.states() == [("alert", state), ("correction", "pending")]


def test_a_correction_waits_until_the_sending_of_its_alert_has_ended() -> None:
    desk = Desk()
    desk.watch(a_drift())
    until = NOW + timedelta(minutes=3)
    desk.set_state("alert", "sending", claimed_until=until)
    changes = desk.watch()
    assert [(one.kind, one.next_try_at) for one in changes.deliveries] == [("correction", until)]


def test_where_sending_failed_and_the_alert_is_gone_neither_alert_nor_correction_goes_out() -> None:
    desk = Desk()
    desk.watch(a_drift())
    desk.set_state("alert", "sending", claimed_until=NOW)
    desk.watch()
    desk.set_state("alert", "pending")
    desk.watch()
    assert desk.states() == [("alert", "cancelled"), ("correction", "cancelled")]
    assert desk.decide().cancelled == ()


def test_an_alert_given_up_is_not_corrected() -> None:
    desk = Desk()
    desk.watch(a_drift())
    desk.set_state("alert", "dead")
    desk.watch()
    assert desk.states() == [("alert", "dead")]


def test_an_alert_that_is_back_before_anybody_heard_is_pending_again_under_its_key() -> None:
    desk = Desk()
    desk.watch(a_drift())
    desk.watch()
    [before] = desk.rows
    desk.watch(a_drift())
    assert desk.states() == [("alert", "pending")]
    assert list(desk.rows) == [before]


def test_an_alert_that_is_back_before_its_correction_left_is_neither_corrected_nor_told_again() -> None:
    desk = Desk()
    desk.watch(a_drift())
    desk.set_state("alert", "sent")
    desk.watch()
    desk.watch(a_drift())
    assert desk.states() == [("alert", "sent"), ("correction", "cancelled")]
    desk.watch()
    assert desk.states() == [("alert", "sent"), ("correction", "pending")]


@pytest.mark.parametrize(("state", "until"), [("sent", None), ("summarized", None), ("sending", NOW + timedelta(minutes=3))])
def test_an_alert_that_is_back_after_its_correction_is_told_again_under_a_new_key(state: str, until: datetime | None) -> None:
    desk = Desk()
    desk.watch(a_drift())
    desk.set_state("alert", "sent")
    desk.watch()
    desk.set_state("correction", state, claimed_until=until)
    [row] = desk.watch(a_drift()).deliveries
    assert (row.kind, row.state, row.next_try_at) == ("alert", "pending", until or NOW)
    assert len(desk.rows) == 3
    assert desk.decide(a_drift()).deliveries == ()
    desk.set_state("alert", "sent")
    desk.watch()
    assert desk.states()[2:] == [("alert", "sent"), ("correction", "pending")]


def test_an_alert_cut_while_sent_and_corrected_is_told_under_a_new_key_when_it_is_back() -> None:
    desk = Desk()
    desk.watch(a_drift())
    desk.set_state("alert", "sending", claimed_until=NOW)
    desk.watch()
    desk.set_state("alert", "cancelled")  # claimed again after a crash, moot
    desk.set_state("correction", "sent")
    desk.watch(a_drift())
    assert desk.states() == [("alert", "cancelled"), ("correction", "sent"), ("alert", "pending")]


def test_an_alert_that_may_have_arrived_when_its_sender_died_is_corrected_though_its_next_try_failed() -> None:
    desk = Desk()
    desk.watch(a_drift())
    desk.set_state("alert", "pending", in_doubt=True, attempts=2)
    desk.watch()
    assert desk.states() == [("alert", "cancelled"), ("correction", "pending")]
    assert desk.decide().deliveries == ()
    desk.watch(a_drift())
    assert desk.states() == [("alert", "pending"), ("correction", "cancelled")]
    assert desk.set_state("alert", "pending").in_doubt


def test_an_alert_heard_once_is_corrected_though_it_came_back_and_went_while_its_correction_failed() -> None:
    desk = Desk()
    desk.watch(a_drift())
    desk.set_state("alert", "sent")
    desk.watch()
    desk.set_state("correction", "sending", claimed_until=NOW)
    desk.watch(a_drift())
    desk.set_state("correction", "cancelled", attempts=1)  # it failed, and was moot when it was claimed again
    desk.watch()
    assert sorted(desk.states()) == [("alert", "cancelled"), ("alert", "sent"), ("correction", "pending")]
    assert desk.decide().deliveries == ()
    desk.watch(a_drift())
    assert sorted(desk.states()) == [("alert", "pending"), ("alert", "sent"), ("correction", "cancelled")]


def test_a_channel_that_is_gone_gets_nothing_new_but_its_unsent_news_is_cancelled() -> None:
    desk = Desk("mail", "hook")
    desk.watch(a_drift())
    desk.set_state("alert", "sent", "hook")
    desk.channels = ()
    desk.watch()
    assert desk.states("mail") == [("alert", "cancelled")]
    assert desk.states("hook") == [("alert", "sent")]
    desk.channels = ("hook",)
    desk.watch()
    assert desk.states("hook")[1:] == [("correction", "pending")]


def test_an_alert_of_another_kind_that_is_not_wanted_any_more_is_superseded_too() -> None:
    desk = Desk()
    desk.watch(a_drift())
    [(key, one)] = desk.stored.items()
    desk.stored[key] = replace(one, alert=replace(one.alert, kind="silence", level=None))
    assert desk.watch().superseded == (key,)
    assert desk.states() == [("alert", "cancelled")]


def test_without_a_koc_on_the_roster_the_alert_has_the_common_severity() -> None:
    changes = reconcile(a_verdict(a_drift()), stored=(), deliveries=(), channels=(), koc=None, now=NOW)
    assert changes.alerts[0].severity == "important"
    first_tier = reconcile(a_verdict(a_drift()), stored=(), deliveries=(), channels=(), koc=a_koc("S"), now=NOW)
    assert first_tier.alerts[0].severity == "urgent"


# ------------------------------------------------------------------------------------------- routes and escalations


def test_an_alert_goes_to_its_own_channels_and_its_correction_to_whoever_heard_of_it() -> None:
    desk = Desk("mail", "boss")
    made = reconcile(
        a_verdict(a_drift()),
        stored=(),
        deliveries=(),
        channels=desk.channels,
        koc=a_koc(),
        now=NOW,
        channels_of=lambda alert: ("mail",),
    )
    assert [one.channel for one in made.deliveries] == ["mail"]


def escalated(desk: Desk, state: str) -> Delivery:
    """The alert told by mail, and escalated to a channel that was told nothing of it before."""
    desk.watch(a_drift())
    desk.set_state("alert", "sent", sent_at=NOW)
    key = next(iter(desk.stored))
    row = Delivery(delivery_key(key, "boss", "escalation"), key, "boss", "escalation", state, NOW)  # type: ignore[arg-type]
    desk.rows[row.key] = row
    desk.channels = ("mail", "boss")
    return row


def test_who_heard_of_an_alert_by_its_escalation_hears_of_its_end() -> None:
    desk = Desk()
    escalated(desk, "sent")
    changes = desk.watch()
    assert sorted(one.channel for one in changes.deliveries) == ["boss", "mail"]
    assert {one.kind for one in changes.deliveries} == {"correction"}
    assert desk.watch().deliveries == (), "once"


def test_an_escalation_that_nobody_received_is_cancelled_with_its_alert() -> None:
    desk = Desk()
    row = escalated(desk, "pending")
    changes = desk.watch()
    assert row.key in changes.cancelled
    assert [one.channel for one in changes.deliveries] == ["mail"]


def test_an_alert_that_is_back_is_told_again_to_nobody_who_was_only_told_of_its_escalation() -> None:
    desk = Desk()
    escalated(desk, "sent")
    desk.watch()
    desk.set_state("correction", "sent", "mail", sent_at=NOW)
    desk.set_state("correction", "sent", "boss", sent_at=NOW)
    back = reconcile(
        a_verdict(a_drift()),
        stored=list(desk.stored.values()),
        deliveries=list(desk.rows.values()),
        channels=desk.channels,
        koc=a_koc(),
        now=NOW,
        channels_of=lambda alert: ("mail",),
    )
    assert [(one.kind, one.channel) for one in back.deliveries] == [("alert", "mail")]
