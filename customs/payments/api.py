"""The API of payments, refunds and rates, and the address of the gateway's notifications."""

from functools import cache
from typing import Any
from urllib.parse import parse_qsl

import structlog
from flask import Blueprint, Response, request
from sqlalchemy.orm import Session
from werkzeug import Response as WerkzeugResponse

from customs.auth.principal import Scope
from customs.db import database
from customs.db.pagination import LARGEST_PAGE
from customs.errors import GatewayUnavailable, MalformedRequest
from customs.gateway import CURRENCY_PLACES, METHODS, PAYMENT_CHANNELS, Channel, RefusedNotification, read_notification
from customs.payments import queries, serializers
from customs.payments.collect import create, notifications, rates, refunds
from customs.payments.models import Payment, Refund
from customs.payments.schemas import PaymentIn, RefundIn
from customs.payments.serializers import PaymentDetailOut, PaymentEventOut, PaymentOut, RateOut, RefundOut
from customs.payments.services import services
from customs.payments.states import Refunded, RefundStatus, Status
from customs.web import csrf
from customs.web.api_docs import COUNTED_PAGE, MERCHANT, PAGE, TIMES, api_docs, one_of, texts, yes_or_no
from customs.web.idempotency import idempotent
from customs.web.json_body import raw_body, validate_json
from customs.web.rendering import render_bare_page
from customs.web.request import (
    api_key_required,
    current_caller,
    detail_response,
    flag_argument,
    list_json,
    number_in_cursor,
    page_arguments,
    required_argument,
    text_argument,
    time_argument,
)
from customs.web.response_fields import page_schema

log = structlog.get_logger()

api = Blueprint("payments", __name__, url_prefix="/api/v1")
public = Blueprint("payments_public", __name__)

PAYMENT_WORDS = ("merchant_no", "method", "out_order_no", "payment_no")
REFUND_WORDS = ("merchant_no", "payment_id", "payment_no", "outer_refund_no", "refund_no")
MOST_FIELDS = 100
METHOD_TABLE = "\n".join(
    (
        "| channel | method | needs |",
        "|---|---|---|",
        *(f"| {one.channel} | `{one.name}` | {', '.join(one.required_inputs) or '-'} |" for one in METHODS),
    )
)


@api.post("/payments")
@api_key_required(Scope.PAYMENTS_WRITE)
@api_docs(
    "Payments",
    "Collect a payment",
    PaymentDetailOut,
    "Stored and, but for a gateway that is slow, made: see `payer`.",
    status=201,
    about=(
        "What a method needs besides; a `return_url` may be left out where the desk knows its own address, and "
        f"`mini_program_pay` takes a login `code` in place of the `openid`:\n\n{METHOD_TABLE}\n\n"
        "A repeat with the same `out_order_no` and content gets the payment that was made."
    ),
    body=PaymentIn,
    codes=(
        "action_not_allowed",
        "gateway_unavailable",
    ),
    idempotent=True,
)
def create_payment() -> tuple[dict[str, Any], int]:
    """What is kept for an Idempotency-Key is which payment: a repeat is answered with how it stands by then."""
    payments = create.PaymentService(
        services().wallets, services().vault, services().settings, current_caller(), services().audit
    )
    order = payments.checked(validate_json(PaymentIn()))
    # A login code is good for one exchange: only the first request may ask for it.
    with_openid = cache(lambda: payments.with_openid(services().engine, order))

    def work(db: Session) -> tuple[dict[str, Any], int]:
        return {"id": payments.pay(db, with_openid(), database.now(db)).id}, 201

    answer, status = idempotent(raw_body(), work, before=with_openid)
    services().payment_handler.run_now(Payment.__tablename__, answer["id"])
    return read_payment_json(answer["id"]), status


@api.get("/payments")
@api_key_required(Scope.PAYMENTS_READ)
@api_docs(
    "Payments",
    "Payments, newest first",
    page_schema(PaymentOut),
    "One page.",
    query=(
        *PAGE,
        *TIMES,
        one_of("channel", Channel),
        one_of("status", Status),
        one_of("refund_status", Refunded),
        yes_or_no("needs_review", "Whether a person should look at it."),
        *texts(*PAYMENT_WORDS),
    ),
)
def list_payments() -> dict[str, Any]:
    limit, cursor = page_arguments()
    filters = queries.Filters(
        channel=text_argument("channel", tuple(Channel)),
        status=text_argument("status", tuple(Status)),
        refund_status=text_argument("refund_status", tuple(Refunded)),
        needs_review=flag_argument("needs_review"),
        since=time_argument("since"),
        until=time_argument("until"),
        **{name: text_argument(name) for name in PAYMENT_WORDS},
    )
    with services().reading() as db:
        found = queries.list_payments(db, current_caller(), filters, limit=limit, cursor=cursor)
        return list_json(found, [serializers.payment_json(one, services().vault) for one in found.rows])


@api.get("/payments/<payment_id>")
@api_key_required(Scope.PAYMENTS_READ)
@api_docs(
    "Payments",
    "One payment with its refunds",
    PaymentDetailOut,
    "The payment.",
    about="Poll it until `status` is no longer INIT.",
    etag=True,
)
def read_payment(payment_id: str) -> WerkzeugResponse:
    return detail_response(read_payment_json(payment_id))


