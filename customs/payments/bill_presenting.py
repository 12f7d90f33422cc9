"""How a reconciled bill looks from outside: its entries page by page, who paid masked."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from customs.history.masking import mask_name, mask_text
from customs.instants import instant
from customs.payments.bill_columns import NAMES, PERSONAL
from customs.payments.bill_values import amount_shown
from customs.payments.models import Bill
from customs.payments.personal import mask_account
from customs.payments.reconciling import Entry, Reconciled

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
