"""A stored state run on is what a replay gives, bit for bit; whatever does not fit is replayed."""

from __future__ import annotations

import random
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from listener.drift.detect import bars
from listener.drift.moods import Moods
from listener.drift.readings import Readings, counted_of, readings_of
from listener.drift.rules import default_calibration, parameters_of
from listener.drift.stored_states import SIZE, digest_of, pack, rest_of, state_of, unpack
from listener.drift.turn_filter import TurnFilter
from storage.records import History, MoodDay

P = parameters_of(default_calibration())
FILTER = TurnFilter(P)
DAYS = [(date(2025, 9, 1) + timedelta(days=d), 900 * d) for d in range(250)]
MOODS = Moods([MoodDay(day, 40, 80_000, 80_000 + more, 240_000 - more) for day, more in DAYS])


def read(history: History) -> Readings:
    return readings_of([counted_of(history, MOODS, P, ZoneInfo("Asia/Shanghai"))], P)


@pytest.mark.parametrize("seed", range(12))
def test_what_was_stored_and_run_on_is_what_a_replay_gives_bit_for_bit(make_history, seed):
    rng = random.Random(seed)
    stances = "".join(rng.choices("fna", (7, 1, 2), k=rng.randrange(8, 25))) + "a" * rng.randrange(14) + "f" * rng.randrange(12)
    readings = read(make_history(stances, every_days=rng.uniform(0.1, 12)))
    bar = bars(readings.per_year, 1.0, P)
    whole, trace = FILTER.run(readings, bar)
    end = pack(whole, 0, len(stances), digest_of(readings, 0, len(stances), "c1"))
    for n in (1, len(stances) // 2, len(stances) - 1, len(stances)):
        first, _ = FILTER.run(Readings(readings.active[:n], *_cut(readings, n)), bar[:n])
        stored = unpack(pack(first, 0, n, digest_of(readings, 0, n, "c1")))
        assert stored is not None
        assert stored.n == n
        assert stored.digest == digest_of(readings, 0, n, "c1")
        on, rest = FILTER.run(rest_of(readings, n), bar[n:], state_of(stored))
        assert pack(on, 0, len(stances), digest_of(readings, 0, len(stances), "c1")) == end
        assert rest.strength.tobytes() == trace.strength[n:].tobytes()
        assert rest.fired.tolist() == trace.fired[n:].tolist()


def _cut(readings: Readings, n: int):
    return readings.evidence[:n], readings.repeat[:n], readings.market[:n], readings.per_year[:n], readings.stance[:n]


def test_a_row_is_small_and_the_same_from_a_block_as_alone(make_history):
    histories = [make_history("f" * 20 + "a" * k, koc=f"K{k}") for k in (9, 5, 0)]
    counted = [counted_of(h, MOODS, P, ZoneInfo("Asia/Shanghai")) for h in histories]
    together = readings_of(counted, P)
    state, _ = FILTER.run(together, np.full(together.per_year.shape, np.inf))
    for k, one in enumerate(counted):
        alone = readings_of([one], P)
        n = len(one.days)
        single, _ = FILTER.run(alone, np.full(alone.per_year.shape, np.inf))
        row = pack(state, k, n, digest_of(together, k, n, "c1"))
        assert row == pack(single, 0, n, digest_of(alone, 0, n, "c1"))
        assert len(row) == SIZE <= 512


def test_a_late_post_another_calibration_or_another_format_means_a_replay(make_history):
    history = make_history("f" * 20 + "a" * 5)
    before, after = read(History("K1", "星澜", history.mentions[3:])), read(history)
    n = len(before.active)
    assert digest_of(before, 0, n, "c1") != digest_of(after, 0, n, "c1")
    assert digest_of(before, 0, n, "c1") != digest_of(before, 0, n, "c2")
    row = pack(FILTER.start(1), 0, 0, bytes(16))
    assert unpack(row) is not None
    assert unpack(row[:-1]) is None
    assert unpack(b"\x02" + row[1:]) is None
