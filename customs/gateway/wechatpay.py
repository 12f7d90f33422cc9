"""Declaring WeChat payments (9.1 to 9.3): which parameters go with which call."""

from customs.gateway.client import Gateway
from customs.gateway.declaration_request import Filing, drop_empty
from customs.gateway.endpoints import BY_NAME
from customs.gateway.messages import DeclarationReply, declaration_reply
from customs.gateway.money import money_text


class WeChatPay:
    """The `wechatpay` channel."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def declare(self, filing: Filing) -> DeclarationReply:
        """9.1 with action_type ADD."""
        return self._call("wechatpay_declare", filing, _content(filing, "ADD"))

    def modify(self, filing: Filing) -> DeclarationReply:
        """9.1 with action_type MODIFY: the changed fields, and the rest as it was filed first."""
        return self._call("wechatpay_declare", filing, _content(filing, "MODIFY"))

    def redeclare(self, filing: Filing) -> DeclarationReply:
        """9.2 takes the numbers only; the gateway pushes what it holds."""
        params = drop_empty(**filing.repush_number, customs=filing.customs, mch_customs_no=filing.mch_customs_no)
        return self._call("wechatpay_redeclare", filing, params)

    def query(self, filing: Filing) -> DeclarationReply:
        """9.3 by the number and the customs code."""
        params = drop_empty(**filing.query_number, customs=filing.customs)
        return self._call("wechatpay_query_declaration", filing, params)

    def _call(self, name: str, filing: Filing, params: dict[str, str]) -> DeclarationReply:
        return declaration_reply(self._gateway.call(BY_NAME[name], params), filing)


def _content(filing: Filing, action_type: str) -> dict[str, str]:
    return drop_empty(
        out_order_no=filing.out_order_no,
        payment_no=filing.payment_no,
        customs=filing.customs,
        mch_customs_no=filing.mch_customs_no,
        duty=None if filing.duty is None else str(filing.duty),
        action_type=action_type,
        **_split(filing),
        **filing.identity,
    )


def _split(filing: Filing) -> dict[str, str | None]:
    part = filing.sub_order
    if part is None:
        return {}
    return {
        "sub_order_no": part.sub_order_no,
        "sub_order_amount": money_text(part.amount),
        "transport_amount": None if part.transport_amount is None else money_text(part.transport_amount),
        "product_amount": None if part.product_amount is None else money_text(part.product_amount),
    }
