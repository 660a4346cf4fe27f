"""Posts that the linear model is unsure of, read a second time: sentence embeddings and its log-odds → better log-odds.

Heads over the embedding of the post and of the clauses that name the target say how much rather "none", how much rather
favor, one for each kind of text, mixed by how much the post is of that kind; their log-odds and the linear model's are added up
with fixed weights. Names stand for nothing in what is embedded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlp.clauses import clauses_of
from nlp.embeddings import WIDTH, Embedder, Vectors
from nlp.heads import Column, sigmoid
from nlp.model import read_model
from nlp.text import NAME, PLACEHOLDERS, RIVAL, TARGET, Readings

SECOND = "second.npz"
LONGEST = 220  # characters of a post that are read again; what a post is about stands there
SURE, UNSURE = 0.9, 0.8  # a post whose likeliest stance has less than UNSURE is read again in full, from SURE on not at all
_WORDS = str.maketrans({TARGET: "某某", RIVAL: "别家", NAME: "别家"})
Arrays = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True, slots=True)
class Trust:
    """How far to believe the linear log-odds, how far those of the embedding; and what to add."""

    linear: float
    embedding: float
    shift: float = 0.0

    def of(self, linear: Column, embedding: Column) -> Column:
        """The log-odds of both.

        >>> Trust(0.5, 1.0, 0.25).of(np.array([2.0]), np.array([-1.0])).tolist()
        [0.25]
        """
        return self.linear * linear + self.embedding * embedding + self.shift


# Fitted on fold 1 (reviews, posts: folds 1 and 2) over linear log-odds that had not learnt from it; of single targets over a
# ten-fold cross-validation. A reading that a kind of text can't teach is left as it was.
_AS_IT_WAS = Trust(1.0, 0.0)
KINDS = ("review", "post", "news", "topic")  # what a head was taught by: reviews, posts of feelings, news, posts on a topic
NONE = (_AS_IT_WAS, _AS_IT_WAS, Trust(0.53, 0.42, 0.2), Trust(0.41, 0.75, 0.22))
SIDE = (Trust(0.89, 0.32), Trust(1.08, 0.35, 0.1), _AS_IT_WAS, Trust(0.2, 0.65, 0.03))
NONE_OF_ITS_OWN, SIDE_OF_ITS_OWN = Trust(0.62, 0.73, 0.56), Trust(0.65, 0.8, 0.05)


@dataclass(frozen=True, slots=True)
class Sentences:
    """Of one reading: the words that are not a rival's, and those of the clauses that name the target; "" where none do."""

    whole: str
    near: str


def sentences_of(body: str, *, rival_first: bool = False) -> Sentences:
    """What is embedded of a cleaned text. A name at either end says no more than a tag and is left out.

    >>> sentences_of("\\ue000油，\\ue001更油，不买\\ue001，\\ue000算了")
    Sentences(whole='油，某某算了', near='某某算了')
    """
    body = body.strip(PLACEHOLDERS + " ")
    parts = [body[part.start : part.end] for part in clauses_of(body, rival_first=rival_first) if part.owner != "rival"]
    whole, near = "".join(parts), "".join(part for part in parts if TARGET in part)
    return Sentences(whole.translate(_WORDS)[:LONGEST], near.translate(_WORDS)[:LONGEST])


def read_again(readings: Readings, at: Sequence[int]) -> list[Sentences]:
    """What is embedded of the texts at those places."""
    return [
        sentences_of(readings.bodies[i], rival_first=readings.tagged_rival[i] and not readings.tagged_target[i]) for i in at
    ]


def embedded(sentences: Sequence[Sentences], embedder: Embedder) -> Vectors:
    """Vector of the post, then of the clauses that name the target (the post again where none do); (texts, 2 × WIDTH)."""
    texts = sorted({text for one in sentences for text in (one.whole, one.near) if text})
    place = {text: index for index, text in enumerate(texts)}
    vectors = np.vstack([embedder.embed(texts), np.zeros((1, WIDTH), np.float32)])
    whole = vectors[[place.get(one.whole, len(texts)) for one in sentences]]
    near = vectors[[place.get(one.near or one.whole, len(texts)) for one in sentences]]
    return np.hstack([whole, near])


