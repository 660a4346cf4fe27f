"""`listener explain`: one KOC's whole story, for people and for machines."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import typer
from rich.table import Table
from rich.text import Text

from listener.app import App
from listener.board import status_of
from listener.commands import output, showing
from listener.commands.audience import audience_row, commenter_lines, gone_lines
from listener.commands.files import contact_lines, contacts_row, unmet_lines
from listener.commands.output import Format
from listener.explain import MOST_AHEAD, Explanation, Held, Line, Told, Turn, explain, json_of
from listener.overview import coverage_of, judge_of
from listener.text import phrases
from listener.text.chart import png_of, svg_of
from listener.text.quotes import line_of, quote_of, unmasked
from listener.text.reasons import reason
from listener.text.signals.tellers import told_of
from listener.text.views import AlertView, Dot, Language
from listener.text.words import word
from storage.records import OPERATIONAL_KINDS, Alert, Koc, KocMark, Signal

MOST_HELD = 8  # of what was held back, the newest
MOST_SAID = 4  # posts shown of a signal, the newest
STYLES = {"against": "red", "favor": "green", "none": "dim"}


def print_story(app: App, who: str, brand: str | None, as_of: datetime | None, form: Format, chart: Path | None = None) -> None:
    """Baseline, mentions, evidence, why it did or did not alert; as JSON for machines. chart: where the picture goes."""
    told = story_of(app, showing.koc_of(app, who), brand_of(app, brand), as_of)
    if chart is not None:
        write_chart(told, chart, app.timezone)
    if form is Format.table:
        _print(told, app)
        return
    zone = ZoneInfo(app.timezone)
    row = json_of(told, zone) | {"marks": json_of(_marks(told, app), zone)}
    standing = app.standing_with(told.koc_id, as_of)
    row["relation"] = json_of(standing, zone) | {
        "contacts": json_of(standing.contacts, zone) | contacts_row(standing.contacts, zone)
    }
    row |= audience_row(told, app, zone)
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
    stored = [one for one in stored if one.alert.kind not in OPERATIONAL_KINDS]
    keys = {one.alert.key for one in stored}
    deliveries = [one for one in store.deliveries() if one.alert_key in keys]
    return explain(
        history,
        judge.replay([history])[0],
        counted=judge.counted(history),
        koc=koc,
        stored=stored,
        deliveries=deliveries,
        holds=store.holds(one.key for one in deliveries),
        cases=[] if as_of else store.cases(koc=koc.koc_id, brand=brand),
        coverage=coverage_of(app).get(koc.koc_id),
        as_of=as_of,
        min_mentions=judge.rule.min_mentions,
        replay=judge.replay,
    )


def _standing(told: Explanation, language: Language) -> str:
    """Where the KOC stands, as the board shows it: nobody is watched whom nobody hears, and no mentions have no mean."""
    state, zh = told.state, language == "zh-CN"
    status = status_of(state, told.coverage) if told.coverage else state.status
    means = (
        f"{'基线' if zh else 'baseline'} {state.baseline:+.2f} → {'近期' if zh else 'recent'} {state.recent:+.2f} · "
        if state.mentions
        else ""
    )
    return f"{word('status', status, language)} · {means}{state.mentions} {'条提及' if zh else 'mentions'}"


def _print(told: Explanation, app: App) -> None:
    language, zone = app.settings.listener.language, ZoneInfo(app.timezone)
    zh = language == "zh-CN"
    name = told.koc.name if told.koc else told.koc_id
    out = output.out
    title = Text.assemble((line_of(name), "bold"), line_of(f"（{told.koc_id}） · {told.brand}"))
    out.print(title, soft_wrap=True)
    if told.as_of:
        out.print(f"{'当时所知' if zh else 'as known at'} {told.as_of.astimezone(zone):%Y-%m-%d %H:%M}")
    out.print(_standing(told, language))
    if told.coverage:
        heard = told.coverage.last_heard_at
        out.print(
            f"{word('reach', told.coverage.reach, language)}（{word('why', told.coverage.why, language)}） · "
            f"{'最后听到' if zh else 'last heard'} {f'{heard.astimezone(zone):%Y-%m-%d %H:%M}' if heard else '–'}"
        )
    standing = app.standing_with(told.koc_id, told.as_of)
    contacts = contact_lines(standing.contacts, told.as_of or app.now(), language, told.koc_id)
    for said in (*contacts, *unmet_lines(standing.unmet, app)):
        out.print(said, soft_wrap=True)
    for change in told.changes:
        day, status = change.at.astimezone(zone).date(), word("status", change.status, language)
        out.print(Text.assemble(f"  {day}  {status}  ", (word("reason", change.reason, language), "dim")))
    out.print(_mentions(told, language, zone))
    for note in (*gone_lines(told, app), *commenter_lines(told, app)):
        out.print(Text(line_of(note)), soft_wrap=True)
    for turn in told.turns:
        for text in _turn_lines(turn, language, zone):
            out.print(text, soft_wrap=True)
        for one in turn.told:
            for line in told_lines(one, language, zone):
                out.print(Text(line), soft_wrap=True)
    for mark in _marks(told, app):
        label = "人工标记" if zh else "marked by hand"
        day = mark.at.astimezone(zone).date()
        out.print(Text(f"✎ {label}：{word('mark', mark.kind, language)} {day}（{line_of(mark.who)}）{line_of(mark.note)}"))
    _print_signals(told, language, zone)
    for each in told.held:
        out.print(Text(f"• {reason(each.code, each.values, language)}"))
    for level, need in told.need.items():
        more = "按其节奏，还要这么多条明确的负面内容" if zh else "at the usual pace, clearly negative posts that it would take"
        least = str(need) if need else f"> {MOST_AHEAD}"
        out.print(f"• {word('level', level, language)}：{more}：{least}")


def _turn_lines(turn: Turn, language: Language, zone: ZoneInfo) -> Iterator[Text]:
    """A turn in words first: how sure, since when, from what to what, what else it may be; the odds last."""
    zh, e = language == "zh-CN", turn.evidence
    fired = f"{turn.fired_at.astimezone(zone):%Y-%m-%d %H:%M}"
    yield Text.assemble(
        (f"{word('level', turn.level, language)} {fired}", "bold"), f" · {phrases.chance(e.posterior, language)}"
    )
    turned, low, high = (at.astimezone(zone) for at in (turn.turned_at, e.turn_low, e.turn_high))
    yield Text(f"  {'转折点' if zh else 'turn point'}: {phrases.turn_point(turned, low, high, language)}")
    before, after = phrases.mean(e.before_mean), phrases.mean(e.after_mean)
    yield Text(
        f"  此前 {e.before_n} 条，平均态度 {before}；此后 {e.after_n} 条，平均 {after}，其中 {e.after_against} 条负面"
        if zh
        else f"  {e.before_n} mentions before, mean {before}; {e.after_n} since, mean {after}, {e.after_against} negative"
    )
    closest = word("closest", e.closest, language)
    yield Text(f"  最接近的无害解释：{closest}" if zh else f"  closest innocent explanation: {closest}")
    rivals = (("advocate", e.log_odds_advocate), ("never", e.log_odds_never), ("cooled", e.log_odds_cooled))
    odds = "，".join(f"{word('closest-short', code, language)} {phrases.odds(nats, language)}" for code, nats in rivals)
    promise = phrases.promise(e.promise_per_1000_koc_years, language)
    details = f"证据比：{odds} · 真转变概率" if zh else f"odds against: {odds} · chance of a true turn"
    yield Text(f"  {details} {phrases.percent(e.posterior)} · {promise} · {line_of(e.calibration)}", "dim")


def told_lines(one: Told, language: Language, zone: ZoneInfo) -> Iterator[str]:
    """What a channel was told, or why it was not so far; what kept it back before, and when."""
    zh = language == "zh-CN"
    state = word("delivery-state", one.state, language)
    if one.told_in not in ("", "alert"):
        state += (
            f"（{word('letter-kind', one.told_in, language)}）" if zh else f" ({word('letter-kind', one.told_in, language)})"
        )
    sent = f"{one.sent_at.astimezone(zone):%m-%d %H:%M}" if one.sent_at else ""
    yield f"  {line_of(one.channel)}: {state} {sent} {line_of(one.error)}".rstrip()
    for hold in one.holds:
        at, until = (f"{each.astimezone(zone):%m-%d %H:%M}" for each in (hold.at, hold.until))
        if hold.until <= hold.at:  # no hold: why it went out at that hour
            yield f"    {at} {word('freed', hold.reason, language)}"
            continue
        why = word("kept", hold.reason, language)
        yield f"    {at} 暂存：{why}，到 {until}" if zh else f"    {at} held back: {why}, until {until}"


def _marks(told: Explanation, app: App) -> list[KocMark]:
    """What the team said of the KOC by hand; of a story as of another time, what was said by then."""
    marks = app.store.koc_marks(koc=told.koc_id, brand=told.brand)
    return [mark for mark in marks if told.as_of is None or mark.made_at <= told.as_of]


def write_chart(told: Explanation, file: Path, timezone: str) -> None:
    """The stance over time with the turn point, as PNG or SVG by the file's name, also of a KOC without an alert."""
    draw = {".png": png_of, ".svg": svg_of}.get(file.suffix.lower())
    if draw is None:
        raise typer.BadParameter(f"写成 .svg 或 .png / end it in .svg or .png: {file}", param_hint="--chart")
    picture = draw(_picture_of(told, timezone))
    if picture is None:
        raise typer.BadParameter("提及不到两条，画不出 / fewer than two mentions: nothing to draw", param_hint="--chart")
    try:
        file.write_bytes(picture)
    except OSError as error:
        raise typer.BadParameter(f"写不了 / can't be written: {file}: {error.strerror}", param_hint="--chart") from error
    output.warn(f"已写入 / written: {file}")


