"""Signals of crowds end to end: posts in, alerts out, whatever came first."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from listener import normalize, pipeline
from listener.signals.crowds import found_with
from listener.text.signals.tellers import told_of
from listener.text.views import view_of
from spiders.items import Item
from storage.erasure import Subject
from storage.records import Account, Brand, History, Koc, StoredAlert, Verdict
from storage.roster_records import By
from storage.store import Store
from tests.desks import KEY, Bench

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


# ---------------------------------------------------------------------------------------------------------- spread


def reaching() -> list[Item]:
    """A calm year's end in which every post is looked at twice, and one hard post that thousands like; one that a paper takes
    up; one text that four people post on two platforms."""
    rng = random.Random(7)
    items: list[Item] = []
    for one in calm(rng):
        for hours, part in ((3, 0.4), (30, 1.0)):
            likes = int(part * rng.lognormvariate(2.5, 0.8))
            items.append(replace(one, seen_at=one.posted_at + timedelta(hours=hours), likes=likes, comments=likes // 5))
    loud = item("quiet-one", 60, worded(BAD, rng), "loud")
    for hours, likes in ((2, 40), (5, 900), (20, 4000)):
        items.append(replace(loud, seen_at=loud.posted_at + timedelta(hours=hours), likes=likes, comments=30))
    items.append(item("somebody", 62, worded(BAD, rng), "picked"))
    items.append(
        item(
            "paper", 63, "转发微博：有用户反映星澜控油洗发水让人掉发", "by", kind="repost", parent_id="picked", root_id="picked"
        )
    )
    for n in range(5):
        story = item(
            f"copy{n}", 65 + n / 10, "星澜控油洗发水用了三天头皮红肿，去医院花了八百块，客服让我自己承担，大家千万别买"
        )
        items.append(replace(story, platform="weibo" if n % 2 else "forum"))
    return items


@pytest.fixture(scope="module")
def reach() -> list[Item]:
    return reaching()


MEDIA = frozenset({normalize.author_keys_of(KEY, "forum", "paper")[0]})


@pytest.fixture(scope="module")
def far(reach: list[Item], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The alerts of the plainest run of posts with counters."""
    with Store.open(f"sqlite:///{tmp_path_factory.mktemp('far') / 'a.db'}") as store:
        plain = Bench(store, (BRAND,))
        taken(plain, sorted(reach, key=lambda one: (one.seen_at or one.posted_at, one.post_id)))
        return plain.fingerprint()


def taken(one: Bench, items: Sequence[Item]) -> None:
    desk = replace(one.desk(), media={BRAND.name: MEDIA})
    pipeline.listen(items, "论坛", desk, lambda line: None)


def test_a_post_goes_far_in_three_ways_and_each_story_is_one_alert(far: str) -> None:
    told = {row[9][1]: row[8] for row in json.loads(far) if row[1] == "spread"}
    assert {post_id: e["ways"] for post_id, e in told.items()} == {
        "loud": ["fast"],
        "picked": ["press"],
        "copy0-65.0000": ["platforms"],
    }
    fast = told["loud"]["fast"]
    assert (fast["total"], fast["age_hours"], fast["last_total"]) == (930, 5.0, 4030)
    assert fast["usual"] < 60
    assert told["copy0-65.0000"]["platforms"]["platforms"] == ["forum", "weibo"]


def test_looks_in_any_order_and_batches_say_the_same(bench: Callable[..., Bench], reach: list[Item], far: str) -> None:
    shuffled = bench(batch_size=53)
    taken(shuffled, random.Random(3).sample(reach, len(reach)))
    assert shuffled.fingerprint() == far
    piecemeal = bench()
    mixed = random.Random(4).sample(reach, len(reach))
    for start in range(0, len(mixed), 170):
        taken(piecemeal, mixed[start : start + 170])
    assert piecemeal.fingerprint() == far
    assert piecemeal.store.count_dirty() == 0


