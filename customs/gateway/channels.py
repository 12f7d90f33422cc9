"""One interface for declaring through either wallet."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

from customs.gateway.alipay import Alipay
from customs.gateway.client import Gateway
from customs.gateway.declaration_request import Filing
from customs.gateway.messages import DeclarationReply
from customs.gateway.wechatpay import WeChatPay


class Channel(StrEnum):
    """Whose wallet paid; the value is the first part of the path in section 9."""

    WECHATPAY = "wechatpay"
    ALIPAY = "alipay"


class DeclarationChannel(Protocol):
    """Section 9 for one wallet. Every deed is one call; each raises GatewayError."""

    def declare(self, filing: Filing) -> DeclarationReply:
        """Files for the first time; the same filing again is the same declaration."""

    def modify(self, filing: Filing) -> DeclarationReply:
        """Files corrected content, whole."""

    def redeclare(self, filing: Filing) -> DeclarationReply:
        """Asks for another push of what was filed."""

    def query(self, filing: Filing) -> DeclarationReply:
        """Asks for the state; NotFound when the gateway does not know this push."""


def channels(gateway: Gateway) -> Mapping[Channel, DeclarationChannel]:
    """Both channels over one client."""
    return {Channel.WECHATPAY: WeChatPay(gateway), Channel.ALIPAY: Alipay(gateway)}
