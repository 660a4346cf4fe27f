"""One page of a site, fetched as a crawl would fetch it: for whoever tries out selectors."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
from protego import Protego

from spiders.errors import Blocked, Failed
from spiders.events import CollectJob
from spiders.settings import MAX_BYTES, user_agent_of
from spiders.values import is_login

_ROBOT = "koc-listener"


@dataclass(frozen=True, slots=True)
class FetchedPage:
    """url: where it came from in the end."""

    url: str
    content_type: str
    body: bytes


def page_at(url: str, job: CollectJob) -> FetchedPage:
    """The page at an address, past robots.txt, with the job's user agent and patience. Raises Blocked or Failed."""
    headers = {"User-Agent": user_agent_of(job), "Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"}
    try:
        with httpx.Client(headers=headers, timeout=job.timeout_seconds, follow_redirects=True, max_redirects=5) as client:
            _ask_robots(client, url)
            with client.stream("GET", url) as response:
                return _page_of(url, response)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise Failed(f"读不到 {url} / can't be read: {error or type(error).__name__}") from error


def _page_of(url: str, response: httpx.Response) -> FetchedPage:
    found = str(response.url)
    if found != url and is_login(urlsplit(found).path):
        raise Blocked(f"平台要求登录后才能看 / log-in wall: {found}")
    if response.status_code in (401, 403, 418, 429, 432):
        raise Blocked(f"平台拒绝访问（HTTP {response.status_code}） / refused: {url}")
    if not response.is_success:
        raise Failed(f"服务器回答 HTTP {response.status_code} / the server answers that: {url}")
    body = b""
    for piece in response.iter_bytes():
        body += piece
        if len(body) > MAX_BYTES:
            raise Failed(f"页面太大：{url} / page too large")
    return FetchedPage(found, response.headers.get("content-type", ""), body)


def _ask_robots(client: httpx.Client, url: str) -> None:
    parts = urlsplit(url)
    answer = client.get(f"{parts.scheme}://{parts.netloc}/robots.txt")
    if answer.status_code == 429 or answer.status_code >= 500:
        raise Failed(f"读不到 robots.txt（HTTP {answer.status_code}） / robots.txt can't be read")
    if answer.is_success and not Protego.parse(answer.text[: 512 * 1024]).can_fetch(url, _ROBOT):
        raise Blocked(f"网站的 robots.txt 不允许抓取 {url} / forbidden by the site's robots.txt")
