"""The same crawl, scores and replays by Dask workers: processes of their own that share one PostgreSQL and may be killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from config import edit
from config.settings import ConfigError
from listener import engines, pipeline, workspace
from listener.app import App, replay_many, score_many
from listener.crawling import Part, collect_many
from listener.engines import Dask, Reach, public_reach
from nlp import score as scorer
from nlp.results import Request, ScoreError
from spiders.collect import CollectError, CollectJob, Ended
from storage.records import Brand
from storage.store import Store, upgrade
from tests.dask_cluster import Cluster, until
from tests.desks import Bench
from tests.feeds import Feeds
from tests.integration.test_calibrating import BRAND, everything, fill, people
from tests.integration.test_crawling import ZONE, at_once, crawl, job_of

pytest.importorskip("distributed", reason="the extra koc-listener[dask] is not installed")
pytestmark = [pytest.mark.slow, pytest.mark.postgres]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A scheduler with two workers."""
    with Cluster(tmp_path_factory.mktemp("dask")) as cluster:
        cluster.worker()
        cluster.worker()
        yield cluster


@pytest.fixture
def dask(cluster: Cluster) -> Iterator[Dask]:
    with Dask(cluster.address) as dask:
        until(lambda: dask.slots() >= 2)
        yield dask


@pytest.fixture
def shared(postgres_url: str) -> str:
    """A PostgreSQL with all tables."""
    upgrade(postgres_url)
    return postgres_url


def test_dask_workers_leave_what_one_process_leaves(tmp_path: Path, shared: str, dask: Dask) -> None:
    with Feeds() as feeds:
        _, left = crawl(f"sqlite:///{tmp_path / '1.db'}", job_of(feeds), None)
        done, found = crawl(shared, job_of(feeds), dask, seconds=0.0)
        assert feeds.most_at_once == 1
    assert (done.outcome, done.items) == ("done", feeds.posts)
    assert found == left


def test_a_dask_worker_killed_in_the_middle_loses_and_doubles_nothing(tmp_path: Path, shared: str) -> None:
    with Cluster(tmp_path / "dask") as cluster, Feeds(pages=12, seconds=0.1) as feeds, Dask(cluster.address) as dask:
        _, left = crawl(f"sqlite:///{tmp_path / '1.db'}", job_of(feeds), None)
        feeds.asked.clear()
        first, _ = cluster.worker(), cluster.worker()
        until(lambda: dask.slots() == 2)

        def kill(host: str) -> None:
            if len(feeds.asked) > 10:
                first.kill()

        feeds.before = kill
        done, found = crawl(shared, job_of(feeds), dask)
        assert first.wait(10) == -signal.SIGKILL
    assert (done.outcome, done.items) == ("done", feeds.posts)
    assert found == left


def test_what_is_asked_to_stop_stops_on_the_workers_too(shared: str, dask: Dask) -> None:
    with Feeds(pages=100, seconds=0.1) as feeds:
        many = collect_many(
            job_of(feeds),
            lambda: len(feeds.asked) > 6,
            at_once,
            crew_of=lambda hosts: nullcontext(dask),
            reach=public_reach(shared, ZONE),
            alone=False,
        )
        assert [event.outcome for event in many if isinstance(event, Ended)] == ["cut"]
        assert is_quiet(feeds)


