"""What a person may do with a push: each rule of each action as a row, on plain values."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from customs.declarations.actions.action_rules import (
    Decision,
    Policy,
    Refusal,
    Request,
    action_of_modify,
    action_of_redeclare,
    refused_pushes,
    taken_by_redeclare,
)
from customs.declarations.cases import CaseKind
from customs.declarations.models import Push
from customs.declarations.states import Action, State
from customs.gateway import Channel
from tests.make import NOON

LATER = NOON + timedelta(minutes=1)
STRICT = Request(NOON, Policy(300.0, "override"))
OVERRIDDEN = Request(NOON, Policy(300.0, "override"), override=True)
LENIENT = Request(NOON, Policy(300.0, "allow"))
REFUNDING = replace(STRICT, refunding=True)
REFUND = "refund_under_way"


def push(**changes: Any) -> Push:
    """A WeChat push that ended with SUCCESS an hour ago."""
    columns: dict[str, Any] = {
        "channel": Channel.WECHATPAY,
        "customs": "HANGZHOU_ZS",
        "state": State.SUCCESS,
        "accepted": True,
        "cancelled": False,
        "in_doubt": None,
        "lease_until": None,
        "sent_at": NOON - timedelta(hours=1),
        "next_action": None,
        "due_at": None,
        "case_kind": None,
    }
    return Push(**columns | changes)


def alipay(customs: str = "HANGZHOU_ZONGSHU", **changes: Any) -> Push:
    return push(channel=Channel.ALIPAY, customs=customs, **changes)


FRESH = {"state": State.UNDECLARED, "accepted": False, "sent_at": None, "next_action": Action.SUBMIT, "due_at": NOON}
RUNNING = {"state": State.PROCESSING, "next_action": Action.QUERY, "due_at": LATER}
FLYING = {"in_doubt": Action.SUBMIT, "lease_until": LATER, "next_action": Action.QUERY, "due_at": NOON}
DOUBTFUL = {"in_doubt": Action.SUBMIT, "next_action": Action.QUERY, "due_at": LATER}
REFUSED = {"state": State.UNDECLARED, "accepted": False, "case_kind": CaseKind.REFUSED}
GIVEN_UP = {"state": State.UNDECLARED, "accepted": False}
JUST_NOW = {"sent_at": NOON - timedelta(seconds=299)}
FIVE_MINUTES_AGO = {"sent_at": NOON - timedelta(seconds=300)}
IN_CASE = {"case_kind": CaseKind.NO_END}
WAITED_FOR = DOUBTFUL | IN_CASE
HOUR_AGO, DAY_AGO = NOON - timedelta(hours=1), NOON - timedelta(hours=25)
IN_A_SECOND = NOON + timedelta(seconds=1)

# The action's checks; the push; the request; the rule that refuses; when waiting helps.
TABLE = {
    "SUCCESS is pushed again": (Decision.REDECLARE, push(), STRICT, None, None),
    "EXCEPT is pushed again": (Decision.REDECLARE, push(state=State.EXCEPT), STRICT, None, None),
    "FAIL needs a correction": (Decision.REDECLARE, push(state=State.FAIL), STRICT, "fail_needs_correction", None),
    "FAIL with an override": (Decision.REDECLARE, push(state=State.FAIL), OVERRIDDEN, None, None),
    "FAIL where the policy lets it": (Decision.REDECLARE, push(state=State.FAIL), LENIENT, None, None),
    "refused is sent anew": (Decision.REDECLARE, push(**REFUSED), STRICT, None, None),
    "given up, case dismissed": (Decision.REDECLARE, push(**GIVEN_UP), STRICT, None, None),
    "running": (Decision.REDECLARE, push(**RUNNING), STRICT, "still_running", LATER),
    "running with a case": (Decision.REDECLARE, push(**RUNNING, **IN_CASE), STRICT, None, None),
    "never sent": (Decision.REDECLARE, push(**FRESH), STRICT, "still_running", NOON),
    "in the air": (Decision.REDECLARE, push(**FLYING), OVERRIDDEN, "in_flight", LATER),
    "unknown": (Decision.REDECLARE, push(**DOUBTFUL), OVERRIDDEN, "outcome_unknown", LATER),
    "unknown for a day": (
        Decision.REDECLARE,
        push(**DOUBTFUL, **IN_CASE),
        STRICT,
        "outcome_unknown",
        LATER,
    ),
    "unknown for a day, overridden": (
        Decision.REDECLARE,
        push(**DOUBTFUL, **IN_CASE),
        OVERRIDDEN,
        "outcome_unknown",
        LATER,
    ),
    "FAIL whose correction was refused": (
        Decision.REDECLARE,
        push(state=State.FAIL, accepted_content="{}", case_kind=CaseKind.REFUSED),
        STRICT,
        None,
        None,
    ),
    "refunded": (Decision.REDECLARE, push(), REFUNDING, "refund_under_way", None),
    "refunded, overridden": (Decision.REDECLARE, push(), replace(REFUNDING, override=True), "refund_under_way", None),
    "a case while a refund is under way": (Decision.DISMISS, push(**REFUSED), REFUNDING, "refund_under_way", None),
    "a refund that waits for an hour": (
        Decision.DISMISS,
        push(**WAITED_FOR, budget_from=HOUR_AGO),
        REFUNDING,
        REFUND,
        None,
    ),
    "a refund that waits for a day": (Decision.DISMISS, push(**WAITED_FOR, budget_from=DAY_AGO), REFUNDING, None, None),
    "a refund that was let go": (
        Decision.DISMISS,
        push(**WAITED_FOR, budget_from=DAY_AGO, refund_allowed=True),
        REFUNDING,
        REFUND,
        None,
    ),
    "a refund keeps nobody from cancelling": (Decision.CANCEL, push(**FRESH), REFUNDING, None, None),
    "in the air, overridden": (
        Decision.REDECLARE,
        push(**FLYING, **IN_CASE),
        OVERRIDDEN,
        "in_flight",
        LATER,
    ),
    "lease over, unknown": (
        Decision.REDECLARE,
        push(**FLYING | {"lease_until": NOON}),
        STRICT,
        "outcome_unknown",
        NOON,
    ),
    "cancelled": (Decision.REDECLARE, push(cancelled=True), OVERRIDDEN, "cancelled", None),
    "Alipay too early": (Decision.REDECLARE, alipay(**JUST_NOW), STRICT, "too_early", IN_A_SECOND),
    "Alipay after five minutes": (Decision.REDECLARE, alipay(**FIVE_MINUTES_AGO), STRICT, None, None),
    "Alipay refused just now": (Decision.REDECLARE, alipay(**REFUSED | JUST_NOW), STRICT, None, None),
    "WeChat at once": (Decision.REDECLARE, push(**JUST_NOW), STRICT, None, None),
    "Nansha takes none": (Decision.REDECLARE, alipay("NANSHAGJ"), OVERRIDDEN, "no_repush", None),
    "Nansha never took it": (Decision.REDECLARE, alipay("NANSHAGJ", **REFUSED), STRICT, None, None),
    "cancel unsent": (Decision.CANCEL, push(**FRESH), STRICT, None, None),
    "cancel sent": (Decision.CANCEL, push(**RUNNING), STRICT, "already_sent", None),
    "cancel in the air": (Decision.CANCEL, push(**FLYING), STRICT, "already_sent", None),
    "cancel twice": (Decision.CANCEL, push(**FRESH | {"cancelled": True}), STRICT, "cancelled", None),
    "dismiss a case": (Decision.DISMISS, push(case_kind=CaseKind.FAIL), STRICT, None, None),
    "dismiss nothing": (Decision.DISMISS, push(), STRICT, "no_case", None),
}


def refusal_for(decision: Decision, given: Push, request_: Request) -> Refusal | None:
    return next((refusal for _, refusal in refused_pushes(decision, [given], request_)), None)


@pytest.mark.parametrize(("decision", "given", "request_", "rule", "not_before"), TABLE.values(), ids=TABLE)
def test_each_action_is_allowed_or_refused_by_the_rule_that_says_so(decision, given, request_, rule, not_before):
    refusal = refusal_for(decision, given, request_)

    assert (refusal and refusal.rule) == rule
    assert (refusal and refusal.not_before) == not_before


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        (push(), None),
        (push(state=State.FAIL), None),
        (push(**RUNNING), None),
        (push(**FRESH), None),
        (push(**FLYING), "in_flight"),
        (push(**DOUBTFUL), "outcome_unknown"),
        (push(cancelled=True), "cancelled"),
        (alipay(**JUST_NOW), "too_early"),
        (alipay(**RUNNING), "still_running"),
        (alipay(state=State.FAIL), None),
        (alipay("NANSHAGJ"), "no_repush"),
        (alipay(**FRESH), None),
        (alipay(**REFUSED | JUST_NOW), None),
    ],
)
def test_a_correction_may_follow_any_known_outcome_and_alipays_obeys_the_rules_of_a_repush(given: Push, rule):
    refusal = refusal_for(Decision.MODIFY, given, STRICT)

    assert (refusal and refusal.rule) == rule


@pytest.mark.parametrize(
    ("given", "redeclare", "modify"),
    [
        (push(), Action.REDECLARE, Action.MODIFY),
        (alipay(), Action.REDECLARE, Action.REDECLARE),
        (push(**REFUSED), Action.SUBMIT, Action.SUBMIT),
        (alipay(**REFUSED), Action.SUBMIT, Action.SUBMIT),
    ],
)
def test_what_goes_out_depends_on_whether_the_gateway_took_it_and_on_the_channel(given: Push, redeclare, modify):
    assert (action_of_redeclare(given), action_of_modify(given)) == (redeclare, modify)


def test_a_repush_that_names_nothing_takes_what_failed_else_what_was_given_up_else_what_is_success():
    good, failed, gone, lost = push(), push(state=State.FAIL), push(state=State.EXCEPT), push(**GIVEN_UP)
    running = push(**RUNNING)

    assert taken_by_redeclare([good, failed, running, gone, lost]) == [failed, gone]
    assert taken_by_redeclare([good, running, lost]) == [lost]
    assert taken_by_redeclare([good, running]) == [good]
    assert taken_by_redeclare([running]) == [running]
