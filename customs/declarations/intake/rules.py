"""The rules an order must pass before it is stored (R1 to R10), on plain values; each says what to do about it."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from customs.declarations import identity
from customs.declarations.channels import CHANNELS
from customs.declarations.intake.orders import Order, Severity
from customs.declarations.offices import OFFICES, codes_for, offices_with, plan_pushes
from customs.gateway import Channel
from customs.text_rules.rules import Holds, objections_to
from customs.validation import LONGEST_TEXT, NUMBER, WHAT_A_NUMBER_IS

SINGLE_LIMIT = Decimal(5000)
YEARLY_LIMIT = Decimal(26000)
PARTS_OF_AMOUNT = ("transport_amount", "product_amount")

ERROR, WARNING = Severity.ERROR, Severity.WARNING


class Complaint(NamedTuple):
    """One broken rule; `place` is the JSON pointer below the declaration."""

    place: str
    code: str
    severity: Severity
    detail: str
    action: str


@dataclass(frozen=True)
class HeldPush:
    """A push we hold already, for the rules that compare; `amount` in yuan where it is a sub-order's."""

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
class Held:
    """What our data says about a batch's orders, read at once. Amounts in yuan; `spent` by blind index, this year."""

    pushes: Mapping[tuple[str, Channel, str], Sequence[HeldPush]] = field(default_factory=dict)
    spent: Mapping[str, Decimal] = field(default_factory=dict)
    owners_of_number: Mapping[tuple[Channel, str], Sequence[NumberOwner]] = field(default_factory=dict)
    owners_of_payment: Mapping[tuple[Channel, str], Collection[str]] = field(default_factory=dict)


Rule = Callable[[Order], Iterator[Complaint]]


def complaints_about(order: Order, today: date) -> list[Complaint]:
    """Every rule that needs nothing but the order itself, and the day in Shanghai for birth dates."""
    return [*(complaint for rule in RULES for complaint in rule(order)), *_buyer(order, today)]


def complaints_about_change(before: Order, after: Order, today: date) -> list[Complaint]:
    """The same for what a correction changes: what it leaves was taken once, and numbers never change (9.1)."""
    left = {name for name in vars(after) if getattr(after, name) == getattr(before, name)}
    return [
        one
        for one in complaints_about(after, today)
        if one.place.partition("/")[0] not in left and not one.place.endswith("sub_order_no")
    ]


def _numbers(order: Order) -> Iterator[Complaint]:
    """R6, and what no number is (R6b)."""
    for place, number in order.placed_numbers:
        objections = list(_objections(place, number, Holds.NUMBER))
        yield from objections
        if not NUMBER.fullmatch(number) and not any(one.severity is ERROR for one in objections):
            yield Complaint(
                place,
                "number_invalid",
                ERROR,
                WHAT_A_NUMBER_IS,
                "correct the number; in a spreadsheet, format the column as text",
            )


def _references(order: Order) -> Iterator[Complaint]:
    """R6b: the merchant's numbers and its registered name."""
    yield from _objections("merchant_no", order.merchant_no, Holds.NUMBER)
    if order.mch_customs_no:
        yield from _objections("mch_customs_no", order.mch_customs_no, Holds.REGISTRATION)
    if order.merchant_customs_name:
        yield from _objections("merchant_customs_name", order.merchant_customs_name, Holds.COMPANY)


def _objections(place: str, text: str, holds: Holds) -> Iterator[Complaint]:
    for code, is_error, detail, action in objections_to(text, holds):
        yield Complaint(place, code, ERROR if is_error else WARNING, detail, action)


def _office(order: Order) -> Iterator[Complaint]:
    """R9: an office nobody knows, or one without codes for the channel."""
    if order.office not in OFFICES:
        known = ", ".join(OFFICES)
        yield Complaint("office", "office_unknown", ERROR, "no such office", f"use one of {known}")
    elif not codes_for(order.channel, order.office):
        yield Complaint(
            "office",
            "office_without_codes",
            ERROR,
            f"{OFFICES[order.office].name} takes no declarations through {order.channel}",
            f"use the other channel, or one of {', '.join(offices_with(order.channel))}",
        )


