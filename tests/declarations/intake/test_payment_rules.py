"""What a payment made here allows to declare: each rule on plain values."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from customs.declarations.intake.comparison_rules import ExistingPush
from customs.declarations.intake.orders import Severity
from customs.declarations.intake.payment_rules import filings_of, findings_about_payment, waits
from customs.payments_port import PaymentFacts
from tests import make

ERROR, WARNING = Severity.ERROR, Severity.WARNING
NOW = make.NOON


def facts(order, **changes: Any) -> PaymentFacts:
    """A payment of 100 yuan that an order may declare."""
    known: dict[str, Any] = {
        "status": "PAID",
        "out_order_no": order.out_order_no,
        "net_cny": Decimal("100.00"),
        "refund_status": "NONE",
        "refunding": False,
        "mainland": True,
        "paid_at": NOW,
    }
    return PaymentFacts(**known | changes)


def split(*amounts: str, **changes: Any):
    parts = [make.sub_order_row(amount, "0.00") for amount in amounts]
    return make.order(sub_orders=parts or None, **changes)


def shown(order, known: PaymentFacts | None, pushes=(), was_made_here: bool = False) -> list[tuple[str, str, Severity]]:
    found = findings_about_payment(order, known, pushes, was_made_here, NOW)
    return [(one.place, one.code, one.severity) for one in found]


@pytest.mark.parametrize("amounts", [(), ("60.00", "40.00")], ids=["whole", "split"])
def test_a_paid_order_passes(amounts: tuple[str, ...]):
    order = split(*amounts)

    assert shown(order, facts(order)) == []


# Is it paid?


@pytest.mark.parametrize(
    ("status", "code"), [("INIT", "payment_not_paid"), ("FAIL", "payment_ended"), ("EXPIRED", "payment_ended")]
)
def test_what_is_not_paid_is_not_declared(status: str, code: str):
    order = make.order()

    assert shown(order, facts(order, status=status, net_cny=None)) == [("payment_no", code, ERROR)]


def test_an_order_may_wait_for_its_payment():
    order = make.order(submit="when_paid")
    known = facts(order, status="INIT", net_cny=None)

    assert waits(order, known)
    assert shown(order, known) == []


@pytest.mark.parametrize("status", ["FAIL", "EXPIRED"])
def test_nobody_waits_for_a_payment_that_has_ended(status: str):
    order = make.order(submit="when_paid")
    known = facts(order, status=status, net_cny=None)

    assert not waits(order, known)
    assert shown(order, known) == [("payment_no", "payment_ended", ERROR)]


def test_what_is_paid_already_waits_for_nothing():
    order = make.order(submit="when_paid")

    assert not waits(order, facts(order))
    assert shown(order, facts(order)) == []


def test_nobody_waits_for_a_payment_that_is_not_known():
    assert shown(make.order(submit="when_paid"), None) == [("submit", "payment_unknown", ERROR)]


@pytest.mark.parametrize("was_made_here", [True, False])
def test_an_unknown_payment_is_a_warning_only_where_a_payment_made_here_bears_a_number_of_it(was_made_here: bool):
    found = shown(make.order(), None, was_made_here=was_made_here)

    assert found == [("payment_no", "payment_unknown", WARNING)] * was_made_here


# Was it refunded?


def test_nothing_is_declared_while_a_refund_is_under_way():
    order = make.order()

    assert shown(order, facts(order, refunding=True, refund_status="PART")) == [
        ("payment_no", "refund_under_way", ERROR)
    ]


def test_what_was_refunded_is_not_declared():
    order = make.order()

    assert shown(order, facts(order, refund_status="FULL", net_cny=Decimal(0))) == [
        ("payment_no", "payment_refunded", ERROR)
    ]


def test_a_part_refund_warns_of_an_order_declared_whole():
    order = make.order()

    assert shown(order, facts(order, refund_status="PART")) == [("payment_no", "partly_refunded", WARNING)]


# R4: no more than was paid.


@pytest.mark.parametrize(("last", "found"), [("40.00", []), ("40.01", [("sub_orders", "over_payment", ERROR)])])
def test_sub_orders_come_to_no_more_than_was_paid(last: str, found: list):
    order = split("60.00", last)

    assert shown(order, facts(order)) == found


@pytest.mark.parametrize(("last", "found"), [("40.00", []), ("40.01", [("sub_orders", "over_payment", ERROR)])])
def test_what_other_declarations_of_the_payment_hold_counts(last: str, found: list):
    order = split(last)
    existing = ExistingPush("decl_1", "HANGZHOU", "HANGZHOU_ZS", "S0", Decimal("60.00"))

    assert shown(order, facts(order), [existing]) == found


def test_what_is_declared_at_another_code_does_not_count():
    order = split("100.00")
    existing = ExistingPush("decl_1", "SHENZHEN", "SHENZHEN", "S0", Decimal("60.00"))

    assert shown(order, facts(order), [existing]) == []


def test_alipays_shared_code_adds_up_over_its_offices():
    first, second = (make.order("alipay", office=office, parts=1) for office in ("SHENZHEN", "HEFEI"))
    known = facts(second, net_cny=Decimal("19.99"))

    assert shown(second, known, list(filings_of(first))) == [("sub_orders", "over_payment", ERROR)]


def test_without_a_rate_nobody_knows_what_was_paid_in_yuan():
    order = split("99999.00")

    assert shown(order, facts(order, net_cny=None)) == []


# What else a person should look at.


@pytest.mark.parametrize(("days", "found"), [(365, []), (366, [("payment_no", "payment_old", WARNING)])])
def test_a_payment_of_long_ago_is_a_warning(days: int, found: list):
    order = make.order()

    assert shown(order, facts(order, paid_at=NOW - timedelta(days=days))) == found


def test_a_wallet_outside_the_mainland_is_a_warning():
    order = make.order()

    assert shown(order, facts(order, mainland=False)) == [("payment_no", "wallet_not_mainland", WARNING)]


def test_an_order_number_that_differs_is_a_warning():
    order = make.order()

    assert shown(order, facts(order, out_order_no="another")) == [("out_order_no", "order_differs", WARNING)]
