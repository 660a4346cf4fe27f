"""The turn filter: readings of many KOCs → evidence at every post that an advocate has turned critic.

The idea in two sentences. A forward filter weighs sentiment profiles g (how often an author is against, silent, in favor;
`listener.drift.profiles`), with one "turned" branch started at every post; the branch has to beat three innocent rivals:
A still an advocate, who may follow the whole market's mood; B never was one; C has only cooled.

Equations, for one KOC and one post (prior weights a₀, b₀, c₀, κ; Σ over the profiles of a branch):

    likelihood   f_g = (1−ω)·[(1−ρ)·⟨ĝ,q⟩ + ρ·⟨ĝ,v·q⟩/⟨ĝ,v⟩] + ω,     ĝ = g·m^ℓ / ⟨g,m^ℓ⟩
                 q: see `readings.evidence_of_classes`; m = market factor, loading ℓ = 0, 1, 2 for A, else 1;
                 ω bounds what one post can say
    incident     v ← q·[(1−ρ) + ρ·v/⟨prior,v⟩], normalized: what is known of the stance that a repeat would repeat
    rivals       A ← (1−cool)·[(1−blur)·A + blur·ΣA·a₀] + (rewarm·ΣC + convert·ΣB)·a₀
                 B ← (1−convert)·B,   C ← (1−rewarm)·C + cool·ΣA·c₀,   then each × f
    turned       U ← (U + κ·(ΣA + cooled_source·ΣC))·f                          (Shiryaev–Roberts mixture)
                 nothing flows in at a KOC's first `before_turn` posts: an advocate has to be one before turning
    evidence     E_X = ln ΣU − ln ΣX for X = A, B, C;   E = min(E_A, E_B + never_less, E_C + cooled_less)
    amber, red   E ≥ their bars; at red the KOC is latched as critic, and the mirror runs:
    recovery     U ← ((1−relapse)·U + relapse·ΣU·κ)·f,   A ← (A + a₀·ΣU)·f,   recovered at ln ΣA − ln ΣU ≥ recover_bar,
                 which arms the filter again with A as it now is

With ω = .03 one post adds at most about 3.3 nats, whatever its cues, so that one post never raises an amber or a red.

Numbers: state is 106 weights a KOC, float32 (426 bytes with latch and count); all updates are made in float32, with +, −, ×,
÷ of whole arrays and sums in one fixed order, none of them BLAS and none depending on how many KOCs go side by side: the
same KOC gives the same bytes alone or among a million. Evidence is rounded to 1e-6 before it is compared or returned.

Papers: Shiryaev (1963), Roberts (1966); Pollak (1985) on the mixture; Lorden (1971), Moustakides (1986) on the limit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from listener.drift.moods import Floats
from listener.drift.profiles import ADVOCATE, COOLED, CRITIC, MILD_ADVOCATE, NEVER, Profile
from listener.drift.readings import Readings, Weights
from listener.drift.rules import Parameters

Flags = NDArray[np.bool_]

NA, NB, NC, NU = len(ADVOCATE), len(NEVER), len(COOLED), len(CRITIC)
LEAST, MOST = np.float32(1e-30), np.float32(1e30)  # keep float32 off zero, denormals and infinity: ±69 nats of evidence
MOST_POSTS = 255
NOTHING = -99.0  # evidence where there is none to speak of: before any post, or while latched


@dataclass(slots=True)
class State:
    """The filter after some posts, for K KOCs (columns). a: (36, K) advocate profiles, loading by loading; b: (33, K);
    c: (21, K); u: (12, K); v: (4, K) incident; critic: (K,) latched; posts: (K,) read so far, counted to 255."""

    a: Weights
    b: Weights
    c: Weights
    u: Weights
    v: Weights
    critic: Flags
    posts: NDArray[np.uint8]

    @property
    def bytes_per_koc(self) -> int:
        return 4 * sum(len(x) for x in (self.a, self.b, self.c, self.u, self.v)) + 2


@dataclass(frozen=True, slots=True)
class Trace:
    """What the filter says at every post, (T, K) unless told; −99 nats where it says nothing.

    advocate, never, cooled: evidence of a turn against each rival, nats; strength: their E; bar: what red needs.
    odds: ln ΣU − ln(ΣA + ΣB + ΣC). loyal: share of A among the rivals. fired: red raised here. critic: latched after this
    post. recovered: armed again here; back: evidence of recovery. source: what a turn starting at
    the post starts from. scale: what the weights were divided by after it. turned: (T, 12, K) likelihood f of the critic
    profiles. gain: ln of the post's predictive likelihood, turned against advocate: its share of the evidence.
    """

    advocate: Floats
    never: Floats
    cooled: Floats
    strength: Floats
    bar: Floats
    odds: Floats
    loyal: Floats
    fired: Flags
    critic: Flags
    recovered: Flags
    back: Floats
    source: Weights
    scale: Weights
    turned: Weights
    gain: Floats


class TurnFilter:
    """The filter with its numbers laid out as arrays."""

    def __init__(self, p: Parameters) -> None:
        self.p = p
        self._g = np.array(ADVOCATE + NEVER, dtype=np.float32).reshape(-1, 4, 1)
        weights = np.array(p.loadings)[:, None] * np.array(p.advocate)[None, :]
        self._a0 = _column(weights.reshape(-1))
        self._b0, self._c0, self._k0 = _column(p.never), _column(p.cooled), _column(p.critic)
        prior = np.array([*p.class_prior, MILD_ADVOCATE])
        self._prior = _column(prior / math.fsum(prior.tolist()))

    def start(self, kocs: int) -> State:
        """The state before the first post."""
        share = np.float32(self.p.never_share)
        ones = np.ones((1, kocs), dtype=np.float32)
        return State(
            a=self._a0 * (1 - share) * ones,
            b=self._b0 * share * ones,
            c=np.zeros((NC, kocs), dtype=np.float32),
            u=np.zeros((NU, kocs), dtype=np.float32),
            v=np.ones((4, kocs), dtype=np.float32),
            critic=np.zeros(kocs, dtype=np.bool_),
            posts=np.zeros(kocs, dtype=np.uint8),
        )

    def run(self, readings: Readings, bar: Floats, state: State | None = None) -> tuple[State, Trace]:
        """Filter a block of KOCs. bar: (T, K) evidence that red needs against "still an advocate", nats."""
        length, kocs = bar.shape
        state = state or self.start(kocs)
        trace = _blank(length, kocs, bar)
        for t, k in enumerate(readings.active):
            self._step(state, readings, trace, t, k)
        return state, trace

    def profile_log_likelihoods(self, readings: Readings, kocs: int, profiles: Sequence[Profile] = ADVOCATE + NEVER) -> Floats:
        """(P, K) ln Π f_g over the posts of each KOC, under the profiles and a loading of 1: what weights are fitted to."""
        total = np.zeros((len(profiles), kocs))
        g, doubt = np.array(profiles, dtype=np.float32).reshape(-1, 4, 1), np.float32(self.p.doubt)
        v = np.ones((4, kocs), dtype=np.float32)
        for t, k in enumerate(readings.active):
            m = readings.market[t]
            once = None if m is None else m[:, :k]
            f = _likelihood(g, once, readings.evidence[t, :, :k], v[:, :k], readings.repeat[t, :k], doubt)
            total[:, :k] += np.log(f.astype(np.float64))
            v[:, :k] = self._incident(v[:, :k], readings, t, k)
        return total

    def _step(self, state: State, r: Readings, trace: Trace, t: int, k: int) -> None:
        """One post of each of the first k KOCs."""
        f_a, f_rest = self._likelihoods(r, state.v[:, :k], t, k)
        a, b, c, u, source = self._moved(state, k)
        f_u = f_rest[NC:]
        before_u, before_a = _total(u), _total(a)
        a, b, c, u = a * f_a, b * f_rest, c * f_rest[:NC], u * f_u
        sum_a, sum_b, sum_c, sum_u = _total(a), _total(b), _total(c), _total(u)
        critic = state.critic[:k]
        scale = np.where(critic, sum_u, sum_a + sum_b + sum_c)
        trace.source[t, :k], trace.scale[t, :k], trace.turned[t, :, :k] = source, scale, f_u
        trace.gain[t, :k] = _log_ratio(sum_u * before_a, sum_a * before_u)
        self._tell(trace, critic, (sum_a, sum_b, sum_c, sum_u), t, k)
        state.a[:, :k], state.b[:, :k] = _scaled(a, scale), _scaled(b, scale)
        state.c[:, :k], state.u[:, :k] = _scaled(c, scale), _scaled(u, scale)
        state.v[:, :k] = self._incident(state.v[:, :k], r, t, k)
        state.posts[:k] += state.posts[:k] < MOST_POSTS
        self._latch(state, trace, t, k)

    def _likelihoods(self, r: Readings, v: Weights, t: int, k: int) -> tuple[Weights, Weights]:
        """f of the advocate profiles under each loading (36, k), and of the other profiles (33, k) under a loading of 1."""
        q, rho, doubt, m = r.evidence[t, :, :k], r.repeat[t, :k], np.float32(self.p.doubt), r.market[t]
        if m is None:
            f = _likelihood(self._g, None, q, v, rho, doubt)
            return np.concatenate([f[:NA], f[:NA], f[:NA]]), f[NA:]
        once = m[:, :k]
        f = _likelihood(self._g, once, q, v, rho, doubt)
        calm = _likelihood(self._g[:NA], None, q, v, rho, doubt)
        twice = _likelihood(self._g[:NA], once * once, q, v, rho, doubt)
        return np.concatenate([calm, f[:NA], twice]), f[NA:]

    def _moved(self, state: State, k: int) -> tuple[Weights, Weights, Weights, Weights, Weights]:
        """The weights as they stand before the post's likelihood: hazards, new branches; the mirror for latched critics."""
        p = self.p
        a, b, c, u = state.a[:, :k], state.b[:, :k], state.c[:, :k], state.u[:, :k]
        sum_a, sum_b, sum_c, sum_u = _total(a), _total(b), _total(c), _total(u)
        inflow = (
            np.float32((1 - p.cool) * p.blur) * sum_a + np.float32(p.rewarm) * sum_c + np.float32(p.convert) * sum_b
        ) * self._a0
        source = (sum_a + np.float32(p.cooled_source) * sum_c) * (state.posts[:k] >= p.before_turn)
        moved_a = np.float32((1 - p.cool) * (1 - p.blur)) * a + inflow
        moved_c = np.float32(1 - p.rewarm) * c + np.float32(p.cool) * sum_a * self._c0
        moved_b = np.float32(1 - p.convert) * b
        moved_u = u + self._k0 * source
        critic = state.critic[:k]
        if critic.any():
            moved_a = np.where(critic, a + self._a0 * sum_u, moved_a)
            moved_u = np.where(critic, np.float32(1 - p.relapse) * u + np.float32(p.relapse) * sum_u * self._k0, moved_u)
        return moved_a, moved_b, moved_c, moved_u, source

    def _incident(self, v: Weights, r: Readings, t: int, k: int) -> Weights:
        rho = r.repeat[t, :k]
        fresh = r.evidence[t, :, :k] * ((1 - rho) + rho * (v / _mean(self._prior, v)))
        carried: Weights = fresh / _mean(self._prior, fresh)
        return carried

    def _tell(self, trace: Trace, critic: Flags, sums: tuple[Weights, Weights, Weights, Weights], t: int, k: int) -> None:
        a, b, c, u = sums
        rivals = a + b + c
        for told, rival in ((trace.advocate, a), (trace.never, b), (trace.cooled, c), (trace.odds, rivals)):
            told[t, :k] = np.where(critic, NOTHING, _log_ratio(u, rival))
        trace.loyal[t, :k] = np.where(critic, 0.0, np.round((a / rivals).astype(np.float64), 6))
        trace.back[t, :k] = np.where(critic, _log_ratio(a, u), NOTHING)
        others = np.minimum(trace.never[t, :k] + self.p.never_less, trace.cooled[t, :k] + self.p.cooled_less)
        trace.strength[t, :k] = np.round(np.minimum(trace.advocate[t, :k], others), 6)
        trace.fired[t, :k] = ~critic & (trace.strength[t, :k] >= trace.bar[t, :k])
        trace.recovered[t, :k] = critic & (trace.back[t, :k] >= self.p.recover_bar)

    def _latch(self, state: State, trace: Trace, t: int, k: int) -> None:
        """Turn the filter around for those who fired, arm it again for those who recovered."""
        fired, recovered = np.flatnonzero(trace.fired[t, :k]), np.flatnonzero(trace.recovered[t, :k])
        state.critic[fired], state.critic[recovered] = True, False
        trace.critic[t, :k] = state.critic[:k]
        if fired.size:
            state.u[:, fired] = _scaled(state.u[:, fired], _total(state.u[:, fired]))
            for x in (state.a, state.b, state.c):
                x[:, fired] = LEAST
        if recovered.size:
            known = np.float32(0.01)  # that this KOC can be an advocate has been seen: hardly "never one"
            state.a[:, recovered] = _scaled(state.a[:, recovered], _total(state.a[:, recovered])) * (1 - known)
            state.b[:, recovered] = self._b0 * known
            state.c[:, recovered], state.u[:, recovered] = LEAST, LEAST


