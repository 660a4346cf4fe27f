"""Alert → case: opened once, joined, made graver, closed when nobody needs it; steps in order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from listener.cases import steps as cases
from listener.cases.following import follow
from storage.records import Account, Alert, Case, CaseStep, Changes, DriftState, Koc, Level, Status, StatusChange

NOW = datetime(2026, 5, 1, 8, tzinfo=UTC)


def an_alert(key: str = "a1", level: Level = "red", day: int = 1, brand: str = "星澜") -> Alert:
    return Alert(key, "drift", level, "important", "K1", brand, NOW - timedelta(days=30 - day), NOW, {}, ())


def a_koc(domain: str = "public") -> Koc:
    return Koc("K1", "小满", (Account("weibo", "1001", "ab" * 32),), domain=domain)


def changes(*alerts: Alert, superseded: tuple[str, ...] = ()) -> Changes:
    state = DriftState("K1", "星澜", "critic", 9, 0.8, -0.5, NOW, 0.9, "turned", (), "c1")
    return Changes(state, (), alerts, superseded, (), (), (), ())


class Log:
    """The cases of one KOC in memory."""

    def __init__(self, koc: Koc | None = None) -> None:
        self.koc = koc
        self.cases: dict[str, Case] = {}
        self.steps: list[CaseStep] = []

    def follow(self, *alerts: Alert, superseded: tuple[str, ...] = ()) -> list[str]:
        made = follow(changes(*alerts, superseded=superseded), cases=list(self.cases.values()), koc=self.koc, now=NOW)
        self.cases |= {case.key: case for case in made.cases}
        self.steps += made.steps
        return [step.step for step in made.steps]

    def do(self, step: str) -> None:
        case, entry = cases.advance(self.one, step, who="阿宁", at=NOW)
        self.cases[case.key] = case
        self.steps.append(entry)

    @property
    def one(self) -> Case:
        [case] = self.cases.values()
        return case


@pytest.mark.parametrize(
    ("level", "domain", "variant", "first"),
    [
        ("red", "public", "public", "acknowledge"),
        ("red", "private", "private", "thank"),
        ("red", "私域", "private", "thank"),
        ("amber", "public", "care", "contact"),
        ("amber", "私域", "care", "contact"),
    ],
)
def test_the_variant_follows_level_and_domain(level: Level, domain: str, variant: str, first: str) -> None:
    case = cases.case_of(an_alert(level=level), a_koc(domain), NOW)
    assert (case.variant, case.next_step, case.state) == (variant, first, "open")


def test_a_case_key_is_made_of_brand_koc_and_alert_alone() -> None:
    one = cases.case_of(an_alert(), a_koc(), NOW)
    assert one.key == cases.case_of(an_alert(level="amber"), None, NOW + timedelta(days=9)).key
    assert one.key != cases.case_of(an_alert("a2"), a_koc(), NOW).key
    assert one.opened_by == "a1"


def test_an_alert_opens_one_case_and_once() -> None:
    log = Log()
    assert log.follow(an_alert()) == ["open"]
    assert log.follow(an_alert()) == []
    assert log.one.alerts == ("a1",)
    assert [(step.who, step.note) for step in log.steps] == [("listener", "a1")]


def test_a_red_joins_the_open_case_of_its_amber_and_makes_it_public() -> None:
    log = Log()
    log.follow(an_alert("a1", "amber"))
    assert log.follow(an_alert("a1", "amber"), an_alert("a2", "red", 2)) == ["alert", "variant"]
    assert (log.one.alerts, log.one.variant, log.one.next_step) == (("a1", "a2"), "public", "acknowledge")


def test_amber_and_red_at_once_end_in_the_same_case_as_one_after_the_other() -> None:
    at_once, one_by_one = Log(), Log()
    amber, red = an_alert("a1", "amber"), an_alert("a2", "red")  # fired at the same post
    at_once.follow(red, amber)
    one_by_one.follow(amber)
    one_by_one.follow(amber, red)
    assert at_once.cases == one_by_one.cases
    assert at_once.steps == one_by_one.steps


def test_a_red_makes_even_a_care_visit_under_way_public() -> None:
    log = Log()
    log.follow(an_alert("a1", "amber"))
    log.do("contact")
    log.follow(an_alert("a1", "amber"), an_alert("a2", "red", 2))
    assert (log.one.variant, log.one.next_step) == ("public", "acknowledge")


def test_a_case_that_nobody_has_touched_closes_when_its_alerts_are_gone_and_opens_again_when_one_is_back() -> None:
    log = Log()
    log.follow(an_alert())
    assert log.follow(superseded=("a1",)) == ["superseded", "close"]
    assert (log.one.state, log.one.next_step) == ("closed", "acknowledge")
    assert log.follow() == []
    assert log.follow(an_alert()) == ["reopen"]
    assert log.one.state == "open"


def test_a_case_under_way_stays_open_when_its_alerts_are_gone() -> None:
    log = Log()
    log.follow(an_alert())
    log.do("acknowledge")
    assert log.follow(superseded=("a1",)) == ["superseded"]
    assert (log.one.state, log.one.next_step) == ("open", "route")


def test_an_alert_that_another_one_replaces_leaves_the_case_open() -> None:
    log = Log()
    log.follow(an_alert("a1"))
    assert log.follow(an_alert("a2"), superseded=("a1",)) == ["superseded", "alert"]
    assert (log.one.state, log.one.alerts) == ("open", ("a1", "a2"))


def test_an_untouched_case_is_eased_when_only_the_amber_is_left() -> None:
    log = Log()
    amber, red = an_alert("a1", "amber"), an_alert("a2", "red", 2)
    log.follow(amber, red)
    assert log.follow(amber, superseded=("a2",)) == ["superseded", "variant"]
    assert (log.one.variant, log.one.next_step) == ("care", "contact")


def test_a_case_under_way_is_not_eased() -> None:
    log = Log()
    amber, red = an_alert("a1", "amber"), an_alert("a2", "red", 2)
    log.follow(amber, red)
    log.do("acknowledge")
    log.follow(amber, superseded=("a2",))
    assert (log.one.variant, log.one.next_step) == ("public", "route")


def test_an_untouched_case_moves_with_its_koc_into_the_private_domain() -> None:
    log = Log(a_koc())
    log.follow(an_alert())
    log.koc = a_koc("private")
    assert log.follow(an_alert()) == ["variant"]
    assert log.one.variant == "private"


def test_a_case_that_a_person_closed_stays_closed_and_a_new_alert_opens_another() -> None:
    log = Log()
    log.follow(an_alert("a1", "amber"))
    for step in cases.STEPS["care"]:
        log.do(step)
    assert (log.one.state, log.one.next_step) == ("closed", "")
    assert log.follow(an_alert("a1", "amber")) == []
    assert log.follow(superseded=("a1",)) == []
    assert log.follow(an_alert("a1", "amber")) == []
    assert log.follow(an_alert("a1", "amber"), an_alert("a2", "red", 2)) == ["open"]
    assert len(log.cases) == 2


def test_an_alert_that_is_back_joins_the_case_that_is_open_meanwhile() -> None:
    log = Log()
    log.follow(an_alert("a1"))
    log.follow(superseded=("a1",))
    log.follow(an_alert("a2"))
    assert log.follow(an_alert("a1"), an_alert("a2")) == ["alert"]
    assert [case.state for case in log.cases.values()].count("open") == 1


def test_the_rest_of_the_changes_passes_through() -> None:
    before = changes(an_alert())
    after = follow(before, cases=(), koc=None, now=NOW)
    assert replace(after, cases=(), steps=()) == before


# ----------------------------------------------------------------------------------------------------------- steps


@pytest.mark.parametrize("variant", ["public", "private", "care"])
def test_the_steps_of_a_variant_are_done_in_order_and_the_last_closes(variant: cases.Variant) -> None:
    case = replace(cases.case_of(an_alert(), None, NOW), variant=variant, next_step=cases.STEPS[variant][0])
    assert cases.is_untouched(case)
    for step in cases.STEPS[variant]:
        assert case.state == "open"
        case, entry = cases.advance(case, step, who="阿宁", at=NOW, note="见链接")
        assert (entry.step, entry.who, entry.note, entry.case_key) == (step, "阿宁", "见链接", case.key)
    assert (case.state, case.next_step) == ("closed", "")


def test_no_step_is_jumped_so_that_a_public_case_closes_only_after_its_public_follow_up() -> None:
    case = replace(cases.case_of(an_alert(), None, NOW), next_step="follow-up")
    with pytest.raises(cases.CaseError, match=r"'close' is not due .* due is 'follow-up'"):
        cases.advance(case, "close", who="阿宁", at=NOW)


@pytest.mark.parametrize("step", ["delete-post", "press", "end-cooperation", ""])
def test_pressing_deleting_and_ending_the_cooperation_are_no_steps(step: str) -> None:
    with pytest.raises(cases.CaseError, match="there are: acknowledge, route, verify, resolve, follow-up, close"):
        cases.advance(cases.case_of(an_alert(), None, NOW), step, who="阿宁", at=NOW)


def test_a_closed_case_takes_no_step() -> None:
    with pytest.raises(cases.CaseError, match="closed"):
        cases.advance(replace(cases.case_of(an_alert(), None, NOW), state="closed"), "route", who="阿宁", at=NOW)


def test_a_step_needs_somebody_who_did_it() -> None:
    with pytest.raises(cases.CaseError, match="who"):
        cases.advance(cases.case_of(an_alert(), None, NOW), "acknowledge", who=" ", at=NOW)


# ------------------------------------------------------------------------------------------------ signals and recovery


def a_quiet_one(key: str = "q1", kind: str = "first-negative", day: int = 1, ended: bool = False) -> Alert:
    evidence = {"ended_at": (NOW - timedelta(days=10)).isoformat()} if ended else {}
    return Alert(key, kind, None, "info", "K1", "星澜", NOW - timedelta(days=30 - day), None, evidence, ())


class Recovering(Log):
    """The same, with changes of status."""

    def after(self, *alerts: Alert, status: tuple[tuple[int, Status], ...] = ()) -> list[str]:
        made = changes(*alerts)
        dated = tuple(StatusChange(NOW - timedelta(days=30 - day), code, "…") for day, code in status)
        made = replace(made, state=replace(made.state, changes=dated))
        made = follow(made, cases=list(self.cases.values()), koc=self.koc, now=NOW)
        self.cases |= {case.key: case for case in made.cases}
        self.steps += made.steps
        return [step.step for step in made.steps]


def test_a_quiet_alert_opens_a_care_visit_also_in_public_and_private_domains() -> None:
    for domain in ("public", "私域"):
        log = Log(a_koc(domain))
        log.follow(a_quiet_one())
        assert (log.one.variant, log.one.next_step) == ("care", "contact")


def test_a_first_negative_that_is_followed_by_amber_and_red_is_one_case_that_grows_graver() -> None:
    log = Log(a_koc())
    log.follow(a_quiet_one())
    assert log.follow(a_quiet_one(), an_alert("a2", "amber", day=5)) == ["alert"]
    assert log.one.variant == "care"
    assert log.follow(a_quiet_one(), an_alert("a2", "amber", day=5), an_alert("a3", day=9)) == ["alert", "variant"]
    assert (log.one.variant, log.one.alerts) == ("public", ("q1", "a2", "a3"))


def test_a_quiet_alert_that_is_over_opens_nothing_and_joins_nothing() -> None:
    log = Log(a_koc())
    assert log.follow(a_quiet_one(ended=True)) == []
    log.follow(an_alert("a2", day=5))
    assert log.follow(a_quiet_one(ended=True), an_alert("a2", day=5)) == []
    assert log.one.alerts == ("a2",)


def test_an_untouched_case_of_quiet_alerts_closes_by_itself_when_they_are_over_and_opens_again_when_not() -> None:
    log = Log(a_koc())
    log.follow(a_quiet_one())
    assert log.follow(a_quiet_one(ended=True)) == ["recovered", "close"]
    assert (log.one.state, log.one.recovered_at) == ("closed", NOW - timedelta(days=10))
    assert log.follow(a_quiet_one(ended=True)) == []
    assert log.follow(a_quiet_one()) == ["reopen", "relapsed"]
    assert (log.one.state, log.one.recovered_at) == ("open", None)


def test_a_case_that_somebody_works_on_is_not_closed_when_it_is_over_but_says_so() -> None:
    log = Log(a_koc())
    log.follow(a_quiet_one())
    log.do("contact")
    assert log.follow(a_quiet_one(ended=True)) == ["recovered"]
    assert (log.one.state, log.one.next_step) == ("open", "fix")


def test_the_recovery_of_a_critic_appears_in_the_case_once_with_its_date() -> None:
    log = Recovering(a_koc())
    log.after(an_alert(day=5), status=((1, "advocate"), (5, "critic")))
    assert log.one.recovered_at is None
    recovered: tuple[tuple[int, Status], ...] = ((1, "advocate"), (5, "critic"), (20, "recovered"), (25, "advocate"))
    assert log.after(an_alert(day=5), status=recovered) == ["recovered"]
    assert log.one.recovered_at == NOW - timedelta(days=10)
    assert log.steps[-1].note == (NOW - timedelta(days=10)).isoformat()
    assert log.after(an_alert(day=5), status=recovered) == []
    assert log.one.state == "open", "a person closes it"


def test_a_recovery_is_noted_in_a_closed_case_too_and_taken_back_when_posts_say_so() -> None:
    log = Recovering(a_koc())
    log.after(an_alert(day=5), status=((5, "critic"),))
    for step in cases.STEPS["public"]:
        log.do(step)
    assert log.after(an_alert(day=5), status=((5, "critic"), (20, "recovered"))) == ["recovered"]
    assert log.one.state == "closed"
    assert log.after(an_alert(day=5), status=((5, "critic"),)) == ["relapsed"]
    assert log.one.recovered_at is None


def test_a_wavering_koc_who_settles_has_recovered() -> None:
    log = Recovering(a_koc())
    log.after(an_alert(level="amber", day=5), status=((5, "wavering"),))
    assert log.after(an_alert(level="amber", day=5), status=((5, "wavering"), (9, "advocate"))) == ["recovered"]


def test_an_angry_public_is_answered_in_public_and_its_case_stays_open_when_it_is_over() -> None:
    log = Log()
    log.follow(replace(a_quiet_one(kind="brand-shift"), koc_id=""))
    assert log.one.variant == "public"
    assert log.follow(replace(a_quiet_one(kind="brand-shift", ended=True), koc_id="")) == ["recovered"]
    assert (log.one.state, log.one.recovered_at) == ("open", NOW - timedelta(days=10))


@pytest.mark.parametrize(
    ("kind", "domain", "evidence", "variant"),
    [
        ("grave-post", "public", {}, "public"),
        ("grave-post", "私域", {}, "private"),
        ("unresolved-feedback", "public", {}, "public"),
        ("unresolved-feedback", "private", {}, "private"),
        ("accusation", "public", {}, "private"),
        ("defection", "public", {}, "care"),
        ("contagion", "public", {}, "care"),
        ("spread", "public", {}, "public"),
        ("opinion-storm", "public", {"domain": "private"}, "private"),
        ("opinion-storm", "public", {}, "public"),
    ],
)
def test_each_kind_of_alert_asks_for_its_answer(kind: str, domain: str, evidence: dict[str, str], variant: str) -> None:
    alert = replace(a_quiet_one(kind=kind), evidence=evidence)
    assert cases.variant_of(alert, a_koc(domain)) == variant


def test_who_is_accused_and_then_criticizes_in_a_private_group_is_thanked_first() -> None:
    log = Log(a_koc("私域"))
    log.follow(a_quiet_one(kind="accusation"))
    assert log.follow(a_quiet_one(kind="accusation"), an_alert("a2", day=9)) == ["alert", "variant"]
    assert (log.one.variant, log.one.next_step) == ("private", "thank")
    assert log.follow(a_quiet_one(kind="accusation"), an_alert("a2", day=9)) == []
    log.do("thank")
    assert log.follow(a_quiet_one(kind="accusation"), an_alert("a2", day=9)) == []
    assert log.one.next_step == "support"


def test_an_accusation_under_way_becomes_public_when_the_koc_turns() -> None:
    log = Log(a_koc())
    log.follow(a_quiet_one(kind="accusation"))
    assert (log.one.variant, log.one.next_step) == ("private", "support")
    log.do("support")
    assert log.follow(a_quiet_one(kind="accusation"), an_alert("a2", day=9)) == ["alert", "variant"]
    assert (log.one.variant, log.one.next_step) == ("public", "acknowledge")
