"""Preflight: the rules that need nothing but the order itself (R2, R3, R6 to R10), on plain values."""

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal

from customs.declarations import identity
from customs.declarations.channels import CHANNELS
from customs.declarations.fields import ORDER
from customs.declarations.intake.orders import Order, RuleFinding, Severity
from customs.declarations.offices import OFFICES, codes_for, offices_with
from customs.text_rules.rules import Holds, objections_to
from customs.validation import LONGEST_TEXT, NUMBER, WHAT_A_NUMBER_IS

SINGLE_LIMIT = Decimal(5000)
PARTS_OF_AMOUNT = ("transport_amount", "product_amount")

REFERENCES = tuple((field.name, field.holds) for field in ORDER if field.holds is not None)

ERROR, WARNING = Severity.ERROR, Severity.WARNING


Rule = Callable[[Order], Iterator[RuleFinding]]


def preflight_findings(order: Order, today: date) -> list[RuleFinding]:
    """Return what is wrong with an order by itself; `today` in Shanghai, for birth dates."""
    return [*(found for rule in RULES for found in rule(order)), *_buyer(order, today)]


def findings_of_change(before: Order, after: Order, today: date) -> list[RuleFinding]:
    """Return what is wrong with what a correction changes: the rest was taken once, and numbers never change (9.1)."""
    left = {name for name in vars(after) if getattr(after, name) == getattr(before, name)}
    return [
        one
        for one in preflight_findings(after, today)
        if one.place.partition("/")[0] not in left and not one.place.endswith("sub_order_no")
    ]


def _numbers(order: Order) -> Iterator[RuleFinding]:
    """R6, and what no number is (R6b)."""
    for place, number in order.placed_numbers:
        objections = list(_objections(place, number, Holds.NUMBER))
        yield from objections
        if not NUMBER.fullmatch(number) and not any(one.severity is ERROR for one in objections):
            yield RuleFinding(
                place,
                "number_invalid",
                ERROR,
                WHAT_A_NUMBER_IS,
                "correct the number; in a spreadsheet, format the column as text",
            )


def _references(order: Order) -> Iterator[RuleFinding]:
    """R6b: the merchant's numbers and its registered name."""
    for name, holds in REFERENCES:
        if text := getattr(order, name):
            yield from _objections(name, text, holds)


def _objections(place: str, text: str, holds: Holds) -> Iterator[RuleFinding]:
    for code, is_error, detail, action in objections_to(text, holds):
        yield RuleFinding(place, code, ERROR if is_error else WARNING, detail, action)


def _office(order: Order) -> Iterator[RuleFinding]:
    """R9: an office nobody knows, or one without codes for the channel."""
    if order.office not in OFFICES:
        known = ", ".join(OFFICES)
        yield RuleFinding("office", "office_unknown", ERROR, "no such office", f"use one of {known}")
    elif not codes_for(order.channel, order.office):
        yield RuleFinding(
            "office",
            "office_without_codes",
            ERROR,
            f"{OFFICES[order.office].name} takes no declarations through {order.channel}",
            f"use the other channel, or one of {', '.join(offices_with(order.channel))}",
        )


def _registration(order: Order) -> Iterator[RuleFinding]:
    """R9: after a registration on file was filled in."""
    if not order.mch_customs_no:
        yield RuleFinding(
            "mch_customs_no",
            "registration_missing",
            ERROR,
            "no customs number was given and none is on file for this merchant, channel and office",
            "add mch_customs_no, or put the registration on file",
        )
    channel = CHANNELS[order.channel]
    if "merchant_customs_name" in channel.needs and not order.merchant_customs_name:
        yield RuleFinding(
            "merchant_customs_name",
            "registration_name_missing",
            ERROR,
            f"{channel.name} needs the registered name, and none was given or is on file",
            "add merchant_customs_name, or put it into the registration",
        )


def _amounts(order: Order) -> Iterator[RuleFinding]:
    """R2, R3."""
    channel = CHANNELS[order.channel]
    for index, part in enumerate(order.sub_orders):
        place = f"sub_orders/{index}"
        if part.amount <= 0:
            yield RuleFinding(f"{place}/amount", "amount_zero", ERROR, "a sub-order is over 0.00", "correct the amount")
        transport, product = part.transport_amount, part.product_amount
        missing = [name for name in PARTS_OF_AMOUNT if name in channel.needs and getattr(part, name) is None]
        if missing:
            yield RuleFinding(
                f"{place}/{missing[0]}",
                "amount_part_missing",
                ERROR,
                f"{channel.name} needs transport_amount and product_amount",
                "add both; 0.00 when there is none",
            )
        elif transport is not None and product is not None and transport + product != part.amount:
            yield RuleFinding(
                f"{place}/amount",
                "amount_sum",
                ERROR,
                f"{part.amount} is not {transport} + {product}",
                "make amount = transport_amount + product_amount, to the fen",
            )


def _sub_orders_once(order: Order) -> Iterator[RuleFinding]:
    """R1 within one order."""
    seen: set[str] = set()
    for index, number in enumerate(order.sub_order_nos):
        if number in seen:
            yield RuleFinding(
                f"sub_orders/{index}/sub_order_no",
                "sub_order_repeated",
                ERROR,
                "this sub-order stands twice in one order",
                "give each part its own number",
            )
        seen.add(number)


def _duty(order: Order) -> Iterator[RuleFinding]:
    """R3: duty is not for every channel."""
    channel = CHANNELS[order.channel]
    if "duty" in channel.lacks and order.duty:
        yield RuleFinding("duty", "duty_not_for_alipay", ERROR, f"{channel.name} takes no duty", "leave it out")


def _buyer(order: Order, today: date) -> Iterator[RuleFinding]:
    """R6b and R7; whether a number that is well shaped and wrong blocks is a setting."""
    if order.buyer is None:
        return
    if error := identity.name_error(order.buyer.name):
        yield RuleFinding("buyer/name", "name_invalid", ERROR, error, "correct the buyer's name")
    else:
        yield from _objections("buyer/name", order.buyer.name, Holds.NAME)
    yield from _cert_id(order.buyer.cert_id, today)


def _cert_id(cert_id: str, today: date) -> Iterator[RuleFinding]:
    # A masked or mistyped number is hardly longer than a right one: of what is, its length says enough.
    short = len(cert_id) <= LONGEST_TEXT
    objections = list(_objections("buyer/cert_id", cert_id, Holds.CERT_ID)) if short else []
    yield from objections
    if any(one.severity is ERROR for one in objections):
        return
    if error := identity.cert_id_shape_error(cert_id):
        yield RuleFinding(
            "buyer/cert_id", "cert_id_shape", ERROR, error, "correct the ID number; keep the column as text"
        )
    elif error := identity.cert_id_truth_error(cert_id, today):
        yield RuleFinding(
            "buyer/cert_id", "cert_id_invalid", ERROR, error, "ask the buyer for the number on their ID card"
        )
    elif not identity.names_a_region(cert_id):
        yield RuleFinding(
            "buyer/cert_id",
            "cert_id_region",
            WARNING,
            "the first two digits are no region's",
            "compare it with the ID card",
        )


def _single_limit(order: Order) -> Iterator[RuleFinding]:
    """R10."""
    if order.total is not None and order.total > SINGLE_LIMIT:
        yield RuleFinding(
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
