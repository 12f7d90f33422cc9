"""Lookups of payments as pages and API do them, and the rows to look up."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from bench.orders import MERCHANTS
from customs.auth.principal import Caller, Scope, operator
from customs.db.bulk import insert_many
from customs.db.database import Base
from customs.payments import queries
from customs.payments.models import Payment, Refund
from customs.payments.states import Refunded, RefundStatus, Status

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
ONE_MERCHANT = Caller("erp", "erp", frozenset(Scope), frozenset({"M1"}))
NO_FILTER = queries.Filters()

Lookup = Callable[[Any, int], object]


def lookups(_size: int) -> Mapping[str, Lookup]:
    """Return each lookup by its name; each is called with the number of an existing payment."""
    return {
        "list": _list_by(),
        "list of a merchant": lambda db, _: queries.list_payments(db, ONE_MERCHANT, NO_FILTER, limit=50, cursor=None),
        "list of the waiting": _list_by(status="INIT"),
        "order number": _list_by(out_order_no="O{n}"),
        "payment number": _list_by(payment_no="P{n}"),
        "refund number": lambda db, n: queries.list_refunds(
            db, operator(), queries.Filters(outer_refund_no=f"R{n - n % 10}"), limit=50, cursor=None
        ),
        "any number": lambda db, n: queries.payments_numbered(db, f"P{n}", operator()),
    }


def _list_by(**filters: str) -> Lookup:
    """Return a lookup of the first page with filters, in which {n} is the payment's number."""
    return lambda db, number: queries.list_payments(
        db,
        operator(),
        queries.Filters(**{name: text.format(n=number) for name, text in filters.items()}),
        limit=50,
        cursor=None,
    )


def fill(db: Connection, size: int) -> None:
    """Store that many payments, every tenth with a refund."""
    insert_many(db, Base.metadata.tables[Payment.__tablename__], (_payment(number) for number in range(size)))
    refunds = (_refund(number) for number in range(0, size, 10))
    insert_many(db, Base.metadata.tables[Refund.__tablename__], refunds)


def _payment(number: int) -> dict[str, Any]:
    return {
        "id": f"pay_{number:032x}",
        "merchant_no": f"M{number % MERCHANTS}",
        "channel": "wechatpay",
        "method": "scanned_pay",
        "out_order_no": f"O{number}",
        "payment_no": f"P{number}",
        "currency": "HKD",
        "amount": Decimal(100),
        "subject": "tea",
        "sender": "bench",
        "created_at": BEGAN + timedelta(seconds=number),
        "status": Status.INIT if number % 100 == 0 else Status.PAID,
        "refund_status": Refunded.NONE,
    }


def _refund(number: int) -> dict[str, Any]:
    return {
        "id": f"ref_{number:032x}",
        "payment_id": f"pay_{number:032x}",
        "merchant_no": f"M{number % MERCHANTS}",
        "channel": "wechatpay",
        "payment_no": f"P{number}",
        "outer_refund_no": f"R{number}",
        "currency": "HKD",
        "amount": Decimal(1),
        "reason": "bench",
        "sender": "bench",
        "created_at": BEGAN + timedelta(seconds=number),
        "status": RefundStatus.SUCCESS,
    }
