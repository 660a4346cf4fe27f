"""Posts → the evidence of their classes, and the shares of the classes among them: what all parts of a calibration count by."""

from __future__ import annotations

import numpy as np

from listener.drift.moods import Floats
from listener.drift.readings import Counted, evidence_of_classes, tempered
from listener.drift.rules import Parameters

POSTS_OF_A_KOC = 5  # with fewer it says nothing of itself


def evidence_of_posts(c: Counted, p: Parameters) -> Floats:
    return evidence_of_classes(tempered(c.probabilities, p.temperature), c.constructive, c.cue, p)


def class_shares(evidence: Floats, *, steps: int = 60) -> Floats:
    """Shares of the four classes among posts with evidence (n, 4), by EM (Saerens et al. 2002).

    >>> sure = np.array([[4.0, 0.0, 0.0, 0.0], [0.0, 0.0, 2.5, 0.0], [0.0, 0.0, 2.5, 0.0], [0.0, 0.0, 2.5, 0.0]])
    >>> class_shares(sure).round(3).tolist()
    [0.25, 0.0, 0.75, 0.0]
    """
    shares = np.full(4, 0.25)
    for _ in range(steps):
        joint = evidence * shares
        shares = (joint / weighted(evidence, shares)[:, None]).mean(axis=0)
    return shares


def weighted(evidence: Floats, weights: Floats) -> Floats:
    summed: Floats = np.maximum((evidence * weights).sum(axis=1), 1e-12)
    return summed


def first_posts(c: Counted, n: int) -> Counted:
    return Counted(c.mentions[:n], c.days[:n], c.probabilities[:n], c.constructive[:n], c.copying[:n], c.cue[:n], c.market[:n])
