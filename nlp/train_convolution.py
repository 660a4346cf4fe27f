"""Labelled texts → the convolution over words, and how far it is believed beside the tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from nlp import features, fit, segment, wordgrams
from nlp.convolution import Convolution, Tokens, tokens_of
from nlp.corpora import CHECK, Corpus, batches_of
from nlp.features import CLAIM
from nlp.fit_convolution import Texts, fit_convolution, vocabulary_of
from nlp.scorer import MIXED_NOT
from nlp.text import normal
from nlp.train_tone import Arrays, Bools, Say, importance_of

OF_TONE = 1.5  # how much a text without a target counts beside one that has one: with less, reviews are read worse
FREE = 1e6  # inverse of an L2 penalty that holds nothing back


def train_convolution(stance: Corpus, importance: NDArray[np.float64], tone: Corpus, say: Say = lambda line: None) -> Arrays:
    """The arrays of a convolution that learns from folds after `CHECK`: both answers of each row of the stance, but toward a
    claim, whose words it does not see; and the side of each text of tone that takes one, as said of a target unnamed.

    importance: of each row of the stance, 0 for one to be left out. No arrays where no word is common.
    """
    whole, counted = [], Counter[str]()
    for corpus, targeted in ((stance, True), (tone, False)):
        for part, batch, words in _batches(corpus):
            tokens = tokens_of(batch, features.regions(batch) if targeted else None, words)
            whole.append(tokens)
            learnt = np.repeat(np.array(part.folds) > CHECK, tokens.counts).tolist()
            spelled = _spelled(batch, words, tokens)
            counted.update(word for word, one in zip(spelled, learnt, strict=True) if one)
    vocabulary = vocabulary_of(list(counted), np.array(list(counted.values()), np.int64))
    if not vocabulary:
        return {}
    answers, weights = _asked(stance, importance, tone)
    say(f"convolution: {len(vocabulary)} words, {int(weights.any(axis=1).sum())} texts")
    return fit_convolution(vocabulary, _texts(whole, vocabulary), answers, weights, say)


def claims_in(corpus: Corpus) -> Bools:
    """The rows whose target is a claim."""
    spelled = {target: len(normal(target)) >= CLAIM for target in {row.target for row in corpus.rows}}
    return np.array([spelled[row.target] for row in corpus.rows], bool)


def log_odds_of(arrays: Arrays, corpus: Corpus) -> NDArray[np.float64]:
    """What the convolution says of each row, 0 toward a claim; shape (2, rows)."""
    convolution = Convolution(arrays)
    read = (tokens_of(batch, features.regions(batch), words) for _, batch, words in _batches(corpus))
    said = np.concatenate([convolution.log_odds(tokens) for tokens in read], axis=1)
    return np.asarray(np.where(claims_in(corpus), 0.0, said))


def mix(
    table: NDArray[np.float64],
    said: NDArray[np.float64],
    post: NDArray[np.float64],
    yes: Bools,
    weight: NDArray[np.float64],
    check: Bools,
) -> NDArray[np.float64]:
    """How far the log-odds of the tables and of the convolution are believed: the numbers that `nlp.scorer.mixed` takes.

    check: rows that neither has learnt from.
    """
    from scipy.sparse import csr_matrix  # type: ignore[import-untyped,unused-ignore]

    if not check.any() or yes[check].all() or not yes[check].any():
        return np.array(MIXED_NOT)
    columns = np.stack([table, table * post, said, said * post, post], 1)[check].astype(np.float32)
    *believed, in_posts, more = fit.descend(csr_matrix(columns), yes[check], weight[check], FREE, 300).tolist()
    return np.array([*believed, more, in_posts, 0.0])


def _batches(corpus: Corpus) -> Iterator[tuple[Corpus, features.Batch, wordgrams.Words]]:
    for part in batches_of(corpus):
        batch = features.batch_of(part.readings)
        yield part, batch, wordgrams.words_of(batch.raw, segment.cut_all(part.readings.bodies))


def _spelled(batch: features.Batch, words: wordgrams.Words, tokens: Tokens) -> list[str]:
    text = batch.raw.astype("<u4").tobytes().decode("utf-32-le")
    ends = np.r_[words.at[1:], len(text)]
    stops = ends[np.searchsorted(words.at, tokens.at)].tolist()
    return [text[at:stop] for at, stop in zip(tokens.at.tolist(), stops, strict=True)]


def _texts(parts: Sequence[Tokens], vocabulary: Sequence[str]) -> Texts:
    known = wordgrams.hash_of(vocabulary)
    order = np.argsort(known)
    hashes = np.concatenate([part.hashes for part in parts])
    at = np.minimum(np.searchsorted(known[order], hashes), len(known) - 1)
    words = np.where(known[order][at] == hashes, order[at] + 1, 0).astype(np.int32)
    return Texts(words, np.concatenate([part.said_of for part in parts]), np.concatenate([part.counts for part in parts]))


def _asked(stance: Corpus, importance: NDArray[np.float64], tone: Corpus) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """For the rows of the stance, then for those of tone: takes it none, is it in favor; and how much either counts."""
    labels = np.array([row.label for row in (*stance.rows, *tone.rows)])
    learn = np.array([*stance.folds, *tone.folds]) > CHECK
    of_stance = np.where(claims_in(stance), 0.0, importance / max(float(importance.mean()), 1e-9))
    toned = importance_of(tone)
    weights = np.r_[of_stance, OF_TONE * toned / max(float(toned.mean()), 1e-9)] * learn
    targeted = np.arange(len(labels)) < len(stance.rows)
    sided = ~np.isin(labels, ("none", "neu"))
    asked = np.stack([weights * targeted, weights * sided], 1)
    return np.stack([labels == "none", np.isin(labels, ("favor", "pos"))], 1).astype(np.float32), asked.astype(np.float32)
