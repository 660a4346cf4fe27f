"""What goes into a crawl and what comes out of it: a job, then events; as values, and as the lines of the pipe between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from spiders.items import Item

TroubleKind = Literal["blocked", "changed", "failed", "limited"]
Outcome = Literal["done", "blocked", "failed", "cut"]


@dataclass(frozen=True, slots=True)
class SubjectMark:
    """How far a subject was read before: the newest post that is surely stored with all that is older, and what the
    spider wants to be told again (``state`` of its last ``Reached``)."""

    posted_at: datetime | None = None
    state: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CollectJob:
    """One crawl of one source.

    platform: name of the spider. queries, accounts (ids on the platform), urls: what to read; each becomes a *subject*,
    ``query:<words>``, ``timeline:<id>`` or the address itself. marks: by subject, as far as there are any.
    since, until: only posts in [since, until); a job with ``until``, or with a ``since`` later than a mark, leaves it alone.
    posts: single posts, by address or id, ``post:<ref>``. looks: posts whose counts are looked at again, named the same way,
    ``look:<ref>``; they have no mark, and since their addresses are what pages said, they lead into a private net only where
    base_url or own_urls, the source's own addresses, lie there. options: what the platform's spider wants to know besides.
    proxy: the address of a proxy that all requests go through ("" none).
    comments: also read what is answered under the posts. overlap_hours: how far behind its mark a subject is read again, for
    late posts, new comments and new counts. delay_seconds: at least so long between two requests to one host.
    max_pages, max_comment_pages: of one subject, of one post. pages_dir: where a page of unknown shape is kept ("" nowhere).
    only: of the subjects only these, () all of them: several crawls may share a source. seconds, most: after so long,
    or so many items, the crawl hands back what is left (`Left`), where that loses nothing. pages_read: by subject, how many of
    its ``max_pages`` earlier crawls have used.
    base_url: another server in place of the platform's own (tests, demo, a mirror). contact: a web or mail address that the
    user agent names, so that a site's owner can reach whoever crawls it.
    """

    platform: str
    source: str = ""
    queries: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    posts: tuple[str, ...] = ()
    looks: tuple[str, ...] = ()
    own_urls: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)  # a key may stand here
    since: datetime | None = None
    until: datetime | None = None
    marks: Mapping[str, SubjectMark] = field(default_factory=dict)
    comments: bool = True
    overlap_hours: float = 72.0
    delay_seconds: float = 1.0
    timeout_seconds: float = 30.0
    retries: int = 2
    max_pages: int = 100
    max_comment_pages: int = 20
    user_agent: str = ""
    contact: str = ""
    base_url: str = ""
    timezone: str = "Asia/Shanghai"
    pages_dir: str = ""
    proxy: str = field(default="", repr=False)
    only: tuple[str, ...] = ()
    seconds: float | None = None
    most: int | None = None
    pages_read: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Collected:
    item: Item
    event: Literal["collected"] = "collected"


@dataclass(frozen=True, slots=True)
class Reached:
    """A subject was read down to its mark (or its end), and all that was found has been handed over before this event.

    posted_at: newest post of it now, never older than the mark that the job brought; None where it has no post. Store it as the
    subject's next mark, together with ``state``, in the transaction of the items before it.
    """

    subject: str
    posted_at: datetime | None
    state: Mapping[str, Any] = field(default_factory=dict)
    event: Literal["reached"] = "reached"


@dataclass(frozen=True, slots=True)
class Noted:
    """How far a subject is read, short of its mark, which stays where it is: what is noted in ``state`` the spider wants to be
    told again. Store it in the transaction of the items before it, or of later ones."""

    subject: str
    state: Mapping[str, Any] = field(default_factory=dict)
    event: Literal["noted"] = "noted"


@dataclass(frozen=True, slots=True)
class Covered:
    """The timeline of this account was read from now to its mark, with nothing left out: what it did not say, it did not say in
    public. A backfill covers nothing."""

    platform: str
    account_id: str
    event: Literal["covered"] = "covered"


@dataclass(frozen=True, slots=True)
class Left:
    """A subject that this crawl has not read, or not to its end, because its time is up (``CollectJob.seconds``). Another one
    goes on where it was last `Noted`. Without a subject: one of several crawls has handed back what it read; a good
    moment to store it."""

    subject: str = ""
    event: Literal["left"] = "left"


@dataclass(frozen=True, slots=True)
class Vanished:
    """A post that was looked for (``CollectJob.looks``) is there no more."""

    ref: str
    event: Literal["vanished"] = "vanished"


@dataclass(frozen=True, slots=True)
class Asks:
    """The crawl wants to send a request to a host, ``delay_seconds`` after the last one that anybody sent there. Answered by
    ``collect`` with a `Turn`; nobody else sees it."""

    host: str
    delay_seconds: float
    number: int = 0
    event: Literal["asks"] = "asks"


@dataclass(frozen=True, slots=True)
class Turn:
    """When a request may go out: after so many seconds; or why not, zh-CN and English."""

    wait_seconds: float = 0.0
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """A host has refused us: captcha, log-in wall, too many requests. wait_seconds: how long it asks us to stay away, None
    where it does not say."""

    host: str
    message: str
    wait_seconds: float | None = None
    event: Literal["refused"] = "refused"


@dataclass(frozen=True, slots=True)
class Answered:
    """A host has answered this crawl as it should, and refused it nothing."""

    host: str
    event: Literal["answered"] = "answered"


@dataclass(frozen=True, slots=True)
class Trouble:
    """A subject that could not be read to its mark; what was read before stands. Its mark must stay as it was. *limited* alone
    is milder: there is more than we read, and reading again would bring no more; marks move on, and the crawl may be done.

    kind: *blocked*, the platform does not let us; *changed*, the page has a shape that the spider does not know (then
    ``page_path`` is where it was kept, "" if nowhere); *failed*, network or server; *limited*, once a crawl for each kind of
    limit, with how often it was met, without a subject, before Ended. message: zh-CN, then English. words, count: of a limit,
    the message with ``{count}`` in it, and what stands there, so that those of several crawls can be summed.
    """

    kind: TroubleKind
    message: str
    subject: str = ""
    page_path: str = ""
    words: str = ""
    count: int = 0
    event: Literal["trouble"] = "trouble"


@dataclass(frozen=True, slots=True)
class Ended:
    """The last event of every crawl.

    outcome: *done*, every subject was reached; *blocked*, the platform did not let us read some; *failed*, some were not read
    for another reason; *cut*, stopped on request.
    error: the first trouble's message (no limit's), or the last words of a child that crashed. stats: Scrapy's counters.
    """

    outcome: Outcome
    error: str = ""
    stats: Mapping[str, Any] = field(default_factory=dict)
    event: Literal["ended"] = "ended"


Event: TypeAlias = Collected | Reached | Noted | Covered | Left | Vanished | Asks | Refused | Answered | Trouble | Ended

JOBS: TypeAdapter[CollectJob] = TypeAdapter(CollectJob)
EVENTS: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="event")])


def line_of(event: Event) -> bytes:
    """One line for the pipe.

    >>> line_of(Covered("weibo", "17"))
    b'{"platform":"weibo","account_id":"17","event":"covered"}\\n'
    """
    return EVENTS.dump_json(event) + b"\n"


def event_of(line: bytes) -> Event:
    """
    >>> event_of(line_of(Trouble("failed", "没有回答", "query:星澜"))).subject
    'query:星澜'
    """
    return EVENTS.validate_json(line)
