"""The signals of one KOC end to end: posts, rivals' names and comments in, alerts and cases out, whatever came first."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from spiders.items import Item, Kind
from storage.records import Account, Brand, Crawl, Koc, Rival
from storage.store import Store
from tests.desks import Bench

BRAND = Brand("星澜", products=("星澜控油洗发水",), rivals=(Rival("墨羽", products=("墨羽去屑洗发水",)),))
START = datetime(2026, 3, 1, 1, tzinfo=UTC)
GOOD = (
    "星澜控油洗发水真的很好用，头皮清爽，强烈推荐",
    "一直在用星澜控油洗发水，非常满意，会继续回购",
    "星澜控油洗发水超级喜欢，味道好闻又控油",
)
RIVALS = (
    "墨羽去屑洗发水太好用了，推荐给大家",
    "墨羽去屑洗发水非常满意，会一直回购",
    "超级喜欢墨羽去屑洗发水，味道好闻",
)
EXPOSE = "前员工爆料：星澜把退回来的洗发水换标再卖，内部聊天记录我都留着，太黑心了。"
FAREWELL = "从星澜脱粉了，再也不买，太让人失望。已经换成墨羽，墨羽去屑洗发水真的好用，推荐。"
FEEDBACK = (
    "星澜控油洗发水的泵头坏了，找星澜客服要求换货，客服态度很差，一直推脱，太差了。",
    "星澜的售后真的差，反馈了一个月还是没人处理，换货申请一直没人管。",
)
KOCS = ("exposer", "leaver", "mover", "waiter", "accused", "calm")


def item(author: str, day: float, text: str, kind: Kind = "post", parent: str | None = None) -> Item:
    at = START + timedelta(days=day)
    return Item(
        platform="forum",
        post_id=f"{author}-{day:.3f}",
        author_id=author,
        author_name=author,
        text=text,
        posted_at=at,
        seen_at=at + timedelta(hours=1),
        kind=kind,
        parent_id=parent,
        root_id=parent,
    )


@pytest.fixture(scope="module")
def items() -> list[Item]:
    """Six advocates, to five of whom something happens."""
    rng, made = random.Random(2), []
    for koc in KOCS:
        for step in range(12):
            made.append(item(koc, step * 8 + rng.random(), f"{rng.choice(GOOD)}（第{step + 1}瓶）"))
    made.append(item("exposer", 99, EXPOSE))
    made.append(item("exposer", 101, EXPOSE + "求扩散"))
    made.append(item("leaver", 99, FAREWELL))
    made += [item("mover", 100 + 10 * n, f"{rng.choice(RIVALS)}（第{n + 1}瓶）") for n in range(7)]
    made += [item("waiter", 99 + 25 * n, text) for n, text in enumerate(FEEDBACK)]
    made.append(item("calm", 99, "墨羽去屑洗发水也试过，不如星澜控油洗发水好用，还是回来了"))
    praise = item("accused", 98, "星澜控油洗发水又回购了，一如既往地好用，推荐给大家")
    made.append(praise)
    made.append(item("x", 98.2, "收了多少钱啊这么夸", "comment", praise.post_id))
    made.append(item("y", 98.4, "又来恰饭了", "comment", praise.post_id))
    made.append(item("z", 98.5, "这个多少钱一瓶", "comment", praise.post_id))
    made.append(
        item("x", 98.6, "收了多少钱", "comment", made[-12].post_id if made[-12].author_id == "calm" else made[0].post_id)
    )
    return made


def roster() -> list[Koc]:
    return [Koc(koc.upper(), f"某{koc}", (Account("forum", koc, ""),), owner="王敏", tier="B") for koc in KOCS]


def cover(store: Store, to_day: float = 170) -> None:
    at = START + timedelta(days=to_day)
    crawl = Crawl("c1", "timelines", "forum", at, None, "running", 0, "")
    store.start_crawl(crawl)
    store.end_crawl(replace(crawl, ended_at=at, outcome="done", covered=tuple(("forum", koc) for koc in KOCS)))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    opened: list[Store] = []

    def make(**more: object) -> Bench:
        store = Store.open(f"sqlite:///{tmp_path / f'{len(opened)}.db'}", migrate=True)
        opened.append(store)
        return Bench(store, (BRAND,), **more)  # type: ignore[arg-type]

    yield make
    for store in opened:
        store.close()


@pytest.fixture(scope="module")
def expected(items: list[Item], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The alerts of the plainest run: roster and coverage first, everything at once, oldest first."""
    with Store.open(f"sqlite:///{tmp_path_factory.mktemp('plain') / 'a.db'}") as store:
        plain = Bench(store, (BRAND,))
        plain.roster(roster())
        cover(store)
        plain.take(items)
        return plain.fingerprint()


