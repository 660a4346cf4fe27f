"""Cleaned text → clauses, each owned by the brand it speaks of.

A clause that names a brand belongs to it, the clauses after it too, until another brand is named or the text turns back
(这款, 还是这个, 换回来). A clause that names both belongs to both, or is cut where the second one becomes what it speaks of.
What others are said to say belongs to them where the author then gives a view of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from nlp.ranks import comparison, names_others
from nlp.text import NAME, RIVAL, TARGET

_CUT = re.compile(
    f"[，。！？；,!?;\n~…]+|(?<![{TARGET}{RIVAL}])、+|、+(?![{TARGET}{RIVAL}])"  # 、 between two names parts no clause
    "|(?<![0-9])\\.(?![0-9])|(?=但是|但(?!凡)|不过(?![敏如])|可是|然而|反而|相比之下|倒是|至于)"
)
_FRAME = re.compile(  # 比起乙，甲…: what is compared stands before the comma, what is said of it behind
    f"^[^{TARGET}{RIVAL}]{{0,4}}(?:(?:比起|相比于?|相较于?|对比)[^{TARGET}{RIVAL}]{{0,3}}[{TARGET}{RIVAL}]|[和跟与同][{TARGET}{RIVAL}](?:相比|比起来|比|一比|对比))[^{TARGET}{RIVAL}]{{0,4}}$"
)
_NAMED = re.compile(f"[{TARGET}{RIVAL}]")
_BACK = re.compile(
    "这款|这个牌子|这牌子|这家|还是这|换回|回购这|本品|这一款|现在这|这次这|手[里上]这|[咱我]家的?这|这[瓶支双台盒袋杯辆罐管]"
)
_LINKED = re.compile("[和跟与及同或、/＋+]|还有|以及|对比|vs|比|都|一起|之间|不如|送|换")
_SAY = "(?:又?都|天天|总)(?:说|讲|吹|夸|骂)"  # as a clause begins, with whoever says it left out
_SAID = (
    "(?:(?:有|别|些|总有|[很不好]多|不少|堆)人|人家|网上|大家|她们?|他们?|朋友们?|同事们?|室友|闺蜜|黑子|评论区?里?|评测|博主们?|网友们?|营销号|身边人?|销售|客服|导购|柜姐|领导|老板"
    "|[爸妈哥姐弟妹爷奶公婆])[^，]{0,6}(?:说|讲|吐槽|骂|黑|喷|嫌|吹|夸|唱衰|劝|觉得|传|写)"
)
_QUOTED, _MAY_QUOTE = re.compile(f"{_SAID}|^{_SAY}"), re.compile(f"{_SAID}|{_SAY}")
_OWN_VIEW = re.compile(
    "我(?!们?家|的?(?:朋友|同事|室友|同学|闺蜜|老公|老婆|男友|女友|妹|姐|哥|弟|爸|妈|家人|邻居))|但|不过|其实|反正|可是|然而|事实|实际|并没|亲测|本人|自己|结果|可(?=[这那惜])"
)
_OF_NOUN = re.compile(  # what two brands may both have
    "客服|售后|快递|物流|配送|质量|味道|口感|包装|价格|销售|店员|老板|服务|态度|系统|屏幕|电池|续航|音质|画质|拍照|内饰|底盘|油耗|面料|鞋底|做工"
)
_SUBJECT = re.compile(
    "^\\s*(?:而|但|可|又是|还是|就是)?(?!我|你|他|她|它|这|那|咱|人家|大家|自己|前台|今天|昨天|什么|一个|有的|所有|官方|真的|现在|其实|感觉|觉得)\\w{2,5}?(?:家|的)?$"
)


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause: where it stands in the text; whose it is: ``target``, ``rival``, ``both``, ``quoted`` (said by others than
    the author); rank: how it ranks the target against others, see `comparison`.
    """

    start: int
    end: int
    owner: str
    rank: float = 0.0


def may_quote(body: str) -> bool:
    """Whether any clause of a text that names no other brand can be of somebody else: said by others, before one's own view."""
    return bool(_OWN_VIEW.search(body)) and bool(_MAY_QUOTE.search(body))


