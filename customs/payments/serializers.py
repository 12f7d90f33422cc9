"""How payments and refunds look from outside: the payer's next step in one shape, who paid masked."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import segno
from segno.encoder import DataOverflowError

from customs.errors import DecryptionKeyMissing
from customs.gateway import CURRENCY_PLACES, Channel, PayerKind
from customs.payments.collect.refunds import refundable
from customs.payments.models import Payment, PaymentEvent, Rate, Refund
from customs.payments.redaction import mask_account, personal_place
from customs.payments.states import Refunded, RefundStatus, Status
from customs.payments.tasks.task import TaskAction
from customs.privacy.vault import Vault
from customs.web import response_fields as out
from customs.web.response_fields import CaseOut, Out

QR_SCALE = 4


@dataclass(frozen=True)
class PayerView:
    """What the payer needs next; `drawn`: a QR code is wanted as an image too."""

    kind: str
    url: str | None
    parameters: Mapping[str, str]
    drawn: bool

    @property
    def qr_svg(self) -> str | None:
        return qr_svg(self.url or "", scale=QR_SCALE) if self.drawn and self.kind == PayerKind.QR else None


class PayerOut(Out):
    """What the payer needs next."""

    kind = out.Choice(PayerKind, "How the payer goes on: shows a QR code, opens a page, or hands over parameters.")
    url = out.Text("What the QR code holds, or the page to open.", null=True)
    qr_svg = out.Text("The code as an inline SVG, to be shown as it is; null in lists.", null=True)
    parameters = out.TextByName("For the payment company's own kit.")


class RefundOut(Out):
    """All or a part of a payment given back."""

    id = out.Id("ref")
    created_at = out.Instant()
    payment_id = out.Id("pay", "The payment that it gives back.")
    merchant_no = out.Text()
    channel = out.Choice(Channel)
    payment_no = out.Text()
    outer_refund_no = out.Text()
    refund_no = out.Text(null=True)
    currency = out.Choice(CURRENCY_PLACES)
    amount = out.Amount("What is given back, in its currency.")
    reason = out.Text("Why, as it was asked for.")
    status = out.Choice(RefundStatus, "PENDING until the gateway tells how it ended.")
    explanation = out.Text(null=True)
    ended_at = out.Instant("When it came to its end.", null=True)
    needs_review = out.Flag()
    case = out.Object(CaseOut, of=lambda one: one if one.needs_review else None, null=True)
    outcome_unknown = out.Flag(attribute="in_doubt")
    next_action = out.Choice(TaskAction, null=True)
    due_at = out.Instant(null=True)


@dataclass(frozen=True)
class PaymentView:
    """A payment with the vault that its payer is sealed in, and as a detail with its refunds."""

    payment: Payment
    vault: Vault
    refunds: Sequence[Refund] | None

    @property
    def payer(self) -> PayerView | None:
        payer = self.payment.payer
        return PayerView(payer["kind"], payer["url"], payer["parameters"], self.refunds is not None) if payer else None

    @property
    def case(self) -> Payment | None:
        return self.payment if self.payment.needs_review else None

    @property
    def paid_by(self) -> dict[str, str] | None:
        """Who paid, masked; left out when the key is missing, for the rest can still be shown."""
        if self.payment.personal is None:
            return None
        try:
            opened = json.loads(self.vault.open(self.payment.personal, personal_place(self.payment.id)))
        except DecryptionKeyMissing:
            return None
        return {name: mask_account(value) for name, value in opened.items()}


class PaymentOut(Out):
    """One order to be paid."""

    source = "payment"

    id = out.Id("pay")
    created_at = out.Instant()
    channel = out.Choice(Channel)
    method = out.Text()
    merchant_no = out.Text()
    out_order_no = out.Text()
    payment_no = out.Text("The gateway's number, once it is known.", null=True)
    currency = out.Choice(CURRENCY_PLACES)
    amount = out.Amount("What is to be paid, in its currency.")
    subject = out.Text()
    status = out.Choice(Status, "INIT until the gateway tells how it ended.")
    explanation = out.Text(null=True)
    payer = out.Object(PayerOut, of=attrgetter("payer"), null=True)
    paid_by = out.TextByName("Who paid, masked.", of=attrgetter("paid_by"), null=True)
    paid_at = out.Instant("When it was paid.", null=True)
    pay_amount = out.Yuan("What the payer paid, in pay_currency.", null=True)
    pay_currency = out.Text("The currency that the payer paid in.", null=True)
    exchange_rate = out.Text("The rate between both currencies, as the gateway tells it.", null=True)
    trade_type = out.Text("How it was paid, in the gateway's word.", null=True)
    wallet = out.Text("The wallet it was paid from, in the gateway's word.", null=True)
    refund_status = out.Choice(Refunded, "Whether nothing, a part or all of it was refunded.")
    refundable_amount = out.Amount("What may still be refunded.", of=lambda view: refundable(view.payment))
    needs_review = out.Flag()
    case = out.Object(CaseOut, of=attrgetter("case"), null=True)
    outcome_unknown = out.Flag(attribute="in_doubt")
    next_action = out.Choice(TaskAction, null=True)
    due_at = out.Instant(null=True)


class PaymentDetailOut(PaymentOut):
    """One order to be paid, with its refunds."""

    refunds = out.List(out.Object(RefundOut), "Oldest first.", of=attrgetter("refunds"))


@dataclass(frozen=True)
class RateView:
    """A rate and its age."""

    rate: Rate
    age_seconds: float


class RateOut(Out):
    """A reference rate."""

    source = "rate"

    channel = out.Choice(Channel)
    currency = out.Choice(CURRENCY_PLACES)
    rate = out.Text("Yuan for one unit of the currency.", shape={"examples": ["0.8599"]})
    fetched_at = out.Instant("When the gateway was asked for it.")
    age_seconds = out.Integer("How long ago that was.", of=lambda view: round(view.age_seconds))


class PaymentEventOut(Out):
    """One entry of the timeline of a payment and its refunds."""

    at = out.Instant()
    kind = out.Choice(("call", "action"), "A call to the gateway, or a person's action.")
    actor = out.Text()
    refund_id = out.Id("ref", "The refund it is about; null for the payment itself.", null=True)
    detail = out.TextByName()
    request = out.TextByName(null=True)
    reply = out.Text(null=True)
    duration_ms = out.Integer(null=True)


PAYMENT, PAYMENT_DETAIL, REFUND = PaymentOut(), PaymentDetailOut(), RefundOut()
RATE, PAYMENT_EVENT = RateOut(), PaymentEventOut()


def payment_json(payment: Payment, vault: Vault, refunds: Sequence[Refund] | None = None) -> dict[str, Any]:
    """A payment; with `refunds` as a detail shows it."""
    schema = PAYMENT if refunds is None else PAYMENT_DETAIL
    shown: dict[str, Any] = schema.dump(PaymentView(payment, vault, refunds))
    return shown


def qr_svg(content: str, *, scale: int | None = None) -> str | None:
    """The code as an inline SVG, without a `scale` as large as its place; None for more than a code can hold."""
    try:
        svg: str = segno.make_qr(content).svg_inline(scale=scale or 1, omitsize=scale is None)
    except DataOverflowError:
        return None
    return svg


def refund_json(refund: Refund) -> dict[str, Any]:
    shown: dict[str, Any] = REFUND.dump(refund)
    return shown


def rate_json(rate: Rate, age_seconds: float) -> dict[str, Any]:
    shown: dict[str, Any] = RATE.dump(RateView(rate, age_seconds))
    return shown


def event_json(event: PaymentEvent) -> dict[str, Any]:
    shown: dict[str, Any] = PAYMENT_EVENT.dump(event)
    return shown
