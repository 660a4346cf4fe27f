"""One KOC's file as people read it: where it stands, what was promised, when the team last spoke with it; JSON for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.text import Text

from listener.app import App
from listener.commands import output, showing
from listener.commands.output import Format
from listener.commands.pool import print_candidates
from listener.commands.promises import agreement_row, promise_row
from listener.explain import json_of
from listener.relations.contacts import Contacts
from listener.relations.exits import Exit
from listener.tending.exits import exit_with
from listener.tending.people import RECOGNITION, File, file_of
from listener.tending.pool import fading_of, replacements
from listener.text.quotes import line_of
from listener.text.relations import span_of
from listener.text.views import Language
from listener.text.words import word
from storage.records import Koc
from storage.roster_records import Promise

MOST_LOGGED = 8  # entries of the log that a table shows, the newest


def print_file(app: App, koc: Koc, form: Format) -> None:
    """All that is kept of a KOC."""
    file = file_of(app, koc)
    if form is not Format.table:
        _write_json(_file_row(file, app), form)
        return
    for line in _file_lines(file, app):
        output.out.print(line, soft_wrap=True)
    if (fading := fading_of(app, koc)) is not None:
        why, brand = fading
        output.say(
            f"{word('fading', why, app.settings.listener.language)}：可考虑的候选 / candidates for the place ({brand.name})"
        )
        print_candidates(app, replacements(app, koc, brand), Format.table)


def _write_json(row: dict[str, Any], form: Format) -> None:
    sys.stdout.write(json.dumps(row, ensure_ascii=False, indent=1 if form is Format.json else None) + "\n")


def _file_row(file: File, app: App) -> dict[str, Any]:
    zone = ZoneInfo(app.timezone)
    row: dict[str, Any] = json_of(file, zone)
    row["promises"] = [promise_row(one, app) for one in file.promises]
    row["unmet"] = [one.key for one in file.unmet]
    row["agreements"] = [agreement_row(one, zone) for one in file.agreements]
    row["contacts"] |= contacts_row(file.contacts, zone)
    fading = fading_of(app, file.koc)
    row["fading"] = fading[0] if fading else None
    row["replacements"] = [json_of(one, zone) for one in replacements(app, file.koc, fading[1])] if fading else []
    return row


def contacts_row(contacts: Contacts, zone: ZoneInfo) -> dict[str, Any]:
    """When the team last spoke with a KOC and how long its answers took, for machines; spans in seconds."""
    waits, usual = contacts.waiting_since, contacts.usual_reply
    return {
        "waiting_since": waits.astimezone(zone).isoformat() if waits else None,
        "usual_reply_seconds": usual.total_seconds() if usual else None,
    }


def _file_lines(file: File, app: App) -> Iterator[Text]:
    language, zone, koc = app.settings.listener.language, ZoneInfo(app.timezone), file.koc
    zh = language == "zh-CN"
    standing = word("standing", koc.standing, language) + (f" · {line_of(koc.title)}" if koc.title else "")
    yield Text.assemble((line_of(koc.name), "bold"), f"（{koc.koc_id}） {standing}")
    said = (("等级", koc.tier), ("对接人", koc.owner)) if zh else (("tier", koc.tier), ("owner", koc.owner))
    facts = [f"{label} {line_of(value) or '–'}" for label, value in said]
    yield Text(" · ".join([*facts, word("domain", koc.domain, language), *([line_of(koc.note)] if koc.note else [])]))
    yield Text("  ".join(f"{one.platform}:{one.account_id}" for one in koc.accounts) or "–", "dim")
    for row in file.rows:
        means = f" {row.baseline:+.2f} → {row.recent:+.2f}" if row.baseline is not None and row.recent is not None else ""
        yield Text(f"{line_of(row.brand)}：{word('status', row.status, language)}{means} · {row.mentions}")
    yield from contact_lines(file.contacts, app.now(), language, koc.koc_id)
    yield from unmet_lines(file.unmet, app)
    yield from _open_lines(file, language)
    for entry in file.log[-MOST_LOGGED:]:
        kind = word("koc-log", entry.kind, language)
        yield Text(
            f"  {entry.at.astimezone(zone):%Y-%m-%d} {kind} {line_of(entry.note)}（{line_of(entry.who)}）".replace(" （", "（"),
            "dim",
        )
    if file.exit.progress == "going":
        yield Text(
            f"{'有序退出，下一步' if zh else 'orderly exit, next'}：{word('exit-step', file.exit.next, language)}", "yellow"
        )


def _open_lines(file: File, language: Language) -> Iterator[Text]:
    """What is promised, agreed and led as a case now."""
    zh = language == "zh-CN"
    for one in file.promises:
        if one.state == "open" and one not in file.unmet:
            whom = f"（{line_of(one.by_whom)} → {line_of(one.to_whom)}）"
            yield Text(f"{'承诺' if zh else 'promise'} {one.key[:8]} {one.due}  {line_of(one.what)}{whom}")
    for each in file.agreements:
        if each.state == "active":
            owed = f"应付 {each.owed:,.2f} 元" if zh else f"{each.owed:,.2f} CNY owed"
            yield Text(f"{'约定' if zh else 'agreement'} {each.key[:8]}  {line_of(each.deliverables)} · {owed}")
    for case in file.cases:
        if case.state == "open":
            led = f"{word('variant', case.variant, language)} · {word('step', case.next_step, language)}"
            yield Text(f"{'处置单' if zh else 'case'} {case.key[:12]} {line_of(case.brand)} · {led}")


def contact_lines(contacts: Contacts, now: datetime, language: Language, koc_id: str) -> Iterator[Text]:
    """The last contact and the team's reply times, in words."""
    zh = language == "zh-CN"
    if contacts.last_at is None:
        command = f"listener koc contact {koc_id} --note …"
        yield Text(f"还没有联系记录：{command}" if zh else f"no contact on record: {command}")
    else:
        ago = span_of(now - contacts.last_at, zh)
        usual = contacts.usual_reply
        reply = (
            (f"；通常 {span_of(usual, zh)} 内答复" if zh else f"; replies usually take {span_of(usual, zh)}") if usual else ""
        )
        who = line_of(contacts.last_by)
        yield Text(f"{ago}前由 {who} 联系{reply}" if zh else f"last contact {ago} ago by {who}{reply}")
    if contacts.waiting_since is not None:
        waits = span_of(now - contacts.waiting_since, zh)
        yield Text(f"来询等了 {waits}，还没有答复" if zh else f"wrote to us {waits} ago: no answer yet", "yellow")


