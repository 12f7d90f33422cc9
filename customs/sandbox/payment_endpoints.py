"""Orders: a payment is asked for (4.1 to 4.7, 6.1 to 6.4, 7.1, 7.2), and asked about (4.9, 6.5)."""

import hashlib
import secrets
from collections.abc import Mapping

from customs.sandbox.context import SandboxContext
from customs.sandbox.methods import METHODS
from customs.sandbox.payment_lifecycle import keep, refunds_of, settle
from customs.sandbox.payments import Payment, shanghai
from customs.sandbox.request import Call
from customs.sandbox.response_fields import ALIPAY_ORDER, SETTLED, WECHAT_ORDER, WECHAT_ORDER_REFUND, order, refund
from customs.sandbox.responses import Answer, Refused, answered

UNHEARD_OF = "no order is known by this number"


def create(context: SandboxContext, call: Call) -> Answer:
    """A new order, or the one that was created by the same call before."""
    payment = ordered(context, call)
    method = METHODS[call.endpoint]
    handed = method.handed(payment, f"{call.root}pay/{payment.payment_no}")
    shown = {"order": order(payment, [], method.order)} if method.order else {}
    return answered({**handed, **shown})


def ordered(context: SandboxContext, call: Call, extra: Mapping[str, str] | None = None) -> Payment:
    """The order of this call. Raises Refused: 400 our number with other content, and what its scenario says."""
    content = _kept(call.params)
    extra = dict(extra or {})
    with context.payments.turn():
        known = context.payments.payment_by_our_no(call.our_no, call.channel) if call.our_no else None
        if known is None:
            return _added(context, call, content, extra)
        if (known.method, known.content, known.extra) != (call.endpoint, content, extra):
            raise Refused(400, "this number was used before with other content")
        settle(context, known)
        known.creates += context.settings.non_idempotent
        context.payments.keep_payment(known, context.settings.step_seconds)
        return known


def _added(context: SandboxContext, call: Call, content: dict[str, str], extra: dict[str, str]) -> Payment:
    now = context.now()
    payment = Payment(
        channel=call.channel,
        method=call.endpoint,
        payment_no=new_number(now),
        content=content,
        extra=extra,
        created_at=now,
        since=now,
    )
    if refusal := payment.scenario.refusal:
        raise Refused(refusal.status, refusal.message)
    payment.begin("create", now)
    keep(context, payment, "")
    return payment


def _kept(params: Mapping[str, str]) -> dict[str, str]:
    # A payment code is money in the hand: its digest suffices to tell a repeat.
    return {
        name: hashlib.sha256(value.encode()).hexdigest()[:16] if name == "auth_code" else value
        for name, value in params.items()
    }


def new_number(now: float) -> str:
    """A number as the samples show them: the time in Shanghai and eleven digits."""
    return "".join(filter(str.isdigit, shanghai(now))) + f"{secrets.randbelow(10**11):011d}"


def query(context: SandboxContext, call: Call) -> Answer:
    """The order as it stands. Raises Refused: 404 unknown."""
    with context.payments.turn():
        payment = named(context, call)
        payment.reads += 1
        context.payments.keep_payment(payment, context.settings.step_seconds)
        hidden = payment.reads <= payment.scenario.hidden_reads
        refunds = refunds_of(context, payment)
    # Outside of the turn: the read counts although it found nothing.
    if hidden:
        raise Refused(404, UNHEARD_OF)
    if call.channel == "alipay":
        return answered({"order": order(payment, refunds, ALIPAY_ORDER)})
    if call.numbers:
        listed = [refund(one, WECHAT_ORDER_REFUND) for one in refunds]
        return answered({"order": order(payment, refunds, WECHAT_ORDER), "refunds": listed})
    return answered({"order": order(payment, refunds, WECHAT_ORDER + SETTLED)})


def named(context: SandboxContext, call: Call) -> Payment:
    """The order that the call names by the gateway's number or ours, moved to where it stands now.

    Raises Refused: 404 unknown.
    """
    params, payments = call.params, context.payments
    theirs = params.get("order_no") or params.get("payment_no")
    payment = (
        payments.payment(theirs, call.channel) if theirs else payments.payment_by_our_no(call.our_no, call.channel)
    )
    if payment is None:
        raise Refused(404, UNHEARD_OF)
    return settle(context, payment)
