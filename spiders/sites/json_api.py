"""A vendor's or the brand's own authorized interface that answers JSON: address, key, paging and fields from the settings."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import quote, quote_plus, urlencode, urlsplit

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from spiders.errors import Changed, Failed, UnreadError
from spiders.events import CollectJob, Covered, Event, Trouble
from spiders.exports.shapes import media_of, text_in
from spiders.items import Item, Kind
from spiders.paging import Found, Page, PagedSpider, split_subject
from spiders.values import count_of, link_of, tidy, time_of

FIELDS = (
    "post_id", "author_id", "author_name", "posted_at", "title", "text", "url", "seen_at", "kind", "parent_id", "root_id",
    "likes", "comments", "reposts", "views", "images", "videos",
)  # fmt: skip
NEEDED = ("post_id", "author_id", "posted_at", "text")
_KINDS: Mapping[str, Kind] = {"post": "post", "comment": "comment", "repost": "repost"}


class JsonApiOptions(BaseModel):
    """How the interface is asked, and where in its answers things lie. All expressions are JMESPath.

    platform: what its posts are of, as the roster names it. items: the list of posts in an answer. fields: field of an item →
    where it lies in a post; post_id, author_id, posted_at and text are needed. query: parameters of the address; ``{query}``,
    ``{account}``, ``{page}``, ``{cursor}``, ``{size}`` stand for what is asked. headers: sent along; a key belongs into
    ``<name>_env`` or ``<name>_file``. next: where the cursor of the next page lies; left out, pages are numbered from
    first_page, and a page with fewer than page_size posts is the last. ok: an expression that is true of a good answer, with
    ``error`` saying what is wrong in any other. is_newest_first: posts come in that order, so that reading may end at the mark.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    platform: str
    items: str
    fields: Mapping[str, str]
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    next: str = ""
    first_page: int = 1
    page_size: int = 50
    ok: str = ""
    error: str = ""
    is_newest_first: bool = True

    @field_validator("fields")
    @classmethod
    def _known(cls, fields: Mapping[str, str]) -> Mapping[str, str]:
        if unknown := sorted(fields.keys() - set(FIELDS)):
            raise ValueError(f"no such fields: {', '.join(unknown)}; there are: {', '.join(FIELDS)}")
        if lacking := [name for name in NEEDED if name not in fields]:
            raise ValueError(f"fields lacks {', '.join(lacking)}")
        return fields

    @model_validator(mode="after")
    def _compiles(self) -> JsonApiOptions:
        others = {"items": self.items, "next": self.next, "ok": self.ok, "error": self.error}
        for name, expression in {**self.fields, **others}.items():
            try:
                jmespath.compile(expression or "@")
            except JMESPathError as error:
                raise ValueError(f"{name}: {expression!r} is no JMESPath: {str(error).splitlines()[0]}") from error
        return self


def _at(path: str, value: Any) -> Any:
    """What lies there. Raises Changed where the expression does not apply to it; the words quote nothing of the value."""
    try:
        return jmespath.search(path, value)
    except JMESPathError as error:
        raise Changed(f"{path} 用不到这样的回答上 / does not apply to this answer ({type(error).__name__})") from error


def page_in(answer: Any, options: JsonApiOptions, seen_at: datetime, zone: Any) -> tuple[list[Item], list[str], str | None]:
    """The posts of an answer, in words what could not be read, and the next page's cursor. Raises Changed where it has no list,
    Failed where it says that something is wrong."""
    if options.ok and not _at(options.ok, answer):
        said = _at(options.error, answer) if options.error else None
        raise Failed(f"接口说不行：{tidy(str(said))[:200] if said else options.ok} / the interface says no", patience=1)
    entries = _at(options.items, answer)
    if not isinstance(entries, list):
        raise Changed(f"回答里没有列表 {options.items} / the answer has no list there")
    items, faults = [], []
    for number, entry in enumerate(entries, start=1):
        try:
            items.append(item_in(entry, options, seen_at, zone))
        except Changed as error:
            faults.append(f"{number}: {error}")
    cursor = _at(options.next, answer) if options.next else None
    return items, faults, str(cursor) if cursor not in (None, "", False, "0", 0) else None


def item_in(entry: Any, options: JsonApiOptions, seen_at: datetime, zone: Any) -> Item:
    """One post of an answer. Raises Changed where a needed field is missing or makes no sense."""
    cells = {name: _at(path, entry) for name, path in options.fields.items()}
    if lacking := [name for name in ("post_id", "author_id") if not text_in(cells, name)]:
        raise Changed(f"没有 {', '.join(lacking)} / is missing")
    posted_at = time_of(cells["posted_at"], now=seen_at, zone=zone)
    if posted_at is None:
        raise Changed("没有读得懂的 posted_at / no time of posting that can be read")
    parent, root = text_in(cells, "parent_id"), text_in(cells, "root_id")
    kind = _KINDS.get(text_in(cells, "kind"), "comment" if parent or root else "post")
    links = {name: ",".join(map(str, cells[name])) for name in ("images", "videos") if isinstance(cells.get(name), list)}
    return Item(
        platform=options.platform,
        post_id=text_in(cells, "post_id"),
        author_id=text_in(cells, "author_id"),
        author_name=text_in(cells, "author_name"),
        posted_at=posted_at,
        seen_at=time_of(cells.get("seen_at"), now=seen_at, zone=zone) or seen_at,
        text="\n".join(dict.fromkeys(filter(None, (tidy(text_in(cells, "title")), tidy(text_in(cells, "text")))))),
        url=link_of(cells.get("url")),
        kind=kind,
        parent_id=(parent or root or None) if kind != "post" else None,
        root_id=(root or parent or None) if kind != "post" else None,
        likes=count_of(cells.get("likes")),
        comments=count_of(cells.get("comments")),
        reposts=count_of(cells.get("reposts")),
        views=count_of(cells.get("views")),
        media=tuple(media_of({**cells, **links}, {"images": "image", "videos": "video"})),
        raw=entry if isinstance(entry, dict) else None,
    )


