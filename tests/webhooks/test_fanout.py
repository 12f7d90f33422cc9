"""What is announced when, in the transaction of the change, and what stands in it."""

import json
from datetime import UTC, datetime

import pytest

from customs.db.database import DatabaseClock
from customs.declarations.pushes.record import record
from customs.events.outbox import EventType
from customs.gateway import Credentials
from customs.lanes.breaker import LaneAdmission
from customs.webhooks import queries
from tests import make
from tests.payments.till import NOTHING, Till, order_reply, refund_reply, sale_reply
from tests.product import Desk
from tests.webhooks.courier import Courier


def test_a_declaration_that_ended_is_announced_with_its_numbers(desk: Desk, courier: Courier):
    declaration_id = desk.declare(buyer=make.buyer_row())
    declared = desk.declaration(declaration_id)

    desk.end(declaration_id)

    (event,) = courier.announced()
    assert (event.type, event.merchant_no, event.batch_id) == (
        "declaration.succeeded",
        make.MERCHANT,
        declared.batch_id,
    )
    assert event.data == {
        "declaration_id": declaration_id,
        "batch_id": declared.batch_id,
        "merchant_no": make.MERCHANT,
        "channel": "wechatpay",
        "office": "HANGZHOU",
        "out_order_no": declared.out_order_no,
        "payment_no": declared.payment_no,
        "state": "SUCCESS",
        "identity": "UNCHECKED",
        "needs_review": False,
    }


def test_what_is_under_way_is_not_announced(desk: Desk, courier: Courier):
    desk.declare()

    desk.work(lambda _: make.reply("PROCESSING"))

    assert courier.types() == []


def test_a_change_that_is_rolled_back_is_not_announced(desk: Desk, courier: Courier):
    desk.declare()
    (task,) = desk.send(desk.claim())

    with pytest.raises(RuntimeError), desk.services.engine.begin() as db:
        record(db, [(task, make.reply("SUCCESS", desk.now))], desk.now, make.PACE)
        raise RuntimeError

    assert courier.types() == []


@pytest.mark.parametrize("state", ["FAIL", "EXCEPT"])
def test_a_failure_is_announced_and_that_it_needs_somebody(desk: Desk, courier: Courier, state: str):
    declaration_id = desk.declare()

    desk.end(declaration_id, state)

    assert courier.types() == ["declaration.failed", "declaration.needs_review"]
    assert {one.data["state"] for one in courier.announced()} == {state}


def test_a_buyer_who_is_not_the_payer_is_announced(desk: Desk, courier: Courier):
    declaration_id = desk.declare(buyer=make.buyer_row())

    desk.end(declaration_id, cert_check_result="DIFFERENT")

    assert courier.types() == [
        "declaration.succeeded",
        "declaration.needs_review",
        "declaration.identity_mismatch",
    ]


def test_of_two_codes_the_last_one_ends_the_declaration(desk: Desk, courier: Courier):
    declaration_id = desk.declare("alipay", office="SHENZHEN")

    desk.work(lambda _: make.reply("SUCCESS", desk.now))
    reported_after_the_first = courier.types()
    desk.end(declaration_id)

    assert reported_after_the_first == []
    assert courier.types() == ["declaration.succeeded"]


def test_a_split_order_needs_somebody_at_its_first_failure_and_ends_with_its_last_part(desk: Desk, courier: Courier):
    desk.declare(parts=2)
    first, second = desk.send(desk.claim())

    desk.answer((first, make.reply("FAIL", desk.now)))
    published_first = courier.types()
    desk.answer((second, make.reply("SUCCESS", desk.now)))

    assert published_first == ["declaration.needs_review"]
    assert courier.types() == ["declaration.needs_review", "declaration.failed"]


def test_a_redeclared_declaration_is_announced_again(desk: Desk, courier: Courier):
    declaration_id = desk.declare()
    desk.end(declaration_id, "EXCEPT")
    desk.wait(minutes=10)

    desk.decide("redeclare", declaration_id)
    desk.end(declaration_id)

    assert courier.types()[2:] == ["declaration.succeeded"]


@pytest.mark.parametrize(
    ("action", "begun", "event"),
    [("cancel", False, "declaration.cancelled"), ("dismiss", True, "declaration.dismissed")],
)
def test_a_decision_that_ends_something_is_announced(
    desk: Desk, courier: Courier, action: str, begun: bool, event: str
):
    declaration_id = desk.declare()
    if begun:
        desk.end(declaration_id, "FAIL")

    desk.decide(action, declaration_id)

    assert courier.types()[-1] == event


def test_a_refund_of_what_was_declared_is_announced_as_work_for_somebody(till: Till, courier: Courier):
    payment_id = till.paid("P1")
    declaration_id = till.desk.declare(payment_no="P1")
    till.desk.end(declaration_id)

    refund_id = till.refund(payment_id)
    till.do(refund_id, refund_reply("SUCCESS", refund_no="R1"))

    assert courier.types() == ["payment.paid", "declaration.succeeded", "declaration.needs_review", "refund.succeeded"]
    assert courier.announced()[-1].data["status"] == "SUCCESS"
    assert courier.announced()[-1].data["amount"] == "100.00"


def test_a_refund_that_failed_is_announced_as_such(till: Till, courier: Courier):
    refund_id = till.refund(till.paid("P1"))

    till.do(refund_id, refund_reply("FAIL", refund_no="R1"))

    assert courier.types() == ["payment.paid", "refund.failed"]


def test_whoever_may_read_an_event_is_known_for_every_type():
    assert {*queries.EVENT_TYPES, "webhook.test"} == set(EventType)
    assert all(str(one.label) for one in EventType)


def test_an_expired_payment_is_announced_and_the_declarations_it_takes_along(till: Till, courier: Courier):
    payment_id = till.pay()
    till.do(payment_id, sale_reply("INIT", payment_no="P7"))
    till.desk.declare(payment_no="P7", submit="when_paid")

    till.do(payment_id, order_reply("EXPIRED"), after=60.0)

    assert sorted(courier.types()) == ["declaration.cancelled", "payment.expired"]


def test_a_failed_payment_is_announced(till: Till, courier: Courier):
    payment_id = till.pay()

    till.do(payment_id, sale_reply("FAIL", NOTHING, payment_no="P9"))

    assert courier.types() == ["payment.failed"]
    assert courier.announced()[0].data["payment_id"] == payment_id


def test_a_stopped_lane_is_announced_to_everybody(courier: Courier):
    services = courier.services
    lane_admission = LaneAdmission(services.engine, services.settings, DatabaseClock())

    with services.engine.begin() as db:
        lane_admission.report(db, [Credentials("who are you?")] * 3, datetime.now(UTC))

    (event,) = courier.announced()
    assert (event.type, event.merchant_no, event.data) == (
        "lane.stopped",
        None,
        {"lane_id": lane_admission.lane},
    )


def test_nobody_is_named(desk: Desk, courier: Courier):
    buyer = make.buyer_row(name="韩梅梅")
    declaration_id = desk.declare(buyer=buyer)

    desk.end(declaration_id, "FAIL", explanation="韩梅梅 is unknown", cert_check_result="DIFFERENT")

    shown = json.dumps([one.data for one in courier.announced()], ensure_ascii=False)
    assert "韩梅梅" not in shown
    assert buyer["cert_id"] not in shown
