"""What the gateway's answer about an order says of a payment: rules on plain values, no database."""

from collections.abc import Mapping
from decimal import ROUND_DOWN, Decimal
from typing import Any

from customs.database import HUNDREDTH, Base
from customs.gateway import OrderReply, PayerData, PayerKind, method_of
from customs.payments.fitting import money_that_fits, text_that_fits
from customs.payments.models import Payment
from customs.payments.states import Refunded, Status, read_status, refunded_so_far

COLUMNS = Base.metadata.tables[Payment.__tablename__].c


def is_for_another(row: Mapping[str, Any], order: OrderReply) -> bool:
    """Whether an order under our number is not what we asked for.

    A cashier desk's link is not signed (4.6): the payer's browser may have changed it, and paid a fen.
    """
    said = {"merchant_no": order.merchant_no, "currency": order.currency, "amount": order.amount}
    return any(value not in (None, row[name]) for name, value in said.items())


def needs_something(row: Mapping[str, Any]) -> bool:
    """Whether the payer cannot pay without what the create answered."""
    return method_of(row["channel"], row["method"]).need.kind is not PayerKind.NOTHING


def payer_kept(payer: PayerData) -> dict[str, Any] | None:
    """What the payer needs next, as it is stored; None when nothing."""
    if payer.kind is PayerKind.NOTHING:
        return None
    return {"kind": payer.kind, "url": payer.url, "parameters": dict(payer.parameters)}


def moved(held: Status, reported: Status | None) -> Status:
    """PAID stays: what is refunded is told apart from it. A late payer makes an order PAID that had ended."""
    if reported is None or (held.is_final and reported is not Status.PAID):
        return held
    return reported


def columns_told(row: Mapping[str, Any], order: OrderReply) -> dict[str, Any]:
    """The columns that an answer fills: what it does not say stays as it is."""
    columns, pay_amount = COLUMNS, money_that_fits(order.pay_amount)
    rate = None if order.exchange_rate is None else f"{order.exchange_rate:f}"
    elsewhere = _refunded_elsewhere(row, order)
    return {
        "pay_amount": row["pay_amount"] if pay_amount is None else pay_amount,
        "pay_currency": text_that_fits(columns.pay_currency, order.pay_currency) or row["pay_currency"],
        "exchange_rate": text_that_fits(columns.exchange_rate, rate) or row["exchange_rate"],
        "trade_type": text_that_fits(columns.trade_type, order.trade_type) or row["trade_type"],
        "wallet": text_that_fits(columns.wallet, order.wallet) or row["wallet"],
        "refunded_elsewhere": elsewhere,
        "refund_status": refunded_so_far(row["amount"], row["refunded"] + elsewhere),
    }


def _refunded_elsewhere(row: Mapping[str, Any], order: OrderReply) -> Decimal:
    """What the gateway counts as refunded beyond all that we asked for; it never shrinks."""
    held: Decimal = row["refunded_elsewhere"]
    if order.refundable_amount is None:
        theirs = row["amount"] if order.refund_status == Refunded.FULL else Decimal(0)
    else:
        theirs = row["amount"] - order.refundable_amount.quantize(HUNDREDTH, ROUND_DOWN)
    # An order that is not paid has nothing to refund, which is no refund.
    is_paid = read_status(order.status) is Status.PAID
    return min(max(held, theirs - row["refunded"]), row["amount"] - row["refunded"]) if is_paid else held