def _registration(order: Order) -> Iterator[Complaint]:
    """R9: after a registration on file was filled in."""
    if not order.mch_customs_no:
        yield Complaint(
            "mch_customs_no",
            "registration_missing",
            ERROR,
            "no customs number was given and none is on file for this merchant, channel and office",
            "add mch_customs_no, or put the registration on file",
        )
    channel = CHANNELS[order.channel]
    if "merchant_customs_name" in channel.needs and not order.merchant_customs_name:
        yield Complaint(
            "merchant_customs_name",
            "registration_name_missing",
            ERROR,
            f"{channel.name} needs the registered name, and none was given or is on file",
            "add merchant_customs_name, or put it into the registration",
        )


def _amounts(order: Order) -> Iterator[Complaint]:
    """R2, R3."""
    channel = CHANNELS[order.channel]
    for index, part in enumerate(order.sub_orders):
        place = f"sub_orders/{index}"
        if part.amount <= 0:
            yield Complaint(f"{place}/amount", "amount_zero", ERROR, "a sub-order is over 0.00", "correct the amount")
        transport, product = part.transport_amount, part.product_amount
        missing = [name for name in PARTS_OF_AMOUNT if name in channel.needs and getattr(part, name) is None]
        if missing:
            yield Complaint(
                f"{place}/{missing[0]}",
                "amount_part_missing",
                ERROR,
                f"{channel.name} needs transport_amount and product_amount",
                "add both; 0.00 when there is none",
            )
        elif transport is not None and product is not None and transport + product != part.amount:
            yield Complaint(
                f"{place}/amount",
                "amount_sum",
                ERROR,
                f"{part.amount} is not {transport} + {product}",
                "make amount = transport_amount + product_amount, to the fen",
            )


def _sub_orders_once(order: Order) -> Iterator[Complaint]:
    """R1 within one order."""
    seen: set[str] = set()
    for index, number in enumerate(order.sub_order_nos):
        if number in seen:
            yield Complaint(
                f"sub_orders/{index}/sub_order_no",
                "sub_order_repeated",
                ERROR,
                "this sub-order stands twice in one order",
                "give each part its own number",
            )
        seen.add(number)


def _duty(order: Order) -> Iterator[Complaint]:
    """R3: duty is not for every channel."""
    channel = CHANNELS[order.channel]
    if "duty" in channel.lacks and order.duty:
        yield Complaint("duty", "duty_not_for_alipay", ERROR, f"{channel.name} takes no duty", "leave it out")


def _buyer(order: Order, today: date) -> Iterator[Complaint]:
    """R6b and R7; whether a number that is well shaped and wrong blocks is a setting."""
    if order.buyer is None:
        return
    if fault := identity.name_fault(order.buyer.name):
        yield Complaint("buyer/name", "name_invalid", ERROR, fault, "correct the buyer's name")
    else:
        yield from _objections("buyer/name", order.buyer.name, Holds.NAME)
    yield from _cert_id(order.buyer.cert_id, today)


def _cert_id(cert_id: str, today: date) -> Iterator[Complaint]:
    # A masked or mistyped number is hardly longer than a right one: of what is, its length says enough.
    short = len(cert_id) <= LONGEST_TEXT
    objections = list(_objections("buyer/cert_id", cert_id, Holds.CERT_ID)) if short else []
    yield from objections
    if any(one.severity is ERROR for one in objections):
        return
    if fault := identity.cert_id_shape_fault(cert_id):
        yield Complaint(
            "buyer/cert_id", "cert_id_shape", ERROR, fault, "correct the ID number; keep the column as text"
        )
    elif fault := identity.cert_id_truth_fault(cert_id, today):
        yield Complaint(
            "buyer/cert_id", "cert_id_invalid", ERROR, fault, "ask the buyer for the number on their ID card"
        )
    elif not identity.names_a_region(cert_id):
        yield Complaint(
            "buyer/cert_id",
            "cert_id_region",
            WARNING,
            "the first two digits are no region's",
            "compare it with the ID card",
        )


