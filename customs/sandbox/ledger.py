"""Ledger of filings, payments and calls in SQLite: it survives a killed sandbox, and tests read what happened."""

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from customs.sandbox.filings import Filing
from customs.sandbox.payments import Notification, Payment, Refund

SCHEMA = """
CREATE TABLE IF NOT EXISTS filings (
    id INTEGER PRIMARY KEY, channel TEXT, payment_no TEXT, customs TEXT, sub_order_no TEXT, pushed_at REAL,
    record TEXT,
    UNIQUE (channel, payment_no, customs, sub_order_no)
);
CREATE TABLE IF NOT EXISTS numbers (
    channel TEXT, name TEXT, number TEXT, filing INTEGER, PRIMARY KEY (channel, name, number, filing)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS calls (
    id INTEGER PRIMARY KEY, at REAL, endpoint TEXT, payment_no TEXT, out_order_no TEXT, sub_order_no TEXT,
    fault TEXT, outcome TEXT
);
CREATE TABLE IF NOT EXISTS counts (name TEXT PRIMARY KEY, calls INTEGER) WITHOUT ROWID;
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
NUMBERS = ("payment_no", "out_order_no", "sub_order_no")


class Ledger:
    """Filings and calls in one file, or in memory. One connection, one caller at a time."""

    def __init__(self, file: Path | None) -> None:
        if file:
            file.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(file or ":memory:", isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        # A killed process loses nothing without it; only a power cut could, and a sandbox may forget then.
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.executescript(SCHEMA)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Everything inside happens as one, alone, and is kept when it ends without an error."""
        with self._lock:
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def filing(self, channel: str, payment_no: str, customs: str, sub_order_no: str) -> Filing | None:
        """The filing under its full key."""
        return self._one(
            "SELECT record FROM filings WHERE channel = ? AND payment_no = ? AND customs = ? AND sub_order_no = ?",
            (channel, payment_no, customs, sub_order_no),
        )

    def latest(self, channel: str, name: str, number: str, customs: str | None) -> Filing | None:
        """The filing pushed last among those known by this number, at `customs` or (None) anywhere."""
        return self._one(
            "SELECT record FROM numbers JOIN filings ON filings.id = numbers.filing"
            " WHERE numbers.channel = ? AND name = ? AND number = ? AND customs = coalesce(?, customs)"
            " ORDER BY pushed_at DESC, id DESC LIMIT 1",
            (channel, name, number, customs),
        )

    def keep(self, filing: Filing) -> None:
        """Store what a filing has become."""
        key = (filing.channel, filing.payment_no, filing.customs, filing.sub_order_no)
        # A split order is asked for by its sub-order number only (9.2, 9.3, 9.5, 9.6).
        names = ("sub_order_no",) if filing.sub_order_no else ("payment_no", "out_order_no")
        with self.turn():
            row = self._db.execute(
                "INSERT INTO filings (channel, payment_no, customs, sub_order_no, pushed_at, record)"
                " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE"
                " SET pushed_at = excluded.pushed_at, record = excluded.record RETURNING id",
                (*key, filing.pushed_at, json.dumps(asdict(filing))),
            ).fetchone()
            self._db.executemany(
                "INSERT OR IGNORE INTO numbers VALUES (?, ?, ?, ?)",
                [(filing.channel, name, getattr(filing, name), row[0]) for name in names],
            )

    def filings(self, payment_no: str | None) -> list[Filing]:
        """All filings in the order of their arrival, or those of one payment."""
        rows = self.rows(
            "SELECT record FROM filings WHERE payment_no = coalesce(?, payment_no) ORDER BY id", (payment_no,)
        )
        return [_filing(row[0]) for row in rows]

    def note(self, at: float, endpoint: str, params: Mapping[str, str], *, fault: str = "", outcome: str = "") -> int:
        """Write a call down when it arrives; an empty outcome says that it was not processed (yet)."""
        with self.turn():
            row = self._db.execute(
                "INSERT INTO calls (at, endpoint, payment_no, out_order_no, sub_order_no, fault, outcome)"
                " VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
                (at, endpoint, *(params.get(name) for name in NUMBERS), fault, outcome),
            ).fetchone()
            return int(row[0])

    def settle(self, call: int, outcome: str) -> None:
        """Write down how a call was answered: `answered`, or why it was refused."""
        with self.turn():
            self._db.execute("UPDATE calls SET outcome = ? WHERE id = ?", (outcome, call))

    def calls(self, payment_no: str, more: Iterable[str] = ()) -> list[dict[str, Any]]:
        """The calls that named a payment, one of its filings' order numbers, or one `more`; oldest first."""
        filings = self.filings(payment_no)
        numbers = {payment_no, *more, *(f.out_order_no for f in filings), *(f.sub_order_no for f in filings)} - {""}
        rows = self.rows(
            "SELECT at, endpoint, fault, outcome, payment_no, out_order_no, sub_order_no FROM calls ORDER BY id"
        )
        fields = ("at", "endpoint", "fault", "outcome")
        return [dict(zip(fields, row[:4], strict=True)) for row in rows if numbers.intersection(row[4:])]

    def outcomes(self) -> dict[str, int]:
        """How many calls had which outcome."""
        return dict(self.rows("SELECT outcome, count(*) FROM calls GROUP BY outcome"))

    def count(self, name: str) -> int:
        """Count one more call under a name: 1 the first time."""
        with self.turn():
            row = self._db.execute(
                "INSERT INTO counts VALUES (?, 1) ON CONFLICT DO UPDATE SET calls = calls + 1 RETURNING calls",
                (name,),
            ).fetchone()
            return int(row[0])

    def _one(self, query: str, values: tuple[str | None, ...]) -> Filing | None:
        rows = self.rows(query, values)
        return _filing(rows[0][0]) if rows else None

    def rows(self, query: str, values: tuple[Any, ...] = ()) -> list[Any]:
        """What one statement gives; a change is kept at once, or with the turn it is made in."""
        with self._lock:
            return self._db.execute(query, values).fetchall()


def _filing(record: str) -> Filing:
    """Read a stored filing; ledgers of version 0.1 say `told`."""
    fields = json.loads(record)
    return Filing(reported=fields.pop("told", False) or fields.pop("reported", False), **fields)


class PaymentLedger:
    """Payments, refunds and notifications; `due_at` says when one of them wants attention by itself."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
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
