"""The page of reconciliation: the gateway's bill against the payments on file, by verdict, and as a file."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, flash, redirect
from flask_babel import gettext
from werkzeug import Response as WerkzeugResponse

from customs.auth.principal import Scope
from customs.errors import ErrorDetail, GatewayUnavailable, ValidationFailed
from customs.gateway.messages.records import GATEWAY_TIME
from customs.payments.models import Bill
from customs.payments.states import RefundStatus, Status
from customs.reconciliation import labels
from customs.reconciliation.api import bills_of_services, goes_on
from customs.reconciliation.bills import MOST_MONTHS, Bills, day_in
from customs.reconciliation.labels import Tab
from customs.reconciliation.serializers import MOST_FLAWS, bill_json
from customs.web.forms import DANGER, SUCCESS, Form, handle_form, typed_fields
from customs.web.rendering import render_page
from customs.web.request import current_caller, given_filters, page_arguments, text_argument
from customs.web.session_auth import login_required, request_time
from customs.web.template_filters import exact

pages = Blueprint("bill_pages", __name__)

PLACE = "/reconciliation"
DAYS = ("start", "end")
MOST_KEPT = 10
FORMULA = ("=", "+", "-", "@", "\t", "\r")
# From here on Excel makes a float of a number; a tab before it keeps it text, and readers strip it.
MOST_DIGITS = 15
BYTE_ORDER_MARK = "\ufeff"
KINDS = {"payment": Status, "refund": RefundStatus}


@pages.get(PLACE)
@login_required(Scope.PAYMENTS_READ)
def show_bill() -> WerkzeugResponse:
    asked = given_filters(*DAYS)
    if not asked:
        return _page(Form(_yesterday()))
    return handle_form(lambda: _reconciled(asked), lambda error: _page(Form.after(error, asked, DAYS)))


@pages.post(PLACE)
@login_required(Scope.PAYMENTS_READ)
def read_again() -> WerkzeugResponse:
    """Fetch a new bill though one is kept; while the gateway is away, the kept one stays."""
    asked = typed_fields(*DAYS)
    return handle_form(lambda: _fetched(asked), lambda error: _page(Form.after(error, asked, DAYS)))


@pages.get(f"{PLACE}/export.csv")
@login_required(Scope.PAYMENTS_READ)
def export_bill() -> Response:
    """Export all entries of a tab, of the bill that the page showed."""
    bills, (start, end) = bills_of_services(), _days(given_filters(*DAYS))
    bill, _offset = _bill(bills, start, end)
    tab, shown = _tabbed(bills, bill)
    name = f"reconciliation-{start}-{end}-{tab.word}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(csv_of(_rows(shown, tab), labels.COLUMNS), content_type="text/csv; charset=utf-8", headers=headers)


def _reconciled(asked: Mapping[str, str]) -> Response:
    bills, (start, end), (limit, _cursor) = bills_of_services(), _days(asked), page_arguments()
    bill, offset = _bill(bills, start, end)
    tab, shown = _tabbed(bills, bill, limit=limit, offset=offset)
    return _page(Form(asked), bill=shown, tab=tab, is_good=bills.is_good(bill) or offset > 0, offset=offset)


def _fetched(asked: Mapping[str, str]) -> WerkzeugResponse:
    start, end = _days(asked)
    try:
        bills_of_services().of_days(start, end, refresh=True)
    except GatewayUnavailable:
        flash(gettext("The gateway did not send the bill just now. Try again in a moment."), DANGER)
    else:
        flash(gettext("The bill was read again."), SUCCESS)
    return redirect(f"{PLACE}?{urlencode({'start': start, 'end': end})}", 303)


def _bill(bills: Bills, start: date, end: date) -> tuple[Bill, int]:
    """The bill of these days and how many entries come before this page; a page goes on in the bill it began in."""
    _limit, cursor = page_arguments()
    return goes_on(bills, cursor, start, end) if cursor else (bills.of_days(start, end), 0)


def _tabbed(bills: Bills, bill: Bill, *, limit: int | None = None, offset: int = 0) -> tuple[Tab, dict[str, Any]]:
    """The tab that was asked for, with a page of its entries, or all of them."""
    reconciled = bills.reconciled(bill, current_caller())
    tab = labels.tab_of(text_argument("show"), reconciled.counts)
    narrowed = replace(reconciled, entries=[one for one in reconciled.entries if labels.belongs(one, tab)])
    shown = bill_json(bill, bills.age_seconds(bill), narrowed, limit=limit, offset=offset)
    reading = reconciled.reading
    return tab, shown | {"legible": reading.legible, "flaws": reading.flaws[:MOST_FLAWS]}


def _page(form: Form, **shown: Any) -> Response:
    return render_page(
        "reconciliation/bill.html",
        form=form,
        words=labels,
        state_kinds=KINDS,
        kept=() if "bill" in shown else bills_of_services().days_read(MOST_KEPT),
        today=_today(),
        most_months=MOST_MONTHS,
        sees_declarations=current_caller().may(Scope.DECLARATIONS_READ),
        **shown,
    )


def _rows(shown: Mapping[str, Any], tab: Tab) -> Iterator[Mapping[str, object]]:
    """The entries in words, as they stand on the page."""
    if tab.word == labels.UNREADABLE:
        yield from ({"line": one.line, "differences": labels.flaw_text(one)} for one in shown["flaws"])
    for one in shown["data"]:
        yield one | {
            "verdict": labels.BY_WORD[one["verdict"]].name,
            "concerns": "; ".join(str(labels.BY_WORD[word].name) for word in one["concerns"]),
            "kind": labels.KINDS[one["kind"]],
            "time": exact(one["time"]),
            "differences": "; ".join(labels.difference_text(**difference) for difference in one["differences"]),
        }


def _days(asked: Mapping[str, str]) -> tuple[date, date]:
    """The first and the last day, both included."""
    return _day("start", asked), _day("end", asked)


def _day(name: str, asked: Mapping[str, str]) -> date:
    try:
        return day_in(asked.get(name, ""))
    except ValueError:
        detail = "a day such as 2026-11-23"
        raise ValidationFailed(
            f"{name}: use {detail}", errors=[ErrorDetail(f"?{name}", "parameter_invalid", detail)]
        ) from None


def _today() -> date:
    return request_time().astimezone(GATEWAY_TIME).date()


def _yesterday() -> dict[str, str]:
    return dict.fromkeys(DAYS, (_today() - timedelta(days=1)).isoformat())


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
