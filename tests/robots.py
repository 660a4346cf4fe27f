"""Stand-ins of the robots of WeCom, DingTalk and Feishu on 127.0.0.1, as strict as their documents say: address, signature,
keyword, length and rate; every refusal is an error code inside of HTTP 200."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.servers import HOST

Json = dict[str, Any]
HOUR = 3600.0


@dataclass
class Robot:
    """A robot. kind: of which platform. secret, keyword: what it wants. clock: its own, in seconds. taken: what it showed the
    group: (text, who was @-ed). answers: what it answers instead, once each. A context manager; `url` is known inside."""

    kind: str
    secret: str = ""
    keyword: str = ""
    token: str = "t0ken-4711-geheim"
    clock: Callable[[], float] = time.time
    taken: list[tuple[str, list[str]]] = field(default_factory=list)
    asked: int = 0
    answers: list[tuple[int, Json]] = field(default_factory=list)
    bodies: list[Json] = field(default_factory=list)
    _times: list[float] = field(default_factory=list)
    _shut_until: float = 0.0

    def __enter__(self) -> Robot:
        robot = self

        class Answer(BaseHTTPRequestHandler):
            timeout = 10

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers.get("content-length") or 0))
                status, said = robot.judge(self.path, raw)
                answer = json.dumps(said).encode()
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    self.send_header("content-length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer((HOST, 0), Answer)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        path = {
            "wecom": f"/cgi-bin/webhook/send?key={self.token}",
            "dingtalk": f"/robot/send?access_token={self.token}",
            "feishu": f"/open-apis/bot/v2/hook/{self.token}",
        }[self.kind]
        self.url = f"http://{HOST}:{self._server.server_address[1]}{path}"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def judge(self, path: str, raw: bytes) -> tuple[int, Json]:
        """What a request is answered."""
        self.asked += 1
        if self.answers:
            return self.answers.pop(0)
        parts = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        try:
            body = json.loads(raw)
        except ValueError:
            return 200, self._said(40058 if self.kind != "feishu" else 9499, "Bad Request")
        self.bodies.append(body)
        judges = {"wecom": self._wecom, "dingtalk": self._dingtalk, "feishu": self._feishu}
        return 200, judges[self.kind](parts.path, query, body, raw)

    def _said(self, code: int, words: str) -> Json:
        return {"code": code, "msg": words} if self.kind == "feishu" else {"errcode": code, "errmsg": words}

    def _is_too_fast(self, most: int, span: float, penalty: float) -> bool:
        now = self.clock()
        if now < self._shut_until:
            return True
        self._times = [at for at in self._times if at > now - span] + [now]
        if len(self._times) > most:
            self._shut_until = now + penalty
            return True
        return False

    def _wecom(self, path: str, query: dict[str, str], body: Json, raw: bytes) -> Json:
        if path != "/cgi-bin/webhook/send" or query.get("key") != self.token:
            return self._said(93000, f"invalid webhook url, hint: [{query.get('key')}]")
        if self._is_too_fast(20, 60, 60):
            return self._said(45009, "api freq out of limit")
        if body.get("msgtype") != "markdown":
            return self._said(40008, "invalid message type")
        content = body["markdown"]["content"]
        if len(content.encode()) > 4096:
            return self._said(40058, "markdown.content exceed max length 4096")
        called = [part.split(">")[0] for part in content.split("<@")[1:]]
        self.taken.append((content, called))
        return self._said(0, "ok")

    def _dingtalk(self, path: str, query: dict[str, str], body: Json, raw: bytes) -> Json:
        if path != "/robot/send" or query.get("access_token") != self.token:
            return self._said(300001, "token is not exist")
        if self._is_too_fast(20, 60, 600):
            return self._said(130101, "send too fast, exceed 20 times per minute")
        if self.secret:
            stamp = query.get("timestamp", "0")
            digest = hmac.new(self.secret.encode(), f"{stamp}\n{self.secret}".encode(), hashlib.sha256).digest()
            is_late = abs(self.clock() * 1000 - int(stamp)) > HOUR * 1000
            if is_late or query.get("sign") != base64.b64encode(digest).decode():
                return self._said(310000, "sign not match, more: [https://ding-doc.dingtalk.com/doc#/serverapi2/qf2nxq]")
        if len(raw) > 20_000:
            return self._said(460101, "message too long, exceed 20000 bytes")
        text = body["markdown"]["title"] + body["markdown"]["text"]
        if self.keyword and self.keyword not in text:
            return self._said(310000, "keywords not in content, more: [https://ding-doc.dingtalk.com/doc]")
        self.taken.append((text, body["at"]["atMobiles"]))
        return self._said(0, "ok")

    def _feishu(self, path: str, query: dict[str, str], body: Json, raw: bytes) -> Json:
        if path.rstrip("/") != f"/open-apis/bot/v2/hook/{self.token}":
            return self._said(19001, "param invalid: incoming webhook access token invalid")
        if self._is_too_fast(100, 60, 60):
            return self._said(11232, "frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]")
        if self.secret:
            stamp = body.get("timestamp", "0")
            digest = hmac.new(f"{stamp}\n{self.secret}".encode(), b"", hashlib.sha256).digest()
            if abs(self.clock() - int(stamp)) > HOUR or body.get("sign") != base64.b64encode(digest).decode():
                return self._said(19021, "sign match fail or timestamp is not within one hour from current time")
        if len(raw) > 20_480:
            return self._said(9499, "Bad Request")
        post = body["content"]["post"]["zh_cn"]
        tags = [piece for line in post["content"] for piece in line]
        text = post["title"] + "\n" + "\n".join("".join(p.get("text", "") for p in line) for line in post["content"])
        if self.keyword and self.keyword not in text:
            return self._said(19024, "Key Words Not Found")
        self.taken.append((text, [piece["user_id"] for piece in tags if piece["tag"] == "at"]))
        return self._said(0, "success")
