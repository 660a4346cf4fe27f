"""Histories written as a string of stances: f favor, a against, n none, r a bare repost, u unscored."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from storage.records import CueHit, History, KocMention, Mention, PostKey

START = datetime(2026, 1, 1, 4, tzinfo=UTC)
STANCES = {
    "f": (0.03, 0.07, 0.90),
    "a": (0.90, 0.07, 0.03),
    "n": (0.07, 0.86, 0.07),
    "r": (0.9, 0.07, 0.03),
    "u": (0.9, 0.07, 0.03),
}

MakeHistory = Callable[..., History]
MakeMention = Callable[..., KocMention]


def mention_of(
    i: int,
    letter: str,
    at: datetime,
    *,
    koc: str = "K1",
    fingerprint: int | None = None,
    cues: tuple[str, ...] = (),
    constructive: bool = False,
    platform: str = "forum",
) -> KocMention:
    against, none, favor = STANCES[letter]
    mention = Mention(
        key=PostKey(platform, f"{koc}-{i:04d}"),
        brand="星澜",
        target="星澜",
        is_rival=False,
        via="named",
        neg=against,
        neu=none,
        pos=favor,
        favor=favor,
        against=against,
        none=none,
        cues=tuple(CueHit(c, "…") for c in cues),
        constructive=constructive,
        own_words=letter != "r",
        unscored="empty" if letter == "u" else None,
        fingerprint=(i * 0x9E3779B97F4A7C15 + 12345) % 2**63 if fingerprint is None else fingerprint,
        model="m1",
    )
    return KocMention(at, mention, "post", f"https://forum.example/{i}", "…", (platform, koc))


def history_of(stances: str, *, koc: str = "K1", every_days: float = 10.0, start: datetime = START) -> History:
    posts = tuple(mention_of(i, s, start + timedelta(days=every_days * i), koc=koc) for i, s in enumerate(stances))
    return History(koc, "星澜", posts)


@pytest.fixture
def make_history() -> MakeHistory:
    return history_of


@pytest.fixture
def make_mention() -> MakeMention:
    return mention_of
