"""A roster as operations teams keep it (CSV, Excel) → KOCs, and what has to be looked at before they are imported.

What is certain is taken: an account by its native id or by a link that holds it, a person by its id or its row. What is
only likely (a nickname, a name that stands twice) is told and left to a person. A bad row never loses a good one.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from unicodedata import normalize

from listener.accounts import resolve_link as resolve_link
from listener.people import ACCOUNT_COLUMNS, Person, Table, people_of, table_of
from storage.records import Account, Koc

AuthorKeys: TypeAlias = Callable[[str, str], Sequence[str]]
KeptOut: TypeAlias = Callable[[Sequence[str]], Collection[str]]

REASONS = {
    # unresolved: an account, or a person, that could not be taken
    "short-link": "短链接里没有账号，请打开后复制完整主页地址 / a short link: open it and copy the address of the profile",
    "no-id-in-link": "这个链接里没有账号ID，请用主页链接 / no account id in this link: use the profile's",
    "unknown-site": "不认识的网站，请填平台和账号ID / an unknown site: give platform and account_id",
    "odd-length": "编号的位数不对（微博是 5 到 12 位），请核对 / no id there is a number of that length: check it",
    "nickname-only": "只有昵称，不能确定账号，请补主页链接 / only a nickname: add the profile's link",
    "shown-number": "这个号不是内容里的账号ID，请补主页链接 / not the id that posts carry: add the profile's link",
    "damaged-number": "长数字已被 Excel 改坏，请设为文本后重填 / damaged by Excel: make the cell text, enter it again",
    "no-platform": "没写平台 / the platform is missing",
    "kept-out": "本人要求过不被收录，没用 / asked to be kept out: not taken",
    "no-account": "没有可用的账号，未导入 / no account that can be used: not imported",
    "no-account-yet": "收下了，但没有账号，听不到内容，请补主页链接 / taken, but nothing is heard of it: add a profile's link",
    "no-account-columns": "缺账号的列，听不到任何内容：加一列 主页链接，或两列 平台、账号ID / no column of accounts, so nothing"
    " is heard: add one of links to profiles, or two: platform, account_id",
    # ambiguous: two things that contradict each other
    "two-ids": "账号ID与链接不一致，两个都没用 / id and link disagree: neither was taken",
    "account-twice": "同一账号写在不同的人名下，都没用 / one account under several people: taken for none of them",
    "account-of-other": "账号在名单上属于别人，没用；要转移先 listener koc remove / belongs to another KOC: not taken",
    "two-people": "账号分属名单上的不同人，未导入 / these accounts belong to different people on the roster: not imported",
    "same-name": "同名，按不同的人处理；是一人请填同一 koc_id / taken as different people: if one, give one koc_id",
    "two-names": "同一 koc_id 有不同姓名，用了第一个 / one koc_id with different names: the first was taken",
}
AMBIGUOUS = frozenset({"two-ids", "account-twice", "account-of-other", "two-people", "same-name", "two-names"})


class RosterError(Exception):
    """The file can't be read as a roster."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to look at. rows: where; code: of `REASONS`; value: what stood there; who: the person's name."""

    rows: tuple[int, ...]
    sheet: str
    who: str
    code: str
    value: str = ""

    @property
    def message(self) -> str:
        """The reason in words."""
        return REASONS[self.code]


@dataclass(frozen=True, slots=True)
class Proposal:
    """Perhaps the same: a nickname of the file that a KOC of the roster has there too. Never applied by itself."""

    row: int
    sheet: str
    who: str
    platform: str
    nickname: str
    koc_id: str


@dataclass(frozen=True, slots=True)
class Change:
    """A KOC that the import makes or changes. what: "new", or names of fields, "accounts" among them."""

    koc_id: str
    name: str
    what: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RosterPreview:
    """What importing a file would do.

    kocs: to be saved, whole, with what the roster had of them. changes: one for each, in the same order. unchanged: ids of
    those that the file says nothing new of. columns: header → what it was taken for; ignored: headers that were not.
    """

    rows: int
    kocs: tuple[Koc, ...]
    changes: tuple[Change, ...]
    unchanged: tuple[str, ...]
    unresolved: tuple[Finding, ...]
    ambiguous: tuple[Finding, ...]
    proposals: tuple[Proposal, ...]
    columns: Mapping[str, str]
    ignored: tuple[str, ...]


def read_roster(
    path: Path,
    existing: Sequence[Koc] = (),
    author_keys: AuthorKeys = lambda platform, account_id: ("",),
    kept_out: KeptOut = lambda keys: (),
) -> RosterPreview:
    """What the file says, beside the roster that is there; writes nothing. Raises RosterError.

    author_keys: (platform, account id) → the keys that posts of the account are stored under, that of its own id first.
    kept_out: which of such keys are of people who asked to be kept out; nothing of them is taken, not even the name.
    """
    from listener.sheets import SheetError, read_sheets  # here, since pandas and openpyxl take a quarter of a command's start

    try:
        sheets = read_sheets(path)
    except SheetError as error:
        raise RosterError(str(error)) from error
    tables = [table for sheet in sheets if (table := table_of(sheet)) is not None]
    if not tables:
        seen = next((" ".join(filter(None, row.cells))[:80] for sheet in sheets for row in sheet.rows), "")
        raise RosterError(
            "没有认出表头；要有账号或主页链接，如 昵称, 主页链接, 小红书, 对接人, 等级，或 koc_id, name, platform, account_id"
            f" / no header was found: there must be a column of accounts or links. First row: {seen}"
        )
    return _Import(tables, existing, author_keys, kept_out).preview()


# ------------------------------------------------------------------------------------------ people → the new roster


class _Import:
    """What the people of a file make of a roster."""

    def __init__(self, tables: Sequence[Table], existing: Sequence[Koc], author_keys: AuthorKeys, kept_out: KeptOut) -> None:
        self.tables, self.existing, self.author_keys = tables, existing, author_keys
        self.roster = {koc.koc_id: koc for koc in existing}
        self.holder = {(a.platform, a.account_id): koc.koc_id for koc in existing for a in koc.accounts}
        self.findings: list[Finding] = []
        self.people = _without_twins(person for table in tables for person in people_of(table))
        self._leave_out(kept_out)

    def preview(self) -> RosterPreview:
        self._part_accounts()
        identified = self._identified()
        self._tell_same_names(identified)
        kocs, changes, unchanged = [], [], []
        for koc_id, person in identified.items():
            old = self.roster.get(koc_id)
            koc = self._koc_of(koc_id, person, old)
            what = _differences(old, koc)
            if what:
                kocs.append(koc)
                changes.append(Change(koc_id, koc.name, what))
            else:
                unchanged.append(koc_id)
        self._tell_unheard(identified, kocs)
        for person in self.people:
            self.findings += [_finding(person, m.code, m.value, [m.row]) for m in person.missed]
            if len(person.names) > 1:
                self.findings.append(_finding(person, "two-names", " / ".join(person.names)))
        found = sorted(dict.fromkeys(self.findings), key=lambda f: (f.sheet, f.rows, f.code, f.value))
        return RosterPreview(
            rows=sum(len(table.rows) for table in self.tables),
            kocs=tuple(kocs),
            changes=tuple(changes),
            unchanged=tuple(unchanged),
            unresolved=tuple(f for f in found if f.code not in AMBIGUOUS),
            ambiguous=tuple(f for f in found if f.code in AMBIGUOUS),
            proposals=tuple(self._proposals()),
            columns={c.header: f"{c.platform} {c.what}".strip() for table in self.tables for c in table.columns},
            ignored=tuple(dict.fromkeys(header for table in self.tables for header in table.ignored)),
        )

    def _leave_out(self, kept_out: KeptOut) -> None:
        """Take the accounts of who asked to be kept out from the file, and with them whoever is not on the roster anyway."""
        keys = {account: self.author_keys(*account) for person in self.people for account in person.accounts}
        out = set(kept_out([key for every in keys.values() for key in every]))
        unwanted = {account for account, every in keys.items() if out.intersection(every)}
        for person in list(self.people):
            asked = [account for account in person.accounts if account in unwanted]
            for account in asked:
                del person.accounts[account]
                self.findings.append(_finding(person, "kept-out", account[0]))
            if asked and person.koc_id not in self.roster and not any(one in self.holder for one in person.accounts):
                self.people.remove(person)

    def _part_accounts(self) -> None:
        """Take an account that several people have from all of them: nobody knows whose it is."""
        owners: dict[tuple[str, str], list[Person]] = defaultdict(list)
        for person in self.people:
            for account in person.accounts:
                owners[account].append(person)
        for account, people in owners.items():
            if len(people) > 1:
                for person in people:
                    del person.accounts[account]
                    self.findings.append(_finding(person, "account-twice", ":".join(account)))

    def _identified(self) -> dict[str, Person]:
        """The people who can be taken, by koc_id: the file's, else that of who has the account, else one made from it."""
        identified: dict[str, Person] = {}
        for person in self.people:
            holders = {self.holder[account] for account in person.accounts if account in self.holder}
            if person.koc_id:
                self._leave_to_holders(person)
                koc_id = person.koc_id
            elif not person.accounts:
                self.findings.append(_finding(person, "no-account"))
                continue
            elif len(holders) > 1:
                self.findings.append(_finding(person, "two-people", ", ".join(sorted(holders))))
                continue
            else:
                koc_id = next(iter(holders), "") or derived_id(min(person.accounts))
            if koc_id in identified:
                identified[koc_id].absorb(person)
            else:
                identified[koc_id] = person
        return identified

    def _leave_to_holders(self, person: Person) -> None:
        for account in list(person.accounts):
            holder = self.holder.get(account, person.koc_id)
            if holder != person.koc_id:
                del person.accounts[account]
                self.findings.append(_finding(person, "account-of-other", f"{':'.join(account)} → {holder}"))

    def _tell_same_names(self, identified: Mapping[str, Person]) -> None:
        named: dict[str, list[Person]] = defaultdict(list)
        for person in identified.values():
            for name in person.names[:1]:
                named[name].append(person)
        for people in named.values():
            if len(people) > 1 and any(not person.koc_id for person in people):
                rows = [row for person in people if person.sheet == people[0].sheet for row in person.rows]
                self.findings.append(_finding(people[0], "same-name", people[0].name, rows))

    def _tell_unheard(self, identified: Mapping[str, Person], kocs: Sequence[Koc]) -> None:
        """Tell of those who will be on the roster without any account, and where no column could have held one."""
        told = {(f.sheet, row) for f in self.findings for row in f.rows}
        people = [identified[koc.koc_id] for koc in kocs if not koc.accounts]
        silent = [one for one in people if not one.missed and not told & {(one.sheet, row) for row in one.rows}]
        for table in self.tables:
            mine = [person for person in silent if person.sheet == table.sheet]
            if mine and not any(column.what in ACCOUNT_COLUMNS for column in table.columns):
                headers = ", ".join([*(column.header for column in table.columns), *table.ignored])
                self.findings.append(Finding((), table.sheet, "", "no-account-columns", headers))
            else:
                self.findings += [_finding(person, "no-account-yet") for person in mine]

    def _koc_of(self, koc_id: str, person: Person, old: Koc | None) -> Koc:
        """The KOC as it will be: what the file says over what the roster has; accounts are added, none taken away."""
        accounts = {(a.platform, a.account_id): a for a in old.accounts} if old else {}
        for key, handle in person.accounts.items():
            known = accounts.get(key)
            own, *others = self.author_keys(*key)
            accounts[key] = Account(
                platform=handle.platform,
                account_id=handle.account_id,
                author_key=(known and known.author_key) or own,
                nickname=handle.nickname or (known.nickname if known else ""),
                url=handle.url or (known.url if known else ""),
                other_keys=tuple(others),
            )
        return Koc(
            koc_id=koc_id,
            name=next(iter(person.names), "") or (old.name if old else person.name),
            accounts=tuple(accounts[key] for key in sorted(accounts)),
            owner=person.owner or (old.owner if old else ""),
            tier=person.tier or (old.tier if old else ""),
            domain=domain_of(person.domain) or (old.domain if old else "public"),
            note=person.note or (old.note if old else ""),
            standing=old.standing if old else "active",
            title=old.title if old else "",
        )

    def _proposals(self) -> Iterator[Proposal]:
        """Nicknames of the file that somebody of the roster has on the same platform."""
        known: dict[tuple[str, str], str] = {}
        for koc in self.existing:
            for account in koc.accounts:
                for name in filter(None, (account.nickname, koc.name)):
                    known.setdefault((account.platform, normalize("NFKC", name).casefold()), koc.koc_id)
        for person in self.people:
            for missed in person.missed:
                handle = missed.handle
                koc_id = known.get((handle.platform, normalize("NFKC", handle.nickname).casefold()))
                if koc_id is not None and koc_id != person.koc_id:
                    yield Proposal(missed.row, person.sheet, person.name, handle.platform, handle.nickname, koc_id)


