"""The detector's door: what raises a drift, what does not, and that nothing but the posts decides."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from listener.drift.detect import detect
from listener.drift.rules import Rule, default_calibration
from storage.records import History, MoodDay, Verdict

RULE = Rule()


def judge(*histories: History, moods: tuple[MoodDay, ...] = ()) -> list[Verdict]:
    return detect(histories, moods, default_calibration(), RULE)


def levels(verdict: Verdict) -> list[str]:
    return [d.level for d in verdict.drifts]


def test_an_advocate_who_turns_critic_raises_amber_and_then_red(make_history):
    (verdict,) = judge(make_history("f" * 12 + "aafaana" + "a" * 8))
    assert levels(verdict) == ["amber", "red"]
    assert verdict.state.status == "critic"
    assert [c.status for c in verdict.state.changes] == ["candidate", "advocate", "wavering", "critic"]


def test_a_drift_names_the_turn_its_uncertainty_and_every_post_since(make_history):
    history = make_history("f" * 12 + "a" * 12)
    (verdict,) = judge(history)
    red = verdict.drifts[-1]
    times = [m.posted_at for m in history.mentions]
    assert red.turned_at in times[11:14]
    assert red.evidence.turn_low <= red.turned_at <= red.evidence.turn_high
    assert red.evidence.before_mean > 0.5 > -0.5 > red.evidence.after_mean
    assert len(red.evidence.shares) == red.evidence.after_n == red.evidence.after_against
    assert red.evidence.shares[-1].key == red.tipped_by
    assert red.evidence.posterior > 0.3
    assert red.evidence.promise_per_1000_koc_years == 1.0


def test_a_turn_is_never_shown_at_a_post_in_favor(make_history):
    rng, shown = random.Random(7), 0
    for n in range(60):
        late = "".join(rng.choices("afn", (6, 3, 1), k=20))
        history = make_history("f" * 12 + late, koc=f"K{n}")
        by_time = {m.posted_at: m.mention for m in history.mentions}
        for drift in judge(history)[0].drifts:
            mention, e, shown = by_time[drift.turned_at], drift.evidence, shown + 1
            assert mention.favor <= max(mention.against, mention.none)
            assert e.turn_low <= drift.turned_at <= e.turn_high
            assert e.shares[0].key == mention.key
    assert shown > 60


def test_one_or_two_grave_posts_never_make_a_red(make_history):
    for bad in ("a", "aa"):
        (verdict,) = judge(make_history("f" * 40 + bad))
        assert "red" not in levels(verdict)


def test_a_loyal_advocate_a_born_critic_and_a_neutral_raise_nothing(make_history):
    for stances in ("f" * 60, "a" * 60, "n" * 60, "ffffnfffafff" * 5, "f" * 20 + "n" * 30):
        (verdict,) = judge(make_history(stances))
        assert levels(verdict) == [], stances


def test_a_reposted_complaint_counts_once(make_history, make_mention):
    history = make_history("f" * 15)
    last = history.mentions[-1].posted_at
    copies = tuple(make_mention(100 + i, "a", last + timedelta(hours=2 * i + 1), fingerprint=77 + (i % 2)) for i in range(12))
    (verdict,) = judge(replace(history, mentions=history.mentions + copies))
    assert verdict.drifts == ()
    assert verdict.state.mentions == 16


def test_what_was_not_scored_or_has_no_own_words_weighs_nothing(make_history):
    (plain,) = judge(make_history("f" * 15))
    for letter in "ru":
        (verdict,) = judge(make_history("f" * 15 + letter * 15))
        assert verdict.drifts == ()
        assert verdict.state.mentions == plain.state.mentions == 15
        assert verdict.state.posterior == plain.state.posterior


def test_recovery_arms_the_filter_again_and_a_second_turn_is_a_second_drift(make_history):
    (verdict,) = judge(make_history("f" * 12 + "aafaana" + "a" * 5 + "f" * 25 + "a" * 12))
    assert levels(verdict).count("red") == 2
    statuses = [c.status for c in verdict.state.changes]
    assert statuses[:6] == ["candidate", "advocate", "wavering", "critic", "recovered", "advocate"]
    second = verdict.drifts[-1]
    assert second.turned_at > verdict.drifts[0].turned_at
    assert second.evidence.before_n <= 25


def test_a_critic_stays_critic_however_much_evidence_follows(make_history):
    (verdict,) = judge(make_history("f" * 12 + "a" * 60))
    assert levels(verdict).count("red") == 1
    assert verdict.state.status == "critic"
    assert verdict.state.recent < -0.5 < 0.5 < verdict.state.baseline


def test_a_wavering_koc_who_praises_again_goes_back_to_advocate(make_history):
    turn = "aafaanaa"
    bad = next(n for n in range(3, 9) if levels(judge(make_history("f" * 12 + turn[:n]))[0]) == ["amber"])
    (verdict,) = judge(make_history("f" * 12 + turn[:bad] + "f" * 12))
    assert levels(verdict) == ["amber"]
    assert verdict.state.changes[-1].status == "advocate"


def test_the_same_koc_gets_the_same_verdict_alone_and_among_many(make_history):
    rng = random.Random(4)

    def some(i: int) -> History:
        stances = "".join(rng.choices("fna", (6, 2, 2), k=rng.randrange(0, 70))) + "a" * rng.randrange(9)
        return make_history(stances, koc=f"K{i}", every_days=rng.uniform(0.05, 20))

    many = [some(i) for i in range(150)]
    first = date(2025, 7, 1)
    moods = tuple(MoodDay(first + timedelta(days=d), 40, 80_000, 80_000 + 500 * d, 240_000 - 500 * d) for d in range(400))
    together = detect(many, moods, default_calibration(), RULE)
    assert any(v.drifts for v in together)
    for history, verdict in zip(many, together, strict=True):
        assert detect([history], moods, default_calibration(), RULE) == [verdict]
    shuffled = rng.sample(range(len(many)), len(many))
    assert detect([many[i] for i in shuffled], moods, default_calibration(), RULE) == [together[i] for i in shuffled]


def test_order_of_arrival_within_a_history_does_not_matter(make_history):
    history = make_history("f" * 12 + "a" * 12)
    backwards = replace(history, mentions=history.mentions[::-1])
    assert judge(history) == judge(backwards)


def test_when_the_whole_market_is_angry_an_advocate_who_goes_along_needs_more_evidence(make_history):
    def mood(day: int) -> MoodDay:
        angry = day >= 120
        return MoodDay(
            date(2025, 9, 3) + timedelta(days=day), 60, 480_000 if angry else 60_000, 60_000, 60_000 if angry else 480_000
        )

    moods = tuple(mood(d) for d in range(400))
    start = datetime(2026, 1, 1, 4, tzinfo=UTC)
    history = make_history("f" * 12 + "af" * 3 + "a" * 6, every_days=2, start=start - timedelta(days=20))
    (calm,) = judge(history)
    (angry,) = judge(history, moods=moods)
    assert calm.drifts
    assert len(angry.drifts) < len(calm.drifts) or angry.drifts[0].fired_at > calm.drifts[0].fired_at


def test_a_history_without_mentions_is_a_candidate():
    (verdict,) = judge(History("K9", "星澜", ()))
    assert (verdict.state.status, verdict.state.mentions, verdict.state.last_at) == ("candidate", 0, None)
    assert verdict.drifts == ()


def test_two_brands_at_once_are_refused():
    with pytest.raises(ValueError, match="one brand"):
        judge(History("K1", "星澜", ()), History("K1", "墨羽", ()))


def test_a_stricter_promise_needs_more_posts(make_history):
    history = make_history("f" * 12 + "a" * 14)
    (loose,) = detect([history], (), default_calibration(), Rule(false_alarms_red=10.0))
    (strict,) = detect([history], (), default_calibration(), Rule(false_alarms_red=0.1))
    assert loose.drifts[-1].fired_at < strict.drifts[-1].fired_at
