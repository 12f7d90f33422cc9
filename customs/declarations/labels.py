"""Labels of what declarations, pushes, batches and cases can be, and the names of offices.

What customs or the gateway explained is shown as it was written.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import Flask
from flask_babel import LazyString, lazy_gettext

from customs.declarations.cases import CaseKind, Cause, Contacted, Detail, fill_in
from customs.declarations.fields import FIELDS
from customs.declarations.identity import Identity
from customs.declarations.offices import OFFICES
from customs.declarations.pushes.outcomes import NO_REASON
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
    CaseKind: {
        CaseKind.FAIL: Label(_("Rejected by customs"), "x-circle-fill", "fail"),
        CaseKind.EXCEPT: Label(_("Customs reported an exception"), "exclamation-triangle-fill", "except"),
        CaseKind.REFUSED: Label(_("The gateway refused it"), "slash-circle", "fail"),
        CaseKind.IDENTITY: Label(_("The buyer is not the payer"), "person-badge", "fail"),
        CaseKind.UNKNOWN_STATE: Label(_("The gateway answered with an unknown state"), "question-circle", "except"),
        CaseKind.WENT_BACK: Label(_("The gateway went back on a state"), "arrow-repeat", "except"),
        CaseKind.NO_END: Label(_("No end after a day of asking"), "clock-history", "except"),
        CaseKind.NO_EFFECT: Label(_("Sent again and again without effect"), "arrow-repeat", "except"),
        CaseKind.ANOTHERS_NUMBER: Label(_("Its number stands for another payment"), "question-circle", "except"),
        CaseKind.REFUND: Label(_("A refund of its payment"), "arrow-left-right", "except"),
        CaseKind.OVER_PAID: Label(_("More is declared than was paid"), "cash-stack", "fail"),
        CaseKind.PAYMENT_ENDED: Label(_("Its payment was never made"), "slash-circle", "fail"),
        CaseKind.OTHER: Label(_("Something else"), "question-circle", "except"),
    },
}
# SUBMITTED and PROCESSING together.
AWAITING = Label(_("Awaiting the result"), "hourglass-split", "running")
CANCELLED = Label(_("Cancelled"), "slash-circle", "waiting")
WAITS_FOR_PAYMENT = Label(_("Waits for its payment"), "clock-history", "waiting")
# What a case says beside its kind; the first wording whose facts are all known counts.
FACTS: Mapping[CaseKind, Sequence[LazyString | str]] = {
    CaseKind.FAIL: ("%(explanation)s",),
    CaseKind.EXCEPT: ("%(explanation)s",),
    CaseKind.REFUSED: ("%(explanation)s",),
    CaseKind.UNKNOWN_STATE: (_("the gateway's word: “%(state)s”"),),
    CaseKind.WENT_BACK: (_("from “%(before)s” back to “%(after)s”"),),
    CaseKind.NO_EFFECT: (
        _("“%(action)s” was sent %(count)s times"),
        "%(action)s",
        _("the gateway may hold what was sent before this correction"),
    ),
    CaseKind.REFUND: (
        _("a refund of %(amount)s %(currency)s was asked for: %(reason)s"),
        _("%(amount)s %(currency)s was refunded elsewhere"),
    ),
    CaseKind.OVER_PAID: (_("at %(customs)s the sub-orders come to %(declared)s, and %(paid)s was paid"),),
    CaseKind.PAYMENT_ENDED: ("%(status)s", _("it was not made within a day")),
    CaseKind.OTHER: ("%(reason)s",),
}
# How a payment ends without being made.
PAYMENT_ENDS: Mapping[str, LazyString] = {"FAIL": _("Payment failed"), "EXPIRED": _("Expired")}
NOT_EXPLAINED = _("no reason was given")
# Our own check found errors in what was to be sent; then nothing was.
UNFIT = re.compile(
    r"[\w.]+: (?P<fields>(?:.*\b)?(?:is missing|is empty|is not documented in|are sent together|is sent only with"
    r"|is sent$|is not valid Unicode).*)",
    re.DOTALL,
)
NOT_SENT = _("nothing was sent: its content has not the form that the gateway asks for (%(fields)s)")

# What the gateway calls a field, as a person does.
FIELD_NAMES: Mapping[str, LazyString] = {
    **{field.wire: field.label for field in FIELDS},
    "customs": _("Customs code"),
    "action_type": _("What was asked for"),
}
CONTACTS: Mapping[Contacted, LazyString] = {
    Contacted.MERCHANT: _("the merchant"),
    Contacted.BUYER: _("the buyer"),
    Contacted.CUSTOMS: _("customs"),
    Contacted.PAYMENT_COMPANY: _("the payment company"),
    Contacted.GATEWAY: _("the gateway"),
    Contacted.SOMEBODY: _("somebody else"),
}


def init_app(app: Flask) -> None:
    """Give templates the labels that they look up by a plain word."""
    app.jinja_env.globals.update(
        state_label=state_label,
        office_name=office_name,
        AWAITING=AWAITING,
        CANCELLED=CANCELLED,
        WAITS_FOR_PAYMENT=WAITS_FOR_PAYMENT,
        case_label=case_label,
        case_facts=case_facts,
        cause_facts=cause_facts,
        cause_line=cause_line,
        explanation_label=explanation_label,
    )


def state_label(state: str) -> Label:
    """Return the label of a customs state."""
    return LABELS[State][State(state)]


def office_name(office: str) -> str:
    """Return what a clerk calls an office: its Chinese name, or that name spelt out."""
    if office not in OFFICES:
        return office
    return OFFICES[office].name if is_chinese() else OFFICES[office].english


def case_label(kind: str) -> Label:
    """Return how a kind of case looks; a kind that nobody knows looks like OTHER."""
    return LABELS[CaseKind][CaseKind(kind)]


def case_facts(kind: str, detail: Detail | None) -> str:
    """Return what a case says beside its kind; "" when that says it all."""
    known = CaseKind(kind)
    facts = {name: FACT_LABELS.get(name, str)(fact) for name, fact in (detail or {}).items()}
    if known is CaseKind.REFUSED and detail:
        facts["explanation"] = explanation_label(detail.get("explanation"))
    return fill_in(FACTS.get(known, ()), facts)


def case_line(kind: str, detail: Detail | None) -> str:
    """Return a case in one line: what happened, and what it says beside that."""
    word, facts = str(case_label(kind).word), case_facts(kind, detail)
    between = "：" if is_chinese() else ": "
    return f"{word}{between}{facts}" if facts else word


def cause_facts(cause: Cause) -> str:
    """Return what a cause says beside its kind."""
    return case_facts(cause.error, cause.detail)


def cause_line(cause: Cause) -> str:
    """Return a cause in one line."""
    return case_line(cause.error, cause.detail)


def explanation_label(explanation: str | None) -> str:
    """Return an explanation of customs or of the gateway; labels stand for those that the desk noted itself."""
    if explanation and (unfit := UNFIT.fullmatch(explanation)):
        return str(NOT_SENT) % {"fields": _field_names(unfit["fields"])}
    return _explained(explanation or "")


def _explained(text: str) -> str:
    return str(NOT_EXPLAINED) if text == NO_REASON else text


def _field_names(text: str) -> str:
    """Name the fields in which our own check found errors, as a person calls them."""
    names = [name for name in re.findall(r"[a-z_]+", text) if name in FIELD_NAMES]
    return ", ".join(str(FIELD_NAMES[name]) for name in dict.fromkeys(names)) or "—"


def _label_in(known: Mapping[Any, Label]) -> Callable[[str], str]:
    return lambda name: str(known[name].word) if name in known else name


# The labels of facts that are values of enums.
FACT_LABELS: Mapping[str, Callable[[str], str]] = {
    "explanation": _explained,
    "before": _label_in(LABELS[State]),
    "after": _label_in(LABELS[State]),
    "action": _label_in(LABELS[Action]),
    "status": lambda status: str(PAYMENT_ENDS.get(status, status)),
}
