"""`listener koc mark`: what the team found out about a KOC, written down by hand."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import typer

from listener.app import App
from listener.commands import output, showing
from listener.commands.context import time_of, who_of
from listener.commands.output import Format
from listener.commands.stories import brand_of
from listener.drift.marks import NEAR, contradicted
from listener.text.quotes import line_of
from listener.text.words import word
from storage.records import Koc, KocMark, MarkKind, StoredAlert

LEAST_KEY = 6  # letters of an alert's key that name it


def mark(
    app: App,
    who: str | None,
    turned: str | None,
    false_alarm: str | None,
    mild: str | None,
    taken_back: str | None,
    *,
    brand: str | None,
    by: str | None,
    note: str,
) -> None:
    """Write one mark, or take one back, and say what follows from it."""
    kinds: dict[MarkKind, str | None] = {"turned": turned, "false-alarm": false_alarm, "mild": mild}
    said = [(kind, text) for kind, text in kinds.items() if text is not None]
    if len(said) + (taken_back is not None) != 1:
        words = "要一个，且只一个：--turned、--false-alarm、--mild 或 --take-back / exactly one of these is needed"
        raise typer.BadParameter(words)
    if taken_back is not None:
        ended = app.store.take_back_mark(taken_back, who=who_of(by), at=app.now(), note=note)
        output.say(f"已撤回：{_words(ended, app)} / taken back")
        return
    if who is None:
        raise typer.BadParameter("要写哪一位 KOC / name the KOC")
    (kind, text), koc, of = said[0], showing.koc_of(app, who), brand_of(app, brand)
    at, alert = _when(app, koc, of, kind, text)
    if at > app.now():
        raise typer.BadParameter(f"{text} 还没有到 / lies in the future", param_hint=f"--{kind}")
    new = KocMark("", koc.koc_id, of, kind, at, alert.alert.key if alert else "", who_of(by), app.now(), note)
    _refuse_contradiction(app, new)
    kept = app.store.mark_koc(new)
    is_new = kept.made_at == new.made_at
    done = ("已标记", "marked") if is_new else ("已有这个标记", "stands already")
    output.say(f"{done[0]}：{_words(kept, app)} / {done[1]}: {kept.key}")
    _warn(app, kept)


def _when(app: App, koc: Koc, brand: str, kind: MarkKind, text: str) -> tuple[datetime, StoredAlert | None]:
    """What a mark speaks of: a day's first instant, or an alert by its key, or by the day on which it fired."""
    every, zone = app.store.alerts(history=True, brand=brand, koc=koc.koc_id), ZoneInfo(app.timezone)
    alerts = [one for one in every if one.alert.kind == "drift"]  # a mark speaks of turns
    if kind != "turned" and len(text) >= LEAST_KEY and text[4:5] != "-":
        found = [one for one in alerts if one.alert.key.startswith(text)]
        if len(found) == 1:
            return found[0].alert.fired_at, found[0]
        known = "、".join(f"{one.alert.key[:12]} ({one.alert.fired_at.astimezone(zone).date()})" for one in alerts) or "–"
        words = f"{koc.koc_id} 没有以 {text!r} 开头的转变预警；有：{known} / no such alert, or several; there are: {known}"
        raise typer.BadParameter(words, param_hint=f"--{kind}")
    at = time_of(text, f"--{kind}", app.timezone)
    if kind == "turned":
        return at, None
    day = at.astimezone(zone).date()
    same = [one for one in alerts if one.alert.fired_at.astimezone(zone).date() == day]
    return (same[-1].alert.fired_at, same[-1]) if same else (at, None)


def _refuse_contradiction(app: App, new: KocMark) -> None:
    """Refuse what says another thing of a day, or an alert, than a mark that stands. Raises BadParameter."""
    known = contradicted(new, app.store.koc_marks(koc=new.koc_id, brand=new.brand), ZoneInfo(app.timezone))
    if known is not None:
        words = f"与已有的标记相反：{_words(known, app)}（{known.who}）；要改，先 listener koc mark --take-back {known.key}"
        raise typer.BadParameter(
            f"{words} / a mark says another thing of that day: take it back first", param_hint=f"--{new.kind}"
        )


