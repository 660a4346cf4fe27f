"""The door: texts and targets in, scores out, in batches; one text and many go the same way and get the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from nlp import bayes, clauses, cues, fingerprint, model, segment
from nlp.results import Request, Score, ScoreError, Stance, Target
from nlp.text import Readings, read

__all__ = ["Engine", "ScoreError", "load", "score_batch"]


class Engine:
    """A loaded model. ``version`` names everything that its scores depend on."""

    def __init__(self, arrays: model.Arrays, lists: dict[str, str], words: tuple[str, ...]) -> None:
        self.version = model.version_of(arrays, lists, words)
        self._words = words
        vocabulary = bytes(arrays["bayes_words"]).decode().split("\n")
        self._bayes = bayes.of_counts(vocabulary, arrays["bayes_counts"].astype(np.uint32))
        self._weights = arrays["tone_weights"].astype(np.float64)
        self._priors = [round(float(p), 4) for p in arrays["tone_priors"]]
        self._lexicon = cues.lexicon_of(lists[model.CUES].splitlines())

    def score(self, requests: Sequence[Request]) -> list[Score]:
        """A score for each request, in order."""
        groups: dict[tuple[Target | None, tuple[Target, ...]], list[int]] = {}
        for index, request in enumerate(requests):
            groups.setdefault((request.target, request.others), []).append(index)
        scores: list[Score | None] = [None] * len(requests)
        for (target, others), indexes in groups.items():
            readings = read([requests[index].text for index in indexes], target, others, self._words)
            for index, score in zip(indexes, self._scores(readings, target), strict=True):
                scores[index] = score
        return [score for score in scores if score is not None]

    def _scores(self, readings: Readings, target: Target | None) -> list[Score]:
        tones = self._tones(readings.bodies)
        stances = self._stances(readings) if target is not None else [None] * len(tones)
        prints = fingerprint.fingerprints(readings.bodies)
        scores = []
        for index, body in enumerate(readings.bodies):
            reason, stance = readings.unscored[index], stances[index]
            neg, neu, pos = self._priors if reason else tones[index]
            if reason and stance is not None:
                stance = Stance(0.0, 0.0, 1.0)
            found = () if reason else cues.cues_of(body, self._lexicon, max(neg, stance.against if stance else 0.0))
            constructive = not reason and cues.is_constructive(body, max(neg, stance.against if stance else 0.0), found)
            polarity = round(pos - neg, 4)
            scores.append(
                Score(
                    neg,
                    neu,
                    pos,
                    polarity,
                    stance,
                    found,
                    constructive,
                    readings.own_words[index],
                    reason,
                    prints[index],
                    self.version,
                )
            )
        return scores

    def _tones(self, bodies: Sequence[str]) -> list[list[float]]:
        """Calibrated neg, neu, pos of each text, rounded."""
        features = np.array([_features(segment.cut(body), self._bayes) for body in bodies]).reshape(-1, 4)
        logits = features @ self._weights[:-1] + self._weights[-1]
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares: list[list[float]] = (raised / raised.sum(axis=1, keepdims=True)).round(4).tolist()
        return shares

    def _stances(self, readings: Readings) -> list[Stance | None]:
        """Stance toward the target: the tone of its own clauses, and who wins where it is compared."""
        owned, wins, shares = [], [], []
        for index, body in enumerate(readings.bodies):
            parts = clauses.clauses_of(body, rival_first=readings.tagged_rival[index] and not readings.tagged_target[index])
            owned.append("".join(body[part.start : part.end] for part in parts if part.owner != "rival"))
            wins.append(sum(clauses.comparison(body[part.start : part.end]) for part in parts if part.owner == "both"))
            shares.append(len(owned[-1]) / max(1, len(body)))
        return [_stance(tone, won, share) for tone, won, share in zip(self._tones(owned), wins, shares, strict=True)]


def _stance(tone: list[float], won: int, share: float) -> Stance:
    against, none, favor = tone
    if share == 0.0:
        return Stance(0.05, 0.05, 0.9)
    if won:
        win = 0.9 if won > 0 else 0.1
        favor, against, none = (1 - none) * (0.3 * favor + 0.7 * win), (1 - none) * (0.3 * against + 0.7 * (1 - win)), none
    total = favor + against + none
    return Stance(round(favor / total, 4), round(against / total, 4), round(none / total, 4))


def _features(words: list[str], classifier: bayes.Bayes) -> list[float]:
    odds, n = classifier.score(words), len(words) + 1
    scaled = odds / n**0.5
    return [scaled, abs(scaled), float(np.log(n)), float("?" in words or "？" in words)]


def load(path: Path | None = None, words: Sequence[str] = ()) -> Engine:
    """An engine. path: a model of one's own. words: the brands' names, neutralized in every text. Raises ScoreError."""
    return Engine(model.read_model(path), {model.CUES: model.read_list(model.CUES)}, tuple(sorted(set(words))))


@lru_cache(maxsize=4)
def _loaded() -> Engine:
    return load()


def score_batch(requests: Sequence[Request]) -> list[Score]:
    """Score with the shipped model, loaded once in each process; for executors."""
    return _loaded().score(requests)
