"""A small platform on this machine: posts and comments in, served in the shape of Weibo's mobile pages and as feeds.

What `listener demo` crawls and what the spiders' tests crawl. It has a clock of its own (``visible_until``), so that a season
can be crawled in several crawls as time passes, and it can misbehave the ways that platforms do (``Fault``).
"""

from __future__ import annotations

import html
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal
from urllib.parse import parse_qsl, quote, urlsplit
from zoneinfo import ZoneInfo

from listener.demo.platform_feeds import feed_of

ROBOTS = "User-agent: *\nAllow: /\n"
LONG = 140
"""A card shows so many signs of a post; the rest is asked for."""

FaultKind = Literal[
    "captcha",
    "login",
    "throttled",
    "forbidden",
    "too-many",
    "error",
    "changed",
    "garbage",
    "truncated",
    "reset",
    "hang",
    "drip",
    "huge",
    "loop",
    "offsite",
    "login-page",
    "odd-card",
]


@dataclass(frozen=True, slots=True)
class PlatformPost:
    """A post as its author wrote it. text: plain, with [emoji], #topics# and @names as readers see them. repost_of: id of the
    post that it passes on. comments: shown count where it is not that of the visible comments."""

    post_id: str
    author_id: str
    author_name: str
    posted_at: datetime
    text: str
    likes: int = 0
    reposts: int = 0
    comments: int | None = None
    region: str = ""
    pics: tuple[str, ...] = ()
    video: str = ""
    pinned: bool = False
    repost_of: str | None = None


@dataclass(frozen=True, slots=True)
class PlatformComment:
    """A comment; parent_id: the comment that it answers, None under the post itself."""

    comment_id: str
    post_id: str
    author_id: str
    author_name: str
    posted_at: datetime
    text: str
    likes: int = 0
    parent_id: str | None = None
    region: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """How to misbehave on requests whose path starts with ``path``: after the first ``after`` of them, for ``times`` (None:
    for good). seconds: of a hang or a drip; header: ``Retry-After``, where it is given."""

    kind: FaultKind
    path: str = "/api/"
    after: int = 0
    times: int | None = None
    seconds: float = 60.0
    retry_after: str = ""


