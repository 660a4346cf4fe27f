"""Messages → e-mail, through an SMTP server."""

from __future__ import annotations

import logging
import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Final, Literal, TypeAlias

from listener.channels.door import ChannelError, cleaned, words_of
from listener.text.discretion import Discretion, shown
from listener.text.mail import mail_of
from listener.text.quotes import line_of
from listener.text.views import AlertView, Language, Letter, letter_of, trial_of
from storage.records import Message

log = logging.getLogger(__name__)

Security: TypeAlias = Literal["starttls", "tls", "none"]
ALONE: Final = Discretion()
PATIENT_ATTEMPTS: Final = 3  # so often a message waits for a recipient who is refused for now, before it goes to the others


@dataclass(frozen=True, slots=True)
class EmailChannel:
    """Mail through an SMTP server.

    security: ``starttls`` (refuses to go on without it), ``tls`` from the first byte, or ``none``. sender, to: addresses,
    ``name <a@b.c>`` or bare. unsubscribe: where one leaves digests, ``mailto:`` or ``https:``. ca_file: certificates to trust
    instead of the system's. timeout_seconds: for each answer of the server; deadline_seconds: for the whole message, shorter
    than the lease of a delivery. ValueError for what can't be an address."""

    name: str
    host: str
    sender: str
    to: tuple[str, ...]
    port: int = 587
    security: Security = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)
    discretion: Discretion = ALONE
    language: Language = "zh-CN"
    timezone: str = "Asia/Shanghai"
    templates: str = ""
    unsubscribe: str = ""
    ca_file: str = ""
    timeout_seconds: float = 20.0
    deadline_seconds: float = 90.0

    def __post_init__(self) -> None:
        if not self.to:
            raise ValueError(f"channel {self.name!r}: 'to' names nobody")
        for each in (self.sender, *self.to):
            address_of(each)

    def send(self, message: Message, views: Sequence[AlertView], now: datetime) -> None:
        attempts = max(each.attempts for each in message.deliveries)
        allowed = [shown(view, self.discretion) for view in views]
        letter = letter_of(message, allowed, self.language, self.templates)
        self._send(letter, now, patient=attempts < PATIENT_ATTEMPTS)

    def test(self, now: datetime) -> None:
        self._send(trial_of(self.name, at=now, language=self.language, timezone=self.timezone), now, patient=False)

    def _send(self, letter: Letter, now: datetime, *, patient: bool) -> None:
        to = [address_of(each) for each in self.to]
        mail = mail_of(letter, sender=address_of(self.sender), to=to, now=now, unsubscribe=self.unsubscribe)
        session = _Session(self)
        with _mail_errors(session), session:
            session.log_in()
            session.hand_over(mail, address_of(self.sender).addr_spec, [each.addr_spec for each in to], patient=patient)


def address_of(text: str) -> Address:
    """``name <a@b.c>`` or ``a@b.c`` as an address. ValueError for anything that is none, such as one with a line break.

    >>> address_of('听音 <koc@example.com>').addr_spec
    'koc@example.com'
    """
    found = re.fullmatch(r"\s*(?:\"?([^<>\"\r\n]*?)\"?\s*<([^<>\s]+)>|([^<>\s]+))\s*", text)
    bare = (found[2] or found[3]) if found else ""
    if not found or not re.fullmatch(r"[!-?A-~]+@[A-Za-z0-9._\-\[\]:]+", bare):
        raise ValueError(f"no e-mail address: {line_of(text)!r}")
    try:
        return Address(line_of(found[1] or ""), addr_spec=bare)
    except Exception as error:
        raise ValueError(f"no e-mail address: {line_of(text)!r}") from error


