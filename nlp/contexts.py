"""Where words stand in a text → whether they say what they seem to say.

They do not if they are denied, asked, supposed, told of others or said of a rival.
"""

from __future__ import annotations

import re
from functools import lru_cache

from nlp.clauses import Clause, clauses_of
from nlp.text import RIVAL

AROUND = 12  # characters on each side that can void a hit
CLOSED = "，。！？；,!?;\n"
_DENIED = re.compile(
    "(?:没有?|并没|从没|从不|从未|未曾|不是|并非|不算|绝不|毫不|绝非|(?:一点|丝毫|根本|完全)(?:都|也|儿)?不|无需|不用|不必|不存在|不至于"
    "|谈不上|说不上|不会让?|杜绝|拒绝|避免|免得|以免|防止|告别|远离|没遇到过?|没有遇到过?)(?:什么|任何|过|被|再|太|那么|出现|有|让|我|人)*$"
)
_SUPPOSED = re.compile("如果|要是|假如|假设|倘若|万一|除非|哪怕|就算|即使|若是|的话")
_ASKED = re.compile(
    "求问|请问|问一下|想问|问问|有没有(?:人|姐妹|朋友|大神)|会不会|是不是|有没有.{0,10}(?:的|啊|呀|？|\\?)|要不要|该不该|怎么办|能不能"
)
_MAYBE = re.compile("吗|么[？?]|嘛[？?]")
_REPORTED = re.compile(
    "有人[说讲]|有些人|网上[说传]|网传|听说|据说|别人说|人家说|都说|传言|谣传|造谣|传闻|朋友说|评论说|黑子|有网友|好多人说|很多人说|说是"
)
_THREATS = {"escalation", "dissuasion", "silencing"}  # what somebody threatens or advises may well stand after an `if`
_TONES = {"irony", "incentivized"}  # a way of talking: nobody denies or supposes it
_MOVES = {"switch"}  # from the target to a rival: the words stand where the rival does
_CLAIMS = {
    "defection",
    "dissuasion",
    "let-down",
    "product-grievance",
}  # a mere 吗 takes these back; elsewhere it is mostly rhetoric


def span_around(body: str, start: int, end: int) -> tuple[int, int]:
    """What can void a hit: its clause, up to 12 characters on each side.

    >>> span_around("很好，不会失望的，真的", 5, 7)
    (3, 8)
    """
    before, after = body[max(0, start - AROUND) : start], body[end : end + AROUND]
    cut = max(before.rfind(mark) for mark in CLOSED) + 1
    stop = min((at for at in map(after.find, CLOSED) if at >= 0), default=len(after))
    return start - len(before) + cut, end + stop


def is_meant(body: str, start: int, end: int, code: str) -> bool:
    """Whether the words at this place mean their code: said by the author, of the target, as a fact.

    >>> is_meant("没有踩雷", 2, 4, "product-grievance"), is_meant("又踩雷了", 1, 3, "product-grievance")
    (False, True)
    """
    if RIVAL in body and code not in _MOVES and _is_of_rival(body, start):
        return False
    if code in _TONES:
        return True
    first, last = span_around(body, start, end)
    before = body[first:start]
    is_charge = code.startswith("accusation")  # which is mostly put as a question
    if _DENIED.search(before) and not (is_charge and before.endswith("是不是")):
        return False
    if code not in _THREATS and _SUPPOSED.search(before):
        return False
    if code == "escalation":
        return True
    if is_charge:
        return not _REPORTED.search(before)
    if _ASKED.search(before) or (code in _CLAIMS and _MAYBE.search(body[end : last + 1])):
        return False
    return not _REPORTED.search(before)


def _is_of_rival(body: str, at: int) -> bool:
    clause = _clause_at(body, at)
    if clause is None or clause.owner == "target":
        return False
    return clause.owner != "both" or clause.rank > 0


def _clause_at(body: str, at: int) -> Clause | None:
    return next((clause for clause in _clauses(body) if clause.start <= at < clause.end), None)


@lru_cache(maxsize=64)
def _clauses(body: str) -> tuple[Clause, ...]:
    return tuple(clauses_of(body))
