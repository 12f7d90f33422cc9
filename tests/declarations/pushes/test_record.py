"""Marking and recording: only whoever holds the fence, in the same epoch, and never twice."""

from datetime import timedelta

import pytest

from customs.declarations.models import Push
from customs.declarations.pushes.claim import LEASES, Task
from customs.declarations.pushes.record import in_time
from customs.declarations.states import Action, State
from customs.gateway import Busy, ClockSkew, Credentials, NotSent, Unknown
from customs.lanes.breaker import lane_report
from tests import make
from tests.payments.till import at_once
from tests.product import LEASE, Desk

AWKWARD = {
    "quotes": 'it\'s "so"',
    "backslashes": r"\N \. C:\new",
    "tabs and line breaks": "a\tb\nc\r\nd",
    "braces and percents": "{x} %s %(y)s :z",
    "outside the BMP": "𠮷😀",
    "like JSON": '{"a": [null]}',
    "like null": "null",
    "long": "长" * 5_000,
}


def row_of(desk: Desk, declaration_id: str) -> dict[str, object]:
    push = desk.push(declaration_id)
    return {column.key: getattr(push, column.key) for column in push.__table__.columns}


def outcomes_of(desk: Desk, declaration_id: str) -> list[str]:
    return [event.detail["outcome"] for event in desk.events(declaration_id)]


# The mark before a send.


def test_a_send_that_is_marked_is_in_doubt_from_then_on(desk: Desk):
    declaration_id = desk.declare()

    (task,) = desk.send(desk.claim())

    push = desk.push(declaration_id)
    assert (push.in_doubt, push.next_action, push.attempts) == (Action.SUBMIT, Action.QUERY, 1)
    assert push.lease_until > desk.now + LEASE / 2
    assert task.action is Action.SUBMIT


def test_a_query_that_is_marked_leaves_no_doubt_and_is_no_attempt(desk: Desk):
    declaration_id = desk.declare()
    desk.work(lambda _: make.reply("PROCESSING", desk.now))
    desk.wait(minutes=2)

    (task,) = desk.send(desk.claim())

    push = desk.push(declaration_id)
    assert task.action is Action.QUERY
    assert (push.in_doubt, push.attempts) == (None, 1)


def test_after_a_commit_that_only_looked_lost_a_send_is_not_marked_a_second_time(desk: Desk):
    declaration_id = desk.declare()
    tasks = desk.claim()
    desk.send(tasks)

    again = desk.send(tasks)

    assert again == []
    assert (desk.push(declaration_id).attempts, desk.push(declaration_id).in_doubt) == (1, Action.SUBMIT)


def test_what_was_marked_and_let_go_is_asked_for_at_once(desk: Desk):
    desk.declare()
    tasks = desk.claim()
    desk.send(tasks)
    desk.send(tasks)

    assert [task.action for task in desk.claim()] == [Action.QUERY]


def test_a_stale_fence_is_not_marked(desk: Desk):
    declaration_id = desk.declare()
    stale = desk.claim()
    desk.wait(seconds=61)
    current = desk.claim()
    before = row_of(desk, declaration_id)

    assert desk.send(stale) == []
    assert row_of(desk, declaration_id) == before
    assert desk.send(current) == current


def test_of_a_push_that_one_process_holds_twice_only_the_newer_leaves(desk: Desk):
    declaration_id = desk.declare()
    outlived = desk.claim()
    desk.wait(seconds=61)
    newer = desk.claim()

    left = desk.send([*outlived, *newer])

    assert left == newer
    assert desk.push(declaration_id).attempts == 1


@pytest.fixture
def siblings(desk: Desk) -> list[list[Task]]:
    """Two offices' Alipay pushes of one payment, both reserved: the first reservation outlived its lease."""
    numbers = {"payment_no": make.number("P"), "out_order_no": make.number("O")}
    first = desk.declare("alipay", office="HANGZHOU", **numbers)
    desk.declare("alipay", office="NINGBO", **numbers)
    reserved = desk.claim()
    desk.wait(seconds=61)
    with desk.services.transaction() as db:
        db.get_one(Push, desk.push(first).id).due_at = desk.now + timedelta(hours=1)
    return [reserved, desk.claim()]


