"""Real receivers on 127.0.0.1 that `listener demo` delivers to: an SMTP server and a webhook receiver that keep what comes."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Coroutine
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from aiosmtpd.smtp import SMTP, Envelope, Session
from standardwebhooks import Webhook, WebhookVerificationError

HOST: Final = "127.0.0.1"
MOST_BYTES: Final = 10_000_000


class MailReceiver:
    """An SMTP server that writes every mail as an ``.eml`` file into a folder. A context manager; `port` is known inside."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self.files: list[Path] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="mail-receiver", daemon=True)
        self._server: asyncio.Server | None = None

    def __enter__(self) -> MailReceiver:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._thread.start()
        self._server = self._do(self._listen())
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 aiosmtpd's name
        """Write the mail; called by aiosmtpd."""
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        mail = message_from_bytes(content, policy=default)
        path = self.folder / f"{len(self.files) + 1:03d}-{_name_of(mail['X-KOC-Alert-Key'] or mail['Message-ID'] or '')}.eml"
        path.write_bytes(content)
        self.files.append(path)
        return "250 taken"

    async def _listen(self) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        return await loop.create_server(
            lambda: SMTP(self, hostname="koc-listener.localhost", loop=loop, data_size_limit=MOST_BYTES), HOST, 0
        )

    async def _close(self) -> None:
        if self._server:
            self._server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)


class HookReceiver:
    """A webhook receiver that checks the Standard Webhooks signature and writes every true request as a JSON file.

    Answers 204 to a true request, 401 to one whose signature or time is wrong. A context manager; `url` is known inside.
    """

    def __init__(self, folder: Path, secret: str) -> None:
        self.folder = folder
        self.files: list[Path] = []
        self.refused = 0
        self.url = ""
        self._webhook = Webhook(secret)
        self._lock = threading.Lock()

    def __enter__(self) -> HookReceiver:
        self.folder.mkdir(parents=True, exist_ok=True)
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 10

            def do_POST(self) -> None:
                body = self.rfile.read(min(int(self.headers.get("content-length") or 0), MOST_BYTES))
                self.send_response(receiver._take(body, {key.lower(): value for key, value in self.headers.items()}))
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing on the terminal."""

        self._server = ThreadingHTTPServer((HOST, 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="hook-receiver", daemon=True)
        self._thread.start()
        self.url = f"http://{HOST}:{self._server.server_address[1]}/koc"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def _take(self, body: bytes, headers: dict[str, str]) -> int:
        try:
            payload = self._webhook.verify(body, headers)
        except (WebhookVerificationError, ValueError):
            self.refused += 1
            return 401
        kept = {key: value for key, value in headers.items() if key.startswith("webhook-") or key == "content-type"}
        with self._lock:
            path = self.folder / f"{len(self.files) + 1:03d}-{_name_of(headers['webhook-id'])}.json"
            request = {"headers": kept, "signature": "verified", "body": payload}
            path.write_text(json.dumps(request, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
            self.files.append(path)
        return 204


def _name_of(key: str) -> str:
    """A key as part of a file name.

    >>> _name_of('<a/../b@c>')
    'a..b'
    """
    return re.sub(r"[^A-Za-z0-9._-]", "", key.split("@")[0])[:32] or "mail"
