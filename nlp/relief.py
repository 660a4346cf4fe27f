"""Cleaned texts → the same with words of relief masked: 不痒, 没有异味 and 不再掉发 say that a trouble is not there.

Tables of grams learn what is said of a trouble from texts that complain of it; a denied one is rare, so its grams read as
the trouble itself. Masked, all denials share their grams and are learnt together. The troubles are written for this
program: of those that stand denied in the training reviews at least thrice, three in four of the texts were positive.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

MASK = "\ue005"  # stands for each character of a denied trouble; cleaned texts hold none
LACK = "\ue006"  # for each of a denied praise: 谈不上舒服, 没有想象中好

_DENIAL = (
    "(?:再也不会?|再也没有?|不再|不会再?|从不|从没有?|从来没有?|从来不|并不|并没有?|毫无|没再|没有?|不怎么|不那么|没那么|不太|未|无|不)"
    "(?:(?:[让叫使给](?:我|人|你|大家)|被|有|什么|任何|再|很|太|会|乱|那么|这么|怎么|出现|发生|感到|觉得|感觉|用|出过?|一点点?|半点|丝毫|一丝|点|在|把)){0,2}"
)
_WORDS = """
痒 干涩 干燥 紧绷 拔干 假白 假滑 油 油腻 出油 泛油 掉发 脱发 掉头发 掉色 掉渣 掉毛 掉漆 脱妆 卡粉 斑驳 浮粉 搓泥
闷痘 长痘 爆痘 冒痘 起痘 过敏 刺激 刺鼻 刺痛 辣眼睛 泛红 红肿 脱皮 起皮 烂脸 异味 怪味 馊 变质 发霉 漏油 漏液
漏洒 破损 开裂 开胶 变形 褪色 起球 起毛 缩水 色差 划痕 瑕疵 质量问题 卡 卡顿 卡机 死机 闪退 发烫 发热 烫手 延迟
断连 断线 掉线 黑屏 蓝屏 重启 异响 噪音 杂音 噪声 吵 晃动 顿挫 抛锚 趴窝 涨价 加价 亏 踩坑 踩雷 失望 翻车 翻过车
套路 忽悠 欺骗 乱收费 捆绑 强制 推销 宰客 杀熟 减配 偷工减料 虚标 敷衍 推诿 推脱 踢皮球 甩锅 不耐烦 黑脸 费劲
复杂 晕 晕车 堵车 排队 拖延 延误 晚点 迟到 误点 弹窗 骚扰 笨重 粘腻 黏腻 黏 粘 腻 塌 扁塌 毛躁 打结 打过结 静电
头屑 头皮屑 粉刺 结块 结痂 不适 副作用 后悔 担心 操心 闹心 压力 磕碰 压坏 挤压 浪费 刺眼 反光 偏色 勒 磨脚 挤脚
夹脚 扎人 显胖 臃肿 皱 起皱 失真 爆音 跑偏 拉胯 掉链子 糊弄 坏过? 丢过 断过 漏过 崩过 坑过 坑我 骗过 糊锅 串味
上火 便秘 拉肚子 胀气 绿便 吐奶 湿疹 起疹 哭闹 失眠 加班 难[吃喝用闻看懂受] 幺蛾子 岔子 出错 丢件 丢数据 墨迹
吃亏 上当 心疼 心梗 肉疼 尴尬 冻着 着凉
"""
_TROUBLES = sorted(_WORDS.split(), key=lambda word: (-len(word), word))
_PARTS = "腰腿背肩子头盖脚胃眼睛脸手椎皮跟心"  # how the names of what may hurt end
_SAID = re.compile(
    "(?P<trouble>"
    + _DENIAL
    + f"(?=[{''.join(sorted({word[0] for word in _TROUBLES}))}])(?:"
    + "|".join(_TROUBLES)
    + ")过?"
    + "|不[疼痛酸僵肿闷吵堵崩漏臭扎挤累困咳吐哭闹慌愁](?=[了啦])"
    + f"|不(?<=[{_PARTS}]不)[疼痛酸僵肿红闷胀麻凉慌累]"
    + "|没有?[^，。！？,!?;；\n\0]{0,8}那么(?:差|烂|糟|可怕|坑|不堪|恐怖|难|离谱|严重|垃圾|夸张)"
    + "|没(?:有|再|怎么)?[响掉亮漏坏断丢堵卡死崩裂锈乱翻塌晚误闹哭修滴冻糊黑闷痒疼痛肿吐]过(?:一次|[车灯水件屏机片错场])?"
    + "|不比[^，。！？,!?;；\n\0]{1,6}差(?!不多))"
    "|(?:[谈算称说]不上(?:多|很|有多|什么)?"
    "|没有?[^，。！？,!?;；\n\0]{0,3}(?:想象|预期|预想|期待|宣传|传说|吹的|说的)[^，。！？,!?;；\n\0]{0,4}?(?:那么|这么)?)"
    "(?:好|香|舒服|漂亮|便宜|划算|惊艳|神奇|高级|实用|稳|快|强|值|喜欢|满意|推荐|优秀|专业)"
)
_BEGINS = re.compile("[不没未无]|再(?=[也不])|从(?=[不没来])|并(?=[不没])|毫(?=无)|[谈算称说](?=不上)")  # of all that is said
_ASKED = "是会有能要没"  # 有没有异味: asked, or denied twice


def masked(bodies: Sequence[str]) -> list[str]:
    """The texts with every denied trouble and every denied praise masked, character by character: lengths stay.

    >>> [body.count(MASK) for body in masked(["头皮清爽不痒了", "头皮又痒了", "有没有异味", "没有异味"])]
    [2, 0, 0, 4]
    """
    joined = "\0".join(("", *bodies, ""))
    parts, at, reached = [], 0, 0
    for start in map(re.Match.start, _BEGINS.finditer(joined)):
        if start < reached or not (found := _SAID.match(joined, start)):
            continue
        reached = found.end()
        before = joined[start - 1]
        if before not in _ASKED and before != joined[start + 1]:  # 痒不痒 asks
            sign = MASK if found.group("trouble") else LACK
            parts += [joined[at:start], sign * (reached - start)]
            at = reached
    if not parts:
        return list(bodies)
    return "".join((*parts, joined[at:]))[1:-1].split("\0")
