"""The current alerts are a function of the posts, the roster and the brands, whatever came first."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from listener.demo.compose import Season, compose
from spiders.items import Item
from storage.records import Account, Koc
from storage.store import Store
from tests.desks import Bench

ENDS_ON = date(2026, 10, 1)
GROUP = "品牌用户圈"


@pytest.fixture(scope="module")
def season() -> Season:
    return compose(ENDS_ON)


@pytest.fixture(scope="module")
def items(season: Season) -> list[Item]:
    """The season as crawls bring it: some posts seen again with other counts, a few of them edited meanwhile."""
    rng = random.Random(5)
    seen = [replace(item, seen_at=item.posted_at + timedelta(hours=rng.uniform(0.1, 40))) for item in season.items]
    again = [
        replace(
            item,
            seen_at=(item.seen_at or item.posted_at) + timedelta(days=rng.uniform(1, 9)),
            likes=(item.likes or 0) + 9,
            text=item.text + ("（更新：补充一下）" if rng.random() < 0.4 else ""),
        )
        for item in rng.sample(seen, len(seen) // 12)
    ]
    return seen + again


def roster(season: Season) -> list[Koc]:
    return [
        Koc(p.koc_id, p.name, tuple(Account(platform, account, "") for platform, account in p.accounts), p.owner, p.tier)
        for p in season.people
    ]


@pytest.fixture
def bench(season: Season, tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """New workspaces, each with a database of its own."""
    opened: list[Store] = []

    def make(url: str = "", **more: object) -> Bench:
        store = Store.open(url or f"sqlite:///{tmp_path / f'{len(opened)}.db'}", migrate=True)
        opened.append(store)
        return Bench(store, (season.brand,), **more)  # type: ignore[arg-type]

    yield make
    for store in opened:
        store.close()


@pytest.fixture(scope="module")
def expected(season: Season, items: list[Item], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The alerts of the plainest run: roster first, everything at once, oldest first."""
    with Store.open(f"sqlite:///{tmp_path_factory.mktemp('plain') / 'a.db'}") as store:
        plain = Bench(store, (season.brand,))
        plain.roster(roster(season))
        plain.take(items)
        found = plain.fingerprint()
    assert found.count('"drift"') >= 5, "a season without alerts would prove nothing"
    return found


def test_newest_first_shuffled_and_in_small_batches_are_the_same(
    bench: Callable[..., Bench], season: Season, items: list[Item], expected: str
) -> None:
    for order, batch_size in ((items[::-1], 10_000), (random.Random(1).sample(items, len(items)), 37)):
        one = bench(batch_size=batch_size)
        one.roster(roster(season))
        one.take(order)
        assert one.fingerprint() == expected


def test_many_imports_with_a_watch_after_each_end_the_same(
    bench: Callable[..., Bench], season: Season, items: list[Item], expected: str
) -> None:
    one = bench()
    one.roster(roster(season))
    shuffled = random.Random(2).sample(items, len(items))
    for start in range(0, len(shuffled), 150):
        one.take(shuffled[start : start + 150])
    assert one.fingerprint() == expected
    assert one.fingerprint(history=True) != expected, "half-known histories must have raised alerts that were taken back"


def test_a_roster_and_a_brand_that_come_after_the_posts_end_the_same(
    bench: Callable[..., Bench], season: Season, items: list[Item], expected: str
) -> None:
    one = bench()
    brands, one.brands = one.brands, ()
    one.take(items)
    one.roster([replace(koc, accounts=koc.accounts[:1]) for koc in roster(season)])
    one.brands = brands
    one.catch_up()
    one.roster(roster(season))
    one.catch_up()
    assert one.fingerprint() == expected


def test_tiers_and_owners_that_are_changed_after_the_posts_end_the_same(
    bench: Callable[..., Bench], season: Season, items: list[Item], expected: str
) -> None:
    one, people = bench(), roster(season)
    one.roster([replace(koc, tier="", owner="") for koc in people])
    one.take(items)
    assert one.fingerprint() != expected  # severities go by the tier
    one.roster([replace(koc, standing="alumni", title="荣誉体验官") for koc in people])  # who left in friendship is watched on
    one.catch_up()
    assert one.fingerprint() == expected


def test_the_secret_of_the_workspace_leaves_no_trace(
    bench: Callable[..., Bench], season: Season, items: list[Item], expected: str
) -> None:
    one = bench(key=b"another key, as another workspace has")
    one.roster(roster(season))
    one.take(items)
    assert _unmasked(one.fingerprint()) == _unmasked(expected)


def test_importing_twice_changes_nothing(bench: Callable[..., Bench], season: Season, items: list[Item], expected: str) -> None:
    one = bench()
    one.roster(roster(season))
    first, _ = one.take(items)
    rows = one.store.counts()
    second, _ = one.take(items)
    assert second.new == 0
    assert second.again == first.new + first.again
    assert one.fingerprint() == expected
    assert one.fingerprint(history=True) == expected
    assert one.store.counts() == rows


@pytest.mark.postgres
def test_postgres_says_the_same(
    bench: Callable[..., Bench], season: Season, items: list[Item], expected: str, postgres_url: str
) -> None:
    one = bench(postgres_url)
    one.roster(roster(season))
    one.take(random.Random(3).sample(items, len(items)))
    assert one.fingerprint() == expected


def _unmasked(text: str) -> str:
    """People's masks are keyed: in another workspace they are others, and no face ever shows them."""
    return re.sub(r"@~[0-9a-f]{10}", "@~", text)
