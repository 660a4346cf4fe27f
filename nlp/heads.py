"""A few named figures → log-odds: small linear heads, summed column by column, so that a batch changes no bit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float64]
Columns = Mapping[str, Column]


@dataclass(frozen=True, slots=True)
class Head:
    """names of the columns, the weight of each, and the bias."""

    names: tuple[str, ...]
    weights: tuple[float, ...]
    bias: float

    def logits(self, columns: Columns) -> Column:
        """Log-odds; shape (texts).

        >>> Head(("lean",), (2.0,), 0.5).logits({"lean": np.array([1.0, -1.0])}).tolist()
        [2.5, -1.5]
        """
        total = np.full(len(columns[self.names[0]]), self.bias)
        for name, weight in zip(self.names, self.weights, strict=True):
            total += weight * columns[name]
        return total


def head_of(table: NDArray[np.generic], names: tuple[str, ...]) -> Head:
    """A head as stored: its weights, then the bias."""
    values = [float(value) for value in table.astype(np.float64).tolist()]
    return Head(names, tuple(values[:-1]), values[-1])


def softmax(one: Column, other: Column) -> NDArray[np.float64]:
    """Probabilities of three classes, the first with logit 0; shape (texts, 3).

    >>> softmax(np.array([0.0]), np.array([0.0])).round(4).tolist()
    [[0.3333, 0.3333, 0.3333]]
    """
    top = np.maximum(np.maximum(one, other), 0.0)
    raised = np.exp(-top), np.exp(one - top), np.exp(other - top)
    total = raised[0] + raised[1] + raised[2]
    return np.stack([part / total for part in raised], axis=1)


def sigmoid(logits: Column) -> Column:
    """Probability of a log-odds, kept away from 0 and 1."""
    result: Column = 1.0 / (1.0 + np.exp(-np.clip(logits, -12.0, 12.0)))
    return result


def to_ten_thousandths(shares: NDArray[np.float64]) -> list[list[float]]:
    """Rounded to 1e-4 so that each row still sums to 1: the largest share takes the rest.

    >>> to_ten_thousandths(np.array([[1 / 3, 1 / 3, 1 / 3]]))
    [[0.3334, 0.3333, 0.3333]]
    """
    whole = np.rint(shares * 10_000).astype(np.int64)
    largest = shares.argmax(axis=1)
    whole[np.arange(len(whole)), largest] += 10_000 - whole.sum(axis=1)
    result: list[list[float]] = (whole / 10_000).tolist()
    return result
