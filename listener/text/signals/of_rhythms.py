"""First negative, silence, praise withdrawal: what is told of a KOC measured against its own past."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from listener.text import phrases
from listener.text.signals.wording import Told, before, ended, local, note, titles
from listener.text.views import AlertView
from listener.text.words import word


def first_negative(view: AlertView, e: Mapping[str, Any], zh: bool) -> Told:
    """The first post against the brand."""
    leaves = word("cue", e["cue"], view.language) if e["cue"] else ""
    if leaning := e.get("leaning", 0):  # notices of before it was counted have none
        head = (
            f"写下明确的负面内容；此前 {e['since_last']} 条提及中有 {leaning} 条偏负面"
            if zh
            else f"a post clearly against it; of {e['since_last']} before, {leaning} leaned that way"
        )
    elif e["since_last"] == e["before_n"]:
        head = "首次出现明确的负面内容" if zh else "the first post clearly against the brand"
    else:
        head = (
            f"{e['since_last']} 条提及以来第一条明确的负面"
            if zh
            else f"the first clearly against it in {e['since_last']} mentions"
        )
    facts = [before(view, e, zh)]
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
    facts += ended(view, "又连续称赞" if zh else "praised it again", zh)
    return Told(head, tuple(facts), *titles("这一条怎么说", "What was said", zh), note(zh))


def silence(view: AlertView, e: Mapping[str, Any], zh: bool) -> Told:
    """No mention for long."""
    days, gap = round(e["allowed_days"]), e["mean_gap_days"]
    head = f"已 {days} 天没有提及本品牌" if zh else f"no mention of the brand for {days} days"
    last = phrases.day(local(view, e["last_at"]), view.language)
    facts = [
        before(view, e, zh),
        ("节奏", f"此前平均每 {gap:g} 天提及一次") if zh else ("Rhythm", f"a mention every {gap:g} days on average"),
        ("最后提及", last) if zh else ("Last one", last),
        ("依据", "这段时间里，这位 KOC 所有账号的时间线都读到了底：是没说，不是没听到")
        if zh
        else ("Heard", "all timelines of this KOC were read to their ends in that time: nothing was said, not nothing heard"),
        *ended(view, "再次提及" if zh else "spoke of it again", zh),
    ]
    return Told(head, tuple(facts), *titles("最后一次怎么说", "What was said last", zh), note(zh))


def praise_withdrawal(view: AlertView, e: Mapping[str, Any], zh: bool) -> Told:
    """Mentions without praise."""
    run = e["run_n"]
    head = f"近 {run} 条提及都没有称赞" if zh else f"the last {run} mentions hold no praise"
    last = phrases.day(local(view, e["praised_at"]), view.language)
    facts = [
        ("此前", f"{e['before_n']} 条提及中 {e['praised_n']} 条称赞（平均态度 {phrases.mean(e['before_mean'])}）")
        if zh
        else (
            "Before",
            f"praise in {e['praised_n']} of {e['before_n']} mentions (mean stance {phrases.mean(e['before_mean'])})",
        ),
        ("最后称赞", last) if zh else ("Last praise", last),
        ("此后", f"{run} 条提及，没有称赞，也没有明确的批评")
        if zh
        else ("Since", f"{run} mentions, without praise or clear criticism"),
        *ended(view, "再次称赞" if zh else "praised it again", zh),
    ]
    return Told(head, tuple(facts), *titles("此后怎么说", "What has been said since", zh), note(zh))
