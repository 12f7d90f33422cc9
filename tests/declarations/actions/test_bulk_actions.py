"""A dry run of a re-push of many: what it would take, what blocks the others, and that it changes nothing."""

from datetime import timedelta

import pytest

from customs.declarations.actions.bulk_actions import MOST_AT_ONCE, BulkPlan, BulkResult, dry_run_redeclare, execute
from customs.errors import ActionNotAllowed, ConcurrentUpdate, NotFound, ValidationFailed
from tests import make
from tests.payments.till import Till
from tests.product import Desk

# Every declaration of a test is its operator's; a stranger has another merchant.
OPERATOR, STRANGER = make.caller(), make.caller("M999")


def dry_run(desk: Desk, *ids: str, caller=OPERATOR, **options) -> BulkPlan:
    services = desk.services
    with services.reading() as db:
        return dry_run_redeclare(db, caller, ids, services.policy, services.payments, desk.now, **options)


def rules(plan: BulkPlan) -> dict[str, list[str]]:
    return {group.rule: [one.id for one in group.declarations] for group in plan.blocked}


@pytest.fixture
def till(desk: Desk) -> Till:
    return Till(desk.services, desk)


def test_a_dry_run_says_which_may_and_which_rule_blocks_the_others(desk: Desk):
    lost, failed = desk.declare(), desk.declare()
    desk.work(lambda task: make.reply("EXCEPT" if task.declaration_id == lost else "FAIL", desk.now))
    running = desk.declare()

    plan = dry_run(desk, lost, failed, running)

    assert [one.id for one in plan.allowed] == [lost]
    assert rules(plan) == {"fail_needs_correction": [failed], "still_running": [running]}
    assert (plan.total, plan.with_override) == (3, 1)


def test_with_an_override_a_fail_goes_out(desk: Desk):
    failed = desk.declare()
    desk.end(failed, "FAIL")

    assert [one.id for one in dry_run(desk, failed, override=True).allowed] == [failed]


def test_a_rule_says_from_when_all_of_its_declarations_may(desk: Desk):
    first = desk.declare("alipay")
    desk.end(first, "EXCEPT")
    desk.wait(seconds=10)
    second = desk.declare("alipay")
    desk.end(second, "EXCEPT")

    (group,) = dry_run(desk, first, second).blocked

    last_sent = desk.push(second).sent_at
    assert last_sent is not None
    assert (group.rule, group.not_before) == ("too_early", last_sent + timedelta(seconds=300))


def test_a_refund_under_way_blocks_its_declaration(desk: Desk, till: Till):
    payment = till.payment(till.paid())
    declared = desk.declare(payment_no=payment.payment_no, out_order_no=payment.out_order_no)
    desk.end(declared)
    till.refund(payment.id, "40.00")

    plan = dry_run(desk, declared, override=True)

    assert (rules(plan), plan.with_override) == ({"refund_under_way": [declared]}, 0)


def test_what_is_anothers_is_not_dry_run(desk: Desk):
    declared = desk.declare()

    with pytest.raises(NotFound):
        dry_run(desk, declared, caller=STRANGER)


@pytest.mark.parametrize("count", [0, MOST_AT_ONCE + 1])
def test_none_and_too_many_are_refused(desk: Desk, count: int):
    with pytest.raises(ValidationFailed):
        dry_run(desk, *(f"decl_{number}" for number in range(count)))


def test_what_was_refused_meanwhile_does_not_stop_the_others():
    shown = {"a": None, "b": ActionNotAllowed("no"), "c": ConcurrentUpdate("later"), "d": None}

    def redeclare(declaration_id: str) -> None:
        if error := shown[declaration_id]:
            raise error

    assert execute(list(shown), redeclare) == BulkResult(done=("a", "d"), refused=("b", "c"))
