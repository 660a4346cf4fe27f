"""What a PR team gets in a season: messages a week by kind, before and after the alert policy; what true turns arrive.

    python tests/bench/bench_season.py [DIR] [--demo] [--keep DIR]

The season (the judge's development season by default, with --demo the one that `listener demo` plays) is imported as
`listener import` does: real scorer, detector, signals, store; a crawl that covers every timeline ends it, so that silence can
be told. Then its days are played on the clock: every alert that it left arrives with the first crawl (one in two hours)
after it fired, one that is quiet and over by then to nobody, and `pipeline.deliver` runs whenever something is due, as
`listener run` does each minute, through a channel that keeps what it is sent. Three times:

    each alone    no grouping at all: a message for every alert
    as shipped    the default settings: one message a KOC, a cool-down, storms
    by day        quiet hours 22-8, Chinese holidays with 调休, a digest at 9, somebody on call, escalation after 4 h; nobody
                  acknowledges anything

A message counts for the gravest thing in it. An alert is true when its KOC turns (truth.csv) and it fired on that day or later.
Nothing may be lost: every alert is told exactly once, or withdrawn, or held with a reason that is named.
"""

from __future__ import annotations

import argparse
import collections
import csv
import gzip
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from statistics import median
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from config import edit
from listener import pipeline, workspace
from listener.alerts.owing import Ladder
from listener.alerts.policy import Kept, Policy
from listener.alerts.routing import Directory, Person, Shift, on_call
from listener.alerts.severities import is_at_once
from listener.app import App
from listener.demo.compose import compose
from listener.keys import delivery_key
from listener.text.views import AlertView
from listener.working_days import Hours
from storage.records import Alert, Changes, Crawl, Delivery, DriftState, Message, StoredAlert
from storage.store import Store
from tests.bench.shared_data import need
from tests.desks import Bench
from tests.killing import json_of

ZONE = ZoneInfo("Asia/Shanghai")
CRAWL = timedelta(hours=2)
TEAM = Directory(("team", "phone"), (Person("值班", ("phone",)),), rota=(Shift("值班"),))
BY_DAY = Policy(
    hours=Hours("Asia/Shanghai", (time(22), time(8)), "china"),
    digest=(time(9),),
    cool_down=timedelta(hours=12),
    storm=20,
    on_call=lambda now: on_call(TEAM, now),
)
LADDER = Ladder({"urgent": timedelta(minutes=30), "important": timedelta(hours=4)}, (("值班",),))
SCENES: dict[str, tuple[Policy, Ladder]] = {
    "as shipped": (Policy(cool_down=timedelta(hours=12), storm=20), Ladder()),
    "by day": (BY_DAY, LADDER),
}


@dataclass
class Wire:
    """A channel that keeps what it is sent, and when."""

    name: str
    got: list[tuple[datetime, Message]] = field(default_factory=list)

    def send(self, message: Message, views: Sequence[AlertView], now: datetime) -> None:
        self.got.append((now, message))

    def test(self, now: datetime) -> None:
        raise NotImplementedError


@dataclass(frozen=True)
class Season:
    """alerts: those that the season left; arrives: when each is found. turned: when KOCs turned, by the truth. posts: of it."""

    name: str
    alerts: list[Alert]
    arrives: dict[str, datetime]
    turned: dict[str, datetime]
    kocs: int
    weeks: float

    def is_true(self, alert: Alert) -> bool:
        """Whether it tells of somebody who has turned by then."""
        at = self.turned.get(alert.koc_id)
        return at is not None and alert.fired_at.astimezone(ZONE).date() >= at.astimezone(ZONE).date()


def judged(folder: Path, keep: Path) -> Season:
    """The judge's season, imported."""
    with (folder / "truth.csv").open(encoding="utf-8") as file:
        turned = {r["koc_id"]: datetime.fromisoformat(r["turned_at"]) for r in csv.DictReader(file) if r["turned_at"]}
    with workspace_of(keep, folder / "brand.json", folder / "roster.csv") as app:
        lines = gzip.decompress((folder / "items.jsonl.gz").read_bytes())
        return season_of(folder.name, app, lines, turned)


def demo(keep: Path) -> Season:
    """The season of `listener demo`, imported as one file."""
    told = compose(date(2026, 11, 1))
    brand, roster = keep / "brand.json", keep / "roster.csv"
    brand.write_text(json.dumps({"name": told.brand.name, "nicknames": told.brand.nicknames}, ensure_ascii=False), "utf-8")
    with roster.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["koc_id", "name", "platform", "account_id", "owner", "tier"])
        rows.writerows([p.koc_id, p.name, place, one, p.owner, p.tier] for p in told.people for place, one in p.accounts)
    lines = "".join(json.dumps(json_of(item), ensure_ascii=False) + "\n" for item in told.items).encode()
    turned = {p.koc_id: p.truth.turned_at for p in told.people if p.truth.turned_at is not None}
    with workspace_of(keep, brand, roster) as app:
        return season_of("demo", app, lines, turned)


