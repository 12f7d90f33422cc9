"""Every signed call of sections 4 to 8 and what answers it: one table by the endpoint's name."""

import hashlib
from collections.abc import Callable, Mapping

from customs.sandbox import payment_endpoints, refund_endpoints
from customs.sandbox.bills import Bills
from customs.sandbox.context import SandboxContext
from customs.sandbox.currencies import rate_text
from customs.sandbox.methods import METHODS
from customs.sandbox.request import Call
from customs.sandbox.response_fields import numbered
from customs.sandbox.responses import Answer, Refused, answered, answered_beside
from customs.sandbox.values import wrong_values

Operation = Callable[[SandboxContext, Call], Answer]

CASHIER_PATHS = ("wechatpay_cashier_desk", "wechatpay_mp_cashier_desk", "alipay_cashier_desk")


def _openid(context: SandboxContext, call: Call) -> Answer:
    """4.4: whose code it is; the same code is the same person."""
    digest = hashlib.sha256(call.params["code"].encode()).hexdigest()
    return answered({"openid": f"o{digest[:27]}"})


def _rate(context: SandboxContext, call: Call) -> Answer:
    """4.11 in `data`, 6.8 beside `meta`."""
    currency = call.params["currency"]
    shown = {"currency": currency, "rate": rate_text(call.channel, currency)}
    return answered_beside(rate=shown) if call.channel == "alipay" else answered(shown)


class PaymentCalls:
    """The payment side of one sandbox."""

    def __init__(self, context: SandboxContext, bills: Bills) -> None:
        self._context = context
        self._operations: Mapping[str, Operation] = {
            **dict.fromkeys((name for name in METHODS if name not in CASHIER_PATHS), payment_endpoints.create),
            "wx_openid": _openid,
            "order": payment_endpoints.query,
            "alipay_order": payment_endpoints.query,
            "refund": refund_endpoints.give_back,
            "alipay_refund": refund_endpoints.give_back,
            "query_refund": refund_endpoints.query,
            "alipay_query_refund": refund_endpoints.query,
            "rate": _rate,
            "alipay_rate": _rate,
            "download_bill": bills.download,
        }

    def __contains__(self, endpoint: str) -> bool:
        return endpoint in self._operations

    def answer(self, call: Call) -> Answer:
        """Process one call that was let in. Raises Refused."""
        if wrong := wrong_values(call.params):
            raise Refused(400, "; ".join(wrong), "parameters")
        answer = self._operations[call.endpoint](self._context, call)
        return Answer(answer.status, numbered(dict(answer.body)), answer.file) if call.numbers else answer
