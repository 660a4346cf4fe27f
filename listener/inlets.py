"""What people hand in beside the crawls: group chats, with the ground on which they are read."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import file_digest
from pathlib import Path

from listener import normalize, pipeline
from listener.app import App
from listener.members import Members, read_members
from spiders.exports.chats import PLATFORM, author_of, read_chat
from spiders.exports.read import CHINA
from spiders.exports.shapes import Reading
from spiders.files import BadLine
from spiders.items import Item
from storage.records import Account, Imported, Koc
from storage.roster_records import By


def import_chat(
    app: App,
    file: Path,
    group: str,
    *,
    members: Path | None,
    basis: str,
    purpose: str,
    source: str,
    report: pipeline.Report,
    bad: Callable[[BadLine], None] = lambda line: None,
    met: set[str] | None = None,
) -> tuple[pipeline.Listened, Path | None]:
    """Import a group's chat; returns the sums, and where bad lines were set aside if there were any.

    members: the list that says which KOC is who in the group; they get an account there. basis, purpose: noted for good with
    the file's hash. source: what it counts as; where the settings give that source a brand (``about``), all speaks of that one.
    Raises MembersError, CollectError.
    """
    roster = app.store.kocs()
    known = read_members(members, roster) if members else Members({})
    written_at = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    items = read_chat(file, group, Reading(CHINA, written_at))
    first = next(items, None)  # a file that is no chat is refused before anything is written
    app.store.save_kocs(joined(roster, group, known, app.key), by=By(getpass.getuser(), app.now(), "import", file.name))
    done, aside = app.import_items(_chained(first, items), file, source, report, bad=bad, met=met)
    with file.open("rb") as stream:
        digest = file_digest(stream, "sha256").hexdigest()
    posts = done.new + done.again
    app.store.log_import(Imported(app.now(), source, file.name, digest, posts, basis, purpose, getpass.getuser()))
    return done, aside


def joined(roster: Iterable[Koc], group: str, members: Members, key: bytes) -> list[Koc]:
    """The KOCs of the list with their accounts in the group, as far as they are new there."""
    by_koc: dict[str, list[str]] = {}
    for member, koc_id in members.kocs.items():
        by_koc.setdefault(koc_id, []).append(member)
    found = []
    for koc in roster:
        held = {(account.platform, account.account_id) for account in koc.accounts}
        wanted = [author_of(group, member) for member in by_koc.get(koc.koc_id, ())]
        new = [_account(one, key) for one in wanted if (PLATFORM, one) not in held]
        if new:
            found.append(replace(koc, accounts=(*koc.accounts, *new)))
    return found


def _account(account_id: str, key: bytes) -> Account:
    own, *others = normalize.author_keys_of(key, PLATFORM, account_id)
    return Account(PLATFORM, account_id, own, other_keys=tuple(others))


def _chained(first: Item | BadLine | None, rest: Iterable[Item | BadLine]) -> Iterable[Item | BadLine]:
    if first is not None:
        yield first
    yield from rest
