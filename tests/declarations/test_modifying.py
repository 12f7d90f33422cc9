"""Correcting: MODIFY, a corrected re-push or a fresh submission, and what may not be changed."""

import pytest

from customs.auth.principal import Scope
from customs.declarations.states import Action, State
from customs.errors import ActionNotAllowed, ValidationFailed
from customs.gateway import Refused, Unknown
from tests import make
from tests.product import Desk

WRITER = make.caller(scopes=frozenset({Scope.DECLARATIONS_WRITE}))
REFUSED = Refused("amounts differ", exchange=make.exchange(), status=400)


def rule_of(refused) -> str:
    return refused.value.errors[0].code


def status_of(push):
    return push.state, push.next_action, push.epoch, push.due_at, push.case_reason


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The rules are plain values, whatever database keeps the rows."""
    return sqlite_url


def test_a_wechat_push_that_was_taken_is_corrected_by_modify(desk: Desk):
    declaration_id = desk.declare()
    desk.end(declaration_id, "FAIL")

    desk.modify(declaration_id, mch_customs_no="110396T0002")

    (task,) = desk.claim()
    assert (task.action, task.filing.mch_customs_no) == (Action.MODIFY, "110396T0002")
    assert desk.declaration(declaration_id).state is State.UNDECLARED


def test_an_alipay_push_that_was_taken_is_corrected_by_a_repush(desk: Desk):
    declaration_id = desk.declare("alipay")
    desk.end(declaration_id, "FAIL")
    desk.wait(minutes=6)

    desk.modify(declaration_id, merchant_customs_name="杭州新名商贸有限公司")

    (task,) = desk.claim()
    assert (task.action, task.filing.merchant_customs_name) == (Action.REDECLARE, "杭州新名商贸有限公司")


def test_an_alipay_push_is_not_corrected_too_early_either(desk: Desk):
    declaration_id = desk.declare("alipay")
    desk.end(declaration_id, "FAIL")

    with pytest.raises(ActionNotAllowed) as refused:
        desk.modify(declaration_id, merchant_customs_name="杭州新名商贸有限公司")

    assert rule_of(refused) == "too_early"
    assert desk.declaration(declaration_id).merchant_customs_name == "杭州示例商贸有限公司"


def test_a_push_that_was_refused_is_corrected_by_a_fresh_submission(desk: Desk):
    declaration_id = desk.declare()
    desk.work(lambda _: REFUSED)

    desk.modify(declaration_id, duty=5)

    (task,) = desk.claim()
    assert (task.action, task.filing.duty) == (Action.SUBMIT, 5)


def test_a_push_that_was_never_sent_takes_the_new_content_at_once(desk: Desk):
    declaration_id = desk.declare()

    desk.modify(declaration_id, duty=5)

    (task,) = desk.claim()
    assert (task.action, task.filing.duty) == (Action.SUBMIT, 5)


def test_a_worker_that_reserved_the_old_content_does_not_send_it(desk: Desk):
    declaration_id = desk.declare()
    reserved = desk.claim()

    desk.modify(declaration_id, duty=5)

    assert desk.send(reserved) == []
    assert [task.filing.duty for task in desk.claim()] == [5]


def test_sub_orders_are_merged_by_their_numbers_and_only_what_changed_goes_out(desk: Desk):
    parts = [make.sub_order_row(sub_order_no=number) for number in ("S1", "S2")]
    declaration_id = desk.declare(sub_orders=parts)
    desk.end(declaration_id)
    changes = make.order(sub_orders=[parts[1] | {"amount": "11.00", "product_amount": "10.00"}]).sub_orders[0]

    desk.modify(
        declaration_id,
        sub_orders=[{"sub_order_no": "S2", "amount": changes.amount, "product_amount": changes.product_amount}],
    )

    (task,) = desk.claim()
    assert (task.filing.sub_order, task.action) == (changes, Action.MODIFY)
    assert [push.state for push in desk.declaration(declaration_id).pushes] == [State.SUCCESS, State.UNDECLARED]


def test_a_part_that_the_order_does_not_have_cannot_be_added(desk: Desk):
    declaration_id = desk.declare(parts=1)

    with pytest.raises(ValidationFailed) as refused:
        desk.modify(declaration_id, sub_orders=[{"sub_order_no": "S9"}])

    assert rule_of(refused) == "sub_order_unknown"


def test_a_buyer_is_merged_field_by_field(desk: Desk):
    declaration_id = desk.declare(buyer=make.buyer_row())
    desk.end(declaration_id, cert_check_result="DIFFERENT")

    desk.modify(declaration_id, buyer={"name": "韩梅梅"})

    (task,) = desk.claim()
    buyer = desk.services.vault.open_buyer(task.buyer, task.declaration_id)
    assert (buyer.name, buyer.cert_id) == ("韩梅梅", make.cert_id())


def test_half_a_buyer_is_refused(desk: Desk):
    declaration_id = desk.declare()

    with pytest.raises(ValidationFailed) as refused:
        desk.modify(declaration_id, buyer={"name": "韩梅梅"})

    assert refused.value.errors[0].pointer == "/buyer/cert_id"


def test_a_change_that_the_rules_of_intake_refuse_changes_nothing(desk: Desk):
    declaration_id = desk.declare(parts=1)
    part = desk.declaration(declaration_id).sub_orders[0]
    (wrong,) = make.order(sub_orders=[make.sub_order_row(amount="99.00")]).sub_orders

    with pytest.raises(ValidationFailed) as refused:
        desk.modify(declaration_id, sub_orders=[{"sub_order_no": part.sub_order_no, "amount": wrong.amount}])

    assert rule_of(refused) == "amount_sum"
    assert desk.declaration(declaration_id).sub_orders[0].amount == part.amount


def test_a_change_that_changes_nothing_is_refused(desk: Desk):
    declaration_id = desk.declare(duty=5)

    with pytest.raises(ValidationFailed) as refused:
        desk.modify(declaration_id, duty=5)

    assert rule_of(refused) == "unchanged"


def test_a_second_correction_before_the_first_was_sent_keeps_the_gateways_last_state(desk: Desk):
    declaration_id = desk.declare()
    shown_at = desk.now
    desk.end(declaration_id, "SUCCESS")
    before = desk.push(declaration_id).modify_time
    desk.modify(declaration_id, duty=5)
    desk.modify(declaration_id, duty=6)
    desk.work(lambda _: Unknown("reset"))
    desk.wait(minutes=2)

    desk.work(lambda _: make.reply("SUCCESS", before))

    push = desk.push(declaration_id)
    assert before >= shown_at
    assert (push.state, push.in_doubt) == (State.UNDECLARED, Action.MODIFY)
