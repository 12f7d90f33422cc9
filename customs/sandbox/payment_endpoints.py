"""Payment endpoints: every signed call of sections 4 to 8 and what answers it."""

import hashlib
import secrets
from collections.abc import Callable, Mapping

from customs.sandbox.bills import Bills
from customs.sandbox.calls import Answer, Call, Refused, answered, answered_beside
from customs.sandbox.context import SandboxContext, keep, refunds_of, settle, settle_refund
from customs.sandbox.methods import METHODS
from customs.sandbox.payments import Payment, Refund, shanghai
from customs.sandbox.response_fields import REPLIES, left, numbered, order, refund
from customs.sandbox.values import is_amount, rate_text, wrong_payment_values

Operation = Callable[[SandboxContext, Call], Answer]

CASHIER_PATHS = ("wechatpay_cashier_desk", "wechatpay_mp_cashier_desk", "alipay_cashier_desk")
UNKNOWN_ORDER = "no order is known by this number"
UNKNOWN_REFUND = "no refund is known by this number"


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
            return _add_order(context, call, content, extra)
        if (known.method, known.content, known.extra) != (call.endpoint, content, extra):
            raise Refused(400, "this number was used before with other content")
        settle(context, known)
        known.creates += context.settings.non_idempotent
        context.payments.keep_payment(known, context.settings.step_seconds)
        return known


def _add_order(context: SandboxContext, call: Call, content: dict[str, str], extra: dict[str, str]) -> Payment:
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


def query_order(context: SandboxContext, call: Call) -> Answer:
    """The order as it stands. Raises Refused: 404 unknown."""
    with context.payments.turn():
        payment = named(context, call)
        payment.reads += 1
        context.payments.keep_payment(payment, context.settings.step_seconds)
        hidden = payment.reads <= payment.scenario.hidden_reads
        refunds = refunds_of(context, payment)
    # Outside of the turn: the read counts although it found nothing.
    if hidden:
        raise Refused(404, UNKNOWN_ORDER)
    replies = REPLIES[call.channel]
    if call.numbers and replies.order_refund:
        listed = [refund(one, replies.order_refund) for one in refunds]
        return answered({"order": order(payment, refunds, replies.order), "refunds": listed})
    return answered({"order": order(payment, refunds, replies.order + replies.settled)})


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
        raise Refused(404, UNKNOWN_ORDER)
    return settle(context, payment)


def refund_order(context: SandboxContext, call: Call) -> Answer:
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
            one = _add_refund(context, payment, content)
    return answered({"refund": refund(one, REPLIES[call.channel].refund)})


def _add_refund(context: SandboxContext, payment: Payment, content: dict[str, str]) -> Refund:
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


def query_refund(context: SandboxContext, call: Call) -> Answer:
    """One refund, or all of an order. Raises Refused: 404 unknown."""
    params, replies = call.params, REPLIES[call.channel]
    with context.payments.turn():
        if not {"refund_no", "outer_refund_no"} & params.keys():
            refunds = refunds_of(context, named(context, call))
            listed = [refund(one, replies.listed_refund) for one in refunds]
            return answered_beside(refunds=numbered(listed) if replies.lists_numbers else listed)
        if "refund_no" in params:
            one = context.payments.refund(params["refund_no"], call.channel)
        else:
            one = context.payments.refund_by_our_no(params["outer_refund_no"], call.channel)
        if one is None:
            raise Refused(404, UNKNOWN_REFUND)
        settle_refund(context, one)
    shown = refund(one, replies.asked_refund)
    return answered_beside(refund=shown) if replies.beside_meta else answered({"info": shown})


def _openid(context: SandboxContext, call: Call) -> Answer:
    """4.4: whose code it is; the same code is the same person."""
    digest = hashlib.sha256(call.params["code"].encode()).hexdigest()
    return answered({"openid": f"o{digest[:27]}"})


def _rate(context: SandboxContext, call: Call) -> Answer:
    """4.11 in `data`, 6.8 beside `meta`."""
    currency = call.params["currency"]
    shown = {"currency": currency, "rate": rate_text(call.channel, currency)}
    return answered_beside(rate=shown) if REPLIES[call.channel].beside_meta else answered(shown)


class PaymentCalls:
    """The payment side of one sandbox."""

    def __init__(self, context: SandboxContext, bills: Bills) -> None:
        self._context = context
        self._operations: Mapping[str, Operation] = {
            **dict.fromkeys((name for name in METHODS if name not in CASHIER_PATHS), create),
            "wx_openid": _openid,
            "order": query_order,
            "alipay_order": query_order,
            "refund": refund_order,
            "alipay_refund": refund_order,
            "query_refund": query_refund,
            "alipay_query_refund": query_refund,
            "rate": _rate,
            "alipay_rate": _rate,
            "download_bill": bills.download,
        }

    def __contains__(self, endpoint: str) -> bool:
        return endpoint in self._operations

    def answer(self, call: Call) -> Answer:
        """Process one call that was let in. Raises Refused."""
        if wrong := wrong_payment_values(call.params):
            raise Refused(400, "; ".join(wrong), "parameters")
        answer = self._operations[call.endpoint](self._context, call)
        return Answer(answer.status, numbered(dict(answer.body)), answer.file) if call.numbers else answer