def _warn_without_alert(app: App, kept: KocMark) -> None:
    """Say that a mark by day, of no turn, speaks of no alert that was raised, and which are near."""
    zone = ZoneInfo(app.timezone)
    fired = [
        one.alert for one in app.store.alerts(history=True, brand=kept.brand, koc=kept.koc_id) if one.alert.kind == "drift"
    ]
    near = [one for one in fired if abs(one.fired_at - kept.at) <= NEAR]
    days = "、".join(f"{one.fired_at.astimezone(zone).date()} ({one.key[:12]})" for one in near)
    if near:
        output.warn(f"注意：这天没有转变预警；它会算到前后 {NEAR.days} 天内的预警上：{days}。写错了，先撤回 {kept.key}")
        output.warn(f"No alert was raised on that day: the mark speaks of those within {NEAR.days} days of it")
    else:
        output.warn(f"注意：这天前后 {NEAR.days} 天都没有转变预警，这个标记现在什么也不说明。日期写错了，先撤回 {kept.key}")
        output.warn(f"No alert was raised within {NEAR.days} days of it: as yet the mark says nothing")


def _warn(app: App, kept: KocMark) -> None:
    """Say where a mark can teach nothing, or contradicts another."""
    if kept.kind != "turned" and not kept.alert_key:
        _warn_without_alert(app, kept)
    mentions = app.store.history(kept.koc_id, kept.brand).mentions
    if kept.kind == "turned" and not any(one.posted_at >= kept.at for one in mentions):
        output.warn("注意：这天以后没有提及，回测无从比较 / no mention after that day: a backtest can compare nothing")
    others = [m for m in app.store.koc_marks(koc=kept.koc_id, brand=kept.brand) if m.key != kept.key]
    if any((m.kind == "turned") != (kept.kind == "turned") for m in others):
        output.warn("注意：这位还有别的标记 / there are other marks: listener koc marks " + kept.koc_id)


def _words(mark: KocMark, app: App) -> str:
    language = app.settings.listener.language
    day = mark.at.astimezone(ZoneInfo(app.timezone)).date()
    return f"{mark.koc_id} · {mark.brand} · {word('mark', mark.kind, language)} · {day}"


def print_marks(app: App, who: str | None, form: Format, *, history: bool) -> None:
    """The marks as a table, or as rows."""
    koc_id = showing.koc_of(app, who).koc_id if who else None
    language, zone = app.settings.listener.language, ZoneInfo(app.timezone)
    names = {koc.koc_id: koc.name for koc in app.store.kocs()}
    rows = [
        {
            "key": one.key,
            "koc_id": one.koc_id,
            "name": line_of(names.get(one.koc_id, "")),
            "brand": one.brand,
            "kind": one.kind if form is not Format.table else word("mark", one.kind, language),
            "at": one.at.astimezone(zone).isoformat() if form is not Format.table else str(one.at.astimezone(zone).date()),
            "alert_key": one.alert_key if form is not Format.table else one.alert_key[:12],
            "who": line_of(one.who),
            "made_at": one.made_at.astimezone(zone).isoformat(timespec="minutes"),
            "note": line_of(one.note),
            "taken_back_at": one.taken_back_at.astimezone(zone).isoformat(timespec="minutes") if one.taken_back_at else None,
            "taken_back_by": line_of(one.taken_back_by) or None,
        }
        for one in app.store.koc_marks(koc=koc_id, history=history)
    ]
    zh = language == "zh-CN"
    heads = ("标记", "KOC", "名字", "品牌", "说的是", "日期", "预警", "谁", "何时", "备注", "撤回")
    if not zh:
        heads = ("Mark", "KOC", "Name", "Brand", "Says", "Day", "Alert", "Who", "When", "Note", "Taken back")
    keys = ("key", "koc_id", "name", "brand", "kind", "at", "alert_key", "who", "made_at", "note", "taken_back_at")
    columns = list(zip(keys, heads, strict=True))
    if not history:
        columns.pop()
    empty = "还没有人工标记：listener koc mark KOC --turned 2026-03-04 / no marks yet"
    output.write_rows(rows, form, columns=columns, empty=empty)