def _without_twins(people: Iterable[Person]) -> list[Person]:
    """The people with those put together that share their koc_id, or their name and an account."""
    kept: list[Person] = []
    by_id: dict[str, Person] = {}
    by_account: dict[tuple[str, tuple[str, str]], Person] = {}
    for person in people:
        twin = by_id.get(person.koc_id) if person.koc_id else None
        if twin is None:
            same = (by_account.get((person.name, account)) for account in person.accounts)
            twin = next((p for p in same if p is not None and "" in (p.koc_id, person.koc_id)), None)
        if twin is None:
            kept.append(twin := person)
        else:
            twin.absorb(person)
        if twin.koc_id:
            by_id[twin.koc_id] = twin
        by_account.update({(twin.name, account): twin for account in twin.accounts})
    return kept


def derived_id(account: tuple[str, str]) -> str:
    """The id of a person whom the file gives none: made from an account alone, the same on every machine.

    >>> derived_id(("weibo", "1234567890"))
    'k-1bae2136fa'
    """
    return "k-" + hashlib.sha256("\0".join(account).encode()).hexdigest()[:10]


def _finding(person: Person, code: str, value: str = "", rows: Iterable[int] = ()) -> Finding:
    return Finding(tuple(rows) or tuple(person.rows), person.sheet, person.name, code, value)


def domain_of(text: str) -> str:
    folded = text.strip().lower()
    return "private" if folded in ("private", "私域", "私") else "public" if folded in ("public", "公域", "公") else ""


def _differences(old: Koc | None, new: Koc) -> tuple[str, ...]:
    if old is None:
        return ("new",)
    what = [name for name in ("name", "owner", "tier", "domain", "note") if getattr(old, name) != getattr(new, name)]
    accounts = sorted(old.accounts, key=lambda a: (a.platform, a.account_id))
    return tuple(what) if tuple(accounts) == new.accounts else ("accounts", *what)