class PlatformServer:
    """The platform, on a free port of this machine, as a context manager.

    posts, comments: may be replaced while it runs. visible_until: nothing later is shown (None: everything); it may be
    moved while the server runs. paging: how timelines are paged, as today or as years ago. visitor_comment_pages: later pages
    of comments want a log-in. shows_reposts: whether a guest is told who passed a post on. times: full dates, or relative to
    the real clock (``5分钟前``). latency_seconds: of all answers.
    requests: what was asked, as (path, parameters).
    """

    def __init__(
        self,
        posts: Iterable[PlatformPost],
        comments: Iterable[PlatformComment] = (),
        *,
        visible_until: datetime | None = None,
        page_size: int = 10,
        paging: Literal["since_id", "page"] = "since_id",
        times: Literal["full", "relative"] = "full",
        visitor_comment_pages: int | None = None,
        has_hotflow: bool = True,
        has_show: bool = True,
        shows_reposts: bool = True,
        robots: str | int = ROBOTS,
        latency_seconds: float = 0.0,
        faults: Iterable[Fault] = (),
        timezone: str = "Asia/Shanghai",
    ) -> None:
        self.posts = tuple(posts)
        self.comments = tuple(comments)
        self.visible_until = visible_until
        self.page_size = page_size
        self.paging = paging
        self.times = times
        self.visitor_comment_pages = visitor_comment_pages
        self.gone = (() if has_hotflow else ("/comments/",)) + (() if has_show else ("/api/comments/",))
        self.shows_reposts = shows_reposts
        self.robots = robots
        self.latency_seconds = latency_seconds
        self.zone = ZoneInfo(timezone)
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.faults = list(faults)
        self._hits: dict[int, int] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), self)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> PlatformServer:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def close_unstarted(self) -> None:
        """Give the port back without ever having served: an address where nobody answers."""
        self._server.server_close()

    def is_closing(self) -> bool:
        return self._closing.is_set()

    # ---------------------------------------------------------------------------------------------------- what is seen

    def visible_posts(self) -> list[PlatformPost]:
        """Newest first."""
        return sorted(filter(self._is_visible, self.posts), key=lambda post: (post.posted_at, post.post_id), reverse=True)

    def visible_comments(self, post_id: str) -> list[PlatformComment]:
        """Best liked first, then oldest."""
        found = [comment for comment in self.comments if comment.post_id == post_id and self._is_visible(comment)]
        return sorted(found, key=lambda comment: (-comment.likes, comment.posted_at, comment.comment_id))

    def _is_visible(self, one: PlatformPost | PlatformComment) -> bool:
        return self.visible_until is None or one.posted_at <= self.visible_until

    def fault_of(self, path: str) -> Fault | None:
        """The first fault that this request runs into; every request counts."""
        with self._lock:
            for number, fault in enumerate(self.faults):
                if path.startswith(fault.path):
                    hit = self._hits[number] = self._hits.get(number, 0) + 1
                    if hit > fault.after and (fault.times is None or hit <= fault.after + fault.times):
                        return fault
        return None

    # -------------------------------------------------------------------------------------------------------- answers

    def answer(self, path: str, query: Mapping[str, str]) -> tuple[int, str, bytes]:
        """Status, content type and body."""
        routes: dict[str, Callable[[Mapping[str, str]], Any]] = {
            "/api/container/getIndex": self._index,
            "/statuses/extend": self._extend,
            "/statuses/show": self._status,
            "/api/statuses/repostTimeline": self._reposts,
            "/comments/hotflow": self._hotflow,
            "/comments/hotFlowChild": self._children,
            "/api/comments/show": self._show,
        }
        if path == "/robots.txt":
            if isinstance(self.robots, int):
                return self.robots, "text/plain", b""
            return 200, "text/plain; charset=utf-8", self.robots.encode()
        if path in routes and not path.startswith(self.gone):
            return 200, "application/json; charset=utf-8", json.dumps(routes[path](query), ensure_ascii=False).encode()
        if path.startswith("/feed/"):
            return feed_of(path.removeprefix("/feed/"), query, self.url, self.visible_posts(), self._feed_comments(query))
        if path.startswith("/detail/"):
            return self._detail(path.removeprefix("/detail/"))
        return 404, "text/html; charset=utf-8", b"<h1>404</h1>"

    def _feed_comments(self, query: Mapping[str, str]) -> list[PlatformComment]:
        found = [one for post in self.visible_posts() for one in self.visible_comments(post.post_id)]
        return sorted(found, key=lambda comment: (comment.posted_at, comment.comment_id), reverse=True)

    def _index(self, query: Mapping[str, str]) -> Any:
        container = query.get("containerid", "")
        if container.startswith("107603"):
            author = container.removeprefix("107603")
            return self._timeline([post for post in self.visible_posts() if post.author_id == author], container, query)
        if container.startswith("100103"):
            words = dict(parse_qsl(container.removeprefix("100103"))).get("q", "")
            found = [post for post in self.visible_posts() if words.casefold() in post.text.casefold()]
            return self._search(found, container, query)
        return _NOTHING

    def _timeline(self, posts: list[PlatformPost], container: str, query: Mapping[str, str]) -> Any:
        if self.paging == "page":
            number = int(query.get("page", "1"))
            start, info = (number - 1) * self.page_size, {"page": number + 1}
        else:
            ids = [post.post_id for post in posts]
            start = ids.index(query["since_id"]) + 1 if query.get("since_id") in ids else 0
            last = posts[start : start + self.page_size][-1:]
            info = {"since_id": last[0].post_id} if last and start + self.page_size < len(posts) else {}  # type: ignore[dict-item]
        shown = posts[start : start + self.page_size]
        pinned = [post for post in posts if post.pinned] if start == 0 else []
        if not shown:
            return _NOTHING
        cards = [self._card(post, pinned=True) for post in pinned]
        cards += [self._card(post) for post in shown if post not in pinned]
        total = {"containerid": container, "v_p": 42, "show_style": 1, "total": len(posts)}
        return {"ok": 1, "data": {"cardlistInfo": total | info, "cards": cards, "scheme": "sinaweibo://cardlist"}}

    def _search(self, posts: list[PlatformPost], container: str, query: Mapping[str, str]) -> Any:
        number = int(query.get("page", "1"))
        shown = posts[(number - 1) * self.page_size : number * self.page_size]
        if not shown:
            return _NOTHING
        cards: list[Any] = [{"card_type": 4, "desc": "综合"}]
        # as there: some posts stand alone, some in a group
        cards += [{"card_type": 11, "card_group": [{"card_type": 6}, self._card(shown[0])]}]
        cards += [self._card(post) for post in shown[1:]]
        info = {"containerid": container, "v_p": 42, "total": len(posts), "page": number + 1}
        return {"ok": 1, "data": {"cardlistInfo": info, "cards": cards}}

    def _card(self, post: PlatformPost, *, pinned: bool = False) -> dict[str, Any]:
        mblog = self._mblog(post)
        if pinned:
            mblog |= {"isTop": 1, "mblogtype": 2, "title": {"text": "置顶", "base_color": 1}}
        return {"card_type": 9, "itemid": f"{post.author_id}_-_{post.post_id}", "mblog": mblog, "show_type": 0}

    def _mblog(self, post: PlatformPost) -> dict[str, Any]:
        is_long = len(post.text) > LONG
        shown = html_of(post.text[:LONG]) + f'...<a href="/status/{post.post_id}">全文</a>' if is_long else html_of(post.text)
        count = len(self.visible_comments(post.post_id)) if post.comments is None else post.comments
        mblog: dict[str, Any] = {
            "created_at": self._time(post.posted_at),
            "id": post.post_id,
            "mid": post.post_id,
            "bid": post.post_id,
            "text": shown,
            "isLongText": is_long,
            "user": _user(post.author_id, post.author_name),
            "source": "",
            "reposts_count": post.reposts,
            "comments_count": count,
            "attitudes_count": "100万+" if post.likes > 1_000_000 else post.likes,
            "mblogtype": 0,
            "pic_num": len(post.pics),
        }
        if post.region:
            mblog["region_name"] = f"发布于 {post.region}"
        if post.pics:
            mblog["pics"] = [{"pid": str(n), "url": url, "large": {"url": url}} for n, url in enumerate(post.pics)]
        if post.video:
            mblog["page_info"] = {"type": "video", "page_title": "视频", "media_info": {"stream_url": post.video}}
        if post.repost_of:
            quoted = next((one for one in self.posts if one.post_id == post.repost_of and self._is_visible(one)), None)
            gone = {"id": post.repost_of, "text": "抱歉，此微博已被作者删除。", "user": None, "deleted": "1"}
            mblog["retweeted_status"] = self._mblog(quoted) if quoted else gone
            mblog["raw_text"] = post.text
        return mblog

    def _extend(self, query: Mapping[str, str]) -> Any:
        for post in self.visible_posts():
            if post.post_id == query.get("id"):
                return {"ok": 1, "data": {"ok": 1, "longTextContent": html_of(post.text), "reposts_count": post.reposts}}
        return {"ok": 0, "msg": "没有内容"}

    def _status(self, query: Mapping[str, str]) -> Any:
        found = next((post for post in self.visible_posts() if post.post_id == query.get("id")), None)
        return {"ok": 1, "data": self._mblog(found)} if found else {"ok": 0, "msg": "微博不存在或暂无查看权限!"}

    def _reposts(self, query: Mapping[str, str]) -> Any:
        if not self.shows_reposts:
            return {"ok": -100, "url": "https://passport.weibo.com/sso/signin?entry=wapsso"}
        found = [post for post in self.visible_posts() if post.repost_of == query.get("id")]
        start = (int(query.get("page", "1")) - 1) * self.page_size
        shown = [{**self._mblog(post), "retweeted_status": None} for post in found[start : start + self.page_size]]
        last = (len(found) - 1) // self.page_size + 1
        return {"ok": 1, "data": {"data": shown, "total_number": len(found), "max": last}} if shown else _NOTHING

    def _hotflow(self, query: Mapping[str, str]) -> Any:
        found = self.visible_comments(query.get("id", ""))
        roots = [comment for comment in found if comment.parent_id is None]
        start = int(query.get("max_id") or 0)
        if self.visitor_comment_pages is not None and start >= self.visitor_comment_pages * self.page_size:
            return {"ok": -100, "url": "https://passport.weibo.com/sso/signin?entry=wapsso"}
        shown = roots[start : start + self.page_size]
        if not shown:
            return {"ok": 0, "msg": "快来发表你的评论吧，还没有人评论"}
        end = start + self.page_size
        data = {
            "data": [self._root(comment, found) for comment in shown],
            "total_number": len(found),
            "max_id": end if end < len(roots) else 0,
            "max_id_type": 1 if start else 0,
            "max": (len(roots) - 1) // self.page_size + 1,
        }
        return {"ok": 1, "data": data}

    def _root(self, root: PlatformComment, found: list[PlatformComment]) -> dict[str, Any]:
        answers = _answers(root, found)
        record = self._comment(root, root.comment_id)
        record["comments"] = [self._comment(answer, root.comment_id) for answer in answers[:2]] or False
        record["total_number"] = len(answers)
        return record

    def _children(self, query: Mapping[str, str]) -> Any:
        found = next((one for one in self.comments if one.comment_id == query.get("cid") and self._is_visible(one)), None)
        if found is None:
            return {"ok": 0, "msg": "没有内容"}
        answers = _answers(found, self.visible_comments(found.post_id))
        start = int(query.get("max_id") or 0)
        end = start + self.page_size
        return {
            "ok": 1,
            "data": [self._comment(answer, found.comment_id) for answer in answers[start:end]],
            "rootComment": [self._comment(found, found.comment_id)],
            "total_number": len(answers),
            "max_id": end if end < len(answers) else 0,
            "max_id_type": 0,
        }

    def _show(self, query: Mapping[str, str]) -> Any:
        found = sorted(
            self.visible_comments(query.get("id", "")), key=lambda one: (one.posted_at, one.comment_id), reverse=True
        )
        number = int(query.get("page", "1"))
        shown = found[(number - 1) * self.page_size : number * self.page_size]
        if not shown:
            return {"ok": 0, "msg": "暂无数据"}
        listed = [self._old_comment(comment) for comment in shown]
        data: dict[str, Any] = {"data": listed, "total_number": len(found), "max": (len(found) - 1) // self.page_size + 1}
        if number == 1:
            data["hot_data"] = listed[:1]
        return {"ok": 1, "msg": "数据获取成功", "data": data}

    def _comment(self, comment: PlatformComment, root_id: str) -> dict[str, Any]:
        record = {
            "created_at": self._time(comment.posted_at),
            "id": comment.comment_id,
            "rootid": root_id,
            "text": html_of(comment.text),
            "user": _user(comment.author_id, comment.author_name),
            "like_count": comment.likes,
            "source": f"来自{comment.region}" if comment.region else "",
            "total_number": 0,
        }
        if comment.parent_id:
            record["reply_id"] = comment.parent_id
        return record

    def _old_comment(self, comment: PlatformComment) -> dict[str, Any]:
        record = self._comment(comment, comment.comment_id)
        record["like_counts"] = record.pop("like_count")
        del record["rootid"], record["total_number"]
        return record

    def _time(self, at: datetime) -> str:
        local = at.astimezone(self.zone)
        if self.times == "full":
            day = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[local.weekday()]
            month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][local.month - 1]
            return f"{day} {month} {local:%d %H:%M:%S %z %Y}"
        now = datetime.now(UTC).astimezone(self.zone)
        age = now - local
        if age < timedelta(minutes=1):
            return "刚刚"
        if age < timedelta(hours=1):
            return f"{age // timedelta(minutes=1)}分钟前"
        if age < timedelta(hours=12):
            return f"{age // timedelta(hours=1)}小时前"
        if local.date() == now.date() - timedelta(days=1):
            return f"昨天 {local:%H:%M}"
        return f"{local:%m-%d}" if local.year == now.year else f"{local:%Y-%m-%d}"

    def _detail(self, post_id: str) -> tuple[int, str, bytes]:
        for post in self.visible_posts():
            if post.post_id == post_id:
                name, when = html.escape(post.author_name), post.posted_at.astimezone(self.zone)
                head = f"<!doctype html><meta charset=utf-8><title>{name}</title><h1>{name}</h1>"
                page = f"{head}<p>{html_of(post.text)}<p>{when:%Y-%m-%d %H:%M}"
                return 200, "text/html; charset=utf-8", page.encode()
        return 404, "text/html; charset=utf-8", b"<h1>404</h1>"


