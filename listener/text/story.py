"""AlertView → Story: every sentence an alert says, as plain words that all faces share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias
from zoneinfo import ZoneInfo

from listener.text import phrases
from listener.text.quotes import cut, line_of, link_of, quote_of
from listener.text.signals.tellers import told_of
from listener.text.views import AlertView, Language, Quote, StanceCode, evidence_of
from listener.text.words import word
from storage.records import OPERATIONAL_KINDS, Evidence

Tone: TypeAlias = Literal["red", "amber", "calm"]
Fact: TypeAlias = tuple[str, str]  # label, sentence
MOST_QUOTES: Final = 8
LONGEST_NAME: Final = 80  # characters; a name that somebody made long pushes nothing off the screen

# The ladder of each kind of case: what a mature team does, in order. No step presses, deletes or ends a cooperation.
LADDERS: Final = {
    "public": ("acknowledge", "route", "verify", "resolve", "follow-up", "close"),
    "private": ("thank", "support", "resolve", "publish", "close"),
    "care": ("contact", "fix", "record", "close"),
}
HINTS: Final = {
    "acknowledge": (
        "在原帖下公开感谢，说明已经看到、正在核实；不辩解，不私下施压。",
        "Thank under the post itself, say that you have read it and are looking into it; no excuses, no pressure in private.",
    ),
    "route": (
        "按原因转给对应部门（产品、品控、客服、物流……），写明对接人和期限。",
        "Bring it to the department of its cause (product, quality, service, delivery …) with an owner and a date.",
    ),
    "verify": (
        "核实批次、订单和沟通记录，记下核实人和结论。",
        "Check batch, order and conversation; write down who checked and what was found.",
    ),
    "resolve": (
        "解决问题，或承诺措施与期限，并记入承诺台账。",
        "Solve it, or promise measures with a date, and keep the promise on record.",
    ),
    "follow-up": (
        "回到原帖公开说明：核实结果、将改什么、何时完成。",
        "Return to the post and say in public what was found, what will change and by when.",
    ),
    "thank": ("先感谢群里提出问题的人。", "First thank the one who raised it in the group."),
    "support": (
        "私下问候这位 KOC，听他说完，说明会站在事实一边。",
        "Talk to the KOC in private, listen, and stand by the facts.",
    ),
    "publish": ("把核实结果与措施公布在群里。", "Publish what was found and what will be done in the group."),
    "contact": (
        "由对接人问候，只问近况和使用感受，不提监测或评分。",
        "The owner gets in touch and asks how things are; monitoring or scores are never mentioned.",
    ),
    "fix": ("当场解决，或给出带期限的承诺。", "Fix it at once, or promise it with a date."),
    "record": ("记下对方的回应和已做的事。", "Write down the answer and what was done."),
    "close": ("答复已发出，对方的反应记下后结案。", "Close the case once the answer is out and how it was taken is noted."),
}
_QUIET: Final = frozenset({"first-negative", "silence", "praise-withdrawal"})  # ask for a visit, not for a public answer
_MARKS: Final[dict[StanceCode, str]] = {"favor": "▲", "against": "▼", "none": "■"}


@dataclass(frozen=True, slots=True)
class Line:
    """One quoted post, ready to print. mark: a shape for the stance, so that no color is needed to read it. is_tip: the alert
    fired at this post."""

    at: str
    where: str
    stance: StanceCode
    mark: str
    stance_words: str
    text: str
    url: str
    is_tip: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    word: str
    place: Literal["done", "due", "later"]


@dataclass(frozen=True, slots=True)
class Story:
    """What an alert says. badge: level in words; facts: what was before and after, turn point, innocent explanation, promise;
    details: the odds and versions, for who wants to check; steps: the case's ladder; hint: what the next step means.
    case_command: what shows the case on a terminal, "" where there is none; note: what is not shown here, and why.
    before_title, quotes_title, chart_note: what stands over the two groups of posts, and under the chart."""

    language: Language
    tone: Tone
    badge: str
    severity: str
    brand: str
    name: str
    headline: str
    chance: str
    fired: str
    facts: tuple[Fact, ...]
    before: tuple[Line, ...]
    quotes: tuple[Line, ...]
    more_quotes: str
    next_title: str
    next_word: str
    hint: str
    guard: str
    steps: tuple[Step, ...]
    case_line: str
    case_url: str
    details: tuple[Fact, ...]
    key: str
    owner: str
    before_title: str = ""
    quotes_title: str = ""
    chart_note: str = ""
    case_command: str = ""
    note: str = ""


def story_of(view: AlertView) -> Story:
    """Every sentence of the alert, in the view's language."""
    alert, zh = view.alert, view.language == "zh-CN"
    evidence = evidence_of(alert.evidence)
    quotes, left_out = _quotes(view)
    is_abroad = view.withheld == "abroad"
    told = None if is_abroad else told_of(view)
    is_public = alert.level == "red" or alert.kind in ("brand-shift", "grave-post")
    variant = view.case.variant if view.case else "public" if is_public else "care"
    next_step = view.case.next_step if view.case else LADDERS[variant][0]
    is_due = alert.kind in OPERATIONAL_KINDS and view.case is None
    is_elsewhere = alert.kind in _QUIET and variant != "care"
    next_word, hint = _answered_in_case(view, next_step) if is_elsewhere else _next(view, next_step, is_due)
    return Story(
        language=view.language,
        tone=alert.level or (told.tone if told else "calm"),
        badge=(
            word("level", alert.level, view.language)
            if alert.level and alert.kind not in OPERATIONAL_KINDS
            else word("alert-kind", alert.kind, view.language)
        ),
        severity=word("severity", alert.severity, view.language),
        brand=cut(line_of(alert.brand), LONGEST_NAME),
        name=cut(line_of(view.name), LONGEST_NAME),
        headline=_capital(headline(view, evidence)),
        chance=_capital(phrases.chance(evidence.posterior, view.language)) if evidence else "",
        fired=phrases.minute(alert.fired_at, view.timezone),
        facts=(
            *(_counted(view) if is_abroad else _facts(view, evidence) if evidence else told.facts if told else ()),
            *_about(view),
            *(() if is_abroad else view.beside),
        ),
        before=tuple(_line(view, each) for each in view.before),
        quotes=quotes,
        more_quotes=_more(left_out, view) if left_out else "",
        next_title="下一步" if zh else "Next step",
        next_word=next_word,
        hint=hint,
        guard=""
        if is_due
        else (
            "真实的批评，不以施压、删帖或终止合作来回应。"
            if zh
            else "Genuine criticism is never answered by pressing, deleting or ending the cooperation."
        ),
        steps=() if is_due or is_elsewhere else _steps(variant, next_step, view.language),
        case_line=_case_line(view),
        case_url=link_of(view.case_url),
        details=_details(view, evidence),
        key=alert.key,
        owner=cut(line_of(view.koc.owner), LONGEST_NAME) if view.koc else "",
        case_command=f"listener cases show {view.case.key[:12]}" if view.case else "",
        note=_capital(_note_of(view)),
        before_title=told.before_title if told else "此前怎么说" if zh else "What was said before",
        quotes_title=told.quotes_title if told else "转折以来怎么说" if zh else "What has been said since the turn",
        chart_note=told.chart_note if told else "",
    )