def _single_limit(order: Order) -> Iterator[Complaint]:
    """R10."""
    if order.total is not None and order.total > SINGLE_LIMIT:
        yield Complaint(
            "sub_orders",
            "over_single_limit",
            WARNING,
            f"{order.total} is over the personal limit of {SINGLE_LIMIT} a purchase",
            "check that customs will take it as a personal purchase",
        )


RULES: tuple[Rule, ...] = (
    _numbers,
    _references,
    _office,
    _registration,
    _amounts,
    _sub_orders_once,
    _duty,
    _single_limit,
)


def conflicts_with_held(order: Order, held: Held, cert_index: str | None) -> Iterator[Complaint]:
    """What our data has against a new order: filed elsewhere, a mixed split, its numbers, limits (R1, R5, R6a, R10)."""
    pushes = held.pushes.get(order.payment, [])
    planned = plan_pushes(order.channel, order.office, order.sub_order_nos) if pushes else ()
    wanted = {(plan.customs, plan.sub_order_no) for plan in planned}
    codes = {plan.customs for plan in planned}
    for push in pushes:
        if (push.customs, push.sub_order_no) in wanted:
            yield Complaint(
                "office",
                "declared_elsewhere",
                ERROR,
                f"this payment is already declared at {push.customs}, for {push.office} by {push.declaration_id}",
                "use that declaration; cancel it first if it was the wrong office and nothing was sent",
            )
            break
        if push.customs in codes and bool(push.sub_order_no) != bool(order.sub_orders):
            yield Complaint(
                "sub_orders",
                "split_mixed",
                ERROR,
                f"{push.declaration_id} declares this payment at {push.customs} "
                f"{'split' if push.sub_order_no else 'as a whole'}",
                "declare a payment at one code either split or as a whole",
            )
            break
    yield from _shared_payment(order, held)
    yield from _numbers_in_use(order, held)
    spent = held.spent.get(cert_index or "", Decimal()) + (order.total or Decimal())
    if cert_index and order.total and spent > YEARLY_LIMIT:
        yield Complaint(
            "buyer/cert_id",
            "over_yearly_limit",
            WARNING,
            f"this buyer's declared purchases come to {spent} this year, over {YEARLY_LIMIT}",
            "check with the buyer; customs may refuse it",
        )


def _shared_payment(order: Order, held: Held) -> Iterator[Complaint]:
    others = set(held.owners_of_payment.get((order.channel, order.payment_no), ())) - {order.merchant_no}
    if others:
        yield Complaint(
            "payment_no",
            "payment_shared",
            WARNING,
            "another merchant declares a payment of the same number",
            "a payment is one merchant's: check the number",
        )


def _numbers_in_use(order: Order, held: Held) -> Iterator[Complaint]:
    """R6a: the gateway knows no merchants, and finds an order or a sub-order by its number alone."""
    for place, number in order.numbered_places:
        for owner in held.owners_of_number.get((order.channel, number), ()):
            if (owner.merchant_no, owner.payment_no) != (order.merchant_no, order.payment_no):
                known = owner.declaration_id and f"{owner.declaration_id} declares payment {owner.payment_no}"
                yield number_in_use(place, f"{known or 'another payment is declared'} under this number")
                break


def number_in_use(place: str, detail: str) -> Complaint:
    """R6a: a number that already stands for another payment."""
    return Complaint(
        place,
        "order_number_in_use",
        ERROR,
        detail,
        "the gateway finds an order by its number alone: give each payment numbers of its own",
    )
