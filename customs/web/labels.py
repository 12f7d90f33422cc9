"""Labels: how each member of an enum is called and looks. A feature keeps those of its enums in its `labels.py`."""

from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple

from flask import Flask, current_app
from flask_babel import LazyString, lazy_gettext

from customs.auth.roles import Role
from customs.gateway import Channel
from customs.web.error_catalog import Description, describe_error, describe_form_error


class Label(NamedTuple):
    """How a value looks: never by its colour alone. `tone` is a class of the stylesheet."""

    word: LazyString | str
    icon: str
    tone: str


Labels = Mapping[type[Enum], Mapping[Any, Label]]
_ = lazy_gettext

LABELS: Labels = {
    Channel: {
        Channel.WECHATPAY: Label(_("WeChat Pay"), "chat-left-text", "wechatpay"),
        Channel.ALIPAY: Label(_("Alipay"), "credit-card", "alipay"),
    },
    Role: {
        Role.CLERK: Label(_("Clerk"), "person-badge", "plain"),
        Role.REVIEWER: Label(_("Reviewer"), "shield-check", "plain"),
        Role.DEVELOPER: Label(_("Developer"), "code-slash", "plain"),
        Role.ADMIN: Label(_("Administrator"), "gear", "plain"),
    },
}


def init_app(app: Flask, *tables: Labels) -> None:
    """Give templates the labels of the features' enums. Raises ValueError for a member without one."""
    labels = {enum: known for table in (LABELS, *tables) for enum, known in table.items()}
    for enum, known in labels.items():
        if missing := set(enum) - set(known):
            raise ValueError(f"no label for {sorted(map(str, missing))} of {enum.__name__}")
    app.extensions["labels"] = labels
    app.jinja_env.globals.update(
        label_of=label_of,
        channel_label=channel_label,
        describe_error=describe_error,
        describe_form_error=describe_form_error,
    )


def label_of(value: Any, enum: type[Enum] | None = None) -> Label:
    """Return the label of a member of an enum, named by `enum` where it comes as text; an unknown one is its own."""
    known = current_app.extensions["labels"].get(enum or type(value), {})
    return known.get(value) or Label(str(value), "circle", "plain")


def channel_label(channel: str) -> Label:
    """Return the label of a channel."""
    return LABELS[Channel][Channel(channel)]


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