def is_quiet(feeds: Feeds) -> bool:
    """Whether within ten seconds nobody asks for pages any more."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        asked = len(feeds.asked)
        time.sleep(1.0)
        if len(feeds.asked) == asked:
            return True
    return False


def test_the_setting_dask_is_what_reads_and_sigterm_ends_it(tmp_path: Path, shared: str, cluster: Cluster, dask: Dask) -> None:
    path = workspace.create(tmp_path / "site")
    edit.put_brand(path, {"name": "星澜"})
    edit.put_section(path, "listener", {"database": shared})
    edit.put_section(path, "engine", {"dask": cluster.address})
    source = {"name": "订阅", "platform": "feed", "every": "1h", "delay_seconds": 0, "retries": 0}
    command = [sys.executable, "-m", "listener", "crawl"]
    with Feeds(hosts=2, pages=100, seconds=0.1) as feeds:
        edit.put_source(path, {**source, "urls": list(feeds.urls)})
        with (tmp_path / "log").open("wb") as log:
            process = subprocess.Popen(command, cwd=path.parent, stdout=log, stderr=log)
            until(lambda: len(feeds.asked) > 6)
            process.terminate()
            process.wait(10)
        assert is_quiet(feeds), "the workers' spiders end with whom they read for"
        feeds.pages = 3
        ended = subprocess.run(command, cwd=path.parent, capture_output=True, text=True, timeout=120, check=False)
        assert ended.returncode == 0, ended.stdout + ended.stderr
    with App.open(path, {}) as app:
        assert len(app.store.marks("订阅")) == 2
        assert app.store.crawls()[-1].outcome == "done"


def test_scores_and_replays_are_the_same_from_dask_workers(shared: str, dask: Dask, monkeypatch: pytest.MonkeyPatch) -> None:
    requests = [Request(f"这款用了 {number} 天，挺好用") for number in range(12)]
    monkeypatch.setattr("listener.app.CHUNK", 5)
    assert score_many(dask, requests) == scorer.score_batch(requests)
    monkeypatch.setattr("listener.app.KOCS", 4)
    with Store.open(shared, timezone=ZONE) as store:
        desk = Bench(store, (Brand(BRAND),)).desk()
        fill(store, people(10))
        pipeline.watch(desk)
        alone = everything(store)
        store.mark_dirty()
        pipeline.watch(replace(desk, replay=partial(replay_many, dask, public_reach(shared, ZONE))))
        assert everything(store) == alone


def test_a_worker_with_another_model_is_refused(dask: Dask, monkeypatch: pytest.MonkeyPatch) -> None:
    class Other:
        version = "another"

    monkeypatch.setattr(scorer, "loaded", lambda model=None, embeddings=False: Other)
    with pytest.raises(ScoreError, match="install the same version there"):
        score_many(dask, [Request("挺好用")])


def test_without_a_worker_nothing_waits_for_ever(tmp_path: Path) -> None:
    with Cluster(tmp_path) as cluster, Dask(cluster.address) as dask:
        with pytest.raises(BrokenExecutor, match="no worker"):
            dask.submit(len, [])
        with pytest.raises(ScoreError, match="no worker"):
            score_many(dask, [Request("挺好用")])


def test_a_scheduler_that_is_gone_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "CONNECT_SECONDS", 1)
    with Dask("tcp://127.0.0.1:9") as dask, pytest.raises(BrokenExecutor, match=r"can't be reached: tcp://127.0.0.1:9"):
        dask.slots()


def test_a_scheduler_that_comes_back_is_found_again(tmp_path: Path) -> None:
    with Cluster(tmp_path) as cluster, Dask(cluster.address) as dask:
        cluster.worker()
        until(lambda: dask.slots() == 1)
        assert dask.submit(len, [1, 2]).result() == 2
        dask.shutdown()
        assert dask.submit(len, [1]).result() == 1, "it connects when it is next asked"


def test_what_a_worker_refuses_is_told_here(shared: str, dask: Dask) -> None:
    def seal(job: CollectJob) -> Part:
        return Part(job, {("options", "key"): "env:KOC_NO_SUCH_VARIABLE"})

    with Feeds(hosts=1, pages=1) as feeds, pytest.raises(CollectError, match="KOC_NO_SUCH_VARIABLE"):
        list(
            collect_many(
                job_of(feeds), bool, at_once, crew_of=lambda hosts: nullcontext(dask),
                reach=Reach(shared, ZONE), seal=seal, alone=False,
            )
        )  # fmt: skip


def test_dask_wants_a_database_that_all_can_reach(tmp_path: Path) -> None:
    path = workspace.create(tmp_path / "site")
    edit.put_brand(path, {"name": "星澜"})
    with pytest.raises(ConfigError, match="can't share a file"):
        App.open(path, {"LISTENER_ENGINE_DASK": "tcp://127.0.0.1:8786"})
    with pytest.raises(ConfigError, match="must be like"):
        App.open(path, {"LISTENER_ENGINE_DASK": "scheduler"})
