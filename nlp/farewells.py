"""Cleaned text → does its author leave the target, in so many words?

A farewell of a fan is polite and full of what was good: weights of words read it as praise. What is said of leaving is said by
few expressions; others' leaving, a threat, a question and what is left for the target are none of it.
"""

from __future__ import annotations

import re

from nlp.text import NAME, RIVAL, TARGET

_OVER = f"(?=了|吧|啦|它|他|她|这|你|{TARGET}|[，。！；,!;~～…\\s]|$)"  # and no other thing is named that is left
_DONE = f"(?=(?:了|吧|啦)?(?:[它他她这你{TARGET}，。！；,!;~～…\\s]|$))"
_LEAVES = re.compile(  # begins with a class alone, so it searches fast; which of it stands there is asked behind it
    f"[脱退弃取粉路以今从往再永这下不到就缘](?:(?<=[脱退])粉{_DONE}|(?<=[退脱弃])坑{_DONE}|(?<=取)关{_DONE}|(?<=粉)转[黑路]|(?<=路)转黑"
    "|(?:(?<=[以今往])后|(?<=从)此|(?<=再)也|(?<=永)远|(?<=这)辈子|(?<=下)次)"
    "(?:我|都|就|是|也|再|绝对|坚决|肯定|真的){0,2}(?:不会|不想|不|绝不)再?(?:也不)?"
    f"(?:买|用|喝|吃|来|去|碰|回购|支持|光顾|入){_OVER}"
    f"|(?<=不)会?再(?:买|用|喝|吃|碰|回购|支持|光顾){_OVER}|(?<=不)会再?回来(?=了|[，。！,!~]|$)"
    "|(?<=到)此为止(?=[，。！,!~吧了]|$)|(?<=就)到这(?:里|儿)?(?=吧|了|[，。！]|$)|(?<=缘)(?:尽|分尽|分已尽))"
)
_NOT_SO = re.compile(  # right before it: denied, wished, of others, asked, threatened
    "(?:不|没有?|别|未|难|差点就?|差一点就?|不会|不可能|不想|不至于|舍不得|从不|劝|说|喊|叫|让|求|拒绝|想要?|逼我|害我)$"
    "|(?:人|(?<![我咱])们|友|粉丝|姐|妹|哥|弟|妈|爸|同事|同学|他|她|谁|网上|评论区|都在|集体|纷纷|跟风)[^，。！？,!?;；]{0,6}$"
    "|(?:如果|要是|假如|万一|除非|否则|不然|再(?!也)|敢|等|若|会不会|要不要|该不该|是不是|还是)[^，。！？!?;；]{0,16}$"
)
_ASKED = re.compile("^(?:之后|之前|以后|的时候)|^[^，。！,!;；]{0,4}(?:[吗么呢?？]|的(?!那|日|了|时)|是不可能|不存在|率|潮)")
_TURNS_TO = re.compile("[入转换改回投买选用试爱迎]|还是|喜欢|多亏|因为有")
_ELSE = f"[{RIVAL}{NAME}]|别[家的人]|其[他它]|第二|隔壁|担心|操心|发愁"


def leaves(body: str) -> bool:
    """Whether the author of a cleaned text says goodbye to its target.

    >>> leaves("用了八年\\ue000，今天正式脱粉"), leaves("好多人脱粉，我还在用\\ue000")
    (True, False)
    """
    for found in _LEAVES.finditer(body):
        start, end = found.span()
        before, after = body[:start], body[end:]
        clause = re.split("[，。！？,!?;；\n]", after, maxsplit=1)[0]
        if _NOT_SO.search(before[-20:]) or _ASKED.search(after) or re.search(_ELSE, clause):
            continue
        named, others = body.find(TARGET), RIVAL in body or NAME in body
        if others and (named < 0 or named > end):
            continue  # what is left is named before it, right behind it, or nothing else is
        if named > end and _TURNS_TO.search(body[end:named]):
            continue
        if RIVAL in before[max(before.rfind(TARGET), 0) :]:
            continue
        return True
    return False
