"""The door that messages go out through: a Channel, and the ChannelError that says whether to try again.

`permanent` is what the receiver says about this very message (550, 410 …): the same message will never be taken. Whatever
is wrong with the way there (down, slow, wrong password, bad certificate) is temporary: it works once somebody has put it
right. Secrets stand in no log, no error and no repr.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import unquote

from listener.text.quotes import line_of
from listener.text.views import AlertView
from storage.records import Message


class ChannelError(Exception):
    """A message was not taken. permanent: the same message will never be. retry_after: how long the receiver asks to wait.
    is_untried: nothing was sent, since the channel may send no more for now."""

    def __init__(
        self, message: str, *, permanent: bool = False, retry_after: timedelta | None = None, is_untried: bool = False
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after
        self.is_untried = is_untried


class Channel(Protocol):
    """A way out: e-mail, webhook, a chat robot."""

    @property
    def name(self) -> str: ...

    def send(self, message: Message, views: Sequence[AlertView], now: datetime) -> None:
        """Send one message; views: the alert of each of its deliveries, in order. Raises ChannelError."""

    def test(self, now: datetime) -> None:
        """Send a message that says that the channel works. Raises ChannelError."""


def words_of(text: bytes | str) -> str:
    """A server's answer as one short line."""
    return line_of(text.decode("utf-8", "replace") if isinstance(text, bytes) else text)[:200]


def cleaned(text: str, *secrets: str) -> str:
    for secret in secrets:
        if secret:
            text = text.replace(secret, "…")
    return line_of(text)[:300]


def secrets_of(url: str) -> tuple[str, ...]:
    """An address and every longer piece of it that may be a token, the longest first.

    >>> "tok123456" in secrets_of("slack://bot@tok123456/b/c?x=secretvalue")
    True
    """
    rest = url.partition("://")[2]
    tail = rest.partition("/")[2] if url.startswith("http") else rest  # a web address's host is no secret
    pieces = {piece for piece in re.split(r"[/?&=@:#,]", tail) if len(piece) >= 6} - _OF_PATHS
    return (url, unquote(url), rest, *sorted(pieces | {unquote(piece) for piece in pieces}, key=len, reverse=True))


_OF_PATHS = frozenset(
    {"cgi-bin", "webhook", "open-apis", "services", "access_token", "hooks"}
)  # that are the same for everybody
