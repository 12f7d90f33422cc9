"""Declaring Alipay payments (9.4 to 9.6): which parameters go with which call."""

from customs.gateway.client import Gateway
from customs.gateway.declaration_request import Filing, drop_empty
from customs.gateway.endpoints import BY_NAME
from customs.gateway.errors import Misuse
from customs.gateway.messages import DeclarationReply, declaration_reply
from customs.gateway.money import money_text


class Alipay:
    """The `alipay` channel."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def declare(self, filing: Filing) -> DeclarationReply:
        """9.4; of a split the amount alone, since Alipay takes no transport and product parts."""
        params = drop_empty(
            out_order_no=filing.out_order_no,
            payment_no=filing.payment_no,
            customs=filing.customs,
            mch_customs_no=filing.mch_customs_no,
            merchant_customs_name=filing.merchant_customs_name,
            sub_order_no=filing.sub_order_no,
            sub_order_amount=_amount(filing),
            **filing.identity,
        )
        return self._call("alipay_declare", filing, params)

    def modify(self, filing: Filing) -> DeclarationReply:
        """There is none at Alipay: always Misuse."""
        raise Misuse("Alipay has no MODIFY: corrected fields go with the re-push (9.5)")

    def redeclare(self, filing: Filing) -> DeclarationReply:
        """9.5 carries registration, amount and identity along, corrected or not."""
        params = drop_empty(
            **filing.repush_number,
            customs=filing.customs,
            mch_customs_no=filing.mch_customs_no,
            merchant_customs_name=filing.merchant_customs_name,
            sub_order_amount=_amount(filing),
            **filing.identity,
        )
        return self._call("alipay_redeclare", filing, params)

    def query(self, filing: Filing) -> DeclarationReply:
        """9.6 by the number, of a split with its amount: it knows no customs code, and a name has no place in a URL."""
        params = drop_empty(**filing.query_number, sub_order_amount=_amount(filing))
        return self._call("alipay_query_declaration", filing, params)

    def _call(self, name: str, filing: Filing, params: dict[str, str]) -> DeclarationReply:
        return declaration_reply(self._gateway.call(BY_NAME[name], params), filing)


def _amount(filing: Filing) -> str | None:
    return money_text(filing.sub_order.amount) if filing.sub_order else None
