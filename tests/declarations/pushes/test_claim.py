"""Claims: who is served, who has to wait, and what may not leave at all."""

from datetime import timedelta
from itertools import count

import pytest
from sqlalchemy import event, select, update

from customs.declarations.models import Push
from customs.declarations.states import Action
from customs.gateway import Busy, NotFound, NotSent, Unknown
from customs.lanes import breaker
from tests import make
from tests.product import Desk


def served(tasks):
    return {task.merchant_no for task in tasks}


def test_a_claim_names_everything_the_call_needs(desk: Desk):
    declaration_id = desk.declare(office="GUANGZHOU_HUANGPU", parts=1, buyer=make.buyer_row(), duty=88)

    tasks = desk.claim()

    declaration = desk.declaration(declaration_id)
    assert [task.filing.customs for task in tasks] == ["GUANGZHOU_ZS", "GUANGZHOU_HP_GJ"]
    for task in tasks:
        assert task.action is Action.SUBMIT
        assert task.filing.out_order_no == declaration.out_order_no
        assert desk.services.vault.open_buyer(task.buyer, task.declaration_id).name == "李雷"
        assert task.filing.duty == 88
        assert str(task.filing.sub_order.amount) == "10.00"


def test_what_is_reserved_is_claimed_by_nobody_else(desk: Desk):
    desk.declare()
    first = desk.claim()

    second = desk.claim()

    assert (len(first), second) == (1, [])


def test_what_a_dead_worker_reserved_falls_due_when_its_lease_ends_and_without_any_doubt(desk: Desk):
    declaration_id = desk.declare()
    first = desk.claim()
    desk.wait(seconds=61)

    second = desk.claim()

    assert second[0].fence == first[0].fence + 1
    assert desk.push(declaration_id).in_doubt is None
    assert second[0].action is Action.SUBMIT


def test_what_a_dead_worker_sent_is_asked_for_before_anything_else(desk: Desk):
    declaration_id = desk.declare()
    desk.send(desk.claim())
    desk.wait(seconds=61)

    tasks = desk.claim()

    assert [task.action for task in tasks] == [Action.QUERY]
    assert desk.push(declaration_id).in_doubt is Action.SUBMIT


def test_what_a_dead_worker_sent_may_have_left_as_late_as_its_lease_ended(desk: Desk):
    declaration_id = desk.declare()
    desk.send(desk.claim())
    lease_ended = desk.push(declaration_id).lease_until
    desk.wait(seconds=61)

    desk.claim()

    assert desk.push(declaration_id).sent_at == lease_ended


@pytest.mark.parametrize("either_database", ["postgresql"], indirect=True)
def test_a_claim_passes_by_what_somebody_else_has_locked(desk: Desk):
    desk.take_in(make.declaration_row(), make.declaration_row())

    with desk.services.engine.connect() as another:
        locked = another.scalars(select(Push.id).limit(1).with_for_update()).one()
        event.listen(desk.services.engine, "begin", lambda db: db.exec_driver_sql("SET LOCAL lock_timeout = '20ms'"))
        claimed = desk.claim()

    assert len(claimed) == 1
    assert claimed[0].push_id != locked


def test_a_claim_takes_no_more_than_there_is_room_for(desk: Desk):
    desk.take_in(*(make.declaration_row() for _ in range(10)))

    assert len(desk.claim(room=4)) == 4
    assert len(desk.claim(room=100)) == 6


def test_half_of_a_claim_is_for_first_submissions_and_half_for_repeats(desk: Desk):
    desk.take_in(*(make.declaration_row() for _ in range(20)))
    desk.work(lambda _: make.reply("PROCESSING", desk.now))
    desk.wait(minutes=5)
    desk.take_in(*(make.declaration_row() for _ in range(20)))
    desk.wait(seconds=1)

    actions = [task.action for task in desk.claim(room=10)]

    assert (actions.count(Action.SUBMIT), actions.count(Action.QUERY)) == (5, 5)


def test_what_one_half_leaves_the_other_takes(desk: Desk):
    desk.take_in(*(make.declaration_row() for _ in range(20)))

    assert len(desk.claim(room=10)) == 10


def test_merchants_take_turns_within_one_claim(desk: Desk):
    desk.take_in(*(make.declaration_row() for _ in range(50)))
    desk.take_in(make.declaration_row(merchant_no="M200"))

    tasks = desk.claim(room=4)

    assert served(tasks) == {"M100", "M200"}


@pytest.mark.parametrize("kind", [Action.SUBMIT, Action.QUERY])
@pytest.mark.parametrize("merchants", [8, 12, 16])
def test_no_merchant_starves_however_many_there_are(desk: Desk, merchants: int, kind: Action):
    names = [f"M{serial:02d}" for serial in range(merchants)]
    desk.take_in(*(make.declaration_row(merchant_no=name) for name in names for _ in range(6)))
    desk.send(tasks := [task for _ in range(6) for task in desk.claim(room=500)])
    desk.answer(*((task, make.reply("PROCESSING", desk.now)) for task in tasks))
    desk.wait(minutes=5)
    desk.take_in(*(make.declaration_row(merchant_no=name) for name in names for _ in range(6)))

    tasks = [task for _ in range(4) for task in desk.claim(room=16)]

    assert served(task for task in tasks if task.action is kind) == set(names)


