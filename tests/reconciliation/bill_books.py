"""Our books as a bill meets them, and bills typed by hand; every number is used only once."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from customs.container import Services
from customs.gateway import Signer
from customs.gateway.messages.records import GATEWAY_TIME
from customs.ids import new_id
from customs.payments.models import Payment, Refund
from customs.payments.states import RefundStatus, Status
from customs.reconciliation.match import Reconciled, reconcile
from customs.reconciliation.parser import read_bill
from tests import make
from tests.gateway.loopback import Loopback, Respond, listening

SIGNER = Signer.from_file(Path(__file__).parents[1] / "gateway" / "keys" / "pkcs1.pem")
TODAY = datetime.now(GATEWAY_TIME).date()
YESTERDAY = TODAY - timedelta(days=1)
HEADER = "merchant_no,payment_no,out_order_no,type,refund_no,outer_refund_no,currency,amount,refund_amount,status,buyer"


def at(day: date = YESTERDAY, hour: int = 12, **more: int) -> datetime:
    """A moment of a day in Shanghai."""
    return datetime.combine(day, time(hour, **more), GATEWAY_TIME).astimezone(UTC)


# A day more: midnight may pass while a test runs.
SINCE, UNTIL = at(hour=0), at(TODAY + timedelta(days=2), hour=0)


def payment(**changes: Any) -> Payment:
    """Paid yesterday at noon."""
    return Payment(
        **{
            "id": new_id("pay"),
            "merchant_no": make.MERCHANT,
            "channel": "wechatpay",
            "method": "scan_pay",
            "out_order_no": make.number("O"),
            "payment_no": make.number("P"),
            "currency": "CNY",
            "amount": Decimal("88.00"),
            "subject": "茶",
            "sender": "a test",
            "created_at": at(),
            "status": Status.PAID,
            "paid_at": at(),
            "fence": 0,
        }
        | changes
    )


def refund(of: Payment, **changes: Any) -> Refund:
    """Ten of a payment, refunded yesterday at one o'clock."""
    return Refund(
        **{
            "id": new_id("ref"),
            "payment_id": of.id,
            "merchant_no": of.merchant_no,
            "channel": of.channel,
            "payment_no": of.payment_no,
            "outer_refund_no": make.number("R"),
            "refund_no": make.number("G"),
            "currency": of.currency,
            "amount": Decimal("10.00"),
            "reason": "broken",
            "sender": "a test",
            "created_at": at(),
            "status": RefundStatus.SUCCESS,
            "ended_at": at(hour=13),
            "fence": 0,
        }
        | changes
    )


def keep(services: Services, *rows: Payment | Refund) -> None:
    """Store them, payments before their refunds."""
    with services.transaction() as db:
        db.add_all(row for row in rows if isinstance(row, Payment))
        db.flush()
        db.add_all(row for row in rows if isinstance(row, Refund))


def line_of(one: Payment | Refund, **changes: str) -> str:
    """A line of a bill that says what we say."""
    refunded = isinstance(one, Refund)
    cells = {
        "merchant_no": one.merchant_no,
        "payment_no": one.payment_no or "",
        "out_order_no": one.out_order_no if isinstance(one, Payment) else "",
        "type": "refund" if refunded else "payment",
        "refund_no": (one.refund_no or "") if isinstance(one, Refund) else "",
        "outer_refund_no": one.outer_refund_no if isinstance(one, Refund) else "",
        "currency": one.currency,
        "amount": "" if refunded else str(one.amount),
        "refund_amount": str(one.amount) if refunded else "",
        "status": str(one.status),
        "buyer": "oQx43wJiwtsjv8C0lT5Lj7Mw1QZ4",
    }
    return ",".join((cells | changes).values())


def bill(lines: Iterable[str], header: str = HEADER) -> bytes:
    return "\r\n".join([header, *lines, ""]).encode()


def hold(services: Services, *lines: str, merchants: tuple[str, ...] = ()) -> Reconciled:
    """These lines reconciled with the books of yesterday and today, for a key of these merchants."""
    with services.reading() as db:
        read = read_bill(bill(lines))
        return reconcile(db, read, SINCE, UNTIL, services.declarations, make.caller(*merchants))


def sends(content: bytes, kind: str = "text/plain") -> Respond:
    """The gateway's answer with a file."""

    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response_only(200)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return respond


@contextmanager
def gateway_that(respond: Respond, services: Services) -> Iterator[Loopback]:
    """A gateway on loopback, to which these services speak."""
    with listening(respond) as loopback:
        services.gateway = loopback.gateway(SIGNER)
        yield loopback