def _picture_of(told: Explanation, timezone: str) -> AlertView:
    """The story as the chart draws it: around the turn that stands, or without one."""
    standing = [turn for turn in told.turns if turn.level == "red"] or told.turns
    turn = standing[-1] if standing else None
    alert = Alert(
        key="",
        kind="drift",
        level=turn.level if turn else None,
        severity="info",
        koc_id=told.koc_id,
        brand=told.brand,
        fired_at=turn.fired_at if turn else datetime.min.replace(tzinfo=UTC),
        turned_at=turn.turned_at if turn else None,
        evidence=asdict(turn.evidence) if turn else {},
        posts=(),
    )
    dots = tuple(
        Dot(line.posted_at, line.favor - line.against, line.why is not Held.NO_OWN_WORDS)
        for line in told.mentions
        if line.why is not Held.NOT_READ
    )
    return AlertView(alert=alert, koc=told.koc, quotes=(), dots=dots, timezone=timezone)


def _print_signals(told: Explanation, language: Language, zone: ZoneInfo) -> None:
    """The signals beside the turns, and what was held back: when, what, and why."""
    zh, out = language == "zh-CN", output.out
    for one in told.signals:
        signal = one.signal
        over = f"（{signal.ended_at.astimezone(zone):%Y-%m-%d} {'已过去' if zh else 'over'}）" if signal.ended_at else ""
        kind = word("alert-kind", signal.kind, language)
        words = _words_of(told, signal, language, zone)
        out.print(Text.assemble((kind, "bold"), f" {signal.at.astimezone(zone):%Y-%m-%d %H:%M} {words}{over}"), soft_wrap=True)
        for said in one.said[-MOST_SAID:]:
            stance = word("stance", said.stance, language)
            quoted = f"  {said.posted_at.astimezone(zone):%Y-%m-%d} {stance} {quote_of(said.text, language, 60)} {said.url}"
            out.print(Text(quoted.rstrip(), style="dim"), soft_wrap=True)
        for sent in one.told:
            for line in told_lines(sent, language, zone):
                out.print(Text(line), soft_wrap=True)
    for held in told.held_back[-MOST_HELD:]:
        what = word("level", held.level, language) if held.level else word("alert-kind", held.kind, language)
        why = word("held-back", held.reason, language)
        later = f"；{'其后发出' if zh else 'raised'} {held.released_at.astimezone(zone):%Y-%m-%d}" if held.released_at else ""
        out.print(
            Text(f"  {held.at.astimezone(zone):%Y-%m-%d} {'未发' if zh else 'not raised'}：{what}，{why}{later}", style="dim")
        )


