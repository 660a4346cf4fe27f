"""The platform that CONTRIBUTING.md adds: a spider of another installed package, crawled by the program as any other."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest

from spiders.collect import Collected, CollectError, CollectJob, Covered, Ended, Event, collect, options_faults, platforms
from spiders.errors import Changed
from tests.town import START, Town, install, said


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    folder = install(tmp_path / "site")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder))
    import town_spider  # type: ignore[import-not-found]

    yield town_spider
    del sys.modules["town_spider"]


def crawl(town: Town, **asked: object) -> list[Event]:
    return list(collect(CollectJob("town", base_url=town.url, delay_seconds=0, retries=0, **asked)))  # type: ignore[arg-type]


def ids(events: list[Event]) -> list[str]:
    return [event.item.post_id for event in events if isinstance(event, Collected)]


def test_it_is_found_and_crawled_with_its_comments(installed: ModuleType) -> None:
    assert "town" in platforms()
    with Town() as town:
        for number in range(25):
            town.post(number, replies=int(number == 3))
        town.replies[3] = [{"id": "r1", "user": {"id": "9", "name": "路人"}, "at": START.isoformat(), "html": "同感"}]
        events = crawl(town, accounts=("7",), options={"board": "shampoo"})
    assert sorted(ids(events)) == sorted([*map(str, range(25)), "r1"])
    assert events[-1] == Ended("done", "", events[-1].stats)  # type: ignore[union-attr]
    assert Covered("town", "7") in events
    assert all("board=shampoo" in path for _, path in town.asked if "?" in path)
    (comment,) = (event.item for event in events if isinstance(event, Collected) and event.item.kind == "comment")
    assert (comment.parent_id, comment.root_id, comment.text) == ("3", "3", "同感")


def test_its_saved_page_reads_without_a_network(installed: ModuleType) -> None:
    entry = {"id": 1, "user": {"id": 7, "name": "小鹿"}, "at": START.isoformat(), "html": "a&amp;b", "likes": "1.2万"}
    page = installed.page_of({"posts": [entry, {"id": 2}], "next": 1})
    (found,) = page.found
    assert (found.item.text, found.item.likes, found.item.comments, page.next) == ("a&b", 12_000, None, "1")
    assert page.faults == ["帖子 2 的形状变了 / post of unknown shape: KeyError"]
    with pytest.raises(Changed, match="posts"):
        installed.page_of({"ok": 0})


def test_its_options_are_checked(installed: ModuleType) -> None:
    assert options_faults("town", {"board": "all"}) == []
    (fault,) = options_faults("town", {"bord": "all"})
    assert fault.startswith("options.bord: ")
    (fault,) = options_faults("weibo", {"anything": 1})
    assert fault.startswith("options.anything: ")


def test_one_post_by_its_address_and_one_that_is_gone(installed: ModuleType) -> None:
    with Town() as town:
        town.post(1, replies=1)
        town.replies[1] = [{"id": "r1", "user": {"id": "9", "name": "路人"}, "at": START.isoformat(), "html": "同感"}]
        events = crawl(town, posts=(f"{town.url}/posts/1", f"{town.url}/posts/2"))
    assert ids(events) == ["1", "r1"]
    assert [event.subject for event in events if event.event == "trouble"] == [f"post:{town.url}/posts/2"]


def test_blocked_changed_and_empty_do_not_look_alike(installed: ModuleType, tmp_path: Path) -> None:
    told = {}
    with Town() as town:
        for name, fault in (("blocked", (429, {}, b"")), ("changed", said({"data": []})), ("empty", None)):
            town.fault = lambda path, fault=fault: fault if "posts" in path else None  # type: ignore[misc]
            events = crawl(town, accounts=("7",), pages_dir=str(tmp_path))
            told[name] = [(event.kind, event.message) for event in events if event.event == "trouble"]
    assert [kind for kind, _ in told["blocked"]] == ["blocked"]
    assert [kind for kind, _ in told["changed"]] == ["changed"]
    assert told["empty"] == []
    assert isinstance(events[-1], Ended)
    assert (events[-1].outcome, ids(events)) == ("done", [])
    assert len(list(tmp_path.glob("town-*"))) == 1


def test_a_platform_that_nobody_installed_is_named(installed: ModuleType) -> None:
    with pytest.raises(CollectError, match="town"):
        collect(CollectJob("twon", accounts=("7",)))


def test_since_keeps_older_posts_away(installed: ModuleType) -> None:
    with Town() as town:
        for number in range(25):
            town.post(number)
        events = crawl(town, accounts=("7",), since=START + timedelta(hours=20), until=START + timedelta(hours=23))
    assert ids(events) == ["22", "21", "20"]