def _likelihood(g: Weights, m: Weights | None, q: Weights, v: Weights, rho: Weights, doubt: np.float32) -> Weights:
    """f of P profiles for k KOCs. g: (P, 4, 1); m, q, v: (4, k); rho: (k,)."""
    g0, g1, g2, g3 = (g[:, c] if m is None else g[:, c] * m[c] for c in range(4))
    x0, x1, x2, x3 = g0 * q[0], g1 * q[1], g2 * q[2], g3 * q[3]
    fresh = (x0 + x1 + x2 + x3) / (g0 + g1 + g2 + g3)
    again = (x0 * v[0] + x1 * v[1] + x2 * v[2] + x3 * v[3]) / (g0 * v[0] + g1 * v[1] + g2 * v[2] + g3 * v[3])
    f: Weights = (1 - doubt) * (fresh + rho * (again - fresh)) + doubt
    return f


def _total(x: Weights) -> Weights:
    """Sum over the rows of (P, k), by halves in one fixed order: the same bytes for every k."""
    while len(x) > 1:
        half = len(x) // 2
        folded = x[:half] + x[half : 2 * half]
        if len(x) % 2:
            folded[0] += x[-1]
        x = folded
    total: Weights = x[0]
    return total


def _mean(prior: Weights, x: Weights) -> Weights:
    mean: Weights = prior[0] * x[0] + prior[1] * x[1] + prior[2] * x[2] + prior[3] * x[3]
    return mean


