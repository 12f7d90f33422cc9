"""Reads what the payer needs next, out of thirteen kinds of replies into one shape (4.1 to 4.7, 6.1 to 6.4, 7)."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from string import Formatter
from typing import Any

from customs.gateway.error_mapping import legible
from customs.gateway.messages.records import text_in


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
