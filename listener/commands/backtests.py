"""Backtests on a terminal: two pairs of promises side by side, as words, JSON Lines or CSV."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from rich.table import Table

from listener.app import App
from listener.backtesting import Trial
from listener.commands import output
from listener.commands.promising import MOST_LISTED, day
from listener.drift.backtest import LEVELS, Raised, Side, only_in, side_of
from listener.text.words import word
from storage.records import Level


def write_trials(trials: Sequence[Trial], app: App, form: str) -> None:
    """Backtests as words, or as rows: the sums of each side, its alerts, and the confirmed turns."""
    if form == "text":
        for trial in trials:
            print_trial(trial, app)
        return
    rows = [row for trial in trials for row in rows_of(trial, ZoneInfo(app.timezone))]
    if form == "jsonl":
        for row in rows:
            sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
        return
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(sys.stdout, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def sides_of(trial: Trial) -> list[tuple[str, Side]]:
    """The promises in force, and the others where they differ."""
    sides = [("in-force", side_of(trial.rule.false_alarms_red, trial.rule.false_alarms_amber, trial.in_force))]
    if trial.other != trial.rule:
        sides.append(("tried", side_of(trial.other.false_alarms_red, trial.other.false_alarms_amber, trial.tried)))
    return sides


def rows_of(trial: Trial, zone: ZoneInfo) -> Iterator[dict[str, Any]]:
    """One row for each side's sums (``sums``), for each alert (``alert``), for each confirmed turn (``turn``)."""
    for name, side in sides_of(trial):
        for level in LEVELS:
            delays = side.delays[level]
            yield {
                "row": "sums",
                "side": name,
                "brand": trial.brand,
                "level": level,
                "promise": side.red if level == "red" else side.amber,
                "koc_months": side.koc_months,
                "alerts": side.alerts[level],
                "alerts_per_koc_month": round(side.per_koc_month(level), 6),
                "false_alarms": side.false_alarms[level],
                "mild": side.mild[level],
                "confirmed": side.confirmed[level],
                "turns": side.turns,
                "told": side.told[level],
                "missed": len(side.missed[level]),
                "mean_mentions": delays.mean_mentions if delays else None,
                "p90_mentions": delays.p90_mentions if delays else None,
                "mean_days": delays.mean_days if delays else None,
                "p90_days": delays.p90_days if delays else None,
                "calibration": trial.calibration.version,
            }
    for name, outcomes in (("in-force", trial.in_force), ("tried", trial.tried)):
        if name == "tried" and trial.other == trial.rule:
            continue
        for outcome in outcomes:
            for r in outcome.raised:
                yield {
                    "row": "alert",
                    "side": name,
                    "brand": r.brand,
                    "level": r.level,
                    "koc_id": r.koc_id,
                    "fired_at": r.fired_at.astimezone(zone).isoformat(),
                    "turned_at": r.turned_at.astimezone(zone).isoformat(),
                    "platform": r.tipped_by.platform,
                    "post_id": r.tipped_by.post_id,
                    "posterior": r.posterior,
                    "judged": r.judged,
                }
            for t in outcome.turns:
                for level in LEVELS:
                    delay = t.told[level]
                    yield {
                        "row": "turn",
                        "side": name,
                        "brand": t.brand,
                        "level": level,
                        "koc_id": t.koc_id,
                        "turned_at": t.at.astimezone(zone).isoformat(),
                        "mentions_after": t.mentions,
                        "told": delay is not None,
                        "mentions": delay.mentions if delay else None,
                        "days": delay.days if delay else None,
                    }


