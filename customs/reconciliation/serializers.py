"""Schemas of a reconciled bill: its entries page by page, payers masked."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from customs.payments.models import Bill
from customs.payments.redaction import mask_account
from customs.privacy.masking import mask_name, mask_text
from customs.reconciliation.columns import NAMES, PERSONAL, Kind, amount_shown
from customs.reconciliation.ledger import LedgerEntry
from customs.reconciliation.match import Concern, Entry, Reconciled, Verdict
from customs.reconciliation.parser import Flaw, Line
from customs.web import response_fields as out
from customs.web.response_fields import Out

MOST_FLAWS = 200


class BillDifferenceOut(Out):
    """One thing on which the bill and we disagree."""

    field = out.Text("What is different.")
    theirs = out.Text("The bill's value.")
    ours = out.Text("Our value.")


class BillEntryOut(Out):
    """One line of a bill, one payment or refund of ours, or both: as the bill has it, else as we have it."""

    source = "shown"

    verdict = out.Choice(Verdict, "Whether both have it, and agree.", of=attrgetter("entry.verdict"))
    kind = out.Choice(Kind, "What it is.")
    line = out.Integer(
        "Line of the bill; null for what only we have.",
        least=1,
        of=lambda view: view.entry.line and view.entry.line.line,
        null=True,
    )
    our_id = out.Text(
        "Our payment or refund; null for what only they have.",
        of=lambda view: view.entry.recorded and view.entry.recorded.id,
        null=True,
    )
    payment_no = out.Text(null=True)
    out_order_no = out.Text(null=True)
    refund_no = out.Text(null=True)
    outer_refund_no = out.Text(null=True)
    merchant_no = out.Text(of=lambda view: view.first_of("merchant_no"), null=True)
    currency = out.Text(of=lambda view: view.first_of("currency"), null=True)
    amount = out.Text(
        "In its currency's places, or as the bill writes it.",
        of=lambda view: amount_shown(view.shown.amount, view.first_of("currency")),
    )
    status = out.Text("In the bill's own word.", null=True)
    time = out.Instant("When it was paid or refunded.", of=attrgetter("time"), null=True)
    differences = out.List(
        out.Object(BillDifferenceOut), "On what the bill and we disagree.", of=attrgetter("entry.differences")
    )
    concerns = out.List(
        out.Choice(Concern),
        "What somebody has to look at although the bill may be right.",
        of=attrgetter("entry.concerns"),
    )
    others = out.TextByName(
        "Columns nobody knows, masked where they may name somebody.",
        of=lambda view: masked(view.entry.line.others) if view.entry.line else {},
    )


@dataclass(frozen=True)
class EntryView:
    """An entry by the side that is shown."""

    entry: Entry

    @property
    def shown(self) -> Line | LedgerEntry:
        shown = self.entry.line or self.entry.recorded
        assert shown is not None, "an entry has a side"
        return shown

    @property
    def time(self) -> datetime | None:
        line, recorded = self.entry.line, self.entry.recorded
        return line.time if line else recorded.at if recorded else None

    def first_of(self, name: str) -> str | None:
        """Return the value of the side that is shown, else of the payment on file."""
        recorded = self.entry.recorded
        value: str | None = getattr(self.shown, name) or (getattr(recorded, name) if recorded else None)
        return value


BillCountsOut = out.schema_of(
    "BillCountsOut",
    {str(word): out.Integer(f"Entries that are {word}.") for word in (*reversed(Verdict), *Concern, "unreadable")},
)


class UnreadableLineOut(Out):
    """A line that could not be read."""

    line = out.Integer("Line of the bill.", least=1)
    why = out.Text("Why it could not be read.")


class BillOut(Out):
    """A reconciled bill with one page of its entries."""

    id = out.Id("bill", attribute="bill.id")
    start = out.Day("Its first day.", attribute="bill.start_date")
    end = out.Day("Its last day.", attribute="bill.end_date")
    fetched_at = out.Instant("When it was downloaded.", attribute="bill.fetched_at")
    fetched_age_seconds = out.Integer("How long ago that was.", of=lambda view: round(view.age_seconds))
    columns = out.List(out.Text(), "The columns it has, as they are spelt.", attribute="reconciled.reading.columns")
    unknown_columns = out.List(out.Text(), "Those that nobody knows.", attribute="reconciled.reading.unknown")
    counts = out.Object(
        BillCountsOut, "Its entries by verdict and concern.", attribute="reconciled.counts", stored=True
    )
    data = out.List(out.Object(BillEntryOut), "First what needs somebody.", attribute="entries")
    has_more = out.Flag()
    next_cursor = out.Text(null=True)
    unreadable = out.List(
        out.Object(UnreadableLineOut), "The first 200 lines that could not be read.", attribute="flaws"
    )


@dataclass(frozen=True)
class BillView:
    """A bill with a part of its entries; all of them without a `limit`."""

    bill: Bill
    age_seconds: float
    reconciled: Reconciled
    limit: int | None
    offset: int

    @property
    def end(self) -> int:
        """Return how many entries come before the next page."""
        return len(self.reconciled.entries) if self.limit is None else self.offset + self.limit

    @property
    def entries(self) -> list[EntryView]:
        return [EntryView(entry) for entry in self.reconciled.entries[self.offset : self.end]]

    @property
    def has_more(self) -> bool:
        return self.end < len(self.reconciled.entries)

    @property
    def next_cursor(self) -> str | None:
        return f"{self.bill.id}.{self.end}" if self.has_more else None

    @property
    def flaws(self) -> Sequence[Flaw]:
        return self.reconciled.reading.flaws[:MOST_FLAWS]


BILL, BILL_ENTRY = BillOut(), BillEntryOut()


def bill_json(
    bill: Bill, age_seconds: float, reconciled: Reconciled, *, limit: int | None = None, offset: int = 0
) -> dict[str, Any]:
    """A bill with one page of its entries; all of them without a `limit`."""
    shown: dict[str, Any] = BILL.dump(BillView(bill, age_seconds, reconciled, limit, offset))
    return shown


def entry_json(entry: Entry) -> dict[str, Any]:
    shown: dict[str, Any] = BILL_ENTRY.dump(EntryView(entry))
    return shown


def masked(others: Mapping[str, str]) -> dict[str, str]:
    """Columns nobody knows, fit to be shown: accounts by their header, ID numbers wherever they stand."""
    return {word: _mask_of(word)(cell) for word, cell in others.items()}


def _mask_of(word: str) -> Callable[[str], str]:
    return next((mask for pattern, mask in MASKS if pattern.search(word)), _mask_cert_ids)


def _mask_cert_ids(cell: str) -> str:
    return mask_text(cell, None)


# The first pattern that a header fits; a name is shorter than an account and shows less.
MASKS: tuple[tuple[re.Pattern[str], Callable[[str], str]], ...] = ((NAMES, mask_name), (PERSONAL, mask_account))
