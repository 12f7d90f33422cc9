"""Reconcile: each line and each payment and refund of ours gets one verdict, on both databases, in a few queries."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from customs.container import Services
from customs.payments.states import RefundStatus, Status
from customs.reconciliation.match import Entry, Reconciled, Verdict, reconcile
from customs.reconciliation.parser import read_bill
from tests import make
from tests.reconciliation.bill_books import SINCE, UNTIL, hold, keep, line_of, payment, refund


@pytest.fixture
def reconciled_with(services: Services) -> Callable[..., Reconciled]:
    """Reconcile lines of a bill with the payments on file."""
    return partial(hold, services)


def verdicts(reconciled: Reconciled) -> list[tuple[str, str | None, str | None]]:
    """Every entry: the verdict, the bill's order or refund number, our id."""

    def number(entry: Entry) -> str | None:
        return entry.line and (entry.line.outer_refund_no or entry.line.payment_no or entry.line.out_order_no)

    return [(entry.verdict, number(entry), entry.recorded and entry.recorded.id) for entry in reconciled.entries]


def test_every_verdict(services: Services, reconciled_with: Any) -> None:
    matched, differing, missing = payment(), payment(), payment()
    back = refund(matched)
    keep(services, matched, differing, missing, back)
    stranger = payment(out_order_no="O-STRANGE", payment_no="P-STRANGE")

    found = reconciled_with(line_of(matched), line_of(differing, amount="88.01"), line_of(stranger), line_of(back))

    assert verdicts(found) == [
        (Verdict.DIFFERING, differing.payment_no, differing.id),
        (Verdict.ONLY_THEIRS, "P-STRANGE", None),
        (Verdict.ONLY_RECORDED, None, missing.id),
        (Verdict.MATCHED, matched.payment_no, matched.id),
        (Verdict.MATCHED, back.outer_refund_no, back.id),
    ]
    assert found.counts == {
        "matched": 2,
        "only_ours": 1,
        "only_theirs": 1,
        "differing": 1,
        "paid_not_declared": 3,
        "refunded_after_declaration": 0,
        "unreadable": 0,
    }


@pytest.mark.parametrize(
    ("changes", "differences"),
    [
        ({"amount": "88"}, []),
        ({"amount": "¥88.000"}, []),
        ({"amount": "88.01"}, [("amount", "88.01", "88.00")]),
        ({"currency": "USD"}, [("currency", "USD", "CNY")]),
        ({"amount": "100", "currency": "JPY"}, [("amount", "100", "88.00"), ("currency", "JPY", "CNY")]),
        ({"currency": ""}, []),
        ({"status": "支付成功"}, []),
        ({"status": "EXPIRED"}, [("status", "EXPIRED", "PAID")]),
        ({"status": "a word of tomorrow"}, []),
    ],
)
def test_what_differs_is_shown_with_both_values(
    services: Services, reconciled_with: Any, changes: dict[str, str], differences: list[tuple[str, str, str]]
) -> None:
    one = payment()
    keep(services, one)

    found = reconciled_with(line_of(one, **changes))

    assert list(found.entries[0].differences) == differences


@pytest.mark.parametrize(
    ("amount", "differences"),
    [("5.00", []), ("50.00", [("refunded", "50.00", "5.00")]), ("0", [("refunded", "0.00", "5.00")]), ("", [])],
)
def test_a_bill_may_tell_on_a_payments_own_line_what_was_refunded(
    services: Services, reconciled_with: Any, amount: str, differences: list[tuple[str, str, str]]
) -> None:
    one = payment(refunded=Decimal("5.00"))
    keep(services, one, refund(one, amount=Decimal("5.00")))

    entries = reconciled_with(line_of(one, refund_amount=amount)).entries

    (of_payment,) = [entry for entry in entries if entry.line]
    assert list(of_payment.differences) == differences
    # Where it tells nothing, our refund is what it lacks.
    assert (len(entries) == 1) is (amount != "")


def test_a_zero_beside_lines_for_refunds_tells_nothing(services: Services, reconciled_with: Any) -> None:
    one = payment(refunded=Decimal("5.00"))
    given_back = refund(one, amount=Decimal("5.00"))
    keep(services, one, given_back)

    found = reconciled_with(line_of(one, refund_amount="0.00"), line_of(given_back))

    assert [entry.verdict for entry in found.entries] == [Verdict.MATCHED, Verdict.MATCHED]


def test_what_the_payer_paid_in_yuan_is_no_difference(services: Services, reconciled_with: Any) -> None:
    one = payment(currency="HKD", pay_amount=Decimal("79.20"))
    keep(services, one)

    found = reconciled_with(line_of(one, amount="79.20", currency="CNY"))

    assert found.entries[0].verdict is Verdict.MATCHED


