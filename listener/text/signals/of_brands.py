"""What is told of a brand as a whole: the public's mood."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from listener.text import phrases
from listener.text.signals.wording import Told, titles
from listener.text.views import AlertView


def brand_shift(view: AlertView, e: Mapping[str, Any], zh: bool) -> Told:
    """The public speaks worse of the brand."""
    head = "公众口碑整体转差" if zh else "the public's mood has fallen"
    first, last = date.fromisoformat(e["first"]), date.fromisoformat(e["last"])
    a, b = phrases.day(first, view.language), phrases.day(last, view.language, like=first)
    ended = view.alert.ended_at is not None
    if ended:
        head += f"，{e['days']} 天后恢复" if zh else f", and recovered after {e['days']} days"
    usual, worst = phrases.mean(e["before_mean"]), phrases.mean(e["worst_mean"])
    span = (
        (f"{a} 至 {b}，共 {e['days']} 天，已恢复" if ended else f"{a} 起，仍在持续")
        if zh
        else (f"{a} to {b}, {e['days']} days, recovered" if ended else f"since {a}, it goes on")
    )
    facts = (
        ("此前", f"平均态度 {usual}（{e['before_n']} 条）")
        if zh
        else ("Before", f"mean stance {usual} ({e['before_n']} mentions)"),
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
    return Told(head, facts, *titles("公众怎么说", "What the public says", zh), note, "amber")
