"""Settings, waits and words of the crawl."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from scrapy.settings import Settings

from spiders.events import Collected, CollectJob, Covered, Ended, Event, Reached, SubjectMark, Trouble, event_of, line_of
from spiders.items import Item, ItemMedia, fault_of
from spiders.middlewares import retry_after_seconds
from spiders.settings import settings_of, user_agent_of
from spiders.values import json_from

NOW = datetime(2026, 1, 1, tzinfo=UTC)
JOB = CollectJob("weibo", accounts=("1",))


def test_the_crawl_is_polite_and_nothing_listens() -> None:
    settings = Settings(settings_of(JOB))
    assert settings.getbool("ROBOTSTXT_OBEY")
    assert settings.getbool("AUTOTHROTTLE_ENABLED")
    assert settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN") == 1
    assert settings.getfloat("DOWNLOAD_DELAY") == 1.0
    assert not settings.getbool("TELNETCONSOLE_ENABLED")
    assert not settings.getbool("REMOTE_CONTROL_ENABLED")
    assert not settings.getbool("COOKIES_ENABLED")
    assert settings.getbool("DOWNLOAD_VERIFY_CERTIFICATES")
    assert {scheme for scheme, found in settings.getwithbase("DOWNLOAD_HANDLERS").items() if found} == {"http", "https"}


def test_the_user_agent_names_a_program_and_its_owner() -> None:
    assert user_agent_of(JOB).startswith("koc-listener/")
    assert "pr@brand.example" in user_agent_of(replace(JOB, contact="mailto:pr@brand.example"))
    assert user_agent_of(replace(JOB, user_agent="mine")) == "mine"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        (b"", None),
        (b"7", 7.0),
        (b" 120 ", 120.0),
        (b"Thu, 01 Jan 2026 00:01:00 GMT", 60.0),
        (b"Thu, 01 Jan 2026 00:01:00 -0000", 60.0),
        (b"Thu, 01 Jan 2020 00:01:00 GMT", 0.0),
        (b"soon", None),
        (b"-5", None),
    ],
)
def test_retry_after_is_read_in_both_forms(header: bytes | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, NOW) == seconds


ITEM = Item("weibo", "1", "7", NOW, "好😀\n", media=(ItemMedia("image", "u"),), raw={"a": [1, None, "中"]}, likes=3)


@pytest.mark.parametrize(
    "event",
    [
        Collected(ITEM),
        Reached("query:x", NOW, {"comments": {"1": 2}}),
        Reached("query:x", None),
        Covered("weibo", "7"),
        Trouble("changed", "变了", "query:x", "/a"),
        Ended("done", "", {"n": 1}),
    ],
)
def test_every_event_passes_the_pipe_unchanged(event: Event) -> None:
    line = line_of(event)
    assert line.count(b"\n") == 1
    assert event_of(line) == event


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, None),
        ({"post_id": " "}, "post_id"),
        ({"posted_at": datetime(2026, 1, 1)}, "posted_at"),
        ({"seen_at": datetime(2026, 1, 1)}, "seen_at"),
        ({"posted_at": datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=8)))}, "posted_at"),
        ({"comments": -1}, "comments"),
    ],
)
def test_what_can_be_no_post_has_a_fault(changed: dict[str, object], words: str | None) -> None:
    fault = fault_of(replace(ITEM, **changed))  # type: ignore[arg-type]
    assert fault is None if words is None else fault is not None and words in fault


def test_a_mark_survives_as_json() -> None:
    from spiders.events import JOBS

    job = replace(JOB, marks={"query:x": SubjectMark(NOW, {"etag": "x"})}, since=NOW)
    assert JOBS.validate_python(JOBS.dump_python(job, mode="json")) == job


def test_json_with_half_surrogates_is_made_storable() -> None:
    assert json_from(rb'{"a": "\ud83d", "b": "\uD83D\uDE00", "c": "\u0000"}') == {"a": "�", "b": "😀", "c": "�"}
    with pytest.raises(ValueError):
        json_from(b"{")


@pytest.mark.parametrize("depth", [101, 500, 100_000])
@pytest.mark.parametrize(("start", "end"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_json_that_nests_without_end_is_no_json(depth: int, start: bytes, end: bytes) -> None:
    with pytest.raises(ValueError, match="deep"):
        json_from(start * depth + b"1" + end * depth)
