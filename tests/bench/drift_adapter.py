"""The detector behind the protocol of the drift bench: one KOC, one post at a time.

    PYTHONPATH=tests/bench python JUDGE_FOLDER/bench.py --seed N --builtin none --detector drift_adapter:Drift [--cal 10000]

Thin on purpose: the filter, its numbers and its bars are the product's; here is only the translation. The simulator's scorer
is what the cold start assumes nothing about: its class prior is told (`SCORER`), and its near-copies are known by
``content_id``. ``fit`` calibrates on unlabelled histories. `bench_drift.py` runs the same over all streams at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from listener.drift.calibrate import fitted
from listener.drift.moods import Floats, market_of
from listener.drift.readings import Counted, readings_of
from listener.drift.rules import Parameters, default_calibration, parameters_of
from listener.drift.turn_filter import State, TurnFilter

SCORER: dict[str, Any] = {
    "class_prior": (0.25, 0.35, 0.40),
    "temperature": 1.0,
    "mild": 3.0,
    "never_share": 0.25,
    "never_less": 0.3,
    "intercept": 11.95,
    "slope": 1.771,
}
UNIT = 10_000
NO_ALARM = -99.0


def simulator_parameters() -> Parameters:
    """The cold start, told what scorer the simulator has."""
    return replace(parameters_of(default_calibration()), **SCORER)


def market_from_shares(now: Floats, base: Floats, n: Floats, p: Parameters) -> Floats:
    """Market factors from what the simulator tells: smoothed shares of a week with its count, and of the base, whose count
    is taken to be 166 days at the same pace."""

    def span(share: Floats, count: Floats) -> Any:
        sums = np.round((share * (count[:, None] + 3.0) - 1.0) * UNIT).astype(np.int64)
        return np.concatenate([count[:, None].astype(np.int64), sums], axis=1)

    spans = span(now, n), span(base, n * 166.0 / 7.0)
    return market_of(*spans, half=p.market_half, errors=p.market_errors, least=p.market_least)


class Stream:
    """What of a stream's posts weighs, and under which market, as `listener.drift.readings.counted_of` has it."""

    def __init__(self, p: Parameters) -> None:
        self._p = p
        self._seen: dict[int, float] = {}
        self._copied_at = -math.inf
        self._base, self._posts = np.zeros(3), 0

    def read(self, day: float, content: int, base: Floats) -> tuple[bool, bool, Floats]:
        """Whether the post weighs, whether the KOC is copying, and the market's base over its life so far."""
        self._base, self._posts = self._base + base, self._posts + 1
        if day - self._seen.get(content, -math.inf) <= self._p.duplicate_days:
            self._copied_at = day
            return False, False, base
        self._seen[content] = day
        return True, day - self._copied_at <= self._p.copy_days, self._base / self._posts


class Drift:
    """``update`` gives an alarm at red; ``stat`` is the evidence less what the KOC's pace adds to the bar."""

    numbers: Parameters | None = None

    def __init__(self) -> None:
        self.p = Drift.numbers or simulator_parameters()
        self._filter = TurnFilter(self.p)
        self.reset()

    def reset(self) -> None:
        self._stream, self._state = Stream(self.p), self._filter.start(1)
        self._first = self._day = 0.0
        self._probabilities: Floats | None = None
        self._n = 0
        self.stat = NO_ALARM

    @classmethod
    def fit(cls, histories: Sequence[Sequence[tuple[float, float, dict[str, Any]]]]) -> None:
        """Calibrate on unlabelled histories."""
        p = simulator_parameters()
        counted = [counted_of_history(h, p) for h in histories]
        cls.numbers = fitted([c for c in counted if len(c.days) >= 5], p)

    def update(self, day: float, score: float, **meta: Any) -> bool:
        weighs, copying, base = self._stream.read(day, meta["content_id"], np.asarray(meta["market_base"]))
        if not weighs:
            return False
        now, n = np.asarray(meta["market_now"])[None, :], np.array([meta["market_n"]])
        market = market_from_shares(now, base[None, :], n, self.p)
        mine = np.round(np.array([meta["probs"]]), 4)
        self._n += 1
        if self._probabilities is None:
            self._first = self._day = day
        self._filter_one(day, mine, copying, market)
        self._probabilities, self._day = mine, day
        return self.stat >= self.p.bar(1.0)

    def _filter_one(self, day: float, mine: Floats, copying: bool, market: Floats) -> None:
        """One step of the product's filter: the post with the one before it, which tells repetition."""
        before = mine if self._probabilities is None else self._probabilities
        flags = np.array([False, copying])
        pair = Counted(
            (), np.array([self._day, day]), np.concatenate([before, mine]), np.zeros(2, dtype=np.bool_), flags,
            np.ones(2), np.concatenate([market, market]),
        )  # fmt: skip
        both = readings_of([pair], self.p)
        repeat = both.repeat[1:] if self._n > 1 else both.repeat[:1]
        alone = replace(both, active=(1,), evidence=both.evidence[1:], repeat=repeat, market=both.market[1:])
        state: State = self._state
        self._state, trace = self._filter.run(alone, np.full((1, 1), np.inf), state)
        years = (day - self._first) / 365.0
        weight = self.p.per_year_weight
        per_year = (self._n + weight) / (years + weight / self.p.per_year)
        self.stat = float(trace.strength[0, 0]) - self.p.pace * math.log(per_year / self.p.per_year)


def counted_of_history(history: Sequence[tuple[float, float, dict[str, Any]]], p: Parameters) -> Counted:
    """A whole history as the filter's input."""
    stream, rows = Stream(p), []
    for day, _, meta in history:
        weighs, copying, base = stream.read(day, meta["content_id"], np.asarray(meta["market_base"]))
        if weighs:
            rows.append((day, meta["probs"], copying, meta["market_now"], base, meta["market_n"]))
    if not rows:
        empty = np.zeros(0, dtype=np.bool_)
        return Counted((), np.zeros(0), np.zeros((0, 3)), empty, empty, np.ones(0), np.ones((0, 3)))
    days, probabilities, copying_, now, base_, n = (np.array(x) for x in zip(*rows, strict=True))
    market = market_from_shares(now, base_, n, p)
    return Counted(
        (), days, np.round(probabilities, 4), np.zeros(len(days), dtype=np.bool_), copying_, np.ones(len(days)), market
    )
