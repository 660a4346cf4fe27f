"""start, init, check, demo, db: from nothing to a workspace that works."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from listener.commands import output
from listener.commands.context import config_path, opened
from listener.commands.output import Format, FormatOption

if TYPE_CHECKING:
    from config.settings import Export, Problem, Settings

db = typer.Typer(no_args_is_help=True, help="数据库 / the database")


def add_to(app: typer.Typer) -> None:
    """Put the commands of this family on the command line."""
    app.command()(start)
    app.command()(init)
    app.command()(check)
    app.command()(demo)
    app.add_typer(db, name="db")


def start(
    folder: Annotated[Path, typer.Argument(help="工作区的文件夹 / folder of the workspace", metavar="[DIR]")] = Path(
        "口碑监听"
    ),
    brand: Annotated[str | None, typer.Option(help="品牌和别名，逗号分隔 / the brand and its aliases")] = None,
    rivals: Annotated[str | None, typer.Option(help="竞品，逗号分隔 / rivals")] = None,
    roster: Annotated[str | None, typer.Option(help="KOC 名单，CSV 或 .xlsx / the roster", metavar="FILE")] = None,
    posts: Annotated[str | None, typer.Option(help="过去内容的导出，JSON Lines / past posts", metavar="FILE")] = None,
    send_to: Annotated[str | None, typer.Option(help="邮箱或 https 地址 / a mail address or a webhook")] = None,
) -> None:
    """五个问题以内，看看您的历史会报什么；什么都不发送 / at most five questions, then what your history shows; sends nothing"""
    from listener import start as wizard

    wizard.start(folder, brand=brand, rivals=rivals, roster=roster, posts=posts, send_to=send_to)


def init(
    folder: Annotated[Path, typer.Argument(help="新工作区的文件夹 / folder of the workspace", metavar="[DIR]")] = Path(),
) -> None:
    """新建工作区：listener.toml、密钥文件、SQLite / make a workspace that works as it is"""
    from listener import workspace
    from listener.app import App

    path = workspace.create(folder)
    with App.open(path, os.environ) as app:
        app.prepare()
    output.say(f"工作区已就绪 / workspace ready: {folder.resolve()}")
    output.say(
        "下一步 / next: listener brand import brand.json · listener koc import 名单.csv · listener import 内容.jsonl",
    )


def check(context: typer.Context) -> None:
    """一次列出 listener.toml 的所有错误，附行号 / name every mistake of the settings at once, with its line"""
    from config.examining import examine
    from listener import dispatching, inbox
    from spiders.collect import platforms

    path = config_path(context)
    found = examine(path, os.environ, [*platforms(), inbox.PLATFORM], _faults_of)
    output.say(
        f"{path} 没有错误：{len(found.brands)} 个品牌，{len(found.sources)} 个来源，{len(found.channels)} 个渠道"
        f" / no mistakes: {len(found.brands)} brands, {len(found.sources)} sources, {len(found.channels)} channels",
    )
    for note in dispatching.notes_of(found, datetime.now(UTC).date()):
        output.warn(note)


def _faults_of(found: Settings) -> Iterator[Problem]:
    """What only trying shows: options of sources, mappings of tables, channels and message templates."""
    from config.settings import Problem, revealed
    from listener import inbox, outlets
    from nlp.model import read_model
    from nlp.results import ScoreError
    from spiders.collect import options_faults

    for index, source in enumerate(found.sources):
        if not source.missing_options:
            for words in options_faults(source.platform, revealed(source.options)):
                key, _, message = words.partition(": ")
                yield Problem(None, f"sources[{index}].{key}", message)
        if inbox.is_folder(source):
            for key, words in inbox.faults_of(source.options):
                yield Problem(None, f"sources[{index}].options.{key}", words)
    if found.engine.model is not None:
        try:
            read_model(found.engine.model)
        except ScoreError as error:
            yield Problem(None, "engine.model", str(error))
    for index, words in _mapping_faults(found.exports):
        yield Problem(None, f"exports[{index}].columns", words)
    yield from outlets.faults_of(found)


def _mapping_faults(exports: Sequence[Export]) -> Iterator[tuple[int, str]]:
    """What is wrong with the mappings of tables: (place, words)."""
    from spiders.errors import CollectError
    from spiders.exports.mapped import mapped

    for index, one in enumerate(exports):
        try:
            mapped(one.name, one.columns, one.platform, one.kind)
        except CollectError as error:
            yield index, str(error)


def demo(
    folder: Annotated[Path, typer.Option("--folder", help="演示的文件夹 / where it plays")] = Path("demo"),
) -> None:
    """演示一季：本机小平台 → 真爬虫 → 预警 → 真邮件与 Webhook / play a season on this machine"""
    from listener.demo import play

    play.play(folder, output.out)


@db.command("upgrade")
def db_upgrade(context: typer.Context) -> None:
    """把数据库升级到本版本的结构 / bring the database to this program's schema"""
    from config import settings
    from storage.store import upgrade

    database = settings.load(config_path(context), os.environ).listener.database
    output.say(f"数据库结构 / database schema: {upgrade(database)}")


@db.command("status")
def db_status(context: typer.Context, form: FormatOption = Format.table) -> None:
    """数据库里有多少内容 / what the database holds"""
    with opened(context) as app:
        rows = [{"name": name, "value": value} for name, value in app.store.counts().items()]
    output.write_rows(rows, form, columns=(("name", "表 / table"), ("value", "行数 / rows")), empty="空 / empty")
