"""The door: texts and targets in, scores out, in batches; one text and many go the same way and get the same bytes."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import fields
from functools import lru_cache
from itertools import chain
from pathlib import Path

from nlp import cues, explain, features, fingerprint, model
from nlp.embeddings import Embedder
from nlp.embeddings import embedder as embedder_of_the_extra
from nlp.heads import to_ten_thousandths
from nlp.results import Explanation, Request, Score, ScoreError, Stance, Target
from nlp.scorer import Model
from nlp.second import Second, second_of
from nlp.segment import cut_all
from nlp.text import Readings, names_in, read
from nlp.triggers import Triggers
from nlp.wordgrams import words_of

__all__ = ["Engine", "ScoreError", "load", "score_batch"]

_AT_ONCE = 512  # texts in one pass; more would not be faster, and a long batch would take memory


class Engine:
    """A loaded model. ``version`` names everything that its scores depend on."""

    def __init__(
        self, arrays: model.Arrays, lists: dict[str, str], words: tuple[str, ...], second: Second | None = None
    ) -> None:
        self.version = model.version_of(arrays, lists if second is None else {**lists, "second": second.version}, words)
        self.model = Model(arrays, second)
        self.cues = cues.lexicon_of(lists[model.CUES].splitlines())
        self.causes = cues.lexicon_of(lists[model.CAUSES].splitlines())
        expressions = [pattern.source for pattern in (*self.cues, *self.causes)]
        self._triggers = Triggers([*expressions, *cues.CONSTRUCTIVE])
        self._words = words

    def score(self, requests: Sequence[Request], *, fast: bool = False) -> list[Score]:
        """A score for each request, in order. fast: tone alone, without stance, cues, words and fingerprint."""
        scores: list[Score | None] = [None] * len(requests)
        for indexes, readings in self._batches(requests, fast=fast):
            toward = requests[indexes[0]].target is not None
            targets = [target.name for index in indexes if (target := requests[index].target)] if toward else None
            made = self._fast_scores(readings) if fast else self._scores(readings, targets)
            for index, score in zip(indexes, made, strict=True):
                scores[index] = score
        return [score for score in scores if score is not None]

    def _batches(self, requests: Sequence[Request], *, fast: bool) -> Iterator[tuple[list[int], Readings]]:
        """The places of requests, and their texts as they are read, many at once. Those that share target and others are read
        with one set of names; from there on those of any target go together, since a batch changes no bit."""
        waiting: dict[bool, list[tuple[list[int], Readings]]] = {True: [], False: []}
        texts = {True: 0, False: 0}
        for (target, others), indexes in _groups(requests).items():
            kind = target is None and not fast
            for start in range(0, len(indexes), _AT_ONCE):
                part = indexes[start : start + _AT_ONCE]
                if waiting[kind] and texts[kind] + len(part) > _AT_ONCE:
                    yield _joined(waiting[kind])
                    waiting[kind], texts[kind] = [], 0
                waiting[kind].append((part, self.read([requests[index].text for index in part], target, others)))
                texts[kind] += len(part)
        yield from (_joined(held) for held in waiting.values() if held)

    def explain(self, request: Request) -> Explanation:
        """Why the score of one request is what it is: of its stance where it has a target, else of its tone."""
        found = self.reasons(request)
        return found[0] if found else Explanation(self.score([request])[0], "tone", 0.0, (), (), 0.0)

    def reasons(self, request: Request) -> tuple[Explanation, ...]:
        """All that the score of one request says, in weights: favor over against and none, where it has a target; positive
        over negative and neutral. Nothing where nothing was read."""
        readings, score = self.read([request.text], request.target, request.others), self.score([request])[0]
        if score.unscored:
            return ()
        batch = features.batch_of(readings)
        names = names_in(readings.bodies[0], request.text, request.target, request.others, self._words)
        text = explain.reading_of(self.model, batch, names)
        tone = explain.explain_tone(text, score)
        if request.target is None:
            return tone
        return (*explain.explain_stance(text, features.regions(batch), request.target.name, score), *tone)

    def read(self, texts: Sequence[str], target: Target | None, others: Sequence[Target]) -> Readings:
        """The texts as the engine reads them."""
        return read(texts, target, others, self._words)

    def _fast_scores(self, readings: Readings) -> list[Score]:
        columns = self.model.tone_columns(features.batch_of(readings), None)
        shares = to_ten_thousandths(self.model.tones(columns, fast=True))
        priors, version = self.model.priors, self.version
        scores = []
        for share, own_words, reason in zip(shares, readings.own_words, readings.unscored, strict=True):
            neg, neu, pos = priors if reason else share
            scores.append(Score(neg, neu, pos, round(pos - neg, 4), None, (), False, own_words, reason, 0, version))
        return scores

    def _scores(self, readings: Readings, targets: Sequence[str] | None) -> list[Score]:
        batch = features.batch_of(readings)
        words = words_of(batch.raw, cut_all(readings.bodies))
        weights = self.model.tone_weights(batch, words)
        tones = to_ten_thousandths(self.model.tones(self.model.tone_columns(batch, words, weights)))
        stances: list[Stance | None] = [None] * batch.size
        if targets is not None:
            found = self.model.stances(batch, features.regions(batch), targets, weights, words)
            stances = [Stance(*share) for share in to_ten_thousandths(found)]
        prints = fingerprint.fingerprints(readings.bodies)
        may = self._triggers.candidates(features.code_points(readings.bodies), batch.starts)
        rows = zip(readings.bodies, readings.own_words, readings.unscored, tones, stances, prints, may, strict=True)
        return [self._score(*row) for row in rows]

    def _score(
        self,
        body: str,
        own_words: bool,
        reason: str | None,
        tone: list[float],
        stance: Stance | None,
        content: int,
        may: list[int],
    ) -> Score:
        if reason:
            neg, neu, pos = self.model.priors
            nothing = None if stance is None else Stance(0.0, 0.0, 1.0)
            return Score(neg, neu, pos, round(pos - neg, 4), nothing, (), False, own_words, reason, content, self.version)
        neg, neu, pos = tone
        harm = neg if stance is None else max(neg, stance.against)
        first, last = len(self.cues), len(self.cues) + len(self.causes)
        parted, ended = bisect_left(may, first), bisect_left(may, last)
        found = cues.cues_of(body, self.cues, harm, may[:parted])
        causes = cues.causes_of(body, self.causes, harm, [place - first for place in may[parted:ended]])
        constructive = cues.is_constructive(body, harm, found, [place - last for place in may[ended:]])
        tone_of = round(pos - neg, 4)
        return Score(neg, neu, pos, tone_of, stance, found, constructive, own_words, None, content, self.version, causes)


def _groups(requests: Sequence[Request]) -> dict[tuple[Target | None, tuple[Target, ...]], list[int]]:
    """The places of the requests that share target and others: those are read with one set of names."""
    groups: dict[tuple[Target | None, tuple[Target, ...]], list[int]] = {}
    for index, request in enumerate(requests):
        groups.setdefault((request.target, request.others), []).append(index)
    return groups


def _joined(held: Sequence[tuple[list[int], Readings]]) -> tuple[list[int], Readings]:
    """What was read apart, as one."""
    places, readings = zip(*held, strict=True)
    if len(readings) == 1:
        return places[0], readings[0]
    names = [each.name for each in fields(Readings)]
    return list(chain.from_iterable(places)), Readings(
        **{name: list(chain.from_iterable(getattr(one, name) for one in readings)) for name in names}
    )


def load(path: Path | None = None, words: Sequence[str] = (), embedder: Embedder | None = None) -> Engine:
    """An engine. path: a model of one's own. words: the brands' names, neutralized in every text. embedder: what reads the
    posts again that the model is unsure of. Raises ScoreError."""
    lists = {name: model.read_list(name) for name in (model.CUES, model.CAUSES)}
    second = None if embedder is None else second_of(embedder)
    return Engine(model.read_model(path), lists, tuple(sorted(set(words))), second)


@lru_cache(maxsize=4)
def loaded(path: Path | None = None, embeddings: bool = False) -> Engine:
    """An engine, loaded once in each process. path: a model of one's own; embeddings: with the extra's second reading.

    Raises ScoreError.
    """
    return load(path, embedder=embedder_of_the_extra() if embeddings else None)


def score_batch(
    requests: Sequence[Request], *, fast: bool = False, model: Path | None = None, embeddings: bool = False
) -> list[Score]:
    """Score with the shipped model or with one's own, loaded once in each process; for executors. Raises ScoreError."""
    return loaded(model, embeddings).score(requests, fast=fast)
