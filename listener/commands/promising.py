"""What the promise looks like on a terminal: calibrations, and the status of each brand."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import asdict
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.table import Table
from rich.text import Text

from listener.app import App
from listener.calibrating import Calibrated, Found, Keeping
from listener.commands import output, showing
from listener.drift.deployment import NEEDED, Expected
from listener.text.quotes import line_of
from listener.text.words import word

MOST_LISTED = 12
ORDER = ("amber", "red")


class Stopwatch:
    """How long something took, and at what pace."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def words(self, kocs: int) -> str:
        seconds = max(time.monotonic() - self._started, 1e-3)
        return (
            f"重看 {kocs} 位 KOC，用时 {seconds:.1f} 秒（每秒 {kocs / seconds:.0f} 位）"
            f" / replayed {kocs} KOCs in {seconds:.1f} s ({kocs / seconds:.0f} a second)"
        )


def moved(before: Set[str], after: Set[str]) -> str:
    """How many alerts a replay raised and took back. before, after: their keys."""
    new, gone, same = len(after - before), len(before - after), len(after & before)
    return f"预警：新增 {new}，撤回 {gone}，不变 {same} / alerts: {new} new, {gone} taken back, {same} as before"


def brands_of(app: App, brand: str | None) -> list[str]:
    """The brand that was named, or all."""
    if brand is not None:
        showing.known_brand(app, brand)
        return [brand]
    return [one.name for one in app.brands]


# -------------------------------------------------------------------------------------------------------- calibrate


def print_calibrated(done: Calibrated, app: App, *, dry_run: bool) -> None:
    """What a calibration was made from, what it promises and lets expect, and what it changes; or why there is none."""
    zh, m = app.settings.listener.language == "zh-CN", done.material
    if done.fit is None or done.fit.calibration is None:
        output.say(_refusal(done, zh))
        return
    new = done.fit.calibration
    output.say(_verdict(done, app, zh, dry_run=dry_run))
    output.say(
        f"  依据 {m.kocs} 位 KOC 的 {m.posts} 条提及（{m.koc_years:.0f} KOC·年）；"
        f"{m.turned} 位确认转变的只取转变之前；{m.false_alarms} 位的误报标记让阈值更严"
        if zh
        else f"  made from {m.posts} mentions of {m.kocs} KOCs ({m.koc_years:.0f} KOC-years); of {m.turned} who turned, only "
        f"what came before; false alarms of {m.false_alarms} make it stricter"
    )
    output.out.print(_promise_table(done.fit.before, done.fit.expected, zh))
    if new.version == done.before.version:
        return
    for title, some in ((("会新增", "it raises"), done.appear), (("会撤回", "it takes back"), done.vanish)):
        output.say(_changes(title[0 if zh else 1], some, app, zh))
    if done.moved:
        zh_words = f"  {done.moved} 个转变改由另一条内容触发（早几条或晚几条）；已推送过的会收到更正"
        en_words = f"  {done.moved} turns are told by another post, earlier or later; whoever was told gets a correction"
        output.say(zh_words if zh else en_words)


def _refusal(done: Calibrated, zh: bool) -> str:
    m, stays = done.material, done.before.version
    if zh:
        name = "出厂默认" if stays.startswith("default") else "先前的校准"
        return (
            f"{done.brand}：历史太少，没有校准。要有 {NEEDED.kocs} 位 KOC 各发过 5 条以上提及（现有 {m.kocs} 位）、"
            f"合计 {NEEDED.posts} 条（现有 {m.posts} 条）。沿用{name} {stays}。"
        )
    return (
        f"{done.brand}: too little history, nothing was calibrated. {NEEDED.kocs} KOCs with 5 mentions or more are needed "
        f"(there are {m.kocs}), and {NEEDED.posts} mentions of them (there are {m.posts}). {stays} stays in effect."
    )


