"""Rehearsing a re-push of many: what it would take, what keeps the others back, and that it changes nothing."""

from datetime import timedelta

import pytest

from customs.declarations.actions.bulk_actions import MOST_AT_ONCE, Performed, Rehearsal, perform, rehearse
from customs.errors import ActionNotAllowed, ConcurrentUpdate, NotFound, ValidationFailed
from tests import make
from tests.payments.till import Till
from tests.product import Desk

# Every declaration of a test is its operator's; a stranger has another merchant.
OPERATOR, STRANGER = make.caller(), make.caller("M999")


def rehearsed(desk: Desk, *ids: str, caller=OPERATOR, **options) -> Rehearsal:
    services = desk.services
    with services.reading() as db:
        return rehearse(db, caller, ids, services.policy, services.payments, desk.now, **options)


def rules(rehearsal: Rehearsal) -> dict[str, list[str]]:
    return {group.rule: [one.id for one in group.declarations] for group in rehearsal.kept_back}


@pytest.fixture
def till(desk: Desk) -> Till:
    return Till(desk.services, desk)


def test_it_says_which_may_and_which_rule_keeps_the_others_back(desk: Desk):
    lost, failed = desk.declare(), desk.declare()
    desk.work(lambda task: make.reply("EXCEPT" if task.declaration_id == lost else "FAIL", desk.now))
    running = desk.declare()

    rehearsal = rehearsed(desk, lost, failed, running)

    assert [one.id for one in rehearsal.allowed] == [lost]
    assert rules(rehearsal) == {"fail_needs_correction": [failed], "still_running": [running]}
    assert (rehearsal.total, rehearsal.with_override) == (3, 1)


def test_with_an_override_a_fail_goes_out(desk: Desk):
    failed = desk.declare()
    desk.end(failed, "FAIL")

    assert [one.id for one in rehearsed(desk, failed, override=True).allowed] == [failed]


def test_a_rule_says_from_when_all_of_its_declarations_may(desk: Desk):
    first = desk.declare("alipay")
    desk.end(first, "EXCEPT")
    desk.wait(seconds=10)
    second = desk.declare("alipay")
    desk.end(second, "EXCEPT")

    (group,) = rehearsed(desk, first, second).kept_back

    last_sent = desk.push(second).sent_at
    assert last_sent is not None
    assert (group.rule, group.not_before) == ("too_early", last_sent + timedelta(seconds=300))


def test_a_refund_under_way_keeps_its_declaration_back(desk: Desk, till: Till):
    payment = till.payment(till.paid())
    declared = desk.declare(payment_no=payment.payment_no, out_order_no=payment.out_order_no)
    desk.end(declared)
    till.refund(payment.id, "40.00")

    rehearsal = rehearsed(desk, declared, override=True)

    assert (rules(rehearsal), rehearsal.with_override) == ({"refund_under_way": [declared]}, 0)


def test_what_is_anothers_is_not_rehearsed(desk: Desk):
    declared = desk.declare()

    with pytest.raises(NotFound):
        rehearsed(desk, declared, caller=STRANGER)


@pytest.mark.parametrize("count", [0, MOST_AT_ONCE + 1])
def test_none_and_too_many_are_refused(desk: Desk, count: int):
    with pytest.raises(ValidationFailed):
        rehearsed(desk, *(f"decl_{number}" for number in range(count)))


def test_what_was_refused_meanwhile_does_not_stop_the_others():
    said = {"a": None, "b": ActionNotAllowed("no"), "c": ConcurrentUpdate("later"), "d": None}

    def redeclare(declaration_id: str) -> None:
        if error := said[declaration_id]:
            raise error

    assert perform(list(said), redeclare) == Performed(done=("a", "d"), refused=("b", "c"))
