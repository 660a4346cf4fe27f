"""Labelled rows and an engine → how right it is, how honest its probabilities are, and how fast: a row for each domain."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlp.corpora import STANCES, TONES, Labelled
from nlp.results import Request, Score, Target
from nlp.score import Engine

_BINS = 15
_COVERED = 0.8
_AT_ONCE = 512  # rows scored between two words on how far it is


@dataclass(frozen=True, slots=True)
class Verdict:
    """Figures of one domain. kind: tone or stance. macro_f1: over the classes that the domain has; for stance over favor
    and against (as NLPCC2016). ece: expected calibration error of the class chosen, 15 bins. at_80: accuracy on the 80 %
    it is surest of. per_second: posts scored a second, with everything the engine does for such a row.
    """

    domain: str
    kind: str
    posts: int
    accuracy: float
    macro_f1: float
    ece: float
    at_80: float
    per_second: float


def judge(
    engine: Engine,
    rows: Sequence[Labelled],
    *,
    by: Callable[[Labelled], str] | None = None,
    fast: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> list[Verdict]:
    """A verdict for each domain of the rows, and one over all of each kind. Texts that can't be read count as scored.
    progress: told how many of how many rows are scored."""
    verdicts, done = [], 0
    for kind in ("tone", "stance"):
        mine = [place for place, row in enumerate(rows) if bool(row.target) == (kind == "stance")]
        scores: dict[int, Score] = {}
        seconds: list[float] = []
        domains = sorted({_domain(rows[place], by) for place in mine})
        for domain in domains:
            places = [place for place in mine if _domain(rows[place], by) == domain]
            seconds.append(0.0)
            for part in (places[at : at + _AT_ONCE] for at in range(0, len(places), _AT_ONCE)):
                started = time.perf_counter()
                scores |= zip(part, engine.score([_request(rows[place]) for place in part], fast=fast), strict=True)
                seconds[-1] += time.perf_counter() - started
                done += len(part)
                if progress:
                    progress(done, len(rows))
            verdicts.append(_verdict(domain, kind, [(rows[place], scores[place]) for place in places], seconds[-1]))
        if len(domains) > 1:
            verdicts.append(_verdict("all", kind, [(rows[place], scores[place]) for place in mine], sum(seconds)))
    return verdicts


def _domain(row: Labelled, by: Callable[[Labelled], str] | None) -> str:
    return by(row) if by else row.domain


def _request(row: Labelled) -> Request:
    return Request(row.text, _named(row.target) if row.target else None, tuple(map(_named, row.others)))


def _verdict(domain: str, kind: str, scored: Sequence[tuple[Labelled, Score]], took: float) -> Verdict:
    """took: seconds that the scoring took."""
    rows, scores = [row for row, _ in scored], [score for _, score in scored]
    classes = STANCES if kind == "stance" else TONES
    held = {row.label for row in rows}
    open_to = [i for i, name in enumerate(classes) if name in held or kind == "stance"]
    shares = np.array([_shares(score, kind) for score in scores])[:, open_to]
    shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1e-9)
    truth = np.array([open_to.index(classes.index(row.label)) for row in rows])
    chosen = shares.argmax(axis=1)
    right, sure = chosen == truth, shares.max(axis=1)
    counted = [i for i, c in enumerate(open_to) if not (kind == "stance" and classes[c] == "none") and classes[c] in held]
    surest = np.argsort(-sure, kind="stable")[: max(1, round(_COVERED * len(rows)))]
    mean_f1 = float(np.mean([f1(truth == i, chosen == i) for i in counted])) if counted else 0.0
    return Verdict(
        domain, kind, len(rows), float(right.mean()), mean_f1, expected_calibration_error(sure, right),
        float(right[surest].mean()), len(rows) / max(took, 1e-9),
    )  # fmt: skip


def _named(name: str) -> Target:
    return Target(name, (name,))


def _shares(score: Score, kind: str) -> list[float]:
    if kind == "stance" and score.stance is not None:
        return [score.stance.against, score.stance.none, score.stance.favor]
    return [score.neg, score.neu, score.pos]


def f1(truth: NDArray[np.bool_], chosen: NDArray[np.bool_]) -> float:
    """F1 of one class.

    >>> f1(np.array([True, True]), np.array([True, False])).__round__(2)
    0.67
    """
    hits = float((truth & chosen).sum())
    return 2 * hits / max(float(truth.sum() + chosen.sum()), 1.0)


def expected_calibration_error(sure: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Mean gap between how sure and how right, over 15 equal bins (Guo et al. 2017).

    >>> expected_calibration_error(np.array([0.9, 0.9]), np.array([True, False])).__round__(3)
    0.4
    """
    bins = np.minimum((sure * _BINS).astype(int), _BINS - 1)
    gaps = [
        (bins == b).mean() * abs(sure[bins == b].mean() - right[bins == b].mean()) for b in range(_BINS) if (bins == b).any()
    ]
    return float(sum(gaps))
