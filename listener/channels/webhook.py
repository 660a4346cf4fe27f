"""Messages → JSON by HTTP POST, signed."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

import httpx
from standardwebhooks import Webhook

from listener.channels.door import ChannelError, cleaned, secrets_of, words_of
from listener.channels.exchange import exchange, is_web, retry_after_of
from listener.text.discretion import Discretion, shown
from listener.text.hook import body_of
from listener.text.views import AlertView, Language, Letter, letter_of, trial_of
from storage.records import Message

IN_A_SYSTEM: Final = Discretion(is_group=True)  # nobody knows who reads behind it
_PERMANENT_BELOW_500: Final = {408: False, 425: False, 429: False}


@dataclass(frozen=True, slots=True)
class WebhookChannel:
    """JSON by HTTP POST, signed by the Standard Webhooks scheme (standardwebhooks.com).

    url: http or https; treated as a secret, since many hold a token. secret: ``whsec_`` and base64 of 24 to 64 bytes.
    timeout_seconds: for the whole exchange. ValueError for what can't be a URL or a secret."""

    name: str
    url: str = field(repr=False)
    secret: str = field(repr=False)
    discretion: Discretion = IN_A_SYSTEM
    language: Language = "zh-CN"
    timezone: str = "Asia/Shanghai"
    templates: str = ""
    timeout_seconds: float = 20.0

    def __post_init__(self) -> None:
        if not is_web(self.url):
            raise ValueError(f"channel {self.name!r}: its url is no http or https address")
        try:
            secret = self.secret.removeprefix("whsec_")
            key = base64.b64decode(secret + "=" * (-len(secret) % 4), validate=True)
        except ValueError:  # no base64, or not even ASCII
            key = b""
        if not 24 <= len(key) <= 64:
            raise ValueError(f"channel {self.name!r}: its secret must be whsec_ and base64 of 24 to 64 random bytes")

    @property
    def place(self) -> str:
        """Where it goes, without what may be secret in the address."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")

    def send(self, message: Message, views: Sequence[AlertView], now: datetime) -> None:
        allowed = [shown(view, self.discretion) for view in views]
        self._post(letter_of(message, allowed, self.language, self.templates), now)

    def test(self, now: datetime) -> None:
        self._post(trial_of(self.name, at=now, language=self.language, timezone=self.timezone), now)

    def _post(self, letter: Letter, now: datetime) -> None:
        body = body_of(letter)
        headers = {
            "content-type": "application/json; charset=utf-8",
            "user-agent": "koc-listener",
            "accept-encoding": "identity",
            "webhook-id": letter.key,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(self.secret).sign(letter.key, now.astimezone(UTC), body.decode()),
        }
        try:
            status, answer_headers, answer = asyncio.run(exchange(self.url, body, headers, self.timeout_seconds))
        except TimeoutError:
            raise ChannelError(f"{self.place}: no answer within {self.timeout_seconds:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:  # the last: a host that has no name in the DNS
            told = cleaned(str(error) or type(error).__name__, *secrets_of(self.url), self.secret)
            raise ChannelError(f"{self.place}: {told}") from None
        if not 200 <= status < 300:
            raise _refusal(self, status, answer_headers, answer, now)


def _refusal(channel: WebhookChannel, status: int, headers: Mapping[str, str], answer: bytes, now: datetime) -> ChannelError:
    told = cleaned(words_of(answer), *secrets_of(channel.url), channel.secret)
    if 300 <= status < 400:
        told = "it redirects, which is not followed; set the channel's url to the new address"
    permanent = status < 500 and _PERMANENT_BELOW_500.get(status, True)
    return ChannelError(
        f"{channel.place}: {status}" + (f" {told}" if told else ""),
        permanent=permanent,
        retry_after=None if permanent else retry_after_of(headers.get("retry-after", ""), now),
    )
