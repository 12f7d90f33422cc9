"""Order to be paid, and what a create answers: its number, and what the payer needs, of thirteen kinds (4, 6, 7)."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from string import Formatter
from typing import Any

from customs.gateway.error_mapping import legible
from customs.gateway.errors import OtherRecord, Unknown
from customs.gateway.exchange import Exchange, Reply
from customs.gateway.messages.orders import OrderReply, order_numbers, order_records, read_order
from customs.gateway.messages.records import amount_in, contradicts, find_records, text_in


class PayerKind(StrEnum):
    """What the payer needs: a code to scan, a page to open, parameters for an app or page, or nothing."""

    QR = "qr"
    URL = "url"
    PARAMETERS = "parameters"
    NOTHING = "nothing"


@dataclass(frozen=True)
class PayerData:
    """What the payer needs next. `url` is the content of the code (QR) or the page (URL).

    `parameters` are what the wallet's own call takes, by its names: WeixinJSBridge (4.1), wx.requestPayment (4.4),
    the app's SDK (4.5, 6.2). They pay, so they do not show.
    """

    kind: PayerKind
    url: str | None = field(default=None, repr=False)
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)


Find = Callable[[Mapping[str, Any]], dict[str, str] | None]


@dataclass(frozen=True)
class PayerNeed:
    """What the payer of a method needs, and how it is found in `data`."""

    kind: PayerKind
    find: Find = field(repr=False)

    def meet(self, body: Mapping[str, Any]) -> PayerData | None:
        """What the payer needs out of a reply, in `data` or beside `meta`; None when it is not all there."""
        for place in (body.get("data"), body):
            found = self.find(place) if isinstance(place, dict) else None
            if found is not None:
                is_link = self.kind in (PayerKind.QR, PayerKind.URL)
                return PayerData(self.kind, found["url"]) if is_link else PayerData(self.kind, parameters=found)
        return None


def filled_in(**templates: str) -> Find:
    """Finds texts by templates over the fields' names; all or nothing."""
    needed = {name for template in templates.values() for _, name, _, _ in Formatter().parse(template) if name}

    def find(data: Mapping[str, Any]) -> dict[str, str] | None:
        texts = {name: text_in(data, name) for name in needed}
        if None in texts.values():
            return None
        return {name: template.format(**texts) for name, template in templates.items()}

    return find


def object_at(name: str) -> Find:
    """Finds an object of plain values, or a JSON text of one."""

    def find(data: Mapping[str, Any]) -> dict[str, str] | None:
        value = data.get(name)
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except (ValueError, RecursionError):
                return None
        if not isinstance(value, dict) or not value or not all(map(_is_plain, value.values())):
            return None
        return {legible(inner): legible(content) for inner, content in value.items()}

    return find


def all_but(*names: str, certainly: tuple[str, ...]) -> Find:
    """Finds every plain field except these, where `certainly` are among them."""

    def find(data: Mapping[str, Any]) -> dict[str, str] | None:
        if any(text_in(data, name) is None for name in certainly):
            return None
        return {name: legible(value) for name, value in data.items() if name not in names and _is_plain(value)}

    return find


def _is_plain(value: object) -> bool:
    return value is not None and not isinstance(value, bool | dict | list)


def _nothing(data: Mapping[str, Any]) -> dict[str, str]:
    return {}


def _nowhere(data: Mapping[str, Any]) -> None:
    return None