def print_trial(trial: Trial, app: App) -> None:
    """The promises side by side, and what changes between them."""
    zh, zone = app.settings.listener.language == "zh-CN", ZoneInfo(app.timezone)
    sides = sides_of(trial)
    months, turns = sides[0][1].koc_months, sides[0][1].turns
    span = f"{day(trial.since, zone)} … {day(trial.until, zone)}"
    output.say(
        f"{trial.brand} · {span} · {months:.0f} KOC·月 · 团队确认的转变 {turns} 次 · 校准 {trial.calibration.version}"
        if zh
        else f"{trial.brand} · {span} · {months:.0f} KOC-months · {turns} confirmed turns · {trial.calibration.version}"
    )
    if trial.late:
        output.say(
            f"  当时尚未收录、因此不计的提及：{trial.late} 条"
            if zh
            else f"  {trial.late} mentions were stored only later, and not known then"
        )
    output.out.print(_side_table([side for _, side in sides], zh))
    if turns == 0:
        output.say(
            "  没有确认过的转变，延迟与遗漏无从计算：listener koc mark KOC --turned 2026-03-04"
            if zh
            else "  no turn was confirmed, so nothing is known of delays and misses: listener koc mark KOC --turned 2026-03-04"
        )
    for level in LEVELS:
        _print_missed(sides[-1][1], level, app, zone)
    if len(sides) == 2:
        more, fewer = only_in(trial.tried, trial.in_force), only_in(trial.in_force, trial.tried)
        output.say(_listed("换成这一承诺会多报" if zh else "the other promises raise besides", more, app, zone))
        output.say(_listed("换成这一承诺会少报" if zh else "the other promises leave out", fewer, app, zone))


def _side_table(sides: Sequence[Side], zh: bool) -> Table:
    heads = [
        "",
        "承诺",
        "预警",
        "每千 KOC·月",
        "其中误报",
        "温和批评",
        "已确认",
        "未核实",
        "转变报出",
        "延迟（条）",
        "延迟（天）",
    ]
    if not zh:
        heads = [
            "",
            "Promise",
            "Alerts",
            "per 1000 KOC-months",
            "False",
            "Mild",
            "True",
            "Unjudged",
            "Turns told",
            "Mentions late",
            "Days late",
        ]
    table = Table(*heads, box=None, header_style="bold", pad_edge=False)
    for number, side in enumerate(sides):
        name = ("现行", "另一种")[number] if zh else ("in force", "tried")[number]
        for level in LEVELS:
            delays, judged = side.delays[level], side.false_alarms[level] + side.mild[level] + side.confirmed[level]
            table.add_row(
                f"{name} · {word('level-short', level, 'zh-CN' if zh else 'en')}",
                f"{side.red if level == 'red' else side.amber:g}",
                str(side.alerts[level]),
                f"{1000 * side.per_koc_month(level):.2f}",
                str(side.false_alarms[level]),
                str(side.mild[level]),
                str(side.confirmed[level]),
                str(side.alerts[level] - judged),
                f"{side.told[level]}/{side.turns}" if side.turns else "–",
                f"{delays.mean_mentions:g} (p90 {delays.p90_mentions:g})" if delays else "–",
                f"{delays.mean_days:g} (p90 {delays.p90_days:g})" if delays else "–",
            )
    return table


def _print_missed(side: Side, level: Level, app: App, zone: ZoneInfo) -> None:
    zh, missed = app.settings.listener.language == "zh-CN", side.missed[level]
    if not missed:
        return
    named = [
        f"{t.koc_id}（{day(t.at, zone)}，其后 {t.mentions} 条）"
        if zh
        else f"{t.koc_id} ({day(t.at, zone)}, {t.mentions} mentions after)"
        for t in missed[:MOST_LISTED]
    ]
    more = " …" if len(missed) > MOST_LISTED else ""
    name = word("level-short", level, app.settings.listener.language)
    output.say(f"  {f'{name}色会遗漏' if zh else f'{name} would miss'} {len(missed)}: {', '.join(named)}{more}")


def _listed(title: str, some: Sequence[Raised], app: App, zone: ZoneInfo) -> str:
    language = app.settings.listener.language
    named = [
        f"{r.koc_id} {word('level-short', r.level, language)} {day(r.fired_at, zone)}"
        + (f" [{word('mark', r.judged, language)}]" if r.judged else "")
        for r in some[:MOST_LISTED]
    ]
    more = " …" if len(some) > MOST_LISTED else ""
    return f"  {title} {len(some)}{': ' if named else ''}{', '.join(named)}{more}"
