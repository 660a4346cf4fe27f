"""A KOC who fades → which candidates could take the place: the same platform, like topics, a like reach. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from listener.relations.candidates import Candidate, Part
from storage.records import Brand, DriftState, Koc
from storage.roster_records import Author, Said

# What likeness to the KOC adds to a candidate's score, in points.
PLATFORM, TOPIC, REACH = 10.0, 15.0, 10.0
LEAST = 25.0  # points, below which a candidate's own voice is in doubt
COOLED = 0.3  # of mean stance that is gone


@dataclass(frozen=True, slots=True)
class Likeness:
    """What a replacement is measured by. topics: how often each word of the brand's is named, in a post; reach: the middle
    engagement of a post, as a logarithm, None where none was shown."""

    platforms: frozenset[str]
    topics: tuple[float, ...]
    reach: float | None


def fading(koc: Koc, state: DriftState | None) -> str:
    """Why a KOC's place may have to be filled, as a code; "" where not: left, silent, critic, cooled."""
    if koc.standing == "alumni":
        return "left"
    if state is None:
        return ""
    if state.status in ("silent", "critic"):
        return state.status
    return "cooled" if state.baseline >= 0.25 and state.baseline - state.recent >= COOLED else ""


def likeness_of(posts: Sequence[Said], platforms: frozenset[str], brand: Brand) -> Likeness:
    """What somebody's posts are about, and how far they reach."""
    spoken = [said for said in posts if said.is_mention]
    words = _words_of(brand)
    share = 1 / max(1, len(spoken))
    shown = [math.log1p(said.engagement) for said in spoken if said.engagement is not None]
    topics = tuple(sum(word in said.text.lower() for said in spoken) * share for word in words)
    return Likeness(platforms, topics, median(shown) if shown else None)


def _words_of(brand: Brand) -> list[str]:
    return [word.lower() for word in dict.fromkeys((*brand.products, *brand.categories, *brand.claims)) if word]


def replacements_for(
    koc: Likeness, candidates: Sequence[Candidate], authors: Sequence[Author], brand: Brand, most: int = 3
) -> list[Candidate]:
    """The candidates that fit best, each with parts more for what is alike; the sum stays the score. Whose own score is below
    `LEAST` replaces nobody."""
    posts = {one.author_key: one.posts for one in authors}
    found = []
    for one in (each for each in candidates if each.score >= LEAST):
        like = likeness_of(posts.get(one.author_key, ()), frozenset({one.platform}), brand)
        parts = [
            Part(
                "same-platform",
                PLATFORM if like.platforms & koc.platforms else 0.0,
                float(bool(like.platforms & koc.platforms)),
            )
        ]
        topic = _cosine(koc.topics, like.topics)
        parts.append(Part("same-topic", round(TOPIC * topic, 1), round(topic, 3)))
        if koc.reach is not None and like.reach is not None:
            near = math.exp(-abs(koc.reach - like.reach))
            parts.append(Part("same-reach", round(REACH * near, 1), round(math.exp(like.reach - koc.reach), 3)))
        found.append(replace(one, parts=(*one.parts, *parts), score=round(one.score + sum(part.points for part in parts), 1)))
    return sorted(found, key=lambda one: (-one.score, one.author_key))[:most]


def _cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """How alike two counts of the same words are, 0…1; nought where one names none."""
    size = math.sqrt(sum(a * a for a in one)) * math.sqrt(sum(b * b for b in other))
    return sum(a * b for a, b in zip(one, other, strict=True)) / size if size else 0.0
