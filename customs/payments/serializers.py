"""How payments and refunds look from outside: the payer's next step in one shape, who paid masked."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import segno
from segno.encoder import DataOverflowError

from customs.errors import DecryptionKeyMissing
from customs.gateway import CURRENCY_PLACES, PayerKind, money_text
from customs.payments.collect.refunds import refundable
from customs.payments.models import Payment, PaymentEvent, Rate, Refund
from customs.payments.redaction import mask_account, personal_place
from customs.privacy.vault import Vault
from customs.timestamps import instant

QR_SCALE = 4
YUAN_PLACES = 2


def payment_json(payment: Payment, vault: Vault, refunds: Sequence[Refund] | None = None) -> dict[str, Any]:
    """A payment; with `refunds` as a detail shows it."""
    shown = {
        "id": payment.id,
        "created_at": instant(payment.created_at),
        "channel": payment.channel,
        "method": payment.method,
        "merchant_no": payment.merchant_no,
        "out_order_no": payment.out_order_no,
        "payment_no": payment.payment_no,
        "currency": payment.currency,
        "amount": _money(payment.amount, payment.currency),
        "subject": payment.subject,
        "status": payment.status,
        "explanation": payment.explanation,
        "payer": payer_json(payment.payer, drawn=refunds is not None),
        "paid_by": _paid_by(payment, vault),
        "paid_at": instant(payment.paid_at),
        "pay_amount": None if payment.pay_amount is None else money_text(payment.pay_amount, YUAN_PLACES),
        "pay_currency": payment.pay_currency,
        "exchange_rate": payment.exchange_rate,
        "trade_type": payment.trade_type,
        "wallet": payment.wallet,
        "refund_status": payment.refund_status,
        "refundable_amount": _money(refundable(payment), payment.currency),
        **case_json(payment),
        "outcome_unknown": payment.in_doubt,
        "next_action": payment.next_action,
        "due_at": instant(payment.due_at),
    }
    return shown if refunds is None else shown | {"refunds": [refund_json(one) for one in refunds]}


def payer_json(payer: Mapping[str, Any] | None, *, drawn: bool) -> dict[str, Any] | None:
    """What the payer needs next: `kind` qr, url or parameters; a QR also as an SVG, where one is looked at."""
    if payer is None:
        return None
    svg = qr_svg(payer["url"], scale=QR_SCALE) if drawn and payer["kind"] == PayerKind.QR else None
    return {"kind": payer["kind"], "url": payer["url"], "qr_svg": svg, "parameters": payer["parameters"]}


def qr_svg(content: str, *, scale: int | None = None) -> str | None:
    """The code as an inline SVG, without a `scale` as large as its place; None for more than a code can hold."""
    try:
        svg: str = segno.make_qr(content).svg_inline(scale=scale or 1, omitsize=scale is None)
    except DataOverflowError:
        return None
    return svg


def _paid_by(payment: Payment, vault: Vault) -> dict[str, str] | None:
    """Who paid, masked; left out when the key is missing, for the rest can still be shown."""
    if payment.personal is None:
        return None
    try:
        opened = json.loads(vault.open(payment.personal, personal_place(payment.id)))
    except DecryptionKeyMissing:
        return None
    return {name: mask_account(value) for name, value in opened.items()}


def refund_json(refund: Refund) -> dict[str, Any]:
    return {
        "id": refund.id,
        "created_at": instant(refund.created_at),
        "payment_id": refund.payment_id,
        "merchant_no": refund.merchant_no,
        "channel": refund.channel,
        "payment_no": refund.payment_no,
        "outer_refund_no": refund.outer_refund_no,
        "refund_no": refund.refund_no,
        "currency": refund.currency,
        "amount": _money(refund.amount, refund.currency),
        "reason": refund.reason,
        "status": refund.status,
        "explanation": refund.explanation,
        "ended_at": instant(refund.ended_at),
        **case_json(refund),
        "outcome_unknown": refund.in_doubt,
        "next_action": refund.next_action,
        "due_at": instant(refund.due_at),
    }


def case_json(errand: Payment | Refund) -> dict[str, Any]:
    """Whether a person should look at it, why, and since when."""
    case = {"reason": errand.case_reason, "since": instant(errand.case_since)} if errand.needs_review else None
    return {"needs_review": errand.needs_review, "case": case}


def rate_json(rate: Rate, age_seconds: float) -> dict[str, Any]:
    return {
        "channel": rate.channel,
        "currency": rate.currency,
        "rate": rate.rate,
        "fetched_at": instant(rate.fetched_at),
        "age_seconds": round(age_seconds),
    }


def event_json(event: PaymentEvent) -> dict[str, Any]:
    return {
        "at": instant(event.at),
        "kind": event.kind,
        "actor": event.actor,
        "refund_id": event.refund_id,
        "detail": event.detail,
        "request": event.request,
        "reply": event.reply,
        "duration_ms": event.duration_ms,
    }


def _money(amount: Decimal, currency: str) -> str:
    return money_text(amount, CURRENCY_PLACES[currency])
