"""The thirteen ways to pay in a cashier's words: what each is for, and what has to be typed in for it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from flask_babel import LazyString, lazy_gettext

from customs.gateway import Channel

_ = lazy_gettext


class Way(NamedTuple):
    """One method as a person chooses it: `code` stands in addresses and forms."""

    channel: Channel
    method: str
    name: LazyString
    about: LazyString
    icon: str

    @property
    def code(self) -> str:
        """Both channels have a method of some names: together they are one word."""
        return f"{self.channel}.{self.method}"


class Input(NamedTuple):
    """What a method wants to know besides: `attributes` are those of its HTML field."""

    name: LazyString | str
    hint: LazyString
    attributes: Mapping[str, Any] = {}
    is_seldom: bool = False


# At the counter first, then on the payer's own screen, as they are used.
WAYS = (
    Way(
        Channel.WECHATPAY,
        "scanned_pay",
        _("QR code"),
        _("We show a code, the payer scans it with WeChat."),
        "qr-code",
    ),
    Way(
        Channel.WECHATPAY,
        "scan_pay",
        _("Scan the payer"),
        _("A scanner reads the payment code on the payer's phone; it is paid at once."),
        "lightning-charge",
    ),
    Way(
        Channel.WECHATPAY,
        "cashier_desk",
        _("Cashier desk, web"),
        _("A link to the gateway's page, for a payer at a computer."),
        "link-45deg",
    ),
    Way(
        Channel.WECHATPAY,
        "mp_cashier_desk",
        _("Cashier desk, in WeChat"),
        _("A link to the gateway's page, for a payer who opens it inside WeChat."),
        "link-45deg",
    ),
    Way(
        Channel.WECHATPAY,
        "mp_pay",
        _("Official account"),
        _("Parameters for a page that runs inside WeChat; needs the payer's openid."),
        "chat-left-text",
    ),
    Way(
        Channel.WECHATPAY,
        "mini_program_pay",
        _("Mini program"),
        _("Parameters for wx.requestPayment; needs an openid or a login code."),
        "layers",
    ),
    Way(
        Channel.WECHATPAY,
        "app_pay",
        _("App"),
        _("Parameters with which a shop's own app opens WeChat."),
        "phone",
    ),
    Way(
        Channel.ALIPAY,
        "qrcode_pay",
        _("QR code, at the counter"),
        _("We show a code, the payer scans it with Alipay in the shop."),
        "qr-code",
    ),
    Way(
        Channel.ALIPAY,
        "scan_pay",
        _("Scan the payer"),
        _("A scanner reads the payment code on the payer's phone; it is paid at once."),
        "lightning-charge",
    ),
    Way(
        Channel.ALIPAY,
        "scanned_pay",
        _("QR code, on a web page"),
        _("A code to be shown on a shop's page, scanned with Alipay."),
        "qr-code",
    ),
    Way(
        Channel.ALIPAY,
        "wap_pay",
        _("Phone browser"),
        _("A link for a payer who shops in the browser of a phone."),
        "globe2",
    ),
    Way(
        Channel.ALIPAY,
        "cashier_desk",
        _("Cashier desk, web"),
        _("A link to the gateway's page, for a payer at a computer."),
        "link-45deg",
    ),
    Way(
        Channel.ALIPAY,
        "app_pay",
        _("App"),
        _("A text with which a shop's own app opens Alipay."),
        "phone",
    ),
)
BY_CODE = {way.code: way for way in WAYS}
USUAL = WAYS[0]

INPUTS: Mapping[str, Input] = {
    "auth_code": Input(
        _("Payment code"),
        _("Put the cursor here and scan the code on the payer's phone. It is good for a minute."),
        {"inputmode": "numeric", "autocomplete": "off", "maxlength": 200},
    ),
    "openid": Input(
        "openid",
        _("Who pays, as WeChat calls them in your official account or mini program."),
        {"autocomplete": "off", "spellcheck": "false", "maxlength": 200},
    ),
    "code": Input(
        _("Login code"),
        _("What wx.login() has returned, instead of an openid. It is good for once and for five minutes."),
        {"autocomplete": "off", "spellcheck": "false", "maxlength": 200},
    ),
    "appid": Input(
        "appid",
        _("The app's or mini program's, as it is registered with WeChat."),
        {"autocomplete": "off", "spellcheck": "false", "maxlength": 200},
    ),
    "return_url": Input(
        _("Where the payer comes back to"),
        _("A page of the shop's; without it, one of ours that says the payment is being checked."),
        {"inputmode": "url", "autocomplete": "off", "spellcheck": "false", "maxlength": 1000},
    ),
    "ip": Input(_("IP address of the till"), _("For the gateway's record."), {"maxlength": 64}, is_seldom=True),
    "product_id": Input(_("Product number"), _("For the gateway's record."), {"maxlength": 200}, is_seldom=True),
    "device_info": Input(_("Name of the till"), _("For the gateway's record."), {"maxlength": 200}, is_seldom=True),
}


def named(code: str) -> dict[str, str]:
    """A way's code as the API's words, whether there is such a way or not."""
    channel, _dot, method = code.partition(".")
    return {"channel": channel, "method": method}


def way_of(channel: str, method: str) -> Way | None:
    """The way of a payment; None for one that was made before it had words."""
    return BY_CODE.get(f"{channel}.{method}")
