"""Labels: word, icon and colour of each member of an enum. A feature keeps those of its enums in its `labels.py`."""

from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple

from flask import Flask, current_app
from flask_babel import LazyString, lazy_gettext

from customs.auth.roles import ROLES, Role
from customs.gateway import Channel
from customs.web.error_catalog import describe_error, describe_form_error


class Label(NamedTuple):
    """How a value is shown, never by its colour alone. `tone` is a class of the stylesheet."""

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
    Role: {role: Label(row.word, row.icon, "plain") for role, row in ROLES.items()},
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