@api.get("/payments/<payment_id>/events")
@api_key_required(Scope.PAYMENTS_READ)
@api_docs(
    "Payments",
    "The timeline of a payment and its refunds",
    page_schema(PaymentEventOut),
    "One page, oldest first.",
    query=COUNTED_PAGE,
)
def list_payment_events(payment_id: str) -> dict[str, Any]:
    limit, cursor = page_arguments(LARGEST_PAGE)
    after = number_in_cursor(cursor)
    with services().reading() as db:
        queries.payment_of(db, payment_id, current_caller())
        found = queries.events_of(db, payment_id, limit=limit, after=after)
        return list_json(found, [serializers.event_json(event) for event in found.rows])


@api.post("/payments/<payment_id>/refunds")
@api_key_required(Scope.REFUNDS_WRITE)
@api_docs(
    "Refunds",
    "Refund a payment, or a part of it",
    RefundOut,
    "Reserved; it ends as SUCCESS or FAIL.",
    status=201,
    about="Without an `amount`: all that is left. Declarations of the payment wait for a reviewer.",
    body=RefundIn,
    codes=("action_not_allowed",),
    idempotent=True,
)
def create_refund(payment_id: str) -> tuple[dict[str, Any], int]:
    """What is kept for an Idempotency-Key is which refund: a repeat is answered with how it stands by then."""
    body = validate_json(RefundIn())

    def work(db: Session) -> tuple[dict[str, Any], int]:
        made = refunds.refund(
            db, payment_id, body, services().declarations, current_caller(), services().audit, database.now(db)
        )
        return {"id": made.id}, 201

    answer, status = idempotent(raw_body(), work)
    services().payment_handler.run_now(Refund.__tablename__, answer["id"])
    return read_refund_json(answer["id"]), status


@api.get("/refunds")
@api_key_required(Scope.PAYMENTS_READ)
@api_docs(
    "Refunds",
    "Refunds, newest first",
    page_schema(RefundOut),
    "One page.",
    query=(
        *PAGE,
        *TIMES,
        one_of("channel", Channel),
        one_of("status", RefundStatus),
        yes_or_no("needs_review", "Whether a person should look at it."),
        *texts(*REFUND_WORDS),
    ),
)
def list_refunds() -> dict[str, Any]:
    limit, cursor = page_arguments()
    filters = queries.Filters(
        channel=text_argument("channel", tuple(Channel)),
        status=text_argument("status", tuple(RefundStatus)),
        needs_review=flag_argument("needs_review"),
        since=time_argument("since"),
        until=time_argument("until"),
        **{name: text_argument(name) for name in REFUND_WORDS},
    )
    with services().reading() as db:
        found = queries.list_refunds(db, current_caller(), filters, limit=limit, cursor=cursor)
        return list_json(found, [serializers.refund_json(one) for one in found.rows])


@api.get("/refunds/<refund_id>")
@api_key_required(Scope.PAYMENTS_READ)
@api_docs("Refunds", "One refund", RefundOut, "The refund.", etag=True)
def read_refund(refund_id: str) -> WerkzeugResponse:
    return detail_response(read_refund_json(refund_id))


@api.get("/rates")
@api_key_required(Scope.PAYMENTS_READ)
@api_docs(
    "Money",
    "A reference rate and its age",
    RateOut,
    "Yuan for one unit of the currency.",
    query=(
        one_of("channel", PAYMENT_CHANNELS, "The channel it is for.", required=True),
        one_of("currency", CURRENCY_PLACES, "The foreign currency.", required=True),
        MERCHANT,
    ),
    codes=("gateway_unavailable",),
)
def read_rate() -> dict[str, Any]:
    channel = Channel(required_argument("channel", PAYMENT_CHANNELS))
    currency = required_argument("currency", tuple(CURRENCY_PLACES))
    merchant_no = required_argument("merchant_no")
    rates.check_merchant(merchant_no, current_caller())
    rate, age = rates.rate_of(services().engine, services().wallets, channel, merchant_no, currency)
    return serializers.rate_json(rate, age)


@public.post(create.NOTIFY_PATH)
@csrf.exempt
def notify() -> Response:
    """Take a notification that something was paid (10): verified, kept, and a reason to ask; nothing more."""
    verifier = services().verifier
    if verifier is None:
        raise GatewayUnavailable("the gateway's public key is not on file: `customs doctor`", retry_after=60)
    try:
        pairs = parse_qsl(
            request.get_data().decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS
        )
        headers = request.headers
        message = read_notification(pairs, headers.get("Timestamp", ""), headers.get("Signature", ""), verifier)
    except (RefusedNotification, ValueError) as error:
        log.warning("a notification was refused", reason=str(error))
        raise MalformedRequest("this is no notification of the gateway's") from error
    with services().transaction() as db:
        notifications.take(db, message, database.now(db))
    services().notifier.notify()
    return Response("success", content_type="text/plain; charset=utf-8")


@public.get(create.RETURN_PATH.format(id="<payment_id>"))
def return_page(payment_id: str) -> Response:
    """Where the payer's browser comes back to; what it brings along proves nothing (4.6.4)."""
    return render_bare_page("payments/return.html")


def read_payment_json(payment_id: str) -> dict[str, Any]:
    with services().reading() as db:
        payment = queries.payment_of(db, payment_id, current_caller())
        return serializers.payment_json(payment, services().vault, queries.refunds_of(db, payment.id))


def read_refund_json(refund_id: str) -> dict[str, Any]:
    with services().reading() as db:
        return serializers.refund_json(queries.refund_of(db, refund_id, current_caller()))
