"""Why there is no alert, or no graver one → a sentence with its numbers, in zh-CN and English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from listener.text.views import Language

SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "no-mentions": (
        "还没有听到提及本品牌的内容",
        "no post that speaks of the brand has been heard",
    ),
    "not-covered": (
        "没有来源在听这位 KOC 的账号（{accounts:.0f} 个）：没听到，不等于没说",
        "no source listens to the {accounts:.0f} accounts: not heard is not silent",
    ),
    "too-few-mentions": (
        "可用的提及只有 {mentions:.0f} 条，至少要 {needed:.0f} 条才知道基线",
        "only {mentions:.0f} mentions count; {needed:.0f} are needed to know the baseline",
    ),
    "not-read": (
        "{posts:.0f} 条没有可读的文字（图片、视频或其他语言），没有计入，也没有当作中性",
        "{posts:.0f} of {of:.0f} posts hold nothing to read (image, video, other language): not counted, not taken for neutral",
    ),
    "no-own-words": (
        "{posts:.0f} 条转发没有自己的话，没有计入",
        "{posts:.0f} reposts without own words do not count",
    ),
    "copy": (
        "{posts:.0f} 条与本人先前的内容重复，只算一次",
        "{posts:.0f} posts repeat this KOC's own words and count once",
    ),
    "never-advocate": (
        "原本就看不出是支持者（基线 {baseline:+.2f}），谈不上转变",
        "never seen to be an advocate (baseline {baseline:+.2f}), so there is nothing to turn from",
    ),
    "still-advocate": (
        "仍像一位支持者：{mentions:.0f} 条中有 {against:.0f} 条偏负面，在其常态之内",
        "still fits an advocate: {against:.0f} of {mentions:.0f} posts are against, within the usual",
    ),
    "mild-criticism": (
        "{against:.0f} 条负面里有 {constructive:.0f} 条是具体、温和的建议：这是健康的声音，不报警",
        "{constructive:.0f} of {against:.0f} critical posts are mild and constructive: healthy, no alarm",
    ),
    "only-cooled": (
        "只是热情减退（{baseline:+.2f} → {recent:+.2f}），没有转为批评",
        "merely cooled ({baseline:+.2f} → {recent:+.2f}), not turned critical",
    ),
    "wavering": (
        "已有黄色预警；证据还不到红色的程度",
        "amber was raised; the evidence is not enough for red",
    ),
    "already-raised": (
        "已有红色预警；态度回暖之前，同一次转变只报一次",
        "red was raised; one turn is one alert until the KOC has recovered",
    ),
    "brand-shift": (
        "证据曾达到黄色阈值，但当时公众口碑整体转差：先不归因于个人，等证据明显超出大盘，或波动结束后仍然成立",
        "the evidence reached the amber bar while the whole public's mood had fallen: it waits until it stands out against the"
        " market, or still stands when that is over",
    ),
    "recovered": (
        "态度已回暖，先前的转变已结束",
        "has recovered; the earlier turn is over",
    ),
}


def reason(code: str, values: Mapping[str, float], language: Language) -> str:
    """The sentence for a reason's code, with its numbers.

    >>> reason("too-few-mentions", {"mentions": 2, "needed": 3}, "zh-CN")
    '可用的提及只有 2 条，至少要 3 条才知道基线'
    """
    return SENTENCES[code][0 if language == "zh-CN" else 1].format(**values)
