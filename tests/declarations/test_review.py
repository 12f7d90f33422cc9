"""What a person decides: each action with the rules that refuse it, what it sets going, and what goes on record."""

import pytest

from customs.access.callers import Scope
from customs.declarations.states import Action, State
from customs.errors import ActionRefused, Invalid, ScopeMissing
from customs.gateway import NotFound, Refused, Unknown
from tests import make
from tests.desk import Desk

WRITER = make.caller(scopes=frozenset({Scope.DECLARATIONS_WRITE}))
REFUSED = Refused("amounts differ", exchange=make.exchange(), status=400)


def rule_of(refused) -> str:
    return refused.value.faults[0].code


def standing_of(push):
    return push.state, push.next_action, push.epoch, push.due_at, push.case_reason


# Re-push.


@pytest.mark.parametrize("end", ["SUCCESS", "EXCEPT"])
def test_a_push_that_ended_is_pushed_again_in_a_new_epoch(desk: Desk, end: str):
    declaration_id = desk.declare()
    desk.end(declaration_id, end)

    desk.decide("redeclare", declaration_id)

    push = desk.push(declaration_id)
    assert (push.state, push.next_action, push.epoch) == (State.UNDECLARED, Action.REDECLARE, 1)
    assert push.due_at is not None
    declaration = desk.declaration(declaration_id)
    assert (declaration.state, declaration.needs_review) == (State.UNDECLARED, False)


def test_a_fail_is_not_pushed_again_as_it_is(desk: Desk):
    declaration_id = desk.declare()
    desk.end(declaration_id, "FAIL")
    before = standing_of(desk.push(declaration_id))

    with pytest.raises(ActionRefused) as refused:
        desk.decide("redeclare", declaration_id)

    assert rule_of(refused) == "fail_needs_correction"
    assert standing_of(desk.push(declaration_id)) == before


def test_a_reviewer_lets_a_fail_out_as_it_is(desk: Desk):
    declaration_id = desk.declare()
    desk.end(declaration_id, "FAIL")

    desk.decide("redeclare", declaration_id, override=True)

    assert desk.push(declaration_id).next_action is Action.REDECLARE


def test_an_override_needs_the_scope_of_review(desk: Desk):
    declaration_id = desk.declare()
    desk.end(declaration_id, "FAIL")

    with pytest.raises(ScopeMissing):
        desk.decide("redeclare", declaration_id, by=WRITER, override=True)


def test_a_push_that_the_gateway_never_took_is_sent_anew(desk: Desk):
    declaration_id = desk.declare()
    desk.work(lambda _: REFUSED)

    desk.decide("redeclare", declaration_id)

    assert [task.action for task in desk.claim()] == [Action.SUBMIT]


def test_a_running_push_is_left_alone(desk: Desk):
    declaration_id = desk.declare()
    desk.work(lambda _: make.reply("PROCESSING", desk.now))

    with pytest.raises(ActionRefused) as refused:
        desk.decide("redeclare", declaration_id)

    assert rule_of(refused) == "still_running"


def test_no_action_while_a_call_is_in_the_air(desk: Desk):
    declaration_id = desk.declare()
    desk.send(desk.claim())

    with pytest.raises(ActionRefused) as refused:
        desk.decide("redeclare", declaration_id)

    assert rule_of(refused) == "in_flight"
    assert refused.value.not_before == desk.push(declaration_id).lease_until


@pytest.mark.parametrize("action", ["redeclare", "modify"])
def test_no_action_while_an_outcome_is_unknown(desk: Desk, action: str):
    declaration_id = desk.declare()
    desk.work(lambda _: Unknown("reset"))
    asked = {"redeclare": lambda: desk.decide("redeclare", declaration_id)}
    asked["modify"] = lambda: desk.modify(declaration_id, duty=3)

    with pytest.raises(ActionRefused) as refused:
        asked[action]()

    assert rule_of(refused) == "outcome_unknown"
    assert refused.value.not_before == desk.push(declaration_id).due_at


def test_alipay_takes_no_repush_within_five_minutes_of_the_last(desk: Desk):
    declaration_id = desk.declare("alipay")
    desk.end(declaration_id)

    with pytest.raises(ActionRefused) as refused:
        desk.decide("redeclare", declaration_id)

    sent_at = desk.push(declaration_id).sent_at
    assert rule_of(refused) == "too_early"
    assert (refused.value.not_before - sent_at).total_seconds() == 300
    desk.wait(seconds=301)
    desk.decide("redeclare", declaration_id)


