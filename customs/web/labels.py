"""The desk's words: every state, action, channel and office with its word, icon and colour, one row each."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from flask_babel import LazyString, lazy_gettext

from customs.auth.roles import Role
from customs.declarations.failure_causes import Error
from customs.declarations.identity import Identity
from customs.declarations.offices import OFFICES
from customs.declarations.reading.queries import BatchState
from customs.declarations.states import Action, State
from customs.gateway import Channel
from customs.payments.states import Refunded, RefundStatus, Status
from customs.web.error_catalog import Description, describe_error, describe_form_error
from customs.web.i18n import is_chinese


class Shown(NamedTuple):
    """How one word of ours looks: never by its colour alone. `tone` is a class of the stylesheet."""

    word: LazyString | str
    icon: str
    tone: str


_ = lazy_gettext

WORDS: dict[type, Mapping[Any, Shown]] = {
    State: {
        State.UNDECLARED: Shown(_("Not declared"), "clock", "waiting"),
        State.SUBMITTED: Shown(_("Submitted"), "send", "running"),
        State.PROCESSING: Shown(_("At customs"), "hourglass-split", "running"),
        State.SUCCESS: Shown(_("Accepted by customs"), "check-circle-fill", "success"),
        State.FAIL: Shown(_("Failed"), "x-circle-fill", "fail"),
        State.EXCEPT: Shown(_("Exception"), "exclamation-triangle-fill", "except"),
    },
    Identity: {
        Identity.MATCH: Shown(_("Same person"), "check-circle-fill", "success"),
        Identity.MISMATCH: Shown(_("Not the payer"), "x-circle-fill", "fail"),
        Identity.UNCHECKED: Shown(_("Not checked"), "dash-circle", "waiting"),
    },
    BatchState: {
        BatchState.RUNNING: Shown(_("Running"), "hourglass-split", "running"),
        BatchState.ATTENTION: Shown(_("Needs attention"), "exclamation-triangle-fill", "except"),
        BatchState.DONE: Shown(_("Done"), "check-circle-fill", "success"),
    },
    Status: {
        Status.INIT: Shown(_("Waiting for payment"), "clock", "waiting"),
        Status.PAID: Shown(_("Paid"), "check-circle-fill", "success"),
        Status.FAIL: Shown(_("Payment failed"), "x-circle-fill", "fail"),
        Status.EXPIRED: Shown(_("Expired"), "slash-circle", "waiting"),
    },
    RefundStatus: {
        RefundStatus.PENDING: Shown(_("Refund under way"), "hourglass-split", "running"),
        RefundStatus.SUCCESS: Shown(_("Refunded"), "check-circle-fill", "success"),
        RefundStatus.FAIL: Shown(_("Refund failed"), "x-circle-fill", "fail"),
    },
    Refunded: {
        Refunded.NONE: Shown(_("Not refunded"), "dash-circle", "waiting"),
        Refunded.PART: Shown(_("Partly refunded"), "arrow-left-right", "except"),
        Refunded.FULL: Shown(_("Fully refunded"), "arrow-left-right", "fail"),
    },
    Channel: {
        Channel.WECHATPAY: Shown(_("WeChat Pay"), "chat-left-text", "wechatpay"),
        Channel.ALIPAY: Shown(_("Alipay"), "credit-card", "alipay"),
    },
    Action: {
        Action.SUBMIT: Shown(_("Submit"), "send", "running"),
        Action.QUERY: Shown(_("Ask the gateway"), "search", "running"),
        Action.REDECLARE: Shown(_("Re-push"), "arrow-repeat", "running"),
        Action.MODIFY: Shown(_("Modify"), "pencil-square", "running"),
    },
    Error: {
        Error.FAIL: Shown(_("Rejected by customs"), "x-circle-fill", "fail"),
        Error.EXCEPT: Shown(_("Customs reported an exception"), "exclamation-triangle-fill", "except"),
        Error.REFUSED: Shown(_("The gateway refused it"), "slash-circle", "fail"),
        Error.IDENTITY: Shown(_("The buyer is not the payer"), "person-badge", "fail"),
        Error.UNKNOWN_STATE: Shown(_("The gateway answered with an unknown state"), "question-circle", "except"),
        Error.WENT_BACK: Shown(_("The gateway went back on a state"), "arrow-repeat", "except"),
        Error.NO_END: Shown(_("No end after a day of asking"), "clock-history", "except"),
        Error.NO_EFFECT: Shown(_("Sent again and again without effect"), "arrow-repeat", "except"),
        Error.ANOTHERS_NUMBER: Shown(_("Its number stands for another payment"), "question-circle", "except"),
        Error.REFUND: Shown(_("A refund of its payment"), "arrow-left-right", "except"),
        Error.OVER_PAID: Shown(_("More is declared than was paid"), "cash-stack", "fail"),
        Error.PAYMENT_ENDED: Shown(_("Its payment was never made"), "slash-circle", "fail"),
        Error.OTHER: Shown(_("Something else"), "question-circle", "except"),
    },
    Role: {
        Role.CLERK: Shown(_("Clerk"), "person-badge", "plain"),
        Role.REVIEWER: Shown(_("Reviewer"), "shield-check", "plain"),
        Role.DEVELOPER: Shown(_("Developer"), "code-slash", "plain"),
        Role.ADMIN: Shown(_("Administrator"), "gear", "plain"),
    },
}
# SUBMITTED and PROCESSING together.
AWAITING = Shown(_("Awaiting the result"), "hourglass-split", "running")
CANCELLED = Shown(_("Cancelled"), "slash-circle", "waiting")
SWITCHED_ON = Shown(_("On"), "check-circle-fill", "success")
WAITS_FOR_PAYMENT = Shown(_("Waits for its payment"), "clock-history", "waiting")

OFFICE_NAMES = {
    "GUANGZHOU": _("Guangzhou"),
    "GUANGZHOU_HUANGPU": _("Guangzhou Huangpu"),
    "GUANGZHOU_NANSHA": _("Guangzhou Nansha"),
    "HANGZHOU": _("Hangzhou"),
    "NINGBO": _("Ningbo"),
    "ZHENGZHOU_BONDED": _("Henan Bonded Logistics Center"),
    "ZHENGZHOU_AIRPORT": _("Xinzheng Bonded Zone (airport)"),
    "CHONGQING": _("Chongqing"),
    "XIAN": _("Xi'an"),
    "SHANGHAI": _("Shanghai"),
    "SHENZHEN": _("Shenzhen"),
    "TIANJIN": _("Tianjin"),
    "BEIJING": _("Beijing"),
    "HEFEI": _("Hefei"),
    "SUZHOU": _("Suzhou"),
}


def shown(word: Any, kind: type | None = None) -> Shown:
    """How a word looks; a word nobody knows looks like itself. `kind` where it comes as plain text."""
    known = WORDS.get(kind or type(word), {})
    return known.get(word) or Shown(str(word), "circle", "plain")


def state_shown(word: str) -> Shown:
    """How a customs state looks, from its plain word."""
    return WORDS[State][State(word)]


def channel_shown(word: str) -> Shown:
    """How a channel looks, from its plain word."""
    return WORDS[Channel][Channel(word)]


def error_shown(word: str) -> Shown:
    """How an error of a cause looks, from its plain word."""
    return WORDS[Error][Error(word)]


def office_name(office: str) -> str:
    """An office as a clerk calls it: by its Chinese name, or that name spelt out."""
    if is_chinese() and office in OFFICES:
        return OFFICES[office].name
    return str(OFFICE_NAMES.get(office, office))


# What a person reads when a page cannot be shown, by the answer's status.
ANSWERS = {
    400: (_("That could not be read"), _("Go back, load the page again, and press the button once more.")),
    401: (_("You are not signed in any more"), _("Sign in again; nothing that was sent is lost.")),
    403: (_("You are not allowed to do that here"), _("Your role does not open this. Ask an administrator.")),
    404: (
        _("There is nothing here that you may see"),
        _("Check the address; what belongs to other merchants is not shown."),
    ),
    405: (_("This is no page"), _("Go back and use the page's buttons.")),
    409: (_("That is not possible now"), _("Go back, and see how it stands.")),
    413: (_("That is too large"), _("Split the file into several.")),
    422: (
        _("Something in that cannot be used"),
        _("Check the address, or go back and use the fields and buttons of the page."),
    ),
    429: (_("Too many attempts"), _("Wait a moment and try again.")),
    503: (_("The desk cannot work at this moment"), _("Nothing is lost. Try again in a moment.")),
}
# Codes whose own words say more than their status does.
CATALOGUED = frozenset(["csrf_rejected"])
SOMETHING_WENT_WRONG = (_("Something went wrong on our side"), _("It was recorded. Nothing that was accepted is lost."))


def response_label(status: int, code: str, title: str) -> Description:
    """What a person is told of an answer that is no page."""
    if code in CATALOGUED:
        return describe_error(code)
    known = ANSWERS.get(status, SOMETHING_WENT_WRONG if status >= 500 else None)
    return Description(*map(str, known)) if known else describe_error(code, title)


GLOBALS: dict[str, Callable[..., Any] | Any] = {
    "shown": shown,
    "state_shown": state_shown,
    "channel_shown": channel_shown,
    "error_shown": error_shown,
    "office_name": office_name,
    "describe_error": describe_error,
    "describe_form_error": describe_form_error,
    "AWAITING": AWAITING,
    "CANCELLED": CANCELLED,
    "SWITCHED_ON": SWITCHED_ON,
    "WAITS_FOR_PAYMENT": WAITS_FOR_PAYMENT,
}