class _Session:
    """An SMTP session that can't outlast its deadline, however slowly the other side drips."""

    def __init__(self, channel: EmailChannel) -> None:
        self.channel = channel
        self.is_late = False
        self.smtp: smtplib.SMTP | None = None
        self._watchdog = threading.Timer(channel.deadline_seconds, self._hang_up)
        self._watchdog.daemon = True

    def __enter__(self) -> _Session:
        self._watchdog.start()
        try:
            kind = _SmtpTls if self.channel.security == "tls" else _Smtp
            smtp = kind(self)
            if self.channel.security == "starttls":
                smtp.starttls(context=_trust(self.channel))
        except BaseException:
            self.__exit__(RuntimeError)
            raise
        return self

    def __exit__(self, error: object = None, *_: object) -> None:
        self._watchdog.cancel()
        if self.smtp is None:
            return
        if error is None and self.smtp.sock:
            # What was accepted stays accepted, whatever the server answers to the good-bye.
            with suppress(smtplib.SMTPException, OSError):
                self.smtp.sock.settimeout(2.0)
                self.smtp.quit()
        self.smtp.close()

    def log_in(self) -> None:
        assert self.smtp
        if self.channel.user:
            self.smtp.login(self.channel.user, self.channel.password)

    def hand_over(self, mail: EmailMessage, sender: str, to: Sequence[str], *, patient: bool) -> None:
        """Give the mail to the server for all recipients; patient: for none as long as one is refused for now."""
        assert self.smtp
        smtp = self.smtp
        smtp.ehlo_or_helo_if_needed()
        data = mail.as_bytes()
        size = [f"size={len(data)}"] if smtp.has_extn("size") else []
        _expect(smtp.mail(sender, size), "MAIL FROM")
        answers = [(each, *smtp.rcpt(each)) for each in to]
        refused = [(each, code, words_of(text)) for each, code, text in answers if not 200 <= code < 300]
        for_now = [one for one in refused if one[1] < 500]
        if len(refused) == len(to) or (for_now and patient):
            who, code, text = (for_now or refused)[0]
            raise ChannelError(f"{who} refused: {code} {text}", permanent=not for_now)
        _expect(smtp.data(data), "DATA")
        for who, code, text in refused:
            log.error("channel %s: %s was refused and got nothing: %d %s", self.channel.name, who, code, text)

    def _hang_up(self) -> None:
        self.is_late = True
        sock = self.smtp.sock if self.smtp else None
        if sock:
            with suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)  # below TLS: wakes the thread that waits


class _Smtp(smtplib.SMTP):
    """Makes itself known to its session before it connects, so that even a greeting can't last for ever."""

    def __init__(self, session: _Session) -> None:
        session.smtp = self
        at = session.channel
        super().__init__(at.host, at.port, local_hostname=_own_name(), timeout=at.timeout_seconds)


class _SmtpTls(smtplib.SMTP_SSL):
    """The same with TLS from the first byte."""

    def __init__(self, session: _Session) -> None:
        session.smtp = self
        at = session.channel
        super().__init__(at.host, at.port, local_hostname=_own_name(), timeout=at.timeout_seconds, context=_trust(at))


def _expect(answer: tuple[int, bytes], of: str) -> None:
    code, text = answer
    if not 200 <= code < 300:
        raise ChannelError(f"{of} refused: {code} {words_of(text)}", permanent=code >= 500)


@contextmanager
def _mail_errors(session: _Session) -> Iterator[None]:
    """smtplib's and the network's errors as ChannelError, without the password."""
    channel = session.channel
    permanent = False
    try:
        yield
        return
    except ChannelError as error:
        told, permanent = str(error), error.permanent
    except smtplib.SMTPAuthenticationError as error:
        told = f"log-in refused ({error.smtp_code} {words_of(error.smtp_error)}); look at the channel's user and password"
    except smtplib.SMTPNotSupportedError as error:
        told = f"{error} Look at the channel's security, now {channel.security!r}"
    except smtplib.SMTPResponseException as error:
        told = f"{error.smtp_code} {words_of(error.smtp_error)}"
        permanent = isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= 500
    except ssl.SSLCertVerificationError as error:
        told = f"its certificate is not trusted: {error.verify_message}"
    except UnicodeError:  # what it says may quote the password
        can_log_in = (channel.user + channel.password).isascii()
        told = "no host name" if can_log_in else "SMTP's log-in takes ASCII only; look at the channel's user and password"
    except (smtplib.SMTPException, OSError) as error:
        is_slow = isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError)
        told = f"no answer within {channel.timeout_seconds:g} s" if is_slow else error.strerror or str(error)
    if session.is_late:
        told = f"not done within {channel.deadline_seconds:g} s"
    raise ChannelError(cleaned(f"{channel.host}:{channel.port}: {told}", channel.password), permanent=permanent)


def _trust(channel: EmailChannel) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=channel.ca_file or None)


def _own_name() -> str:
    """What we call ourselves: smtplib would look our name up in DNS, which can take minutes where DNS is broken."""
    name = re.sub(r"[^A-Za-z0-9.-]", "", socket.gethostname())
    return name or "localhost"
