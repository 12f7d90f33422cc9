"""Columns of a payment from the gateway's answer about its order: rules on plain values, no database."""

from collections.abc import Mapping
from decimal import ROUND_DOWN, Decimal
from typing import Any

from sqlalchemy import Column

from customs.db.database import HUNDREDTH, Base
from customs.gateway import OrderReply, PayerData, PayerKind, as_meant, in_places, method_of
from customs.payments.models import LONGEST_NUMBER, Payment
from customs.payments.states import Refunded, Status, read_status, refunded_so_far

COLUMNS = Base.metadata.tables[Payment.__tablename__].c


def is_for_another(row: Mapping[str, Any], order: OrderReply) -> bool:
    """Return whether an order under our number is not what we asked for.

    A cashier desk's link is not signed (4.6): the payer's browser may have changed it, and paid a fen.
    """
    amount = None if order.amount is None else in_places(order.amount, row["currency"])
    answered = {"merchant_no": order.merchant_no, "currency": order.currency, "amount": amount}
    return any(value not in (None, row[name]) for name, value in answered.items())


def needs_something(row: Mapping[str, Any]) -> bool:
    """Return whether the payer cannot pay without what the create answered."""
    return method_of(row["channel"], row["method"]).need.kind is not PayerKind.NOTHING


def payer_kept(payer: PayerData) -> dict[str, Any] | None:
    """Return what the payer needs next, as it is stored; None when nothing."""
    if payer.kind is PayerKind.NOTHING:
        return None
    return {"kind": payer.kind, "url": payer.url, "parameters": dict(payer.parameters)}


def moved(before: Status, reported: Status | None) -> Status:
    """Return the next status: PAID stays, refunds have their own; a late payer makes an order PAID that had ended."""
    if reported is None or (before.is_final and reported is not Status.PAID):
        return before
    return reported


def order_columns(row: Mapping[str, Any], order: OrderReply, pending: Decimal) -> dict[str, Any]:
    """Return the columns that an answer fills; the others stay. `pending`: our refunds under way."""
    columns, pay_amount = COLUMNS, money_that_fits(order.pay_amount)
    rate = None if order.exchange_rate is None else f"{order.exchange_rate:f}"
    elsewhere = _refunded_elsewhere(row, order, pending)
    return {
        "pay_amount": row["pay_amount"] if pay_amount is None else pay_amount,
        "pay_currency": text_that_fits(columns.pay_currency, order.pay_currency) or row["pay_currency"],
        "exchange_rate": text_that_fits(columns.exchange_rate, rate) or row["exchange_rate"],
        "trade_type": text_that_fits(columns.trade_type, order.trade_type) or row["trade_type"],
        "wallet": text_that_fits(columns.wallet, order.wallet) or row["wallet"],
        "refunded_elsewhere": elsewhere,
        "refund_status": refunded_so_far(row["amount"], row["refunded"] + elsewhere),
    }


def _refunded_elsewhere(row: Mapping[str, Any], order: OrderReply, pending: Decimal) -> Decimal:
    """Return what the gateway counts as refunded beyond what we asked for; it may count `pending` ones or not.

    It shrinks when the gateway says so, but not on an answer from before one of our refunds that has ended.
    """
    before: Decimal = row["refunded_elsewhere"]
    theirs = _refunded_there(row, order)
    ended = row["refunded"] - pending
    # An order that is not paid has nothing to refund, which is no refund.
    if theirs is None or theirs < ended or read_status(order.status) is not Status.PAID:
        return before
    least, most = max(theirs - row["refunded"], Decimal(0)), theirs - ended
    elsewhere: Decimal = min(max(before, least), most, row["amount"] - row["refunded"])
    return elsewhere


def _refunded_there(row: Mapping[str, Any], order: OrderReply) -> Decimal | None:
    """Return all that was refunded of an order as the gateway counts; None where it does not say how much."""
    amount: Decimal = row["amount"]
    if order.refundable_amount is not None:
        return amount - min(in_places(order.refundable_amount, row["currency"]), amount)
    answered: Mapping[str | None, Decimal] = {Refunded.FULL: amount, Refunded.NONE: Decimal(0)}
    return answered.get(order.refund_status)


# In hundredths still an integer of 64 bits.
MOST_MONEY = Decimal(10) ** 16


def text_that_fits(column: Column[str], text: str | None) -> str | None:
    """Return the text, cut to the column's length."""
    return text and text[: column.type.length]  # type: ignore[attr-defined]


def number_that_fits(number: str | None) -> str | None:
    """The number, or None when it is longer than any: a part of a number is another's."""
    return number if number is not None and len(number) <= LONGEST_NUMBER else None


def money_that_fits(amount: Decimal | None) -> Decimal | None:
    """The amount without what a rate left over below a fen (R4); None for more than can be kept."""
    return as_meant(amount).quantize(HUNDREDTH, ROUND_DOWN) if amount is not None and amount < MOST_MONEY else None
