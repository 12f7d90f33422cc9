"""The gateway's payments and refunds, as forgetful of repeats as its filings: each call that arrives has an effect."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

PAID_IN_THE_END = 0.85
REFUNDS_THAT_FAIL = 0.1

Answer = tuple[int, dict[str, Any]]


@dataclass(frozen=True)
class Returned:
    """One refund that took effect, and when it is settled as what."""

    outer_refund_no: str
    amount: Decimal
    since: float
    settled_at: float
    status: str


@dataclass
class Sale:
    """One order of one shop: `paid_at` is None when its payer never comes."""

    numbers: Mapping[str, str]
    amount: Decimal
    since: float
    paid_at: float | None
    refunds: list[Returned] = field(default_factory=list)


class Sales:
    """Every order by its number of ours."""

    def __init__(self) -> None:
        self.by_order: dict[int, Sale] = {}

    def create(self, number: int, params: Mapping[str, str], now: float, chance: random.Random) -> None:
        paid_at = now + chance.uniform(5, 1200) if chance.random() < PAID_IN_THE_END else None
        names = ("merchant_no", "currency", "amount", "agent_order_id")
        numbers = {name: params[name] for name in names} | {"order_no": f"PAY2611A{number:04d}"}
        self.by_order.setdefault(number, Sale(numbers, Decimal(params["amount"]), now, paid_at))

    def refund(self, number: int, params: Mapping[str, str], now: float, chance: random.Random) -> None:
        sale = self.by_order[number]
        status = "FAIL" if chance.random() < REFUNDS_THAT_FAIL else "SUCCESS"
        settled_at = now + chance.choice((0.0, chance.uniform(10, 3000)))
        amount = Decimal(params["refund_amount"])
        sale.refunds.append(Returned(params["outer_refund_no"], amount, now, settled_at, status))

    def order(self, number: int, moment: float) -> dict[str, Any] | None:
        """The order as it is seen at a time."""
        sale = self.by_order.get(number)
        if sale is None or sale.since > moment:
            return None
        is_paid = sale.paid_at is not None and sale.paid_at <= moment
        back = sum((one.amount for one in _settled(sale, moment)), Decimal())
        refunded = "NONE" if not back else "FULL" if back >= sale.amount else "PART"
        status = "PAID" if is_paid else "EXPIRED" if moment > sale.since + 7200 else "INIT"
        left = f"{sale.amount - back:.2f}"
        shown = {**sale.numbers, "status": status, "refund_status": refunded, "refundable_amount": left}
        return {"code_url": "weixin://wxpay/bizpayurl?pr=abc", "order": shown}

    def returned(self, outer_refund_no: str, moment: float) -> dict[str, Any] | None:
        """One refund as it is seen at a time."""
        for sale in self.by_order.values():
            for one in sale.refunds:
                if one.outer_refund_no == outer_refund_no and one.since <= moment:
                    status = one.status if one.settled_at <= moment else "PENDING"
                    printed = {
                        "outer_refund_no": outer_refund_no,
                        "refund_amount": f"{one.amount:.2f}",
                        "status": status,
                    }
                    return {
                        "refund": {
                            "order_no": sale.numbers["order_no"],
                            "refund_no": f"R{outer_refund_no[:8]}",
                            **printed,
                        }
                    }
        return None


def _settled(sale: Sale, moment: float) -> list[Returned]:
    return [one for one in sale.refunds if one.status == "SUCCESS" and one.settled_at <= moment]
