"""What an alert that is of no drift says: its evidence → a headline, facts, titles, in zh-CN and English."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal, TypeAlias
from zoneinfo import ZoneInfo

from listener.text import phrases
from listener.text.views import AlertView
from listener.text.words import word

Fact: TypeAlias = tuple[str, str]  # label, sentence


@dataclass(frozen=True, slots=True)
class Told:
    """The words of one kind of alert. before_title, quotes_title: what stands over the two groups of posts. chart_note: what
    the chart shows."""

    headline: str
    facts: tuple[Fact, ...]
    before_title: str
    quotes_title: str
    chart_note: str
    tone: Literal["amber", "calm"] = "calm"


def told_of(view: AlertView) -> Told | None:
    """The words of a signal's alert; None for a drift, for a kind nobody has words for, and where its evidence is not there."""
    teller = _TELLERS.get(view.alert.kind)
    if teller is None:
        return None
    try:
        return teller(view, dict(view.alert.evidence), view.language == "zh-CN")
    except KeyError:
        return None


def _first_negative(view: AlertView, e: Mapping[str, Any], zh: bool) -> Told:
    leaves = word("cue", e["cue"], view.language) if e["cue"] else ""
    if e["since_last"] == e["before_n"]:
        head = "首次出现明确的负面内容" if zh else "the first post clearly against the brand"
    else:
        head = (
            f"{e['since_last']} 条提及以来第一条明确的负面"
            if zh
            else f"the first clearly against it in {e['since_last']} mentions"
        )
    facts = [_before(view, e, zh)]
    sure = phrases.percent(e["against"])
    facts.append(("这一条", f"判断为负面的把握 {sure}") if zh else ("This one", f"{sure} sure to be against the brand"))
    if leaves:
        facts[-1] = (facts[-1][0], f"{facts[-1][1]}{'；' if zh else '; '}{leaves}")
        head += f"，{leaves}" if zh else f", and {leaves}"
    facts.append(
        ("说明", "一条负面不等于态度转变。这是给对接人的安静提示，不开公开处置单")
        if zh
        else ("Mind", "one post is no turn: a quiet notice for the owner, no public case")
    )
    promised = e["promised_per_1000_koc_years"]
    facts.append(
        ("承诺", f"每 1000 KOC·年，忠实者的此类提示不超过 {promised:g} 条")
        if zh
        else ("Promise", f"at most {promised:g} such notices per 1000 KOC-years of loyal advocates")
    )
    facts += _ended(view, "又连续称赞" if zh else "praised it again", zh)
    return Told(head, tuple(facts), *_titles("这一条怎么说", "What was said", zh), _note(zh))


def _silence(view: AlertView, e: Mapping[str, Any], zh: bool) -> Told:
    days, gap = round(e["allowed_days"]), e["mean_gap_days"]
    head = f"已 {days} 天没有提及本品牌" if zh else f"no mention of the brand for {days} days"
    last = phrases.day(_local(view, e["last_at"]), view.language)
    facts = [
        _before(view, e, zh),
        ("节奏", f"此前平均每 {gap:g} 天提及一次") if zh else ("Rhythm", f"a mention every {gap:g} days on average"),
        ("最后提及", last) if zh else ("Last one", last),
        ("依据", "这段时间里，这位 KOC 所有账号的时间线都读到了底：是没说，不是没听到")
        if zh
        else ("Heard", "all timelines of this KOC were read to their ends in that time: nothing was said, not nothing heard"),
        *_ended(view, "再次提及" if zh else "spoke of it again", zh),
    ]
    return Told(head, tuple(facts), *_titles("最后一次怎么说", "What was said last", zh), _note(zh))


