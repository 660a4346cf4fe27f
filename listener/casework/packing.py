"""A case → one zip of what is known of its posts, for the legal or the product department; who took it is noted in the log.

The same state makes the same bytes: nothing of the clock, the machine or the order of rows gets in. It is 线索留存, leads
that were kept, and no notarized proof; the index says so. Of people off the roster it holds what they said and where, not who
they are.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from listener.app import App
from listener.cases import acts
from listener.cases.acts import Said
from listener.cases.masking import masked
from listener.cases.steps import CaseError
from listener.casework.finding import CaseFile, CasePost, file_of
from listener.explain import json_of
from listener.text.quotes import line_of, link_of, unmasked
from listener.text.templates import rendered
from listener.text.words import word
from storage.records import Account, CaseStep, PostView

NOT_SHOWN = frozenset({"pack", "draft"})  # entries of reading, not of the matter: they would change what is read
LONG_AGO = (1980, 1, 1, 0, 0, 0)
LONGEST_CRAWL = timedelta(days=7)
_FORMULA = re.compile(r"^[=+\-@\t\r＝＋－＠]")


@dataclass(frozen=True, slots=True)
class Pack:
    """A zip's bytes and its SHA-256. files: what is in it, with the SHA-256 of each, in order."""

    data: bytes
    sha256: str
    files: tuple[tuple[str, str], ...]


def write_pack(app: App, one: CaseFile, said: Said, file: Path, *, overwrite: bool = False) -> Pack:
    """Write the pack to a file that only its owner can read, and note in the case's log who took it; CaseError where the file
    exists."""
    made = pack_of(app, one)
    if file.exists() and not overwrite:
        raise CaseError(f"文件已存在：{file}；换个名字，或 --force / the file exists: name another, or --force")
    try:
        handle, name = tempfile.mkstemp(
            dir=file.parent, prefix=".case-", suffix=".part"
        )  # 0600, also in place of an older file
        part = Path(name)
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(made.data)
            app.store.act([acts.read(one.case, said, "pack", {"sha256": made.sha256, "files": len(made.files)})])
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise CaseError(f"写不了 / can't be written: {file}: {error.strerror}") from error
    return made


def pack_of(app: App, one: CaseFile) -> Pack:
    """The zip of a case as it is now; nothing is written."""
    files = _Files(app, file_of(app, one.case)).all()
    sums = tuple((name, hashlib.sha256(data).hexdigest()) for name, data in sorted(files.items()))
    files["SHA256SUMS"] = "".join(f"{digest}  {name}\n" for name, digest in sums).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, LONG_AGO)
            entry.compress_type, entry.external_attr, entry.create_system = zipfile.ZIP_DEFLATED, 0o600 << 16, 3
            packed.writestr(entry, files[name])
    data = buffer.getvalue()
    return Pack(data, hashlib.sha256(data).hexdigest(), sums)


def cell_of(value: object) -> str:
    """A cell that no spreadsheet takes for a formula, on one line.

    >>> cell_of("=HYPERLINK(1)"), cell_of("+86 138"), cell_of("−3 分"), cell_of(None), cell_of(12)
    ("'=HYPERLINK(1)", "'+86 138", '−3 分', '', '12')
    """
    text = "" if value is None else line_of(str(value))
    return f"'{text}" if _FORMULA.match(text) else text


