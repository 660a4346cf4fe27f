"""What was listened to: crawls, the marks they go on from, the accounts they covered, and when each was last heard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, case, delete, func, or_, select, union, update

from storage.codec import clean, json_of, json_text, names_of, pairs_of, pairs_text, us, us_or_none, when, when_or_none
from storage.database import AnyRow, insert
from storage.dirty import mark_silent
from storage.records import Crawl, Heard, Imported, Mark, StoreError
from storage.tables import account_keys, accounts, coverage, crawls, imports, marks, posts


def start(connection: Connection, crawl: Crawl) -> None:
    connection.execute(crawls.insert(), [_row_of(crawl)])


def end(connection: Connection, crawl: Crawl) -> None:
    """Write how a crawl ended, and which accounts it covered."""
    row = _row_of(crawl)
    changed = connection.execute(update(crawls).where(crawls.c.crawl_id == crawl.crawl_id).values(row)).rowcount
    if not changed:
        raise StoreError(f"unknown crawl {crawl.crawl_id!r}: start it before it ends")
    if not crawl.covered:
        return
    covered_at = us(crawl.started_at)  # what was posted while it ran may have been missed
    statement = insert(connection.dialect.name, coverage)
    newest = case(
        (statement.excluded.covered_at > coverage.c.covered_at, statement.excluded.covered_at), else_=coverage.c.covered_at
    )
    connection.execute(
        statement.on_conflict_do_update(index_elements=["platform", "account_id"], set_={"covered_at": newest}),
        [{"platform": p, "account_id": a, "covered_at": covered_at} for p, a in sorted(set(crawl.covered))],
    )
    mark_silent(connection, crawl.covered)


def cut_running(connection: Connection, at: int) -> int:
    """Crawls whose process was killed have ended: outcome ``cut``. Returns how many."""
    statement = update(crawls).where(crawls.c.outcome == "running").values(outcome="cut", ended_at=at)
    return connection.execute(statement).rowcount


def load(connection: Connection, source: str | None, *, last: bool, since: int | None = None) -> list[Crawl]:
    """Crawls by (source, started_at): the last of each source, or with those that coverage is judged by besides (see
    `_telling`), and with all that started at ``since`` or later."""
    wanted = [_latest()] if last else _telling()
    if since is not None:
        wanted.append(select(crawls.c.crawl_id).where(crawls.c.started_at >= since))
    query = select(crawls).where(crawls.c.crawl_id.in_(union(*wanted)))
    if source is not None:
        query = query.where(crawls.c.source == source)
    return [
        _crawl_of(row) for row in connection.execute(query.order_by(crawls.c.source, crawls.c.started_at, crawls.c.crawl_id))
    ]


def _latest(*which: ColumnElement[bool]) -> Select[Any]:
    """Ids of the last crawl of each source, among those."""
    # The time from the index alone; of several that started at once the one with the greatest id.
    newest = (
        select(crawls.c.source, func.max(crawls.c.started_at).label("at")).where(*which).group_by(crawls.c.source).subquery()
    )
    is_newest = and_(crawls.c.source == newest.c.source, crawls.c.started_at == newest.c.at)
    return select(func.max(crawls.c.crawl_id)).join(newest, is_newest).where(*which).group_by(crawls.c.source)


def _telling() -> list[Select[Any]]:
    """Ids of what tells how each source fares: its last crawl, the last that ended, the last that was done, and the first that
    failed since then, which dates an outage however long it lasts."""
    return [_latest(), _latest(crawls.c.outcome != "running"), _latest(crawls.c.outcome == "done"), _first_failed()]


def _first_failed() -> Select[Any]:
    """Ids of the first crawl of each source that failed since its last one was done."""
    did_fail = crawls.c.outcome.not_in(("running", "cut", "done"))
    done = select(crawls.c.source, func.max(crawls.c.started_at).label("at")).where(crawls.c.outcome == "done")
    done_at = done.group_by(crawls.c.source).subquery()
    is_since = or_(done_at.c.at.is_(None), crawls.c.started_at > done_at.c.at)
    first = select(crawls.c.source, func.min(crawls.c.started_at).label("at"))
    first = first.outerjoin(done_at, done_at.c.source == crawls.c.source).where(did_fail, is_since)
    began = first.group_by(crawls.c.source).subquery()
    is_first = and_(crawls.c.source == began.c.source, crawls.c.started_at == began.c.at)
    return select(func.min(crawls.c.crawl_id)).join(began, is_first).where(did_fail).group_by(crawls.c.source)


def prune(connection: Connection, before: int) -> int:
    """Take crawls that ended and started before that, but those that tell how their source fares. Returns how many."""
    old = and_(crawls.c.started_at < before, crawls.c.outcome != "running")
    return connection.execute(delete(crawls).where(old, crawls.c.crawl_id.not_in(union(*_telling())))).rowcount


def log_import(connection: Connection, done: Imported) -> None:
    row = {name: clean(getattr(done, name)) for name in ("sha256", "source", "file", "basis", "purpose", "who")}
    connection.execute(imports.insert(), [{**row, "at": us(done.at), "posts": done.posts}])


def imported(connection: Connection) -> list[Imported]:
    query = select(imports).order_by(imports.c.at, imports.c.sha256)
    return [
        Imported(when(row.at), row.source, row.file, row.sha256, row.posts, row.basis, row.purpose, row.who)
        for row in connection.execute(query)
    ]


def write_marks(connection: Connection, new: Sequence[Mark]) -> None:
    rows = {
        (m.source, m.subject): {
            "source": m.source,
            "subject": clean(m.subject),
            "posted_at": us_or_none(m.posted_at),
            "state": json_text(m.state),
        }
        for m in new
    }
    if not rows:
        return
    statement = insert(connection.dialect.name, marks)
    values = {"posted_at": statement.excluded.posted_at, "state": statement.excluded.state}
    connection.execute(
        statement.on_conflict_do_update(index_elements=["source", "subject"], set_=values), [rows[key] for key in sorted(rows)]
    )


def load_marks(connection: Connection, source: str) -> dict[str, Mark]:
    query = select(marks).where(marks.c.source == source).order_by(marks.c.subject)
    return {
        row.subject: Mark(row.source, row.subject, when_or_none(row.posted_at), json_of(row.state))
        for row in connection.execute(query)
    }


def posts_by_day(connection: Connection, since: int, offset: int) -> dict[str, dict[int, int]]:
    """How many posts of each source were posted on which day."""
    day = (posts.c.posted_at + offset) // 86_400_000_000
    own = (posts.c.posted_at >= since, posts.c.kind != "comment")
    query = select(posts.c.sources, day.label("day"), func.count()).where(*own).group_by(posts.c.sources, "day")
    found: dict[str, dict[int, int]] = {}
    for sources, on, count in connection.execute(query):
        for source in names_of(sources):
            days = found.setdefault(source, {})
            days[int(on)] = days.get(int(on), 0) + count
    return found


def heard_accounts(connection: Connection) -> list[Heard]:
    """Each account of the roster: last heard is when a crawl last covered it or a post of its own was last seen."""
    query = (
        select(
            accounts.c.platform,
            accounts.c.account_id,
            func.max(coverage.c.covered_at),
            func.max(posts.c.last_seen_at),
            func.max(posts.c.posted_at),
            func.count(posts.c.id),
        )
        .select_from(accounts)
        .outerjoin(account_keys, _same_account(account_keys))
        .outerjoin(posts, posts.c.author_key == account_keys.c.author_key)
        .outerjoin(coverage, _same_account(coverage))
        .group_by(accounts.c.platform, accounts.c.account_id)
        .order_by(accounts.c.platform, accounts.c.account_id)
    )
    return [
        Heard(platform, account, when_or_none(_later(covered, seen)), when_or_none(posted), n, when_or_none(covered))
        for platform, account, covered, seen, posted, n in connection.execute(query)
    ]


def _same_account(table: Table) -> ColumnElement[bool]:
    return and_(table.c.platform == accounts.c.platform, table.c.account_id == accounts.c.account_id)


def _later(a: int | None, b: int | None) -> int | None:
    return max((at for at in (a, b) if at is not None), default=None)


def _row_of(crawl: Crawl) -> dict[str, Any]:
    return {
        "crawl_id": crawl.crawl_id,
        "source": crawl.source,
        "platform": crawl.platform,
        "started_at": us(crawl.started_at),
        "ended_at": us_or_none(crawl.ended_at),
        "outcome": crawl.outcome,
        "items": crawl.items,
        "error": clean(crawl.error),
        "covered": pairs_text(crawl.covered),
    }


def _crawl_of(row: AnyRow) -> Crawl:
    return Crawl(
        row.crawl_id,
        row.source,
        row.platform,
        when(row.started_at),
        when_or_none(row.ended_at),
        row.outcome,
        row.items,
        row.error,
        pairs_of(row.covered),
    )
