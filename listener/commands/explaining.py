"""`listener nlp explain`: what a score says, and what carried it, for people and for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict

from rich.table import Table
from rich.text import Text

from listener.commands import output
from listener.commands.output import Format
from listener.scoring import answer_of
from listener.text.words import word
from nlp.results import Explanation, Part, Request, Score

SHOWN = 12  # words that are shown by themselves; the others are added up
_NOTHING = 0.005  # a weight that is shown as 0
_HINTS = (
    "每列自上而下相加等于合计（对数几率）：0 是对半，＋2.2 约 9 比 1，－2.2 约 1 比 9。合计以下是分句里的词。",
    "Each column adds up to its sum in log-odds: 0 is even, +2.2 about 9 to 1. Below the sum: the words of the clauses.",
)


def print_explanation(request: Request, score: Score, found: Sequence[Explanation], form: Format) -> None:
    """The probabilities as `listener score` gives them, and what carried each; found: nothing where nothing was read."""
    if form is not Format.table:
        sys.stdout.write(
            json.dumps(_as_json(score, found), ensure_ascii=False, indent=1 if form is Format.json else None) + "\n"
        )
    elif score.unscored:
        output.say(f"没有评分：{word('unscored', score.unscored)}。listener score 给它的概率哪边都不偏。")
        output.say(f"Not scored: {word('unscored', score.unscored, 'en')}. What listener score gives it leans to no side.")
    else:
        output.say("\n".join([*_told(request, score), _mostly(found)]))
        output.say(f"读到的文字 / what was read：{''.join(part.words for part in found[0].words)}\n")
        output.out.print(_table(request, found))
        output.say("\n" + "\n".join(_HINTS))
        if request.target is None:
            output.say("加 --target 品牌 看对品牌的态度 / add --target BRAND for the stance toward a brand")


def _as_json(score: Score, found: Sequence[Explanation]) -> dict[str, object]:
    reasons = []
    for why in found:
        told = asdict(why)
        del told["score"]
        reasons.append(told | {"rests": dict(why.rests)})
    return {"score": answer_of(score), "reasons": reasons}


def _told(request: Request, score: Score) -> list[str]:
    lines = []
    if request.target is not None and score.stance is not None:
        shares = f"支持 {score.stance.favor:.1%} · 负面 {score.stance.against:.1%} · 不表态 {score.stance.none:.1%}"
        lines.append(f"对「{request.target.name}」的态度 / stance (for, against, none)：{shares}")
    shares = f"正面 {score.pos:.1%} · 负面 {score.neg:.1%} · 中性 {score.neu:.1%}"
    lines.append(f"整条情感 / tone (positive, negative, neutral)：{shares}")
    if score.cues:
        lines.append("线索 / cues：" + "；".join(f"{_both('cue', cue.code)}「{cue.words}」" for cue in score.cues))
    if score.causes:
        lines.append("原因 / causes：" + "、".join(_both("cause", code) for code in score.causes))
    return lines


def _mostly(found: Sequence[Explanation]) -> str:
    """The clause, or the reason beside all words, that speaks most for what the post is taken for."""
    score, sides = found[0].score, {why.of: why for why in found}
    stance = score.stance
    silent = (stance.none > max(stance.favor, stance.against)) if stance else (score.neu > max(score.pos, score.neg))
    why = sides["none" if stance else "neutral"] if silent else found[0]
    sign = 1.0 if silent or why.log_odds >= 0 else -1.0
    given = [(f"「{part.words}」", part.weight) for part in why.clauses]
    given += [(_both("weight-rest", code), weight) for code, weight in why.rests if code != "base"]
    words, weight = max(given, key=lambda one: sign * one[1])
    return f"主要依据 / mostly：{words}（{weight:+.2f}）"


def _both(group: str, code: str) -> str:
    return f"{word(group, code)} / {word(group, code, 'en')}"


def _table(request: Request, found: Sequence[Explanation]) -> Table:
    """A column for each question: the clauses, what no word carries, the sum; then the words that weigh most."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("文字 / words", overflow="fold")
    table.add_column("说的是 / of", no_wrap=True)
    for why in found:
        table.add_column(f"{word('weight-of', why.of)}\n{word('weight-of', why.of, 'en')}", justify="right", no_wrap=True)
    owners = _owners(found[0].clauses, request)
    for place, part in enumerate(found[0].clauses):
        _add(table, part.words, owners[place], [why.clauses[place].weight for why in found])
    for code in dict.fromkeys(code for why in found for code, _ in why.rests):
        weights = [dict(why.rests).get(code, 0.0) for why in found]
        _add(table, f"（{_both('weight-rest', code)}）", "", weights, style="dim")
    _add(table, "合计 / sum", "", [why.log_odds for why in found], style="bold")
    table.add_row()
    shown, owners = _weightiest(found), _owners(found[0].words, request)
    for place in shown:
        _add(table, found[0].words[place].words, owners[place], [why.words[place].weight for why in found])
    others = [[part.weight for at, part in enumerate(why.words) if at not in shown] for why in found]
    if others[0]:
        _add(table, f"（其余 {len(others[0])} 个 / other words）", "", [sum(weights) for weights in others], style="dim")
    return table


def _weightiest(found: Sequence[Explanation]) -> list[int]:
    """The places of the words that weigh most in any column, in the order of the text; no mark or space among them."""
    most = {at: max(abs(why.words[at].weight) for why in found) for at, part in enumerate(found[0].words)}
    worthy = [at for at in most if most[at] >= _NOTHING and found[0].words[at].words.strip()]
    return sorted(sorted(worthy, key=lambda at: (-most[at], at))[:SHOWN])


def _owners(parts: Sequence[Part], request: Request) -> list[str]:
    """Whom each part speaks of; of several rivals the one that was named last."""
    rival, owners = "别家 / others", []
    for part in parts:
        named = [other.name for other in request.others if any(name in part.words for name in (other.name, *other.words))]
        rival = named[-1] if named else rival
        ours = request.target.name if request.target else ""
        known = {"target": ours, "rival": rival, "both": "两者 / both", "quoted": "转述 / quoted"}
        owners.append(known[part.owner])
    return owners


def _add(table: Table, words: str, owner: str, weights: Sequence[float], style: str = "") -> None:
    figures = [f"{weight:+.2f}" if abs(weight) >= _NOTHING else "0" for weight in weights]
    table.add_row(Text(words), Text(owner), *figures, style=style)