def test_each_event_raises_its_alert_and_nothing_else_does(expected: str) -> None:
    found = {(row[1], row[4]) for row in json.loads(expected)}
    assert found == {
        ("grave-post", "EXPOSER"),
        ("defection", "LEAVER"),
        ("defection", "MOVER"),
        ("unresolved-feedback", "WAITER"),
        ("accusation", "ACCUSED"),
        ("first-negative", "WAITER"),
    }
    rows = {(row[1], row[4]): row for row in json.loads(expected)}
    assert rows["grave-post", "EXPOSER"][9:] == [["forum", "exposer-99.000", EXPOSE]], "told once"
    assert [post[2] for post in rows["accusation", "ACCUSED"][9:]] == ["收了多少钱啊这么夸", "又来恰饭了"]
    assert rows["defection", "MOVER"][8]["row_n"] >= 4


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("batch_size", [1000, 7, 1])
def test_no_order_of_arrival_and_no_size_of_batches_changes_a_byte(
    bench: Callable[..., Bench], items: list[Item], expected: str, seed: int, batch_size: int
) -> None:
    rng, one = random.Random(seed * 10 + batch_size), bench(batch_size=batch_size)
    shuffled = rng.sample(items, len(items))
    acts: list[Callable[[], object]] = [lambda: one.roster(roster()), lambda: cover(one.store)]
    cuts = sorted(rng.sample(range(1, len(items)), 3))
    for first, last in zip([0, *cuts], [*cuts, len(items)], strict=True):
        acts.append(lambda part=shuffled[first:last]: one.take(part))  # type: ignore[misc]
    for act in rng.sample(acts, len(acts)):
        act()
    one.catch_up()
    assert one.fingerprint() == expected


def test_comments_before_their_post_and_newest_first_are_the_same(
    bench: Callable[..., Bench], items: list[Item], expected: str
) -> None:
    one = bench(batch_size=3)
    one.roster(roster())
    cover(one.store)
    one.take([each for each in items if each.kind == "comment"])
    one.take(sorted((each for each in items if each.kind == "post"), key=lambda each: each.posted_at, reverse=True))
    assert one.fingerprint() == expected


def test_each_kind_opens_its_case(bench: Callable[..., Bench], items: list[Item]) -> None:
    one = bench()
    one.roster(roster())
    cover(one.store)
    one.take(items)
    variants = {case.koc_id: case.variant for case in one.store.cases()}
    assert variants == {
        "EXPOSER": "public",
        "LEAVER": "care",
        "MOVER": "care",
        "WAITER": "public",
        "ACCUSED": "private",
    }


def test_what_is_old_on_import_is_told_in_a_summary_and_not_one_by_one(bench: Callable[..., Bench], items: list[Item]) -> None:
    one = bench(channels={"mail": None}, clock=START + timedelta(days=400))
    one.roster(roster())
    cover(one.store)
    one.take(items)
    claimed = one.store.claim_due(one.clock, lease=timedelta(minutes=10))
    from listener.alerts.planning import plan

    messages = plan(claimed, now=one.clock, deliver_within=one.deliver_within)
    assert claimed
    assert {message.kind for message in messages} == {"summary"}
    assert len(messages) == 1


def test_an_alert_shows_the_words_of_others_and_what_they_answer(bench: Callable[..., Bench], items: list[Item]) -> None:
    one = bench()
    one.roster(roster())
    one.take(items)
    (stored,) = [each for each in one.store.alerts() if each.alert.kind == "accusation"]
    view = one.view(stored)
    assert [quote.text for quote in view.quotes] == ["收了多少钱啊这么夸", "又来恰饭了"]
    assert [quote.text[:4] for quote in view.before] == ["星澜控油"]
    (left,) = [each for each in one.store.alerts() if each.alert.kind == "defection"]
    assert left.alert.koc_id == "LEAVER", "what is not covered shows no lasting change"


def test_a_silence_that_is_over_is_told_whether_coverage_or_the_next_post_came_first(bench: Callable[..., Bench]) -> None:
    rng = random.Random(8)
    posts = [item("calm", 7 * n + rng.random(), f"{rng.choice(GOOD)}（第{n + 1}瓶）") for n in range(12)]
    again = item("calm", 400, GOOD[0])
    first, last = bench(), bench()
    for one in (first, last):
        one.roster(roster())
    cover(first.store, 410)
    first.take([*posts, again])
    last.take([*posts, again])
    cover(last.store, 410)
    last.catch_up()
    assert first.fingerprint() == last.fingerprint()
    assert [one.alert.kind for one in first.store.alerts()] == ["silence"]
