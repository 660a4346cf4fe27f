"""The KOC board, and what is heard and what waits: tables for people, rows for machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rich.markup import escape
from rich.table import Table

from listener import board, inbox
from listener.app import App
from listener.calibrating import Keeping, keeping_of
from listener.commands import output
from listener.commands.output import Format
from listener.commands.promising import lines_of, status_row
from listener.health import Health, words_of
from listener.overview import board_of, coverage_of, health_by_source, listenings_of, scorer_of
from listener.politeness import words_of_pause
from listener.signals.deliveries import failing_channels
from listener.text.quotes import line_of
from listener.text.story import story_of
from listener.text.views import Language
from listener.text.words import word
from spiders.collect import platforms
from storage.records import AccountCoverage, Crawl, Host, Koc, Listening

STYLES: Mapping[str, str] = {"critic": "bold red", "wavering": "yellow", "not-covered": "dim", "recovered": "green"}


def print_board(app: App, form: Format, brand: str | None) -> None:
    """The board: where each KOC stands, when last heard, covered or not."""
    rows = board_of(app, brand)
    if form is not Format.table:
        output.write_rows((_row_of(row) for row in rows), form, columns=(), empty="")
        return
    if not rows:
        output.say("名单或品牌还是空的：listener brand import、listener koc import / no roster or no brand yet")
        return
    output.out.print(table_of(rows, app))
    for view in app.views_of([one for one in app.store.alerts(brand=brand) if not one.alert.koc_id and not one.alert.ended_at]):
        output.say(f"{line_of(view.alert.brand)}：{story_of(view).headline}")


def table_of(rows: Sequence[board.Row], app: App) -> Table:
    """The board as a table for the terminal."""
    language, zone = app.settings.listener.language, ZoneInfo(app.timezone)
    zh = language == "zh-CN"
    many = len({row.brand for row in rows}) > 1
    heads = (
        ("ID", "KOC", "等级", "对接人", "态度", "基线→近期", "提及", "预警", "最后听到", "覆盖", "下一步")
        if zh
        else (
            "ID",
            "KOC",
            "Tier",
            "Owner",
            "Status",
            "Baseline→recent",
            "Mentions",
            "Alert",
            "Last heard",
            "Coverage",
            "Next step",
        )
    )
    table = Table(*heads, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        style = STYLES.get(row.status, "")
        table.add_row(
            _cell(row.koc_id),
            _cell(f"{row.name}·{row.brand}" if many else row.name),
            _cell(row.tier) if row.standing == "active" else word("standing", row.standing, language),
            _cell(row.owner),
            f"[{style}]{word('status', row.status, language)}[/]" if style else word("status", row.status, language),
            _means(row),
            str(row.mentions),
            word("level-short", row.level, language) if row.level else _kind(row.alert_kind, language),
            _ago(row.last_heard_at, zone),
            word("reach", row.reach, language) if row.reach != "not-covered" else f"[dim]{word('why', row.why, language)}[/]",
            word("step", row.next_step, language) if row.next_step else "",
        )
    return table


def _cell(text: str) -> str:
    """What people or platforms wrote, on one line, with nothing in it that a terminal would obey."""
    return escape(line_of(text))


def _kind(kind: str, language: Language) -> str:
    return word("alert-kind", kind, language) if kind else ""


def _means(row: board.Row) -> str:
    if row.baseline is None or row.recent is None:
        return "–"
    return f"{row.baseline:+.2f} → {row.recent:+.2f}"


def _ago(at: datetime | None, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%m-%d %H:%M") if at else "–"


def _row_of(row: board.Row) -> dict[str, Any]:
    return {name: _plain(value) for name, value in asdict(row).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value


# --------------------------------------------------------------------------------------------------------- status


def print_status(app: App, form: Format) -> None:
    """Sources, accounts, what waits and what could not be sent."""
    kept = [keeping_of(app, brand.name) for brand in app.brands]
    rows = status_rows(app, kept)
    if form is not Format.table:
        output.write_rows(rows, form, columns=(), empty="")
        return
    language, zone = app.settings.listener.language, ZoneInfo(app.timezone)
    zh = language == "zh-CN"
    sources, accounts = _tables(zh)
    for row in rows:
        if row["kind"] == "source":
            never = "从未运行" if zh else "never run"
            sources.add_row(
                _cell(row["source"]),
                _cell(row["platform"]),
                word("crawl-outcome", row["outcome"], language) if row["outcome"] else never,
                _shown(row["last_success_at"], zone),
                str(row["items"]),
                _cell("；".join(filter(None, (row["error"].partition("\n")[0], row["note"])))),
            )
        elif row["kind"] == "account":
            accounts.add_row(
                _cell(row["name"]),
                _cell(row["platform"]),
                _cell(row["account_id"]),
                word("reach", row["reach"], language),
                word("why", row["why"], language),
                _shown(row["last_heard_at"], zone),
                str(row["posts"]),
            )
    if sources.row_count:
        output.out.print(sources, "")
    if accounts.row_count:
        output.out.print(accounts, "")
    for row in rows:
        if row["kind"] in ("host", "channel", "model") and row["note"]:
            output.warn(row["note"])
    for keeping in kept:
        for line in lines_of(keeping, app):
            output.say(line)
    for line in _sum_lines(rows[-1], zh):
        output.say(line)


def _sum_lines(sums: Mapping[str, Any], zh: bool) -> list[str]:
    """What there is and what waits, in words."""
    counted = {name: sums.get(name) or 0 for name in (*_COUNTED, *_WAITING)}
    line = "，".join(f"{words[0]} {counted[name]}" for name, words in _COUNTED.items()) if zh else ""
    lines = [line or ", ".join(f"{words[1]} {counted[name]}" for name, words in _COUNTED.items())]
    lines += [words[0 if zh else 1].format(counted[name]) for name, words in _WAITING.items() if counted[name]]
    runs = ("listener run 正在运行" if zh else "`listener run` is running") if sums["running"] else ""
    return [*lines, runs or ("listener run 没有在运行" if zh else "`listener run` is not running")]


# fmt: off
_COUNTED: Mapping[str, tuple[str, str]] = {
    "posts": ("内容", "posts"), "mentions": ("提及（按品牌计）", "mentions (each brand of a post)"), "kocs": ("KOC", "KOCs"),
    "alerts.current": ("当前预警", "current alerts"), "cases.open": ("处理中的处置单", "open cases"),
    "deliveries.sent": ("已推送", "sent"),
}
_WAITING: Mapping[str, tuple[str, str]] = {
    "stale": ("{} 条内容待评分：listener watch", "{} posts wait for their score: listener watch"),
    "dirty": ("{} 位 KOC 待重看：listener watch", "{} KOCs wait for their replay: listener watch"),
    "deliveries.pending": ("{} 条推送待发送：listener deliver", "{} deliveries wait: listener deliver"),
    "deliveries.held": ("{} 条推送暂存：listener alerts held", "{} deliveries are held back: listener alerts held"),
    "deliveries.dead": ("{} 条推送已放弃：listener deliver --retry", "{} deliveries given up: listener deliver --retry"),
}
# fmt: on


def _tables(zh: bool) -> tuple[Table, Table]:
    sources = ("来源", "平台", "状态", "最后成功", "条数", "说明")
    accounts = ("KOC", "平台", "账号", "覆盖", "原因", "最后听到", "内容")
    if not zh:
        sources = ("Source", "Platform", "State", "Last success", "Items", "Note")
        accounts = ("KOC", "Platform", "Account", "Coverage", "Why", "Last heard", "Posts")
    first, second = [Table(*heads, box=None, header_style="bold", pad_edge=False) for heads in (sources, accounts)]
    return first, second


def _shown(at: str | None, zone: ZoneInfo) -> str:
    return _ago(datetime.fromisoformat(at), zone) if at else "–"


def ails(app: App) -> bool:
    """Whether a source that is switched on has fallen silent, or its last crawl did not reach its end, a host refuses us, a
    channel takes no messages, or the scorer can't be read."""
    sources = [row for row in status_rows(app) if row["kind"] == "source" and row["enabled"]]
    bad = ("blocked", "changed", "failed")
    ill = any(row["is_silent"] or row["outcome"] in bad for row in sources)
    return ill or bool(app.store.refusing_hosts()) or bool(_channel_rows(app)) or bool(scorer_of(app).error)


