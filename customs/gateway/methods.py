"""Table of the thirteen payment methods, and links to the cashier desks among them (4.6, 4.7, 6.4)."""

from collections.abc import Mapping
from dataclasses import dataclass

from customs.gateway.channels import FIELD_NAMES, Channel
from customs.gateway.declaration_request import drop_empty
from customs.gateway.endpoints import BY_NAME, Endpoint, check
from customs.gateway.errors import Misuse
from customs.gateway.messages.sales import (
    CODE_PAGE,
    CODE_URL,
    DESK,
    JS_PARAM,
    MINI_PROGRAM,
    NOTHING,
    PAGE,
    PREPAY_STRING,
    QRCODE,
    WECHAT_APP,
    PayerNeed,
    Sale,
)
from customs.gateway.money import amount_text
from customs.gateway.signing import encoded_pairs


@dataclass(frozen=True)
class Method:
    """One way to pay. `need` is what the payer needs next; `one_time` names the input that is good for one call."""

    channel: Channel
    endpoint: Endpoint
    need: PayerNeed
    one_time: str | None = None

    @property
    def name(self) -> str:
        """The last part of the document's path."""
        return self.endpoint.path.rpartition("/")[2]

    @property
    def required_inputs(self) -> tuple[str, ...]:
        """What this method wants in `Sale.extra`, beyond what every sale has."""
        return self._own(self.endpoint.required)

    @property
    def optional_inputs(self) -> tuple[str, ...]:
        """What it takes there besides."""
        return self._own(self.endpoint.optional)

    @property
    def is_cashier_desk(self) -> bool:
        """Whether the payer's browser opens it (4.6, 4.7, 6.4): see cashier_url."""
        return not self.endpoint.signed

    @property
    def is_repeatable(self) -> bool:
        """Whether the same may be sent again once the gateway knows nothing of it: not with a code shown once."""
        return self.one_time is None

    def params(self, sale: Sale) -> dict[str, str]:
        """The sale in the document's names; Misuse for inputs that this method does not take, and for no amount."""
        spelled = FIELD_NAMES[self.channel]
        if strangers := sale.extra.keys() - {*self.required_inputs, *self.optional_inputs}:
            raise Misuse(f"{self.endpoint.path} takes no {', '.join(sorted(strangers))} ({self.endpoint.section})")
        if not sale.our_no:
            raise Misuse("without our own number nobody could ask for the order")
        common = {
            "merchant_no": sale.merchant_no,
            "currency": sale.currency,
            "amount": amount_text(sale.amount, sale.currency),
            spelled.subject: sale.subject,
            spelled.our_no: sale.our_no,
            "notify_url": sale.notify_url,
        }
        return drop_empty(**common, **sale.extra)

    def _own(self, names: tuple[str, ...]) -> tuple[str, ...]:
        spelled = FIELD_NAMES[self.channel]
        common = {"merchant_no", "currency", "amount", spelled.subject, spelled.our_no, "notify_url"}
        return tuple(name for name in names if name not in common)


AUTH_CODE = "auth_code"

METHODS: tuple[Method, ...] = (
    Method(Channel.WECHATPAY, BY_NAME["mp_pay"], JS_PARAM),
    Method(Channel.WECHATPAY, BY_NAME["scan_pay"], NOTHING, one_time=AUTH_CODE),
    Method(Channel.WECHATPAY, BY_NAME["scanned_pay"], CODE_URL),
    Method(Channel.WECHATPAY, BY_NAME["mini_program_pay"], MINI_PROGRAM),
    Method(Channel.WECHATPAY, BY_NAME["app_pay"], WECHAT_APP),
    Method(Channel.WECHATPAY, BY_NAME["wechatpay_cashier_desk"], DESK),
    Method(Channel.WECHATPAY, BY_NAME["wechatpay_mp_cashier_desk"], DESK),
    Method(Channel.ALIPAY, BY_NAME["alipay_scanned_pay"], CODE_PAGE),
    Method(Channel.ALIPAY, BY_NAME["alipay_app_pay"], PREPAY_STRING),
    Method(Channel.ALIPAY, BY_NAME["alipay_wap_pay"], PAGE),
    Method(Channel.ALIPAY, BY_NAME["alipay_cashier_desk"], DESK),
    Method(Channel.ALIPAY, BY_NAME["alipay_qrcode_pay"], QRCODE),
    Method(Channel.ALIPAY, BY_NAME["alipay_scan_pay"], NOTHING, one_time=AUTH_CODE),
)

BY_CHANNEL_AND_NAME: Mapping[tuple[Channel, str], Method] = {(m.channel, m.name): m for m in METHODS}


def method_of(channel: Channel, name: str) -> Method:
    """The method by the last part of its path; Misuse names those there are."""
    try:
        return BY_CHANNEL_AND_NAME[channel, name]
    except KeyError:
        names = ", ".join(method.name for method in METHODS if method.channel is channel)
        raise Misuse(f"no such method of {channel}: there are {names}") from None


# What the browser brings back to return_url (4.6.3, 4.7.3, 6.4.3), `trade_type` also as the document spells it.
BROUGHT_BACK = frozenset(
    {
        "no",
        "agent_order_id",
        "out_order_no",
        "merchant_no",
        "currency",
        "amount",
        "exchange_rate",
        "tarde_type",
        "trade_type",
        "product_info",
        "subject",
        "trade_time",
        "status",
    }
)


def cashier_url(base_url: str, method: Method, sale: Sale, extra: Mapping[str, str] | None = None) -> str:
    """The link that leads the payer to the desk; `return_url` is among the sale's own inputs.

    `extra` comes back on return_url (4.6.4); empty values are left out. Raises Misuse when a name of it is one of
    the document's, and for a method that is no desk.
    """
    if not method.is_cashier_desk:
        raise Misuse(f"{method.endpoint.path} is no cashier desk ({method.endpoint.section})")
    kept = {name: value for name, value in (extra or {}).items() if value}
    if taken := kept.keys() & (method.endpoint.known | BROUGHT_BACK | {""}):
        raise Misuse(f"names of the document itself: {', '.join(sorted(taken))}")
    params = method.params(sale) | kept
    if errors := check(method.endpoint, params):
        raise Misuse(f"{method.endpoint.name}: {'; '.join(errors)}")
    try:
        # A browser sends no headers, hence no signature: the parameters go plain.
        return f"{base_url.rstrip('/')}{method.endpoint.path}?{encoded_pairs(params)}"
    except UnicodeEncodeError:
        raise Misuse(f"{method.endpoint.name}: a value is not valid Unicode") from None