def _scaled(x: Weights, scale: Weights) -> Weights:
    scaled: Weights = np.clip(x / scale, LEAST, MOST)
    return scaled


def _log_ratio(x: Weights, y: Weights) -> Floats:
    """ln(x/y) in float64, rounded to 1e-6."""
    ratio = np.maximum(x, LEAST).astype(np.float64) / np.maximum(y, LEAST).astype(np.float64)
    rounded: Floats = np.round(np.log(ratio), 6).astype(np.float64)
    return rounded


def _column(weights: NDArray[np.float64] | tuple[float, ...]) -> Weights:
    return np.array(weights, dtype=np.float32).reshape(-1, 1)


def _blank(length: int, kocs: int, bar: Floats) -> Trace:
    def told() -> Floats:
        return np.full((length, kocs), NOTHING)

    def flags() -> Flags:
        return np.zeros((length, kocs), dtype=np.bool_)

    return Trace(
        advocate=told(),
        never=told(),
        cooled=told(),
        strength=told(),
        bar=bar,
        odds=told(),
        loyal=np.zeros((length, kocs)),
        fired=flags(),
        critic=flags(),
        recovered=flags(),
        back=told(),
        source=np.ones((length, kocs), dtype=np.float32),
        scale=np.ones((length, kocs), dtype=np.float32),
        turned=np.ones((length, NU, kocs), dtype=np.float32),
        gain=np.zeros((length, kocs)),
    )