def _verdict(done: Calibrated, app: App, zh: bool, *, dry_run: bool) -> str:
    assert done.fit is not None
    assert done.fit.calibration is not None
    new = done.fit.calibration
    at = f"{new.effective_at.astimezone(ZoneInfo(app.timezone)):%Y-%m-%d %H:%M}"
    if done.outcome == "unchanged":
        same = "与现行的相同，什么都不变" if zh else "the same as the one in effect, nothing changes"
        return f"{done.brand}：{new.version}，{same}" if zh else f"{done.brand}: {new.version}, {same}"
    if done.is_in_effect:
        when = f"自 {at} 起生效" if zh else f"in effect since {at}"
    else:
        when = f"从 {at} 起生效，现在还不" if zh else f"takes effect at {at}, not yet"
    if dry_run:
        return f"{done.brand}：试算，未写入：{new.version}" if zh else f"{done.brand}: a trial, nothing written: {new.version}"
    return f"{done.brand}：已校准：{new.version}，{when}" if zh else f"{done.brand}: calibrated: {new.version}, {when}"


def _promise_table(before: Mapping[str, Expected], now: Mapping[str, Expected], zh: bool) -> Table:
    """Promised and expected false alarms in 1000 KOC-years, by the bars before and by the new ones."""
    heads = ("每 1000 KOC·年误报", "承诺", "先前阈值下预计", "新阈值下预计", "阈值（nats）")
    if not zh:
        heads = ("False alarms per 1000 KOC-years", "Promised", "Expected before", "Expected now", "Bar (nats)")
    table = Table(*heads, box=None, header_style="bold", pad_edge=False, padding=(0, 2))
    for level in ORDER:
        old, new = before[level], now[level]
        table.add_row(
            Text(f"  {word('level-short', level, 'zh-CN' if zh else 'en')}"),
            f"{new.promised:g}",
            _with_interval(old),
            _with_interval(new),
            f"{old.bar:.2f} → {new.bar:.2f}",
        )
    return table


def _with_interval(one: Expected) -> str:
    return f"{one.expected:.1f}  ({one.low:.1f}–{one.high:.1f})"


def _changes(title: str, some: Sequence[Found], app: App, zh: bool) -> str:
    language = app.settings.listener.language
    named = [f"{koc_id} {word('level-short', level, language)}" for koc_id, level in some[:MOST_LISTED]]
    words = f"  {title} {len(some)}" + (" 个转变" if zh else " turns")
    return words + (": " if named else "") + ", ".join(named) + (" …" if len(some) > MOST_LISTED else "")


# ----------------------------------------------------------------------------------------------------------- status


def lines_of(k: Keeping, app: App) -> Iterator[str]:
    """How the promise to a brand is kept, in plain words."""
    zh, zone = app.settings.listener.language == "zh-CN", ZoneInfo(app.timezone)
    return _kept_zh(k, zone) if zh else _kept_en(k, zone)


def status_row(k: Keeping) -> dict[str, Any]:
    """The same for machines."""
    return {
        "kind": "promise",
        "brand": k.brand,
        "promised": dict(k.promised),
        "expected": {level: asdict(one) for level, one in k.expected.items()} or None,
        "kocs": k.kocs,
        "mentions_a_year": k.per_year,
        "false_alarms_a_year": {level: round(k.a_year(level), 2) for level in ORDER},
        "marked_false_in_a_year": k.denied,
        "marked_turned_in_a_year": k.confirmed,
        "calibration": k.calibration.version,
        "effective_at": k.calibration.effective_at.isoformat(),
        "tried_at": k.tried.made_at.isoformat() if k.tried else None,
        "outcome": k.tried.outcome if k.tried else None,
        "next_at": k.due.isoformat() if k.due else None,
    }