_NOTHING = {"ok": 0, "msg": "这里还没有内容", "data": {"cards": []}}
_DRESSED = re.compile(
    r"#(?P<topic>[^#\s]{1,30})#|@(?P<name>[\w\u4e00-\u9fff-]{1,30})|(?P<emoji>\[[A-Za-z\u4e00-\u9fff]{1,8}\])|(?P<line>\n)"
)


def html_of(text: str) -> str:
    """A text as the platform dresses it.

    >>> html_of("好[doge]")
    '好<span class="url-icon"><img alt=[doge] src="//h5.example/doge.png" style="width:1em; height:1em;" /></span>'
    """
    return _DRESSED.sub(_dress, html.escape(text, quote=False))


def _dress(match: re.Match[str]) -> str:
    topic, name, emoji, _ = match.groups()
    if topic:
        return f'<a href="/search?q=%23{quote(topic)}%23"><span class="surl-text">#{topic}#</span></a>'
    if name:
        return f"<a href='/n/{name}'>@{name}</a>"
    if emoji:
        style = 'style="width:1em; height:1em;"'
        return f'<span class="url-icon"><img alt={emoji} src="//h5.example/{emoji.strip("[]")}.png" {style} /></span>'
    return "<br />"


def _user(author_id: str, name: str) -> dict[str, Any]:
    return {"id": int(author_id) if author_id.isdecimal() else author_id, "screen_name": name, "verified": False}


