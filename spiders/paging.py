"""A spider that reads pages, newest first: what a platform writes, ``page_of`` → items, marks, open intervals, coverage."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from pydantic import BaseModel
from scrapy.http import Response

from spiders.errors import Blocked, Changed, Failed, Gone, UnreadError
from spiders.events import Collected, CollectJob, Covered, Event, Noted, Reached, Vanished
from spiders.items import Item
from spiders.spans import Span, span_of, written
from spiders.subjects import SubjectSpider

COUNTS_KEPT = 500  # the newest; what lies behind the overlap is not read again anyway
ERRORS_BORNE = 3
HELD_FOR = timedelta(days=1)
"""So long what can't be read holds a mark back and is tried again; then the mark passes it, and it is told all the same."""
SPANS_KEPT = 10

_UNREAD_ANSWERS = "{{count}} 条内容的评论没有读全：{} / the comments of {{count}} posts were not read to their end: {}"
_LOGIN = ("要登录才能看", "a log-in is wanted")
_ROBOTS = ("网站的 robots.txt 不允许", "forbidden by the site's robots.txt")


@dataclass(frozen=True, slots=True)
class Found:
    """A post on a page.

    pinned: it stands above newer ones and says nothing of the order. dated: False where its time is a guess, from which no
    end may be concluded. answers: how many it has now; None: ``item.comments``. sorted_at: the time that pages are sorted by,
    where that is not when it was posted (a topic's last answer).
    """

    item: Item
    pinned: bool = False
    dated: bool = True
    answers: int | None = None
    sorted_at: datetime | None = None

    @property
    def at(self) -> datetime:
        return self.sorted_at or self.item.posted_at


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a subject, newest first.

    next: the cursor of the page after it, any string; None at the end (an empty page that has a next one is read past).
    faults: entries that could not be read, each in words that quote no text. body: the page, kept where there are faults.
    cut_short: in words, that the page breaks off behind what is found here. hidden: ids of posts that stand there without being
    shown: they too tell a page from its repetition. passed: times of posts that stand there and were left out, because nothing
    has happened to them since they were read.
    state: what the server wants to hear again with the next crawl's first page (see `state_of`, ``PagedSpider.conditions``).
    unchanged: the server says that nothing has changed since that state (HTTP 304).
    """

    found: Sequence[Found]
    next: str | None = None
    faults: Sequence[str] = ()
    body: bytes = b""
    cut_short: str = ""
    hidden: Sequence[str] = ()
    passed: Sequence[datetime] = ()
    state: Mapping[str, Any] = field(default_factory=dict)
    unchanged: bool = False

    def ages(self) -> list[datetime]:
        """The times by which the page is placed in the list."""
        return [*(one.at for one in self.found if one.dated and not one.pinned), *self.passed]


@dataclass
class _Progress:
    """What one reading of a subject gathers.

    spans: the open intervals, newest first. known, counts: answers that a post had when they were last read, from the mark and
    from now: where that has not changed, they need not be read again. left: pages that may still be read. held_since: since
    when something that can't be read has held the mark back. safe: the last state that nothing unread lies behind.
    is_gapped: the list ended before it met what was read before.
    """

    spans: list[Span]
    known: Mapping[str, int]
    left: int
    held_since: datetime | None
    safe: Mapping[str, Any]
    counts: dict[str, int] = field(default_factory=dict)
    told: Mapping[str, Any] = field(default_factory=dict)
    errors: list[UnreadError] = field(default_factory=list)
    stopped: bool = False
    unchanged: bool = False
    is_gapped: bool = False

    def is_safe(self) -> bool:
        """Whether what was read so far may be noted as read."""
        return not self.errors or self.passes()

    def passes(self) -> bool:
        """Whether what can't be read has held the mark back for long enough."""
        return self.held_since is not None and datetime.now(UTC) - self.held_since > HELD_FOR

    def state(self) -> dict[str, Any]:
        older = {key: count for key, count in self.known.items() if key not in self.counts}
        found = {
            "answers": dict(list((self.counts | older).items())[:COUNTS_KEPT]),
            "told": dict(self.told),
            "open": [written(one) for one in self.spans if one.pages],
        }
        return {key: value for key, value in found.items() if value}


