"""When a channel that fails rests: a circuit breaker whose state is a row, so that all processes keep to it.

After some failures in a row nothing goes out for a while; then one message is tried, and if it passes the rest follows. What
waits meanwhile spends none of its attempts, so that an outage of days loses nothing.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

FAILURES: Final = 4  # in a row, before a channel rests
PAUSES: Final = (timedelta(minutes=2), timedelta(minutes=5), timedelta(minutes=10))  # the last one again and again


def rest_of(failures: int) -> timedelta | None:
    """How long a channel rests after so many failures in a row; None: not yet.

    >>> rest_of(3), rest_of(4), rest_of(400)
    (None, datetime.timedelta(seconds=120), datetime.timedelta(seconds=600))
    """
    if failures < FAILURES:
        return None
    return PAUSES[min(failures - FAILURES, len(PAUSES) - 1)]