def headline(view: AlertView, evidence: Evidence | None) -> str:
    """The alert in one sentence about the posts.

    Without evidence that there are words for, the sentence counts what is quoted."""
    if evidence:
        return phrases.turned_share(evidence.after_against, evidence.after_n, view.language)
    if view.withheld == "abroad":  # the words of other kinds may name people
        return word("alert-kind", view.alert.kind, view.language)
    if told := told_of(view):
        return told.headline
    if view.quotes:
        against = sum(each.stance == "against" for each in view.quotes)
        return phrases.turned_share(against, len(view.quotes), view.language)
    return word("alert-kind", view.alert.kind, view.language)


def _counted(view: AlertView) -> tuple[Fact, ...]:
    """What may be told abroad: how many posts make the evidence."""
    n = len(view.quotes)
    return (("依据", f"{n} 条内容"),) if view.language == "zh-CN" else (("Evidence", f"{n} posts"),)


def _note_of(view: AlertView) -> str:
    """What is not shown, why, and where it is."""
    if not view.withheld:
        return ""
    koc = line_of(view.alert.koc_id)
    shows = f"listener explain {koc}" if koc else "listener alerts"
    where = f"listener cases show {view.case.key[:12]}" if view.case else shows
    return f"{word('withheld', view.withheld, view.language)}{'：' if view.language == 'zh-CN' else ': '}{where}"


