"""A KOC's whole story: what weighed, what was raised and told, why there was no alert, what it would take."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from listener.drift.detect import detect
from listener.drift.moods import Moods
from listener.drift.readings import counted_of
from listener.drift.rules import Rule, default_calibration, parameters_of
from listener.explain import AHEAD, MOST_AHEAD, Explanation, Held, explain, json_of, needs_of, stance_of
from storage.policy_records import Hold
from storage.records import (
    Alert,
    Answer,
    CueHit,
    Delivery,
    DriftState,
    HeldBack,
    History,
    Koc,
    KocCoverage,
    KocMention,
    Mention,
    PostKey,
    Signal,
    Status,
    StoredAlert,
    Verdict,
)

START = datetime(2026, 1, 1, 8, tzinfo=UTC)
DAY = timedelta(days=1)
KIND = {"+": (0.93, 0.02, 0.05), "-": (0.02, 0.93, 0.05), "0": (0.1, 0.1, 0.8)}


def mention(n: int, sign: str) -> Mention:
    favor, against, none = KIND[sign]
    return Mention(
        PostKey("weibo", f"p{n:03d}"), "星澜", "星澜", False, "named", against, none, favor, favor, against, none,
        (CueHit("let-down", "失望"),) if sign == "-" else (), False, True, None, (n + 1) * 0x9E3779B97F4A7C15 % 2**63, "m1",
    )  # fmt: skip


def history(signs: str, **more: object) -> History:
    """A post every six days: + for the brand, − against it, 0 neither."""
    made = [
        KocMention(
            START + 6 * n * DAY, replace(mention(n, sign), **more), "post", f"https://x/{n}", f"第 {n} 条", ("weibo", "1")
        )  # type: ignore[arg-type]
        for n, sign in enumerate(signs)
    ]
    return History("K1", "星澜", tuple(made))


def changed(of: History, at: int, **more: object) -> History:
    posts = list(of.mentions)
    posts[at] = replace(posts[at], mention=replace(posts[at].mention, **more))  # type: ignore[arg-type]
    return replace(of, mentions=tuple(posts))


def replay(histories: Sequence[History]) -> list[Verdict]:
    return detect(histories, [], default_calibration(), Rule())


def counted(of: History) -> set[PostKey]:
    """The posts that weigh, as the detector says."""
    found = counted_of(of, Moods([]), parameters_of(default_calibration()), ZoneInfo("Asia/Shanghai"))
    return {one.mention.key for one in found.mentions}


def story(of: History, **more: object) -> Explanation:
    return explain(of, replay([of])[0], counted=counted(of), **more)  # type: ignore[arg-type]


def codes(found: Explanation) -> list[Held]:
    return [one.code for one in found.held]


def told(of: History, status: Status, **more: float) -> Explanation:
    """The story of a verdict made by hand."""
    values = {"mentions": len(of.mentions), "baseline": 0.8, "recent": 0.7, "posterior": 0.01} | more
    state = DriftState(
        koc_id="K1", brand="星澜", status=status, last_at=None, reason="x", changes=(), calibration="c", **values
    )  # type: ignore[arg-type]
    return explain(of, Verdict(state, ()), counted=counted(of))


TURNED = history("+" * 12 + "-" * 12)


def test_a_turn_is_told_with_the_posts_before_and_after_it_and_their_shares() -> None:
    found = story(TURNED)
    assert {one.level for one in found.turns} == {"amber", "red"}
    assert [one.phase for one in found.mentions[:12]] == ["before"] * 12
    [tipped] = [one for one in found.mentions if one.phase == "tipped"]
    assert tipped.key == found.turns[-1].tipped_by
    assert tipped.nats is not None
    assert tipped.nats > 0
    assert found.mentions[0].nats is None
    assert (tipped.stance, tipped.probability, tipped.cues) == ("against", 0.93, ("let-down",))
    assert codes(found) == [Held.ALREADY]


def test_the_changes_of_status_have_dates_and_reasons() -> None:
    found = story(TURNED)
    assert [one.status for one in found.changes][-1] == "critic"
    assert found.changes == found.state.changes


def test_a_turn_is_told_with_what_each_channel_heard_of_it() -> None:
    verdict = replay([TURNED])[0]
    red = verdict.drifts[-1]
    alert = Alert("key", "drift", "red", "important", "K1", "星澜", red.fired_at, red.turned_at, {}, (red.tipped_by,))
    gone = StoredAlert(replace(alert, key="gone", fired_at=START), "superseded", START, START)
    rows = [Delivery(f"d{n}", "key", c, "alert", "sent", START, sent_at=START) for n, c in enumerate(("mail", "hook"))]
    found = explain(
        TURNED, verdict, counted=counted(TURNED), stored=[gone, StoredAlert(alert, "current", START, None)], deliveries=rows
    )
    assert [one.alert_key for one in found.turns] == [*[""] * (len(verdict.drifts) - 1), "key"]
    assert [(one.channel, one.state) for one in found.turns[-1].told] == [("hook", "sent"), ("mail", "sent")]
    assert found.turns[-1].state == "current"
    assert [one.alert.key for one in found.withdrawn] == ["gone"]


def test_what_is_held_back_says_why_and_until_when() -> None:
    verdict = replay([TURNED])[0]
    red = verdict.drifts[-1]
    alert = Alert("key", "drift", "red", "important", "K1", "星澜", red.fired_at, red.turned_at, {}, (red.tipped_by,))
    later = START + timedelta(hours=9)
    rows = [
        Delivery("d1", "key", "mail", "alert", "pending", START, next_try_at=later, held="muted"),
        Delivery("d2", "key", "hook", "alert", "summarized", START, sent_at=START, told_in="digest"),
    ]
    holds = [Hold("d1", START, "quiet-hours", START), Hold("d1", START, "muted", later), Hold("d2", START, "digest", START)]
    stored = [StoredAlert(alert, "current", START, None)]
    found = explain(TURNED, verdict, counted=counted(TURNED), stored=stored, deliveries=rows, holds=holds)
    hook, mail = found.turns[-1].told
    assert (mail.held, mail.until, [one.reason for one in mail.holds]) == ("muted", later, ["quiet-hours", "muted"])
    assert (hook.told_in, hook.held, hook.until, [one.reason for one in hook.holds]) == ("digest", "", None, ["digest"])


def test_a_signal_comes_with_the_posts_that_it_quotes_whoever_wrote_them() -> None:
    told = history("+++++")
    answered = told.mentions[-1].mention.key
    voices = [replace(history("0").mentions[0], text=text, account=("weibo", text)) for text in ("收了多少钱", "恰饭")]
    keyed = [replace(one, mention=replace(one.mention, key=PostKey("weibo", f"c{n}"))) for n, one in enumerate(voices)]
    of = replace(told, accusations=tuple(Answer(one, answered) for one in keyed))
    keys = tuple(one.mention.key for one in keyed)
    signal = Signal("accusation", "K1", "星澜", START, keys[-1], {"authors_n": 2}, (*keys, PostKey("weibo", "gone")))
    verdict = replace(replay([told])[0], signals=(signal,))
    (found,) = explain(of, verdict, counted=counted(told)).signals
    assert [one.text for one in found.said] == ["收了多少钱", "恰饭"]


def test_after_a_turn_only_first_negatives_need_no_reason() -> None:
    verdict = replay([TURNED])[0]
    late = START + timedelta(days=900)
    held = [HeldBack(kind, None, late, PostKey("weibo", kind), "copy") for kind in ("first-negative", "grave-post")]
    found = explain(TURNED, replace(verdict, held=tuple(held)), counted=counted(TURNED))
    assert [one.kind for one in found.held_back] == ["grave-post"]


def test_without_a_mention_that_is_the_reason() -> None:
    assert codes(story(history(""))) == [Held.NO_MENTIONS]


def test_too_few_mentions_say_how_many_are_needed() -> None:
    found = story(history("+-"))
    assert codes(found) == [Held.TOO_FEW]
    assert found.held[0].values == {"mentions": 2, "needed": 3}


def test_an_advocate_with_some_hard_posts_is_still_one() -> None:
    found = story(history("++++-+++++-+++"))
    assert codes(found) == [Held.STILL_ADVOCATE]
    assert (found.held[0].values["against"], found.held[0].values["mentions"]) == (2, 14)


def test_constructive_criticism_is_named_as_mild() -> None:
    of = history("+++++++++++-+++")
    assert codes(story(changed(of, 11, constructive=True))) == [Held.MILD, Held.STILL_ADVOCATE]


def test_who_never_was_an_advocate_cannot_turn() -> None:
    assert codes(told(history("-0-0-0-0"), "candidate")) == [Held.NEVER_ADVOCATE]


def test_who_only_cooled_is_no_critic() -> None:
    assert codes(told(history("++++0000"), "advocate", recent=0.05)) == [Held.COOLED]


@pytest.mark.parametrize(
    ("status", "code"), [("wavering", Held.WAVERING), ("recovered", Held.RECOVERED), ("critic", Held.ALREADY)]
)
def test_where_the_koc_stands_is_the_reason(status: Status, code: Held) -> None:
    assert codes(told(history("++++"), status)) == [code]


def test_who_is_not_heard_is_told_first() -> None:
    coverage = KocCoverage("K1", "not-covered", "no-source", None, None, None, None, ())
    assert codes(story(history(""), coverage=coverage)) == [Held.NOT_COVERED, Held.NO_MENTIONS]
    assert codes(story(history("+++++"), coverage=coverage))[0] is Held.NOT_COVERED
    assert Held.NOT_COVERED not in codes(story(history("+++"), coverage=replace(coverage, reach="partly")))


def test_who_is_heard_now_says_nothing_of_another_time() -> None:
    coverage = KocCoverage("K1", "not-covered", "no-source", None, None, None, None, ())
    found = story(history("+++++"), coverage=coverage, as_of=START + 90 * DAY)
    assert found.coverage is None
    assert Held.NOT_COVERED not in codes(found)


def test_posts_that_weigh_nothing_say_why() -> None:
    of = history("++++++")
    of = changed(of, 1, unscored="media-only")
    of = changed(of, 2, own_words=False)
    of = changed(of, 4, fingerprint=of.mentions[3].mention.fingerprint ^ 0b101)
    found = story(of)
    assert [one.why for one in found.mentions] == [None, Held.NOT_READ, Held.NO_OWN_WORDS, None, Held.COPY, None]
    assert [one.weighed for one in found.mentions].count(True) == found.state.mentions == 3
    assert codes(found)[1:] == [Held.NOT_READ, Held.NO_OWN_WORDS, Held.COPY]
    assert found.held[-1].values == {"posts": 1, "of": 6}


def test_a_copy_after_a_month_weighs_again() -> None:
    of = history("++++++++")
    of = changed(of, 7, fingerprint=of.mentions[0].mention.fingerprint)
    assert story(of).mentions[7].weighed


def test_what_an_alert_would_take_is_counted_in_posts() -> None:
    found = story(history("+" * 12 + "--"), replay=replay)
    amber, red = found.need["amber"], found.need["red"]
    assert amber is not None
    assert red is not None
    assert 1 <= amber <= red <= 10
    further = history("+" * 12 + "--" + "-" * red)
    assert {one.level for one in replay([further])[0].drifts} == {"amber", "red"}


def test_nothing_is_needed_for_what_has_been_raised() -> None:
    assert story(TURNED, replay=replay).need == {}
    assert story(history(""), replay=replay).need == {}
    assert story(TURNED).need == {}


def test_while_wavering_only_red_is_open() -> None:
    of = next(h for n in range(2, 12) if replay([h := history("+" * 12 + "-" * n)])[0].state.status == "wavering")
    found = story(of, replay=replay)
    assert list(found.need) == ["red"]
    assert codes(found) == [Held.WAVERING]
    assert found.mentions[-1].phase in ("tipped", "after")


def test_where_many_posts_would_not_do_the_answer_is_none() -> None:
    def deaf(histories: Sequence[History]) -> list[Verdict]:
        return [replay([history("+++")])[0] for _ in histories]

    assert story(history("+++"), replay=deaf).need == {"amber": None, "red": None}


def test_a_detector_that_says_red_at_once_has_said_amber_too() -> None:
    red = [one for one in replay([TURNED])[0].drifts if one.level == "red"]

    def harsh(histories: Sequence[History]) -> list[Verdict]:
        tipped = replace(red[0], tipped_by=PostKey(AHEAD, "02"))
        return [Verdict(replay([one])[0].state, (tipped,)) for one in histories]

    assert story(history("+++"), replay=harsh).need == {"amber": 2, "red": 2}


def test_many_are_tried_in_one_replay_and_each_gets_what_it_would_get_alone() -> None:
    asked: list[int] = []

    def counting(histories: Sequence[History]) -> list[Verdict]:
        asked.append(len(histories))
        return replay(histories)

    signs = ("+" * 12 + "--", "", "+++", "-0-0-0-0", "+" * 12 + "-" * 12, "+" * 20 + "-" * 3)
    histories = [replace(history(each), koc_id=f"K{n}") for n, each in enumerate(signs)]
    states = [one.state for one in replay(histories)]
    assert needs_of(histories, states, counting) == [
        needs_of([one], [state], replay)[0] for one, state in zip(histories, states, strict=True)
    ]
    assert asked == [4]
    assert needs_of([], [], counting) == []


@pytest.mark.parametrize("signs", ["+" * 12 + "--", "+" * 8, "+0" * 8 + "-", "-0-0-0-0", "+++"])
def test_trying_many_posts_at_once_finds_what_trying_them_one_by_one_would(signs: str) -> None:
    of = history(signs)
    states = [replay([of])[0].state]
    need = needs_of([of], states, replay)[0]
    seen: list[History] = []

    def remember(histories: Sequence[History]) -> list[Verdict]:
        seen.extend(histories)
        return replay(histories)

    needs_of([of], states, remember)
    slow: dict[str, int | None] = {"amber": None, "red": None}
    for n in range(MOST_AHEAD, 0, -1):
        levels = {one.level for one in replay([replace(of, mentions=seen[0].mentions[: len(of.mentions) + n])])[0].drifts}
        slow |= dict.fromkeys(levels | ({"amber"} if levels else set()), n)
    assert need == slow


def test_the_story_is_json_in_the_zone_of_the_workspace() -> None:
    koc = Koc("K1", "小满", ())
    found = story(TURNED, koc=koc, as_of=START + 90 * DAY, replay=replay)
    told_as = json.loads(json.dumps(json_of(found, ZoneInfo("Asia/Shanghai")), ensure_ascii=False))
    assert told_as["as_of"] == "2026-04-01T16:00:00+08:00"
    assert told_as["koc"]["name"] == "小满"
    assert told_as["held"][0]["code"] == "already-raised"
    assert told_as["mentions"][0]["key"] == {"platform": "weibo", "post_id": "p000"}
    assert json_of(DAY) == 86400.0


@pytest.mark.parametrize(
    ("probabilities", "stance"),
    [((0.6, 0.3, 0.1), "favor"), ((0.3, 0.6, 0.1), "against"), ((0.4, 0.4, 0.2), "favor"), ((0.4, 0.2, 0.4), "none")],
)
def test_the_stance_shown_is_the_most_probable_one(probabilities: tuple[float, float, float], stance: str) -> None:
    favor, against, none = probabilities
    assert stance_of(replace(mention(1, "+"), favor=favor, against=against, none=none)) == stance
