"""A filter's state as 448 bytes: K KOCs' weights after n posts ↔ one small row each, and the rest of the posts run from there.

A row is a cache and nothing else. The filter computes in float32 and a row keeps float32, so that what was stored and run on
is what a replay from the first post gives, bit for bit. A row says what it was made from: the calibration, and a digest of
every number that the filter read of the first n posts (evidence, repetition, market). A late post, an edited calibration or a
mood that changed gives another digest, and the KOC is replayed.

    bytes   0 … 1   format (1)             4 … 7    n, posts so far
            2       latched as critic      8 … 23   digest of calibration and readings
            3       0                     24 … 447  weights: A 36, B 33, C 21, U 12, incident 4, little-endian float32
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass

import numpy as np

from listener.drift.readings import Readings
from listener.drift.turn_filter import NA, NB, NC, NU, State

FORMAT = 1
HEAD = struct.Struct("<HBBI16s")
ROWS = (3 * NA, NB, NC, NU, 4)
SIZE = HEAD.size + 4 * sum(ROWS)


@dataclass(frozen=True, slots=True)
class StoredState:
    """One KOC's state after ``n`` posts; digest: of what it was made from (`digest_of`); data: the row."""

    n: int
    digest: bytes
    data: bytes


def pack(state: State, k: int, n: int, digest: bytes) -> bytes:
    """The row of KOC k of a block, after n posts."""
    weights = np.concatenate([x[:, k] for x in (state.a, state.b, state.c, state.u, state.v)])
    return HEAD.pack(FORMAT, bool(state.critic[k]), 0, n, digest) + weights.astype("<f4").tobytes()


def unpack(data: bytes) -> StoredState | None:
    """What a row says of itself; None for a row of another format or length: replay."""
    if len(data) != SIZE:
        return None
    kind, _, _, n, digest = HEAD.unpack_from(data)
    return StoredState(n, digest, data) if kind == FORMAT else None


def state_of(stored: StoredState) -> State:
    """The state of a block of one KOC."""
    weights = np.frombuffer(stored.data, dtype="<f4", offset=HEAD.size).astype(np.float32).reshape(-1, 1)
    a, b, c, u, v = (part.copy() for part in np.split(weights, np.cumsum(ROWS)[:-1]))
    return State(a, b, c, u, v, np.array([HEAD.unpack_from(stored.data)[1] == 1]))


def digest_of(readings: Readings, k: int, n: int, calibration: str) -> bytes:
    """16 bytes that name the calibration and everything the filter reads of the first n posts of KOC k."""
    found = hashlib.sha256(calibration.encode())
    for values in (readings.evidence[:n, :, k], readings.repeat[:n, k], readings.per_year[:n, k]):
        found.update(np.ascontiguousarray(values).tobytes())
    for market in readings.market[:n]:
        found.update(b"-" if market is None or (market[:, k] == 1).all() else market[:, k].tobytes())
    return found.digest()[:16]


def rest_of(readings: Readings, n: int) -> Readings:
    """The readings of a block of one KOC from post n on."""
    return Readings(
        readings.active[n:],
        readings.evidence[n:],
        readings.repeat[n:],
        readings.market[n:],
        readings.per_year[n:],
        readings.stance[n:],
    )
