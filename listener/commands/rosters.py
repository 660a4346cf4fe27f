"""The preview of a roster: what would be written, what has to be looked at."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from listener.commands import output
from listener.roster import Finding, RosterPreview

MOST = 40  # lines of one kind that are shown


def print_preview(preview: RosterPreview) -> None:
    """What an import would do, before it does it."""
    accounts = sum(len(koc.accounts) for koc in preview.kocs)
    new = sum(change.what == ("new",) for change in preview.changes)
    changed, same = len(preview.kocs) - new, len(preview.unchanged)
    zh = f"读到 {preview.rows} 行：新增 {new} 位，更新 {changed} 位（共 {accounts} 个账号），未变 {same} 位"
    en = f"{preview.rows} rows: {new} new, {changed} changed ({accounts} accounts), {same} unchanged"
    output.say(f"{zh} / {en}")
    if preview.ignored:
        output.say(f"没有用到的列 / columns not used: {', '.join(preview.ignored)}")
    _print_findings("没能识别 / not resolved", preview.unresolved)
    _print_findings("有歧义 / ambiguous", preview.ambiguous)
    if preview.proposals:
        output.out.print(
            "昵称相同，可能是同一人；程序不会据此合并 / same nickname, perhaps the same person; never merged by that:"
        )
        for one in preview.proposals[:MOST]:
            output.out.print(
                f"  {one.row}  {escape(one.who)}  {escape(one.platform)}  {escape(one.nickname)} → {escape(one.koc_id)}"
            )


def _print_findings(title: str, findings: tuple[Finding, ...]) -> None:
    if not findings:
        return
    table = Table(
        "行 / row",
        "谁 / who",
        "写的是 / stood there",
        "说明 / why",
        title=title,
        title_justify="left",
        box=None,
        pad_edge=False,
    )
    for one in findings[:MOST]:
        table.add_row(", ".join(map(str, one.rows)), escape(one.who), escape(one.value), escape(one.message))
    output.out.print(table)
    if len(findings) > MOST:
        output.out.print(f"  … {len(findings) - MOST}")
