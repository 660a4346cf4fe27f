"""Codes → words, in zh-CN and English: one table a vocabulary. They describe posts and states, never brand a person."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from listener.text.views import Language

Pair = tuple[str, str]  # zh-CN, English

# fmt: off
WORDS: Mapping[str, Mapping[str, Pair]] = {
    "level": {
        "amber": ("黄色预警", "Amber alert"),
        "red": ("红色预警", "Red alert"),
    },
    "level-short": {
        "amber": ("黄", "amber"),
        "red": ("红", "red"),
    },
    "severity": {
        "info": ("提示", "for information"),
        "watch": ("关注", "watch"),
        "important": ("重要", "important"),
        "urgent": ("紧急", "urgent"),
    },
    "status": {
        "candidate": ("观察中", "candidate"),
        "advocate": ("支持", "advocate"),
        "wavering": ("态度动摇", "wavering"),
        "critic": ("转为批评", "turned critical"),
        "recovered": ("态度回暖", "recovered"),
        "silent": ("久未发声", "silent"),
        "not-covered": ("未覆盖", "not covered"),
    },
    "stance": {
        "favor": ("支持", "in favor"),
        "against": ("负面", "against"),
        "none": ("中性", "neutral"),
    },
    "alert-kind": {
        "drift": ("态度转变", "drift"),
    },
    "alert-state": {
        "current": ("有效", "current"),
        "superseded": ("已更正", "superseded"),
    },
    "letter-kind": {
        "alert": ("预警", "alert"),
        "summary": ("汇总", "summary"),
        "correction": ("更正", "correction"),
        "test": ("测试", "test"),
    },
    "delivery-kind": {
        "alert": ("预警", "alert"),
        "correction": ("更正", "correction"),
    },
    "delivery-state": {
        "pending": ("待发送", "pending"),
        "sending": ("发送中", "sending"),
        "sent": ("已发送", "sent"),
        "summarized": ("已汇总", "summarized"),
        "cancelled": ("已取消", "cancelled"),
        "dead": ("发送失败", "given up"),
    },
    "channel-type": {
        "email": ("电子邮件", "e-mail"),
        "webhook": ("Webhook", "webhook"),
    },
    "case-state": {
        "open": ("处理中", "open"),
        "closed": ("已结案", "closed"),
    },
    "variant": {
        "public": ("公开回应", "public answer"),
        "private": ("私域回应", "answer in the private group"),
        "care": ("关怀回访", "care visit"),
    },
    "step": {
        "open": ("开立", "open"),
        "acknowledge": ("公开致谢", "thank in public"),
        "route": ("转责任部门", "bring it to the right department"),
        "verify": ("内部核实", "verify inside"),
        "resolve": ("解决问题", "resolve"),
        "follow-up": ("公开跟进", "follow up in public"),
        "thank": ("感谢提出者", "thank who raised it"),
        "support": ("私下支持", "stand by the KOC in private"),
        "publish": ("群内公布结果", "publish the result in the group"),
        "contact": ("关怀回访", "get in touch"),
        "fix": ("解决或承诺", "fix or promise"),
        "record": ("记录", "record"),
        "close": ("结案", "close"),
        "reopen": ("重新开立", "reopen"),
        "alert": ("新预警", "another alert"),
        "superseded": ("预警已更正", "alert superseded"),
        "variant": ("改用另一种回应", "another kind of answer"),
        "note": ("备注", "note"),
    },
    "closest": {
        "advocate": ("仍是支持者，只是碰巧有几条重话", "still an advocate who happened to write a few harsh posts"),
        "never": ("原本就没有那么支持", "never was much of an advocate"),
        "cooled": ("只是热情减退，并没有转为批评", "has merely cooled, without turning critical"),
    },
    "closest-short": {
        "advocate": ("仍是支持者", "still an advocate"),
        "never": ("原本就不太支持", "never one"),
        "cooled": ("只是热情减退", "merely cooled"),
    },
    "via": {
        "named": ("点名提及", "named in the text"),
        "source": ("来源即关于本品牌（推断）", "the source is about the brand (inferred)"),
        "parent": ("回应的内容提及本品牌（推断）", "answers a post about the brand (inferred)"),
    },
    "post-kind": {
        "post": ("原帖", "post"),
        "comment": ("评论", "comment"),
        "repost": ("转发", "repost"),
    },
    "platform": {
        "weibo": ("微博", "Weibo"),
        "bilibili": ("哔哩哔哩", "Bilibili"),
        "xiaohongshu": ("小红书", "Xiaohongshu"),
        "douyin": ("抖音", "Douyin"),
        "kuaishou": ("快手", "Kuaishou"),
        "zhihu": ("知乎", "Zhihu"),
        "douban": ("豆瓣", "Douban"),
        "tieba": ("百度贴吧", "Tieba"),
        "wechat": ("微信", "WeChat"),
        "rss": ("RSS 订阅", "RSS"),
        "feed": ("订阅源", "feed"),
    },
    "domain": {
        "public": ("公域", "public"),
        "private": ("私域", "private domain"),
    },
    "crawl-outcome": {
        "running": ("进行中", "running"),
        "done": ("完成", "done"),
        "blocked": ("被平台拦截", "blocked by the platform"),
        "changed": ("平台页面已变化", "the platform's pages have changed"),
        "failed": ("失败", "failed"),
        "cut": ("中途中断", "cut off"),
    },
    "coverage": {
        "covered": ("已覆盖", "covered"),
        "not-covered": ("未覆盖", "not covered"),
        "no-source": ("没有来源读取该平台", "no source reads this platform"),
        "never-heard": ("从未听到", "never heard"),
        "not-heard": ("很久没有听到", "not heard for long"),
        "blocked": ("被平台拦截", "blocked by the platform"),
        "failed": ("抓取失败", "the crawl failed"),
        "no-account": ("没有可识别的账号", "no account that can be resolved"),
    },
    "unscored": {
        "empty": ("没有文字", "no text"),
        "no-words": ("没有可读的词", "no words to read"),
        "other-language": ("其他语言，未读", "another language, not read"),
        "media-only": ("只有图片或视频，未读", "only an image or a video, not read"),
    },
    "cue": {
        "defection": ("明说离开", "says it leaves"),
        "let-down": ("失望", "let down"),
        "grave": ("有凭有据的长篇投诉", "long complaint with evidence"),
    },
    "reason": {
        "none": ("—", "—"),
    },
}
# fmt: on


def word(group: str, code: str, language: Language = "zh-CN") -> str:
    """The word for a code. An unknown one is shown as it is: better an odd word than no alert; a test keeps the tables full.

    >>> word("severity", "urgent"), word("severity", "urgent", "en"), word("severity", "new-code")
    ('紧急', 'urgent', 'new-code')
    """
    pair = WORDS.get(group, {}).get(code)
    if pair is None:
        return code
    return pair[0] if language == "zh-CN" else pair[1]


def group_of(codes: type[StrEnum]) -> str:
    """The table that holds the words of a class of codes: its name in kebab case.

    >>> class HeldReason(StrEnum): MILD = "mild"
    >>> group_of(HeldReason)
    'held-reason'
    """
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in codes.__name__).lstrip("-")
