"""Cleaned text → clauses, each owned by the brand it speaks of.

A clause that names a brand belongs to it, the clauses after it too, until another brand is named or the text turns back
(这款, 还是这个, 换回来). A clause that names both is a comparison: which side it favors is read from its words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nlp.text import RIVAL, TARGET

_CUT = re.compile(
    f"[，。！？；,!?;\n~…]+|(?<![{TARGET}{RIVAL}])、+|、+(?![{TARGET}{RIVAL}])"  # 、 between two names parts no clause
    "|(?<![0-9])\\.(?![0-9])|(?=但是|但(?!凡)|不过|可是|然而|反而|相比之下|倒是|至于)"
)
_BACK = re.compile("这款|这个牌子|这牌子|这家|还是这|换回|回购这|本品|这一款|现在这|这次这")
_OURS_WINS = re.compile(
    f"{TARGET}[^{RIVAL}]{{0,12}}(?:比|碾压|完爆|吊打|秒杀|甩|胜过|强过|好过|超过|打败)[^{TARGET}]{{0,4}}{RIVAL}"
    f"|^[^{TARGET}{RIVAL}]{{0,8}}(?:比|碾压|完爆|吊打|秒杀|甩|胜过|强过|好过|超过|打败){RIVAL}"
    f"|{RIVAL}[^{TARGET}]{{0,10}}(?:不如|比不上|比不了|不及|没法和|没法跟|输给|干不过|打不过|赶不上|没有){TARGET}"
    f"|(?:抛弃|放弃|告别|拜拜){RIVAL}|从{RIVAL}[^{TARGET}]{{0,6}}(?:换|转|入|投)[^{RIVAL}]{{0,4}}{TARGET}|{TARGET}(?:yyds|赢麻了)"
)
_THEIRS_WINS = re.compile(
    f"{RIVAL}[^{TARGET}]{{0,12}}(?:比|碾压|完爆|吊打|秒杀|甩|胜过|强过|好过|超过|打败)[^{RIVAL}]{{0,4}}{TARGET}"
    f"|^[^{TARGET}{RIVAL}]{{0,8}}(?:不如|比不上|比不了|不及|还不如|远不如){RIVAL}"
    f"|{TARGET}[^{RIVAL}]{{0,10}}(?:不如|比不上|比不了|不及|没法和|没法跟|输给|干不过|打不过|赶不上){RIVAL}"
    f"|从{TARGET}[^{RIVAL}]{{0,6}}(?:换|转|入|投)[^{TARGET}]{{0,4}}{RIVAL}|(?:换成|改用|投奔|转投|换了){RIVAL}"
)
_WORSE = re.compile("差|烂|贵|难用|慢|坑|卡|糟|垃圾|恶心|掉价|弱|低|不好|重|吵|水")


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause: where it stands in the text, whose it is (``target``, ``rival`` or ``both``)."""

    start: int
    end: int
    owner: str


def clauses_of(body: str, *, rival_first: bool = False) -> list[Clause]:
    """The clauses of a cleaned text, in order; rival_first: a tag named a rival and not the target.

    >>> [c.owner for c in clauses_of("\\ue000很好用，\\ue001太油了，味道也怪")]
    ['target', 'rival', 'rival']
    """
    owner, clauses = "rival" if rival_first else "target", []
    for start, end in _spans(body):
        words = body[start:end]
        ours, theirs = TARGET in words, RIVAL in words
        if ours and theirs:
            clauses.append(Clause(start, end, "both"))
            owner = "target"
            continue
        if ours or (not theirs and owner == "rival" and _BACK.search(words)):
            owner = "target"
        elif theirs:
            if comparison(words):
                clauses.append(Clause(start, end, "both"))
                continue
            owner = "rival"
        clauses.append(Clause(start, end, owner))
    return clauses


def _spans(body: str) -> Iterator[tuple[int, int]]:
    start = 0
    for mark in _CUT.finditer(body):
        if body[start : mark.end()].strip():
            yield start, mark.end()
        start = mark.end()
    if body[start:].strip():
        yield start, len(body)


def comparison(clause: str) -> int:
    """1 where the clause ranks the target above a rival, −1 below, 0 where it compares nothing.

    >>> comparison("\\ue000不如\\ue001"), comparison("比\\ue001好多了"), comparison("\\ue000比\\ue001差远了")
    (-1, 1, -1)
    """
    if _OURS_WINS.search(clause):
        return -1 if "比" in clause and _WORSE.search(clause.rsplit(RIVAL, 1)[-1] or clause) else 1
    if _THEIRS_WINS.search(clause):
        return 1 if "比" in clause and "不" not in clause and _WORSE.search(clause.rsplit(TARGET, 1)[-1]) else -1
    return 0
