"""How a reconciled bill looks from outside: its entries page by page, who paid masked."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from customs.payments.models import Bill
from customs.payments.redaction import mask_account
from customs.privacy.masking import mask_name, mask_text
from customs.reconciliation.columns import NAMES, PERSONAL
from customs.reconciliation.match import Entry, Reconciled
from customs.reconciliation.values import amount_shown
from customs.timestamps import instant

MOST_FLAWS = 200
NUMBERS = ("payment_no", "out_order_no", "refund_no", "outer_refund_no")


def bill_json(
    bill: Bill, age_seconds: float, reconciled: Reconciled, *, limit: int | None = None, offset: int = 0
) -> dict[str, Any]:
    """A bill with one page of its entries; all of them without a `limit`."""
    end = len(reconciled.entries) if limit is None else offset + limit
    more = end < len(reconciled.entries)
    return {
        "id": bill.id,
        "start": bill.start_date.isoformat(),
        "end": bill.end_date.isoformat(),
        "fetched_at": instant(bill.fetched_at),
        "fetched_age_seconds": round(age_seconds),
        "columns": reconciled.reading.columns,
        "unknown_columns": reconciled.reading.unknown,
        "counts": reconciled.counts,
        "data": [entry_json(entry) for entry in reconciled.entries[offset:end]],
        "has_more": more,
        "next_cursor": f"{bill.id}.{end}" if more else None,
        "unreadable": [{"line": flaw.line, "why": flaw.why} for flaw in reconciled.reading.flaws[:MOST_FLAWS]],
    }


def entry_json(entry: Entry) -> dict[str, Any]:
    """One entry, as the bill has it; what only we have, as we have it."""
    line, ours = entry.line, entry.ours
    said: Any = line or ours
    at = line.time if line else ours.at if ours else None
    currency = said.currency or (ours.currency if ours else None)
    return {
        "verdict": entry.verdict,
        "kind": said.kind,
        "line": line.line if line else None,
        "our_id": ours.id if ours else None,
        **{name: getattr(said, name) for name in NUMBERS},
        "merchant_no": said.merchant_no or (ours.merchant_no if ours else None),
        "currency": currency,
        "amount": amount_shown(said.amount, currency),
        "status": said.status,
        "time": instant(at),
        "differences": [difference._asdict() for difference in entry.differences],
        "concerns": entry.concerns,
        "others": masked(line.others) if line else {},
    }


def masked(others: Mapping[str, str]) -> dict[str, str]:
    """Columns nobody knows, fit to be shown: accounts by their header, ID numbers wherever they stand."""
    return {word: _mask_of(word)(cell) for word, cell in others.items()}


def _mask_of(word: str) -> Callable[[str], str]:
    return next((mask for pattern, mask in MASKS if pattern.search(word)), _mask_cert_ids)


def _mask_cert_ids(cell: str) -> str:
    return mask_text(cell, None)


# The first pattern that a header fits; a name is shorter than an account and shows less.
MASKS: tuple[tuple[re.Pattern[str], Callable[[str], str]], ...] = ((NAMES, mask_name), (PERSONAL, mask_account))


FORMULA = ("=", "+", "-", "@", "\t", "\r")
# From here on Excel makes a float of a number; a tab before it keeps it text, and readers strip it.
MOST_DIGITS = 15
BYTE_ORDER_MARK = "\ufeff"


def csv_of(rows: Iterable[Mapping[str, object]], columns: Mapping[str, object]) -> bytes:
    """The rows by the columns' names, under the columns' words; UTF-8 that Excel takes for UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(map(str, columns.values()))
    writer.writerows([cell(row.get(name)) for name in columns] for row in rows)
    return (BYTE_ORDER_MARK + text.getvalue()).encode()


def cell(value: object) -> str:
    """A value as a spreadsheet may have it: what others typed is never run."""
    text = "" if value is None else str(value)
    if text.startswith(FORMULA):
        return f"'{text}"
    return f"\t{text}" if text.isdigit() and len(text) > MOST_DIGITS else text
