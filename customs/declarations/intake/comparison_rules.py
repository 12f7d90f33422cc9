"""The rules that compare orders: with each other in one batch, and with existing data (R1, R5, R6a, R6b, R10)."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain
from typing import NamedTuple

from customs.declarations.intake.orders import Found, Order, RuleFinding, Severity
from customs.declarations.offices import plan_pushes
from customs.gateway import Channel
from customs.text_rules.rules import DIGITS_DOUBTFUL
from customs.text_rules.signs import SURELY_DOUBTFUL, is_long, looks_rounded

YEARLY_LIMIT = Decimal(26000)

ERROR, WARNING = Severity.ERROR, Severity.WARNING
Orders = Mapping[int, Order]
# What a person calls a row of the batch, by its index.
NameOf = Callable[[int], str]


@dataclass(frozen=True)
class ExistingPush:
    """A push that is stored already; `amount` in yuan where it is a sub-order's."""

    declaration_id: str
    office: str
    customs: str
    sub_order_no: str
    amount: Decimal | None = None


class NumberOwner(NamedTuple):
    """A payment that is declared under a number; `declaration_id` is None where the caller may not see whose it is."""

    merchant_no: str
    payment_no: str
    declaration_id: str | None


@dataclass(frozen=True)
class Existing:
    """What is stored that concerns a batch's orders. Amounts in yuan; `spent` this year, by blind index."""

    pushes: Mapping[tuple[str, Channel, str], Sequence[ExistingPush]] = field(default_factory=dict)
    spent: Mapping[str, Decimal] = field(default_factory=dict)
    owners_of_number: Mapping[tuple[Channel, str], Sequence[NumberOwner]] = field(default_factory=dict)
    owners_of_payment: Mapping[tuple[Channel, str], Collection[str]] = field(default_factory=dict)


def conflicts_with_existing(order: Order, existing: Existing, cert_index: str | None) -> Iterator[RuleFinding]:
    """Find what existing data has against an order: filings, a mixed split, numbers, limits (R1, R5, R6a, R10)."""
    pushes = existing.pushes.get(order.payment, [])
    planned = plan_pushes(order.channel, order.office, order.sub_order_nos) if pushes else ()
    wanted = {(plan.customs, plan.sub_order_no) for plan in planned}
    codes = {plan.customs for plan in planned}
    for push in pushes:
        if (push.customs, push.sub_order_no) in wanted:
            yield RuleFinding(
                "office",
                "declared_elsewhere",
                ERROR,
                f"this payment is already declared at {push.customs}, for {push.office} by {push.declaration_id}",
                "use that declaration; cancel it first if it was the wrong office and nothing was sent",
            )
            break
        if push.customs in codes and bool(push.sub_order_no) != bool(order.sub_orders):
            yield RuleFinding(
                "sub_orders",
                "split_mixed",
                ERROR,
                f"{push.declaration_id} declares this payment at {push.customs} "
                f"{'split' if push.sub_order_no else 'as a whole'}",
                "declare a payment at one code either split or as a whole",
            )
            break
    yield from _shared_payment(order, existing)
    yield from _numbers_in_use(order, existing)
    spent = existing.spent.get(cert_index or "", Decimal()) + (order.total or Decimal())
    if cert_index and order.total and spent > YEARLY_LIMIT:
        yield RuleFinding(
            "buyer/cert_id",
            "over_yearly_limit",
            WARNING,
            f"this buyer's declared purchases come to {spent} this year, over {YEARLY_LIMIT}",
            "check with the buyer; customs may refuse it",
        )


def _shared_payment(order: Order, existing: Existing) -> Iterator[RuleFinding]:
    others = set(existing.owners_of_payment.get((order.channel, order.payment_no), ())) - {order.merchant_no}
    if others:
        yield RuleFinding(
            "payment_no",
            "payment_shared",
            WARNING,
            "another merchant declares a payment of the same number",
            "a payment is one merchant's: check the number",
        )


def _numbers_in_use(order: Order, existing: Existing) -> Iterator[RuleFinding]:
    """R6a: the gateway knows no merchants, and finds an order or a sub-order by its number alone."""
    for place, number in order.numbered_places:
        for owner in existing.owners_of_number.get((order.channel, number), ()):
            if (owner.merchant_no, owner.payment_no) != (order.merchant_no, order.payment_no):
                known = owner.declaration_id and f"{owner.declaration_id} declares payment {owner.payment_no}"
                yield number_in_use(place, f"{known or 'another payment is declared'} under this number")
                break


def number_in_use(place: str, detail: str) -> RuleFinding:
    """R6a: a number that already stands for another payment."""
    return RuleFinding(
        place,
        "order_number_in_use",
        ERROR,
        detail,
        "the gateway finds an order by its number alone: give each payment numbers of its own",
    )


def repeats_within(orders: Orders, name_of: NameOf) -> Found:
    """Find rows for a filing that an earlier row of the batch makes, whatever their content (R1, R5)."""
    if len({order.payment for order in orders.values()}) == len(orders):
        return
    owners: dict[tuple[object, ...], int] = {}
    for index, order in orders.items():
        split = bool(order.sub_orders)
        planned = plan_pushes(order.channel, order.office, order.sub_order_nos)
        filings = [(order.payment, plan.customs, plan.sub_order_no) for plan in planned]
        opposites = {(order.payment, plan.customs, "as a whole" if split else "split") for plan in planned}
        other = next((owners[filing] for filing in (*filings, *opposites) if filing in owners), None)
        if other is not None:
            yield index, _repeated(name_of(other))
            continue
        mode = "split" if split else "as a whole"
        owners |= dict.fromkeys((*filings, *((order.payment, plan.customs, mode) for plan in planned)), index)


def _repeated(other: str) -> RuleFinding:
    return RuleFinding(
        "",
        "repeated_in_batch",
        ERROR,
        f"{other} of this batch already declares this payment there",
        "remove one of the two, or join their sub-orders in one declaration",
    )


def numbers_within(orders: Orders, name_of: NameOf) -> Found:
    """Find order numbers and sub-order numbers that two payments of the batch share (R6a)."""
    owners: dict[tuple[Channel, str], int] = {}
    for index, order in orders.items():
        for position, number in enumerate(order.numbers):
            other = owners.setdefault((order.channel, number), index)
            if other != index and orders[other].payment != order.payment:
                place, _ = [*order.numbered_places][position]
                yield index, number_in_use(place, f"{name_of(other)} of this batch has this number for another payment")


def rounded_within(orders: Orders, _name_of: NameOf) -> Found:
    """Find zeros at the end of numbers where every long number of a column has them: a spreadsheet rounds all of it."""
    columns: dict[str, list[tuple[int, str, str]]] = {}
    for index, order in orders.items():
        for place, number in order.placed_numbers:
            if is_long(number):
                columns.setdefault(place.rpartition("/")[2], []).append((index, place, number))
    alike = [long for long in columns.values() if all(looks_rounded(number) for _, _, number in long)]
    code, _, *sentences = DIGITS_DOUBTFUL
    for index, place, number in chain.from_iterable(alike):
        if len(number) < SURELY_DOUBTFUL:
            yield index, RuleFinding(place, code, WARNING, *sentences)


# Each looks at the rows that the one before it left good.
BATCH_RULES: tuple[Callable[[Orders, NameOf], Found], ...] = (repeats_within, numbers_within, rounded_within)
