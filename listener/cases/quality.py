"""A reply's text → which of 感谢, 事实, 措施, 期限 it has, and whether it says what a reply must not."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Final

from storage.records import CaseStep

CHECKS: Final = ("thanks", "facts", "measure", "date")  # 感谢 事实 措施 期限
REACTIONS: Final = ("satisfied", "partly", "unhappy", "silent")

_DATE = (
    r"\d{1,2}\s*月\s*\d{1,2}\s*[日号]|\d{1,2}\s*月底|\d{1,2}[/-]\d{1,2}(?!\d)|20\d\d-\d\d-\d\d|[一二两三四五六七八九十\d]+\s*(?:个)?(?:工作日|天|日|小时|周|星期|个月)(?:之?内|以内|后|前)"
    r"|今天|今晚|明天|后天|本周|这周|下周|周[一二三四五六日天]|月底|本月|下个?月|年底|季度"
)
_PATTERNS: Final = {
    "thanks": r"感谢|谢谢|多谢|致谢|感激|抱歉|对不起|道歉|\bthank|\bsorry|\bapolog|\bappreciat",
    "facts": (
        r"核实|查(?:到|明|实|看|清)|确认|属实|检测|批次|订单|记录|原因|结果|是因为|由于|发现|没有回访|\bfound\b|\bchecked\b|\bverified\b|\bbecause\b|\bcaused?\b|\bbatch\b|\btest(?:ed|s)?\b|\border\b"
    ),
    "measure": (
        r"退款|退货|换货|更换|换新|补发|补寄|补偿|赔|维修|上门|召回|停售|下架|改(?:进|版|用|为|成|善|正)|整改|升级|修复|调整|优化|培训|安排|负责|承诺|重新|\brefund|\breplac|\brepair|\brecall|\bfix|\bimprov|\bchang|\bship"
    ),
    "date": _DATE
    + r"|\b(?:today|tomorrow|this week|next week|by (?:mon|tue|wed|thu|fri|sat|sun)\w*|within \w+ (?:hours?|days?|weeks?))\b",
}
_CHECKERS: Final = {code: re.compile(pattern, re.IGNORECASE) for code, pattern in _PATTERNS.items()}
_BEHIND: Final = re.compile(
    r"监测|监听|监控(?!摄像)|舆情|评分|打分|预警|分数|情感值|算法|模型|后台(?:显示|数据|发现)|系统(?:显示|发现|提示|检测|判定)|大数据|被我们(?:盯|标记)|KOC\s*名单|转黑|铁粉转"
    r"|\bmonitor|\bscor(?:e|es|ed|ing)\b|\balerts?\b|\bsentiment|\balgorithm|\bour system|\bdetect|\bwatch ?list|\bflagged",
    re.IGNORECASE,
)


def checks_of(reply: str) -> tuple[str, ...]:
    """What a reply has of the four things that a good answer holds.

    >>> checks_of("谢谢您的反馈，经核实是 3 月批次脱胶，4 月 15 日前为您更换")
    ('thanks', 'facts', 'measure', 'date')
    """
    return tuple(code for code in CHECKS if _CHECKERS[code].search(reply))


def behind_in(reply: str) -> str:
    """The words of a reply that speak of monitoring, scores or alerts; "" where it speaks of none.

    >>> behind_in("我们的系统显示您最近评分下降"), behind_in("看到您在原帖里说的脱胶")
    ('系统显示', '')
    """
    found = _BEHIND.search(reply)
    return found[0] if found else ""


def quality_of(log: Sequence[CaseStep]) -> Collection[str]:
    """Which of the four all replies of a case have together: found in their texts, or ticked by hand."""
    have = {code for one in log for code in (*one.data.get("checks", ()), *one.data.get("ticked", ()))}
    return [code for code in CHECKS if code in have]


def reaction_of(log: Sequence[CaseStep]) -> str:
    """How the KOC took it, as it was last recorded; "" where it was not."""
    return next((str(one.data.get("reaction", "")) for one in reversed(log) if one.step == "react"), "")
