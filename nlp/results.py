"""What goes into the scorer and what comes out of it: plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """A brand to score toward: its name, and every word that stands for it (aliases, products, nicknames), name included."""

    name: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """One text to score.

    target: the brand it is scored toward, None for tone alone. others: the other brands the text may speak of (rivals),
    so that their clauses are not taken for the target's. inherited: the text does not name the target (a comment under
    its post, a post of its own group), the target is implied.
    """

    text: str
    target: Target | None = None
    others: tuple[Target, ...] = ()
    inherited: bool = False


@dataclass(frozen=True, slots=True)
class Stance:
    """Stance toward the target: probabilities that sum to 1, rounded to 1e-4."""

    favor: float
    against: float
    none: float


@dataclass(frozen=True, slots=True)
class Cue:
    """Something in the text that a PR person acts on: its code (``defection``, ``let-down`` …) and the words that made it."""

    code: str
    words: str


@dataclass(frozen=True, slots=True)
class Score:
    """What the scorer says of one text.

    neg, neu, pos: calibrated tone, sums to 1. polarity: pos − neg, −1…1. stance: None where no target was given.
    constructive: criticism that names what to improve, without hostility. own_words: False for a bare repost.
    unscored: why nothing was read (``empty``, ``no-words``, ``other-language``), then no tone is likelier than another.
    fingerprint: 64-bit content fingerprint, signed; near-duplicates differ in few bits. model: version of what scored.
    causes: what criticism is about (``product``, ``after-sales``, ``logistics``, ``price``, ``marketing``, ``cooperation``).
    All floats are rounded to 1e-4.
    """

    neg: float
    neu: float
    pos: float
    polarity: float
    stance: Stance | None
    cues: tuple[Cue, ...]
    constructive: bool
    own_words: bool
    unscored: str | None
    fingerprint: int
    model: str
    causes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A word or a clause of the cleaned text and what it adds to the log-odds; owner: whose clause it is,
    ``target``, ``rival``, ``both``, or ``quoted`` of others than the author."""

    words: str
    weight: float
    owner: str = "target"


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a score is what it is: one question of it, answered in weights.

    of: ``stance`` (log-odds of favor over against), ``none`` (of no stance over a stance), ``tone`` (of pos over neg) or
    ``neutral`` (of neu over pos and neg, half each). log_odds = rest + the sum of the words' weights = rest + the sum of the
    clauses' weights; rest: what no word carries. again: the part of rest that a second reading adds. rests: the parts of
    rest by what they come from: ``base`` (length, kind of text, how such texts are in general), ``naming`` (how the brand is
    named), ``asking`` (seeks advice or takes no side in so many words), ``news``, ``comparison`` (by rule), ``others`` (all
    clauses speak of others), ``again``. The names of the brands stand in words and clauses as they were given.
    """

    score: Score
    of: str
    log_odds: float
    clauses: tuple[Part, ...]
    words: tuple[Part, ...]
    rest: float
    again: float = 0.0
    rests: tuple[tuple[str, float], ...] = ()


class ScoreError(Exception):
    """The scorer can't work: a model file is missing or damaged, a word list can't be read."""