def test_a_payment_that_the_bill_names_twice_is_no_match_the_second_time(
    services: Services, reconciled_with: Any
) -> None:
    one = payment()
    keep(services, one)

    first, second = sorted(reconciled_with(line_of(one), line_of(one)).entries, key=lambda entry: entry.line.line)

    assert first.verdict is Verdict.MATCHED
    assert second.differences == (("line", "3", "already on line 2"),)


@pytest.mark.parametrize("without", ["payment_no", "out_order_no"])
def test_one_number_of_a_payment_is_enough(services: Services, reconciled_with: Any, without: str) -> None:
    one = payment()
    keep(services, one)

    found = reconciled_with(line_of(one, **{without: ""}))

    assert verdicts(found) == [
        (Verdict.MATCHED, one.payment_no if without != "payment_no" else one.out_order_no, one.id)
    ]


@pytest.mark.parametrize("without", ["outer_refund_no", "refund_no"])
def test_one_number_of_a_refund_is_enough(services: Services, reconciled_with: Any, without: str) -> None:
    paid = payment()
    back = refund(paid)
    keep(services, paid, back)

    found = reconciled_with(line_of(paid), line_of(back, **{without: ""}))

    assert {entry.verdict for entry in found.entries} == {Verdict.MATCHED}


def test_a_number_that_two_channels_share_belongs_to_the_payment_that_fits(
    services: Services, reconciled_with: Any
) -> None:
    one = payment(out_order_no="O-SHARED")
    other = payment(out_order_no="O-SHARED", channel="alipay", amount=Decimal("5.00"))
    keep(services, one, other)

    found = reconciled_with(line_of(other, payment_no=""), line_of(one, payment_no=""))

    assert [(entry.line.line, entry.recorded.id) for entry in found.entries] == [(2, other.id), (3, one.id)]


def test_what_was_paid_at_the_edge_of_the_days_is_found_by_its_number(services: Services, reconciled_with: Any) -> None:
    before, after = payment(paid_at=SINCE - timedelta(seconds=1)), payment(paid_at=UNTIL)
    back = refund(before, ended_at=UNTIL)
    keep(services, before, after, back)

    found = reconciled_with(line_of(before), line_of(after, payment_no=""), line_of(back, outer_refund_no=""))

    assert {entry.verdict for entry in found.entries} == {Verdict.MATCHED}
    assert reconciled_with().entries == []


def test_only_what_was_paid_or_refunded_is_missed(services: Services, reconciled_with: Any) -> None:
    waiting = payment(status=Status.INIT, paid_at=None)
    pending = refund(waiting, status=RefundStatus.PENDING, ended_at=None)
    failed = refund(waiting, status=RefundStatus.FAIL)
    keep(services, waiting, pending, failed)

    found = reconciled_with()

    assert found.entries == []


def test_a_payment_we_still_wait_for_differs_in_its_status(services: Services, reconciled_with: Any) -> None:
    one = payment(status=Status.INIT, paid_at=None)
    keep(services, one)

    found = reconciled_with(line_of(one, status="PAID"))

    assert list(found.entries[0].differences) == [("status", "PAID", "INIT")]


def test_a_key_of_one_merchant_sees_nothing_of_another(services: Services, reconciled_with: Any) -> None:
    mine, missing = payment(), payment()
    theirs, theirs_missing = payment(merchant_no="M200"), payment(merchant_no="M200")
    nameless = payment(out_order_no="O-NAMELESS", payment_no="P-NAMELESS")
    keep(services, mine, missing, theirs, theirs_missing)
    lines = (
        line_of(mine, merchant_no=""),
        line_of(theirs),
        line_of(theirs, merchant_no=""),
        line_of(nameless, merchant_no=""),
        line_of(theirs, amount="abc"),
        line_of(mine, amount="abc"),
    )

    found = reconciled_with(*lines, merchants=(make.MERCHANT,))

    assert {entry.recorded.id for entry in found.entries if entry.recorded} == {mine.id, missing.id}
    assert all(entry.recorded for entry in found.entries)
    assert [flaw.line for flaw in found.reading.flaws] == [7]
    assert found.counts["unreadable"] == 1


def test_of_what_is_no_bill_nothing_is_compared(services: Services) -> None:
    keep(services, payment())

    with services.reading() as db:
        read = read_bill(b"<html>no bill</html>")
        found = reconcile(db, read, SINCE, UNTIL, services.declarations, make.caller("M999"))

    assert (found.entries, found.counts["unreadable"]) == ([], 1)