def test_nanshas_alipay_code_takes_no_repush_and_waiting_does_not_help(desk: Desk):
    declaration_id = desk.declare("alipay", office="GUANGZHOU_NANSHA")
    desk.end(declaration_id)
    desk.wait(hours=1)

    with pytest.raises(ActionRefused) as refused:
        desk.decide("redeclare", declaration_id)

    assert (rule_of(refused), refused.value.not_before) == ("no_repush", None)


def test_one_push_that_may_not_stops_the_whole_action(desk: Desk):
    declaration_id = desk.declare(office="GUANGZHOU_HUANGPU")
    ends = iter(["EXCEPT", "FAIL"])
    desk.work(lambda _: make.reply(next(ends), desk.now))

    with pytest.raises(ActionRefused):
        desk.decide("redeclare", declaration_id)

    assert {push.state for push in desk.declaration(declaration_id).pushes} == {State.EXCEPT, State.FAIL}


def test_without_names_all_that_failed_go_out_and_what_is_success_stays(desk: Desk):
    declaration_id = desk.declare(parts=3)
    ends = iter(["SUCCESS", "EXCEPT", "EXCEPT"])
    desk.work(lambda _: make.reply(next(ends), desk.now))

    desk.decide("redeclare", declaration_id)

    states = sorted(push.state for push in desk.declaration(declaration_id).pushes)
    assert states == [State.SUCCESS, State.UNDECLARED, State.UNDECLARED]


def test_only_the_pushes_that_were_named_go_out(desk: Desk):
    declaration_id = desk.declare(parts=2)
    desk.end(declaration_id)

    desk.decide("redeclare", declaration_id, push_ids=[desk.push(declaration_id, 1).id])

    assert [push.state for push in desk.declaration(declaration_id).pushes] == [State.SUCCESS, State.UNDECLARED]


def test_a_push_of_another_declaration_cannot_be_named(desk: Desk):
    declaration_id, other = desk.declare(), desk.declare()

    with pytest.raises(Invalid) as refused:
        desk.decide("redeclare", declaration_id, push_ids=[desk.push(other).id])

    assert rule_of(refused) == "push_unknown"


def test_repushing_the_first_of_two_ordered_codes_leaves_a_second_that_is_success(desk: Desk):
    declaration_id = desk.declare("alipay", office="SHENZHEN")
    desk.end(declaration_id)
    desk.wait(minutes=6)

    desk.decide("redeclare", declaration_id, push_ids=[desk.push(declaration_id).id])

    first, second = desk.declaration(declaration_id).pushes
    assert (first.state, second.state) == (State.UNDECLARED, State.SUCCESS)


def test_a_second_code_that_was_not_yet_sent_waits_for_the_first_again(desk: Desk):
    declaration_id = desk.declare("alipay", office="SHENZHEN")
    desk.work(lambda _: make.reply("SUCCESS", desk.now))
    desk.wait(minutes=6)

    desk.decide("redeclare", declaration_id, push_ids=[desk.push(declaration_id).id])

    assert desk.push(declaration_id, 1).due_at is None
    assert [task.filing.customs for task in desk.claim()] == ["SHENZHEN_ZS"]


def test_both_of_two_ordered_codes_go_out_again_one_after_the_other(desk: Desk):
    declaration_id = desk.declare("alipay", office="SHENZHEN")
    desk.end(declaration_id)
    desk.wait(minutes=6)

    desk.decide("redeclare", declaration_id)
    first = desk.work(lambda _: make.reply("SUCCESS", desk.now))
    second = desk.work(lambda _: make.reply("SUCCESS", desk.now))

    assert [[task.filing.customs for task in tasks] for tasks in (first, second)] == [["SHENZHEN_ZS"], ["ZONGSHU"]]


# Modify.


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

    with pytest.raises(ActionRefused) as refused:
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

    with pytest.raises(Invalid) as refused:
        desk.modify(declaration_id, sub_orders=[{"sub_order_no": "S9"}])

    assert rule_of(refused) == "sub_order_unknown"


