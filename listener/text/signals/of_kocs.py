"""Grave post, defection, unresolved feedback, accusation: what is told of a KOC because of what a few posts say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from listener.text import phrases
from listener.text.quotes import line_of
from listener.text.signals.wording import Fact, Told, before, ended, local, note, titles
from listener.text.views import AlertView
from listener.text.words import word


def grave_post(view: AlertView, e: Mapping[str, Any], zh: bool) -> Told:
    """One post that must be answered today."""
    if e["cue"] == "expose":
        head = "发布爆料内容" if zh else "an exposé"
    else:
        head = "发布有凭据的长篇投诉" if zh else "a long complaint with evidence"
    facts: list[Fact] = [before(view, e, zh)] if e["before_n"] else []
    cue = word("cue", e["cue"], view.language)
    facts += [
        ("线索", f"{cue}：「{line_of(e['words'])}」") if zh else ("Cue", cue),
        ("这一条", f"判断为负面的把握 {phrases.percent(e['against'])}")
        if zh
        else ("This one", f"{phrases.percent(e['against'])} sure to be against the brand"),
        ("说明", "单独一条即预警，不等态度转变；同一内容 30 天内只报一次。请先核实事实，再公开回应")
        if zh
        else ("Mind", "told by itself, apart from any turn, once in 30 days: check the facts, then answer in public"),
        *ended(view, "又连续称赞" if zh else "praised it again", zh),
    ]
    return Told(head, tuple(facts), *titles("这一条怎么说", "What was said", zh), note(zh), "red")


def defection(view: AlertView, e: Mapping[str, Any], zh: bool) -> Told:
    """The KOC leaves for a rival."""
    rival, n = line_of(e["rival"]), e["row_n"]
    if n:
        head = f"近 {n} 条称赞都给了{rival}" if zh else f"the last {n} praises all went to {rival}"
        how = (
            f"连续 {n} 条称赞{rival}，其间没有称赞本品牌；这段时间的时间线都读到了底"
            if zh
            else f"{n} praises of {rival} in a row and none of the brand, over timelines that were read to their ends"
        )
    else:
        head = f"表示离开，并称赞{rival}" if zh else f"says it leaves, and praises {rival}"
        said, how = f"「{line_of(e['words'])}」", f"words of leaving, with praise of {rival} within 14 days"
        if e["cue"] == "switch":
            head, how = f"表示改用{rival}" if zh else f"moves to {rival}", f"words of moving to {rival}"
        elif zh:
            said += f"，并在 14 天内称赞{rival}"
        how = said if zh else how
    facts: list[Fact] = [before(view, e, zh)] if e["before_n"] else []
    praised = e["praised_n"]
    facts += [
        ("此前称赞", f"{praised} 条称赞本品牌") if zh else ("Praise before", f"{praised} mentions praised the brand"),
        ("依据", how) if zh else ("Shown by", how),
        ("说明", "先问候、先倾听：多半有一个没被解决的原因，不比价、不挽留话术")
        if zh
        else ("Mind", "ask and listen: there mostly is a cause that nobody solved; no price talk, no scripts"),
        *ended(view, "又连续称赞" if zh else "praised it again", zh),
    ]
    return Told(head, tuple(facts), *titles("怎么说", "What was said", zh), note(zh), "amber")


def unresolved_feedback(view: AlertView, e: Mapping[str, Any], zh: bool) -> Told:
    """The same cause was raised again."""
    times, cause = e["times"], word("cause", e["cause"], view.language)
    head = f"第 {times} 次反映{cause}问题" if zh else f"{cause} raised {times} times"
    first = local(view, e["first_at"])
    since = phrases.day(first, view.language)
    days = (local(view, view.alert.fired_at.isoformat()).date() - first.date()).days
    facts: list[Fact] = [before(view, e, zh)] if e["before_n"] else []
    facts.append(
        ("首次反映", f"{since}，到最近一次已过 {days} 天")
        if zh
        else ("First raised", f"{since}; {days} days open at the last one")
    )
    if e["unsolved"]:
        facts.append(("自述", f"「{line_of(e['unsolved'])}」") if zh else ("Says", "that it was not solved"))
    facts += [
        ("说明", "只看内容本身；团队是否已答复，以处置单记录为准。反复反映而没有下文，是支持者流失的常见原因")
        if zh
        else ("Mind", "posts alone are read here; whether the team has answered is in the case. It is how advocates are lost"),
        *ended(view, "又连续称赞" if zh else "praised it again", zh),
    ]
    return Told(head, tuple(facts), *titles("先后怎么说", "What was said, in order", zh), note(zh), "amber")


def accusation(view: AlertView, e: Mapping[str, Any], zh: bool) -> Told:
    """Others say that the KOC is too close to the brand."""
    n, posts = e["authors_n"], e["posts_n"]
    paid = e["paid"]
    if zh:
        head = f"{n} 人质疑其{'收钱发帖' if paid else '只说好话'}"
    else:
        who = "person accuses" if n == 1 else "people accuse"
        head = f"{n} {who} the KOC of {'being paid' if paid else 'one-sided praise'}"
    facts: list[Fact] = [
        ("范围", f"{n} 人，{e['voices_n']} 条，在其 {posts} 条内容下")
        if zh
        else ("How many", f"{e['voices_n']} answers by {n} {'author' if n == 1 else 'authors'} to {posts} of the KOC's posts"),
    ]
    spoken = "、".join(f"「{line_of(one)}」" for one in e["words"])
    charge = "that money was paid" if paid else "that only the good is told"
    facts.append(("原话", spoken) if zh else ("They say", charge))
    facts.append(
        ("说明", "这是别人对 KOC 的说法，不是 KOC 的态度。先私下问候、站在 KOC 一边，不要求其删评、不代为争辩")
        if zh
        else (
            "Mind",
            "others say it, it is no stance of the KOC: stand by the KOC in private, ask for no deletion, argue with nobody",
        )
    )
    answered, said = ("被质疑的内容", "别人怎么说") if zh else ("What was answered", "What others said")
    return Told(head, tuple(facts), answered, said, note(zh), "calm")
