"""Advice: what each error of a case means and what usually helps, and the words of its evidence."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from flask_babel import LazyString, lazy_gettext

from customs.auth.principal import Caller, Scope
from customs.declarations.actions.action_rules import Decision, Permission
from customs.declarations.cases import CaseKind
from customs.review.evidence import Evidence

_ = lazy_gettext


class Resolution(StrEnum):
    """A way to close a case."""

    CORRECT = "correct"
    REDECLARE = "redeclare"
    DISMISS = "dismiss"
    ONE_BY_ONE = "one_by_one"


class Advice(NamedTuple):
    """What happened, what usually helps, and the ways out of a single case, the best first; `of_group` is its own."""

    happened: LazyString
    helps: LazyString
    ways: tuple[Resolution, ...]
    of_group: Resolution


CORRECT, REDECLARE, DISMISS = Resolution.CORRECT, Resolution.REDECLARE, Resolution.DISMISS
ADVICE: Mapping[CaseKind, Advice] = {
    CaseKind.FAIL: Advice(
        _("Customs took the declaration and rejected it: what it says does not agree with what customs has on file."),
        _(
            "Correct what customs names, mostly the registration number, the buyer or an amount, and save: WeChat "
            "sends a modification, Alipay takes it along with a re-push. The same again comes back as FAIL."
        ),
        (CORRECT, REDECLARE, DISMISS),
        CORRECT,
    ),
    CaseKind.EXCEPT: Advice(
        _("The interface of customs did not work. Nothing is wrong with the declaration."),
        _("Push it again. When it comes back a second time, ask customs whether their system is down, and wait."),
        (REDECLARE, CORRECT, DISMISS),
        REDECLARE,
    ),
    CaseKind.REFUSED: Advice(
        _("The gateway or the payment company took nothing: the numbers or the content are not as they have them."),
        _(
            "Read what they say. Correct what is wrong and save: it is sent afresh. Where the order or payment number "
            "is wrong, close the case and hand the order in again under the right one."
        ),
        (CORRECT, REDECLARE, DISMISS),
        CORRECT,
    ),
    CaseKind.IDENTITY: Advice(
        _("It was declared, but the buyer in the order is not the person who paid. Customs compares the two."),
        _("Ask the merchant who paid, then correct the buyer's name and ID number; the state itself is not touched."),
        (CORRECT, DISMISS, REDECLARE),
        Resolution.ONE_BY_ONE,
    ),
    CaseKind.UNKNOWN_STATE: Advice(
        _("The gateway answered with a state that its document does not list, so nobody here knows what it means."),
        _("Ask the gateway what the word means. A re-push mostly brings a state that is known."),
        (REDECLARE, CORRECT, DISMISS),
        REDECLARE,
    ),
    CaseKind.WENT_BACK: Advice(
        _("The gateway reported an earlier state after a later one."),
        _(
            "Look at where it stands now: when customs has accepted it since, close the case; else wait, or push it "
            "again."
        ),
        (DISMISS, REDECLARE, CORRECT),
        Resolution.ONE_BY_ONE,
    ),
    CaseKind.NO_END: Advice(
        _("A day of asking brought no end. The desk goes on asking."),
        _(
            "Ask the payment company or customs, then push it again; not while the outcome of the last call is "
            "unknown. Where a refund waits for that, closing the case lets the refund go."
        ),
        (REDECLARE, DISMISS, CORRECT),
        REDECLARE,
    ),
    CaseKind.NO_EFFECT: Advice(
        _("It was sent several times, and the gateway shows no effect of it."),
        _("Ask the gateway whether it received anything, then push it again."),
        (REDECLARE, CORRECT, DISMISS),
        REDECLARE,
    ),
    CaseKind.ANOTHERS_NUMBER: Advice(
        _(
            "The gateway finds an order by its number alone, and under this one it answers about another payment. "
            "Nothing of that is shown or kept. The desk goes on asking."
        ),
        _("Ask the payment company what became of this payment, and give each payment an order number of its own."),
        (DISMISS, REDECLARE, CORRECT),
        Resolution.ONE_BY_ONE,
    ),
    CaseKind.REFUND: Advice(
        _("A refund of its payment was asked for: once that is paid out, more may be declared than was paid."),
        _(
            "Compare what is declared with what is left of the payment: lower the sub-orders, or close the case when "
            "nothing has to be declared any more."
        ),
        (CORRECT, DISMISS, REDECLARE),
        Resolution.ONE_BY_ONE,
    ),
    CaseKind.OVER_PAID: Advice(
        _("The sub-orders come to more than was paid, so nothing was sent."),
        _("Lower the amounts of the sub-orders until they fit the payment."),
        (CORRECT, DISMISS, REDECLARE),
        Resolution.ONE_BY_ONE,
    ),
    CaseKind.PAYMENT_ENDED: Advice(
        _("It waited for its payment, which was never made. It was cancelled."),
        _("There is nothing left to declare: close the case."),
        (DISMISS, CORRECT, REDECLARE),
        Resolution.ONE_BY_ONE,
    ),
    CaseKind.OTHER: Advice(
        _("Something that has no name here."),
        _("Read what came back, and ask whoever said it."),
        (REDECLARE, CORRECT, DISMISS),
        Resolution.ONE_BY_ONE,
    ),
}

# Whoever decides says why; these are only offered.
REASONS: Mapping[Resolution, Sequence[LazyString]] = {
    Resolution.CORRECT: (
        _("Wrong registration number"),
        _("Buyer corrected after asking the merchant"),
        _("Wrong amount in the order system"),
    ),
    Resolution.REDECLARE: (
        _("Customs did not get it"),
        _("Customs says their system works again"),
        _("Customs asked for it"),
    ),
    Resolution.DISMISS: (
        _("Released by customs by hand"),
        _("The order was given up"),
        _("Nothing has to be declared any more"),
    ),
}


def best_resolution(
    evidence: Evidence, permissions: Mapping[Decision, Permission], caller: Caller
) -> Resolution | None:
    """Return the first way out of a case that may help and that this person may take; None when there is none."""
    reviews = caller.may(Scope.DECLARATIONS_REVIEW)
    refusals = {
        CORRECT: permissions[Decision.MODIFY].refusal is not None or not evidence.can_be_corrected,
        REDECLARE: permissions[Decision.REDECLARE].refusal is not None,
        DISMISS: permissions[Decision.DISMISS].refusal is not None or not reviews,
    }
    return next((way for way in ADVICE[evidence.case].ways if not refusals[way]), None)
