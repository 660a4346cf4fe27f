"""Signals of crowds end to end: posts in, alerts out, whatever came first."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from spiders.items import Item
from storage.records import Account, Brand, Koc, StoredAlert
from storage.store import Store
from tests.desks import Bench

BRAND = Brand("星澜", products=("星澜控油洗发水",))
START = datetime(2026, 3, 1, 1, tzinfo=UTC)
DAYS, STORM = 75, 55
GOOD = ("星澜控油洗发水真的很好用，头皮清爽，强烈推荐", "一直在用星澜控油洗发水，非常满意，会继续回购")
BAD = (
    "星澜控油洗发水太差了，用完头皮又痒又掉发，非常失望",
    "星澜控油洗发水质量很差，客服也不理人，后悔买了",
    "差评，星澜控油洗发水是垃圾，用完头皮屑更多了",
)


def item(author: str, day: float, text: str, post_id: str = "", **more: object) -> Item:
    at = START + timedelta(days=day)
    return Item(
        platform="forum",
        post_id=post_id or f"{author}-{day:.4f}",
        author_id=author,
        author_name=author,
        text=text,
        posted_at=at,
        seen_at=more.pop("seen_at", at),  # type: ignore[arg-type]
        **more,  # type: ignore[arg-type]
    )


def worded(texts: Sequence[str], rng: random.Random) -> str:
    return f"{rng.choice(texts)}（{rng.choice('春夏秋冬')}{rng.choice('早中晚')}，{rng.choice('东南西北')}边那家店）"


def calm(rng: random.Random) -> list[Item]:
    """A forum on which a few speak every day, one of eight against the brand."""
    return [
        item(f"crowd{(day * 8 + n) % 90}", day + rng.random(), worded(BAD if n == day % 8 else GOOD, rng))
        for day in range(DAYS)
        for n in range(8)
    ]


def compose() -> list[Item]:
    """The calm, and one evening on which sixteen strangers speak against the brand, six of them in the same words."""
    rng = random.Random(5)
    storm = [
        item(f"angry{n}", STORM + n / 16 / 6, BAD[0] if n % 3 == 0 else worded(BAD, rng), parent_id="root", root_id="root")
        for n in range(16)
    ]
    return [*calm(rng), *storm]


@pytest.fixture(scope="module")
def items() -> list[Item]:
    return compose()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    opened: list[Store] = []

    def make(url: str = "", **more: object) -> Bench:
        store = Store.open(url or f"sqlite:///{tmp_path / f'{len(opened)}.db'}", migrate=True)
        opened.append(store)
        return Bench(store, (BRAND,), **more)  # type: ignore[arg-type]

    yield make
    for store in opened:
        store.close()


@pytest.fixture(scope="module")
def expected(items: list[Item], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The alerts of the plainest run: everything at once, oldest first."""
    with Store.open(f"sqlite:///{tmp_path_factory.mktemp('plain') / 'a.db'}") as store:
        plain = Bench(store, (BRAND,))
        oldest_first = sorted(items, key=lambda one: one.posted_at)
        plain.take(oldest_first, source="论坛")
        return plain.fingerprint()


def of_kind(bench: Bench, kind: str) -> list[StoredAlert]:
    return [one for one in bench.store.alerts() if one.alert.kind == kind]


def test_many_authors_within_hours_are_one_storm_with_its_place_its_usual_and_its_copies(
    bench: Callable[..., Bench], items: list[Item]
) -> None:
    one = bench()
    one.take(items, source="论坛")
    (storm,) = of_kind(one, "opinion-storm")
    e = storm.alert.evidence
    assert (e["place"], e["place_kind"], e["copies"]) == ("论坛", "source", 6)
    assert 16 <= e["authors"] <= 18
    assert e["usual"] < 1.5
    assert storm.alert.fired_at <= START + timedelta(days=STORM, hours=4)
    assert storm.alert.ended_at is not None
    assert all(key.post_id.startswith("angry") for key in storm.alert.posts)
    (case,) = [case for case in one.store.cases() if not case.koc_id]
    assert case.variant == "public"


def test_a_calm_place_has_no_storm(bench: Callable[..., Bench]) -> None:
    one = bench()
    one.take(calm(random.Random(8)), source="论坛")
    assert of_kind(one, "opinion-storm") == []
    assert one.store.count_dirty() == 0


def test_order_batches_and_a_source_that_comes_later_change_nothing(
    bench: Callable[..., Bench], items: list[Item], expected: str
) -> None:
    assert '"opinion-storm"' in expected
    late = bench(batch_size=61)
    late.take(random.Random(1).sample(items, len(items)), source="论坛")
    assert late.fingerprint() == expected

    piecemeal = bench()
    shuffled = random.Random(2).sample(items, len(items))
    for start in range(0, len(shuffled), 90):
        piecemeal.take(shuffled[start : start + 90], source="论坛")
    assert piecemeal.fingerprint() == expected
    assert piecemeal.store.count_dirty() == 0

    newest_first = bench()
    for day in range(DAYS, -1, -5):
        span = (START + timedelta(days=day), START + timedelta(days=day + 5))
        newest_first.take([each for each in items if span[0] <= each.posted_at < span[1]][::-1], source="论坛")
    assert newest_first.fingerprint() == expected


def test_a_late_post_that_makes_the_place_louder_before_takes_the_storm_back(
    bench: Callable[..., Bench], items: list[Item]
) -> None:
    one = bench()
    one.take(items, source="论坛")
    (first,) = of_kind(one, "opinion-storm")
    assert first.alert.evidence["place_kind"] == "source"
    rng = random.Random(9)
    loud = [item(f"loud{n % 40}", day + n / 60, worded(BAD, rng)) for day in range(STORM - 40, STORM) for n in range(12)]
    one.take(loud, source="论坛")
    evening = START + timedelta(days=STORM)
    left = [each.alert.evidence["place_kind"] for each in of_kind(one, "opinion-storm") if each.alert.fired_at > evening]
    assert left == ["thread"], "under that one post it still is one"
    assert first.alert.key in {each.alert.key for each in one.store.alerts(history=True) if each.state == "superseded"}


@pytest.mark.postgres
def test_postgres_says_the_same(bench: Callable[..., Bench], items: list[Item], expected: str, postgres_url: str) -> None:
    one = bench(postgres_url)
    one.take(items[::-1], source="论坛")
    assert one.fingerprint() == expected


def test_a_storm_is_of_the_posts_and_who_is_on_the_roster_changes_nothing(
    bench: Callable[..., Bench], items: list[Item], expected: str
) -> None:
    one = bench()
    one.roster([replace(Koc("K1", "某人", (Account("forum", "angry3", ""),)), owner="王敏")])
    one.take(items, source="论坛")
    storms = [row for row in json.loads(one.fingerprint()) if row[1] == "opinion-storm"]
    assert storms == [row for row in json.loads(expected) if row[1] == "opinion-storm"]
