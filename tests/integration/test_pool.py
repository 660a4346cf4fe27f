"""The pool in a real database, and on the command line: found by sums, named by a person, admitted with the author's own id."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from config import edit
from listener import cli, workspace
from listener.app import App
from storage.records import Counts, PostKey
from storage.roster_records import Nomination
from storage.store import Store
from tests.stored import BRAND, NOW, at, author, koc, mention, post

pytest_plugins = ["tests.postgres"]


def say(store: Store, who: str, favors: Sequence[float], **fields: Any) -> None:
    """An author's mentions, ten days apart, with those stances."""
    batch = [
        post(f"{who}{n}", f"星澜 {who} {n}", by=who, posted_at=at(10 * n), counts=Counts(likes=n, comments=1), **fields)
        for n in range(len(favors))
    ]
    store.add(batch, stored_at=NOW)
    stance = {one.key: favor for one, favor in zip(batch, favors, strict=True)}
    while stale := store.stale():
        store.put(
            [
                (one, [mention(one.key, favor=stance[one.key], against=round(0.95 - stance[one.key], 4), fingerprint=one.row)])
                for one in stale
            ]
        )


def test_who_is_for_the_brand_is_found_most_surely_first(store: Store) -> None:
    say(store, "few", [0.9] * 3)
    say(store, "many", [0.9] * 9)
    say(store, "against", [0.1] * 9)
    say(store, "two", [0.9] * 2)
    assert store.strangers.favorable(BRAND) == [author("many"), author("few")]
    assert store.strangers.favorable(BRAND, least=2, most=1) == [author("many")]
    assert store.strangers.favorable(BRAND, platform="weibo") == []
    assert store.strangers.favorable(BRAND, since=at(35)) == [author("many")]
    assert store.strangers.favorable("墨羽") == []


def test_of_the_roster_and_of_who_was_dropped_or_admitted_nobody_is_in_the_pool(store: Store) -> None:
    for who in ("a", "b", "c", "d"):
        say(store, who, [0.9] * 4)
    store.save_kocs([koc("K1", "a")])
    acts = [("b", "dropped"), ("c", "admitted"), ("d", "dropped"), ("d", "nominated")]
    for who, act in acts:
        store.ledger.nominate(Nomination(author(who), PostKey("forum", f"{who}0"), BRAND, NOW, act, "小王", "x"))  # type: ignore[arg-type]
    assert store.strangers.favorable(BRAND) == [author("d")]


def test_an_author_comes_with_the_newest_posts_their_stance_and_what_they_drew(store: Store) -> None:
    say(store, "a", [0.9, 0.4])
    store.add(
        [post("a9", "天气真好", by="a", posted_at=at(99), counts=Counts(likes=8)), post("a7", "无", by="a")], stored_at=NOW
    )
    store.put([(one, []) for one in store.stale()])
    (found,) = store.strangers.authors(BRAND, [author("a"), author("nobody")])
    assert [
        (said.key.post_id, said.is_mention, said.favor, said.engagement) for said in found.posts if said.key.post_id != "a7"
    ] == [
        ("a0", True, 0.9, 1),
        ("a1", True, 0.4, 2),
        ("a9", False, 0.0, 8),
    ]
    assert next(said for said in found.posts if said.key.post_id == "a7").engagement is None
    rows, prints = store.strangers.fingerprints(BRAND)
    assert rows.tolist() == prints.tolist() == [said.row for said in found.posts if said.is_mention]


def test_posts_past_their_horizon_and_posts_without_a_public_link_make_no_candidate(store: Store) -> None:
    say(store, "a", [0.9] * 4)
    say(store, "group", [0.9] * 4, platform="wechat")
    assert store.strangers.author_at("https://forum.example/a1") == (author("a"), PostKey("forum", "a1"))
    assert store.strangers.author_at("http://forum.example/a1/") == (author("a"), PostKey("forum", "a1"))
    for nowhere in ("https://forum.example/nope", "nope", ""):
        assert store.strangers.author_at(nowhere) is None
    store.purge(NOW + timedelta(days=999), raw_days_strangers=1, raw_days_kocs=1, text_days=30)
    assert store.strangers.favorable(BRAND) == []
    assert store.strangers.authors(BRAND, [author("a")]) == []
    assert store.strangers.author_at("https://forum.example/a1") is None


# ------------------------------------------------------------------------------------------------- the command line

GOOD = (
    "星澜这瓶控油洗发水用到第三周，头皮不痒了，很喜欢",
    "星澜好用，给爸爸也买了一瓶，他说清爽，很满意",
    "出差也带着星澜，旅行装设计得贴心，好用",
    "冬天用星澜有点凉，不过洗完蓬松，喜欢，希望泵头更耐用",
    "星澜洗完第二天也不油，真的很好用，值得推荐",
)
START = datetime(2026, 3, 1, 4, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = workspace.create(tmp_path / "池")
    edit.put_brand(path, {"name": BRAND, "categories": ["洗发水"]})
    monkeypatch.chdir(path.parent)
    lines = [
        {
            "platform": "forum", "post_id": f"{who}-{n}", "author_id": who, "author_name": f"昵称{who}", "url": f"https://f.example/{who}/{n}",
            "posted_at": (START + timedelta(days=20 * n)).isoformat(), "text": text, "likes": 3,
        }
        for who in ("u7", "k1")
        for n, text in enumerate(GOOD if who == "u7" else ("星澜好用", "星澜一般", "星澜客服不理人，再也不买了"))
    ]  # fmt: skip
    (path.parent / "in.jsonl").write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), encoding="utf-8")
    (path.parent / "名单.csv").write_text("koc_id,name,platform,account_id\nK1,阿澜,forum,k1\n", encoding="utf-8")
    assert cli.run(["koc", "import", "名单.csv", "--yes"]) == 0
    assert cli.run(["import", "in.jsonl"]) == 0
    return path.parent


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    def work(*words: str, code: int = 0) -> Any:
        capsys.readouterr()
        got = cli.run(list(words))
        said = capsys.readouterr()
        assert got == code, said.out + said.err
        return json.loads(said.out) if "json" in words else said.out + said.err

    return work


