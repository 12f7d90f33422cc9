"""How old a backlog is: from when a thing was first due, however often it was tried in vain since."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from customs.container import Services
from customs.declarations.models import Push
from customs.events.outbox import EventType
from customs.gateway import Busy, Credentials, NotSent, Unknown
from customs.ops.backlog import backlogs
from tests import make
from tests.payments.till import Till, refund_reply, sale_reply
from tests.product import Desk
from tests.webhooks.courier import Courier
from tests.webhooks.receiver import listening, status


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def age(services: Services, desk: Desk, work: str) -> float:
    with services.reading() as db:
        return backlogs(db, desk.now)[work].age(desk.now)


@pytest.mark.parametrize(
    "outcome",
    [NotSent("away"), Busy("later", exchange=make.exchange(), retry_after=60), Credentials("no"), Unknown("lost")],
    ids=lambda one: type(one).__name__,
)
def test_a_push_that_nobody_answers_grows_older_from_try_to_try(services: Services, desk: Desk, outcome):
    desk.declare()
    for _ in range(4):
        desk.work(lambda _: outcome)
        desk.wait(seconds=100)

    assert 395 < age(services, desk, "pushes") < 460


def test_an_answer_begins_it_anew_and_what_is_due_later_is_no_backlog(services: Services, desk: Desk):
    desk.declare()
    desk.work(lambda _: NotSent("away"))
    desk.wait(seconds=100)

    desk.work(lambda _: make.reply("PROCESSING", desk.now))

    assert age(services, desk, "pushes") == 0


def test_a_decision_begins_it_anew(services: Services, desk: Desk):
    declaration_id = desk.declare()
    desk.end(declaration_id, "EXCEPT")
    with services.transaction() as db:
        db.execute(update(Push).values(overdue_since=desk.now - timedelta(hours=5)))
    desk.wait(minutes=10)

    desk.decide("redeclare", declaration_id)

    assert age(services, desk, "pushes") < 60


def test_a_payment_and_a_refund_age_as_pushes_do(services: Services, desk: Desk):
    till = Till(services, desk)
    refund = till.refund(till.paid("P1"))
    payment = till.pay()
    for _ in range(3):
        till.work(lambda _: NotSent("away"), after=100.0)

    ages = age(services, desk, "payments"), age(services, desk, "refunds")

    till.do(payment, sale_reply())
    till.do(refund, refund_reply())
    assert all(one > 190 for one in ages)
    assert (age(services, desk, "payments") < 60, age(services, desk, "refunds")) == (True, 0)


def test_a_refund_that_lets_a_declaration_go_first_is_no_backlog(services: Services, desk: Desk):
    till = Till(services, desk)
    payment = till.paid("P1")
    desk.declare(payment_no="P1")
    desk.send(desk.claim())
    till.refund(payment)
    desk.wait(minutes=10)

    assert age(services, desk, "refunds") == 0


def test_a_delivery_ages_from_its_first_try_until_somebody_has_it_sent_again(services: Services):
    services.settings = replace(services.settings, sandbox=True)
    courier = Courier(services)
    with listening() as receiver:
        receiver.answer = status(500)
        endpoint = courier.listen(receiver.url)
        courier.announce(EventType.DECLARATION_SUCCEEDED, declaration_id="decl_1")
        courier.deliver()
        first = courier.delivery(endpoint).overdue_since
        courier.hurry()
        courier.deliver()
        second = courier.delivery(endpoint).overdue_since
        courier.decide("resend", courier.delivery(endpoint).event_id, endpoint)
        courier.hurry()
        courier.deliver()

        assert first is not None
        assert (second, courier.delivery(endpoint).overdue_since == first) == (first, False)