class JsonApiSpider(PagedSpider):
    """Each address is a subject; ``{query}`` or ``{account}`` in the address or its parameters stands for those of the source,
    each a subject of its own. The interface is asked as its owner allows: with a key, and robots.txt is obeyed all the same."""

    name = "json_api"
    Options: ClassVar[type[BaseModel] | None] = JsonApiOptions

    def __init__(self, job: CollectJob, **kwargs: Any) -> None:
        super().__init__(job, **kwargs)
        self._secrets = secrets_of(self.options)
        for handler in logging.getLogger().handlers:
            handler.addFilter(self._mask)

    def _mask(self, record: logging.LogRecord) -> bool:
        """Scrapy logs addresses, and a key may stand in one."""
        record.msg, record.args = unsaid(record.getMessage(), self._secrets), None
        return True

    def _trouble_of(self, error: UnreadError, subject: str) -> Trouble:
        error.args = (unsaid(str(error), self._secrets),)
        if isinstance(error, Changed):
            error.body = unsaid(error.body.decode(errors="surrogateescape"), self._secrets).encode(errors="surrogateescape")
        return super()._trouble_of(error, subject)

    def hosts(self) -> set[str]:
        return {urlsplit(url).hostname or "" for url in self.job.urls}

    def host_of(self, subject: str) -> str:
        return urlsplit(self.job.urls[0]).hostname or "" if self.job.urls else ""

    def subjects(self) -> list[str]:
        asked = [*(f"timeline:{account}" for account in self.job.accounts), *(f"query:{words}" for words in self.job.queries)]
        return list(dict.fromkeys(asked or self.job.urls))

    async def page_of(self, subject: str, cursor: str | None) -> Page:
        options: JsonApiOptions = self.options
        response = await self.fetch(self._address(subject, cursor), headers={"Accept": "application/json", **options.headers})
        now = datetime.now(UTC)
        try:
            items, faults, following = page_in(self.json_of(response), options, now, self.zone)
        except Changed as error:
            raise Changed(str(error), body=response.body) from error
        if not options.next and len(items) + len(faults) >= options.page_size:
            following = str(int(cursor or options.first_page) + 1)
        found = [Found(item, dated=options.is_newest_first) for item in items]
        return Page(found, following, faults, response.body)

    async def read(self, subject: str) -> AsyncIterator[Event]:
        async for event in super().read(subject):
            yield replace(event, platform=self.options.platform) if isinstance(event, Covered) else event

    def _address(self, subject: str, cursor: str | None) -> str:
        options: JsonApiOptions = self.options
        kind, what = split_subject(subject)
        if not self.job.urls:
            raise Failed("没有接口地址，请写 urls / no address: set urls", patience=0)
        words = {
            "query": what if kind == "query" else "",
            "account": what if kind == "timeline" else "",
            "page": str(options.first_page) if cursor is None else cursor,
            "cursor": cursor or "",
            "size": str(options.page_size),
        }
        address = what if kind == "url" else self.job.urls[0]
        for name, value in words.items():
            address = address.replace(f"{{{name}}}", quote(value, safe=""))
        asked = {name: _filled(value, words) for name, value in options.query.items()}
        asked = {name: value for name, value in asked.items() if value or "{cursor}" not in options.query[name]}
        return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}" if asked else address


SHORTEST_SECRET = 6


def secrets_of(options: JsonApiOptions) -> tuple[str, ...]:
    """What may be a key: what headers say, and parameters that stay the same; as they are and as an address writes them, the
    longest first.

    >>> fields = dict.fromkeys(NEEDED, "a")
    >>> secrets_of(JsonApiOptions(platform="x", items="@", fields=fields, query={"k": "a/b c d", "q": "{query}"}))
    ('a%2Fb%20c%20d', 'a/b%20c%20d', 'a%2Fb+c+d', 'a/b c d', 'a/b+c+d')
    """
    said = [value for value in options.query.values() if "{" not in value]
    said += [part for value in options.headers.values() for part in (value, value.split()[-1] if value.split() else "")]
    forms = {form for value in said for safe in ("", "/") for form in (value, quote(value, safe), quote_plus(value, safe))}
    return tuple(sorted((one for one in forms if len(one) >= SHORTEST_SECRET), key=lambda one: (-len(one), one)))


def unsaid(text: str, secrets: Sequence[str]) -> str:
    """The text without keys.

    >>> unsaid("https://a.example/?token=s3cret", ["s3cret"])
    'https://a.example/?token=…'
    """
    for secret in secrets:
        text = text.replace(secret, "…")
    return text


def _filled(value: str, words: Mapping[str, str]) -> str:
    """
    >>> _filled("{query} 洗发水", {"query": "星澜"})
    '星澜 洗发水'
    """
    for name, word in words.items():
        value = value.replace(f"{{{name}}}", word)
    return value
