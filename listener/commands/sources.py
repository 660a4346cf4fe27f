"""source try: what the selectors of a forum's configuration catch on a page."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import typer

from listener.commands import output
from listener.commands.context import FAILED, opened
from listener.commands.output import Format, FormatOption

if TYPE_CHECKING:
    from parsel import Selector

    from listener.app import App
    from spiders.events import CollectJob
    from spiders.sites.forum_options import ForumOptions
    from spiders.sites.forum_pages import Reading

app = typer.Typer(no_args_is_help=True, help="来源 / sources")

_COLUMNS = (
    ("name", "选择器 / selector"),
    ("selector", "写的是 / as written"),
    ("caught", "选中 / caught"),
    ("example", "第一个 / the first"),
    ("read", "读作 / read as"),
)
_KINDS: tuple[tuple[Literal["topics", "floors"], str], ...] = (
    ("topics", "作为列表页 / as a list of topics"),
    ("floors", "作为主题页 / as a topic"),
)


@app.callback()
def sources() -> None:
    """来源 / sources"""


@app.command(name="try", no_args_is_help=True)
def try_page(
    context: typer.Context,
    url: Annotated[
        str, typer.Argument(help="列表页或主题页的网址，或存下的文件 / a list's or topic's address, or a saved file")
    ],
    source: Annotated[str, typer.Option(help="用哪个来源的选择器 / whose selectors")] = "",
    form: FormatOption = Format.table,
) -> None:
    """forum 来源的每个选择器在这一页上选中了什么、时间读成什么 / what each selector of a forum catches on a page"""
    from spiders.selectors import html_of, page_of
    from spiders.single import FetchedPage, page_at
    from spiders.sites.forum_pages import Reading
    from spiders.sites.forum_trial import tried

    with opened(context) as workspace:
        job = workspace.job_of(_source_for(workspace, url, source))
    options = _options_of(job)
    is_saved = "://" not in url
    fetched = FetchedPage((job.urls or (job.base_url,))[0], "", _saved(url)) if is_saved else page_at(url, job)
    page = page_of(html_of(fetched.body, fetched.content_type, options.encoding))
    reading = Reading(datetime.now(UTC), ZoneInfo(options.timezone or job.timezone), fetched.url)
    rows = [asdict(one) for kind, _ in _KINDS for one in tried(page, options, kind, reading)]
    for row in rows:
        row["caught"] = f"{row['count']} / {row['of']}" if row["count"] else "–"
    output.write_rows(rows, form, columns=_COLUMNS, empty="–")
    verdicts = [_verdict(page, options, kind, reading) for kind, _ in _KINDS]
    for (_, words), (_, verdict) in zip(_KINDS, verdicts, strict=True):
        output.warn(f"{words}：{verdict}")
    if not any(is_good for is_good, _ in verdicts):
        raise typer.Exit(FAILED)


def _source_for(workspace: App, url: str, named: str) -> str:
    """The source whose selectors are meant: the named one, else the forum on that host, else the only forum."""
    from config.settings import ConfigError, Problem

    forums = [one for one in workspace.settings.sources if one.platform == "forum"]
    if named:
        if any(one.name == named for one in workspace.settings.sources) and named not in {one.name for one in forums}:
            words = f"{named!r} 不是 forum 来源，没有选择器 / is no source of platform forum"
            raise ConfigError([Problem(None, "sources", words)])
        return named
    host = urlsplit(url).hostname
    near = [one for one in forums if host and host in {urlsplit(each).hostname for each in one.urls}] or forums
    if len(near) == 1:
        return near[0].name
    words = (
        f"用 --source 说明是哪个来源：{', '.join(one.name for one in near)} / say which one with --source"
        if near
        else '没有 platform = "forum" 的来源，选择器写在它的 options 里 / there is no source of platform forum'
    )
    raise ConfigError([Problem(None, "sources", words)])


def _options_of(job: CollectJob) -> ForumOptions:
    from pydantic import ValidationError

    from config.settings import ConfigError, Problem
    from spiders.sites.forum_options import ForumOptions

    try:
        return ForumOptions.model_validate(dict(job.options))
    except ValidationError as error:
        problems = [
            Problem(None, ".".join(("options", *map(str, mistake["loc"]))), mistake["msg"].removeprefix("Value error, "))
            for mistake in error.errors(include_url=False)
        ]
        raise ConfigError(problems) from error


def _saved(path: str) -> bytes:
    from spiders.errors import CollectError

    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise CollectError(f"读不了文件 / the file can't be read: {path} ({error.strerror})") from error


def _verdict(page: Selector, options: ForumOptions, kind: Literal["topics", "floors"], reading: Reading) -> tuple[bool, str]:
    """Whether a crawl could read the page as that, and what it would find."""
    from spiders.errors import UnreadError
    from spiders.sites.forum_pages import listing_of, topic_of

    try:
        if kind == "topics":
            listing = listing_of(page, options.topics, reading)
            counted = f"{len(listing.rows)} 个主题，读不出 {len(listing.faults)} 个"
            return True, f"{counted}，下一页 / topics, unreadable, next: {listing.next or '–'}"
        if options.floors is None:
            return False, "没有写 options.floors / there are no options.floors"
        topic = topic_of(page, options.floors, reading)
        counted = f"{len(topic.floors)} 层，读不出 {len(topic.faults)} 层，屏蔽 {topic.hidden} 层"
        return True, f"{counted}，下一页 / floors, unreadable, hidden, next: {topic.next or '–'}"
    except UnreadError as error:
        return False, str(error)