def test_of_two_alipay_siblings_that_leave_together_one_does(desk: Desk, siblings: list[list[Task]]):
    (first,), (second,) = siblings

    assert desk.send([first, second]) == [first]


def test_an_alipay_push_does_not_leave_while_its_sibling_is_in_doubt(desk: Desk, siblings: list[list[Task]]):
    first, second = siblings
    desk.send(first)

    assert desk.send(second) == []


def test_two_processes_never_let_both_alipay_siblings_leave(desk: Desk, siblings: list[list[Task]]):
    left = at_once(*(lambda tasks=tasks: desk.send(tasks) for tasks in siblings))

    assert len([task for tasks in left if isinstance(tasks, list) for task in tasks]) == 1


def test_a_second_code_does_not_leave_once_the_first_is_no_success_any_more(desk: Desk):
    declaration_id = desk.declare("alipay", office="SHENZHEN")
    desk.work(lambda _: make.reply("SUCCESS", desk.now))
    second = desk.claim()
    with desk.services.transaction() as db:
        db.get_one(Push, desk.push(declaration_id).id).state = State.EXCEPT

    assert desk.send(second) == []


def test_a_stale_epoch_is_not_marked_and_its_lease_ends(desk: Desk):
    declaration_id = desk.declare()
    reserved = desk.claim()
    desk.modify(declaration_id, duty=5)

    assert desk.send(reserved) == []
    assert [task.filing.duty for task in desk.claim()] == [5]


def test_of_a_group_only_those_that_may_leave_do(desk: Desk):
    ids = [desk.declare() for _ in range(5)]
    tasks = desk.claim()
    desk.decide("cancel", ids[2])

    left = desk.send(tasks)

    assert {task.declaration_id for task in left} == set(ids) - {ids[2]}


@pytest.mark.parametrize("work", ["extend", "release"])
def test_a_lease_is_renewed_or_ended_only_under_its_fence(desk: Desk, work: str):
    declaration_id = desk.declare()
    stale = desk.claim()
    desk.wait(seconds=61)
    current = desk.claim()
    until = desk.now + timedelta(hours=1)

    for tasks in (stale, current):
        with desk.services.engine.begin() as db:
            {"extend": lambda t: LEASES.extend(db, t, until), "release": lambda t: LEASES.release(db, t)}[work](tasks)
        lease = desk.push(declaration_id).lease_until
        expected = {"extend": until, "release": None}[work]
        assert (lease == expected) == (tasks is current)


# The record of an answer.


def test_an_answer_under_a_stale_fence_changes_nothing_and_is_on_record(desk: Desk):
    declaration_id = desk.declare()
    stale = desk.send(desk.claim())
    desk.wait(seconds=61)
    (current,) = desk.claim()
    before = row_of(desk, declaration_id)

    (recorded,) = desk.answer((stale[0], make.reply("FAIL", desk.now)))

    assert recorded.transition is None
    assert row_of(desk, declaration_id) == before
    assert outcomes_of(desk, declaration_id) == ["superseded"]
    desk.answer((current, make.reply("SUCCESS", desk.now)))
    assert desk.push(declaration_id).state is State.SUCCESS


def test_an_answer_under_a_stale_epoch_changes_nothing_but_the_lease(desk: Desk):
    declaration_id = desk.declare()
    desk.work(lambda _: make.reply("PROCESSING", desk.now))
    desk.wait(minutes=2)
    (task,) = desk.send(desk.claim())
    desk.modify(declaration_id, duty=5)
    before = row_of(desk, declaration_id)

    (recorded,) = desk.answer((task, make.reply("SUCCESS", desk.now)))

    after = row_of(desk, declaration_id)
    assert recorded.transition is None
    assert {name for name in after if after[name] != before[name]} == {"holder", "lease_until"}
    assert [task.action for task in desk.claim()] == [Action.MODIFY]


def test_an_answer_recorded_twice_changes_nothing_the_second_time(desk: Desk):
    declaration_id = desk.declare()
    (task,) = desk.send(desk.claim())
    answered = (task, make.reply("SUCCESS", desk.now))
    desk.answer(answered)
    before = row_of(desk, declaration_id)

    desk.answer(answered)

    assert row_of(desk, declaration_id) == before
    assert desk.declaration(declaration_id).state is State.SUCCESS