class Second:
    """The heads of a second reading, and what embeds. version: of both."""

    def __init__(self, arrays: Arrays, embedder: Embedder) -> None:
        self._embedder = embedder
        self._gate, self._none, self._side = (arrays[name].astype(np.float64) for name in ("gate", "none", "side"))
        self._keys = arrays["own_keys"].astype(np.uint64)
        self._own = arrays["own"].astype(np.float64)
        digest = hashlib.sha256(embedder.version.encode())
        for name in sorted(arrays):
            digest.update(name.encode() + np.ascontiguousarray(arrays[name]).tobytes())
        self.version = digest.hexdigest()[:12]

    def added(
        self, readings: Readings, keys: NDArray[np.uint64], none: Column, side: Column, doubt: Column
    ) -> tuple[Column, Column]:
        """What to add to the log-odds of none and of favor. keys: salts of targets with weights of their own, else 0;
        doubt: how far the second reading counts, 0 … 1; what counts nothing is not read."""
        more = np.zeros((2, len(doubt)))
        sentences = read_again(readings, range(len(doubt))) if doubt.any() else []
        at = np.array([i for i, one in enumerate(sentences) if doubt[i] > 0 and one.whole], np.intp)
        if len(at):
            vectors = embedded([sentences[i] for i in at], self._embedder).astype(np.float64)
            own = np.isin(keys[at], self._keys) & (keys[at] != 0)
            found = self._general(vectors, none[at], side[at])
            known = self._of_its_own(vectors, keys[at], none[at], side[at])
            for which, linear in enumerate((none, side)):
                more[which, at] = doubt[at] * (np.where(own, known[which], found[which]) - linear[at])
        return more[0], more[1]

    def _general(self, vectors: Column, none: Column, side: Column) -> tuple[Column, Column]:
        gates = [sigmoid(_logits(gate, vectors[:, :WIDTH])) for gate in self._gate]
        whole = np.sum(gates, axis=0)
        found = np.zeros((2, len(none)))
        for kind, gate in enumerate(gates):
            share = gate / whole
            found[0] += share * NONE[kind].of(none, _logits(self._none[kind], vectors))
            found[1] += share * SIDE[kind].of(side, _logits(self._side[kind], vectors))
        return found[0], found[1]

    def _of_its_own(self, vectors: Column, keys: NDArray[np.uint64], none: Column, side: Column) -> tuple[Column, Column]:
        if not len(self._keys):
            return none, side
        heads = self._own[np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)]
        said = [
            np.array([_logits(head, row[None, :WIDTH])[0] for head, row in zip(heads[:, k], vectors, strict=True)])
            for k in (0, 1)
        ]
        return NONE_OF_ITS_OWN.of(none, said[0]), SIDE_OF_ITS_OWN.of(side, said[1])


def _logits(head: Column, vectors: Column) -> Column:
    """Summed column by column within each row, so that a batch changes no bit. head: weights, then the bias."""
    result: Column = (vectors * head[:-1]).sum(axis=1) + head[-1]
    return result


def doubt_of(shares: NDArray[np.float64]) -> Column:
    """How far each text is to be read again, by the probability of its likeliest stance; shares: (texts, 3).

    >>> doubt_of(np.array([[0.5, 0.4, 0.1], [0.85, 0.1, 0.05], [0.97, 0.02, 0.01]])).round(2).tolist()
    [1.0, 0.5, 0.0]
    """
    result: Column = np.clip((SURE - shares.max(axis=1)) / (SURE - UNSURE), 0.0, 1.0)
    return result


def second_of(embedder: Embedder) -> Second:
    """The shipped heads over an embedder. Raises ScoreError."""
    return Second(read_model(shipped=SECOND), embedder)
