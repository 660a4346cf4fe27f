"""No pattern is skipped where it would have matched."""

import re

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp import cues, model
from nlp.triggers import Triggers

PATTERNS = [
    pattern.words for name in (model.CUES, model.CAUSES) for pattern in cues.lexicon_of(model.read_list(name).splitlines())
]
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


@settings(max_examples=300)
@given(st.lists(st.sampled_from(PIECES), max_size=10))
def test_whatever_matches_is_let_through(pieces: list[str]) -> None:
    text = "".join(pieces)
    codes = np.frombuffer((text + "\0").encode("utf-32-le"), np.uint32)
    (mask,) = Triggers(PATTERNS).masks(codes, np.array([0, len(codes)]))
    for place, pattern in enumerate(PATTERNS):
        assert mask >> place & 1 or not pattern.search(text)


def test_a_pattern_without_a_literal_is_always_tried() -> None:
    codes = np.frombuffer("好\0".encode("utf-32-le"), np.uint32)
    assert Triggers([re.compile("[a-z]+"), re.compile("很坏"), re.compile("[好坏]")]).masks(codes, np.array([0, 2])) == [0b101]
