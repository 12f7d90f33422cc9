"""What needs somebody although the bill is right: paid and not declared, refunded after it was declared; and scale."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import event

from customs.container import Services
from customs.db.bulk import insert_many
from customs.payments.models import Payment
from customs.payments.states import Refunded
from customs.reconciliation.match import Concern, Reconciled, Verdict, reconcile
from customs.reconciliation.parser import read_bill
from tests import make
from tests.product import Desk
from tests.reconciliation.bill_books import SINCE, UNTIL, at, bill, hold, keep, line_of, payment, refund

MANY = 5_000


@pytest.fixture
def reconciled_with(services: Services) -> Callable[..., Reconciled]:
    """Reconcile lines of a bill with the payments on file."""
    return partial(hold, services)


def declare(desk: Desk, one: Payment) -> None:
    desk.declare(payment_no=one.payment_no, out_order_no=one.out_order_no)
    desk.work(lambda _: make.reply())


def test_paid_and_not_declared(services: Services, reconciled_with: Any, desk: Desk) -> None:
    declared, forgotten, given_back = payment(), payment(), payment(refund_status=Refunded.FULL)
    keep(services, declared, forgotten, given_back)
    declare(desk, declared)

    found = reconciled_with(*map(line_of, (declared, forgotten, given_back)))

    assert [(entry.recorded.id, entry.concerns) for entry in found.entries] == [
        (forgotten.id, (Concern.PAID_NOT_DECLARED,)),
        (declared.id, ()),
        (given_back.id, ()),
    ]


def test_what_was_handed_in_and_not_taken_by_the_gateway_is_not_declared(
    services: Services, reconciled_with: Any, desk: Desk
) -> None:
    one = payment()
    keep(services, one)
    desk.declare(payment_no=one.payment_no, out_order_no=one.out_order_no)

    found = reconciled_with(line_of(one))

    assert found.counts["paid_not_declared"] == 1


def test_refunded_after_the_declaration(services: Services, reconciled_with: Any, desk: Desk) -> None:
    early, late = payment(), payment()
    soon = datetime.now(UTC) + timedelta(minutes=1)
    keep(services, early, late, refund(early, ended_at=at(hour=13)), refund(late, ended_at=soon))
    declare(desk, early)
    declare(desk, late)

    found = reconciled_with()

    concerned = [
        entry.recorded.payment_no for entry in found.entries if Concern.REFUNDED_AFTER_DECLARATION in entry.concerns
    ]
    assert concerned == [late.payment_no]


def test_a_refund_made_elsewhere_after_the_declaration_is_seen(
    services: Services, reconciled_with: Any, desk: Desk
) -> None:
    one = payment()
    keep(services, one)
    declare(desk, one)
    elsewhere = refund(one, outer_refund_no="R-ELSEWHERE", refund_no="G-ELSEWHERE")

    found = reconciled_with(line_of(one), line_of(elsewhere))

    assert [(entry.verdict, entry.concerns) for entry in found.entries] == [
        (Verdict.ONLY_THEIRS, (Concern.REFUNDED_AFTER_DECLARATION,)),
        (Verdict.MATCHED, ()),
    ]


# On one database: the statements are the same on the other.
@pytest.mark.parametrize("either_database", ["sqlite"], indirect=True)
def test_thousands_of_lines_take_a_few_queries(services: Services) -> None:
    rows = [payment() for _ in range(MANY)]
    columns = [column.name for column in Payment.__table__.columns]
    with services.transaction() as db:
        table = Payment.__table__
        values = ({name: getattr(one, name) for name in columns if getattr(one, name) is not None} for one in rows)
        insert_many(db.connection(), table, values)
    content = bill(map(line_of, rows))
    asked: list[str] = []
    event.listen(services.engine, "before_cursor_execute", lambda *call: asked.append(call[2]))

    with services.reading() as db:
        found = reconcile(db, read_bill(content), SINCE, UNTIL, services.declarations, make.caller())

    assert (found.counts["matched"], found.counts["paid_not_declared"]) == (MANY, MANY)
    assert len([statement for statement in asked if statement.startswith("SELECT")]) <= 8
