"""Labelled texts → model: a pure function of its corpora. Training needs scikit-learn; scoring does not."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nlp import bayes, segment
from nlp.results import ScoreError
from nlp.score import _features
from nlp.text import read

TONES = ("neg", "neu", "pos")


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text, its tone (neg, neu, pos) and the domain it comes from."""

    text: str
    label: str
    domain: str


def read_corpus(path: Path) -> Iterator[Labelled]:
    """The rows of a CSV (plain or .gz) with the columns text, label and, if it likes, domain. Raises ScoreError."""
    opened = gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")
    with io.TextIOWrapper(opened, encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        if not {"text", "label"} <= set(rows.fieldnames or ()):
            raise ScoreError(f"{path} has no columns text and label; it has: {', '.join(rows.fieldnames or ())}")
        for row in rows:
            if row["label"] not in TONES:
                raise ScoreError(f"{path}, line {rows.line_num}: label {row['label']!r}; there are: {', '.join(TONES)}")
            yield Labelled(row["text"], row["label"], row.get("domain") or path.stem)


def distinct(rows: Iterable[Labelled]) -> list[Labelled]:
    """Each cleaned text once; texts that corpora label differently are left out of all."""
    seen: dict[str, Labelled | None] = {}
    held = list(rows)
    for row, body in zip(held, read([row.text for row in held]).bodies, strict=True):
        if body:
            before = seen.setdefault(body, row)
            if before is not None and before.label != row.label:
                seen[body] = None
    return [row for row in seen.values() if row is not None]


def train(rows: Iterable[Labelled]) -> dict[str, NDArray[np.generic]]:
    """The arrays of a model."""
    from sklearn.linear_model import LogisticRegression  # training only

    kept = distinct(rows)
    words = segment.cut_all(read([row.text for row in kept]).bodies)
    half = np.arange(len(kept)) % 4 != 0  # the voice learns on three quarters, its calibration on the rest
    sample = [(w, row.label) for w, row, h in zip(words, kept, half, strict=True) if h and row.label != "neu"]
    vocabulary, counts = bayes.count(sample, at_least=2)
    voice = bayes.of_counts(vocabulary, counts)
    features = np.array([_features(w, voice) for w, h in zip(words, half, strict=True) if not h])
    labels = np.array([row.label for row, h in zip(kept, half, strict=True) if not h])
    head = LogisticRegression(max_iter=2000).fit(features, labels)
    return {
        "bayes_words": np.frombuffer("\n".join(vocabulary).encode(), np.uint8),
        "bayes_counts": counts,
        "tone_weights": np.vstack([head.coef_.T, head.intercept_]).astype(np.float32),
        "tone_priors": np.array([0.34, 0.33, 0.33], np.float32),
    }
