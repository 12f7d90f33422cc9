"""The API of bills and their reconciliation."""

import re
from datetime import date
from typing import Any

from flask import Blueprint

from customs.auth.principal import Scope
from customs.errors import ErrorDetail, ValidationFailed
from customs.payments.models import Bill
from customs.payments.services import services
from customs.reconciliation.bills import Bills, day_in
from customs.reconciliation.serializers import BillOut, bill_json
from customs.web.api_docs import api_docs, cursor, day, limit, yes_or_no
from customs.web.request import (
    api_key_required,
    current_caller,
    flag_argument,
    page_arguments,
    required_argument,
)

api = Blueprint("bills", __name__, url_prefix="/api/v1")

# The bill that a page was read from, and how many entries came before.
CURSOR = re.compile(r"(?P<bill_id>bill_[0-9a-f]{32})\.(?P<offset>[0-9]{1,9})", re.ASCII)
CURSOR_PATTERN = r"bill_[0-9a-f]{32}\.[0-9]{1,9}"


@api.get("/bills")
@api_key_required(Scope.PAYMENTS_READ)
@api_docs(
    "Money",
    "The gateway's bill reconciled with our books",
    BillOut,
    "The bill with one page of its entries.",
    about="Up to three months. `cursor` goes on in the very bill that the page before was read from.",
    query=(
        day("start"),
        day("end"),
        limit(),
        cursor(f"^({CURSOR_PATTERN})?$"),
        yes_or_no("refresh", "Download it anew."),
    ),
    codes=(
        "not_found",
        "gateway_unavailable",
    ),
)
def read_bill() -> dict[str, Any]:
    limit, cursor = page_arguments()
    start, end, refresh = _date_asked("start"), _date_asked("end"), bool(flag_argument("refresh"))
    bills = bills_of_services()
    bill, offset = goes_on(bills, cursor, start, end) if cursor else (bills.of_days(start, end, refresh=refresh), 0)
    reconciled = bills.reconciled(bill, current_caller())
    return bill_json(bill, bills.age_seconds(bill), reconciled, limit=limit, offset=offset)


def bills_of_services() -> Bills:
    found = services()
    return Bills(found.engine, found.vault, found.gateway, found.settings.agent_no, found.declarations)


def goes_on(bills: Bills, cursor: str, start: date, end: date) -> tuple[Bill, int]:
    """The kept bill that the page before was read from: a newer one would have other entries there."""
    match = CURSOR.fullmatch(cursor)
    bill = bills.kept(match["bill_id"]) if match else None
    if match is None or bill is None or (bill.start_date, bill.end_date) != (start, end):
        raise _wrong("cursor", "the next_cursor of the page before, with the same start and end")
    return bill, int(match["offset"])


def _date_asked(name: str) -> date:
    try:
        return day_in(required_argument(name))
    except ValueError:
        raise _wrong(name, "a date such as 2026-11-23") from None


def _wrong(name: str, wanted: str) -> ValidationFailed:
    return ValidationFailed(
        f"{name}: use {wanted}", errors=[ErrorDetail(f"?{name}", "parameter_invalid", f"use {wanted}")]
    )
