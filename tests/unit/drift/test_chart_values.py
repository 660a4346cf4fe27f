"""Values for the chart of a KOC."""

from __future__ import annotations

from listener.drift.chart_values import chart_values
from listener.drift.detect import detect
from listener.drift.rules import Rule, default_calibration


def test_a_turn_has_its_point_and_span(make_history):
    history = make_history("f" * 12 + "r" + "a" * 12)
    (verdict,) = detect([history], (), default_calibration(), Rule())
    values = chart_values(history, verdict)
    assert [p.at for p in values.points] == sorted(m.posted_at for m in history.mentions)
    assert [p.weighs for p in values.points].count(False) == 1
    assert values.points[-1].mean < -0.5 < 0.5 < values.points[5].mean
    assert values.turn_low <= values.turned_at <= values.turn_high


def test_without_a_turn_there_is_none(make_history):
    history = make_history("rff")
    (verdict,) = detect([history], (), default_calibration(), Rule())
    values = chart_values(history, verdict)
    assert values.turned_at is values.turn_low is values.turn_high is None
    assert values.points[0].mean == 0.0
