"""What goes out about payments, refunds, rates and bills: the schemas of `presenting` and `bill_presenting`."""

from customs.gateway import CURRENCY_PLACES, Channel, PayerKind
from customs.payments.states import Refunded, RefundStatus, Status
from customs.payments.tasks.task import Deed
from customs.reconciliation.match import Concern, Verdict
from customs.reconciliation.values import Kind
from customs.site.openapi.json_schema import (
    Json,
    amount_out,
    choice,
    flag,
    id_of,
    instant,
    list_of,
    nullable,
    page_of,
    ref,
    text,
    thing,
    whole,
    words_by_name,
    yuan_out,
)
from customs.site.openapi.response_schemas import timeline_entry

DAY: Json = {"type": "string", "format": "date", "examples": ["2026-11-23"]}

NEXT: dict[str, Json] = {
    "needs_review": flag("A person should look at it; it goes before nobody any more once the gateway has answered."),
    "case": nullable(ref("Case")),
    "outcome_unknown": flag("A call was made and nobody knows its outcome; it is being asked for."),
    "next_action": nullable(choice(Deed, "What the desk does next; null when nothing.")),
    "due_at": nullable(instant()),
}
PAYER = thing(
    {
        "kind": choice(PayerKind, "How the payer goes on: shows a QR code, opens a page, or hands over parameters."),
        "url": nullable(text()),
        "qr_svg": nullable(text("The code as an inline SVG, to be shown as it is.")),
        "parameters": words_by_name("For the payment company's own kit."),
    }
)
PAYMENT: dict[str, Json] = {
    "id": id_of("pay"),
    "created_at": instant(),
    "channel": choice(Channel),
    "method": text(),
    "merchant_no": text(),
    "out_order_no": text(),
    "payment_no": nullable(text("The gateway's number, once it is told.")),
    "currency": choice(CURRENCY_PLACES),
    "amount": amount_out(),
    "subject": text(),
    "status": choice(Status),
    "explanation": nullable(text()),
    "payer": nullable(ref("Payer")),
    "paid_by": nullable(words_by_name("Who paid, masked.")),
    "paid_at": nullable(instant()),
    "pay_amount": nullable(yuan_out("What the payer paid, in pay_currency.")),
    "pay_currency": nullable(text()),
    "exchange_rate": nullable(text()),
    "trade_type": nullable(text()),
    "wallet": nullable(text()),
    "refund_status": choice(Refunded),
    "refundable_amount": amount_out("What may still be refunded."),
    **NEXT,
}
REFUND = thing(
    {
        "id": id_of("ref"),
        "created_at": instant(),
        "payment_id": id_of("pay"),
        "merchant_no": text(),
        "channel": choice(Channel),
        "payment_no": text(),
        "outer_refund_no": text("Our number at the gateway."),
        "refund_no": nullable(text("The gateway's number.")),
        "currency": choice(CURRENCY_PLACES),
        "amount": amount_out(),
        "reason": text(),
        "status": choice(RefundStatus),
        "explanation": nullable(text()),
        "ended_at": nullable(instant()),
        **NEXT,
    }
)
RATE = thing(
    {
        "channel": choice(Channel),
        "currency": choice(CURRENCY_PLACES),
        "rate": text("Yuan for one unit of the currency.", examples=["0.8599"]),
        "fetched_at": instant(),
        "age_seconds": {"type": "integer"},
    }
)
BILL_ENTRY = thing(
    {
        "verdict": choice(Verdict),
        "kind": choice(Kind),
        "line": nullable(whole("Line of the bill; null for what only we have.", 1)),
        "our_id": nullable(text("Our payment or refund; null for what only they have.")),
        "payment_no": nullable(text()),
        "out_order_no": nullable(text()),
        "refund_no": nullable(text()),
        "outer_refund_no": nullable(text()),
        "merchant_no": nullable(text()),
        "currency": nullable(text()),
        "amount": text(),
        "status": nullable(text("In the bill's own word.")),
        "time": nullable(instant()),
        "differences": list_of(thing({"field": text(), "theirs": text(), "ours": text()})),
        "concerns": list_of(choice(Concern)),
        "others": words_by_name("Columns nobody knows, masked where they may name somebody."),
    }
)
BILL_COUNTS = thing({str(word): whole() for word in (*reversed(Verdict), *Concern, "unreadable")})
BILL = thing(
    {
        "id": id_of("bill"),
        "start": DAY,
        "end": DAY,
        "fetched_at": instant(),
        "fetched_age_seconds": {"type": "integer"},
        "columns": list_of(text()),
        "unknown_columns": list_of(text()),
        "counts": ref("BillCounts"),
        "data": list_of(ref("BillEntry"), "First what needs somebody."),
        "has_more": flag(),
        "next_cursor": nullable(text()),
        "unreadable": list_of(thing({"line": whole("", 1), "why": text()})),
    }
)

PAYMENT_ANSWERS: dict[str, Json] = {
    "Payer": PAYER,
    "Payment": thing(PAYMENT),
    "PaymentDetail": thing(PAYMENT | {"refunds": list_of(ref("Refund"), "Oldest first.")}),
    "PaymentPage": page_of("Payment"),
    "PaymentEvent": timeline_entry(("call", "action"), {"refund_id": nullable(id_of("ref"))}),
    "PaymentEventPage": page_of("PaymentEvent"),
    "Refund": REFUND,
    "RefundPage": page_of("Refund"),
    "Rate": RATE,
    "BillEntry": BILL_ENTRY,
    "BillCounts": BILL_COUNTS,
    "Bill": BILL,
}