def _praise_withdrawal(view: AlertView, e: Mapping[str, Any], zh: bool) -> Told:
    run = e["run_n"]
    head = f"近 {run} 条提及都没有称赞" if zh else f"the last {run} mentions hold no praise"
    last = phrases.day(_local(view, e["praised_at"]), view.language)
    facts = [
        ("此前", f"{e['before_n']} 条提及中 {e['praised_n']} 条称赞（平均态度 {phrases.mean(e['before_mean'])}）")
        if zh
        else (
            "Before",
            f"praise in {e['praised_n']} of {e['before_n']} mentions (mean stance {phrases.mean(e['before_mean'])})",
        ),
        ("最后称赞", last) if zh else ("Last praise", last),
        ("此后", f"{run} 条提及，不褒也不贬") if zh else ("Since", f"{run} mentions, neither for nor against"),
        *_ended(view, "再次称赞" if zh else "praised it again", zh),
    ]
    return Told(head, tuple(facts), *_titles("此后怎么说", "What has been said since", zh), _note(zh))


def _brand_shift(view: AlertView, e: Mapping[str, Any], zh: bool) -> Told:
    head = "公众口碑整体转差" if zh else "the public's mood has fallen"
    first, last = date.fromisoformat(e["first"]), date.fromisoformat(e["last"])
    a, b = phrases.day(first, view.language), phrases.day(last, view.language, like=first)
    ended = view.alert.ended_at is not None
    if ended:
        head += f"，{e['days']} 天后恢复" if zh else f", and recovered after {e['days']} days"
    before, worst = phrases.mean(e["before_mean"]), phrases.mean(e["worst_mean"])
    span = (
        (f"{a} 至 {b}，共 {e['days']} 天，已恢复" if ended else f"{a} 起，仍在持续")
        if zh
        else (f"{a} to {b}, {e['days']} days, recovered" if ended else f"since {a}, it goes on")
    )
    facts = (
        ("此前", f"平均态度 {before}（{e['before_n']} 条）")
        if zh
        else ("Before", f"mean stance {before} ({e['before_n']} mentions)"),
        ("最差一周", f"平均 {worst}（{e['worst_n']} 条）") if zh else ("Worst week", f"mean {worst} ({e['worst_n']} mentions)"),
        ("期间", span) if zh else ("Span", span),
        ("谁在说", "名单以外的公众；KOC 自己的内容没有算在内")
        if zh
        else ("Who", "the public; what KOCs of the roster wrote is not counted"),
        ("同时", "单个 KOC 的黄色预警暂缓，等其证据明显超出大盘，或波动结束；红色预警照常")
        if zh
        else ("Meanwhile", "ambers of single KOCs wait until they stand out against the market, or it is over; reds do not"),
    )
    note = (
        "纵轴：公众每天对品牌的平均态度，+1 支持，−1 负面。"
        if zh
        else "Vertical: the public's mean stance toward the brand, day by day, +1 in favor, −1 against."
    )
    return Told(head, facts, *_titles("公众怎么说", "What the public says", zh), note, "amber")


def _before(view: AlertView, e: Mapping[str, Any], zh: bool) -> Fact:
    tendency, mean = phrases.tendency(e["before_mean"], view.language), phrases.mean(e["before_mean"])
    if zh:
        return "此前", f"{e['before_n']} 条提及{tendency}（平均态度 {mean}）"
    return "Before", f"{e['before_n']} mentions, {tendency} (mean stance {mean})"


def _ended(view: AlertView, what: str, zh: bool) -> list[Fact]:
    if view.alert.ended_at is None:
        return []
    at = phrases.day(view.alert.ended_at.astimezone(ZoneInfo(view.timezone)), view.language)
    return [("后来", f"{at} {what}") if zh else ("Then", f"{what} on {at}")]


def _titles(zh_title: str, en_title: str, zh: bool) -> tuple[str, str]:
    return ("此前怎么说", zh_title) if zh else ("What was said before", en_title)


def _note(zh: bool) -> str:
    if zh:
        return "纵轴：对品牌的态度，+1 支持，−1 负面。● 原创提及　○ 转发"
    return "Vertical: stance toward the brand, +1 in favor, −1 against. ● own words, ○ reposts"


def _local(view: AlertView, at: str) -> datetime:
    return datetime.fromisoformat(at).astimezone(ZoneInfo(view.timezone))


_TELLERS: Final[Mapping[str, Callable[[AlertView, Mapping[str, Any], bool], Told]]] = {
    "first-negative": _first_negative,
    "silence": _silence,
    "praise-withdrawal": _praise_withdrawal,
    "brand-shift": _brand_shift,
}