def test_a_buyer_is_merged_field_by_field(desk: Desk):
    declaration_id = desk.declare(buyer=make.buyer_row())
    desk.end(declaration_id, cert_check_result="DIFFERENT")

    desk.modify(declaration_id, buyer={"name": "韩梅梅"})

    (task,) = desk.claim()
    assert (task.filing.buyer.name, task.filing.buyer.cert_id) == ("韩梅梅", make.cert_id())


def test_half_a_buyer_is_refused(desk: Desk):
    declaration_id = desk.declare()

    with pytest.raises(Invalid) as refused:
        desk.modify(declaration_id, buyer={"name": "韩梅梅"})

    assert refused.value.faults[0].pointer == "/buyer/cert_id"


def test_a_change_that_the_rules_of_intake_refuse_changes_nothing(desk: Desk):
    declaration_id = desk.declare(parts=1)
    part = desk.declaration(declaration_id).sub_orders[0]
    (wrong,) = make.order(sub_orders=[make.sub_order_row(amount="99.00")]).sub_orders

    with pytest.raises(Invalid) as refused:
        desk.modify(declaration_id, sub_orders=[{"sub_order_no": part.sub_order_no, "amount": wrong.amount}])

    assert rule_of(refused) == "amount_sum"
    assert desk.declaration(declaration_id).sub_orders[0].amount == part.amount


def test_a_change_that_changes_nothing_is_refused(desk: Desk):
    declaration_id = desk.declare(duty=5)

    with pytest.raises(Invalid) as refused:
        desk.modify(declaration_id, duty=5)

    assert rule_of(refused) == "unchanged"


def test_a_second_correction_before_the_first_was_sent_still_knows_what_the_gateway_said_before(desk: Desk):
    declaration_id = desk.declare()
    said_at = desk.now
    desk.end(declaration_id, "SUCCESS")
    before = desk.push(declaration_id).modify_time
    desk.modify(declaration_id, duty=5)
    desk.modify(declaration_id, duty=6)
    desk.work(lambda _: Unknown("reset"))
    desk.wait(minutes=2)

    desk.work(lambda _: make.reply("SUCCESS", before))

    push = desk.push(declaration_id)
    assert before >= said_at
    assert (push.state, push.in_doubt) == (State.UNDECLARED, Action.MODIFY)


# Cancel.


def test_before_anything_was_sent_a_declaration_is_cancelled_and_its_numbers_are_free_again(desk: Desk):
    row = make.declaration_row("alipay", office="SHENZHEN")
    desk.take_in(row)
    declaration_id = desk.claim()[0].declaration_id

    desk.decide("cancel", declaration_id)

    assert desk.declaration(declaration_id).cancelled
    desk.wait(minutes=2)
    assert desk.claim() == []
    assert desk.take_in(row).findings == []
    assert len(desk.claim()) == 1


def test_what_was_sent_is_not_cancelled(desk: Desk):
    declaration_id = desk.declare()
    desk.work(lambda _: make.reply("PROCESSING", desk.now))

    with pytest.raises(ActionRefused) as refused:
        desk.decide("cancel", declaration_id)

    assert rule_of(refused) == "already_sent"


@pytest.mark.parametrize("action", ["redeclare", "modify", "cancel"])
def test_what_was_cancelled_stays_so(desk: Desk, action: str):
    declaration_id = desk.declare()
    desk.decide("cancel", declaration_id)

    with pytest.raises(ActionRefused) as refused:
        if action == "modify":
            desk.modify(declaration_id, duty=5)
        else:
            desk.decide(action, declaration_id)

    assert rule_of(refused) == "cancelled"


def test_a_worker_that_reserved_a_push_does_not_send_it_once_it_is_cancelled(desk: Desk):
    declaration_id = desk.declare()
    reserved = desk.claim()

    desk.decide("cancel", declaration_id)

    assert desk.send(reserved) == []


# Dismiss, and the case.


def test_a_dismissal_closes_the_case_and_leaves_the_state(desk: Desk):
    declaration_id = desk.declare()
    desk.end(declaration_id, "FAIL")

    desk.decide("dismiss", declaration_id)

    declaration = desk.declaration(declaration_id)
    assert (declaration.state, declaration.needs_review, declaration.case_reason) == (State.FAIL, False, None)


def test_without_a_case_there_is_nothing_to_dismiss(desk: Desk):
    declaration_id = desk.declare()

    with pytest.raises(ActionRefused) as refused:
        desk.decide("dismiss", declaration_id)

    assert rule_of(refused) == "no_case"