@contextmanager
def workspace_of(keep: Path, brand: Path, roster: Path) -> Iterator[App]:
    """A fresh workspace in the folder, with the brand and the roster."""
    path = workspace.create(keep)
    edit.put_brand(path, edit.read_brand(brand))
    with App.open(path, {}) as app:
        app.store.save_kocs(app.read_roster(roster).kocs)
        yield app


def season_of(name: str, app: App, lines: bytes, turned: dict[str, datetime]) -> Season:
    """What is left when a season's posts are imported and every timeline is covered to its end."""
    file = app.folder / "items.jsonl"
    file.write_bytes(lines)
    app.import_file(file)
    every = [datetime.fromisoformat(json.loads(line)["posted_at"]) for line in lines.splitlines()]
    last = max(every) + timedelta(days=1)
    accounts = [(one.platform, one.account_id) for koc in app.store.kocs() for one in koc.accounts]
    crawl = Crawl("all", "all", "forum", last, None, "running", 0, "")
    app.store.start_crawl(crawl)
    app.store.end_crawl(replace(crawl, ended_at=last, outcome="done", covered=tuple(accounts)))
    app.catch_up()
    alerts = [one.alert for one in app.store.alerts()]
    arrives = {alert.key: next_crawl(alert.fired_at) for alert in alerts}
    return Season(name, alerts, arrives, turned, len(app.store.kocs()), (max(every) - min(every)) / timedelta(weeks=1))


