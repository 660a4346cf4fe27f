"""A group's member list → who of the roster is who in the group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from storage.records import Koc

_MEMBER = ("群昵称", "成员", "昵称", "微信号", "wxid", "member", "发送者")
_KOC = ("koc", "koc_id", "铁粉", "达人", "姓名", "名单", "name")


class MembersError(Exception):
    """The list can't be used; the message says what to mend."""


@dataclass(frozen=True, slots=True)
class Members:
    """kocs: name or id in the group → KOC. others: how many of the list are on no roster."""

    kocs: Mapping[str, str]
    others: int = 0


def read_members(path: Path, roster: Sequence[Koc]) -> Members:
    """The list of a CSV or Excel file with a column of names in the group and one of KOCs (id or name; empty: on no roster).

    Raises MembersError where a KOC is not on the roster, or a name is given to two.
    """
    from listener.sheets import SheetError, read_sheets  # here, since pandas and openpyxl take a quarter of a command's start

    try:
        sheets = read_sheets(path)
    except SheetError as error:
        raise MembersError(str(error)) from error
    by_name: dict[str, set[str]] = {}
    for koc in roster:
        for name in (koc.koc_id, koc.name):
            by_name.setdefault(name, set()).add(koc.koc_id)
    for sheet in sheets:
        for place, row in enumerate(sheet.rows):
            header = [cell.strip().lower() for cell in row.cells]
            member = next((header.index(name) for name in _MEMBER if name in header), None)
            person = next((header.index(name) for name in _KOC if name in header and header.index(name) != member), None)
            if member is not None and person is not None:
                rows = [(one.number, one.cells[member], one.cells[person]) for one in sheet.rows[place + 1 :]]
                return _members(rows, by_name, path)
    raise MembersError(
        f"{path}：没有认出表头，要有 群昵称（或 微信号）和 KOC 两列 / no header was found: it needs columns 群昵称 and KOC"
    )


def _members(rows: Sequence[tuple[int, str, str]], by_name: Mapping[str, set[str]], path: Path) -> Members:
    found: dict[str, str] = {}
    others, faults = 0, []
    for number, member, koc in rows:
        if not member:
            continue
        if not koc:
            others += 1
            continue
        known = by_name.get(koc, set())
        if not known:
            faults.append(f"{number}: {koc} 名单上没有 / is not on the roster")
        elif len(known) > 1:
            faults.append(f"{number}: {koc} 有同名的人，请写 koc_id / is the name of two, write the koc_id")
        elif found.setdefault(member, next(iter(known))) not in known:
            faults.append(f"{number}: {member} 给了两个人 / is given to two")
    if faults:
        raise MembersError(f"{path}\n" + "\n".join(faults[:10]))
    return Members(found, others)
