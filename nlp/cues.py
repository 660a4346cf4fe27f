"""Cleaned text → cues and causes: what a PR person acts on, with the words that made it, read in their clause.

The patterns are data (data/cues.tsv, data/causes.tsv); what takes a hit back whatever its code stands in `contexts`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from nlp.contexts import CLOSED, is_meant, span_around
from nlp.lexicon import Lexicon, Pattern, lexicon_of
from nlp.results import Cue

__all__ = ["causes_of", "cues_of", "is_constructive", "lexicon_of"]

_PLACEHOLDER = re.compile("[\ue000-\ue002]")
_PROOF = re.compile(
    "截图|聊天记录|订单|检测|报告|视频|证据|录音|发票|凭证|小票|照片|合同|病历|鉴定|工单|流水|转账记录|邮件|图[1-9一二三四]|p[1-9]|如图|见图"
)
_ORDER = re.compile(
    "首先|其次|第[一二三四五]|[1-9][、.)]|然后|后来|结果|接着|随后|最后|当天|当时|次日|第二天|昨天|前天|[上这]个?(?:周|月|星期)|[周星期][一二三四五六日天]"
    "|[0-9]{1,2}月[0-9]{0,2}|[0-9]{1,2}[号日]|[0-9一二三四五六七八九十]+(?:天|周|个月|小时)(?:后|前|之后|过去)|时间线|经过|到(?:今天|现在|目前)"
)
_DISPUTE = re.compile(
    "客服|售后|商家|卖家|店家|店员|店长|老板|商务|平台|官方|投诉|退款|退货|退费|退钱|换货|赔偿|补偿|维修|保修|报修|推脱|拒绝|不给|不承认|不认|说法|答复|没人|催|违约|拖欠|欺骗|骗|控诉|交涉|推诿"
)
_OWN = re.compile("我(?!国)|本人|咱|实名|受害|出借人")
_NEWS = re.compile(r"\{img|<p>|原标题|来源[：:]|公安局|检察院|刑事|记者|[网新][讯闻][：:]|编辑[：:]|晚报|日报")
_HOSTILE = re.compile(
    "垃圾|骗子|骗钱|坑人|坑爹|傻[逼叉子x]|sb|煞笔|去死|滚|恶心|无耻|黑心|奸商|无良|脑残|脑子|狗屁|他妈|tmd|尼玛|妈的|不要脸|臭不要|死全家|贱|畜生|王八"
    "|废物|倒闭|破产|关门|破玩意|什么玩意|烂货|辣鸡|丢人|毫无底线|坑蒙|吐了|爆炸|瞎了|吃官司|割韭菜|气死|狗都不|拉倒|差评(?!的话)|最差|极差|太差|呵呵|神经病|有病|智障|流氓|强盗|血馒头|骗人"
)
_WISH = re.compile(
    "希望.{0,20}(?:改|提升|优化|完善|加|出|能|多|再|更|考虑|越来越|听|修|补|注意|做得)|(?<!不)(?<!强烈)建议(?!不|别|大家|购买|各位|携程|买家|退|取消|你们?改行|.{0,6}(?:倒闭|关门|关闭|开除|慎))"
    "|如果(?:能|可以|.{1,12}就(?:更|最)?(?:好|完美|棒))|要是.{1,16}就(?:更)?(?:好|完美)|最好能|可以(?:改|优化|考虑|再|更|做得)|有待(?:改|提|加|完)|改进|改善|改良"
    "|提升空间|优化|完善|继续加油|期待(?:改|优|更|下|新|越|能)|能不能(?:改|加|出|多|把)|能否|再.{1,6}[点些]就|就(?:更)?完美|就更好|多.{1,4}一?点就|小意见|提点意见|提个小?建议"
)
_MILD = re.compile(
    "美中不足|不足(?:之处|是|的是|就是)|小?缺点(?:是|：|就是)|稍微|稍[慢重紧大小偏]|有一?点(?!意思)|有些|略[微有显重大小紧慢偏]?|偏[大小硬软贵重干油甜咸淡浓厚薄慢高低暗黄]|不太|扣[一1半]分"
    "|[打给][6-9六七八九]分|瑕不掩瑜|小(?:问题|毛病|瑕疵|缺憾|遗憾)|唯一|(?:就是|只是).{0,10}(?:了点|一点|点)(?:$|[，。,！!])|美中"
)
_CREDIT = re.compile(
    "整体|总体|总的来说|优点|其他都|其它都|(?<!没想象中)(?<!是)不错|还行|还可以|挺好|满意(?<!不满意)|好看(?<!不好看)|好用(?<!不好用)|喜欢(?<!不喜欢)|实用(?<!不实用)|轻薄|态度.{0,2}好|很好|值得(?<!不值得)"
    "|[6-9六七八九]分|瑕不掩瑜|都(?:很|挺|还)?(?:好|实用|满意)"
)
_SHARP = re.compile(
    "很差|太差|极差|差到|好差|真差|太烂|恶劣|投诉|欺|诈骗|上当|坑|后悔|无语|醉了|恨|失望透|太失望|非常失望|糟糕|剔出|取消|笑话|可笑|零分|零星|一颗星|说法|狡辩|崩溃|难以忍受|不能忍|严重|搞笑|何来|不要买|别买|千万"
)
_HARSH = {"defection", "escalation", "silencing", "dissuasion", "expose", "used", "unresolved", "ignored"}


def cues_of(body: str, lexicon: Lexicon, harm: float, candidates: Sequence[int] | None = None) -> tuple[Cue, ...]:
    """The cues of a cleaned text, in the order of the list.

    harm: the larger of P(neg) and P(against). candidates: the places of the patterns that may match (see triggers), None:
    any of them.
    """
    found: dict[tuple[str, str], Cue] = {}
    for code, words in _hits(body, lexicon, harm, candidates):
        found.setdefault((code, words), Cue(code, words))
    if harm >= 0.5 and (proof := _complaint(body)):
        found["complaint", proof] = Cue("complaint", proof)
    return tuple(found.values())


def causes_of(body: str, lexicon: Lexicon, harm: float, candidates: Sequence[int] | None = None) -> tuple[str, ...]:
    """What the criticism is about, in the order of the list; nothing where there is none.

    >>> causes_of("客服不理人", lexicon_of(["after-sales\\t0.4\\t客服"]), 0.9)
    ('after-sales',)
    """
    return tuple(dict.fromkeys(code for code, _ in _hits(body, lexicon, harm, candidates)))


def _hits(body: str, lexicon: Lexicon, harm: float, candidates: Sequence[int] | None) -> Iterator[tuple[str, str]]:
    """Each code with its words, in the order of the list; of hits that overlap the first, the longest of those."""
    may = lexicon if candidates is None else [lexicon[place] for place in candidates]
    held = [pattern for pattern in may if harm >= pattern.harm and pattern.words.search(body)]
    for code, patterns in groupby(held, key=lambda pattern: pattern.code):
        spans = sorted((start, -end) for pattern in patterns for start, end in _spans(body, pattern))
        reached = 0
        for start, minus_end in spans:
            if start >= reached:
                reached = -minus_end
                yield code, _PLACEHOLDER.sub("", body[start:reached]).strip(CLOSED + " ")


def _spans(body: str, pattern: Pattern) -> Iterator[tuple[int, int]]:
    """Where a pattern's words stand and mean what they say."""
    for hit in pattern.words.finditer(body):
        start, end = hit.span()
        if pattern.void is not None:
            first, last = span_around(body, start, end)
            if pattern.void.expression.search(body, first, last):
                continue
        if is_meant(body, start, end, pattern.code):
            yield start, end


