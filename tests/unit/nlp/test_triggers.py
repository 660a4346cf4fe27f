"""No pattern is skipped where it would have matched."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp import cues, model
from nlp.triggers import Triggers

PATTERNS = [pattern for name in (model.CUES, model.CAUSES) for pattern in cues.lexicon_of(model.read_list(name).splitlines())]
TRIGGERS = Triggers([pattern.source for pattern in PATTERNS])
PIECES = [
    "失望",
    "客服",
    "不回",
    "投诉",
    "12315",
    "再也不",
    "买",
    "千万别",
    "降价",
    "刚",
    "坏",
    "的",
    "，",
    "质量",
    "差",
    "呵呵",
    "被删",
    "评论",
]


@settings(max_examples=150, deadline=None)  # compiles every pattern
@given(st.lists(st.sampled_from(PIECES), max_size=10))
def test_whatever_matches_is_let_through(pieces: list[str]) -> None:
    text = "".join(pieces)
    codes = np.frombuffer((text + "\0").encode("utf-32-le"), np.uint32)
    (found,) = TRIGGERS.candidates(codes, np.array([0, len(codes)]))
    for place, pattern in enumerate(PATTERNS):
        assert place in found or not pattern.words.search(text)


def test_a_pattern_without_a_literal_is_always_tried() -> None:
    codes = np.frombuffer("好\0坏\0".encode("utf-32-le"), np.uint32)
    assert Triggers(["[a-z]+", "很坏", "[好坏]", "坏"]).candidates(codes, np.array([0, 2, 4])) == [[0, 2], [0, 2, 3]]
