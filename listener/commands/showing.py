"""What commands show: alerts as rows and as words, a crawl's end, what waits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import typer
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from listener.app import App
from listener.commands import output
from listener.text.discretion import alias_of
from listener.text.faces import page_of
from listener.text.quotes import line_of, unmasked
from listener.text.story import story_of
from listener.text.views import AlertView, stance_of
from listener.text.words import word
from storage.records import OPERATIONAL_KINDS, Crawl, Koc, Mention, StoredAlert

COLOURS = {"red": "red", "amber": "yellow"}


def alert_rows(app: App, found: Sequence[StoredAlert], *, with_state: bool = False) -> Iterator[dict[str, Any]]:
    """Each alert as the machine reads it, in the order given; times in the workspace's zone, texts with people masked."""
    zone = ZoneInfo(app.timezone)
    posts = app.store.posts_of({key for one in found for key in one.alert.posts})
    mentions = {
        brand: app.store.mentions_of({key for one in found if one.alert.brand == brand for key in one.alert.posts}, brand)
        for brand in {one.alert.brand for one in found}
    }
    rivals = {
        (brand, rival): app.store.mentions_of({key for one in found for key in one.alert.posts}, brand, rival)
        for brand, rival in {(one.alert.brand, one.alert.evidence.get("rival")) for one in found}
        if rival
    }
    taken = app.store.acknowledgements(one.alert.key for one in found)
    for one in found:
        alert = one.alert
        of_rival = rivals.get((alert.brand, alert.evidence.get("rival")), {})
        row: dict[str, Any] = {
            "key": alert.key,
            "kind": alert.kind,
            "level": alert.level,
            "severity": alert.severity,
            "koc_id": alert.koc_id,
            "brand": alert.brand,
            "fired_at": alert.fired_at.astimezone(zone).isoformat(),
            "turned_at": alert.turned_at.astimezone(zone).isoformat() if alert.turned_at else None,
            "acknowledged_by": taken[alert.key].who if alert.key in taken else None,
            "acknowledged_at": taken[alert.key].at.astimezone(zone).isoformat() if alert.key in taken else None,
            "evidence": alert.evidence,
            "posts": [],
        }
        for key in alert.posts:
            if key in posts:
                stance = _stance(mentions[alert.brand].get(key) or of_rival.get(key))
                view = posts[key]
                row["posts"].append(
                    {
                        "platform": key.platform,
                        "post_id": key.post_id,
                        "url": view.url,
                        "posted_at": view.posted_at.astimezone(zone).isoformat(),
                        "text": unmasked(view.text, app.settings.listener.language),
                        **stance,
                    }
                )
        if with_state:
            row["state"] = one.state
            row["superseded_at"] = one.superseded_at.astimezone(zone).isoformat() if one.superseded_at else None
        yield row


def _stance(mention: Mention | None) -> dict[str, Any]:
    """Toward whom a post takes which stance: our brand, or the rival that the alert is about; None where nothing was read."""
    if mention is None:
        return {"stance": None, "probability": None, "target": None}
    stance = stance_of(mention.favor, mention.against, mention.none)
    return {"stance": stance, "probability": getattr(mention, stance), "target": mention.target}


def print_alerts(app: App, found: Sequence[StoredAlert], *, full: bool) -> None:
    """The alerts, a line each; in full with the quotes and the next step."""
    if not found:
        output.say("当前没有预警 / no alerts")
        return
    views = app.views_of(found)
    if full:
        for view in views:
            output.out.print(panel_of(view))
        return
    zh = app.settings.listener.language == "zh-CN"
    heads = (
        ("时间", "级别", "KOC", "品牌", "变化", "下一步", "编号")
        if zh
        else ("At", "Level", "KOC", "Brand", "What changed", "Next step", "Key")
    )
    taken = app.store.acknowledgements(one.alert.key for one in found)
    table = Table(*heads, box=None, header_style="bold", pad_edge=False)
    for view in views:
        story, level = story_of(view), view.alert.level or ""
        at = view.alert.fired_at.astimezone(ZoneInfo(app.timezone)).strftime("%Y-%m-%d %H:%M")
        state = "" if view.state == "current" else f"[dim]（{word('alert-state', view.state, view.language)}）[/dim]"
        is_turn = level and view.alert.kind not in OPERATIONAL_KINDS
        short = word("level-short", level, view.language) if is_turn else word("alert-kind", view.alert.kind, view.language)
        severity = word("severity", view.alert.severity, view.language)
        badge = f"[{COLOURS.get(level, 'blue')}]{escape(short)}[/]·{escape(severity)}{state}"
        mine = taken.get(view.alert.key)
        who = "" if mine is None else f"（{line_of(mine.who)} 已接手）" if zh else f" (taken on by {line_of(mine.who)})"
        table.add_row(
            at,
            badge,
            escape(line_of(view.name)),
            escape(line_of(view.alert.brand)),
            escape(story.headline),
            escape(story.next_word + who),
            view.alert.key[:8],
        )
    output.out.print(table)
    chinese_hint = "加 --full 看原文与下一步；listener explain KOC 看完整经过"
    more = chinese_hint if zh else "--full shows the posts; `listener explain KOC` the whole story"
    output.out.print(f"[dim]{more}[/dim]")


