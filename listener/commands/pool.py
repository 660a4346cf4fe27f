"""koc candidates, nominate, drop, admit: the pool, read as posts and links, filled by people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from listener.commands import output
from listener.commands.context import ByOption, opened, time_of, who_of
from listener.commands.output import Format, FormatOption

if TYPE_CHECKING:
    from listener.app import App
    from listener.relations.candidates import Candidate

ReasonOption = Annotated[str, typer.Option("--reason", help="为什么 / why")]


def add_to(koc: typer.Typer) -> None:
    """Put the commands of this family on `listener koc`."""
    koc.command("candidates")(koc_candidates)
    koc.command("nominate", no_args_is_help=True)(koc_nominate)
    koc.command("drop", no_args_is_help=True)(koc_drop)
    koc.command("admit", no_args_is_help=True)(koc_admit)


def koc_candidates(
    context: typer.Context,
    place_of: Annotated[str | None, typer.Option("--for", metavar="KOC", help="谁的接替者 / who is to be replaced")] = None,
    brand: Annotated[str | None, typer.Option(help="哪个品牌（默认第一个）/ which brand (default: the first)")] = None,
    platform: Annotated[str | None, typer.Option(help="只看一个平台 / one platform only")] = None,
    since: Annotated[str | None, typer.Option(help="只看这天以后 / posts since that day")] = None,
    limit: Annotated[int, typer.Option(min=1, max=400, help="最多几位 / how many at most")] = 20,
    every: Annotated[bool, typer.Option("--all", help="连同零分以下的 / those below nought too")] = False,
    nominated: Annotated[bool, typer.Option("--nominated", help="只列已提名的 / those named by a person")] = False,
    form: FormatOption = Format.table,
) -> None:
    """从公开内容里看谁在用自己的话支持品牌：分数由各项相加，附链接，没有名字 / who speaks for the brand in an own voice"""
    from listener.commands import showing
    from listener.tending import pool

    with opened(context) as app:
        showing.warn_if_behind(app)
        if nominated:
            _print_nominations(app, form)
            return
        of = pool.brand_named(app, brand)
        if place_of is not None:
            found = pool.replacements(app, showing.koc_of(app, place_of), of, limit)
        else:
            start = time_of(since, "--since", app.timezone) if since else None
            scored, _ = pool.candidates(app, of, platform=platform, since=start)
            found = [one for one in scored if every or one.score > 0][:limit]
        print_candidates(app, found, form)


def koc_nominate(
    context: typer.Context,
    link: Annotated[str, typer.Argument(metavar="LINK", help="公开内容的网址 / the address of a public post")],
    reason: ReasonOption = "",
    brand: Annotated[str | None, typer.Option(help="哪个品牌（默认第一个）/ which brand (default: the first)")] = None,
    by: ByOption = None,
) -> None:
    """由人提名一位陌生作者为候选，写明原因；凭仍在保留期内的公开链接 / a person names a stranger, with a reason"""
    from listener.tending import pool

    with opened(context) as app:
        made = pool.nominate(app, link, who=who_of(by), reason=reason, brand=pool.brand_named(app, brand))
    output.say(f"已提名 {made.author_key[:12]}（{made.who}：{made.reason}）/ nominated")


def koc_drop(
    context: typer.Context,
    which: Annotated[str, typer.Argument(metavar="KEY|LINK", help="提名的键，或公开内容的网址 / a nomination or a link")],
    reason: ReasonOption = "",
    by: ByOption = None,
) -> None:
    """不考虑这位作者，写明原因；不再出现在候选里 / leave an author out of the pool, with a reason"""
    from listener.tending import pool

    with opened(context) as app:
        made = pool.drop(app, which, who=who_of(by), reason=reason)
    output.say(f"已移出候选 {made.author_key[:12]} / dropped")


def koc_admit(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="KEY", help="提名的键 / the nomination")],
    account: Annotated[str, typer.Option(help="平台的账号ID，由人查得 / the platform's account id, looked up by a person")],
    name: Annotated[str, typer.Option(help="名字 / name")],
    koc_id: Annotated[str, typer.Option("--id", help="编号（默认由账号生成）/ id (default: made from the account)")] = "",
    tier: Annotated[str, typer.Option(help="等级 / tier")] = "",
    owner: Annotated[str, typer.Option(help="对接人 / owner")] = "",
    reason: ReasonOption = "",
    by: ByOption = None,
) -> None:
    """把提名的作者收进名单；账号必须就是那位作者 / take a nominated author onto the roster; the account must be the author's"""
    from listener.tending import pool

    with opened(context) as app, output.reporting() as report:
        made = pool.admit(app, key, account, name=name, who=who_of(by), koc_id=koc_id, tier=tier, owner=owner, reason=reason)
        app.catch_up(report)
    output.say(f"已收进名单：{made.koc_id} {made.name} / on the roster")


def print_candidates(app: App, found: list[Candidate], form: Format) -> None:
    """Candidates with every part of their scores and the links; keys, never names."""
    from listener.text.words import word

    language, zone = app.settings.listener.language, ZoneInfo(app.timezone)
    rows: list[dict[str, Any]] = []
    for one in found:
        parts = sorted(one.parts, key=lambda part: -abs(part.points))
        said = "，".join(f"{word('candidate-part', part.code, language)} {part.points:+.0f}" for part in parts if part.points)
        named = "★" if one.is_nominated else ""
        plain = {
            "key": one.key,
            "score": one.score,
            "platform": one.platform,
            "mentions": one.mentions,
            "first_at": one.first_at.astimezone(zone).isoformat(),
            "last_at": one.last_at.astimezone(zone).isoformat(),
            "nominated": one.is_nominated,
            "parts": [{"code": part.code, "points": part.points, "value": part.value} for part in one.parts],
            "links": [url for _, url in one.links],
        }
        shown = {"key": f"{one.key}{named}", "parts": said, "links": "\n".join(url for _, url in one.links[:2])}
        rows.append(plain if form is not Format.table else plain | shown)
    zh = language == "zh-CN"
    heads = (
        ("候选", "分数", "平台", "提及", "各项", "链接") if zh else ("Key", "Score", "Platform", "Mentions", "Parts", "Links")
    )
    keys = ("key", "score", "platform", "mentions", "parts", "links")
    output.write_rows(rows, form, columns=list(zip(keys, heads, strict=True)), empty="还没有候选 / no candidate yet")


def _print_nominations(app: App, form: Format) -> None:
    from listener.tending import pool
    from listener.text.quotes import line_of

    zone = ZoneInfo(app.timezone)
    named = pool.nominations(app)
    views = app.store.posts_of(one.post for one in named)
    rows = [
        {
            "key": one.author_key[:12],
            "at": f"{local:%Y-%m-%d %H:%M}" if form is Format.table else local.isoformat(timespec="minutes"),
            "who": line_of(one.who),
            "reason": line_of(one.reason),
            "platform": one.post.platform,
            "brand": one.brand,
            "link": views[one.post].url if one.post in views and not views[one.post].text_purged else "",
        }
        for one in named
        for local in [one.at.astimezone(zone)]
    ]
    heads = (("key", "候选"), ("at", "何时"), ("who", "谁"), ("reason", "原因"), ("platform", "平台"), ("link", "链接"))
    output.write_rows(
        rows, form, columns=heads, empty="还没有提名：listener koc nominate LINK --reason … / nobody is nominated"
    )
