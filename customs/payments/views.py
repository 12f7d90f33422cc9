"""Pages of payments: the list, one payment as its state changes, and its refunds."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, flash, redirect, request
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug import Response as WerkzeugResponse

from customs.auth.principal import Scope
from customs.db import database
from customs.gateway import Channel, PayerKind
from customs.payments import labels, queries
from customs.payments.collect import refunds
from customs.payments.models import Refund
from customs.payments.queries import payment_detail
from customs.payments.schemas import RefundIn
from customs.payments.services import services
from customs.payments.states import Refunded, RefundStatus, Status
from customs.stats.tallies import begins
from customs.web.forms import SUCCESS, Form, choices, handle_form, typed_fields
from customs.web.idempotency import idempotent
from customs.web.json_body import raw_body, validate
from customs.web.rendering import render_fragment, render_page
from customs.web.request import (
    current_caller,
    day_argument,
    flag_argument,
    given_filters,
    number_in_cursor,
    page_arguments,
    text_argument,
)
from customs.web.session_auth import login_required
from customs.web.template_filters import money

pages = Blueprint("payment_pages", __name__)

# What the list may be narrowed by, and the words there are.
CHOICES: Mapping[str, tuple[str, ...]] = {
    "channel": tuple(Channel),
    "status": tuple(Status),
    "refund_status": tuple(Refunded),
    "merchant_no": (),
}
DAYS = ("since", "until")
REFUND_FIELDS = ("amount", "reason")
CREATED = 201
LONGEST_NUMBER = 64


@pages.get("/payments")
@login_required(Scope.PAYMENTS_READ)
def list_payments() -> WerkzeugResponse:
    number, (limit, cursor) = (text_argument("number") or "").strip(), page_arguments()
    if number:
        return _numbered(number)
    asked = _filters()
    with services().reading() as db:
        found = queries.list_payments(db, current_caller(), asked, limit=limit, cursor=cursor)
    return _list(found.rows, found.next_cursor)


@pages.get("/payments/<payment_id>")
@login_required(Scope.PAYMENTS_READ)
def show_payment(payment_id: str) -> Response:
    return _page(payment_id, Form())


@pages.get("/payments/<payment_id>/live")
@login_required(Scope.PAYMENTS_READ)
def live_payment(payment_id: str) -> Response:
    """What the page asks for every two seconds until the payment has ended: nothing, while nothing is new."""
    shown = _shown(payment_id, Form())
    return _if_new(shown["detail"].seen, "payments/live.html", shown)


@pages.get("/payments/<payment_id>/refunds")
@login_required(Scope.PAYMENTS_READ)
def live_refunds(payment_id: str) -> Response:
    shown = _shown(payment_id, Form())
    return _if_new(shown["detail"].seen_refunds, "payments/refunds.html", shown)


@pages.post("/payments/<payment_id>/refunds")
@login_required(Scope.REFUNDS_WRITE)
def create_refund(payment_id: str) -> WerkzeugResponse:
    asked = typed_fields(*REFUND_FIELDS)
    return handle_form(
        lambda: _refunded(payment_id, asked), lambda error: _page(payment_id, Form.after(error, asked, REFUND_FIELDS))
    )


def _refunded(payment_id: str, asked: Mapping[str, str]) -> WerkzeugResponse:
    """Refund once for each form. Without an amount all would be refunded: here it is required."""
    body = validate(RefundIn(), {"amount": "", **asked})

    def work(db: Session) -> tuple[dict[str, Any], int]:
        parts = services().declarations, current_caller(), services().audit
        return {"id": refunds.refund(db, payment_id, body, *parts, database.now(db)).id}, CREATED

    answer, _ = idempotent(raw_body(), work)
    services().payment_handler.run_now(Refund.__tablename__, answer["id"])
    flash(_refund_message(answer["id"]), SUCCESS)
    return redirect(f"/payments/{payment_id}", 303)


def _refund_message(refund_id: str) -> str:
    with services().reading() as db:
        refund = queries.refund_of(db, refund_id, current_caller())
    amount = money(refund.amount, refund.currency)
    message: str = (
        gettext("%(amount)s was refunded.", amount=amount)
        if refund.status is RefundStatus.SUCCESS
        else gettext("The refund of %(amount)s was asked for; how it ends is shown below.", amount=amount)
    )
    return message


def _numbered(number: str) -> WerkzeugResponse:
    """The payments that bear this number; the only one at once."""
    with services().reading() as db:
        found = queries.payments_numbered(db, number[:LONGEST_NUMBER], current_caller())
    return redirect(f"/payments/{found[0].id}") if len(found) == 1 else _list(found, None)


def _list(rows: Any, next_cursor: str | None) -> Response:
    return render_page(
        "payments/list.html",
        rows=[(one, labels.way_of(one.channel, one.method), refunds.refundable(one)) for one in rows],
        next_cursor=next_cursor,
        asked=given_filters("number", *CHOICES, "needs_review", *DAYS),
        channels=choices(Channel),
        statuses=choices(Status),
        refund_statuses=choices(Refunded),
    )


def _filters() -> queries.Filters:
    words = {name: text_argument(name, CHOICES[name]) for name in given_filters(*CHOICES)}
    since, until = (day_argument(name) for name in DAYS)
    needs_review = flag_argument("needs_review") if given_filters("needs_review") else None
    return queries.Filters(
        channel=words.get("channel"),
        status=words.get("status"),
        refund_status=words.get("refund_status"),
        merchant_no=words.get("merchant_no"),
        needs_review=needs_review,
        since=begins(since) if since else None,
        until=begins(until) + timedelta(days=1) if until else None,
    )


def _page(payment_id: str, form: Form) -> Response:
    return render_page("payments/detail.html", **_shown(payment_id, form))


def _shown(payment_id: str, form: Form) -> dict[str, Any]:
    found, after = services(), number_in_cursor(request.args.get("cursor"))
    with found.reading() as db:
        one = payment_detail(db, payment_id, current_caller(), found.vault, found.declarations, after=after)
    return {
        "detail": one,
        "payment": one.shown,
        "form": form,
        "labels": labels,
        "kinds": PayerKind,
        "status_kind": Status,
        "refund_kind": RefundStatus,
        "may_collect": current_caller().may(Scope.PAYMENTS_WRITE),
        "may_refund": current_caller().may(Scope.REFUNDS_WRITE),
        "sees_declarations": current_caller().may(Scope.DECLARATIONS_READ),
        "sandbox": found.settings.base_url if found.settings.embedded_sandbox else None,
    }


def _if_new(seen: str, template: str, shown: Mapping[str, Any]) -> Response:
    if request.args.get("seen") == seen:
        return Response(status=204)
    return render_fragment(template, **shown)