def status_rows(app: App, kept: Sequence[Keeping] = ()) -> list[dict[str, Any]]:
    """One row for each source (kind ``source``), each account of the roster (``account``), each brand's promise (``promise``),
    the scorer (``model``), and the sums (``sums``)."""
    crawls = app.store.crawls(last=False)
    covered, fares = coverage_of(app), health_by_source(app)
    rows = [
        *[
            _source_row(one, [c for c in crawls if c.source == one.source], fares[one.source], app.settings.listener.language)
            for one in listenings_of(app)
        ],
        *[_account_row(koc, account) for koc in app.store.kocs() for account in covered[koc.koc_id].accounts],
        *map(status_row, kept),
    ]
    lease = app.store.lease("run")
    running = lease.holder if lease and lease.until > app.now() else None
    refusing = [_host_row(one, app) for one in app.store.refusing_hosts()]
    return [*rows, *refusing, *_channel_rows(app), _model_row(app), {"kind": "sums", **app.store.counts(), "running": running}]


def _model_row(app: App) -> dict[str, Any]:
    """The scorer: one that can't be read, and what waits for a new one, are told."""
    scorer, note = scorer_of(app), ""
    if scorer.error:
        note = f"评分模型不可用，新内容评不了分：{scorer.error}"
    elif scorer.is_changed and scorer.left:
        note = (
            f"评分模型已换，{scorer.left} 条内容还是旧模型的评分：listener rescore"
            f" / the scorer changed: {scorer.left} posts still have scores of the old one"
        )
    return {"kind": "model", **asdict(scorer), "note": note}


