"""The first negative post of an advocate is a quiet notice of its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from listener.drift.first_negative import first_negatives


def test_the_first_post_against_after_a_favorable_baseline_is_noticed(make_history):
    (found,) = first_negatives(make_history("f" * 6 + "a" + "f" * 3).mentions)
    assert (found.key.post_id, found.before_n, found.cue) == ("K1-0006", 6, None)
    assert found.before_mean == 0.87


def test_a_second_one_soon_after_is_not_a_first(make_history):
    assert len(first_negatives(make_history("f" * 6 + "aaa").mentions)) == 1
    assert len(first_negatives(make_history("f" * 6 + "a" + "f" * 20 + "a").mentions)) == 2


def test_a_defection_cue_needs_less_certainty(make_mention, make_history):
    history = make_history("f" * 6)
    post = make_mention(9, "a", history.mentions[-1].posted_at + timedelta(days=3), cues=("defection",))
    unsure = replace(post, mention=replace(post.mention, against=0.6))
    (found,) = first_negatives((*history.mentions, unsure))
    assert found.cue == "defection"
    plain = replace(unsure, mention=replace(unsure.mention, cues=()))
    assert first_negatives((*history.mentions, plain)) == ()


def test_without_a_favorable_baseline_nothing_is_noticed(make_history):
    for stances in ("ffffa", "nnnnnna", "afafafafaf", "f" * 8 + "ru"):
        assert first_negatives(make_history(stances).mentions) == ()
