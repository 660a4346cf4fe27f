"""Values → sentences, in zh-CN and English: chances, dates, shares, odds."""

from __future__ import annotations

from datetime import date, datetime
from math import exp
from typing import Final
from zoneinfo import ZoneInfo

from listener.text.views import Language

_CHANCES: Final = (
    (0.98, "几乎可以确定", "nearly certain"),
    (0.925, "约九成五", "about nineteen in twenty"),
    (0.85, "约九成", "about nine in ten"),
    (0.75, "约八成", "about eight in ten"),
    (0.65, "约七成", "about seven in ten"),
    (0.55, "约六成", "about six in ten"),
    (0.45, "约一半", "about one in two"),
    (0.35, "约四成", "about four in ten"),
    (0.25, "约三成", "about three in ten"),
    (0.15, "约两成", "about two in ten"),
    (0.0, "不到两成", "less than two in ten"),
)
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def went_out(*, sent: int, summarized: int, retried: int, dead: int, held: int) -> str:
    """What became of deliveries that were due, in both languages.

    >>> went_out(sent=2, summarized=0, retried=0, dead=0, held=1)
    '已送达 2 条，暂存 1 条 / 2 sent, 1 held back'
    >>> went_out(sent=0, summarized=0, retried=0, dead=0, held=0)
    '没有到期的推送 / nothing was due'
    """
    every = (
        (sent, "已送达", "sent"),
        (summarized, "在汇总里告知", "told in a summary"),
        (retried, "没有送达、稍后重试", "to be tried again"),
        (dead, "放弃", "given up"),
        (held, "暂存", "held back"),
    )
    told = [one for one in every if one[0]] or [(0, "没有到期的推送", "nothing was due")]
    zh = "，".join(f"{words} {n} 条" if n else words for n, words, _ in told)
    return f"{zh} / {', '.join(f'{n} {words}' if n else words for n, _, words in told)}"


def chance(posterior: float, language: Language) -> str:
    """The chance of a true turn, in words.

    >>> chance(.91, "zh-CN"), chance(.91, "en"), chance(.995, "zh-CN")
    ('约九成可能是真转变', 'about nine in ten that this is a true turn', '几乎可以确定是真转变')
    """
    floor, zh, en = next(each for each in _CHANCES if posterior >= each[0] or each[0] == 0)
    if language == "zh-CN":
        return f"{zh}是真转变" if floor == 0.98 else f"{zh}可能是真转变"
    return f"{en} that this is a true turn"


def turned_share(against: int, n: int, language: Language) -> str:
    """How many of the last posts are against.

    >>> turned_share(7, 10, "zh-CN"), turned_share(7, 10, "en"), turned_share(5, 5, "zh-CN")
    ('近 10 条中 7 条转为负面', '7 of the last 10 posts are negative', '近 5 条全部转为负面')
    """
    if against == n > 1:
        return f"近 {n} 条全部转为负面" if language == "zh-CN" else f"all of the last {n} posts are negative"
    return f"近 {n} 条中 {against} 条转为负面" if language == "zh-CN" else f"{against} of the last {n} posts are negative"


def mean(value: float) -> str:
    """A mean stance, −1…1, with a sign.

    >>> mean(.754), mean(-.39), mean(-.001)
    ('+0.75', '−0.39', '0.00')
    """
    shown = f"{value:+.2f}"
    return "0.00" if shown in ("+0.00", "-0.00") else shown.replace("-", "−")


def tendency(value: float, language: Language) -> str:
    """A mean stance, −1…1, in words.

    >>> tendency(.75, "zh-CN"), tendency(-.39, "zh-CN"), tendency(0, "en")
    ('以支持为主', '以负面为主', 'neither for nor against')
    """
    at = (value > -0.6) + (value > -0.15) + (value > 0.15) + (value > 0.6)
    if language == "zh-CN":
        return ("几乎都是负面", "以负面为主", "不偏不倚", "偏向支持", "以支持为主")[at]
    return ("almost all against", "mostly against", "neither for nor against", "leaning in favor", "mostly in favor")[at]


def day(at: date, language: Language, *, like: date | None = None) -> str:
    """A date in words; without its year where that is the year of ``like``.

    >>> day(date(2026, 4, 14), "zh-CN"), day(date(2026, 4, 14), "en", like=date(2026, 5, 1))
    ('2026年4月14日', '14 Apr')
    """
    short = like is not None and like.year == at.year
    if language == "zh-CN":
        return f"{at.month}月{at.day}日" if short else f"{at.year}年{at.month}月{at.day}日"
    return f"{at.day} {_MONTHS[at.month - 1]}" + ("" if short else f" {at.year}")


def turn_point(turned: date, low: date, high: date, language: Language) -> str:
    """The turn point and the days between which it lies with 80 %.

    >>> turn_point(date(2026, 4, 14), date(2026, 4, 9), date(2026, 4, 18), "zh-CN")
    '约在 2026年4月14日（八成把握在 4月9日 至 4月18日 之间）'
    >>> turn_point(date(2026, 4, 14), date(2026, 4, 14), date(2026, 4, 14), "en")
    'about 14 Apr 2026'
    """
    at = day(turned, language)
    a, b = day(low, language, like=turned), day(high, language, like=turned)
    if language == "zh-CN":
        return f"约在 {at}" + ("" if a == b else f"（八成把握在 {a} 至 {b} 之间）")
    return f"about {at}" + ("" if a == b else f" (80 % sure: between {a} and {b})")


def minute(at: datetime, timezone: str) -> str:
    """A time on the clock of the workspace.

    >>> from datetime import UTC
    >>> minute(datetime(2026, 4, 14, 16, 5, tzinfo=UTC), "Asia/Shanghai")
    '2026-04-15 00:05'
    """
    return f"{at.astimezone(ZoneInfo(timezone)):%Y-%m-%d %H:%M}"


def odds(nats: float, language: Language) -> str:
    """Evidence in nats as odds with two digits.

    >>> odds(9.55, "zh-CN"), odds(-1.2, "en"), odds(40, "zh-CN")
    ('14 000 : 1', '1 : 3.3', '超过 1 000 000 : 1')
    """
    if abs(nats) > 13.8:
        many = "超过 1 000 000" if language == "zh-CN" else "over 1 000 000"
        return f"{many} : 1" if nats > 0 else f"1 : {many}"
    ratio = exp(abs(nats))
    digits = f"{float(f'{ratio:.2g}'):,.0f}".replace(",", " ") if ratio >= 10 else f"{ratio:.1f}".removesuffix(".0")
    return f"{digits} : 1" if nats >= 0 else f"1 : {digits}"


def percent(probability: float) -> str:
    """
    >>> percent(.934), percent(.999)
    ('93%', '99%')
    """
    return f"{min(99, round(probability * 100))}%"


def promise(per_1000_koc_years: float, language: Language) -> str:
    """The promise behind the threshold.

    >>> promise(1, "zh-CN"), promise(10, "en")
    ('每 1000 KOC·年误报不超过 1 次', 'at most 10 false alarms per 1000 KOC-years')
    """
    if language == "zh-CN":
        return f"每 1000 KOC·年误报不超过 {per_1000_koc_years:g} 次"
    return f"at most {per_1000_koc_years:g} false alarm{'' if per_1000_koc_years == 1 else 's'} per 1000 KOC-years"
