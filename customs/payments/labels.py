"""Labels of payment methods, their inputs, states, actions and outcomes."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any, NamedTuple

from flask_babel import LazyString, gettext, lazy_gettext

from customs.gateway import Channel
from customs.payments.models import PaymentEvent
from customs.payments.states import PaymentCase, Refunded, RefundStatus, Status
from customs.payments.tasks.outcomes import UNHEARD_OF
from customs.payments.tasks.payment_task import FOR_ANOTHER, LOST
from customs.payments.tasks.task import TaskAction
from customs.web.labels import Label, Labels

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


LABELS: Labels = {
    Status: {
        Status.INIT: Label(_("Waiting for payment"), "clock", "waiting"),
        Status.PAID: Label(_("Paid"), "check-circle-fill", "success"),
        Status.FAIL: Label(_("Payment failed"), "x-circle-fill", "fail"),
        Status.EXPIRED: Label(_("Expired"), "slash-circle", "waiting"),
    },
    RefundStatus: {
        RefundStatus.PENDING: Label(_("Refund under way"), "hourglass-split", "running"),
        RefundStatus.SUCCESS: Label(_("Refunded"), "check-circle-fill", "success"),
        RefundStatus.FAIL: Label(_("Refund failed"), "x-circle-fill", "fail"),
    },
    Refunded: {
        Refunded.NONE: Label(_("Not refunded"), "dash-circle", "waiting"),
        Refunded.PART: Label(_("Partly refunded"), "arrow-left-right", "except"),
        Refunded.FULL: Label(_("Fully refunded"), "arrow-left-right", "fail"),
    },
}
ACTIONS: Mapping[str, LazyString] = {
    "pay": _("Asked for the payment"),
    "refund": _("Asked for a refund"),
    "payments SEND": _("Opened the order at the gateway"),
    "payments QUERY": _("Asked the gateway for the payment"),
    "refunds SEND": _("Sent the refund to the gateway"),
    "refunds QUERY": _("Asked the gateway for the refund"),
}
OUTCOMES: Mapping[str, Label] = {
    "answered": Label(_("Answered"), "check-circle", "success"),
    "not_sent": Label(_("Not sent: the gateway cannot be reached"), "pause-circle", "except"),
    "busy": Label(_("The gateway asked us to wait"), "pause-circle", "except"),
    "credentials": Label(_("The gateway refused our credentials"), "stop-circle", "fail"),
    "clock": Label(_("The gateway's clock and ours differ"), "clock", "except"),
    "not_found": Label(_("The gateway knows nothing of it yet"), "question-circle", "waiting"),
    "refused": Label(_("Refused"), "x-circle-fill", "fail"),
    "misuse": Label(_("Not sent: it cannot be right"), "x-circle-fill", "fail"),
    "another_record": Label(
        _("Answered about somebody else's record, of which nothing is kept"), "question-circle", "except"
    ),
    "unknown": Label(_("No answer came: we ask before anything is repeated"), "question-circle", "except"),
}
# What is to be done about a case.
CASES: Mapping[PaymentCase, LazyString] = {
    PaymentCase.NO_END: _("A day of asking brought no end; we go on asking. Ask the payment company how it stands."),
    PaymentCase.NO_ANSWER: _(
        "Nobody knows what became of it: the gateway was asked for a day and gave no answer that can be understood. "
        "Ask the payment company before it is collected or refunded a second time."
    ),
    PaymentCase.ANOTHERS_NUMBER: _(
        "Under this number the gateway answers about somebody else's record, of which nothing is kept. Ask the payment "
        "company how it stands."
    ),
    PaymentCase.NO_EFFECT: _(
        "It was sent again and again, and the gateway shows no effect of it. Ask the payment company whether anything "
        "came."
    ),
}
# Why it ended as it did, where that is in words of ours; the gateway's own are shown as they are.
EXPLANATIONS: Mapping[str, LazyString] = {
    UNHEARD_OF: _("The gateway knows nothing of it."),
    LOST: _("What the payer needs was lost with the gateway's answer: have another payment made."),
    FOR_ANOTHER: _("The gateway's order under this number is for another merchant, currency or amount."),
    "the gateway could not be reached": _("The gateway could not be reached."),
    "refused without a reason": _("It was refused without a reason."),
}
GATEWAY_SAYS = "the gateway says "
ANSWERED = "answered"
# Names under which an answer says who paid.
PAYERS: Mapping[str, LazyString] = {
    "buyer_id": _("Alipay account"),
    "buyer_email": _("E-mail address"),
}


def action_label(event: PaymentEvent) -> LazyString | str:
    """Return the label of what was done."""
    action = event.detail.get("action", "")
    return ACTIONS.get(action, action)


def outcome_label(event: PaymentEvent) -> Label | None:
    """Return the label of a call's outcome; None for what was no call."""
    word = event.detail.get("outcome")
    return None if word is None else OUTCOMES.get(word, Label(word, "circle", "waiting"))


def explained(explanation: str) -> LazyString | str:
    """Why it ended as it did."""
    if explanation.startswith(GATEWAY_SAYS):
        return gettext("The gateway says: %(message)s", message=explanation.removeprefix(GATEWAY_SAYS))
    return EXPLANATIONS.get(explanation, explanation)


def group_quiet_events(events: Iterable[PaymentEvent]) -> list[tuple[bool, list[PaymentEvent]]]:
    """Group consecutive events by whether they brought nothing new."""
    return [(is_quiet, list(group)) for is_quiet, group in groupby(events, _is_quiet)]


def _is_quiet(event: PaymentEvent) -> bool:
    """Whether the gateway was asked, answered, and nothing changed."""
    asked = event.detail.get("action", "").endswith(TaskAction.QUERY)
    return asked and event.detail.get("outcome") == ANSWERED and "to" not in event.detail


def payer_word(name: str) -> LazyString | str:
    """What kind of name a payer goes by."""
    return PAYERS.get(name, name)
