"""The rows of the contract for payments, refunds, rates and bills."""

from customs.auth.principal import Scope
from customs.gateway import CURRENCY_PLACES, METHODS, Channel
from customs.payments.states import Refunded, RefundStatus, Status
from customs.site.openapi import examples
from customs.site.openapi.operation import Answer, Operation
from customs.site.openapi.parameters import (
    COUNTED_PAGE,
    MERCHANT,
    PAGE,
    TIMES,
    cursor,
    day,
    in_path,
    limit,
    one_of,
    words,
    yes_or_no,
)

READ, PAY, REFUND = Scope.PAYMENTS_READ, Scope.PAYMENTS_WRITE, Scope.REFUNDS_WRITE
PAYMENT = in_path("payment_id", "pay")
NEEDS = "\n".join(
    f"| {method.channel} | `{method.name}` | {', '.join(method.required_inputs) or '-'} |" for method in METHODS
)

COLLECTING: tuple[Operation, ...] = (
    Operation(
        "POST",
        "/payments",
        "create_payment",
        "Payments",
        "Collect a payment",
        PAY,
        {201: Answer("PaymentDetail", "Stored and, but for a gateway that is slow, made: see `payer`.")},
        "What a method needs besides; a `return_url` may be left out where the desk knows its own address, and "
        "`mini_program_pay` takes a login `code` in place of the `openid`:\n\n"
        f"| channel | method | needs |\n|---|---|---|\n{NEEDS}\n\n"
        "A repeat with the same `out_order_no` and content gets the payment that was made.",
        body="PaymentIn",
        examples=examples.PAYMENTS,
        codes=("action_not_allowed", "gateway_unavailable"),
        once=True,
    ),
    Operation(
        "GET",
        "/payments",
        "list_payments",
        "Payments",
        "Payments, newest first",
        READ,
        {200: Answer("PaymentPage", "One page.")},
        parameters=(
            *PAGE,
            *TIMES,
            one_of("channel", Channel),
            one_of("status", Status),
            one_of("refund_status", Refunded),
            yes_or_no("needs_review", "Whether a person should look at it."),
            *words("merchant_no", "method", "out_order_no", "payment_no"),
        ),
        codes=("validation_failed",),
    ),
    Operation(
        "GET",
        "/payments/{payment_id}",
        "read_payment",
        "Payments",
        "One payment with its refunds",
        READ,
        {200: Answer("PaymentDetail", "The payment.")},
        "Poll it until `status` is no longer INIT.",
        parameters=(PAYMENT,),
        codes=("not_found",),
        etag=True,
    ),
    Operation(
        "GET",
        "/payments/{payment_id}/events",
        "list_payment_events",
        "Payments",
        "The timeline of a payment and its refunds",
        READ,
        {200: Answer("PaymentEventPage", "One page, oldest first.")},
        parameters=(PAYMENT, *COUNTED_PAGE),
        codes=("not_found", "validation_failed"),
    ),
    Operation(
        "POST",
        "/payments/{payment_id}/refunds",
        "create_refund",
        "Refunds",
        "Refund a payment, or a part of it",
        REFUND,
        {201: Answer("Refund", "Reserved; it ends as SUCCESS or FAIL.")},
        "Without an `amount`: all that is left. Declarations of the payment wait for a reviewer.",
        parameters=(PAYMENT,),
        body="RefundIn",
        examples=examples.REFUNDS,
        codes=("not_found", "action_not_allowed"),
        once=True,
    ),
    Operation(
        "GET",
        "/refunds",
        "list_refunds",
        "Refunds",
        "Refunds, newest first",
        READ,
        {200: Answer("RefundPage", "One page.")},
        parameters=(
            *PAGE,
            *TIMES,
            one_of("channel", Channel),
            one_of("status", RefundStatus),
            yes_or_no("needs_review", "Whether a person should look at it."),
            *words("merchant_no", "payment_id", "payment_no", "outer_refund_no", "refund_no"),
        ),
        codes=("validation_failed",),
    ),
    Operation(
        "GET",
        "/refunds/{refund_id}",
        "read_refund",
        "Refunds",
        "One refund",
        READ,
        {200: Answer("Refund", "The refund.")},
        parameters=(in_path("refund_id", "ref"),),
        codes=("not_found",),
        etag=True,
    ),
    Operation(
        "GET",
        "/rates",
        "read_rate",
        "Money",
        "A reference rate and its age",
        READ,
        {200: Answer("Rate", "Yuan for one unit of the currency.")},
        parameters=(
            one_of("channel", Channel, required=True),
            one_of("currency", CURRENCY_PLACES, required=True),
            MERCHANT,
        ),
        codes=("validation_failed", "gateway_unavailable"),
    ),
    Operation(
        "GET",
        "/bills",
        "read_bill",
        "Money",
        "The gateway's bill held against our books",
        READ,
        {200: Answer("Bill", "The bill with one page of its entries.")},
        "Up to three months. `cursor` goes on in the very bill that the page before was read from.",
        parameters=(
            day("start"),
            day("end"),
            limit(),
            cursor(r"^(bill_[0-9a-f]{32}\.[0-9]{1,9})?$"),
            yes_or_no("refresh", "Download it anew."),
        ),
        codes=("validation_failed", "not_found", "gateway_unavailable"),
    ),
)
