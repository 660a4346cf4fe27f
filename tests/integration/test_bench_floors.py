"""The floors of the scorer's bench: raised by what got better, lowered only where a figure is really below, on demand."""

import json
import sys
from pathlib import Path

import pytest

from tests.bench import bench_nlp
from tests.bench.bench_nlp import SLACK, below_of, pinned_of

FLOORS = {"better": 0.8, "worse": 0.8, "within": 0.8, "gone": 0.7}
FOUND = {"better": 0.9, "worse": 0.7, "within": round(0.8 - SLACK / 2, 4), "new": 0.5}


def test_pinning_raises_what_got_better_and_adds_what_is_new() -> None:
    assert pinned_of(FOUND, FLOORS, lower=False) == {"better": 0.9, "worse": 0.8, "within": 0.8, "new": 0.5, "gone": 0.7}


def test_lowering_lowers_only_what_is_really_below_its_floor() -> None:
    assert below_of(FOUND, FLOORS) == {"worse": (0.8, 0.7), "gone": (0.7, None)}
    assert pinned_of(FOUND, FLOORS, lower=True) == {"better": 0.9, "worse": 0.7, "within": 0.8, "new": 0.5}


@pytest.mark.parametrize(("options", "code", "worse"), [([], 1, 0.8), (["--pin"], 1, 0.8), (["--pin", "--lower"], 0, 0.7)])
def test_each_floor_that_is_lowered_is_told(
    options: list[str],
    code: int,
    worse: float,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    floors = tmp_path / "floors.json"
    floors.write_text(json.dumps(FLOORS), encoding="utf-8")
    monkeypatch.setattr(bench_nlp, "FLOORS", floors)
    monkeypatch.setattr(bench_nlp, "figures_of", lambda _: FOUND)
    monkeypatch.setattr(bench_nlp, "start_up", dict)
    monkeypatch.setattr(bench_nlp, "speed_of", lambda _: {})
    monkeypatch.setattr(sys, "argv", ["bench_nlp.py", str(tmp_path), *options])
    assert bench_nlp.main() == code
    told = capsys.readouterr()
    assert "below its floor: worse 0.7 < 0.8" in told.err
    assert ("floor lowered: worse 0.8 -> 0.7" in told.out) == ("--lower" in options)
    assert "lowered: within" not in told.out
    assert json.loads(floors.read_text(encoding="utf-8"))["worse"] == worse