def _channel_rows(app: App) -> list[dict[str, Any]]:
    """A row for each channel that takes no messages."""
    names = [one.name for one in app.settings.channels if one.enabled]
    found = failing_channels(app.store.channel_states(), app.store.unsent(), names, app.now())
    words = (
        "渠道 {channel} 推送失败，待重试 {waiting}，放弃 {dead}：{error} / takes no messages: {waiting} wait, {dead} given up"
    )
    return [{"kind": "channel", **one.evidence, "note": words.format(**one.evidence)} for one in found]


def _host_row(host: Host, app: App) -> dict[str, Any]:
    return {
        "kind": "host",
        "host": host.host,
        "refusals": host.refusals,
        "paused_until": _plain(host.paused_until),
        "refused_at": _plain(host.refused_at),
        "source": host.source,
        "reason": host.reason,
        "note": words_of_pause(host, app.now(), app.timezone),
    }


def _account_row(koc: Koc, account: AccountCoverage) -> dict[str, Any]:
    return {
        "kind": "account",
        "koc_id": koc.koc_id,
        "name": koc.name,
        "platform": account.account[0],
        "account_id": account.account[1],
        "reach": account.reach,
        "why": account.why,
        "last_heard_at": _plain(account.last_heard_at),
        "heard_to": _plain(account.heard_to),
        "posts": account.posts,
        "source": account.source,
    }


def _source_row(listening: Listening, crawls: Sequence[Crawl], fares: Health, language: str) -> dict[str, Any]:
    last = max(crawls, key=lambda c: c.started_at, default=None)
    done = [c.ended_at for c in crawls if c.outcome == "done" and c.ended_at]
    known = listening.platform == inbox.PLATFORM or listening.platform in platforms()
    return {
        "kind": "source",
        "source": listening.source,
        "platform": listening.platform,
        "enabled": listening.enabled,
        "outcome": last.outcome if last else None,
        "last_success_at": _plain(max(done, default=None)),
        "items": sum(c.items for c in crawls),
        "error": (last.error if last else "") if known else f"没有这个平台的爬虫 / no spider for {listening.platform!r}",
        "posts_a_day": round(fares.recent, 2),
        "usual_posts_a_day": None if fares.usual is None else round(fares.usual, 2),
        "silent_days": fares.silent_days,
        "is_silent": fares.is_silent,
        "error_rate": None if fares.errors is None else round(fares.errors, 3),
        "note": words_of(fares, language),
    }