def test_a_stranger_becomes_a_koc_by_two_acts_of_people(run: Callable[..., Any], folder: Path) -> None:
    (one,) = run("koc", "candidates", "-f", "json")
    assert one["score"] == round(sum(part["points"] for part in one["parts"]), 1)
    assert one["links"][0].startswith("https://f.example/u7/")
    said = run("koc", "candidates")
    assert "昵称" not in said
    assert "u7/" in said
    link = one["links"][0]
    assert "写明是谁" in run("koc", "nominate", link, code=1)
    assert "没有存着这个网址" in run("koc", "nominate", "https://f.example/x", "--reason", "x", code=1)
    assert "已在名单上：K1" in run("koc", "nominate", "https://f.example/k1/0", "--reason", "x", code=1)
    assert "没有品牌" in run("koc", "nominate", link, "--reason", "x", "--brand", "谁", code=1)
    run("koc", "nominate", link, "--reason", "写得中肯，提过泵头的建议", "--by", "小王")
    (named,) = run("koc", "candidates", "--nominated", "-f", "json")
    assert (named["key"], named["who"], named["link"]) == (one["key"], "小王", link)
    assert run("koc", "candidates", "-f", "json")[0]["nominated"]
    assert "不是这条内容的作者" in run("koc", "admit", named["key"], "--account", "u8", "--name", "小七", code=1)
    assert "已有人用" in run("koc", "admit", named["key"], "--account", "u7", "--name", "小七", "--id", "K1", code=1)
    run("koc", "admit", named["key"], "--account", "u7", "--name", "小七", "--id", "K7", "--tier", "B", "--owner", "小王")
    shown = run("koc", "show", "K7", "-f", "json")
    assert (shown["koc"]["tier"], shown["changes"][0]["via"], shown["rows"][0]["mentions"]) == ("B", "admit", 5)
    assert run("koc", "candidates", "-f", "json") == []
    assert "没有以" in run("koc", "admit", named["key"], "--account", "u7", "--name", "小七", code=1)


def test_what_cuts_an_admission_short_leaves_nothing_half_done(run: Callable[..., Any], folder: Path) -> None:
    (one,) = run("koc", "candidates", "-f", "json")
    run("koc", "nominate", one["links"][0], "--reason", "写得中肯")
    cut = "CREATE TRIGGER cut BEFORE INSERT ON nominations BEGIN SELECT RAISE(ABORT, 'power cut'); END"
    with sqlite3.connect(folder / "listener.db") as database:
        database.execute(cut)
    run("koc", "admit", one["key"], "--account", "u7", "--name", "小七", "--id", "K7", code=1)
    with App.open(folder / "listener.toml", {}) as app:
        assert [each.koc_id for each in app.store.kocs()] == ["K1"]
    with sqlite3.connect(folder / "listener.db") as database:
        database.execute("DROP TRIGGER cut")
    run("koc", "admit", one["key"], "--account", "u7", "--name", "小七", "--id", "K7")


def test_a_stranger_who_was_left_out_is_shown_no_more(run: Callable[..., Any]) -> None:
    (one,) = run("koc", "candidates", "-f", "json")
    assert "为什么" in run("koc", "drop", one["links"][0], code=1)
    run("koc", "drop", one["links"][0], "--reason", "是员工")
    assert run("koc", "candidates", "-f", "json") == []
    run("koc", "nominate", one["links"][0], "--reason", "问过了，不是员工")
    run("koc", "drop", one["key"], "--reason", "本人不愿")
    assert run("koc", "candidates", "--nominated", "-f", "json") == []


def test_candidates_for_the_place_of_a_koc_who_left_stand_in_the_file(run: Callable[..., Any], folder: Path) -> None:
    (one,) = run("koc", "candidates", "--for", "K1", "-f", "json")
    assert {"same-platform", "same-topic", "same-reach"} <= {part["code"] for part in one["parts"]}
    for words in (("--asked-by", "koc"), ("--thanks", "谢谢"), ("--title", "荣誉体验官")):
        run("koc", "exit", "K1", *words)
    with App.open(folder / "listener.toml", {}) as app:
        for case in app.store.cases(koc="K1"):
            if case.state == "open":
                run("koc", "exit", "K1", "--waive", case.key, "--reason", "另行跟进")
    run("koc", "exit", "K1", "--finish")
    shown = run("koc", "show", "K1", "-f", "json")
    assert (shown["fading"], [each["author_key"][:12] for each in shown["replacements"]]) == ("left", [one["key"]])
    assert "已有序退出" in run("koc", "show", "K1")
