"""Posts that are looked at again: their counts become curves, and what is gone is noted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from listener import pipeline
from spiders.collect import CollectJob
from storage.records import Brand, PostKey
from storage.store import Store
from tests.desks import Bench
from tests.town import START, Town, install

HOUR = timedelta(hours=1)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    folder = install(tmp_path / "site")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder))
    with Store.open(f"sqlite:///{tmp_path / 'listener.db'}") as store:
        yield Bench(store, (Brand("星澜"),), clock=START + 48 * HOUR)


def test_counts_become_curves_and_what_is_gone_is_noted(bench: Bench) -> None:
    with Town() as town:
        town.post(46, "星澜挺好用", likes=1)
        town.post(47, "星澜太差了，用了头皮发痒，再也不买", likes=2)
        job = CollectJob("town", "来源", accounts=("7",), base_url=town.url, delay_seconds=0, retries=0)
        assert pipeline.crawl(job, bench.desk()).outcome == "done"
        assert {one.post_id: one.is_negative for one in bench.store.watched("来源", START)} == {"46": False, "47": True}
        assert bench.store.watched("别的", START) == []
        assert pipeline.revisit(job, bench.desk(), 10).chosen == 0, "they were seen just now"

        bench.clock += 3 * HOUR
        town.posts[47]["likes"] = 90
        del town.posts[46]
        assert pipeline.revisit(job, bench.desk(), 1) == pipeline.Revisited(1, 1, 0), "the negative one first"
        assert pipeline.revisit(job, bench.desk(), 10) == pipeline.Revisited(1, 0, 1)
        assert pipeline.revisit(job, bench.desk(), 10).chosen == 0

    likes = [counts.likes for _, counts in bench.store.counts_of(PostKey("town", "47"))]
    assert likes == [2, 90]
    gone = bench.store.gone([PostKey("town", "46"), PostKey("town", "47")])
    assert list(gone) == [PostKey("town", "46")]
    (view,) = bench.store.posts_of([PostKey("town", "46")]).values()
    assert view.text == "星澜挺好用", "it stays evidence"


def test_a_post_that_is_seen_again_is_not_gone(bench: Bench) -> None:
    with Town() as town:
        town.post(47)
        job = CollectJob("town", "来源", accounts=("7",), base_url=town.url, delay_seconds=0, retries=0)
        pipeline.crawl(job, bench.desk())
        assert bench.store.note_gone([PostKey("town", "47"), PostKey("town", "nowhere")], bench.clock) == 1
        bench.clock += HOUR
        town.posts[47]["likes"] = 5
        pipeline.crawl(job, bench.desk())
    assert bench.store.gone([PostKey("town", "47")]) == {}


def test_a_host_that_fails_leaves_the_look_for_later(bench: Bench) -> None:
    with Town() as town:
        town.post(47)
        job = CollectJob("town", "来源", accounts=("7",), base_url=town.url, delay_seconds=0, retries=0)
        pipeline.crawl(job, bench.desk())
        bench.clock += 3 * HOUR
        town.fault = lambda path: (500, {}, b"") if "posts" in path else None
        failed = pipeline.revisit(job, bench.desk(), 10)
        assert (failed.chosen, failed.seen, failed.gone) == (1, 0, 0)
        assert "500" in failed.error
        (waiting,) = bench.store.watched("来源", START)
        assert (waiting.failures, waiting.failed_at) == (1, bench.clock)
        assert pipeline.revisit(job, bench.desk(), 10).chosen == 0, "others have their turn"
        town.fault = lambda path: None
        bench.clock += HOUR  # the host has refused nothing, it was only in trouble
        assert pipeline.revisit(job, bench.desk(), 10).seen == 1
        assert [one.failures for one in bench.store.watched("来源", START)] == [0]


def test_a_platform_without_single_posts_says_so(bench: Bench) -> None:
    with Town() as town:
        town.post(47)
        job = CollectJob("town", "来源", accounts=("7",), base_url=town.url, delay_seconds=0, retries=0)
        pipeline.crawl(job, bench.desk())
        bench.clock += 3 * HOUR
        feed = CollectJob("feed", "来源", urls=(f"{town.url}/feed",), delay_seconds=0, retries=0)
        assert pipeline.revisit(feed, bench.desk(), 10) == pipeline.Revisited(1, 0, 0, "", is_able=False)