def test_another_media_list_is_found_with_at_the_next_watch(bench: Callable[..., Bench], reach: list[Item]) -> None:
    one = bench()
    one.take(reach, source="论坛")
    assert one.store.prepare_crowds(found_with(0.2, 1.0, {}))
    one.catch_up()
    before = {alert.alert.posts[0].post_id for alert in of_kind(one, "spread")}
    assert one.store.prepare_crowds(found_with(0.2, 1.0, {BRAND.name: MEDIA}))
    assert not one.store.prepare_crowds(found_with(0.2, 1.0, {BRAND.name: MEDIA}))
    taken(one, [])
    after = {alert.alert.posts[0].post_id for alert in of_kind(one, "spread")}
    assert after - before == {"picked"}


def test_the_words_of_every_signal_of_crowds_in_both_languages(bench: Callable[..., Bench], reach: list[Item]) -> None:
    one = bench()
    taken(one, [*reach, *(each for each in compose() if each.author_id.startswith("angry"))])
    said = []
    for stored in one.store.alerts():
        view = view_of(stored, History("", BRAND.name, tuple(one.store.said(stored.alert.posts, BRAND.name))), koc=None)
        for language in ("zh-CN", "en"):
            told = told_of(replace(view, language=language))
            assert told is not None, stored.alert.kind
            said.append(f"{told.headline}\n" + "\n".join(f"{label} {fact}" for label, fact in told.facts))
    text = "\n".join(said)
    assert "quiet-one" not in text
    assert "paper" not in text
    assert "互动 930" in text
    assert "the same words on 2 platforms" in text
    assert "6 小时内" in text


# ------------------------------------------------------------------------------------------------------- contagion


FRIENDS = ("k1", "k2", "k3", "k4")


def turning() -> list[Item]:
    """Thirty KOCs who praise; k0 turns, and the four who answered it turn within the weeks after."""
    rng = random.Random(11)
    turns = {"k0": 60.0, "k1": 70.0, "k2": 74.0, "k3": 80.0, "k4": 88.0}
    items = []
    for n in range(30):
        koc = f"k{n}"
        for step in range(60):
            day = step * 2 + rng.random()
            bad = day >= turns.get(koc, 999)
            items.append(item(koc, day, worded(BAD if bad else GOOD, rng), f"{koc}-{step}"))
    for n, koc in enumerate(FRIENDS):
        items.append(
            item(
                koc,
                20 + n,
                "星澜控油洗发水我也觉得好用，谢谢推荐",
                f"re-{koc}",
                kind="comment",
                parent_id="k0-9",
                root_id="k0-9",
            )
        )
    return items


def roster_of(names: Sequence[str]) -> list[Koc]:
    return [Koc(name.upper(), f"某{name}", (Account("forum", name, ""),)) for name in names]


def test_kocs_who_turn_after_one_they_answered_are_a_chain_whatever_came_first(bench: Callable[..., Bench]) -> None:
    items, everybody = turning(), roster_of([f"k{n}" for n in range(30)])
    one = bench()
    one.roster(everybody)
    one.take(items, source="论坛")
    (found,) = of_kind(one, "contagion")
    e = found.alert.evidence
    chain = {link["follower"]: link for link in e["chain"]}
    assert set(chain) <= {"K1", "K2", "K3", "K4"}
    assert len(chain) >= 3
    assert chain["K1"]["critic"] == "K0"
    assert {link["tie"] for link in e["chain"]} <= {"answer", "tree"}
    assert (e["people"], e["by_chance"] < 1.0) == (30, True)
    assert e["p"] <= 0.025
    view = view_of(found, History("", BRAND.name, tuple(one.store.said(found.alert.posts, BRAND.name))), koc=None)
    told = told_of(view)
    assert told is not None
    assert "在有往来的 KOC 之后转为负面" in told.headline

    late = bench(batch_size=77)
    late.take(random.Random(3).sample(items, len(items)), source="论坛")
    late.roster(everybody)
    late.catch_up()
    assert late.fingerprint() == one.fingerprint()
    late.store.remove_kocs(["K1", "K2", "K3", "K4"])
    late.catch_up()
    assert of_kind(late, "contagion") == []
    assert late.store.count_dirty() == 0


