"""promises and agreements: the promise ledger, written and read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from listener.commands import output
from listener.commands.context import ByOption, day_of, opened, who_of
from listener.commands.kocs import KocArgument
from listener.commands.output import Format, FormatOption

if TYPE_CHECKING:
    from listener.app import App
    from storage.roster_records import Agreement, Promise, PromiseAct

promises = typer.Typer(no_args_is_help=True, help="承诺台账 / the promise ledger")
agreements = typer.Typer(no_args_is_help=True, help="与 KOC 的约定 / agreements with KOCs")
KeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="键的开头 / the first letters of its key")]
WhyOption = Annotated[str, typer.Option("--reason", help="原因 / the reason")]
NoteOption = Annotated[str, typer.Option("--note", help="备注 / a note")]
BrandOption = Annotated[str | None, typer.Option(help="哪个品牌（默认第一个）/ which brand (default: the first)")]
MOST_WORDS = 40  # letters of a promise that a table shows


def add_to(app: typer.Typer) -> None:
    """Put the commands of this family on the command line."""
    app.add_typer(promises, name="promises")
    app.add_typer(agreements, name="agreements")


# ------------------------------------------------------------------------------------------------------- promises


@promises.command("add", no_args_is_help=True)
def promise_add(
    context: typer.Context,
    who: KocArgument,
    what: Annotated[str, typer.Option(help="承诺了什么 / what was promised")],
    due: Annotated[str, typer.Option(help="哪天以前：2026-03-01 / by the end of which day")],
    owed_by: Annotated[str, typer.Option("--promised-by", help="谁承诺（默认对接人）/ who promised (default: the owner)")] = "",
    to: Annotated[str, typer.Option("--to", help="向谁承诺（默认 KOC）/ to whom (default: the KOC)")] = "",
    theirs: Annotated[bool, typer.Option("--theirs", help="是 KOC 向我们承诺的 / it is the KOC who promised")] = False,
    case: Annotated[str, typer.Option(help="来自哪张处置单 / the case that it comes from")] = "",
    brand: BrandOption = None,
    note: NoteOption = "",
    by: ByOption = None,
) -> None:
    """记下一个承诺：什么、谁向谁、哪天以前 / write down a promise: what, by whom to whom, by which day"""
    from listener.commands import showing
    from listener.commands.stories import brand_of
    from listener.tending import ledgers

    with opened(context) as app:
        made = ledgers.add_promise(
            app,
            showing.koc_of(app, who).koc_id,
            what,
            day_of(due, "--due"),
            who=who_of(by),
            brand=brand_of(app, brand),
            by_whom=owed_by,
            to_whom=to,
            is_ours=not theirs,
            source=ledgers.source_of_case(app, case) if case else "hand",
            note=note,
        )
        output.say(f"已记下 {made.key[:8]}：{_words(made)} / written")


@promises.command("list")
def promise_list(
    context: typer.Context,
    who: Annotated[str | None, typer.Argument(metavar="KOC")] = None,
    every: Annotated[bool, typer.Option("--all", help="连同已了结的 / those that are settled too")] = False,
    form: FormatOption = Format.table,
) -> None:
    """列出未了的承诺，最急的在前；JSON 带全部记录 / promises that are open, the most urgent first"""
    from listener.commands import showing

    with opened(context) as app:
        koc_id = showing.koc_of(app, who).koc_id if who else None
        found = [one for one in app.store.ledger.promises(koc=koc_id) if every or one.state in ("open", "broken")]
        print_promises(app, sorted(found, key=lambda one: (one.due, one.key)), form)


@promises.command("keep", no_args_is_help=True)
def promise_keep(context: typer.Context, key: KeyArgument, note: NoteOption = "", by: ByOption = None) -> None:
    """已兑现 / a promise was kept"""
    _note(context, key, "kept", note, by)


@promises.command("break", no_args_is_help=True)
def promise_break(context: typer.Context, key: KeyArgument, why: WhyOption = "", by: ByOption = None) -> None:
    """没有兑现，写明原因；之后补上仍可 keep / a promise was not kept, and why; it may still be made good"""
    _note(context, key, "broken", why, by)


@promises.command("move", no_args_is_help=True)
def promise_move(
    context: typer.Context,
    key: KeyArgument,
    due: Annotated[str, typer.Argument(metavar="DAY", help="新的日期 / the new day")],
    why: WhyOption = "",
    by: ByOption = None,
) -> None:
    """改期，写明原因；原来的日期留在记录里 / move a promise to another day, and why; the first day stays on record"""
    _note(context, key, "moved", why, by, due)


@promises.command("waive", no_args_is_help=True)
def promise_waive(context: typer.Context, key: KeyArgument, why: WhyOption = "", by: ByOption = None) -> None:
    """对方不再需要，写明原因 / a promise is wanted no more, and why"""
    _note(context, key, "waived", why, by)


@promises.command("reopen", no_args_is_help=True)
def promise_reopen(context: typer.Context, key: KeyArgument, why: WhyOption = "", by: ByOption = None) -> None:
    """记错了，恢复为未了 / it was settled by mistake: open again"""
    _note(context, key, "reopened", why, by)


@promises.command("remind")
def promise_remind(context: typer.Context, form: FormatOption = Format.table) -> None:
    """列出快到期和已过期的，写成提醒（run 与 deliver 自动做）/ what is due, written as reminders, as run and deliver do"""
    from listener.tending import ledgers
    from listener.text.words import word

    with opened(context) as app:
        new, due = ledgers.remind(app)
        language = app.settings.listener.language
        rows = [promise_row(one.promise, app) | {"stage": one.stage.value, "days": one.days} for one in due]
        if form is Format.table:
            rows = [
                row | {"stage": word("promise-stage", row["stage"], language), "what": row["what"][:MOST_WORDS]} for row in rows
            ]
        columns = [
            ("key", "键"),
            ("koc_id", "KOC"),
            ("what", "承诺"),
            ("by_whom", "谁"),
            ("due", "到期"),
            ("stage", "进度"),
            ("days", "天"),
        ]
        output.write_rows(rows, form, columns=columns, empty="没有到期的承诺 / nothing is due")
    if new:
        output.warn(
            f"新提醒 {new} 条，含处置单、来源与渠道：listener alerts / {new} new reminders, of cases, sources and channels too"
        )


def _note(context: typer.Context, key: str, act: PromiseAct, reason: str, by: str | None, due: str | None = None) -> None:
    from listener.tending import ledgers

    with opened(context) as app:
        day = day_of(due, "DAY") if due else None
        done = ledgers.note_promise(app, key, act, who=who_of(by), reason=reason, due=day)
        output.say(_words(done))


def _words(one: Promise) -> str:
    from listener.text.words import word

    return f"{one.koc_id} · {one.what} · {one.by_whom} → {one.to_whom} · {one.due} · {word('promise-state', one.state)}"


def print_promises(app: App, found: list[Promise], form: Format) -> None:
    """Promises as a table for people, whole for machines."""
    from listener.text.words import word

    rows = [promise_row(one, app) for one in found]
    if form is Format.table:
        language = app.settings.listener.language
        rows = [
            row | {"state": word("promise-state", row["state"], language), "what": row["what"][:MOST_WORDS]} for row in rows
        ]
    columns = [
        ("key", "键"), ("koc_id", "KOC"), ("what", "承诺"), ("by_whom", "谁"), ("to_whom", "向谁"), ("due", "到期"),
        ("state", "状态"), ("days", "剩几天"), ("moves", "改期"),
    ]  # fmt: skip
    output.write_rows(rows, form, columns=columns, empty="没有未了的承诺 / no promise is open")


def promise_row(one: Promise, app: App) -> dict[str, Any]:
    """A promise for machines, with how many days are left."""
    from listener.explain import json_of
    from listener.tending.people import today_of
    from listener.text.quotes import line_of

    row: dict[str, Any] = json_of(one, ZoneInfo(app.timezone))
    days = (one.due - today_of(app)).days if one.state == "open" else None
    lines = {name: line_of(getattr(one, name)) for name in ("what", "by_whom", "to_whom", "note")}
    moves = sum(event.act == "moved" for event in one.events)
    return (
        row
        | lines
        | {
            "key": one.key[:8],
            "full_key": one.key,
            "due": one.due.isoformat(),
            "state": one.state,
            "days": days,
            "moves": moves,
        }
    )


# ----------------------------------------------------------------------------------------------------- agreements


@agreements.command("add", no_args_is_help=True)
def agreement_add(
    context: typer.Context,
    who: KocArgument,
    deliverables: Annotated[str, typer.Option(help="约定的内容 / what the KOC does")],
    pay: Annotated[str, typer.Option(help="金额，人民币元 / amount in CNY, exact")] = "0",
    starts: Annotated[str | None, typer.Option(help="开始日 / first day")] = None,
    ends: Annotated[str | None, typer.Option(help="结束日 / last day")] = None,
    deliver_by: Annotated[str | None, typer.Option(help="交付日，记入台账 / day of delivery: a promise")] = None,
    pay_by: Annotated[str | None, typer.Option(help="付款日，记入台账 / day of payment: a promise")] = None,
    brand: BrandOption = None,
    note: NoteOption = "",
    by: ByOption = None,
) -> None:
    """记下一份约定：内容、日期、付款；交付与付款的日期进承诺台账 / write down an agreement; its days are promises"""
    from listener.commands import showing
    from listener.commands.stories import brand_of
    from listener.relations.agreements import yuan_of
    from listener.tending import ledgers

    with opened(context) as app:
        made, owed = ledgers.add_agreement(
            app,
            showing.koc_of(app, who).koc_id,
            deliverables,
            yuan_of(pay),
            who=who_of(by),
            brand=brand_of(app, brand),
            starts=day_of(starts, "--starts") if starts else None,
            ends=day_of(ends, "--ends") if ends else None,
            deliver_by=day_of(deliver_by, "--deliver-by") if deliver_by else None,
            pay_by=day_of(pay_by, "--pay-by") if pay_by else None,
            note=note,
        )
    output.say(f"已记下约定 {made.key[:8]} / agreement written: {_agreed(made)}")
    for one in owed:
        output.say(f"  {one.key[:8]} {_words(one)}")


@agreements.command("list")
def agreement_list(
    context: typer.Context,
    who: Annotated[str | None, typer.Argument(metavar="KOC")] = None,
    every: Annotated[bool, typer.Option("--all", help="连同已完成的 / those that are done too")] = False,
    form: FormatOption = Format.table,
) -> None:
    """列出约定与应付余额 / agreements, and what is still to be paid"""
    from listener.commands import showing

    with opened(context) as app:
        koc_id = showing.koc_of(app, who).koc_id if who else None
        found = [one for one in app.store.ledger.agreements(koc=koc_id) if every or one.state == "active"]
        print_agreements(app, found, form)


@agreements.command("deliver", no_args_is_help=True)
def agreement_deliver(context: typer.Context, key: KeyArgument, note: NoteOption = "", by: ByOption = None) -> None:
    """KOC 已交付 / what was agreed is delivered"""
    _note_agreement(context, key, "delivered", by, note)


@agreements.command("pay", no_args_is_help=True)
def agreement_pay(
    context: typer.Context,
    key: KeyArgument,
    amount: Annotated[str, typer.Argument(help="金额，人民币元 / amount in CNY")],
    note: NoteOption = "",
    by: ByOption = None,
) -> None:
    """已付款（可分次）；付清即兑现付款的承诺 / note a payment; in full it keeps the promise"""
    _note_agreement(context, key, "paid", by, note, amount)


@agreements.command("end", no_args_is_help=True)
def agreement_end(context: typer.Context, key: KeyArgument, why: WhyOption = "", by: ByOption = None) -> None:
    """提前结束，写明原因；余下的承诺一并免除 / end an agreement early, and why; what it still promises is waived"""
    _note_agreement(context, key, "ended", by, why)


@agreements.command("reopen", no_args_is_help=True)
def agreement_reopen(context: typer.Context, key: KeyArgument, why: WhyOption = "", by: ByOption = None) -> None:
    """记错了，恢复履行 / it was ended by mistake: active again"""
    _note_agreement(context, key, "reopened", by, why)


def _note_agreement(context: typer.Context, key: str, act: str, by: str | None, note: str, amount: str = "") -> None:
    from decimal import Decimal

    from listener.relations.agreements import yuan_of
    from listener.tending import ledgers

    with opened(context) as app:
        paid = yuan_of(amount) if amount else Decimal(0)
        done = ledgers.note_agreement(app, key, act, who=who_of(by), amount=paid, note=note)  # type: ignore[arg-type]
        output.say(_agreed(done))


def _agreed(one: Agreement) -> str:
    from listener.text.words import word

    state = word("agreement-state", one.state)
    return f"{one.koc_id} · {one.deliverables} · {one.amount:,.2f} 元，应付 {one.owed:,.2f} · {state}"


def print_agreements(app: App, found: list[Agreement], form: Format) -> None:
    """Agreements as a table for people, whole for machines; amounts are exact text, never a float."""
    from listener.text.words import word

    rows = [agreement_row(one, ZoneInfo(app.timezone)) for one in found]
    if form is Format.table:
        language = app.settings.listener.language
        rows = [row | {"state": word("agreement-state", row["state"], language)} for row in rows]
    columns = [
        ("key", "键"), ("koc_id", "KOC"), ("deliverables", "内容"), ("starts", "开始"), ("ends", "结束"), ("amount", "金额"),
        ("owed", "应付"), ("state", "状态"),
    ]  # fmt: skip
    output.write_rows(rows, form, columns=columns, empty="没有履行中的约定 / no agreement is active")


def agreement_row(one: Agreement, zone: ZoneInfo) -> dict[str, Any]:
    """An agreement for machines; zone: of its times."""
    from listener.explain import json_of
    from listener.text.quotes import line_of

    row: dict[str, Any] = json_of(one, zone)
    money = {"amount": str(one.amount), "paid": str(one.paid), "owed": str(one.owed)}
    words = {"deliverables": line_of(one.deliverables), "note": line_of(one.note)}
    return row | money | words | {"key": one.key[:8], "full_key": one.key, "state": one.state, "is_delivered": one.is_delivered}
