"""brand and koc: for whom we listen, and to whom."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from listener.commands import kocs, output, pool
from listener.commands.context import FAILED, ByOption, config_path, opened, who_of
from listener.commands.output import Format, FormatOption

brand = typer.Typer(no_args_is_help=True, help="品牌 / brands")
koc = typer.Typer(no_args_is_help=True, help="KOC 名单 / the roster")


def add_to(app: typer.Typer) -> None:
    """Put the commands of this family on the command line."""
    kocs.add_to(koc)
    pool.add_to(koc)
    app.add_typer(brand, name="brand")
    app.add_typer(koc, name="koc")


@brand.command("import", no_args_is_help=True)
def brand_import(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="JSON：name, aliases, products, rivals…", metavar="FILE")],
) -> None:
    """在 listener.toml 里写入或更新一个品牌，保留注释 / add or update a brand in listener.toml, comments kept"""
    from config import edit

    values = edit.read_brand(file)
    is_new = edit.put_brand(config_path(context), values)
    with opened(context) as app, output.reporting() as report:
        app.catch_up(report)
    words = ("已写入品牌", "brand added") if is_new else ("已更新品牌", "brand updated")
    output.say(f"{words[0]} {values['name']} / {words[1]}: {values['name']}")


@brand.command("list")
def brand_list(context: typer.Context, form: FormatOption = Format.table) -> None:
    """列出品牌 / list the brands"""
    from listener.mentions import words_of

    with opened(context) as app:
        rows = [
            {"name": one.name, "words": "、".join(words_of(one)[1:]), "rivals": "、".join(rival.name for rival in one.rivals)}
            for one in app.brands
        ]
        output.write_rows(
            rows,
            form,
            columns=(("name", "品牌"), ("words", "名称与产品"), ("rivals", "竞品")),
            empty="还没有品牌：listener brand import brand.json / no brand yet",
        )


@koc.command("import", no_args_is_help=True)
def koc_import(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="CSV 或 .xlsx / CSV or .xlsx", metavar="FILE")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只预览，不写入 / preview only")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="不询问，写入可确定的行 / write what is certain, don't ask")] = False,
    by: ByOption = None,
) -> None:
    """先预览再写入 KOC 名单；补充的账号会关联已有内容 / preview and import a roster; new accounts relink stored posts"""
    from listener.commands import rosters
    from storage.roster_records import By

    with opened(context) as app:
        preview = app.read_roster(file)
        rosters.print_preview(preview)
        if dry_run:
            return
        asks = preview.kocs and not yes and sys.stdin.isatty()
        if asks and not typer.confirm("写入名单？/ write the roster?", default=True, err=True):
            raise typer.Abort
        with output.reporting() as report:
            app.store.save_kocs(preview.kocs, by=By(who_of(by), app.now(), "import", file.name))
            app.catch_up(report)
    saved, same = len(preview.kocs), len(preview.unchanged)
    output.say(f"名单已写入 {saved} 位，未变 {same} 位 / {saved} KOCs written, {same} unchanged")
    if not saved and not same:
        raise typer.Exit(FAILED)


@koc.command("list")
def koc_list(
    context: typer.Context,
    form: FormatOption = Format.table,
    brand: Annotated[str | None, typer.Option(help="哪个品牌（默认全部）/ which brand")] = None,
) -> None:
    """KOC 看板：态度、最后听到、是否覆盖 / the board: status, last heard, covered or not"""
    from listener.commands import boards, showing

    with opened(context) as app:
        showing.warn_if_behind(app)
        if brand is not None:
            showing.known_brand(app, brand)
        boards.print_board(app, form, brand)


@koc.command("remove", no_args_is_help=True)
def koc_remove(
    context: typer.Context,
    ids: Annotated[list[str], typer.Argument(metavar="KOC…")],
    why: Annotated[str, typer.Option("--reason", help="原因 / the reason")] = "",
    by: ByOption = None,
) -> None:
    """移出名单；其预警一并撤回，内容保留 / take KOCs off the roster: their alerts are superseded, posts stay"""
    from listener.commands import showing
    from storage.roster_records import By

    with opened(context) as app, output.reporting() as report:
        app.store.remove_kocs([showing.koc_of(app, who).koc_id for who in ids], by=By(who_of(by), app.now(), note=why))
        app.catch_up(report)
    output.say(f"已移出 {len(ids)} 位 / {len(ids)} removed")
