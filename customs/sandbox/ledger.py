"""Ledger of filings and calls in SQLite: it survives a killed sandbox, and tests read what really happened."""

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from customs.sandbox.filings import Filing

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

    def prepare(self, schema: str) -> None:
        """Make the tables of another side of the ledger."""
        with self._lock:
            self._db.executescript(schema)

    def rows(self, query: str, values: tuple[Any, ...] = ()) -> list[Any]:
        """What one statement gives; a change is kept at once, or with the turn it is made in."""
        with self._lock:
            return self._db.execute(query, values).fetchall()


def _filing(record: str) -> Filing:
    """Read a stored filing; ledgers of version 0.1 say `told`."""
    fields = json.loads(record)
    return Filing(reported=fields.pop("told", False) or fields.pop("reported", False), **fields)
