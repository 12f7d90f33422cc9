"""Sentences of the pages about declarations: what comes next, what a call came to, what somebody decided."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from flask_babel import LazyString, gettext, lazy_gettext
from markupsafe import Markup

from customs.declarations.cases import Contacted
from customs.declarations.fields import CONTENT
from customs.declarations.identity import Identity
from customs.declarations.labels import CONTACTS, case_label, case_line, explanation_label
from customs.declarations.reading.next_steps import NextStep, StepKind
from customs.declarations.states import Action
from customs.events.timeline import Event
from customs.web.template_filters import exact, when

_ = lazy_gettext


# So many polls in a row that brought nothing new are shown as one.
QUIET_FROM = 3


class Sentence(NamedTuple):
    """The sentence for a next step: at once, and at a known time."""

    at_once: LazyString
    later: LazyString | None = None


SENTENCES: Mapping[StepKind, Sentence] = {
    StepKind.TO_DECIDE: Sentence(_("Somebody has to decide: %(error)s.")),
    StepKind.CANCELLED: Sentence(_("It was cancelled; nothing of it goes out, and its numbers are free again.")),
    StepKind.WAITS_FOR_PAYMENT: Sentence(_("It goes out by itself as soon as its payment is made.")),
    StepKind.CALLING: Sentence(_("%(customs)s: a call to the gateway is under way.")),
    StepKind.ASKING_WHETHER: Sentence(
        _(
            "%(customs)s: nobody knows yet whether the last call arrived; the gateway is being asked. "
            "Nothing is sent twice."
        ),
        _(
            "%(customs)s: nobody knows yet whether the last call arrived; the gateway is asked %(when)s. "
            "Nothing is sent twice."
        ),
    ),
    StepKind.AT_CUSTOMS: Sentence(
        _("%(customs)s: it is at customs, and the gateway is being asked how it stands."),
        _("%(customs)s: it is at customs; the gateway is asked again %(when)s."),
    ),
    StepKind.ASKING: Sentence(
        _("%(customs)s: the gateway has it, and is being asked how it stands."),
        _("%(customs)s: the gateway has it; it is asked again %(when)s."),
    ),
    StepKind.SUBMITTING: Sentence(
        _("%(customs)s: it is sent as soon as a worker is free."), _("%(customs)s: it is sent %(when)s.")
    ),
    StepKind.REPUSHING: Sentence(
        _("%(customs)s: it is pushed again as soon as a worker is free."),
        _("%(customs)s: it is pushed again %(when)s."),
    ),
    StepKind.MODIFYING: Sentence(
        _("%(customs)s: the correction is sent as soon as a worker is free."),
        _("%(customs)s: the correction is sent %(when)s."),
    ),
    StepKind.TRYING_AGAIN: Sentence(
        _("%(customs)s: the gateway did not take the last call; it is sent again at once."),
        _("%(customs)s: the gateway did not take the last call; it is sent again %(when)s."),
    ),
    StepKind.WAITS_FOR_CODE: Sentence(_("%(customs)s goes out once customs has accepted %(after)s.")),
    StepKind.WITHHELD: Sentence(_("%(customs)s: nothing goes out before somebody has decided.")),
    StepKind.ACCEPTED: Sentence(_("Customs has accepted the payment record. There is nothing to do.")),
    StepKind.STANDS_STILL: Sentence(_("Nothing more happens by itself.")),
    StepKind.MAY_REPUSH: Sentence(_("It may be pushed again now.")),
    StepKind.MAY_REPUSH_FROM: Sentence(
        _("Alipay takes a re-push in a moment."), _("Alipay takes a re-push from %(time)s (%(when)s).")
    ),
    StepKind.TO_CORRECT: Sentence(_("Correct what is wrong: saving sends it again.")),
    StepKind.TO_CORRECT_BUYER: Sentence(
        _("Ask who paid, then correct the buyer's name and ID number: saving sends it again.")
    ),
    StepKind.TO_COMPARE: Sentence(_("Compare what is declared with what is left of the payment.")),
    StepKind.TO_CLOSE: Sentence(_("There is nothing left to declare: close the case.")),
}

IDENTITIES: Mapping[Identity, LazyString] = {
    Identity.MATCH: _("The buyer named in the order is the person who paid. There is nothing to do."),
    Identity.MISMATCH: _(
        "The payment company says that somebody else paid. Customs compares the two: ask who paid, then correct the "
        "buyer's name and ID number."
    ),
    Identity.UNCHECKED: _(
        "The payment company has not compared the buyer with the payer: no buyer was named, or it has not answered yet."
    ),
}

CALLS: Mapping[str, LazyString] = {
    Action.SUBMIT: _("Sent"),
    Action.QUERY: _("Asked"),
    Action.REDECLARE: _("Pushed again"),
    Action.MODIFY: _("Sent the correction"),
}
OUTCOMES: Mapping[str, LazyString] = {
    "answered": _("the gateway answered"),
    "stale": _("the gateway gave an old answer, which changes nothing"),
    "not_sent": _("the gateway could not be reached"),
    "busy": _("the gateway asked us to wait"),
    "credentials": _("the gateway refused our credentials"),
    "clock": _("the gateway refused our clock"),
    "not_found": _("the gateway knows nothing of it"),
    "refused": _("the gateway refused it"),
    "misuse": _("it could not be sent as it is"),
    "another_record": _("the gateway answered about somebody else's order, of which nothing is kept"),
    "unknown": _("nobody knows what became of the call"),
    "superseded": _("the answer came too late and changes nothing"),
}
# What of a call that was answered is in the gateway's words; of the others we noted what went wrong.
WORDED_BY_THE_GATEWAY = frozenset({"answered", "stale", "busy", "credentials", "clock", "not_found", "refused"})
THE_GATEWAY_SAYS = _("The gateway says: %(message)s")
NOTED = _("Technical note: %(message)s")
DECISIONS: Mapping[str, LazyString] = {
    "redeclare": _("Decided to push it again"),
    "modify": _("Corrected it"),
    "cancel": _("Cancelled it"),
    "dismiss": _("Closed the case"),
    "let_refund_go": _("Let the refund go although the outcome of the call is not known"),
    "withhold": _("Held back"),
    "release": _("The payment was made"),
    "contact": _("Noted a contact"),
    "reveal": _("Looked at the buyer's data"),
}
FIELDS: Mapping[str, LazyString] = {
    **{field.name: field.label for field in CONTENT},
    "buyer": _("Buyer"),
    "sub_orders": _("Sub-orders"),
    "amount": _("Amount"),
    "transport_amount": _("Freight"),
    "product_amount": _("Goods"),
}


class TimelineLine(NamedTuple):
    """One event of the timeline in words: what happened, what it came to, why, and what of it matters besides."""

    title: str
    outcome: str = ""
    reason: str = ""
    facts: tuple[str, ...] = ()


def sentence(one: NextStep) -> Markup:
    """Return a next step as a sentence."""
    known = SENTENCES[one.what]
    text = known.later if one.at is not None and known.later is not None else known.at_once
    values: dict[str, Any] = {
        "customs": one.customs,
        "after": one.after,
        "when": when(one.at),
        "time": exact(one.at)[11:16],
    }
    if one.case is not None:
        values["error"] = case_label(one.case).word
    # A text of the desk, filled with the values above, which are escaped.
    return Markup(str(text)) % values  # noqa: S704


class Stretch(NamedTuple):
    """Events in a row, newest first; `is_quiet`: many questions one after the other that brought nothing new."""

    events: Sequence[Event]
    is_quiet: bool


def stretches(events: Sequence[Event]) -> list[Stretch]:
    """Group the timeline, so that a day of polling does not hide what was decided."""
    found: list[Stretch] = []
    for is_quiet, group in groupby(events, _brought_nothing):
        together = list(group)
        if is_quiet and len(together) >= QUIET_FROM:
            found.append(Stretch(together, True))
        else:
            found += [Stretch([event], False) for event in together]
    return found


def _brought_nothing(event: Event) -> bool:
    asked = event.kind == "call" and event.detail.get("action") == Action.QUERY
    return asked and not {"to", "cases", "message"} & event.detail.keys()


def timeline_line(event: Event) -> TimelineLine:
    """Describe one event of the timeline."""
    detail = event.detail
    action = detail.get("action", "")
    if event.kind == "call":
        outcome = OUTCOMES.get(detail.get("outcome", ""), detail.get("outcome", ""))
        return TimelineLine(str(CALLS.get(action, action)), str(outcome), facts=_facts(detail))
    return TimelineLine(str(DECISIONS.get(action, action)), reason=detail.get("reason", ""), facts=_facts(detail))


def content_label(text: str) -> str:
    """Return `Content.text` with its fields as people call them."""
    pairs = [pair.partition("=") for pair in text.split("; ")]
    return "; ".join(f"{FIELDS.get(name, name)} {value}" for name, _, value in pairs)


def _facts(detail: Mapping[str, Any]) -> tuple[str, ...]:
    facts = []
    if detail.get("message"):
        values = THE_GATEWAY_SAYS if detail.get("outcome") in WORDED_BY_THE_GATEWAY else NOTED
        facts.append(str(values) % {"message": explanation_label(detail["message"])})
    if detail.get("changed"):
        names = [str(FIELDS.get(name, name)) for name in detail["changed"].split(", ")]
        facts.append(gettext("Changed: %(fields)s", fields=", ".join(names)))
    if detail.get("accepted"):
        facts.append(gettext("Customs holds: %(content)s", content=content_label(detail["accepted"])))
    if detail.get("override") == "true":
        facts.append(gettext("It was resent unchanged (override)."))
    if detail.get("whom"):
        facts.append(gettext("Asked: %(whom)s", whom=CONTACTS[Contacted(detail["whom"])]))
    if detail.get("cases"):
        reasons = "; ".join(case_line(one["kind"], one) for one in detail["cases"])
        facts.append(gettext("Case: %(reason)s", reason=reasons))
    return tuple(facts)
