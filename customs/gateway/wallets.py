"""Collect and refund money through either wallet behind one class (4, 5, 6 and 7)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from customs.gateway.channels import FIELD_NAMES, PAYMENT_CHANNELS, Channel
from customs.gateway.client import Gateway
from customs.gateway.declaration_request import drop_empty
from customs.gateway.endpoints import BY_NAME, Endpoint
from customs.gateway.errors import Misuse, Unknown
from customs.gateway.exchange import Exchange, Reply
from customs.gateway.messages import (
    OrderReply,
    RefundReply,
    SaleReply,
    openid_in,
    order_reply,
    refund_replies,
    refund_reply,
    sale_reply,
)
from customs.gateway.messages.records import find_records, rate_in, text_in
from customs.gateway.messages.sales import Sale
from customs.gateway.methods import Method
from customs.gateway.money import amount_text


@dataclass(frozen=True)
class RateReply:
    """Yuan for one unit of the currency; what a payment is settled with is its own order's rate (6.8)."""

    currency: str
    rate: Decimal
    exchange: Exchange = field(repr=False)


def rate_reply(reply: Reply, currency: str) -> RateReply:
    """The rate of this currency; raises Unknown when it is another's, absent, zero or no number."""
    records = [record for record in find_records(reply.body) if text_in(record, "currency") == currency]
    rates = {rate_in(record, "rate") for record in records} - {None}
    if len(rates) != 1:
        raise Unknown("the currency's rate was not echoed", exchange=reply.exchange)
    rate = rates.pop()
    if not rate:
        raise Unknown("a rate of zero", exchange=reply.exchange)
    return RateReply(currency, rate, reply.exchange)


class Wallet:
    """One wallet's payments. Every method is one call; each raises GatewayError.

    Queries go by our own numbers only. A signature covers neither verb nor path: signed for a GET, the payment's
    number alone would be the signature of a full refund (4.8, 6.6).
    """

    def __init__(self, gateway: Gateway, channel: Channel) -> None:
        self._gateway = gateway
        self._channel = channel
        self._names = FIELD_NAMES[channel]

    def create(self, method: Method, sale: Sale) -> SaleReply:
        """Creates the order; Misuse for a cashier desk, which the payer's browser opens (see cashier_url)."""
        if method.channel is not self._channel:
            raise Misuse(f"{method.endpoint.path} is not a method of {self._channel}")
        return sale_reply(self._call(method.endpoint, method.params(sale)), sale, method.need)

    def query(self, our_no: str, payment_no: str | None = None, sale: Sale | None = None) -> OrderReply:
        """4.9, 6.5. Neither `payment_no` nor `sale` is sent: they prove an answer that does not repeat our number."""
        params = drop_empty(**{self._names.our_no: our_no})
        like = {"merchant_no": sale.merchant_no, "currency": sale.currency, "amount": sale.amount} if sale else None
        return order_reply(self._call(self._names.order, params), our_no, payment_no, like)

    def refund(self, payment_no: str, amount: Decimal, currency: str, outer_refund_no: str) -> RefundReply:
        """4.8, 6.6: always with an amount, since without one all is refunded, and with our number for it."""
        if not outer_refund_no:
            raise Misuse("without our own number a repeat would refund twice")
        params = drop_empty(
            **{self._names.payment_no: payment_no},
            refund_amount=amount_text(amount, currency),
            outer_refund_no=outer_refund_no,
        )
        return refund_reply(self._call(self._names.refund, params), outer_refund_no, payment_no)

    def query_refund(self, outer_refund_no: str, payment_no: str | None = None) -> RefundReply:
        """4.10, 6.7, by our number for the refund. `payment_no` is not sent, it only proves the answer."""
        params = drop_empty(outer_refund_no=outer_refund_no)
        return refund_reply(self._call(self._names.query_refund, params), outer_refund_no, payment_no)

    def refunds_of(self, our_no: str, payment_no: str) -> list[RefundReply]:
        """4.10, 6.7: every refund of our order. `payment_no` is not sent: WeChat's list repeats no other number."""
        params = drop_empty(**{self._names.our_no_of_refunds: our_no})
        return refund_replies(self._call(self._names.query_refund, params), our_no, payment_no)

    def rate(self, merchant_no: str, currency: str) -> RateReply:
        """4.11, 6.8: the reference rate; Alipay's does not depend on the merchant."""
        params = drop_empty(merchant_no=merchant_no, currency=currency)
        known = {name: value for name, value in params.items() if name in self._names.rate.known}
        return rate_reply(self._call(self._names.rate, known), currency)

    def openid(self, code: str, merchant_no: str) -> str:
        """4.4: who logged in with this code of wx.login(), for mini_program_pay; Misuse at Alipay, which has none."""
        if self._channel is not Channel.WECHATPAY:
            raise Misuse(f"{self._channel} knows no openid: it is WeChat's (4.4)")
        return openid_in(self._call(BY_NAME["wx_openid"], drop_empty(code=code, merchant_no=merchant_no)))

    def _call(self, endpoint: Endpoint, params: Mapping[str, str]) -> Reply:
        return self._gateway.call(endpoint, params)


def wallets(gateway: Gateway) -> Mapping[Channel, Wallet]:
    """Every wallet over one client."""
    return {channel: Wallet(gateway, channel) for channel in PAYMENT_CHANNELS}