def _about(view: AlertView) -> tuple[Fact, ...]:
    """What the criticism is about and who answers for it; nothing where no cause was read."""
    if not view.causes:
        return ()
    zh, departments = view.language == "zh-CN", dict(view.departments)
    told = []
    for code, n in view.causes:
        who = line_of(departments.get(code, ""))
        cause = word("cause", code, view.language)
        told.append(f"{cause} {n} 条{f'（{who}）' if who else ''}" if zh else f"{cause} {n}{f' ({who})' if who else ''}")
    return (("涉及", "、".join(told)) if zh else ("About", ", ".join(told)),)


def _facts(view: AlertView, e: Evidence) -> tuple[Fact, ...]:
    zh, lang = view.language == "zh-CN", view.language
    turned = _local(view.alert.turned_at or e.turn_low, view)
    since = phrases.day(turned, lang, like=_local(view.alert.fired_at, view))
    facts: list[Fact] = []
    if e.before_n:
        told = phrases.tendency(e.before_mean, lang)
        facts.append(
            ("此前", f"{e.before_n} 条提及{told}（平均态度 {phrases.mean(e.before_mean)}）")
            if zh
            else ("Before", f"{e.before_n} mentions, {told} (mean stance {phrases.mean(e.before_mean)})")
        )
    told = phrases.tendency(e.after_mean, lang)
    negative = (
        ("全部为负面" if zh else "all of them negative")
        if e.after_against == e.after_n
        else (f"其中 {e.after_against} 条为负面" if zh else f"{e.after_against} of them negative")
    )
    facts.append(
        ("此后", f"{since}以来 {e.after_n} 条{told}（平均 {phrases.mean(e.after_mean)}），{negative}")
        if zh
        else ("Since", f"{e.after_n} since {since}, {told} (mean {phrases.mean(e.after_mean)}), {negative}")
    )
    point = phrases.turn_point(turned, _local(e.turn_low, view), _local(e.turn_high, view), lang)
    facts.append(("转折点" if zh else "Turn point", point))
    closest = word("closest", e.closest, lang)
    facts.append(
        ("也可能是", f"{closest}。这是最接近的无害解释，请先核对")
        if zh
        else ("Or else", f"{closest}: the closest innocent explanation")
    )
    facts.append(("承诺" if zh else "Promise", phrases.promise(e.promise_per_1000_koc_years, lang)))
    return tuple(facts)


def _details(view: AlertView, e: Evidence | None) -> tuple[Fact, ...]:
    zh, lang, details = view.language == "zh-CN", view.language, list[Fact]()
    if e:
        rivals = (("advocate", e.log_odds_advocate), ("never", e.log_odds_never), ("cooled", e.log_odds_cooled))
        for code, nats in rivals:
            label = word("closest-short", code, lang)
            details.append((f"证据比，对「{label}」" if zh else f"Odds against “{label}”", phrases.odds(nats, lang)))
        details.append(
            (
                "真转变的概率" if zh else "Chance of a true turn",
                phrases.percent(e.posterior),
            )
        )
        details.append(("校准版本" if zh else "Calibration", line_of(e.calibration)))
    if view.alert.koc_id:
        details.append(("KOC 编号" if zh else "KOC id", line_of(view.alert.koc_id)))
    details.append(("预警键" if zh else "Alert key", view.alert.key))
    return tuple(details)


