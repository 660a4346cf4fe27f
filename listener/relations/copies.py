"""Fingerprints and texts of many authors → whose words others wrote too: near-identical posts, phrases of a script. Pure.

Near-identical: fingerprints that differ in three bits at most share one of four words of 16 bits, so that each post is only
compared with those that share one (Manku, Jain, Das Sarma 2007). A script leaves other words in its gaps and fails that test:
its long phrases are found as runs of eight letters that several other authors use, brand names and figures left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storage.roster_records import Author

BITS = 3  # of 64 that may differ, as for a KOC's own copies
BANDS = 4
RUN = 8  # letters of a phrase that hardly two people write alike by chance
FEW = 2  # other authors who write a phrase, before it is a script's
NEW = 4  # letters of what counts as something new
AT_ONCE = 1000  # posts that are compared in one step, so that a common word takes no more than some memory
LEAST = 8  # letters, below which a text says too little to be alike
_NOISE = re.compile(r"[^\u3400-\u9fffa-z]+")


def near_copies(
    own: Mapping[str, Sequence[tuple[int, int]]], rows: NDArray[np.int64], prints: NDArray[np.int64]
) -> dict[str, set[int]]:
    """Of each author the posts (rows) that somebody else posted nearly word by word.

    own: author → (row, fingerprint) of the posts. rows, prints: of every post, one length."""
    found: dict[str, set[int]] = {author: set() for author in own}
    mine = [(author, row, print_) for author, pairs in own.items() for row, print_ in pairs if print_]
    if not mine or not len(prints):
        return found
    every, asked = prints.view(np.uint64), np.array([print_ for _, _, print_ in mine], np.int64).view(np.uint64)
    whose = np.full(int(max(rows.max(), max(row for _, row, _ in mine))) + 1, -1, np.int32)  # row → author, -1 for all others
    authors = _numbers(own, mine)
    for author, pairs in enumerate(own.values()):
        whose[[row for row, _ in pairs]] = author
    for at, post in _alike(asked, every):
        others = whose[rows[post]] != authors[at]
        for hit in np.unique(at[others]):
            author, row, _ = mine[hit]
            found[author].add(row)
    return found


def _numbers(own: Mapping[str, object], mine: Sequence[tuple[str, int, int]]) -> NDArray[np.int32]:
    """The number of each post's author."""
    number = {author: n for n, author in enumerate(own)}
    return np.array([number[author] for author, _, _ in mine], np.int32)


def _alike(asked: NDArray[np.uint64], every: NDArray[np.uint64]) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Indexes of those asked for, and of all those that differ from them in few bits, part by part."""
    for band in range(BANDS):
        shift = np.uint64(16 * band)
        words = ((every >> shift) & np.uint64(0xFFFF)).astype(np.uint16)
        order = np.argsort(words, kind="stable")
        edges = np.searchsorted(words[order], np.arange(0x10001))
        own = ((asked >> shift) & np.uint64(0xFFFF)).astype(np.intp)
        for start in range(0, len(asked), AT_ONCE):
            word = own[start : start + AT_ONCE]
            counts = edges[word + 1] - edges[word]
            at = np.repeat(np.arange(start, start + len(word)), counts)
            within = np.arange(len(at)) - np.repeat(np.cumsum(counts) - counts, counts)
            post = order[np.repeat(edges[word], counts) + within]
            near = np.bitwise_count(every[post] ^ asked[at]) <= BITS
            yield at[near], post[near]


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
