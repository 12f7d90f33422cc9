"""Channels of the document: how each wallet files declarations (9), and what it calls its fields (4 and 6)."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from customs.gateway.client import Gateway
from customs.gateway.declaration_request import Filing, drop_empty
from customs.gateway.endpoints import BY_NAME, Endpoint
from customs.gateway.errors import Misuse
from customs.gateway.messages import DeclarationReply, declaration_reply
from customs.gateway.money import money_text


class Channel(StrEnum):
    """Whose wallet paid; the value is the first part of the path in section 9."""

    WECHATPAY = "wechatpay"
    ALIPAY = "alipay"


class DeclarationChannel(ABC):
    """Section 9 for one wallet. Every method is one call; each raises GatewayError."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    @abstractmethod
    def declare(self, filing: Filing) -> DeclarationReply:
        """Files for the first time; the same filing again is the same declaration."""

    @abstractmethod
    def modify(self, filing: Filing) -> DeclarationReply:
        """Files corrected content, whole."""

    @abstractmethod
    def redeclare(self, filing: Filing) -> DeclarationReply:
        """Asks for another push of what was filed."""

    @abstractmethod
    def query(self, filing: Filing) -> DeclarationReply:
        """Asks for the state; NotFound when the gateway does not know this push."""

    def _call(self, name: str, filing: Filing, params: dict[str, str]) -> DeclarationReply:
        return declaration_reply(self._gateway.call(BY_NAME[name], drop_empty(**params)), filing)


class WeChatPay(DeclarationChannel):
    """The `wechatpay` channel."""

    def declare(self, filing: Filing) -> DeclarationReply:
        """9.1 with action_type ADD."""
        return self._file(filing, "ADD")

    def modify(self, filing: Filing) -> DeclarationReply:
        """9.1 with action_type MODIFY: the changed fields, and the rest as it was filed first."""
        return self._file(filing, "MODIFY")

    def redeclare(self, filing: Filing) -> DeclarationReply:
        """9.2 takes the numbers only; the gateway pushes what it holds."""
        params = filing.params_for(BY_NAME["wechatpay_redeclare"]) | filing.repush_number
        return self._call("wechatpay_redeclare", filing, params)

    def query(self, filing: Filing) -> DeclarationReply:
        """9.3 by the number and the customs code."""
        params = filing.query_number | {"customs": filing.customs}
        return self._call("wechatpay_query_declaration", filing, params)

    def _file(self, filing: Filing, action_type: str) -> DeclarationReply:
        params = filing.params_for(BY_NAME["wechatpay_declare"]) | {"action_type": action_type}
        return self._call("wechatpay_declare", filing, params)


class Alipay(DeclarationChannel):
    """The `alipay` channel."""

    def declare(self, filing: Filing) -> DeclarationReply:
        """9.4; of a split the amount alone, since Alipay takes no transport and product parts."""
        return self._call("alipay_declare", filing, filing.params_for(BY_NAME["alipay_declare"]))

    def modify(self, filing: Filing) -> DeclarationReply:
        """There is none at Alipay: always Misuse."""
        raise Misuse("Alipay has no MODIFY: corrected fields go with the re-push (9.5)")

    def redeclare(self, filing: Filing) -> DeclarationReply:
        """9.5 carries registration, amount and identity along, corrected or not."""
        params = filing.params_for(BY_NAME["alipay_redeclare"]) | filing.repush_number
        return self._call("alipay_redeclare", filing, params)

    def query(self, filing: Filing) -> DeclarationReply:
        """9.6 by the number, of a split with its amount: it knows no customs code, and a name has no place in a URL."""
        amount = {"sub_order_amount": money_text(filing.sub_order.amount)} if filing.sub_order else {}
        return self._call("alipay_query_declaration", filing, filing.query_number | amount)


@dataclass(frozen=True)
class FieldNames:
    """A wallet's names of parameters, and its endpoints.

    `our_no_of_refunds` is what our order's number is called where refunds are listed (4.10, 6.7).
    """

    our_no: str
    subject: str
    payment_no: str
    our_no_of_refunds: str
    order: Endpoint
    refund: Endpoint
    query_refund: Endpoint
    rate: Endpoint


FIELD_NAMES: Mapping[Channel, FieldNames] = {
    Channel.WECHATPAY: FieldNames(
        our_no="agent_order_id",
        subject="product_info",
        payment_no="order_no",
        our_no_of_refunds="agent_order_id",
        order=BY_NAME["order"],
        refund=BY_NAME["refund"],
        query_refund=BY_NAME["query_refund"],
        rate=BY_NAME["rate"],
    ),
    Channel.ALIPAY: FieldNames(
        our_no="out_order_no",
        subject="subject",
        payment_no="payment_no",
        our_no_of_refunds="outer_order_no",
        order=BY_NAME["alipay_order"],
        refund=BY_NAME["alipay_refund"],
        query_refund=BY_NAME["alipay_query_refund"],
        rate=BY_NAME["alipay_rate"],
    ),
}
# Those whose wallet can be collected from; another may only be declared.
PAYMENT_CHANNELS = tuple(FIELD_NAMES)

DECLARATION_CHANNELS: Mapping[Channel, type[DeclarationChannel]] = {
    Channel.WECHATPAY: WeChatPay,
    Channel.ALIPAY: Alipay,
}


def channels(gateway: Gateway) -> Mapping[Channel, DeclarationChannel]:
    """Every channel over one client."""
    return {channel: DECLARATION_CHANNELS[channel](gateway) for channel in Channel}