NOTHING = PayerNeed(PayerKind.NOTHING, _nothing)
# 4.1: handed to getBrandWCPayRequest as it is.
JS_PARAM = PayerNeed(PayerKind.PARAMETERS, object_at("js_param"))
# 4.3 and 7.1 have the code drawn; 6.1 calls its link a code's too, though it leads to a page that shows one.
CODE_URL = PayerNeed(PayerKind.QR, filled_in(url="{code_url}"))
CODE_PAGE = PayerNeed(PayerKind.QR, filled_in(url="{url}"))
QRCODE = PayerNeed(PayerKind.QR, filled_in(url="{qrcode}"))
PAGE = PayerNeed(PayerKind.URL, filled_in(url="{url}"))
# 4.4, step four: the call of wx.requestPayment, in its names.
MINI_PROGRAM = PayerNeed(
    PayerKind.PARAMETERS,
    filled_in(
        timeStamp="{timeStamp}",
        nonceStr="{nonceStr}",
        package="prepay_id={prepay_id}",
        signType="MD5",
        paySign="{paySign}",
    ),
)
WECHAT_APP = PayerNeed(PayerKind.PARAMETERS, all_but("order_no", certainly=("prepayId", "sign")))
PREPAY_STRING = PayerNeed(PayerKind.PARAMETERS, filled_in(prepay_string="{prepay_string}"))
# A cashier desk is opened, not asked: there is no reply.
DESK = PayerNeed(PayerKind.URL, _nowhere)


@dataclass(frozen=True)
class Sale:
    """One order to be paid. `amount` is in `currency` (11.3).

    `our_no` goes out as agent_order_id or out_order_no: by it alone the order is found again. `subject` is what the
    payer reads. `extra` holds a method's own inputs by their names in the document (openid, auth_code, appid,
    return_url, ip, product_id, device_info); they may name a person or pay, so they do not show.
    """

    merchant_no: str
    currency: str
    amount: Decimal
    subject: str
    our_no: str
    notify_url: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class SaleReply:
    """A created order; its number, status and the order itself are None where a method's reply has none (4.1)."""

    payment_no: str | None
    status: str | None
    payer: PayerData
    order: OrderReply | None
    exchange: Exchange = field(repr=False)


def sale_reply(reply: Reply, sale: Sale, need: PayerNeed) -> SaleReply:
    """What was created; raises Unknown when the reply is about another sale or the payer could not pay with it.

    Some methods repeat none of our numbers, so what the payer needs is proof enough, unless something contradicts
    it. Where the payer needs nothing, our own number has to be repeated.
    """
    expected = {
        "our_no": sale.our_no,
        "merchant_no": sale.merchant_no,
        "currency": sale.currency,
        "amount": sale.amount,
    }
    records = order_records(reply.body)
    stated = [_stated(record, sale.currency) for record in records]
    payment_nos = {one["payment_no"] for one in stated} - {None}
    if any(contradicts(one, expected) for one in stated) or len(payment_nos) > 1:
        raise OtherRecord("the answer is about another order", exchange=reply.exchange)
    if need.kind is PayerKind.NOTHING and all(one["our_no"] is None for one in stated):
        raise Unknown("the order's numbers were not echoed", exchange=reply.exchange)
    payer = need.meet(reply.body)
    if payer is None:
        raise Unknown("what the payer needs is not in the answer", exchange=reply.exchange)
    orders = [read_order(record, reply) for record in records if text_in(record, "status")]
    if len(orders) > 1:
        raise Unknown("several orders fit the numbers", exchange=reply.exchange)
    order = orders[0] if orders else None
    return SaleReply(
        payment_no=payment_nos.pop() if payment_nos else None,
        status=order.status if order else None,
        payer=payer,
        order=order,
        exchange=reply.exchange,
    )


def openid_in(reply: Reply) -> str:
    """Who logged in (4.4); raises Unknown when it is not said."""
    openids = {text_in(record, "openid") for record in find_records(reply.body)} - {None}
    if len(openids) != 1:
        raise Unknown("the answer names no openid", exchange=reply.exchange)
    return openids.pop() or ""


def _stated(record: Mapping[str, Any], currency: str) -> dict[str, Any]:
    return order_numbers(record) | {
        "merchant_no": text_in(record, "merchant_no"),
        "currency": text_in(record, "currency"),
        "amount": amount_in(record, "amount", currency=currency),
    }
