"""What the timeline of a payment says in words: every deed of ours, every call and what came of it."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import NamedTuple

from flask_babel import LazyString, gettext, lazy_gettext

from customs.payments.errands import Deed
from customs.payments.judging import ANOTHERS_NUMBER, NO_ANSWER, NO_END, UNHEARD_OF
from customs.payments.models import PaymentEvent
from customs.payments.payment_work import FOR_ANOTHER, LOST

_ = lazy_gettext


class Told(NamedTuple):
    """A word with its icon and the tone of its colour."""

    word: LazyString | str
    icon: str
    tone: str


DEEDS: Mapping[str, LazyString] = {
    "pay": _("Asked for the payment"),
    "refund": _("Asked for a refund"),
    "payments SEND": _("Opened the order at the gateway"),
    "payments QUERY": _("Asked the gateway for the payment"),
    "refunds SEND": _("Sent the refund to the gateway"),
    "refunds QUERY": _("Asked the gateway for the refund"),
}
OUTCOMES: Mapping[str, Told] = {
    "answered": Told(_("Answered"), "check-circle", "success"),
    "not_sent": Told(_("Not sent: the gateway cannot be reached"), "pause-circle", "except"),
    "busy": Told(_("The gateway asked us to wait"), "pause-circle", "except"),
    "credentials": Told(_("The gateway refused our credentials"), "stop-circle", "fail"),
    "clock": Told(_("The gateway's clock and ours differ"), "clock", "except"),
    "not_found": Told(_("The gateway knows nothing of it yet"), "question-circle", "waiting"),
    "refused": Told(_("Refused"), "x-circle-fill", "fail"),
    "misuse": Told(_("Not sent: it cannot be right"), "x-circle-fill", "fail"),
    "another_record": Told(
        _("Answered about somebody else's record, of which nothing is kept"), "question-circle", "except"
    ),
    "unknown": Told(_("No answer came: we ask before anything is repeated"), "question-circle", "except"),
}
# Why a person should look at it; what was sent without effect says how many times.
CASES: Mapping[str, LazyString] = {
    NO_END: _("A day of asking brought no end; we go on asking. Ask the payment company how it stands."),
    NO_ANSWER: _(
        "Nobody knows what became of it: the gateway was asked for a day and gave no answer that can be understood. "
        "Ask the payment company before it is collected or refunded a second time."
    ),
    ANOTHERS_NUMBER: _(
        "Under this number the gateway answers about somebody else's record, of which nothing is kept. Ask the payment "
        "company how it stands."
    ),
}
NO_EFFECT = _(
    "It was sent again and again, and the gateway shows no effect of it. Ask the payment company whether anything came."
)
# Why it ended as it did, where that is in words of ours; the gateway's own are told as they were said.
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


def deed_of(event: PaymentEvent) -> LazyString | str:
    """What was done."""
    action = event.detail.get("action", "")
    return DEEDS.get(action, action)


def outcome_of(event: PaymentEvent) -> Told | None:
    """What came of a call; None for what was no call."""
    word = event.detail.get("outcome")
    return None if word is None else OUTCOMES.get(word, Told(word, "circle", "waiting"))


def case_words(reason: str) -> LazyString:
    """What is to be done about a case."""
    return CASES.get(reason, NO_EFFECT)


def explained(explanation: str) -> LazyString | str:
    """Why it ended as it did."""
    if explanation.startswith(GATEWAY_SAYS):
        return gettext("The gateway says: %(message)s", message=explanation.removeprefix(GATEWAY_SAYS))
    return EXPLANATIONS.get(explanation, explanation)


def told_together(events: Iterable[PaymentEvent]) -> list[tuple[bool, list[PaymentEvent]]]:
    """The events in their order, in heaps, each with whether it is one of those that brought nothing new."""
    return [(is_quiet, list(heap)) for is_quiet, heap in groupby(events, _is_quiet)]


def _is_quiet(event: PaymentEvent) -> bool:
    """Whether the gateway was asked, answered, and nothing changed."""
    asked = event.detail.get("action", "").endswith(Deed.QUERY)
    return asked and event.detail.get("outcome") == ANSWERED and "to" not in event.detail


def payer_word(name: str) -> LazyString | str:
    """What kind of name a payer goes by."""
    return PAYERS.get(name, name)