def clauses_of(body: str, *, rival_first: bool = False) -> list[Clause]:
    """The clauses of a cleaned text, in order; rival_first: a tag named a rival and not the target.

    >>> [c.owner for c in clauses_of("\\ue000很好用，\\ue001太油了，味道也怪")]
    ['target', 'rival', 'rival']
    """
    owner, clauses, others = "rival" if rival_first else "target", [], names_others(body)
    for start, end in _spans(body):
        words = body[start:end]
        ours, theirs = TARGET in words, RIVAL in words or NAME in words
        ranked = 0.0
        if ours or theirs or others:  # a name at the beginning may as well be a tag
            ranked = comparison(words[1:] if start == 0 and words[0] == TARGET else words)
        if ours and theirs:
            if not ranked and (cut := _turn(words)):
                first = "target" if TARGET in words[:cut] else "rival"
                owner = "rival" if first == "target" else "target"
                clauses += [Clause(start, start + cut, first), Clause(start + cut, end, owner)]
                continue
            clauses.append(Clause(start, end, "both", ranked))
            owner = "target"
            continue
        if ours or (not theirs and owner == "rival" and _BACK.search(words)):
            owner = "target"
        elif theirs:
            if ranked:
                clauses.append(Clause(start, end, "both", ranked))
                continue
            owner = "rival"
        elif not ranked and others and names_others(words):
            clauses.append(Clause(start, end, "rival"))  # nobody's name: the next clause need not be of them
            continue
        clauses.append(Clause(start, end, owner, ranked))
    return _quotes_apart(body, clauses)


def _turn(words: str) -> int:
    """Where a clause that names two brands turns from the one to the other; 0 where it speaks of both at once."""
    names = [(at, sign == TARGET) for at, sign in enumerate(words) if sign in (TARGET, RIVAL, NAME)]
    for (at, one), (after, other) in pairwise(names):
        between = words[at + 1 : after]
        if one != other and len(between) >= 3 and not _LINKED.search(between):
            return after
    return 0


def _quotes_apart(body: str, clauses: list[Clause]) -> list[Clause]:
    """The clauses, those that tell what others say given to them if the author's own view follows."""
    made, quotes = [], may_quote(body)
    for place, clause in enumerate(clauses):
        words = body[clause.start : clause.end]
        if clause.owner == "target" and TARGET not in words and _of_another(body, clauses, place):
            clause = Clause(clause.start, clause.end, "rival")
        quoted = quotes and clause.owner == "target" and _QUOTED.search(words) and not _OWN_VIEW.search(words)
        if quoted and any(_OWN_VIEW.search(body[later.start : later.end]) for later in clauses[place + 1 : place + 4]):
            clause = Clause(clause.start, clause.end, "quoted")
        made.append(clause)
    return made


def _of_another(body: str, clauses: list[Clause], place: int) -> bool:
    """Whether a clause without a name says of an unknown name what the next ones say of the target: 某某客服…，甲客服…."""
    after = clauses[place + 1 : place + 3]
    if not after or body.find(TARGET, after[0].start, after[-1].end) < 0:
        return False
    noun = _OF_NOUN.search(body, clauses[place].start, clauses[place].end)
    if not noun or not _SUBJECT.search(body[clauses[place].start : noun.start()]):
        return False
    said = re.compile(f"{TARGET}(?:家|的)?{noun.group()}")
    return any(said.search(body, later.start, later.end) for later in after)


def _spans(body: str) -> Iterator[tuple[int, int]]:
    start = 0
    for mark in _CUT.finditer(body):
        end = mark.end()
        if (
            body[mark.start() : end][:1] in ("，", ",")
            and _NAMED.search(body, start, end)
            and _FRAME.search(body[start : mark.start()])
        ):
            continue
        if not body[start:end].isspace() and start < end:
            yield start, end
        start = end
    if body[start:].strip():
        yield start, len(body)


def rank_of(clauses: list[Clause]) -> float:
    """How the whole text ranks the target, −1 … 1: each clause that ranks counts twice what the one before it does.

    >>> rank_of([Clause(0, 1, "both", -1.0), Clause(1, 2, "both", 1.0)])
    0.5
    """
    total = 0.0
    for clause in clauses:
        if clause.rank:
            total = total / 2 + clause.rank
    return max(-1.0, min(1.0, total))
