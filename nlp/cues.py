"""Cleaned text → cues: what a PR person acts on, with the words that made it, read in their clause.

The patterns are data (data/cues.tsv): a code, an expression, and what voids it nearby.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from nlp.results import Cue, ScoreError

_AROUND = 12  # characters on each side that can void a hit
_CLOSED = "，。！？；,!?;\n"
_PLACEHOLDER = re.compile("[\ue000-\ue002]")
_PROOF = re.compile("截图|聊天记录|订单|检测|报告|视频|证据|录音|发票|凭证|照片|图[1-9一二三四]|p[1-9]|如图|时间线")
_ORDER = re.compile("首先|其次|第一|第二|[1-9][、.)]|然后|后来|结果|当天|第二天|[0-9]月[0-9]")
_HOSTILE = re.compile(
    "垃圾|骗子|傻[逼叉子x]|sb|去死|滚|恶心|无耻|黑心|奸商|脑残|狗屁|他妈|tmd|尼玛|妈的|不要脸|死全家|贱|畜生|王八"
)
_WISH = re.compile(
    "希望|建议|要是|如果能|如果.{1,12}就(?:更)?好|最好能|可以改|有待|改进|改善|提升|优化|加油|期待|能不能|再.{1,4}点就"
)


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line of a list: what it means, from which harm on, what is looked for, what voids it nearby."""

    code: str
    harm: float
    words: re.Pattern[str]
    void: re.Pattern[str] | None


Lexicon = tuple[Pattern, ...]


def lexicon_of(lines: Iterable[str]) -> Lexicon:
    """Read a list of patterns; raises ScoreError with the line's number where one can't be read.

    >>> [pattern.code for pattern in lexicon_of(["# origin", "let-down\\t0.4\\t失望\\t不失望"])]
    ['let-down']
    """
    patterns = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            code, harm, words, void = (*line.rstrip("\n").split("\t"), "")[:4]
            patterns.append(Pattern(code, float(harm), re.compile(words), re.compile(void) if void else None))
        except (re.error, ValueError) as error:
            raise ScoreError(f"word list, line {number}: {error}") from error
    return tuple(patterns)


def cues_of(body: str, lexicon: Lexicon, harm: float, mask: int = -1) -> tuple[Cue, ...]:
    """The cues of a cleaned text, in the order of the list.

    harm: the larger of P(neg) and P(against). mask: which patterns may match, as bits (see triggers).
    """
    found: dict[tuple[str, str], Cue] = {}
    for place, pattern in enumerate(lexicon) if mask else ():
        if mask >> place & 1 and harm >= pattern.harm:
            for words in _hits(body, pattern):
                found.setdefault((pattern.code, words), Cue(pattern.code, words))
    if harm >= 0.5 and (proof := _complaint(body)):
        found["complaint", proof] = Cue("complaint", proof)
    return tuple(found.values())


def causes_of(body: str, lexicon: Lexicon, harm: float, mask: int = -1) -> tuple[str, ...]:
    """What the criticism is about, in the order of the list; nothing where there is none.

    >>> causes_of("客服不理人", lexicon_of(["after-sales\\t0.4\\t客服"]), 0.9)
    ('after-sales',)
    """
    if not mask:
        return ()
    may = [pattern for place, pattern in enumerate(lexicon) if mask >> place & 1 and harm >= pattern.harm]
    return tuple(dict.fromkeys(pattern.code for pattern in may if next(_hits(body, pattern), None) is not None))


def _hits(body: str, pattern: Pattern) -> Iterator[str]:
    """The words found, but for those that something around them in their clause voids."""
    for hit in pattern.words.finditer(body):
        if pattern.void is None or not pattern.void.search(_around(body, hit.start(), hit.end())):
            yield _PLACEHOLDER.sub("", hit.group()).strip(_CLOSED + " ")


def _around(body: str, start: int, end: int) -> str:
    before, after = body[max(0, start - _AROUND) : start], body[end : end + _AROUND]
    cut = max(before.rfind(mark) for mark in _CLOSED) + 1
    stop = min((at for at in map(after.find, _CLOSED) if at >= 0), default=len(after))
    return before[cut:] + body[start:end] + after[:stop]


def _complaint(body: str) -> str:
    """What makes a long text an evidence-backed complaint: its proof and its order of events; else nothing."""
    if len(body) < 140:
        return ""
    proof, order = _PROOF.findall(body), _ORDER.findall(body)
    return "、".join(dict.fromkeys(proof + order)) if proof and len(order) >= 2 else ""


def is_constructive(body: str, harm: float, cues: Sequence[Cue]) -> bool:
    """Criticism that names what to improve, without hostility.

    >>> is_constructive("味道好，就是泵头容易坏，希望改进", 0.6, ())
    True
    """
    if harm < 0.3 or _HOSTILE.search(body):
        return False
    harsh = {"defection", "escalation", "silencing", "dissuasion", "expose", "used"}
    return bool(_WISH.search(body)) and not any(cue.code in harsh for cue in cues)
