"""Sources, crawls and what was heard → who is covered, up to when, and why not: silence needs somebody who listened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from storage.records import AccountCoverage, Crawl, Heard, Koc, KocCoverage, Listening, Reach

MISSED = 3  # so many runs may be missed before what was heard is called old
LEAST_PATIENCE = timedelta(days=1)
BY_HAND_PATIENCE = timedelta(days=7)  # a source that only a person runs


class Why(StrEnum):
    """Why an account is covered or is not; the words stand in listener/text."""

    TIMELINE = "timeline"  # its timeline is read to the end
    EMPTY = "empty"  # the same, and there is no post: truly empty
    SEARCH_ONLY = "search-only"  # only posts that match a query are heard
    FEED_ONLY = "feed-only"  # only what stands at an address is heard
    IMPORT_ONLY = "import-only"  # it is heard in imported files alone
    NO_SOURCE = "no-source"  # nobody listens to this platform, or to this account there
    SOURCE_OFF = "source-off"  # the source that would hear it is switched off
    NO_ACCOUNT = "no-account"  # the roster holds no account that can be recognized
    NEVER_HEARD = "never-heard"  # the source has not ended a crawl yet
    NOT_REACHED = "not-reached"  # its last crawl ended well without reading this timeline to the end
    NOT_HEARD = "not-heard"  # it ran well once and has not run for long
    BLOCKED = "blocked"  # a log-in wall, a captcha, too many requests
    CHANGED = "changed"  # the platform's pages have another shape
    FAILED = "failed"  # the crawl failed
    CUT = "cut"  # the crawl was cut short


TROUBLES: Mapping[str, Why] = {"blocked": Why.BLOCKED, "changed": Why.CHANGED, "failed": Why.FAILED, "cut": Why.CUT}
WEAKNESS: Mapping[Reach, int] = {"not-covered": 0, "imported": 1, "partly": 2, "covered": 3}


def coverage_of(
    kocs: Iterable[Koc], listenings: Sequence[Listening], crawls: Sequence[Crawl], heard: Iterable[Heard], *, now: datetime
) -> dict[str, KocCoverage]:
    """The coverage of every KOC and of each of their accounts, by koc_id.

    crawls: at least the last of each source; with earlier ones a source that failed once is not called deaf at once.
    heard: one for each account of the roster that was ever heard.
    """
    sources = [_source_of(one, crawls) for one in listenings]
    known = {(one.platform, one.subject): one for one in heard}
    return {koc.koc_id: _koc_coverage(koc, sources, known, now) for koc in kocs}


@dataclass(frozen=True, slots=True)
class _Source:
    """A source with what its crawls came to. covered: account → start of the last crawl that read its timeline to the end
    (what was posted while that crawl ran may have been missed)."""

    listening: Listening
    last: Crawl | None
    done_at: datetime | None
    covered: Mapping[tuple[str, str], datetime]

    def patience(self) -> timedelta:
        every = self.listening.every
        return max(MISSED * every, LEAST_PATIENCE) if every else BY_HAND_PATIENCE

    def next_at(self) -> datetime | None:
        if self.listening.next_at or not (self.last and self.listening.every):
            return self.listening.next_at
        return self.last.started_at + self.listening.every

    def reads(self, account: tuple[str, str]) -> bool:
        """Whether it promises to read this account's timeline."""
        one = self.listening
        return one.platform == account[0] and (one.roster or account[1] in one.accounts)

    def may_hear(self, account: tuple[str, str], posts: int) -> bool:
        """Whether it hears some of an account's posts: by a search, or by a feed of the host where the account is at home;
        a feed of another host only where such posts have come."""
        hosts = {host.removeprefix("www.") for host in self.listening.hosts}
        at_home = not hosts or account[1].partition(":")[0].removeprefix("www.") in hosts
        at_home = at_home or account[1].rpartition(":")[0].removeprefix("www.") in hosts  # a host with a port
        return self.listening.searches or (self.listening.feeds and (at_home or posts > 0))


def _source_of(listening: Listening, crawls: Sequence[Crawl]) -> _Source:
    own = sorted((c for c in crawls if c.source == listening.source), key=lambda c: (c.started_at, c.crawl_id))
    ended = [c for c in own if c.outcome != "running"]
    covered: dict[tuple[str, str], datetime] = {}
    for crawl in own:
        covered |= dict.fromkeys(crawl.covered, crawl.started_at)
    done = [c.started_at for c in ended if c.outcome == "done"]
    return _Source(listening, ended[-1] if ended else None, done[-1] if done else None, covered)


