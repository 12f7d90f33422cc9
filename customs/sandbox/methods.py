"""Table of payment methods (4.1 to 4.7, 6.1 to 6.4, 7.1, 7.2): their names, and what the payer gets."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from customs.sandbox.payments import Payment

# What the payer gets, made of the payment and the address of its page here.
Handed = Callable[[Payment, str], dict[str, Any]]


def _made(payment: Payment, purpose: str, length: int = 32) -> str:
    """Something that looks random and is the same each time the same order is asked for."""
    return hashlib.sha256(f"{purpose} {payment.payment_no}".encode()).hexdigest()[:length]


def _nothing(payment: Payment, page: str) -> dict[str, Any]:
    return {}


def _link(name: str) -> Handed:
    return lambda payment, page: {name: page}


def _js_param(payment: Payment, page: str) -> dict[str, Any]:
    return {
        "js_param": {
            "appId": f"wx{_made(payment, 'app', 16)}",
            "timeStamp": str(int(payment.created_at)),
            "nonceStr": _made(payment, "nonce", 12),
            "package": f"prepay_id=wx{_made(payment, 'prepay')}",
            "signType": "MD5",
            "paySign": _made(payment, "sign"),
        }
    }


def _mini_program(payment: Payment, page: str) -> dict[str, Any]:
    return {
        "timeStamp": str(int(payment.created_at)),
        "prepay_id": f"wx{_made(payment, 'prepay')}",
        "nonceStr": _made(payment, "nonce", 12),
        "paySign": _made(payment, "sign"),
        "order_no": payment.payment_no,
    }


def _app(payment: Payment, page: str) -> dict[str, Any]:
    return {
        "appid": payment.content["appid"],
        "nonceStr": _made(payment, "nonce", 12),
        "order_no": payment.payment_no,
        "packageValue": "Sign=WXPay",
        "partnerId": "41391056",
        "prepayId": f"wx{_made(payment, 'prepay')}",
        "sign": _made(payment, "sign").upper(),
        "timeStamp": str(int(payment.created_at)),
    }


def _prepay_string(payment: Payment, page: str) -> dict[str, Any]:
    fields = {
        "_input_charset": "utf-8",
        "body": payment.subject,
        "currency": payment.currency,
        "forex_biz": "FP",
        "out_trade_no": payment.payment_no,
        "partner": "2088021966645500",
        "payment_type": "1",
        "seller_id": "2088021966645500",
        "service": "mobile.securitypay.pay",
        "subject": payment.subject,
        "total_fee": payment.content["amount"],
        "sign": quote(_made(payment, "sign")),
        "sign_type": "RSA",
    }
    return {"prepay_string": "&".join(f'{name}="{value}"' for name, value in fields.items())}


@dataclass(frozen=True)
class Method:
    """One row: the document's trade_type, what is handed out, and the fields of `data.order` (none: no order)."""

    trade_type: str
    handed: Handed = _nothing
    order: tuple[str, ...] = ()


MICRO = (
    "agent_order_id",
    "amount",
    "currency",
    "exchange_rate",
    "ip",
    "merchant_no",
    "no",
    "product_info",
    "pay_amount",
    "status",
    "settle_rate",
    "trade_type",
)
ALIPAY = (
    "status",
    "trade_type",
    "payment_no",
    "currency",
    "amount",
    "merchant_no",
    "outer_order_no",
    "trade_time",
    "subject",
    "exchange_rate",
)

METHODS: Mapping[str, Method] = {
    "mp_pay": Method("JSAPI", _js_param),
    "scan_pay": Method("MICRO", order=MICRO),
    "scanned_pay": Method("NATIVE", _link("code_url"), (*MICRO, "trade_time")),
    "mini_program_pay": Method("JSAPI", _mini_program),
    "app_pay": Method("APP", _app),
    "wechatpay_cashier_desk": Method("PC_DESK"),
    "wechatpay_mp_cashier_desk": Method("MP_DESK"),
    "alipay_scanned_pay": Method("NATIVE", _link("url"), ALIPAY),
    "alipay_app_pay": Method("NATIVE", _prepay_string, ALIPAY),
    "alipay_wap_pay": Method("NATIVE", _link("url"), ALIPAY),
    "alipay_cashier_desk": Method("DESK"),
    "alipay_qrcode_pay": Method("NATIVE", _link("qrcode"), ALIPAY),
    "alipay_scan_pay": Method("NATIVE", order=ALIPAY),
}
