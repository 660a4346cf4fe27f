"""Fingerprints and texts of many authors → whose words others wrote too: near-identical posts, phrases of a script. Pure.

Near-identical: fingerprints that differ in three bits at most share one of four words of 16 bits, so that each post is only
compared with those that share one (Manku, Jain, Das Sarma 2007). A script leaves other words in its gaps and fails that test:
its long phrases are found as runs of eight letters that several other authors use, brand names and figures left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storage.roster_records import Author

BITS = 3  # of 64 that may differ, as for a KOC's own copies
BANDS = 4
RUN = 8  # letters of a phrase that hardly two people write alike by chance
FEW = 2  # other authors who write a phrase, before it is a script's
NEW = 4  # letters of what counts as something new
LEAST = 8  # letters, below which a text says too little to be alike
_NOISE = re.compile(r"[^\u3400-\u9fffa-z]+")


def near_copies(
    own: Mapping[str, Sequence[tuple[int, int]]], rows: NDArray[np.int64], prints: NDArray[np.int64]
) -> dict[str, set[int]]:
    """Of each author the posts (rows) that somebody else posted nearly word by word.

    own: author → (row, fingerprint) of the posts. rows, prints: of every post, one length."""
    mine = [(author, row, print_) for author, pairs in own.items() for row, print_ in pairs if print_]
    found: dict[str, set[int]] = {author: set() for author in own}
    if not mine or not len(prints):
        return found
    asked = np.array([print_ for _, _, print_ in mine], np.int64).view(np.uint64)
    every = prints.view(np.uint64)
    of_author = {author: np.array(sorted(row for row, _ in pairs), np.int64) for author, pairs in own.items()}
    for band in range(BANDS):
        shift = np.uint64(16 * band)
        words = ((every >> shift) & np.uint64(0xFFFF)).astype(np.uint16)
        order = np.argsort(words, kind="stable")
        edges = np.searchsorted(words[order], np.arange(0x10001))
        for (author, row, _), print_ in zip(mine, asked, strict=True):
            if row in found[author]:
                continue
            word = int((print_ >> shift) & np.uint64(0xFFFF))
            at = order[edges[word] : edges[word + 1]]
            alike = at[np.bitwise_count(every[at] ^ print_) <= BITS]
            if len(alike) and not np.isin(rows[alike], of_author[author]).all():
                found[author].add(row)
    return found


def letters_of(text: str, names: Sequence[str]) -> str:
    """A text with nothing left but letters and characters, the names taken out.

    >>> letters_of("#星澜# 泡沫 2 分钟就 OK！", ["星澜"])
    '泡沫分钟就ok'
    """
    folded = text.lower()
    for name in names:
        folded = folded.replace(name.lower(), " ")
    return _NOISE.sub("", folded)


def runs_of(letters: str, length: int) -> set[str]:
    """Every run of so many letters.

    >>> sorted(runs_of("abcd", 3))
    ['abc', 'bcd']
    """
    return {letters[i : i + length] for i in range(len(letters) - length + 1)}


@dataclass(frozen=True, slots=True)
class Script:
    """How much of an author's words others write too, 0…1. letters: of all that is written; posts: of the posts, those that
    hold such a phrase."""

    letters: float
    posts: float


def scripts_of(texts: Mapping[str, Sequence[str]]) -> dict[str, Script]:
    """How much of what each author writes are phrases that several others write too. texts: author → letters (`letters_of`)."""
    writers: dict[str, int] = {}
    for every in texts.values():
        for run in set().union(*(runs_of(text, RUN) for text in every)):
            writers[run] = writers.get(run, 0) + 1
    found = {}
    for author, every in texts.items():
        shared = [[writers[run] > FEW for run in runs_of(text, RUN)] for text in every]
        runs = sum(map(len, shared))
        found[author] = Script(sum(map(sum, shared)) / runs if runs else 0.0, sum(map(any, shared)) / max(1, len(shared)))
    return found


def novelties(authors: Iterable[Author], texts: Mapping[int, str]) -> dict[str, float]:
    """How much of what each author writes nobody of them has written before, 0…1, in order of time. texts: row → letters."""
    every = [(said.posted_at, said.row, one.author_key) for one in authors for said in one.posts if said.row in texts]
    known: set[str] = set()
    new, total = dict[str, int](), dict[str, int]()
    for _, row, author in sorted(every):
        runs = runs_of(texts[row], NEW)
        new[author] = new.get(author, 0) + len(runs - known)
        total[author] = total.get(author, 0) + len(runs)
        known |= runs
    return {author: new[author] / count if count else 0.0 for author, count in total.items()}
