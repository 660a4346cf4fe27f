"""Cases and their logs in a real database: fields kept, logs chained, nothing changed past anybody or by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from alembic import command
from sqlalchemy import text

from storage import schema
from storage.database import Database
from storage.records import CaseAct, KocMark, PostKey, StoreError
from storage.store import Store, upgrade
from tests.stored import BRAND, NOW, at, case, koc, post, step


def opened(store: Store, key: str = "C1", koc_id: str = "", brand: str = BRAND, state: str = "open") -> None:
    store.act(
        [CaseAct(case(key, koc_id or f"k-{key}", brand, state=state), (step(key, "open"), step(key, "note", days=5)), None)]
    )


def test_every_field_of_a_case_and_of_an_entry_comes_back_as_it_was(store: Store) -> None:
    full = case(
        "C1",
        "",
        alerts=(),
        opened_by="阿宁",
        owner="小王",
        members=("阿宁", "法务 李"),
        reason="路人发的长文",
        post=PostKey("weibo", "p1"),
        urgent=True,
        verdict="mild",
        merged_into="C2",
        closed_at=at(9),
        recovered_at=at(8),
        state="closed",
        next_step="",
    )
    entry = replace(step("C1", "follow-up"), link="https://w.example/1", data={"reply": "感谢", "ticked": ["thanks"], "n": 1})
    store.act([CaseAct(full, (entry,), None)])
    assert store.cases() == [full]
    assert store.steps("C1") == [entry]


def test_a_log_is_as_it_was_written_and_a_batch_is_chained_like_single_entries(store: Store) -> None:
    opened(store)
    was = store.cases()[0]
    store.act([CaseAct(was, (step("C1", "a", days=6),), was)])
    opened(store, "C2")
    one, two = store.audit()
    assert (one.case_key, one.entries, one.faults) == ("C1", 3, ())
    assert (two.entries, two.faults) == (2, ())
    assert one.head != two.head
    assert store.audit(["C2"]) == [two]


@pytest.mark.parametrize(
    "statement",
    ["UPDATE case_steps SET note = 'nothing happened'", "DELETE FROM case_steps", "DELETE FROM case_steps WHERE id = 2"],
)
def test_the_database_itself_refuses_to_change_a_log(store: Store, statement: str) -> None:
    opened(store)
    with pytest.raises(StoreError, match="only added"):
        store._database.write(lambda c: c.execute(text(statement)))
    assert [one.step for one in store.steps("C1")] == ["open", "note"]


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE case_steps SET note = 'x' WHERE step = 'note'", (2, "changed")),
        ("UPDATE case_steps SET at = at + 1 WHERE step = 'open'", (1, "changed")),
        ("DELETE FROM case_steps WHERE step = 'open'", (1, "missing-before")),
        ("DELETE FROM case_steps WHERE step = 'note'", (0, "cut-off")),
        ("UPDATE case_steps SET case_key = 'C2' WHERE step = 'note' AND case_key = 'C1'", (0, "cut-off")),
    ],
)
def test_what_somebody_did_to_a_log_past_the_triggers_is_found(store: Store, statement: str, fault: tuple[int, str]) -> None:
    opened(store)
    opened(store, "C2")
    with store._database.writing() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("ALTER TABLE case_steps DISABLE TRIGGER only_added"))
        else:
            for name in ("update", "delete"):
                connection.execute(text(f"DROP TRIGGER only_added_case_steps_{name}"))
        connection.execute(text(statement))
    assert fault in store.audit()[0].faults


def test_two_people_who_open_a_case_at_once_open_one(store: Store) -> None:
    opened(store, koc_id="k1")
    with pytest.raises(StoreError, match="go on with C1"):
        opened(store, "C2", koc_id="k1")
    opened(store, "C3", koc_id="k1", brand="栗川")
    about = PostKey("forum", "p1")
    store.act([CaseAct(case("C4", "", post=about), (step("C4", "open"),), None)])
    with pytest.raises(StoreError, match="go on with C4"):
        store.act([CaseAct(case("C5", "", post=about), (step("C5", "open"),), None)])
    was = store.cases(brand="栗川")[0]
    store.act([CaseAct(replace(was, state="closed"), (), was)])
    store.act([CaseAct(replace(was, state="open"), (), replace(was, state="closed"))])
    assert [one.key for one in store.cases(state="open")] == ["C1", "C3", "C4"]


def test_what_two_cases_become_is_written_together_or_not_at_all(store: Store) -> None:
    opened(store)
    opened(store, "C2")
    one, two = store.cases()
    other = replace(two, owner="小李")
    store.save_case(other, was=two)
    acts = [CaseAct(replace(one, merged_into="C2"), (step("C1", "merged"),), one), CaseAct(replace(two, owner="阿宁"), (), two)]
    with pytest.raises(StoreError, match="changed by somebody else"):
        store.act(acts)
    assert store.cases() == [one, other]
    assert len(store.steps("C1")) == 2


def test_a_mark_is_written_with_the_verdict_or_not_at_all(store: Store) -> None:
    store.save_kocs([koc("k1")])
    opened(store)
    was = store.cases()[0]
    mark = KocMark("", "k1", BRAND, "false-alarm", at(3), "A1", "阿宁", NOW)
    with pytest.raises(StoreError):
        store.act([CaseAct(was, (step("C1", "verdict"),), replace(was, owner="x"))], [mark])
    assert store.koc_marks() == []
    [kept] = store.act([CaseAct(was, (step("C1", "verdict"),), was)], [mark])
    assert store.koc_marks() == [kept]
    assert kept.kind == "false-alarm"


def test_logs_are_read_together(store: Store) -> None:
    opened(store)
    opened(store, "C2")
    assert set(store.logs()) == {"C1", "C2"}
    assert set(store.logs(["C2"])) == {"C2"}
    assert store.logs([]) == {}


def test_a_post_is_found_by_its_link_whatever_its_scheme_and_by_platform_and_id(store: Store) -> None:
    store.add([post("p1", "星澜不错", by="a"), post("p2", "星澜很好", by="a")], stored_at=NOW)
    [view] = store.posts_of([PostKey("forum", "p1")]).values()
    bare = view.url.partition("://")[2]
    for link in (view.url, f"http://{bare}", f"https://{bare}/", "forum:p1"):
        assert store.posts_at(link) == [PostKey("forum", "p1")], link
    for link in ("https://nowhere.example/", "forum:p9", "nonsense", ""):
        assert store.posts_at(link) == []


def test_the_hashes_of_a_log_are_those_of_its_entries_in_order(store: Store) -> None:
    opened(store)
    opened(store, "C2")
    own = store.log_hashes(["C1"])
    assert len(own) == 2
    assert own[-1] == store.audit(["C1"])[0].head
    assert set(own) < set(store.log_hashes())


def test_the_logs_that_an_older_version_wrote_are_chained_when_the_schema_is_brought_up_to_date(store_url: str) -> None:
    with Store.open(store_url) as store:
        opened(store)
        opened(store, "C2", state="closed")
        before = store.logs()
    database = Database(store_url)
    database.write(lambda c: command.downgrade(schema.config_of(c), "0009"))
    database.close()
    upgrade(store_url)
    with Store.open(store_url) as store:
        assert store.logs() == before
        assert [(one.case_key, one.entries, one.faults) for one in store.audit()] == [("C1", 2, ()), ("C2", 2, ())]
        assert [case.closed_at for case in store.cases()] == [None, at(5)]
        was = store.cases()[0]
        store.act([CaseAct(was, (step("C1", "a", days=6),), was)])
        assert store.audit(["C1"])[0].faults == ()
        with pytest.raises(StoreError, match="only added"):
            store._database.write(lambda c: c.execute(text("DELETE FROM case_steps")))
