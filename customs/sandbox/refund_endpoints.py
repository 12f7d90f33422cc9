"""Refunds: money goes back (4.8, 6.6), and is asked about (4.10, 6.7)."""

from customs.sandbox.context import SandboxContext
from customs.sandbox.payment_endpoints import named, new_number
from customs.sandbox.payment_lifecycle import refunds_of, settle_refund
from customs.sandbox.payments import Payment, Refund
from customs.sandbox.request import Call
from customs.sandbox.response_fields import (
    ALIPAY_ASKED_REFUND,
    ALIPAY_LISTED_REFUND,
    ALIPAY_REFUND,
    WECHAT_REFUND,
    left,
    numbered,
    refund,
)
from customs.sandbox.responses import Answer, Refused, answered, answered_beside
from customs.sandbox.values import is_amount

UNHEARD_OF = "no refund is known by this number"


def give_back(context: SandboxContext, call: Call) -> Answer:
    """A refund, or the one under the same number of the caller; without an amount: all that is left.

    Raises Refused: 404 unknown order; 400 not paid, more than is left, our number with other content.
    """
    content = dict(call.params)
    with context.payments.turn():
        payment = named(context, call)
        own_no = content.get("outer_refund_no", "")
        known = context.payments.refund_by_our_no(own_no, call.channel) if own_no else None
        if known and known.content != content:
            raise Refused(400, "this outer_refund_no was used before with other content")
        if known and not context.settings.non_idempotent:
            one = settle_refund(context, known)
        else:
            one = _added(context, payment, content)
    fields = ALIPAY_REFUND if call.channel == "alipay" else WECHAT_REFUND
    return answered({"refund": refund(one, fields)})


def _added(context: SandboxContext, payment: Payment, content: dict[str, str]) -> Refund:
    now = context.now()
    rest = left(payment, refunds_of(context, payment))
    amount = content.get("refund_amount", str(rest))
    if payment.status != "PAID":
        raise Refused(400, "only a paid order is refunded")
    if not is_amount(amount, payment.currency):
        raise Refused(400, "nothing is left" if rest == 0 else "refund_amount is no amount of the order's currency")
    one = Refund(
        channel=payment.channel,
        refund_no=new_number(now),
        payment_no=payment.payment_no,
        our_no=payment.our_no,
        amount=amount,
        content=content,
        since=now,
    )
    if one.decimal > rest:
        raise Refused(400, "refund_amount is more than is left")
    if refusal := one.scenario.refusal:
        raise Refused(refusal.status, refusal.message)
    one.begin("refund", now)
    context.payments.keep_refund(one, context.settings.step_seconds)
    return one


def query(context: SandboxContext, call: Call) -> Answer:
    """One refund, or all of an order. Raises Refused: 404 unknown."""
    params, alipay = call.params, call.channel == "alipay"
    with context.payments.turn():
        if not {"refund_no", "outer_refund_no"} & params.keys():
            refunds = refunds_of(context, named(context, call))
            # The sample of 4.10 has numbers here, whatever the Version.
            listed = [refund(one, ALIPAY_LISTED_REFUND if alipay else WECHAT_REFUND) for one in refunds]
            return answered_beside(refunds=listed if alipay else numbered(listed))
        if "refund_no" in params:
            one = context.payments.refund(params["refund_no"], call.channel)
        else:
            one = context.payments.refund_by_our_no(params["outer_refund_no"], call.channel)
        if one is None:
            raise Refused(404, UNHEARD_OF)
        settle_refund(context, one)
    if alipay:
        return answered_beside(refund=refund(one, ALIPAY_ASKED_REFUND))
    return answered({"info": refund(one, WECHAT_REFUND)})
