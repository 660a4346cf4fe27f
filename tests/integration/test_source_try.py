"""`listener source try`: what a forum's selectors catch on a page of a server, or on a saved one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from listener.cli import run
from listener.workspace import create
from tests.local_site import Answer, Asked, Site, page

BOARD = Path(__file__).parents[1] / "pages" / "forum" / "board_gbk.html"
SELECTORS = r"""
[[sources]]
name = "论坛"
platform = "forum"
every = "1h"
urls = ["{url}/board"]
[sources.options.topics]
item = "{item}"
link = "a.xst"
id = 'tid=(\d+)'
title = "a.xst"
author = "td.by:nth-of-type(1) cite"
time = ["td.by em span span::text", "td.by em span::text"]
next = "a.nxt"
"""


def answer(asked: Asked) -> Answer | None:
    if asked.path == "/robots.txt":
        return Answer(b"User-agent: *\nDisallow: /private", headers={"Content-Type": "text/plain"})
    if asked.path == "/walled":
        return Answer(b"", 403)
    return page(BOARD.read_bytes().decode("gbk"), "gbk") if asked.path in ("/board", "/private") else None


def workspace(folder: Path, url: str, item: str = "tbody[id^=normalthread]") -> str:
    settings = create(folder)
    settings.write_text(settings.read_text("utf-8") + SELECTORS.format(url=url, item=item), "utf-8")
    return str(settings)


def test_a_page_is_fetched_politely_and_told_selector_by_selector(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Site(answer) as site:
        settings = workspace(tmp_path, site.url)
        assert run(["-c", settings, "source", "try", f"{site.url}/board", "-f", "json"]) == 0
        said = capsys.readouterr()
        assert [one.path for one in site.asked] == ["/robots.txt", "/board"]
        assert "koc-listener" in site.asked[1].headers["user-agent"]
        rows = {row["name"]: row for row in json.loads(said.out)}
        assert rows["topics.title"]["example"] == "晴川控油款用了两周，说说感受"
        assert rows["topics.title"]["caught"] == "2 / 2"
        assert rows["topics.time"]["read"].endswith("+08:00")
        assert (
            rows["topics.link"]["read"] == f"{site.url}/forum.php?mod=viewthread&tid=71&extra=page%3D1 → {site.host}:topic:71"
        )
        assert "2 个主题" in said.err
        assert "options.floors" in said.err


def test_a_selector_that_catches_nothing_is_named_and_the_command_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = workspace(tmp_path, "https://bbs.example", item="tr.thread")
    assert run(["-c", settings, "source", "try", str(BOARD)]) == 1
    said = capsys.readouterr()
    assert "topics.item" in said.out
    assert "选择器 topics.item = 'tr.thread' 在这一页上没有选中任何东西" in said.err


def test_a_saved_page_needs_no_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = workspace(tmp_path, "https://bbs.example")
    assert run(["-c", settings, "source", "try", str(BOARD), "--source", "论坛", "-f", "jsonl"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert next(row for row in rows if row["name"] == "topics.link")["read"].endswith("bbs.example:topic:71")


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/private", 1, "robots.txt"),
        ("/walled", 1, "HTTP 403"),
        ("/nowhere", 1, "HTTP 404"),
    ],
)
def test_what_may_not_or_can_not_be_read_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], path: str, status: int, words: str
) -> None:
    with Site(answer) as site:
        settings = workspace(tmp_path, site.url)
        assert run(["-c", settings, "source", "try", site.url + path]) == status
    assert words in capsys.readouterr().err


def test_wrong_selectors_and_unclear_sources_are_mistakes_of_the_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = workspace(tmp_path, "https://bbs.example", item="a[href")
    assert run(["-c", settings, "source", "try", str(BOARD)]) == 2
    assert "options.topics.item: 不是 CSS 选择器" in capsys.readouterr().err
    assert run(["-c", settings, "source", "try", "no-such-file.html", "--source", "别的"]) == 2
    assert "unknown source" in capsys.readouterr().err
    both = Path(settings)
    both.write_text(both.read_text("utf-8").replace("a[href", "tbody"), "utf-8")
    assert run(["-c", settings, "source", "try", "no-such-file.html"]) == 1
    assert "can't be read: no-such-file.html" in capsys.readouterr().err
    both.write_text(
        both.read_text("utf-8") + SELECTORS.format(url="https://b.example", item="li").replace("论坛", "二号"), "utf-8"
    )
    assert run(["-c", settings, "source", "try", "https://c.example/"]) == 2
    assert "论坛, 二号" in capsys.readouterr().err