class _Files:
    """The files of a pack, while they are made."""

    def __init__(self, app: App, one: CaseFile) -> None:
        self.app, self.one = app, one
        self.zone = ZoneInfo(app.timezone)
        self.accounts: dict[str, tuple[str, Account]] = {
            key: (koc.koc_id, account)
            for koc in app.store.kocs()
            for account in koc.accounts
            for key in (account.author_key, *account.other_keys)
        }
        strangers = [each.view.author_key for each in one.posts if each.view.author_key not in self.accounts]
        self.strangers = {key: f"名单外作者 {n}" for n, key in enumerate(dict.fromkeys(strangers), 1)}
        self.raws: dict[int, tuple[str, bytes]] = {}
        for n, each in enumerate(one.posts, 1):
            if found := self.raw(n, each):
                self.raws[n] = found

    def all(self) -> dict[str, bytes]:
        rows = [self.post_row(n, each) for n, each in enumerate(self.one.posts, 1)]
        log = [entry for entry in self.one.log if entry.step not in NOT_SHOWN]
        crawls = self.crawl_rows()
        return {
            "index.html": self.index(rows, log, crawls),
            "内容.csv": self.table(rows),
            "历次文本.csv": self.table(self.revision_rows()),
            "转评赞.csv": self.table(self.count_rows()),
            "抓取记录.csv": self.table(crawls),
            "处置记录.csv": self.table([self.log_row(n, entry) for n, entry in enumerate(log, 1)]),
            "预警.json": self.alerts(),
            **dict(self.raws.values()),
        }

    def at(self, when: datetime | None) -> str:
        return when.astimezone(self.zone).isoformat(timespec="seconds") if when else ""

    def seen(self, view: PostView, when: datetime) -> str:
        """When the program saw it; an import that does not say so was seen when it came in, not when the post was written."""
        return self.at(when) if when != view.posted_at else f"{self.at(view.stored_at)}（收录；导入的数据没有写何时看到）"

    def state(self, each: CasePost) -> str:
        if each.gone_at:
            return f"{self.at(each.gone_at)} 已不在"
        return "最后一次看时还在" if each.view.last_seen_at != each.view.posted_at else "收录后没有再看过"

    def author(self, each: CasePost) -> str:
        known = self.accounts.get(each.view.author_key)
        return f"{known[0]} {known[1].nickname}".strip() if known else self.strangers[each.view.author_key]

    def words(self, text: str) -> str:
        return unmasked(text, "zh-CN")

    def post_row(self, n: int, each: CasePost) -> dict[str, Any]:
        view = each.view
        return {
            "序号": n,
            "平台": view.key.platform,
            "内容编号": view.key.post_id,
            "类型": {"post": "内容", "comment": "评论", "repost": "转发"}[view.kind],
            "作者": self.author(each),
            "链接": link_of(view.url),
            "发布时间": self.at(view.posted_at),
            "首次看到": self.seen(view, view.first_seen_at),
            "最后看到": self.seen(view, view.last_seen_at),
            "状态": self.state(each),
            "对品牌": {True: "负面", False: "不是负面", None: "未判断"}[each.is_against],
            "首见文本": "（正文已过保留期，未留存）" if view.text_purged else self.words(view.text),
            "首见文本 SHA-256": hashlib.sha256(view.text.encode("utf-8", "replace")).hexdigest(),
            "改过几次": max(0, len(view.revisions) - 1),
            "原始记录 SHA-256": view.raw_sha256,
            "原始记录": self.raws[n][0] if n in self.raws else self.why_no_raw(each),
        }

    def why_no_raw(self, each: CasePost) -> str:
        if each.view.author_key not in self.accounts:
            return "名单外作者的原始记录含个人信息，不导出"
        return "已过保留期"

    def raw(self, n: int, each: CasePost) -> tuple[str, bytes] | None:
        """The record as first seen, of a KOC's post; with the names of others taken out where it has any."""
        known, stored = self.accounts.get(each.view.author_key), self.app.store.raw_of(each.view.key)
        if known is None or stored is None:
            return None
        data = zlib.decompress(stored)
        name = f"raw/{n:03d}-{re.sub(r'[^a-z0-9]+', '-', each.view.key.platform.lower())[:20]}"
        try:
            record = json.loads(data)
        except ValueError:
            return None
        account = known[1]
        clean, is_masked = masked(record, {account.account_id, account.nickname} - {""})
        if not is_masked:
            return f"{name}.json", data
        return f"{name}.masked.json", json.dumps(clean, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode(
            "utf-8", "replace"
        )

    def revision_rows(self) -> list[dict[str, Any]]:
        return [
            {
                "序号": n,
                "第几版": m,
                "首次看到": self.seen(each.view, text.first_seen_at),
                "最后看到": self.seen(each.view, text.last_seen_at),
                "文本": self.words(text.text),
                "SHA-256": hashlib.sha256(text.text.encode("utf-8", "replace")).hexdigest(),
            }
            for n, each in enumerate(self.one.posts, 1)
            for m, text in enumerate(each.view.revisions, 1)
        ]

    def count_rows(self) -> list[dict[str, Any]]:
        names = ("点赞", "评论", "转发", "阅读")
        return [
            {"序号": n, "时间": self.seen(each.view, when)}
            | dict(zip(names, (c.likes, c.comments, c.reposts, c.views), strict=True))
            for n, each in enumerate(self.one.posts, 1)
            for when, c in self.app.store.counts_of(each.view.key)
        ]

    def crawl_rows(self) -> list[dict[str, Any]]:
        """The crawls that could have seen these posts, and the imports that brought them, up to when each was last seen."""
        if not self.one.posts:
            return []
        first = min(each.view.first_seen_at for each in self.one.posts)
        last = max(each.view.last_seen_at for each in self.one.posts)
        sources = sorted({source for each in self.one.posts for source in each.view.sources})
        rows = [
            {
                "来源": crawl.source,
                "方式": "抓取",
                "开始": self.at(crawl.started_at),
                "结束": self.at(crawl.ended_at),
                "结果": crawl.outcome,
                "条数": crawl.items,
                "说明": crawl.error,
            }
            for source in sources
            for crawl in self.app.store.crawls(source, last=False, since=first - LONGEST_CRAWL)
            if crawl.started_at <= last and (crawl.ended_at or last) >= first
        ]
        for done in self.app.store.imports():
            if done.source in sources:
                told = f"依据：{done.basis}；用途：{done.purpose}；文件 SHA-256：{done.sha256}"
                rows.append({"来源": done.source, "方式": "导入", "开始": self.at(done.at), "条数": done.posts, "说明": told})
        return rows

    def log_row(self, n: int, entry: CaseStep) -> dict[str, Any]:
        return {
            "序号": n,
            "时间": self.at(entry.at),
            "谁": entry.who,
            "做了什么": word("step", entry.step),
            "说明": entry.note,
            "链接": entry.link,
            "回复原文": entry.data.get("reply", ""),
        }

    def alerts(self) -> bytes:
        told = [
            {
                "key": one.alert.key,
                "kind": one.alert.kind,
                "level": one.alert.level,
                "state": one.state,
                "fired_at": self.at(one.alert.fired_at),
                "posts": [[key.platform, key.post_id] for key in one.alert.posts],
                "evidence": json_of(one.alert.evidence, self.zone),
            }
            for one in self.one.alerts
        ]
        return (json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()

    def table(self, rows: Sequence[Mapping[str, Any]]) -> bytes:
        """CSV as spreadsheets open it: UTF-8 with a mark, no cell that is a formula."""
        text = io.StringIO(newline="")
        heads = list(dict.fromkeys(head for row in rows for head in row)) or ["没有记录"]
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(heads)
        writer.writerows([cell_of(row.get(head)) for head in heads] for row in rows)
        return text.getvalue().encode("utf-8-sig", "replace")

    def index(self, rows: Sequence[Mapping[str, Any]], log: Sequence[CaseStep], crawls: Iterable[Mapping[str, Any]]) -> bytes:
        """The page to begin with: everything in words, readable without a network."""
        case = self.one.case
        values = {
            "case": case,
            "name": self.one.name or "（名单外，或整个品牌）",
            "koc": self.one.koc,
            "variant": word("variant", case.variant),
            "state": word("verdict", case.verdict) if case.verdict else word("case-state", case.state),
            "opened": self.at(case.opened_at),
            "last": self.at(max((entry.at for entry in log), default=case.opened_at)),
            "causes": "、".join(word("cause", code) for code in self.one.causes),
            "posts": rows,
            "revisions": self.revision_rows(),
            "counts": self.count_rows(),
            "crawls": list(crawls),
            "log": [self.log_row(n, entry) for n, entry in enumerate(log, 1)],
            "zone": self.app.timezone,
        }
        return rendered("pack.html.j2", values, "zh-CN")[0].encode("utf-8", "replace")


def name_of(one: CaseFile) -> str:
    """A file's name for a pack, of letters that every system takes."""
    return f"case-{one.case.key[:12]}.zip"
