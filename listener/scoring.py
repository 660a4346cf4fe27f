"""Lines of JSON in, lines of JSON out: what `listener score` answers. Pure but for the scorer's own model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from listener.mentions import words_of
from nlp import score as scorer
from nlp.results import Request, Score, Target
from storage.records import Brand

BATCH = 512
_ENCODER = json.JSONEncoder(ensure_ascii=False)


def answers(
    lines: Sequence[bytes],
    brands: Sequence[Brand],
    *,
    fast: bool = False,
    model: Path | None = None,
    embeddings: bool = False,
) -> Iterator[str]:
    """One JSON object for each line that is not blank, in order; a line that can't be read is answered by its error.
    model: one's own, None: the shipped one. embeddings: hard posts are read again."""
    named = {target.name: target for target in _targets_of(tuple(brands))}
    filled = [line for line in lines if line.strip()]
    for start in range(0, len(filled), BATCH):
        asked = [_request_of(line, named, fast) for line in filled[start : start + BATCH]]
        requests = [one for one in asked if isinstance(one, Request)]
        scores = iter(scorer.score_batch(requests, fast=fast, model=model, embeddings=embeddings))
        for one in asked:
            yield _dumped({"error": one} if isinstance(one, str) else answer_of(next(scores)))


def _request_of(line: bytes, named: dict[str, Target], fast: bool) -> Request | str:
    try:
        asked = json.loads(line)
    except (ValueError, RecursionError) as error:
        return f"不是 JSON / no JSON: {error}"
    if not isinstance(asked, dict) or not isinstance(asked.get("text"), str):
        return '每行要有字符串 "text" / each line needs a string "text"'
    name = None if fast else asked.get("target")
    if name is None:
        return _request(asked["text"], None, (), named)
    if not isinstance(name, str) or not name.strip():
        return '"target" 要是品牌名 / "target" is the name of a brand'
    rivals = asked.get("rivals", [])
    if not isinstance(rivals, list) or not all(isinstance(rival, str) and rival.strip() for rival in rivals):
        return '"rivals" 要是品牌名的列表 / "rivals" is a list of names of brands'
    return _request(asked["text"], name, rivals, named)


def request_of(text: str, target: str | None, rivals: Sequence[str], brands: Sequence[Brand]) -> Request:
    """A text to score as `answers` reads it: the workspace's brands are known by all their names."""
    return _request(text, target, rivals, {one.name: one for one in _targets_of(tuple(brands))})


def _request(text: str, name: str | None, rivals: Sequence[str], named: dict[str, Target]) -> Request:
    if name is None:
        return Request(text)
    target = named.get(name) or Target(name, (name,))
    known = {**named, **{rival: named.get(rival) or Target(rival, (rival,)) for rival in rivals}}
    others = tuple(other for other in known.values() if other.name != name)
    return Request(text, target, others, inherited=not any(word in text for word in target.words))


def answer_of(score: Score) -> dict[str, object]:
    """What is told of a score, as `listener score` writes it."""
    answer: dict[str, object] = {"neg": score.neg, "neu": score.neu, "pos": score.pos, "polarity": score.polarity}
    if score.stance is not None:
        answer["stance"] = {"favor": score.stance.favor, "against": score.stance.against, "none": score.stance.none}
    if score.cues:
        answer["cues"] = [{"code": cue.code, "words": cue.words} for cue in score.cues]
    if score.causes:
        answer["causes"] = list(score.causes)
    if score.unscored:
        answer["unscored"] = score.unscored
    return answer


def _dumped(value: dict[str, object]) -> str:
    """JSON on one line; a lone surrogate, which no UTF-8 can carry, is written as an escape."""
    text = _ENCODER.encode(value)
    return text if text.isascii() or _is_utf8(text) else json.dumps(value)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@cache
def _targets_of(brands: tuple[Brand, ...]) -> tuple[Target, ...]:
    ours = [Target(brand.name, words_of(brand)) for brand in brands]
    return (*ours, *[Target(rival.name, words_of(rival)) for brand in brands for rival in brand.rivals])
