"""What is kept of one person goes for good, and stays away; all else is as if that person had never been heard."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, select, text

from config import edit
from listener import cli, workspace
from listener.cases import acts
from listener.cases.acts import Said
from storage.append_only import ERASING
from storage.database import url_of
from storage.erasure import Subject
from storage.records import KocMark, PostKey, StoreError
from storage.roster_records import Agreement, AgreementEvent, By, LogEntry, Nomination, Promise, PromiseEvent
from storage.store import Store
from storage.tables import metadata
from tests.stored import (
    BRAND,
    NOW,
    alert,
    at,
    author,
    case,
    changes,
    contents,
    delivery,
    drift,
    koc,
    listen,
    post,
    score_all,
    step,
    watch_all,
)  # fmt: skip

pytest_plugins = ["tests.postgres"]

BY = By("法务", NOW, note="本人 11 月 30 日来信要求")


def a_life(store: Store) -> None:
    """Two KOCs and a stranger; the first one with a row in every table that can hold one."""
    store.save_kocs([koc("K1", "甲", "乙"), koc("K2", "丙")], by=By("小王", NOW))
    batch = [post(f"a{n}", f"星澜第{n}次", by="甲", posted_at=at(n)) for n in range(4)]
    batch += [post("b1", "星澜好", by="乙", posted_at=at(3)), post("c1", "星澜差", by="丙", posted_at=at(4))]
    batch += [
        post("d1", "同意", by="丁", posted_at=at(5), parent="a1", kind="comment"),
        post("c2", "星澜", by="丙", posted_at=at(6)),
    ]
    listen(store, batch)
    with store.watching(brands=[BRAND]) as watch:
        assert watch is not None
        made = alert("A1", "K1")
        found = changes(
            "K1", drifts=(drift("K1", PostKey("forum", "a1")),), alerts=(made,), deliveries=(delivery("D1", "A1"),),
            cases=(case("C1", "K1"),), steps=(step("C1", "acknowledge"),),
        )  # fmt: skip
        watch.record(found, at=NOW)
    watch_all(store)
    store.mark_koc(KocMark("", "K1", BRAND, "mild", at(1), "", "小王", NOW))
    promise = Promise("", "K1", BRAND, "寄样给甲", "小王", "甲", True, date(2026, 6, 1), "hand", "other", NOW, "小王")
    store.ledger.note_promise(store.ledger.add_promises([promise])[0], PromiseEvent(NOW, "小王", "kept"))
    store.ledger.add_promises([replace(promise, koc_id="K2", what="寄样给丙", to_whom="丙")])
    agreed, _ = store.ledger.add_agreement(Agreement("", "K1", BRAND, "测评", None, None, Decimal(5), NOW, "小王"))
    store.ledger.note_agreement(agreed, AgreementEvent(NOW, "小王", "delivered"))
    store.ledger.log([LogEntry("K1", NOW, "contact", "小王", NOW, "与甲电话")])
    store.ledger.nominate(Nomination(author("甲"), PostKey("forum", "a1"), BRAND, NOW, "admitted", "小王", "好", "K1"))


def rows_in(url: str) -> dict[str, list[str]]:
    """Every row of every table, as text."""
    engine = create_engine(url_of(url))
    with engine.connect() as connection:
        found = {
            table.name: [repr(tuple(row)) for row in connection.execute(select(table))] for table in metadata.sorted_tables
        }
    engine.dispose()
    return found


def test_nothing_of_the_person_is_left_in_any_table_but_the_stone(store: Store, store_url: str) -> None:
    a_life(store)
    before = rows_in(store_url)
    assert all(
        before[name] for name in ("drifts", "alerts", "deliveries", "cases", "case_steps", "koc_marks", "promise_events")
    )
    done = store.privacy.erase(store.privacy.koc("K1"), "erased", BY)
    assert dict(done.rows)["posts"] == 5
    watch_all(store)
    marks = ("'K1'", "'A1'", "'C1'", "甲", "乙", author("甲"), author("乙"), "某K1", "第1次")
    left = {
        (table, mark)
        for table, rows in rows_in(store_url).items()
        if table not in ("tombstones", "privacy_log")
        for row in rows
        for mark in marks
        if mark in row
    }
    assert left == set()
    assert [one.why for one in store.privacy.tombstones()] == ["erased", "erased"]
    (entry,) = store.privacy.log()
    assert (entry.act, entry.who, entry.counts["posts"], entry.reason) == ("erased", "法务", 5, BY.note)
    assert "K1" not in entry.subject
    assert all(table not in row for table in ("甲", "乙") for row in rows_in(store_url)["privacy_log"])


def test_alerts_of_others_name_the_person_no_more_those_of_long_ago_neither(store: Store) -> None:
    a_life(store)
    chain = [{"critic": "K1", "follower": "K2"}, {"critic": "K3", "follower": "K2"}]
    named = replace(
        alert("B1", "", kind="contagion", level=None),
        evidence={"chain": chain, "place": "forum:a1", "koc": "K1", "by": author("甲"), "p": 0.01, "all": [["forum", "a2"], 7]},
        posts=(PostKey("forum", "a1"), PostKey("forum", "c1")),
    )
    for found in (changes("", alerts=(named,)), changes("", superseded=("B1",))):
        store.mark_dirty([""])
        with store.watching(brands=[BRAND]) as watch:
            assert watch is not None
            watch.record(found, at=NOW)
    assert dict(store.privacy.erase(store.privacy.koc("K1"), "erased", BY).rows)["alerts of others"] == 1
    (left,) = [one for one in store.alerts(history=True) if one.alert.key == "B1"]
    assert left.state == "superseded"
    assert left.alert.posts == (PostKey("forum", "c1"),)
    told = {"chain": chain[1:], "place": "", "koc": "", "by": "", "p": 0.01, "all": [7]}
    assert left.alert.evidence == told, "numbers and what is of others stay"


def test_an_account_that_objects_is_in_no_log_of_the_roster_any_more(store: Store, store_url: str) -> None:
    a_life(store)
    store.save_kocs([koc("K1", "甲"), koc("K2", "丙", "乙")], by=By("小王", NOW))
    assert any("乙" in row for row in rows_in(store_url)["koc_changes"])
    keys = ((author("乙"), "forum"),)
    store.privacy.erase(Subject("", (("forum", "乙"),), keys), "objected", BY)
    assert not any("乙" in row for row in rows_in(store_url)["koc_changes"])
    assert any("甲" in row for row in rows_in(store_url)["koc_changes"]), "the rest of the log stands"


def test_what_others_said_is_as_if_the_person_had_never_been_heard(store: Store, store_url: str, tmp_path: Path) -> None:
    a_life(store)
    assert store.mentions_of([PostKey("forum", "d1")], BRAND)  # inherited from the post that it answers
    store.privacy.erase(store.privacy.koc("K1"), "objected", BY)
    score_all(store)
    other = f"sqlite:///{tmp_path / 'other.db'}"
    with Store.open(other) as never:
        never.save_kocs([koc("K2", "丙")])
        listen(
            never,
            [
                post("c1", "星澜差", by="丙", posted_at=at(4)),
                post("d1", "同意", by="丁", posted_at=at(5), parent="a1", kind="comment"),
                post("c2", "星澜", by="丙", posted_at=at(6)),
            ],
        )
        assert contents(store_url) == contents(other)
        assert store.moods(BRAND) == never.moods(BRAND)
        assert store.public_moods(BRAND) == never.public_moods(BRAND)
    assert [one.koc_id for one in store.kocs()] == ["K2"]
    assert [one.what for one in store.ledger.promises()] == ["寄样给丙"]


def test_a_later_import_brings_nothing_of_the_person_back(store: Store) -> None:
    a_life(store)
    store.privacy.erase(store.privacy.koc("K1"), "objected", BY)
    added = store.add(
        [post("a9", "星澜又来", by="甲"), post("a1", "星澜第1次", by="甲"), post("c9", "星澜", by="丙")], stored_at=NOW
    )
    assert added.new == 1
    with pytest.raises(StoreError, match=r"不能上名单.*K9: forum"):
        store.save_kocs([koc("K9", "甲")], by=BY)
    assert [one.koc_id for one in store.kocs()] == ["K2"]
    assert store.strangers.keeps_out(author("甲"))
    assert store.privacy.allow([author("甲")], BY) == 1
    assert store.add([post("a9", "星澜又来", by="甲")], stored_at=NOW).new == 1
    assert [one.act for one in store.privacy.log()] == ["objected", "allowed"]
    assert store.privacy.allow([author("甲")], BY) == 0


def test_one_account_goes_and_the_koc_stays_with_the_other(store: Store) -> None:
    a_life(store)
    store.privacy.erase(Subject("", (("forum", "乙"),), ((author("乙"), "forum"),)), "objected", BY)
    (first, _) = store.kocs()
    assert [one.account_id for one in first.accounts] == ["甲"]
    watch_all(store)
    assert [one.mention.key.post_id for one in store.history("K1", BRAND).mentions] == ["a0", "a1", "a2", "a3"]
    assert len(store.ledger.promises(koc="K1")) == 1


def test_cases_about_a_post_go_with_who_wrote_it_and_a_case_that_was_merged_goes_on(store: Store, store_url: str) -> None:
    a_life(store)
    said = Said("小王", NOW, "丁在评论里留了电话")
    store.act([acts.open_case(said, brand=BRAND, koc_id="", variant="public", post=PostKey("forum", "d1"))])
    store.act([acts.open_case(replace(said, note="丙来信"), brand=BRAND, koc_id="K2", variant="care")])
    [mine], [into] = store.cases(koc="K1"), store.cases(koc="K2")
    store.act(acts.give_verdict(mine, store.steps(mine.key), "duplicate", said, into=into))
    store.privacy.erase(Subject("", (("forum", "丁"),), ((author("丁"), "forum"),)), "erased", BY)
    store.privacy.erase(store.privacy.koc("K1"), "erased", BY)
    assert [one.koc_id for one in store.cases()] == ["K2"]
    assert all("电话" not in row for name in ("cases", "case_steps") for row in rows_in(store_url)[name])
    [left] = store.cases()
    store.act([acts.take(left, replace(said, note=""))], taken_by="小王")
    assert store.cases()[0].owner == "小王"
    assert not store.audit()[0].faults


def test_who_was_taken_off_the_roster_can_still_be_erased(run: Callable[..., str]) -> None:
    run("promises", "add", "阿澜", "--what", "寄样给阿澜", "--due", "2030-01-01", "--by", "小王")
    run("koc", "remove", "K1", "--reason", "合作结束", "--by", "小王")
    said = run("privacy", "erase", "K1", "--reason", "本人来信", "--yes")
    for table in ("koc_changes", "promises 1", "posts 3"):
        assert table in said
    assert "阿澜" not in run("privacy", "list", "-f", "json") + run("promises", "list", "--all", "-f", "json")
    assert len(json.loads(run("privacy", "list", "--kept-out", "-f", "json"))) == 2
    assert "没有 K1" in run("privacy", "erase", "K1", "--reason", "本人来信", "--yes", code=1)


def test_an_account_that_is_all_a_koc_has_stands_for_the_koc(run: Callable[..., str]) -> None:
    assert "kocs 1" in run("privacy", "erase", "u1", "--platform", "forum", "--reason", "来信", "--yes")
    assert "阿澜" not in run("koc", "list", "-f", "json")
    run("koc", "remove", "K2", "--reason", "合作结束", "--by", "小王")
    assert "koc_changes" in run("privacy", "erase", "u2", "--platform", "forum", "--reason", "来信", "--yes")


def test_the_ledger_is_guarded_again_after_an_erasure(store: Store, store_url: str) -> None:
    a_life(store)
    store.privacy.erase(store.privacy.koc("K1"), "erased", BY)
    engine = create_engine(url_of(store_url))
    with engine.connect() as connection:
        assert not connection.execute(text("SELECT count(*) FROM meta WHERE key = :key"), {"key": ERASING}).scalar()
    engine.dispose()


def test_an_erasure_that_fails_takes_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    a_life(store)

    def fail(*_: object) -> None:
        raise RuntimeError("cut")

    monkeypatch.setattr("storage.erasure._note", fail)
    with pytest.raises(RuntimeError, match="cut"):
        store.privacy.erase(store.privacy.koc("K1"), "erased", BY)
    assert len(store.kocs()) == 2
    assert store.privacy.tombstones() == []


def test_an_export_holds_a_row_of_every_table_that_an_erasure_would_take(store: Store) -> None:
    a_life(store)
    kept = store.privacy.export(store.privacy.koc("K1"), BY)
    assert {"kocs", "accounts", "posts", "mentions", "alerts", "deliveries", "cases", "case_steps", "promises"} <= set(kept)
    assert json.loads(json.dumps(kept, ensure_ascii=False)) == kept
    assert kept["promises"][0]["made_at"] == NOW.isoformat()
    assert "raw" not in kept["post_raws"][0]
    done = store.privacy.erase(store.privacy.koc("K1"), "erased", BY)
    assert {name: len(rows) for name, rows in kept.items()} == dict(done.rows)
    with pytest.raises(StoreError, match="K1"):
        store.privacy.koc("K1")


# ------------------------------------------------------------------------------------------------- the command line


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    path = workspace.create(tmp_path / "私")
    edit.put_brand(path, {"name": BRAND})
    monkeypatch.chdir(path.parent)
    line: dict[str, Any] = {
        "platform": "forum",
        "author_id": "u1",
        "posted_at": "2026-03-01T08:00:00+08:00",
        "text": "星澜好用",
    }
    lines = [line | {"post_id": f"p{n}", "url": f"https://f.example/{n}"} for n in range(3)]
    Path("in.jsonl").write_text("\n".join(json.dumps(one, ensure_ascii=False) for one in lines), encoding="utf-8")
    Path("名单.csv").write_text("koc_id,name,platform,account_id\nK1,阿澜,forum,u1\nK2,小明,forum,u2\n", encoding="utf-8")

    def work(*words: str, code: int = 0) -> str:
        capsys.readouterr()
        got = cli.run(list(words))
        said = capsys.readouterr()
        assert got == code, said.out + said.err
        return said.out + said.err

    work("koc", "import", "名单.csv", "--yes")
    work("import", "in.jsonl")
    return work


def test_an_objection_is_carried_out_on_the_command_line(run: Callable[..., str]) -> None:
    assert "写明原因" in run("privacy", "erase", "K1", "--yes", code=1)
    assert "写明原因" in run("privacy", "export", "K1", "--out", "k1.json", code=1)
    run("privacy", "export", "阿澜", "--out", "k1.json", "--reason", "本人查阅")
    assert stat.S_IMODE(Path("k1.json").stat().st_mode) == 0o600
    assert "can't write" in run("privacy", "export", "K1", "--out", "k1.json", "--reason", "本人查阅", code=1)
    assert "posts 3" in run("privacy", "object", "K1", "--yes", "--reason", "本人来信", "--by", "法务")
    assert "K1" not in run("koc", "list")
    assert "新 0，再次见到 0" in run("import", "in.jsonl", code=1)
    said = run("koc", "import", "名单.csv", "--yes")
    assert "本人要求过不被收录" in said
    listed = run("koc", "list", "-f", "json")
    assert ("小明" in listed, "阿澜" in listed) == (True, False)  # who objected, not even by name
    log = json.loads(run("privacy", "list", "-f", "json"))
    assert [(one["act"], one["who"]) for one in log][1] == ("objected", "法务")
    assert len(json.loads(run("privacy", "list", "--kept-out", "-f", "json"))) == 2
    assert "重新允许" in run("privacy", "allow", "u1", "--platform", "forum", "--reason", "本人同意")
    assert "没有拦着" in run("privacy", "allow", "u1", "--platform", "forum", "--reason", "本人同意")
    assert "新 3" in run("import", "in.jsonl")
    assert "没有存过内容" in run("privacy", "erase", "u9", "--platform", "forum", "--reason", "来信", "--yes")
    assert "posts 3" in run("privacy", "erase", "u1", "--platform", "forum", "--reason", "来信", "--yes")
    assert "不是账号ID" in run(
        "privacy", "erase", "https://x.example/u/1", "--platform", "weibo", "--reason", "x", "--yes", code=1
    )