def test_a_group_of_answers_is_recorded_each_on_its_own_row(desk: Desk):
    shown = ["SUCCESS", "FAIL", "EXCEPT", "PROCESSING", "SUBMITTED", "UNDECLARED"]
    ids = [desk.declare() for _ in shown]
    states = dict(zip(ids, shown, strict=True))

    desk.work(lambda task: make.reply(states[task.declaration_id], desk.now))

    assert {one: str(desk.push(one).state) for one in ids} == states
    assert {one: str(desk.declaration(one).state) for one in ids} == states
    assert all(desk.push(one).lease_until is None and desk.push(one).holder is None for one in ids)


def test_a_declaration_folds_over_all_its_pushes_also_those_that_were_not_in_the_group(desk: Desk):
    declaration_id = desk.declare(parts=3)
    first, second, third = desk.send(desk.claim())
    desk.answer((first, make.reply("EXCEPT", desk.now)), (second, make.reply("SUCCESS", desk.now)))
    assert desk.declaration(declaration_id).state is State.EXCEPT

    desk.answer((third, make.reply("FAIL", desk.now, explanation="no")))

    declaration = desk.declaration(declaration_id)
    assert (declaration.state, declaration.needs_review) == (State.FAIL, True)
    assert declaration.case_reason == "EXCEPT"


@pytest.mark.parametrize("text", AWKWARD.values(), ids=AWKWARD)
def test_the_gateways_words_are_kept_as_they_are(desk: Desk, text: str):
    declaration_id = desk.declare()

    desk.work(lambda _: make.reply("FAIL", desk.now, explanation=text, exchange=make.exchange(reply=text)))

    assert desk.push(declaration_id).explanation == text
    assert desk.declaration(declaration_id).case_reason == f"FAIL: {text}"


def test_times_are_kept_to_the_microsecond(desk: Desk):
    declaration_id = desk.declare()
    shown_at = desk.now.replace(microsecond=123_457)

    desk.work(lambda _: make.reply("PROCESSING", shown_at))

    assert desk.push(declaration_id).modify_time == shown_at


def test_every_call_is_an_event_with_what_changed(desk: Desk):
    declaration_id = desk.declare()
    desk.work(lambda _: Unknown("reset"))
    desk.wait(minutes=2)
    desk.work(lambda _: make.reply("FAIL", desk.now, explanation="no"))

    lost, found = desk.events(declaration_id)
    assert (lost.kind, lost.detail["action"], lost.detail["outcome"]) == ("call", "SUBMIT", "unknown")
    assert lost.request is None
    assert (found.detail["from"], found.detail["to"], found.detail["cases"]) == (
        "UNDECLARED",
        "FAIL",
        [{"kind": "FAIL", "explanation": "no"}],
    )
    assert found.duration_ms == 12


# What a group says of the lane.


def test_a_group_tells_the_lane_its_worst(desk: Desk):
    desk.take_in(*(make.declaration_row() for _ in range(5)))
    shown = iter(
        [
            make.reply("PROCESSING", desk.now),
            NotSent("refused"),
            Busy("later", exchange=make.exchange(), retry_after=7.0),
            Credentials("bad signature", exchange=make.exchange()),
            ClockSkew("clock", exchange=make.exchange(), server_time=desk.now - timedelta(seconds=90)),
        ]
    )
    recorded = desk.answer(*((task, next(shown)) for task in desk.send(desk.claim())))

    report = lane_report(in_time(recorded), desk.now)

    assert (report.answered, report.throttled, report.rejected, report.retry_after) == (1, 2, 2, 7.0)
    assert report.skew == pytest.approx(90, abs=1)


def test_late_answers_say_nothing_of_the_lane(desk: Desk):
    desk.declare()
    stale = desk.send(desk.claim())
    desk.wait(seconds=61)
    desk.claim()
    recorded = desk.answer((stale[0], Credentials("bad signature", exchange=make.exchange())))

    assert in_time(recorded) == []
