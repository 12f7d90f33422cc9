"""A refund's calls, and what their answers change: the refund, and what is left of its payment."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, Connection, insert, not_, update

from customs.config import Settings
from customs.db.database import Base
from customs.events.outbox import publish
from customs.gateway import Channel, GatewayError, RefundReply, Wallet, without_others
from customs.jobs.leases import RELEASED, is_current, overdue_since
from customs.lanes.breaker import is_answer
from customs.payments.events import event_of, refund_news
from customs.payments.models import Payment, PaymentEvent, Refund
from customs.payments.redaction import masked
from customs.payments.states import RefundStatus, read_refund_status, refunded_so_far
from customs.payments.tasks.order_sync import number_that_fits
from customs.payments.tasks.outcomes import (
    Outcome,
    RetryPolicy,
    TaskState,
    Transition,
    case_of,
    handle_error,
    handle_reply,
)
from customs.payments.tasks.task import Task, TaskAction, locked_row
from customs.payments_port import Declarations

PAYMENTS = Base.metadata.tables[Payment.__tablename__]
REFUNDS = Base.metadata.tables[Refund.__tablename__]
EVENTS = Base.metadata.tables[PaymentEvent.__tablename__]
TASK_STATE = [field.name for field in fields(TaskState)]


class RefundTask:
    """Sends refunds and asks for them; a refund waits while its payment is being declared (R18)."""

    table = REFUNDS

    def __init__(self, wallets: Mapping[Channel, Wallet], declarations: Declarations, settings: Settings) -> None:
        self._wallets = wallets
        self._declarations = declarations
        self._settings = settings

    @cached_property
    def may_go(self) -> ColumnElement[bool]:
        refund = REFUNDS.c
        return not_(self._declarations.in_flight(refund.merchant_no, refund.channel, refund.payment_no))

    def call(self, task: Task) -> Outcome:
        row = task.row
        wallet = self._wallets[row["channel"]]
        try:
            if task.action is TaskAction.QUERY:
                outcome: Outcome = wallet.query_refund(row["outer_refund_no"], row["payment_no"])
            else:
                outcome = wallet.refund(row["payment_no"], row["amount"], row["currency"], row["outer_refund_no"])
        except GatewayError as error:
            outcome = error
        named = ("merchant_no", "payment_no", "outer_refund_no")
        return masked(without_others(outcome, {name: row[name] for name in named}), {})

    def payment_of(self, task: Task) -> str:
        payment_id: str = task.row["payment_id"]
        return payment_id

    def record(self, db: Connection, task: Task, outcome: Outcome, now: datetime) -> str | None:
        row = locked_row(db, REFUNDS, task.id)
        if not is_current(row, task):
            return None
        transition, changes = self._handled(row, task, outcome, now)
        values = asdict(transition.after) | case_of(row, transition.after, now) | RELEASED | changes
        values["overdue_since"] = overdue_since(row, values["due_at"], answered=is_answer(outcome))
        db.execute(update(REFUNDS).where(REFUNDS.c.id == task.id).values(values))
        after = row | values
        db.execute(insert(EVENTS).values(event_of(row, after, task, outcome, transition, now)))
        if after["status"] is RefundStatus.FAIL and row["status"] is not RefundStatus.FAIL:
            _give_back(db, row["payment_id"], row["amount"], now)
        publish(db, refund_news(row, after), now)
        return transition.outcome

    def _handled(
        self, row: Mapping[str, Any], task: Task, outcome: Outcome, now: datetime
    ) -> tuple[Transition, dict[str, Any]]:
        before = TaskState(**{name: row[name] for name in TASK_STATE})
        policy = RetryPolicy(
            self._settings.payment_poll_seconds,
            self._settings.unknown_grace_seconds,
            repeatable=True,
            patient=True,
            since=row["created_at"],
        )
        if isinstance(outcome, GatewayError):
            transition = handle_error(before, task.action, outcome, now, policy)
            return transition, {"status": RefundStatus.FAIL, "ended_at": now} if transition.failed else {}
        assert isinstance(outcome, RefundReply)
        status = read_refund_status(outcome.status)
        ended = status is not RefundStatus.PENDING
        changes = {
            "status": status,
            "refund_no": row["refund_no"] or number_that_fits(outcome.refund_no),
            "ended_at": now if ended else None,
        }
        transition = handle_reply(before, ended, now, policy)
        if status is RefundStatus.FAIL:
            changes["explanation"] = f"the gateway says {outcome.status}"
        return transition, changes


def _give_back(db: Connection, payment_id: str, amount: Decimal, now: datetime) -> None:
    """A refund that was refused leaves its amount to be refunded; perhaps somebody refunded elsewhere, so we ask."""
    row = locked_row(db, PAYMENTS, payment_id)
    refunded = row["refunded"] - amount
    status = refunded_so_far(row["amount"], refunded + row["refunded_elsewhere"])
    ask = {"next_action": TaskAction.QUERY, "due_at": now} if row["next_action"] is None else {}
    changes = {"refunded": refunded, "refund_status": status} | ask
    db.execute(update(PAYMENTS).where(PAYMENTS.c.id == payment_id).values(changes))
