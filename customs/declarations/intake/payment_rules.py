"""What a payment that was made here allows to declare (R4, R9): rules on plain values."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from customs.declarations.intake.comparison_rules import ExistingPush
from customs.declarations.intake.orders import Found, Order, RuleFinding, Severity
from customs.declarations.offices import plan_pushes
from customs.gateway import Channel
from customs.payments_port import PaymentFacts, PaymentKey

WHEN_PAID = "when_paid"
LONGEST_AGE = timedelta(days=365)


@dataclass(frozen=True)
class Case:
    """One order beside what is known of its payment. `pushes`: what other declarations of the payment hold."""

    order: Order
    facts: PaymentFacts
    pushes: Sequence[ExistingPush]
    now: datetime


def waits(order: Order, facts: PaymentFacts | None) -> bool:
    """Whether an order was handed in to wait for a payment that is not PAID yet."""
    return order.submit == WHEN_PAID and facts is not None and facts.status == "INIT"


def findings_about_payment(
    order: Order, facts: PaymentFacts | None, pushes: Sequence[ExistingPush], was_made_here: bool, now: datetime
) -> Iterator[RuleFinding]:
    """Find what is wrong with an order's payment; `was_made_here`: a payment made here bears one of its numbers."""
    if facts is not None:
        case = Case(order, facts, pushes, now)
        for rule in RULES:
            yield from rule(case)
    elif order.submit == WHEN_PAID:
        yield RuleFinding(
            "submit",
            "payment_unknown",
            Severity.ERROR,
            "this payment is not known here, so nobody would notice when it is paid",
            'hand the order in when it is paid, with "submit": "now"',
        )
    elif was_made_here:
        yield RuleFinding(
            "payment_no",
            "payment_unknown",
            Severity.WARNING,
            "a payment made here bears one of this order's numbers, and none has this payment number",
            "check the number; nothing is wrong when it was paid elsewhere",
        )


@dataclass(frozen=True)
class PaymentsOfBatch:
    """What is known of a batch's payments. `filings`: the pushes that each has already, by payment.

    `numbers`: those of orders with an unknown payment that a payment made here bears, each after its merchant.
    """

    facts: Mapping[PaymentKey, PaymentFacts]
    filings: Mapping[tuple[str, Channel, str], Sequence[ExistingPush]]
    numbers: Collection[tuple[str, str]]
    now: datetime


def payment_findings(
    orders: Mapping[int, Order], payments: PaymentsOfBatch, refuses: Callable[[RuleFinding], bool]
) -> Found:
    """Find what the orders' payments do not allow. An order that nothing `refuses` adds to its payment (R4)."""
    filings = {payment: list(pushes) for payment, pushes in payments.filings.items()}
    for index, order in orders.items():
        known = payments.facts.get(PaymentKey(*order.payment))
        made_here = any((order.merchant_no, one) in payments.numbers for one in (order.payment_no, order.out_order_no))
        if known is None and not made_here and order.submit != WHEN_PAID:
            continue
        of_payment = filings.setdefault(order.payment, [])
        found = list(findings_about_payment(order, known, of_payment, made_here, payments.now))
        yield from ((index, one) for one in found)
        if not any(map(refuses, found)):
            of_payment += filings_of(order)


def filings_of(order: Order) -> Iterator[ExistingPush]:
    """What an order adds to the filings of its payment."""
    amounts = {part.sub_order_no: part.amount for part in order.sub_orders}
    for plan in plan_pushes(order.channel, order.office, order.sub_order_nos):
        yield ExistingPush("", order.office, plan.customs, plan.sub_order_no, amounts.get(plan.sub_order_no))


def over_payment(case: Case) -> RuleFinding | None:
    """R4: what sub-orders declare at one customs code, over what was paid less what was refunded."""
    if case.facts.net_cny is None or case.order.total is None:
        return None
    codes = {plan.customs for plan in plan_pushes(case.order.channel, case.order.office, case.order.sub_order_nos)}
    for code in sorted(codes):
        others = sum((push.amount or Decimal() for push in case.pushes if push.customs == code), Decimal())
        if others + case.order.total > case.facts.net_cny:
            return RuleFinding(
                "sub_orders",
                "over_payment",
                Severity.ERROR,
                f"the sub-orders at {code} come to {others + case.order.total}, and {case.facts.net_cny} was paid",
                "correct the amounts",
            )
    return None


def _is_paid(case: Case) -> Iterator[RuleFinding]:
    status = case.facts.status
    if status == "PAID" or waits(case.order, case.facts):
        return
    if status == "INIT":
        action = 'wait for it with "submit": "when_paid"'
        yield RuleFinding("payment_no", "payment_not_paid", Severity.ERROR, "this payment is not paid yet", action)
    else:
        detail = f"this payment ended as {status}"
        yield RuleFinding("payment_no", "payment_ended", Severity.ERROR, detail, "declare the payment that was made")


def _is_not_refunded(case: Case) -> Iterator[RuleFinding]:
    if case.facts.refunding:
        detail, action = "a refund of this payment is under way", "hand the order in when the refund has ended"
        yield RuleFinding("payment_no", "refund_under_way", Severity.ERROR, detail, action)
    elif case.facts.refund_status == "FULL":
        detail, action = "this payment was refunded", "there is nothing left to declare"
        yield RuleFinding("payment_no", "payment_refunded", Severity.ERROR, detail, action)
    elif case.facts.refund_status == "PART" and not case.order.sub_orders:
        detail, action = "a part of this payment was refunded, and the order declares it whole", "check the order"
        yield RuleFinding("payment_no", "partly_refunded", Severity.WARNING, detail, action)


def _is_within_payment(case: Case) -> Iterator[RuleFinding]:
    if found := over_payment(case):
        yield found


def _is_declarable(case: Case) -> Iterator[RuleFinding]:
    """What the payment companies' pages warn of; the document says nothing."""
    if not case.facts.mainland:
        detail = "the payer's wallet is not a mainland one, and customs takes no declarations of it"
        yield RuleFinding(
            "payment_no", "wallet_not_mainland", Severity.WARNING, detail, "check with the payment company"
        )
    if case.facts.paid_at is not None and case.now - case.facts.paid_at > LONGEST_AGE:
        detail = "this payment is older than 365 days"
        yield RuleFinding("payment_no", "payment_old", Severity.WARNING, detail, "the payment company may refuse it")


def _has_its_number(case: Case) -> Iterator[RuleFinding]:
    if case.facts.out_order_no != case.order.out_order_no:
        detail = f"this payment was made for the order {case.facts.out_order_no}"
        yield RuleFinding(
            "out_order_no", "order_differs", Severity.WARNING, detail, "customs compares the two: check it"
        )


RULES: tuple[Callable[[Case], Iterator[RuleFinding]], ...] = (
    _is_paid,
    _is_not_refunded,
    _is_within_payment,
    _is_declarable,
    _has_its_number,
)
