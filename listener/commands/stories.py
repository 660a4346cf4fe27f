"""`listener explain`: one KOC's whole story, for people and for machines."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from zoneinfo import ZoneInfo

import typer
from rich.table import Table
from rich.text import Text

from listener.app import App
from listener.commands import output, showing
from listener.commands.output import Format
from listener.explain import MOST_AHEAD, Explanation, Line, explain, json_of
from listener.overview import coverage_of, judge_of
from listener.text.quotes import line_of, quote_of, unmasked
from listener.text.reasons import reason
from listener.text.views import Language
from listener.text.words import word
from storage.records import Koc

STYLES = {"against": "red", "favor": "green", "none": "dim"}


def print_story(app: App, who: str, brand: str | None, as_of: datetime | None, form: Format) -> None:
    """Baseline, mentions, evidence, why it did or did not alert; as JSON for machines."""
    told = story_of(app, showing.koc_of(app, who), brand_of(app, brand), as_of)
    if form is Format.table:
        _print(told, app)
        return
    zone = ZoneInfo(app.timezone)
    row = json_of(told, zone)
    for line in row["mentions"]:
        line["text"] = unmasked(line["text"], app.settings.listener.language)
    sys.stdout.write(json.dumps(row, ensure_ascii=False, indent=1 if form is Format.json else None) + "\n")


def brand_of(app: App, brand: str | None) -> str:
    """The brand that was named, or the first."""
    names = [one.name for one in app.brands]
    if not names:
        raise typer.BadParameter("还没有品牌：listener brand import brand.json / no brand yet")
    if brand is not None and brand not in names:
        raise typer.BadParameter(f"没有品牌 {brand!r}；现有：{', '.join(names)} / unknown brand; there are: {', '.join(names)}")
    return brand or names[0]


def story_of(app: App, koc: Koc, brand: str, as_of: datetime | None) -> Explanation:
    """The story as values: now, or as it was known at a time."""
    store = app.store
    history, judge = store.history(koc.koc_id, brand, as_of=as_of), judge_of(app, brand, as_of)
    stored = [] if as_of else store.alerts(history=True, brand=brand, koc=koc.koc_id)
    keys = {one.alert.key for one in stored}
    return explain(
        history,
        judge.replay([history])[0],
        counted=judge.counted(history),
        koc=koc,
        stored=stored,
        deliveries=[one for one in store.deliveries() if one.alert_key in keys],
        cases=[] if as_of else store.cases(koc=koc.koc_id, brand=brand),
        coverage=coverage_of(app).get(koc.koc_id),
        as_of=as_of,
        min_mentions=judge.rule.min_mentions,
        replay=judge.replay,
    )


def _print(told: Explanation, app: App) -> None:
    language, zone = app.settings.listener.language, ZoneInfo(app.timezone)
    zh = language == "zh-CN"
    name = told.koc.name if told.koc else told.koc_id
    out = output.out
    title = Text.assemble((line_of(name), "bold"), line_of(f"（{told.koc_id}） · {told.brand}"))
    out.print(title, soft_wrap=True)
    if told.as_of:
        out.print(f"{'当时所知' if zh else 'as known at'} {told.as_of.astimezone(zone):%Y-%m-%d %H:%M}")
    out.print(
        f"{word('status', told.state.status, language)} · {'基线' if zh else 'baseline'} {told.state.baseline:+.2f} → "
        f"{'近期' if zh else 'recent'} {told.state.recent:+.2f} · {told.state.mentions} {'条提及' if zh else 'mentions'}"
    )
    if told.coverage:
        heard = told.coverage.last_heard_at
        out.print(
            f"{word('reach', told.coverage.reach, language)}（{word('why', told.coverage.why, language)}） · "
            f"{'最后听到' if zh else 'last heard'} {f'{heard.astimezone(zone):%Y-%m-%d %H:%M}' if heard else '–'}"
        )
    for change in told.changes:
        day, status = change.at.astimezone(zone).date(), word("status", change.status, language)
        out.print(Text.assemble(f"  {day}  {status}  ", (word("reason", change.reason, language), "dim")))
    out.print(_mentions(told, language, zone))
    for turn in told.turns:
        out.print(
            f"[bold]{word('level', turn.level, language)}[/bold] {turn.fired_at.astimezone(zone):%Y-%m-%d %H:%M} "
            f"{'转折点' if zh else 'turned'} {turn.turned_at.astimezone(zone):%Y-%m-%d}"
            f" · {'可能是真转变' if zh else 'a true turn'} {turn.evidence.posterior:.0%}"
            f" · {turn.evidence.before_mean:+.2f} → {turn.evidence.after_mean:+.2f}"
        )
        for one in turn.told:
            state, when = word("delivery-state", one.state, language), one.sent_at
            sent = f"{when.astimezone(zone):%m-%d %H:%M}" if when else ""
            out.print(Text(f"  {line_of(one.channel)}: {state} {sent} {line_of(one.error)}"))
    for each in told.held:
        out.print(Text(f"• {reason(each.code, each.values, language)}"))
    for level, need in told.need.items():
        more = "按其节奏，还要这么多条明确的负面内容" if zh else "at the usual pace, clearly negative posts that it would take"
        least = str(need) if need else f"> {MOST_AHEAD}"
        out.print(f"• {word('level', level, language)}：{more}：{least}")


def _mentions(told: Explanation, language: Language, zone: ZoneInfo) -> Table:
    zh = language == "zh-CN"
    heads = ("日期", "态度", "证据", "内容") if zh else ("Date", "Stance", "Evidence", "Post")
    table = Table(*heads, box=None, header_style="bold", pad_edge=False)
    for line in told.mentions:
        table.add_row(
            f"{line.posted_at.astimezone(zone):%Y-%m-%d}",
            Text(f"{word('stance', line.stance, language)} {line.probability:.0%}", STYLES[line.stance]),
            _evidence(line, language),
            Text(quote_of(line.text, language, 80)),
        )
    return table


def _evidence(line: Line, language: Language) -> Text:
    if line.why is not None:
        return Text(word("held-short", line.why, language), "dim")
    if line.nats is None:
        return Text()
    return Text(f"{line.nats:+.1f} {'◀' if line.phase == 'tipped' else ''}")
