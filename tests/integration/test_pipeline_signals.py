"""Signals end to end: posts and coverage in, alerts and cases out, whatever came first."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from listener import pipeline
from listener.drift.rules import Rule, default_calibration
from listener.keys import key_of
from spiders.items import Item
from storage.records import Account, Brand, Crawl, Koc, StoredAlert
from storage.store import Store
from tests.desks import Bench

BRAND = Brand("星澜", products=("星澜控油洗发水",))
START = datetime(2026, 3, 1, 1, tzinfo=UTC)
DAYS = 130
STORM = range(80, 94)
GOOD = (
    "星澜控油洗发水真的很好用，头皮清爽，强烈推荐",
    "一直在用星澜控油洗发水，非常满意，会继续回购",
    "星澜控油洗发水超级喜欢，味道好闻又控油",
)
BAD = (
    "星澜控油洗发水太差了，用完头皮又痒又掉发，非常失望",
    "星澜控油洗发水质量很差，客服也不理人，后悔买了",
    "差评，星澜控油洗发水是垃圾，用完头皮屑更多了",
)
KOCS = ("steady", "quiet", "harsh", "turner", *(f"also{n}" for n in range(4)))


def item(author: str, day: float, texts: Sequence[str], rng: random.Random) -> Item:
    at = START + timedelta(days=day)
    text = f"{rng.choice(texts)}（第{rng.randrange(100_000)}次，{rng.choice('春夏秋冬')}{rng.choice('早中晚')}）"
    post_id = f"{author}-{day:.4f}"
    return Item(platform="forum", post_id=post_id, author_id=author, author_name=author, text=text, posted_at=at, seen_at=at)


def compose() -> list[Item]:
    """A public that is angry for a fortnight; KOCs who are not; one who falls silent, one who writes one hard post, one who
    turns just then."""
    rng = random.Random(3)
    items = []
    for day in range(DAYS):
        for n in range(7):
            bad = rng.random() < (0.75 if day in STORM else 0.12)
            items.append(item(f"crowd{(day * 7 + n) % 90}", day + rng.random(), BAD if bad else GOOD, rng))
    for koc in KOCS:
        pace = 2 if koc in ("turner", "quiet") else 9
        for step in range(DAYS // pace):
            day = step * pace + rng.random()
            if koc == "quiet" and day > 50:
                break
            is_bad = (koc == "harsh" and step == 12) or (koc == "turner" and day > STORM.start - 2)
            items.append(item(koc, day, BAD if is_bad else GOOD, rng))
    return items


@pytest.fixture(scope="module")
def items() -> list[Item]:
    return compose()


def roster() -> list[Koc]:
    return [Koc(koc.upper(), f"某{koc}", (Account("forum", koc, ""),), owner="王敏", tier="A") for koc in KOCS]


def cover(store: Store, to_day: float, accounts: Sequence[str] = KOCS) -> None:
    """A crawl that read these timelines to their ends on that day."""
    at = START + timedelta(days=to_day)
    crawl = Crawl(f"c{to_day}{len(accounts)}", "timelines", "forum", at, None, "running", 0, "")
    store.start_crawl(crawl)
    covered = tuple(("forum", one) for one in accounts)
    store.end_crawl(replace(crawl, ended_at=at, outcome="done", covered=covered))


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
    """The alerts of the plainest run: roster and coverage first, everything at once, oldest first."""
    with Store.open(f"sqlite:///{tmp_path_factory.mktemp('plain') / 'a.db'}") as store:
        plain = Bench(store, (BRAND,))
        plain.roster(roster())
        cover(store, DAYS)
        plain.take(items)
        return plain.fingerprint()


def of_kind(bench: Bench, kind: str) -> list[StoredAlert]:
    return [one for one in bench.store.alerts() if one.alert.kind == kind]


def test_each_alert_of_the_season_and_no_amber_in_the_storm(expected: str) -> None:
    found = Counter((row[1], row[2], row[4]) for row in json.loads(expected))
    assert found == {
        ("brand-shift", None, ""): 1,
        ("first-negative", None, "HARSH"): 1,
        ("first-negative", None, "TURNER"): 1,
        ("silence", None, "QUIET"): 1,
        ("drift", "red", "TURNER"): 1,
        ("unresolved-feedback", None, "TURNER"): 1,
    }


def test_an_amber_in_the_storm_is_held_back_with_its_reason_until_red(bench: Callable[..., Bench], items: list[Item]) -> None:
    one = bench()
    one.roster(roster())
    one.take(items)
    history, moods = one.store.history("TURNER", BRAND.name), one.store.moods(BRAND.name)
    (verdict,) = pipeline.verdicts_of([history], moods, default_calibration(), Rule())
    (held,) = [each for each in verdict.held if each.kind == "drift"]
    (red,) = verdict.drifts
    assert (held.level, held.reason, held.released_at, red.level) == ("amber", "brand-shift", red.fired_at, "red")
    calm = [replace(day, is_shifted=False) for day in moods]
    (unheld,) = pipeline.verdicts_of([history], calm, default_calibration(), Rule())
    assert [drift.level for drift in unheld.drifts] == ["amber", "red"]
    assert unheld.drifts[0].tipped_by == held.key


def test_the_storm_is_one_alert_dated_by_the_public_with_its_posts_and_its_end_is_in_the_case(
    bench: Callable[..., Bench], items: list[Item]
) -> None:
    one = bench()
    one.roster(roster())
    one.take(items)
    (storm,) = of_kind(one, "brand-shift")
    begun = (storm.alert.fired_at - START).days
    assert STORM.start < begun <= STORM.start + 6
    assert storm.alert.ended_at is not None
    assert STORM.stop <= (storm.alert.ended_at - START).days <= STORM.stop + 12
    assert len(storm.alert.posts) == 6
    assert all(key.post_id.startswith("crowd") for key in storm.alert.posts)
    (case,) = [case for case in one.store.cases() if not case.koc_id]
    assert (case.variant, case.recovered_at) == ("public", storm.alert.ended_at)
    assert [step.step for step in one.store.steps(case.key)] == ["open", "recovered"]


def test_while_the_storm_lasts_it_has_no_end_and_then_its_alert_stays_the_same(
    bench: Callable[..., Bench], items: list[Item]
) -> None:
    one = bench()
    one.roster(roster())
    during = START + timedelta(days=STORM.start + 9)
    one.take([each for each in items if each.posted_at < during])
    (running,) = of_kind(one, "brand-shift")
    assert running.alert.ended_at is None
    one.take([each for each in items if each.posted_at >= during])
    (over,) = of_kind(one, "brand-shift")
    assert over.alert.key == running.alert.key == key_of("brand-shift", "星澜", "", "", "", running.alert.evidence["first"])
    assert over.alert.ended_at is not None
    assert [each.state for each in one.store.alerts(history=True) if each.alert.kind == "brand-shift"] == ["current"]


def test_order_batches_a_late_roster_and_late_coverage_change_nothing(
    bench: Callable[..., Bench], items: list[Item], expected: str
) -> None:
    late = bench(batch_size=97)
    late.take(random.Random(1).sample(items, len(items)))
    late.roster(roster())
    late.catch_up()
    for day in (40, 100, DAYS):
        cover(late.store, day)
        late.catch_up()
    assert late.fingerprint() == expected

    piecemeal = bench()
    piecemeal.roster(roster())
    shuffled = random.Random(2).sample(items, len(items))
    for start in range(0, len(shuffled), 220):
        piecemeal.take(shuffled[start : start + 220])
        cover(piecemeal.store, DAYS * (start + 220) / len(shuffled) if start + 220 < len(shuffled) else DAYS)
    piecemeal.catch_up()
    assert piecemeal.fingerprint() == expected
    assert piecemeal.store.count_dirty() == 0


@pytest.mark.postgres
def test_postgres_says_the_same(bench: Callable[..., Bench], items: list[Item], expected: str, postgres_url: str) -> None:
    one = bench(postgres_url)
    one.take(items[::-1])
    one.roster(roster())
    cover(one.store, DAYS)
    one.catch_up()
    assert one.fingerprint() == expected


def test_silence_waits_for_coverage_and_a_crawl_wakes_only_whom_it_shows_to_be_silent(
    bench: Callable[..., Bench], items: list[Item]
) -> None:
    one = bench()
    one.roster(roster())
    one.take(items)
    assert of_kind(one, "silence") == []
    (due,) = {state.silent_from for state in one.store.states() if state.koc_id == "QUIET"}
    assert due is not None
    due_day = (due - START) / timedelta(days=1)
    cover(one.store, due_day - 0.01)
    assert one.store.count_dirty() == 0
    cover(one.store, due_day)
    assert one.store.count_dirty() == 1
    one.catch_up()
    (silent,) = of_kind(one, "silence")
    assert silent.alert.fired_at == due
    assert [case.variant for case in one.store.cases() if case.koc_id == "QUIET"] == ["care"]
    cover(one.store, due_day + 20)
    assert one.store.count_dirty() == 0, "told once"


def test_a_silence_that_is_broken_is_over_and_its_untouched_case_closes(bench: Callable[..., Bench], items: list[Item]) -> None:
    one = bench()
    one.roster(roster())
    cover(one.store, DAYS)
    one.take(items)
    (case,) = [case for case in one.store.cases() if case.koc_id == "QUIET"]
    back = item("quiet", DAYS - 1, GOOD, random.Random(9))
    one.take([back])
    (over,) = of_kind(one, "silence")
    assert over.alert.ended_at == back.posted_at
    steps = [step.step for step in one.store.steps(case.key)]
    assert steps == ["open", "recovered", "close"]


def test_an_account_that_was_never_read_ends_what_was_known_of_silence(bench: Callable[..., Bench], items: list[Item]) -> None:
    one = bench()
    one.roster(roster())
    cover(one.store, DAYS)
    one.take(items)
    assert len(of_kind(one, "silence")) == 1
    (quiet,) = [koc for koc in roster() if koc.koc_id == "QUIET"]
    one.roster([replace(quiet, accounts=(*quiet.accounts, Account("forum", "quiet-too", "")))])
    one.catch_up()
    assert of_kind(one, "silence") == []


def test_who_is_put_on_the_roster_is_the_public_no_more(bench: Callable[..., Bench], items: list[Item]) -> None:
    one = bench()
    one.roster(roster())
    one.take(items)
    crowd = [Koc(f"C{n}", f"路人{n}", (Account("forum", f"crowd{n}", ""),)) for n in range(90)]
    one.roster(crowd)
    one.catch_up()
    assert of_kind(one, "brand-shift") == []
    assert one.store.moods(BRAND.name) != []
    assert not any(day.is_shifted for day in one.store.moods(BRAND.name))
    one.store.remove_kocs([koc.koc_id for koc in crowd])
    one.catch_up()
    assert len(of_kind(one, "brand-shift")) == 1
    assert any(day.is_shifted for day in one.store.moods(BRAND.name))
    assert one.store.count_dirty() == 0


def test_what_was_known_of_the_public_at_a_time_is_known_again(bench: Callable[..., Bench], items: list[Item]) -> None:
    one = bench()
    one.roster(roster())
    one.take(items)
    early = START + timedelta(days=60)
    everybody, public = one.store.moods(BRAND.name), one.store.public_moods(BRAND.name)
    assert sum(day.n for day in everybody) - sum(day.n for day in public) == sum(each.author_id in KOCS for each in items)
    assert one.store.public_moods(BRAND.name, as_of=early) == []  # nothing was stored by then
    one.clock += timedelta(days=1)
    assert one.store.public_moods(BRAND.name, as_of=one.clock) == public
