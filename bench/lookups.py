"""P6 for payments: a page of the list and a look-up by any number, a million payments against ten thousand."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from bench.ground import Ground
from bench.measuring import Verdict, compare, seconds_of
from bench.orders import MERCHANTS
from customs.access.callers import Caller, Scope, operator
from customs.database import Base
from customs.many_rows import insert_many
from customs.payments import queries
from customs.payments.models import Payment, Refund
from customs.payments.states import Refunded, RefundStatus, Status

WANTED = 1.3
SMALL, LARGE = 10_000, 1_000_000
REPEATS = 200
UNUSED_GATEWAY = "http://127.0.0.1:9"
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
ONE_MERCHANT = Caller("erp", "erp", frozenset(Scope), frozenset({"M1"}))

Look = Callable[[Any, int], object]
NO_FILTER = queries.Filters()


def list_by(**filters: str) -> Look:
    """The first page, narrowed by filters in which {n} stands for a payment."""
    return lambda db, number: queries.list_payments(
        db,
        operator(),
        queries.Filters(**{name: text.format(n=number) for name, text in filters.items()}),
        limit=50,
        cursor=None,
    )


# What a clerk and an ERP ask, each of a payment that exists.
LOOKS: dict[str, Look] = {
    "list": list_by(),
    "list of a merchant": lambda db, _: queries.list_payments(db, ONE_MERCHANT, NO_FILTER, limit=50, cursor=None),
    "list of the waiting": list_by(status="INIT"),
    "order number": list_by(out_order_no="O{n}"),
    "payment number": list_by(payment_no="P{n}"),
    "refund number": lambda db, n: queries.list_refunds(
        db, operator(), queries.Filters(outer_refund_no=f"R{n - n % 10}"), limit=50, cursor=None
    ),
    "any number": lambda db, n: queries.payments_numbered(db, f"P{n}", operator()),
}


def measure(home: Path, database: Callable[[], str]) -> list[Verdict]:
    """One verdict for each question."""
    grounds = [_filled(home, database(), size) for size in (SMALL, LARGE)]
    try:
        return [_compared(what, look, *grounds) for what, look in LOOKS.items()]
    finally:
        for ground in grounds:
            ground.close()


def _compared(what: str, look: Look, small: Ground, large: Ground) -> Verdict:
    def seconds(ground: Ground, size: int) -> float:
        numbers = [size * step // REPEATS for step in range(REPEATS)]
        with ground.services.reading() as db:
            look(db, 0)
            return seconds_of(lambda: [look(db, number) for number in numbers])

    goal = f"P6 {what}, {LARGE:,} / {SMALL:,} payments, {small.name}"
    return compare(goal, WANTED, lambda: seconds(large, LARGE), lambda: seconds(small, SMALL), at_least=False, unit="s")


def _filled(home: Path, url: str, size: int) -> Ground:
    ground = Ground(home, url, UNUSED_GATEWAY, threads=1)
    with ground.services.engine.begin() as db:
        insert_many(db, Base.metadata.tables[Payment.__tablename__], (_payment(number) for number in range(size)))
        refunds = (_refund(number) for number in range(0, size, 10))
        insert_many(db, Base.metadata.tables[Refund.__tablename__], refunds)
    with ground.services.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        db.exec_driver_sql("ANALYZE")
    return ground


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
