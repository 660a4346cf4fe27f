"""The alert policy over a real database: what is held survives, is told once, and says why; escalations are made once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from listener import pipeline
from listener.alerts.owing import Ladder
from listener.alerts.policy import Policy
from listener.alerts.routing import Directory, Person, Route, Shift, on_call, stand_in
from listener.cases.acts import Said, do_step, open_case
from listener.channels.door import ChannelError
from listener.cli import run
from listener.text.views import AlertView
from listener.working_days import Hours
from listener.workspace import create
from storage.policy_records import Mute
from storage.records import Brand, Counts, Delivery, Message, PostKey, StoreError
from storage.store import Store
from tests.desks import Bench
from tests.stored import BRAND, alert, changes, koc, listen, post, watch_all

ZONE = ZoneInfo("Asia/Shanghai")
NIGHT = datetime(2026, 9, 15, 23, tzinfo=ZONE).astimezone(UTC)
MORNING = datetime(2026, 9, 16, 8, tzinfo=ZONE).astimezone(UTC)
HOUR = timedelta(hours=1)
BY_DAY = Policy(hours=Hours("Asia/Shanghai", (time(22), time(8)), "china"), digest=(time(9),), cool_down=12 * HOUR, storm=20)
TEAM = Directory(("mail", "phone"), (Person("王敏", ("phone",)),), rota=(Shift("王敏"),))


@dataclass
class Wire:
    """A channel that keeps what it is sent; down: it takes nothing."""

    name: str
    got: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    severities: list[str] = field(default_factory=list)
    down: bool = False

    def send(self, message: Message, views: Sequence[AlertView], now: datetime) -> None:
        if self.down:
            raise ChannelError("no answer")
        self.got.append((message.kind, tuple(one.alert_key for one in message.deliveries)))
        self.severities += [view.alert.severity for view in views]

    def test(self, now: datetime) -> None:
        raise NotImplementedError

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.got]


@dataclass
class Office:
    """A store, its wires, and a desk at any hour."""

    url: str
    store: Store
    wires: dict[str, Wire]
    policy: Policy = BY_DAY
    directory: Directory | None = None
    ladder: Ladder = field(default_factory=Ladder)

    def deliver(self, now: datetime, store: Store | None = None) -> pipeline.Delivered:
        bench = Bench(
            store or self.store,
            (Brand(BRAND),),
            self.wires,
            clock=now,
            policy=self.policy,
            directory=self.directory,
            ladder=self.ladder,
        )
        return pipeline.deliver(bench.desk())

    def raise_alerts(self, *keys: str, now: datetime = NIGHT, who: str = "k1", **fields: Any) -> None:
        made = [alert(key, who, fired_at=now, **fields) for key in keys]
        rows = [
            Delivery(f"{key}-{name}", key, name, "alert", "pending", now, next_try_at=now)
            for key in keys
            for name in self.wires
        ]
        self.store.mark_dirty([who])
        with self.store.watching(brands=[BRAND]) as watch:
            assert watch is not None
            watch.record(changes(who, alerts=(*self.current(who), *made), deliveries=tuple(rows)), at=now)

    def current(self, who: str) -> list[object]:
        return [one.alert for one in self.store.alerts(koc=who)]

    def rows(self) -> dict[str, Delivery]:
        return {one.key: one for one in self.store.deliveries()}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    store = Store.open(url)
    store.save_kocs([koc(f"k{n}", f"a{n}") for n in range(1, 4)])
    watch_all(store)
    yield Office(url, store, {"mail": Wire("mail")})
    store.close()


def test_what_is_held_says_why_and_until_when_and_is_told_once_after_a_restart(office: Office) -> None:
    office.raise_alerts("a", level="amber", severity="watch")
    assert office.deliver(NIGHT) == pipeline.Delivered(held=1)
    row = office.rows()["a-mail"]
    assert (row.state, row.held, row.next_try_at, row.attempts) == ("pending", "quiet-hours", MORNING, 0)
    assert [(one.reason, one.at, one.until) for one in office.store.holds(["a-mail"])] == [("quiet-hours", NIGHT, MORNING)]
    assert office.deliver(NIGHT + HOUR) == pipeline.Delivered(), "it is not looked at again before"
    with Store.open(office.url) as again:
        assert office.deliver(MORNING, again).summarized == 1
        assert office.deliver(MORNING, again) == pipeline.Delivered()
    row = office.rows()["a-mail"]
    assert (row.state, row.held, row.told_in) == ("summarized", "", "digest")
    assert office.wires["mail"].got == [("digest", ("a",))]


def test_what_is_held_is_looked_at_again_when_the_settings_change(office: Office) -> None:
    office.store.decide_anew("quiet at night", NIGHT)
    office.raise_alerts("a", level="amber", severity="watch")
    office.deliver(NIGHT)
    assert office.store.counts()["deliveries.held"] == 1
    assert office.store.counts()["deliveries.pending"] == 0, "nothing that `listener deliver` would send now"
    assert not office.store.decide_anew("quiet at night", NIGHT + HOUR)
    assert office.deliver(NIGHT + HOUR) == pipeline.Delivered()
    assert office.store.decide_anew("as quiet, in other words", NIGHT + HOUR)
    assert office.deliver(NIGHT + HOUR) == pipeline.Delivered(held=1), "it is night by these settings too"
    assert office.rows()["a-mail"].next_try_at == MORNING
    office.policy = replace(BY_DAY, hours=Hours("Asia/Shanghai", None, "none"), digest=())
    assert office.store.decide_anew("never quiet", NIGHT + HOUR)
    assert office.deliver(NIGHT + HOUR).sent == 1


def test_a_process_that_dies_with_a_held_delivery_claimed_loses_nothing(office: Office) -> None:
    office.raise_alerts("a", level="amber", severity="watch")
    assert office.store.claim_due(NIGHT, lease=HOUR / 6)
    assert office.deliver(NIGHT + HOUR / 12) == pipeline.Delivered(), "still claimed by the dead"
    assert office.deliver(NIGHT + HOUR / 5) == pipeline.Delivered(held=1)
    office.deliver(MORNING)
    office.deliver(MORNING + HOUR)
    assert office.wires["mail"].got == [("digest", ("a",))]


def test_two_processes_in_the_morning_tell_each_alert_once(office: Office) -> None:
    for number in range(1, 4):
        office.raise_alerts(f"a{number}", who=f"k{number}", level="amber", severity="watch")
    office.deliver(NIGHT)
    with Store.open(office.url) as one, Store.open(office.url) as other:
        first = one.claim_due(MORNING, lease=HOUR / 6)
        assert office.deliver(MORNING, other) == pipeline.Delivered()
        assert len(first) == 3
        assert office.deliver(MORNING + HOUR / 4, other).summarized == 3
        assert office.deliver(MORNING + HOUR / 4, one) == pipeline.Delivered()
    assert sorted(key for _, keys in office.wires["mail"].got for key in keys) == ["a1", "a2", "a3"]


def test_what_was_withdrawn_while_it_was_held_is_never_told(office: Office) -> None:
    office.raise_alerts("a", level="amber", severity="watch")
    office.deliver(NIGHT)
    office.store.mark_dirty(["k1"])
    with office.store.watching(brands=[BRAND]) as watch:
        assert watch is not None
        watch.record(changes("k1", superseded=("a",)), at=NIGHT + HOUR)
    office.deliver(MORNING)
    assert office.wires["mail"].got == []
    assert office.rows()["a-mail"].state == "cancelled"


def test_at_night_a_red_goes_to_whoever_is_on_call_and_to_the_team_in_the_morning(office: Office) -> None:
    office.directory, office.policy = TEAM, replace(BY_DAY, on_call=lambda now: on_call(TEAM, now))
    office.raise_alerts("a", level="red", severity="important")
    office.wires["phone"] = Wire("phone")
    assert office.deliver(NIGHT) == pipeline.Delivered(sent=1, held=1)
    assert office.wires["phone"].kinds == ["alert"]
    assert office.wires["mail"].kinds == []
    office.deliver(MORNING)
    assert office.wires["mail"].kinds == ["alert"]
    assert office.wires["phone"].kinds == ["alert"]


def test_at_night_the_next_of_the_rota_is_told_where_the_channel_of_whoever_is_on_call_is_down(office: Office) -> None:
    team = replace(
        TEAM,
        channels=("mail", "phone", "other"),
        people=(*TEAM.people, Person("李雷", ("other",))),
        rota=(*TEAM.rota, Shift("李雷", weekdays=frozenset({0}))),
    )
    office.directory = team
    office.policy = replace(
        BY_DAY, on_call=lambda now: on_call(team, now), stand_in=lambda now, down: stand_in(team, now, down)
    )
    office.raise_alerts("a", level="red", severity="important")
    office.wires |= {"phone": Wire("phone", down=True), "other": Wire("other")}
    for minutes in (0, 1, 3, 9):
        office.deliver(NIGHT + timedelta(minutes=minutes))
    assert office.wires["other"].kinds == [], "four failures make it down"
    office.deliver(NIGHT + timedelta(minutes=10))
    assert office.wires["other"].kinds == ["alert"]
    assert office.wires["mail"].kinds == [], "the team is told in the morning"
    told = next(one for one in office.store.deliveries() if one.channel == "other")
    assert [hold.reason for hold in office.store.holds([told.key])] == ["stand-in"], "it is noted why"
    office.deliver(NIGHT + timedelta(minutes=30))
    assert office.wires["other"].kinds == ["alert"], "once"
    office.wires["phone"].down = False
    office.deliver(MORNING)
    assert office.wires["phone"].kinds == office.wires["mail"].kinds == ["alert"]


def test_two_hundred_alerts_arrive_as_one_message_and_the_next_an_hour_later(office: Office) -> None:
    office.store.save_kocs([koc(f"s{n}", f"b{n}") for n in range(205)])
    watch_all(office.store)
    noon = MORNING + 4 * HOUR
    for number in range(200):
        office.raise_alerts(f"x{number}", who=f"s{number}", now=noon, level="amber", severity="watch")
    assert office.deliver(noon).summarized == 200
    assert office.wires["mail"].kinds == ["storm"]
    office.raise_alerts("late", who="s201", now=noon + HOUR / 2, level="amber", severity="watch")
    assert office.deliver(noon + HOUR / 2) == pipeline.Delivered(held=1)
    assert office.rows()["late-mail"].held == "storm"
    office.deliver(noon + HOUR)
    assert office.wires["mail"].got[1:] == [("storm", ("late",))]


def test_a_mute_holds_and_its_early_end_lets_go_into_the_digest(office: Office) -> None:
    noon = MORNING + 4 * HOUR
    made = office.store.mute(Mute("", "k1", "", "", noon, noon + timedelta(days=30), "召回公告", "王敏"))
    assert office.store.mute(replace(made, at=noon + HOUR, reason="again")) == made, "the same mute stands already"
    office.raise_alerts("a", now=noon, level="red", severity="urgent")
    assert office.deliver(noon) == pipeline.Delivered(held=1)
    assert office.rows()["a-mail"].held == "muted"
    office.store.unmute(made.key, who="李雷", at=noon + HOUR)
    assert office.deliver(noon + HOUR).sent == 1, "a red is not mild"
    with pytest.raises(StoreError, match="李雷"):
        office.store.unmute(made.key, who="王敏", at=noon + HOUR)
    with pytest.raises(StoreError, match="no mute"):
        office.store.unmute("none", who="王敏", at=noon)


def test_feedback_that_is_answered_in_its_case_by_now_is_held_with_that_reason_and_not_escalated(office: Office) -> None:
    noon = NIGHT + 13 * HOUR
    office.ladder = Ladder({"watch": HOUR, "important": HOUR}, (("王敏",),))
    office.directory = TEAM
    raised: dict[str, Any] = {
        "evidence": {"first_at": NIGHT.isoformat()},
        "kind": "unresolved-feedback",
        "level": None,
        "severity": "important",
    }
    office.raise_alerts("early", now=noon, **raised)
    office.raise_alerts("other", now=noon, who="k2", **raised)
    for who, days in (("k1", 0), ("k2", -1)):
        said = Said("阿宁", NIGHT + timedelta(days=days, hours=1), "来信")
        opened = open_case(said, brand=BRAND, koc_id=who, variant="care")
        office.store.act([opened])
        office.store.act([do_step(opened.case, (), "contact", replace(said, note="打了电话"))])
    office.deliver(noon)
    assert {key for wire in office.wires.values() for _, keys in wire.got for key in keys} == {"other"}
    rows = [one for one in office.store.deliveries() if one.alert_key == "early"]
    assert {(one.held, one.next_try_at) for one in rows} == {("answered", MORNING + 25 * HOUR)}
    office.deliver(noon + 2 * HOUR)
    kinds = {(one.alert_key, one.kind) for one in office.store.deliveries()}
    assert ("other", "escalation") in kinds
    assert ("early", "escalation") not in kinds


def test_what_nobody_takes_on_is_escalated_once_by_however_many_processes_and_stops_when_taken(office: Office) -> None:
    office.directory = replace(TEAM, rota=())
    office.ladder = Ladder({"urgent": HOUR / 2}, (("王敏",), ("mail",)))
    noon = MORNING + 4 * HOUR
    office.raise_alerts("a", now=noon, level="red", severity="urgent")
    office.wires["phone"] = Wire("phone")
    office.deliver(noon)
    with Store.open(office.url) as other:
        office.deliver(noon + HOUR / 2)
        office.deliver(noon + HOUR / 2, other)
    assert office.wires["phone"].got == [("escalation", ("a",))]
    assert office.store.acknowledge(["a"], "王敏", noon + 0.6 * HOUR) == ["a"]
    assert office.store.acknowledge(["a"], "李雷", noon + 0.7 * HOUR) == []
    assert office.store.acknowledgements()["a"].who == "王敏"
    office.deliver(noon + 9 * HOUR)
    assert office.wires["phone"].got == [("escalation", ("a",))]
    assert office.wires["mail"].kinds == ["alert"]
    with pytest.raises(StoreError, match="no alert"):
        office.store.acknowledge(["zzz"], "王敏", noon)


def test_a_post_that_spreads_makes_its_alert_graver_by_the_time_it_is_sent_and_brings_in_who_hears_of_the_grave(
    office: Office,
) -> None:
    noon = MORNING + 4 * HOUR
    routes = (Route(("mail",)), Route(("phone",), severities=("urgent",)))
    office.policy, office.directory = replace(BY_DAY, reach=1000), replace(TEAM, rota=(), routes=routes)
    listen(office.store, [post("far", by="a1", counts=Counts(likes=20))])
    watch_all(office.store)
    office.raise_alerts("a", now=noon, level="red", severity="important", posts=(PostKey("forum", "far"),))
    office.wires["phone"] = Wire("phone")
    office.deliver(noon)
    assert office.wires["mail"].severities == ["important"]
    assert office.wires["phone"].got == []
    office.store.add([post("far", by="a1", counts=Counts(likes=900, reposts=200), seen_at=noon)], stored_at=noon)
    office.deliver(noon + HOUR)
    assert office.wires["phone"].severities == ["urgent"]
    assert office.wires["mail"].kinds == ["alert"], "who has heard of it is not told again"


def test_an_outage_keeps_what_is_due_and_a_hold_does_not_hide_it(office: Office) -> None:
    noon = MORNING + 4 * HOUR
    office.wires["mail"].down = True
    office.raise_alerts("a", now=noon, level="amber", severity="important")
    assert office.deliver(noon).retried == 1
    assert office.rows()["a-mail"].held == ""
    office.wires["mail"].down = False
    office.deliver(noon + 2 * HOUR)
    assert office.wires["mail"].kinds == ["alert"]


def test_what_nobody_heard_since_its_channel_was_renamed_goes_where_alerts_go_now(office: Office) -> None:
    noon = MORNING + 4 * HOUR
    office.raise_alerts("told", now=noon, who="k2")
    office.directory = Directory(("mail",))
    office.deliver(noon)
    office.raise_alerts("a", now=noon)
    office.wires, office.directory = {"post": Wire("post")}, Directory(("post",))
    office.deliver(noon + HOUR / 60)
    assert office.wires["post"].got == [("alert", ("a",))]
    assert {one.state for one in office.store.deliveries() if one.alert_key == "a"} == {"sent", "dead"}
    office.deliver(noon + HOUR)
    assert len(office.wires["post"].got) == 1


@pytest.mark.parametrize("table", ["acknowledgements", "mutes", "delivery_holds"])
def test_the_database_itself_refuses_to_change_what_was_noted(office: Office, table: str) -> None:
    noon = MORNING + 4 * HOUR
    office.store.mute(Mute("", "k1", "", "", noon, noon + HOUR, "召回公告", "王敏"))
    office.raise_alerts("a", now=noon)
    office.deliver(noon)
    office.store.acknowledge(["a"], "王敏", noon)
    engine = create_engine(office.url)
    for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET at = 0"):
        with engine.begin() as connection, pytest.raises(DBAPIError, match="only added"):
            connection.execute(text(statement))
    engine.dispose()


def test_the_commands_take_on_mute_and_show_what_is_held(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = create(tmp_path)
    settings.write_text(settings.read_text("utf-8") + f'[[brands]]\nname = "{BRAND}"\n', "utf-8")
    with Store.open(f"sqlite:///{tmp_path / 'listener.db'}") as store:
        store.save_kocs([koc("k1", "a1")])
        watch_all(store, brands=(BRAND,))
        own = Office("", store, {"mail": Wire("mail")})
        own.raise_alerts("a" * 32, "ab" + "a" * 30, level="amber", severity="watch")

    def said(*words: str, code: int = 0) -> str:
        assert run(["-c", str(settings), "alerts", *words]) == code
        answer = capsys.readouterr()
        return answer.out + answer.err

    rows = json.loads(said("held", "-f", "json"))
    assert [(one["reason"], one["channel"], one["koc"], one["until"]) for one in rows] == [("due", "mail", "k1", None)] * 2
    assert "下次 listener deliver 就发" in said("held")
    said("mute", "--koc", "k1", "--until", f"{datetime.now(UTC) + 9 * 24 * HOUR:%Y-%m-%d}", "--reason", "已在线下沟通")
    rows = json.loads(said("held", "-f", "json"))
    assert [one["reason"] for one in rows] == ["muted"] * 2, "planned, though nobody has delivered yet"
    assert all(one["until"] for one in rows)
    assert "免打扰" in said("held")
    said("unmute", json.loads(said("mutes", "-f", "json"))[0]["key"])
    assert "no alert's key" in said("ack", "ffffff", code=1)
    assert "no alert's key" in said("ack", "aaaa", code=1), "too short to name one"
    assert "王敏" in said("ack", "a" * 10, "--by", "王敏", "--note", "已联系")
    assert "王敏" in said("ack", "a" * 10, "--by", "李雷"), "the first one has it"
    listed = json.loads(said("-f", "json"))
    assert [one["acknowledged_by"] for one in listed] == ["王敏", None]
    assert "王敏 已接手" in said()
    assert [one["severity"] for one in listed] == ["watch", "watch"]
    with Store.open(f"sqlite:///{tmp_path / 'listener.db'}") as store:
        store.add([post("1", by="a1", counts=Counts(likes=5000))], stored_at=NIGHT)
    listed = json.loads(said("-f", "json").rpartition("]")[0] + "]")  # a warning follows: the post is not scored yet
    assert [one["severity"] for one in listed] == ["important", "important"], "its posts have spread"
    assert "重要" in said()
    held = json.loads(said("held", "-f", "json"))
    assert [one["severity"] for one in held] == ["important", "important"], "the one that is used when it is sent"

    soon = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    assert "365" in said("mute", "--koc", "k1", "--until", "2999-01-01", "--reason", "召回", code=1)
    assert "needs a reason" in said("mute", "--koc", "k1", "--until", soon, "--reason", " ", code=1)
    assert "name the KOC" in said("mute", "--until", soon, "--reason", "召回", code=1)
    assert "already" not in said(
        "mute", "--koc", "k1", "--kind", "silence", "--until", soon, "--reason", "召回", "--by", "王敏"
    )
    (made,) = json.loads(said("mutes", "-f", "json"))
    assert (made["koc_id"], made["kind"], made["reason"], made["who"]) == ("k1", "silence", "召回", "王敏")
    assert made["until"].startswith(soon)
    assert "召回" in said("unmute", made["key"], "--by", "李雷")
    assert json.loads(said("mutes", "-f", "json")) == []
    assert json.loads(said("mutes", "--history", "-f", "json"))[-1]["lifted_by"] == "李雷"
    assert "there is no mute" in said("unmute", "nothing", code=1)
