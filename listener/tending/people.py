"""What somebody changes of a KOC by hand, and all that the team keeps on one: each change is noted for good."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from zoneinfo import ZoneInfo

from listener import board
from listener.accounts import handles_in, platform_named
from listener.app import App
from listener.normalize import author_keys_of
from listener.overview import board_of
from listener.relations.contacts import Contacts
from listener.relations.errors import RelationError
from listener.relations.exits import Exit, exit_of, matters_of
from listener.roster import REASONS, domain_of
from storage.records import Account, Case, Koc
from storage.roster_records import Agreement, By, KocChange, LogEntry, LogKind, Promise

FIELDS = ("name", "tier", "owner", "domain", "note", "standing", "title")
RECOGNITION: tuple[LogKind, ...] = ("honor", "thanks", "event", "adopted", "contribution")


@dataclass(frozen=True, slots=True)
class File:
    """All that is kept of a KOC. rows: the board's, one a brand. unmet: what the team promised and did not keep. log: contacts
    and recognition, oldest first. cases: open ones first."""

    koc: Koc
    rows: tuple[board.Row, ...]
    promises: tuple[Promise, ...]
    unmet: tuple[Promise, ...]
    agreements: tuple[Agreement, ...]
    contacts: Contacts
    log: tuple[LogEntry, ...]
    exit: Exit
    cases: tuple[Case, ...]
    changes: tuple[KocChange, ...]


def today_of(app: App) -> date:
    """The day that it is in the workspace's zone."""
    return app.now().astimezone(ZoneInfo(app.timezone)).date()


def known(app: App, koc_id: str) -> Koc:
    """The KOC as the roster has it now."""
    found = next((koc for koc in app.store.kocs() if koc.koc_id == koc_id), None)
    if found is None:
        raise RelationError(f"名单里没有 {koc_id} / {koc_id} is not on the roster")
    return found


def change(app: App, koc_id: str, values: Mapping[str, str], by: By) -> Koc:
    """Change fields of a KOC (see `FIELDS`); what is the same already changes nothing. RelationError for what is no value.

    Who changes is marked dirty: severities go by the roster as it is, whenever posts came in."""
    if unknown := set(values) - set(FIELDS):
        raise RelationError(f"没有这一项：{min(unknown)}；有：{', '.join(FIELDS)} / no such field")
    wanted = {name: value.strip() for name, value in values.items()}
    if "domain" in wanted:
        domain = domain_of(wanted["domain"])
        if not domain:
            raise RelationError(f"看不懂 {wanted['domain']!r}；写公域 public 或私域 private / write public or private")
        wanted["domain"] = domain
    if wanted.get("standing", "active") not in ("active", "alumni"):
        raise RelationError(f"看不懂 {wanted['standing']!r}；active 或 alumni / write active or alumni")
    if wanted.get("standing") == "alumni":
        raise RelationError("荣誉身份由有序退出给出：listener koc exit / an orderly exit makes somebody an alumnus")
    if "name" in wanted and not wanted["name"]:
        raise RelationError("名字不能是空的 / a name can't be empty")
    new = replace(known(app, koc_id), **wanted)  # type: ignore[arg-type]
    app.store.save_kocs([new], by=by)
    return new


def add_account(app: App, koc_id: str, platform: str, text: str, by: By) -> Account:
    """Give a KOC an account, by its native id or the address of its profile. Stored posts of it are the KOC's at once.

    RelationError where no account can be known for sure, or somebody else has it."""
    koc = known(app, koc_id)
    handle = next(iter(handles_in(text.strip(), platform_named(platform))), None)
    if handle is None or not handle.account_id or not handle.platform:
        why = REASONS[handle.why if handle and handle.why else "no-platform"]
        raise RelationError(f"{text}: {why}")
    holder = next(
        (
            one
            for one in app.store.kocs()
            for a in one.accounts
            if (a.platform, a.account_id) == (handle.platform, handle.account_id)
        ),
        None,
    )
    if holder is not None:
        raise RelationError(
            f"{handle.platform}:{handle.account_id} 属于 {holder.koc_id} {holder.name}；先 listener koc account remove / "
            f"belongs to {holder.koc_id}: take it from there first"
        )
    own, *others = author_keys_of(app.key, handle.platform, handle.account_id)
    account = Account(handle.platform, handle.account_id, own, handle.nickname, handle.url, tuple(others))
    app.store.save_kocs([replace(koc, accounts=(*koc.accounts, account))], by=by)
    return account


def remove_account(app: App, koc_id: str, platform: str, account_id: str, by: By) -> Account:
    """Take one account from a KOC; its posts stay, and are nobody's on the roster any more."""
    koc, wanted = known(app, koc_id), (platform_named(platform), account_id.strip())
    found = next((one for one in koc.accounts if (one.platform, one.account_id) == wanted), None)
    if found is None:
        held = "、".join(f"{one.platform} {one.account_id}" for one in koc.accounts) or "–"
        raise RelationError(f"{koc_id} 没有账号 {':'.join(wanted)}；有：{held} / has no such account; there are: {held}")
    app.store.save_kocs([replace(koc, accounts=tuple(one for one in koc.accounts if one != found))], by=by)
    return found


def write_down(app: App, entry: LogEntry) -> LogEntry:
    """Write a contact, an inquiry, a contribution or a recognition into the KOC's log."""
    known(app, entry.koc_id)
    if not entry.who.strip():
        raise RelationError("写明是谁 / say who")
    if not entry.note.strip():
        raise RelationError("写一句经过 / say in a line what happened")
    if entry.at > entry.made_at:
        raise RelationError(f"{entry.at.date()} 还没有到 / lies in the future")
    app.store.ledger.log([entry])
    return entry


def file_of(app: App, koc: Koc) -> File:
    """All that is kept of a KOC, with where it stands."""
    ledger, store = app.store.ledger, app.store
    promises, agreements = ledger.promises(koc=koc.koc_id), ledger.agreements(koc=koc.koc_id)
    cases, log = store.cases(koc=koc.koc_id), ledger.entries(koc=koc.koc_id)
    standing = app.standing_with(koc.koc_id)
    matters = matters_of(promises, agreements, cases)
    return File(
        koc=koc,
        rows=tuple(row for row in board_of(app) if row.koc_id == koc.koc_id),
        promises=tuple(promises),
        unmet=standing.unmet,
        agreements=tuple(agreements),
        contacts=standing.contacts,
        log=tuple(log),
        exit=exit_of(log, matters, is_alumni=koc.standing == "alumni"),
        cases=tuple(sorted(cases, key=lambda case: (case.state != "open", case.opened_at))),
        changes=tuple(store.koc_changes(koc.koc_id)),
    )
