"""Cleaned text → does its author leave the target, in so many words?

A farewell of a fan is polite and full of what was good: weights of words read it as praise. What is said of leaving is said by
few expressions; others' leaving, a threat, a question and what is left for the target are none of it.
"""

from __future__ import annotations

import re
from itertools import islice

from nlp.text import NAME, RIVAL, TARGET

_MOST = 50  # of what might be a farewell in one text: a wall of them says no more
_OVER = f"(?=了|吧|啦|它|这|你|{TARGET}|[，。！；,!;~～…\\s]|$)"  # and no other thing is named that is left
_DONE = f"(?=(?:了|吧|啦)?(?:[它这你{TARGET}，。！；,!;~～…\\s]|$))"
_LEAVES = re.compile(  # begins with a class alone, so it searches fast; which of it stands there is asked behind it
    f"[脱退弃取粉路以今从往再永这下不](?:(?<=[脱退])粉{_DONE}|(?<=[退脱弃])坑{_DONE}|(?<=取)关{_DONE}|(?<=粉)转[黑路]|(?<=路)转黑"
    "|(?:(?<=[以今往])后|(?<=从)此|(?<=再)也|(?<=永)远|(?<=这)辈子|(?<=下)次)"
    "(?:我|都|就|是|也|再|绝对|坚决|肯定|真的){0,2}(?:不会|不想|不|绝不)再?(?:也不)?"
    f"(?:买|用|喝|吃|来|去|碰|回购|支持|光顾|入){_OVER}"
    f"|(?<=不)会?再(?:买|用|喝|吃|碰|回购|支持|光顾){_OVER}|(?<=不)会再?回来(?=了|[，。！,!~]|$))"
)
_NOT_SO = re.compile(  # right before it: denied, wished, of others, asked, threatened
    "(?:不|没有?|别|未|难|差点就?|差一点就?|不会|不可能|不想|不至于|舍不得|从不|劝|说|喊|叫|让|求|拒绝|想要?|逼我|害我)$"
    "|(?:人|(?<![我咱])们|友|粉丝|姐|妹|哥|弟|妈|爸|同事|同学|他|她|谁|网上|评论区|都在|集体|纷纷|跟风)[^，。！？,!?;；]{0,6}$"
    "|(?:如果|要是|假如|万一|除非|否则|不然|再(?!也)|敢|等|若|会不会|要不要|该不该|是不是|还是)[^，。！？!?;；]{0,16}$"
)
_ASKED = re.compile("(?:之后|之前|以后|的时候)|[^，。！,!;；]{0,4}(?:[吗么呢?？]|的(?!那|日|了|时)|是不可能|不存在|率|潮)")
_TURNS_TO = re.compile("[入转换改回投买选用试爱迎]|还是|喜欢|多亏|因为有")
_ELSE = re.compile(f"[{RIVAL}{NAME}]|别[家的人]|其[他它]|第二|隔壁|担心|操心|发愁")
_PAUSE = re.compile("[，。！？,!?;；\n\\s]")
_NOTHING_ELSE = re.compile(  # what may stand before it in its clause where nothing is named that is left but the target
    f"(?:{TARGET}|我们?|咱们?|本人|自己|但是?|可是?|所以|反正|估计|应该|大概|可能|真的|是|从此|以后|发誓|[一二三四五六七八九十两几多\\d]+年|用户"
    "|就|也|都|再|这次|今天|现在|今年|昨天|正式|已经?|彻底|决定|要|准备|打算|宣布|果断|直接|默默|终于|这?[个款家](?:店|牌子|品牌)?"
    "|这(?:牌子|品牌|店|东西|玩意儿?)|你们?家?|它|了|吧|和|对|跟|从|在|而且|并且|绝对|坚决|肯定|一定|的|铁粉|老?粉丝?|老用户|\\W)*+"
)


def leaves(body: str) -> bool:
    """Whether the author of a cleaned text says goodbye to its target.

    >>> leaves("用了八年\ue000，今天正式脱粉"), leaves("好多人脱粉，我还在用\ue000")
    (True, False)
    """
    return any(_is_farewell(body, *found.span()) for found in islice(_LEAVES.finditer(body), _MOST))


def _is_farewell(body: str, start: int, end: int) -> bool:
    """Whether what stands there is the author's own farewell to the target, and not to something else."""
    before, after = body[max(start - 40, 0) : start], body[end : end + 40]
    clause = _PAUSE.split(after, maxsplit=1)[0]
    if _NOT_SO.search(before[-20:]) or _ASKED.match(after) or _ELSE.search(clause):
        return False
    mine = _PAUSE.split(before)[-1]
    if TARGET not in mine + clause and not _NOTHING_ELSE.fullmatch(mine):
        return False
    named, others = body.find(TARGET), RIVAL in body or NAME in body
    before_it = 0 <= named <= end
    if not before_it and (others or _TURNS_TO.search(body[end : max(named, end)])):
        return False
    return body.rfind(RIVAL, 0, start) <= body.rfind(TARGET, 0, start)
