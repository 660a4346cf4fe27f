"""The model file: arrays in one compressed .npz, and the version they and the word lists make together."""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nlp.results import ScoreError

Arrays = Mapping[str, NDArray[np.generic]]
MODEL = "model.npz"
CUES = "cues.tsv"
CAUSES = "causes.tsv"
FORMAT = 2  # of the arrays: raised where code and older files no longer fit


def read_model(path: Path | None = None, shipped: str = MODEL) -> dict[str, NDArray[np.generic]]:
    """The arrays of a model file, a shipped one by default. Raises ScoreError."""
    source = resources.files("nlp") / "data" / shipped if path is None else path
    try:
        data = io.BytesIO(source.read_bytes())
        if not zipfile.is_zipfile(data):
            raise zipfile.BadZipFile("no .npz file")
        with np.load(data, allow_pickle=False) as arrays:
            held = {name: arrays[name] for name in sorted(arrays.files)}
    except (OSError, EOFError, ValueError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
        words = f"模型读不了，用 listener nlp train 训练一个 / the model {source} can't be read"
        raise ScoreError(f"{words} ({error}); make one with: listener nlp train") from error
    if int(held.get("format", np.ones(1))[0]) != FORMAT:
        raise ScoreError(
            f"the model {source} was made by another version of this program; make it again with: listener nlp train"
        )
    return held


def write_model(path: Path, arrays: Arrays) -> None:
    """Write a model; the same arrays make the same bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        for name in sorted(arrays):
            held = io.BytesIO()
            np.lib.format.write_array(held, np.ascontiguousarray(arrays[name]), allow_pickle=False)
            file.writestr(zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), held.getvalue(), zipfile.ZIP_DEFLATED, 9)


def read_list(name: str) -> str:
    """A word list of the package. Raises ScoreError."""
    try:
        return (resources.files("nlp") / "data" / name).read_text(encoding="utf-8")
    except OSError as error:
        raise ScoreError(f"the word list {name} can't be read ({error}); install the package again") from error


def version_of(arrays: Arrays, lists: Mapping[str, str], words: tuple[str, ...]) -> str:
    """What scored: twelve hexadecimal figures of everything that a score depends on."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(f"{name}{arrays[name].dtype}{arrays[name].shape}".encode() + np.ascontiguousarray(arrays[name]).tobytes())
    for name in sorted(lists):
        digest.update(f"{name}\0{lists[name]}\0".encode())
    digest.update("\0".join(sorted(words)).encode())
    return digest.hexdigest()[:12]
