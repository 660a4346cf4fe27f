"""What the guard rail catches of phrases it has not seen: rules, likeness, both; and the weights of the likeness, made anew.

    python tests/bench/bench_guard.py [--write]

Each round of tests/guard_phrases.py is read by a likeness that learnt the others, at the threshold that is shipped (the rules
have learnt all rounds but SEALED, so that their own figures on those say nothing). SEALED is never learnt from. --write trains
on all rounds but SEALED and writes listener/text/guard.json; it needs SciPy (`pip install koc-listener[train]`).
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from math import exp
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from listener.cases.guard import plain, refusal_by_rule, refusal_of
from listener.cases.likeness import runs_of
from tests import guard_phrases as phrases

WEIGHTS = Path(__file__).parents[2] / "listener" / "text" / "guard.json"
ROUNDS = ("FIRST", "LATER", "LAST", "HELD", "READ", "WIDE", "NEAR", "MIND")
PLAIN = ("施压", "删帖", "删除评论", "终止合作", "解约", "起诉他", "发律师函", "控评", "拉黑他", "举报他", "封他的号", "收买他")
THRESHOLD = 0.75
LEAST = 2  # phrases that a run must occur in
STRENGTH = 1.0  # of the pull toward no weight
Rows = list[tuple[str, bool]]


def rows_of(name: str) -> Rows:
    """A round's phrases, with whether each is to be refused."""
    refused, passed = getattr(phrases, f"{name}_REFUSED"), getattr(phrases, f"{name}_PASSED")
    return [(plain(one), True) for one in refused] + [(plain(one), False) for one in passed]


def others() -> Rows:
    """The plain words, each denied too, and what teams write every day."""
    ordinary = [(plain(one), False) for one in phrases.ORDINARY]
    return (
        ordinary
        + [(one, True) for one in PLAIN]
        + [(f"{no}{one}", False) for one in PLAIN for no in ("不", "绝不", "没有", "请勿")]
    )


def learnt(rows: Rows) -> tuple[float, dict[str, float]]:
    """Bias and weights of a logistic regression over the runs of letters."""
    seen = [runs_of(text) for text, _ in rows]
    counts = Counter(run for runs in seen for run in runs)
    names = sorted(run for run, n in counts.items() if n >= LEAST)
    place = {run: at for at, run in enumerate(names)}
    x = np.zeros((len(rows), len(names) + 1))
    x[:, -1] = 1
    for row, runs in enumerate(seen):
        x[row, [place[run] for run in runs if run in place]] = 1
    sign = np.array([1.0 if is_bad else -1.0 for _, is_bad in rows])
    pull = np.append(np.full(len(names), STRENGTH), 0.0)

    def loss(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margin = sign * (x @ w)
        slope = -sign / (1 + np.exp(np.clip(margin, -50, 50)))
        return float(np.logaddexp(0, -margin).sum() + 0.5 * (pull * w * w).sum()), x.T @ slope + pull * w

    w = minimize(loss, np.zeros(len(names) + 1), jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    return float(w[-1]), {run: round(float(w[at]), 3) for run, at in place.items() if abs(w[at]) >= 0.005}


def chance(text: str, bias: float, weights: dict[str, float]) -> float:
    """What `likeness_of` gives with these weights."""
    return 1 / (1 + exp(-max(-30.0, min(30.0, bias + sum(weights.get(run, 0.0) for run in runs_of(text))))))


def told(name: str, rows: Rows, caught: list[bool]) -> str:
    bad = [hit for (_, is_bad), hit in zip(rows, caught, strict=True) if is_bad]
    good = [hit for (_, is_bad), hit in zip(rows, caught, strict=True) if not is_bad]
    right = sum(bad) / max(sum(bad) + sum(good), 1)
    caught_share = f"{sum(bad):>3}/{len(bad):<4} {sum(bad) / len(bad):>4.0%}"
    return f"{name:<24} caught {caught_share}   stopped {sum(good):>2}/{len(good):<4} precision {right:.0%}"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--write", action="store_true")
    if arguments.parse_args().write:
        bias, weights = learnt([row for name in ROUNDS for row in rows_of(name)] + others())
        found = {"threshold": THRESHOLD, "bias": round(bias, 3), "weights": weights}
        WEIGHTS.write_text(json.dumps(found, ensure_ascii=False, indent=0, sort_keys=True) + "\n", encoding="utf-8")
        print(f"{len(weights)} weights written")
    for name in ROUNDS:
        rows = rows_of(name)
        bias, weights = learnt([row for other in ROUNDS if other != name for row in rows_of(other)] + others())
        print(told(f"{name} likeness, unseen", rows, [chance(text, bias, weights) >= THRESHOLD for text, _ in rows]))
    rows = rows_of("SEALED")
    print(told("SEALED rules", rows, [refusal_by_rule(text) is not None for text, _ in rows]))
    print(told("SEALED both", rows, [refusal_of(text) is not None for text, _ in rows]))


if __name__ == "__main__":
    main()
