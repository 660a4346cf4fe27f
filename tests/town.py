"""The platform that CONTRIBUTING.md adds, installed from that page as a package of its own, and a server for it."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

ROOT = Path(__file__).parent.parent
START = datetime(2026, 1, 1, tzinfo=UTC)
SIZE = 10


def install(folder: Path) -> Path:
    """Write the package that CONTRIBUTING.md shows as an installer would; returns the folder for PYTHONPATH."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    section = text[text.index("## Adding a platform") : text.index("## Adding a channel")]
    code = "\n\n".join(re.findall(r"```python\n(.*?)```", section, re.DOTALL))
    (entry,) = re.findall(r'```toml\n\[project\.entry-points\."([\w.]+)"\]\n(.*?)```', section, re.DOTALL)
    info = folder / "town_listener-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "town_spider.py").write_text(code, "utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: town-listener\nVersion: 1.0\n", "utf-8")
    group, named = entry[0], entry[1].replace('"', "")
    (info / "entry_points.txt").write_text(f"[{group}]\n{named}", "utf-8")
    return folder


Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Town:
    """A server of that platform. fault: asked before each answer, gives another one in its place or None. asked: paths with
    when they came, monotonic seconds. A context manager."""

    posts: dict[int, dict[str, Any]] = field(default_factory=dict)
    replies: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    fault: Callable[[str], Answer | None] = lambda path: None
    asked: list[tuple[float, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        import time

        town = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path != "/robots.txt":
                    town.asked.append((time.monotonic(), self.path))
                status, headers, body = town.fault(self.path) or town.answer(self.path)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    def __enter__(self) -> Town:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def post(self, number: int, text: str = "星澜挺好用", **more: Any) -> None:
        """Somebody posts; the greater the number, the newer."""
        self.posts[number] = {
            "id": number,
            "user": {"id": "7", "name": "小鹿"},
            "at": (START + timedelta(hours=number)).isoformat(),
            "html": f"<p>{text}</p>",
            "url": f"{self.url}/posts/{number}",
            "likes": 0,
            "replies": 0,
        } | more

    def answer(self, path: str) -> Answer:
        """What the interface says."""
        parts = urlsplit(path)
        names = parts.path.strip("/").split("/")
        if names == ["posts"]:
            before = int(parse_qs(parts.query).get("before", [str(max(self.posts, default=0) + 1)])[0])
            numbers = sorted((n for n in self.posts if n < before), reverse=True)
            here = numbers[:SIZE]
            return said({"posts": [self.posts[n] for n in here], "next": here[-1] if len(numbers) > SIZE else None})
        if names[0] == "posts" and int(names[1]) in self.posts:
            number = int(names[1])
            return said(self.replies.get(number, []) if names[2:] else self.posts[number])
        return 404, {}, b"{}"


def said(value: object) -> Answer:
    """An answer in JSON."""
    return 200, {"Content-Type": "application/json"}, json.dumps(value, ensure_ascii=False).encode()