def write_page(app: App, found: Sequence[StoredAlert], file: Path) -> None:
    """All these alerts as one self-contained page, good on a phone."""
    page = page_of(*app.views_of(found))
    try:
        file.write_text(page, encoding="utf-8")
    except OSError as error:
        raise typer.BadParameter(f"写不了 / can't be written: {file}: {error.strerror}", param_hint="--html") from error


def koc_of(app: App, who: str) -> Koc:
    """The KOC of that id, or else of that name, or of what channels abroad call it; BadParameter where there is none, or more
    than one."""
    kocs = app.store.kocs()
    found = [one for one in kocs if one.koc_id == who] or [one for one in kocs if one.name == who]
    if not found and who.startswith("KOC-"):
        found = [one for one in kocs if alias_of(app.key, one.koc_id) == who]
    if len(found) == 1:
        return found[0]
    near = ", ".join(one.koc_id for one in found) or "listener koc list"
    raise typer.BadParameter(f"{'有多位' if found else '名单里没有'} {who!r}：{near} / {len(found)} KOCs are called so: {near}")


def known_brand(app: App, brand: str) -> None:
    """BadParameter, with the brands that there are, for a brand that is none of them."""
    names = [one.name for one in app.brands]
    if brand not in names:
        known = ", ".join(names) or "–"
        raise typer.BadParameter(f"没有品牌 {brand!r}；现有：{known} / unknown brand {brand!r}; there are: {known}")


def panel_of(view: AlertView, most_quotes: int = 6) -> Panel:
    """An alert as a person reads it on a terminal."""
    story = story_of(view)
    lines = [f"[bold]{escape(story.headline)}[/bold]"]
    lines += [f"{escape(label)}  {escape(text)}" for label, text in story.facts]
    lines.append("")
    for each in view.quotes[:most_quotes]:
        day = each.posted_at.astimezone(ZoneInfo(view.timezone)).strftime("%m-%d")
        text = escape(line_of(unmasked(each.text, view.language)))
        lines.append(f"[dim]{day}[/dim] {escape(word('stance', each.stance, view.language))} {text}")
        if each.url:
            lines.append(f"      [dim]{escape(line_of(each.url))}[/dim]")
    if len(view.quotes) > most_quotes:
        lines.append(f"[dim]… {len(view.quotes) - most_quotes}[/dim]")
    lines += ["", f"[bold]{escape(story.next_word)}[/bold]  {escape(story.hint)}"]
    level = view.alert.level or ""
    title = line_of(f"{story.badge} · {view.name}")
    return Panel("\n".join(lines), title=escape(title), title_align="left", border_style=COLOURS.get(level, "blue"))


def words_of_crawl(crawl: Crawl) -> str:
    """How a crawl ended, in one line."""
    ends = {
        "done": "完成 / done",
        "blocked": "被拦截 / blocked",
        "changed": "平台页面已变化，读不懂 / the platform's pages have another shape",
        "failed": "失败 / failed",
        "cut": "中断 / cut",
        "running": "进行中 / running",
    }
    line = f"{crawl.source}（{crawl.platform}）：{ends[crawl.outcome]}，{crawl.items} 条 / {crawl.items} items"
    return "\n  ".join([line, *crawl.error.splitlines()])


def warn_if_behind(app: App) -> None:
    """Say so where what is shown is not the last word: posts without mentions, KOCs to replay."""
    stale, dirty = app.store.count_stale(), app.store.count_dirty()
    if stale or dirty:
        output.warn(
            f"注意：{stale} 条内容待评分，{dirty} 位 KOC 待重看；运行 listener watch"
            f" / {stale} posts wait for their score, {dirty} KOCs for their replay: run `listener watch`",
        )
