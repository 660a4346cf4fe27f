"""A batch of cleaned texts → the few figures that the heads read: sums of gram weights over the text and its regions.

Weights are whole numbers (fixed point), so a sum is exact and the same whatever the batch or the machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlp import grams
from nlp.bayes import Bayes
from nlp.stance import Regions, overlaps, regions_of
from nlp.text import RIVAL, TARGET, Readings, normal

BITS = 21  # of a gram's bucket in the tone table; the other tables are half as long
UNIT = 1024.0  # fixed point: a weight of 1.0
NEAR = np.uint64(0x9D39247E33776D41)  # salt of a gram that stands in a clause naming the target
OWN_LONGEST = 3  # characters in a gram of a single target
SHORT = 90  # grams, some 25 characters
CLAIM = 10  # characters from which a target is a claim, not a name

Columns = dict[str, NDArray[np.float64]]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Batch:
    """Cleaned texts as arrays. raw: code points; codes: folded ones; starts: of each text, and the end; chains: see grams."""

    readings: Readings
    raw: NDArray[np.uint32]
    codes: NDArray[np.uint32]
    starts: Ints
    chains: list[NDArray[np.uint64]]

    @property
    def size(self) -> int:
        return len(self.readings.bodies)

    def sums(self, values: NDArray[np.generic]) -> NDArray[np.float64]:
        """The sum over the characters of each text; shape (texts)."""
        return np.add.reduceat(values, self.starts[:-1], dtype=values.dtype).astype(np.float64)


def batch_of(readings: Readings) -> Batch:
    """The arrays of a batch of at least one text."""
    raw = np.frombuffer("\0".join((*readings.bodies, "")).encode("utf-32-le"), np.uint32)
    codes, starts = grams.codes_of(readings.bodies)
    return Batch(readings, raw, codes, starts, grams.chains(codes))


def bucket(hashes: NDArray[np.uint64], bits: int = BITS) -> NDArray[np.intp]:
    """The bucket of each gram; 0 is the bucket of none and weighs nothing."""
    return (grams.mixed(hashes) >> np.uint64(64 - bits)).astype(np.intp)


def tone_buckets(batch: Batch) -> list[NDArray[np.intp]]:
    """For each length 1–4 the bucket of the gram that starts at each character."""
    return [bucket(chain) for chain in batch.chains]


def weights_at(table: NDArray[np.integer], buckets: list[NDArray[np.intp]], shift: int = 0) -> Ints:
    """The summed weights of the grams that start at each character, in fixed point."""
    total = np.zeros(len(buckets[0]), np.int64)
    for one in buckets:
        total += table[one >> shift if shift else one]
    return total


def grams_at(batch: Batch) -> Ints:
    """How many grams start at each character."""
    total: Ints = np.sum([chain != 0 for chain in batch.chains], axis=0, dtype=np.int64)
    return total


def tone_columns(batch: Batch, tone: Ints, neutral: Ints, counts: Ints) -> Columns:
    """What the tone head reads but for Bayes. tone, neutral: weights at each character."""
    n = np.maximum(batch.sums(counts), 1.0)
    root = np.sqrt(n) * UNIT
    lean = batch.sums(tone) / root
    return {
        "lean": lean,
        "flat": batch.sums(neutral) / root,
        "strength": np.abs(lean),
        "length": np.log(n) / 5,
        "asks": np.minimum(batch.sums((batch.codes == 0x3F).astype(np.int64)), 1.0),
    }


def bayes_column(
    words: Sequence[Sequence[str]], voice: Bayes, batch: Batch | None = None, rival: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """Log-odds of the retrained Bayes over the root of the number of words; with batch and rival: of words not a rival's."""
    get, unknown, prior = voice.log_odds.get, voice.unknown, voice.prior
    said = words
    if batch is not None and rival is not None and rival.any():
        marked = np.logical_or.reduceat(rival, batch.starts[:-1])
        said = [_own(row, rival, int(batch.starts[i])) if marked[i] else row for i, row in enumerate(words)]
    return np.array([(prior + sum([get(word, unknown) for word in row])) / (len(row) + 1) ** 0.5 for row in said])


def _own(words: Sequence[str], rival: NDArray[np.bool_], start: int) -> list[str]:
    kept = []
    for word in words:
        if not rival[start]:
            kept.append(word)
        start += len(word)
    return kept


def target_key(target: str) -> np.uint64:
    """What the grams of a target with weights of its own are salted with."""
    digest = hashlib.blake2b(normal(target).replace(" ", "").encode(), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "little") | 1)


Found = tuple[NDArray[np.intp], NDArray[np.intp]]


