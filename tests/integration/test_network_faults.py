"""What the net can do to a crawl, over real sockets: each has its name, none hangs it, fills the memory or passes for empty."""

from __future__ import annotations

import gzip
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import pytest

from spiders.collect import Collected, CollectJob, Ended, Event, Trouble, collect
from spiders.items import Item
from spiders.settings import MAX_BYTES

Answer = Callable[[socket.socket, str], None]
GIGABYTE = 1 << 30


@dataclass
class Raw:
    """A server that writes bytes as it is told: what an HTTP library would refuse to. asked: paths, without robots.txt."""

    answer: Answer
    asked: list[str] = field(default_factory=list)
    sent: int = 0


@contextmanager
def serving(answer: Answer) -> Iterator[tuple[Raw, str]]:
    raw, listening = Raw(answer), socket.create_server(("127.0.0.1", 0))
    home = f"http://127.0.0.1:{listening.getsockname()[1]}"
    stopping = threading.Event()

    def talk(client: socket.socket) -> None:
        with client, suppress(OSError):
            client.settimeout(20)
            head = b""
            while b"\r\n\r\n" not in head:
                more = client.recv(65536)
                if not more:
                    return
                head += more
            path = head.split(b" ", 2)[1].decode()
            if path == "/robots.txt":
                client.sendall(b"HTTP/1.1 404 no\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            raw.asked.append(path)
            raw.answer(client, home)

    def serve() -> None:
        listening.settimeout(0.1)
        while not stopping.is_set():
            with suppress(TimeoutError):
                client, _ = listening.accept()
                threading.Thread(target=talk, args=(client,), daemon=True).start()

    running = threading.Thread(target=serve, daemon=True)
    running.start()
    try:
        yield raw, home
    finally:
        stopping.set()
        running.join(2)
        listening.close()


def head(*lines: str, status: str = "200 OK") -> bytes:
    return "\r\n".join(
        [f"HTTP/1.1 {status}", "Content-Type: application/rss+xml", "Connection: close", *lines, "", ""]
    ).encode()


def whole(body: bytes, *lines: str, status: str = "200 OK") -> Answer:
    return lambda client, home: client.sendall(head(f"Content-Length: {len(body)}", *lines, status=status) + body)


def rss(entries: str, before: str = "<?xml version='1.0' encoding='utf-8'?>") -> bytes:
    return f"{before}<rss version='2.0'><channel><title>x</title>{entries}</channel></rss>".encode()


ENTRY = "<item><guid>1</guid><title>好用</title><pubDate>Thu, 01 Jan 2026 00:00:00 GMT</pubDate>{}</item>"


def crawl(answer: Answer, **asked: object) -> tuple[list[Event], Raw]:
    with serving(answer) as (raw, home):
        defaults = {"urls": (f"{home}/feed",), "delay_seconds": 0.0, "retries": 0, "timeout_seconds": 3.0}
        return list(collect(CollectJob("feed", **{**defaults, **asked}))), raw  # type: ignore[arg-type]


def items(events: list[Event]) -> list[Item]:
    return [event.item for event in events if isinstance(event, Collected)]


def told(events: list[Event]) -> tuple[str, str]:
    """Kind and words of the only trouble."""
    (trouble,) = (event for event in events if isinstance(event, Trouble))
    assert isinstance(events[-1], Ended)
    assert events[-1].outcome in ("failed", "blocked")
    return trouble.kind, trouble.message


def reset(client: socket.socket, home: str) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def truncated(client: socket.socket, home: str) -> None:
    client.sendall(head("Content-Length: 5000") + rss(ENTRY.format(""))[:60])


def drip(client: socket.socket, home: str) -> None:
    client.sendall(head())
    while True:
        client.sendall(b"<")
        time.sleep(0.2)


def drip_headers(client: socket.socket, home: str) -> None:
    client.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        client.sendall(b"X: y\r\n")
        time.sleep(0.2)


def loop(client: socket.socket, home: str) -> None:
    client.sendall(head(f"Location: {home}/feed?{time.monotonic_ns()}", "Content-Length: 0", status="302 Found"))


def announced(client: socket.socket, home: str) -> None:
    client.sendall(head(f"Content-Length: {10 * GIGABYTE}") + b"<rss>" * 1000)
    time.sleep(2)


def endless(client: socket.socket, home: str) -> None:
    client.sendall(head())
    block = b"<!-- much -->" * 5000
    for _ in range(10 * GIGABYTE // len(block)):
        client.sendall(block)


BOMB = gzip.compress(b"\0" * (256 << 20), 9)


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (reset, "failed", "连不上"),
        (truncated, "failed", "一半"),
        (drip, "failed", "3 秒"),
        (drip_headers, "failed", "3 秒"),
        (loop, "failed", "跳转"),
        (announced, "failed", "太大"),
        (endless, "failed", "太大"),
        (whole(BOMB, "Content-Encoding: gzip"), "failed", "太大"),
        (whole(b"not gzip at all", "Content-Encoding: gzip"), "failed", "压缩"),
        (whole(b"", status="204 No Content"), "changed", "feed"),
        (whole(b"<html><body>hello</body></html>"), "changed", "feed"),
        (whole(b"nonsense", status="500 Oh"), "failed", "500"),
        (lambda client, home: client.sendall(b"garbage that is no HTTP\r\n\r\n"), "failed", "连不上"),
    ],
    ids=["reset", "truncated", "drip", "drip-headers", "loop", "10GB-announced", "10GB-endless", "gzip-bomb", "no-gzip",
         "nothing", "html", "500", "no-http"],
)  # fmt: skip
def test_each_fault_has_its_name_and_costs_little(answer: Answer, kind: str, words: str) -> None:
    started = time.monotonic()
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    events, _ = crawl(answer)
    found = told(events)
    assert found[0] == kind, found
    assert words in found[1], found
    assert items(events) == []
    assert time.monotonic() - started < 25
    # of all children that this process ever had, so that greater ones of other tests count too; and a child begins as this
    # process, with all that it ever held
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 <= max(24 * MAX_BYTES, before, own)


