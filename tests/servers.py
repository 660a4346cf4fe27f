"""Real receivers on 127.0.0.1 that misbehave as they are told: SMTP servers and HTTP servers with faults."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

HOST = "127.0.0.1"


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        return int(sock.getsockname()[1])


def certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1 and localhost, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address(HOST))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert_file, key_file


@dataclass
class SmtpServer:
    """An SMTP server that answers as its script says. A context manager.

    answers: what it says to a command instead of the usual, by verb (``GREETING``, ``EHLO``, ``MAIL``, ``RCPT``, ``DATA``,
    ``BODY`` = after the final dot, ``QUIT``, ``AUTH``); for ``RCPT`` also by address. An answer may be ``CLOSE`` (hang up),
    ``HANG`` (say nothing), ``DRIP`` (one byte now and then), or a line. accepts: user and password of a log-in.
    cert: speaks TLS with it, from the first byte if implicit."""

    answers: Mapping[str, str] = field(default_factory=dict)
    accepts: tuple[str, str] | None = None
    cert: tuple[Path, Path] | None = None
    implicit_tls: bool = False
    mails: list[bytes] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    verbs: list[str] = field(default_factory=list)
    was_encrypted: bool = False
    port: int = 0

    def __enter__(self) -> SmtpServer:
        self._stop = threading.Event()
        self._socket = socket.create_server((HOST, self.port))
        self._socket.settimeout(0.05)
        self.port = int(self._socket.getsockname()[1])
        self._threads = [threading.Thread(target=self._serve, daemon=True)]
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(5)
        self._socket.close()

    def _serve(self) -> None:
        while not self._stop.is_set():
            try:
                client, _ = self._socket.accept()
            except TimeoutError:
                continue
            thread = threading.Thread(target=self._talk, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _context(self) -> ssl.SSLContext:
        assert self.cert
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.cert)
        return context

    def _talk(self, client: socket.socket) -> None:
        client.settimeout(5)
        with contextlib.ExitStack() as open_things, contextlib.suppress(OSError, EOFError):
            open_things.enter_context(client)
            if self.implicit_tls:
                client = open_things.enter_context(self._encrypted(client))
            self._say(client, self.answers.get("GREETING", "220 here"))
            self._converse(client, open_things)

    def _encrypted(self, client: socket.socket) -> socket.socket:
        self.was_encrypted = True
        return self._context().wrap_socket(client, server_side=True)

    def _converse(self, client: socket.socket, open_things: contextlib.ExitStack) -> None:
        lines = open_things.enter_context(client.makefile("rb"))
        to: list[str] = []
        while line := lines.readline():
            text = line.decode().strip()
            verb = text.split(" ")[0].split(":")[0].upper()
            self.verbs.append(verb)
            if verb in self.answers:
                self._say(client, self.answers[verb])
            elif verb in ("EHLO", "HELO"):
                self._say(client, self._greeting())
            elif verb == "STARTTLS":
                self._say(client, "220 go on")
                self._converse(open_things.enter_context(self._encrypted(client)), open_things)
                return
            elif verb == "AUTH":
                self._say(client, self._log_in(text))
            elif verb == "RCPT":
                address = text.split("<")[1].split(">")[0]
                answer = self.answers.get(address, "250 fine")
                to += [address] * answer.startswith("250")
                self._say(client, answer)
            elif verb == "DATA":
                self._say(client, "354 go on")
                self._receive(client, lines, to)
                to = []
            elif verb == "QUIT":
                self._say(client, "221 bye")
                break
            else:
                self._say(client, "250 fine")

    def _greeting(self) -> str:
        more = ["SIZE 10000000"]
        if self.cert and not self.was_encrypted:
            more.append("STARTTLS")
        if self.accepts:
            more.append("AUTH PLAIN")
        said = ["koc.test", *more]
        return "\r\n".join(f"250{'-' if at < len(said) - 1 else ' '}{each}" for at, each in enumerate(said))

    def _log_in(self, text: str) -> str:
        assert self.accepts
        _, _, given = text.split(" ", 2)
        good = base64.b64decode(given).decode() == "\0".join(["", *self.accepts])
        return "235 welcome" if good else f"535 5.7.8 no: {base64.b64decode(given).decode().split(chr(0))[2]} is wrong"

    def _receive(self, client: socket.socket, lines: object, to: list[str]) -> None:
        body = b""
        while (line := lines.readline()) != b".\r\n":  # type: ignore[attr-defined]
            if not line:
                raise EOFError
            body += line[1:] if line.startswith(b"..") else line
            if self.answers.get("MIDDLE") == "CLOSE" and len(body) > 2000:
                raise EOFError
        answer = self.answers.get("BODY", "250 taken")
        if answer.startswith("250") or answer == "CLOSE AFTER TAKING":
            self.mails.append(body)
            self.recipients.append(to)
        self._say(client, "CLOSE" if answer == "CLOSE AFTER TAKING" else answer)

    def _say(self, client: socket.socket, answer: str) -> None:
        if answer == "CLOSE":
            raise EOFError
        if answer == "HANG":
            self._stop.wait(20)
            raise EOFError
        if answer == "DRIP":
            while not self._stop.wait(0.05):
                client.sendall(b"2")
            raise EOFError
        client.sendall(answer.encode() + b"\r\n")


@dataclass(frozen=True)
class Request:
    """A request as it was received."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class HttpServer:
    """An HTTP server that answers POSTs in turn with (status, headers, body), the last one again and again; or does what a
    function does with the handler (hang, reset, drip). A context manager."""

    answers: list[tuple[int, dict[str, str], bytes] | Callable[[BaseHTTPRequestHandler], None]]
    requests: list[Request] = field(default_factory=list)

    def __enter__(self) -> HttpServer:
        self.stopping = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 10

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {key.lower(): value for key, value in self.headers.items()}
                server.requests.append(Request(self.path, headers, body))
                answer = server.answers[min(len(server.requests), len(server.answers)) - 1]
                with contextlib.suppress(OSError):
                    if callable(answer):
                        answer(self)
                        return
                    status, more, said = answer
                    self.send_response(status)
                    for key, value in {"content-length": str(len(said)), **more}.items():
                        self.send_header(key, value)
                    self.end_headers()
                    self.wfile.write(said)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer((HOST, 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.url = f"http://{HOST}:{self._server.server_address[1]}/hook?token=geheim"
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


def hang(handler: BaseHTTPRequestHandler) -> None:
    """Say nothing for long, then go."""
    time.sleep(2)
    handler.close_connection = True


def reset(handler: BaseHTTPRequestHandler) -> None:
    """Cut the connection with a reset."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    handler.close_connection = True
    handler.connection.close()


def drip(handler: BaseHTTPRequestHandler) -> None:
    """A byte of the headers now and then, for ever: no single wait is long."""
    handler.close_connection = True
    for _ in range(100):
        handler.wfile.write(b"H")
        handler.wfile.flush()
        time.sleep(0.03)


def flood(handler: BaseHTTPRequestHandler) -> None:
    """An error with an answer that is far too long."""
    handler.send_response(500)
    handler.send_header("content-length", str(1 << 30))
    handler.end_headers()
    for _ in range(1000):
        handler.wfile.write(b"x" * 65536)
    handler.close_connection = True
