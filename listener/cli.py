"""The command line: words in, an exit code out. Commands stand in `listener.commands`, a file a family."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from listener.commands import (
    attending,
    cases,
    collecting,
    delivering,
    drifting,
    importing,
    misuse,
    nlp,
    output,
    privacy,
    promises,
    rostering,
    setting_up,
    sources,
    watching,
)
from listener.commands.context import DONE, FAILED, MISUSED, errors_of_doors, remember

log = logging.getLogger("listener")

app = typer.Typer(
    name="listener",
    help="品牌口碑监听站：收录 → 规整 → 评分 → 观察 → 预警 → 回应 / a listening post for brands",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _tell_version(is_asked: bool) -> None:
    if is_asked:
        output.say(f"koc-listener {metadata.version('koc-listener')}")
        raise typer.Exit


@app.callback()
def main(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", "-c", help="listener.toml（默认：LISTENER_CONFIG，或当前文件夹）/ the settings", metavar="FILE"
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", help="版本 / the version", is_eager=True, callback=_tell_version)
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="更多日志 / more log lines")] = False,
) -> None:
    output.set_up_logging(verbose)
    remember(context, config)


FAMILIES = (
    setting_up,
    rostering,
    promises,
    privacy,
    importing,
    collecting,
    watching,
    delivering,
    attending,
    cases,
    drifting,
)
for family in FAMILIES:
    family.add_to(app)
app.add_typer(nlp.app, name="nlp")
app.add_typer(sources.app, name="source")


RENAMED = {"--who": "--by", "--why": "--reason"}  # options as scripts may still write them


def by_new_names(arguments: Iterable[str]) -> list[str]:
    """Words of a command line with the names that options have now; what follows ``--`` is no option.

    >>> by_new_names(["alerts", "ack", "abc123", "--who=小周", "--", "--why"])
    ['alerts', 'ack', 'abc123', '--by=小周', '--', '--why']
    """
    words, found = iter(arguments), []
    for each in words:
        name, equals, value = each.partition("=")
        found.append(RENAMED.get(name, name) + equals + value)
        if each == "--":
            found += words
    return found


def run(arguments: Sequence[str]) -> int:
    """Run one command; 0 done, 1 failed, 2 wrong use or configuration. What is expected to fail is told in words; anything
    else is a bug: it is logged as critical, with its trace."""
    try:
        code = app(args=by_new_names(arguments), prog_name="listener", standalone_mode=False)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else DONE
    except typer.Abort:
        output.warn("已中止 / aborted")
        return FAILED
    except misuse.Misuse as error:
        output.warn(misuse.told(error))
        return MISUSED
    except errors_of_doors() as error:
        return output.refuse(error)
    except Exception:
        log.critical("程序错误，请报告 / a bug, please report it", exc_info=True)
        return FAILED
    return code if isinstance(code, int) else DONE
