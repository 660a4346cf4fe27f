"""The child process behind collect(): how it starts, speaks, stops and dies."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import textwrap
import time
import traceback
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from listener.demo.platform import Fault, PlatformPost, PlatformServer
from spiders.collect import Collected, CollectError, CollectJob, Covered, Ended, Event, Reached, Trouble, collect, platforms

START = datetime(2026, 1, 1, tzinfo=UTC)
ROOT = Path(__file__).parents[2]


def posts(count: int, author: str = "7001") -> list[PlatformPost]:
    return [
        PlatformPost(f"{author}{number:06d}", author, "小鹿", START + timedelta(hours=number), f"晴川第 {number} 天")
        for number in range(count)
    ]


@pytest.fixture
def platform() -> Iterator[PlatformServer]:
    with PlatformServer(posts(60)) as server:
        yield server


def job(platform: PlatformServer, **changed: object) -> CollectJob:
    asked = CollectJob("weibo", "测试", accounts=("7001",), base_url=platform.url, delay_seconds=0)
    return replace(asked, **changed)  # type: ignore[arg-type]


def children_of(pid: int) -> list[int]:
    """The spiders' processes among a process's children; other tests of this run may have left theirs there."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                stat = (folder / "stat").read_text().rsplit(")", 1)[1].split()
                words = (folder / "cmdline").read_bytes().split(b"\0")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(stat[1]) == pid and stat[0] != "Z" and b"spiders.child" in words:
                found.append(int(folder.name))
    return found