def _answers(root: PlatformComment, found: list[PlatformComment]) -> list[PlatformComment]:
    """All that is answered below a comment, at whatever depth, oldest first."""
    below, ids = [], {root.comment_id}
    for comment in sorted(found, key=lambda one: (one.posted_at, one.comment_id)):
        if comment.parent_id in ids:
            ids.add(comment.comment_id)
            below.append(comment)
    return below


# ------------------------------------------------------------------------------------------------------------- server


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], platform: PlatformServer) -> None:
        super().__init__(address, _Requests)
        self.platform = platform

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is none of our errors."""


class _Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: ``requests`` has them."""

    def do_GET(self) -> None:
        platform, parts = self.server.platform, urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        platform.requests.append((parts.path, query))
        if platform.latency_seconds:
            time.sleep(platform.latency_seconds)
        fault = platform.fault_of(parts.path)
        if fault is not None and self._misbehave(fault, parts.path, query):
            return
        status, kind, body = platform.answer(parts.path, query)
        self._send(status, kind, body)

    def _send(self, status: int, kind: str, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        tag = f'"{hash(body) & 0xFFFFFFFF:x}"'
        if status == 200 and self.headers.get("If-None-Match") == tag:
            status, body = 304, b""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("ETag", tag)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _misbehave(self, fault: Fault, path: str, query: Mapping[str, str]) -> bool:
        """Answer as the fault says; False where it only changes what is answered later."""
        json_type = "application/json; charset=utf-8"
        bodies = {
            "captcha": {"ok": -100, "url": "https://m.weibo.example/captcha/show?csid=1"},
            "login": {"ok": -100, "url": "https://passport.weibo.example/sso/signin"},
            "changed": {"code": 0, "result": {"list": []}},
            "odd-card": {
                "ok": 1,
                "data": {"cardlistInfo": {}, "cards": [{"card_type": 9, "mblog": {"id": "1", "words": "?"}}]},
            },
        }
        statuses = {"throttled": 432, "forbidden": 403, "too-many": 429, "error": 500}
        if fault.kind in bodies:
            self._send(200, json_type, json.dumps(bodies[fault.kind]).encode())
        elif fault.kind in statuses:
            later = {"Retry-After": fault.retry_after} if fault.retry_after else {}
            self._send(statuses[fault.kind], "text/html", b"", later)
        elif fault.kind == "garbage":
            self._send(200, json_type, b'{"ok": 1, "data": {"cards": [')
        elif fault.kind == "login-page":
            self._send(200, "text/html; charset=utf-8", b"<title>Sina Visitor System</title>")
        elif fault.kind == "huge":
            self._send(200, json_type, b" " * (20 * 1024 * 1024))
        elif fault.kind == "loop":
            self._send(302, "text/html", b"", {"Location": self.path})
        elif fault.kind == "offsite":
            self._send(302, "text/html", b"", {"Location": "http://passport.weibo.example/visitor"})
        else:
            self._break_off(fault, path, query)
        return True

    def _break_off(self, fault: Fault, path: str, query: Mapping[str, str]) -> None:
        """Faults of the connection itself; it is of no use afterwards."""
        self.close_connection = True
        if fault.kind == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            return
        _, kind, body = self.server.platform.answer(path, query)
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.flush()
        if fault.kind == "truncated":
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            return
        ends = time.monotonic() + fault.seconds
        while time.monotonic() < ends and not self.server.platform.is_closing():
            if fault.kind == "drip":
                self.wfile.write(body[:1])
                self.wfile.flush()
            time.sleep(0.05)
