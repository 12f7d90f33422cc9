"""Every way in which a batch comes to an end is told, once: a look is taken after each step, as processes do."""

from collections.abc import Callable, Generator, Sequence
from decimal import Decimal
from typing import Any

import pytest

from customs.auth.principal import operator
from customs.db import database
from customs.declarations.models import Declaration
from customs.declarations.open_rows import discard_rows
from customs.gateway import Channel
from customs.payments_port import PaymentKey, RefundNotice
from tests import make
from tests.payments.test_when_paid import hand_in, learn, opened
from tests.payments.till import Till
from tests.product import Desk
from tests.webhooks.courier import Courier

# What is done step by step; its value is the batch.
Steps = Generator[None, None, str]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What only shows between several transactions at once has its test beside this one."""
    return sqlite_url


def declared(desk: Desk, **changes: Any) -> Declaration:
    return desk.declaration(desk.declare(**changes))


def succeed(desk: Desk) -> None:
    desk.work(lambda _: make.reply("SUCCESS", desk.now))


def withhold(desk: Desk, one: Declaration) -> None:
    key = PaymentKey(one.merchant_no, Channel(one.channel), one.payment_no)
    with desk.services.transaction() as db:
        desk.services.declarations.withhold(db, key, RefundNotice(Decimal("1.00"), "CNY", None), desk.now)


def failing_and_pushed_again(desk: Desk, till: Till) -> Steps:
    one = declared(desk)
    desk.end(one.id, "FAIL")
    yield
    desk.decide("redeclare", one.id, override=True)
    yield
    desk.end(one.id, "FAIL")
    yield
    desk.decide("redeclare", one.id, override=True)
    desk.end(one.id)
    return one.batch_id


def with_a_code_that_waited_for_a_late_one(desk: Desk, till: Till) -> Steps:
    one = declared(desk, channel="alipay", office="SHENZHEN")
    desk.work(lambda _: make.reply("PROCESSING", desk.now))
    desk.wait(hours=25)
    desk.work(lambda _: make.reply("PROCESSING", desk.now))
    yield
    desk.wait(hours=1)
    succeed(desk)
    yield
    desk.work(lambda _: make.reply("FAIL", desk.now))
    return one.batch_id


def refunded_when_in_review_already(desk: Desk, till: Till) -> Steps:
    one = declared(desk, parts=2)
    first, _still_running = desk.send(desk.claim())
    desk.answer((first, make.reply("FAIL", desk.now)))
    yield
    withhold(desk, one)
    return one.batch_id


def refunded_after_its_success(desk: Desk, till: Till) -> Steps:
    one = declared(desk)
    desk.end(one.id)
    yield
    withhold(desk, one)
    return one.batch_id


def with_cases_that_are_closed(desk: Desk, till: Till) -> Steps:
    batch = desk.take_in(make.declaration_row(), make.declaration_row())
    tasks = desk.work(lambda _: make.reply("SUCCESS", desk.now, cert_check_result="DIFFERENT"))
    for task in tasks:
        yield
        desk.decide("dismiss", task.declaration_id)
    return batch.id


def cancelled(desk: Desk, till: Till) -> Steps:
    one = declared(desk)
    yield
    desk.decide("cancel", one.id)
    return one.batch_id


def of_a_payment_that_expires(desk: Desk, till: Till) -> Steps:
    payment_id = opened(till)
    one = desk.declaration(hand_in(till, payment_id))
    yield
    learn(till, payment_id, "EXPIRED")
    return one.batch_id


def of_a_payment_that_is_less(desk: Desk, till: Till) -> Steps:
    payment_id = opened(till, currency="HKD", amount="50.00")
    parts = [make.sub_order_row(product="40.00", transport="4.00")]
    one = desk.declaration(hand_in(till, payment_id, sub_orders=parts))
    yield
    shown = {"currency": "HKD", "amount": Decimal(50), "pay_amount": Decimal("43.99"), "pay_currency": "CNY"}
    learn(till, payment_id, "PAID", **shown)
    return one.batch_id


def of_a_payment_that_is_paid(desk: Desk, till: Till) -> Steps:
    payment_id = opened(till)
    one = desk.declaration(hand_in(till, payment_id))
    yield
    learn(till, payment_id, "PAID")
    yield
    desk.end(one.id)
    return one.batch_id


def naming_again_what_has_ended(desk: Desk, till: Till) -> Steps:
    row = make.declaration_row()
    desk.take_in(row)
    succeed(desk)
    yield
    return desk.take_in(row).id


def naming_again_what_still_runs(desk: Desk, till: Till) -> Steps:
    row = make.declaration_row()
    desk.take_in(row)
    again = desk.take_in(row)
    yield
    succeed(desk)
    return again.id


def with_a_row_that_is_discarded(desk: Desk, till: Till) -> Steps:
    rows = make.declaration_row(), make.declaration_row(office="ATLANTIS")
    batch = desk.take_in(*rows, on_error="accept_valid")
    succeed(desk)
    yield
    with desk.services.transaction() as db:
        discard_rows(db, batch.id, None, operator(), "not ours", desk.services.audit, database.now(db))
    return batch.id


def with_a_row_that_comes_mended(desk: Desk, till: Till) -> Steps:
    mended = make.declaration_row()
    batch = desk.take_in(make.declaration_row(), mended | {"office": "ATLANTIS"}, on_error="accept_valid")
    succeed(desk)
    yield
    desk.take_in(mended)
    return batch.id


DONE, ATTENTION = "batch.done", "batch.needs_attention"
WAYS: dict[Callable[[Desk, Till], Steps], Sequence[str]] = {
    failing_and_pushed_again: (ATTENTION, ATTENTION, DONE),
    with_a_code_that_waited_for_a_late_one: (ATTENTION, ATTENTION),
    refunded_when_in_review_already: (ATTENTION,),
    refunded_after_its_success: (DONE, ATTENTION),
    with_cases_that_are_closed: (ATTENTION, DONE),
    cancelled: (DONE,),
    of_a_payment_that_expires: (ATTENTION,),
    of_a_payment_that_is_less: (ATTENTION,),
    of_a_payment_that_is_paid: (DONE,),
    naming_again_what_has_ended: (DONE,),
    naming_again_what_still_runs: (DONE,),
    with_a_row_that_is_discarded: (ATTENTION, DONE),
    with_a_row_that_comes_mended: (ATTENTION, DONE),
}


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_batch_tells_each_of_its_ends(desk: Desk, till: Till, courier: Courier, way: Callable[[Desk, Till], Steps]):
    steps, batch_id = way(desk, till), ""
    while not batch_id:
        try:
            next(steps)
        except StopIteration as done:
            batch_id = done.value
        while courier.fan_out():
            pass

    published = [one.type for one in courier.announced() if one.batch_id == batch_id and one.type.startswith("batch.")]
    assert published == list(WAYS[way])