def is_gone(pid: int, seconds: float = 8.0) -> bool:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            if (Path("/proc") / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def extra_spiders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Spiders of another distribution, as an add-on would bring them."""
    (tmp_path / "others.py").write_text(
        textwrap.dedent(
            """
            import os
            from datetime import UTC, datetime

            import scrapy

            from spiders.events import Collected, Covered, Reached
            from spiders.items import Item
            from spiders.subjects import SubjectSpider

            AT = datetime(2026, 1, 1, tzinfo=UTC)

            class Plain(scrapy.Spider):
                def __init__(self, job, **kwargs):
                    super().__init__(name="plain", **kwargs)
                    self.job = job

                async def start(self):
                    print("a spider that prints")
                    yield Item("plain", "1", "7", AT, "一")
                    yield scrapy.Request(self.job.urls[0] + "/robots.txt", callback=self.parse)

                def parse(self, response):
                    yield Item("plain", "2", "7", AT, "二")
                    yield Reached("plain", AT)

            class Crashing(Plain):
                async def start(self):
                    yield Item("plain", "1", "7", AT, "一")
                    self.logger.warning("last words")
                    os._exit(7)

            class Buggy(Plain):
                async def start(self):
                    yield Item("plain", "1", "7", AT, "一")
                    raise KeyError("bug")

            class Unmade(Plain):
                def __init__(self, job):
                    raise RuntimeError("can't be made")

            class Sloppy(Plain):
                async def start(self):
                    yield Item("plain", "1", "7", datetime(2026, 1, 1), "没有时区")
                    yield Item("plain", "2", "7", AT, "好")
                    yield Reached("plain", AT)
                    yield Covered("plain", "7")

            class Wild(Plain):
                async def start(self):
                    yield {"not": "an item"}

            class Noisy(Plain):
                async def start(self):
                    os.write(self.crawler.wire._descriptor, b"13800000000" + bytes([10]))
                    yield Item("plain", "1", "7", AT, "一")

            class Unready(SubjectSpider):
                pass

            class Odd(SubjectSpider):
                name = "odd"

                def hosts(self):
                    return {"a.example"}

                def subjects(self):
                    return self.job.urls

                async def read(self, subject):
                    yield Collected(Item("odd", subject, "7", AT, "好"))
                    if subject == "b":
                        raise KeyError("小红的原话")
                    yield Reached(subject, AT)

            class Nested(Plain):
                async def start(self):
                    raw = []
                    for _ in range(int(self.job.urls[0])):
                        raw = [raw]
                    yield Item("plain", "1", "7", AT, "深", raw={"a": raw})
                    yield Item("plain", "2", "7", AT, "好")
                    yield Reached("plain", AT)
            """
        )
    )
    info = tmp_path / "others-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: others\nVersion: 1.0\n")
    names = ("Plain", "Crashing", "Buggy", "Unmade", "Sloppy", "Wild", "Noisy", "Unready", "Odd", "Nested")
    lines = "".join(f"{name.lower()} = others:{name}\n" for name in names)
    (info / "entry_points.txt").write_text(f"[koc_listener.spiders]\n{lines}missing = others:Missing\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


def test_our_spiders_are_found_by_entry_point() -> None:
    assert {"feed", "weibo"} <= set(platforms())


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (CollectJob("weibo2", accounts=("1",)), r"unknown platform 'weibo2'; there are: .*feed.*weibo"),
        (CollectJob("weibo"), "nothing to read"),
        (CollectJob("weibo", accounts=("1",), timezone="Asia/Nowhere"), "time zone"),
        (CollectJob("weibo", accounts=("1",), timezone="../../etc/passwd"), "time zone"),
        (CollectJob("weibo", accounts=("1",), since=datetime(2026, 1, 1)), "since"),
    ],
)
def test_a_job_that_cannot_be_run_is_refused_at_once(asked: CollectJob, words: str) -> None:
    with pytest.raises(CollectError, match=words):
        collect(asked)


def test_items_come_before_the_mark_that_vouches_for_them(platform: PlatformServer) -> None:
    events = list(collect(job(platform)))
    kinds = [type(event).__name__ for event in events]
    pages = [*["Collected"] * 10, "Noted"] * 6
    assert kinds == [*pages[:-1], "Reached", "Covered", "Answered", "Ended"]
    reached, covered, _, ended = events[-4:]
    assert isinstance(reached, Reached)
    assert (reached.subject, reached.posted_at) == ("timeline:7001", START + timedelta(hours=59))
    assert covered == Covered("weibo", "7001")
    assert isinstance(ended, Ended)
    assert (ended.outcome, ended.error) == ("done", "")
    assert ended.stats["item_scraped_count"] == 68


def test_nothing_runs_before_the_first_event_is_asked_for(platform: PlatformServer) -> None:
    events = collect(job(platform))
    time.sleep(0.3)
    events.close()
    assert platform.requests == []


def test_closing_the_iterator_ends_the_child(platform: PlatformServer) -> None:
    platform.latency_seconds = 0.2
    events = collect(job(platform))
    assert isinstance(next(events), Collected)
    (child,) = children_of(os.getpid())
    started = time.monotonic()
    events.close()
    assert is_gone(child, 0.1)
    assert time.monotonic() - started < 5


def test_a_child_that_hangs_in_a_request_is_ended_in_time(platform: PlatformServer) -> None:
    platform.faults = [Fault("hang", after=2)]
    events = collect(job(platform))
    assert [type(next(events)) for _ in range(21)].count(Collected) == 20
    started = time.monotonic()
    events.close()
    assert time.monotonic() - started < 6
    assert children_of(os.getpid()) == []


PARENT = """
import sys
from spiders.collect import CollectJob, collect
events = collect(CollectJob("weibo", accounts=("7001",), base_url=sys.argv[1], delay_seconds=0.2))
next(events)
print("reading", flush=True)
for event in events:
    pass
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_no_child_outlives_its_parent(platform: PlatformServer, how: signal.Signals) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, platform.url], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT
    )
    assert parent.stdout is not None
    with parent.stdout:
        assert parent.stdout.readline() == b"reading\n"
        (child,) = children_of(parent.pid)
        parent.send_signal(how)
        parent.wait(10)
    assert is_gone(child)


def test_a_child_that_is_told_to_stop_says_that_it_was_cut(platform: PlatformServer) -> None:
    platform.latency_seconds = 0.2
    events = collect(job(platform))
    assert isinstance(next(events), Collected)
    (child,) = children_of(os.getpid())
    os.kill(child, signal.SIGTERM)
    rest = list(events)
    assert isinstance(rest[-1], Ended)
    assert rest[-1].outcome == "cut"
    assert not any(isinstance(event, Reached) for event in rest)


def test_a_killed_child_is_a_failed_crawl(platform: PlatformServer) -> None:
    platform.latency_seconds = 0.2
    events = collect(job(platform))
    assert isinstance(next(events), Collected)
    (child,) = children_of(os.getpid())
    os.kill(child, signal.SIGKILL)
    rest = list(events)
    assert isinstance(rest[-1], Ended)
    assert rest[-1].outcome == "failed"
    assert "-9" in rest[-1].error
    assert not any(isinstance(event, Reached) for event in rest)


def ended(events: list[Event]) -> Ended:
    assert isinstance(events[-1], Ended)
    return events[-1]


def test_an_ordinary_scrapy_spider_of_another_package_works(extra_spiders: Path, platform: PlatformServer) -> None:
    events = list(collect(CollectJob("plain", urls=(platform.url,), delay_seconds=0)))
    assert [event.item.post_id for event in events if isinstance(event, Collected)] == ["1", "2"]
    assert events[-2] == Reached("plain", START)
    assert ended(events).outcome == "done"


