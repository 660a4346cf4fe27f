"""One HTTP POST that ends in time, follows nothing and reads no more of an answer than an error's words take."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

import httpx

for _chatty in ("httpx", "httpcore"):  # they log whole addresses, and a webhook's may hold a token
    logging.getLogger(_chatty).setLevel(logging.WARNING)

LONGEST_ANSWER: Final = 2000  # bytes of an answer that are read, for the error's words


def is_web(url: str) -> bool:
    """Whether httpx can take it for an http or https address, and `place` can name it."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and bool(httpx.URL(url).host)
    except (ValueError, httpx.InvalidURL):
        return False


async def exchange(
    url: str, body: bytes, headers: Mapping[str, str], seconds: float, *, read_all: bool = False
) -> tuple[int, Mapping[str, str], bytes]:
    """POST once, follow nothing; the status, the headers and the first bytes of the answer, of a success too if ``read_all``.
    TimeoutError when it is late: for the whole exchange, since a receiver may drip a byte now and then for ever."""
    past_proxies = {f"all://{host}": None for host in ("127.0.0.1", "localhost", "[::1]")}
    async with (
        asyncio.timeout(seconds),
        httpx.AsyncClient(timeout=seconds, follow_redirects=False, mounts=past_proxies) as client,
        client.stream("POST", url, content=body, headers=headers) as response,
    ):
        answer = b""
        if read_all or not response.is_success:
            async for chunk in response.aiter_raw():
                answer += chunk[: LONGEST_ANSWER - len(answer)]
                if len(answer) >= LONGEST_ANSWER:
                    break
        return response.status_code, response.headers, answer


def retry_after_of(value: str, now: datetime) -> timedelta | None:
    """A Retry-After header, in seconds or as a date, as a span; None where it says nothing that can be read.

    >>> retry_after_of("120", datetime(2026, 4, 14, tzinfo=UTC))
    datetime.timedelta(seconds=120)
    """
    value = value.strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        return timedelta(seconds=int(value))
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(timedelta(0), (at if at.tzinfo else at.replace(tzinfo=UTC)) - now)