def unmet_lines(unmet: tuple[Promise, ...], app: App) -> Iterator[Text]:
    """What the team promised and did not keep: a known cause of turning."""
    zh = app.settings.listener.language == "zh-CN"
    for one in unmet:
        moved = sum(event.act == "moved" for event in one.events)
        words = (
            f"未兑现的承诺 {one.key[:8]}：{line_of(one.what)}（应于 {one.due}）"
            if zh
            else f"unmet promise {one.key[:8]}: {line_of(one.what)} (due {one.due})"
        )
        more = (f"，改期 {moved} 次" if zh else f", moved {moved} times") if moved else ""
        yield Text(words + more, "yellow")


def print_changes(app: App, who: str, form: Format) -> None:
    """Every change of a KOC, oldest first; also of one who is off the roster, by the id."""
    zone = ZoneInfo(app.timezone)
    changes = app.store.koc_changes(who) or app.store.koc_changes(showing.koc_of(app, who).koc_id)
    rows = [
        {name: line_of(value) if isinstance(value, str) else value for name, value in json_of(one, zone).items()}
        for one in changes
    ]
    if form is Format.table:
        language = app.settings.listener.language
        rows = [
            row
            | {"at": row["at"][:16].replace("T", " "), "via": word("change-via", row["via"], language)}
            | {"field": word("koc-field", row["field"], language)}
            for row in rows
        ]
    heads = (
        ("at", "何时"),
        ("who", "谁"),
        ("via", "途径"),
        ("field", "项"),
        ("before", "从"),
        ("after", "到"),
        ("note", "原因"),
    )
    output.write_rows(rows, form, columns=heads, empty="还没有记录 / nothing on record")


