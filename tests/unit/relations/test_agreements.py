"""Agreements: exact money, what an entry allows, and which promises it settles."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.relations.agreements import agreement_of, entry_of, settled_by, yuan_of
from listener.relations.errors import RelationError
from storage.ledger import fen_of
from storage.records import Koc, StoreError
from storage.roster_records import Agreement, AgreementAct, Promise

AT = datetime(2026, 6, 1, tzinfo=UTC)
KOC = Koc("K1", "阿澜", (), owner="小王")


def agreed(amount: str = "1200.50") -> tuple[Agreement, list[Promise]]:
    new, owed = agreement_of(
        KOC, "两篇测评", Decimal(amount), who="小李", at=AT, deliver_by=date(2026, 6, 20), pay_by=date(2026, 6, 30)
    )
    filled = Agreement(**{f: getattr(new, f) for f in Agreement.__dataclass_fields__} | {"key": "A1"})  # type: ignore[arg-type]
    return filled, [
        Promise(**{f: getattr(p, f) for f in Promise.__dataclass_fields__} | {"key": f"P{n}", "source": "agreement:A1"})  # type: ignore[arg-type]
        for n, p in enumerate(owed)
    ]


def test_an_agreement_holds_what_the_koc_does_and_what_is_paid_as_promises() -> None:
    _, (delivery, payment) = agreed()
    assert (delivery.is_ours, delivery.about, delivery.by_whom, delivery.first_due) == (
        False,
        "delivery",
        "阿澜",
        date(2026, 6, 20),
    )
    assert (payment.is_ours, payment.about, payment.what) == (True, "payment", "付款 1,200.50 元")


@pytest.mark.parametrize(
    "text", ["", "-5", "1.234", "1e3", "NaN", "Infinity", "1,20", "一千", "1 000", "99999999999", "12.5.1", "٣"]
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(RelationError, match="看不懂金额"):
        yuan_of(text)


@given(st.integers(0, 10**9))
def test_money_is_exact_to_the_fen_there_and_back(fen: int) -> None:
    amount = Decimal(fen).scaleb(-2)
    assert fen_of(yuan_of(f"{amount:.2f}")) == fen
    assert fen_of(yuan_of(f"¥{amount:,.2f}元")) == fen


def test_finer_than_a_fen_can_not_be_stored() -> None:
    with pytest.raises(StoreError, match="两位小数"):
        fen_of(Decimal("0.001"))


@given(st.lists(st.integers(1, 60000), max_size=6))
def test_never_more_is_paid_than_was_agreed_and_what_is_owed_adds_up(payments: list[int]) -> None:
    one, _ = agreed()
    for fen in payments:
        amount = Decimal(fen).scaleb(-2)
        if amount > one.owed:
            with pytest.raises(RelationError, match="超过应付"):
                entry_of(one, "paid", who="小李", at=AT, amount=amount)
            continue
        one = one.having(entry_of(one, "paid", who="小李", at=AT, amount=amount))
        assert one.paid + one.owed == one.amount
    assert one.paid <= one.amount


def test_paying_in_full_and_delivering_keep_their_promises() -> None:
    one, promises = agreed()
    half = entry_of(one, "paid", who="小李", at=AT, amount=Decimal("600"))
    assert settled_by(one, half, promises) == []
    one = one.having(half)
    rest = entry_of(one, "paid", who="小李", at=AT, amount=one.owed)
    assert [(p.about, e.act) for p, e in settled_by(one, rest, promises)] == [("payment", "kept")]
    one = one.having(rest)
    assert one.state == "active"
    done = entry_of(one, "delivered", who="小李", at=AT)
    assert [(p.about, e.act) for p, e in settled_by(one, done, promises[:1])] == [("delivery", "kept")]
    assert one.having(done).state == "done"


def test_ending_an_agreement_waives_its_promises_and_owes_nothing_more() -> None:
    one, promises = agreed()
    end = entry_of(one, "ended", who="小李", at=AT, note="双方同意")
    assert [e.act for _, e in settled_by(one, end, promises)] == ["waived", "waived"]
    ended = one.having(end)
    assert (ended.state, ended.owed) == ("ended", Decimal(0))
    with pytest.raises(RelationError, match="已结束"):
        entry_of(ended, "delivered", who="小李", at=AT)
    again = ended.having(entry_of(ended, "reopened", who="小李", at=AT, note="记错"))
    assert (again.state, again.owed) == ("active", one.amount)


@pytest.mark.parametrize(
    ("act", "fields", "words"),
    [
        ("ended", {}, "原因"),
        ("paid", {}, "要有金额"),
        ("delivered", {"amount": Decimal(5)}, "要有金额"),
        ("delivered", {"who": ""}, "是谁"),
        ("reopened", {"note": "x"}, "没有结束"),
    ],
)
def test_an_entry_that_does_not_fit_is_refused(act: AgreementAct, fields: dict[str, object], words: str) -> None:
    with pytest.raises(RelationError, match=words):
        entry_of(agreed()[0], act, **({"who": "小李", "at": AT} | fields))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "fields",
    [
        {"deliverables": " "},
        {"who": ""},
        {"starts": date(2026, 7, 1), "ends": date(2026, 6, 1)},
        {"amount": Decimal(0), "pay_by": date(2026, 6, 30)},
    ],
)
def test_an_agreement_that_says_too_little_is_refused(fields: dict[str, object]) -> None:
    given = {"deliverables": "一篇测评", "amount": Decimal(5), "who": "小李"} | fields
    with pytest.raises(RelationError):
        agreement_of(KOC, given.pop("deliverables"), given.pop("amount"), at=AT, **given)  # type: ignore[arg-type]


def test_what_was_delivered_is_not_delivered_again() -> None:
    one, _ = agreed()
    one = one.having(entry_of(one, "delivered", who="小李", at=AT))
    with pytest.raises(RelationError, match="已交付"):
        entry_of(one, "delivered", who="小李", at=AT)
