"""How much a text reads like those that press, delete, buy or punish: its letters in runs of one to four, weighed.

The rules of `listener.cases.guard` know words; this has learnt from some thousand invented phrases what such words look like,
so that it hears a phrase in which no rule finds anything. A logistic regression (L2) over which runs of letters occur; weights
and threshold stand in ``listener/text/guard.json`` and are made by ``tests/bench/bench_guard.py --write``.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from math import exp
from typing import Final

LONGEST = 4  # letters in a run


def runs_of(text: str) -> frozenset[str]:
    """The runs of one to four letters in a text, its ends marked by a space.

    >>> sorted(runs_of("删帖"))
    [' ', ' 删', ' 删帖', ' 删帖 ', '删', '删帖', '删帖 ', '帖', '帖 ']
    """
    line = f" {' '.join(text.lower().split())} "
    return frozenset(line[at : at + n] for n in range(1, LONGEST + 1) for at in range(len(line) - n + 1))


def likeness_of(text: str) -> float:
    """The chance that such a text presses somebody, 0…1."""
    bias, weights, _ = _learnt()
    score = bias + sum(weights.get(run, 0.0) for run in runs_of(text))
    return 1 / (1 + exp(-max(-30.0, min(30.0, score))))


def is_like(text: str) -> bool:
    """Whether a text reads so much like them that it is refused."""
    return likeness_of(text) >= _learnt()[2]


@cache
def _learnt() -> tuple[float, dict[str, float], float]:
    found: Final = json.loads(files("listener.text").joinpath("guard.json").read_text(encoding="utf-8"))
    return found["bias"], found["weights"], found["threshold"]
