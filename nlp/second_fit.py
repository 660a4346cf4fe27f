"""Labelled texts and an embedder → the heads of a second reading, which know nothing of the linear model beside them."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from nlp import fit
from nlp.corpora import CHECK, TEST, Corpus, Labelled, corpus_of, owner_review
from nlp.embeddings import WIDTH, Embedder, Vectors
from nlp.features import CLAIM, target_key
from nlp.model import FORMAT
from nlp.second import KINDS, embedded, read_again
from nlp.train_stance import adapted
from nlp.train_tone import Arrays

OF_TONE, OF_STANCE = 4000, 7000  # texts of one group that are embedded: more takes hours and says little more
NEWS = ("negfin",)  # groups of news, where a company that is named may not be the one that is hit
STRENGTH = 1.0  # inverse of the L2 penalty
SHIPPED_STEP = np.float16


def fit_second(rows: Sequence[Labelled], embedder: Embedder, say: Callable[[str], None] = lambda line: None) -> Arrays:
    """The arrays of the heads. rows: of tone and of stance, together. Folds TEST and CHECK teach nothing."""
    toward = [row for row in rows if row.target and not owner_review(row)]
    owns = set(adapted(toward))
    tone = _sampled([row for row in rows if not row.target and row.label != "neu"], OF_TONE)
    stance = _sampled([row for row in toward if len(row.target) < CLAIM or row.target in owns], OF_STANCE)
    own = np.array([row.target in owns for row in stance.rows], bool)
    say(f"embedding {len(tone.rows)} texts of tone and {len(stance.rows)} of stance")
    seen, toned = _vectors(stance, embedder), _vectors(tone, embedder)
    say("embedded")
    label, learn = np.array([row.label for row in stance.rows]), _learnt(stance)
    positive, tone_learn = np.array([row.label == "pos" for row in tone.rows]), _learnt(tone)
    kinds, tone_kinds = _kinds(stance), _kinds(tone)
    every, whose = np.vstack([seen[learn & ~own], toned[tone_learn]]), np.r_[kinds[learn & ~own], tone_kinds[tone_learn]]
    made: Arrays = {
        "format": np.array([FORMAT]),
        "gate": np.stack([_head(every[:, :WIDTH], whose == kind, _evenly(whose)) for kind in KINDS]),
    }
    none, side = [], []
    for kind in KINDS:
        here, toned_here = learn & ~own & (kinds == kind), tone_learn & (tone_kinds == kind)
        none.append(_head(seen[here], label[here] == "none"))
        lively = here & (label != "none")
        sided = np.r_[label[lively] == "favor", positive[toned_here]]
        side.append(_head(np.vstack([seen[lively], toned[toned_here]]), sided))
    made |= {"none": np.stack(none), "side": np.stack(side)}
    return {**made, **_of_single_targets(stance, seen, owns)}


def _of_single_targets(stance: Corpus, seen: Vectors, owns: set[str]) -> Arrays:
    """The heads of targets with many labelled posts: what is rather none, and what is rather favor, toward just them."""
    targets, label = np.array([row.target for row in stance.rows]), np.array([row.label for row in stance.rows])
    known = sorted((int(target_key(target)), target) for target in owns)
    heads = []
    for _, target in known:
        mine = _learnt(stance) & (targets == target)
        sided = mine & (label != "none")
        rather_none = _head(seen[mine][:, :WIDTH], label[mine] == "none")
        heads.append([rather_none, _head(seen[sided][:, :WIDTH], label[sided] == "favor")])
    own = np.array(heads, SHIPPED_STEP).reshape(len(known), 2, WIDTH + 1)
    return {"own_keys": np.array([key for key, _ in known], np.uint64), "own": own}


def _sampled(rows: Sequence[Labelled], most: int) -> Corpus:
    """A seeded sample of each group, cleaned."""
    by_group: dict[str, list[Labelled]] = defaultdict(list)
    for row in rows:
        by_group[row.group].append(row)
    rng = random.Random(7)  # noqa: S311 — a seeded draw, not a secret
    return corpus_of([row for _, held in sorted(by_group.items()) for row in rng.sample(held, min(most, len(held)))])


def _vectors(corpus: Corpus, embedder: Embedder) -> Vectors:
    return embedded(read_again(corpus.readings, range(len(corpus.rows))), embedder)


def _learnt(corpus: Corpus) -> NDArray[np.bool_]:
    return ~np.isin(corpus.folds, (TEST, CHECK))


def _kinds(corpus: Corpus) -> NDArray[np.str_]:
    """What kind of text each row is, by its group; of a group that nobody knows, by whether it has a target."""
    of_kind = {"review": "review", "owner": "review", "post": "post"}
    named = [
        "news" if row.group in NEWS else of_kind.get(row.kind or "", "topic" if row.target else "post") for row in corpus.rows
    ]
    return np.array(named, np.str_)


def _evenly(kinds: NDArray[np.str_]) -> NDArray[np.float64]:
    """Importance: every kind counts the same."""
    sizes = Counter(kinds.tolist())
    return np.array([len(kinds) / len(sizes) / sizes[kind] for kind in kinds.tolist()])


def _head(vectors: Vectors, yes: NDArray[np.bool_], importance: NDArray[np.float64] | None = None) -> NDArray[np.float16]:
    """Weights, then the bias, of a logistic regression over scaled columns."""
    if yes.all() or not yes.any():
        return np.zeros(vectors.shape[1] + 1, SHIPPED_STEP)  # of one kind of answer there is nothing to learn
    mean, spread = vectors.mean(0), (vectors.std(0) + 1e-6) * vectors.shape[1] ** 0.5
    found = fit.descend((vectors - mean) / spread, yes, importance, STRENGTH, 200)
    weights = found[:-1] / spread
    head: NDArray[np.float16] = np.r_[weights, found[-1] - mean @ weights].astype(SHIPPED_STEP)
    return head