def _words_of(told: Explanation, signal: Signal, language: Language, zone: ZoneInfo) -> str:
    """What a signal says in one line; "" for a kind without words of its own."""
    ended = {"ended_at": signal.ended_at.isoformat()} if signal.ended_at else {}
    evidence = {**signal.evidence, **ended}
    alert = Alert(
        "", signal.kind, None, "info", told.koc_id, told.brand, signal.at, None, evidence=evidence, posts=signal.posts
    )
    words = told_of(AlertView(alert, told.koc, (), language=language, timezone=zone.key))
    return words.headline if words else ""


def _mentions(told: Explanation, language: Language, zone: ZoneInfo) -> Table:
    zh = language == "zh-CN"
    heads = ("日期", "态度", "证据", "内容") if zh else ("Date", "Stance", "Evidence", "Post")
    table = Table(*heads, box=None, header_style="bold", pad_edge=False)
    total = math.fsum(line.nats for line in told.mentions if line.nats is not None)
    for line in told.mentions:
        table.add_row(
            f"{line.posted_at.astimezone(zone):%Y-%m-%d}",
            Text(f"{word('stance', line.stance, language)} {line.probability:.0%}", STYLES[line.stance]),
            _evidence(line, total, language),
            Text(quote_of(line.text, language, 80)),
        )
    return table


def _evidence(line: Line, total: float, language: Language) -> Text:
    """A post's share of the evidence: nats, and how much of the whole."""
    if line.why is not None:
        return Text(word("held-short", line.why, language), "dim")
    if line.nats is None:
        return Text()
    share = f" {line.nats / total:.0%}" if total > 0 else ""
    return Text(f"{line.nats:+.1f}{share}{' ◀' if line.phase == 'tipped' else ''}")
