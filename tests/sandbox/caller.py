"""A caller that signs as the document says, independent of customs.gateway: with OpenSSL's RSA by `cryptography`."""

import base64
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

AGENT = "123456"
WECHAT = "/wechatpay/declaration"
ALIPAY = "/alipay/declaration"
FORM = "application/x-www-form-urlencoded"


def encode(text: str) -> str:
    return quote(text, safe="").replace("~", "%7E")


def sorted_pairs(params: Mapping[str, str]) -> str:
    return "&".join(f"{encode(name)}={encode(value)}" for name, value in sorted(params.items()))


def order(channel: str = WECHAT, number: str = "1", **changes: str) -> dict[str, str]:
    """A plain declaration of a channel."""
    params = {
        "out_order_no": number,
        "payment_no": "P" + re.sub(r"[^0-9a-z]", "", number.lower()),
        "customs": "SHENZHEN" if channel == WECHAT else "ZONGSHU",
        "mch_customs_no": "123456789BTW",
    }
    if channel == ALIPAY:
        params["merchant_customs_name"] = "xxxhanguo_card"
    return params | changes


# Every signed way to pay: its path, and what it needs beside a plain sale.
OPENID = {"openid": "oQx43wJiwtsjv8C0lT5Lj7Mw1QZ4"}
APPID = {"appid": "wx247c9d9d6191b108"}
WAYS = {
    "/mp_pay": OPENID,
    "/order/scan_pay": {"auth_code": "135605691981176449"},
    "/order/scanned_pay": {},
    "/mini_program_pay": OPENID | APPID,
    "/order/app_pay": APPID,
    "/alipay/scanned_pay": {},
    "/alipay/app_pay": {},
    "/alipay/wap_pay": {"return_url": "http://127.0.0.1:1/back"},
    "/alipay/qrcode_pay": {},
    "/alipay/scan_pay": {"auth_code": "123456"},
}
DESKS = ("/wechatpay/cashier_desk", "/wechatpay/mp_cashier_desk", "/alipay/cashier_desk")
SCANS = ("/order/scan_pay", "/alipay/scan_pay")


def our_number(path: str) -> str:
    """How our order number is called there."""
    return "out_order_no" if path.startswith("/alipay/") else "agent_order_id"


def sale(path: str, number: str = "1", **changes: str) -> dict[str, str]:
    """A plain sale of 100 HKD."""
    goods = "subject" if path.startswith("/alipay/") else "product_info"
    params = {"merchant_no": "M1", "currency": "HKD", "amount": "100", goods: "演示订单"}
    return params | WAYS.get(path, {}) | ({our_number(path): number} if number else {}) | changes


BUYER = {"cert_id": "510921199308772318", "name": "李~雷 ·𠮷"}
SPLIT = {"sub_order_no": "S1", "sub_order_amount": "46.44"}
WECHAT_SPLIT = SPLIT | {"transport_amount": "23.22", "product_amount": "23.22"}


@dataclass
class Clock:
    """Time that moves only by `pass_by`."""

    seconds: float = field(default_factory=lambda: float(int(time.time())))

    def __call__(self) -> float:
        return self.seconds

    def pass_by(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class Caller:
    """Signs and sends; `transport(method, path, query, body, headers)` gives (status, JSON or None)."""

    key: rsa.RSAPrivateKey
    transport: Callable[[str, str, str, str, dict[str, str]], tuple[int, Any]]
    now: Callable[[], float] = time.time

    def headers(self, params: Mapping[str, str]) -> dict[str, str]:
        timestamp = str(int(self.now()))
        text = f"{sorted_pairs(params)},{timestamp}".encode()
        signature = base64.b64encode(self.key.sign(text, padding.PKCS1v15(), hashes.SHA256())).decode()
        return {"AgentNo": AGENT, "Signature": signature, "Version": "1.0", "Timestamp": timestamp}

    def send(self, method: str, path: str, params: Mapping[str, str], **changed: str) -> tuple[int, Any]:
        headers = self.headers(params) | changed
        sent = sorted_pairs(params)
        if method == "GET":
            return self.transport(method, path, sent, "", headers)
        return self.transport(method, path, "", sent, {"Content-Type": FORM} | headers)

    def pay(self, path: str, number: str = "1", **changes: str) -> tuple[int, Any]:
        return self.send("POST", path, sale(path, number, **changes))

    def order(self, number: str = "1", path: str = "/order") -> Any:
        """The order as the gateway shows it, or the status of the refusal."""
        status, body = self.send("GET", path, {our_number(path): number})
        return body["data"]["order"] if status == 200 else status

    def refund(self, path: str = "/refund", **params: str) -> tuple[int, Any]:
        return self.send("POST", path, params)

    def declare(self, channel: str, **params: str) -> tuple[int, Any]:
        return self.send("POST", channel, params)

    def redeclare(self, channel: str, **params: str) -> tuple[int, Any]:
        return self.send("POST", channel.replace("declaration", "redeclaration"), params)

    def query(self, channel: str, **params: str) -> tuple[int, Any]:
        return self.send("GET", channel, params)

    def state(self, channel: str, **params: str) -> str:
        status, body = self.query(channel, **params)
        return str(body["data"]["state"]) if status == 200 else str(status)