def _complaint(body: str) -> str:
    """What makes a long text an evidence-backed complaint: its proof and its order of events, in a dispute; else nothing."""
    if len(body) < 140:
        return ""
    proof, order = _PROOF.findall(body), _ORDER.findall(body)
    if not proof or len(order) < 3 or len(set(_DISPUTE.findall(body))) < 2:
        return ""
    if len(_OWN.findall(body)) < 2 or _NEWS.search(body):
        return ""
    return "、".join(dict.fromkeys(proof + order))


CONSTRUCTIVE = (_WISH.pattern, _MILD.pattern)  # one of which constructive criticism can't do without


def is_constructive(body: str, harm: float, cues: Sequence[Cue], candidates: Sequence[int] | None = None) -> bool:
    """Criticism that names what to improve, or that weighs a small flaw against what is good; never hostile or sharp.

    candidates: the places in `CONSTRUCTIVE` of the expressions that may match (see triggers), None: either.

    >>> is_constructive("味道好，就是泵头容易坏，希望改进", 0.6, ())
    True
    """
    may_wish, may_be_mild = (candidates is None or place in candidates for place in range(len(CONSTRUCTIVE)))
    if not (may_wish or may_be_mild) or harm < 0.3:
        return False
    if _HOSTILE.search(body) or _SHARP.search(body) or any(cue.code in _HARSH for cue in cues):
        return False
    if may_wish and _WISH.search(body):
        return True
    return may_be_mild and harm < 0.9 and _CREDIT.search(body) is not None and _MILD.search(body) is not None
