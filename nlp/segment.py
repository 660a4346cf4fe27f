"""Text → words, cut exactly as jieba cuts them without its HMM, at ten times the speed.

Brand names need no place in the dictionary: they are placeholders by now, and a placeholder parts words by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any


def cut(text: str) -> list[str]:
    """The words of a text, whitespace and punctuation included, so that joined they are the text again.

    >>> cut("物流太慢了，不买了")
    ['物流', '太慢', '了', '，', '不', '买', '了']
    """
    words: list[str] = _cutter().cut(text, False)
    return words


def cut_all(texts: Sequence[str]) -> list[list[str]]:
    """The words of many texts; the same as `cut` of each."""
    cutter = _cutter()
    return [cutter.cut(text, False) for text in texts]


@lru_cache(maxsize=1)
def _cutter() -> Any:
    from rjieba import Jieba  # here, since its dictionary takes 0.2 s and nobody needs it for `--help`

    return Jieba()