def test_a_crash_is_told_with_its_last_words(extra_spiders: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        events = list(collect(CollectJob("crashing", urls=("x",))))
    assert ended(events).outcome == "failed"
    assert "last words" in ended(events).error
    assert "7" in ended(events).error
    assert "last words" in caplog.text


@pytest.mark.parametrize(
    ("name", "words"), [("buggy", "KeyError"), ("unmade", "can't be made"), ("wild", "dict"), ("missing", "Missing")]
)
def test_a_bug_is_a_failed_crawl_and_names_itself(extra_spiders: Path, name: str, words: str) -> None:
    events = list(collect(CollectJob(name, urls=("x",))))
    assert ended(events).outcome == "failed"
    assert words in ended(events).error


def test_a_mark_never_passes_an_item_that_was_no_item(extra_spiders: Path) -> None:
    events = list(collect(CollectJob("sloppy", urls=("x",))))
    assert [type(event).__name__ for event in events] == ["Trouble", "Collected", "Ended"]
    assert isinstance(events[0], Trouble)
    assert (events[0].kind, "没有时区" in events[0].message) == ("changed", True)


def test_a_bug_in_one_subject_costs_that_subject_alone(extra_spiders: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        events = list(collect(CollectJob("odd", urls=("a", "b", "c"))))
    assert [event.item.post_id for event in events if isinstance(event, Collected)] == ["a", "b", "c"]
    assert [event.subject for event in events if isinstance(event, Reached)] == ["a", "c"]
    (trouble,) = (event for event in events if isinstance(event, Trouble))
    assert (trouble.kind, trouble.subject) == ("failed", "b")
    assert "KeyError" in trouble.message
    assert " / " in trouble.message
    assert "小红" not in trouble.message
    assert ended(events).outcome == "failed"
    (record,) = (record for record in caplog.records if record.levelno == logging.CRITICAL)
    assert "Traceback" in record.getMessage()


@pytest.mark.parametrize("depth", [150, 250, 900])
def test_an_item_that_the_pipe_cannot_carry_keeps_the_mark_back(extra_spiders: Path, depth: int) -> None:
    events = list(collect(CollectJob("nested", urls=(str(depth),))))
    found = [event.item.post_id for event in events if isinstance(event, Collected)]
    assert found == (["1", "2"] if depth == 150 else ["2"])
    assert any(isinstance(event, Reached) for event in events) is (depth == 150)
    assert ended(events).outcome == ("done" if depth == 150 else "failed")


def test_nonsense_on_the_pipe_is_an_error_of_the_crawl(extra_spiders: Path) -> None:
    with pytest.raises(CollectError, match="no event") as caught:
        list(collect(CollectJob("noisy", urls=("x",))))
    told = "".join(traceback.format_exception(caught.value))
    assert "12 bytes" in told
    assert "13800000000" not in told
    assert " / " in str(caught.value)
    assert children_of(os.getpid()) == []


def test_the_childs_log_records_come_to_our_log(platform: PlatformServer, caplog: pytest.LogCaptureFixture) -> None:
    platform.faults = [Fault("error")]
    with caplog.at_level(logging.INFO):
        list(collect(job(platform, retries=1)))
    found = [(record.name, record.levelname) for record in caplog.records if "Gave up" in record.getMessage()]
    assert found == [("scrapy.downloadermiddlewares.retry", "WARNING")]
    assert "Overridden settings" not in caplog.text


def test_a_file_of_the_users_folder_is_no_module_of_ours(
    platform: PlatformServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "spiders.py").write_text("raise SystemExit('wrong spiders')")
    (tmp_path / "queue.py").write_text("raise SystemExit('wrong queue')")
    monkeypatch.chdir(tmp_path)
    assert ended(list(collect(job(platform)))).outcome == "done"


def test_the_child_module_says_what_starts_it() -> None:
    done = subprocess.run([sys.executable, "-m", "spiders.child"], input=b"", capture_output=True, cwd=ROOT, check=False)
    assert done.returncode == 1
    assert b"spiders.collect" in done.stderr


def test_two_crawls_run_at_once(platform: PlatformServer) -> None:
    first, second = collect(job(platform)), collect(job(platform))
    assert isinstance(next(first), Collected)
    assert isinstance(next(second), Collected)
    assert ended(list(first)).outcome == ended(list(second)).outcome == "done"
