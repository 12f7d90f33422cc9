"""Fields of orders and refunds in each reply, in the spellings of the document's samples."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from customs.sandbox.methods import METHODS
from customs.sandbox.payments import Payment, Refund, given_back
from customs.sandbox.values import charge, paid_in, rate_text

WECHAT_ORDER = (
    "status",
    "openid",
    "trade_type",
    "exchange_rate",
    "ip",
    "no",
    "device_info",
    "currency",
    "amount",
    "trade_time",
    "merchant_no",
    "pay_currency",
    "product_info",
    "pay_amount",
    "agent_order_id",
    "product_id",
    "pay_method",
)
SETTLED = ("settle_rate", "refund_status", "refundable_amount")
ALIPAY_ORDER = (
    "amount",
    "buyer_email",
    "channel",
    "charge_amount",
    "currency",
    "exchange_rate",
    "merchant_no",
    "payment_no",
    "buyer_id",
    "pay_amount",
    "pay_currency",
    "product_info",
    "refund_status",
    "refundable_amount",
    "status",
    "subject",
    "trade_time",
    "trade_type",
    "out_order_no",
)
# 4.6.3 and 4.7.3 for WeChat, 6.4.3 for Alipay; `tarde_type` is the document's spelling.
WECHAT_RETURN = (
    "no",
    "agent_order_id",
    "merchant_no",
    "currency",
    "amount",
    "exchange_rate",
    "tarde_type",
    "product_info",
    "trade_time",
    "status",
)
ALIPAY_RETURN = (
    "no",
    "out_order_no",
    "merchant_no",
    "currency",
    "amount",
    "exchange_rate",
    "tarde_type",
    "subject",
    "trade_time",
    "status",
)

WECHAT_REFUND = ("no", "order_no", "outer_refund_no", "refund_amount", "status")
# The list of Version 2.0 in 4.9.
WECHAT_ORDER_REFUND = ("no", "order_no", "refund_amount", "status")
ALIPAY_REFUND = ("refund_no", "payment_no", "outer_refund_no", "refund_amount", "status")
# 6.7 answers in WeChat's words; its list adds `refund_no`.
ALIPAY_ASKED_REFUND = ("no", "order_no", "agent_order_id", "outer_refund_no", "refund_amount", "status")
ALIPAY_LISTED_REFUND = ("no", "order_no", "refund_no", "agent_order_id", "outer_refund_no", "refund_amount", "status")


@dataclass(frozen=True)
class Replies:
    """The fields of one channel's replies about payments.

    `settled` are added to `order`, but in Version 2.0 a list with the fields `order_refund` is, where it knows one.
    `refund` answers a refund, `asked_refund` a query of one, `listed_refund` a query of an order's refunds.
    `brought_back` go to the return_url. `beside_meta`: one refund and a rate stand beside `meta`, not in `data`.
    `lists_numbers`: amounts of listed refunds are numbers, whatever the Version (the sample of 4.10).
    """

    order: tuple[str, ...]
    settled: tuple[str, ...]
    order_refund: tuple[str, ...]
    refund: tuple[str, ...]
    asked_refund: tuple[str, ...]
    listed_refund: tuple[str, ...]
    brought_back: tuple[str, ...]
    beside_meta: bool
    lists_numbers: bool


REPLIES = {
    "wechatpay": Replies(
        order=WECHAT_ORDER,
        settled=SETTLED,
        order_refund=WECHAT_ORDER_REFUND,
        refund=WECHAT_REFUND,
        asked_refund=WECHAT_REFUND,
        listed_refund=WECHAT_REFUND,
        brought_back=WECHAT_RETURN,
        beside_meta=False,
        lists_numbers=True,
    ),
    "alipay": Replies(
        order=ALIPAY_ORDER,
        settled=(),
        order_refund=(),
        refund=ALIPAY_REFUND,
        asked_refund=ALIPAY_ASKED_REFUND,
        listed_refund=ALIPAY_LISTED_REFUND,
        brought_back=ALIPAY_RETURN,
        beside_meta=True,
        lists_numbers=False,
    ),
}

NUMBERS = frozenset(
    {
        "amount",
        "charge_amount",
        "exchange_rate",
        "pay_amount",
        "rate",
        "refund_amount",
        "refundable_amount",
        "settle_rate",
    }
)


def order(payment: Payment, refunds: list[Refund], fields: tuple[str, ...]) -> dict[str, Any]:
    """The order with these fields; what is not known (yet) is left out."""
    facts = _facts(payment, refunds)
    return {name: facts[name] for name in fields if facts[name] is not None}


def _facts(payment: Payment, refunds: list[Refund]) -> Mapping[str, str | None]:
    content, wallet = payment.content, payment.wallet
    paid = payment.status == "PAID"
    own_no = payment.our_no or None
    trade_type = METHODS[payment.method].trade_type
    return {
        "no": payment.payment_no,
        "payment_no": payment.payment_no,
        "agent_order_id": own_no,
        "out_order_no": own_no,
        "outer_order_no": own_no,
        "merchant_no": content["merchant_no"],
        "currency": payment.currency,
        "amount": content["amount"],
        "status": payment.status,
        "trade_type": trade_type,
        "tarde_type": trade_type,
        "trade_time": payment.trade_time,
        "subject": payment.subject,
        "product_info": payment.subject,
        "product_id": content.get("product_id"),
        "device_info": content.get("device_info", ""),
        "ip": content.get("ip"),
        "openid": content.get("openid", f"o{payment.payer}" if paid else None),
        "buyer_id": f"2{payment.payer}" if paid else None,
        "buyer_email": f"{payment.payer[-5:]}@163.com" if paid else None,
        "exchange_rate": rate_text(payment.channel, payment.currency),
        "settle_rate": "1",
        "pay_currency": wallet.currency,
        "pay_amount": str(paid_in(wallet.currency, payment.currency, payment.amount)),
        "charge_amount": str(charge(payment.currency, payment.amount)),
        "pay_method": wallet.wechatpay,
        "channel": wallet.alipay,
        "refund_status": _refund_status(payment, refunds),
        # Also of an unpaid order, as the sample of 4.9 has it.
        "refundable_amount": str(left(payment, refunds)),
    }


def left(payment: Payment, refunds: list[Refund]) -> Decimal:
    """What may still be refunded of an order, once it is paid."""
    return payment.amount - given_back(refunds)


def _refund_status(payment: Payment, refunds: list[Refund]) -> str:
    back = given_back(refunds, certain=True)
    # 4.9 and 6.5 write "None" where their tables say NONE.
    return "None" if not back else "FULL" if back == payment.amount else "PART"


def refund(one: Refund, fields: tuple[str, ...]) -> dict[str, Any]:
    """The refund with these fields; a number of the caller that was not given is left out."""
    facts = {
        "no": one.refund_no,
        "refund_no": one.refund_no,
        "order_no": one.payment_no,
        "payment_no": one.payment_no,
        "agent_order_id": one.our_no or None,
        "outer_refund_no": one.outer_refund_no or None,
        "refund_amount": one.amount,
        "status": one.status,
    }
    return {name: facts[name] for name in fields if facts[name] is not None}


def numbered(value: Any) -> Any:
    """The same with numbers where amounts and rates stand as text (Version 2.0)."""
    if isinstance(value, list):
        return [numbered(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _number(one) if name in NUMBERS and isinstance(one, str) else numbered(one) for name, one in value.items()
    }


def _number(text: str) -> int | float:
    exact = Decimal(text)
    return int(exact) if exact == exact.to_integral_value() else float(exact)
