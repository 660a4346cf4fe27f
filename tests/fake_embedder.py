"""A tiny embedder for tests: which characters a text holds, spread over the dimensions by their code points."""

from collections.abc import Sequence

import numpy as np

from nlp.embeddings import WIDTH, Vectors


class FakeEmbedder:
    """version: "fake". read: the texts that it was given, in order."""

    def __init__(self, version: str = "fake") -> None:
        self.version = version
        self.read: list[str] = []

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.read += texts
        return np.array([vector_of(text) for text in texts], np.float32).reshape(-1, WIDTH)


def vector_of(text: str) -> Vectors:
    counts = np.bincount([ord(character) % WIDTH for character in text], minlength=WIDTH).astype(np.float32)
    found: Vectors = counts / np.float32(np.sqrt((counts**2).sum()))
    return found


def head_for(text: str, weight: float, *, twice: bool = False) -> np.ndarray:
    """A head that likes what shares its characters with the text; twice: over the post and over the clauses near the name."""
    one = vector_of(text) * np.float32(weight)
    return np.r_[one, one * 0 if twice else one[:0], 0.0].astype(np.float16)