def _koc_coverage(koc: Koc, sources: Sequence[_Source], heard: Mapping[tuple[str, str], Heard], now: datetime) -> KocCoverage:
    ids = dict.fromkeys((one.platform, one.account_id) for one in koc.accounts if one.account_id)
    accounts = tuple(_account_coverage(account, sources, heard.get(account), now) for account in ids)
    if not accounts:
        return KocCoverage(koc.koc_id, "not-covered", Why.NO_ACCOUNT, None, None, None, None, ())
    reaches = {one.reach for one in accounts}
    reach: Reach = reaches.pop() if len(reaches) == 1 else "partly" if reaches - {"imported", "not-covered"} else "imported"
    known_to = [one.heard_to for one in accounts]
    return KocCoverage(
        koc_id=koc.koc_id,
        reach=reach,
        why=min(accounts, key=lambda one: WEAKNESS[one.reach]).why,
        heard_to=None if None in known_to else _earliest(known_to),
        last_heard_at=_latest(one.last_heard_at for one in accounts),
        last_post_at=_latest(one.last_post_at for one in accounts),
        next_at=_earliest(one.next_at for one in accounts),
        accounts=accounts,
    )


def _account_coverage(
    account: tuple[str, str], sources: Sequence[_Source], heard: Heard | None, now: datetime
) -> AccountCoverage:
    here = [one for one in sources if one.listening.platform == account[0]]
    heard_to = _latest([heard.covered_at if heard else None, *(one.covered.get(account) for one in here)])
    posts = heard.posts if heard else 0
    reach, why, source = _judged(account, here, heard_to, posts, now)
    return AccountCoverage(
        account=account,
        reach=reach,
        why=why,
        heard_to=heard_to,
        last_heard_at=_latest([heard.last_heard_at if heard else None, heard_to]),
        last_post_at=heard.last_post_at if heard else None,
        posts=posts,
        next_at=source.next_at() if source else None,
        source=source.listening.source if source else "",
    )


def _judged(
    account: tuple[str, str], here: Sequence[_Source], heard_to: datetime | None, posts: int, now: datetime
) -> tuple[Reach, Why, _Source | None]:
    """How an account is heard, why, and the source that answers for it."""
    on = [one for one in here if one.listening.enabled]
    timelines = [one for one in on if one.reads(account)]
    if fresh := [one for one in timelines if heard_to and now - heard_to <= one.patience()]:
        well = [one for one in fresh if _trouble(one, account) is None]
        source = (well or fresh)[0]
        return "covered", _trouble(source, account) or (Why.TIMELINE if posts else Why.EMPTY), source
    broken = (_trouble(timelines[0], account) or Why.NOT_HEARD) if timelines else None
    some = [one for one in on if one.may_hear(account, posts)]
    for one in some:
        if one.done_at and now - one.done_at <= one.patience():
            return "partly", broken or (Why.SEARCH_ONLY if one.listening.searches else Why.FEED_ONLY), one
    if timelines or some:
        source = (timelines or some)[0]
        why = broken or _trouble(source, None) or Why.NOT_HEARD
        # Posts that are here before the source has ended its first crawl came in files.
        return "imported" if why is Why.NEVER_HEARD and posts else "not-covered", why, source
    if posts:
        return "imported", Why.IMPORT_ONLY, None
    is_off = any(one.reads(account) for one in here)
    return "not-covered", Why.SOURCE_OFF if is_off else Why.NO_SOURCE, None


def _trouble(source: _Source, account: tuple[str, str] | None) -> Why | None:
    """What is wrong with the last crawl, of this account's timeline where one is given."""
    if source.last is None:
        return Why.NEVER_HEARD
    if source.last.outcome in TROUBLES:
        return None if account in source.last.covered else TROUBLES[source.last.outcome]
    return Why.NOT_REACHED if account and account not in source.last.covered else None


def _latest(times: Iterable[datetime | None]) -> datetime | None:
    return max((at for at in times if at), default=None)


def _earliest(times: Iterable[datetime | None]) -> datetime | None:
    return min((at for at in times if at), default=None)
