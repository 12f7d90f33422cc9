"""What comes next: each standing of a declaration's pushes as a row, on plain values."""

from datetime import timedelta
from typing import Any

import pytest

from customs.declarations.actions.action_rules import Policy, Request
from customs.declarations.cases import CaseKind
from customs.declarations.models import Push
from customs.declarations.reading.next_steps import NextStep, StepKind, is_moving, next_steps
from customs.declarations.states import Action, State
from customs.gateway import Channel
from tests.make import NOON

SOON = NOON + timedelta(seconds=12)
LATER = NOON + timedelta(minutes=4)
NOW = Request(NOON, Policy(300.0, "override"))


def push(**changes: Any) -> Push:
    """A WeChat push that was cleared an hour ago."""
    columns: dict[str, Any] = {
        "id": "push_1",
        "channel": Channel.WECHATPAY,
        "customs": "HANGZHOU_ZS",
        "sub_order_no": "",
        "blocked_by": None,
        "withheld": False,
        "cancelled": False,
        "state": State.SUCCESS,
        "accepted": True,
        "in_doubt": None,
        "lease_until": None,
        "sent_at": NOON - timedelta(hours=1),
        "next_action": None,
        "due_at": None,
        "failed_attempts": 0,
        "case_kind": None,
        "case_since": None,
    }
    return Push(**columns | changes)


FRESH = {"state": State.UNDECLARED, "accepted": False, "sent_at": None, "next_action": Action.SUBMIT, "due_at": NOON}
ASKED = {"state": State.PROCESSING, "next_action": Action.QUERY, "due_at": SOON}
CALLED = {"in_doubt": Action.SUBMIT, "next_action": Action.QUERY, "due_at": NOON, "lease_until": SOON}
IN_DOUBT = {"in_doubt": Action.SUBMIT, "next_action": Action.QUERY, "due_at": SOON}
SHENZHEN = {"channel": Channel.ALIPAY, "customs": "SHENZHEN_ZS"}
ZONGSHU = {"id": "push_2", "channel": Channel.ALIPAY, "customs": "ZONGSHU", "blocked_by": "push_1"}
WAITING = ZONGSHU | FRESH | {"due_at": None}
HZ, SZ, ZS = "HANGZHOU_ZS", "SHENZHEN_ZS", "ZONGSHU"


def failed(state: State, kind: CaseKind, **changes: Any) -> Push:
    return push(state=state, case_kind=kind, case_since=NOON, **changes)


def decide(kind: CaseKind, count: int = 1) -> NextStep:
    return NextStep(StepKind.TO_DECIDE, count, case=kind)


