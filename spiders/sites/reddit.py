"""Reddit's API with an app's own credentials: subreddits, searches, what a person posts, a post with its comments."""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from pydantic import BaseModel, ConfigDict, Field

from spiders.errors import Blocked, Changed, Failed, Gone
from spiders.events import CollectJob
from spiders.homes import part_of
from spiders.items import Item
from spiders.paging import Found, Page, PagedSpider, split_subject
from spiders.sites import reddit_pages as pages

API = "https://oauth.reddit.com"
LIMIT = 100
AT_ONCE = 100
"""So many comments may be asked for by their ids in one request."""

_T = TypeVar("_T")
_POST = re.compile(r"/comments/(?P<post>[a-z0-9]+)(?:/[^/?#]*/(?P<comment>[a-z0-9]+))?", re.IGNORECASE)
_SUBREDDIT = re.compile(r"/r/(?P<name>[A-Za-z0-9_+]+)/?(?:$|new|\?|#)")
_PERSON = re.compile(r"/(?:u|user)/(?P<name>[A-Za-z0-9_-]+)")


class RedditOptions(BaseModel):
    """client_id, client_secret: of an app registered with Reddit (kind "script" or "web app"); from a file or variable.
    subreddits: searches look only there."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    client_id: str = Field(min_length=1, repr=False)
    client_secret: str = Field(min_length=1, repr=False)
    subreddits: tuple[str, ...] = ()


class RedditSpider(PagedSpider):
    """Accounts are names; addresses are subreddits and profiles; posts are addresses or ids (``t3_…``).

    What is asked is the API, as the app that the operator registered: its terms say what may be read and how fast, robots.txt
    speaks to crawlers of the pages, which are not asked at all.
    """

    name = pages.PLATFORM
    Options: ClassVar[type[BaseModel] | None] = RedditOptions
    custom_settings: ClassVar[dict[str, Any] | None] = {"ROBOTSTXT_OBEY": False}  # type: ignore[misc]

    def __init__(self, job: CollectJob, **kwargs: Any) -> None:
        self.home = (job.base_url or API).rstrip("/")
        self.door = (job.base_url or pages.WEB).rstrip("/")
        super().__init__(job, **kwargs)
        self._token = ""

    def hosts(self) -> set[str]:
        return {urlsplit(one).hostname or "" for one in (self.home, self.door)}

    async def page_of(self, subject: str, cursor: str | None) -> Page:
        kind, what = split_subject(subject)
        asked = {"limit": str(LIMIT), **({"after": cursor} if cursor else {})}
        path = self._path_of(kind, what)
        if kind == "query":
            asked |= {"q": what, "sort": "new", "type": "link", **({"restrict_sr": "1"} if self.options.subreddits else {})}
        elif path.startswith("/user/"):
            asked["sort"] = "new"
        page = await self._ask(path, asked, pages.listing_of)
        found = [
            Found(one, pinned=one.post_id in page.pinned, answers=0 if one.kind == "comment" else None) for one in page.items
        ]
        return Page(found, page.next, page.faults)

    def _path_of(self, kind: str, what: str) -> str:
        if kind == "query":
            return f"/r/{'+'.join(self.options.subreddits)}/search" if self.options.subreddits else "/search"
        if kind == "timeline":
            return f"/user/{quote(what.removeprefix('u/'), safe='')}/overview"
        if person := _PERSON.search(what):
            return f"/user/{person['name']}/overview"
        if subreddit := _SUBREDDIT.search(what):
            return f"/r/{subreddit['name']}/new"
        raise Failed(f"不是 subreddit 或个人主页的网址：{what} / no address of a subreddit or a profile", patience=0)

    async def post_of(self, ref: str) -> Item:
        post, comment = _ids_of(ref)
        if comment:
            listing = await self._ask("/api/info", {"id": f"t1_{comment}"}, pages.listing_of)
            item = next(iter(listing.items), None)
        else:
            item, _ = await self._ask(f"/comments/{post}", {"limit": "1"}, pages.thread_of)
        if item is None:
            raise Gone(f"这条内容已删除或被移除：{ref} / this post was taken away")
        return item

    async def under(self, item: Item) -> AsyncIterator[Item]:
        """All comments of a post; of a comment that was asked for by itself, its answers."""
        post, comment = _ids_of(item.url)
        path = f"/comments/{post}"
        asked = {"limit": "500", "sort": "new", **({"comment": comment} if comment else {})}
        _, tree = await self._ask(path, asked, pages.thread_of)
        left, seen, more, deeper = self.job.max_comment_pages - 1, {item.post_id}, list(tree.more), list(tree.deeper)
        while True:
            for one in tree.items:
                if one.post_id not in seen:
                    seen.add(one.post_id)
                    yield one
            if tree.faults:
                raise Changed(f"{len(tree.faults)} 条评论读不出来：{tree.faults[0]} / unreadable comments")
            if not more and not deeper:
                return
            if left <= 0:
                self._too_many(item.post_id)
                return
            left -= 1
            tree = await self._rest(post, more, deeper)
            more += [one for one in tree.more if f"t1_{one}" not in seen]
            deeper += tree.deeper

    async def _rest(self, post: str, more: list[str], deeper: list[str]) -> pages.Tree:
        """Some of the comments that a page left out; what is asked for leaves the lists."""
        if more:
            chosen, more[:] = more[:AT_ONCE], more[AT_ONCE:]
            asked = {"link_id": f"t3_{post}", "children": ",".join(chosen), "api_type": "json"}
            return await self._ask("/api/morechildren", asked, _things_of)
        above = deeper.pop(0).removeprefix("t1_")
        _, tree = await self._ask(f"/comments/{post}", {"comment": above, "limit": "500", "sort": "new"}, pages.thread_of)
        return tree

    def _too_many(self, post_id: str) -> None:
        most = self.job.max_comment_pages
        self.limited(
            f"{{count}} 条帖子的评论超过 {most} 页（max_comment_pages），后面的没有读 / "
            f"the comments of {{count}} posts go on past {most} pages",
            post_id,
        )

    async def _ask(self, path: str, query: dict[str, str], parse: Callable[[Any, pages.Reading], _T]) -> _T:
        """What ``parse`` makes of an answer of the API. Raises Blocked, Changed, Failed, Gone."""
        headers = {"Authorization": f"bearer {await self._door_opened()}", "Accept": "application/json"}
        url = f"{self.home}{path}?{urlencode({**query, 'raw_json': '1'})}"
        response = await self.fetch(url, headers=headers)
        try:
            return parse(self.json_of(response), pages.Reading(datetime.now(UTC), self.zone))
        except Changed as error:
            raise Changed(f"{error}: {url}", body=response.body) from error

    async def _door_opened(self) -> str:
        """The token that the app's credentials are exchanged for, once a crawl."""
        if not self._token:
            pair = f"{self.options.client_id}:{self.options.client_secret}".encode()
            headers = {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
            try:
                url = f"{self.door}/api/v1/access_token"
                response = await self.fetch(url, headers=headers, form={"grant_type": "client_credentials"})
            except Blocked as error:
                words = f"Reddit 不接受应用凭据，请检查 client_id、client_secret / the app's credentials are refused ({error})"
                raise Blocked(words) from error
            self._token = str(part_of(self.json_of(response), "access_token", kind=str))
        return self._token


def _things_of(page: Any, reading: pages.Reading) -> pages.Tree:
    """``/api/morechildren``: comments side by side."""
    return pages.tree_of(part_of(page, "json", "data", "things", kind=list), reading)


def _ids_of(ref: str) -> tuple[str, str]:
    """Post and comment ("" if none) that an address or id names.

    >>> _ids_of("https://www.reddit.com/r/hair/comments/1abc/title/k9/"), _ids_of("t3_1abc"), _ids_of("t1_k9")
    (('1abc', 'k9'), ('1abc', ''), ('', 'k9'))
    """
    if match := _POST.search(ref):
        return match["post"], match["comment"] or ""
    if re.fullmatch(r"t1_[a-z0-9]+", ref):
        return "", ref[3:]
    if re.fullmatch(r"(?:t3_)?[a-z0-9]+", ref):
        return ref.removeprefix("t3_"), ""
    raise Failed(f"不是 Reddit 帖子的网址或编号：{ref} / no address or id of a Reddit post", patience=0)
