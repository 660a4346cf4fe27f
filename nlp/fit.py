"""Sparse logistic regression for training: L-BFGS over NB-scaled features (Wang & Manning 2012). Needs SciPy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def matrix(rows: NDArray[np.intp], buckets: NDArray[np.intp], roots: NDArray[np.float64], width: int) -> Any:
    """Counts of buckets over the root of the number of grams of each text, as CSR; shape (texts, width)."""
    from scipy.sparse import coo_matrix  # type: ignore[import-untyped,unused-ignore]

    values = (1.0 / roots)[rows].astype(np.float32)
    made = coo_matrix((values, (rows, buckets)), shape=(len(roots), width)).tocsr()
    made.sum_duplicates()
    return made


def counted(
    found: list[tuple[NDArray[np.intp], NDArray[np.intp]]], whose: NDArray[np.intp], scale: NDArray[np.float64], bits: int
) -> Any:
    """Counts of buckets as CSR. found: buckets and the characters they start at; whose: the text of each character; scale: what
    a bucket counts in each text; bits: of a bucket.
    """
    rows = np.concatenate([whose[at] for _, at in found] or [np.zeros(0, np.intp)])
    return matrix(rows, np.concatenate([b for b, _ in found] or [np.zeros(0, np.intp)]), 1.0 / scale, 1 << bits)


def nb_scale(held: Any, positive: NDArray[np.bool_]) -> Floats:
    """Root of each column's |log count ratio| between the classes: what tells them apart is penalized less."""
    present = held.copy()
    present.data[:] = 1
    plus = np.asarray(present[positive].sum(0)).ravel() + 1.0
    minus = np.asarray(present[~positive].sum(0)).ravel() + 1.0
    scale: Floats = np.sqrt(np.abs(np.log(plus / plus.sum()) - np.log(minus / minus.sum()))).astype(np.float32)
    return scale


def rarity(held: Any) -> Floats:
    """Log of how rare each column is: in few texts what is rare says most."""
    texts, held_by = held.shape[0], np.bincount(held.indices, minlength=held.shape[1])
    scale: Floats = (np.log((1.0 + texts) / (1.0 + held_by)) + 1.0).astype(np.float32)
    return scale


def fit(
    held: Any,
    positive: NDArray[np.bool_],
    importance: NDArray[np.float64] | None = None,
    dense: Floats | None = None,
    *,
    strength: float = 5.0,
    steps: int = 45,
    at_least: int = 3,
    voided: int = 0,
    start: Floats | None = None,
    by_rarity: bool = False,
) -> tuple[Floats, Floats, float]:
    """Weights of each column, of each dense column, and the bias. strength: inverse of the L2 penalty.

    Columns that fewer than at_least rows hold weigh nothing, nor do the columns 0 and voided: they stand for no gram.
    start: weights of each column to start from. by_rarity: what is rare is penalized less, not what tells classes apart.
    """
    from scipy.sparse import csr_matrix, diags, hstack  # type: ignore[import-untyped,unused-ignore]

    kept = np.flatnonzero(np.bincount(held.indices, minlength=held.shape[1]) >= at_least)
    kept = kept[(kept > 0) & (kept != voided)]
    inner = held[:, kept]
    scale = rarity(inner) if by_rarity else nb_scale(inner, positive)
    inner = inner @ diags(scale)
    if dense is not None:
        inner = hstack([inner, csr_matrix(dense)])
    first = np.zeros(inner.shape[1] + 1)
    if start is not None:
        first[: len(kept)] = np.divide(start[kept], scale, out=np.zeros(len(kept), np.float32), where=scale > 1e-3)
    found = descend(inner.tocsr(), positive, importance, strength, steps, first)
    weights = np.zeros(held.shape[1], np.float32)
    weights[kept] = found[: len(kept)] * scale
    return weights, found[len(kept) : -1].astype(np.float32), float(found[-1])


def descend(
    held: Any,
    positive: NDArray[np.bool_],
    importance: NDArray[np.float64] | None,
    strength: float,
    steps: int,
    first: NDArray[np.float64] | None = None,
) -> Any:
    """The weights that minimize the penalized log loss, and the bias last. first: where to start, 0 by default."""
    from scipy.optimize import minimize  # type: ignore[import-untyped,unused-ignore]

    sign = np.where(positive, 1.0, -1.0)
    weight = np.ones(len(sign)) if importance is None else importance
    width, turned = held.shape[1], held.T

    def loss(at: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margin = -sign * (held @ at[:-1].astype(np.float32) + at[-1])
        slope = -(sign * weight) / (1 + np.exp(-margin))
        gradient = np.empty(width + 1)
        gradient[:-1] = turned @ slope.astype(np.float32) + at[:-1] / strength
        gradient[-1] = slope.sum()
        return float((np.logaddexp(0, margin) * weight).sum() + 0.5 * (at[:-1] @ at[:-1]) / strength), gradient

    start = np.zeros(width + 1) if first is None else first
    return minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": steps, "maxcor": 6}).x


def fit_softmax(
    columns: NDArray[np.float64],
    labels: NDArray[np.intp],
    importance: NDArray[np.float64],
    closed: NDArray[np.bool_] | None = None,
) -> NDArray[np.float32]:
    """Multinomial head over few columns, class 0 with logit 0: shape (2, columns + 1), bias last.

    closed: rows that could not have been of class 1 (their corpus has no such label) and say nothing of how likely it is.
    """
    from scipy.optimize import minimize  # type: ignore[import-untyped,unused-ignore]

    inputs = np.hstack([columns, np.ones((len(columns), 1))])
    hot = np.eye(3)[labels]

    def loss(at: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logits = np.hstack([np.zeros((len(inputs), 1)), inputs @ at.reshape(2, -1).T])
        if closed is not None:
            logits[closed, 1] = -1e9
        logits -= logits.max(axis=1, keepdims=True)
        shares = np.exp(logits)
        shares /= shares.sum(axis=1, keepdims=True)
        slope = ((shares - hot) * importance[:, None])[:, 1:]
        cost = -(importance * np.log((shares * hot).sum(axis=1) + 1e-12)).sum() + 0.5e-2 * (at @ at)
        return float(cost), (slope.T @ inputs).ravel() + 1e-2 * at

    found = minimize(loss, np.zeros(2 * inputs.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    head: NDArray[np.float32] = found.reshape(2, -1).astype(np.float32)
    return head


def fit_platt(logits: NDArray[np.float64], positive: NDArray[np.bool_], importance: NDArray[np.float64]) -> tuple[float, float]:
    """Slope and shift that calibrate log-odds (Platt 1999)."""
    from scipy.sparse import csr_matrix  # type: ignore[import-untyped,unused-ignore]

    slope, shift = descend(csr_matrix(logits[:, None].astype(np.float32)), positive, importance, 1e6, 100)
    return float(slope), float(shift)
