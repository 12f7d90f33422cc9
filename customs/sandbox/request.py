"""A verified call, with its many names for the caller's and the gateway's numbers read as one."""

from collections.abc import Mapping
from dataclasses import dataclass

from customs.gateway.endpoints import BY_NAME

OUR_NUMBER = ("agent_order_id", "out_order_no", "outer_order_no")


@dataclass(frozen=True)
class Call:
    """`endpoint` is its name in the table, `root` the sandbox's own address; `numbers`: Version 2.0 was asked for."""

    endpoint: str
    params: Mapping[str, str]
    numbers: bool
    root: str

    @property
    def channel(self) -> str:
        return "alipay" if BY_NAME[self.endpoint].path.startswith("/alipay/") else "wechatpay"

    @property
    def our_no(self) -> str:
        """The order's number of ours, "" when there is none."""
        return next((self.params[name] for name in OUR_NUMBER if name in self.params), "")

    def numbered(self) -> dict[str, str]:
        """The numbers, under the names by which the ledger's log keeps them."""
        back = self.params.get("outer_refund_no") or self.params.get("refund_no") or self.params.get("sub_order_no")
        theirs = self.params.get("payment_no") or self.params.get("order_no")
        named = {"payment_no": theirs, "out_order_no": self.our_no, "sub_order_no": back}
        return {name: number for name, number in named.items() if number}
