"""Agreements with KOCs: what they do, by when, and what is paid, in exact CNY; and the promises that an agreement holds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from listener.relations.errors import RelationError
from listener.relations.promises import promise_of
from storage.records import Koc
from storage.roster_records import Agreement, AgreementAct, AgreementEvent, Promise, PromiseEvent

FEN = Decimal("0.01")
MOST = Decimal(10) ** 10  # CNY; more is a slip of the finger
_GROUPED = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?")
_SIGNS = "¥￥ 元"


def yuan_of(text: str) -> Decimal:
    """CNY as people write it, exactly: no sign but ¥ or 元, commas only between thousands, two places at most.

    RelationError for anything else.

    >>> yuan_of("¥1,200.5"), yuan_of("800元")
    (Decimal('1200.50'), Decimal('800.00'))
    """
    bare = text.strip(_SIGNS)
    bare = bare.replace(",", "") if _GROUPED.fullmatch(bare) else bare
    try:
        amount = Decimal(bare) if re.fullmatch(r"[0-9]+(\.[0-9]+)?", bare) else None
    except InvalidOperation:  # pragma: no cover - the pattern lets no such text through
        amount = None
    if amount is None or amount > MOST or amount != amount.quantize(FEN):
        raise RelationError(f"看不懂金额 {text!r}；写成 1200 或 1200.50（人民币元） / write an amount in CNY like 1200.50")
    return amount.quantize(FEN)


def agreement_of(
    koc: Koc,
    deliverables: str,
    amount: Decimal,
    *,
    who: str,
    at: datetime,
    brand: str = "",
    starts: date | None = None,
    ends: date | None = None,
    deliver_by: date | None = None,
    pay_by: date | None = None,
    note: str = "",
) -> tuple[Agreement, list[Promise]]:
    """An agreement to be written, and the promises that it holds: what the KOC does, and what the brand pays, by their days."""
    if not deliverables.strip():
        raise RelationError("写明约定了什么 / say what was agreed")
    if not who.strip():
        raise RelationError("写明是谁记的 / say who writes it down")
    if starts and ends and ends < starts:
        raise RelationError(f"结束日 {ends} 早于开始日 {starts} / it ends before it starts")
    if pay_by and not amount:
        raise RelationError("没有金额，就没有付款日 / without an amount there is nothing to pay")
    new = Agreement("", koc.koc_id, brand, deliverables.strip(), starts, ends, amount, at, who.strip(), note)
    owed = []
    if deliver_by:
        owed.append(promise_of(koc, new.deliverables, deliver_by, who=who, at=at, brand=brand, is_ours=False, about="delivery"))
    if pay_by:
        owed.append(promise_of(koc, f"付款 {amount:,.2f} 元", pay_by, who=who, at=at, brand=brand, about="payment"))
    return new, owed


def entry_of(
    agreement: Agreement, act: AgreementAct, *, who: str, at: datetime, amount: Decimal = Decimal(0), note: str = ""
) -> AgreementEvent:
    """The entry that an act adds; RelationError where the agreement does not allow it."""
    if not who.strip():
        raise RelationError("写明是谁 / say who")
    if (agreement.state == "ended") != (act == "reopened"):
        words = f"约定 {agreement.key} 已结束 / is ended" if agreement.state == "ended" else "约定没有结束 / is not ended"
        raise RelationError(f"{words}: {act}")
    if act in ("ended", "waived", "reopened") and not note.strip():
        raise RelationError("写明原因 / give the reason")
    if act == "delivered" and agreement.is_delivered:
        raise RelationError(f"约定 {agreement.key} 已交付 / is delivered already")
    if (act == "paid") != (amount > 0):
        raise RelationError("付款要有金额 / a payment has an amount")
    if amount > agreement.owed:
        raise RelationError(f"超过应付余额 {agreement.owed:,.2f} 元 / more than the {agreement.owed:,.2f} CNY still owed")
    return AgreementEvent(at, who.strip(), act, amount, note.strip())


def settled_by(agreement: Agreement, event: AgreementEvent, promises: Sequence[Promise]) -> list[tuple[Promise, PromiseEvent]]:
    """The promises of an agreement that an entry settles: delivered, paid in full, or ended with the rest waived."""
    after = agreement.having(event)
    own = [one for one in promises if one.source == f"agreement:{agreement.key}" and one.state in ("open", "broken")]
    if after.state == "ended":
        return [(one, PromiseEvent(event.at, event.who, "waived", event.note)) for one in own]
    kept = {about for about, is_done in (("delivery", after.is_delivered), ("payment", not after.owed)) if is_done}
    return [(one, PromiseEvent(event.at, event.who, "kept", event.note)) for one in own if one.about in kept]
