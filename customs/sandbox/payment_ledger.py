"""Ledger of orders, refunds and notifications, in the same SQLite file as the filings."""

import json
from dataclasses import asdict
from typing import Any

from customs.sandbox.ledger import Ledger
from customs.sandbox.notifications import Notification
from customs.sandbox.payments import Payment, Refund

SCHEMA = """
CREATE TABLE IF NOT EXISTS payments (
    id INTEGER PRIMARY KEY, payment_no TEXT UNIQUE, channel TEXT, our_no TEXT, due_at REAL, record TEXT
);
CREATE UNIQUE INDEX IF NOT EXISTS payments_ours ON payments (channel, our_no) WHERE our_no != '';
CREATE INDEX IF NOT EXISTS payments_due ON payments (due_at) WHERE due_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS refunds (
    id INTEGER PRIMARY KEY, refund_no TEXT UNIQUE, payment_no TEXT, channel TEXT, outer_refund_no TEXT, due_at REAL,
    record TEXT
);
CREATE INDEX IF NOT EXISTS refunds_payment ON refunds (payment_no);
CREATE INDEX IF NOT EXISTS refunds_ours ON refunds (channel, outer_refund_no);
CREATE INDEX IF NOT EXISTS refunds_due ON refunds (due_at) WHERE due_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS notifications (
    id INTEGER PRIMARY KEY, payment_no TEXT, due_at REAL, record TEXT
);
CREATE INDEX IF NOT EXISTS notifications_payment ON notifications (payment_no);
CREATE INDEX IF NOT EXISTS notifications_due ON notifications (due_at) WHERE due_at IS NOT NULL;
"""


class PaymentLedger:
    """Payments, refunds and notifications; `due_at` says when one of them wants attention by itself."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        ledger.prepare(SCHEMA)
        self.turn = ledger.turn

    def payment(self, payment_no: str, channel: str | None = None) -> Payment | None:
        """The order under the gateway's number, of this channel or (None) of any."""
        return next(
            iter(self._payments("payment_no = ? AND channel = coalesce(?, channel)", payment_no, channel)), None
        )

    def payment_by_our_no(self, our_no: str, channel: str | None = None) -> Payment | None:
        """The newest order under our number; "" is nobody's number."""
        found = self._payments("our_no = ? AND channel = coalesce(?, channel)", our_no, channel) if our_no else []
        return found[-1] if found else None

    def payments(self, payment_no: str | None = None) -> list[Payment]:
        """All orders in the order of their arrival, or one."""
        return self._payments("payment_no = coalesce(?, payment_no)", payment_no)

    def waiting_payments(self, most: int) -> list[Payment]:
        """The newest of those that have not ended."""
        return self._payments("due_at IS NOT NULL", order="id DESC", most=most)

    def due_payments(self, now: float) -> list[Payment]:
        """Those that move by themselves now."""
        return self._payments("due_at <= ?", now)

    def keep_payment(self, payment: Payment, pace: float) -> None:
        """Store what an order has become."""
        self._ledger.rows(
            "INSERT INTO payments (payment_no, channel, our_no, due_at, record) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (payment_no) DO UPDATE SET due_at = excluded.due_at, record = excluded.record",
            (payment.payment_no, payment.channel, payment.our_no, payment.due_at(pace), json.dumps(asdict(payment))),
        )

    def refund(self, refund_no: str, channel: str | None = None) -> Refund | None:
        """The refund under the gateway's number."""
        found = self._refunds("refund_no = ? AND channel = coalesce(?, channel)", refund_no, channel)
        return found[0] if found else None

    def refund_by_our_no(self, outer_refund_no: str, channel: str) -> Refund | None:
        """The first refund under our number."""
        found = self._refunds("channel = ? AND outer_refund_no = ?", channel, outer_refund_no)
        return found[0] if found else None

    def refunds(self, payment_no: str | None = None) -> list[Refund]:
        """All refunds in the order of their arrival, or those of one order."""
        return self._refunds("payment_no = coalesce(?, payment_no)", payment_no)

    def due_refunds(self, now: float) -> list[Refund]:
        """Those that move by themselves now."""
        return self._refunds("due_at <= ?", now)

    def keep_refund(self, refund: Refund, pace: float) -> None:
        """Store what a refund has become."""
        self._ledger.rows(
            "INSERT INTO refunds (refund_no, payment_no, channel, outer_refund_no, due_at, record)"
            " VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (refund_no) DO UPDATE SET due_at = excluded.due_at, record = excluded.record",
            (
                refund.refund_no,
                refund.payment_no,
                refund.channel,
                refund.outer_refund_no,
                refund.due_at(pace),
                json.dumps(asdict(refund)),
            ),
        )

    def notifications(self, payment_no: str | None = None) -> list[Notification]:
        """Return the notifications, sent or due, of all orders or of one."""
        return self._notifications("payment_no = coalesce(?, payment_no)", payment_no)

    def due_notifications(self, now: float, most: int) -> list[Notification]:
        """Those to be sent now, the longest waiting first."""
        return self._notifications("due_at <= ?", now, order="due_at, id", most=most)

    def keep_notification(self, notification: Notification) -> None:
        """Store what became of a notification; a new one gets its id."""
        ((notification.id,),) = self._ledger.rows(
            "INSERT INTO notifications (id, payment_no, due_at, record) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET due_at = excluded.due_at, record = excluded.record RETURNING id",
            (notification.id, notification.payment_no, notification.due_at, json.dumps(asdict(notification))),
        )

    def _payments(self, where: str, *values: Any, order: str = "id", most: int = -1) -> list[Payment]:
        rows = self._rows("payments", where, values, order, most)
        return [Payment(**json.loads(record)) for _, record in rows]

    def _refunds(self, where: str, *values: Any) -> list[Refund]:
        return [Refund(**json.loads(record)) for _, record in self._rows("refunds", where, values)]

    def _notifications(self, where: str, *values: Any, order: str = "id", most: int = -1) -> list[Notification]:
        rows = self._rows("notifications", where, values, order, most)
        return [Notification(**(json.loads(record) | {"id": number})) for number, record in rows]

    def _rows(self, table: str, where: str, values: tuple[Any, ...], order: str = "id", most: int = -1) -> list[Any]:
        query = f"SELECT id, record FROM {table} WHERE {where} ORDER BY {order} LIMIT {most:d}"  # noqa: S608 - ours
        return self._ledger.rows(query, values)