def _kept_zh(k: Keeping, zone: ZoneInfo) -> Iterator[str]:
    red, amber = k.promised["red"], k.promised["amber"]
    yield f"{line_of(k.brand)} · 承诺：每 1000 KOC·年误报 红 ≤ {red:g}、黄 ≤ {amber:g}"
    if k.expected:
        e = k.expected
        yield (
            f"  预计：红 {e['red'].expected:.1f}（{e['red'].low:.1f}–{e['red'].high:.1f}）、"
            f"黄 {e['amber'].expected:.1f}（{e['amber'].low:.1f}–{e['amber'].high:.1f}），由自己的历史模拟得出"
        )
    else:
        yield "  预计：还没有用自己的历史核对过，按承诺计"
    if k.kocs:
        yield (
            f"  名单中 {k.kocs} 位有足够提及，每人每年约 {k.per_year:g} 条："
            f"{_a_year_zh('红色', k.a_year('red'))}，{_a_year_zh('黄色', k.a_year('amber'))}"
        )
    if k.denied or k.confirmed:
        yield f"  一年内人工标记：误报或温和批评 {k.denied} 位，确已转变 {k.confirmed} 位"
    since = "" if k.calibration.version.startswith("default") else f"，{day(k.calibration.effective_at, zone)} 起生效"
    name = "出厂默认" if k.calibration.version.startswith("default") else "自有历史"
    tried = (
        f"，上次 {day(k.tried.made_at, zone)}" + ("（历史太少）" if k.tried.outcome == "too-little" else "") if k.tried else ""
    )
    due = f"下次 {day(k.due, zone)}（listener run）" if k.due else ""
    yield f"  校准：{name} {k.calibration.version}{since}{tried}；{due}，或现在：listener drift calibrate"


def _a_year_zh(level: str, number: float) -> str:
    if number >= 0.95:
        return f"{level}误报一年约 {number:.0f} 次" if number >= 3 else f"{level}误报一年约 {number:.1f} 次"
    return f"{level}误报约 {_years(number)} 年一次" if number > 0 else f"{level}误报几乎没有"


def _kept_en(k: Keeping, zone: ZoneInfo) -> Iterator[str]:
    red, amber = k.promised["red"], k.promised["amber"]
    yield f"{line_of(k.brand)} · promised: at most {red:g} false red and {amber:g} false amber alerts per 1000 KOC-years"
    if k.expected:
        e = k.expected
        yield (
            f"  expected: red {e['red'].expected:.1f} ({e['red'].low:.1f}–{e['red'].high:.1f}), "
            f"amber {e['amber'].expected:.1f} ({e['amber'].low:.1f}–{e['amber'].high:.1f}), simulated from your own history"
        )
    else:
        yield "  expected: not yet checked against your own history, counted as promised"
    if k.kocs:
        yield (
            f"  {k.kocs} KOCs have enough mentions, about {k.per_year:g} a year each: "
            f"{_a_year_en('red', k.a_year('red'))}, {_a_year_en('amber', k.a_year('amber'))}"
        )
    if k.denied or k.confirmed:
        yield f"  marked by hand within a year: {k.denied} false or mild, {k.confirmed} turned"
    default = k.calibration.version.startswith("default")
    since = "" if default else f", in effect since {day(k.calibration.effective_at, zone)}"
    name = "cold start" if default else "own history"
    tried = (
        f", last tried {day(k.tried.made_at, zone)}" + (" (too little history)" if k.tried.outcome == "too-little" else "")
        if k.tried
        else ""
    )
    due = f"next {day(k.due, zone)} (listener run)" if k.due else ""
    yield f"  calibration: {name} {k.calibration.version}{since}{tried}; {due}, or now: listener drift calibrate"


def _a_year_en(level: str, number: float) -> str:
    if number >= 0.95:
        return (
            f"about {number:.0f} false {level} alerts a year"
            if number >= 3
            else f"about {number:.1f} false {level} alerts a year"
        )
    return f"a false {level} alert about every {_years(number)} years" if number > 0 else f"hardly a false {level} alert"


def _years(number: float) -> str:
    """
    >>> _years(0.3), _years(0.02)
    ('3.3', '50')
    """
    years = 1 / number
    return f"{years:.1f}" if years < 10 else f"{years:.0f}"


def day(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d}"