def _quotes(view: AlertView) -> tuple[tuple[Line, ...], int]:
    """The posts with the most evidence and the one that tipped it, in order; and how many are left out."""
    if view.withheld == "abroad":
        return (), 0
    if len(view.quotes) <= MOST_QUOTES:
        chosen = list(view.quotes)
    else:
        ranked = sorted(view.quotes[:-1], key=lambda each: (-(each.nats or 0.0), each.posted_at, each.key))
        chosen = sorted([*ranked[: MOST_QUOTES - 1], view.quotes[-1]], key=view.quotes.index)
    return tuple(_line(view, each) for each in chosen), len(view.quotes) - len(chosen)


def _line(view: AlertView, each: Quote) -> Line:
    lang = view.language
    text = quote_of(each.text, lang)
    unread = word("unscored", each.unread, lang) if each.unread else ""
    where = word("platform", line_of(each.key.platform), lang)
    if each.kind != "post":
        where += f" · {word('post-kind', each.kind, lang)}"
    return Line(
        at=phrases.minute(each.posted_at, view.timezone),
        where=where,
        stance="none" if unread else each.stance,
        mark="□" if unread else _MARKS[each.stance],
        stance_words=unread or f"{word('stance', each.stance, lang)} {phrases.percent(each.probability)}",
        text=text or f"（{word('withheld-short', each.withheld, lang) if each.withheld else word('unscored', 'empty', lang)}）",
        url=link_of(each.url),
        is_tip=each.posted_at == view.alert.fired_at and bool(view.quotes) and each.key == view.quotes[-1].key,
    )


def _more(left_out: int, view: AlertView) -> str:
    koc = line_of(view.alert.koc_id)
    if not koc:
        return f"另有 {left_out} 条未列出" if view.language == "zh-CN" else f"{left_out} more are left out"
    if view.language == "zh-CN":
        return f"另有 {left_out} 条未列出，查看全部：listener explain {koc}"
    return f"{left_out} more are left out; see all of them: listener explain {koc}"


def _steps(variant: str, next_step: str, language: Language) -> tuple[Step, ...]:
    ladder = LADDERS.get(variant, LADDERS["public"])
    due = ladder.index(next_step) if next_step in ladder else -1
    return tuple(
        Step(word("step", code, language), "done" if at < due else "due" if at == due else "later")
        for at, code in enumerate(ladder)
    )


def _next(view: AlertView, next_step: str, is_due: bool) -> Fact:
    """The next step, and what it means."""
    if is_due:
        kind = view.alert.kind
        return word("operational-step", kind, view.language), word("operational-hint", kind, view.language)
    return word("step", next_step, view.language), HINTS.get(next_step, ("", ""))[view.language != "zh-CN"]


def _answered_in_case(view: AlertView, next_step: str) -> Fact:
    """What a quiet notice asks for whose KOC has a case of a graver alert: nothing by itself."""
    variant = word("variant", view.case.variant if view.case else "public", view.language)
    step = word("step", next_step, view.language)
    if view.language == "zh-CN":
        due = f"，现在该做「{step}」" if next_step else "，已结案"
        return "看处置单", f"这条提示本身不用公开回应：另有更重的预警，由「{variant}」的处置单答复{due}。"
    due = f"; due there: {step}" if next_step else "; it is closed"
    return (
        "See the case",
        f"This notice asks for no public answer by itself: there is a graver alert, whose case ({variant}) answers{due}.",
    )


def _case_line(view: AlertView) -> str:
    if view.case is None:
        return ""
    variant, state = word("variant", view.case.variant, view.language), word("case-state", view.case.state, view.language)
    label = "处置单" if view.language == "zh-CN" else "Case"
    return f"{label} {view.case.key[:12]} · {variant} · {state}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _local(at: datetime, view: AlertView) -> datetime:
    return at.astimezone(ZoneInfo(view.timezone))
