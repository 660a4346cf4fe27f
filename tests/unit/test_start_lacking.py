"""Who needs how many more posts, in words; what a start writes down only once."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from config.settings import load
from listener.demo import show
from listener.drift.rules import Rule
from listener.start.lacking import MOST_ROWS, Lack, lacking, words_of
from listener.start.questions import Answers
from listener.start.showing import closing
from listener.start.written import Written, add_channel, add_source, prepare
from storage.records import Account, DriftState, Koc, Status
from tests.alerted import HOSTILE, history, view

ANSWERS = Answers(("星澜",), (), None, None, "")


def shown(what: Any) -> str:
    out = io.StringIO()
    Console(file=out, width=100).print(what)
    return out.getvalue()


def workspace(mentions: dict[str, tuple[int, Status]]) -> tuple[Any, list[Koc]]:
    """An app whose KOCs have so many mentions and stand so."""
    states = [
        DriftState(n, "星澜", status, count, 0.7, 0.7, None, 0.1, "x", (), "c") for n, (count, status) in mentions.items()
    ]
    store = SimpleNamespace(
        states=lambda brand: states,
        history=lambda koc_id, brand: replace(history(before=mentions[koc_id][0], after=0), koc_id=koc_id),
        moods=lambda brand, as_of: [],
        calibration=lambda brand, at=None: None,
    )
    app = SimpleNamespace(store=store, rule=Rule, settings=SimpleNamespace(rules=SimpleNamespace(min_mentions=3)))
    return app, [Koc(n, f"网友{n}[/b]", ()) for n in mentions]


def test_each_koc_is_told_what_it_lacks_and_the_others_in_a_line() -> None:
    many: dict[str, tuple[int, Status]] = {f"K{n:02d}": (20, "advocate") for n in range(15)}
    app, kocs = workspace(many | {"few": (1, "candidate"), "turned": (12, "critic"), "unsure": (20, "wavering")})
    told = shown(lacking(app, "星澜", [*kocs, Koc("none", "无声", ())]))
    assert "网友few[/b]" in told
    assert "基线还差 2 条" in told
    assert told.count("若转为负面，约") == MOST_ROWS - 2 + 1
    assert "已报黄色；再有约" in told
    assert "其余 5 位：5 位若转为负面" in told
    assert "还没有说起品牌，基线还差 3 条：无声" in told
    assert "1 位已有红色预警" in told


@pytest.mark.parametrize(
    ("need", "words"),
    [
        ({"amber": None, "red": None}, "若转为负面，25 条以内不会有预警"),
        ({"amber": 2, "red": None}, "若转为负面，约 2 条后会有黄色预警，25 条以内不会有红色"),
        ({"amber": 4, "red": 4}, "若转为负面，约 4 条后会有红色预警"),
        ({"red": 2}, "已报黄色；再有约 2 条负面会有红色预警"),
        ({"red": None}, "已报黄色；再有 25 条负面也不会有红色预警"),
    ],
)
def test_what_more_posts_would_do_is_told_in_words(need: dict[str, int | None], words: str) -> None:
    assert words_of(Lack(Koc("K1", "小满", ()), 12, 0, need)) == words


def test_the_closing_says_only_what_was_done() -> None:
    assert "例子都在文件里" in shown(closing(Path("ws"), ANSWERS, Written()))
    assert "来源「微博」和渠道「mail」写好了" in shown(closing(Path("ws"), ANSWERS, Written("微博", "mail")))


def test_a_source_or_channel_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    path = prepare(tmp_path, ANSWERS)
    kocs = [Koc("K1", "小满", (Account("weibo", "1", "k1"),))]
    assert (add_source(path, ["星澜"], []), add_source(path, ["星澜"], kocs), add_source(path, ["星澜"], kocs)) == (
        "",
        "微博",
        "",
    )
    sent = ["pr@example.com", "https://h.example.com/a", "boss@example.com", "https://h.example.com/b"]
    assert [add_channel(path, one) for one in (*sent, *sent, "")] == ["mail", "hook", "mail-2", "hook-2", *[""] * 5]
    assert [one.name for one in load(path, {}).channels] == ["mail", "hook", "mail-2", "hook-2"]


def test_the_demo_shows_hostile_words_as_plain_ones() -> None:
    out = io.StringIO()
    console = Console(file=out, width=100)
    nasty = view(bad=HOSTILE + "[/b][doge]", koc=Koc("K1", "[/b]" + HOSTILE, (), owner="[/i]" + HOSTILE))
    show.alert(console, nasty)
    show.others(console, [nasty])
    show.crawled(console, 1, nasty.alert.fired_at, {"[/b]" + HOSTILE: 3}, show.Text("红"))
    show.received(console, [show.Mail("[/b]" + HOSTILE, Path("[/b].eml"))], [], [])
    show.further(console, Path("demo"), "[/b]" + HOSTILE, timedelta(seconds=3).total_seconds())
    told = out.getvalue()
    assert "[doge]" in told
    assert told.count("[/b]") >= 6
    assert not {"\x1b", "\x00", "\r", "\u202e"} & set(told)
