"""What one post can and cannot do, and what softens it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from listener.drift.detect import detect
from listener.drift.moods import Moods
from listener.drift.readings import counted_of, readings_of
from listener.drift.rules import Rule, default_calibration, parameters_of
from listener.drift.turn_filter import TurnFilter


def judged(history):
    return detect([history], (), default_calibration(), Rule())[0]


def posts_to_red(history):
    (red,) = (d for d in judged(history).drifts if d.level == "red")
    return [m.mention.key for m in history.mentions].index(red.tipped_by)


def with_last(history, n, **changes):
    kept, last = history.mentions[:-n], history.mentions[-n:]
    return replace(history, mentions=(*kept, *(replace(m, mention=replace(m.mention, **changes)) for m in last)))


def test_one_extreme_post_with_every_cue_raises_nothing(make_history, make_mention):
    cues = ("defection", "dissuasion", "unresolved", "product-grievance", "ignored")
    for n in (3, 10, 40, 150):
        history = make_history("f" * n)
        worst = make_mention(999, "a", history.mentions[-1].posted_at + timedelta(days=5), cues=cues)
        sure = replace(worst, mention=replace(worst.mention, against=1.0, none=0.0, favor=0.0))
        assert judged(replace(history, mentions=(*history.mentions, sure))).drifts == ()


def test_cues_speed_a_red_up_and_unknown_codes_weigh_nothing(make_history, make_mention):
    plain = make_history("f" * 12 + "n" * 25)
    dull = with_last(plain, 25, against=0.55, none=0.1, favor=0.35)
    cued = replace(
        dull,
        mentions=(
            *dull.mentions[:12],
            *(replace(m, mention=replace(m.mention, cues=make_mention(0, "a", m.posted_at, cues=("dissuasion",)).mention.cues))
              for m in dull.mentions[12:]),
        ),
    )  # fmt: skip
    unknown = with_last(dull, 25, cues=make_mention(0, "a", dull.mentions[0].posted_at, cues=("weather",)).mention.cues)
    assert posts_to_red(cued) < posts_to_red(dull)
    assert judged(unknown) == judged(dull)


def test_constructive_criticism_weighs_less_than_hostile(make_history):
    hostile = make_history("f" * 12 + "a" * 30)
    kind = with_last(hostile, 30, constructive=True)
    assert posts_to_red(kind) >= posts_to_red(hostile) + 4


def test_a_few_constructive_posts_raise_no_red(make_history):
    kind = with_last(make_history("f" * 12 + "a" * 6), 6, constructive=True)
    assert "red" not in [d.level for d in judged(kind).drifts]


def test_a_rant_in_one_night_is_less_than_the_same_posts_over_months(make_history, make_mention):
    history = make_history("f" * 20)
    last = history.mentions[-1].posted_at

    def after(gap):
        return replace(
            history,
            mentions=(*history.mentions, *(make_mention(50 + i, "a", last + timedelta(days=3) + gap * i) for i in range(5))),
        )

    assert [d.level for d in judged(after(timedelta(days=12))).drifts]
    assert not [d for d in judged(after(timedelta(minutes=40))).drifts if d.level == "red"]


def test_no_turn_starts_at_the_first_three_posts(make_history):
    p, mood = parameters_of(default_calibration()), Moods(())
    counted = counted_of(make_history("aaa" + "f" * 300), mood, p, ZoneInfo("UTC"))
    readings = readings_of([counted], p)
    turn_filter = TurnFilter(p)
    state, trace = turn_filter.run(readings, np.full(readings.per_year.shape, np.inf))
    assert (trace.source[:3, 0] == 0).all()
    assert (trace.source[3:, 0] > 0).all()
    assert (trace.advocate[:3, 0] < -30).all()
    assert state.posts.tolist() == [255]


def test_somebody_who_started_with_two_kind_words_never_was_an_advocate(make_history):
    assert judged(make_history("ff" + "a" * 20)).drifts == ()
    assert judged(make_history("ffff" + "a" * 20)).drifts != ()


def test_a_copy_after_thirty_days_counts_again(make_history, make_mention):
    history = make_history("f" * 12)
    last = history.mentions[-1].posted_at
    copies = tuple(make_mention(60 + i, "a", last + timedelta(days=31 * (i + 1)), fingerprint=99) for i in range(4))
    assert judged(replace(history, mentions=(*history.mentions, *copies))).state.mentions == 16


def test_negative_fingerprints_are_compared_by_their_bits(make_history, make_mention):
    history = make_history("f" * 12)
    last = history.mentions[-1].posted_at
    one, two = (make_mention(70 + i, "a", last + timedelta(days=1 + i), fingerprint=f) for i, f in enumerate((-1, -2)))
    assert judged(replace(history, mentions=(*history.mentions, one, two))).state.mentions == 13


def test_an_unknown_name_in_a_calibration_is_refused():
    row = default_calibration()
    wrong = replace(row, parameters={**row.parameters, "sensitivity": 3})
    with pytest.raises(TypeError):
        detect([], (), wrong, Rule())
