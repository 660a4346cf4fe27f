"""What can go wrong at the door of the crawl, one class for each answer."""

from __future__ import annotations


class CollectError(Exception):
    """The crawl can't be started or read: unknown platform, a job that contradicts itself, a child that speaks nonsense."""


class UnreadError(CollectError):
    """A subject could not be read to its mark.

    patience: after how many of these in a row the other subjects of that host are left alone (0: never). Where asking on would
    be refused just the same, it is rude; where a server is down, it is slow.
    """

    patience = 0

    def __init__(self, message: str, *, patience: int | None = None) -> None:
        super().__init__(message)
        if patience is not None:
            self.patience = patience


class Blocked(UnreadError):  # noqa: N818
    """The platform does not let us: log-in wall, captcha, too many requests, forbidden by it or by its robots.txt.

    wait_seconds: how long it asks us to stay away, where it says so. host: who it is, where the answer's status told.
    is_of_page: it may be this page alone that is shut (401, 403), as one post that was made private is."""

    patience = 1

    def __init__(self, message: str, *, patience: int | None = None, wait_seconds: float | None = None) -> None:
        super().__init__(message, patience=patience)
        self.wait_seconds = wait_seconds
        self.host = ""
        self.is_of_page = False


class Paused(Blocked):
    """A host that refused us before, and is left alone for a while."""


class Forbidden(Blocked):
    """The site's robots.txt does not allow it; the host itself has refused nothing."""

    patience = 3


class Changed(UnreadError):  # noqa: N818
    """The page came, but not in the shape that this spider knows. body: the page, kept for whoever repairs the spider."""

    def __init__(self, message: str, *, body: bytes = b"") -> None:
        super().__init__(message)
        self.body = body


class Failed(UnreadError):  # noqa: N818
    """The network or the server failed: no answer, cut off, too large, too slow, an error of theirs."""

    patience = 3


class Gone(Failed):
    """What was asked for is there no more: deleted, or never there (404, 410, or the platform's own words for it)."""

    patience = 0
