"""The door of what other tools exported: a file in, items out; which tool wrote it is told or recognized by its columns."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from spiders.errors import CollectError
from spiders.exports import mediacrawler, vendors, weibo_tools, zeeschuimer
from spiders.exports.mapped import Mapped
from spiders.exports.rows import Row, Sheet
from spiders.exports.shapes import Reading, RowError, Shape
from spiders.exports.sheets import sheets_of
from spiders.files import BadLine
from spiders.items import Item, fault_of

logger = logging.getLogger(__name__)

NONE: Mapping[str, Mapped] = MappingProxyType({})
CHINA = ZoneInfo("Asia/Shanghai")  # what these tools mean by a time without a zone, wherever they ran


class Table(Protocol):
    """What a tool writes into one kind of table. is_ragged: whether its rows may have fewer cells than columns."""

    @property
    def is_ragged(self) -> bool: ...

    def fits(self, columns: frozenset[str]) -> bool: ...

    def items_of(self, cells: Mapping[str, Any], reading: Reading) -> Sequence[Item]: ...


@dataclass(frozen=True, slots=True)
class Export:
    """A tool whose files are read.

    tables: in order, the first whose columns are all there is meant. others: columns of its tables that hold no post.
    is_recognized: whether its columns are so much its own that nobody has to name it.
    """

    name: str
    title: str
    tables: Sequence[Table]
    others: Sequence[frozenset[str]] = ()
    is_recognized: bool = True

    def table_of(self, sheet: Sheet) -> Table | None:
        return next((table for table in self.tables if table.fits(sheet.columns)), None)

    def is_other(self, sheet: Sheet) -> bool:
        return any(columns <= sheet.columns for columns in self.others)


EXPORTS: dict[str, Export] = {
    export.name: export
    for export in (
        Export("mediacrawler", mediacrawler.TITLE, mediacrawler.TABLES, mediacrawler.OTHERS),
        Export("weibo-crawler", weibo_tools.CRAWLER_TITLE, weibo_tools.CRAWLER, weibo_tools.CRAWLER_OTHERS),
        Export("weibo-search", weibo_tools.SEARCH_TITLE, weibo_tools.SEARCH),
        Export("weibospider", weibo_tools.SPIDER_TITLE, weibo_tools.SPIDER),
        Export("zeeschuimer", zeeschuimer.TITLE, zeeschuimer.TABLES),
        Export("4cat", zeeschuimer.FOURCAT_TITLE, zeeschuimer.FOURCAT, is_recognized=False),
        *(Export(one.name, one.title, (one.table,), is_recognized=False) for one in vendors.VENDORS),
    )
}


def export_named(name: str, own: Mapping[str, Mapped] = NONE) -> Export:
    """The tool of that name, a mapping of the settings (own) first; CollectError, which lists those that there are, for any
    other."""
    if name in own:
        return Export(name, name, (own[name],), is_recognized=False)
    if name not in EXPORTS:
        known = ", ".join([*own, *EXPORTS])
        raise CollectError(
            f"没有名为 {name!r} 的导入格式；现有：{known}；自己的列映射写在 listener.toml 的 [[exports]]"
            f" / unknown export {name!r}; your own column mappings go into [[exports]] of listener.toml"
        )
    return EXPORTS[name]


def recognized(path: Path) -> Export | None:
    """The tool that wrote a file, where its columns leave no doubt. Raises CollectError where the file can't be read."""
    for sheet in sheets_of(path):
        found = [one for one in EXPORTS.values() if one.is_recognized and (one.table_of(sheet) or one.is_other(sheet))]
        if found:
            return found[0] if len(found) == 1 else None
    return None


@dataclass(slots=True)
class Tally:
    """What was read: rows, and posts that rows passed on and that were taken as well. rows = items − quoted + bad lines."""

    rows: int = 0
    quoted: int = 0


def read_export(
    path: Path,
    export: Export,
    *,
    zone: tzinfo = CHINA,
    platform_named: Callable[[str], str] = str,
    author_in: Callable[[str, str], str] = lambda platform, url: "",
    tally: Tally | None = None,
) -> Iterator[Item | BadLine]:
    """Items in the file's order, in constant memory, a BadLine in place of each row that is none. tally: is counted up.

    platform_named: what people call a platform → our name of it. author_in: (platform, a profile's address) → the account's id.
    Tables of the tool that hold no posts are passed over and told in the log. CollectError where the file has no table of the
    tool at all, and where it can't be read.
    """
    written_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    reading = Reading(zone, written_at, path.name.partition(".")[0], platform_named, author_in)
    tally = tally if tally is not None else Tally()
    is_read, columns = False, []
    for sheet in sheets_of(path):
        table = export.table_of(sheet)
        if table is None:
            columns.append(f"{sheet.name}: {', '.join(sorted(sheet.columns)[:12])}".removeprefix(": "))
            is_read = is_read or export.is_other(sheet)
            logger.info("%s %s: 没有内容的表，跳过 / a table without posts, passed over", path.name, sheet.name)
            continue
        is_read = True
        for row in sheet.rows:
            found = [row] if isinstance(row, BadLine) else _items_of(row, table, reading)
            tally.rows += 1
            tally.quoted += len(found) - 1
            yield from found
    if not is_read:
        raise CollectError(
            f"{path}：不是 {export.name} 的导出，列是 {'; '.join(columns)} / no export of {export.name}: these are its columns"
        )


def _items_of(row: Row, table: Table, reading: Reading) -> Sequence[Item | BadLine]:
    """The row's item, and the post that it passes on if it holds that; or why it is none."""
    if row.is_ragged and (row.beyond or not table.is_ragged):
        words = "单元格数与表头不同，引号或分隔符可能坏了 / not as many cells as columns: a broken quote or separator?"
        return (BadLine(row.number, words, row.line()),)
    try:
        own, *quoted = table.items_of(row.cells, reading)
    except RowError as error:
        return (BadLine(row.number, str(error), row.line()),)
    fault = fault_of(own)
    return (BadLine(row.number, fault, row.line()),) if fault else (own, *(one for one in quoted if fault_of(one) is None))


__all__ = ["CHINA", "EXPORTS", "Export", "Shape", "Table", "Tally", "export_named", "read_export", "recognized"]
