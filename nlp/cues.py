"""Cleaned text → cues: what a PR person acts on, with the words that made it, read in their clause.

The patterns are data (data/cues.tsv): a code, an expression, and what voids it nearby.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nlp.results import Cue, ScoreError

_AROUND = 8  # characters on each side that can void a hit
_CLOSED = "，。！？；,!?;\n"
_PROOF = re.compile("截图|聊天记录|订单|检测|报告|视频|证据|录音|发票|凭证|照片|图[1-9一二三四]|p[1-9]|如图|时间线")
_ORDER = re.compile("首先|其次|第一|第二|[1-9][、.)]|然后|后来|结果|当天|第二天|[0-9]月[0-9]")
_HOSTILE = re.compile(
    "垃圾|骗子|傻[逼叉子x]|sb|去死|滚|恶心|无耻|黑心|奸商|脑残|狗屁|他妈|tmd|尼玛|妈的|不要脸|死全家|贱|畜生|王八"
)
_WISH = re.compile(
    "希望|建议|要是|如果能|如果.{1,12}就(?:更)?好|最好能|可以改|有待|改进|改善|提升|优化|加油|期待|能不能|再.{1,4}点就"
)


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The cue patterns: for each code its (expression, what voids it)."""

    patterns: tuple[tuple[str, re.Pattern[str], re.Pattern[str] | None], ...]
    any_of: re.Pattern[str]


def lexicon_of(lines: Iterable[str]) -> Lexicon:
    """Read the patterns; raises ScoreError with the line's number where one can't be read."""
    patterns = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        code, expression, *rest = line.rstrip("\n").split("\t")
        try:
            patterns.append((code, re.compile(expression), re.compile(rest[0]) if rest and rest[0] else None))
        except (re.error, IndexError) as error:
            raise ScoreError(f"cue list, line {number}: {error}") from error
    return Lexicon(tuple(patterns), re.compile("|".join(f"(?:{pattern.pattern})" for _, pattern, _ in patterns)))


def cues_of(body: str, lexicon: Lexicon, p_neg: float) -> tuple[Cue, ...]:
    """The cues of a cleaned text, in the order of the list, one for each code and its words; p_neg: how negative it reads."""
    if not lexicon.any_of.search(body) and len(body) < 140:
        return ()
    found: dict[tuple[str, str], Cue] = {}
    for code, pattern, void in lexicon.patterns:
        for hit in pattern.finditer(body):
            around = body[max(0, hit.start() - _AROUND) : hit.end() + _AROUND]
            if void is None or not void.search(around):
                found.setdefault((code, hit.group()), Cue(code, hit.group()))
    if p_neg >= 0.5 and (proof := _complaint(body)):
        found["complaint", proof] = Cue("complaint", proof)
    if p_neg < 0.5:  # a word like 呵呵 or 服了 is irony only beside a complaint
        found = {key: cue for key, cue in found.items() if cue.code != "irony"}
    return tuple(found.values())


def _complaint(body: str) -> str:
    """What makes a long text an evidence-backed complaint: its proof and its order of events; else nothing."""
    if len(body) < 140:
        return ""
    proof, order = _PROOF.findall(body), _ORDER.findall(body)
    return "、".join(dict.fromkeys(proof + order)) if proof and len(order) >= 2 else ""


def is_constructive(body: str, p_neg: float, cues: Sequence[Cue]) -> bool:
    """Criticism that names what to improve, without hostility.

    >>> is_constructive("味道好，就是泵头容易坏，希望改进", 0.6, ())
    True
    """
    if p_neg < 0.3 or _HOSTILE.search(body):
        return False
    harsh = {"defection", "escalation", "silencing", "dissuasion", "expose", "used"}
    return bool(_WISH.search(body)) and not any(cue.code in harsh for cue in cues)