def test_a_brand_is_not_replayed_with_every_batch_of_kocs_that_turn(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = bench()
    one.roster(roster_of([f"k{n}" for n in range(30)]))
    one.take(turning(), source="论坛")
    before, replayed, judge = one.fingerprint(), [], pipeline.verdict_of_brand

    def counting(*given: Any) -> Verdict:
        replayed.append(given[0])
        return judge(*given)

    monkeypatch.setattr(pipeline, "verdict_of_brand", counting)
    one.store.mark_dirty()
    pipeline.watch(replace(one.desk(), watch_size=2))
    assert len(replayed) <= 2
    assert one.fingerprint() == before
    assert one.store.count_dirty() == 0


def test_who_answers_a_koc_is_known_by_time_and_the_kocs_own_answers_are_not_counted(bench: Callable[..., Bench]) -> None:
    one = bench()
    one.roster(roster_of(["k0"]))
    rng = random.Random(1)
    own = [item("k0", day, worded(GOOD, rng), f"p{day}") for day in (1, 50)]
    answers = [
        item("fan", 2, worded(GOOD, rng), "c1", kind="comment", parent_id="p1", root_id="p1"),
        item("k0", 3, worded(GOOD, rng), "c2", kind="comment", parent_id="p1", root_id="p1"),
        item("foe", 51, worded(BAD, rng), "c3", kind="comment", parent_id="c9", root_id="p50"),
        item("else", 52, worded(BAD, rng), "c4", kind="comment", parent_id="p7", root_id="p7"),
    ]
    one.take([*own, *answers], source="论坛")
    found = one.store.answers_to("K0", BRAND.name)
    assert [(each.at, each.stance > 0) for each in found] == [(answers[0].posted_at, True), (answers[2].posted_at, False)]
    assert one.store.answers_to("K0", BRAND.name, as_of=START) == []


@pytest.mark.postgres
def test_postgres_says_the_same_of_what_goes_far(
    bench: Callable[..., Bench], reach: list[Item], far: str, postgres_url: str
) -> None:
    one = bench(postgres_url)
    taken(one, random.Random(6).sample(reach, len(reach)))
    assert one.fingerprint() == far


def test_posts_without_counters_that_come_late_do_not_push_aside_what_is_usual_for_their_author(
    bench: Callable[..., Bench],
) -> None:
    def seen(day: float, text: str, likes: int | None = None) -> Item:
        at = START + timedelta(days=day)
        return item("big", day, text, likes=likes, seen_at=at + timedelta(hours=6))

    usual = [seen(day * 0.5, f"今天天气不错，第{day}天", 19_000 + day) for day in range(25)]
    bare = [seen(20 + n * 0.2, f"第{n}顿饭") for n in range(25)]
    hard = [seen(40, BAD[0], 20_000)]
    at_once, late, without = bench(), bench(), bench()
    at_once.take([*usual, *bare, *hard])
    late.take([*usual, *hard])
    late.take(bare)
    assert at_once.fingerprint() == late.fingerprint() == "[]"
    without.take(hard)
    assert [one.alert.kind for one in without.store.alerts()] == ["spread"]


def test_a_pickup_that_goes_takes_its_alert_along(bench: Callable[..., Bench]) -> None:
    one = bench()
    desk = one.desk()
    key = normalize.author_keys_of(KEY, "forum", "news")[0]
    media = {BRAND.name: frozenset({key})}
    one.store.prepare_crowds(found_with(0.2, 1.0, media))
    desk = replace(desk, media=media)
    root = item("a", 5, BAD[0], post_id="root")
    taken_up = item("news", 5.5, "有网友说起这件事，我们来看一看", parent_id="root", root_id="root")
    pipeline.listen([root, taken_up], "论坛", desk, list[object]().append)
    assert [each.alert.kind for each in one.store.alerts()] == ["spread"]
    one.store.privacy.erase(Subject("", (), ((key, "forum"),)), "erased", By("t", one.clock))
    pipeline.score(desk)
    pipeline.watch(desk)
    assert one.store.alerts() == []
