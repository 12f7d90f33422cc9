"""Labels of what declarations, pushes and batches can be, and the names of offices."""

from flask import Flask
from flask_babel import lazy_gettext

from customs.declarations.identity import Identity
from customs.declarations.offices import OFFICES
from customs.declarations.reading.queries import BatchState
from customs.declarations.states import Action, State
from customs.web.i18n import is_chinese
from customs.web.labels import Label, Labels

_ = lazy_gettext

LABELS: Labels = {
    State: {
        State.UNDECLARED: Label(_("Not declared"), "clock", "waiting"),
        State.SUBMITTED: Label(_("Submitted"), "send", "running"),
        State.PROCESSING: Label(_("At customs"), "hourglass-split", "running"),
        State.SUCCESS: Label(_("Accepted by customs"), "check-circle-fill", "success"),
        State.FAIL: Label(_("Failed"), "x-circle-fill", "fail"),
        State.EXCEPT: Label(_("Exception"), "exclamation-triangle-fill", "except"),
    },
    Identity: {
        Identity.MATCH: Label(_("Same person"), "check-circle-fill", "success"),
        Identity.MISMATCH: Label(_("Not the payer"), "x-circle-fill", "fail"),
        Identity.UNCHECKED: Label(_("Not checked"), "dash-circle", "waiting"),
    },
    BatchState: {
        BatchState.RUNNING: Label(_("Running"), "hourglass-split", "running"),
        BatchState.ATTENTION: Label(_("Needs attention"), "exclamation-triangle-fill", "except"),
        BatchState.DONE: Label(_("Done"), "check-circle-fill", "success"),
    },
    Action: {
        Action.SUBMIT: Label(_("Submit"), "send", "running"),
        Action.QUERY: Label(_("Ask the gateway"), "search", "running"),
        Action.REDECLARE: Label(_("Re-push"), "arrow-repeat", "running"),
        Action.MODIFY: Label(_("Modify"), "pencil-square", "running"),
    },
}
# SUBMITTED and PROCESSING together.
AWAITING = Label(_("Awaiting the result"), "hourglass-split", "running")
CANCELLED = Label(_("Cancelled"), "slash-circle", "waiting")
WAITS_FOR_PAYMENT = Label(_("Waits for its payment"), "clock-history", "waiting")


def init_app(app: Flask) -> None:
    """Give templates the labels that they look up by a plain word."""
    app.jinja_env.globals.update(
        state_label=state_label,
        office_name=office_name,
        AWAITING=AWAITING,
        CANCELLED=CANCELLED,
        WAITS_FOR_PAYMENT=WAITS_FOR_PAYMENT,
    )


def state_label(state: str) -> Label:
    """Return the label of a customs state."""
    return LABELS[State][State(state)]


def office_name(office: str) -> str:
    """Return what a clerk calls an office: its Chinese name, or that name spelt out."""
    if office not in OFFICES:
        return office
    return OFFICES[office].name if is_chinese() else OFFICES[office].english