TABLE: dict[str, tuple[list[Push], list[NextStep]]] = {
    "cleared": ([push()], [NextStep(StepKind.ACCEPTED)]),
    "not sent yet": ([push(**FRESH)], [NextStep(StepKind.SUBMITTING, 1, HZ)]),
    "not sent yet, later": ([push(**FRESH | {"due_at": SOON})], [NextStep(StepKind.SUBMITTING, 1, HZ, at=SOON)]),
    "the gateway was busy": (
        [push(**FRESH | {"due_at": SOON, "failed_attempts": 2})],
        [NextStep(StepKind.TRYING_AGAIN, 1, HZ, at=SOON)],
    ),
    "a call is under way": ([push(**CALLED)], [NextStep(StepKind.CALLING, 1, HZ)]),
    "nobody knows what became of a call": ([push(**IN_DOUBT)], [NextStep(StepKind.ASKING_WHETHER, 1, HZ, at=SOON)]),
    "at the gateway": (
        [push(**ASKED | {"state": State.UNDECLARED})],
        [NextStep(StepKind.ASKING, 1, HZ, at=SOON)],
    ),
    "at customs": ([push(**ASKED)], [NextStep(StepKind.AT_CUSTOMS, 1, HZ, at=SOON)]),
    "asked at this moment": ([push(**ASKED | {"due_at": NOON})], [NextStep(StepKind.AT_CUSTOMS, 1, HZ)]),
    "pushed again": ([push(**FRESH | {"next_action": Action.REDECLARE})], [NextStep(StepKind.REPUSHING, 1, HZ)]),
    "corrected": ([push(**FRESH | {"next_action": Action.MODIFY})], [NextStep(StepKind.MODIFYING, 1, HZ)]),
    "the second code waits for the first": (
        [push(**SHENZHEN | ASKED), push(**WAITING)],
        [NextStep(StepKind.AT_CUSTOMS, 1, SZ, at=SOON), NextStep(StepKind.WAITS_FOR_CODE, 1, ZS, SZ)],
    ),
    "the second code waits for a first that failed": (
        [failed(State.EXCEPT, CaseKind.EXCEPT, **SHENZHEN), push(**WAITING)],
        [
            decide(CaseKind.EXCEPT),
            NextStep(StepKind.WAITS_FOR_CODE, 1, ZS, SZ),
            NextStep(StepKind.MAY_REPUSH),
        ],
    ),
    "parts that do the same are told together, by the first of them": (
        [push(**ASKED), push(**ASKED | {"id": "push_2", "due_at": LATER})],
        [NextStep(StepKind.AT_CUSTOMS, 2, HZ, at=SOON)],
    ),
    "parts that do different things are told one by one": (
        [push(**ASKED), push(**FRESH | {"id": "push_2"}), push(id="push_3")],
        [NextStep(StepKind.AT_CUSTOMS, 1, HZ, at=SOON), NextStep(StepKind.SUBMITTING, 1, HZ)],
    ),
    "a FAIL is corrected": (
        [failed(State.FAIL, CaseKind.FAIL)],
        [decide(CaseKind.FAIL), NextStep(StepKind.TO_CORRECT)],
    ),
    "an EXCEPT is pushed again": (
        [failed(State.EXCEPT, CaseKind.EXCEPT)],
        [decide(CaseKind.EXCEPT), NextStep(StepKind.MAY_REPUSH)],
    ),
    "Alipay takes a re-push later": (
        [failed(State.EXCEPT, CaseKind.EXCEPT, **SHENZHEN, sent_at=LATER - timedelta(seconds=300))],
        [decide(CaseKind.EXCEPT), NextStep(StepKind.MAY_REPUSH_FROM, at=LATER)],
    ),
    "a code that takes no re-push": (
        [failed(State.EXCEPT, CaseKind.EXCEPT, channel=Channel.ALIPAY, customs="NANSHAGJ")],
        [decide(CaseKind.EXCEPT)],
    ),
    "the buyer is not the payer": (
        [push(case_kind=CaseKind.IDENTITY, case_since=NOON)],
        [decide(CaseKind.IDENTITY), NextStep(StepKind.TO_CORRECT_BUYER)],
    ),
    "the gateway refused it": (
        [push(**FRESH | {"next_action": None, "due_at": None, "sent_at": NOON}, case_kind=CaseKind.REFUSED)],
        [decide(CaseKind.REFUSED), NextStep(StepKind.TO_CORRECT)],
    ),
    "a refund keeps it back": (
        [push(**FRESH | {"due_at": None}, withheld=True, case_kind=CaseKind.REFUND)],
        [decide(CaseKind.REFUND), NextStep(StepKind.WITHHELD, 1, HZ), NextStep(StepKind.TO_COMPARE)],
    ),
    "no end after a day, and still asked": (
        [push(**ASKED, case_kind=CaseKind.NO_END)],
        [decide(CaseKind.NO_END), NextStep(StepKind.AT_CUSTOMS, 1, HZ, at=SOON), NextStep(StepKind.MAY_REPUSH)],
    ),
    "the oldest case speaks": (
        [
            failed(State.FAIL, CaseKind.FAIL),
            push(id="push_2", state=State.EXCEPT, case_kind=CaseKind.EXCEPT, case_since=NOON - timedelta(hours=1)),
        ],
        [decide(CaseKind.EXCEPT, 2)],
    ),
    "dismissed as it failed": ([push(state=State.FAIL)], [NextStep(StepKind.STANDS_STILL)]),
    "dismissed, and may be pushed again": (
        [push(state=State.EXCEPT)],
        [NextStep(StepKind.STANDS_STILL), NextStep(StepKind.MAY_REPUSH)],
    ),
}


@pytest.mark.parametrize(("pushes", "expected"), TABLE.values(), ids=TABLE)
def test_what_comes_next(pushes: list[Push], expected: list[NextStep]):
    assert list(next_steps(pushes, NOW)) == expected


def test_what_was_cancelled_does_nothing_more():
    pushes = [push(**FRESH | {"next_action": None, "due_at": None}, cancelled=True)]

    assert next_steps(pushes, NOW, cancelled=True) == (NextStep(StepKind.CANCELLED),)


def test_what_was_cancelled_with_its_payment_is_closed_by_somebody():
    pushes = [push(**FRESH | {"next_action": None}, cancelled=True, case_kind=CaseKind.PAYMENT_ENDED)]

    reported = next_steps(pushes, NOW, cancelled=True)

    assert [one.what for one in reported] == [StepKind.TO_DECIDE, StepKind.CANCELLED, StepKind.TO_CLOSE]


def test_what_waits_for_its_payment_says_so():
    pushes = [push(**FRESH | {"due_at": None})]

    assert next_steps(pushes, NOW, waits_for_payment=True) == (NextStep(StepKind.WAITS_FOR_PAYMENT),)


@pytest.mark.parametrize(
    ("one", "moves"),
    [
        (push(), False),
        (push(**ASKED), True),
        (push(**CALLED | {"due_at": None}), True),
        (push(**WAITING), False),
        (push(**FRESH, cancelled=True), False),
    ],
    ids=["cleared", "asked", "called", "waiting", "cancelled"],
)
def test_a_page_moves_while_something_is_due_or_under_way(one: Push, moves: bool):
    assert is_moving([one], NOON) is moves