def test_a_dismissal_needs_the_scope_of_review(desk: Desk):
    declaration_id = desk.declare()
    desk.end(declaration_id, "FAIL")

    with pytest.raises(ScopeMissing):
        desk.decide("dismiss", declaration_id, by=WRITER)


def test_a_dismissed_day_of_polling_begins_another_day(desk: Desk):
    declaration_id = desk.declare()
    desk.work(lambda _: make.reply("PROCESSING", desk.now))
    desk.wait(hours=25)
    desk.work(lambda _: make.reply("PROCESSING", desk.now))
    assert desk.declaration(declaration_id).needs_review

    desk.decide("dismiss", declaration_id)
    desk.wait(hours=1)
    desk.work(lambda _: make.reply("PROCESSING", desk.now))

    assert not desk.declaration(declaration_id).needs_review


def test_a_correction_of_one_part_leaves_another_that_failed_before_the_reviewer(desk: Desk):
    declaration_id = desk.declare(parts=2)
    desk.end(declaration_id, "FAIL")
    part = desk.declaration(declaration_id).sub_orders[0]

    desk.modify(declaration_id, sub_orders=[_a_yuan_more(part)])

    assert desk.push(declaration_id, 1).case_reason
    assert desk.declaration(declaration_id).needs_review


def test_a_correction_of_one_part_leaves_another_that_was_refused_before_the_reviewer(desk: Desk):
    declaration_id = desk.declare(parts=2)
    outcomes = iter([make.reply("FAIL", desk.now), REFUSED])
    desk.work(lambda _: next(outcomes))
    failed = next(push for push in desk.declaration(declaration_id).pushes if push.state is State.FAIL)
    part = next(one for one in desk.declaration(declaration_id).sub_orders if one.sub_order_no == failed.sub_order_no)

    desk.modify(declaration_id, sub_orders=[_a_yuan_more(part)])

    left = next(push for push in desk.declaration(declaration_id).pushes if push.id != failed.id)
    assert left.due_at is None
    assert left.case_reason
    assert desk.declaration(declaration_id).needs_review


def test_a_correction_of_one_part_leaves_another_whose_buyer_differs_before_the_reviewer(desk: Desk):
    declaration_id = desk.declare(parts=2, buyer=make.buyer_row())
    answers = iter([make.reply("FAIL", desk.now), make.reply("SUCCESS", desk.now, cert_check_result="DIFFERENT")])
    desk.work(lambda _: next(answers))
    failed = next(push for push in desk.declaration(declaration_id).pushes if push.state is State.FAIL)
    part = next(one for one in desk.declaration(declaration_id).sub_orders if one.sub_order_no == failed.sub_order_no)

    desk.modify(declaration_id, sub_orders=[_a_yuan_more(part)])

    assert desk.declaration(declaration_id).needs_review


def test_what_the_gateway_held_before_still_stands_when_a_correction_was_refused(desk: Desk):
    declaration_id = desk.declare()
    desk.end(declaration_id, "SUCCESS")
    desk.modify(declaration_id, duty=5)

    desk.work(lambda _: NotFound("no such order", exchange=make.exchange(status=404), status=404))

    push = desk.push(declaration_id)
    assert (push.state, push.next_action) == (State.SUCCESS, None)
    assert "no such order" in push.case_reason


# On the record.


def test_who_when_and_why_are_on_the_record(desk: Desk):
    declaration_id = desk.declare()
    desk.end(declaration_id)

    desk.decide("redeclare", declaration_id, by=make.caller())

    event = desk.events(declaration_id)[-1]
    assert (event.kind, event.actor) == ("action", "an ERP")
    assert event.detail["action"] == "redeclare"
    assert event.detail["reason"] == "because"
    assert desk.push(declaration_id).id in event.detail["pushes"]


def test_a_correction_is_recorded_without_the_buyers_name_or_number(desk: Desk):
    declaration_id = desk.declare(buyer=make.buyer_row())

    desk.modify(declaration_id, buyer={"name": "韩梅梅", "cert_id": make.cert_id(7)})

    recorded = str([(event.detail, event.request, event.reply) for event in desk.events(declaration_id)])
    assert "韩梅梅" not in recorded and make.cert_id(7) not in recorded


def _a_yuan_more(part):
    return {"sub_order_no": part.sub_order_no, "amount": part.amount + 1, "product_amount": part.product_amount + 1}
