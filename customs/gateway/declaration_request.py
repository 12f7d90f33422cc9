"""The request of one push: numbers, registration, amounts and buyer, as plain values."""

from dataclasses import dataclass, field
from decimal import Decimal

from customs.gateway.endpoints import Endpoint
from customs.gateway.money import money_text


@dataclass(frozen=True)
class Buyer:
    """Who bought, for the identity check (9.1, 9.4); never in a log, hence the silent repr."""

    name: str = field(repr=False)
    cert_id: str = field(repr=False)


@dataclass(frozen=True)
class SubOrderPart:
    """One part of a split order, in CNY; WeChat wants amount = transport + product, Alipay the amount."""

    sub_order_no: str
    amount: Decimal
    transport_amount: Decimal | None = None
    product_amount: Decimal | None = None


@dataclass(frozen=True)
class Filing:
    """All that a channel may send about one push (9.1 to 9.6); each call takes what the document lists."""

    out_order_no: str
    payment_no: str
    customs: str
    mch_customs_no: str
    merchant_customs_name: str | None = None
    duty: int | None = None
    sub_order: SubOrderPart | None = None
    buyer: Buyer | None = None

    def params_for(self, endpoint: Endpoint) -> dict[str, str]:
        """Return all of it that the document lists for an endpoint; the one number of a choice is not among it."""
        plain = {name: str(value) for name, value in vars(self).items() if isinstance(value, str | int)}
        known = plain | self._split | self.identity
        return {name: known[name] for name in (*endpoint.required, *endpoint.optional) if known.get(name)}

    @property
    def _split(self) -> dict[str, str]:
        part = self.sub_order
        if part is None:
            return {}
        amounts = {
            "sub_order_amount": part.amount,
            "transport_amount": part.transport_amount,
            "product_amount": part.product_amount,
        }
        return {"sub_order_no": part.sub_order_no} | {
            name: money_text(amount) for name, amount in amounts.items() if amount is not None
        }

    @property
    def sub_order_no(self) -> str | None:
        return self.sub_order.sub_order_no if self.sub_order else None

    @property
    def repush_number(self) -> dict[str, str]:
        """The one number a re-push names (9.2, 9.5): the sub-order's if split, else the payment's."""
        return self._one_number(payment_no=self.payment_no)

    @property
    def query_number(self) -> dict[str, str]:
        """The one number a query names (9.3, 9.6): the sub-order's if split, else our order's."""
        # A signature covers neither verb nor path: signed for a GET, payment_no alone is a full refund (6.6).
        return self._one_number(out_order_no=self.out_order_no)

    def _one_number(self, **unsplit: str) -> dict[str, str]:
        return {"sub_order_no": self.sub_order.sub_order_no} if self.sub_order else unsplit

    @property
    def identity(self) -> dict[str, str]:
        """cert_id and name as the wire calls them; empty when no check is wanted."""
        return {"cert_id": self.buyer.cert_id, "name": self.buyer.name} if self.buyer else {}


def drop_empty(**params: str | None) -> dict[str, str]:
    """The parameters that have a value: an empty one is left out before signing."""
    return {name: value for name, value in params.items() if value}