def stance_grams(batch: Batch, regions: Regions) -> Iterator[Found]:
    """Buckets of the grams that speak of stance, and the character each starts at.

    All grams but a rival's; those near the target once more; those with a name within.
    """
    codes = batch.codes.copy()
    codes[batch.raw == ord(TARGET)] = 1
    codes[batch.raw == ord(RIVAL)] = 2
    named = grams.chains(codes) if (codes != batch.codes).any() else batch.chains
    for chain, with_names in zip(batch.chains, named, strict=True):
        real = chain != 0
        at = np.flatnonzero(real & ~regions.rival)
        yield bucket(chain[at], BITS - 1), at
        at = np.flatnonzero(real & regions.near)
        yield bucket(chain[at] ^ NEAR, BITS - 1), at
        at = np.flatnonzero(~real & (with_names != 0))
        yield bucket(with_names[at], BITS - 1), at


def target_grams(batch: Batch, keys: NDArray[np.uint64]) -> Iterator[Found]:
    """Buckets of the grams of texts whose target has weights of its own, salted with it; keys: 0 where not; shape (texts)."""
    if keys.any():
        key_at = np.repeat(keys, np.diff(batch.starts))
        first = batch.starts[:-1][keys != 0]
        yield bucket(keys[keys != 0], BITS - 1), first.astype(np.intp)
        for chain in batch.chains[:OWN_LONGEST]:
            at = np.flatnonzero((chain != 0) & (key_at != 0))
            yield bucket(chain[at] ^ key_at[at], BITS - 1), at


def stance_columns(
    batch: Batch,
    regions: Regions,
    tone: Ints,
    neutral: Ints,
    counts: Ints,
    targets: Sequence[str],
    leaning_of: Mapping[str, float],
) -> Columns:
    """What the stance heads read besides their grams. leaning_of: the tone of a target's own words."""
    columns: Columns = {}
    n = np.maximum(batch.sums(counts), 1.0)
    zeros = np.zeros(len(batch.raw), np.int64)
    for region, mask in (("own", ~regions.rival), ("rival", regions.rival), ("near", regions.near), ("last", regions.last)):
        held = batch.sums(np.where(mask, counts, zeros))
        root = np.sqrt(np.maximum(held, 1.0)) * UNIT
        columns[f"lean_{region}"] = batch.sums(np.where(mask, tone, zeros)) / root
        columns[f"flat_{region}"] = batch.sums(np.where(mask, neutral, zeros)) / root
        columns[f"share_{region}"] = held / n
        if region == "own":
            columns["length_own"] = np.log(np.maximum(held, 1.0)) / 5
    lean = batch.sums(tone) / (np.sqrt(n) * UNIT)
    named = np.minimum(regions.named, 1).astype(np.float64)
    words = [normal(target) for target in targets]
    claim = np.array([float(len(word) >= CLAIM) for word in words])
    # A name must move nothing, whether it stands in the text, in a tag or nowhere: only a claim's own words count.
    found = overlaps(batch.readings.bodies, words)
    overlap = np.where((named > 0) | ((claim == 0) & (found == 0)), 1.0, found)
    leaning = np.array([leaning_of[word] for word in words]) * (1 - named) * claim
    place = np.array([body.find(TARGET) / max(len(body), 1) if TARGET in body else 0.0 for body in batch.readings.bodies])
    columns |= {
        "lean": lean,
        "flat": batch.sums(neutral) / (np.sqrt(n) * UNIT),
        "named": named,
        "names": np.minimum(regions.named, 4) / 2.0,
        "tagged": np.array(batch.readings.tagged_target, np.float64),
        "tagged_rival": np.array(batch.readings.tagged_rival, np.float64),
        "length": np.log(n) / 5,
        "clauses": np.log(regions.clauses + 1.0) / 3,
        "asks": np.minimum(batch.sums((batch.codes == 0x3F).astype(np.int64)), 1.0),
        "overlap": overlap,
        "target_length": np.log([len(word) + 1.0 for word in words]) / 3 * claim,
        "claim": claim,
        "place": place,
        "leaning": leaning,
        "agrees": leaning * lean,
        "agrees_overlap": leaning * lean * overlap,
        "lean_claim": columns["lean_own"] * claim,
        "lean_short": columns["lean_own"] * (n < SHORT),
        "overlap_claim": overlap * claim,
        "strength": np.abs(columns["lean_own"]),
    }
    return columns


def regions(batch: Batch) -> Regions:
    """Whose words stand where; see stance."""
    return regions_of(batch.readings, batch.raw, batch.starts)