def print_log(app: App, who: str, form: Format) -> None:
    """Contributions and recognition, oldest first."""
    language, zone = app.settings.listener.language, ZoneInfo(app.timezone)
    rows = []
    for one in app.store.ledger.entries(koc=showing.koc_of(app, who).koc_id, kinds=RECOGNITION):
        row = json_of(one, zone) | {"who": line_of(one.who), "note": line_of(one.note)}
        rows.append(row | ({"kind": word("koc-log", one.kind, language), "at": row["at"][:10]} if form is Format.table else {}))
    heads = (("at", "日期"), ("kind", "类别"), ("note", "经过"), ("link", "链接"), ("who", "谁"))
    output.write_rows(rows, form, columns=heads, empty="还没有记录：listener koc log KOC --kind honor --note … / nothing yet")


def print_exit(app: App, koc: Koc, form: Format) -> None:
    """How far an orderly exit has come, and what is still open."""
    found = exit_with(app, koc)
    if form is not Format.table:
        _write_json({"koc_id": koc.koc_id, "standing": koc.standing} | json_of(found, ZoneInfo(app.timezone)), form)
        return
    for line in _exit_lines(found, koc, app):
        output.out.print(line, soft_wrap=True)


def _exit_lines(found: Exit, koc: Koc, app: App) -> Iterator[Text]:
    language, zone = app.settings.listener.language, ZoneInfo(app.timezone)
    zh = language == "zh-CN"
    if found.progress == "done":
        words = (
            f"{line_of(koc.name)} 已有序退出：{line_of(koc.title)}；继续聆听"
            if zh
            else f"{line_of(koc.name)} left in friendship: {line_of(koc.title)}; watched on"
        )
        yield Text(words)
        return
    for entry in found.entries:
        by = f"：{word('asked-by', entry.about, language)}" if entry.kind == "exit-asked" else ""
        done = f"{word('koc-log', entry.kind, language)}{by} {line_of(entry.note)}（{line_of(entry.who)}）"
        yield Text(f"✓ {entry.at.astimezone(zone):%Y-%m-%d} {done}")
    for matter in found.matters:
        yield Text(
            f"• {'未了' if zh else 'open'} {word('matter', matter.kind, language)} {matter.key[:8]}  {line_of(matter.what)}",
            "yellow",
        )
    yield Text(f"{'下一步' if zh else 'next'}：{word('exit-step', found.next, language)}")
    for command in _exit_commands(found, koc):
        yield Text(f"  $ {command}", "cyan")


# How a matter that is open at an exit is settled; its key follows.
_SETTLING = {
    "promise": "listener promises keep {key}",
    "agreement": "listener agreements deliver {key}",
    "payment": "listener agreements pay {key} …",
    "case": "listener cases show {key}",
}


def _exit_commands(found: Exit, koc: Koc) -> Iterator[str]:
    """The very commands that do the next step of an exit."""
    own = f"listener koc exit {koc.koc_id}"
    if found.next == "settle":
        for matter in found.matters:
            yield _SETTLING[matter.kind].format(key=matter.key[:12] if matter.kind == "case" else matter.key[:8])
        yield f"{own} --waive {found.matters[0].key[:8]} --reason …"
        return
    options = {"ask": "--asked-by koc|brand", "thanks": "--thanks …", "title": "--title …", "finish": "--finish"}
    yield f"{own} {options[found.next]}"
