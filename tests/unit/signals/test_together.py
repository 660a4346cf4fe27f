"""All signals of one KOC, told together."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from listener.signals.together import signals_of
from storage.records import DriftState, History, StatusChange
from tests.unit.drift.conftest import START, history_of, mention_of

STATE = DriftState("K1", "星澜", "advocate", 6, 0.8, 0.8, None, 0.0, "…", (StatusChange(START, "advocate", "…"),), "c1")


def test_a_post_that_is_grave_is_not_told_again_as_the_first_negative() -> None:
    hard = mention_of(500, "a", START + timedelta(days=105), cues=("complaint",))
    history = History("K1", "星澜", (*history_of("f" * 10).mentions, hard))
    signals, held, _ = signals_of(history, STATE, first_negative=1000, silent_days=60)
    assert [one.kind for one in signals] == ["grave-post"]
    assert [(one.kind, one.reason) for one in held] == [("first-negative", "told-as-graver")]
    plain = replace(hard, mention=replace(hard.mention, cues=()))
    signals, held, _ = signals_of(
        replace(history, mentions=(*history.mentions[:-1], plain)), STATE, first_negative=1000, silent_days=60
    )
    assert ([one.kind for one in signals], held) == (["first-negative"], ())


def test_signals_come_in_order_of_time_and_silence_is_foreseen() -> None:
    signals, _, silent_from = signals_of(history_of("f" * 10), STATE, first_negative=1000, silent_days=60)
    assert signals == ()
    assert silent_from is not None
    assert silent_from > START + timedelta(days=90 + 60)