def next_crawl(at: datetime) -> datetime:
    """The end of the first crawl after an instant.

    >>> next_crawl(datetime(2026, 1, 1, 1, 59, tzinfo=UTC)).hour
    2
    """
    start = datetime(2020, 1, 1, tzinfo=UTC)
    return start + CRAWL * ((at - start) // CRAWL + 1)


def play(season: Season, policy: Policy, ladder: Ladder) -> tuple[dict[str, Wire], Store]:
    """Play the season on the clock; the wires with what they got, and the store as it is left."""
    store = Store.open(f"sqlite:///{Path(tempfile.mkdtemp()) / 'played.db'}")
    wires = {"team": Wire("team"), "phone": Wire("phone")}
    bench = Bench(store, (), wires, policy=policy, directory=TEAM, ladder=ladder, deliver_within=policy.deliver_within)
    waiting = sorted(season.alerts, key=lambda alert: (season.arrives[alert.key], alert.key))
    now = season.arrives[waiting[0].key] if waiting else datetime.now(UTC)
    desk = bench.desk()
    while True:
        arrived = [alert for alert in waiting if season.arrives[alert.key] <= now]
        waiting = waiting[len(arrived) :]
        arrive(store, arrived, now)
        bench.clock = now
        pipeline.deliver(desk)
        due = [one.next_try_at for one in store.deliveries("pending") if one.next_try_at]
        following = [*due, *escalations(store, policy, ladder, now), *[season.arrives[alert.key] for alert in waiting[:1]]]
        if not following:
            return wires, store
        now = max(min(following), now + timedelta(minutes=1))


def escalations(store: Store, policy: Policy, ladder: Ladder, now: datetime) -> Iterator[datetime]:
    """When alerts that were told, and nobody has taken on, are to be escalated."""
    if not ladder.steps:
        return
    alerts = {one.alert.key: one.alert for one in store.unanswered(now - policy.deliver_within)}
    for one in store.sent_since(now - policy.deliver_within):
        alert = alerts.get(one.alert_key)
        clock = ladder.clocks.get(alert.severity) if alert else None
        if alert and clock:
            at_once = is_at_once(alert.kind, alert.level, alert.severity)
            at = one.sent_at + clock if at_once else policy.hours.after(one.sent_at, clock)
            if at > now:
                yield at


def arrive(store: Store, alerts: Sequence[Alert], now: datetime) -> None:
    """Write alerts as a replay does that has just found them; one that is quiet and over by now is told to nobody."""
    if not alerts:
        return
    by_pair: dict[tuple[str, str], list[Alert]] = collections.defaultdict(list)
    for alert in alerts:
        over = alert.ended_at is not None and alert.ended_at <= now
        evidence = {name: value for name, value in alert.evidence.items() if over or name != "ended_at"}
        by_pair[alert.koc_id, alert.brand].append(replace(alert, evidence=evidence))
    recorded = []
    for (koc_id, brand), own in by_pair.items():
        told = [one for one in own if not one.is_over]
        rows = [
            Delivery(delivery_key(one.key, "team", "alert"), one.key, "team", "alert", "pending", now, next_try_at=now)
            for one in told
        ]
        state = DriftState(koc_id, brand, "advocate", 0, 0.0, 0.0, None, 0.0, "", (), "")
        known = [one.alert for one in store.alerts(koc=koc_id, brand=brand)]
        recorded.append(Changes(state, (), (*known, *own), (), tuple(rows), (), (), ()))
    from storage import outbox
    from storage.codec import us

    with store._database.writing() as connection:
        outbox.write_alerts(connection, [(alert, us(now)) for one in recorded for alert in one.alerts], [])
        outbox.write_deliveries(connection, [row for one in recorded for row in one.deliveries], [])


def report(season: Season, name: str, wires: dict[str, Wire], store: Store) -> None:
    """Print a scene's figures; AssertionError where an alert was lost or told twice."""
    by_key = {one.alert.key: one for one in store.alerts()}
    messages = [(channel, at, one) for channel, wire in wires.items() for at, one in wire.got]
    rows = {one.key: one for one in store.deliveries()}
    told = collections.Counter(one.key for _, _, message in messages for one in message.deliveries)
    assert all(count == 1 for count in told.values()), "told twice"
    assert set(told) == set(rows), "lost, or held to the end"
    holds = store.holds(rows)
    assert all(hold.reason in set(Kept) for hold in holds)
    weeks = season.weeks
    print(f"\n{season.name}, {name}: {len(messages)} messages, {len(messages) / weeks:.1f} a week")
    print("  by message:", per_week(collections.Counter(m.kind for _, _, m in messages), weeks))
    print("  by the gravest alert in it:", per_week(collections.Counter(main_kind(m, by_key) for _, _, m in messages), weeks))
    print("  by channel:", per_week(collections.Counter(channel for channel, _, _ in messages), weeks))
    print("  held back:", dict(collections.Counter(hold.reason for hold in holds)) or "nothing")
    first: dict[str, datetime] = {}
    for _, at, message in sorted(messages, key=lambda one: one[1]):
        for row in message.deliveries:
            if row.kind == "alert":
                first.setdefault(row.alert_key, at)
    turns = collections.defaultdict(list)
    for key, at in first.items():
        alert = by_key[key].alert
        if alert.kind == "drift" and season.is_true(alert):
            turns[alert.level].append((at - season.arrives[key]) / timedelta(hours=1))
    for level in ("amber", "red"):
        late = turns[level]
        if late:
            worst = f"median {median(late):.1f} h, worst {max(late):.1f} h"
            print(f"  true turns told, {level}: {len(late)}; later than without the policy by {worst}")


def per_week(counted: collections.Counter[str], weeks: float) -> str:
    return ", ".join(f"{name} {count / weeks:.2f}" for name, count in counted.most_common())


def main_kind(message: Message, by_key: dict[str, StoredAlert]) -> str:
    """What a message is about: its gravest alert."""
    order = ("urgent", "important", "watch", "info")
    alerts = [by_key[row.alert_key].alert for row in message.deliveries]
    best = min(alerts, key=lambda alert: (order.index(alert.severity), alert.fired_at))
    return f"{best.kind} {best.level}" if best.level else best.kind


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("season", type=Path, nargs="?")
    parser.add_argument("--demo", action="store_true")
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        keep = given.keep or Path(place) / "ws"
        keep.mkdir(parents=True, exist_ok=True)
        season = demo(keep) if given.demo else judged(given.season or need("bench", "koc_turns", "dev"), keep)
    kinds: dict[str, list[int]] = collections.defaultdict(lambda: [0, 0])
    for alert in season.alerts:
        kinds[f"{alert.kind} {alert.level or ''}".strip()][season.is_true(alert)] += 1
    print(f"{season.name}: {season.kocs} KOCs, {len(season.turned)} turn, {season.weeks:.0f} weeks")
    for name, (other, true) in sorted(kinds.items()):
        print(f"  {name:22} {true:4d} after a true turn, {other:4d} else, {(true + other) / season.weeks:.2f} a week")
    found = {alert.koc_id for alert in season.alerts if season.is_true(alert)}
    print(f"  true turns of which anything is told: {len(found)} of {len(season.turned)}")
    print(f"\n{season.name}, each alone: {len(season.alerts)} messages, {len(season.alerts) / season.weeks:.1f} a week")
    for name, (policy, ladder) in SCENES.items():
        wires, store = play(season, policy, ladder)
        report(season, name, wires, store)
        store.close()


if __name__ == "__main__":
    main()