def test_the_second_of_two_ordered_codes_waits_until_the_first_is_success(desk: Desk):
    declaration_id = desk.declare("alipay", office="SHENZHEN")
    sent = [[task.filing.customs for task in desk.work(lambda _: make.reply("UNDECLARED", desk.now))]]
    assert desk.push(declaration_id, 1).due_at is None
    desk.wait(minutes=2)

    sent.append([task.filing.customs for task in desk.work(lambda _: make.reply("SUCCESS", desk.now))])
    sent.append([task.filing.customs for task in desk.work(lambda _: make.reply("SUCCESS", desk.now))])

    assert sent == [["SHENZHEN_ZS"], ["SHENZHEN_ZS"], ["ZONGSHU"]]
    assert desk.declaration(declaration_id).state == "SUCCESS"


def test_a_due_time_alone_lets_no_second_code_out(desk: Desk):
    desk.declare("alipay", office="SHENZHEN")
    desk.work(lambda _: make.reply("FAIL", desk.now))

    with desk.services.engine.begin() as db:
        db.execute(update(Push).where(Push.blocked_by.is_not(None)).values(due_at=desk.now))

    assert desk.claim() == []


@pytest.mark.parametrize("end", ["FAIL", "EXCEPT"])
def test_the_second_of_two_ordered_codes_does_not_follow_a_failure(desk: Desk, end: str):
    declaration_id = desk.declare("alipay", office="ZHENGZHOU_AIRPORT")
    desk.work(lambda _: make.reply(end, desk.now))
    desk.wait(days=1)

    assert desk.claim() == []
    assert desk.push(declaration_id, 1).due_at is None


def test_wechats_two_codes_go_out_together(desk: Desk):
    desk.declare(office="GUANGZHOU_NANSHA")

    assert len(desk.claim()) == 2


def test_a_second_code_that_was_reserved_does_not_leave_once_the_first_is_pushed_again(desk: Desk):
    declaration_id = desk.declare("alipay", office="SHENZHEN")
    desk.work(lambda _: make.reply("SUCCESS", desk.now))
    desk.wait(minutes=6)
    reserved = desk.claim()
    desk.decide("redeclare", declaration_id, push_ids=[desk.push(declaration_id).id])

    assert [task.filing.customs for task in reserved] == ["ZONGSHU"]
    assert desk.send(reserved) == []


def test_alipay_pushes_of_one_payment_go_one_at_a_time(desk: Desk):
    row = make.declaration_row("alipay", office="HANGZHOU")
    other = row | {"office": "SHANGHAI", "out_order_no": make.number("O")}
    desk.take_in(row, other)
    answers = (make.reply("PROCESSING", desk.now + timedelta(seconds=step)) for step in count())

    first = desk.work(lambda _: next(answers))
    desk.wait(minutes=2)
    second = desk.work(lambda _: make.reply("SUCCESS", desk.now + timedelta(hours=1)))
    third = desk.work(lambda _: next(answers))

    codes = [[task.filing.customs for task in tasks] for tasks in (first, second, third)]
    assert codes[0] == codes[1] and len(codes[0]) == len(codes[2]) == 1
    assert {codes[0][0], codes[2][0]} == {"HANGZHOU_ZONGSHU", "SHANGHAI_CBT"}


def test_wechat_pushes_of_one_payment_go_at_once_since_its_query_names_the_code(desk: Desk):
    row = make.declaration_row(office="HANGZHOU")
    desk.take_in(row, row | {"office": "SHANGHAI", "out_order_no": make.number("O")})

    assert len(desk.claim()) == 2


def test_what_was_not_sent_goes_out_again_and_not_before_its_time(desk: Desk):
    declaration_id = desk.declare()
    desk.work(lambda _: NotSent("refused"))
    assert desk.claim() == []
    desk.wait(seconds=2)

    tasks = desk.claim()

    assert [task.action for task in tasks] == [Action.SUBMIT]
    assert desk.push(declaration_id).in_doubt is None


def test_an_unknown_submit_is_sent_again_only_after_a_query_and_the_grace(desk: Desk):
    desk.declare()
    actions = []
    lost = iter([Unknown("reset")])

    def gateway(task):
        actions.append((task.action, desk.now))
        return next(lost, NotFound("no", exchange=make.exchange(status=404), status=404))

    for _ in range(14):
        desk.work(gateway)
        desk.wait(minutes=1)

    sends = [at for action, at in actions if action is Action.SUBMIT]
    assert [action for action, _ in actions[:2]] == [Action.SUBMIT, Action.QUERY]
    assert sends[1] - sends[0] >= timedelta(seconds=make.PACE.grace_seconds)


def test_nothing_leaves_through_a_stopped_lane_and_nothing_is_lost(desk: Desk):
    declaration_id = desk.declare()
    reserved = desk.claim()
    with desk.services.transaction() as db:
        breaker.record_report(db, desk.lane, breaker.LaneReport(rejected=3, reason="401"), desk.now)

    allowed = desk.send(reserved)

    push = desk.push(declaration_id)
    assert allowed == []
    assert (push.next_action, push.attempts, push.in_doubt) == (Action.SUBMIT, 0, None)
    assert push.lease_until is None


def test_a_busy_gateway_says_when_to_come_again(desk: Desk):
    desk.declare()
    desk.work(lambda _: Busy("later", exchange=make.exchange(status=503), retry_after=90.0))
    desk.wait(seconds=85)
    assert desk.claim() == []

    desk.wait(seconds=10)

    assert len(desk.claim()) == 1
