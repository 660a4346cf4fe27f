"""The words of a post → whether they may tell of an accident of safety or quality, which waits for nobody."""

from __future__ import annotations

import re
from typing import Final

_ACCIDENTS: Final = re.compile(
    r"起火|着火|冒烟|(?<!原地)爆炸(?!头|性)|(?<![气肺态要绪])炸了|烧(?:起来|伤|坏了插座)|烫伤|烧焦"
    r"|触电|漏电|短路|中毒|食物中毒|过敏(?!原)"
    r"|红肿|起疹|呕吐|腹泻|休克|送医|住院|急诊|就医|(?:送|进|去)了?[^，。]{0,2}医院|流血|划伤"
    r"|割伤|夹伤|窒息|死亡(?!名单|搭配|视频)|身亡|昏迷"
    r"|异物|发霉(?!味|的?味)|变质|生虫|有虫|蛆|超标|致癌|(?:含|材料|塑料|气体|成分|检出)[^，。]{0,4}有毒"
    r"|有毒(?:气体|物质|成分|塑料|物)|三无产品|断裂伤人|刹车失灵|自燃|鼓包"
    r"|\b(?:caught|on) fire\b|\bexplo(?:d|s)\w+|\bburn(?:ed|t) (?:my|his|her|our)|\belectric shock"
    r"|\bpoison\w*|\ballerg\w+|\bhospital\w*|\binjur\w+|\bemergency room|\bmold\b|\bmould\b",
    re.IGNORECASE,
)
_HARMLESS: Final = re.compile(
    r"(?:不(?!住|停|断|得)|没(?:有|出现)?|未|无|从不|避免|防止?|预防|抗|杜绝|不会|告别|零)[^，。！？,.!?；;]{0,6}$"
    r"|(?:\bno|\bnot|n't|\bnever|\bwithout|anti|\bagainst|\bprevents?)\W[^,.!?]{0,20}$",
    re.IGNORECASE,
)
# What people say of joy, prices and crowds.
_FIGURES: Final = re.compile(
    r"(?:颜值|好评|人气|销量|(?<![起着失])火|热度|评论区|朋友圈|弹幕|群里|美|帅|惊艳|口碑|信息|回忆"
    r"|氛围)[^，。]{0,3}(?:爆炸|炸了)|(?:爆炸|炸了)[^，。]{0,3}(?:好看|好用|好吃|美|赞)|中毒了?(?:一样|一般|般"
    r"|似的)?(?:地|的)?(?:喜欢|单曲|爱|循环|上头)|[用看吃喝听美香帅]到(?:爆炸|中毒|窒息|昏迷)"
    r"|(?:价格|贵|太贵|甲醛|颜色)过敏|对[^，。]{0,6}(?:营销|广告|套路|尬)[^，。]{0,3}过敏|医院(?:门口|附近"
    r"|对面|旁边)|在医院(?:上班|工作|实习)|笑到住院"
)


def accident_in(text: str) -> str:
    """The words that may tell of an accident, "" where there are none: denied, prevented and figurative ones do not count.

    >>> accident_in("充电的时候冒烟了，差点起火"), accident_in("用了半年没有过敏"), accident_in("颜值炸了")
    ('冒烟', '', '')
    """
    for found in _ACCIDENTS.finditer(text):
        around = text[max(0, found.start() - 12) : found.end() + 8]
        if not _HARMLESS.search(text[: found.start()]) and not _FIGURES.search(around):
            return found[0]
    return ""
