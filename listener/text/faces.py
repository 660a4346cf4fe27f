"""Letters and alerts → subjects, plain texts, HTML, chats: templates filled with words that are already made."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from typing import Any, Final

from listener.text import phrases
from listener.text.chart import svg_of
from listener.text.quotes import cut, line_of
from listener.text.story import Story, headline, story_of
from listener.text.templates import rendered
from listener.text.views import AlertView, Letter, evidence_of
from listener.text.words import word

MOST_ROWS: Final = 200  # of a summary that are told in words; the keys of all stand below
WHOLE: Final = ("alert", "escalation")  # kinds of letters that tell one alert in full
_LEVELS: Final = {"red": 2, "amber": 1}


def main_view(letter: Letter) -> AlertView:
    """The alert that a letter is about: the strongest, then the newest. The others are told beside it."""
    return max(letter.views, key=lambda view: (_LEVELS.get(view.alert.level or "", 0), view.alert.fired_at, view.alert.key))


def subject_of(letter: Letter) -> str:
    """One short line, the most important first; the team's template may say it in other words.

    At most 80 characters: a phone shows some 40."""
    own = _own_subject(letter)
    if not letter.templates:
        return own
    values = {"letter": letter, "zh": letter.language == "zh-CN", "subject": own, "trouble": ""}
    text, _ = rendered("subject.txt.j2", values, letter.language, letter.templates)
    return cut(line_of(text), 120) or own


def _own_subject(letter: Letter) -> str:
    zh = letter.language == "zh-CN"
    if letter.kind == "test":
        return f"【测试】渠道「{line_of(letter.channel)}」可用" if zh else f"[Test] channel “{line_of(letter.channel)}” works"
    if letter.kind == "alert":
        view = main_view(letter)
        level, severity = story_of(view).badge, word("severity", view.alert.severity, letter.language)
        told = headline(view, evidence_of(view.alert.evidence))
        brand, name = line_of(view.alert.brand), line_of(view.name)
        return (
            f"【{level}·{severity}】{brand}｜{name}：{told}"[:80]
            if zh
            else f"[{level}, {severity}] {brand}: {name}, {told}"[:120]
        )
    brands = "、".join(dict.fromkeys(line_of(view.alert.brand) for view in letter.views))[:30]
    many = len({view.alert.koc_id for view in letter.views})
    if letter.kind == "summary":
        if all(view.alert.kind == "drift" for view in letter.views):
            return (
                f"【汇总】{brands}：{many} 位 KOC 较早的态度转变" if zh else f"[Summary] {brands}: earlier turns of {many} KOCs"
            )
        n = len(letter.views)
        return f"【汇总】{brands}：{n} 条较早的预警" if zh else f"[Summary] {brands}: {n} earlier alerts"
    if letter.kind in ("digest", "storm", "escalation"):
        return _many_subject(letter, brands)
    names = "、".join(dict.fromkeys(line_of(view.name) for view in letter.views))
    if zh:
        return f"【更正】{brands}｜{names}：先前的预警不再成立"[:80]
    return f"[Correction] {brands}: {names}, an earlier alert no longer stands"[:120]


def _many_subject(letter: Letter, brands: str) -> str:
    zh, n = letter.language == "zh-CN", len(letter.views)
    if letter.kind == "storm":
        return f"【预警风暴】{brands}：{n} 条预警同时到来" if zh else f"[Storm] {brands}: {n} alerts at once"
    if letter.kind == "digest":
        return f"【摘要】{brands}：{n} 条较轻的预警" if zh else f"[Digest] {brands}: {n} milder alerts"
    view = main_view(letter)
    told = headline(view, evidence_of(view.alert.evidence))
    brand, name = line_of(view.alert.brand), line_of(view.name)
    if is_mixed(letter):
        return f"【无人接手】{brands}：{n} 条预警到时无人接手" if zh else f"[Nobody took them on] {brands}: {n} alerts"
    return f"【无人接手】{brand}｜{name}：{told}"[:80] if zh else f"[Nobody took it on] {brand}: {name}, {told}"[:120]


def is_mixed(letter: Letter) -> bool:
    """Whether it tells of several KOCs, or brands.

    What is told beside the main alert needs a name then."""
    return len({(view.alert.koc_id, view.alert.brand) for view in letter.views}) > 1


def letter_text(letter: Letter) -> str:
    """The whole letter as plain text."""
    return _rendered(f"{letter.kind}.txt.j2", letter)


def letter_chat(letter: Letter) -> str:
    """The letter as short lines for a chat, in its small markup (see `listener.text.chat`)."""
    return _rendered(f"{letter.kind}.chat.j2", letter)


def letter_html(letter: Letter, chart_src: str = "") -> str:
    """The whole letter as HTML with inline styles. chart_src: address of the chart (``cid:…`` or ``data:…``)."""
    cards = [Card(story_of(main_view(letter)), chart_src)] if letter.kind in WHOLE else []
    return _rendered(f"{letter.kind}.html.j2", letter, cards=cards)


def page_of(*views: AlertView) -> str:
    """A page that needs nothing else: alerts at phone width one under the other, each with its chart inside as SVG."""
    cards = [Card(story_of(view), _inline(svg_of(view))) for view in views]
    letter = Letter("alert", "", (), views, views[0].alert.fired_at, views[0].language, views[0].timezone)
    return _rendered("alert.html.j2", letter, cards=cards, others=[], is_page=True)


@dataclass(frozen=True, slots=True)
class Card:
    """An alert in full, with the address of its chart ("" = none)."""

    story: Story
    chart_src: str


def _inline(svg: bytes | None) -> str:
    return "data:image/svg+xml;base64," + b64encode(svg).decode() if svg else ""


@dataclass(frozen=True, slots=True)
class Row:
    """An alert in one line of a summary or correction."""

    tone: str
    badge: str
    brand: str
    name: str
    fired: str
    headline: str
    chance: str
    key: str
    case_command: str = ""


def _row(view: AlertView, stands: bool = True) -> Row:
    """The alert in one line; one that does not stand any more says no chance."""
    story = story_of(view)
    return Row(
        story.tone,
        story.badge,
        story.brand,
        story.name,
        story.fired,
        story.headline,
        story.chance if stands else "",
        story.key,
        story.case_command,
    )


def values_of(letter: Letter, **more: Any) -> dict[str, Any]:
    """What templates are filled with. subject: the title line; story: the main alert of an alert or escalation; rows: the
    alerts of the other kinds, one line each; others: the rest of an alert's, one line each."""
    main = main_view(letter) if letter.kind in WHOLE else None
    stands = letter.kind != "correction"
    words: dict[str, Any] = {"is_page": False, "trouble": "", "cards": []} | more
    words.setdefault("others", [_row(each) for each in letter.views if each is not main] if main else [])
    return {
        "letter": letter,
        "lang": letter.language,
        "zh": letter.language == "zh-CN",
        "subject": subject_of(letter),
        "story": story_of(main) if main else None,
        "rows": [_row(each, stands) for each in letter.views[:MOST_ROWS]] if not main else [],
        "left_out": max(0, len(letter.views) - MOST_ROWS) if not main else 0,
        "mixed": is_mixed(letter),
        "made": phrases.minute(letter.made_at, letter.timezone),
        "channel": line_of(letter.channel),
        **words,
    }


def _rendered(template: str, letter: Letter, **more: Any) -> str:
    text, trouble = rendered(template, values_of(letter, **more), letter.language, letter.templates)
    return f"{trouble}\n\n{text}" if trouble and ".html" not in template else text