@pytest.mark.parametrize(
    "document",
    [
        "<!DOCTYPE lolz [<!ENTITY a '" + "ha" * 50 + "'>"
        + "".join(f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 10}'>" for n in range(9))
        + "]>",
        "<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>",
        "<!DOCTYPE x [<!ENTITY a SYSTEM 'http://127.0.0.1:1/secret'>]>",
        "<!DOCTYPE x SYSTEM 'http://127.0.0.1:1/evil.dtd'>",
    ],
    ids=["billion-laughs", "file-entity", "net-entity", "foreign-dtd"],
)  # fmt: skip
def test_entities_of_a_document_fetch_nothing_and_do_not_explode(document: str) -> None:
    last = "j" if "lolz" in document else "a"
    body = rss(ENTRY.format(f"<description>x&{last};y</description>"), "<?xml version='1.0'?>" + document)
    started = time.monotonic()
    events, raw = crawl(whole(body))
    assert time.monotonic() - started < 20
    for item in items(events):
        assert "root:" not in item.text
        assert len(item.text) < 10_000
    assert raw.asked == ["/feed"]


def test_hostile_html_becomes_harmless_text_and_no_link_leads_to_a_script_or_a_file() -> None:
    nested = "<div>" * 20_000 + "深处" + "</div>" * 20_000
    html = (
        "<script>alert(1)</script><img src=x onerror=alert(2)><a href='javascript:alert(3)'>点</a>"
        "<img src='file:///etc/passwd'><iframe src='data:text/html,x'></iframe>" + nested
    )
    link = "<link>javascript:alert(1)</link>"
    body = rss(ENTRY.format(f"{link}<description><![CDATA[{html}]]></description>"))
    (item,) = items(crawl(whole(body))[0])
    assert "alert" not in item.text
    assert "深处" in item.text
    assert not item.url.startswith("javascript")
    assert all(one.url.startswith("http") for one in item.media)


@pytest.mark.parametrize(
    ("declared", "written"), [("iso-8859-1", "utf-8"), ("utf-8", "gb18030"), ("no-such-charset", "utf-8"), ("utf-16", "utf-8")]
)
def test_a_wrong_charset_costs_no_post(declared: str, written: str) -> None:
    body = rss(ENTRY.format(""), "").decode().encode(written)
    events, _ = crawl(lambda client, home: client.sendall(
        f"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml; charset={declared}\r\nConnection: close\r\n\r\n".encode() + body
    ))  # fmt: skip
    (item,) = items(events)
    assert item.post_id.endswith("1")
    assert "\ud83d" not in item.text


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "javascript:alert(1)", "ftp://127.0.0.1/x", "http://169.254.169.254/meta"]
)
def test_a_redirect_to_anything_but_the_site_is_not_followed(target: str) -> None:
    body = head(f"Location: {target}", "Content-Length: 0", status="302 Found")
    events, raw = crawl(lambda client, home: client.sendall(body))
    assert told(events)[0] == "failed", events
    assert raw.asked == ["/feed"]
    assert items(events) == []