class PagedSpider(SubjectSpider):
    """Platforms derive from this and write ``page_of``, ``hosts`` and, as far as the platform has them, ``under`` and
    ``post_of``; `fetch` and `json_of` get the pages. Subjects: accounts become ``timeline:<id>``, queries ``query:<words>``,
    posts ``post:<ref>``; an address is its own subject (see `split_subject`).

    A crawl reads each subject from its newest post down to its mark, less the overlap. How far it came is handed over with
    every page (`Noted`): cut at any instant, or by ``max_pages``, the next crawl first reads what is new, then goes on from
    there. The mark moves once that reaches it.

    Options: what ``[sources.options]`` may hold, a pydantic model; ``self.options`` is one of them.
    """

    Options: ClassVar[type[BaseModel] | None] = None

    def __init__(self, job: CollectJob, **kwargs: Any) -> None:
        self.options: Any = self.Options.model_validate(dict(job.options)) if self.Options else job.options
        super().__init__(job, **kwargs)
        self._answers_read: set[str] = set()

    async def page_of(self, subject: str, cursor: str | None) -> Page:
        """One page of a subject, newest first; cursor None is the first one. Raises Blocked, Changed, Failed."""
        raise NotImplementedError

    async def whole(self, found: Found) -> Sequence[Item]:
        """A found post with what its list does not show (its long text), after posts that it brings along (one it passes on).
        Asked only for posts that the job wants and this crawl has not handed over yet."""
        return [found.item]

    async def under(self, item: Item) -> AsyncIterator[Item]:
        """What is answered under a post, comments (with ``parent_id`` and ``root_id``) and reposts; none by default.

        What a visitor is not shown is told with `limited`; a Blocked with patience above 1 is taken for such a wall as well."""
        return
        yield

    async def post_of(self, ref: str) -> Item:
        """One post by its address or id, its counts as they are now. Raises Gone where it is there no more."""
        raise Failed("这个平台不能读单条内容 / this spider can't read one post by itself", patience=0)

    def subjects(self) -> Sequence[str]:
        job = self.job
        subjects = [
            *(f"timeline:{account}" for account in job.accounts),
            *(f"query:{words}" for words in job.queries),
            *job.urls,
            *(f"post:{ref}" for ref in job.posts),
            *(f"look:{ref}" for ref in job.looks),
        ]
        return list(dict.fromkeys(subjects))

    def told(self, subject: str) -> Mapping[str, Any]:
        """What the server said of its state when the subject was last read to its mark. Nothing for a backfill, which wants
        what is there, changed or not, and nothing while an interval is open."""
        state = self.mark_of(subject).state
        told = state.get("told")
        return told if isinstance(told, Mapping) and self.is_crawl() and not state.get("open") else {}

    def conditions(self, subject: str) -> dict[str, str]:
        """Headers that ask for a subject's first page only if it has changed; `fetch` it with ``also=(304,)``."""
        told = self.told(subject)
        return {name: str(told[key]) for key, name in _CONDITIONS.items() if told.get(key)}

    def is_crawl(self) -> bool:
        """Whether the job goes on from its marks; otherwise it reads a date range."""
        return self.job.since is None and self.job.until is None

    async def read(self, subject: str) -> AsyncIterator[Event]:
        mark, progress = self.mark_of(subject), self._progress_of(subject)
        kind, what = split_subject(subject)
        if kind == "look":
            async for event in self._looked(what):
                yield event
            return
        events = self._read_post(what, progress) if kind == "post" else self._read_down(subject, progress)
        try:
            async for event in events:
                yield event
            if not progress.is_safe():
                raise progress.errors[0]
        except UnreadError:
            if progress.errors and self.is_crawl():
                held = (progress.held_since or datetime.now(UTC)).isoformat()
                yield Noted(subject, {**progress.safe, "held_since": held})
            raise
        for error in progress.errors:
            yield self._trouble_of(error, subject)
        if progress.unchanged:
            yield Reached(subject, mark.posted_at, mark.state)
        elif progress.stopped:
            self._left_open(subject)
            return
        else:
            newest = progress.spans[0].newest if progress.spans else None
            progress.spans = []
            yield self.reached(subject, newest, progress.state())
        if kind == "timeline" and self.is_whole(subject) and not progress.is_gapped and not progress.errors:
            yield Covered(self.job.platform, what)

    def _progress_of(self, subject: str) -> _Progress:
        state = self.mark_of(subject).state
        spans = [span_of(one) for one in state.get("open") or ()] if self.is_crawl() else []
        while len(spans) > SPANS_KEPT:  # rather one of the oldest read twice than one more each time
            spans[-2:] = [replace(spans[-2], down_to=spans[-1].down_to)]
        top = Span(down_to=spans[0].newest if spans else self.cut_of(subject))
        held = state.get("held_since")
        return _Progress(
            spans=[top, *spans],
            known=dict(state.get("answers") or {}),
            left=max(1, self.job.max_pages - self.job.pages_read.get(subject, 0)),
            held_since=datetime.fromisoformat(held) if held else None,
            safe={key: value for key, value in state.items() if key != "held_since"},
        )

    async def _read_post(self, ref: str, progress: _Progress) -> AsyncIterator[Event]:
        item = await self.post_of(ref)
        progress.spans = []
        # reposts are read under a post too, so one without comments may have something there
        answers = None if item.comments is None else item.comments + (item.reposts or 0)
        async for event in self._take_post(Found(item, answers=answers), progress):
            yield event

    async def _looked(self, ref: str) -> AsyncIterator[Event]:
        if type(self).post_of is PagedSpider.post_of:
            self.limited("{count} 条没有回访：这个平台不能读单条内容 / {count} posts not looked at: no single posts here", ref)
            return
        try:
            yield Collected(await self.post_of(ref))
        except Gone:
            yield Vanished(ref)

    async def _read_down(self, subject: str, progress: _Progress) -> AsyncIterator[Event]:
        """Read the newest open interval down, then the rest of those under it."""
        while True:
            async for event in self._read_span(subject, progress):
                yield event
            if progress.stopped or progress.unchanged or len(progress.spans) == 1:
                return
            progress.spans[:2] = [progress.spans[0].over(progress.spans[1])]
            if progress.is_safe():
                yield self._noted(subject, progress)
            if progress.left <= 0:
                progress.stopped = True
                return

    async def _read_span(self, subject: str, progress: _Progress) -> AsyncIterator[Event]:
        """Read the first interval to where it ends, or until no more pages may be read."""
        cursor, is_again = progress.spans[0].last, progress.spans[0].pages > 0
        asked, before = set[str | None](), set[str]()
        while True:
            if not is_again and progress.left <= 0:
                progress.stopped = True
                return
            page = await self._ask_page(subject, cursor, progress.spans[0] if is_again else None)
            if page is None:
                progress.spans[0] = replace(progress.spans[0], last=None, oldest=None, pages=0)
                cursor, is_again = None, False
                continue
            if page.unchanged:
                progress.unchanged = True
                return
            async for event in self._take_page(page, progress):
                yield event
            ages = page.ages()
            span = progress.spans[0]
            span = replace(span, pages=span.pages - 1) if is_again else span
            progress.spans[0] = span.with_page(cursor, ages)
            progress.left -= not is_again
            asked.add(cursor)
            here = {*(one.item.post_id for one in page.found), *page.hidden}
            # a server may repeat its last page for ever
            is_end = page.next is None or page.next in asked or (bool(here) and not here - before)
            is_whole = is_end and progress.spans[0].down_to is None  # read to its end on the last page that may be read
            if not is_whole and self._is_down(subject, progress.spans[0], ages):
                return
            if is_end:
                self._ended(subject, progress)
                return
            if self.is_crawl() and progress.is_safe():
                yield self._noted(subject, progress)
            cursor, is_again, before = page.next, False, here

    def _noted(self, subject: str, progress: _Progress) -> Noted:
        progress.safe = progress.state()
        return Noted(subject, progress.safe)

    async def _ask_page(self, subject: str, cursor: str | None, again: Span | None) -> Page | None:
        """A page; None where an interval (again: the one) can't go on there: its cursor is known no more, or posts have slipped
        through between. It is then read from the first page on."""
        try:
            page = await self.page_of(subject, cursor)
        except (Changed, Failed) as error:
            if again is None or cursor is None or error.patience:
                raise
            return None
        if again is None or cursor is None or again.oldest is None:
            return page
        ages = page.ages()
        return page if not ages or max(ages) >= again.oldest else None

    def _is_down(self, subject: str, span: Span, ages: Sequence[datetime]) -> bool:
        """Whether an interval has come to where it ends, by the times on its last page."""
        if span.down_to is None:
            if span.pages >= self.job.max_pages:
                self.short(subject)
                return True
            return False
        # an odd old post among new ones is no end
        return sum(at < span.down_to for at in ages) * 2 > len(ages)

    def _ended(self, subject: str, progress: _Progress) -> None:
        """The list came to its end. Where it never met what was read before, something may lie between, or be hidden."""
        mark, span = self.mark_of(subject).posted_at, progress.spans[0]
        is_last, is_list = len(progress.spans) == 1, split_subject(subject)[0] in ("timeline", "url")
        if mark is None or not (is_last and is_list and self.is_crawl()) or (span.oldest and span.oldest <= mark):
            return
        progress.is_gapped = True
        if span.oldest is None:
            self.limited(
                "{count} 个时间线或网址以前有内容，这次一条也没有：可能删了、藏了，或平台不再给看 / "
                "{count} timelines or addresses had posts before and show none now: deleted, hidden, or shown no more",
                subject,
            )
        else:
            self.limited(
                "{count} 个时间线或网址只列出最近几条，没有接上次读到的地方，中间可能漏了：请抓得更勤 / "
                "{count} timelines or addresses do not list back to what was read before; posts may be missed: crawl oftener",
                subject,
            )

    def _left_open(self, subject: str) -> None:
        """Pages lie between here and the mark, and no more may be read now."""
        if not self.is_crawl():
            raise self.too_far(subject)
        pages = self.job.max_pages
        self.limited(
            f"{{count}} 个查询、时间线或网址一次读不完（max_pages = {pages}），下次接着读 / "
            f"{{count}} searches, timelines or addresses take more than one crawl (max_pages = {pages}); the next one goes on",
            subject,
        )

    async def _take_page(self, page: Page, progress: _Progress) -> AsyncIterator[Event]:
        if page.faults:
            words = f"有 {len(page.faults)} 条读不出来：{page.faults[0]} / {len(page.faults)} unreadable"
            progress.errors.append(Changed(words, body=page.body))
        if page.cut_short:
            progress.errors.append(Failed(page.cut_short, patience=0))
        progress.told = progress.told or page.state
        for found in page.found:
            if self.wants(found.item.posted_at):
                async for event in self._take_post(found, progress):
                    yield event

    async def _take_post(self, found: Found, progress: _Progress) -> AsyncIterator[Event]:
        """The post and what is answered under it. What fails there is noted: the posts after it are worth reading, but the
        subject is not reached. A post whose long text fails waits for the next crawl, because the first text that is seen of a
        post is the one that counts."""
        item = found.item
        try:
            if (item.platform, item.post_id) not in self._emitted:
                for collected in self.fresh(await self.whole(found)):
                    yield collected
            async for event in self._take_answers(found, progress):
                yield event
        except (Changed, Failed) as error:
            if len(progress.errors) <= ERRORS_BORNE:
                progress.errors.append(error)
            if len(progress.errors) > ERRORS_BORNE and not progress.passes():
                raise

    async def _take_answers(self, found: Found, progress: _Progress) -> AsyncIterator[Event]:
        """What is answered under a post, unless its number is what it was when it was last read."""
        item = found.item
        count = item.comments if found.answers is None else found.answers
        if not self.job.comments or count == 0:
            return
        is_known = self.is_crawl() and count is not None and progress.known.get(item.post_id) == count
        if not is_known and item.post_id not in self._answers_read:
            try:
                async for answer in self.under(item):
                    for event in self.fresh([answer]):
                        yield event
            except Blocked as error:
                if error.patience == 1:
                    raise
                reason = _ROBOTS if "robots.txt" in str(error) else _LOGIN
                self.limited(_UNREAD_ANSWERS.format(*reason), item.post_id)
        self._answers_read.add(item.post_id)
        if count is not None:
            progress.counts[item.post_id] = count


def split_subject(subject: str) -> tuple[str, str]:
    """What kind of subject it is, and what it names.

    >>> split_subject("timeline:17"), split_subject("https://a.example/feed")
    (('timeline', '17'), ('url', 'https://a.example/feed'))
    """
    kind, _, what = subject.partition(":")
    return (kind, what) if kind in ("timeline", "query", "post", "look") else ("url", subject)


_CONDITIONS = {"etag": "If-None-Match", "modified": "If-Modified-Since"}


def state_of(response: Response) -> dict[str, str]:
    """What a server says of a page's state: ETag and Last-Modified, as ``Page.state``."""
    found = {"etag": response.headers.get("ETag"), "modified": response.headers.get("Last-Modified")}
    return {key: value.decode("latin-1") for key, value in found.items() if value}
